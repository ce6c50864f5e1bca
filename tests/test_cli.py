"""The command line as its users meet it: what is printed where, the exit status, and what is said when something is wrong."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest

from commonage import Arm, Study, verify
from commonage.cli import main
from commonage.errors import ContractError
from commonage.store import read

DILEMMA, COMMONS = "dilemma(rounds=4)", "commons(seats=3,rounds=4,capacity=20)"
MEASURES = (
    "survival_time", "survival_rate", "gain", "efficiency", "equality", "over_usage", "cooperation", "welfare_sum", "welfare_mean",
    "welfare_min",
)  # fmt: skip


class Done(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What stands on stdout, strictly read: nothing but JSON, and no NaN in it."""

        def refuse(name: str) -> None:
            raise ValueError(f"{name} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`commonage ...` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, typed: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["commonage", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        capsys.readouterr()
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        return Done(status, *capsys.readouterr())

    return command


def spoken(text: str) -> str:
    """Without the frames and line breaks that a narrow terminal puts in."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


# play


def test_play_prints_a_table_and_says_where_the_log_is(run: Run) -> None:
    done = run("play", COMMONS, "--seats", "cheat,sustainer*2", "--repeats", "6", "--seed", "1", "--out", "lake")
    assert done.status == 0
    assert "cheat,sustainer*2" in done.out
    assert "6 matches, 0 failed." in done.out
    assert "commonage report lake" in done.out
    assert done.err == ""
    assert Path("lake/log.sqlite").exists()


def test_nobody_is_named(run: Run) -> None:
    done = run("play", COMMONS, "--repeats", "2")
    assert done.status == 0
    assert "random play takes all 3 seats" in done.err
    assert "random*3" in done.out
    assert Path("runs/commons-1").is_dir()
    assert "Log: runs/commons-2" in run("play", COMMONS, "--repeats", "2").out


def test_json(run: Run) -> None:
    done = run(
        "play",
        COMMONS,
        "--seats",
        "cheat(low=1,high=6),sustainer*2",
        "--with",
        "talk",
        "--with",
        "punish(fine=2)",
        "--repeats",
        "6",
        "--json",
    )
    (arm,) = done.json["arms"]
    assert arm["spec"] == {"game": COMMONS, "with": ["talk", "punish(fine=2)"], "seats": "cheat(low=1,high=6),sustainer*2"}
    assert (arm["matches"], arm["failed"], arm["paused"]) == (6, 0, 0)
    assert set(MEASURES) <= set(arm["measures"])
    for name, cell in arm["measures"].items():
        assert {"mean", "low", "high", "n"} <= set(cell), name
        if cell["mean"] is not None:
            assert cell["low"] <= cell["mean"] <= cell["high"], name
    for name in ("survival_rate", "efficiency", "equality", "over_usage", "cooperation"):
        assert 0 <= arm["measures"][name]["mean"] <= 1
    assert {line.split()[0] for line in done.err.splitlines()} == {"note:"}
    assert "talk is on, but no seat uses it" in done.err


def test_gain_is_the_mean_over_seats(run: Run) -> None:
    cells = run("play", COMMONS, "--seats", "constant(amount=1),constant(amount=2),constant(amount=3)", "--repeats", "4", "--json").json[
        "arms"
    ][0]
    assert cells["measures"]["gain"]["mean"] == 8  # (1 + 2 + 3) x 4 / 3
    assert cells["measures"]["survival_time"]["mean"] == 4
    assert cells["measures"]["survival_rate"]["mean"] == 1


def test_holdings_and_undefined_measures(run: Run) -> None:
    donors = run("play", "donor(seats=4,rounds=4)", "--seats", "random*4", "--repeats", "4", "--json").json["arms"][0]["measures"]
    assert donors["final_holdings"]["mean"] is not None
    assert "over_usage" not in donors or donors["over_usage"]["mean"] is None


def test_json_stands_alone_whatever_happens(run: Run) -> None:
    failed = run("play", DILEMMA, "--seats", "scripted(banana),grim", "--repeats", "2", "--json")
    assert failed.status == 3
    (arm,) = failed.json["arms"]
    assert (arm["matches"], arm["failed"]) == (2, 2)
    assert {cell["mean"] for cell in arm["measures"].values()} == {None}
    paused = run("play", DILEMMA, "--seats", "http://127.0.0.1:9/play,grim", "--repeats", "1", "--json")
    assert paused.status == 3
    assert paused.json["arms"][0]["paused"] == 1


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commonage.agents.remote.WAIT", 0.001)


def test_max_failed(run: Run) -> None:
    for most, status in (("0", 3), ("1", 3), ("2", 0)):
        done = run("play", DILEMMA, "--seats", "scripted(banana),grim", "--repeats", "2", "--out", "a", "--max-failed", most)
        assert done.status == status
    assert "2 of 2 failed (agent: at \"choose\": the last line was 'banana'" in spoken(done.out)


def test_a_paused_match_is_always_incomplete(run: Run) -> None:
    done = run("play", DILEMMA, "--seats", "http://127.0.0.1:9/play,grim", "--repeats", "1", "--max-failed", "9", "--out", "a")
    assert done.status == 3
    assert "1 of 1 paused" in spoken(done.out)
    assert "once the cause is gone (start your server, set the key, raise --budget), the same command with --out a" in spoken(done.out)


def test_on_failure_retire(run: Run) -> None:
    done = run("play", COMMONS, "--seats", "scripted(banana),sustainer*2", "--repeats", "2", "--on-failure", "retire", "--out", "a")
    assert done.status == 0
    assert "in 2 matches a seat retired" in spoken(done.out)


def test_set_and_runner(run: Run) -> None:
    done = run(
        "play",
        "commons",
        "--set",
        "seats=3",
        "--set",
        "rounds=4",
        "--set",
        "capacity=20",
        "--seats",
        "sustainer*3",
        "--runner",
        "mixed",
        "--repeats",
        "2",
        "--out",
        "a",
        "--json",
    )
    assert done.json["arms"][0]["spec"]["game"] == COMMONS
    assert read.read("a").arms[0]["runner"] == "mixed"
    lists = run("play", DILEMMA, "--set", "payoffs=[4,0,3,2]", "--seats", "grim*2", "--repeats", "1", "--json")
    assert lists.json["arms"][0]["spec"]["game"] == "dilemma(rounds=4,payoffs=[4,0,3,2])"


def test_lists_in_a_table_are_not_taken_for_markup(run: Run) -> None:
    done = run("play", DILEMMA, "--seats", "scripted([cooperate,defect]),grim", "--repeats", "1", "--out", "a")
    assert re.search(r"^scripted\(\[cooperate, .*\ndefect\]\),grim ", done.out, re.MULTILINE)


def test_a_person_sits_down(run: Run) -> None:
    done = run(
        "play", DILEMMA, "--seats", "human,tit_for_tat", "--repeats", "1", "--out", "a", "--json", typed="cooperate\nbanana\ndefect\n" * 2
    )
    assert done.json["arms"][0]["failed"] == 0
    assert read.read("a").moves.filter(pl.col("seat") == 0)["choice"].to_list() == ["cooperate", "defect"] * 2
    assert "Sorry, the last line was 'banana'; it must be exactly one of: cooperate, defect" in done.err
    assert run("transcript", "a", "1").out.count("choose: ") == 8


def test_a_person_who_leaves_every_match(run: Run) -> None:
    done = run("play", DILEMMA, "--seats", "human,grim", "--repeats", "2", "--out", "a", typed="cooperate\n")
    assert done.status == 3
    assert '2 of 2 failed (person: at "choose": the person left)' in spoken(done.out)


# what is wrong is said before anything runs

WRONG = [
    (["play", "comons"], "no game 'comons'; did you mean 'commons'? All: commonage games"),
    (["play", DILEMMA, "--seats", "grimm,grim"], "no agent 'grimm'; did you mean 'grim'? All: commonage agents"),
    (["play", DILEMMA, "--with", "punsh"], "no mechanism 'punsh'; did you mean 'punish'? All: commonage mechanisms"),
    (["play", "dilemma(rounds=0)"], "dilemma(rounds=0): rounds must be at least 1"),
    (["play", "dilemma(rouns=3)"], "no parameter 'rouns'; did you mean 'rounds'?"),
    (["play", "dilemma", "--set", "rouns=3"], "no layer has a parameter 'rouns'; did you mean 'rounds'?"),
    (["play", "dilemma", "--set", "rounds"], "--set rounds: write name=value"),
    (["play", DILEMMA, "--seats", "grim*3"], "dilemma(rounds=4) has 2 places, the seat list names 3 (grim*3)"),
    (["play", DILEMMA, "--seats", "grim,"], "I expected a name"),
    (["play", DILEMMA, "--runner", "fast"], "runner='fast': it must be auto, mixed or compiled"),
    (["play", DILEMMA, "--runner", "compiled", "--seats", "human,grim"], "not all policies"),
    (["play", DILEMMA, "--on-failure", "ignore"], "end or retire"),
    (["play", DILEMMA, "--on-failure", "retire"], "dilemma cannot go on without a seat"),
    (["play", DILEMMA, "--repeats", "0"], "'--repeats'"),
    (["play", DILEMMA, "--repeats", "-3"], "not '-3'"),
    (["play", DILEMMA, "--repeats", "ten"], "not 'ten'"),
    (["play", "commons(seats=100000)"], "commons(seats=100000) has 100,000 places: at most 1,000"),
    (["transcript", "demo", "-12"], "-12: matches and arms count from 1"),
    (["report", "demo", "--json", "--csv"], "--json and --csv: name one of them"),
    (["play", DILEMMA, "--seed", "-1"], "'--seed'"),
    (["play", DILEMMA, "--seed", str(2**64)], "2^64"),
    (["play", DILEMMA, "--sets", "x"], "No such option"),
    (["play"], "Missing argument"),
    (["play", "none.py"], "none.py"),
    (["play", "none.toml"], "none.toml': No such file or directory"),
    (["study", "none.toml"], "none.toml': No such file or directory"),
    (["report", "none"], "no log in 'none'"),
    (["transcript", "none", "1"], "no log in 'none'"),
    (["replay", "none", "1"], "no log in 'none'"),
    (["compare", "none"], "no log in 'none'"),
    (["render", "none", "1"], "no log in 'none'"),
    (["methods", "none"], "no log in 'none'"),
    (["games", "comons"], "no game 'comons'; did you mean 'commons'?"),
    (["mechanisms", "tlak"], "did you mean 'talk'?"),
    (["agents", "grimm"], "did you mean 'grim'?"),
    (["measures", "gian"], "did you mean 'gain'?"),
    (["check", "nosuch"], "no part 'nosuch'. All: commonage games, mechanisms, agents"),
    (["nosuch"], "no command 'nosuch'"),
]


@pytest.mark.parametrize(("arguments", "says"), WRONG, ids=[" ".join(row[0]) for row in WRONG])
def test_a_wrong_command(run: Run, tmp_path: Path, arguments: list[str], says: str) -> None:
    done = run(*arguments)
    assert done.status == 2
    assert done.out == ""
    assert says in spoken(done.err)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(run: Run) -> None:
    Path("file").write_text("")
    for out in ("/proc/nope", "file", "file/run"):
        done = run("play", DILEMMA, "--seats", "grim*2", "--out", out)
        assert done.status == 2
        assert f"{out}: cannot be used" in done.err
        assert "--out" in done.err
        assert done.out == ""


@pytest.mark.skipif(not Path("/dev/full").exists() or os.geteuid() == 0, reason="needs a folder that this user may not write")
def test_a_folder_of_somebody_else(run: Run) -> None:
    assert "cannot be used" in run("play", DILEMMA, "--seats", "grim*2", "--out", "/root/run").err


def test_a_folder_with_another_study(run: Run) -> None:
    run("play", DILEMMA, "--seats", "grim*2", "--repeats", "2", "--out", "a")
    done = run("play", DILEMMA, "--seats", "grim*2", "--repeats", "3", "--out", "a")
    assert done.status == 2
    assert "'a' holds another study" in done.err
    assert "repeats = 2 there, repeats = 3 here" in done.err
    assert run("play", DILEMMA, "--seats", "grim*2", "--repeats", "2", "--out", "a").status == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["play", DILEMMA, "--seats", "grim*2", "--save", "no/study.toml"],
        ["report", "a", "--events", "no/events.csv"],
        ["report", "a", "--events", "no/events.parquet"],
        ["report", "a", "--html", "no/page.html"],
        ["render", "a", "1", "--out", "no/match.gif"],
    ],
)
def test_a_file_that_cannot_be_written(run: Run, arguments: list[str]) -> None:
    run("play", DILEMMA, "--seats", "grim*2", "--repeats", "1", "--out", "a")
    done = run(*arguments)
    assert done.status == 2
    assert "no/" in done.err
    assert "No such file or directory" in done.err


def test_a_damaged_log(run: Run) -> None:
    run("play", DILEMMA, "--seats", "grim*2", "--repeats", "2", "--out", "a")
    (chunk,) = Path("a").rglob("*.moves.parquet")
    chunk.write_bytes(chunk.read_bytes()[:-20])
    for command in (
        ["report", "a"],
        ["transcript", "a", "1"],
        ["replay", "a", "1"],
        ["play", DILEMMA, "--seats", "grim*2", "--repeats", "2", "--out", "a"],
    ):
        done = run(*command)
        assert done.status == 2
        assert f"{chunk} is damaged" in done.err


FAULTY = """
from commonage.policy import Policy

class Faulty(Policy):
    '''Looks for what is not there.'''
    def act(self, key, memory, sight, legal):
        return {}
"""


@pytest.mark.parametrize(
    ("gives", "says"),
    [
        ("sight.nosuch, memory", "faulty.py:7: AttributeError: 'Sight' object has no attribute 'nosuch'"),
        ("legal.nth(0)", "return move, memory"),
    ],
)
def test_an_error_in_a_users_file(run: Run, gives: str, says: str) -> None:
    Path("faulty.py").write_text(FAULTY.replace("{}", gives))
    done = run("play", DILEMMA, "--seats", "faulty.py,grim", "--repeats", "2")
    assert (done.status, done.out) == (1, "")
    assert says in done.err
    assert len(done.err.splitlines()) == 1


def test_names_are_checked_before_anything_heavy_is_loaded() -> None:
    program = (
        "import sys; from commonage import spec; from commonage.errors import SpecError\n"
        "for wrong in (('comons', [], ''), ('commons', ['tlak'], ''), ('commons', [], 'grim,grimm')):\n"
        "    try:\n        spec.known(*wrong)\n    except SpecError:\n        continue\n    sys.exit(1)\n"
        "sys.exit(bool({'jax', 'polars', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_run_that_was_stopped_says_what_is_left(run: Run) -> None:
    """One of three chunks, then Ctrl-C: what is planned is told, not only what was begun."""

    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    study = Study(DILEMMA, "grim,random", repeats=3 * 1024)
    with pytest.raises(KeyboardInterrupt):
        study.run("a run", stop)
    done, told = run("report", "a run"), run("report", "a run", "--json")
    left = "1,024 of 3,072 matches are over; 2,048 are not played to the end yet: the same command with --out 'a run' goes on."
    assert (done.status, told.status, told.json["planned"]) == (3, 3, 3072)
    assert left in spoken(done.out)
    assert study.run("a run").status == {"finished": 3072}
    assert run("report", "a run").status == 0


def test_what_is_suggested_can_be_pasted(run: Run) -> None:
    done = run("play", DILEMMA, "--seats", "grim*2", "--repeats", "1", "--out", "my run")
    assert "commonage report 'my run'" in done.out


# study


def test_save_overwrites_nothing_else(run: Run) -> None:
    play = ["play", DILEMMA, "--seats", "grim*2", "--dry-run", "--save", "mine.toml"]
    assert run(*play).status == 0
    assert run(*play).status == 0
    before = Path("mine.toml").read_text()
    done = run(*play, "--repeats", "7")
    assert (done.status, Path("mine.toml").read_text()) == (2, before)
    assert "'mine.toml' is there already, and is not this study" in done.err


def test_save_and_study(run: Run) -> None:
    run(
        "play",
        COMMONS,
        "--seats",
        "cheat,sustainer*2",
        "--with",
        "punish",
        "--repeats",
        "3",
        "--out",
        "a",
        "--save",
        "mine.toml",
        "--seed",
        "5",
    )
    for command in (["study", "mine.toml"], ["play", "mine.toml", "--out", "c"]):
        assert run(*command).status == 0
    assert read.equal("a", "runs/mine") == []
    assert read.equal("a", "c") == []
    assert Study.load("mine.toml").seed == 5


def test_dry_run(run: Run) -> None:
    Path("grid.toml").write_text('repeats = 6\n[grid]\ngame = "dilemma"\nseats = ["grim*2", "human,grim"]\nwith = [[], "punish"]\n')
    done = run("study", "grid.toml", "--dry-run")
    assert done.status == 0
    assert "4 arms x 6 repeats = 24 matches" in done.out
    assert "nothing is spent" in done.out
    assert done.out.count("mixed") == done.out.count("compiled") == 2
    assert "1 arm x 1 repeat = 1 match, seed 0" in run("play", DILEMMA, "--seats", "grim*2", "--repeats", "1", "--dry-run").out
    planned = run("study", "grid.toml", "--dry-run", "--json").json
    assert {arm["repeats"] for arm in planned["arms"]} == {6}
    assert planned["matches"] == 24
    assert [arm["runner"] for arm in planned["arms"]] == ["compiled", "compiled", "mixed", "mixed"]
    assert [path.name for path in Path().iterdir()] == ["grid.toml"]


def test_a_pilot_is_for_a_dry_run(run: Run) -> None:
    assert run("play", DILEMMA, "--repeats", "5", "--out", "pilot").status == 0
    done = run("play", DILEMMA, "--pilot", "pilot")
    assert (done.status, done.err) == (2, "commonage: --pilot pilot: what was played before helps a dry run; add --dry-run\n")
    assert "1 arm of dilemma in pilot" in " ".join(run("play", DILEMMA, "--dry-run", "--pilot", "pilot").out.split())


def test_a_study_file_says_the_rest_itself(run: Run) -> None:
    Path("mine.toml").write_text('repeats = 2\n[[arm]]\ngame = "dilemma"\nseats = "grim*2"\n')
    for flag in (
        ["--seats", "random*2"],
        ["--repeats", "20"],
        ["--seed", "0"],
        ["--with", "talk"],
        ["--set", "rounds=3"],
        ["--save", "x.toml"],
    ):
        done = run("play", "mine.toml", *flag)
        assert done.status == 2
        assert f"{flag[0]}: a study file says that itself" in done.err
    assert run("play", "mine.toml", "--json", "--out", "a", "--max-failed", "1").json["arms"][0]["matches"] == 2


def test_a_study_file_that_is_wrong(run: Run) -> None:
    Path("mine.toml").write_text('repeats = "20"\n[[arm]]\ngame = "dilemma"\nseats = "grim*2"\n')
    done = run("study", "mine.toml")
    assert (done.status, done.out) == (2, "")
    assert "repeats='20'" in done.err


# results

GRID = """
repeats = 8
seed = 3
[[arm]]
name = "no fines"
game = "commons(seats=3,rounds=4,capacity=20)"
seats = "cheat(low=1,high=8),sustainer+fine_overusers*2"
[[arm]]
name = "fines"
game = "commons(seats=3,rounds=4,capacity=20)"
with = "punish"
seats = "cheat(low=1,high=8,wary=2),sustainer+fine_overusers*2"
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "grid.toml").write_text(GRID)
    Study.load(folder / "grid.toml").run(folder / "run")
    return str(folder / "run")


