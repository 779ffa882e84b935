"""Against TensorFlow Ranking's Keras losses: equal where the contracts are, else by the stated factor.

Scores are distinct, because its ranks shuffle ties.
"""

from __future__ import annotations

import numpy as np
import pytest

from ranker.models.losses import make_loss
from ranker.models.tensorflow_ranking import tfr
from ranker.spec.losses import (
    ApproxMrr,
    ApproxNdcg,
    GumbelApproxNdcg,
    LambdaLoss,
    ListMle,
    MeanSquared,
    PairwiseHinge,
    PairwiseLogistic,
    SigmoidCrossEntropy,
    Softmax,
    UniqueSoftmax,
)

theirs = tfr.keras.losses
TEMPERATURES = pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
LAMBDA_WEIGHTS = {
    "lambdamart": ({"lambda_weight": "ndcg"}, theirs.NDCGLambdaWeight(smooth_fraction=1.0)),
    "lambdamart@3": ({"lambda_weight": "ndcg", "k": 3}, theirs.NDCGLambdaWeight(topn=3, smooth_fraction=1.0)),
    "v1": ({"lambda_weight": "ndcg", "smooth_fraction": 0}, theirs.NDCGLambdaWeight()),
    "v1@3": ({"lambda_weight": "ndcg", "smooth_fraction": 0, "k": 3}, theirs.NDCGLambdaWeight(topn=3)),
    "v1@4 mixed": (
        {"lambda_weight": "ndcg", "smooth_fraction": 0.3, "k": 4},
        theirs.NDCGLambdaWeight(topn=4, smooth_fraction=0.3),
    ),
    "v1 linear": (
        {"lambda_weight": "ndcg", "smooth_fraction": 0, "gain": "linear"},
        theirs.NDCGLambdaWeight(gain_fn=lambda label: label),
    ),
    "v2": ({"lambda_weight": "ndcg_v2"}, theirs.NDCGLambdaWeightV2()),
    "v2@1": ({"lambda_weight": "ndcg_v2", "k": 1}, theirs.NDCGLambdaWeightV2(topn=1)),
    "v2@3": ({"lambda_weight": "ndcg_v2", "k": 3}, theirs.NDCGLambdaWeightV2(topn=3)),
}


