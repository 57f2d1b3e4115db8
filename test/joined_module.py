"""An execution module of several files as Salt's loader gives it: one name, and its functions call each other."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import salt.utils.data

from support import load


def joined(name: str, files: tuple[str, ...], run_all: Callable[..., Any], **dunders: Any) -> SimpleNamespace:
    """Return all functions of the files together, running their commands with ``run_all``.

    Each file is there as a module under its own name too, and ``salt`` is their common ``__salt__``.
    """
    functions: dict[str, Any] = {"cmd.run_all": run_all}
    # The tools are where the commands run, not on the machine of the tests; Salt itself is left alone.
    path = SimpleNamespace(which=lambda program: None if program.startswith("/usr/libexec") else program)
    utils = SimpleNamespace(utils=SimpleNamespace(path=path, data=salt.utils.data))
    modules = {file: load(f"_modules/{file}.py", salt=functions, **dunders) for file in files}
    found = SimpleNamespace(salt=functions, **modules)
    for module in modules.values():
        module.salt = utils
        own = {word: value for word, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
        vars(found).update(own)
        functions.update({f"{name}.{word}": value for word, value in own.items() if not word.startswith("_")})
    return found


def pacemaker(run_all: Callable[..., Any]) -> SimpleNamespace:
    """Return the execution module ``pacemaker``."""
    return joined("pacemaker", ("pacemaker", "pacemaker_operate"), run_all)


def corosync(run_all: Callable[..., Any], **dunders: Any) -> SimpleNamespace:
    """Return the execution module ``corosync``."""
    return joined("corosync", ("corosync", "corosync_daemon"), run_all, **dunders)
