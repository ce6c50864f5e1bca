# pyright: strict
"""What can go wrong, as one small tree. Every message repeats your value, states the rule, shows the way out.

    CommonageError
    ├── SpecError       text that does not parse, unknown names, wrong parameters      exit 2
    │   └── Unfit       a mechanism around a game that has not what it acts on
    ├── ContractError   a game, mechanism, policy or agent that breaks its contract    exit 1
    ├── LogError        a folder that cannot be written, a log that cannot be read     exit 2
    ├── Unreadable      an answer that is not exactly one legal move; asked again, then a failure
    └── Pause           transport or budget trouble; what waits for it resumes later, nobody is blamed    exit 3

A match that fails is data (`event.Failed`), never an exception that stops the others.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CommonageError(Exception):
    """Any error that commonage raises on purpose."""


class SpecError(CommonageError):
    """A text or a parameter that names nothing, or breaks a rule."""


class Unfit(SpecError):
    """A mechanism that makes no sense around this game: its `check` says what the game lacks."""


class ContractError(CommonageError):
    """A part that breaks its contract; the message names the clause."""


class LogError(CommonageError):
    """A log that cannot be written or read; the message names the place."""


class Unreadable(CommonageError):
    """An answer that is not exactly one legal move. The message is the reason told to the seat."""


class Pause(CommonageError):
    """Transport or budget trouble: the match, or the command, waits to be done again."""


def unknown(kind: str, name: str, known: Iterable[str], instead: str = "") -> SpecError:
    """The error for a name that is not there, with what it is `instead`, or with the nearest one that is."""
    if instead:
        return SpecError(f"no {kind} {name!r}: {instead}")
    near = difflib.get_close_matches(name, sorted(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    listing = {"policy": "agents", "team": "agents", "seat": "agents", "part": "games, mechanisms, agents"}.get(kind, f"{kind}s")
    return SpecError(f"no {kind} {name!r}{hint} All: commonage {listing}")
