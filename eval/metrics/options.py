"""Options of metrics, the fields of their dataclasses: checked, read from text and printed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

__all__ = ["Measure", "number", "options_of"]


@dataclass(frozen=True)
class Measure:
    """A named measure with an optional cutoff: a value that prints as `name@k(option=value, ...)` and parses back.

    Subclasses are frozen dataclasses; each field beside `k` is an option, a text or a number (of type `float`).

    Args:
        k: cutoff, >= 1; None: the whole list.
    """

    name: ClassVar[str]
    higher_is_better: ClassVar[bool] = True
    takes_cutoff: ClassVar[bool] = True
    needs_cutoff: ClassVar[bool] = False
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    k: int | None = field(default=None, kw_only=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of a score table that it reads, beside ids, label and scores."""
        return ()

    def __post_init__(self) -> None:
        if self.k is not None and not self.takes_cutoff:
            raise ValueError(f"{self.name}: has no cutoff, got {self.k}; write {self.name}")
        if self.k is not None and self.k < 1:
            raise ValueError(
                f"{self.name}: the cutoff must be at least 1, got {self.k}; leave it out for the whole list"
            )
        if self.k is None and self.needs_cutoff:
            raise ValueError(f"{self.name}: needs a cutoff, such as {self.name}@10")
        for option, known in self.choices.items():
            value = getattr(self, option)
            if value is not None and value not in known:
                raise ValueError(f"{self.name}: {option} must be one of {', '.join(known)}, got {value!r}")

    @classmethod
    def from_options(cls, k: int | None, options: Mapping[str, str]) -> Self:
        """The value for a cutoff and the `option=text` pairs of a metric's text.

        Raises:
            ValueError: unknown option, or a value that it does not take.
        """
        known = options_of(cls)
        unknown = sorted(set(options) - set(known))
        if unknown:
            raise ValueError(f"{cls.name} has no option {unknown[0]!r}; known: {', '.join(known) or 'none'}")
        values: dict[str, Any] = {name: _read(cls.name, name, known[name], text) for name, text in options.items()}
        return cls(k=k, **values)

    def __str__(self) -> str:
        set_by_hand = [
            f"{option.name}={_text(getattr(self, option.name))}"
            for option in _fields(type(self))
            if getattr(self, option.name) != option.default
        ]
        cutoff = "" if self.k is None else f"@{self.k}"
        return f"{self.name}{cutoff}" + (f"({','.join(set_by_hand)})" if set_by_hand else "")


def options_of(measure: type[Measure]) -> dict[str, type]:
    """The options of a kind of measure: `float` or `str` by name, in the order in which they print."""
    return {option.name: float if "float" in str(option.type) else str for option in _fields(measure)}


def number(measure: str, option: str, value: float | None, least: float, most: float = math.inf) -> None:
    """Refuse a value that is not inside (least, most), both ends left out; None is allowed.

    Raises:
        ValueError: naming the measure and the option.
    """
    if value is not None and not least < value < most:
        bounds = f"above {least:g}" + ("" if most == math.inf else f" and below {most:g}")
        raise ValueError(f"{measure}: {option} must be a number {bounds}, got {value:g}")


def _fields(measure: type[Measure]) -> list[Any]:
    """Fields beside the cutoff: what only some measures have first, then what all have."""
    return sorted((option for option in fields(measure) if option.name != "k"), key=lambda option: option.kw_only)


def _read(measure: str, option: str, kind: type, text: str) -> Any:
    if kind is str:
        return text
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{measure}: {option} must be a number, got {text!r}") from None


def _text(value: Any) -> str:
    return repr(float(value)).removesuffix(".0") if isinstance(value, int | float) else str(value)
