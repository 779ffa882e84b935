"""A report from an evaluation."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eval.evaluation import Evaluation
from eval.figures import deltas, figures
from eval.report.data import FORMAT_VERSION, Comparison, Delta, Gate, Model, Report, SliceValue, Slicing, Source

__all__ = ["report_of", "ten_digits"]


def report_of(evaluation: Evaluation, sources: Sequence[Source] = (), gate: Gate | None = None) -> Report:
    """The report.

    Args:
        evaluation: what was found.
        sources: files that were measured.
        gate: what the gate decided.

    Returns:
        ready for JSON.
    """
    series = evaluation.series
    others = [model for model in series.models if series.baseline not in (None, model)]
    overall = _overall_deltas(evaluation, others)
    return ten_digits(
        Report(
            kind="report",
            format_version=FORMAT_VERSION,
            contract={metric: dict(choices) for metric, choices in evaluation.contract.items()},
            higher_is_better=dict(evaluation.higher_is_better),
            data={**evaluation.data, "sources": list(sources)},
            settings=evaluation.settings,
            baseline=series.baseline,
            slices=_slices(evaluation),
            models={model: _model(evaluation, model) for model in series.models},
            comparisons={
                model: Comparison(
                    overall={metric: overall[metric, model] for metric in evaluation.contract},
                    slices=_slice_deltas(evaluation, model),
                    changes=dict(evaluation.changes.get(model, {})),
                )
                for model in others
            },
            calibration=dict(evaluation.calibration),
            catalogue=evaluation.beyond.catalogue,
            exposure=list(evaluation.beyond.exposure),
            discovery=evaluation.discovery,
            notes=list(evaluation.notes),
            gate=gate,
        )
    )


def ten_digits(value: Any) -> Any:
    """The same structure with floats rounded to 10 significant digits, tuples as lists, and None for NaN."""
    if isinstance(value, float):
        return float(f"{value:.10g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: ten_digits(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [ten_digits(inner) for inner in value]
    return value


def _slices(evaluation: Evaluation) -> list[Slicing]:
    tally, least = evaluation.tally, evaluation.settings["min_lists"]
    found = [Slicing(name=one.name, scope=one.scope, merged=one.merged, values=[]) for one in evaluation.slices]
    by_name = {one["name"]: one["values"] for one in found}
    for row, name, value in evaluation.rows():
        lists, documents = int(tally.lists[row]), int(tally.documents[row])
        small = int(tally.sums[row].units.max(initial=0)) < least  # what is resampled: lists with a value, or clusters
        by_name[name].append(SliceValue(value=value, lists=lists, documents=documents, small=small))
    return found


def _model(evaluation: Evaluation, model: str) -> Model:
    tally, confidence = evaluation.tally, evaluation.settings["confidence"]
    metrics = list(evaluation.contract)
    places = np.array([evaluation.series.figure(metric, model) for metric in metrics])
    rows = [
        dict(
            zip(
                metrics,
                figures(sums.chosen(places), empty[places], tied[places], confidence),
                strict=True,
            )
        )
        for sums, empty, tied in zip(tally.sums, tally.empty, tally.tied, strict=True)
    ]
    slices: dict[str, Any] = {one.name: {} for one in evaluation.slices}
    for row, name, value in evaluation.rows():
        slices[name][value] = rows[row]
    macro = {
        name: {metric: _mean([of_value[metric]["mean"] for of_value in values.values()]) for metric in metrics}
        for name, values in slices.items()
    }
    return Model(overall=rows[0], slices=slices, macro=macro)


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def _overall_deltas(evaluation: Evaluation, models: Sequence[str]) -> dict[tuple[str, str], Delta]:
    """By metric and model; the models of one metric are a family."""
    found = {}
    for metric in evaluation.contract:
        family = [evaluation.difference(0, metric, model) for model in models]
        for model, delta in zip(models, deltas(family, evaluation.settings["confidence"]), strict=True):
            found[metric, model] = delta
    return found


def _slice_deltas(evaluation: Evaluation, model: str) -> dict[str, dict[str, dict[str, Delta]]]:
    """By slicing, value and metric; all slices of one metric are a family."""
    slices: dict[str, dict[str, dict[str, Delta]]] = {one.name: {} for one in evaluation.slices}
    rows, settings = list(evaluation.rows()), evaluation.settings
    for metric in evaluation.contract:
        family = [evaluation.difference(row, metric, model) for row, *_ in rows]
        found = deltas(family, settings["confidence"], settings["min_lists"])
        for (_, name, value), delta in zip(rows, found, strict=True):
            slices[name].setdefault(value, {})[metric] = delta
    return slices
