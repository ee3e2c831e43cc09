from __future__ import annotations

import json
import struct
import subprocess
import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from dicom_files import (
    CR,
    EXPLICIT,
    J2K,
    JPEG_LOSSLESS_SV1,
    SECONDARY_CAPTURE,
    phantom_pixels,
    write_mg,
)
from judging import need
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from app.core.manifest import NO_PATIENT, Lesion, Row, file_sha256, read_manifest, write_manifest
from app.core.phantom.exam import make_exam
from app.core.phantom.write import write_exam
from trainer import cli

PLANTED = {
    "name": "Quartzmeier^Philippa",
    "id": "PID-77119933",
    "birth": "19480229",
    "study date": "20231117",
    "accession": "ACC5550123",
    "institution": "Krankenhaus Zum Goldenen Apfel",
    "address": "Apfelallee 12 Wunsiedel",
    "physician": "Doktorova^Ludmila",
    "operator": "Knipser^Otto",
    "device": "SER-998877",
    "station": "MAMMO4APFEL",
    "study uid": "1.2.840.99999.1.555.1",
    "series uid": "1.2.840.99999.1.555.2",
    "instance uid": "1.2.840.99999.1.555.3",
    "private": "PrivateSecretValue",
    "private creator": "APFELPRIVATE",
    "nested": "NestedSecretName",
    "comment": "Frau Quartzmeier wohnt in Wunsiedel",
    "description": "fuer Tante Philippa",
    "ae title": "APFEL_AE",
    "preamble": "PREAMBLESECRET",
    "trailing": "TRAILINGSECRET",
    "overlay": "OVERLAYSECRET",
    "curve": "CURVESECRET",
    "icon": "ICONSECRET",
    "unknown": "UNKNOWNVRSECRET",
    "meaning": "LOCALCODESECRET",
    "file name": "quartzmeier_philippa",
    "cell": "CELLSECRET",
    "vendor cell": "VENDORSECRET",
}


