"""What every network has to keep. A class that derives from `ScorerConformance` and names a spec gets all the tests."""

from __future__ import annotations

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from typing import Any, ClassVar

import numpy as np
import pytest
import tensorflow as tf

from ranker.data.layout import IdFeature, Layout
from ranker.models.scorers.networks import make_network
from ranker.spec import Network

LAYOUT = Layout(
    ("price", "bm25"),
    (
        IdFeature("query", "query", 50, 4, multivalued=True, table="#text_49_4"),
        IdFeature("segment", "query", 5, 3, multivalued=False, table="segment"),
        IdFeature("title", "document", 50, 4, multivalued=True, table="#text_49_4"),
        IdFeature("brand", "document", 9, 3, multivalued=False, table="brand"),
    ),
)
OF_DOCUMENTS = ("dense", "title", "brand")
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
SEED = tf.constant([3, 4])

Features = dict[str, Any]


def lists(seed: int, sizes: list[int], length: int | None = None) -> tuple[Features, tf.Tensor]:
    """Padded features of random lists, and the mask."""
    rng = np.random.default_rng(seed)
    batch, length = len(sizes), length or max(sizes)
    mask = np.arange(length) < np.array(sizes)[:, np.newaxis]
    features = {
        "dense": 3 * rng.normal(size=(batch, length, 2)).astype(np.float32),
        "query": rng.integers(0, 50, (batch, 4)),
        "segment": rng.integers(0, 5, (batch, 1)),
        "title": rng.integers(0, 50, (batch, length, 6)),
        "brand": rng.integers(0, 9, (batch, length, 1)),
    }
    for name in OF_DOCUMENTS:
        features[name][~mask] = 0
    return {name: tf.constant(values) for name, values in features.items()}, tf.constant(mask)


def documents(features: Features, change: Any) -> Features:
    """Features with `change` done to those of documents."""
    return {name: change(x) if name in OF_DOCUMENTS else x for name, x in features.items()}


def fitted(spec: Network, layout: Layout = LAYOUT, seed: int = 5, policy: str | None = None) -> Any:
    """A network that has seen a sample of numbers and a step of training, so that no weight is at its start."""
    network = make_network(spec, layout, seed, policy)
    features, mask = lists(0, [20, 7, 1, 0])
    network.adapt(features["dense"].numpy()[mask.numpy()][:, : len(layout.dense)])
    if layout is LAYOUT:
        train(network, features, mask, steps=1)
    return network


def train(network: Any, features: Features, mask: tf.Tensor, steps: int) -> None:
    """Gradient descent towards scores that are the first number."""
    for step in range(steps):
        gradients = gradients_of(network, features, mask, tf.constant([step, 1]))
        for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
            variable.assign_sub(0.1 * tf.convert_to_tensor(gradient))


def gradients_of(network: Any, features: Features, mask: tf.Tensor, seed: tf.Tensor = SEED) -> list[Any]:
    """Of the mean squared difference of scores and sign of the first number."""
    with tf.GradientTape() as tape:
        scores = network(features, mask, training=True, seed=seed)
        wanted = tf.where(mask, tf.sign(tf.reduce_sum(features["dense"][..., :1], axis=-1)), 0.0)
        loss = tf.reduce_sum(tf.where(mask, tf.square(scores - wanted), 0.0))
        loss /= tf.math.count_nonzero(mask, dtype=tf.float32) + 1
    return tape.gradient(loss, network.trainable_variables)


def real(scores: Any, mask: Any) -> np.ndarray:
    """Of documents only."""
    return np.asarray(scores)[np.asarray(mask)]


