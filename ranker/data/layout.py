"""The transformed tensors of a list: what the transform graph gives, packed examples hold and models take.

For a batch of B lists, padded to L documents:

- `dense`: float32 `[B, L, F]`, one number per dense feature and document;
- one int64 tensor per id feature, `[B, L, T]` for document features, `[B, T]` for query features: T ids each
  (T = 1 unless multi-valued), from 1 to `size - 1`; 0 is padding or a missing value.

- `weight` float32 and `position` int64 `[B, L]`, where the data has them: importance in the loss (1 where it is
  missing), and the rank at which the document was shown (from 1; 0 if it was not).

Padded documents are all zero; which they are is said by the mask, bool `[B, L]`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from ranker.data.columns import Scope

__all__ = ["IdFeature", "Layout"]


@dataclass(frozen=True)
class IdFeature:
    """A feature made of ids, for embedding; features with the same `table` share one embedding table."""

    name: str
    scope: Scope
    size: int
    embed: int
    multivalued: bool
    table: str


@dataclass(frozen=True)
class Layout:
    """Names and sizes of the transformed tensors.

    Attributes:
        dense: names of the numbers in `dense`.
        ids: the id features.
        judged: which of `weight` and `position` there are.
    """

    dense: tuple[str, ...]
    ids: tuple[IdFeature, ...]
    judged: tuple[str, ...] = ()

    @property
    def single_ids(self) -> tuple[IdFeature, ...]:
        """The id features with one id each, which trees take as codes."""
        return tuple(feature for feature in self.ids if not feature.multivalued)

    def to_json(self) -> dict[str, Any]:
        """As the manifests hold it."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Inverse of `to_json`."""
        ids = tuple(IdFeature(**feature) for feature in content["ids"])
        return cls(tuple(content["dense"]), ids, tuple(content.get("judged", ())))
