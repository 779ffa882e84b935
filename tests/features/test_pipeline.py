"""What the jobs write: every list once, in its split, raw and packed in the same order."""

import pytest

from ranker.data.elwc import read_raw
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
