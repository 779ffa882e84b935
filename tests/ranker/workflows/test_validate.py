"""New data against a dataset: the same is in order, what was planted is found."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from ranker.data.artefacts import ArtefactError
from ranker.data.data_error import DataError
from ranker.data.dataset import Dataset
from ranker.data.store.generator import make_store
from ranker.spec import Spec
from ranker.workflows.demo import make_spec
from ranker.workflows.validate import validate_dataset, validate_requests, validate_source


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("validate")


@pytest.fixture(scope="module")
def stores(place, progress):
    """The specs of a store and of another one, where half of the products have no brand."""
    specs = []
    for seed, name in enumerate(("old", "new")):
        (place / name).mkdir()
        specs.append(make_spec(place / name, queries=400, seed=seed, overrides=[], progress=progress))
    products = specs[1].path(specs[1].data.sources[0].documents)
    rows = [json.loads(line) for line in products.read_text().splitlines()]
    changed = [row | ({"brand": "Nobody's"} if at % 2 else {}) for at, row in enumerate(rows)]
    products.write_text("".join(json.dumps(row) + "\n" for row in changed))
    return specs


@pytest.fixture(scope="module")
def against(place, stores, bare_dataset):
    return bare_dataset(stores[0], place / "dataset")


@pytest.fixture(scope="module")
def requests(stores):
    """The lists of the old store as requests."""
    spec = stores[0]
    source = spec.data.sources[0]

    def lines(path):
        return [json.loads(line) for line in spec.path(path).read_text().splitlines()]

    documents = {row.pop("document_id"): row for row in lines(source.documents)}
    names = {feature.name for feature in spec.features.document}
    queries = {row.pop("query_id"): row for row in lines(source.queries)}
    asked = {feature.name for feature in spec.features.query}
    pairs: dict[str, list[str]] = {}
    for line in spec.path(source.judgments).read_text().splitlines()[1:]:
        query, document, *_ = line.split(",")
        pairs.setdefault(query, []).append(document)
    return [
        {
            "id": query,
            "query": {name: value for name, value in queries[query].items() if name in asked},
            "documents": [
                {"id": d, "features": {name: v for name, v in documents[d].items() if name in names}} for d in own
            ],
        }
        for query, own in pairs.items()
    ]


def told(validated) -> set[tuple[str, str, str]]:
    return {(anomaly.column, anomaly.check, anomaly.action) for anomaly in validated.anomalies}


def check_requests(requests, dataset, progress):
    lines = [json.dumps(request).encode() for request in requests]
    return validate_requests(lines, "requests.jsonl", dataset, progress)


def changed(requests, change) -> list[dict]:
    """Requests with `change` applied to the features of each document."""
    copies = json.loads(json.dumps(requests))
    for request in copies:
        for document in request["documents"]:
            change(document["features"])
    return copies


# --- requests --------------------------------------------------------------------------------------------------------


def test_requests_like_the_training_lists_are_in_order(requests, against, progress):
    validated = check_requests(requests, against, progress)
    assert told(validated) == set()
    assert not validated.fails
    (given,) = validated.given
    assert (given.name, given.lists) == ("requests.jsonl", len(requests))
    assert given.documents == sum(len(request["documents"]) for request in requests)


def test_a_price_in_cents_is_found(requests, against, progress):
    def cents(features):
        if features["price"] is not None:
            features["price"] *= 100

    validated = check_requests(changed(requests, cents), against, progress)
    assert told(validated) == {("price", "drift", "warn"), ("price", "unseen", "warn")}


def test_a_feature_that_is_never_sent_is_found(requests, against, progress):
    validated = check_requests(changed(requests, lambda features: features.pop("stock")), against, progress)
    assert told(validated) == {("stock", "missing", "warn")}


def test_lines_that_are_no_requests_are_told_by_their_reasons(requests, against, progress):
    lines = [json.dumps(request).encode() for request in requests]
    wrong = json.dumps(requests[0] | {"documents": [{"id": "a", "features": {"colour": "red"}}]}).encode()
    few = validate_requests([*lines, b"", b"{", wrong], "r.jsonl", against, progress)
    assert told(few) == set(), "2 of 402 are fewer than 1%"
    validated = validate_requests([*lines, b"{", *[wrong] * 9], "r.jsonl", against, progress)
    (anomaly,) = validated.anomalies
    assert validated.fails
    assert anomaly.message.startswith(
        f"r.jsonl: 10 of {len(lines) + 10} requests cannot be used, more than 1%: 9 x documents[].features: unknown "
        "key 'colour'; known here: "
    )
    assert anomaly.message.endswith(f"; 1 x not valid JSON (first in line {len(lines) + 1})")


def test_the_same_fault_of_many_values_is_one_reason(requests, against, progress):
    wrong = [
        json.dumps(requests[0] | {"documents": [{"id": "a", "features": {"price": f"EUR {i}"}}]}).encode()
        for i in range(30)
    ]
    (anomaly,) = validate_requests([json.dumps(requests[0]).encode(), *wrong], "r", against, progress).anomalies[:1]
    assert "30 x documents[].features.price: expected a finite float32 number (first in line 2: got " in anomaly.message
    assert "EUR 29" not in anomaly.message


def test_no_request_at_all_is_an_error(against, progress):
    with pytest.raises(DataError, match=r"^r: no list to check; set aside: 1 x not valid JSON \(first in line 1\)$"):
        validate_requests([b"nothing"], "r", against, progress)


# --- sources ---------------------------------------------------------------------------------------------------------


def test_the_sources_of_the_dataset_are_in_order(stores, against, progress):
    validated = validate_source(stores[0], "ranker.yaml", against, progress, None)
    assert told(validated) == set()
    assert [given.lists for given in validated.given] == [400]


def test_a_store_with_other_brands_is_found_out(stores, against, progress):
    validated = validate_source(stores[1], "new.yaml", against, progress, None)
    assert told(validated) == {("brand", "drift", "warn"), ("brand", "unseen", "warn")}
    assert "new.yaml" in validated.page


def test_the_limits_are_those_of_the_spec(stores, against, progress):
    content = stores[1].model_dump() | {"validation": {"drift": {"action": "fail"}, "unseen": {"action": "ignore"}}}
    spec = stores[1].model_copy(update={"validation": Spec.model_validate(content).validation})
    assert told(validate_source(spec, "new.yaml", against, progress, None)) == {("brand", "drift", "fail")}


def test_columns_that_are_not_there_or_of_another_type_fail(stores, against, progress):
    features = stores[0].features.model_dump()
    features["document"] = [feature for feature in features["document"] if feature["name"] != "stock"]
    features["document"] = [f | ({"multivalued": True} if f["name"] == "brand" else {}) for f in features["document"]]
    features["match"] = features["listwise"] = features["crosses"] = features["computed"] = []
    content = stores[0].model_dump() | {
        "features": features,
        "models": [{"name": "net", "kind": "self_attention"}],
        "blend": {"members": ["net"]},
        "evaluation": {},
    }
    spec = Spec.model_validate(content)
    spec._base = stores[0]._base
    validated = validate_source(spec, "ranker.yaml", against, progress, None)
    assert told(validated) == {("stock", "type", "fail"), ("brand", "type", "fail")}
    assert validated.fails


@pytest.fixture
def edited(place, against, tmp_path):
    """`edited(old, new)` is the dataset with a part of its schema.pbtxt replaced, after the line of a column's name."""

    def edit(column, old, new):
        copy = shutil.copytree(against.path, tmp_path / "edited")
        before, name, after = (copy / "schema.pbtxt").read_text().partition(f'name: "{column}"\n')
        assert old in after
        (copy / "schema.pbtxt").write_text(before + name + after.replace(old, new, 1))
        return Dataset(copy)

    return edit


