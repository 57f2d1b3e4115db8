"""Who gets into a BMC: strangers with cipher suite 0, and a new password with its proof and way back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadb_core import ipmi_passwords
from hadb_core.errors import CommandFailed, Invalid, NotProven, Refused
from support import load

ADDRESS = "10.20.0.101"
OLD, NEW = "the-old-password", "the-new-password-20c"
SILENT = "Error: Unable to establish IPMI v2 / RMCP+ session\n"
SAYS_NO = "Error in open session response message : invalid authentication algorithm\n\n" + SILENT
USERS = "1,,true,false,false,Unknown (0x00)\n2,hadb,true,false,true,ADMINISTRATOR\n"


class Bmc:
    """A BMC that knows one password and takes ``keeps`` characters of a new one.

    keeps
        0: it says yes and keeps the old one; 20: it does what it should.
    answers_set
        Whether its answer to the change arrives.
    stranger
        What a login with cipher suite 0 gets: ``(exit code, error)``.
    dies
        It answers nobody after the stranger (or the change).
    """

    def __init__(self, *, keeps: int = 20, answers_set: bool = True, stranger: tuple[int, str] = (1, SAYS_NO),
                 dies: bool = False) -> None:  # fmt: skip
        self.password, self.keeps, self.answers_set, self.stranger, self.dies = OLD, keeps, answers_set, stranger, dies
        self.dead, self.asked, self.written = False, [], []

    def run_all(self, argv: list[str], **_how: Any) -> dict[str, Any]:
        assert not any(secret in word for word in argv for secret in (OLD, NEW, NEW[:16]))
        self.asked.append(argv)
        code, out, err = self._answer(argv, self._file(argv, "-f"))
        return {"retcode": code, "stdout": out, "stderr": err}

    def _answer(self, argv: list[str], password: str) -> tuple[int, str, str]:
        if argv[argv.index("-C") + 1] == "0":
            assert password not in (OLD, NEW)
            self.dead = self.dies
            return self.stranger[0], "Chassis Power is on\n", self.stranger[1]
        if self.dead or password != self.password:
            return 1, "", SILENT
        if "user" in argv:
            return 0, USERS, ""
        if "exec" in argv:
            return self._set(self._file(argv, "exec"))
        return 0, "Chassis Power is on\n", ""

    def _set(self, line: str) -> tuple[int, str, str]:
        numbers = [int(word, 16) for word in line.split()[1:]]
        assert numbers[:4] in ([6, 0x47, 2, 2], [6, 0x47, 0x82, 2])
        text = bytes(numbers[4:]).rstrip(b"\0").decode()
        if self.keeps:
            self.password = text[: self.keeps]
        self.dead = self.dies
        return (0, "\n", "") if self.answers_set else (1, "", "Unable to send RAW command: Timeout\n")

    @staticmethod
    def _file(argv: list[str], before: str) -> str:
        with open(argv[argv.index(before) + 1], encoding="ascii") as file:  # noqa: PTH123
            return file.read().rstrip("\n")

    def module(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, new: str = NEW) -> Any:
        account = {"address": ADDRESS, "username": "hadb", "password": OLD, **({"new_password": new} if new else {})}
        settings = {"nodes": {"db1": {"bmc": account}}, "fencing": {"cipher": 17, "privlvl": "administrator"}}
        loaded = load("_modules/ipmitool.py", pillar={"hadb": settings}, salt={
            "cmd.run_all": self.run_all, "hadb.document": lambda: settings,
            "bmcpasswords.write_password": lambda *words: self.written.append(words)})  # fmt: skip
        monkeypatch.setattr(loaded.salt.utils.path, "which", lambda name: f"/usr/bin/{name}")
        monkeypatch.setattr(ipmi_passwords, "DIRECTORY", str(tmp_path))
        return loaded


def test_a_bmc_that_says_no_to_strangers_is_believed_at_once(monkeypatch, tmp_path):
    bmc = Bmc()
    assert bmc.module(monkeypatch, tmp_path).cipher_zero_refused(ADDRESS) is True
    assert len(bmc.asked) == 2


def test_a_bmc_that_lets_strangers_in_is_found(monkeypatch, tmp_path):
    assert Bmc(stranger=(0, "")).module(monkeypatch, tmp_path).cipher_zero_refused(ADDRESS) is False


@pytest.mark.parametrize("silent", [(1, SILENT), (124, "")])
def test_silence_counts_as_a_refusal_between_two_logins(monkeypatch, tmp_path, silent):
    bmc = Bmc(stranger=silent)
    assert bmc.module(monkeypatch, tmp_path).cipher_zero_refused(ADDRESS) is True
    assert [argv[:2] for argv in bmc.asked if "0" in argv] == [["timeout", "3"]]
    assert bmc.asked[-1][bmc.asked[-1].index("-C") + 1] == "17"


@pytest.mark.parametrize("words", [SILENT, "Set Session Privilege Level to USER failed\n" + SILENT])
def test_silence_of_a_bmc_that_died_meanwhile_is_an_error(monkeypatch, tmp_path, words):
    with pytest.raises(CommandFailed):
        Bmc(stranger=(1, words), dies=True).module(monkeypatch, tmp_path).cipher_zero_refused(ADDRESS)


def test_a_bmc_that_answers_no_login_has_refused_nothing(monkeypatch, tmp_path):
    bmc = Bmc()
    bmc.dead = True
    with pytest.raises(CommandFailed):
        bmc.module(monkeypatch, tmp_path).cipher_zero_refused(ADDRESS)
    assert len(bmc.asked) == 1


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("file", [True, False])
def test_a_new_password_counts_when_a_login_proves_it_whatever_the_bmc_said(monkeypatch, tmp_path, answers, file):
    bmc = Bmc(answers_set=answers)
    if file:
        (tmp_path / ADDRESS).touch()
    done = bmc.module(monkeypatch, tmp_path).change_password(ADDRESS)
    assert (done, bmc.password) == ({"user_id": 2, "proven": True, "file": file}, NEW)
    assert bmc.written == ([(ADDRESS, "hadb:nodes:db1:bmc:new_password")] if file else [])


@pytest.mark.parametrize("keeps", [0, 16])
def test_a_password_that_nobody_could_log_in_with_is_taken_back(monkeypatch, tmp_path, keeps):
    bmc = Bmc(keeps=keeps)
    with pytest.raises(NotProven, match="the old one counts as before.*at most 16 characters") as failure:
        bmc.module(monkeypatch, tmp_path).change_password(ADDRESS)
    assert (bmc.password, bmc.written) == (OLD, [])
    assert NEW not in str(failure.value) and OLD not in str(failure.value)


def test_a_short_password_that_did_not_come_through_is_not_blamed_on_its_length(monkeypatch, tmp_path):
    with pytest.raises(NotProven, match="rules for passwords"):
        Bmc(keeps=0).module(monkeypatch, tmp_path, "short-12").change_password(ADDRESS)


def test_a_change_that_the_bmc_refused_is_told_in_its_words(monkeypatch, tmp_path):
    with pytest.raises(CommandFailed, match="Timeout"):
        Bmc(keeps=0, answers_set=False).module(monkeypatch, tmp_path).change_password(ADDRESS)


@pytest.mark.parametrize("how", [{"keeps": 8}, {"dies": True}])
def test_a_bmc_that_lets_nobody_in_any_more_is_an_alarm(monkeypatch, tmp_path, how):
    with pytest.raises(NotProven, match="cannot be fenced"):
        Bmc(**how).module(monkeypatch, tmp_path).change_password(ADDRESS)


@pytest.mark.parametrize(("new", "error"), [("", Invalid), (OLD, Refused)])
def test_a_change_without_a_new_password_is_refused_before_the_bmc_is_asked(monkeypatch, tmp_path, new, error):
    bmc = Bmc()
    with pytest.raises(error, match="hadb:nodes:db1:bmc:new_password"):
        bmc.module(monkeypatch, tmp_path, new).change_password(ADDRESS)
    assert bmc.asked == []


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20))
def test_a_password_reaches_the_bmc_as_it_is(password):
    bmc = Bmc()
    bmc._set(ipmi_passwords.set_command(2, password))
    assert bmc.password == password
