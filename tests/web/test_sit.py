"""People by websocket clients against the real server: what they are shown, how they play, wait, leave and come back."""

import asyncio
import contextlib
import json
import os
import stat
import subprocess
import sys

import pytest
from visit import PATIENT, SECONDS, line, of, play, sitting, together
from websockets.exceptions import ConnectionClosed

from commonage import event, seeds, spec
from commonage.agent import Agent, Answer
from commonage.errors import LogError, SpecError
from commonage.run import match
from commonage.run.replay import replay
from commonage.run.study import Study
from commonage.store import read
from commonage.web.sit import Room, people
from commonage.web.sit.person import Open, Person, clock

DILEMMA = "dilemma(rounds=2)"
GONE = PATIENT._replace(grace=0.05)
LEFT = "human(substitute=tit_for_tat)"


def talks(ask):
    """Says hello where words are asked for, else defects."""
    return f"{ask['words']}: hello" if ask["words"] else "defect"


def events(folder, kind, number=1):
    return [row for row in read.match(folder, number) if isinstance(row[3], kind)]


def exact(folder, number=1):
    """Whether a match replays to the moves and rewards of its log."""
    return replay(folder, number).differing == []


class Listens(Agent):
    """Sits where the person sits, answers the same, and keeps what a model is told."""

    def __init__(self):
        self.views = []

    async def __call__(self, view):
        self.views.append(view.json())
        return Answer(text="in words: hello" if view.question.speech else "defect", memory="met")


def test_a_person_and_an_agent_at_the_same_seat_get_the_same(tmp_path):
    """Question, facts, rules, options, what was heard: the View as JSON, in each of all questions."""
    other = "scripted([nothing,cooperate,nothing,cooperate])"
    with sitting(Study(DILEMMA, f"human,{other}", ["talk"], repeats=1), tmp_path / "page") as sat:
        (shown,) = together(play(sat.links[0], talks))
    agent = Listens()
    Study(DILEMMA, [agent, other], ["talk"], repeats=1).run(tmp_path / "agent")
    assert [ask["view"] for ask in of(shown, "ask")] == agent.views
    assert len(agent.views) == 4


def test_two_people_talk_play_two_matches_and_see_what_they_got(tmp_path):
    with sitting(Study(DILEMMA, "human*2", ["talk"], repeats=2), tmp_path) as sat:
        ann, bob = together(play(sat.links[0], talks), play(sat.links[1], lambda ask: "nothing" if ask["words"] else "cooperate", "Bob"))
    assert sat.over().status == {"finished": 2}
    assert exact(tmp_path, 1)
    assert exact(tmp_path, 2)
    for result in of(ann, "result"):
        assert result["payoffs"][result["you"] - 1] == 10
        assert sorted(result["payoffs"]) == [0, 10]
    heard = [ask["view"]["heard"] for ask in of(bob, "ask") if ask["id"].startswith("1.")]
    assert [len(one) for one in heard] == [0, 1, 1, 2]
    assert heard[-1][0]["text"] == "hello"
    own = [ask["said"] for ask in of(ann, "ask") if ask["id"].startswith("2.")]
    assert [len(one) for one in own] == [0, 1, 1, 2]
    (move,) = [what for step, seat, _, what in events(tmp_path, event.Moved) if (step, seat) == (0, 0)]
    assert (move.says, move.text, set(move.usage)) == ("hello", "in words: hello", {"seconds"})


def test_nobody_is_told_who_sits_where_unless_the_house_reveals_it(tmp_path):
    def shown(reveal):
        with sitting(Study(DILEMMA, "human,tit_for_tat", repeats=1), tmp_path / str(reveal), PATIENT._replace(reveal=reveal)) as sat:
            return together(play(sat.links[0], talks))[0]

    hidden, told = shown(False), shown(True)
    assert "tit_for_tat" not in json.dumps(hidden)
    assert sorted(of(told, "ask")[0]["who"]) == ["Ann", "tit_for_tat"]


def test_it_begins_when_all_have_sat_down(tmp_path):
    async def second(link):
        async with line(link, name=None) as bob:
            await bob.hear()
            waiting = sat.room.people[0].question, sat.room.people[1].question
            await bob.say(join="Bob")
            return waiting, await bob.play(talks)

    with sitting(Study(DILEMMA, "human*2", repeats=1), tmp_path) as sat:
        _, (waiting, _) = together(play(sat.links[0], talks), second(sat.links[1]))
    assert waiting == (None, None)


def test_a_page_that_comes_back_gets_the_same_question_and_goes_on(tmp_path):
    async def ann(link):
        async with line(link) as first:
            asked = await first.until("ask")
            await first.answer(asked, "cooperate")
            asked = await first.until("ask")
        async with line(link, after=asked["n"]) as second:  # it has all but what came since
            again = [await second.hear()]
        async with line(link) as third:  # a fresh page gets everything
            return asked, again, await third.play(talks)

    with sitting(Study(DILEMMA, "human,tit_for_tat", repeats=1), tmp_path) as sat:
        asked, again, shown = together(ann(sat.links[0]))[0]
    assert {message["kind"] for message in again} == {"room"}
    same = of(shown, "ask")[0]
    assert {**same, "left": 0} == {**asked, "left": 0}
    assert sat.over().status == {"finished": 1}
    assert len(events(tmp_path, event.Moved)) == 4


