"""Games as JaxMARL's environments: the same matches as our runner plays, one after the other, alone and in batches."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import commonage
from commonage import event, seeds, spec
from commonage.adapters.jaxmarl import Env, State
from commonage.adapters.spaces import Box, Dict, Discrete
from commonage.agents.policy import PolicyAgent
from commonage.errors import SpecError
from commonage.game import Game, layers
from commonage.games.dilemma import Dilemma
from commonage.games.public_goods import PublicGoods
from commonage.policies.random import Random
from commonage.run import match
from small import compiled, small

KEY = seeds.root(5)
GAMES = list(map(small, compiled()))
TOWERS = [*((game,) for game in GAMES), ("commons(seats=3,rounds=3,capacity=12)", "talk", "punish"), (small("cleanup"), "punish", "noise")]

towers = functools.partial(pytest.mark.parametrize, "tower", ids=" ".join)
FEW = [(small("ultimatum"),), *TOWERS[-2:]]  # who waits, what a mechanism asks, a map


@functools.cache
def env(*tower: str, **options: Any) -> Env:
    return commonage.make(*tower, **options)


def recorded(game: Game, key: Any) -> list[tuple[np.ndarray, event.Stepped]]:
    """A match of random play by the mixed runner: (moves, outcome) of each step."""
    anybody = [type(f"Any{i}", (Random,), {"game": layer.name})() for i, layer in enumerate(layers(game)[1:]) if layer.own]
    moves, stepped = np.full((game.max_steps, game.seats), -1), list[event.Stepped]()

    def write(step: int, seat: int, attempt: int, what: Any) -> None:
        if isinstance(what, event.Moved):
            moves[step, seat] = what.move
        elif isinstance(what, event.Stepped):
            stepped.append(what)

    outcome = asyncio.run(match.play(game, [PolicyAgent((Random(), *anybody))] * game.seats, key, write))
    assert outcome.status == "finished"
    return list(zip(moves, stepped, strict=False))


def actions(table: Env, moves: Any) -> Any:
    return moves if table.stacked else dict(zip(table.agents, moves, strict=True))


# one match


@towers(TOWERS)
def test_it_plays_the_match_that_our_runner_plays(tower: tuple[str, ...]) -> None:
    table = env(*tower, stacked=True)
    _, state = table.reset(KEY)
    for moves, stepped in recorded(table.game, KEY):
        assert ((table.which(state) >= 0) == (moves >= 0)).all()
        before, (_, state, rewards, dones, infos) = state, table.step_env(KEY, state, moves)
        np.testing.assert_allclose(rewards, stepped.rewards, 1e-5, 1e-6)
        assert not infos["illegal"].any()
        for name in ("round_over", "ended", "truncated"):
            assert (infos[name] == getattr(stepped, name)).all()
        assert (dones == (stepped.ended or stepped.truncated)).all()
        legal = table.get_avail_actions(before)
        assert all(legal[seat, move] for seat, move in enumerate(moves) if move >= 0)
    assert dones.all()


@towers(FEW)
def test_dictionaries_hold_the_rows(tower: tuple[str, ...]) -> None:
    by_agent, rows = env(*tower), env(*tower, stacked=True)
    assert by_agent.agents == [f"agent_{i}" for i in range(by_agent.num_agents)]
    one, other = (table.reset(KEY) for table in (by_agent, rows))
    moves = np.zeros(rows.num_agents, np.int32)
    before, after = ((one[1], other[1]), (by_agent.step(KEY, one[1], actions(by_agent, moves)), rows.step(KEY, other[1], moves)))
    same(before[0], before[1])
    assert after[0][3].pop("__all__") == after[1][3][0]
    for told, stacked in (*zip(after[0][:1] + after[0][2:4], after[1][:1] + after[1][2:4], strict=True), (one[0], other[0])):
        same([told[agent] for agent in by_agent.agents], list(stacked))
    same(after[0][4], after[1][4])
    for what in ("get_avail_actions", "which", "get_obs"):
        told, stacked = (getattr(table, what)(before[0]) for table in (by_agent, rows))
        same([told[agent] for agent in by_agent.agents], list(stacked))


def same(one: Any, other: Any) -> None:
    jax.tree.map(np.testing.assert_array_equal, one, other)


@towers(FEW)
def test_a_batch_is_many_matches(tower: tuple[str, ...]) -> None:
    """Under vmap and inside a scan, with one of JAX's keys for each match and step."""
    table = env(*tower, stacked=True)
    keys = jax.random.split(jax.random.key(1), 3)

    def step(state: State, t: Any) -> Any:
        own = jax.vmap(lambda key: jax.random.fold_in(key, t))(keys)
        obs, state, rewards, dones, infos = jax.vmap(table.step)(own, state, jnp.tile(t % 2, (3, table.num_agents)))
        return state, (obs, rewards, dones, infos)

    obs, start = jax.vmap(table.reset)(keys)
    _, played = jax.jit(functools.partial(jax.lax.scan, step))(start, jnp.arange(4))
    space = table.observation_space("agent_0")
    assert jax.vmap(jax.vmap(space.contains))(obs).all()
    state = jax.tree.map(lambda leaf: leaf[2], start)
    for t in range(4):
        obs, state, rewards, dones, infos = table.step(jax.random.fold_in(keys[2], t), state, np.full(table.num_agents, t % 2))
        close((obs, rewards, dones, infos), jax.tree.map(lambda leaf, t=t: leaf[t, 2], played))


