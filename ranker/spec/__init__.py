"""What a user writes: the one `ranker.yaml`, as strict, frozen models. No TensorFlow, Beam or LightGBM here."""

from ranker.spec.data import Data, LetorSource, Source, Split, TableSource, TablesSource
from ranker.spec.features import (
    Bm25,
    Categorical,
    DenseFeature,
    Feature,
    Features,
    Listwise,
    Match,
    Numeric,
    Text,
    TextMatch,
    Vector,
    Vocabulary,
)
from ranker.spec.load import SpecError, load_spec
from ranker.spec.model import Evaluation, Serving, Spec
from ranker.spec.models import Blend, LambdaMart, Model, SelfAttention, SingleFeature, Training

__all__ = [
    "Blend",
    "Bm25",
    "Categorical",
    "Data",
    "DenseFeature",
    "Evaluation",
    "Feature",
    "Features",
    "LambdaMart",
    "LetorSource",
    "Listwise",
    "Match",
    "Model",
    "Numeric",
    "SelfAttention",
    "Serving",
    "SingleFeature",
    "Source",
    "Spec",
    "SpecError",
    "Split",
    "TableSource",
    "TablesSource",
    "Text",
    "TextMatch",
    "Training",
    "Vector",
    "Vocabulary",
    "load_spec",
]
