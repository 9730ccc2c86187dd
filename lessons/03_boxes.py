# %% [markdown]
# # Lesson 3: Boxes, IoU, anchors, matching
#
# After this lesson you can
#
# - read and write boxes as four numbers, and say which pixels they cover;
# - compute the intersection over union (IoU) of two boxes, and say what it does not tell;
# - lay anchors over a feature map, and say which objects they cannot match;
# - label anchors as positive, negative or ignored by two thresholds;
# - turn a box into deltas from an anchor, and deltas back into a box.
#
# You need lesson 1 (what a feature map and its stride are). 50 minutes; the computer needs a few seconds of them.

# %% tags=["imports"]
import inspect
import math

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import Rectangle
from torch import Tensor

from classroom import check, outline, picture, show
from pocketrcnn.course.data.crowded import Crowd, crowded, pools
from pocketrcnn.model import boxes
from pocketrcnn.report.colours import BLUE, GREEN, GREY, INK, ORANGE

# %% [markdown]
# ## 1. A box is four numbers
#
# An object detector says *what* is in an image and *where*. The where is a **box**: a rectangle around the object, with
# sides parallel to those of the image. We write it as $(x_1, y_1, x_2, y_2)$: the upper left and the lower right
# corner, in pixels ("xyxy"). $x$ goes to the right, and $y$ goes **down**, as the rows of an image do.
#
# The numbers are places between pixels. Column 0 of an image reaches from $x = 0$ to $x = 1$, so a box over a whole
# image of 96 pixels is $(0, 0, 96, 96)$. The width of any box is $x_2 - x_1$, without "+ 1". Its area is
# $A = (x_2 - x_1)(y_2 - y_1)$, and 0 for an *inverted* box, whose right side lies left of its left side, as a network
# may predict it. In the docstrings of the package, `[...,4]` means any number of dimensions, of which the last one
# holds the four numbers.
#
# Our scenes are made of CIFAR-10: small images lie on a large one. So we know the boxes exactly. A batch has a fixed
# number of slots for boxes, and a mask that says which of them hold one.

# %%
scenes = crowded(  # from pools of images for objects and backgrounds: 24 scenes of 3 to 3 objects, 96 pixels wide
    pools("sample", "test"), torch.arange(24), Crowd((3, 3), 96), torch.Generator().manual_seed(1)
)
image, truth = scenes.images[-1], scenes.boxes[-1]  # uint8 [3,96,96] and its three objects [3,4]
figure, axes = plt.subplots(figsize=(4.4, 4.2))
picture(axes, image)
outline(axes, truth, GREEN, linewidth=3)
axes.set(xlabel="x in pixels", ylabel="y in pixels, downwards")
show(figure, "boxes", "Three objects and their true boxes. Find each of them among the boxes printed below.")
print("boxes:", truth.tolist(), "areas in square pixels:", boxes.area(truth).tolist())
print(inspect.getsource(boxes.area))

# %% [markdown]
# ## 2. Intersection over union
#
# How well do two boxes $a$ and $b$ agree? Look at the part that both cover, the **intersection**. It is a box, too: its
# left side is the one of the two left sides that lies further right, and so on around.
#
# $$I = \max\big(0,\; \min(a_{x2}, b_{x2}) - \max(a_{x1}, b_{x1})\big) \cdot
#       \max\big(0,\; \min(a_{y2}, b_{y2}) - \max(a_{y1}, b_{y1})\big)$$
#
# **Exercise 1.** Write this formula as a function of two boxes. Think of boxes that lie apart both in $x$ and in $y$:
# what would they give without the two "max(0, ...)"?


# %% tags=["exercise"]
def area_of_overlap(a: list[float], b: list[float]) -> float:
    """The area that two boxes have in common, in square pixels; 0 where they share none.

    a, b: boxes x1, y1, x2, y2 in pixels. Example: `area_of_overlap([0, 0, 4, 4], [2, 1, 6, 3])` is 4.0.
    """
    raise NotImplementedError("Exercise 1: the width of the intersection times its height")


# %%
check(area_of_overlap)

# %% [markdown]
# Large boxes have large intersections, so we divide by the area that the boxes cover *together*, the **union**. In the
# sum of both areas the common part is counted twice, so it is taken away once:
#
# $$\mathrm{IoU}(a, b) = \frac{I}{A_a + A_b - I}$$
#
# IoU is 1 for equal boxes and 0 for boxes that share nothing. It has no unit.
#
# **Exercise 2.** Write IoU for two boxes, without your first function, so that it stands alone. Two boxes without area
# would give 0 / 0; the convention is that a box without area overlaps nothing, so that its IoU is 0.


