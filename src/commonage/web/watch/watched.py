"""One study that is watched: what its pages ask for, as plain data. Every answer reads only the part of the log that it is about."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import Any

from commonage import spec
from commonage.errors import LogError
from commonage.game import base
from commonage.measure import words
from commonage.measure.names import called
from commonage.run import seats
from commonage.store import file, ranges
from commonage.store.ranges import Ranges, Standing
from commonage.web.picture import picture
from commonage.web.watch import census, lanes, seen
from commonage.web.watch.census import Census
from commonage.web.watch.course import Course
from commonage.web.watch.lanes import Hands, Lanes
from commonage.web.watch.reel import Reel, scene

MOST = 200  # rows or columns in an answer
KEPT = 12  # matches whose states and courses are kept


class Hidden(Exception):
    """A private view, asked for before it may be seen."""


class Watched:
    """A study in a folder."""

    def __init__(self, name: str, folder: Path, hands: Hands) -> None:
        self.name, self.folder, self.hands, self.census = name, folder, hands, Census(folder)
        self.reel = functools.lru_cache(KEPT)(lambda number: Reel(folder, number))
        self.course = functools.lru_cache(KEPT)(lambda number: Course(folder, number))

    def brief(self) -> dict[str, Any]:
        """A line in the list of studies."""
        with ranges.opened(self.folder) as log:
            arms = log.headers
        total = dict[str, int]()
        for counted in self.census.counts().values():
            for status, count in counted.items():
                total[status] = total.get(status, 0) + count
        games = list(dict.fromkeys(spec.title(arm["spec"]["game"], arm["spec"].get("with", ())) for arm in arms))
        return {
            "id": self.name, "name": self.folder.name, "arms": len(arms), "games": games, "planned": sum(map(_planned, arms)),
            "counts": total, "complete": self.census.complete, "spent": census.spent(self.census.spent), "quiet": self.quiet(),
        }  # fmt: skip

    def quiet(self) -> float:
        """Seconds since something was written."""
        files = [self.folder / file.NAME, self.folder / f"{file.NAME}-wal"]
        return round(max(time.time() - max(path.stat().st_mtime for path in files if path.exists()), 0.0), 1)

    def study(self) -> dict[str, Any]:
        """Its arms and how they stand."""
        with ranges.opened(self.folder) as log:
            brief, counts = self.brief(), self.census.counts()
            arms = [
                {
                    "arm": arm["arm"], "name": called(arm), "game": spec.title(arm["spec"]["game"], arm["spec"].get("with", ())),
                    "seats": arm["spec"]["seats"], "with": arm["spec"].get("with", []), "first": arm["first"], "planned": _planned(arm),
                    "runner": arm["runner"], "tests": arm.get("test_models", []), "counts": counts.get(arm["arm"], {}),
                }
                for arm in log.headers
            ]  # fmt: skip
            return {**brief, "arms": arms, "n": log.newest, "hands": "open" if self.hands.open else "closed"}

    def matches(self, first: int, count: int) -> list[dict[str, Any]]:
        """Rows of the list, from a match on: those that have begun, and those that wait."""
        with ranges.opened(self.folder) as log:
            last = min(first + min(count, MOST), sum(map(_planned, log.headers)) + 1) - 1
            return self.rows(log, first, last)

    def rows(self, log: Ranges, first: int, last: int) -> list[dict[str, Any]]:
        """How the matches first..last stand, and what they cost."""
        found, paid = log.standings(first, last), log.paid(first, last)
        return [self._row(log, number, found.get(number), paid.get(number)) for number in range(first, last + 1)]

    def such(self, status: str, first: int, count: int) -> dict[str, Any]:
        """Of the matches of a status the rows from the `first`-th on, and how many there are."""
        found = self.census.standing_so(status)
        with ranges.opened(self.folder) as log:
            rows = [row for number in found[first : first + min(count, MOST)] for row in self.rows(log, number, number)]
        return {"total": len(found), "rows": rows}

    def match(self, number: int) -> dict[str, Any]:
        """All about one match but what happened in it. Raises LookupError where the study has none of this number."""
        with ranges.opened(self.folder) as log:
            header = self._arm(log, number)
            standing = log.standing(number)
            row = self._row(log, number, standing, log.paid(number, number).get(number))
            order = standing.order if standing else list(range(header["seats"]))
            listed = [str(seat) for seat in seats.read(header["spec"]["seats"])]
            forked = header.get("forked")
            return {
                **row, "n": log.newest, "name": called(header), "game": spec.title(header["spec"]["game"], header["spec"].get("with", ())),
                "seats": [listed[seat] for seat in order], "order": order, "seed": header["seed"], "tests": header.get("test_models", []),
                "forked": f"from match {forked['from'][1]} of {Path(forked['from'][0]).name}, at round {forked['at']}" if forked else "",
                "columns": Lanes(log, standing, self.hands).count if standing else 0, "beside": _beside(log.headers, header, row),
                "unit": "step" if lanes.long_rounds(header) else "round", "asks": [one["name"] for one in header["questions"]],
                "speech": sum(one.get("speech", False) for one in header["questions"]),
                "private": bool(standing and self.hands.shown(standing)),
            }  # fmt: skip

    def columns(self, number: int, first: int, last: int) -> list[dict[str, Any]]:
        """Columns first..last of its lanes."""
        with ranges.opened(self.folder) as log:
            return Lanes(log, self._begun(log, number), self.hands).columns(first, min(last, first + MOST - 1))

    def picture(self, number: int, step: int, round: int = 0) -> dict[str, Any]:
        """The scene after so many steps, or after a round; `picture` is None where there is none, and `why` says why not."""
        with ranges.opened(self.folder) as log:
            standing = self._begun(log, number)
            step = log.steps_of(standing, (round, round))[1] + 1 if round else step
        step = min(max(step, 0), standing.steps)
        try:
            moment = self.reel(number).at(step)
        except LogError as error:
            return {"step": step, "round": 0, "picture": None, "why": str(error)}
        if not base(moment.game).open_scene and not self.hands.shown(standing):
            return {"step": step, "round": moment.round, "picture": None, "why": "it shows what one seat alone sees: after the end"}
        return {"step": step, "round": moment.round, "picture": picture(scene(moment)), "why": ""}

    def seen(self, number: int, step: int, place: int) -> dict[str, Any]:
        """What stands behind a move. Raises Hidden before the end of a match whose hands are closed."""
        with ranges.opened(self.folder) as log:
            standing = self._begun(log, number)
            if not self.hands.shown(standing):
                raise Hidden(f"match {number} is still played: what one seat alone sees is shown after its end, or with --open-hands")
            if not 0 <= place < len(standing.order):
                raise LookupError(f"no seat {place + 1} in match {number}")
            return seen.seen(log, standing, self.reel(number), step, place)

    def appended(self, after: int, number: int = 0) -> dict[str, Any] | None:
        """What came behind a number: the rows of its matches; of match `number` the first column that changed. None: nothing did."""
        with ranges.opened(self.folder) as log:
            newest, spans = log.since(after)
            if newest <= after:
                return None
            touched = sorted({match for span in spans for match in (span.first, span.last)})[-MOST:]
            rows = [row for match in touched for row in self.rows(log, match, match)]
            own = [span.step for span in spans if span.first <= number <= span.last]
            told: dict[str, Any] = {"n": newest, "rows": rows, "arms": len(log.headers)}
            if own and (standing := log.standing(number)):
                shown = Lanes(log, standing, self.hands)
                told["match"] = {"from": shown.column_of(min(own)), "columns": shown.count, "private": shown.private}
            return told

    def _row(self, log: Ranges, number: int, standing: Standing | None, paid: ranges.Paid | None) -> dict[str, Any]:
        header = self._arm(log, number)
        row: dict[str, Any] = {"match": number, "arm": header["arm"], "status": "waiting", "repeat": 0, "generation": 1}
        if standing:
            told = standing.status != "open" or self.hands.open
            row |= {"status": standing.status, "repeat": standing.repeat, "generation": standing.generation, "rounds": standing.rounds}
            row |= {"steps": standing.steps, "ended": standing.ended, "where": standing.where if told else None}
            row |= {"cause": standing.cause if told else None, **self.census.troubles.get(number, {})}
        else:
            past = number - header["first"]
            row |= {"repeat": past % header["repeats"], "generation": past // header["repeats"] + 1}
        return row | ({"paid": paid._asdict(), "cost": words.money(paid.money, paid.unpriced)} if paid else {})

    def _begun(self, log: Ranges, number: int) -> Standing:
        if (standing := log.standing(number)) is None:
            raise LookupError(f"match {number} of {self.folder.name} has not begun")
        return standing

    def _arm(self, log: Ranges, number: int) -> dict[str, Any]:
        """The header of the arm that a match belongs to."""
        for header in log.headers:
            if header["first"] <= number < header["first"] + _planned(header):
                return header
        raise LookupError(f"no match {number} in {self.folder.name}: it has {sum(map(_planned, log.headers)):,}, and they count from 1")


def _planned(header: dict[str, Any]) -> int:
    return header["repeats"] * header.get("generations", 1)


def _beside(headers: list[dict[str, Any]], mine: dict[str, Any], row: dict[str, Any]) -> list[dict[str, Any]]:
    """The same repeat in the other arms: under the same seed it has the same random streams."""
    out = []
    for arm in headers:
        if arm["arm"] != mine["arm"] and arm["seed"] == mine["seed"] and row["repeat"] < arm["repeats"]:
            number = arm["first"] + (row["generation"] - 1) * arm["repeats"] + row["repeat"]
            out += [{"match": number, "name": called(arm)}] if row["generation"] <= arm.get("generations", 1) else []
    return out
