"""One match by seated agents, played out: what is asked, what fails and who is to blame, what a pause leaves behind."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import jax
import numpy as np
import pytest
import table
from table import COMMONS, DILEMMA, KEY, Calls, Illegal, play

from commonage import event, spec
from commonage.agent import Agent, Answer, View, legible, read
from commonage.agents.scripted import Scripted
from commonage.errors import Pause, Unreadable
from commonage.game import Legal, Question
from commonage.games.dilemma import Dilemma
from commonage.learn.rollout import memories
from commonage.policy import Policy
from commonage.run import match
from commonage.teams.vote import Vote

C, D = 0, 1


# a match as it should be


def test_a_match_by_scripts() -> None:
    played = play(DILEMMA, Scripted("cooperate", "defect"), "tit_for_tat")
    assert played.outcome == match.Outcome("finished")
    assert played.moves == {(0, 0): C, (1, 0): D, (2, 0): D, (3, 0): D, (0, 1): C, (1, 1): C, (2, 1): D, (3, 1): D}
    assert played.rewards == [[3, 3], [5, 0], [1, 1], [1, 1]]
    assert played.rows[-1] == (4, event.TABLE, 0, event.Finished(4, False))


def test_the_seat_list_and_the_places_in_the_game() -> None:
    """Seats are permuted in the game; the log speaks of places in the seat list."""
    played = play(DILEMMA, Scripted("defect"), Scripted("cooperate"), order=[1, 0])
    assert {seat: move for (_, seat), move in played.moves.items()} == {0: D, 1: C}
    assert played.rewards == [[5, 0]] * 4
    assert [row[3].deeds for row in played.of(event.Stepped)] == [[0, 1]] * 4
    assert [row[3].toward for row in played.of(event.Stepped)] == [[1, 0]] * 4


def test_a_collapse_ends_the_match_early() -> None:
    played = play(COMMONS, Scripted("10"), "sustainer", Scripted("10"))
    assert played.rows[-1] == (1, event.TABLE, 0, event.Finished(1, True))
    assert sum(played.rewards[0]) == 20


def test_all_who_are_asked_answer_at_once() -> None:
    waiting: set[int] = set()

    class Meets(Agent):
        async def __call__(self, view: View) -> Answer:
            waiting.add(view.seat)
            while len(waiting) < 3:
                await asyncio.sleep(0)
            return Answer(2)

    assert play("commons(seats=3,rounds=1,capacity=20)", Meets(), Meets(), Meets()).outcome.status == "finished"


def test_a_seat_with_one_legal_move_is_not_asked() -> None:
    """`fine whom` offers all but oneself: with two seats it is asked. `units` offers 1 to 1: it is not."""
    person = Calls(lambda view: {"choose": "defect", "fine whom": "seat 2"}[view.question.name])
    played = play(DILEMMA, person, "tit_for_tat", mechanisms=["punish"])
    assert {view.question.name for view in person.views} == {"choose", "fine whom"}
    units = [row[3] for row in played.of(event.Moved) if row[1] == 0 and row[3].question == 2]
    assert units == [event.Moved(2, 0, forced=True)] * 4
    assert not any(row[3].forced for row in played.of(event.Moved) if row[3].question != 2)


def test_every_question_has_one_outcome() -> None:
    """Calls of a seat = moves that were not forced + answers asked again + refusals + pauses."""
    answers = iter(["cooperate", "well", "defect", "no idea", "hm", "cooperate", "defect"])
    seat = Calls(lambda view: next(answers))
    played = play(DILEMMA, seat, "grim")
    assert len(seat.views) == 7
    assert len([row for row in played.of(event.Moved) if row[1] == 0]) == 4
    assert len(played.of(event.Asked)) == 3
    assert [(row[0], row[2]) for row in played.rows if row[1] == 0] == [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (3, 0)]


# what a View shows


def test_a_person_and_a_policy_get_the_same_view() -> None:
    one, other = (Calls(lambda view: "5", boundary) for boundary in ("agent", "person"))
    seats = ("cheat", "random")
    for agent in (one, other):
        play(COMMONS, agent, *seats)
    for mine, theirs in zip(one.views, other.views, strict=True):
        assert mine.json() == theirs.json()
        assert jax.tree.all(jax.tree.map(np.array_equal, mine.sights, theirs.sights))
        assert (mine.key == theirs.key).all()


def test_what_a_policy_computes_stands_in_the_view() -> None:
    """The policy alone, called with the View's own sight, key and count, plays what it played in the match."""
    from commonage.learn.rollout import answer, stream

    game, views = spec.game(COMMONS), []

    class Watched(Agent):
        pure = True

        def __init__(self) -> None:
            self.inner = table.sit(game, "cheat(low=2)")[0]

        async def __call__(self, view: View) -> Answer:
            answer = await self.inner(view)
            views.append((view, answer.move))
            return answer

    play(COMMONS, Watched(), "random", "sustainer")
    assert len(views) >= 1
    player = table.sit(game, "cheat(low=2)")[0].player  # type: ignore[attr-defined]
    for view, move in views:
        sights = {"commons": view.sight("commons")}
        draws = stream(view.key, view.place, "commons")
        assert int(answer(game, "commons", 0, player, draws, view.count, memories(game, player)["commons"], sights, view.legal)[0]) == move


