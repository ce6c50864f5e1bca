"""Policies as agents: the same function that the compiled rollout calls, one step of one table at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
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
            self.game, self.parts, self.calls = game, parts(game, self.player), {}

    def mind(self, memory: dict[str, Any] | None) -> dict[str, Any]:
        """What it remembers by layer; a layer that it has not met yet (a fork put it there) starts."""
        known = memory or {}
        return known if known.keys() >= self.parts.keys() else {**memories(self.game, self.player), **known}  # type: ignore[arg-type]


def together(agents: Sequence[PolicyAgent], views: Sequence[View]) -> list[Answer]:
    """The answers of several policies at one table, in one compiled call."""
    game, layer = views[0].game, owners(views[0].game)
    for agent in agents:
        agent.sit(game)
    minds = [agent.mind(view.memory) for agent, view in zip(agents, views, strict=True)]
    out = [Answer(view.question.neutral, memory=mind) for view, mind in zip(views, minds, strict=True)]
    able = [i for i, agent in enumerate(agents) if layer[views[i].which] in agent.parts]
    asked = tuple((layer[views[i].which], agents[i].parts[layer[views[i].which]]) for i in able)
    if not able:
        return out
    call = _call([agents[i] for i in able], asked)
    places, counts = (np.array([getattr(views[i], name) for i in able], np.int32) for name in ("place", "count"))
    own = [minds[i][name] for i, (name, _) in zip(able, asked, strict=True)]
    moves, after = call(views[0].key, places, counts, own, views[0].sights, views[0].ask.legal)
    for i, (name, _), move, mind in zip(able, asked, np.asarray(moves).tolist(), after, strict=True):
        out[i] = Answer(move, memory={**minds[i], name: mind})
    return out


def _call(agents: Sequence[PolicyAgent], asked: Asked) -> Callable[..., Any]:
    """`_answers` for these agents, compiled; the first one keeps it as long as it sits in this game."""
    calls, key = agents[0].calls, (asked, *agents)
    if key not in calls:
        calls[key] = compiled(_answers(asked), agents[0].game, tuple(agent.player for agent in agents))
    return calls[key]


@functools.cache
def _answers(asked: Asked) -> Callable[..., Any]:
    def call(game: Any, players: Any, key: Any, places: Any, counts: Any, minds: Any, sights: Any, legal: Any) -> Any:
        found = []
        for i, (layer, part) in enumerate(asked):
            mine, allowed = jax.tree.map(lambda rows, i=i: rows[places[i]], (sights, legal))
            draws = stream(key, places[i], layer)
            found.append(answer(game, layer, part, players[i], draws, counts[i], minds[i], mine, allowed))
        return jnp.stack([move for move, _ in found]), [mind for _, mind in found]

    return call
