"""Who plays in the training text: one documented mixture of moves for each question, or the strategy that a persona names."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from commonage.agent import View
from commonage.game import base

PERSONAS = {  # a persona that is one of these words plays this strategy
    "dilemma": ("tit_for_tat", "cooperator", "defector", "grim", "win_stay_lose_shift", "suspicious_tit_for_tat"),
    "commons": ("sustainer", "greedy"),
    "public_goods": ("conditional_cooperator", "free_rider"),
    "ultimatum": ("bargainer",),
    "trust": ("truster",),
}
SENTENCES = (
    "Let us all cooperate.",
    "I do as you do.",
    "We can all gain if nobody is greedy.",
    "I take my fair share.",
    "Let us take {number} each.",
    "I plan {number} now.",
    "Trust me.",
    "Last round was not fair.",
)


class Plan(NamedTuple):
    """What the teacher thinks, and the probability of each move."""

    reason: str
    p: dict[int, float]


def plan(view: View) -> Plan:
    """The default mixture: what the pocket model plays without a persona. The targets that `decide` is tested against."""
    return PLANS[view.question.name](view)


def sentence(draw: random.Random) -> str:
    """Something to say."""
    return draw.choice(SENTENCES).format(number=draw.randint(0, 20))


def _choose(view: View) -> Plan:
    other = int(view.sight("dilemma").other)
    cooperates = {-1: 0.90, 0: 0.95, 1: 0.30}[other]
    reason = "Nobody has chosen yet." if other < 0 else f"The other chose {view.question.options[other]}."
    return Plan(reason, {0: cooperates, 1: 1 - cooperates})


def _harvest(view: View) -> Plan:
    share = int(view.sight("commons").share)
    return Plan(f"A fair share is {share}.", _spread((share, 0.8), (share + 1, 0.1), (share + 2, 0.05), (max(share - 1, 0), 0.05)))


def _agreed(view: View) -> Plan:
    share = int(view.sight("commons").share)
    return Plan(f"A fair share is {share}.", _spread((share, 0.9), (view.question.size - 1, 0.1)))


def _contribute(view: View) -> Plan:
    sight, endowment = view.sight("public_goods"), view.question.amount[1]
    known = [seat for seat, given in enumerate(sight.given) if seat != view.place and given >= 0]
    if not known:
        return Plan(f"Half of {endowment} is {endowment // 2}.", {endowment // 2: 1.0})
    theirs, mine = int(sight.given[known[0]]), max(int(sight.mine), 0)
    return Plan(f"Seat {known[0] + 1} gave {theirs}.", _spread((theirs, 0.8), (mine, 0.2)))


def _donate(view: View) -> Plan:
    sight = view.sight("donor")
    seat, gave = int(sight.recipient) + 1, int(sight.chain[0])
    if gave < 0:
        return Plan(f"I know nothing of seat {seat}.", {50: 0.8, 100: 0.2})
    if gave < 50:
        return Plan(f"Seat {seat} last gave less than half.", {0: 0.8, 50: 0.2})
    return Plan(f"Seat {seat} last gave half or more.", {50: 0.8, 100: 0.2})


def _offer(view: View) -> Plan:
    pie = view.question.amount[1]
    return Plan(f"Half of {pie} is {pie // 2}.", _spread((pie // 2, 0.7), (pie * 2 // 5, 0.2), (pie * 3 // 10, 0.1)))


def _accept(view: View) -> Plan:
    offer, pie = int(view.sight("ultimatum").offer), base(view.game).pie  # type: ignore[attr-defined]
    accepts = 0.95 if 5 * offer >= 2 * pie else 0.30
    return Plan(f"I am offered {offer} of {pie}.", {0: accepts, 1: 1 - accepts})


def _send(view: View) -> Plan:
    sight, all_ = view.sight("trust"), view.question.amount[1]
    received, returned = int(sight.last_received), int(sight.last_returned)
    if received < 0:
        return Plan(f"Half of {all_} is {all_ // 2}.", {all_ // 2: 1.0})
    repaid = received and 2 * returned >= received
    return Plan(f"I got back {returned} of {received}.", {all_: 0.8, all_ // 2: 0.2} if repaid else {0: 0.5, 1: 0.5})


def _return(view: View) -> Plan:
    received = int(view.sight("trust").received)
    return Plan(f"Half of {received} is {received // 2}.", _spread((received // 2, 0.8), (received, 0.1), (0, 0.1)))


def _fine_whom(view: View) -> Plan:
    if view.game.seats == 2 and (dilemma := view.sight("dilemma")) is not None:
        other, seat = int(dilemma.other), 2 - view.place
        fines = 0.60 if other == 1 else 0.05
        return Plan(f"The other chose {('cooperate', 'defect')[other]}.", {0: 1 - fines, seat: fines})
    return Plan("A fine costs me points.", _outer(view, 0.8))


def _units(view: View) -> Plan:
    return Plan("One unit is enough.", _spread((0, 0.8), (view.question.size - 1, 0.2)))


def _say(view: View) -> Plan:
    return Plan("Words bind nobody.", {0: 0.2, 1: 0.4, 2: 0.3, 3: 0.1})


def _next(view: View) -> Plan:
    return Plan("Anybody may speak.", _outer(view, 0.3))


def _outer(view: View, nobody: float) -> dict[int, float]:
    """Nobody with this probability; else the first or the last of the seats that are listed: easier to learn than anybody but oneself."""
    others = [seat + 1 for seat in range(view.game.seats) if view.allows(seat + 1)]
    return _spread((0, nobody), (others[0], (1 - nobody) / 2), (others[-1], (1 - nobody) / 2))


def _spread(*shares: tuple[int, float]) -> dict[int, float]:
    """Probabilities by move; a move that is named twice gets both shares."""
    p: dict[int, float] = {}
    for move, share in shares:
        p[move] = p.get(move, 0.0) + share
    return p


PLANS: dict[str, Callable[[Any], Plan]] = {
    "choose": _choose,
    "harvest": _harvest,
    "agreed limit": _agreed,
    "contribute": _contribute,
    "donate": _donate,
    "offer": _offer,
    "accept": _accept,
    "send": _send,
    "return": _return,
    "fine whom": _fine_whom,
    "units": _units,
    "say": _say,
    "next": _next,
}
