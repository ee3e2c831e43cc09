"""Name the Debian packages that Qt needs and this machine lacks, one line of names; nothing if all is there.

Runs before the virtual environment exists, so it uses the standard library only. Asking the dynamic
loader is quicker than asking dpkg, and right on machines that are not Debian too. Exit code 0: nothing is
missing. 1: the packages are named on standard output.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys

PACKAGES = {
    "libegl1": ("libEGL.so.1",),
    "libgl1": ("libGL.so.1",),
    "libopengl0": ("libOpenGL.so.0",),
    "libglib2.0-0": ("libglib-2.0.so.0", "libgthread-2.0.so.0"),
    "libdbus-1-3": ("libdbus-1.so.3",),
    "libfontconfig1": ("libfontconfig.so.1",),
    "libfreetype6": ("libfreetype.so.6",),
    "libgssapi-krb5-2": ("libgssapi_krb5.so.2",),
    "libzstd1": ("libzstd.so.1",),
    "libx11-6": ("libX11.so.6",),
    "libx11-xcb1": ("libX11-xcb.so.1",),
    "libxkbcommon0": ("libxkbcommon.so.0",),
    "libxkbcommon-x11-0": ("libxkbcommon-x11.so.0",),
    "libxcb1": ("libxcb.so.1",),
    "libxcb-cursor0": ("libxcb-cursor.so.0",),
    "libxcb-icccm4": ("libxcb-icccm.so.4",),
    "libxcb-image0": ("libxcb-image.so.0",),
    "libxcb-keysyms1": ("libxcb-keysyms.so.1",),
    "libxcb-randr0": ("libxcb-randr.so.0",),
    "libxcb-render-util0": ("libxcb-render-util.so.0",),
    "libxcb-render0": ("libxcb-render.so.0",),
    "libxcb-shape0": ("libxcb-shape.so.0",),
    "libxcb-shm0": ("libxcb-shm.so.0",),
    "libxcb-sync1": ("libxcb-sync.so.1",),
    "libxcb-util1": ("libxcb-util.so.1",),
    "libxcb-xfixes0": ("libxcb-xfixes.so.0",),
    "libxcb-xkb1": ("libxcb-xkb.so.1",),
    "libwayland-client0": ("libwayland-client.so.0",),
    "libwayland-cursor0": ("libwayland-cursor.so.0",),
    "libwayland-egl1": ("libwayland-egl.so.1",),
}
"""Debian 12 package: the shared objects that PySide6's core, widgets and its xcb, wayland and
off-screen plug-ins link to and that its wheel does not bring (found with readelf)."""


def missing_packages() -> list[str]:
    """Return the packages of which at least one library cannot be loaded, and fonts if there is none."""
    missing = [name for name, libraries in PACKAGES.items() if not all(map(_loads, libraries))]
    if not _has_font():
        missing += ["fontconfig", "fonts-dejavu-core"]
    return missing


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_font() -> bool:
    """Tell whether fontconfig knows a scalable font; without one Qt draws boxes for letters."""
    listing = shutil.which("fc-list")
    if listing is None:
        return False
    found = subprocess.run([listing, ":scalable=true", "file"], capture_output=True, check=False)
    return bool(found.stdout.strip())


if __name__ == "__main__":
    names = missing_packages() if sys.platform.startswith("linux") else []
    if names:
        print(" ".join(names))
    sys.exit(1 if names else 0)
