"""`ranker score` on the small bundle."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ranker.bundle import Scorer
from ranker.data.requests import RequestError, parse_request
from ranker.workflows.score import score

GOOD = {"id": "q", "query": {"query": "red shoe"}, "documents": [{"id": "a", "features": {"price": 3}}, {"id": "b"}]}


def test_answers_come_until_a_bad_line_which_is_named(refused, bundle, tmp_path):
    """Empty lines are passed over but counted."""
    lines = [
        json.dumps(GOOD),
        "",
        json.dumps(GOOD | {"id": 2, "top_n": 1}),
        '{"documents": [{"id": "a", "feature": 1}]}',
    ]
    (tmp_path / "requests.jsonl").write_text("\n".join([*lines, "never read"]))
    message = refused("score", bundle, "--input", "requests.jsonl", "--output", "answers.jsonl")
    assert message == "requests.jsonl:4: documents[0]: unknown key 'feature'; known here: id, features"
    first, second = map(json.loads, (tmp_path / "answers.jsonl").read_text().splitlines())
    assert (first["id"], second["id"]) == ("q", "2")
    assert second["results"] == first["results"][:1]
    assert {"segment", "title", "price"} <= set(first["missing"])
    with Scorer(bundle) as scorer:
        expected = scorer.score(parse_request(GOOD, scorer.columns))
    got = {result["index"]: np.float32(result["score"]) for result in first["results"]}
    assert np.array([got[0], got[1]]).tobytes() == expected.tobytes()


def test_a_line_that_is_no_json_is_named(bundle):
    """Here without a process of its own, which would load TensorFlow again."""
    answers = score(bundle, [json.dumps(GOOD).encode(), b"{"], "<stdin>")
    assert next(answers)["id"] == "q"
    with pytest.raises(RequestError, match=r"^<stdin>:2: unexpected end of data"):
        next(answers)