def test_report(run: Run, played: str) -> None:
    done = run("report", played, "--html", "page.html")
    assert done.status == 0
    assert "no fines" in done.out
    assert "16 matches, 0 failed." in done.out
    page = Path("page.html").read_text()
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "src=" not in page


def test_report_json_and_csv(run: Run, played: str) -> None:
    arms = run("report", played, "--json").json["arms"]
    assert [arm["name"] for arm in arms] == ["no fines", "fines"]
    rows = list(csv.DictReader(io.StringIO(run("report", played, "--csv").out)))
    for row in rows:
        cell = next(arm for arm in arms if arm["name"] == row["name"])["measures"][row["measure"]]
        assert row["mean"] == "" if cell["mean"] is None else np.isclose(float(row["mean"]), cell["mean"])
        assert int(row["n"]) == cell["n"]
    assert len(rows) == sum(len(arm["measures"]) for arm in arms)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_report_events(run: Run, played: str, suffix: str) -> None:
    done = run("report", played, "--events", f"events{suffix}", "--json")
    assert done.json
    frame = pl.read_csv(f"events{suffix}", infer_schema_length=None) if suffix == ".csv" else pl.read_parquet(f"events{suffix}")
    assert frame.height == read.events(played).height > 100
    assert {"match", "step", "seat", "kind"} <= set(frame.columns)


