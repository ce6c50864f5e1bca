"""Chefs at work: scores of whole matches, and that each of their ways out of trouble is one."""

import functools

import jax
import numpy as np
import pytest

from commonage import Arm, Study, seeds, spec
from commonage.errors import SpecError
from commonage.games.kitchen import Kitchen
from commonage.grid.kitchen import FAR, LAYOUTS
from commonage.learn.score import score as played
from commonage.policies.chef import Chef
from commonage.policies.chef.tables import tables_of


def gains(game, seats, matches):
    """float32[matches, seats]: what each got; the first named sits in the first seat."""
    players = [spec.policies(seat) for seat in spec.seats(seats)]
    keys = np.stack([np.asarray(seeds.root(i)) for i in range(matches)])
    return played(spec.game(game), players, np.tile(np.arange(2), (matches, 1)), keys).rewards


@functools.cache
def score(layout, seats, matches=1, dynamics="old"):
    """The mean score of matches of 400 steps; C stands for a chef of the layout."""
    players = seats.replace("chef(", f"chef(layout={layout},").replace("C", f"chef(layout={layout})")
    return float(gains(f"kitchen(layout={layout},dynamics={dynamics})", players, matches).mean())


FIRST, *OTHERS = LAYOUTS


@pytest.mark.parametrize("layout", [FIRST, *(pytest.param(layout, marks=pytest.mark.slow) for layout in OTHERS)])
def test_two_chefs_score_above_150_in_every_layout(layout):
    """The peer's pair of greedy planners: 200, 280, 0, 0, 0-40. Nothing is drawn, so one match tells all."""
    assert score(layout, "C,C") >= {"asymmetric_advantages": 360, "forced_coordination": 280}.get(layout, 200)


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_they_start_pots_where_nobody_else_does(layout):
    assert score(layout, "C,C", dynamics="new") >= 200


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("weaker", "matches"),
    [
        (("chef(skill=1)", "chef(skill=0.8)", "chef(skill=0.6)", "chef(skill=0.3)", "chef(skill=0)"), 48),
        (("chef(delay=0)", "chef(delay=1)", "chef(delay=3)", "chef(delay=8)"), 1),
    ],
)
def test_skill_and_delay_lower_the_score(layout, weaker, matches):
    scores = [score(layout, f"{one},{one}", matches) for one in weaker]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] >= 200 > scores[1] or scores[0] > 1.1 * scores[1]
    assert scores[-1] < scores[0] / 4


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_with_a_weaker_partner_in_either_seat(layout):
    assert score(layout, "C,chef(skill=0.5)", 16) > 80
    assert score(layout, "chef(skill=0.5),C", 16) > 80


@pytest.mark.slow
def test_beside_one_who_stands_still_it_works_alone_and_goes_around():
    assert score("cramped_room", "C,constant(amount=4)") >= 100
    assert score("asymmetric_advantages", "C,constant(amount=4)") >= 200
    assert score("asymmetric_advantages", "constant(amount=4),C") >= 140
    assert score("coordination_ring", "constant(amount=4),C") >= 60
    assert score("cramped_room", "constant(amount=4),C") == 0  # it stands before the only dishes


def test_layouts_in_which_one_supplies_the_other():
    """Where onions lie four steps or more from the pots, or behind a counter; the cook is who starts nearer to the pots."""
    assert {layout: tables_of(layout).relay for layout in LAYOUTS} == {
        "cramped_room": False,
        "asymmetric_advantages": False,
        "coordination_ring": True,
        "forced_coordination": True,
        "counter_circuit_o_1order": True,
    }
    assert [tables_of(layout).cook for layout in ("coordination_ring", "forced_coordination", "counter_circuit_o_1order")] == [0, 0, 1]
    passes = tables_of("forced_coordination").passes[0]
    assert np.flatnonzero(passes < FAR).tolist() == [1 * 5 + 2, 2 * 5 + 2]  # the counter between both, at its upper end


def test_ways_for_two():
    """In a hall of three cells two can come to both ends, but not past each other."""
    table = tables_of("XXXXX/O1 2S/XXXXX")
    pair = lambda first, second: first * 3 + second
    left, right = 5, 9
    assert table.both[pair(0, 2), left, right] == 0
    assert table.both[pair(1, 2), left, right] == 1
    assert table.both[pair(0, 2), right, left] == FAR
    assert table.pairs[pair(0, 1), 2 * 5 + 4] == pair(0, 1)  # into who stands there
    assert table.pairs[pair(0, 1), 2 * 5 + 2] == pair(1, 2)  # one follows the other
    assert table.pairs[pair(0, 1), 2 * 5 + 3] == pair(0, 1)  # no swap


def test_it_is_made_for_its_layout():
    with pytest.raises(SpecError, match=r"chef\(layout=\.\.\.\)"):
        gains("kitchen(layout=forced_coordination,rounds=1)", "chef,chef", 1)
    with pytest.raises(SpecError, match="at most 30 cells of floor"):
        Chef(layout="/".join(["X" * 9, "X1 2    X", *["X       X"] * 6, "X" * 9]))
    with pytest.raises(SpecError, match="skill must be between 0 and 1"):
        spec.policies(spec.seats("chef(skill=2)")[0])


def test_delay_is_steps_between_a_decision_and_its_move():
    game, chef = Kitchen(), Chef(delay=2)
    sight = jax.tree.map(lambda leaf: leaf[0], jax.jit(game.look)(game.start(np.zeros(2, np.uint32))))
    memory, moves = chef.start(), []
    act = jax.jit(lambda memory: chef.act(np.zeros(2, np.uint32), memory, sight, None))
    for _ in range(6):
        move, memory = act(memory)
        moves.append(game.questions[0].options[int(move)])
    assert moves == ["stay", "stay", "north", "stay", "stay", "north"]


@pytest.mark.slow
def test_both_runners_play_the_same_match(tmp_path):
    arm = Arm("kitchen(layout=counter_circuit_o_1order)", "chef(layout=counter_circuit_o_1order,skill=0.9)*2")
    mixed, compiled = (Study(arms=[arm], repeats=1, seed=4, runner=runner).run(tmp_path / runner) for runner in ("mixed", "compiled"))
    for table in ("moves", "steps"):
        one, other = getattr(mixed.tables, table), getattr(compiled.tables, table)
        shared = [name for name in one.columns if name in other.columns]
        assert len(one) >= 400
        assert one.select(shared).equals(other.select(shared))
