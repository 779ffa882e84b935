"""Candidates by BM25 against a brute-force ranking of the collection, and against the feature of the graph."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import retrieval
from features.retrieval import retrieve
from ranker.spec import Bm25Candidates, JudgedCandidates, Spec


def make_spec(path: Path, queries: dict[str, str], documents: dict[str, tuple[str, ...]], **candidates) -> Spec:
    """Tables of texts; documents have the texts text_0, text_1, ..."""
    path.mkdir(parents=True, exist_ok=True)
    texts = [f"text_{i}" for i in range(len(next(iter(documents.values()))))]
    rows = [{"doc": name, **dict(zip(texts, given, strict=True))} for name, given in documents.items()]
    (path / "documents.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows = [{"q": name, "words": text} for name, text in queries.items()]
    (path / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (path / "judgments.csv").touch()
    tables = {"queries": "queries.jsonl", "documents": "documents.jsonl", "judgments": "judgments.csv"}
    source = {"kind": "tables", **{role: str(path / file) for role, file in tables.items()}}
    return Spec.model_validate(
        {
            "version": 1,
            "data": {
                "sources": [source],
                "query_id": "q",
                "document_id": "doc",
                "candidates": {"from": "bm25", "query": "words", "document": texts, **candidates},
            },
            "features": {
                "query": [{"name": "words", "kind": "text"}],
                "document": [{"name": text, "kind": "text"} for text in texts],
                "match": [{"kind": "bm25", "query": "words", "document": "text_0"}],
            },
            "models": [{"name": "net", "kind": "self_attention"}],
            "blend": {"members": ["net"]},
        }
    )


def found_in(path: Path) -> dict[str, list[tuple[str, float]]]:
    """Documents and scores per query, in the order of the rows."""
    lists = defaultdict(list)
    for row in pq.read_table(path).to_pylist():
        lists[row["query_id"]].append((row["document_id"], row["score"]))
    return dict(lists)


def check(reference, result, queries, documents, k, k1, b) -> None:
    """The rows of `result` are the k best of each query by the formula, ties by id."""
    found = found_in(result.path)
    collection = [" ".join(texts) for texts in documents.values()]
    for query_id, query in queries.items():
        scores = dict(zip(documents, reference.bm25(query, collection, collection, k1=k1, b=b), strict=True))
        matching = sorted((score for score in scores.values() if score > 0), reverse=True)
        got = found.pop(query_id, [])
        assert len(got) == min(k, len(matching))
        np.testing.assert_allclose([score for _, score in got], matching[: len(got)], rtol=1e-6)
        np.testing.assert_allclose([score for _, score in got], [scores[name] for name, _ in got], rtol=1e-6)
        assert got == sorted(got, key=lambda pair: (-pair[1], pair[0]))
        if got:  # of those as good as the last, none that is left out has an earlier id
            last, least = got[-1]
            equal = {name for name, score in scores.items() if np.float32(score) == np.float32(least)}
            assert not [name for name in equal - {name for name, _ in got} if name < last]
    assert not found


WORDS = st.lists(st.sampled_from("abcdeABÉé"), max_size=6).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(
    queries=st.lists(WORDS, min_size=1, max_size=5),
    documents=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=12),
    k=st.integers(1, 6),
    k1=st.sampled_from([0.4, 1.2, 3.0]),
    b=st.sampled_from([0.0, 0.75, 1.0]),
    chunk=st.integers(1, 13),
    order=st.randoms(use_true_random=False),
)
def test_candidates_are_the_k_best_of_the_formula(
    tmp_path_factory, reference, queries, documents, k, k1, b, chunk, order
):
    names = [f"d{i}" for i in range(len(documents))]
    order.shuffle(names)
    of_document = dict(zip(names, documents, strict=True))
    of_query = {f"q{i}": text for i, text in enumerate(queries)}
    path = tmp_path_factory.mktemp("bm25")
    spec = make_spec(path, of_query, of_document, k=k, k1=k1, b=b)
    result = retrieve(spec, path, documents_per_chunk=chunk)
    check(reference, result, of_query, of_document, k, k1, b)
    assert (result.queries, result.documents) == (len(of_query), len(of_document))
    matched = found_in(result.path)
    wordless = sum(not reference.words(text) for text in queries)
    assert (result.wordless, result.unmatched) == (wordless, len(queries) - wordless - len(matched))
    assert result.pairs == sum(map(len, matched.values()))


@pytest.fixture(scope="module")
def larger() -> tuple[dict[str, str], dict[str, tuple[str]]]:
    """150 queries and 3,000 documents of words by Zipf's law, one in three a copy, with Unicode ids."""
    draw = np.random.default_rng(3)

    def text(words: int) -> str:
        return " ".join(f"w{min(int(n), 500)}" for n in draw.zipf(1.4, words))

    documents = {f"d{i}é{i % 7}": (text(int(draw.integers(12))),) for i in range(2000)}
    texts = list(documents.values())
    documents |= {f"copy{i}": texts[i] for i in range(1000)}
    return {f"q{i}": text(int(draw.integers(6))) for i in range(150)}, documents


