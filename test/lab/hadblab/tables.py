"""Strict reading of a parsed TOML document: every fault is collected with its path."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

_KINDS = {str: "a string", int: "an integer", float: "a number", bool: "true or false",
          list: "a list", dict: "a table"}  # fmt: skip
_STAND_INS: dict[type, Any] = {str: "", int: 0, float: 0.0, bool: False, list: [], dict: {}}
_REQUIRED = object()


class Table:
    """One table of a document, read key by key; what is never asked for is unknown.

    :param doc: the parsed table.
    :param path: where it stands in the document, empty for the whole.
    :param faults: list to which one line is added for each fault found.
    """

    def __init__(self, doc: dict[str, Any], path: str, faults: list[str]) -> None:
        self.doc = doc
        self.path = path
        self.faults = faults
        self._asked: set[str] = set()

    def where(self, key: str) -> str:
        """Return the full path of one of this table's keys."""
        return f"{self.path}.{key}" if self.path else key

    def fault(self, key: str, message: str) -> None:
        """Record a fault of one key."""
        self.faults.append(f"{self.where(key)}: {message}")

    def get(self, key: str, kind: type, default: Any = _REQUIRED) -> Any:
        """Return one value of a type; after a fault a harmless stand-in of that type.

        :param kind: one of str, int, float (integers pass), bool, list, dict.
        :param default: what an absent key means; without it the key is required.
        """
        self._asked.add(key)
        if key not in self.doc:
            if default is not _REQUIRED:
                return default
            self.fault(key, "is missing")
            return _STAND_INS[kind]
        value = self.doc[key]
        allowed = (int, float) if kind is float else (kind,)
        # bool is a subclass of int, and "memory_mib = true" is a mistake.
        if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
            self.fault(key, f"must be {_KINDS[kind]}, not {value!r}")
            return _STAND_INS[kind]
        return value

    def text(self, key: str, pattern: str, meaning: str, default: Any = _REQUIRED) -> Any:
        """Return a string that matches ``pattern`` whole; ``meaning`` explains the pattern."""
        value = self.get(key, str, default)
        if isinstance(self.doc.get(key), str) and not re.fullmatch(pattern, value):
            self.fault(key, f"must be {meaning}, not {value!r}")
        return value

    def amount(self, key: str, kind: type, low: float, high: float, default: Any = _REQUIRED) -> Any:
        """Return a number from ``low`` to ``high``."""
        value = self.get(key, kind, default)
        if self._valid_number(key) and not low <= value <= high:
            self.fault(key, f"must be from {low:g} to {high:g}, not {value!r}")
        return value

    def address(self, key: str, default: Any = _REQUIRED) -> Any:
        """Return an IPv4 address as text."""
        value = self.get(key, str, default)
        if isinstance(self.doc.get(key), str):
            try:
                ipaddress.IPv4Address(value)
            except ValueError:
                self.fault(key, f"must be an IPv4 address, not {value!r}")
                return default if default is not _REQUIRED else ""
        return value

    def subtable(self, key: str, default: Any = _REQUIRED) -> Table:
        """Return the table below one key."""
        return Table(self.get(key, dict, default), self.where(key), self.faults)

    def items(self) -> Iterator[tuple[str, Table]]:
        """Yield every key of this table, all of which must be tables, in document order."""
        for key in self.doc:
            yield key, self.subtable(key)

    def entries(self, key: str) -> Iterator[tuple[int, Table]]:
        """Yield the tables in the list below one key, with their positions."""
        for index, doc in enumerate(self.get(key, list)):
            path = f"{self.where(key)}[{index}]"
            if isinstance(doc, dict):
                yield index, Table(doc, path, self.faults)
            else:
                self.faults.append(f"{path}: must be a table, not {doc!r}")

    def finish(self) -> None:
        """Record each key that nobody asked for."""
        for key in self.doc:
            if key not in self._asked:
                self.fault(key, "is not known here")

    def _valid_number(self, key: str) -> bool:
        value = self.doc.get(key)
        return isinstance(value, (int, float)) and not isinstance(value, bool)
