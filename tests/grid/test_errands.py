"""Errands in a kitchen, move by move: places are (x, y) from the upper left."""

import jax
import pytest

from commonage.games.kitchen import Kitchen
from commonage.grid.errands import errands, lead
from commonage.grid.kitchen import DISH, EAST, INTERACT, MOVES, NOTHING, ONION, SOUTH, soup

ROOM = Kitchen()
OOO = (ONION,) * 3


def led(errand, me, other=(3, 2), facing=0, held=NOTHING, game=ROOM, **lying):
    """(move, whether it is the last, whether there is a way) of the first cook, who is `me`."""
    width, state = game.map.width, jax.device_get(game.start(jax.numpy.zeros(2, jax.numpy.uint32)))
    things = state.things.copy()
    for place, thing in lying.items():
        x, y = map(int, place[1:].split("_"))
        things[y * width + x] = thing
    at, facings, hands = state.at.copy(), state.facing.copy(), state.held.copy()
    at[:], facings[0], hands[0] = [me[1] * width + me[0], other[1] * width + other[0]], facing, held
    sight = jax.device_get(game.look(state._replace(at=at, facing=facings, held=hands, things=things)))
    starts = game.dynamics == "new"
    step = lead(jax.tree.map(lambda row: row[0], sight), game.layout, starts)[errands(game.map, starts).index(errand)]
    return MOVES[int(step.move)], bool(step.last), bool(step.possible)


def test_what_may_be_wanted():
    assert errands(ROOM.map, False) == (
        "wait", "fetch an onion", "fetch a dish", "put it into a pot", "take a soup", "serve it", "put it down", "pick up an onion",
        "pick up a dish", "pick up a soup",
    )  # fmt: skip
    assert "start a pot" in errands(ROOM.map, True)
    assert "fetch a tomato" in errands(Kitchen(layout="XTPX/X12X/XXXX").map, False)


@pytest.mark.parametrize(
    ("errand", "me", "facing", "held", "lying", "step"),
    [
        ("wait", (1, 1), 0, NOTHING, {}, ("stay", True, True)),
        ("fetch an onion", (1, 2), 0, NOTHING, {}, ("north", False, True)),  # go there,
        ("fetch an onion", (1, 1), 0, NOTHING, {}, ("west", False, True)),  # turn,
        ("fetch an onion", (1, 1), 3, NOTHING, {}, ("interact", True, True)),  # take it
        ("fetch a dish", (1, 2), SOUTH, NOTHING, {}, ("interact", True, True)),
        ("put it into a pot", (2, 1), 0, ONION, {}, ("interact", True, True)),
        ("take a soup", (2, 1), 0, DISH, {"_2_0": soup(OOO, 20)}, ("interact", True, True)),
        ("take a soup", (2, 1), 0, DISH, {"_2_0": soup(OOO, 5)}, ("stay", False, True)),  # it waits at the pot
        ("serve it", (3, 1), 0, soup(OOO, 20), {}, ("stay", False, True)),  # the other stands before the counter
        ("put it down", (1, 1), 0, DISH, {}, ("interact", True, True)),
        ("pick up an onion", (1, 1), 0, NOTHING, {"_1_0": ONION}, ("interact", True, True)),
    ],
)
def test_an_errand_move_by_move(errand, me, facing, held, lying, step):
    assert led(errand, me, facing=facing, held=held, **lying) == step


@pytest.mark.parametrize(
    ("errand", "held", "lying"),
    [
        ("fetch an onion", DISH, {}),  # hands are full
        ("put it into a pot", DISH, {}),
        ("put it into a pot", ONION, {"_2_0": soup(OOO, 3)}),  # there is no room
        ("take a soup", NOTHING, {"_2_0": soup(OOO, 20)}),
        ("take a soup", DISH, {"_2_0": soup(OOO[:2])}),  # none cooks
        ("serve it", ONION, {}),
        ("put it down", NOTHING, {}),
        ("pick up a dish", NOTHING, {"_1_0": ONION}),
    ],
)
def test_what_cannot_be_done_is_not_offered(errand, held, lying):
    assert not led(errand, (1, 1), held=held, **lying)[2]


def test_it_goes_around_a_player():
    """To the dishes at (1, 3): straight on stands the other; the way leads over the lower row, or it waits where there is none."""
    wide = Kitchen(layout="XXXXX/X1  X/X   X/XX2DX/XXXXX")
    assert led("fetch a dish", (1, 1), other=(2, 1), game=wide) == ("south", False, True)
    hall = Kitchen(layout="XXXXXX/X1 2DX/XXXXXX")
    assert led("fetch a dish", (1, 1), other=(3, 1), facing=EAST, game=hall) == ("east", False, True)
    assert led("fetch a dish", (2, 1), other=(3, 1), facing=EAST, game=hall) == ("stay", False, True)


def test_pots_are_started_by_hand_in_new_dynamics():
    new = Kitchen(dynamics="new")
    assert led("start a pot", (2, 1), game=new, _2_0=soup(OOO[:1])) == (MOVES[INTERACT], True, True)
    assert led("start a pot", (2, 1), game=new, _2_0=soup(OOO, 4))[2] is False
    assert not led("start a pot", (2, 1), game=new)[2]
