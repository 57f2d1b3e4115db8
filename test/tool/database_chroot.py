"""Chroots with real database servers, and hadb's own modules running inside them.

A :class:`Node` is one chroot with a fresh ``/dbmnt``, ``/run`` and ``/etc/hadb``. Its modules are loaded by
the chroot's own Python, see ``database_driver.py``.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chroots import SERVERS, chroot

REPO = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}

_ENTER = """
mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && mount --bind "$1/run" "$0/run" &&
mount --bind "$1/dbmnt" "$0/dbmnt" && mount --bind "$1/etc" "$0/etc/hadb" && mount --bind "$1/log" "$0/var/log/mysql" &&
mount --bind "$2" "$0/mnt" || exit 99
root=$0; shift 2; exec chroot "$root" "$@"
"""


def small(flavour: str, **settings: Any) -> dict[str, Any]:
    """Return ``hadb:database`` for a server that starts quickly, on a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    return database(flavour, port, innodb_log_file_size="8M", innodb_buffer_pool_size="32M", **settings)


def database(flavour: str, port: int = 13306, **settings: Any) -> dict[str, Any]:
    """Return ``hadb:database`` as the states take it, with hadb's defaults."""
    defaults = {
        "character-set-server": "utf8mb3",
        "collation-server": "utf8mb3_general_ci",
        "max_connections": 4096,
        "innodb_buffer_pool_size": "128M",
        "innodb_log_file_size": "96M",
    }
    return {
        "flavour": flavour,
        "datadir": "/dbmnt/mysql",
        "socket": "/run/mysqld/mysqld.sock",
        "pid_file": "/run/mysqld/mysqld.pid",
        "error_log": "/var/log/mysql/error.log",
        "user": "mysql",
        "port": port,
        "bind_address": "127.0.0.1",
        "settings": {**defaults, **settings},
    }


@dataclass
class Node:
    """A chroot as a node; ``work`` holds what lives shorter than the chroot."""

    suite: str
    work: Path
    pillar: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = chroot(self.suite)
        self.flavour = SERVERS[self.suite]
        for name in ("run/mysqld", "dbmnt", "etc", "log"):
            (self.work / name).mkdir(parents=True)
        user = next(
            line.split(":")
            for line in (self.root / "etc/passwd").read_text().splitlines()
            if line.startswith("mysql:")
        )
        self.uid, self.gid = int(user[2]), int(user[3])
        for name in ("run/mysqld", "log"):
            os.chown(self.work / name, self.uid, self.gid)

    def run(
        self, argv: Sequence[str], stdin: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside."""
        return subprocess.run(
            self._argv(argv),
            input=stdin,
            capture_output=True,
            text=True,
            check=check,
            timeout=300,
            env=ENVIRONMENT,
        )

    def _argv(self, argv: Sequence[str]) -> list[str]:
        return ["unshare", "--mount", "sh", "-c", _ENTER, str(self.root), str(self.work), str(REPO), *argv]

    def order(
        self, function: str, kind: str = "_modules", *args: Any, test: bool = False, **kwargs: Any
    ) -> str:
        """Return what ``database_driver.py`` reads: one call, as JSON."""
        return json.dumps(
            {
                "kind": kind,
                "function": function,
                "args": args,
                "kwargs": kwargs,
                "test": test,
                "pillar": self.pillar,
            }
        )

    def begin(self, order: str) -> subprocess.Popen[str]:
        """Begin an order and do not wait; it leads its own process group, so that it can be killed whole."""
        process = subprocess.Popen(
            self._argv(["python3", "/mnt/test/tool/database_driver.py"]),
            text=True,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin
        process.stdin.write(order)
        process.stdin.close()
        process.stdin = None
        return process

    def call(
        self, function: str, *args: Any, kind: str = "_modules", test: bool = False, **kwargs: Any
    ) -> Any:
        """Return what a function of an execution module answers; :class:`Failed` carries a ``HadbError``."""
        order = self.order(function, kind, *args, test=test, **kwargs)
        done = self.run(["python3", "/mnt/test/tool/database_driver.py"], order, check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise Failed(answer["error"], answer["text"])
        return answer["value"]

    def sql(self, statements: str) -> str:
        """Return what the running server answers to root."""
        return self.run(
            [
                "mysql",
                "--no-defaults",
                "--socket=/run/mysqld/mysqld.sock",
                "--batch",
                "--raw",
                "--skip-column-names",
            ],
            statements,
        ).stdout.strip()

    def state(self, function: str, test: bool = False, **kwargs: Any) -> dict[str, Any]:
        """Return the result of a state function."""
        return self.call(function, kind="_states", test=test, **kwargs)

    def made(self, settings: Mapping[str, Any]) -> None:
        """Write the option file and make the instance."""
        configured = self.state("dbnode.configured", name="/etc/hadb/my.cnf", **settings)
        assert configured["result"], configured["comment"]
        made = self.state(
            "dbinstance.initialised", name=settings["datadir"], mount_point="/dbmnt", flavour=self.flavour
        )
        assert made["result"], made["comment"]

    def start(self) -> None:
        """Start the server as Pacemaker would: ``/etc/hadb/my.cnf`` and nothing else."""
        program = {"mariadb": "/usr/sbin/mariadbd", "mysql": "/usr/sbin/mysqld"}[self.flavour]
        self.run(
            [
                "start-stop-daemon",
                "--start",
                "--background",
                "--exec",
                program,
                "--",
                "--defaults-file=/etc/hadb/my.cnf",
            ]
        )
        self.run(
            [
                "sh",
                "-c",
                "for i in $(seq 300); do [ -S /run/mysqld/mysqld.sock ] && exit 0; sleep 0.1; done;"
                "cat /var/log/mysql/error.log >&2; exit 1",
            ]
        )

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End every server whose pid file is in this node's ``/run``, and no other process."""
        for path in (self.work / "run").rglob("*.pid"):
            pid = int(path.read_text().strip() or 0)
            if pid and _alive(pid) and str(self.work) in Path(f"/proc/{pid}/mountinfo").read_text():
                os.kill(pid, number)
                _wait_for_end(pid)


class Failed(Exception):
    """A function of hadb raised; ``error`` is the class's name."""

    def __init__(self, error: str, text: str) -> None:
        self.error = error
        super().__init__(f"{error}: {text}")


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 60
    while _alive(pid):
        assert time.monotonic() < deadline, f"process {pid} does not end"
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        return b"\nState:\tZ" not in Path(f"/proc/{pid}/status").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
