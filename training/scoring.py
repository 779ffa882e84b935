"""Scores of a split's lists by a scorer: each list once, in batches of lists of like length."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.batches import PaddedLists, pad_lists, prefetched
from training.examples import Examples

__all__ = ["Scorer", "padded_batches", "score_examples"]

Scorer = Callable[..., tf.Tensor]
_DOCUMENTS = 8_192  # of a batch, padded


def score_examples(scorer: Scorer, examples: Examples, lists: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """Scores of documents, float64, list by list in the order of `lists`.

    Args:
        scorer: `(features, mask) -> scores` [batch, list].
        examples: where the lists are.
        lists: their numbers, int64; None: all.
    """
    wanted = np.arange(len(examples)) if lists is None else lists
    sizes = examples.sizes[wanted]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    scores = np.empty(offsets[-1])
    for members, batch in padded_batches(examples, wanted):
        found = scorer({n: tf.constant(v) for n, v in batch.features.items()}, tf.constant(batch.mask)).numpy()
        places = [np.arange(offsets[at], offsets[at + 1]) for at in members]
        scores[np.concatenate(places)] = found[batch.mask]
    return scores


def padded_batches(examples: Examples, lists: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], PaddedLists]]:
    """Batches of lists of like length, and the places of their lists in `lists`."""
    sizes = examples.sizes[lists]
    order = np.argsort(sizes, kind="stable")[::-1]
    cuts: list[NDArray[np.int64]] = []
    while len(order):
        count = max(_DOCUMENTS // max(int(sizes[order[0]]), 1), 1)
        cuts.append(order[:count])
        order = order[count:]

    def made() -> Iterator[PaddedLists]:
        for members in cuts:
            numbers = lists[members]
            rows = [np.arange(examples.offsets[q], examples.offsets[q + 1]) for q in numbers]
            yield pad_lists(examples, numbers, rows, len(numbers))

    yield from zip(cuts, prefetched(made()), strict=True)
