"""Candidates and judgments put together, against a loop."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranker.data.candidates.candidate_lists import Candidates, Judged, candidate_rows, not_judged
from ranker.data.columns import MISSING_INT

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=25, unique=True)


@settings(deadline=None)
@given(judged=PAIRS, candidates=PAIRS, drop=st.booleans(), data=st.data())
def test_rows_are_those_of_a_loop(judged, candidates, drop, data):
    labels = data.draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=len(judged), max_size=len(judged)))
    kept = data.draw(st.lists(st.booleans(), min_size=len(judged), max_size=len(judged)))
    rows = pa.RecordBatch.from_pydict(
        {"label": pa.array(labels, pa.float32()), "position": pa.array(range(1, len(judged) + 1), pa.int64())}
    )
    of_pair = pa.RecordBatch.from_pydict({"score": pa.array(range(len(candidates)), pa.float32())})
    judged_numbers, numbers = (np.array(pairs, np.int64).reshape(-1, 2).T for pairs in (judged, candidates))
    found = candidate_rows(
        Judged(rows, *judged_numbers, np.array(kept, bool)), Candidates(*numbers, of_pair), 10, drop_unjudged=drop
    )
    expected = []
    for pair in sorted({*judged, *candidates}):
        judgment = judged.index(pair) if pair in judged else None
        if pair in candidates and (judgment is not None or not drop):
            score = float(candidates.index(pair))
        elif pair not in candidates and kept[judgment]:
            score = None
        else:
            continue
        of = (0.0, 0) if judgment is None else (labels[judgment], judgment + 1)
        expected.append((*pair, *of, score))
    values = found.rows.to_pydict()
    values["score"] = [None if np.isnan(score) else score for score in values["score"]]
    assert (
        list(zip(*(values[n] for n in ("#list", "#document", "label", "position", "score")), strict=True)) == expected
    )
    left = [
        label for label, pair, keep in zip(labels, judged, kept, strict=True) if pair not in candidates and not keep
    ]
    assert (found.relevant, found.not_relevant) == (left.count(1.0), left.count(0.0))
    assert found.unjudged == (len(set(candidates) - set(judged)) if drop else 0)


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("label", pa.float32(), 0),
        ("weight", pa.float32(), 1),
        ("position", pa.int64(), 0),
        ("made", pa.int64(), MISSING_INT),
        ("brand", pa.string(), ""),
        ("genres", pa.list_(pa.string()), []),
    ],
)
def test_what_is_not_judged_is_missing(name, kind, value):
    assert not_judged(name, kind).to_pylist() == [value]
    assert not_judged(name, kind).type == kind


def test_numbers_that_are_not_judged_are_nan():
    for kind in (pa.float32(), pa.list_(pa.float32(), 3)):
        [value] = not_judged("price", kind).to_pylist()
        assert np.isnan(value).all()
