"""Parts of a log by their keys, never the whole: for who looks at it, while it grows. Mixed and compiled arms in the same form.

    with ranges.opened("runs/lake") as log:
        log.standings(1, 50)                 # how these matches stand
        log.events(7, log.steps_of(7, (20, 40)))   # what happened in rounds 20 to 40

Opening reads the head of the log; a standing is a few look-ups by primary key, a round is found by bisection. What is read is
checked as everywhere, but for the bytes of a Parquet file, of which only a part is read.
"""

from __future__ import annotations

import bisect
import functools
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from commonage import event
from commonage.event import TABLE
from commonage.model import Call
from commonage.store import calls, file, mixed, parquet, tail
from commonage.store.codec import decode, seal
from commonage.store.mixed import Span
from commonage.store.tables import MOVES, STEPS

ENDS = ("failed", "paused", "finished", "stepped")
Row = tuple[int, int, int, Any]  # (step, seat, attempt, event)


class Standing(NamedTuple):
    """How a match stands."""

    match: int
    arm: int
    repeat: int
    generation: int
    order: list[int]  # order[place in the game] = place in the seat list
    status: str  # finished, failed, paused, open
    where: str | None  # of the failure that ended it
    cause: str | None
    rounds: int  # completed
    steps: int  # completed
    ended: bool  # the game itself was over

    @property
    def over(self) -> bool:
        """Nothing more will happen in it."""
        return self.status in ("finished", "failed")


class Paid(NamedTuple):
    """What the models of a match were asked and cost, our cache aside."""

    calls: int
    tokens: int
    money: float  # of the calls whose price is known
    unpriced: int


@contextmanager
def opened(folder: str | Path) -> Iterator[Ranges]:
    """One unchanging view of the log, whatever a writer adds meanwhile. Raises LogError where there is none."""
    folder = Path(folder)
    with closing(file.connect(folder, whole=False)) as connection, file.guarded(folder / file.NAME):
        connection.execute("BEGIN")
        yield Ranges(folder, connection)