def test_report_events_in_another_format(run: Run, played: str) -> None:
    done = run("report", played, "--events", "events.xlsx")
    assert done.status == 2
    assert "must end in .parquet or .csv" in done.err


def test_compare(run: Run, played: str) -> None:
    done = run("compare", played)
    assert done.status == 0
    assert "fines, less no fines" in done.out
    assert run("compare", played, "1", "2").out == done.out  # one pair needs no heading
    arms = [Arm("dilemma(rounds=1)", seats) for seats in ("grim*2", "defector*2", "grim,defector")]
    Study(arms=arms, repeats=2).run("three")
    heading, *tables = run("compare", "three").out.split(", less ")
    assert heading.startswith("Each arm less the first. Name two for another pair: commonage compare three 2 3")
    assert len(tables) == 2
    assert "Each arm" not in run("compare", "three", "2", "3").out
    for arms in (["1"], ["1", "3"], ["0", "1"], ["1", "2", "1"]):
        wrong = run("compare", played, *arms)
        assert wrong.status == 2
        assert "from 1 to 2" in wrong.err


def test_one_arm_has_nothing_to_compare_with(run: Run) -> None:
    run("play", DILEMMA, "--seats", "grim*2", "--repeats", "1", "--out", "a")
    done = run("compare", "a")
    assert done.status == 2
    assert "one arm" in done.err


