"""Slices against pandas."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from eval.passes import InTurn
from eval.score_table import read_score_table
from eval.slice_values import LENGTH, MISSING, Cut
from eval.slices import OTHER, Frequencies, Slicing, edges_of

COLUMNS = ("category", "price", "brand", "tags")


@pytest.fixture(scope="module")
def scores(make_scores):
    return make_scores(150)


@pytest.fixture(scope="module")
def table(scores):
    return read_score_table(scores, ["a"], COLUMNS)


@pytest.fixture(scope="module")
def frame(scores):
    frame = scores.to_pandas()
    frame["list"] = pd.factorize(frame["query_id"])[0]
    return frame


class Parts:
    """Scored lists in the given parts."""

    dropped = 0

    def __init__(self, tables, directory=None):
        self.tables, self.directory = tables, directory

    def parts(self):
        return iter(self.tables)


def settled(slicing, *tables):
    edges = edges_of([slicing], InTurn(Parts(tables)))
    counted = Frequencies(slicing, edges)
    for part in tables:
        counted.add(part)
    return counted.settled()


def lists_of(slices, table):
    members, _ = slices.members(table)
    return {value: member.lists.tolist() for value, member in zip(slices.values, members, strict=True)}


def test_a_list_is_in_the_slice_of_its_query(table, frame):
    slices = settled(Slicing("category", (Cut("category"),)), table)
    expected = frame.fillna({"category": MISSING}).groupby("category")["list"].unique()
    assert lists_of(slices, table) == {value: sorted(lists) for value, lists in expected.items()}
    assert slices.single
    assert slices.values[-1] == MISSING
    sizes = [len(expected[value]) for value in slices.values[:-1]]
    assert sizes == sorted(sizes, reverse=True)


def test_a_list_is_in_the_slice_of_each_of_its_documents(table, frame):
    slices = settled(Slicing("tags", (Cut("tags"),)), table)
    exploded = frame.explode("tags").fillna({"tags": MISSING})
    expected = exploded.groupby("tags")["list"].unique()
    assert lists_of(slices, table) == {value: sorted(lists) for value, lists in expected.items()}
    assert not slices.single
    _, named = slices.members(table)
    assert named.type == pa.list_(pa.string())
    assert [set(values) for values in named.to_pylist()] == exploded.groupby("list")["tags"].agg(set).tolist()


def test_documents_of_a_slice_are_those_that_have_the_value(table, frame):
    slices = settled(Slicing("brand", (Cut("brand"),), "document", most=3), table)
    members, _ = slices.members(table)
    kept = [value for value in slices.values if value != OTHER]
    assert len(kept) == 3
    for value, member in zip(slices.values, members, strict=True):
        chosen = ~frame["brand"].isin(kept) if value == OTHER else frame["brand"] == value
        assert member.documents.tolist() == np.flatnonzero(chosen).tolist()
        assert member.lists.tolist() == sorted(frame["list"][chosen].unique())


def test_rare_values_are_merged_and_counted(table, frame):
    lists = frame.groupby("brand")["list"].nunique()
    slices = settled(Slicing("brand", (Cut("brand"),), most=4), table)
    assert slices.merged == len(lists) - 4
    assert slices.values[-1] == OTHER
    assert lists[list(slices.values[:-1])].min() >= lists.drop(list(slices.values[:-1])).max()


def test_one_value_more_than_the_most_is_not_merged(table, frame):
    count = frame["brand"].nunique()
    assert settled(Slicing("brand", (Cut("brand"),), most=count - 1), table).merged == 0
    assert settled(Slicing("brand", (Cut("brand"),), most=count - 2), table).merged == 2


def test_quartiles_split_the_lists_evenly(make_scores):
    """Of a number of the query: a quarter of the lists each."""
    scores = make_scores(200)
    numbers = np.random.default_rng(3).normal(size=200)
    codes = pd.factorize(scores.to_pandas()["query_id"])[0]
    table = read_score_table(scores.append_column("n", pa.array(numbers[codes])), ["a"], ["n"])
    slices = settled(Slicing("n", (Cut("n", 4),)), table)
    assert [len(lists) for lists in lists_of(slices, table).values()] == [50, 50, 50, 50]
    ordered = np.sort(numbers)
    assert slices.edges[Cut("n", 4)].tolist() == ordered[[50, 100, 150]].tolist()


def test_the_edges_of_documents_count_a_number_once_per_list(table, frame):
    slices = settled(Slicing("price", (Cut("price", 3),), "document"), table)
    once = np.sort(frame.dropna(subset="price").drop_duplicates(["list", "price"])["price"])
    assert slices.edges[Cut("price", 3)].tolist() == [once[len(once) // 3], once[2 * len(once) // 3]]
    assert slices.values == (*slices.values[:3], MISSING)


def test_equal_numbers_share_a_bucket():
    rows = {"query_id": list("abcdef"), "document_id": list("abcdef"), "label": [1] * 6, "m": [1.0] * 6}
    table = read_score_table(pa.table({**rows, "n": [1.0, 1.0, 1.0, 1.0, 2.0, 3.0]}), ["m"], ["n"])
    slices = settled(Slicing("n", (Cut("n", 4),)), table)
    assert slices.values == ("< 2", ">= 2")
    assert lists_of(slices, table) == {"< 2": [0, 1, 2, 3], ">= 2": [4, 5]}


def test_crosses_are_of_values_of_one_document(table, frame):
    slices = settled(Slicing("x", (Cut("category"), Cut(LENGTH, (8.0,)), Cut("brand")), most=1000), table)
    frame = frame.fillna({"category": MISSING})
    sizes = frame.groupby("list")["list"].transform("size")
    names = frame["category"] + " × " + np.where(sizes < 8, "< 8", ">= 8") + " × " + frame["brand"]
    expected = frame["list"].groupby(names).unique()
    assert lists_of(slices, table) == {value: sorted(lists) for value, lists in expected.items()}


def test_a_function_says_the_slice_of_each_document(table, frame):
    def expensive(price, brand):
        names = np.where(price > 20, "high", "low")
        return [None if np.isnan(p) else f"{b[0]} {n}" for p, b, n in zip(price, brand, names, strict=True)]

    slices = settled(Slicing("how", code=expensive, inputs=("price", "brand")), table)
    assert set(slices.values) == {"b high", "b low", MISSING}
    assert lists_of(slices, table)["b high"] == sorted(frame["list"][frame["price"] > 20].unique())


@pytest.mark.parametrize("found", [["a"], 5, "text"])
def test_a_function_that_gives_no_texts_is_refused(table, found):
    slicing = Slicing("how", code=lambda price: [found] * len(price) if found == 5 else found, inputs=("price",))
    with pytest.raises(ValueError, match="slices 'how': expected the function to give a text or None for each of"):
        settled(slicing, table)


def test_parts_have_the_slices_of_the_whole(table, tmp_path):
    half = np.arange(len(table.lists)) < 70
    parts = [table.select(half), table.select(~half)]
    for slicing in (
        Slicing("price", (Cut("price", 4), Cut("category")), "document", most=5),
        Slicing("tags", (Cut("tags"),)),
    ):
        whole = settled(slicing, table)
        edges = edges_of([slicing], InTurn(Parts(parts, tmp_path)))
        counted = Frequencies(slicing, edges)
        for part in parts:
            counted.add(part)
        apart = counted.settled()
        assert (apart.values, apart.merged, apart.single) == (whole.values, whole.merged, whole.single)
        found = [member for part in parts for member in [apart.members(part)[0]]]
        for place, member in enumerate(whole.members(table)[0]):
            assert [*found[0][place].lists, *(found[1][place].lists + 70)] == member.lists.tolist()


def test_slicings_that_are_none_are_refused():
    with pytest.raises(ValueError, match="slices 'x': expected cuts or code, one of them"):
        Slicing("x")
    with pytest.raises(ValueError, match="slices 'x': expected most >= 1"):
        Slicing("x", (Cut("price"),), most=0)
