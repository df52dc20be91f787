#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the public page of a running backend in Chromium, as the people see it who use it.

Each check is a function; its docstring is what it says. What a page shows is compared with what the API answers.
"""
import argparse
import contextlib
import sys

from browser import THEMES, WIDTHS, axe, number, run, table

# In bytes, of everything that a first visit fetches.
MOST_FETCHED = 100_000


def ending(page):
    """The year and the month that the page ends with, as the API has them."""
    year, month = page.input_value("#month").split("-")
    return f"year={year}&month={int(month)}"


def check_figures(site):
    """the numbers of every window are those of the API"""
    for window in ["month", "quarter", "year"]:
        with site.page(f"/?window={window}") as page:
            end = ending(page)
            period = site.json(f"/api/overview?{end}")["periods"][window]
            for card, name in [("clusters", "clusters"), ("nodes", "total_nodes"), ("tenants", "total_tenants")]:
                assert number(page.inner_text(f"#{card} .number")) == period[name], (window, card)
                series = site.json(f"/api/series?of={card}&{end}&window={window}")["points"]
                points = [[point["values"]["all"], point["values"]["established"]] for point in reversed(series)]
                shown = [[number(cell) for cell in row[1:]] for row in table(page, f"#{card} table")]
                assert shown == points[: len(shown)] and len(shown) > 6, (window, card)
                assert not any(any(point) for point in points[len(shown):]), (window, card)
            series = site.json(f"/api/series?of=applications&{end}&window={window}&months=1")["points"][0]["values"]
            apps = {row[0]: number(row[2]) for row in table(page, "table.ranked")}
            assert apps == {name: value for name, value in series.items() if value and name != "Tenant"}, window


def check_breakdowns(site):
    """systems, storage, bundles and packages are those of the API, and what is folded says so"""
    with site.page() as page:
        end = ending(page)
        lists = page.eval_on_selector_all("section.values", "all => all.map(one => one.id)")
        assert len(lists) == 10, lists
        for name in lists:
            values = site.json(f"/api/breakdowns?by={name}&{end}")["periods"]["month"]["values"]
            shown = [[row[0], number(row[2])] for row in table(page, f"#{name}")]
            assert shown == [[value["value"], value["clusters"]] for value in values], name
            folded = page.eval_on_selector_all(f"#{name} .folded", "all => all.map(one => one.textContent)")
            assert folded == [value["value"] for value in values if value["value"] == "other"], name
        assert "rounded down to a multiple of 5" in page.inner_text("#systems")


def check_versions(site):
    """the shares of versions are made from the counts of the API"""
    with site.page() as page:
        end = ending(page)
        for name in ["cozystack_version", "kubernetes_version"]:
            values = site.json(f"/api/series?of={name}&{end}&months=1")["points"][0]["values"]
            heads = page.eval_on_selector_all(
                f"#{name}-shares thead th", "cells => cells.slice(1).map(cell => cell.textContent)"
            )
            latest = table(page, f"#{name}-shares")[0][1:]
            assert len(heads) >= 5, heads
            for version, share in zip(heads, latest):
                expected = round(1000 * values.get(version, 0) / sum(values.values())) / 10
                assert abs(number(share) - expected) < 0.11, (version, share, expected)


def check_switch(site):
    """the period is switched by a link and the month by its list, with and without scripts"""
    for scripts in [True, False]:
        with site.page(java_script_enabled=scripts) as page:
            heading = page.inner_text("h1")
            page.click("nav.switch >> text=Year")
            page.wait_for_url("**window=year**")
            assert " — " in page.inner_text("h1") and page.inner_text("h1") != heading
            assert page.inner_text("nav.switch [aria-current]") == "Year"
            page.select_option("#month", index=3)
            page.click("form >> text=Show")
            page.wait_for_url("**window=year&month=**")
            assert page.inner_text("nav.switch [aria-current]") == "Year"
            page.click("a[rel=next]")
            assert page.locator("a[rel=prev]").count() == 1


def check_tables(site):
    """every chart is a table too, opened by mouse and by keyboard"""
    with site.page() as page:
        charts = page.locator("figure.chart")
        assert charts.count() == 6
        for index in range(charts.count()):
            chart = charts.nth(index)
            assert not chart.locator("table").is_visible()
            chart.locator("summary").press("Enter")
            assert chart.locator("table").is_visible()
            assert chart.locator("canvas").count() == 1
            assert chart.locator(".plot").get_attribute("aria-label").endswith("The table has all numbers.")


def check_downloads(site):
    """figures are downloaded as files, and those are what the API answers"""
    with site.page() as page:
        for selector in ["#nodes", "#application-curves", "#kernel", "#cozystack_version-shares", ".totals li >> nth=0"]:
            link = page.locator(f"{selector} >> text=CSV").first
            with page.expect_download() as download:
                link.click()
            name, path = download.value.suggested_filename, download.value.path()
            assert name.startswith("cozy-telemetry-") and name.endswith(".csv"), name
            with open(path, newline="") as file:
                assert file.read() == site.text(link.get_attribute("href")), name
            site.json(page.locator(f"{selector} >> text=JSON").first.get_attribute("href"))


def check_links(site):
    """each figure has a link to itself, and the page to itself"""
    with site.page() as page:
        for link in page.locator("a[href^='#']").all():
            target = link.get_attribute("href")
            assert page.locator(f"[id='{target[1:]}']").count() == 1, target
        address = page.get_attribute("footer >> text=Link to this page", "href")
    with site.page(address + "#kernel") as page:
        page.wait_for_function("document.getElementById('kernel').getBoundingClientRect().top < innerHeight")


def check_theme(site):
    """the theme is the system's until it is chosen, and then stays chosen"""
    with site.page(theme="dark") as page:
        def background():
            return page.evaluate("getComputedStyle(document.body).backgroundColor")

        dark = background()
        page.click("button.theme")
        assert page.get_attribute("html", "data-theme") == "light" and background() != dark
        assert page.locator("figure.chart canvas").count() == 6
        page.reload(wait_until="networkidle")
        assert page.get_attribute("html", "data-theme") == "light"
        page.emulate_media(color_scheme="light")
        page.click("button.theme")
        assert background() == dark


