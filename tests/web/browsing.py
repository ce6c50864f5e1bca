"""Headless Chromium (Debian's) at a seat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from visit import SECONDS

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900")


class Browser:
    """One window, and what a person does in it."""

    def __init__(self) -> None:
        options = Options()
        options.binary_location = str(CHROMIUM)
        for flag in FLAGS:
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options, Service(str(DRIVER)))

    def all(self, css: str) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css: str) -> str:
        return self.driver.find_element(By.CSS_SELECTOR, css).text

    def until(self, true: Any) -> Any:
        """Waits until it is so; stale elements are looked for again."""
        return WebDriverWait(self.driver, SECONDS, 0.02, ignored_exceptions=[Exception]).until(lambda _: true())

    def sit(self, link: str, name: str = "Ann") -> None:
        self.driver.get(link)
        self.until(lambda: self.driver.find_element(By.ID, "join").is_displayed())
        self.driver.find_element(By.ID, "name").send_keys(name)
        self.driver.find_element(By.CSS_SELECTOR, "#join button").click()

    def asked(self, question: str) -> None:
        """Waits until this is asked."""
        self.until(lambda: self.text("#asked") == question and self.all("#question[aria-busy=false]"))

    def click(self, option: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, f"[data-option='{option}']").click()

    def type(self, css: str, text: str) -> None:
        """Writes into a field and sends its form."""
        self.driver.find_element(By.CSS_SELECTOR, css).send_keys(text)
        self.driver.find_element(By.CSS_SELECTOR, "#ways .first").click()

    def press(self, key: str) -> None:
        self.driver.find_element(By.TAG_NAME, "body").send_keys(key)

    def over(self) -> str:
        """Waits for the end; gives what the page says of the last match."""
        self.until(lambda: self.text("#where") == "That was all. Thank you!")
        return self.text("#past")

    def complaints(self) -> list[str]:
        """What the browser had to complain of: scripts that were blocked, errors."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


@contextmanager
def browser() -> Iterator[Browser]:
    if missing := [str(path) for path in (CHROMIUM, DRIVER) if not path.exists()]:
        pytest.skip(f"no {' and no '.join(missing)}: apt-get install chromium chromium-driver")
    opened = Browser()
    try:
        yield opened
    finally:
        opened.driver.quit()
