"""The first records of ELWC files: what is seen of each feature."""

from __future__ import annotations

import pytest
from tensorflow_serving.apis import input_pb2

from ranker.data.data_error import DataError
from ranker.data.elwc.head import Seen, read_elwc_head
from ranker.data.elwc.tf_records import write_records


def record(query: str, *documents: dict) -> bytes:
    elwc = input_pb2.ExampleListWithContext()
    elwc.context.features.feature["query_id"].bytes_list.value.append(query.encode())
    for document in documents:
        features = elwc.examples.add().features
        for name, values in document.items():
            feature = features.feature[name]
            kinds = {float: feature.float_list, int: feature.int64_list, str: feature.bytes_list}
            for value in values:
                kinds[type(value)].value.append(value.encode() if isinstance(value, str) else value)
    return elwc.SerializeToString()


RECORDS = [
    record("a", {"x": [1.0], "many": [1, 2]}, {"x": [2], "none": []}),
    b"\x0a\x05abc",
    record("b"),
    record("c", {"many": [1, 2, 3], "text": ["t"]}),
    record("d", {"late": [1.0]}),
]


def test_all_records(tmp_path):
    write_records(tmp_path / "a", RECORDS)
    head = read_elwc_head(tmp_path / "a", 100)
    assert (head.lists, head.documents, head.unparsable, head.whole) == (4, 4, [2], True)
    assert head.context == {"query_id": Seen({"bytes"}, 1, 1)}
    assert head.document == {
        "x": Seen({"float", "int64"}, 1, 1),
        "many": Seen({"int64"}, 2, 3),
        "text": Seen({"bytes"}, 1, 1),
        "late": Seen({"float"}, 1, 1),
    }
    assert [name for name, seen in head.document.items() if seen.is_scalar] == ["x", "late"]


@pytest.mark.parametrize(("documents", "lists"), [(1, 1), (2, 1), (3, 3)])
def test_whole_lists_until_there_are_enough_documents(tmp_path, documents, lists):
    write_records(tmp_path / "a", RECORDS, "gzip")
    head = read_elwc_head(tmp_path / "a", documents)
    assert (head.lists, head.whole, "late" in head.document) == (lists, False, False)


def test_several_files_are_seen_as_one(tmp_path):
    write_records(tmp_path / "a", RECORDS[:1])
    write_records(tmp_path / "b", [record("e", {"x": ["text"]})])
    head = read_elwc_head(tmp_path / "b", 9, read_elwc_head(tmp_path / "a", 9))
    assert (head.lists, head.documents) == (2, 3)
    assert head.document["x"] == Seen({"float", "int64", "bytes"}, 1, 1)
    assert not head.document["x"].is_scalar


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "a").write_text("1 qid:1 1:1\n" * 9)
    with pytest.raises(DataError, match="expected a TFRecord file"):
        read_elwc_head(tmp_path / "a", 9)
