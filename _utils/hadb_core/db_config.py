"""The server's option file: hadb owns it whole, so that nothing in /etc/mysql can weaken it.

Names of settings are compared as the server does: ``-`` and ``_`` are equal, and ``loose-``,
``skip-``, ``disable-``, ``enable-`` and ``maximum-`` are prefixes with a meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hadb_core.plan import Plan, Step

HEADER = "# Managed by hadb. Settings come from the pillar, hadb:database:settings.\n"

# What a commit that was acknowledged depends on: value wanted, and why another one is refused.
DURABLE: Mapping[str, tuple[str, str]] = {
    "innodb_flush_log_at_trx_commit": ("1", "otherwise a fenced node loses acknowledged commits"),
    "sync_binlog": ("1", "otherwise a fenced node loses the end of the binary log"),
    "innodb_doublewrite": ("ON", "ext4 does not write 16 KiB pages atomically, a torn page is lost data"),
    "innodb_flush_method": ("O_DIRECT", "buffered writes can be dropped after an I/O error of one path"),
}
# Allowed if absent; these values only.
ONLY: Mapping[str, tuple[frozenset[str], str]] = {
    "innodb_checksum_algorithm": (
        frozenset({"crc32", "strict_crc32", "full_crc32", "strict_full_crc32"}),
        "without checksums a damaged page is not seen",
    ),
    "innodb_checksums": (frozenset({"1", "ON"}), "without checksums a damaged page is not seen"),
    "innodb_log_checksums": (frozenset({"1", "ON"}), "without checksums a damaged redo log is not seen"),
    "innodb_force_recovery": (frozenset({"0"}), "it is a tool for one rescue by hand, not a setting"),
    "innodb_read_only": (frozenset({"0", "OFF"}), "Nova could not write"),
    "innodb_fast_shutdown": (frozenset({"0", "1"}), "a stop would leave recovery to the next start"),
    "default_storage_engine": (frozenset({"INNODB"}), "other engines lose rows when the node is fenced"),
    "innodb": (frozenset({"1", "ON", "FORCE", ""}), "other engines lose rows when the node is fenced"),
    "skip_grant_tables": (frozenset({"0", "OFF"}), "everybody could log in without a password"),
    "skip_networking": (frozenset({"0", "OFF"}), "Nova connects by TCP"),
}
# Written from keys of their own: pillar key under hadb:database.
OWNED: Mapping[str, str] = {
    "datadir": "datadir",
    "socket": "socket",
    "pid_file": "pid_file",
    "port": "port",
    "bind_address": "bind_address",
    "log_error": "error_log",
    "user": "user:name",
}
FILES_PER_CONNECTION = 5  # MariaDB wants max_connections * 5 files (mysqld.cc), MySQL less
LEAST_FILES = 32768
# What hadb itself counts with.
_NUMBERS = frozenset({"max_connections", "open_files_limit"})

_NAME = re.compile(r"[a-z][a-z0-9_.-]*", re.IGNORECASE)
_SIZE = re.compile(r"(\d+)([kmgt])")
_SHIFTS = {"k": 10, "m": 20, "g": 30, "t": 40}
_SWITCHES = {"skip_": "OFF", "disable_": "OFF", "enable_": "ON"}
# Options whose own name starts with a switch's word.
_WHOLE = frozenset(
    {
        "skip_networking",
        "skip_grant_tables",
        "skip_name_resolve",
        "skip_external_locking",
        "skip_show_database",
        "skip_log_bin",
    }
)


@dataclass(frozen=True)
class Server:
    """Where the server keeps things and how it listens; the pillar's ``hadb:database`` without secrets."""

    flavour: str
    datadir: str
    socket: str
    pid_file: str
    error_log: str
    user: str
    port: int = 3306
    bind_address: str = "0.0.0.0"
    settings: Mapping[str, Any] = field(default_factory=dict)


def faults(settings: Mapping[str, Any]) -> list[str]:
    """Return why ``hadb:database:settings`` cannot be used, one sentence each; empty if it can."""
    return [fault for key, value in settings.items() for fault in _faults_of(str(key), value)]


def render(server: Server) -> str:
    """Return the whole option file. The caller has checked the settings with :func:`faults`."""
    lines = [HEADER.rstrip(), "[client]", f"socket = {server.socket}", "", "[mysqld]"]
    lines += [f"{name} = {value}" if value != "" else name for name, value in effective(server).items()]
    return "\n".join(lines) + "\n"


def effective(server: Server) -> dict[str, str]:
    """Return the settings of ``[mysqld]`` by name (``_`` spelling), in the order of the file."""
    chosen: dict[str, str] = {
        "user": server.user,
        "datadir": server.datadir,
        "socket": server.socket,
        "pid_file": server.pid_file,
        "log_error": server.error_log,
        "bind_address": server.bind_address,
        "port": str(server.port),
        "skip_name_resolve": "ON",
        "default_storage_engine": "InnoDB",
    }
    chosen.update(_of_flavour(server.flavour))
    for key, value in server.settings.items():
        name, said = canonical(str(key), value)
        chosen[_translated(server.flavour, name)] = said
    connections = int(chosen.get("max_connections", "0") or 0)
    chosen.setdefault("open_files_limit", str(max(LEAST_FILES, FILES_PER_CONNECTION * connections)))
    chosen.update({name: value for name, (value, _) in DURABLE.items()})
    return chosen


