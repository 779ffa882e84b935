"""Runs measured against judgements, next to trec_eval itself (pytrec-eval-terrier, its C code)."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
import pytrec_eval
from scipy import stats

from ranker.errors import RankerError
from ranker.workflows.measure import measure

QRELS = """
q1 0 d1 2
q1 0 d2 0
q1 0 d3 1
q2 0 d1 0
q3 0 d1 3
q4 0 d1 1
"""
RUN = """
q1 Q0 d9 1 0.5 mine
q1 Q0 d3 2 0.5 mine
q1 Q0 d1 3 0.1 mine
q2 Q0 d1 1 1 mine
q4 Q0 d1 1 1 mine
q7 Q0 d1 1 1 mine
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def qrels(tmp_path):
    return write(tmp_path / "qrels", QRELS)


@pytest.fixture
def run(tmp_path):
    return write(tmp_path / "mine.run", RUN)


def test_by_hand(qrels, run):
    """q1: d3 (label 1) tied with a document without a label, then d1 (2); q2 has no relevant document, q3 no list."""
    found = measure(qrels, [run], "ndcg@10,p@2,mrr,map,judged@2").to_json(per_query=True)["mine"]
    ideal = 3 + 1 / math.log2(3)
    ndcg = {"q1": (0.5 + 0.5 / math.log2(3) + 3 / 2) / ideal, "q3": 0.0, "q4": 1.0}
    assert found["ndcg@10"]["per_query"] == pytest.approx(ndcg, abs=1e-9)
    assert found["ndcg@10"]["mean"] == pytest.approx(sum(ndcg.values()) / 3, abs=1e-9)
    assert found["p@2"]["per_query"] == {"q1": 0.5, "q3": 0, "q4": 0.5}
    assert found["mrr"]["per_query"] == {"q1": 0.75, "q3": 0, "q4": 1}
    assert found["map"]["per_query"] == pytest.approx({"q1": ((1 + 1 / 2) / 2 + 2 / 3) / 2, "q3": 0, "q4": 1})
    assert found["judged@2"]["per_query"] == {"q1": 0.5, "q2": 1, "q4": 1}
    counts = {name: found["ndcg@10"][name] for name in ("lists", "empty", "missing", "tied")}
    assert counts == {"lists": 3, "empty": 1, "missing": 1, "tied": 1}
    assert found["ndcg@10"]["judged"] == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert found["p@2"]["judged"] == pytest.approx((0.5 + 1 + 1) / 3)
    assert found["ndcg@10"]["contract"] == {
        "gain": "exp2", "ties": "average", "empty": "skip", "ideal": "judged", "missing": "zero"
    }  # fmt: skip
    assert (found["p@2"]["low"], found["p@2"]["high"]) == (None, None)  # too few lists


def test_by_hand_as_trec_eval(qrels, run):
    """Ties by falling id: d9 before d3. q2 counts as 0, q3 only if complete."""
    ideal = 2 + 1 / math.log2(3)
    ndcg = {"q1": (1 / math.log2(3) + 2 / 2) / ideal, "q2": 0.0, "q4": 1.0}
    found = measure(qrels, [run], "ndcg_cut_10,recip_rank", "trec_eval").to_json(per_query=True)["mine"]
    assert found["ndcg_cut_10"]["per_query"] == pytest.approx(ndcg, abs=1e-9)
    assert found["ndcg_cut_10"]["mean"] == pytest.approx(sum(ndcg.values()) / 3, abs=1e-9)
    assert found["recip_rank"]["mean"] == 0.5
    assert found["recip_rank"]["contract"]["scores"] == "float32"
    whole = measure(qrels, [run], "ndcg_cut_10,recip_rank", "trec_eval", complete=True)
    assert whole.to_json()["mine"]["ndcg_cut_10"]["mean"] == pytest.approx(sum(ndcg.values()) / 4, abs=1e-9)
    assert whole.to_json()["mine"]["recip_rank"]["mean"] == 0.375


