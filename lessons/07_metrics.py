# %% [markdown]
# # Lesson 7: How good is a detector?
#
# After this lesson you can
#
# - match detections with objects by COCO's rules, and count what is right, false and missed;
# - draw a precision-recall curve, and compute average precision by hand;
# - say what AP50, AP75 and AP are, and what each of them hides;
# - name the kinds of errors, and read what each of them costs;
# - say how sure a figure on so many test images is.
#
# You need lesson 3 (IoU). 50 minutes; the computer needs a few seconds of them.

# %% tags=["imports"]
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray

from classroom import LESSONS, check, outline, picture, show
from pocketrcnn import Detector, examples_of
from pocketrcnn.data.boxes import Boxes
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.evaluation.average_precision import average_precision, evaluate
from pocketrcnn.evaluation.coco import accumulated, matched
from pocketrcnn.evaluation.outcomes import overlaps
from pocketrcnn.report.colours import BLUE, DETECTION, GREEN, GREY, GROUND_TRUTH, ORANGE

# %% [markdown]
# ## 1. What is there, and what is found
#
# The detector of nuclei inside the package was tested on 51 microscope images that it was not trained on. Two of them
# are inside the package, too; two tables beside this lesson have the boxes that people drew in all of them (**ground
# truth**), and those that the detector found (**detections**, each with a score); `scripts/lesson_nuclei.py` wrote
# them.


# %%
def boxes_in(table: str) -> list[Boxes]:
    """The boxes of a table (image, x1, y1, x2, y2, for detections the score), image by image."""
    rows = np.loadtxt(LESSONS / "07" / f"{table}.csv", delimiter=",", skiprows=1)
    images = [rows[rows[:, 0] == image] for image in range(51)]
    return [Boxes(one[:, 1:5], np.zeros(len(one)), one[:, 5] if one.shape[1] > 5 else None) for one in images]


truth, found = boxes_in("truth"), boxes_in("detections")
print(f"51 images, {sum(map(len, truth)):,} nuclei, {sum(map(len, found)):,} detections")
detector, paths = Detector.load("nuclei", device="cpu"), examples_of("nuclei")
live = detector(paths[0], threshold=0.01).scores[0].numpy()
print("image 0: the scores of detector and table differ by at most", f"{np.abs(live - found[0].scores).max():.5f}")
pictures = [torch.from_numpy(read_image(path)).permute(2, 0, 1) for path in paths]
figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.7))
for axis, image, objects, boxes in zip(axes, pictures, truth, found, strict=False):
    picture(axis, (image * 2.0).clamp(max=255).to(torch.uint8))  # twice as bright
    outline(axis, torch.from_numpy(objects.boxes), GROUND_TRUTH, linewidth=2)
    outline(axis, torch.from_numpy(boxes.boxes[boxes.scores >= 0.5]), DETECTION, linewidth=1)
    axis.axis("off")
show(figure, "nuclei", "Ground truth in green, detections of score 0.5 and above in orange. Find the missed nuclei.")

# %% [markdown]
# ## 2. Right or false?
#
# A detection is right where its IoU with an object of its class is large enough, by convention at least 0.5. But two
# detections may cover the same object, and a detection may touch two objects. COCO's rules (Lin et al. 2014) decide
# that:
#
# 1. The detections of a class in an image come one after the other, the highest score first.
# 2. Each takes, of the objects that are **not taken yet**, the one that it overlaps most, if that IoU is at least the
#    threshold. Then it is right, a **true positive** (TP); otherwise it is a **false positive** (FP).
# 3. An object that nobody takes is missed, a **false negative** (FN).
#
# Here is a scene made by hand: four objects, six detections, and their IoU as the package computes it.

