# %% [markdown]
# # Lesson 5: From boxes to classes: the spatial transformer and ROI pooling
#
# After this lesson you can
#
# - say why regions of all sizes must become crops of one size, and write the transformer's $\theta$ of a box;
# - sample a map between its cells by bilinear interpolation;
# - pool a region by the maximum of bins, and say what rounding does to it;
# - say which of the two gives the box a gradient, and what a crop loses of small and of large objects.
#
# You need lesson 3 (boxes, stride) and lesson 4 (proposals). 50 minutes; the computer needs a few seconds of them.

# %% tags=["imports"]
import inspect
import math

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.nn import functional as F

from classroom import check, outline, picture, show
from pocketrcnn import Detector, FasterRCNN, examples_of, open_dataset
from pocketrcnn.config import DataConfig
from pocketrcnn.course.experiments import NETWORKS
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.model import boxes, roi
from pocketrcnn.report.colours import BLUE, BOXES, DETECTION, GREEN, ORANGE

# %% [markdown]
# ## 1. Regions of all sizes, a classifier of one
#
# The proposals of lesson 4 say where objects may be. The second stage of the detector looks at each **region of
# interest** (ROI) and says what is in it. It reads the feature map that is there already: a few cells, cut out of the
# map, instead of a new pass over the image. That is what makes Faster R-CNN fast.
#
# The classifier, the **head**, ends in fully connected layers, and these have a fixed number of inputs. So each region,
# whatever its size, becomes a crop of $S \times S$ cells. In the detector of the course $S = 4$. The answers are
# logits, one for each class, and their loss is the cross entropy of lesson 2, over regions in place of images.

# %%
head = FasterRCNN(NETWORKS["detector"]).head
assert head is not None
for name, weight in head.named_parameters():
    print(f"{name}: {list(weight.shape)}")  # hidden: 4 x 4 on a crop of 4 x 4 is fully connected, 256 * 16 inputs
test = open_dataset(DataConfig("sample", kind="scenes", fresh=False), "test")
batch = test.batch(torch.tensor([1]))  # one scene: image uint8 [1,3,48,48], box [1,1,4]
image, truth = batch.images.float(), batch.boxes
print("box:", truth[0, 0].tolist())

# %% [markdown]
# ## 2. Theta: where to look
#
# The **spatial transformer** (Jaderberg et al. 2015, section 3) cuts out by asking, for each cell of the crop: at which
# point of the map do I look? It counts places from -1 (left or upper border) to 1 (right or lower border), in the crop
# as in the map, so that the size of the map does not matter. For a box with the centre $(x, y)$ and the sides $w, h$ in
# an input of $W$ pixels:
#
# $$\begin{pmatrix} x_\text{map} \\ y_\text{map} \end{pmatrix}
#   = \theta \begin{pmatrix} x_\text{crop} \\ y_\text{crop} \\ 1 \end{pmatrix}$$
#
# $$\theta = \begin{pmatrix} w/W & 0 & 2x/W - 1 \\ 0 & h/W & 2y/W - 1 \end{pmatrix}$$
#
# The two zeros could rotate the crop; here nothing does. Check it: the centre of the crop, (0, 0), comes from the
# centre of the box.
#
# **Exercise 1.** Write $\theta$ of a box.


# %% tags=["exercise"]
def theta_of_box(box: list[float], side: float) -> Tensor:
    """The matrix theta of a box in a square input: float32 [2,3].

    box: x1, y1, x2, y2 in pixels. side: of the input in pixels.
    Example: `theta_of_box([0, 0, 24, 48], 48)` is `torch.tensor([[0.5, 0, -0.5], [0, 1, 0]])`.
    """
    raise NotImplementedError("Exercise 1: the scales and the shifts of theta")


# %%
check(theta_of_box)

# %% [markdown]
# The package keeps only the four numbers that are not 0. torch has the rest as `affine_grid` (theta to points) and
# `grid_sample` (points to values); `transformer_pool` gives the same, faster.

