"""Numbers written as text, in the cells of CSV files: whole columns at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

__all__ = ["MISSING_TEXTS", "numbers_of_texts"]

MISSING_TEXTS = pa.array(pyarrow.csv.ConvertOptions().null_values)
_NUMBER = r"^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:inf|infinity))$"


def numbers_of_texts(texts: pa.StringArray) -> tuple[pa.DoubleArray, npt.NDArray[np.bool_]]:
    """Numbers by the rules of Arrow's CSV reader: blanks around them are no part, and some texts such as `NA` missing.

    Returns:
        the numbers, null where missing or wrong; and bool `[texts]`, which are wrong.
    """
    trimmed = pc.utf8_trim(texts, " \t")
    missing = pc.is_in(trimmed, MISSING_TEXTS)
    sound = pc.match_substring_regex(trimmed, _NUMBER)
    digits = pc.utf8_ltrim(pc.if_else(pc.and_not(sound, missing), trimmed, None), "+")
    wrong = pc.fill_null(pc.invert(pc.or_(missing, sound)), False)
    return digits.cast(pa.float64()), wrong.to_numpy(zero_copy_only=False)
