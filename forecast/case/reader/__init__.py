"""Reader of ``question.yaml`` and ``evidence.csv``: validated values, or every fault together."""
