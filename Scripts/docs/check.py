#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Types every command of the documents, as it is written, and holds what else they say against the repository.

Runs with a network of its own, so that the default ports are free, with the built program on PATH, in a copy of the
repository's files, and with real servers: a backend with a simulated fleet, an API server of KUBEBUILDER_ASSETS,
VictoriaMetrics. What cannot be run here stands in table.toml with the reason; its parts are looked at all the same.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SCRIPTS))

import documents  # noqa: E402
import facts  # noqa: E402
from cluster import Cluster  # noqa: E402
from isolation import enter  # noqa: E402
from parts import Parts  # noqa: E402
from story import NEEDS_CLUSTER, Story, Wrong  # noqa: E402
from table import Table  # noqa: E402

ROOT = SCRIPTS.parent
STATE = pathlib.Path("/var/lib/cozy-telemetry")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="the built cozy-telemetry")
    parser.add_argument("--helm", help="Helm, where it is not on PATH")
    parser.add_argument("--only", help="run the commands of pages whose path has this in it")
    parser.add_argument("--verbose", action="store_true", help="print every command, and why one is not run")
    return parser.parse_args()


class Check:
    """One run over all documents."""

    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.table = Table(SCRIPTS / "docs/table.toml")
        self.pages = documents.pages(ROOT)
        self.parts = Parts(ROOT, options.program)
        self.cluster = Cluster()
        self.wrong = []
        self.counts = {"run": 0, "not run": 0, "skipped": 0}

    def static(self):
        """Holds statements against the repository."""
        for found in (facts.broken_links(ROOT, self.pages), facts.missing_suites(ROOT, self.pages),
                      facts.wrong_code(self.pages, self.parts), facts.unnamed_files(ROOT, self.pages),
                      facts.alerts_apart(ROOT, self.pages),
                      facts.arrows_apart(ROOT, self.pages)):
            self.wrong += found

    def commands(self, may_run):
        """Runs the commands of all pages."""
        with self.cluster:
            for page in self.pages:
                commands = list(page.commands())
                if self.options.only and self.options.only not in str(page.path):
                    continue
                self.play(page, commands, may_run)
        if may_run and not self.options.only:
            self.wrong += [f"table.toml: no document has `{name}` any more" for name in self.table.unused()]

    def play(self, page, commands, may_run):
        """Runs the commands of one page in a place of its own, or looks at them."""
        place = self.directory / "-".join(page.path.with_suffix("").parts)
        if may_run and commands:
            self.copy(place)
            self.reset(commands)
        story = Story(place / page.path.parent if page.path.parts[0] == "examples" else place, self.environment, self.table)
        for command in commands:
            self.one(story, command, may_run)
        try:
            story.stop()
        except Wrong as error:
            self.wrong.append(f"{page.path}: {error}")
        shutil.rmtree(place, ignore_errors=True)

    @staticmethod
    def copy(place):
        """Copies the files of the repository, as they are now."""
        tracked = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                 capture_output=True, check=True).stdout.decode().split("\0")
        for name in (name for name in tracked if name and (ROOT / name).is_file()):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)

    def reset(self, commands):
        """Makes the store and the cluster those that a page begins with."""
        shutil.rmtree(STATE, ignore_errors=True)
        shutil.copytree(self.directory / "fleet", STATE)
        if Cluster.is_possible() and any(self.takes_cluster(command) for command in commands):
            self.cluster.reset()

    def one(self, story, command, may_run):
        """Runs one command, or looks at its parts."""
        entry = self.table.entry(command)
        self.wrong += [f"{command}: {reason}" for reason in self.parts.wrong(command.text)]
        text = entry.get("instead", command.text)
        if "why" in entry and "instead" not in entry:
            return self.count("not run", command, entry["why"])
        if not may_run or (self.takes_cluster(command) and not Cluster.is_possible()):
            return self.count("skipped", command, "KUBEBUILDER_ASSETS is not set" if may_run else "no network of its own")
        begin = time.monotonic()
        try:
            story.run(text, entry)
        except Wrong as error:
            self.wrong.append(f"{command}\n{error}")
        return self.count("run", command, f"{time.monotonic() - begin:.1f} s")

    def takes_cluster(self, command):
        """Whether a command reads or changes a cluster, or works on what one before it read there."""
        entry = self.table.entry(command)
        return bool(entry.get("cluster") or NEEDS_CLUSTER.search(command.text) or any(map(NEEDS_CLUSTER.search, entry.get("before", []))))

    def count(self, what, command, detail):
        """Counts a command, and says so where that is asked for."""
        self.counts[what] += 1
        if self.options.verbose:
            print(f"check-docs: {what}: {command} ({detail})", flush=True)

    def environment(self):
        """What a command finds in its environment."""
        home = self.directory / "home"
        found = {"PATH": f"{self.directory / 'bin'}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(home),
                 "LANG": "C.UTF-8", "TMPDIR": str(self.directory / "tmp")}
        if self.cluster.server:
            found["KUBECONFIG"] = self.cluster.kubeconfig()
        return found

    def lay_out(self):
        """Makes the directories that commands find, and the fleet of the store."""
        for name in ("bin", "home", "tmp"):
            (self.directory / name).mkdir()
        program = pathlib.Path(self.options.program).resolve()
        (self.directory / "bin/cozy-telemetry").symlink_to(program)
        if self.options.helm:
            (self.directory / "bin/helm").symlink_to(pathlib.Path(self.options.helm).resolve())
        fleet = [program, "simulate", "--into", self.directory / "fleet", "--clusters", "20", "--months", "2"]
        subprocess.run(fleet, check=True, capture_output=True)


def main():
    """Checks and prints; exits with 1 where something is wrong."""
    options = arguments()
    may_run = enter()
    if not may_run:
        print("check-docs: THE COMMANDS ARE NOT RUN: this system gives no network of one's own (unshare --net); "
              "only their parts are looked at", file=sys.stderr)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="check-docs-") as directory:
        check = Check(options, pathlib.Path(directory))
        check.static()
        if may_run:
            check.lay_out()
        check.commands(may_run)
    if check.counts["skipped"] and may_run:
        print(f"check-docs: {check.counts['skipped']} commands NEED AN API SERVER and were skipped: set KUBEBUILDER_ASSETS",
              file=sys.stderr)
    for reason in check.wrong:
        print(f"check-docs: {reason}", file=sys.stderr)
    print(f"check-docs: {len(check.pages)} pages, {check.counts['run']} commands run, {check.counts['not run']} looked at, "
          f"{len(check.wrong)} wrong, {time.monotonic() - begin:.0f} s")
    sys.exit(1 if check.wrong else 0)


if __name__ == "__main__":
    main()
