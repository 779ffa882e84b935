"""The section `training`."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ranker.spec import Training


def test_what_is_measured_is_not_deterministic():
    with pytest.raises(ValidationError, match="xla: auto is measured and may come out otherwise"):
        Training(deterministic=True, xla="auto")
    assert Training(deterministic=True, xla=True).xla is True
    assert Training(xla="auto").xla == "auto"


def test_patience_has_an_effect():
    with pytest.raises(ValidationError, match="patience has no effect with keep: last"):
        Training(keep="last", patience=3)
    assert Training(keep="best", patience=3).patience == 3
