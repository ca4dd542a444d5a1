"""Plots: each draws what others computed, with matplotlib for paper or with plotly for the screen."""
