"""Judgements joined with runs, against dictionaries."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.trec_lists import Judgements

IDS = ["a", "b", "B", "é", "10", "9", "日"]
rows = st.dictionaries(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)), st.integers(0, 3), min_size=1)


def judgements_of(rows):
    queries, documents = (pa.chunked_array([pa.array(ids)]) for ids in zip(*rows, strict=True))
    return Judgements.of(queries, documents, np.array(list(rows.values()), dtype=np.float64))


def run_of(rows):
    queries, documents = zip(*rows, strict=True)
    return pa.table({"query_id": queries, "document_id": documents, "score": [float(score) for score in rows.values()]})


@given(rows, rows)
def test_against_dictionaries(qrels, run):
    judgements = judgements_of(qrels)
    judged = sorted({query for query, _ in qrels})
    if not set(judged) & {query for query, _ in run}:
        with pytest.raises(
            ValueError, match=r"no query is judged: the run has '.*' and others, the judgements '.*' and"
        ):
            judgements.lists_of(run_of(run))
        return
    found = judgements.lists_of(run_of(run))
    lists = found.lists
    assert lists.query_ids.tolist() == [str(query) for query in judged]
    assert found.ignored == len({query for query, _ in run} - set(judged))
    assert judgements.without_relevant == int(lists.empty.sum())
    for number, query in enumerate(judged):
        part = slice(*lists.offsets[number : number + 2])
        listed = [(document, score) for (owner, document), score in run.items() if owner == query]  # in order of rows
        assert list(zip(lists.document_ids[part], found.scores[part], strict=True)) == listed
        assert lists.labels[part].tolist() == [qrels.get((query, document), 0) for document, _ in listed]
        assert lists.judged[part].tolist() == [(query, document) in qrels for document, _ in listed]
        others = [
            label for (owner, document), label in qrels.items() if owner == query and (query, document) not in run
        ]
        beside = slice(*lists.unlisted.offsets[number : number + 2])
        assert sorted(lists.unlisted.labels[beside]) == sorted(others)


def test_infinite_scores_are_the_largest_and_the_smallest():
    run = run_of({("a", "1"): np.inf, ("a", "2"): 1e300, ("a", "3"): -np.inf})
    scores = judgements_of({("a", "1"): 1}).lists_of(run).scores
    assert np.isfinite(scores).all()
    assert np.argsort(-scores).tolist() == [0, 1, 2]


def test_ids_are_left_out_where_they_are_not_needed():
    assert judgements_of({("a", "1"): 1}).lists_of(run_of({("a", "1"): 1}), ids=False).lists.document_ids is None


@pytest.mark.parametrize("label", [-1, np.nan, np.inf])
def test_labels_that_mean_nothing_are_refused(label):
    with pytest.raises(ValueError, match=f"label {label:g} of query 'b', document '2': .* \\(1 such judgements\\)"):
        judgements_of({("a", "1"): 1, ("b", "2"): label})
