"""Anomalies in words, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.statistics.anomalies import Anomaly, anomalies_of, columns_differ, constant_columns, refuse
from features.statistics.comparison import Comparison
from features.statistics.distances import Distance
from ranker.errors import RankerError
from ranker.spec.validation import Validation


def drift(value=0.5, p_value=1e-9, column="price", component=None, split="test") -> Comparison:
    distance = Distance(value, p_value)
    what = "median 3, in training lists 2"
    return Comparison(split, column, component, "drift", "Kolmogorov-Smirnov distance", distance, 0.1, what)


def test_the_message_says_all_of_it():
    (anomaly,) = anomalies_of([drift()], Validation())
    assert anomaly == Anomaly(
        "test",
        "price",
        "drift",
        "warn",
        "test: column 'price': Kolmogorov-Smirnov distance 0.5, more than 0.1 (median 3, in training lists 2); if it "
        "is as it should be, raise validation.columns.price.drift",
        0.5,
        0.1,
        1e-9,
    )


def test_components_of_a_vector_are_told_together_the_worst_first():
    components = [drift(0.2 + at / 100, column="image", component=at) for at in range(15)]
    (anomaly,) = anomalies_of([*components, drift(0.05, column="image", component=99)], Validation())
    assert anomaly.message.startswith(
        "test: column 'image', 15 of its components (14, 13, 12, 11, 10, 9, 8, 7, 6, 5 and 5 more), at worst image_14: "
        "Kolmogorov-Smirnov distance 0.34, more than 0.1"
    )
    assert anomaly.value == pytest.approx(0.34)


@pytest.mark.parametrize(
    ("comparison", "others", "told"),
    [
        (drift(0.11, 1e-3), 0, True),
        (drift(0.1, 1e-9), 0, False),
        (drift(0.5, 0.02), 0, False),
        (drift(0.5, 1.1e-3), 9, False),
        (drift(0.5, 0.9e-3), 9, True),
    ],
)
def test_beyond_the_limit_and_beyond_chance(comparison, others, told):
    """With 10 comparisons and a confidence of 0.99 each p-value has to be below 0.001."""
    comparisons = [comparison, *(drift(0.0, 1.0, column=f"c{at}") for at in range(others))]
    assert [a.column for a in anomalies_of(comparisons, Validation())] == ["price"] * told


def test_splits_and_columns_apart():
    comparisons = [drift(), drift(column="stock"), drift(split="valid")]
    found = [(a.split, a.column) for a in anomalies_of(comparisons, Validation())]
    assert found == [("test", "price"), ("test", "stock"), ("valid", "price")]


def test_actions_of_a_check_and_of_a_column():
    checks = Validation.model_validate({"drift": {"action": "fail"}, "columns": {"stock": {"action": "warn"}}})
    anomalies = anomalies_of([drift(), drift(column="stock")], checks)
    assert [anomaly.action for anomaly in anomalies] == ["fail", "warn"]
    with pytest.raises(RankerError) as caught:
        refuse(anomalies)
    first, second = str(caught.value).splitlines()
    assert first == "1 of the checks under the spec's `validation` says that this data must not be used:"
    assert second == f"  {anomalies[0].message}"
    refuse(anomalies[1:])


def test_columns_of_which_nothing_can_be_learnt(summarise, rows):
    lists = rows(3, 50)
    assert constant_columns(summarise(lists), Validation()) == []
    for row in lists:
        row["budget"], row["country"], row["born"] = 5.0, "de", np.iinfo(np.int64).min
        row["brand"] = [""] * len(row["brand"])
        row["weight"] = [1.0] * len(row["weight"])
        row["label"] = [0.0] * len(row["label"])
        row["image"] = [[number, 2.0, np.nan] for number, *_ in row["image"]]
        row["price"] = [np.nan if at == 0 else 1.0 for at in range(len(row["price"]))]
    found = {a.column: a.message.partition(", of which")[0] for a in constant_columns(summarise(lists), Validation())}
    assert found == {
        "country": "train: column 'country' is 'de' everywhere",
        "budget": "train: column 'budget' is 5 everywhere",
        "born": "train: column 'born' is missing everywhere",
        "brand": "train: column 'brand' is missing everywhere",
        "image": "train: column 'image' has 2 of 3 components with one number or none: 2, 3",
        "label": "train: column 'label' is '0' everywhere",
    }, "a missing price may say something, and a weight needs not differ"
    checks = Validation.model_validate({"constant": {"action": "fail"}, "columns": {"brand": {"action": "ignore"}}})
    actions = {a.column: a.action for a in constant_columns(summarise(lists), checks)}
    assert actions == dict.fromkeys(found.keys() - {"brand"}, "fail")


def test_columns_that_are_not_there_or_something_else(measured):
    def other(column):
        types = {"price": {"dtype": "string"}, "image": {"width": 4}, "genres": {"multivalued": False}}
        changed = replace(column.column, **types.get(column.name, {}))
        return replace(column, column=changed)

    given = [other(column) for column in measured if column.name != "brand"]
    anomalies = columns_differ(measured, given, "new.yaml")
    assert [anomaly.message for anomaly in anomalies] == [
        "new.yaml: column 'brand' is not there; expected type string, of documents, as in the dataset",
        "new.yaml: column 'genres' is type string, of documents; expected several of type string, of documents, as in "
        "the dataset",
        "new.yaml: column 'price' is type string, of documents; expected type float32, of documents, as in the dataset",
        "new.yaml: column 'image' is a vector of 4 numbers, of documents; expected a vector of 3 numbers, of "
        "documents, as in the dataset",
    ]
    assert {anomaly.action for anomaly in anomalies} == {"fail"}
    assert columns_differ(measured, measured, "x") == []
