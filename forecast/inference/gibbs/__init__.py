"""The Gibbs step of a particle: hidden values given a scenario path, then the judgements given both."""
