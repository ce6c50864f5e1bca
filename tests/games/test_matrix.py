"""The 2x2 games in space, played out on Melting Pot's map: cells are (row, column), from the upper left, walls counted."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from played import ask, look, start, step

from commonage import seeds
from commonage.errors import SpecError
from commonage.games.matrix import GREEN, INTERACT, NAMED, RED, Matrix
from commonage.grid.kernel import BACK, FLOOR, FORWARD, LEFT, NOOP, RIGHT, TURN_RIGHT, Body
from commonage.learn import rollout
from commonage.policies.purist import Purist
from commonage.policies.random import Random
from commonage.policies.spatial_tit_for_tat import SpatialTitForTat
from test_towers import agree

GAME = Matrix(growth=0)  # nothing comes back but after an interaction
WIDTH = 23
NORTH, EAST, SOUTH, WEST = range(4)
STAY = [NOOP, NOOP]
FIRE = [INTERACT, NOOP]
FREE = ((6, 8, EAST), (6, 11, WEST))  # they face each other, three cells apart, nothing between them
APART = ((6, 8, EAST), (13, 2, WEST))


def cell(row, column):
    return row * WIDTH + column


def world(*players, bags=((1, 1), (1, 1)), ready=(True, True), game=GAME):
    """A state: each player is (row, column, facing)."""
    state = start(game)
    at, facing = (np.array(rows, np.int32) for rows in zip(*[(cell(r, c), f) for r, c, f in players], strict=True))
    own = state.own._replace(bag=np.array(bags, np.int32), ready=np.array(ready))
    return state._replace(body=Body(at, facing, np.zeros(2, np.int32)), own=own)


def turns(state, *moves, game=GAME):
    """The turns after such moves of both."""
    out = []
    for row in moves:
        out.append(jax.device_get(step(game, state, jnp.array(row, jnp.int32))))
        state = out[-1].state
    return out


def legal(state, game=GAME):
    return ask(game, state).legal.high.tolist()


def lying(state, game=GAME):
    """How many tokens of each kind lie on the map."""
    return (state.cells == GREEN).sum(), (state.cells == RED).sum()


# the map


def test_the_map():
    """10 green cells, 25 red ones, 12 of either kind, 13 where players come in (counted by hand in Melting Pot's source)."""
    kinds = GAME.ground.kinds
    assert [int(kinds[kind].sum()) for kind in ("resource_1", "resource_2", "resource_either", "spawn", "wall")] == [10, 25, 12, 13, 114]
    plain = Matrix(map="matrix_repeated_dilemma").ground.kinds
    assert [int(plain[kind].sum()) for kind in ("resource_1", "resource_2", "resource_either", "spawn", "wall")] == [12, 12, 12, 13, 115]


def test_a_cell_of_either_kind_has_one_of_them_for_the_whole_match():
    states = jax.vmap(GAME.start)(seeds.fold(seeds.root(1), jnp.arange(400)))
    either = np.asarray(states.cells)[:, GAME.ground.kinds["resource_either"]]
    assert set(np.unique(either)) == {GREEN, RED}
    assert (abs((either == GREEN).mean(0) - 1 / 2) < 4.5 * 0.5 / np.sqrt(400)).all()
    assert (np.asarray(states.cells)[:, GAME.ground.kinds["resource_1"]] == GREEN).all()
    assert (np.asarray(states.cells)[:, GAME.ground.kinds["resource_2"]] == RED).all()
    at = np.asarray(states.body.at)
    assert (at[:, 0] != at[:, 1]).all()
    assert set(at.ravel().tolist()) == set(np.flatnonzero(GAME.ground.kinds["spawn"]).tolist())


# collecting


def test_who_comes_to_a_token_collects_it():
    """From (6, 4) west to the red token at (6, 3); the other from (2, 7) south to the green one at (3, 7)."""
    state = world((6, 4, WEST), (2, 7, SOUTH), ready=(False, False))
    green, red = lying(state)
    (turn,) = turns(state, [FORWARD, FORWARD])
    own = turn.state.own
    assert own.bag.tolist() == [[1, 2], [2, 1]]
    assert own.collected.tolist() == [RED, GREEN]
    assert own.ready.tolist() == [True, True]
    assert turn.rewards.tolist() == [0, 0]
    assert lying(turn.state) == (green - 1, red - 1)
    (then,) = turns(turn.state, STAY)
    assert (then.state.own.bag.tolist(), then.state.own.collected.tolist()) == ([[1, 2], [2, 1]], [0, 0])


def test_a_token_may_come_back_from_the_eleventh_step_on_where_nobody_stands():
    """With certainty, so that the first step in which it may is seen."""
    sure = Matrix(growth=1)
    state = world((6, 4, WEST), (13, 2, WEST), game=sure)
    left = [turn.state.cells[cell(6, 3)] for turn in turns(state, [FORWARD, NOOP], [BACK, NOOP], *[STAY] * 11, game=sure)]
    assert left == [FLOOR] * 11 + [RED] * 2
    stood = [turn.state.cells[cell(6, 3)] for turn in turns(state, [FORWARD, NOOP], *[STAY] * 12, [BACK, NOOP], STAY, game=sure)]
    assert stood == [FLOOR] * 14 + [RED]


def test_tokens_come_back_with_their_probability():
    """All 47 are gone, and may come back: binomial, 4 sigma."""
    game = Matrix()
    state = world(*APART, game=game)
    where = game.ground.kinds["resource_1"] | game.ground.kinds["resource_2"] | game.ground.kinds["resource_either"]
    state = state._replace(cells=np.where(where, FLOOR, state.cells).astype(np.uint8))
    cells = np.asarray(jax.vmap(lambda key: game.grow(key, state))(seeds.fold(seeds.root(2), jnp.arange(3000))))
    back, trials = int((cells >= GREEN).sum()), 3000 * 47
    assert abs(back - trials * 0.02) < 4 * np.sqrt(trials * 0.02 * 0.98)
    kinds = start(game).cells
    assert ((cells == kinds) | (cells == FLOOR))[:, where].all()  # of the kind that was there
    waits = state._replace(own=state.own._replace(field=state.own.field._replace(wait=np.ones_like(state.own.field.wait))))
    assert not (np.asarray(game.grow(seeds.root(0), waits)) >= GREEN).any()


# beams


def test_a_beam_again_after_two_steps():
    fired = [turn.state.own.wait[0] for turn in turns(world(*APART), *[FIRE] * 7)]
    assert fired == [2, 1, 0, 2, 1, 0, 2]


@pytest.mark.parametrize(
    ("me", "other", "meets"),
    [
        ((6, 8, EAST), (6, 9), True),  # ahead, up to three cells
        ((6, 8, EAST), (6, 11), True),
        ((6, 8, EAST), (6, 12), False),
        ((13, 13, NORTH), (13, 12), True),  # at each side, beginning beside it, one cell less
        ((13, 13, NORTH), (13, 14), True),
        ((13, 13, NORTH), (11, 12), True),
        ((13, 13, NORTH), (10, 12), False),
        ((6, 11, NORTH), (4, 12), True),
        ((6, 8, EAST), (6, 7), False),  # behind
        ((6, 8, WEST), (6, 7), True),
        ((3, 12, WEST), (3, 10), False),  # beyond a wall
        ((13, 5, EAST), (12, 7), False),  # in a line that a wall beside it closes
        ((4, 10, WEST), (4, 7), False),  # beyond tokens
        ((6, 12, WEST), (5, 10), False),
    ],
)
def test_where_a_beam_goes(me, other, meets):
    for seat, order in ((0, 1), (1, -1)):
        players = (me, (*other, NORTH))[::order]
        (turn,) = turns(world(*players), FIRE[::order])
        assert bool(turn.state.own.met) == meets
        assert turn.state.own.wait[seat] == 2


def test_three_hits_destroy_a_token_and_the_third_passes():
    """From (6, 5) west: the token at (6, 3) covers who stands at (6, 2)."""
    (first, _, _, second, _, _, third) = turns(world((6, 5, WEST), (6, 2, EAST)), *[FIRE] * 7)
    spot = cell(6, 3) - GAME._strip.start
    assert [int(turn.state.own.field.hits[spot]) for turn in (first, second, third)] == [1, 2, 0]
    assert [int(turn.state.cells[cell(6, 3)]) for turn in (first, second, third)] == [RED, RED, FLOOR]
    assert [bool(turn.state.own.met) for turn in (first, second, third)] == [False, False, True]
    assert third.state.own.field.wait[spot] == 10
    assert third.state.own.bag.tolist() == [[1, 1], [1, 1]]  # nobody has it


def test_damage_stays_when_a_token_is_collected():
    state = turns(world((6, 5, WEST), (13, 2, EAST)), FIRE, STAY, STAY, FIRE, [FORWARD, NOOP], [FORWARD, NOOP])[-1].state
    spot = cell(6, 3) - GAME._strip.start
    assert (int(state.own.collected[0]), int(state.own.field.hits[spot]), int(state.own.field.wait[spot])) == (RED, 2, 10)


@pytest.mark.parametrize("ready", [(True, True), (True, False), (False, True), (False, False)])
def test_both_must_have_collected(ready):
    (turn,) = turns(world(*FREE, ready=ready), FIRE)
    assert bool(turn.state.own.met) == all(ready)
    assert turn.state.own.wait.tolist() == [2, 0]  # the beam is spent


def test_two_beams_at_once_are_one_interaction():
    first, *_, last = turns(world(*FREE, bags=((3, 1), (1, 2))), [INTERACT, INTERACT], *[STAY] * 17)
    assert (first.state.own.count, first.state.own.wait.tolist()) == (1, [2, 2])
    np.testing.assert_allclose(last.rewards, [1.5, 7 / 3], rtol=1e-6)


# interactions


def test_an_interaction_step_by_step():
    """It happens in step 1; both stand still; in step 18 they get their points and go; they come back at the end of step 24."""
    state = world(*FREE, bags=((3, 1), (1, 2)))
    assert legal(state) == [INTERACT, INTERACT]
    played = turns(state, FIRE, *[STAY] * 23)
    own = [turn.state.own for turn in played]
    assert [bool(one.met) for one in own] == [True] + [False] * 23
    assert [int(one.frozen) for one in own] == list(range(17, -1, -1)) + [0] * 6
    assert [turn.state.body.out.tolist() for turn in played] == [[0, 0]] * 17 + [[left] * 2 for left in range(6, -1, -1)]
    assert [legal(turn.state) for turn in played] == [[NOOP, NOOP]] * 23 + [[INTERACT, INTERACT]]
    rewards = np.array([turn.rewards for turn in played])
    assert np.flatnonzero(rewards.any(1)).tolist() == [17]
    np.testing.assert_allclose(rewards[17], [1.5, 7 / 3], rtol=1e-6)  # 3/4 (1/3 4) + 1/4 2, and 1/3 (3/4 4) + 2/3 2
    assert [one.bag.tolist() for one in own] == [[[3, 1], [1, 2]]] * 17 + [[[1, 1], [1, 1]]] * 7
    assert [one.ready.tolist() for one in own] == [[True, True]] * 17 + [[False, False]] * 7
    assert all(one.showed.tolist() == [[3, 1], [1, 2]] for one in own)
    assert [turn.state.body.at.tolist() for turn in played[:18]] == [[cell(6, 8), cell(6, 11)]] * 18
    spawn = np.flatnonzero(GAME.ground.kinds["spawn"]).tolist()
    assert set(played[-1].state.body.at.tolist()) <= set(spawn)
    assert [one.wait.tolist() for one in own] == [[2, 0]] * 24  # a beam cools down only while its owner can act
    cooled = turns(played[-1].state, FIRE, FIRE, FIRE)
    assert [turn.state.own.wait[0] for turn in cooled] == [1, 0, 2]


def test_points_under_way_at_the_end_are_lost():
    short = Matrix(growth=0, rounds=1, round_steps=10)
    played = turns(world(*FREE, game=short), FIRE, *[STAY] * 9, game=short)
    assert played[-1].truncated
    assert played[-1].state.own.frozen == 8
    assert not any(turn.rewards.any() for turn in played)


def test_all_tokens_come_back_while_both_are_out():
    """One was collected, one destroyed, and growth is off."""
    state = world((6, 4, WEST), (6, 6, EAST))
    full = lying(state)
    state = turns(state, [FORWARD, NOOP], [BACK, NOOP])[-1].state
    assert sum(lying(state)) == sum(full) - 1
    met = turns(state, [NOOP, NOOP], [RIGHT, NOOP], [LEFT, NOOP], [BACK, TURN_RIGHT], [NOOP, TURN_RIGHT])[-1].state
    left = [sum(lying(turn.state)) for turn in turns(met, [NOOP, INTERACT], *[STAY] * 19)]
    assert left == [sum(full) - 1] * 18 + [sum(full)] * 2


@pytest.mark.parametrize(
    ("kind", "payoffs"),
    [
        ("prisoners_dilemma", [[3, 0], [5, 1]]),
        ("stag_hunt", [[4, 0], [2, 2]]),
        ("chicken", [[3, 2], [5, 0]]),
    ],
)
def test_payoffs_are_those_of_melting_pot(kind, payoffs):
    r, s, t, p = NAMED[kind]
    assert [[r, s], [t, p]] == payoffs
    assert Matrix(kind=kind).rstp == (r, s, t, p)
    assert Matrix(payoffs=(1, 2, 3, 4)).rstp == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("payoffs", "bags", "points"),
    [
        ("stag_hunt", ((2, 0), (5, 0)), (4, 4)),  # pure ones: the cells of the table
        ("stag_hunt", ((2, 0), (0, 5)), (0, 2)),
        ("stag_hunt", ((0, 1), (0, 7)), (2, 2)),
        ("stag_hunt", ((3, 1), (1, 2)), (3 / 2, 7 / 3)),
        ("prisoners_dilemma", ((1, 0), (0, 1)), (0, 5)),
        ("prisoners_dilemma", ((3, 1), (1, 2)), (4 / 3, 41 / 12)),  # 3/4 (1/3 3) + 1/4 (1/3 5 + 2/3 1); 1/3 (3/4 3) + 2/3 (3/4 5 + 1/4)
        ("chicken", ((1, 1), (1, 1)), (5 / 2, 5 / 2)),  # (3 + 2 + 5 + 0) / 4
        ("chicken", ((0, 3), (4, 0)), (5, 2)),
        ("donation", ((1, 3), (0, 1)), (-1 / 4, 3 / 4)),
    ],
)
def test_points_by_hand(payoffs, bags, points):
    game = Matrix(growth=0, payoffs=NAMED[payoffs], freeze=1)
    _, paid = turns(world(*FREE, bags=bags, game=game), FIRE, STAY, game=game)
    np.testing.assert_allclose(paid.rewards, points, rtol=1e-6)
    np.testing.assert_allclose(paid.state.own.paid, points, rtol=1e-6)


