"""What lies in the folder of a dataset."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from features.statistics.dataset_checks import (
    check_dataset,
    read_dataset_schema,
    read_dataset_statistics,
    recheck_dataset,
)
from ranker.data.artefacts import ArtefactError
from ranker.spec import Validation


@pytest.fixture(scope="module")
def splits(summarise, rows):
    """Three splits; the prices of the last are others."""
    lists = {split: rows(at, 300, start=1000 * at) for at, split in enumerate(("train", "valid", "test"))}
    for row in lists["test"]:
        row["price"] = [price + 3 for price in row["price"]]
    return {split: summarise(own, split) for split, own in lists.items()}


@pytest.fixture
def folder(tmp_path, splits, every_kind):
    check_dataset(tmp_path, every_kind, splits)
    return tmp_path


def limited(spec, **checks):
    return spec.model_copy(update={"validation": Validation.model_validate(checks)})


def test_the_files(folder):
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    parts = ("train.pb", "valid.pb", "test.pb", "anomalies.json", "statistics.html")
    assert names == {"schema.pbtxt", *(f"statistics/{name}" for name in parts)}


def test_what_was_planted_is_in_the_files(tmp_path, splits, every_kind):
    anomalies = check_dataset(tmp_path, every_kind, splits)
    assert {(a.split, a.column) for a in anomalies} == {("test", "price")}
    written = json.loads((tmp_path / "statistics" / "anomalies.json").read_text())
    assert written == [asdict(anomaly) for anomaly in anomalies]
    assert "Kolmogorov-Smirnov distance" in (tmp_path / "statistics" / "statistics.html").read_text()


def test_statistics_and_schema_are_read_again(folder, splits, every_kind):
    found = read_dataset_statistics(folder, every_kind)
    assert {split: summary.documents for split, summary in found.items()} == {
        split: summary.documents for split, summary in splits.items()
    }
    assert {feature.name for feature in read_dataset_schema(folder).feature} >= {"price", "query_id"}


def test_other_limits_need_no_data(folder, every_kind):
    found = recheck_dataset(folder, every_kind)
    assert {(a.split, a.column) for a in found} == {("test", "price")}
    columns = {"price": {"action": "ignore"}}
    assert recheck_dataset(folder, limited(every_kind, columns=columns)) == []
    assert json.loads((folder / "statistics" / "anomalies.json").read_text()) == []
    failing = recheck_dataset(folder, limited(every_kind, drift={"action": "fail"}))
    assert "fail" in {anomaly.action for anomaly in failing}


def test_the_same_lists_give_the_same_bytes(folder, tmp_path_factory, splits, every_kind):
    other = tmp_path_factory.mktemp("other")
    check_dataset(other, every_kind, splits)
    for path in folder.rglob("*.*"):
        assert (other / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_a_dataset_without_statistics_says_how_to_get_them(tmp_path, every_kind):
    with pytest.raises(ArtefactError, match="make the dataset anew with `ranker prepare --force`"):
        recheck_dataset(tmp_path, every_kind)
