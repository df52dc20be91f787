# SPDX-License-Identifier: Apache-2.0
"""Load on a server, in phases, and what the server spends on each."""

import json
import shutil
import subprocess

from bench.processes import BenchError


class Load:
    """The load generator with its connections to a server; a context that ends it."""

    def __init__(self, generator, server, body, seed, connections=64):
        self.generator = generator
        self.server = server
        self.target = {
            "host": "127.0.0.1", "port": server.port, "method": server.method, "path": server.path,
            "headers": server.headers, "statuses": server.statuses, "body": str(body), "seed": seed,
            "connections": connections}

    def __enter__(self):
        if not shutil.which(self.generator):
            raise BenchError(f"{self.generator} is not there; `make bench-servers` builds it")
        self.process = subprocess.Popen(
            [self.generator], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True)
        self.send(self.target)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def send(self, line):
        """Hands the generator a line."""
        try:
            self.process.stdin.write(json.dumps(line) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # It has ended; reading its answer tells why.

    def phase(self, first, clusters, requests=1 << 40, seconds=1e6, rate=None, shuffled=False, changed=0.0,
              signed=False):
        """Runs a phase: what the generator measured, with the server's CPU seconds and peak of memory."""
        self.server.forget_peak()
        before = self.server.cpu_seconds()
        self.send({"first": first, "clusters": clusters, "requests": requests, "seconds": seconds, "rate": rate,
                   "shuffled": shuffled, "changed": changed, "signed": signed})
        line = self.process.stdout.readline()
        if not line:
            reason = self.process.communicate()[1].strip()
            raise BenchError(f"{self.server.name}: {reason}\nIts log ends with:\n{self.server.log_tail()}")
        result = json.loads(line)
        result["cpuSeconds"] = self.server.cpu_seconds() - before
        result["cpuPerThousand"] = 1_000 * result["cpuSeconds"] / max(1, result["requests"])
        result["peakBytes"] = self.server.peak_bytes()
        return result
