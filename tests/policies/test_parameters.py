"""A policy refuses parameters that make no sense: as text or in Python, before a match begins."""

from __future__ import annotations

import dataclasses
import re

import pytest

from commonage import find, spec
from commonage.errors import SpecError

NUMBERS = [
    (name, field.name)
    for name in sorted(find.parts("policies"))
    for field in dataclasses.fields(find.find("policies", name))
    if field.type in ("int", "float") and find.find("policies", name).evolves.get(field.name, (0, 0))[0] >= 0
]


@pytest.mark.parametrize(("name", "field"), NUMBERS, ids=lambda value: value)
def test_none_takes_a_number_below_zero(name: str, field: str) -> None:
    """-1 stands for "as the game has it" where a policy says so."""
    with pytest.raises(SpecError, match=rf"{name}\({field}=-2(\.0)?\): {field} must be "):
        find.find("policies", name)(**{field: -2})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cheat(wary=-5)", "wary must be 0 or more months"),
        ("cheat(low=30,high=5)", "cheat(high=5): high must be at least low, which is 30"),
        ("conditional_cooperator(first=101)", "first must be per cent, 0..100"),
        ("conditional_cooperator(slope=2000)", "slope must be per cent, 0..1000"),
        ("fine_overusers(notice=1.5)", "notice must be a probability, 0..1"),
        ("fine_overusers(below=2)", "below must be a deed, 0..1"),
        ("generous_donor(101)", "share must be per cent, 0..100"),
        ("image_donor(slope=-101)", "slope must be per cent, -100..100"),
        ("pay_it_forward(101)", "first must be per cent, 0..100"),
        ("reciprocal_donor(101)", "first must be per cent, 0..100"),
        ("truster(give_back=200)", "give_back must be per cent, 0..100"),
        ("memory_one(p=[1,2,0,0,1])", "p must be five probabilities"),
    ],
)
def test_each_says_its_rule(text: str, says: str) -> None:
    with pytest.raises(SpecError, match=re.escape(says)):
        spec.make("policies", spec.call(text))()


def test_the_bounds_themselves_are_fine() -> None:
    for text in (
        "cheat(low=5,high=5)",
        "truster(give_back=100)",
        "fine_overusers(0,1)",
        "conditional_cooperator(0,1000)",
        "sustainer(last=0)",
    ):
        spec.make("policies", spec.call(text))()
