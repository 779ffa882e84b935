"""Short real training runs on the small store."""

import re

import numpy as np
import pytest

from eval.metrics import parse_metric
from ranker.spec import SelfAttention, Training
from training.fit import fit_network, score_lists, stack_lists
from training.inputs import read_packed

METRIC = parse_metric("ndcg@10")
SPEC = SelfAttention(name="net", kind="self_attention", width=16, heads=2, blocks=1)


def fit(dataset, **training):
    """The network, and the metric reported after each epoch."""
    reported = []

    def report(epoch: int, epochs: int, figures: str) -> None:
        assert (epoch, epochs) == (len(reported) + 1, training["epochs"])
        reported.append(float(re.fullmatch(r"loss \d\.\d{4}, validation ndcg@10 (\d\.\d{4})", figures)[1]))

    files = dataset.packed("train"), dataset.packed("valid")
    return fit_network(SPEC, Training(**training), dataset.layout, *files, METRIC, report), reported


def validation_metric(dataset, model) -> float:
    batches = list(read_packed(dataset.packed("valid"), dataset.layout, 32))
    return float(np.nanmean(METRIC.per_list(stack_lists(batches), score_lists(model, batches))))


@pytest.fixture(scope="module")
def short(dataset):
    return fit(dataset, epochs=3, seed=3)


def test_the_same_seed_gives_the_same_weights(dataset, short):
    """Bit for bit: on a processor, nothing in the step depends on threads."""
    again, reported = fit(dataset, epochs=3, seed=3)
    assert reported == short[1]
    for one, other in zip(short[0].get_weights(), again.get_weights(), strict=True):
        assert one.tobytes() == other.tobytes()


def test_training_raises_the_metric_and_seeds_matter(dataset, short):
    other, reported = fit(dataset, epochs=1, seed=4)
    assert short[1][0] < max(short[1])
    assert reported != short[1][:1]
    assert any((a != b).any() for a, b in zip(short[0].get_weights(), other.get_weights(), strict=True))


def test_the_best_weights_are_kept(dataset):
    """The second epoch at a high learning rate is worse, which ends the run with patience 1."""
    model, reported = fit(dataset, epochs=9, seed=3, patience=1, learning_rate=0.2)
    assert len(reported) < 9
    assert reported[-1] < max(reported), "the run has to end worse than its best, or it shows nothing"
    assert validation_metric(dataset, model) == pytest.approx(max(reported), abs=5e-5)


def test_training_stops_when_patience_is_over(dataset):
    """At so small a learning rate the metric stays what it was: epoch 1 is best."""
    _, reported = fit(dataset, epochs=9, seed=3, patience=2, learning_rate=1e-30)
    assert len(reported) == 3
    assert len(set(reported)) == 1


def test_stacked_lists_are_the_real_documents_in_order(dataset, mixed_lengths, read_elwc):
    lists = stack_lists(read_packed([mixed_lengths], dataset.layout, 16))
    labels = [
        [e.features.feature["label"].float_list.value[0] for e in elwc.examples] for elwc in read_elwc([mixed_lengths])
    ]
    assert lists.sizes.tolist() == list(map(len, labels))
    assert lists.labels.tolist() == [label for of_list in labels for label in of_list]


def test_scores_come_in_the_order_of_the_stacked_lists(dataset, mixed_lengths):
    batches = list(read_packed([mixed_lengths], dataset.layout, 16))
    stacked = score_lists(lambda features, mask: features["dense"][..., 0], batches)
    assert stacked.dtype == np.float64
    one_by_one = [f["dense"][0, :, 0].numpy() for f, *_ in read_packed([mixed_lengths], dataset.layout, 1)]
    assert stacked.tolist() == np.concatenate(one_by_one).tolist()
