"""Policies as agents: the same function that the compiled rollout calls, one step of one table at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from commonage.agent import Agent, Answer, View
from commonage.game import Game, owners
from commonage.learn.rollout import Player, answer, memories, parts, stream
from commonage.part import compiled
from commonage.policy import endowed

Asked = tuple[tuple[str, int], ...]  # of each policy: the layer that asks, and which of its parts answers


class PolicyAgent(Agent):
    """Seats `player`: a policy for the game, then parts for mechanisms. Other questions get their `neutral`."""

    pure = True

    def __init__(self, player: Player) -> None:
        self.player = player
        self.game: Game | None = None  # what follows belongs to this game object
        self.owners: tuple[str, ...] = ()
        self.parts: dict[str, int] = {}
        self.calls: dict[Any, Callable[..., Any]] = {}

    async def __call__(self, view: View) -> Answer:
        return together([self], [view])[0]

    def heir(self, strategy: Any) -> PolicyAgent:
        """The policy with the numbers of a strategy."""
        return PolicyAgent(endowed(self.player, strategy)) if strategy else self

    def sit(self, game: Game) -> None:
        """Makes ready for a game."""
        if game is not self.game:
            self.game, self.owners, self.parts, self.calls = game, owners(game), parts(game, self.player), {}

    def mind(self, memory: dict[str, Any] | None) -> dict[str, Any]:
        """What it remembers by layer; a layer that it has not met yet (a fork put it there) starts."""
        known = memory or {}
        return known if known.keys() >= self.parts.keys() else {**memories(self.game, self.player), **known}  # type: ignore[arg-type]


def together(agents: Sequence[PolicyAgent], views: Sequence[View]) -> list[Answer]:
    """The answers of several policies at one table, in one compiled call."""
    for agent in agents:
        agent.sit(views[0].game)
    minds = [agent.mind(view.memory) for agent, view in zip(agents, views, strict=True)]
    layers = [agent.owners[view.which] for agent, view in zip(agents, views, strict=True)]
    able = [i for i, agent in enumerate(agents) if layers[i] in agent.parts]
    answers = dict(zip(able, _asked(agents, views, minds, layers, able), strict=True)) if able else {}
    return [answers[i] if i in answers else Answer(view.question.neutral, memory=minds[i]) for i, view in enumerate(views)]


def _asked(
    agents: Sequence[PolicyAgent], views: Sequence[View], minds: Sequence[dict[str, Any]], layers: Sequence[str], able: Sequence[int]
) -> Iterator[Answer]:  # fmt: skip
    """The answers of those that have a part for what they are asked."""
    call = _call([agents[i] for i in able], tuple((layers[i], agents[i].parts[layers[i]]) for i in able))
    where = np.array([(views[i].place, views[i].count) for i in able], np.int32)
    moves, after = call(views[0].key, where, [minds[i][layers[i]] for i in able], views[0].sights, views[0].allowed)
    for i, move, mind in zip(able, np.asarray(moves).tolist(), after, strict=True):
        yield Answer(move, memory={**minds[i], layers[i]: mind})


def _call(agents: Sequence[PolicyAgent], asked: Asked) -> Callable[..., Any]:
    """`_answers` for these agents, compiled; the first one keeps it as long as it sits in this game."""
    calls, key = agents[0].calls, (asked, *agents)
    if key not in calls:
        calls[key] = compiled(_answers(asked), agents[0].game, tuple(agent.player for agent in agents))
    return calls[key]


@functools.cache
def _answers(asked: Asked) -> Callable[..., Any]:
    def call(game: Any, players: Any, key: Any, where: Any, minds: Any, sights: Any, legal: Any) -> Any:
        found = []
        for i, (layer, part) in enumerate(asked):
            place, count = where[i]
            mine, allowed = jax.tree.map(lambda rows, place=place: rows[place], (sights, legal))
            draws = stream(key, place, layer)
            found.append(answer(game, layer, part, players[i], draws, count, minds[i], mine, allowed))
        return jnp.stack([move for move, _ in found]), [mind for _, mind in found]

    return call
