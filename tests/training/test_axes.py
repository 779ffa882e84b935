"""Which axes of weights depend on the dataset."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from ranker.data.layout import IdFeature, Layout
from ranker.models.scorers.networks import SCORERS, make_network
from ranker.spec import Dnn, Linear, Network, SelfAttention
from training import axes as module
from training.axes import UNKNOWN, axes_of
from training.meaning import VECTORS, embedding_of, ids_of
from training.weights import weight_names

TEXT = "#text_9_4"
LAYOUT = Layout(
    ("price", "stock"),
    (
        IdFeature("words", "query", 10, 4, True, TEXT),
        IdFeature("title", "document", 10, 4, True, TEXT),
        IdFeature("brand", "document", 10, 4, False, "brand"),
    ),
)
NETWORKS = {
    "linear": Linear(name="net", kind="linear"),
    "dnn": Dnn(name="net", kind="dnn", layers=[10, 10], normalisation="batch"),
    "self_attention": SelfAttention(name="net", kind="self_attention", width=8, heads=2, blocks=1, latent_cross=True),
}


def lengths(layout: Layout) -> dict[str, int]:
    found = {name: len(names(layout, layout.dense)) for name, names in VECTORS.items()}
    found |= {ids_of(feature.table): feature.size for feature in layout.ids}
    return found | {embedding_of(feature.table): feature.embed for feature in layout.ids}


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("layout", [LAYOUT, replace(LAYOUT, ids=()), replace(LAYOUT, ids=LAYOUT.ids[2:])])
def test_axes_are_as_long_as_what_they_are_of(kind, layout):
    network = make_network(NETWORKS[kind], layout, 0)
    found = axes_of(NETWORKS[kind], layout)
    assert [*found] == weight_names(network)
    for weight, of in zip(network.weights, found.values(), strict=True):
        expected = lengths(layout)
        assert [expected.get(name, size) for name, size in zip(of, weight.shape, strict=True)] == list(weight.shape)


def test_equal_lengths_are_told_apart():
    """The tables have as many rows as the layers have units, and the embeddings equal widths."""
    found = axes_of(NETWORKS["dnn"], LAYOUT)
    assert found[f"inputs/tables/{TEXT}/embeddings"] == (ids_of(TEXT), embedding_of(TEXT))
    assert found["inputs/tables/brand/embeddings"] == (ids_of("brand"), embedding_of("brand"))
    assert found["inputs/pieces/centre"] == ("dense", None)
    assert found["tower/dense/0/kernel"] == ("inputs", None)
    assert found["tower/dense/1/kernel"] == (None, None)
    assert found["tower/norms/0/moving_mean"] == (None,)


def test_every_kind_of_network_is_understood():
    """A scorer whose weights change with the dataset in another way would start fresh there."""
    sections = {get_args(section.model_fields["kind"].annotation)[0]: section for section in Network.__subclasses__()}
    for kind in SCORERS:
        spec = NETWORKS.get(kind) or sections[kind](name="net", kind=kind)
        assert not any(UNKNOWN in of for of in axes_of(spec, LAYOUT).values()), kind


def test_what_is_as_long_as_nothing_known_is_unknown(monkeypatch):
    monkeypatch.setattr(module, "VECTORS", {"dense": VECTORS["dense"]})
    assert axes_of(NETWORKS["dnn"], LAYOUT)["tower/dense/0/kernel"] == (UNKNOWN, None)
