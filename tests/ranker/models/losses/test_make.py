"""One matrix over all losses: their definitions, edges, invariants, weights, dtypes, shapes, XLA."""

from __future__ import annotations

import inspect
from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from ranker.models.losses import LOSSES, make_loss
from ranker.spec import losses as sections
from ranker.spec.losses import ApproxNdcg, OneLoss
from tests.ranker.models.losses.definitions import DEFINITIONS, SPECS, batch_loss

SEED = tf.constant([3, 14])
RANDOM = {"gumbel_approx_ndcg", "list_mle"}
EACH = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
WITHOUT_NOISE = pytest.mark.parametrize(  # noise goes by slot, so that it is another where documents move
    "spec", [pytest.param(spec, id=name) for name, spec in SPECS.items() if spec.kind not in RANDOM]
)


def batch(seed=0, lists=5, length=7):
    """labels 0 to 3, distinct scores, a mask with holes, weights of documents; the last list is empty."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, (lists, length)).astype(np.float32)
    labels[0, :2] = 0, 3
    scores = random.normal(size=(lists, length)).astype(np.float32)
    mask = random.random((lists, length)) < 0.7
    mask[0], mask[-1] = True, False
    return labels, scores, mask, random.exponential(size=(lists, length)).astype(np.float32)


def compute(spec, labels, scores, mask, weights=None):
    """total, weight, and the gradient of the total by the scores."""
    scores = tf.constant(scores)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        total, weight = make_loss(spec, 3)(labels, scores, mask, weights, SEED)
    assert total.dtype == weight.dtype == tf.float32
    assert total.shape == weight.shape == []
    return float(total), float(weight), tape.gradient(total, scores).numpy()


def drawn(spec, shape):
    """What the seed gives, for `batch_loss`."""
    if spec.kind == "list_mle":
        return {"ranked_by": tf.random.stateless_uniform(shape, SEED).numpy()}
    if spec.kind != "gumbel_approx_ndcg":
        return {}
    seeds = [tf.random.fold_in(SEED, number) for number in range(spec.samples)]
    uniform = np.array([tf.random.stateless_uniform(shape, seed) for seed in seeds], np.float64)
    return {"noise": -spec.noise * np.log(-np.log(uniform))}


def test_the_tables_hold_every_kind_of_the_spec():
    kinds = {
        get_args(section.model_fields["kind"].annotation)[0]
        for section in vars(sections).values()
        if inspect.isclass(section) and issubclass(section, OneLoss) and section is not OneLoss
    }
    assert len(kinds) >= 7
    assert set(LOSSES) == kinds == set(DEFINITIONS) == {spec.kind for spec in SPECS.values()}


TRUE = np.ones((1, 3), bool)
EDGES = {
    "one document": ([[2.0]], [[0.3]], [[True]]),
    "one document without relevance": ([[0.0]], [[0.3]], [[True]]),
    "one document in padding": ([[0.0, 3, 1]], [[0.3, -0.2, 1]], [[False, True, False]]),
    "no slots": (np.zeros((2, 0)), np.zeros((2, 0)), np.zeros((2, 0), bool)),
    "no lists": (np.zeros((0, 4)), np.zeros((0, 4)), np.zeros((0, 4), bool)),
    "all masked": ([[1.0, 2]], [[0.3, 0.1]], [[False, False]]),
    "no relevant document": ([[0.0, 0, 0]], [[0.3, 0.1, 9]], TRUE),
    "all equally relevant": ([[2.0, 2, 2]], [[0.3, 0.1, 0.9]], TRUE),
    "all scores tie": ([[1.0, 0, 3]], [[0.5, 0.5, 0.5]], TRUE),
    "some scores tie": ([[1.0, 0, 3, 1, 2, 0]], [[0.5, 0.7, 0.5, 0.1, 0.7, 0.7]], np.ones((1, 6), bool)),
    "fractions for labels": ([[0.5, 0, 0.25]], [[0.5, 0.1, 0.7]], TRUE),
    "large scores, wrong": ([[1.0, 0, 0]], [[-1e4, 0, 1e4]], TRUE),
    "huge scores, wrong": ([[1.0, 0, 0]], [[-1e15, 0, 1e15]], TRUE),
    "huge scores, right": ([[1.0, 0, 0]], [[1e15, 0, -1e15]], TRUE),
    "huge tied scores": ([[1.0, 0, 0]], [[1e15, 1e15, 1e15]], TRUE),
    "all far below 0 beside padding": ([[1.0, 0, 0]], [[-1e15, -2e15, 0]], [[True, True, False]]),
    "huge labels": ([[2.0, 1000, 0]], [[1.0, 0, -1]], TRUE),
    "lists of all sorts": (
        [[1.0, 2, 0], [0, 0, 0], [1, 2, 3], [1, 0, 1]],
        [[1.0, 0, 0.1], [0.1, 0.2, 0.3], [3, 1, 2], [-0.5, -0.3, 0]],
        [[True, True, True], [True, True, True], [False, False, False], [True, False, True]],
    ),
}


@EACH
@pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES)
def test_edges_are_as_defined_and_have_finite_gradients(spec, edge):
    labels, scores, mask = (np.array(x, dtype) for x, dtype in zip(edge, (np.float32, np.float32, bool), strict=True))
    total, weight, gradient = compute(spec, labels, scores, mask)
    random = drawn(spec, labels.shape)
    if np.abs(scores).max(initial=0) > 1e10:
        random.pop("noise", None)  # float32 loses it beside such scores
    assert (total, weight) == pytest.approx(batch_loss(spec, labels, scores, mask, **random), rel=2e-6, abs=2e-6)
    assert np.isfinite(gradient).all()
    assert not gradient[~mask].any()


@pytest.mark.parametrize("seed", range(4))
@EACH
def test_value_is_as_defined(spec, seed):
    labels, scores, mask, weights = batch(seed)
    total, weight, _ = compute(spec, labels, scores, mask, weights)
    expected = batch_loss(spec, labels, scores, mask, weights, **drawn(spec, labels.shape))
    assert (total, weight) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert total > 0.01
    assert weight > 0.1


@EACH
def test_gradient_is_that_of_finite_differences_of_the_definition(spec):
    labels, scores, mask, weights = batch(seed=2, lists=3)
    *_, gradient = compute(spec, labels, scores, mask, weights)
    options, step = {"ranked_by": scores, **drawn(spec, labels.shape)}, 1e-5
    for at in np.ndindex(scores.shape):
        shift = np.zeros(scores.shape)
        shift[at] = step
        up, down = (batch_loss(spec, labels, scores + side * shift, mask, weights, **options)[0] for side in (1, -1))
        assert gradient[at] == pytest.approx((up - down) / (2 * step), abs=2e-5)
    assert np.abs(gradient).max() > 0.01


@EACH
@pytest.mark.parametrize("junk", [0, 3e38, -np.inf, np.nan])
def test_what_stands_in_padding_does_not_matter(spec, junk):
    inputs = batch()
    mask = inputs[2]
    clean, dirty = ([np.where(mask, x, fill) for x in inputs] for fill in (1, junk))
    clean[2] = dirty[2] = mask
    *values, gradient = compute(spec, *clean)
    *dirty_values, dirty_gradient = compute(spec, *dirty)
    assert values == dirty_values
    np.testing.assert_array_equal(gradient, dirty_gradient)


@WITHOUT_NOISE
def test_more_padding_changes_nothing(spec):
    inputs = batch()
    *values, gradient = compute(spec, *inputs)
    wider = [np.pad(x, ((0, 3), (2, 9))) for x in inputs]
    *wider_values, wider_gradient = compute(spec, *wider)
    assert wider_values == pytest.approx(values, rel=1e-6)
    np.testing.assert_allclose(wider_gradient[:-3, 2:-9], gradient, atol=1e-6)
    assert wider_gradient[~wider[2]].tolist() == [0] * np.sum(~wider[2])


@WITHOUT_NOISE
def test_order_of_documents_does_not_matter(spec):
    inputs = batch()
    order = np.random.default_rng(1).permuted(np.tile(np.arange(7), (5, 1)), axis=1)
    *values, gradient = compute(spec, *inputs)
    *shuffled_values, shuffled_gradient = compute(spec, *(np.take_along_axis(x, order, axis=1) for x in inputs))
    assert shuffled_values == pytest.approx(values, rel=1e-5)
    np.testing.assert_allclose(shuffled_gradient, np.take_along_axis(gradient, order, axis=1), atol=1e-6)


@WITHOUT_NOISE
def test_a_batch_is_the_sum_of_its_lists(spec):
    inputs = batch()
    *values, gradient = compute(spec, *inputs)
    alone = [compute(spec, *(x[row : row + 1] for x in inputs)) for row in range(5)]
    assert np.sum([one[:2] for one in alone], axis=0) == pytest.approx(values, rel=1e-6)
    np.testing.assert_allclose(np.concatenate([one[2] for one in alone]), gradient, atol=1e-6)


@WITHOUT_NOISE
def test_double_weight_is_a_list_twice(spec):
    labels, scores, mask, weights = batch()
    twice = [0, 0, 1, 2, 3, 4]
    *values, _ = compute(spec, *(x[twice] for x in (labels, scores, mask, weights)))
    *weighted, _ = compute(spec, labels, scores, mask, weights * np.array([[2], [1], [1], [1], [1]], np.float32))
    assert weighted == pytest.approx(values, rel=1e-6)


@EACH
def test_a_list_of_weight_0_is_not_there(spec):
    labels, scores, mask, weights = batch()
    gone, without = mask.copy(), weights.copy()
    gone[0], without[0] = False, 0
    *values, gradient = compute(spec, labels, scores, gone, weights)
    *weighted, weighted_gradient = compute(spec, labels, scores, mask, without)
    assert weighted == pytest.approx(values, rel=1e-6)
    assert 0 < weighted[1] < compute(spec, labels, scores, mask, weights)[1]
    np.testing.assert_allclose(weighted_gradient, gradient, atol=1e-7)
    assert compute(spec, labels, scores, mask, 0 * weights)[:2] == (0, 0)


@EACH
def test_weights_of_lists_and_none(spec):
    labels, scores, mask, _ = batch()
    of_lists = np.array([[2], [0.5], [0], [3], [1]], np.float32)
    *values, _ = compute(spec, labels, scores, mask, of_lists)
    assert compute(spec, labels, scores, mask, np.tile(of_lists, 7))[:2] == tuple(values)
    *plain, _ = compute(spec, labels, scores, mask)
    assert compute(spec, labels, scores, mask, np.full((5, 1), 3.0))[:2] == pytest.approx([3 * x for x in plain])


def trace(spec, **options):
    """The function of labels, scores, mask and weights that gives total, weight and gradient, traced."""
    loss = make_loss(spec, 3)

    @tf.function(**options)
    def traced(labels, scores, mask, weights):
        with tf.GradientTape() as tape:
            tape.watch(scores)
            total, weight = loss(labels, scores, mask, weights, SEED)
        return total, weight, tape.gradient(total, scores)

    return traced


@EACH
def test_sizes_unknown_when_traced(spec):
    inputs = batch()
    traced = trace(spec, input_signature=[tf.TensorSpec([None, None], x.dtype) for x in inputs])
    for length in (7, 5):
        shorter = [x[:, :length] for x in inputs]
        for found, expected in zip(traced(*shorter), compute(spec, *shorter), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@EACH
def test_xla_gives_the_same(spec):
    inputs, traced = batch(), trace(spec, jit_compile=True)
    found = [x.numpy() for x in traced(*inputs)]
    expected = compute(spec, *inputs)
    assert not found[2][~inputs[2]].any()
    if spec.kind not in RANDOM:
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)
    else:  # XLA draws other numbers: the same in each run
        np.testing.assert_array_equal(traced(*inputs)[2], found[2])
        np.testing.assert_array_equal(found[2] == 0, expected[2] == 0)
    huge = [inputs[0], 1e15 * np.round(inputs[1]), *inputs[2:]]  # and ties
    assert all(np.isfinite(x).all() for x in traced(*huge))


@EACH
@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float64])
def test_scores_of_other_dtypes_are_computed_in_float32(spec, dtype):
    labels, scores, mask, weights = batch()
    rounded = tf.cast(scores, dtype)
    *values, gradient = compute(spec, labels, rounded, mask, weights)
    *expected, expected_gradient = compute(spec, labels, tf.cast(rounded, tf.float32), mask, weights)
    assert values == expected
    np.testing.assert_allclose(gradient.astype(np.float32), expected_gradient, rtol=1e-2, atol=1e-3)


@EACH
def test_labels_and_weights_of_other_dtypes(spec):
    labels, scores, mask, _ = batch()
    weights = np.arange(5)[:, np.newaxis]
    *values, _ = compute(spec, labels, scores, mask, weights.astype(np.float32))
    for of_labels, of_weights in [(np.int64, np.int32), (np.int32, np.float64), (np.float64, np.float16)]:
        assert compute(spec, labels.astype(of_labels), scores, mask, weights.astype(of_weights))[:2] == tuple(values)


@EACH
def test_descending_it_sorts_the_documents(spec):
    labels = np.array([[0, 1, 0, 0, 1, 0]], np.float32)
    scores = np.array([[0.5, -0.5, 0.4, 0.1, 0, -0.2]], np.float32)
    traced = trace(spec)
    for _ in range(40):
        scores -= 0.5 * traced(labels, scores, labels >= 0, np.ones_like(labels))[2]
    assert set(np.argsort(-scores[0])[:2]) == {1, 4}


def test_the_gain_left_open_goes_by_the_largest_label():
    labels, scores, mask, _ = batch()
    left_open = ApproxNdcg(kind="approx_ndcg", temperature=0.5)
    for largest, gain in [(3, "exp2"), (10, "exp2"), (10.5, "linear"), (100, "linear")]:
        said = ApproxNdcg(kind="approx_ndcg", temperature=0.5, gain=gain)
        total, _ = make_loss(left_open, largest)(labels, scores, mask)
        assert float(total) == compute(said, labels, scores, mask)[0]
    assert float(make_loss(left_open, 10)(labels, scores, mask)[0]) != float(total)


def weighing(name, weight):
    return SPECS[name].model_copy(update={"weight": weight})


@pytest.mark.parametrize("names", [("softmax", "approx_ndcg"), ("pairwise_logistic", "mean_squared", "softmax")])
def test_a_sum_is_the_sum_of_its_losses_by_their_weights(names):
    labels, scores, mask, _ = batch()
    rows = [0, 1, 2, 3]  # these count in all losses
    inputs = [x[rows] for x in (labels, scores, mask, np.array([[2], [0.5], [0], [3], [1]], np.float32))]
    parts = [weighing(name, weight) for name, weight in zip(names, (0.25, 2.0, 1.5), strict=False)]
    alone = [compute(part, *inputs) for part in parts]
    total, weight, gradient = compute(parts, *inputs)
    expected = sum(part.weight * value / count for part, (value, count, _) in zip(parts, alone, strict=True))
    assert total / weight == pytest.approx(expected, rel=1e-5)
    slopes = sum(part.weight * slope / count for part, (_, count, slope) in zip(parts, alone, strict=True))
    np.testing.assert_allclose(gradient / weight, slopes, atol=1e-6)


def test_a_list_counts_in_a_sum_what_it_counts_in_its_parts_on_average():
    labels, scores, mask = np.array([[2.0, 0], [0, 0]]), np.array([[1.0, 2], [3, 4]]), np.ones((2, 2), bool)
    total, weight = make_loss([weighing("softmax", 3.0), weighing("mean_squared", 1.0)], 3)(labels, scores, mask)
    of_softmax = np.log(1 + np.exp((2 - 1) / 0.6))
    assert float(total) == pytest.approx(3 * of_softmax + ((1 - 2) ** 2 + 2**2) / 2 + (3**2 + 4**2) / 2, rel=1e-6)
    assert float(weight) == pytest.approx((3 * (1 + 0) + 1 * (1 + 1)) / 4)


def test_parts_of_a_sum_draw_noise_of_their_own():
    inputs = batch()
    part = SPECS["gumbel_approx_ndcg"]
    alone, _, _ = compute(part, *inputs)
    twice, _, _ = compute([part, part], *inputs)
    assert twice / 2 != pytest.approx(alone, rel=1e-3)
