"""Salt's events -> lines for a person who watches a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# Functions that are hadb's phases; `saltutil.find_job` and other housekeeping are not shown.
_SYNC = ("saltutil.sync_utils", "saltutil.sync_modules", "saltutil.sync_states")
_SHOWN = ("state.sls", "state.apply", "hadb.facts", *_SYNC)
# Of these only the asking and a failure are worth a line.
_QUESTIONS = ("hadb.facts", *_SYNC)


class View:
    """What is known of the jobs under way; feed it every event in order."""

    def __init__(self) -> None:
        self._phase: dict[str, str] = {}
        self._last = ""

    def lines(self, tag: str, data: Mapping[str, Any]) -> Iterator[str]:
        """Yield what to print for one event, mostly nothing.

        tag
            ``salt/job/<jid>/new``, ``.../ret/<minion>`` or ``.../prog/<minion>/<n>``; others are ignored.
        data
            The event's data.
        """
        parts = tag.split("/")
        if parts[:2] != ["salt", "job"] or len(parts) < 4:
            return
        jid, kind = parts[2], parts[3]
        if kind == "new" and data.get("fun") in _SHOWN:
            self._phase[jid] = _phase(data)
            line = f"{self._phase[jid]}: {', '.join(sorted(data.get('minions', ())))} ..."
            # A proof that is awaited asks the same again and again.
            if line != self._last:
                self._last = line
                yield line
        elif kind == "prog" and len(parts) > 4:
            yield from self._state(parts[4], data)
        elif kind == "ret" and jid in self._phase and _worth_telling(data):
            yield f"{self._phase[jid]}: {parts[4]} {_result(data)}"

    def _state(self, minion: str, data: Mapping[str, Any]) -> Iterator[str]:
        """Show a single state when it changed something, failed, or took long enough to be wondered about."""
        result = data.get("data", data).get("ret", {})
        if not isinstance(result, Mapping) or "result" not in result:
            return
        seconds = float(result.get("duration") or 0) / 1000
        word = {True: "changed" if result.get("changes") else "ok", None: "would change"}.get(
            result["result"], "FAILED"
        )
        if word != "ok" or seconds >= 2:
            yield f"  {minion}: {result.get('__id__') or result.get('name')} {word} ({seconds:.1f} s)"


def _worth_telling(data: Mapping[str, Any]) -> bool:
    return data.get("fun") not in _QUESTIONS or not _succeeded(data)


def _phase(data: Mapping[str, Any]) -> str:
    arguments = [str(one) for one in data.get("arg", ()) if isinstance(one, str)]
    if data["fun"] == "hadb.facts":
        topics = next((one for one in data.get("arg", ()) if isinstance(one, list)), [])
        return f"look at {', '.join(map(str, topics))}"
    if data["fun"] in _SYNC:
        return "sync modules"
    return f"apply {arguments[0] if arguments else 'highstate'}"


def _result(data: Mapping[str, Any]) -> str:
    returned = data.get("return")
    if not isinstance(returned, Mapping) or not all(
        isinstance(one, Mapping) and "result" in one for one in returned.values()
    ):
        return "done" if _succeeded(data) else "FAILED"
    states = list(returned.values())
    failed = sum(one["result"] is False for one in states)
    changed = sum(bool(one.get("changes")) for one in states)
    return f"{'FAILED' if failed else 'done'}: {len(states)} states, {changed} changed" + (
        f", {failed} failed" if failed else ""
    )


def _succeeded(data: Mapping[str, Any]) -> bool:
    return bool(data.get("success", data.get("retcode", 0) == 0))


def summary(states: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return an orchestration's result in a few lines: what changed, and what failed and why.

    states
        The state results by their tags (``salt_|-hadb ..._|-..._|-state``).
    """
    steps = sorted(states.values(), key=lambda one: one.get("__run_num__", 0))
    failed = [one for one in steps if one["result"] is False]
    shown: dict[str, Any] = {
        "phases": len(steps),
        "changed": [str(one.get("__id__", one.get("name"))) for one in steps if one.get("changes")],
        "result": "FAILED"
        if failed
        else "predicted"
        if any(one["result"] is None for one in steps)
        else "ok",
    }
    # What follows a failed step only says so; the first failure is the reason.
    for one in failed[:1]:
        shown["failed"] = {
            str(one.get("__id__", one.get("name"))): [one["comment"], *_failed_states(one.get("changes", {}))]
        }
    return shown


def _failed_states(changes: Mapping[str, Any]) -> Iterator[str]:
    """Yield the failed states inside a ``salt.state`` step, one per minion."""
    returned = changes.get("ret", {})
    for minion, states in returned.items() if isinstance(returned, Mapping) else ():
        if not isinstance(states, Mapping):
            yield f"{minion}: {states}"
            continue
        for one in states.values():
            if isinstance(one, Mapping) and one.get("result") is False:
                yield f"{minion}: {one.get('__id__', one.get('name'))}: {one.get('comment')}"
