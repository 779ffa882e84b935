import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.content import ContentLists, DocumentSets, DocumentVectors, content_of
from eval.lists import Lists

texts = pa.list_(pa.string())


def sets_of(content):
    """The set of each document as Python's."""
    ragged, codes = content.values(content.sets)
    names = [content.names[code] for code in codes]
    return [set(names[start:end]) for start, end in zip(ragged.offsets[:-1], ragged.offsets[1:], strict=True)]


@given(st.lists(st.none() | st.lists(st.sampled_from(["", "a", "b", "ä", "B"]), max_size=5), max_size=12))
def test_sets_are_those_of_the_rows(rows):
    content = DocumentSets.of(pa.array(rows, texts))
    expected = [{text for text in row or () if text} for row in rows]
    assert sets_of(content) == expected
    assert content.missing.tolist() == [not one for one in expected]
    assert len({tuple(sorted(one)) for one in expected}) == len(content.members)
    for left, right in np.ndindex(len(rows), len(rows)):
        assert (content.sets[left] == content.sets[right]) == (expected[left] == expected[right])
    assert list(content.names) == sorted(set().union(*expected))


@given(st.permutations([["a"], ["b", "a"], [], ["c"], ["a", "b", "c"], ["c", "a"], ["a", "b"], ["a"]]))
def test_numbers_of_sets_do_not_depend_on_the_order_of_rows(rows):
    """By size, then by values: an order that a greedy choice can lean on."""
    content = DocumentSets.of(pa.array(rows, texts))
    by_number = [row for _, row in sorted(zip(content.sets.tolist(), map(sorted, rows), strict=True))]
    assert by_number == [[], ["a"], ["a"], ["c"], ["a", "b"], ["a", "b"], ["a", "c"], ["a", "b", "c"]]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["b", None, "", "a"]), [{"b"}, set(), set(), {"a"}]),
        (pa.array(["b", "a", "b"]).dictionary_encode(), [{"b"}, {"a"}, {"b"}]),
        (pa.array([3, None, 30]), [{"3"}, set(), {"30"}]),
        (pa.array([True, False]), [{"true"}, {"false"}]),
        (pa.chunked_array([["b"], ["a"]]), [{"b"}, {"a"}]),
        (pa.array([["x", None], None, []], pa.large_list(pa.string())), [{"x"}, set(), set()]),
        (pa.array([[1, 1, 2]]), [{"1", "2"}]),
        (pa.array([["q"], ["x", "y"], ["z"]], texts)[1:], [{"x", "y"}, {"z"}]),
        (pa.array([], pa.string()), []),
    ],
)
def test_types_of_columns(column, expected):
    assert sets_of(DocumentSets.of(column)) == expected


def test_known_names_make_parts_alike():
    known = ["a", "b", "c"]
    one, two = (DocumentSets.of(pa.array([text]), known) for text in "ac")
    assert (one.codes.tolist(), two.codes.tolist()) == ([0], [2])
    with pytest.raises(ValueError, match="expected one of 3 known values, got 'd'"):
        DocumentSets.of(pa.array(["d"]), known)


def test_vectors_become_directions():
    rows = [[3.0, 4.0], None, [0.0, 0.0], [np.nan, np.nan], [-1e-20, 0.0]]
    content = content_of(pa.array(rows, pa.list_(pa.float32(), 2)))
    assert isinstance(content, DocumentVectors)
    np.testing.assert_allclose(content.directions, [[0.6, 0.8], [0, 0], [0, 0], [0, 0], [-1, 0]], atol=1e-15)
    assert content.missing.tolist() == [False, True, True, True, False]
    assert content.take(np.array([4, 1])).missing.tolist() == [False, True]


@pytest.mark.parametrize("wrong", [[1.0, np.nan], [np.inf, 0.0]])
def test_vectors_with_a_hole_are_refused(wrong):
    column = pa.array([[1.0, 2.0], wrong], pa.list_(pa.float32(), 2))
    with pytest.raises(ValueError, match=r"expected finite numbers, got .* in row 1"):
        DocumentVectors.of(column)


@pytest.mark.parametrize("column", [pa.array([0.5]), pa.array([{"a": 1}]), pa.array([b"x"]), pa.array([[0.5]])])
def test_other_columns_are_refused_by_name(column):
    lists = Lists(np.array(["q"]), np.array([0, 1]), np.zeros(1))
    with pytest.raises(ValueError, match="column 'kind': sets of values: expected texts or whole numbers"):
        ContentLists.of(lists, {"kind": column})


def test_lists_take_their_content_along():
    lists = Lists(np.array(["q", "r"]), np.array([0, 2, 3]), np.array([1.0, 0.0, 2.0]))
    columns = {"kind": pa.array(["a", "b", "c"]), "place": pa.array([[1.0], [2.0], [0.0]], pa.list_(pa.float32(), 1))}
    content = ContentLists.of(lists, columns)
    chosen, documents = content.select(np.array([False, True]))
    assert documents.tolist() == [2]
    assert sets_of(chosen.content["kind"]) == [{"c"}]
    kept = content.keep(np.array([False, True, True]))
    assert sets_of(kept.content["kind"]) == [{"b"}, {"c"}]
    assert kept.content["place"].missing.tolist() == [False, True]
    with pytest.raises(ValueError, match="expected 3 values of 'kind', one per document"):
        ContentLists.of(lists, {"kind": pa.array(["a"])})
