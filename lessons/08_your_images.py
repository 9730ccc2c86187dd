# %% [markdown]
# # Lesson 8: A detector for your own images
#
# After this lesson you can
#
# - check a data set, and say what each fault would have done to a detector or to its figures;
# - train a detector, and read from its evaluation what to do next;
# - choose a threshold for a purpose, on validation images;
# - export a detector, and make sure that the exported file finds the same.
#
# You need lesson 7. 50 minutes; training takes about 10 seconds of them, everything together less than 25, on two
# idle cores.

# %% tags=["imports"]
import csv
import dataclasses
import itertools
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray

import pocketrcnn
from classroom import check, outline, picture, show
from pocketrcnn import runtime
from pocketrcnn.course.data.crowded import Crowd, write_crowded
from pocketrcnn.custom.reasons import reasons
from pocketrcnn.data.annotations import Example
from pocketrcnn.data.formats import write
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.report.colours import BLUE, DETECTION, GREY, GROUND_TRUTH, ORANGE
from pocketrcnn.training.run import open_run

# %% [markdown]
# ## 1. A data set
#
# Here we make a data set, so that we know what is in it: 390 scenes of 64 pixels with one to three animals or vehicles
# each. The background is an enlarged image, too, and may show a car; only the squares on it are objects. Each run of
# this cell makes a new folder, `lesson-8/1`, then `lesson-8/2`, and deletes nothing. (For your own data, later: leave
# out this cell and that with the faults, and begin with `check("your/folder", fix=...)`.) In YOLO's format each image
# has a text file with a line an object: the number of its class, then its box as **centre** and **size**, as fractions
# of the image's width $W$ and height $H$. So the left and right side are
#
# $$x_1 = \left(c_x - \frac{w}{2}\right) W, \qquad x_2 = \left(c_x + \frac{w}{2}\right) W$$

# %%
work = next(one for n in itertools.count(1) if not (one := Path("lesson-8", str(n))).exists())
mine = work / "my-images"
VEHICLES = ("airplane", "automobile", "ship", "truck")


def in_two_classes(example: Example) -> Example:
    named = [dataclasses.replace(one, name="vehicle" if one.name in VEHICLES else "animal") for one in example.objects]
    return dataclasses.replace(example, objects=tuple(named))


write_crowded(work / "scenes", "sample", Crowd(objects=(1, 3), side=64), images=300)
ten = pocketrcnn.check(work / "scenes", quiet=True).report.clean
two = dataclasses.replace(ten, classes=("animal", "vehicle"), examples=tuple(map(in_two_classes, ten.examples)))
write(two, mine, "yolo")
print("train_00000.txt:", (mine / "labels" / "train" / "train_00000.txt").read_text(), sep="\n")

# %% [markdown]
# **Exercise 1.** Write the way from YOLO's four numbers to the corners that all lessons use.


# %% tags=["exercise"]
def from_yolo(box: list[float], width: int, height: int) -> list[float]:
    """Corners x1, y1, x2, y2 in pixels of a box as YOLO writes it.

    box: centre x, centre y, width, height, as fractions of the image's sides. width, height: of the image, in pixels.
    Example: `from_yolo([0.5, 0.5, 0.25, 0.5], 64, 32)` is `[24.0, 8.0, 40.0, 24.0]`.
    """
    raise NotImplementedError("Exercise 1: centre minus and plus half the size, then pixels")


# %%
check(from_yolo)

# %% [markdown]
# ## 2. Check
#
# Real data have faults. The next cell puts six of them into a copy, as people do: a class that has no name, a box
# without height, a box that leaves its image, a box written twice, a file that was not copied to its end, and a
# training image that is also a test image, under another name. Before you read the output, say of each: would
# training fail, would the detector be worse, or only its figures wrong?

