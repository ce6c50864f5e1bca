"""The kitchen, played out: places are (x, y) from the upper left; moves n s e w, `.` stays, `i` interacts, a letter a cook."""

import gzip
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from boards import alike
from played import ask, look, start, step

from commonage import spec, testing
from commonage.errors import LogError, SpecError
from commonage.game import numpy
from commonage.games.kitchen import DID, HELD_UP, IN_VAIN, PLANES, Kitchen
from commonage.grid.kitchen import DISH, FAR, LAYOUTS, MOVES, NOTHING, ONION, TOMATO, load, soup, ways
from commonage.testing import replay_kitchen

DATA = sorted((Path(__file__).parent / "data").glob("*.jsonl.gz"))
LETTERS, WAYS = "nsew.i", "nsew"
CRAMPED, NEW = Kitchen(), Kitchen(dynamics="new")
POT, ONIONS, DISHES, SERVING = (2, 0), (0, 1), (1, 3), (3, 3)  # of the cramped room
OOO = (ONION,) * 3
HALL = Kitchen(layout="XXXXXX/X1 23X/XXXXXX")


def placed(game, *cooks, **lying):
    """A state: each cook is (x, y, facing, held), each thing that lies `x_y=thing`."""
    state, width = start(game), game.map.width
    at, facing, held = zip(*[(y * width + x, WAYS.index(way), thing) for x, y, way, thing in cooks], strict=True)
    things = state.things.copy()
    for place, thing in lying.items():
        x, y = map(int, place[1:].split("_"))
        things[y * width + x] = thing
    row = lambda values: np.array(values, np.int32)
    return state._replace(at=row(at), facing=row(facing), held=row(held), things=things)


def played(game, state, *moves):
    """The turns after these moves, `i.`: the first cook interacts, the second stays."""
    turns = []
    for letters in moves:
        turns.append(numpy(step(game, state, jnp.array([LETTERS.index(letter) for letter in letters], jnp.int32))))
        state = turns[-1].state
    return turns


def after(game, state, *moves):
    return played(game, state, *moves)[-1].state


def lies(game, state, place):
    return int(state.things[place[1] * game.map.width + place[0]])


def places(game, state):
    return [divmod(int(cell), game.map.width)[::-1] for cell in state.at]


def did(state):
    return [DID[code] for code in state.did]


# what there is


def test_the_layouts_are_the_papers():
    """Terrain and starts as the format of traces has them."""
    assert load("cramped_room").letters == ["XXPXX", "O   O", "X   X", "XDXSX"]
    assert load("asymmetric_advantages").letters == ["XXXXXXXXX", "O XSXOX S", "X   P   X", "X   P   X", "XXXDXDXXX"]
    assert load("coordination_ring").letters == ["XXXPX", "X   P", "D X X", "O   X", "XOSXX"]
    assert load("forced_coordination").letters == ["XXXPX", "O X P", "O X X", "D X X", "XXXSX"]
    assert load("counter_circuit_o_1order").letters == ["XXXPPXXX", "X      X", "D XXXX S", "X      X", "XXXOOXXX"]
    starts = {name: places(Kitchen(layout=name), start(Kitchen(layout=name))) for name in LAYOUTS}
    assert starts == {
        "cramped_room": [(1, 2), (3, 1)],
        "asymmetric_advantages": [(6, 2), (1, 3)],
        "coordination_ring": [(2, 1), (1, 2)],
        "forced_coordination": [(3, 1), (1, 2)],
        "counter_circuit_o_1order": [(3, 3), (3, 1)],
    }


def test_a_match_starts_facing_north_with_empty_hands_and_lasts_400_steps():
    state = start(CRAMPED)
    assert (state.facing.tolist(), state.held.tolist(), int(state.things.sum())) == ([0, 0], [0, 0], 0)
    assert (CRAMPED.max_steps, CRAMPED.rounds, CRAMPED.round_steps) == (400, 8, 50)
    assert CRAMPED.questions[0].options == ("north", "south", "east", "west", "stay", "interact")
    last = played(CRAMPED, state._replace(clock=np.int32(399)), "..")[-1]
    assert (bool(last.round_over), bool(last.truncated), bool(last.ended)) == (True, True, False)
    assert np.isnan(last.deeds).all()


