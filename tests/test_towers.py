"""Mechanisms compose: whatever the tower, seats can always move, idle layers are not there, and both runners play one match."""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import Array

from commonage import event, find, seeds, spec, testing
from commonage.agents.policy import PolicyAgent
from commonage.errors import Unfit
from commonage.game import Game, base, layers
from commonage.games.commons import Commons
from commonage.learn import rollout
from commonage.learn.rollout import Player, Step
from commonage.mechanisms.noise import Noise
from commonage.policies.random import Random
from commonage.run import batch, match
from commonage.testing.checks.game import play, well_formed
from commonage.testing.checks.rule import TABLES
from small import WHOLE, compiled, small

SEED = 2026  # of the towers of depth three
LIVELY = {
    "noise": ["noise(rate=0.3)"],
    "talk": ["talk", "talk(when=after)", "talk(order=turn)", "talk(order=floor,turns=3)"],
    "punish": ["punish", "punish(most=2)"],
}
IDLE = {"noise": "noise(rate=0)", "imitation": "imitation(rate=0)"}
GAMES, MECHANISMS = compiled(), sorted(find.parts("mechanisms"))

UNFIT = dict.fromkeys(("agreement", "norm"), ("coin_game", "dilemma"))  # the games that have not what a mechanism acts on

Tower = tuple[str, tuple[str, ...]]  # a game, and mechanisms from the outside in, as text


def drawn(count: int) -> list[Tower]:
    """So many different towers of depth three, around every game in turn."""
    rng = np.random.default_rng(SEED)
    out: dict[Tower, None] = {}
    while len(out) < count:
        names = rng.choice(MECHANISMS, 3).tolist()
        around = tuple(str(rng.choice(LIVELY.get(name, [name]))) for name in names)
        game = GAMES[len(out) % len(GAMES)]
        if fits(game, names):
            out[small(game), around] = None
    return list(out)


def fits(game: str, mechanisms: Iterable[str]) -> bool:
    """Whether all of them can go around it."""
    try:
        spec.game(small(game), list(mechanisms))
    except Unfit:
        return False
    return True


def title(tower: Tower) -> str:
    return " ".join([*tower[1], tower[0]])


SINGLE = [(small(game), (LIVELY.get(name, [name])[0],)) for game in GAMES for name in MECHANISMS if fits(game, [name])]
PAIRS = [(small(game), pair) for game in ("dilemma", "commons") for pair in itertools.permutations(MECHANISMS, 2) if fits(game, pair)]
BESIDE = set(zip(MECHANISMS, MECHANISMS[1:] + MECHANISMS[:1], strict=True))  # each outside the next by name
NEXT = [pair for pair in PAIRS if pair[1] in BESIDE]
TESTED = {spec.call(table).name for table in TABLES}  # around these check_mechanism puts every mechanism: tests/test_contracts.py
OTHERS = [tower for tower in SINGLE if spec.call(tower[0]).name not in TESTED]
SOME_OTHERS = OTHERS[::4]  # every game with every fourth mechanism, in turn
TWINS = [(small("dilemma" if fits("dilemma", [name]) else "commons"), (name, name)) for name in MECHANISMS]
DEEP = drawn(40)
FEW = 3  # of the deep ones: where a part of the tests has to be enough

towers = functools.partial(pytest.mark.parametrize, "tower", ids=title)
deep = [
    pytest.param(tower, id=f"seed {SEED}: {title(tower)}", marks=[pytest.mark.slow] if i >= FEW else []) for i, tower in enumerate(DEEP)
]


@functools.cache
def built(tower: Tower) -> Game:
    return spec.game(tower[0], tower[1])


@pytest.mark.parametrize(("mechanism", "game"), [(name, game) for name, games in UNFIT.items() for game in games])
def test_a_mechanism_refuses_a_game_that_has_not_what_it_acts_on(mechanism: str, game: str) -> None:
    with pytest.raises(Unfit, match=game):
        spec.game(game, [mechanism])


# playing


@towers([*SOME_OTHERS, *TWINS, *NEXT])
def test_every_game_and_mechanism(tower: Tower) -> None:
    stands(built(tower))


@pytest.mark.slow
@towers([tower for tower in [*OTHERS, *PAIRS] if tower not in [*SOME_OTHERS, *NEXT]])
def test_every_game_and_every_pair(tower: Tower) -> None:
    """As many as games times mechanisms, and mechanisms squared. The fast tests have every mechanism around a fourth of the games,
    outside one other and inside another.
    """
    stands(built(tower))


@pytest.mark.parametrize("tower", deep)
def test_depth_three(tower: Tower) -> None:
    stands(built(tower))


def stands(game: Game) -> None:
    """All seats play at random in all layers and nobody is stuck; with the layers idle the base game is as it is alone."""
    well_formed(game, play(game))
    testing.check_null(game)


def test_the_towers_are_what_they_say() -> None:
    assert len(set(DEEP)) == 40
    assert {spec.call(game).name for game, _ in DEEP} == set(GAMES)
    assert {text for _, (text,) in SOME_OTHERS} == {LIVELY.get(name, [name])[0] for name in MECHANISMS}
    assert {spec.call(game).name for game, _ in SOME_OTHERS} == set(GAMES) - TESTED
    assert [layer.name for layer in layers(built((small("dilemma"), ("talk", "punish"))))] == ["dilemma", "punish", "talk"]


