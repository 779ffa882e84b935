"""The section `data`: sources, candidates, splits and columns that fit each other."""

from __future__ import annotations

import json

import pytest

from ranker.spec import Bm25Candidates, JudgedCandidates, SampledCandidates, Spec, SplitFiles, TableCandidates

BM25 = "data.candidates={from: bm25, query: query, document: [title]}"
GIVEN = "data.sources.0.judgments={train: a.csv, test: b.csv}"


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("data.candidates={from: judgments}", JudgedCandidates()),
        (BM25, Bm25Candidates(from_="bm25", query="query", document=["title"])),
        ("data.candidates={from: table, file: t.csv, unjudged: drop}",
         TableCandidates(from_="table", file="t.csv", unjudged="drop")),
        ("data.candidates={from: sample, n: 5, test: judgments}",
         SampledCandidates(from_="sample", n=5, test="judgments")),
    ],
)  # fmt: skip
def test_candidates_survive_the_way_through_a_manifest(text, load, override, expected):
    spec = load(text, [override])
    assert spec.data.candidates == expected
    written = json.loads(json.dumps(spec.model_dump()))
    assert written["data"]["candidates"]["from"] == expected.from_
    assert Spec.model_validate(written).data == spec.data


def test_without_a_word_candidates_are_the_judged_documents(text, load):
    assert load(text).data.candidates == JudgedCandidates()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.candidates={from: bm52}"], "expected tags"),
        (["data.candidates={from: bm25, qeury: query, document: [title]}"], "unknown key; did you mean 'query'?"),
        ([BM25.replace("[title]", "[titel]")], "no text feature 'titel' under features.document; there are ['title']"),
        ([BM25.replace("query: query", "query: title")], "no text feature 'title' under features.query"),
        ([BM25.replace("[title]", "[title, title]")], "document text name used more than once: title"),
        ([BM25, "data.candidates.k=0"], "greater than or equal to 1, got 0"),
        (["data.candidates={from: table, file: t, unjudged: 1}"], "got 1"),
        (["data.split={by: time}"], "split.by: time needs data.timestamp"),
        ([GIVEN, "data.split={by: time}", "data.timestamp=at"], "split.by: no effect with a tables source"),
        ([GIVEN, "data.split={test: 0.3}"], "split.test: no effect with a tables source"),
        (["data.sources.0.judgments={train: a.csv, tets: b.csv}"], "judgments.tets: unknown key; did you mean 'test'?"),
        (["data.sources.0.judgments=7"], "data.sources.0.judgments"),
        (["data.sources=[{kind: table, file: all.csv}]", BM25], "candidates: no effect with a table source"),
        (["data.sources=[{kind: elwc, train: a, valid: b}]"], "files of validation lists without files of test lists"),
        (["data.position=shown", "features.pair=[{name: shown, kind: numeric}]"],
         "shown: the position of a document is not known before it is ranked"),
        (["data.position=shown", "features.document.1={name: position, kind: numeric}"],
         "position: the position of a document is not known"),
        (["data.label=rating", "features.pair=[{name: rating, kind: numeric}]"], "rating: the label of a document"),
        (["data.label=rating", "data.sources=[{kind: table, file: all.csv}]",
          "features.document.1={name: rating, kind: numeric}"], "rating: the label of a document"),
        (["data.label=rating", "data.split={}", "data.sources=[{kind: elwc, train: a}]",
          "features.document.1={name: v, kind: vector, columns: [a, rating]}"], "v: the label of a document"),
        (["data.sources=[{kind: clicks, queries: q.csv, documents: d.csv, impressions: i.csv, lists: query}]",
          "features.pair=[{name: clicked, kind: numeric}]"], "clicked: the click of a document"),
        (["features.document.1={name: released, kind: date}"], "date 'released' needs data.timestamp"),
        (["features.document.1={name: picture, kind: vector}"], "width is missing"),
        (["features.document.1={name: v, kind: vector, width: 2, columns: [a, b]}"], "only elwc sources"),
        (["data.sources=[{kind: table, file: all.csv}]", "features.pair=[{name: seen, kind: numeric}]"],
         "a table source has the features of pairs under document"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(text, faults, overrides, message):
    assert any(message in line for line in faults(text, overrides)), faults(text, overrides)


def test_given_files_are_the_split(text, load):
    assert load(text).data.split_files is None
    files = load(text, ["data.split={}", GIVEN]).data.split_files
    assert files == SplitFiles(train="a.csv", test="b.csv")
    assert load(text, ["data.split={}", "data.sources=[{kind: elwc, train: a}]"]).data.split_files is None


def test_a_share_of_given_training_lists_may_be_for_validation(text, load, faults):
    assert load(text, [GIVEN, "data.split={valid: 0.3}"]).data.split.valid == 0.3
    whole = "data.sources.0.judgments={train: a.csv, valid: c.csv, test: b.csv}"
    assert any("split.valid: no effect" in line for line in faults(text, [whole, "data.split={valid: 0.3}"]))


def test_a_product_may_have_a_column_called_like_the_label_of_the_judgments(text, load):
    spec = load(text, ["data.label=rating", "features.document.1={name: rating, kind: numeric}"])
    assert spec.features.document[1].name == "rating"
