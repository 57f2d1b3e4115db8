"""Makes the calls of the table, one after the other, and says what did not come of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hadblab.errors import LabError
from scenario import pillar
from scenario.function_call import MASTER, RUNNERS, SCRATCH, STATES, Call, Known
from scenario.lab import Lab, document
from scenario.salt_calls import Answer, Salt
from scenario.wait import until

# Seconds: a script of the table that waits for Corosync's links, and what a runner takes at most.
_SCRIPT_SECONDS = 90.0
_RUNNER_SECONDS = 300.0
_WATCH_SECONDS = 60.0
# The bracket keeps the pattern from finding the shell that looks for it.
_FIND_WATCH = "pgrep -f '[s]alt-run .*hadb.watch' || true"


class Player:
    """Makes calls on a whole cluster.

    record
        A line for each call: function, part, whether it did what it should, and seconds (of a job, shared by its calls).
    """

    def __init__(self, lab: Lab, salt: Salt, active: str, scratch: Path) -> None:
        self._lab, self._salt, self._scratch = lab, salt, scratch
        self.known = Known(lab, active)
        self.record: list[dict[str, Any]] = []
        low = salt.one(self.known.passive, "state.show_low_sls", mods="hadb.cluster.cib")
        self.known.document = next(one["document"] for one in low if "document" in one)
        for node in lab.nodes:
            lab.ask(node, f"mkdir -p -m 0755 {SCRATCH}")

    def play(self, calls: Iterable[Call]) -> list[str]:
        """Make the calls and return what is wrong, one sentence each; a wrong one does not stop the others."""
        waiting: list[tuple[Call, Mapping[str, Any]]] = []
        for call in calls:
            arguments = self._arguments(call) if call.only_reads else None
            if arguments is None or (waiting and waiting[0][0].on != call.on):
                self._together(waiting)
                waiting = []
            if not call.only_reads:
                self._alone(call)
            elif (arguments := self._arguments(call)) is None:
                self._judged(call, ["what its arguments are made from was not answered"], 0.0)
            else:
                waiting.append((call, arguments))
        self._together(waiting)
        return [f"{one['kind']} {one['function']} on {one['on']}: {found}" for one in self.record for found in one["findings"]]

    def close(self) -> None:
        """Take away what the calls needed."""
        for node in self._lab.nodes:
            self._lab.ask(node, f"rm -rf {SCRATCH}", check=False)

    def _arguments(self, call: Call) -> Mapping[str, Any] | None:
        """Return a call's arguments, or None when an answer that they need is missing (yet)."""
        try:
            return call.arguments(self.known)
        except (KeyError, TypeError, StopIteration):
            return None

    def _together(self, waiting: list[tuple[Call, Mapping[str, Any]]]) -> None:
        """Make calls that only read in as few jobs as possible."""
        if not waiting:
            return
        began = time.monotonic()
        answers = self._salt.call(self.known.node(waiting[0][0].on), [(call.function, args) for call, args in waiting])
        took = (time.monotonic() - began) / len(waiting)
        for (call, _), answer in zip(waiting, answers, strict=True):
            self._judged(call, self._findings(call, answer), took)

    def _alone(self, call: Call) -> None:
        """Make one call with everything that belongs around it; what is to be put back is, whatever happens."""
        began = time.monotonic()
        findings: list[str] = []
        try:
            if call.pillar:
                self._pillar(call, call.pillar(self.known))
            self._script(call, call.before)
            findings += self._findings(call, self._answer(call))
            if not findings:
                self._script(call, call.shows)
        except (LabError, AssertionError, KeyError, TypeError, StopIteration) as error:
            findings.append(f"{type(error).__name__}: {error}")
        finally:
            findings += self._put_back(call)
        self._judged(call, findings, time.monotonic() - began)

    def _put_back(self, call: Call) -> list[str]:
        try:
            if call.pillar:
                self._pillar(call, {})
            self._script(call, call.undo)
        except (LabError, AssertionError) as error:
            return [f"it cannot be put back: {error}"]
        return []

    def _script(self, call: Call, text: str) -> None:
        if text:
            self._lab.ask(self.known.node(call.on), self.known.script(text), timeout=_SCRIPT_SECONDS)

    def _answer(self, call: Call) -> Answer:
        arguments = dict(call.arguments(self.known))
        if call.kind == RUNNERS:
            return Answer(self._watched(call) if call.function == "hadb.watch" else self._run(call, arguments))
        if call.kind == STATES:
            arguments = {"name": call.function, **arguments, "fun": call.function}
            (answer,) = self._salt.call(self.known.node(call.on), [("state.single", arguments)])
            # One state's result under its tag; a list is the errors of one that could not be run.
            return Answer(next(iter(answer.value.values()))) if isinstance(answer.value, dict) else Answer(answer.value, True)
        (answer,) = self._salt.call(self.known.node(call.on), [(call.function, arguments)])
        return answer

    def _run(self, call: Call, arguments: Mapping[str, Any]) -> Any:
        words = [f"{name}={value}" for name, value in arguments.items()]
        done = self._lab.verb("salt-run", "--out=json", call.function, *words, check=False, timeout=_RUNNER_SECONDS)
        assert done.returncode == 0, f"exit status {done.returncode}: {done.stdout[-1000:]}{done.stderr[-1000:]}"
        return document(done)

    def _watched(self, call: Call) -> str:
        """Return what a runner without end prints while something happens."""
        log = self._scratch / "watch.txt"
        log.unlink(missing_ok=True)
        process = self._lab.background("salt-run", call.function, log=log)
        node = self.known.passive

        def seen() -> bool:
            # Alone and by its plain name: that is how the orchestration asks, and what is shown.
            self._lab.verb("salt", "--out=quiet", node, "hadb.facts", "[system]")
            return "look at" in log.read_text(encoding="utf-8")

        try:
            until(seen, _WATCH_SECONDS, lambda: f"it shows nothing: {log.read_text(encoding='utf-8')}")
        finally:
            for pid in self._lab.ask("salt", _FIND_WATCH).stdout.split():
                self._lab.ask("salt", f"kill {pid}", check=False)
            process.wait(_WATCH_SECONDS)
        return log.read_text(encoding="utf-8")

    def _findings(self, call: Call, answer: Answer) -> list[str]:
        if answer.failed:
            if call.raises and call.raises in answer.reason:
                return []
            return [f"it raised: {answer.reason}"]
        if call.raises:
            return [f"it did not raise but returned {_short(answer.value)}"]
        if call.kind != STATES:
            self.known.answers[call.function] = answer.value
        try:
            right = call.expect(answer.value, self.known)
        except (KeyError, TypeError, AttributeError, IndexError, StopIteration) as error:
            return [f"its answer has another shape ({type(error).__name__}: {error}): {_short(answer.value)}"]
        return [] if right else [f"its answer is wrong: {_short(answer.value)}"]

    def _judged(self, call: Call, findings: list[str], seconds: float) -> None:
        self.record.append({"function": call.function, "kind": call.kind, "on": call.on, "seconds": round(seconds, 2),
                            "findings": findings})  # fmt: skip

    def _pillar(self, call: Call, more: Mapping[str, Any]) -> None:
        """Let the node's pillar say more than the lab's, or nothing more."""
        assert call.on != MASTER, "only a node's pillar is refreshed"
        pillar.give(self._lab, more)
        self._salt.one(self.known.node(call.on), "saltutil.refresh_pillar", wait=True)


def _short(value: Any) -> str:
    return repr(value)[:600]
