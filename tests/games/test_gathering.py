"""Gathering, played out; rows and columns are counted from 0."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from boards import alike, apples, board, gains, often, played, rolled
from played import ask, look, start

from commonage.errors import SpecError
from commonage.game import numpy
from commonage.games.gathering import Gathering
from commonage.grid import maps
from commonage.policies import apple_matcher

GAME, PAIR = Gathering(), Gathering(seats=2)
SMALL = Gathering(map="gathering_small", seats=2)
AWAY = (14, 1, "N")  # far from all apples that the tests use


# the maps


@pytest.mark.parametrize(
    ("game", "shape", "kinds"),
    [
        (GAME, (16, 38), {"wall": 117, "spawn": 20, "apple": 155}),
        (SMALL, (10, 18), {"wall": 59, "spawn": 2, "apple": 14}),
    ],
)
def test_maps(game, shape, kinds):
    ground = game.ground
    assert (ground.height, ground.width) == shape
    assert {kind: int(mask.sum()) for kind, mask in ground.kinds.items()} == kinds
    assert len(apples(game, start(game))) == kinds["apple"]


@pytest.mark.parametrize("name", maps.names())
def test_every_map_has_walls_all_around(name):
    ground = maps.load(name)
    walls = ground.walls.reshape(ground.height, ground.width)
    assert walls[[0, -1]].all()
    assert walls[:, [0, -1]].all()


# apples


@pytest.mark.parametrize("regrow", [1, 2, 25, 255])
def test_an_apple_is_back_after_so_many_steps(regrow):
    """Eaten in step 1 by who walks on; it is there again at the end of step 1 + regrow."""
    game = Gathering(seats=2, regrow=regrow)
    state = board(game, [(2, 8, "E"), AWAY], [(2, 9)])
    (turn,) = played(game, state, "forward, stay")
    (gone,) = played(game, turn.state, "back, stay")
    turns = [turn, gone, *played(game, gone.state, *["stay, stay"] * (regrow + 1))]
    there = [(2, 9) in apples(game, each.state) for each in turns]
    assert turn.rewards[0] == 1
    assert there == [step >= regrow for step in range(regrow + 3)]


def test_who_stands_there_eats_it_in_the_step_in_which_it_is_back():
    rewards = [
        int(turn.rewards[0]) for turn in played(PAIR, board(PAIR, [(2, 8, "E"), AWAY], [(2, 9)]), "forward, stay", *["stay, stay"] * 51)
    ]
    assert [step for step, points in enumerate(rewards) if points] == [0, 25, 50]


def test_every_apple_has_a_clock_of_its_own():
    """Three in a row, eaten one a step, come back one a step."""
    game = Gathering(seats=2, regrow=5)
    turns = played(game, board(game, [(3, 12, "E"), AWAY]), *["forward, stay"] * 4, *["stay, stay"] * 6)
    row = [[(3, column) in apples(game, turn.state) for column in (13, 14, 15)] for turn in turns]
    eaten = [[True] * 3, [False, True, True], [False, False, True], [False] * 3]
    assert [turn.rewards[0] for turn in turns[:4]] == [1, 1, 1, 0]
    assert row[:4] == [*eaten[1:], eaten[3]]
    assert row[4:8] == [[False] * 3, [True, False, False], [True, True, False], [True, True, True]]


def test_of_two_who_want_an_apple_either_gets_it():
    turn = often(PAIR, board(PAIR, [(2, 8, "E"), (2, 10, "W")], [(2, 9)]), ["forward", "forward"], 2000)
    assert (turn.rewards.sum(1) == 1).all()
    assert abs(turn.rewards[:, 0].sum() - 1000) < 4 * np.sqrt(500)


@pytest.mark.parametrize("overlap", [False, True])
def test_of_two_who_meet_on_an_apple_one_eats(overlap):
    game = Gathering(seats=2, overlap=overlap)
    turn = often(game, board(game, [(2, 8, "E"), (2, 10, "W")], [(2, 9)]), ["forward", "forward"], 1000)
    assert (turn.rewards.sum(1) == 1).all()
    assert (turn.state.body.at[:, 0] == turn.state.body.at[:, 1]).all() == overlap


def test_nobody_sees_the_clocks():
    state = board(PAIR, [(2, 8, "E"), AWAY], [])
    clocks = state._replace(own=state.own._replace(more=state.own.more._replace(left=np.full_like(state.own.more.left, 7))))
    one, other = (jax.tree.leaves(look(PAIR, some)) for some in (state, clocks))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))


# the beam


@pytest.mark.parametrize(("column", "hit"), [(3, True), (22, True), (23, False)])
def test_a_beam_is_twenty_cells_long_and_one_wide(column, hit):
    (turn,) = played(PAIR, board(PAIR, [(14, 2, "E"), (14, column, "N")]), "zap, stay")
    assert turn.state.own.struck.tolist() == [0, int(hit)]
    (beside,) = played(PAIR, board(PAIR, [(13, 2, "E"), (14, column, "N")]), "zap, stay")
    assert beside.state.own.struck.tolist() == [0, 0]


def test_it_ends_at_the_first_who_stands_in_it():
    game = Gathering(seats=3)
    (turn,) = played(game, board(game, [(14, 2, "E"), (14, 5, "N"), (14, 6, "N")]), "zap, stay, stay")
    assert turn.state.own.struck.tolist() == [0, 1, 0]


def test_two_hits_send_away_for_25_steps():
    state = board(PAIR, [(14, 2, "E"), (14, 10, "N")])
    (first,) = played(PAIR, state, "zap, stay")
    assert first.state.body.out.tolist() == [0, 0]
    (second,) = played(PAIR, first.state, "zap, stay")
    assert second.state.body.out.tolist() == [0, 25]
    assert second.state.own.struck.tolist() == [0, 0]
    away = played(PAIR, second.state, *["stay, -"] * 25)
    assert [int(turn.state.body.out[1]) for turn in away] == [*range(24, -1, -1)]
    assert [int(ask(PAIR, turn.state).which[1]) for turn in away] == [*[-1] * 24, 0]
    assert PAIR.ground.kinds["spawn"][away[-1].state.body.at[1]]


def test_two_beams_at_once_are_two_hits():
    game = Gathering(seats=3)
    (turn,) = played(game, board(game, [(14, 2, "E"), (14, 5, "N"), (14, 9, "W")]), "zap, stay, zap")
    assert turn.state.body.out.tolist() == [0, 25, 0]


def test_zaps_cost_and_pay_nothing():
    (turn,) = played(PAIR, board(PAIR, [(14, 2, "E"), (14, 10, "N")]), "zap, stay")
    assert turn.rewards.tolist() == [0, 0]


def test_a_deed_is_zero_for_who_used_its_beam():
    game = Gathering(seats=2, round_steps=2)
    turns = played(game, board(game, [(14, 2, "N"), AWAY]), "zap, stay", "stay, stay", "stay, stay", "stay, zap")
    assert np.isnan(turns[0].deeds).all()
    assert turns[1].deeds.tolist() == [0, 1], "though it hit nobody"
    assert turns[3].deeds.tolist() == [1, 0]


# floors and ceilings


@pytest.mark.parametrize(
    ("game", "welfare"),
    [
        (GAME, 4000),  # four mouths
        (SMALL, 560),  # 14 apples, 40 times each
        (Gathering(map="gathering_small", seats=2, rounds=1, round_steps=26), 28),  # twice each: in steps 1 and 26
        (Gathering(map="gathering_small", seats=2, rounds=1, round_steps=25), 14),
    ],
)
def test_no_more_can_be_eaten(game, welfare):
    assert game.yardsticks() == {"welfare": welfare}
    named = {(oracle.measure, oracle.side): (oracle.value, oracle.label) for oracle in game.oracles()}
    assert named["welfare_sum", "ceiling"] == (welfare, "bound")
    assert named["gain", "floor"] == (0, "bound")


def test_an_apple_is_eaten_as_often_as_the_ceiling_says():
    """14 apples with one always under a player: 1 + 4 in 5 regrowths of 2 steps."""
    game = Gathering(seats=2, rounds=1, round_steps=9, regrow=2)
    turns = played(game, board(game, [(2, 8, "E"), AWAY], [(2, 9)]), "forward, stay", *["stay, stay"] * 8)
    assert sum(turn.rewards[0] for turn in turns) == 5 == -(-9 // 2)


# players


def test_everybody_deals_out_the_apples_alike():
    """Who sees the whole map: each seat's own goal is that of a deal by the nearest pair, in plain Python."""
    game = Gathering(whole=True)
    players = [(3, 12, "N"), (3, 16, "E"), (9, 30, "S"), (13, 5, "W")]
    state = board(game, players)
    left, free, goals = apples(game, state), dict(enumerate(players)), {}
    crowd = lambda spot: sum(0 < (spot[0] - r) ** 2 + (spot[1] - c) ** 2 <= 4 for r, c in apples(game, state))
    while free:
        away = lambda seat, spot: abs(players[seat][0] - spot[0]) + abs(players[seat][1] - spot[1])
        seat, spot = min(((seat, spot) for seat in free for spot in left), key=lambda pair: (away(*pair), -crowd(pair[1]), pair))
        goals[seat] = spot
        left.discard(spot)
        del free[seat]
    act = jax.jit(lambda sight: apple_matcher.AppleMatcher().act(jnp.zeros(2, jnp.uint32), (), sight, None)[0])
    sight = look(game, state)
    moves = [int(act(jax.tree.map(lambda leaf, seat=seat: leaf[seat], sight))) for seat in range(4)]
    (turn,) = played(game, state, ", ".join(game.questions[0].options[move] for move in moves))
    for seat, (row, column, _) in enumerate(players):
        after = divmod(int(turn.state.body.at[seat]), 38)
        far = lambda cell, seat=seat: abs(cell[0] - goals[seat][0]) + abs(cell[1] - goals[seat][1])
        assert far(after) == far((row, column)) - 1


