"""How a command is run: what Salt is asked for, what is told, what is hidden, and who names a version."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core.errors import CommandFailed, Unreadable
from hadb_core.process import Result, naming_version, run


class Salt:
    """``cmd.run_all`` that remembers what it was asked and answers the same each time."""

    def __init__(self, **answer: Any) -> None:
        self.answer, self.asked = {"retcode": 0} | answer, []

    def __call__(self, argv: list[str], **given: Any) -> dict[str, Any]:
        self.asked.append((argv, given))
        return self.answer


def test_a_command_runs_without_a_shell_in_the_c_locale_and_is_not_logged() -> None:
    salt = Salt(stdout="out", stderr="err")
    assert run(salt, ("crm_mon", "-1")) == Result(0, "out", "err")
    assert salt.asked == [(["crm_mon", "-1"], {
        "stdin": None, "env": {"LC_ALL": "C", "LANG": "C"}, "timeout": 120, "python_shell": False, "ignore_retcode": True,
        "output_loglevel": "quiet",
    })]  # fmt: skip


def test_what_the_caller_gives_goes_to_the_command() -> None:
    salt = Salt(retcode="1", stdout=5)
    assert run(salt, ["x"], stdin="s", answers=(1,), env={"A": "b", "LANG": "de"}, timeout=None) == Result(1, "5", "")
    ((_, given),) = salt.asked
    assert (given["stdin"], given["timeout"], given["env"]) == ("s", None, {"LC_ALL": "C", "LANG": "de", "A": "b"})
    assert run(Salt(), ["x"]) == Result(0, "", "")


def test_an_exit_code_that_is_no_answer_is_an_error_with_what_was_said() -> None:
    with pytest.raises(CommandFailed) as error:
        run(Salt(retcode=2, stdout="out", stderr="err"), ["x", "y"], answers=(0, 1))
    assert (error.value.argv, error.value.code, error.value.out, error.value.err) == (("x", "y"), 2, "out", "err")


def test_secrets_are_hidden_in_both_outputs_the_longer_before_its_part() -> None:
    with pytest.raises(CommandFailed) as error:
        run(Salt(retcode=1, stdout="word password x", stderr="password word"), ["x"], hide=("word", "", "password"))
    assert (error.value.out, error.value.err) == ("(hidden) (hidden) x", "(hidden) (hidden)")


@pytest.mark.parametrize(
    ("tool", "argv"),
    [
        ("lvm vgs", ["lvm", "version"]), ("ipmitool", ["ipmitool", "-V"]), ("dumpe2fs -h", ["dumpe2fs", "-V"]),
        *((name, [name, "--version"]) for name in ("wipefs", "partx", "blkid", "udevadm")),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_the_programs_version(tool: str, argv: list[str]) -> None:
    salt = Salt(stdout=" 1.2\nmore")
    with pytest.raises(Unreadable) as error, naming_version(salt):
        raise Unreadable(tool, "why", "line")
    assert str(error.value) == f"cannot read the output of {tool} (1.2): why (line: 'line')"
    assert [asked for asked, _ in salt.asked] == [argv]


def test_a_version_on_the_other_output_is_taken_too() -> None:
    with pytest.raises(Unreadable) as error, naming_version(Salt(stdout=" ", stderr="dumpe2fs 1.47\n")):
        raise Unreadable("dumpe2fs", "why")
    assert error.value.tool == "dumpe2fs (dumpe2fs 1.47)"


@pytest.mark.parametrize(
    ("tool", "salt"), [("crm_mon", Salt(stdout="1")), ("lvm (2.03)", Salt(stdout="1")), ("lvm", Salt(retcode=1)), ("lvm", Salt())]
)
def test_where_no_version_can_be_told_the_error_stays_as_it_is(tool: str, salt: Salt) -> None:
    with pytest.raises(Unreadable) as error, naming_version(salt):
        raise Unreadable(tool, "why")
    assert error.value.tool == tool
    assert bool(salt.asked) is (tool == "lvm")


def test_nothing_is_asked_while_all_is_well() -> None:
    salt = Salt()
    with naming_version(salt):
        pass
    assert salt.asked == []
