"""Against the paper's formulas one list at a time, over all orders of tied documents; and against ndeval."""

import itertools
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.content import ContentLists
from eval.lists import Lists
from eval.metrics import AlphaNDCG
from tests.eval.metrics.reference import orders

TOPICS = "abcd"
document = st.tuples(st.frozensets(st.sampled_from(TOPICS)), st.integers(0, 2), st.integers(0, 2))


def gain(topics, above, alpha):
    """Of a document below others, each a set of subtopics."""
    return sum((1 - alpha) ** sum(topic in other for other in above) for topic in topics)


def dcg(order, k, alpha):
    return sum(gain(one, order[:place], alpha) / math.log2(place + 2) for place, one in enumerate(order[:k]))


def greedy(sets, alpha):
    """The largest gain first; of several the set that is smaller, then that with the first values."""
    left, order = sorted(sets, key=lambda one: (len(one), sorted(one))), []
    while left:
        best = max(left, key=lambda one: round(gain(one, order, alpha), 9))
        order.append(best)
        left.remove(best)
    return order


def as_content(documents):
    labels = np.array([label for _, label, _ in documents], np.float64)
    lists = Lists(np.array(["q"]), np.array([0, len(documents)]), labels)
    column = pa.array([sorted(topics) for topics, _, _ in documents], pa.list_(pa.string()))
    scores = np.array([score for _, _, score in documents], np.float64)
    return ContentLists.of(lists, {"topic": column}), scores


@settings(deadline=None, max_examples=80)
@given(
    documents=st.lists(document, min_size=1, max_size=6),
    k=st.none() | st.integers(1, 7),
    alpha=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    relevant=st.sampled_from([None, 2.0]),
)
def test_over_all_orders(documents, k, alpha, relevant):
    covered = [topics if label >= (relevant or 1) else frozenset() for topics, label, _ in documents]
    metric = AlphaNDCG(k, by="topic", alpha=alpha, relevant=relevant)
    found = metric.per_list(*as_content(documents))[0]
    if not any(covered):
        assert math.isnan(found)
        return
    every = [
        dcg([covered[number] for number in order], k, alpha)
        for order in orders([(0, score) for *_, score in documents])
    ]
    ideal = dcg(greedy([one for one in covered if one], alpha), k, alpha)
    assert found == pytest.approx(sum(every) / len(every) / ideal, rel=1e-12)


def test_one_subtopic_each_and_alpha_one_is_recall_of_subtopics_discounted():
    """A subtopic that was seen is worth nothing: a a b scores 1 + 1/2 of an ideal 1 + 1/log2(3)."""
    documents = [({"a"}, 1, 3), ({"a"}, 1, 2), ({"b"}, 1, 1)]
    found = AlphaNDCG(3, by="topic", alpha=1.0).per_list(*as_content(documents))
    assert found == pytest.approx([(1 + 1 / 2) / (1 + 1 / math.log2(3))])


def test_a_large_tied_group():
    """200 tied documents, 60 with one subtopic: by the hypergeometric distribution of those above."""
    from scipy.stats import hypergeom

    documents = [({"a"}, 1, 0)] * 60 + [({"a"}, 0, 0)] * 140
    expected = 0.0
    for position in range(10):
        above = hypergeom(199, 59, position)
        seen = np.arange(position + 1)
        expected += 60 / 200 * np.sum(above.pmf(seen) * 0.5**seen) / math.log2(position + 2)
    ideal = sum(0.5**place / math.log2(place + 2) for place in range(10))
    assert AlphaNDCG(10, by="topic").per_list(*as_content(documents)) == pytest.approx([expected / ideal], rel=1e-12)


def test_the_greedy_ideal_can_be_beaten():
    """Greedy takes {a, b} first and repeats a or b; {a, c} and then {b, d} repeats nothing."""
    documents = [({"a", "b"}, 1, 0), ({"a", "c"}, 1, 2), ({"b", "d"}, 1, 1)]
    found = AlphaNDCG(2, by="topic").per_list(*as_content(documents))
    assert found == pytest.approx([(2 + 2 / math.log2(3)) / (2 + 1.5 / math.log2(3))])


def test_vectors_have_no_subtopics():
    lists = Lists(np.array(["q"]), np.array([0, 1]), np.ones(1))
    content = ContentLists.of(lists, {"topic": pa.array([[1.0]], pa.list_(pa.float32(), 1))})
    with pytest.raises(ValueError, match="expected subtopics in 'topic', a value or a list of values, got vectors"):
        AlphaNDCG(3, by="topic").per_list(content, np.zeros(1))


@pytest.mark.parametrize("alpha", [-0.1, 1.1, math.nan])
def test_alpha_is_a_share(alpha):
    with pytest.raises(ValueError, match="alpha_ndcg: alpha must be a number from 0 to 1"):
        AlphaNDCG(3, by="topic", alpha=alpha)


@pytest.mark.parametrize("alpha", [0.5, 0.25])
def test_against_ndeval(alpha):
    """The program of the TREC web tracks, by its Python package. Document ids make its ideal break ties as ours does:
    of equal gains it takes the last id."""
    pyndeval = pytest.importorskip("pyndeval")
    random = np.random.default_rng(5)
    sizes = random.integers(1, 40, 60)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    topics = [sorted(set(random.choice(list(TOPICS), size=random.integers(0, 4)).tolist())) for _ in range(offsets[-1])]
    scores = random.permutation(offsets[-1]).astype(np.float64)
    qrels, run = [], []
    for query, (start, end) in enumerate(itertools.pairwise(offsets), start=1):
        order = sorted(range(start, end), key=lambda one: (len(topics[one]), topics[one]), reverse=True)
        for place, one in enumerate(order):
            run.append((str(query), f"d{place:02}", float(scores[one])))
            covered = [(str(TOPICS.index(topic) + 1), 1) for topic in topics[one]] or [("1", 0)]
            qrels += [(str(query), topic, f"d{place:02}", judgement) for topic, judgement in covered]
    lists = Lists(np.arange(60), offsets, np.array([float(bool(one)) for one in topics]))
    content = ContentLists.of(lists, {"topic": pa.array(topics, pa.list_(pa.string()))})
    for k in (1, 5, 20):
        name = f"alpha-nDCG@{k}"
        theirs = pyndeval.ndeval(qrels, run, [name], alpha=alpha)
        ours = AlphaNDCG(k, by="topic", alpha=alpha, empty="zero").per_list(content, scores)
        assert ours == pytest.approx([theirs[str(query)][name] for query in range(1, 61)], abs=1e-12)
