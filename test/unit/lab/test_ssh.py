from __future__ import annotations

import pytest
from topologies import RUN, default

from hadblab import ssh
from hadblab.errors import LabError


def test_node_is_reached_past_the_management_network_by_a_connection_of_its_own():
    words = ssh.argv(RUN, "db1", ["true"], ssh.by_way_of(RUN, default(), "db1", "san1"))
    options = words[words.index("-F") + 2 : words.index("db1")]
    assert options[1::2] == [
        "HostName=10.30.1.11", "ProxyJump=san", "ControlPath=/var/tmp/hadb-lab/run/lab/ssh/%n.san1"]  # fmt: skip
    assert words[-3:] == ["db1", "--", "true"]


@pytest.mark.parametrize(("node", "network"), [("db1", "hb1"), ("db9", "san1")])
def test_way_that_there_is_not_is_refused(node: str, network: str):
    with pytest.raises(LabError):
        ssh.by_way_of(RUN, default(), node, network)
