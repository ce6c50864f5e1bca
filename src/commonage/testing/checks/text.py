"""One check for whatever a text names, as the command line needs it."""

from __future__ import annotations

from typing import Any

from commonage import find, spec
from commonage.errors import SpecError
from commonage.game import Game
from commonage.mechanism import Mechanism
from commonage.policy import Policy
from commonage.testing.checks.agent import check_agent
from commonage.testing.checks.game import check_game
from commonage.testing.checks.mechanism import check_mechanism
from commonage.testing.checks.policy import check_policy

KINDS = ("games", "mechanisms", "policies", "agents", "teams")


def check(text: str, game: Any = None) -> str:
    """What was checked, as one line: `check("trust(rounds=3)")`, `check("mine.py:Mine")`. Raises as the checks do.

    `game`: the table for a mechanism, a policy or an agent; small ones of ours where none is given.
    """
    with find.blame():
        return _checked(text, game)


def _checked(text: str, game: Any) -> str:
    call = spec.call(text)
    kind = _kind(call.name)
    table = () if game is None else (game,)
    if kind == "games" and table:
        raise SpecError(f"{text} is a game, and its own table: leave --game and --with out")
    if kind in ("agents", "teams"):
        check_agent(text, *table)
    else:
        made = spec.make(kind, call)
        checks = {"games": check_game, "mechanisms": check_mechanism, "policies": check_policy}
        checks[kind](made if kind == "mechanisms" else made(), *table)
    return f"{text} keeps the contract of {kind}"


def _kind(name: str) -> str:
    """Which folder a name belongs to, or the class in a user's own file."""
    if ".py" in name and ":" not in name.partition(".py")[0]:
        return _kind_of(find.from_path(name), name)
    kind = find.kind_of(name.partition(":")[0], KINDS)
    if not kind:
        raise find.unknown("part", name, [entry for kind in KINDS for entry in find.parts(kind)])
    return kind


def _kind_of(part: Any, name: str) -> str:
    for base, kind in ((Mechanism, "mechanisms"), (Game, "games"), (Policy, "policies")):
        if isinstance(part, type) and issubclass(part, base):
            return kind
    raise SpecError(f"{name!r} holds no part that can be checked; subclass commonage.Game, Mechanism or Policy")
