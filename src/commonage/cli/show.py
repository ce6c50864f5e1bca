"""What the commands print: one function a command, each a call and a page."""

from __future__ import annotations

import dataclasses
import json as jsonlib
import os
import shlex
import sys
import warnings
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from commonage import spec
from commonage.errors import SpecError

DONE, NOT_MET, INCOMPLETE = 0, 1, 3
POWER = 4  # comparisons of which it is said what they can tell


def demo(out: Path, repeats: int, seed: int) -> None:
    from commonage.run import demo as lake

    with _progress("playing") as progress:
        text = lake.run(out, repeats, seed, progress)
    print(text)


def play(
    game: str, mechanisms: Sequence[str], seats: str, sets: Sequence[str], generations: str, repeats: int, seed: int, out: Path | None,
    runner: str, on_failure: str, max_failed: int, json: bool, save: Path | None, dry: str | None, limits: dict[str, Any],
    people: dict[str, Any],
) -> None:  # fmt: skip
    spec.known(game, mechanisms, seats)  # before anything heavy is imported
    from commonage.run.study import Arm, Study

    arm = Arm(game, seats or _anybody(game, mechanisms, sets), tuple(mechanisms), "", spec.settings(sets), generations or None)
    plan = Study(arms=[arm], repeats=repeats, seed=seed, runner=runner, on_failure=on_failure, limits=limits)
    _play(plan, out, max_failed, json, save, dry, people)


def _play(plan: Any, out: Path | None, max_failed: int, json: bool, save: Path | None, dry: str | None, people: dict[str, Any]) -> None:
    plan.built  # noqa: B018  says what is wrong before anything is written
    if save:
        plan.save(save)
    if dry is not None:
        return _dry(plan, json, dry)
    _run(plan, out or _fresh(plan.built[0].game), max_failed, json, people)


def preset(
    name: str, variants: Sequence[str], mechanisms: Sequence[str], seats: str, sets: Sequence[str], options: dict[str, Any],
    out: Path | None, max_failed: int, json: bool, save: Path | None, dry: str | None, limits: dict[str, Any], people: dict[str, Any],
) -> None:  # fmt: skip
    from commonage.run.study import Study

    chosen = [one for text in variants for one in text.split(",")]
    plan = Study.preset(name, chosen, seats, mechanisms, spec.settings(sets), limits=limits, **options)
    _play(plan, out or _free(Path("runs") / Path(name).stem), max_failed, json, save, dry, people)


def study(
    file: Path, out: Path | None, dry: str | None, max_failed: int, json: bool, limits: dict[str, Any], people: dict[str, Any],
    named: Sequence[str] = (),
) -> None:  # fmt: skip
    from commonage.run.study import Study

    if named:
        raise SpecError(f"{', '.join(named)}: a study file says that itself; change {file}, or name a game instead")
    plan = Study.load(file)
    plan.limits = dataclasses.replace(plan.limits, **limits)
    if dry is not None:
        return _dry(plan, json, dry)
    _run(plan, out or Path("runs") / file.stem, max_failed, json, people)


def _dry(plan: Any, json: bool, pilot: str) -> None:
    """What would run, what models would be asked for, and what it could tell."""
    from commonage.measure import words
    from commonage.run.power import power

    found = plan.estimate()
    told = power(plan, found.total("likely").money if found.paid else 0.0, pilot)
    if json:
        runner = lambda arm: "compiled" if arm.compiled else "mixed"
        arms = [{"name": arm.name, "runner": runner(arm), "repeats": arm.repeats, "spec": arm.spec} for arm in plan.built]
        sizes = {"repeats": plan.repeats, "matches": sum(arm.matches for arm in plan.built), "seed": plan.seed}
        print(jsonlib.dumps({"arms": arms, **sizes, "estimate": found.json(), "power": told.json()}))
        return
    rows = [f"  {arm.number + 1:>3}  {'compiled' if arm.compiled else 'mixed':<8}  {arm.name}" for arm in plan.built]
    arms, matches = words.count(len(rows), "arm"), words.count(sum(arm.matches for arm in plan.built), "match")
    chained = " (x generations)" if any(arm.generations for arm in plan.built) else ""
    repeats = words.either((arm.repeats for arm in plan.built), "repeat")
    print("\n".join([f"{arms} x {repeats}{chained} = {matches}, seed {plan.seed}; {_cost(found)}", *rows]))
    if found.rows:
        print(f"\n{found.text()}")
    _power(told)


