# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import records
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

MIXED = records.verification(each=3)
MANY = 5000
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</script><script>alert(3)</script>",
    "javascript:alert(4)",
    "</style><style>*{display:none}",
    "{{ 7 * 7 }}{% raw %}",
    "<!--",
    "&lt;b&gt;",
    "' onmouseover='alert(5)",
    "]]>",
    "</title><h1>x",
)


def many():
    return records.verification(each=MANY // 8)


def rows_shown(page):
    return page.locator("#all-targets > tbody > tr:visible").count()


def wait_for_status(page, start):
    expect(page.get_by_role("status")).to_have_text(re.compile("^" + start))


def names_shown(page):
    return page.locator("#all-targets > tbody > tr:visible .name").all_inner_texts()


def hostile(each=11):
    """A verification in which every text that an API gives is an attack."""
    made = records.verification(each=each)

    def poison(value, place=0):
        if isinstance(value, dict):
            kept = ("kind", "outcome", "open_since", "started_at", "finished_at", "verdict", "history", "counts")
            return {
                key if key in made or key not in records.open_item(0, 0) else key + HOSTILE[place % len(HOSTILE)]: item
                if key in kept
                else poison(item, place + number)
                for number, (key, item) in enumerate(value.items())
            }
        if isinstance(value, list):
            return [poison(item, place + number) for number, item in enumerate(value)]
        return HOSTILE[place % len(HOSTILE)] if isinstance(value, str) else value

    return dict(made, targets=poison(made["targets"]), summary=HOSTILE[0], run=HOSTILE[1], controls=list(HOSTILE))


def test_it_shows_the_verdict_and_what_needs_action_first(show):
    page = show("mixed", MIXED)
    assert page.locator("h1").inner_text().split("\n") == ["Not verified", "6 of 24 targets remediated."]
    assert page.get_by_role("img", name="24 targets: 6 remediated, 6 unremediated, 6 inconclusive, 6 pending").is_visible()
    titles = page.locator("h2").all_inner_texts()
    assert titles == ["Needs action", "All targets", "Timeline of the run", "From run to run", "The record"]
    action = page.locator("#action")
    for text in (
        "Person 0-1",
        "Approve payments",
        "Lyon",
        "192.0.2.1",
        "1025 TCP",
        "Group \u203a Unit",
        "Critical",
        "FAILED_TIMEOUT",
    ):
        assert action.get_by_text(text).first.is_visible(), text
    assert rows_shown(page) == 24


def test_it_says_what_version_1_2_has(show):
    page = show("telling", records.telling())
    action = page.locator("#action")
    for text in ("no campaign fits it", "A host", "it is still there", "Still there, of a kind that is not known here"):
        assert action.get_by_text(text).first.is_visible(), text
    assert page.locator("#words").get_by_text("configured by the user", exact=True).count() == 3
    assert page.locator("#words").get_by_text("in the column Item Status").first.is_visible()
    # A gap is a gap.
    columns = page.get_by_role("list", name="Open items in each run").locator("li")
    assert [columns.nth(place).locator("svg").count() for place in range(3)] == [1, 0, 1]
    assert columns.nth(1).inner_text().startswith("not known")
    assert "16 of 17 outcomes follow from the answers on record." in page.locator("#record").inner_text()
    page.get_by_label("Kind").select_option("host")
    wait_for_status(page, "1 of 17")
    assert names_shown(page) == ["A host"]
    row = page.locator("#all-targets tr", has_text="Pending review 1")
    assert "not verified for 14 days" in row.text_content()


# As its documentation has it, and as it is sent with every file of a build that somebody opens.
JENKINS = "sandbox; default-src 'none'; img-src 'self'; style-src 'self';"


@pytest.mark.parametrize("name, verification", (("mixed", MIXED), ("telling", records.telling())))
@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_it_can_be_read_where_the_server_forbids_style_and_script(browser, pages, name, verification, scheme):
    context = browser.new_context(viewport=dict(width=1280, height=900), color_scheme=scheme)
    try:
        context.route(
            "**/*",
            lambda route: route.fulfill(
                path=pages(name, verification), content_type="text/html", headers={"Content-Security-Policy": JENKINS}
            ),
        )
        page = context.new_page()
        page.goto("http://jenkins.example/job/verify/ws/verification.html")
        assert page.evaluate("getComputedStyle(document.body).margin") == "8px"
        assert page.locator("#tools").is_hidden() and page.locator("button:visible").count() == 0
        assert rows_shown(page) == len(verification["targets"])
        for text in ("Not verified", "Person 0-1", "Unremediated service at 192.0.2.1:1025", "FAILED_TIMEOUT"):
            assert page.get_by_text(text).first.is_visible(), text
        # A shape without a colour of its own is black, and so is an icon whose symbol has none.
        black = page.evaluate("""[...document.querySelectorAll('svg rect, svg path, svg circle')].filter(shape => {
            const style = getComputedStyle(shape);
            const painted = [style.fill, style.stroke].filter(colour => colour !== 'none' && colour !== 'rgb(0, 0, 0)');
            return !painted.length && (!shape.closest('symbol') || style.color === 'rgb(0, 0, 0)');
        }).map(shape => shape.outerHTML)""")
        assert black == []
        assert page.locator("svg rect").count() > 20
        # No picture is larger than what it stands beside.
        assert page.evaluate("Math.max(...[...document.querySelectorAll('svg')].map(svg => svg.clientHeight))") <= 130
    finally:
        context.close()


def test_it_filters(show):
    page = show("mixed", MIXED)
    status = page.get_by_role("status")
    assert status.inner_text() == "24 of 24 targets shown."
    page.get_by_label("Remediated 6", exact=True).uncheck()
    assert status.inner_text().startswith("18 of 24 targets shown")
    page.get_by_label("Kind").select_option("exposure")
    assert status.inner_text().startswith("9 of 24 targets shown")
    page.get_by_role("searchbox").fill("PENDING 192.0.2.2")
    wait_for_status(page, "1 of")
    assert names_shown(page) == ["Pending service at 192.0.2.2:1026"]
    page.get_by_role("searchbox").fill("nothing has this")
    wait_for_status(page, "0 of")
    page.get_by_role("button", name="Show all").click()
    assert status.inner_text() == "24 of 24 targets shown."
    assert rows_shown(page) == 24


def test_a_search_finds_what_is_folded_away_and_no_headings(show):
    page = show("mixed", MIXED)
    found = MIXED["targets"][3]
    page.get_by_role("searchbox").fill(found["scan_id"])
    wait_for_status(page, "1 of")
    assert names_shown(page) == [found["name"]]
    page.get_by_role("searchbox").fill("method")
    wait_for_status(page, "0 of")


def test_it_sorts(show):
    page = show("mixed", MIXED)
    table = page.locator("#all-targets")
    assert table.get_by_role("columnheader", name="Outcome").get_attribute("aria-sort") == "ascending"
    target = table.get_by_role("columnheader", name="Target")
    target.get_by_role("button").click()
    assert target.get_attribute("aria-sort") == "ascending"
    assert table.locator("[aria-sort]").count() == 1
    names = names_shown(page)
    assert names == sorted(names, key=lambda name: name.lower()) and len(names) == 24
    target.get_by_role("button").press("Enter")
    assert target.get_attribute("aria-sort") == "descending"
    assert names_shown(page) == names[::-1]
    open_for = table.get_by_role("columnheader", name="Open for")
    open_for.get_by_role("button").click()
    assert open_for.get_attribute("aria-sort") == "descending"
    since = table.locator("> tbody > tr > td:nth-child(5)").all_inner_texts()
    assert since[0].startswith("14 days") and since[17] == "new in this run" and since[18:] == [""] * 6
    open_for.get_by_role("button").click()
    assert open_for.get_attribute("aria-sort") == "ascending"
    since = table.locator("> tbody > tr > td:nth-child(5)").all_inner_texts()
    assert since[0] == "new in this run" and since[17].startswith("14 days") and since[18:] == [""] * 6


def test_a_link_to_a_target_shows_it_even_if_it_was_filtered_out(show):
    page = show("mixed", MIXED)
    page.get_by_label("Unremediated 6").uncheck()
    page.locator("#action").get_by_role("link", name="Unremediated review 1").click()
    row = page.locator("#all-targets tr", has_text="Unremediated review 1")
    row.get_by_text("/campaigns/v1/cu0001/run-remediation-scan").wait_for()
    assert "SHA-256 " + records.sha256("cu0001") in row.inner_text()


def test_it_can_be_used_with_the_keyboard(show):
    page = show("mixed", MIXED)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the verdict"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    summary = page.locator("#all-targets summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("#all-targets details[open]").count() == 1
    table = page.get_by_role("region", name="Open items of Unremediated review 0")
    table.focus()
    assert table.evaluate("element => element === document.activeElement")


def test_everything_can_be_read_without_scripts(show):
    page = show("mixed", MIXED, java_script_enabled=False)
    assert rows_shown(page) == 24
    assert page.locator("#tools").is_hidden()
    assert page.locator("#all-targets th button").count() == 0
    details = page.locator("#all-targets tr", has_text="Remediated review 0").first
    details.locator("summary").click()
    assert details.get_by_text("/run-report/CAMPAIGN_REMEDIATION_STATUS_REPORT").is_visible()


@pytest.mark.parametrize(
    "name, verification",
    (
        ("mixed", MIXED),
        ("verified", records.verification(outcomes=("remediated",))),
        ("incomplete", records.verification(outcomes=("remediated", "pending"))),
        ("nothing", records.verification(outcomes=(), history=[], previous_run=None, controls=[])),
        ("hostile-few", hostile(each=1)),
        ("telling", records.telling()),
    ),
)
@pytest.mark.parametrize("width", (1280, 360))
@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_it_is_accessible_and_never_scrolls_sideways(show, name, verification, width, scheme):
    page = show(name, verification, width=width, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scripts", (True, False))
def test_a_print_shows_everything(show, scripts):
    page = show("mixed", MIXED, java_script_enabled=scripts, color_scheme="dark")
    if scripts:
        page.get_by_role("searchbox").fill("nothing has this")
        wait_for_status(page, "0 of")
    page.emulate_media(media="print", color_scheme="dark")
    assert rows_shown(page) == 24
    assert page.locator("#tools").is_hidden()
    for place in (0, 23):
        assert page.locator("#all-targets details .log").nth(place).is_visible()
        assert page.locator("#all-targets details .log").nth(place).bounding_box()["height"] > 30
    if scripts:
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_what_was_opened_for_a_print_is_closed_after_it(show):
    page = show("mixed", MIXED)
    page.locator("#all-targets summary").first.click()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 1


def test_text_of_an_api_is_only_ever_text(show):
    plain, page = show("plain", records.verification(each=11)), show("hostile", hostile())
    for tag in ("script", "style", "h1", "img", "meta", "table"):
        assert page.locator(tag).count() == plain.locator(tag).count(), tag
    assert (
        page.evaluate(
            "[...document.querySelectorAll('*')].flatMap(element => element.getAttributeNames())"
            ".filter(name => name.startsWith('on') || name === 'style' || name === 'src')"
        )
        == []
    )
    links = page.evaluate("[...document.links].map(link => link.protocol)")
    assert set(links) == {"file:"}
    for text in HOSTILE:
        assert page.locator("#all-targets .why").get_by_text(text, exact=True).count(), text


def test_five_thousand_targets_stay_usable(show):
    """Counts what the browser has to do, because how long it takes is the machine's."""
    page = show("many", many())
    rows = "[...document.querySelectorAll('#all-targets > tbody > tr')]"
    rendered = rows + ".filter(row => row.cells[0].checkVisibility({contentVisibilityAuto: true})).length"
    names = rows + ".filter(row => !row.hidden).map(row => row.querySelector('.name').textContent)"
    assert page.evaluate(rows + ".length") == MANY
    page.locator("#targets-title").scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    assert 0 < page.evaluate(rendered) < 100
    page.evaluate("""() => {
        window.changes = 0;
        new MutationObserver(list => { window.changes += list.length; })
            .observe(document.getElementById('all-targets'), {subtree: true, childList: true, attributes: true});
    }""")
    page.locator("#search").press_sequentially("unremediated review")
    expect(page.locator("#shown")).to_have_text(re.compile("^625 of 5,000"))
    assert len(page.evaluate(names)) == 625
    # A row that goes, goes once, however many letters were typed.
    assert page.evaluate("window.changes") <= MANY
    assert 0 < page.evaluate(rendered) < 100
    page.evaluate("window.changes = 0")
    page.evaluate("document.querySelectorAll('#all-targets .sort')[2].click()")
    assert page.evaluate(names)[:2] == ["Unremediated review 0", "Unremediated review 1"]
    # Each row leaves its place, and all come back at once.
    assert page.evaluate("window.changes") <= MANY + 10
    assert page.evaluate(rows + ".length") == MANY


def test_five_thousand_targets_are_no_giant_file(pages):
    assert pages("many", many()).stat().st_size < 12e6


def test_the_picture_is_the_same_every_time(pages, tmp_path):
    tool = Path(__file__).with_name("screenshot.py")
    for name, options in (("a", ()), ("b", ()), ("dark", ("--dark",))):
        subprocess.run([sys.executable, tool, pages("mixed", MIXED), tmp_path / (name + ".png"), *options], check=True)
    pictures = [(tmp_path / (name + ".png")).read_bytes() for name in ("a", "b", "dark")]
    assert pictures[0].startswith(b"\x89PNG")
    assert pictures[0] == pictures[1] != pictures[2]
