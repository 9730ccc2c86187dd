"""The end of the page: what is wrong with the published numbers, what each number means, how to get them again."""

from ...report import phrases
from ...report.blocks import Block, Code, Row, Section, Table, Text
from ...report.phrases import machine
from ...report.prose import Prose
from .experiment import CORRECT, PRINTED
from .records import Results

# Stage, printed in the report, correct: the first 3x3 convolution of every residual block, K*K * M * N * D*D.
RESIDUAL_ERRATA = (
    ("conv1", 138_240, 884_736),
    ("conv2", 368_640, 4_718_592),
    ("conv3", 184_320, 4_718_592),
    ("conv4", 92_160, 4_718_592),
)
prose = Prose(__name__, "closing.md")


def errata() -> Section:
    """What is wrong with the published numbers."""
    rows = [Row([stage, phrases.count(printed), phrases.count(right)]) for stage, printed, right in RESIDUAL_ERRATA]
    rows.append(Row(["whole network", phrases.count(PRINTED), phrases.count(CORRECT)], "total"))
    columns = ["first 3 × 3 convolution of", "#printed", "#correct"]
    caption = "Multiplications of the ResNet. The whole network includes the layers that were counted correctly."
    texts = Prose(__name__, "errata.md").items(printed=PRINTED, correct=CORRECT)
    blocks: list[Block] = [Text(prose.paragraphs("errata")), texts, Table(caption, columns, rows)]
    return Section("errata", "Errata of the report", blocks, short="Errata")


def reproduce(results: Results) -> Section:
    """Commands, machine, versions, definitions."""
    blocks: list[Block] = [
        Text(prose.paragraphs("command")),
        Code(f"pip install .\n{results.command}"),
        _commands(results),
        _machine(results),
        Text(["What the numbers mean:"]),
        Prose(__name__, "definitions.md").items(),
    ]
    return Section("reproduce", "How to reproduce", blocks, short="Reproduce")


def _commands(results: Results) -> Table:
    rows = [
        Row([r.id, r.recipe, phrases.count(r.iterations), ", ".join(map(str, r.seeds)), f"`{r.command}`"])
        for r in results.records
    ]
    rows += [Row([o.id, o.recipe, "", f"n = {o.seeds}", f"`{o.command}`"]) for o in results.observations]
    return Table("Each experiment by itself.", ["experiment", "recipe", "#iterations", "seeds", "command"], rows)


def _machine(results: Results) -> Table:
    rows = [
        Row(["made", results.created]),
        Row(["hardware", machine(results.hardware)]),
        Row(["versions", ", ".join(f"{name} {version}" for name, version in results.versions.items())]),
        Row(["time of all runs, with evaluation", phrases.duration(results.seconds_total)]),
        Row(["peak memory", "–" if results.peak_memory_gb is None else f"{results.peak_memory_gb:.2f} GB"]),
    ]
    rows += [Row([f"{', '.join(ids)} elsewhere", text]) for text, ids in _elsewhere(results).items()]
    return Table("Machine and versions.", ["", ""], rows)


def _elsewhere(results: Results) -> dict[str, list[str]]:
    """Records that were made on other hardware or with other versions than the file as a whole."""
    others: dict[str, list[str]] = {}
    for record in results.records:
        if (record.hardware, record.versions) != (results.hardware, results.versions):
            versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
            others.setdefault(f"{machine(record.hardware)}; {versions}", []).append(f"{record.id} ({record.recipe})")
    return others
