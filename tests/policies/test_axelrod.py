"""Move for move the same as the Axelrod library (4.14), which runs in a process of its own."""

import importlib.util
import json
import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from commonage.testing import moves

SEED = 20
ORACLE = Path(__file__).parents[1] / "oracles" / "axelrod_moves.py"

DETERMINISTIC = {  # our strategy: the library's class, its options
    "tit_for_tat": ("TitForTat", {}),
    "tit_for_two_tats": ("TitFor2Tats", {}),
    "two_tits_for_tat": ("TwoTitsForTat", {}),
    "suspicious_tit_for_tat": ("SuspiciousTitForTat", {}),
    "contrite_tit_for_tat": ("ContriteTitForTat", {}),
    "gradual": ("Gradual", {}),
    "grim": ("Grudger", {}),
    "soft_grudger": ("SoftGrudger", {}),
    "win_stay_lose_shift": ("WinStayLoseShift", {}),
    "win_shift_lose_stay": ("WinShiftLoseStay", {}),
    "hard_majority": ("HardGoByMajority", {}),
    "soft_majority": ("GoByMajority", {}),
    "davis": ("FirstByDavis", {}),
    "davis(rounds=4)": ("FirstByDavis", {"rounds_to_cooperate": 4}),
    "shubik": ("FirstByShubik", {}),
    "nydegger": ("FirstByNydegger", {}),
    "prober": ("Prober", {}),
    "bully": ("Bully", {}),
    "appeaser": ("Appeaser", {}),
    "cooperator": ("Cooperator", {}),
    "defector": ("Defector", {}),
    "alternator": ("Alternator", {}),
    "generous_tit_for_tat(p=0)": ("GTFT", {"p": 0}),
    "joss(p=1)": ("FirstByJoss", {"p": 1}),
}