def test_a_view_in_words() -> None:
    seat = Calls(lambda view: "3")
    play(COMMONS, seat, "greedy", "sustainer", order=[1, 0, 2])
    view = seat.views[0]
    assert (view.place, view.seat, view.round, view.step, view.count) == (1, 0, 1, 0, 0)
    assert view.options[:2] == ("0", "1")
    assert view.options[-1] == "20"
    said = view.json()
    assert said["seat"] == 2
    assert said["question"] == {"name": "harvest", "unit": "tons of fish", "speech": False}
    assert said["rules"] == view.rules
    assert "20 tons of fish" in said["facts"]
    assert (said["options"], said["amount"]) == ([], [0, 20])  # a range, however large
    json.dumps(said)


def test_a_view_of_named_options() -> None:
    seat = Calls(lambda view: "cooperate")
    play(DILEMMA, seat, "grim")
    said = seat.views[0].json()
    assert (said["options"], said["amount"], seat.views[0].amount) == (["cooperate", "defect"], None, None)


def test_memory_is_handed_back() -> None:
    seat = Calls(lambda view: Answer(C, memory=[*(view.memory or []), view.round]))
    played = play(DILEMMA, seat, "grim")
    assert [view.memory for view in seat.views] == [None, [1], [1, 2], [1, 2, 3]]
    assert [row[3].memory for row in played.of(event.Moved) if row[1] == 0] == [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]


def test_nothing_of_a_policy_is_kept_in_the_log() -> None:
    played = play(DILEMMA, "gradual", "davis")
    assert all(row[3].memory is None and not row[3].text for row in played.of(event.Moved))


# talk


def test_sentences_reach_the_other_seats() -> None:
    """By the place at the table, as the facts count; one's own are not handed back."""
    speaker = Calls(lambda view: f"in words: hello {view.round}" if view.question.speech else "cooperate")
    listener = Calls(lambda view: "nothing" if view.question.speech else "cooperate")
    played = play(DILEMMA, speaker, listener, mechanisms=["talk"], order=[1, 0])
    assert all(view.heard == () for view in speaker.views)
    heard = [tuple(said.text for said in view.heard) for view in listener.views if not view.question.speech]
    assert heard == [("hello 1",), ("hello 1", "hello 2"), ("hello 1", "hello 2", "hello 3"), ("hello 1", "hello 2", "hello 3", "hello 4")]
    assert {said.place for view in listener.views for said in view.heard} == {1}
    assert listener.views[1].json()["heard"] == [{"round": 1, "seat": 2, "text": "hello 1"}]
    assert {(row[3].move, row[3].says) for row in played.of(event.Moved) if row[1] == 0 and row[3].says} == {
        (1, f"hello {i}") for i in (1, 2, 3, 4)
    }


