"""Checkpoints: whole or not at all, and of one training only."""

from __future__ import annotations

import numpy as np
import pytest

from ranker.data.artefacts import ArtefactError
from training.checkpoint import Position, State, load_state, save_state

STATE = State(
    Position(3, 17, 0.1 + 0.2, 0.7, 2, [{"epoch": 1, "loss": 1 / 3}]),
    {
        "weights": [np.arange(6, dtype=np.float32).reshape(2, 3), np.float32(1.5) * np.ones(())],
        "optimizer": [np.array(12, np.int64), *(np.full(2, at, np.float32) for at in range(12))],
        "best": [np.zeros((0, 4), np.float32)],
    },
)


def test_what_is_saved_comes_back_bit_for_bit(tmp_path):
    save_state(tmp_path / "work" / "checkpoint.npz", "key", STATE)
    found = load_state(tmp_path / "work" / "checkpoint.npz", "key")
    assert found.position == STATE.position
    assert list(found.arrays) == list(STATE.arrays)
    for kind, arrays in STATE.arrays.items():
        for one, other in zip(arrays, found.arrays[kind], strict=True):
            assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())


def test_there_may_be_none_or_that_of_another_training(tmp_path):
    path = tmp_path / "checkpoint.npz"
    assert load_state(path, "key") is None
    save_state(path, "key", STATE)
    assert load_state(path, "other") is None


def test_a_save_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "checkpoint.npz"
    save_state(path, "key", STATE)
    with pytest.raises(ValueError, match="allow_pickle"):
        save_state(path, "key", State(Position(9), {"weights": [np.zeros(2), np.array([object()])]}))
    assert load_state(path, "key").position == STATE.position


@pytest.mark.parametrize("left", [0, 1, 30, 200, -1])
def test_a_damaged_file_is_told(tmp_path, left):
    path = tmp_path / "checkpoint.npz"
    save_state(path, "key", STATE)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(ArtefactError, match=r"checkpoint.npz: the checkpoint is damaged .*; remove it to train"):
        load_state(path, "key")
