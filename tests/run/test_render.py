"""Pictures are what the log says: the scene after a step, drawn as SVG, PNG, GIF and as a page."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from PIL import Image
from table import COMMONS

from commonage import Study, fork, spec
from commonage.errors import LogError, SpecError
from commonage.measure.style import COLORS, FILLS
from commonage.run import replay
from commonage.run.render import drawing, film, page, raster, render, svg
from commonage.store import read

GRID = "cleanup(seats=3,rounds=2,round_steps=10,dirt_from=1,dead=1,growth=0.5)"
CELL = 20  # pixels of a cell of a map that is 30 wide


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two matches of a small Cleanup, compiled."""
    folder = tmp_path_factory.mktemp("grid") / "run"
    Study(GRID, "random*3", repeats=2, seed=3).run(folder)
    return folder


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two matches of a small commons under fines, one by one."""
    folder = tmp_path_factory.mktemp("lake") / "run"
    Study(COMMONS, "cheat(low=1,high=6)+fine_overusers(notice=0.5),sustainer+fine_overusers,constant(amount=2)", ["punish"], repeats=2,
          runner="mixed").run(folder)  # fmt: skip
    return folder


def shown(folder: Path, number: int = 1, steps: Any = None) -> film.Film:
    found = replay.recorded(folder, number)
    return film.film(found, range(len(found.in_rounds) + 1) if steps is None else steps)


def scenes(shown: film.Film) -> list[list[film.Shape]]:
    return [[shown.shapes[i] for i in frame.shapes] for frame in shown.frames]


def image(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes())).convert("RGB")


def animated(path: Path) -> Any:
    return Image.open(io.BytesIO(path.read_bytes()))


def rgb(name: str, dark: bool = False) -> tuple[int, ...]:
    return tuple(bytes.fromhex({**COLORS, **FILLS}[name][dark][1:]))


# the film is the log


def test_every_frame_shows_what_the_log_says_of_its_step(grid: Path) -> None:
    """Apples and dirty cells are counted in the picture and in the facts; who is away is not drawn."""
    tables, pictures = read.read(grid, matches=[1]), scenes(shown(grid))
    assert len(pictures) == 21
    away = tables.moves.group_by("step").agg((pl.col("out") > 0).sum()).sort("step")["out"].to_list()
    rows = zip(pictures[1:], tables.steps.sort("step").iter_rows(named=True), away, strict=True)
    for scene, row, out in rows:
        fills = Counter(shape["fill"] for shape in scene if shape["shape"] == "circle")
        dirty = sum(shape["w"] for shape in scene if shape["fill"] == "dirt") * 30
        assert (fills["apple"], round(dirty, 6), fills["seat"]) == (row["apples"], row["dirty"], 3 - out)
    assert max(row["apples"] for row in tables.steps.iter_rows(named=True)) > 50


def test_rewards_so_far_stand_by_place(lake: Path) -> None:
    moves = read.read(lake, matches=[2]).moves.sort("step", "place")
    totals = moves.with_columns(pl.col("reward").cum_sum().over("place"))
    frames = shown(lake, 2).frames
    assert frames[0].rewards == ("0", "0", "0")
    for frame in frames[1:]:
        rows = totals.filter(step=frame.step - 1)
        assert frame.rewards == tuple(f"{reward:g}" for reward in rows["reward"])
        assert frame.round == rows["round"][0]


def test_under_a_mechanism_it_is_the_games_own_scene(lake: Path) -> None:
    """While fines are dealt out the lake stands still."""
    tables = read.read(lake, matches=[1])
    stocks = [next(shape["text"] for shape in scene if shape["shape"] == "bar") for scene in scenes(shown(lake))[1:]]
    assert stocks == [str(stock) for stock in tables.steps.sort("step")["stock"]]
    assert len(stocks) > tables.matches["rounds"][0]


def test_a_fork_is_drawn_with_the_past_that_it_shares(lake: Path, tmp_path: Path) -> None:
    fork(lake, 1, 2, out=tmp_path / "fork", without=["punish"], seat={1: "constant(amount=0)"})
    steps = read.read(tmp_path / "fork").steps.sort("step")
    stocks = [next(shape["text"] for shape in scene if shape["shape"] == "bar") for scene in scenes(shown(tmp_path / "fork"))[1:]]
    assert stocks == [str(stock) for stock in steps["stock"]]


def test_other_rules_than_those_of_the_log_are_not_drawn(grid: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = replay.recorded(grid, 1)
    ate = max(step for step, rewards in found.rewards.items() if any(rewards))
    found.rewards[ate][found.rewards[ate].index(1)] = 0.0
    with pytest.raises(LogError, match=f"match 1 comes to other rewards than its log in step {ate + 1}"):
        film.film(found, [20])


# what is drawn


def test_cells_have_the_colours_of_what_lies_there(grid: Path, tmp_path: Path) -> None:
    """A pixel in the middle of every cell of the start, by the map: 79 dirty cells, 20 + 68 clean ones, a wall around."""
    for dark in (False, True):
        picture = image(render(grid, 1, tmp_path / "a.png", step=0, scale=30 * CELL, dark=dark))
        corner = round(30 * CELL * drawing.MARGIN)
        spots = [picture.getpixel((corner + CELL * x + 2, corner + CELL * y + 2)) for y in range(21) for x in range(30)]
        counts = Counter(spots)
        assert [counts[rgb(name, dark)] for name in ("dirt", "water")] == [79, 88]
        assert counts[rgb("wall", dark)] == 2 * (30 + 21) - 4
        assert picture.getpixel((0, 0)) == rgb("paper", dark)
    players = [shape for shape in scenes(shown(grid, steps=[0]))[0] if shape.get("fill") == "seat"]
    for shape in players:
        x, y = (corner + 30 * CELL * (shape[key] + 0.6 * shape["r"]) for key in ("x", "y"))
        assert picture.getpixel((round(x), round(y))) == rgb(f"arm{shape['seat']}", dark=True)


def test_the_caption_wraps_and_stays_within_the_picture(grid: Path) -> None:
    for pixels in (640, 240, 64):
        on = drawing.sheet(shown(grid), pixels)
        assert [cell.seat for cell in on.cells] == [-1, -1, -1, 0, 1, 2]
        assert all(on.margin <= cell.x < on.width and cell.y + on.letter / 2 <= on.height for cell in on.cells)
        assert (on.cells[-1].y == on.cells[0].y) == (pixels == 640)


def test_svg_is_xml_that_follows_light_and_dark(grid: Path, tmp_path: Path) -> None:
    text = render(grid, 1, tmp_path / "a.svg", step=20).read_text()
    root = ElementTree.fromstring(text)
    assert root.attrib["aria-label"].startswith(f"Match 1 of {spec.text(spec.game(GRID))} after step 20; rewards so far: ")
    drawn = {element.attrib["class"] for element in root.iter() if "class" in element.attrib}
    light, dark = re.findall(r"\.water\{fill:(#\w+)\}", text)
    assert (light, dark) == FILLS["water"]
    assert all(f".{name}{{" in text for each in drawn for name in each.split())
    assert "step 20" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_every_colour_of_ours_has_a_class(tmp_path: Path) -> None:
    """Also those whose names have spaces."""
    shapes = [{"shape": "circle", "x": i / 20, "y": 0.5, "r": 0.02, "fill": name} for i, name in enumerate(FILLS)]
    text = svg.svg(film.Film(1, "", ("",), shapes, [film.Frame(0, 1, ("0",), tuple(range(len(shapes))))]), 300)
    classes = [one.attrib["class"] for one in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}circle")][: len(FILLS)]
    for name, kind in zip(FILLS, classes, strict=True):
        assert re.findall(rf"\.{kind}\{{fill:(#\w+)\}}", text) == list(FILLS[name])


def test_a_gif_shows_every_frame_as_it_is(grid: Path, tmp_path: Path) -> None:
    """Each frame, put together from what changed, is the picture that PNG would show, but for the smoothing of edges."""
    animation = animated(render(grid, 1, tmp_path / "a.gif", scale=300))
    pictures = list(raster._pictures(film_ := shown(grid), drawing.sheet(film_, 300), False))
    assert animation.n_frames == len(pictures) == 21
    assert animation.info["loop"] == 0
    for place, picture in enumerate(pictures):
        animation.seek(place)
        pairs = zip(animation.convert("RGB").tobytes(), picture.tobytes(), strict=True)
        assert max(abs(a - b) for a, b in pairs) < 2 * raster.APART


def test_every_so_many_steps_and_the_last(grid: Path, tmp_path: Path) -> None:
    assert [frame.step for frame in shown(grid, steps={*range(3, 15, 5), 14}).frames] == [3, 8, 13, 14]
    animation = animated(render(grid, 1, tmp_path / "a.gif", steps=(3, 14), every=5, scale=100))
    assert animation.n_frames == 4


def played(text: str) -> list[list[str]]:
    """The elements of every frame, put together as the page's own program does."""
    data = json.loads(re.search(r'id="film">(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    frames, now = [], list[int]()
    for cuts in data["changes"]:
        for at, gone, *come in cuts:
            now = now[:at] + come + now[at + gone :]
        frames.append([data["shapes"][i] for i in now])
    return frames


def test_the_page_holds_every_frame(grid: Path, tmp_path: Path) -> None:
    text = render(grid, 1, tmp_path / "a.html").read_text(encoding="utf-8")
    on = drawing.sheet(film_ := shown(grid), 640, captioned=False)
    for scene, found in zip(scenes(film_), played(text), strict=True):
        assert found == ["".join(map(svg.element, drawing.marks(shape, on))) for shape in scene]
    script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)[0]
    assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in text
    assert "default-src 'none'" in text
    assert not re.search(r"(?:src|href)=|https?://", text)


def test_what_others_wrote_stays_text(tmp_path: Path) -> None:
    """A shape's text, and whoever sits there, cannot get out of a page."""
    hostile = "</script><img src=x onerror=alert(1)>"
    one = film.Film(
        1, hostile, (hostile,), [{"shape": "text", "x": 0.5, "y": 0.5, "text": hostile, "size": 0.1}], [film.Frame(0, 1, ("0",), (0,))]
    )
    assert "<img" not in page.page(one, 300)
    assert "<img" not in svg.svg(one, 300)
    assert ElementTree.fromstring(svg.svg(one, 300)).find(".//{*}text[@class='ink']").text == hostile  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_thousand_steps_of_cleanup_are_less_than_a_megabyte(tmp_path: Path) -> None:
    Study("cleanup(dead=1,growth=0.2)", "random*7", repeats=1).run(tmp_path / "run")
    assert render(tmp_path / "run", 1, kind="html").stat().st_size < 1_000_000
    assert len(played((tmp_path / "run" / "match-1.html").read_text(encoding="utf-8"))) == 1001


SHAPES = [
    {"shape": "rect", "x": 0.0, "y": 0.0, "w": 0.5, "h": 0.25, "fill": "none"},
    {"shape": "circle", "x": 0.25, "y": 0.125, "r": 0.1, "fill": "seat", "seat": 9, "text": "9"},
    {"shape": "bar", "x": 0.0, "y": 0.0, "w": 0.1, "h": 0.2, "value": 0.25},
    {"shape": "bar", "x": 0.0, "y": 0.0, "w": 0.2, "h": 0.1, "value": 7.0},
    {"shape": "text", "x": 0.25, "y": 0.125, "text": "five"},
    {"shape": "rect", "x": 0.4, "y": 0.0, "w": 0.1, "h": 0.1, "fill": "uranium"},
]


def test_shapes_as_marks() -> None:
    """A picture half as high as wide, 200 pixels: 400 a unit, and a margin of 5."""
    one = film.Film(1, "", ("",), SHAPES, [film.Frame(0, 1, ("0",), tuple(range(6)))])
    on = drawing.sheet(one, 200, captioned=False)
    assert (on.width, on.height, on.scale, on.margin) == (210, 110, 400, 5)
    outline, seat, low, over, text, unknown = ([tuple(mark) for mark in drawing.marks(shape, on)] for shape in SHAPES)
    assert outline == [(5, 5, 200, 100, "")]
    assert seat[0] == (105, 55, 40, "arm1")  # of ten seats the last has the colour of the second
    assert seat[1][2] == "9"
    assert low[1] == (5, 5 + 60, 40, 20, "full")  # a quarter, from below
    assert over[1] == (5, 5, 80, 40, "full")  # never more than its box; from the left
    assert text == [(105, 55, "five", 16, "ink", False)]
    assert unknown[0][-1].startswith("arm")


# what cannot be drawn

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"step": 21}, "--step 21: match 1 has 20 steps; 0 is its start, 20 its end"),
    ({"step": -1}, "--step -1: match 1 has 20 steps"),
    ({"steps": (5, 21)}, "--steps 5-21: match 1 has 20 steps"),
    ({"steps": (9, 5)}, "--steps 9-5: match 1 has 20 steps"),
    ({"step": 1, "steps": (0, 2)}, "--step 1 --steps 0-2: name one of them"),
    ({"kind": "png"}, r"a picture in \.png is of one step: --step 20; of many there is \.gif and \.html"),
    ({"out": "a.svg", "steps": (0, 5)}, r"a picture in \.svg is of one step"),
    ({"out": "a.jpg"}, r"--out .*a\.jpg: the file must end in \.svg, \.png, \.gif or \.html"),
    ({"out": "a.gif", "kind": "html"}, r"--html --out .*a\.gif: the file must end in \.html"),
    ({"kind": "gif", "step": 5}, r"--step 5: a \.gif is of many steps: --steps 5-20"),
    ({"step": 5, "dark": True}, r"--dark: a \.svg follows its reader's light or dark"),
    ({"every": 0}, "--every 0: every how many steps a frame is shown, at least 1"),
    ({"scale": 20}, "--scale 20: the longer side has between 64 and 4,096 pixels"),
]


