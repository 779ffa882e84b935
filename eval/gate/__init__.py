"""The gate: rules that a model has to keep before it goes online, decided on intervals, never on an estimate alone.

`decide` takes an `eval.evaluation.Evaluation` and rules: `MetricRule`, `EmptyShare`, `JudgedShare`, `Latency`,
`BundleSize`.
"""

from eval.gate.decision import EXIT_STATUS, LEAST_LISTS, Decision, GateRule, Measurements, decide
from eval.gate.limits import BundleSize, EmptyShare, JudgedShare, Latency
from eval.gate.metric import ONLINE, MetricRule

__all__ = [
    "EXIT_STATUS",
    "LEAST_LISTS",
    "ONLINE",
    "BundleSize",
    "Decision",
    "EmptyShare",
    "GateRule",
    "JudgedShare",
    "Latency",
    "Measurements",
    "MetricRule",
    "decide",
]
