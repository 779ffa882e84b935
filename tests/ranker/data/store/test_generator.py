"""The made-up store: its files, its stated truth, and how hard it is to rank."""

import csv
import json
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import ndcg_score

from ranker.data.store.generator import StoreFiles, make_store

Array = NDArray[np.float64]
SEEDS = (7, 11)
QUERIES, DOCUMENTS = 600, 30
GRADE_LIMITS = [0.6, 1.7, 2.8, 3.9]
NOISE = 0.4
TASTE = {"bargain": -1.5, "regular": -0.4, "premium": 1.2}


@dataclass(frozen=True)
class Store:
    """The files as read. Lists are rows: `documents` are ids [queries][documents], arrays are [queries, documents]."""

    files: StoreFiles
    products: dict[str, dict[str, Any]]
    queries: list[dict[str, Any]]
    documents: list[list[str]]
    label: Array
    utility: Array

    def column(self, name: str) -> list[list[Any]]:
        return [[self.products[document][name] for document in documents] for documents in self.documents]

    def price(self) -> Array:
        return np.array(self.column("price"), dtype=np.float64)


def read(files: StoreFiles) -> Store:
    products, queries, truth = (
        [json.loads(line) for line in path.read_text().splitlines()]
        for path in (files.products, files.queries, files.truth)
    )
    with files.judgments.open() as file:
        judgments = list(csv.DictReader(file))
    size = len(judgments) // len(queries)
    pairs = [(row["query_id"], row["document_id"]) for row in judgments]
    assert pairs == [(row["query_id"], row["document_id"]) for row in truth]
    assert [query for query, _ in pairs] == [row["query_id"] for row in queries for _ in range(size)]
    return Store(
        files=files,
        products={row["document_id"]: row for row in products},
        queries=queries,
        documents=[[document for _, document in pairs[at : at + size]] for at in range(0, len(pairs), size)],
        label=np.array([int(row["label"]) for row in judgments], dtype=np.float64).reshape(-1, size),
        utility=np.array([row["utility"] for row in truth]).reshape(-1, size),
    )


