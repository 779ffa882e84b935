"""How Beam pipelines are made."""

from __future__ import annotations

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

__all__ = ["new_pipeline"]


def new_pipeline(options: PipelineOptions) -> beam.Pipeline:
    """In process unless the options name a runner: Beam's own default would first look for a binary to download."""
    runner = options.view_as(StandardOptions).runner
    return beam.Pipeline(runner=runner if runner and runner != "FnApiRunner" else FnApiRunner(), options=options)
