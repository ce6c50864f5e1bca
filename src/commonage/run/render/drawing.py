"""From shapes to marks: rectangles, discs and texts in pixels with a colour's name, which every format paints in its own way."""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import ImageFont

from commonage.measure.style import COLORS, FILLS, color
from commonage.run.render.film import Film, Frame, Shape

STRONG = ("good", "bad", "idle", "ink", "wall")  # what is written on these is in the paper's colour, as on a seat's
MARGIN = 0.025  # around a scene, of its longer side
SMALLEST, LARGEST = 11, 20  # pixels of a caption's letters
LEGIBLE = 5  # pixels
WIDEST = 0.86  # of what a text stands in


class Rect(NamedTuple):
    """A rectangle; without a fill its outline."""

    x: float
    y: float
    w: float
    h: float
    fill: str


class Disc(NamedTuple):
    """A filled circle."""

    x: float
    y: float
    r: float
    fill: str


class Text(NamedTuple):
    """One line, centred at (x, y); `start`: it begins at x."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    start: bool = False


Mark = Rect | Disc | Text


class Cell(NamedTuple):
    """A place for one text of the caption."""

    x: float
    y: float
    seat: int = -1  # whose rewards stand there; -1: nobody's


class Sheet(NamedTuple):
    """How a film lies on its pictures: all have the same size."""

    width: int
    height: int
    left: float  # of the scenes, in their own units
    top: float
    scale: float  # pixels a unit
    margin: float  # pixels
    letter: float  # pixels of the caption's letters
    cells: tuple[Cell, ...]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A point of the scene in pixels."""
        return (x - self.left) * self.scale + self.margin, (y - self.top) * self.scale + self.margin


def sheet(film: Film, pixels: int, captioned: bool = True) -> Sheet:
    """A sheet on which the longer side of what all scenes cover has so many pixels; the caption stands below."""
    left, top, right, bottom = _extent(film.shapes)
    scale, margin = pixels / max(right - left, bottom - top), math.ceil(pixels * MARGIN)
    width, height = (round(side * scale) + 2 * margin for side in (right - left, bottom - top))
    letter = min(max(pixels * 0.022, SMALLEST), LARGEST)
    cells, deep = _flow(film, letter, margin, width - margin, height) if captioned else ((), 0.0)
    return Sheet(width, height + math.ceil(deep), left, top, scale, margin, letter, cells)


def marks(shape: Shape, on: Sheet) -> list[Mark]:
    """What a shape of a scene consists of."""
    fill, text = _fill(shape), str(shape.get("text", ""))
    x, y = on.at(shape["x"], shape["y"])
    if shape["shape"] == "text":
        return [Text(x, y, text, shape.get("size", 0.04) * on.scale, fill or "ink")]
    if shape["shape"] == "circle":
        r = shape["r"] * on.scale
        return [Disc(x, y, r, fill), *_written(text, x, y, 2 * r, 1.3 * r, _upon(fill))]
    w, h = shape["w"] * on.scale, shape["h"] * on.scale
    middle = _written(text, x + w / 2, y + h / 2, w, min(h, 0.6 * w), _upon(fill))
    return [Rect(x, y, w, h, fill), *middle] if shape["shape"] == "rect" else _bar(shape, x, y, w, h, text, on)


def caption(film: Film, frame: Frame, on: Sheet) -> list[Mark]:
    """The line below a scene: which match, round and step; the rewards so far, by seat."""
    out: list[Mark] = []
    for cell, text in zip(on.cells, [*_head(film, frame), *frame.rewards], strict=True):
        if cell.seat < 0:
            out.append(Text(cell.x, cell.y, text, on.letter, "muted", True))
            continue
        r = 0.62 * on.letter
        number = Text(cell.x + r, cell.y, str(cell.seat + 1), 0.8 * on.letter, "paper")
        out += [Disc(cell.x + r, cell.y, r, color(cell.seat)), number, Text(cell.x + 2.6 * r, cell.y, text, on.letter, "ink", True)]
    return out


@functools.lru_cache(maxsize=1024)
def font(size: int) -> Any:
    """A letter of so many pixels; the face comes with matplotlib, so that pictures are the same everywhere."""
    import matplotlib

    path = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


@functools.lru_cache(maxsize=4096)
def wide(text: str, size: float) -> float:
    """Pixels that a text takes."""
    return float(font(100).getlength(text)) * size / 100


def _bar(shape: Shape, x: float, y: float, w: float, h: float, text: str, on: Sheet) -> list[Mark]:
    """A box, filled from below or, where it is wider than high, from the left; what is written on it stands in its middle."""
    part = min(max(float(shape["value"]), 0.0), 1.0)
    inside = Rect(x, y, w * part, h, "full") if w > h else Rect(x, y + h * (1 - part), w, h * part, "full")
    return [
        Rect(x, y, w, h, "paper"),
        inside,
        Rect(x, y, w, h, ""),
        *_written(text, x + w / 2, y + h / 2, w, min(h, 0.05 * on.scale), "ink"),
    ]


def _written(text: str, x: float, y: float, w: float, most: float, fill: str) -> list[Mark]:
    """A text as large as fits; none where it could not be read."""
    size = min(most, WIDEST * w / max(wide(text, 1.0), 0.1))
    return [Text(x, y, text, size, fill)] if text and size >= LEGIBLE else []


def _fill(shape: Shape) -> str:
    """The name of its colour; "" for none. What has no colour of ours gets one by its name."""
    name = shape.get("fill", "ink" if shape["shape"] == "text" else "none")
    if name == "seat":
        return color(int(shape["seat"])) if "seat" in shape else "idle"
    return "" if name == "none" else name if name in FILLS or name in COLORS else color(zlib.crc32(name.encode()))


def _upon(fill: str) -> str:
    return "paper" if fill in STRONG or fill.startswith("arm") else "ink"


def _extent(shapes: Sequence[Shape]) -> tuple[float, float, float, float]:
    """What all shapes cover: left, top, right, bottom."""
    lefts, tops, rights, bottoms = zip(*map(_box, shapes), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _box(shape: Shape) -> tuple[float, float, float, float]:
    x, y = shape["x"], shape["y"]
    if shape["shape"] == "circle":
        return x - shape["r"], y - shape["r"], x + shape["r"], y + shape["r"]
    if shape["shape"] == "text":
        size = shape.get("size", 0.04)
        half = wide(str(shape["text"]), size) / 2
        return x - half, y - size / 2, x + half, y + size / 2
    return x, y, x + shape["w"], y + shape["h"]


def _head(film: Film, frame: Frame) -> tuple[str, str, str]:
    return f"match {film.number}", f"round {frame.round}", f"step {frame.step}"


def _flow(film: Film, letter: float, left: float, right: float, y: float) -> tuple[tuple[Cell, ...], float]:
    """(the cells of the caption, as many on a line as fit; how deep they are). Those of seats are equally wide."""
    head = [wide(text, letter) for text in _head(film, film.frames[-1])]
    most = max(wide(text, letter) for frame in film.frames for text in frame.rewards)
    widths = [*head, *[most + 1.7 * letter] * len(film.seats)]
    cells, x, gap, line = [], left, 1.1 * letter, 1.75 * letter
    for place, width in enumerate(widths):
        if x > left and x + width > right:
            x, y = left, y + line
        cells.append(Cell(x, y + 0.45 * line, place - len(head) if place >= len(head) else -1))
        x += width + gap
    return tuple(cells), y + 1.1 * line - (cells[0].y - 0.45 * line)
