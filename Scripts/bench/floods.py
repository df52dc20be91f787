# SPDX-License-Identifier: Apache-2.0
"""Senders that mean no good, beside those that do: what becomes of the latency of good reports."""

import asyncio
import os
import pathlib
import random
import resource
import subprocess
import sys

from bench.load import Load
from bench.processes import BenchError, say
from bench.systems import Ours

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nX-Cluster-ID: a\r\n"
#: A title, what `Crowd` does, and how often: connections at a time, or a second.
NUISANCES = [
    ("idle connections", "idle", 10_000),
    ("heads that never end", "heads", 500),
    ("bodies that never end", "bodies", 500),
    ("floods of garbage", "garbage", 100),
    ("bodies cut in the middle", "cut", 100),
]
RATE = 200


class Flooded(Ours):
    """Our backend with its limits as they are, but for all those that come from one address here."""

    def arguments(self):
        return [*super().arguments()[:-6], "--max-connections", "30000", "--max-connections-per-address", "30000",
                "--max-requests-per-connection", "1000000000", "--rate-limits", "off"]


class Crowd:
    """A process of senders; a context that ends it."""

    def __init__(self, kind, port, count):
        self.command = [sys.executable, "-m", "bench.floods", kind, str(port), str(count)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, start_new_session=True,
                                        cwd=pathlib.Path(__file__).parent.parent)
        # It says so once all are there.
        if not self.process.stdout.readline():
            raise BenchError("the crowd did not come")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def floods(options, rounds=3):
    """Latencies at a rate, without and with each nuisance, in turns."""
    rows = {title: [] for title in ["nothing else", *(title for title, _, _ in NUISANCES)]}
    with Flooded(options.server) as server, \
            Load(options.generator, server, options.fixture, options.seed, connections=16) as load:
        load.phase(0, options.clusters, requests=options.clusters)
        for turn in range(rounds):
            say(f"floods: nothing else, {turn + 1} of {rounds}")
            rows["nothing else"].append(measured(load, options))
            for title, kind, count in NUISANCES:
                say(f"floods: {title}, {turn + 1} of {rounds}")
                with Crowd(kind, server.port, count):
                    rows[title].append(measured(load, options))
    counts = {title: count for title, _, count in NUISANCES}
    return [{"beside": title, "count": counts.get(title, 0), "runs": runs} for title, runs in rows.items()]


def measured(load, options):
    """The latencies of reports of which one in a hundred is new, over a while."""
    return load.phase(0, options.clusters, seconds=max(5, options.seconds), rate=RATE, shuffled=True, changed=0.01)


# What follows is run as the process of a crowd.


async def keep_open(port, count):
    """Connections that say nothing."""
    writers = []
    for _ in range(count):
        writers.append((await asyncio.open_connection("127.0.0.1", port))[1])
    print("ready", flush=True)
    await asyncio.Event().wait()


async def drip(port, beginning, drop):
    """A connection that begins to say something and never ends, over and over."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(beginning)
            while not writer.is_closing():
                await asyncio.sleep(random.uniform(0.5, 1))  # The slowness itself.
                writer.write(drop)
                await writer.drain()
        except OSError:
            continue


async def break_off(port, count, data):
    """So many connections a second that say something and break off."""
    async def one():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            await writer.drain()
            writer.close()
        except OSError:
            pass

    loop, pending, due = asyncio.get_running_loop(), set(), asyncio.get_running_loop().time()
    print("ready", flush=True)
    while True:
        task = loop.create_task(one())
        pending.add(task)
        task.add_done_callback(pending.discard)
        due += 1 / count
        await asyncio.sleep(max(0, due - loop.time()))  # So many a second.


async def crowd(kind, port, count):
    """Does what the kind says until it is killed."""
    noise = os.urandom(64 * 1024)
    if kind == "idle":
        await keep_open(port, count)
    elif kind in ("heads", "bodies"):
        beginning, drop = (HEAD, b"A: b\r\n") if kind == "heads" else \
            (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n#\r\n")
        tasks = [asyncio.create_task(drip(port, beginning, drop)) for _ in range(count)]
        await asyncio.sleep(1)  # All have begun by then.
        print("ready", flush=True)
        await asyncio.gather(*tasks)
    else:
        await break_off(port, count, noise if kind == "garbage" else HEAD + b"Content-Length: 9000000\r\n\r\n" + noise)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(crowd(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
