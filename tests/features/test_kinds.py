"""All kinds of features together: the table of functions, names of columns, single lists against packed batches."""

import json
import typing

import numpy as np
import pytest
import tensorflow as tf

from features.preprocessing import DENSE, IDS
from ranker.bundle import Scorer
from ranker.data.artefacts import FORMAT_VERSION, write_json
from ranker.data.columns import raw_columns
from ranker.data.elwc.records import read_raw
from ranker.data.requests import RankRequest, parse_request, to_request
from ranker.models.blend import Blend
from ranker.models.scorers.single_feature import SingleFeatureScorer
from ranker.spec import (
    Bm25,
    Categorical,
    Code,
    Cross,
    Date,
    Listwise,
    Numeric,
    SavedModel,
    SingleFeature,
    Text,
    TextMatch,
    Vector,
)
from training.export import export


def kinds_of(*sections) -> set[str]:
    return {kind for section in sections for kind in typing.get_args(section.model_fields["kind"].annotation)}


def test_every_kind_of_the_spec_has_its_function():
    assert set(DENSE) == kinds_of(
        *(Numeric, Date, Vector, Categorical, Text, SavedModel, Code, Cross, Bm25, TextMatch, Listwise)
    )
    assert set(IDS) == kinds_of(Categorical, Text, Cross)


def test_the_fixture_has_every_kind_that_tables_have(kinds):
    assert {feature.kind for feature in kinds.spec.features.dense} == set(DENSE)
    single, many = {"maker", "shop", "via"}, {"title", "tags", "likes", "genres", "nothing", "reasons"}
    single |= {"cross_season_maker", "cross_age_released"}
    many |= {"cross_query_title", "cross_likes_price"}
    assert {f.name for f in kinds.layout.ids if not f.multivalued} == single
    assert {f.name for f in kinds.layout.ids if f.multivalued} == many
    assert kinds.layout.judged == ("weight", "position")


def test_columns_are_named_in_order(kinds):
    names = kinds.layout.dense
    assert names[:11] == (
        *("age", "age_bucket", "age_missing", "price", "price_bucket", "price_missing", "stock", "mass"),
        *("size", "size_bucket", "length"),
    )
    at = names.index("clicks")
    assert names[at : at + 8] == (
        *("clicks", "born", "born_missing", "released", "released_bucket", "restocked", "undated", "undated_bucket"),
    )
    at = names.index("taste_0")
    assert names[at : at + 17] == (
        *("taste_0", "taste_1", "taste_2", "picture_0", "picture_1", "picture_2", "picture_3"),
        *("zscore_in_list_picture_0", "zscore_in_list_picture_1", "zscore_in_list_picture_2"),
        *("zscore_in_list_picture_3", "sound_1", "sound_2", "factors_0", "factors_1"),
        *("season_is_1", "season_is_2"),
    )
    at = names.index("season_is_1")
    assert names[at : at + 4 + 5] == (
        *("season_is_1", "season_is_2", "season_is_3", "season_is_4"),
        *("brand_is_1", "brand_is_2", "brand_is_3", "brand_is_4", "brand_is_5"),
    )
    assert names[-1] == "zscore_in_list_coverage_query_title"
    assert len(names) == len(set(names)) == kinds.all_lists["q0"].dense.shape[1]


@pytest.mark.parametrize("fixture", ["kinds", "corner"])
def test_a_single_list_gives_the_bits_of_the_packed_examples(fixture, request):
    prepared = request.getfixturevalue(fixture)
    for query_id, packed in prepared.all_lists.items():
        given = prepared.apply_to(query_id)
        assert set(given) == {"dense", *(f.name for f in prepared.layout.ids)}
        assert np.array(given["dense"], np.float32).tobytes() == packed.dense.tobytes()
        for feature in prepared.layout.ids:
            wanted = packed.query if feature.scope == "query" else packed.documents
            ids = wanted[feature.name] if feature.scope == "query" else [d[feature.name] for d in wanted]
            assert given[feature.name] == ids


