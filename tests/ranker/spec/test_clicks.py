"""The source `clicks`: what follows from it, and options without effect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ranker.spec import ClicksSource, Spec, SpecError, load_spec

SPEC = """\
version: 1
data:
  sources:
    - {kind: clicks, queries: q.jsonl, documents: d.jsonl, impressions: i.parquet}
features:
  query: [{name: query, kind: text}]
  document: [{name: title, kind: text}, {name: price, kind: numeric}]
models: [{name: trees, kind: lambdamart}]
blend: {members: [trees]}
"""


@pytest.fixture
def load(tmp_path: Path):
    """`load(overrides)` is the spec; keys without `data.` are those of the source."""

    def load(*overrides: str) -> Spec:
        (tmp_path / "ranker.yaml").write_text(SPEC, encoding="utf-8")
        whole = [one if one.startswith(("data.", "features.")) else f"data.sources.0.{one}" for one in overrides]
        return load_spec(tmp_path / "ranker.yaml", whole)

    return load


def columns(spec: Spec) -> tuple[str | None, ...]:
    return (spec.data.weight, spec.data.position, spec.data.timestamp)


def test_judgments_have_the_columns_that_impressions_make(load) -> None:
    assert columns(load()) == (None, "position", None)
    assert columns(load("timestamp=shown_at", "position=rank")) == (None, "rank", "shown_at")
    assert columns(load("propensity.by=em")) == ("weight", "position", None)
    assert columns(load("propensity.by=em", "lists=query", "timestamp=at")) == (None, None, "at")


def test_what_is_made_is_there_after_a_round_trip(load) -> None:
    spec = load("propensity={by: swaps, clip: 5}", "experiment=test", "timestamp=at", "data.split.by=time")
    again = Spec.model_validate(spec.model_dump())
    assert (again.model_dump(), again.digest) == (spec.model_dump(), spec.digest)
    assert columns(again) == ("weight", "position", "at")
    source = again.data.sources[0]
    assert isinstance(source, ClicksSource)
    assert source.propensity.clip == 5
    assert again.data.split_files is None


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["data.label=grade"], "label: no effect with a clicks source"),
        (["data.position=rank"], "position: no effect with a clicks source"),
        (["data.weight=w", "propensity.by=em"], "weight: no effect with a clicks source"),
        (["data.timestamp=at"], "timestamp: no effect with a clicks source"),
        (["lists=query", "data.position=position"], "position: no effect with a clicks source"),
        (["data.candidates={from: sample}"], "candidates: no effect with a clicks source"),
        (["data.split.by=time"], "split.by: time needs data.timestamp"),
        (["propensity.by=swaps"], "propensity.by: swaps needs `experiment`"),
        (["propensity.by=randomisation"], "propensity.by: randomisation needs `experiment`"),
        (["propensity.by=em", "experiment=test"], "experiment: no effect with propensity.by: em"),
        (["experiment=test"], "experiment: no effect with propensity.by: none"),
        (["propensity.by=regression_em"], "regression_em needs features"),
        (["propensity={by: em, features: [score]}"], "features: no effect with by: em"),
        (["propensity={clip: 5}"], "clip: no effect with by: none"),
        (["propensity={by: em, clip: 0.5}"], "greater than or equal to 1"),
        (["propensity.by=randomization"], "Input should be 'none', 'randomisation', 'swaps', 'em' or 'regression_em'"),
        (["propensity={by: regression_em, features: [a, b, c, d]}"], "at most 3 items"),
        (["position=clicked"], "column 'clicked' is named for two purposes"),
        (["propensity={by: regression_em, features: [position]}"], "column 'position' is named for two purposes"),
        (["impression_id=label"], "column 'label' is called as one of the engine's own"),
        (["positions=0"], "greater than or equal to 1"),
        (["impression=x"], "did you mean 'impressions'"),
        (["features.document.1.name=position"], "position: the position of a document is not known"),
    ],
)
def test_options_without_effect_and_those_that_lack_something_are_faults(load, overrides, told) -> None:
    with pytest.raises(SpecError, match=re.escape(told)):
        load(*overrides)


def test_a_fault_of_the_source_is_told_once(load) -> None:
    with pytest.raises(SpecError) as error:
        load("lists=session")
    assert str(error.value).count("\n") == 0
    assert "data.sources.0.lists" in str(error.value)
