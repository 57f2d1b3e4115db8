"""The Pythons that hadb's code must run on, and a check that runs under each that can be had here.

`python test/pythons.py PYTHON...` shows what each says; `check` is what the tests call.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Debian 12 has 3.11, Debian 13 has 3.13, sid has 3.14; Salt's onedir brings 3.10 (3006) or its own newer one.
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
SECONDS = 60

# Runs under the Python in question. Everything compiles without a warning; the core and every module of the
# standard library that loader files name can be imported. What only Salt's environment has is left out.
PROGRAM = """
import ast, importlib, pathlib, sys, warnings
warnings.simplefilter("error")
root = pathlib.Path(sys.argv[1])
sys.dont_write_bytecode = True
sys.path.insert(0, str(root / "_utils"))
beside_salt = {"salt", "cryptography"}
files = [path for folder in ("_utils/hadb_core", "_modules", "_states", "_runners") for path in sorted((root / folder).glob("*.py"))]
wanted, skipped = set(), set()
for path in files:
    tree = compile(path.read_text(encoding="utf-8"), str(path), "exec", ast.PyCF_ONLY_AST)
    compile(tree, str(path), "exec")
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    needs_more = {name for name in names if name.split(".")[0] in beside_salt}
    wanted |= names - needs_more
    if path.parent.name == "hadb_core":
        (skipped if needs_more else wanted).add("hadb_core." + path.stem)
for name in sorted(wanted - skipped):
    importlib.import_module(name)
print("%d.%d: %d files compiled, %d modules imported" % (*sys.version_info[:2], len(files), len(wanted - skipped)))
"""


def find(version: str) -> list[str] | None:
    """Return how to start Python ``version`` of this machine, or None.

    :returns: a command that takes Python's own arguments.
    """
    candidates = [path for path in (shutil.which(f"python{version}"),) if path]
    candidates += [str(path) for path in sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))]
    for path in candidates:
        # A shim of pyenv is there for versions that are not.
        asked = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        said = subprocess.run(asked, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)
        if said.returncode == 0 and said.stdout.strip() == version:
            return [path]
    return None


def inside(root: Path, version: str) -> list[str]:
    """Return how to start Python ``version`` of the Debian at ``root``, with this checkout at /mnt. Needs root.

    :returns: a command that takes Python's own arguments.
    """
    enter = 'mount --rbind "$1" "$0/mnt" && r=$0 && shift && exec chroot "$r" "$@"'
    return ["unshare", "--mount", "sh", "-c", enter, str(root), str(ROOT), f"/usr/bin/python{version}"]


def check(python: Sequence[str]) -> str:
    """Return what the check says under ``python``.

    :raises AssertionError: something does not compile or import there.
    """
    # In a chroot the checkout is at /mnt.
    root = "/mnt" if python[0] == "unshare" else str(ROOT)
    done = subprocess.run([*python, "-B", "-c", PROGRAM, root], capture_output=True, text=True, timeout=SECONDS,
                          stdin=subprocess.DEVNULL, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


if __name__ == "__main__":
    for wanted in sys.argv[1:] or VERSIONS:
        had = find(wanted)
        print(check(had) if had else f"{wanted}: not to be had here, not run")
