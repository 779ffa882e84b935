"""The whole path at small size: what every other part has to keep true."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import grpc
import lightgbm
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from eval.evaluate import Request
from eval.evaluate import evaluate as evaluate_table
from eval.report.build import report_of
from ranker.bundle import BLEND, TOLERANCE, Scorer, verify
from ranker.data.artefacts import ArtefactError
from ranker.data.elwc.records import read_raw
from ranker.data.requests import to_request
from ranker.models.scorers.lambdamart import tree_matrix
from ranker.workflows.evaluate import evaluate, score_table
from ranker.workflows.score import score
from training.inputs import read_packed


@pytest.fixture(scope="module")
def scorer(bundle: Path):
    with Scorer(bundle) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def test_lists(dataset):
    return list(read_raw(dataset.raw("test"), dataset.columns))


@pytest.fixture(scope="module")
def table(scorer, dataset) -> pa.Table:
    return score_table(scorer, dataset)


@pytest.fixture(scope="module")
def live(bundle: Path):
    """A scorer in its own process: (gRPC address, REST base)."""
    command = [sys.executable, "-m", "ranker", "serve", str(bundle), "--grpc-port=0", "--rest-port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = [process.stdout.readline().strip() for _ in range(2)]
            assert lines[0].startswith("gRPC "), (lines, process.stderr.read() if process.poll() else "")
            yield lines[0].removeprefix("gRPC "), lines[1].removeprefix("REST ").removesuffix("/v1/models/store:rank")
        finally:
            process.terminate()
            _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in errors


def _post(url: str, body: bytes) -> tuple[int, dict]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def _put(request: predict_pb2.PredictRequest, name: str, values) -> None:
    request.inputs[name].CopyFrom(tf.make_tensor_proto(values))


# --- the export is the trained model --------------------------------------------------------------------------------


def test_trees_in_the_graph_score_as_lightgbm_does(bundle, dataset, scorer, test_lists):
    booster = lightgbm.Booster(model_file=str(bundle / "trees.lightgbm.txt"))
    packed = read_packed(dataset.packed("test"), dataset.layout, 1)
    for (features, mask, *_), judged in zip(packed, test_lists, strict=True):
        expected = booster.predict(tree_matrix(features, mask, dataset.layout).numpy())
        np.testing.assert_allclose(scorer.score_members(judged.request)["trees"], expected, rtol=1e-6, atol=1e-6)


def test_the_network_in_the_bundle_is_the_trained_one(trained, dataset, scorer, test_lists):
    """Keras on the packed examples against the SavedModel on the raw lists."""
    packed = read_packed(dataset.packed("test"), dataset.layout, 1)
    for (features, mask, *_), judged in zip(packed, test_lists, strict=True):
        expected = trained[1](features, mask)[0].numpy()
        got = scorer.score_members(judged.request)["net"]
        np.testing.assert_array_less(np.abs(got - expected), TOLERANCE * np.maximum(1, np.abs(expected)))


def test_the_golden_requests_get_the_scores_of_the_export(bundle):
    golden = [json.loads(line) for line in (bundle / "golden.jsonl").read_text().splitlines()]
    assert len(golden) == 20
    assert verify(bundle) == 20


def test_verify_sees_a_changed_score(bundle, tmp_path):
    changed = shutil.copytree(bundle, tmp_path / "bundle")
    lines = (changed / "golden.jsonl").read_text().splitlines()
    golden = json.loads(lines[3])
    golden["scores"][BLEND][1] = float(np.nextafter(np.float32(golden["scores"][BLEND][1]), np.float32(9)))
    (changed / "golden.jsonl").write_text("\n".join([*lines[:3], json.dumps(golden), *lines[4:]]))
    with pytest.raises(ArtefactError, match=f"golden request .*{BLEND}: expected"):
        verify(changed)


def test_the_bundle_is_hermetic(bundle, dataset, tmp_path, scorer, test_lists):
    """Copied elsewhere, with the dataset gone from where it was, it gives the same floats."""
    copied = shutil.copytree(bundle, tmp_path / "elsewhere")
    hidden = dataset.path.rename(tmp_path / "hidden")
    try:
        with Scorer(copied) as other:
            assert other.score(test_lists[0].request).tobytes() == scorer.score(test_lists[0].request).tobytes()
    finally:
        hidden.rename(dataset.path)


def test_other_paths_are_within_tolerance(bundle, scorer, test_lists):
    """A batch of lists, TF2's own loader, and gaps in the mask: close, and masked places come last."""
    loaded = tf.saved_model.load(str(bundle / "saved_model")).signatures["serving_default"]
    some = [judged.request for judged in test_lists[:5]]
    longest = max(len(request.document_ids) for request in some) + 3
    batch = {}
    for column in scorer.columns:
        if column.scope == "query":
            batch[column.name] = np.concatenate([r.tensors[column.name] for r in some])
            continue
        rows = np.full((len(some), longest), b"junk" if column.dtype == "string" else 7.0, batch_dtype(column))
        for row, request in zip(rows, some, strict=True):
            row[1 : 1 + len(request.document_ids)] = request.tensors[column.name][0]
        batch[column.name] = rows
    batch["mask"] = np.array([[0 < at <= len(r.document_ids) for at in range(longest)] for r in some])
    scores = loaded(**{name: tf.constant(values) for name, values in batch.items()})["scores"].numpy()
    for got, mask, request in zip(scores, batch["mask"], some, strict=True):
        expected = scorer.score(request)
        np.testing.assert_array_less(np.abs(got[mask] - expected), TOLERANCE * np.maximum(1, np.abs(expected)))
        assert (got[~mask] < expected.min()).all()


