"""The cluster's own view, from ``crm_mon --output-as=xml``. Pure.

Written apart from the formula's reader on purpose: the scenarios judge the formula.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element


@dataclass(frozen=True)
class Member:
    """A node as the cluster sees it; ``trouble`` names what keeps it from being plainly online."""

    name: str
    online: bool
    trouble: tuple[str, ...]


@dataclass(frozen=True)
class Resource:
    """A resource: where it is active, and whether anything is wrong with it."""

    name: str
    nodes: tuple[str, ...]
    failed: bool
    managed: bool


@dataclass(frozen=True)
class Failure:
    """A failed action that the cluster remembers: ``resource`` ``task`` on ``node``, and its own words."""

    resource: str
    task: str
    node: str
    reason: str


@dataclass(frozen=True)
class Fencing:
    """A fencing action in the cluster's history; ``completed`` is the cluster's own text, empty while pending."""

    target: str
    status: str
    completed: str


@dataclass(frozen=True)
class Status:
    """Everything at one moment."""

    quorum: bool
    dc: str | None
    members: dict[str, Member]
    resources: dict[str, Resource]
    failures: tuple[Failure, ...]
    fencing: tuple[Fencing, ...]

    def home(self, resource: str) -> str | None:
        """Return the one node where a resource is active, or None."""
        found = self.resources.get(resource)
        return found.nodes[0] if found and len(found.nodes) == 1 else None


_TROUBLES = ("standby", "standby_onfail", "maintenance", "pending", "unclean", "shutdown")


def parse(text: str) -> Status:
    """Return what ``crm_mon`` printed.

    Raises ValueError when it is not a whole report of a running cluster.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"not a report of crm_mon: {error}") from error
    dc = root.find("summary/current_dc")
    if root.find("status[@code='0']") is None or dc is None:
        raise ValueError("crm_mon does not reach a cluster")
    return Status(
        quorum=dc.get("with_quorum") == "true",
        dc=dc.get("name") if dc.get("present") == "true" else None,
        members={member.name: member for member in map(_member, root.findall("nodes/node"))},
        resources={found.get("id", ""): _resource(found) for found in root.iter("resource") if found.get("id")},
        failures=tuple(_failures(root)),
        fencing=tuple(_fencings(root)),
    )


def epoch(cib: str) -> int:
    """Return how often the configuration in a CIB was changed; ``admin_epoch`` is another count.

    Raises ValueError when it is no CIB.
    """
    try:
        return int(ElementTree.fromstring(cib).attrib["epoch"])
    except (ElementTree.ParseError, KeyError) as error:
        raise ValueError(f"not a CIB: {error}") from error


def _member(element: Element) -> Member:
    trouble = tuple(word for word in _TROUBLES if element.get(word) == "true")
    return Member(element.attrib["name"], element.get("online") == "true", trouble)


def _resource(element: Element) -> Resource:
    started = element.get("active") == "true" and element.get("role") == "Started"
    nodes = tuple(node.attrib["name"] for node in element.findall("node")) if started else ()
    return Resource(element.attrib["id"], nodes, element.get("failed") == "true", element.get("managed") == "true")


def _failures(root: Element) -> Iterator[Failure]:
    for element in root.findall("failures/failure"):
        # op_key is RESOURCE_TASK_INTERVAL, and both names may contain "_". The task itself is not told of an action without a time.
        action = element.get("op_key", "").rpartition("_")[0]
        task = element.get("task") or action.rpartition("_")[2]
        resource = action.removesuffix(f"_{task}")
        yield Failure(resource, task, element.get("node", ""), element.get("exitreason") or element.get("exitstatus", ""))


def _fencings(root: Element) -> Iterator[Fencing]:
    for element in root.findall("fence_history/fence_event"):
        yield Fencing(element.get("target", ""), element.get("status", ""), element.get("completed", ""))