def test_what_is_said_at_the_same_time_is_not_heard_yet() -> None:
    both = [Calls(lambda view: "in words: me first" if view.question.speech else "cooperate") for _ in range(2)]
    play(DILEMMA, *both, mechanisms=["talk"])
    assert all(len(agent.views[0].heard) == 0 for agent in both)


def test_nor_by_one_who_is_asked_again() -> None:
    """The other has spoken meanwhile; but they speak at the same time."""
    slow = Calls(lambda view: "well" if not view.attempt else "nothing" if view.question.speech else "cooperate")
    quick = Calls(lambda view: f"in words: {view.round}" if view.question.speech else "cooperate")
    play(DILEMMA, slow, quick, mechanisms=["talk"])
    for view in slow.views:
        assert len(view.heard) == (view.round - 1 if view.question.speech else view.round)


def test_signals_are_moves() -> None:
    seat = Calls(lambda view: "I will cooperate" if view.question.speech else "cooperate")
    played = play(DILEMMA, seat, "grim", mechanisms=["talk"])
    assert {row[3].move for row in played.of(event.Moved) if row[1] == 0 and row[3].question == 1} == {2}


@pytest.mark.parametrize("line", ["in words", "in words:", "in words: " + "x" * 2001])
def test_a_sentence_has_a_length(line: str) -> None:
    seat = Calls(lambda view: line if view.question.speech else "cooperate")
    failed = play(DILEMMA, seat, "grim", mechanisms=["talk"]).failed
    assert "1 to 2000 characters" in failed.what


# strict reading


def view(question: Question, low: int = 0, high: int | None = None, options: list[bool] | None = None) -> View:
    """A View with just a question."""
    game = type("Asks", (Dilemma,), {"questions": (question,)})()
    rows = [options if options is not None else [True] * len(question.options)]
    last = question.size - 1 if high is None else high
    allowed = Legal(np.array([low], np.int32), np.array([last], np.int32), np.array(rows, bool).reshape(1, -1))
    return View(game, None, 0, 0, 0, 1, 0, allowed=allowed, sights={}, key=KEY)  # type: ignore[arg-type]


AMOUNT, CHOICE = Question("harvest", amount=(5, 25), unit="tons"), Question("choose", ("cooperate", "defect"))


@pytest.mark.parametrize(
    ("text", "move"),
    [("5", 0), ("25", 20), (" 10 ", 5), ("I think.\n\n10\n", 5), ("10.", 5), ("+10", 5)],
)
def test_amounts_that_can_be_read(text: str, move: int) -> None:
    assert read(view(AMOUNT), text) == (move, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n ",
        "4",
        "26",
        "-5",
        "10 tons",
        "10.0",
        "ten",
        "10 or 11",
        "10\nor so",
        "1e1",
        "0x10",
        "10%",
        "5..25",
        "999999999999",
        "²",
        "1_0",
    ],
)
def test_amounts_that_cannot(text: str) -> None:
    with pytest.raises(Unreadable):
        read(view(AMOUNT), text)


@pytest.mark.parametrize("text", ["cooperate", "Cooperate", "COOPERATE.", "After some thought:\ncooperate"])
def test_options_that_can_be_read(text: str) -> None:
    assert read(view(CHOICE), text) == (0, "")


@pytest.mark.parametrize("text", ["coop", "cooperate or defect", "I cooperate", "0", "cooperate!", "defect", "no", "cooperate defect"])
def test_options_that_cannot(text: str) -> None:
    with pytest.raises(Unreadable):
        read(view(CHOICE, options=[True, False]), text)


def test_what_is_not_legal_now_cannot_be_read() -> None:
    with pytest.raises(Unreadable, match="one whole number of tons, 6 to 9"):
        read(view(AMOUNT, low=1, high=4), "10")
    with pytest.raises(Unreadable, match="it must be exactly one of: cooperate"):
        read(view(CHOICE, options=[True, False]), "defect")


