"""Salt's configuration on the nodes and on the master. Pure."""

from __future__ import annotations

import json

from hadblab.seed_files import File, Files
from hadblab.topology import Node, Topology

FORMULA = "/srv/formula"
PILLAR = "/srv/pillar"
# Connections through a node that lost its power must be noticed soon.
_KEEPALIVE = {"tcp_keepalive": True, "tcp_keepalive_idle": 5, "tcp_keepalive_cnt": 3, "tcp_keepalive_intvl": 2}


def minion_files(topology: Topology, node: Node) -> Files:
    """Return a node's minion configuration: quick to come back, and showing its progress."""
    settings = {
        "master": topology.master.address(topology.management.name),
        "id": node.name,
        "master_tries": -1,
        "acceptance_wait_time": 1,
        "auth_timeout": 5,
        "auth_tries": 60,
        "random_reauth_delay": 1,
        "random_startup_delay": 0,
        "recon_default": 100,
        "recon_max": 1000,
        "recon_randomize": False,
        "state_events": True,
        # Grains that cost seconds here and tell nothing: no GPU, no name server.
        "enable_gpu_grains": False,
        "enable_fqdns_grains": False,
        **_KEEPALIVE,
    }
    return {"etc/salt/minion.d/lab.conf": _yaml(settings), "etc/salt/minion_id": File(node.name)}


def master_files(topology: Topology) -> Files:
    """Return the master's configuration and an assignment of the pillar to every database node."""
    settings = {
        "auto_accept": True,
        "worker_threads": 3,
        # Kernels without hardware support answer late, above all while both are busy.
        "timeout": 15,
        "gather_job_timeout": 15,
        "state_events": True,
        # A formula that was just pushed must be seen at once.
        "fileserver_list_cache_time": 0,
        # Salt 3008's own clients complain of each other's open connections.
        "log_granular_levels": dict.fromkeys(("salt.minion", "salt.runner", "salt.utils.event"), "error"),
        "file_roots": {"base": [FORMULA]},
        "pillar_roots": {"base": [PILLAR]},
        **_KEEPALIVE,
    }
    targets = [node.name for node in topology.of_role("node")]
    # An orchestration compiles its pillar as HOSTNAME_master.
    top = {"base": {target: ["hadb"] for target in [*targets, "*_master"]}}
    return {
        "etc/salt/master.d/lab.conf": _yaml(settings),
        f"{FORMULA[1:]}/.keep": File(""),
        f"{PILLAR[1:]}/top.sls": _yaml(top),
        f"{PILLAR[1:]}/hadb.sls": File("{}\n", 0o600),
    }


def _yaml(settings: object) -> File:
    """Return a file of settings: JSON is YAML."""
    return File(json.dumps(settings, indent=2) + "\n")
