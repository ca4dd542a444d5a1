"""The page of the weekly brief: its blocks as plain values, what is told in each section, and its picture."""
