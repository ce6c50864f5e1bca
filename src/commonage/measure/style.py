"""Colours and the report's style sheet: light and dark after the reader's own setting."""

from __future__ import annotations

# name: (light, dark); the colours of arms differ in hue and, neighbours, in lightness
COLORS = {
    "paper": ("#ffffff", "#15181c"),
    "ink": ("#1c2126", "#e8eaed"),
    "muted": ("#5f6872", "#9aa4af"),
    "rule": ("#d6dade", "#363d45"),
    "arm0": ("#2764ae", "#79b0f0"),
    "arm1": ("#d1571b", "#f39a66"),
    "arm2": ("#15835c", "#4fcb9a"),
    "arm3": ("#8a4bab", "#c896e4"),
    "arm4": ("#a77a00", "#e3b948"),
    "arm5": ("#b03060", "#ef8bab"),
    "arm6": ("#208898", "#66cfdc"),
    "arm7": ("#6b737c", "#aab3bd"),
}
FILLS = {  # what a game's scene names besides `seat`, `ink` and `none`; the contract is Game.scene's
    "floor": ("#f3f0e8", "#22272d"),
    "wall": ("#8d9299", "#59616b"),
    "unseen": ("#c9cdd2", "#0d0f12"),
    "water": ("#b3d7f0", "#24506f"),
    "dirt": ("#a88a5c", "#7d6440"),
    "apple": ("#4a9a2c", "#7fc95a"),
    "green token": ("#3d9440", "#6fce72"),
    "red token": ("#cc3d36", "#f2776e"),
    "counter": ("#c9b48f", "#6b5d45"),
    "onion box": ("#e8c36a", "#a07f2e"),
    "tomato box": ("#e08a7d", "#9c453a"),
    "dish stack": ("#c3d0da", "#5c6f80"),
    "pot": ("#5b5f66", "#8f949c"),
    "serving": ("#9cc79a", "#477a50"),
    "onion": ("#f0d67a", "#d9b64a"),
    "tomato": ("#d8483c", "#e8695c"),
    "dish": ("#fafbfc", "#dfe5ea"),
    "full": ("#a9cbeb", "#2d5a85"),  # of a bar
    "good": ("#15835c", "#4fcb9a"),
    "bad": ("#c23a2e", "#f0857a"),
    "idle": ("#7c858e", "#8d97a2"),
}
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"

SHADED = """background:
  linear-gradient(to right, var(--paper) 30%, transparent) left / 3rem 100% no-repeat local,
  linear-gradient(to left, var(--paper) 30%, transparent) right / 3rem 100% no-repeat local,
  linear-gradient(to right, var(--rule), transparent) left / 1rem 100% no-repeat,
  linear-gradient(to left, var(--rule), transparent) right / 1rem 100% no-repeat"""  # a shade at an edge behind which there is more

PAGE = f"""
* {{ box-sizing: border-box }}
body {{ margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 {FONTS} }}
main {{ max-width: 1080px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }}
h1 {{ font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem }}
h2 {{ font-size: 1.1rem; margin: 2.6rem 0 .6rem }}
p {{ margin: .4rem 0; max-width: 70ch }}
.lead {{ font-size: 1.1rem }}
.note {{ color: var(--muted); font-size: .88rem }}
.scroll {{ overflow-x: auto; margin: .6rem 0; {SHADED} }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .89rem; min-width: 100% }}
th, td {{ text-align: left; vertical-align: top; padding: .4rem .85rem .4rem 0; white-space: nowrap }}
thead th {{ border-bottom: 1px solid var(--ink); vertical-align: bottom; font-weight: 600 }}
tbody tr + tr > * {{ border-top: 1px solid var(--rule) }}
tbody th {{ font-weight: 600; white-space: normal; min-width: 13rem; overflow-wrap: anywhere }}
tfoot tr:first-child > * {{ border-top: 1px solid var(--ink) }}
tfoot td, tfoot th {{ color: var(--muted); font-weight: 400; padding-top: .2rem; padding-bottom: .2rem }}
small {{ color: var(--muted); font-weight: 400; font-size: .86em }}
tbody th small {{ display: block; font: .78em/1.4 ui-monospace, Consolas, monospace; overflow-wrap: anywhere }}
.dot {{ display: inline-block; width: .62em; height: .62em; border-radius: 50%; margin-right: .45em }}
.clear {{ font-weight: 600 }}
.wrap {{ white-space: normal; min-width: 16rem }}
.figures {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 2rem 1.6rem; align-items: start }}
figure {{ margin: 0 }}
figure svg {{ width: 100%; height: auto; display: block; max-width: 520px }}
pre {{ border: 1px solid var(--rule); border-radius: 6px; padding: .8rem 1rem; overflow-x: auto; font-size: .84rem; line-height: 1.45 }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; font-size: .92rem }}
dt {{ color: var(--muted) }}
dd {{ margin: 0 }}
details {{ margin: .8rem 0 }}
summary {{ cursor: pointer }}
.terms {{ display: block }}
.terms dt {{ color: var(--ink); font-weight: 600; margin-top: .7rem }}
.terms dd {{ max-width: 70ch }}
@media (max-width: 600px) {{ tbody th {{ min-width: 8.5rem }} }}
@media print {{ main {{ max-width: none; padding: 0 }} .scroll {{ overflow: visible }} }}
"""


def css() -> str:
    """The colours as CSS variables, light and dark."""
    light, dark = ("; ".join(f"--{name}: {pair[i]}" for name, pair in COLORS.items()) for i in (0, 1))
    return f":root {{ color-scheme: light dark; {light} }} @media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"


def color(arm: int) -> str:
    """The colour of the arm, or of the seat, at this place; the ninth has the first one's again."""
    return f"arm{arm % 8}"
