"""What the analyst reads on the terminal: tables drawn by rich, and lines of text."""