def test_a_layout_from_a_file_and_from_rows(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("XPXX\nO1 D\nX2SX\nXXXX\n")
    assert load(str(path)).letters == load("XPXX/O1 D/X2SX/XXXX").letters
    assert spec.game(f'kitchen(layout="{path}")').seats == 2
    assert HALL.seats == 3
    assert HALL.roles == ("start 1", "start 2", "start 3")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kitchen(layout=cramped)", "layout must be cramped_room, "),
        ("kitchen(layout=none.txt)", "there is no such file"),
        ('kitchen(layout="XXX/X1X/X2/XXX")', "equally long"),
        ('kitchen(layout="XXXX/X12Z/XXXX")', "'Z' is no terrain"),
        ('kitchen(layout="XXXX/X13X/XXXX")', "must be 1, 2 and so on"),
        ('kitchen(layout="XXXX/X12 /XXXX")', "no floor may lie at its edge"),
        ("kitchen(dynamics=older)", "old or new"),
        ("kitchen(orders=[oox])", "different ones of o, oo, ooo"),
        ("kitchen(bonus=[oot])", "among the orders, which are ooo"),
        ("kitchen(recipes=[ooo],times=[3,4])", "as many as recipes, which are 1"),
        ("kitchen(by_time=[3])", "one number for an onion and one for a tomato"),
        ("kitchen(time=-1)", "time must be between 0"),
    ],
)
def test_bad_kitchens_are_refused(text, says):
    with pytest.raises(SpecError, match=says):
        spec.game(text)


# walking


def test_a_blocked_move_still_turns():
    state = after(CRAMPED, start(CRAMPED), "w.")
    assert places(CRAMPED, state)[0] == (1, 2)
    assert (int(state.facing[0]), did(state)) == (WAYS.index("w"), ["turn", "stay"])


def test_one_follows_into_a_cell_that_another_leaves():
    state = after(CRAMPED, placed(CRAMPED, (1, 1, "n", 0), (2, 1, "n", 0)), "ee")
    assert places(CRAMPED, state) == [(2, 1), (3, 1)]


def test_two_do_not_change_places():
    state = after(CRAMPED, placed(CRAMPED, (1, 1, "n", 0), (2, 1, "n", 0)), "ew")
    assert places(CRAMPED, state) == [(1, 1), (2, 1)]
    assert [WAYS[way] for way in state.facing] == ["e", "w"]  # but they turn
    assert did(state) == ["held up", "held up"]


def test_two_who_want_one_cell_both_stay():
    state = after(CRAMPED, placed(CRAMPED, (1, 1, "n", 0), (3, 1, "n", 0)), "ew")
    assert places(CRAMPED, state) == [(1, 1), (3, 1)]


def test_one_who_walks_into_another_who_stands_stays():
    state = after(CRAMPED, placed(CRAMPED, (1, 1, "n", 0), (2, 1, "n", 0)), "ei")
    assert places(CRAMPED, state) == [(1, 1), (2, 1)]


def test_where_two_of_three_collide_the_third_stays_too():
    """The third, who would be free to go, is held up with them."""
    game = Kitchen(layout="XXXXXX/X1 2 X/X3   X/XXXXXX")
    assert places(game, after(game, start(game), "ewe")) == [(1, 1), (3, 1), (1, 2)]
    assert places(game, after(game, start(game), "e.e")) == [(2, 1), (3, 1), (2, 2)]
    assert after(game, start(game), "ewe").did.tolist() == [HELD_UP] * 3


def test_three_walk_in_a_row():
    game = Kitchen(layout="XXXXXX/X123 X/XXXXXX")
    assert places(game, after(game, start(game), "eee")) == [(2, 1), (3, 1), (4, 1)]
    assert places(game, after(game, start(game), "ee.")) == [(1, 1), (2, 1), (3, 1)]


# what a cook faces


