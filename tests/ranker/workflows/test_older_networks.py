"""Networks that start from those of an older bundle or member."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import input_pb2

from eval.metrics import parse_metric
from ranker.data.artefacts import FORMAT_VERSION, write_json
from ranker.data.dataset import Dataset
from ranker.errors import RankerError
from ranker.spec import Linear, Training
from ranker.workflows.older_networks import older_networks, refuse_without_networks
from ranker.workflows.train import train
from ranker.workflows.train_member import WEIGHTS, train_member
from training.examples import read_examples
from training.fit import fit_network
from training.settings import settle
from training.weights import load_weights, weight_names

SCALES = re.compile("(numbers|pieces)/")  # weights that `adapt` sets
STILL = {"epochs": 1, "learning_rate": 1e-30, "schedule": "constant"}  # so small that no weight changes


def with_training(spec, **training):
    return spec.model_copy(update={"training": spec.training.model_copy(update=training)})


def first_metric(folder: Path) -> float:
    lines = (folder / "training" / "net" / "metrics.jsonl").read_text().splitlines()
    return json.loads(lines[0])["validation ndcg@10"]


@pytest.fixture(scope="module")
def started(dataset, bundle, store_spec, progress, tmp_path_factory):
    """The network of the bundle, trained by itself from what the bundle has, without a step that counts."""
    out = tmp_path_factory.mktemp("started") / "net"
    spec = with_training(store_spec, warm_start=str(bundle), **STILL)
    return out, train_member(dataset, "net", out, progress, spec)


def test_a_bundle_keeps_the_weights_of_its_networks(dataset, trained):
    bundle, network = trained
    weights = load_weights(bundle / "net.weights.npz")
    assert list(weights) == weight_names(network)
    for value, weight in zip(weights.values(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(value, weight)
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert manifest["layout"] == json.loads(json.dumps(dataset.layout.to_json()))
    assert sorted(file.name for file in bundle.glob("*.npz")) == ["net.weights.npz"]


def test_the_first_epoch_is_as_good_as_the_older_network(bundle, started, progress):
    out, manifest = started
    older = json.loads((bundle / "manifest.json").read_text())["validation"]["ndcg@10"]["net"]
    assert first_metric(out) == pytest.approx(older, abs=1e-9)
    said = manifest["member"]["warm_start"]
    assert (said["from"], said["fresh"], said["mapped"]) == (str(bundle), [], {})
    assert set(said["copied"]) == {name for name in load_weights(out / WEIGHTS) if not SCALES.search(name)}
    assert f"start net from {bundle}" in progress.stages


def test_a_member_trained_alone_can_be_started_from(dataset, started, store_spec, progress, tmp_path):
    spec = with_training(store_spec, warm_start=str(started[0]), **STILL)
    manifest = train_member(dataset, "net", tmp_path / "net", progress, spec)
    assert first_metric(tmp_path / "net") == first_metric(started[0])
    assert manifest["member"]["warm_start"]["fresh"] == []


def test_ids_are_followed_where_their_vocabulary_has_changed(dataset, started, store_spec, progress, tmp_path):
    """Brands in another order, and one more: with the old places the metric would be another one."""
    changed = _with_other_brands(dataset, tmp_path / "dataset")
    spec = with_training(store_spec, warm_start=str(started[0]), **STILL)
    manifest = train_member(changed, "net", tmp_path / "net", progress, spec)
    assert first_metric(tmp_path / "net") == pytest.approx(first_metric(started[0]), abs=1e-6)
    said = manifest["member"]["warm_start"]
    (name,) = said["mapped"]
    assert name == "inputs/tables/brand/embeddings"
    old, new = (load_weights(folder / WEIGHTS)[name] for folder in (started[0], tmp_path / "net"))
    assert said["mapped"][name] == {"taken": old.size, "of": new.size}
    np.testing.assert_array_equal(new[2:-1], old[1:-1][::-1])
    assert said["fresh"] == []


def _with_other_brands(dataset: Dataset, folder: Path) -> Dataset:
    """The dataset with its brands in reverse, behind one that no document has."""
    shutil.copytree(dataset.path, folder)
    file = folder / "transform" / "transform_fn" / "assets" / "vocabulary_brand"
    brands = file.read_bytes().split(b"\n")[:-1]
    file.write_bytes(b"".join(value + b"\n" for value in [b"never seen", *brands[::-1]]))
    manifest = json.loads((folder / "manifest.json").read_text())
    (brand,) = (one for one in manifest["layout"]["ids"] if one["name"] == "brand")
    assert brand["size"] == len(brands) + 2
    brand["size"] += 1
    write_json(folder / "manifest.json", manifest)
    places = {0: 0, len(brands) + 1: len(brands) + 2} | {1 + at: len(brands) + 1 - at for at in range(len(brands))}
    for path in (folder / "examples").iterdir():
        records = [input_pb2.ExampleListWithContext.FromString(r.numpy()) for r in tf.data.TFRecordDataset(str(path))]
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                for example in record.examples:
                    ids = example.features.feature["brand"].int64_list.value
                    ids[:] = [places[one] for one in ids]
                writer.write(record.SerializeToString())
    return Dataset(folder)


def test_a_training_from_other_weights_is_another_training(dataset, tmp_path):
    """A checkpoint is gone on with only by what started from the same weights."""
    network = Linear(name="line", kind="linear")
    train_lists, valid = (read_examples(dataset.packed(split), dataset.layout) for split in ("train", "valid"))
    settings = settle(network, Training(epochs=1), len(train_lists), len(valid))

    def steps(bias: float | None) -> int:
        def start(scorer) -> None:
            values = zip(weight_names(scorer), scorer.get_weights(), strict=True)
            scorer.set_weights([value + bias if name == "sum/bias" else value for name, value in values])

        notes: list[str] = []
        fit_network(
            network,
            settings,
            train_lists,
            valid,
            parse_metric("ndcg@10"),
            lambda done, total, note: notes.append(note),
            folder=tmp_path,
            start=None if bias is None else start,
        )
        return len(notes)

    assert steps(1.0) > 0
    assert steps(1.0) == 0, "it was finished"
    assert steps(2.0) > 0
    assert steps(None) > 0


def test_trees_start_anew(dataset, bundle, store_spec, progress, tmp_path):
    trees = [m.model_copy(update={"trees": 3}) if m.kind == "lambdamart" else m for m in store_spec.models]
    spec = with_training(store_spec.model_copy(update={"models": trees}), warm_start=str(bundle))
    assert "warm_start" not in train_member(dataset, "trees", tmp_path / "trees", progress, spec)["member"]
    alone = spec.model_copy(update={"models": [m for m in trees if m.kind != "self_attention"]})
    told = r"training\.warm_start: only networks can start from older ones; the models are trees \(lambdamart\)"
    with pytest.raises(RankerError, match=told):
        train(dataset, tmp_path / "bundle", progress, alone)
    refuse_without_networks(spec)


@pytest.fixture
def older(bundle, tmp_path) -> Path:
    """A copy of the bundle without its SavedModel's graph."""
    folder = tmp_path / "older"
    shutil.copytree(bundle, folder, ignore=shutil.ignore_patterns("*.pb", "variables"))
    return folder