# %%
print(inspect.getsource(boxes.theta))
scale_x, shift_x, scale_y, shift_y = boxes.theta(truth, 48, 48)[0, 0].tolist()
theta = torch.tensor([[[scale_x, 0, shift_x], [0, scale_y, shift_y]]])
points = F.affine_grid(theta, [1, 3, 8, 8], align_corners=False)  # [1,8,8,2] in -1..1
ours = roi.transformer_pool(image, truth, 48, 8)  # [1,3,8,8]
theirs = F.grid_sample(image, points, align_corners=False)
print(f"largest difference from torch's, of values up to 255: {(ours - theirs).abs().max():.5f}")
figure, panels = plt.subplots(1, 4, figsize=(7.2, 2.1))
picture(panels[0], batch.images[0])
outline(panels[0], truth, GREEN)
x, y = ((points + 1) * 24).view(-1, 2).unbind(-1)  # in pixels
panels[0].scatter(x.tolist(), y.tolist(), s=3, color=ORANGE)
for axes, size in zip(panels[1:], (32, 8, 4), strict=True):
    picture(axes, roi.transformer_pool(image, truth, 48, size)[0].byte())
    axes.set(title=f"crop of {size} x {size}")
for axes in panels:
    axes.axis("off")
show(figure, "theta", "A box with its 8 x 8 points, and crops of it. Every box gives crops of the same size.")

# %% [markdown]
# ## 3. Between the cells: bilinear sampling
#
# The points fall between cells. The value $V$ at a point $(x, y)$, counted in cells so that the centre of the cell in
# row $n$ and column $m$ is at $x = m$, $y = n$, is a mix of the cells $U_{nm}$ around it:
#
# $$V(x, y) = \sum_n \sum_m U_{nm} \max(0, 1 - |x - m|) \max(0, 1 - |y - n|)$$
#
# (Jaderberg et al. 2015, equation 5). Only four cells have a weight above 0. On the centre of a cell, the value is that
# of the cell; cells outside the map count as 0.
#
# **Exercise 2.** Write it for one point. The sum may run over all cells, or over the four that matter.


# %% tags=["exercise"]
def bilinear(values: Tensor, x: float, y: float) -> float:
    """The value of a map at a point between its cells.

    values: float32 [h,w]. x: to the right, y: downwards, both in cells; (0, 0) is the centre of the first cell.
    Example: `bilinear(torch.tensor([[0.0, 4.0], [8.0, 12.0]]), 0.25, 0.5)` is 5.0.
    """
    raise NotImplementedError("Exercise 2: the weighted sum of the cells around the point")


# %%
check(bilinear)

# %% [markdown]
# The package computes the two rows and the two columns beside each point, takes the four cells of all points out of the
# map at once (a **gather**), and adds them with their weights; `embedding_bag` does both. That is the formula without
# the zeros. Skip the source at first reading, and look at the four lines below it.

# %%
print(inspect.getsource(roi.transformer_pool), "\n", inspect.getsource(roi.neighbours), sep="")
cells, weights = roi.neighbours(torch.tensor(scale_x), torch.tensor(shift_x), size=4, cells=6)  # along x: [4,2] each
for point, (pair, weight) in enumerate(zip(cells.tolist(), weights.tolist(), strict=True)):
    print(f"point {point} of 4 mixes columns {pair} of the map of 6 x 6 by {[round(value, 2) for value in weight]}")

# %% [markdown]
# ## 4. Without interpolation: the maximum of bins
#
# **ROI max pooling** (Girshick 2015, section 2.1) came first. It cuts the region from $a$ to $b$, in cells along one
# axis, into $S$ **bins** of whole cells. Bin $i = 0, 1, \dots, S - 1$ has the cells
#
# $$\left\lfloor a + i \tfrac{b - a}{S} \right\rfloor \;\le\; \text{cell} \;<\;
#   \left\lceil a + (i + 1) \tfrac{b - a}{S} \right\rceil$$
#
# and the one at its lower end where there is none ($a = b = 2$). Here $a = 0$ is the *border* of the first cell. Each
# bin gives the maximum of its cells. The borders are rounded outwards: bins may share cells, and reach over the region.
#
# **Exercise 3.** Write the bins along one axis.


# %% tags=["exercise"]
def bins_of(low: float, high: float, count: int) -> list[tuple[int, int]]:
    """The first cell of each bin and the first one behind it, `count` pairs.

    low, high: where the region begins and ends, in cells from the border of the map; the region is inside of it.
    Example: `bins_of(1.5, 4.5, 2)` is `[(1, 3), (3, 5)]`.
    """
    raise NotImplementedError("Exercise 3: round the borders outwards, and leave no bin empty")


# %%
check(bins_of)

