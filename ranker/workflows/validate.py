"""`ranker validate`: new data against the training lists of a dataset."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from features.statistics.anomalies import Anomaly, anomalies_of, columns_differ
from features.statistics.comparison import compare, skipped
from features.statistics.dataset_checks import read_dataset_schema, read_dataset_statistics
from features.statistics.effective_size import effective_size
from features.statistics.measured import Measured, measured_columns
from features.statistics.page import statistics_page
from features.statistics.schema_checks import schema_differs
from features.statistics.split import SplitStatistics
from features.statistics.summary import SplitSummary
from ranker.data.columns import Column, raw_columns
from ranker.data.data_error import DataError
from ranker.data.dataset import Dataset
from ranker.data.id_hash import hash_ids
from ranker.data.list_names import queries_of
from ranker.data.rejected_rows import RejectedRows
from ranker.data.request_batches import request_batch
from ranker.data.requests import RankRequest, RequestError, parse_request
from ranker.data.split import SPLITS
from ranker.spec import Spec, Validation
from ranker.workflows.opening import opened
from ranker.workflows.progress import Progress

__all__ = ["Validated", "validate_dataset", "validate_requests", "validate_source"]

_LISTS_PER_BATCH = 256
_MOST_REJECTED = 0.01  # of the rows, as `ranker prepare` tolerates
_PLACE = re.compile(r"\[\d+\]")
_GOT = " got "  # what follows it in an error is the value


@dataclass(frozen=True)
class Validated:
    """What was found in the data.

    Attributes:
        train: statistics of the training lists of the dataset.
        given: those of the data, of each of its splits.
        anomalies: what is wrong with the data.
        page: all of it as HTML.
    """

    train: SplitSummary
    given: tuple[SplitSummary, ...]
    anomalies: tuple[Anomaly, ...]
    page: str

    @property
    def fails(self) -> bool:
        """Whether the data must not be used."""
        return any(anomaly.action == "fail" for anomaly in self.anomalies)

    def to_json(self) -> dict[str, Any]:
        """As `--json` writes it."""
        splits = [{"name": split.name, "lists": split.lists, "documents": split.documents} for split in self.given]
        return {"fails": self.fails, "data": splits, "anomalies": [asdict(anomaly) for anomaly in self.anomalies]}


def validate_source(spec: Spec, name: str, dataset: Dataset, progress: Progress, temporary: Path | None) -> Validated:
    """Check all lists of the sources of a spec; the limits are those of its section `validation`.

    Args:
        spec: names the sources, and the features, which should have the columns of the dataset.
        name: what to call the lists.
        dataset: that they are checked against.
        progress: told of each stage.
        temporary: where to keep what is needed on the way; default: the system's.

    Raises:
        RankerError: if the data cannot be read at all.
    """
    if temporary:
        temporary.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ranker-", dir=temporary) as scratch:
        directory = Path(scratch)
        with RejectedRows(directory / "opened.jsonl") as rejected:
            source = opened(spec, directory, rejected, progress)
        columns = measured_columns(source.spec)
        statistics, queries = SplitStatistics(columns), [np.empty(0, np.uint64)]
        with progress.stage("add up statistics") as stage, RejectedRows(directory / "read.jsonl") as more:
            documents = 0
            for shard in source.shards:
                for part in source.read(shard, _LISTS_PER_BATCH, more):
                    statistics.add(part.lists)
                    queries.append(hash_ids(queries_of(source.spec, part.lists["query_id"])))
                    documents += len(part.lists["document_id"].flatten())
                    stage.count(documents, "documents")
        reasons = Counter(rejected.by_reason) + Counter(more.by_reason)
        _some_lists(documents, name, reasons)
    differ = columns_differ(_of_features(dataset), columns, name)
    of_tables = rejected.of_tables or {name: (reasons.total(), reasons.total() + documents)}
    rows = [row for table, counts in of_tables.items() for row in _rejected(reasons, *counts, table, "rows")]
    skip = skipped(spec) | {anomaly.column for anomaly in differ}
    given = statistics.summary(name, effective_size(np.concatenate(queries)))
    return _checked(dataset, [given], [*rows, *differ], spec.validation, skip)


def validate_requests(lines: Iterable[bytes], name: str, dataset: Dataset, progress: Progress) -> Validated:
    """Check requests, one JSON object a line, as `ranker score` reads them; the limits are those of the dataset.

    Args:
        lines: the requests; empty lines are passed over.
        name: of the file.
        dataset: that they are checked against.
        progress: told how many there are.

    Raises:
        DataError: if no line is a request.
    """
    columns = raw_columns(dataset.spec)
    statistics = SplitStatistics([column for column in measured_columns(dataset.spec) if column.column in columns])
    reasons: Counter[str] = Counter()
    lists = 0
    with progress.stage("read requests") as stage:
        parsed = _requests(lines, columns, reasons)
        while some := list(islice(parsed, _LISTS_PER_BATCH)):
            names = [f"{name}:{number}" for number, _ in some]
            statistics.add(request_batch([request for _, request in some], columns, names))
            lists += len(some)
            stage.count(lists, "requests")
    _some_lists(lists, name, reasons)
    rows = _rejected(reasons, reasons.total(), reasons.total() + lists, name, "requests")
    return _checked(dataset, [statistics.summary(name)], rows, dataset.spec.validation, set())


def validate_dataset(given: Dataset, name: str, dataset: Dataset) -> Validated:
    """Check each split of another dataset; the limits are those of the dataset it is checked against.

    Raises:
        ArtefactError: if one of them has no statistics.
    """
    columns = measured_columns(given.spec)
    splits = read_dataset_statistics(given.path, given.spec)
    differ = columns_differ(_of_features(dataset), columns, name)
    skip = skipped(given.spec) | {anomaly.column for anomaly in differ}
    summaries = [replace(splits[split], name=f"{split} of {name}") for split in SPLITS]
    return _checked(dataset, summaries, differ, dataset.spec.validation, skip)


def _checked(
    dataset: Dataset, given: Sequence[SplitSummary], anomalies: Sequence[Anomaly], checks: Validation, skip: set[str]
) -> Validated:
    train = read_dataset_statistics(dataset.path, dataset.spec)["train"]
    schema = read_dataset_schema(dataset.path)
    anomalies = [*anomalies, *(a for split in given for a in schema_differs(split, schema) if a.column not in skip)]
    skip = skip | skipped(dataset.spec) | {anomaly.column for anomaly in anomalies if anomaly.check == "type"}
    comparisons = [c for split in given for c in compare(train, split, schema, checks, skip)]
    found = (*anomalies, *anomalies_of(comparisons, checks))
    page = statistics_page("Data against the training lists", [train, *given], comparisons, found)
    return Validated(train, tuple(given), found, page)


def _of_features(dataset: Dataset) -> list[Measured]:
    """What other data has to have; labels it may lack."""
    columns = raw_columns(dataset.spec)
    return [column for column in measured_columns(dataset.spec) if column.column in columns]


def _requests(
    lines: Iterable[bytes], columns: Sequence[Column], reasons: Counter[str]
) -> Iterator[tuple[int, RankRequest]]:
    """Requests with the numbers of their lines; those that are none are counted by what is wrong, with the first."""
    first: dict[str, str] = {}

    def count(number: int, what: str, got: str) -> None:
        told = first.setdefault(what, f"{what} (first in line {number}{got})")
        reasons[told] += 1

    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield number, parse_request(orjson.loads(line), columns)
        except orjson.JSONDecodeError:
            count(number, "not valid JSON", "")
        except RequestError as error:
            what, _, got = _PLACE.sub("[]", str(error)).partition(_GOT)
            what = what.removesuffix(",").removesuffix(";")
            count(number, what, f": got {got}" if got else "")


def _some_lists(count: int, name: str, reasons: Counter[str]) -> None:
    if not count:
        aside = f"; set aside: {_told(reasons)}" if reasons else ""
        raise DataError(f"{name}: no list to check{aside}")


def _rejected(reasons: Counter[str], aside: int, rows: int, name: str, of: str) -> list[Anomaly]:
    """Rows that cannot be used, beyond what `ranker prepare` tolerates."""
    share = aside / max(rows, 1)
    if share <= _MOST_REJECTED:
        return []
    message = f"{name}: {aside:,} of {rows:,} {of} cannot be used, more than {_MOST_REJECTED:.0%}: {_told(reasons)}"
    return [Anomaly(name, "", "rows", "fail", message, share, _MOST_REJECTED)]


def _told(reasons: Counter[str]) -> str:
    commonest = "; ".join(f"{count:,} x {reason}" for reason, count in reasons.most_common(5))
    return f"{commonest} and {len(reasons) - 5} other reasons" if len(reasons) > 5 else commonest
