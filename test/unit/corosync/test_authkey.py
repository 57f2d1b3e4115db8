"""The Corosync key: sealed on its way, agreed by two nodes, never shown, never taken from a running Corosync."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joined_module import corosync

from hadb_core import corosync_authkey, sealing
from hadb_core.corosync_authkey import check_size, plan_agreement, plan_node, short
from hadb_core.errors import Refused

SECRET = bytes(range(256))
A, B = "a" * 64, "b" * 64


def private_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    # Salt writes its minion keys in this form.
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


@pytest.fixture(scope="module")
def minions() -> dict[str, bytes]:
    return {"one": private_key(), "other": private_key()}


@pytest.mark.parametrize("size", [128, 256, 4096])
def test_a_sealed_key_comes_out_whole(minions: dict[str, bytes], size: int) -> None:
    secret = os.urandom(size)
    sealed = sealing.seal(secret, sealing.public_key(minions["one"]))
    assert sealing.unseal(sealed, minions["one"]) == secret
    assert base64.b64encode(secret).decode()[:20] not in sealed


def test_nobody_else_can_open_it(minions: dict[str, bytes]) -> None:
    sealed = sealing.seal(SECRET, sealing.public_key(minions["one"]))
    with pytest.raises(Refused, match="cannot be opened"):
        sealing.unseal(sealed, minions["other"])


@pytest.mark.parametrize("part", ["key", "nonce", "sealed"])
def test_a_changed_seal_is_refused(minions: dict[str, bytes], part: str) -> None:
    parts = json.loads(sealing.seal(SECRET, sealing.public_key(minions["one"])))
    raw = bytearray(base64.b64decode(parts[part]))
    raw[-1] ^= 1
    parts[part] = base64.b64encode(bytes(raw)).decode()
    with pytest.raises(Refused):
        sealing.unseal(json.dumps(parts), minions["one"])


@pytest.mark.parametrize("text", ["", "{}", "[]", "no json", '{"key": 1}'])
def test_what_is_no_seal_is_refused(minions: dict[str, bytes], text: str) -> None:
    with pytest.raises(Refused):
        sealing.unseal(text, minions["one"])


def test_a_recipient_without_an_rsa_key_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for recipient in ("no pem", pem.decode()):
        with pytest.raises(Refused):
            sealing.seal(SECRET, recipient)


def test_equal_keys_need_nothing() -> None:
    assert not plan_agreement({"db1": A, "db2": A}, "db1")


@pytest.mark.parametrize(("have", "source", "target"), [("db1", "db1", "db2"), ("db2", "db2", "db1")])
def test_the_only_key_is_given_to_the_other_node(have: str, source: str, target: str) -> None:
    plan = plan_agreement({"db1": None, "db2": None, have: A}, "db1")
    assert [(step.do, dict(step.args)) for step in plan.steps] == [
        ("copy", {"source": source, "target": target})
    ]


def test_without_a_key_one_is_made_on_the_bootstrap_node_and_copied() -> None:
    plan = plan_agreement({"db1": None, "db2": None}, "db2")
    assert [step.do for step in plan.steps] == ["generate", "copy"]
    assert dict(plan.steps[1].args) == {"source": "db2", "target": "db1"}


def test_different_keys_are_refused_with_a_remedy() -> None:
    with pytest.raises(Refused, match="What to do"):
        plan_agreement({"db1": A, "db2": B}, "db1")


def test_every_interruption_of_the_agreement_can_be_taken_up_again() -> None:
    keys: dict[str, str | None] = {"db1": None, "db2": None}
    for _ in range(2):
        (step, *_rest) = plan_agreement(keys, "db1").steps
        keys[step.args.get("node") or step.args["target"]] = A
    assert not plan_agreement(keys, "db1")


def have(fingerprint: str = A, mode: int = 0o400, root: bool = True) -> dict[str, Any]:
    return {"fingerprint": fingerprint, "mode": mode, "root": root}


def test_a_node_takes_the_pillars_key() -> None:
    plan = plan_node(None, A, "hadb:corosync:authkey")
    assert [step.do for step in plan.steps] == ["authkey_from_pillar"]
    assert plan.changes()["/etc/corosync/authkey"]["new"] == short(A)


def test_a_stopped_node_changes_to_the_pillars_key_and_a_running_one_refuses() -> None:
    assert plan_node(have(B), A, "k", running=False)
    with pytest.raises(Refused, match="stop pacemaker and corosync"):
        plan_node(have(B), A, "k", running=True)


def test_without_a_pillar_key_an_existing_one_is_kept() -> None:
    assert not plan_node(have(B), None, "k", running=True)


def test_a_key_that_others_can_read_is_secured() -> None:
    (step,) = plan_node(have(mode=0o644), None, "k").steps
    assert (step.do, step.old) == ("authkey_secure", "mode 0644")


def test_no_key_anywhere_is_a_remark() -> None:
    plan = plan_node(None, None, "k")
    assert not plan
    assert "hadb.orch" in plan.remarks[0]


@pytest.mark.parametrize("size", [0, 127, 4097])
def test_a_key_that_corosync_would_not_take_is_refused(size: int) -> None:
    with pytest.raises(Refused):
        check_size(bytes(size))


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minions: dict[str, bytes]) -> SimpleNamespace:
    (tmp_path / "minion.pem").write_bytes(minions["one"])
    pillar = {"hadb": {"corosync": {"authkey": base64.encodebytes(SECRET).decode(), "broken": "%%%"}}}
    monkeypatch.setattr(corosync_authkey, "PATH", str(tmp_path / "corosync/authkey"))
    # The only command here is the question whether Corosync runs.
    none_runs = {"retcode": 1, "stdout": "", "stderr": ""}
    return corosync(lambda *_, **__: none_runs, opts={"pki_dir": str(tmp_path)}, pillar=pillar)


def test_a_made_key_is_long_and_for_root_only(node: SimpleNamespace) -> None:
    fingerprint = node.authkey_generate()
    file = Path(corosync_authkey.PATH)
    assert len(file.read_bytes()) == 256
    assert stat.S_IMODE(file.stat().st_mode) == 0o400
    assert node.authkey_fingerprint() == fingerprint == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [path.name for path in file.parent.iterdir()] == ["authkey"], "a temporary file was left behind"


def test_a_second_key_is_not_made(node: SimpleNamespace) -> None:
    node.authkey_generate()
    with pytest.raises(Refused):
        node.authkey_generate()


def test_no_key_has_no_fingerprint_and_cannot_be_exported(node: SimpleNamespace) -> None:
    assert node.authkey_fingerprint() is None
    with pytest.raises(Refused):
        node.authkey_export(node.minion_public_key())


def test_an_exported_key_is_imported(node: SimpleNamespace) -> None:
    fingerprint = node.authkey_generate()
    sealed = node.authkey_export(node.minion_public_key())
    Path(corosync_authkey.PATH).unlink()
    assert node.authkey_import(sealed) == fingerprint
    assert node.authkey_import(sealed) == fingerprint


def test_an_import_never_replaces_another_key(node: SimpleNamespace) -> None:
    node.authkey_generate()
    with pytest.raises(Refused, match="another key"):
        node.authkey_import(sealing.seal(SECRET, node.minion_public_key()))


def test_the_pillars_key_is_written_and_its_base64_may_have_line_breaks(node: SimpleNamespace) -> None:
    assert node.authkey_from_pillar("hadb:corosync:authkey") == hashlib.sha256(SECRET).hexdigest()
    assert Path(corosync_authkey.PATH).read_bytes() == SECRET


@pytest.mark.parametrize("key", ["hadb:corosync:broken", "hadb:corosync:nothing"])
def test_a_pillar_without_a_usable_key_is_refused(node: SimpleNamespace, key: str) -> None:
    with pytest.raises(Refused) as refusal:
        node.authkey_from_pillar(key)
    assert "%%%" not in str(refusal.value)


def test_a_corosync_that_runs_with_another_key_keeps_it(
    node: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = node.authkey_generate()
    monkeypatch.setitem(node.salt, "corosync.running", lambda: True)
    with pytest.raises(Refused):
        node.authkey_from_pillar("hadb:corosync:authkey")
    assert node.authkey_fingerprint() == before


def test_a_key_that_others_can_read_is_seen_and_secured(node: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    node.authkey_generate()
    file = Path(corosync_authkey.PATH)
    file.chmod(0o644)
    owners: list[tuple[int, int]] = []
    monkeypatch.setattr(node.corosync.os, "chown", lambda path, user, group: owners.append((user, group)))
    assert node.authkey()["mode"] == 0o644
    node.authkey_secure()
    assert (node.authkey()["mode"], owners) == (0o400, [(0, 0)])


def test_the_pillars_key_is_known_by_its_fingerprint_only(node: SimpleNamespace) -> None:
    assert node.authkey_pillar_fingerprint("hadb:corosync:authkey") == hashlib.sha256(SECRET).hexdigest()
    assert node.authkey_pillar_fingerprint("hadb:corosync:nothing") is None
