"""The layout of transformed tensors, as manifests keep it."""

from __future__ import annotations

import json

from ranker.data.layout import IdFeature, Layout

WORDS = IdFeature("title", "document", 4097, 16, True, "text_4096_16")
BRAND = IdFeature("brand", "document", 12, 8, False, "brand")
LAYOUT = Layout(("price", "bm25_query_title"), (WORDS, BRAND))


def test_a_layout_survives_json():
    assert Layout.from_json(json.loads(json.dumps(LAYOUT.to_json()))) == LAYOUT


def test_trees_take_the_features_with_one_id():
    assert LAYOUT.single_ids == (BRAND,)
