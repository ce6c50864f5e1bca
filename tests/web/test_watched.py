"""What is watched, as plain data, of small real logs: it is what the log and a replay say, and no private view before its time."""

import io
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "run"))

from table import Calls

from commonage import Arm, Study
from commonage.agent import Answer
from commonage.agents.llm import Llm
from commonage.errors import Pause
from commonage.model import Model, Reply
from commonage.run import replay
from commonage.run.transcript import transcript
from commonage.store import read
from commonage.web.picture import picture
from commonage.web.watch import reel
from commonage.web.watch.lanes import Hands
from commonage.web.watch.watched import Hidden, Watched

LAKE = "commons(seats=3,rounds=4,capacity=20)"
FINES = "sustainer+fine_overusers,sustainer+fine_overusers,cheat(low=1,high=4)"


def watched(folder, hands=False):
    study = Watched("here", folder, Hands(hands))
    study.census.update()
    return study


def acts(column, kind):
    return [(place, act) for place, cell in enumerate(column["seats"]) for act in cell["acts"] if act["kind"] == kind]


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """Talk and fines, with the seeded fake of a model: matches 1-2 one by one; 3-4 policies, compiled; 5-6 the same, one by one."""
    folder = tmp_path_factory.mktemp("lake")
    arms = [
        Arm(LAKE, "sustainer+fine_overusers,cheat(low=1,high=4),llm:fake", ["talk", "punish(fine=3)"]),
        Arm(LAKE, FINES, ["punish(fine=3)"]),
    ]
    Study(arms=arms, repeats=2, seed=5).run(folder)
    Study(arms=arms[1:], repeats=2, seed=5, runner="mixed").run(folder / "again")
    return folder


def test_the_list_says_how_matches_stand_and_what_they_cost(lake):
    study = watched(lake)
    assert study.brief()["counts"] == {"finished": 4}
    rows = study.matches(1, 50)
    assert [(row["match"], row["arm"], row["status"]) for row in rows] == [
        (1, 0, "finished"),
        (2, 0, "finished"),
        (3, 1, "finished"),
        (4, 1, "finished"),
    ]
    assert rows[0]["paid"]["calls"] == len(read.sent(lake, 1))
    assert "paid" not in rows[2]
    assert study.matches(4, 1)[0]["match"] == 4
    assert study.matches(5, 10) == []
    with pytest.raises(LookupError, match="it has 4"):
        study.match(5)


def test_beside_a_match_stands_the_same_repeat_of_another_arm(lake):
    assert [one["match"] for one in watched(lake).match(2)["beside"]] == [4]


def test_lanes_have_every_move_every_sentence_and_every_layer_of_payoffs(lake):
    study, tables = watched(lake), read.read(lake, matches=[1])
    about, columns = study.match(1), study.columns(1, 1, 99)
    assert [column["round"] for column in columns] == list(range(1, about["columns"] + 1))
    told = transcript(lake, 1)
    for column in columns:
        for place, act in acts(column, "move"):
            assert f"seat {place + 1} {act['ask']}: {act['move']}" in told
    total = lambda name: sum(cell["pay"][name] for column in columns for cell in column["seats"] if cell["pay"])
    assert total("reward") == pytest.approx(tables.moves["reward"].sum(), abs=1e-4)
    assert total("fined") == pytest.approx(tables.moves["punish.fined"].sum(), abs=1e-4)
    assert total("spent") == pytest.approx(tables.moves["punish.spent"].sum(), abs=1e-4)
    assert total("game") == pytest.approx(total("reward") + total("fined") + total("spent"), abs=1e-4)
    assert any(acts(column, "says") for column in columns)
    assert columns[0]["seats"][about["seats"].index("llm:fake")]["acts"][0]["ask"] == "say"


def test_compiled_and_mixed_matches_look_the_same(lake):
    compiled, mixed = watched(lake), watched(lake / "again")
    assert compiled.study()["arms"][1]["runner"] == "compiled"
    for number in (1, 2):
        assert compiled.columns(number + 2, 1, 99) == [{**column, "table": []} for column in mixed.columns(number, 1, 99)]
        one, other = compiled.course(number + 2).read(), mixed.course(number).read()
        assert one["lines"] == other["lines"]
        assert compiled.picture(number + 2, 5) == mixed.picture(number, 5)


