"""Bayesian scenario forecasting: scenario probabilities, their uncertainty, and attribution of change.

A case folder holds a question, its scenarios and indicators, and the log of dated reports. From it

>>> import forecast
>>> case = forecast.load_case("scenarios/isis-jn-2014")  # doctest: +SKIP
>>> tree = forecast.update(case, as_of=date(2014, 11, 23))  # doctest: +SKIP
>>> tree["trend"]["probability"]  # doctest: +SKIP

Importing this package is cheap: every public name, listed in ``__init__.pyi`` beside this file, is imported
from its module when it is first used.
"""

from lazy_loader import attach_stub

from forecast._version import __version__ as __version__

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
