"""The desk, call by call: what is sent, what is paid, what is recorded, and when a match pauses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
from abacus import HELLO, Abacus, Book, Place, busy

from commonage.errors import Pause, SpecError
from commonage.model import Message, Reply
from commonage.models import desk as desks
from commonage.models.desk import Desk, Unaffordable, current, recording
from commonage.models.limits import Limits

PRICE = [10.0, 100.0]  # so that a reply of 100 and 10 tokens costs $0.002


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, with a cache of its own, and without long waits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(desks, "WAIT", 0.0001)


def desk(**limits: Any) -> Desk:
    return Desk(Limits(**{"budget": 100, **limits}))


def ask(
    desk: Desk, model: Abacus, place: Place | None = None, number: int = 0, text: str = "How many?", **more: Any
) -> Coroutine[Any, Any, Reply]:
    more = {"price": PRICE, **more}
    return desk.call(
        model, "chat", (*HELLO[:1], Message("user", text)), settings={"max_tokens": 50}, view=place or Place(), number=number, **more
    )


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(work())


def outcomes(work: Sequence[Awaitable[Reply]]) -> Coroutine[Any, Any, list[Any]]:
    async def all_of() -> list[Any]:
        return await asyncio.gather(*work, return_exceptions=True)

    return all_of()


# one call


def test_a_call_is_recorded_as_it_was_made() -> None:
    model, book, mine = Abacus(), Book(), desk()

    async def work() -> Reply:
        with recording(book):
            return await ask(mine, model, Place(step=3, place=1, seat=2, attempt=1), number=4)

    reply = run(work)
    (call,) = book.calls
    assert book.places == [(3, 2, 1, 4)]
    assert call.reply == reply
    assert (call.model, call.address, call.verb) == ("counting/abacus", "https://abacus.example/v1", "chat")
    assert call.messages == HELLO
    assert call.settings == {"max_tokens": 50}
    assert (call.trouble, call.tries, call.cached) == ("", 1, False)
    assert call.cost == pytest.approx(0.002)
    assert mine.purse.spent == pytest.approx((0.002, 110))


def test_decide_hands_on_the_options() -> None:
    mine = desk()
    reply = run(lambda: mine.call(Abacus(), "decide", HELLO, ("fish", "rest"), view=Place(), number=0, price=PRICE))
    assert reply.p == (0.5, 0.5)


def test_outside_of_a_study_a_paid_call_is_refused_and_a_free_one_is_made() -> None:
    paid, free = Abacus(), Abacus(address="http://127.0.0.1:9/v1")
    with pytest.raises(SpecError, match=r"counting/abacus: paid, and there is no budget, so nothing was sent\. Add one: --budget"):
        run(lambda: ask(current(), paid, price=None))
    run(lambda: ask(current(), free, price=None))
    assert (len(paid.sent), len(free.sent)) == (0, 1)


def test_a_match_that_meets_no_budget_pauses() -> None:
    assert issubclass(Unaffordable, Pause)


def test_the_current_desk_is_the_studys() -> None:
    mine = desk()
    with mine.using():
        assert current() is mine
    assert current() is not mine


# tries


def test_trouble_that_passes_costs_tries_and_no_money() -> None:
    model, book, mine = Abacus(), Book(), desk()
    model.troubles = [busy(503), busy(429), busy(0)]

    async def work() -> None:
        with recording(book):
            await ask(mine, model)

    run(work)
    (call,) = book.calls
    assert (call.tries, call.trouble, len(model.sent)) == (4, "", 4)
    assert mine.purse.spent.money == pytest.approx(0.002)


def test_after_four_tries_the_match_pauses_and_the_call_is_in_the_log() -> None:
    model, book, mine = Abacus(), Book(), desk()
    model.troubles = [busy(503)] * 9

    async def work() -> None:
        with recording(book):
            await ask(mine, model)

    with pytest.raises(Pause, match=r"counting/abacus at https://abacus\.example/v1: status 503 \(4 tries\)"):
        run(work)
    (call,) = book.calls
    assert (call.reply, call.tries, call.trouble, call.cost) == (None, 4, "status 503 (4 tries)", 0.0)
    assert len(model.sent) == 4
    assert mine.purse.spent == (0, 0)


def test_what_is_not_worth_another_try_gets_none() -> None:
    model, mine = Abacus(), desk()
    model.troubles = [busy(401, again=False)]
    with pytest.raises(Pause, match=r"status 401$"):
        run(lambda: ask(mine, model))
    assert len(model.sent) == 1


def test_a_server_that_wants_to_rest_longer_than_we_wait_is_not_asked_again() -> None:
    model, mine = Abacus(), desk()
    model.troubles = [busy(429, after=60.0)]
    with pytest.raises(Pause, match=r"status 429$"):
        run(lambda: ask(mine, model))
    assert len(model.sent) == 1


def test_a_short_rest_is_kept_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry-After holds for the endpoint: the second call, too, goes out only after it."""
    model, mine, waits = Abacus(), desk(), list[float]()
    wait = desks.Lane.wait

    async def noted(lane: Any, seconds: float) -> None:
        waits.append(seconds)
        await wait(lane, 0)

    monkeypatch.setattr(desks.Lane, "wait", noted)
    model.troubles = [busy(429, after=5.0)]

    async def work() -> None:
        await ask(mine, model)
        await ask(mine, model, Place(step=1))

    run(work)
    assert [round(seconds) for seconds in waits] == [0, 5, 5, 5]  # the first turn; the rest; the second turn; the other call's


def test_no_answer_in_time_pauses_and_may_be_charged() -> None:
    """The server may have computed the reply: what it was guessed to cost counts as spent."""
    model, book, mine = Abacus(), Book(), desk(timeout=0.01)

    async def work() -> None:
        model.gate.clear()
        with recording(book):
            await ask(mine, model)

    with pytest.raises(Pause, match=r"no answer within 0\.01 s; --timeout gives it longer"):
        run(work)
    (call,) = book.calls
    assert call.cost is not None
    assert call.cost > 50 * 100 / 1e6
    assert mine.purse.spent.money == call.cost


def test_an_error_of_a_client_is_no_fault_of_the_model() -> None:
    model, mine = Abacus(), desk()
    model.troubles = [KeyError("choices")]
    with pytest.raises(Pause, match="KeyError: 'choices'"):
        run(lambda: ask(mine, model))


# an endpoint in trouble


def test_a_paused_endpoint_pauses_its_other_calls_at_once() -> None:
    """One call in flight, five in the queue: when it comes to nothing the five learn it without being sent; so do later ones."""
    model, other, mine = Abacus(), Abacus("other", "https://other.example/v1"), desk(in_flight=1)
    model.troubles = [busy(401, again=False)]

    async def work() -> list[Any]:
        found = await outcomes([ask(mine, model, Place(step)) for step in range(6)])
        return [*found, *await outcomes([ask(mine, model, Place(9)), ask(mine, other)])]

    *paused, fine = run(work)
    assert len(model.sent) == 1
    assert all(isinstance(one, Pause) for one in paused)
    assert {str(one) for one in paused} == {"counting/abacus at https://abacus.example/v1: status 401"}
    assert isinstance(fine, Reply)


