"""Ways to spoil the cluster's configuration: pure changes of a CIB's ``configuration``, and how they get there."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from hadblab import ssh
from scenario.stage import Stage

Change = Callable[[Element], None]
"""Changes a configuration in place. Raises ValueError when what is to be changed is not there once."""

_SETTLED_SECONDS = 90.0


def edit(stage: Stage, *changes: Change) -> None:
    """Carry changes out as one, and wait until Pacemaker has nothing more to do. Raises ValueError or LabError."""
    lab, node = stage.lab, stage.lab.nodes[0]
    configuration = _one(ElementTree.fromstring(lab.ask(node, "cibadmin --query").stdout), "configuration")
    for change in changes:
        change(configuration)
    ssh.send(lab.run, node, ElementTree.tostring(configuration), "cibadmin", "--replace", "--scope", "configuration", "--xml-pipe")
    lab.ask(node, "crm_resource --wait", timeout=_SETTLED_SECONDS)


def edited(*changes: Change) -> Callable[[Stage], None]:
    """Return what carries these changes out, whoever plays which part."""
    return lambda stage: edit(stage, *changes)


def with_property(name: str, value: str) -> Change:
    """Return the change of a cluster property that hadb sets."""
    return _with_value(f"crm_config/cluster_property_set/nvpair[@name='{name}']", value)


def with_default(name: str, value: str) -> Change:
    """Return the change of a resource default that hadb sets."""
    return _with_value(f"rsc_defaults/meta_attributes/nvpair[@name='{name}']", value)


def with_parameter(resource: str, name: str, value: str) -> Change:
    """Return the change of a resource's parameter that hadb sets."""
    return _with_value(f"resources//primitive[@id='{resource}']/instance_attributes/nvpair[@name='{name}']", value)


def fencing_at_failure(resource: str) -> Change:
    """Return the change after which a monitor that fails has the node fenced."""
    def change(configuration: Element) -> None:
        _monitor(configuration, resource).set("on-fail", "fence")

    return change


def shallow(resource: str) -> Change:
    """Return the change after which a resource's monitor only looks whether it is there."""
    def change(configuration: Element) -> None:
        monitor = _monitor(configuration, resource)
        monitor.remove(_one(monitor, "instance_attributes"))

    return change


def preferring(node: str) -> Change:
    """Return the change after which the database likes to be on a node."""
    def change(configuration: Element) -> None:
        attributes = {"id": "loc-control", "rsc": "db", "node": node, "score": "100"}
        SubElement(_one(configuration, "constraints"), "rsc_location", attributes)

    return change


def on_its_own_target(node: str, peer: str) -> Change:
    """Return the change after which the device that fences ``node`` has to run there, and not on ``peer``."""
    def change(configuration: Element) -> None:
        _one(configuration, f"constraints/rsc_location[@rsc='fence-{node}'][@node='{node}']").set("node", peer)

    return change


def _monitor(configuration: Element, resource: str) -> Element:
    return _one(configuration, f"resources//primitive[@id='{resource}']/operations/op[@name='monitor']")


def _with_value(path: str, value: str) -> Change:
    def change(configuration: Element) -> None:
        _one(configuration, path).set("value", value)

    return change


def _one(parent: Element, path: str) -> Element:
    found = parent.findall(path)
    if len(found) != 1:
        raise ValueError(f"{parent.tag} has {len(found)} times {path}")
    return found[0]
