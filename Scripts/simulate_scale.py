#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what one core of each tier carries, and says what fleets of 10,000, 1 million and 100 million clusters take.

Ingest: reports of the fixture of v0.22 to `server --mode forward-only`, which sends them on to VictoriaMetrics, both on
loopback; CPU is counted until everything is sent on. Storage: what VictoriaMetrics spends on that, and has on disk once it has
merged. Figures: a fleet with months of history in VictoriaMetrics, and the CPU of a month's, a quarter's and a year's figures
that nobody asked for before. What a fleet takes follows from these by multiplication; docs/scaling.md says where that ends.
`make simulate-scale` builds what this needs.
"""

import argparse
import datetime
import json
import pathlib
import subprocess
import sys
import time

from bench.load import Load
from bench.processes import BenchError, fetch, say
from bench.systems import Ours, VictoriaMetrics

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLEETS = [10_000, 1_000_000, 100_000_000]
# A cluster of v1 has two collectors, and each reports every fifteen minutes.
REPORTS_A_DAY = 2 * 96
# So often a cluster says something new in a month; what the fleet simulator does, too.
CHANGES_A_MONTH = 2


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clusters", type=int, default=10_000, help="clusters of the ingest part (default: 10,000)")
    parser.add_argument("--history", type=int, default=500, help="clusters of the part about figures (default: 500)")
    parser.add_argument("--months", type=int, default=3, help="months of their history (default: 3)")
    parser.add_argument("--seconds", type=float, default=5, help="length of a loop (default: 5)")
    parser.add_argument("--unchanged", type=int, default=24,
                        help="hours of --forward-unchanged that fleets are computed with (default: 24)")
    parser.add_argument("--json", action="store_true", help="print what was measured as JSON")
    parser.add_argument("--server", default=str(ROOT / ".build/release/cozy-telemetry"),
                        help="the backend's executable")
    parser.add_argument("--generator", default=str(ROOT / "Benchmarks/.build/release/LoadGenerator"),
                        help="the load generator's executable")
    return parser.parse_args()


class IngestTier(Ours):
    """A backend that only sends on."""

    def __init__(self, binary, database):
        super().__init__(binary)
        self.database = database

    def arguments(self):
        url = f"http://127.0.0.1:{self.database.port}/api/v1/import/prometheus"
        return [*super().arguments(), "--mode", "forward-only", "--forward-url", url]

    def wait_until_sent(self, count):
        """Waits until so many reports were sent on since the start."""
        deadline = time.monotonic() + 300
        while self.metric("telemetry_outbox_forwarded_total") < count:
            if time.monotonic() > deadline:
                raise BenchError("reports were not sent on within five minutes")
            time.sleep(0.2)  # It is told nowhere else.


class FigureTier(Ours):
    """A backend that reads its figures from VictoriaMetrics."""

    def __init__(self, binary, database):
        super().__init__(binary)
        self.database = database

    def arguments(self):
        return [*super().arguments(), "--vmselect-url", f"http://127.0.0.1:{self.database.port}"]


def ingest(options):
    """What a report costs the ingest tier and VictoriaMetrics: the first, a changed and an unchanged one."""
    result = {"clusters": options.clusters}
    with VictoriaMetrics() as database, IngestTier(options.server, database) as server, \
            Load(options.generator, server, ROOT / "Tests/Fixtures/payload-v0.22.prom", 7) as load:
        sent = 0
        for title, kind in (("first", {"requests": options.clusters}), ("changed", {"changed": 1.0}), ("unchanged", {})):
            say(f"ingest: {title}")
            before = server.cpu_seconds(), database.cpu_seconds(), database.metric("vm_tcplistener_read_bytes_total")
            limit = {} if "requests" in kind else {"seconds": options.seconds}
            phase = load.phase(0, options.clusters, shuffled=True, **limit, **kind)
            sent += phase["requests"] if title != "unchanged" else 0
            server.wait_until_sent(sent)
            time.sleep(3)  # VictoriaMetrics works on for a moment.
            thousands = phase["requests"] / 1_000
            result[title] = {
                "requests": phase["requests"],
                "cpuPerThousand": (server.cpu_seconds() - before[0]) / thousands,
                "storageCPUPerThousand": (database.cpu_seconds() - before[1]) / thousands,
                "bytesSentOn": (database.metric("vm_tcplistener_read_bytes_total") - before[2]) / phase["requests"],
            }
        result["peakBytes"], result["storagePeakBytes"] = server.peak_bytes(), database.peak_bytes()
    return result


def run(*command):
    """Runs a command that has to succeed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(map(str, command))}:\n{done.stderr}")
    return done.stdout