def test_any_range_of_columns_is_a_part_of_the_whole(lake):
    for number in (1, 3):
        whole = watched(lake).columns(number, 1, 99)
        for first in range(1, len(whole) + 1):
            for last in range(first, len(whole) + 1):
                assert watched(lake).columns(number, first, last) == whole[first - 1 : last]


def test_the_scene_at_any_step_is_that_of_a_replay(lake, monkeypatch):
    monkeypatch.setattr(reel, "EVERY", 2)
    scenes = [picture(reel.scene(moment)) for moment in replay.moments(replay.recorded(lake, 1))]
    study = watched(lake)
    for step in (3, 0, len(scenes) - 1, 4, 5, 1):
        assert study.picture(1, step)["picture"] == scenes[step]
    assert max(study.reel(1).kept) == len(scenes) - 1 - (len(scenes) - 1) % 2 or len(scenes) - 1 in study.reel(1).kept


def test_a_round_ends_with_its_last_step(lake):
    study = watched(lake)
    for number in (1, 3):
        for column in study.columns(number, 1, 99):
            found = study.picture(number, 0, column["round"])
            assert (found["step"], found["round"]) == (column["steps"][1] + 1, column["round"])


def test_behind_a_move_stands_what_was_sent_exactly(lake):
    study = watched(lake)
    place = study.match(1)["seats"].index("llm:fake")
    for step, seat, _, _, call in read.sent(lake, 1):
        found = study.seen(1, step, place)
        assert seat == 2
        assert [(one["role"], one["text"]) for one in found["calls"][0]["messages"]] == [(one.role, one.text) for one in call.messages]
        assert found["calls"][0]["reply"] == call.reply.text
        assert found["facts"] in call.messages[-1].text
        assert found["rules"] in call.messages[0].text


def test_a_course_has_lines_ends_and_where_to_jump(lake):
    found = watched(lake).course(1).read()
    tables = read.read(lake, matches=[1])
    line = {line["name"]: line for line in found["lines"]}
    gain = tables.moves["reward"].sum() + tables.moves["punish.fined"].sum() + tables.moves["punish.spent"].sum()
    assert line["gain of a seat so far"]["y"][-1] == pytest.approx(gain / 3, abs=1e-3)
    assert {end["side"] for end in line["gain of a seat so far"]["ends"]} == {"floor", "ceiling", "reference"}
    first = tables.moves.filter(deed=0).sort("step")["step"][0]
    assert found["marks"]["defection"]["step"] == first


def test_a_fork_is_played_on_from_its_past(lake, tmp_path):
    replay.fork(lake, 3, 2, out=tmp_path, without=["punish"])
    study, moments = watched(tmp_path), list(replay.moments(replay.recorded(tmp_path, 1)))
    assert "match 3" in study.match(1)["forked"]
    assert [study.picture(1, moment.step)["picture"] for moment in moments] == [picture(reel.scene(moment)) for moment in moments]
    asked = [{act["ask"] for _, act in acts(column, "move")} for column in study.columns(1, 1, 99)]
    assert "fine whom" in asked[0]
    assert all("fine whom" not in round_ for round_ in asked[1:])


class Decides(Model):
    """Decides with these shares."""

    name, verbs = "shares", ("chat", "decide")

    async def decide(self, messages, options, **settings):
        return Reply("", p=(0.25, 0.75), mass=1.0)


def test_a_models_probabilities_stand_beside_its_move(tmp_path):
    Study("dilemma(rounds=2)", [Llm(Decides(), verb="decide"), "tit_for_tat"], repeats=1).run(tmp_path)
    study = watched(tmp_path)
    place = study.match(1)["seats"].index(next(name for name in study.match(1)["seats"] if name != "tit_for_tat"))
    assert study.columns(1, 1, 1)[0]["seats"][place]["acts"][0]["p"] == {"cooperate": 0.25, "defect": 0.75}


