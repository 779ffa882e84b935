"""Against sums written out document by document; intervals by what they must cover."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.content import DocumentSets
from eval.exposure import MISSING_GROUP, Attention, exposures
from eval.lists import Lists
from eval.ranking import rank
from eval.resampling import poisson_weights
from tests.eval.metrics.reference import orders

document = st.tuples(st.integers(0, 2), st.integers(0, 2), st.frozensets(st.sampled_from("ab")))


def as_lists(lists):
    flat = [one for documents in lists for one in documents]
    offsets = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    ids = np.array([f"q{number}" for number in range(len(lists))], dtype=object)
    groups = DocumentSets.of(pa.array([sorted(group) for *_, group in flat], pa.list_(pa.string())), ["a", "b"])
    ranked = rank(
        Lists(ids, offsets, np.array([label for label, *_ in flat], np.float64)),
        np.array([score for _, score, _ in flat], np.float64),
    )
    return ranked, groups, ids


def attention_of(position, attention):
    """Positions from 1."""
    if attention.k is not None and position > attention.k:
        return 0.0
    return 1 / math.log2(position + 1) if attention.discount == "log" else attention.patience ** (position - 1)


def shares(documents, weights, group):
    """The share of a group in weights of documents; one in both groups counts half in each."""
    total = sum(weights)
    held = sum(
        weight * ((group in groups) / len(groups) if groups else group == MISSING_GROUP)
        for weight, (*_, groups) in zip(weights, documents, strict=True)
    )
    return held / total


def expected_attention(documents, attention):
    """Attention of each document, averaged over all orders of tied documents."""
    scored = [(0, score) for _, score, _ in documents]
    every = list(orders(scored))
    return [
        sum(attention_of(order.index(number) + 1, attention) for order in every) / len(every)
        for number in range(len(documents))
    ]


@settings(deadline=None, max_examples=40)
@given(
    lists=st.lists(st.lists(document, max_size=5), min_size=1, max_size=4),
    attention=st.sampled_from([Attention(), Attention(k=2), Attention("geometric", patience=0.5)]),
    against=st.sampled_from(["relevance", "documents"]),
)
def test_shares_by_hand(lists, attention, against):
    ranking, groups, ids = as_lists(lists)
    found = exposures(ranking, groups, ids, attention, against, gain="linear", draws=50)
    counted = [one for one in lists if one and (against == "documents" or any(label for label, *_ in one))]
    assert found.left_out == len(lists) - len(counted)
    if not counted:
        with pytest.raises(ValueError, match="expected lists with a relevant document, got none"):
            found.figures()
        return
    figures = {one.group: one for one in found.figures()}
    for group in ("a", "b", MISSING_GROUP):
        there = any(group in of or (not of and group == MISSING_GROUP) for one in lists for *_, of in one)
        assert (group in figures) == there
        if there:
            shown = np.mean([shares(one, expected_attention(one, attention), group) for one in counted])
            due = [1] * 9 if against == "documents" else None
            owed = np.mean([shares(one, due[: len(one)] if due else [label for label, *_ in one], group)
                            for one in counted])  # fmt: skip
            figure = figures[group]
            assert (figure.exposure.mean, figure.reference.mean) == pytest.approx((shown, owed), abs=1e-12)
            assert figure.difference.mean == pytest.approx(shown - owed, abs=1e-12)
            assert figure.ratio.mean == pytest.approx(shown / owed if owed else math.nan, nan_ok=True)
            assert figure.exposure.n_lists == len(counted)
    assert sum(one.exposure.mean for one in figures.values()) == pytest.approx(1)
    assert sum(one.reference.mean for one in figures.values()) == pytest.approx(1)


def sample(random, n_lists, pull):
    """Lists of 8 documents of which half are of group a; `pull` moves these up. Relevance knows nothing of groups."""
    flags = np.tile([True] * 4 + [False] * 4, n_lists)
    offsets = np.arange(0, 8 * n_lists + 1, 8)
    ids = np.array([f"q{number}" for number in range(n_lists)], dtype=object)
    labels = (random.random(8 * n_lists) < 0.4).astype(np.float64)
    labels[::8] = 1.0
    labels[4::8] = 1.0
    scores = random.normal(size=8 * n_lists) + pull * flags
    return rank(Lists(ids, offsets, labels), scores), DocumentSets.of(pa.array(np.where(flags, "a", "b"))), ids


def test_intervals_are_percentiles_of_resampled_shares():
    ranking, groups, ids = sample(np.random.default_rng(1), 40, 0.5)
    found = exposures(ranking, groups, ids, draws=300, seed=7)
    figure = found.figures(0.9)[0]
    alone = [exposures(*sample_of(ranking, groups, at), draws=1).figures()[0] for at in range(40)]
    weights = poisson_weights(ids.tolist(), 300, 7).astype(float)
    shown, due = (weights.T @ [getattr(one, name).mean for one in alone] for name in ("exposure", "reference"))
    n = weights.sum(axis=0)
    for interval, drawn in ((figure.exposure, shown / n), (figure.difference, (shown - due) / n),
                            (figure.ratio, shown / due)):  # fmt: skip
        assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(drawn, [0.05, 0.95])), rel=1e-9)


def sample_of(ranking, groups, at):
    """One list by itself."""
    chosen, documents = ranking.lists.select(np.arange(len(ranking.lists)) == at)
    scores = np.empty(len(ranking.order))
    scores[ranking.order] = -np.arange(len(scores), dtype=float)
    return rank(chosen, scores[documents]), groups.take(documents), chosen.query_ids


def test_parts_add_up():
    ranking, groups, ids = sample(np.random.default_rng(2), 30, 1.0)
    whole = exposures(ranking, groups, ids, draws=100)
    scores = np.empty(len(ranking.order))
    scores[ranking.order] = -np.arange(len(scores), dtype=float)
    parts = []
    for which in (np.arange(30) < 11, np.arange(30) >= 11):
        chosen, documents = ranking.lists.select(which)
        parts.append(exposures(rank(chosen, scores[documents]), groups.take(documents), ids[which], draws=100))
    added = parts[0] + parts[1]
    assert added.left_out == whole.left_out
    for one, other in zip(added.figures(), whole.figures(), strict=True):
        assert one.difference.mean == pytest.approx(other.difference.mean, rel=1e-12)
        assert one.ratio.low == pytest.approx(other.ratio.low, rel=1e-12)
    other = exposures(ranking, DocumentSets.of(pa.array(["x"] * 240)), ids, draws=100)
    with pytest.raises(ValueError, match="adds up only over the same groups"):
        parts[0] + other


def test_intervals_cover_what_is_fair():
    """200 samples of 60 lists ranked without regard to groups: the 95% interval of the difference holds 0 in about
    95% (three errors: 0.046); of lists that favour a group it never does."""
    random, covered, pulled = np.random.default_rng(3), 0, 0
    for at in range(200):
        figure = exposures(*sample(random, 60, 0.0), draws=200, seed=at).figures()[0]
        covered += figure.difference.low <= 0 <= figure.difference.high
    for at in range(20):
        figure = exposures(*sample(random, 60, 1.0), draws=200, seed=at).figures()[0]
        pulled += figure.difference.low > 0 and figure.ratio.low > 1
    assert 0.89 < covered / 200 < 0.995
    assert pulled == 20


def test_gain_of_labels():
    ranking, groups, ids = as_lists([[(2, 1, {"a"}), (1, 0, {"b"})]])
    shares = [
        {one.group: one.reference.mean for one in exposures(ranking, groups, ids, gain=gain, draws=9).figures()}["a"]
        for gain in (None, "exp2", "linear", "0:1:9")
    ]
    assert shares == pytest.approx([3 / 4, 3 / 4, 2 / 3, 9 / 10])


def test_faults_are_told():
    ranking, groups, ids = as_lists([[(1, 1, {"a"}), (1, 0, {"b"})]])
    with pytest.raises(ValueError, match="expected groups of 2 documents, got 1"):
        exposures(ranking, groups.take(np.array([0])), ids)
    with pytest.raises(ValueError, match="expected one of relevance, documents, got 'clicks'"):
        exposures(ranking, groups, ids, against="clicks")
    with pytest.raises(ValueError, match="exposure: gain must be one of exp2"):
        exposures(ranking, groups, ids, gain="x")
    with pytest.raises(ValueError, match="confidence: expected a number between 0 and 1"):
        exposures(ranking, groups, ids, draws=9).figures(95)
    for wrong, message in (
        ({"discount": "exp"}, "log, geometric"),
        ({"k": 0}, "cutoff"),
        ({"patience": 1}, "patience"),
    ):
        with pytest.raises(ValueError, match=message):
            Attention(**wrong)
