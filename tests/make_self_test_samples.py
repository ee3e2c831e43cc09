"""Make ``resources/self_test``: one small mammogram per transfer syntax and what it must decode to.

Run by hand when a syntax is added: ``.venv/bin/python tests/make_self_test_samples.py``. The expected
checksums are of the pattern itself where the syntax is lossless, and of gdcmconv's decoding (an
independent program) where it is not.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from pathlib import Path

import dicom_files as files
import numpy as np
import pydicom

FOLDER = Path(__file__).parents[1] / "resources" / "self_test"
SYNTAXES = {
    "implicit": files.IMPLICIT,
    "explicit": files.EXPLICIT,
    "deflated": files.DEFLATED,
    "big-endian": files.BIG_ENDIAN,
    "rle": files.RLE,
    "jpeg-baseline": files.JPEG_BASELINE,
    "jpeg-extended": files.JPEG_EXTENDED,
    "jpeg-lossless": files.JPEG_LOSSLESS,
    "jpeg-lossless-sv1": files.JPEG_LOSSLESS_SV1,
    "jpeg-ls": files.JPEG_LS,
    "jpeg-2000": files.J2K,
    "htj2k": files.HTJ2K,
}


def pattern(bits: int) -> np.ndarray:
    """Return 48 x 40 values that use the whole range: a diagonal ramp with single bright pixels."""
    row, col = np.mgrid[0:48, 0:40]
    values = (row * 67 + col * 29) % (1 << bits)
    values[::8, ::8] = (1 << bits) - 1
    return values.astype(np.uint16 if bits > 8 else np.uint8)


def judged(path: Path) -> np.ndarray:
    """Return the pixels as gdcmconv decodes them."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.dcm"
        subprocess.run(["gdcmconv", "--raw", str(path), str(raw)], check=True, capture_output=True)
        return pydicom.dcmread(raw).pixel_array


def main() -> None:
    """Write the samples and ``expected.json``."""
    FOLDER.mkdir(exist_ok=True)
    expected = []
    for name, syntax in SYNTAXES.items():
        bits = 8 if name == "jpeg-baseline" else 12
        path = FOLDER / f"{name}.dcm"
        files.write_mg(path, pattern(bits), bits_stored=bits, transfer_syntax=syntax, PatientName="Self^Test")
        lossy = name in ("jpeg-baseline", "jpeg-extended")
        pixels = judged(path) if lossy else pattern(bits)
        digest = hashlib.sha256(np.ascontiguousarray(pixels.astype("<u2")).tobytes()).hexdigest()
        source = "gdcmconv" if lossy else "arithmetic"
        expected.append(
            {"name": name, "file": path.name, "transfer_syntax": syntax, "sha256": digest, "from": source}
        )
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