def test_a_document_has_the_same_numbers_wherever_it_stands_in_the_list(kinds):
    """Listwise features too: they depend on the list, not on its order."""
    for query_id in ("q11", "q23", "q35"):
        query, documents = kinds.values_of(query_id)
        turned = {name: values[::-1] for name, values in documents.items()}
        got = np.array(kinds.apply(query, turned)["dense"], np.float32)
        np.testing.assert_allclose(got[::-1], kinds.all_lists[query_id].dense, rtol=1e-6, atol=1e-6)


def test_lists_of_one_and_of_nothing_known_are_finite(kinds):
    assert sum(len(packed.documents) == 1 for packed in kinds.all_lists.values()) >= 3
    for packed in kinds.all_lists.values():
        assert np.isfinite(packed.dense).all()
    got = kinds.apply({}, {"title": ["", ""]})
    assert np.isfinite(np.array(got["dense"])).all()
    assert all(not np.any(got[f.name]) for f in kinds.layout.ids)


def test_the_graph_is_small(kinds):
    """100 operations for each feature are the budget; features share many, so that the mean is far below."""
    inputs = kinds.tensors(*kinds.values_of("q0"))
    specs = {name: tf.type_spec_from_value(value) for name, value in inputs.items()}
    graph = kinds.graph.get_concrete_function(specs).graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    given = kinds.spec.features
    features = [*given.query, *given.of_documents, *given.crosses, *given.computed, *given.match, *given.listwise]
    assert len(nodes) < 60 * len(features), (len(nodes), len(features))


# --- the served path: raw records, JSON requests, the signature of a bundle -------------------------------------------


class _Ids(tf.Module):
    """The ids of a feature and their places as one number, which float32 holds exactly."""

    def __init__(self, feature) -> None:
        super().__init__()
        self._feature = feature

    def __call__(self, features, mask):
        ids = tf.cast(features[self._feature.name], tf.float32)
        codes = tf.reduce_sum(ids * tf.range(1.0, tf.cast(tf.shape(ids)[-1], tf.float32) + 1), axis=-1)
        return (
            codes + tf.zeros_like(features["dense"][..., 0])
            if self._feature.scope == "document"
            else (codes[:, tf.newaxis] * tf.cast(mask, tf.float32))
        )


@pytest.fixture(scope="module")
def served(kinds, tmp_path_factory):
    """A bundle in which each dense column, and each id feature, is a member."""
    members = {
        name: SingleFeatureScorer(SingleFeature(name=name, kind="single_feature", feature=name), kinds.layout)
        for name in kinds.layout.dense
    }
    members |= {f"ids_of_{feature.name}": _Ids(feature) for feature in kinds.layout.ids}
    path = tmp_path_factory.mktemp("bundle")
    columns = raw_columns(kinds.spec)
    export(path / "saved_model", kinds.path / "transform", columns, kinds.layout, members, Blend({"price": 1.0}))
    write_json(
        path / "manifest.json",
        {
            "kind": "bundle",
            "format_version": FORMAT_VERSION,
            "columns": [column.to_json() for column in columns],
            "members": [{"name": name} for name in members],
        },
    )
    with Scorer(path) as scorer:
        yield scorer


@pytest.fixture(scope="module")
def requests(kinds, served) -> list[RankRequest]:
    files = sorted((kinds.path / "raw").glob("*"))
    return [judged.request for judged in read_raw(files, served.columns)]


def check_scores(kinds, scores: dict[str, np.ndarray], query_id: str) -> None:
    """Every column has the bits of the packed examples."""
    packed = kinds.all_lists[query_id]
    for at, name in enumerate(kinds.layout.dense):
        assert scores[name].tobytes() == packed.dense[:, at].tobytes(), name
    for feature in kinds.layout.ids:
        rows = [(packed.query if feature.scope == "query" else d)[feature.name] for d in packed.documents]
        codes = [sum(place * i for place, i in enumerate(row, start=1)) for row in rows]
        assert scores[f"ids_of_{feature.name}"].tolist() == codes, feature.name


def test_served_lists_have_the_bits_of_the_packed_examples(kinds, served, requests):
    assert len(requests) == len(kinds.all_lists) == 40
    for request in requests:
        check_scores(kinds, served.score_members(request), request.query_id)


