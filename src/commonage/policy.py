# pyright: strict, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false
"""The contract of a policy: a pure function from sight to a move. It compiles, and takes any seat."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array

from commonage import seeds
from commonage.game import Legal
from commonage.part import Part

COOPERATE, DEFECT = 0, 1  # the order of the two options wherever a game has just these

Memory = Any  # a pytree of arrays


class Policy(Part):
    """Answers the questions of one game, or of one mechanism (then it is a *part*: `sustainer+fine_overusers`).

    It is called only for its own layer's questions. All other questions get their `neutral`
    and leave its memory untouched.
    """

    game: ClassVar[str] = "*"  # the game or mechanism whose questions it answers; "*" = any base game
    sees: ClassVar[tuple[str, ...]] = ()  # further layers: `act` gets each as a keyword, None where it is absent
    evolves: ClassVar[dict[str, tuple[int, int]]] = {}  # fields that newcomers inherit with mutation: whole numbers, least to most

    def start(self) -> Memory:
        """The memory before the first question."""
        return ()

    def act(self, key: Array, memory: Memory, sight: Any, legal: Legal, **sees: Any) -> tuple[Array, Memory]:
        """(move int32[], memory). `sight` is this seat's row of its layer's sight; `legal` what it may answer.

        `key` belongs to (seat, count of this layer's questions to it): one draw, or `seeds.fold` it.
        """
        raise NotImplementedError


def genes(player: tuple[Policy, ...]) -> dict[str, tuple[int, int, int]]:
    """What of a player evolves: name -> (value, least, most); fields of parts behind the first policy go by `part.field`."""
    return {
        (f"{policy.name}.{field}" if place else field): (int(getattr(policy, field)), *ends)
        for place, policy in enumerate(player)
        for field, ends in policy.evolves.items()
    }


def endowed(player: tuple[Policy, ...], values: dict[str, int]) -> tuple[Policy, ...]:
    """The player with these values of its `genes`."""
    own = [
        {field: values[name] for field in policy.evolves if (name := f"{policy.name}.{field}" if place else field) in values}
        for place, policy in enumerate(player)
    ]
    return tuple(dataclasses.replace(policy, **fields) if fields else policy for policy, fields in zip(player, own, strict=True))


def cooperate_with(key: Array, p: Array | float) -> Array:
    """int32[]: COOPERATE with probability p, else DEFECT."""
    return jnp.where(seeds.chance(key, p), COOPERATE, DEFECT).astype(jnp.int32)


def move(cooperates: Array | bool) -> Array:
    """int32[]: COOPERATE where true, else DEFECT."""
    return jnp.where(cooperates, COOPERATE, DEFECT).astype(jnp.int32)


def reprisal(left: Array, provoked: Array, hits: Array | int, calm: int = 0) -> tuple[Array, Array]:
    """(defects bool[], left int32[]): provoked, it defects `hits` times and then cooperates `calm` times, deaf meanwhile.

    `left` counts the moves of a running answer that are still to come; 0 = it listens.
    """
    provoked = provoked & (left == 0)
    return provoked | (left > calm), jnp.where(provoked, hits - 1 + calm, jnp.maximum(left - 1, 0))