def test_boxes_give_to_empty_hands_only():
    game = Kitchen(layout="XOTDX/X1 2X/XXXXX")
    first = after(game, placed(game, (1, 1, "n", 0), (3, 1, "n", 0)), "ii")
    assert first.held.tolist() == [ONION, DISH]
    assert did(first) == ["take onion", "take dish"]
    second = after(game, first, "ii")
    assert (second.held.tolist(), did(second)) == ([ONION, DISH], ["in vain", "in vain"])
    assert after(game, placed(game, (2, 1, "n", 0), (3, 1, "n", 0)), "i.").held.tolist() == [TOMATO, NOTHING]


def test_a_counter_takes_one_thing_and_gives_it():
    there = after(CRAMPED, placed(CRAMPED, (1, 1, "n", ONION), (3, 1, "n", 0)), "i.")
    assert (there.held.tolist(), lies(CRAMPED, there, (1, 0))) == ([NOTHING, NOTHING], ONION)
    full = placed(CRAMPED, (1, 1, "n", DISH), (3, 1, "n", 0), _1_0=ONION)
    assert did(after(CRAMPED, full, "i."))[0] == "in vain"
    back = after(CRAMPED, there, "i.")
    assert (back.held.tolist(), lies(CRAMPED, back, (1, 0)), did(back)[0]) == ([ONION, NOTHING], NOTHING, "pick up")


def test_a_later_player_sees_an_earlier_ones_effect():
    """Both face one counter: what the first puts there the second takes in the same step; not the other way round."""
    game = Kitchen(layout="XXXXX/X1X2X/XXXXX")
    first = after(game, placed(game, (1, 1, "e", ONION), (3, 1, "w", 0)), "ii")
    assert (first.held.tolist(), lies(game, first, (2, 1))) == ([NOTHING, ONION], NOTHING)
    assert np.asarray(game.facts(first)["handed"]).tolist() == [0, 1]
    second = after(game, placed(game, (1, 1, "e", 0), (3, 1, "w", ONION)), "ii")
    assert (second.held.tolist(), lies(game, second, (2, 1)), did(second)) == ([0, 0], ONION, ["in vain", "put down"])


def test_of_two_who_want_the_last_place_in_a_pot_the_first_has_it():
    state = placed(Kitchen(layout="XXPXX/X1 2X/XXXXX"), (2, 1, "n", ONION), (1, 1, "e", ONION), _2_0=soup(OOO[:2]))
    game = Kitchen(layout="XXXXX/X1P2X/XXXXX")
    both = placed(game, (1, 1, "e", ONION), (3, 1, "w", TOMATO), _2_1=soup(OOO[:2]))
    done = after(game, both, "ii")
    assert (done.held.tolist(), did(done)) == ([NOTHING, TOMATO], ["fill", "in vain"])
    assert after(Kitchen(layout="XXPXX/X1 2X/XXXXX"), state, "ii").held.tolist() == [NOTHING, ONION]  # who faces a cook does nothing


def test_interacting_with_floor_or_a_cook_does_nothing():
    state = after(CRAMPED, placed(CRAMPED, (1, 1, "e", ONION), (2, 1, "s", DISH)), "ii")
    assert (state.held.tolist(), state.did.tolist()) == ([ONION, DISH], [IN_VAIN] * 2)


# pots


def test_a_pot_takes_three_in_order():
    state = placed(Kitchen(dynamics="new"), (2, 1, "n", ONION), (1, 1, "n", 0), _2_0=soup([TOMATO]))
    two = after(NEW, state, "i.")
    assert lies(NEW, two, POT) == soup([TOMATO, ONION])
    full = placed(NEW, (2, 1, "n", ONION), (1, 1, "n", 0), _2_0=soup(OOO))
    assert did(after(NEW, full, "i."))[0] == "in vain"


def test_old_dynamics_start_at_three_and_the_tick_is_then_one():
    state = placed(CRAMPED, (2, 1, "n", ONION), (1, 1, "n", 0), _2_0=soup(OOO[:2]))
    ticks = [lies(CRAMPED, turn.state, POT) for turn in played(CRAMPED, state, "i.", *[".."] * 20)]
    assert ticks == [soup(OOO, min(tick, 20)) for tick in range(1, 22)]  # ready at 20, and it never burns


