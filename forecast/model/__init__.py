"""The probability model: pure functions on arrays; no files, no plots."""
