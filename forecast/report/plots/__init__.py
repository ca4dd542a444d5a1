"""Plots of results by matplotlib; trend and evidence map by plotly as well."""
