"""The journal of calls: what models were sent comes back as it was, is stored once, and shows what was changed."""

import math
import sqlite3

import logs
import pytest

from commonage.errors import LogError
from commonage.event import TABLE, Asked, Failed, Moved, Started
from commonage.model import Call, Message, Reply
from commonage.store import read
from commonage.store.calls import SpentAt
from commonage.store.log import Log

RULES = Message("system", "Six fish a round, and the lake is shared.")
ADDRESS = "https://models.example/v1"


def talk(*texts):
    """A conversation: the rules, then user and assistant in turn."""
    return (RULES, *(Message(("user", "assistant")[i % 2], text) for i, text in enumerate(texts)))


HOW_MANY = talk("How many?")


def call(messages=HOW_MANY, reply="two", model="some/model", **more):
    answer = Reply(reply, tokens_in=100, tokens_out=10) if isinstance(reply, str) else reply
    return Call(model, ADDRESS, "chat", messages, more.pop("settings", {"temperature": 0.7}), answer, **more)


ONE_OF_EACH = [
    call(cost=0.002, seconds=1.5, waited=0.25, tries=2),
    call(cost=None),
    call(reply=None, trouble="503, asked four times: <html>\ud800\x00", tries=4, seconds=9.0),
    call(cost=0.0, cached=True, tries=0),
    call((), Reply("", p=(0.25, 0.75), mass=0.875, tokens_in=7, counted=False)),
    call(talk("湖\ud800\x00\x1b[31m", "", "x" * 100_000), Reply("\udfff", "length", "I would rather not", 5, 6, 4)),
    call(settings={}, reply="TWO"),
]


def write(folder, *calls, seat=0, arms=1, **more):
    """A log of one match in which a seat made these calls, step by step."""
    with Log.create(folder, {}) as log:
        log.arm(logs.header(**more))
        log.write(1, -1, TABLE, 0, Started(0, 0, [0, 1, 2]))
        for step, made in enumerate(calls):
            log.call(1, step, seat, 0, 0, made)
    return folder


def rows(folder, query):
    connection = sqlite3.connect(folder / "log.sqlite")
    found = connection.execute(query).fetchall()
    connection.close()
    return found


def change(folder, statement, *values):
    connection = sqlite3.connect(folder / "log.sqlite")
    with connection:
        assert connection.execute(statement, values).rowcount > 0
    connection.close()


# what comes back


def test_every_call_comes_back(tmp_path):
    back = read.sent(write(tmp_path / "run", *ONE_OF_EACH, seat=2), 1)
    assert [row[:4] for row in back] == [(step, 2, 0, 0) for step in range(len(ONE_OF_EACH))]
    for given, (*_, found) in zip(ONE_OF_EACH, back, strict=True):
        trouble = given.trouble.encode("utf-8", "backslashreplace").decode()  # in words for people: half a character is escaped
        assert repr(found) == repr(given._replace(trouble=trouble))  # NaN and NaN
    assert math.isnan(back[0][-1].reply.mass)
    assert read.sent(tmp_path / "run", 2) == []


def test_a_place_can_have_several_calls(tmp_path):
    with Log.create(tmp_path / "run", {}) as log:
        for reply in (None, "two", "two"):
            log.call(1, 0, 0, 0, 3, call(reply=reply))
    assert [found.reply and found.reply.text for *_, found in read.sent(tmp_path / "run", 1)] == [None, "two", "two"]


def test_only_whole_numbers_are_places(tmp_path):
    with Log.create(tmp_path / "run", {}) as log, pytest.raises(TypeError):
        log.call(1, 0, 0, 0, 0.0, call())


def test_the_frame(tmp_path):
    first, then = talk("How many?"), talk("How many?", "two", "And now?")
    folder = write(tmp_path / "run", call(first, cost=0.5), call(then, None, trouble="cut"), call(talk("How few?"), cached=True, tries=0))
    frame = read.calls(folder)
    assert frame.select("arm", "match", "step", "seat", "attempt", "number").rows() == [(0, 1, step, 0, 0, 0) for step in range(3)]
    assert frame.select("model", "verb", "tokens_in", "cost", "tries", "trouble", "cached", "replied").rows() == [
        ("some/model", "chat", 100, 0.5, 1, None, False, True),
        ("some/model", "chat", 0, 0.0, 1, "cut", False, False),
        ("some/model", "chat", 100, 0.0, 0, None, True, True),
    ]
    rules = len(RULES.text)
    assert frame["prompt"].to_list() == [rules + 9, rules + 9 + 3 + 8, rules + 8]
    assert frame["shared"].to_list() == [0, rules + 9, rules + 4]  # "How " is the same


def test_another_seat_and_another_model_share_nothing(tmp_path):
    with Log.create(tmp_path / "run", {}) as log:
        for step, (match, seat, model) in enumerate([(1, 0, "a"), (1, 1, "a"), (2, 0, "a"), (1, 0, "b"), (1, 0, "a")]):
            log.call(match, step, seat, 0, 0, call(model=model))
    assert [shared > 0 for shared in read.calls(tmp_path / "run")["shared"]] == [False, False, False, False, True]


