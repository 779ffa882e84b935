"""Statistics as tensorflow-metadata has them."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from features.statistics.metadata import read_statistics, summary_of, to_proto, write_statistics
from ranker.data.artefacts import ArtefactError

TYPES = statistics_pb2.FeatureNameStatistics


@pytest.fixture(scope="module")
def lists(rows):
    return rows(4, 120)


@pytest.fixture(scope="module")
def summary(summarise, lists):
    return summarise(lists, "valid")


@pytest.fixture(scope="module")
def features(summary):
    """The features of the proto by name or path."""
    (dataset,) = to_proto(summary).datasets
    assert (dataset.name, dataset.num_examples) == ("valid", 120)
    found = {tuple(feature.path.step) or feature.name: feature for feature in dataset.features}
    assert len(found) == len(dataset.features)
    return found


def differences(one, other, where="") -> list[str]:
    """Where two summaries differ."""
    if is_dataclass(one):
        names = [field.name for field in fields(one)]
        return [d for name in names for d in differences(getattr(one, name), getattr(other, name), f"{where}.{name}")]
    if isinstance(one, tuple):
        assert len(one) == len(other), where
        return [d for at, pair in enumerate(zip(one, other, strict=True)) for d in differences(*pair, f"{where}[{at}]")]
    if isinstance(one, (float, np.ndarray)):
        return [] if np.allclose(one, other, rtol=1e-6, atol=1e-9, equal_nan=True) else [f"{where}: {one} {other}"]
    return [] if one == other else [f"{where}: {one} {other}"]


def test_what_is_written_is_read(summary, measured, tmp_path):
    write_statistics(tmp_path / "valid.pb", summary)
    assert differences(summary, read_statistics(tmp_path / "valid.pb", measured)) == []


def test_how_many_lists_are_independent_is_written_and_read(summary, measured, tmp_path):
    assert summary.queries is None
    assert to_proto(summary).datasets[0].weighted_num_examples == 0
    few = replace(summary, queries=12.3)
    write_statistics(tmp_path / "valid.pb", few)
    found = read_statistics(tmp_path / "valid.pb", measured)
    assert (found.lists, found.independent_lists) == (120, 12.3)
    assert found.independent_documents == pytest.approx(summary.independent_documents * 12.3 / 120)


def test_nothing_is_written_and_read_too(summarise, measured):
    empty = summarise([])
    assert differences(empty, summary_of(to_proto(empty), measured)) == []


def test_only_columns_that_are_asked_for_are_read(summary, measured):
    found = summary_of(to_proto(summary), measured[:2])
    assert [column.measured for column in found.columns] == measured[:2]


def test_types_are_those_of_the_raw_columns(features):
    types = {name: TYPES.Type.Name(feature.type) for name, feature in features.items() if isinstance(name, str)}
    assert types == {
        "query": "STRING",
        "country": "STRING",
        "budget": "FLOAT",
        "born": "INT",
        "timestamp": "INT",
        "title": "STRING",
        "brand": "STRING",
        "genres": "STRING",
        "price": "FLOAT",
        "released": "INT",
        "image": "FLOAT",
        "clicks": "FLOAT",
        "label": "FLOAT",
        "weight": "FLOAT",
        "position": "INT",
    }


def test_numbers_in_their_terms(features, lists):
    prices = np.array([price for row in lists for price in row["price"]])
    there = prices[~np.isnan(prices)]
    stats = features["price"].num_stats
    assert stats.common_stats.num_missing == len(prices) - len(there)
    assert stats.common_stats.num_non_missing == stats.common_stats.tot_num_values == len(there)
    assert (stats.mean, stats.std_dev) == pytest.approx((there.mean(), there.std()))
    assert (stats.min, stats.median, stats.max) == pytest.approx((there.min(), np.median(there), there.max()))
    histograms = {histogram.type: histogram.buckets for histogram in stats.histograms}
    assert histograms.keys() == {statistics_pb2.Histogram.STANDARD, statistics_pb2.Histogram.QUANTILES}
    for buckets in histograms.values():
        assert sum(bucket.sample_count for bucket in buckets) == pytest.approx(len(there))
        assert (buckets[0].low_value, buckets[-1].high_value) == (there.min(), there.max())
        assert all(one.high_value == two.low_value for one, two in pairwise(buckets))


def test_texts_in_their_terms(features, lists):
    genres = [own for row in lists for own in row["genres"]]
    expected = Counter(genre for own in genres for genre in own)
    stats = features["genres"].string_stats
    assert stats.common_stats.num_non_missing == sum(bool(own) for own in genres)
    assert (stats.common_stats.tot_num_values, stats.common_stats.max_num_values) == (expected.total(), 3)
    assert stats.unique == 3
    assert {top.value: top.frequency for top in stats.top_values} == expected
    assert [bucket.label for bucket in stats.rank_histogram.buckets] == [top.value for top in stats.top_values]
    assert stats.avg_length == pytest.approx(np.mean([len(genre) for genre in expected.elements()]))


def test_what_is_measured_of_columns_has_a_path(features, lists):
    paths = {name for name in features if isinstance(name, tuple)}
    assert paths == {
        ("list", "length"),
        ("list", "relevant"),
        ("query", "words"),
        ("title", "words"),
        ("genres", "values"),
        ("born", "age"),
        ("released", "age"),
        ("image", "1"),
        ("image", "2"),
        ("image", "3"),
    }
    documents = features["list", "length"].num_stats.common_stats.tot_num_values
    assert documents == sum(len(row["label"]) for row in lists)
    without = sum(max(row["label"]) == 0 for row in lists)
    assert features["list", "relevant"].num_stats.num_zeros == without


@pytest.mark.parametrize("content", [None, b"no proto"])
def test_a_file_that_is_not_there_or_something_else_is_refused(tmp_path, measured, content):
    path = tmp_path / "train.pb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArtefactError, match=r"train\.pb: cannot read the statistics .* make the dataset anew"):
        read_statistics(path, measured)
