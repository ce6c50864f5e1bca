"""Partners in the kitchen that plan and adapt: the proactive one, and the one of three speeds, around scripted minds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from thinkers import Thinker, play

from commonage import Study, event, spec
from commonage.agent import Agent, Answer, View
from commonage.agents.llm import Llm
from commonage.errors import SpecError
from commonage.grid.kitchen import DISH, ONION, kind
from commonage.run.replay import replay
from commonage.teams.guide import Asked, Guide
from commonage.teams.proactive import Proactive, believed
from commonage.teams.three_speed import ThreeSpeed

ONIONS = ("put it into a pot", "fetch an onion", "wait")
PLATES = ("serve it", "take a soup", "fetch a dish", "wait")
KITCHEN = "kitchen(rounds=4)"


class Mind(Agent):
    """Answers what a function makes of the View, and keeps what it was shown."""

    def __init__(self, thinks: Callable[[Asked], str]) -> None:
        self.thinks, self.seen = thinks, list[str]()

    async def __call__(self, view: View) -> Answer:
        assert isinstance(view, Asked)
        self.seen.append(view.facts)
        return Answer(text=self.thinks(view))


def wants(*wishes: str) -> Mind:
    """Of these the first that can be had."""
    return Mind(lambda view: wish(view, wishes))


def wish(view: View, wishes: tuple[str, ...]) -> str:
    """The first that can be had; what is in the way of a role is put down."""
    sight = view.sight("kitchen")
    wrong = {ONIONS: DISH, PLATES: ONION}.get(wishes)
    if wrong == kind(sight.held[sight.seat]):
        return "put it down"
    return next(wish for wish in wishes if wish in view.options)


class Turncoat(Agent):
    """One in the first half of the match, then another."""

    def __init__(self, first: Agent, second: Agent) -> None:
        self.first, self.second = first, second

    async def __call__(self, view: View) -> Answer:
        return await (self.first if view.round <= 2 else self.second)(view)


def score(*seats: Any, game: str = KITCHEN) -> float:
    played = play(game, *seats)
    assert played.outcome.status == "finished", played.outcome
    return sum(row[-1].rewards[0] for row in played.rows if isinstance(row[-1], event.Stepped))


def complement(view: Asked) -> str:
    """Does what the partner did not do last, and thinks that it goes on so."""
    lately = view.facts.split("Player 2 lately: ")[-1].splitlines()[0].rstrip(".") if "Player 2 lately" in view.facts else ""
    cooks = lately.rpartition(", ")[2] in ("put it into a pot", "fetch an onion")
    return f"partner: {'fetch an onion' if cooks else 'fetch a dish'}\n{wish(view, PLATES if cooks else ONIONS)}"


def test_it_adapts_to_a_partner_that_changes_and_a_guided_mind_of_one_role_does_not() -> None:
    """The partner brings onions for a hundred steps, then dishes: whoever goes on with one role finds nobody for the other."""
    partner = lambda: Turncoat(Guide(wants(*ONIONS)), Guide(wants(*PLATES)))
    adapting = score(Proactive(Mind(lambda view: complement(able(view)))), partner())
    fixed = max(score(Guide(wants(*role)), partner()) for role in (ONIONS, PLATES))
    assert adapting > fixed > 0


def able(view: Asked) -> Asked:
    """The same View, of which only what can be had is an option: a mind that knows what it needs."""
    ways = spec.game(KITCHEN).ways(view.sight("kitchen"))  # type: ignore[attr-defined]
    return view.replace(open=tuple(bool(way.possible) for way in ways))  # type: ignore[return-value]


def test_a_goal_that_cannot_be_had_comes_back_with_the_reason() -> None:
    """With empty hands nothing can be served; the mind reads so and fetches an onion. Cause and plans stand in the log."""
    mind = Mind(lambda view: "serve it" if "You wanted to serve it" not in view.facts else "fetch an onion")
    played = play("kitchen(rounds=1,round_steps=1)", Proactive(mind), "constant(amount=4)")
    assert played.outcome.status == "finished"
    assert "You wanted to serve it: your hands hold nothing." in mind.seen[1]
    (answered,) = [row[-1].text for row in played.rows if row[1] == 0 and isinstance(row[-1], event.Moved)]
    assert answered.splitlines() == ["serve it", "(You wanted to serve it: your hands hold nothing.)", "fetch an onion"]


def test_after_enough_plans_in_vain_only_what_can_be_had_is_offered() -> None:
    """A mind that never learns names its wish three times; the fourth time it is no option, and then it cannot be read."""
    stubborn = Mind(lambda view: "serve it" if "serve it" in view.options else "wait")
    assert play("kitchen(rounds=1,round_steps=2)", Proactive(stubborn, tries=3), "constant(amount=4)").outcome.status == "finished"
    assert len(stubborn.seen) == 2 * 4
    mad = Mind(lambda view: "serve it")
    failed = play("kitchen(rounds=1,round_steps=2)", Proactive(mad, tries=3), "constant(amount=4)").outcome
    assert failed.status == "failed"
    assert "the last line was 'serve it'" in failed.what


def test_a_wrong_belief_is_corrected_by_what_the_partner_did() -> None:
    """It thinks that the partner serves; the partner fetches an onion: it is told so, and plans again at once."""
    mind = Mind(lambda view: "partner: serve it\nwait" if "lately" not in view.facts else "partner: put it into a pot\nwait")
    play("kitchen(rounds=1,round_steps=30)", Proactive(mind), Guide(wants(*ONIONS)))
    told = next(facts for facts in mind.seen if "lately" in facts)
    assert "Player 2 lately: fetch an onion." in told
    assert "You thought that player 2 would serve it; it did: fetch an onion." in told
    assert "Of your 1 guesses about it 0 were right." in told
    assert any("Of your 2 guesses about it 1 were right." in facts for facts in mind.seen)


def test_a_belief_is_read_from_its_own_line_alone() -> None:
    game: Any = spec.game(KITCHEN)
    assert game.goals[believed(game, "I think so.\nPartner: Serve it.\nwait")] == "serve it"
    for text in ("partner serves it\nwait", "partner: dance\nwait", "wait"):
        assert believed(game, text) == -1


def test_its_memory_has_an_end() -> None:
    mind = Mind(lambda view: "partner: serve it\nwait")
    play("kitchen(rounds=2)", Proactive(mind, memory=2), Guide(wants(*ONIONS)))
    assert max(facts.count("You thought that") for facts in mind.seen) == 2


def test_thinking_takes_steps() -> None:
    """The fast mind's answer is there two steps after it was asked; until then the hands wait."""
    seat = ThreeSpeed(wants("wait"), wants(*ONIONS), fast_takes=2)
    played = play("kitchen(rounds=1,round_steps=4)", seat, "constant(amount=4)")
    moves = [row[-1].move for row in played.rows if row[1] == 0 and isinstance(row[-1], event.Moved)]
    assert moves[:2] == [4, 4]
    assert moves[2] != 4


