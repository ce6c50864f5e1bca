"""How one match went, round by round: what it earned, how much of it was cooperative, and where to jump to. Read once, then kept up."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from commonage import event
from commonage.measure import words
from commonage.store import ranges
from commonage.web.watch.lanes import LAYERS, layers

STRETCH = 4_096  # steps that are read together
POINTS = 240  # of a line; of more rounds every so many are shown, and the last
FACTS = 6  # facts of the table that are drawn
ORACLES = ("measure", "side", "value", "label", "why")


class Course:
    """Of one match; for several threads."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.number, self.lock = folder, number, threading.Lock()
        self.steps = 0  # read so far
        self.rounds: list[int] = []  # completed, or the one that the match is in
        self.gain: list[list[float]] = []  # of the game itself, so far, by place
        self.deeds: list[list[float]] = []  # (sum, count) of a round
        self.facts: dict[str, dict[int, float]] = {}
        self.marks: dict[str, dict[str, Any]] = {}

    def read(self) -> dict[str, Any]:
        """{rounds, lines: [{name, unit, y, each, ends}], marks: {defection, collapse, failure}}."""
        with self.lock, ranges.opened(self.folder) as log:
            standing = log.standing(self.number)
            if standing is None:
                return {"rounds": [], "lines": [], "marks": {}}
            while self.steps < standing.steps:
                end = min(self.steps + STRETCH, standing.steps)
                self._note(standing.order, log.events(self.number, (self.steps, end - 1)))
                self.steps = end
            self._note_end(standing.order, log.events(self.number, (standing.steps, standing.steps + 1)))
            return self._told(log.header(standing.arm), standing)

    def _note(self, order: list[int], rows: list[ranges.Row]) -> None:
        for step, seat, _, what in rows:
            if isinstance(what, event.Stepped):
                self._settle(order, step, what)
            elif isinstance(what, event.Failed | event.Replaced):
                self._mark("failure", step, order.index(seat) if seat >= 0 else -1)

    def _note_end(self, order: list[int], rows: list[ranges.Row]) -> None:
        for step, seat, _, what in rows:
            if isinstance(what, event.Failed | event.Replaced):
                self._mark("failure", step, order.index(seat) if seat >= 0 else -1)
            elif isinstance(what, event.Finished) and what.ended:
                self._mark("collapse", max(step - 1, 0), -1)

    def _settle(self, order: list[int], step: int, what: event.Stepped) -> None:
        if not self.rounds or self.rounds[-1] != what.round:
            self.rounds.append(what.round)
            self.gain.append(list(self.gain[-1]) if self.gain else [0.0] * len(order))
            self.deeds.append([0.0, 0])
        for place, seat in enumerate(order):
            self.gain[-1][place] += what.rewards[seat] + sum(LAYERS[name] * value for name, value in layers(what, seat).items())
            if (deed := what.deeds[seat]) is not None:
                self.deeds[-1] = [self.deeds[-1][0] + deed, self.deeds[-1][1] + 1]
                if deed <= 0:
                    self._mark("defection", step, place)
        for name, value in what.facts.items():
            if not isinstance(value, list) and isinstance(value, int | float):
                self.facts.setdefault(name, {})[len(self.rounds) - 1] = float(value)

    def _mark(self, name: str, step: int, place: int) -> None:
        """The first of its kind."""
        self.marks.setdefault(name, {"step": step, "place": place})

    def _told(self, header: dict[str, Any], standing: ranges.Standing) -> dict[str, Any]:
        at = _thin(len(self.rounds))
        ends: list[dict[str, Any]] = [dict(zip(ORACLES, oracle, strict=True)) for oracle in header.get("oracles", ())]
        each = [[round(self.gain[i][place], 4) for i in at] for place in range(len(standing.order))]
        mean = [round(sum(self.gain[i]) / len(standing.order), 4) for i in at]
        lines: list[dict[str, Any]] = [{"name": "gain of a seat so far", "unit": "", "y": mean, "each": each, "ends": _ends(ends, "gain")}]
        if any(count for _, count in self.deeds):
            share = [round(self.deeds[i][0] / self.deeds[i][1], 4) if self.deeds[i][1] else None for i in at]
            lines.append({"name": "cooperation in a round", "unit": "share", "y": share, "each": [], "ends": _ends(ends, "cooperation")})
        for name in list(self.facts)[:FACTS]:
            y = [self.facts[name].get(i) for i in at]
            lines.append({"name": words.title(name), "unit": "", "y": y, "each": [], "ends": []})
        return {"rounds": [self.rounds[i] for i in at], "lines": lines if at else [], "marks": self.marks}


def _ends(oracles: list[dict[str, Any]], measure: str) -> list[dict[str, Any]]:
    """Floors and ceilings of a whole match, of one measure."""
    return [{key: oracle[key] for key in ORACLES[1:]} for oracle in oracles if oracle["measure"] == measure]


def _thin(count: int) -> list[int]:
    """At most so many of 0..count - 1, the last among them."""
    every = -(-count // POINTS) or 1
    return sorted({*range(0, count, every), count - 1} - {-1})