@pytest.fixture(scope="module", params=SEEDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    out = tmp_path_factory.mktemp("store")
    return read(make_store(out, queries=QUERIES, documents_per_query=DOCUMENTS, seed=request.param))


# -- references, written apart from the module ------------------------------------------------------------------------


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def bm25(store: Store, field: str, k1: float = 1.2, b: float = 0.75) -> Array:
    counts = {document: Counter(words_of(product[field])) for document, product in store.products.items()}
    frequency = Counter(word for count in counts.values() for word in count)
    mean_length = sum(count.total() for count in counts.values()) / len(counts)

    def score(query: list[str], document: str) -> float:
        count, total = counts[document], 0.0
        norm = k1 * (1 - b + b * count.total() / mean_length)
        for word in set(query):
            idf = math.log(1 + (len(counts) - frequency[word] + 0.5) / (frequency[word] + 0.5))
            total += idf * count[word] * (k1 + 1) / (count[word] + norm)
        return total

    return for_each_pair(store, score)


def overlap(store: Store, *fields: str) -> Array:
    """The share of the query's words that are in any of the fields."""
    words = {
        document: {word for field in fields for word in words_of(product[field])}
        for document, product in store.products.items()
    }
    return for_each_pair(store, lambda query, document: len(set(query) & words[document]) / len(query))


def for_each_pair(store: Store, score: Callable[[list[str], str], float]) -> Array:
    texts = [words_of(row["query"]) for row in store.queries]
    return np.array(
        [
            [score(query, document) for document in documents]
            for query, documents in zip(texts, store.documents, strict=True)
        ]
    )


def price_place(price: Array) -> Array:
    """-1 for the cheapest of the list, 1 for the dearest, 0 for a missing price."""
    place = np.zeros_like(price)
    for row, prices in enumerate(price):
        priced = prices[~np.isnan(prices)]
        for column, own in enumerate(prices):
            place[row, column] = (np.sum(priced < own) - np.sum(priced > own)) / (len(priced) - 1)
    return place


def codes(values: list[list[Any]]) -> NDArray[np.int64]:
    return np.unique(np.array(values), return_inverse=True)[1].reshape(len(values), -1)


def dominated(noun: NDArray[np.str_], price: Array, text: Array) -> NDArray[np.bool_]:
    """Whether the list has a cheaper document with the same noun that matches better."""
    found = np.zeros(price.shape, dtype=bool)
    for row in range(len(price)):
        for column in range(price.shape[1]):
            rivals = noun[row] == noun[row, column]
            rivals &= (price[row] < price[row, column]) & (text[row] > text[row, column] + 1e-9)
            found[row, column] = rivals.any()
    return found


def mean_label(code: NDArray[np.int64], label: Array) -> Array:
    """The mean label of all documents with the same code: the most that one category can tell, since it peeks."""
    return (np.bincount(code.ravel(), label.ravel()) / np.bincount(code.ravel()))[code]


def ndcg10(label: Array, score: Array) -> float:
    answered = label.max(axis=1) > 0
    return float(ndcg_score(2.0 ** label[answered] - 1.0, score[answered], k=10))


def lambdarank_ndcg10(features: Array, label: Array) -> float:
    """Train on two thirds of the queries; NDCG@10 on the last third."""
    cut = len(label) * 2 // 3
    size, width = features.shape[1:]
    train = lightgbm.Dataset(features[:cut].reshape(-1, width), label[:cut].ravel(), group=[size] * cut)
    options = {"objective": "lambdarank", "num_leaves": 15, "verbosity": -1, "num_threads": 1, "deterministic": True}
    booster = lightgbm.train(options, train, num_boost_round=100)
    score = np.asarray(booster.predict(features[cut:].reshape(-1, width)))
    return ndcg10(label[cut:], score.reshape(-1, size))


def text_features(store: Store) -> dict[str, Array]:
    return {
        "bm25 title": bm25(store, "title"),
        "bm25 description": bm25(store, "description"),
        "overlap title": overlap(store, "title"),
        "overlap description": overlap(store, "description"),
    }


def other_features(store: Store) -> dict[str, Array]:
    price = store.price()
    segment = [[row["segment"]] * store.label.shape[1] for row in store.queries]
    return {
        "price": price,
        "price place": price_place(price),
        "brand": codes(store.column("brand")).astype(float),
        "stock": np.array(store.column("stock"), dtype=float),
        "category": codes(store.column("category")).astype(float),
        "segment": codes(segment).astype(float),
    }


# -- how hard the store is to rank ------------------------------------------------------------------------------------


def test_the_truth_ranks_well_and_no_single_feature_comes_near(store: Store) -> None:
    features = text_features(store) | other_features(store)
    features["bm25 both"] = features["bm25 title"] + features["bm25 description"]
    features["price"] = np.nan_to_num(features["price"])
    for name in ("brand", "category"):
        features[name] = mean_label(codes(store.column(name)), store.label)
    features |= {f"-{name}": -features[name] for name in ("price", "price place")}
    oracle = ndcg10(store.label, store.utility)
    single = {name: ndcg10(store.label, feature) / oracle for name, feature in features.items()}
    assert oracle >= 0.9
    assert max(single.values()) <= 0.85, single


def test_ranking_needs_text_and_more_than_text(store: Store) -> None:
    text, other = text_features(store), other_features(store)
    every, without_text, only_text = (
        lambdarank_ndcg10(np.stack(list(features.values()), axis=-1), store.label)
        for features in (text | other, other, text)
    )
    assert without_text <= 0.95 * every
    assert only_text <= 0.95 * every


# -- the truth is what the docstring says -----------------------------------------------------------------------------


def test_utility_follows_its_formula_up_to_one_number_per_brand(store: Store) -> None:
    noun = np.array([[words_of(title)[-1] for title in titles] for titles in store.column("title")])
    category_of = {words_of(product["title"])[-1]: product["category"] for product in store.products.values()}
    asked = np.array([[category_of[words_of(row["query"])[-1]]] for row in store.queries])
    in_title, in_any = overlap(store, "title"), overlap(store, "title", "description")
    text = 4.0 * in_title + 1.6 * (in_any - in_title) - 3.0 * (np.array(store.column("category")) != asked)
    price, stock = store.price(), np.array(store.column("stock"))
    taste = np.array([[TASTE[row["segment"]]] for row in store.queries])
    known = text + taste * price_place(price) - 1.5 * (stock == 0) - dominated(noun, price, text)

    rest, brand = (store.utility - known).ravel(), codes(store.column("brand")).ravel()
    quality = np.array([rest[brand == code].mean() for code in range(brand.max() + 1)])
    np.testing.assert_allclose(rest, quality[brand], atol=1.1e-4)  # the file rounds to 1e-4
    assert len(quality) == 40
    assert 0.5 < quality.std() < 1.1  # 0.8 in expectation


def test_labels_are_grades_of_the_utility_with_small_noise(store: Store) -> None:
    lowest, highest = np.array([-np.inf, *GRADE_LIMITS]), np.array([*GRADE_LIMITS, np.inf])
    grade = store.label.astype(int)
    assert np.all(store.utility >= lowest[grade] - 6 * NOISE)
    assert np.all(store.utility <= highest[grade] + 6 * NOISE)
    exact = np.searchsorted(GRADE_LIMITS, store.utility, side="right")
    assert 0.75 < np.mean(exact == grade) < 0.95


def test_segments_differ_in_the_price_they_like(store: Store) -> None:
    place = price_place(store.price())
    slope = {
        segment: np.mean([np.sum(place[row] * store.label[row]) for row in rows])
        for segment in TASTE
        if (rows := [row for row, query in enumerate(store.queries) if query["segment"] == segment])
    }
    assert slope["bargain"] < slope["regular"] < 0 < slope["premium"]


# -- what is in the files ---------------------------------------------------------------------------------------------


def test_labels_are_distributed_as_in_a_store(store: Store) -> None:
    share = np.bincount(store.label.astype(int).ravel(), minlength=5) / store.label.size
    assert len(share) == 5
    assert np.all(np.diff(share) < 0)
    assert share[:2].sum() > 0.7
    assert 0.005 < share[4] < 0.05
    assert 0.01 < np.mean(store.label.max(axis=1) == 0) < 0.08


def test_lists_hold_distinct_known_documents(store: Store) -> None:
    assert store.label.shape == (QUERIES, DOCUMENTS)
    for documents in store.documents:
        assert len(set(documents)) == DOCUMENTS
        assert store.products.keys() >= set(documents)


def test_order_within_a_list_tells_nothing(store: Store) -> None:
    place = np.broadcast_to(np.arange(DOCUMENTS), store.label.shape)
    assert abs(np.corrcoef(place.ravel(), store.label.ravel())[0, 1]) < 0.03


def test_products_look_like_products(store: Store) -> None:
    products = list(store.products.values())
    assert len(products) == 2000
    assert len({product["category"] for product in products}) == 12
    assert len({product["brand"] for product in products}) == 40
    for product in products:
        assert re.fullmatch(r"p\d{6}", product["document_id"])
        assert re.fullmatch(r"([A-Z][a-z]+ )*[A-Z][a-z]+", product["title"])
        assert product["brand"] in product["description"]
        assert re.fullmatch(r"([A-Z][a-z ,:;]+[A-Za-z ,:;]*\. ?)+", product["description"])
        assert isinstance(product["stock"], int)
        assert product["stock"] >= 0
        assert product["price"] is None or product["price"] == round(product["price"], 2) > 0
    assert 0.01 < np.mean([product["price"] is None for product in products]) < 0.06
    assert 0.05 < np.mean([product["stock"] == 0 for product in products]) < 0.15


def test_queries_are_a_noun_and_one_to_three_other_words(store: Store) -> None:
    nouns = {words_of(product["title"])[-1] for product in store.products.values()}
    for row in store.queries:
        *rest, noun = row["query"].split()
        assert re.fullmatch(r"q\d{5}", row["query_id"])
        assert noun in nouns
        assert 1 <= len(rest) <= 3
        assert len({*rest, noun}) == len(rest) + 1
        assert row["segment"] in TASTE


def test_dates_are_days_before_the_first_query_and_times_are_spread_over_90_days(store: Store) -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    released = [product["released"] for product in store.products.values()]
    assert 0.005 < np.mean([day is None for day in released]) < 0.04
    ages = np.array([(start.date() - date.fromisoformat(day)).days for day in released if day is not None])
    assert ages.min() >= 1
    assert 1000 < ages.max() <= 3 * 365
    assert 450 < np.median(ages) < 650
    asked = np.array([(datetime.fromisoformat(row["asked_at"]) - start).total_seconds() for row in store.queries])
    assert 0 <= asked.min() < asked.max() < 90 * 86_400
    assert 35 < np.median(asked) / 86_400 < 55


def test_tags_are_any_number_of_distinct_words_and_go_with_categories(store: Store) -> None:
    products = list(store.products.values())
    assert all(len(set(product["tags"])) == len(product["tags"]) for product in products)
    assert {0, 1, 2, 3, 4} <= {len(product["tags"]) for product in products}
    known = sorted({tag for product in products for tag in product["tags"]})
    assert len(known) == 10
    for category in {product["category"] for product in products}:
        tags = [product["tags"] for product in products if product["category"] == category]
        shares = sorted(np.mean([tag in some for some in tags]) for tag in known)
        assert shares[6] < 0.15 < 0.2 < shares[7], "three usual ones"


# -- the function -----------------------------------------------------------------------------------------------------


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_seed_decides_every_byte(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        make_store(tmp_path / "deep" / name, queries=20, documents_per_query=10, products=100, seed=seed)
    first, again, other = (contents(tmp_path / "deep" / name) for name in "abc")
    assert list(first) == ["judgments.csv", "products.jsonl", "queries.jsonl", "truth.jsonl"]
    assert first == again
    assert all(first[name] != other[name] for name in first)


def test_the_files_are_where_it_says(tmp_path: Path) -> None:
    files = make_store(tmp_path, queries=1, documents_per_query=1, products=1)
    assert files.products.read_text().count("\n") == files.queries.read_text().count("\n") == 1
    assert files.judgments.read_text().startswith("query_id,document_id,label\nq00000,p000000,")
    assert files.truth.read_text().startswith('{"query_id": "q00000", "document_id": "p000000", "utility": ')


def test_a_list_may_hold_every_product(tmp_path: Path) -> None:
    store = read(make_store(tmp_path, queries=50, documents_per_query=15, products=15))
    assert all(set(documents) == set(store.products) for documents in store.documents)


def test_a_store_that_cannot_be_written_leaves_no_half_file(tmp_path: Path) -> None:
    (tmp_path / "truth.jsonl").mkdir()
    with pytest.raises(OSError, match=r"truth\.jsonl"):
        make_store(tmp_path, queries=3)
    assert {path.name for path in tmp_path.iterdir()} == {"products.jsonl", "queries.jsonl", "truth.jsonl"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"queries": 0}, "queries: expected at least 1, got 0"),
        ({"documents_per_query": 0}, "documents_per_query: expected at least 1, got 0"),
        ({"seed": -1}, "seed: expected at least 0, got -1"),
        (
            {"documents_per_query": 30, "products": 29},
            "products: expected at least documents_per_query = 30, got 29",
        ),
    ],
)
def test_impossible_stores_are_refused(tmp_path: Path, arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_store(tmp_path / "store", **arguments)
    assert not (tmp_path / "store").exists()


def test_importing_needs_only_numpy_and_the_standard_library() -> None:
    code = (
        "import sys, numpy.random; before = set(sys.modules); import ranker.data.store.generator;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(new - sys.stdlib_module_names - {'numpy', 'ranker'}))"
    )
    root = Path(__file__).parents[4]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
