#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the maintainers' view of a running backend in Chromium: signing in both ways, every view, and that it moves."""
import argparse
import contextlib
import json
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid

from browser import THEMES, WIDTHS, axe, number, run, table
from issuer import Issuer

VIEWS = ["live", "adoption", "upgrades", "together", "churn", "sizes", "values", "refusals"]


class Backend:
    """A backend on a store, which knows an issuer, and a token for it."""

    def __init__(self, program, store):
        self.issuer = Issuer(client="cozy-view", audience="cozy-telemetry")
        self.log = tempfile.NamedTemporaryFile("w+")
        self.process = subprocess.Popen([
            program, "server", "--listen-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--data-dir", store,
            "--rate-limits", "off", "--oidc-issuer", self.issuer.url, "--oidc-audience", self.issuer.audience,
            "--oidc-client-id", self.issuer.client,
        ], stderr=self.log)
        ports = {}
        while len(ports) < 2:
            time.sleep(0.1)  # Its log is all that tells.
            with open(self.log.name) as log:
                text = log.read()
            assert self.process.poll() is None, text
            ports = dict(re.findall(r"(admin|listen)=([\d.:]+)", text))
        self.url, self.public = "http://" + ports["admin"], "http://" + ports["listen"]
        self.program, self.store = program, store
        self.token = self.admin("create", "--role", "viewer", "--expires", "1h").strip()

    def admin(self, *words):
        """What a command about tokens prints."""
        command = [self.program, "admin", "token", *words, "--data-dir", self.store]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.process.terminate()
        assert self.process.wait(30) == 0, "the backend did not end well"


def ask(site, path):
    request = urllib.request.Request(site.url + path, headers={"Authorization": "Bearer " + site.backend.token})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@contextlib.contextmanager
def signed_in(site, view, **options):
    """The page with somebody signed in by a token, and a view that is there."""
    with site.page("/#view=" + view, **options) as page:
        page.fill("#token", site.backend.token)
        page.press("#token", "Enter")
        page.wait_for_selector("#view h1")
        yield page


def check_token(site):
    """a token lets in, a wrong one does not and says so, and signing out forgets it"""
    with site.page() as page:
        assert page.is_visible("#enter") and not page.is_visible("#views")
        page.fill("#token", "czt_wrong")
        page.press("#token", "Enter")
        page.wait_for_selector("#refused:visible")
        assert "does not let in" in page.inner_text("#refused")
        page.troubles = [trouble for trouble in page.troubles if "401" not in trouble]
        page.fill("#token", site.backend.token)
        page.press("#token", "Enter")
        page.wait_for_selector("#view h1")
        assert site.backend.token not in page.url
        page.reload()
        page.wait_for_selector("#view h1")
        page.click("#leave")
        assert page.is_visible("#enter") and page.evaluate("sessionStorage.length") == 0
        page.reload()
        assert page.is_visible("#enter")


def check_issuer(site):
    """the issuer lets in by a code with PKCE, back to the view that was asked for, and a token that is over is renewed"""
    site.backend.issuer.granted.clear()
    # Clocks may differ by half a minute, so a token that is over is over by more.
    site.backend.issuer.lifetime = -60
    with site.page("/#view=sizes&months=6") as page:
        page.click("#by-issuer")
        page.wait_for_selector("#refused:visible, #view h1")
        site.backend.issuer.lifetime = 300
        page.troubles = [one for one in page.troubles if site.backend.issuer.url not in one and "401" not in one]
        page.click("#by-issuer")
        page.wait_for_selector("#view h1")
        assert page.inner_text("#view h1") == "Sizes" and page.url.endswith("#view=sizes&months=6"), page.url
        site.backend.issuer.granted.clear()
        page.evaluate("sessionStorage.setItem('token', 'eyJhbGciOiJSUzI1NiJ9.e30.AAAA')")
        page.click("#views >> text=Upgrades")
        page.wait_for_selector("h1:text('Upgrades')")
        assert site.backend.issuer.granted == ["refresh_token"], site.backend.issuer.granted
        page.troubles = [one for one in page.troubles if site.backend.issuer.url not in one and "401" not in one]


