"""What the spec wants measured, checked before any work is done for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from eval.metrics import Metric, parse_metric
from ranker.errors import RankerError
from ranker.spec import Spec

__all__ = ["measuring", "metrics_of"]


def metrics_of(spec: Spec) -> list[Metric]:
    """The metrics of the spec.

    Raises:
        RankerError: for one that is not known, or there twice.
    """
    with measuring():
        metrics = [parse_metric(text) for text in spec.evaluation.metrics]
    for at, metric in enumerate(metrics):
        if metric in metrics[:at]:
            raise RankerError(f"evaluation.metrics: {metric} is there twice")
    return metrics


@contextmanager
def measuring() -> Iterator[None]:
    """Evaluation knows nothing of specs: what it refuses is said as a fault of the user's metrics or labels."""
    try:
        yield
    except ValueError as error:
        raise RankerError(f"evaluation.metrics: {error}") from error
