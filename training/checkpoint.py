"""The state of a training, on disk whole or not at all."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ranker.data.artefacts import ArtefactError

__all__ = ["Position", "State", "load_state", "save_state"]

_META = "meta.json"


@dataclass
class Position:
    """How far a training is.

    Attributes:
        epoch: the epoch under way, from 0.
        step: its steps that are done.
        loss: sum of the losses of these steps.
        best: the best validation metric so far, as it is; None before the first.
        best_epoch: the epoch that it is of, from 1; 0 before the first.
        history: a line per finished epoch.
        compiled: whether steps are compiled by XLA, which draws other random numbers; None: not yet settled.
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    compiled: bool | None = None


@dataclass(frozen=True)
class State:
    """Everything that a training goes on from.

    Attributes:
        position: how far it is.
        arrays: by kind (`weights`, `optimizer`, `best`) the arrays of each, in order.
    """

    position: Position
    arrays: Mapping[str, list[np.ndarray]]


def save_state(path: Path, key: str, state: State) -> None:
    """Replace the checkpoint at `path`, whole or not at all: a process may be killed at any moment.

    Args:
        path: the file.
        key: digest of all that the training depends on.
        state: what is kept.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        with zipfile.ZipFile(file, "w") as parts:
            parts.writestr(_META, json.dumps({"key": key, "position": vars(state.position)}))
            for kind, arrays in state.arrays.items():
                for at, array in enumerate(arrays):
                    content = io.BytesIO()
                    np.save(content, array, allow_pickle=False)
                    parts.writestr(f"{kind}/{at}.npy", content.getbuffer())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def load_state(path: Path, key: str) -> State | None:
    """The state at `path`; None if there is none, or it is of another training.

    Raises:
        ArtefactError: if the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        with zipfile.ZipFile(path) as parts:
            meta = json.loads(parts.read(_META))
            if meta["key"] != key:
                return None
            arrays: dict[str, list[np.ndarray]] = {}
            for name in parts.namelist()[1:]:  # in the order in which they were written
                array = np.load(io.BytesIO(parts.read(name)), allow_pickle=False)
                arrays.setdefault(name.split("/")[0], []).append(array)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ArtefactError(f"{path}: the checkpoint is damaged ({error}); remove it to train from the start") from None
    return State(Position(**meta["position"]), arrays)
