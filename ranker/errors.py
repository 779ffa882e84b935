"""What a user can mend: every such error says what, where, expected, got, and how."""

__all__ = ["RankerError"]


class RankerError(ValueError):
    """Base of the errors that commands print without a traceback."""
