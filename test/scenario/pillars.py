"""What the pillar on the lab's master says, for a while something else than the lab's own file.

The front end pushes that file only when it has changed, so what is said here stays until it is taken back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml

from hadblab import ssh
from hadblab.seed_salt import PILLAR as PILLAR_ON_MASTER
from scenario.lab import PILLAR, Lab

GONE = object()
"""As a value: the key is not in the pillar."""

More = Mapping[str, Any]
"""``hadb:fencing:privlvl`` -> value, or :data:`GONE`."""


def text(more: More, lab_says: str) -> str:
    """Return the lab's pillar with more said in it.

    lab_says
        The lab's own file, which is returned as it is when there is nothing more to say.

    Raises KeyError when what is to be gone is not there.
    """
    if not more:
        return lab_says
    pillar = yaml.safe_load(lab_says)
    for path, value in more.items():
        *parents, last = path.split(":")
        place = pillar
        for key in parents:
            place = place.setdefault(key, {})
        if value is GONE:
            del place[last]
        else:
            place[last] = value
    return json.dumps(pillar)


def send(lab: Lab, more: More) -> None:
    """Let the master's pillar say more than the lab's, or nothing more; minions get it with their next run of states."""
    data = text(more, PILLAR.read_text(encoding="utf-8")).encode()
    ssh.send(lab.run, "salt", data, "install", "-m", "0600", "/dev/stdin", f"{PILLAR_ON_MASTER}/hadb.sls")


@contextmanager
def saying(lab: Lab, more: More) -> Iterator[None]:
    """Let the pillar say more for a while, also to the minions' functions."""
    try:
        _tell(lab, more)
        yield
    finally:
        _tell(lab, {})


def _tell(lab: Lab, more: More) -> None:
    send(lab, more)
    lab.verb("salt", "--out=quiet", "*", "saltutil.refresh_pillar", "wait=True")
