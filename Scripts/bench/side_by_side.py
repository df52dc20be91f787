# SPDX-License-Identifier: Apache-2.0
"""The systems side by side: the same reports, in the same order, to each."""

from bench.load import Load
from bench.processes import BenchError, say

SMALL = [
    ("first", {}),
    ("unchanged, identical bytes", {}),
    ("unchanged, lines shuffled", {"shuffled": True}),
    ("unchanged:changed 99:1, shuffled", {"shuffled": True, "changed": 0.01}),
    ("unchanged:changed 1:1, shuffled", {"shuffled": True, "changed": 0.5}),
]
SIGNED = [
    ("signed: first", {"signed": True}),
    ("signed: unchanged, identical bytes", {"signed": True}),
    ("signed: unchanged, lines shuffled", {"signed": True, "shuffled": True}),
]
# All requests of a signed phase are made before it begins; so many a cluster are more than it has time for.
SIGNED_ROUNDS = 5
LARGE = [
    ("1,000 series: first", {}),
    ("1,000 series: unchanged, identical bytes", {}),
    ("1,000 series: unchanged, lines shuffled", {"shuffled": True}),
]


def write_large_body(fixture, path, series=1_000):
    """A report of so many workloads, made of those of the fixture."""
    lines = [line for line in fixture.read_text().splitlines() if line.startswith("cozy_workloads_count{")]
    path.write_text("".join(lines[number % len(lines)] + "\n" for number in range(series)))


def measure(server, body, scenarios, clusters, rate, options):
    """Runs scenarios on a new server: a row for each, and what is on disk in the end."""
    rows = []
    with server, Load(options.generator, server, body, options.seed) as load:
        for title, kind in scenarios:
            say(f"{server.name}: {title}, {clusters:,} clusters")
            if title.endswith("first"):
                closed, opened = first_reports(load, clusters, rate, options.seconds, **kind)
            else:
                if kind.get("signed"):
                    kind = {**kind, "requests": SIGNED_ROUNDS * clusters}
                closed = load.phase(0, clusters, seconds=options.seconds, **kind)
                opened = load.phase(0, clusters, seconds=options.seconds, rate=rate, **kind)
            rows.append({"reports": title, "system": server.name, "clusters": clusters, "rate": rate,
                         "closed": closed, "open": opened})
        if scenarios is not LARGE and server.clusters() != clusters:
            raise BenchError(f"{server.name} was sent {clusters} clusters and has {server.clusters()}")
        server.stop()
        disk = {"bytes": server.disk_bytes()}
        if server.index:
            disk["indexBytes"] = server.disk_bytes(server.index)
    content = "reports of 1,000 series" if scenarios is LARGE else "reports of 1 kB"
    return rows, {"system": server.name, "clusters": clusters, "content": content, **disk}


def first_reports(load, clusters, rate, seconds, **kind):
    """The first report of every cluster, the last of them in an open loop."""
    last = min(int(rate * seconds), clusters // 4)
    closed = load.phase(0, clusters - last, requests=clusters - last, **kind)
    opened = load.phase(clusters - last, last, seconds=last / rate, rate=rate, **kind)
    if opened["unsent"]:
        # What a server that fell behind did not get in time, it gets now.
        load.phase(clusters - last, last, requests=last, **kind)
    return closed, opened
