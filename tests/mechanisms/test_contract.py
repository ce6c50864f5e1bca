"""Contracts, played out."""

import itertools

import numpy as np
import pytest
from towers import Plays, Says, Writes, asked, asks, play, turns, unchanged

from commonage.errors import SpecError
from commonage.games.coin_game import CoinGame
from commonage.games.commons import Commons
from commonage.games.dilemma import Dilemma
from commonage.mechanisms.contract import Contract
from commonage.mechanisms.noise import Noise
from commonage.mechanisms.punish import Punish
from commonage.mechanisms.talk import Talk
from commonage.policies.cheat import Cheat
from commonage.policies.fine_overusers import FineOverusers
from commonage.policies.greedy import Greedy
from commonage.policies.random import Random
from commonage.policies.signer import Signer
from commonage.policies.sustainer import Sustainer
from commonage.policies.tit_for_tat import TitForTat

C, D = 0, 1
NO, YES = 0, 1
PROPOSE, SIGN, MOVE = "propose", "sign", "choose"


def test_seats_propose_by_turns_and_the_defector_pays():
    tower = Contract(Dilemma(rounds=2))
    steps = play(tower, (Plays((C,)), Signer()), (Plays((D,)), Signer()))
    assert asked(tower, steps) == [PROPOSE, SIGN, MOVE] * 2
    assert steps.which[:, 0].tolist() == [[1, -1], [-1, 2], [0, 0], [-1, 1], [2, -1], [0, 0]]
    assert steps.rewards[:, 0].tolist() == [[0, 0], [0, 0], [0 + 5, 5 - 5]] * 2
    assert steps.facts["contract.moved"][:, 0].tolist() == [[0, 0], [0, 0], [5, -5]] * 2


def test_with_five_at_stake_cooperation_dominates():
    """What each gets in a one-shot dilemma (3, 0, 5, 1) under a contract over 5: 3/3, 5/0, 0/5, 1/1."""
    tower = Contract(Dilemma(rounds=1))
    payoffs = {moves: turns(tower, [5, -1], [-1, YES], list(moves))[2].rewards.tolist() for moves in itertools.product((C, D), repeat=2)}
    assert payoffs == {(C, C): [3, 3], (C, D): [5, 0], (D, C): [0, 5], (D, D): [1, 1]}


def test_without_a_signature_nothing_binds():
    tower = Contract(Commons(seats=3))
    for signatures, binds in (([-1, YES, YES], True), ([-1, YES, NO], False), ([-1, NO, NO], False)):
        signed, harvested = turns(tower, [7, -1, -1], signatures, [40, 0, 0])[1:]
        assert bool(signed.state.own.binds) == binds
        assert harvested.rewards.tolist() == ([40 - 7, 3.5, 3.5] if binds else [40, 0, 0])


def test_without_a_proposal_nobody_is_asked_to_sign():
    tower = Contract(Dilemma(rounds=2))
    steps = play(tower, (Plays((D,)), Writes((0,))), (Plays((D,)), Signer()))
    assert asked(tower, steps) == [PROPOSE, MOVE, PROPOSE, SIGN, MOVE]


def test_payers_pay_and_the_others_share():
    """Threshold 10 a seat in the commons of five: one, four or all take too much."""
    tower = Contract(Commons(), most=20)
    begin = [[8, -1, -1, -1, -1], [-1, YES, YES, YES, YES]]
    moved = lambda *harvest: tower.facts(turns(tower, *begin, list(harvest))[2].state)["contract.moved"].tolist()
    assert moved(10, 10, 10, 10, 10) == [0] * 5
    assert moved(11, 10, 10, 10, 10) == [-8, 2, 2, 2, 2]
    assert moved(11, 11, 11, 11, 10) == [-8, -8, -8, -8, 32]
    assert moved(11, 11, 11, 11, 11) == [0] * 5  # nobody is left to receive it


def test_it_moves_and_never_makes():
    steps = play(Contract(Commons()), *[(Random(), Signer(amount=7))] * 5, matches=200)
    moved = steps.facts["contract.moved"]
    assert (moved != 0).any()
    np.testing.assert_allclose(moved.sum(-1), 0, atol=1e-5)


def test_it_binds_for_one_round_only():
    tower = Contract(Dilemma())
    after = turns(tower, [5, -1], [-1, YES], [C, D], [-1, 0], [C, D])
    assert [bool(turn.state.own.binds) for turn in after] == [False, True, False, False, False]
    assert after[4].rewards.tolist() == [0, 5]


def test_a_round_of_many_steps_is_settled_at_its_end():
    """Seat 2 harms seat 1 in some step of the round: it pays once, after the last step."""
    tower = Contract(CoinGame(rounds=6, round_steps=4))
    steps = play(tower, (Random(), Signer()), (Random(), Signer()), matches=40)
    moved = steps.facts["contract.moved"]
    assert set(np.unique(moved)) == {-5, 0, 5}
    assert not moved[~steps.round_over].any()
    for match, start in itertools.product(range(40), range(0, 36, 6)):  # propose, sign, four moves
        worst = np.nanmin(np.vstack([steps.deeds[start + 2 : start + 6, match], [1, 1]]), 0)
        expected = {(1, 1): [0, 0], (0, 0): [0, 0], (1, 0): [5, -5], (0, 1): [-5, 5]}[tuple(worst.tolist())]
        assert moved[start + 5, match].tolist() == expected


