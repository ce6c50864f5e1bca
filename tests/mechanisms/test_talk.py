"""Talk, played out."""

import asyncio
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from towers import KEY, Fines, Plays, Says, asked, asks, ours, play, start, step, turns, unchanged

from commonage import event, seeds, testing
from commonage.agents.policy import PolicyAgent
from commonage.agents.python import Python
from commonage.errors import SpecError
from commonage.game import layers, numpy
from commonage.games.coin_game import CoinGame
from commonage.games.commons import Commons
from commonage.games.dilemma import Dilemma
from commonage.mechanisms.contract import Contract
from commonage.mechanisms.punish import Punish
from commonage.mechanisms.talk import Talk
from commonage.policies.cheat import Cheat
from commonage.policies.fine_overusers import FineOverusers
from commonage.policies.greedy import Greedy
from commonage.policies.pledger import Pledger
from commonage.policies.random import Random
from commonage.policies.signer import Signer
from commonage.policies.sustainer import Sustainer
from commonage.policies.tit_for_tat import TitForTat
from commonage.policy import Policy
from commonage.run import match

TALK, MOVE, FINE, UNITS = "say", "choose", "fine whom", "units"
C, D = 0, 1


def phases(tower, fines=True):
    """What is asked in two rounds of a dilemma in which seat 1 defects and seat 2 fines it, or doesn't."""
    return asked(tower, play(tower, Plays((D,)), (Plays((C,)), Fines((1,))) if fines else Plays((C,))))


@pytest.mark.parametrize("tower", [Talk(Punish(Dilemma(rounds=2))), Punish(Talk(Dilemma(rounds=2)))])
def test_before_the_round_the_order_of_the_layers_does_not_matter(tower):
    assert phases(tower) == [TALK, MOVE, FINE, UNITS] * 2
    assert phases(tower, fines=False) == [TALK, MOVE, FINE] * 2


def test_after_the_round_the_outer_layer_comes_last():
    outside, inside = Talk(Punish(Dilemma(rounds=2)), when="after"), Punish(Talk(Dilemma(rounds=2), when="after"))
    assert phases(outside) == [MOVE, FINE, UNITS, TALK, MOVE, FINE, UNITS]
    assert phases(inside) == [MOVE, TALK, FINE, UNITS, MOVE, FINE, UNITS]


def test_two_talks():
    tower = Talk(Talk(Dilemma(rounds=2), when="after"))
    assert [layer.label for layer in layers(tower)] == ["dilemma", "talk", "talk#2"]
    steps = play(tower, (Plays(), Pledger()), Plays())
    assert asked(tower, steps) == [TALK, MOVE, TALK, TALK, MOVE]
    assert steps.which[:5, 0, 0].tolist() == [2, 0, 1, 2, 0]


@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_collapse_fines_follow_and_talk_does_not(when):
    tower = Talk(Punish(Commons(seats=2)), when=when)
    steps = play(tower, Greedy(), (Sustainer(), FineOverusers()))
    assert asked(tower, steps) == [TALK] * (when == "before") + ["harvest", FINE, UNITS]
    last = steps.live[:, 0].sum() - 1
    assert steps.round_over[:, 0].tolist().index(True) == last
    assert (bool(steps.ended[last, 0]), bool(steps.truncated[last, 0])) == (True, False)
    assert (steps.ended.sum(), steps.truncated.sum()) == (1, 0)


def test_what_is_said_is_heard_until_the_next_word():
    said = turns(Talk(Dilemma()), [2, 3], [C, D], [0, 1])
    assert [turn.state.own.heard.tolist() for turn in said] == [[[2, 3]] * 2, [[2, 3]] * 2, [[0, 1]] * 2]
    tower = Talk(Dilemma())
    sight = tower.sights(said[1].state)["talk"]
    assert np.asarray(sight.heard).tolist() == [[2, 3], [2, 3]]
    assert tower.tell(said[1].state, 0).endswith('You said: "I will cooperate". Seat 2 said: "I will not cooperate".')
    assert tower.tell(said[2].state, 0).endswith("Seat 2 spoke.")
    assert tower.facts(said[1].state)["talk.said"].tolist() == [2, 3]
    assert all(turn.rewards.tolist() == [0, 0] for turn in (said[0], said[2]))


