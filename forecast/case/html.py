"""HTML fragments for notebook displays: tables, lists, collapsible parts. All text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """<style>
.forecast-display{font-family:system-ui,sans-serif;font-size:13px;line-height:1.45;max-width:100%}
.forecast-display summary{cursor:pointer;padding:2px 0}
.forecast-display .head{font-weight:600;padding-bottom:4px}
.forecast-display .dim{opacity:.7}
.forecast-display table{border-collapse:collapse;margin:2px 0 8px 14px}
.forecast-display th,.forecast-display td{text-align:left;vertical-align:top;padding:1px 10px 1px 0;
 background:none;border:0}
.forecast-display td.n{text-align:right;font-variant-numeric:tabular-nums}
</style>"""


def page(kind: str, parts: Iterable[str], *, name: str = "", more: str = "") -> str:
    """Return a display: the kind of object, its name, and the parts, which are HTML already."""
    head = f"<div class='head'><span class='dim'>{kind}</span> {escape(name)} {dim(more, 'span')}</div>"
    return f"{_STYLE}<div class='forecast-display'>{head}{''.join(parts)}</div>"


def dim(text: str, tag: str = "div") -> str:
    """Return a text in a fainter tone."""
    return f"<{tag} class='dim'>{escape(text)}</{tag}>"


def fold(title: str, content: str, *, opened: bool = False) -> str:
    """Return HTML content that unfolds under a title."""
    return f"<details{' open' if opened else ''}><summary>{escape(title)}</summary>{content}</details>"


def bullets(lines: Iterable[str]) -> str:
    """Return a list of texts."""
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """Return a table whose last columns, `numbers` of them, are set to the right."""
    words = len(header) - numbers
    top = "".join(f"<th scope='col'>{escape(name)}</th>" for name in header)
    kinds = [""] * words + [" class=n"] * numbers
    cells = (zip(kinds, row, strict=True) for row in rows)
    lines = ("".join(f"<td{kind}>{escape(cell)}</td>" for kind, cell in row) for row in cells)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
