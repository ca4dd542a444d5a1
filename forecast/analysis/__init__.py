"""Reads a result and says more about it: clashes of reports, and what will explain a forecast."""
