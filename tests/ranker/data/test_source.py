"""Sources as the pipeline reads them: LETOR files here; tables are tested by `prepare` on them."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from ranker.data.columns import list_schema, raw_columns
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import open_source, source_files
from ranker.data.split import splits_of
from ranker.errors import RankerError
from ranker.spec import Spec, load_spec

SPEC = {
    "version": 1,
    "data": {"sources": [{"kind": "letor", "train": "train.txt", "test": "test.txt"}], "split": {"valid": 0.3}},
    "models": [
        {"name": "trees", "kind": "lambdamart"},
        {"name": "one", "kind": "single_feature", "feature": "features_2"},
    ],
    "blend": {"members": ["trees"]},
}


@pytest.fixture
def letor(tmp_path):
    """`letor(train=..., test=..., source=...)` is a spec beside files with these lines."""

    def spec(train: list[str], test: list[str], **source: str) -> Spec:
        (tmp_path / "train.txt").write_text("\n".join(train) + "\n")
        (tmp_path / "test.txt").write_text("\n".join(test) + "\n")
        content = SPEC | {"data": SPEC["data"] | {"sources": [SPEC["data"]["sources"][0] | source]}}
        (tmp_path / "ranker.yaml").write_text(yaml.safe_dump(content))
        return load_spec(tmp_path / "ranker.yaml")

    return spec


def read(spec: Spec, tmp_path, lists_per_batch: int = 64):
    """Per split {query: [(document, label, features)]}, the opened source, and what was set aside."""
    found: dict[str, dict] = {}
    with RejectedRows(tmp_path / "rejected.jsonl") as rejected:
        source = open_source(spec, tmp_path, rejected, lambda rows: None)
        schema = list_schema(raw_columns(source.spec))
        for shard in source.shards:
            for part in source.read(shard, lists_per_batch, rejected):
                assert part.lists.schema.names == schema.names
                assert part.lists.num_rows <= lists_per_batch
                for row in part.lists.to_pylist():
                    documents = zip(row["document_id"], row["label"], row["features"], strict=True)
                    assert row["query_id"] not in found.setdefault(part.split, {})
                    found[part.split][row["query_id"]] = list(documents)
    return found, source, [(row.line, row.reason) for row in rejected]


def lines(queries: range, documents: int = 3) -> list[str]:
    return [f"{d % 2} qid:{q} 1:{q} 3:{d}.5 # docid = D{d}" for q in queries for d in range(documents)]


@pytest.mark.parametrize("lists_per_batch", [1, 3, 1000])
def test_lists_are_those_of_the_files(letor, tmp_path, lists_per_batch):
    found, source, rejected = read(letor(lines(range(20)), lines(range(50, 55), 2)), tmp_path, lists_per_batch)
    assert rejected == []
    assert source.spec.features.dense_names == ["features_1", "features_2", "features_3"]
    assert found["test"] == {str(q): [("D0", 0.0, [q, 0.0, 0.5]), ("D1", 1.0, [q, 0.0, 1.5])] for q in range(50, 55)}
    assert found["train"].keys() | found["valid"].keys() == {str(q) for q in range(20)}


def test_without_a_validation_file_a_share_of_the_training_lists_is_taken(letor, tmp_path):
    spec = letor(lines(range(200), 1), lines(range(900, 902)))
    found, _, _ = read(spec, tmp_path)
    names = [str(q) for q in range(200)]
    splits = splits_of(names, spec.data.split.model_copy(update={"test": 0.0}))
    assert found["valid"].keys() == set(np.array(names)[splits == "valid"])
    assert 40 <= len(found["valid"]) <= 80
    assert found["test"].keys() == {"900", "901"}


def test_a_validation_file_is_taken_as_it_is(letor, tmp_path):
    (tmp_path / "valid.txt").write_text("\n".join(lines(range(70, 80))))
    letor(lines(range(20)), lines(range(50, 52)))
    changes = ["data.sources.0.valid=valid.txt", "data.split.valid=0.1"]
    found, _, _ = read(load_spec(tmp_path / "ranker.yaml", changes), tmp_path)
    assert [len(found[split]) for split in ("train", "valid", "test")] == [20, 10, 2]


def test_rows_that_cannot_be_used_are_set_aside_with_their_line(letor, tmp_path):
    train = [*lines(range(5)), "1 qid:4 1:nan", "x qid:4 1:2", "1 qid:4 1:3 # docid = D1"]
    found, _, rejected = read(letor(train, lines(range(50, 52))), tmp_path)
    assert sorted(rejected) == [
        (16, "NaN feature"),
        (17, "unparsable line"),
        (18, "duplicate (query, document) pair"),
    ]
    assert sum(len(found[split]) for split in ("train", "valid")) == 5


def test_rows_set_aside_are_of_the_split_of_their_file_whatever_its_name(letor, tmp_path):
    spec = letor([], [])
    for split, bad in (("train", ["x qid:4 1:2"]), ("test", ["1 qid:4 1:nan", "1 qid:50 1:3 # docid = D1"])):
        (tmp_path / split).mkdir()
        sound = lines(range(5)) if split == "train" else lines(range(50, 52))
        (tmp_path / split / "part.txt").write_text("\n".join([*sound, *bad]) + "\n")
    spec = load_spec(tmp_path / "ranker.yaml", [f"data.sources.0.{of}={of}/part.txt" for of in ("train", "test")])
    with RejectedRows(tmp_path / "rejected.jsonl") as rejected:
        source = open_source(spec, tmp_path, rejected, lambda rows: None)
        for shard in source.shards:
            assert list(source.read(shard, 8, rejected))
    assert rejected.by_split == {
        "train": {"unparsable line": 1},
        "test": {"NaN feature": 1, "duplicate (query, document) pair": 1},
    }
    assert {row.file for row in rejected} == {"train/part.txt", "test/part.txt"}


def test_nan_is_kept_where_it_means_missing(letor, tmp_path):
    found, _, rejected = read(
        letor(["0 qid:1 1:nan 2:1", *lines(range(2, 9))], lines(range(50, 52)), missing="nan"), tmp_path
    )
    assert rejected == []
    first = (found.get("train", {}) | found.get("valid", {}))["1"][0][2]
    assert np.isnan(first[0])
    assert first[1:] == [1.0, 0.0]


def test_a_query_whose_documents_do_not_follow_one_another_is_put_together(letor, tmp_path):
    together = lines(range(30))
    apart = [together[at] for at in np.random.default_rng(3).permutation(len(together))]
    (tmp_path / "a").mkdir()
    expected, _, _ = read(letor(together, lines(range(50, 52))), tmp_path / "a")
    found, _, rejected = read(letor([*apart, apart[0]], lines(range(50, 52))), tmp_path)
    assert rejected == [(91, "duplicate (query, document) pair")]
    for split in ("train", "valid"):
        assert {q: sorted(d) for q, d in found[split].items()} == {q: sorted(d) for q, d in expected[split].items()}


@pytest.mark.parametrize("comment", [True, False])
def test_a_query_that_comes_back_keeps_all_its_documents(letor, tmp_path, comment):
    """Without ids of their own, documents are told apart by their lines: the place in a run of lines is there twice."""
    tail = " # docid = D{}" if comment else ""
    apart = [f"{d % 2} qid:{q} 1:{q} 3:{d}.5" + tail.format(d) for d in range(3) for q in range(30)]
    found, _, rejected = read(letor(apart, lines(range(50, 52))), tmp_path)
    assert rejected == []
    for split in ("train", "valid"):
        for query, documents in found[split].items():
            assert [features for _, _, features in documents] == [[float(query), 0.0, d + 0.5] for d in range(3)]


def test_a_width_that_the_files_do_not_have_is_refused(letor, tmp_path):
    spec = letor(lines(range(9)), lines(range(50, 52))).with_vector(7, 1)
    with pytest.raises(RankerError, match=r"expected 3, the number of features in the files, .* got 7"):
        read(spec, tmp_path)


def test_lists_of_group_files_have_names_of_their_own_in_each_split(letor, tmp_path):
    spec = letor(["0 1:1", "1 1:2", "0 1:3"], ["1 1:4", "0 1:5"])
    (tmp_path / "train.txt.query").write_text("2\n1\n")
    (tmp_path / "test.txt.query").write_text("2\n")
    found, _, _ = read(spec, tmp_path)
    assert found["train"].keys() | found.get("valid", {}).keys() == {"train-0", "train-1"}
    assert found["test"].keys() == {"test-0"}
    assert [path.name for path in source_files(spec)["train"]] == ["train.txt", "train.txt.query"]


def test_a_file_without_a_valid_line_is_refused(letor, tmp_path):
    with pytest.raises(RankerError, match=r"test\.txt: no valid .* line with a feature"):
        read(letor(lines(range(3)), ["nothing to see"]), tmp_path)


def test_the_files_are_named_by_their_split(letor, tmp_path):
    assert source_files(letor(lines(range(3)), lines(range(3)))) == {
        "train": [tmp_path / "train.txt"],
        "test": [tmp_path / "test.txt"],
    }


@pytest.mark.parametrize(
    ("override", "named"),
    [("data.query_id=q", "query_id"), ("data.label=grade", "label"), ("data.split.test=0.3", "split.test")],
)
def test_options_of_other_sources_are_refused(letor, tmp_path, override, named):
    letor(lines(range(3)), lines(range(3)))
    with pytest.raises(RankerError, match=f"{named}: no effect with a letor source"):
        load_spec(tmp_path / "ranker.yaml", [override])


def test_a_share_for_validation_is_refused_where_there_is_a_file(letor):
    with pytest.raises(RankerError, match=r"split\.valid: no effect with a letor source"):
        letor(lines(range(3)), lines(range(3)), valid="valid.txt")
