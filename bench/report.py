"""From samples to a verdict per line, and to JSON and Markdown."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.lines import OURS, Floor, Line
from bench.reads import Sample

Samples = Mapping[str, Mapping[str, Sequence[Sample]]]


@dataclass(frozen=True)
class Spread:
    """A median with the least and the greatest of what it was taken from."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Summarise values."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{show(self.median)} ({show(self.least)}-{show(self.most)})"


@dataclass(frozen=True)
class Verdict:
    """A floor, what was reached of it, and whether that is enough."""

    floor: Floor
    reached: Spread
    is_met: bool


@dataclass(frozen=True)
class Row:
    """A line with the figures of every target and the verdicts on its floors."""

    line: Line
    figures: dict[str, Spread]
    ratios: dict[str, Spread]
    verdicts: tuple[Verdict, ...]


def rows(lines: Sequence[Line], samples: Samples) -> list[Row]:
    """Work out every line that was measured."""
    return [_row(line, samples[line.workload]) for line in lines if line.workload in samples]


def markdown(measured: Sequence[Row], labels: Mapping[str, str]) -> str:
    """Return the table of figures and the table of floors."""
    names = [name for name in labels if any(name in row.figures for row in measured)]
    out = ["| | " + " | ".join(labels[name] for name in names) + " |", "|---|" + "---|" * len(names)]
    for row in measured:
        cells = [str(row.figures[name]) if name in row.figures else "" for name in names]
        out.append(f"| {row.line.title}, {row.line.unit} | " + " | ".join(cells) + " |")
    out += [
        "",
        "| Roadstead, private project and bearer token | against | floor | reached | |",
        "|---|---|---|---|---|",
    ]
    out += [_verdict_line(row.line, verdict, labels) for row in measured for verdict in row.verdicts]
    return "\n".join(out) + "\n"


def show(value: float) -> str:
    """Print a figure with three digits that mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _row(line: Line, samples: Mapping[str, Sequence[Sample]]) -> Row:
    values = {name: [sample[line.metric] for sample in rounds] for name, rounds in samples.items() if rounds}
    ours = values.get(OURS, [])
    ratios = {
        name: Spread.of([mine / theirs for mine, theirs in zip(ours, others, strict=False)])
        for name, others in values.items()
        if name != OURS and ours and all(others)
    }
    figures = {name: Spread.of(rounds) for name, rounds in values.items()}
    verdicts = (_judge(line, floor, figures.get(OURS), ratios) for floor in line.floors)
    return Row(line, figures, ratios, tuple(verdict for verdict in verdicts if verdict))


def _judge(line: Line, floor: Floor, ours: Spread | None, ratios: Mapping[str, Spread]) -> Verdict | None:
    reached = ratios.get(floor.against) if floor.against else ours
    if reached is None:
        return None
    is_met = reached.median <= floor.bound if line.is_less_better else reached.median >= floor.bound
    return Verdict(floor, reached, is_met)


def _verdict_line(line: Line, verdict: Verdict, labels: Mapping[str, str]) -> str:
    sign = "<=" if line.is_less_better else ">="
    mark = "x" if verdict.floor.against else f" {line.unit}"
    against = labels[verdict.floor.against] if verdict.floor.against else ""
    outcome = "pass" if verdict.is_met else "**FAIL**"
    bound = f"{sign} {verdict.floor.bound:g}{mark}"
    return f"| {line.title} | {against} | {bound} | {verdict.reached}{mark} | {outcome} |"
