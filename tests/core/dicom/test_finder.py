"""Everything below the paths is found, and everything left out is named with its reason."""

import os
import time

import numpy as np
import pytest
from dicom_files import CT, phantom_pixels, write_four_views, write_mg
from PIL import Image as Pillow
from pydicom.fileset import FileSet

from app.core.dicom.finder import FOREIGN, find
from app.core.errors import Cancelled


def images(found):
    return [image for patient in found.patients for study in patient.studies for image in study.images]


def reasons(found):
    return {item.path.name: item.reason for item in found.left_out}


def test_a_folder_is_searched_to_the_bottom(tmp_path):
    write_four_views(tmp_path / "a" / "b" / "c")
    found = find([tmp_path])
    assert [image.label for image in images(found)] == ["RCC", "LCC", "RMLO", "LMLO"]  # as acquired
    assert len(found.patients) == 1
    assert found.left_out == ()


def test_a_file_a_folder_and_both_at_once_count_once(tmp_path):
    paths = write_four_views(tmp_path)
    assert len(images(find([paths[0]]))) == 1
    assert len(images(find([paths[0], tmp_path, str(tmp_path)]))) == 4


def test_what_is_left_out_is_named_with_its_reason(tmp_path):
    write_mg(tmp_path / "good.dcm")
    write_mg(tmp_path / "ct.dcm", sop_class=CT, Modality="CT")
    write_mg(tmp_path / "bare.dcm", no_pixels=True)
    (tmp_path / "empty.dcm").touch()
    (tmp_path / "text.dcm").write_text("not an image" * 30)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = find([tmp_path])
    assert len(images(found)) == 1
    assert reasons(found) == {
        "ct.dcm": "is not a mammogram (CT Image Storage)",
        "bare.dcm": "holds no pixel data",
        "empty.dcm": "is empty (0 bytes)",
        "text.dcm": "is not a DICOM file",
        "notes.txt": FOREIGN,
        "broken.png": "is not a picture that can be read",
    }


def test_a_path_that_is_not_there_is_left_out(tmp_path):
    found = find([tmp_path / "nowhere"])
    assert found.patients == ()
    assert reasons(found) == {"nowhere": "does not exist"}


def test_a_mammogram_needs_no_suffix(tmp_path):
    write_mg(tmp_path / "IM0001")
    write_mg(tmp_path / "IM0002", preamble=False)
    assert len(images(find([tmp_path]))) == 2


def test_hidden_files_are_passed_over(tmp_path):
    write_mg(tmp_path / ".hidden.dcm")
    write_mg(tmp_path / ".cache" / "a.dcm")
    assert find([tmp_path]) == find([])


def test_a_loop_of_symbolic_links_ends(tmp_path):
    write_four_views(tmp_path / "exam")
    os.symlink(tmp_path, tmp_path / "exam" / "again", target_is_directory=True)
    os.symlink(tmp_path / "exam" / "again", tmp_path / "exam" / "and_again", target_is_directory=True)
    os.symlink(tmp_path / "self", tmp_path / "self")
    found = find([tmp_path])
    assert len(images(found)) == 4
    assert list(reasons(found)) in ([], ["self"])


def test_a_duplicate_is_left_out_and_says_of_what(tmp_path):
    first = write_mg(tmp_path / "a.dcm")
    (tmp_path / "b.dcm").write_bytes(first.read_bytes())
    found = find([tmp_path])
    assert [image.path for image in images(found)] == [first]
    assert reasons(found) == {"b.dcm": f"is a duplicate of {first} (same SOP instance UID)"}


def test_progress_is_reported_and_ends_at_the_total(tmp_path):
    for number in range(60):
        write_mg(tmp_path / f"{number}.dcm", phantom_pixels(16, 16))
    seen = []
    find([tmp_path], lambda done, total: seen.append((done, total)))
    assert seen[-1] == (60, 60)
    assert seen == sorted(seen)


