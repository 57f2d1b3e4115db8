"""The nodes' kernel: Debian's User-Mode Linux, made to run on an older host."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from pathlib import Path

from hadblab.errors import LabError
from hadblab.image_root import MIRROR
from hadblab.run import run

# Older releases' kernels die at the first process on hosts with AMX registers.
_SUITE = "forky"
_LIBRARIES = Path("usr/lib/x86_64-linux-gnu")
_LOADER = "ld-linux-x86-64.so.2"
KERNEL = "linux.uml"
_BAKE_SECONDS = 180


def build(target: Path, final: Path) -> None:
    """Fill ``target`` with ``linux.uml``, its C library in ``lib/`` and ``modules/VERSION``.

    The kernel re-executes ``/proc/self/exe``, so it cannot be started through a newer loader
    by hand: it is patched to one, whose path has to be absolute.

    :param final: where ``target`` will be once it is complete.
    :raises LabError: the package could not be fetched or patched.
    """
    package = target / "package"
    run(
        [
            "mmdebstrap", "--mode=root", "--format=directory", "--variant=extract",
            "--include=user-mode-linux,libc6",
            # A testing suite's Release file may be older than its own expiry date.
            "--aptopt=Acquire::Check-Valid-Until false",
            _SUITE, package, MIRROR,
        ],
        timeout=600,
    )  # fmt: skip
    (target / "lib").mkdir()
    for library in (_LOADER, "libc.so.6"):
        shutil.copy2(package / _LIBRARIES / library, target / "lib" / library)
    shutil.copy2(package / "usr/bin/linux.uml", target / KERNEL)
    library = final / "lib"
    run(["patchelf", "--set-interpreter", library / _LOADER, "--set-rpath", library, target / KERNEL])
    (package / "usr/lib/uml/modules").rename(target / "modules")
    config = package / "usr/share/doc/user-mode-linux/config.gz"
    (target / "config").write_bytes(gzip.decompress(config.read_bytes()))
    shutil.rmtree(package)


def bake(kernel: Path, image: Path) -> None:
    """Start ``image`` once, writable, with the program ``bake`` that it carries as its init.

    :raises LabError: the kernel did not end by itself, or the program failed.
    """
    with tempfile.TemporaryDirectory(prefix="hadb-bake-") as directory:
        started = run(
            [
                kernel, "umid=bake", f"uml_dir={directory}", "mem=512M", "seccomp=on",
                f"ubd0={image}", "root=/dev/ubda", "rw", "init=/usr/lib/hadb-lab/bake", "quiet",
                "con=null", "con0=null,fd:1", "ssl=null", "lsm=apparmor", "apparmor=1",
            ],
            check=False,
            timeout=_BAKE_SECONDS,
        )  # fmt: skip
    found = run(["debugfs", "-R", "stat /etc/hadb-lab-baked", image])
    if "Inode:" not in found.stdout:
        raise LabError(f"{image}: the first start failed: {started.stdout[-500:]}")


def release(directory: Path) -> str:
    """Return the kernel release, which is the name of its modules' directory.

    :raises LabError: there is not exactly one.
    """
    found = sorted(path.name for path in (directory / "modules").iterdir())
    if len(found) != 1:
        raise LabError(f"{directory}/modules: expected one kernel release, found {found}")
    return found[0]
