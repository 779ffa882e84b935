"""The gain of a label, for cumulated gain: `exp2`, `linear` or a table such as `0:1:3:7`."""

import numpy as np

from eval.ragged import FloatArray

__all__ = ["check_gain", "default_gain", "gains", "least_gainful"]

_LARGEST_EXP2_LABEL_BY_DEFAULT = 10.0
_LARGEST_EXP2_LABEL = 1000.0  # 2^1024 is infinite, and gains are added up
_SMALL = 2.0**-10  # below it 2^label - 1 loses digits


def check_gain(metric: str, gain: str | None) -> None:
    """Refuse what is no gain; None is one that is chosen later.

    A table begins with 0, the gain of documents that are not judged, and does not fall: gains of labels 0, 1, 2, ...

    Raises:
        ValueError: naming the metric.
    """
    if gain is None or gain in ("exp2", "linear"):
        return
    try:
        table = _table(gain)
    except ValueError:
        table = np.zeros(0)
    rises = len(table) > 1 and table[0] == 0 < table[-1] and np.isfinite(table).all() and np.all(np.diff(table) >= 0)
    if not rises:
        raise ValueError(
            f"{metric}: gain must be one of exp2, linear or a table that rises from 0, such as 0:1:3:7, got {gain!r}"
        )


def default_gain(largest_label: float | None = None) -> str:
    """The gain that is taken where none is asked for; in words, where the largest label is not known yet."""
    if largest_label is None:
        return f"exp2, or linear once a label exceeds {_LARGEST_EXP2_LABEL_BY_DEFAULT:g}"
    return "linear" if largest_label > _LARGEST_EXP2_LABEL_BY_DEFAULT else "exp2"


def gains(gain: str, labels: FloatArray) -> FloatArray:
    """The gain of each label, float64 [n] to float64 [n].

    Raises:
        ValueError: a label is too large for `exp2`, or not in the table.
    """
    if gain == "linear":
        return labels
    if gain == "exp2":
        return _exp2(labels)
    table = _table(gain)
    outside = (labels >= len(table)) | (labels % 1 != 0)
    if outside.any():
        raise ValueError(
            f"label {labels[np.argmax(outside)]:g} is not in the table of gains {gain}, "
            f"which has whole labels from 0 to {len(table) - 1}"
        )
    return table[labels.astype(np.int64)]


def least_gainful(gain: str) -> float:
    """The lowest label with a gain above 0 in a table; 0 for the others, where each label above 0 has one."""
    return 0.0 if gain in ("exp2", "linear") else float(np.argmax(_table(gain) > 0))


def _exp2(labels: FloatArray) -> FloatArray:
    largest = float(labels.max(initial=0.0))
    if largest > _LARGEST_EXP2_LABEL:
        raise ValueError(f"2^label overflows for label {largest:g}; choose gain=linear")
    found: FloatArray = np.exp2(labels) - 1.0
    small = (labels > 0) & (labels < _SMALL)
    if small.any():
        found[small] = np.expm1(labels[small] * np.log(2.0))
    return found


def _table(gain: str) -> FloatArray:
    return np.array([float(text) for text in gain.split(":")])