def _power(told: Any) -> None:
    """The least difference between two arms that can be told from none, in several sizes of the study."""
    from rich.console import Console

    from commonage.measure import report as pages

    console = Console(highlight=False)
    console.print("\nDifferences between two arms that it can tell from none:\n")
    console.print(pages.plans(told.plans, console.width))
    cost = " The cost is that of the arms above, in this size." if told.plans[0].money else ""
    none = " -: it tells not even the largest." if None in told.plans[0].least.values() else ""
    console.print(f"{told.basis}.{none}{cost}", markup=False)


def _cost(found: Any) -> str:
    if not found.paid:
        return "no paid seat, nothing is spent."
    return f"to run it {found.flag} covers the high end; nothing was sent."


def _run(plan: Any, out: Path, max_failed: int, json: bool, people: dict[str, Any]) -> None:
    quiet = json or any(not agent.pure and agent.boundary != "model" for arm in plan.built for agent in arm.agents)
    with _progress("playing", quiet) as progress:
        result = _sit(plan, out, progress, **people) if people else plan.run(out, progress)
    if json:
        print(jsonlib.dumps(result.summary()))
    else:
        _page(result)
        print(f"\n  Log: {out}    again: commonage report {_quoted(out)}    one match: commonage transcript {_quoted(out)} 1")
    if _left(result) or result.status.get("failed", 0) > max_failed:
        raise typer.Exit(INCOMPLETE)


def _sit(plan: Any, out: Path, progress: Any, web: bool = False, browse: bool = False, **more: Any) -> Any:
    """The study, with people before pages."""
    if not web:
        named = next(iter(more), "open")
        raise SpecError(f"--{named} is for people before pages: add --web")
    try:
        from commonage.web.sit import House, sit
    except ImportError as error:
        raise SpecError(f"--web needs {error.name}, which is not there: pip install 'commonage[web]'") from error
    house = House(**{name: more.pop(name) for name in House._fields if name in more})
    return sit(plan, out, progress, house=house, browse=webbrowser.open if browse else lambda _: None, **more)


def _quoted(path: Path) -> str:
    """A path as a shell reads it."""
    return shlex.quote(str(path))


def _left(result: Any) -> int:
    """How many matches of the study are not over: not begun, open or paused."""
    return result.planned - sum(result.status.get(over, 0) for over in ("finished", "failed"))


def _page(result: Any) -> None:
    """The arms as a table, then what there is to know about them."""
    from rich.console import Console

    from commonage.measure import report as pages

    console = Console(highlight=False)
    console.print(pages.tables(result.summary(), width=console.width))
    chains = any("generations" in arm for arm in result.tables.arms)
    if chains and (over := pages.generations(result.tables, result.summary(), result.measures, console.width)):
        console.print("", over)
    told = [pages.power(result.compare(a, b)) for a, b in pages.alike(result.summary()["arms"])[:POWER]] if chains else []
    for line in [*pages.notes(result.summary()), *filter(None, told), *_unfinished(result)]:
        console.print(line, markup=False)


def _unfinished(result: Any) -> list[str]:
    """What is left to play, and how."""
    from commonage.measure import words

    if not (left := _left(result)):
        return []
    cause = "once the cause is gone (start your server, set the key, raise --budget), " if result.status.get("paused") else ""
    way = f"{cause}the same command with --out {_quoted(result.path)} goes on"
    over = f"{result.planned - left:,} of {words.count(result.planned, 'match')} {'is' if result.planned == 1 else 'are'} over"
    return [f"{over}; {left:,} {'is' if left == 1 else 'are'} not played to the end yet: {way}."]


