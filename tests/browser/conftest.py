# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opens pages in a headless Chromium. Whatever a page complains about fails the test."""

from __future__ import annotations

from pathlib import Path

import pytest
import records
from install_browser import FLAGS, find
from playwright.sync_api import sync_playwright

from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_page import page as make_page

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def browser():
    """One browser for all tests."""
    path = find()
    if not path:
        pytest.fail("no Chromium was found: tests/tools/install_browser.py installs one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """Makes the file of a page; the same only once."""
    made = {}

    def make(name, verification):
        if name not in made:
            made[name] = tmp_path_factory.mktemp(name) / "verification.html"
            made[name].write_text(make_page(verification, records.FILES), encoding="utf-8")
        return made[name]

    return make


@pytest.fixture
def show(browser, pages):
    """Shows a page: show(name, verification, width=360, color_scheme="dark", ...)."""
    contexts, complaints = [], []

    def open_page(name, verification, width=1280, height=900, **options):
        context = browser.new_context(viewport=dict(width=width, height=height), offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60000)
        file = pages(name, verification)
        page.on("console", lambda message: complaints.append("console: " + message.text))
        page.on("pageerror", lambda error: complaints.append("error: %s" % error))
        page.on("dialog", lambda dialog: (complaints.append("dialog: " + dialog.message), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                request.url.partition("#")[0] in (file.as_uri(), "data:,") or complaints.append("request: " + request.url)
            ),
        )
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
