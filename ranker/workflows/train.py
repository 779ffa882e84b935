"""`ranker train`: a dataset to a bundle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ranker.bundle import BLEND, GOLDEN, Scorer, close, processor
from ranker.data.artefacts import FORMAT_VERSION, ArtefactError, new_directory, refuse_to_replace, write_json
from ranker.data.dataset import Dataset
from ranker.data.elwc.records import read_raw
from ranker.data.requests import to_request
from ranker.data.versions import versions
from ranker.errors import RankerError
from ranker.models.blend import Blend
from ranker.spec import Network, Spec
from ranker.workflows.material import read_material
from ranker.workflows.members import Member, fit_member
from ranker.workflows.older_networks import refuse_without_networks, weights_file
from ranker.workflows.progress import Progress
from training.blend import average_weights
from training.export import export
from training.history import keep_histories
from training.inputs import read_packed
from training.weights import save_weights

__all__ = ["train"]

_GOLDEN_REQUESTS = 20


def train(dataset: Dataset, out: Path, progress: Progress, spec: Spec | None = None) -> dict[str, Any]:
    """Train all members, blend them and export one bundle.

    Args:
        dataset: what `prepare` made.
        out: folder of the bundle; an old one is replaced once the new one is whole and its golden scores hold.
        progress: told of each stage.
        spec: its models, blend, training, evaluation and serving sections are used; default: the dataset's own.

    Returns:
        the manifest. Of several workers the first one writes the bundle.

    Raises:
        ArtefactError: if data and features of the spec are not the dataset's, or the export is not faithful.
    """
    refuse_to_replace(out)
    refuse_without_networks(dataset.spec if spec is None else spec)
    material = read_material(dataset, spec, out, progress)
    spec, metric = material.spec, material.metric
    members = {model.name: fit_member(model, material, progress) for model in spec.models}
    with progress.stage("blend"):
        lists = material.valid.lists
        scores = {name: member.score(material.valid) for name, member in members.items()}
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
        "layout": dataset.layout.to_json(),
        "members": [
            {"name": name, "kind": member.spec.kind, "weight": weights.get(name, 0.0), **member.about}
            for name, member in members.items()
        ],
        "validation": {str(metric): validation},
        "versions": versions(),
        "processor": processor(),
    }
    if not material.writes:
        return manifest
    with new_directory(out) as building:
        with progress.stage("export"):
            scorers = {name: member.scorer for name, member in members.items()}
            blend = Blend(weights)
            export(building / "saved_model", dataset.transform, dataset.columns, dataset.layout, scorers, blend)
            for name, member in members.items():
                if isinstance(member.spec, Network):
                    save_weights(weights_file(building, name, alone=False), member.scorer)
                if member.booster:
                    (building / f"{name}.lightgbm.txt").write_text(member.booster, encoding="utf-8")
            write_json(building / "manifest.json", manifest)
        with progress.stage("check the export against the trained models"):
            _write_golden(building, dataset, members, weights)
        keep_histories(material.work, building, members)
    shutil.rmtree(material.work, ignore_errors=True)
    return manifest


def _blended(weights: Mapping[str, float], scores: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.sum([weight * scores[name] for name, weight in weights.items()], axis=0)


def _write_golden(
    building: Path, dataset: Dataset, members: Mapping[str, Member], weights: Mapping[str, float]
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
