"""The posterior of judgements and scenarios by sequential Monte Carlo, and the result it is put into."""
