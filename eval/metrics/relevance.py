"""Which documents are relevant, for metrics that know nothing in between."""

from eval.ragged import BoolArray, FloatArray

__all__ = ["is_relevant", "relevance_in_words"]


def is_relevant(labels: FloatArray, least: float | None) -> BoolArray:
    """Whether labels are `least` or above, or above 0 where that is None, float64 [n] to bool [n]."""
    return labels > 0 if least is None else labels >= least


def relevance_in_words(least: float | None) -> str:
    """The same for a contract."""
    return "label > 0" if least is None else f"label >= {least:g}"
