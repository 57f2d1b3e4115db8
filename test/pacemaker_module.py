"""The execution module ``pacemaker`` as Salt's loader gives it: two files under one name, which call each other."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from support import load

FILES = ("pacemaker", "pacemaker_operate")


def pacemaker(run_all: Callable[..., Any]) -> SimpleNamespace:
    """Return all functions of ``pacemaker``, running their commands with ``run_all``.

    ``read`` and ``operate`` are the two files as modules, ``salt`` is their ``__salt__``.
    """
    salt: dict[str, Any] = {"cmd.run_all": run_all}
    read, operate = (load(f"_modules/{name}.py", salt=salt) for name in FILES)
    # The tools are where the commands run, not on the machine of the tests; Salt itself is left alone.
    path = SimpleNamespace(which=lambda name: None if name.startswith("/usr/libexec") else name)
    read.salt = SimpleNamespace(utils=SimpleNamespace(path=path))
    functions = {
        name: value
        for module in (read, operate)
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", "").endswith("_under_test")
    }
    salt |= {f"pacemaker.{name}": value for name, value in functions.items() if not name.startswith("_")}
    return SimpleNamespace(**functions, read=read, operate=operate, salt=salt)