def test_methods(run: Run, played: str) -> None:
    out = run("methods", played).out
    for part in ("2 arms of 8 repeats", "root seed 3", "punish@1", "@software{commonage", "Piatti et al. 2024", "Fehr & Gächter 2000"):
        assert part in out
    assert "Punish was played with cost=1, fine=3, most=1." in out
    assert "preset" not in out


def test_methods_name_the_preset_and_whose_it_is(run: Run) -> None:
    source = 'about = "a lake"\nsource = "us, 2026"\n[base]\ngame = "commons(rounds=2)"\n[[seats]]\nname = "all"\nseats = "greedy*5"\n'
    Path("mine.toml").write_text(source)
    assert run("play", "mine.toml", "--repeats", "1", "--out", "a").status == 0
    Path("mine.toml").unlink()  # what was played stays as it was
    out = run("methods", "a").out
    assert "1 arm of 1 repeat each" in out
    assert "Arm 1: commons(rounds=2) of the preset mine.toml/base, seats greedy*5" in out
    assert "  preset mine.toml/base: us, 2026" in out.splitlines()


def test_transcript(run: Run, played: str) -> None:
    done = run("transcript", played, "9")
    assert done.out.startswith(f"Match 9: {COMMONS} with punish; repeat 1, seed 3")
    assert "fine whom" in done.out
    for command in ("transcript", "replay", "render"):
        wrong = run(command, played, "99")
        assert wrong.status == 2
        assert f"no match 99 in {played!r}: it has 16, and they count from 1" in wrong.err
    assert run("transcript", played, "9", "--html", "page.html").status == 0
    assert "fine whom" in Path("page.html").read_text()


