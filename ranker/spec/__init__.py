"""What a user writes: the one `ranker.yaml`, as strict, frozen models. No TensorFlow, Beam or LightGBM here."""

from ranker.spec.data import Data, Split, TablesSource
from ranker.spec.features import Bm25, Categorical, Feature, Features, Numeric, Text, Vocabulary
from ranker.spec.load import SpecError, load_spec
from ranker.spec.model import Evaluation, Serving, Spec
from ranker.spec.models import Blend, LambdaMart, Model, SelfAttention, SingleFeature, Training

__all__ = [
    "Blend",
    "Bm25",
    "Categorical",
    "Data",
    "Evaluation",
    "Feature",
    "Features",
    "LambdaMart",
    "Model",
    "Numeric",
    "SelfAttention",
    "Serving",
    "SingleFeature",
    "Spec",
    "SpecError",
    "Split",
    "TablesSource",
    "Text",
    "Training",
    "Vocabulary",
    "load_spec",
]