@pytest.mark.slow
def test_they_share_out_and_zappers_drive_away():
    peace, war = rolled("gathering(whole=true,rounds=2)", "apple_matcher*4", 3), rolled("gathering(rounds=2)", "zapper*4", 3)
    assert (peace.rewards.sum((0, 2)) > 2 * 100).all()
    assert (peace.facts["zapped"] == 0).all()
    assert (war.rewards.sum((0, 2)) < peace.rewards.sum((0, 2))).all()
    assert (war.facts["out"].max(0) == 25).any()
    assert np.nanmean(war.deeds) < 0.5 < np.nanmean(peace.deeds) == 1


@pytest.mark.proof
def test_sharing_out_reaches_what_was_asked():
    """20 matches of 1,000 steps with four players on the large map: at least 2.25 apples a step; published best 2.52."""
    per_step = gains("gathering(whole=true)", "apple_matcher*4", 20).sum(1) / 1000
    low = per_step.mean() - 2.09 * per_step.std(ddof=1) / np.sqrt(20)  # Student's t, 19 degrees of freedom
    assert low >= 2.25


@pytest.mark.proof
def test_the_small_map_is_a_prisoners_dilemma():
    """The first seat's gain against sharing and zapping: temptation > reward > punishment > sucker (Leibo et al. 2017)."""
    play = lambda first, second: gains("gathering(map=gathering_small,seats=2)", f"{first},{second}", 20)[:, 0].mean()
    share, zap = "apple_matcher", "zapper"
    assert play(zap, share) > play(share, share) + 30 > play(zap, zap) + 90 > play(share, zap) + 90


