"""Plots of what others computed, by matplotlib; the trend and the evidence map by plotly as well."""