# %%
print(inspect.getsource(roi.max_pool))
features = F.avg_pool2d(image.mean(1, keepdim=True), 8)  # [1,1,6,6]: a map of stride 8, here of grey values
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.0), width_ratios=(1, 1.5))
left.imshow(features[0, 0].numpy(), cmap="gray", extent=(0, 6, 6, 0))
outline(left, truth / 8, GREEN, linewidth=3)
low, high = truth[0, 0, :2] / 8, truth[0, 0, 2:] / 8
(top, bottom), (first, last) = (boxes.bins(low[axis], high[axis], 2, 6) for axis in (1, 0))  # bool [2,6] each
for rows, columns, i in ((top, first, 2), (top, last, 3), (bottom, first, 3), (bottom, last, 2)):
    y, x = (part.nonzero()[[0, -1], 0].tolist() for part in (rows, columns))
    outline(left, torch.tensor([x[0] + 0.1, y[0] + 0.1, x[1] + 0.9, y[1] + 0.9]), BOXES[i], linestyle="--")
left.set(title="box (green) and its 2 x 2 bins (dashed)")
shifts = torch.arange(0, 18, 0.1)
moved = boxes.shift(truth[0, 0].expand(len(shifts), 4), shifts, 0 * shifts)[None]  # [1,180,4]
for name, colour in (("transformer", BLUE), ("max", ORANGE)):
    crops = roi.POOLS[name](features, moved, 48, 4)  # [180,1,4,4]
    right.plot(shifts.tolist(), crops[:, 0, 2, 1].tolist(), color=colour, label=name)
right.set(xlabel="shift of the box to the right in pixels", ylabel="value of a cell of the 4 x 4 crop")
right.legend()
show(figure, "rounding", "A box that moves: the transformer follows it, ROI max pooling jumps from cell to cell.")

# %% [markdown]
# ## 5. Who gets a gradient?
#
# Training needs $\partial V / \partial U$, for the features: of the transformer these are the weights, for the four
# cells; of max pooling 1 for the largest cell of a bin and 0 for the others. The transformer has a slope in $x$ and
# $y$, too: the point moves between cells, and $V$ with it. So a *box* can learn from the crop. Rounded bins have slope
# 0 almost everywhere, so that nothing can be learned from them.
#
# Below, a box starts beside the object, and gradient descent on its four numbers makes its crop look like the true
# crop. The slope knows only the cells around each point: from far away, it does not lead there.

# %%
wanted = roi.transformer_pool(image, truth, 48, 16)
figure, panels = plt.subplots(1, 2, figsize=(7.2, 3.0))
for axes, offset in zip(panels, ([3.0, -4, 3, -4], [8.0, -8, 8, -8]), strict=True):
    box = (truth + torch.tensor(offset)).requires_grad_(True)
    optimiser = torch.optim.Adam([box], lr=0.5)
    picture(axes, batch.images[0])
    outline(axes, truth, GREEN, linewidth=3)
    outline(axes, box.detach(), ORANGE, linestyle="--")
    for _ in range(60):
        loss = (roi.transformer_pool(image, box, 48, 16) - wanted).square().mean()
        (box.grad,) = torch.autograd.grad(loss, box)  # the slope of the loss in each of the four numbers
        optimiser.step()
    outline(axes, box.detach(), ORANGE)
    axes.set(title=f"IoU after 60 steps: {boxes.iou(box[0], truth[0]).item():.2f}", xticks=[], yticks=[])
show(figure, "descent", "True box (green), start (dashed) and end (orange) of gradient descent on the box.")
box = truth.clone().requires_grad_(True)
for name in ("transformer", "max"):
    print(f"{name}: does the box get a gradient?", roi.POOLS[name](features, box, 48, 4).requires_grad)

# %% [markdown]
# In the detector no gradient goes through the proposals, with either pooling: `propose` cuts it off. The box learns
# from its own loss (lesson 4) alone. Ren et al. do the same, and call it *approximate* joint training (section 3.2).
#
# ## 6. What a crop loses
#
# A crop reads $S$ points along an axis, each beside two cells: at most $2S$ cells. Of a large object most cells are
# never read. Of a small one, a few cells are read again and again, and the crop shows no more than they hold.
#
# **Exercise 4.** Which cells does the transformer read along one axis? Each point is in the middle of the $i$-th of $S$
# equal parts of the box. Mind that the *centre* of cell $j$ is at $j + \tfrac12$ when the border of the map is 0, and
# that a cell of weight 0 is not read.


