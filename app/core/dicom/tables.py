"""DICOM lookup tables from their descriptor and data, PS3.3 C.11.1.1.1 and C.11.2.1.1.

Data may be US or OW; 8-bit tables may be packed two to a word; 0 entries mean 65536; the first mapped
value is signed where the table's input can be negative.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from app.core.dicom.elements import text, words
from app.core.imaging.image import LookupTable


def read_table(item: Dataset, *, signed_input: bool, little_endian: bool = True) -> LookupTable | None:
    """Return the table of one item of a Modality LUT or VOI LUT Sequence, None if it is broken.

    Parameters
    ----------
    signed_input
        Whether values that enter the table can be negative (Pixel Representation, or what the modality
        transform gives).
    little_endian
        Byte order of the file, for data that pydicom has kept as bytes.
    """
    raw = words(item, "LUTDescriptor", little_endian=little_endian)
    if raw is None or len(raw) != 6:
        return None
    count, first, bits = (int(one) for one in np.frombuffer(raw, "<u2"))
    count = count or 65536
    if signed_input and first > 32767:
        first -= 65536
    data = _entries(item, count, bits, little_endian)
    if data is None or not 1 <= bits <= 16:
        return None
    # Some writers state fewer bits than the entries use; the larger is what they meant (as in DCMTK).
    bits = max(bits, int(data.max()).bit_length())
    data.setflags(write=False)
    return LookupTable(first, data, bits, text(item, "LUTExplanation"))


def _entries(item: Dataset, count: int, bits: int, little_endian: bool) -> npt.NDArray[np.uint16] | None:
    raw = words(item, "LUTData", little_endian=little_endian)
    if raw is None:
        return None
    if len(raw) >= 2 * count:
        return np.frombuffer(raw, "<u2", count).astype(np.uint16)
    if bits <= 8 and len(raw) in (count, count + 1):
        return np.frombuffer(raw, np.uint8, count).astype(np.uint16)
    return None
