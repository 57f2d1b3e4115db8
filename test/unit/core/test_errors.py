"""Errors keep what they know as fields, and read as one sentence."""

from __future__ import annotations

import pytest

from hadb_core.errors import CommandFailed, HadbError, Invalid, NotProven, Refused, Unreadable


@pytest.mark.parametrize(("out", "err", "said"), [
    ("out\n", " err \n", "err"), (" out\n", "  \n", "out"), ("", "", "it printed nothing"), (" \n", "\t", "it printed nothing"),
    ("", "x" * 1999 + "END", "x" * 1997 + "END"),
])  # fmt: skip
def test_a_failed_command_is_told_by_what_it_printed_last(out, err, said):
    error = CommandFailed(["vgs", "--reportformat", "json"], 5, out, err)
    assert str(error) == f"`vgs --reportformat json` ended with exit code 5: {said}"
    assert (error.argv, error.code, error.out, error.err) == (("vgs", "--reportformat", "json"), 5, out, err)


def test_a_command_may_have_printed_nothing_that_is_known():
    error = CommandFailed(["true"], 1)
    assert (error.out, error.err, str(error)) == ("", "", "`true` ended with exit code 1: it printed nothing")


def test_output_that_cannot_be_read_names_tool_reason_and_line():
    error = Unreadable("crm_mon", "no XML", "<a>\n")
    assert str(error) == "cannot read the output of crm_mon: no XML (line: '<a>\\n')"
    assert (error.tool, error.why, error.line) == ("crm_mon", "no XML", "<a>\n")
    bare = Unreadable("crm_mon", "no XML")
    assert (str(bare), bare.line) == ("cannot read the output of crm_mon: no XML", "")


def test_the_tool_s_version_is_told_where_it_is_known():
    error = Unreadable("crm_mon", "no XML", "<a>")
    told = error.of("Pacemaker 3.0.0")
    assert str(told) == "cannot read the output of crm_mon (Pacemaker 3.0.0): no XML (line: '<a>')"
    assert (told.tool, told.why, told.line) == ("crm_mon (Pacemaker 3.0.0)", "no XML", "<a>")
    assert error.of("") is error


def test_a_refusal_names_its_remedy_if_there_is_one():
    error = Refused("there is data on it", "look at it")
    assert (str(error), error.reason, error.remedy) == (
        "there is data on it. What to do: look at it", "there is data on it", "look at it")  # fmt: skip
    assert (str(Refused("no")), Refused("no").remedy) == ("no", "")


def test_what_was_done_and_does_not_hold_is_told_with_the_remedy():
    error = NotProven("grown", "the filesystem is still small", "grow it by hand")
    assert str(error) == "grown, but it does not hold: the filesystem is still small. What to do: grow it by hand"
    assert (error.done, error.found, error.remedy) == ("grown", "the filesystem is still small", "grow it by hand")


def test_all_faults_of_an_input_are_told_each_on_its_line():
    error = Invalid(["a: is missing", "b: is wrong"])
    assert (str(error), error.faults) == ("a: is missing\nb: is wrong", ("a: is missing", "b: is wrong"))


@pytest.mark.parametrize("error", [CommandFailed(["x"], 1), Unreadable("x", "y"), Refused("x"), NotProven("x", "y", "z"),
                                   Invalid(["x"])])
def test_all_are_hadb_s(error):
    assert isinstance(error, HadbError)
