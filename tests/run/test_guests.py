"""Programs behind addresses, functions and people at the table: what may go wrong, and what the cause in the log says to do."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from served import served
from table import DILEMMA, play

from commonage.agents import remote
from commonage.errors import SpecError
from commonage.run.match import Outcome

GOES_ON = "then the same command with --out DIR goes on"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "WAIT", 0.001)


def answered(reply: Any, options: str = "") -> tuple[Outcome, str, int]:
    """(the match's outcome, the address, how often it was asked) against a server that replies this, if only to be no answer."""
    asked: list[Any] = []

    def count(view: dict[str, Any]) -> Any:
        asked.append(view)
        return reply(view)

    with served(count) as address:
        return play(DILEMMA, address + options, "grim").outcome, address, len(asked)


# programs behind addresses


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_view_goes_to_its_address_only(status: int) -> None:
    """A redirect would post the rules, what was heard and the memory to whom the server likes."""
    elsewhere: list[Any] = []
    with served(lambda view: elsewhere.append(view) or {"text": "defect"}) as other:
        outcome, address, asked = answered(lambda view: web.Response(status=status, headers={"Location": other}))
    assert elsewhere == []
    assert asked == 1
    assert outcome.status == "paused"
    assert outcome.what.startswith(f"{address}: status {status} (")
    assert outcome.what.endswith(f") leads to {other}; redirects are never followed; put the server right, {GOES_ON}")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (web.Response(text="<html>" + "x" * 100), f"'<html>{'x' * 54}', which is no JSON"),
        (web.Response(), "'', which is no JSON"),
        ([1, 2], "'[1, 2]', which is no object"),
        ("defect", "'\"defect\"', which is no object"),
        ({"move": 0}, "'{\"move\": 0}', which has no 'text'"),
        ({"text": None}, "'{\"text\": null}', which has no 'text'"),
        ({"text": ["defect"]}, "'{\"text\": [\"defect\"]}', which has no 'text'"),
    ],
)
def test_a_reply_without_a_text_pauses_and_says_what_came(reply: Any, why: str) -> None:
    fresh = lambda view: web.Response(text=reply.text) if isinstance(reply, web.Response) else reply
    outcome, address, asked = answered(fresh)
    wanted = f"{address}: it replied {why}; wanted is a JSON object with 'text'; put the server right, {GOES_ON}"
    assert outcome == Outcome("paused", wanted)
    assert asked == remote.TRIES


@pytest.mark.parametrize(("status", "asked"), [(201, 1), (400, 1), (404, 1), (408, 4), (425, 4), (429, 4), (500, 4), (503, 4)])
def test_any_other_status_pauses(status: int, asked: int) -> None:
    """What may pass by itself is tried four times."""
    outcome, address, tried = answered(lambda view: web.Response(status=status, text="not here"))
    assert outcome.status == "paused"
    assert outcome.what.startswith(f"{address}: status {status} (")
    assert outcome.what.endswith(f"): 'not here'; put the server right, {GOES_ON}")
    assert tried == asked


def test_a_time_out_says_how_long_it_waited() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection, says nothing
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/play"
        outcome = play(DILEMMA, f"{address}(timeout=0.02)", "grim").outcome
    assert outcome == Outcome("paused", f"{address}: no reply within 0.02 seconds; put the server right, {GOES_ON}")


def test_where_nobody_listens_it_says_to_start_the_server() -> None:
    with served(lambda view: {}) as address:
        pass
    what = play(DILEMMA, address, "grim").outcome.what
    assert what.startswith(f"{address}: Cannot connect")
    assert what.endswith(f"; start the server, {GOES_ON}")


def test_a_number_is_a_text() -> None:
    outcome, *_ = answered(lambda view: {"text": 2})
    assert outcome == Outcome("failed", "the last line was '2'; it must be exactly one of: cooperate, defect")


# functions

FUNCTIONS = """
limit = 3

def helper(view):
    raise KeyError("share")

def direct(view):
    return helper(view)

async def later(view):
    return helper(view)

def through(view):
    import json
    return json.loads("{")

def two():
    return "defect"
"""


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fns.py").write_text(FUNCTIONS)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("functions")
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("direct", "fns.py:5: KeyError: 'share'"),
        ("later", "fns.py:5: KeyError: 'share'"),
        ("through", "fns.py:15: JSONDecodeError: Expecting"),  # the line of the file, not of the library
        ("two", "TypeError: two() takes 0 positional arguments"),  # it was not entered
    ],
)
def test_what_a_function_raises_is_its_failure_with_the_line(name: str, what: str) -> None:
    outcome = play(DILEMMA, f"python:fns.py:{name}", "grim").outcome
    assert outcome.status == "failed"
    assert outcome.what.startswith(what)


@pytest.mark.usefixtures("functions")
@pytest.mark.parametrize(("name", "why"), [("limit", "'limit' is 3, no function"), ("dirct", "there is no function 'dirct'")])
def test_what_is_no_function_is_refused_before_play(name: str, why: str) -> None:
    with pytest.raises(SpecError) as raised:
        play(DILEMMA, f"python:fns.py:{name}", "grim")
    way = "write python:module:function or python:file.py:function"
    assert str(raised.value) == f"python:fns.py:{name}: {why}; fns.py has direct, helper, later, through, two; {way}"


# people


@pytest.mark.parametrize("typed", ["cooperate\n", "quit\n"])
def test_when_a_person_leaves_the_next_line_is_a_new_one(
    typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert play(DILEMMA, "human", "grim").outcome == Outcome("failed", "the person left")
    assert capsys.readouterr().err.endswith("> \n")


def test_a_person_reads_the_range_of_an_amount(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("11\nmany\n"))
    play("commons(seats=2,rounds=1,capacity=10)", "human", "greedy")
    err = capsys.readouterr().err
    assert "harvest? 0 to 10 tons of fish" in err
    assert err.count("it must be exactly one whole number of tons of fish, 0 to 10") == 2


def test_the_docs_name_what_a_program_gets() -> None:
    """Each name stands in docs/add.md."""
    docs = (Path(__file__).parents[2] / "docs" / "add.md").read_text(encoding="utf-8")
    views: list[dict[str, Any]] = []
    answered(lambda view: views.append(view) or {"refused": "no"})
    assert json.dumps(views[0])
    told = docs.partition("The View has")[2].partition("\n\n")[0]
    assert all(f"`{name}`" in told for name in views[0])
