# SPDX-License-Identifier: Apache-2.0
"""What is measured of our backend alone: many clusters against few, and a slow disk."""

import pathlib
import tempfile

from bench.load import Load
from bench.processes import compile_library, say
from bench.systems import Ours

PHASES = [
    ("unchanged, lines shuffled", {"shuffled": True}),
    ("unchanged:changed 1:1, shuffled", {"shuffled": True, "changed": 0.5}),
]


def scaling(options):
    """The cost of a report at few and at many clusters."""
    return [scale(clusters, options) for clusters in (1_000, options.scale_to)]


def scale(clusters, options, requests=5_000, further=1_000):
    """The cost of a report where so many clusters have reported."""
    result = {"clusters": clusters, "phases": {}}
    with Ours(options.server) as server, Load(options.generator, server, options.fixture, options.seed) as load:
        for start in range(0, clusters, 100_000):
            say(f"scaling: first, {start:,} of {clusters:,} clusters")
            count = min(100_000, clusters - start)
            filled = load.phase(start, count, requests=count)
        for title, kind in PHASES:
            say(f"scaling: {title}, {clusters:,} clusters")
            result["phases"][title] = load.phase(0, clusters, requests=requests, **kind)
        result["phases"]["first, of further clusters"] = load.phase(clusters, further, requests=further)
        result["storedClusters"] = clusters + further
        result["peakBytes"] = max(filled["peakBytes"], *(phase["peakBytes"] for phase in result["phases"].values()))
        server.stop()
        result["diskBytes"] = server.disk_bytes()
    return result


def slow_disk(options):
    """The same load on this disk and on one whose every sync takes longer."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="telemetry-bench-") as directory:
        library = compile_library(options.root / "Benchmarks/slow-fsync.c", pathlib.Path(directory))
        slow = {"LD_PRELOAD": str(library), "SLOW_FSYNC_US": "5000"}
        for disk, environment in (("this disk", {}), ("5 ms a sync", slow)):
            for connections in (1, 64, 512):
                say(f"slow disk: {disk}, {connections} connections")
                rows.append({"disk": disk, "connections": connections,
                             **on_disk(environment, connections, options)})
    return rows


def on_disk(environment, connections, options, clusters=1_000):
    """Reports that all change, so that all are committed."""
    kind = {"shuffled": True, "changed": 1.0}
    with Ours(options.server, environment) as server, \
            Load(options.generator, server, options.fixture, options.seed, connections) as load:
        load.phase(0, clusters, requests=clusters)
        before = commits(server)
        closed = load.phase(0, clusters, seconds=options.seconds, **kind)
        after = commits(server)
        # One connection cannot carry the rate, whatever the server.
        opened = load.phase(0, clusters, seconds=options.seconds, rate=1_000, **kind) if connections > 1 else None
    per_commit = (after[0] - before[0]) / max(1, after[1] - before[1])
    return {"reportsPerCommit": per_commit, "closed": closed, "open": opened}


def commits(server):
    """The reports that were committed, and in how many commits."""
    return (server.metric("telemetry_store_commit_reports_sum"), server.metric("telemetry_store_commit_reports_count"))


class Forwarding(Ours):
    """Our backend with an outbox, which nobody takes anything out of."""

    def arguments(self):
        return [*super().arguments(), "--forward-url", "http://127.0.0.1:1/api/v1/import/prometheus"]


def forwarding(options, rounds=3):
    """The cost of a report with and without an outbox, in turns."""
    kinds = [("first", {}), ("changed", {"changed": 1.0, "shuffled": True}), ("unchanged", {"shuffled": True})]
    rows = {title: {"reports": title, "without": [], "with": []} for title, _ in kinds}
    for turn in range(rounds):
        for key, kind in (("without", Ours), ("with", Forwarding)):
            say(f"forwarding: {key} an outbox, {turn + 1} of {rounds}")
            with kind(options.server) as server, \
                    Load(options.generator, server, options.fixture, options.seed) as load:
                for title, arguments in kinds:
                    limit = {"seconds": options.seconds} if arguments else {"requests": options.clusters}
                    phase = load.phase(0, options.clusters, **limit, **arguments)
                    rows[title][key].append(phase["cpuPerThousand"])
    return list(rows.values())
