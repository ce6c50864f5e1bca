"""Playing towers of mechanisms in tests: what was asked step by step, and what stayed as it was without them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Game, Turn, base, numpy
from commonage.learn import rollout
from commonage.part import static
from commonage.policy import Policy

KEY = seeds.root(0)
step = jax.jit(lambda game, state, moves: game.step(KEY, state, moves))
start = jax.jit(lambda game: game.start(KEY))
_ask = jax.jit(lambda game, state: game.ask(state))


class Lines(Policy):
    """Plays written-down moves, the last one for ever; a subclass says for which layer."""

    moves: tuple[int, ...] = static(default=(0,))

    def start(self) -> Array:
        return jnp.int32(0)

    def act(self, key: Array, memory: Array, sight: Any, legal: Array) -> tuple[Array, Array]:
        return jnp.array(self.moves)[jnp.minimum(memory, len(self.moves) - 1)], memory + 1


class Plays(Lines):
    """In the base game."""


class Fines(Lines):
    """Seat numbers from 1 (0 nobody), each followed by units - 1 where more than one unit is possible."""

    game = "punish"


class Says(Lines):
    game = "talk"


class Writes(Lines):
    """Amounts when it proposes, 0 or 1 when it may sign."""

    game = "contract"


class Limits(Lines):
    """Limits that it writes down."""

    game = "agreement"


def play(game: Game, *players: Any, matches: int = 1, seed: int = 1) -> rollout.Step:
    """Arrays with leading axes [steps, matches]; a player is a policy or a tuple of it and its parts."""
    seated = [player if isinstance(player, tuple) else (player,) for player in players]
    keys = np.asarray(seeds.fold(jnp.asarray(seeds.root(seed)), jnp.arange(matches)))
    return rollout.play(game, rollout.seat(seated, np.tile(np.arange(len(seated)), (matches, 1))), keys)


def asked(game: Game, steps: rollout.Step, match: int = 0) -> list[str]:
    """The question of each step."""
    which = steps.which.max(-1)[steps.live[:, match], match]
    return [game.questions[question].name for question in which]


def ours(game: Game, steps: rollout.Step, match: int = 0) -> np.ndarray:
    """bool[steps]: those in which the base game asked."""
    which = steps.which[:, match].max(-1)
    return steps.live[:, match] & (which >= 0) & (which < len(base(game).questions))


def unchanged(game: Game, tower: Game, *players: Any, matches: int = 20) -> None:
    """Fails unless the base game's moves, rewards, deeds, facts and end are bit-identical with and without the mechanisms."""
    bare, dressed = play(game, *players, matches=matches), play(tower, *players, matches=matches)
    for match in range(matches):
        mine, others = ours(tower, dressed, match), ours(game, bare, match)
        facts = [(dressed.facts[name][mine, match], values[others, match]) for name, values in bare.facts.items()]
        fields = [
            (getattr(dressed, name)[mine, match], getattr(bare, name)[others, match]) for name in ("move", "rewards", "deeds", "toward")
        ]
        for with_, without in facts + fields:
            np.testing.assert_array_equal(with_, without)
        assert not dressed.rewards[~mine, match].any()
        assert dressed.round_over[:, match].sum() == bare.round_over[:, match].sum()
        assert dressed.ended[:, match].any() == bare.ended[:, match].any()
    assert not dressed.illegal.any()


def turns(game: Game, *rows: list[int]) -> list[Turn]:
    """The turns of a match by its moves, step by step; in NumPy. -1 = no move."""
    state, out = start(game), []
    for row in rows:
        out.append(numpy(step(game, state, jnp.array(row, jnp.int32))))
        state = out[-1].state
    return out


def asks(game: Game, state: Any) -> list[int]:
    """Which question each seat is asked now, -1 none."""
    return np.asarray(_ask(game, state).which).tolist()
