# SPDX-License-Identifier: Apache-2.0
"""Statements of the documents that are held against the repository: links, tests, alerts, the arrows between targets."""

import json
import re
import subprocess
import tempfile

SUITE = re.compile(r"^[A-Z]\w*Tests$")
ARROW = re.compile(r"^\s*(\S+) --> (\S+)\s*$")


def broken_links(root, pages):
    """Links to files and headings of the repository that are not there."""
    by_path = {(root / page.path).resolve(): page for page in pages}
    for page in pages:
        for line, target in page.links():
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (root / page.path).parent.joinpath(path).resolve() if path else (root / page.path).resolve()
            if not file.exists():
                yield f"{page.path}:{line}: there is no {target}"
            elif anchor and file in by_path and anchor not in by_path[file].anchors():
                yield f"{page.path}:{line}: {path or page.path} has no heading for #{anchor}"


def missing_suites(root, pages):
    """Test suites that a document names and that are not there."""
    sources = "\n".join(file.read_text() for file in root.glob("Tests/**/*.swift"))
    suites = set(re.findall(r"\b(?:struct|class|actor|enum|extension) (\w+Tests)\b", sources))
    suites |= {path.name for path in root.glob("Tests/*Tests")}
    for page in pages:
        for line, code in page.code():
            if SUITE.match(code) and code not in suites:
                yield f"{page.path}:{line}: there is no test suite {code}"


def wrong_code(pages, parts):
    """Commands within lines that name what is not there."""
    for page in pages:
        for line, code in page.code():
            if re.match(r"(make|cozy-telemetry) [a-z]", code) and not re.search(r"[…<]", code):
                yield from (f"{page.path}:{line}: `{code}`: {reason}" for reason in parts.wrong(code))


def unnamed_files(root, pages):
    """Files of an example that its README does not speak of."""
    for page in pages:
        folder = (root / page.path).parent
        if page.path.parts[0] != "examples" or folder.name == "examples":
            continue
        text = "\n".join(page.lines)
        yield from (f"{page.path}: {file.name} is not named" for file in sorted(folder.iterdir())
                    if file.name != "README.md" and file.name not in text and file.stem not in text)


def alerts_apart(root, pages):
    """Alerts that the runbook does not have, and those that it has beyond the rules."""
    rules = set(re.findall(r"alert: (\w+)", (root / "deploy/alerts.yaml").read_text()))
    page = next((page for page in pages if str(page.path) == "docs/operators.md"), None)
    if page is None:
        return
    told = {code for _, code in page.code() if re.match(r"Telemetry[A-Z]", code)}
    yield from (f"docs/operators.md: the runbook does not have {alert}" for alert in sorted(rules - told))
    yield from (f"docs/operators.md: deploy/alerts.yaml has no {alert}" for alert in sorted(told - rules))


def arrows_apart(root, pages):
    """Arrows between targets that docs/architecture.md draws and Package.swift does not have, and the other way round."""
    page = next((page for page in pages if str(page.path) == "docs/architecture.md"), None)
    if page is None:
        return
    drawn = {match.groups() for language, _, lines in page.blocks() if language == "mermaid"
             for match in map(ARROW.match, lines) if match}
    has = package_arrows(root)
    targets = {target for arrow in has for target in arrow}
    drawn = {arrow for arrow in drawn if set(arrow) & targets}
    yield from (f"{page.path}: the arrow {a} --> {b} is missing" for a, b in sorted(has - drawn))
    yield from (f"{page.path}: Package.swift has no arrow {a} --> {b}" for a, b in sorted(drawn - has))


def package_arrows(root):
    """What Package.swift lets a target import of our own, tests left out."""
    # In a directory of its own it does not wait for a build that runs.
    with tempfile.TemporaryDirectory() as scratch:
        command = ["swift", "package", "--package-path", str(root), "--scratch-path", scratch, "dump-package"]
        package = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    targets = {target["name"]: target for target in package["targets"] if target["type"] != "test"}
    return {(name, used) for name, target in targets.items() for dependency in target["dependencies"]
            for used in (dependency.get("byName") or dependency.get("target") or [])[:1] if used in targets}
