"""Finish what a power cut interrupted on this node; ``hadb`` tells whether there is anything."""

from hadb_core.process import run

__virtualname__ = "hadb_write"

_QUIET_APT = {"DEBIAN_FRONTEND": "noninteractive"}
# Seconds for all packages of a node on a slow disk.
_TIMEOUT = 900


def __virtual__():
    return __virtualname__


def finish_installation():
    """
    Finish an interrupted installation, keeping changed configuration files.

    What was unpacked is configured (``dpkg --configure -a``). A package that the interruption caught in the
    middle of being unpacked is unusable and even keeps apt from working; it is removed and installed again.

    CLI Example:

    .. code-block:: bash

        salt db1 hadb_write.finish_installation
    """
    _dpkg("--configure", "-a", answers=(0, 1))
    broken = [
        line.split()[0]
        for line in _run(["dpkg-query", "--show", "--showformat", "${binary:Package} ${db:Status-Eflag}\n"]).out.splitlines()
        if line.endswith(" reinstreq")
    ]
    if broken:
        _dpkg("--remove", "--force-remove-reinstreq", "--force-depends", *broken)
    # A power cut may have taken apt's lists with it. Without a mirror the old ones, if there are any, have to do.
    _apt_get("update", answers=(0, 100))
    _apt_get("--fix-broken", "install")
    if broken:
        _apt_get("install", *broken)
    _dpkg("--configure", "-a")


def _dpkg(*words, answers=(0,)):
    _run(["dpkg", "--force-confdef", "--force-confold", *words], env=_QUIET_APT, timeout=_TIMEOUT, answers=answers)


def _apt_get(*words, answers=(0,)):
    _run(["apt-get", "--yes", "--no-install-recommends", *words], env=_QUIET_APT, timeout=_TIMEOUT, answers=answers)


def _run(argv, **how):
    return run(__salt__["cmd.run_all"], argv, **how)
