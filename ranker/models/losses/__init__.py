"""Losses over padded lists, all taking a mask, none depending on padding: `make_loss`."""

from ranker.models.losses.make import LOSSES, LossFunction, make_loss

__all__ = ["LOSSES", "LossFunction", "make_loss"]
