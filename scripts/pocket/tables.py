"""The tables at which the training text is played, and others, with lengths that the training text never has, for the check."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from commonage.game import Game
from commonage.games.commons import SKINS, Commons
from commonage.games.dilemma import Dilemma
from commonage.games.donor import Donor
from commonage.games.public_goods import PublicGoods
from commonage.games.trust import Trust
from commonage.games.ultimatum import Ultimatum
from commonage.mechanisms.agreement import Agreement
from commonage.mechanisms.punish import Punish
from commonage.mechanisms.talk import Talk

STRANGERS = {"govsim": 0.15}  # share of seats that play at random where it is checked; 0.5 elsewhere. These empty a lake at once


class Table(NamedTuple):
    """A game, how often it is played, compared with the others, and by what share of the strangers that others meet."""

    game: Game
    weight: float
    strangers: float = 1.0


def govsim(**commons: Any) -> Game:
    """The commons with an open talk after each month and a limit that is agreed on: the preset `govsim`."""
    return Agreement(Talk(Commons(**commons), when="after", order="floor", turns=9))


@functools.cache
def training() -> list[Table]:
    """The tables of the training text: the defaults of each game, and games around them."""
    dilemmas = [Dilemma(rounds=rounds, kind=kind) for rounds, kind in ((10, "prisoners_dilemma"), (6, "stag_hunt"), (12, "chicken"))]
    commons = [Commons(skin=skin) for skin in SKINS] + [Commons(seats=4, rounds=8), Commons(seats=3, rounds=6, capacity=60)]
    goods = [PublicGoods(), PublicGoods(seats=3, rounds=6, mpcr=0.5), PublicGoods(seats=5, rounds=8, endowment=10)]
    donors = [Donor(), Donor(seats=6, rounds=8), Donor(seats=4, rounds=6)]
    ultimatums, trusts = [Ultimatum(), Ultimatum(rounds=6, swap=True)], [Trust(), Trust(rounds=6)]
    talks = [Talk(game) for game in (Commons(), PublicGoods(rounds=6), Ultimatum(rounds=6), Trust(rounds=6))]
    talks += [
        Talk(Commons(rounds=6), order="turn"),
        Talk(Commons(seats=4, rounds=5), order="floor", turns=3),
        Talk(Donor(seats=4, rounds=6)),
    ]
    fines = [Punish(Commons(rounds=6), most=3), Punish(PublicGoods(), most=3), Talk(Punish(Commons(rounds=6)))]
    pairs = [Talk(Dilemma()), Talk(Dilemma(rounds=6)), Punish(Dilemma()), Punish(Dilemma(rounds=6))]
    agreed = [govsim(skin=skin) for skin in SKINS] + [govsim(rounds=4), govsim(seats=3, rounds=3, capacity=60)]
    weigh = lambda games, weight, strangers=1.0: [Table(game, weight / len(games), strangers) for game in games]
    return [
        *weigh(dilemmas, 2), *weigh(commons, 1.5), *weigh(goods, 1.5), *weigh(donors, 2.5), *weigh(ultimatums, 2), *weigh(trusts, 4),
        *weigh(pairs, 3.5), *weigh(talks, 1.2), *weigh(fines, 1.8), *weigh(agreed, 0.5, 0.25),
    ]  # fmt: skip


def held_out() -> dict[str, list[Game]]:
    """Tables of other lengths and sizes, by game: no prompt at them occurs in the training text."""
    return {
        "dilemma": [Dilemma(rounds=9), Talk(Dilemma(rounds=7)), Punish(Dilemma(rounds=7))],
        "commons": [Commons(rounds=11, skin=skin) for skin in SKINS] + [Talk(Commons(rounds=7)), Punish(Commons(rounds=7))],
        "public_goods": [PublicGoods(rounds=9), PublicGoods(rounds=7), Punish(PublicGoods(rounds=7))],
        "donor": [Donor(rounds=11), Donor(seats=8, rounds=9)],
        "ultimatum": [Ultimatum(rounds=9), Ultimatum(rounds=7, swap=True)],
        "trust": [Trust(rounds=9), Trust(rounds=7)],
        "govsim": [govsim(rounds=11, skin=skin) for skin in SKINS],
    }


def decided() -> dict[str, list[Game]]:
    """Those of them at which something can be decided by `decide`, by game."""
    return {
        "dilemma": [Dilemma(rounds=9), Talk(Dilemma(rounds=7)), Punish(Dilemma(rounds=7))],
        "ultimatum": [Ultimatum(rounds=9), Ultimatum(rounds=7, swap=True)],
        "commons": [Punish(Commons(rounds=7)), Talk(Commons(rounds=7), order="floor", turns=4)],
    }