THEIRS = {
    "ndcg": "ndcg",
    "map": "map",
    "recip_rank": "recip_rank",
    "set_recall": "set_recall",
    **{f"{name}_{k}": f"{name}.{k}" for name in ("ndcg_cut", "map_cut", "P", "recall", "success") for k in (1, 5, 10)},
}


def collection(seed):
    """Judgements and a run with all that happens: ties (some only in float32), queries and documents in one file only,
    negative labels, queries without a relevant document; lines in random order, blanks of all kinds."""
    random = np.random.default_rng(seed)
    pool = [f"d{number}" for number in range(30)] + ["D1", "é", "z", "日本", "a\u00a0b", "#1"]
    qrels, run = {}, {}
    steps = random.choice([2, 8, 10**6])
    for number in range(30):
        judged = random.choice(pool, size=random.integers(1, 20), replace=False).tolist()
        labels = random.integers(-1, random.choice([1, 2, 5]), size=len(judged)).tolist()
        labels[0] = max(labels[0], 0)  # trec_eval may hang on a query with nothing but negative labels
        listed = random.choice(pool, size=random.integers(1, 25), replace=False).tolist()
        scores = random.integers(-steps, steps, size=len(listed)) * 10.0 ** random.integers(-3, 3)
        scores += random.choice([0, 0, 1e-9], size=len(listed)) * np.abs(scores)
        if number % 7 != 1:
            qrels[f"q{number}"] = dict(zip(judged, labels, strict=True))
        if number % 7 != 2:
            run[f"q{number}"] = dict(zip(listed, scores.tolist(), strict=True))
    lines = [
        [f"{query}{blank}0 {document}\t{label}" for query, of in qrels.items() for document, label in of.items()]
        for blank in [" ", "\t "]
    ][seed % 2]
    blank = [" ", "  ", "\t"][seed % 3]
    runs = [
        blank.join([query, "Q0", document, "7", repr(score), "tag"])
        for query, of in run.items()
        for document, score in of.items()
    ]
    random.shuffle(lines)
    random.shuffle(runs)
    return qrels, run, "\n".join(lines), "\n".join(runs)


@pytest.mark.parametrize("seed", range(12))
def test_the_figures_are_those_of_trec_eval(seed, tmp_path):
    qrels, run, lines, runs = collection(seed)
    (tmp_path / "qrels").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "run").write_bytes(runs.encode())
    paths = tmp_path / "qrels", [tmp_path / "run"]
    found = measure(*paths, ",".join(THEIRS), "trec_eval").to_json(per_query=True)["tag"]
    whole = measure(*paths, ",".join(THEIRS), "trec_eval", complete=True).to_json()["tag"]
    theirs = pytrec_eval.RelevanceEvaluator(qrels, set(THEIRS.values())).evaluate(run)
    assert found.keys() == THEIRS.keys()
    for name, figures in found.items():
        expected = {query: of[name] for query, of in theirs.items()}
        assert figures["per_query"].keys() == expected.keys()
        assert figures["per_query"] == pytest.approx(expected, abs=1e-9), name
        assert figures["mean"] == pytest.approx(np.mean(list(expected.values())), abs=1e-9)
        assert whole[name]["mean"] == pytest.approx(sum(expected.values()) / len(qrels), abs=1e-9)
        assert figures["low"] <= figures["mean"] <= figures["high"]
        assert figures["lists"] == len(expected) < whole[name]["lists"] == len(qrels)
        assert figures["missing"] == len(qrels.keys() - run.keys())


def test_levels_of_relevance(tmp_path):
    qrels, run, lines, runs = collection(3)
    paths = write(tmp_path / "qrels", lines), [write(tmp_path / "run", runs)]
    found = measure(*paths, "map(relevant=2),p@5(relevant=2)", "trec_eval").to_json()["tag"]
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"map", "P.5"}, relevance_level=2).evaluate(run)
    assert found["map(relevant=2)"]["mean"] == pytest.approx(np.mean([of["map"] for of in theirs.values()]), abs=1e-9)
    assert found["p@5(relevant=2)"]["mean"] == pytest.approx(np.mean([of["P_5"] for of in theirs.values()]), abs=1e-9)


