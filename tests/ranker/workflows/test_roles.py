"""Which table holds what."""

from __future__ import annotations

from pathlib import Path

import pytest

from ranker.errors import RankerError
from ranker.workflows.head import Head
from ranker.workflows.roles import tell_roles


def table(name: str, **columns: list) -> Head:
    return Head(Path(name), columns, len(next(iter(columns.values()))), whole=True, typed=True)


def of(queries: str = "query_id", documents: str = "document_id", *, files: tuple[str, str, str] = ("q", "d", "j")):
    """Three tables: two queries, three documents, and judgments grouped by query."""
    return [
        table(files[0], **{queries: ["1", "2"]}),
        table(files[1], **{documents: ["1", "2", "3"], "words": [4, 5, 5]}),
        table(files[2], **{queries: ["1", "1", "2", "2"], documents: ["1", "2", "1", "3"], "label": [0, 1, 0, 2]}),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize(
    ("names", "files"),
    [
        (("query_id", "document_id"), ("a", "b", "c")),
        (("a", "b"), ("queries.csv", "products.csv", "c")),
        (("a", "b"), ("c", "d", "e")),  # told by the judgments being grouped by query
        (("b", "a"), ("c", "d", "e")),
    ],
)
def test_roles_are_told_by_names_or_grouping_in_any_order_of_files(order, names, files):
    heads = of(*names, files=files)
    roles = tell_roles([heads[place] for place in order])
    assert [roles.queries, roles.documents, roles.judgments] == heads
    assert (roles.query_id, roles.document_id, roles.label, roles.unused) == (*names, "label", [])


def test_a_fourth_table_is_not_used():
    other = table("truth", query_id=["1", "2", "2"], document_id=["1", "1", "2"], utility=[-0.3, 1.2, 0.1])
    assert tell_roles([other, *of()]).unused == [Path("truth")]


def test_the_label_is_told_by_its_name():
    queries, documents, judgments = of()
    columns = judgments.columns | {"clicks": [0, 0, 1, 1]}
    assert tell_roles([queries, documents, table("j", **columns)]).label == "label"
    columns["grade"], columns["rating"] = columns.pop("label"), columns.pop("clicks")
    with pytest.raises(RankerError, match=r"j: cannot tell the label: 'grade', 'rating' all hold .* call .* 'label'"):
        tell_roles([queries, documents, table("j", **columns)])


def test_two_files_are_refused():
    with pytest.raises(RankerError, match=r"expected three files, .*, or one table with everything in it; got 2"):
        tell_roles(of()[:2])


def test_two_tables_of_judgments_are_too_many():
    heads = of()
    with pytest.raises(RankerError, match="more than one way to join"):
        tell_roles([*heads, table("again", **heads[2].columns)])


def test_an_id_with_two_names_is_told():
    _, documents, judgments = of()
    with pytest.raises(RankerError) as caught:
        tell_roles([table("q", id=["1", "2"]), documents, judgments])
    assert "'query_id' holds values of 'id' of q: give both columns one name" in str(caught.value)
    assert "'document_id' is a key of d" in str(caught.value)


def test_what_could_not_be_told_lists_keys_and_possible_labels():
    queries, documents, judgments = of()
    ids = {name: values for name, values in judgments.columns.items() if name != "label"}
    with pytest.raises(RankerError) as caught:
        tell_roles([queries, documents, table("j", **ids)])
    assert "no file has two columns that are keys" in str(caught.value)
    assert "j: 'query_id' is a key of q; 'document_id' is a key of d" in str(caught.value)
    assert "could be labels: none" in str(caught.value)


def test_no_hint_at_all_is_told():
    even = table("c", a=["1", "2", "1"], b=["2", "1", "3"], label=[0, 1, 0])
    with pytest.raises(RankerError, match="cannot tell which of x and y holds the queries"):
        tell_roles([table("x", a=["1", "2"]), table("y", b=["1", "2", "3"]), even])


def test_weight_position_and_timestamp_are_told_by_their_names_and_values():
    queries, documents, judgments = of()
    more = {"shown_rank": [1, 2, 1, None], "importance": [1, 0.5, 2, None]}
    more["asked_at"] = ["2024-01-02", None, "2024-02-03", "2024-02-03"]
    roles = tell_roles([queries, documents, table("j", **judgments.columns, **more)])
    assert (roles.position, roles.weight, roles.timestamp) == ("shown_rank", "importance", "asked_at")
    assert roles.label == "label"
    odd = {"shown_rank": [0, 1, 2, 3], "importance": [-1, 1, 2, 3], "asked_at": [5, 6, 7, 9]}
    roles = tell_roles([queries, documents, table("j", **judgments.columns, **odd)])
    assert (roles.position, roles.weight, roles.timestamp) == (None, None, None)


def test_the_time_of_a_query_may_be_in_its_own_table_under_a_name_that_says_so():
    _, documents, judgments = of()
    times = ["2024-01-02", "2024-02-03"]
    for name in ("asked_at", "time", "query_date", "birth_date"):
        roles = tell_roles([table("q", query_id=["1", "2"], **{name: times}), documents, judgments])
        assert roles.timestamp == (None if name == "birth_date" else name)


def one_table(**more: list) -> Head:
    columns = {
        "qid": ["1", "1", "2", "2"], "query": ["red hat", "red hat", "shoe", "shoe"],
        "product_id": ["a", "b", "a", "c"], "title": ["hats", "cap", "hats", "boot"], "grade": [1, 0, 0, 2],
    }  # fmt: skip
    return table("t.jsonl", **(columns | more))


def test_one_table_with_everything_is_taken_apart():
    more = {"position": [1, 2, 1, 2], "timestamp": [1.2e9, 1.2e9, 1.3e9, 1.4e9]}
    more |= {"user": ["x", "x", "y", "y"], "price": [1, 2, 1, 3]}
    roles = tell_roles([one_table(**more)])
    assert (roles.query_id, roles.document_id, roles.label, roles.one_table) == ("qid", "product_id", "grade", True)
    assert (roles.position, roles.timestamp, roles.weight) == ("position", "timestamp", None)
    assert roles.queries.columns == {"qid": ["1", "2"], "query": ["red hat", "shoe"], "user": ["x", "y"]}
    assert list(roles.documents.columns) == ["product_id", "title", "price"]
    assert list(roles.documents.columns.values()) == [["a", "b", "c"], ["hats", "cap", "boot"], [1, 2, 3]]
    assert (roles.queries.rows, roles.documents.rows, roles.judgments.rows) == (2, 3, 4)


def test_the_usual_names_come_first():
    columns = one_table().columns | {"query_id": ["x", "x", "y", "y"], "document_id": ["1", "2", "3", "4"]}
    roles = tell_roles([table("t", **columns)])
    assert (roles.query_id, roles.document_id) == ("query_id", "document_id")


@pytest.mark.parametrize(
    ("more", "without", "message"),
    [
        ({}, "qid", "needs a column of query ids, .* Columns without missing values: 'query', 'product_id'"),
        ({}, "product_id", "one of document ids and one of labels; call the ids query_id and document_id"),
        ({"sku_id": ["a", "b", "a", "c"]}, None, "needs a column of query ids"),
        ({}, "grade", "no column of labels .*, beside the ids 'qid' and 'product_id'; there are 'qid', 'query'"),
        ({"rating": [1, 2, 3, 4]}, None, "cannot tell the label: 'grade', 'rating' all hold"),
    ],
)
def test_one_table_that_cannot_be_taken_apart_is_told(more, without, message):
    columns = one_table(**more).columns
    columns.pop(without, None)
    if without == "qid":
        columns["query"] = ["red hat", None, "shoe", "shoe"]
        message = "needs a column of query ids, .* Columns without missing values: 'product_id', 'title'"
    with pytest.raises(RankerError, match=message):
        tell_roles([table("t", **columns)])
