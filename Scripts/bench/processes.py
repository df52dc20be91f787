# SPDX-License-Identifier: Apache-2.0
"""Processes of a benchmark: started on loopback, watched through /proc, and ended whatever happens."""

import contextlib
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")
BEGIN = time.monotonic()


class BenchError(Exception):
    """Why the benchmark cannot go on, for the one who reads the terminal."""


def say(text):
    """Tells what is going on and since when, on standard error."""
    print(f"bench: {time.monotonic() - BEGIN:4.0f} s: {text}", file=sys.stderr, flush=True)


def free_port():
    """A port on loopback below those that the kernel gives to clients."""
    for _ in range(100):
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise BenchError("no free port between 20000 and 30000")


def fetch(port, path, data=None):
    """The body of a response of 2xx."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data=data, timeout=60) as response:
            return response.read()
    except urllib.error.HTTPError as error:
        raise BenchError(f"{path}: status {error.code}: {error.read(300).decode(errors='replace')}") from error


class Server:
    """A system under load, with a directory of its own; a context that ends it and removes the directory."""

    name = ""
    binary = ""
    method = "POST"
    path = "/"
    headers = []
    statuses = [200]
    ready_path = "/"
    index = None

    def __init__(self, binary=None, environment=None):
        self.binary = binary or self.binary
        self.environment = environment or {}
        self.process = None

    def __enter__(self):
        if not shutil.which(self.binary):
            raise BenchError(f"{self.binary} is not there; `make bench-servers` builds or installs it")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="telemetry-bench-"))
        try:
            self.port, self.admin_port = free_port(), free_port()
            self.data = self.directory / "data"
            with open(self.directory / "log", "wb") as log:
                # A session of its own: Ctrl-C reaches this script alone, which ends its servers in order.
                self.process = subprocess.Popen(
                    [self.binary, *self.arguments()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True, env={**os.environ, **self.environment})
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def arguments(self):
        """The command line after the binary."""
        raise NotImplementedError

    def wait_until_ready(self):
        """Waits until the server answers."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise BenchError(f"{self.name} ended with {self.process.returncode}:\n{self.log_tail()}")
            try:
                return fetch(self.port, self.ready_path)
            except (OSError, BenchError):
                time.sleep(0.05)  # A server that starts gives no sign that could be waited for.
        raise BenchError(f"{self.name} was not ready after 30 seconds:\n{self.log_tail()}")

    def log_tail(self):
        """The last lines that it printed."""
        return (self.directory / "log").read_text(errors="replace")[-2_000:].strip()

    def stop(self):
        """Ends the process, politely at first."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_seconds(self):
        """User and system time so far."""
        text = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def forget_peak(self):
        """Lets the peak of memory begin anew; where the kernel does not allow it, the peak is that since the start."""
        with contextlib.suppress(PermissionError):
            pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak_bytes(self):
        """The most memory that was resident."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.partition("VmHWM:")[2].split()[0]) * 1024

    def disk_bytes(self, part="."):
        """What the data, or a folder of it, takes on disk."""
        return sum(path.stat().st_blocks * 512 for path in (self.data / part).rglob("*") if path.is_file())


def compile_library(source, directory):
    """A library of a C file, to be loaded before a server's own."""
    library = directory / f"{source.stem}.so"
    command = ["cc", "-O2", "-shared", "-fPIC", "-Wall", "-Werror", "-o", str(library), str(source), "-ldl"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchError(f"cc could not compile {source.name}: {getattr(error, 'stderr', error)}") from error
    return library
