"""The scorer that everyone uses: damaged bundles, threads, lengths."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from ranker.bundle import BLEND, GOLDEN, TOLERANCE, Scorer, close, processor, verify
from ranker.data.artefacts import ArtefactError
from ranker.data.elwc.records import read_raw
from ranker.data.requests import RankRequest, parse_request


@pytest.fixture(scope="module")
def scorer(bundle: Path):
    with Scorer(bundle) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def requests(dataset) -> list[RankRequest]:
    return [judged.request for judged in read_raw(dataset.raw("test"), dataset.columns)]


def joined(requests: list[RankRequest], length: int) -> RankRequest:
    """One list of `length` documents, the first query's, from the documents of all."""
    tensors = dict(requests[0].tensors)
    for name, values in tensors.items():
        if values.ndim == 2:
            tensors[name] = np.concatenate([r.tensors[name] for r in requests], axis=1)[:, :length]
    return RankRequest("", [str(i) for i in range(length)], tensors)


# --- damaged bundles --------------------------------------------------------------------------------------------------


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def overwrite(file: Path) -> None:
    file.write_bytes(b"\x00" * file.stat().st_size)


PB, DATA, INDEX = (
    f"saved_model/{name}"
    for name in ("saved_model.pb", "variables/variables.data-00000-of-00001", "variables/variables.index")
)
# TensorFlow says ValueError for this one, and `Scorer` lets it through.


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("manifest.json", Path.unlink, "no bundle here .*No such file.*ranker train"),
        ("manifest.json", truncate, "not valid JSON.*ranker train"),
        (PB, Path.unlink, "the SavedModel does not load: .*saved_model.pb"),
        (PB, truncate, "the SavedModel does not load: .*Cannot parse"),
        (PB, lambda file: file.write_bytes(b""), "the SavedModel does not load: .*MetaGraphDef"),
        (DATA, Path.unlink, "the SavedModel does not load: .*variables.data"),
        (DATA, truncate, "the SavedModel does not load"),
        (DATA, overwrite, "(?si)the SavedModel does not load: .*Checksum"),
        (INDEX, Path.unlink, "the SavedModel does not load"),
        ("saved_model/assets/vocabulary_brand", Path.unlink, "(?s)the SavedModel does not load: .*vocabulary_brand"),
    ],
)
def test_a_damaged_bundle_is_refused(bundle, tmp_path, name, damage, message):
    copied = shutil.copytree(bundle, tmp_path / "bundle")
    damage(copied / name)
    with pytest.raises(ArtefactError, match=message) as caught:
        Scorer(copied)
    assert str(copied) in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "dataset"}, "expected a bundle, found 'dataset'"),
        ({"format_version": 99}, "format_version 99 is newer"),
    ],
)
def test_another_artefact_is_refused(bundle, tmp_path, change, message):
    manifest = json.loads((bundle / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | change))
    with pytest.raises(ArtefactError, match=message):
        Scorer(tmp_path)


# --- the canonical call -----------------------------------------------------------------------------------------------


def test_scores_are_one_float_per_document(scorer, requests):
    scores = scorer.score(requests[0])
    assert (scores.shape, scores.dtype) == ((len(requests[0].document_ids),), np.float32)
    assert np.isfinite(scores).all()
    assert len(set(scores.tolist())) > 1


def test_all_signatures_give_the_same_blend(scorer, requests):
    for request in requests[:5]:
        members = scorer.score_members(request)
        assert list(members) == scorer.models == ["net", "trees", "bm25", BLEND]
        assert members[BLEND].tobytes() == scorer.score(request).tobytes()


def test_four_threads_get_the_floats_of_one(scorer, requests):
    expected = [scorer.score(request).tobytes() for request in requests]
    with ThreadPoolExecutor(4) as pool:
        got = [list(pool.map(lambda r: scorer.score(r).tobytes(), requests)) for _ in range(3)]
        mixed = list(pool.map(lambda at: scorer.score(requests[at % len(requests)]).tobytes(), range(200)))
    assert got == [expected] * 3
    assert mixed == [expected[at % len(requests)] for at in range(200)]


@pytest.mark.parametrize("length", [1, 15, 16, 17, 31, 32, 33, 64, 65, 1000])
def test_lists_of_any_length(scorer, requests, length):
    """Trees and single features see one document at a time: their scores do not depend on the list's length."""
    request = joined(requests, length)
    scores = scorer.score_members(request)
    assert all(values.shape == (length,) and np.isfinite(values).all() for values in scores.values())
    whole = scorer.score_members(joined(requests, 1000))
    for name in ("trees", "bm25"):
        assert scores[name].tobytes() == whole[name][:length].tobytes()