@pytest.mark.slow
def test_no_seat_has_an_advantage():
    """Four at random, 300 matches: each gets a quarter, within four standard errors; and of four who share out likewise."""
    for seats, matches in (("random", 300), ("apple_matcher", 40)):
        got = gains("gathering(rounds=2)", seats, matches)
        assert (abs(got.mean(0) - got.mean()) < 4 * got.std(0, ddof=1) / np.sqrt(matches)).all()


def test_the_players_know_the_window():
    assert Gathering.window == apple_matcher.WINDOW


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [1, 20])
def test_both_runners_play_alike(rounds, tmp_path):
    alike(tmp_path, f"gathering(rounds={rounds})", "apple_matcher*2,zapper,random")


# words


def test_rules():
    assert GAME.rules(0) == (
        "4 players walk on a map of 16 rows and 38 columns, all at the same time. A step forward, back, left or right is one cell as you "
        "face; a turn takes a step of its own. Two never stand on one cell; where two want the same, chance decides. You see 15 cells "
        "ahead, 0 behind and 10 to each side. There are 20 rounds of 50 steps. Whoever stands on an apple eats it and gets 1 point. There "
        "are 155 apples, and an eaten one is there again after 25 steps. A zap goes 20 cells ahead, 1 wide, and stops at a wall or at the "
        "first player in each line; 2 hits send a player away for 25 steps, after which it comes back somewhere else."
    )


def test_words_say_what_the_sight_shows():
    (turn,) = played(SMALL, board(SMALL, [(4, 6, "E"), (4, 12, "W")], [(4, 7), (2, 9)]), "forward, zap")
    assert SMALL.tell(numpy(turn.state), 0) == (
        "Round 1 of 20, step 2 of 50. You stand at row 5, column 8, and face east. Next to you: ahead floor, behind nothing that you see, "
        "left floor, right floor. Apple (1): 2 ahead 2 left. Player 2: 5 ahead, facing west. You ate an apple in the last step. Player 2 "
        "zapped you in the last step. You took 1 of the 2 hits that send you away."
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"map": "cleanup"}, "map must be gathering_large or gathering_small"),
        ({"map": "gathering_small"}, "seats must be at most 2, the cells of gathering_small where players come in"),
        ({"regrow": 0}, "regrow must be between 1 and 255"),
        ({"regrow": 256}, "regrow must be between 1 and 255"),
    ],
)
def test_wrong_parameters(fields, says):
    with pytest.raises(SpecError, match=says):
        Gathering(**fields)