def parse(text: str) -> dict[str, str]:
    """Return ``{"mysqld:datadir": "/dbmnt/mysql"}`` of an option file, for showing what changes."""
    found: dict[str, str] = {}
    group = ""
    for line in (raw.strip() for raw in text.splitlines()):
        if line.startswith("["):
            group = line.strip("[]")
        elif line and line[0] not in "#;":
            name, _, value = line.partition("=")
            found[f"{group}:{name.strip().replace('-', '_')}"] = value.strip()
    return found


def plan(path: str, there: str | None, wanted: str) -> Plan:
    """Return the step that writes ``wanted``, shown setting by setting; there are no secrets in the file."""
    if there == wanted:
        return Plan()
    old, new = parse(there or ""), parse(wanted)
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return Plan(
        (
            Step(
                "write",
                f"file {path}",
                {name: old[name] for name in changed if name in old} or None,
                {name: new[name] for name in changed if name in new} or "comments or order",
                {"path": path, "text": wanted},
            ),
        ),
        (f"A running server takes {path} at its next start.",),
    )


def pending(text: str, in_force: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the settings of ``[mysqld]`` that a running server has otherwise.

    in_force
        The server's global variables. What is not one (``user``) is not compared.
    """
    wanted = {
        name.removeprefix("mysqld:"): value
        for name, value in parse(text).items()
        if name.startswith("mysqld:")
    }
    return {
        name: {"file": value, "in_force": in_force[name]}
        for name, value in wanted.items()
        if name in in_force and not _met(name, _plain(value), _plain(in_force[name]))
    }


def canonical(key: str, value: Any) -> tuple[str, str]:
    """Return a setting's name and value as the server understands them.

    ``("skip-innodb-doublewrite", None)`` is ``("innodb_doublewrite", "OFF")``.
    """
    name = key.strip().lower().replace("-", "_")
    name = name.removeprefix("loose_").removeprefix("maximum_")
    said = _said(value)
    if name not in _WHOLE:
        for prefix, switch in _SWITCHES.items():
            if name.startswith(prefix):
                return name.removeprefix(prefix), switch
    elif said == "":
        said = "ON"
    return name, said


def _faults_of(key: str, value: Any) -> list[str]:
    where = f"hadb:database:settings:{key}"
    if not _NAME.fullmatch(key):
        return [f"{where} is not the name of a setting"]
    if not isinstance(value, (str, int, float, bool, type(None))) or any(c in str(value) for c in "\n\r\0"):
        return [f"{where} must be one value on one line"]
    name, said = canonical(key, value)
    if name in OWNED:
        return [f"{where}: set hadb:database:{OWNED[name]} instead, other parts of hadb need to know it too"]
    if name in _NUMBERS and said and not said.isdecimal():
        return [f"{where} = {value!r} must be a whole number, written out"]
    said = said.upper()
    if name in DURABLE and said not in spellings(DURABLE[name][0]):
        return [f"{where} must be {DURABLE[name][0]}: {DURABLE[name][1]}; leave it out"]
    if name in ONLY and said not in {choice.upper() for choice in ONLY[name][0]}:
        return [f"{where} = {value!r} is refused: {ONLY[name][1]}; leave it out"]
    # The server takes an unambiguous beginning for the whole name.
    guarded = [*DURABLE, *ONLY, *OWNED]
    if name not in guarded and any(full.startswith(name) for full in guarded):
        return [f"{where} is the beginning of a setting that hadb guards; write names in full"]
    return []


def spellings(value: str) -> frozenset[str]:
    """Return how a server or an operator may write ``value``, in capitals."""
    return frozenset({"ON", "1", "TRUE", ""}) if value == "ON" else frozenset({value.upper()})


def _met(name: str, wanted: str, found: str) -> bool:
    if name == "open_files_limit":  # a server that needs more takes more
        return int(found) >= int(wanted)
    return wanted == found


def _plain(value: str) -> str:
    """Return a value in one spelling: bytes for ``128M``, ``on``/``off``, no slash at the end, lower case."""
    low = value.strip().lower().rstrip("/")
    if size := _SIZE.fullmatch(low):
        return str(int(size[1]) << _SHIFTS[size[2]])
    return {"1": "on", "true": "on", "0": "off", "false": "off"}.get(low, low)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "ON" if value else "OFF"
    return "" if value is None else str(value).strip()


def _of_flavour(flavour: str) -> dict[str, str]:
    if flavour == "mysql":
        # The X protocol would listen on a port of its own. auth_socket is how root logs in.
        return {"mysqlx": "OFF", "plugin_load_add": "auth_socket.so"}
    return {}


def _translated(flavour: str, name: str) -> str:
    # One name in the pillar for the redo log's size; MySQL 8.0.30 renamed it.
    return "innodb_redo_log_capacity" if (flavour, name) == ("mysql", "innodb_log_file_size") else name
