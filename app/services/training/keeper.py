"""The keeper of one training: runs its steps one after another as processes, and writes how it stands.

It is a process of its own, started by the window and not ended with it: ``mammoview training keep FOLDER``.
It knows no Qt. What is wanted of it stands in the file ``wanted``; pausing stops the step and everything
that it started (SIGSTOP), stopping asks it to end (SIGTERM) and, after `PATIENCE_S`, ends it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from app.core.errors import MammoviewError, ReadError
from app.services.training import alive, frozen
from app.services.training.events import EventReader
from app.services.training.frozen import FrozenTest
from app.services.training.job import Job, State, read_job, read_state, wanted_of, write_state
from app.services.training.plan import FIT, GUARD, OPTIONAL, WORDS, splits_of, steps, words
from app.services.training.program import trainer_command

POLL_S: Final = 0.1
PATIENCE_S: Final = 120.0
"""How long a step may take to end when asked to; a batch and its clean-up."""
LEAVING_S: Final = 10.0
"""How long a keeper that has written its end may take to be gone."""
TAIL_BYTES: Final = 16_384
LOCK: Final = "lock"


_SIGNALS: Final = {
    4: "it crashed",
    6: "it crashed",
    7: "it crashed",
    8: "it crashed",
    9: "killed, perhaps for lack of memory",
    11: "it crashed",
    15: "another program asked it to end",
}
"""What ended a program, by POSIX number."""


class _Ended(Exception):  # noqa: N818 - not an error
    """The training is over, before its last step."""


def keep(folder: Path) -> State:
    """Run all steps of a training that are not done, and return how it ended.

    Raises
    ------
    MammoviewError
        No record of a training, another keeper or a step of before is still at work, no disk to write to.
    """
    job = read_job(folder)
    try:
        with _alone(folder):
            before = read_state(folder) or State()
            end = time.monotonic() + LEAVING_S
            while before.ended is not None and alive.is_alive(before.keeper) and time.monotonic() < end:
                time.sleep(POLL_S / 2)  # the keeper before is on its way out
            if alive.is_alive(before.keeper) or alive.is_alive(before.process):
                raise _at_work(folder)
            return _Keeper(job, before).run()
    except OSError as error:
        raise ReadError(folder, f"the training cannot be kept ({error.strerror or error})") from error


def _alone(folder: Path) -> BinaryIO:
    """Return the lock of a training; two keepers begun at once must not both read that nobody is at work."""
    end = time.monotonic() + LEAVING_S
    while (held := alive.lock(folder / LOCK)) is None:
        state = read_state(folder)
        if time.monotonic() > end or (state and state.ended is None and alive.is_alive(state.keeper)):
            raise _at_work(folder)
        time.sleep(POLL_S / 2)
    return held


def _at_work(folder: Path) -> MammoviewError:
    return MammoviewError(f"{folder}: this training is at work already")


class _Keeper:
    def __init__(self, job: Job, before: State) -> None:
        self._job, self._folder = job, job.folder
        known = tuple(one for one in steps(job) if one in before.done)
        self._state = State(keeper=alive.process(os.getpid()), done=known)

    def _tell(self, **facts: object) -> None:
        self._state = replace(self._state, **facts)  # type: ignore[arg-type]
        write_state(self._folder, self._state)

    def run(self) -> State:
        self._tell()
        try:
            for step in steps(self._job):
                # The guard looks each time: files may have changed since it looked last.
                if step not in self._state.done or step == GUARD:
                    self._do(step)
            self._tell(ended="finished", process=None, sentence="")
        except _Ended:
            pass
        except MammoviewError as error:
            self._tell(ended="failed", process=None, sentence=str(error))
        return self._state

    def _do(self, step: str) -> None:
        self._tell(step=step, process=None, paused=False)
        if wanted_of(self._folder) == "stop":
            self._stopped(step)
        if step == GUARD:
            self._guard()
        else:
            test = frozen.load(self._job.frozen)
            if step != FIT:
                frozen.check_files(test)
            self._run(step, test)
        if step not in self._state.done:
            self._tell(done=(*self._state.done, step), process=None)

    def _guard(self) -> None:
        job = self._job
        frozen.guard(frozen.find(), Path(job.manifest), splits_of(job), job.fold)

    def _run(self, step: str, test: FrozenTest) -> None:
        command = (*trainer_command(), *words(self._job, step, test))
        with (self._folder / "log.txt").open("ab") as log:
            log.write(f"\n{time.strftime('%Y-%m-%d %H:%M:%S')} {WORDS[step]}\n".encode())
            log.flush()
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    **alive.detached(),  # type: ignore[call-overload]
                )
            except OSError as error:
                raise ReadError(command[0], f"cannot be started ({error.strerror or error})") from error
        self._tell(process=alive.process(process.pid))
        code, was_stopped = self._follow(process)
        if not alive.WINDOWS:
            alive.tell_group(process.pid, signal.SIGKILL)  # readers that a killed trainer left behind
        if code != 0:
            self._failed(step, code, was_stopped)

    def _follow(self, process: subprocess.Popen[bytes]) -> tuple[int, bool]:
        """Wait for a step, doing what is wanted; return its exit code and whether it was stopped."""
        asked_at: float | None = None
        while True:
            try:
                return process.wait(POLL_S), asked_at is not None
            except subprocess.TimeoutExpired:
                wanted = wanted_of(self._folder)
            if wanted == "stop":
                if asked_at is None:
                    asked_at = time.monotonic()
                    process.terminate()
                    self._pause(process, False)
                elif time.monotonic() - asked_at > PATIENCE_S:
                    process.kill()
            elif alive.CAN_PAUSE:
                self._pause(process, wanted == "pause")

    def _pause(self, process: subprocess.Popen[bytes], paused: bool) -> None:
        if paused != self._state.paused:
            alive.tell_group(process.pid, signal.SIGSTOP if paused else signal.SIGCONT)
            self._tell(paused=paused)

    def _failed(self, step: str, code: int, was_stopped: bool) -> None:
        """Write why a step ended before its time; the training goes on only where the step is not needed."""
        if was_stopped:
            self._stopped(step)
        sentence = reason(self._folder, step, code)
        if step in OPTIONAL:
            self._tell(failures={**self._state.failures, step: sentence}, process=None)
            return
        self._tell(ended="failed", process=None, paused=False, sentence=sentence)
        raise _Ended

    def _stopped(self, step: str) -> None:
        said = f"Stopped {where(self._folder)}." if step == FIT else f"Stopped while {WORDS[step]}."
        self._tell(ended="stopped", process=None, paused=False, sentence=said)
        raise _Ended


def where(folder: Path, *, killed: bool = False) -> str:
    """Return how far a training came, in words, and where it can go on."""
    progress = EventReader(folder / "events.jsonl").read()
    if not progress.epochs or not (progress.epoch or progress.step):
        return "before its first epoch; it can start anew"
    if killed:
        whole = f"the end of epoch {progress.epoch}" if progress.epoch else "the start"
        number = min(progress.epoch + 1, progress.epochs)
        return f"in epoch {number} of {progress.epochs}; it can go on from {whole}"
    if progress.step:
        return f"in epoch {progress.epoch + 1} of {progress.epochs}; it can go on from there"
    return f"after epoch {progress.epoch} of {progress.epochs}; it can go on from there"


def reason(folder: Path, step: str, code: int) -> str:
    """Return in one sentence why a step ended with an exit code other than 0."""
    what = WORDS[step]
    number = -code if code < 0 else code - 128
    if number in _SIGNALS:
        place = f" {where(folder, killed=True)}" if step == FIT else ""
        return f"The trainer was ended while {what} (signal {number}, {_SIGNALS[number]}){place}."
    said = last_line(folder / "log.txt")
    return (
        said.removeprefix("mammoview-trainer: ") or f"The trainer ended with exit code {code} while {what}."
    )


def last_line(path: Path) -> str:
    """Return the last line of a log that is not empty; "" where there is none."""
    lines = [line.strip() for line in tail(path).splitlines() if line.strip()]
    return lines[-1] if lines else ""


def tail(path: Path, size: int = TAIL_BYTES) -> str:
    """Return the end of a text file, whole lines; "" where it cannot be read."""
    try:
        with path.open("rb") as stream:
            end = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, end - size))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return text if end <= size else text.partition("\n")[2]