def edit(folder: Path, change) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    write_json(folder / "manifest.json", manifest)


def refusal(store_spec, path: Path) -> str:
    with pytest.raises(RankerError) as told:
        older_networks(with_training(store_spec, warm_start=str(path)))
    assert str(told.value).startswith(f"training.warm_start: {path}")
    return str(told.value)


def test_without_the_key_there_is_none(store_spec):
    assert older_networks(store_spec) == {}


def test_a_path_is_relative_to_the_spec(store_spec, older):
    spec = with_training(store_spec, warm_start="older_bundle")
    shutil.copytree(older, spec.path("older_bundle"))
    assert older_networks(spec)["net"].weights == spec.path("older_bundle") / "net.weights.npz"


def test_what_is_no_bundle_is_told(store_spec, dataset, tmp_path):
    assert "no bundle here (manifest.json: No such file" in refusal(store_spec, tmp_path / "none")
    assert "expected a bundle, found 'dataset'" in refusal(store_spec, dataset.path)


def test_an_artefact_of_an_older_version_is_told(store_spec, older):
    (older / "net.weights.npz").unlink()
    expected = "no net.weights.npz: an older version of ranker made it and kept no weights; train it again"
    assert expected in refusal(store_spec, older)
    edit(older, lambda manifest: manifest.pop("layout"))
    assert "no layout: an older version of ranker made it" in refusal(store_spec, older)