def batch(seed, grades=5, padded=True):
    """labels, -1 in padding as there; scores of documents; mask; weights of documents. Each list has pairs."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, grades, (6, 9)).astype(np.float32)
    labels[:, :2] = 0, grades - 1
    mask = np.arange(9) < random.integers(2, 10, (6, 1)) if padded else np.ones((6, 9), bool)
    scores = np.where(mask, random.normal(size=(6, 9)), -9).astype(np.float32)
    return np.where(mask, labels, -1), scores, mask, random.exponential(size=(6, 9)).astype(np.float32)


def per_list(loss, labels, scores, weights, temperature=1.0):
    """Its loss of each list, and what the list counts; `compute_per_list` leaves the division by temperature to us."""
    values, counts = loss._loss.compute_per_list(labels, scores / np.float32(temperature), weights)
    return values.numpy(), counts.numpy()


def ours(spec, labels, scores, mask, weights=None):
    return [float(x) for x in make_loss(spec, 4)(labels, scores, mask, weights, seed=[1, 2])]


@pytest.mark.parametrize("seed", range(3))
@TEMPERATURES
def test_approx_ndcg_and_mrr_and_one(temperature, seed):
    labels, scores, mask, weights = batch(seed)
    for loss, spec in (
        (theirs.ApproxNDCGLoss(), ApproxNdcg(kind="approx_ndcg", temperature=temperature)),
        (theirs.ApproxMRRLoss(), ApproxMrr(kind="approx_mrr", temperature=temperature)),
    ):
        values, counts = per_list(loss, labels, scores, weights, temperature)
        expected = [sum(counts * (1 + values)), sum(counts)]
        assert ours(spec, labels, scores, mask, weights) == pytest.approx(expected, 1e-5)


@pytest.mark.parametrize("seed", range(3))
@TEMPERATURES
def test_unique_softmax_less_the_sum_of_gains(temperature, seed):
    labels, scores, mask, _ = batch(seed)
    values, _ = per_list(theirs.UniqueSoftmaxLoss(), labels, scores, None, temperature)
    expected = sum(values / np.sum(2**labels - 1, axis=1, where=mask))
    spec = UniqueSoftmax(kind="unique_softmax", temperature=temperature)
    assert ours(spec, labels, scores, mask) == pytest.approx([expected, 6], 1e-5)


@pytest.mark.parametrize("seed", range(3))
@TEMPERATURES
def test_list_mle_without_ties_and_padding(temperature, seed):  # theirs adds the order of the padding
    _, scores, mask, weights = batch(seed, padded=False)
    labels = np.random.default_rng(seed).permuted(np.tile(np.arange(9, dtype=np.float32), (6, 1)), axis=1)
    values, counts = per_list(theirs.ListMLELoss(), labels, scores, weights, temperature)
    spec = ListMle(kind="list_mle", temperature=temperature)
    assert ours(spec, labels, scores, mask, weights) == pytest.approx([sum(counts * values), sum(counts)], 1e-5)


@pytest.mark.parametrize("seed", range(3))
@TEMPERATURES
def test_softmax_less_the_number_of_relevant_documents(temperature, seed):
    labels, scores, mask, weights = batch(seed)
    values, counts = per_list(theirs.SoftmaxLoss(temperature=temperature), labels, scores, weights)
    counts /= np.sum(labels, axis=1, where=mask)
    spec = Softmax(kind="softmax", temperature=temperature, gain="linear")
    assert ours(spec, labels, scores, mask, weights) == pytest.approx([sum(counts * values), sum(counts)], 1e-5)


@pytest.mark.parametrize("seed", range(3))
@TEMPERATURES
def test_pairwise_less_the_number_of_pairs(temperature, seed):
    labels, scores, mask, weights = batch(seed)
    for loss, spec in (
        (theirs.PairwiseLogisticLoss(), PairwiseLogistic(kind="pairwise_logistic", temperature=temperature)),
        (theirs.PairwiseHingeLoss(), PairwiseHinge(kind="pairwise_hinge", temperature=temperature)),
    ):
        values, counts = per_list(loss, labels, scores, weights, temperature)
        _, pairs = per_list(loss, labels, scores, None)
        expected = [sum(counts * values / pairs), sum(counts / pairs)]
        assert ours(spec, labels, scores, mask, weights) == pytest.approx(expected, 1e-5)


@pytest.mark.parametrize(("options", "lambda_weight"), LAMBDA_WEIGHTS.values(), ids=LAMBDA_WEIGHTS)
@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_lambda_loss(options, lambda_weight, temperature):
    spec = LambdaLoss(kind="lambda_loss", temperature=temperature, **options)
    labels, scores, mask, _ = batch(seed=5, padded=False)
    loss = theirs.PairwiseLogisticLoss(lambda_weight=lambda_weight, temperature=temperature)
    total, weight = ours(spec, labels, scores, mask)
    assert total / weight == pytest.approx(float(loss(labels, scores)), 1e-5)


@pytest.mark.parametrize(("options", "lambda_weight"), LAMBDA_WEIGHTS.values(), ids=LAMBDA_WEIGHTS)
def test_lambda_loss_with_padding_and_weights(options, lambda_weight):
    labels, scores, mask, weights = batch(seed=6)
    values, counts = per_list(theirs.PairwiseLogisticLoss(lambda_weight=lambda_weight), labels, scores, weights)
    _, pairs = per_list(theirs.PairwiseLogisticLoss(), labels, scores, None)
    _, weighted = per_list(theirs.PairwiseLogisticLoss(), labels, scores, weights)
    expected = [sum(counts * values) / 9, sum(weighted / pairs)]  # 9: the padded list size, by which theirs multiplies
    spec = LambdaLoss(kind="lambda_loss", **options)
    assert ours(spec, labels, scores, mask, weights) == pytest.approx(expected, 1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_pointwise_less_the_number_of_documents(seed):
    labels, scores, mask, weights = batch(seed, grades=2)
    for loss, spec in (
        (theirs.SigmoidCrossEntropyLoss(), SigmoidCrossEntropy(kind="sigmoid_cross_entropy")),
        (theirs.MeanSquaredLoss(), MeanSquared(kind="mean_squared")),
    ):
        values, counts = per_list(loss, labels, scores, weights)
        counts /= mask.sum(axis=1)
        assert ours(spec, labels, scores, mask, weights) == pytest.approx([sum(counts * values), sum(counts)], 1e-5)


def test_gumbel_approx_ndcg_on_average():
    labels, scores, mask, _ = batch(seed=1, padded=False)
    loss = theirs.GumbelApproxNDCGLoss(temperature=0.2, sample_size=4000, seed=3)
    spec = GumbelApproxNdcg(kind="gumbel_approx_ndcg", temperature=0.2, samples=2)
    total, weight = ours(spec, *(np.repeat(x, 500, axis=0) for x in (labels, scores, mask)))
    # One list's loss has a standard deviation of about 0.15: 0.15 / sqrt(6 lists * 1,000 samples) = 0.002.
    assert total / weight == pytest.approx(1 + float(loss(labels, scores)), abs=0.008)
    plain, _ = ours(ApproxNdcg(kind="approx_ndcg", temperature=0.2), labels, scores, mask)
    assert abs(total / 500 - plain) / 6 > 0.03