def sensitive(path: Path, syntax: str = EXPLICIT, **changes) -> Path:
    """Write a mammogram with an identity in every place that a file has."""
    write_mg(path, transfer_syntax=syntax)
    ds = pydicom.dcmread(path)
    ds.PatientName, ds.PatientID = PLANTED["name"], PLANTED["id"]
    ds.PatientBirthDate, ds.PatientAge, ds.PatientSex = PLANTED["birth"], "075Y", "F"
    for keyword in (
        "StudyDate",
        "SeriesDate",
        "AcquisitionDate",
        "ContentDate",
        "DateOfLastDetectorCalibration",
    ):
        setattr(ds, keyword, PLANTED["study date"])
    ds.AcquisitionDateTime = PLANTED["study date"] + "101112"
    ds.AccessionNumber = ds.StudyID = PLANTED["accession"]
    ds.InstitutionName, ds.InstitutionAddress = PLANTED["institution"], PLANTED["address"]
    ds.ReferringPhysicianName, ds.OperatorsName = PLANTED["physician"], PLANTED["operator"]
    ds.DeviceSerialNumber, ds.StationName = PLANTED["device"], PLANTED["station"]
    ds.StudyInstanceUID, ds.SeriesInstanceUID = PLANTED["study uid"], PLANTED["series uid"]
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = PLANTED["instance uid"]
    ds.PatientComments = ds.ImageComments = PLANTED["comment"]
    ds.StudyDescription = ds.SeriesDescription = ds.ProtocolName = PLANTED["description"]
    ds.WindowCenterWidthExplanation = PLANTED["comment"]  # a text that is kept where it names nobody
    ds.ManufacturerModelName = "Quartzmeier special"
    ds.LossyImageCompressionMethod = "PHILIPPA"
    block = ds.private_block(0x0019, PLANTED["private creator"], create=True)
    block.add_new(1, "LO", PLANTED["private"])
    block.add_new(2, "SQ", [Dataset()])
    ds.add(DataElement(0x60003000, "OW", PLANTED["overlay"].encode() + b"\0"))
    ds.add(DataElement(0x60004000, "LT", PLANTED["overlay"]))
    ds.add(DataElement(0x50003000, "OW", PLANTED["curve"].encode() + b"\0"))
    ds.add(DataElement(0x00091001, "UN", PLANTED["unknown"].encode() + b"\0"))
    ds.add(DataElement(0x00189999, "LO", PLANTED["unknown"]))
    icon = Dataset()
    icon.Rows, icon.Columns, icon.BitsAllocated = 1, 10, 8
    icon.PixelData = PLANTED["icon"].encode()
    ds.IconImageSequence = [icon]
    request = Dataset()
    request.RequestedProcedureDescription = PLANTED["nested"]
    request.add_new(0x00321033, "LO", PLANTED["nested"])
    deeper = Dataset()
    deeper.PatientName, deeper.ReferencedSOPInstanceUID = PLANTED["nested"], PLANTED["instance uid"]
    deeper.ReferencedSOPClassUID = ds.SOPClassUID
    deeper.TextValue = PLANTED["nested"]
    request.ReferencedStudySequence = Sequence([deeper])
    ds.RequestAttributesSequence = [request]
    ds.SourceImageSequence = [deeper]
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator = "X-1", "99APFEL"
    region.CodeMeaning = PLANTED["meaning"]
    ds.AnatomicRegionSequence = [region]
    kind = Dataset()
    kind.CodeValue, kind.CodingSchemeDesignator, kind.CodeMeaning = "R-10226", "SRT", PLANTED["comment"]
    ds.ViewCodeSequence = [kind]
    ds.file_meta.SourceApplicationEntityTitle = PLANTED["ae title"]
    ds.file_meta.PrivateInformationCreatorUID = PLANTED["instance uid"]
    ds.file_meta.PrivateInformation = PLANTED["private"].encode()
    ds.preamble = PLANTED["preamble"].encode().ljust(128, b"\0")
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    ds.add(DataElement(0xFFFCFFFC, "OB", PLANTED["trailing"].encode()))
    ds.save_as(path)
    with path.open("ab") as file:
        file.write(b"")
    return path


def manifest_of(folder: Path, *paths: Path, **changes) -> Path:
    rows = [
        Row(
            image_id=f"{PLANTED['name']}/{path.stem}",
            patient_id=PLANTED["id"],
            study_id=PLANTED["study uid"],
            laterality="R",
            view="MLO",
            path=path,
            frame=0,
            sha256=file_sha256(path),
            rows=96,
            columns=64,
            spacing_mm=(0.1, 0.1),
            source="ffdm",
            density="B",
            age="75",
            vendor=PLANTED["vendor cell"],
            label="malignant",
            label_source=f"curated: {PLANTED['cell']}",
            findings=(
                Lesion(PLANTED["cell"], (1.0, 2.0, 3.0, 4.0), None, "malignant", (("note", "CELLSECRET"),)),
            ),
            licence=f"research: {PLANTED['cell']}",
        )
        for path in paths
    ]
    written = write_manifest([replace(row, **changes) for row in rows], folder / "manifest.csv")
    return written.path


def deidentify(manifest: Path, out: Path, *options: str) -> int:
    key = ("--key", str(manifest.parent / "secret.key"))
    return cli.main(["deidentify", str(manifest), "-o", str(out), *key, *options])


def everything(folder: Path) -> bytes:
    """Return names and bytes of all files of an export, pixels of PNG files inflated too."""
    found = b""
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes()
        found += str(path.relative_to(folder)).encode() + b"\n" + content + b"\n"
    return found


def assert_clean(content: bytes) -> None:
    small = content.lower()
    for place, text in PLANTED.items():
        for part in {text, *text.split("^")}:
            for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
                assert part.lower().encode(encoding) not in small, f"{place}: {part}"


