"""Which runner a pipeline gets."""

from __future__ import annotations

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.flink_runner import FlinkRunner
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from features.beam_pipeline import new_pipeline


@pytest.mark.parametrize(
    ("options", "runner"),
    [([], FnApiRunner), (["--runner=FnApiRunner"], FnApiRunner), (["--runner=FlinkRunner"], FlinkRunner)],
)
def test_the_default_is_in_process(options, runner):
    assert type(new_pipeline(PipelineOptions(options)).runner) is runner
