"""One chroot for each supported Debian release with everything of it that a database node has, built once and kept.

One each and not one per suite of tests: unpacking a release takes a minute, a few packages more take seconds. Tests only
read it; what they write goes to layers and mounts of their own.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
# Debian 13 split fence-agents into one package per agent; the whole set would be 100 MB of clouds' SDKs.
FENCE_AGENTS: Mapping[str, str] = {
    "bookworm": "fence-agents",
    "trixie": "fence-agents-ipmilan",
    "sid": "fence-agents-ipmilan",
}
# MySQL is in sid only.
SERVERS: Mapping[str, str] = {"bookworm": "mariadb", "trixie": "mariadb", "sid": "mysql"}
SUITES = tuple(SERVERS)
BUILD_SECONDS = 1200

_PACKAGES = (
    "pacemaker", "pacemaker-cli-utils", "crmsh", "resource-agents", "ipmitool", "lvm2", "multipath-tools", "parted", "e2fsprogs",
    "iproute2", "procps", "python3", "apparmor", "systemd",
    # For ocf-tester.
    "libxml2-utils",
)  # fmt: skip


def chroot(suite: str) -> Path:
    """Return the root directory of a release, built if it is not there.

    :raises subprocess.CalledProcessError: it could not be built.
    """
    server = SERVERS[suite]
    packages = (*_PACKAGES, FENCE_AGENTS[suite], f"{server}-server", f"{server}-client")
    key = hashlib.sha256(" ".join((suite, *packages)).encode()).hexdigest()[:12]
    home = Path(os.environ.get("HADB_CACHE", "/root/.cache/hadb")) / "chroots"
    home.mkdir(parents=True, exist_ok=True)
    final = home / f"{suite}-{key}"
    with (home / f"{suite}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.is_dir():
            _build(suite, packages, final)
    return final


def _build(suite: str, packages: Sequence[str], final: Path) -> None:
    partial = final.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    argv = [
        "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
        "mmdebstrap", "--mode=root", "--format=directory", "--variant=minbase",
        # A snapshot mirror serves a sid whose Release file has expired; its signature is checked all the same.
        "--aptopt=Apt::Install-Recommends false", '--aptopt=Acquire::Check-Valid-Until "false"', "--dpkgopt=force-unsafe-io",
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
        # Nothing in a chroot may start a daemon of this machine.
        "--setup-hook=mkdir -p \"$1/usr/sbin\"; printf '#!/bin/sh\\nexit 101\\n' >\"$1/usr/sbin/policy-rc.d\"",
        "--setup-hook=chmod 755 \"$1/usr/sbin/policy-rc.d\"",
        # Since Corosync 3.1.10-2 systemd makes the first two when it starts the service; the others are mounted over.
        '--customize-hook=cd "$1" && mkdir -p var/lib/corosync var/log/corosync dbmnt etc/hadb var/log/mysql',
        f"--include={','.join(packages)}", suite, str(partial), f"deb {MIRROR} {suite} main",
    ]  # fmt: skip
    subprocess.run(argv, check=True, timeout=BUILD_SECONDS, stdin=subprocess.DEVNULL)
    partial.rename(final)
