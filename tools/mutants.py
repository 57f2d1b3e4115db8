"""Change the pure core in small ways and see whether a test notices: `make mutants [MODULES='plan duty']`.

mutmut does the work, in `build/mutants/tree`, a copy of the checkout in which `_utils` is called `src` (mutmut finds
no tests for code in a folder of another name). Each mutant meets only those tests that run the changed function, as
a first run of all has found out. What was judged is remembered, by function: stop it whenever you like, run it again,
change a test or a function, and it goes on with what is new.

Prints the share that was killed and writes the survivors, as diffs, to `build/mutants/MODULE.diff`.
docs/mutants.md says why those that are left may live.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/mutants"
TREE = BUILD / "tree"
MUTMUT = Path(sys.executable).parent / "mutmut"

COPIED = ("_modules", "_states", "_runners", "hadb", "docs", "tools", "test", "pillar.example", "kitchen.yml")
# Tests of the lab and of the scenarios' own tools never run the core.
TESTS = tuple(f"test/unit/{folder.name}" for folder in sorted((ROOT / "test/unit").iterdir())
              if folder.is_dir() and folder.name not in ("bench", "lab", "scenario", "__pycache__"))  # fmt: skip
CONFIG = """
[tool.pytest.ini_options]
pythonpath = ["src", "test/lab", "test"]
addopts = "-p no:cacheprovider -p no:randomly -x -q"

[tool.mutmut]
source_paths = ["src"]
also_copy = {copied}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = [{deselected}]
"""
# They start a process of their own, which cannot run a mutant, or judge files that a mutant does not change.
DESELECTED = ("test/unit/core/test_pillar_doc.py",)
ALIVE = ("survived", "no tests")


def main(modules: list[str]) -> int:
    """Judge the mutants of ``modules`` of the core, of all without a name; return 0 when no module is unknown."""
    known = sorted(path.stem for path in (ROOT / "_utils/hadb_core").glob("*.py") if path.stem != "__init__")
    unknown = sorted(set(modules) - set(known))
    if unknown:
        print(f"no such module of hadb_core: {', '.join(unknown)}", file=sys.stderr)
        return 2
    prepare()
    # Hypothesis: always the same examples and no deadline, or the same mutant lives one day and dies the next.
    environment = os.environ | {"CI": "true", "PYTHONDONTWRITEBYTECODE": "1"}
    for module in modules or [""]:
        names = [f"hadb_core.{module}.*"] if module else []
        # With names mutmut judges again what it knows; so it gets only those that have no verdict.
        wanted = [name for name, verdict in verdicts() if verdict == "not checked" and name.startswith(f"hadb_core.{module}.")]
        if names and wanted:
            names = wanted
        print(f"judging {module or 'all modules'} ...", flush=True)
        with (BUILD / "mutmut.log").open("w") as log:
            done = subprocess.run([MUTMUT, "run", "--max-children", "2", *names], cwd=TREE, env=environment,
                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)  # fmt: skip
        if done.returncode:
            print(f"mutmut failed; {log.name} says why", file=sys.stderr)
            return done.returncode
    report(modules or known)
    return 0


def prepare() -> None:
    """Bring the tree up to date, leaving alone what has not changed, so that verdicts stay valid."""
    TREE.mkdir(parents=True, exist_ok=True)
    sync("_utils", "src")
    for name in COPIED:
        sync(name, name)
    if not (TREE / "_utils").is_symlink():
        (TREE / "_utils").symlink_to("src")
    copied = [*COPIED, "_utils"]
    deselected = ", ".join(f'"--ignore={path}"' for path in DESELECTED)
    text = CONFIG.format(copied=copied, tests=list(TESTS), deselected=deselected)
    config = TREE / "pyproject.toml"
    if not config.exists() or config.read_text() != text:
        config.write_text(text)


def sync(source: str, target: str) -> None:
    """Make ``target`` in the tree equal to ``source`` in the checkout."""
    here, there = ROOT / source, TREE / target
    if here.is_file():
        files = {there: here}
    else:
        files = {there / path.relative_to(here): path for path in here.rglob("*")
                 if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip
        for old in there.rglob("*"):
            if old.is_file() and old not in files and "__pycache__" not in old.parts:
                old.unlink()
    for new, old in files.items():
        if not new.exists() or new.read_bytes() != old.read_bytes():
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(old, new)


def verdicts() -> list[tuple[str, str]]:
    """Return every mutant that mutmut knows with its verdict."""
    if not (TREE / "mutants").is_dir():
        return []
    said = subprocess.run([MUTMUT, "results", "--all", "true"], cwd=TREE, capture_output=True, text=True, check=True).stdout
    rows = (line.strip().partition(": ") for line in said.splitlines() if ": " in line)
    return [(name, verdict) for name, _, verdict in rows]


def report(modules: list[str]) -> None:
    """Print the share of killed mutants by module and write the survivors of each."""
    everything, killed_of_all, judged_of_all = verdicts(), 0, 0
    for module in modules:
        of_module = [(name, verdict) for name, verdict in everything if name.startswith(f"hadb_core.{module}.")]
        alive = [name for name, verdict in of_module if verdict in ALIVE]
        judged = [verdict for _, verdict in of_module if verdict != "not checked"]
        file = BUILD / f"{module}.diff"
        shown = [subprocess.run([MUTMUT, "show", name], cwd=TREE, capture_output=True, text=True, check=True).stdout for name in alive]
        if shown:
            file.write_text("\n".join(shown))
        else:
            file.unlink(missing_ok=True)
        if of_module:
            killed_of_all += len(judged) - len(alive)
            judged_of_all += len(judged)
            left = f", {len(of_module) - len(judged)} not judged yet" if len(judged) < len(of_module) else ""
            print(f"{module}: {len(judged) - len(alive)} of {len(judged)} killed{left}")
    if judged_of_all:
        print(f"{killed_of_all} of {judged_of_all} killed, {100 * killed_of_all / judged_of_all:.1f} %; survivors in {BUILD.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
