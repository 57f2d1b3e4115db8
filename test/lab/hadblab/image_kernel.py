"""The nodes' kernel: Debian's User-Mode Linux, made to run on an older host."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

from hadblab.errors import LabError
from hadblab.image_root import ISOLATED, MIRROR
from hadblab.run import run

# Older releases' kernels die at the first process on hosts with AMX registers.
_SUITE = "forky"
_LIBRARIES = Path("usr/lib/x86_64-linux-gnu")
_LOADER = "ld-linux-x86-64.so.2"
KERNEL = "linux.uml"


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
            *ISOLATED, "mmdebstrap", "--mode=root", "--format=directory", "--variant=extract",
            "--include=user-mode-linux,libc6",
            # A testing suite's Release file may be older than its own expiry date.
            "--aptopt=Acquire::Check-Valid-Until false",
            _SUITE, package, MIRROR,
        ],
        timeout=600,
    )  # fmt: skip
    (target / "lib").mkdir()
    for name in (_LOADER, "libc.so.6"):
        shutil.copy2(package / _LIBRARIES / name, target / "lib" / name)
    shutil.copy2(package / "usr/bin/linux.uml", target / KERNEL)
    library = final / "lib"
    run(["patchelf", "--set-interpreter", library / _LOADER, "--set-rpath", library, target / KERNEL])
    modules = target / "modules"
    (package / "usr/lib/uml/modules").rename(modules)
    # Debian ships them with debugging data: five times the size, also in every initramfs.
    run(["strip", "--strip-debug", *sorted(modules.rglob("*.ko"))])
    config = package / "usr/share/doc/user-mode-linux/config.gz"
    (target / "config").write_bytes(gzip.decompress(config.read_bytes()))
    shutil.rmtree(package)


def release(directory: Path) -> str:
    """Return the kernel release, which is the name of its modules' directory.

    :raises LabError: there is not exactly one.
    """
    found = sorted(path.name for path in (directory / "modules").iterdir())
    if len(found) != 1:
        raise LabError(f"{directory}/modules: expected one kernel release, found {found}")
    return found[0]
