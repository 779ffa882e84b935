"""The sections of the spec: references between them, paths, the digest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from ranker.errors import RankerError
from ranker.spec import Spec, load_spec
from ranker.spec.section import RESERVED_NAMES


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


# --- references -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("document: title", "document: price", "bm25_query_price: no text feature 'price' under features.document; "
         "there are ['title']"),
        ("query: query,", "query: title,", "bm25_title_title: no text feature 'title' under features.query; "
         "there are ['query']"),
        ("[net, trees]", "[net, tree]", "blend.members.1: no model 'tree'; there are ['net', 'trees', 'bm25']"),
        ("[net, trees]", "[net, net]", "blend.members: blend member name used more than once: net"),
        ("baseline: bm25", "baseline: best", "evaluation.baseline: no model 'best'; "
         "there are ['net', 'trees', 'bm25']"),
        ("feature: bm25_query_title", "feature: title", "models.2.feature: no numeric or match feature 'title'; "
         "there are ['price', 'bm25_query_title']"),
        ("name: trees,", "name: net, kind: lambdamart}\n  - {name: trees,",
         "models: model name used more than once: net"),
        ("name: segment", "name: title", "features: feature name used more than once: title"),
        ("name: segment", "name: bm25_query_title", "features: feature name used more than once: bm25_query_title"),
    ],
)  # fmt: skip
def test_a_reference_to_nothing_is_refused(text, faults, right, wrong, message):
    assert right in text
    [fault] = faults(text.replace(right, wrong))
    assert fault.endswith(message)


def test_all_references_to_nothing_are_told_at_once_each_with_its_line(text, faults):
    wrong = text.replace("name: trees", "name: tree").replace("feature: bm25_query_title", "feature: title")
    wrong = wrong.replace("baseline: bm25", "baseline: best")
    assert faults(wrong) == [
        f"ranker.yaml:{line_of(wrong, 'blend:')}: blend.members.1: no model 'trees'; there are ['net', 'tree', 'bm25']",
        f"ranker.yaml:{line_of(wrong, 'evaluation:')}: evaluation.baseline: no model 'best'; "
        "there are ['net', 'tree', 'bm25']",
        f"ranker.yaml:{line_of(wrong, 'feature: title')}: models.2.feature: no numeric or match feature 'title'; "
        "there are ['price', 'bm25_query_title']",
    ]


def test_a_reference_that_an_override_broke_names_it_too(text, faults):
    [fault] = faults(text, ["models.1.name=tree"])
    assert fault.startswith(f"ranker.yaml:{line_of(text, 'blend:')} (with --set models.1.name=tree): blend.members.1: ")


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
@pytest.mark.parametrize("renamed", ["segment", "trees"])
def test_names_of_the_engine_are_refused_for_features_and_models(text, faults, renamed, name):
    """A model called `label` would take the place of the labels in the table of scores."""
    [fault] = faults(text.replace(f"name: {renamed}", f"name: {name}").replace("[net, trees]", "[net]"))
    assert f"name {name!r} is one of the engine's own" in fault


def test_the_blend_may_be_the_baseline(text, load):
    assert load(text.replace("baseline: bm25", "baseline: blend")).evaluation.baseline == "blend"


def test_a_spec_without_any_number_is_refused(text, faults):
    lines = [line for line in text.splitlines() if "price" not in line and "bm25" not in line and "match:" not in line]
    [fault] = faults("\n".join(lines))
    assert "no numeric and no match feature; every ranker needs at least one" in fault


@pytest.mark.parametrize(("valid", "test", "good"), [(0.5, 0.5, False), (0.7, 0.4, False), (0.5, 0.49, True)])
def test_the_split_leaves_lists_for_training(text, load, faults, valid, test, good):
    changed = text.replace("{valid: 0.2, test: 0.25}", f"{{valid: {valid}, test: {test}}}")
    if good:
        assert load(changed).data.split.test == test
    else:
        assert f"valid + test = {valid + test:g} leaves no lists for training" in faults(changed)[0]


# --- values stay ----------------------------------------------------------------------------------------------------


def test_a_spec_does_not_change_after_loading(load):
    spec = load()
    with pytest.raises(ValidationError, match="frozen"):
        spec.training.epochs = 3
    with pytest.raises(ValidationError, match="frozen"):
        spec.models[0].width = 3


def test_a_spec_survives_the_way_through_a_manifest(load):
    spec = load()
    kept = Spec.model_validate(json.loads(json.dumps(spec.model_dump())))
    assert kept.model_dump() == spec.model_dump()
    assert kept.digest == spec.digest


# --- paths ----------------------------------------------------------------------------------------------------------


def test_relative_paths_start_at_the_folder_of_the_spec(load, tmp_path, monkeypatch):
    monkeypatch.chdir(Path("/"))
    assert load().path("data/queries.jsonl") == tmp_path / "data" / "queries.jsonl"


def test_relative_paths_hold_when_the_spec_itself_was_given_relatively(load, tmp_path, monkeypatch):
    load()
    monkeypatch.chdir(tmp_path)
    spec = load_spec(Path("ranker.yaml"))
    monkeypatch.chdir(Path("/"))
    assert spec.path("queries.jsonl") == tmp_path / "queries.jsonl"


def test_absolute_paths_stay(load):
    assert load().path("/data/queries.jsonl") == Path("/data/queries.jsonl")


def test_environment_variables_and_the_home_folder_are_expanded(load, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP", "/mnt/shop")
    monkeypatch.setenv("YEAR", "2026")
    monkeypatch.setenv("HOME", "/home/somebody")
    spec = load()
    assert spec.path("$SHOP/${YEAR}/queries.jsonl") == Path("/mnt/shop/2026/queries.jsonl")
    assert spec.path("of-$YEAR/queries.jsonl") == tmp_path / "of-2026" / "queries.jsonl"
    assert spec.path("~/queries.jsonl") == Path("/home/somebody/queries.jsonl")


# --- digest ---------------------------------------------------------------------------------------------------------


def test_the_digest_is_the_same_for_the_same_meaning(text, load, tmp_path):
    turned = yaml.safe_load(text)
    turned = {key: turned[key] for key in reversed(turned)}
    turned["data"] = dict(reversed(turned["data"].items()))
    elsewhere = tmp_path / "elsewhere" / "other.yaml"
    elsewhere.parent.mkdir()
    elsewhere.write_text("# other words\n" + yaml.safe_dump(turned, sort_keys=False), encoding="utf-8")
    defaults_said = text.replace("epochs: 20", "epochs: 20, seed: 7, buckets: true")
    assert load_spec(elsewhere).digest == load().digest == load(defaults_said).digest


@pytest.mark.parametrize(
    "override",
    [
        "training.epochs=21",
        "data.split.test=0.26",
        "features.document.1.transform=[]",
        "blend.members=[trees, net]",
        "models.2.name=reference",
        "data.sources.0.queries=other.jsonl",
        "serving.rest_port=1",
    ],
)
def test_the_digest_is_another_for_another_value(text, load, override):
    changed = [override, "evaluation.baseline=blend"]
    assert load(text, changed).digest != load(text, ["evaluation.baseline=blend"]).digest


@pytest.mark.parametrize("text", ["$NO_SUCH_SHOP/q.jsonl", "a/${NO_SUCH_SHOP}/q.jsonl"])
def test_a_variable_that_is_not_set_is_named(load, monkeypatch, text):
    monkeypatch.delenv("NO_SUCH_SHOP", raising=False)
    with pytest.raises(RankerError, match="environment variable NO_SUCH_SHOP is not set"):
        load().path(text)


def test_equal_ports_are_refused(load):
    with pytest.raises(RankerError, match="grpc_port and rest_port are both 8600"):
        load(overrides=["serving.grpc_port=8600", "serving.rest_port=8600"])
    assert load(overrides=["serving.grpc_port=0", "serving.rest_port=0"]).serving.rest_port == 0
