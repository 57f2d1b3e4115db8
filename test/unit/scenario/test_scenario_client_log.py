"""What a client's log says, and the client's own behaviour towards a server that fails."""

from __future__ import annotations

import io
import json

import pymysql
import pytest
from scenario import client
from scenario.client_log import parse


def line(**record: object) -> str:
    return json.dumps(record) + "\n"


def test_longest_gap_is_between_the_last_answer_before_and_the_first_after_the_outage() -> None:
    log = parse([
        line(id=1, sent=10.0, wall=0, acked=10.01),
        line(id=2, sent=10.02, wall=0, failed=11.0, error="gone"),
        line(connect=11.1, error="timed out"),
        line(id=3, sent=18.0, wall=0, acked=18.01),
        line(id=4, sent=18.1, wall=0, acked=18.11),
    ])  # fmt: skip
    gap = log.longest_gap(19.0)
    assert (gap.start, gap.end) == (10.01, 18.01)
    assert gap.seconds == pytest.approx(8.0)


def test_client_that_is_never_served_again_has_an_outage_up_to_the_end() -> None:
    log = parse([line(id=1, sent=1.0, wall=0, acked=1.1), line(id=2, sent=1.2, wall=0, failed=2.2, error="gone")])
    assert log.longest_gap(61.1).seconds == pytest.approx(60.0)


def test_outage_cannot_be_measured_without_any_answer() -> None:
    with pytest.raises(ValueError, match="never"):
        parse([]).longest_gap(5.0)


def test_number_used_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="twice"):
        parse([line(id=1, sent=1.0, wall=0, acked=1.1), line(id=1, sent=2.0, wall=0, acked=2.1)])


def test_line_cut_short_by_the_end_of_the_log_is_left_out() -> None:
    assert parse([line(id=1, sent=1.0, wall=0, acked=1.1), '{"id": 2, "se']).acked.keys() == {1}


def test_garbage_in_the_middle_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        parse(["nonsense\n", line(id=1, sent=1.0, wall=0, acked=1.1)])


class Server:
    """Stands for PyMySQL: refuses connections and breaks statements on demand."""

    def __init__(self, refuse: int, break_after: int) -> None:
        self.refuse = refuse
        self.break_after = break_after
        self.rows: list[int] = []

    def connect(self, **_settings: object) -> Server:
        if self.refuse:
            self.refuse -= 1
            raise pymysql.err.OperationalError(2003, "refused")
        return self

    def cursor(self) -> Server:
        return self

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_why: object) -> None:
        return None

    def execute(self, statement: str, values: tuple[int, float] | None = None) -> None:
        if values is None:
            return
        self.rows.append(values[0])
        if self.break_after == len(self.rows):
            raise pymysql.err.OperationalError(2013, "lost connection")

    def _force_close(self) -> None:
        return None


def test_client_connects_anew_after_an_error_and_never_uses_a_number_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(refuse=2, break_after=3)
    monkeypatch.setattr(client.pymysql, "connect", server.connect)
    settings = {"host": "h", "port": 1, "user": "u", "password": "p", "database": "d", "table": "t`x"}
    steps = iter([True] * 12)
    out = io.StringIO()
    client.write(settings, out, lambda: next(steps, False))
    log = parse(out.getvalue().splitlines(keepends=True))
    assert server.rows == sorted(set(server.rows))
    assert log.sent.keys() - log.acked.keys() == {3}
    assert "refused" in out.getvalue()


def test_names_are_quoted() -> None:
    assert client.quoted("a`b") == "`a``b`"