# two runners, one truth


@functools.cache
def anybody(layer: str) -> Random:
    """Plays at random in one mechanism."""
    return type(f"Any{find.camel(layer)}", (Random,), {"game": layer})()


def lively(game: Game) -> Player:
    """Plays at random in every layer."""
    return (Random(), *(anybody(name) for name in dict.fromkeys(layer.name for layer in layers(game)[1:] if layer.own)))


def seating(game: Game, matches: int) -> np.ndarray:
    """int[matches, seats]: who sits where; as in the list where places are roles."""
    rng = np.random.default_rng(matches)
    return np.stack([np.arange(game.seats) if game.roles else rng.permutation(game.seats) for _ in range(matches)])


def streams(matches: int, first: int = 0) -> np.ndarray:
    return np.stack([np.asarray(seeds.root(first + i)) for i in range(matches)])


def agree(game: Game, players: list[Player], matches: int, *, other: Game | None = None, first: int = 0) -> None:
    """Fails unless the mixed runner plays the same matches as the compiled one (of `other`): a handful of them, event by event."""
    orders, keys = seating(game, matches), streams(matches, first)
    steps = batch.play(other or game, players, orders, keys)
    for row in sorted({0, 1, matches // 3, matches // 2, matches - 1} & set(range(matches))):
        events = mixed(game, players, keys[row], orders[row].tolist())
        same_match(steps, row, events, game.seats)


def mixed(game: Game, players: list[Player], key: Any, order: list[int]) -> dict[tuple[int, int], Any]:
    """The events of one match by (step, seat)."""
    log: dict[tuple[int, int], Any] = {}
    write = lambda step, seat, attempt, what: log.update({(step, seat): what})
    outcome = asyncio.run(match.play(game, [PolicyAgent(player) for player in players], key, write, order=order))
    assert outcome.status == "finished", outcome
    return log


FLAGS = ("round", "round_over", "ended", "truncated")


def same_match(steps: Step, row: int, events: dict[tuple[int, int], Any], seats: int, flags: tuple[str, ...] = FLAGS) -> None:
    """Moves, questions, rounds and ends are equal; rewards, deeds and facts to 1e-5."""
    count = int(steps.live[:, row].sum())
    assert isinstance(events[count, event.TABLE], event.Finished)
    nothing = event.Moved(-1, -1)
    for t in range(count):
        moved, stepped = [events.get((t, seat), nothing) for seat in range(seats)], events[t, event.TABLE]
        assert [m.move for m in moved] == steps.move[t, row].tolist()
        assert [m.question for m in moved] == steps.which[t, row].tolist()
        assert [m.forced for m in moved] == steps.forced[t, row].tolist()
        assert not steps.illegal[t, row].any()
        for name in flags:
            assert getattr(stepped, name) == getattr(steps, name)[t, row]
        assert stepped.toward == steps.toward[t, row].tolist()
        np.testing.assert_allclose(stepped.rewards, steps.rewards[t, row], 1e-5, 1e-6)
        np.testing.assert_allclose(np.array(stepped.deeds, float), steps.deeds[t, row], 1e-5)
        assert stepped.facts.keys() == steps.facts.keys()
        for name, value in stepped.facts.items():
            close(np.asarray(value), steps.facts[name][t, row])


def close(one: np.ndarray, other: np.ndarray) -> None:
    if other.dtype.kind == "f":
        np.testing.assert_allclose(one, other, 1e-5, 1e-6)
    else:
        np.testing.assert_array_equal(one, other)


MIDDLE = (small("commons"), ("noise(rate=0.3)", "punish(most=2)"))


@pytest.mark.parametrize("matches", [1, 7, 1024])
def test_both_runners_play_the_same_match_at_every_batch_size(matches: int) -> None:
    agree(built(MIDDLE), [lively(built(MIDDLE))] * 3, matches)


@pytest.mark.slow
@towers([*((small(game), ()) for game in GAMES), *SINGLE, *PAIRS, *TWINS])
def test_both_runners_play_the_same_match_in_every_tower(tower: Tower) -> None:
    agree(built(tower), [lively(built(tower))] * built(tower).seats, 7)


@pytest.mark.slow
@towers(DEEP)
def test_both_runners_play_the_same_match_at_depth_three(tower: Tower) -> None:
    for matches in (1, 7, 1024):
        agree(built(tower), [lively(built(tower))] * built(tower).seats, matches)


PLAYERS = {
    ("dilemma(rounds=4)", ("contract(most=4)",)): "joss+signer,memory_one(p=[0.9,0.7,0.2,0.8,0.1])+signer(amount=2)",
    ("commons(seats=2,rounds=3,capacity=12)", ("talk", "punish")): "cheat(wary=1)+pledger,sustainer+fine_overusers(notice=0.5)",
}


@towers(list(PLAYERS))
def test_both_runners_play_the_same_match_of_strategies(tower: Tower) -> None:
    agree(built(tower), [spec.policies(seat) for seat in spec.seats(PLAYERS[tower])], 7)


@settings(max_examples=10, deadline=None, derandomize=True, database=None)
@given(first=st.integers(0, 2**62))
def test_both_runners_play_the_same_match_from_any_seed(first: int) -> None:
    agree(built(MIDDLE), [lively(built(MIDDLE))] * 3, 7, first=first)


# a planted extra draw, in one layer of one runner: `extra` is a leaf, so that one compilation serves all cases


class DrawingCommons(Commons):
    extra: int = 0
    label = name = "commons"  # pyright: ignore

    def step(self, key: Array, state: Any, moves: Array) -> Any:
        return super().step(after(key, self.extra), state, moves)


class DrawingNoise(Noise):
    extra: int = 0
    label = name = "noise"  # pyright: ignore

    def _key(self, key: Array, state: Any, purpose: int) -> Array:
        return after(super()._key(key, state, purpose), self.extra)


class DrawingPunisher(Random):
    game = "punish"
    extra: int = 0

    def act(self, key: Array, memory: Any, sight: Any, legal: Any) -> Any:
        return super().act(after(key, self.extra), memory, sight, legal)


def after(key: Array, draws: Any) -> Array:
    """The key, or where something was drawn before the next one."""
    return jnp.where(jnp.asarray(draws) > 0, seeds.fold(key, 1), key)


@pytest.mark.parametrize("layer", ["none", "game", "mechanism", "policy"])
def test_an_extra_draw_in_one_layer_is_found(layer: str) -> None:
    plain = built(MIDDLE)
    game = DrawingCommons(**vars(base(plain)), extra=int(layer == "game"))
    tower = DrawingNoise(spec.game(game, MIDDLE[1][1:]), plain.rate, extra=int(layer == "mechanism"))
    players = [(Random(), DrawingPunisher(extra=int(layer == "policy")))] * 3
    orders, keys = seating(plain, 7), streams(7)
    steps = batch.play(tower, players, orders, keys)
    found = [differs(steps, row, mixed(plain, [lively(plain)] * 3, keys[row], orders[row].tolist())) for row in range(7)]
    assert any(found) == (layer != "none")


def differs(steps: Step, row: int, events: dict[tuple[int, int], Any]) -> bool:
    try:
        same_match(steps, row, events, steps.move.shape[2])
    except (AssertionError, KeyError):
        return True
    return False


# silent towers


def strategies(game: str) -> list[Player]:
    """Every policy that plays this game, with its defaults, as it is in `small`."""
    names = (
        find.parts("policies").keys() - WHOLE.keys() - {"map_reader", "imitator"}
    )  # one waits for what talk may tell it, one needs a file
    policies = [spec.make("policies", spec.call(name))() for name in sorted(names)]
    return [(policy,) for policy in policies if policy.game in ("*", game)]


ALL = tuple(IDLE.get(name, name) for name in MECHANISMS)
FIT = {game: tuple(text for text in ALL if fits(game, [spec.call(text).name])) for game in GAMES}
SOME = {game: ALL if game == "commons" else (FIT[game] * 2)[i % len(FIT[game]) :][:2] for i, game in enumerate(GAMES)}
SILENT = [(small(game), SOME[game]) for game in GAMES] + [(small(game), FIT[game][::-1]) for game in GAMES]
SOON = [(small(game), SOME[game]) for game in ("dilemma", "donor", "trust")]


@pytest.mark.parametrize("tower", [pytest.param(t, id=title(t), marks=[] if t in SOON else pytest.mark.slow) for t in SILENT])
def test_a_silent_tower_changes_no_strategy(tower: Tower) -> None:
    """Each strategy sits somewhere: alone in the compiled runner, and under idle mechanisms in the mixed one."""
    alone = built((tower[0], ()))
    players = strategies(alone.name)
    first = np.arange(0, len(players), 1 if alone.roles else alone.seats)
    orders, keys = (first[:, None] + np.arange(alone.seats)) % len(players), streams(len(first))
    steps = rollout.play(alone, rollout.seat(players, orders), keys)
    for row, key in enumerate(keys):
        events = mixed(built(tower), [players[i] for i in orders[row]], key, list(range(alone.seats)))
        same_match(steps, row, only(events, alone), alone.seats, flags=("round",))


def only(events: dict[tuple[int, int], Any], game: Game) -> dict[tuple[int, int], Any]:
    """The events of the base game's steps, counted anew. In the others nothing happens to anybody."""
    last = max(step for step, _ in events)
    own = {step for (step, _), what in events.items() if isinstance(what, event.Moved) and what.question >= len(game.questions)}
    for step in own:
        assert not any(events[step, event.TABLE].rewards)
    kept = {step: i for i, step in enumerate(step for step in range(last + 1) if step not in own)}
    facts = game.facts(game.start(seeds.root(0))).keys()
    bare = lambda what: what._replace(facts={name: what.facts[name] for name in facts}) if isinstance(what, event.Stepped) else what
    return {(kept[step], seat): bare(what) for (step, seat), what in events.items() if step in kept}