@pytest.mark.parametrize(("k", "chunk"), [(100, 20_000), (100, 700), (3, 50), (5000, 256)])
def test_of_many_documents(tmp_path, reference, larger, k, chunk):
    queries, documents = larger
    result = retrieve(make_spec(tmp_path, queries, documents, k=k), tmp_path, documents_per_chunk=chunk)
    some = {name: queries[name] for name in list(queries)[::15]}
    pairs = pq.read_table(result.path, filters=[("query_id", "in", list(some))])
    pq.write_table(pairs, tmp_path / "some.parquet")
    check(reference, retrieval.Retrieved(tmp_path / "some.parquet", 0, 0, 0, 0, 0), some, documents, k, 1.2, 0.75)


def test_the_file_does_not_depend_on_chunks_blocks_and_batches(tmp_path, larger, monkeypatch):
    queries, documents = larger
    spec = make_spec(tmp_path, queries, documents, k=20)
    whole = retrieve(spec, tmp_path)
    tables = [pq.read_table(whole.path)]
    monkeypatch.setattr(retrieval, "_HELD", 0)
    for chunk, block, cells, size in ((50, 64, 1 << 20, 1 << 20), (900, 7, 20 * 11, 1 << 20), (3000, 1, 1, 1000)):
        monkeypatch.setattr(retrieval, "_QUERIES_PER_BLOCK", block)
        monkeypatch.setattr(retrieval, "_CELLS", cells)
        monkeypatch.setattr(retrieval, "_BYTES_PER_CHUNK", size)
        again = retrieve(spec, tmp_path, documents_per_chunk=chunk)
        tables.append(pq.read_table(again.path))
        assert again == retrieval.Retrieved(
            again.path, whole.queries, whole.documents, whole.pairs, whole.wordless, whole.unmatched
        )
    assert tables[0].schema.names == ["query_id", "document_id", "score"]
    assert all(table.equals(tables[0]) for table in tables[1:])


def test_chunks_are_bounded_in_documents_and_bytes(tmp_path, larger, monkeypatch):
    queries, documents = larger
    spec = make_spec(tmp_path, queries, documents, k=20)
    sizes = []
    add = retrieval._add_chunk

    def watch(best, batch, chunk, weights):
        sizes.append((chunk.num_rows, chunk.nbytes))
        add(best, batch, chunk, weights)

    monkeypatch.setattr(retrieval, "_add_chunk", watch)
    retrieve(spec, tmp_path, documents_per_chunk=1000)
    assert [rows for rows, _ in sizes] == [1000, 1000, 1000]
    sizes.clear()
    retrieve(spec, tmp_path)
    assert [rows for rows, _ in sizes] == [3000]


def test_pairs_that_are_held_are_bounded(tmp_path, larger, monkeypatch):
    """By twice what is wanted of a batch of queries, however many documents there are."""
    queries, documents = larger
    held = []
    add = retrieval._add_chunk

    def watch(best, *arguments):
        add(best, *arguments)
        held.append(best._rows)

    monkeypatch.setattr(retrieval, "_add_chunk", watch)
    monkeypatch.setattr(retrieval, "_HELD", 0)
    retrieve(make_spec(tmp_path, queries, documents, k=20), tmp_path, documents_per_chunk=50)
    assert len(held) == 60
    assert 150 * 20 / 2 < max(held) <= 2 * 150 * 20


