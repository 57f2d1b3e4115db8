"""corosync.conf: parse, render, flatten. Repeated sections and comments survive a round trip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hadb_core.errors import Unreadable

# What tells repeated sections apart: Corosync itself knows them by these, not by their order.
_NAMES = {"node": "name", "interface": "linknumber", "logger_subsys": "subsys"}


@dataclass(frozen=True)
class Comment:
    """A comment line with its ``#``, or an empty line as ``""``."""

    text: str


@dataclass(frozen=True)
class Entry:
    """One ``key: value`` line."""

    key: str
    value: str


@dataclass(frozen=True)
class Section:
    """A section with its lines in order; the file itself is the section named ``""``."""

    name: str
    items: tuple[Comment | Entry | Section, ...] = ()

    def sections(self, name: str) -> list[Section]:
        """Return the sections of that name directly inside this one."""
        return [item for item in self.items if isinstance(item, Section) and item.name == name]

    def get(self, key: str) -> str | None:
        """Return the value of ``key`` directly inside this section; the last one counts, as in Corosync."""
        values = [item.value for item in self.items if isinstance(item, Entry) and item.key == key]
        return values[-1] if values else None


def parse(text: str) -> Section:
    """Return the file as one section.

    The rules are those of Corosync's own reader (exec/coroparse.c): one statement per line,
    ``name {``, ``key: value``, ``}`` or a comment.

    Raises :class:`~hadb_core.errors.Unreadable` for a line that is none of these, and for
    braces that do not match.
    """
    open_sections: list[tuple[str, list[Comment | Entry | Section]]] = [("", [])]
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            open_sections[-1][1].append(Comment(stripped))
        elif stripped.endswith("{"):
            open_sections.append((stripped[:-1].strip(), []))
        elif stripped == "}":
            if len(open_sections) == 1:
                raise Unreadable("corosync.conf", "a section is closed that was never opened", line)
            name, items = open_sections.pop()
            open_sections[-1][1].append(Section(name, tuple(items)))
        elif ":" in stripped and "{" not in stripped and "}" not in stripped:
            key, _, value = stripped.partition(":")
            open_sections[-1][1].append(Entry(key.strip(), value.strip()))
        else:
            raise Unreadable("corosync.conf", "neither section, key nor comment", line)
    if len(open_sections) > 1:
        raise Unreadable("corosync.conf", f"section {open_sections[-1][0]!r} is not closed")
    return Section("", tuple(open_sections[0][1]))


def render(tree: Section) -> str:
    """Return the file's text: tabs for depth, as Corosync's own example has it."""
    return "".join(_lines(tree, 0))


def _lines(section: Section, depth: int) -> Iterator[str]:
    indent = "\t" * depth
    for item in section.items:
        if isinstance(item, Comment):
            yield f"{indent}{item.text}\n" if item.text else "\n"
        elif isinstance(item, Entry):
            yield f"{indent}{item.key}: {item.value}\n"
        else:
            yield f"{indent}{item.name} {{\n"
            yield from _lines(item, depth + 1)
            yield f"{indent}}}\n"


def flatten(tree: Section, path: str = "") -> dict[str, str]:
    """Return every setting by its path: ``{"totem.token": "3000", "nodelist.node[db1].nodeid": "1"}``.

    Repeated sections are named by what Corosync tells them apart by, so that their order does
    not matter. The last of two equal keys counts, as in Corosync.
    """
    flat: dict[str, str] = {}
    for item in tree.items:
        if isinstance(item, Entry):
            flat[f"{path}{item.key}"] = item.value
        elif isinstance(item, Section):
            flat.update(flatten(item, f"{path}{_label(item)}."))
    return flat


def _label(section: Section) -> str:
    if section.name not in _NAMES:
        return section.name
    # `ringnumber` is the old word for linknumber; both default to link 0.
    name = section.get(_NAMES[section.name]) or section.get("ringnumber") or section.get("nodeid") or "0"
    return f"{section.name}[{name}]"
