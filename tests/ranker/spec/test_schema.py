"""The JSON schema of the spec. A few rules of JSON schema are checked by hand where `jsonschema` is not installed."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ranker.spec import Spec
from ranker.spec.schema import json_schema

SCHEMA = json_schema()
_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "null": type(None),
    "boolean": bool,
}


def faults(schema: dict[str, Any], value: Any, where: str = "spec") -> list[str]:
    """What of `value` breaks the schema, for the keywords that the spec's schema has."""
    if "$ref" in schema:
        return faults(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], value, where)
    for keyword in ("oneOf", "anyOf"):
        if keyword in schema:
            fit = [part for part in schema[keyword] if not faults(part, value, where)]
            return [] if fit else [f"{where}: fits none of {keyword}"]
    if "type" in schema and not isinstance(value, _TYPES[schema["type"]]):
        return [f"{where}: expected {schema['type']}"]
    allowed = schema.get("enum", [schema.get("const", value)])
    found = [] if value in allowed else [f"{where}: expected one of {allowed}"]
    if isinstance(value, dict):
        found += _faults_of_keys(schema, value, where)
    if isinstance(value, list):
        for place, item in enumerate(value):
            found += faults(schema.get("items", {}), item, f"{where}.{place}")
    return found


def _faults_of_keys(schema: dict[str, Any], value: dict[str, Any], where: str) -> list[str]:
    known = schema.get("properties", {})
    found = [f"{where}.{key}: required" for key in schema.get("required", []) if key not in value]
    if schema.get("additionalProperties") is False:
        found += [f"{where}.{key}: unknown" for key in value if key not in known]
    for key in known.keys() & value.keys():
        found += faults(known[key], value[key], f"{where}.{key}")
    return found


def test_it_is_whole_and_says_what_it_is():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["title"] == "ranker.yaml"
    assert set(SCHEMA["properties"]) == set(Spec.model_fields)
    assert SCHEMA["required"] == [name for name, field in Spec.model_fields.items() if field.is_required()]


@pytest.mark.parametrize("name", [None, *SCHEMA["$defs"]])
def test_every_section_is_described_and_closed(name):
    section = SCHEMA if name is None else SCHEMA["$defs"][name]
    assert section["description"]
    assert section["type"] == "object"
    assert section["additionalProperties"] is False


def test_every_reference_leads_somewhere():
    def references(part: Any) -> list[str]:
        if isinstance(part, list):
            return [found for item in part for found in references(item)]
        if not isinstance(part, dict):
            return []
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for item in part.values() for found in references(item)]

    assert set(references(SCHEMA)) <= {f"#/$defs/{name}" for name in SCHEMA["$defs"]}


def test_it_is_valid_and_takes_a_good_spec_by_an_independent_validator(text):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(yaml.safe_load(text))


def test_it_takes_a_good_spec(text):
    assert faults(SCHEMA, yaml.safe_load(text)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("training:", "trainings:", "spec.trainings: unknown"),
        ("blend:", "blends:", "spec.blend: required"),
        ("epochs: 20", "epochs: many", "spec.training.epochs: fits none of anyOf"),
        ("kind: lambdamart", "kind: lambdamarkt", "spec.models.1: fits none of oneOf"),
        ("version: 1", "version: 2", "spec.version: expected one of [1]"),
    ],
)
def test_it_refuses_a_wrong_one(text, right, wrong, fault):
    assert fault in faults(SCHEMA, yaml.safe_load(text.replace(right, wrong)))
