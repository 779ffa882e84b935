"""The sections of losses: by name alone or with options, and no option without an effect."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from ranker.spec.load import read_spec
from ranker.spec.losses import LambdaLoss, Loss, Softmax

LOSS = TypeAdapter(Loss)


def test_a_name_alone_is_a_loss_with_its_defaults():
    assert LOSS.validate_python("softmax") == Softmax(kind="softmax") == LOSS.validate_python({"kind": "softmax"})


def test_options_of_other_losses_are_refused():
    with pytest.raises(ValidationError, match="samples"):
        LOSS.validate_python({"kind": "approx_ndcg", "samples": 8})


def test_smooth_fraction_is_of_ndcg_alone():
    assert LambdaLoss(kind="lambda_loss", smooth_fraction=0.5).smooth_fraction == 0.5
    with pytest.raises(ValidationError, match="smooth_fraction has no effect with lambda_weight ndcg_v2: leave it out"):
        LambdaLoss(kind="lambda_loss", lambda_weight="ndcg_v2", smooth_fraction=0.5)


def test_a_list_is_a_sum():
    parts = LOSS.validate_python(["softmax", {"kind": "lambda_loss", "lambda_weight": "ndcg_v2", "weight": 0.5}])
    assert parts == [Softmax(kind="softmax"), LambdaLoss(kind="lambda_loss", lambda_weight="ndcg_v2", weight=0.5)]


def test_a_sum_has_two_losses_at_least_and_one_loss_no_weight():
    with pytest.raises(ValidationError, match="at least 2 items"):
        LOSS.validate_python(["softmax"])
    with pytest.raises(ValidationError, match="weight has no effect on a loss alone: leave it out, or give a list"):
        LOSS.validate_python({"kind": "softmax", "weight": 2.0})


def test_a_fault_in_a_sum_is_said_where_it_stands(tmp_path):
    path = tmp_path / "ranker.yaml"
    path.write_text(
        "models:\n- name: net\n  kind: linear\n  loss:\n  - softmax\n  - {kind: approx_ndcg, temprature: 0.2}\n",
        encoding="utf-8",
    )
    _, faults, _ = read_spec(path)
    said = [fault for fault in faults if "loss" in fault]
    assert said == [f"{path}:6: models.0.loss.1.temprature: unknown key; did you mean 'temperature'?"]
