"""What a run of Salt did, from its JSON. Pure."""

from __future__ import annotations

from typing import Any


def minions(document: Any) -> dict[str, dict[str, Any]]:
    """Return each minion's states from ``salt --static state.apply``.

    Raises AssertionError when a minion returned something else than states: an error, or nothing.
    """
    odd = {name: states for name, states in document.items() if not _is_states(states)}
    assert document and not odd, f"not the results of states: {odd or document}"
    return dict(document)


def orchestration(document: Any) -> dict[str, Any]:
    """Return the steps of an orchestration. Raises AssertionError when it did not get as far as its steps."""
    found = list(document.get("data", {}).values()) if isinstance(document, dict) else []
    assert len(found) == 1 and _is_states(found[0]), f"not the results of an orchestration: {document}"
    return dict(found[0])


def changed(states: dict[str, Any]) -> dict[str, Any]:
    """Return what changed (or would), by the states' names."""
    return {_name(key): state["changes"] for key, state in states.items() if state.get("changes")}


def failed(states: dict[str, Any]) -> dict[str, str]:
    """Return what failed, with its comment."""
    return {_name(key): str(state.get("comment")) for key, state in states.items() if state.get("result") is False}


def _is_states(found: Any) -> bool:
    return isinstance(found, dict) and bool(found) and all(
        isinstance(state, dict) and "result" in state for state in found.values()
    )


def _name(key: str) -> str:
    parts = key.split("_|-")
    return parts[1] if len(parts) > 1 else key
