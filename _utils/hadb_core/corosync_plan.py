"""Compare two corosync.conf files, and say what it takes for a difference to take effect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hadb_core import corosync_conf
from hadb_core.corosync_conf import Entry, Section
from hadb_core.errors import Refused, Unreadable
from hadb_core.plan import Plan, Step

# corosync.conf(5) of 3.1.10; `corosync -t` accepts any other key and then ignores it.
_KNOWN = {
    "totem": """version clear_node_high_bit crypto_model crypto_hash crypto_cipher secauth link_mode netmtu transport
        cluster_name config_version ip_version token token_warning token_coefficient token_retransmit
        knet_compression_model knet_compression_threshold knet_compression_level knet_pmtud_interval knet_mtu
        hold token_retransmits_before_loss_const join send_join consensus merge downcheck fail_recv_const
        seqno_unchanged_const heartbeat_failures_allowed max_network_delay window_size max_messages miss_count_const
        rrp_mode keyfile key block_unlisted_ips cancel_token_hold_on_retransmit""",
    "totem.interface": """linknumber ringnumber knet_link_priority knet_ping_interval knet_ping_timeout
        knet_ping_precision knet_pong_count knet_transport bindnetaddr broadcast mcastaddr mcastport ttl""",
    "logging": """timestamp fileline function_name blackbox to_stderr to_logfile to_syslog logfile logfile_priority
        syslog_facility syslog_priority debug""",
    "logging.logger_subsys": """subsys timestamp fileline function_name to_stderr to_logfile to_syslog logfile
        logfile_priority syslog_facility syslog_priority debug""",
    "quorum": """provider expected_votes two_node wait_for_all last_man_standing last_man_standing_window auto_tie_breaker
        auto_tie_breaker_node allow_downscale expected_votes_tracking votes""",
    "nodelist": "",
    "nodelist.node": "name nodeid quorum_votes ring0_addr ring1_addr ring2_addr ring3_addr ring4_addr ring5_addr "
    "ring6_addr ring7_addr",
    "system": "qb_ipc_type sched_rr priority move_to_root_cgroup allow_knet_handle_fallback state_dir",
    "resources": "watchdog_device",
    "nozzle": "name ipaddr ipprefix macaddr",
    "uidgid": "uid gid",
    # corosync-qdevice(8) of 3.0.3; hadb has no use for it with two nodes, others do.
    "quorum.device": "model timeout sync_timeout votes master_wins",
    "quorum.device.net": """tls host port algorithm tie_breaker connect_timeout force_ip_version
        keep_active_partition_tie_breaker""",
    "quorum.device.heuristics": "mode timeout sync_timeout interval",
}
_KNOWN_KEYS = {section: frozenset(keys.split()) for section, keys in _KNOWN.items()}

# What a running Corosync takes from `corosync-cfgtool -R`. Everything else waits for a restart: it is either
# refused at run time (exec/cfg.c, remove_ro_entries) or not worth finding out on a cluster that holds data.
_RELOAD = re.compile(
    r"totem\.(token|token_warning|token_coefficient|token_retransmit|token_retransmits_before_loss_const|hold|join|"
    r"send_join|consensus|merge|downcheck|fail_recv_const|seqno_unchanged_const|window_size|max_messages|"
    r"miss_count_const|crypto_cipher|crypto_hash|knet_pmtud_interval)"
    r"|totem\.interface\[\d+\]\.knet_(link_priority|ping_interval|ping_timeout|ping_precision|pong_count)"
    r"|logging\..+"
)

NONE, RELOAD, RESTART = "none", "reload", "restart"


@dataclass(frozen=True)
class Change:
    """One setting that differs; ``None`` means that it is not there."""

    path: str
    old: str | None
    new: str | None
    impact: str


def impact(changes: Iterable[Change]) -> str:
    """Return what all changes together need: ``none``, ``reload`` or ``restart``."""
    needs = {change.impact for change in changes}
    return RESTART if RESTART in needs else RELOAD if needs else NONE


def differences(old: Section, new: Section) -> list[Change]:
    """Return the settings that differ, sorted by path."""
    return compare(corosync_conf.flatten(old), corosync_conf.flatten(new))


def compare(before: dict[str, str], after: dict[str, str]) -> list[Change]:
    """Return the settings that differ between two flattened configurations, sorted by path."""
    return [
        Change(path, before.get(path), after.get(path), RELOAD if _RELOAD.fullmatch(path) else RESTART)
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]


def unknown_keys(tree: Section) -> list[str]:
    """Return the keys and sections that Corosync does not know and would silently ignore."""
    return list(_unknown(tree, ""))


def faults(tree: Section) -> list[str]:
    """Return what is wrong with a file that ``corosync -t`` lets through, as sentences; nothing means fine."""
    unknown = [f"{path}: Corosync does not know this and ignores it; check the spelling" for path in unknown_keys(tree)]
    return [*unknown, *_twice(tree, "")]


def _twice(section: Section, path: str) -> Iterable[str]:
    """Yield what one section says twice: then only the last counts, and a reader sees the first."""
    entries = [item.key for item in section.items if isinstance(item, Entry)]
    for key in dict.fromkeys(key for key in entries if entries.count(key) > 1):
        yield f"{path}{key}: is given {entries.count(key)} times; only the last counts"
    labels = [corosync_conf.label(item) for item in section.items if isinstance(item, Section)]
    for name in dict.fromkeys(name for name in labels if "[" in name and labels.count(name) > 1):
        yield f"{path}{name}: there are {labels.count(name)} of them; give each a name or number of its own"
    for item in section.items:
        if isinstance(item, Section):
            yield from _twice(item, f"{path}{corosync_conf.label(item)}.")


def report(old: Section, new: Section) -> dict[str, Any]:
    """Return how two files differ, as plain data; the keys are those of ``corosync.diff``."""
    found = differences(old, new)
    return {
        "impact": impact(found),
        "changes": {item.path: {"old": item.old, "new": item.new, "impact": item.impact} for item in found},
        "layout": not found and old != new,
    }


def _unknown(section: Section, path: str) -> Iterable[str]:
    for item in section.items:
        name = f"{path}.{item.name}" if isinstance(item, Section) and path else getattr(item, "name", "")
        if isinstance(item, Entry) and path == "quorum.device.heuristics" and item.key.startswith("exec_"):
            continue  # the administrator names these programs
        if isinstance(item, Entry) and item.key not in _KNOWN_KEYS.get(path, ()):
            yield f"{path}.{item.key}" if path else item.key
        elif isinstance(item, Section) and name not in _KNOWN_KEYS:
            yield name
        elif isinstance(item, Section):
            yield from _unknown(item, name)


def plan(current: str | None, wanted: Section, path: str, *, running: bool) -> Plan:
    """Return the plan for one node's file.

    current
        The file's text; ``None`` when there is no file.
    wanted
        The wanted file.
    path
        Where it is.
    running
        Whether Corosync runs on this node. The plan never touches it; a remark says what it needs.
    """
    text = corosync_conf.render(wanted)
    if current == text:
        return Plan()
    try:
        changes = differences(corosync_conf.parse(current or ""), wanted)
    except Unreadable as error:
        changes, old, new = [], f"not readable ({error.why})", "as hadb writes it"
    else:
        old = {c.path: c.old for c in changes} or "other comments or layout"
        new = {c.path: c.new for c in changes} or "as hadb writes it"
    step = Step(
        "write_configuration", path, None if current is None else old, new, {"text": text, "path": path}
    )
    remarks = (remark(changes),) if running and changes else ()
    return Plan((step,), remarks)


def remark(changes: Iterable[Change]) -> str:
    """Return what an operator has to know about changes that the running Corosync does not have yet."""
    changes = list(changes)
    names = ", ".join(change.path for change in changes)
    if impact(changes) == RESTART:
        return (
            f"Corosync runs and is left alone; {names} will count when Corosync was stopped on both nodes and started "
            "again, which takes the database down: do it in a maintenance window"
        )
    return f"Corosync runs and is left alone; {names} will count after a reload (hadb.orch, once both nodes agree)"


def plan_reload(nodes: Mapping[str, Mapping[str, Any]]) -> Plan:
    """Return the reload that is needed, if one is.

    nodes
        Node -> what ``corosync.pending`` answered there.

    Raises :class:`~hadb_core.errors.Refused` when the nodes have different files, or when a
    reload is not enough.
    """
    waiting = {node: found for node, found in sorted(nodes.items()) if found["changes"]}
    if not waiting:
        return Plan()
    if len({found["file"] for found in nodes.values()}) > 1:
        raise Refused(
            "Corosync waits for a reload, but the nodes have different corosync.conf files",
            "apply the node states on both nodes first; a reload reaches both",
        )
    names = sorted({path for found in waiting.values() for path in found["changes"]})
    if any(found["impact"] == RESTART for found in waiting.values()):
        raise Refused(
            f"Corosync takes {', '.join(names)} only when it is stopped on both nodes and started again",
            "in a maintenance window stop pacemaker and corosync on both nodes and start them, or take the change back",
        )
    first = next(iter(waiting))
    old = {path: change["old"] for path, change in waiting[first]["changes"].items()}
    new = {path: change["new"] for path, change in waiting[first]["changes"].items()}
    return Plan((Step("reload", "corosync, on all nodes", old, new, {"node": first}),))