@pytest.mark.parametrize(
    "syntax", [EXPLICIT, "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"]
)
def test_no_planted_identity_is_in_any_byte_of_the_export(tmp_path: Path, syntax: str) -> None:
    path = sensitive(tmp_path / f"{PLANTED['file name']}.dcm", syntax)
    with path.open("rb") as file:
        assert PLANTED["preamble"].encode() in file.read(200)
    pixels = pydicom.dcmread(path).pixel_array
    manifest = manifest_of(tmp_path, path)
    assert deidentify(manifest, tmp_path / "out") == 0
    assert_clean(everything(tmp_path / "out"))
    (made,) = (tmp_path / "out").glob("*.dcm")
    ds = pydicom.dcmread(made)
    assert np.array_equal(ds.pixel_array, pixels)
    assert ds.file_meta.TransferSyntaxUID == EXPLICIT
    assert ds.PatientIdentityRemoved == "YES"
    assert ds.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert (ds.StudyDate, ds.PatientBirthDate, ds.AccessionNumber) == ("", "", "")
    assert ds.SourceImageSequence[0].ReferencedSOPInstanceUID == ds.SOPInstanceUID  # references still hold
    assert (ds.ViewPosition, ds.ImageLaterality, ds.Manufacturer) == ("MLO", "R", "Testmaker")
    row = read_manifest(tmp_path / "out" / "manifest.csv").rows[0]
    assert (row.label, row.density, row.age) == ("malignant", "B", "")
    assert row.patient_id == ds.PatientID
    assert row.findings == (Lesion("lesion", (1.0, 2.0, 3.0, 4.0), None, "malignant"),)


@pytest.mark.parametrize("syntax", [J2K, JPEG_LOSSLESS_SV1])
def test_a_comment_within_a_codestream_stays_behind(tmp_path: Path, syntax: str) -> None:
    path = write_mg(tmp_path / "x.dcm", transfer_syntax=syntax)
    secret = b"CODESTREAMSECRET"
    raw = bytearray(path.read_bytes())
    start = raw.index(b"\xff\x4f\xff\x51" if syntax == J2K else b"\xff\xd8\xff")
    if syntax == J2K:  # after SIZ, whose length follows its marker
        after = start + 4 + struct.unpack(">H", raw[start + 4 : start + 6])[0]
        comment = b"\xff\x64" + struct.pack(">HH", 4 + len(secret), 1) + secret
    else:
        after, comment = start + 2, b"\xff\xfe" + struct.pack(">H", 2 + len(secret)) + secret
    fragment = raw.rindex(b"\xfe\xff\x00\xe0", 0, start)
    length = struct.unpack("<I", raw[fragment + 4 : fragment + 8])[0]
    raw[fragment + 4 : fragment + 8] = struct.pack("<I", length + len(comment))
    raw[after:after] = comment
    path.write_bytes(raw)
    manifest = manifest_of(tmp_path, path)
    assert deidentify(manifest, tmp_path / "out") == 0
    content = everything(tmp_path / "out")
    assert secret not in content
    (made,) = (tmp_path / "out").glob("*.dcm")
    assert np.array_equal(pydicom.dcmread(made).pixel_array, phantom_pixels())


def test_an_overlay_in_the_unused_bits_stays_behind(tmp_path: Path) -> None:
    pixels = phantom_pixels()
    drawn = pixels.copy()
    drawn[10:14, 10:40] |= 1 << 15
    path = write_mg(tmp_path / "x.dcm", drawn)
    assert deidentify(manifest_of(tmp_path, path), tmp_path / "out", "--burned-in", "keep") == 0
    (made,) = (tmp_path / "out").glob("*.dcm")
    assert np.array_equal(pydicom.dcmread(made).pixel_array, pixels)


