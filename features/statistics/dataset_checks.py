"""Statistics of a dataset's splits in its folder, and the checks of one split against the training lists.

schema.pbtxt              types, presence and domains of the raw columns
statistics/<split>.pb     statistics of the raw columns
statistics/anomalies.json what the checks found
statistics/statistics.html all of it to look at
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from tensorflow_metadata.proto.v0 import schema_pb2

from features.statistics.anomalies import Anomaly, anomalies_of, constant_columns
from features.statistics.comparison import compare, skipped
from features.statistics.measured import measured_columns
from features.statistics.metadata import read_statistics, write_statistics
from features.statistics.page import statistics_page
from features.statistics.schema import infer_schema, read_schema, write_schema
from features.statistics.summary import SplitSummary
from ranker.data.artefacts import write_json
from ranker.data.split import SPLITS, SplitName
from ranker.spec import Spec

__all__ = ["check_dataset", "read_dataset_schema", "read_dataset_statistics", "recheck_dataset"]

_SCHEMA = "schema.pbtxt"
_FOLDER = "statistics"


def check_dataset(directory: Path, spec: Spec, statistics: Mapping[SplitName, SplitSummary]) -> list[Anomaly]:
    """Check validation and test lists against the training lists, and write what was found into the dataset's folder.

    Returns:
        the anomalies, also those for which the spec says `fail`: see `features.statistics.anomalies.refuse`.
    """
    schema = infer_schema(statistics["train"])
    (directory / _FOLDER).mkdir(exist_ok=True)
    write_schema(directory / _SCHEMA, schema)
    for split, summary in statistics.items():
        write_statistics(directory / _FOLDER / f"{split}.pb", summary)
    return _check(directory, spec, schema, [statistics[split] for split in SPLITS])


def recheck_dataset(directory: Path, spec: Spec) -> list[Anomaly]:
    """As `check_dataset`, from the statistics in the folder, for limits that have changed.

    Raises:
        ArtefactError: if the folder has no statistics.
    """
    splits = read_dataset_statistics(directory, spec)
    return _check(directory, spec, read_dataset_schema(directory), [splits[split] for split in SPLITS])


def read_dataset_statistics(directory: Path, spec: Spec) -> dict[SplitName, SplitSummary]:
    """The statistics of each split of a dataset.

    Args:
        directory: of the dataset.
        spec: that made it, with the sizes that were found in the data.
    """
    columns = measured_columns(spec)
    return {split: read_statistics(directory / _FOLDER / f"{split}.pb", columns) for split in SPLITS}


def read_dataset_schema(directory: Path) -> schema_pb2.Schema:
    """The schema of a dataset's raw columns."""
    return read_schema(directory / _SCHEMA)


def _check(directory: Path, spec: Spec, schema: schema_pb2.Schema, splits: Sequence[SplitSummary]) -> list[Anomaly]:
    train, *others = splits
    checks = spec.validation
    comparisons = [c for other in others for c in compare(train, other, schema, checks, skipped(spec))]
    anomalies = [*constant_columns(train, checks), *anomalies_of(comparisons, checks)]
    write_json(directory / _FOLDER / "anomalies.json", [asdict(anomaly) for anomaly in anomalies])
    page = statistics_page("Statistics of the lists", splits, comparisons, anomalies)
    (directory / _FOLDER / "statistics.html").write_text(page, encoding="utf-8")
    return anomalies
