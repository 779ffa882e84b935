"""The noise of gumbel_approx_ndcg: from the seed, of its size, an order of Plackett-Luce."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ranker.models.losses import make_loss
from ranker.models.losses.judged_lists import judged_lists
from ranker.models.losses.smooth_ranks import smooth_ranks
from ranker.spec.losses import ApproxNdcg, GumbelApproxNdcg

LABELS, SCORES = np.array([[0.0, 3, 1]]), np.array([[0.4, -0.2, 0.1]])
MASK = np.ones((1, 3), bool)


def gumbel(seed, **options):
    spec = GumbelApproxNdcg(kind="gumbel_approx_ndcg", **options)
    return float(make_loss(spec, 3)(LABELS, SCORES, MASK, seed=tf.constant(seed))[0])


def test_ranks_are_those_of_the_sorted_scores_when_the_temperature_is_low():
    mask = np.array([[True, True, False, True]])
    lists = judged_lists(np.zeros((1, 4)), np.array([[0.2, 0.9, 5, 0.2]]), mask)
    assert smooth_ranks(lists, 1e-3).numpy()[mask].tolist() == [2.5, 1, 2.5]


def test_one_seed_gives_one_value():
    assert gumbel([1, 2]) == gumbel([1, 2])
    assert len({gumbel(seed) for seed in ([1, 2], [2, 1], [1, 3], [0, 0])}) == 4


def test_samples_of_a_step_differ_and_are_its_mean():
    one = [gumbel([1, 2], samples=samples) * samples for samples in (1, 2, 3)]
    parts = np.diff([0, *one])
    assert len(set(parts.round(4))) == 3
    assert parts.mean() == pytest.approx(gumbel([1, 2], samples=3))


def test_little_noise_is_approx_ndcg():
    plain = make_loss(ApproxNdcg(kind="approx_ndcg"), 3)(LABELS, SCORES, MASK)[0]
    assert gumbel([1, 2], noise=1e-6) == pytest.approx(float(plain), abs=1e-5)
    assert gumbel([1, 2], noise=1.0) != pytest.approx(float(plain), abs=1e-3)


@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_the_mean_is_that_over_the_orders_of_plackett_luce(noise):
    orders = [(i, j, 3 - i - j) for i in range(3) for j in range(3) if i != j]
    odds = np.exp(SCORES[0] / noise)
    gains, expected = 2.0 ** LABELS[0] - 1, 0.0
    for order in orders:
        probability = odds[order[0]] / odds.sum() * odds[order[1]] / (odds[order[1]] + odds[order[2]])
        discounts = 1 / np.log2([2, 3, 4])
        expected += probability * (1 - gains[list(order)] @ discounts / (np.sort(gains)[::-1] @ discounts))
    spec = GumbelApproxNdcg(kind="gumbel_approx_ndcg", samples=2, noise=noise, temperature=1e-3)
    labels, scores, mask = (np.repeat(x, 4000, axis=0) for x in (LABELS, SCORES, MASK))
    total, weight = make_loss(spec, 3)(labels, scores, mask, seed=[5, 6])
    assert float(weight) == 4000
    assert float(total) / 4000 == pytest.approx(expected, abs=0.01)  # standard deviation at most 0.3 / sqrt(8,000)


def test_without_a_seed_it_is_refused():
    loss = make_loss(GumbelApproxNdcg(kind="gumbel_approx_ndcg"), 3)
    with pytest.raises(ValueError, match=r"needs a seed: expected int32 \[2\], got None"):
        loss(LABELS, SCORES, MASK)
