"""What is measured: the cases, how long each may take, and what is to be reached (issue 4's table). Pure."""

from __future__ import annotations

from dataclasses import dataclass

OURS, SEED = "ours", "seed"
FORMULA, CALM = "formula", "calm"
# What is measured beside the cases, with our configuration only.
OTHERS = (FORMULA, CALM)


@dataclass(frozen=True)
class Case:
    """One fault and its targets.

    bound
        Seconds after which an outage that has not ended is ended by the bench, and reported as "never".
    typical
        Seconds that a run takes with everything around it, for the first estimate of the time left.
    ratio, ratio_aim
        The most that ours/seed may be, and what would be nice; None: not asked for.
    above, above_aim
        Seconds that ours may cost beyond the floor.
    floor
        The database's own work in it: names of the floor's parts, added up.
    total
        Seconds that ours may cost in all.
    """

    id: str
    title: str
    bound: float
    typical: float
    ratio: float | None = None
    ratio_aim: float | None = None
    above: float | None = None
    above_aim: float | None = None
    floor: tuple[str, ...] = ()
    total: float | None = None


CASES = (
    Case("killed", "server killed", 60, 30, ratio=0.25, ratio_aim=0.20, above=1.0, floor=("recovery",)),
    Case("hung", "server hung", 60, 60, total=15.0),
    Case("switchover", "planned switchover", 60, 30, ratio=0.50, ratio_aim=0.35, above=2.0, above_aim=1.0,
         floor=("stop", "start")),
    Case("power", "power cut", 60, 60, ratio=0.42, ratio_aim=0.35, above=4.0, above_aim=3.0, floor=("recovery",)),
    Case("frozen", "frozen node, BMC 2 s", 60, 65, ratio=0.45, above=6.0, floor=("recovery",)),
    Case("cables", "both heartbeat cables cut", 60, 65, ratio=0.45),
    # The seed looks at the filesystem once a minute.
    Case("storage", "storage lost on the active", 120, 120, ratio=0.50),
)  # fmt: skip
BY_ID = {case.id: case for case in CASES}


def chosen(words: str) -> tuple[list[Case], list[str]]:
    """Return the cases that ``CASES=a,b`` means, in the table's order, and which of ``OTHERS``.

    words
        Ids with commas; empty: all.

    Raises ValueError for an id that there is not.
    """
    wanted = [word.strip() for word in words.split(",") if word.strip()] or [*BY_ID, *OTHERS]
    unknown = [word for word in wanted if word not in BY_ID and word not in OTHERS]
    if unknown:
        raise ValueError(f"no such case: {', '.join(unknown)}; there are {', '.join([*BY_ID, *OTHERS])}")
    return [case for case in CASES if case.id in wanted], [other for other in OTHERS if other in wanted]
