"""Statistics of lists, against pandas."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from features.statistics.measured import measured_columns
from features.statistics.split import SplitStatistics
from features.statistics.summary import LEVELS
from features.text import tokenize
from ranker.data.columns import MISSING_INT


def summed(measured, batches):
    """Statistics of batches, each a shard of its own, through arrays."""
    total = SplitStatistics(measured)
    for batch in batches:
        part = SplitStatistics(measured)
        part.add(batch)
        total.merge(SplitStatistics.from_arrays(measured, part.to_arrays()))
    return total


@pytest.fixture(scope="module")
def lists(rows):
    return rows(1, 150)


@pytest.fixture(scope="module")
def summary(measured, lists, to_batch):
    return summed(measured, [to_batch(lists)]).summary("train")


def of_documents(lists, name) -> list:
    return [value for row in lists for value in row[name]]


def check_numbers(numbers, values):
    """Every figure of `numbers` against those of pandas; NaN in `values` is missing."""
    series = pd.Series(np.array(values, np.float64))
    assert (numbers.count, numbers.missing) == (series.count(), series.isna().sum())
    assert numbers.zeros == (series == 0).sum()
    assert (numbers.minimum, numbers.maximum) == (series.min(), series.max())
    assert numbers.mean == pytest.approx(series.mean(), rel=1e-12)
    assert numbers.sd == pytest.approx(series.std(ddof=0), rel=1e-9)
    np.testing.assert_array_equal(numbers.levels, LEVELS)
    np.testing.assert_allclose(numbers.quantiles, series.quantile(LEVELS), rtol=1e-12)
    expected, _ = np.histogram(series.dropna(), len(numbers.histogram))
    np.testing.assert_allclose(numbers.histogram, expected)


def test_the_split_as_a_whole(summary, lists):
    sizes = [len(row["label"]) for row in lists]
    assert (summary.lists, summary.documents) == (150, sum(sizes))
    check_numbers(summary.length, sizes)
    check_numbers(summary.relevant, [sum(label > 0 for label in row["label"]) for row in lists])
    assert summary.relevant.zeros == sum(max(row["label"]) == 0 for row in lists)
    assert summary.independent_documents == pytest.approx(sum(sizes) ** 2 / sum(size**2 for size in sizes))


def test_every_column_is_there_once(summary, every_kind):
    names = [column.measured.name for column in summary.columns]
    assert names == [column.name for column in measured_columns(every_kind)]
    assert len(names) == len(set(names)) == 15


@pytest.mark.parametrize("name", ["price", "clicks", "weight", "label"])
def test_numbers_of_documents(summary, lists, name):
    check_numbers(summary.column(name).numbers, of_documents(lists, name))


def test_numbers_of_queries(summary, lists):
    column = summary.column("budget")
    check_numbers(column.numbers, [row["budget"] for row in lists])
    assert column.rows == 150
    assert column.missing == sum(row["budget"] != row["budget"] for row in lists) > 0


def test_a_document_that_was_not_shown_has_no_position(summary, lists):
    check_numbers(summary.column("position").numbers, [p or np.nan for p in of_documents(lists, "position")])


def test_dates_and_their_age_when_the_query_was_asked(summary, lists):
    dates = [(row["timestamp"], np.nan if d == MISSING_INT else d) for row in lists for d in row["released"]]
    column = summary.column("released")
    check_numbers(column.numbers, [date for _, date in dates])
    check_numbers(column.age, [(time - date) / 86_400 for time, date in dates])
    born = [(row["timestamp"], np.nan if row["born"] == MISSING_INT else row["born"]) for row in lists]
    check_numbers(summary.column("born").age, [(time - date) / 86_400 for time, date in born])
    check_numbers(summary.column("timestamp").numbers, [row["timestamp"] for row in lists])


@pytest.mark.parametrize(("name", "scope"), [("brand", "document"), ("country", "query"), ("title", "document")])
def test_values(summary, lists, name, scope):
    values = of_documents(lists, name) if scope == "document" else [row[name] for row in lists]
    expected = Counter(value for value in values if value)
    column = summary.column(name)
    assert (column.rows, column.missing) == (len(values), values.count(""))
    assert (column.values.count, column.values.distinct) == (expected.total(), len(expected))
    assert dict(column.values.top) == expected
    assert column.values.exact
    assert column.values.mean_length == pytest.approx(np.mean([len(value) for value in expected.elements()]))


def test_words_are_those_of_the_features(summary, lists):
    titles = of_documents(lists, "title")
    words = [len(words) if title else np.nan for title, words in zip(titles, tokenize(titles).to_list(), strict=True)]
    check_numbers(summary.column("title").numbers, words)


def test_several_categories(summary, lists):
    genres = of_documents(lists, "genres")
    column = summary.column("genres")
    assert dict(column.values.top) == Counter(genre for own in genres for genre in own)
    assert column.missing == sum(not own for own in genres) > 0
    check_numbers(column.numbers, [len(own) for own in genres])


def test_labels_are_counted(summary, lists):
    labels = Counter(f"{label:g}" for label in of_documents(lists, "label"))
    assert dict(summary.column("label").values.top) == labels


def test_vectors_together_and_each_component(summary, lists):
    image = np.array(of_documents(lists, "image"))
    column = summary.column("image")
    check_numbers(column.numbers, image.ravel())
    for component, values in zip(column.components, image.T, strict=True):
        check_numbers(component, values)
    assert column.missing == np.isnan(image).all(axis=1).sum() > 0
    assert column.missing_numbers == np.isnan(image).sum()


def test_missing_values_for_the_manifest(measured, lists, to_batch):
    missing = summed(measured, [to_batch(lists)]).missing()
    assert missing["image"] == np.isnan(np.array(of_documents(lists, "image"))).sum()
    assert missing["brand"] == of_documents(lists, "brand").count("")
    assert missing["born"] == sum(row["born"] == MISSING_INT for row in lists)
    assert "clicks" not in missing, "what is never missing is left out"


def test_how_the_lists_are_cut_does_not_matter(measured, lists, to_batch, summary):
    batch = to_batch(lists)
    for cuts in ([0, 1, 2, 150], [0, 77, 77, 150], list(range(151))):
        parts = [batch.slice(low, high - low) for low, high in pairwise(cuts)]
        merged = summed(measured, parts).summary("train")
        for one, other in zip(merged.columns, summary.columns, strict=True):
            assert (one.rows, one.missing) == (other.rows, other.missing)
            assert one.values == other.values
            pairs = [(one.numbers, other.numbers), (one.age, other.age)]
            for a, b in [*pairs, *zip(one.components, other.components, strict=True)]:
                assert (a is None) == (b is None)
                if a is not None:
                    assert (a.count, a.minimum, a.maximum, a.zeros) == (b.count, b.minimum, b.maximum, b.zeros)
                    assert np.array_equal(a.quantiles, b.quantiles)
                    np.testing.assert_allclose([a.mean, a.sd], [b.mean, b.sd], rtol=1e-9)


def test_beyond_the_size_of_the_sample_shares_are_within_its_error(every_kind, measured, rows, to_batch):
    """At 12,000 lists with about 54,000 documents: a sixth of them are in the sample."""
    once = rows(5, 1500)
    statistics, prices = SplitStatistics(measured), []
    draw = np.random.default_rng(8)
    for copy in range(8):
        for at, row in enumerate(once):
            row["query_id"] = f"{copy}-{at}"
            row["price"] = draw.gamma(2.0, 3.0, len(row["price"])).astype(np.float32).tolist()
            prices += row["price"]
        statistics.add(to_batch(once))
    numbers = statistics.summary("train").column("price").numbers
    assert numbers.sampled == 8192 < numbers.count == len(prices)
    assert (numbers.minimum, numbers.maximum) == (min(prices), max(prices))
    assert numbers.mean == pytest.approx(np.mean(prices), rel=1e-9)
    found = np.searchsorted(np.sort(prices), numbers.quantiles, "right") / len(prices)
    assert np.abs(found - LEVELS).max() < 0.02
    assert numbers.histogram.sum() == pytest.approx(len(prices))


def test_no_list_at_all(measured, to_batch):
    summary = summed(measured, [to_batch([])]).summary("valid")
    assert (summary.lists, summary.documents, summary.independent_documents) == (0, 0, 0)
    assert all(column.missing == 0 for column in summary.columns)
    assert not len(summary.column("price").numbers.quantiles)


def test_a_number_that_the_sample_has_not(measured, rows, to_batch):
    """One in 50,000 documents has it."""
    once = rows(5, 1500)
    statistics = SplitStatistics(measured)
    for copy in range(8):
        for at, row in enumerate(once):
            row["query_id"] = f"{copy}-{at}"
            row["price"] = [np.nan] * len(row["price"])
        if copy == 0:
            once[0]["price"][0] = 2.0
        statistics.add(to_batch(once))
    numbers = statistics.summary("train").column("price").numbers
    assert (numbers.count, numbers.minimum, numbers.maximum, set(numbers.quantiles)) == (1, 2.0, 2.0, {2.0})