def test_the_types_of_the_schema_count(edited, stores, against, requests, progress):
    dataset = edited("stock", "type: FLOAT", "type: INT")
    for validated in (
        validate_source(stores[0], "ranker.yaml", dataset, progress, None),
        check_requests(requests, dataset, progress),
        validate_dataset(against, "dataset", dataset),
    ):
        assert told(validated) == {("stock", "type", "fail")}
        assert "column 'stock' has the type FLOAT; expected INT, in schema.pbtxt" in validated.anomalies[0].message
        assert validated.fails


def test_the_presence_of_the_schema_counts(requests, against, progress):
    """Stock is always there in training lists: every twelfth document without it is no chance."""
    count = iter(range(10**6))

    def some(features):
        if not next(count) % 12:
            features.pop("stock")

    validated = check_requests(changed(requests, some), against, progress)
    assert told(validated) == {("stock", "missing", "warn")}
    assert "schema.pbtxt says that 100.00% are there" in validated.anomalies[0].message
    with_nothing_left = check_requests(changed(requests[:5], some), against, progress)
    assert told(with_nothing_left) == set(), "of few lists it may be chance"


def test_impressions_count_as_their_queries(tmp_path, bare_dataset, progress):
    store = make_store(tmp_path, queries=60, impressions=300)
    clicks = {"queries": str(store.queries), "documents": str(store.products), "impressions": str(store.clicks)}
    spec = Spec.model_validate(
        {
            "version": 1,
            "data": {"sources": [{"kind": "clicks", "timestamp": "timestamp"} | clicks]},
            "features": {"document": [{"name": "price", "kind": "numeric"}]},
            "models": [{"name": "trees", "kind": "lambdamart"}],
            "blend": {"members": ["trees"]},
        }
    )
    (given,) = validate_source(spec, "x", bare_dataset(spec, tmp_path / "dataset"), progress, None).given
    log = pd.read_parquet(store.clicks).drop_duplicates("impression_id")
    sizes = log["query_id"].value_counts()
    assert given.lists == 300
    assert given.independent_lists == pytest.approx(300**2 / (sizes**2).sum())


def test_rows_that_are_set_aside_fail(place, stores, against, progress):
    source = stores[0].data.sources[0]
    judgments = stores[0].path(source.judgments).read_text().splitlines()
    broken = [line if at % 20 else line.rpartition(",")[0] + ",many" for at, line in enumerate(judgments)]
    (place / "broken.csv").write_text("\n".join([judgments[0], *broken[1:]]) + "\n")
    sources = [source.model_copy(update={"judgments": str(place / "broken.csv")})]
    spec = stores[0].model_copy(update={"data": stores[0].data.model_copy(update={"sources": sources})})
    spec._base = stores[0]._base
    validated = validate_source(spec, "ranker.yaml", against, progress, None)
    assert ("", "rows", "fail") in told(validated)


# --- datasets --------------------------------------------------------------------------------------------------------


def test_a_dataset_against_itself_is_in_order(against):
    validated = validate_dataset(against, "dataset", against)
    assert told(validated) == set()
    assert [given.name for given in validated.given] == ["train of dataset", "valid of dataset", "test of dataset"]


def test_another_dataset_is_compared_split_by_split(stores, against, bare_dataset, tmp_path):
    other = bare_dataset(stores[1], tmp_path / "other")
    found = {anomaly.split for anomaly in validate_dataset(other, "other", against).anomalies}
    assert "train of other" in found


def test_a_dataset_without_statistics_says_what_to_do(against, tmp_path):
    (tmp_path / "manifest.json").write_text((against.path / "manifest.json").read_text())
    with pytest.raises(ArtefactError, match="make the dataset anew"):
        validate_dataset(Dataset(tmp_path), "old", against)
