"""corosync.conf: parse, render, flatten. Repeated sections and comments survive a round trip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hadb_core.errors import Invalid, Unreadable

# What tells repeated sections apart: Corosync itself knows them by these, not by their order.
_NAMES = {"node": "name", "interface": "linknumber", "logger_subsys": "subsys", "uidgid": "uid"}


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


def to_data(tree: Section) -> list[dict[str, Any]]:
    """Return a file as plain lists and dictionaries, in the order of its lines.

    A line is ``{"key": ..., "value": ...}``, ``{"section": name, "items": [...]}`` or ``{"comment": text}``.
    """
    return [_line_data(item) for item in tree.items]


def _line_data(item: Comment | Entry | Section) -> dict[str, Any]:
    if isinstance(item, Comment):
        return {"comment": item.text}
    if isinstance(item, Entry):
        return {"key": item.key, "value": item.value}
    return {"section": item.name, "items": to_data(item)}


def from_data(data: Sequence[Mapping[str, Any]]) -> Section:
    """Return the file that :func:`to_data` made plain data of.

    Raises :class:`~hadb_core.errors.Invalid` with all lines that are none of the three kinds, or that a file
    cannot hold: what is rendered must read back as it was given.
    """
    faults: list[str] = []
    items = tuple(_from_lines(data, "", faults))
    if faults:
        raise Invalid(faults)
    return Section("", items)


def _from_lines(data: Any, path: str, faults: list[str]) -> Iterator[Comment | Entry | Section]:
    if not isinstance(data, Sequence) or isinstance(data, str):
        faults.append(f"{path or 'the file'}: must be a list of lines")
        return
    for number, line in enumerate(data):
        place = f"{path}[{number}]"
        fields = set(line) if isinstance(line, Mapping) else set()
        if fields == {"section", "items"} and _plain(line["section"], "{}:"):
            yield Section(line["section"], tuple(_from_lines(line["items"], f"{place}.{line['section']}", faults)))
        elif fields == {"key", "value"} and _plain(line["key"], "{}:") and _plain(str(line["value"]), "{}", empty=True):
            yield Entry(line["key"], str(line["value"]))
        elif fields == {"comment"} and (line["comment"] == "" or _comment(line["comment"])):
            yield Comment(line["comment"])
        else:
            faults.append(f"{place}: {line!r} is no key, section or comment of a corosync.conf")


def _plain(word: Any, forbidden: str, *, empty: bool = False) -> bool:
    """Return whether a word stays what it is when it is written into one line and read again."""
    if not isinstance(word, str) or word != word.strip() or len(word.splitlines()) > 1:
        return False
    return (bool(word) or empty) and not word.startswith("#") and not any(mark in word for mark in forbidden)


def _comment(text: Any) -> bool:
    return isinstance(text, str) and text.startswith("#") and text == text.strip() and len(text.splitlines()) == 1


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
            flat.update(flatten(item, f"{path}{label(item)}."))
    return flat


def label(section: Section) -> str:
    """Return a section's name, with what tells it from its like: ``node[db1]``, ``interface[0]``."""
    if section.name not in _NAMES:
        return section.name
    # `ringnumber` is the old word for linknumber; both default to link 0. A uidgid may have a gid alone.
    names = (section.get(key) for key in (_NAMES[section.name], "ringnumber", "nodeid", "gid"))
    return f"{section.name}[{next(filter(None, names), '0')}]"