def batch_dtype(column):
    return object if column.dtype == "string" else np.float32


# --- one float everywhere -------------------------------------------------------------------------------------------


def test_score_rest_and_grpc_give_identical_floats(bundle, scorer, test_lists, live):
    grpc_address, rest = live
    columns = scorer.columns
    lines = [json.dumps(to_request(judged.request, columns)).encode() for judged in test_lists[:8]]
    answers = list(score(bundle, lines, "requests"))
    with grpc.insecure_channel(grpc_address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for line, judged, answer in zip(lines, test_lists, answers, strict=False):
            expected = scorer.score(judged.request)
            status, ranked = _post(f"{rest}/v1/models/store:rank", line)
            assert status == 200
            assert ranked["results"] == answer["results"]
            by_index = {result["index"]: np.float32(result["score"]) for result in ranked["results"]}
            assert np.array([by_index[at] for at in range(len(expected))]).tobytes() == expected.tobytes()
            request = predict_pb2.PredictRequest()
            request.model_spec.name = "store"
            for name, values in judged.request.tensors.items():
                _put(request, name, values)
            reply = stub.Predict(request, timeout=30).outputs["scores"]
            assert [d.size for d in reply.tensor_shape.dim] == [1, len(expected)]
            assert np.array(reply.float_val, np.float32).tobytes() == expected.tobytes()


def test_ranked_documents_come_by_falling_score(live, scorer, test_lists):
    request = to_request(test_lists[0].request, scorer.columns) | {"top_n": 5}
    _, ranked = _post(f"{live[1]}/v1/models/store:rank", json.dumps(request).encode())
    scores = [result["score"] for result in ranked["results"]]
    assert scores == sorted(scores, reverse=True)
    assert [result["rank"] for result in ranked["results"]] == [1, 2, 3, 4, 5]
    assert ranked["model_version"] == "1"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON Parse error"),
        (b"[1]", "request: expected an object, got list"),
        (b'{"query": {}, "documents": []}', "at least one document"),
        (b'{"documents": [{"id": "a"}, {"id": "a"}]}', "id 'a' is there twice"),
        (b'{"documents": [{"id": "a", "features": {"prize": 3}}]}', "unknown key 'prize'"),
        (b'{"documents": [{"id": "a", "features": {"price": "3"}}]}', "documents[0].features.price: expected a finite"),
        (b'{"documents": [{"id": "a"}], "top_n": 0}', "top_n: expected"),
    ],
)
def test_a_bad_request_is_refused_with_its_reason(live, body, message):
    status, answer = _post(f"{live[1]}/v1/models/store:rank", body)
    assert status == 400
    assert message in answer["error"]


def test_missing_features_take_defaults_and_are_listed(live):
    status, answer = _post(f"{live[1]}/v1/models/store:rank", b'{"documents": [{"id": "a"}, {"id": 2}]}')
    assert status == 200
    assert {"query", "price", "title"} <= set(answer["missing"])
    assert {result["id"] for result in answer["results"]} == {"a", "2"}


