"""What members are trained on: the lists of a dataset as arrays, and what the spec says of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf

from eval.lists import Lists
from eval.metrics import Metric
from ranker.data.artefacts import ArtefactError
from ranker.data.dataset import Dataset
from ranker.data.split import SplitName
from ranker.spec import LambdaMart, Spec
from ranker.workflows.measured import measuring, metrics_of
from ranker.workflows.older_networks import OlderNetwork, older_networks
from ranker.workflows.progress import Progress
from training.examples import Examples, read_examples
from training.lambdamart import check_grades
from training.strategies import is_chief, make_strategy

__all__ = ["Material", "read_material"]

_SHARE = 0.4  # of the memory that is free; more is put in files


@dataclass(frozen=True)
class Material:
    """Lists to train on.

    Attributes:
        dataset: where they are from.
        spec: what is trained.
        metric: what the best epoch and the best number of trees are chosen by.
        train: the training lists.
        valid: the validation lists.
        work: folder in which a training keeps what it goes on from if it was killed.
        older: networks to start from, by the name of the one that is trained.
        strategy: the devices.
    """

    dataset: Dataset
    spec: Spec
    metric: Metric
    train: Examples
    valid: Examples
    work: Path
    older: Mapping[str, OlderNetwork] = field(default_factory=dict)
    strategy: tf.distribute.Strategy | None = None

    @property
    def writes(self) -> bool:
        """Whether this process writes what is made: the only one, or the first of several workers."""
        return self.strategy is None or is_chief(self.strategy)


def read_material(dataset: Dataset, spec: Spec | None, out: Path, progress: Progress) -> Material:
    """Check that spec and dataset fit, and read the lists.

    Args:
        dataset: what `prepare` made.
        spec: its models, blend, training, evaluation and serving sections are used; None: the dataset's own.
        out: folder of what is made; the work folder is beside it.
        progress: told of the stage.

    Raises:
        ArtefactError: if data and features of the spec are not the dataset's, or a split has no relevant document.
        RankerError: for labels that a model or the metric refuses, or networks to start from that do not fit.
    """
    spec = _settle(dataset, spec)
    strategy = make_strategy(spec.training.strategy)  # before anything is computed: workers have to meet first
    metric = metrics_of(spec)[0]
    _check_labels(spec, dataset, metric)
    older = older_networks(spec)
    work = out.resolve().with_name(f".{out.resolve().name}.training")
    arrays = work / f"arrays of {strategy.cluster_resolver.task_id}" if strategy.cluster_resolver else work
    with progress.stage("read the training lists") as stage:
        train, valid = (_read(dataset, split, spec.training.cache, arrays) for split in ("train", "valid"))
        stage.count(len(train) + len(valid), "lists")
    return Material(dataset, spec, metric, train, valid, work, older, strategy)


def _read(dataset: Dataset, split: SplitName, cache: str, arrays: Path) -> Examples:
    files = dataset.packed(split)
    size = sum(file.stat().st_size for file in files)  # packed records are little more than their numbers
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    on_disk = cache == "disk" or (cache == "auto" and size > _SHARE * free)
    return read_examples(files, dataset.layout, arrays / split if on_disk else None)


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


def _check_labels(spec: Spec, dataset: Dataset, metric: Metric) -> None:
    """Labels that a model or the metric refuses, before any training."""
    splits = dataset.manifest["splits"].values()
    labels = np.unique([float(label) for counts in splits for label in counts["labels"]])
    if any(isinstance(model, LambdaMart) for model in spec.models):
        check_grades(labels)
    with measuring():
        metric.per_list(Lists(np.array([""]), np.array([0, len(labels)]), labels), np.zeros(len(labels)))
