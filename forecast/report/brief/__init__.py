"""The weekly brief, as one HTML page and as Markdown."""
