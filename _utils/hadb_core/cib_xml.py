"""XML that one of Pacemaker's tools printed: read, or said to be unreadable with the line where it ends to be XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hadb_core.errors import Unreadable


def read(text: str, tool: str) -> ET.Element:
    """Return the root element of what a tool printed.

    tool
        The command as an error shall name it.

    Raises :class:`~hadb_core.errors.Unreadable` with the line that is not XML.
    """
    try:
        return ET.fromstring(text)
    except ET.ParseError as error:
        number = error.position[0]
        lines = text.splitlines()
        line = lines[number - 1].strip() if number <= len(lines) else ""
        raise Unreadable(tool, f"not XML: {error}", line[:200]) from error


def part(root: ET.Element, path: str, tool: str) -> ET.Element:
    """Return the element at a path; raises :class:`~hadb_core.errors.Unreadable` when there is none.

    A report without its list is not a report of nothing.
    """
    found = root.find(path)
    if found is None:
        raise Unreadable(tool, f"its report has no <{path}>")
    return found
