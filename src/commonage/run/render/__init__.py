"""Pictures of a match, drawn from its log: a step as SVG or PNG, many as a GIF, or as a page with a player in it."""

from __future__ import annotations

from pathlib import Path

from commonage.errors import SpecError
from commonage.measure import words
from commonage.run import replay
from commonage.run.render import film, page, raster, svg

KINDS = ("svg", "png", "gif", "html")
SINGLE = ("svg", "png")  # show one step
FOLLOWING = ("svg", "html")  # in their reader's light or dark
LEAST, MOST = 64, 4096  # pixels of the longer side


def render(
    folder: str | Path,
    number: int,
    out: str | Path | None = None,
    *,
    step: int | None = None,
    steps: tuple[int, int] | None = None,
    kind: str = "",
    every: int = 1,
    scale: int = 640,
    dark: bool = False,
) -> Path:
    """Draws match `number` (from 1) of a log after `step` steps (0: its start), or after each of `steps`, first and last; gives the file.

    `kind` is svg, png, gif or html; as `out` ends where none is named, else svg of a step and gif of a match. Of many steps every
    `every`-th is shown, and the last; `scale` is the longer side of what is drawn in pixels, without its margins; PNG and GIF are light
    or `dark`, SVG and HTML as their reader has it. Raises SpecError for what cannot be drawn, LogError where there is no such match.
    """
    kind = _kind(kind, out, step)
    if not LEAST <= scale <= MOST:
        raise SpecError(f"--scale {scale}: the longer side has between {LEAST} and {MOST:,} pixels")
    if every < 1:
        raise SpecError(f"--every {every}: every how many steps a frame is shown, at least 1")
    found = replay.recorded(folder, number)
    first, last = _span(kind, step, steps, len(found.in_rounds), number)
    if dark and kind in FOLLOWING:
        raise SpecError(f"--dark: a .{kind} follows its reader's light or dark; .png and .gif are drawn in one of them")
    shown = film.film(found, {*range(first, last + 1, every), last})
    part = f"-step-{last}" if kind in SINGLE else f"-steps-{first}-{last}" if steps else ""
    target = Path(out) if out else Path(folder) / f"match-{number}{part}.{kind}"
    if kind in SINGLE or kind == "gif":
        target.write_bytes(svg.svg(shown, scale).encode() if kind == "svg" else getattr(raster, kind)(shown, scale, dark))
    else:
        target.write_text(page.page(shown, scale), encoding="utf-8")
    return target


def _kind(kind: str, out: str | Path | None, step: int | None) -> str:
    """Which kind of file."""
    ending = Path(out).suffix.lower().removeprefix(".") if out else ""
    if out and ending not in KINDS:
        raise SpecError(f"--out {out}: the file must end in {', '.join(f'.{one}' for one in KINDS[:-1])} or .{KINDS[-1]}")
    if kind and ending not in ("", kind):
        raise SpecError(f"--{kind} --out {out}: the file must end in .{kind}")
    return kind or ending or ("gif" if step is None else "svg")


def _span(kind: str, step: int | None, steps: tuple[int, int] | None, played: int, number: int) -> tuple[int, int]:
    """The first and the last step that are shown."""
    if step is not None and steps is not None:
        raise SpecError(f"--step {step} --steps {steps[0]}-{steps[1]}: name one of them")
    if kind in SINGLE and step is None:
        raise SpecError(f"a picture in .{kind} is of one step: --step {played}; of many there is .gif and .html")
    if kind == "gif" and step is not None:
        raise SpecError(f"--step {step}: a .gif is of many steps: --steps {step}-{played}, or none; of one step there is .svg and .png")
    first, last = steps or ((step, step) if step is not None else (0, played))
    if not 0 <= first <= last <= played:
        what = f"--step {step}" if step is not None else f"--steps {first}-{last}"
        raise SpecError(f"{what}: match {number} has {words.count(played, 'step')}; 0 is its start, {played} its end")
    return first, last