def test_render(run: Run, played: str) -> None:
    for options, name in (([], "match-9.gif"), (["--step", "2"], "match-9-step-2.svg"), (["--html", "--every", "2"], "match-9.html")):
        done = run("render", played, "9", *options)
        assert done.out == f"Picture: {Path(played) / name}\n"
        assert (Path(played) / name).exists()
    for options, says in ((["--png", "--gif"], "--png --gif: name one of them"), (["--steps", "5"], "--steps 5: the first and the last")):
        wrong = run("render", played, "9", *options)
        assert wrong.status == 2
        assert says in wrong.err


def test_replay_and_fork(run: Run, played: str) -> None:
    done = run("replay", played, "9")
    assert done.status == 0
    assert "every move and reward as in the log" in done.out
    forked = run(
        "replay",
        played,
        "9",
        "--fork-at",
        "2",
        "--without",
        "punish",
        "--seat",
        "1=sustainer",
        "--set",
        "growth=3",
        "--with",
        "noise",
        "--out",
        "what-if",
    )
    assert forked.status == 0
    assert re.search(r"gain +\d.* \d", forked.out)
    assert "commonage transcript what-if 1" in forked.out
    assert run("replay", "what-if", "1").status == 0
    again = run("replay", "what-if", "1", "--fork-at", "2")
    assert again.status == 2
    assert "is a fork itself" in again.err