def test_those_who_wait_for_another_try_learn_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first would try again in an hour; the second finds the key refused, and both pause."""
    monkeypatch.setattr(desks, "WAIT", 3600.0)
    model, book, mine = Abacus(), Book(), desk(timeout=86_400)
    model.troubles = [busy(503), busy(401, again=False)]

    async def work() -> list[Any]:
        with recording(book):
            return await asyncio.wait_for(outcomes([ask(mine, model, Place(step)) for step in range(2)]), 5)

    assert [str(one) for one in run(work)] == [f"counting/abacus at https://abacus.example/v1: status {status}" for status in (503, 401)]
    assert [call.tries for call in book.calls] == [1, 1]


def test_calls_in_flight_are_awaited_when_the_endpoint_pauses() -> None:
    model, mine = Abacus(), desk()
    model.troubles = [busy(401, again=False), None]
    refused, fine = run(lambda: outcomes([ask(mine, model), ask(mine, model, Place(1))]))
    assert isinstance(refused, Pause)
    assert isinstance(fine, Reply)
    assert mine.purse.spent.money == pytest.approx(0.002)


def test_a_request_that_the_server_cannot_read_pauses_its_own_match_only() -> None:
    model, mine = Abacus(), desk()
    model.troubles = [busy(400, again=False)]

    async def work() -> list[Any]:
        return [*await outcomes([ask(mine, model)]), *await outcomes([ask(mine, model, Place(1))])]

    first, second = run(work)
    assert isinstance(first, Pause)
    assert isinstance(second, Reply)


# limits


def test_so_many_calls_in_flight() -> None:
    model, mine = Abacus(), desk(in_flight=3)
    run(lambda: outcomes([ask(mine, model, Place(step)) for step in range(20)]))
    assert (model.most, len(model.sent)) == (3, 20)


def test_each_endpoint_has_its_own_limit() -> None:
    one, other, mine = Abacus(), Abacus("other", "https://other.example/v1"), desk(in_flight=2)
    run(lambda: outcomes([ask(mine, model, Place(step)) for step in range(8) for model in (one, other)]))
    assert (one.most, other.most) == (2, 2)


@pytest.mark.parametrize(
    ("limits", "gap"),
    [
        ({"requests_per_minute": 30}, 2.0),
        ({"tokens_per_minute": 6_000}, 1.1),
        ({"requests_per_minute": 30, "tokens_per_minute": 6_000}, 2.0),
    ],
)
def test_so_many_a_minute(monkeypatch: pytest.MonkeyPatch, limits: dict[str, Any], gap: float) -> None:
    """Requests go out evenly: 30 a minute is one in two seconds; replies of 110 tokens at 6,000 a minute one in 1.1 seconds."""
    model, mine, now = Abacus(), desk(**limits), [0.0]
    times: list[float] = []

    async def jump(lane: Any, seconds: float) -> None:
        now[0] += max(seconds, 0)
        times.append(now[0])

    monkeypatch.setattr(desks.Lane, "wait", jump)
    monkeypatch.setattr("commonage.models.limits.clock", lambda: now[0])

    async def work() -> None:
        for step in range(4):
            await ask(mine, model, Place(step))

    run(work)
    assert times == pytest.approx([0, gap, 2 * gap, 3 * gap])


# budget


def test_a_call_is_not_begun_when_the_budget_does_not_cover_it() -> None:
    """A call is guessed at $0.006, 50 tokens out and 100 in, and takes $0.002. So of $0.012 four are made."""
    model, mine = Abacus(), desk(budget="0.012")

    async def work() -> list[Any]:
        return [(await outcomes([ask(mine, model, Place(step))]))[0] for step in range(9)]

    found = run(work)
    made = [one for one in found if isinstance(one, Reply)]
    assert len(made) == len(model.sent) == 4
    assert mine.purse.spent.money == pytest.approx(0.008)
    assert str(found[-1]) == "budget 0.012 reached: the next call may exceed it. A larger --budget goes on from here"


def test_what_is_in_flight_is_held_back() -> None:
    """All at once: as many go out as the budget covers at their guess; the others wait for what those really take, and then pause."""
    model, mine = Abacus(), desk(budget="0.012")
    found = run(lambda: outcomes([ask(mine, model, Place(step)) for step in range(9)]))
    assert model.most == 2
    assert len(model.sent) == 4
    assert sum(isinstance(one, Pause) for one in found) == 5
    assert mine.purse.spent.money <= 0.012
    assert mine.purse.held == (0, 0)


def test_a_budget_in_tokens_needs_no_price() -> None:
    model, book, mine = Abacus(), Book(), desk(budget="0.5ktok")

    async def work() -> list[Any]:
        with recording(book):
            return [(await outcomes([ask(mine, model, Place(step), price=None)]))[0] for step in range(6)]

    found = run(work)
    assert [isinstance(one, Reply) for one in found] == [True] * 4 + [False] * 2
    assert mine.purse.spent.tokens == 440
    assert "budget 500tok reached" in str(found[-1])
    assert {call.cost for call in book.calls} == {None}


def test_money_without_a_price_is_refused() -> None:
    model = Abacus()
    with pytest.raises(
        SpecError, match=r"counting/abacus: no price is known, so --budget 100 cannot be kept and nothing was sent.*200ktok"
    ):
        run(lambda: ask(desk(), model, price=None))
    assert model.sent == []


def test_what_costs_nothing_goes_on_when_the_money_is_spent() -> None:
    paid, free, mine = Abacus(), Abacus("mine", "http://localhost:1/v1"), desk(budget="0.001")
    refused, fine = run(lambda: outcomes([ask(mine, paid), ask(mine, free, price=None)]))
    assert isinstance(refused, Pause)
    assert isinstance(fine, Reply)


def test_a_guess_learns_from_replies() -> None:
    """A model that takes more tokens than three bytes each is not underestimated twice."""
    model, mine = Abacus(), desk(budget="1Mtok")

    async def work() -> tuple[Any, Any]:
        request = desks.Request(model, "chat", HELLO)
        before = mine._guess(request, request.size())
        await mine.call(model, "chat", HELLO, view=Place(), number=0)
        return before, mine._guess(request, request.size())

    before, after = run(work)
    assert before[0] < 100
    assert after[0] == pytest.approx(100)


# cache


def test_the_same_call_is_paid_once() -> None:
    """The same place of the same match: another desk, another day."""
    model, book = Abacus(), Book()

    async def work() -> list[Reply]:
        replies = []
        for _ in range(2):
            mine = desk()
            with recording(book):
                replies.append(await ask(mine, model))
            await mine.close()
        return replies

    first, second = run(work)
    assert first._replace(mass=0) == second._replace(mass=0)
    assert len(model.sent) == 1
    assert [(call.cached, call.cost, call.tries) for call in book.calls] == [(False, pytest.approx(0.002), 1), (True, 0.0, 0)]


OTHERS: list[dict[str, Any]] = [
    {"place": Place(key=(1, 3))}, {"place": Place(step=1)}, {"place": Place(place=1)}, {"place": Place(attempt=1)}, {"number": 1},
    {"text": "How few?"}, {"model": Abacus("another")}, {"model": Abacus(address="https://b.example/v1")},
]  # fmt: skip


@pytest.mark.parametrize("other", OTHERS, ids=[next(iter(other)) for other in OTHERS])
def test_another_call_draws_afresh(other: dict[str, Any]) -> None:
    model, mine = Abacus(), desk()
    second = other.get("model", model)

    async def work() -> None:
        await ask(mine, model)
        await ask(mine, **{"model": second, **other})

    run(work)
    assert len(model.sent) + (len(second.sent) if second is not model else 0) == 2


def test_other_settings_are_another_call_and_the_seat_is_not() -> None:
    model, mine = Abacus(), desk()

    async def work(settings: dict[str, Any], seat: int) -> None:
        await mine.call(model, "chat", HELLO, settings=settings, view=Place(seat=seat), number=0, price=PRICE)

    for settings, seat in (({"temperature": 0.5}, 0), ({"temperature": 0.7}, 0), ({"temperature": 0.7}, 1)):
        run(lambda settings=settings, seat=seat: work(settings, seat))
    assert len(model.sent) == 2


def test_what_failed_is_not_in_the_cache() -> None:
    model, mine = Abacus(), desk()
    model.troubles = [busy(400, again=False)]

    async def work() -> list[Any]:
        return [*await outcomes([ask(mine, model)]), *await outcomes([ask(mine, model)])]

    assert [type(one) for one in run(work)] == [Pause, Reply]


def test_cached_only_pauses_rather_than_pays() -> None:
    model = Abacus()
    run(lambda: ask(desk(), model))
    mine = desk(cached_only=True, budget=None)
    again, new = run(lambda: outcomes([ask(mine, model), ask(mine, model, Place(1))]))
    assert isinstance(again, Reply)
    assert str(new) == "counting/abacus at https://abacus.example/v1: not in the cache, and --cached-only asks for nothing new"
    assert len(model.sent) == 1


def test_no_cache() -> None:
    model = Abacus()
    for _ in range(2):
        run(lambda: ask(desk(cache=False), model))
    assert len(model.sent) == 2


def test_what_computes_in_this_process_is_not_kept(tmp_path: Path) -> None:
    model = Abacus(address="")
    for _ in range(2):
        run(lambda: ask(desk(), model))
    assert len(model.sent) == 2


def test_closing_lets_models_go(tmp_path: Path) -> None:
    model, mine = Abacus(), desk()

    async def work() -> None:
        await ask(mine, model)
        await mine.close()

    run(work)
    assert model.closed


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"in_flight": 0}, "in_flight=0: in_flight must be a whole number, at least 1"),
        ({"requests_per_minute": -1}, "requests_per_minute=-1: requests_per_minute must be a number; 0 is no limit"),
        ({"timeout": 0}, "timeout=0: timeout must be seconds, above 0"),
        ({"cache": ""}, "cache='': cache must be a folder, or true or false"),
        ({"cached_only": True, "cache": False}, "cached_only=True: cached_only must be false where there is no cache"),
        ({"budget": "two"}, "budget 'two': a number above 0; --budget 2 is money (US dollars), --budget 200ktok or 1.5Mtok is tokens"),
        ({"budget": 0}, "budget 0: a number above 0"),
        ({"speed": 3}, "limits {'speed': 3}: a table of budget, cache, cached_only, in_flight"),
    ],
)
def test_limits_that_are_none(given: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError) as raised:
        Limits.of(given)
    assert str(raised.value).startswith(says)


@pytest.mark.parametrize(
    ("text", "most", "unit", "back"),
    [
        ("2", 2, "money", "2"), ("2.50", 2.5, "money", "2.5"), (3, 3, "money", "3"), ("$4", 4, "money", "4"),
        ("200ktok", 200_000, "tokens", "200ktok"), ("1.5Mtok", 1_500_000, "tokens", "1.5Mtok"), ("900tok", 900, "tokens", "900tok"),
    ],
)  # fmt: skip
def test_a_budget_is_money_or_tokens(text: Any, most: float, unit: str, back: str) -> None:
    budget = Limits(budget=text).budget
    assert budget == (most, unit)
    assert str(budget) == back