def report(
    folder: Path, json: bool, csv: bool, html: Path | None, events: Path | None, measures: Sequence[str], background: str, browse: bool
) -> None:  # fmt: skip
    from commonage.measure.focal_return import FocalReturn
    from commonage.run.result import Result

    if json and csv:
        raise SpecError("--json and --csv: name one of them")
    result = Result(folder, [*measures, *([FocalReturn(background)] if background else [])])
    if background:
        FocalReturn(background).must_seat(result.tables.arms)
    if events:
        _write_events(result, events)
    if json:
        print(jsonlib.dumps(result.summary()))
    elif csv:
        print(result.table().write_csv(), end="")
    else:
        _page(result)
        page = result.report(html)
        print(f"\n  Report: {page}")
        if browse:
            webbrowser.open(page.resolve().as_uri())
    if _left(result):
        raise typer.Exit(INCOMPLETE)


def _write_events(result: Any, path: Path) -> None:
    writers = {".parquet": "write_parquet", ".csv": "write_csv"}
    if path.suffix not in writers:
        raise SpecError(f"--events {path}: the file must end in .parquet or .csv")
    getattr(result.events(), writers[path.suffix])(path)


def transcript(folder: Path, match: int, html: Path | None) -> None:
    from commonage.run import transcript as told

    _there(folder, match)
    if not html:
        return print(told.transcript(folder, match))
    html.write_text(told.page(folder, match), encoding="utf-8")
    print(f"Transcript: {html}")


def render(
    folder: Path, match: int, out: Path | None, step: int | None, steps: str, kinds: Sequence[str], every: int, scale: int, dark: bool
) -> None:  # fmt: skip
    from commonage.run.render import render as draw

    first, dash, last = steps.partition("-")
    if steps and not (first.isdecimal() and dash and last.isdecimal()):
        raise SpecError(f"--steps {steps}: the first and the last, as in --steps 100-200")
    if len(kinds) > 1:
        raise SpecError(f"{' '.join(f'--{kind}' for kind in kinds)}: name one of them")
    _there(folder, match)
    span = (int(first), int(last)) if steps else None
    picture = draw(folder, match, out, step=step, steps=span, kind="".join(kinds), every=every, scale=scale, dark=dark)
    print(f"Picture: {picture}")


def _there(folder: Path, match: int) -> None:
    """Raises SpecError for a match that the study in a folder does not have."""
    from commonage.run.result import Result

    if not 1 <= match <= (planned := Result(folder).planned):
        raise SpecError(f"no match {match} in {str(folder)!r}: it has {planned:,}, and they count from 1")


def replay(
    folder: Path, match: int, at: int, seat: Sequence[str], sets: Sequence[str], without: Sequence[str], mechanisms: Sequence[str],
    out: Path | None, limits: dict[str, Any],
) -> None:  # fmt: skip
    from commonage.measure import words
    from commonage.run import replay as again
    from commonage.run.result import Result

    _there(folder, match)
    if not at:
        if seat or sets or without or mechanisms or limits:
            raise SpecError("to change a seat or a rule, or to ask models, say from which round on: --fork-at 3")
        found = again.replay(folder, match)
        if found.differing:
            print(f"Match {match} differs from its log in steps {', '.join(str(step + 1) for step in found.differing)}.")
            raise typer.Exit(NOT_MET)
        played = f"{words.count(found.rounds, 'round')}, {words.count(found.steps, 'step')}"
        print(f"Match {match} replayed: {played}, every move and reward as in the log.")
        return
    target = out or _free(Path("runs") / f"{folder.name}-{match}-fork")
    after = again.fork(
        folder, match, at, out=target, seat=_seats(seat), sets=spec.settings(sets), without=without, mechanisms=mechanisms, limits=limits
    )
    if "finished" not in after.status:
        _page(after)
        raise typer.Exit(INCOMPLETE)
    print(_fork_page(Result(folder).one(match), after.one(1), match, at))
    print(f"\n  Log: {target}    commonage transcript {_quoted(target)} 1")


