"""`ranker train --only`: one member by itself, with the scores of its validation and test lists."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from ranker.data.artefacts import FORMAT_VERSION, new_directory, refuse_to_replace, write_json
from ranker.data.columns import Column
from ranker.data.dataset import Dataset
from ranker.data.elwc.records import JudgedList, read_raw
from ranker.data.split import SplitName
from ranker.data.versions import versions
from ranker.errors import RankerError
from ranker.spec import Network, Spec
from ranker.workflows.material import Material, read_material
from ranker.workflows.members import Member, fit_member
from ranker.workflows.older_networks import MEMBER_WEIGHTS, keep_vocabularies
from ranker.workflows.progress import Progress
from ranker.workflows.score_rows import column_names, score_batches
from training.examples import Examples, read_examples
from training.history import keep_histories
from training.importance import Importance, permutation_importance
from training.weights import save_weights

__all__ = ["WEIGHTS", "train_member"]

WEIGHTS = MEMBER_WEIGHTS


def train_member(
    dataset: Dataset,
    name: str,
    out: Path,
    progress: Progress,
    spec: Spec | None = None,
    *,
    importance: bool = False,
) -> dict[str, Any]:
    """Train a member and write its weights, its history, and score tables that `ranker evaluate` reads.

    Args:
        dataset: what `prepare` made.
        name: of the model in the spec.
        out: folder: manifest.json; weights.npz of a network, and vocabularies, which say what its embeddings are of;
            lightgbm.txt of trees; training/<name>/metrics.jsonl and TensorBoard's files; valid.parquet and
            test.parquet.
        progress: told of each stage.
        spec: its sections for models, training and evaluation are used; None: the dataset's own.
        importance: also measure how much the metric of the validation lists falls without each feature.

    Returns:
        the manifest; {} of all workers but the first, which writes the folder.

    Raises:
        RankerError: if the spec has no such model, or it does not fit the dataset.
    """
    refuse_to_replace(out)
    wanted = dataset.spec if spec is None else spec
    model = next((model for model in wanted.models if model.name == name), None)
    if model is None:
        raise RankerError(f"--only: no model {name!r} in the spec; there are {[m.name for m in wanted.models]}")
    only = wanted.model_copy(update={"models": [model]})
    material = read_material(dataset, only, out, progress)
    member = fit_member(model, material, progress)
    if not material.writes:
        return {}
    with new_directory(out) as building:
        with progress.stage("score the validation and test lists"):
            means = _write_scores(building, material, member)
        found = _importance(material, member, progress) if importance else []
        _write_model(building, member, dataset)
        keep_histories(material.work, building, [name])
        manifest = {
            "kind": "member",
            "format_version": FORMAT_VERSION,
            "spec": material.spec.model_dump(),
            "dataset": {key: dataset.manifest[key] for key in ("spec_digest", "sources", "splits")},
            "layout": dataset.layout.to_json(),
            "member": {"name": name, "kind": member.spec.kind, **member.about},
            "means": {str(material.metric): means},
            "importance": [vars(one) for one in found],
            "versions": versions(),
        }
        write_json(building / "manifest.json", manifest)
    shutil.rmtree(material.work, ignore_errors=True)
    return manifest


def _importance(material: Material, member: Member, progress: Progress) -> list[Importance]:
    with progress.stage("permute the features of the validation lists") as stage:
        return permutation_importance(
            member.score, material.valid, material.metric, seed=material.spec.training.seed, report=stage.update
        )


def _write_model(building: Path, member: Member, dataset: Dataset) -> None:
    if member.booster is not None:
        (building / "lightgbm.txt").write_text(member.booster, encoding="utf-8")
    elif isinstance(member.spec, Network):
        save_weights(building / WEIGHTS, member.scorer)
        keep_vocabularies(dataset, building)


def _write_scores(building: Path, material: Material, member: Member) -> dict[str, float]:
    """The score tables; the mean of the metric by split."""
    dataset, name = material.dataset, member.spec.name
    test = read_examples(dataset.packed("test"), dataset.layout)
    splits: tuple[tuple[SplitName, Examples], ...] = (("valid", material.valid), ("test", test))
    means: dict[str, float] = {}
    for split, examples in splits:
        scores = member.score(examples)
        means[split] = float(np.nanmean(material.metric.per_list(examples.lists, scores)))
        _write_table(building / f"{split}.parquet", material, split, {name: np.split(scores, examples.offsets[1:-1])})
    return means


def _write_table(path: Path, material: Material, split: SplitName, scores: Mapping[str, list[np.ndarray]]) -> None:
    """A score table of a split; `scores` are those of each list, by model."""
    features = _features(material)
    number = count()

    def of_list(_: JudgedList) -> dict[str, np.ndarray]:
        at = next(number)
        return {model: values[at] for model, values in scores.items()}

    lists = read_raw(material.dataset.raw(split), list(features.values()))
    writer: pq.ParquetWriter | None = None
    for batch in score_batches(lists, of_list, features):
        writer = writer or pq.ParquetWriter(path, batch.schema)
        writer.write_batch(batch)
    if writer is not None:
        writer.close()


def _features(material: Material) -> dict[str, Column]:
    """What slices and clusters of the spec need, by their names in the score tables."""
    evaluation, columns = material.spec.evaluation, {column.name: column for column in material.dataset.columns}
    wanted = [name for one in evaluation.slices for name in one.features]
    wanted += [evaluation.cluster] if evaluation.cluster is not None else []
    names = column_names(
        [name for name in dict.fromkeys(wanted) if name in columns], [model.name for model in material.spec.models]
    )
    return {names[name]: columns[name] for name in names}
