"""Prior and posterior predictive distributions of the evidence, and its prequential scores."""
