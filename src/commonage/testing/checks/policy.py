"""The clauses of `commonage.policy.Policy`, checked on the sights of random play."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from commonage import find, seeds, spec
from commonage.errors import SpecError
from commonage.game import Game, Legal, choose, layers, owners
from commonage.learn import rollout
from commonage.policy import Policy
from commonage.testing.checks import probe, rule
from commonage.testing.checks.probe import MATCHES, Played
from commonage.testing.checks.rule import TABLES, hold

PADDING = 5  # room for other layers' options


class Rows(NamedTuple):
    """What a policy meets; rows = all seats of all matches."""

    sights: Any  # by layer [steps, rows, ...]
    legal: Legal  # [steps, rows]
    asked: np.ndarray  # bool[steps, rows]: a question of its layer with more than one legal move
    stream: np.ndarray  # uint32[rows, 2]


def check_policy(policy: Any, game: Any = None) -> None:
    """Raises ContractError unless a policy keeps its contract: an object, a class or text.

    `game`: a table that it fits; without it a small one, once bare and once with the mechanisms that it sees.
    """
    policy = rule.policy(policy)
    for table in [rule.game(game)] if game else _tables(policy):
        label = next(iter(rollout.parts(table, (policy,))), "")
        names = ", ".join(layer.name for layer in layers(table))
        hold(label, policy, f"it plays {policy.game!r}", f"`game` names a game or mechanism at the table: {names}")
        rows = _rows(table, label)
        _answers_one_move(table, label, policy, rows)
        _plays(table, label, policy, rows)


def _tables(policy: Policy) -> list[Game]:
    if policy.game == "*":
        return [rule.game(table) for table in TABLES[:2]]
    sees = [name for name in policy.sees if name in find.parts("mechanisms")]
    if policy.game in find.parts("mechanisms"):
        return [spec.game(TABLES[1], [policy.game, *sees])]
    if policy.game not in find.parts("games"):
        raise SpecError(f"{policy.name} plays {policy.game!r}, and nothing here is called so; give yours: --game mine.py or --with mine.py")
    small = next((table for table in TABLES if spec.call(table).name == policy.game), policy.game)
    return [spec.game(small), *([spec.game(small, sees)] if sees else [])]


def _rows(game: Game, label: str) -> Rows:
    played, sights = _seen(game)
    flat = lambda leaf: leaf.reshape(leaf.shape[0], leaf.shape[1] * leaf.shape[2], *leaf.shape[3:])  # no -1: a leaf may be empty
    mine = np.isin(played.asks.which[:-1], [i for i, owner in enumerate(owners(game)) if owner == label])
    asked = mine & (played.asks.legal.size[:-1] > 1) & played.live[..., None]
    match, place = np.indices((MATCHES, game.seats)).reshape(2, -1)
    stream = np.asarray(jax.vmap(functools.partial(rollout.stream, label=label))(played.keys[match], place))
    return Rows(jax.tree.map(flat, sights), jax.tree.map(lambda leaf: flat(leaf[:-1]), played.asks.legal), flat(asked), stream)


@functools.lru_cache(16)
def _seen(game: Game) -> tuple[Played, Any]:
    """Matches of random play, and the sights before each step: [steps, matches, seats, ...]."""
    played = probe.play(game)
    count = len(played.live)
    states = jax.tree.map(lambda leaf: leaf[:-1].reshape(-1, *leaf.shape[2:]), played.states)
    return played, jax.tree.map(lambda leaf: np.asarray(leaf).reshape(count, MATCHES, *leaf.shape[1:]), probe.see(game, states)[0])


def _answers_one_move(game: Game, label: str, policy: Policy, rows: Rows) -> None:
    """It compiles, answers one whole number, and its memory keeps its structure."""
    sights, legal = jax.tree.map(lambda leaf: leaf[0, 0], (rows.sights, rows.legal))
    act = lambda policy, *rest: _answer(game, label, policy, *rest)
    start = rule.compiled(policy, "start")
    rule.compiled(policy, "act", rows.stream[0], np.int32(0), start, sights, legal, call=act)


def _plays(game: Game, label: str, policy: Policy, rows: Rows) -> None:
    """It plays what is legal, the same for the same key, whatever stands behind the question's moves."""
    moves, padded, before = jax.device_get(_acts(game, label, policy, rows))
    for at in zip(*np.nonzero(rows.asked & ~rows.legal.has(moves)), strict=True):
        sight = jax.tree.map(lambda leaf: leaf[at].tolist(), rows.sights[label])  # noqa: B023
        found = f"it plays {moves[at]}, legal are {_moves(Legal(*(end[at] for end in rows.legal)))}, and it sees {sight}"
        hold(False, policy, found, "Play what `legal` allows: legal.nearest(wanted)")
    times = np.argwhere(rows.asked)
    for step, row in times[:: max(1, len(times) // 4)]:
        (memory, count), sights, mask = jax.tree.map(lambda leaf: leaf[step, row], (before, rows.sights, rows.legal))  # noqa: B023
        found = [int(_answer(game, label, policy, rows.stream[row], count, memory, sights, mask)[0]) for _ in range(2)]
        hold(found == [moves[step, row]] * 2, policy, f"one key, memory and sight gave {int(moves[step, row])}, then {found}", rule.PURE)
    says = "What stands behind the question's last option is room for others': draw with legal.nth(seeds.below(key, legal.size))"
    hold((moves == padded)[rows.asked].all(), policy, "it plays otherwise where `legal` is longer", says)


def _moves(legal: Legal) -> str:
    return rule.short([int(legal.nth(rank)) for rank in range(int(legal.size))])


def _answer(game: Game, label: str, policy: Policy, stream: Any, count: Any, memory: Any, sights: Any, legal: Any) -> Any:
    return rollout.answer(game, label, 0, (policy,), jnp.asarray(stream), jnp.asarray(count), memory, sights, legal)


@functools.partial(jax.jit, static_argnums=1, compiler_options=rollout.QUICK)
def _acts(game: Game, label: str, policy: Policy, rows: Rows) -> Any:
    """(moves, moves where `legal` is longer) int32[steps, rows], and (memory, count) before each step."""

    def longer(stream: Any, count: Any, memory: Any, sights: Any, legal: Any) -> Any:
        sees = {name: sights.get(name) for name in policy.sees}
        room = legal._replace(options=jnp.pad(legal.options, (0, PADDING), constant_values=True))
        return policy.act(seeds.nth(stream, count), memory, sights[label], room, **sees)[0]

    def step(carry: Any, now: Any) -> Any:
        (memory, count), (sights, legal, asked) = carry, now
        arguments = (rows.stream, count, memory, sights, legal)
        move, after = jax.vmap(functools.partial(_answer, game, label, policy))(*arguments)
        padded = jax.vmap(longer)(*arguments)
        return (jax.vmap(choose)(asked, after, memory), count + asked), (move, padded, carry)

    start = jax.vmap(lambda _: policy.start())(rows.stream), jnp.zeros(len(rows.stream), jnp.int32)
    return jax.lax.scan(step, start, (rows.sights, rows.legal, rows.asked))[1]
