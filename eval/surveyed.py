"""All that has to be known of all lists before any of them is measured: counts, and how many have each value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.ragged import FloatArray
from eval.score_table import ScoreTable
from eval.slice_values import Cut
from eval.slices import Frequencies, Slicing
from eval.survey import Survey

__all__ = ["SurveyPart", "Surveyed"]


@dataclass(frozen=True, eq=False)
class Surveyed:
    """What is known of some lists; `a + b` is what is known of two parts.

    Args:
        survey: counts.
        frequencies: of the values of each slicing.
    """

    survey: Survey
    frequencies: tuple[Frequencies, ...]

    def __add__(self, other: "Surveyed") -> "Surveyed":
        frequencies = (one + two for one, two in zip(self.frequencies, other.frequencies, strict=True))
        return Surveyed(self.survey + other.survey, tuple(frequencies))


@dataclass(frozen=True, eq=False)
class SurveyPart:
    """Surveys a part of the lists.

    Args:
        slicings: whose values are counted.
        edges: of their buckets.
    """

    slicings: Sequence[Slicing]
    edges: Mapping[Cut, FloatArray]

    def __call__(self, table: ScoreTable) -> Surveyed:
        """What is known of the part."""
        survey, frequencies = Survey(), tuple(Frequencies(slicing, self.edges) for slicing in self.slicings)
        survey.add(table)
        for counted in frequencies:
            counted.add(table)
        return Surveyed(survey, frequencies)
