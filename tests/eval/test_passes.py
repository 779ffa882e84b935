from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from eval.passes import InTurn
from eval.score_table import read_score_table


@dataclass
class Parts:
    """Scored lists in the given parts."""

    tables: list
    directory: Path | None = None
    dropped = 0

    def parts(self):
        return iter(self.tables)


@pytest.fixture(scope="module")
def table(make_scores):
    return read_score_table(make_scores(), ["a", "b"], ["price"])


def parts_of(table, count, directory=None):
    numbers = np.arange(len(table.lists))
    return Parts([table.select(numbers % count == place) for place in range(count)], directory)


def documents(table):
    return len(table.lists.labels)


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("on_disk", [False, True])
def test_a_survey_adds_up_and_cuts_evenly(table, tmp_path, count, on_disk):
    passes = InTurn(parts_of(table, count, tmp_path if on_disk else None))
    total, edges = passes.survey(documents, lambda part: part.scores, {"a": (2, 5), "b": (3,)})
    assert total == len(table.lists.labels)
    assert set(edges) == {("a", 2), ("a", 5), ("b", 3)}
    for (model, buckets), found in edges.items():
        ordered = np.sort(table.scores[model])
        assert found.tolist() == [ordered[place * total // buckets] for place in range(1, buckets)]
    assert list(tmp_path.iterdir()) == [], "numbers are not kept"


def test_a_collection_without_numbers_has_no_edges(table):
    total, edges = InTurn(parts_of(table, 3)).survey(documents, lambda _: {"none": np.zeros(0)}, {"none": (4,)})
    assert total == len(table.lists.labels)
    assert edges["none", 4].tolist() == []


def test_rows_of_parts_are_kept_in_their_order(table):
    kept = []
    total = InTurn(parts_of(table, 3)).measure(
        lambda part: (documents(part), pa.table({"query": part.lists.query_ids.astype(str)})), kept.append
    )
    assert total == len(table.lists.labels)
    expected = [part.lists.query_ids.tolist() for part in parts_of(table, 3).tables]
    assert [rows["query"].to_pylist() for rows in kept] == expected
