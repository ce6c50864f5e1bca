"""Tables as `store.read` gives them, written by hand: arms of matches, matches of rounds."""

from typing import NamedTuple

import numpy as np
import polars as pl


class Tables(NamedTuple):
    arms: list
    matches: pl.DataFrame
    steps: pl.DataFrame
    moves: pl.DataFrame


class Match(NamedTuple):
    steps: list  # one dict per step: round, ended, and the table's facts
    moves: list  # per step one dict per seat: reward, deed, and the seat's facts
    ended: bool = False
    status: str = "finished"
    where: str | None = None
    cause: str | None = None


MATCHES = {
    "arm": pl.Int32, "match": pl.Int32, "repeat": pl.Int32, "status": pl.Enum(["finished", "failed", "paused", "open"]), "where": pl.String,
    "cause": pl.String, "steps": pl.Int32, "rounds": pl.Int32, "ended": pl.Boolean, "truncated": pl.Boolean,
    "replaced": pl.Int32,
}  # fmt: skip
STEPS = {"arm": pl.Int32, "match": pl.Int32, "step": pl.Int32, "round": pl.Int32, "ended": pl.Boolean}
MOVES = {
    "arm": pl.Int32, "match": pl.Int32, "step": pl.Int32, "round": pl.Int32, "seat": pl.Int32, "reward": pl.Float32, "deed": pl.Float32,
    "place": pl.Int32, "question": pl.String,
}  # fmt: skip


def arm(name="", game="commons", seats="sustainer*5", around=(), yardsticks=None, oracles=(), **more):
    """A header without its number."""
    spec = {"game": game, "with": list(around), "seats": seats}
    return {"name": name, "spec": spec, "seed": 1, "yardsticks": yardsticks or {}, "oracles": [list(o) for o in oracles], **more}


def fishery(name="", **more):
    """The header of a commons of five seats and twelve months."""
    oracles = [
        ("survival_time", "floor", 1.0, "bound", "all at once"),
        ("survival_time", "ceiling", 12.0, "bound", "the horizon"),
        ("gain", "floor", 0.0, "bound", "nothing"),
        ("gain", "ceiling", 130.0, "bound", "dynamic programming"),
        ("gain", "reference", 120.0, "reference", "all share"),
    ]
    return arm(name, **{"yardsticks": {"welfare": 600.0}, "oracles": oracles, **more})


def match(rewards, deeds=None, facts=(), table=(), **more):
    """A match of one step per round: rewards[round][seat], deeds alike; facts {name: like rewards}, table {name: per round}."""
    seats = range(len(rewards[0]))
    deeds = deeds or [[None] * len(rewards[0])] * len(rewards)
    facts, table = dict(facts), dict(table)
    moves = [
        [{"reward": r[i], "deed": d[i], **{name: value[t][i] for name, value in facts.items()}} for i in seats]
        for t, (r, d) in enumerate(zip(rewards, deeds, strict=True))
    ]
    steps = [{"round": t + 1, **{name: value[t] for name, value in table.items()}} for t in range(len(rewards))]
    return Match(steps, moves, **more)


def tables(*arms):
    """Tables of (header, [match, ...]) pairs."""
    matches, steps, moves, headers = [], [], [], []
    for number, (header, played) in enumerate(arms):
        headers.append({"arm": number, "repeats": len(played), **header})
        for repeat, one in enumerate(played):
            key = {"arm": number, "match": len(matches) + 1}
            rounds = max((step["round"] for step in one.steps), default=0)
            matches.append({
                **key, "repeat": repeat, "status": one.status, "where": one.where, "cause": one.cause, "steps": len(one.steps),
                "rounds": rounds, "ended": one.ended, "truncated": not one.ended, "replaced": 0,
            })  # fmt: skip
            for t, (step, row) in enumerate(zip(one.steps, one.moves, strict=True)):
                steps.append({**key, "step": t, "ended": one.ended and t == len(one.steps) - 1, **step})
                moves += [{**key, "step": t, "round": step["round"], "seat": i, **seat} for i, seat in enumerate(row)]
    return Tables(headers, _frame(matches, MATCHES), _frame(steps, STEPS), _frame(moves, MOVES))


def fish(wants, repeats=1, seats=5, months=12, seed=0):
    """Matches of the commons, by its rules in plain Python: wants(month, stock, rng) -> what each seat wants."""
    rng = np.random.default_rng(seed)
    return [_lake(wants, seats, months, rng) for _ in range(repeats)]


def _lake(wants, seats, months, rng):
    stock, caught, stocks, limits = 100, [], [], []
    for month in range(months):
        limits.append(stock // 2 // seats)
        caught.append(_shared(np.minimum(wants(month, stock, rng), stock), stock, rng))
        left = stock - sum(caught[-1])
        stock = min(100, 2 * left)
        stocks.append(stock)
        if left < 5:
            break
    deeds = [[float(c <= limit) for c in row] for row, limit in zip(caught, limits, strict=True)]
    return match(caught, deeds, {"caught": caught}, {"stock": stocks, "threshold": limits}, ended=left < 5)


def _shared(wanted, stock, rng):
    """One unit at a time to a random seat that still wants more, until the stock is gone."""
    if sum(wanted) <= stock:
        return [int(want) for want in wanted]
    caught = [0] * len(wanted)
    for draw in rng.random(stock):
        open_ = [i for i, want in enumerate(wanted) if caught[i] < want]
        caught[open_[int(draw * len(open_))]] += 1
    return caught


def _frame(rows, schema):
    facts = dict.fromkeys(sorted({name for row in rows for name in row} - set(schema)), pl.Float32)
    return pl.DataFrame([{name: row.get(name) for name in (*schema, *facts)} for row in rows], {**schema, **facts}, orient="row")