def test_the_same_key_gives_the_same_bytes_and_another_key_other_names(tmp_path: Path) -> None:
    paths = [sensitive(tmp_path / "a" / f"{n}.dcm", SOPInstanceUID=f"1.2.3.{n}") for n in range(2)]
    manifest = manifest_of(tmp_path, *paths)
    assert deidentify(manifest, tmp_path / "one") == 0
    assert deidentify(manifest, tmp_path / "two") == 0
    assert everything(tmp_path / "one") == everything(tmp_path / "two")
    sets = [pydicom.dcmread(path) for path in (tmp_path / "one").glob("*.dcm")]
    assert len({each.StudyInstanceUID for each in sets}) == 1  # studies stay together
    assert len({each.SOPInstanceUID for each in sets}) == 2
    assert all(each.StudyInstanceUID.startswith("2.25.") and each.StudyInstanceUID.is_valid for each in sets)
    key = (tmp_path / "secret.key").read_text().strip()
    assert key.encode() not in everything(tmp_path / "one")
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0
    (tmp_path / "secret.key").unlink()
    assert deidentify(manifest, tmp_path / "three") == 0
    others = {pydicom.dcmread(path).PatientID for path in (tmp_path / "three").glob("*.dcm")}
    assert others.isdisjoint({each.PatientID for each in sets})
    assert deidentify(manifest, tmp_path / "four", "--key", str(tmp_path / "four" / "k")) == 1


def test_shifted_dates_keep_the_days_between_exams(tmp_path: Path) -> None:
    days = ("20200110", "20230301")
    paths = [
        sensitive(tmp_path / f"{n}.dcm", StudyDate=day, SOPInstanceUID=f"1.2.3.{n}")
        for n, day in enumerate(days)
    ]
    assert deidentify(manifest_of(tmp_path, *paths), tmp_path / "out", "--dates", "shift") == 0
    sets = [pydicom.dcmread(path) for path in (tmp_path / "out").glob("*.dcm")]
    from datetime import datetime

    moved = sorted(datetime.strptime(each.StudyDate, "%Y%m%d") for each in sets)
    original = [datetime.strptime(day, "%Y%m%d") for day in days]
    assert moved[1] - moved[0] == original[1] - original[0]
    assert moved[0] < original[0]
    assert all(each.PatientBirthDate == "" and each.StudyTime == "" for each in sets)
    assert {each.LongitudinalTemporalInformationModified for each in sets} == {"MODIFIED"}
    assert "113107" in {item.CodeValue for item in sets[0].DeidentificationMethodCodeSequence}


@pytest.mark.parametrize(("age", "kept"), [("075Y", "075Y"), ("093Y", "090Y"), ("89 years", None)])
def test_characteristics_are_kept_where_asked(tmp_path: Path, age: str, kept: str | None) -> None:
    path = sensitive(tmp_path / "x.dcm", PatientAge=age)
    manifest = manifest_of(tmp_path, path, age="93")
    assert deidentify(manifest, tmp_path / "out", "--keep-characteristics") == 0
    (made,) = (tmp_path / "out").glob("*.dcm")
    ds = pydicom.dcmread(made)
    assert (ds.get("PatientAge"), ds.PatientSex) == (kept, "F")
    assert read_manifest(tmp_path / "out" / "manifest.csv").rows[0].age == "90"


