"""Every function of every module, called for real through Salt on a whole cluster (``function_table.py``)."""

from __future__ import annotations

import json
import re
from contextlib import closing

from scenario import digest, results
from scenario.function_player import Player
from scenario.function_table import CALLS
from scenario.lab import Lab
from scenario.salt_calls import Salt
from scenario.session import Session
from scenario.stage import wait_whole

# What useradd and multipath leave behind: copies of what they change, and the WWIDs that ever had a map.
_COPY = re.compile(r".*/etc/((passwd|group|shadow|gshadow|subuid|subgid)-|multipath/wwids)( |$)")


def test_every_function_does_what_it_says_and_is_put_back(converged: Lab, session: Session) -> None:
    session.touched()
    results.BUILD.mkdir(parents=True, exist_ok=True)
    home = wait_whole(converged).home("db-server") or ""
    before = {node: _lasting(converged, node) for node in converged.nodes}
    with closing(Salt(converged)) as salt:
        player = Player(converged, salt, home, results.BUILD)
        findings = player.play(CALLS)
    (results.BUILD / "functions.json").write_text(json.dumps(player.record, indent=1) + "\n", encoding="utf-8")
    assert findings == [], "\n" + "\n".join(findings)
    # One node was fenced last: it has come back by itself, and the database is where it was.
    assert wait_whole(converged).home("db-server") == home
    player.close()
    for node in converged.nodes:
        assert set(_lasting(converged, node)) ^ set(before[node]) == set(), f"{node} is not as it was"
    session.settled()


def _lasting(lab: Lab, node: str) -> list[str]:
    return [line for line in digest.node(lab, node) if not _COPY.match(line)]