# failures: recorded with their cause, never a move


def test_an_unreadable_answer_is_asked_again_twice_with_the_reason() -> None:
    seat = Calls(lambda view: "well, " * view.attempt + "banana", "model")
    played = play(DILEMMA, seat, "grim")
    assert [(view.attempt, view.problem[:26]) for view in seat.views] == [
        (0, ""),
        (1, "the last line was 'banana'"),
        (2, "the last line was 'well, b"),
    ]
    assert [(row[2], row[3].text) for row in played.of(event.Asked)] == [(0, "banana"), (1, "well, banana"), (2, "well, well, banana")]
    assert played.failed == event.Failed("model", "the last line was 'well, well, banana'; it must be exactly one of: cooperate, defect", 0)
    assert played.outcome.status == "failed"
    assert played.of(event.Stepped) == []
    assert (0, 0) not in played.moves


def test_an_answer_that_is_understood_the_second_time() -> None:
    seat = Calls(lambda view: "defect" if view.attempt else "banana")
    played = play(DILEMMA, seat, "cooperator")
    assert played.rewards == [[5, 0]] * 4
    assert [row[2] for row in played.of(event.Moved) if row[1] == 0] == [1] * 4


@pytest.mark.parametrize("boundary", ["agent", "model", "person"])
def test_a_refusal_is_not_asked_again(boundary: str) -> None:
    seat = Calls(lambda view: Answer(refused="I must not play games"), boundary)
    played = play(DILEMMA, seat, "grim")
    assert len(seat.views) == 1
    assert played.failed == event.Failed(boundary, "I must not play games", 0)


def boom(view: View) -> Any:
    raise ValueError("boom")


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (boom, "ValueError: boom"),
        (lambda view: None, "an agent gives an Answer, not None"),
        (lambda view: 3, "an agent gives an Answer, not 3"),
        (lambda view: Answer(text=3), "what an agent says is text"),
        (lambda view: Answer(C, memory={1, 2}), "'set' object"),
        (lambda view: Answer(C, memory=object()), "'object' object"),
        (lambda view: Answer(C, usage={"seconds": object()}), "'object' object"),
    ],
)
def test_what_is_wrong_with_an_agent_fails_its_match(answer: Any, what: str) -> None:
    played = play(DILEMMA, Calls(answer), "grim")
    assert played.outcome.status == "failed"
    assert played.failed.where == "agent"
    assert what in played.failed.what


@pytest.mark.parametrize("move", [2, -1, True, 1.0, "1"])
def test_moves_that_are_not_legal(move: Any) -> None:
    seat = Calls(lambda view: Answer(move))
    played = play(DILEMMA, seat, "grim")
    assert len(seat.views) == 3
    assert played.failed.what == f"move {move!r} is not legal; legal is one of: cooperate, defect (move 0 says cooperate)"


def test_what_is_legal_of_an_amount_is_said_as_its_range() -> None:
    played = play("commons(seats=3,rounds=1)", Calls(lambda view: Answer(101)), "greedy", "greedy")
    assert played.failed.what == "move 101 is not legal; legal is one whole number of tons of fish, 0 to 100 (move 0 says 0)"
    with pytest.raises(Unreadable, match=re.escape("legal is one whole number of tons, 6 to 9 (move 0 says 5)")):
        legible(view(AMOUNT, low=1, high=4), Answer(6))


class Breaks(Policy):
    """Does not compile."""

    def act(self, key: Any, memory: Any, sight: Any, legal: Any) -> Any:
        raise ValueError("a policy that breaks")


def test_a_policy_with_an_illegal_move_is_not_asked_again() -> None:
    played = play(DILEMMA, Illegal(), "grim")
    assert played.failed == event.Failed("agent", "seat 1: its policy chose the illegal move 7")
    assert played.of(event.Asked) == []


def test_a_policy_that_raises_fails_its_match_only() -> None:
    played = play(DILEMMA, "grim", Breaks())
    assert played.failed == event.Failed("agent", "ValueError: a policy that breaks")
    assert [row[1] for row in played.of(event.Failed)] == [1]