def test_the_order_of_lines_and_documents_without_label_change_nothing(tmp_path):
    """Of our own contract: ties are averaged, so that only scores count; a judgement of 0 is none for NDCG."""
    qrels, _, lines, runs = collection(4)
    qrels_file = write(tmp_path / "qrels", lines.replace("-1", "0"))
    figures = []
    for number, text in enumerate([runs, "\n".join(reversed(runs.split("\n")))]):
        figures.append(measure(qrels_file, [write(tmp_path / f"run{number}", text)], "ndcg@5,map").to_json()["tag"])
    fewer = write(tmp_path / "fewer", "\n".join(line for line in lines.split("\n") if not line.endswith(("0", "-1"))))
    relevant = {query for query, of in qrels.items() if max(of.values()) > 0}
    less = measure(fewer, [tmp_path / "run0"], "ndcg@5,map").to_json()["tag"]
    for name in ("ndcg@5", "map"):
        assert figures[0][name] == figures[1][name]
        assert less[name]["mean"] == figures[0][name]["mean"]
        assert less[name]["lists"] == figures[0][name]["lists"] == len(relevant)
        assert less[name]["empty"] == 0


def test_differences_to_a_baseline(tmp_path):
    _, _, lines, runs = collection(6)
    _, _, _, others = collection(7)
    paths = [write(tmp_path / "a", runs), write(tmp_path / "b", others.replace(" tag", " b").replace("\ttag", "\tb"))]
    measured = measure(write(tmp_path / "qrels", lines.replace("-1", "0")), paths, "ndcg@10,p@5", baseline="tag")
    assert [run.name for run in measured.runs] == ["tag", "b"]
    base, other = measured.runs
    found = measured.to_json()
    assert "delta" not in found["tag"]["ndcg@10"]
    for name in ("ndcg@10", "p@5"):
        delta, pairs = found["b"][name]["delta"], other.values[name] - base.values[name]
        pairs = pairs[~np.isnan(pairs)]
        assert delta["baseline"] == "tag"
        assert delta["lists"] == len(pairs)
        assert delta["mean"] == pytest.approx(pairs.mean(), abs=1e-9)
        assert delta["low"] < delta["mean"] < delta["high"]
        assert delta["p_t"] == pytest.approx(stats.ttest_1samp(pairs, 0).pvalue, abs=1e-9)
        assert delta["p_randomisation"] == pytest.approx(delta["p_t"], abs=0.1)
        assert delta["effect"] == pytest.approx(pairs.mean() / pairs.std(ddof=1), abs=1e-9)
    by_path = measure(tmp_path / "qrels", paths[1:], "ndcg@10,p@5", baseline=str(paths[0]))
    assert by_path.to_json() == found
    assert measure(tmp_path / "qrels", paths, "ndcg@10,p@5", baseline=str(paths[0])).to_json() == found


def test_runs_are_named_by_tag_then_file_then_path(tmp_path, qrels):
    (tmp_path / "other").mkdir()
    files = [tmp_path / "x.run", tmp_path / "y.run", tmp_path / "other" / "x.run"]
    for file in files:
        write(file, RUN)
    write(tmp_path / "z.run", RUN.replace("mine", "z"))
    names = [run.name for run in measure(qrels, [files[0], files[1], tmp_path / "z.run"]).runs]
    assert names == ["x.run", "y.run", "z"]
    assert [run.name for run in measure(qrels, files).runs] == [str(files[0]), "y.run", str(files[2])]
    with pytest.raises(RankerError, match=r"x\.run: is there twice; leave one out"):
        measure(qrels, [files[0], files[0]])