def test_old_dynamics_do_not_start_below_three_nor_by_hand():
    state = placed(CRAMPED, (2, 1, "n", 0), (1, 1, "n", 0), _2_0=soup(OOO[:2]))
    done = after(CRAMPED, state, "i.", "..")
    assert lies(CRAMPED, done, POT) == soup(OOO[:2])
    assert did(after(CRAMPED, state, "i."))[0] == "in vain"


def test_new_dynamics_start_by_empty_hands():
    """With any number of ingredients; a full pot waits; the tick after the start is 1."""
    for mixed in (OOO[:1], OOO[:2], OOO):
        state = placed(NEW, (2, 1, "n", 0), (1, 1, "n", 0), _2_0=soup(mixed))
        assert lies(NEW, after(NEW, state, ".."), POT) == soup(mixed)
        assert lies(NEW, after(NEW, state, "i."), POT) == soup(mixed, 1)
        assert lies(NEW, after(NEW, state, "i.", "i."), POT) == soup(mixed, 2)  # a second hand changes nothing
    for held, pot in ((DISH, soup(OOO)), (NOTHING, NOTHING)):  # not with full hands, and no empty pot
        assert lies(NEW, after(NEW, placed(NEW, (2, 1, "n", held), (1, 1, "n", 0), _2_0=pot), "i."), POT) == pot


def test_a_cooking_pot_takes_nothing_and_gives_nothing():
    for held in (ONION, DISH, NOTHING):
        state = placed(NEW, (2, 1, "n", held), (1, 1, "n", 0), _2_0=soup(OOO[:1], 5))
        done = after(NEW, state, "i.")
        assert (int(done.held[0]), lies(NEW, done, POT), did(done)[0]) == (held, soup(OOO[:1], 6), "in vain")


@pytest.mark.parametrize(("tick", "taken"), [(19, False), (20, True), (500, True)])
def test_a_dish_takes_a_soup_once_it_is_ready(tick, taken):
    state = placed(CRAMPED, (2, 1, "n", DISH), (1, 1, "n", 0), _2_0=soup(OOO, tick))
    turn = played(CRAMPED, state, "i.")[0]
    assert int(turn.state.held[0]) == (soup(OOO, tick) if taken else DISH)
    assert lies(CRAMPED, turn.state, POT) == (NOTHING if taken else soup(OOO, 20))
    assert (turn.state.shaped.tolist(), turn.rewards.tolist()) == ([5.0 * taken, 0], [0, 0])
    assert after(CRAMPED, placed(CRAMPED, (2, 1, "n", 0), (1, 1, "n", 0), _2_0=soup(OOO, tick)), "i.").held.tolist() == [0, 0]


def test_times_and_values_by_recipe_by_ingredient_or_for_all():
    """onion 15 ticks and 21 points, tomato 7 and 13: a soup of oot cooks 37 ticks and is worth 55."""
    game = Kitchen(
        orders=("ooo", "oot", "ott"), by_time=(15, 7), by_value=(21, 13), recipes=("ott",), values=(2,), times=(9,), bonus=("oot",)
    )
    named = lambda mixed: soup(mixed) >> 3
    assert [int(game.cooking[named(mixed)]) for mixed in (OOO, (TOMATO, ONION, ONION), (ONION, TOMATO, TOMATO), (TOMATO,))] == [
        45,
        37,
        9,
        7,
    ]
    worth = np.asarray(game.worth())
    assert [float(worth[named(mixed)]) for mixed in (OOO, (ONION, TOMATO, ONION), (TOMATO, TOMATO, ONION))] == [63, 110, 2]
    assert float(worth[named((TOMATO,) * 3)]) == 0  # not ordered


# serving


@pytest.mark.parametrize(
    ("mixed", "points"), [(OOO, 20), ((TOMATO, ONION, ONION), 60), ((ONION, TOMATO, TOMATO), 0)]
)  # ordered, a bonus order, not ordered
def test_serving_pays_all_and_what_is_not_ordered_is_gone(mixed, points):
    game = Kitchen(orders=("ooo", "oot"), bonus=("oot",), order_bonus=3)
    turn = played(game, placed(game, (1, 2, "n", 0), (3, 2, "s", soup(mixed, 20))), ".i")[0]
    assert turn.rewards.tolist() == [points, points]
    assert (turn.state.sparse.tolist(), turn.state.held.tolist()) == ([0, points], [0, 0])
    facts = numpy(game.facts(turn.state))
    assert (facts["delivered"].tolist(), facts["wasted"].tolist()) == ([0, 1], [0, int(points == 0)])