def test_the_graph_gives_the_same_scores(kinds, tmp_path):
    """Of each document that was judged, candidate or not."""
    candidates = Bm25Candidates.model_validate({"from": "bm25", "k": 60, "query": "query", "document": ["title"]})
    spec = kinds.spec.model_copy(update={"data": kinds.spec.data.model_copy(update={"candidates": candidates})})
    found = found_in(retrieve(spec, tmp_path).path)
    seen = 0
    for query_id, judged in kinds.tables.lists.items():
        scores = dict(found.get(query_id, []))
        got = [scores.get(document, 0) for document, _ in judged]
        np.testing.assert_allclose(got, kinds.dense(query_id, "bm25_query_title"), rtol=1e-5, atol=1e-5)
        seen += np.count_nonzero(got)
    assert seen > 50


def test_several_texts_are_one(tmp_path):
    """Words of either count; lengths and frequencies are those of both together."""
    documents = {"a": ("oak", "table"), "b": ("oak table", ""), "c": ("", "oak"), "d": ("pine", "chair oak")}
    found = found_in(retrieve(make_spec(tmp_path, {"q": "Oak, table"}, documents), tmp_path).path)
    assert [name for name, _ in found["q"]] == ["a", "b", "c", "d"]
    assert found["q"][0][1] == found["q"][1][1] > found["q"][2][1]


def test_queries_without_text_or_match_have_no_candidates(tmp_path):
    """A missing text is one without words."""
    spec = make_spec(tmp_path, {"none": None, "marks": "?!", "absent": "birch", "oak": "oak"}, {"d": ("an oak",)})
    result = retrieve(spec, tmp_path)
    assert found_in(result.path).keys() == {"oak"}
    assert (result.queries, result.pairs, result.wordless, result.unmatched) == (4, 1, 2, 1)


@pytest.mark.parametrize(("query", "text"), [("", "oak"), ("oak", "")], ids=["no query word", "no document word"])
def test_nothing_to_compare(tmp_path, query, text):
    result = retrieve(make_spec(tmp_path, {"q": query}, {"d": (text,)}), tmp_path)
    assert pq.read_table(result.path).num_rows == result.pairs == 0


def test_rows_that_cannot_be_used_are_passed_over(tmp_path):
    """As in the join: the second row of an id is not in the collection, one without an id neither."""
    spec = make_spec(tmp_path, {"q": "oak"}, {"d": ("oak",), "": ("oak",)})
    with (tmp_path / "documents.jsonl").open("a") as file:
        file.write('{"doc": "d", "text_0": "oak oak oak"}\n')
    with (tmp_path / "queries.jsonl").open("a") as file:
        file.write('{"q": "q", "words": "pine"}\n')
    result = retrieve(spec, tmp_path)
    assert (result.queries, result.documents) == (1, 1)
    assert [name for name, _ in found_in(result.path)["q"]] == ["d"]


def test_progress_and_what_is_left_on_disk(tmp_path, larger):
    queries, documents = larger
    read, scored = [], []
    spec = make_spec(tmp_path / "tables", queries, documents, k=20)
    (tmp_path / "temporary").mkdir()
    result = retrieve(
        spec,
        tmp_path / "temporary",
        read.append,
        lambda done, total: scored.append((done, total)),
        documents_per_chunk=1000,
    )
    assert read[-1] == 3000
    assert scored == [(1000, 3000), (2000, 3000), (3000, 3000)]
    assert [path for path in (tmp_path / "temporary").rglob("*") if path.is_file()] == [result.path]


def test_other_candidates_are_refused(tmp_path):
    spec = make_spec(tmp_path, {"q": "oak"}, {"d": ("oak",)})
    judged = spec.model_copy(update={"data": spec.data.model_copy(update={"candidates": JudgedCandidates()})})
    with pytest.raises(TypeError, match="expected candidates from bm25, got judgments"):
        retrieve(judged, tmp_path)
