"""One panel per model and metric, of which a reader looks at one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

from eval.report_page.reading import Reading

__all__ = ["Choice", "choices", "panel_keys"]


@dataclass(frozen=True)
class Choice:
    """What a reader chooses between.

    Args:
        models: those compared with the baseline; all, where there is none. The one that the headline speaks
            of comes first.
        metrics: all of them.
    """

    models: tuple[str, ...]
    metrics: tuple[str, ...]


def choices(reading: Reading) -> Choice:
    """The models and metrics of the panels."""
    models = reading.challengers or reading.models
    return Choice((reading.leader, *(model for model in models if model != reading.leader)), reading.metrics)


def panel_keys(choice: Choice) -> Iterator[tuple[str, str]]:
    """Model and metric of each panel, metrics within models."""
    for model in choice.models:
        for metric in choice.metrics:
            yield model, metric
