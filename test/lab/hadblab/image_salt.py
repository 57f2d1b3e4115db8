"""Salt from PyPI, laid out like Salt's own packages: an environment in /opt/saltstack/salt."""

from __future__ import annotations

import shutil
from pathlib import Path

from hadblab.errors import LabError
from hadblab.image_root import bootstrap, enter, packages
from hadblab.run import run

PREFIX = "/opt/saltstack/salt"
COMMANDS = ("salt", "salt-call", "salt-key", "salt-master", "salt-minion", "salt-run")
ARCHIVE = "salt.tar"

# With a newer setuptools Salt's source package installs without any of its dependencies.
_CONSTRAINT = "setuptools<69\n"
# What a master and a minion load on their way to each other.
_PROOF = "import jinja2, msgpack, yaml, zmq, salt.transport.zeromq"

# 3006 finds its own tornado through an import hook that Python 3.12 no longer calls, so it
# brings Debian 12's Python along, as its own packages bring one.
_OLD_SERIES = "3006."
_OLD_PYTHON = "python3.11"
_BUNDLE = Path("opt/saltstack/python")


def builder(distro: str, version: str) -> str:
    """Return the distribution in whose root Salt ``version`` is built for ``distro``."""
    return "debian12" if version.startswith(_OLD_SERIES) else distro


def build(target: Path, distro: str, version: str) -> None:
    """Compile and install Salt in a throw-away root; leave its files as ``salt.tar``.

    :param distro: what :func:`builder` said.
    :raises LabError: a package could not be fetched or built, or the Salt that came out is
        not ``version`` or lacks what it needs.
    """
    root = target / "root"
    bootstrap(root, distro, packages("builder"))
    (root / "root/constraint").write_text(_CONSTRAINT)
    python = _bundle_python(root) if version.startswith(_OLD_SERIES) else "python3"
    enter(root, [python, "-m", "venv", PREFIX])
    pip = ["/usr/bin/env", "PIP_CONSTRAINT=/root/constraint", f"{PREFIX}/bin/pip"]
    enter(root, [*pip, "install", "-q", f"salt=={version}"])
    for command in COMMANDS:
        (root / "usr/bin" / command).symlink_to(f"{PREFIX}/bin/{command}")
    # A minion that compiles its modules on each first start takes seconds longer.
    enter(root, [f"{PREFIX}/bin/python3", "-m", "compileall", "-q", "-j2", f"{PREFIX}/lib"])
    _prove(root, version)
    commands = [f"usr/bin/{command}" for command in COMMANDS]
    run(["tar", "-C", root, "-cf", target / ARCHIVE, "opt/saltstack", *commands])
    shutil.rmtree(root)


def _bundle_python(root: Path) -> str:
    """Copy the root's Python to where it can be packed with Salt; return its path there."""
    home = root / _BUNDLE
    (home / "bin").mkdir(parents=True)
    (home / "lib").mkdir()
    shutil.copy2(root / "usr/bin" / _OLD_PYTHON, home / "bin" / _OLD_PYTHON)
    shutil.copytree(root / "usr/lib" / _OLD_PYTHON, home / "lib" / _OLD_PYTHON, symlinks=True)
    # For compiling extensions in this root; it leads nowhere, and to no harm, in an image.
    (home / "include").symlink_to("/usr/include")
    return f"/{_BUNDLE}/bin/{_OLD_PYTHON}"


def unpack(archive: Path, root: Path) -> None:
    """Put the built Salt into an image root.

    :raises LabError: ``tar`` failed.
    """
    run(["tar", "-C", root, "-xf", archive])


def _prove(root: Path, version: str) -> None:
    """Raise unless the Salt in ``root`` runs, is ``version`` and can load its dependencies."""
    enter(root, [f"{PREFIX}/bin/python3", "-c", _PROOF])
    said = enter(root, ["salt-call", "--version"])
    if said.split()[1:2] != [version]:
        raise LabError(f"built Salt {version}, but it says {said.strip()!r}")