def test_a_fork_that_fails_is_incomplete(run: Run) -> None:
    run("play", COMMONS, "--seats", "sustainer*3", "--repeats", "1", "--out", "a")
    done = run("replay", "a", "1", "--fork-at", "2", "--seat", "1=scripted(banana)", "--out", "b")
    assert done.status == 3
    assert "1 of 1 failed (agent: at \"harvest\": the last line was 'banana'" in spoken(done.out)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--seat", "1=grim"], "--fork-at 3"),
        (["--fork-at", "2", "--seat", "x=greedy"], "write place=player"),
        (["--fork-at", "2", "--seat", "1="], "write place=player"),
        (["--fork-at", "2", "--seat", "1=cheat", "--seat", "1=greedy"], "--seat 1=greedy: this seat is cheat already"),
        (["--budget", "2"], "--fork-at 3"),
        (["--fork-at", "2", "--seat", "9=greedy"], "seats count from 1 to 3"),
        (["--fork-at", "99"], "rounds count from 1 to 4"),
        (["--fork-at", "-1"], "rounds count from 1 to 4"),
        (["--fork-at", "2", "--without", "talk"], "no such mechanism; it has punish"),
    ],
)
def test_a_fork_that_is_wrong(run: Run, played: str, arguments: list[str], says: str) -> None:
    done = run("replay", played, "9", *arguments)
    assert done.status == 2
    assert says in done.err


