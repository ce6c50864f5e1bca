"""Plays Overcooked in overcooked_ai and writes traces for `commonage.testing.replay_kitchen`.

usage: python scripts/kitchen_traces.py SOURCE FOLDER [EPISODES [STEPS]], with a Python that has numpy, scipy, tqdm and gymnasium.
SOURCE: the `src` folder of overcooked_ai's repository (github.com/HumanCompatibleAI/overcooked_ai). The
package on the index, 1.1.0, has no old dynamics.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from itertools import combinations_with_replacement
from pathlib import Path

PAPERS = ("cramped_room", "asymmetric_advantages", "coordination_ring", "forced_coordination", "counter_circuit_o_1order")
MIXED = {  # more rules than the papers' kitchens show, in layouts of our own: ingredients, orders, three players
    "tomatoes": (["XPTPX", "O1  O", "X  2X", "XDXSX"], {"onion_value": 21, "tomato_value": 13, "onion_time": 3, "tomato_time": 2}),
    "three_cooks": (["XPXPXX", "O1 2 T", "X  3 X", "XDXSDX"], {"cook_time": 5, "delivery_reward": 7}),
    "per_recipe": (["XPTPX", "O1  O", "X  2X", "XDXSX"], {"recipe_values": [30, 11, 5], "recipe_times": [4, 9, 2]}),
}
ORDERS = {"per_recipe": ["ooo", "oot", "ttt"]}
BONUS = {"tomatoes": ["oot"], "per_recipe": ["oot"]}
NAME = {"o": "onion", "t": "tomato"}


def main() -> None:
    source, folder, *more = sys.argv[1:]
    episodes, steps = [*map(int, more), 20, 400][:2] if len(more) < 2 else map(int, more)
    sys.path.insert(0, source)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in (*PAPERS, *MIXED):
        for old in (True, False):
            write(Path(folder) / f"{name}-{'old' if old else 'new'}.jsonl.gz", name, old, episodes, steps)


def kitchen(name: str, old: bool):
    """The peer's game."""
    from overcooked_ai_py.mdp.overcooked_mdp import OvercookedGridworld

    if name in PAPERS:
        return OvercookedGridworld.from_layout_name(name, old_dynamics=old)
    rows, config = MIXED[name]
    short = ORDERS.get(name) or (["ooo", "oot", "ott"] if old else ["ooo", "oot", "ott", "ot", "t"])
    spelled = lambda recipes: [{"ingredients": [NAME[letter] for letter in recipe]} for recipe in recipes]
    orders = {"start_all_orders": spelled(short), "start_bonus_orders": spelled(BONUS.get(name, []))}
    return OvercookedGridworld.from_grid(rows, {"layout_name": name, "old_dynamics": old, **orders, **config})


def header(mdp, name: str, old: bool, steps: int) -> dict:
    from overcooked_ai_py.mdp.overcooked_mdp import Recipe

    state, table = mdp.get_standard_start_state(), {}
    for size in (1, 2, 3):
        for mixed in combinations_with_replacement("ot", size):
            recipe = Recipe([NAME[letter] for letter in mixed])
            table["".join(mixed)] = [mdp.get_recipe_value(state, recipe), recipe.time]
    lists = lambda recipes: [list(recipe.ingredients) for recipe in recipes]
    return {
        "format": "kitchen-trace 1",
        "layout": name,
        "old_dynamics": old,
        "horizon": steps,
        "terrain": ["".join(row) for row in mdp.terrain_mtx],
        "starts": [list(place) for place in mdp.start_player_positions],
        "all_orders": lists(state.all_orders),
        "bonus_orders": lists(state.bonus_orders),
        "order_bonus": mdp.order_bonus,
        "shaping": {key: mdp.reward_shaping_params[key] for key in ("PLACEMENT_IN_POT_REW", "DISH_PICKUP_REWARD", "SOUP_PICKUP_REWARD")},
        "recipe_config": MIXED[name][1] if name in MIXED else {},
        "recipe_values_times": table,
    }


def write(path: Path, name: str, old: bool, episodes: int, steps: int) -> None:
    mdp = kitchen(name, old)
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        put = lambda row: file.write((json.dumps(row, separators=(",", ":")) + "\n").encode())
        put(header(mdp, name, old, steps))
        totals = []
        for episode in range(episodes):
            row = play(mdp, random.Random(f"{name} {old} {episode}"), ("random", "busy", "crowd", "cook")[episode % 4], steps)
            totals.append(row["total"])
            put(row)
    print(path.name, "totals", totals)


def play(mdp, rng: random.Random, how: str, steps: int) -> dict:
    """One episode; `how` it is played: at random, at stations, into each other, or with a plan."""
    from overcooked_ai_py.mdp.actions import Action

    state = mdp.get_standard_start_state() if how == "cook" else somewhere(mdp, rng)
    row = {"start": told(state), "actions": "", "states": [], "sparse": [], "shaped": [], "total": 0}
    goals = [None] * mdp.num_players
    for t in range(steps):
        chosen = [choose(mdp, state, seat, rng, how, goals) for seat in range(mdp.num_players)]
        state, info = mdp.get_state_transition(state, [Action.INDEX_TO_ACTION[move] for move in chosen])
        row["actions"] += "".join(map(str, chosen))
        row["states"].append(told(state))
        for kind, rewards in (("sparse", info["sparse_reward_by_agent"]), ("shaped", info["shaped_reward_by_agent"])):
            if any(rewards):
                row[kind].append([t, list(rewards)])
        row["total"] += sum(info["sparse_reward_by_agent"])
    return row


