"""Writing results whole or not at all: a temporary file beside the target, then a rename."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.core.errors import MammoviewError


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically; raises `MammoviewError` naming the file and the reason."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent or Path(), prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            # mkstemp makes files for the owner alone; results get the usual permissions.
            os.chmod(name, 0o666 & ~_umask())
            os.replace(name, path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise MammoviewError(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_png(path: Path, pixels: npt.NDArray[np.generic]) -> None:
    """Write a grey PNG of the array's own depth (uint8 or uint16)."""
    done, buffer = cv2.imencode(".png", pixels)
    if not done:
        raise MammoviewError(f"{path}: the picture could not be encoded")
    write_bytes(path, buffer.tobytes())


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a JSON document; NaN is an error, never a token other readers refuse."""
    write_bytes(path, (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