def test_a_member_of_a_newer_version_is_told(store_spec, tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"kind": "member", "format_version": FORMAT_VERSION + 1}))
    assert f"format_version {FORMAT_VERSION + 1} is newer than {FORMAT_VERSION}" in refusal(store_spec, tmp_path)


def test_a_network_of_another_kind_is_told(store_spec, older):
    edit(older, lambda manifest: manifest["members"][0].update(kind="dnn"))
    assert "'net' is of kind dnn, the one to train of kind self_attention" in refusal(store_spec, older)


def test_what_was_looked_for_is_told(store_spec, older):
    edit(older, lambda manifest: manifest["members"][0].update(name="nett"))
    expected = "expected a network of the name of one to train: net (self_attention); there are nett (self_attention), "
    assert expected + "trees (lambdamart)" in refusal(store_spec, older)


def test_a_network_that_is_not_there_starts_from_nothing(dataset, store_spec, older, progress, tmp_path):
    line = Linear(name="line", kind="linear")
    spec = with_training(store_spec.model_copy(update={"models": [*store_spec.models, line]}), warm_start=str(older))
    assert list(older_networks(spec)) == ["net"]
    with pytest.raises(RankerError, match=r"to train: line \(linear\); there are net \(self_attention\)"):
        train_member(dataset, "line", tmp_path / "line", progress, spec)


def test_features_that_are_not_understood_are_told(store_spec, older):
    edit(older, lambda manifest: manifest["spec"]["features"].update(novel=1))
    assert "does not read its features (1 faults, the first: Extra inputs" in refusal(store_spec, older)


def test_a_missing_vocabulary_is_told(store_spec, older):
    (older / "saved_model" / "assets" / "vocabulary_brand").unlink()
    with pytest.raises(RankerError, match="the vocabulary of brand cannot be read"):
        older_networks(with_training(store_spec, warm_start=str(older)))


def test_a_network_of_another_width_takes_the_tables(dataset, store_spec, bundle):
    models = [m.model_copy(update={"width": 8}) if m.kind == "self_attention" else m for m in store_spec.models]
    spec = with_training(store_spec.model_copy(update={"models": models}), warm_start=str(bundle))
    start = older_networks(spec)["net"].start(spec.models[0], dataset, 7)
    assert "inputs/tables/brand/embeddings" in start.taken.copied
    assert "enter/kernel" in start.taken.fresh


def test_nothing_that_fits_is_told_with_the_path(dataset, store_spec, older, progress, tmp_path):
    """Weights of other names, as if the scorers had been written anew since."""
    weights = load_weights(older / "net.weights.npz")
    np.savez(older / "net.weights.npz", **{f"former/{name}": value for name, value in weights.items()})
    spec = with_training(store_spec, warm_start=str(older))
    with pytest.raises(RankerError) as told:
        train_member(dataset, "net", tmp_path / "net", progress, spec)
    assert str(told.value).startswith(
        f"training.warm_start: {older}: no weight of 'net' (self_attention) fits: expected "
    )
    assert "; there is former/" in str(told.value)
    assert not (tmp_path / "net").exists()
