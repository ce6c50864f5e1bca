"""A batch of matches between policies: compiled, and laid out as the log's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from commonage.game import Game
from commonage.learn import rollout
from commonage.learn.rollout import Player, Step
from commonage.store.tables import column


def play(game: Game, players: Sequence[Player], orders: np.ndarray, keys: np.ndarray, quick: bool = False) -> Step:
    """All steps of `len(keys)` matches, rows by place in the seat list; orders[match, place] = that place."""
    kinds = list(dict.fromkeys(map(_identity, players)))
    of_seat = np.array([kinds.index(_identity(player)) for player in players])
    distinct = [next(p for p in players if _identity(p) == kind) for kind in kinds]
    step = rollout.play(game, rollout.seat(distinct, of_seat[orders]), keys, quick)
    return _by_seat(step, orders)


def play_each(game: Game, players: Sequence[Sequence[Player]], orders: np.ndarray, keys: np.ndarray, quick: bool = False) -> Step:
    """`play`, where every match has a seat list of its own: all shapes are alike, whoever sits there, so it compiles once."""
    own, distinct = np.arange(orders.size).reshape(orders.shape), [player for each in players for player in each]
    step = rollout.play(game, rollout.seat(distinct, np.take_along_axis(own, orders, 1)), keys, quick)
    return _by_seat(step, orders)


def _identity(player: Player) -> str:
    return repr(player)


def _by_seat(step: Step, orders: np.ndarray) -> Step:
    """Rows by place in the game become rows by place in the seat list."""
    place = np.argsort(orders, 1)  # [matches, seats]
    seats = orders.shape[1]

    def turn(rows: np.ndarray) -> np.ndarray:
        return np.take_along_axis(rows, np.broadcast_to(place, rows.shape), 2) if rows.ndim == 3 and rows.shape[2] == seats else rows

    toward = np.where(step.toward < 0, -1, np.take_along_axis(np.broadcast_to(orders, step.toward.shape), np.maximum(step.toward, 0), 2))
    fields = {name: turn(value) for name, value in step._asdict().items() if name not in ("facts", "toward")}
    return Step(**fields, toward=turn(toward), facts={name: turn(value) for name, value in step.facts.items()})


def _causes(step: Step, broken: np.ndarray) -> list[str | None]:
    """What the mixed runner says of a policy that broke its contract; `broken` bool[matches, seats]."""
    out: list[str | None] = [None] * len(broken)
    for match in np.flatnonzero(broken.any(1)):
        at = (step.illegal & step.live[..., None])[:, match].argmax(0)  # int[seats]: the step in which each seat did
        seat = int(broken[match].argmax())
        out[match] = f"seat {seat + 1}: its policy chose the illegal move {step.move[at[seat], match, seat]}"
    return out


def only(tables: tuple[dict[str, Any], ...], repeats: Sequence[int]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The rows of these repeats."""
    matches = tables[0]
    kept = matches["match"][np.isin(matches["repeat"], list(repeats))]
    return tuple(_rows(table, np.isin(table["match"], kept)) for table in tables)  # type: ignore[return-value]


def _rows(table: dict[str, Any], keep: np.ndarray) -> dict[str, Any]:
    """The rows of a table, whose columns are arrays or lists, where bool[rows] holds."""
    at = np.flatnonzero(keep).tolist()
    return {name: column[keep] if isinstance(column, np.ndarray) else [column[i] for i in at] for name, column in table.items()}


def tables(
    step: Step, orders: np.ndarray, first: int, repeats: Sequence[int], more: dict[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:  # fmt: skip
    """(matches, steps, moves) as columns, for the log; matches count from `first`, and have `more` columns."""
    broken = (step.illegal & step.live[..., None]).any(0)  # [matches, seats]
    live = (step.live & ~step.illegal.any(2)).T  # [matches, steps]: rows go match by match; a broken step did not happen
    count, seats = live.shape[0], step.move.shape[2]
    match, at = np.nonzero(live)
    flat = lambda x: np.swapaxes(x, 0, 1)[live]
    scalar = {column(name): flat(value) for name, value in step.facts.items() if value.ndim == 2}
    by_seat = {column(name): flat(value).reshape(-1) for name, value in step.facts.items() if value.ndim == 3}
    matches = {
        "match": np.arange(first, first + count, dtype=np.int32),
        "repeat": np.asarray(repeats, np.int32),
        "status": ["failed" if bad else "finished" for bad in broken.any(1)],
        "where": ["agent" if bad else None for bad in broken.any(1)],
        "cause": _causes(step, broken),
        "steps": live.sum(1).astype(np.int32),
        "rounds": (step.round_over & step.live).sum(0).astype(np.int32),
        "ended": (step.ended & step.live).any(0),
        "truncated": (step.truncated & step.live).any(0),
        "order": orders.astype(np.int32),
        **(more or {}),
    }
    steps = {
        "match": (match + first).astype(np.int32),
        "step": at.astype(np.int32),
        **{name: flat(getattr(step, name)) for name in ("round", "round_over", "ended", "truncated")},
        **scalar,
    }
    each = lambda x: np.repeat(x, seats)
    moves = {
        "match": each(steps["match"]),
        "step": each(steps["step"]),
        "round": each(steps["round"]),
        "seat": np.tile(np.arange(seats, dtype=np.int32), len(match)),
        "place": np.argsort(orders, 1)[match].reshape(-1).astype(np.int32),
        "question": flat(step.which).reshape(-1),
        "move": flat(step.move).reshape(-1),
        "forced": flat(step.forced).reshape(-1),
        "reward": flat(step.rewards).reshape(-1),
        "deed": flat(step.deeds).reshape(-1),
        "toward": flat(step.toward).reshape(-1),
        **by_seat,
    }
    return matches, steps, moves