def test_a_collapse_is_settled_too():
    tower = Contract(Commons(seats=2))
    steps = play(tower, (Greedy(), Signer()), (Sustainer(), Signer(amount=9)))
    assert asked(tower, steps) == [PROPOSE, SIGN, "harvest"]
    assert bool(steps.ended[2, 0])
    assert steps.facts["contract.moved"][2, 0].tolist() == [-5, 5]


def test_what_came_out_counts_not_what_was_meant():
    for tower in (Contract(Noise(Dilemma(rounds=1), rate=1)), Noise(Contract(Dilemma(rounds=1)), rate=1)):
        steps = play(tower, (Plays((C,)), Signer()), (Plays((D,)), Signer()))
        assert steps.facts["contract.moved"][2, 0].tolist() == [-5, 5]


def test_where_it_stands_among_the_phases():
    player = (Plays((C,)), Signer(), Says((2,)))
    for tower, expected in (
        (Talk(Contract(Dilemma(rounds=1))), ["say", PROPOSE, SIGN, MOVE]),
        (Contract(Talk(Dilemma(rounds=1))), [PROPOSE, SIGN, "say", MOVE]),
    ):
        assert asked(tower, play(tower, player, player)) == expected


def test_settled_when_the_round_is_over_for_the_layer():
    """Around the fines it is settled after them, inside before; both move the same."""
    players = (Plays((C,)), Signer(), FineOverusers()), (Plays((D,)), Signer())
    outside, inside = play(Contract(Punish(Dilemma(rounds=1))), *players), play(Punish(Contract(Dilemma(rounds=1))), *players)
    assert outside.facts["contract.moved"][:, 0].tolist() == [[0, 0]] * 4 + [[5, -5]]
    assert inside.facts["contract.moved"][:, 0].tolist() == [[0, 0]] * 2 + [[5, -5]] + [[0, 0]] * 2
    assert outside.rewards.sum(0).tolist() == inside.rewards.sum(0).tolist()


def test_retired_seats_neither_propose_nor_sign_nor_receive():
    """Seat 2 fails to sign: it no longer counts. Then it would be its turn: seat 3 proposes instead."""
    tower = Contract(Commons(seats=4))
    signed, harvested = turns(tower, [6, -1, -1, -1], [-1, -1, YES, YES], [40, -1, 0, 0])[1:]
    assert bool(signed.state.own.binds)
    assert harvested.rewards.tolist() == [34, 0, 3, 3]
    assert asks(tower, harvested.state) == [-1, -1, 1, -1]
    proposed = turns(tower, [6, -1, -1, -1], [-1, -1, YES, YES], [40, -1, 0, 0], [-1, -1, 4, -1])[-1]
    assert asks(tower, proposed.state) == [2, -1, -1, 2]


def test_a_proposer_who_fails_proposes_nothing():
    tower = Contract(Commons(seats=3))
    failed = turns(tower, [-1, -1, -1])[0]
    assert asks(tower, failed.state) == [0, 0, 0]


def test_words_and_sight():
    tower = Contract(Dilemma())
    proposed, signed, over = turns(tower, [5, -1], [-1, YES], [C, D])
    assert tower.tell(proposed.state, 1).endswith("Seat 1 proposes: whoever does not cooperate in this round pays 5.")
    assert tower.tell(proposed.state, 0).endswith("You propose: whoever does not cooperate in this round pays 5.")
    assert tower.tell(signed.state, 0).endswith("A contract binds in this round: whoever does not cooperate pays 5.")
    assert tower.tell(over.state, 0).endswith("The last contract gave you 5.")
    assert tower.tell(over.state, 1).endswith("The last contract took from you 5.")
    refused = turns(tower, [5, -1], [-1, NO])[1]
    assert tower.tell(refused.state, 0).endswith("The contract over 5 was not signed by all.")
    sight = tower.sights(proposed.state)["contract"]
    assert [np.asarray(field).tolist() for field in sight] == [[1, 1], [0, 0], [5, 5], [False, False], [0, 0]]
    assert "names an amount of 0 to 10" in tower.rules(0)
    with pytest.raises(SpecError, match="most must be at least 1"):
        Contract(Dilemma(), most=0)


def test_without_proposals_nothing_changes():
    unchanged(Dilemma(), Contract(Dilemma()), Random(), TitForTat())


@pytest.mark.slow
def test_without_proposals_nothing_changes_on_the_lake():
    unchanged(Commons(), Contract(Commons()), Random(), Cheat(), *[Sustainer()] * 3)
