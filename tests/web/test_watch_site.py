"""The watching site by real requests on the loopback, while another process writes what it shows."""

import asyncio
import json
import threading
from contextlib import contextmanager

import aiohttp
import pytest
from lively import lively
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from commonage import Study
from commonage.errors import SpecError
from commonage.web import site
from commonage.web.watch import watch

SECONDS = 60  # after which a test gives up


@contextmanager
def served(folder, **how):
    """The address of the site, served by a thread while the block runs."""
    known, loop = threading.Event(), asyncio.new_event_loop()
    found = []

    async def serve():
        stop = asyncio.Event()
        async with site.serving(watch(folder, **how)) as address:
            found.extend([address, stop])
            known.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert known.wait(SECONDS)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(found[1].set)
        thread.join(SECONDS)
        loop.close()


async def get(address, path):
    """(status, what it says)."""
    async with aiohttp.ClientSession() as session, session.get(address + path) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if answer.content_type == "application/json" else text


async def until(address, path, holds):
    """What a path says as soon as it is so."""
    async with asyncio.timeout(SECONDS):
        while True:
            status, told = await get(address, path)
            if status == 200 and holds(told):
                return told
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    Study("dilemma(rounds=3)", "tit_for_tat,defector", repeats=2).run(folder / "one")
    Study("dilemma(rounds=2)", "pavlov,llm:fake", ["talk"], repeats=1).run(folder / "deep" / "two")
    return folder


def test_every_page_and_every_answer(lab):
    with served(lab) as address:
        say = lambda path: asyncio.run(get(address, path))
        assert [one["id"] for one in say("/api")[1]] == ["one", "deep~two"]
        assert say("/study/one/1")[1].startswith("<!doctype html>")
        assert say("/api/one")[1]["planned"] == 2
        assert [row["match"] for row in say("/api/one/matches?first=2&count=5")[1]] == [2]
        assert len(say("/api/one/matches/1/columns?first=2&last=3")[1]) == 2
        assert say("/api/one/matches/1/scene?step=2")[1]["picture"]["marks"]
        assert say("/api/deep~two/matches/1/seen?step=0&seat=1")[1]["rules"]
        assert say("/api/deep~two/matches/1/course")[1]["marks"]
        assert say("/api/one/arms")[1]["measures"]


@pytest.mark.parametrize(
    ("path", "status", "why"),
    [
        ("/api/three", 404, "three"),
        ("/api/..%2Fone", 404, ""),
        ("/api/one/matches/3", 404, "it has 2"),
        ("/api/one/matches?first=-1", 400, "first=-1: a whole number"),
        ("/api/one/matches/1/seen?step=0&seat=9", 404, "no seat 9"),
        ("/api/one/matches/1/columns?first=1&last=1e9", 400, "a whole number"),
    ],
)
def test_what_there_is_not_is_said_so(lab, path, status, why):
    with served(lab) as address:
        found, told = asyncio.run(get(address, path))
    assert found == status
    assert why in str(told)


def test_a_folder_without_a_log_is_an_error(tmp_path):
    with pytest.raises(SpecError, match="nor in a folder in it"):
        watch(tmp_path)


def test_a_live_match_is_heard_from_another_process_and_gone_on_with_behind_a_number(tmp_path):
    async def follow(address, go):
        go(1)
        await until(address, "/api/live/matches/1", lambda about: about["status"] == "open" and about["steps"] == 1)
        status, told = await get(address, "/api/live/matches/1/seen?step=0&seat=1")
        assert (status, "--open-hands" in told["error"]) == (403, True)
        heard, numbers = [], [0]
        line = address.replace("http", "ws") + "/live/live/1"
        for moves in (1, 2, 2):  # each time a new connection, behind the last number
            async with connect(f"{line}?after={numbers[-1]}") as socket, asyncio.timeout(SECONDS):
                go(moves)
                steps = heard[-1]["rows"][0]["steps"] if heard else 1
                while not heard or heard[-1]["rows"][0]["steps"] < steps + moves:
                    heard.append(json.loads(await socket.recv()))
                    numbers.append(heard[-1]["n"])
        assert numbers == sorted(set(numbers))
        columns = (await get(address, "/api/live/matches/1/columns?first=1&last=9"))[1]
        assert "my secret" not in str((heard, columns))
        assert [cell["acts"][0]["move"] for cell in columns[0]["seats"] if cell["acts"][0]["kind"] == "says"] == ["hello <b>1</b>"]
        return heard

    with lively(tmp_path / "live") as go:
        asyncio.run(_when_there(tmp_path / "live"))
        with served(tmp_path) as address:
            heard = asyncio.run(follow(address, go))
            told = asyncio.run(until(address, "/api/live/matches/1", lambda about: about["status"] == "finished"))
            assert told["private"]
            seen = [asyncio.run(get(address, f"/api/live/matches/1/seen?step=1&seat={seat}"))[1] for seat in (1, 2)]
    assert heard[-1]["rows"][0]["status"] == "finished"
    assert "my secret" in str(seen)


async def _when_there(folder):
    from commonage.store import file

    async with asyncio.timeout(SECONDS):
        while not file.is_log(folder):
            await asyncio.sleep(0.05)


def test_a_line_to_nowhere_is_closed_for_good(lab):
    async def ask(path):
        async with connect(path) as socket:
            await socket.recv()

    with served(lab) as address:
        for path in ("/live/three", "/live/one?after=x"):
            with pytest.raises(ConnectionClosed) as closed:
                asyncio.run(ask(address.replace("http", "ws") + path))
            assert closed.value.rcvd.code == 4404


def test_on_a_network_it_asks_for_a_password(lab):
    with pytest.raises(SpecError, match="add --password"):
        watch(lab, host="0.0.0.0")
    with served(lab, host="0.0.0.0", password="rhubarb") as address:
        assert asyncio.run(get(address, "/api"))[0] == 401
        assert asyncio.run(get(address, "/study/one"))[0] == 401
