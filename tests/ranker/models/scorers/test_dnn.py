"""The univariate network."""

from ranker.spec import Dnn
from tests.ranker.models.scorers.conformance import ScorerConformance


class TestDnn(ScorerConformance):
    spec = Dnn(name="net", kind="dnn", layers=[16, 8])


class TestDnnWithBatchNormalisation(ScorerConformance):
    spec = Dnn(name="net", kind="dnn", layers=[16, 8], normalisation="batch", input_dropout=0, dropout=0)