class Raises(Dilemma):
    """A game that breaks in one of its faces."""

    name = "dilemma"
    face = ""

    def __getattribute__(self, name: str) -> Any:
        if name == type(self).face:
            return _break
        return super().__getattribute__(name)


def _break(*arguments: Any) -> Any:
    raise RuntimeError("a game that breaks")


@pytest.mark.parametrize("face", ["step", "ask", "start", "look", "facts"])
def test_a_game_that_raises(face: str) -> None:
    game = type(f"Raises{face.capitalize()}", (Raises,), {"face": face})()
    played = play(game, "random", "random")
    assert played.outcome == match.Outcome("failed", "RuntimeError: a game that breaks")
    assert played.failed.where == "game"
    assert played.of(event.Failed)[0][1] == event.TABLE


@pytest.mark.parametrize("face", ["rules", "tell"])
def test_a_game_that_cannot_say_what_it_is_is_to_blame(face: str) -> None:
    game = type(f"Mute{face.capitalize()}", (Raises,), {"face": face})()
    played = play(game, Calls(lambda view: str(view.json())), "random")
    assert played.failed == event.Failed("game", f"ContractError: {face} raised RuntimeError: a game that breaks")


def test_the_others_are_awaited_when_one_fails() -> None:
    """They may have been paid for: what they answered is in the log."""

    class Late(Agent):
        async def __call__(self, view: View) -> Answer:
            await asyncio.sleep(0.01)
            return Answer(4, usage={"cost": 1})

    played = play(COMMONS, Calls(boom), Late(), Late())
    assert played.moves == {(0, 1): 4, (0, 2): 4}
    assert played.outcome.status == "failed"


# on_failure


@pytest.mark.parametrize(("game", "amount"), [(COMMONS, 3), ("public_goods(seats=3,rounds=4)", 5)])
def test_a_seat_retires_and_the_match_goes_on(game: str, amount: int) -> None:
    leaves = Calls(lambda view: str(amount) if view.round == 1 else "banana")
    others = [Scripted(str(amount)) for _ in range(2)]
    played = play(game, others[0], leaves, others[1], on_failure="retire")
    assert played.outcome.status == "finished"
    assert played.rows[-1][3].rounds == 4
    assert played.failed.retired
    assert played.of(event.Failed)[0][:2] == (1, 1)
    assert len(leaves.views) == 1 + 3
    assert [seat for _, seat in sorted(played.moves)] == [0, 1, 2, *[0, 2] * 3]
    assert [row[3].deeds[1] for row in played.of(event.Stepped)][1:] == [None] * 3  # no deed: it is not counted in conduct


def test_a_retired_seat_is_asked_nothing_by_mechanisms_either() -> None:
    leaves = Calls(lambda view: "banana")
    played = play(COMMONS, "sustainer", leaves, "sustainer", mechanisms=["talk", "punish"], on_failure="retire")
    assert played.outcome.status == "finished"
    assert len(leaves.views) == 3
    assert not any(seat == 1 for _, seat in played.moves)


def test_several_seats_retire_at_once() -> None:
    played = play(COMMONS, Calls(boom), Calls(boom), "sustainer", on_failure="retire")
    assert played.outcome.status == "finished"
    assert [row[3].retired for row in played.of(event.Failed)] == [True, True]


def test_the_last_seat_cannot_retire() -> None:
    played = play(COMMONS, Calls(boom), Calls(boom), Calls(boom), on_failure="retire")
    assert played.outcome.status == "failed"
    assert [row[3].retired for row in played.of(event.Failed)] == [True, True, False]


@pytest.mark.parametrize("policy", [Breaks(), Illegal(move=99)])
def test_a_policy_that_breaks_its_contract_does_not_retire(policy: Policy) -> None:
    """It is a fault of the program; and the compiled runner could not go on either."""
    played = play(COMMONS, "sustainer", policy, "sustainer", on_failure="retire")
    assert played.outcome.status == "failed"
    assert not played.failed.retired