def test_only_soup_is_served():
    for held in (ONION, DISH, NOTHING):
        assert did(after(CRAMPED, placed(CRAMPED, (1, 2, "n", 0), (3, 2, "s", held)), ".i"))[1] == "in vain"


# shaped rewards


def test_ingredients_into_a_pot_are_shaped():
    state = placed(CRAMPED, (2, 1, "n", ONION), (1, 2, "n", 0))
    assert played(CRAMPED, state, "i.")[0].state.shaped.tolist() == [3, 0]
    assert played(CRAMPED, state, "i.")[0].rewards.tolist() == [0, 0]
    paid = Kitchen(shaped=True, fill=4)
    assert played(paid, state, "i.")[0].rewards.tolist() == [4, 0]


@pytest.mark.parametrize(
    ("pot", "useful"),
    [
        (NOTHING, False),
        (soup(OOO[:1]), True),  # partly filled
        (soup(OOO), False),  # full, but idle
        (soup(OOO, 3), True),
        (soup(OOO, 20), True),
        (soup(OOO[:1], 3), True),
    ],
)
def test_a_dish_is_of_use_where_a_pot_is_ready_cooks_or_is_partly_filled(pot, useful):
    state = placed(NEW, (1, 2, "s", 0), (3, 2, "n", 0), _2_0=pot)
    assert played(NEW, state, "i.")[0].state.shaped.tolist() == [3 * useful, 0]


def test_a_dish_is_of_no_use_beside_others():
    """One on a counter, or as many in hands as there are pots; what an earlier one does counts, what it does to a pot does not."""
    one = lambda *cooks, **lying: played(NEW, placed(NEW, *cooks, _2_0=soup(OOO, 20), **lying), "ii")[0].state.shaped.tolist()
    assert one((1, 2, "s", 0), (3, 2, "n", 0), _0_0=DISH) == [0, 0]
    assert one((1, 2, "s", 0), (3, 2, "n", DISH)) == [0, 0]
    two = Kitchen(layout="XPPX/D12D/XXXX")
    taken = lambda first, second, **pots: played(two, placed(two, first, second, **pots), "ii")[0].state.shaped.tolist()
    assert taken((1, 1, "w", 0), (2, 1, "e", 0), _1_0=soup(OOO, 3)) == [3, 0]  # the first one's dish is enough
    assert taken((1, 1, "w", 0), (2, 1, "e", 0), _1_0=soup(OOO, 3), _2_0=soup(OOO[:2])) == [3, 3]
    assert taken((1, 1, "n", DISH), (2, 1, "e", 0), _1_0=soup(OOO, 20)) == [5, 3]  # the soup is gone, the pot counts as it stood
    assert taken((1, 1, "n", ONION), (2, 1, "e", 0)) == [3, 0]  # filled just now
    down = Kitchen(layout="XXPX/X1DX/XX2X/XXXX")
    assert played(down, placed(down, (1, 1, "n", DISH), (2, 2, "n", 0), _2_0=soup(OOO, 3)), "ii")[0].state.shaped.tolist() == [0, 0]
    up = placed(down, (1, 1, "n", 0), (2, 2, "n", 0), _1_0=DISH, _2_0=soup(OOO, 3))
    assert played(down, up, "ii")[0].state.shaped.tolist() == [0, 0]  # it is in hands now
    assert played(down, up, ".i")[0].state.shaped.tolist() == [0, 0]


def test_with_three_cooks_no_dish_is_of_use():
    game = Kitchen(layout="XPXX/D1 X/X23X/XXXX")
    state = placed(game, (1, 1, "w", 0), (1, 2, "n", 0), (2, 2, "n", 0), _1_0=soup(OOO, 3))
    assert played(game, state, "i..")[0].state.shaped.tolist() == [0, 0, 0]


# a soup from the first onion to the counter


