"""Sensitivity analysis of a forecast to its judgements and to its reports."""