def test_loading_twice_gives_the_same_floats(bundle, scorer, requests):
    with Scorer(bundle) as other:
        assert other.score(requests[0]).tobytes() == scorer.score(requests[0]).tobytes()


def test_inputs_of_a_signature(scorer):
    inputs = scorer.inputs("serving_default")
    assert inputs == scorer.inputs("members")
    assert inputs == {
        **dict.fromkeys(("query", "segment", "title", "description", "brand"), tf.string),
        **dict.fromkeys(("price", "stock"), tf.float32),
        "mask": tf.bool,
    }
    with pytest.raises(KeyError):
        scorer.inputs("nothing")


def test_the_fast_callable_is_there(scorer):
    """Private in TensorFlow: without it `Scorer` falls back to `make_callable`, at eight times the overhead."""
    assert hasattr(scorer._session, "_make_callable_from_options")


def test_a_closed_scorer_does_not_score(bundle, requests):
    scorer = Scorer(bundle)
    scorer.close()
    with pytest.raises(tf.errors.CancelledError, match="closed"):
        scorer.score(requests[0])


# --- verify -----------------------------------------------------------------------------------------------------------


def edit_manifest(bundle: Path, **changes) -> None:
    file = bundle / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def shift_a_golden_score(bundle: Path, by: float) -> None:
    lines = (bundle / GOLDEN).read_text().splitlines()
    golden = json.loads(lines[0])
    golden["scores"][BLEND][0] += by
    (bundle / GOLDEN).write_text("\n".join([json.dumps(golden), *lines[1:]]))


@pytest.mark.parametrize(("shift", "holds"), [(0.2 * TOLERANCE, True), (3 * TOLERANCE, False)])
def test_on_another_processor_scores_are_within_the_tolerance(bundle, tmp_path, shift, holds):
    copied = shutil.copytree(bundle, tmp_path / "bundle")
    edit_manifest(copied, processor="another")
    # The tolerance is relative above 1.
    largest = max(1.0, abs(json.loads((copied / GOLDEN).read_text().splitlines()[0])["scores"][BLEND][0]))
    shift_a_golden_score(copied, shift * largest)
    if holds:
        assert verify(copied) == 20
    else:
        with pytest.raises(ArtefactError, match="golden request"):
            verify(copied)


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_text("")], ids=["missing", "empty"])
def test_a_bundle_without_golden_requests_is_refused(bundle, tmp_path, damage):
    copied = shutil.copytree(bundle, tmp_path / "bundle")
    damage(copied / GOLDEN)
    with pytest.raises(ArtefactError, match="make the bundle anew with `ranker train`"):
        verify(copied)


@pytest.mark.parametrize(
    ("score", "expected", "is_close"),
    [
        (0, 0.9e-5, True),
        (0, 1.1e-5, False),
        (100, 100.0009, True),
        (100, 100.0011, False),
        (np.nan, 0, False),
        (0, np.nan, False),
    ],
)
def test_close(score, expected, is_close):
    assert close(np.array([1.0, score]), np.array([1.0, expected])) == is_close


def test_the_processor_has_a_name(bundle):
    assert processor()
    assert json.loads((bundle / "manifest.json").read_text())["processor"] == processor()


def test_a_line_separator_inside_a_text_ends_no_golden_request(bundle, tmp_path):
    copied = shutil.copytree(bundle, tmp_path / "bundle")
    with Scorer(copied) as scorer:
        request = {
            "query": {"query": "oak\u2028table\x85"},
            "documents": [{"id": "a", "features": {"title": "oak\u2029"}}],
        }
        scores = scorer.score_members(parse_request(request, scorer.columns))
    line = {"request": request, "scores": {name: values.tolist() for name, values in scores.items()}}
    (copied / "golden.jsonl").write_text(json.dumps(line, ensure_ascii=False) + "\n")
    assert verify(copied) == 1


def test_golden_requests_that_are_none_are_refused(bundle, tmp_path):
    copied = shutil.copytree(bundle, tmp_path / "bundle")
    (copied / "golden.jsonl").write_text('{"request": ')
    with pytest.raises(ArtefactError, match=r"not golden requests .*ranker train"):
        verify(copied)
