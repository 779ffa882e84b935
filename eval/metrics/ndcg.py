"""Normalised discounted cumulative gain, exact under ties."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Self, cast, get_args

import numpy as np

from eval.lists import FloatArray, Lists
from eval.ranking import rank

__all__ = ["NDCG", "Gain"]

Gain = Literal["exp2", "linear"]

_LARGEST_EXP2_LABEL_BY_DEFAULT = 10.0
_LARGEST_EXP2_LABEL = 1000.0  # 2^1024 is infinite, and gains are added up


@dataclass(frozen=True)
class NDCG:
    """NDCG@k: DCG over the DCG of the listed documents in order of falling label.

    DCG@k = sum over positions p = 1 .. k of gain(label at p) / log2(p + 1) (Jarvelin and Kekalainen, TOIS 2002; with
    the gain 2^label - 1 of Burges et al., ICML 2005). Documents of equal score share their positions: the figure is
    the mean over all their orders (McSherry and Najork, ECIR 2008).

    Args:
        k: cutoff, >= 1; None: the whole list.
        gain: `exp2` (2^label - 1) or `linear` (label). None: `exp2`, but `linear` once a label exceeds 10.

    >>> import numpy as np
    >>> one = Lists(np.array(["q"]), np.array([0, 2]), np.array([0.0, 1.0]))
    >>> NDCG(k=1).per_list(one, np.array([0.1, 0.9])).tolist(), NDCG(k=1).per_list(one, np.zeros(2)).tolist()
    ([1.0], [0.5])
    """

    k: int | None = None
    gain: Gain | None = None

    def __post_init__(self) -> None:
        if self.k is not None and self.k < 1:
            raise ValueError(f"ndcg: the cutoff must be at least 1, got {self.k}; leave it out for the whole list")
        if self.gain is not None and self.gain not in get_args(Gain):
            raise ValueError(f"ndcg: gain must be one of {', '.join(get_args(Gain))}, got {self.gain!r}")

    @classmethod
    def from_options(cls, k: int | None, options: Mapping[str, str]) -> Self:
        """The value for a cutoff and the `name=text` options of a metric's text."""
        unknown = sorted(set(options) - {"gain"})
        if unknown:
            raise ValueError(f"ndcg has no option {unknown[0]!r}; known: gain")
        return cls(k, cast("Gain | None", options.get("gain")))

    def __str__(self) -> str:
        cutoff = "" if self.k is None else f"@{self.k}"
        return f"ndcg{cutoff}" + ("" if self.gain is None else f"(gain={self.gain})")

    @property
    def higher_is_better(self) -> bool:
        """True: 1 is the ideal order."""
        return True

    @property
    def contract(self) -> Mapping[str, str]:
        """The choices behind the figures."""
        gain = self.gain or f"exp2, or linear once a label exceeds {_LARGEST_EXP2_LABEL_BY_DEFAULT:g}"
        return {"gain": gain, "ties": "average", "empty": "skip", "ideal": "listed"}

    def settled(self, lists: Lists) -> Self:
        """This metric with its gain chosen by the largest label of `lists`, where it was left open."""
        if self.gain is not None:
            return self
        largest = float(lists.labels.max(initial=0.0))
        return replace(self, gain="linear" if largest > _LARGEST_EXP2_LABEL_BY_DEFAULT else "exp2")

    def per_list(self, lists: Lists, scores: FloatArray) -> FloatArray:
        """NDCG of each list, in [0, 1]; NaN for a list without a relevant document.

        Args:
            lists: the lists. A gain left open is chosen by their largest label.
            scores: float64 [documents], finite.

        Returns:
            float64 [lists].
        """
        gains_of = self.settled(lists)._gains
        longest = int(lists.sizes.max(initial=0))
        depth = longest if self.k is None else min(self.k, longest)
        discounts = 1.0 / np.log2(np.arange(2, depth + 2))
        found = lists.discounted_sums(rank(lists, scores).expected(gains_of(lists.labels)), discounts)
        ideal = lists.discounted_sums(gains_of(lists.ideal_labels), discounts)
        ratio = np.divide(found, ideal, out=np.full(len(lists), np.nan), where=ideal > 0)
        return np.minimum(ratio, 1.0)  # tied documents add up in another order than the ideal: a last bit above 1

    def _gains(self, labels: FloatArray) -> FloatArray:
        """Gain of each label, float64 [n] to float64 [n]."""
        if self.gain == "linear":
            return labels
        largest = float(labels.max(initial=0.0))
        if largest > _LARGEST_EXP2_LABEL:
            raise ValueError(f"{self}: 2^label overflows for label {largest:g}; write {replace(self, gain='linear')}")
        return np.exp2(labels) - 1.0
