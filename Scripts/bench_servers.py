#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures this repository's backend beside VictoriaMetrics and Prometheus' pushgateway, on loopback.

Every system gets the same reports: the fixture of v0.22, with identifiers and counts of each cluster's own. Closed
loop: 64 connections that send as soon as they are answered. Open loop: reports begin at a rate, and their latency
counts from when they were due. CPU is user and system time of the server in the closed loop. Signed reports have the
headers of docs/identity.md, which are made before a loop begins; only our backend looks at them. Any answer that does
not mean "taken" ends the run. `make bench-servers` builds what this needs; servers write below TMPDIR.
"""

import argparse
import json
import pathlib
import signal
import sys
import tempfile

from bench import allocations, floods, month, ours, side_by_side, tables
from bench.processes import BenchError
from bench.systems import Ours, Pushgateway, VictoriaMetrics

PARTS = ["allocations", "reports", "signed", "series", "scaling", "slow-disk", "floods", "forwarding", "month"]
SYSTEMS = {"ours": Ours, "victoria-metrics": VictoriaMetrics, "pushgateway": Pushgateway}
ROOT = pathlib.Path(__file__).resolve().parent.parent


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part; may be repeated")
    parser.add_argument("--system", action="append", choices=SYSTEMS, help="measure this system; may be repeated")
    parser.add_argument("--clusters", type=whole, default=10_000, help="clusters that report (default: 10,000)")
    parser.add_argument("--pushgateway-clusters", type=whole, default=500,
                        help="clusters that report to the pushgateway, which compares each report with all groups, so "
                        "that a round costs the square (default: 500)")
    parser.add_argument("--scale-to", type=whole, default=100_000,
                        help="clusters of the part `scaling`, against 1,000 (default: 100,000)")
    parser.add_argument("--seconds", type=float, default=2, help="length of a closed or open loop (default: 2)")
    parser.add_argument("--seed", type=int, default=7, help="what identifiers and counts derive from (default: 7)")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    parser.add_argument("--server", default=str(ROOT / ".build/release/cozy-telemetry"),
                        help="the backend's executable")
    parser.add_argument("--generator", default=str(ROOT / "Benchmarks/.build/release/LoadGenerator"),
                        help="the load generator's executable")
    options = parser.parse_args()
    options.root = ROOT
    options.fixture = ROOT / "Tests/Fixtures/payload-v0.22.prom"
    options.only = options.only or PARTS
    options.system = options.system or list(SYSTEMS)
    return options


def whole(text):
    """A count of clusters."""
    value = int(text.replace(",", "").replace("_", ""))
    if value < 4:
        raise argparse.ArgumentTypeError("at least 4")
    return value


def compare(options, body, scenarios, clusters, rate):
    """A body's scenarios on each system."""
    rows, disks = [], []
    for key in options.system:
        server = Ours(options.server) if key == "ours" else SYSTEMS[key]()
        more, disk = side_by_side.measure(server, body, scenarios, clusters[key], rate, options)
        rows += more
        disks.append(disk)
    return rows, disks


def measure(options):
    """The figures of all parts."""
    figures = {}
    few = {"ours": options.clusters, "victoria-metrics": options.clusters,
           "pushgateway": min(options.clusters, options.pushgateway_clusters)}
    if "allocations" in options.only:
        figures["allocations"] = allocations.allocations(options)
        allocations.check(figures["allocations"])
    if "reports" in options.only:
        figures["reports"] = compare(options, options.fixture, side_by_side.SMALL, few, 1_000)
    if "signed" in options.only:
        rows, _ = compare(options, options.fixture, side_by_side.SIGNED, few, 1_000)
        figures["signed"] = rows, []
    if "series" in options.only:
        with tempfile.NamedTemporaryFile(prefix="telemetry-bench-", suffix=".prom") as file:
            side_by_side.write_large_body(options.fixture, pathlib.Path(file.name))
            clusters = {key: min(count, 10 if key == "pushgateway" else 100) for key, count in few.items()}
            figures["series"] = compare(options, file.name, side_by_side.LARGE, clusters, 100)
    if "scaling" in options.only:
        figures["scaling"] = ours.scaling(options)
    if "slow-disk" in options.only:
        figures["slow-disk"] = ours.slow_disk(options)
    if "floods" in options.only:
        figures["floods"] = floods.floods(options)
    if "forwarding" in options.only:
        figures["forwarding"] = ours.forwarding(options)
    if "month" in options.only:
        figures["month"] = month.month(options)
    return figures


def markdown(figures):
    """The figures as text with tables."""
    compared = [figures[part] for part in ("reports", "signed", "series") if part in figures]
    parts = []
    if "allocations" in figures:
        parts.append(("Allocations of cozy-telemetry", tables.allocations(figures["allocations"])))
    if compared:
        parts.append(("Side by side", tables.loads([row for rows, _ in compared for row in rows])))
    disks = [disk for _, disks in compared for disk in disks] + ([figures["month"]] if "month" in figures else [])
    if disks:
        parts.append(("On disk, once stopped", tables.disks(disks)))
    if "scaling" in figures:
        parts.append(("Scaling of cozy-telemetry", tables.scaling(figures["scaling"])))
    if "slow-disk" in figures:
        parts.append(("A slow disk under cozy-telemetry, every report changed", tables.slow_disk(figures["slow-disk"])))
    if "floods" in figures:
        parts.append((f"{floods.RATE} good reports a second to cozy-telemetry, beside others", tables.floods(figures["floods"])))
    if "forwarding" in figures:
        parts.append(("What an outbox costs cozy-telemetry", tables.forwarding(figures["forwarding"])))
    return "\n\n".join(f"### {title}\n\n{text}" for title, text in parts)


def main():
    """Measures and prints; what was started is ended on every way out."""
    options = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        figures = measure(options)
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    print(json.dumps(figures, indent=2) if options.json else markdown(figures))


if __name__ == "__main__":
    main()
