"""The pillar contract: one JSON Schema for everything under ``hadb:``.

It is plain JSON Schema (the subset that :mod:`hadb_core.validate` understands: type,
properties, additionalProperties, required, pattern, enum, minimum, maximum, minItems,
maxItems, minProperties, maxProperties, items), so editors can use it and ``docs/pillar.md``
is made from it. ``secret`` marks values that must never be shown. ``meaning`` says in words
what a pattern wants.
"""

from __future__ import annotations

from hadb_core.schema_kinds import (
    Schema,
    address,
    choice,
    flag,
    listing,
    mapping,
    name,
    number,
    path,
    record,
    secret,
    text,
)

# Linux: at most 15 bytes (IFNAMSIZ - 1), no '/' and no white space.
_INTERFACE = text(
    "A network interface.", r"^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$", "an interface name such as eth1"
)
# lvm(8): VG and LV names; a leading '-' is not allowed.
_LVM_NAME = r"^[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,126}$"

NODE = record(
    "One of the two database nodes; its key is the node's host name (`uname -n`), which is its name in the cluster.",
    {
        "minion_id": name("Salt minion id, where it differs from the node's name."),
        "address": address("Address on the management network."),
        "links": listing(
            "Addresses of the Corosync links, one per heartbeat interface and in their order.",
            address("Address of one link."),
            minItems=1,
            maxItems=8,
        ),
        "bmc": record(
            "The node's BMC, reached over IPMI 2.0 (LAN+).",
            {
                "address": address("Address of the BMC."),
                "username": text(
                    "Account on the BMC; needs the privilege `fencing:privlvl`.",
                    r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,15}$",
                    "at most 16 letters, digits and . _ @ -",
                ),
                # IPMI 2.0, 22.30 Set User Password: 16 or 20 bytes.
                "password": secret("Its password.", 20),
                "new_password": secret("The one to change to, for `ipmitool.change_password`; then make it `password`.", 20),
            },
            ("address", "username", "password"),
        ),
    },
    ("address", "links", "bmc"),
)

HEARTBEAT = record(
    "The direct cables between the nodes.",
    {
        "manage": flag("Configure the interfaces; false if the site already does."),
        "mode": choice(
            "links: every cable is a Corosync link of its own. bond: one bond over all cables, one link.",
            "links",
            "bond",
        ),
        "prefix_length": number("Prefix length of the link networks, bits.", 1, 127),
        "interfaces": listing(
            "The interfaces that the cables are in, on both nodes.", _INTERFACE, minItems=1, maxItems=8
        ),
        "bond": record(
            "The bond, for `mode: bond`.",
            {
                "name": _INTERFACE,
                "mode": choice(
                    "Bonding mode; 802.3ad is the seed's mode 4.", "active-backup", "802.3ad", "balance-rr"
                ),
                "arp_interval": number("How often the peer is asked by ARP, ms.", 50, 10000),
            },
        ),
    },
    ("interfaces",),
)

COROSYNC = record(
    "Corosync, see corosync.conf(5).",
    {
        "port": number("UDP port of the first link.", 1024, 65500),
        "token": number("Time until a silent node is declared lost, ms; knet pings at most five times a second.", 1000, 60000),
        "consensus": number(
            "Time for agreement on a new membership, ms; with two nodes less than the token is safe.", 100, 120000
        ),
        "token_retransmits_before_loss_const": number("Retransmits within one token.", 1, 50),
        "crypto_cipher": choice(
            "Encryption; there is no way to switch it off.", "aes256", "aes192", "aes128"
        ),
        "crypto_hash": choice(
            "Authentication; there is no way to switch it off.", "sha512", "sha384", "sha256"
        ),
        "authkey": text(
            "The key, base64, 128 to 4096 bytes. Left out: made once and shared by `hadb.orch`.",
            r"^[A-Za-z0-9+/\s]{170,5600}={0,2}\s*$",
            "base64 of 128 to 4096 bytes",
        )
        | {"secret": True},
    },
)