def test_a_soup_by_hand():
    """The first cook carries three onions from its left, the second brings a dish and serves. 33 steps, 20 points, 3 x 3 + 3 + 5 shaped."""
    onion = ["n.", "w.", "i.", "e.", "n.", "i."]  # from (1, 2): up, to the box, over, to the pot
    again = ["w.", "i.", "e.", "n.", "i."]
    away = ["w.", "s."]
    script = [*onion, *again, *again, *away]
    turns = played(CRAMPED, placed(CRAMPED, (1, 2, "n", 0), (3, 2, "n", 0)), *script)
    state = turns[-1].state
    assert lies(CRAMPED, state, POT) == soup(OOO, 3)  # the tick of the third onion's step, and of two more
    assert sum(float(turn.state.shaped.sum()) for turn in turns) == 9
    state = after(CRAMPED, state, *[".."] * 16)
    assert lies(CRAMPED, state, POT) == soup(OOO, 19)
    second = placed(CRAMPED, (1, 2, "s", 0), (2, 1, "n", 0))
    state = second._replace(things=state.things)
    turns = played(CRAMPED, state, "i.", ".s", "n.", "e.", "n.", "i.", "e.", "s.", "s.", "i.")
    assert [turn.state.shaped.tolist() for turn in (turns[0], turns[5])] == [[3, 0], [5, 0]]
    assert (turns[-2].rewards.tolist(), turns[-1].rewards.tolist()) == ([0, 0], [20, 20])
    assert numpy(CRAMPED.facts(turns[-1].state))["delivered"].tolist() == [1, 0]


# sight, words, picture


def test_everybody_sees_the_same_but_for_who_is_who():
    state = placed(CRAMPED, (1, 1, "n", ONION), (3, 2, "s", soup(OOO, 20)), _2_0=soup((ONION, TOMATO), 4), _0_2=DISH)
    sight = look(CRAMPED, state)
    planes = dict(zip(PLANES, np.moveaxis(np.asarray(sight.planes), 1, 0), strict=True))
    spots = lambda name, seat=0: {
        (int(x), int(y)): int(planes[name][seat, y, x]) for y, x in zip(*np.nonzero(planes[name][seat]), strict=True)
    }
    assert (spots("me"), spots("others")) == ({(1, 1): 1}, {(3, 2): 1})
    assert (spots("me", 1), spots("others", 1)) == ({(3, 2): 1}, {(1, 1): 1})
    assert (spots("me facing north"), spots("others facing south")) == ({(1, 1): 1}, {(3, 2): 1})
    assert (spots("onion"), spots("dish"), spots("soup")) == ({(1, 1): 1}, {(0, 2): 1}, {(2, 0): 1, (3, 2): 1})
    assert (spots("onions in the soup"), spots("tomatoes in the soup")) == ({(2, 0): 1, (3, 2): 3}, {(2, 0): 1})
    assert (spots("steps until it is ready"), spots("pot"), spots("serving")) == ({(2, 0): 16}, {(2, 0): 1}, {(3, 3): 1})
    assert sight.planes.shape == (2, len(PLANES), 4, 5)


def test_words():
    state = after(CRAMPED, placed(CRAMPED, (2, 1, "n", ONION), (3, 2, "s", soup(OOO, 20)), _2_0=soup((ONION,) * 2), _0_2=DISH), "ii")
    told = CRAMPED.tell(state, 0)
    for line in (
        "Round 1 of 8, step 2 of 50.",
        "XXPXX\nO.1.O\nX..2X\nXDXSX",
        "You stand at row 2, column 3, face north towards a pot, and hold nothing.",
        "Player 2 stands at row 3, column 4, faces south towards the serving counter, and holds nothing.",
        "Pots: the pot at row 1, column 3: 3 onions, ready in 19 steps.",
        "On counters: a dish at row 3, column 1.",
        "Ordered soups: 3 onions: 20 points, cooks 20 steps. Other soups are worth nothing.",
        "In the last step you put something into a pot, player 2 served a soup for 20 points.",
    ):
        assert line in told
    assert "You stand at row 3, column 4" in CRAMPED.tell(state, 1)
    assert "as soon as it holds three" in CRAMPED.rules(0)
    assert "empty hands and interacts with a pot" in NEW.rules(1)
    assert "Besides, a seat gets 3" in Kitchen(shaped=True).rules(0)
    assert "Besides" not in CRAMPED.rules(0)


