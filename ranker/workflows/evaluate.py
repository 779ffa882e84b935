"""`ranker evaluate`: how good a bundle's members and blend are on the test lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from eval.changes import Texts
from eval.gate import ONLINE, Measurements
from eval.metrics import Novelty, parse_measure
from eval.metrics.novelty import POPULARITY
from eval.report.data import Report
from ranker.bundle import BLEND, Scorer
from ranker.data.artefacts import ArtefactError
from ranker.data.columns import Column
from ranker.data.dataset import Dataset
from ranker.data.elwc.records import JudgedList, read_raw
from ranker.errors import RankerError
from ranker.spec import Evaluation, Spec
from ranker.workflows.call_times import bundle_megabytes, time_calls
from ranker.workflows.evaluation_request import Asked, request_of
from ranker.workflows.popularity import training_popularity
from ranker.workflows.progress import Progress
from ranker.workflows.score_report import SCORES, Sections, measure_scores, report_folder, sources_of, told
from ranker.workflows.score_rows import column_names, score_batches
from ranker.workflows.slice_code import load_slice_code
from ranker.workflows.slice_search import columns_of_bundle

__all__ = ["evaluate", "score_table"]


def evaluate(
    bundle: Path,
    dataset: Dataset,
    progress: Progress,
    out: Path | None = None,
    sections: Sections | None = None,
    online: Path | None = None,
) -> Report:
    """Score the test lists by the canonical call and measure.

    Args:
        bundle: folder of the bundle.
        dataset: with the lists.
        progress: told of each stage.
        out: folder for report.json, report.html, per_query.parquet and scores.parquet; None: nothing is written.
        sections: what is measured; None: as the bundle's spec says.
        online: folder of the bundle that is served now; its blend is measured as the model `online`.

    Returns:
        the report.

    Raises:
        ArtefactError: if the dataset has other raw columns than a bundle takes.
        RankerError: for scores, slices or rules that cannot be measured.
    """
    with ExitStack() as stack:
        scorers = {path: stack.enter_context(Scorer(path)) for path in (bundle, online) if path is not None}
        for path, scorer in scorers.items():
            if scorer.columns != dataset.columns:
                raise ArtefactError(f"{dataset.path}: its raw columns are not those of the bundle {path}")
        scorer = scorers[bundle]
        spec = Spec.model_validate(scorer.manifest["spec"])
        chosen = sections or Sections(spec.evaluation, spec.gate)
        asked, features = _asked_of_bundle(chosen, spec, scorer, online=online is not None)
        cluster = request_of(asked).cluster
        score = _score_of(scorer, scorers[online] if online is not None else None)
        with report_folder(out) as folder:
            with progress.stage("score the test lists"):
                lists = read_raw(dataset.raw("test"), dataset.columns)
                counted = [column for column in asked.named.values() if column not in features]
                counts = {column: training_popularity(dataset) for column in counted}
                _write_scores(folder / SCORES, score_batches(lists, score, features, cluster, counts))
            times = None
            if any(rule.latency_ms is not None for rule in asked.gate):
                with progress.stage("time the calls of the golden requests"):
                    times = time_calls(scorer, bundle)
            measured = Measurements(times, bundle_megabytes(bundle))
            manifests = [path / "manifest.json" for path in scorers]
            sources = sources_of([*dataset.raw("test"), *manifests], 3)
            return measure_scores(folder, folder / SCORES, {}, asked, measured, sources, progress)


def score_table(scorer: Scorer, dataset: Dataset) -> pa.Table:
    """A row per test document: query_id, document_id, label, and a float column per model."""
    lists = read_raw(dataset.raw("test"), scorer.columns)
    return pa.Table.from_batches(list(score_batches(lists, _score_of(scorer, None), {})))


def _asked_of_bundle(
    sections: Sections, spec: Spec, scorer: Scorer, *, online: bool
) -> tuple[Asked, dict[str, Column]]:
    """What is asked, and the features that it needs by their columns in the score table."""
    models = sorted(scorer.models, key=lambda name: name == BLEND)
    if online and ONLINE in models:
        raise RankerError(f"a model of the bundle is named {ONLINE!r}, as the one that is served; rename it")
    models += [ONLINE] if online else []
    evaluation = sections.evaluation
    if evaluation.baseline not in (None, *models):
        raise RankerError(f"evaluation.baseline: no model {evaluation.baseline!r}; there are {', '.join(models)}")
    query = next((feature.name for feature in spec.features.query if feature.kind == "text"), None)
    titles = [feature.name for feature in spec.features.of_documents if feature.kind == "text"]
    title = "title" if "title" in titles else next(iter(titles), None)
    wanted = [name for one in evaluation.groupings for name in one.features]
    wanted += [name for name in (evaluation.cluster, query, title) if name is not None]
    columns = {column.name: column for column in scorer.columns}
    read, counted = _read_by_metrics(evaluation, columns)
    searched = columns_of_bundle(evaluation.find_slices, spec, columns)
    names = column_names(list(dict.fromkeys([*wanted, *read, *searched.names])), models)
    if unknown := [name for name in names if name not in columns and name not in counted]:
        raise RankerError(f"evaluation: no feature {unknown[0]!r} of queries or documents; there are {list(columns)}")
    asked = Asked(
        evaluation,
        tuple(models),
        BLEND,
        sections.gate,
        load_slice_code(evaluation.groupings, sections.folder),
        lambda name: names[name],
        Texts(names.get(query or ""), names.get(title or "")),
        named={name: names[name] for name in read},
        searched=searched,
    )
    return asked, {names[name]: columns[name] for name in names if name in columns}


def _read_by_metrics(evaluation: Evaluation, columns: Mapping[str, Column]) -> tuple[list[str], list[str]]:
    """What metrics read of documents; and of that what no feature says: how often training lists chose them."""
    read: list[str] = []
    counted: list[str] = []
    with told():
        metrics = [parse_measure(text) for text in evaluation.metrics]
    for metric in metrics:
        read += metric.columns
        if isinstance(metric, Novelty) and metric.popularity == POPULARITY and POPULARITY not in columns:
            counted.append(POPULARITY)
        for name in metric.columns:
            if name in columns and columns[name].scope == "query":
                raise RankerError(f"{metric}: {name!r} is a feature of the query, the same for all documents of a list")
    return list(dict.fromkeys(read)), counted


def _score_of(scorer: Scorer, online: Scorer | None) -> Callable[[JudgedList], Mapping[str, np.ndarray]]:
    def score(judged: JudgedList) -> Mapping[str, np.ndarray]:
        found = scorer.score_members(judged.request)
        return found if online is None else {**found, ONLINE: online.score(judged.request)}

    return score


def _write_scores(path: Path, batches: Iterator[pa.RecordBatch]) -> None:
    writer: pq.ParquetWriter | None = None
    for batch in batches:
        writer = writer or pq.ParquetWriter(path, batch.schema)
        writer.write_batch(batch)
    if writer is None:
        raise ArtefactError("the dataset has no test lists")
    writer.close()
