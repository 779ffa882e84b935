"""Expensive things made once per session: a small store, its dataset and its bundle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("deterministic", derandomize=True, deadline=None)
settings.load_profile("deterministic")
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


class SilentProgress:
    """Takes stages and updates, shows nothing; `stages` keeps what it was told."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    @contextmanager
    def stage(self, what: str) -> Iterator[SilentProgress]:
        self.stages.append(what)
        yield self

    def update(self, done: int, total: int, note: str = "") -> None:
        assert 0 < done <= total, (done, total, note)

    def count(self, done: int, of: str, total: int | None = None, note: str = "") -> None:
        assert 0 <= done <= (done if total is None else total), (done, of, total, note)


@pytest.fixture(scope="session")
def progress() -> SilentProgress:
    return SilentProgress()


@pytest.fixture(scope="session")
def store_spec(tmp_path_factory: pytest.TempPathFactory, progress: SilentProgress):
    """The demo's spec on a small store, with short training."""
    from ranker.workflows.demo import make_spec

    small = [
        "data.split.test=0.35",
        "training.epochs=12",
        "models.0.width=32",
        "models.0.blocks=1",
        "models.1.trees=80",
        "models.1.leaves=15",
    ]
    return make_spec(tmp_path_factory.mktemp("store"), queries=200, seed=7, overrides=small, progress=progress)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory, store_spec, progress: SilentProgress):
    """The dataset of the small store."""
    from ranker.data.dataset import Dataset
    from ranker.workflows.prepare import prepare

    out = tmp_path_factory.mktemp("artefacts") / "dataset"
    prepare(store_spec, out, progress)
    return Dataset(out)


@pytest.fixture(scope="session")
def trained(dataset, progress: SilentProgress) -> tuple[Path, Any]:
    """The bundle trained on the small store, and the Keras network as it was when its training ended."""
    from ranker.workflows import members
    from ranker.workflows.train import train

    networks, fit = [], members.fit_network

    def keep(*arguments: Any, **options: Any) -> Any:
        networks.append(fit(*arguments, **options))
        return networks[-1]

    out = dataset.path.parent / "bundle"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "fit_network", keep)
        train(dataset, out, progress)
    return out, networks[0].scorer


@pytest.fixture(scope="session")
def bundle(trained: tuple[Path, Any]) -> Path:
    """The bundle trained on the small store."""
    return trained[0]
