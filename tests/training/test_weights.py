"""Names of weights, and weights on disk."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from ranker.data.artefacts import ArtefactError
from ranker.data.layout import IdFeature, Layout
from ranker.models.scorers.networks import make_network
from ranker.spec import Dnn, Linear, SelfAttention
from training.weights import load_weights, save_weights, weight_names

LAYOUT = Layout(
    ("price", "stock"),
    (
        IdFeature("words", "query", 10, 4, True, "#text_9_4"),
        IdFeature("title", "document", 10, 4, True, "#text_9_4"),
        IdFeature("brand", "document", 7, 3, False, "brand"),
    ),
)
SCALES = re.compile("(numbers|pieces)/")  # weights that `adapt` sets; no warm start takes them


def made(spec, policy="float32", seed=1):
    return make_network(spec, LAYOUT, seed, policy)


def test_the_names_are_part_of_the_format():
    """Who renames an attribute of a scorer makes older bundles useless to start from: better to know."""

    def learnt(spec) -> list[str]:
        return [name for name in weight_names(made(spec)) if not SCALES.search(name)]

    assert learnt(Linear(name="net", kind="linear")) == [
        *("sum/kernel", "sum/bias", "ids/brand/embeddings", "ids/title/embeddings"),
    ]
    assert learnt(Dnn(name="net", kind="dnn", layers=[4, 3])) == [
        *("inputs/tables/#text_9_4/embeddings", "inputs/tables/brand/embeddings"),
        *("tower/dense/0/kernel", "tower/dense/0/bias", "tower/dense/1/kernel", "tower/dense/1/bias"),
        *("tower/norms/0/gamma", "tower/norms/0/beta", "tower/norms/1/gamma", "tower/norms/1/beta"),
        *("leave/kernel", "leave/bias"),
    ]
    attention = SelfAttention(name="net", kind="self_attention", width=8, heads=2, blocks=2)
    assert {"enter/kernel", "blocks/1/attention/enter/kernel", "blocks/1/narrow/bias", "norm/gamma"} < set(
        learnt(attention)
    )


@pytest.mark.parametrize(
    "spec",
    [
        Dnn(name="net", kind="dnn", normalisation="batch"),
        SelfAttention(name="net", kind="self_attention", width=8, heads=2, latent_cross=True),
    ],
    ids=["dnn", "self_attention"],
)
def test_names_do_not_hang_on_the_process_the_precision_or_the_devices(spec):
    names = weight_names(made(spec))
    assert len(names) == len(set(names)) == len(made(spec).weights)
    assert weight_names(made(spec)) == names, "Keras has counted on"
    assert weight_names(made(spec, "mixed_bfloat16")) == names
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        assert weight_names(made(spec)) == names


def test_what_is_written_is_read(tmp_path):
    network = made(Dnn(name="net", kind="dnn", layers=[4, 3]))
    save_weights(tmp_path / "w.npz", network)
    read = load_weights(tmp_path / "w.npz")
    assert list(read) == weight_names(network)
    for array, weight in zip(read.values(), network.weights, strict=True):
        np.testing.assert_array_equal(array, weight.numpy(), strict=True)


def test_two_weights_of_one_name_are_refused():
    class Twice(tf_keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.sum, self._sum = (tf_keras.layers.Dense(1, use_bias=False) for _ in range(2))

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return self.sum(x) + self._sum(x)

    network = Twice()
    network(tf.ones([1, 1]))
    with pytest.raises(ValueError, match="Twice: weight name used more than once: sum/kernel"):
        weight_names(network)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"no archive at all"])
def test_a_damaged_file_is_told(tmp_path, content):
    (tmp_path / "w.npz").write_bytes(content)
    with pytest.raises(ArtefactError, match=r"w\.npz: the weights cannot be read .*train the older model again"):
        load_weights(tmp_path / "w.npz")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ArtefactError, match="No such file"):
        load_weights(tmp_path / "w.npz")