def lettered() -> np.ndarray:
    """Return a mammogram with a name in the corner that is air."""
    pixels = phantom_pixels(256, 192)
    drawn = np.zeros(pixels.shape, np.uint8)
    cv2.putText(drawn, "DOE J", (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 2)
    return np.where(drawn > 0, 4000, pixels).astype(np.uint16)


def over_the_breast() -> np.ndarray:
    """Return a mammogram with a name over the breast, and a sticker in the air."""
    pixels = phantom_pixels(320, 192)
    drawn = np.zeros(pixels.shape, np.uint8)
    cv2.putText(drawn, "DOE J", (110, 160), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 2)
    made = np.where(drawn > 0, 4000, pixels).astype(np.uint16)
    made[4:12, 4:40] = 3000
    return made


CLEANED = "113101"
"""Clean Pixel Data Option (CID 7050)."""


def methods(dataset: Dataset) -> set[str]:
    return {item.CodeValue for item in dataset.DeidentificationMethodCodeSequence}


def test_burnt_in_text_is_asked_about_and_made_black(tmp_path: Path, capsys) -> None:
    pixels = lettered()
    letters = pixels == 4000
    told = write_mg(
        tmp_path / "told.dcm", over_the_breast(), BurnedInAnnotation="YES", SOPInstanceUID="1.2.3.1"
    )
    seen = write_mg(tmp_path / "seen.dcm", pixels, SOPInstanceUID="1.2.3.2")  # says NO, and is wrong
    fine = write_mg(tmp_path / "fine.dcm", phantom_pixels(256, 192), SOPInstanceUID="1.2.3.3")
    manifest = manifest_of(tmp_path, told, seen, fine, label="normal")
    assert deidentify(manifest, tmp_path / "out") == 1
    said = capsys.readouterr()
    assert "told.dcm): burnt-in annotation is YES" in said.out
    assert "seen.dcm): " in said.out
    assert "fine.dcm" not in said.out
    assert "2 images may hold burnt-in text" in said.err
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))
    assert deidentify(manifest, tmp_path / "out", "--burned-in", "blank") == 0
    said = capsys.readouterr().out
    assert "2 images are black outside the breast" in said
    assert "1 images do not state that no text is burnt in" in said
    sets = [pydicom.dcmread(path) for path in (tmp_path / "out").glob("*.dcm")]
    assert len(sets) == 3
    made = next(each for each in sets if CLEANED in methods(each))
    assert made.BurnedInAnnotation == "NO"
    assert made.pixel_array[letters].max() == 0
    breast = phantom_pixels(256, 192) > 1000
    assert np.array_equal(made.pixel_array[breast & ~letters], pixels[breast & ~letters])
    # text over the breast is still there: the file must go on saying so
    over = next(each for each in sets if each.Rows == 320)
    assert over.pixel_array[over_the_breast() == 4000].min() == 4000
    assert over.pixel_array[4:12, 4:40].max() == 0
    assert over.BurnedInAnnotation == "YES"
    assert CLEANED not in methods(over)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["burned_in"] == {"asked": "blank", "blanked": 2, "blank_unsure": 1, "kept_unsure": 0}
    assert deidentify(manifest, tmp_path / "as-is", "--burned-in", "keep") == 0


@pytest.mark.parametrize("form", ["dicom", "png"])
@pytest.mark.parametrize("stated", ["YES", ""])
def test_a_view_without_air_is_not_called_blanked(tmp_path: Path, capsys, form: str, stated: str) -> None:
    spot = np.random.default_rng(3).normal(2000, 300, (192, 192)).clip(1, 4095).astype(np.uint16)
    spot[80:84, 20:90] = 4000  # a line of text
    path = write_mg(tmp_path / "spot.dcm", spot, BurnedInAnnotation=stated)
    fine = write_mg(tmp_path / "fine.dcm", phantom_pixels(), SOPInstanceUID="1.2.3.3")
    manifest = manifest_of(tmp_path, path, fine, label="normal")
    assert deidentify(manifest, tmp_path / "out", "--as", form, "--burned-in", "blank") == 1
    said = capsys.readouterr()
    assert "spot.dcm): burnt-in annotation is " in said.out
    assert "no air around the breast is found" in said.out
    assert "1 images may hold burnt-in text" in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["dicom", "png"])
