"""What an evaluation found: results with their intervals, and the contract they were measured under."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from eval.intervals import Interval

__all__ = ["Delta", "Report", "Result"]


@dataclass(frozen=True)
class Delta:
    """Mean over the lists of model minus baseline, from the same draws.

    Args:
        baseline: the model subtracted.
        interval: the mean difference, positive where the model's figure is larger.
        p_value: of the paired t-test, two-sided; None below two lists.
    """

    baseline: str
    interval: Interval
    p_value: float | None


@dataclass(frozen=True)
class Result:
    """One metric of one model.

    Args:
        metric: as `parse_metric` reads it.
        model: the score column.
        interval: mean over the lists that count.
        n_empty: lists left out because they hold no relevant document.
        n_tied: lists where tied scores reach into the first k positions, empty lists included.
        delta: against the baseline; None for the baseline itself, or where none is named.
    """

    metric: str
    model: str
    interval: Interval
    n_empty: int
    n_tied: int
    delta: Delta | None


@dataclass(frozen=True)
class Report:
    """What was measured, how, and on what.

    Args:
        results: metric by metric, in the order asked for; in each, model by model.
        contract: by metric, the choices behind its figures (gain, ties, empty, ideal).
        higher_is_better: by metric.
        confidence: of every interval.
        draws: of the bootstrap.
        seed: of the bootstrap.
        n_queries: lists read.
        n_empty: lists without a relevant document.
        n_documents: documents read.
    """

    results: tuple[Result, ...]
    contract: Mapping[str, Mapping[str, str]]
    higher_is_better: Mapping[str, bool]
    confidence: float
    draws: int
    seed: int
    n_queries: int
    n_empty: int
    n_documents: int

    def to_dict(self) -> dict[str, Any]:
        """The report ready for JSON, floats at 10 significant digits (sums in another order change later ones)."""
        return {**_ten_digits(asdict(self)), "interval": "percentile, poisson bootstrap over queries"}

    def rows(self) -> list[dict[str, str | int | float | None]]:
        """One flat row per result, for a table: full floats, None where there is no baseline."""
        rows: list[dict[str, str | int | float | None]] = []
        for result in self.results:
            delta = result.delta
            rows.append(
                {
                    "metric": result.metric,
                    "model": result.model,
                    **asdict(result.interval),
                    "n_empty": result.n_empty,
                    "n_tied": result.n_tied,
                    "delta": delta.interval.mean if delta else None,
                    "delta_low": delta.interval.low if delta else None,
                    "delta_high": delta.interval.high if delta else None,
                    "p_value": delta.p_value if delta else None,
                }
            )
        return rows


def _ten_digits(value: Any) -> Any:
    """The same structure with floats rounded and tuples as lists."""
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, Mapping):
        return {key: _ten_digits(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_ten_digits(inner) for inner in value]
    return value
