"""From a score table to a report: metrics of each model, their intervals, and paired differences to a baseline."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from eval.compare import paired_differences, paired_t_test
from eval.intervals import BootstrapSums
from eval.metrics import parse_metric
from eval.ranking import rank
from eval.report import Delta, Report, Result
from eval.score_table import read_score_table

__all__ = ["evaluate"]


def evaluate(
    table: pa.Table,
    models: Sequence[str],
    metrics: Sequence[str],
    baseline: str | None = None,
    *,
    confidence: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> Report:
    """Measure models on a score table.

    Args:
        table: as `read_score_table` takes it.
        models: score columns, each once.
        metrics: texts for `parse_metric`, each metric once.
        baseline: one of `models`; the others are compared to it.
        confidence: of the intervals, between 0 and 1.
        draws: of the bootstrap.
        seed: of the bootstrap, 0 <= seed < 2^64.

    Raises:
        ValueError: a request or a table that cannot be measured; the message says how to mend it.
    """
    asked = [parse_metric(text) for text in metrics]
    _check_names("models", models)
    _check_names("metrics", [str(metric) for metric in asked])
    if baseline is not None and baseline not in models:
        raise ValueError(f"baseline: expected one of the models ({', '.join(models)}), got {baseline!r}; add it there")
    lists, scores = read_score_table(table, models)
    if lists.empty.all():
        raise ValueError(
            f"score table: expected a label above 0, got none in {len(lists)} queries, so that no metric is defined;"
            " check the label column and how judgements were joined"
        )
    settled = {str(metric): metric.settled(lists) for metric in asked}
    values = {(text, model): settled[text].per_list(lists, scores[model]) for text in settled for model in models}
    deltas = {
        (text, model): paired_differences(of_model, values[text, baseline])
        for (text, model), of_model in values.items()
        if baseline is not None and model != baseline
    }
    series = np.stack([*values.values(), *deltas.values()], axis=1)
    intervals = BootstrapSums.of(series, lists.query_ids, draws, seed).intervals(confidence)
    delta_intervals = dict(zip(deltas, intervals[len(values) :], strict=True))
    rankings = {model: rank(lists, scores[model]) for model in models}

    def delta(text: str, model: str) -> Delta | None:
        if baseline is None or model == baseline:
            return None
        return Delta(baseline, delta_intervals[text, model], paired_t_test(deltas[text, model]))

    results = tuple(
        Result(
            metric=text,
            model=model,
            interval=interval,
            n_empty=int(np.isnan(values[text, model]).sum()),
            n_tied=int(rankings[model].has_tie_within(settled[text].k).sum()),
            delta=delta(text, model),
        )
        for (text, model), interval in zip(values, intervals[: len(values)], strict=True)
    )
    return Report(
        results=results,
        contract={text: dict(metric.contract) for text, metric in settled.items()},
        higher_is_better={text: metric.higher_is_better for text, metric in settled.items()},
        confidence=confidence,
        draws=draws,
        seed=seed,
        n_queries=len(lists),
        n_empty=int(lists.empty.sum()),
        n_documents=len(lists.labels),
    )


def _check_names(what: str, names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if not names or twice:
        raise ValueError(f"{what}: expected at least one, each once; got {', '.join(names) or 'none'}")
