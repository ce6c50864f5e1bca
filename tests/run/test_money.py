"""What a study pays: nothing that nobody named, nothing twice; counted by the server that would be paid."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from till import Till, till

from commonage import Arm, Study
from commonage.cli import main
from commonage.errors import SpecError
from commonage.models import desk as desks
from commonage.run.replay import replay
from commonage.store import read
from commonage.store.log import Log

DILEMMA = "dilemma(rounds=4)"
COST = 0.002  # of one reply; guessed at 0.044: 400 tokens out, and the prompt


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(desks, "WAIT", 0.001)


@pytest.fixture
def server() -> Iterator[Till]:
    with till() as server:
        yield server


def study(server: Till, **more: Any) -> Study:
    """Three matches of four rounds with one model: twelve calls."""
    return Study(DILEMMA, [server.seat(), "grim"], repeats=3, **more)


def causes(folder: str) -> list[str]:
    return read.events(folder).filter(pl.col("kind") == "paused")["what"].to_list()


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["commonage", *arguments])
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    try:
        main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    return 0


# no budget


def test_without_a_budget_nothing_is_sent_and_nothing_written(server: Till) -> None:
    with pytest.raises(SpecError) as raised:
        study(server).run("run")
    said = str(raised.value)
    assert said.startswith("till: paid, and there is no budget, so nothing was sent. Add one: --budget 2 is money")
    assert "arm 1, llm:till" in said
    assert "12 calls" in said
    assert said.splitlines()[-1].startswith("--budget 0.")
    assert server.seen == []
    assert not Path("run").exists()


def test_the_flag_that_is_named_is_enough(server: Till) -> None:
    with pytest.raises(SpecError) as raised:
        study(server).run("run")
    budget = str(raised.value).splitlines()[-1].split()[1]
    assert study(server, budget=budget).run("run").status == {"finished": 3}


def test_at_the_command_line(server: Till, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    play = ["play", DILEMMA, "--seats", f"{server.seat()},grim", "--repeats", "3", "--out", "run"]
    assert command(monkeypatch, *play) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "commonage: till: paid, and there is no budget" in err
    assert "12 calls" in err
    assert (server.seen, list(Path().glob("r*"))) == ([], [])
    assert command(monkeypatch, *play, "--budget", "0.05") == 3
    assert command(monkeypatch, *play, "--budget", "1") == 0
    assert len(server.seen) == 12


def test_a_team_pays_for_its_members(server: Till) -> None:
    with pytest.raises(SpecError, match="24 calls"):
        Study(DILEMMA, [f"vote({server.seat()},{server.seat()})", "grim"], repeats=3).run("run")
    assert server.seen == []


def test_a_price_that_is_not_known_needs_a_budget_in_tokens() -> None:
    seats = 'llm:theirs(address="https://model.invalid/v1"),grim'
    with pytest.raises(SpecError, match=r"theirs: no price is known, so --budget 2 cannot be kept and nothing was sent\. Write price="):
        Study(DILEMMA, seats, repeats=3, budget=2).run("run")
    assert not Path("run").exists()


def test_a_file_of_prices_makes_a_local_model_cost(server: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    seats = f"{server.seat(more='')},grim"
    Path("mine.toml").write_text("till = [10, 100]\n")
    play = ["play", DILEMMA, "--seats", seats, "--repeats", "3", "--out", "run", "--prices", "mine.toml"]
    assert command(monkeypatch, *play) == 2
    assert (server.seen, Path("run").exists()) == ([], False)
    assert command(monkeypatch, *play, "--budget", "1") == 0
    with Log.open("run") as log:
        assert log.spent().money == pytest.approx(12 * COST)


def test_a_key_that_is_missing_is_said_before_anything_is_sent(server: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    seat = server.seat().replace("address=", "key_env=NO_SUCH_KEY,address=")
    with pytest.raises(SpecError, match="no key for till: set NO_SUCH_KEY in the environment"):
        Study(DILEMMA, [seat, "grim"], repeats=3, budget=1).run("run")
    assert (server.seen, Path("run").exists()) == ([], False)


def test_what_runs_on_this_machine_is_free(server: Till) -> None:
    assert Study(DILEMMA, [server.seat(more=""), "grim"], repeats=3).run("run").status == {"finished": 3}
    with Log.open("run") as log:
        assert log.spent()[:2] == (0, 12 * 110)


# a budget


def test_what_was_spent_is_in_the_log(server: Till) -> None:
    assert study(server, budget=1).run("run").status == {"finished": 3}
    assert len(server.seen) == 12
    with Log.open("run") as log:
        assert log.spent()[:2] == (pytest.approx(12 * COST), 12 * 110)


@pytest.mark.parametrize("budget", ["0.05", "700tok"])
def test_at_its_end_matches_pause_and_a_larger_one_goes_on(server: Till, budget: str) -> None:
    """Nothing is asked twice: the whole takes twelve calls, however it is cut."""
    result = study(server, budget=budget).run("run")
    assert result.status == {"paused": 3} or set(result.status) == {"paused", "finished"}
    before = len(server.seen)
    assert 0 < before < 12
    assert all(f"budget {budget} reached" in cause and "A larger --budget goes on" in cause for cause in causes("run"))
    assert study(server, budget=budget).run("run").status == result.status  # what is spent is known
    assert len(server.seen) == before
    assert study(server, budget=1, limits={"in_flight": 2, "timeout": 9}).run("run").status == {"finished": 3}
    assert len(server.seen) == 12
    assert study(server, budget=1).run("whole", None).status == {"finished": 3}
    assert read.equal("run", "whole") == []


def test_a_budget_is_never_exceeded(server: Till) -> None:
    """Twenty matches at once, each reply taking what it may take at most."""
    result = Study("dilemma(rounds=9)", [server.seat(more="price=[0,100],max_tokens=10"), "grim"], repeats=20, budget="0.05").run("run")
    with Log.open("run") as log:
        assert log.spent().money == pytest.approx(0.05)
    assert len(server.seen) == 50
    assert result.status == {"paused": 20} or set(result.status) == {"paused", "finished"}


# nothing twice


def test_a_killed_study_pays_for_no_answer_twice(server: Till, tmp_path: Path) -> None:
    """Killed while the seventh request is on its way: that one is asked again, and no other."""
    program = (
        "from commonage import Study; "
        f"Study({DILEMMA!r}, [{server.seat()!r}, 'grim'], repeats=3, budget=1, limits=dict(in_flight=1)).run('run')"
    )
    child = subprocess.Popen([sys.executable, "-c", program])
    server.before = lambda count: os.kill(child.pid, signal.SIGKILL) if count == 7 else None
    assert child.wait(60) == -9
    server.before = lambda count: None
    assert len(server.seen) == 7
    assert study(server, budget=1).run("run").status == {"finished": 3}
    assert len(server.seen) == 13
    assert server.seen[6] in server.seen[7:]


def test_the_same_study_again_costs_nothing_and_is_the_same(server: Till) -> None:
    study(server, budget=1).run("run")
    again = study(server, limits={"cached_only": True}).run("again")  # what asks for nothing new needs no budget
    assert again.status == {"finished": 3}
    assert len(server.seen) == 12
    assert read.equal("run", "again") == []
    with Log.open("again") as log:
        assert log.spent()[:2] == (0, 0)


def test_a_fork_at_the_command_line_has_a_budget_of_its_own(server: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    study(server, budget=1).run("run")
    fork = ["replay", "run", "1", "--fork-at", "3", "--seat", "2=cooperator", "--out", "fork"]
    assert command(monkeypatch, *fork) == 2
    assert (len(server.seen), Path("fork").exists()) == (12, False)
    assert command(monkeypatch, *fork, "--budget", "0.03") in (0, 3)
    assert command(monkeypatch, *fork, "--budget", "1") == 0


def test_more_repeats_draw_afresh(server: Till) -> None:
    study(server, budget=1).run("run")
    Study(DILEMMA, [server.seat(), "grim"], repeats=5, budget=1).run("more")
    assert len(server.seen) == 5 * 4


def test_without_a_cache_it_is_paid_again(server: Till) -> None:
    for folder in ("run", "again"):
        study(server, budget=1, limits={"cache": False}).run(folder)
    assert len(server.seen) == 24
    assert not Path("cache").exists()


def test_a_replay_asks_nobody(server: Till) -> None:
    study(server, budget=1).run("run")
    assert [replay("run", number).differing for number in (1, 2, 3)] == [[], [], []]
    assert len(server.seen) == 12


# trouble


def test_a_server_in_trouble_pauses_all_and_is_not_stormed(server: Till) -> None:
    """Eight matches at a time: the first call to come to nothing closes the way for all the others, of which many were not sent."""
    server.status = 503
    result = Study(DILEMMA, [server.seat(), "grim"], repeats=60, budget=100, limits={"in_flight": 8}).run("run")
    assert result.status == {"paused": 60}
    assert len(server.seen) <= 4 * 8
    assert all("503" in cause for cause in causes("run"))
    server.status = 200
    before = len(server.seen)
    assert Study(DILEMMA, [server.seat(), "grim"], repeats=60, budget=100).run("run").status == {"finished": 60}
    assert len(server.seen) - before == 240


def test_arms_wait_side_by_side(server: Till) -> None:
    """Three arms of one match each ask at the same time."""
    server.slow = 0.05
    Study(arms=[Arm(DILEMMA, [server.seat(), other]) for other in ("grim", "random", "cooperator")], repeats=1, budget=1).run("run")
    assert server.most == 3


def test_no_more_calls_at_a_time_than_allowed(server: Till) -> None:
    server.slow = 0.005
    Study(DILEMMA, [server.seat(), server.seat("other")], repeats=6, budget=1, limits={"in_flight": 3}).run("run")
    assert server.most == 3


# study files


def test_a_study_file_says_what_may_be_spent(server: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    arm = f"game = '{DILEMMA}'\nseats = ['''{server.seat()}''', 'grim']"
    Path("mine.toml").write_text(f"budget = 0.05\nrepeats = 3\n[limits]\nin_flight = 2\ncache = false\n[[arm]]\n{arm}\n")
    loaded = Study.load("mine.toml")
    assert (str(loaded.limits.budget), loaded.limits.in_flight, loaded.limits.cache) == ("0.05", 2, False)
    assert command(monkeypatch, "study", "mine.toml", "--out", "run") == 3
    assert command(monkeypatch, "study", "mine.toml", "--out", "run", "--budget", "700tok") == 3
    assert command(monkeypatch, "play", "mine.toml", "--out", "run", "--budget", "1", "--in-flight", "5") == 0
    assert len(server.seen) == 12
    with Log.open("run") as log:
        assert "budget" not in log.study["toml"]


def test_a_saved_study_keeps_its_limits(server: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["--budget", "1.5Mtok", "--no-cache", "--requests-per-minute", "90", "--timeout", "7"]
    assert command(monkeypatch, "play", DILEMMA, "--seats", "llm:fake,grim", "--dry-run", "--save", "mine.toml", *given) == 0
    loaded = Study.load("mine.toml").limits
    assert loaded.given() == {"budget": "1.5Mtok", "cache": False, "requests_per_minute": 90, "timeout": 7}
    study(server, limits=loaded).save("again.toml")
    assert Study.load("again.toml").limits == loaded


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("budget = 'much'", "budget 'much': a number above 0"),
        ("limits = 3", "limits 3: a table of"),
        ("[limits]\nspeed = 1", "limits {'speed': 1}"),
    ],
)
def test_a_study_file_with_limits_that_are_none(line: str, says: str) -> None:
    head, _, tail = line.partition("\n")
    top, table = ("", line) if tail else (head, "")
    Path("mine.toml").write_text(f"{top}\n[[arm]]\ngame = 'dilemma'\nseats = 'grim*2'\n{table}\n")
    with pytest.raises(SpecError) as raised:
        Study.load("mine.toml")
    assert str(raised.value).startswith(says)


# the command line


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("studdy", "no command 'studdy'; did you mean 'study'? All: commonage --help"),
        ("commons", "no command 'commons'; to play it: commonage play commons. All: commonage --help"),
        ("xyzzy", "no command 'xyzzy'. All: commonage --help"),
    ],
)
def test_an_unknown_command(name: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(monkeypatch, name) == 2
    assert capsys.readouterr().err == f"commonage: {says}\n"


def test_models_lists_who_serves_them(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-0123456789")
    assert command(monkeypatch, "models") == 0
    out = capsys.readouterr().out
    assert "openai " in out
    assert "OPENAI_API_KEY\n" in out
    assert "ANTHROPIC_API_KEY (not set)" in out or os.environ.get("ANTHROPIC_API_KEY")
    assert "llm:ollama/" in out
    assert "planted" not in out


def test_models_answers_without_a_heavy_import() -> None:
    program = (
        "import sys; from commonage.cli import listing; listing.models('', False, None, ''); "
        "sys.exit(bool({'jax', 'polars', 'openai', 'aiohttp', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_a_model_is_probed(server: Till, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.address)
    assert command(monkeypatch, "models", "llm:till", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["model"], told["address"], told["verbs"]) == ("till", server.address, ["chat"])
    assert 0 < len(server.seen) <= 24


def test_a_paid_model_is_not_probed_without_a_budget(
    server: Till, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.address)
    Path("prices.toml").write_text("till = [10, 100]\n")
    assert command(monkeypatch, "models", "till") == 2
    assert "till: paid, and there is no budget, so nothing was sent" in capsys.readouterr().err
    assert server.seen == []
    assert command(monkeypatch, "models", "till", "--budget", "0.001") == 2
    assert "--budget 0.001 is less than the $0.2" in capsys.readouterr().err
    assert server.seen == []
    assert command(monkeypatch, "models", "till", "--budget", "1") == 0
    assert len(server.seen) > 0