# stored once


def test_a_long_conversation_is_stored_once(tmp_path):
    """Thirty rounds, each sent with all that was said before: what is stored grows by what is new."""
    folder, texts = tmp_path / "run", []
    with Log.create(folder, {}) as log:
        for step in range(30):
            texts.append(f"Round {step}. " + "What do you take? " * 20)
            log.call(1, step, 0, 0, 0, call(talk(*texts), reply=f"I take {step}."))
            log.flush()
            texts.append(f"I take {step}.")
    assert len(rows(folder, "SELECT hash FROM messages")) == 1 + len(texts)
    (stored,) = rows(folder, "SELECT sum(length(text)) FROM messages")[0]
    assert stored == len(RULES.text) + sum(map(len, texts))
    assert read.sent(folder, 1)[-1][-1].messages == talk(*texts[:-1])


def test_the_same_words_after_others_are_another_message(tmp_path):
    folder = write(tmp_path / "run", call(talk("a", "b", "c")), call(talk("b", "b", "c")))
    assert [found.messages for *_, found in read.sent(folder, 1)] == [talk("a", "b", "c"), talk("b", "b", "c")]


# flushed with the events


def test_calls_and_events_are_on_disk_together_or_not_at_all(tmp_path):
    with Log.create(tmp_path / "run", {}) as log:
        log.arm(logs.header())
        log.write(1, -1, TABLE, 0, Started(0, 0, [0, 1, 2]))
        log.call(1, 0, 0, 0, 0, call())
        assert read.sent(tmp_path / "run", 1) == []
        log.write(1, 0, 0, 0, Moved(0, 2))
        log.flush()
        assert len(read.sent(tmp_path / "run", 1)) == len(log.events(1)) - 1 == 1
        log.call(1, 1, 0, 0, 0, call())
        log.write(1, 0, 0, 0, Moved(0, 3))  # another move than the one that stands there
        with pytest.raises(LogError, match="what is in a log stays"):
            log.flush()
        assert len(read.sent(tmp_path / "run", 1)) == 1
        log._rows.clear()


def test_what_is_flushed_again_makes_no_second_call(tmp_path):
    """The same events once more, as after a crash: the call that came with them is one call."""
    with Log.create(tmp_path / "run", {}) as log:
        for _ in range(2):
            log.write(1, 0, 0, 0, Moved(0, 2))
            log.flush()
        log.write(1, 0, 0, 0, Moved(0, 2))
        log.call(1, 0, 0, 0, 0, call())
        log.flush()
        log.flush()
    assert len(read.sent(tmp_path / "run", 1)) == 1


# money


def test_what_was_spent(tmp_path):
    calls = [call(cost=0.5), call(cost=0.25), call(cost=0.125, cached=True), call(model="other/model", cost=None), call(reply=None)]
    write(tmp_path / "run", *calls)
    with Log.open(tmp_path / "run") as log:
        spent = log.spent()
        assert (spent.money, spent.tokens) == (0.75, 330)
        assert spent.at == (SpentAt("other/model", ADDRESS, 1, 100, 10, 0.0, 1), SpentAt("some/model", ADDRESS, 3, 200, 20, 0.75, 0))
        log.call(2, 0, 0, 0, 0, call(cost=1.0))
        assert log.spent().money == 1.75  # what is not flushed yet is spent, too


def test_nothing_is_spent_without_calls(tmp_path):
    with Log.create(tmp_path / "run", {}) as log:
        assert log.spent() == (0, 0, ())


# equality


def test_clocks_tries_money_and_the_cache_do_not_count(tmp_path):
    a = write(tmp_path / "a", call(cost=0.5, seconds=1.0, waited=0.5), call(talk("And now?")))
    b = write(tmp_path / "b", call(cost=0.0, seconds=9.0, tries=3), call(talk("And now?"), cached=True, tries=0))
    assert read.equal(a, b) == read.equal(b, a) == []


def test_a_call_that_came_to_nothing_and_was_made_again_does_not_count(tmp_path):
    a, b = write(tmp_path / "a", call()), tmp_path / "b"
    with Log.create(b, {}) as log:
        log.arm(logs.header())
        log.write(1, -1, TABLE, 0, Started(0, 0, [0, 1, 2]))
        for made in (call(reply=None, trouble="cut"), call(), call(cached=True)):
            log.call(1, 0, 0, 0, 0, made)
    assert read.equal(a, b) == read.equal(b, a) == []


@pytest.mark.parametrize(
    "other",
    [call(talk("How few?")), call(reply="three"), call(settings={"temperature": 0.8}), call(model="other/model"), call(reply=None)],
    ids=["sent", "said", "settings", "model", "nothing"],
)
def test_what_was_sent_and_said_counts(tmp_path, other):
    found = read.equal(write(tmp_path / "a", call()), write(tmp_path / "b", other))
    assert found[0] == "match 1, step 0, seat 0, attempt 0, call 0: to some/model by chat, only there"
    assert len(found) == (1 if other.reply is None else 2)


# damage


@pytest.mark.parametrize(
    ("statement", "values", "says"),
    [
        (
            "UPDATE messages SET text = ? WHERE role = 'system'",
            (b"Seven fish",),
            "the system message [0-9a-f]{32} is not as it was written",
        ),
        ("UPDATE messages SET text = ? WHERE role = 'user'", (b"\xff\xfe",), "the user message [0-9a-f]{32} is not as it was written"),
        ("UPDATE messages SET role = 'user' WHERE role = 'system'", (), "the user message [0-9a-f]{32} is not as it was written"),
        ("DELETE FROM messages WHERE role = 'system'", (), "the message [0-9a-f]{32} is missing"),
        ("UPDATE calls SET cost = 0.0 WHERE step = 1", (), "match 1, step 1, seat 0, attempt 0, call 0: it is not as it was written"),
        ("UPDATE calls SET seat = 1 WHERE step = 1", (), "match 1, step 1, seat 1, attempt 0, call 0: it is not as it was written"),
        ("UPDATE calls SET reply = messages WHERE step = 1", (), "match 1, step 1, seat 0, attempt 0, call 0: it is not as it was"),
    ],
)
def test_what_was_changed_shows(tmp_path, statement, values, says):
    folder = write(tmp_path / "run", call(), call(cost=0.5))
    change(folder, statement, *values)
    for use in (read.calls, lambda folder: read.sent(folder, 1)):
        with pytest.raises(LogError, match=says) as caught:
            use(folder)
        assert "--out" in str(caught.value)


# a log of before


@pytest.fixture
def before(tmp_path):
    """A log as it was written when there were no calls."""
    folder = logs.mixed(tmp_path / "before")
    connection = sqlite3.connect(folder / "log.sqlite")
    connection.executescript("DROP TABLE calls; DROP TABLE messages")
    connection.close()
    return folder


def test_a_log_of_before_is_read(before, tmp_path):
    assert read.calls(before).is_empty()
    assert read.sent(before, 1) == []
    assert read.answers(before).is_empty()
    new = logs.mixed(tmp_path / "new")
    assert read.equal(before, new) == read.equal(new, before) == []
    with Log.open(new) as log:
        log.call(1, 0, 0, 0, 0, call())
    assert len(read.equal(before, new)) == len(read.equal(new, before)) == 1


def test_a_log_of_before_goes_on(before):
    with Log.open(before) as log:
        assert log.spent() == (0, 0, ())
        log.call(1, 0, 0, 0, 0, call())
    assert [found for *_, found in read.sent(before, 1)] == [call()]
    assert read.read(before).matches.height == 3


# what came of questions


def test_answers_are_told_where_models_were_called(tmp_path):
    """Arm 0 calls a model and arm 1 does not: of arm 1 every question was a move, and nothing is told."""
    with Log.create(tmp_path / "run", logs.STUDY) as log:
        log.arm(logs.header())
        log.arm(logs.header(1))
        logs.play_mixed(log)
        for row in logs.rows(4, 1, 0):
            log.write(4, *row)
        assert read.answers(tmp_path / "run").is_empty()
        log.call(2, 0, 1, 0, 0, call())
        log.flush()
    found = read.answers(tmp_path / "run")
    asked = [(match, step, seat) for match in (1, 2, 3) for step in range(logs.STEPS) for seat in range(logs.SEATS)]
    moves = [place for place in asked if (move := logs.moved(*place)) and not move.forced]
    assert sorted(found.select("match", "step", "seat").rows()) == moves
    assert set(found["kind"]) == {"moved"}
    assert set(found["status"]) == {"finished"}


def test_the_moves_of_before_a_fork_were_asked_for_elsewhere(tmp_path):
    """From round 2 on the fork asks; steps 0 and 1 are round 1."""
    with Log.create(tmp_path / "run", {}) as log:
        log.arm(logs.header(forked={"from": ["elsewhere", 1], "at": 2}))
        logs.play_mixed(log, (1,))
        for step in (2, 3):
            log.call(1, step, 1, 0, 0, call())
    assert read.answers(tmp_path / "run").filter(seat=1)["step"].to_list() == [2, 3]


def test_half_a_character_breaks_no_table(tmp_path):
    """Servers send what they like; it stands in the log, and in tables as what it is."""
    half = "no \ud800"
    with Log.create(tmp_path / "run", {}) as log:
        log.arm(logs.header())
        log.write(1, -1, TABLE, 0, Started(0, 0, [0, 1, 2]))
        log.call(1, 0, 0, 0, 0, call(reply=half, trouble=half))
        log.write(1, 0, 0, 0, Asked(0, half, half))
        log.write(1, 0, 0, 3, Failed("model", half))
    assert read.read(tmp_path / "run").matches["cause"].to_list() == [r"no \ud800"]
    assert read.events(tmp_path / "run")["text"].drop_nulls().to_list() == [r"no \ud800"]
    assert read.calls(tmp_path / "run")["trouble"].to_list() == [r"no \ud800"]
    assert read.match(tmp_path / "run", 1)[2][-1].what == read.sent(tmp_path / "run", 1)[0][-1].reply.text == half
