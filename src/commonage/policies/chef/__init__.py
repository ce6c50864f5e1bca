"""Plans in the kitchen: who fetches what, who waits, who gives way; both chefs find the same plan, so two of them work together.

It cooks soups of three onions with one partner, in any layout with up to 30 cells of floor, by tables of ways for two.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.errors import SpecError
from commonage.game import Legal
from commonage.grid.kitchen import FLOOR, STAY, kind, load
from commonage.part import static
from commonage.policies.chef.plan import Kitchen, around, moves, wants
from commonage.policies.chef.tables import MOST, tables_of
from commonage.policy import Policy

PATIENCE = 12  # steps without work, before it no longer counts on its partner; it then works alone for ten times as long
BLOCKED = 5  # steps, before it goes around a partner who does not give way,
AROUND = 12  # for so many steps


class Memory(NamedTuple):
    idle: Array  # int32[]: steps without work; above PATIENCE: steps left to work alone
    barred: Array  # int32[]: steps in a row that it had to go somewhere, and got nowhere; below 0: steps left to go around its partner
    at: Array  # int32[]: where it last stood
    late: Array  # int32[]: steps until the move that it decided on is made
    move: Array  # int32[]: that move


class Chef(Policy):
    """`skill`: how likely it follows its plan in a step, else any move comes; `delay`: steps that it stays between a decision and its move.

    `layout` is the game's. Where onions and pots lie apart one chef supplies the other over counters; whoever waits in vain works
    alone, and whoever is barred goes around. New dynamics: it starts full pots, too.
    """

    game = "kitchen"

    layout: str = static(default="cramped_room")
    skill: float = 1.0
    delay: int = 0

    def check(self) -> None:
        floor = len(load(self.layout).cells(FLOOR))
        self.require(floor <= MOST, "layout", f"one with at most {MOST} cells of floor, it has {floor}")
        self.require(0 <= self.skill <= 1, "skill", "between 0 and 1")
        self.require(0 <= self.delay <= 1000, "delay", "between 0 and 1000")

    def start(self) -> Memory:
        zero = jnp.int32(0)
        return Memory(zero, zero, jnp.int32(-1), jnp.int32(-1), jnp.int32(STAY))

    def act(self, key: Array, memory: Memory, sight: Any, legal: Legal) -> tuple[Array, Memory]:
        if sight.at.shape != (2,) or sight.things.shape != load(self.layout).terrain.shape:
            raise SpecError(f"chef(layout={self.layout!r}): it needs one partner and the game's own layout: chef(layout=...)")
        planned, after = self._plan(key, memory, sight)
        decides = memory.late < 0
        move, late = jnp.where(decides, planned, memory.move), jnp.where(decides, self.delay, memory.late)
        after = jax.tree.map(lambda new, old: jnp.where(decides, new, old), after, memory)
        slips = ~seeds.chance(seeds.fold(key, "skill"), self.skill)
        made = jnp.where(late > 0, STAY, jnp.where(slips, seeds.below(seeds.fold(key, "slip"), 6), move))
        return made.astype(jnp.int32), after._replace(late=(late - 1).astype(jnp.int32), move=move.astype(jnp.int32))

    def _plan(self, key: Array, memory: Memory, sight: Any) -> tuple[Array, Memory]:
        """(its move, its memory) by the plan for both."""
        sight = jax.tree.map(jnp.asarray, sight)
        table, me = tables_of(self.layout), sight.seat
        mine = np.arange(2) == me
        alone, detours = mine & (memory.idle > PATIENCE), memory.barred < 0
        place = jnp.asarray(table.place)[sight.at]
        detour = jnp.asarray(table.around)[place[1 - me], place[me]]
        reach = jnp.where((mine & detours)[:, None], detour, jnp.asarray(table.reach)[place])
        here = Kitchen(place, sight.facing, kind(sight.held), sight.things, sight.left, reach, alone)
        wanted = wants(self.layout, here)
        both, goes = moves(table, here, wanted)
        want, goes = jax.tree.map(lambda *rows: jnp.stack(rows)[me], *wanted), goes[me]
        move = jnp.where(goes & detours, around(key, table, here, want, me), both[me])
        stuck = want.hard & goes & (sight.at[me] == memory.at)
        barred = jnp.where(detours, memory.barred + 1, jnp.where(stuck, memory.barred + 1, 0))
        barred = jnp.where(barred >= BLOCKED, -AROUND, barred)
        waits = ~want.hard & ~(sight.left > 0).any()  # in vain: nothing comes about by itself
        idle = jnp.where(memory.idle > PATIENCE, memory.idle - 1, jnp.where(waits, memory.idle + 1, 0))
        idle = jnp.where(idle == PATIENCE, jnp.where(memory.idle > PATIENCE, 0, 11 * PATIENCE), idle)
        return move, Memory(idle.astype(jnp.int32), barred.astype(jnp.int32), sight.at[me], memory.late, memory.move)
