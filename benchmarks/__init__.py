"""The claims of speed, measured: ``python -m benchmarks`` prints one table and fails where one does not hold.

Every number is held against another measured in the same run, by turns, so that a slow or busy machine slows
both. `docs/performance.md` has a table and says how to read it.
"""
