"""A policy as an agent: the same function that the compiled rollout calls, one question at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax

from commonage.agent import Agent, Answer, View
from commonage.game import owners
from commonage.learn.rollout import Player, answer, memories, parts, stream


class PolicyAgent(Agent):
    """Seats `player`: a policy for the game, then parts for mechanisms. Other questions get their `neutral`."""

    pure = True

    def __init__(self, player: Player) -> None:
        self.player = player

    async def __call__(self, view: View) -> Answer:
        layer = owners(view.game)[view.which]
        part = parts(view.game, self.player).get(layer)
        memory = view.memory or memories(view.game, self.player)
        if part is None:
            return Answer(view.question.neutral, memory=memory)
        call = _compiled(layer, part)
        move, after = call(view.game, self.player, view.key, view.place, view.count, memory[layer], view.sights, view.legal)
        return Answer(int(move), memory={**memory, layer: after})


@functools.cache
def _compiled(layer: str, part: int) -> Callable[..., Any]:
    """`rollout.answer` for one row of the table, compiled."""

    def call(game: Any, player: Any, key: Any, place: Any, count: Any, memory: Any, sights: Any, legal: Any) -> Any:
        mine = jax.tree.map(lambda rows: rows[place], sights)
        return answer(game, layer, part, player, stream(key, place, layer), count, memory, mine, legal)

    return jax.jit(call)