def somewhere(mdp, rng: random.Random):
    """A start with players anywhere, things in their hands, on counters and in pots."""
    from overcooked_ai_py.mdp.overcooked_mdp import ObjectState, SoupState

    state = mdp.get_standard_start_state()
    if rng.random() < 0.3:
        return state
    for player, place in zip(state.players, rng.sample(mdp.get_valid_player_positions(), mdp.num_players), strict=True):
        player.update_pos_and_or(place, rng.choice([(0, -1), (0, 1), (1, 0), (-1, 0)]))
    dishes = lambda place: ObjectState(rng.choice(["onion", "tomato", "dish"]), place)
    ingredients = lambda: [rng.choice(["onion", "onion", "tomato"]) for _ in range(3)]
    ready = lambda place: SoupState.get_soup(place, num_onions=3, num_tomatoes=0, cooking_tick=500)
    for player in state.players:
        if rng.random() < 0.5:
            player.set_object(ready(player.position) if rng.random() < 0.3 else dishes(player.position))
    for place in mdp.get_counter_locations():
        if rng.random() < 0.2:
            state.add_object(ready(place) if rng.random() < 0.2 else dishes(place), place)
    for place in mdp.get_pot_locations():
        if rng.random() < 0.7:
            mixed = ingredients()[: rng.randint(1, 3)]
            soup = SoupState(place, ingredients=[ObjectState(name, place) for name in mixed])
            if len(mixed) == 3 and rng.random() < 0.6:
                soup._cooking_tick = rng.randint(0, 25)
            state.add_object(soup, place)
    return state


def choose(mdp, state, seat: int, rng: random.Random, how: str, goals: list) -> int:
    if how == "random":
        return rng.randrange(6)
    if how == "crowd":  # they go after each other, and meet at stations
        other = state.players[1 - seat if seat < 2 else 0].position
        return toward(mdp, state, seat, {other}, rng) if rng.random() < 0.5 else rng.choice([0, 1, 2, 3, 4, 5, 5])
    if rng.random() < (0.3 if how == "busy" else 0.08):
        return rng.randrange(6)
    return toward(mdp, state, seat, wanted(mdp, state, seat, rng, how), rng)


def wanted(mdp, state, seat: int, rng: random.Random, how: str) -> set:
    """The places of what a cook would go to next."""
    player, pots = state.players[seat], mdp.get_pot_states(state)
    held = player.held_object.name if player.has_object() else ""
    counters = [place for place in mdp.get_counter_locations() if not state.has_object(place)]
    idle = [place for place in mdp.get_pot_locations() if not state.has_object(place) or not state.get_object(place).is_full]
    full = [place for place in mdp.get_pot_locations() if state.has_object(place) and state.get_object(place).is_full]
    if held == "soup":
        return {*mdp.get_serving_locations(), *(counters if how == "busy" else ())}
    if held == "dish":
        return {*full} or {*counters}
    if held:
        return {*idle} or {*counters}
    lying = {place for place, thing in state.objects.items() if place in mdp.get_counter_locations()}
    start = {place for place in pots["3_items"] if not mdp.old_dynamics}
    boxes = {*mdp.get_onion_dispenser_locations(), *mdp.get_tomato_dispenser_locations()}
    dishes = {*mdp.get_dish_dispenser_locations()}
    if start and rng.random() < 0.7:
        return start
    return (dishes if full and rng.random() < 0.5 else boxes) | lying


def toward(mdp, state, seat: int, goals: set, rng: random.Random) -> int:
    """The move towards the nearest place beside one of the goals; there it turns, then interacts. Players in the way are not seen."""
    ways = [(0, -1), (0, 1), (1, 0), (-1, 0)]
    floor, player = set(mdp.get_valid_player_positions()), state.players[seat]
    step = lambda place, way: (place[0] + way[0], place[1] + way[1])
    for move, way in enumerate(ways):
        if step(player.position, way) in goals:
            return 5 if player.orientation == way else move
    first, seen = [(player.position, -1)], {player.position}
    for place, begun in first:
        if any(step(place, way) in goals for way in ways):
            return begun
        for move in rng.sample(range(4), 4):
            there = step(place, ways[move])
            if there in floor and there not in seen:
                seen.add(there)
                first.append((there, move if begun < 0 else begun))
    return rng.randrange(6)


def told(state) -> dict:
    """A state as traces have it."""
    ways = [(0, -1), (0, 1), (1, 0), (-1, 0)]
    people = [[*player.position, ways.index(player.orientation), thing(player.held_object)] for player in state.players]
    lying = sorted(state.objects.items(), key=lambda item: (item[0][1], item[0][0]))
    return {"p": people, "o": [[*place, thing(one)] for place, one in lying], "t": state.timestep}


def thing(one):
    if one is None:
        return None
    return ["s", "".join(name[0] for name in one.ingredients), one._cooking_tick] if one.name == "soup" else one.name[0]


if __name__ == "__main__":
    main()
