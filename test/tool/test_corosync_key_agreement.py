"""A real Salt master and two real minions agree on a Corosync key in a real orchestration; nobody else learns it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from corosync_pair import until

from support import ROOT

SALT = Path(sys.executable).parent

pytestmark = pytest.mark.skipif(
    not (SALT / "salt-master").exists() or os.geteuid() != 0, reason="needs root and Salt beside this Python"
)

_SLS = """
agreed:
  corosync.authkey_agreed:
    - nodes: {db1: m1, db2: m2}
    - bootstrap: db1
"""

# Each minion has an /etc/corosync of its own; the daemons end with the process that started them.
_MINION = 'mount --bind "$1" /etc/corosync && exec "$2/salt-minion" -c "$3"'


class Site:
    """A master and the minions m1 and m2 on the loopback of a private network."""

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.processes = scratch, {}
        self.network = f"corotest-{os.getpid()}-salt"

    def configure(self) -> None:
        """Write everything that Salt reads."""
        roots = self.scratch / "roots"
        for folder in ("_modules", "_states", "_utils"):
            shutil.copytree(ROOT / folder, roots / folder, ignore=shutil.ignore_patterns("__pycache__"))
        (roots / "agree.sls").write_text(_SLS)
        common = {"user": "root", "timeout": 10, "gather_job_timeout": 10}
        self._config("master", "master", {**common, "interface": "127.0.0.1", "auto_accept": True, "worker_threads": 3,
                                          "file_roots": {"base": [str(roots)]}})  # fmt: skip
        for name in ("m1", "m2"):
            self._config(
                name, "minion", {**common, "id": name, "master": "127.0.0.1", "acceptance_wait_time": 1}
            )
            (self.scratch / f"corosync-{name}").mkdir()

    def start(self) -> None:
        """Start the daemons and wait for both minions."""
        subprocess.run(["ip", "netns", "add", self.network], check=True)
        subprocess.run(["ip", "-n", self.network, "link", "set", "lo", "up"], check=True)
        Path("/etc/corosync").mkdir(exist_ok=True)
        self._spawn("master", [str(SALT / "salt-master"), "-c", str(self.scratch / "master")])
        for name in ("m1", "m2"):
            words = [str(self.scratch / f"corosync-{name}"), str(SALT), str(self.scratch / name)]
            self._spawn(name, ["sh", "-c", _MINION, "sh", *words])
        until(lambda: self.call("salt", "*", "test.ping") == {"m1": True, "m2": True}, 90)
        self.call("salt-run", "saltutil.sync_all")
        self.call("salt", "*", "saltutil.sync_all")

    def stop(self) -> None:
        """End the daemons and remove the network."""
        for name in list(self.processes):
            self.kill(name)
        subprocess.run(["ip", "netns", "delete", self.network], check=False)

    def kill(self, name: str) -> None:
        """End one daemon with all its processes."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def key(self, name: str) -> bytes:
        """Return a minion's key."""
        return (self.scratch / f"corosync-{name}/authkey").read_bytes()

    def call(self, program: str, *words: str) -> Any:
        """Run a command of the master and return its answer."""
        argv = [str(SALT / program), "-c", str(self.scratch / "master"), "--out=json", "--static", *words]
        if program == "salt-run":
            argv.remove("--static")
        done = subprocess.run(
            ["ip", "netns", "exec", self.network, *argv], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
        )  # fmt: skip
        with contextlib.suppress(ValueError):
            return json.loads(done.stdout)
        return None

    def agree(self, *words: str) -> dict[str, Any]:
        """Run the orchestration and return the state's result."""
        (result,) = self.call("salt-run", "state.orchestrate", "agree", *words)["data"].values()
        return next(iter(result.values()))

    def _config(self, name: str, kind: str, options: dict[str, Any]) -> None:
        home = self.scratch / name
        (home / "pki").mkdir(parents=True)
        paths = {key: str(home / part) for key, part in
                 {"root_dir": "", "pki_dir": "pki", "cachedir": "cache", "sock_dir": "sock", "log_file": "log"}.items()}  # fmt: skip
        (home / kind).write_text(json.dumps({**paths, "pidfile": str(home / "pid"), **options}))

    def _spawn(self, name: str, argv: list[str]) -> None:
        alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self.processes[name] = subprocess.Popen(
            ["ip", "netns", "exec", self.network, *alone, *argv],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("s"))  # short: the paths of Salt's sockets must fit into 107 bytes
    site.configure()
    try:
        site.start()
        yield site
    finally:
        site.stop()


def test_the_nodes_agree_on_one_key_once_and_a_dry_run_says_so_before(site: Site) -> None:
    predicted = site.agree("test=True")
    assert predicted["result"] is None
    assert not list(site.scratch.glob("corosync-*/authkey"))
    done = site.agree()
    assert (done["result"], done["changes"]) == (True, predicted["changes"])
    assert site.key("m1") == site.key("m2")
    assert site.agree()["changes"] == {}


def test_a_node_that_lost_the_key_gets_the_same_one_again(site: Site) -> None:
    before = site.key("m1")
    (site.scratch / "corosync-m1/authkey").unlink()
    assert site.agree()["result"] is True
    assert site.key("m1") == before


def test_the_key_is_nowhere_but_on_the_nodes(site: Site) -> None:
    key = site.key("m1")
    forms = (key[:40], base64.b64encode(key)[:50], key.hex()[:60].encode())
    places = [
        file for name in ("master", "m1", "m2") for file in (site.scratch / name).rglob("*") if file.is_file()
    ]
    assert any(b"authkey_import" in file.read_bytes() for file in places), "the job cache was not looked at"
    assert [file for file in places if any(form in file.read_bytes() for form in forms)] == []


def test_a_minion_that_is_down_fails_the_orchestration_by_name(site: Site) -> None:
    site.kill("m2")
    result = site.agree()
    assert result["result"] is False
    assert "m2: it did not answer" in result["comment"]
