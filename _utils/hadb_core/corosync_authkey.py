"""The Corosync key: what makes a good one, and how two nodes come to have the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hadb_core.errors import Refused
from hadb_core.plan import Plan, Step

PATH = "/etc/corosync/authkey"

# corosync-keygen(8) makes 256 bytes; Corosync refuses keys outside 128..4096 (totemconfig.c,
# TOTEM_PRIVATE_KEY_LEN_*).
NEW_BYTES, LEAST_BYTES, MOST_BYTES = 256, 128, 4096

MODE = 0o400


def short(fingerprint: str | None) -> str | None:
    """Return a fingerprint that a person can compare; never the key itself."""
    return f"sha256 {fingerprint[:12]}" if fingerprint else None


def check_size(key: bytes) -> None:
    """Raise :class:`~hadb_core.errors.Refused` for a key that Corosync would not take."""
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise Refused(
            f"the Corosync key has {len(key)} bytes",
            f"a key has {LEAST_BYTES} to {MOST_BYTES} bytes; make one with corosync-keygen",
        )


def plan_agreement(fingerprints: Mapping[str, str | None], bootstrap: str) -> Plan:
    """Return what has to be done so that all nodes have one key.

    fingerprints
        Node -> fingerprint of its key, ``None`` when it has none.
    bootstrap
        The node on which a key is made when nobody has one.

    Raises :class:`~hadb_core.errors.Refused` when two nodes have different keys: which one
    is right cannot be known from here.
    """
    keys = {fingerprint for fingerprint in fingerprints.values() if fingerprint}
    if len(keys) > 1:
        have = ", ".join(
            f"{node} {short(fingerprint)}"
            for node, fingerprint in sorted(fingerprints.items())
            if fingerprint
        )
        raise Refused(
            f"the nodes have different Corosync keys ({have})",
            f"on the node that is not rightly in the cluster stop pacemaker and corosync, move {PATH} away, run "
            "hadb.orch again",
        )
    steps = []
    if keys:
        source = min(node for node, fingerprint in fingerprints.items() if fingerprint)
        shown: Any = short(next(iter(keys)))
    else:
        source, shown = bootstrap, f"{NEW_BYTES} random bytes, the same on every node"
        steps.append(Step("generate", f"corosync key on {source}", None, shown, {"node": source}))
    steps += [
        Step("copy", f"corosync key on {node}", None, shown, {"source": source, "target": node})
        for node in sorted(fingerprints)
        if not fingerprints[node] and node != source
    ]
    return Plan(tuple(steps))


def plan_node(
    have: Mapping[str, Any] | None, want: str | None, pillar_key: str, *, running: bool = False
) -> Plan:
    """Return what one node has to do about its own key.

    have
        ``{"fingerprint": ..., "mode": 0o400, "root": True}``, or ``None`` when there is no key.
    want
        The fingerprint of the pillar's key; ``None`` when the pillar has none.
    pillar_key
        Where the pillar has it.
    running
        Whether Corosync runs here with the key that is there.

    Raises :class:`~hadb_core.errors.Refused` when a running Corosync would lose its key.
    """
    shown = short(have["fingerprint"]) if have else None
    if want and (not have or have["fingerprint"] != want):
        if have and running:
            raise Refused(
                f"Corosync runs with another key ({shown}) than the pillar has ({short(want)})",
                "stop pacemaker and corosync on both nodes, apply again, start them; or take the pillar's key back",
            )
        return Plan((Step("authkey_from_pillar", PATH, shown, short(want), {"pillar_key": pillar_key}),))
    if not have:
        return Plan(remarks=("There is no key yet; hadb.orch makes one and gives it to both nodes",))
    if have["mode"] != MODE or not have["root"]:
        old = f"mode {have['mode']:04o}" + ("" if have["root"] else ", not owned by root")
        return Plan((Step("authkey_secure", PATH, old, f"mode {MODE:04o}, owned by root"),))
    return Plan()
