"""How trainings are written for people. Pure functions, no Qt."""

from __future__ import annotations

from app.services.training.events import Progress
from app.services.training.history import Entry
from app.services.training.look import JobView
from app.services.training.results import Difference

NONE = "–"


def seconds(value: float) -> str:
    """Return a time to wait: ``40 s``, ``12 min``, ``3 h 20 min``, ``2 d 4 h``."""
    if value < 59.5:
        return f"{max(0, round(value))} s"
    minutes = round(value / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def standing(view: JobView) -> str:
    """Return how a training stands in a few words, for a list."""
    if view.status in ("running", "paused") and view.step == "fit":
        said = place(view.progress)
        return f"{view.status}, {said}" if said else view.status
    if view.status == "running":
        return view.sentence.rstrip(".").lower()
    return view.status


def place(progress: Progress) -> str:
    """Return how far a training is: ``epoch 3 of 10``; "" before it has begun."""
    done, total = progress.prepared
    if done < total:
        return f"preparing image {done} of {total}"
    if not progress.epochs or not (progress.epoch or progress.steps):
        return ""
    return f"epoch {min(progress.epoch + 1, progress.epochs)} of {progress.epochs}"


def progress_line(view: JobView) -> str:
    """Return how far a training is and how long it takes to its end."""
    parts = [place(view.progress)] if view.step == "fit" else []
    left = view.progress.time_left()
    if view.status == "running" and view.step == "fit" and left is not None:
        parts.append(f"{seconds(left)} left")
    return " · ".join(part for part in parts if part)


def number(value: float | None, signed: bool = False) -> str:
    """Return a metric with three figures after the point."""
    if value is None:
        return NONE
    return f"{value:+.3f}" if signed else f"{value:.3f}"


def interval(low: float | None, high: float | None, signed: bool = False) -> str:
    """Return a 95 % interval."""
    return NONE if low is None or high is None else f"{number(low, signed)} to {number(high, signed)}"


def said_of(difference: Difference) -> str:
    """Return what a difference shows: shape as well as colour."""
    if not difference.shown:
        return "not shown"
    return "▼ worse" if difference.got_worse else "▲ better"


def sentence(said: str) -> str:
    """Return what was said with a full stop, and a capital letter where it begins with a plain word."""
    if not said:
        return ""
    first = said.partition(" ")[0]
    begin = f"{said[0].upper()}{said[1:]}" if first.isalpha() else said
    return begin if begin.endswith(".") else f"{begin}."


def verdict(said: str) -> str:
    """Return the trainer's verdict in the words of the tables: A is what is in use, B the new one."""
    return said.replace("(A)", "(in use)").replace("(B)", "(new)").replace("B - A", "new − in use")


def decision(entry: Entry) -> str:
    """Return what was decided, in words."""
    return {"froze": "frozen test chosen", "declined": "not promoted"}.get(entry.action, entry.action)


def when(entry: Entry) -> str:
    """Return when something was decided, in UTC to the minute."""
    return entry.t[:16].replace("T", " ")