def test_the_deed_of_a_round_is_the_mean_green_part_at_its_interactions():
    game = Matrix(growth=0, rounds=3, round_steps=6, freeze=1, away=1, beam_wait=0)
    met = turns(world(*FREE, bags=((3, 1), (1, 2)), game=game), FIRE, STAY, game=game)[-1].state
    again = world(*FREE, bags=((1, 1), (0, 2)), game=game)  # they meet again, with other bags
    again = met._replace(body=again.body, own=met.own._replace(bag=again.own.bag, ready=again.own.ready))
    over = turns(again, FIRE, *[STAY] * 3, game=game)
    assert [bool(turn.round_over) for turn in over] == [False, False, False, True]
    np.testing.assert_allclose(over[-1].deeds, [(3 / 4 + 1 / 2) / 2, 1 / 6], rtol=1e-6)
    assert np.isnan(over[-2].deeds).all()
    assert np.isnan(turns(over[-1].state, *[STAY] * 6, game=game)[-1].deeds).all()  # a round without any


def test_who_stands_still_at_the_end_of_a_round_has_its_deed():
    game = Matrix(growth=0, rounds=3, round_steps=6)
    over = turns(world(*FREE, bags=((3, 1), (1, 2)), game=game), *[STAY] * 4, FIRE, STAY, game=game)[-1]
    np.testing.assert_allclose(over.deeds, [3 / 4, 1 / 3], rtol=1e-6)


