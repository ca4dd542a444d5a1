"""Append-only ledger of issued forecasts, and comparison with issues about earlier scenarios."""