def test_lists_served_from_json_have_the_same_bits(kinds, served, requests):
    """Dates as seconds, values and vectors as arrays, what is missing left out."""
    for request in requests[::4]:
        content = json.loads(json.dumps(to_request(request, served.columns), allow_nan=False))
        check_scores(kinds, served.score_members(parse_request(content, served.columns)), request.query_id)


def test_empty_texts_among_many_values_do_not_count(kinds, served, requests):
    many = [column.name for column in served.columns if column.multivalued]
    for request in requests[:5]:
        tensors = dict(request.tensors)
        for name in many:
            filled = np.full((*tensors[name].shape[:-1], 3 + 2 * tensors[name].shape[-1]), b"", object)
            filled[..., 1 : 2 * tensors[name].shape[-1] : 2] = tensors[name]
            tensors[name] = filled
        gaps = RankRequest(request.query_id, request.document_ids, tensors)
        check_scores(kinds, served.score_members(gaps), request.query_id)


def test_lists_of_a_batch_with_gaps_have_the_same_bits(kinds, served, requests):
    """Two lists side by side, the second one's documents apart."""
    first, second = (next(r for r in requests if len(r.document_ids) == size) for size in (7, 3))
    tensors = {"mask": np.zeros((2, 7), bool)}
    tensors["mask"][0], tensors["mask"][1, [0, 3, 6]] = True, True
    for column in served.columns:
        given = [first.tensors[column.name], second.tensors[column.name]]
        shape = np.max([values.shape for values in given], axis=0)
        fill = b"" if column.dtype == "string" else np.nan if column.dtype == "float32" else np.iinfo(np.int64).min
        tensors[column.name] = np.full((2, *shape[1:]), fill, given[0].dtype)
        for row, (values, places) in enumerate(zip(given, (slice(None), [0, 3, 6]), strict=True)):
            inner = tuple(slice(size) for size in values.shape[2 if column.scope == "document" else 1 :])
            at = (row, places, *inner) if column.scope == "document" else (row, *inner)
            tensors[column.name][at] = values[0]
    scores = served.run("members", tensors)
    check_scores(kinds, {name: values[0] for name, values in scores.items()}, first.query_id)
    check_scores(kinds, {name: values[1, [0, 3, 6]] for name, values in scores.items()}, second.query_id)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("taste", lambda x: x[:, :2]),
        ("likes", lambda x: np.concatenate([x, x])),
        ("timestamp", lambda x: x[:0]),
        ("picture", lambda x: x[..., :3]),
        ("picture", lambda x: x[:, :-1]),
        ("genres", lambda x: x[:, :-1]),
        ("genres", lambda x: np.swapaxes(x, 1, 2)),
        ("released", lambda x: np.concatenate([x, x], axis=1)),
    ],
)
def test_a_tensor_that_does_not_fit_the_mask_is_refused(served, requests, name, change):
    request = next(r for r in requests if len(r.document_ids) == 11)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"input {name}: shape does not fit the mask"):
        served.run("serving_default", {**request.tensors, name: change(request.tensors[name])})


@pytest.mark.parametrize("name", ["age", "taste", "price", "picture", "stars", "factors"])
def test_infinity_is_refused_in_numbers_and_vectors_of_queries_and_documents(served, requests, name):
    request = next(r for r in requests if len(r.document_ids) == 11)
    numbers = request.tensors[name].copy()
    numbers.flat[-1] = -np.inf
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"input {name}: expected finite numbers .*, got infinity"):
        served.run("serving_default", {**request.tensors, name: numbers})


def test_the_signature_has_a_tensor_of_its_type_for_every_column(served):
    inputs = served.inputs("serving_default")
    assert {name: inputs[name] for name in ("timestamp", "born", "released", "clicked")} == dict.fromkeys(
        ("timestamp", "born", "released", "clicked"), tf.int64
    )
    assert {name: inputs[name] for name in ("likes", "genres", "reasons", "via")} == dict.fromkeys(
        ("likes", "genres", "reasons", "via"), tf.string
    )
    assert inputs["taste"] == inputs["picture"] == inputs["factors"] == tf.float32
    assert len(inputs) == 1 + len(served.columns)