def test_where_it_cannot_go_on_a_failure_ends_it() -> None:
    assert play(DILEMMA, Calls(boom), "grim", on_failure="retire").outcome.status == "failed"


# pauses


class Flaky(Agent):
    """The network breaks at some questions, once each."""

    def __init__(self, *breaks: tuple[int, str]) -> None:
        self.breaks, self.asked = list(breaks), 0

    async def __call__(self, view: View) -> Answer:
        self.asked += 1
        if (view.round, view.question.name) in self.breaks:
            self.breaks.remove((view.round, view.question.name))
            raise Pause("429 Too Many Requests")
        told = (view.memory or 0) + 1
        if view.question.speech:
            return Answer(text=f"in words: this is my answer number {told}", memory=told)
        return Answer(text=view.options[told % 2], memory=told)


TALKED = {"mechanisms": ["talk", "punish"]}


def test_a_pause_is_nobodys_failure() -> None:
    played = play(DILEMMA, Flaky((2, "choose")), "grim", **TALKED)
    assert played.outcome == match.Outcome("paused", "429 Too Many Requests")
    assert played.of(event.Failed) == []
    assert played.of(event.Paused)[0][1:] == (0, 0, event.Paused("429 Too Many Requests"))


@pytest.mark.parametrize("seat", ["gradual+pledger+fine_overusers", "random", Scripted(*["I will cooperate", "defect", "nobody"] * 4)])
@pytest.mark.parametrize("breaks", [[(1, "say")], [(3, "choose")], [(4, "fine whom")], [(1, "choose"), (2, "say"), (4, "choose")]])
def test_a_match_that_was_paused_goes_on_as_if_it_had_not_been(seat: Any, breaks: list[tuple[int, str]]) -> None:
    game = "dilemma(rounds=4)"
    whole = play(game, Flaky(), seat, **TALKED)
    agent = Flaky(*breaks)
    played = play(game, agent, seat, **TALKED)
    for _ in breaks:
        assert played.outcome.status == "paused"
        played = play(game, agent, seat, past=played, **TALKED)
    assert played.outcome.status == "finished"
    assert played.said() == whole.said()
    asked = [row for row in played.of(event.Moved) if row[1] == 0 and not row[3].forced]
    assert agent.asked == len(asked) + len(breaks)  # nothing is asked, or paid, twice


def test_an_answer_to_the_step_of_a_pause_is_not_asked_again() -> None:
    paid = Calls(lambda view: Answer(4, usage={"cost": 1}))
    flaky = Flaky((2, "harvest"))
    played = play(COMMONS, paid, flaky, "sustainer")
    assert played.outcome.status == "paused"
    assert [view.round for view in paid.views] == [1, 2]
    played = play(COMMONS, paid, flaky, "sustainer", past=played)
    assert [view.round for view in paid.views] == [1, 2, 3, 4]


def test_resumed_between_two_attempts() -> None:
    """Cut after each event that was flushed: what was asked before counts, and its reason is told."""
    answers = lambda view: "defect" if view.attempt == 2 and view.problem else f"banana {view.attempt}"
    whole = play(DILEMMA, Calls(answers), "grim")
    for cut in range(1, len(whole.rows)):
        before = table.Played(whole.rows[:cut], whole.outcome)
        agent = Calls(answers)
        assert play(DILEMMA, agent, "grim", past=before).said() == whole.said()
        known = [row for row in before.rows if row[1] == 0]
        assert len(agent.views) == 12 - len(known)


