"""Which entries of a journal belong into a timeline, and in which words. Pure.

What the cluster's daemons, its agents and the storage stack say is told, but for what they say at every start and every
monitor. Of everybody else only errors are.
"""

from __future__ import annotations

import re

from scenario.journal import Entry

_SCHEDULER = "pacemaker-schedulerd"
_ERROR = 3
# Daemons of the cluster and of storage, and agents, which call themselves AGENT(RESOURCE).
_TOLD = re.compile(r"pacemaker[\w-]*|corosync|fence_\w+|multipathd|iscsid|[\w.-]+\([\w-]+\)")
_NOISE = re.compile(
    # Pacemaker: each action is told when it is asked for and when it has ended; monitors and probes only when they fail.
    r"Requesting local execution of|Initiating (?:re)?monitor operation"
    r"|Result of (?:re)?monitor operation for \S+ on \S+: (?:OK|ok|0 \()"
    r"|Result of probe operation for \S+ on \S+: (?:Not running|not running|7 \()"
    r"|Additional logging available|Connecting to corosync cluster layer|recheck later|agent search path"
    r"|(?:^|: )Starting Pacemaker (?!\d)|successfully started and accepting connections|Fencer successfully connected"
    r"|wants to fence|Requesting that \S+ perform|please run \"crm_verify"
    # The controller says the same of a node.
    r"|^(?:based|attrd|fenced): (?:Node \S+ state is now|Removed \d+ inactive)|^attrd: (?:Setting #|.*attribute writer)"
    # Corosync: what it has loaded, and what the lines beside it say as well.
    r"|Service engine loaded|server name:|built-in features|totemknet initialized|Initializing transport|crypto_\w+\.so"
    r"|Configur(?:ing|ed) link|pmtud:|Resetting MTU|\[WD |Using quorum provider|Sync (?:members|joined|left)"
    r"|Completed service synchronization|has \d+ active links"
    # Storage at each boot; and others, with the priority of an error.
    r"|addmap \[|: reload \[|performing delayed actions|path added to devmap|Could not set SCHED_RR|multipathd v"
    r"|reconfigure: setting up|iSCSI (?:logger|daemon) with pid|pam_env\("
)
_OURS = r"\b(?:corosync|pacemaker|mariadb|mysql|multipathd|iscsid)\.service"
_UNITS = re.compile(
    rf"(?:Started|Stopping|Stopped|Failed to start) {_OURS}|{_OURS}: (?!.*(?:PID|Referenced))"
    r"|Failed to start|Reached target (?:shutdown|poweroff|reboot)"
)
# Storage and its filesystem, and what ends processes or whole kernels.
_KERNEL = re.compile(
    r"I/O error|rejecting I/O|EXT4-fs|JBD2|XFS|device-mapper|\bdm-\d|\bsd[a-z]\b|\bsd \d+:\d+|connection\d+:\d|session\d+|iSCSI"
    r"|Out of memory|oom-kill|Killed process|blocked for more|stall|sysrq|panic|BUG|Oops|Call Trace|segfault"
)
_KERNEL_NOISE = re.compile(
    # A disk that is found.
    r"Attached|Write Protect|Mode Sense|Write cache|logical blocks|I/O size|Optimal transfer|^sd[a-z]: sd|version: |version \d"
    # What each boot says, and the root of a lab node.
    r"|Kernel command line|SGI XFS|initialised|Loading iSCSI|iSCSI Initiator over|EXT4-fs \(ubda\): (?:recovery|mounted|re-mounted)"
    # The array, for each look at a disk, as an error.
    r"|MODE SENSE: unimplemented|max_write_same_len|db_root: cannot open"
)


def told(entry: Entry) -> str | None:
    """Return the entry in words, or None when it does not belong into a timeline."""
    text = re.sub(r"^(?:notice|info|INFO): ", "", " ".join(entry.text.split()))
    # A reason is marked as one already.
    words = text if is_reason(entry) else f"{entry.speaker.removeprefix('pacemaker-')}: {text}"
    return words if _belongs(entry, text, words) else None


def _belongs(entry: Entry, text: str, words: str) -> bool:
    if entry.speaker == "kernel":
        return bool(entry.priority <= _ERROR or _KERNEL.search(text)) and not _KERNEL_NOISE.search(text)
    if entry.speaker == "systemd":
        return bool(_UNITS.search(text))
    return bool(_TOLD.fullmatch(entry.speaker) or entry.priority <= _ERROR) and not _NOISE.search(words)


def is_reason(entry: Entry) -> bool:
    """Return whether an entry says why the cluster does something: Pacemaker's scheduler said it."""
    return entry.speaker == _SCHEDULER