def close(one: Any, other: Any) -> None:
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-5, 1e-6), one, other)


# what is over begins anew


def test_what_is_done_has_begun_anew() -> None:
    """A lake from which all is taken: the new match is another one, and its state and observations are those of a reset."""
    table = env("commons", stacked=True)
    _, state = table.reset(KEY)
    key = jax.random.PRNGKey(3)
    obs, new, rewards, dones, infos = table.step(key, state, np.full(5, 100))
    assert rewards.sum() == 100
    assert dones.all()
    assert infos["ended"].all()
    assert not infos["truncated"].any()
    fresh = seeds.fold(key, *state.key)
    assert new.key.tolist() == fresh.tolist()
    same((obs, new), table.reset(fresh))
    assert table.step_env(key, state, np.full(5, 100))[1].game.stock == 0


def test_a_learner_may_look_at_the_end_first() -> None:
    """`step` in two: the observations with which a match ended are there to bootstrap from."""
    table = env("dilemma(rounds=1)", stacked=True)
    _, state = table.reset(KEY)
    last, ended, *rest, infos = table.step_env(KEY, state, np.array([0, 1]))
    assert (last != table.get_obs(state)).any()
    assert infos["truncated"].all()
    obs, after = table.restart(KEY, ended, infos["truncated"][0])
    same((obs, after, *rest), table.step(KEY, state, np.array([0, 1]))[:4])
    same(table.restart(KEY, ended, False), (last, ended))


def test_the_clock_is_no_end_of_the_game() -> None:
    table = env("dilemma(rounds=2)", stacked=True)
    _, state = table.reset(KEY)
    for last in (False, True, False, True):
        _, state, _, dones, infos = table.step(KEY, state, np.zeros(2, np.int32))
        assert dones.tolist() == infos["truncated"].tolist() == [last] * 2
        assert not infos["ended"].any()


def test_one_key_for_all_steps_gives_other_matches() -> None:
    table = env("coin_game(rounds=1,round_steps=1)", stacked=True)
    _, state = table.reset(KEY)
    places = set()
    for _ in range(8):
        _, state, *_ = table.step(KEY, state, np.zeros(2, np.int32))
        places.add(tuple(state.game.coins.tolist()))
    assert len(places) > 4


def test_a_state_to_begin_with() -> None:
    table = env("coin_game(rounds=1,round_steps=1)", stacked=True)
    _, state = table.reset(KEY)
    same(table.step(KEY, state, np.zeros(2, np.int32), state)[1], state)


# actions


def test_an_illegal_action_comes_out_as_the_nearest_legal_one() -> None:
    table = env("commons(seats=2,rounds=3,capacity=12)", stacked=True)
    _, state = table.reset(KEY)
    _, state, rewards, _, infos = table.step(KEY, state, np.array([99, 1]))
    assert infos["illegal"].tolist() == [True, False]
    assert rewards.sum() == 12


def test_who_is_not_asked_has_nothing_to_choose() -> None:
    """The first of the two offers, then the second answers: an action of the one who waits changes nothing."""
    table = env("ultimatum(rounds=1)")
    _, state = table.reset(KEY)
    assert {agent: int(which) for agent, which in table.which(state).items()} == {"agent_0": 0, "agent_1": -1}
    legal = table.get_avail_actions(state)
    assert legal["agent_0"].sum() == table.game.questions[0].size
    assert legal["agent_1"].tolist() == [True] + [False] * (table.actions - 1)
    for idle in (0, 7):
        _, after, _, _, infos = table.step(KEY, state, {"agent_0": 4, "agent_1": idle})
        assert not infos["illegal"].any()
        assert after.game.offer == 4
        assert infos["which"].tolist() == [-1, 1]