def test_the_picture_shows_pots_that_cook():
    state = placed(CRAMPED, (2, 1, "n", ONION), (3, 2, "s", soup(OOO, 20)), _2_0=soup(OOO, 5))
    shapes = CRAMPED.scene(state)
    assert [shape["value"] for shape in shapes if shape["shape"] == "bar"] == [0.25]
    assert [shape["text"] for shape in shapes if shape.get("fill") == "seat"] == ["1", "2"]
    assert sum(shape.get("fill") == "onion" for shape in shapes) == 1 + 3 + 3


def test_facts_of_what_was_done():
    state = placed(CRAMPED, (1, 1, "e", 0), (2, 1, "w", 0))
    facts = numpy(CRAMPED.facts(after(CRAMPED, state, "ew")))
    assert (int(facts["collided"]), facts["held_up"].tolist(), facts["idle"].tolist()) == (1, [1, 1], [0, 0])
    facts = numpy(CRAMPED.facts(after(CRAMPED, state, "i.")))
    assert (int(facts["collided"]), facts["in_vain"].tolist(), facts["idle"].tolist()) == (0, [1, 0], [0, 1])
    again = after(CRAMPED, placed(CRAMPED, (1, 1, "n", ONION), (3, 1, "n", 0)), "i.", "i.")
    assert numpy(CRAMPED.facts(again))["retaken"].tolist() == [1, 0]


