"""Cournot and Bertrand markets: Nash and monopoly in closed form (Cournot 1838; Singh & Vives 1984)."""

from __future__ import annotations

from commonage.games.market import Market
from commonage.verify import Check

BERTRAND, COURNOT = Market(kind="bertrand"), Market(kind="cournot")
TEXTBOOK = Market(kind="cournot", a=100.0, b=1.0, g=0.0, c=10.0, top=60)  # q = 30 each, Q = 45 as a cartel


def checks() -> list[Check]:
    """Expected values are worked out by hand from the demand functions."""
    return [
        Check("market, Bertrand a=52 b=2 g=1 c=4: Nash price", "(a + bc) / (2b - g)", 20.0, lambda: BERTRAND.nash().price),
        Check("market, Bertrand: monopoly price", "(a / (b - g) + c) / 2", 28.0, lambda: BERTRAND.monopoly().price),
        Check("market, Bertrand: Nash profit a seller", "(20 - 4) x 32", 512.0, lambda: BERTRAND.nash().profit),
        Check("market, Bertrand: monopoly profit a seller", "(28 - 4) x 24", 576.0, lambda: BERTRAND.monopoly().profit),
        Check("market, Cournot a=52 b=2 c=4: Nash price", "a - b n (a - c) / (b (n + 1))", 20.0, lambda: COURNOT.nash().price),
        Check("market, Cournot: monopoly price", "(a + c) / 2", 28.0, lambda: COURNOT.monopoly().price),
        Check("market, Cournot a=100 b=1 c=10: Nash quantity a seller", "(a - c) / 3b", 30.0, lambda: TEXTBOOK.nash().quantity),
        Check("market, Cournot a=100 b=1 c=10: Nash profit a seller", "30 x 30", 900.0, lambda: TEXTBOOK.nash().profit),
        Check("market, Cournot a=100 b=1 c=10: cartel profit a seller", "45 x 45 / 2", 1012.5, lambda: TEXTBOOK.monopoly().profit),
    ]
