"""The losses as their formulas say, document by document and pair by pair, in float64."""

from __future__ import annotations

from math import exp, log, log2

import numpy as np

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

# At least one of each kind, and each option once; the gain is always said.
SPECS = {
    "approx_mrr": ApproxMrr(kind="approx_mrr", temperature=0.5),
    "approx_ndcg": ApproxNdcg(kind="approx_ndcg", temperature=0.5, gain="exp2"),
    "approx_ndcg linear": ApproxNdcg(kind="approx_ndcg", gain="linear"),
    "gumbel_approx_ndcg": GumbelApproxNdcg(
        kind="gumbel_approx_ndcg", temperature=0.5, samples=3, noise=0.7, gain="exp2"
    ),
    "lambda_loss ndcg": LambdaLoss(kind="lambda_loss", lambda_weight="ndcg", gain="exp2"),
    "lambda_loss ndcg@3": LambdaLoss(kind="lambda_loss", lambda_weight="ndcg", k=3, temperature=0.6, gain="linear"),
    "lambda_loss ndcg@3 smooth": LambdaLoss(kind="lambda_loss", k=3, smooth_fraction=0.25, gain="exp2"),
    "lambda_loss ndcg_v2": LambdaLoss(kind="lambda_loss", lambda_weight="ndcg_v2", gain="exp2"),
    "lambda_loss ndcg_v2@1": LambdaLoss(kind="lambda_loss", lambda_weight="ndcg_v2", k=1, gain="exp2"),
    "lambda_loss ndcg_v2@3": LambdaLoss(kind="lambda_loss", lambda_weight="ndcg_v2", k=3, gain="linear"),
    "list_mle": ListMle(kind="list_mle", temperature=0.6),
    "mean_squared": MeanSquared(kind="mean_squared"),
    "pairwise_hinge": PairwiseHinge(kind="pairwise_hinge", temperature=0.6),
    "pairwise_logistic": PairwiseLogistic(kind="pairwise_logistic", temperature=0.6),
    "sigmoid_cross_entropy": SigmoidCrossEntropy(kind="sigmoid_cross_entropy", temperature=0.6),
    "softmax": Softmax(kind="softmax", temperature=0.6, gain="linear"),
    "softmax exp2": Softmax(kind="softmax", gain="exp2"),
    "unique_softmax": UniqueSoftmax(kind="unique_softmax", temperature=0.6, gain="exp2"),
}


def batch_loss(spec, labels, scores, mask, weights=None, noise=None, ranked_by=None) -> tuple[float, float]:
    """total and weight of a padded batch.

    Args:
        spec: of the loss.
        labels, scores, mask: `[batch, list]`.
        weights: `[batch, list]`.
        noise: `[samples, batch, list]`, added to the scores.
        ranked_by: `[batch, list]`; the scores that settle the weights of lambda_loss, what orders the ties of list_mle.
            Default: the scores.
    """
    weights = np.ones_like(labels) if weights is None else weights
    noise = np.zeros((1, *labels.shape)) if noise is None else noise
    ranked_by = scores if ranked_by is None else ranked_by
    totals = []
    for row, there in enumerate(mask):
        if not there.any():
            continue
        y, s, w, ranked = (x[row][there].astype(np.float64) for x in (labels, scores, weights, ranked_by))
        samples = [DEFINITIONS[spec.kind](spec, y, s + extra[row][there], w, ranked) for extra in noise]
        totals.append(np.mean(samples, axis=0))
    total, weight = np.sum(totals, axis=0) if totals else (0.0, 0.0)
    return float(total), float(weight)


def _gains(spec, y):
    return 2.0 ** (y - y.max()) - 2.0 ** -y.max() if spec.gain == "exp2" else y


def _ideal(gains, k=None):
    return sum(gain / log2(1 + rank) for rank, gain in enumerate(sorted(gains, reverse=True)[:k], start=1))


def _weight(w, importance):
    return (w * importance).sum() / importance.sum() if importance.sum() else 0.0


def _sigmoid(x):
    return 1 / (1 + exp(-x)) if x > 0 else exp(x) / (1 + exp(x))


def _softplus(x):
    return max(x, 0.0) + log(1 + exp(-abs(x)))


def _approx_ndcg(spec, y, s, w, ranked):
    gains, n = _gains(spec, y), range(len(y))
    if not gains.sum():
        return 0.0, 0.0
    ranks = [1 + sum(_sigmoid((s[j] - s[i]) / spec.temperature) for j in n if j != i) for i in n]
    dcg = sum(gains[i] / log2(1 + ranks[i]) for i in n)
    weight = _weight(w, y)
    return weight * (1 - dcg / _ideal(gains)), weight


