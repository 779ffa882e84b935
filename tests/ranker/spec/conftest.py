"""A whole spec to change, and how to load a changed one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ranker.spec import Spec, load_spec

TEXT = """\
# A shop.
version: 1
data:
  sources:
    - {kind: tables, queries: queries.jsonl, documents: products.jsonl, judgments: judgments.csv}
  split: {valid: 0.2, test: 0.25}
features:
  query:
    - {name: query, kind: text}
    - {name: segment, kind: categorical, vocabulary: {top_k: 10}}
  document:
    - {name: title, kind: text}
    - {name: price, kind: numeric, transform: [log1p]}
  match:
    - {kind: bm25, query: query, document: title}
models:
  - {name: net, kind: self_attention, width: 32}
  - {name: trees, kind: lambdamart}
  - {name: bm25, kind: single_feature, feature: bm25_query_title}
blend: {members: [net, trees]}
training: {epochs: 20}
evaluation: {metrics: [ndcg@10], baseline: bm25}
serving: {model_name: store}
"""


@pytest.fixture
def text() -> str:
    return TEXT


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Spec]:
    """`load(text, overrides)` loads a spec with this text from a file `ranker.yaml`."""

    def load_text(text: str = TEXT, overrides: Sequence[str] = ()) -> Spec:
        path = tmp_path / "ranker.yaml"
        path.write_text(text, encoding="utf-8")
        return load_spec(path, overrides)

    return load_text


@pytest.fixture
def faults(load: Callable[..., Spec], tmp_path: Path) -> Callable[..., list[str]]:
    """`faults(text, overrides)` are the lines of the error, each without the folder of the file."""
    from ranker.spec import SpecError

    def lines(text: str = TEXT, overrides: Sequence[str] = ()) -> list[str]:
        with pytest.raises(SpecError) as caught:
            load(text, overrides)
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()

    return lines
