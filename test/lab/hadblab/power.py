"""Switching one node, by whoever asks: its BMC or the operator. Imports little: BMCs call it."""

# pathlib would be half of the time that a BMC's call takes.
# ruff: noqa: PTH105, PTH108, PTH110, PTH123

from __future__ import annotations

import fcntl
import json
import os
import time

from hadblab import chassis, events, kernel
from hadblab.kernel import Kernel


def store(node: Kernel, power_off_seconds: float) -> None:
    """Write down how a node is started, for :func:`load`, which finds the old or the new document, never half.

    :param power_off_seconds: how long its BMC takes to cut the power.
    """
    values = {**node._asdict(), "power_off_seconds": power_off_seconds}
    path = f"{node.directory}/boot.json"
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(values, file, indent=1)
    os.replace(f"{path}.new", path)


def load(run: str, name: str) -> tuple[Kernel, float]:
    """Return how a node is started, and its BMC's power-off delay in seconds.

    :param run: the lab's run directory.
    :raises OSError: there is no such node, or the lab was never started.
    """
    with open(f"{run}/nodes/{name}/boot.json", encoding="utf-8") as file:
        values = json.load(file)
    delay = values.pop("power_off_seconds")
    return Kernel(**{**values, "argv": tuple(values["argv"])}), delay


def look(run: str, name: str) -> str:
    """Return whether a node is ``on``, ``off`` or ``frozen``. Raises OSError as :func:`load`."""
    return kernel.power(load(run, name)[0])


def lie(node: Kernel, says: str) -> None:
    """Let a node's BMC say ``on`` or ``off`` from now on, whatever is so; nothing: the truth again.

    What it is told to switch then changes only what it says.
    """
    path = _lie(node)
    if not says:
        if os.path.exists(path):
            os.unlink(path)
        return
    with open(f"{path}.new", "w", encoding="ascii") as file:
        file.write(says)
    os.replace(f"{path}.new", path)


def said(node: Kernel) -> str:
    """Return what a lying BMC says of its node, nothing for one that tells the truth."""
    try:
        with open(_lie(node), encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def pretend(run: str, node: Kernel, action: str) -> None:
    """Carry out an order as a lying BMC does, and log it. It does no harm: a node that is off is really switched on."""
    lie(node, chassis.OFF if action == chassis.OFF else chassis.ON)
    events.append(f"{run}/events.log", "power-lie", node=node.name, action=action)
    if action == chassis.ON and kernel.power(node) == kernel.OFF:
        switch(run, node, action, "bmc")


def _lie(node: Kernel) -> str:
    return f"{node.directory}/bmc-says"


def switch(run: str, node: Kernel, action: str, source: str) -> None:
    """Carry out ``on``, ``off`` or ``reset`` now, and log what it changed.

    Whoever switches holds the node's lock, so that two orders never mix.

    :param source: who ordered it: ``bmc`` or ``operator``.
    :raises OSError: the kernel could not be started.
    :raises kernel.DeathError: the kernel could not be killed.
    """
    lock = _lock(node)
    try:
        _switch(run, node, action, source)
    finally:
        os.close(lock)


def switch_later(run: str, node: Kernel, action: str, source: str, seconds: float) -> None:
    """Return at once and carry out :func:`switch` after some seconds, as slow BMCs do.

    The lock is taken before this returns: an order that follows waits its turn. What is off by then needs no time.
    """
    lock = _lock(node)
    if kernel.power(node) == kernel.OFF:
        _switch(run, node, action, source)
        os.close(lock)
        return
    events.append(f"{run}/events.log", "power-order", node=node.name, action=action, source=source, seconds=seconds)
    if os.fork():
        os.close(lock)
        return
    os.setsid()
    # The simulator reads our output to its end: a child that holds it would block it.
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    time.sleep(seconds)
    try:
        _switch(run, node, action, source)
    except (OSError, kernel.DeathError) as error:
        events.append(f"{run}/events.log", "power-failed", node=node.name, action=action, error=str(error))
    os._exit(0)


def note_end(run: str, node: Kernel) -> bool:
    """Log that a kernel has ended by itself, as after a panic; False while it still runs.

    Nobody ordered it, so without this the log has a node that never lost its power. One that has reset itself is ended.

    :raises kernel.DeathError: it cannot be ended.
    """
    if kernel.power(node) != kernel.OFF and not kernel.reset_itself(node):
        return False
    # While it executes itself again it looks as if it had ended.
    kernel.kill(node)
    _forget_connection(run, node)
    events.append(
        f"{run}/events.log", "power", node=node.name, action=chassis.OFF, source="itself", before=kernel.ON, took=0.0
    )
    return True


def _switch(run: str, node: Kernel, action: str, source: str) -> None:
    before = kernel.power(node)
    started = time.monotonic()
    if action in (chassis.OFF, chassis.RESET):
        kernel.kill(node)
        _forget_connection(run, node)
    # A machine that is off ignores the reset button.
    if action == chassis.ON and before == kernel.OFF or action == chassis.RESET and before != kernel.OFF:
        kernel.start(node)
    took = round(time.monotonic() - started, 3)
    events.append(
        f"{run}/events.log", "power", node=node.name, action=action, source=source, before=before, took=took
    )


def _forget_connection(run: str, node: Kernel) -> None:
    """Take ssh's shared connection out of use: it would hang on the dead machine."""
    try:
        os.unlink(f"{run}/ssh/{node.name}")
    except FileNotFoundError:
        return


def _lock(node: Kernel) -> int:
    descriptor = os.open(f"{node.directory}/lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor
