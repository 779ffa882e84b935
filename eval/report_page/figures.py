"""Numbers as the page prints them. None, where a report has no value, is a dash."""

__all__ = ["DASH", "count", "interval", "number", "p_value", "share", "signed"]

DASH = "–"
_MINUS = "−"


def number(value: float | None, digits: int | None = None) -> str:
    """With this many decimals; else with four, from 100 on two: 0.4321, 1,234.50."""
    if value is None:
        return DASH
    if digits is None:
        digits = 4 if abs(value) < 100 else 2
    text = f"{abs(value):,.{digits}f}"
    return _MINUS + text if value < 0 and text.strip("0.") else text


def signed(value: float | None, digits: int | None = None) -> str:
    """As `number`, with the sign of a difference: +0.0123, −0.0123, 0.0000."""
    text = number(value, digits)
    return "+" + text if value is not None and value > 0 and text.strip("0.") else text


def interval(low: float | None, high: float | None, *, sign: bool = False) -> str:
    """Both ends: 0.4100 to 0.4500; a dash where one is missing."""
    if low is None or high is None:
        return DASH
    show = signed if sign else number
    return f"{show(low)} to {show(high)}"


def p_value(value: float | None) -> str:
    """Three decimals: 0.012; below that, < 0.001."""
    if value is None:
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def share(value: float | None) -> str:
    """Of a whole, in percent: 12.3%."""
    if value is None:
        return DASH
    if value == 0:
        return "0%"
    return "< 0.1%" if value < 0.001 else f"{100 * value:.1f}%"


def count(value: float | None) -> str:
    """A whole number with separators: 12,345."""
    return DASH if value is None else f"{value:,.0f}"
