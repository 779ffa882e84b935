"""What a training tells while it runs: metrics.jsonl, and TensorBoard's files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from training.settings import FitSettings

__all__ = ["METRICS", "History", "keep_histories"]

METRICS = "metrics.jsonl"
_TENSORBOARD = "tensorboard"


class History:
    """Writes a line per epoch to metrics.jsonl, and the same figures for TensorBoard.

    Args:
        folder: where to.
        settings: shown as HParams.
        about: further HParams, such as the loss.
    """

    def __init__(self, folder: Path, settings: FitSettings, about: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / METRICS
        self._folder = folder / _TENSORBOARD
        self._writer = tf.summary.create_file_writer(str(self._folder))
        self._hyperparameters = {**settings.to_json(), **about}

    def start(self) -> None:
        """Remove what another training left, and show the hyper-parameters; not when a training goes on."""
        self._path.unlink(missing_ok=True)
        for file in self._folder.glob("events.*"):
            file.unlink()
        self._writer = tf.summary.create_file_writer(str(self._folder))
        from tensorboard.plugins.hparams import api  # type: ignore[import-untyped]

        with self._writer.as_default(step=0):
            api.hparams(self._hyperparameters)

    def write(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Replace metrics.jsonl by these lines, and show the last one.

        Args:
            lines: of all finished epochs: `epoch` from 1, and figures by name.
        """
        temporary = self._path.with_name(f".{self._path.name}.tmp")
        temporary.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        temporary.replace(self._path)
        last = dict(lines[-1])
        epoch = last.pop("epoch")
        with self._writer.as_default(step=epoch):
            for name, value in last.items():
                tf.summary.scalar(name.replace("@", "_at_"), value)
        self._writer.flush()

    def close(self) -> None:
        """No more is written."""
        self._writer.close()


def keep_histories(work: Path, artefact: Path, members: Iterable[str]) -> None:
    """Copy metrics.jsonl and TensorBoard's files of each member to `training/<member>` of an artefact."""
    for file in (work / name / METRICS for name in members):
        if not file.is_file():  # trees have none
            continue
        kept = artefact / "training" / file.parent.name
        kept.mkdir(parents=True)
        shutil.copy2(file, kept)
        shutil.copytree(file.parent / _TENSORBOARD, kept / _TENSORBOARD)
