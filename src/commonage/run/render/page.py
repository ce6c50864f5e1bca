"""A film as one HTML page with a player: nothing is fetched, it follows light and dark and fits a phone.

A shape stands in it once, as the SVG that a picture of its own would hold; a frame is how its list of shapes differs from
that of the frame before.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import html
import json
from collections.abc import Sequence
from typing import Any

from commonage.measure import style
from commonage.run.render.drawing import marks, sheet
from commonage.run.render.film import Film
from commonage.run.render.svg import css, element

LOOK = """
main { max-width: 900px; padding: 1.5rem 1rem 2rem }
h1 { overflow-wrap: anywhere }
#scene { display: block; width: 100%; height: auto; max-height: 64vh; margin: .8rem auto; user-select: none; -webkit-user-select: none }
.bar { display: flex; flex-wrap: wrap; gap: .5rem .7rem; align-items: center }
.bar input { flex: 1 1 12rem; min-width: 8rem; accent-color: var(--arm0); height: 2rem; margin: 0 }
.bar button, .bar select { font: inherit; color: inherit; background: none; border: 1px solid var(--rule); border-radius: 6px;
  min-width: 2.6rem; height: 2.3rem; padding: 0 .6rem; cursor: pointer }
.bar select { background: var(--paper) }
.bar button:hover, .bar select:hover { border-color: var(--muted) }
:focus-visible { outline: 2px solid var(--arm0); outline-offset: 2px }
@media (max-width: 600px) { .bar input { order: -1; flex-basis: 100% } .bar select { margin-left: auto } }
#where { color: var(--muted); font-variant-numeric: tabular-nums; margin: .5rem 0 0 }
#who { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: .1rem 1.4rem;
  margin: .8rem 0; padding: 0; list-style: none; font-size: .92rem }
#who li { display: flex; align-items: baseline; gap: .5rem; border-top: 1px solid var(--rule); padding: .3rem 0 }
#who span { min-width: 0; overflow-wrap: anywhere; color: var(--muted) }
#who output { margin-left: auto; font-variant-numeric: tabular-nums }
#who .dot { flex: none; margin: 0; min-width: .62em }
"""

PLAYER = """
const film = JSON.parse(document.getElementById('film').textContent);
const scene = document.getElementById('scene'), slider = document.getElementById('at'), where = document.getElementById('where');
const play = document.getElementById('play'), speed = document.getElementById('speed');
const rewards = document.querySelectorAll('#who output'), last = film.steps.length - 1, lists = [];
film.changes.forEach((cuts, i) => {
  const list = i ? lists[i - 1].slice() : [];
  for (const [at, gone, ...come] of cuts) list.splice(at, gone, ...come);
  lists.push(list);
});
let now = -1, timer = 0;
function show(i) {
  now = Math.min(Math.max(i, 0), last);
  scene.innerHTML = lists[now].map(n => film.shapes[n]).join('');
  where.textContent = `round ${film.rounds[now]}, step ${film.steps[now].toLocaleString('en')} of ${film.steps[last].toLocaleString('en')}`;
  film.rewards[now].forEach((reward, seat) => rewards[seat].textContent = reward);
  slider.value = now;
  slider.setAttribute('aria-valuetext', where.textContent);
  if (now === last) stop();
}
function stop() {
  clearInterval(timer);
  timer = 0;
  play.textContent = '\\u25b6';
  play.setAttribute('aria-label', 'play');
}
function go() {
  stop();
  if (now === last) show(0);
  timer = setInterval(() => show(now + 1), 1000 / speed.value);
  play.textContent = '\\u275a\\u275a';
  play.setAttribute('aria-label', 'stop');
}
const by = count => { stop(); show(now + count); };
play.onclick = () => timer ? stop() : go();
speed.onchange = () => { if (timer) go(); };
slider.oninput = () => { stop(); show(+slider.value); };
document.getElementById('back').onclick = () => by(-1);
document.getElementById('on').onclick = () => by(1);
document.onkeydown = event => {
  if (event.target === speed) return;
  const keys = {' ': () => play.onclick(), ArrowLeft: () => by(-1), ArrowRight: () => by(1), Home: () => by(-last), End: () => by(last)};
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
};
slider.max = last;
show(0);
"""
SPEEDS = (1, 2, 5, 10, 20, 40)  # steps a second


def page(film: Film, pixels: int) -> str:
    """The whole page as text."""
    on = sheet(film, pixels, captioned=False)
    drawn = [marks(shape, on) for shape in film.shapes]
    data = {
        "shapes": ["".join(map(element, each)) for each in drawn],
        "changes": [_cuts(before, now) for before, now in zip([(), *(f.shapes for f in film.frames)], film.frames, strict=False)],
        "steps": [frame.step for frame in film.frames],
        "rounds": [frame.round for frame in film.frames],
        "rewards": [frame.rewards for frame in film.frames],
    }
    title = html.escape(f"Match {film.number}: {film.title}")
    digest = base64.b64encode(hashlib.sha256(PLAYER.encode()).digest()).decode()
    safe = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    look = f"{style.css()}{style.PAGE}{LOOK}{css(mark for each in drawn for mark in each)}"
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{safe}"><title>{title}</title><style>{look}</style>'
    )
    told = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    picture = f'<svg id="scene" viewBox="0 0 {on.width} {on.height}" role="img" aria-label="the scene after this step"></svg>'
    body = f"<h1>{title.replace(',', ',<wbr>')}</h1>{picture}{_controls(film, _usual(film))}{_who(film)}"
    script = f'<script type="application/json" id="film">{told}</script><script>{PLAYER}</script>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body><main>{body}</main>\n{script}</body></html>\n'


def _cuts(before: Sequence[int], frame: Any) -> list[list[int]]:
    """[where, how many go, what comes ...] from the last to the first, so that what is still to come stays where it was."""
    found = difflib.SequenceMatcher(None, before, frame.shapes, autojunk=False).get_opcodes()
    return [[a, b - a, *frame.shapes[c:d]] for kind, a, b, c, d in reversed(found) if kind != "equal"]


def _usual(film: Film) -> int:
    """The speed at which it starts: about half a minute, or as near as can be."""
    return next((speed for speed in SPEEDS if len(film.frames) <= 30 * speed), SPEEDS[-1])


def _controls(film: Film, usual: int) -> str:
    options = "".join(f'<option value="{n}"{" selected" * (n == usual)}>{n} a second</option>' for n in SPEEDS)
    return (
        '<div class="bar"><button id="play" aria-label="play">▶</button><button id="back" aria-label="one step back">‹</button>'
        '<button id="on" aria-label="one step on">›</button><input id="at" type="range" min="0" value="0" aria-label="step">'
        f'<select id="speed" aria-label="speed">{options}</select></div><p id="where"></p>'
    )


def _who(film: Film) -> str:
    """Who sits where, and what each has so far."""
    dot = '<i class="dot" style="background:var(--{})"></i>'
    rows = [
        f"<li>{dot.format(style.color(place))}seat {place + 1} <span>{html.escape(who)}</span><output></output></li>"
        for place, who in enumerate(film.seats)
    ]
    return f'<ul id="who">{"".join(rows)}</ul><p class="note">Rewards so far. Keys: space plays and stops, arrows go a step.</p>'
