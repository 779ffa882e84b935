"""Paths of a spec that are on other machines."""

from __future__ import annotations

import pickle

import pytest
from upath import UPath

from ranker.errors import RankerError


@pytest.mark.parametrize("text", ["memory://bucket/a-*.csv", "http://127.0.0.1:1/a.csv?token=x"])
def test_an_address_is_a_path_of_another_place(load, text):
    path = load().path(text)
    assert isinstance(path, UPath)
    assert str(path).replace("memory:///", "memory://") == text
    assert path.parent != path
    assert pickle.loads(pickle.dumps(path)) == path


def test_variables_are_expanded_in_addresses(load, monkeypatch):
    monkeypatch.setenv("BUCKET", "memory://data")
    assert load().path("${BUCKET}/a.csv") == UPath("memory://data/a.csv")


@pytest.mark.parametrize("scheme", ["file", "local"])
def test_an_address_of_this_machine_is_a_plain_path(load, tmp_path, scheme):
    assert load().path(f"{scheme}://{tmp_path}/a.csv") == tmp_path / "a.csv"
    assert type(load().path(f"{scheme}://{tmp_path}/a.csv")) is type(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s3://bucket/a.csv", r"path 's3://bucket/a.csv': Install s3fs .*; fsspec needs this Python package for s3://"),
        ("sw3://bucket/a.csv", r"path 'sw3://bucket/a.csv': Protocol not known: sw3; expected a path, or a place"),
    ],
)
def test_a_place_that_cannot_be_reached_says_what_is_missing(load, text, message):
    with pytest.raises(RankerError, match=message):
        load().path(text)
