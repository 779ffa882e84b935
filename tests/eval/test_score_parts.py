import numpy as np
import pyarrow as pa
import pytest

from eval.score_parts import Columns, WholeTable, spill_scores


def batches(table, size=200):
    """The rows in random order."""
    return table.take(np.random.default_rng(0).permutation(table.num_rows)).to_batches(max_chunksize=size)


def rows_of(part):
    """What a part knows of each document, as a set."""
    lists = part.lists
    queries = lists.query_ids[lists.ragged.rows].tolist()
    units = part.units[lists.ragged.rows].tolist()
    columns = [part.columns[name].to_pylist() for name in part.columns]
    scores = [part.scores[model].tolist() for model in part.scores]
    flat = zip(queries, lists.document_ids.tolist(), lists.labels.tolist(), units, *scores, *columns, strict=True)
    return {tuple(map(str, row)) for row in flat}


@pytest.mark.parametrize("cluster", [None, "user"])
def test_parts_are_the_whole_with_each_unit_in_one(make_scores, tmp_path, cluster):
    columns = Columns(("a", "b"), ("price", "tags"), cluster)
    whole = WholeTable(make_scores(), columns)
    spilled = spill_scores(batches(make_scores()), columns, tmp_path, 5)
    [table] = whole.parts()
    for _ in range(2):  # parts can be read again
        parts = list(spilled.parts())
        assert len(parts) == 5
        assert set().union(*map(rows_of, parts)) == rows_of(table)
        assert sum(len(part.lists.labels) for part in parts) == len(table.lists.labels)
        units = [unit for part in parts for unit in set(part.units.tolist())]
        assert len(units) == len(set(units)) == len(set(table.units.tolist()))


@pytest.mark.parametrize("cluster", [None, "user"])
def test_queries_are_found_again(make_scores, tmp_path, cluster):
    columns = Columns(("a",), ("price",), cluster)
    whole = WholeTable(make_scores(), columns)
    spilled = spill_scores(batches(make_scores()), columns, tmp_path, 5)
    queries = np.array(["q3", "q77", "q8"], dtype=object)
    [table] = whole.find(queries)
    assert sorted(table.lists.query_ids) == ["q3", "q77", "q8"]
    assert set().union(*map(rows_of, spilled.find(queries))) == rows_of(table)


def test_dictionaries_and_large_texts_are_spilled(make_scores, tmp_path):
    scores = make_scores()
    encoded = scores.set_column(0, "query_id", scores["query_id"].dictionary_encode())
    encoded = encoded.set_column(1, "document_id", scores["document_id"].cast(pa.large_string()))
    spilled = spill_scores(encoded.to_batches(), Columns(("a",)), tmp_path, 3)
    [table] = WholeTable(scores, Columns(("a",))).parts()
    assert set().union(*map(rows_of, spilled.parts())) == rows_of(table)


def test_a_query_of_two_clusters_is_refused_wherever_they_lie(make_scores, tmp_path):
    scores = make_scores()
    users = scores["user"].to_pylist()
    row = scores["query_id"].to_pylist().index("q7")
    for number in range(20):  # of these, most lie in another partition than the first
        users[row] = f"other {number}"
        changed = scores.set_column(scores.column_names.index("user"), "user", pa.array(users))
        with pytest.raises(ValueError, match="column 'user': expected one value for query 'q7', got"):
            for part in spill_scores(
                changed.to_batches(), Columns(("a",), (), "user"), tmp_path / str(number), 4
            ).parts():
                assert part


@pytest.mark.parametrize(
    ("change", "columns", "says"),
    [
        (lambda table: table, Columns(("gone",)), "expected a column 'gone', got query_id"),
        (lambda table: table.slice(0, 0), Columns(("a",)), "at least one row, got none"),
        (lambda table: table, Columns(("a",), (), "price"), "column 'price': expected .*(nulls|text or integers)"),
    ],
)
def test_what_cannot_be_spilled_is_refused(make_scores, tmp_path, change, columns, says):
    with pytest.raises(ValueError, match=says):
        spill_scores(change(make_scores()).to_batches(), columns, tmp_path, 2)


def test_a_column_that_changes_its_type_is_refused(make_scores, tmp_path):
    one, two = make_scores(10), make_scores(10, 1)
    two = two.set_column(2, "label", pa.array(["x"] * two.num_rows))
    with pytest.raises(ValueError, match="column 'label': expected int64 as in its first rows, got string"):
        spill_scores([*one.to_batches(), *two.to_batches()], Columns(("a",)), tmp_path, 2)
