"""All commands, in the order of `commonage --help`. Heavy imports stay inside the commands: a listing answers at once."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from commonage import preset
from commonage.errors import SpecError
from commonage.find import parts


class Commands(TyperGroup):
    """Commands by name; an unknown one is an error like our others."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, ctx.meta["given"] = args[0], list(args)
        if name in self.commands or name.startswith("-"):
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(name, self.commands, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; to play it: commonage play {name}." if name in parts("games") else "."
        raise SpecError(f"no command {name!r}{hint} All: commonage --help")

    def invoke(self, ctx: Any) -> Any:
        """Errors of options repeat the value, too."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            wrong = getattr(error.__cause__, "errors", list)()
            error.message = f"{error.message}, not {wrong[0]['input']!r}" if wrong else error.message
            raise
        except Exception as error:
            option = getattr(error, "option_name", None) or ""
            if option[1:].isdigit():
                raise SpecError(f"{_starting(option, ctx.meta['given'])}: matches and arms count from 1") from None
            raise


def _starting(option: str, given: list[str]) -> str:
    """What was written; typer names an option by its first letter."""
    return next(text for text in given if text.startswith(option))


app = typer.Typer(
    name="commonage",
    cls=Commands,
    help="Sit any agents at the same table and see who cooperates.",
    epilog="Paid models need --budget. Exit: 0 done, 1 gate or check not met, 2 wrong command, 3 incomplete.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder with results.")]
Number = Annotated[int, typer.Argument(metavar="MATCH", help="Matches count from 1, arms in order.")]
With = Annotated[list[str] | None, typer.Option("--with", help='A mechanism, as in "punish(fine=3)"; the first named is outermost.')]
Seats = Annotated[str, typer.Option(help='Who sits there, as in "sustainer*4,cheat"; random*N if you name nobody.')]
Sets = Annotated[list[str] | None, typer.Option("--set", help="A parameter of any layer, as in capacity=120.")]
Repeats = Annotated[int, typer.Option(min=1, help="The same match with other random streams.")]
Seed = Annotated[int, typer.Option(min=0, help="The root of all random streams.")]
Out = Annotated[Path | None, typer.Option(help="Where the log goes; a folder under runs/ if you name none.")]
Runner = Annotated[str, typer.Option(help="auto, mixed or compiled.")]
OnFailure = Annotated[str, typer.Option(help="A seat that fails: end the match, or retire the seat.")]
MaxFailed = Annotated[int, typer.Option(min=0, help="More failed matches than this: exit 3.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would run, what models would cost, what it could tell, and stop.")]
Pilot = Annotated[str, typer.Option(metavar="DIR", help="For --dry-run: what was played before says how wide results spread.")]

MODELS = "Models"
Budget = Annotated[str | None, typer.Option(rich_help_panel=MODELS, help="What they may cost: 2 is money, 200ktok is tokens.")]
InFlight = Annotated[int | None, typer.Option(rich_help_panel=MODELS, help="Calls of an endpoint at a time; 100.")]
Requests = Annotated[float | None, typer.Option("--requests-per-minute", rich_help_panel=MODELS, help="Of an endpoint.")]
Tokens = Annotated[float | None, typer.Option("--tokens-per-minute", rich_help_panel=MODELS, help="Of an endpoint, in and out.")]
Timeout = Annotated[float | None, typer.Option(rich_help_panel=MODELS, help="Seconds for a call with its tries; 20.")]
Cache = Annotated[str | None, typer.Option(metavar="DIR", rich_help_panel=MODELS, help="Where replies are kept that were paid for.")]
NoCache = Annotated[bool, typer.Option("--no-cache", rich_help_panel=MODELS, help="Keep none, use none.")]
CachedOnly = Annotated[bool, typer.Option("--cached-only", rich_help_panel=MODELS, help="Pause rather than ask for anything new.")]
PriceList = Annotated[str | None, typer.Option(metavar="FILE", rich_help_panel=MODELS, help="Your prices over our list, in TOML.")]

PEOPLE = "People"
Web = Annotated[bool, typer.Option("--web", rich_help_panel=PEOPLE, help="Each human seat is a page; its link is printed.")]
Port = Annotated[int | None, typer.Option(rich_help_panel=PEOPLE, min=0, max=65535, help="Of the pages; a free one, and then the same.")]
Host = Annotated[str | None, typer.Option(rich_help_panel=PEOPLE, help="0.0.0.0 lets others on the network in; needs --password.")]
Password = Annotated[str | None, typer.Option(rich_help_panel=PEOPLE, help="That the pages ask for first.")]
Browse = Annotated[bool, typer.Option("--open", rich_help_panel=PEOPLE, help="Open the first page in a browser.")]
Clock = Annotated[float | None, typer.Option(rich_help_panel=PEOPLE, min=0, help="Seconds for an answer; 120, 0 is no limit.")]
Grace = Annotated[float | None, typer.Option(rich_help_panel=PEOPLE, min=0, help="Seconds that one may be away; 60.")]
Wait = Annotated[float | None, typer.Option(rich_help_panel=PEOPLE, min=0, help="Seconds for those who have not come yet; 300.")]
Reveal = Annotated[bool, typer.Option("--reveal", rich_help_panel=PEOPLE, help="Tell people who sits where.")]

START, LOOK, STUDY, SOCIAL, TRUST = "start", "look", "study", "people", "trust"


def _named(context: typer.Context, name: str) -> bool:
    """Whether a parameter stands on the command line."""
    return getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"


def _dry(dry_run: bool, pilot: str) -> str | None:
    """None: play. Else it is a dry run, by the spread of what was played in this folder; "" where none is named."""
    if pilot and not dry_run:
        raise SpecError(f"--pilot {pilot}: what was played before helps a dry run; add --dry-run")
    return pilot if dry_run else None


def _limits(
    budget: Budget = None,
    in_flight: InFlight = None,
    requests_per_minute: Requests = None,
    tokens_per_minute: Tokens = None,
    timeout: Timeout = None,
    cache: Cache = None,
    no_cache: NoCache = False,
    cached_only: CachedOnly = False,
    prices: PriceList = None,
) -> None:
    """The options under Models, as every command has them that asks models."""


def _people(
    web: Web = False,
    port: Port = None,
    host: Host = None,
    password: Password = None,
    browse: Browse = False,
    clock: Clock = None,
    grace: Grace = None,
    wait: Wait = None,
    reveal: Reveal = False,
) -> None:
    """The options under People, as every command has them that seats people before pages."""


def _shares(options: Callable[..., None], table: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command with these options, too; what of them stands on the command line comes as a table."""

    def around(command: Callable[..., None]) -> Callable[..., None]:
        own, shared = (inspect.signature(one, eval_str=True).parameters for one in (command, options))
        both = [one for name, one in own.items() if name != table] + list(shared.values())

        @functools.wraps(command)
        def called(context: typer.Context, **given: Any) -> None:
            named = {name: value for name in shared if (value := given.pop(name)) is not None and _named(context, name)}
            if named.pop("no_cache", False):
                named["cache"] = False
            command(context, **given, **{table: named})

        vars(called).update(__signature__=inspect.Signature([one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in both]))
        called.__annotations__ = {one.name: one.annotation for one in both}
        return called

    return around


_asks_models, _seats_people = _shares(_limits, "limits"), _shares(_people, "people")


@app.command(rich_help_panel=START)
def demo(
    out: Annotated[Path, typer.Option(help="Where figures, report and log go.")] = Path("demo"),
    repeats: Repeats = 200,
    seed: Seed = 1,
) -> None:
    """A result in seconds: a lake, a cheat, and fines."""
    from commonage.cli import show

    show.demo(out, repeats, seed)


@app.command(rich_help_panel=START)
@_seats_people
@_asks_models
def play(
    context: typer.Context,
    game: Annotated[str, typer.Argument(metavar="GAME|PRESET|FILE", help="A game, a preset, your own mine.py, or a study.toml.")],
    mechanisms: With = None,
    variants: Annotated[list[str] | None, typer.Option("--variant", help="Of a preset; all for all of them, an arm each.")] = None,
    seats: Seats = "",
    sets: Sets = None,
    generations: Annotated[str, typer.Option(help="Each repeat is a chain of matches, as in count=10,keep=0.5,mutation=0.1.")] = "",
    repeats: Repeats = 20,
    seed: Seed = 0,
    out: Out = None,
    runner: Runner = "auto",
    on_failure: OnFailure = "end",
    max_failed: MaxFailed = 0,
    json: Json = False,
    save: Annotated[Path | None, typer.Option(help="Write it as a study file, too.")] = None,
    dry_run: DryRun = False,
    pilot: Pilot = "",
    *,
    limits: dict[str, Any],
    people: dict[str, Any],
) -> None:
    """Play matches and print who cooperated. A preset is a system of a paper: commonage presets.

    Of a study file only where its results go and how models are called can be changed."""
    from commonage.cli import show

    if preset.is_preset(game):
        options = {"seed": seed, "runner": runner, "on_failure": on_failure, "generations": generations}
        options |= {"repeats": repeats} if _named(context, "repeats") else {}
        return show.preset(
            game,
            variants or [],
            mechanisms or [],
            seats,
            sets or [],
            options,
            out,
            max_failed,
            json,
            save,
            _dry(dry_run, pilot),
            limits,
            people,
        )
    if variants:
        raise SpecError(f"--variant {variants[0]}: {game} is no preset. All: commonage presets")
    own = {"mechanisms": "--with", "seats": "--seats", "sets": "--set", "generations": "--generations"}
    own |= {"repeats": "--repeats", "seed": "--seed"}
    own |= {"runner": "--runner", "on_failure": "--on-failure", "save": "--save"}
    if game.endswith(".toml"):
        named = [flag for name, flag in own.items() if _named(context, name)]
        return show.study(Path(game), out, _dry(dry_run, pilot), max_failed, json, limits, people, named)
    show.play(
        game,
        mechanisms or [],
        seats,
        sets or [],
        generations,
        repeats,
        seed,
        out,
        runner,
        on_failure,
        max_failed,
        json,
        save,
        _dry(dry_run, pilot),
        limits,
        people,
    )


@app.command(rich_help_panel=START)
def report(
    folder: Folder,
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="One row per arm and measure, as CSV.")] = False,
    html: Annotated[Path | None, typer.Option(help="Where the page goes; DIR/report.html if you name none.")] = None,
    events: Annotated[Path | None, typer.Option(help="Write every event to this .parquet or .csv file.")] = None,
    measure: Annotated[list[str] | None, typer.Option(help="Your own, too, as in greed.py.")] = None,
    background: Annotated[str, typer.Option(help="Players among whom the others are tested, as in cheat,random: adds focal_return.")] = "",
    browse: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Tables and figures of what was played."""
    from commonage.cli import show

    show.report(folder, json, csv, html, events, measure or [], background, browse)


def _listing(kind: str, line: str) -> None:
    def command(name: Annotated[str, typer.Argument(help="One of them, in full.")] = "", json: Json = False) -> None:
        from commonage.cli import listing

        listing.show(kind, name, json)

    command.__doc__ = line
    app.command(kind, rich_help_panel=LOOK)(command)


_listing("games", "What can be played; add a name for one.")
_listing("mechanisms", "What can be put around a game.")
_listing("agents", "Who can take a seat: policies, people, programs, teams.")
_listing("measures", "What is measured, and by which formula.")


@app.command(rich_help_panel=LOOK)
def presets(name: Annotated[str, typer.Argument(help="One of them, in full.")] = "", json: Json = False) -> None:
    """Systems of papers that stand ready to play; add a name for its variants and published numbers."""
    from commonage.cli import listing

    listing.presets(name, json)


@app.command(rich_help_panel=LOOK)
def models(
    name: Annotated[str, typer.Argument(metavar="[MODEL]", help="As in a seat, without llm: in front. It is asked what it can do.")] = "",
    json: Json = False,
    budget: Budget = None,
    prices: PriceList = None,
) -> None:
    """Who serves language models, and how to name one; add a name to ask what it can do."""
    from commonage.cli import listing

    listing.models(name, json, budget, prices or "")


@app.command(rich_help_panel=LOOK)
def transcript(
    folder: Folder,
    match: Number,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as a page of HTML instead.")] = None,
) -> None:
    """What each seat saw, said and did; of models every message exactly as sent."""
    from commonage.cli import show

    show.transcript(folder, match, html)


@app.command(rich_help_panel=LOOK)
def render(
    folder: Folder,
    match: Number,
    step: Annotated[int | None, typer.Option(min=0, help="After so many steps; 0 is the start.")] = None,
    steps: Annotated[str, typer.Option(metavar="A-B", help="After each of these; all if you name none.")] = "",
    svg: Annotated[bool, typer.Option("--svg", help="One step, in the reader's light or dark.")] = False,
    png: Annotated[bool, typer.Option("--png", help="One step, in pixels.")] = False,
    gif: Annotated[bool, typer.Option("--gif", help="Many steps, as an animation.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Many steps, as a page with a player in it.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where it goes, its kind by its ending; else in DIR, .svg of one step, .gif of many."),
    ] = None,
    every: Annotated[int, typer.Option(help="Of many steps every so many.")] = 1,
    scale: Annotated[int, typer.Option(metavar="PX", help="The longer side of what is drawn, in pixels; margins come on top.")] = 640,
    dark: Annotated[bool, typer.Option("--dark", help="PNG and GIF on a dark ground; the others follow their reader.")] = False,
) -> None:
    """A match as a picture, an animation or a page with a player, drawn again from the log."""
    from commonage.cli import show

    kinds = [kind for kind, named in {"svg": svg, "png": png, "gif": gif, "html": html}.items() if named]
    show.render(folder, match, out, step, steps, kinds, every, scale, dark)


@app.command(rich_help_panel=LOOK)
@_asks_models
def replay(
    context: typer.Context,
    folder: Folder,
    match: Number,
    fork_at: Annotated[int, typer.Option(help="Play to the start of this round, change something, go on.")] = 0,
    seat: Annotated[list[str] | None, typer.Option(help="Another player, as in 5=sustainer; seats count from 1.")] = None,
    sets: Sets = None,
    without: Annotated[list[str] | None, typer.Option(help="A mechanism to leave out.")] = None,
    mechanisms: With = None,
    out: Out = None,
    *,
    limits: dict[str, Any],
) -> None:
    """Again, to the same rewards; or what if: --fork-at 3 --without punish."""
    from commonage.cli import show

    show.replay(folder, match, fork_at, seat or [], sets or [], without or [], mechanisms or [], out, limits)


@app.command(rich_help_panel=STUDY)
@_seats_people
@_asks_models
def study(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A study in TOML.")],
    out: Out = None,
    dry_run: DryRun = False,
    pilot: Pilot = "",
    max_failed: MaxFailed = 0,
    json: Json = False,
    *,
    limits: dict[str, Any],
    people: dict[str, Any],
) -> None:
    """A grid of arms from a file."""
    from commonage.cli import show

    show.study(file, out, _dry(dry_run, pilot), max_failed, json, limits, people)


@app.command(rich_help_panel=STUDY)
def compare(
    folder: Folder,
    arms: Annotated[list[int] | None, typer.Argument(help="Two arms, counted from 1; all against the first if you name none.")] = None,
) -> None:
    """Paired differences between arms, with intervals."""
    from commonage.cli import show

    show.compare(folder, arms or [])


@app.command(rich_help_panel=STUDY)
@_asks_models
def schelling(
    context: typer.Context,
    game: Annotated[str, typer.Argument(metavar="GAME", help="As for play.")],
    cooperate: Annotated[str, typer.Option(help="Who cooperates, as in sustainer.")],
    defect: Annotated[str, typer.Option(help="Who defects, as in cheat.")],
    mechanisms: With = None,
    sets: Sets = None,
    repeats: Repeats = 20,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
    *,
    limits: dict[str, Any],
) -> None:
    """Is it a social dilemma? What both earn, by how many of the others cooperate."""
    from commonage.cli import show

    show.schelling(game, cooperate, defect, mechanisms or [], sets or [], repeats, seed, out, json, limits)


@app.command(rich_help_panel=STUDY)
@_asks_models
def crossplay(
    context: typer.Context,
    game: Annotated[str, typer.Argument(metavar="GAME", help="As for play; a table of two.")],
    players: Annotated[str, typer.Option(help="A list as of seats, as in tit_for_tat,defector: each plays with each, in both seats.")],
    mechanisms: With = None,
    sets: Sets = None,
    repeats: Repeats = 20,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
    *,
    limits: dict[str, Any],
) -> None:
    """Who gets on with strangers? Everybody beside everybody, in either seat."""
    from commonage.cli import show

    show.crossplay(game, players, mechanisms or [], sets or [], repeats, seed, out, json, limits)


@app.command(rich_help_panel=STUDY)
@_asks_models
def adapt(
    context: typer.Context,
    game: Annotated[str, typer.Argument(metavar="GAME", help="As for play; a table of two.")],
    players: Annotated[str, typer.Option(help="A list as of seats: each is tried in both seats.")],
    partners: Annotated[str, typer.Option(help="Who plays first beside them and who comes then, as in chef,random.")],
    after: Annotated[int, typer.Option(help="Rounds that the first partner plays.")],
    mechanisms: With = None,
    sets: Sets = None,
    repeats: Repeats = 20,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
    *,
    limits: dict[str, Any],
) -> None:
    """Who adapts? What it costs when a partner changes in the middle."""
    from commonage.cli import show

    show.adapt(game, players, partners, after, mechanisms or [], sets or [], repeats, seed, out, json, limits)


@app.command(rich_help_panel=STUDY)
def imitate(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A folder with results, or a kitchen's trace.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where it goes.")] = Path("imitated.npz"),
    seat: Annotated[int | None, typer.Option(metavar="N", help="The moves of this seat alone.")] = None,
    json: Json = False,
) -> None:
    """A proxy for people in a kitchen, from what they did."""
    from commonage.cli import show

    show.imitate(source, out, seat, json)


@app.command(rich_help_panel=SOCIAL)
def serve(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A study's folder, or one with several.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8642,
    host: Annotated[str, typer.Option(help="Another than this machine's own needs --password.")] = "127.0.0.1",
    password: Annotated[str, typer.Option(help="What is asked for before anything is shown.")] = "",
    open_hands: Annotated[bool, typer.Option("--open-hands", help="Show what one seat alone sees before its match is over, too.")] = False,
    browse: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Watch: studies, matches, every move and what is behind it, while they are played and afterwards."""
    from commonage.cli import show

    show.serve(folder, host, port, password, open_hands, browse)


@app.command(rich_help_panel=TRUST)
def verify(json: Json = False) -> None:
    """Published and closed-form values, ours beside them."""
    from commonage.cli import show

    show.verify(json)


@app.command(rich_help_panel=TRUST)
def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="mine.py, mine.py:Mine, or the name of a part.")],
    game: Annotated[str, typer.Option(help="The table for it, as in mine.py; small ones of ours if you name none.")] = "",
    mechanisms: With = None,
) -> None:
    """Does your own game, mechanism, policy or agent keep the contract?"""
    from commonage.cli import show

    show.check(file, game, mechanisms or [])


@app.command(rich_help_panel=TRUST)
def methods(folder: Folder) -> None:
    """The paragraph and the references for your paper."""
    from commonage.cli import show

    show.methods(folder)


def version(value: bool) -> None:
    if value:
        import commonage

        print(f"commonage {commonage.__version__}")
        raise typer.Exit


@app.callback()
def root(_: Annotated[bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")] = False) -> None:
    """Sit any agents at the same table and see who cooperates."""