def test_what_is_read_in_another_way_is_said(tmp_path, run):
    qrels = write(tmp_path / "qrels", "q1 0 d1 -2\nq1 0 d3 1.7\nq1 0 d9 0.4\n")
    measured = measure(qrels, [run], "ndcg_cut_10", "trec_eval")
    assert measured.notes == [
        "1 negative labels are read as judged and not relevant",
        "2 labels are cut to whole numbers, as trec_eval does",
    ]
    assert measured.to_json()["mine"]["ndcg_cut_10"]["mean"] == pytest.approx(1 / math.log2(3))  # d9 before d3
    assert measured.runs[0].ignored == 3
    none = measure(write(tmp_path / "none", "q1 0 d1 -1\n"), [run], "ndcg_cut_10", "trec_eval").to_json()["mine"]
    assert (none["ndcg_cut_10"]["mean"], none["ndcg_cut_10"]["empty"], none["ndcg_cut_10"]["lists"]) == (0, 1, 1)


def test_too_few_lists_for_an_interval(tmp_path, run):
    found = measure(write(tmp_path / "qrels", "q1 0 d1 1\nq2 0 d1 0\n"), [run], "ndcg@10,err").to_json()["mine"]
    assert (found["ndcg@10"]["low"], found["ndcg@10"]["high"], found["ndcg@10"]["lists"]) == (None, None, 1)
    none = measure(write(tmp_path / "qrels", "q2 0 d1 0\n"), [run], "ndcg@10").to_json()["mine"]["ndcg@10"]
    assert (none["mean"], none["lists"], none["empty"]) == (None, 0, 1)
    json.dumps(none, allow_nan=False)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"metrics": "ndcg@10,map,ndcg@10"}, r"metric 'ndcg@10' is there twice; leave one out"),
        ({"metrics": "ndcg@10(gain=linear,ties=docid),nope"}, r"^metric 'nope': unknown name"),
        ({"metrics": "bpref", "contract": "trec_eval"}, r"^metric 'bpref': this measure of trec_eval is not computed"),
        ({"metrics": "map(missing=error)"}, r"mine\.run: map\(.*\): 1 queries are missing .* the first 'q3'"),
        ({"complete": True}, r"^--complete has no effect"),
        ({"baseline": "theirs"}, r"^--baseline theirs: no such run or file; expected one of mine"),
        ({"baseline": "mine"}, r"^--baseline mine has no effect: there is no other run"),
    ],
)
def test_wrong_requests_are_refused(qrels, run, options, says):
    with pytest.raises(RankerError, match=says):
        measure(qrels, [run], **options)


@pytest.mark.parametrize(
    ("qrels_text", "run_text", "says"),
    [
        (QRELS + "q1 0 d1 2\n", RUN, r"^\S*qrels:8: query 'q1', document 'd1' was there in line 2 already"),
        (QRELS, RUN + RUN, r"^\S*mine\.run:9: query 'q1', document 'd9' was there"),
        (QRELS, RUN + "q9 Q0 d1 1 nan mine\n", r"^\S*mine\.run:8: score: expected a number, got nan"),
        (QRELS + "q9 0 d1\n", RUN, r"^\S*qrels:8: expected 4 fields"),
        (QRELS + "q9 0 d1 -1\n", RUN, r"^\S*qrels: label -1 of query 'q9', document 'd1': expected finite and >= 0"),
        (QRELS, "x1 Q0 d1 1 1 mine", r"mine\.run: no query is judged: the run has 'x1' .*, the judgements 'q1'"),
        ("", RUN, r"^\S*qrels: expected lines of"),
        (QRELS, "", r"^\S*mine\.run: expected lines of"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used_are_refused(tmp_path, qrels_text, run_text, says):
    with pytest.raises(RankerError, match=says):
        measure(write(tmp_path / "qrels", qrels_text), [write(tmp_path / "mine.run", run_text)])
