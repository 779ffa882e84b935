"""The generator of a plausible store, with judgments, clicks and the truth behind them."""
