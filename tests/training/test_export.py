"""What the exported graph does with tensors that requests do not send, but gRPC clients can."""

import numpy as np
import pytest
import tensorflow as tf

from ranker.bundle import Scorer
from ranker.data.elwc.records import read_raw


@pytest.fixture(scope="module")
def scorer(bundle):
    with Scorer(bundle) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def tensors(dataset, scorer):
    return next(read_raw(dataset.raw("test"), scorer.columns)).request.tensors


def run(scorer, tensors):
    return scorer.run("serving_default", tensors)["scores"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("price", lambda x: np.concatenate([x, x[:, :2]], axis=1)),
        ("price", lambda x: x[:, :-1]),
        ("title", np.transpose),
        ("stock", lambda x: np.concatenate([x, x])),
        ("query", lambda x: np.concatenate([x, x])),
        ("segment", lambda x: x[:0]),
    ],
    ids=["longer", "shorter", "transposed", "two rows", "two queries", "no query"],
)
def test_a_tensor_that_does_not_fit_the_mask_is_refused(scorer, tensors, name, change):
    """Without a check `tf.boolean_mask` takes whatever has enough elements, and scores the wrong documents."""
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"input {name}: shape does not fit the mask"):
        run(scorer, {**tensors, name: change(tensors[name])})


def test_lists_without_a_document_are_answered(scorer, tensors):
    nothing = run(scorer, {**tensors, "mask": np.zeros_like(tensors["mask"])})
    assert nothing.tolist() == [[np.finfo(np.float32).min] * tensors["mask"].shape[1]]
    no_columns = {name: values[:, :0] if values.ndim == 2 else values for name, values in tensors.items()}
    assert run(scorer, no_columns).shape == (1, 0)
    no_rows = {name: values[:0] for name, values in tensors.items()}
    assert run(scorer, no_rows).shape == (0, tensors["mask"].shape[1])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("price", lambda x: x[0]),
        ("price", lambda x: x[..., np.newaxis]),
        ("title", lambda x: x[np.newaxis]),
        ("query", lambda x: x[:, np.newaxis]),
        ("query", lambda x: x[0]),
    ],
    ids=["no batch", "an axis more", "another batch", "query of a list", "a scalar"],
)
def test_a_tensor_with_other_axes_is_refused(scorer, tensors, name, change):
    """For a list of one, too, where its shape would be equal after broadcasting."""
    one = {key: values[:, :1] if values.ndim == 2 else values for key, values in tensors.items()}
    for given in (tensors, one):
        changed = np.array(change(given[name]), given[name].dtype)
        axes = given[name].ndim
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=f"input {name}: shape does not fit: expected {axes} axes"
        ):
            run(scorer, {**given, name: changed})


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("name", ["price", "stock"])
def test_infinity_is_refused(scorer, tensors, name, value):
    changed = tensors[name].copy()
    changed[..., -1] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"input {name}: expected finite numbers .*, got infinity"):
        run(scorer, {**tensors, name: changed})


def test_infinity_where_no_document_is_does_not_count(scorer, tensors):
    price = tensors["price"].copy()
    mask = tensors["mask"].copy()
    price[0, -1], mask[0, -1] = np.inf, False
    got = run(scorer, {**tensors, "price": price, "mask": mask})
    assert np.isfinite(got[mask]).all()


@pytest.mark.parametrize("value", [np.nan, 3.4e38, -3.4e38])
def test_scores_are_finite_whatever_the_number(scorer, tensors, value):
    price = tensors["price"].copy()
    price[0, ::3] = value
    assert np.isfinite(run(scorer, {**tensors, "price": price})).all()


def test_scores_stay_where_their_documents_are(scorer, tensors):
    """Moved apart by gaps in the mask, the documents keep their scores, and gaps get the lowest float."""
    size = tensors["mask"].shape[1]
    places = np.arange(size) * 2 + 1
    spread = {"mask": np.zeros((1, 2 * size + 3), bool)}
    spread["mask"][0, places] = True
    for name, values in tensors.items():
        if name != "mask" and values.ndim == 2:
            spread[name] = np.full((1, 2 * size + 3), b"junk" if values.dtype == object else np.nan, values.dtype)
            spread[name][0, places] = values[0]
    scores = run(scorer, {**tensors, **spread})
    assert scores[0, places].tobytes() == run(scorer, tensors)[0].tobytes()
    assert (np.delete(scores[0], places) == np.finfo(np.float32).min).all()
