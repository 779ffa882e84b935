import numpy as np
import pyarrow as pa
import pytest

from eval.ragged import Ragged
from eval.score_table import read_score_table
from eval.slice_values import LENGTH, MISSING, Cut, Values, bucket_names, values_of


def table(values):
    """Query q0 with two documents, q1 with three."""
    rows = {"query_id": ["q0", "q0", "q1", "q1", "q1"], "document_id": list("abcde"), "label": [1, 0, 0, 0, 1]}
    scores = pa.table({**rows, "m": [1.0] * 5, "x": values})
    return read_score_table(scores, ["m"], ["x"])


def named(values: Values) -> list[tuple[int, str]]:
    """Document and value of each pair."""
    return [(document, values.names[code]) for document, code in zip(values.documents, values.codes, strict=True)]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (pa.array(["a", "b", None, "", "a"]), ["a", "b", MISSING, MISSING, "a"]),
        (pa.array([1, 2, None, 2, 1]), ["1", "2", MISSING, "2", "1"]),
        (pa.array([0.5, 2.0, np.nan, None, 1.5], pa.float32()), ["0.5", "2", MISSING, MISSING, "1.5"]),
        (pa.array([True, False, None, True, True]), ["true", "false", MISSING, "true", "true"]),
        (pa.array(["a", "b", None, "b", "a"]).dictionary_encode(), ["a", "b", MISSING, "b", "a"]),
    ],
)
def test_values_are_texts(given, names):
    assert named(values_of(Cut("x"), table(given), None)) == list(enumerate(names))


def test_a_document_has_each_of_its_values():
    given = pa.array([["s", "t"], [], None, ["t"], ["s", "u"]], pa.list_(pa.string()))
    found = named(values_of(Cut("x"), table(given), None))
    assert found == [(0, "s"), (0, "t"), (1, MISSING), (2, MISSING), (3, "t"), (4, "s"), (4, "u")]


def test_numbers_equal_to_an_edge_lie_above_it():
    found = values_of(Cut("x", (1.0, 2.5)), table([0.5, 1.0, 2.4, 2.5, np.nan]), np.array([1.0, 2.5]))
    assert [name for _, name in named(found)] == ["< 1", "1 to 2.5", "1 to 2.5", ">= 2.5", MISSING]


def test_the_length_of_a_list_is_that_of_its_documents():
    found = values_of(Cut(LENGTH, (3.0,)), table([0] * 5), np.array([3.0]))
    assert [name for _, name in named(found)] == ["< 3", "< 3", ">= 3", ">= 3", ">= 3"]
    assert [name for _, name in named(values_of(Cut(LENGTH), table([0] * 5), None))] == ["2", "2", "3", "3", "3"]


def test_values_with_the_sign_of_a_cross_stay_apart_when_crossed():
    """Documents 0 and 1 differ in both columns, however they are joined."""
    pairs = [
        ("p", "q × r"),
        ("p × q", "r"),
        ('"p', "q"),
        ("a ×", "b"),
        ("a", "× b"),
        ('p" × "q', "r"),
        ("10 × 20", "s"),
    ]
    firsts, seconds = (
        Values(np.arange(len(pairs)), np.arange(len(pairs)), [pair[side] for pair in pairs]).quoted() for side in (0, 1)
    )
    names = [name for _, name in named(firsts.crossed(seconds, len(pairs)))]
    assert names[:2] == ['p × "q × r"', '"p × q" × r']
    assert len(set(names)) == len(pairs)


def test_edges_that_look_alike_are_told_apart():
    assert bucket_names(np.array([1.0, 1.00000001])) == ["< 1", "1 to 1.0000000099999999", ">= 1.0000000099999999"]
    assert bucket_names(np.array([3.0, 4.0, 10.0]), whole=True) == ["< 3", "3", "4 to 9", ">= 10"]
    assert bucket_names(np.array([])) == ["any"]


def test_crosses_are_all_pairs_that_a_document_has():
    one = Values(np.array([0, 0, 1, 3]), np.array([0, 1, 1, 0]), ["s", "t"])
    two = Values(np.array([0, 1, 2, 3, 3]), np.array([0, 0, 1, 0, 1]), ["x", "y"])
    assert named(one.crossed(two, 4)) == [(0, "s × x"), (0, "t × x"), (1, "t × x"), (3, "s × x"), (3, "s × y")]


def test_a_list_has_each_value_of_its_documents_once():
    values = Values(np.array([0, 1, 2, 3, 4]), np.array([1, 1, 0, 2, 0]), ["s", "t", "u"])
    found = values.of_lists(Ragged(np.array([0, 2, 5])))
    assert named(found) == [(0, "t"), (1, "s"), (1, "u")]


@pytest.mark.parametrize(
    ("cut", "given", "says"),
    [
        (Cut("x", 4), ["a"] * 5, "slices by buckets of 'x': expected numbers, got large_string"),
        (Cut("x"), [[1.0, 2.0]] * 5, None),
        (Cut("x"), [{"a": 1}] * 5, "slices by 'x': expected a column of texts or numbers, got struct"),
        (Cut("x"), [b"a"] * 5, "slices by 'x': expected a column of texts or numbers, got binary"),
    ],
)
def test_columns_that_cannot_be_cut_by_are_refused(cut, given, says):
    edges = None if cut.buckets is None else np.array([1.0])
    if says is None:
        assert len(values_of(cut, table(given), edges).documents) == 10
        return
    with pytest.raises(ValueError, match=says.replace("'", ".")):
        values_of(cut, table(given), edges)


@pytest.mark.parametrize("buckets", [1, 0, (), (2.0, 1.0), (1.0, 1.0), (np.nan, 1.0)])
def test_buckets_that_are_none_are_refused(buckets):
    with pytest.raises(ValueError, match="slices by 'price': expected"):
        Cut("price", buckets)