class Ranges:
    """Reads parts of one log."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder, self.connection = folder, connection

    @functools.cached_property
    def headers(self) -> list[dict[str, Any]]:
        """Of the arms, by number."""
        return file.headers(self.folder, self.connection)

    def header(self, arm: int) -> dict[str, Any]:
        """Of one arm."""
        return next(header for header in self.headers if header["arm"] == arm)

    @functools.cached_property
    def chunks(self) -> list[file.Chunk]:
        """Of the compiled arms."""
        return file.chunks(self.folder, self.connection)

    @functools.cached_property
    def newest(self) -> int:
        """The number of what was appended last."""
        return tail.newest(self.connection)

    def since(self, number: int) -> tuple[int, list[tail.Span]]:
        """(the last number, what was appended behind `number`)."""
        return tail.since(self.connection, number)

    def begun(self) -> list[int]:
        """The matches that were begun one by one, by leaps from key to key."""
        leap = """WITH RECURSIVE leaps(match) AS (SELECT min(match) FROM events UNION ALL
                  SELECT (SELECT min(match) FROM events WHERE match > leaps.match) FROM leaps WHERE match IS NOT NULL)
                  SELECT match FROM leaps WHERE match IS NOT NULL"""
        return [match for (match,) in self.connection.execute(leap)]

    def standings(self, first: int, last: int) -> dict[int, Standing]:
        """How the matches first..last stand, of those that have begun."""
        found = {match: one for match in range(first, last + 1) if (one := self._mixed(match))}
        for chunk in self.chunks:
            if chunk.first <= last and first <= chunk.last:
                rows = parquet.scan(self.folder, chunk, "matches").filter(pl.col("match").is_between(first, last)).collect()
                found |= {row["match"]: _compiled(row, chunk.arm) for row in rows.iter_rows(named=True)}
        return dict(sorted(found.items()))

    def standing(self, match: int) -> Standing | None:
        """How one match stands; None: it has not begun."""
        return self.standings(match, match).get(match)

    def troubles(self, first: int, last: int) -> dict[int, dict[str, int]]:
        """By match how many answers could not be read (`asked`), how many seats `failed` or were `replaced`. Reads all its events."""
        query = """SELECT match, kind, count(*) FROM events WHERE match BETWEEN ? AND ? AND kind IN ('asked', 'failed', 'replaced')
                   GROUP BY match, kind"""
        out: dict[int, dict[str, int]] = {}
        for match, kind, count in self.connection.execute(query, (first, last)):
            out.setdefault(match, {})[kind] = count
        return out

    def paid(self, first: int, last: int) -> dict[int, Paid]:
        """By match what its models cost."""
        if not calls.there(self.connection):
            return {}
        query = """SELECT match, count(*), sum(tokens_in + tokens_out), total(cost), sum(cost IS NULL) FROM calls
                   WHERE match BETWEEN ? AND ? AND NOT cached GROUP BY match"""
        return {match: Paid(*rest) for match, *rest in self.connection.execute(query, (first, last))}

    def spent(self) -> calls.Spent:
        """In all. Reads all calls."""
        return calls.spent(self.connection) if calls.there(self.connection) else calls.Spent(0.0, 0, ())

    def steps_of(self, standing: Standing, rounds: Span) -> Span:
        """The steps of these rounds, the first and the last: only completed ones, and the one that is being played."""
        low, high = (bisect.bisect_left(range(standing.steps), number, key=self._round(standing)) for number in (rounds[0], rounds[1] + 1))
        return low, high if high == standing.steps else high - 1

    def round_of(self, standing: Standing, step: int) -> int:
        """The round, from 1, of a completed step."""
        return self._round(standing)(step)

    def events(self, match: int, steps: Span) -> list[Row]:
        """What happened in these steps, in the order of play: within a step the seats, then the table."""
        chunk = self._chunk(match)
        return self._of_chunk(chunk, match, steps) if chunk else mixed.of_match(self.folder, self.connection, match, steps)

    def sent(self, match: int, steps: Span, seat: int | None = None) -> list[tuple[int, int, int, int, Call]]:
        """(step, seat, attempt, number, call) of these steps, in the order in which they were made."""
        return calls.of_match(self.folder, self.connection, match, steps, seat)

    def _mixed(self, match: int) -> Standing | None:
        begun = self._event(match, -1, "started")
        if begun is None:
            return None
        last = self.connection.execute("SELECT step FROM events WHERE match = ? ORDER BY step DESC LIMIT 1", (match,)).fetchone()[0]
        query = f"SELECT step, seat, attempt, kind, body, seal FROM events WHERE match = ? AND step >= ? AND kind IN {ENDS}"
        ends: list[tuple[int, Any]] = []
        for step, seat, attempt, kind, body, sealed in self.connection.execute(query, (match, last - 1)):
            if seal(body, match, step, seat, attempt) != sealed:
                raise mixed.broken(self.folder, match, step, seat, kind)
            ends.append((step, decode(kind, body)))
        stepped = max(((step, what) for step, what in ends if isinstance(what, event.Stepped)), default=None, key=lambda end: end[0])
        done, turn = stepped or (-1, event.Stepped(0, True, False, False, [], [], [], {}))
        how = mixed.outcome(ends, done)
        cause = mixed.cause(self.header(begun.arm), how)
        rounds = turn.round - (not turn.round_over)
        return Standing(
            match, begun.arm, begun.repeat, begun.generation, begun.order, how.status, how.where, cause, rounds, done + 1, turn.ended
        )

    def _event(self, match: int, step: int, kind: str) -> Any:
        """What happened to the whole table; None where nothing of this kind did."""
        query = "SELECT body, seal FROM events WHERE match = ? AND step = ? AND seat = ? AND attempt = 0 AND kind = ?"
        row = self.connection.execute(query, (match, step, TABLE, kind)).fetchone()
        if row and seal(row[0], match, step, TABLE) != row[1]:
            raise mixed.broken(self.folder, match, step, TABLE, kind)
        return decode(kind, row[0]) if row else None

    def _round(self, standing: Standing) -> Any:
        chunk = self._chunk(standing.match)
        if not chunk:
            return lambda step: self._event(standing.match, step, "stepped").round
        mine = parquet.scan(self.folder, chunk, "steps").filter(pl.col("match") == standing.match)
        return mine.select("round").collect()["round"].to_list().__getitem__

    def _chunk(self, match: int) -> file.Chunk | None:
        return next((chunk for chunk in self.chunks if chunk.first <= match <= chunk.last), None)

    def _of_chunk(self, chunk: file.Chunk, match: int, steps: Span) -> list[Row]:
        """The same events as a mixed runner would have written."""
        mine = (pl.col("match") == match) & pl.col("step").is_between(*steps)
        table, each = (parquet.scan(self.folder, chunk, name).filter(mine).collect() for name in ("steps", "moves"))
        by_seat = [name for name in each.columns if name not in MOVES]
        seats = each.partition_by("step", as_dict=True)
        out: list[Row] = []
        for row in table.iter_rows(named=True):
            rows = seats[row["step"],].sort("seat")
            moves = rows.select("seat", "question", "move", "forced").iter_rows()
            out += [(row["step"], seat, 0, event.Moved(question, move, forced)) for seat, question, move, forced in moves if move >= 0]
            facts = {name: row[name] for name in table.columns if name not in STEPS} | {name: rows[name].to_list() for name in by_seat}
            told = {name: row[name] for name in ("round", "round_over", "ended", "truncated")}
            told |= {to: rows[name].to_list() for name, to in (("reward", "rewards"), ("deed", "deeds"), ("toward", "toward"))}
            out.append((row["step"], TABLE, 0, event.Stepped(**told, facts=facts)))
        return out


def _compiled(row: dict[str, Any], arm: int) -> Standing:
    own = {name: row[name] for name in ("match", "repeat", "generation", "order", "status", "where", "cause", "rounds", "steps", "ended")}
    return Standing(arm=arm, **own)
