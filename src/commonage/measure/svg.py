"""A matplotlib figure as SVG text that follows the reader's light or dark. Leaves no global state behind."""

from __future__ import annotations

import io
import re
from html import escape
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from commonage.measure.style import COLORS, FONTS, css

INK = {name: f"#0101{i:02x}" for i, name in enumerate(COLORS, 16)}  # what matplotlib draws with; CSS variables replace it
DRAWING: Any = {  # in force while one figure is drawn: `@drawn`
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.unicode_minus": False,
    "text.parse_math": False,
}
drawn = matplotlib.rc_context(DRAWING)


def svg(figure: Figure, alt: str) -> str:
    """The figure as SVG text in the page's fonts and colours; it carries its own where it stands alone."""
    out = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": alt}):  # ids that depend on the content, and differ from figure to figure
        FigureCanvasSVG(figure).print_svg(out, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = re.sub(r"<metadata>.*?</metadata>", "", out.getvalue()[out.getvalue().index("<svg") :], flags=re.S)
    for name, drawn in INK.items():
        text = text.replace(drawn, f"var(--{name})")
    text = re.sub(r"'DejaVu Sans'[^;\"]*", FONTS, text)
    text = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", text)  # names of groups, the same in all figures of a page
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    assert size is not None
    head = f'role="img" aria-label="{escape(alt)}" width="{float(size[1]):g}" height="{float(size[2]):g}"'
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1), count=1)
    return text.replace("<svg ", f"<svg {head} ", 1).replace("<defs>", f"<defs><style>{css()}</style>", 1)


def sheet(width: float, height: float, margins: tuple[float, float, float, float]) -> tuple[Figure, Axes]:
    """A figure of so many units, 72 an inch so that a unit is one of the SVG's, and its axes."""
    figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor=INK["paper"])
    return figure, panel(figure, width, height, margins)


def panel(figure: Figure, width: float, height: float, margins: tuple[float, float, float, float]) -> Axes:
    """Axes without a box, inside margins (left, bottom, right, top)."""
    left, bottom, right, top = margins
    axes = figure.add_axes((left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height))
    axes.set_facecolor("none")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelsize=10.5, labelcolor=INK["muted"], pad=5)
    return axes


def label(figure: Figure, x: float, y: float, text: str, width: float, height: float) -> None:
    """A bold title, its left end at (x, y)."""
    figure.text(x / width, y / height, text, color=INK["ink"], fontsize=12.5, fontweight="bold", va="center")