def test_finding_can_be_cancelled(tmp_path):
    for number in range(60):
        write_mg(tmp_path / f"{number}.dcm", phantom_pixels(16, 16))

    def cancel(done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        find([tmp_path], cancel)


def test_pixels_are_not_read(tmp_path):
    path = write_mg(tmp_path / "a.dcm", phantom_pixels(256, 256))
    path.write_bytes(path.read_bytes()[: -256 * 256])
    assert len(images(find([tmp_path]))) == 1


class TestDicomdir:
    def make(self, folder):
        made = FileSet()
        for path in write_four_views(folder / "source", StudyID="1"):
            made.add(path)
        target = folder / "media"
        made.write(target)
        return target

    def test_the_files_it_lists_are_opened(self, tmp_path):
        media = self.make(tmp_path)
        for given in (media / "DICOMDIR", media):
            found = find([given])
            assert sorted(image.label for image in images(found)) == ["LCC", "LMLO", "RCC", "RMLO"]
            assert found.left_out == ()

    def test_a_listed_file_that_is_gone_is_named(self, tmp_path):
        media = self.make(tmp_path)
        next(path for path in sorted(media.rglob("*")) if path.is_file() and path.name != "DICOMDIR").unlink()
        found = find([media / "DICOMDIR"])
        assert len(images(found)) == 3
        assert [item.reason for item in found.left_out] == ["is listed in the DICOMDIR but does not exist"]

    def test_a_path_that_climbs_out_is_left_out(self, tmp_path):
        media = self.make(tmp_path)
        secret = write_mg(tmp_path / "SECRET")
        self.relist(media, ["..", "SECRET"])
        found = find([media / "DICOMDIR"])
        assert secret not in [image.path for image in images(found)]
        assert "outside" in found.left_out[0].reason
        assert len(images(found)) == 3

    def test_a_symbolic_link_that_leads_out_is_left_out(self, tmp_path):
        media = self.make(tmp_path)
        write_mg(tmp_path / "SECRET")
        os.symlink(tmp_path / "SECRET", media / "LINK")
        self.relist(media, ["LINK"])
        assert "outside" in find([media / "DICOMDIR"]).left_out[0].reason

    @pytest.mark.parametrize("absolute", [["/etc/passwd"], ["", "etc", "passwd"], ["C:\\\\x"], ["~"]])
    def test_absolute_paths_are_left_out(self, tmp_path, absolute):
        media = self.make(tmp_path)
        self.relist(media, absolute)
        found = find([media / "DICOMDIR"])
        assert len(images(found)) == 3
        assert len(found.left_out) == 1

    def test_a_dicomdir_of_garbage_says_so_and_the_rest_still_opens(self, tmp_path):
        write_four_views(tmp_path)
        (tmp_path / "DICOMDIR").write_bytes(b"garbage" * 100)
        found = find([tmp_path])
        assert len(images(found)) == 4
        assert list(reasons(found)) == ["DICOMDIR"]

    def relist(self, media, parts):
        """Let the first image record list another file."""
        import pydicom

        ds = pydicom.dcmread(media / "DICOMDIR")
        record = next(item for item in ds.DirectoryRecordSequence if "ReferencedFileID" in item)
        record.ReferencedFileID = parts
        ds.save_as(media / "DICOMDIR")


class TestPictures:
    def write(self, path, array):
        path.parent.mkdir(parents=True, exist_ok=True)
        Pillow.fromarray(array).save(path)
        return path

    def test_a_folder_of_pictures_is_one_study_of_nobody(self, tmp_path):
        grey = phantom_pixels(bits=8)
        self.write(tmp_path / "exam" / "L_CC.png", grey)
        self.write(tmp_path / "exam" / "RIGHT_MLO.png", grey)
        self.write(tmp_path / "other" / "mdb001.png", grey)
        found = find([tmp_path])
        assert [len(patient.studies[0].images) for patient in found.patients] == [2, 1]
        assert [image.label for image in images(found)] == ["LCC", "RMLO", ""]
        assert {patient.facts.id for patient in found.patients} == {""}

    def test_uids_are_the_same_every_time_and_differ_between_pictures(self, tmp_path):
        grey = phantom_pixels(bits=8)
        self.write(tmp_path / "a.png", grey)
        self.write(tmp_path / "b.png", grey)
        first, again = images(find([tmp_path])), images(find([tmp_path]))
        assert [image.key for image in first] == [image.key for image in again]
        assert len({image.sop_uid for image in first}) == 2
        assert all(image.sop_uid.startswith("2.25.") and len(image.sop_uid) <= 64 for image in first)


def test_finding_many_files_takes_milliseconds_of_work_each(tmp_path):
    whole = write_mg(tmp_path / "000.dcm", np.zeros((4, 4), np.uint16)).read_bytes()
    uid = images(find([tmp_path]))[0].sop_uid.encode()
    for number in range(1, 500):
        raw = whole.replace(uid, uid[:-3] + f"{number:03d}".encode())
        (tmp_path / f"{number:03d}.dcm").write_bytes(raw)
    began = time.process_time()
    found = images(find([tmp_path]))
    assert len(found) >= 499
    assert (time.process_time() - began) / 500 < 0.02  # usually 0.003


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_left_out_and_nobody_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe.dcm")
    assert set(reasons(find([tmp_path])).values()) == {"is not a file"}


def test_a_mask_of_a_region_is_no_mammogram(tmp_path):
    write_mg(tmp_path / "a.dcm", SeriesDescription="ROI mask images")
    assert "mask" in reasons(find([tmp_path]))["a.dcm"]


def test_another_image_with_the_same_uid_is_told_from_a_duplicate(tmp_path):
    first = write_mg(tmp_path / "a.dcm", laterality="R", SOPInstanceUID="1.2.3")
    write_mg(tmp_path / "b.dcm", laterality="R", SOPInstanceUID="1.2.3")
    write_mg(tmp_path / "c.dcm", laterality="L", SOPInstanceUID="1.2.3")
    reasons = {one.path.name: one.reason for one in find([tmp_path]).left_out}
    assert reasons == {
        "b.dcm": f"is a duplicate of {first} (same SOP instance UID)",
        "c.dcm": f"is another image than {first}, but has the same SOP instance UID",
    }
