"""What stands in for a character that a terminal cannot show, so that nothing turns into its opposite."""

from __future__ import annotations

import codecs

_NAME = "forecast-plain"

#: All of one width, so that tables stay straight.
_PLAIN = str.maketrans("▲▼−–·…▁▂▃▄▅▆▇█░", "+--" + "-*." + "12345678" + " ")


def handler() -> str:
    """Return the name of an error handler for streams; it replaces what it does not know by "?".

    Examples
    --------
    >>> "▲ 0.7, ▼ 1.2, 48–75%, ü".encode("ascii", errors=handler())
    b'+ 0.7, - 1.2, 48-75%, ?'
    """
    codecs.register_error(_NAME, _plain)
    return _NAME


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", errors="replace").decode(), error.end
