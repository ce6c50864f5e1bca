"""Many matches between policies in one compiled loop. Knows nothing of files, agents or studies.

Players of like structure (a hundred memory-one tables, say) are stacked and act in one vmapped call,
wherever they sit: so seats may be permuted match by match, and a tournament is one batch.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Game, layers, owners
from commonage.policy import Policy

Player = tuple[Policy, ...]  # a policy for the game, then parts for mechanisms


class Step(NamedTuple):
    """What one step left behind; rows by place in the game. In a record with leading axes [steps, matches]."""

    live: Array  # bool[]: this step was played
    round: Array  # int32[], from 1
    round_over: Array
    ended: Array
    truncated: Array
    which: Array  # int32[seats]: the question, -1 none
    move: Array  # int32[seats], -1 none
    forced: Array  # bool[seats]: the only legal move, not asked
    illegal: Array  # bool[seats]: the policy broke its contract: the match failed here
    rewards: Array  # float32[seats]
    deeds: Array  # float32[seats]
    toward: Array  # int32[seats]
    facts: dict[str, Array]


class Totals(NamedTuple):
    """Sums over a match, where the events are not kept; leading axis [matches]."""

    steps: Array
    rounds: Array
    ended: Array
    rewards: Array  # float32[seats]
    deeds: Array  # float32[seats]: sum of deeds
    count: Array  # int32[seats]: how many deeds


class Group(NamedTuple):
    """Players of one structure: their parameters, stacked, and where they sit."""

    players: Player  # leaves [kinds, ...]
    kind: Array  # int32[instances]: which of them
    match: Array | None  # int32[instances]; None where the group fills all tables, in order: no gathering
    place: Array | None  # int32[instances]


def seat(players: list[Player], seating: np.ndarray) -> tuple[Group, ...]:
    """Groups for `seating` int[matches, seats]: who of `players` sits where."""
    structures: dict[Any, list[int]] = {}
    for i, player in enumerate(players):
        leaves, structure = jax.tree.flatten(player)
        shapes = tuple(np.shape(leaf) for leaf in leaves)
        structures.setdefault((structure, shapes), []).append(i)
    return tuple(_group([players[i] for i in kinds], kinds, seating) for kinds in structures.values() if np.isin(seating, kinds).any())


def _group(players: list[Player], kinds: list[int], seating: np.ndarray) -> Group:
    stacked = jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *players)
    mine = np.isin(seating, kinds)
    kind = np.searchsorted(np.array(kinds), seating[mine]).astype(np.int32)
    if mine.all():
        return Group(stacked, kind, None, None)
    match, place = np.nonzero(mine)
    return Group(stacked, kind, match.astype(np.int32), place.astype(np.int32))


def play(game: Game, groups: tuple[Group, ...], keys: np.ndarray) -> Step:
    """Every step of `len(keys)` matches: a Step with leading axes [max_steps, matches]. Compiled once per shape."""
    return jax.device_get(_record(game, groups, keys))


def score(game: Game, groups: tuple[Group, ...], keys: np.ndarray) -> Totals:
    """The sums of each match, without its steps."""
    return jax.device_get(_totals(game, groups, keys))


class _Sitting(NamedTuple):
    """A group at the tables, row by instance: what stays the same from step to step."""

    player: Player
    match: Array | None
    place: Array | None
    streams: dict[str, Array]  # by layer: uint32[instances, 2], the random stream of each


class _Carry(NamedTuple):
    state: Any
    memories: tuple[Any, ...]  # per group: ({layer: memory [instances]}, {layer: count [instances]})
    round: Array  # int32[matches]
    live: Array  # bool[matches]


@jax.jit
def _record(game: Game, groups: tuple[Group, ...], keys: Array) -> Step:
    sitting = [_sit(game, group, keys) for group in groups]
    carry = _begin(game, sitting, keys)
    blank = jax.eval_shape(lambda c: _advance(game, sitting, keys, c)[1], carry)
    steps = jax.tree.map(lambda leaf: jnp.zeros((game.max_steps, *leaf.shape), leaf.dtype), blank)

    def body(loop: tuple[Array, _Carry, Step]) -> tuple[Array, _Carry, Step]:
        t, carry, steps = loop
        carry, step = _advance(game, sitting, keys, carry)
        return t + 1, carry, jax.tree.map(lambda all_, one: all_.at[t].set(one), steps, step)

    return jax.lax.while_loop(lambda loop: (loop[0] < game.max_steps) & loop[1].live.any(), body, (jnp.int32(0), carry, steps))[2]


@jax.jit
def _totals(game: Game, groups: tuple[Group, ...], keys: Array) -> Totals:
    matches, zero = keys.shape[0], jnp.zeros((keys.shape[0], game.seats), jnp.float32)
    none = jnp.zeros(matches, jnp.int32)
    totals = Totals(none, none, none > 0, zero, zero, zero.astype(jnp.int32))
    sitting = [_sit(game, group, keys) for group in groups]

    def body(loop: tuple[Array, _Carry, Totals]) -> tuple[Array, _Carry, Totals]:
        t, carry, totals = loop
        carry, step = _advance(game, sitting, keys, carry)
        return t + 1, carry, _add(totals, step)

    start = (jnp.int32(0), _begin(game, sitting, keys), totals)
    return jax.lax.while_loop(lambda loop: (loop[0] < game.max_steps) & loop[1].live.any(), body, start)[2]


def _add(totals: Totals, step: Step) -> Totals:
    did = ~jnp.isnan(step.deeds)
    return Totals(
        totals.steps + step.live,
        totals.rounds + step.round_over,
        totals.ended | step.ended,
        totals.rewards + step.rewards,
        totals.deeds + jnp.where(did, step.deeds, 0),
        totals.count + did,
    )


def _sit(game: Game, group: Group, keys: Array) -> _Sitting:
    count, seats = keys.shape[0], game.seats
    match = jnp.repeat(jnp.arange(count), seats) if group.match is None else group.match
    place = jnp.tile(jnp.arange(seats), count) if group.place is None else group.place
    player = jax.tree.map(lambda leaf: jnp.asarray(leaf)[group.kind], group.players)
    streams = {label: stream(keys[match], label, place) for label in parts(game, group.players)}
    return _Sitting(player, group.match, group.place, streams)


def _begin(game: Game, sitting: list[_Sitting], keys: Array) -> _Carry:
    count = keys.shape[0]
    memories = tuple(_memories(game, group, count * game.seats if group.match is None else len(group.match)) for group in sitting)
    return _Carry(jax.vmap(game.start)(keys), memories, jnp.zeros(count, jnp.int32), jnp.ones(count, bool))


def _memories(game: Game, group: _Sitting, instances: int) -> tuple[dict[str, Any], dict[str, Array]]:
    start = jax.vmap(functools.partial(memories, game), axis_size=instances)(group.player)
    return start, {label: jnp.zeros(instances, jnp.int32) for label in start}


def memories(game: Game, player: Player) -> dict[str, Any]:
    """What a player remembers before the first question, by layer."""
    return {label: player[i].start() for label, i in parts(game, player).items()}


def parts(game: Game, player: Player) -> dict[str, int]:
    """For each layer of the tower that the player answers: the index of the policy that does."""
    out = {}
    for layer in layers(game):
        for i, policy in enumerate(player):
            if policy.game == layer.name or (policy.game == "*" and layer is layers(game)[0]):
                out[layer.label] = i
    return out


def _advance(game: Game, sitting: list[_Sitting], keys: Array, carry: _Carry) -> tuple[_Carry, Step]:
    """One step of all matches; finished ones stand still."""
    ask = jax.vmap(game.ask)(carry.state)
    which = jnp.where(carry.live[:, None], ask.which, -1)
    forced = (which >= 0) & (ask.legal.sum(-1) == 1)
    neutral = jnp.array([question.neutral for question in game.questions], jnp.int32)
    moves = jnp.where(forced, jnp.argmax(ask.legal, -1), neutral[which])
    sights = jax.vmap(game.sights)(carry.state)
    after = []
    for group, memory in zip(sitting, carry.memories, strict=True):
        moves, memory = _act(game, group, memory, sights, jnp.where(forced, -1, which), ask.legal, moves)
        after.append(memory)
    moves = jnp.where(which < 0, -1, moves)
    legal = jnp.take_along_axis(ask.legal, jnp.maximum(moves, 0)[..., None], -1)[..., 0]
    illegal = (which >= 0) & ~legal
    broken = illegal.any(-1)
    turn = jax.vmap(game.step)(keys, carry.state, moves)
    live = carry.live & ~broken
    step = _step(game, carry, turn, which, moves, forced, illegal, live)
    return _Carry(
        state=_where(live, turn.state, carry.state),
        memories=tuple(after),
        round=carry.round + step.round_over,
        live=live & ~turn.ended & ~turn.truncated,
    ), step


def _step(game: Game, carry: _Carry, turn: Any, which: Array, moves: Array, forced: Array, illegal: Array, live: Array) -> Step:
    rows = live[:, None]
    return Step(
        live=live | illegal.any(-1),
        round=carry.round + 1,
        round_over=turn.round_over & live,
        ended=turn.ended & live,
        truncated=turn.truncated & live,
        which=which,
        move=moves,
        forced=forced,
        illegal=illegal,
        rewards=jnp.where(rows, turn.rewards, 0),
        deeds=jnp.where(rows, turn.deeds, jnp.nan),
        toward=jax.vmap(game.toward)(carry.state),
        facts=jax.vmap(game.facts)(turn.state),
    )


def _act(game: Game, group: _Sitting, memory: Any, sights: Any, which: Array, legal: Array, moves: Array) -> tuple[Array, Any]:
    """The moves of one group, put in their places."""
    minds, counts = memory
    mine, seen, allowed = _at(group, which), jax.tree.map(functools.partial(_at, group), sights), _at(group, legal)
    chosen = _at(group, moves)
    for label, i in parts(game, group.player).items():
        asked = jnp.isin(mine, jnp.array([q for q, owner in enumerate(owners(game)) if owner == label]))
        act = jax.vmap(functools.partial(answer, game, label, i))
        move, after = act(group.player, group.streams[label], counts[label], minds[label], seen, allowed)
        minds = {**minds, label: _where(asked, after, minds[label])}
        counts = {**counts, label: counts[label] + asked}
        chosen = jnp.where(asked, move, chosen)
    if group.match is None:
        return chosen.reshape(moves.shape), (minds, counts)
    return moves.at[group.match, group.place].set(chosen), (minds, counts)


def stream(key: Array, label: str, place: Array | int) -> Array:
    """The random stream of a place's answers to one layer; a policy's key is it, folded with the count of them."""
    return seeds.fold(key, "policy", label, place)


def answer(
    game: Game, label: str, part: int, player: Player, stream: Array, count: Array, memory: Any, sights: Any, legal: Array
) -> tuple[Array, Any]:
    """One policy's answer to one question of its layer: the only place where a policy is called."""
    policy = player[part]
    sees = {name: sights.get(name) for name in policy.sees}
    size = max(question.size for question, owner in zip(game.questions, owners(game), strict=True) if owner == label)
    move, memory = policy.act(seeds.fold(stream, count), memory, sights[label], legal[:size], **sees)
    return jnp.asarray(move, jnp.int32), memory


def _at(group: _Sitting, rows: Array) -> Array:
    """The rows of this group's instances, of an array [matches, seats, ...]."""
    return rows.reshape(-1, *rows.shape[2:]) if group.match is None else rows[group.match, group.place]


def _where(mask: Array, new: Any, old: Any) -> Any:
    """Row by row: the new pytree where the mask holds."""
    return jax.tree.map(lambda a, b: jnp.where(mask.reshape(mask.shape + (1,) * (a.ndim - mask.ndim)), a, b), new, old)