def test_a_retired_seat_says_nothing():
    tower = Talk(Commons())
    turn = turns(tower, [2, -1, 2, 2, 2])[0]
    assert turn.state.own.heard.tolist() == [[2, 0, 2, 2, 2]] * 5
    assert asks(tower, turn.state) == [0] * 5


def test_a_pledger_speaks_and_plays_on_as_before():
    game = Talk(Dilemma(rounds=3))
    steps = play(game, (TitForTat(), Pledger()), (Plays((D,)), Says((3, 0, 1))))
    assert steps.move[:, 0].tolist() == [[2, 3], [C, D], [2, 0], [D, D], [2, 1], [D, D]]
    assert steps.round[:, 0].tolist() == [1, 1, 2, 2, 3, 3]
    assert steps.round_over[:, 0].tolist() == [False, True] * 3


def test_without_signals_a_pledger_has_nothing_to_say():
    steps = play(Talk(Dilemma(rounds=1), signals=()), (Plays(), Pledger()), (Plays(), Pledger()))
    assert steps.move[0, 0].tolist() == [0, 0]


def test_a_board_is_talked_over_once_a_round():
    game = Talk(CoinGame(rounds=2, round_steps=3))
    assert asked(game, play(game, Random(), Random())) == [TALK, "move", "move", "move"] * 2
    assert (game.max_steps, game.round_steps) == (8, 4)


def test_words_of_ones_own():
    game = Talk(Dilemma(), signals=("peace",))
    assert game.questions[1].options == ("nothing", "in words", "peace")
    assert game.questions[1].speech
    assert "one thing to all" in game.rules(0)
    with pytest.raises(SpecError, match="when must be before or after"):
        Talk(Dilemma(), when="never")
    for signals in (("peace", "peace"), ("nothing",), ("",)):
        with pytest.raises(SpecError, match="distinct sentences"):
            Talk(Dilemma(), signals=signals)


ORDERS = list(itertools.product(("before", "after"), ("together", "turn", "floor")))
SOME = [("before", "turn"), ("after", "floor")]  # both times, and the two orders in which a talk has turns
kinds = pytest.mark.parametrize(("when", "order"), [pytest.param(*k, marks=[] if k in SOME else pytest.mark.slow) for k in ORDERS])


@kinds
def test_silence_changes_nothing(when, order):
    unchanged(Commons(), Talk(Commons(), when=when, order=order, misheard=0.5), Random(), Cheat(), *[Sustainer()] * 3)


@pytest.mark.slow  # between two seats as among five
@pytest.mark.parametrize(("when", "order"), ORDERS)
def test_silence_changes_nothing_between_two(when, order):
    unchanged(Dilemma(), Talk(Dilemma(), when=when, order=order), Random(), TitForTat())


def test_cheap_talk_changes_nothing_for_those_who_do_not_listen():
    steps = play(Talk(Dilemma()), (TitForTat(), Pledger()), (Random(), Pledger()), matches=9)
    bare = play(Dilemma(), TitForTat(), Random(), matches=9)
    for i in range(9):
        mine = ours(Talk(Dilemma()), steps, i)
        np.testing.assert_array_equal(steps.move[mine, i], bare.move[:, i])


# one after another, and the open floor

SAY, NEXT = "say", "next"
THREE = Commons(seats=3, rounds=4)


class Counts(Policy):
    """Says how many have spoken before it in this talk: `signals` are numbers. On a floor it names the seat after seat 1."""

    game = "talk"

    def act(self, key, memory, sight, legal):
        return jnp.where(sight.asked == 0, 2 + (sight.heard != 0).sum(), 2), memory


def floor(game, steps, match=0):
    """(question, seat from 1) of each step of the talk."""
    seats = [int(row.argmax()) + 1 for row in steps.which[steps.live[:, match], match]]
    return [row for row in zip(asked(game, steps, match), seats, strict=True) if row[0] in (SAY, NEXT)]


def hold(tower, *moves):
    """A talk on the table's first round: each move is that of the one who is asked. ([(question, seat from 1)], state)."""
    state, out = numpy(start(tower)), []
    for move in moves:
        row = np.array(asks(tower, state))
        seat = int(row.argmax())
        out.append((tower.questions[row[seat]].name, seat + 1))
        state = numpy(step(tower, state, jnp.where(row >= 0, move, -1)).state)
    return out, state


