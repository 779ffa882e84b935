"""Names of the numbers that documents enter networks as, in their order."""

from __future__ import annotations

from collections.abc import Sequence

from ranker.data.layout import Layout
from ranker.models.scorers.overlap import shared_pairs

__all__ = ["input_names", "number_names"]


def number_names(layout: Layout, dense: Sequence[str]) -> list[str]:
    """Of the dense numbers and the overlaps behind them (`ranker.models.scorers.overlap`), such as `query & title`.

    Args:
        layout: names of the tensors.
        dense: a name for each dense number.
    """
    return [*dense, *(f"{query.name} & {document.name}" for query, document in shared_pairs(layout))]


def input_names(layout: Layout, dense: Sequence[str], relative: bool = False) -> list[str]:
    """Of what `Inputs` makes of a document; `words*title[0 of 16]` is a product of embeddings.

    Args:
        layout: names of the tensors.
        dense: a name for each dense number.
        relative: as for `Inputs`.
    """
    pairs = shared_pairs(layout)
    together = {feature.name for pair in pairs for feature in pair if feature.multivalued}
    numbers = number_names(layout, dense)
    numbers += [f"{name} within the list" for name in numbers] if relative else []
    embedded = [(feature.name, feature.embed) for feature in layout.ids if feature.name not in together]
    embedded += [(f"{query.name}*{document.name}", query.embed) for query, document in pairs]
    return [*numbers, *(f"{name}[{at} of {embed}]" for name, embed in embedded for at in range(embed))]
