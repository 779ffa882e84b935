"""What is lost with rows that are left out, against a count by pandas."""

import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from eval import dropping as module
from eval.dropping import Dropping, lost_by_scores, notes_of_dropped, nothing_dropped
from eval.score_parts import Columns, WholeTable, spill_scores


def broken_table(seed: int = 0, rows: int = 600) -> pa.Table:
    """Rows of some 150 queries with unusable labels and scores of every kind."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "query_id": [f"q{number}" for number in np.sort(random.integers(0, rows // 4, rows))],
            "document_id": [f"d{number}" for number in range(rows)],
            "label": random.choice([0.0, 0.0, 1.0, 2.0, np.nan, -1.0, np.inf], rows),
            "a": random.choice([1.5, 0.5, 2.5, np.nan, -np.inf], rows),
            "b": random.choice([1.5, 0.5, 2.5, 3.5, 4.5, 5.5, np.nan], rows),
        }
    )
    table = pa.Table.from_pandas(frame, preserve_index=False)
    missing = pa.array(np.where(random.random(rows) < 0.1, None, frame["b"]), pa.float64(), from_pandas=False)
    return table.set_column(4, "b", missing)


def expected_of(table: pa.Table) -> dict:
    frame = table.to_pandas()
    labelled = np.isfinite(frame["label"]) & (frame["label"] >= 0)
    lacks = {model: labelled & ~np.isfinite(frame[model]) for model in ("a", "b")}
    kept = labelled & ~lacks["a"] & ~lacks["b"]
    queries = dict(iter(frame.groupby("query_id")))

    def count(model, fits) -> int:
        return sum(fits(rows.index, lacks[model][rows.index] if model else None) for rows in queries.values())

    def relevant(rows, mask) -> bool:
        return bool((mask[rows] & (frame["label"][rows] > 0)).any())

    def whole(rows, own) -> bool:
        return not kept[rows].any() and (own is None or own.any())

    def bare(rows, own) -> bool:
        lost = relevant(rows, labelled & ~kept) if own is None else relevant(rows, own)
        return bool(kept[rows].any()) and lost and not relevant(rows, kept)

    return {
        "documents": int((~kept).sum()),
        "queries": count(None, whole),
        "without_relevant": count(None, bare),
        "label": int((~labelled).sum()),
        "scores": {
            model: {
                "documents": int(own.sum()),
                "relevant": int((own & (frame["label"] > 0)).sum()),
                "queries": count(model, whole),
                "without_relevant": count(model, bare),
            }
            for model, own in lacks.items()
        },
    }


def without_reasons(found) -> dict:
    scores = {model: {key: n for key, n in own.items() if key != "reasons"} for model, own in found["scores"].items()}
    return {**found, "label": found["label"]["documents"], "scores": scores}


@pytest.mark.parametrize("seed", range(5))
def test_losses_are_counted_by_model(seed):
    table = broken_table(seed)
    expected = expected_of(table)
    assert min(expected["queries"], expected["without_relevant"]) > 0
    assert min(min(own.values()) for own in expected["scores"].values()) > 0
    found = WholeTable(table, Columns(("a", "b"), unusable="drop")).dropped
    assert without_reasons(found) == expected
    for part in (found["label"], *found["scores"].values()):
        assert sum(part["reasons"].values()) == part["documents"]


@pytest.mark.parametrize("cluster", [None, "user"])
def test_rows_in_any_order_and_batches_on_disk_count_the_same(tmp_path, monkeypatch, cluster):
    monkeypatch.setattr(module, "_HELD", 7)
    table = broken_table().append_column("user", pa.array([f"u{number % 3}" for number in range(600)]))
    users = pd.factorize(np.array(table["query_id"].to_pylist()))[0] % 3
    table = table.set_column(5, "user", pa.array([f"u{user}" for user in users]))
    columns = Columns(("a", "b"), (), cluster, "drop")
    shuffled = table.take(np.random.default_rng(1).permutation(table.num_rows))
    on_disk = spill_scores(shuffled.to_batches(max_chunksize=50), columns, tmp_path, 4)
    assert on_disk.dropped == WholeTable(table, columns).dropped
    assert without_reasons(on_disk.dropped) == expected_of(table)


def test_two_that_have_counted_are_one():
    table = broken_table()
    whole, first, second = (Dropping(("a", "b")) for _ in range(3))
    usable = whole.usable(table)
    parts = [first.usable(table.slice(0, 333)), second.usable(table.slice(333))]
    both = pickle.loads(pickle.dumps(first)) + second
    assert both.counted(parts) == whole.counted([usable])


def test_reasons_are_told():
    table = pa.table(
        {
            "query_id": ["q", "q", "q", "r", "r", "s"],
            "document_id": list("abcdef"),
            "label": pa.array([1.0, None, np.nan, -2.0, np.inf, 1.0]),
            "m": pa.array([1.0, None, 1.0, 1.0, 1.0, None]),
        }
    )
    found = WholeTable(table, Columns(("m",), unusable="drop")).dropped
    assert found["label"] == {
        "documents": 4,
        "reasons": {"infinite": 1, "missing": 1, "negative": 1, "no number": 1},
    }
    assert found["scores"]["m"] == {
        "documents": 1,
        "relevant": 1,
        "queries": 1,
        "without_relevant": 0,
        "reasons": {"missing": 1},
    }
    first, second = notes_of_dropped(found)
    assert first == (
        "5 documents left out of the lists of all models: 4 with no usable label (1 infinite, 1 missing, 1 negative,"
        " 1 no number), 1 with no usable score of m (1 missing); 2 queries lost whole"
    )
    assert second.startswith("left out for want of a score: 1 relevant document and 1 whole query of m; the figures")


def test_only_relevant_documents_and_whole_queries_without_a_score_are_a_reason_not_to_decide():
    rows = {"query_id": ["q", "q", "q"], "document_id": list("abc"), "m": [1.0, 2.0, np.nan]}
    for labels, told in [
        ([1.0, 0.0, 0.0], None),
        ([1.0, 0.0, 1.0], "left out for want of a score: 1 relevant document of m"),
        ([1.0, np.nan, np.nan], None),
    ]:
        found = WholeTable(pa.table({**rows, "label": labels}), Columns(("m",), unusable="drop")).dropped
        assert found["documents"] > 0
        reason = lost_by_scores(found)
        assert (reason is None) if told is None else reason.startswith(told)
    assert lost_by_scores(None) is None
    assert notes_of_dropped(nothing_dropped(("m",))) == []


def test_where_nothing_is_left_the_reasons_are_told(tmp_path):
    rows = {"query_id": ["q", "q"], "document_id": ["a", "b"], "label": [1.0, np.nan], "m": [np.nan, 1.0]}
    table, columns = pa.table(rows), Columns(("m",), unusable="drop")
    says = (
        r"got none of 2 \(1 with no usable label \(1 no number\), 1 with no usable score of m \(1 no number\)\); mend"
    )
    with pytest.raises(ValueError, match=says):
        WholeTable(table, columns)
    with pytest.raises(ValueError, match=says):
        spill_scores(table.to_batches(), columns, tmp_path, 2)
    with pytest.raises(ValueError, match="at least one row, got none"):
        WholeTable(table.slice(0, 0), columns)


def test_a_row_without_a_query_is_refused_even_if_it_is_left_out():
    rows = {"query_id": ["q", None], "document_id": ["a", "b"], "label": [1.0, np.nan], "m": [1.0, 1.0]}
    with pytest.raises(ValueError, match="column 'query_id': expected no nulls, got 1"):
        WholeTable(pa.table(rows), Columns(("m",), unusable="drop"))