# %%
four = Boxes([[x, 0, x + 10, 10] for x in (0, 20, 40, 60)], np.zeros(4))
corners = [[0, 0, 10, 10], [4, 0, 14, 10], [21, 0, 31, 10], [20, 1, 30, 11], [42, 0, 52, 10], [80, 0, 90, 10]]
six = Boxes(corners, np.zeros(6), [0.95, 0.9, 0.8, 0.6, 0.5, 0.3])
figure, axis = plt.subplots(figsize=(7.2, 1.8))
outline(axis, torch.from_numpy(four.boxes), GROUND_TRUTH, linewidth=3)
outline(axis, torch.from_numpy(six.boxes), DETECTION, linestyle="--")
for (_, y1, x2, y2), score in zip(six.boxes, six.scores, strict=True):
    axis.text(x2, y2 + 3.5 if y1 else -1, f"{score:g}", ha="right")
axis.set(xlim=(-2, 92), ylim=(15, -5), aspect="equal")
show(figure, "by_hand", "Objects in green, detections dashed, with their scores. Say which ones are right.")
print("IoU of each detection (a row) with each object (a column):")
print(overlaps(six, four).round(2))

# %% [markdown]
# **Exercise 1.** Write the rules. Beware: a detection whose best object is taken may take another one.


# %% tags=["exercise"]
def match_detections(overlap: NDArray[np.float64], scores: NDArray[np.float64], threshold: float) -> list[int]:
    """For each detection the index of the object that it takes, or -1 where it is false.

    overlap: IoU of m detections with n objects, [m,n]; n may be 0. scores: [m], all different, in any order.
    threshold: of the IoU. Example: for `overlap` [[0.6], [0.8]], `scores` [0.9, 0.7] and 0.5 it is `[0, -1]`.
    """
    raise NotImplementedError("Exercise 1: go through the detections by falling score")


# %%
check(match_detections)

# %% [markdown]
# ## 3. Precision and recall
#
# Show all detections from a score threshold on. **Precision** is the part of them that is right, **recall** the part
# of all objects that is found:
#
# $$P = \frac{TP}{TP + FP}, \qquad R = \frac{TP}{TP + FN} = \frac{TP}{\text{number of objects}}$$
#
# A lower threshold shows more detections: recall can only rise, precision goes up and down. In the scene by hand the
# six detections are right, false, right, false, right, false, by falling score. So the first one gives $P = 1/1$ and
# $R = 1/4$, the first two together 1/2 and 1/4, three 2/3 and 2/4, all six 3/6 and 3/4. One object is missed.
#
# **Exercise 2.** Write that for any number of detections, in all images together.


