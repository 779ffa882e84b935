"""How often documents were chosen in the training lists: what novelty is measured by, unless a column says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ranker.data.dataset import Dataset
from ranker.data.elwc.records import read_raw

__all__ = ["training_popularity"]


def training_popularity(dataset: Dataset) -> Mapping[str, int]:
    """By document id, the training lists in which the document has a label above 0; 0 for all others."""
    found: Counter[str] = Counter()
    for judged in read_raw(dataset.raw("train"), []):
        chosen = zip(judged.request.document_ids, judged.labels.tolist(), strict=True)
        found.update(name for name, label in chosen if label > 0)
    return found
