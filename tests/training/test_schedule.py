"""The learning rate against its formula."""

from __future__ import annotations

import math

import pytest

from ranker.spec import Linear, Training
from training.schedule import LearningRate
from training.settings import settle


def rates(steps: int, **training) -> list[float]:
    rate = LearningRate(
        settle(Linear(name="line", kind="linear"), Training(learning_rate=0.5, **training), 10, 10), steps
    )
    return [float(rate(step)) for step in range(steps)]


@pytest.mark.parametrize(
    ("schedule", "left"),
    [("constant", lambda _: 1), ("linear", lambda x: 1 - x), ("cosine", lambda x: (1 + math.cos(math.pi * x)) / 2)],
)
def test_it_rises_and_falls(schedule, left):
    found = rates(100, schedule=schedule, warm_up=0.2)
    rising = [0.5 * (step + 1) / 21 * left(0) for step in range(20)]
    falling = [0.5 * left((step - 20) / 80) for step in range(20, 100)]
    assert found == pytest.approx([*rising, *falling], rel=1e-5, abs=1e-7)


def test_without_warm_up_the_first_step_has_the_whole_rate():
    assert rates(10, schedule="cosine", warm_up=0.0)[0] == pytest.approx(0.5)
    assert rates(1, schedule="cosine", warm_up=0.0) == pytest.approx([0.5])
