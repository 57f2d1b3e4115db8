"""Looks at the database nodes from outside, many times a second, across power cuts and reboots."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hadblab import ssh
from hadblab.rundir import RunDir
from scenario.sample import Sample, calibrated, parse
from scenario.wait import until

# Seconds between looks; invariants are promised at 0.1 s, and a look takes about 15 ms.
INTERVAL = 0.07
_PROBE = Path(__file__).with_name("probe.py")
# A stream of its own that notices within seconds that its node froze or lost its power.
_SSH = ["-o", "ControlPath=none", "-o", "ControlMaster=no", "-o", "ConnectTimeout=2", "-o", "ServerAliveInterval=1",
        "-o", "ServerAliveCountMax=3"]  # fmt: skip
_RETRY_SECONDS = 0.25
_LIVE_SECONDS = 40.0


class Sampler:
    """One stream of samples per node, reconnected for as long as the sampler runs.

    run
        The lab to look into.
    nodes
        Names of the nodes to look at.
    settings
        The probe's, without its interval.
    ways
        ssh's options for nodes that are not looked at over the management network.
    """

    def __init__(
        self, run: RunDir, nodes: Sequence[str], settings: dict[str, object], ways: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.run = run
        self.nodes = tuple(nodes)
        self._ways = dict(ways or {})
        self._settings = json.dumps({**settings, "interval": INTERVAL})
        self._received: list[tuple[float, Sample]] = []
        self._streams: dict[str, subprocess.Popen[str]] = {}
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._follow, args=(node,), daemon=True) for node in nodes]

    def start(self) -> None:
        """Start looking, and return once every node has been seen."""
        for thread in self._threads:
            thread.start()
        until(lambda: {sample.node for _, sample in self._received} == set(self.nodes), _LIVE_SECONDS,
              "no sample from every node")  # fmt: skip

    def stop(self) -> list[Sample]:
        """Stop looking and return everything seen, in order, at the host's time."""
        self._stopped.set()
        for stream in list(self._streams.values()):
            stream.kill()
        for thread in self._threads:
            thread.join()
        return calibrated(self._received)

    def _follow(self, node: str) -> None:
        command = ["python3", "-u", "-c", _PROBE.read_text(encoding="utf-8"), self._settings]
        while not self._stopped.is_set():
            with subprocess.Popen(
                ssh.argv(self.run, node, command, [*_SSH, *self._ways.get(node, ())]), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True,
            ) as stream:  # fmt: skip
                self._streams[node] = stream
                self._receive(node, stream)
                stream.kill()
            self._stopped.wait(_RETRY_SECONDS)

    def _receive(self, node: str, stream: subprocess.Popen[str]) -> None:
        assert stream.stdout
        for line in stream.stdout:
            # Killed in the middle of a line, the stream's last one is no sample.
            if line.endswith("\n"):
                self._received.append((time.monotonic(), parse(node, line)))
            if self._stopped.is_set():
                return
