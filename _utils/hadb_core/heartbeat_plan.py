"""From what the interfaces are to what they should be, without touching any that is not ours."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hadb_core import heartbeat_ifupdown as ifupdown
from hadb_core.errors import Refused
from hadb_core.heartbeat_wanted import Interface
from hadb_core.plan import Plan, Step

Facts = Mapping[str, Any]

# Bond options that the kernel does not change while the bond is up (drivers/net/bonding/bond_options.c,
# BOND_OPTFLAG_IFDOWN).
_FIXED = ("mode", "lacp_rate")

# `ip -json` has another name and words for one option.
_LACP_RATE = {"slow": "0", "fast": "1"}

_LEFT_ALONE = "configure it by hand and set hadb:heartbeat:manage to false, or give hadb another interface"


def read_links(links: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return interfaces by name from the objects of ``ip -json -details address show``.

    ``{"vec1": {"up": True, "master": None, "addresses": ["172.16.1.1/24"], "kind": None, "options": {}}}``;
    link-local addresses are left out, the kernel makes them by itself.
    """
    return {str(link["ifname"]): _link(link) for link in links}


def _link(link: Mapping[str, Any]) -> dict[str, Any]:
    info = link.get("linkinfo", {})
    data = info.get("info_data", {}) if info.get("info_kind") == "bond" else {}
    return {
        "up": "UP" in link.get("flags", ()),
        "master": link.get("master"),
        "addresses": [
            f"{a['local']}/{a['prefixlen']}"
            for a in link.get("addr_info", ())
            if a.get("scope") != "link" and "local" in a
        ],
        "kind": info.get("info_kind"),
        "options": _options(data),
    }


def _options(data: Mapping[str, Any]) -> dict[str, str]:
    """Return a bond's options by their kernel names."""
    options = {key: _option(value) for key, value in data.items()}
    if "ad_lacp_rate" in options:
        options["lacp_rate"] = _LACP_RATE[options["ad_lacp_rate"]]
    return options


def _option(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def plan(facts: Facts, wanted: Sequence[Interface]) -> Plan:
    """Return the steps for one node.

    facts
        ``heartbeat.facts``: ``file`` (our drop-in's text or None), ``links`` (:func:`read_links`),
        ``default_routes`` (interfaces with a default route), ``declared`` (interface -> the other
        file that describes it), ``corosync_running``.
    wanted
        The interfaces, see :func:`hadb_core.heartbeat_wanted.wanted`.

    Raises :class:`~hadb_core.errors.Refused` rather than touch an interface that is used for
    something else, or take away an address that a running Corosync may use.
    """
    ours = {interface.name: interface for interface in ifupdown.parse(facts["file"] or "")}
    for interface in wanted:
        _refuse_foreign(facts, interface, ours)
    new = {interface.name: interface for interface in wanted}
    leaving = [old for name, old in ours.items() if old != new.get(name) and _live(facts, old)]
    if leaving and facts["corosync_running"]:
        raise Refused(
            f"Corosync runs and would lose {', '.join(f'{old.name} ({old.address})' for old in leaving)}",
            "stop pacemaker and corosync on this node first (`crm cluster stop`), apply again, start them",
        )
    steps = [
        Step("down", f"interface {old.name}", _shown(old), None, {"interface": old.name}) for old in leaving
    ]
    text = ifupdown.render(wanted)
    if facts["file"] != text:
        steps.append(
            Step(
                "write_file", ifupdown.PATH, _names(ours), _names(new), {"path": ifupdown.PATH, "text": text}
            )
        )
    for interface in wanted:
        steps += _bring_up(facts, interface, again=interface.name in {old.name for old in leaving})
    return Plan(tuple(steps))


def _bring_up(facts: Facts, interface: Interface, *, again: bool) -> list[Step]:
    name, link = interface.name, facts["links"].get(interface.name)
    path = f"interface {name}"
    if again or link is None or not _has(link, interface.address):
        old = None if again or link is None else ", ".join(link["addresses"]) or "no address"
        return [Step("up", path, old, _shown(interface), {"interface": name})]
    steps = []
    if not link["up"]:
        steps.append(Step("link_up", path, "down", "up", {"interface": name}))
    steps += [
        Step(
            "enslave",
            f"{path} port {port}",
            facts["links"][port]["master"],
            name,
            {"bond": name, "interface": port},
        )
        for port in interface.ports
        if facts["links"][port]["master"] != name
    ]
    drifted = {key: value for key, value in interface.options if link["options"].get(key, "") != value}
    fixed = [
        f"{key} {link['options'].get(key)!r} instead of {drifted[key]!r}" for key in _FIXED if key in drifted
    ]
    if fixed:
        raise Refused(
            f"{name} is a bond with {' and '.join(fixed)}, which cannot be changed while it is up",
            f"with pacemaker and corosync stopped on this node: `ifdown --force {name}`, then apply again",
        )
    if drifted:
        old_options = {key: link["options"].get(key) for key in drifted}
        steps.append(
            Step("bond_options", f"{path} options", old_options, drifted, {"bond": name, "options": drifted})
        )
    return steps


def _refuse_foreign(facts: Facts, interface: Interface, ours: Mapping[str, Interface]) -> None:
    links = facts["links"]
    mine = {old.address for old in ours.values()} | {interface.address}
    for name in (interface.name, *interface.ports):
        link = links.get(name)
        is_bond = bool(interface.ports) and name == interface.name
        if link is None:
            if is_bond:
                continue
            raise Refused(
                f"interface {name} does not exist (there are {', '.join(sorted(set(links) - {'lo'}))})",
                "correct hadb:heartbeat:interfaces, or look at the network card",
            )
        if name in facts["declared"]:
            raise Refused(
                f"{name} is configured in {facts['declared'][name]}", f"remove it there, or {_LEFT_ALONE}"
            )
        if name in facts["default_routes"]:
            raise Refused(f"the default route goes over {name}, so it is no direct cable", _LEFT_ALONE)
        if is_bond and link["kind"] != "bond":
            raise Refused(
                f"{name} exists and is not a bond", "choose another name in hadb:heartbeat:bond:name"
            )
        foreign = [address for address in link["addresses"] if not any(_same(address, own) for own in mine)]
        if foreign:
            raise Refused(f"{name} has the address {', '.join(foreign)}, which is not hadb's", _LEFT_ALONE)
        if link["master"] and link["master"] not in (interface.name, *ours):
            raise Refused(f"{name} is part of {link['master']}", _LEFT_ALONE)


def _live(facts: Facts, old: Interface) -> bool:
    link = facts["links"].get(old.name)
    return link is not None and (bool(old.ports) or _has(link, old.address))


def _has(link: Mapping[str, Any], address: str) -> bool:
    return any(_same(address, present) for present in link["addresses"])


def _same(one: str, other: str) -> bool:
    return ipaddress.ip_interface(one) == ipaddress.ip_interface(other)


def _shown(interface: Interface) -> str:
    return interface.address + (f" over {' and '.join(interface.ports)}" if interface.ports else "")


def _names(interfaces: Mapping[str, Interface]) -> dict[str, str] | None:
    return {name: _shown(interface) for name, interface in interfaces.items()} or None
