"""Sub-skill probes: every item answered by brute force."""

import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from played import look, match, numpy, start, turns

from commonage import Study, seeds
from commonage.errors import SpecError
from commonage.game import Legal
from commonage.games.commons import SKINS, Commons
from commonage.games.subskill import SKILLS, State, Subskill
from commonage.learn.score import score
from commonage.measure import intervals
from commonage.policies.random import Random
from commonage.policies.solver import Solver

ANSWERS = range(101)
SAME = [[-1] * 5]
ITEMS = {
    "simulate": [(h, [x] * 5) for h in range(10, 101) for x in range(h // 5 + 1)],
    "sustainable": [(h, takes) for h in range(10, 101) for takes in SAME],
    "threshold": [(h, takes) for h in range(10, 101) for takes in SAME],
    "beliefs": [
        (h, [-1, *others])
        for h in (10, 11, 17, 100)
        for others in itertools.product(range(h // 8 + 1), repeat=4)
        if sorted(others) == list(others)
    ],
}


def month(stock, takes):
    """What is there next month, in plain Python: the commons' rule."""
    return min(2 * max(stock - sum(takes), 0), 100)


def right(skill, stock, takes):
    """Every answer that is right, by trying all."""
    if skill == "simulate":
        return [month(stock, takes)]
    others = takes[1:] if skill == "beliefs" else None
    good = [x for x in ANSWERS if sum(drawn := [x, *(others or [x] * 4)]) <= stock and month(stock, drawn) >= stock]
    return [x for x in good if x > 0] if skill == "sustainable" else [max(good)]


def items(skill):
    stocks, takes = zip(*ITEMS[skill], strict=True)
    return State(jnp.array(stocks, jnp.int32), jnp.array(takes, jnp.int32), jnp.full(len(stocks), -1, jnp.int32))


@pytest.mark.parametrize("skill", SKILLS)
def test_answers_are_exact_over_all_items(skill):
    """All 101 answers to every item (of `beliefs` to those of four stocks, others in order)."""
    game = Subskill(skill=skill)
    answers = jnp.arange(101, dtype=jnp.int32)[:, None]
    rewards = jax.jit(jax.vmap(lambda state: jax.vmap(lambda move: game.step(seeds.root(0), state, move).rewards[0])(answers)))(
        items(skill)
    )
    for (stock, takes), given in zip(ITEMS[skill], np.asarray(rewards), strict=True):
        assert np.flatnonzero(given).tolist() == right(skill, stock, takes), (stock, takes)


@pytest.mark.parametrize("skill", SKILLS)
def test_the_solver_is_right_over_all_items(skill):
    game, legal = Subskill(skill=skill), Legal(np.int32(0), np.int32(100), np.ones(0, bool))

    def play(state):
        move, _ = Solver().act(seeds.root(0), (), jax.tree.map(lambda rows: rows[0], game.look(state)), legal)
        return game.step(seeds.root(0), state, move[None]).rewards[0]

    assert jax.jit(jax.vmap(play))(items(skill)).all()


def test_simulate_is_a_month_of_the_commons():
    step = jax.jit(lambda state, moves: Commons().step(seeds.root(0), state, moves))
    first = Commons().start(seeds.root(0))
    for stock, takes in ITEMS["simulate"][::37]:
        turn = step(first._replace(stock=jnp.int32(stock)), jnp.array(takes, jnp.int32))
        assert turn.state.stock == month(stock, takes)


@pytest.mark.parametrize(("answer", "reward"), [(0, 0), (1, 1), (3, 1), (4, 0), (100, 0)])
def test_a_sustainable_harvest_is_above_zero(answer, reward):
    """37 // 2 // 5 = 3; GovSim's code counts 0 only where the threshold is 0, which is below the smallest stock, 10."""
    state = State(jnp.int32(37), jnp.full(5, -1, jnp.int32), jnp.int32(-1))
    turn = Subskill(skill="sustainable").step(seeds.root(0), state, jnp.array([answer], jnp.int32))
    assert turn.rewards.tolist() == [reward]
    assert int(turn.state.right) == reward


@pytest.mark.parametrize("skill", SKILLS)
def test_items_are_drawn_from_the_key(skill):
    game, keys = Subskill(skill=skill), np.asarray(seeds.fold(jnp.asarray(seeds.root(0)), jnp.arange(20_000)))
    states = numpy(jax.jit(jax.vmap(game.start))(keys))
    assert sorted(set(states.stock.tolist())) == list(range(10, 101))
    drawn = {(int(h), tuple(t)) for h, t in zip(states.stock, states.takes.tolist(), strict=True)}
    if skill == "beliefs":
        assert all(takes[0] == -1 and min(takes[1:]) >= 0 and max(takes[1:]) <= h // 8 for h, takes in drawn)
        assert len(drawn) > 15_000
    else:
        assert drawn == {(h, tuple(takes)) for h, takes in ITEMS[skill]}


@pytest.mark.parametrize("skill", SKILLS)
def test_chance_is_the_mean_of_random(skill):
    """Within the interval of 20,000 items; in closed form 1 / 101, and 460 / 91 / 101 where any sustainable amount counts."""
    game, keys = Subskill(skill=skill), np.asarray(seeds.fold(jnp.asarray(seeds.root(0)), jnp.arange(20_000)))
    totals = score(game, [(Random(),)], np.zeros((len(keys), 1), int), keys)
    found = intervals.rate(totals.rewards.sum(), len(keys))
    assert game.chance() == pytest.approx(460 / 91 / 101 if skill == "sustainable" else 1 / 101)
    assert found.low <= game.chance() <= found.high


@pytest.mark.parametrize("skin", SKINS)
@pytest.mark.parametrize("skill", SKILLS)
def test_the_words_hold_the_item_and_not_its_answer(skill, skin):
    """All numbers told are the story's or the item's; the answer is told only where it happens to be one of them."""
    game = Subskill(skill=skill, skin=skin)
    for stock, takes in ITEMS[skill][:: max(len(ITEMS[skill]) // 40, 1)]:
        state = State(np.int32(stock), np.array(takes, np.int32), np.int32(-1))
        told = sorted(map(int, re.findall(r"\d+", game.tell(state, 0))))
        given = {
            "simulate": [stock, 5, takes[0]],
            "sustainable": [stock, 0, 5, stock],
            "threshold": [stock, 5, stock],
            "beliefs": [stock, *takes[1:], stock],
        }
        assert told == sorted(given[skill])
        assert game.tell(state._replace(right=np.int32(1)), 0) == game.tell(state, 0)
    assert set(map(int, re.findall(r"\d+", game.rules(0)))) == {0, 1, 5, 100}
    assert SKINS[skin].story in game.rules(0)
    assert SKINS[skin].unit in game.rules(0)
    assert f"The {SKINS[skin].place} holds" in game.tell(start(game), 0)


def test_the_words():
    tell = lambda skill, takes: Subskill(skill=skill).tell(State(np.int32(60), np.array(takes), np.int32(-1)), 0)
    assert [tell(skill, takes) for skill, takes in zip(SKILLS, ([7] * 5, *SAME, *SAME, [-1, 3, 0, 5, 7]), strict=True)] == [
        "The lake holds 60 tons of fish. Each of the 5 will catch 7. How much does the lake hold next month?",
        "The lake holds 60 tons of fish. Name an amount above 0 that each of the 5 can catch "
        "for the lake to hold at least 60 again next month.",
        "The lake holds 60 tons of fish. Each of the 5 will catch the same amount. What is the largest such amount "
        "for the lake to hold at least 60 again next month?",
        "The lake holds 60 tons of fish. The others will catch 3, 0, 5 and 7. What is the largest amount that you can catch "
        "for the lake to hold at least 60 again next month?",
    ]


def test_the_sight_holds_the_item():
    sight = look(game := Subskill(skill="beliefs"), state := start(game))
    assert {name: rows.tolist() for name, rows in sight._asdict().items()} == {"stock": [int(state.stock)], "takes": [state.takes.tolist()]}


def test_a_match_is_one_item():
    steps = match(Subskill(), Solver())
    assert (steps.live.sum(), steps.rewards.sum(), bool(steps.ended.any())) == (1, 1, False)
    assert np.isnan(steps.deeds).all()
    (turn,) = turns(Subskill(), [(int(steps.facts["solution"][0]) + 1) % 101])
    assert (bool(turn.truncated), int(turn.state.right), turn.rewards.tolist()) == (True, 0, [0])


def test_accuracy_is_a_rate_with_its_interval(tmp_path):
    arms = [Study("subskill(skill=beliefs)", seat, repeats=150).run(tmp_path / seat).summary()["arms"][0] for seat in ("solver", "random")]
    best, chance = (arm["measures"]["accuracy"] for arm in arms)
    assert (best["mean"], best["n"], best["high"], best["ceiling"]) == (1, 150, 1, 1)
    assert best["low"] == pytest.approx(150 / (150 + 1.959964**2))  # Wilson 1927, at 150 of 150
    assert best["floor"] == pytest.approx(1 / 101)
    assert chance["mean"] < 0.1
    assert all(arm["measures"]["cooperation"]["mean"] is None for arm in arms)


def test_bad_parameters_say_the_rule():
    with pytest.raises(SpecError, match="skill must be one of simulate, sustainable, threshold, beliefs"):
        Subskill(skill="cooking")
    with pytest.raises(SpecError, match="skin must be one of fishery"):
        Subskill(skin="forest")


def test_scene_shows_whether_it_was_right():
    game, state = Subskill(), start(Subskill())
    fills = [game.scene(state._replace(right=right))[1]["fill"] for right in (-1, 0, 1)]
    assert fills == ["idle", "bad", "good"]
