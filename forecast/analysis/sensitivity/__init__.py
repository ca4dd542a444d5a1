"""What the answer depends on: judgements, their flip values, and sets of reports."""
