"""Weights of a network on disk, by names that are the same in every process."""

from __future__ import annotations

import zipfile
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ranker.data.artefacts import ArtefactError
from ranker.spec.section import refuse_repeats

__all__ = ["load_weights", "save_weights", "weight_names"]


def weight_names(network: Any) -> list[str]:
    """A name for each weight, in the order of `network.weights`: the way to it, such as `tower/dense/0/kernel`.

    Keras' own names count the layers that the process has made before, and need not differ within a network.

    Args:
        network: built.

    Raises:
        ValueError: if two weights would have the same name.
    """
    view = tf.train.TrackableView(network)
    ways: dict[int, str] = {}
    seen, left = {id(network)}, deque([(network, "")])
    while left:
        parent, way = left.popleft()
        for name, child in view.children(parent).items():
            if id(child) not in seen:
                seen.add(id(child))
                ways[id(child)] = f"{way}{name.lstrip('_')}"
                left.append((child, f"{ways[id(child)]}/"))
    names = [ways[id(weight)] for weight in network.weights]
    refuse_repeats(f"{type(network).__name__}: weight", names)
    return names


def save_weights(path: Path, network: Any) -> None:
    """Write all weights by their names, as NumPy's npz."""
    np.savez(path, **dict(zip(weight_names(network), network.get_weights(), strict=True)))


def load_weights(path: Path) -> dict[str, np.ndarray]:
    """What `save_weights` wrote.

    Raises:
        ArtefactError: if the file is missing or damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ArtefactError(f"{path}: the weights cannot be read ({error}); train the older model again") from None
