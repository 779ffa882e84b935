"""What the jobs write: every list once, in its split, raw and packed in the same order."""

import numpy as np
import pytest

from ranker.data.columns import raw_columns
from ranker.data.elwc.records import read_raw
from ranker.data.split import SPLITS


@pytest.mark.parametrize("split", SPLITS)
def test_every_list_is_written_once_in_its_split(prepared, dataset, split):
    tables = prepared.tables
    expected = sorted(tables.of_split(split))
    raw = list(read_raw(dataset.raw(split), dataset.columns))
    assert [judged.request.query_id for judged in raw] == list(prepared.packed[split])
    assert sorted(prepared.packed[split]) == expected
    for judged in raw:
        judgments = tables.lists[judged.request.query_id]
        assert list(zip(judged.request.document_ids, judged.labels.tolist(), strict=True)) == judgments
        packed = prepared.packed[split][judged.request.query_id]
        assert [document["label"] for document in packed.documents] == [[label] for _, label in judgments]


@pytest.mark.parametrize("split", SPLITS)
def test_weights_positions_and_times_are_in_the_records(kinds, split):
    """A missing weight is 1, a document that was not shown has position 0."""
    files = sorted((kinds.path / "raw").glob(f"{split}-*"))
    lists = list(read_raw(files, raw_columns(kinds.spec)))
    assert [judged.request.query_id for judged in lists] == list(kinds.packed[split])
    missing = 0
    for judged in lists:
        query_id = judged.request.query_id
        pairs = [kinds.tables.pairs[query_id, document] for document in judged.request.document_ids]
        weights = [1.0 if pair["importance"] is None else pair["importance"] for pair in pairs]
        positions = [pair["shown"] or 0 for pair in pairs]
        assert (judged.weights.tolist(), judged.positions.tolist()) == (weights, positions)
        packed = kinds.packed[split][query_id].documents
        assert [document["weight"] for document in packed] == [[weight] for weight in weights]
        assert [document["position"] for document in packed] == [[position] for position in positions]
        asked = kinds.tables.queries[query_id]["asked"]
        assert judged.request.tensors["timestamp"].tolist() == [np.iinfo(np.int64).min if asked is None else asked]
        missing += sum(pair["importance"] is None or pair["shown"] is None for pair in pairs)
    assert missing > 3
