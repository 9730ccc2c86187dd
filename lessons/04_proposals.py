# %% [markdown]
# # Lesson 4: The region proposal network
#
# After this lesson you can
#
# - say what a region proposal network (RPN) computes for each anchor, and with which weights;
# - write its two losses, and say which anchors each of them counts;
# - watch a network learn where objects are, and say what its accuracy hides;
# - turn its output into proposals, and remove duplicates by non-maximum suppression.
#
# You need lesson 2 (training: batches, losses, iterations) and lesson 3 (anchors, labels, deltas, IoU). 60 minutes; the
# computer trains for about half a minute of them.

# %% tags=["imports"]
import inspect
import math

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.nn import functional as F

from classroom import check, outline, picture, show
from pocketrcnn import FasterRCNN, open_dataset
from pocketrcnn.config import replace
from pocketrcnn.course.data.crowded import Crowd, crowded, pools
from pocketrcnn.course.experiments import EXPERIMENTS
from pocketrcnn.evaluation.measures import Means, objectness_sums
from pocketrcnn.evaluation.network import evaluate
from pocketrcnn.model import boxes, rpn
from pocketrcnn.report.colours import BLUE, DETECTION, GREEN, GREY, ORANGE
from pocketrcnn.training.loop import Trainer

# %% [markdown]
# ## 1. One small network on every cell
#
# A detector in two stages first asks: *where may an object be?* The answers, boxes with a score, are called
# **proposals**. Then it asks what is in them (lesson 5). The first question is for the **region proposal network**, RPN
# (Ren et al. 2015, section 3.1). It reads the feature map that the convolutions of lesson 1, the **backbone**, make of
# an image, and gives two answers for each anchor:
#
# - **objectness**: does the anchor stand for an object? One number, the *logit* $z$; as a probability
#   $p = \sigma(z) = 1 / (1 + e^{-z})$;
# - **deltas**: how do we get from the anchor to the object? Here three numbers, $t_x, t_y, t_w$: all our objects are
#   squares.
#
# A 3x3 convolution looks around each cell, and 1x1 convolutions read the answers off. All cells share the weights, so
# that the network looks for the same everywhere.

# %%
ITERATIONS = 80  # the course has 2,000
config = EXPERIMENTS["R2"].config("pocket", ITERATIONS, "sample", seed=0)  # "pocket": our settings, not the report's
config = replace(config, train__batch=40, train__precision="float32")  # the course has 100 scenes a batch
training, test = open_dataset(config.data, "train"), open_dataset(config.data, "test")
trainer = Trainer(config, training, test, torch.device("cpu"))
model = trainer.state.model  # backbone and RPN
assert model.rpn is not None
batch = test.batch(torch.arange(8))  # images uint8 [8,3,48,48], boxes [8,1,4]: one object in each image
print(inspect.getsource(rpn.RPN.forward))
with torch.no_grad():
    features = model.backbone(model.normalise(batch.images))
    objectness, deltas = model.rpn(features)
print("features", list(features.shape), "objectness", list(objectness.shape), "deltas", list(deltas.shape))
for name, part in {"backbone": model.backbone, **dict(model.rpn.named_children())}.items():
    print(f"weights of {name}: {sum(weight.numel() for weight in part.parameters()):,}")

# %% [markdown]
# ## 2. The targets: what the network should answer
#
# By the rules of lesson 3, the true box gives each of the 36 anchors a label and deltas. `RPN.targets` calls `match`
# and `encode` for that. The network hears nothing else about objects.

# %%
labels, wanted = model.rpn.targets(batch)  # [8,36] and [8,36,3]
print("wanted deltas of the first positive anchor:", wanted[labels == boxes.POSITIVE][0].tolist())
figure, panels = plt.subplots(2, 4, figsize=(7.2, 3.7))
for axes, image, truth, label in zip(panels.flat, batch.images, batch.boxes, labels, strict=True):
    picture(axes, image)
    outline(axes, truth, GREEN)
    for value, colour, marker in ((boxes.POSITIVE, BLUE, "o"), (boxes.NEGATIVE, ORANGE, "x")):
        x, y, _, _ = boxes.center_size(model.rpn.anchors[label == value])
        axes.scatter(x.tolist(), y.tolist(), color=colour, marker=marker)
    axes.axis("off")
