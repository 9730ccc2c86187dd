"""The end of the page: what is wrong with the published numbers, what each number means, how to get them again."""

from __future__ import annotations

from ...report import phrases
from ...report.blocks import Block, Code, Items, Row, Section, Table, Text
from ...report.phrases import machine
from .comparison import ordered
from .records import Results

# Stage, printed in the report, correct: the first 3x3 convolution of every residual block, K*K * M * N * D*D.
RESIDUAL_ERRATA = (
    ("conv1", 138_240, 884_736),
    ("conv2", 368_640, 4_718_592),
    ("conv3", 184_320, 4_718_592),
    ("conv4", 92_160, 4_718_592),
)
RESNET_PRINTED, RESNET_CORRECT = 44_921_856, 59_179_008

ERRATA = (
    (
        "Multiplications of the ResNet",
        "In the first 3 × 3 convolution of every residual block the report multiplied by 5 where the number of "
        "output channels belongs. It arrives at 44,921,856 multiplications for an image; there are 59,179,008. So "
        "the ResNet is the most expensive of the three base networks, and not cheaper than the ConvNet "
        "(46,497,792).",
    ),
    (
        "Augmented test images",
        "The test images went through the random augmentation that was meant for training, with a flip that "
        "transposed the image besides. The published accuracies are lower than those networks deserve. The same "
        "procedure with a clean test set gave 73 to 75, 61 to 62 and 77 to 78 % for B1, B2 and B3 in two runs of "
        "`reproduce --full --recipe course`, where the report has 64.6, 51.6 and 68.4 %.",
    ),
    (
        "Training times",
        "The published 309, 312 and 320 s on a graphics card of 2017 were bound by reading single PNG files. They "
        "say little about the networks, and are not compared with ours.",
    ),
    (
        "Accuracy of R1",
        "“0.0101” is printed as the accuracy of the proposal classifier. It is its final loss. The curves of the "
        "report show about 99 to 100 %, and ours is compared with 99 %.",
    ),
    (
        "The logarithm of a predicted width",
        "R2 as it is written takes the logarithm of a predicted width, which does not exist where the prediction "
        "is not positive. Here the loss stays finite for every prediction.",
    ),
    (
        "One run each",
        "No published number comes with a spread. Ours carry the number of seeds, and a standard deviation where "
        "there are two or more.",
    ),
    (
        "The data of R1 to F4",
        "The original archive of Transformed CIFAR-10 is no longer public. Ours is made anew from its definition; "
        "where CIFAR-100 is not given, the backgrounds are images of CIFAR-10 that appear nowhere else. The "
        "numbers of R1 to F4 are compared across two sets of one kind.",
    ),
)

DEFINITIONS = (
    (
        "accuracy",
        "Right classes over test images. For F2, F3 and F4 the class is that of the predicted box with the highest "
        "score; no true box is used.",
    ),
    (
        "point-wise accuracy, cells right",
        "Right cells over the cells that are positive or negative; ignored cells are left out, as in the loss.",
    ),
    (
        "regression loss",
        "Smooth L1 of t_x, t_y and t_w, summed over the three and averaged over positive cells. For small errors it is "
        "half the squared error, so that a loss L is an error of about 32 · √(2L / 3) pixels in a coordinate: the "
        "published 0.000727 is about 0.70 pixels. That is “the loss in pixels”.",
    ),
    (
        "error",
        "Square root of the mean squared error of centre x, centre y and width of the best-scoring proposal, in pixels "
        "of the 48 × 48 image. Its cell may be one that is ignored, on which regression is not trained, so this is not "
        "the regression loss in another unit, and can be several times as large.",
    ),
    ("score", "The objectness of the box times the probability of its class."),
    ("mean IoU", "Intersection over union of the best-scoring proposal and the object, averaged over the test images."),
    (
        "IoU ≥ 0.5, 0.7, 0.9",
        "The part of the test images whose best-scoring proposal overlaps the object at least that much.",
    ),
    (
        "multiplications",
        "For one image, convolutions only: K · K · M · N · D · D for a standard one, K · K · M · D · D + M · N · D · D "
        "for a depthwise and a pointwise one; kernel K, input channels M, output channels N, output side D.",
    ),
    ("training time", "Seconds of one run: batches, augmentation, forward and backward pass, optimiser."),
    ("± and seeds", "Standard deviation over the runs, each with its own seed. A single run has none."),
    (
        "curves",
        "The mean over the seeds, with a band from the lowest to the highest; more than 150 points are averaged "
        "over equal stretches. Training figures are means over the batches since the point before, augmented and "
        "cropped as they were learned from. Test figures in the curves may come from a part of the test images; "
        "the tables have the final one.",
    ),
    (
        "recipe",
        "`course`: the published procedure to the letter, with a clean test set. `pocket`: our own settings for the "
        "same networks on the same images.",
    ),
)


