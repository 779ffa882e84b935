"""The table of networks."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from typing import get_args

import pytest
import tensorflow as tf
import tf_keras

from ranker.models.scorers.networks import SCORERS, make_network
from ranker.spec import Network, scorers
from tests.ranker.models.scorers.conformance import LAYOUT

KINDS = {
    get_args(section.model_fields["kind"].annotation)[0]: section
    for section in vars(scorers).values()
    if isinstance(section, type) and issubclass(section, Network) and section is not Network
}


def test_every_network_of_the_spec_has_a_scorer():
    assert set(SCORERS) == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_network_has_its_name_and_all_its_weights(kind):
    network = make_network(KINDS[kind](name="mine", kind=kind), LAYOUT, seed=1)
    assert network.name == "mine"
    assert network.built
    assert network.trainable_variables
    names = [weight.name for weight in network.weights]
    assert len(set(names)) == len(names)


def test_the_global_precision_is_the_default():
    before = tf_keras.mixed_precision.global_policy()
    tf_keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        network = make_network(KINDS["dnn"](name="net", kind="dnn"), LAYOUT, seed=1)
    finally:
        tf_keras.mixed_precision.set_global_policy(before)
    assert network.compute_dtype == "bfloat16"
    assert {weight.dtype for weight in network.weights} == {tf.float32}
