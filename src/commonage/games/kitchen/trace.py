"""Traces of a kitchen: gzip JSON lines, a header, then an episode a line (`docs/kitchen.md` has the format)."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from commonage import seeds
from commonage.errors import LogError, SpecError
from commonage.games.kitchen import Kitchen, World
from commonage.grid.kitchen import DISH, NOTHING, ONION, TOMATO, load, rows, soup

THINGS = {None: NOTHING, "o": ONION, "t": TOMATO, "d": DISH}


class Rows(NamedTuple):
    """Transitions or states in NumPy; the leading axis counts them."""

    clock: np.ndarray  # int32[n]
    at: np.ndarray  # int32[n, seats]
    facing: np.ndarray  # int32[n, seats]
    held: np.ndarray  # int32[n, seats]
    things: np.ndarray  # int32[n, cells]


class Episode(NamedTuple):
    moves: np.ndarray  # int32[steps, seats]
    states: Rows  # [steps + 1]: the start, and what was after each step
    sparse: np.ndarray  # float32[steps, seats]
    shaped: np.ndarray  # float32[steps, seats]


def read(path: Path) -> tuple[Kitchen, list[Episode]]:
    """(the game of its header, its episodes). Raises LogError."""
    lines = list(_lines(path))
    if not lines:
        raise LogError(f"{path}: it is empty; the first line of a trace is its header")
    game = _sound(path, 1, lambda: _game(json.loads(lines[0])))
    return game, [_sound(path, number, lambda: _episode(game, json.loads(line))) for number, line in enumerate(lines[1:], 2)]  # noqa: B023


def _lines(path: Path) -> Iterator[str]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            yield from (line for line in file if line.strip())
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise LogError(f"{path}: cannot be read as gzip text: {error}") from error


def _sound(path: Path, number: int, made: Callable[[], Any]) -> Any:
    try:
        return made()
    except KeyError as error:
        raise LogError(f"{path}, line {number}: {error} is missing, or stands for nothing in a kitchen") from error
    except (ValueError, TypeError, IndexError, AttributeError, SpecError) as error:
        raise LogError(f"{path}, line {number}: {error}") from error


def _game(header: dict[str, Any]) -> Kitchen:
    """The values in its table hold for what is ordered, with the bonus in them."""
    if (most := (header.get("recipe_config") or {}).get("max_num_ingredients", 3)) != 3:
        raise ValueError(f"its pots take {most} ingredients, ours 3")
    table = {"".join(sorted(recipe)): pair for recipe, pair in header["recipe_values_times"].items()}
    shaping = header["shaping"]
    return Kitchen(
        layout=rows(header["terrain"], header["starts"]),
        dynamics="old" if header["old_dynamics"] else "new",
        rounds=1,
        round_steps=int(header["horizon"]),
        orders=tuple("".join(sorted(name[0] for name in order)) for order in header["all_orders"]),
        recipes=tuple(table),
        values=tuple(float(value) for value, _ in table.values()),
        times=tuple(int(time) for _, time in table.values()),
        fill=float(shaping["PLACEMENT_IN_POT_REW"]),
        fetch=float(shaping["DISH_PICKUP_REWARD"]),
        take=float(shaping["SOUP_PICKUP_REWARD"]),
    )


def _episode(game: Kitchen, line: dict[str, Any]) -> Episode:
    moves = np.array([int(digit) for digit in line["actions"]], np.int32)
    states = [line["start"], *line["states"]]
    if len(moves) != game.seats * (len(states) - 1):
        raise ValueError(f"{len(moves)} actions of {game.seats} players for {len(states) - 1} states")
    if len(moves) and moves.max() > 5:
        raise ValueError(f"an action is {moves.max()}: they are digits 0 to 5")
    moves = moves.reshape(-1, game.seats)
    return Episode(moves, _states(game, states), *(_rewards(line[name], moves.shape) for name in ("sparse", "shaped")))


def _rewards(entries: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    out = np.zeros(shape, np.float32)
    for t, each in entries:
        if not 0 <= t < shape[0]:
            raise ValueError(f"a reward at step {t} of {shape[0]}")
        out[t] = np.reshape(np.asarray(each, np.float32), shape[1])
    return out


def _states(game: Kitchen, states: list[dict[str, Any]]) -> Rows:
    kitchen, count = load(game.layout), len(states)
    things = np.zeros((count, len(kitchen.terrain)), np.int32)
    people = np.zeros((3, count, game.seats), np.int32)
    for i, state in enumerate(states):
        if len(state["p"]) != game.seats:
            raise ValueError(f"state {i} has {len(state['p'])} players, the header {game.seats} starts")
        for seat, (x, y, facing, held) in enumerate(state["p"]):
            people[:, i, seat] = _cell(kitchen, x, y, True), range(4)[facing], _thing(held)
        for x, y, thing in state["o"]:
            things[i, _cell(kitchen, x, y, False)] = _thing(thing)
    at, facing, held = people
    return Rows(np.array([state["t"] for state in states], np.int32), at, facing, held, things)


def _cell(kitchen: Any, x: int, y: int, floor: bool) -> int:
    inside = 0 <= x < kitchen.width and 0 <= y < kitchen.height
    if not inside or (kitchen.terrain[y * kitchen.width + x] == 0) != floor:
        raise ValueError(f"x {x}, y {y} is no place for a {'player' if floor else 'thing'}")
    return y * kitchen.width + x


def _thing(thing: Any) -> int:
    if not isinstance(thing, list):
        return THINGS[thing]
    letter, ingredients, tick = thing
    if letter != "s" or len(ingredients) > 3 or not -1 <= tick < 2**20:
        raise ValueError(f"{thing} is no soup: s, three ingredients at most, a tick from -1 on")
    return soup([THINGS[name[0]] for name in ingredients], tick)


def world(game: Kitchen, row: Rows) -> World:
    """The state of one row."""
    return game.start(seeds.root(0))._replace(**row._asdict())
