"""The same model as a ``pm.Model``, and the engine that samples it with NUTS."""
