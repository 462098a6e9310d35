"""The results of a run: JSON with every sample, a table in Markdown and a plot."""

import dataclasses
import json
import statistics
from dataclasses import dataclass
from pathlib import Path

from bench import plot, report
from bench.lines import BASELINE, LINES_ON
from bench.run import Samples


@dataclass(frozen=True)
class Results:
    """Everything that was seen in a run."""

    made: str
    storage: str
    seconds: int
    plan: dict[str, int]
    machine: dict[str, str]
    versions: dict[str, str]
    labels: dict[str, str]
    flushes: dict[str, int | None]
    samples: Samples

    def rows(self) -> list[report.Row]:
        """Return the lines of the table."""
        return report.rows(LINES_ON[self.storage], self.samples)

    def is_good(self) -> bool:
        """Say whether every floor that was measured is met."""
        return all(verdict.is_met for row in self.rows() for verdict in row.verdicts)


def write(results: Results, directory: Path) -> str:
    """Write the three files, and return the table."""
    rows = results.rows()
    table = report.markdown(rows, results.labels) + _notes(results)
    directory.mkdir(parents=True, exist_ok=True)
    raw = json.dumps(dataclasses.asdict(results), indent=1)
    (directory / "results.json").write_text(raw + "\n", encoding="utf-8")
    (directory / "results.md").write_text(table, encoding="utf-8")
    if BASELINE in results.labels:
        (directory / "results.svg").write_text(plot.svg(rows, results.labels), encoding="utf-8")
    return table


def _notes(results: Results) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    plan = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in results.plan.items())
    rounds = [
        sample for by_target in results.samples.values() for found in by_target.values() for sample in found
    ]
    foreign = statistics.median(sample["foreign_cores"] for sample in rounds)
    flushes = "; ".join(f"{results.labels[name]}: {_count(count)}" for name, count in results.flushes.items())
    lines = [
        "",
        "Medians of the rounds (least-most). Ratios are taken round by round, and their median counts.",
        "",
        f"- Made {results.made} in {results.seconds} s: {plan}.",
        f"- Machine: {machine}.",
        *(f"- {name}: {version}" for name, version in results.versions.items()),
        *([f"- fsync and fdatasync calls during one 4 KB upload - {flushes}."] if flushes else []),
        f"- Other programs used {foreign:.2f} cores during the median measurement.",
    ]
    return "\n".join(lines) + "\n"


def _count(flushes: int | None) -> str:
    return "unknown" if flushes is None else str(flushes)
