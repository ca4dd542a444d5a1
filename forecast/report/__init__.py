"""Presentation of results as terminal text, brief, plots and JSON; nothing is inferred here."""