def _pairs(y):
    return [(i, j) for i in range(len(y)) for j in range(len(y)) if y[i] > y[j]]


def _pairwise_logistic(spec, y, s, w, ranked):
    return _pairwise(_softplus, spec, y, s, w)


def _pairwise_hinge(spec, y, s, w, ranked):
    return _pairwise(lambda x: max(0.0, 1 + x), spec, y, s, w)


def _pairwise(function, spec, y, s, w):
    pairs = _pairs(y)
    if not pairs:
        return 0.0, 0.0
    losses = [w[i] * function(-(s[i] - s[j]) / spec.temperature) for i, j in pairs]
    return sum(losses) / len(pairs), sum(w[i] for i, _ in pairs) / len(pairs)


def _lambda_loss(spec, y, s, w, ranked):
    pairs = _pairs(y)
    if not pairs:
        return 0.0, 0.0
    gains, k = _gains(spec, y), spec.k or len(y)
    ranks = np.empty(len(y), int)
    ranks[np.argsort(-ranked, kind="stable")] = 1 + np.arange(len(y))
    total = 0.0
    for i, j in pairs:
        change = (gains[i] - gains[j]) / _ideal(gains, spec.k)
        logistic = _softplus(-(s[i] - s[j]) / spec.temperature)
        total += w[i] * change * _discount_change(spec, ranks[i], ranks[j], k) * logistic
    return total, sum(w[i] for i, _ in pairs) / len(pairs)


def _discount_change(spec, r_i, r_j, k):
    def discount(rank):
        return 1 / log2(1 + rank)

    distance = abs(r_i - r_j)
    by_distance = discount(distance) - discount(distance + 1)
    deeper = max(r_i, r_j)
    if spec.lambda_weight == "ndcg_v2":
        return by_distance / (1 - discount(deeper)) if deeper > k else by_distance
    if min(r_i, r_j) > k:
        return 0.0
    by_swap = abs((discount(r_i) if r_i <= k else 0) - (discount(r_j) if r_j <= k else 0))
    share = 1 if spec.smooth_fraction is None else spec.smooth_fraction
    return share * by_swap + (1 - share) * by_distance


def _softmax(spec, y, s, w, ranked):
    gains = _gains(spec, y)
    if not gains.sum():
        return 0.0, 0.0
    shifted = (s - s.max()) / spec.temperature
    log_q = shifted - log(sum(exp(x) for x in shifted))
    return sum(w * gains * -log_q) / gains.sum(), _weight(w, gains)


def _sigmoid_cross_entropy(spec, y, s, w, ranked):
    losses = [_softplus(-x if label > 0 else x) for label, x in zip(y, s / spec.temperature, strict=True)]
    return sum(w * losses) / len(y), sum(w) / len(y)


def _mean_squared(spec, y, s, w, ranked):
    return sum(w * (s - y) ** 2) / len(y), sum(w) / len(y)


def _approx_mrr(spec, y, s, w, ranked):
    if not y.sum():
        return 0.0, 0.0
    ranks = [0.5 + sum(_sigmoid((s_j - s_i) / spec.temperature) for s_j in s) for s_i in s]
    weight = _weight(w, y)
    return weight * (1 - sum(y / ranks) / y.sum()), weight


def _unique_softmax(spec, y, s, w, ranked):
    gains, n = _gains(spec, y), range(len(y))
    if not gains.sum():
        return 0.0, 0.0
    losses = [_log_sum_exp([s[j] - s[i] for j in n if y[j] < y[i] or j == i], spec) for i in n]
    return sum(w * gains * losses) / gains.sum(), _weight(w, gains)


def _list_mle(spec, y, s, w, ranked):
    """Ties in the rising order of `ranked`."""
    if y.max() == y.min():
        return 0.0, 0.0
    order = np.lexsort((ranked, -y))
    losses = [_log_sum_exp([s[j] - s[i] for j in order[rank:]], spec) for rank, i in enumerate(order)]
    return _weight(w, y) * sum(losses), _weight(w, y)


def _log_sum_exp(values, spec):
    largest = max(values)
    return largest / spec.temperature + log(sum(exp((value - largest) / spec.temperature) for value in values))


DEFINITIONS = {
    "approx_mrr": _approx_mrr,
    "approx_ndcg": _approx_ndcg,
    "gumbel_approx_ndcg": _approx_ndcg,
    "lambda_loss": _lambda_loss,
    "list_mle": _list_mle,
    "mean_squared": _mean_squared,
    "pairwise_hinge": _pairwise_hinge,
    "pairwise_logistic": _pairwise_logistic,
    "sigmoid_cross_entropy": _sigmoid_cross_entropy,
    "softmax": _softmax,
    "unique_softmax": _unique_softmax,
}
