"""The licence texts of everything that an installer holds, gathered from the installed packages."""

from __future__ import annotations

import importlib.metadata as metadata
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

TEXT = re.compile(r"(licen[cs]e|copying|copyright|notice|eula|third.?party)", re.IGNORECASE)
NOT_TEXT = (".py", ".pyc", ".pyi", ".so", ".json", ".h", ".hpp")
LGPL = ("pyside6_essentials", "shiboken6")
"""Their wheels bring no licence text; the LGPL wants one to be shipped."""

OPENING = """Mammoview is licensed under Apache-2.0 and is shipped with the packages below, each under
its own licence. Qt, PySide6 and Shiboken are used under the LGPL 3: their libraries lie unchanged in
_internal/PySide6 and _internal/shiboken6 and may be replaced by builds of your own; their source is at
https://download.qt.io/official_releases/.

"""


def requirements(name: str) -> Iterator[metadata.Distribution]:
    """Yield the installed packages that `name` needs at run time, itself first, each once."""
    seen: set[tuple[str, str]] = set()
    given: set[str] = set()
    waiting = [(_key(name), "")]
    while waiting:
        asked = waiting.pop(0)
        if asked in seen:
            continue
        seen.add(asked)
        key, extra = asked
        try:
            found = metadata.distribution(key)
        except metadata.PackageNotFoundError:
            continue  # needed on another platform only
        if key not in given:
            given.add(key)
            yield found
        for line in found.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                waiting += [(_key(requirement.name), wanted) for wanted in ("", *sorted(requirement.extras))]


def licence_of(package: metadata.Distribution) -> str:
    """Return the licence as the package's metadata says it, in one short line."""
    about = package.metadata
    for field in ("License-Expression", "License"):
        said = (about.get(field) or "").strip()
        if said and said.upper() != "UNKNOWN" and "\n" not in said and len(said) < 120:
            return str(said)
    classes = [
        line.split(" :: ")[-1]
        for line in about.get_all("Classifier") or ()
        if line.startswith("License :: ") and line != "License :: OSI Approved"
    ]
    return ", ".join(classes) or "see its licence files"


def write_licences(target: Path, texts: Path) -> int:
    """Write one folder of licence files per package and an overview; return how many packages.

    Parameters
    ----------
    target
        Folder to write, made anew.
    texts
        Folder of the LGPL and GPL texts, for the packages whose wheels bring none.
    """
    shutil.rmtree(target, ignore_errors=True)
    lines = []
    for package in requirements("mammoview"):
        name = package.metadata["Name"]
        home = package.metadata.get("Home-page") or next(
            iter(package.metadata.get_all("Project-URL") or ()), ""
        )
        lines.append(f"{name} {package.version}: {licence_of(package)}. {home}".rstrip())
        folder = target / _key(name)
        for file in package.files or ():
            if TEXT.search(file.as_posix()) and not file.name.endswith(NOT_TEXT):
                source = Path(str(file.locate()))
                if source.is_file():
                    folder.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, folder / file.as_posix().replace("/", "-").replace("..-", ""))
        if _key(name) in LGPL:
            shutil.copytree(texts, folder, dirs_exist_ok=True)
    overview = target / "OVERVIEW.txt"
    target.mkdir(parents=True, exist_ok=True)
    overview.write_text(OPENING + "\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()
