"""``forge index serve`` under load on the loopback address: ``python -m bench serve``.

An index of 500 projects is asked for project pages (JSON, as pip and uv ask, with gzip), metadata files and wheels, at
a fixed rate by connections that stay open. Each answer's time counts from when the request was due, so that a server
that falls behind cannot hide it. Prints what went wrong, and how long answers took.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.index import write_wheels

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"


async def connection(
    port: int, due: asyncio.Queue[tuple[float, str] | None], times: list[float], said: Counter[str]
) -> None:
    """Send requests as they are due, one after the other, and read each answer whole."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (order := await due.get()) is not None:
        when, path = order
        try:
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {ACCEPT}\r\nAccept-Encoding: gzip\r\n\r\n"
            writer.write(head.encode())
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            lines = answer.decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
            await reader.readexactly(int(headers["content-length"]))
            said[lines[0].split(" ")[1]] += 1
        except (OSError, TimeoutError, asyncio.IncompleteReadError, KeyError) as error:
            said[type(error).__name__] += 1
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        times.append(time.perf_counter() - when)
    writer.close()


async def load(
    port: int, paths: list[str], rate: int, seconds: int, connections: int
) -> tuple[list[float], Counter[str]]:
    """Ask for *rate* paths a second, each time another one."""
    due: asyncio.Queue[tuple[float, str] | None] = asyncio.Queue()
    times: list[float] = []
    said: Counter[str] = Counter()
    tasks = [asyncio.create_task(connection(port, due, times, said)) for _ in range(connections)]
    chosen = random.Random(1)
    began = time.perf_counter()
    for number in range(rate * seconds):
        when = began + number / rate
        if (left := when - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        due.put_nowait((when, chosen.choice(paths)))
    for _ in tasks:
        due.put_nowait(None)
    await asyncio.gather(*tasks)
    return times, said


def paths_of(wheels: Path) -> list[str]:
    """What is asked for: of ten requests seven for pages, two for metadata, one for a wheel."""
    found = []
    for wheel in sorted(wheels.iterdir()):
        name = wheel.name.partition("-")[0].replace("_", "-")
        file = f"/files/{name}/{wheel.name}"
        found += [f"/simple/{name}/"] * 7 + [f"{file}.metadata"] * 2 + [file]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench serve", description=__doc__)
    parser.add_argument("--rate", type=int, default=1000, help="requests a second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--wheels", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-serve-") as temporary:
        root = Path(temporary)
        write_wheels(root / "wheels", options.wheels, 500)
        env = {**os.environ, "FORGE_HOME": str(root / "home")}
        forge = [sys.executable, "-m", "forge", "index"]
        subprocess.run(
            [*forge, "make", str(root / "site"), str(root / "wheels")], check=True, capture_output=True, env=env
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        with subprocess.Popen([*forge, "serve", str(root / "site"), "--port", str(port)], env=env) as server:
            try:
                while True:
                    with socket.socket() as probe:
                        if probe.connect_ex(("127.0.0.1", port)) == 0:
                            break
                    time.sleep(0.1)
                paths = paths_of(root / "wheels")
                times, said = asyncio.run(load(port, paths, options.rate, options.seconds, options.connections))
            finally:
                server.terminate()
                _, _, usage = os.wait4(server.pid, 0)
                server.returncode = 0  # it has been waited for
    times.sort()
    print(f"{len(times)} requests at {options.rate} a second: {dict(said)}")
    for share in (0.5, 0.9, 0.99, 1.0):
        print(f"  p{share * 100:<4.0f} {times[min(len(times) - 1, int(len(times) * share))] * 1000:8.1f} ms")
    each = (usage.ru_utime + usage.ru_stime) / len(times)
    print(f"  {each * 1000:.2f} ms of processor time each; peak {usage.ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