def test_cut_just_before_its_failure_a_match_fails_with_the_same_cause() -> None:
    whole = play(DILEMMA, Calls(lambda view: "banana"), "grim")
    for cut in range(1, len(whole.rows)):
        agent = Calls(lambda view: "banana")
        again = play(DILEMMA, agent, "grim", past=table.Played(whole.rows[:cut], whole.outcome))
        assert again.failed == whole.failed
        assert again.said() == whole.said()


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 7, 8, 9, 10])
def test_resumed_after_a_seat_retired(cut: int) -> None:
    seats = lambda: (Scripted("3"), Calls(lambda view: "3" if view.round == 1 else "banana"), "constant(amount=2)")
    whole = play(COMMONS, *seats(), on_failure="retire")
    again = play(COMMONS, *seats(), on_failure="retire", past=table.Played(whole.rows[:cut], whole.outcome))
    assert again.said() == whole.said()


# teams


def test_a_vote() -> None:
    played = play(DILEMMA, "vote(cooperator,defector,tit_for_tat)", Scripted("cooperate", "defect", "cooperate"))
    assert [move for (_, seat), move in sorted(played.moves.items()) if seat == 0] == [C, C, D, C]


def test_a_tie_goes_to_the_first_member() -> None:
    for members, move in (("defector,cooperator", D), ("cooperator,defector", C)):
        assert play(DILEMMA, f"vote({members})", "grim").moves[0, 0] == move


def test_a_teams_sentence_is_its_members() -> None:
    texts = [Scripted("in words: let us", "cooperate"), Scripted("nothing", "cooperate"), Scripted("in words: please", "cooperate")]
    played = play("dilemma(rounds=1)", Vote(*texts), "grim", mechanisms=["talk"])
    assert played.of(event.Moved)[0][3][:5] == (1, 1, False, "let us", "")


@pytest.mark.parametrize("bad", ["banana", Answer(7), Answer(True)])
def test_a_member_that_cannot_be_read_is_asked_again_with_its_team(bad: Any) -> None:
    member = Calls(lambda view: "defect" if view.attempt else bad)
    played = play("dilemma(rounds=1)", Vote(member, Scripted("cooperate"), Scripted("cooperate")), "grim")
    assert [view.attempt for view in member.views] == [0, 1]
    assert played.moves[0, 0] == C
    never = Calls(lambda view: bad)
    assert play(DILEMMA, Vote(never, Scripted("cooperate")), "grim").outcome.status == "failed"


def test_a_members_refusal_is_the_teams() -> None:
    played = play(DILEMMA, Vote(Scripted("cooperate"), Calls(lambda view: Answer(refused="no"))), "grim")
    assert played.failed == event.Failed("agent", "no", 0)


def test_members_remember_each_for_itself() -> None:
    member = Calls(lambda view: Answer(C, memory=(view.memory or 0) + 1))
    played = play(DILEMMA, Vote(member, "grim" and table.sit(Dilemma(), "grim")[0], member), "gradual")
    assert [view.memory for view in member.views[::2]] == [None, 1, 2, 3]
    assert [row[3].memory for row in played.of(event.Moved) if row[1] == 0][-1] == [4, None, 4]
    again = play(
        DILEMMA, Vote(member, table.sit(Dilemma(), "grim")[0], member), "gradual", past=table.Played(played.rows[:5], played.outcome)
    )
    assert again.said() == played.said()


# policies beside each other


def test_a_policy_meets_one_partner_after_another() -> None:
    """The same seated policy in several matches of one game object: nobody plays for one who is gone."""
    game, first = Dilemma(rounds=2), table.sit(Dilemma(), "grim")[0]
    for name, move in [("cooperator", C), ("defector", D)] * 5:
        rows: list[Any] = []
        asyncio.run(match.play(game, [first, table.sit(game, name)[0]], KEY, lambda *row: rows.append(row)))  # noqa: B023
        assert table.Played(rows, match.Outcome("finished")).moves[0, 1] == move


def test_a_table_of_policies_is_compiled_once_for_all_orders() -> None:
    game = Dilemma(rounds=2)
    agents = table.sit(game, "grim", "tit_for_tat")
    for order in ([0, 1], [1, 0]):
        asyncio.run(match.play(game, agents, KEY, lambda *row: None, order=order))
    assert [len(agent.calls) for agent in agents] == [1, 0]  # type: ignore[attr-defined]
