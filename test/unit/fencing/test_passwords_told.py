"""The password files of the BMCs: each step as it is shown, and the bytes that a BMC is sent."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core.ipmi_passwords import EQUAL, EXPOSED, OTHER, plan, set_command
from hadb_core.plan import Plan, Step


def write(address: str, old: str | None, key: str) -> Step:
    args = {"address": address, "pillar_key": key, "directory": "/d"}
    return Step("write_password", f"/d/{address}", old, "the pillar's password", args)


def test_files_are_written_in_order_then_those_of_foreign_bmcs_removed() -> None:
    found = {".": None, "b": None, "a": OTHER, "c": EXPOSED, "e": EQUAL, "z": OTHER, "y": EQUAL}
    removed = "password of a BMC that is not in the pillar"
    assert plan(found, {"b": "k:b", "a": "k:a", "c": "k:c", "e": "k:e"}, "/d") == Plan((
        Step("make_directory", "/d", None, "mode 0700", {"directory": "/d"}),
        write("a", "another password", "k:a"), write("b", None, "k:b"), write("c", "readable by others", "k:c"),
        Step("remove_password", "/d/y", removed, None, {"address": "y", "directory": "/d"}),
        Step("remove_password", "/d/z", removed, None, {"address": "z", "directory": "/d"}),
    ))  # fmt: skip


@pytest.mark.parametrize(("directory", "steps"), [(EQUAL, []), (EXPOSED, ["readable by others"])])
def test_only_a_directory_that_is_not_as_it_should_be_is_touched(directory: Any, steps: list[str]) -> None:
    assert [step.old for step in plan({".": directory, "a": EQUAL}, {"a": "k"}, "/d").steps] == steps


@pytest.mark.parametrize(
    ("password", "user", "size"),
    [("", "0x02", 16), ("x" * 16, "0x02", 16), ("x" * 17, "0x82", 20), ("x" * 20, "0x82", 20)],
)
def test_a_password_is_padded_to_the_size_that_the_bmc_is_told(password: str, user: str, size: int) -> None:
    padded = ["0x78"] * len(password) + ["0x00"] * (size - len(password))
    assert set_command(2, password).split(" ") == ["raw", "0x06", "0x47", user, "0x02", *padded]


def test_quotes_and_comment_signs_are_sent_as_they_are() -> None:
    assert set_command(10, "a#'\"").split()[:9] == ["raw", "0x06", "0x47", "0x0a", "0x02", "0x61", "0x23", "0x27", "0x22"]
