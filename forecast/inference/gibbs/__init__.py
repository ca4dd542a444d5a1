"""Gibbs move of a particle: latent variables given theta, then theta given the latent variables.

:mod:`~forecast.inference.gibbs.latent` draws the hidden values: the path, the value of each cell, the origin
of each report. :mod:`~forecast.inference.gibbs.conjugate` draws the judgements given these, a function for
each kind: likelihoods, reliabilities of sources, prior, dynamics. :mod:`~forecast.inference.gibbs.sweep`
does both for every particle.
"""
