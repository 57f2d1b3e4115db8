"""hadb's fence agent beside a BMC simulator, with programs of the test's in front of the real ones."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from bmc_simulator import PASSWORD, USER, Simulator

from support import ROOT

ADDRESS = "127.0.6.33"
MAPS = ROOT / "test/unit/corosync/fixtures/3.1.9"
# The agent's own /run, where it notes who commands a BMC, and a mount where the database would be.
_ENTER = 'mount --bind "$1/run" /run && { [ -z "$2" ] || mount -t tmpfs tmpfs "$2"; } && shift 2 && exec "$@"'
_SLEEP = """#!/bin/sh
# Notes the wait. `sleep 0` is the pause before the node is switched on again: it ends when the test says so.
echo "$1" >>"$0.log"
[ "$1" != 0 ] || while [ -d "${0%/*}" ] && [ ! -e "$0.go" ]; do /bin/sleep 0.05; done
/bin/sleep 0.05
"""
_SWITCH = """#!/bin/sh
# SWITCH FILE get|set power [VALUE]: like the simulator's, but notes what it was told to do.
[ "$2" = get ] && { echo "$3:$(cat "$1")"; exit; }
echo "$4" >>"$0.log"
"""


class Agent:
    """The agent beside a BMC, with programs of the test's before the real ones."""

    def __init__(self, bmc: Simulator) -> None:
        self.bmc, self.home = bmc, bmc.scratch
        self.bin = self.home / "bin"
        for name in ("bin", "run", "passwords"):
            (self.home / name).mkdir(mode=0o700)
        (self.home / "passwords" / ADDRESS).write_text(f"{PASSWORD}\n")
        for name in ("fence_hadb", "ipmitool"):
            shutil.copy(ROOT / "hadb/files" / name, self.home / name)
            (self.home / name).chmod(0o755)
        self.program("sleep", _SLEEP)
        self.program("logger", f'#!/bin/sh\necho "$*" >>{self.home}/syslog\n')
        self.program("corosync-cmapctl", "#!/bin/sh\nexit 1\n")
        self.program("ping", "#!/bin/sh\nexit 1\n")
        self.switch('echo "$4" >"$1"')

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def corosync(self, name: str) -> None:
        """Let Corosync answer with a captured map, of a node db1 that sees db2 or not."""
        self.program("corosync-cmapctl", f"#!/bin/sh\nexec cat {MAPS}/{name}.icmap\n")

    def switch(self, does: str) -> None:
        """Say what the BMC does when it is told to switch the power."""
        (self.home / "switch").write_text(_SWITCH + does + "\n")

    def noted(self, name: str) -> list[str]:
        path = self.home / name
        return path.read_text().splitlines() if path.exists() else []

    @property
    def waits(self) -> list[str]:
        """The head starts that were given, in seconds."""
        return [wait for wait in self.noted("bin/sleep.log") if wait not in ("0", "0.2")]

    def options(self, action: str, **other: str) -> dict[str, str]:
        return {
            "action": action, "nodename": "db2", "nodeid": "2", "ip": ADDRESS, "username": USER, "lanplus": "1",
            "cipher": "3", "privlvl": "operator", "ipmitool_path": str(self.home / "ipmitool"),
        } | other  # fmt: skip

    def run(self, action: str, mount: str = "", **other: str) -> subprocess.CompletedProcess[str]:
        """Run it as Pacemaker does. Returns when nobody holds its output any more."""
        return self._run([], "".join(f"{k}={v}\n" for k, v in self.options(action, **other).items()), mount)

    def by_hand(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run(words, "action=off\n", "")

    def _run(self, words: Sequence[str], stdin: str, mount: str) -> subprocess.CompletedProcess[str]:
        enter = ["unshare", "--mount", "sh", "-c", _ENTER, "sh", str(self.home), mount]
        environment = {
            "PATH": f"{self.bin}:/usr/sbin:/usr/bin:/bin",
            "HADB_BMC_DIRECTORY": str(self.home / "passwords"),
        }
        return subprocess.run(
            [*enter, str(self.home / "fence_hadb"), *words],
            input=stdin, env=environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    def await_log(self, words: str) -> None:
        """Return when the agent has logged something with these words."""
        end = time.monotonic() + 60
        while not any(words in line for line in self.noted("syslog")):
            assert time.monotonic() < end, self.noted("syslog")
            time.sleep(0.05)

    def let_it_return(self) -> None:
        (self.bin / "sleep.go").touch()

    @property
    def switching_on(self) -> bool:
        """Whether a process in the background means to switch the node on."""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                line = path.read_bytes()
                if b"--action=return" in line and str(self.home).encode() in line:
                    return True
        return False


def result(done: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    """Return how it ended and what it complained of."""
    return done.returncode, done.stderr
