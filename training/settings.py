"""How a network is trained once everything that the spec leaves open is settled."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ranker.spec import Network, Training

__all__ = ["FitSettings", "settle"]


@dataclass(frozen=True)
class FitSettings:
    """Every choice of a network's training.

    Attributes:
        epochs: at most.
        batch_size: lists per step, over all replicas.
        learning_rate: after the warm-up.
        schedule: of the learning rate after the warm-up: `constant`, or to 0 by `cosine` or `linear`.
        warm_up: share of all steps in which the rate rises from 0.
        clip_norm: largest norm of all gradients together.
        weight_decay: decoupled (Loshchilov and Hutter, ICLR 2019); not of biases, norms and embeddings.
        keep: weights of the epoch with the `best` validation metric, or of the `last` one, after all epochs.
        patience: of `best`: epochs without a better validation metric, after which training ends.
        list_cap: documents of a training list.
        seed: of initial weights, order, sampling, dropout and noise.
        deterministic: two runs give equal weights.
        mixed_precision: bfloat16 in the layers, float32 in weights, scores and losses.
        xla: compile the step; `auto`: where it pays, by measurement.
        buckets: batches of lists of like length.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    schedule: Literal["constant", "cosine", "linear"]
    warm_up: float
    clip_norm: float
    weight_decay: float
    keep: Literal["best", "last"]
    patience: int
    list_cap: int
    seed: int
    deterministic: bool
    mixed_precision: bool
    xla: Literal["auto"] | bool
    buckets: bool

    def to_json(self) -> dict[str, Any]:
        """As manifests hold it."""
        return asdict(self)


def settle(network: Network, training: Training, lists: int, valid: int) -> FitSettings:
    """The settings of a network: its own, else those of the section `training`, else the default for so many lists.

    Args:
        network: its section.
        training: the section for all networks.
        lists: training lists.
        valid: validation lists.

    A `patience` that is said asks for the best epoch.
    """
    said = _said(training) | _said(network.training)
    chosen = _defaults(lists, valid) | ({"keep": "best"} if "patience" in said else {}) | said
    own = ("seed", "deterministic", "mixed_precision", "xla", "buckets")
    return FitSettings(**chosen, **{name: getattr(training, name) for name in own})


_ENOUGH_TO_CHOOSE = 200  # validation lists

_OPEN = (
    "epochs",
    "batch_size",
    "learning_rate",
    "schedule",
    "warm_up",
    "clip_norm",
    "weight_decay",
    "keep",
    "patience",
    "list_cap",
)


def _said(section: Any) -> dict[str, Any]:
    return {name: getattr(section, name) for name in _OPEN if getattr(section, name) is not None}


def _defaults(lists: int, valid: int) -> dict[str, Any]:
    """By the number of lists.

    Few training lists are learnt by heart soon: there the steps are few and small, and weights decay. The best of many
    epochs on few validation lists is chosen by noise: then the last one counts, at the end of the falling rate.
    """
    return {
        "epochs": 12 if lists < 300 else 20 if lists < 5_000 else 15 if lists < 20_000 else 10,
        "batch_size": 16 if lists < 5_000 else 32 if lists < 20_000 else 64,
        "learning_rate": 0.001 if lists < 300 else 0.002,
        "schedule": "cosine",
        "warm_up": 0.1,
        "clip_norm": 1.0,
        "weight_decay": 0.1 if lists < 5_000 else 0.01,
        "keep": "best" if valid >= _ENOUGH_TO_CHOOSE else "last",
        "patience": 8 if lists < 5_000 else 4,
        "list_cap": 1_000,
    }
