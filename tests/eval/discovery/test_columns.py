import itertools
from functools import reduce
from operator import add

import numpy as np
import pyarrow as pa
import pytest

from eval.discovery import columns
from eval.discovery.columns import ListColumns
from eval.score_table import read_score_table

NAMES = ["kind", "tags", "price", "stock", "flag"]
ROWS = {
    "query_id": ["s", "q", "q", "r", "t"],
    "document_id": list("eabcd"),
    "label": [0, 0, 1, 0, 0],
    "m": [0.0, 1, 2, 3, 4],
    "kind": ["saw", "saw", "hoe", None, "saw"],
    "tags": [["x"], ["x"], ["y", "x"], [], None],
    "price": [4.0, 1.0, 2.0, None, np.nan],
    "stock": [9, 1, 2, 3, None],
    "flag": [True, False, False, True, None],
}


def table(rows=ROWS, names=NAMES):
    return read_score_table(pa.table(rows), ["m"], names)


def parts(rows, *queries):
    """The table split by queries."""
    whole = pa.table(rows)
    return [
        read_score_table(whole.filter(pa.array(np.isin(whole["query_id"].to_pylist(), some))), ["m"], NAMES)
        for some in queries
    ]


def values_of(feature):
    """The names of the values of each list."""
    names = [feature.values[code] for code in feature.codes]
    return [names[start:end] for start, end in itertools.pairwise(feature.ragged.offsets.tolist())]


def test_documents_tell_of_their_lists():
    """Lists are in the order of their queries: q, r, s, t."""
    features, left_out = ListColumns.of(NAMES, table()).features(1)
    found = {feature.name: values_of(feature) for feature in features}
    assert left_out == {}
    assert list(found) == ["list length", *NAMES]
    assert found["kind"] == [["hoe", "saw"], ["(missing)"], ["saw"], ["saw"]]
    assert found["tags"] == [["x", "y"], ["(missing)"], ["x"], ["(missing)"]]
    assert found["flag"] == [["false"], ["true"], ["true"], ["(missing)"]]
    assert found["list length"] == [["any", ">= 2"], ["any", "< 2"], ["any", "< 2"], ["any", "< 2"]]
    assert found["price"] == [["< 4"], ["(missing)"], [">= 4"], ["(missing)"]], "the mean of 1 and 2 is below 4"
    assert found["stock"][3] == ["(missing)"]
    assert set(found["stock"][0]) & {"< 3"}


@pytest.mark.parametrize("split", [(["q"], ["r", "s"], ["t"]), (["t", "q"], ["s", "r"])])
def test_parts_give_the_same_in_any_order(split):
    whole, left_out = ListColumns.of(NAMES, table()).features(1)
    for order in itertools.permutations(parts(ROWS, *split)):
        found, told = reduce(add, (ListColumns.of(NAMES, part) for part in order)).features(1)
        assert told == left_out
        assert [values_of(feature) for feature in found] == [values_of(feature) for feature in whole]
        assert [list(feature.values) for feature in found] == [list(feature.values) for feature in whole]


def test_the_mean_of_equal_numbers_is_that_number():
    """Sums of 0.1 are not, so that lists of other lengths would lie in other buckets."""
    sizes = np.arange(1, 60)
    rows = {
        "query_id": np.repeat([f"q{size}" for size in sizes], sizes),
        "document_id": np.concatenate([np.arange(size).astype(str) for size in sizes]),
        "label": np.zeros(sizes.sum()),
        "m": np.zeros(sizes.sum()),
        "price": np.full(sizes.sum(), 0.1),
    }
    assert ListColumns.of(["price"], table(rows, ["price"])).features(2)[1] == {"price": "the same in all lists"}


def test_what_tells_no_slices_apart_is_told(monkeypatch):
    monkeypatch.setattr(columns, "MOST_TEXTS", 3)
    rows = {**ROWS, "kind": list("abcde"), "flag": ["x"] * 5, "tags": [["x"], ["y"], ["x"], ["z"], ["y"]]}
    expected = {
        "kind": "free text: more than 3 different ones",
        "flag": "the same in all lists",
        "tags": "no value in 3 lists or more, but not in all",
    }
    split = parts(rows, ["q"], ["r", "s", "t"])  # of kind, none has more than three alone
    for found in (ListColumns.of(NAMES, table(rows)), reduce(add, (ListColumns.of(NAMES, part) for part in split))):
        told = found.features(3)[1]
        assert {name: told[name] for name in expected} == expected


def test_what_is_no_text_or_number_is_refused_by_name():
    with pytest.raises(ValueError, match="'odd': expected a column of texts or numbers, got binary"):
        ListColumns.of(["odd"], table({**ROWS, "odd": [b"x"] * 5}, ["odd"]))