def test_a_replay_that_differs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody changed a strategy since."""
    run("play", DILEMMA, "--seats", "tit_for_tat,alternator", "--repeats", "1", "--out", "a")
    monkeypatch.setattr("commonage.policies.tit_for_tat.TitForTat.act", lambda self, key, memory, sight, legal: (legal.nth(1), memory))
    from commonage.run import match

    monkeypatch.setattr(match, "answer_together", _anew)
    done = run("replay", "a", "1")
    assert done.status == 1
    assert "differs from its log in steps 1" in done.out


def _anew(agents: Any, views: Any) -> Any:
    """Policies called as they are now, not as they were compiled."""
    from commonage.agent import Answer

    return [
        Answer(int(agent.player[0].act(view.key, (), view.sight("dilemma"), view.legal)[0]))
        for agent, view in zip(agents, views, strict=True)
    ]


# listings


@pytest.mark.parametrize(("kind", "one"), [("games", "commons"), ("mechanisms", "punish"), ("agents", "tit_for_tat"), ("measures", "gain")])
def test_listings(run: Run, kind: str, one: str) -> None:
    table, rows = run(kind), run(kind, "--json").json
    assert table.status == 0
    assert all(row["name"] in table.out and row["line"] in table.out for row in rows)
    page, detail = run(kind, one), run(kind, one, "--json").json
    assert detail["name"] == one
    assert detail["docstring"] in page.out
    assert all(f"{name} = {default}" in page.out for name, default in detail["parameters"].items())


def test_agents_lists_policies_people_programs_and_teams(run: Run) -> None:
    rows = run("agents", "--json").json
    assert {row["kind"] for row in rows} == {"policies", "agents", "teams"}
    assert {"human", "remote", "python", "vote", "sustainer"} <= {row["name"] for row in rows}
    assert run("agents", "share").out.startswith("sustainer")
    assert run("games", "commons", "--json").json["parameters"]["capacity"] == "100"
    assert run("agents", "remote", "--json").json["parameters"] == {"address": "''", "timeout": "20.0"}
    assert run("agents", "human", "--json").json["parameters"] == {"name": "''", "substitute": "None", "tick": "0"}
    assert run("agents", "llm", "--json").json["parameters"].items() >= {("model", "no default"), ("temperature", "0.7")}
    assert "*members = any number" in run("agents", "vote").out


def test_a_model_that_does_not_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens at port 9."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    done = run("models", "any")
    way = "Start the server, or name another model: commonage models"
    says = f"commonage: any gave no answer: nobody listens at http://127.0.0.1:9/v1. {way}\n"
    assert done == (3, "", says)
    asked = run("models", "any", "--json")
    assert (asked.status, asked.json["verbs"], asked.err) == (3, [], says)


def test_help_and_version(run: Run) -> None:
    out = run("--help").out
    for command in (
        "demo",
        "play",
        "report",
        "games",
        "mechanisms",
        "agents",
        "measures",
        "transcript",
        "replay",
        "study",
        "compare",
        "verify",
        "check",
        "methods",
    ):
        assert re.search(rf"\b{command}\b", out)
    assert "0 done" in out
    assert re.fullmatch(r"commonage \d+\.\d+\.\d+\n", run("--version").out)
    for command in ("play", "replay"):
        assert run(command, "-h").status == 0


# check and verify

GOOD = '''
import jax.numpy as jnp
from commonage import seeds
from commonage.policy import Policy

class Fickle(Policy):
    """Now and then does the other thing."""
    p: float = 0.3

    def act(self, key, memory, sight, legal):
        return legal.nth(seeds.below(key, legal.size)), memory
'''
BAD = GOOD.replace("legal.nth(seeds.below(key, legal.size))", "jnp.int32(99)")
AGENTS = """
def count(view):
    return view.options[view.step % len(view.options)]
def silent(view):
    return "banana"
