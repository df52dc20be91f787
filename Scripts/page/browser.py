# SPDX-License-Identifier: Apache-2.0
"""Pages of a running backend in Chromium, and how checks of them are run."""
import argparse
import contextlib
import json
import shutil
import sys
import time
import urllib.request

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

WIDTHS = {"phone": (390, 844), "tablet": (834, 1112), "desktop": (1440, 900)}
THEMES = ["light", "dark"]


class Site:
    """The page in a browser."""

    def __init__(self, browser, url):
        self.browser, self.url = browser, url

    @contextlib.contextmanager
    def page(self, path="/", width="desktop", theme="light", **options):
        """A page in a browser without history; what goes wrong in it fails the check."""
        size = WIDTHS.get(width, width)
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=theme, **options
        )
        page = context.new_page()
        page.troubles = []
        page.on("console", lambda message: page.troubles.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        page.on("request", lambda request: self.note_foreign(page, request))
        page.goto(self.url + path, wait_until="networkidle")
        yield page
        assert page.troubles == [], page.troubles
        context.close()

    def note_foreign(self, page, request):
        if not request.url.startswith((self.url + "/", "data:", "blob:")):
            page.troubles.append(f"foreign request: {request.url}")

    def text(self, path):
        """What the backend answers to a program."""
        with urllib.request.urlopen(self.url + path) as answer:
            return answer.read().decode()

    def json(self, path):
        return json.loads(self.text(path))


def number(text):
    return float(text.replace(",", "").rstrip("%"))


def table(page, selector):
    """The cells of a table's body, as they are read with or without being seen."""
    return page.eval_on_selector_all(
        f"{selector} tbody tr", "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )


def axe(page, where):
    """Fails where axe finds something, with everything opened."""
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
    results = Axe().run(page)
    assert results.violations_count == 0, f"{where}: {results.generate_report()}"


def run(namespace, parser, backend, screenshots):
    """Runs the functions of a script whose names begin with check_; their docstrings say what they check.

    The backend is a context manager that is given the arguments, and gives what has a `url`. The exit status is 1 where any
    check failed.
    """
    parser.add_argument("--only", metavar="CHECK", help="one of the checks, such as theme")
    parser.add_argument("--screenshots", metavar="DIRECTORY", help="take pictures, and check nothing")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("check-page: chromium is missing; install Debian's package of that name")
    checks = {name[6:]: check for name, check in namespace.items() if name.startswith("check_")}
    chosen = {name: check for name, check in checks.items() if arguments.only in (None, name)}
    failed = 0
    with backend(arguments) as running, sync_playwright() as playwright:
        # Chromium's own sandbox does not run as root, as in a container.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        site = Site(browser, running.url)
        site.backend = running
        if arguments.screenshots:
            return screenshots(site, arguments.screenshots)
        for name, check in chosen.items():
            begin = time.monotonic()
            try:
                check(site)
                print(f"check-page: {check.__doc__} ({name}, {time.monotonic() - begin:.1f} s)")
            except Exception as error:  # Whatever it is, the other checks say what they find.
                failed += 1
                print(f"check-page: FAILED: {check.__doc__} ({name}): {type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(1 if failed else 0)
