"""Runs one function of hadb's database modules in a chroot: an order on stdin, its answer on stdout, as JSON.

The modules get the dunders that Salt gives them; ``cmd.run_all`` is a stand-in without Salt, because a
chroot of another Debian release cannot use this machine's Salt.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

sys.path[:0] = ["/mnt/_utils", "/mnt/test"]

from hadb_core.errors import HadbError  # noqa: E402
from support import load  # noqa: E402

MODULES = ("dbnode", "dbinstance", "dbcontent")


def run_all(
    argv: list[str],
    stdin: str | None = None,
    env: dict[str, str] | None = None,
    timeout: float | None = None,
    **_salt: Any,
) -> dict[str, Any]:
    """Stand in for Salt's ``cmd.run_all``."""
    inside = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(env or {})}
    try:
        done = subprocess.run(
            argv, input=stdin or "", env=inside, timeout=timeout, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        return {"retcode": 127, "stdout": "", "stderr": str(error)}
    return {"retcode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def main() -> None:
    """Carry the order out."""
    order = json.load(sys.stdin)
    salt: dict[str, Any] = {"cmd.run_all": run_all}
    opts, pillar = {"test": order["test"]}, order["pillar"]
    for name in MODULES:
        module = load(f"_modules/{name}.py", salt=salt, opts=opts, pillar=pillar)
        salt.update(
            {f"{name}.{key}": value for key, value in vars(module).items() if not key.startswith("_")}
        )
        module.__dict__["__salt__"] = salt
    name, function = order["function"].split(".")
    target = (
        salt[order["function"]]
        if order["kind"] == "_modules"
        else getattr(load(f"_states/{name}.py", salt=salt, opts=opts, pillar=pillar), function)
    )
    try:
        answer = {"value": target(*order["args"], **order["kwargs"])}
    except HadbError as error:
        answer = {"error": type(error).__name__, "text": str(error)}
    json.dump(answer, sys.stdout, default=str)


if __name__ == "__main__":
    main()
