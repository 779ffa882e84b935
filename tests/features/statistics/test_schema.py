"""The schema of the raw columns."""

from __future__ import annotations

import pytest
from tensorflow_metadata.proto.v0 import schema_pb2

from features.statistics.schema import infer_schema, read_schema, write_schema
from ranker.data.artefacts import ArtefactError


@pytest.fixture(scope="module")
def lists(rows):
    return rows(2, 400)


@pytest.fixture(scope="module")
def schema(summarise, lists):
    return infer_schema(summarise(lists))


@pytest.fixture(scope="module")
def features(schema):
    return {feature.name: feature for feature in schema.feature}


def test_it_has_the_raw_records(features, lists):
    assert features.keys() == lists[0].keys()
    tags = {name: list(feature.annotation.tag) for name, feature in features.items()}
    context = {"query_id", "query", "country", "budget", "born", "timestamp"}
    assert tags == {name: ["context"] if name in context else ["example"] for name in tags}


def test_what_only_judged_lists_have_is_not_served(features):
    assert {name for name, feature in features.items() if list(feature.not_in_environment) == ["SERVING"]} == {
        "label",
        "weight",
        "position",
    }


def test_presence_and_shapes(features):
    assert features["clicks"].presence.min_fraction == 1
    assert features["clicks"].HasField("shape")
    assert features["price"].presence.min_fraction == 0
    assert (features["price"].value_count.min, features["price"].value_count.max) == (1, 1)
    assert (features["image"].value_count.min, features["image"].value_count.max) == (3, 3)
    assert features["genres"].value_count.max == 0, "no bound is said"


def test_domains(features, lists):
    assert list(features["country"].string_domain.value) == ["de", "fr", "it"]
    assert list(features["genres"].string_domain.value) == ["comedy", "drama", "war"]
    prices = [price for row in lists for price in row["price"] if price == price]
    assert (features["price"].float_domain.min, features["price"].float_domain.max) == (min(prices), max(prices))
    assert features["released"].time_domain.integer_format == schema_pb2.TimeDomain.UNIX_SECONDS
    assert features["title"].HasField("natural_language_domain")


@pytest.mark.parametrize(("rare", "has"), [(4, True), (40, False)])
def test_rare_values_leave_the_domain_open(summarise, rows, rare, has):
    """Where values seen less than 10 times are more than 1% of about 1,600 brands, a new one says nothing."""
    lists = rows(2, 400)
    for at in range(rare):
        lists[at]["brand"][0] = f"rare {at}"
    (brand,) = (feature for feature in infer_schema(summarise(lists)).feature if feature.name == "brand")
    assert brand.HasField("string_domain") == has


def test_what_is_written_is_read(schema, tmp_path):
    write_schema(tmp_path / "schema.pbtxt", schema)
    assert read_schema(tmp_path / "schema.pbtxt") == schema


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot read the schema: No such file or directory; make the dataset anew"),
        ("feature {\n  nam: 1\n}", r"2:3 : .*nam.*; expected a Schema of tensorflow-metadata"),
    ],
)
def test_a_schema_that_cannot_be_read_is_refused(tmp_path, content, said):
    path = tmp_path / "schema.pbtxt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ArtefactError, match=said):
        read_schema(path)