# %%
images, labels = (shutil.copytree(mine, work / "faulty", dirs_exist_ok=True) / part for part in ("images", "labels"))
for name, line in (("03", "2 0.5 0.5 0.25 0.25"), ("05", "0 0.5 0.5 0.25 0"), ("07", "1 0.9 0.5 0.5 0.25")):
    with (labels / "train" / f"train_000{name}.txt").open("a") as file:
        print(line, file=file)
twice, broken = labels / "train" / "train_00009.txt", images / "train" / "train_00011.png"
twice.write_text(twice.read_text() * 2)
broken.write_bytes(broken.read_bytes()[:600])
shutil.copy(images / "train" / "train_00013.png", images / "test" / "holiday.png")
shutil.copy(labels / "train" / "train_00013.txt", labels / "test" / "holiday.txt")
pocketrcnn.check(work / "faulty", fix=work / "fixed")

# %% [markdown]
# 390 images, one more by the copy, two skipped: 389. What each fault does to a program that does not look:
#
# - class without a name: training fails, as no logit has this number;
# - box without height: training fails, as the logarithm of 0 makes the loss infinite;
# - box that leaves its image: the detector is a little worse, as it learns sides that it cannot see;
# - box written twice: in a test image the figures are wrong, as one of the two counts as missed;
# - file that ends early: training fails when it reads this image, perhaps after an hour;
# - image in training and test: the figures are too good, and nobody notices.
#
# `train` leaves out what is skipped here; but look at every line. We go on with `fixed`, which has no such fault.

# %%
clean = pocketrcnn.check(work / "fixed", quiet=True).report.clean
figure, axes = plt.subplots(1, 5, figsize=(7.2, 1.7))
for axis, example in zip(axes, clean.split("train"), strict=False):
    picture(axis, torch.from_numpy(read_image(example.path)).permute(2, 0, 1))
    outline(axis, torch.tensor([one.box for one in example.objects]), GROUND_TRUTH)
    axis.set(title=", ".join(sorted({one.name for one in example.objects})), xticks=(), yticks=())
show(figure, "data", "Look at your data first: five training images with their boxes.")

# %% [markdown]
# ## 3. Train
#
# `train` looks at the data and plans: size of the input, anchors, network, augmentation; it says why. Your own data
# would get `minutes=5`; here it is 45 iterations, the smallest network, and a function that hears of each evaluation
# on the **validation** images. The weights with the best AP on these are kept. The test images are not looked at.

# %%
data, curve = work / "fixed", list[tuple[int, dict[str, float]]]()
run = pocketrcnn.train(
    data, iterations=45, preset="small", out=work / "run", quiet=True, callback=lambda *heard: curve.append(heard)
)
print(*reasons(open_run(run.path, "cpu").config, clean, len(clean.split("train"))), sep="\n")
figure, axis = plt.subplots(figsize=(4.4, 2.4))
axis.plot([at for at, _ in curve], [metrics["AP50"] for _, metrics in curve], "o-", color=BLUE)
axis.set(xlabel="iteration", ylabel="AP50, validation images", ylim=(0, 1))
show(figure, "learning", "AP50 on 30 validation images. A small step up or down is chance: the images are few.")

# %% [markdown]
# ## 4. Evaluate, and read what is wrong
#
# Now the test images, once. `evaluate` returns all figures of lesson 7, and AR, the mean recall over the ten IoU
# thresholds of AP. `write_report` makes a page of them: open it in a browser. A slider moves the threshold there, and
# a click on a kind of error or on a cell of the matrix shows its images. Two parts of it tell what to do next.
#
# The **confusion matrix** counts what is shown at the detector's threshold, true objects in rows, detections in
# columns. Last row: detections that match no object at IoU 0.5. Last column: objects that nothing matches. A badly
# placed box counts in both. And TIDE's gains say what each kind of error costs, at all scores: there the badly placed
# box is one `Loc`, so `Miss` can be 0 although the last column is not. Many `Miss` ask for more images, or larger
# ones, `Loc` for longer training or tighter boxes in your annotations, `Cls` for more examples of both classes. Here
# `Loc` and `Cls` cost most: 45 iterations are few.

