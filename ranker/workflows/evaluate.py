"""`ranker evaluate`: how good a bundle's members and blend are on the test lists."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from eval.evaluate import evaluate as evaluate_table
from eval.report import Report
from ranker.bundle import BLEND, Scorer
from ranker.data.artefacts import ArtefactError
from ranker.data.dataset import Dataset
from ranker.data.elwc.records import read_raw
from ranker.spec import Spec
from ranker.workflows.measured import measuring
from ranker.workflows.progress import Progress

__all__ = ["evaluate", "score_table"]


def evaluate(bundle: Path, dataset: Dataset, progress: Progress) -> Report:
    """Score the test lists by the canonical call and measure.

    Metrics and baseline are those of the bundle's spec.

    Raises:
        ArtefactError: if the dataset has other raw columns than the bundle takes.
    """
    with Scorer(bundle) as scorer:
        if scorer.columns != dataset.columns:
            raise ArtefactError(f"{dataset.path}: its raw columns are not those of the bundle {bundle}")
        spec = Spec.model_validate(scorer.manifest["spec"])
        with progress.stage("score the test lists"):
            table = score_table(scorer, dataset)
        with progress.stage("measure"):
            models = sorted(scorer.models, key=lambda name: name == BLEND)
            with measuring():
                return evaluate_table(table, models, spec.evaluation.metrics, spec.evaluation.baseline)


def score_table(scorer: Scorer, dataset: Dataset) -> pa.Table:
    """A row per test document: query_id, document_id, label, and a float column per model."""
    parts = []
    for judged in read_raw(dataset.raw("test"), scorer.columns):
        request = judged.request
        columns = {"query_id": [request.query_id] * len(request.document_ids), "document_id": request.document_ids}
        parts.append(pa.table({**columns, "label": judged.labels, **scorer.score_members(request)}))
    return pa.concat_tables(parts)
