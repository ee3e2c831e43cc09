"""No file can take the program down: workers are killed, replaced, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from dicom_files import J2K, JPEG_LS, encode_frame, phantom_pixels, write_mg

from app.core.dicom import pool as pools
from app.core.dicom.codecs import FrameJob
from app.core.dicom.codestream import CodecError
from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import read_image

ROOT = Path(__file__).parents[3]


def job_of(path: Path, pixels: np.ndarray, syntax: str = JPEG_LS) -> FrameJob:
    stream = encode_frame(pixels, syntax, 12)
    path.write_bytes(stream)
    return FrameJob(str(path), ((0, len(stream)),), syntax, *pixels.shape, 16, 12, False)


@pytest.fixture
def pool():
    made = pools.DecoderPool(size=1)
    yield made
    made.close()


def pids(pool) -> list[int]:
    return [worker._process.pid for worker in pool._idle]


def test_a_worker_serves_one_frame_after_another(tmp_path, pool):
    for number in range(3):
        pixels = phantom_pixels(seed=number)
        values = pool.decode(job_of(tmp_path / "a", pixels))
        np.testing.assert_array_equal(values, pixels)
        assert not values.flags.writeable
    assert len(pids(pool)) == 1


def test_a_frame_outlives_its_worker_and_its_pool(tmp_path):
    pool = pools.DecoderPool(size=1)
    pixels = phantom_pixels()
    values = pool.decode(job_of(tmp_path / "a", pixels))
    pool.close()
    np.testing.assert_array_equal(values, pixels)


def test_a_frame_that_cannot_be_decoded_leaves_the_worker_alive(tmp_path, pool):
    job = job_of(tmp_path / "a", phantom_pixels())
    pool.decode(job)
    before = pids(pool)
    (tmp_path / "a").write_bytes(b"\xff\xd8" + bytes(500))
    with pytest.raises(CodecError):
        pool.decode(job)
    assert pids(pool) == before


def test_a_worker_that_was_killed_is_replaced_without_a_word(tmp_path, pool):
    job = job_of(tmp_path / "a", phantom_pixels())
    pool.decode(job)
    (before,) = pids(pool)
    os.kill(before, signal.SIGKILL)
    time.sleep(0.2)
    np.testing.assert_array_equal(pool.decode(job), phantom_pixels())
    assert pids(pool) != [before]


def _stopped(pool, job) -> list[str]:
    """Decode while the worker stands still, and return what is said."""
    pool.decode(job)
    (pid,) = pids(pool)
    os.kill(pid, signal.SIGSTOP)
    said: list[str] = []
    try:
        pool.decode(job)
    except CodecError as error:
        said.append(str(error))
    assert not Path(f"/proc/{pid}").exists() or pid not in pids(pool)
    return said


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs signals and /proc")
def test_a_worker_that_hangs_is_killed_after_the_limit_and_replaced(tmp_path):
    pool = pools.DecoderPool(size=1, limit_s=0.5)
    job = job_of(tmp_path / "a", phantom_pixels())
    began = time.monotonic()
    assert _stopped(pool, job) == ["took longer than 0.5 s to decode and was given up"]
    assert time.monotonic() - began < 20
    pool.limit_s = pools.LIMIT_S
    np.testing.assert_array_equal(pool.decode(job), phantom_pixels())
    pool.close()


def test_a_worker_that_dies_on_every_decoder_gives_one_sentence(tmp_path, pool, monkeypatch):
    def die(self, job, limit_s):
        raise pools.WorkerDiedError

    monkeypatch.setattr(pools.Worker, "decode", die)
    with pytest.raises(CodecError, match="crash"):
        pool.decode(job_of(tmp_path / "a", phantom_pixels()))


def test_the_next_decoder_is_tried_when_one_takes_the_process_down(tmp_path, pool, monkeypatch):
    tried = []
    decode = pools.Worker.decode

    def dies_once(self, job, limit_s):
        tried.append(job.skip)
        if job.skip == 0:
            raise pools.WorkerDiedError
        return decode(self, job, limit_s)

    monkeypatch.setattr(pools.Worker, "decode", dies_once)
    pixels = phantom_pixels()
    np.testing.assert_array_equal(pool.decode(job_of(tmp_path / "a", pixels, J2K)), pixels)
    assert tried == [0, 1]


def test_many_threads_share_few_processes(tmp_path):
    pool = pools.DecoderPool(size=2)
    jobs = [job_of(tmp_path / str(n), phantom_pixels(seed=n)) for n in range(12)]
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(pool.decode, jobs))
    for number, values in enumerate(found):
        np.testing.assert_array_equal(values, phantom_pixels(seed=number))
    assert len(pids(pool)) <= 2
    pool.close()


def _run(script: str, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "script.py"
    path.write_text(script)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, str(path), *map(str, arguments)],
        capture_output=True, text=True, timeout=120, env=environment, check=False,
    )  # fmt: skip


READ = (
    "import sys\nfrom app.core.dicom.reader import read_image\nfrom app.core.dicom.pixels import read_frame\n"
)


def test_a_script_without_a_guard_may_decode_and_ends_in_silence(tmp_path):
    file = write_mg(tmp_path / "a.dcm", transfer_syntax=J2K)
    run = _run(READ + "print(read_frame(read_image(sys.argv[1])).stored.sum())", file, folder=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.split() == [str(phantom_pixels().sum())]


def test_nothing_is_left_behind_in_shared_memory_or_processes(tmp_path):
    shared = Path("/dev/shm")
    before = set(shared.iterdir()) if shared.is_dir() else set()
    file = write_mg(tmp_path / "a.dcm", transfer_syntax=J2K)
    script = READ + (
        "frames = [read_frame(read_image(sys.argv[1])) for _ in range(3)]\n"
        "import multiprocessing\n"
        "print(*(child.pid for child in multiprocessing.active_children()))\n"
    )
    run = _run(script, file, folder=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.split()
    for pid in run.stdout.split():
        assert not Path(f"/proc/{pid}").exists()
    assert (set(shared.iterdir()) if shared.is_dir() else set()) <= before


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_workers_go_when_the_program_is_killed(tmp_path):
    file = write_mg(tmp_path / "a.dcm", transfer_syntax=J2K)
    script = READ + (
        "read_frame(read_image(sys.argv[1]))\n"
        "import multiprocessing, os, signal\n"
        "print(*(child.pid for child in multiprocessing.active_children()), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    run = _run(script, file, folder=tmp_path)
    children = run.stdout.split()
    assert children
    for _ in range(600):
        if not any(Path(f"/proc/{pid}").exists() for pid in children):
            break
        time.sleep(0.1)
    else:
        pytest.fail("a worker outlived its program")


def test_a_worker_imports_neither_pydicom_nor_qt_nor_torch(tmp_path):
    heavy = "{'pydicom', 'PySide6', 'torch', 'cv2', 'scipy'}"
    script = f"import sys, app.core.dicom.worker\nprint({heavy} & set(sys.modules))\n"
    assert _run(script, folder=tmp_path).stdout.strip() == "set()"


def test_the_shared_pool_is_one(tmp_path):
    found = []
    threads = [threading.Thread(target=lambda: found.append(pools.shared_pool())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1


def test_frames_can_be_read_in_a_daemonic_process_which_may_have_no_children(tmp_path):
    file = write_mg(tmp_path / "a.dcm", transfer_syntax=J2K)
    script = (
        "import multiprocessing, sys\n"
        "from app.core.dicom.reader import read_image\n"
        "from app.core.dicom.pixels import read_frame\n"
        "def work(path, out):\n    out.put(int(read_frame(read_image(path)).stored.sum()))\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('fork' if sys.platform == 'linux' else 'spawn')\n"
        "    out = context.Queue()\n"
        "    child = context.Process(target=work, args=(sys.argv[1], out), daemon=True)\n"
        "    child.start()\n    print(out.get(timeout=60))\n    child.join()\n"
    )
    run = _run(script, file, folder=tmp_path)
    assert run.stderr == ""
    assert run.stdout.split() == [str(read_frame(read_image(file)).stored.sum())]


def test_bad_files_print_nothing_not_even_what_libraries_warn_of(tmp_path):
    folder = tmp_path / "bad"
    write_mg(folder / "charset.dcm", SpecificCharacterSet="ISO_FOO", PatientName="Doe", PatientAge="very old")
    write_mg(folder / "numbers.dcm", WindowCenter="abc", WindowWidth="1", KVP="x", StudyDate="2020")
    write_mg(folder / "nobody.dcm", SOPInstanceUID="", StudyInstanceUID="", PatientID="")
    whole = write_mg(folder / "whole.dcm", transfer_syntax=J2K).read_bytes()
    (folder / "cut.dcm").write_bytes(whole[:900])
    (folder / "broken.dcm").write_bytes(whole[:-600] + bytes(600))
    (folder / "broken.tif").write_bytes(b"II*\0\x08\0\0\0\0\0")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(50))
    script = READ + (
        "from app.core.dicom.finder import find\nfrom app.core.errors import ReadError\n"
        "found = find([sys.argv[1]])\n"
        "for patient in found.patients:\n  for study in patient.studies:\n    for image in study.images:\n"
        "      try:\n        read_frame(image)\n      except ReadError:\n        pass\n"
        "print(len(found.patients) > 0)\n"
    )
    run = _run(script, folder, folder=tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (0, "True\n", "")