def test_all_actions_that_the_largest_question_has() -> None:
    table = env("commons", "talk", "punish")
    assert table.action_space("agent_3") == Discrete(101)
    assert env("cleanup").action_space("agent_0") == Discrete(9)


def test_parameters_of_a_game_are_leaves_of_its_environment() -> None:
    """Many compile once, under vmap, and rewards have a gradient: of four who give all 20, each gets 80 x mpcr."""

    def paid(mpcr: Any) -> Any:
        table = Env(PublicGoods(mpcr=mpcr), (), True)
        _, state = table.reset(KEY)
        return table.step_env(KEY, state, np.full(4, 20))[2][0]

    np.testing.assert_allclose(jax.vmap(paid)(jnp.array([0.3, 0.5])), [24, 40], 1e-6)
    assert jax.grad(paid)(0.4) == 80


# keys and names


@pytest.mark.parametrize("seed", [0, 2**31])
def test_raw_and_typed_keys_are_one(seed: int) -> None:
    table = env("coin_game")
    same(table.reset(jax.random.key(seed)), table.reset(jax.random.PRNGKey(seed)))
    assert table.reset(jax.random.key(seed, impl="rbg"))[1].key.shape == (2,)


@pytest.mark.parametrize("key", [0, 1.5, np.zeros((4, 2), np.uint32), np.zeros(2)])
def test_what_is_no_key(key: Any) -> None:
    with pytest.raises(SpecError, match=r"a key is one of JAX's, as in jax\.random\.key\(0\), or uint32\[2\], not (int|float|uint)32\["):
        env("coin_game").reset(key)


def test_parameters_of_any_layer_and_games_that_are_objects() -> None:
    game = commonage.make("commons", "punish", seats=3, fine=5).game
    assert spec.tower(game) == ("commons(seats=3)", ["punish(fine=5)"])
    assert commonage.make(Dilemma(rounds=3), "talk").game.rounds == 3


@pytest.mark.parametrize(
    ("tower", "options", "says"),
    [
        (("comons",), {}, "did you mean 'commons'"),
        (("commons",), {"seat": 3}, "did you mean 'seats'"),
        (("commons",), {"observe": "codes"}, "commons has no map to look at: observe=flat"),
        (("cleanup",), {"observe": "pixels"}, "observe='pixels': it must be codes, onehot, rgb, flat"),
    ],
)
def test_what_there_is_not(tower: tuple[str, ...], options: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        commonage.make(*tower, **options)


# observations


def test_several_observations_by_name() -> None:
    """Under a mechanism a map alone does not say what is asked: the vector does."""
    table = env(small("cleanup"), "punish", observe=("codes", "flat"))
    obs, _ = table.reset(KEY)
    space = table.observation_space("agent_0")
    assert isinstance(space, Dict)
    assert list(space.spaces) == list(obs["agent_0"]) == ["codes", "flat"]
    assert space.contains(obs["agent_0"])
    assert obs["agent_0"]["flat"][-3:].tolist() == [1, 0, 0]  # one-hot: of `move`, `fine whom` and `how much` the first


def test_an_observation_of_ones_own() -> None:
    def stock(game: Game, state: Any) -> Any:
        return game.look(state).stock[:, None]

    table = commonage.make("commons", observe=stock)
    assert table.reset(KEY)[0]["agent_4"].tolist() == [100]
    assert table.observation_space("agent_0") == Box(-np.inf, np.inf, (1,), np.dtype(np.int32))


def test_spaces_sample_what_they_contain() -> None:
    space = Dict({"map": Box(0, 255, (2, 2), np.uint8), "way": Box(-1, 1, (3,)), "act": Discrete(4)})
    drawn = jax.vmap(space.sample)(jax.random.split(jax.random.key(0), 200))
    assert jax.vmap(space.contains)(drawn).all()
    assert set(drawn["act"].tolist()) == {0, 1, 2, 3}
    assert drawn["map"].dtype == np.uint8
    assert not space.contains({"map": np.zeros((2, 2)), "way": np.array([0, 2, 0]), "act": 3})
    assert not Discrete(4).contains(4)
