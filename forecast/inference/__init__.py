"""Posterior inference by sequential Monte Carlo or NUTS, and its result as a DataTree."""
