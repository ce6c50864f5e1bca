"""Marks as pixels: PNG, and GIF of many frames. Edges of rectangles lie on whole pixels, discs are smooth."""

from __future__ import annotations

import functools
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import GifImagePlugin, Image, ImageChops, ImageDraw

from commonage.measure.style import COLORS, FILLS
from commonage.run.render.drawing import Disc, Mark, Rect, Sheet, caption, font, marks, sheet
from commonage.run.render.film import Film, Shape

SMOOTH = 8  # a disc is drawn so many times larger, then made smaller
SAMPLE = 24  # frames from which the colours of a GIF are taken
SECONDS, SLOWEST, FASTEST = 12, 0.8, 0.06  # a GIF takes about so long; a frame at most and at least
CLEAR = 255  # the index that is no colour
APART = 8  # of 256 levels: two colours differ so much in one part at least
REST = 2.0  # seconds of the last frame


def pixels(scene: Sequence[Shape], scale: int, dark: bool = False) -> np.ndarray:
    """uint8[height, width, 3]: a scene alone, its longer side about so many pixels."""
    on, colors = sheet(Film(0, "", (), list(scene), []), scale, captioned=False), _colors(dark)
    picture = Image.new("RGB", (on.width, on.height), colors["paper"])
    _paint(picture, ImageDraw.Draw(picture), [mark for shape in scene for mark in marks(shape, on)], colors)
    return np.asarray(picture)


def png(film: Film, pixels: int, dark: bool) -> bytes:
    """The first frame of a film."""
    out = io.BytesIO()
    next(_pictures(film, sheet(film, pixels), dark)).save(out, "PNG", optimize=True)
    return out.getvalue()


def gif(film: Film, pixels: int, dark: bool) -> bytes:
    """All frames, again and again; of each what differs from the one before, the rest is transparent."""
    on = sheet(film, pixels)
    palette, out, before = _palette(film, on, dark), io.BytesIO(), None
    lasts = min(max(SECONDS / len(film.frames), FASTEST), SLOWEST)
    for place, picture in enumerate(_pictures(film, on, dark)):
        now = picture.quantize(palette=palette, dither=Image.Dither.NONE)
        if before is None:
            out.writelines(GifImagePlugin.getheader(now, info={"loop": 0})[0])
        part, corner = _change(before, now) if before else (now, (0, 0))
        shown = REST if place + 1 == len(film.frames) else lasts
        out.writelines(GifImagePlugin.getdata(part, corner, duration=round(1000 * shown), disposal=1, transparency=CLEAR))
        before = now
    out.write(b";")
    return out.getvalue()


def _change(before: Image.Image, now: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """(the part that holds all that differs, clear where nothing does; its upper left corner)."""
    apart = ImageChops.difference(before, now)
    left, top, right, bottom = apart.getbbox() or (0, 0, 1, 1)
    part = now.crop((left, top, right, bottom))
    part.paste(CLEAR, mask=apart.crop((left, top, right, bottom)).point([255, *[0] * 255], "1"))
    return part, (left, top)


def _pictures(film: Film, on: Sheet, dark: bool) -> Iterator[Image.Image]:
    """The frames of a film, one after the other."""
    drawn = [marks(shape, on) for shape in film.shapes]
    colors = _colors(dark)
    for frame in film.frames:
        picture = Image.new("RGB", (on.width, on.height), colors["paper"])
        brush = ImageDraw.Draw(picture)
        for shape in frame.shapes:
            _paint(picture, brush, drawn[shape], colors)
        _paint(picture, brush, caption(film, frame, on), colors)
        yield picture


def _paint(picture: Image.Image, brush: Any, drawn: Sequence[Mark], colors: dict[str, tuple[int, ...]]) -> None:
    for mark in drawn:
        if isinstance(mark, Rect):
            left, top, right, bottom = (round(edge) for edge in (mark.x, mark.y, mark.x + mark.w, mark.y + mark.h))
            if mark.fill and left < right and top < bottom:
                brush.rectangle((left, top, right - 1, bottom - 1), colors[mark.fill])
            elif not mark.fill:
                brush.rectangle((left, top, right, bottom), None, colors["rule"])
        elif isinstance(mark, Disc):
            mask = _disc(max(round(2 * mark.r), 2))
            picture.paste(colors[mark.fill], (round(mark.x - mask.width / 2), round(mark.y - mask.height / 2)), mask)
        else:
            brush.text((mark.x, mark.y), mark.text, colors[mark.fill], font(max(round(mark.size), 1)), "lm" if mark.start else "mm")


@functools.lru_cache(maxsize=256)
def _disc(wide: int) -> Image.Image:
    """A smooth disc as a mask."""
    large = Image.new("L", (wide * SMOOTH, wide * SMOOTH))
    ImageDraw.Draw(large).ellipse((0, 0, wide * SMOOTH - 1, wide * SMOOTH - 1), 255)
    return large.resize((wide, wide), Image.Resampling.BOX)


def _colors(dark: bool) -> dict[str, tuple[int, ...]]:
    return {name: tuple(bytes.fromhex(pair[dark][1:])) for name, pair in {**COLORS, **FILLS}.items()}


def _palette(film: Film, on: Sheet, dark: bool) -> Image.Image:
    """The colours that are most frequent in frames from all over the film, none so near to another that Pillow would mix them up."""
    some = film._replace(frames=film.frames[:: max(len(film.frames) // SAMPLE, 1)])
    counts: Counter[Any] = Counter()
    for picture in _pictures(some, on, dark):
        counts.update({color: count for count, color in picture.getcolors(picture.width * picture.height) or []})
    chosen: list[tuple[int, int, int]] = []
    for color, _ in counts.most_common():
        if len(chosen) < CLEAR and all(max(abs(a - b) for a, b in zip(color, other, strict=True)) >= APART for other in chosen):
            chosen.append(color)
    out = Image.new("P", (1, 1))
    out.putpalette([part for color in chosen for part in color])
    return out
