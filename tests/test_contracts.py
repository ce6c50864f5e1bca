"""Every part that a listing shows keeps its contract. A new file is found by itself."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import numpy as np
import pytest

from commonage import find, testing
from commonage.errors import ContractError
from commonage.games.dilemma import Dilemma
from commonage.grid.game import Grid
from commonage.learn import rollout
from commonage.part import Part, snake
from small import WHOLE, compiled, small

GAMES, MECHANISMS, POLICIES = compiled(), *(sorted(find.parts(kind)) for kind in ("mechanisms", "policies"))
FILES = [path for kind in ("games", "mechanisms", "policies") for path in sorted((find.HERE / kind).glob("[a-z]*.py"))]


def is_grid(name: str) -> bool:
    """Whether a game is too long to be checked in its own size."""
    return name in GAMES and issubclass(find.find("games", name), Grid)


@pytest.mark.parametrize("name", GAMES)
def test_game(name: str) -> None:
    testing.check_game(small(name) if is_grid(name) else name)


@pytest.mark.parametrize("name", MECHANISMS)
def test_mechanism(name: str) -> None:
    testing.check_mechanism(name)


@pytest.mark.parametrize("name", [name for name in POLICIES if name != "imitator"])  # which needs a file: tests/run/test_proxy.py
def test_policy(name: str) -> None:
    game = find.find("policies", name).game
    testing.check_policy(name, small(game).replace("(", WHOLE.get(name, "(")) if is_grid(game) else None)


@pytest.mark.parametrize("text", ["tit_for_tat", "scripted([cooperate,defect])", "vote(tit_for_tat,grim,random)"])
def test_agent(text: str) -> None:
    testing.check_agent(text)


@pytest.mark.parametrize("text", ["commons(seats=3,rounds=2,sharing=proportional,report=false)", "dilemma(kind=stag_hunt)"])
def test_a_game_with_other_parameters(text: str) -> None:
    testing.check_game(text)


@pytest.mark.parametrize("text", ["talk(when=after)", "punish(most=2)"])
def test_a_mechanism_with_other_parameters(text: str) -> None:
    testing.check_mechanism(text, "commons(seats=3,rounds=3,capacity=12,report=false)")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_file_holds_the_part_that_it_is_named_after(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{path.name} has no docstring: its first line is what a listing shows"
    assert path.stem in find.parts(path.parent.name)
    part = getattr(importlib.import_module(f"commonage.{path.parent.name}.{path.stem}"), find.camel(path.stem))
    assert issubclass(part, Part)
    assert snake(part.__name__) == path.stem
    assert find.find(path.parent.name, path.stem) is part


@pytest.mark.parametrize(
    ("act", "says"),
    [
        ("return legal.nearst(0), memory", r"act raised AttributeError: 'Legal' object has no attribute 'nearst'.*\(.*odd\.py:6\)"),
        ('return "10", memory', r"odd\.py: its move is '10'"),
        ("return legal.high", r"odd\.py: act gave int32\[\]"),
        ("return legal.high * 0.0 / 0, memory", r"odd\.py: its move is float32\[\]"),
    ],
)
def test_a_slip_in_a_file_of_ones_own_is_one_error(act: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_text(
        f"from commonage.policy import Policy\n\n\nclass Odd(Policy):\n    def act(self, key, memory, sight, legal):\n        {act}\n"
    )
    with pytest.raises(ContractError, match=says):
        testing.check(f'"{path}"')
    groups = rollout.seat([(find.find("policies", str(path))(),)], np.zeros((1, 2), int))
    with pytest.raises(ContractError, match=r"odd\.py"), find.blame():  # as in a study
        rollout.play(Dilemma(rounds=2), groups, np.zeros((1, 2), np.uint32))


def test_check_says_what_it_checked() -> None:
    assert testing.check("dilemma(rounds=2)") == "dilemma(rounds=2) keeps the contract of games"
    assert testing.check("tit_for_tat") == "tit_for_tat keeps the contract of policies"
