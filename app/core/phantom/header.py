"""The DICOM header of a phantom view: every attribute that the IHE mammography profile asks for.

Clauses: DICOM PS3.3 A.26 (Digital Mammography X-Ray Image IOD), C.8.11.7; the list of the IHE profile
as dicom3tools' ``dciodvfy -profile IHEMammo`` checks it.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Literal

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, generate_uid

from app.core.phantom.exam import VIEWS, PhantomView
from app.core.phantom.texture import stream

Intent = Literal["presentation", "processing"]
Photometric = Literal["MONOCHROME2", "MONOCHROME1"]

FOR_PRESENTATION = UID("1.2.840.10008.5.1.4.1.1.1.2")
FOR_PROCESSING = UID("1.2.840.10008.5.1.4.1.1.1.2.1")
_VIEW_CODES = {"CC": ("399162004", "cranio-caudal"), "MLO": ("399368009", "medio-lateral oblique")}
MANUFACTURER = "Mammoview phantom"


def uid(*parts: object) -> UID:
    """Return a UID that depends on `parts` alone."""
    return generate_uid(entropy_srcs=["mammoview-phantom", *map(str, parts)])


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """Return a code sequence item, PS3.3 8.8."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def study_uid(view: PhantomView) -> UID:
    """Return the Study Instance UID: one per exam, another for its prior."""
    subject = view.subject
    return uid("study", subject.seed, subject.key, subject.is_prior)


def acquired(view: PhantomView) -> datetime:
    """Return when the view was taken: the four of an exam 40 seconds apart."""
    start = time(8 + view.subject.seed % 8, 7 + view.subject.seed % 50, 12)
    return datetime.combine(view.subject.study_date, start) + timedelta(
        seconds=40 * VIEWS.index((view.side, view.view))
    )


def make_header(view: PhantomView, intent: Intent, sop_uid: UID) -> Dataset:
    """Return a data set with everything but the pixels and what describes their grey scale."""
    ds = Dataset()
    _identity(ds, view, intent, sop_uid)
    _equipment(ds)
    _exposure(ds, view)
    _anatomy(ds, view)
    _detector(ds, view)
    return ds


def _identity(ds: Dataset, view: PhantomView, intent: Intent, sop_uid: UID) -> None:
    subject, moment = view.subject, acquired(view)
    number = VIEWS.index((view.side, view.view)) + 1
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = FOR_PRESENTATION if intent == "presentation" else FOR_PROCESSING
    ds.SOPInstanceUID = sop_uid
    ds.PatientName, ds.PatientID, ds.IssuerOfPatientID = subject.name, subject.patient_id, "MAMMOVIEW"
    ds.PatientBirthDate, ds.PatientSex = subject.birth_date.strftime("%Y%m%d"), "F"
    ds.PatientAge = f"{subject.age:03d}Y"
    ds.PatientComments = "Synthetic phantom, not a patient"
    ds.StudyInstanceUID = study_uid(view)
    ds.SeriesInstanceUID = uid("series", ds.StudyInstanceUID, intent)
    day = subject.study_date.strftime("%Y%m%d")
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = day
    ds.StudyTime = ds.SeriesTime = (moment - timedelta(seconds=40 * (number - 1))).strftime("%H%M%S")
    ds.AcquisitionTime = ds.ContentTime = moment.strftime("%H%M%S")
    ds.AccessionNumber = f"P{subject.seed % 10**6:06d}{'B' if subject.is_prior else 'A'}"
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = str(2 - subject.is_prior), 1, number
    ds.AcquisitionNumber = number
    ds.ReferringPhysicianName = ""
    ds.OperatorsName = "Generator^Phantom"
    ds.Modality, ds.PresentationIntentType = "MG", f"FOR {intent.upper()}"
    ds.StudyDescription = "Synthetic screening mammogram"
    ds.SeriesDescription = "Phantom 2D"
    ds.ProcedureCodeSequence = Sequence([code("24623002", "SCT", "Screening mammography")])
    request = Dataset()
    request.RequestedProcedureID, request.ScheduledProcedureStepID = ds.AccessionNumber, "1"
    request.ReasonForRequestedProcedureCodeSequence = Sequence(
        [code("268547008", "SCT", "Screening for malignant neoplasm of breast")]
    )
    ds.RequestAttributesSequence = Sequence([request])
    ds.PatientOrientation = list(view.orientation)
    ds.ImageComments = "Synthetic phantom, not a patient"
    ds.BurnedInAnnotation = "NO"
    ds.AcquisitionContextSequence = Sequence([])
    if intent == "presentation":
        ds.ImageType = ["DERIVED", "PRIMARY", ""]
        source = Dataset()
        source.ReferencedSOPClassUID = FOR_PROCESSING
        source.ReferencedSOPInstanceUID = uid("raw", sop_uid)
        source.SpatialLocationsPreserved = "YES"
        source.PurposeOfReferenceCodeSequence = Sequence(
            [code("121322", "DCM", "Source image for image processing operation")]
        )
        ds.SourceImageSequence = Sequence([source])
    else:
        ds.ImageType = ["ORIGINAL", "PRIMARY", ""]


