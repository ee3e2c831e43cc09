"""Write an off-screen picture of the real main window."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from app.commands import picture
from app.commands.arguments import from_one
from app.commands.window import Workstation, open_window
from app.core.errors import MammoviewError, ReadError
from app.services.inference import catalogue


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of DESIGN.md's ``snapshot``."""
    parser.add_argument("path", metavar="PATH")
    parser.add_argument("-o", dest="out", metavar="OUT.PNG", required=True)
    parser.add_argument("--size", type=_size, default=(2560, 1440), metavar="WxH")
    parser.add_argument("--protocol", metavar="NAME")
    parser.add_argument("--stage", type=from_one, metavar="N", help="1-based")
    parser.add_argument("--model", metavar="NAME", help="also show this model's second look")
    parser.add_argument("--heatmap", action="store_true", help="also show the heat map")


def _size(word: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,5})x(\d{2,5})", word)
    if not match or not (320 <= int(match[1]) <= 16384 and 240 <= int(match[2]) <= 16384):
        raise argparse.ArgumentTypeError("must be like 2560x1440, from 320x240 to 16384x16384")
    return int(match[1]), int(match[2])


def run(arguments: argparse.Namespace) -> int:
    """Open, hang, analyse if asked, settle, write."""
    path = Path(arguments.path)
    if not path.exists():
        raise ReadError(path, "there is no such file or folder")
    if arguments.model:
        catalogue.chosen([arguments.model], ())  # an unknown name is told before any work is done
    workstation = open_window(off_screen=True)
    try:
        workstation.window.resize(*arguments.size)
        workstation.window.show()
        picture.open_and_hang(workstation, [path])
        _arrange(workstation, arguments.protocol, arguments.stage)
        picture.settle(workstation)
        if arguments.model or arguments.heatmap:
            _analyse(workstation, arguments.model, arguments.heatmap)
        picture.take(workstation, Path(arguments.out))
    finally:
        workstation.window.close()
        workstation.close()
    return 0


def _arrange(workstation: Workstation, protocol: str | None, stage: int | None) -> None:
    session = workstation.session
    if protocol is not None:
        names = [one.name for one in session.protocols]
        if protocol not in names:
            refused = next((one for one in session.refused if f"{protocol}.json" in one), None)
            if refused is not None:
                raise MammoviewError(refused)
            raise MammoviewError(f"there is no hanging protocol {protocol!r}; there are {', '.join(names)}")
        session.set_protocol(protocol)
    if stage is not None:
        stages = session.screen.stages
        if stage > stages:
            name = session.screen.protocol
            raise MammoviewError(f"protocol {name} has {stages} stages for this study, not {stage}")
        session.set_stage(stage - 1)


def _analyse(workstation: Workstation, model: str | None, heatmap: bool) -> None:
    picture.analysed(workstation, (model,) if model else None)
    workstation.session.set_overlay(boxes=True)
    workstation.session.show_heat_map(heatmap)
