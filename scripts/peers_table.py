"""Put the comparison with other programs into the documents: `python scripts/peers_table.py`.

From docs/results/peers.json alone, which `python benchmarks/peers/run.py` writes, the tables in README.md and
docs/results.md are made anew, and the curves in docs/pictures are drawn.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from markdown_tables import between, table
from own_table import stated

from pocketrcnn.errors import UserError
from pocketrcnn.report.phrases import listed, machine, percent

ROOT = Path(__file__).parents[1]
KEPT = Path("docs", "results", "peers.json")
MARKER = "peers"
NOTHING = "Other programs have not been measured on the same images yet: `python benchmarks/peers/run.py` does it.\n"
DETECTION = {"nuclei": "nuclei, 256 px", "scenes": "scenes, 96 px"}
PEERS = {  # as the tables have them
    "ours": "pocket-rcnn",
    "yolo26n": "ultralytics yolo26n",
    "yolo11n": "ultralytics yolo11n",
    "torchvision": "torchvision Faster R-CNN",
    "torchvision-320": "the same at its own 320 px",
}
PACKAGES = ("torch", "torchvision", "ultralytics", "onnxruntime", "pocketrcnn")
LEVEL = 0.646  # accuracy of B1 in the report
NOTES = (
    "Pretrained weights, with which one usually begins with ultralytics and torchvision, have to be downloaded: they "
    "take no part. With them their numbers would be others."
)
METHOD = (
    "All programs have the same images and the same split; pycocotools scores them on test images, with maxDets from "
    "the data. The minutes of pocket-rcnn are those of the whole command, those of ultralytics are its training with "
    "an evaluation after each epoch, those of torchvision training alone. The weights that count are the best ones on "
    "validation images, of torchvision the last ones. An iteration is a batch: pocket-rcnn takes 16 images of "
    "nuclei and 64 of scenes, ultralytics 16, torchvision 4; ultralytics updates its weights after every fourth "
    "batch. The settings of pocket-rcnn were developed on validation images of these two data sets; the other programs "
    "have their own defaults, which are made for larger data and longer training. ms an image: one test image at a "
    "time from pixels to boxes, the median, with each program's own threshold, torchvision with as many proposals and "
    "detections as the data need. torchvision's own export to ONNX is not measured."
)
AHEAD = {"AP50": "in AP50", "AP": "in AP", "torch": "in time an image", "onnx": "in time an image of the exported file"}
REASON = "A network of one stage has no proposals to cut out and classify."
COARSE = (
    "torchvision's network is coarse for these images: its maps have stride 32, which are 8 x 8 cells of 256 pixels, "
    "3 x 3 of 96 and 10 x 10 of its own 320, its anchors have 32 pixels and more, and half of the nuclei are smaller "
    "than 13. It has 19 M parameters, is made to be fine-tuned, and sees few batches in these minutes."
)
CURVES = (
    "AP50 of validation images over the minutes: of pocket-rcnn and ultralytics by their own evaluations on the way, "
    "of torchvision by pycocotools."
)

Results = dict[str, Any]
Rounds = list[dict[str, Any]]


def main(root: Path = ROOT) -> int:
    """Write the tables, and draw the curves; returns the exit code."""
    try:
        results = load(root / KEPT)
        for path, text in documents(results, root).items():
            path.write_text(text, encoding="utf-8")
    except (UserError, OSError, ValueError) as error:
        print(f"peers_table: {error}", file=sys.stderr)
        return 2
    if root == ROOT and results and pictures(results):
        command = [sys.executable, str(ROOT / "scripts" / "pictures"), *pictures(results)]
        return subprocess.run(command, check=False).returncode
    return 0


def documents(results: Results | None, root: Path = ROOT) -> dict[Path, str]:
    """README.md and docs/results.md as they should be."""
    contents = {root / "README.md": short, root / "docs" / "results.md": full}
    return {
        path: between(path.read_text(encoding="utf-8"), MARKER, content(results) if results else NOTHING)
        for path, content in contents.items()
    }


def load(path: Path) -> Results | None:
    """The results; None where there are none yet. Raises UserError for those of a dry run."""
    if not path.is_file():
        return None
    results: Results = json.loads(path.read_text(encoding="utf-8"))
    if results["quick"]:
        raise UserError(f"{path} is a dry run: measure again without --quick and --minutes-scale")
    return results


def rounds(results: Results, row: str) -> Rounds:
    """What was measured of a row, round by round."""
    return sorted((one for one in results["rounds"] if one["row"] == row), key=lambda one: one["round"])


def measured(results: Results) -> list[str]:
    """The data sets of which there are detections."""
    return [data for data in DETECTION if any(rounds(results, f"{data}/{peer}") for peer in PEERS)]


def pictures(results: Results) -> list[str]:
    """The names of the curves."""
    return [f"peers-{data}.svg" for data in measured(results)]


def short(results: Results) -> str:
    """The table of README.md: AP50 of each program on each data set, and one sentence on B1."""
    present = [peer for peer in PEERS if any(rounds(results, f"{data}/{peer}") for data in DETECTION)]
    header = ("AP50 of test images, from scratch", *(f">{PEERS[peer]}" for peer in present))
    rows = [
        [
            f"{data}, {results['minutes'][data]:g} min",
            *(figure(rounds(results, f"{data}/{p}"), "AP50") for p in present),
        ]
        for data in measured(results)
    ]
    count = max(one["round"] for one in results["rounds"])
    runs = "one run of each" if count == 1 else f"means of up to {count} runs of each"
    more = (
        f"All on the same images and machine, {runs}; nothing is pretrained, and the others have their defaults: "
        "[docs/results.md](docs/results.md#beside-other-programs) says how, and where another program is ahead."
    )
    return f"{table(header, rows) if rows else ''}\n{classifiers(results)} {more}\n"


def classifiers(results: Results) -> str:
    """How long each B1 takes to the report's accuracy, in a sentence."""
    names = {
        "b1/ours": "pocket-rcnn",
        "b1/loop": "a plain loop in PyTorch on the same network and images, with Adam and in float32",
    }
    times = []
    for row, name in names.items():
        if found := rounds(results, row):
            first, steady = first_above(found), until(found, results)
            more = "" if first in ("–", steady) else f" (above for the first time: {first})"
            times.append(f"{steady} with {name}{more}")
    return f"Training until B1 stays above the report's 64.6 %: {listed(times)}." if times else ""


