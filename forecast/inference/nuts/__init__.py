"""PyMC model of a case, an independent second implementation, and the engine ``nuts`` on it."""