show(figure, "targets", "True boxes, cells of positive anchors (blue dots) and of negative ones (orange crosses).")
counts = {word: int((labels == label).sum()) for word, label in {"positive": 1, "negative": 0, "ignored": -1}.items()}
print(counts, f"positive: {counts['positive'] / (counts['positive'] + counts['negative']):.2f} of those counted")
print("untrained, the network answers with the probability", model.rpn.config.prior)

# %% [markdown]
# Few anchors are positive. So a network that knows nothing should not answer "one half", but the share of positive
# anchors; else its first iterations go into learning just that. What an untrained network answers is the bias of its
# last layer (its other weights are near 0), and we choose it.
#
# **Exercise 1.** Which bias makes $\sigma(z)$ a given probability? Solve the formula above for $z$.


# %% tags=["exercise"]
def bias_for(probability: float) -> float:
    """The logit whose sigmoid is `probability`, which lies between 0 and 1. Example: `bias_for(0.5)` is 0."""
    raise NotImplementedError("Exercise 1: the logit that belongs to a probability")


# %%
check(bias_for)

# %% [markdown]
# ## 3. The losses
#
# **Objectness.** An anchor stands for an object ($y = 1$) or not ($y = 0$). The **cross entropy** is the mean over the
# $N$ anchors that are not ignored (Ren et al. 2015, equation 1):
#
# $$L_\text{obj} = -\frac1N \sum_i \Big( y_i \log p_i + (1 - y_i) \log (1 - p_i) \Big)$$
#
# It is 0 for a network that is sure and right, $\log(2) = 0.69$ for one that always says "one half", and has no limit
# for one that is sure and wrong.
#
# **Deltas.** Only positive anchors have a box to aim at. A difference $d$ between a predicted and a wanted delta costs
#
# $$\mathrm{smooth}_{L1}(d) = \tfrac12 d^2 \;\text{ if } |d| < 1, \qquad |d| - \tfrac12 \;\text{ otherwise.}$$
#
# This is added up over the deltas of an anchor, then averaged over the positive anchors (Girshick 2015, equation 3).
# Near 0 it is a square, whose slope fades as the box fits. Beyond 1 it is straight, so that one wild prediction does
# not outweigh the rest.

# %%
for function in (rpn.objectness_loss, rpn.box_error, rpn.box_loss):
    print(inspect.getsource(function))
d = torch.linspace(-3, 3, 121)
smooth = F.smooth_l1_loss(d, torch.zeros_like(d), reduction="none")
figure, axes = plt.subplots(figsize=(7.2, 2.4))
axes.plot(d.tolist(), (d**2 / 2).tolist(), color=ORANGE, label="half the square")
axes.plot(d.tolist(), d.abs().tolist(), color=GREEN, label="absolute value")
axes.plot(d.tolist(), smooth.tolist(), color=BLUE, label="smooth L1")
axes.set(xlabel="difference d of a delta", ylabel="loss", ylim=(0, 4))
axes.legend()
show(figure, "smooth", "Smooth L1 is the square near 0, and as steep as the absolute value far away.")

# %% [markdown]
# **Exercise 2.** Write smooth L1 of one difference.


# %% tags=["exercise"]
def smooth_l1_of(difference: float) -> float:
    """Smooth L1 of the difference between a predicted and a wanted delta. Example: `smooth_l1_of(0.5)` is 0.125."""
    raise NotImplementedError("Exercise 2: a square near 0, straight lines beyond 1")


# %%
check(smooth_l1_of)

# %% [markdown]
# **Exercise 3.** Write the objectness loss of one image, with `F.logsigmoid(z)` for $\log p$ and `F.logsigmoid(-z)` for
# $\log(1 - p)$. (Why not `torch.sigmoid(z).log()`? Try $z = -200$.) Where no anchor is counted, the loss is 0.


