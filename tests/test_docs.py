"""The docs are true: their blocks run and print what they say, everything is in them, and no link is broken.

Blocks run in order, page by page, in an empty folder. `console`: lines after `$ ` are commands, what follows is what they
print; `...` stands for anything, blank lines for nothing. `python` and `toml`: a first line `# name.py` makes it a file,
other Python is executed. `pycon`: a doctest. Blocks in other languages are read only.
"""

from __future__ import annotations

import contextlib
import doctest
import functools
import importlib.util
import io
import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import commonage
from commonage import cli, find, testing

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
QUIET = {"sh", "zsh", "powershell", "json", "text", "bibtex"}  # languages of blocks that are not run
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]


class Block(NamedTuple):
    """A fenced block: `line` is that of its first line."""

    language: str
    line: int
    text: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(one[1], text[: one.start(2)].count("\n") + 1, one[2]) for one in found]


def command(arguments: list[str]) -> tuple[int, str]:
    """(exit status, what it printed) of the command line, within this process; whoever is asked types 10."""
    out, before = io.StringIO(), (sys.argv, sys.stdin)
    sys.argv, sys.stdin = ["commonage", *arguments], io.StringIO("10\n" * 1000)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), warnings.catch_warnings():
            warnings.simplefilter("default")
            cli.main()
    except SystemExit as stop:
        return int(stop.code or 0), out.getvalue()
    finally:
        sys.argv, sys.stdin = before
    return 0, out.getvalue()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo's folder and its page: played once for all."""
    folder = tmp_path_factory.mktemp("demo")
    with contextlib.chdir(folder):
        status, page = command(["demo"])
    assert status == 0, page
    return folder / "demo", page


class Shell:
    """Runs the commands of one page."""

    def __init__(self, demo: tuple[Path, str]) -> None:
        self.demo, self.status, self.servers = demo, 0, []

    def run(self, line: str) -> str:
        words = shlex.split(line)
        if line == "commonage demo":
            shutil.copytree(self.demo[0], "demo")
            return self.demo[1]
        if words[0] == "commonage":
            self.status, printed = command(words[1:])
            return printed
        if line == "echo $?":
            return str(self.status)
        assert words[0] == "python", f"{line!r}: a console block has commonage, python and echo $? only"
        assert words[-1] == "&", f"{line!r}: only a server is started as a program"
        self.serve([sys.executable, *words[1:-1]], int(words[-2]))
        return ""

    def serve(self, words: list[str], port: int) -> None:
        self.servers.append(subprocess.Popen(words))
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.1)
        raise AssertionError(f"{words} does not listen on {port}")

    def close(self) -> None:
        for server in self.servers:
            server.kill()
            server.wait()


def said(line: str, printed: str, expected: str) -> None:
    """Asserts that a command printed what the page says."""
    if expected.lstrip().startswith("{"):
        return holds(json.loads(expected), json.loads(printed), line)
    lines = [re.escape(one.rstrip()) for one in expected.splitlines() if one.strip()]
    lines = [re.sub(r"\d+\\\.\d\\ s\\\.", r"[0-9.]+\\ s\\.", one) for one in lines]  # the clock
    pattern = "".join(r"(?:.*\n)*?" if one == r"\.\.\." else one.replace(r"\.\.\.", ".*") + r"\n" for one in lines)
    there = "".join(one.rstrip() + "\n" for one in printed.splitlines() if one.strip())
    if expected.strip():
        assert re.fullmatch(pattern, there), f"$ {line}\nprinted\n{there}\nand the page says\n{expected}"
    return None


