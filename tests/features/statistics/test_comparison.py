"""Splits against the training lists: what was planted is found, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from features.statistics.anomalies import anomalies_of
from features.statistics.comparison import compare, skipped
from features.statistics.schema import infer_schema
from ranker.data.columns import MISSING_INT
from ranker.spec import Spec
from ranker.spec.validation import Validation

DAY = 86_400


@pytest.fixture(scope="module")
def train(summarise, rows):
    return summarise(rows(100, 600))


@pytest.fixture(scope="module")
def found(train, summarise):
    """`found(lists, **checks)` are the anomalies of other lists, as (column, check)."""

    def anomalies(lists, skip=(), **checks):
        validation = Validation.model_validate(checks)
        comparisons = compare(train, summarise(lists, "valid"), infer_schema(train), validation, skip)
        return [(a.column, a.check) for a in anomalies_of(comparisons, validation)]

    return anomalies


@pytest.fixture(scope="module")
def changed(rows):
    """`changed(lists, column=function)` are random lists with each value of these columns changed."""

    def lists(count, **functions):
        made = rows(200, count, start=10_000)
        for row in made:
            for name, function in functions.items():
                row[name] = [*map(function, row[name])] if isinstance(row[name], list) else function(row[name])
        return made

    return lists


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("lists", [3, 40, 400])
def test_lists_of_one_distribution_are_not_called_different(found, rows, seed, lists):
    """Even with limits so low that nothing but chance is told apart."""
    low = {"most": 0.0}
    drift = {"numbers": 0.0, "categories": 0.0}
    assert found(rows(seed, lists, start=1000), drift=drift, missing=low, unseen=low) == []


@pytest.mark.parametrize("seed", range(10))
def test_documents_that_are_alike_in_a_list_count_as_one(summarise, rows, seed):
    """Sixty lists whose documents all have the values of the first: as documents they would be proof of anything."""

    def alike(lists):
        for row in lists:
            for name in ("price", "brand", "clicks"):
                row[name] = row[name][:1] * 40
            for name in ("document_id", "label", "weight", "position", "title", "genres", "released", "image"):
                row[name] = (row[name] * 40)[:40]
            row["document_id"] = [f"d{at}" for at in range(40)]
        return lists

    one, other = summarise(alike(rows(seed, 150))), summarise(alike(rows(seed + 50, 60, start=500)), "valid")
    low = {"drift": {"numbers": 0, "categories": 0}, "missing": {"most": 0}, "unseen": {"most": 0}}
    checks = Validation.model_validate(low)
    assert anomalies_of(compare(one, other, infer_schema(one), checks), checks) == []


PLANTED = {
    ("price", "drift"): {"price": lambda price: price + 2},
    ("budget", "drift"): {"budget": lambda budget: budget * 3},
    ("brand", "drift"): {"brand": lambda brand: "Acme" if brand == "Zeta" else brand},
    ("country", "drift"): {"country": lambda country: "it" if country == "de" else country},
    ("genres", "drift"): {"genres": lambda genres: [genre for genre in genres if genre != "war"]},
    ("title", "drift"): {"title": lambda title: title + " and more"},
    ("released", "drift"): {"released": lambda date: date if date == MISSING_INT else date - 400 * DAY},
    ("image", "drift"): {"image": lambda image: [image[0], image[1] + 1, image[2]]},
    ("clicks", "drift"): {"clicks": lambda clicks: clicks * 2},
    ("position", "drift"): {"position": lambda position: 3 if position else 0},
    ("weight", "drift"): {"weight": lambda weight: 1.0},
    ("brand", "missing"): {"brand": lambda brand: "" if brand in ("Acme", "Rex") else brand},
    ("price", "missing"): {"price": lambda price: np.nan if price > 10 else price},
    ("image", "missing"): {"image": lambda image: [np.nan, *image[1:]]},
    ("born", "missing"): {"born": lambda _: MISSING_INT},
    ("brand", "unseen"): {"brand": lambda brand: "New" if brand == "Mono" else brand},
    ("genres", "unseen"): {"genres": lambda genres: [*genres, "noir"]},
    ("price", "unseen"): {"price": lambda price: -price if price > 13 else price},
    ("image", "unseen"): {"image": lambda image: [image[0], image[1], image[2] * 9]},
}


@pytest.mark.parametrize("planted", PLANTED, ids="-".join)
def test_what_was_planted_is_found_in_its_column(found, changed, planted):
    anomalies = found(changed(300, **PLANTED[planted]))
    assert planted in anomalies
    assert {column for column, _ in anomalies} == {planted[0]}


def test_longer_lists_are_found(found, rows):
    lists = rows(200, 300, start=10_000)
    for row in lists:
        for name, value in row.items():
            if isinstance(value, list):
                row[name] = value * 2
    assert found(lists) == [("list_length", "drift")]


def test_a_later_time_is_no_drift_but_ages_are_taken_at_it(found, changed):
    later = changed(300)
    for row in later:
        row["timestamp"] += 4000 * DAY
    assert {column for column, _ in found(later)} == {"born", "released"}
    for row in later:
        row["born"] += 4000 * DAY * (row["born"] != MISSING_INT)
        row["released"] = [d if d == MISSING_INT else d + 4000 * DAY for d in row["released"]]
    assert found(later) == []


def test_a_few_lists_prove_little(found, changed):
    """The same change in 3 lists may be chance, in 300 it is not; in 3 with an unknown brand everywhere it is not."""
    shift = PLANTED["price", "drift"]
    assert found(changed(3, **shift)) == []
    assert found(changed(300, **shift)) != []
    assert ("brand", "unseen") in found(changed(3, brand=lambda _: "New"))


@pytest.mark.parametrize(
    ("checks", "kept"),
    [
        ({}, {"price", "brand"}),
        ({"drift": {"numbers": 1.0}}, {"brand"}),
        ({"drift": {"categories": 1.0}}, {"price"}),
        ({"columns": {"price": {"drift": 0.9}}}, {"brand"}),
        ({"columns": {"price": {"action": "ignore"}}}, {"brand"}),
        ({"drift": {"action": "ignore"}}, set()),
        ({"confidence": 1 - 1e-15}, {"brand"}),
    ],
)
def test_every_option_has_an_effect(found, changed, checks, kept):
    both = changed(300, **PLANTED["price", "drift"], **PLANTED["brand", "drift"])
    assert {column for column, check in found(both, **checks) if check == "drift"} == kept


def test_the_limits_of_missing_and_unseen_values_have_an_effect(found, changed):
    lists = changed(300, **PLANTED["price", "missing"], **PLANTED["brand", "unseen"])
    assert {("price", "missing"), ("brand", "unseen")} <= set(found(lists))
    checks = {"missing": {"most": 0.6}, "unseen": {"most": 0.6}}
    assert not {"missing", "unseen"} & {check for _, check in found(lists, **checks)}
    columns = {"price": {"missing": 0.6}, "brand": {"unseen": 0.6}}
    assert not {"missing", "unseen"} & {check for _, check in found(lists, columns=columns)}


def test_a_column_that_differs_by_design_is_not_compared(found, changed):
    assert found(changed(300, **PLANTED["price", "drift"]), skip=["price"]) == []


def test_values_that_a_person_adds_to_the_schema_are_known(train, summarise, changed):
    schema, checks = infer_schema(train), Validation()
    other = summarise(changed(300, **PLANTED["brand", "unseen"]), "valid")

    def unseen():
        return {(a.column, a.check) for a in anomalies_of(compare(train, other, schema, checks), checks)}

    assert ("brand", "unseen") in unseen()
    (brand,) = (feature for feature in schema.feature if feature.name == "brand")
    brand.string_domain.value.append("New")
    assert ("brand", "unseen") not in unseen()


# --- presence, as the schema says -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def missing(summarise, rows):
    """`missing(share, before, edit, lists, **checks)`: what is told of columns of which such a share is missing.

    Of training lists `before` of prices is missing; `edit(features)` changes the schema, by name.
    """

    def without(lists, share, seed):
        draw = np.random.default_rng(seed)
        for row in lists:
            row["price"] = [np.nan if draw.random() < share else 5 + draw.normal() for _ in row["price"]]
            row["genres"] = [genres or ["drama"] for genres in row["genres"]]
            row["image"] = [[1.0, 2.0, 3.0] if draw.random() >= share else [np.nan] * 3 for _ in row["image"]]
        return lists

    def told(share, before=0.0, edit=lambda features: None, lists=300, **checks):
        train = summarise(without(rows(11, 600), before, 1))
        other = summarise(without(rows(12, lists, start=1000), share, 2), "valid")
        schema, validation = infer_schema(train), Validation.model_validate(checks)
        edit({feature.name: feature for feature in schema.feature})
        found = anomalies_of(compare(train, other, schema, validation), validation)
        return {a.column: a for a in found if a.check == "missing"}

    return told


def test_a_column_that_was_always_there_must_not_be_missing(missing):
    """8% are below `missing.most`; that is for columns of which some are missing in training lists too."""
    found = missing(0.08)
    assert found.keys() == {"price", "image"}
    assert found["price"].message.endswith(
        "% are missing; schema.pbtxt says that 100.00% are there); if it is as it should be, raise "
        "validation.columns.price.missing"
    )
    assert "components" not in found["image"].message
    assert found["price"].limit == 0
    assert missing(0.08, before=0.02) == {}


def test_a_few_missing_values_may_be_chance(missing):
    assert missing(0.04, lists=10) == {}
    assert missing(0.001) == {}


def test_presence_has_the_action_and_the_limits_of_missing_values(missing):
    assert {a.action for a in missing(0.08, missing={"action": "fail"}).values()} == {"fail"}
    assert missing(0.08, missing={"action": "ignore"}) == {}
    assert missing(0.08, missing={"most": 1}) == {}
    assert missing(0.08, columns={"price": {"missing": 0.1}}).keys() == {"image"}
    assert missing(0.08, columns={"image": {"action": "ignore"}}).keys() == {"price"}


def test_the_presence_of_a_schema_that_was_edited_counts(missing):
    def present(share):
        def edit(features):
            for name in ("price", "image"):
                features[name].presence.min_fraction = share

        return edit

    assert missing(0.08, edit=present(0.9)) == {}
    assert missing(0.07, before=0.07) == {}
    assert missing(0.07, before=0.07, edit=present(1.0)).keys() == {"price", "image"}
    assert missing(0.09, before=0.01, edit=present(0.95)).keys() == {"price", "image"}
    assert missing(0.01, before=0.07, edit=present(0.95)) == {}


def test_what_retrieval_changes_is_skipped(every_kind):
    def of(candidates):
        content = every_kind.model_dump() | {}
        content["data"]["candidates"] = candidates
        content["validation"] = {}
        return skipped(Spec.model_validate(content))

    assert of({"from": "judgments"}) == set()
    assert of({"from": "table", "file": "c"}) == {"label", "weight", "position", "list_length"}
    assert {"price", "clicks"} <= of({"from": "sample"})
    assert "country" not in of({"from": "sample"})
