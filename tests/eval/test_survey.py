from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from eval.score_table import read_score_table
from eval.survey import LENGTHS, Survey


def surveyed(labels, queries):
    rows = {"query_id": queries, "document_id": range(len(labels)), "label": labels, "m": [0.0] * len(labels)}
    survey = Survey()
    survey.add(read_score_table(pa.table(rows), ["m"]))
    return survey


def test_counts_are_those_of_all_parts(make_scores):
    table = read_score_table(make_scores(), ["a"])
    survey = Survey()
    for lists in np.array_split(np.arange(len(table.lists)), 4):
        survey.add(table.select(np.isin(np.arange(len(table.lists)), lists)))
    labels, sizes = table.lists.labels, table.lists.sizes
    assert (survey.queries, survey.documents) == (len(sizes), len(labels))
    assert survey.empty == table.lists.empty.sum()
    assert survey.largest_label == labels.max()
    assert survey.label_counts() == {str(label): int((labels == label).sum()) for label in range(4)}
    assert list(survey.length_summary().values()) == pytest.approx(np.quantile(sizes, np.arange(5) / 4).tolist())
    assert tuple(survey.length_summary()) == LENGTHS
    assert not survey.judged


def test_many_labels_are_counted_in_ranges():
    labels = np.round(np.random.default_rng(0).exponential(size=500), 3)
    counts = surveyed(labels, ["q"] * 500).label_counts()
    assert len(counts) == 20
    assert sum(counts.values()) == 500
    assert float(list(counts)[-1]) == labels.max()
    edges = [labels.min(), *map(float, counts)]
    inside = [((labels > low) & (labels <= high)).sum() for low, high in pairwise(edges)]
    assert list(counts.values())[1:] == inside[1:]
    assert next(iter(counts.values())) == inside[0] + (labels == labels.min()).sum()


def test_quartiles_between_lengths_are_interpolated():
    queries = [f"q{number}" for number, size in enumerate((1, 2, 4, 9)) for _ in range(size)]
    summary = surveyed([1] * 16, queries).length_summary()
    assert list(summary.values()) == np.quantile([1, 2, 4, 9], np.arange(5) / 4).tolist()
