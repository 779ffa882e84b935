"""The horizontal scale of a picture: values to percents of its width, and the round numbers to name."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Axis", "axis_over"]

_MARGIN = 3.0  # percent of the width that stays free on either side, so that marks are not cut


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, `low` < `high`; what lies beyond is drawn at the end."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Place of a value in percent of the width."""
        place = (value - self.low) / (self.high - self.low)
        return round(_MARGIN + (100 - 2 * _MARGIN) * min(max(place, 0.0), 1.0), 2)

    def holds(self, value: float) -> bool:
        """Whether the value is drawn where it is."""
        return self.low <= value <= self.high

    def ticks(self, most: int = 5) -> list[float]:
        """Multiples of 1, 2 or 5 times a power of ten, at most `most` + 1 of them."""
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(at * step, 12) for at in range(first, last + 1)]

    def label(self, tick: float, *, sign: bool = False) -> str:
        """A tick with as many decimals as tell it from the next."""
        ticks = self.ticks()
        step = ticks[1] - ticks[0] if len(ticks) > 1 else self.high - self.low
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        text = f"{abs(tick):,.{digits}f}" if tick else "0"
        if tick < 0:
            return "−" + text
        return "+" + text if sign and tick > 0 else text


def axis_over(values: Iterable[float | None]) -> Axis:
    """An axis that holds all values (None: no value) with a little room; around 0 where there are none."""
    there = [value for value in values if value is not None]
    low, high = min(there, default=0.0), max(there, default=0.0)
    room = 0.03 * (high - low) or 0.05 * abs(low) or 0.01
    return Axis(low - room, high + room)
