"""A bar chart as SVG: every target on every line, as a multiple of the baseline, on a logarithmic scale."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from bench.lines import BASELINE
from bench.report import Row, show

_COLOURS = ("#0b6e8f", "#5fb3c9", "#c96a2b", "#e8b48c", "#7a6fb0", "#9aa05b", "#8a8a8a")
_LEFT, _WIDTH, _BAR, _GAP, _TOP = 250, 620, 13, 16, 70
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.small{font-size:10px;fill:#555}"
    ".axis{stroke:#bbb}.floor{stroke:#c00;stroke-width:2}"
)


def svg(rows: Sequence[Row], labels: Mapping[str, str]) -> str:
    """Draw the chart; lines without a figure of the baseline are left out."""
    drawn = [row for row in rows if row.figures.get(BASELINE) and row.figures[BASELINE].median > 0]
    names = [name for name in labels if any(name in row.figures for row in drawn)]
    colours = dict(zip(names, _COLOURS, strict=False))
    scale = _Scale([_multiple(row, name) for row in drawn for name in row.figures])
    height, body = _TOP, []
    for row in drawn:
        body.append(_text(_LEFT - 10, height + _BAR, f"{row.line.title}, {row.line.unit}", anchor="end"))
        if row.line.is_less_better:
            body.append(_text(_LEFT - 10, height + 2 * _BAR, "less is better", anchor="end", style="small"))
        bars = [name for name in names if name in row.figures]
        body += [
            _bar(row, name, height + index * _BAR, scale, colours[name]) for index, name in enumerate(bars)
        ]
        body += _floors(row, height, len(bars) * _BAR, scale)
        height += len(bars) * _BAR + _GAP
    frame = [*_legend(colours, labels), *_axis(scale, height)]
    width = _LEFT + _WIDTH + 110
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height + 20}" width="{width}">'
    background = '<rect width="100%" height="100%" fill="#fff"/>'
    return "\n".join([head, f"<style>{_STYLE}</style>", background, *frame, *body, "</svg>"]) + "\n"


class _Scale:
    """Places a multiple of the baseline on the horizontal axis."""

    def __init__(self, multiples: Sequence[float]) -> None:
        self._low = math.floor(math.log2(min([0.5, *multiples])))
        self._high = math.ceil(math.log2(max([2.0, *multiples])))

    def at(self, multiple: float) -> float:
        share = (math.log2(multiple) - self._low) / (self._high - self._low)
        return _LEFT + _WIDTH * min(1.0, max(0.0, share))

    def marks(self) -> Iterator[float]:
        return (2.0**power for power in range(self._low, self._high + 1))


def _multiple(row: Row, name: str) -> float:
    return max(row.figures[name].median / row.figures[BASELINE].median, 1 / 64)


def _bar(row: Row, name: str, top: int, scale: _Scale, colour: str) -> str:
    start, end = float(_LEFT), scale.at(_multiple(row, name))
    value = f"{show(row.figures[name].median)}  ({show(_multiple(row, name))}x)"
    size = f'width="{max(1.0, end - start):.1f}" height="{_BAR - 2}"'
    return f'<rect x="{start:.1f}" y="{top}" {size} fill="{colour}"/>' + _text(
        end + 5, top + _BAR - 4, value, style="small"
    )


def _floors(row: Row, top: int, height: int, scale: _Scale) -> Iterator[str]:
    for floor in row.line.floors:
        if floor.against == BASELINE:
            x = scale.at(floor.bound)
            yield f'<line class="floor" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 3}" y2="{top + height + 1}"/>'


def _legend(colours: Mapping[str, str], labels: Mapping[str, str]) -> Iterator[str]:
    yield _text(10, 20, f"Multiples of {labels[BASELINE]}, medians; red: the floor Roadstead must reach")
    x = 10
    for name, colour in colours.items():
        yield f'<rect x="{x}" y="32" width="11" height="11" fill="{colour}"/>' + _text(
            x + 15, 42, labels[name], style="small"
        )
        x += 32 + 6 * len(labels[name])


def _axis(scale: _Scale, height: int) -> Iterator[str]:
    for mark in scale.marks():
        x = scale.at(mark)
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{height}"/>'
        yield _text(x, height + 12, f"{mark:g}x", anchor="middle", style="small")


def _text(x: float, y: float, text: str, *, anchor: str = "start", style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">{escape(text)}</text>'
