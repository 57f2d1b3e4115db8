"""What the plans for Corosync's key say, word for word, and how long a key may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hadb_core import corosync_authkey as authkey
from hadb_core.errors import Refused
from hadb_core.plan import Plan, Step

ONE, OTHER = "1" * 64, "2" * 64
SHOWN, OTHER_SHOWN = "sha256 111111111111", "sha256 222222222222"


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as error:
        call()
    return str(error.value)


def test_a_fingerprint_is_shown_short_and_none_is_shown_as_none() -> None:
    assert (authkey.short(ONE), authkey.short(None), authkey.short("")) == (SHOWN, None, None)


@pytest.mark.parametrize("size", [127, 4097])
def test_a_key_of_a_size_that_corosync_refuses_is_refused(size: int) -> None:
    assert refusal(lambda: authkey.check_size(b"x" * size)) == (
        f"the Corosync key has {size} bytes. What to do: a key has 128 to 4096 bytes; make one with corosync-keygen"
    )


@pytest.mark.parametrize("size", [128, 4096])
def test_the_shortest_and_the_longest_key_are_taken(size: int) -> None:
    authkey.check_size(b"x" * size)


def test_no_key_anywhere_is_made_on_the_bootstrap_node_and_copied() -> None:
    made = "256 random bytes, the same on every node"
    assert authkey.plan_agreement({"db2": None, "db1": None, "db3": ""}, "db2") == Plan((
        Step("generate", "corosync key on db2", None, made, {"node": "db2"}),
        Step("copy", "corosync key on db1", None, made, {"source": "db2", "target": "db1"}),
        Step("copy", "corosync key on db3", None, made, {"source": "db2", "target": "db3"}),
    ))  # fmt: skip


def test_a_key_that_is_there_is_copied_from_the_first_node_that_has_it() -> None:
    assert authkey.plan_agreement({"db3": ONE, "db2": ONE, "db1": None}, "db1") == Plan((
        Step("copy", "corosync key on db1", None, SHOWN, {"source": "db2", "target": "db1"}),
    ))  # fmt: skip
    assert authkey.plan_agreement({"db2": ONE, "db1": ONE}, "db1") == Plan()


def test_different_keys_are_told_apart_by_node() -> None:
    assert refusal(lambda: authkey.plan_agreement({"db2": ONE, "db1": OTHER, "db3": None}, "db1")) == (
        f"the nodes have different Corosync keys (db1 {OTHER_SHOWN}, db2 {SHOWN}). What to do: on the node that is not "
        "rightly in the cluster stop pacemaker and corosync, move /etc/corosync/authkey away, run hadb.orch again"
    )


def key(fingerprint: str = ONE, mode: int = 0o400, root: bool = True) -> dict[str, Any]:
    return {"fingerprint": fingerprint, "mode": mode, "root": root}


@pytest.mark.parametrize(
    ("have", "want", "plan"),
    [
        (None, ONE, Plan((Step("authkey_from_pillar", authkey.PATH, None, SHOWN, {"pillar_key": "k"}),))),
        (key(), OTHER, Plan((Step("authkey_from_pillar", authkey.PATH, SHOWN, OTHER_SHOWN, {"pillar_key": "k"}),))),
        (None, None, Plan(remarks=("There is no key yet; hadb.orch makes one and gives it to both nodes",))),
        (key(mode=0o44), ONE, Plan((Step("authkey_secure", authkey.PATH, "mode 0044", "mode 0400, owned by root"),))),
        (key(root=False), None,
         Plan((Step("authkey_secure", authkey.PATH, "mode 0400, not owned by root", "mode 0400, owned by root"),))),
        (key(), ONE, Plan()),
        (key(), None, Plan()),
    ],
)  # fmt: skip
def test_what_a_node_does_about_its_key(have: Any, want: str | None, plan: Plan) -> None:
    assert authkey.plan_node(have, want, "k") == plan


def test_a_running_corosync_keeps_its_key() -> None:
    assert refusal(lambda: authkey.plan_node(key(), OTHER, "k", running=True)) == (
        f"Corosync runs with another key ({SHOWN}) than the pillar has ({OTHER_SHOWN}). What to do: stop pacemaker and "
        "corosync on both nodes, apply again, start them; or take the pillar's key back"
    )
    assert authkey.plan_node(None, OTHER, "k", running=True).steps and not authkey.plan_node(key(), ONE, "k", running=True)
