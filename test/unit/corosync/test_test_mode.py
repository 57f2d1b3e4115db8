"""``test=True`` on a blank, half-built, converged and drifted node: the same changes as the real run, and nothing done."""

from __future__ import annotations

import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from joined_module import corosync

from hadb_core import corosync_authkey, corosync_conf, corosync_wanted
from support import load

NODES = {"db1": ["172.16.1.1"], "db2": ["172.16.1.2"]}
SETTINGS = {"port": 5405, "token": 3000, "crypto_cipher": "aes256", "crypto_hash": "sha256"}
RIGHT = corosync_conf.render(corosync_wanted.wanted("nova-db", NODES, SETTINGS))
KEY = bytes(range(256))


class Node:
    """The real execution module over a folder that stands for /etc/corosync, with every command recorded."""

    def __init__(self, folder: Path, file: str | None, key: bytes | None, *, running: bool) -> None:
        self.folder, self.running, self.commands = folder, running, []
        self.conf = folder / "corosync.conf"
        folder.mkdir()
        if file is not None:
            self.conf.write_text(file)
        if key is not None:
            (folder / "authkey").write_bytes(key)
            (folder / "authkey").chmod(0o400)
        pillar = {"hadb": {"corosync": {"authkey": base64.b64encode(KEY).decode()}}}
        self.module: SimpleNamespace = corosync(self._run_all, pillar=pillar)

    def _run_all(self, argv: list[str], **_: Any) -> dict[str, Any]:
        self.commands.append(argv[0:2] if argv[0] == "corosync" else argv[0:1])
        return {"retcode": 0 if argv[0] != "pgrep" or self.running else 1, "stdout": "", "stderr": ""}

    def states(self, *, test: bool) -> list[dict[str, Any]]:
        states = load("_states/corosync.py", salt=self.module.salt, opts={"test": test})
        return [states.configured(str(self.conf), "nova-db", NODES, SETTINGS), states.authkey_present("key")]

    def everything(self) -> dict[str, Any]:
        return {path.name: (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns) for path in self.folder.iterdir()}


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize(
    ("file", "key"),
    [(None, None), (None, KEY), (RIGHT, None), (RIGHT, KEY), (RIGHT.replace("3000", "1000"), KEY), (RIGHT[:99], KEY)],
    ids=["blank", "key only", "file only", "converged", "drifted", "interrupted"],
)
def test_a_test_run_foretells_the_real_one_and_only_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str | None, key: bytes | None, running: bool
) -> None:
    node = Node(tmp_path / "corosync", file, key, running=running)
    monkeypatch.setattr(corosync_authkey, "PATH", str(node.folder / "authkey"))
    before = node.everything()
    foretold = [ret["changes"] for ret in node.states(test=True)]
    assert node.everything() == before
    assert {tuple(argv) for argv in node.commands} <= {("pgrep",)}
    done = node.states(test=False)
    assert [ret["changes"] for ret in done] == foretold
    assert all(ret["result"] is True for ret in done), done
    assert all(not ret["changes"] for ret in node.states(test=False)), "the second run changes nothing"
    assert {tuple(argv) for argv in node.commands} <= {("pgrep",), ("corosync", "-t")}, "Corosync itself is left alone"