def check_copy(site):
    """the commands that say no are copied as they are"""
    with site.page(permissions=["clipboard-read", "clipboard-write"]) as page:
        for button in page.locator("button.copy").all():
            button.focus()
            page.keyboard.press("Enter")
            button.filter(has_text="Copied").wait_for()
            copied = page.evaluate("navigator.clipboard.readText()")
            assert copied == page.text_content(f"[id='{button.get_attribute('data-copy')}']") and copied


def check_without_scripts(site):
    """without scripts there are the same numbers, and drawings in place of charts"""
    with site.page() as page:
        numbers = page.locator(".number").all_inner_texts()
    with site.page(java_script_enabled=False) as page:
        assert page.locator(".number").all_inner_texts() == numbers
        assert page.locator("figure.chart svg path.line").count() >= 12
        assert not page.locator("button.theme").is_visible() and not page.locator("button.copy").first.is_visible()


def check_keyboard(site):
    """the first key leads past the navigation, and what has the focus is seen"""
    with site.page() as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the figures"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('.switch') !== null")
        for _ in range(60):
            page.keyboard.press("Tab")
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", page.evaluate("document.activeElement.outerHTML.slice(0, 100)")


def check_accessibility(site):
    """axe finds nothing, at any width, in any theme, with everything opened"""
    for width in WIDTHS:
        for theme in THEMES:
            with site.page(width=width, theme=theme) as page:
                axe(page, f"{width}, {theme}")


def check_widths(site):
    """nothing is wider than the window, from the smallest phone on"""
    for size in [(320, 640), *WIDTHS.values(), (2560, 1440)]:
        for path in ["/", "/?window=week"]:
            with site.page(path, width=size) as page:
                if path != "/":
                    page.troubles = [trouble for trouble in page.troubles if "400" not in trouble]
                assert page.evaluate("document.documentElement.scrollWidth") <= size[0], (size, path)


def check_shift(site):
    """nothing moves while the page loads"""
    observe = """() => new Promise(resolve => {
        let sum = 0;
        new PerformanceObserver(list => list.getEntries().forEach(entry => { sum += entry.value; }))
            .observe({type: "layout-shift", buffered: true});
        requestAnimationFrame(() => setTimeout(() => resolve(sum), 300));
    })"""
    for width in WIDTHS:
        with site.page(width=width) as page:
            shift = page.evaluate(observe)
            assert shift == 0, (width, shift)


def check_weight(site):
    """a first visit fetches less than 100 kB in all"""
    with site.page("/healthz") as page:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        fetched = []
        session.on("Network.loadingFinished", lambda event: fetched.append(event["encodedDataLength"]))
        page.goto(site.url + "/", wait_until="networkidle")
        assert len(fetched) >= 5 and sum(fetched) < MOST_FETCHED, fetched
        print(f"check-page: a first visit fetches {sum(fetched) / 1000:.1f} kB", file=sys.stderr)


def check_policy(site):
    """a script that somebody got into the page does not run"""
    with site.page() as page:
        ran = page.evaluate("""() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            const image = document.createElement("img");
            image.setAttribute("onerror", "window.ran = true");
            image.src = "data:,";
            document.body.append(image);
            return new Promise(resolve => setTimeout(() => resolve(window.ran === true), 300));
        }""")
        assert ran is False
        assert any("Content Security Policy" in trouble for trouble in page.troubles)
        page.troubles.clear()


def check_failure(site):
    """what cannot be shown is a page that leads back"""
    with site.page("/?month=2025-13") as page:
        page.troubles.clear()
        assert "2026-03" in page.inner_text("main")
        page.click("text=To the latest figures")
        page.wait_for_selector("#clusters .number")


def screenshots(site, directory):
    """Pictures of the page at each width in each theme, and of its top for the README."""
    for width, size in WIDTHS.items():
        for theme in THEMES:
            with site.page(width=width, theme=theme) as page:
                page.screenshot(path=f"{directory}/page-{width}-{theme}.png", full_page=True)
                if (width, theme) in [("desktop", "light"), ("phone", "dark")]:
                    page.set_viewport_size({"width": size[0], "height": 1250})
                    page.wait_for_timeout(300)
                    page.screenshot(path=f"{directory}/top-{width}-{theme}.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="the backend")
    run(globals(), parser, contextlib.nullcontext, screenshots)
