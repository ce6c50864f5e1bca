"""Policies of the commons and their parts, played out."""

import itertools

import numpy as np
import pytest

from commonage import seeds
from commonage.errors import SpecError
from commonage.games.commons import Commons
from commonage.learn import rollout
from commonage.mechanisms.agreement import Agreement
from commonage.mechanisms.punish import Punish
from commonage.policies.best_responder import BestResponder, solved
from commonage.policies.cheat import Cheat
from commonage.policies.conditional_sustainer import ConditionalSustainer
from commonage.policies.constant import Constant
from commonage.policies.graduated_sanctioner import GraduatedSanctioner
from commonage.policies.limit_keeper import LimitKeeper
from commonage.policies.limit_writer import LimitWriter
from commonage.policies.sustainer import Sustainer


def caught(game, *players):
    """int[steps, seats]: what each seat got in the steps in which there was a harvest."""
    seated = [player if isinstance(player, tuple) else (player,) for player in players]
    steps = rollout.play(game, rollout.seat(seated, np.arange(len(seated))[None]), seeds.root(1)[None])
    return steps.facts["caught"][:, 0][steps.live[:, 0] & ~np.isnan(steps.deeds[:, 0]).all(1)], steps


def test_a_conditional_sustainer_takes_more_when_more_was_taken() -> None:
    """60 of 100 go in month 1; 80 are there in month 2, the share is 8: 20 was more, so 20 it is, and 8 for the patient one."""
    harvests, _ = caught(Commons(), *[ConditionalSustainer()] * 3, ConditionalSustainer(tolerance=1), Constant(amount=20))
    assert harvests[0].tolist() == [10, 10, 10, 10, 20]
    assert harvests[1].tolist()[3] == 8
    assert harvests[1].sum() == 80  # 3 x 20 + 8 + 20 were wanted
    shared, _ = caught(Commons(), *[ConditionalSustainer()] * 5)
    assert shared.tolist() == [[10] * 5] * 12


def test_a_best_responder_beats_every_constant_harvest() -> None:
    gains = lambda reply: caught(Commons(), *[Sustainer()] * 4, reply)[0][:, 4].sum()
    best = gains(BestResponder())
    assert best == solved(5, 12, 100, 2, 5)[1][100]
    assert all(best > gains(Constant(amount=amount)) for amount in (10, 11, 12, 15, 20, 60))
    assert best > gains(Sustainer(last=12))


@pytest.mark.parametrize(("rounds", "capacity"), [(2, 9), (3, 12)])
def test_the_solution_is_the_best_of_all_plans(rounds: int, capacity: int) -> None:
    """Against one who shares: every sequence of harvests is tried."""

    def worth(plan: tuple[int, ...]) -> int:
        stock, total = capacity, 0
        for harvest in plan:
            other = (stock - -(-stock // 2)) // 2
            if harvest > stock - other:
                return -1
            total, stock = total + harvest, stock - other - harvest
            if stock < 2:
                break
            stock = min(capacity, 2 * stock)
        return total

    best = max(worth(plan) for plan in itertools.product(range(capacity + 1), repeat=rounds))
    assert solved(2, rounds, capacity, 2, 2)[1][capacity] == best


def test_a_limit_keeper_keeps_to_it() -> None:
    """No limit before the first talk: twice the share. Then what was agreed."""
    game = Agreement(Commons(rounds=3))
    harvests, _ = caught(game, *[(LimitKeeper(otherwise=100), LimitWriter(amount=7))] * 4, (LimitKeeper(), LimitWriter(amount=7)))
    assert harvests.tolist() == [[10, 10, 10, 10, 20], [7] * 5, [7] * 5]
    alone, _ = caught(Commons(rounds=1), *[LimitKeeper()] * 5)
    assert alone.tolist() == [[20] * 5]


def test_sanctions_grow_with_every_offence_of_the_same_seat() -> None:
    game = Punish(Commons(rounds=5), most=3)
    _, steps = caught(game, *[(Sustainer(), GraduatedSanctioner())] * 2, Sustainer(), Sustainer(), Constant(amount=11))
    spent = steps.facts["punish.spent"][:, 0]
    assert spent[spent.sum(1) > 0].tolist() == [[1, 1, 0, 0, 0], [2, 2, 0, 0, 0]] + [[3, 3, 0, 0, 0]] * 3


def test_the_one_who_offended_more_often_is_fined() -> None:
    """Seat 5 offends in every month, seat 4 from the second on: from then on the fines are seat 5's."""
    game = Punish(Commons(rounds=3), most=3)
    late = Cheat(low=30, high=30)
    _, steps = caught(game, (Sustainer(), GraduatedSanctioner()), Sustainer(), Sustainer(), Constant(amount=10), late)
    fined = steps.facts["punish.fined"][:, 0]
    assert fined[:, :4].sum() == 0
    assert fined[:, 4].sum() > 0


def test_a_table_that_is_too_large_is_refused() -> None:
    with pytest.raises(SpecError, match="places must be at least the places of the table, which are 21"):
        caught(Punish(Commons(seats=21)), *[(Sustainer(), GraduatedSanctioner())] * 21)