def test_in_turn_each_speaks_once_and_the_beginning_moves_on():
    tower = Talk(THREE, order="turn")
    steps = play(tower, *[(Sustainer(), Pledger())] * 3)
    assert [seat for _, seat in floor(tower, steps)] == [1, 2, 3, 2, 3, 1, 3, 1, 2, 1, 2, 3]
    assert asked(tower, steps)[:5] == [TALK, TALK, TALK, "harvest", TALK]
    assert (tower.max_steps, tower.round_steps) == (16, 4)
    assert "3 turns, one seat after another" in tower.rules(0)


@pytest.mark.parametrize("when", ["before", "after"])
def test_in_turn_each_hears_those_before_in_this_talk(when):
    tower = Talk(THREE, order="turn", when=when, signals=("0", "1", "2"))
    steps = play(tower, *[(Sustainer(), Counts())] * 3)
    said = [int(row.max()) - 2 for row in steps.move[steps.live[:, 0] & ~ours(tower, steps), 0]]
    assert said == [0, 1, 2] * (4 if when == "before" else 3)


def test_turns_are_counted_whoever_speaks():
    two, five = (floor(tower, play(tower, *[Sustainer()] * 3)) for tower in (Talk(THREE, order="turn", turns=n) for n in (2, 5)))
    assert [seat for _, seat in two] == [1, 2, 2, 3, 3, 1, 1, 2]
    assert [seat for _, seat in five][:10] == [1, 2, 3, 1, 2, 2, 3, 1, 2, 3]
    twice = Talk(THREE, turns=2)
    assert asked(twice, play(twice, *[Sustainer()] * 3)) == [TALK, TALK, "harvest"] * 4
    assert "at the same time, 2 times" in twice.rules(0)


def test_on_the_floor_who_speaks_names_the_next():
    """The floor goes round by name, a seat may have it twice, and nobody ends it."""
    tower = Talk(THREE, order="floor")
    opener = hold(tower, 0)[0][0][1]
    others = [seat for seat in (1, 2, 3) if seat != opener]
    spoken, state = hold(tower, 2, others[0], 3, opener, 1, others[1], 0, 0)
    assert spoken == [(q, seat) for seat in (opener, others[0], opener, others[1]) for q in (SAY, NEXT)]
    assert asks(tower, state) == [0, 0, 0]
    said = {opener: 1, others[0]: 3, others[1]: 0}
    assert state.own.heard.tolist() == [[said[seat] for seat in (1, 2, 3)]] * 3
    assert tower.sights(state)["talk"].floor.tolist() == [-1] * 3


def test_the_floor_is_seen_and_nobody_names_oneself():
    tower = Talk(THREE, order="floor")
    (_, (question, opener)), state = hold(tower, 2, 0)[0], hold(tower, 2)[1]
    sight, legal = tower.sights(state)["talk"], tower.ask(state).legal
    assert question == NEXT
    assert (sight.floor.tolist(), sight.asked.tolist()) == ([opener - 1] * 3, [1] * 3)
    assert legal.among(4)[opener - 1].tolist() == [seat != opener for seat in range(4)]
    assert tower.tell(state, opener - 1).endswith('You said: "I will cooperate". You have the floor.')
    assert tower.tell(state, opener % 3).endswith(f'Seat {opener} said: "I will cooperate". Seat {opener} has the floor.')


def test_the_floor_ends_after_so_many_turns_and_the_last_names_nobody():
    tower = Talk(THREE, order="floor", turns=3)
    opener = hold(tower, 0)[0][0][1]
    spoken, _ = hold(tower, 0, opener % 3 + 1, 0, opener, 0, 0)
    assert [question for question, _ in spoken] == [SAY, NEXT, SAY, NEXT, SAY, "harvest"]
    assert (tower.max_steps, tower.round_steps) == (4 * 7, 7)
    assert "at most 3 turns" in tower.rules(0)


def test_without_a_part_the_floor_ends_at_once():
    tower = Talk(THREE, order="floor", when="after")
    assert asked(tower, play(tower, *[Sustainer()] * 3)) == ["harvest", SAY, NEXT] * 3 + ["harvest"]


