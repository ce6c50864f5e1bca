"""The pocket model speaks the words of our games, decides as it was taught, and leaves nothing behind. About 30 s."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commonage import seeds
from commonage.agents.llm import Llm
from commonage.agents.scripted import Scripted
from commonage.errors import SpecError
from commonage.event import Moved
from commonage.games.dilemma import Dilemma
from commonage.model import Message
from commonage.models.pocket import Pocket
from commonage.models.providers import resolve
from commonage.run.match import play

pytest.importorskip("xllamacpp")
sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from pocket import check, tables  # the script's own check: the same tables and targets

HELLO = [Message("user", "Round 1. Nobody has chosen yet.\n\nQuestion: choose?")]
USE = """
import asyncio
from commonage.model import Message
from commonage.models.pocket import Pocket

async def main():
    pocket = Pocket()
    await pocket.chat([Message("user", "Question: choose?")], max_tokens=4)
    print(pocket._server.listening_address, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def pocket() -> Iterator[Pocket]:
    model = Pocket()
    yield model
    asyncio.run(model.close())


def listens(address: str) -> bool:
    """Whether somebody is at this port."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def moves(persona: str, against: str, pocket: Pocket) -> str:
    """What the pocket model plays, at temperature 0, when the other's moves are the given ones."""
    rows: list[Any] = []
    seat = Llm(pocket, temperature=0.0, persona=persona)
    other = Scripted(*({"C": "cooperate", "D": "defect"}[letter] for letter in against))
    game = Dilemma(rounds=len(against))
    outcome = asyncio.run(play(game, [seat, other], seeds.root(1), lambda *row: rows.append(row)))
    assert outcome.status == "finished", outcome
    return "".join("CD"[moved.move] for _, seat, _, moved in rows if isinstance(moved, Moved) and seat == 0)


def test_it_is_a_test_model_with_both_verbs() -> None:
    model = resolve("pocket")
    assert (model.name, model.address, model.verbs, model.test) == ("pocket", "", ("chat", "decide"), True)


@pytest.mark.proof
def test_a_persona_plays_its_strategy(pocket: Pocket) -> None:
    assert moves("tit_for_tat", "CDDCDCCC", pocket) == "CCDDCDCC"
    assert moves("defector", "CDDC", pocket) == "DDDD"
    assert moves("cooperator", "CDDC", pocket) == "CCCC"


@pytest.mark.proof
@pytest.mark.parametrize("game", tables.held_out())
def test_99_of_100_first_answers_are_legal(game: str, pocket: Pocket) -> None:
    found = asyncio.run(check.legality(pocket, tables.held_out()[game], 1000, strangers=tables.STRANGERS.get(game, 0.5)))
    assert found.situations == 1000
    assert found.legal >= 990, found.wrong


@pytest.mark.proof
@pytest.mark.parametrize("game", tables.decided())
def test_it_decides_as_it_was_taught_by_both_routes(game: str, pocket: Pocket) -> None:
    rows = check.rows(asyncio.run(check.decisions(pocket, tables.decided()[game], 250)))
    for row in rows:
        assert row.mean == pytest.approx((row.target,) * len(check.ROUTES), abs=0.05), row


@pytest.mark.proof
def test_five_of_it_play_govsim_to_the_end(pocket: Pocket) -> None:
    rows: list[Any] = []
    seats = [Llm(pocket, memory="recent(1)") for _ in range(5)]
    outcome = asyncio.run(play(tables.govsim(), seats, seeds.root(1), lambda *row: rows.append(row)))
    assert outcome.status == "finished", outcome
    moves = [event for *_, event in rows if isinstance(event, Moved)]
    assert len([moved for moved in moves if moved.question == 0]) == 5 * 12


def test_the_same_seed_says_the_same(pocket: Pocket) -> None:
    ask = lambda seed: pocket.chat(HELLO, temperature=1.0, seed=seed, max_tokens=20)

    async def said() -> list[str]:
        return [(await ask(seed)).text for seed in (1, 1, 2, 3, 4, 5, 6, 7)]

    first, again, *others = asyncio.run(said())
    assert first == again
    assert set(others) != {first}


def test_it_counts_tokens(pocket: Pocket) -> None:
    reply = asyncio.run(pocket.chat(HELLO, max_tokens=3))
    assert reply.counted
    assert reply.tokens_in > 10
    assert 0 < reply.tokens_out <= 3


def test_the_server_stops_when_it_is_closed_and_starts_again(pocket: Pocket) -> None:
    async def once() -> str:
        await pocket.chat(HELLO, max_tokens=1)
        address = pocket._server.listening_address
        assert listens(address)
        await pocket.close()
        return address

    assert not listens(asyncio.run(once()))
    assert not listens(asyncio.run(once()))


def test_one_loop_that_closes_leaves_the_others_theirs(pocket: Pocket) -> None:
    async def other() -> None:
        await pocket.chat(HELLO, max_tokens=1)
        await pocket.close()

    async def main() -> None:
        await pocket.chat(HELLO, max_tokens=1)
        thread = threading.Thread(target=lambda: asyncio.run(other()))
        thread.start()
        await asyncio.to_thread(thread.join)
        assert listens(pocket._server.listening_address)
        await pocket.chat(HELLO, max_tokens=1)

    asyncio.run(main())


def test_processes_do_not_collide_and_a_killed_one_leaves_no_server() -> None:
    users = [subprocess.Popen([sys.executable, "-c", USE], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        addresses = [user.stdout.readline().strip() for user in users if user.stdout]
        assert len(set(addresses)) == 2
        assert all(map(listens, addresses))
        users[0].send_signal(signal.SIGKILL)
        users[0].wait()
        assert [listens(address) for address in addresses] == [False, True]
    finally:
        for user in users:
            user.kill()
            user.communicate()


def test_without_xllamacpp_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)  # as if it were not installed
    with pytest.raises(SpecError, match=r'pip install "commonage\[pocket\]"'):
        Pocket()


def test_without_weights_it_names_the_script(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="build_pocket"):
        Pocket(tmp_path / "none.gguf")