def test_a_link_opened_twice_goes_on_in_the_newer_window(tmp_path):
    async def ann(link):
        async with line(link) as first:
            await first.until("ask")
            async with line(link) as second:
                await first.socket.wait_closed()
                return first.socket.close_code, await second.play(talks)

    with sitting(Study(DILEMMA, "human,tit_for_tat", repeats=1), tmp_path) as sat:
        ((code, _),) = together(ann(sat.links[0]))
    assert code == 4001
    assert sat.over().status == {"finished": 1}


async def once_then(link, leave):
    """Answers once; then leaves, or stays and says nothing, to the end."""
    async with line(link) as ann:
        await ann.answer(await ann.until("ask"), "defect")
        await ann.until("ask")
        return [] if leave else (await ann.until("over")) and ann.messages


@pytest.mark.parametrize(("leave", "house"), [(True, GONE), (False, PATIENT._replace(clock=0.5))])
def test_the_substitute_plays_on_for_one_who_leaves_or_runs_out_of_time(tmp_path, leave, house):
    with sitting(Study(DILEMMA, f"{LEFT},grim", repeats=1), tmp_path, house) as sat:
        (shown,) = together(once_then(sat.links[0], leave))
    why = "the person was away for longer than 0.05 s" if leave else "no answer within 0.5 s"
    assert events(tmp_path, event.Replaced)[0] == (1, 0, 0, event.Replaced("person", why, "tit_for_tat", 0))
    assert sat.over().status == {"finished": 1}
    assert exact(tmp_path)
    assert leave or (of(shown, "replaced")[0]["why"] == why and len(of(shown, "result")) == 1)


def test_without_a_substitute_it_is_a_failure_of_the_person(tmp_path):
    with sitting(Study(DILEMMA, "human,grim", repeats=1), tmp_path, PATIENT._replace(clock=0.5)) as sat:
        together(once_then(sat.links[0], False))
    assert sat.over().tables.matches.select("status", "where", "cause").row(0) == (
        "failed", "person", 'at "choose": no answer within 0.5 s',
    )  # fmt: skip


def test_empty_seats_are_filled_after_the_wait(tmp_path):
    with sitting(Study(DILEMMA, f"{LEFT}*2", repeats=1), tmp_path, PATIENT._replace(wait=0.5)) as sat:
        together(play(sat.links[1], talks))
    assert [row[3].what for row in events(tmp_path, event.Replaced)] == ["nobody sat down within 0.5 s"]
    assert sat.over().status == {"finished": 1}
    assert exact(tmp_path)


def test_in_real_time_who_presses_nothing_stays_by_the_studys_own_rule(tmp_path):
    """However fast the page is: of each step the log has the key that was pressed in time, or `stay`, marked as silent."""
    with sitting(Study("coin_game(rounds=2)", "human(tick=0.1),random", repeats=1), tmp_path) as sat:
        (shown,) = together(play(sat.links[0], lambda ask: "up"))
    assert all(ask["real_time"] for ask in of(shown, "ask"))
    mine = [row[3] for row in events(tmp_path, event.Moved) if row[1] == 0]
    assert len(mine) == 10
    assert {(one.move, one.text, one.usage.get("silent", 0)) for one in mine} <= {(0, "up", 0), (4, "", 1)}
    assert sat.over().tables.arms[0]["spec"]["seats"] == "human(tick=0.1),random"
    assert exact(tmp_path)


def test_in_real_time_the_last_key_before_the_tick_counts():
    view = probed(spec.game("coin_game"))[0]

    async def press():
        person = Person(0, "x")
        person.connect(object())
        open_ = Open("1.0.0.0", view, clock() + 0.05, real_time=True)
        waits = asyncio.ensure_future(person.answers(open_, 60))
        await asyncio.sleep(0)
        says = [person.take("1.0.0.0", key) for key in ("left", "sideways", "up")]
        await waits
        return open_.given, says, person.take("1.0.0.0", "down")

    given, says, late = asyncio.run(press())
    assert given == (0, "", "up")
    assert says[0] == says[2] == ""
    assert "must be exactly one of: up, down" in says[1]
    assert "not open" in late


def probed(game):
    """The views of a first step."""
    views = []

    class Look(Agent):
        async def __call__(self, view):
            views.append(view)
            return Answer(refused="seen enough")

    asyncio.run(match.play(game, [Look(), Look()], seeds.root(0), lambda *row: None))
    return views


