"""Weights of an older network at their places in a new one."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from ranker.data.layout import IdFeature, Layout
from ranker.errors import RankerError
from ranker.models.scorers.networks import make_network
from ranker.models.scorers.pieces import PIECES
from ranker.spec import Dnn, Linear, SelfAttention
from training.meaning import VECTORS, Entries, embedding_of, ids_of
from training.warm_start import warm_start
from training.weights import weight_names

DNN = Dnn(name="net", kind="dnn", layers=[6, 5], dropout=0)
LINEAR = Linear(name="net", kind="linear")
ATTENTION = SelfAttention(name="net", kind="self_attention", width=8, heads=2, blocks=1, dropout=0)
BRANDS = [b"oak", b"elm", b"ash", b"yew"]


SCALES = re.compile("(numbers|pieces)/")  # weights that `adapt` sets
MAPPED = {
    "linear": {"sum/kernel", "ids/brand/embeddings"},
    "dnn": {"tower/dense/0/kernel", "inputs/tables/brand/embeddings"},
    "self_attention": {"enter/kernel", "inputs/tables/brand/embeddings"},
}


class Data:
    """A dataset of dense columns, a brand with a vocabulary and hashed words."""

    def __init__(self, dense=("price", "stock", "age"), brands=BRANDS, oov=2, buckets=9, embed=3) -> None:
        self.brands, self.oov = list(brands), oov
        table = f"#text_{buckets}_2"
        self.layout = Layout(
            tuple(dense),
            (
                IdFeature("words", "query", buckets + 1, 2, True, table),
                IdFeature("title", "document", buckets + 1, 2, True, table),
                IdFeature("brand", "document", 1 + len(brands) + oov, embed, False, "brand"),
            ),
        )

        def named(names) -> Entries:
            return Entries(0, pa.array([name.encode() for name in names], pa.binary()), 0)

        self.meanings = {name: named(names(self.layout, dense)) for name, names in VECTORS.items()}
        self.meanings[ids_of("brand")] = Entries(1, pa.array(self.brands, pa.binary()), oov)
        self.meanings[ids_of(table)] = Entries(1, pa.array([], pa.binary()), buckets)
        self.meanings[embedding_of("brand")] = named([f"{at} of {embed}" for at in range(embed)])
        self.meanings[embedding_of(table)] = named(["0 of 2", "1 of 2"])

    def features(self, documents: list[dict]) -> tuple[dict, tf.Tensor]:
        """One list of documents, each with its numbers, its brand and the words of its title; the query has word 3."""
        longest = max(len(document["title"]) for document in documents)
        titles = [document["title"] + [0] * (longest - len(document["title"])) for document in documents]
        return {
            "dense": tf.constant([[[document[name] for name in self.layout.dense] for document in documents]]),
            "words": tf.constant([[3]], tf.int64),
            "title": tf.constant([titles], tf.int64),
            "brand": tf.constant([[[self.brand(document["brand"])] for document in documents]], tf.int64),
        }, tf.ones([1, len(documents)], tf.bool)

    def brand(self, value: bytes) -> int:
        return 1 + self.brands.index(value)


DOCUMENTS = [
    {"price": 0.3, "stock": -1.0, "age": 2.0, "weight": 0.0, "brand": b"ash", "title": [3, 5]},
    {"price": 1.3, "stock": 0.5, "age": -0.7, "weight": 0.0, "brand": b"oak", "title": [1]},
    {"price": -0.4, "stock": 0.9, "age": 0.1, "weight": 0.0, "brand": b"yew", "title": [2, 2, 7]},
]


def trained(spec, data: Data) -> dict[str, np.ndarray]:
    """Weights that differ from all initial ones, with numbers left as they are."""
    network = make_network(spec, data.layout, 99)
    random = np.random.default_rng(5)
    return {
        name: value if SCALES.search(name) else random.normal(size=value.shape).astype(np.float32)
        for name, value in zip(weight_names(network), network.get_weights(), strict=True)
    }


def started(spec, now: Data, then: Data, weights=None):
    """The network after its start, the outcome, and what a network without it has."""
    weights = trained(spec, then) if weights is None else weights
    start = warm_start(spec, now.layout, 1, weights, now.meanings, then.meanings)
    network, fresh = make_network(spec, now.layout, 1), make_network(spec, now.layout, 1)
    start(network)
    given = [dict(zip(weight_names(one), one.get_weights(), strict=True)) for one in (network, fresh)]
    return network, start.taken, *given


def old_network(spec, data: Data, weights):
    network = make_network(spec, data.layout, 4)
    network.set_weights([weights[name] for name in weight_names(network)])
    return network


@pytest.mark.parametrize("spec", [LINEAR, DNN, ATTENTION], ids=lambda spec: spec.kind)
def test_on_equal_data_all_is_copied(spec):
    data = Data()
    weights = trained(spec, data)
    network, taken, *_ = started(spec, data, data, weights)
    assert (taken.fresh, taken.mapped) == ([], {})
    assert set(taken.copied) == {name for name in weights if not SCALES.search(name)}
    assert network(*data.features(DOCUMENTS)).numpy() == pytest.approx(
        old_network(spec, data, weights)(*data.features(DOCUMENTS)).numpy(), abs=1e-7
    )


@pytest.mark.parametrize("spec", [LINEAR, DNN, ATTENTION], ids=lambda spec: spec.kind)
def test_columns_and_brands_in_another_order_give_the_same_scores(spec):
    """The same number of each: only what they mean says that they have moved."""
    then, now = Data(), Data(dense=("age", "price", "stock"), brands=BRANDS[::-1])
    weights = trained(spec, then)
    network, taken, *_ = started(spec, now, then, weights)
    scores = old_network(spec, then, weights)(*then.features(DOCUMENTS)).numpy()
    assert network(*now.features(DOCUMENTS)).numpy() == pytest.approx(scores, abs=1e-5)
    assert np.ptp(scores) > 0.01
    assert taken.fresh == []
    assert set(taken.mapped) == MAPPED[spec.kind]
    assert all(of == number for number, of in taken.mapped.values())


@pytest.mark.parametrize("spec", [LINEAR, DNN, ATTENTION], ids=lambda spec: spec.kind)
def test_what_is_gone_is_dropped(spec):
    """Scores stay where the lost brand is not, and the lost column was 0 for all."""
    then, now = Data(dense=("price", "weight", "stock", "age")), Data(brands=[b"yew", b"oak", b"ash"])
    weights = trained(spec, then)
    network, taken, *_ = started(spec, now, then, weights)
    scores = old_network(spec, then, weights)(*then.features(DOCUMENTS)).numpy()
    assert network(*now.features(DOCUMENTS)).numpy() == pytest.approx(scores, abs=1e-5)
    assert taken.fresh == []


def test_what_is_new_is_as_initialised():
    then, now = Data(), Data(dense=("price", "weight", "stock", "age"), brands=[b"fir", b"yew", b"oak"])
    weights = trained(DNN, then)
    _, taken, values, fresh = started(DNN, now, then, weights)
    table, old_table = "inputs/tables/brand/embeddings", weights["inputs/tables/brand/embeddings"]
    for value in now.brands:
        at = now.brand(value)
        expected = fresh[table][at] if value == b"fir" else old_table[then.brand(value)]
        np.testing.assert_array_equal(values[table][at], expected)
    np.testing.assert_array_equal(values[table][-2:], old_table[-2:], "other brands are in as many buckets")
    kernel, old_kernel = (given["tower/dense/0/kernel"] for given in (values, weights))
    new = slice(PIECES, 2 * PIECES)  # the second number
    np.testing.assert_array_equal(kernel[new], fresh["tower/dense/0/kernel"][new])
    np.testing.assert_array_equal(np.delete(kernel, new, axis=0), old_kernel)
    assert taken.mapped == {table: (5 * 3, 6 * 3), "tower/dense/0/kernel": (len(old_kernel) * 6, kernel.size)}
    assert taken.fresh == []
    assert str(taken) == f"{len(taken.copied)} copied, 2 mapped, 0 fresh"


def test_another_number_of_buckets_is_another_hash():
    then, now = Data(), Data(oov=3, buckets=12)
    weights = trained(DNN, then)
    _, taken, values, fresh = started(DNN, now, then, weights)
    np.testing.assert_array_equal(
        values["inputs/tables/brand/embeddings"][5:], fresh["inputs/tables/brand/embeddings"][5:]
    )
    assert taken.fresh == ["inputs/tables/#text_12_2/embeddings"]
    assert [*taken.mapped] == ["inputs/tables/brand/embeddings"]


def test_a_table_without_a_known_value_is_fresh():
    then, now = Data(), Data(brands=[b"fir"])
    _, taken, values, fresh = started(DNN, now, then)
    table = "inputs/tables/brand/embeddings"
    assert table in taken.fresh
    np.testing.assert_array_equal(values[table], fresh[table])


def test_another_width_of_an_embedding_leaves_it_and_its_columns_fresh():
    then, now = Data(), Data(embed=4)
    weights = trained(DNN, then)
    _, taken, values, fresh = started(DNN, now, then, weights)
    assert taken.fresh == ["inputs/tables/brand/embeddings"]
    kernel = values["tower/dense/0/kernel"]
    same = (kernel == fresh["tower/dense/0/kernel"]).all(axis=1)
    assert same.sum() == 4
    brand = slice(3 * PIECES + 1, 3 * PIECES + 4)  # behind three numbers and an overlap
    np.testing.assert_array_equal(kernel[~same], np.delete(weights["tower/dense/0/kernel"], brand, axis=0))


def test_numbers_are_those_of_the_new_data():
    data = Data()
    weights = trained(DNN, data)
    weights |= {name: value + 7 for name, value in weights.items() if SCALES.search(name)}
    network = make_network(DNN, data.layout, 1)
    rows = np.random.default_rng(1).normal(size=[100, 3]).astype(np.float32)
    network.adapt(rows)
    warm_start(DNN, data.layout, 1, weights, data.meanings, data.meanings)(network)
    adapted = make_network(DNN, data.layout, 1)
    adapted.adapt(rows)
    named = [dict(zip(weight_names(one), one.get_weights(), strict=True)) for one in (network, adapted)]
    for name in weights:
        if SCALES.search(name):
            np.testing.assert_array_equal(named[0][name], named[1][name])
        else:
            np.testing.assert_array_equal(named[0][name], weights[name])


def test_a_deeper_network_takes_the_layers_that_it_has():
    data = Data()
    deeper = DNN.model_copy(update={"layers": [6, 5, 4]})
    weights = trained(DNN, data)
    _, taken, values, _ = started(deeper, data, data, weights)
    np.testing.assert_array_equal(values["tower/dense/1/kernel"], weights["tower/dense/1/kernel"])
    assert set(taken.fresh) == {
        "tower/dense/2/kernel",
        "tower/dense/2/bias",
        "tower/norms/2/gamma",
        "tower/norms/2/beta",
        "leave/kernel",
    }


def test_nothing_that_fits_is_told():
    then = Data()
    now = Data(brands=[b"fir"], buckets=4)
    wider = DNN.model_copy(update={"layers": [60, 50]})
    with pytest.raises(RankerError) as told:
        started(wider, now, then, trained(DNN, then))
    message = str(told.value)
    assert message.startswith("no weight of 'net' (dnn) fits: expected inputs/tables/#text_4_2/embeddings [5, 2], ")
    assert "inputs/pieces/scale [3, 8] and 5 more; " in message
    assert "; there is inputs/tables/#text_9_2/embeddings [10, 2], inputs/tables/brand/embeddings [7, 3], " in message
    assert "train it without warm_start" in message


def test_biases_alone_are_nothing():
    data = Data()
    with pytest.raises(RankerError, match=r"no weight of 'net' \(linear\) fits: .*; there is none;"):
        started(LINEAR, data, data, {"sum/bias": np.ones(1, np.float32)})
