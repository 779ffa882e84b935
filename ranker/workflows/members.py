"""Training one member: a network, trees, or a feature taken as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ranker.models.scorers.lambdamart import LambdaMartScorer, tree_matrix
from ranker.models.scorers.single_feature import SingleFeatureScorer
from ranker.models.trees import BoosterGraph
from ranker.spec import LambdaMart, Model, Network
from ranker.workflows.material import Material
from ranker.workflows.progress import Progress
from training.examples import Examples
from training.fit import fit_network
from training.lambdamart import fit_lambdamart, tree_rows
from training.scoring import score_examples
from training.settings import settle
from training.warm_start import WarmStart

__all__ = ["Member", "fit_member"]


@dataclass(frozen=True)
class Member:
    """A trained model.

    Attributes:
        spec: its section.
        scorer: in the graph, `(features, mask) -> scores`.
        reference: what computes the same scores outside the exported graph, of the documents of a padded list.
        score: scores of the documents of a split, float64.
        about: what its manifest says of how it was trained.
        booster: LightGBM's text, for trees.
    """

    spec: Model
    scorer: Any
    reference: Callable[..., Any]
    score: Callable[[Examples], NDArray[np.float64]]
    about: Mapping[str, Any] = field(default_factory=dict)
    booster: str | None = None


def fit_member(model: Model, material: Material, progress: Progress) -> Member:
    """Train a model.

    Args:
        model: its section of the spec.
        material: the lists.
        progress: told of the stage.
    """
    if isinstance(model, Network):
        return _network(model, material, progress)
    if isinstance(model, LambdaMart):
        return _trees(model, material, progress)
    feature = SingleFeatureScorer(model, material.dataset.layout)
    return Member(model, feature, lambda f, mask: feature(f, mask)[mask], lambda lists: score_examples(feature, lists))


def _network(model: Any, material: Material, progress: Progress) -> Member:
    training = material.spec.training
    settings = settle(model, training, len(material.train), len(material.valid))
    start, taken = _start(model, material, progress)
    with progress.stage(f"train {model.name} ({model.kind})") as stage:
        fitted = fit_network(
            model,
            settings,
            material.train,
            material.valid,
            material.metric,
            stage.update,
            folder=material.work / model.name,
            strategy=material.strategy,
            start=start,
        )
    network = fitted.scorer
    call = tf.function(network, reduce_retracing=True)
    about = {"training": settings.to_json(), "best_epoch": fitted.best_epoch, "epochs": len(fitted.history), **taken}
    return Member(
        model, network, lambda f, mask: network(f, mask)[mask], lambda lists: score_examples(call, lists), about
    )


def _start(model: Network, material: Material, progress: Progress) -> tuple[WarmStart | None, dict[str, Any]]:
    """What the network takes of an older one, and what the manifest says of that."""
    training = material.spec.training
    if training.warm_start is None:
        return None, {}
    older = material.older.get(model.name)
    if older is None:
        with progress.stage(f"start {model.name} from nothing: {training.warm_start} has no network of this name"):
            return None, {"warm_start": None}
    with progress.stage(f"start {model.name} from {older.path}") as stage:
        start = older.start(model, material.dataset, training.seed)
        stage.update(start.taken.used, start.taken.all, f"weights: {start.taken}")
    return start, {"warm_start": {"from": older.path, **start.taken.to_json()}}


def _trees(model: LambdaMart, material: Material, progress: Progress) -> Member:
    seed, layout = material.spec.training.seed, material.dataset.layout
    with progress.stage(f"train {model.name} ({model.kind})") as stage:
        booster = fit_lambdamart(model, seed, material.train, material.valid, material.metric, stage.update)
    text = booster.model_to_string()
    return Member(
        model,
        LambdaMartScorer(BoosterGraph(text), layout),
        lambda f, mask: booster.predict(tree_matrix(f, mask, layout).numpy()),
        lambda lists: np.asarray(booster.predict(tree_rows(lists))),
        {"trees": booster.num_trees()},
        text,
    )