def first_above(found: Rounds) -> str:
    """Seconds of training until accuracy is above the report's for the first time, a mean; a dash where it never is."""
    firsts = [next((seconds for _, seconds, value in one["curve"] if value > LEVEL), None) for one in found]
    above = [seconds for seconds in firsts if seconds is not None]
    return f"{statistics.mean(above):.0f} s" if above else "–"


def until(found: Rounds, results: Results) -> str:
    """Seconds of training until accuracy stays above the report's: `12 s`; of rounds that never did, so much."""
    if missed := sum(one["passed"] is None for one in found):
        return f"not within {results['minutes']['b1']:g} min in {missed} of {len(found)} runs"
    seconds = [one["passed"]["seconds"] for one in found]
    spread = f" ± {statistics.stdev(seconds):.0f}" if len(seconds) > 1 else ""
    return f"{statistics.mean(seconds):.0f}{spread} s"


def full(results: Results) -> str:
    """Everything in docs/results.md: a table of detectors, the curves, a table of B1, and how it was measured."""
    words = [f"{METHOD}\n", f"{NOTES}\n", f"{behind(results)} {COARSE}\n"]
    parts = [detectors(results), *words, curves(results), base_networks(results)]
    return "\n".join([*filter(None, parts), f"{facts(results)}\n"])


def behind(results: Results) -> str:
    """Where another program is ahead, in a sentence or two."""
    found = []
    for name, words in AHEAD.items():
        ahead = {
            title: [data for data in measured(results) if better(results, f"{data}/{peer}", f"{data}/ours", name)]
            for peer, title in PEERS.items()
        }
        if programs := [f"{title} ({listed(sets)})" for title, sets in ahead.items() if sets]:
            found.append(f"{words} {listed(programs)}")
    faster = any(words.startswith(AHEAD["torch"]) for words in found)
    return f"Ahead of pocket-rcnn: {'; '.join(found) or 'none'}.{f' {REASON}' if faster else ''}"


def better(results: Results, row: str, than: str, name: str) -> bool:
    """Whether a row has a better score, or less time an image, than another; False where one of them has none."""
    one, other = (middle(rounds(results, of), name) for of in (row, than))
    return None not in (one, other) and (one < other if name in ("torch", "onnx") else one > other)  # type: ignore[operator]


