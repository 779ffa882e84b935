"""What a user writes: the one `ranker.yaml`, as strict, frozen models. No TensorFlow, Beam or LightGBM here."""

from ranker.spec.candidates import (
    Bm25Candidates,
    Candidates,
    JudgedCandidates,
    SampledCandidates,
    TableCandidates,
)
from ranker.spec.clicks import ClicksSource, Propensity
from ranker.spec.computed import Code, Computed, Raw, SavedModel
from ranker.spec.crosses import Cross
from ranker.spec.data import Data, ElwcSource, LetorSource, Source, Split, SplitFiles, TableSource, TablesSource
from ranker.spec.evaluation import Evaluation, ExposureBy, GateRule, SliceBy
from ranker.spec.features import (
    Bm25,
    Categorical,
    Date,
    DenseFeature,
    Feature,
    Features,
    Listwise,
    Match,
    Numeric,
    PairFeature,
    Text,
    TextMatch,
    Vector,
    Vocabulary,
)
from ranker.spec.load import SpecError, load_spec
from ranker.spec.losses import (
    ApproxNdcg,
    GumbelApproxNdcg,
    LambdaLoss,
    Loss,
    MeanSquared,
    PairwiseLogistic,
    SigmoidCrossEntropy,
    Softmax,
)
from ranker.spec.model import Serving, Spec
from ranker.spec.models import Blend, LambdaMart, Model, SingleFeature
from ranker.spec.scorers import Dnn, Gam, Linear, Network, SelfAttention
from ranker.spec.training import NetworkTraining, Training
from ranker.spec.validation import Validation

__all__ = [
    "ApproxNdcg",
    "Blend",
    "Bm25",
    "Bm25Candidates",
    "Candidates",
    "Categorical",
    "ClicksSource",
    "Code",
    "Computed",
    "Cross",
    "Data",
    "Date",
    "DenseFeature",
    "Dnn",
    "ElwcSource",
    "Evaluation",
    "ExposureBy",
    "Feature",
    "Features",
    "Gam",
    "GateRule",
    "GumbelApproxNdcg",
    "JudgedCandidates",
    "LambdaLoss",
    "LambdaMart",
    "LetorSource",
    "Linear",
    "Listwise",
    "Loss",
    "Match",
    "MeanSquared",
    "Model",
    "Network",
    "NetworkTraining",
    "Numeric",
    "PairFeature",
    "PairwiseLogistic",
    "Propensity",
    "Raw",
    "SampledCandidates",
    "SavedModel",
    "SelfAttention",
    "Serving",
    "SigmoidCrossEntropy",
    "SingleFeature",
    "SliceBy",
    "Softmax",
    "Source",
    "Spec",
    "SpecError",
    "Split",
    "SplitFiles",
    "TableCandidates",
    "TableSource",
    "TablesSource",
    "Text",
    "TextMatch",
    "Training",
    "Validation",
    "Vector",
    "Vocabulary",
    "load_spec",
]
