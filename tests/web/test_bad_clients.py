"""What a page, or a program in its place, must not do: refused, recorded, and without effect on the others."""

import asyncio
import contextlib
import json

import aiohttp
import pytest
from visit import Client, line, of, play, sitting, together
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from commonage import event
from commonage.run.replay import replay
from commonage.run.study import Study
from commonage.store import read
from commonage.web.sit.pages import BURST, PROTOCOL, Line

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def beside(tmp_path, bad, around=()):
    """A bad client at a table with a good one: (what came of it, what the good one saw, what was recorded). The match is whole."""
    with sitting(Study("dilemma(rounds=3)", "human*2", list(around), repeats=1), tmp_path) as sat:
        done, shown = together(bad(sat.links[0]), play(sat.links[1], lambda ask: "nothing" if ask["words"] else "cooperate", "Bob"))
    assert sat.over().status == {"finished": 1}
    assert replay(tmp_path, 1).differing == []
    assert all(row[3].text in ("nothing", "cooperate") for row in moved(tmp_path) if row[1] == 1)
    return done, shown, sat.troubles


def moved(folder):
    return [row for row in read.match(folder, 1) if isinstance(row[3], event.Moved)]


def defects(ask):
    return "defect"


def test_a_wrong_token_is_an_address_that_is_not_there(tmp_path):
    async def knock(link):
        address, _, token = link.rpartition("/seat/")
        answers = []
        async with aiohttp.ClientSession() as session:
            for path in (f"/seat/{token[:-1]}", f"/seat/{token}x", "/seat/", "/elsewhere", f"/seat/{token}/../x", "/seat/%00%ff"):
                async with session.get(address + path) as answer:
                    answers.append((answer.status, await answer.text()))
        for path in (f"/seat/{token[:-1]}/line", "/elsewhere"):
            with pytest.raises(InvalidStatus) as refused:
                async with connect(address.replace("http", "ws") + path):
                    pass
            answers.append(refused.value.response.status_code)
        await play(link, defects)
        return answers

    answers, _, _ = beside(tmp_path, knock)
    assert answers == [(404, "Not Found")] * 6 + [403, 403]


def test_a_link_opens_its_own_seat_only(tmp_path):
    """Whatever it names: another's question stays the other's."""

    async def for_the_other(link):
        async with line(link) as client:
            asked = await client.until("ask")
            match, step, seat, attempt = asked["id"].split(".")
            await client.say(id=f"{match}.{step}.{1 - int(seat)}.{attempt}", answer="defect")
            refused = await client.until("refused")
            await client.answer(asked, "defect")
            await client.play(defects)
            return refused["why"]

    why, _, troubles = beside(tmp_path, for_the_other)
    assert why == "this question is not open: it was answered, or its time is over"
    assert troubles == [why]


def test_answers_again_out_of_turn_and_illegal(tmp_path):
    async def cheat(link):
        async with line(link) as client:
            asked = await client.until("ask")
            wrong = ["cooperate!", "1", "", "defect\ncooperate,", "in words: hi"]
            for text in wrong:
                await client.answer(asked, text)
                await client.until("refused")
            await client.answer(asked, "defect")  # counts
            await client.answer(asked, "cooperate")  # again
            await client.say(id="1.2.0.0", answer="cooperate")  # what is still to come
            refused = [await client.until("refused") for _ in range(2)]
            return refused, await client.play(defects)

    _, _, troubles = beside(tmp_path, cheat)
    assert len(troubles) == 7
    assert sum("must be exactly one of: cooperate, defect" in why or "empty" in why for why in troubles) == 5
    assert [row[3].move for row in moved(tmp_path) if row[1] == 0] == [1, 1, 1]


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"id": 1, "answer": "x"}', '{"join": 7}', "[" * 5000, '{"id": "x"}'])
def test_what_is_no_message_is_refused(tmp_path, text):
    assert Line.take(object(), text) == PROTOCOL  # type: ignore[arg-type]
    assert Line.take(object(), None) == PROTOCOL  # type: ignore[arg-type]  bytes


def test_a_flood_closes_the_line_and_the_person_may_come_back(tmp_path):
    async def flood(link):
        async with line(link) as client:
            with contextlib.suppress(ConnectionClosed):
                for _ in range(20 * BURST):
                    await client.say(id="x", answer="y")
            await client.socket.wait_closed()
            code = client.socket.close_code
        await play(link, defects)
        return code

    code, _, troubles = beside(tmp_path, flood)
    assert code == 4008
    assert "more than 20 messages a second" in troubles
    assert len(troubles) <= 2 * BURST


def test_a_message_of_ten_megabytes_closes_the_line(tmp_path):
    async def heavy(link):
        async with line(link) as client:
            with contextlib.suppress(ConnectionClosed):
                await client.say(join="x" * 10_000_000)
            await client.socket.wait_closed()
            code = client.socket.close_code
        await play(link, defects)
        return code

    code, _, troubles = beside(tmp_path, heavy)
    assert code == 1009
    assert troubles == ["a message of more than 65,536 bytes"]


def test_scripts_in_names_and_sentences_are_text(tmp_path):
    """They arrive as they were written; that the page shows them as text is tested in a browser."""

    async def inject(link):
        async with line(link, name=SCRIPT + "\x00\x1b") as client:
            return await client.play(lambda ask: f"in words: {SCRIPT}" if ask["words"] else "defect")

    _, shown, troubles = beside(tmp_path, inject, ["talk"])
    assert of(shown, "ask")[1]["view"]["heard"][0]["text"] == SCRIPT
    assert troubles == []


def test_a_name_is_short_and_printable(tmp_path):
    async def name(link):
        async with line(link, name="\x00" + "x" * 10_000) as client:
            while not (room := await client.until("room"))["joined"]:
                pass
            await client.play(defects)
            return room["name"]

    assert beside(tmp_path, name)[0] == "x" * 40


def test_many_lines_that_say_nothing_hold_nobody_up(tmp_path):
    async def crowd(link):
        address = link.replace("http", "ws", 1) + "/line"
        idle = [await connect(address, ping_interval=None) for _ in range(30)]
        shown = await play(link, defects)
        for socket in idle:
            await socket.close()
        return shown

    shown, _, _ = beside(tmp_path, crowd)
    assert len(of(shown, "result")) == 1


def test_a_page_that_reads_nothing_holds_nobody_up(tmp_path):
    async def deaf(link):
        socket = await connect(link.replace("http", "ws", 1) + "/line", ping_interval=None)
        client = Client(socket)
        await client.say(join="Deaf")
        for step in range(3):
            while True:
                await asyncio.sleep(0.02)
                await socket.send(json.dumps({"id": f"1.{step}.0.0", "answer": "defect"}))
                if (step, 0) in {row[:2] for row in moved(tmp_path)}:
                    break
        await socket.close()

    beside(tmp_path, deaf)
