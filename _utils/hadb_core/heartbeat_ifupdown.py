"""The direct cables as ifupdown's interfaces(5) describes them: render, and read back what we wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hadb_core.heartbeat_wanted import Interface

PATH = "/etc/network/interfaces.d/hadb-heartbeat"

_HEADER = "# Managed by Salt (hadb, state heartbeat.configured). Changes made here are overwritten.\n"


def render(interfaces: Sequence[Interface]) -> str:
    """Return the text of the drop-in file."""
    return _HEADER + "".join(f"\n{_stanza(interface)}" for interface in interfaces)


def _stanza(interface: Interface) -> str:
    family = "inet6" if ":" in interface.address else "inet"
    lines = [
        f"auto {interface.name}",
        f"iface {interface.name} {family} static",
        f"    address {interface.address}",
    ]
    if interface.ports:
        lines.append(f"    bond-slaves {' '.join(interface.ports)}")
    # ifenslave takes a bond's options as `bond-` and the kernel's name with dashes, lists with blanks.
    lines += [
        f"    bond-{key.replace('_', '-')} {value.replace(',', ' ')}" for key, value in interface.options
    ]
    return "\n".join(lines) + "\n"


def parse(text: str) -> tuple[Interface, ...]:
    """Return the interfaces of a drop-in file that :func:`render` wrote."""
    return tuple(_read(stanza) for stanza in re.split(r"^auto ", text, flags=re.MULTILINE)[1:])


def _read(stanza: str) -> Interface:
    lines = [line.split() for line in stanza.splitlines() if line.split()]
    values = {words[0]: words[1:] for words in lines[1:]}
    options = tuple(
        (key.removeprefix("bond-").replace("-", "_"), ",".join(words))
        for key, words in values.items()
        if key.startswith("bond-") and key != "bond-slaves"
    )
    return Interface(
        lines[0][0], " ".join(values.get("address", [])), tuple(values.get("bond-slaves", ())), options
    )


def declared(text: str) -> set[str]:
    """Return the names of all interfaces that some interfaces(5) file describes."""
    return set(re.findall(r"^[ \t]*iface[ \t]+(\S+)", text, flags=re.MULTILINE))


def reads_drop_ins(text: str) -> bool:
    """Return whether ``/etc/network/interfaces`` reads the folder of our file."""
    return bool(
        re.search(
            r"^[ \t]*(source|source-directory)[ \t]+/etc/network/interfaces\.d(/\*)?/?[ \t]*$", text, re.M
        )
    )
