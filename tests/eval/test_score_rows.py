import numpy as np
import pyarrow as pa
import pytest

from eval.score_rows import divided_query, hashes_of, partitions_of, plain_rows, plain_schema
from ranker.data.id_hash import hash_ids


def batch(table):
    return table.combine_chunks().to_batches()[0]


def test_the_schema_has_no_dictionaries_and_keeps_what_is_judged(make_scores):
    scores = make_scores(5)
    encoded = scores.set_column(0, "query_id", scores["query_id"].dictionary_encode())
    encoded = encoded.append_column("judged", pa.array([True] * scores.num_rows))
    schema = plain_schema(encoded.schema, ["query_id", "a"])
    assert schema == pa.schema([("query_id", pa.string()), ("a", pa.float64()), ("judged", pa.bool_())])
    rows = plain_rows(batch(encoded), schema)
    assert rows["query_id"].to_pylist() == scores["query_id"].to_pylist()
    with pytest.raises(ValueError, match="expected a column 'gone'"):
        plain_schema(encoded.schema, ["gone"])


@pytest.mark.parametrize("values", [["x"], [[1.5]], [1.5]])
def test_a_column_of_another_type_is_refused(values):
    rows = pa.record_batch({"label": pa.array(values)})
    with pytest.raises(ValueError, match="column 'label': expected int64 as in its first rows, got"):
        plain_rows(rows, pa.schema([("label", pa.int64())]))


def test_numbers_are_not_rounded_to_the_type_of_the_first_rows():
    first = pa.schema([("a", pa.float32()), ("brand", pa.null())])
    schema = plain_schema(first, ["a", "brand"])
    rows = pa.record_batch({"a": pa.array([0.1], pa.float32()), "brand": pa.array(["x"])})
    assert plain_rows(rows, schema).to_pylist() == rows.to_pylist()
    with pytest.raises(ValueError, match="column 'a': expected float as in its first rows, got double; write"):
        plain_rows(pa.record_batch({"a": pa.array([0.1]), "brand": pa.array(["x"])}), schema)


def test_partitions_hang_on_the_text_of_ids():
    numbers, texts = (pa.record_batch({"query_id": pa.array(ids)}) for ids in ([7, 8, 9], ["7", "8", "9"]))
    assert hashes_of(numbers, "query_id").tolist() == hash_ids(pa.array(["7", "8", "9"])).tolist()
    assert np.array_equal(partitions_of(numbers, "query_id", 5), partitions_of(texts, "query_id", 5))


def test_ids_that_are_none_are_refused():
    rows = pa.record_batch({"query_id": pa.array(["a", "b", None]), "user": pa.array([1.5, 2, 3])})
    with pytest.raises(ValueError, match="'query_id': expected no nulls, got 1 in 3 rows, the first after query 'b'"):
        hashes_of(rows, "query_id")
    with pytest.raises(ValueError, match="'user': expected text or integers, got double"):
        hashes_of(rows, "user")


def test_a_divided_query_is_named():
    assert "column 'user': expected one value for query 'q'" in str(divided_query("user", "q"))
