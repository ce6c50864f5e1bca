"""Shapley values of games where they are known, and the axioms that define them."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonage import shapley
from commonage.errors import SpecError
from commonage.run.shapley import EXACT

GIVE, KEEP, HALF = "constant(amount=20)", "constant(amount=0)", "constant(amount=10)"
IN, OUT = "constant(amount=1)", "constant(amount=0)"

COALITION = '''
"""A coalition game in one round: the first seat gets what the coalition of those who come in is worth."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import Game, Question, Turn, static
from commonage.game import everyone


class State(NamedTuple):
    clock: Array


class Coalition(Game):
    seats: int = static(default=3)
    worth: tuple[float, ...] = static(default=())  # by coalition; empty: 1 for more than half of the seats

    rounds = 1
    questions = (Question("do", ("stay out", "come in")),)

    @property
    def roles(self):
        return tuple(f"player {i + 1}" for i in range(self.seats))  # so that nobody changes places

    def start(self, key):
        return State(jnp.int32(0))

    def ask(self, state):
        return everyone(self)

    def look(self, state):
        return State(jnp.broadcast_to(state.clock, self.seats))

    def step(self, key, state, moves):
        members = (moves == 1).astype(jnp.int32)
        index = (members << np.arange(self.seats)).sum()
        value = jnp.asarray(self.worth, jnp.float32)[index] if self.worth else (members.sum() * 2 > self.seats).astype(jnp.float32)
        rewards = jnp.zeros(self.seats, jnp.float32).at[0].set(value)
        return Turn(State(state.clock + 1), rewards, jnp.array(True), jnp.array(False), jnp.array(True), moves.astype(jnp.float32))

    def rules(self, seat):
        return "Come in, or stay out."

    def tell(self, state, seat):
        return "Round 1."
