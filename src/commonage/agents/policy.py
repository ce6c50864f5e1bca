"""A policy as an agent: the same function that the compiled rollout calls, one question at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax

from commonage.agent import Agent, Answer, View
from commonage.game import Game, owners
from commonage.learn.rollout import Player, answer, memories, parts, stream
from commonage.part import bound


class PolicyAgent(Agent):
    """Seats `player`: a policy for the game, then parts for mechanisms. Other questions get their `neutral`."""

    pure = True

    def __init__(self, player: Player) -> None:
        self.player = player
        self._calls: tuple[Game | None, dict[str, Callable[..., Any]]] = (None, {})

    async def __call__(self, view: View) -> Answer:
        layer = owners(view.game)[view.which]
        part = parts(view.game, self.player).get(layer)
        memory = view.memory or memories(view.game, self.player)
        if part is None:
            return Answer(view.question.neutral, memory=memory)
        move, after = self._call(view.game, layer, part)(view.key, view.place, view.count, memory[layer], view.sights, view.ask.legal)
        return Answer(int(move), memory={**memory, layer: after})


    def _call(self, game: Game, layer: str, part: int) -> Callable[..., Any]:
        """`rollout.answer` in this game, compiled; kept while the game is the same object."""
        known, calls = self._calls
        if known is not game:
            self._calls = (game, calls := {})
        if layer not in calls:
            calls[layer] = bound(_answer(layer, part), game, self.player)
        return calls[layer]


@functools.cache
def _answer(layer: str, part: int) -> Callable[..., Any]:
    """`rollout.answer` for one row of the table."""

    def call(game: Any, player: Any, key: Any, place: Any, count: Any, memory: Any, sights: Any, legal: Any) -> Any:
        mine, allowed = jax.tree.map(lambda rows: rows[place], (sights, legal))
        return answer(game, layer, part, player, stream(key, place, layer), count, memory, mine, allowed)

    return call
