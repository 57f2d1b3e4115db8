"""What runs on a machine and reads every process's command line, up to a thousand times a second. Forks and writes nothing.

Sent to the machine as ``python3 -c THIS`` with ``{canaries: {name: [hex]}, interval, every}`` as JSON on standard input,
times in seconds. Each ``every`` it prints a line of JSON about the time since the last one:
``{looks, seconds, gap, born, missed, hits: [{what, names, shown}]}``. ``gap`` is the longest time between two looks, ``born``
how many processes and threads were made, ``missed`` how many of these were gone before they could be read; ``shown`` has
the secret taken out.

A look costs one read as long as nothing is new: the kernel gives numbers out in order and tells the last one. What is
new is read at once, and again whenever it is an eighth older: a process is the copy of its parent until it executes its
program, which it may do again later.
"""

import heapq
import json
import os
import sys
import time

# Seconds: a process just born is read again after at least one look's time, an old one at least so often.
_OFTEN, _SELDOM = 0.001, 5.0
_GROWTH = 8.0
# More numbers than that at once are not tried one by one: all processes are listed instead.
_MANY = 500


class Needles:
    """What is searched for; as in leak_probe.py, which is another program."""

    def __init__(self, canaries):
        self.names = [(bytes.fromhex(form), name) for name, forms in canaries.items() for form in forms]

    def within(self, data):
        """Return the names of what is in these bytes."""
        return sorted({name for needle, name in self.names if needle in data})

    def without(self, data):
        """Return text with everything that is searched for taken out, to be shown."""
        for needle, _ in sorted(self.names, key=lambda known: -len(known[0])):
            data = data.replace(needle, b"(hidden)")
        return data.replace(b"\0", b" ").decode(errors="replace").strip()


def read(path):
    """Return a file's bytes, or None when it is not there (any more)."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - cheaper than pathlib, on the machine
            return file.read()
    except OSError:
        return None


def last_number(text):
    """Return the number that the newest process or thread got, from /proc/loadavg."""
    return int(text.rpartition(b" ")[2])


def is_thread(number, status):
    """Return whether a number is that of a further thread of a process, from its status."""
    return b"\nTgid:\t%d\n" % number not in status


class Watcher:
    """Knows every process by its number, and when it is to be read next."""

    def __init__(self, needles, proc="/proc"):
        self.needles, self.proc = needles, proc
        self.last = 0
        # When each was born, what its command line was, and (due, number, born) of the next reading.
        self.born, self.lines, self.due = {}, {}, []
        self.count = self.missed = 0
        self.hits = []

    def begin(self, now):
        """Take note of all processes that there are."""
        self.last = last_number(read(self.proc + "/loadavg"))
        self.list_all(now)

    def list_all(self, now):
        """Take note of every process that is not known."""
        for name in os.listdir(self.proc):  # noqa: PTH208 - as above
            if name.isdigit() and int(name) not in self.born:
                self.enter(int(name), now)

    def enter(self, number, now):
        """Read a process that is new, and from now on."""
        self.born[number] = now
        self.lines.pop(number, None)
        heapq.heappush(self.due, (now, number, now))

    def look(self, now):
        """Look once: at what is new, and at what is due."""
        last = last_number(read(self.proc + "/loadavg"))
        if last != self.last:
            self.find_new(last, now)
            self.last = last
        while self.due and self.due[0][0] <= now:
            _, number, born = heapq.heappop(self.due)
            if self.born.get(number) == born and self.inspect(number):
                again = now + min(max((now - born) / _GROWTH, _OFTEN), _SELDOM)
                heapq.heappush(self.due, (again, number, born))

    def find_new(self, last, now):
        """Enter the processes that got the numbers up to the last one; those that are only threads are left out."""
        new = range(self.last + 1, last + 1)
        # Beyond the highest number the kernel begins again with small ones.
        if last < self.last or len(new) > _MANY:
            self.list_all(now)
            return
        for number in new:
            self.count += 1
            status = read(f"{self.proc}/{number}/status")
            if status is None:
                self.missed += 1
            elif not is_thread(number, status):
                self.enter(number, now)

    def inspect(self, number):
        """Read a process and return whether it is still there."""
        line = read(f"{self.proc}/{number}/cmdline")
        if line is None:
            del self.born[number]
            self.lines.pop(number, None)
            return False
        if line != self.lines.get(number):
            self.lines[number] = line
            for what, data in (("command line", line), ("environment", read(f"{self.proc}/{number}/environ") or b"")):
                if names := self.needles.within(data):
                    self.hits.append({"what": what, "names": names, "shown": self.needles.without(line)})
        return True


def main():
    """Print one line after the other until nobody reads them."""
    asked = json.load(sys.stdin)
    watcher = Watcher(Needles(asked["canaries"]))
    # The machine may be busy building a database: looking on must not wait for that.
    os.nice(-15)
    began = then = time.monotonic()
    watcher.begin(began)
    looks, gap = 0, 0.0
    while True:
        now = time.monotonic()
        gap, then = max(gap, now - then), now
        watcher.look(now)
        looks += 1
        if now - began >= asked["every"]:
            line = {"looks": looks, "seconds": now - began, "gap": gap, "born": watcher.count, "missed": watcher.missed,
                    "hits": watcher.hits}  # fmt: skip
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
            began, looks, gap = now, 0, 0.0
            watcher.count, watcher.missed, watcher.hits = 0, 0, []
        time.sleep(max(0.0, now + asked["interval"] - time.monotonic()))


if __name__ == "__main__":
    main()
