"""A proxy for people: what it learns from matches that are known, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from commonage import Study, testing
from commonage.errors import LogError, SpecError
from commonage.policies.imitator import Imitator
from commonage.policies.imitator.network import read, write
from commonage.run.imitation import Imitation, imitate, summary, text

SHORT = "kitchen(rounds=2,round_steps=30)"
TRACE = next((Path(__file__).parents[1] / "games" / "data").glob("*.jsonl.gz"))


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Imitation]:
    """From two matches of somebody who walks north and of one who walks south."""
    folder = tmp_path_factory.mktemp("people")
    Study(SHORT, "scripted(north),scripted(south)", repeats=2).run(folder / "run")
    return folder, imitate(folder / "run", folder / "people.npz")


def moves(folder: Path, seats: str) -> list[list[int]]:
    """By seat: all moves of one match."""
    table = Study(SHORT, seats, repeats=1).run(folder).tables.moves.sort("step", "seat")
    return [table.filter(table["seat"] == seat)["move"].to_list() for seat in range(2)]


def test_it_learns_what_each_seat_did(learned: tuple[Path, Imitation]) -> None:
    _, found = learned
    assert (found.episodes, found.decisions, found.kept) == (2, 2 * 2 * 60, 1)
    assert found.agreement.mean == pytest.approx(1, abs=0.02)
    assert found.floor.mean == pytest.approx(0.5), "half of all moves were north, half south"
    assert "100.0 per cent" in text(found)
    assert summary(found)["layout"] == "cramped_room"


def test_it_plays_so(learned: tuple[Path, Imitation], tmp_path: Path) -> None:
    file = learned[0] / "people.npz"
    played = moves(tmp_path / "run", f"imitator(file={file},stuck=0)*2")
    assert [np.bincount(seat, minlength=6).argmax() for seat in played] == [0, 1]
    assert sum(move == 0 for move in played[0]) >= 57


def test_who_is_stuck_makes_any_move(learned: tuple[Path, Imitation], tmp_path: Path) -> None:
    """The one before the counter in the north could go on to walk north for ever."""
    file = learned[0] / "people.npz"
    played = moves(tmp_path / "run", f"imitator(file={file})*2")
    assert len(set(played[0])) > 3


def test_one_seat_can_be_learned_alone(learned: tuple[Path, Imitation]) -> None:
    folder, _ = learned
    found = imitate(folder / "run", folder / "south.npz", seat=2)
    assert found.decisions == 2 * 60
    assert found.floor.mean == pytest.approx(1)


def test_a_trace_is_learned_from(tmp_path: Path) -> None:
    found = imitate(TRACE, tmp_path / "trace.npz")
    assert found.episodes >= 2
    assert 0 < found.agreement.mean < 1
    assert read(str(tmp_path / "trace.npz")).layout == found.imitated.layout


def test_a_study_is_not_gone_on_with_when_its_file_is_another(learned: tuple[Path, Imitation], tmp_path: Path) -> None:
    file = tmp_path / "mine.npz"
    file.write_bytes((learned[0] / "people.npz").read_bytes())
    seats = f"imitator(file={file})*2"
    Study(SHORT, seats, repeats=1).run(tmp_path / "run")
    imitated = read(str(file))
    write(file, imitated._replace(network=imitated.network._replace(b2=imitated.network.b2 + 1)))
    with pytest.raises((SpecError, LogError), match="mine"):
        Study(SHORT, seats, repeats=1).run(tmp_path / "run")


@pytest.mark.parametrize(
    ("game", "repeats", "says"),
    [(SHORT, 1, "at least two"), ("dilemma(rounds=2)", 2, "is no kitchen")],
)
def test_what_cannot_be_learned(game: str, repeats: int, says: str, tmp_path: Path) -> None:
    seats = "scripted(north)*2" if "kitchen" in game else "cooperator*2"
    Study(game, seats, repeats=repeats).run(tmp_path / "run")
    with pytest.raises(SpecError, match=says):
        imitate(tmp_path / "run", tmp_path / "out.npz")


def test_a_seat_that_there_is_not(learned: tuple[Path, Imitation]) -> None:
    with pytest.raises(SpecError, match="2 seats, counted from 1"):
        imitate(learned[0] / "run", learned[0] / "x.npz", seat=3)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_text("no weights")
    for file in ("nowhere.npz", "x.npz"):
        with pytest.raises(SpecError, match="no file of `commonage imitate`"):
            Imitator(file=str(tmp_path / file))


def test_another_kitchen_is_refused(learned: tuple[Path, Imitation], tmp_path: Path) -> None:
    result = Study("kitchen(layout=coordination_ring)", f"imitator(file={learned[0] / 'people.npz'})*2", repeats=1)
    with pytest.raises(SpecError, match="this is another"):
        result.run(tmp_path / "run")


@pytest.mark.slow
def test_a_proxy_of_good_cooks_cooks(tmp_path: Path) -> None:
    """Ten matches of chefs who slip once in ten steps: their proxy serves more than half of what they do."""
    chefs = Study("kitchen", "chef(skill=0.9)*2", repeats=10, seed=5).run(tmp_path / "chefs")
    found = imitate(tmp_path / "chefs", tmp_path / "chefs.npz")
    proxy = Study("kitchen", f"imitator(file={tmp_path / 'chefs.npz'})*2", repeats=10).run(tmp_path / "proxy")
    gain = lambda result: result.summary()["arms"][0]["measures"]["gain"]
    assert found.agreement.low > 0.7, "who knew the chefs' plan would give them 0.84"
    assert gain(proxy)["low"] > gain(chefs)["mean"] / 2


def test_it_keeps_the_contract(learned: tuple[Path, Imitation]) -> None:
    testing.check_policy(f"imitator(file={learned[0] / 'people.npz'})", SHORT)


def test_without_a_file_it_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="what `commonage imitate` wrote"):
        Study(SHORT, "imitator*2", repeats=1).run(tmp_path / "run")
