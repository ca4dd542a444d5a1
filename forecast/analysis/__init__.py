"""Analyses of a forecast: sensitivity, attribution, information gain, cross-validation, review."""
