#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what it costs to collect a report from a large cluster, beside kubectl that lists the same at once.

Starts etcd and kube-apiserver of KUBEBUILDER_ASSETS on loopback, fills them with objects of the size that they have in
real clusters (some minutes), and runs `cozy-telemetry preview`, as in a cluster of v0.x and as in one of v1. Memory is
the peak that was resident, CPU user and system time of the process; requests and bytes of lists are the API server's
own account of them, bytes as they were sent (compressed where the client takes that). Then the agent itself runs, beside
this repository's backend, and is watched for a minute between two reports. Fails where the peak, a page or what it
takes at rest is over the limit. `make bench-agent` builds what this needs; servers write below TMPDIR.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

from bench import cluster, tables
from bench.at_rest import at_rest
from bench.control_plane import ApiServer, Etcd
from bench.processes import BenchError, say
from bench.systems import Ours

ROOT = pathlib.Path(__file__).resolve().parent.parent
LARGEST_PAGE = 500
# Of a core: the lease is renewed and the places of consent are watched all the time.
MOST_CPU_AT_REST = 0.005


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1, help="so many times the objects (default: 1)")
    parser.add_argument("--peak", type=float, default=60, help="MB that the agent may have resident (default: 60)")
    parser.add_argument("--at-rest", type=float, default=40, help="MB resident between reports (default: 40)")
    parser.add_argument("--anonymous", type=float, default=12, help="MB of these in no file (default: 12)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of the agent, of which the median counts")
    parser.add_argument("--no-kubectl", action="store_true", help="measure the agent alone")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--agent", default=str(ROOT / ".build/release/cozy-telemetry"), help="the agent's executable")
    return parser.parse_args()


def run(command, server, agent):
    """Runs a command to its end; the file that it printed to, and what it cost."""
    before, known = server.listed_bytes(), len(server.lists(agent))
    start = time.monotonic()
    path = server.directory / "output"
    with open(path, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE,
                                   env={**os.environ, "KUBECONFIG": str(server.kubeconfig)})
    try:
        errors = process.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        raise
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise BenchError(f"{command[0]} ended with {process.returncode}:\n{errors[-2_000:]}")
    lists = server.lists(agent)[known:]
    # The kernel's account begins with the peak of this process, which therefore stays small.
    return path, {"peakBytes": usage.ru_maxrss * 1024, "cpuSeconds": usage.ru_utime + usage.ru_stime,
                  "seconds": seconds, "lists": len(lists), "listedBytes": server.listed_bytes() - before,
                  "largestPage": max((page_size(uri) for uri in lists), default=0)}


def page_size(uri):
    """How many objects a list asks for at most; infinity without a limit."""
    limit = re.search(r"[?&]limit=([1-9]\d*)", uri)
    return int(limit[1]) if limit else float("inf")


def total(report, metric):
    """The sum of a metric over its labels in a report."""
    lines = re.findall(rb"^" + metric.encode() + rb"(?:\{.*\})? (\d+)$", report, re.MULTILINE)
    return sum(map(int, lines))


def agent(options, server, generation, expected):
    """The median run of the agent by memory, after a look at what it counted."""
    runs = []
    for number in range(options.repeat):
        say(f"agent, as in {generation}, run {number + 1}")
        path, figures = run([options.agent, "preview"], server, "cozy-telemetry")
        report = path.read_bytes()
        counted = {metric: total(report, metric) for metric in expected}
        if counted != expected:
            raise BenchError(f"the agent counted {counted}, not {expected}")
        runs.append(figures)
    median = sorted(runs, key=lambda run: run["peakBytes"])[len(runs) // 2]
    # The API server lists for itself now and then, which the least does not have in it.
    return {"client": f"cozy-telemetry, {generation}", **median, "listedBytes": min(run["listedBytes"] for run in runs)}


def kubectl(server, resources, generation):
    """One run of kubectl that lists resources at once."""
    say(f"kubectl, what {generation} reads")
    command = ["kubectl", "get", ",".join(resources), "--all-namespaces", "--chunk-size=0", "--output=json"]
    return {"client": f"kubectl get -o json, the same of {generation}", **run(command, server, "kubectl")[1]}


def measure(options):
    """The figures of both generations."""
    for binary in [options.agent] if options.no_kubectl else [options.agent, "kubectl"]:
        if not shutil.which(binary):
            raise BenchError(f"{binary} is not there; `make bench-agent` builds or installs it")
    rows = []
    with Etcd() as etcd, ApiServer(etcd) as server:
        cluster.define(server, "v0")
        counts = cluster.fill(server, options.scale)
        facts = {"cozy_nodes_count": counts["nodes"], "cozy_pvs_count": counts["persistentvolumes"],
                 "cozy_loadbalancers_count": -(-counts["services"] // 40)}
        common = ["nodes", "services", "persistentvolumes"]
        rows.append(agent(options, server, "v0", {**facts, "cozy_workloads_count": 3 * counts["workloadmonitors"]}))
        if not options.no_kubectl:
            rows.append(kubectl(server, common + ["namespaces", "workloadmonitors"], "v0"))
        cluster.define(server, "v1")
        rows.append(agent(options, server, "v1", {**facts, "cozy_application_count": counts["helmreleases"]}))
        if not options.no_kubectl:
            names = ["packages.cozystack.io", "applicationdefinitions", "helmreleases"]
            rows.append(kubectl(server, common + names, "v1"))
        with Ours(options.agent) as backend:
            rest = at_rest(options, server, backend)
    return {"objects": counts, "clients": rows, "atRest": rest}


def check(figures, options):
    """Ends with an error where a limit is passed."""
    for row in figures["clients"]:
        if row["client"].startswith("kubectl"):
            continue
        if row["peakBytes"] > options.peak * 1e6:
            raise BenchError(f"{row['client']}: {row['peakBytes'] / 1e6:.1f} MB at its peak, over {options.peak:g}")
        if row["largestPage"] > LARGEST_PAGE:
            raise BenchError(f"{row['client']}: a page of {row['largestPage']} objects, over {LARGEST_PAGE}")
    for key, most in [("residentBytes", options.at_rest), ("anonymousBytes", options.anonymous)]:
        if figures["atRest"][key] > most * 1e6:
            raise BenchError(f"at rest: {key} is {figures['atRest'][key] / 1e6:.1f} MB, over {most:g}")
    if figures["atRest"]["cpuShare"] > MOST_CPU_AT_REST:
        raise BenchError(f"at rest: {figures['atRest']['cpuShare']:.2%} of a core, over {MOST_CPU_AT_REST:.2%}")


def main():
    """Measures and prints; what was started is ended on every way out."""
    options = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        figures = measure(options)
        print(json.dumps(figures, indent=2) if options.json else tables.agents(figures))
        check(figures, options)
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
