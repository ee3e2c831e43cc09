"""Collect torchvision's compiled operators, which the stock hook misses.

Their names (``_C_stable.so``, ``image_stable.so``; ``.pyd`` on Windows) match none of its patterns, and
without them the frozen program ends at start with "operator torchvision::nms does not exist".
"""

from pathlib import Path

from PyInstaller.utils.hooks import get_package_paths

_folder = Path(get_package_paths("torchvision")[1])
_found = [
    file
    for pattern in ("_C*", "image*")
    for file in sorted(_folder.glob(pattern))
    if file.suffix in (".so", ".pyd", ".dylib")
]
if not any(file.name.startswith("_C") for file in _found):
    raise SystemExit(f"{_folder}: torchvision's compiled operators were not found")

binaries = [(str(file), "torchvision") for file in _found]
module_collection_mode = "pyz+py"