STORAGE = record(
    "The shared LUNs and what is on them.",
    {
        "luns": listing(
            "The LUNs of the volume group.",
            record(
                "One LUN.",
                {
                    "wwid": text(
                        "Its WWID as multipath prints it; the same on both nodes.",
                        r"^[A-Za-z0-9][A-Za-z0-9._:-]{7,126}$",
                        "a WWID such as 36001405...",
                    ),
                    "min_size": number("Smallest acceptable size, bytes.", 1, 2**63),
                },
                ("wwid",),
            ),
            minItems=1,
        ),
        "vg": text("Volume group.", _LVM_NAME, "an LVM name"),
        "lv": text("Logical volume.", _LVM_NAME, "an LVM name"),
        "lv_size": text(
            "Its size: `100%FREE` or a number with unit.",
            r"^([1-9][0-9]*(\.[0-9]+)?[MGTP](i?B)?|[1-9][0-9]?%FREE|100%FREE)$",
            "a size such as 500G or 16T, or a share such as 100%FREE",
        ),
        "multipath": record(
            "dm-multipath.",
            {
                "manage": flag("Manage multipath.conf and multipathd."),
                "polling_interval": number("Seconds between two checks of a path.", 1, 60),
                "no_path_retry": number("Polling intervals to wait without any path before I/O fails.", 0, 60),
                "fast_io_fail_tmo": number("Seconds until I/O on a lost path fails over.", 1, 60),
                "extra_wwids": listing(
                    "Further LUNs with a map, such as the one that the node boots from.",
                    text("A WWID.", r"^[A-Za-z0-9][A-Za-z0-9._:-]{7,126}$", "a WWID such as 36001405..."),
                ),
            },
        ),
        "lvm": record(
            "LVM on the nodes.",
            {
                "manage": flag("Manage the LVM settings."),
                "auto_activation_volume_list": listing(
                    "What may be activated at boot; empty: not set. Must name the root VG.",
                    text(
                        "A VG, VG/LV or @tag.", r"^@?[A-Za-z0-9_+.*-]+(/[A-Za-z0-9_+.-]+)?$", "an LVM name"
                    ),
                ),
                "volume_list": listing(
                    "The seed's `activation/volume_list`; must stay empty, LVM-activate refuses to start with it.",
                    text(
                        "A VG, VG/LV or @tag.", r"^@?[A-Za-z0-9_+.*-]+(/[A-Za-z0-9_+.-]+)?$", "an LVM name"
                    ),
                ),
            },
        ),
        "filesystem": record(
            "The filesystem on the volume.",
            {
                "type": choice("Filesystem.", "ext4"),
                "mount_point": path("Where Pacemaker mounts it."),
                "options": text(
                    "Mount options.", r"^[A-Za-z0-9=,._-]*$", "mount options separated by commas"
                ),
            },
        ),
        "modprobe_alias": text(
            "A line for /etc/modprobe.d, as in the seed; empty: none.",
            r"^(alias [A-Za-z0-9_*:-]+ [A-Za-z0-9_-]+)?$",
            "empty or `alias NAME MODULE`",
        ),
    },
    ("luns",),
)

ACCOUNT = record(
    "A database account.",
    {
        "password": secret("Its password.", 79),
        "hosts": listing(
            "Where it may come from.",
            text("Host pattern.", r"^[A-Za-z0-9%_.:/-]{1,60}$", "a host pattern such as % or 10.0.0.%"),
            minItems=1,
        ),
        "grants": {
            "type": "object",
            "description": "Database -> privileges, for instance {glance: ALL PRIVILEGES}.",
            "names": r"^[A-Za-z0-9_]{1,64}$",
            "additionalProperties": text(
                "Privileges.", r"^[A-Z][A-Z ,]*$", "privileges in capitals, separated by commas"
            ),
        },
    },
    ("password",),
)

_CHARSET = text("Character set or collation.", r"^[a-z0-9_]{2,40}$", "a name such as utf8mb4")

