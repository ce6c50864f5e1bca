"""The kitchen in words: its rules, and what a seat sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from commonage.grid.kitchen import FLOOR, MOVES, NAMES, NOTHING, POT, SOUP, contents, count, ingredients, kind, load
from commonage.grid.words import steps

if TYPE_CHECKING:
    from commonage.games.kitchen import Kitchen, Sight

GROUND = ("floor", "a counter", "the box of onions", "the box of tomatoes", "the stack of dishes", "a pot", "the serving counter")
LEGEND = "X counter, O box of onions, T box of tomatoes, D stack of dishes, P pot, S serving counter, a dot floor, a digit a player"
DID = (
    "did nothing", "stayed", "walked", "turned", "wanted to walk and was held up: nobody walked", "interacted without effect",
    "took an onion", "took a tomato", "took a dish", "put something down", "picked something up", "put something into a pot",
    "started a pot", "took a soup from a pot", "served a soup",
)  # fmt: skip


def rules(game: Kitchen, seat: int) -> str:
    """All of them; `seat` from 0."""
    start = {
        "old": "A pot starts to cook by itself as soon as it holds three ingredients.",
        "new": "Whoever has empty hands and interacts with a pot that holds at least one ingredient and does not cook starts it.",
    }[game.dynamics]
    extra = (
        f" Besides, a seat gets {game.fill:g} for an ingredient into a pot, {game.fetch:g} for a dish while one is of use, and "
        f"{game.take:g} for a soup taken from a pot."
    )  # fmt: skip
    return (
        f"{game.seats} cooks work in one kitchen. You are player {seat + 1}. All move at the same time: north, south, east, west, stay "
        "or interact. A move turns you that way, and takes you to the next cell if that is floor. If two would come to one cell, or change "
        "places, nobody walks in that step; into a cell that another leaves one may follow. To interact works on the cell that you face. "
        "Empty hands take an onion, a tomato or a dish from its box, or what lies on a counter; a counter with nothing on it takes what "
        f"you hold. A pot takes up to three ingredients until it cooks. {start} A ready soup stays as it is, and is taken with a dish in "
        "your hands. A soup that you hold is served at the serving counter. Interactions are settled in the order of the players, "
        f"before anybody walks. {orders(game)} All players get what anybody serves.{extra if game.shaped else ''} There are "
        f"{game.rounds} rounds of {game.round_steps} steps."
    )


def orders(game: Kitchen) -> str:
    """What is worth how much, and cooks how long."""
    worth, codes = np.asarray(game.worth()), {_recipe(game, order): order for order in game.orders}
    each = [f"{_mixed(order)}: {float(worth[code]):g} points, cooks {steps(int(game.cooking[code]))}" for code, order in codes.items()]
    return f"Ordered soups: {'; '.join(each)}. Other soups are worth nothing." if each else "No soup is ordered."


def _recipe(game: Kitchen, name: str) -> int:
    """The index of a recipe in tables."""
    return sum(" ot".index(letter) << 2 * place for place, letter in enumerate(name))


def _mixed(letters: str) -> str:
    """`2 onions and 1 tomato`."""
    counts = [(letters.count("o"), "onion"), (letters.count("t"), "tomato")]
    return " and ".join(f"{n} {name}{'' if n == 1 else 'es' if name == 'tomato' else 's'}" for n, name in counts if n)


def tell(game: Kitchen, mine: Sight) -> str:
    """What one seat sees: its row of the sight."""
    clock, me = int(mine.clock), int(mine.seat)
    now = f"Round {clock // game.round_steps + 1} of {game.rounds}, step {clock % game.round_steps + 1} of {game.round_steps}."
    people = [_player(game, mine, seat, me) for seat in range(game.seats)]
    pots = [f"the pot at {_place(game, cell)}: {_pot(mine, cell)}" for cell in game.map.cells(POT).tolist()]
    lying = [cell for cell in np.flatnonzero(mine.things).tolist() if game.map.terrain[cell] != POT]
    counters = [f"{thing(mine.things[cell])} at {_place(game, cell)}" for cell in lying]
    last = [f"{'you' if seat == me else f'player {seat + 1}'} {_did(mine, seat)}" for seat in range(game.seats)] if clock else []
    lines = [
        now,
        f"The kitchen, row by row ({LEGEND}):\n{drawn(game, mine)}",
        *people,
        f"Pots: {'; '.join(pots)}." if pots else "",
        f"On counters: {', '.join(counters)}." if counters else "On counters: nothing.",
        orders(game),
        f"In the last step {', '.join(last)}." if last else "",
    ]
    return "\n".join(filter(None, lines))


def drawn(game: Kitchen, mine: Any) -> str:
    """The terrain with the players, row by row."""
    letters = list("".join(load(game.layout).letters).replace(" ", "."))
    for seat, cell in enumerate(mine.at.tolist()):
        letters[cell] = str(seat + 1)
    width = game.map.width
    return "\n".join("".join(letters[first : first + width]) for first in range(0, len(letters), width))


def thing(code: Any) -> str:
    """`an onion`, `a soup of 3 onions`."""
    if int(kind(code)) != SOUP:
        return NAMES[int(kind(code))]
    return f"a soup of {_mixed(''.join('xot'[what] for what in ingredients(code)))}"


def _place(game: Kitchen, cell: int) -> str:
    row, column = divmod(int(cell), game.map.width)
    return f"row {row + 1}, column {column + 1}"


def _player(game: Kitchen, mine: Sight, seat: int, me: int) -> str:
    cell, facing, held = int(mine.at[seat]), int(mine.facing[seat]), int(mine.held[seat])
    front = int(game.map.faced[4 * cell + facing])
    ground = int(game.map.terrain[front])
    before = GROUND[ground] if ground != FLOOR else _before(mine, front)
    who, verbs = ("You", ("stand", "face", "hold")) if seat == me else (f"Player {seat + 1}", ("stands", "faces", "holds"))
    holds = f"{verbs[2]} {thing(held)}" if held != NOTHING else f"{verbs[2]} nothing"
    return f"{who} {verbs[0]} at {_place(game, cell)}, {verbs[1]} {MOVES[facing]} towards {before}, and {holds}."


def _before(mine: Sight, cell: int) -> str:
    there = [seat for seat, at in enumerate(mine.at.tolist()) if at == cell]
    return f"player {there[0] + 1}" if there else "floor"


def _pot(mine: Sight, cell: int) -> str:
    soup, left = int(mine.things[cell]), int(mine.left[cell])
    if not int(contents(soup)):
        return "empty"
    held = _mixed("".join("xot"[what] for what in ingredients(soup)))
    return f"{held}, {'ready' if left == 0 else f'ready in {steps(left)}' if left > 0 else f'not cooking, {int(count(soup))} of 3'}"


def _did(mine: Sight, seat: int) -> str:
    did, points = DID[int(mine.did[seat])], float(mine.sparse[seat])
    return f"{did} for {points:g} points" if did.startswith("served") else did