# %% tags=["exercise"]
def precision_recall(right: NDArray[np.bool_], objects: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision [m] and recall [m] of the first 1, 2, .. m detections.

    right: which detections are true positives, [m], by falling score. objects: number of objects, 1 or more.
    Example: for `right` [True, False] and 4 objects they are [1.0, 0.5] and [0.25, 0.25].
    """
    raise NotImplementedError("Exercise 2: count the true positives up to each detection")


# %%
check(precision_recall)

# %% [markdown]
# ## 4. Average precision
#
# One number for the whole curve is the area below it, the **average precision** (AP). COCO takes the curve at 101
# recalls $r = 0, 0.01, \dots, 1$, and at each of them the best precision that is reached at this recall **or a higher
# one**; where no detection reaches a recall, precision is 0:
#
# $$\mathrm{AP} = \frac{1}{101} \sum_{r} p(r), \qquad p(r) = \max_{i:\, R_i \ge r} P_i$$
#
# So the zigzag becomes a staircase. In the scene by hand: 26 points at 1, 25 points at 2/3, 25 points at 3/5, 25
# points at 0.

# %%
precision, recall = np.array([1, 1 / 2, 2 / 3, 1 / 2, 3 / 5, 1 / 2]), np.array([1, 1, 2, 2, 3, 3]) / 4
stairs, _ = accumulated(matched([four], [six], 1, 100, ious=[0.5]))  # [1,101,1,1]
figure, axis = plt.subplots(figsize=(4.8, 2.7))
axis.plot(recall, precision, "o--", color=ORANGE, label="after each detection")
axis.plot(np.arange(101) / 100, stairs[0, :, 0, 0], ".", markersize=4, color=BLUE, label="at 101 recalls")
axis.set(xlabel="recall", ylabel="precision", ylim=(-0.03, 1.05))
axis.legend()
show(figure, "staircase", "Precision over recall, and the staircase of its best values to the right, whose mean is AP.")
by_hand, counted = (26 * 1 + 25 * 2 / 3 + 25 * 3 / 5) / 101, average_precision([four], [six], 1)["AP50"]
print(f"AP50 by hand {by_hand:.4f}, by the package {counted:.4f}")

# %% [markdown]
# **Exercise 3.** Write AP at 101 recalls.


# %% tags=["exercise"]
def interpolated_ap(precision: NDArray[np.float64], recall: NDArray[np.float64]) -> float:
    """Average precision, 0..1, by COCO's 101 recalls.

    precision, recall: [m], after each detection by falling score; m may be 0. Recall never falls.
    Example: for `precision` [1.0, 0.5] and `recall` [0.25, 0.25] it is 26 / 101: 0, 0.01 .. 0.25 are 26 points.
    """
    raise NotImplementedError("Exercise 3: the mean over 101 recalls of the best precision from each on")


# %%
check(interpolated_ap)

# %% [markdown]
# ## 5. Ten thresholds, and a limit
#
# At IoU 0.5 a box may be twice as wide as its object and still count. **AP50** is AP there, **AP75** at 0.75, and
# **AP** without a number is the mean over 0.50, 0.55 .. 0.95; each is a mean over all classes, too. Each hides
# something: AP50 whether boxes fit, AP75 and AP whether objects are found at all, the mean a class that fails; and
# none says how many false detections a user sees. **maxDets** limits the detections of a class in an image that
# count, the best ones first: 100 for COCO. The package takes twice the objects of the fullest image, at least 100.

# %%
figure, (left, middle) = plt.subplots(1, 2, figsize=(7.2, 2.8))
curves, _ = accumulated(matched(truth, found, 1, 154))  # precision [10,101,1,1]
ious = [50 + 5 * i for i in range(10)]
for i, colour in ((0, BLUE), (5, ORANGE), (8, GREEN)):
    left.plot(np.arange(101) / 100, curves[i, :, 0, 0], color=colour, label=f"IoU {ious[i]} %")
left.set(xlabel="recall", ylabel="precision", title="staircases of 51 images")
left.legend()
middle.bar([str(iou) for iou in ious], curves[:, :, 0, 0].mean(1), color=BLUE)
middle.set(xlabel="IoU threshold in %", title="AP at each threshold; their mean is AP")
show(figure, "coco", "The same detections at several thresholds of the IoU: few boxes fit to 90 %.")
for limit in (154, 100, 30, 10):
    figures = average_precision(truth, found, 1, limit)
    print(f"maxDets {limit:3}:", ", ".join(f"{name} {figures[name]:.3f}" for name in ("AP50", "AP75", "AP")))

# %% [markdown]
# ## 6. The threshold, and kinds of errors
#
# AP looks at all thresholds of the score; a user sees one. **F1** is the harmonic mean of precision and recall,
#
# $$F_1 = \frac{2PR}{P + R} = \frac{2\,TP}{2\,TP + FP + FN},$$
#
# and its best threshold is a usual choice. It must be chosen on **validation** images: on test images it would be
# fitted to their luck.
#
# TIDE (Bolya et al. 2020) asks of each false detection why it is false. Take its largest IoU with an object of its
# own class, $o$, and with one of another class, $a$. The first rule that holds counts:
#
# | kind | rule | in words |
# |---|---|---|
# | `Loc` | $0.1 \le o \le 0.5$ | the right class, badly placed |
# | `Cls` | $a \ge 0.5$ | well placed, the wrong class |
# | `Dupe` | $o > 0.5$ | a detection with a higher score has the object |
# | `Bkg` | $o$ and $a$ at most 0.1 | there is no object |
# | `Both` | else | badly placed, and the wrong class |
#
# An object that no detection takes is a `Miss`, unless it is the best object of a `Loc` or `Cls` error: mended, that
# one would find it. The *gain* of a kind is by how much AP50 would rise without its errors. Compare counts and gains
# below: most of these errors have low scores, and no user sees them.

# %%
evaluation = evaluate(truth, found, ["nucleus"], threshold=detector.threshold)
tide, curve, used, best = (getattr(evaluation, name) for name in ("tide", "thresholds", "used", "best"))
for name, rates in (("chosen on validation images", used), ("best on these test images", best)):
    print(f"{name}: {', '.join(f'{key} {rates[key]:.3f}' for key in ('threshold', 'precision', 'recall', 'f1'))}")
figure, (left, middle) = plt.subplots(1, 2, figsize=(7.2, 2.8))
for name, colour in (("precision", BLUE), ("recall", ORANGE), ("f1", GREEN)):
    left.plot(curve["threshold"], curve[name], color=colour, label=name)
left.axvline(detector.threshold, color=GREY, linestyle=":")
left.set(xlabel="threshold of the score", title="at IoU 0.5; dotted: chosen on validation images")
left.legend()
kinds = ("Loc", "Dupe", "Bkg", "Miss")
middle.bar(kinds, [tide["gain"][kind] for kind in kinds], color=ORANGE)
middle.set(title="gain of AP50 without errors of a kind")
words = "Left: above the threshold few detections are false. Right: missed and badly placed nuclei cost most."
show(figure, "threshold_and_errors", words)
print("errors at any score:", tide["errors"])
print("objects that no detection takes:", round(sum(map(len, truth)) * (1 - max(curve["recall"]))))

# %% [markdown]
# ## 7. How sure is that?
#
# Other test images would have given another number. How far off may it be? The **bootstrap** asks the images that we
# have: draw $n$ of them, each as often as chance has it, again and again, and look at the spread of AP50. The half
# width $h$ of the interval falls with the root of the number of images:
#
# $$h(n) \approx h(n_0)\,\sqrt{n_0 / n}$$

# %%
draw, sizes = np.random.default_rng(0), (5, 10, 25, 51)
figure, axis = plt.subplots(figsize=(4.4, 2.7))
for n in sizes:
    samples = [draw.integers(51, size=n) for _ in range(200)]
    values = [average_precision([truth[i] for i in s], [found[i] for i in s], 1)["AP50"] or 0.0 for s in samples]
    low, median, high = np.quantile(values, (0.025, 0.5, 0.975))
    axis.errorbar(str(n), median, [[median - low], [high - median]], fmt="o", capsize=4, color=BLUE)
    print(f"{n:3} images: AP50 {low:.3f} to {high:.3f} in 95 % of the samples, half width {(high - low) / 2:.3f}")
axis.set(xlabel="test images", ylabel="AP50")
show(figure, "how_sure", "Median and 95 % of 200 samples. With ten test images, a gain of two points means nothing.")

# %% [markdown]
# **Exercise 4.** How many images do you need?


# %% tags=["exercise"]
def images_needed(images: int, half_width: float, wanted: float) -> int:
    """Test images that make an interval as narrow as is wanted, rounded up.

    images, half_width: a number of images, and the half width of the interval that they gave. wanted: half width, > 0.
    Example: `images_needed(50, 0.5, 0.25)` is 200.
    """
    raise NotImplementedError("Exercise 4: solve the formula for the number of images")


# %%
check(images_needed)

# %% [markdown]
# ## Questions
#
# 1. A detector shows each of many objects twice, perfectly, by falling score each copy directly after its original.
#    What are recall, precision and AP50? What if all copies come last?
# 2. Why may a detection be right for AP50, and false for AP75, and which users mind?
# 3. AP does not change when all scores are halved. What does change, and for whom?
# 4. Two detectors are compared on the same 51 images. Why do their two intervals say too little? Plan a bootstrap
#    that draws the same images for both.
# 5. `Bkg` is the second most frequent error here and costs least. How can that be?
#
# ## Further reading
#
# - Lin et al. 2014, "Microsoft COCO"; the rules of its metric are on cocodataset.org, "detection evaluation"
# - Everingham et al. 2010, "The PASCAL Visual Object Classes (VOC) Challenge": section 4.2 (AP; there the best object
#   counts even where it is taken)
# - Bolya et al. 2020, "TIDE: A General Toolbox for Identifying Object Detection Errors": section 2
# - `src/pocketrcnn/evaluation/`: `average_precision.py`, `outcomes.py`, `thresholds.py`; docs/reliability.md
