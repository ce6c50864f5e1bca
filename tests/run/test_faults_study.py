"""A study whose model server dies, and one that is killed itself: nothing that was finished is lost, or paid twice. About 10 s.

The servers are those of `tests/models/faults.py`; the ones that die are processes of their own. After so many answers they
leave everybody waiting: that is when the killing is done, so that what was paid is known to the last answer.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import os
import signal
import subprocess
import sys
import time
import traceback
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "models"))

import faults  # type: ignore[import-not-found]
from faults import Script, serving  # type: ignore[import-not-found]

from commonage import Arm, Study, event
from commonage.errors import Pause, SpecError
from commonage.model import Message, Trouble
from commonage.models import desk
from commonage.models.limits import Limits
from commonage.models.providers import resolve
from commonage.run.transcript import page, transcript
from commonage.store import read

GAME, REPEATS, QUESTIONS = "dilemma(rounds=3)", 10, 60
COMMONAGE = Path(sys.executable).with_name("commonage")
KEY = "sk-planted-4f1c9a7be2d84c60"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(desk, "WAIT", 0.005)


def study(address: str, **limits: Any) -> Study:
    return Study(GAME, f'llm:m(address="{address}")*2', repeats=REPEATS, limits=Limits(**limits))


def moves(folder: Path) -> Counter[str]:
    """The answers that became moves."""
    rows = [row[3] for number in range(1, REPEATS + 1) for row in read.match(folder, number)]
    return Counter(row.text for row in rows if isinstance(row, event.Moved))


def until(true: Callable[[], bool]) -> None:
    """Waits for it, a minute at most."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


