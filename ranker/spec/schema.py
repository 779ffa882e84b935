"""The JSON schema of `ranker.yaml`, from which editors complete and underline."""

from __future__ import annotations

from typing import Any

from ranker.spec.model import Spec

__all__ = ["json_schema"]


def json_schema() -> dict[str, Any]:
    """The schema of a spec, in the draft that pydantic writes; its descriptions are those of the sections."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Spec.model_json_schema(),
        "title": "ranker.yaml",
    }
