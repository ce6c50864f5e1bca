"""Pictures of the pages for the docs, of small studies that are played anew: `python scripts/screenshots.py [FOLDER]`.

Without a folder those that the docs show, into docs/images; with one every page, on a desktop and on a phone, light and dark.
Needs Chromium and its driver in /usr/bin, and selenium.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SIZES = {"": (1280, 860), "-phone": (390, 844)}
MODES = {"": "light", "-dark": "dark"}
KEPT = {"watch-study", "watch-match", "watch-beside-dark", "watch-prompt-phone"}  # those that the docs show
COLORS, LARGEST, SECONDS = 256, 150_000, 240
MAIN = "from commonage.cli import main; main()"
SEATS = "sustainer+fine_overusers*4,cheat(wary=5)"


class Shot(NamedTuple):
    """A page, and when it is ready: each script is run until what it says is true."""

    path: str
    ready: tuple[str, ...]


SCENE = "return document.querySelectorAll('.scene:not([hidden]) > *').length > 0 && document.querySelectorAll('.chart').length > 0"
CELL = "const cell = document.querySelector('.cell .says'); if (cell) cell.click(); return !!cell"
SHOTS = {
    "watch-studies": Shot("/", ("return document.querySelectorAll('tbody tr').length == 3 && !document.body.textContent.includes('…')",)),
    "watch-study": Shot("/study/fines", ("return document.body.textContent.includes('40 of 40') && !!document.querySelector('.roll a')",)),
    "watch-match": Shot("/study/fines/21#step-9", (SCENE, "return document.querySelectorAll('.cell .pay').length > 20")),
    "watch-beside": Shot("/study/fines/2?beside=22#step-6", ("return document.querySelectorAll('.scene > *').length > 20", SCENE)),
    "watch-prompt": Shot(
        "/study/talks/1#step-1",
        (SCENE, CELL, "const one = document.querySelector('.seen'); if (one) one.click(); return !!one",
         "const one = document.querySelector('.sent.reply'); if (one) document.querySelector('.detail').scrollIntoView(); return !!one"),
    ),
    "watch-kitchen": Shot("/study/kitchen/1#step-120", (SCENE,)),
    "report": Shot("report.html", ("return !!document.querySelector('figure svg')",)),
}  # fmt: skip


def main(folder: str = "") -> None:
    """Plays, serves, and takes the pictures."""
    target = Path(folder) if folder else IMAGES
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as runs, browser() as page:
        play(Path(runs))
        with served(Path(runs)) as address:
            for name, shot in SHOTS.items():
                for size, (width, height) in SIZES.items():
                    for mode, scheme in MODES.items():
                        if folder or f"{name}{size}{mode}" in KEPT:
                            where = (Path(runs) / "fines" / shot.path).as_uri() if shot.path.endswith(".html") else address + shot.path
                            take(page, where, shot.ready, width, height, scheme, target / f"{name}{size}{mode}.png")


def play(runs: Path) -> None:
    """Three small studies."""
    from commonage import Arm, Study

    fines = Study(arms=[Arm("commons", SEATS, name="no fines"), Arm("commons", SEATS, ["punish(fine=3)"], "fines")], repeats=20, seed=1)
    fines.run(runs / "fines").report()
    Study("dilemma(rounds=12)", "llm:fake,tit_for_tat", ["talk"], repeats=4).run(runs / "talks")
    Study("kitchen", "chef*2", repeats=3).run(runs / "kitchen")


@contextmanager
def served(runs: Path) -> Iterator[str]:
    """The address at which another process shows the studies."""
    process = subprocess.Popen([sys.executable, "-c", MAIN, "serve", str(runs), "--port", "0"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[2]
    finally:
        process.terminate()
        process.wait()


@contextmanager
def browser() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for switch in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(switch)
    found = Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        yield found
    finally:
        found.quit()


def take(page: Chrome, where: str, ready: tuple[str, ...], width: int, height: int, scheme: str, target: Path) -> None:
    """One picture, in few colours so that it is small."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    page.get("about:blank")
    page.get(where)
    for script in ready:
        WebDriverWait(page, SECONDS, 0.3).until(lambda _, script=script: page.execute_script(script), f"{where}: {script}")
    page.execute_async_script("setTimeout(arguments[0], 700)")
    drawn = Image.open(io.BytesIO(page.get_screenshot_as_png())).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    drawn.save(target, optimize=True)
    print(f"{target}: {target.stat().st_size:,} bytes", flush=True)
    assert target.stat().st_size < LARGEST, target


if __name__ == "__main__":
    main(*sys.argv[1:])