@contextmanager
def program(folder: Path, script: str, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """(address, process) of a server of its own."""
    (folder / "script.toml").write_text(script)
    command = [sys.executable, faults.__file__, str(folder / "script.toml"), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def counts(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(address.removesuffix("v1") + "counts") as reply:
        return json.load(reply)


def silent_after(answers: int) -> str:
    return f'[[fault]]\nkind = "no answer"\nafter = {answers}'


@pytest.mark.parametrize("cache", [True, False])
def test_a_model_server_that_is_killed(cache: bool, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with ThreadPoolExecutor(1) as pool, program(tmp_path, silent_after(25)) as (address, process):
        running = pool.submit(study(address, cache=cache).run, log)
        until(lambda: counts(address)["answered"] == 25 and moves(log).total() == 25)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        result = running.result(60)
    assert result.status == {"paused": REPEATS}
    paused = [row[3].what for number in range(1, REPEATS + 1) for row in read.match(log, number) if isinstance(row[3], event.Paused)]
    assert all(address in what for what in paused), paused
    assert moves(log).total() == 25

    with program(tmp_path, "", int(address.split(":")[2].removesuffix("/v1"))) as (again, _):
        assert again == address
        assert study(address, cache=cache).run(log).status == {"finished": REPEATS}
        assert counts(address)["requests"] == counts(address)["answered"] == QUESTIONS - 25
    assert moves(log).total() == QUESTIONS


@pytest.mark.parametrize("cache", ["--no-cache", pytest.param("--cache", marks=pytest.mark.slow)])
def test_a_study_that_is_killed_twice(cache: str, tmp_path: Path) -> None:
    """By `kill -9`, as a real process; every answer that the server gave becomes one move."""
    log, place = tmp_path / "log", [str(tmp_path / "kept")] if cache == "--cache" else []
    with serving() as server:
        seats = f'llm:m(address="{server.address}")*2'
        command = [COMMONAGE, "play", GAME, "--seats", seats, "--repeats", str(REPEATS), "--out", str(log), cache, *place]
        for answers in (17, 40):
            server.script = Script(silent_after(answers - len(server.answered)))
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
                until(lambda n=answers: len(server.answered) == n and moves(log).total() == n)
                process.send_signal(signal.SIGKILL)
                assert process.wait() == -signal.SIGKILL
            assert moves(log) == Counter(server.answered.values())
        server.script = Script()
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert moves(log) == Counter(server.answered.values())
    assert len(server.answered) == QUESTIONS


def leaks(folder: Path) -> list[Path]:
    """The files that hold the key."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != ".env" and KEY.encode() in path.read_bytes()]


TELLTALE = f"""
[[fault]]
kind = "html"
says = "<html>{KEY}</html>"
path = "/html/"
[[fault]]
kind = "outside"
says = "Your key is {KEY}"
path = "/outside/"
[[fault]]
kind = "refusal"
says = "{KEY}"
path = "/refusal/"
""" + "".join(f'[[fault]]\nkind = "{status}"\npath = "/{status}/"\n' for status in (400, 401, 404, 429, 500))
PLACES = ("html", "outside", "refusal", "400", "401", "404", "429", "500", "calm")


def test_a_planted_key_comes_out_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not though the server repeats it: in its errors, in a page, in what the model says. All loggers are at their loudest."""
    monkeypatch.setenv("PLANTED", KEY)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "openai")
    log = tmp_path / "log"
    with serving(TELLTALE) as server:
        seats = [f'llm:m(address="{server.at(place)}",key_env=PLANTED)*2' for place in PLACES]
        result = Study(arms=[Arm(GAME, seat, name=place) for seat, place in zip(seats, PLACES, strict=True)], repeats=1).run(log)
    assert {request.path.split("/")[1] for request in server.requests} == set(PLACES)
    assert {request.key for request in server.requests} == {KEY}
    assert "openai._base_client" in caplog.text  # the SDK's own log is there
    result.report()
    told = [f(log, number) for f in (transcript, page) for number in range(1, len(PLACES) + 1)]
    told += [repr(result.calls().to_dicts()), repr(result.events().to_dicts()), repr(result.summary()), str(result.table())]
    assert not [said for said in (*told, caplog.text, *capfd.readouterr()) if KEY in said]
    assert not leaks(tmp_path)


def test_a_key_in_a_file_env_is_used_and_not_told(tmp_path: Path) -> None:
    """At the command line, where a crash would print the values of variables."""
    with serving(TELLTALE) as server:
        Path(".env").write_text(f"OPENAI_BASE_URL={server.at('401')}\nOPENAI_API_KEY={KEY}\n")
        command = [COMMONAGE, "play", GAME, "--seats", "llm:m,tit_for_tat", "--repeats", "2", "--out", str(tmp_path / "log")]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
        done = subprocess.run(command, capture_output=True, text=True, env={**environment, "OPENAI_LOG": "debug"})
        assert {request.key for request in server.requests} == {KEY}
    assert done.returncode == 3, done.stderr
    assert KEY not in done.stdout + done.stderr
    assert not leaks(tmp_path)


@pytest.mark.parametrize("place", ["401", "500", "404", "html"])
def test_an_exception_shows_no_key_even_with_its_variables(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED", KEY)
    with serving(TELLTALE) as server:
        model = resolve("m", server.at(place), "PLANTED")
        view = SimpleNamespace(key=(1, 2), place=0, seat=0, step=0, attempt=0, member=())
        with pytest.raises(Pause) as caught:
            asyncio.run(desk.Desk(Limits(cache=False)).call(model, "chat", [Message("user", "?")], view=view, number=0))
        with pytest.raises(Trouble) as trouble:
            asyncio.run(model.chat([Message("user", "?")]))
    for error in (caught.value, trouble.value):
        assert KEY not in "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert KEY not in repr(model)


def test_a_seat_with_a_price_and_no_budget_sends_nothing(tmp_path: Path) -> None:
    with serving() as server:
        priced = Study(GAME, f'llm:m(address="{server.address}",price=[1,2]),tit_for_tat', repeats=2)
        with pytest.raises(SpecError, match="--budget"):
            priced.run(tmp_path / "log")
        assert counts(server.address) == {"requests": 0, "answered": 0, "faults": {}, "waiting": 0}
        assert not (tmp_path / "log").exists()
        dataclasses.replace(priced, budget="1").run(tmp_path / "log")
        assert counts(server.address)["requests"] == 6