# what is seen


def test_what_the_other_carries_is_not_seen_before_they_interact():
    state = world(*FREE, bags=((3, 1), (1, 2)))
    other = state._replace(own=state.own._replace(bag=np.array([[3, 1], [9, 0]], np.int32), collected=np.array([0, GREEN], np.int32)))
    first = lambda tree: [np.asarray(leaf[0]).tolist() for leaf in jax.tree.leaves(tree)]
    assert first(look(GAME, state)) == first(look(GAME, other))
    assert GAME.tell(state, 0) == GAME.tell(other, 0)
    met, unlike = (turns(one, FIRE)[-1].state for one in (state, other))
    assert look(GAME, met).own.theirs.tolist() == [[1, 2], [3, 1]]
    assert look(GAME, unlike).own.theirs.tolist() == [[9, 0], [3, 1]]
    assert look(GAME, unlike).own.mine.tolist() == [[3, 1], [9, 0]]


def test_whether_the_other_has_collected_is_seen_where_it_is_in_view():
    ready = lambda *players: look(GAME, world(*players, ready=(True, False))).own.other_ready.tolist()
    assert ready(*FREE) == [0, 1]
    assert ready((6, 8, EAST), (6, 12, WEST)) == [-1, -1]
    assert ready((6, 8, WEST), (6, 11, WEST)) == [-1, 1]
    assert ready((6, 8, WEST), (6, 9, EAST)) == [0, 1]  # one behind