"""


def test_check(run: Run) -> None:
    Path("good.py").write_text(GOOD)
    Path("bad.py").write_text(BAD)
    Path("broken.py").write_text("class Broken(:")
    Path("agents.py").write_text(AGENTS)
    for name in ("good.py", "good.py:Fickle", "good.py(p=0.5)", "python:agents.py:count"):
        done = run("check", name)
        assert (done.status, done.err) == (0, "")
        assert name in done.out
    for name, status, says in (
        ("bad.py", 1, "99"),
        ("python:agents.py:silent", 1, "banana"),
        ("broken.py", 2, "SyntaxError"),
        ("none.py", 2, "none.py"),
        ("good.py(q=1)", 2, "'q'"),
    ):
        done = run("check", name)
        assert (done.status, done.out) == (status, "")
        assert says in done.err


def test_a_users_own_file_plays(run: Run) -> None:
    Path("my parts").mkdir()
    Path("my parts/good.py").write_text(GOOD)
    done = run("play", DILEMMA, "--seats", '"my parts/good.py"(p=0.5),grim', "--repeats", "2", "--out", "a", "--save", "s.toml")
    assert done.status == 0
    assert run("report", "a", "--json").json["arms"][0]["spec"]["seats"] == '"my parts/good.py"(p=0.5),grim'
    assert run("replay", "a", "2").status == 0
    run("study", "s.toml", "--out", "b")
    assert read.equal("a", "b") == []


def checks(value: float) -> list[verify.Check]:
    return [verify.Check("two and two", "Peano 1889", 4.0, lambda: value), verify.Check("nothing", "nobody", 0.0, lambda: 0.0)]


@pytest.mark.parametrize(("value", "status", "mark"), [(4.0, 0, "ok"), (4.0 + 1e-6, 1, "WRONG"), (float("nan"), 1, "WRONG")])
def test_verify(run: Run, monkeypatch: pytest.MonkeyPatch, value: float, status: int, mark: str) -> None:
    monkeypatch.setattr(verify, "checks", lambda: checks(value))
    done = run("verify")
    assert done.status == status
    assert re.search(rf"Peano 1889\n +two and two +4 +[4n].* 1e-09 {mark}\n", done.out)
    assert f"{2 - status} of 2 agree." in done.out


def test_verify_json(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "checks", lambda: checks(5.0))
    done = run("verify", "--json")
    assert done.status == 1
    assert [row["ok"] for row in done.json] == [False, True]
    assert done.json[0] | {"ok": None} == {
        "quantity": "two and two",
        "source": "Peano 1889",
        "expected": 4,
        "ours": 5,
        "difference": 1,
        "tolerance": 1e-9,
        "ok": None,
    }


def test_every_expectation_is_a_literal_with_a_source() -> None:
    rows = verify.checks()
    assert len(rows) > 10
    assert all(isinstance(row.expected, float | int) and row.source and row.quantity for row in rows)
    assert len({row.quantity for row in rows}) == len(rows)


@pytest.mark.slow
def test_verify_everything(run: Run) -> None:
    done = run("verify")
    assert done.status == 0, done.out


# the demo


@pytest.mark.parametrize("repeats", [pytest.param("1", marks=pytest.mark.slow), "200"])  # as many as it has: compiled for the docs, too
def test_demo(run: Run, repeats: str) -> None:
    done = run("demo", "--repeats", repeats)
    assert (done.status, done.err) == (0, "")
    assert f"{5 * int(repeats):,} matches, 0 failed" in done.out
    assert "[nan" not in done.out
    assert "None" not in done.out
    assert {"lake.svg", "report.html", "log.sqlite"} <= {path.name for path in Path("demo").iterdir()}
    command = next(line for line in done.out.splitlines() if "--fork-at" in line).split("  what if")[0].split()
    assert run(*command[1:]).status == 0
    assert run("demo", "--repeats", repeats).status == 0  # what was played is shown again


# real processes


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`commonage ...` as a process of its own."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", "from commonage.cli import main; main()", *arguments]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        running.append(subprocess.Popen(command, cwd=tmp_path, text=True, **pipes))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_exit_status_of_real_processes(started: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """0 done, 1 not met, 2 wrong command, 3 incomplete; stdout carries the result, stderr all the rest."""
    (tmp_path / "bad.py").write_text(BAD)
    commands = {
        0: ("games",),
        1: ("check", "bad.py"),
        2: ("play", DILEMMA, "--seats", "grim*3"),
        3: ("play", DILEMMA, "--seats", "scripted(banana),grim", "--repeats", "1", "--json"),
    }
    processes = {status: started(*command) for status, command in commands.items()}
    for status, process in processes.items():
        out, err = process.communicate(timeout=60)
        assert process.returncode == status, err
        assert bool(out) == (status in (0, 3))
        assert "Traceback" not in err
        if status == 3:
            assert json.loads(out)["arms"][0]["failed"] == 1


def test_the_reader_of_a_pipe_may_leave(started: Callable[..., subprocess.Popen[str]]) -> None:
    """`commonage agents | head -1`"""
    process = started("agents")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.wait(timeout=60)


def test_a_person_presses_ctrl_c(started: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """At a real terminal: it stops at once, without Enter; what was answered stays, and the same command goes on."""
    terminal, end = pty.openpty()
    process = started(
        "play", DILEMMA, "--seats", "human,grim", "--repeats", "1", "--out", "a", stdin=end, stdout=end, stderr=end, start_new_session=True
    )
    os.close(end)
    shown = _until(terminal, "choose? cooperate | defect")
    os.write(terminal, b"cooperate\n")
    shown += _until(terminal, "choose? cooperate | defect")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 3
    assert "commonage: stopped" in shown + _until(terminal, "goes on from there")
    os.close(terminal)
    assert [row[2] for row in read.match(tmp_path / "a", 1) if type(row[3]).__name__ == "Moved" and row[1] == 0] == [0]
    again = started("play", DILEMMA, "--seats", "human,grim", "--repeats", "1", "--out", "a", "--json", stdin=subprocess.PIPE)
    out, err = again.communicate("defect\n" * 3, timeout=60)
    assert json.loads(out)["arms"][0]["failed"] == 0
    assert err.count("choose?") == 3


def _until(terminal: int, text: str) -> str:
    """What the terminal shows until this comes, at most 60 seconds."""
    shown, began = "", time.monotonic()
    while text not in shown:
        assert time.monotonic() - began < 60, shown
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode()
    return shown


def test_a_contract_error_is_status_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> None:
        raise ContractError("mine: it is broken")

    monkeypatch.setattr("commonage.cli.show.methods", broken)
    done = run("methods", "a")
    assert (done.status, done.err) == (1, "commonage: mine: it is broken\n")
