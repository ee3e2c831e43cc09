"""TFRecords read without TensorFlow, and the DDSM tiles on a miniature in their exact form.

TensorBoard, which comes with the trainer, has readers and writers of TFRecords of its own: the judges here.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from dicom_files import phantom_pixels
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New, masked_crc32c
from tensorboard.summary.writer.record_writer import RecordWriter

from app.core.manifest import Row, write_manifest
from trainer.datasets import index
from trainer.errors import TrainerError
from trainer.splits import make_splits
from trainer.tfrecords import crc32c, masked, parse_example, records
from trainer.views import read_view

SIDE = 299


def quiet(sentence: str) -> None:
    raise AssertionError(f"unexpected remark: {sentence}")


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def int64s(*values: int) -> bytes:
    """A Feature of an Int64List, packed as TensorFlow writes it."""
    return field(3, field(1, b"".join(map(varint, values))))


def byte_list(value: bytes) -> bytes:
    return field(1, field(1, value))


def example(**features: bytes) -> bytes:
    pairs = (field(1, field(1, name.encode()) + field(2, value)) for name, value in features.items())
    return field(1, b"".join(pairs))


def tile(seed: int) -> np.ndarray:
    return phantom_pixels(SIDE, SIDE, bits=8, seed=seed)


def record(seed: int, label: int, **more: bytes) -> bytes:
    given = {"label": int64s(label), "label_normal": int64s(int(label > 0)),
             "image": byte_list(tile(seed).tobytes()), "filename": byte_list(b"f")}  # fmt: skip
    return example(**(given | more))


def write_shard(path: Path, contents: list[bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        writer = RecordWriter(stream)
        for content in contents:
            writer.write(content)
    return path


def make_tiles(root: Path) -> Path:
    """Two shards of training tiles, the test part of masses, the cv part of calcifications."""
    for shard in range(2):
        name = f"training10_{shard}"
        write_shard(root / name / f"{name}.tfrecords", [record(10 * shard + n, n) for n in range(5)])
    for number, (part, labels) in enumerate((("test10", [0, 2, 4]), ("cv10", [0, 1, 3]))):
        data = np.stack([tile(100 + 10 * number + n) for n in range(3)])[..., None]
        (root / f"{part}_data").mkdir()
        np.save(root / f"{part}_data" / f"{part}_data.npy", data)
        np.save(root / f"{part}_labels.npy", np.array(labels))
    return root


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_crc32c_of_the_examples_of_rfc_3720(data: bytes, checksum: int) -> None:
    assert crc32c(data) == checksum


@pytest.mark.parametrize("length", [1, 255, 256, 257, 511, 512, 4000])
def test_crc32c_as_tensorboard_has_it(length: int) -> None:
    data = np.random.default_rng(length).bytes(length)
    assert masked(crc32c(data)) == masked_crc32c(data)


def test_records_are_those_that_tensorboard_reads(tmp_path: Path) -> None:
    contents = [b"", b"a", bytes(1000), record(1, 3)]
    path = write_shard(tmp_path / "x.tfrecords", contents)
    assert list(records(path)) == list(enumerate(contents))
    reader, judged = PyRecordReader_New(str(path)), []
    for _ in contents:
        reader.GetNext()
        judged.append(reader.record())
    assert judged == contents


def test_a_message_is_read_as_its_own_library_writes_it() -> None:
    """TensorShapeProto: packed varints and nested messages in TensorBoard's own protobuf classes."""
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=2**40, name="a")])
    # Field 2 of TensorShapeProto is a message of size (field 1, varint) and name (field 2, bytes).
    assert shape.SerializeToString() == field(2, varint(8) + varint(2**40) + field(2, b"a"))


def test_an_example_gives_integers_packed_or_not_negative_ones_and_bytes() -> None:
    unpacked = field(3, varint(8) + varint(5) + varint(8) + varint(-2))
    found = parse_example(example(a=int64s(1, 300, -1), b=byte_list(b"xyz"), c=unpacked, d=b""))
    assert found == {"a": [1, 300, -1], "b": [b"xyz"], "c": [5, -2], "d": []}


@pytest.mark.parametrize("data", [b"\x0a\xff", b"\x0a", b"\xff" * 12, b"\x0b", b"\x0a\x02\x08"])
def test_bytes_that_are_no_example_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_example(data)


def test_a_damaged_record_alone_is_left_out_and_a_damaged_length_ends_the_file(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "x.tfrecords", [b"first", b"second", b"third"])
    whole = path.read_bytes()
    start = 12 + 5 + 4
    damaged = bytearray(whole)
    damaged[start + 12] ^= 1
    path.write_bytes(damaged)
    found = list(records(path))
    assert [found[0][1], found[2][1]] == [b"first", b"third"]
    assert "record 1: the data do not match their checksum" in str(found[1][1])
    damaged = bytearray(whole)
    damaged[start] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(TrainerError, match="record 1: the length does not match"):
        list(records(path))
    path.write_bytes(whole[:-2])
    with pytest.raises(TrainerError, match="record 2: the file is cut off"):
        list(records(path))


