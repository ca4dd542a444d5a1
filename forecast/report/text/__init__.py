"""Terminal output: tables rendered by rich, and lines of plain text."""