@pytest.mark.parametrize(("game", "around"), [("maze", []), ("commons(report=false)", ["punish"])])
def test_the_picture_shows_no_more_than_the_seat_sees(tmp_path, game, around):
    """`check_game` proves it of `glimpse`; here, that the page gets it and not the scene."""
    seats = 2 if game == "maze" else 5
    study = Study(game, f"{LEFT.replace('tit_for_tat', 'random')},random*{seats - 1}", around, repeats=1)
    with sitting(study, tmp_path, PATIENT._replace(grace=0.01)) as sat:

        async def look(link):
            async with line(link) as client:
                return await client.until("ask")

        (asked,) = together(look(sat.links[0]))
    fills = [mark[1] for mark in asked["picture"]["marks"]]
    texts = [mark[5] for mark in asked["picture"]["marks"] if mark[0] == "text"]
    assert ("unseen" in fills) if game == "maze" else texts == ["100", "0"]


# what a study's folder keeps


def test_links_are_kept_for_their_owner_only_and_last(tmp_path):
    study = Study(DILEMMA, f"{LEFT},grim", repeats=1)
    links = []
    for _ in range(2):
        with sitting(study, tmp_path, PATIENT._replace(wait=0.01)) as sat:
            links.append(sat.links)
    assert links[0] == links[1]
    assert stat.S_IMODE(os.stat(tmp_path / "people.json").st_mode) == 0o600
    assert len(sat.links[0].rpartition("/")[2]) >= 43  # 256 bits
    (tmp_path / "people.json").write_text("{")
    with pytest.raises(LogError, match="people get new links"), sitting(study, tmp_path):
        pass


@pytest.mark.parametrize(
    ("seats", "how", "says"),
    [
        ("grim,grim", {}, "no seat is for a person in grim"),
        ("vote(human,grim),grim", {}, "a person in a team has no page"),
        ("human,grim", {"host": "0.0.0.0"}, "add --password"),
        ("human,grim", {"port": 99999}, "--port 99999"),
    ],
)
def test_what_cannot_be_is_said_before_anything_runs(tmp_path, seats, how, says):
    with pytest.raises(SpecError, match=says), sitting(Study(DILEMMA, seats, repeats=1), tmp_path / "run", **how):
        pass
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_fifty_seats_at_once(tmp_path):
    """25 tables of two, all people: nothing is lost, nobody gets another's match."""
    study = Study(DILEMMA, "human*2", repeats=25)

    def hall(study, tokens, house):
        return Room(tokens, lambda number, seat: 2 * (number - 1) + seat, house, matches=25, at_once=25)

    mine = lambda number: lambda ask: ["cooperate", "defect"][(number + ask["view"]["round"]) % 2]
    with sitting(study, tmp_path, hall=hall, seats=50) as sat:
        shown = together(*(play(link, mine(number), f"P{number}") for number, link in enumerate(sat.links)))
    assert people(study) == 2
    assert sat.over().status == {"finished": 25}
    assert all({ask["match"] for ask in of(messages, "ask")} == {number // 2 + 1} for number, messages in enumerate(shown))
    for number in range(1, 26):
        moves = {(step, seat): what.move for step, seat, _, what in events(tmp_path, event.Moved, number)}
        assert moves == {(step, seat): (2 * (number - 1) + seat + step + 1) % 2 for step in (0, 1) for seat in (0, 1)}
    assert sat.troubles == []


def test_a_killed_server_goes_on_with_the_same_links_and_asks_nothing_again(tmp_path):
    """By the command line, killed without warning while two people play."""
    asked = {}

    def started():
        command = ["play", "dilemma(rounds=6)", "--seats", "human*2", "--repeats", "1", "--web", "--out", str(tmp_path)]
        program = [sys.executable, "-c", "from commonage.cli import main; main()", *command]
        server = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        return server, [server.stderr.readline().split()[-1] for _ in range(2)]

    async def until_killed(server, link, number):
        with contextlib.suppress(ConnectionClosed):
            async with line(link) as client:
                while (ask := await client.until("ask", "over"))["kind"] == "ask":
                    if ask["view"]["step"] == 3 and number == 0:
                        return server.kill()
                    await client.answer(ask, answer(ask))

    def answer(ask):
        asked[ask["id"]] = ask
        return ["cooperate", "defect"][int(ask["id"][2:].split(".")[0]) % 2]

    server, links = started()
    together(*(until_killed(server, link, number) for number, link in enumerate(links)))
    server.wait()
    server.stderr.close()
    known = {(step, seat) for step, seat, *_ in events(tmp_path, event.Moved)}
    assert known >= {(step, seat) for step in range(3) for seat in range(2)}
    asked.clear()
    server, again = started()
    assert again == links
    together(*(play(link, answer) for link in links))
    assert server.wait(SECONDS) == 0
    server.stderr.close()
    assert not known & {(ask["view"]["step"], int(id.split(".")[2])) for id, ask in asked.items()}
    moves = {row[:2]: row[3].move for row in events(tmp_path, event.Moved)}
    assert moves == {(step, seat): step % 2 for step in range(6) for seat in range(2)}
    assert exact(tmp_path)
