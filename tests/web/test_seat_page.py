"""The seat's page in a real browser: a person plays, alone and with another, is away and comes back, runs out of time."""

import re
import threading
import time

import pytest
from browsing import Browser, browser
from selenium.webdriver.common.keys import Keys
from visit import PATIENT, play, sitting, together

from commonage import event
from commonage.run.replay import replay
from commonage.run.study import Study
from commonage.store import read

SCRIPT = "<img src=x onerror=document.title='broken'><script>document.title='broken'</script>"


@pytest.fixture(scope="module")
def page():
    with browser() as opened:
        yield opened


def moves(folder, seat=0):
    return [row[3] for row in read.match(folder, 1) if row[1] == seat and isinstance(row[3], event.Moved)]


def exact(folder):
    return replay(folder, 1).differing == []


def test_a_dilemma_with_talk(page: Browser, tmp_path):
    with sitting(Study("dilemma(rounds=2)", "human,tit_for_tat", ["talk"], repeats=1), tmp_path) as sat:
        page.sit(sat.links[0], SCRIPT)
        page.asked("Say?")
        assert "3 points each" in page.text("#rules")
        assert page.driver.title == "Your turn - commonage"
        page.type("#words", f"Let us share.\n{SCRIPT}")
        page.asked("Choose?")
        page.click("cooperate")
        page.asked("Say?")
        assert "Last round you chose cooperate" in page.text("#facts")
        page.click("nothing")
        page.asked("Choose?")
        page.press("2")  # the second of the options, by its key
        result = page.over()
    assert re.search(r"You have 8\.", result)
    assert [(one.move, one.says) for one in moves(tmp_path)] == [(1, f"Let us share. {SCRIPT}"), (0, ""), (0, ""), (1, "")]
    assert page.driver.title == "The end - commonage"
    assert page.complaints() == []
    assert exact(tmp_path)


def test_a_fishery_with_a_number_and_a_fine_and_a_page_that_is_loaded_again(page: Browser, tmp_path):
    with sitting(Study("commons(rounds=2)", "human,sustainer*3,cheat", ["punish"], repeats=1), tmp_path) as sat:
        page.sit(sat.links[0])
        page.asked("Harvest?")
        assert page.all("#scene circle")
        assert page.text("#ways label") == "0 to 100 tons of fish"
        page.type("#amount", "10")
        page.asked("Fine whom?")
        before = page.text("#facts"), page.text("#where")
        page.driver.refresh()  # the same state again, without a name asked for
        page.asked("Fine whom?")
        assert (page.text("#facts"), page.text("#where")) == before
        page.click("nobody")
        page.asked("Harvest?")
        page.type("#amount", "7")
        page.asked("Fine whom?")
        page.click("nobody")
        assert "Match 1 of 1 is over" in page.over()
    assert [one.text for one in moves(tmp_path) if not one.forced] == ["10", "nobody", "7", "nobody"]
    assert exact(tmp_path)


def test_a_coin_game_by_arrow_keys(page: Browser, tmp_path):
    with sitting(Study("coin_game(rounds=1)", "human,random", repeats=1), tmp_path) as sat:
        page.sit(sat.links[0])
        for step, key in enumerate((Keys.ARROW_UP, Keys.ARROW_DOWN, Keys.ARROW_LEFT, Keys.ARROW_RIGHT, "."), 1):
            page.until(lambda step=step: f"step {step} of 5" in page.text("#facts"))
            page.asked("Move?")
            page.press(key)
        page.over()
    assert [one.text for one in moves(tmp_path)] == ["up", "down", "left", "right", "stay"]
    assert page.complaints() == []
    assert exact(tmp_path)


def test_a_kitchen_with_a_chef_in_real_time(page: Browser, tmp_path):
    study = Study("kitchen(rounds=1,round_steps=12)", "human(tick=0.2),chef", repeats=1)
    with sitting(study, tmp_path) as sat:
        page.sit(sat.links[0])
        while not page.text("#where").startswith("That was all"):
            page.press(Keys.ARROW_UP)
            time.sleep(0.02)
        page.over()
    mine = moves(tmp_path)
    assert len(mine) == 12
    assert {(one.text, one.usage.get("silent", 0)) for one in mine} <= {("north", 0), ("", 1)}
    assert exact(tmp_path)


def test_time_runs_out_and_another_plays_on(page: Browser, tmp_path):
    house = PATIENT._replace(clock=1)
    with sitting(Study("dilemma(rounds=2)", "human(substitute=grim),grim", repeats=1), tmp_path, house) as sat:
        page.sit(sat.links[0])
        assert "Match 1 of 1 is over" in page.over()
    assert [row[3].by for row in read.match(tmp_path, 1) if isinstance(row[3], event.Replaced)] == ["grim"]
    assert exact(tmp_path)


def test_two_people_in_two_browsers_and_what_one_says_is_text_to_the_other(page: Browser, tmp_path):
    house = PATIENT._replace(reveal=True)
    with browser() as other, sitting(Study("dilemma(rounds=2)", "human*2", ["talk"], repeats=1), tmp_path, house) as sat:
        page.sit(sat.links[0], SCRIPT)
        page.until(lambda: "begins when everybody is there" in page.text("#lobby"))
        other.sit(sat.links[1], "Bob")
        for _ in range(2):
            for one in (page, other):
                one.asked("Say?")
                one.type("#words", SCRIPT)
            for one in (page, other):
                one.asked("Choose?")
                assert SCRIPT in one.text("#talk")
                one.click("defect")
        results = [one.over() for one in (page, other)]
        assert SCRIPT[:40] in other.text("#past")  # the name
        assert other.all("#talk img, #past img, #talk script") == []
        assert other.driver.title == "The end - commonage"
        assert other.complaints() == page.complaints() == []
    assert all("You have 2." in result for result in results)
    assert exact(tmp_path)


def test_a_person_in_a_browser_and_a_program_at_one_table(page: Browser, tmp_path):
    """A phone's width; nothing stands out to the side."""
    page.driver.set_window_size(390, 844)
    with sitting(Study("public_goods(seats=3,rounds=1)", "human*2,random", repeats=1), tmp_path) as sat:
        page.sit(sat.links[0])
        program = threading.Thread(target=lambda: together(play(sat.links[1], lambda ask: "3")))
        program.start()
        page.asked("Contribute?")
        assert page.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        page.type("#amount", "5")
        page.over()
        program.join()
    page.driver.set_window_size(1280, 900)
    assert [moves(tmp_path, seat)[0].text for seat in (0, 1)] == ["5", "3"]
