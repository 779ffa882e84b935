"""Options of Beam, as `ranker prepare` and `ranker evaluate` take them."""

from __future__ import annotations

import pytest
from apache_beam.options.pipeline_options import StandardOptions

from ranker.errors import RankerError
from ranker.workflows.beam_options import pipeline_options


@pytest.mark.parametrize("given", [["--runner=FlinkRunner"], ["--runner", "FlinkRunner"]])
def test_options_are_beams(given):
    assert pipeline_options(given, "ranker x", "one spec").view_as(StandardOptions).runner == "FlinkRunner"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--foo=1"], "unknown option --foo: neither `ranker x` nor Apache Beam has it"),
        (["more"], "unexpected argument 'more': `ranker x` takes one spec, and options of Beam"),
        (["--runner=A", "more"], "unexpected argument 'more'"),
    ],
)
def test_what_beam_does_not_know_is_refused(given, says):
    with pytest.raises(RankerError, match=says):
        pipeline_options(given, "ranker x", "one spec")
