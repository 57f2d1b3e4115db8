"""The lab's own verbs, one function each."""

from __future__ import annotations

import argparse
import ipaddress
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from hadblab import (
    chassis,
    effects,
    images,
    links,
    passthrough,
    power,
    snapshots,
    ssh,
    status,
)
from hadblab import mend as mending
from hadblab import up as starting
from hadblab.errors import LabError
from hadblab.network import Part
from hadblab.rundir import RunDir
from hadblab.topology import UnknownNameError

_LAB = Path(__file__).resolve().parent.parent
_USAGE = 2


def main(run: RunDir, words: list[str]) -> int:
    """Carry out one command line and return its exit status.

    :raises LabError: what was asked for could not be done.
    """
    chosen = _parser().parse_args(words)
    act: Callable[[RunDir, argparse.Namespace], int | None] = chosen.act
    return act(run, chosen) or 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(_USAGE)


def progress() -> Callable[[str], None]:
    """Return a function that prints a line with the seconds since now."""
    started = time.monotonic()

    def tell(line: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {line}", file=sys.stderr, flush=True)

    return tell


def _up(run: RunDir, chosen: argparse.Namespace) -> None:
    tell = progress()
    record, topology = starting.wanted(chosen.distro, chosen.salt, chosen.topology, chosen.pillar)
    if starting.up(run, record, topology, tell):
        tell(f"lab {run.name} is up")
    else:
        tell(f"lab {run.name} was up already, with the same parameters")


def _down(run: RunDir, chosen: argparse.Namespace) -> None:
    with starting.exclusive(run):
        effects.destroy(run)


def _images(run: RunDir, chosen: argparse.Namespace) -> None:
    images.ensure(chosen.distro, chosen.salt, lambda line: print(line, file=sys.stderr, flush=True))


def _status(run: RunDir, chosen: argparse.Namespace) -> None:
    state = status.collect(run, *starting.running(run))
    print(json.dumps(state, indent=2) if chosen.json else status.render(state))


def _put(run: RunDir, chosen: argparse.Namespace) -> None:
    node, path = _remote(run, chosen.target)
    try:
        data, mode = chosen.file.read_bytes(), chosen.file.stat().st_mode & 0o777
    except OSError as error:
        raise LabError(f"{chosen.file}: {error.strerror}") from error
    ssh.send(run, node, data, "install", "-m", f"{mode:o}", "/dev/stdin", path)


def _get(run: RunDir, chosen: argparse.Namespace) -> None:
    node, path = _remote(run, chosen.source)
    data = ssh.fetch(run, node, "cat", "--", path)
    chosen.file.write_bytes(data)


def _power(run: RunDir, chosen: argparse.Namespace) -> None:
    name = _node(run, chosen.node)
    if chosen.action == "status":
        print(power.look(str(run.root), name))
    else:
        effects.switch(run, name, chosen.action)


def _freeze(run: RunDir, chosen: argparse.Namespace) -> None:
    effects.freeze(run, _node(run, chosen.node), frozen=True)


def _thaw(run: RunDir, chosen: argparse.Namespace) -> None:
    effects.freeze(run, _node(run, chosen.node), frozen=False)


def _cut(run: RunDir, chosen: argparse.Namespace) -> None:
    part = Part(chosen.loss, chosen.longer, chosen.announces, chosen.one_way)
    links.cut(run, starting.running(run)[1], chosen.link, chosen.node, part)


def _number(low: int, high: int, unit: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        if text.isdecimal() and low <= int(text) <= high:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text}: {low} to {high} {unit}, please")

    return read


def _address(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: an IPv4 address, please") from error


def _bmc(run: RunDir, chosen: argparse.Namespace) -> None:
    node = starting.running(run)[1].node(chosen.node)
    if node.bmc is None:
        raise UnknownNameError(f"{node.name} has no BMC")
    seconds = chosen.power_off_seconds
    effects.lying_bmc(run, node.name, lies=chosen.lies)
    effects.slow_bmc(run, node.name, node.bmc.power_off_seconds if seconds is None else seconds)


def _heal(run: RunDir, chosen: argparse.Namespace) -> None:
    links.heal(run, starting.running(run)[1], chosen.link, chosen.node)


def _mend(run: RunDir, chosen: argparse.Namespace) -> None:
    mending.mend(run, starting.running(run)[1])


def _snapshot(run: RunDir, chosen: argparse.Namespace) -> None:
    tell = progress()
    with starting.exclusive(run):
        snapshots.save(run, *starting.running(run), chosen.name)
    tell(f"snapshot {chosen.name} saved")


def _restore(run: RunDir, chosen: argparse.Namespace) -> None:
    tell = progress()
    starting.restore(run, chosen.name, tell)
    tell(f"lab {run.name} is up from snapshot {chosen.name}")


def _logs(run: RunDir, chosen: argparse.Namespace) -> None:
    path = run.console(chosen.node)
    if not path.exists():
        known = sorted(found.stem for found in path.parent.glob("*.log")) or ["none"]
        raise UnknownNameError(f"no log of {chosen.node}; there are: {', '.join(known)}")
    with path.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)


def _node(run: RunDir, name: str) -> str:
    return starting.running(run)[1].node(name).name


def _remote(run: RunDir, text: str) -> tuple[str, str]:
    name, colon, path = text.partition(":")
    if not colon or not path.startswith("/"):
        raise UnknownNameError(f"expected NODE:/PATH, not {text!r}")
    return _node(run, name), path


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="lab", description="A database cluster's hardware, made of processes.", allow_abbrev=False)
    verbs = parser.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)

    def verb(name: str, act: Callable[..., None], text: str, *arguments: str) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text, allow_abbrev=False)
        added.set_defaults(act=act)
        for argument in arguments:
            added.add_argument(argument.lower(), metavar=argument)
        return added

    start = verb("up", _up, "start the lab with blank nodes, and wait until it can be used")
    build = verb("images", _images, "only build the images that `up` needs")
    for with_images in (start, build):
        with_images.add_argument("--distro", choices=images.DISTROS, default=images.DISTROS[0])
        with_images.add_argument("--salt", default=images.SALT, metavar="VERSION")
    start.add_argument("--topology", type=Path, default=_LAB / "topology.toml", metavar="FILE")
    start.add_argument("--pillar", type=Path, default=_LAB / "pillar.sls", metavar="FILE")
    verb("down", _down, "end and remove everything of the lab but its images, snapshots and logs")
    verb("status", _status, "show nodes, BMCs, LUNs and networks").add_argument("--json", action="store_true")
    _add_passthrough(verbs)
    put = verb("put", _put, "copy a file of this machine to a node")
    put.add_argument("file", type=Path, metavar="FILE")
    put.add_argument("target", metavar="NODE:PATH")
    get = verb("get", _get, "copy a file of a node to this machine")
    get.add_argument("source", metavar="NODE:PATH")
    get.add_argument("file", type=Path, metavar="FILE")
    switch = verb("power", _power, "switch a node at its plug, past its BMC", "NODE")
    switch.add_argument("action", choices=(chassis.ON, chassis.OFF, chassis.RESET, "status"))
    verb("freeze", _freeze, "stop a node's kernel in its tracks", "NODE")
    verb("thaw", _thaw, "let a frozen kernel go on", "NODE")
    for name, act, text in (("cut", _cut, "cut"), ("heal", _heal, "heal")):
        link = verb(name, act, f"{text} a network, a cable or bmc: all of it, or one node's end", "LINK")
        link.add_argument("node", nargs="?", metavar="NODE")
        if name == "cut":
            _add_parts(link)
    bmc = verb("bmc", _bmc, "let a BMC tell the truth and take as long to cut the power as the topology says, or so long", "NODE")
    bmc.add_argument("--lies", action="store_true", help="say that the power is off when it is told so, and leave it on")
    bmc.add_argument("--power-off-seconds", type=_number(0, 60, "seconds"), metavar="SECONDS")
    verb("mend", _mend, "undo whatever was done to the hardware: thaw, heal, set the BMCs right, switch on")
    verb("snapshot", _snapshot, "save all disks under a name", "NAME")
    verb("restore", _restore, "go back to a snapshot: all nodes boot, all links are whole", "NAME")
    verb("logs", _logs, "print a node's console, also after `down`", "NODE")
    return parser


def _add_parts(link: argparse.ArgumentParser) -> None:
    """Add the options that say which packets of a cut link are lost."""
    some = link.add_mutually_exclusive_group()
    percent = _number(1, 99, "per cent")
    some.add_argument("--loss", type=percent, metavar="PERCENT", help="lose only so many packets")
    some.add_argument("--longer", type=_number(20, 65534, "bytes"), metavar="BYTES", help="lose only longer packets")
    some.add_argument("--announces", type=_address, metavar="ADDRESS", help="lose only what announces an address")
    link.add_argument("--one-way", action="store_true", help="lose only what NODE sends")


def _add_passthrough(verbs: argparse._SubParsersAction[_Parser]) -> None:
    """List the verbs that another module carries out, for --help."""
    for name in passthrough.VERBS:
        verbs.add_parser(name, help=passthrough.HELP[name].partition(": ")[2])