def _fork_page(before: dict[str, float | None], after: dict[str, float | None], match: int, at: int) -> str:
    lines = [f"  match {match}, changed from round {at} on (one match: no interval; differences need repeats)", ""]
    lines += [f"  {'':<18}{'as it was':>12}{'forked':>12}"]
    for name in [*before, *(name for name in after if name not in before)]:
        lines.append(f"  {name:<18}{_number(before.get(name)):>12}{_number(after.get(name)):>12}")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def compare(folder: Path, arms: Sequence[int]) -> None:
    from rich.console import Console

    from commonage.measure import report as pages
    from commonage.run.result import Result

    result, console = Result(folder), Console(highlight=False)
    count = len(result.tables.arms)
    if count < 2:
        raise SpecError(f"{str(folder)!r} has one arm: there is nothing to compare it with. A study has several: commonage study FILE")
    if any(not 1 <= arm <= count for arm in arms) or len(arms) not in (0, 2):
        raise SpecError(f"arms {list(arms)}: name two, from 1 to {count}, or none to compare all with the first")
    pairs = [(arms[0], arms[1])] if arms else [(1, arm) for arm in range(2, count + 1)]
    if len(pairs) > 1:
        console.print(f"Each arm less the first. Name two for another pair: commonage compare {_quoted(folder)} 2 3\n", markup=False)
    for a, b in pairs:
        console.print(pages.differences(result.compare(a - 1, b - 1)))


def schelling(
    game: str, cooperate: str, defect: str, mechanisms: Sequence[str], sets: Sequence[str], repeats: int, seed: int, out: Path | None,
    json: bool, limits: dict[str, Any],
) -> None:  # fmt: skip
    spec.known(game, mechanisms, f"{cooperate},{defect}")  # before anything heavy is imported
    from commonage.run import schelling as diagram

    found = lambda table, **how: diagram.schelling(table, cooperate, defect, repeats, seed, limits=limits, **how)
    _compared(diagram, found, (game, mechanisms, sets), out, json)


def crossplay(
    game: str, players: str, mechanisms: Sequence[str], sets: Sequence[str], repeats: int, seed: int, out: Path | None, json: bool,
    limits: dict[str, Any],
) -> None:  # fmt: skip
    spec.known(game, mechanisms, players)
    from commonage.run import crossplay as matrix

    found = lambda table, **how: matrix.crossplay(table, players, repeats, seed, limits=limits, **how)
    _compared(matrix, found, (game, mechanisms, sets), out, json)


def adapt(
    game: str, players: str, partners: str, after: int, mechanisms: Sequence[str], sets: Sequence[str], repeats: int, seed: int,
    out: Path | None, json: bool, limits: dict[str, Any],
) -> None:  # fmt: skip
    spec.known(game, mechanisms, f"{players},{partners}")
    from commonage.run import adaptation

    found = lambda table, **how: adaptation.adaptation(table, players, partners, after, repeats, seed, limits=limits, **how)
    _compared(adaptation, found, (game, mechanisms, sets), out, json)


def _compared(kind: Any, play: Callable[..., Any], table: tuple[str, Sequence[str], Sequence[str]], out: Path | None, json: bool) -> None:
    """Plays what a module compares, writes its figure beside the log, and prints its text or its summary."""
    from commonage.game import base
    from commonage.measure import report as pages
    from commonage.run.result import Result

    game, mechanisms, sets = table
    played, name = spec.game(game, tuple(mechanisms), spec.settings(sets)), kind.__name__.rpartition(".")[2]
    target = out or _free(Path("runs") / f"{base(played).name}-{name}")
    with _progress("playing", json) as progress:
        found = play(played, out=target, progress=progress)
    drawn, picture = kind.figure(found), target / f"{name}.svg"
    if drawn:
        picture.write_text(drawn, encoding="utf-8")
    where = f"{f'Figure: {picture}    ' if drawn else ''}Log: {target}"
    print(jsonlib.dumps(kind.summary(found)) if json else f"{kind.text(found)}\n\n  {where}")
    result = Result(target)
    if _left(result) or result.status.get("failed", 0):
        print(*pages.notes(result.summary()), *_unfinished(result), sep="\n", file=sys.stderr)
        raise typer.Exit(INCOMPLETE)


