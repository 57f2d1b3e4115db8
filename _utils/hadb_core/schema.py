"""The pillar contract: one JSON Schema for everything under ``hadb:``.

It is plain JSON Schema (the subset that :mod:`hadb_core.validate` understands: type,
properties, additionalProperties, required, pattern, enum, minimum, maximum, minItems,
maxItems, minProperties, maxProperties, items), so editors can use it and ``docs/pillar.md``
is made from it. ``secret`` marks values that must never be shown. ``meaning`` says in words
what a pattern wants.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _object(description: str, properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _map(description: str, values: Schema, **limits: int) -> Schema:
    return {
        "type": "object",
        "description": description,
        "names": NAME,
        "additionalProperties": values,
        **limits,
    }


def _list(description: str, items: Schema, **limits: int) -> Schema:
    return {"type": "array", "description": description, "items": items, **limits}


def _text(description: str, pattern: str, meaning: str) -> Schema:
    return {"type": "string", "description": description, "pattern": pattern, "meaning": meaning}


def _number(description: str, low: int, high: int) -> Schema:
    return {"type": "integer", "description": description, "minimum": low, "maximum": high}


def _choice(description: str, *values: str) -> Schema:
    return {"type": "string", "description": description, "enum": list(values)}


def _flag(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def _name(description: str) -> Schema:
    return _text(description, NAME, "letters, digits, '.', '_' and '-', starting with a letter or digit")


def _path(description: str) -> Schema:
    return _text(
        description, r"^(/[A-Za-z0-9_][A-Za-z0-9._+-]*)+$", "an absolute path of letters, digits and . _ + -"
    )


def _address(description: str) -> Schema:
    return {"type": "string", "description": description, "format": "ip"}


def _secret(description: str, longest: int) -> Schema:
    meaning = f"8 to {longest} printable ASCII characters without spaces"
    return _text(description, rf"^[\x21-\x7e]{{8,{longest}}}$", meaning) | {"secret": True}


# Names of nodes, accounts, resources: what hostnames, CIB ids and LVM all accept.
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
# Linux: at most 15 bytes (IFNAMSIZ - 1), no '/' and no white space.
_INTERFACE = _text(
    "A network interface.", r"^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$", "an interface name such as eth1"
)
# lvm(8): VG and LV names; a leading '-' is not allowed.
_LVM_NAME = r"^[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,126}$"

NODE = _object(
    "One of the two database nodes; its key is the node's host name (`uname -n`), which is its name in the cluster.",
    {
        "minion_id": _name("Salt minion id, where it differs from the node's name."),
        "address": _address("Address on the management network."),
        "links": _list(
            "Addresses of the Corosync links, one per heartbeat interface and in their order.",
            _address("Address of one link."),
            minItems=1,
            maxItems=8,
        ),
        "bmc": _object(
            "The node's BMC, reached over IPMI 2.0 (LAN+).",
            {
                "address": _address("Address of the BMC."),
                "username": _text(
                    "Account on the BMC; needs the privilege `fencing:privlvl`.",
                    r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,15}$",
                    "at most 16 letters, digits and . _ @ -",
                ),
                # IPMI 2.0, 22.30 Set User Password: 16 or 20 bytes.
                "password": _secret("Its password.", 20),
            },
            ("address", "username", "password"),
        ),
    },
    ("address", "links", "bmc"),
)

HEARTBEAT = _object(
    "The direct cables between the nodes.",
    {
        "manage": _flag("Configure the interfaces; false if the site already does."),
        "mode": _choice(
            "links: every cable is a Corosync link of its own. bond: one bond over all cables, one link.",
            "links",
            "bond",
        ),
        "prefix_length": _number("Prefix length of the link networks, bits.", 1, 127),
        "interfaces": _list(
            "The interfaces that the cables are in, on both nodes.", _INTERFACE, minItems=1, maxItems=8
        ),
        "bond": _object(
            "The bond, for `mode: bond`.",
            {
                "name": _INTERFACE,
                "mode": _choice(
                    "Bonding mode; 802.3ad is the seed's mode 4.", "active-backup", "802.3ad", "balance-rr"
                ),
                "arp_interval": _number("How often the peer is asked by ARP, ms.", 50, 10000),
            },
        ),
    },
    ("interfaces",),
)

COROSYNC = _object(
    "Corosync, see corosync.conf(5).",
    {
        "port": _number("UDP port of the first link.", 1024, 65500),
        "token": _number("Time until a silent node is declared lost, ms; knet pings at most five times a second.", 1000, 60000),
        "consensus": _number(
            "Time for agreement before a new membership round, ms; default 1.2 x token.", 100, 120000
        ),
        "token_retransmits_before_loss_const": _number("Retransmits within one token.", 1, 50),
        "crypto_cipher": _choice(
            "Encryption; there is no way to switch it off.", "aes256", "aes192", "aes128"
        ),
        "crypto_hash": _choice(
            "Authentication; there is no way to switch it off.", "sha512", "sha384", "sha256"
        ),
        "authkey": _text(
            "The key, base64, 128 to 4096 bytes. Left out: made once and shared by `hadb.orch`.",
            r"^[A-Za-z0-9+/\s]{170,5600}={0,2}\s*$",
            "base64 of 128 to 4096 bytes",
        )
        | {"secret": True},
    },
)

STORAGE = _object(
    "The shared LUNs and what is on them.",
    {
        "luns": _list(
            "The LUNs of the volume group.",
            _object(
                "One LUN.",
                {
                    "wwid": _text(
                        "Its WWID as multipath prints it; the same on both nodes.",
                        r"^[A-Za-z0-9][A-Za-z0-9._:-]{7,126}$",
                        "a WWID such as 36001405...",
                    ),
                    "min_size": _number("Smallest acceptable size, bytes.", 1, 2**63),
                },
                ("wwid",),
            ),
            minItems=1,
        ),
        "vg": _text("Volume group.", _LVM_NAME, "an LVM name"),
        "lv": _text("Logical volume.", _LVM_NAME, "an LVM name"),
        "lv_size": _text(
            "Its size: `100%FREE` or a number with unit.",
            r"^([1-9][0-9]*(\.[0-9]+)?[MGTP](i?B)?|[1-9][0-9]?%FREE|100%FREE)$",
            "a size such as 500G or 16T, or a share such as 100%FREE",
        ),
        "multipath": _object(
            "dm-multipath.",
            {
                "manage": _flag("Manage multipath.conf and multipathd."),
                "polling_interval": _number("Seconds between two checks of a path.", 1, 60),
                "no_path_retry": _number("Polling intervals to wait without any path before I/O fails.", 0, 60),
                "fast_io_fail_tmo": _number("Seconds until I/O on a lost path fails over.", 1, 60),
                "extra_wwids": _list(
                    "Further LUNs with a map, such as the one that the node boots from.",
                    _text("A WWID.", r"^[A-Za-z0-9][A-Za-z0-9._:-]{7,126}$", "a WWID such as 36001405..."),
                ),
            },
        ),
        "lvm": _object(
            "LVM on the nodes.",
            {
                "manage": _flag("Manage the LVM settings."),
                "auto_activation_volume_list": _list(
                    "What may be activated at boot; empty: not set. Must name the root VG.",
                    _text(
                        "A VG, VG/LV or @tag.", r"^@?[A-Za-z0-9_+.*-]+(/[A-Za-z0-9_+.-]+)?$", "an LVM name"
                    ),
                ),
                "volume_list": _list(
                    "The seed's `activation/volume_list`; must stay empty, LVM-activate refuses to start with it.",
                    _text(
                        "A VG, VG/LV or @tag.", r"^@?[A-Za-z0-9_+.*-]+(/[A-Za-z0-9_+.-]+)?$", "an LVM name"
                    ),
                ),
            },
        ),
        "filesystem": _object(
            "The filesystem on the volume.",
            {
                "type": _choice("Filesystem.", "ext4"),
                "mount_point": _path("Where Pacemaker mounts it."),
                "options": _text(
                    "Mount options.", r"^[A-Za-z0-9=,._-]*$", "mount options separated by commas"
                ),
            },
        ),
        "modprobe_alias": _text(
            "A line for /etc/modprobe.d, as in the seed; empty: none.",
            r"^(alias [A-Za-z0-9_*:-]+ [A-Za-z0-9_-]+)?$",
            "empty or `alias NAME MODULE`",
        ),
    },
    ("luns",),
)

ACCOUNT = _object(
    "A database account.",
    {
        "password": _secret("Its password.", 79),
        "hosts": _list(
            "Where it may come from.",
            _text("Host pattern.", r"^[A-Za-z0-9%_.:/-]{1,60}$", "a host pattern such as % or 10.0.0.%"),
            minItems=1,
        ),
        "grants": {
            "type": "object",
            "description": "Database -> privileges, for instance {glance: ALL PRIVILEGES}.",
            "names": r"^[A-Za-z0-9_]{1,64}$",
            "additionalProperties": _text(
                "Privileges.", r"^[A-Z][A-Z ,]*$", "privileges in capitals, separated by commas"
            ),
        },
    },
    ("password",),
)

_CHARSET = _text("Character set or collation.", r"^[a-z0-9_]{2,40}$", "a name such as utf8mb4")

DATABASE = _object(
    "The database server.",
    {
        "flavour": _choice("Which server.", "mariadb", "mysql"),
        "datadir": _path("Data directory; must lie inside the mount point."),
        "bind_address": _address("Address the server listens on; 0.0.0.0 serves every VIP."),
        "port": _number("TCP port.", 1, 65535),
        "socket": _path("Local socket."),
        "pid_file": _path("PID file."),
        "error_log": _path("Error log."),
        "config_file": _path("The option file that hadb owns and the server is started with."),
        "binary": _path("The server's program."),
        "user": _object(
            "The system account, equal on both nodes.",
            {
                "name": _name("User."),
                "group": _name("Group."),
                "uid": _number("User id.", 1, 2**31),
                "gid": _number("Group id.", 1, 2**31),
                "home": _path("Home directory."),
            },
        ),
        "settings": {
            "type": "object",
            "description": "[mysqld] settings of the file that hadb owns.",
            "names": r"^[a-z][a-z0-9_-]{1,63}$",
            "additionalProperties": {
                "type": ["string", "integer", "boolean"],
                "description": "Value.",
                "pattern": r"^[A-Za-z0-9_.,:/%+*@-]*$",
                "meaning": "no quotes, spaces or control characters",
            },
        },
        "presets": _list("Ready-made databases and accounts.", _choice("Preset.", "openstack_nova")),
        "databases": {
            "type": "object",
            "description": "Further databases.",
            "names": r"^[A-Za-z0-9_]{1,64}$",
            "additionalProperties": _object("A database.", {"charset": _CHARSET, "collation": _CHARSET}),
        },
        "accounts": _map("Accounts; `nova` is needed by the preset openstack_nova.", ACCOUNT),
    },
    ("accounts",),
)

VIP = _object(
    "A virtual address that follows the database.",
    {
        "address": _address("The address."),
        "prefix_length": _number("Prefix length of its network, bits.", 1, 128),
        "interface": _INTERFACE,
    },
    ("address", "prefix_length", "interface"),
)

FENCING = _object(
    "Fencing by IPMI.",
    {
        "agent": _choice("Fence agent.", "fence_ipmilan"),
        "action": _choice(
            "reboot: the fenced node comes back by itself. off: it stays off until a human looks.",
            "reboot",
            "off",
        ),
        # IPMI 2.0 table 22-20; 0 (no authentication) is deliberately not to be had.
        "cipher": {
            "type": "integer",
            "description": "Cipher suite: 17 (SHA-256) or 3 (SHA-1).",
            "enum": [3, 17],
        },
        "privlvl": _choice("Privilege level asked for.", "operator", "administrator"),
        "monitor_interval": _number("How often each BMC is asked, s.", 10, 3600),
        "timeout": _number("Time limit of one power command, s.", 10, 600),
        "delay": _number("Head start of the node with the database in a fence race, s.", 1, 30),
    },
)

_OPERATIONS = _map(
    "Operations of one resource: start, stop, monitor, and further monitors as monitor-NAME.",
    _object(
        "One operation.",
        {
            "timeout": _number("Time limit, s.", 1, 3600),
            "interval": _number("How often, s; monitors only.", 1, 3600),
            "depth": _number("OCF_CHECK_LEVEL of a monitor.", 0, 30),
            "on_fail": _choice("What a failure leads to.", "restart", "fence", "block", "ignore", "stop", "standby"),
        },
    ),
)

PACEMAKER = _object(
    "Policies of the cluster.",
    {
        "stickiness": _number(
            "resource-stickiness: a recovered node does not pull the database back.", 0, 1000000
        ),
        "migration_threshold": _number("Failures after which a resource moves.", 1, 1000000),
        "failure_timeout": _number("After this time a failure is forgotten, s.", 0, 604800),
        "cluster_recheck_interval": _number("cluster-recheck-interval, s.", 30, 3600),
        "properties": {
            "type": "object",
            "description": "Further cluster properties; checked by name and value against Pacemaker's own list.",
            "names": r"^[a-z][a-z0-9-]{1,63}$",
            "additionalProperties": {
                "type": ["string", "integer", "boolean"],
                "description": "Value.",
                "pattern": r"^[A-Za-z0-9_.:%+-]*$",
                "meaning": "no quotes, spaces or control characters",
            },
        },
        "operations": _object(
            "Operations of the resources.",
            dict.fromkeys(("lvm", "fs", "vip", "server"), _OPERATIONS),
        ),
        "allow_restart": _flag("May a run apply a CIB change that restarts or moves the database?"),
    },
)

SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "hadb pillar",
    **_object(
        "Everything under the pillar key `hadb`.",
        {
            "cluster_name": _text(
                "Name of the cluster.",
                r"^[A-Za-z0-9][A-Za-z0-9_-]{0,14}$",
                "at most 15 letters, digits, _ and -",
            ),
            "nodes": _map("The two database nodes.", NODE, minProperties=2, maxProperties=2),
            "bootstrap_node": _name(
                "Where the once-only steps run at first; default: the first node by name."
            ),
            "heartbeat": HEARTBEAT,
            "corosync": COROSYNC,
            "storage": STORAGE,
            "database": DATABASE,
            "vips": _map("The virtual addresses.", VIP, minProperties=1, maxProperties=20),
            "fencing": FENCING,
            "pacemaker": PACEMAKER,
            "packages": _map(
                "Package names, where they differ from parameters/os_family.",
                _list("Packages.", _name("Package.")),
            ),
        },
        ("nodes", "heartbeat", "storage", "database", "vips"),
    ),
}
