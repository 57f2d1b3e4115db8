"""How this machine reaches the nodes: one shared connection each, kept in the run directory."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from subprocess import CompletedProcess

from hadblab.errors import LabError
from hadblab.run import run as run_command
from hadblab.rundir import RunDir
from hadblab.topology import Topology


def config(run: RunDir, topology: Topology, key: str) -> str:
    """Return ssh's configuration for all nodes of a lab."""
    hosts = "".join(
        f"Host {node.name}\n    HostName {node.address(topology.management.name)}\n" for node in topology.nodes.values()
    )
    return f"""\
{hosts}Host *
    User root
    IdentityFile {key}
    IdentitiesOnly yes
    # The nodes' keys come from a public recipe and prove nothing.
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    GlobalKnownHostsFile /dev/null
    LogLevel ERROR
    BatchMode yes
    ConnectTimeout 10
    ControlMaster auto
    ControlPath {run.root}/ssh/%n
    ControlPersist yes
    # Ends a session on a machine that froze or lost its power, and with it the connection.
    # Not sooner: a node on a busy machine may be silent for seconds.
    ServerAliveInterval 5
    ServerAliveCountMax 4
    Compression no
    GSSAPIAuthentication no
"""


def argv(run: RunDir, node: str, command: Sequence[str], options: Sequence[str] = ()) -> list[str]:
    """Return the command line that runs a command on a node with its arguments as given.

    :param command: the remote program and its arguments; empty for a login shell.
    """
    # The far side joins the words with spaces and gives them to a shell.
    remote = ["--", shlex.join(command)] if command else []
    return run.inside("ssh", "-F", str(run.ssh_config), *options, node, *remote)


def by_way_of(run: RunDir, topology: Topology, node: str, network: str) -> list[str]:
    """Return the options with which a node is reached past the management network: through the array, over ``network``.

    :raises LabError: there is no such node, or it has no address there.
    """
    return [
        "-o", f"HostName={topology.node(node).address(network)}", "-o", f"ProxyJump={topology.san.name}",
        # A connection of its own: the usual one may hang where the management network is cut.
        "-o", f"ControlPath={run.root}/ssh/%n.{network}",
    ]  # fmt: skip


def call(
    run: RunDir, node: str, *command: str, check: bool = True, timeout: float = 60, input: str | None = None,
    options: Sequence[str] = (),
) -> CompletedProcess[str]:  # fmt: skip
    """Run a command on a node to its end.

    :param timeout: seconds.
    :param options: ssh's, such as :func:`by_way_of`.
    :raises LabError: it could not be run, or failed while ``check`` is set.
    """
    return run_command(argv(run, node, command, options), check=check, timeout=timeout, input=input)


def send(run: RunDir, node: str, data: bytes, *command: str) -> None:
    """Run a command on a node with ``data`` as its standard input.

    :raises LabError: the command failed, or took longer than a minute.
    """
    _bytes(run, node, data, command)


def fetch(run: RunDir, node: str, *command: str) -> bytes:
    """Run a command on a node and return what it prints, byte by byte.

    :raises LabError: as :func:`send`.
    """
    return _bytes(run, node, b"", command)


def _bytes(run: RunDir, node: str, data: bytes, command: Sequence[str]) -> bytes:
    try:
        done = subprocess.run(argv(run, node, command), input=data, capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{node}: {shlex.join(command)}: no end after 60 s") from error
    if done.returncode != 0:
        raise LabError(f"{node}: {shlex.join(command)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
