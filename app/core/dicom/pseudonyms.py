"""Names that stand for identities, by a secret key: the same key gives the same names, nobody else can.

HMAC-SHA256 (RFC 2104) of the identity and of what it is an identity of. The key is made once, kept beside
the reader's work for its owner's eyes only, and never written into an export.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from app.core.errors import ReadError

KEY_FILE: Final = "deidentify.key"
_BYTES: Final = 32
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTVWXYZ23456789"  # 31; none is taken for another
_LENGTH: Final = 12
_MOST_DAYS: Final = 3650


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Maps identities to names under one key.

    Parameters
    ----------
    key
        32 secret bytes.
    """

    key: bytes

    def __repr__(self) -> str:
        return "Pseudonyms(<secret>)"

    def name(self, kind: str, identity: str) -> str:
        """Return ``P-7KQ...`` for a patient's id and the kind ``P``: the kind and 12 letters (59 bits)."""
        number = int.from_bytes(self._digest(kind, identity)[:16], "big")
        letters = []
        for _ in range(_LENGTH):
            number, rest = divmod(number, len(_LETTERS))
            letters.append(_LETTERS[rest])
        return f"{kind}-{''.join(letters)}"

    def uid(self, uid: str) -> str:
        """Return the UID that stands for another: ``2.25.`` and a UUID of version 8 (PS3.5 B.2, RFC 9562)."""
        raw = bytearray(self._digest("uid", uid.strip(" \0"))[:16])
        raw[6] = raw[6] & 0x0F | 0x80
        raw[8] = raw[8] & 0x3F | 0x80
        return f"2.25.{int.from_bytes(raw, 'big')}"

    def shifted(self, patient: str, day: date) -> date:
        """Return a day moved back by 1 to 3650 days, the same for all days of a patient."""
        days = 1 + int.from_bytes(self._digest("days", patient)[:8], "big") % _MOST_DAYS
        return day - timedelta(days=days) if day.toordinal() > days else date.min

    def _digest(self, kind: str, identity: str) -> bytes:
        text = f"{kind}\0{identity}".encode("utf-8", "surrogateescape")
        return hmac.new(self.key, text, hashlib.sha256).digest()


def read_key(path: Path) -> Pseudonyms:
    """Return the pseudonyms of a key file, made where it is missing (readable by its owner only).

    Raises
    ------
    ReadError
        It cannot be read or made, or holds no key of 32 bytes in hexadecimal.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            text = path.read_text(encoding="ascii").strip()
        else:
            text = secrets.token_hex(_BYTES)
            with os.fdopen(made, "w", encoding="ascii") as file:
                file.write(text + "\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ReadError(path, f"the key cannot be read or made ({reason})") from error
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ReadError(path, "holds no key (64 hexadecimal digits)")
    return Pseudonyms(bytes.fromhex(text))
