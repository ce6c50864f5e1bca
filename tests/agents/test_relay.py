"""A seat that is handed over: who answers when, what each remembers, and what it brings."""

import math

import pytest

from commonage import Study, testing
from commonage.errors import SpecError


def rate(path, seats, repeats=300):
    """The share of arrivals, paths of 8 in 12 rounds."""
    study = Study("maze(rounds=12,least=8,most=8,views=whole)", seats=seats, repeats=repeats)
    (arm,) = study.run(path).summary()["arms"]
    assert arm["failed"] == 0
    return arm["measures"]["success"]["mean"]


def test_contract():
    testing.check_agent("relay(tit_for_tat,grim,after=2)")


def test_the_first_answers_in_the_first_rounds(tmp_path):
    result = Study("dilemma(rounds=5)", seats="relay(cooperator,defector,after=2),cooperator", repeats=1).run(tmp_path / "run")
    moves = result.tables.moves.filter(result.tables.moves["seat"] == 0).sort("step")
    assert moves["move"].to_list() == [0, 0, 1, 1, 1]


@pytest.mark.slow
@pytest.mark.parametrize(("after", "arrives"), [(0, 794 / 4096), (4, 163 / 256), (8, 1.0)])
def test_the_longer_the_exact_one_leads_the_more_arrive(after, arrives, tmp_path):
    """After k rounds of an exact one 8 - k steps are left, and 12 - k rounds in which the other is right with 1/2:
    P(Bin(8, 1/2) >= 4) = 163 / 256."""
    found = rate(tmp_path / "run", f"relay(navigator,navigator(skill=0.5),after={after}),navigator")
    assert abs(found - arrives) <= 4 * math.sqrt(arrives * (1 - arrives) / 300)


@pytest.mark.parametrize("after", ["-1", "1.5", "true"])
def test_bad_input(after):
    with pytest.raises(SpecError, match="after"):
        Study("dilemma", seats=f"relay(grim,grim,after={after}),grim").built  # noqa: B018
