"""Orchards set up by hand, and played by the names of moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from played import start, step

from commonage import seeds, spec
from commonage.game import Turn, numpy
from commonage.grid.kernel import FLOOR, Body
from commonage.grid.orchard import APPLE, Orchard
from commonage.learn import rollout
from commonage.learn.rollout import Step
from commonage.learn.score import score
from commonage.run.study import Arm, Study

FACING = "NESW"


def board(game: Orchard, players: list[tuple[int, int, str]], apples: list[tuple[int, int]] | None = None) -> Any:
    """The start, with players at (row, column, facing); `apples`: where there are some, else everywhere."""
    state, ground = start(game), game.ground
    at = np.array([row * ground.width + column for row, column, _ in players], np.int32)
    facing = np.array([FACING.index(letter) for *_, letter in players], np.int32)
    cells = state.cells.copy()
    if apples is not None:
        cells[ground.kinds["apple"]] = FLOOR
        cells[[row * ground.width + column for row, column in apples]] = APPLE
    return state._replace(cells=cells, body=Body(at, facing, np.zeros_like(at)))


def played(game: Orchard, state: Any, *rows: str) -> list[Turn]:
    """The turns of steps in each of which the seats play these moves: `zap, stay, turn left`; `-`: it is not asked."""
    names, out = game.questions[0].options, []
    for row in rows:
        moves = [-1 if name == "-" else names.index(name) for name in row.split(", ")]
        out.append(numpy(step(game, state, jnp.array(moves, jnp.int32))))
        state = out[-1].state
    return out


def apples(game: Orchard, state: Any) -> set[tuple[int, int]]:
    """(row, column) of all that are there."""
    return {divmod(spot, game.ground.width) for spot in np.flatnonzero(state.cells == APPLE).tolist()}


def often(game: Orchard, state: Any, moves: list[str], times: int) -> Turn:
    """One step played so many times with other draws: leading axis [times]."""
    chosen = jnp.array([game.questions[0].options.index(name) for name in moves], jnp.int32)
    keys, first = seeds.fold(seeds.root(11), jnp.arange(times)), jax.tree.map(jnp.asarray, state)
    return numpy(jax.jit(jax.vmap(lambda key: game.step(key, first, chosen)))(keys))


def gains(game: str, seats: str, matches: int, first: int = 0) -> np.ndarray:
    """float32[matches, seats]: what each got; the list of players is repeated until all seats are taken."""
    table, players = spec.game(game), [spec.policies(seat) for seat in spec.seats(seats)]
    order = np.tile(np.arange(table.seats) % len(players), (matches, 1))
    return score(table, players, order, np.stack([np.asarray(seeds.root(first + i)) for i in range(matches)])).rewards


def rolled(game: str, seats: str, matches: int) -> Step:
    """Every step of these matches: leading axes [steps, matches]; players as in `gains`."""
    table, players = spec.game(game), [spec.policies(seat) for seat in spec.seats(seats)]
    order = np.tile(np.arange(table.seats) % len(players), (matches, 1))
    return rollout.play(table, rollout.seat(players, order), np.stack([np.asarray(seeds.root(i)) for i in range(matches)]), quick=True)


def alike(folder: Path, game: str, seats: str) -> None:
    """Fails unless both runners play the same match, to the bit, moves and steps."""
    arm = Arm(game, seats)
    mixed, compiled = (Study(arms=[arm], repeats=1, seed=4, runner=runner).run(folder / runner) for runner in ("mixed", "compiled"))
    for table in ("moves", "steps"):
        one, other = getattr(mixed.tables, table), getattr(compiled.tables, table)
        shared = [name for name in one.columns if name in other.columns]
        assert len(one) > 0
        assert one.select(shared).equals(other.select(shared))
