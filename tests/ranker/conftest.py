"""Datasets that are quick to make, for tests that need no transform graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from features.statistics.dataset_checks import check_dataset
from features.statistics.measured import measured_columns
from features.statistics.split import SplitStatistics
from ranker.data.artefacts import FORMAT_VERSION, write_json
from ranker.data.columns import raw_columns
from ranker.data.dataset import Dataset
from ranker.data.rejected_rows import RejectedRows
from ranker.data.split import SPLITS
from ranker.spec import Spec
from ranker.workflows.opening import opened


@pytest.fixture(scope="session")
def bare_dataset(tmp_path_factory: pytest.TempPathFactory, progress) -> Callable[[Spec, Path], Dataset]:
    """`bare_dataset(spec, folder)` makes a dataset of statistics and a manifest, without examples and graph."""

    def make(spec: Spec, folder: Path) -> Dataset:
        folder.mkdir(parents=True)
        directory = tmp_path_factory.mktemp("bare")
        with RejectedRows(directory / "rejected.jsonl") as rejected:
            source = opened(spec, directory, rejected, progress)
            columns = measured_columns(source.spec)
            statistics = {split: SplitStatistics(columns) for split in SPLITS}
            for shard in source.shards:
                for part in source.read(shard, 256, rejected):
                    statistics[part.split].add(part.lists)
        check_dataset(folder, source.spec, {split: found.summary(split) for split, found in statistics.items()})
        manifest = {
            "kind": "dataset",
            "format_version": FORMAT_VERSION,
            "spec": source.spec.model_dump(),
            "columns": [column.to_json() for column in raw_columns(source.spec)],
        }
        write_json(folder / "manifest.json", manifest)
        return Dataset(folder)

    return make
