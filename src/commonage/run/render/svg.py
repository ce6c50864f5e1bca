"""Marks as SVG text. Each colour is a class, so that a picture follows the reader's light or dark."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from commonage.measure.style import COLORS, FILLS, FONTS
from commonage.run.render.drawing import Disc, Mark, Rect, caption, marks, sheet
from commonage.run.render.film import Film


def svg(film: Film, pixels: int) -> str:
    """The first frame of a film as a picture of its own."""
    on, frame = sheet(film, pixels), film.frames[0]
    drawn = [*(mark for shape in frame.shapes for mark in marks(film.shapes[shape], on)), *caption(film, frame, on)]
    said = f"Match {film.number} of {film.title} after step {frame.step}; rewards so far: {', '.join(frame.rewards)}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {on.width} {on.height}" width="{on.width}" height="{on.height}"'
    paper = f'<rect class="paper" width="{on.width}" height="{on.height}"/>'
    inside = "\n".join(map(element, drawn))
    return f'{head} role="img" aria-label="{escape(said)}">\n<style>{css(drawn)}</style>\n{paper}\n{inside}\n</svg>\n'


def element(mark: Mark) -> str:
    """One mark as an element."""
    if isinstance(mark, Rect):
        left, top, right, bottom = (round(edge, 1) for edge in (mark.x, mark.y, mark.x + mark.w, mark.y + mark.h))  # neighbours touch
        return f'<rect class="{_class(mark.fill)}" x="{_(left)}" y="{_(top)}" width="{_(right - left)}" height="{_(bottom - top)}"/>'
    if isinstance(mark, Disc):
        return f'<circle class="{_class(mark.fill)}" cx="{_(mark.x)}" cy="{_(mark.y)}" r="{_(mark.r)}"/>'
    kind = f"{_class(mark.fill)} start" if mark.start else _class(mark.fill)
    lower = mark.y + 0.36 * mark.size  # the middle of figures and capitals
    return f'<text class="{kind}" x="{_(mark.x)}" y="{_(lower)}" font-size="{_(mark.size)}">{escape(mark.text)}</text>'


def css(drawn: Iterable[Mark]) -> str:
    """The classes of these marks."""
    palette = {**COLORS, **FILLS}
    names = sorted({"paper", *(mark.fill for mark in drawn if mark.fill)})
    light, dark = ("".join(_classes(name, palette[name][i]) for name in (*names, "rule")) for i in (0, 1))
    both = f"text{{font-family:{FONTS};text-anchor:middle}}.start{{text-anchor:start}}rect{{shape-rendering:crispEdges}}"  # no seams
    return f"{both}{light}@media(prefers-color-scheme:dark){{{dark}}}"


def _classes(name: str, value: str) -> str:
    """`rule` is what lines are drawn with."""
    return f".line{{fill:none;stroke:{value}}}" if name == "rule" else f".{_class(name)}{{fill:{value}}}"


def _class(name: str) -> str:
    """The class of a colour; what has none is drawn as a line."""
    return name.replace(" ", "-") or "line"


def _(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