# %%
evaluation = pocketrcnn.evaluate(run, quiet=True)
print("report:", pocketrcnn.write_report(run, quiet=True))
print(", ".join(f"{name} {value:.3f}" for name, value in evaluation.overall.items() if value is not None))
names, matrix = evaluation.confusion["names"], np.array(evaluation.confusion["matrix"])
gains = (evaluation.tide or {})["gain"]
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.8))
left.imshow(matrix, cmap="Blues", vmax=2 * matrix.max())
for (row, column), count in np.ndenumerate(matrix):
    left.text(column, row, count, ha="center", va="center")
left.set(xticks=range(3), yticks=range(3), xticklabels=names, yticklabels=names, xlabel="detected", ylabel="true")
kinds = ("Cls", "Loc", "Both", "Dupe", "Bkg", "Miss")
right.bar(kinds, [gains[kind] for kind in kinds], color=ORANGE)
right.set(title="AP50 that would be gained without these errors")
show(figure, "errors", "What was taken for what at the detector's threshold, and what each kind of error costs.")

# %% [markdown]
# **Exercise 2.** With 20 classes nobody reads a matrix of 441 numbers. Find its worst confusion of two classes.


# %% tags=["exercise"]
def worst_confusion(names: list[str], matrix: NDArray[np.int64]) -> tuple[str, str, int]:
    """The true class, the class that it was taken for, and how often: the largest number of one class for another.

    names: of K classes, then "background". matrix: [K+1,K+1], true objects in rows, detections in columns.
    Example: with `names` a, b, background and `matrix` [[9, 2, 5], [1, 9, 7], [8, 8, 0]] it is `("a", "b", 2)`.
    """
    raise NotImplementedError("Exercise 2: neither the diagonal nor the background counts")


# %%
check(worst_confusion)

# %% [markdown]
# Numbers need pictures: the worst images.

# %%
truth = {one.path.name: one for one in clean.split("test")}
figure, axes = plt.subplots(1, 5, figsize=(7.2, 1.7))
for axis, row in zip(axes, evaluation.images, strict=False):
    example = truth[Path(row["name"]).name]
    found = run.detector(example.path)[0]
    picture(axis, torch.from_numpy(read_image(example.path)).permute(2, 0, 1))
    outline(axis, torch.tensor([one.box for one in example.objects]), GROUND_TRUTH, linewidth=3)
    for label, colour in enumerate((DETECTION, BLUE)):
        outline(axis, found.boxes[found.labels == label], colour, linestyle="--")
    axis.set(title=f"{len(example.objects)} true, {len(found.labels)} found", xticks=(), yticks=())
show(figure, "worst", "The worst images. Green: ground truth; dashed: what is found, animals orange, vehicles blue.")

# %% [markdown]
# ## 5. A threshold for a purpose
#
# The threshold of best F1 treats a false detection and a missed object alike. Who hunts for a rare cell wants recall,
# who fires an alarm wants precision. Choose on the **validation** images, as `train` did; then look at the test images.

# %%
validation = pocketrcnn.evaluate(run, split="val", quiet=True)
for name, used in (("validation", validation.used or {}), ("test", evaluation.used or {})):
    print(f"{name:10}", *(f"{one} {used[one]:.3f}" for one in ("threshold", "precision", "recall")))
chosen_on = validation.thresholds or {}
figure, axis = plt.subplots(figsize=(4.4, 2.4))
for name, colour in (("precision", BLUE), ("recall", ORANGE)):
    axis.plot(chosen_on["threshold"], chosen_on[name], color=colour, label=name)
axis.axvline(run.detector.threshold, color=GREY, linestyle=":")
axis.set(xlabel="threshold", title="30 validation images; dotted: best F1")
axis.legend()
show(figure, "threshold", "Recall only falls with the threshold. Precision does not only rise: find a step down.")