def test_only_images_whose_pixels_changed_count_as_blanked(tmp_path: Path, form: str) -> None:
    black = write_mg(tmp_path / "black.dcm", phantom_pixels(256, 192), BurnedInAnnotation="")
    manifest = manifest_of(tmp_path, black, label="normal")
    assert deidentify(manifest, tmp_path / "out", "--as", form, "--burned-in", "blank") == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["burned_in"] == {"asked": "blank", "blanked": 0, "blank_unsure": 1, "kept_unsure": 0}
    for path in (tmp_path / "out").glob("*.dcm"):
        assert pydicom.dcmread(path).BurnedInAnnotation == ""
        assert CLEANED not in methods(pydicom.dcmread(path))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def test_png_export_holds_no_text_and_no_name(tmp_path: Path) -> None:
    done, encoded = cv2.imencode(".png", phantom_pixels().astype(np.uint16) * 16)
    assert done
    raw = encoded.tobytes()
    text = chunk(b"tEXt", b"Author\0" + PLANTED["comment"].encode())
    picture = tmp_path / f"{PLANTED['file name']}.png"
    picture.write_bytes(raw[:33] + text + raw[33:])
    film = sensitive(tmp_path / "x.dcm")
    manifest = manifest_of(tmp_path, picture, film)
    assert deidentify(manifest, tmp_path / "no") == 1  # a picture cannot become DICOM
    assert deidentify(manifest, tmp_path / "out", "--as", "png", "--burned-in", "blank") == 0
    assert_clean(everything(tmp_path / "out"))
    rows = read_manifest(tmp_path / "out" / "manifest.csv").rows
    assert [row.patient_id for row in rows] == [rows[0].patient_id] * 2
    for row in rows:
        pixels = cv2.imread(str(row.path), cv2.IMREAD_UNCHANGED)
        assert (pixels.dtype, pixels.shape) == (np.uint16, (96, 64))
        kinds, at, content = [], 8, row.path.read_bytes()
        while at < len(content):
            length = struct.unpack(">I", content[at : at + 4])[0]
            kinds.append(content[at + 4 : at + 8])
            at += 12 + length
        assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}


def test_the_report_counts_by_attribute_and_holds_no_value(tmp_path: Path) -> None:
    path = sensitive(tmp_path / "x.dcm")
    assert deidentify(manifest_of(tmp_path, path), tmp_path / "out") == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    counted = {(each["attribute"], each["what"]): each["count"] for each in report["removed"]}
    assert counted["(0008,0080) InstitutionName", "removed"] == 1
    assert counted["(0008,0020) StudyDate", "emptied"] == 1
    assert counted["(0010,0010) PatientName", "replaced"] == 2  # the patient's, and one within a sequence
    assert counted["overlay", "removed"] == 2
    assert counted["private", "removed"] >= 3
    assert counted["(0008,1090) ManufacturerModelName", "emptied, for it named somebody"] == 1


def test_a_label_that_only_one_patient_has_may_name_her(tmp_path: Path, capsys) -> None:
    path = sensitive(tmp_path / "x.dcm")
    manifest = manifest_of(tmp_path, path, label="Philippa's lump")
    assert deidentify(manifest, tmp_path / "out") == 1
    assert "may name somebody" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("unknown", "shared"), [("", True), (NO_PATIENT, False)])
def test_a_label_is_shared_only_by_patients_who_are_known(tmp_path: Path, unknown: str, shared: bool) -> None:
    paths = [
        write_mg(tmp_path / f"{n}.dcm", PatientID="", PatientName="", SOPInstanceUID=f"1.2.3.{n}")
        for n in (1, 2)
    ]
    rows = read_manifest(manifest_of(tmp_path, *paths, label="cyst of hers")).rows
    # Images of whom nobody knows may all be of one patient.
    rows = [replace(row, patient_id=f"{unknown}{n}") for n, row in enumerate(rows)]
    manifest = write_manifest(rows, tmp_path / "two.csv").path
    assert deidentify(manifest, tmp_path / "out") == (0 if shared else 1)


def test_an_identity_that_would_remain_stops_the_export(tmp_path: Path, capsys, monkeypatch) -> None:
    from app.core.dicom import deidentify as room

    monkeypatch.setitem(room.TABLE, 0x00100020, "U")  # a fault: the id is no longer taken out
    monkeypatch.setattr(room.Deidentifier, "_mapped", lambda self, element: element)
    path = sensitive(tmp_path / "x.dcm", ReferencedImageSequence=[])
    ds = pydicom.dcmread(path)
    ds.FrameOfReferenceUID = PLANTED["id"]
    ds.save_as(path)
    assert deidentify(manifest_of(tmp_path, path), tmp_path / "out") == 1
    assert "an identity would remain" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


