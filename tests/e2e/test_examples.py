"""The specs in `examples/` on the real data they are written for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ranker.spec import load_spec
from ranker.workflows.check import check
from ranker.workflows.prepare import prepare

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))
needs_data = pytest.mark.skipif("RANKER_DATA" not in os.environ, reason="RANKER_DATA is not set")
# From the description of the data: lists and documents that are judged.
JUDGED = {"cranfield": (225, 1837), "icecat": (135, 3668), "lambdarank": (251, 3773)}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_spec(name):
    assert load_spec(EXAMPLES / f"{name}.yaml").version == 1


def test_all_are_tried():
    assert set(NAMES) == set(JUDGED)


@needs_data
@pytest.mark.parametrize("name", NAMES)
def test_check_finds_no_fault(name):
    assert check(EXAMPLES / f"{name}.yaml").files


@needs_data
@pytest.mark.parametrize("name", NAMES)
def test_prepare_keeps_every_judgment(name, progress, tmp_path):
    manifest = prepare(load_spec(EXAMPLES / f"{name}.yaml"), tmp_path / "dataset", progress)
    splits = manifest["splits"].values()
    assert (sum(s["lists"] for s in splits), sum(s["documents"] for s in splits)) == JUDGED[name]
    assert manifest["rejected"] == {}
    assert manifest["warnings"] == []
