"""Freeze Mammoview into ``dist/mammoview``: one folder, the workstation and the trainer, no Python needed.

``python build_installer.py [--research] [--output DIR]``. The build is called good only when the frozen
``mammoview self-test`` has passed from a folder elsewhere on the disk. Exit codes: 0 done, 1 the build
failed, 2 usage.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageChops

from installer.licences import write_licences

ROOT = Path(__file__).resolve().parent
PATIENCE_S = 600


class BuildError(Exception):
    """A build that is not good, in one sentence."""


def main(argv: Sequence[str] | None = None) -> int:
    """Build, check and report; return the exit code."""
    parser = argparse.ArgumentParser(prog="build_installer.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--research", action="store_true", help="ship the research-licensed models too")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="where mammoview/ is made")
    arguments = parser.parse_args(argv)
    start = time.perf_counter()
    try:
        chosen, left_out = choose_bundles(ROOT / "model_zoo" / "bundles", research=arguments.research)
        folder = freeze(chosen, arguments.output.resolve())
        count = write_licences(folder / "licenses", ROOT / "installer" / "licenses")
        built = time.perf_counter() - start
        check(folder)
    except BuildError as error:
        print(f"build_installer: {error}", file=sys.stderr)
        return 1
    print(f"models: {', '.join(bundle.name for bundle in chosen) or 'none'}")
    for bundle in left_out:
        print(f"left out: {bundle.name} (licensed for research use only; --research ships it)")
    print(f"licences of {count} packages in {folder / 'licenses'}")
    print(f"built in {built:.0f} s, checked in {time.perf_counter() - start - built:.0f} s")
    for part, size in largest(folder):
        print(f"{size / 1e9:8.2f} GB  {part}")
    print(f"{size_of(folder) / 1e9:8.2f} GB  {folder}")
    return 0


def choose_bundles(folder: Path, *, research: bool) -> tuple[list[Path], list[Path]]:
    """Return the bundles that go in and those left out because of their licence, each by name."""
    chosen: list[Path] = []
    left_out: list[Path] = []
    for file in sorted(folder.glob("*/bundle.json")):
        try:
            use = json.loads(file.read_text(encoding="utf-8"))["licence"]["use"]
        except (ValueError, KeyError, TypeError) as error:
            raise BuildError(f"{file}: the licence's use cannot be read ({error})") from None
        # Only what says that it may be used for anything goes into an installer unasked.
        (chosen if use == "any" or research else left_out).append(file.parent)
    return chosen, left_out


def freeze(bundles: list[Path], output: Path) -> Path:
    """Run PyInstaller and return the folder it made."""
    folder = output / "mammoview"
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    command += ["--distpath", str(output), "--workpath", str(ROOT / "build" / "installer")]
    command += [str(ROOT / "installer" / "mammoview.spec")]
    environment = os.environ | {"MAMMOVIEW_BUNDLES": os.pathsep.join(map(str, bundles))}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise BuildError(f"PyInstaller ended with exit code {done.returncode}")
    return folder


def check(folder: Path) -> None:
    """Start both programs from a folder elsewhere, far from this checkout and its environment.

    Raises
    ------
    BuildError
        With what the frozen program said.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="check-") as elsewhere:
        moved = folder.rename(Path(elsewhere) / "moved application")
        try:
            run_frozen(moved, "mammoview", "self-test")
            run_frozen(moved, "mammoview-trainer", "--help")
            compare_windows(moved, Path(elsewhere))
        finally:
            moved.rename(folder)


def run_frozen(folder: Path, program: str, *words: str) -> None:
    """Run a frozen program with these words; show what it says."""
    ending = ".exe" if sys.platform == "win32" else ""
    said = f"the frozen {program} {words[0]}"
    try:
        done = run_alone([str(folder / f"{program}{ending}"), *words], folder.parent)
    except subprocess.TimeoutExpired:
        raise BuildError(f"{said} did not end within {PATIENCE_S} s") from None
    print(done.stdout, end="")
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise BuildError(f"{said} ended with exit code {done.returncode}: {last[0]}")


def run_alone(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program with nothing of this environment to help it: no PYTHONPATH, no settings, no models."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LOCALAPPDATA", "APPDATA")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {
        "QT_QPA_PLATFORM": "offscreen",
        "MAMMOVIEW_CONFIG": str(folder / "config"),
        "MAMMOVIEW_MODELS": str(folder / "models"),
    }
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def compare_windows(folder: Path, scratch: Path) -> None:
    """Take the same picture with the frozen and the installed program: what was not collected shows there.

    The second look's panel is left out of it, because it names the models, which may differ.

    Raises
    ------
    BuildError
        When the pictures differ.
    """
    words = ("snapshot", str(ROOT / "resources" / "self_test"), "--size", "1600x900", "-o")
    frozen, installed = scratch / "frozen.png", scratch / "installed.png"
    run_frozen(folder, "mammoview", *words, str(frozen))
    done = run_alone([sys.executable, "-m", "app.cli", *words, str(installed)], ROOT)
    if done.returncode != 0:
        raise BuildError(f"no picture to compare with: {done.stderr.strip()}")
    left = (0, 0, 1200, 900)
    differing = ImageChops.difference(*(Image.open(p).convert("L").crop(left) for p in (frozen, installed)))
    count = sum(differing.histogram()[1:])
    if count:
        frozen.rename(folder.parent.parent / "frozen.png")
        installed.rename(folder.parent.parent / "installed.png")
        raise BuildError(f"the frozen window differs in {count} pixels (frozen.png, installed.png)")


def size_of(path: Path) -> int:
    """Return the bytes below a folder, links not followed."""
    if path.is_file():
        return path.lstat().st_size
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file() or file.is_symlink())


def largest(folder: Path, most: int = 6) -> list[tuple[str, int]]:
    """Return the largest parts of the application, largest first."""
    inside = folder / "_internal"
    parts = [(part.name, size_of(part)) for part in inside.iterdir() if not part.is_symlink()]
    return sorted(parts, key=lambda part: part[1], reverse=True)[:most]


if __name__ == "__main__":
    sys.exit(main())
