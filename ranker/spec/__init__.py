"""What a user writes: the one `ranker.yaml`, as strict, frozen models. No TensorFlow, Beam or LightGBM here."""

from ranker.spec.load import SpecError, load_spec
from ranker.spec.model import (
    Bm25,
    Categorical,
    LambdaMart,
    Model,
    Numeric,
    SelfAttention,
    SingleFeature,
    Spec,
    TablesSource,
    Text,
)

__all__ = [
    "Bm25",
    "Categorical",
    "LambdaMart",
    "Model",
    "Numeric",
    "SelfAttention",
    "SingleFeature",
    "Spec",
    "SpecError",
    "TablesSource",
    "Text",
    "load_spec",
]
