# SPDX-License-Identifier: Apache-2.0
"""The figures as markdown."""

import re


def table(head, rows):
    """A table; the first column is text, and so is every other whose first value does not begin with a digit."""
    rows = [[str(cell) for cell in row] for row in rows]
    rules = ["---:" if re.match(r"\d|–", cell) else "---" for cell in rows[0]]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rules, *rows])


def number(value, digits=3):
    """A number to so many digits that count."""
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}" if value >= 10 ** -digits else f"{value:.1g}"


def latency(phase, key):
    """A latency of an open loop, marked where the server did not keep up."""
    if phase is None:
        return "–"
    return number(phase[key]) + (" †" if phase["unsent"] else "")


def loads(rows):
    """Side by side: a line for each kind of report and system."""
    head = ["reports", "system", "clusters", "reports/s", "p50 ms", "p99 ms", "CPU s per 1,000", "rate/s",
            "p50 ms at rate", "p99 ms at rate", "peak MB"]
    lines = []
    for row in sorted(rows, key=lambda row: [other["reports"] for other in rows].index(row["reports"])):
        closed, opened = row["closed"], row["open"]
        peak = max(closed["peakBytes"], opened["peakBytes"]) / 1e6
        lines.append([row["reports"], row["system"], f"{row['clusters']:,}", number(closed["perSecond"]),
                      number(closed["p50"]), number(closed["p99"]), number(closed["cpuPerThousand"]),
                      f"{row['rate']:,}", latency(opened, "p50"), latency(opened, "p99"), number(peak)])
    text = table(head, lines)
    if any(row["open"]["unsent"] for row in rows):
        text += "\n\n† It fell behind the rate, so the figure grows with the length of the run."
    if any(row["system"] == "Pushgateway" for row in rows):
        text += ("\n\nThe pushgateway compares each report with all groups, so that a round costs the square of the "
                 "clusters; it gets fewer.")
    return text


def disks(rows):
    """What is on disk after the load, and after 30 days."""
    head = ["system", "on disk", "clusters", "bytes per cluster", "of these index"]
    return table(head, [[row["system"], row["content"], f"{row['clusters']:,}", number(row["bytes"] / row["clusters"]),
                         number(row["indexBytes"] / row["clusters"]) if "indexBytes" in row else "–"]
                        for row in rows])


def scaling(results):
    """Many clusters against few."""
    few, many = results
    head = ["reports", *(f"CPU s per 1,000 at {result['clusters']:,}" for result in results), "ratio"]
    lines = []
    for title, phase in few["phases"].items():
        costs = phase["cpuPerThousand"], many["phases"][title]["cpuPerThousand"]
        lines.append([title, *map(number, costs), f"{costs[1] / max(costs[0], 1e-9):.2f}"])
    lines.append(["peak MB", *(number(result["peakBytes"] / 1e6) for result in results),
                  f"{many['peakBytes'] / few['peakBytes']:.2f}"])
    disk = [result["diskBytes"] / result["storedClusters"] for result in results]
    lines.append(["bytes per cluster on disk", *map(number, disk), f"{disk[1] / disk[0]:.2f}"])
    return table(head, lines)


def slow_disk(rows):
    """This disk and a slow one."""
    head = ["disk", "connections", "reports/s", "reports per commit", "p50 ms", "p99 ms", "p50 ms at 1,000/s",
            "p99 ms at 1,000/s"]
    return table(head, [[row["disk"], row["connections"], number(row["closed"]["perSecond"]),
                         number(row["reportsPerCommit"]), number(row["closed"]["p50"]), number(row["closed"]["p99"]),
                         latency(row["open"], "p50"), latency(row["open"], "p99")] for row in rows])


def floods(rows):
    """Good reports beside senders that mean no good: the median of the runs, and the range."""
    def figures(runs, key):
        values = sorted(run[key] for run in runs)
        return f"{number(values[len(values) // 2])} ({number(values[0])} to {number(values[-1])})"

    return table(["beside", "so many", "p50 ms", "p99 ms", "CPU s per 1,000", "peak MB"],
                 [[row["beside"], f"{row['count']:,}" if row["count"] else "–", figures(row["runs"], "p50"),
                   figures(row["runs"], "p99"), figures(row["runs"], "cpuPerThousand"),
                   number(max(run["peakBytes"] for run in row["runs"]) / 1e6)] for row in rows])


def forwarding(rows):
    """With and without an outbox: the median of the runs, and the range."""
    def figures(values):
        values = sorted(values)
        return f"{number(values[len(values) // 2])} ({number(values[0])} to {number(values[-1])})"

    return table(["reports", "CPU s per 1,000 without an outbox", "with"],
                 [[row["reports"], figures(row["without"]), figures(row["with"])] for row in rows])


def allocations(rows):
    """What a report costs in allocations."""
    return table(["reports", "allocations a report", "at most"],
                 [[row["reports"], number(row["allocations"]), row["limit"]] for row in rows])


def agents(figures):
    """What it costs to collect a large cluster."""
    head = ["client", "peak MB", "CPU s", "wall clock s", "lists", "MB of lists as sent", "largest page"]
    objects = ", ".join(f"{count:,} {resource}" for resource, count in figures["objects"].items())
    rest = figures["atRest"]
    return f"{objects}\n\n" + table(head, [
        [row["client"], number(row["peakBytes"] / 1e6), number(row["cpuSeconds"]), number(row["seconds"]),
         f"{row['lists']:,}", number(row["listedBytes"] / 1e6),
         f"{row['largestPage']:,}" if row["largestPage"] < float("inf") else "everything"]
        for row in figures["clients"]]) + (
            f"\n\nThe agent between two reports: {number(rest['residentBytes'] / 1e6)} MB resident, "
            f"{number(rest['anonymousBytes'] / 1e6)} MB of them anonymous, {rest['cpuShare']:.3%} of a core over "
            f"{number(rest['seconds'])} s")
