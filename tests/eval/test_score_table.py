import numpy as np
import pyarrow as pa
import pytest

from eval.score_table import read_score_table

ROWS = {
    "query_id": ["b", "a", "b", "a"],
    "document_id": ["x", "x", "y", "z"],
    "label": [0, 1, 2, 3],
    "m": [0.5, 1.5, 2.5, 3.5],
    "n": [9.0, 8.0, 7.0, 6.0],
}


def table(**columns):
    return pa.table({**ROWS, **columns})


def test_rows_of_a_query_are_grouped_in_order_of_first_appearance():
    found = read_score_table(table(), ["n", "m"])
    lists, scores = found.lists, found.scores
    assert lists.query_ids.tolist() == ["b", "a"]
    assert lists.offsets.tolist() == [0, 2, 4]
    assert lists.labels.tolist() == [0, 2, 1, 3]
    assert {name: values.tolist() for name, values in scores.items()} == {
        "n": [9.0, 7.0, 8.0, 6.0],
        "m": [0.5, 2.5, 1.5, 3.5],
    }
    assert all(values.dtype == np.float64 for values in (lists.labels, *scores.values()))


def test_chunks_dictionaries_integers_and_float32_are_read_alike():
    expected = read_score_table(table(), ["m"]).lists
    chunked = pa.concat_tables([table().slice(0, 1), table().slice(1)])
    encoded = table(
        query_id=pa.array(ROWS["query_id"]).dictionary_encode(),
        document_id=pa.array([1, 1, 2, 3], pa.int64()),
        label=pa.array(ROWS["label"], pa.float32()),
        m=pa.array(ROWS["m"], pa.float32()),
    )
    for other in (chunked, encoded):
        found = read_score_table(other, ["m"])
        assert found.lists.query_ids.tolist() == expected.query_ids.tolist()
        assert found.lists.labels.tolist() == expected.labels.tolist()
        assert found.scores["m"].tolist() == [0.5, 2.5, 1.5, 3.5]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (
            {"label": [0.0, 1.0, np.nan, 3.0]},
            "column 'label': expected numbers finite and >= 0, got nan for query 'b', document 'y'",
        ),
        ({"label": [0, 1, 2, None]}, "got nan for query 'a', document 'z'"),
        ({"label": [-1, 1, 2, -1]}, "got -1.0 for query 'b', document 'x' (2 such rows)"),
        ({"m": [0.0, np.nan, 0.0, 0.0]}, "column 'm': expected numbers finite, got nan for query 'a', document 'x'"),
        ({"m": [0.0, 0.0, 0.0, -np.inf]}, "got -inf for query 'a', document 'z'"),
        ({"m": ["1", "2", "3", "4"]}, "column 'm': expected numbers, got string; cast it"),
        ({"document_id": ["x", "x", "x", "z"]}, "got query 'b', document 'x' again (1 such rows)"),
        ({"query_id": ["b", None, "b", "a"]}, "column 'query_id': expected no nulls, got 1, the first in row 1"),
        ({"document_id": [1.0, 2.0, 3.0, 4.0]}, "column 'document_id': expected text or integers, got double"),
    ],
)
def test_wrong_values_are_refused_by_name(columns, says):
    with pytest.raises(ValueError) as error:
        read_score_table(table(**columns), ["m"])
    assert says in str(error.value)


def test_missing_and_double_columns_and_no_rows_are_refused():
    with pytest.raises(
        ValueError, match="expected a column 'o', got query_id, document_id, label, m, n; add it, or name one"
    ):
        read_score_table(table(), ["m", "o"])
    double = table().append_column("m", pa.array(ROWS["m"]))
    with pytest.raises(ValueError, match="expected one column 'm', got several"):
        read_score_table(double, ["m"])
    with pytest.raises(ValueError, match="at least one row, got none"):
        read_score_table(table().slice(0, 0), ["m"])


def test_ids_units_and_further_columns_follow_the_documents():
    found = read_score_table(table(user=["u", "v", "u", "v"], x=["1", "2", "3", None]), ["m"], ["x"], "user")
    assert found.lists.document_ids.tolist() == ["x", "y", "x", "z"]
    assert found.units.tolist() == ["u", "v"]
    assert found.columns["x"].to_pylist() == ["1", "3", "2", None]
    assert read_score_table(table(), ["m"]).units.tolist() == ["b", "a"]


def test_a_column_says_what_is_judged():
    found = read_score_table(table(judged=[False, True, True, True]), ["m"])
    assert found.lists.judged.tolist() == [False, True, True, True]
    assert read_score_table(table(), ["m"]).lists.judged is None
    for judged, says in [
        ([True, None, True, True], "got null for query 'a', document 'x'"),
        ([1, 1, 0, 1], "expected true or false, got int64"),
        ([True, True, False, True], "label 2.0 of document 1 .* expected 0, as not judged"),
    ]:
        with pytest.raises(ValueError, match=says):
            read_score_table(table(judged=judged), ["m"])


def test_a_query_of_two_clusters_is_refused():
    with pytest.raises(ValueError, match="column 'user': expected one value for query 'b', got 'u' and 'w'"):
        read_score_table(table(user=["u", "v", "w", "v"]), ["m"], cluster="user")
    with pytest.raises(ValueError, match="column 'user': expected no nulls, got 1"):
        read_score_table(table(user=["u", "v", None, "v"]), ["m"], cluster="user")


def test_some_lists_keep_their_columns():
    found = read_score_table(table(x=["1", "2", "3", "4"]), ["m"], ["x"]).select(np.array([False, True]))
    assert found.lists.query_ids.tolist() == found.units.tolist() == ["a"]
    assert found.scores["m"].tolist() == [1.5, 3.5]
    assert found.columns["x"].to_pylist() == ["2", "4"]