# %% tags=["exercise"]
def iou_of_pair(a: list[float], b: list[float]) -> float:
    """Intersection over union of two boxes, 0..1; 0 where there is no area.

    a, b: boxes x1, y1, x2, y2 in pixels; an inverted box has area 0.
    Example: `iou_of_pair([0, 0, 4, 4], [2, 0, 6, 4])` is one third.
    """
    raise NotImplementedError("Exercise 2: intersection over union, and 0 where there is no area")


# %%
check(iou_of_pair)

# %% [markdown]
# The package computes IoU for every pair of $N$ and $M$ boxes at once: `None` in an index adds an axis of length 1, so
# that the ones become a column and the others a row, and torch combines each with each. How does the last line avoid
# dividing by zero?

# %%
print(inspect.getsource(boxes.iou))
fixed = torch.tensor([[8.0, 8, 40, 40]])
others = torch.tensor([[36.0, 36, 56, 56], [24, 8, 56, 40], [18.7, 8, 50.7, 40], [13, 9, 45, 41], [9, 9, 41, 41]])
figure, panels = plt.subplots(1, 5, figsize=(7.2, 1.8))
for axes, other, value in zip(panels, others, boxes.iou(fixed, others)[0].tolist(), strict=True):
    x, y = torch.maximum(fixed[0, :2], other[:2]).tolist()
    width, height = (torch.minimum(fixed[0, 2:], other[2:]) - torch.tensor([x, y])).tolist()
    axes.add_patch(Rectangle((x, y), width, height, color=ORANGE, alpha=0.4))
    outline(axes, fixed, GREEN)
    outline(axes, other[None], BLUE)
    axes.set(xlim=(4, 60), ylim=(60, 4), aspect="equal", xticks=[], yticks=[], title=f"IoU {value:.2f}")
show(figure, "iou", "Two boxes and their intersection (orange). The last two pairs fit well.")

# %% [markdown]
# ## 3. What IoU does not tell
#
# - **How far apart?** Boxes that touch share no area: IoU 0. Boxes at opposite ends of the image: IoU 0, too. So IoU
#   does not tell a bad box in which direction to move.
# - **How many pixels off?** Shift a square of side $s$ sideways by $d$ pixels. Then $I = s(s - d)$, the union is
#   $s(s + d)$, and $\mathrm{IoU} = (s - d) / (s + d)$. The same 4 pixels are little for a large object, and half of one
#   of 8 pixels.
# - **Why does 0.5 look better than it is?** "IoU of at least 0.5" is the usual meaning of "found". It allows a shift by
#   a *third* of the side, or a box over half of the object, or one around it of twice its area.

# %%
shifts = torch.linspace(0, 16, 65)
figure, axes = plt.subplots(figsize=(7.2, 2.8))
for side, colour in ((8, ORANGE), (16, GREEN), (32, BLUE), (64, INK)):
    square = torch.tensor([[0.0, 0, side, side]])
    overlap = boxes.iou(square, boxes.shift(square, shifts, 0 * shifts))[0]
    axes.plot(shifts.tolist(), overlap.tolist(), color=colour, label=f"{side} px")
axes.axhline(0.5, color=GREY, linestyle=":")
axes.set(xlabel="shift of the box in pixels", ylabel="IoU", xlim=(0, 16), ylim=(0, 1.02))
axes.legend(title="side of both boxes", bbox_to_anchor=(1, 1), loc="upper left")
show(figure, "shift", "One shift, four sizes. Where a line meets 0.5 (dotted), the box is off by a third of its side.")
some = torch.tensor([[0.0, 0, 32, 32], [32, 0, 64, 32], [900, 0, 932, 32], [0, 0, 32, 16]])
print("IoU of a square with itself, one that touches, one far away, its half:", boxes.iou(some, some)[0].tolist())

# %% [markdown]
# ## 4. Anchors
#
# A convolutional network cannot output a list of boxes of any length. Its output is a **feature map**: a fixed number
# of cells, which lie over the image $s$ pixels apart; $s$ is the **stride** of the map. So we lay reference boxes over
# the image, the **anchors**: one or several on each cell of the feature map, the same for every image. For each anchor,
# the network only has to say whether an object is there, and how the object differs from it.
#
# The cell in row $i$ and column $j$ stands for $s \times s$ pixels, whose middle is $x = (j + \tfrac12) s$,
# $y = (i + \tfrac12) s$. That is the centre of its anchors. Anchors are not cut at the border.

