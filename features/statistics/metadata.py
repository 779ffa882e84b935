"""Statistics as `DatasetFeatureStatisticsList` of tensorflow-metadata, which TFDV and Facets read too.

A column is a feature of its name; what is measured of it has a path: `[title, words]` the words of a text,
`[released, age]` the age of a date in days, `[features, 12]` a component of a vector, `[list, length]` and
`[list, relevant]` the documents of a list and the relevant ones. A feature of documents counts documents.
The weighted number of examples is that of independent lists, see `SplitSummary.queries`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tensorflow_metadata.proto.v0 import path_pb2, statistics_pb2

from features.statistics.measured import Measured
from features.statistics.summary import ColumnSummary, Numbers, SplitSummary, Values
from ranker.data.artefacts import ArtefactError

__all__ = ["read_statistics", "summary_of", "to_proto", "write_statistics"]

_SHOWN = 20
_TYPES = statistics_pb2.FeatureNameStatistics


def write_statistics(path: Path, summary: SplitSummary) -> None:
    """Write the statistics of a split as a serialized `DatasetFeatureStatisticsList`."""
    path.write_bytes(to_proto(summary).SerializeToString(deterministic=True))


def read_statistics(path: Path, columns: Sequence[Measured]) -> SplitSummary:
    """Read what `write_statistics` wrote, of the columns that are asked for.

    Raises:
        ArtefactError: if the file is not there or holds something else.
    """
    try:
        statistics = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise ArtefactError(
            f"{path}: cannot read the statistics ({error}); make the dataset anew with `ranker prepare --force`"
        ) from None
    return summary_of(statistics, columns)


def to_proto(summary: SplitSummary) -> statistics_pb2.DatasetFeatureStatisticsList:
    """The statistics of a split as tensorflow-metadata has them."""
    statistics = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = statistics.datasets.add(name=summary.name, num_examples=summary.lists)
    if summary.queries is not None:
        dataset.weighted_num_examples = summary.queries
    dataset.features.append(_of_numbers(["list", "length"], summary.length))
    dataset.features[0].num_stats.common_stats.tot_num_values = summary.documents
    if summary.relevant is not None:
        dataset.features.append(_of_numbers(["list", "relevant"], summary.relevant))
    for column in summary.columns:
        dataset.features.extend(_of_column(column))
    return statistics


def _of_column(column: ColumnSummary) -> Iterator[statistics_pb2.FeatureNameStatistics]:
    measured, name = column.measured, column.measured.name
    if column.values is not None and measured.column.dtype == "string":
        yield _of_texts(column, column.values)
        if column.numbers is not None and measured.measure:
            yield _of_numbers([name, measured.measure], column.numbers)
    elif column.numbers is not None:
        yield _of_scalars(column, column.numbers)
    if column.age is not None:
        yield _of_numbers([name, "age"], column.age)
    for place, component in enumerate(column.components, start=measured.first):
        yield _of_numbers([name, str(place)], component)


def _of_scalars(column: ColumnSummary, numbers: Numbers) -> statistics_pb2.FeatureNameStatistics:
    feature = _of_numbers([column.measured.name], numbers)
    feature.type = _TYPES.INT if column.measured.column.dtype == "int64" else _TYPES.FLOAT
    common = feature.num_stats.common_stats
    common.num_missing, common.num_non_missing = column.missing, column.rows - column.missing
    width = column.measured.column.width
    if width is not None:
        common.min_num_values = common.max_num_values = width
        common.avg_num_values = width
    if column.values is not None:  # of labels
        feature.custom_stats.add(name="distinct", num=column.values.distinct)
        feature.custom_stats.add(name="exact", num=column.values.exact)
        feature.custom_stats.add(name="mean_length", num=column.values.mean_length)
        _put_ranks(feature.custom_stats.add(name="values").rank_histogram, column.values)
    return feature


def _of_texts(column: ColumnSummary, values: Values) -> statistics_pb2.FeatureNameStatistics:
    feature = statistics_pb2.FeatureNameStatistics(name=column.measured.name, type=_TYPES.STRING)
    feature.custom_stats.add(name="exact", num=values.exact)
    stats = feature.string_stats
    common = stats.common_stats
    common.num_non_missing, common.num_missing = column.rows - column.missing, column.missing
    common.tot_num_values = values.count
    common.min_num_values = common.max_num_values = 1
    if column.measured.kind == "categories" and column.numbers is not None and column.numbers.count:
        common.min_num_values, common.max_num_values = int(column.numbers.minimum), int(column.numbers.maximum)
    common.avg_num_values = values.count / max(common.num_non_missing, 1)
    stats.unique, stats.avg_length = values.distinct, values.mean_length
    for value, count in values.top[:_SHOWN]:
        stats.top_values.add(value=value, frequency=count)
    _put_ranks(stats.rank_histogram, values)
    return feature


def _of_numbers(path: Sequence[str], numbers: Numbers) -> statistics_pb2.FeatureNameStatistics:
    feature = statistics_pb2.FeatureNameStatistics(type=_TYPES.FLOAT)
    if len(path) == 1:
        feature.name = path[0]
    else:
        feature.path.CopyFrom(path_pb2.Path(step=path))
    stats = feature.num_stats
    common = stats.common_stats
    common.num_non_missing, common.num_missing = numbers.count, numbers.missing
    common.min_num_values = common.max_num_values = 1
    common.avg_num_values, common.tot_num_values = 1, numbers.count
    feature.custom_stats.add(name="sampled", num=numbers.sampled)
    feature.custom_stats.add(name="missing", num=numbers.missing)
    if not numbers.count:
        return feature
    stats.mean, stats.std_dev, stats.num_zeros = numbers.mean, numbers.sd, numbers.zeros
    stats.min, stats.max = numbers.minimum, numbers.maximum
    stats.median = float(np.interp(0.5, numbers.levels, numbers.quantiles))
    _put_histogram(stats.histograms.add(type=statistics_pb2.Histogram.STANDARD), *_equal_width(numbers))
    shares = np.diff(numbers.levels) * numbers.count
    _put_histogram(stats.histograms.add(type=statistics_pb2.Histogram.QUANTILES), numbers.quantiles, shares)
    return feature


def _equal_width(numbers: Numbers) -> tuple[np.ndarray, np.ndarray]:
    return np.linspace(numbers.minimum, numbers.maximum, len(numbers.histogram) + 1), numbers.histogram


def _put_histogram(histogram: statistics_pb2.Histogram, edges: np.ndarray, counts: np.ndarray) -> None:
    for low, high, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True):
        histogram.buckets.add(low_value=low, high_value=high, sample_count=count)


def _put_ranks(histogram: statistics_pb2.RankHistogram, values: Values) -> None:
    for rank, (value, count) in enumerate(values.top):
        histogram.buckets.add(low_rank=rank, high_rank=rank, label=value, sample_count=count)


# --- back again ------------------------------------------------------------------------------------------------------

_Features = Mapping[tuple[str, ...], Any]


def summary_of(statistics: statistics_pb2.DatasetFeatureStatisticsList, columns: Sequence[Measured]) -> SplitSummary:
    """Inverse of `to_proto`, of the columns that are asked for; those without statistics are left out."""
    (dataset,) = statistics.datasets
    features = {tuple(feature.path.step) or (feature.name,): feature for feature in dataset.features}
    relevant = features.get(("list", "relevant"))
    length = features["list", "length"]
    return SplitSummary(
        dataset.name,
        lists=dataset.num_examples,
        documents=length.num_stats.common_stats.tot_num_values,
        length=_numbers_from(length),
        relevant=None if relevant is None else _numbers_from(relevant),
        columns=tuple(_column_from(column, features) for column in columns if (column.name,) in features),
        queries=dataset.weighted_num_examples or None,
    )


def _column_from(measured: Measured, features: _Features) -> ColumnSummary:
    name = measured.name
    feature = features[name,]
    of_texts = feature.WhichOneof("stats") == "string_stats"
    common = feature.string_stats.common_stats if of_texts else feature.num_stats.common_stats
    numbers = features.get((name, str(measured.measure))) if of_texts else feature
    age = features.get((name, "age"))
    steps = range(measured.first, measured.first + (measured.column.width or 0))
    return ColumnSummary(
        measured,
        rows=common.num_missing + common.num_non_missing,
        missing=common.num_missing,
        numbers=None if numbers is None else _numbers_from(numbers),
        age=None if age is None else _numbers_from(age),
        values=_values_from(feature) if measured.has_values else None,
        components=tuple(_numbers_from(features[name, str(step)]) for step in steps if (name, str(step)) in features),
    )


def _numbers_from(feature: Any) -> Numbers:
    stats, custom = feature.num_stats, {stat.name: stat.num for stat in feature.custom_stats}
    histograms = {histogram.type: histogram.buckets for histogram in stats.histograms}
    buckets = histograms.get(statistics_pb2.Histogram.QUANTILES, ())
    there = len(buckets) > 0
    shares = np.cumsum([0.0, *(bucket.sample_count for bucket in buckets)])
    quantiles = [*(bucket.low_value for bucket in buckets[:1]), *(bucket.high_value for bucket in buckets)]
    standard = histograms.get(statistics_pb2.Histogram.STANDARD, ())
    missing = int(custom["missing"])
    return Numbers(
        count=round(shares[-1]),
        missing=missing,
        mean=stats.mean if there else np.nan,
        sd=stats.std_dev if there else np.nan,
        minimum=stats.min if there else np.nan,
        maximum=stats.max if there else np.nan,
        zeros=stats.num_zeros,
        levels=np.round(shares / shares[-1], 9) if there else np.empty(0),
        quantiles=np.array(quantiles),
        histogram=np.array([bucket.sample_count for bucket in standard]),
        sampled=int(custom["sampled"]),
    )


def _values_from(feature: Any) -> Values:
    stats, custom = feature.string_stats, {stat.name: stat for stat in feature.custom_stats}
    of_texts = feature.WhichOneof("stats") == "string_stats"
    ranks = stats.rank_histogram if of_texts else custom["values"].rank_histogram
    return Values(
        count=stats.common_stats.tot_num_values if of_texts else feature.num_stats.common_stats.tot_num_values,
        mean_length=stats.avg_length if of_texts else custom["mean_length"].num,
        distinct=stats.unique if of_texts else int(custom["distinct"].num),
        exact=bool(custom["exact"].num),
        top=tuple((bucket.label, int(bucket.sample_count)) for bucket in ranks.buckets),
    )