def test_the_view():
    """3 ahead, 1 behind, 2 to each side: (6, 4) facing west, the red token a cell ahead, walls behind it at the upper right."""
    view = np.asarray(look(GAME, world((6, 4, WEST), (13, 2, WEST))).view[0])
    ground = GAME.ground.codes(wall=2).reshape(15, WIDTH)
    ground[start(GAME).cells.reshape(15, WIDTH) >= GREEN] = 9
    seen = np.array([[ground[row, column] for row in range(8, 3, -1)] for column in range(1, 6)])
    assert (np.where(view % 16 >= GREEN, 9, view % 16) == seen).all()


def test_words():
    state = world((13, 5, WEST), (13, 7, WEST), bags=((3, 1), (1, 2)), ready=(True, False))
    assert GAME.tell(state, 1) == (
        "Round 1 of 20, step 1 of 50. You stand at row 14, column 8, and face west. Next to you: ahead floor, behind floor, left wall, "
        "right floor. Red token (3): 2 right; 1 behind 2 right; 3 ahead 2 right. Player 1: 2 ahead, facing west. Your bag holds 1 green "
        "and 2 red; you have not collected since it was last emptied. "
        "The other has collected."
    )
    assert "Red token (2): 1 ahead; 2 left." in GAME.tell(world((6, 4, WEST), (13, 2, WEST)), 0)
    played = turns(world(*FREE, bags=((3, 1), (1, 2))), FIRE, *[STAY] * 17)
    assert GAME.tell(played[0].state, 0).endswith(
        "Your bag holds 3 green and 1 red; you have collected since it was last emptied. The other has collected. At the last interaction "
        "your bag held 3 green and 1 red, the other's 1 green and 2 red; the points come in 17 steps. You can interact again in 2 steps."
    )
    assert GAME.tell(played[-1].state, 1) == (
        "Round 1 of 20, step 19 of 50. You are out, see nothing, and come back in 6 steps. Your bag holds 1 green and 1 red; you have not "
        "collected since it was last emptied. At the last interaction your bag held 1 green and 2 red, the other's 3 green and 1 red; "
        "you got 2.333 points."
    )
    rules = GAME.rules(0)
    assert (
        "two all green ones get 4 points each, two all red ones 2 each; of a green and a red one the green one gets 0, the red one 2"
        in rules
    )
    assert "stand still for 17 steps" in rules
    assert "15 rows and 23 columns" in rules
    assert "3 hits destroy a token" in rules