# %%
print(inspect.getsource(boxes.anchors))
grid = boxes.anchors(height=12, width=12, stride=8, shapes=[(32, 32)])  # [12,12,1,4] for an image of 96 pixels
print("shape:", list(grid.shape), "anchors:", grid.shape[:3].numel(), "the first:", grid[0, 0, 0].tolist())
figure, axes = plt.subplots(figsize=(4.4, 4.2))
picture(axes, image)
x, y, _, _ = boxes.center_size(grid.view(-1, 4))
axes.scatter(x.tolist(), y.tolist(), s=6, color="w", edgecolors=INK, linewidths=0.4, zorder=3)  # above the frames
for cell, colour in (((0, 0), ORANGE), ((4, 5), BLUE), ((11, 9), INK)):
    outline(axes, grid[cell], colour, linewidth=3)
axes.set(xlim=(-14, 110), ylim=(110, -14))
show(figure, "anchors", "Centres of 12 x 12 cells, and the anchors of three cells. Two reach over the border.")

# %% [markdown]
# ## 5. What anchors of one size cannot match
#
# The next step needs an anchor of enough IoU for each object. Is there one? We put squares at 2,000 places between four
# neighbouring cell centres, take the best anchor of each, and look at the *worst* place: objects lie where they lie.
# Long objects need long anchors: see the last line.

# %%
middle = torch.rand(2000, 2, generator=torch.Generator().manual_seed(0)) * 8 + 44  # [2000,2]
figure, axes = plt.subplots(figsize=(7.2, 2.8))
for shapes, colour in (([(32, 32)], BLUE), ([(16, 16), (32, 32), (64, 64)], ORANGE)):
    laid = boxes.anchors(12, 12, 8, shapes).view(-1, 4)
    squares = [torch.cat((middle - side / 2, middle + side / 2), 1) for side in range(6, 81)]
    worst = [boxes.iou(square, laid).max(1).values.min().item() for square in squares]
    axes.plot(range(6, 81), worst, color=colour, label=f"anchors of {', '.join(str(w) for w, _ in shapes)} px")
axes.axhline(0.7, color=GREY, linestyle=":")
axes.set(xlabel="side of the object in pixels", ylabel="best IoU at the worst place", ylim=(0, 1))
axes.legend()
show(figure, "sizes", "Dotted: 0.7. At the worst place, anchors of 32 px never reach it at stride 8; larger ones do.")
print(f"best IoU of an object of 40 x 10 pixels: {boxes.iou(torch.tensor([[28.0, 43, 68, 53]]), laid).max():.2f}")

# %% [markdown]
# ## 6. Matching: what should each anchor say?
#
# For training, each anchor gets a **label**, by its highest IoU with an object (Ren et al. 2015, section 3.1.2):
#
# - **positive** (1) above an upper threshold. The best anchor of each object is positive, too, however low its IoU is,
#   as long as it is above 0; if several are equally good, all of them. So no object is left without an anchor;
# - **negative** (0) below a lower threshold, unless it is positive by that rule;
# - **ignored** (-1) otherwise: neither "object" nor "no object" would be right, so that the loss leaves it out.
#
# We use the thresholds of the course, 0.7 and 0.1. With 0.7 alone, many objects would have no anchor: see section 5.

# %%
valid = torch.ones(1, 3, dtype=torch.bool)  # all three rows of `truth` are objects, none is padding
labels = boxes.match(grid, truth[None], valid, positive_iou=0.7, negative_iou=0.1)[0].view(12, 12)
best = boxes.iou(grid.view(-1, 4), truth).max(1).values.view(12, 12)
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.9))
picture(left, image)
outline(left, truth, GREEN, linewidth=3)
outline(left, grid[labels == boxes.POSITIVE].view(-1, 4), BLUE, linestyle="--")
for row, column in torch.cartesian_prod(torch.arange(12), torch.arange(12)).tolist():
    face = {1: BLUE, 0: "white", -1: "#dddddd"}[int(labels[row, column])]
    right.add_patch(Rectangle((column, row), 1, 1, facecolor=face, edgecolor=GREY, linewidth=0.5))
    ink, number = "white" if face == BLUE else INK, f"{100 * best[row, column]:.0f}"
    right.text(column + 0.5, row + 0.5, number, ha="center", va="center", fontsize=7, color=ink)
right.set(xlim=(0, 12), ylim=(12, 0), xlabel="column of the map", ylabel="row of the map", aspect="equal")
right.set(title="best IoU of each cell's anchor, in %, rounded")
left.set(title="objects (green), positive anchors (blue)", xlabel="x in pixels", ylabel="y in pixels")
show(figure, "matching", "Cells of positive anchors are blue, of ignored ones grey, of negative ones white.")
print({word: int((labels == label).sum()) for word, label in {"positive": 1, "negative": 0, "ignored": -1}.items()})

