"""Events from the lab's log, the scenario's own deeds, the client's log and the samples. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from scenario import deeds, events
from scenario.client_log import records
from scenario.deeds import LAB, Deed
from scenario.holds import holds
from scenario.invariants import BLIND_SECONDS
from scenario.sample import Sample
from scenario.timeline import Event

CLIENT = "client"
# Seconds from one answer to the next, without an error, that are worth a line.
_SLOW_SECONDS = 1.0
_MOST_ROWS = 10


def of_lab(log: Iterable[Mapping[str, Any]]) -> Iterator[Event]:
    """Return who switched, cut, healed or froze what; a heal of what was whole is left out."""
    cut: set[tuple[str, str | None]] = set()
    for event in log:
        link = (event.get("link"), event.get("node"))
        if event["event"] == "cut":
            cut.add(link)
        elif event["event"] == "heal":
            healed = {one for one in cut if one[0] == link[0] and link[1] in (None, one[1])}
            cut -= healed
            if not healed:
                continue
        where, what = _by_whom(event)
        yield Event(event["monotonic"], where, what)


def _by_whom(event: Mapping[str, Any]) -> tuple[str, str]:
    kind, node = event["event"], event.get("node")
    if kind == "power":
        what = f"power {event['action']} (was {event['before']})"
        # A kernel that ends by itself is no one's deed.
        by = {"bmc": (f"bmc {node}", what), "operator": (LAB, f"{node}: {what}")}
        return by.get(event["source"], (str(node), f"{what}, by {event['source']}"))
    if kind == "power-order":
        return f"bmc {node}", f"is told: power {event['action']}, and takes {event['seconds']:g} s for it"
    if kind == "power-failed":
        return f"bmc {node}", f"power {event['action']} FAILED: {event['error']}"
    if kind == "power-lie":
        return f"bmc {node}", f"is told: power {event['action']}, says so, and leaves it as it is"
    if kind in ("cut", "heal"):
        part = "" if node is None else f" of {node}"
        return LAB, f"{kind} {event['link']}{part}{_lost(event)}"
    if kind == "bmc":
        if "lies" in event:
            return f"bmc {node}", "lies from now on" if event["lies"] else "tells the truth again"
        return f"bmc {node}", f"takes {event['power_off_seconds']:g} s to cut the power from now on"
    rest = {key: value for key, value in event.items() if key not in ("time", "monotonic", "event")}
    return LAB, " ".join([kind, *(str(value) for value in rest.values())])


def _lost(event: Mapping[str, Any]) -> str:
    """Return which packets of a cut link are lost; nothing when all are."""
    words = {"loss": "{} % of its packets", "longer": "packets of more than {} bytes", "announces": "what announces {}"}
    said = [text.format(event[key]) for key, text in words.items() if event.get(key) is not None]
    return "".join(f", {text}" for text in [*said, *(["one way"] if event.get("one_way") else [])])


def of_deeds(done: Iterable[Deed]) -> Iterator[Event]:
    """Return what the scenario itself did."""
    for deed in deeds.harmful(done):
        yield Event(deed.at, LAB, deed.words if deed.where == LAB else f"on {deed.where}: {deed.words}")


def of_client(lines: Iterable[str], end: float) -> Iterator[Event]:
    """Return when the client was first and last served, each gap, and the first failure of each kind in it; not each row.

    end
        When the client was stopped.
    """
    count, last, failed = 0, None, list[dict[str, Any]]()
    for record in records(lines):
        if "acked" in record:
            yield from _served(record["acked"], last, failed)
            count, last, failed = count + 1, record["acked"], []
        else:
            if record["error"] not in [one["error"] for one in failed]:
                yield _failure(record)
            failed.append(record)
    yield Event(end, CLIENT, f"stops: {count} rows acknowledged; {'NOT SERVED any more: ' + _tries(failed) if failed else 'served'}")


def _failure(record: Mapping[str, Any]) -> Event:
    if "id" not in record:
        return Event(record["connect"], CLIENT, f"cannot connect: {record['error']}")
    at = record["failed"]
    return Event(at, CLIENT, f"row {record['id']}, sent {at - record['sent']:.2f} s ago, fails: {record['error']}")


def _served(at: float, last: float | None, failed: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
    if last is None:
        yield Event(at, CLIENT, "first answer")
    elif failed:
        yield Event(at, CLIENT, f"is answered again, {at - last:.2f} s after the last answer: {_tries(failed)}")
    elif at - last >= _SLOW_SECONDS:
        yield Event(at, CLIENT, f"is answered {at - last:.2f} s after the answer before, without an error")


def _tries(failed: Sequence[Mapping[str, Any]]) -> str:
    rows = [str(one["id"]) for one in failed if "id" in one]
    shown = ", ".join(rows[:_MOST_ROWS]) + (" ..." if len(rows) > _MOST_ROWS else "")
    return f"{len(failed) - len(rows)} connections and {len(rows)} rows failed" + (f" ({shown})" if rows else "")


def of_samples(
    seen: Sequence[Sample], powers: Sequence[events.Power], nodes: Sequence[str], facts: Sequence[str], end: float
) -> list[Event]:
    """Return when each node was seen to take and to give up what only one may hold, and when it was not seen.

    facts
        As samples name them.
    end
        When looking stopped.
    """
    changes: dict[tuple[float, str, str], list[str]] = {}
    found = []
    for node in nodes:
        mine = [sample for sample in seen if sample.node == node]
        for one, other in pairwise(mine):
            if other.at - one.at > BLIND_SECONDS:
                found.append(Event(one.at, node, f"is not seen from outside for {other.at - one.at:.1f} s"))
        for fact in facts:
            for hold in holds(seen, powers, node, fact, end):
                verb = "holds at the start:" if hold.since == mine[0].at else "holds"
                changes.setdefault((hold.since, node, verb), []).append(fact)
                if hold.latest < end:
                    # A cut ends at a moment, a release somewhere between two looks.
                    verb = "held, when its power was cut:" if hold.until == hold.latest else "holds no more"
                    changes.setdefault((hold.latest, node, verb), []).append(fact)
    return found + [Event(at, node, f"{verb} {', '.join(held)}") for (at, node, verb), held in changes.items()]
