"""The moves of a strategy as text, so that a test reads as a played-out match."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds, spec
from commonage.errors import SpecError
from commonage.games.dilemma import Dilemma
from commonage.learn.rollout import Player, answer, memories, stream
from commonage.policy import Policy

LETTERS = "CD"  # in the order of the dilemma's options
CHUNK = 64  # lengths are filled up to a multiple of it, so that one compilation serves many matches


def moves(policy: str | Policy, against: str = "CDDC", seed: int = 0, *, slips: Collection[int] = ()) -> str:
    """What a dilemma policy plays in the first seat when the other's moves are the given ones.

    `moves("tit_for_tat", against="CDDC") == "CCDD"`. In the rounds `slips`, counted from 1, its hand
    trembles: the opposite of what it chose is played, shown here and seen by both. The draws are
    those of a match with the key `seeds.root(seed)`.

    Raises SpecError for an unknown policy, for one of another game, and for letters other than C and D.
    """
    player, game = (_policy(policy),), Dilemma()
    if not memories(game, player):
        raise SpecError(f"{player[0].name} plays {player[0].game}, not dilemma: moves() needs a policy for dilemma")
    if set(against) - set(LETTERS):
        raise SpecError(f"against={against!r}: the other's moves must be letters C and D")
    length = -len(against) // CHUNK * -CHUNK
    other = np.zeros(length, np.int32)
    other[: len(against)] = [LETTERS.index(letter) for letter in against]
    slipped = np.isin(np.arange(1, length + 1), list(slips))
    played = np.asarray(_play(game, player, seeds.root(seed), other, slipped))
    return "".join(LETTERS[move] for move in played[: len(against)])


def _policy(policy: str | Policy) -> Policy:
    return policy if isinstance(policy, Policy) else spec.make("policies", spec.call(policy))()


@jax.jit
def _play(game: Dilemma, player: Player, key: Array, other: Array, slipped: Array) -> Array:
    """int32[rounds]: the moves of the first seat, by the same calls and keys as in a rollout."""
    start = (game.start(key), memories(game, player)[game.label], jnp.int32(0))
    draws = stream(key, place=0, label=game.label)
    return jax.lax.scan(functools.partial(_round, game, player, key, draws), start, (other, slipped))[1]


def _round(game: Dilemma, player: Player, key: Array, draws: Array, carry: Any, row: tuple[Array, Array]) -> tuple[Any, Array]:
    (state, memory, count), (other, slipped) = carry, row
    sights, legal = jax.tree.map(lambda rows: rows[0], (game.sights(state), game.ask(state).legal))
    move, memory = answer(game, game.label, 0, player, draws, count, memory, sights, legal)
    played = jnp.where(slipped, 1 - move, move)
    return (game.step(key, state, jnp.stack([played, other])).state, memory, count + 1), played
