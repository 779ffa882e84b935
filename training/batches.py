"""Which lists come together, in which order, and how they become padded tensors.

All of it is a function of the seed, the epoch and the list, not of what came before, so that training goes on after a
crash as though there had been none.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.examples import Examples, IdValues
from training.settings import FitSettings

__all__ = ["Batches", "PaddedLists", "epoch_order", "pad_lists", "padded_length", "prefetched", "sampled"]

_WINDOW = 32  # batches within which lists are put together by length
_STEPS = 4  # padded lengths per doubling
_SHORTEST = 8


@dataclass(frozen=True, eq=False)
class PaddedLists:
    """A batch as numpy arrays, see `training.inputs.Batch`.

    Attributes:
        features: as the layout says; padding is 0.
        mask: bool [batch, length].
        labels: float32 [batch, length].
        judged: [batch, length] each.
    """

    features: dict[str, NDArray[np.generic]]
    mask: NDArray[np.bool_]
    labels: NDArray[np.float32]
    judged: dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Batches:
    """The batches of an epoch of training.

    Args:
        examples: all training lists.
        settings: batch size, seed, cap, buckets.
        lists: the numbers of the lists that are used, int64; None: all.
        fixed: every batch has `batch_size` lists, the last one filled with empty ones: for compilers and replicas.
    """

    examples: Examples
    settings: FitSettings
    lists: NDArray[np.int64] | None = None
    fixed: bool = False

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        count = len(self.examples) if self.lists is None else len(self.lists)
        return -(-count // self.settings.batch_size)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[PaddedLists]:
        """The batches of an epoch from number `first` on, made one ahead."""
        return prefetched(self._made(epoch, first))

    def _made(self, epoch: int, first: int) -> Iterator[PaddedLists]:
        settings, cap = self.settings, self.settings.list_cap
        for lists in self.order(epoch)[first:]:
            documents = [sampled(self.examples, int(q), cap, settings.seed, epoch) for q in lists]
            rows = settings.batch_size if self.fixed else len(lists)
            yield pad_lists(self.examples, lists, documents, rows)

    def order(self, epoch: int) -> list[NDArray[np.int64]]:
        """The lists of each batch of an epoch."""
        sizes = np.minimum(self.examples.sizes, self.settings.list_cap)
        lists = np.arange(len(sizes)) if self.lists is None else self.lists
        order = epoch_order(sizes[lists], self.settings.batch_size, (self.settings.seed, epoch), self.settings.buckets)
        return [lists[batch] for batch in order]

    def length(self, lists: NDArray[np.int64]) -> int:
        """The padded length of a batch of these lists."""
        return padded_length(int(np.minimum(self.examples.sizes[lists], self.settings.list_cap).max(initial=1)))


def epoch_order(
    sizes: NDArray[np.int64], batch_size: int, key: tuple[int, int], buckets: bool
) -> list[NDArray[np.int64]]:
    """Lists in a random order, in batches; every list once.

    Args:
        sizes: documents of each list.
        batch_size: lists per batch; the last may have fewer.
        key: seed and epoch.
        buckets: put lists of like length together: within windows of 32 batches, so that lists still meet others in
            each epoch, and batches in random order.
    """
    random = np.random.Generator(np.random.Philox(key=list(key)))
    order = random.permutation(len(sizes))
    if buckets:
        window = batch_size * _WINDOW
        parts = [order[at : at + window] for at in range(0, len(order), window)]
        order = np.concatenate([part[np.argsort(sizes[part], kind="stable")] for part in parts] or [order])
    batches = [order[at : at + batch_size] for at in range(0, len(order), batch_size)]
    return [batches[at] for at in random.permutation(len(batches))] if buckets else batches


def sampled(examples: Examples, number: int, cap: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The documents of a training list: all, or of a list above the cap all relevant ones and some of the others.

    If the relevant documents alone are too many, some of them. Which ones is another choice in each epoch.

    Returns:
        int64 [at most cap], rows of the examples, rising.
    """
    start, end = examples.offsets[number], examples.offsets[number + 1]
    if end - start <= cap:
        return np.arange(start, end)
    random = np.random.Generator(np.random.Philox(key=[seed, (epoch << 40) + number]))
    drawn = random.random(end - start)
    drawn[examples.labels[start:end] > 0] -= 1
    return start + np.sort(np.argpartition(drawn, cap - 1)[:cap])


def padded_length(longest: int) -> int:
    """One of 8, 16, 24, 32, 40, 48, 56, 64, 80, ... that holds so many documents: few shapes, little waste."""
    step = max(_SHORTEST, 1 << max(int(longest - 1).bit_length() - _STEPS.bit_length(), 0))
    return -(-max(longest, 1) // step) * step


def pad_lists(
    examples: Examples, lists: NDArray[np.int64], documents: list[NDArray[np.int64]], rows: int
) -> PaddedLists:
    """Padded tensors of some lists.

    Args:
        examples: where they are.
        lists: int64 [batch].
        documents: rows of the examples for each of the lists.
        rows: lists of the padded batch, at least as many as there are; the others are empty.
    """
    sizes = np.array([len(chosen) for chosen in documents] + [0] * (rows - len(lists)))
    mask = np.arange(padded_length(int(sizes.max(initial=1)))) < sizes[:, None]
    chosen = np.concatenate([*documents, np.zeros(0, np.int64)])
    places = [_together(of_list) for of_list in documents]
    layout = examples.layout

    def padded(values: NDArray[np.generic]) -> NDArray[np.generic]:
        filled = np.zeros((*mask.shape, *values.shape[1:]), values.dtype)
        for row, place, size in zip(filled, places, sizes, strict=False):
            row[:size] = values[place]
        return filled

    features = {"dense": padded(examples.dense)}
    for feature in layout.ids:
        of_document = feature.scope == "document"
        ids = _id_rows(examples.ids[feature.name], chosen if of_document else lists, feature.multivalued)
        filled = np.zeros((*(mask.shape if of_document else mask.shape[:1]), ids.shape[1]), np.int64)
        filled[mask if of_document else slice(len(lists))] = ids
        features[feature.name] = filled
    judged = {name: padded(values) for name, values in examples.judged.items()}
    return PaddedLists(features, mask, padded(examples.labels), judged)  # type: ignore[arg-type]


def _together(rows: NDArray[np.int64]) -> slice | NDArray[np.int64]:
    """Rising rows as a slice where they follow one another: copied in one piece, in half the time."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _id_rows(ids: IdValues, rows: NDArray[np.int64], multivalued: bool) -> NDArray[np.int64]:
    """The ids of some rows, filled with 0 to a common width: int64 [rows, width]."""
    starts, counts = ids.offsets[rows], ids.offsets[rows + 1] - ids.offsets[rows]
    places = np.arange(max(int(counts.max(initial=1)), 1) if multivalued else 1)
    there = places < counts[:, None]
    found = np.zeros(there.shape, np.int64)
    found[there] = ids.values[(starts[:, None] + places)[there]]
    return found


def prefetched(batches: Iterator[PaddedLists], ahead: int = 2) -> Iterator[PaddedLists]:
    """The same batches, made in a thread of their own while the last one is used."""
    made: queue.Queue[PaddedLists | BaseException | None] = queue.Queue(ahead)
    ended = threading.Event()

    def put(item: PaddedLists | BaseException | None) -> bool:
        while not ended.is_set():
            try:
                made.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def make() -> None:
        try:
            for batch in batches:
                if not put(batch):
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 - raised where the batch is wanted
            put(error)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        ended.set()
        thread.join()
