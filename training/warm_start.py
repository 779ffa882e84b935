"""Warm start: a network begins with the weights of an older one, wherever they mean the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranker.data.layout import Layout
from ranker.errors import RankerError
from ranker.models.scorers.networks import make_network
from ranker.spec import Network
from training.axes import axes_of
from training.meaning import Entries
from training.weights import weight_names

__all__ = ["Taken", "WarmStart", "warm_start"]

_SHOWN = 4  # weights in a message

Meanings = Mapping[str, Entries]


@dataclass(frozen=True)
class Taken:
    """What became of the weights of a network; those that `adapt` sets are not among them.

    Attributes:
        copied: names of those that are the older ones.
        mapped: of those that are the older ones where these mean the same: how many numbers, and of how many.
        fresh: names of those of which nothing was taken.
    """

    copied: Sequence[str]
    mapped: Mapping[str, tuple[int, int]]
    fresh: Sequence[str]

    @property
    def used(self) -> int:
        """Of how many weights something was taken."""
        return len(self.copied) + len(self.mapped)

    @property
    def all(self) -> int:
        """How many there are."""
        return self.used + len(self.fresh)

    def __str__(self) -> str:
        return f"{len(self.copied)} copied, {len(self.mapped)} mapped, {len(self.fresh)} fresh"

    def to_json(self) -> dict[str, Any]:
        """As manifests hold it."""
        mapped = {name: {"taken": taken, "of": of} for name, (taken, of) in self.mapped.items()}
        return {"copied": list(self.copied), "mapped": mapped, "fresh": list(self.fresh)}


@dataclass(frozen=True)
class WarmStart:
    """Sets the weights of a network, as `start` of `training.fit.fit_network`.

    Attributes:
        values: the weights that are set, by name.
        taken: what became of all.
    """

    values: Mapping[str, NDArray[Any]]
    taken: Taken

    def __call__(self, network: Any) -> None:
        """Set the weights of a network as it was when it was matched, those of `adapt` apart."""
        given = zip(weight_names(network), network.get_weights(), strict=True)
        network.set_weights([self.values.get(name, weight) for name, weight in given])


def warm_start(
    spec: Network,
    layout: Layout,
    seed: int,
    older: Mapping[str, NDArray[Any]],
    now: Meanings,
    then: Meanings,
) -> WarmStart:
    """Match the weights of an older network with those of a new one, by their names.

    Of a weight with an axis that depends on the dataset, the places are taken that mean the same in both: a column by
    its name, an id by the value of its vocabulary. What is new stays as it is initialised, what is gone is dropped. The
    scales of the dense numbers are not taken: `adapt` makes them of the new data. They belong to the numbers as the
    transform graph gives them, and its own constants (means, spreads, document frequencies) are new as well; a number
    enters the network by how it compares with those of the training documents, which is what the weights have learnt
    from.

    Args:
        spec: the network's section.
        layout: of the new dataset.
        seed: of the initial weights.
        older: the older network's weights by their names.
        now: what axes mean in the new dataset.
        then: what they mean in the older one.

    Raises:
        RankerError: if no weight of two axes or more fits: biases and scales alone are worth nothing.
    """
    initial = _initial(spec, layout, seed)
    axes = {} if _equal(now, then) else axes_of(spec, layout)
    values: dict[str, NDArray[Any]] = {}
    copied: list[str] = []
    mapped: dict[str, tuple[int, int]] = {}
    for name, value in initial.items():
        weight = older.get(name)
        places = None if weight is None else _places(value.shape, weight.shape, axes.get(name), now, then)
        if weight is None or places is None:
            continue
        values[name] = _moved(value, weight, places)
        if value.shape == weight.shape and all(np.array_equal(one, np.arange(len(one))) for one in places):
            copied.append(name)
        else:
            mapped[name] = int(np.prod([np.sum(one >= 0) for one in places])), value.size
    if not any(value.ndim > 1 for value in values.values()):
        raise RankerError(
            f"no weight of {spec.name!r} ({spec.kind}) fits: expected {_told(initial)}; there is {_told(older)}; give "
            "the network the options that it had, or train it without warm_start"
        )
    return WarmStart(values, Taken(copied, mapped, [name for name in initial if name not in values]))


def _initial(spec: Network, layout: Layout, seed: int) -> dict[str, NDArray[Any]]:
    """The weights of the new network by their names, but for those that `adapt` sets."""
    network = make_network(spec, layout, seed)
    adapted = {
        id(weight)
        for layer in network.submodules
        if hasattr(layer, "adapt") and not layer.trainable_weights
        for weight in layer.weights
    }
    named = zip(weight_names(network), network.weights, network.get_weights(), strict=True)
    return {name: value for name, weight, value in named if id(weight) not in adapted}


def _equal(now: Meanings, then: Meanings) -> bool:
    return now.keys() == then.keys() and all(entries == then[name] for name, entries in now.items())


def _places(
    shape: tuple[int, ...],
    older_shape: tuple[int, ...],
    axes: Sequence[str | None] | None,
    now: Meanings,
    then: Meanings,
) -> list[NDArray[np.int64]] | None:
    """For each axis the older place of each place, -1 where there is none; None if nothing fits.

    Args:
        shape: of the new weight.
        older_shape: of the older one.
        axes: what each axis depends on; None: nothing that differs between the datasets.
        now: what axes mean in the new dataset.
        then: what they mean in the older one.
    """
    if len(shape) != len(older_shape):
        return None
    places = []
    for name, size, older_size in zip(axes or [None] * len(shape), shape, older_shape, strict=True):
        if name is None:
            found = np.arange(size) if size == older_size else None
        else:
            found = _mapped(now.get(name), then.get(name), size, older_size)
        if found is None:
            return None
        places.append(found)
    return places


def _mapped(entries: Entries | None, older: Entries | None, size: int, older_size: int) -> NDArray[np.int64] | None:
    """The older place of each entry; None if they have no value in common, or there are others than places."""
    if entries is None or older is None or (len(entries), len(older)) != (size, older_size):
        return None
    places = entries.places_in(older)
    values = places[entries.reserved : entries.reserved + len(entries.values)]
    return places if np.any((values if len(values) else places[entries.reserved :]) >= 0) else None


def _moved(value: NDArray[Any], older: NDArray[Any], places: Sequence[NDArray[np.int64]]) -> NDArray[Any]:
    """The value with the older numbers at their new places."""
    known = [np.flatnonzero(one >= 0) for one in places]
    moved = np.array(value)
    moved[np.ix_(*known)] = older[np.ix_(*(one[at] for one, at in zip(places, known, strict=True)))]
    return moved


def _told(weights: Mapping[str, NDArray[Any]]) -> str:
    """The first of the weights with two axes or more."""
    large = [f"{name} {list(weight.shape)}" for name, weight in weights.items() if weight.ndim > 1]
    more = f" and {len(large) - _SHOWN} more" if len(large) > _SHOWN else ""
    return (", ".join(large[:_SHOWN]) or "none") + more
