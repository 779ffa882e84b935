"""What a gate decides, and what it decides on beside the lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from eval.evaluation import Evaluation
from eval.ragged import FloatArray
from eval.report.build import ten_digits
from eval.report.data import Gate, Rule

__all__ = ["EXIT_STATUS", "LEAST_LISTS", "Decision", "GateRule", "Measurements", "decide", "worst"]

Decision = Literal["PASS", "FAIL", "INCONCLUSIVE"]

EXIT_STATUS: Final[Mapping[str, int]] = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}
"""Of a command that decides; 2 is for errors."""

LEAST_LISTS: Final = 100
"""With fewer lists the intervals are too narrow to decide on: 0.88 instead of 0.95 was measured at 30."""


@dataclass(frozen=True, eq=False)
class Measurements:
    """What is measured beside the lists.

    Args:
        latency_ms: float64 [calls], milliseconds of each call for one list.
        bundle_mb: size of the bundle in 10^6 bytes.
    """

    latency_ms: FloatArray | None = None
    bundle_mb: float | None = None


class GateRule(Protocol):
    """A rule."""

    def decide(self, evaluation: Evaluation, measured: Measurements) -> Rule:
        """What becomes of it.

        Raises:
            ValueError: it names a model, metric or slice that was not measured.
        """


def decide(evaluation: Evaluation, rules: Sequence[GateRule], measured: Measurements | None = None) -> Gate:
    """Decide: FAIL if one rule fails; else INCONCLUSIVE if one is; else PASS.

    Args:
        evaluation: what was found on the lists.
        rules: at least one.
        measured: what some rules need beside it.

    Raises:
        ValueError: there is no rule, or one names what was not measured.
    """
    if not rules:
        raise ValueError("gate: expected at least one rule, got none")
    decided = [rule.decide(evaluation, measured or Measurements()) for rule in rules]
    return ten_digits(Gate(decision=worst([rule["decision"] for rule in decided]), rules=decided))


def worst(decisions: Sequence[str]) -> str:
    """What several decisions together are."""
    return next((one for one in ("FAIL", "INCONCLUSIVE") if one in decisions), "PASS")