# %% [markdown]
# **Exercise 3.** Write the three rules. The IoU of all pairs is given. Both comparisons are strict: an IoU equal to a
# threshold is ignored. An image may have no object, so that `overlap` has no column; then all anchors are negative.


# %% tags=["exercise"]
def label_anchors(overlap: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    """The label of each anchor: 1 positive, 0 negative, -1 ignored; int64 [N].

    overlap: IoU of N anchors with the G objects of an image, float32 [N,G].
    Example: `label_anchors(torch.tensor([[0.8, 0.0], [0.5, 0.0], [0.0, 0.3], [0.0, 0.05]]), 0.7, 0.1)` is
    `torch.tensor([1, -1, 1, 0])`: the third anchor is the best one of the second object.
    """
    raise NotImplementedError("Exercise 3: positive, negative and ignored anchors, and the best anchor of each object")


# %%
check(label_anchors)

# %% [markdown]
# ## 7. Deltas: from an anchor to a box
#
# The network does not predict boxes, but how to get from the anchor (index $a$) to the box. $x, y$ are centres here,
# and $\log$ is the natural logarithm:
#
# $$t_x = \frac{x - x_a}{w_a}, \qquad t_y = \frac{y - y_a}{h_a}, \qquad
#   t_w = \log\frac{w}{w_a}, \qquad t_h = \log\frac{h}{h_a}$$
#
# These **deltas** are small numbers around 0, whatever the size of the anchor (Girshick et al. 2014, appendix C). By
# the logarithm, twice as wide and half as wide are equally far from 0, and the width that comes back, $w_a e^{t_w}$, is
# never negative. `encode` makes deltas of boxes, for the targets; `decode` makes boxes of deltas, for the prediction.
# (`log_scale` is the logarithm, made safe for sides that are not positive.)

# %%
print(inspect.getsource(boxes.encode), "\n", inspect.getsource(boxes.decode), sep="")
anchor = torch.tensor([8.0, 8, 40, 40])
for box in ([8.0, 8, 40, 40], [16.0, 8, 48, 40], [-8.0, 8, 56, 40], [16.0, 8, 32, 40], [12.0, 16, 28, 32]):
    deltas = boxes.encode(torch.tensor(box), anchor)
    back = [round(value, 3) for value in boxes.decode(deltas, anchor).tolist()]
    print(box, "-> deltas", [round(value, 3) for value in deltas.tolist()], "-> box", back)
print("one delta for both sides, for squares:", boxes.decode(torch.tensor([0.25, 0, math.log(0.5)]), anchor).tolist())

# %% [markdown]
# **Exercise 4.** Solve the four formulas for $x, y, w, h$, and return the corners.


# %% tags=["exercise"]
def move_anchor(anchor: list[float], deltas: list[float]) -> list[float]:
    """The box x1, y1, x2, y2 that deltas lead to, in pixels.

    anchor: x1, y1, x2, y2 in pixels. deltas: t_x, t_y, t_w, t_h.
    Example: `move_anchor([8, 8, 40, 40], [0.25, 0, 0, 0])` is [16, 8, 48, 40].
    """
    raise NotImplementedError("Exercise 4: the new centre and the new sides, then the corners")


# %%
check(move_anchor)

# %% [markdown]
# ## Questions
#
# 1. Two people draw a box around the same nucleus of 12 pixels, each 1 pixel too far to the left or right. What is the
#    IoU of the two? What does that say about a demand of IoU 0.9 for small objects?
# 2. Double the stride and keep the anchors: what becomes of the curves in section 5?
# 3. The paper ignores IoU 0.3 to 0.7, the course 0.1 to 0.7. What could go wrong without any ignored anchors?
#
# ## Further reading
#
# - Ren et al. 2015, *Faster R-CNN*, sections 3.1.1 (anchors), 3.1.2 (labels, deltas). Girshick et al. 2014, *R-CNN*,
#   appendix C (deltas). Rezatofighi et al. 2019, *Generalized IoU*, section 3 (an IoU that tells how far apart).
# - *Dive into Deep Learning*, chapter "Computer Vision": "Object Detection and Bounding Boxes", "Anchor Boxes".
# - `src/pocketrcnn/model/boxes.py`; `src/pocketrcnn/custom/anchors.py`: anchors that fit the boxes of your own images.