EXCERPT = """
00100010 Z 00100020 Z 00100030 Z 00100040 Z 00101010 X 00101040 X 00102160 X 00104000 X 00101000 X
00080018 U 00080020 Z 00080021 X/D 00080022 X/Z 0008002A X/Z/D 00080030 Z 00080050 Z 00080080 X/Z/D
00080081 X 00080090 Z 00081010 X/Z/D 00081030 X 0008103E X 00081070 X/Z/D 00081060 X 00181000 X/Z/D
00181030 X/D 0020000D U 0020000E U 00200010 Z 00204000 X 00083010 U 00400275 X 00081140 X/Z/U*
00082112 X/Z/U* 00880200 X 04000561 X 00380500 X 00101090 X 00102154 X 00100021 X
"""
"""Of PS3.15 Table E.1-1, basic profile, written out by hand; Patient ID is Z in older editions, Z/D now."""


def test_the_library_table_says_what_the_standard_says() -> None:
    from app.core.dicom.confidentiality import TABLE

    words = EXCERPT.split()
    for tag, action in zip(words[::2], words[1::2], strict=True):
        found = TABLE[int(tag, 16)]
        assert found == action or (tag == "00100020" and found == "Z/D"), tag
    assert len(TABLE) > 600


@cache
def PHANTOM():
    return make_exam(1, shape=(208, 160), lesions="any")


def errors(judge: str, path: Path) -> set[str]:
    said = subprocess.run([judge, str(path)], capture_output=True, text=True, timeout=60)
    return {line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")}


@pytest.mark.judge
@pytest.mark.parametrize("options", [(), ("--dates", "shift", "--keep-characteristics")])
def test_dciodvfy_finds_nothing_that_it_did_not_find_before(tmp_path: Path, options: tuple[str, ...]) -> None:
    judge = need("dciodvfy")
    exam = replace(PHANTOM(), views=PHANTOM().views[:1])
    paths = write_exam(exam, tmp_path / "a")[:1]
    paths += write_exam(exam, tmp_path / "b", intent="processing", photometric="MONOCHROME1")[:1]
    assert [errors(judge, path) for path in paths] == [set()] * 2
    # and what was not quite right before: the same words of the judge, or fewer
    paths.append(sensitive(tmp_path / "sensitive.dcm"))
    paths.append(write_mg(tmp_path / "cr.dcm", sop_class=CR, SOPInstanceUID="1.2.3.9", Modality="CR"))
    paths.append(write_mg(tmp_path / "sc.dcm", sop_class=SECONDARY_CAPTURE, SOPInstanceUID="1.2.3.8"))
    before = {pydicom.dcmread(path).SOPClassUID + str(n): errors(judge, path) for n, path in enumerate(paths)}
    for number, (path, found) in enumerate(zip(paths, before.values(), strict=True)):
        out = tmp_path / f"out{number}"
        (tmp_path / f"m{number}").mkdir()
        manifest = manifest_of(tmp_path / f"m{number}", path)
        assert deidentify(manifest, out, "--burned-in", "blank", *options) == 0
        (made,) = out.glob("*.dcm")
        assert errors(judge, made) <= found, path


def test_a_mask_and_a_manifest_elsewhere_are_left_alone(tmp_path: Path) -> None:
    path = sensitive(tmp_path / "x.dcm")
    manifest = manifest_of(tmp_path, path)
    before = (path.read_bytes(), manifest.read_bytes())
    assert deidentify(manifest, tmp_path / "out") == 0
    assert (path.read_bytes(), manifest.read_bytes()) == before
    (tmp_path / "out").rename(tmp_path / "moved")  # paths are beside the manifest: the folder can be moved
    assert read_manifest(tmp_path / "moved" / "manifest.csv").rows[0].path.is_file()
