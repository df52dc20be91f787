# SPDX-License-Identifier: Apache-2.0
"""What the agent takes between two reports, after it has collected and delivered one."""

import pathlib
import re
import time

from bench.processes import BenchError, Server, fetch, say

INTERVAL = 120
WATCHED = 60
# One of each part of v1.
REPORTS = 2


class Agent(Server):
    """The agent as it runs in a cluster, with the API server beside it and reports that go to a backend on loopback."""

    name = "cozy-telemetry agent"
    ready_path = "/healthz"

    def __init__(self, binary, server, backend):
        super().__init__(binary, {"KUBECONFIG": str(server.kubeconfig)})
        self.backend = backend

    def arguments(self):
        return ["agent", "--notice-period", "0", "--telemetry-interval", f"{INTERVAL}s", "--namespace", "default",
                "--telemetry-endpoint", f"http://127.0.0.1:{self.backend.port}/", "--metrics-addr",
                f"127.0.0.1:{self.port}"]

    def accepted(self):
        """How many reports were taken."""
        text = fetch(self.port, "/metrics").decode()
        found = re.search(r'^telemetry_agent_attempts(?:_total)?\{result="accepted"\} (\d+)$', text, re.MULTILINE)
        return int(found[1]) if found else 0

    def memory(self):
        """Bytes that are resident, and those of them that are in no file."""
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return {key: int(re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)[1]) * 1024
                for key, name in [("residentBytes", "Rss"), ("anonymousBytes", "Anonymous")]}


def at_rest(options, server, backend):
    """Memory and processor time of a minute without a report."""
    with Agent(options.agent, server, backend) as agent:
        say(f"agent at rest: waiting for its first reports, up to {INTERVAL} s")
        deadline = time.monotonic() + INTERVAL + 60
        while agent.accepted() < REPORTS:
            if time.monotonic() > deadline:
                raise BenchError(f"the agent reported nothing:\n{agent.log_tail()}")
            time.sleep(0.5)  # What it counts is asked for, nobody tells.
        time.sleep(10)  # What the report took is given back by then.
        before, start, memory = agent.cpu_seconds(), time.monotonic(), agent.memory()
        say(f"agent at rest: watched for {WATCHED} s")
        time.sleep(WATCHED)  # The minute that is measured: nothing is to happen in it.
        used, seconds = agent.cpu_seconds() - before, time.monotonic() - start
        if agent.accepted() > REPORTS:
            raise BenchError("the agent reported while it was to be at rest")
        return {**memory, "cpuShare": used / seconds, "seconds": seconds}