def test_tiles_of_shards_and_both_halves_of_the_test_part(tmp_path: Path) -> None:
    said: list[str] = []
    rows = index("ddsm-tiles", make_tiles(tmp_path), said.append)
    assert len(rows) == 16
    test = [row for row in rows if row.official_split == "test"]
    assert [row.image_id for row in test] == [
        f"{part}-{n:05d}" for part in ("test10", "cv10") for n in range(3)
    ]
    classes = [(row.label, row.findings[0].label if row.findings else None) for row in rows[:5]]
    assert classes == [
        ("normal", None),
        ("benign", "calcification"),
        ("benign", "mass"),
        ("malignant", "calcification"),
        ("malignant", "mass"),
    ]
    assert [row.label for row in test] == ["normal", "benign", "malignant", "normal", "benign", "malignant"]
    assert any("other scanners" in sentence for sentence in said)


def test_the_file_of_a_tile_holds_its_pixels_and_a_second_index_the_same(tmp_path: Path) -> None:
    rows = index("ddsm-tiles", make_tiles(tmp_path), lambda sentence: None)
    assert np.array_equal(cv2.imread(str(rows[3].path), cv2.IMREAD_UNCHANGED), tile(3))
    assert np.array_equal(cv2.imread(str(rows[-1].path), cv2.IMREAD_UNCHANGED), tile(112))
    views = [read_view(row) for row in rows]
    assert {(view.view, view.laterality, view.source) for view in views} == {(None, None, "film")}
    assert index("ddsm-tiles", tmp_path, lambda sentence: None) == rows
    rows[3].path.write_bytes(b"damaged")
    assert index("ddsm-tiles", tmp_path, lambda sentence: None) == rows


def test_no_patient_is_known_and_that_is_said_wherever_numbers_are(tmp_path: Path) -> None:
    rows = index("ddsm-tiles", make_tiles(tmp_path / "data"), lambda sentence: None)
    assert not any(row.patient_known for row in rows)
    manifest = write_manifest(rows, tmp_path / "manifest.csv")
    assert "16 of 16 images have no patient id" in manifest.caveats[0]
    fold = make_splits(manifest, official="yes").folds[0]
    assert len(fold.test) == 6


def test_what_is_no_tile_is_named(tmp_path: Path) -> None:
    root = make_tiles(tmp_path)
    bad = [
        record(0, 9),
        record(1, 1, label_normal=int64s(0)),
        record(2, 2, image=byte_list(b"short")),
        b"\xff\xff",
        record(3, 4),
    ]
    write_shard(root / "training10_0" / "training10_0.tfrecords", bad)
    np.save(root / "cv10_labels.npy", np.array([0, 1]))
    data = np.stack([tile(n) for n in range(3)])[..., None].astype(np.float32)
    data[1, 0, 0] = np.nan
    np.save(root / "test10_data" / "test10_data.npy", data)
    said: list[str] = []
    rows: list[Row] = index("ddsm-tiles", root, said.append)
    assert [row.image_id for row in rows if "training10_0" in row.image_id] == ["training10_0-00004"]
    assert [row.image_id for row in rows if row.official_split == "test"] == ["test10-00000", "test10-00002"]
    text = "\n".join(said)
    for word in ("record 0 left out: label", "record 1 left out: label and", "record 2 left out: image",
                 "record 3 left out", "2 labels for the 3 tiles", "tile 1 left out"):  # fmt: skip
        assert word in text


def test_a_pickle_under_the_name_of_an_array_is_refused(tmp_path: Path) -> None:
    root = make_tiles(tmp_path)
    np.save(root / "cv10_labels.npy", np.array([{"a": 1}, 2, 3], dtype=object), allow_pickle=True)
    said: list[str] = []
    assert len(index("ddsm-tiles", root, said.append)) == 13
    assert any("cv10_labels.npy: cannot be read as an array" in sentence for sentence in said)


@pytest.mark.parametrize("damage", [b"[", b"\x00", b"'", b"\n", b"{", b"-9"])
def test_an_array_whose_header_is_damaged_is_refused(tmp_path: Path, damage: bytes) -> None:
    root = make_tiles(tmp_path)
    whole = (root / "cv10_labels.npy").read_bytes()
    (root / "cv10_labels.npy").write_bytes(whole[:14] + damage + whole[14 + len(damage) :])
    said: list[str] = []
    assert len(index("ddsm-tiles", root, said.append)) == 13
    assert any("cv10_labels.npy" in sentence for sentence in said)
