"""The table of what was measured, for a terminal and for docs/performance.md. Pure."""

from __future__ import annotations

from statistics import median

from scenario.phases import PHASES

from bench import calm_verdict, formula_verdict
from bench.cases import CASES, OURS, SEED
from bench.results import Results, Run
from bench.stats import typical
from bench.verdict import Check, Row, rows


def text(results: Results) -> str:
    """Return everything in lines for a terminal, one line per case."""
    lines = [f"{'case':26} {'ours':>20} {'seed':>20}  figures (target)"]
    lines += [_line(row) for row in rows(results)]
    checks = _others(results)
    lines += [f"{check.name:50} {check.value:>17}  ({check.target})  {formula_verdict.word(check)}" for check in checks]
    if results.floor:
        parts = ", ".join(f"{name} {median(values):.2f} s" for name, values in results.floor.items() if values)
        lines.append(f"floor (database by hand, medians): {parts}")
    lines += [f"! {problem}" for problem in problems(results)]
    return "\n".join(lines) + "\n"


def problems(results: Results) -> list[str]:
    """Return what kept the bench from measuring everything; none means exit status 0."""
    found = [f"{run.case}, {run.config}, round {run.round}: {finding}" for run in results.runs for finding in run.findings]
    found += [f"{run.case}, {run.config}, round {run.round}: {run.lost} acknowledged writes lost" for run in results.runs if run.lost]
    return found + results.problems


def markdown(results: Results) -> str:
    """Return the same as tables of Markdown, with where the time went."""
    out = [f"{key}: {value}  " for key, value in results.machine.items()]
    out += [f"{part}: measured {then.get('when', '?')}, commit {then.get('commit', '?')}  " for part, then in results.kept.items()]
    out += [f"rounds: {results.rounds}", "", "| case | ours | seed | figures | lost | |", "|---|---|---|---|---|---|"]
    for row in rows(results):
        figures = "<br>".join(f"{check.name} {check.value} ({check.target})" for check in row.checks)
        out.append(f"| {row.title} | {row.ours} | {row.seed} | {figures} | {_lost(row)} | {row.verdict} |")
    out += ["", "Where the time went, in seconds, in the run in the middle:", ""]
    out += [f"| case | | {' | '.join(PHASES)} |", f"|---|---|{'---|' * len(PHASES)}"]
    for title, config, run in middle(results):
        cells = " | ".join(f"{run.phases.get(phase, 0.0):.1f}" for phase in PHASES)
        out.append(f"| {title} | {config} | {cells} |")
    out += ["", "| floor: the database by hand | median | all |", "|---|---|---|"]
    out += [f"| {name} | {median(values):.2f} s | {_all(values)} |" for name, values in results.floor.items() if values]
    out += ["", "| runs of the formula; calm | measured | target | |", "|---|---|---|---|"]
    out += [
        f"| {check.name} | {check.value} | {check.target} | {formula_verdict.word(check)} |"
        for check in _others(results)
    ]
    return "\n".join(out) + "\n"


def middle(results: Results) -> list[tuple[str, str, Run]]:
    """Return (case, configuration, run in the middle) of each that has outages with phases."""
    found = []
    for case in CASES:
        for config in (OURS, SEED):
            runs = [run for run in results.of(case, config) if run.phases]
            if runs:
                found.append((case.title, config, runs[typical([run.outage for run in runs])]))
    return found


def _others(results: Results) -> list[Check]:
    return [*formula_verdict.checks(results.formula), *calm_verdict.checks(results.calm)]


def _line(row: Row) -> str:
    figures = "; ".join(_figure(check) for check in row.checks)
    lost = f"; lost {_lost(row)}" if row.lost != 0 else ""
    return f"{row.title:26} {row.ours:>20} {row.seed:>20}  {figures}{lost}  {row.verdict}"


def _figure(check: Check) -> str:
    return f"{check.name} {check.value} ({check.target})"


def _lost(row: Row) -> str:
    return "?" if row.lost is None else str(row.lost)


def _all(values: list[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)
