"""The results of `reproduce` on the terminal."""

from ..screen import print_table, table_of
from ..terminal import say
from .only import ALL_OBSERVATIONS
from .report.records import Observed, Record, Results


def show(made: Results) -> None:
    """The metrics beside the published ones, and the verdicts on the observations."""
    columns = "experiment", "recipe", "#iterations", "metric", "#report", "#ours", "", "#seconds"
    print_table(table_of(columns, map(table_row, made.records)))
    if made.observations:
        print_table(table_of(("", "claim", "recipe", "#seeds", "verdict"), map(verdict_row, made.observations)))
    seconds = sum(row.seconds.mean * row.seconds.n for row in made.records)
    memory = "" if made.peak_memory_gb is None else f"peak memory {made.peak_memory_gb} GB; "
    say(f"training {seconds:.0f} s; {memory}data: {made.data}")
    if not made.observations:
        command = f"pocketrcnn reproduce --only {ALL_OBSERVATIONS} --recipe course"
        say(f"the report's observations, put to the test: {command}")


def table_row(row: Record) -> list[str]:
    """One experiment's cells."""
    published, ours = row.published, row.value
    shown = f"{ours.mean:.4g}" + (f" ± {ours.std:.2g} (n={ours.n})" if ours.n > 1 else "")
    verdict = "" if published is None else "beaten" if published.beaten else "not beaten"
    value = "" if published is None else f"{published.value:.4g}"
    cells = (row.id, row.recipe, str(row.iterations), row.headline, value, shown, verdict)
    return [*cells, f"{row.seconds.mean:.0f}"]


def verdict_row(row: Observed) -> list[str]:
    """One observation's cells."""
    return [row.id, row.claim, row.recipe, str(row.seeds), row.verdict]