def imitate(source: str, out: Path, seat: int | None, json: bool) -> None:
    from commonage.run import imitation

    found = imitation.imitate(source, out, seat)
    print(jsonlib.dumps(imitation.summary(found)) if json else f"{imitation.text(found)}\n\n  Seat it: imitator(file={out})")


def serve(folder: Path, host: str, port: int, password: str, open_hands: bool, browse: bool) -> None:
    try:
        from commonage.web.watch import serve as watch
    except ImportError as error:
        raise SpecError(f"serve needs {error.name}, which is not there: pip install 'commonage[web]'") from error

    def ready(address: str) -> None:
        print(f"Watch at {address}    Ctrl-C stops", flush=True)
        if browse:
            webbrowser.open(address)

    watch(folder, host=host, port=port, password=password, open_hands=open_hands, ready=ready)


def verify(json: bool) -> None:
    from commonage import verify as truth

    rows = []
    if not json:
        print(truth.HEAD)
    for row in truth.rows():
        if not json:
            print(truth.line(row, rows), flush=True)
        rows.append(row)
    wrong = sum(not row.ok for row in rows)
    print(jsonlib.dumps([row._asdict() for row in rows]) if json else f"\n{len(rows) - wrong} of {len(rows)} agree.")
    if wrong:
        raise typer.Exit(NOT_MET)


def check(name: str, game: str, mechanisms: Sequence[str]) -> None:
    from commonage import testing

    print(testing.check(name, spec.game(game or "commons", mechanisms) if game or mechanisms else None))


def methods(folder: Path) -> None:
    from commonage.run.methods import methods as write

    print(write(folder))


def _seats(texts: Sequence[str]) -> dict[int, str]:
    seats = dict[int, str]()
    for place, _, who in (text.partition("=") for text in texts):
        if not place.isdecimal() or not who:
            raise SpecError(f"--seat {place}: write place=player, as in --seat 5=sustainer")
        if int(place) in seats:
            raise SpecError(f"--seat {place}={who}: this seat is {seats[int(place)]} already; name each seat once")
        seats[int(place)] = who
    return seats


def _anybody(game: str, mechanisms: Sequence[str], sets: Sequence[str]) -> str:
    count = spec.game(game, tuple(mechanisms), spec.settings(sets)).seats
    print(f"Nobody is named, so random play takes all {count} seats; say who with --seats (commonage agents).", file=sys.stderr)
    return f"random*{count}"


def _fresh(game: Any) -> Path:
    from commonage.game import base

    return _free(Path("runs") / base(game).name)


def _free(stem: Path) -> Path:
    """The first of stem-1, stem-2, ... that is not there."""
    return next(path for i in range(1, 10**6) if not (path := stem.with_name(f"{stem.name}-{i}")).exists())


@contextmanager
def _progress(verb: str, quiet: bool = False) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on the terminal's error stream; warnings go there, too."""
    with warnings.catch_warnings(), _stoppable():
        warnings.simplefilter("always", UserWarning)
        warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache", UserWarning)  # it compiles again
        warnings.showwarning = lambda message, *_, **__: print(f"note: {message}", file=sys.stderr)  # type: ignore[assignment]
        if quiet or not sys.stderr.isatty():
            yield None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(verb, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Ctrl-C leaves the study incomplete, and says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        print("\ncommonage: stopped; what is in the log stays, the same command with --out DIR goes on from there", file=sys.stderr)
        sys.stdout.flush()
        os._exit(INCOMPLETE)  # the log is closed; a thread may still wait for the keyboard, and would be waited for
