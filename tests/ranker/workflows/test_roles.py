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


def test_fewer_than_three_files_are_refused_with_what_is_out_of_scope():
    with pytest.raises(RankerError, match=r"expected three files, .* got 1; for one table with everything"):
        tell_roles(of()[:1])


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
