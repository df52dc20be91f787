# SPDX-License-Identifier: Apache-2.0
"""Allocations a report costs our backend, held against what it may cost."""

import json
import pathlib
import tempfile

from bench.load import Load
from bench.processes import BenchError, compile_library, say
from bench.systems import Ours

PHASES = [
    ("first", {}),
    ("unchanged, identical bytes", {}),
    ("unchanged, lines shuffled", {"shuffled": True}),
    ("unchanged:changed 1:1, shuffled", {"shuffled": True, "changed": 0.5}),
]


def allocations(options, clusters=5_000):
    """Allocations per report of each phase, with the most it may have."""
    limits = json.loads((options.root / "Benchmarks/allocations.json").read_text())
    rows = []
    with tempfile.TemporaryDirectory(prefix="telemetry-bench-") as directory:
        counter = pathlib.Path(directory) / "count"
        counter.write_bytes(bytes(8))
        library = compile_library(options.root / "Benchmarks/Sources/AllocationCounter/count-allocations.c", pathlib.Path(directory))
        environment = {"LD_PRELOAD": str(library), "COUNT_ALLOCATIONS": str(counter)}
        with Ours(options.server, environment) as server, \
                Load(options.generator, server, options.fixture, options.seed) as load:
            for title, kind in PHASES:
                say(f"allocations: {title}")
                before = read(counter)
                load.phase(0, clusters, requests=clusters, **kind)
                rows.append({"reports": title, "allocations": (read(counter) - before) / clusters,
                             "limit": limits[title]})
    return rows


def read(counter):
    """The count so far."""
    return int.from_bytes(counter.read_bytes(), "little")


def check(rows):
    """Fails where a report costs more than it may."""
    over = [row for row in rows if row["allocations"] > row["limit"]]
    if over:
        raise BenchError("; ".join(
            f"{row['reports']}: {row['allocations']:.0f} allocations a report, over the limit of {row['limit']} in "
            "Benchmarks/allocations.json" for row in over))
