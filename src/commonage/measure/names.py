"""What arms are called: in full, and by what tells them apart."""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Sequence
from typing import Any

from commonage import spec as grammar
from commonage.errors import SpecError

Arm = dict[str, Any]  # as in a summary


def called(arm: Arm) -> str:
    """An arm's name, or else its seats and mechanisms; stamped where a test model sits there."""
    return _named(arm) + _stamp(arm)


def labels(arms: Sequence[Arm]) -> list[str]:
    """What tells the arms apart: given names, or else the seats and mechanisms that not all of them have.

    `cheat, no mechanism` and `cheat, punish` out of `sustainer*4,cheat` and `sustainer*4,cheat with punish`, where
    other arms have other seats.
    """
    whole = [called(arm) for arm in arms]
    if any(map(given, arms)):
        return whole
    seats, layers = _apart([_seats(arm) for arm in arms], ","), _apart([arm["spec"].get("with", ()) for arm in arms], ", ")
    around = [own or "no mechanism" for own in layers] if any(layers) else layers
    short = [", ".join(filter(None, pair)) + _stamp(arm) for *pair, arm in zip(seats, around, arms, strict=True)]
    return short if all(short) and len(set(short)) == len(short) else whole


def given(arm: Arm) -> bool:
    """Whether a person named this arm."""
    return arm.get("name", "") not in ("", _named({**arm, "name": ""}))


def retired(arm: Arm) -> str:
    """`a seat retired in 2 of 20; a seat was replaced in 1 of 20`; nothing where none did and none was."""
    kinds = (("retired", "retired"), ("replaced", "was replaced"))
    return "; ".join(f"a seat {did} in {arm[kind]:,} of {arm['matches']:,}" for kind, did in kinds if arm.get(kind))


def game_of(spec: dict[str, Any]) -> str:
    """The base game's name, without its parameters."""
    return spec.get("game", "").partition("(")[0]


def _named(arm: Arm) -> str:
    return arm.get("name") or plain({"seats": f"arm {arm['arm'] + 1}", **arm["spec"]})


def plain(spec: dict[str, Any]) -> str:
    """`sustainer*4,cheat with punish`: what an arm is called that nobody named."""
    chain = [f"over {spec['generations']}"] if "generations" in spec else []
    return " ".join([spec["seats"], *(f"with {layer}" for layer in spec.get("with", ())), *chain])


def _stamp(arm: Arm) -> str:
    return " (TEST MODEL)" if arm.get("test_models") else ""


def _seats(arm: Arm) -> list[str]:
    text = arm["spec"].get("seats", "")
    try:
        return list(map(str, grammar.seats(text)))
    except SpecError:  # objects of the program that ran the study
        return [text]


def _apart(lists: Sequence[Sequence[str]], comma: str) -> list[str]:
    """Each list as text, without what all of them have, as often as all have it."""
    counts = [Counter(each) for each in lists]
    shared = functools.reduce(operator.and_, counts) if counts else Counter()
    return [comma.join(f"{item}*{n}" if n > 1 else item for item, n in (count - shared).items()) for count in counts]