# yardsticks, policies, runners


def nearest(spot):
    """Steps from a cell to the nearest token, ring by ring."""
    kinds, ring, steps = start(GAME).cells, {spot}, 0
    while not any(kinds[one] >= GREEN for one in ring):
        ring, steps = {one + way for one in ring for way in (-WIDTH, 1, WIDTH, -1) if not GAME.ground.walls[one + way]}, steps + 1
    return steps


def test_how_many_interactions_there_are_at_most():
    """The second nearest place to come in lies three steps from a token: 3 + 17 for the first points, 6 + 3 + 17 for each further."""
    assert sorted(map(nearest, np.flatnonzero(GAME.ground.kinds["spawn"]).tolist()))[:2] == [2, 3]
    assert [Matrix(rounds=1, round_steps=steps).meetings() for steps in (19, 20, 45, 46, 1000)] == [0, 1, 1, 2, 38]
    assert Matrix().yardsticks() == {"welfare": 38 * 8}
    bounds = {(one.measure, one.side): one.value for one in Matrix(kind="donation", rounds=1).oracles()}
    assert bounds == {
        ("welfare_sum", "ceiling"): 2 * 4,
        ("welfare_sum", "floor"): 0,  # each cell's sum is at least that of two who defect
        ("gain", "ceiling"): 2 * 2,
        ("gain", "floor"): 0,
    }
    assert Matrix(payoffs=(-1, 0, 0, -2), rounds=1).oracles()[1].value == 2 * -4