def _equipment(ds: Dataset) -> None:
    ds.Manufacturer, ds.ManufacturerModelName = MANUFACTURER, "Demo generator"
    ds.InstitutionName, ds.InstitutionAddress = "Mammoview", "No place, no street"
    ds.InstitutionalDepartmentName = "Synthetic images"
    ds.StationName, ds.DeviceSerialNumber, ds.SoftwareVersions = "PHANTOM1", "0001", "1"
    ds.DetectorID, ds.DetectorType, ds.DetectorConfiguration = "PHANTOM-D1", "DIRECT", "AREA"
    ds.DetectorActiveShape = "RECTANGLE"
    ds.DateOfLastDetectorCalibration, ds.TimeOfLastDetectorCalibration = "20240102", "070000"
    ds.DetectorDescription = "Computed, no detector"


def _exposure(ds: Dataset, view: PhantomView) -> None:
    rng = stream("exposure", view.subject.seed, view.side, view.view, int(view.subject.is_prior))
    thickness = int(rng.integers(48, 64)) + (4 if view.view == "MLO" else 0)
    charge = int(rng.integers(55, 120))
    ds.KVP, ds.Exposure, ds.ExposureTime = str(28 + thickness // 20), charge, charge * 9
    ds.ExposureInuAs, ds.ExposureTimeInuS = charge * 1000, str(charge * 9000)
    ds.XRayTubeCurrent, ds.XRayTubeCurrentInuA = 111, "111111"
    ds.AnodeTargetMaterial, ds.FilterMaterial = "TUNGSTEN", "RHODIUM"
    ds.FilterThicknessMinimum = ds.FilterThicknessMaximum = "0.05"
    ds.FocalSpots = "0.3"
    ds.BodyPartThickness, ds.CompressionForce = str(thickness), str(int(rng.integers(80, 140)))
    ds.RelativeXRayExposure = int(rng.integers(380, 620))
    ds.EntranceDoseInmGy = f"{charge * 0.062:.3f}"
    ds.OrganDose = f"{charge * 0.000151:.5f}"
    ds.HalfValueLayer = "0.54"
    ds.ExposureControlMode, ds.ExposureControlModeDescription = "AUTOMATIC", "Computed"
    ds.ExposureStatus = "NORMAL"
    ds.Grid = ["RECIPROCATING", "FOCUSED"]
    ds.DistanceSourceToDetector, ds.DistanceSourceToPatient = "660", "660"
    ds.EstimatedRadiographicMagnificationFactor = "1"
    ds.PositionerType, ds.PositionerPrimaryAngle = "MAMMOGRAPHIC", f"{_angle(view):.0f}"


def _angle(view: PhantomView) -> float:
    """Return the Positioner Primary Angle: positive for LMLO's tube to the right, PS3.3 C.8.7.5.1.2."""
    return view.angle if view.side == "R" else -view.angle


def _anatomy(ds: Dataset, view: PhantomView) -> None:
    value, meaning = _VIEW_CODES[view.view]
    item = code(value, "SCT", meaning)
    item.ViewModifierCodeSequence = Sequence([])
    ds.ViewCodeSequence = Sequence([item])
    ds.ViewPosition = view.view
    ds.ImageLaterality = view.side
    ds.AnatomicRegionSequence = Sequence([code("76752008", "SCT", "Breast")])
    ds.BodyPartExamined = "BREAST"
    ds.OrganExposed = "BREAST"
    ds.BreastImplantPresent, ds.PartialView = "NO", "NO"


def _detector(ds: Dataset, view: PhantomView) -> None:
    step = f"{view.spacing_mm:.6f}"[:16]
    ds.ImagerPixelSpacing = [step, step]
    ds.DetectorElementPhysicalSize = ds.DetectorElementSpacing = [step, step]
    ds.FieldOfViewShape = "RECTANGLE"
    rows, columns = view.pixels.shape
    ds.FieldOfViewDimensions = [str(round(rows * view.spacing_mm)), str(round(columns * view.spacing_mm))]
    ds.FieldOfViewOrigin = ["0", "0"]
    ds.FieldOfViewRotation, ds.FieldOfViewHorizontalFlip = "0", "NO"
    ds.DetectorBinning = ["1", "1"]
