"""A game's scene as marks that `static/scene.js` paints: the same that `commonage render` paints into files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commonage.run.render.drawing import Disc, Mark, Rect, marks, sheet
from commonage.run.render.film import Film, Shape

PIXELS = 640  # of the longer side; a page scales it


def picture(scene: Sequence[Shape]) -> dict[str, Any] | None:
    """{width, height, marks}; None where the game draws nothing.

    A mark is [kind, fill, ...]: rect x, y, w, h; circle x, y, r; text x, y, size, text. `fill` is a colour's name, "" an outline.
    """
    if not scene:
        return None
    on = sheet(Film(0, "", (), list(scene), []), PIXELS, captioned=False)
    return {"width": on.width, "height": on.height, "marks": [_row(mark) for shape in scene for mark in marks(shape, on)]}


def _row(mark: Mark) -> list[Any]:
    if isinstance(mark, Rect):
        left, top, right, bottom = (round(edge, 1) for edge in (mark.x, mark.y, mark.x + mark.w, mark.y + mark.h))  # neighbours touch
        return ["rect", mark.fill, left, top, round(right - left, 1), round(bottom - top, 1)]
    if isinstance(mark, Disc):
        return ["circle", mark.fill, round(mark.x, 1), round(mark.y, 1), round(mark.r, 1)]
    return ["text", mark.fill, round(mark.x, 1), round(mark.y, 1), round(mark.size, 1), mark.text]