def test_unknown_models_and_routes(live):
    assert _post(f"{live[1]}/v1/models/other:rank", b"{}") == (
        404,
        {"error": "Servable not found for request: Latest(other)"},
    )
    status, answer = _post(f"{live[1]}/v1/nothing", b"{}")
    assert (status, "Malformed request" in answer["error"]) == (400, True)


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda r: r.ClearField("model_spec"), grpc.StatusCode.INVALID_ARGUMENT, "Missing ModelSpec"),
        (lambda r: setattr(r.model_spec, "name", ""), grpc.StatusCode.INVALID_ARGUMENT, "has no name"),
        (lambda r: setattr(r.model_spec, "name", "m"), grpc.StatusCode.NOT_FOUND, "Latest(m)"),
        (lambda r: setattr(r.model_spec.version, "value", 99), grpc.StatusCode.NOT_FOUND, "Specific(store, 99)"),
        (lambda r: setattr(r.model_spec, "version_label", "x"), grpc.StatusCode.INVALID_ARGUMENT, "label: x"),
        (lambda r: setattr(r.model_spec, "signature_name", "x"), grpc.StatusCode.FAILED_PRECONDITION, '"x" not found'),
        (lambda r: r.inputs.pop("mask"), grpc.StatusCode.INVALID_ARGUMENT, "Missing but required: {mask}"),
        (lambda r: _put(r, "mask", [[1.0]]), grpc.StatusCode.INVALID_ARGUMENT, "to be bool"),
        (lambda r: _put(r, "price", [1.0]), grpc.StatusCode.INVALID_ARGUMENT, ""),
        (lambda r: r.output_filter.append("x"), grpc.StatusCode.INVALID_ARGUMENT, "unknown output 'x'"),
    ],
)
def test_grpc_errors(live, test_lists, change, code, message):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "store"
    for name, values in test_lists[0].request.tensors.items():
        _put(request, name, values)
    change(request)
    with grpc.insecure_channel(live[0]) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.Predict(request, timeout=30)
    assert caught.value.code() == code
    assert message in caught.value.details()


def test_a_list_that_would_take_all_memory_is_refused(live, scorer):
    documents = [{"id": at} for at in range(2001)]
    status, answer = _post(f"{live[1]}/v1/models/store:rank", json.dumps({"documents": documents}).encode())
    assert (status, answer["error"][:38]) == (400, "too many documents: 1 x 2001; at most ")
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "store"
    for column in scorer.columns:
        value = "" if column.dtype == "string" else 0.0
        _put(request, column.name, [value] * 11 if column.scope == "query" else [[value] * 2000] * 11)
    _put(request, "mask", [[True] * 2000] * 11)
    with grpc.insecure_channel(live[0]) as channel, pytest.raises(grpc.RpcError) as caught:
        prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=30)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "too many documents: 11 x 2000" in caught.value.details()


def test_requests_under_way_are_answered_after_sigterm(bundle, scorer):
    command = [sys.executable, "-m", "ranker", "serve", str(bundle), "--grpc-port=0", "--rest-port=0"]
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "store"
    for column in scorer.columns:
        value = "words of a text" if column.dtype == "string" else 1.0
        _put(request, column.name, [value] * 10 if column.scope == "query" else [[value] * 2000] * 10)
    _put(request, "mask", [[True] * 2000] * 10)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        address = process.stdout.readline().removeprefix("gRPC ").strip()
        process.stdout.readline()
        with grpc.insecure_channel(address) as channel:
            grpc.channel_ready_future(channel).result(30)
            answer = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict.future(request, timeout=60)
            time.sleep(0.3)  # so that the request is there; it takes longer than this
            assert not answer.done()
            process.terminate()
            assert len(answer.result().outputs["scores"].float_val) == 20_000
    assert process.returncode == 0


def test_a_taken_port_is_said(bundle):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "ranker", "serve", str(bundle), "--grpc-port=0", f"--rest-port={port}"]
        process = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert process.returncode == 2
    assert f"{port}" in process.stderr
    assert "--rest-port" in process.stderr


# --- it is worth it -------------------------------------------------------------------------------------------------


def test_the_blend_beats_bm25_and_random(table, scorer):
    rng = np.random.default_rng(1)
    table = table.append_column("random", pa.array(rng.random(table.num_rows)))
    for baseline in ("bm25", "random"):
        report = report_of(evaluate_table(table, Request((*scorer.models, "random"), ("ndcg@10",), baseline)))
        delta = report["comparisons"][BLEND]["overall"]["ndcg@10"]
        assert delta["low"] > 0, (baseline, delta)


def test_evaluate_reports_every_member_and_the_blend(bundle, dataset, progress):
    report = evaluate(bundle, dataset, progress)
    assert list(report["models"]) == ["net", "trees", "bm25", BLEND]
    assert report["data"]["queries"] == dataset.manifest["splits"]["test"]["lists"]
    assert json.loads(json.dumps(report, allow_nan=False))["contract"]["ndcg@10"]["ties"] == "average"


def test_the_blend_is_the_average_of_scaled_members(bundle, scorer, test_lists):
    weights = {member["name"]: member["weight"] for member in scorer.manifest["members"]}
    assert weights["bm25"] == 0
    scores = scorer.score_members(test_lists[0].request)
    expected = sum(weights[name] * scores[name].astype(np.float64) for name in ("net", "trees"))
    np.testing.assert_allclose(scores[BLEND], expected, rtol=1e-5, atol=1e-6)