def test_who_thinks_longer_serves_less() -> None:
    """Beside somebody who brings the onions."""
    seat = lambda takes: ThreeSpeed(wants("wait"), wants(*PLATES), fast_takes=takes)
    scores = [score(seat(takes), Guide(wants(*ONIONS))) for takes in (0, 8, 50)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]


def test_advice_reaches_the_fast_mind_when_it_has_been_thought() -> None:
    """The slow mind is asked at steps 0 and 10 and takes 4: what it says is told from steps 4 and 14 on."""
    slow = Mind(lambda view: f"This is advice number {len(slow.seen)}.\nserve it")
    fast = Mind(lambda view: "wait")
    play("kitchen(rounds=1,round_steps=20)", ThreeSpeed(slow, fast, slow_every=10, slow_takes=4, fast_takes=0), "constant(amount=4)")
    assert len(slow.seen) == 2
    numbers = [next((n for n in (2, 1) if f"advice number {n}" in facts), 0) for facts in fast.seen]
    assert numbers == [0] * 4 + [1] * 10 + [2] * 6


@pytest.mark.parametrize("team", ["proactive(llm:fake(memory=last(2)))", "three_speed(llm:fake(memory=last(2)),llm:fake(memory=last(2)))"])
def test_it_is_replayed_from_its_log(team: str, tmp_path: Any) -> None:
    result = Study("kitchen(rounds=1,round_steps=40)", f"{team},chef", repeats=1).run(tmp_path / "log")
    assert result.status == {"finished": 1}
    assert replay(tmp_path / "log", 1).differing == []
    assert result.accounting[0]["wrong"] == []


@pytest.mark.slow
def test_the_test_model_runs_the_whole_loop(tmp_path: Any) -> None:
    """It was never taught a kitchen, so it decides among the goals: plans, causes, moves, no call outside this machine."""
    seats = "proactive(llm:pocket(verb=decide,memory=last(2)),steps=20),chef"
    result = Study("kitchen(rounds=2)", seats, repeats=1).run(tmp_path / "log")
    assert result.status == {"finished": 1}
    assert replay(tmp_path / "log", 1).differing == []


def test_a_model_reads_what_it_remembers() -> None:
    seen = list[str]()
    model = Thinker(lambda messages: seen.append(messages[-1].text) or "partner: serve it\nwait")
    play("kitchen(rounds=1,round_steps=30)", Proactive(Llm(model, memory="last(1)")), Guide(wants(*ONIONS)))
    assert any("You thought that player 2 would serve it" in text for text in seen)


def test_wrong_parameters() -> None:
    with pytest.raises(SpecError, match="tries must be a whole number, at least 1"):
        Proactive(wants("wait"), tries=0)
    with pytest.raises(SpecError, match="fast_takes must be a whole number, at least 0"):
        ThreeSpeed(wants("wait"), wants("wait"), fast_takes=-1)
