"""Where each setting comes from."""

from __future__ import annotations

import dataclasses

import pytest

from ranker.spec import Dnn, NetworkTraining, Training
from training.settings import FitSettings, settle


def settled(own=None, lists=100, valid=1000, **training) -> FitSettings:
    return settle(
        Dnn(name="net", kind="dnn", training=NetworkTraining(**(own or {}))), Training(**training), lists, valid
    )


def test_the_network_comes_before_the_section_and_that_before_the_default():
    assert settled().epochs == settled(seed=9).epochs != 77
    assert settled(epochs=77).epochs == 77
    assert settled({"epochs": 78}, epochs=77).epochs == 78
    assert settled({"epochs": 78}, batch_size=5).batch_size == 5


def test_zero_is_something_said():
    assert settled({"weight_decay": 0.0, "warm_up": 0.0}, weight_decay=0.5, warm_up=0.5).weight_decay == 0
    assert settled({"warm_up": 0.0}, warm_up=0.5).warm_up == 0


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(FitSettings)])
def test_every_setting_can_be_said(name):
    said = {
        "epochs": 3, "batch_size": 3, "learning_rate": 0.3, "schedule": "linear", "warm_up": 0.3, "clip_norm": 3.0,
        "weight_decay": 0.3, "keep": "last", "patience": 3, "list_cap": 3, "seed": 3, "deterministic": True,
        "mixed_precision": True, "xla": "auto", "buckets": False,
    }  # fmt: skip
    assert getattr(settled(**{name: said[name]}), name) == said[name] != getattr(settled(), name)


def test_defaults_follow_the_number_of_lists():
    steps = [
        settled(lists=lists).epochs * lists // settled(lists=lists).batch_size for lists in (50, 500, 5_000, 50_000)
    ]
    assert steps == sorted(steps)
    assert settled(lists=50).learning_rate < settled(lists=500).learning_rate
    assert settled(lists=50_000).weight_decay < settled(lists=500).weight_decay


def test_the_best_epoch_is_chosen_where_there_are_lists_enough():
    assert (settled(valid=50).keep, settled(valid=5_000).keep) == ("last", "best")
    assert settled({"keep": "best"}, valid=50).keep == "best"
    assert settled(patience=3, valid=50).keep == "best", "patience has no effect on the last epoch"