def middle(found: Rounds, name: str) -> float | None:
    """The mean of a score, the median of a time; None where there is none."""
    if name in ("torch", "onnx"):
        values = [one["milliseconds"][name] for one in found if name in one["milliseconds"]]
        return statistics.median(values) if values else None
    values = [one[name] for one in found if one[name] is not None]
    return statistics.mean(values) if values else None


def detectors(results: Results) -> str:
    """One line a data set and program."""
    figures = (">time", ">input", ">AP50", ">AP", ">AP75", ">iterations", ">ms an image", ">the same, ONNX", ">runs")
    lines = []
    for data in measured(results):
        for peer, title in PEERS.items():
            if found := rounds(results, f"{data}/{peer}"):
                lines.append([data, title, *cells(found, results["minutes"][data])])
    return table(("data", "program", *figures), lines) if lines else ""


def cells(found: Rounds, minutes: float) -> list[str]:
    """The figures of a detector."""
    scores = [figure(found, name) for name in ("AP50", "AP", "AP75")]
    iterations = f"{round(statistics.mean(one['iterations'] for one in found)):,}"
    speeds = [pace(found, name) for name in ("torch", "onnx")]
    return [f"{minutes:g} min", f"{found[0]['side']} px", *scores, iterations, *speeds, str(len(found))]


def figure(found: Rounds, name: str) -> str:
    """Mean and standard deviation of a score; a dash where there is none."""
    values = [one[name] for one in found if one[name] is not None]
    return stated(values) if values else "–"


def pace(found: Rounds, name: str) -> str:
    """Milliseconds an image, the median of the rounds; a dash where it was not measured."""
    value = middle(found, name)
    return "–" if value is None else f"{value:.1f}"


def curves(results: Results) -> str:
    """The pictures of the curves, with their words."""
    images = [
        f"![AP50 on validation images over the minutes of training, {DETECTION[data]}: pocket-rcnn and the other "
        f"programs](pictures/peers-{data}.svg)"
        for data in measured(results)
    ]
    return "\n".join([*images, "", f"{CURVES} {listed([DETECTION[data] for data in measured(results)])}.\n"])


def base_networks(results: Results) -> str:
    """One line for each way to train B1."""
    names = {"b1/ours": "pocket-rcnn, pocket recipe", "b1/loop": "plain loop in PyTorch"}
    lines = [
        [name, until(found, results), *ends(found)] for row, name in names.items() if (found := rounds(results, row))
    ]
    figures = ("above 64.6 % for good after", "iterations to there", "first above it", "accuracy at the end", "runs")
    header = ("B1, 10,000 images", *(f">{figure}" for figure in figures))
    text = (
        "The network is B1, the images are the first 10,000 of CIFAR-10; accuracy is that of all 10,000 test images, "
        "evaluated every 23 (pocket-rcnn) and 26 iterations, which is not counted. The short schedule of pocket-rcnn "
        "was chosen to end above 64.6 %, with a rate that falls to 0. The plain loop: float32, NCHW, `DataLoader` with "
        "two workers, Adam with a rate of 1e-3 that stays, cross entropy, random crop and flip, batches of 100; it "
        "goes on until 16 evaluations in a row are above."
    )
    return f"{table(header, lines)}\n{text}\n" if lines else ""


def ends(found: Rounds) -> list[str]:
    """Iterations until the level was passed, seconds to the first time above, accuracy at the end, number of runs."""
    iterations = [one["passed"]["iterations"] for one in found if one["passed"]]
    reached = f"{round(statistics.mean(iterations)):,}" if iterations else "–"
    return [reached, first_above(found), percent(statistics.mean(one["accuracy"] for one in found)), str(len(found))]


def facts(results: Results) -> str:
    """Command, days, machine and versions."""
    ours = [one for one in results["rounds"] if "precision" in one]
    precision = {"precision": " and ".join(sorted({one["precision"] for one in ours})) or "float32"}
    days = sorted({one["date"][:10] for one in results["rounds"]})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    found = sorted(
        {f"{name} {v}" for one in results["rounds"] for name, v in one["versions"].items() if name in PACKAGES}
    )
    return (
        f"`python benchmarks/peers/run.py --nuclei FOLDER`, {when}. {machine(results['hardware'] | precision)} "
        f"(pocket-rcnn; the other programs in float32). {listed(found)}."
    )


if __name__ == "__main__":
    sys.exit(main())
