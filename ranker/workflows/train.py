"""`ranker train`: a dataset to a bundle."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from eval.lists import Lists
from eval.metrics import Metric
from ranker.bundle import BLEND, GOLDEN, Scorer, close, processor
from ranker.data.artefacts import FORMAT_VERSION, ArtefactError, new_directory, refuse_to_replace, write_json
from ranker.data.dataset import Dataset
from ranker.data.elwc.records import read_raw
from ranker.data.requests import to_request
from ranker.data.versions import versions
from ranker.errors import RankerError
from ranker.models.blend import Blend
from ranker.models.scorers.lambdamart import LambdaMartScorer, tree_matrix
from ranker.models.scorers.single_feature import SingleFeatureScorer
from ranker.models.trees import BoosterGraph
from ranker.spec import LambdaMart, Model, SelfAttention, Spec
from ranker.workflows.measured import measuring, metrics_of
from ranker.workflows.progress import Progress
from training.blend import average_weights
from training.export import export
from training.fit import fit_network, score_lists, stack_lists
from training.inputs import read_packed
from training.lambdamart import check_grades, fit_lambdamart

__all__ = ["train"]

_GOLDEN_REQUESTS = 20
_VALIDATION_BATCH = 64


@dataclass(frozen=True)
class _Member:
    """A trained model.

    Attributes:
        scorer: in the graph.
        reference: what computes the same scores outside the exported graph.
        booster: LightGBM's text, for trees.
    """

    spec: Model
    scorer: Any
    reference: Callable[..., Any]
    booster: str | None = None


def train(dataset: Dataset, out: Path, progress: Progress, spec: Spec | None = None) -> dict[str, Any]:
    """Train all members, blend them and export one bundle.

    Args:
        dataset: what `prepare` made.
        out: folder of the bundle; an old one is replaced once the new one is whole and its golden scores hold.
        progress: told of each stage.
        spec: its models, blend, training, evaluation and serving sections are used; default: the dataset's own.

    Returns:
        the manifest.

    Raises:
        ArtefactError: if data and features of the spec are not the dataset's, or the export is not faithful.
    """
    spec = _settle(dataset, spec)
    metric = metrics_of(spec)[0]
    refuse_to_replace(out)
    _check_labels(spec, dataset, metric)
    members = {model.name: _fit(model, spec, dataset, metric, progress) for model in spec.models}
    with progress.stage("blend"):
        batches = list(read_packed(dataset.packed("valid"), dataset.layout, _VALIDATION_BATCH))
        lists = stack_lists(batches)
        scores = {name: score_lists(member.scorer, batches) for name, member in members.items()}
        weights = average_weights(spec.blend.members, scores, lists)
        if not any(weights.values()):
            raise RankerError(f"no member of the blend orders any validation list: {', '.join(weights)}")
        scores[BLEND] = _blended(weights, scores)
        validation = {name: float(np.nanmean(metric.per_list(lists, values))) for name, values in scores.items()}
    manifest = {
        "kind": "bundle",
        "format_version": FORMAT_VERSION,
        "spec": spec.model_dump(),
        "spec_digest": spec.digest,
        "dataset": {key: dataset.manifest[key] for key in ("spec_digest", "sources", "splits")},
        "columns": [column.to_json() for column in dataset.columns],
        "members": [
            {"name": name, "kind": member.spec.kind, "weight": weights.get(name, 0.0)}
            for name, member in members.items()
        ],
        "validation": {str(metric): validation},
        "versions": versions(),
        "processor": processor(),
    }
    with new_directory(out) as building:
        with progress.stage("export"):
            scorers = {name: member.scorer for name, member in members.items()}
            blend = Blend(weights)
            export(building / "saved_model", dataset.transform, dataset.columns, dataset.layout, scorers, blend)
            for name, member in members.items():
                if member.booster:
                    (building / f"{name}.lightgbm.txt").write_text(member.booster, encoding="utf-8")
            write_json(building / "manifest.json", manifest)
        with progress.stage("check the export against the trained models"):
            _write_golden(building, dataset, members, weights)
    return manifest


def _check_labels(spec: Spec, dataset: Dataset, metric: Metric) -> None:
    """Labels that a model or the metric refuses, before any training."""
    splits = dataset.manifest["splits"].values()
    labels = np.unique([float(label) for counts in splits for label in counts["labels"]])
    if any(isinstance(model, LambdaMart) for model in spec.models):
        check_grades(labels)
    with measuring():
        metric.per_list(Lists(np.array([""]), np.array([0, len(labels)]), labels), np.zeros(len(labels)))


def _blended(weights: Mapping[str, float], scores: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.sum([weight * scores[name] for name, weight in weights.items()], axis=0)


def _settle(dataset: Dataset, spec: Spec | None) -> Spec:
    if spec is None:
        spec = dataset.spec
    spec = spec.with_vector_of(dataset.spec)
    for section in ("data", "features"):
        if getattr(spec, section) != getattr(dataset.spec, section):
            raise ArtefactError(
                f"{dataset.path}: was prepared with another {section!r} section than this spec has; "
                f"run `ranker prepare` again"
            )
    for split, counts in dataset.manifest["splits"].items():
        if counts["lists"] == counts["lists_without_relevant"]:
            raise ArtefactError(f"{dataset.path}: no list of the {split} split has a document with a label above 0")
    return spec


def _fit(model: Model, spec: Spec, dataset: Dataset, metric: Metric, progress: Progress) -> _Member:
    layout, train_files, valid_files = dataset.layout, dataset.packed("train"), dataset.packed("valid")
    if isinstance(model, SelfAttention):
        with progress.stage(f"train {model.name} ({model.kind})") as stage:
            network = fit_network(model, spec.training, layout, train_files, valid_files, metric, stage.update)
        return _Member(model, network, lambda features, mask: network(features, mask)[mask])
    if isinstance(model, LambdaMart):
        with progress.stage(f"train {model.name} ({model.kind})") as stage:
            seed = spec.training.seed
            booster = fit_lambdamart(model, seed, layout, train_files, valid_files, metric, stage.update)
        text = booster.model_to_string()
        scorer = LambdaMartScorer(BoosterGraph(text), layout)
        return _Member(model, scorer, lambda f, mask: booster.predict(tree_matrix(f, mask, layout).numpy()), text)
    feature = SingleFeatureScorer(model, layout)
    return _Member(model, feature, lambda features, mask: feature(features, mask)[mask])


def _write_golden(
    building: Path, dataset: Dataset, members: Mapping[str, _Member], weights: Mapping[str, float]
) -> None:
    """Check the bundle's scores against the trained models on test lists, and keep them.

    The trained models see the packed examples, the bundle the raw lists: a difference in any part shows.
    """
    pairs = zip(
        read_packed(dataset.packed("test"), dataset.layout, 1),
        read_raw(dataset.raw("test"), dataset.columns),
        strict=True,
    )
    lines = []
    with Scorer(building) as scorer:
        for (features, mask, *_), judged in islice(pairs, _GOLDEN_REQUESTS):
            expected = {name: np.asarray(member.reference(features, mask)) for name, member in members.items()}
            expected[BLEND] = _blended(weights, expected)
            scores = scorer.score_members(judged.request)
            for name, values in scores.items():
                if not close(values, expected[name]):
                    raise ArtefactError(
                        f"the exported {name} differs from the trained one by up to "
                        f"{np.max(np.abs(values - expected[name])):.3g} on query {judged.request.query_id!r}; "
                        f"no bundle was written"
                    )
            request = to_request(judged.request, scorer.columns)
            lines.append({"request": request, "scores": {name: v.tolist() for name, v in scores.items()}})
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (building / GOLDEN).write_text(text, encoding="utf-8")