def check_ended_token(site):
    """a token that is revoked takes what it showed with it"""
    name = str(uuid.uuid4())
    token = site.backend.admin("create", "--role", "viewer", "--expires", "1h", "--name", name).strip()
    with site.page("/#view=values&dimension=kernel") as page:
        page.fill("#token", token)
        page.press("#token", "Enter")
        page.wait_for_selector("[aria-label=Values] td")
        number = next(line.split()[0] for line in site.backend.admin("list").splitlines() if name in line)
        site.backend.admin("revoke", number)
        page.click("#views >> text=Sizes")
        page.wait_for_selector("#refused:visible")
        assert page.inner_text("#view") == "" and not page.is_visible("#views")
        page.troubles = [trouble for trouble in page.troubles if "401" not in trouble]
        page.evaluate("location.hash = '#view=churn'")
        page.wait_for_timeout(300)
        assert page.inner_text("#view") == "" and page.troubles == []


def check_leaving(site):
    """whoever leaves while a token is being renewed stays out, and views that ask at once renew it once"""
    with site.page("/#view=sizes") as page:
        page.click("#by-issuer")
        page.wait_for_selector("#view h1")
        site.backend.issuer.granted.clear()
        page.evaluate("sessionStorage.setItem('token', 'eyJhbGciOiJSUzI1NiJ9.e30.AAAA')")
        for view in ["Upgrades", "Together", "Sizes"]:
            page.click(f"#views >> text={view}")
        page.wait_for_selector("h1:text('Sizes')")
        assert site.backend.issuer.granted == ["refresh_token"], site.backend.issuer.granted
        page.evaluate("sessionStorage.setItem('token', 'eyJhbGciOiJSUzI1NiJ9.e30.AAAA')")
        page.route("**/token", lambda route: (page.click("#leave"), route.continue_()))
        page.click("#views >> text=Upgrades")
        page.wait_for_timeout(1000)
        assert page.evaluate("sessionStorage.length") == 0 and page.is_visible("#enter")
        page.troubles = [one for one in page.troubles if site.backend.issuer.url not in one and "401" not in one]


def check_keyboard(site):
    """keys lead past the navigation and through choices, and what has the focus keeps it"""
    with signed_in(site, "upgrades&month=2026-10") as page:
        address = page.url
        page.evaluate("document.activeElement.blur()")
        page.focus(".skip")
        page.keyboard.press("Enter")
        assert page.url == address and page.evaluate("document.activeElement.id") == "view"
        page.focus("#choose-months")
        for chosen in ["24", "12"]:
            page.keyboard.press("ArrowDown" if chosen == "24" else "ArrowUp")
            page.wait_for_url(f"**months={chosen}*")
            page.wait_for_selector("#view:not([aria-busy])")
            assert page.evaluate("document.activeElement.id") == "choose-months"
        page.focus("#views >> text=Sizes")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:text('Sizes')")
        assert page.evaluate("document.activeElement.textContent") == "Sizes"
    with signed_in(site, "constructor") as page:
        assert page.inner_text("#view h1") == "Now"


def check_foreign_answer(site):
    """a code that this tab did not ask for is not taken"""
    with site.page("/?code=stolen&state=other") as page:
        page.wait_for_selector("#refused:visible")
        assert "not the answer" in page.inner_text("#refused")
        assert "code" not in page.url and site.backend.issuer.granted.count("authorization_code") <= 1