@pytest.mark.parametrize(("options", "says"), WRONG)
def test_what_cannot_be_drawn(grid: Path, tmp_path: Path, options: dict[str, Any], says: str) -> None:
    if "out" in options:
        options = {**options, "out": tmp_path / options["out"]}
    with pytest.raises(SpecError, match=says):
        render(grid, 1, **options)
    assert list(tmp_path.iterdir()) == []


def test_no_such_match_and_no_such_folder(grid: Path, tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no match 3 in"):
        render(grid, 3)
    with pytest.raises(FileNotFoundError):
        render(grid, 1, tmp_path / "nowhere" / "a.png", step=0)


BLIND = """
from typing import NamedTuple

import jax.numpy as jnp

from commonage import Game, Question, Turn
from commonage.game import everyone


class State(NamedTuple):
    clock: object


class Blind(Game):
    seats, rounds = 2, 2
    questions = (Question("do", ("this", "that")),)

    def start(self, key):
        return State(jnp.int32(0))

    def ask(self, state):
        return everyone(self)

    def look(self, state):
        return State(jnp.broadcast_to(state.clock, 2))

    def step(self, key, state, moves):
        clock, nothing = state.clock + 1, jnp.zeros(2, jnp.float32)
        return Turn(State(clock), nothing, jnp.array(True), jnp.array(False), clock >= 2, nothing)
"""


def test_a_game_without_a_scene_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("blind.py").write_text(BLIND)
    Study("blind.py", "random*2", repeats=1).run("run")
    with pytest.raises(SpecError, match="blind has no picture: its `scene` draws nothing"):
        render("run", 1, step=0)
