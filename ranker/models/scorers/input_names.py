"""Names of the numbers that documents enter networks as, in their order."""

from __future__ import annotations

from collections.abc import Sequence

from ranker.data.layout import Layout
from ranker.models.scorers.overlap import shared_pairs
from ranker.models.scorers.pieces import PIECES

__all__ = ["input_names", "number_names"]


def number_names(layout: Layout, dense: Sequence[str]) -> list[str]:
    """Of the dense numbers and the overlaps behind them (`ranker.models.scorers.overlap`), such as `query & title`.

    Args:
        layout: names of the tensors.
        dense: a name for each dense number.
    """
    return [*dense, *(f"{query.name} & {document.name}" for query, document in shared_pairs(layout))]


def input_names(layout: Layout, dense: Sequence[str]) -> list[str]:
    """Of what `Inputs` makes of a document.

    Such as `price, piece 0 of 8` of a number, and `words*title[0 of 16]` of a product of embeddings.

    Args:
        layout: names of the tensors.
        dense: a name for each dense number.
    """
    pairs, pieces = shared_pairs(layout), [f"{name}, piece {at} of {PIECES}" for name in dense for at in range(PIECES)]
    together = {feature.name for pair in pairs for feature in pair if feature.multivalued}
    numbers = number_names(layout, pieces)
    embedded = [(feature.name, feature.embed) for feature in layout.ids if feature.name not in together]
    embedded += [(f"{query.name}*{document.name}", query.embed) for query, document in pairs]
    return [*numbers, *(f"{name}[{at} of {embed}]" for name, embed in embedded for at in range(embed))]
