"""What runs on a node and searches it for secrets: files, what commands print, every process's words and environment.

Sent to the node as ``python3 -c THIS`` with a JSON document on standard input, so that no secret is on a command line:
``{canaries: {name: [hex]}, roots: [path], skip: [path], commands: {name: argv}, look: [path]}``. The answer is JSON too
and names what was found where, never a secret:
``{hits: [{where, names, access}], unread: [text], access: {path: access}, files, bytes}``; an access is
``[mode, owner, group]``. Forks for the commands only, writes nothing.
"""

import bz2
import grp
import gzip
import json
import lzma
import os
import pwd
import stat
import subprocess
import sys
import zlib

CHUNK = 1 << 20
# pe-input-1.bz2 of Pacemaker, rotated logs.
OPENERS = {".bz2": bz2.open, ".gz": gzip.open, ".xz": lzma.open}
DAMAGED = (OSError, lzma.LZMAError, zlib.error)


class Needles:
    """What is searched for: forms of canaries."""

    def __init__(self, canaries):
        self.names = {}
        for name, forms in canaries.items():
            for form in forms:
                # Two BMCs may have one password.
                self.names.setdefault(bytes.fromhex(form), set()).add(name)
        self.longest = max(map(len, self.names))

    def within(self, data):
        """Return the names of what is in these bytes."""
        return {name for needle, names in self.names.items() if needle in data for name in names}

    def stream(self, read):
        """Return (the names of what is in a stream, its bytes); ``read`` takes a size and returns b"" at the end."""
        found, tail, total = set(), b"", 0
        while chunk := read(CHUNK):
            total += len(chunk)
            window = tail + chunk
            found |= self.within(window)
            tail = window[-self.longest :]
        return found, total


def torn(packed):
    """Return a function that reads a packed file to its end, also to one that came too soon.

    A node that lost its power while it wrote one leaves it so; what nobody can unpack is told to nobody.
    """

    def read(size):
        try:
            # What could be unpacked before the tear; read() would throw it away.
            return packed.read1(size)
        except EOFError:
            return b""

    return read


def access_of(status):
    """Return ``[mode, owner, group]``; a number for an account that has no name."""
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        owner = str(status.st_uid)
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    return [status.st_mode & 0o7777, owner, group]


class Search:
    """Collects what is found, and what could not be looked at."""

    def __init__(self, needles):
        self.needles = needles
        self.hits, self.unread = [], []
        self.files = self.bytes = 0

    def note(self, where, names, access=None):
        """Remember a hit."""
        if names:
            self.hits.append({"where": where, "names": sorted(names), "access": access})

    def tree(self, path, skip):
        """Search a file, or a directory and everything below; symbolic links are not followed."""
        if path in skip:
            return
        try:
            status = os.lstat(path)
            if stat.S_ISDIR(status.st_mode):
                for name in sorted(os.listdir(path)):  # noqa: PTH208 - cheaper than pathlib, on the node
                    self.tree(os.path.join(path, name), skip)  # noqa: PTH118 - as above
            elif stat.S_ISREG(status.st_mode):
                self.file(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            self.unread.append(f"{path}: {error.strerror or error}")

    def file(self, path):
        """Search a file as it is, and unpacked when its name says that it is packed."""
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
            found, total = self.needles.stream(file.read)
            access = access_of(os.fstat(file.fileno()))
        unpack = OPENERS.get(os.path.splitext(path)[1])  # noqa: PTH122 - as above
        if unpack:
            try:
                with unpack(path, "rb") as packed:
                    found |= self.needles.stream(torn(packed))[0]
            except DAMAGED as error:
                self.unread.append(f"{path}: {type(error).__name__}: {error}")
        self.files += 1
        self.bytes += total
        self.note(path, found, access)

    def output(self, name, argv):
        """Search what a command prints; one that fails was not looked at."""
        try:
            with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
                found, total = self.needles.stream(process.stdout.read)
        except OSError as error:
            self.unread.append(f"{name}: {error.strerror}")
            return
        if process.returncode:
            self.unread.append(f"{name}: exit status {process.returncode}")
        self.bytes += total
        self.note(name, found)

    def processes(self, proc="/proc"):
        """Search the command line and the environment of every process but this one."""
        for pid in filter(str.isdigit, os.listdir(proc)):  # noqa: PTH208 - as above
            for what in ("cmdline", "environ"):
                try:
                    with open(f"{proc}/{pid}/{what}", "rb") as file, open(f"{proc}/{pid}/comm") as comm:  # noqa: PTH123 - as above
                        self.note(f"{what} of process {comm.read().strip()}", self.needles.within(file.read()))
                except (FileNotFoundError, ProcessLookupError):
                    break
                except OSError as error:
                    self.unread.append(f"{what} of process {pid}: {error.strerror}")


def accesses(paths):
    """Return path -> access of those that are there."""
    found = {}
    for path in paths:
        try:
            found[path] = access_of(os.lstat(path))
        except FileNotFoundError:
            continue
    return found


def main():
    """Search once."""
    asked = json.load(sys.stdin)
    search = Search(Needles(asked["canaries"]))
    for root in asked["roots"]:
        search.tree(root, set(asked["skip"]))
    for name, argv in asked["commands"].items():
        search.output(name, argv)
    search.processes()
    json.dump({"hits": search.hits, "unread": search.unread, "access": accesses(asked["look"]), "files": search.files,
               "bytes": search.bytes}, sys.stdout)  # fmt: skip


if __name__ == "__main__":
    main()
