"""The page in a real browser: a study, a match, its steps, a message, a prompt; then a match that grows while it is watched."""

import asyncio
from contextlib import contextmanager

from browsing import browser
from lively import lively
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from test_watch_site import _when_there, served

from commonage import Arm, Study

SECONDS = 60


class Page:
    """A browser that waits for what it looks for."""

    def __init__(self, browser):
        self.browser = browser

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def has(self, selector, text=""):
        """The first element of a selector that has a text, as soon as there is one."""
        return WebDriverWait(self.browser, SECONDS, 0.1).until(lambda _: self._found(selector, text), f"{selector} with {text!r}")

    def press(self, selector, text=""):
        """Clicks it; what was drawn anew just then is looked for again."""
        wait = WebDriverWait(self.browser, SECONDS, 0.1, [StaleElementReferenceException, AttributeError])
        wait.until(lambda _: self._found(selector, text).click() or True, f"{selector} with {text!r}, to click")

    def _found(self, selector, text):
        script = "return [...document.querySelectorAll(arguments[0])].find(one => one.textContent.includes(arguments[1]))"
        return self.browser.execute_script(script, selector, text)


@contextmanager
def browsed(width=1280):
    with browser() as opened:
        opened.driver.set_window_size(width, 900)
        yield Page(opened.driver)
        assert not opened.complaints()  # among them would be whatever the page was not allowed to do


def test_a_study_a_match_its_steps_a_message_and_a_prompt(tmp_path):
    talks = Arm("dilemma(rounds=30)", "llm:fake,tit_for_tat", ["talk"], repeats=2)
    Study(arms=[talks, Arm("dilemma(rounds=30)", "pavlov,tit_for_tat")], repeats=118).run(tmp_path / "talks")
    with served(tmp_path) as address, browsed() as page:
        page.browser.get(address)
        page.press("td.name a", "talks")
        page.has(".facts", "120 of 120")
        page.has(".roll a.row b", "2")
        assert 0 < len(page.all(".roll .row")) < 60  # of 120: only what is seen
        page.browser.execute_script("document.querySelector('.roll').scrollTop = 1e6")
        page.has(".roll a.row b", "120")
        page.browser.execute_script("document.querySelector('.roll').scrollTop = 0")
        page.press(".roll a.row[href$='/1'] b")  # not another row that has a 1 in it
        page.has(".scene text", "1")
        page.has(".cell", "cooperate")
        assert len(page.all(".cell")) < 2 * 30  # the rest is out of sight
        page.has("output", "step 0 of 60")
        page.press("button[aria-label='A step on']")
        page.has("output", "step 1 of 60, round 1")
        page.press("button", "To the first defection")
        page.has(".heads .now")
        page.press(".cell .says")
        page.has(".detail", "heard by seat")
        page.press(".detail button.seen", "say")
        page.has(".sent h4", "system")
        page.has(".sent pre", "Two players choose at the same time")
        page.has(".sent.reply pre")
        column = int(page.has(".cell.chosen").get_attribute("aria-colindex"))
        page.browser.execute_script("document.querySelector('.cell.chosen').focus()")
        page.browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
        page.has(".detail h2", f"round {column + 1}")
        page.browser.get(f"{address}/study/talks/1?beside=3")
        page.has(".pair section:nth-child(2) h1", "Match 3")
        page.has(".pair section:nth-child(2) .cell", "cooperate")
        page.has("output", "step 0 of 60")
        page.press("button[aria-label='To the end']")
        page.has(".pair section:nth-child(2) output", "step 30 of 30, round 30")


def test_a_live_match_grows_before_the_eyes(tmp_path):
    with lively(tmp_path / "live") as go:
        asyncio.run(_when_there(tmp_path / "live"))
        with served(tmp_path) as address, browsed(390) as page:
            page.browser.get(f"{address}/study/live/1")
            go(1)
            page.has(".cell .says", "hello <b>1</b>")  # as text
            assert not page.all(".cell b b, .says b")
            go(2)
            page.has(".cell .says", "hello <b>2</b>")
            page.has(".facts", "shown after the end")
            page.press(".cell")
            page.has(".detail", "is shown after the end of the match")
            go(3)
            page.has(".facts .status", "finished")
            page.has(".heads", "3 · end")
