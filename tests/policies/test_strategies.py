"""The strategies of the iterated dilemma as played-out matches: what the other does, and what the strategy answers."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonage import seeds, spec
from commonage.errors import SpecError
from commonage.find import find, parts
from commonage.games.dilemma import Dilemma
from commonage.learn import rollout
from commonage.policies.finite_state import FiniteState
from commonage.policies.memory_one import MemoryOne
from commonage.testing import moves

MATCHES = [  # strategy, what the other does, what the strategy does
    ("tit_for_tat", "CDDC", "CCDD"),
    ("tit_for_two_tats", "CDCDDDCC", "CCCCCDDC"),
    ("two_tits_for_tat", "CDCCCDDCC", "CCDDCCDDD"),
    ("suspicious_tit_for_tat", "CDDC", "DCDD"),
    ("contrite_tit_for_tat", "CDDC", "CCDD"),
    ("generous_tit_for_tat(p=0)", "CDDC", "CCDD"),
    ("generous_tit_for_tat(p=1)", "CDDC", "CCCC"),
    ("gradual", "CDCCCDCCCCCC", "CCDCCCDDCCCC"),  # one for the first, two for the second
    ("gradual", "CDDCCCDCCCCCC", "CCDCCCCDDDCCC"),  # the second fell into an answer, and counts: three for the third
    ("grim", "CDCCC", "CCDDD"),
    ("grudger", "CDCCC", "CCDDD"),
    ("soft_grudger", "DCCDDCCDCC", "CDDDDCCCDD"),
    ("win_stay_lose_shift", "CDDCCDCC", "CCDCCCDD"),
    ("pavlov", "CDDCCDCC", "CCDCCCDD"),
    ("win_shift_lose_stay", "CDDCDD", "DCCCDD"),
    ("hard_majority", "CDDCCC", "DCDDDC"),
    ("soft_majority", "CDDCCC", "CCCDCC"),
    ("davis", "DCCCCCCCCCCC", "CCCCCCCCCCDD"),
    ("davis", "CCCCCCCCCCDC", "CCCCCCCCCCCD"),
    ("davis(rounds=2)", "DCCC", "CCDD"),
    ("shubik", "CDCDDCCC", "CCDCDDCC"),
    ("shubik", "CDDCC", "CCDCC"),  # a defection on its own defection is no departure
    ("nydegger", "DCCCC", "CDDDC"),  # fourth: 16*1 + 4*1 + 2 = 22, fifth: 21
    ("nydegger", "DDDDD", "CDDCC"),  # fourth: 16*3 + 4*3 + 2 = 62
    ("joss(p=1)", "CDDC", "CCDD"),
    ("joss(p=0)", "CCDC", "CDDD"),
    ("prober", "CCCCC", "DCCDD"),
    ("prober", "DCCDC", "DCCDD"),  # the first round does not count
    ("prober", "CDCCDC", "DCCCCD"),
    ("bully", "CDDC", "DDCC"),
    ("appeaser", "CDDCCDCC", "CCDCCCDD"),
    ("cooperator", "CDDC", "CCCC"),
    ("defector", "CDDC", "DDDD"),
    ("alternator", "CDDC", "CDCD"),
    ("memory_one", "CDDC", "CCDC"),
    ("memory_one(p=[0,0,0,1,1])", "CDDC", "DCDC"),
    ("finite_state", "CDDC", "CCDD"),
    ("finite_state(next_state=[0,1,0,1],next_move=[0,0,0,1])", "CDCDDDCC", "CCCCCDDC"),
    ("finite_state(next_state=[1,1,0,0],next_move=[1,1,0,0],first_move=1)", "CDDC", "DDCD"),
]

SLIPS = [  # strategy, what the other does, in which rounds its hand slips, what is played
    ("tit_for_tat", "CCDC", [2], "CDCD"),
    ("contrite_tit_for_tat", "CCDCC", [2], "CDCCC"),  # it takes the answer to its slip
    ("contrite_tit_for_tat", "CCDCDC", [2, 3], "CDDDCC"),  # slips again, so that only the fifth round makes up for the first slip
    ("contrite_tit_for_tat", "CDDC", [2], "CDDD"),  # both defected: nothing to be sorry for
    ("contrite_tit_for_tat", "DCCDC", [2], "CCCCD"),  # a defection turned into cooperation is none either
    ("win_stay_lose_shift", "CCCC", [2], "CDDD"),
    ("appeaser", "CCCC", [2], "CDDD"),
    ("alternator", "CCCC", [2], "CCDC"),
    ("shubik", "CDCC", [2], "CDCC"),  # its own hand defected too: no departure from cooperation
    ("grim", "CCCC", [2], "CDCC"),
    ("memory_one(p=[1,1,0,0,0])", "CCCC", [2], "CDDD"),  # not grim: it cannot tell whose defection it was
]


@pytest.mark.parametrize(("strategy", "against", "expected"), MATCHES)
def test_played_out(strategy: str, against: str, expected: str) -> None:
    assert moves(strategy, against=against) == expected


@pytest.mark.parametrize(("strategy", "against", "slips", "expected"), SLIPS)
def test_a_slip_of_the_hand_is_seen(strategy: str, against: str, slips: list[int], expected: str) -> None:
    assert moves(strategy, against=against, slips=slips) == expected


def test_every_strategy_is_played_out() -> None:
    played = {find("policies", strategy.partition("(")[0]) for strategy, _, _ in MATCHES}
    dilemma = {cls for name in parts("policies") if (cls := find("policies", name)).game == "dilemma"}
    assert dilemma - played == set()


HISTORY = st.text("CD", max_size=60)
ROUNDS = st.sets(st.integers(1, 60), max_size=5)
proved = settings(derandomize=True, deadline=None, max_examples=60)

BY_TABLE = {  # at the start, after CC, CD, DC, DD
    "tit_for_tat": (1, 1, 0, 1, 0),
    "suspicious_tit_for_tat": (0, 1, 0, 1, 0),
    "bully": (0, 0, 1, 0, 1),
    "win_stay_lose_shift": (1, 1, 0, 0, 1),
    "appeaser": (1, 1, 0, 0, 1),
    "win_shift_lose_stay": (0, 0, 1, 1, 0),
    "alternator": (1, 0, 0, 1, 1),
    "cooperator": (1, 1, 1, 1, 1),
    "defector": (0, 0, 0, 0, 0),
    "generous_tit_for_tat(p=0)": (1, 1, 0, 1, 0),
    "joss(p=1)": (1, 1, 0, 1, 0),
}

BY_MACHINE = {  # if the other cooperated, if it defected, state by state
    "tit_for_tat": FiniteState(),
    "suspicious_tit_for_tat": FiniteState(first_move=1),
    "bully": FiniteState(next_move=(1, 0), first_move=1),
    "grim": FiniteState((0, 1, 1, 1), (0, 1, 1, 1)),
    "tit_for_two_tats": FiniteState((0, 1, 0, 1), (0, 0, 0, 1)),
    "two_tits_for_tat": FiniteState((0, 1, 0, 1), (0, 1, 1, 1)),
    "soft_grudger": FiniteState((0, 1, 2, 2, 3, 3, 4, 4, 5, 5, 0, 0), (0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0)),
}


@pytest.mark.parametrize("strategy", BY_TABLE)
@proved
@given(against=HISTORY, slips=ROUNDS)
def test_memory_one_by_table(strategy: str, against: str, slips: set[int]) -> None:
    assert moves(MemoryOne(BY_TABLE[strategy]), against, slips=slips) == moves(strategy, against, slips=slips)


@proved
@given(against=HISTORY)
def test_memory_one_is_grim_while_no_hand_slips(against: str) -> None:
    assert moves(MemoryOne((1, 1, 0, 0, 0)), against) == moves("grim", against)


@pytest.mark.parametrize("strategy", BY_MACHINE)
@proved
@given(against=HISTORY, slips=ROUNDS)
def test_finite_state_by_table(strategy: str, against: str, slips: set[int]) -> None:
    assert moves(BY_MACHINE[strategy], against, slips=slips) == moves(strategy, against, slips=slips)


@proved
@given(against=HISTORY, more=HISTORY)
def test_a_move_depends_on_the_past_only(against: str, more: str) -> None:
    for strategy in ("gradual", "nydegger", "random"):
        assert moves(strategy, against + more)[: len(against)] == moves(strategy, against)


@pytest.mark.parametrize("strategy", ["joss", "generous_tit_for_tat", "random", "memory_one(p=[0.5,0.9,0.2,0.7,0.4])", "shubik"])
@pytest.mark.parametrize("other", ["random", "alternator"])
def test_moves_are_those_of_a_match(strategy: str, other: str) -> None:
    """`moves` draws as a compiled match does: against what the other really did, it says what the first seat really did."""
    players = [(find("policies", "random")(),), (find("policies", "alternator")(),), (spec.make("policies", spec.call(strategy))(),)]
    seating = np.array([[2, ("random", "alternator").index(other)]] * 3)
    keys = np.stack([seeds.root(seed) for seed in range(3)])
    step = rollout.play(Dilemma(rounds=20), rollout.seat(players, seating), keys)
    for seed in range(3):
        mine, theirs = ("".join("CD"[move] for move in step.move[:, seed, place]) for place in range(2))
        assert moves(strategy, against=theirs, seed=seed) == mine


def test_tables_stack_into_one_call() -> None:
    tables = np.random.default_rng(3).integers(0, 2, (40, 5))
    players = [(MemoryOne(tuple(map(int, table))),) for table in tables] + [
        (FiniteState((0, 1, 1, 1), (0, 1, i % 2, 1)),) for i in range(4)
    ]
    seating = np.array([[i, i] for i in range(len(players))])
    groups = rollout.seat(players, seating)
    assert len(groups) == 2
    step = rollout.play(Dilemma(rounds=12), groups, np.stack([seeds.root(0)] * len(players)))
    for i, (player,) in enumerate(players):
        mine, theirs = ("".join("CD"[move] for move in step.move[:, i, place]) for place in range(2))
        assert moves(player, against=theirs) == mine


@pytest.mark.parametrize("name", sorted(parts("policies")))
def test_memory_keeps_its_shape(name: str) -> None:
    """Memory is small: at most two int32, with the same types after a move."""
    policy, game = find("policies", name)(), Dilemma()
    if policy.game != "dilemma":
        return
    sight = jax.tree.map(lambda rows: rows[0], game.look(game.start(seeds.root(0))))
    move, after = jax.eval_shape(policy.act, seeds.root(0), policy.start(), sight, np.ones(2, bool))
    before = jax.eval_shape(policy.start)
    assert jax.tree.structure(before) == jax.tree.structure(after)
    assert [(x.shape, x.dtype) for x in jax.tree.leaves(after)] == [((), np.int32)] * len(jax.tree.leaves(before))
    assert (move.shape, move.dtype, len(jax.tree.leaves(before)) <= 2) == ((), np.int32, True)


def test_no_two_policies_share_a_structure() -> None:
    """jit finds compiled code by structure: one strategy must never run another's."""
    structures = [jax.tree.structure(find("policies", name)()) for name in parts("policies")]
    assert [a == b for a in structures for b in structures].count(True) == len(structures)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("memory_one(p=[1,1,0])", "five probabilities"),
        ("memory_one(p=[1,1,0,0,2])", "five probabilities"),
        ("generous_tit_for_tat(p=1.5)", "a probability, 0..1"),
        ("joss(p=-1)", "a probability, 0..1"),
        ("davis(rounds=-1)", "0 or more"),
        ("finite_state(next_state=[0])", "two states for each state"),
        ("finite_state(next_state=[0,2,0,1],next_move=[0,0,0,0])", "states of the machine, 0..1"),
        ("finite_state(next_state=[0,1,0,1])", "4 moves, one for each entry"),
        ("finite_state(next_move=[0,2])", r"0 \(cooperate\) or 1 \(defect\) each"),
        ("finite_state(first_state=1)", "a state of the machine, 0..0"),
        ("finite_state(first_move=2)", r"0 \(cooperate\) or 1 \(defect\)"),
        ("sustainer", "sustainer plays commons, not dilemma"),
        ("tit_for_tit", "did you mean 'tit_for_tat'"),
    ],
)
def test_wrong_tables_are_refused(text: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        moves(text)


def test_other_letters_are_refused() -> None:
    with pytest.raises(SpecError, match="against='CXD'"):
        moves("tit_for_tat", against="CXD")
