"""Which axes of a network's weights depend on the dataset, and on what of it.

Nobody has to say so for each kind of scorer: the network is made for two small layouts in which every count is another
one. An axis that is as long as a count in both is the axis of what is counted; one that is equally long in both depends
on the spec alone.
"""

from __future__ import annotations

from dataclasses import replace

from ranker.data.layout import Layout
from ranker.models.scorers.networks import make_network
from ranker.spec import Network
from training.meaning import VECTORS, embedding_of, ids_of
from training.weights import weight_names

__all__ = ["UNKNOWN", "axes_of"]

UNKNOWN = "unknown"  # changes with the dataset, nobody knows how

_DENSE = (3, 503)
_IDS = (2, 10_000)  # and one more for each table
_EMBEDDING = (4, 5)


def axes_of(network: Network, layout: Layout) -> dict[str, tuple[str | None, ...]]:
    """What each axis of each weight depends on.

    Args:
        network: its section of the spec.
        layout: the dataset's tensors.

    Returns:
        by the name of a weight the name of each axis, as in `training.meaning.meanings`: None for one whose length is
        the same for all datasets, `UNKNOWN` for one that is as long as nothing there.
    """
    small, large = (_probe(layout, of) for of in (0, 1))
    counts = {pair: name for name, pair in _counts(small, large).items()}
    names, shapes = _shapes(network, small)
    _, other_shapes = _shapes(network, large)

    def axis(pair: tuple[int, int]) -> str | None:
        return None if pair[0] == pair[1] else counts.get(pair, UNKNOWN)

    return {
        name: tuple(axis(pair) for pair in zip(shape, other, strict=True))
        for name, shape, other in zip(names, shapes, other_shapes, strict=True)
    }


def _probe(layout: Layout, of: int) -> Layout:
    """The layout with other counts: no two equal pairs, and no pair of equal ones."""
    tables = {table: at for at, table in enumerate(dict.fromkeys(feature.table for feature in layout.ids))}
    ids = tuple(
        replace(feature, size=_IDS[of] + tables[feature.table], embed=_EMBEDDING[of] + of * tables[feature.table])
        for feature in layout.ids
    )
    return replace(layout, dense=tuple(f"column_{at}" for at in range(_DENSE[of])), ids=ids)


def _counts(small: Layout, large: Layout) -> dict[str, tuple[int, int]]:
    """By the name of an axis, its length in both; vectors of equal lengths have the same numbers."""
    counts = {name: (len(names(small, small.dense)), len(names(large, large.dense))) for name, names in VECTORS.items()}
    for one, other in zip(small.ids, large.ids, strict=True):
        counts[ids_of(one.table)] = one.size, other.size
        counts[embedding_of(one.table)] = one.embed, other.embed
    return counts


def _shapes(network: Network, layout: Layout) -> tuple[list[str], list[tuple[int, ...]]]:
    made = make_network(network, layout, 0)
    return weight_names(made), [tuple(weight.shape) for weight in made.weights]
