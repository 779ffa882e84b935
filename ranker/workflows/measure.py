"""`ranker measure`: how good runs are on judgements that come in a file of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from eval.compare import paired_differences
from eval.figures import deltas, figures
from eval.metrics import Judged, Metric
from eval.metrics.judgements import JudgedMetric
from eval.ragged import FloatArray
from eval.ranking import Ranking, rank
from eval.sums import Sums
from eval.trec import read_qrels, read_run
from eval.trec_eval import float32_scores, metric_of, whole_labels
from eval.trec_lists import Judgements
from ranker.errors import RankerError

__all__ = ["Measured", "MeasuredRun", "measure"]

_DRAWS = 1000
_CONFIDENCE = 0.95
_COMMA = re.compile(r",(?![^(]*\))")  # not inside the parentheses of a metric


@dataclass(frozen=True, eq=False)
class MeasuredRun:
    """The figures of one run.

    Args:
        name: its tag, or the name of its file where tags repeat.
        query_ids: str [queries], the judged ones, rising.
        values: float64 [queries] by metric; NaN: no value.
        figures: by metric, as in the JSON of a report (`eval.report.data.Figure`: mean, interval, counts), with
            `missing` (queries that the run lacks), `judged` (mean share of judged documents within the cutoff),
            `contract`; and, of runs that are compared, `delta` (`eval.report.data.Delta`, and the baseline's name).
        counted: judged queries, without those that are left out because the run lacks them.
        missing: judged queries that the run lacks.
        ignored: queries of the run that are not judged.
    """

    name: str
    query_ids: NDArray[Any]
    values: dict[str, FloatArray]
    figures: dict[str, dict[str, Any]]
    counted: int
    missing: int
    ignored: int


@dataclass(frozen=True, eq=False)
class Measured:
    """The figures of several runs on the same judgements.

    Args:
        metrics: by the name under which they were asked for.
        query_ids: of the judged queries, rising.
        empty: judged queries without a relevant document.
        runs: in the order given.
        notes: what was read in another way than it is written.
    """

    metrics: dict[str, Metric]
    query_ids: list[str]
    empty: int
    runs: list[MeasuredRun]
    notes: list[str]

    def to_json(self, *, per_query: bool = False) -> dict[str, dict[str, Any]]:
        """`{run: {metric: figures}}`; numbers with 10 digits, None where there is none."""
        found: dict[str, dict[str, Any]] = {}
        for run in self.runs:
            found[run.name] = {name: _rounded(figures) for name, figures in run.figures.items()}
            for name, values in run.values.items() if per_query else ():
                each = zip(self.query_ids, values.tolist(), strict=True)
                found[run.name][name]["per_query"] = _rounded({query: value for query, value in each if value == value})
        return found


def measure(
    qrels: Path,
    runs: Sequence[Path],
    metrics: str | None = None,
    contract: str | None = None,
    *,
    complete: bool = False,
    baseline: str | None = None,
) -> Measured:
    """Measure runs in the format of TREC.

    Args:
        qrels: the judgements.
        runs: the runs.
        metrics: with commas between; None: a choice of common ones.
        contract: `trec_eval`: its figures, and its names of metrics; None: the defaults of our metrics.
        complete: under the contract of trec_eval, count queries that a run lacks as 0 (its option -c).
        baseline: the run that others are compared with: its name, its path, or the path of a further run.

    Raises:
        RankerError: a file cannot be read or used, a metric is not known, or an option has no effect.
    """
    if complete and contract != "trec_eval":
        raise RankerError("--complete has no effect: queries that a run lacks count as 0 already; leave it out")
    with _refusals():
        chosen = _metrics(metrics, contract, complete)
    paths = _with_baseline(list(runs), baseline)
    with _refusals(qrels):
        judgements, notes = _judgements(qrels, contract)
    largest = float(judgements.labels.max(initial=0.0))
    chosen = {name: metric.settle(largest, qrels=True) for name, metric in chosen.items()}
    measured = []
    for path in paths:
        with _refusals(path):
            measured.append(_measured(path, judgements, chosen, contract, all_judged=contract is None or complete))
    measured = _named(measured, paths)
    if baseline is not None:
        measured = _compared(measured, _find(baseline, paths, measured))
    empty = judgements.without_relevant
    return Measured(chosen, [str(query) for query in judgements.query_ids], empty, measured, notes)


def _metrics(texts: str | None, contract: str | None, complete: bool) -> dict[str, Metric]:
    if texts is None:
        ours, theirs = "ndcg@10,map,mrr,p@10,recall@100", "map,recip_rank,P_10,recall_100,ndcg,ndcg_cut_10"
        texts = theirs if contract == "trec_eval" else ours
    found: dict[str, Metric] = {}
    for text in _COMMA.split(texts):
        name, metric = metric_of(text, contract)
        if name in found:
            raise ValueError(f"metric {name!r} is there twice; leave one out")
        if complete and isinstance(metric, JudgedMetric) and "missing=" not in text:
            metric = replace(metric, missing="zero")
        found[name] = metric
    return found


def _judgements(path: Path, contract: str | None) -> tuple[Judgements, list[str]]:
    """Judgements, and what was read in another way than it is written."""
    table, notes = read_qrels(path), []
    labels = given = table["label"].to_numpy()
    if contract == "trec_eval":
        labels = whole_labels(given)
        negative, cut = int((given < 0).sum()), int((given != np.trunc(given)).sum())
        notes += [f"{negative} negative labels are read as judged and not relevant"] * bool(negative)
        notes += [f"{cut} labels are cut to whole numbers, as trec_eval does"] * bool(cut)
    return Judgements.of(table["query_id"], table["document_id"], labels), notes


def _measured(
    path: Path, judgements: Judgements, metrics: dict[str, Metric], contract: str | None, *, all_judged: bool
) -> MeasuredRun:
    """The figures of a run, on all judged queries or on those that it has."""
    table, tag = read_run(path)
    if contract == "trec_eval":
        scores = float32_scores(table["score"].to_numpy())
        table = table.set_column(table.column_names.index("score"), "score", pa.array(scores))
    run = judgements.lists_of(table, ids=any("document_ids" in metric.needs for metric in metrics.values()))
    lists, ranking = run.lists, rank(run.lists, run.scores)
    values = {name: metric.values(ranking) for name, metric in metrics.items()}
    if not all_judged:
        for found in values.values():
            found[lists.missing] = np.nan
    missing = int(lists.missing.sum())
    empty = np.array([metric.undefined(lists).sum() for metric in metrics.values()])
    tied = np.array([ranking.has_tie_within(metric.k).sum() for metric in metrics.values()])
    precision = {"scores": "float32"} if contract == "trec_eval" else {}
    whole = figures(_sums(lists.query_ids, values), empty, tied, _CONFIDENCE)
    named = {
        name: {
            **figure,
            "missing": missing,
            "judged": _judged(metric, ranking),
            "contract": {**metric.contract, **precision},
        }
        for (name, metric), figure in zip(metrics.items(), whole, strict=True)
    }
    counted = len(lists) - (0 if all_judged else missing)
    return MeasuredRun(tag, lists.query_ids, values, named, counted, missing, run.ignored)


def _sums(query_ids: NDArray[Any], values: dict[str, FloatArray]) -> Sums:
    return Sums.of(np.stack(list(values.values()), axis=1), query_ids, _DRAWS)


def _judged(metric: Metric, ranking: Ranking) -> float | None:
    """Mean share of judged documents among those that the metric looks at."""
    shares = Judged(metric.k).values(ranking)
    there = shares[~np.isnan(shares)]
    return float(there.mean()) if there.size else None


def _compared(runs: Sequence[MeasuredRun], base: MeasuredRun) -> list[MeasuredRun]:
    """Runs with `delta` among their figures: minus the baseline, query by query. Runs are adjusted for together."""
    others = [run for run in runs if run is not base]
    pairs = [
        {name: paired_differences(values, base.values[name]) for name, values in run.values.items()} for run in others
    ]
    sums = [_sums(base.query_ids, values) for values in pairs]
    found: dict[str, dict[str, Any]] = {run.name: dict(run.figures) for run in runs}
    for at, name in enumerate(base.values):
        family = deltas([each.chosen([at]) for each in sums], _CONFIDENCE)
        for run, delta in zip(others, family, strict=True):
            found[run.name][name] = run.figures[name] | {"delta": {"baseline": base.name, **delta}}
    return [replace(run, figures=found[run.name]) for run in runs]


def _named(runs: Sequence[MeasuredRun], paths: Sequence[Path]) -> list[MeasuredRun]:
    """Runs by their tag; by the name of their file where tags repeat; and by their path where these do, too."""
    again = next((path for path in paths if list(paths).count(path) > 1), None)
    if again is not None:
        raise RankerError(f"{again}: is there twice; leave one out")
    names = [run.name for run in runs]
    for others in ([path.name for path in paths], [str(path) for path in paths]):
        names = [other if names.count(name) > 1 else name for name, other in zip(names, others, strict=True)]
    return [replace(run, name=name) for run, name in zip(runs, names, strict=True)]


def _with_baseline(runs: list[Path], baseline: str | None) -> list[Path]:
    """The runs, and before them that of the baseline where it is the path of a further one."""
    further = baseline is not None and Path(baseline) not in runs and Path(baseline).is_file()
    return [Path(baseline), *runs] if baseline is not None and further else runs


def _find(baseline: str, paths: Sequence[Path], runs: Sequence[MeasuredRun]) -> MeasuredRun:
    found = [run for run in runs if run.name == baseline]
    found += [run for run, path in zip(runs, paths, strict=True) if path == Path(baseline)]
    if not found:
        names = ", ".join(run.name for run in runs)
        raise RankerError(f"--baseline {baseline}: no such run or file; expected one of {names}")
    if len(runs) < 2:
        raise RankerError(f"--baseline {baseline} has no effect: there is no other run; name one, or leave it out")
    return found[0]


def _rounded(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _rounded(value) for key, value in found.items()}
    if isinstance(found, float):
        return float(f"{found:.10g}") if np.isfinite(found) else None
    return found


@contextmanager
def _refusals(path: Path | None = None) -> Iterator[None]:
    """What evaluation refuses is a fault of the user's files or metrics."""
    try:
        yield
    except ValueError as error:
        text = str(error)
        raise RankerError(text if path is None or text.startswith(str(path)) else f"{path}: {text}") from error
