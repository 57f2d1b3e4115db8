"""The last line of `make test` is what CI reads, and a skip never passes unseen."""

from __future__ import annotations

import summary

REPORT = '<testsuites><testsuite tests="{tests}" failures="{failures}" errors="0" skipped="{skipped}" time="1.5">{cases}</testsuite></testsuites>'
SKIP = '<testcase><skipped type="pytest.skip" message="no sid here"/></testcase>'


def write(folder, suites=summary.SUITES, tests=3, failures=0, skips=0):
    for suite in suites:
        text = REPORT.format(tests=tests, failures=failures, skipped=skips, cases=SKIP * skips)
        (folder / f"{suite}.xml").write_text(text)


def test_everything_passed(tmp_path, capsys):
    write(tmp_path)
    assert summary.main(tmp_path) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{3 * len(summary.SUITES)} passed, 0 failed, 0 skipped"


def test_skips_are_counted_and_their_reasons_shown(tmp_path, capsys):
    write(tmp_path, skips=2)
    assert summary.main(tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{len(summary.SUITES)} passed, 0 failed, {2 * len(summary.SUITES)} skipped"
    assert lines.count("  skipped 2 x: no sid here") == len(summary.SUITES)


def test_a_failure_a_missing_report_and_an_empty_suite_are_failures(tmp_path):
    write(tmp_path, failures=1)
    assert summary.main(tmp_path) == 1
    write(tmp_path)
    (tmp_path / "tool.xml").unlink()
    assert summary.main(tmp_path) == 1
    write(tmp_path)
    write(tmp_path, suites=["tool"], tests=2, skips=2)
    assert summary.main(tmp_path) == 1