def holds(expected: Any, found: Any, where: str) -> None:
    """Asserts that JSON holds what is expected; further keys are fine."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert key in found, f"{where}: no {key!r}"
            holds(value, found[key], f"{where} {key}")
    elif isinstance(expected, list):
        assert len(expected) == len(found), where
        for one, other in zip(expected, found, strict=True):
            holds(one, other, where)
    else:
        assert found == (pytest.approx(expected, abs=5e-5) if isinstance(expected, float) else expected), where


def commands(text: str) -> Iterator[tuple[str, str]]:
    """(command, what it prints) of a console block."""
    for part in re.split(r"^\$ ", text.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        line, _, expected = part.partition("\n")
        yield re.sub(r"\s+", " ", line).strip(), expected


def run(block: Block, shell: Shell, names: dict[str, Any], page: Path) -> None:
    first = re.match(r"# ([\w.-]+\.(?:py|toml))\n", block.text)
    if first and block.language in ("python", "toml"):
        Path(first[1]).write_text(block.text, encoding="utf-8")
    elif block.language == "python":
        exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), names)
    elif block.language == "pycon":
        example = doctest.DocTestParser().get_doctest(block.text, names, page.name, str(page), block.line - 1)
        out = io.StringIO()
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(example, out=out.write, clear_globs=False)
        names.update(example.globs)
        assert not out.getvalue(), out.getvalue()
    elif block.language == "console":
        for line, expected in commands(block.text):
            said(line, shell.run(line), expected)
    else:
        assert block.language in QUIET or block.language == "toml", f"a block in {block.language!r}"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_the_blocks_run(page: Path, demo: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    find.load.cache_clear()  # another page's file of the same name
    shell, names = Shell(demo), {"__name__": "__main__"}
    try:
        for block in blocks(page):
            run(block, shell, names, page)
    except Exception as error:
        error.add_note(f"in the block at {page.relative_to(ROOT)}:{block.line}")
        raise
    finally:
        shell.close()


def test_the_picture_is_what_the_demo_draws(demo: tuple[Path, str]) -> None:
    label = lambda path: re.search(r'aria-label="([^"]*)"', path.read_text(encoding="utf-8"))[1]  # type: ignore[index]
    assert label(ROOT / "docs" / "lake.svg") == label(demo[0] / "lake.svg")


@functools.cache
def maker() -> Any:
    """docs/make_reference.py as a module."""
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module


def test_the_reference_is_up_to_date() -> None:
    text = maker().PAGE.read_text(encoding="utf-8")
    assert maker().page(text) == text, "run: python docs/make_reference.py"


def test_everything_is_in_the_docs() -> None:
    everything = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    parts = [name for kind in find.FOLDERS for name in find.parts(kind)]
    tests = [f"testing.{name}" for name in testing.__all__]
    missing = [name for name in (*parts, *commonage.__all__, *tests) if f"`{name}`" not in everything]
    missing += [name for name in maker().read_commands() if f"commonage {name}" not in everything]
    assert not missing
    front = PAGES[0].read_text(encoding="utf-8")
    assert all(f"{len(find.parts(kind))} {kind}" in front for kind in ("games", "mechanisms", "measures"))


def typed() -> Iterator[tuple[str, str]]:
    """(page, command) of every command that a page shows, in blocks and in the text."""
    for page, name in zip(PAGES, NAMES, strict=True):
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        yield from ((name, one) for one in re.findall(r"(?:^ *(?:\$ )?|`)commonage ([a-z]+(?: [^`\n]*)?)", text, re.MULTILINE))


def test_no_command_or_option_is_made_up() -> None:
    known = {name: {one.text.split()[0] for one in rows} for name, (_, rows) in maker().read_commands().items()}
    for page, line in typed():
        name = line.split()[0]
        if re.match(r"[a-z]+ [a-z]", line) and name not in known:
            continue  # prose: "commonage is ..."
        assert name in known, f"{page}: commonage {line}"
        made_up = set(re.findall(r"(?<=\s)--[a-z-]+", line)) - known[name] - {"--help"}
        assert not made_up, f"{page}: commonage {line}"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'(?:src|href)="([^"]+)"', text)]:
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{target}: no such file"
        if anchor:
            assert anchor in anchors(there), f"{target}: no such heading"


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


def test_make_has_the_targets_that_the_docs_name() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {one for page in PAGES for one in re.findall(r"(?:`|^|\n)make ([a-z-]+)", page.read_text(encoding="utf-8"))}
    assert {"demo", "test"} <= named <= targets


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_quotes_keep_a_seat_list_in_one_piece(shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} here")
    for _, line in typed():
        if line.startswith("play ") and '"' in line:
            seen = subprocess.run([program, "-fc", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True).stdout
            assert seen.splitlines() == shlex.split(line)


def test_a_package_registers_its_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry points of docs/add.md, as an installer would leave them behind."""
    page = blocks(ROOT / "docs" / "add.md")
    project = next(tomllib.loads(block.text) for block in page if block.language == "toml" and "entry-points" in block.text)
    files = {block.text.split("\n")[0][2:]: block.text for block in page if block.text.startswith("# ")}
    package, info = tmp_path / "my_commons", tmp_path / "my_commons-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").touch()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_commons\nVersion: 1.0\n")
    groups = project["project"]["entry-points"]
    lines = [line for group, points in groups.items() for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))]
    (info / "entry_points.txt").write_text("\n".join(lines))
    for points in groups.values():
        for value in points.values():
            name = value.partition(":")[0].rpartition(".")[2] + ".py"
            (package / name).write_text(files[name], encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    find.parts.cache_clear()
    try:
        for group, points in groups.items():
            for name in points:
                kind = group.partition(".")[2]
                assert find.parts(kind)[name].line, f"{name} has no docstring"
                find.find(kind, name)
    finally:
        monkeypatch.undo()
        find.parts.cache_clear()


def test_one_version_everywhere() -> None:
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cited
    assert cited[1] == project["version"] == commonage.__version__
