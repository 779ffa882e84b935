import subprocess
import sys

import numpy as np
import pytest

from eval.lists import Lists, Unlisted, drop_unusable


def judged_lists():
    """Query a lists labels 1, 0 and leaves out 3, 2; b is missing from the run; c lists 2, 4, 0."""
    return Lists(
        np.array(["a", "b", "c"]),
        np.array([0, 2, 2, 5]),
        np.array([1.0, 0.0, 2.0, 4.0, 0.0]),
        document_ids=np.array(["a1", "a2", "c1", "c2", "c3"]),
        judged=np.array([True, False, True, True, True]),
        unlisted=Unlisted(np.array([0, 2, 3, 3]), np.array([3.0, 2.0, 1.0])),
    )


def test_ideal_labels_fall(make_lists):
    lists = make_lists([0, 2, 1], [], [3], [1, 4])
    assert lists.listed_ideal.tolist() == [2, 1, 0, 3, 4, 1]
    ragged, labels = lists.judged_ideal
    assert (ragged.sizes.tolist(), labels.tolist()) == ([3, 0, 1, 2], [2, 1, 0, 3, 4, 1])


def test_the_ideal_of_all_judged_documents():
    lists = judged_lists()
    assert lists.listed_ideal.tolist() == [1, 0, 4, 2, 0]
    ragged, labels = lists.judged_ideal
    assert (ragged.sizes.tolist(), labels.tolist()) == ([4, 1, 3], [3, 2, 1, 0, 1, 4, 2, 0])
    assert lists.largest_label == 4
    assert lists.missing.tolist() == [False, True, False]


def test_empty_lists_have_no_relevant_document(make_lists):
    assert make_lists([0, 2], [], [0], [0.5]).empty.tolist() == [False, True, True, False]
    beside = Unlisted(np.array([0, 1, 2]), np.array([0.0, 1.0]))
    assert Lists(np.array(["a", "b"]), np.array([0, 1, 1]), np.zeros(1), unlisted=beside).empty.tolist() == [
        True,
        False,
    ]
    assert make_lists().largest_label == 0


def test_some_of_the_lists():
    lists, documents = judged_lists().select(np.array([False, True, True]))
    assert documents.tolist() == [2, 3, 4]
    assert (lists.query_ids.tolist(), lists.sizes.tolist(), lists.labels.tolist()) == (["b", "c"], [0, 3], [2, 4, 0])
    assert (lists.document_ids.tolist(), lists.judged.tolist()) == (["c1", "c2", "c3"], [True] * 3)
    assert (lists.unlisted.offsets.tolist(), lists.unlisted.labels.tolist()) == ([0, 1, 1], [1])
    plain, documents = Lists(np.array(["a", "b"]), np.array([0, 1, 2]), np.ones(2)).select(np.array([True, False]))
    assert (len(plain), documents.tolist(), plain.document_ids, plain.unlisted) == (1, [0], None, None)


def test_some_of_the_documents():
    lists = judged_lists().keep(np.array([False, True, True, False, True]))
    assert (lists.query_ids.tolist(), lists.sizes.tolist(), lists.labels.tolist()) == (
        ["a", "b", "c"],
        [1, 0, 2],
        [0, 2, 0],
    )
    assert (lists.document_ids.tolist(), lists.judged.tolist()) == (["a2", "c1", "c3"], [False, True, True])
    assert lists.unlisted.labels.tolist() == [3, 2, 1]


def test_documents_that_metrics_cannot_use_are_dropped():
    """A document goes for all models, if the label or the score of one is no number that can be used."""
    labels = np.array([0.0, np.nan, 2.0, -1.0, 1.0, np.inf])
    scores = {"one": np.array([1.0, 1, np.nan, 1, 1, 1]), "other": np.array([1.0, 1, 1, 1, -np.inf, 1])}
    offsets, usable, dropped = drop_unusable(np.array([0, 2, 2, 6]), labels, scores)
    assert usable.tolist() == [True] + [False] * 5
    assert (offsets.tolist(), dropped.tolist()) == ([0, 1, 1, 1], [1, 0, 4])
    _, usable, _ = drop_unusable(np.array([0, 2, 2, 6]), np.maximum(labels, 0), {})
    assert usable.tolist() == [True, False, True, True, True, False]


@pytest.mark.parametrize(
    ("offsets", "labels", "error", "says"),
    [
        ([0, 2, 3], [1.0, -1.0, 0.0], ValueError, r"label -1.0 of (unlisted )?document 1 \(from 0\) of query 'a'"),
        ([0, 2, 3], [1.0, 1.0, np.nan], ValueError, r"label nan of (unlisted )?document 0 \(from 0\) of query 'b'"),
        ([0, 3], [0.0, 0.0, 0.0], ValueError, "expected 3 offsets for 2 query ids"),
        ([0, 2, 4], [0.0, 0.0, 0.0], ValueError, "rise from 0 to the number of documents, 3"),
        ([0, 4, 3], [0.0, 0.0, 0.0], ValueError, "rise from 0 to the number of documents, 3"),
        ([0.0, 2.0, 3.0], [0.0, 0.0, 0.0], TypeError, "offsets must be int64"),
    ],
)
def test_wrong_lists_are_refused(offsets, labels, error, says):
    with pytest.raises(error, match=says):
        Lists(np.array(["a", "b"]), np.array(offsets), np.array(labels))
    with pytest.raises(error, match=says):
        unlisted = Unlisted(np.array(offsets), np.array(labels))
        Lists(np.array(["a", "b"]), np.array([0, 0, 0]), np.zeros(0), unlisted=unlisted)


def test_what_does_not_fit_the_documents_is_refused():
    ids, offsets = np.array(["a"]), np.array([0, 2])
    with pytest.raises(ValueError, match=r"expected 2 document_ids, one per document, got \(1,\)"):
        Lists(ids, offsets, np.zeros(2), document_ids=np.array(["x"]))
    with pytest.raises(ValueError, match=r"expected 2 judged, one per document, got \(3,\)"):
        Lists(ids, offsets, np.zeros(2), judged=np.ones(3, dtype=bool))
    with pytest.raises(ValueError, match=r"label 2.0 of document 1 \(from 0\) of query 'a': expected 0, as not judged"):
        Lists(ids, offsets, np.array([0.0, 2.0]), judged=np.array([True, False]))


def test_imports_stay_light():
    heavy = ["tensorflow", "apache_beam", "lightgbm", "pandas", "scipy", "sklearn"]
    code = f"import sys, eval.evaluate; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
    code = "import sys, eval; print('numpy' in sys.modules, 'pyarrow' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False False"