DATABASE = record(
    "The database server.",
    {
        "flavour": choice("Which server.", "mariadb", "mysql"),
        "datadir": path("Data directory; must lie inside the mount point."),
        "bind_address": address("Address the server listens on; 0.0.0.0 serves every VIP."),
        "port": number("TCP port.", 1, 65535),
        "socket": path("Local socket."),
        "pid_file": path("PID file."),
        "error_log": path("Error log."),
        "config_file": path("The option file that hadb owns and the server is started with."),
        "binary": path("The server's program."),
        "user": record(
            "The system account, equal on both nodes.",
            {
                "name": name("User."),
                "group": name("Group."),
                "uid": number("User id.", 1, 2**31),
                "gid": number("Group id.", 1, 2**31),
                "home": path("Home directory."),
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
        "presets": listing("Ready-made databases and accounts.", choice("Preset.", "openstack_nova")),
        "databases": {
            "type": "object",
            "description": "Further databases.",
            "names": r"^[A-Za-z0-9_]{1,64}$",
            "additionalProperties": record("A database.", {"charset": _CHARSET, "collation": _CHARSET}),
        },
        "accounts": mapping("Accounts; `nova` is needed by the preset openstack_nova.", ACCOUNT),
    },
    ("accounts",),
)

VIP = record(
    "A virtual address that follows the database.",
    {
        "address": address("The address."),
        "prefix_length": number("Prefix length of its network, bits.", 1, 128),
        "interface": _INTERFACE,
    },
    ("address", "prefix_length", "interface"),
)

FENCING = record(
    "Fencing by IPMI.",
    {
        "agent": choice(
            "Fence agent. fence_hadb succeeds as soon as the node is off and waits only for a rival that is alive.",
            "fence_hadb",
            "fence_ipmilan",
        ),
        "action": choice(
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
        "privlvl": choice("Privilege level asked for.", "operator", "administrator"),
        "monitor_interval": number("How often each BMC is asked, s.", 10, 3600),
        "timeout": number(
            "Time limit of one power command, s; default: 20 for fence_hadb, 60 for fence_ipmilan.", 10, 600
        ),
        "delay": number("Head start of the node with the database in a fence race, s.", 1, 30),
        "reservations": flag(
            "Reserve the LUNs for the node with the volume (SCSI-3 persistent reservations), and fence by them where the BMC fails."
        ),
    },
)

_OPERATIONS = mapping(
    "Operations of one resource: start, stop, monitor, and further monitors as monitor-NAME.",
    record(
        "One operation.",
        {
            "timeout": number("Time limit, s.", 1, 3600),
            "interval": number("How often, s; monitors only.", 1, 3600),
            "depth": number("OCF_CHECK_LEVEL of a monitor.", 0, 30),
            "on_fail": choice("What a failure leads to.", "restart", "fence", "block", "ignore", "stop", "standby"),
        },
    ),
)

PACEMAKER = record(
    "Policies of the cluster.",
    {
        "agents": choice(
            "Resource agents: hadb's own, or those of the package resource-agents. A change restarts the database, on either node.",
            "hadb",
            "stock",
        ),
        "stickiness": number(
            "resource-stickiness: a recovered node does not pull the database back.", 0, 1000000
        ),
        "migration_threshold": number("Failures after which a resource moves.", 1, 1000000),
        "failure_timeout": number("After this time a failure is forgotten, s.", 0, 604800),
        "cluster_recheck_interval": number("cluster-recheck-interval, s.", 30, 3600),
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
        "operations": record(
            "Operations of the resources.",
            dict.fromkeys(("lvm", "fs", "vip", "server"), _OPERATIONS),
        ),
        "allow_restart": flag("May a run apply a CIB change that restarts or moves the database?"),
    },
)

SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "hadb pillar",
    **record(
        "Everything under the pillar key `hadb`.",
        {
            "cluster_name": text(
                "Name of the cluster.",
                r"^[A-Za-z0-9][A-Za-z0-9_-]{0,14}$",
                "at most 15 letters, digits, _ and -",
            ),
            "nodes": mapping("The two database nodes.", NODE, minProperties=2, maxProperties=2),
            "bootstrap_node": name(
                "Where the once-only steps run at first; default: the first node by name."
            ),
            "heartbeat": HEARTBEAT,
            "corosync": COROSYNC,
            "storage": STORAGE,
            "database": DATABASE,
            "vips": mapping("The virtual addresses.", VIP, minProperties=1, maxProperties=20),
            "fencing": FENCING,
            "pacemaker": PACEMAKER,
            "packages": mapping(
                "Package names, where they differ from parameters/os_family.",
                listing("Packages.", name("Package.")),
            ),
        },
        ("nodes", "heartbeat", "storage", "database", "vips"),
    ),
}
