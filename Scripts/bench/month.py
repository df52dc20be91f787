# SPDX-License-Identifier: Apache-2.0
"""What 30 days of reports take on disk in VictoriaMetrics."""

import random
import re
import time
import uuid

from bench.processes import BenchError, fetch, say
from bench.systems import VictoriaMetrics

REPORTS = 30 * 24 * 4
INTERVAL_MS = 15 * 60 * 1_000
CHANGED = 0.01


def month(options, clusters=100):
    """Imports a report each 15 minutes of each cluster, with its time, and measures what is left of it when merged."""
    begin = int(time.time() * 1_000) - REPORTS * INTERVAL_MS
    lines = options.fixture.read_text().splitlines()
    with VictoriaMetrics() as server:
        for cluster in range(clusters):
            if cluster % 25 == 0:
                say(f"30 days in VictoriaMetrics: {cluster} of {clusters} clusters")
            body = reports(lines, random.Random(f"{options.seed}/{cluster}"), begin)
            fetch(server.port, "/api/v1/import/prometheus", data=body)
        say("30 days in VictoriaMetrics: flush and merge")
        merge(server)
        samples = server.metric("vm_rows_added_to_storage_total")
        if samples != clusters * REPORTS * len(lines):
            raise BenchError(f"VictoriaMetrics took {samples:,.0f} samples of {clusters * REPORTS * len(lines):,}")
        server.stop()
        index = server.disk_bytes(server.index)
        return {"system": server.name, "clusters": clusters, "content": "30 days of reports", "samples": int(samples),
                "bytes": server.disk_bytes(), "indexBytes": index}


def reports(lines, chance, begin):
    """A cluster's reports of 30 days in the text format."""
    cluster = uuid.UUID(int=chance.getrandbits(128), version=4)
    starts, counts = [], []
    for line in lines:
        head, _, _ = line.rpartition(" ")
        head = re.sub(r'uid="[^"]*"', lambda _: f'uid="{uuid.UUID(int=chance.getrandbits(128), version=4)}"', head)
        name, brace, labels = head.partition("{")
        starts.append(f'{name}{{cluster_id="{cluster}",{labels if brace else "}"} ')
        counts.append(chance.randrange(1, 21))
    counts[0] = 1
    # Clusters keep their own time and networks take theirs: a report comes within a second of when it is due.
    phase = chance.randrange(INTERVAL_MS)
    text = []
    for report in range(REPORTS):
        if chance.random() < CHANGED:
            counts[chance.randrange(1, len(lines))] += chance.choice((1, 1, -1))
        stamp = begin + phase + report * INTERVAL_MS + chance.randrange(1_000)
        text += [f"{start}{count} {stamp}\n" for start, count in zip(starts, counts)]
    return "".join(text).encode()


def merge(server):
    """Brings everything to disk, in as few parts as there can be."""
    fetch(server.port, "/internal/force_flush")
    fetch(server.port, "/internal/force_merge")
    deadline = time.monotonic() + 60
    # It begins in the background and nothing tells when.
    time.sleep(0.5)
    while server.metric("vm_active_force_merges") > 0:
        if time.monotonic() > deadline:
            raise BenchError("VictoriaMetrics did not end its merge within a minute")
        time.sleep(0.1)  # Nothing tells when it ends.
