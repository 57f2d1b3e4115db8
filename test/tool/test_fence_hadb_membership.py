"""hadb's fence agent asks a real Corosync, of each release, whether the node to be fenced is a member."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import chroots
import pytest
from corosync_pair import NODES, Pair, pair, until

from hadb_core import corosync_conf, corosync_wanted
from support import ROOT

pytestmark = pytest.mark.skipif(
    not shutil.which("mmdebstrap") or os.geteuid() != 0,
    reason="needs root, mmdebstrap and network namespaces",
)

SETTINGS = {"port": 5405, "token": 1000, "crypto_cipher": "aes256", "crypto_hash": "sha256"}
PROGRAMS = {
    "sleep": '#!/bin/sh\necho "$1" >>"$0.log"\n',
    "ping": "#!/bin/sh\nexit 0\n",
    "logger": "#!/bin/sh\n",
    # A BMC whose node is on until the first command.
    "ipmi": '#!/bin/sh\ncase "$*" in *exec*) echo Chassis Power is off ;; *) echo Chassis Power is on ;; esac\n',
}


@pytest.fixture(params=chroots.SUITES)
def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    text = corosync_conf.render(corosync_wanted.wanted("nova-db", NODES, SETTINGS))
    with pair(chroots.chroot(request.param), tmp_path) as both:
        for node in NODES:
            both.configure(node, text, bytes(range(256)))
            both.start(node)
        yield both


def test_a_member_gets_no_head_start_and_one_that_left_does(nodes: Pair, tmp_path: Path) -> None:
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    shutil.copy(ROOT / "hadb/files/fence_hadb", tmp_path)
    (tmp_path / "fence_hadb").chmod(0o755)

    def waits() -> list[str]:
        (tmp_path / "sleep.log").write_text("")
        done = nodes.run_all("db1")([
            "env", f"PATH={tmp_path}:/usr/sbin:/usr/bin", str(tmp_path / "fence_hadb"), "--action=off", "--ip=10.0.0.2",
            "--username=hadb", f"--ipmitool-path={tmp_path}/ipmi", "--nodename=db2", "--head-start=7",
            "--database-mount=/nowhere", "--target-address=10.20.0.12",
        ])  # fmt: skip
        assert (done["retcode"], done["stderr"]) == (0, "")
        return (tmp_path / "sleep.log").read_text().split()

    db1 = nodes.run_all("db1")
    until(lambda: db1(["corosync-cmapctl", "runtime.members."])["retcode"] == 0, 30)
    until(lambda: waits() == [], 30)
    nodes.kill("db2")
    until(lambda: waits() == ["7"], 10)
