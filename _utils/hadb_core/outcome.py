"""The shape that every state of hadb has: plan, stop there in test mode, apply, plan again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hadb_core.errors import HadbError
from hadb_core.plan import Plan


def converge(
    name: str,
    *,
    plan: Callable[[], Plan],
    apply: Callable[[Plan], None],
    test: bool,
    done: str,
) -> dict[str, Any]:
    """Bring something into the wanted state and return Salt's state result.

    name
        The state's ``name``.
    plan
        Reads what is there and returns what is missing; called again after ``apply``.
    apply
        Carries a plan out.
    test
        ``__opts__["test"]``: report the plan and change nothing.
    done
        The comment when there is nothing (left) to do: ``"Volume group db-vg is present"``.

    The ``changes`` are the plan's in both modes, so a test run shows exactly what the real
    run will report. A plan that is not empty after ``apply`` fails the state and names the rest.

    .. code-block:: python

        return converge(name, plan=lambda: plan_vg(__salt__["halvm.report"](), wanted),
                        apply=__salt__["halvm.apply"], test=__opts__["test"], done="...")
    """
    ret: dict[str, Any] = {"name": name, "result": True, "changes": {}, "comment": done}
    try:
        first = plan()
        if not first:
            ret["comment"] = _with_remarks(done, first)
            return ret
        ret["changes"] = first.changes()
        if test:
            ret["result"] = None
            ret["comment"] = _with_remarks(f"Would change: {first.sentence()}", first)
            return ret
        apply(first)
        rest = plan()
    except HadbError as error:
        ret["result"] = False
        ret["comment"] = _failure(error, ret["changes"])
        ret["changes"] = {}
        return ret
    if rest:
        ret["result"] = False
        ret["comment"] = f"Done, but read again this is still not as wanted: {rest.sentence()}"
        return ret
    ret["comment"] = _with_remarks(done, first)
    return ret


def _with_remarks(text: str, plan: Plan) -> str:
    return "\n".join((text, *plan.remarks))


def _failure(error: HadbError, tried: dict[str, Any]) -> str:
    return f"{error}" + (f"\nIt happened while changing: {', '.join(tried)}" if tried else "")


def carry_out(functions: Any, module: str, plan: Plan) -> None:
    """Carry a plan out: each step's ``do`` is a function of the execution module ``module``.

    functions
        ``__salt__`` of the calling state module.
    """
    for step in plan.steps:
        functions[f"{module}.{step.do}"](**step.args)