# %% [markdown]
# **Exercise 3.** Which threshold gives at least the precision that you want, and loses as little recall as it can?


# %% tags=["exercise"]
def threshold_for(precision: float, thresholds: list[float], precisions: list[float]) -> float:
    """The lowest threshold with at least this precision; 1.0 where there is none.

    thresholds, precisions: of the same length, in any order; precision may go up and down with the threshold.
    Example: `threshold_for(0.9, [0.8, 0.5, 0.2], [1.0, 0.95, 0.4])` is `0.5`.
    """
    raise NotImplementedError("Exercise 3: among the thresholds that are good enough, the lowest")


# %%
check(threshold_for)

# %% [markdown]
# ## 6. Predict and count
#
# `predict` reads any number of images and writes pictures, boxes as JSON and CSV, and a table of counts. Often the
# count is the result: $\hat c_i$ objects in image $i$, where there are $c_i$. The mean error $b$, the **bias**, says
# whether there are too many; the mean absolute error $e$ says how far off one image is.
#
# $$b = \frac{1}{n}\sum_i (\hat c_i - c_i), \qquad e = \frac{1}{n}\sum_i |\hat c_i - c_i|$$

# %%
predicted = pocketrcnn.predict(run, [work / "fixed" / "test"], out=work / "found", quiet=True)
with (work / "found" / "counts.csv").open() as file:
    counted = {Path(row["image"]).name: int(row["objects"]) for row in csv.DictReader(file)}
real = {name: len(example.objects) for name, example in truth.items()}
print(f"{predicted.objects} objects in {predicted.images} images; there are {sum(real.values())}")
print("images with the right count:", sum(counted[name] == count for name, count in real.items()), "of", len(real))

# %% [markdown]
# **Exercise 4.** Write both.


# %% tags=["exercise"]
def count_errors(counted: list[int], real: list[int]) -> tuple[float, float]:
    """Bias and mean absolute error of the counts in one or more images; a bias above 0: too many were counted.

    Example: `count_errors([3, 1], [1, 2])` is `(0.5, 1.5)`.
    """
    raise NotImplementedError("Exercise 4: mean of the differences, mean of their absolute values")


# %%
check(count_errors)

# %% [markdown]
# ## 7. Export, and compare
#
# `export` writes the detector as one ONNX file, which runs without torch. Trust, and compare: both see the same images.

# %%
exported = runtime.Detector.load(pocketrcnn.export(run, quiet=True))
answers = [one([example.path for example in truth.values()]) for one in (run.detector, exported)]
a, b = ({part: np.asarray(getattr(one, part)) for part in ("boxes", "scores", "labels")} for one in answers)
print("the same labels:", bool((a["labels"] == b["labels"]).all()))
print(*(f"{part} differ by at most {np.abs(a[part] - b[part]).max():.6f}" for part in ("boxes", "scores")), sep="; ")

# %% [markdown]
# ## Questions
#
# 1. Of the six faults, which would you never find by looking at the figures of the trained detector?
# 2. The count of all objects may be nearly right, although many detections are false. How? When is that good enough?
# 3. You have 40 annotated images. How many are for training, validation, test, and what can you say in the end?
# 4. You choose among three networks by their test figures. Which figure do you report?
# 5. Many animals are taken for vehicles. Which data do you collect, and how do you see that it helped?
#
# ## Further reading
#
# - Bolya et al. 2020, "TIDE: A General Toolbox for Identifying Object Detection Errors": section 2.2 (kinds)
# - Northcutt, Athalye, Mueller 2021, "Pervasive Label Errors in Test Sets": section 5 (what they do to a comparison)
# - Dive into Deep Learning, chapter "The Object Detection Dataset"
# - `docs/data.md` (what is read and checked), `docs/usage.md`, `docs/onnx.md`; `src/pocketrcnn/custom/plan.py`