def figures(options):
    """What the figures of a fleet cost that has its history in VictoriaMetrics, and what that takes on disk."""
    with VictoriaMetrics() as database:
        store = database.directory / "fleet"
        say(f"figures: {options.history:,} clusters with {options.months} months")
        run(options.server, "simulate", "--into", store, "--clusters", options.history, "--months", options.months,
            "--changes-per-month", CHANGES_A_MONTH)
        url = f"http://127.0.0.1:{database.port}/api/v1/import/prometheus"
        begin = time.monotonic()
        moved = json.loads(run(options.server, "store", "migrate", "--to", url, "--data-dir", store, "--json"))
        seconds = time.monotonic() - begin
        fetch(database.port, "/internal/force_merge")
        fetch(database.port, "/internal/force_flush")
        series = json.loads(fetch(database.port, "/api/v1/series/count"))["data"][0]
        result = {"clusters": moved["clusters"], "reports": moved["reports"], "migrationSeconds": seconds,
                  "seriesPerCluster": series / moved["clusters"], "windows": []}
        with FigureTier(options.server, database) as server:
            today = datetime.datetime.now(datetime.timezone.utc)
            while server.metric("telemetry_figure_queries_total") < 2 * 6 * 16:
                time.sleep(0.5)  # The breakdowns of the day come first.
            before = database.cpu_seconds(), server.cpu_seconds(), time.monotonic()
            fetch(server.port, f"/api/overview?year={today.year}&month={today.month}")
            result["overview"] = {"storageCPU": database.cpu_seconds() - before[0],
                                  "cpu": server.cpu_seconds() - before[1], "seconds": time.monotonic() - before[2]}
        database.stop()
        result["indexBytesPerSeries"] = database.disk_bytes("indexdb") / series
        result["dataBytesPerReport"] = database.disk_bytes("data") / moved["reports"]
    return result


def fleet(clusters, measured, options):
    """What a fleet takes by what was measured."""
    incoming, history = measured["ingest"], measured["figures"]
    per_second = clusters * REPORTS_A_DAY / 86_400
    forwarded_a_day = clusters * (2 * 24 / options.unchanged + 2 * CHANGES_A_MONTH / 30)
    forwarded = forwarded_a_day / 86_400
    unchanged, changed = (incoming[key]["cpuPerThousand"] / 1_000 for key in ("unchanged", "changed"))
    ingest_cores = per_second * unchanged + forwarded * changed
    insert_cores = forwarded * incoming["changed"]["storageCPUPerThousand"] / 1_000
    # An overview looks at every day of its three windows once for all clusters and once for who is established.
    looked_at = 30 + min(90, options.months * 30) + min(365, options.months * 30)
    year = history["overview"]["storageCPU"] / history["clusters"] / looked_at * clusters * (30 + 90 + 365)
    return {
        "clusters": clusters, "reportsPerSecond": per_second, "forwardedPerSecond": forwarded,
        "ingestCores": ingest_cores, "insertCores": insert_cores,
        "megabitsSentOn": forwarded * incoming["changed"]["bytesSentOn"] * 8 / 1e6,
        "series": clusters * history["seriesPerCluster"],
        "indexBytes": clusters * history["seriesPerCluster"] * history["indexBytesPerSeries"],
        "diskBytesPerYear": forwarded_a_day * 365 * history["dataBytesPerReport"],
        "overviewCPUSeconds": year,
    }


def number(value):
    """A number with three digits that count."""
    for limit, name in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= limit:
            divisor = 1e3 if name == "k" else limit
            return f"{value / divisor:.3g} {name}"
    return f"{value:.3g}"


def table(headers, rows):
    """A table of Markdown."""
    lines = [headers, ["---"] + ["---:"] * (len(headers) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def text(measured, options):
    """The figures as text with tables."""
    incoming, history = measured["ingest"], measured["figures"]
    costs = table(
        ["a report that is", "CPU s per 1,000, ingest tier", "VictoriaMetrics", "bytes sent on", "a core of the ingest tier carries"],
        [[title, f"{part['cpuPerThousand']:.3g}", f"{part['storageCPUPerThousand']:.3g}", f"{part['bytesSentOn']:.0f}",
          f"{1_000 / part['cpuPerThousand']:,.0f}/s"]
         for title, part in ((key, incoming[key]) for key in ("first", "changed", "unchanged"))])
    overview = history["overview"]
    names = [("reports a second", "reportsPerSecond", ""), ("sent on a second", "forwardedPerSecond", ""),
             ("cores of the ingest tier", "ingestCores", ""), ("cores of VictoriaMetrics for it", "insertCores", ""),
             ("Mbit/s sent on", "megabitsSentOn", ""), ("series", "series", ""),
             ("index on disk", "indexBytes", "B"), ("samples on disk, a year", "diskBytesPerYear", "B"), ("CPU s of an overview nobody asked for before", "overviewCPUSeconds", "")]
    fleets = [fleet(clusters, measured, options) for clusters in FLEETS]
    rows = [[title, *(f"{number(entry[key])}{unit}" for entry in fleets)] for title, key, unit in names]
    return "\n\n".join([
        f"### What one core carries\n\n{costs}",
        f"Peak of memory: {incoming['peakBytes'] / 1e6:.0f} MB the backend, {incoming['storagePeakBytes'] / 1e6:.0f} MB VictoriaMetrics, "
        f"at {incoming['clusters']:,} clusters.",
        f"{history['clusters']:,} clusters with {options.months} months, {history['reports']:,} reports: "
        f"{history['seriesPerCluster']:.0f} series a cluster with {history['indexBytesPerSeries']:.0f} bytes of index each, "
        f"{history['dataBytesPerReport']:.0f} bytes of samples on disk a report, an overview in "
        f"{overview['seconds']:.2g} s with {overview['storageCPU']:.2g} CPU s of VictoriaMetrics and {overview['cpu']:.2g} of the backend; "
        f"migrated in {history['migrationSeconds']:.0f} s.",
        "### What fleets take\n\n" + table(["clusters", *(f"{clusters:,}" for clusters in FLEETS)], rows),
    ])


def main():
    """Measures and prints."""
    options = arguments()
    try:
        measured = {"ingest": ingest(options), "figures": figures(options)}
    except BenchError as error:
        sys.exit(f"simulate-scale: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    print(json.dumps(measured, indent=2) if options.json else text(measured, options))


if __name__ == "__main__":
    main()