def machine(draw: random.Random, states: int) -> tuple[str, tuple[str, dict[str, Any]]]:
    """A finite state machine, for us and for the library."""
    entries = range(2 * states)
    state, move = [draw.randrange(states) for _ in entries], [draw.randrange(2) for _ in entries]
    first_state, first_move = draw.randrange(states), draw.randrange(2)
    ours = f"finite_state(next_state={state},next_move={move},first_state={first_state},first_move={first_move})"
    transitions = [[i // 2, "CD"[i % 2], state[i], "CD"[move[i]]] for i in entries]
    return ours, ("FSMPlayer", {"transitions": transitions, "initial_state": first_state, "initial_action": "CD"[first_move]})


def table(draw: random.Random) -> tuple[str, tuple[str, dict[str, Any]]]:
    """A deterministic memory-one strategy, for us and for the library."""
    start, *after = (draw.randrange(2) for _ in range(5))
    return f"memory_one(p={[start, *after]})", ("MemoryOnePlayer", {"four_vector": after, "initial": "DC"[start]})


def drawn() -> tuple[dict[str, tuple[str, dict[str, Any]]], list[str], list[list[int]]]:
    """All strategies, 30 histories of up to 60 rounds, and for each the rounds in which a hand slips."""
    draw = random.Random(SEED)
    others = [machine(draw, states) for states in (2, 3, 4, 8)] + [table(draw) for _ in range(8)]
    lengths = [60, *(draw.randint(1, 60) for _ in range(29))]
    histories = ["".join(draw.choices("CD", [p := draw.random(), 1 - p], k=length)) for length in lengths]
    return DETERMINISTIC | dict(others), histories, [[i for i in range(1, len(h) + 1) if draw.random() < 0.2] for h in histories]


STRATEGIES, HISTORIES, SLIPS = drawn()
STOCHASTIC = {"generous_tit_for_tat": "GTFT", "joss": "FirstByJoss"}


@pytest.fixture(scope="module")
def axelrod() -> dict[str, list[dict[str, Any]]]:
    """What the library plays: by class and options, for each history without slips, then for each with them."""
    if importlib.util.find_spec("axelrod") is None:
        pytest.fail("the oracle of these tests is not installed: pip install axelrod==4.14 (no run of commonage needs it)")
    print(f"seed {SEED}: {len(HISTORIES)} histories of {min(map(len, HISTORIES))} to {max(map(len, HISTORIES))} rounds")
    theirs = [*STRATEGIES.values(), *((name, {}) for name in STOCHASTIC.values())]
    plays = [(history, slips) for some in ([[]] * len(HISTORIES), SLIPS) for history, slips in zip(HISTORIES, some, strict=True)]
    asked = [{"strategy": s, "options": o, "against": h, "slips": slips} for s, o in theirs for h, slips in plays]
    done = subprocess.run([sys.executable, str(ORACLE)], input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{ORACLE.name} failed:\n{done.stderr[-3000:]}"
    answers = iter(json.loads(done.stdout))
    return {_key(*their): [next(answers) for _ in plays] for their in theirs}


def _key(strategy: str, options: dict[str, Any]) -> str:
    return f"{strategy}{options}"


@pytest.mark.parametrize("name", STRATEGIES)
def test_same_moves(axelrod: dict[str, list[dict[str, Any]]], name: str) -> None:
    expected = [row["moves"] for row in axelrod[_key(*STRATEGIES[name])][: len(HISTORIES)]]
    assert [moves(name, against=history) for history in HISTORIES] == expected


@pytest.mark.parametrize("name", STRATEGIES)
def test_same_moves_when_hands_slip(axelrod: dict[str, list[dict[str, Any]]], name: str) -> None:
    expected = [row["moves"] for row in axelrod[_key(*STRATEGIES[name])][len(HISTORIES) :]]
    assert [moves(name, against=history, slips=slips) for history, slips in zip(HISTORIES, SLIPS, strict=True)] == expected


ROUNDS = 6_000
OTHER = "".join(random.Random(SEED).choices("CD", k=ROUNDS))


def rates(strategy: str) -> dict[str, tuple[float, int]]:
    """(rate of cooperation, rounds) after CC, CD, DC, DD (its own move first), against random moves."""
    mine = moves(strategy, against=OTHER, seed=SEED)
    after = {pair: [mine[i + 1] for i in range(ROUNDS - 1) if mine[i] + OTHER[i] == pair] for pair in ("CC", "CD", "DC", "DD")}
    return {pair: (moves.count("C") / len(moves), len(moves)) for pair, moves in after.items()}


def assert_rates(found: dict[str, tuple[float, int]], exact: list[float]) -> None:
    """Within four standard errors; equal where the probability is 0 or 1."""
    for (pair, (rate, rounds)), p in zip(found.items(), exact, strict=True):
        assert rate == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / rounds) + 1e-12), f"after {pair}: {rate} of {rounds}, expected {p}"


@pytest.mark.parametrize("name", STOCHASTIC)
def test_same_probabilities(axelrod: dict[str, list[dict[str, Any]]], name: str) -> None:
    vector = axelrod[_key(STOCHASTIC[name], {})][0]["vector"]
    assert vector == pytest.approx({"generous_tit_for_tat": [1, 1 / 3, 1, 1 / 3], "joss": [0.9, 0, 0.9, 0]}[name])
    assert_rates(rates(name), vector)
    assert all(moves(name, against="C", seed=seed) == "C" for seed in range(30))  # both begin with cooperation


def test_random_is_a_fair_coin_whatever_happened() -> None:
    assert_rates(rates("random"), [0.5] * 4)
    first = [moves("random", against="C", seed=seed) for seed in range(1000)]
    assert first.count("C") == pytest.approx(500, abs=4 * math.sqrt(250))


def test_memory_one_draws_by_its_table() -> None:
    assert_rates(rates("memory_one(p=[0.3,0.9,0.2,0.7,0.4])"), [0.9, 0.2, 0.7, 0.4])
    first = [moves("memory_one(p=[0.3,0.9,0.2,0.7,0.4])", against="C", seed=seed) for seed in range(1000)]
    assert first.count("C") == pytest.approx(300, abs=4 * math.sqrt(210))


def test_the_seed_is_the_draw() -> None:
    assert moves("random", against=OTHER[:40], seed=1) == moves("random", against=OTHER[:40], seed=1)
    assert moves("random", against=OTHER[:40], seed=1) != moves("random", against=OTHER[:40], seed=2)
