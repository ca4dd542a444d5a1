"""What the reader sees: table, brief, plot and JSON. They draw what others computed, and compute nothing."""