# %% tags=["exercise"]
def mean_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean cross entropy of the anchors that are not ignored, as a tensor of one number, shape [].

    logits: float32 [N]. labels: int64 [N], 1 positive, 0 negative, -1 ignored.
    Example: `mean_cross_entropy(torch.tensor([0.0, 0.0, 9.0]), torch.tensor([1, 0, -1]))` is log(2) = 0.6931.
    """
    raise NotImplementedError("Exercise 3: the cross entropy, the mean over positive and negative anchors")


# %%
check(mean_cross_entropy)

# %% [markdown]
# ## 4. Learning
#
# The course trains the RPN twice: experiment R1 has objectness alone, R2 has deltas, too, as here. The loop is that of
# lesson 2: batch, prediction, targets, losses, step. Each iteration shows 40 scenes, composed anew. Before the first,
# and after every ten, we keep the objectness of our eight test scenes, and measure on 200 (at the end on all 500).

# %%
maps, log = {}, []
for iteration in range(0, ITERATIONS + 1, 10):
    with torch.no_grad():
        model.eval()  # layers of BatchNorm scale by what they saw in training, not by this batch
        maps[iteration] = model.rpn(model.backbone(model.normalise(batch.images)))[0].sigmoid().view(8, 6, 6)
    log.append(evaluate(model, test, config.loss, 200 if iteration < ITERATIONS else len(test)))
    if iteration < ITERATIONS:
        trainer.train(range(iteration, iteration + 10))
figure, panels = plt.subplots(3, 6, figsize=(7.2, 3.8))
for scene, row in zip((0, 1, 4), panels, strict=True):
    picture(row[0], batch.images[scene])
    for axes, iteration in zip(row[1:], (0, 10, 20, 40, 80), strict=True):
        axes.imshow(maps[iteration][scene].numpy(), cmap="Blues", vmin=0, vmax=1, extent=(0, 48, 48, 0))
        axes.set_title(f"iteration {iteration}" if scene == 0 else "")
    for axes in row:
        outline(axes, batch.boxes[scene], GREEN)
        axes.axis("off")
show(figure, "learning", "Objectness of three test scenes (dark: high): first the same everywhere, last on the object.")
print("iteration  accuracy  of positive  of negative  loss of objectness  of boxes  mean IoU")
for iteration, found in zip(maps, log, strict=True):
    right = [found[f"objectness_{kind}accuracy"] for kind in ("", "positive_", "negative_")]
    print("{:9} {:9.3f} {:12.3f} {:12.3f}".format(iteration, *right), end="")
    print(f"{found['loss_objectness']:20.4f} {found['box_loss']:9.5f} {found['mean_iou']:9.3f}")

# %% [markdown]
# The loss begins far below $\log 2$: the bias of exercise 1 answers with the share of positive anchors. At iteration 10
# many answers are a wrong "yes", and the loss is *higher*: BatchNorm (lesson 1) scales by running averages here, which
# lag behind weights that change fast. Scaled by the batch itself, as in training, the same weights still say "no".
#
# How is this measured? R1 has the **point-wise accuracy**: the share of right answers ($p > \tfrac12$ or not) among
# the anchors that are not ignored. R2 has the **regression loss**: the loss on deltas, of test scenes. Neither is about
# the final boxes; mean IoU is, of the best proposal with the true box. Two traps:
#
# - most anchors are negative, so that "no" everywhere is right most of the time. Look at the positive ones alone;
# - a loss has no unit you can picture. If all three differences are $d$, then $L = \tfrac32 d^2$, and since $d$ is in
#   units of the anchor's side, that is $32 \sqrt{2L/3}$ pixels.

# %%
labels = model.rpn.targets(test.batch(torch.arange(len(test))))[0]
means = Means()
means.add(objectness_sums(torch.full(labels.shape, -9.0), labels))  # a network that always says "no"
print("always no:", {name: round(value, 3) for name, value in means.result().items()})
for words, loss in (("published", EXPERIMENTS["R2"].published.value), ("ours", log[-1]["box_loss"])):
    print(f"{words}: regression loss {loss:.6f}, about {32 * math.sqrt(2 * loss / 3):.2f} pixels in x, y and width")

# %% [markdown]
# ## 5. From answers to proposals
#
# `RPN.propose` takes the anchors of highest objectness, moves them by their deltas (`decode`), cuts them at the border,
# and removes duplicates, which comes below. To see more of it, we give the network larger scenes with several objects.
# It never saw such, but it consists of convolutions: the same weights work on a map of 12x12 cells.

# %%
larger = replace(config, model__input_size=96, model__rpn__candidates=144, model__rpn__proposals=144)  # of all anchors
wide = FasterRCNN(replace(larger, model__rpn__nms_iou=1.0).model).eval()  # no suppression yet
wide.load_state_dict(model.state_dict())
scenes = crowded(pools("sample", "test"), torch.arange(24), Crowd((3, 3), 96), torch.Generator().manual_seed(1))
with torch.no_grad():
    found = wide(scenes.images)
proposals, likely = found.proposals, found.scores > 0.5  # [24,144,4] best first, [24,144]
print(f"proposals of a probability above 0.5: {likely.sum() / len(scenes):.1f} an image, for 3 objects")

# %% [markdown]
# Several anchors found the same object: neighbours of positive anchors are ignored in training, so that nothing told
# them to say "no". **Non-maximum suppression** (NMS) keeps one box for each. The greedy algorithm: take the best box
# that is left, keep it, remove all others whose IoU with it is above a threshold; repeat until none is left. A box that
# was removed removes nobody.
#
# **Exercise 4.** Write that. `boxes.iou` gives the IoU of all pairs.


# %% tags=["exercise"]
def greedy_nms(corners: Tensor, scores: Tensor, iou_threshold: float) -> list[int]:
    """The indices of the boxes that stay, best first. A box goes if its IoU with a better one that stays is above
    `iou_threshold`.

    corners: boxes xyxy, float32 [K,4], in any order. scores: float32 [K], all different.
    Example: for the boxes [[0, 0, 9, 10], [0, 0, 10, 10], [50, 0, 60, 10]], the scores [0.8, 0.9, 0.7] and 0.5 it is
    `[1, 2]`.
    """
    raise NotImplementedError("Exercise 4: keep the best box, remove those that overlap it too much, repeat")


# %%
check(greedy_nms)

# %% [markdown]
# `boxes.nms` does it for many images at once. Look at what stays between the objects: to find that nothing is there is
# left to the second stage.

# %%
figure, panels = plt.subplots(1, 4, figsize=(7.2, 2.1))
for axes, threshold in zip(panels, (1.0, 0.7, 0.5, 0.3), strict=True):
    kept = boxes.nms(proposals, likely, threshold)  # [24,144]
    overlap = boxes.iou(scenes.boxes, proposals).where(kept[:, None], 0).amax(-1)  # [24,3]
    print(f"above IoU {threshold}: {kept.sum() / 24:4.1f} boxes an image stay,", end=" ")
    print(f"{(overlap >= 0.5).float().mean():.0%} of the objects have one of IoU 0.5")
    picture(axes, scenes.images[-1])
    outline(axes, scenes.boxes[-1], GREEN, linewidth=3)
    outline(axes, proposals[-1][kept[-1]], DETECTION, linewidth=1)
    axes.set(title=f"IoU {threshold}: {int(kept[-1].sum())} stay", xticks=[], yticks=[])
show(figure, "nms", "True boxes (green) and the proposals that NMS leaves (yellow); at IoU 1 it removes nothing.")

# %% [markdown]
# ## Questions
#
# 1. Why are ignored anchors left out of the loss, but not out of the proposals?
# 2. The objects of our scenes are pasted squares. What may the network have learned to look for instead of "objects"?
# 3. Two cats sit side by side, and their boxes have an IoU of 0.6. What does NMS at 0.5 do? And at 0.7?
# 4. The report of the course prints an accuracy of "0.0101" for R1, though its curves show 99 %. What was printed: the
#    error, or a loss? How can you tell?
# 5. Deltas of 0 leave the anchors where they are. What is the IoU of the best anchor then, at worst, for an object of
#    32 x 32 pixels?
#
# ## Further reading
#
# - Ren et al. 2015, *Faster R-CNN*, sections 3.1 (the network), 3.1.2 (loss), 3.1.3 (sampling anchors). Girshick 2015,
#   *Fast R-CNN*, section 2.3 (smooth L1). Girshick et al. 2014, *R-CNN*, section 2.2 (NMS by class). Lin et al. 2017,
#   *Focal Loss*, section 3 (another way to treat many negatives; the bias of the last layer in 3.3).
# - *Dive into Deep Learning*, chapter "Computer Vision": "Region-based CNNs (R-CNNs)".
# - `src/pocketrcnn/model/rpn.py`; `docs/components.md` (Proposals, Losses); `docs/results.md` (R1 and R2, five seeds).
