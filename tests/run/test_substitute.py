"""A seat that will not answer: the policy that the study declares plays on, from what it saw; logged, replayed, resumed, told."""

import io
from pathlib import Path

import pytest
from table import DILEMMA, Calls, Played, play, sit

from commonage import event, spec
from commonage.agent import Answer
from commonage.errors import SpecError
from commonage.measure import names, report
from commonage.run import replay, transcript
from commonage.run.match import Outcome
from commonage.run.replay import fork
from commonage.run.result import Result
from commonage.run.study import Arm, Study
from commonage.store import read

LEFT = "the person left"
SIT = "human(substitute=tit_for_tat)"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch):
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def run(folder: Path, typed, lines: str, seats: str = f"{SIT},alternator", **more) -> Study:
    """A dilemma at the terminal; after these lines the person is gone."""
    typed(lines)
    study = Study(DILEMMA, seats, repeats=1, **more)
    study.run(folder)
    return study


def of_first(folder: Path) -> str:
    """C and D of the first seat."""
    rows = read.match(folder, 1)
    return "".join("CD"[what.move] for _, seat, _, what in rows if seat == 0 and isinstance(what, event.Moved))


def test_the_substitute_goes_on_from_what_it_saw(tmp_path, typed):
    """It saw the other's last move before it sat down: alternator C D C D, so tit for tat answers D, C, D ... one round later."""
    run(tmp_path, typed, "defect\ndefect\n")
    assert of_first(tmp_path) == "DDDC"
    (row,) = [row for row in read.match(tmp_path, 1) if isinstance(row[3], event.Replaced)]
    assert row == (2, 0, 0, event.Replaced("person", LEFT, "tit_for_tat", 0))


def test_without_one_it_is_a_failure(tmp_path, typed):
    run(tmp_path, typed, "defect\n", "human,alternator")
    assert read.read(tmp_path).matches.select("status", "where").row(0) == ("failed", "person")


def test_the_tables_say_so_and_count_no_deeds_of_it(tmp_path, typed):
    run(tmp_path, typed, "defect\n")
    tables = read.read(tmp_path)
    cause = f'at "choose": replaced by tit_for_tat: {LEFT}'
    assert tables.matches.select("status", "where", "cause", "replaced").row(0) == ("finished", "person", cause, 1)
    deeds = tables.moves.filter(seat=0).sort("step")["deed"].to_list()
    assert deeds == [0, None, None, None]
    assert tables.moves.filter(seat=1)["deed"].null_count() == 0
    assert tables.moves.filter(seat=0)["reward"].null_count() == 0
    assert read.events(tmp_path).filter(kind="replaced").select("where", "what", "by", "question").row(0) == (
        "person", LEFT, "tit_for_tat", "choose",
    )  # fmt: skip


def test_the_report_tells_it_apart_from_a_seat_that_retired(tmp_path, typed):
    run(tmp_path, typed, "defect\n")
    summary = Result(tmp_path).summary()
    assert (summary["arms"][0]["replaced"], summary["arms"][0]["retired"], summary["arms"][0]["failed"]) == (1, 0, 0)
    notes = "\n".join(report.notes(summary))
    assert "in 1 match a seat was replaced and the match went on (person: " in notes
    assert names.retired(summary["arms"][0]) == "a seat was replaced in 1 of 1"


def test_it_replays_with_the_substitute_computed_anew(tmp_path, typed):
    run(tmp_path, typed, "defect\ndefect\n")
    found = replay.replay(tmp_path, 1)
    assert (found.differing, found.steps) == ([], 4)
    assert [what.by for *_, what in found.events if isinstance(what, event.Replaced)] == ["tit_for_tat"]


def test_the_transcript_tells_it(tmp_path, typed):
    run(tmp_path, typed, "defect\n")
    assert f'REPLACED by tit_for_tat (person) at "choose": {LEFT}' in transcript.transcript(tmp_path, 1)
    assert "REPLACED by tit_for_tat" in transcript.page(tmp_path, 1)


def test_a_match_that_was_cut_off_goes_on_with_the_substitute():
    """Of every beginning of its log the rest comes out the same, and nobody is asked again."""
    whole = play(DILEMMA, leaver(1), "alternator", order=(0, 1))
    assert [row[3].move for row in whole.of(event.Moved) if row[1] == 0] == [1, 0, 1, 0]
    for cut in range(len(whole.rows)):
        before = Played(whole.rows[:cut], Outcome("open"))
        after = play(DILEMMA, leaver(1 - ((0, 0) in before.moves)), "alternator", past=before, order=(0, 1))
        assert after.said() == whole.said()


def leaver(moves: int) -> Calls:
    """Defects so often, then leaves."""
    left = iter([Answer(1)] * moves)
    caller = Calls(lambda _: next(left, Answer(refused=LEFT)), "person")
    caller.substitute = sit(spec.game(DILEMMA), "tit_for_tat")[0]
    return caller


def test_a_fork_keeps_the_substitute_and_another_in_its_seat_is_not_replaced(tmp_path, typed):
    run(tmp_path / "run", typed, "defect\n")
    same = fork(tmp_path / "run", 1, 3, out=tmp_path / "same")
    assert same.status == {"finished": 1}
    assert of_first(tmp_path / "same") == of_first(tmp_path / "run")
    other = fork(tmp_path / "run", 1, 3, seat={1: "defector"}, out=tmp_path / "other")
    assert other.status == {"finished": 1}
    assert of_first(tmp_path / "other")[2:] == "DD"
    assert replay.replay(tmp_path / "other", 1).differing == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("human(substitute=nobody)", "no agent 'nobody'"),
        ("human(substitute=[grim,grim])", "a substitute is one policy"),
        ("human(substitute=human)", "a substitute is one policy"),
        ("human(substitute=sustainer)", "plays commons, not dilemma"),
        ("human(tick=0.25)", "nobody can just stay"),
    ],
)
def test_what_a_seat_for_a_person_cannot_have(text, says):
    with pytest.raises(SpecError, match=says):
        Study(arms=[Arm(DILEMMA, f"{text},grim")]).built  # noqa: B018


def test_a_substitute_may_have_parts(tmp_path, typed):
    typed("")
    study = Study("commons(seats=2,rounds=2,capacity=10)", "human(substitute=sustainer+fine_overusers),greedy", ["punish"], repeats=1)
    result = study.run(tmp_path)
    assert result.status == {"finished": 1}
    assert replay.replay(tmp_path, 1).differing == []


def test_a_tick_is_a_time():
    with pytest.raises(SpecError, match=r"human\(tick=0.01\): seconds a step takes, 0.05 to 60"):
        Study(arms=[Arm("coin_game", "human(tick=0.01),random")]).built  # noqa: B018


def test_real_time_needs_a_page(tmp_path):
    result = Study("coin_game", "human(tick=0.25),random", repeats=1).run(tmp_path)
    assert result.status == {"paused": 1}
    assert "add --web" in result.tables.matches["cause"][0]