def test_bounds():
    """One pot gives 400 / 20 soups; where there are four the cooks' hands are the limit: 800 interactions, nine a soup."""
    assert {(one.measure, one.side): one.value for one in CRAMPED.oracles()}[("welfare_mean", "ceiling")] == 20 * 20
    hands = Kitchen(layout="XPPPPX/O1  2S/XXXDXX", time=1)
    assert hands.most == 20 * (800 // 9)
    assert Kitchen(orders=()).most == 0


def test_ways_over_the_floor():
    far = ways("forced_coordination")
    left, right = 1 * 5 + 1, 1 * 5 + 3
    assert (far[left, 3 * 5 + 1], far[left, right]) == (2, FAR)
    assert far[left, 0] == FAR  # no floor


# contract, runners, peers


def test_all_may_move_always():
    asked = ask(CRAMPED, start(CRAMPED))
    assert (asked.which.tolist(), asked.legal.size.tolist()) == ([0, 0], [len(MOVES)] * 2)


@pytest.mark.parametrize(
    "text",
    [
        'kitchen(layout="XPTPX/O1  O/X 32X/XDXSX",dynamics=new,orders=[oot,t],bonus=[t],time=2,rounds=2,round_steps=8)',
        "kitchen(layout=forced_coordination,shaped=true,rounds=2,round_steps=8)",
    ],
)
def test_the_contract(text):
    testing.check_game(text)


@pytest.mark.slow
def test_both_runners_play_the_same_400_steps(tmp_path):
    alike(tmp_path, 'kitchen(layout="XPTPX/O1  O/X  2X/XDXSX",dynamics=new,orders=[ooo,oot,t],time=4)', "random*2")


@pytest.mark.parametrize("path", DATA, ids=lambda path: path.name.partition(".")[0])
def test_transitions_are_those_of_the_peer(path):
    """Traces that were played in overcooked_ai by scripts/kitchen_traces.py."""
    assert replay_kitchen(path) == 0


@pytest.mark.slow
@pytest.mark.parametrize("path", DATA, ids=lambda path: path.name.partition(".")[0])
def test_episodes_are_those_of_the_peer(path):
    assert replay_kitchen(path, whole=True) == 0


def test_there_are_traces_of_every_layout_by_both_dynamics():
    names = {path.name.partition(".")[0] for path in DATA}
    assert {f"{layout}-{dynamics}" for layout in LAYOUTS for dynamics in ("old", "new")} <= names


def change(path, to, edit):
    """The trace with one line edited."""
    with gzip.open(path, "rt") as file:
        lines = [json.loads(line) for line in file]
    edit(lines)
    with gzip.open(to, "wt") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    return to


def first(layout="cramped_room-old"):
    return next(path for path in DATA if path.name.startswith(layout))


@pytest.mark.parametrize(
    "edit",
    [
        lambda lines: lines[2]["states"][-1]["p"][0].__setitem__(2, (lines[2]["states"][-1]["p"][0][2] + 1) % 4),
        lambda lines: lines[2]["states"][-1].update(t=0),
        lambda lines: lines[2]["states"][-1].update(o=[[0, 0, "d"], [1, 0, "t"], [0, 2, "t"], [4, 2, ["s", "tto", 3]]]),
        lambda lines: lines[3]["sparse"].append([5, [1, 0]]),
        lambda lines: lines[3]["shaped"].append([1, [0, 1]]),
    ],
)
def test_a_planted_error_is_counted_once(edit, tmp_path):
    assert replay_kitchen(change(first(), tmp_path / "planted.jsonl.gz", edit)) == 1


def test_a_planted_error_in_the_middle_shows_from_both_sides(tmp_path):
    """A state is the end of one transition and the start of the next; the moves alone pass it by."""
    edit = lambda lines: lines[1]["states"][50].update(t=7)
    path = change(first(), tmp_path / "planted.jsonl.gz", edit)
    assert replay_kitchen(path) == 2
    assert replay_kitchen(path, whole=True) == 1


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda lines: lines[0].pop("terrain"), "line 1: 'terrain' is missing"),
        (lambda lines: lines[0]["terrain"].__setitem__(3, "XDX"), "line 1: kitchen.*equally long"),
        (lambda lines: lines[0]["starts"].append([7, 7]), "player 3 starts off the map"),
        (lambda lines: lines[1].update(actions="0"), "line 2: 1 actions of 2 players for 100 states"),
        (lambda lines: lines[1].update(actions="9" * 200), "an action is 9"),
        (lambda lines: lines[1]["states"][0]["p"].pop(), "state 1 has 1 players"),
        (lambda lines: lines[1]["states"][0]["p"][0].__setitem__(0, 0), "is no place for a player"),
        (lambda lines: lines[1]["states"][0].update(o=[[9, 9, "o"]]), "is no place for a thing"),
        (lambda lines: lines[1]["states"][0].update(o=[[0, 0, "z"]]), "'z' is missing, or stands for nothing"),
        (lambda lines: lines[1]["states"][0].update(o=[[0, 0, ["s", "oooo", 1]]]), "is no soup"),
        (lambda lines: lines[1].update(sparse=[[100, [0, 0]]]), "a reward at step 100 of 100"),
        (lambda lines: lines[0].update(recipe_config={"max_num_ingredients": 4}), "take 4 ingredients"),
        (lambda lines: lines.clear(), "it is empty"),
    ],
)
def test_a_damaged_trace_is_refused(edit, says, tmp_path):
    with pytest.raises(LogError, match=says):
        replay_kitchen(change(first(), tmp_path / "damaged.jsonl.gz", edit))


def test_a_file_that_is_no_trace_is_refused(tmp_path):
    path = tmp_path / "no.jsonl.gz"
    path.write_text("{}")
    with pytest.raises(LogError, match="cannot be read as gzip"):
        replay_kitchen(path)
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(first().read_bytes()[:-40])
    with pytest.raises(LogError, match=r"cannot be read as gzip"):
        replay_kitchen(cut)
    with pytest.raises(LogError, match="cannot be read"):
        replay_kitchen(tmp_path / "nowhere.jsonl.gz")


def test_the_rules_are_integers_and_compile_for_many_at_once():
    """The same step alone and among a thousand."""
    states = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (1000, *leaf.shape)), start(CRAMPED))
    moves = jax.random.randint(jax.random.key(0), (1000, 2), 0, 6)
    many = jax.vmap(lambda state, move: CRAMPED.step(jnp.zeros(2, jnp.uint32), state, move))(states, moves).state
    one = after(CRAMPED, start(CRAMPED), "".join(LETTERS[move] for move in moves[7]))
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((np.asarray(a[7]) == b).all()), many, one))
