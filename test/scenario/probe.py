"""What runs on a node and says, many times a second, what the node holds. Forks nothing, writes nothing.

Sent to the node as ``python3 -c THIS SETTINGS``; settings are ``{mount, volume, addresses, interval}``.
Each line is ``[monotonic, boot, mounted, volume, server, [addresses]]``.
"""

import json
import os
import re
import sys
import time

SERVERS = ("mariadbd", "mysqld")
# A process can become the server by exec only soon after it appeared; after as many looks it is taken as known.
LOOKS = 20


def read(path):
    """Return a file's text, or nothing when it is not there (any more)."""
    try:
        with open(path) as file:  # noqa: PTH123 - cheaper than pathlib, on the node
            return file.read()
    except OSError:
        return ""


def mounted(path, mounts):
    """Return whether something is mounted at path."""
    return any(line.split(" ")[1] == path for line in mounts.splitlines())


def volume_active(name, block):
    """Return whether device-mapper has a device of that name."""
    return any(
        entry.startswith("dm-") and read(block + "/" + entry + "/dm/name").strip() == name
        for entry in os.listdir(block)  # noqa: PTH208 - as above
    )


def addresses_held(wanted, trie):
    """Return those addresses that are this node's own, from /proc/net/fib_trie."""
    return [a for a in wanted if re.search(r"\|-- " + re.escape(a) + r"\n\s+/32 host LOCAL", trie)]


class Servers:
    """Finds a running database server without reading every process's name every time."""

    def __init__(self, proc="/proc"):
        self.proc = proc
        self.looks = {}
        self.server = None

    def running(self):
        """Return whether a database server's process is there (a zombie is not)."""
        if self.server and self._is_server(self.server):
            return True
        self.server = None
        pids = [entry for entry in os.listdir(self.proc) if entry.isdigit()]  # noqa: PTH208 - as above
        self.looks = {pid: self.looks.get(pid, 0) + 1 for pid in pids}
        for pid in pids:
            if self.looks[pid] <= LOOKS and self._is_server(pid):
                self.server = pid
                # Also when it dies and its number goes to another.
                self.looks.pop(pid)
                return True
        return False

    def _is_server(self, pid):
        stat = read(self.proc + "/" + pid + "/stat")
        name, state = stat.partition("(")[2].rpartition(")")[0], stat.rpartition(") ")[2][:1]
        return name in SERVERS and state not in ("Z", "X")


def main():
    """Print one line after the other until nobody reads them."""
    settings = json.loads(sys.argv[1])
    boot = read("/proc/sys/kernel/random/boot_id").strip()
    servers = Servers()
    # The node may be busy building a database: looking on must not wait for that.
    os.nice(-15)
    while True:
        now = time.monotonic()
        line = [
            now, boot, mounted(settings["mount"], read("/proc/mounts")),
            volume_active(settings["volume"], "/sys/block"), servers.running(),
            addresses_held(settings["addresses"], read("/proc/net/fib_trie")),
        ]  # fmt: skip
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        time.sleep(max(0.0, now + settings["interval"] - time.monotonic()))


if __name__ == "__main__":
    main()