ABOUT_COMMAND = (
    "In a clone of the repository, where `make reproduce` does both with the default settings. The second command is "
    "the one that wrote `results.json`, from which alone this page is made. What is done is not done again, and what "
    "earlier commands did in the same folder, with the same schedule, stays on the page; each experiment by itself is "
    "below."
)


def errata() -> Section:
    """What is wrong with the published numbers, in our words."""
    rows = [Row([stage, phrases.count(printed), phrases.count(right)]) for stage, printed, right in RESIDUAL_ERRATA]
    rows.append(Row(["whole network", phrases.count(RESNET_PRINTED), phrases.count(RESNET_CORRECT)], "total"))
    columns = ["first 3 × 3 convolution of", "#printed", "#correct"]
    caption = "Multiplications of the ResNet. The whole network includes the layers that were counted correctly."
    blocks: list[Block] = [
        Text(
            [
                "The report is a student's work of 2017, and a good one. Whoever compares numbers with it should "
                "know the following."
            ]
        ),
        Items([text for _, text in ERRATA], [term for term, _ in ERRATA]),
        Table(caption, columns, rows),
    ]
    return Section("errata", "Errata of the report", blocks, short="Errata")


def reproduce(results: Results) -> Section:
    """Commands, machine, versions, definitions."""
    blocks: list[Block] = [
        Text([ABOUT_COMMAND]),
        Code(f"pip install .\n{results.command}"),
        _commands(results),
        _machine(results),
        Text(["What the numbers mean:"]),
        Items([text for _, text in DEFINITIONS], [term for term, _ in DEFINITIONS]),
    ]
    return Section("reproduce", "How to reproduce", blocks, short="Reproduce")


def _commands(results: Results) -> Table:
    rows = [
        Row([r.id, r.recipe, phrases.count(r.iterations), ", ".join(map(str, r.seeds)), f"`{r.command}`"])
        for r in ordered(results)
    ]
    return Table("Each experiment by itself.", ["experiment", "recipe", "#iterations", "seeds", "command"], rows)


def _machine(results: Results) -> Table:
    rows = [
        Row(["made", results.created]),
        Row(["hardware", machine(results.hardware)]),
        Row(["versions", ", ".join(f"{name} {version}" for name, version in results.versions.items())]),
        Row(["time of all runs, evaluation included", phrases.duration(results.seconds_total)]),
        Row(["peak memory", "–" if results.peak_memory_gb is None else f"{results.peak_memory_gb:.2f} GB"]),
    ]
    rows += [Row([f"{', '.join(ids)} elsewhere", text]) for text, ids in _elsewhere(results).items()]
    return Table("Machine and versions.", ["", ""], rows)


def _elsewhere(results: Results) -> dict[str, list[str]]:
    """Records that were made on other hardware or with other versions than the file as a whole."""
    found: dict[str, list[str]] = {}
    for record in ordered(results):
        if record.hardware == results.hardware and record.versions == results.versions:
            continue
        versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
        found.setdefault(f"{machine(record.hardware)}; {versions}", []).append(f"{record.id} ({record.recipe})")
    return found