def test_who_begins_on_the_floor_is_drawn_and_other_layers_do_not_matter():
    tower, players = Talk(Dilemma(rounds=6), order="floor"), [(TitForTat(), Pledger(), Signer())] * 2
    bare, around = play(tower, *players, matches=200), play(Contract(tower), *players, matches=200)
    talks = [floor(tower, bare, i) for i in range(200)]
    assert 70 < sum(talk[0][1] == 1 for talk in talks) < 130
    assert talks == [floor(Contract(tower), around, i) for i in range(200)]


def test_pledgers_on_the_floor_speak_once_each():
    tower = Talk(THREE, order="floor")
    talks = floor(tower, play(tower, *[(Sustainer(), Pledger())] * 3))
    for i in range(0, len(talks), 6):
        assert [q for q, _ in talks[i : i + 6]] == [SAY, NEXT] * 3
        assert {seat for _, seat in talks[i : i + 6]} == {1, 2, 3}
    testing.check_policy(Pledger(), tower)


# retired seats: -1 is the move of one who is asked and no longer there


def test_a_retired_seat_is_passed_over_in_turn():
    tower = Talk(THREE, order="turn")
    spoken, state = hold(tower, 2, -1, 3, 0)
    assert spoken == [(SAY, 1), (SAY, 2), (SAY, 3), ("harvest", 1)]
    assert state.own.heard[0].tolist() == [0, 0, 0]  # the next talk begins, with the one after it
    assert asks(tower, state) == [-1, -1, 1]


def test_the_floor_of_a_retired_seat_falls_to_the_next():
    tower = Talk(THREE, order="floor")
    opener = hold(tower, 0)[0][0][1]
    after, last = opener % 3 + 1, (opener + 1) % 3 + 1
    spoken, state = hold(tower, 2, after, -1, 2)  # the one who was named has gone
    assert [seat for _, seat in spoken] == [opener, opener, after, last]
    assert not tower.ask(state).legal.among(4)[last - 1][after]
    spoken, _ = hold(tower, 2, -1, 3, 0)  # the one who spoke has gone before it named anybody
    assert spoken == [(SAY, opener), (NEXT, opener), (SAY, after), (NEXT, after)]


# mishearing


def test_listeners_mishear_signals_each_for_itself():
    game = Talk(Commons(seats=5, rounds=1), signals=("red", "green", "blue"), misheard=0.3)
    listen = jax.jit(jax.vmap(lambda key: game.step(key, game.start(key), jnp.array([2, 3, 4, 0, 1])).state.own.heard))
    heard = np.asarray(listen(seeds.fold(jnp.asarray(seeds.root(5)), jnp.arange(4000))))
    said, others = np.array([2, 3, 4, 0, 1]), ~np.eye(5, dtype=bool)
    wrong = heard != said
    assert not wrong[:, range(5), range(5)].any()  # oneself
    assert not wrong[..., 3:].any()  # silence, and words
    rates = wrong.mean(0)[others & (said >= 2)]
    assert abs(rates - 0.3).max() < 0.03
    assert abs(np.corrcoef(wrong[:, 3, 0], wrong[:, 4, 0])[0, 1]) < 0.06
    seen = heard[:, 4, 0][wrong[:, 4, 0]]
    assert set(seen) == {3, 4}
    assert abs((seen == 3).mean() - 0.5) < 0.06


def test_what_is_misheard_is_told_as_heard():
    tower = Talk(Dilemma(), misheard=1)
    state = hold(tower, 2)[1]
    assert state.own.heard.tolist() == [[2, 3], [3, 2]]
    assert tower.facts(state)["talk.said"].tolist() == [2, 2]
    assert tower.tell(state, 0).endswith('You said: "I will cooperate". You heard seat 2 say: "I will not cooperate".')
    assert "With a probability of 100 per cent a listener hears another of the fixed sentences" in tower.rules(0)


def test_mishearing_leaves_the_table_as_it_was():
    players = [(TitForTat(), Pledger()), (Random(), Pledger())]
    clear, noisy = (play(Talk(Dilemma(), misheard=p), *players, matches=9) for p in (0, 0.5))
    np.testing.assert_array_equal(clear.move, noisy.move)


# with sentences, in both runners, and compiled


