"""The plot: bars of phases, ours beside the seed's, as SVG made by hand, so that nothing has to be installed. Pure."""

from __future__ import annotations

from html import escape

from scenario.phases import PHASES

from bench.results import Results, Run
from bench.table import middle

_COLOURS = dict(zip(PHASES, (
    "#d1495b", "#6a4c93", "#e08e45", "#c9a227", "#7a9e4b", "#2e86ab", "#4bb3a7", "#9aa5b1", "#d9d9d9"
), strict=True))  # fmt: skip
_LEFT, _WIDTH, _BAR, _STEP, _TOP, _RIGHT = 250, 760, 18, 24, 56, 70
_TICKS = (1, 2, 5, 10, 20, 50)


def svg(results: Results) -> str:
    """Return the plot; without any outage it says so."""
    bars = middle(results)
    longest = max((run.outage or 0.0 for _, _, run in bars), default=0.0)
    height = _TOP + _STEP * len(bars) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + _RIGHT}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        *_legend(),
    ]
    if not longest:
        return "\n".join([*parts, _label(_LEFT, _TOP + 14, "nothing was measured"), "</svg>"]) + "\n"
    scale = _WIDTH / longest
    parts += _axis(longest, scale, _TOP + _STEP * len(bars))
    for number, (title, config, run) in enumerate(bars):
        parts += _bar(f"{title}: {config}", run, _TOP + number * _STEP, scale)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(name: str, run: Run, top: float, scale: float) -> list[str]:
    parts, left = [_label(_LEFT - 8, top + 13, name, "end")], float(_LEFT)
    for phase in PHASES:
        width = run.phases.get(phase, 0.0) * scale
        if width > 0:
            parts.append(
                f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{_COLOURS[phase]}">'
                f"<title>{phase}: {run.phases[phase]:.2f} s</title></rect>"
            )
        left += width
    return [*parts, _label(left + 5, top + 13, f"{run.outage or 0.0:.1f} s")]


def _legend() -> list[str]:
    parts = []
    for number, phase in enumerate(PHASES):
        left = 20 + number * 110
        parts += [f'<rect x="{left}" y="14" width="12" height="12" fill="{_COLOURS[phase]}"/>', _label(left + 17, 25, phase)]
    return parts


def _axis(longest: float, scale: float, bottom: float) -> list[str]:
    step = next((tick for tick in _TICKS if longest / tick <= 10), _TICKS[-1])
    parts = []
    for second in range(0, int(longest) + 1, step):
        left = _LEFT + second * scale
        parts.append(f'<line x1="{left:.1f}" y1="{_TOP - 6}" x2="{left:.1f}" y2="{bottom}" stroke="#eeeeee"/>')
        parts.append(_label(left, bottom + 16, f"{second} s", "middle"))
    return parts


def _label(left: float, top: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{left:.1f}" y="{top}" text-anchor="{anchor}">{escape(text)}</text>'