def check_views(site):
    """every view shows what the backend answers, and its address leads back to it"""
    with signed_in(site, "adoption") as page:
        year, last = page.input_value("#choose-month").split("-")
        month = f"year={year}&month={int(last)}"
        versions = ask(site, f"/v1/insights/adoption?{month}")["versions"][::-1]
        rows = table(page, "[aria-label=Versions]")
        assert [[row[0], number(row[4])] for row in rows] == [[one["version"], one["at_end"][-1]] for one in versions]
        assert page.evaluate("Object.keys(Chart.instances).length") == 2
        page.select_option("#choose-dimension", "kubernetes_version")
        page.wait_for_url("**dimension=kubernetes_version")
        page.reload(wait_until="networkidle")
        page.wait_for_selector("#choose-dimension")
        assert page.input_value("#choose-dimension") == "kubernetes_version"
        versions = ask(site, f"/v1/insights/adoption?{month}&dimension=kubernetes_version")["versions"]
        assert {row[0] for row in table(page, "[aria-label=Versions]")} == {one["version"] for one in versions}
    with signed_in(site, "upgrades") as page:
        paths = ask(site, f"/v1/insights/upgrades?{month}")["paths"]
        assert [row[:2] + [number(row[4])] for row in table(page, "[aria-label='Upgrade paths']")] == [
            [path["from"], path["to"], path["clusters"]] for path in paths]
    with signed_in(site, "together") as page:
        pairs = ask(site, f"/v1/insights/together?{month}&limit=100")["pairs"]
        assert [number(row[2]) for row in table(page, "[aria-label=Pairs]")] == [pair["both"] for pair in pairs] != []
    with signed_in(site, "churn") as page:
        cohorts = ask(site, f"/v1/insights/churn?{month}")["cohorts"]
        assert [number(row[1]) for row in table(page, "[aria-label=Cohorts]")] == [one["clusters"] for one in cohorts]
    with signed_in(site, "sizes") as page:
        nodes = ask(site, f"/v1/insights/sizes?{month}")["months"][-1]["nodes"]
        shown = [number(row[2]) for row in table(page, "[aria-label=Nodes]")]
        assert shown == nodes["clusters"] + [nodes["unknown"]]
    with signed_in(site, "refusals") as page:
        assert len(table(page, "[aria-label=Dropped]")) == 3


def check_drilling(site):
    """a value leads to its curve, whose numbers are the backend's"""
    with signed_in(site, "values&dimension=kernel") as page:
        link = page.locator("[aria-label=Values] a").first
        value = link.inner_text()
        link.click()
        page.wait_for_selector("#view figure")
        year, month = page.evaluate("document.getElementById('choose-month').value").split("-")
        curve = ask(site, f"/v1/insights/curve?year={year}&month={int(month)}&dimension=kernel&value={value}")["months"]
        shown = table(page, "#view figure")
        assert [[row[0], number(row[1]), number(row[2])] for row in shown] == [
            [one["month"], one["with_value"], one["with_value_at_end"]] for one in reversed(curve)]
        assert page.locator("#view figure canvas").count() == 1


def check_live(site):
    """it moves as reports arrive"""
    with signed_in(site, "live") as page:
        page.locator("#accepted .number").get_by_text("0", exact=True).wait_for()
        clusters = number(page.inner_text("#clusters .number"))
        for _ in range(3):
            request = urllib.request.Request(
                site.backend.public, b"cozy_tenants_count 2\n",
                {"Content-Type": "text/plain", "X-Cluster-ID": str(uuid.uuid4())})
            urllib.request.urlopen(request)
        page.locator("#accepted .number").get_by_text("3", exact=True).wait_for()
        assert number(page.inner_text("#clusters .number")) == clusters + 3
        try:
            urllib.request.urlopen(urllib.request.Request(site.backend.public, b"nonsense", {"X-Cluster-ID": "a"}))
        except urllib.error.HTTPError:
            pass
        page.locator("#refused .number").get_by_text("1", exact=True).wait_for()


def check_accessibility(site):
    """axe finds nothing in any view, in any theme, and nothing is wider than a phone"""
    for theme in THEMES:
        with site.page(theme=theme) as page:
            axe(page, f"signing in, {theme}")
        for view in VIEWS:
            with signed_in(site, view, theme=theme, width="phone" if theme == "dark" else "desktop") as page:
                axe(page, f"{view}, {theme}")
                width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
                assert width[0] <= width[1], (view, width)


def screenshots(site, directory):
    """Pictures of every view."""
    for view in VIEWS:
        with signed_in(site, view) as page:
            page.wait_for_timeout(1500 if view == "live" else 300)
            page.screenshot(path=f"{directory}/maintainers-{view}.png", full_page=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the executable")
    parser.add_argument("store", help="a data directory with months of reports, which gets some more")
    run(globals(), parser, lambda arguments: Backend(arguments.program, arguments.store), screenshots)