@pytest.mark.slow
def test_no_match_of_the_scripts_breaks_a_bound():
    ceiling, floor = (one.value for one in Matrix(rounds=4).oracles() if one.measure == "welfare_sum")
    for steps in paired().values():
        total = steps.rewards.sum((0, 2))
        assert floor < total.min()
        assert total.max() <= ceiling


PAIRS = [("green", "green"), ("red", "red"), ("green", "red"), ("red", "green"), ("tit", "tit"), ("tit", "red")]
MATCHES = 4  # of each pair
PLAYERS = {"green": Purist(), "red": Purist(token="red"), "tit": SpatialTitForTat()}


@functools.cache
def paired():
    """{pair: its matches of four rounds}, all in one batch."""
    names = list(PLAYERS)
    seating = np.repeat(np.array([[names.index(name) for name in pair] for pair in PAIRS]), MATCHES, 0)
    groups = rollout.seat([(player,) for player in PLAYERS.values()], seating)
    steps = rollout.play(Matrix(rounds=4), groups, seeds.fold(seeds.root(1), jnp.arange(len(seating))), quick=True)
    return {pair: jax.tree.map(lambda leaf: leaf[:, i * MATCHES : (i + 1) * MATCHES], steps) for i, pair in enumerate(PAIRS)}  # noqa: B023


def test_purists_show_what_they_are():
    """Five of one kind and one of the other, or a little more: green parts of 5/6 and 1/6."""
    mixed = paired()["green", "red"]
    assert mixed.facts["met"].any(0).all()
    assert not (mixed.facts["collected"][..., 0] == RED).any()
    assert not (mixed.facts["collected"][..., 1] == GREEN).any()
    np.testing.assert_allclose(np.nanmean(mixed.deeds, (0, 1)), [5 / 6, 1 / 6], atol=0.02)


def test_in_the_stag_hunt_two_green_ones_get_most_and_a_green_one_is_let_down_by_a_red_one():
    """A meeting of two greens brings each 4 (5/6)^2 + 2 / 6 = 3.1, of two reds 1.8, of one of each 0.9 and 2.2."""
    point = {pair: steps.rewards.sum((0, 1)) / steps.facts["met"][:-17].sum() for pair, steps in paired().items()}
    np.testing.assert_allclose(point["green", "green"], [3.11, 3.11], atol=0.1)
    np.testing.assert_allclose(point["red", "red"], [1.78, 1.78], atol=0.1)
    np.testing.assert_allclose(point["green", "red"], [0.89, 2.22], atol=0.1)


def test_tit_for_tat_collects_what_the_other_showed():
    """Alike among themselves, and green at the first meeting with a red one only."""
    assert np.nanmean(paired()["tit", "tit"].deeds) > 0.78
    steps = paired()["tit", "red"]
    for match in range(MATCHES):
        met = np.flatnonzero(steps.facts["met"][:, match])
        green, red = (steps.facts[kind][met, match, 0] for kind in ("green", "red"))
        assert (green > red).tolist() == [True] + [False] * (len(met) - 1)
        assert len(met) >= 3


def test_who_sits_where_makes_no_difference():
    one, other = paired()["green", "red"].rewards.sum(0), paired()["red", "green"].rewards.sum(0)[:, ::-1]
    assert (abs(one.mean(0) - other.mean(0)) < 4 * np.sqrt(one.var(0) + other.var(0)) / np.sqrt(MATCHES)).all()


def test_both_runners_play_the_same_match():
    agree(Matrix(rounds=2, round_steps=40, freeze=3, away=2), [(Purist(enough=2),), (Random(),)], 4)


@pytest.mark.slow
def test_both_runners_play_the_same_long_match():
    agree(Matrix(), [(SpatialTitForTat(),), (Purist(token="red"),)], 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("map", "cleanup"),
        ("kind", "stags"),
        ("payoffs", (1, 2)),
        ("initial", -1),
        ("growth", 2),
        ("delay", 251),
        ("health", 0),
        ("beam_length", 0),
        ("beam_radius", 4),
        ("beam_wait", -1),
        ("freeze", 0),
        ("away", 0),
    ],
)
def test_wrong_parameters(field, value):
    with pytest.raises(SpecError, match=f"{field} must be"):
        Matrix(**{field: value})
