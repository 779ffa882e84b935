"""The jobs against the evaluation in memory, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ranker.errors import RankerError
from ranker.workflows.evaluation_job import sharing

IN_PROCESS = "--runner=FnApiRunner"
ASKED: dict[str, Any] = {
    "metrics": ["ndcg@5", "mrr@10", "map(ties=docid)", "coverage@3", "gini@3"],
    "baseline": "a",
    "draws": 150,
    "slices": [
        "category",
        {"feature": "price", "buckets": 3, "scope": "document"},
        {"feature": "price", "buckets": [10.0, 30.0], "name": "price range"},
        {"cross": ["brand", {"length": [8]}], "most": 4},
        {"length": [5, 10]},
        {"code": "mine:first", "inputs": ["brand"], "name": "code"},
    ],
    "exposure": ["category"],
    "find_slices": True,
}
GATE = (
    {"metric": "ndcg@5", "margin": 0.05, "min_lists": 30, "slices": ["category"]},
    {"metric": "ndcg@5", "model": "b", "against": "c"},
    {"empty_share": 0.5},
)


def shuffled(table):
    return table.take(np.random.default_rng(0).permutation(table.num_rows))


def assert_alike(one, two, where="report"):
    """The same structure and numbers: of a sum in another order, the last of ten digits may differ by one."""
    if isinstance(one, dict):
        assert list(one) == list(two), where
        for key in one:
            assert_alike(one[key], two[key], f"{where}.{key}")
    elif isinstance(one, list):
        assert len(one) == len(two), where
        for place, (first, second) in enumerate(zip(one, two, strict=True)):
            assert_alike(first, second, f"{where}.{place}")
    else:
        assert one == (pytest.approx(two, rel=1.1e-9, abs=1e-12) if isinstance(one, float) else two), where


def assert_same_rows(one, two):
    """The same figures of each list, whatever the order of lists."""
    assert one.schema.equals(two.schema, check_metadata=True)
    one, two = (table.sort_by("query_id") for table in (one, two))
    for name in one.column_names:
        if pa.types.is_floating(one.schema.field(name).type):
            first, second = (table[name].to_numpy() for table in (one, two))
            np.testing.assert_allclose(first, second, rtol=1e-12, err_msg=name)
        else:
            assert one[name].to_pylist() == two[name].to_pylist(), name


@pytest.mark.parametrize(
    ("shards", "mixed", "rows_of_part", "cluster"),
    [(1, False, 100, None), (5, True, 100, None), (5, True, 200, "user"), (2, True, 100_000, None)],
)
def test_the_report_is_that_of_memory(scores, in_shards, measured, cluster, shards, mixed, rows_of_part):
    expected = measured(in_shards(scores, 3), gate=GATE, cluster=cluster, **ASKED)
    folder = in_shards(shuffled(scores) if mixed else scores, shards)
    found = measured(folder, IN_PROCESS, gate=GATE, cluster=cluster, rows_of_part=rows_of_part, **ASKED)
    assert expected[0]["gate"] is not None
    assert expected[0]["comparisons"]["b"]["changes"]["ndcg@5"]["best"][0]["lists"] is not None
    assert all(len(expected[0]["calibration"][model]) > 1 for model in "abc")
    assert_alike(expected[0], found[0])
    assert_same_rows(expected[1], found[1])


@pytest.mark.parametrize(
    "options",
    [
        ["--direct_runner_bundle_repeat=2"],  # as a runner that lost a worker would, bundles are run again
        ["--direct_num_workers=3", "--direct_running_mode=multi_threading"],
    ],
)
def test_figures_do_not_hang_on_bundles_and_workers(scores, in_shards, measured, options):
    folder = in_shards(shuffled(scores), 4)
    asked = {**ASKED, "metrics": ["ndcg@5", "mrr@10"], "exposure": []}
    expected, found = measured(folder, **asked), measured(folder, IN_PROCESS, *options, **asked)
    assert_alike(expected[0], found[0])
    assert_same_rows(expected[1], found[1])


def test_documents_of_a_list_keep_the_order_of_the_files(scores, in_shards, measured):
    """Ties that are broken by the order of rows are broken as in memory, though rows of a list are in several files."""
    apart = scores.take(np.argsort(np.arange(scores.num_rows) % 5, kind="stable"))
    folder, asked = in_shards(apart, 5), {"metrics": ["ndcg@5(ties=stable)"], "baseline": "a", "draws": 100}
    expected = measured(folder, **asked)[0]
    assert_alike(expected, measured(folder, IN_PROCESS, rows_of_part=300, **asked)[0])
    other = measured(in_shards(shuffled(scores), 3), **asked)[0]
    assert other["models"]["c"] != expected["models"]["c"], "the order matters here"


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".arrow"])
def test_files_that_are_read_as_a_whole_are_shards_too(scores, in_shards, measured, ending):
    folder, asked = in_shards(scores, 3, ending), {"slices": [{"feature": "price", "buckets": 2}], "draws": 100}
    assert_alike(measured(folder, **asked)[0], measured(folder, IN_PROCESS, **asked)[0])


@pytest.mark.parametrize("cluster_of", [None, "user"])
def test_unusable_documents_are_left_out_and_counted(scores, in_shards, measured, cluster_of):
    label, b = scores["label"].to_numpy().copy(), scores["b"].to_numpy().copy()
    label[[3, 30]], b[100:140] = np.nan, np.nan
    broken = scores.set_column(2, "label", pa.array(label)).set_column(4, "b", pa.array(b))
    folder, asked = in_shards(shuffled(broken), 4), {"draws": 100, "cluster": cluster_of, "unusable": "drop"}
    expected, found = measured(folder, **asked), measured(folder, IN_PROCESS, **asked)
    assert found[0]["data"]["dropped"]["documents"] == 42
    assert_alike(expected[0], found[0])
    assert_same_rows(expected[1], found[1])
    none = in_shards(broken.filter(pa.array(np.isnan(b))), 2)
    for options in ([], [IN_PROCESS]):
        with pytest.raises(
            ValueError, match="expected documents with a usable label and usable scores, got none of 40"
        ):
            measured(none, *options, unusable="drop")


def test_a_column_without_a_number_has_one_bucket(scores, in_shards, measured):
    empty = scores.set_column(8, "price", pa.array(np.full(scores.num_rows, np.nan)))
    folder, asked = in_shards(empty, 2), {"slices": [{"feature": "price", "buckets": "quartile"}], "draws": 100}
    found = measured(folder, IN_PROCESS, **asked)[0]
    assert [value["value"] for value in found["slices"][0]["values"]] == ["(missing)"]
    assert_alike(measured(folder, **asked)[0], found)


# --- what is refused --------------------------------------------------------------------------------------------------


def refused(measured, folder, **asked):
    with pytest.raises(ValueError) as error:
        measured(folder, IN_PROCESS, draws=100, **asked)
    assert "while running" not in str(error.value), "what Beam adds is not for users"
    return str(error.value)


def test_a_missing_shard_is_named(scores, in_shards, measured, monkeypatch):
    folder, listed = in_shards(scores, 3), sharing.pieces_of

    def gone(*arguments):
        pieces = listed(*arguments)
        (folder / "part-001.parquet").unlink()
        return pieces

    monkeypatch.setattr(sharing, "pieces_of", gone)
    assert "part-001.parquet: cannot read: [Errno 2]" in refused(measured, folder)


@pytest.mark.parametrize("place", ["footer", "rows"])
def test_a_broken_shard_is_named(scores, in_shards, measured, place):
    folder = in_shards(scores, 3)
    file = folder / "part-001.parquet"
    whole = file.read_bytes()
    footer = pq.read_metadata(file).serialized_size + 8
    file.write_bytes(
        whole[: len(whole) // 2] if place == "footer" else b"PAR1" + bytes(len(whole) - footer - 4) + whole[-footer:]
    )
    assert "part-001.parquet: cannot read: " in refused(measured, folder)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows.drop_columns(["b"]), "expected a column 'b', got query_id"),
        (
            lambda rows: rows.set_column(2, "label", pa.array(["x"] * rows.num_rows)),
            "column 'label': expected double as in its first rows, got string",
        ),
        (
            lambda rows: rows.set_column(0, "query_id", pa.array([None, *rows["query_id"].to_pylist()[1:]])),
            "column 'query_id': expected no nulls, got 1",
        ),
    ],
)
def test_a_shard_of_another_schema_is_named(scores, in_shards, measured, change, says):
    folder = in_shards(scores, 3)
    file = folder / "part-001.parquet"
    pq.write_table(change(pq.read_table(file)), file)
    message = refused(measured, folder)
    assert says in message
    assert "part-001.parquet: " in message


def test_bad_rows_are_refused_as_in_memory(scores, in_shards, measured):
    label = scores["label"].to_numpy().copy()
    label[7] = np.nan
    query, document = scores["query_id"][7].as_py(), scores["document_id"][7].as_py()
    folder = in_shards(scores.set_column(2, "label", pa.array(label)), 3)
    expected = f"got nan for query {query!r}, document {document!r}"
    assert expected in refused(measured, folder)
    again = in_shards(pa.concat_tables([scores, scores.slice(7, 1)]), 4)
    assert f"expected each document once per query, got query {query!r}, document {document!r} again" in refused(
        measured, again
    )


def test_a_query_of_two_users_is_refused_wherever_they_lie(scores, in_shards, measured):
    users = scores["user"].to_pylist()
    row = scores["query_id"].to_pylist().index("q7")
    for number in range(3):  # of these, most lie in another partition than the first
        users[row] = f"other {number}"
        folder = in_shards(scores.set_column(7, "user", pa.array(users)), 2 + number)
        message = refused(measured, folder, cluster="user")
        assert "column 'user': expected one value for query 'q7', got" in message


def test_a_function_that_fails_is_told(scores, in_shards, measured, tmp_path):
    (tmp_path / "spec" / "mine.py").write_text("def first(brand):\n    return 1 / 0\n")
    slices = [{"code": "mine:first", "inputs": ["brand"], "name": "code"}]
    message = refused(measured, in_shards(scores, 2), slices=slices)
    assert "slices 'code': mine:first fails: ZeroDivisionError: division by zero (mine.py:2)" in message


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--foo=1", "unknown option --foo: neither `ranker evaluate` nor Apache Beam has it"),
        ("--runner=Nobody", "Unexpected pipeline runner: Nobody"),
    ],
)
def test_options_that_beam_does_not_have_are_refused(scores, in_shards, measured, option, says):
    with pytest.raises((ValueError, RankerError), match=says):
        measured(in_shards(scores, 1), option)


def test_files_without_rows_are_refused(scores, in_shards, measured):
    assert "expected at least one row, got none" in refused(measured, in_shards(scores.slice(0, 0), 2))


def test_a_first_file_without_rows_is_passed_over(scores, in_shards, measured):
    folder = in_shards(scores, 2)
    pq.write_table(scores.slice(0, 0), folder / "part-.parquet")
    assert measured(folder, IN_PROCESS, draws=100)[0]["data"]["queries"] == 140