# %% tags=["exercise"]
def cells_read(low: float, high: float, size: int, cells: int) -> list[int]:
    """The cells that have a weight above 0 for any point of a crop, along one axis, each once and in order.

    low, high: where the box begins and ends, in cells from the border of the map. size: points, S. cells: of the map.
    Example: `cells_read(1.0, 3.0, 2, 6)` is `[1, 2]`: both points are on centres.
    """
    raise NotImplementedError("Exercise 4: the places of the points, then the cells beside them that count")


# %%
check(cells_read)

# %%
model = Detector.load("nuclei").model  # trained, inside the package: stride 4, S = 4
nuclei = torch.from_numpy(read_image(examples_of("nuclei")[1])).permute(2, 0, 1)[None]  # uint8 [1,3,256,256]
with torch.no_grad():
    features = model.backbone(model.normalise(nuclei))  # [1,32,64,64]
    found = model.detect(nuclei)
corners = found.boxes[0][found.scores[0] > 0.5]
corners = corners[boxes.inside(corners, 256, 256, margin=12)]
order = boxes.area(corners).argsort()
channel = features[0].var((1, 2)).argmax()  # the one that varies most
scale = {"cmap": "Blues", "vmin": 0, "vmax": float(features[0, channel].max())}  # one for all panels
figure, panels = plt.subplots(2, 4, figsize=(7.2, 3.8))
for row, box in zip(panels, (corners[order[0]], corners[order[-1]]), strict=True):
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max() / 2 + 12  # a square around the box
    left, top, right, bottom = (torch.cat((centre - half, centre + half)) / 4).tolist()
    row[0].imshow(nuclei[0, 0].numpy(), cmap="gray", extent=(0, 64, 64, 0))
    row[1].imshow(features[0, channel].numpy(), **scale, extent=(0, 64, 64, 0))
    for axes in row[:2]:
        outline(axes, box / 4, DETECTION)
        axes.set(xlim=(left, right), ylim=(bottom, top))
    for axes, name in zip(row[2:], ("transformer", "max"), strict=True):
        axes.imshow(roi.POOLS[name](features[:, channel, None], box[None, None], 256, 4)[0, 0].numpy(), **scale)
    for axes, words in zip(row, ("image", "feature map", "transformer", "max pooling"), strict=True):
        axes.set(title=words, xticks=[], yticks=[])
words = "The smallest and the largest nucleus found, with one scale of colours: the crops of both repeat cells."
show(figure, "nuclei", f"{words} Only boxes longer than about 8 cells have cells that are skipped: see the numbers.")
print("cells along the side of a box, and how many a crop of 4 reads (the transformer, some of them beside the box):")
for side in (1, 2, 4, 8, 16, 32):
    middle = 16.3 + side / 2
    near, share = roi.neighbours(torch.tensor(side / 64), torch.tensor(2 * middle / 64 - 1), size=4, cells=64)
    print(f"{side:3}: {len(set(near[share > 0].tolist()))}")

# %% [markdown]
# ## Questions
#
# 1. A nucleus of 8 pixels, and features of stride 8, 4 or 16: how many cells does its crop have to tell it by?
# 2. Boxes move by a pixel from one iteration to the next. Which pooling hides that from the head, and is that good?
# 3. He et al. 2017 write that rounding hardly harms classification, but much harms masks (section 3). Why? (A mask says
#    for each pixel whether it belongs to the object.)
# 4. Max pooling keeps the strongest answer of a bin, the transformer an average near four points. When is which better?
# 5. What would have to change to cut out rotated boxes? (Look at the zeros of theta.)
#
# ## Further reading
#
# - Jaderberg et al. 2015, *Spatial Transformer Networks*, section 3 (3.2 grid, 3.3 sampling and gradients). Girshick
#   2015, *Fast R-CNN*, section 2.1 (ROI pooling). He et al. 2017, *Mask R-CNN*, section 3 (RoIAlign: several points a
#   bin). Ren et al. 2015, section 3.2 (joint training).
# - *Dive into Deep Learning*, chapter "Computer Vision": "Region-based CNNs (R-CNNs)".
# - `src/pocketrcnn/model/roi.py`; `docs/components.md` (Spatial transformer, ROI max pooling).
