"""Stands for ECS around one task on a machine with Docker: the metadata endpoint, and the end of what collectors send.

It is written into the folder of a local stack and runs there with Python's standard library alone, in a container that
the others of the task share their network and their processes with. So its figures are those of the whole task: CPU and
memory of every process but itself, bytes of its network. Disks are not counted: another user's are not to be read.
Everything that is posted to it (X-Ray's segments, partners' telemetry) is taken and thrown away.
"""

import http.server
import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

_PROCESSES = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_OWN = {1, os.getpid()}
"""The first process of the container only waits for others."""


class Reading(NamedTuple):
    """The figures of the task at a time (seconds since the epoch): CPU in seconds, memory and traffic in bytes."""

    at: float
    user: float
    system: float
    memory: int
    received: int
    sent: int


def read() -> Reading:
    """The figures of this moment."""
    user = system = memory = 0
    for folder in _PROCESSES.iterdir():
        if folder.name.isdigit() and int(folder.name) not in _OWN:
            try:
                # The name of the program stands in parentheses and may hold spaces.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            user, system, memory = user + int(fields[11]), system + int(fields[12]), memory + int(fields[21]) * _PAGE
    lines = [line.split() for line in (_PROCESSES / "net" / "dev").read_text().splitlines()[2:]]
    outside = [line for line in lines if line[0] != "lo:"]
    received, sent = sum(int(line[1]) for line in outside), sum(int(line[9]) for line in outside)
    return Reading(time.time(), user / _TICKS, system / _TICKS, memory, received, sent)


class Task:
    """The task as ECS describes it; `document` is what the metadata endpoint says of it, with one container."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        started = datetime.now(UTC).isoformat()
        [container] = document["Containers"]
        self.container: Mapping[str, Any] = {**container, "CreatedAt": started, "StartedAt": started}
        times = {"PullStartedAt": started, "PullStoppedAt": started}
        self.document: Mapping[str, Any] = {**document, **times, "Containers": [self.container]}
        self._before = self._now = read()

    def metadata(self, path: str) -> Any:
        """What is at a path of the metadata endpoint, None where nothing is."""
        match [part for part in path.split("/") if part]:
            case ["v4", _]:
                return self.container
            case ["v4", _, "task"]:
                return self.document
            case ["v4", _, "stats"]:
                return self.statistics()
            case ["v4", _, "task", "stats"]:
                return {self.container["DockerId"]: self.statistics()}
            case _:
                return None

    def statistics(self) -> dict[str, Any]:
        """Docker's statistics as ECS gives them: the figures of now and those of the question before."""
        reading = read()
        if reading.at - self._now.at >= 1:
            self._before, self._now = self._now, reading
        before, now = self._before, self._now
        seconds = max(now.at - before.at, 1.0)
        return {
            "read": datetime.fromtimestamp(now.at, UTC).isoformat(),
            "preread": datetime.fromtimestamp(before.at, UTC).isoformat(),
            "name": self.container["Name"],
            "id": self.container["DockerId"],
            "pids_stats": {"current": 1},
            "blkio_stats": {"io_service_bytes_recursive": []},
            "cpu_stats": cpu(now),
            "precpu_stats": cpu(before),
            "memory_stats": {
                "usage": now.memory,
                "max_usage": now.memory,
                "stats": {"cache": 0},
                "limit": self.document["Limits"]["Memory"] * 1024 * 1024,
            },
            "networks": {"eth0": {"rx_bytes": now.received, "tx_bytes": now.sent}},
            "network_rate_stats": {
                "rx_bytes_per_sec": (now.received - before.received) / seconds,
                "tx_bytes_per_sec": (now.sent - before.sent) / seconds,
            },
        }


def cpu(reading: Reading) -> dict[str, Any]:
    """CPU in nanoseconds, beside the time that has passed on one CPU."""
    total = int((reading.user + reading.system) * 1e9)
    return {
        "cpu_usage": {
            "total_usage": total,
            "percpu_usage": [total],
            "usage_in_kernelmode": int(reading.system * 1e9),
            "usage_in_usermode": int(reading.user * 1e9),
        },
        "system_cpu_usage": int(reading.at * 1e9),
        "online_cpus": 1,
    }


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one request for `task`."""

    task: Task

    def do_GET(self) -> None:
        """The metadata endpoint."""
        found = self.task.metadata(self.path)
        self._answer(404 if found is None else 200, json.dumps(found).encode())

    def do_POST(self) -> None:
        """Takes everything."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        protobuf = "protobuf" in self.headers.get("Content-Type", "")
        self._answer(200, b"" if protobuf else b"{}")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", self.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Says nothing: a request every few seconds is no news."""


def main() -> None:
    """Serves on loopback until it is ended; the variable TASK holds the task's metadata as JSON."""
    Handler.task = Task(json.loads(os.environ["TASK"]))
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()


if __name__ == "__main__":
    main()