def failing(tmp_path, on_failure):
    lost = Calls(lambda view: "hm" if view.round == 2 else Answer(text="0"), boundary="model")
    Study(LAKE, [lost, "sustainer*2"], repeats=1, on_failure=on_failure, runner="mixed").run(tmp_path)
    return watched(tmp_path)


def test_a_failure_has_its_cause_and_boundary(tmp_path):
    study = failing(tmp_path, "end")
    row = study.matches(1, 1)[0]
    assert (row["status"], row["where"], row["asked"], row["failed"]) == ("failed", "model", 3, 1)
    assert "must be exactly" in row["cause"]
    last = study.columns(1, 1, 99)[-1]
    assert [act["where"] for _, act in acts(last, "failed")] == ["model"]
    assert len(acts(last, "unread")) == 3
    assert study.course(1).read()["marks"]["failure"]["step"] == 1
    assert [row["match"] for row in study.such("failed", 0, 10)["rows"]] == [1]


def test_a_seat_that_retired_is_shown_and_the_others_go_on(tmp_path):
    study = failing(tmp_path, "retire")
    columns = study.columns(1, 1, 99)
    assert [act["where"] for _, act in acts(columns[1], "retired")] == ["model"]
    assert len(columns) == 4
    assert study.picture(1, 4)["picture"]
    assert study.such("trouble", 0, 10)["total"] == 1


def test_a_seat_that_was_replaced_says_by_whom(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("defect\n"))  # then the person is gone
    Study("dilemma(rounds=3)", "human(substitute=tit_for_tat),alternator", repeats=1).run(tmp_path)
    study = watched(tmp_path)
    assert [act["why"] for _, act in acts(study.columns(1, 1, 99)[1], "replaced")] == ["by tit_for_tat: the person left"]
    assert study.course(1).read()["marks"]["failure"]["step"] == 1
    assert study.matches(1, 1)[0]["replaced"] == 1


def halted(tmp_path, hands):
    """A match that is paused in its second round, when one seat has answered and the other could not."""

    def wary(view):
        if view.round == 2:
            raise Pause("no connection")
        return Answer(text="I think of my secret\ncooperate")

    answers = Calls(lambda view: "my secret\ndefect")
    Study("dilemma(rounds=3)", [answers, Calls(wary)], repeats=1).run(tmp_path)
    return watched(tmp_path, hands)


def test_hands_are_closed_before_the_end(tmp_path):
    study = halted(tmp_path, False)
    assert study.match(1)["private"] is False
    with pytest.raises(Hidden, match="--open-hands"):
        study.seen(1, 0, 0)
    columns = study.columns(1, 1, 99)
    assert [len(acts(column, "move")) for column in columns] == [2, 0]  # the move that the other's is still waited for
    assert "secret" not in str((columns, study.matches(1, 1), study.picture(1, 1), study.course(1).read(), study.appended(0, 1)))


def test_hands_are_open_where_the_server_was_started_so(tmp_path):
    study = halted(tmp_path, True)
    assert [len(acts(column, "move")) for column in study.columns(1, 1, 99)] == [2, 1]
    assert "my secret" in str(study.seen(1, 0, 0)["answers"])


def test_a_picture_of_what_one_seat_alone_sees_waits_for_the_end(tmp_path):
    def lost(view):
        raise Pause("no connection")

    Study("maze(rounds=4)", [Calls(lost), "navigator"], repeats=1).run(tmp_path)
    assert watched(tmp_path).picture(1, 0)["picture"] is None
    assert watched(tmp_path, hands=True).picture(1, 0)["picture"]


def test_many_steps_of_a_round_are_a_column_each(tmp_path):
    Study("kitchen(rounds=2,round_steps=8,time=3)", "chef*2", repeats=1).run(tmp_path)
    about = watched(tmp_path).match(1)
    assert (about["unit"], about["columns"], about["rounds"]) == ("step", 16, 2)
    assert [column["steps"] for column in watched(tmp_path).columns(1, 5, 6)] == [[4, 4], [5, 5]]


def test_the_census_is_kept_up_and_reads_only_what_is_new(tmp_path):
    study = failing(tmp_path, "end")
    assert not study.census.update()
    assert study.census.counts() == {0: {"failed": 1}}
    assert study.appended(study.match(1)["n"], 1) is None