class ScorerConformance:
    """Tests of one network.

    Attributes:
        spec: its section.
        multi_item: whether the other documents of a list count.
        random_start: whether the seed decides on the first weights.
    """

    spec: ClassVar[Network]
    multi_item: ClassVar[bool] = False
    random_start: ClassVar[bool] = True

    @pytest.fixture(scope="class")
    @classmethod
    def network(cls) -> Any:
        return fitted(cls.spec)

    def test_permuting_documents_permutes_scores(self, network):
        features, mask = lists(1, [20, 13])
        order = np.random.default_rng(1).permutation(20)
        permuted = network(documents(features, lambda x: tf.gather(x, order, axis=1)), tf.gather(mask, order, axis=1))
        expected = network(features, mask).numpy()[:, order]
        np.testing.assert_allclose(
            real(permuted, mask.numpy()[:, order]), expected[mask.numpy()[:, order]], **TOLERANCE
        )
        assert np.std(expected) > 1e-3

    def test_whether_the_other_documents_count(self, network):
        features, mask = lists(1, [20])
        changed = documents(features, lambda x: tf.concat([x[:, :19], x[:, :1]], axis=1))
        difference = np.abs(network(changed, mask) - network(features, mask))[0, :19].max()
        assert difference > 1e-4 if self.multi_item else difference < 1e-5

    @pytest.mark.parametrize("length", [21, 32, 100])
    def test_padding_changes_nothing(self, network, length):
        features, mask = lists(2, [20, 7])
        wider = documents(features, lambda x: tf.pad(x, [[0, 0], [0, length - 20], [0, 0]]))
        scores = network(wider, tf.pad(mask, [[0, 0], [0, length - 20]]))
        np.testing.assert_allclose(real(scores[:, :20], mask), real(network(features, mask), mask), **TOLERANCE)

    @pytest.mark.parametrize("training", [False, True])
    def test_what_lies_in_padded_places_changes_nothing(self, network, training):
        features, mask = lists(3, [20, 7], length=24)
        junk, _ = lists(4, [24, 24])
        junk["dense"] = tf.where(junk["dense"] > 0, np.nan, junk["dense"] * 1e30)
        empty = ~mask.numpy()[..., np.newaxis]
        mixed = features | {name: tf.where(empty, junk[name], features[name]) for name in OF_DOCUMENTS}
        call = {"training": training, "seed": SEED}
        np.testing.assert_allclose(
            real(network(mixed, mask, **call), mask), real(network(features, mask, **call), mask), **TOLERANCE
        )
        for one, other in zip(gradients_of(network, mixed, mask), gradients_of(network, features, mask), strict=True):
            np.testing.assert_allclose(tf.convert_to_tensor(one), tf.convert_to_tensor(other), **TOLERANCE)

    def test_a_batch_scores_as_its_lists_do(self, network):
        sizes = [20, 1, 7, 13]
        features, mask = lists(5, sizes)
        together = network(features, mask)
        for row, size in enumerate(sizes):
            alone = documents({n: x[row : row + 1] for n, x in features.items()}, lambda x, size=size: x[:, :size])
            np.testing.assert_allclose(network(alone, mask[row : row + 1, :size])[0], together[row, :size], **TOLERANCE)

    @pytest.mark.parametrize("size", [1, 1000])
    def test_shortest_and_long_lists(self, network, size):
        features, mask = lists(6, [size])
        scores = network(features, mask)
        assert (scores.shape, scores.dtype) == ((1, size), tf.float32)
        assert np.isfinite(scores).all()

    def test_an_empty_list_does_not_harm_the_others(self, network):
        features, mask = lists(7, [5, 0, 8])
        scores = network(features, mask)
        assert np.isfinite(scores).all()
        rest, rest_mask = ({n: x[::2] for n, x in features.items()}, mask[::2])
        np.testing.assert_allclose(real(scores[::2], rest_mask), real(network(rest, rest_mask), rest_mask), **TOLERANCE)

    def test_no_document_at_all(self):
        """Neither scores nor gradients nor what is averaged over batches may become NaN, or move."""
        network = fitted(self.spec)
        before = network.get_weights()
        for sizes, length in (([0, 0], 3), ([], 3)):
            features, mask = lists(8, sizes or [0], length)
            if not sizes:
                features, mask = {name: x[:0] for name, x in features.items()}, mask[:0]
            assert np.isfinite(network(features, mask)).all()
            for variable, gradient in zip(
                network.trainable_variables, gradients_of(network, features, mask), strict=True
            ):
                assert np.all(tf.convert_to_tensor(gradient) == 0), variable.name
        for one, other in zip(network.get_weights(), before, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_features_without_an_id(self, network):
        features, mask = lists(8, [5])
        features |= {"query": tf.zeros([1, 0], tf.int64), "title": tf.zeros([1, 5, 0], tf.int64)}
        zeros = features | {"query": tf.zeros([1, 3], tf.int64), "title": tf.zeros([1, 5, 2], tf.int64)}
        np.testing.assert_allclose(network(features, mask), network(zeros, mask), **TOLERANCE)

    def test_the_order_of_ids_does_not_count_but_padding_ids_do_not_either(self, network):
        features, mask = lists(9, [5])
        turned = features | {"title": tf.pad(features["title"][..., ::-1], [[0, 0], [0, 0], [2, 1]])}
        np.testing.assert_allclose(network(turned, mask), network(features, mask), **TOLERANCE)

    @pytest.mark.parametrize("name", OF_DOCUMENTS)
    def test_every_feature_of_documents_counts(self, network, name):
        features, mask = lists(9, [20])
        changed = features | {name: tf.reverse(features[name], [1])}
        assert np.abs(network(changed, mask) - network(features, mask)).max() > 1e-5

    @pytest.mark.parametrize("layout", [Layout(LAYOUT.dense, ()), Layout((), LAYOUT.ids), Layout(("bm25",), ())])
    def test_layouts_without_ids_or_numbers(self, layout):
        features, mask = lists(9, [20, 7])
        features["dense"] = features["dense"][..., : len(layout.dense)]
        kept = {name: features[name] for name in ("dense", *(feature.name for feature in layout.ids))}
        scores = fitted(self.spec, layout)(kept, mask)
        assert np.isfinite(scores).all()

    def test_the_query_counts_together_with_the_document(self, network):
        features, mask = lists(9, [20])
        other = network(features | {"query": (features["query"] + 7) % 50}, mask)
        difference = (other - network(features, mask)).numpy()
        assert np.isfinite(difference).all()
        assert np.std(difference) > 1e-6

    @pytest.mark.parametrize("scale", [1.0, 1e4, 1e30, 3e38])
    def test_gradients_are_finite_and_reach_every_weight(self, network, scale):
        features, mask = lists(10, [20, 7, 1, 0])
        features["dense"] = tf.clip_by_value(features["dense"], -1, 1) * scale
        for variable, gradient in zip(network.trainable_variables, gradients_of(network, features, mask), strict=True):
            assert np.isfinite(tf.convert_to_tensor(gradient)).all(), variable.name
            assert np.any(tf.convert_to_tensor(gradient) != 0) or scale > 1, variable.name
        assert np.abs(network(features, mask)).max() < 1e4

    def test_gradients_of_the_features_are_finite(self, network):
        """What explanations by integrated gradients need."""
        features, mask = lists(10, [5, 0])
        for scale in (1.0, 1e30):
            dense = features["dense"] * scale
            with tf.GradientTape() as tape:
                tape.watch(dense)
                total = tf.reduce_sum(tf.where(mask, network(features | {"dense": dense}, mask), 0.0))
            assert np.isfinite(tape.gradient(total, dense)).all()

    def test_noise_follows_from_the_seed_and_is_in_training_only(self, network):
        features, mask = lists(11, [20])
        again = [network(features, mask, training=True, seed=tf.constant([1, 2])).numpy() for _ in range(2)]
        assert again[0].tobytes() == again[1].tobytes()
        assert network(features, mask, seed=SEED).numpy().tobytes() == network(features, mask).numpy().tobytes()
        other = network(features, mask, training=True, seed=tf.constant([1, 3])).numpy()
        random = self.random_start and getattr(self.spec, "dropout", 0) > 0
        assert (other != again[0]).any() == random
        if random:
            with pytest.raises(ValueError, match="dropout in training needs a seed"):
                network(features, mask, training=True)

    def test_the_seed_decides_on_the_first_weights_alone(self):
        tf.random.set_seed(1)
        first = make_network(self.spec, LAYOUT, 5).get_weights()
        tf.random.set_seed(2)
        tf.random.uniform([])
        again, other = (
            make_network(self.spec, LAYOUT, 5).get_weights(),
            make_network(self.spec, LAYOUT, 6).get_weights(),
        )
        assert all(one.tobytes() == two.tobytes() for one, two in zip(first, again, strict=True))
        drawn = [one.tobytes() != two.tobytes() for one, two in zip(first, other, strict=True)]
        assert any(drawn) == self.random_start
        if self.random_start:
            random = [weight for weight, differs in zip(first, drawn, strict=True) if differs]
            starts = [weight.ravel()[:6].tobytes() for weight in random if weight.size >= 6]
            assert len(set(starts)) == len(starts), "two weights start with the same numbers"

    def test_training_with_a_seed_is_repeated_exactly(self):
        features, mask = lists(12, [20, 7])

        def trained(seed: int) -> bytes:
            network = make_network(self.spec, LAYOUT, seed)
            train(network, features, mask, steps=3)
            return network(features, mask).numpy().tobytes()

        assert trained(1) == trained(1)
        assert (trained(1) != trained(2)) == self.random_start

    def test_a_checkpoint_holds_all(self, network, tmp_path):
        features, mask = lists(13, [20, 7])
        path = tf.train.Checkpoint(network=network).write(str(tmp_path / "network"))
        other = make_network(self.spec, LAYOUT, 99)
        tf.train.Checkpoint(network=other).read(path).assert_consumed()
        np.testing.assert_array_equal(other(features, mask), network(features, mask))
        copied = make_network(self.spec, LAYOUT, 98)
        copied.set_weights(network.get_weights())
        np.testing.assert_array_equal(copied(features, mask), network(features, mask))

    def test_saved_in_a_graph(self, network, tmp_path):
        """As the bundle's export does: the module holds the variables, not the Keras layers."""
        module = tf.Module()
        module.saved = network.variables
        features, mask = lists(14, [20, 7])
        specs = {name: tf.TensorSpec([None] * len(x.shape), x.dtype) for name, x in features.items()}
        specs["dense"] = tf.TensorSpec([None, None, 2])
        score = tf.function(lambda f, m: network(f, m), autograph=False)
        module.score = tf.function(score, input_signature=[specs, tf.TensorSpec([None, None], tf.bool)])
        tf.saved_model.save(module, str(tmp_path))
        loaded = tf.saved_model.load(str(tmp_path))
        np.testing.assert_allclose(
            real(loaded.score(features, mask), mask), real(network(features, mask), mask), **TOLERANCE
        )

    def test_one_trace_serves_all_sizes(self, network):
        traces = []

        def score(features: Features, mask: tf.Tensor) -> tf.Tensor:
            traces.append(1)
            return network(features, mask, training=True, seed=SEED)

        given, _ = lists(15, [1])
        specs = {name: tf.TensorSpec([None] * (x.shape.rank - 1) + [None], x.dtype) for name, x in given.items()}
        specs["dense"] = tf.TensorSpec([None, None, 2])
        function = tf.function(score, input_signature=[specs, tf.TensorSpec([None, None], tf.bool)], autograph=False)
        traced = None
        for sizes in ([1], [5, 3], [0, 40, 2]):
            features, mask = lists(16, sizes)
            assert np.isfinite(function(features, mask)).all()
            traced = traced or len(traces)
        assert len(traces) == traced

    @pytest.mark.parametrize("training", [False, True])
    def test_xla_with_fixed_sizes_scores_the_same(self, network, training):
        """The noise is the same too."""
        features, mask = lists(17, [16, 7, 0], length=16)

        def score(features: Features, mask: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
            return network(features, mask, training=training, seed=seed)

        compiled = tf.function(score, jit_compile=True, autograph=False)
        plain = network(features, mask, training=training, seed=SEED)
        np.testing.assert_allclose(real(compiled(features, mask, SEED), mask), real(plain, mask), **TOLERANCE)

    def test_gradients_by_xla(self, network):
        features, mask = lists(17, [16, 7, 0], length=16)
        compiled = tf.function(lambda f, m: gradients_of(network, f, m), jit_compile=True, autograph=False)
        for one, other in zip(compiled(features, mask), gradients_of(network, features, mask), strict=True):
            np.testing.assert_allclose(tf.convert_to_tensor(one), tf.convert_to_tensor(other), rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
    def test_mixed_precision_gives_float32_near_the_exact(self, network, policy):
        mixed = make_network(self.spec, LAYOUT, 5, policy)
        mixed.set_weights(network.get_weights())
        assert {weight.dtype.name for weight in mixed.weights} == {"float32"}
        features, mask = lists(18, [20, 7, 0])
        scores = mixed(features, mask)
        assert scores.dtype == tf.float32
        exact = real(network(features, mask), mask)
        digits = 2**-7 if policy == "mixed_bfloat16" else 2**-10
        np.testing.assert_allclose(real(scores, mask), exact, atol=8 * digits * max(1, np.abs(exact).max()))
        for scale in (1.0, 1e30):
            scaled = features | {"dense": features["dense"] * scale}
            assert all(np.isfinite(tf.convert_to_tensor(g)).all() for g in gradients_of(mixed, scaled, mask))

    def test_adapting_to_a_scale_makes_it_irrelevant(self):
        """Prices in another currency: the same scores."""
        features, mask = lists(19, [20, 7])
        scores = []
        for scale in (1.0, 1024.0, 2.0**-40):
            network = make_network(self.spec, LAYOUT, 5)
            scaled = features | {"dense": features["dense"] * scale}
            network.adapt(real(scaled["dense"], mask))
            train(network, scaled, mask, steps=2)
            scores.append(real(network(scaled, mask), mask))
        np.testing.assert_allclose(scores[1], scores[0], **TOLERANCE)
        np.testing.assert_allclose(scores[2], scores[0], **TOLERANCE)
