# SPDX-License-Identifier: Apache-2.0
"""The commands of one document, typed one after the other in one place."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time


# What takes the store for itself, so that a backend on it has to be stopped before.
ALONE = re.compile(r"cozy-telemetry (store (restore|erase|rotate-key|migrate)|admin erase(?!.*--url)|simulate --into)")
NEEDS_CLUSTER = re.compile(r"\bkubectl\b|cozy-telemetry (agent|preview|status|opt-in|opt-out|identity)\b")
NEEDS_BACKEND = re.compile(r"(?<!listen-addr )(127\.0\.0\.1|localhost):808[12]\b")
NEEDS_DATABASE = re.compile(r"127\.0\.0\.1:8428\b")
# Lines after which the ones that follow are typed into another shell than before.
KEPT = re.compile(r"^(export |[A-Z_]+=\S*$|ulimit |cd |source )")
SECONDS = 100


class Wrong(Exception):
    """Why a command is not what the document says."""


class Story:
    """A working directory with the files of the repository, a shell, and the programs that go on."""

    def __init__(self, directory, environment, table):
        self.directory = directory
        self.environment = environment
        self.table = table
        self.kept = []
        self.running = {}
        self.backend = "cozy-telemetry server --listen-addr :8081 --admin-addr 127.0.0.1:8082"

    def run(self, text, entry):
        """Types a command, with what it expects to be there."""
        self.prepare(text, entry)
        serves = self.table.serves(text)
        if serves:
            self.start(text, serves["ready"])
            return
        status, output = self.shell(text)
        if status != entry.get("status", 0):
            raise Wrong(f"exits with {status}, not {entry.get('status', 0)}:\n{output[-2_000:]}")
        if not re.search(entry.get("prints", ""), output):
            raise Wrong(f"does not print {entry['prints']}:\n{output[-2_000:]}")
        if KEPT.match(text):
            self.kept.append(text)

    def prepare(self, text, entry):
        """Brings about what a command expects: programs that run or do not, and files."""
        for line in entry.get("before", []):
            self.run(line, {})
        if ALONE.search(text):
            self.stop("cozy-telemetry")
        if NEEDS_DATABASE.search(text) and not is_open(8428):
            self.run("victoria-metrics -retentionPeriod=25 -storageDataPath=./vm", {})
        if NEEDS_BACKEND.search(text) and not self.table.serves(text):
            wanted = entry.get("backend", self.backend)
            if wanted not in self.running:
                self.start(wanted, self.table.serves(wanted)["ready"])

    def shell(self, text):
        """Runs lines to their end; status and all that was printed."""
        with tempfile.TemporaryFile("w+") as output:
            process = self.spawn(text, output)
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise Wrong(f"has not ended after {SECONDS} seconds") from None
            output.seek(0)
            return process.returncode, output.read().strip()

    def spawn(self, text, output):
        """Starts a shell with what was set before."""
        lines = "\n".join(["set -euo pipefail", *self.kept, text])
        return subprocess.Popen(["bash", "-c", lines], cwd=self.directory, stdin=subprocess.DEVNULL, stdout=output,
                                stderr=subprocess.STDOUT, env=self.environment(), start_new_session=True)

    def start(self, text, ready):
        """Starts a program that goes on, in the place of one that listens where it does, and waits until it is ready."""
        for other in [other for other in self.running if listens(other) == listens(text)]:
            self.stop(other)
        path = pathlib.Path(tempfile.mkstemp(dir=self.directory.parent)[1])
        with open(path, "w") as output:
            process = self.running[text] = self.spawn(text, output)
        deadline = time.monotonic() + SECONDS
        while not re.search(ready, path.read_text(errors="replace")):
            if process.poll() is not None or time.monotonic() > deadline:
                del self.running[text]
                raise Wrong(f"is not ready ({ready}):\n{path.read_text(errors='replace')[-2_000:]}")
            time.sleep(0.05)  # Its log is all that tells.
        if text.startswith("cozy-telemetry server") and NEEDS_BACKEND.search(f"127.0.0.1{listens(text)}"):
            self.backend = text

    def stop(self, beginning=""):
        """Stops programs that go on, the last one first, and sees whether they end well."""
        for text in [text for text in reversed(self.running) if text.startswith(beginning)]:
            process = self.running.pop(text)
            os.killpg(process.pid, signal.SIGTERM)
            try:
                status = process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise Wrong(f"{text} does not stop at SIGTERM") from None
            if status not in (0, -signal.SIGTERM):
                raise Wrong(f"{text} ended with {status}")


def listens(text):
    """The address at which a program takes connections, where its command says so."""
    found = re.search(r"(?:--listen-addr |-httpListenAddr=|web.listen-address=)\S*(:\d+)", text)
    default = {"cozy-telemetry server": ":8081", "cozy-telemetry demo": ":8081", "victoria-metrics": ":8428"}
    return found[1] if found else next((port for name, port in default.items() if text.startswith(name)), text)


def is_open(port):
    """Whether somebody listens at a port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