'''


@pytest.fixture(autouse=True)
def coalition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "coalition.py").write_text(COALITION)
    monkeypatch.chdir(tmp_path)


def values(worth: list[float], repeats: int = 1) -> np.ndarray:
    seats = int(math.log2(len(worth)))
    found = shapley(f"coalition.py(seats={seats},worth={worth})".replace(" ", ""), f"{IN}*{seats}", OUT, repeats)
    assert found.exact
    return found.values[:, 0]


def by_orders(worth: list[float]) -> list[float]:
    """The definition: what a player adds to those who came before it, the mean over all orders."""
    seats = int(math.log2(len(worth)))
    adds = np.zeros(seats)
    for order in itertools.permutations(range(seats)):
        members = 0
        for player in order:
            adds[player] += worth[members | 1 << player] - worth[members]
            members |= 1 << player
    return (adds / math.factorial(seats)).tolist()


# games with known values


def test_the_glove_game() -> None:
    """One left glove, two right ones, a pair is worth 1: 2/3, 1/6, 1/6 (Shapley & Shubik 1969)."""
    pair = [float(members & 1 and members & 6 != 0) for members in range(8)]
    assert values(pair) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_the_airport_game() -> None:
    """Runways that cost 1, 2 and 3: each part is shared by those who need it (Littlechild & Owen 1973)."""
    cost = [max([0.0, *(float(i + 1) for i in range(3) if members >> i & 1)]) for members in range(8)]
    assert values(cost) == pytest.approx([1 / 3, 1 / 3 + 1 / 2, 1 / 3 + 1 / 2 + 1])


def test_the_talmud_of_unanimity() -> None:
    """Worth 1 only where the second and the third are both in: they share it, the first is a dummy."""
    assert values([float(members & 6 == 6) for members in range(8)]) == pytest.approx([0, 1 / 2, 1 / 2])


def test_public_goods_add_up() -> None:
    """Each token in the pot is worth 0.4 to each of 4, and costs 1: what one adds does not depend on the others."""
    found = shapley("public_goods(seats=4,rounds=3)", f"{GIVE},{HALF}*2,{KEEP}", KEEP, repeats=2)
    np.testing.assert_allclose(found.values, [[3 * 20 * 0.6] * 2, [3 * 10 * 0.6] * 2, [3 * 10 * 0.6] * 2, [0, 0]], rtol=1e-6)
    assert found.seats == (GIVE, HALF, HALF, KEEP)
    assert (found.nobody[0], found.everybody[0]) == (240, pytest.approx(240 + 72))
    assert [one.mean for one in found.intervals] == pytest.approx([36, 18, 18, 0])


# the axioms


@given(st.lists(st.integers(-9, 9), min_size=8, max_size=8))
@settings(max_examples=5, deadline=None)
def test_they_are_the_mean_over_all_orders(worth: list[int]) -> None:
    expected = by_orders([float(each) for each in worth])
    assert values([float(each) for each in worth]) == pytest.approx(expected, abs=1e-5)
    assert sum(expected) == pytest.approx(worth[-1] - worth[0])


@pytest.mark.parametrize("seats", [3, 9])
def test_efficiency_in_every_repeat(seats: int) -> None:
    """All of what is won over the outsiders is shared out, whether exact or sampled."""
    found = shapley(f"commons(seats={seats},rounds=3)", f"sustainer*{seats - 2},cheat,random", KEEP, repeats=4, samples=3)
    assert found.exact == (seats <= EXACT)
    np.testing.assert_allclose(found.values.sum(0), found.everybody - found.nobody, atol=1e-3)
    assert np.ptp(found.everybody) > 0


@pytest.mark.parametrize("seats", [3, 9])
def test_a_dummy_gets_nothing(seats: int) -> None:
    """Who plays as the outsider does adds nothing, whatever the others do, in every repeat."""
    found = shapley(f"commons(seats={seats},rounds=3)", f"cheat*{seats - 1},{KEEP}", KEEP, repeats=3, samples=2)
    assert found.values[-1].tolist() == [0, 0, 0]
    assert found.values[:-1].any()


def test_symmetric_players_get_the_same() -> None:
    found = shapley("public_goods(seats=5,rounds=2)", f"{HALF}*3,{GIVE}*2", KEEP)
    np.testing.assert_allclose(found.values[:3], found.values[:1].repeat(3, 0))
    np.testing.assert_allclose(found.values[3], found.values[4])


def test_permuting_the_seat_list_permutes_the_values() -> None:
    one = shapley("public_goods(seats=3,rounds=2)", f"{GIVE},{HALF},{KEEP}", KEEP, repeats=2)
    other = shapley("public_goods(seats=3,rounds=2)", f"{KEEP},{GIVE},{HALF}", KEEP, repeats=2)
    np.testing.assert_allclose(one.values[[2, 0, 1]], other.values)


# sampling


def test_sampled_values_are_those_of_a_game_that_adds_up() -> None:
    """Where a player adds the same to all coalitions every order gives its value exactly."""
    found = shapley("public_goods(seats=9,rounds=1)", f"{GIVE},{HALF}*8", KEEP, repeats=2, samples=2)
    assert not found.exact
    np.testing.assert_allclose(found.values, [[20 * 2.6] * 2, *[[10 * 2.6] * 2] * 8], rtol=1e-5)


@pytest.mark.parametrize("seats", [9])
def test_sampled_values_of_a_majority_lie_around_an_equal_share(seats: int) -> None:
    """Exactly one player turns each order into a majority: 1/n each, within what the draws allow."""
    found = shapley(f"coalition.py(seats={seats})", f"{IN}*{seats}", OUT, repeats=40, samples=8, seed=2)
    np.testing.assert_allclose(found.values.sum(0), 1)
    assert set(np.unique((found.values * 8).round(6) % 1)) == {0}
    error = math.sqrt(1 / seats * (1 - 1 / seats) / (40 * 8))
    assert (abs(found.values.mean(1) - 1 / seats) < 4 * error).all()
    assert sum(one.low <= 1 / seats <= one.high for one in found.intervals) >= seats - 2  # type: ignore[operator]


def test_the_same_seed_gives_the_same_orders() -> None:
    runs = [shapley("coalition.py(seats=9)", f"{IN}*9", OUT, 3, seed, samples=2).values for seed in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()


# what is wrong


def test_there_is_no_default_outsider() -> None:
    with pytest.raises(SpecError, match=r"say who sits in for a player that is left out: outsider='constant\(amount=0\)'"):
        shapley("public_goods", f"{GIVE}*4")


def test_a_game_in_plain_python_has_none() -> None:
    Path("plain.py").write_text(COALITION.replace("class Coalition", "class Plain").replace("rounds = 1", "rounds, compiles = 1, False"))
    with pytest.raises(SpecError, match="plain is plain Python and does not compile, so that shapley cannot play it"):
        shapley("plain.py", f"{IN}*3", OUT)


@pytest.mark.parametrize(
    ("seats", "outsider", "options", "says"),
    [
        (f"{GIVE}*3", KEEP, {}, "4 places, the seat list names 3"),
        (f"{GIVE}*4", f"{KEEP}*2", {}, "one player"),
        (f"human,{GIVE}*3", KEEP, {}, "human is no policy"),
        (f"{GIVE}*4", "human", {}, "human is no policy"),
        (f"{GIVE}*4", "sustainer", {}, "plays commons"),
        (f"{GIVE}*4", KEEP, {"repeats": 0}, "at least 1"),
        (f"{GIVE}*4", KEEP, {"samples": 0}, "at least 1"),
    ],
)
def test_what_has_no_values(seats: str, outsider: str, options: dict[str, int], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        shapley("public_goods", seats, outsider, **options)  # type: ignore[arg-type]
