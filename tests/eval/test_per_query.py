import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eval.evaluate import Request, evaluate
from eval.metrics import parse_metric
from eval.per_query import PerQuery
from eval.report.build import report_of
from eval.score_table import read_score_table
from eval.slice_values import Cut
from eval.slices import Slicing

REQUEST = Request(
    ("a", "b"),
    ("ndcg@5", "mrr"),
    "a",
    slicings=(Slicing("category", (Cut("category"),)), Slicing("brand", (Cut("brand"),), most=3)),
    cluster="user",
)


@pytest.fixture(scope="module")
def scores(make_scores):
    return make_scores()


def test_a_row_per_list_with_its_figures(scores, tmp_path):
    evaluate(scores, REQUEST, tmp_path / "per_query.parquet")
    found = pq.read_table(tmp_path / "per_query.parquet")
    assert found.column_names == [
        *("query_id", "unit", "category", "brand", "documents", "relevant", "judgements", "ranked", "undefined"),
        *("ndcg@5|a", "ndcg@5|b", "mrr|a", "mrr|b"),
    ]
    frame = scores.to_pandas()
    by_query = frame.groupby("query_id", sort=False)
    rows = found.to_pandas().set_index("query_id")
    assert rows["documents"].to_dict() == by_query.size().to_dict()
    assert rows["relevant"].to_dict() == by_query["label"].agg(lambda labels: (labels > 0).sum()).to_dict()
    assert rows["unit"].to_dict() == by_query["user"].first().to_dict()
    assert rows["category"].to_dict() == by_query["category"].first().fillna("(missing)").to_dict()
    assert found.schema.field("brand").type == pa.list_(pa.field("element", pa.string()))
    table = read_score_table(scores, ["a", "b"])
    for model in ("a", "b"):
        expected = parse_metric("ndcg@5").per_list(table.lists, table.scores[model])
        got = rows[f"ndcg@5|{model}"][table.lists.query_ids]
        np.testing.assert_array_equal(got.to_numpy(), expected)
    assert found["ndcg@5|a"].null_count == np.isnan(expected).sum() > 0
    assert pd.isna(rows["ndcg@5|a"]).sum() == found["ndcg@5|a"].null_count


def test_what_was_measured_is_in_the_metadata(scores, tmp_path):
    found = evaluate(scores, REQUEST, tmp_path / "per_query.parquet")
    read = PerQuery(tmp_path / "per_query.parquet")
    assert read.metadata == found.per_query.metadata
    assert read.metadata["settings"]["unit"] == "user"
    assert read.metadata["contract"]["ndcg@5"]["ties"] == "average"
    assert [one["name"] for one in read.metadata["slices"]] == ["category", "brand"]
    np.testing.assert_array_equal(read.figures("mrr", "b"), found.per_query.figures("mrr", "b"))


def digests(scores, name="judgements"):
    rows = evaluate(scores, Request(("a",), ("ndcg",))).per_query
    return dict(zip(*(rows.column(n).to_pylist() for n in ("query_id", name)), strict=True))


def test_the_digest_of_judgements_is_that_of_relevant_documents(scores):
    """Other orders and other irrelevant documents make no difference; another label or document does."""
    plain = digests(scores)
    assert digests(scores.take(np.random.default_rng(0).permutation(scores.num_rows))) == plain
    labels = scores["label"].to_numpy().copy()
    relevant = np.flatnonzero(labels > 0)
    assert digests(scores.filter(pa.array((labels > 0) | (np.arange(len(labels)) % 2 == 0)))).items() <= plain.items()
    labels[relevant[0]] += 1
    changed = digests(scores.set_column(2, "label", pa.array(labels)))
    query = scores["query_id"][int(relevant[0])].as_py()
    assert {name for name in plain if plain[name] != changed[name]} == {query}


def test_the_digest_of_what_is_ranked_is_that_of_all_documents(scores):
    """Other orders and other labels make no difference; another document of any label does."""
    plain = digests(scores, "ranked")
    labels = scores["label"].to_numpy().copy()
    irrelevant = np.flatnonzero(labels == 0)
    changed = scores.set_column(2, "label", pa.array(labels + (labels > 0)))
    assert digests(changed.take(np.random.default_rng(0).permutation(scores.num_rows)), "ranked") == plain
    ids = scores["document_id"].to_pylist()
    ids[irrelevant[0]] = "another"
    other = digests(scores.set_column(1, "document_id", pa.array(ids)), "ranked")
    assert {name for name in plain if plain[name] != other[name]} == {scores["query_id"][int(irrelevant[0])].as_py()}


def test_lists_for_which_a_metric_is_not_defined_are_known_whatever_their_value(scores):
    request = Request(("a", "b"), ("ndcg(empty=zero)", "p@3(relevant=3)", "auc"))
    found = evaluate(scores, request)
    table = read_score_table(scores, ["a"])
    for metric in found.contract:
        expected = parse_metric(metric).settled(table.lists).undefined(table.lists)
        for model in ("a", "b"):
            np.testing.assert_array_equal(found.per_query.undefined(metric, model), expected)
            assert report_of(found)["models"][model]["overall"][metric]["empty"] == expected.sum() > 0
    assert found.per_query.column("ndcg(empty=zero)|a").null_count == 0


def test_other_tables_are_refused(scores, tmp_path):
    pq.write_table(scores, tmp_path / "scores.parquet")
    with pytest.raises(ValueError, match=r"scores\.parquet: expected per_query\.parquet of a report"):
        PerQuery(tmp_path / "scores.parquet")
    evaluate(scores, REQUEST, tmp_path / "old.parquet")
    pq.write_table(pq.read_table(tmp_path / "old.parquet").drop_columns(["ranked"]), tmp_path / "old.parquet")
    with pytest.raises(ValueError, match=r"old\.parquet: it has no column 'ranked', so that it is of another version"):
        PerQuery(tmp_path / "old.parquet")
    (tmp_path / "text").write_text("no parquet")
    for name, says in (("text", "cannot read"), ("gone", "no such file; expected per_query.parquet of a report")):
        with pytest.raises(ValueError, match=f"{name}: {says}"):
            PerQuery(tmp_path / name)


def test_a_file_that_is_broken_within_is_told(scores, tmp_path):
    evaluate(scores, REQUEST, tmp_path / "per_query.parquet")
    content = (tmp_path / "per_query.parquet").read_bytes()
    (tmp_path / "per_query.parquet").write_bytes(content[:4] + bytes(600) + content[604:])
    with pytest.raises(ValueError, match=r"per_query\.parquet: cannot read column 'query_id': .*; evaluate anew"):
        PerQuery(tmp_path / "per_query.parquet").column("query_id")
