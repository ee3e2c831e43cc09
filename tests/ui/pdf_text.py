"""The words of each page of a PDF that Qt wrote, read without Qt: streams inflated, glyphs by ToUnicode.

Only what Qt's writer makes is understood (PDF 32000-1, 7.3.8, 9.10.3).
"""

from __future__ import annotations

import re
import zlib


def pages(data: bytes) -> list[str]:
    """Return the text of each page, in the order in which it was drawn, without blanks."""
    objects = {int(number): body for number, body in re.findall(rb"(?s)(\d+) 0 obj\n(.*?)\nendobj", data)}
    return [_text(body, objects) for body in _in_order(objects)]


def _in_order(objects: dict[int, bytes]) -> list[bytes]:
    tree = next(body for body in objects.values() if re.search(rb"/Type\s*/Pages\b", body))
    kids = re.search(rb"(?s)/Kids\s*\[(.*?)\]", tree)
    assert kids is not None
    return [objects[int(number)] for number in re.findall(rb"(\d+) 0 R", kids[1])]


def _stream(body: bytes) -> bytes:
    raw = body.split(b"stream\n", 1)[1].rsplit(b"endstream", 1)[0]
    return zlib.decompressobj().decompress(raw) if b"/FlateDecode" in body else raw


def _text(page: bytes, objects: dict[int, bytes]) -> str:
    def reference(name: bytes, body: bytes) -> bytes:
        found = re.search(rb"/" + name + rb"\s+(\d+) 0 R", body)
        assert found is not None, name
        return objects[int(found[1])]

    content = _stream(reference(b"Contents", page))
    resources = reference(b"Resources", page)
    fonts: dict[bytes, dict[int, str]] = {}
    for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", resources):
        fonts[name] = _letters(_stream(reference(b"ToUnicode", objects[int(number)])))
    words, letters = [], {}
    for font, glyphs in re.findall(rb"/(F\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)>", content):
        if font:
            letters = fonts[font]
        else:
            codes = [int(glyphs[at : at + 4], 16) for at in range(0, len(glyphs), 4)]
            words.append("".join(letters.get(code, "?") for code in codes))
    return re.sub(r"\s", "", "".join(words))


def _letters(table: bytes) -> dict[int, str]:
    """Return glyph -> text of a ToUnicode map."""
    found: dict[int, str] = {}
    for block in re.findall(rb"(?s)beginbfrange(.*?)endbfrange", table):
        for first, last, rest in re.findall(rb"<(\w+)>\s*<(\w+)>\s*(\[[^]]*\]|<\w+>)", block):
            targets = re.findall(rb"<(\w+)>", rest)
            for step, code in enumerate(range(int(first, 16), int(last, 16) + 1)):
                if rest.startswith(b"["):
                    found[code] = chr(int(targets[step], 16))
                else:
                    found[code] = chr(int(targets[0], 16) + step)
    for block in re.findall(rb"(?s)beginbfchar(.*?)endbfchar", table):
        for code, target in re.findall(rb"<(\w+)>\s*<(\w+)>", block):
            found[int(code, 16)] = bytes.fromhex(target.decode()).decode("utf-16-be")
    return found