def test_each_hears_the_sentences_of_those_before():
    """On a floor everybody notes what it heard, says how many sentences that was, and hands on to the seat before."""
    notes = []

    def speaker(view):
        if view.question.name == "next":
            return f"seat {(view.place - 1) % 3 + 1}"
        if view.question.name == "say":
            notes.append((view.round, view.place, [said.text for said in view.heard if said.round == view.round]))
            return f"in words: {len(notes)} from seat {view.place + 1}"
        return "0"

    game = Talk(Commons(seats=3, rounds=2), order="floor", turns=4)
    assert asyncio.run(match.play(game, [Python(speaker)] * 3, KEY, lambda *row: None)).status == "finished"
    assert [round for round, _, _ in notes] == [1] * 4 + [2] * 4
    for i, (_, place, heard) in enumerate(notes):
        before = notes[i // 4 * 4 : i]
        assert heard == [f"{i // 4 * 4 + j + 1} from seat {other + 1}" for j, (_, other, _) in enumerate(before) if other != place]
        assert not before or place == (before[-1][1] - 1) % 3


def test_one_that_fails_on_the_floor_retires_and_the_talk_goes_on():
    def mute(view):
        return "hm" if view.question.name == "next" else "nothing" if view.question.name == "say" else "0"

    def polite(view):
        return {"next": "nobody", "say": "I will cooperate"}.get(view.question.name, "0")

    for seat in range(3):
        rows = []
        agents = [Python(mute if place == seat else polite) for place in range(3)]
        game = Talk(Commons(seats=3, rounds=6), order="floor")
        asyncio.run(match.play(game, agents, KEY, lambda *row, rows=rows: rows.append(row), on_failure="retire"))
        assert rows[-1][3] == event.Finished(6, False)
        (failed,) = [row for row in rows if isinstance(row[3], event.Failed)]
        assert failed[1] == seat
        after = [game.questions[row[3].question].name for row in rows if isinstance(row[3], event.Moved) and row[0] > failed[0]]
        assert after[:2] == [SAY, NEXT]  # another takes the floor in the same talk


class AnyTalk(Random):
    game = "talk"


@kinds
def test_both_runners_hold_the_same_talk(when, order):
    tower = Talk(Punish(Commons(seats=3, rounds=3, capacity=12)), order=order, when=when, misheard=0.3)
    steps, key = play(tower, *[(Random(), AnyTalk())] * 3), np.asarray(seeds.fold(jnp.asarray(seeds.root(1)), 0))
    log = {}
    agents = [PolicyAgent((Random(), AnyTalk()))] * 3
    asyncio.run(match.play(tower, agents, key, lambda step, seat, attempt, what: log.update({(step, seat): what})))
    live = steps.live[:, 0].sum()
    for t in range(live):
        moved = [log.get((t, seat), event.Moved(-1, -1)) for seat in range(3)]
        assert [m.move for m in moved] == steps.move[t, 0].tolist()
        assert [m.question for m in moved] == steps.which[t, 0].tolist()
        assert log[t, event.TABLE].facts["talk.said"] == steps.facts["talk.said"][t, 0].tolist()
    assert isinstance(log[live, event.TABLE], event.Finished)


SLOW = [pytest.param(text, marks=pytest.mark.slow) for text in ("talk(order=floor,turns=3)", "talk(order=turn,when=after,turns=4)")]


@pytest.mark.parametrize("text", ["talk(order=floor,turns=2,misheard=0.3)", *SLOW])
def test_the_contract_of_mechanisms_holds(text):
    testing.check_mechanism(text, "commons(seats=3,rounds=3,capacity=12,report=false)")


def test_however_many_turns_the_code_is_as_long():
    def size(turns):
        tower = Talk(THREE, order="floor", turns=turns)
        code = jax.make_jaxpr(lambda moves: tower.step(KEY, tower.start(KEY), moves))(np.zeros(3, np.int32))
        return len(str(code).splitlines())

    assert size(2) == size(200)


@pytest.mark.parametrize(("field", "value"), [("order", "shouting"), ("turns", -1), ("misheard", 1.5)])
def test_wrong_parameters(field, value):
    with pytest.raises(SpecError, match=f"{field} must be"):
        Talk(Dilemma(), **{field: value})
