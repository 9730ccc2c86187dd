# %% [markdown]
# # Lesson 6: Faster R-CNN end to end
#
# After this lesson you can
#
# - follow an image through the four stages of one call `model(images)`, with the shape of every tensor;
# - name the four losses, and say which part of the network each of them trains;
# - compare joint with alternating training, and say what one seed can and cannot show;
# - predict what a wrong loss weight does, and see it happen.
#
# You need lessons 2 to 5. 50 minutes; training takes about 25 seconds of them on two idle cores.

# %% tags=["imports"]
import inspect
import json
import math
import statistics

import matplotlib.pyplot as plt
import torch
from torch import Tensor

from classroom import LESSONS, check, outline, picture, show
from pocketrcnn import Detector, examples_of, open_dataset
from pocketrcnn.config import Config, replace
from pocketrcnn.course.experiments import ALTERNATING, EXPERIMENTS
from pocketrcnn.course.verdicts import interval
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.model.faster_rcnn import FasterRCNN, Prediction, total_loss
from pocketrcnn.report.colours import BLUE, DETECTION, GREEN, GROUND_TRUTH, ORANGE
from pocketrcnn.training.fit import log_entry
from pocketrcnn.training.loop import Trainer

# %% [markdown]
# ## 1. One call, four stages
#
# Faster R-CNN (Ren et al. 2015) is the parts of lessons 3 to 5 in one network. (1) The **backbone** of convolutions
# turns images into features. (2) The **region proposal network** (RPN) gives every anchor an objectness and deltas,
# and keeps the best boxes as **proposals**. (3) **Pooling** cuts each proposal out of the features. (4) The **head**
# gives each crop a class.
#
# The cell calls two detectors. The first one is for scenes of 48 pixels with one square object each. The report of the
# course of 2017 numbers its experiments and claims: this is its detector F2; A2 is about alternating training, A3 about
# equal loss weights. It is untrained, and at half its width (a quarter of the work). The background of a scene is an
# image, too, and may show a car; only the square on it is an object. The second detector finds nuclei and is inside the
# package. Both are of the class `FasterRCNN`. B images, N anchors, P proposals an image, R regions that are classified
# (the proposals, except in joint training: section 4), K classes.

# %%
plan = EXPERIMENTS["F2"].config("pocket", iterations=40, source="sample", seed=0)
plan = replace(plan, model__backbone__width=0.5, train__batch=50, train__precision="float32")
train_set, test_set = open_dataset(plan.data, "train"), open_dataset(plan.data, "test")
torch.manual_seed(0)
f2, nuclei = FasterRCNN(plan.model).eval(), Detector.load("nuclei", device="cpu").model
scenes = test_set.batch(torch.arange(2)).images
microscope = torch.from_numpy(read_image(examples_of("nuclei")[0])).permute(2, 0, 1)[None]
with torch.no_grad():
    both = f2(scenes)._asdict() | {"images": scenes}, nuclei(microscope)._asdict() | {"images": microscope}
for name in ("images", *Prediction._fields):
    print(f"{name:12}", *(f"{'-' if one[name] is None else tuple(one[name].shape)!s:18}" for one in both))

# %% [markdown]
# F2 has a stride of 8, so 6 x 6 cells, and one anchor on each: N = 36, and `objectness` is [B,N]. Its deltas have 3
# numbers and not 4, since the objects are squares: [B,N,3]. It keeps one proposal: P = R = 1, and `logits` is
# [B,R,K]. `shown` is false for mere padding, where suppression leaves fewer than P. The detector of nuclei has a
# stride of 4, four anchors a cell, one class and a **background** class for regions without an object, so `logits` is
# [B,R,K+1]; and `refined`, a second correction of each box.
#
# A square input of $S$ pixels and a stride of $s$ make $(S/s)^2$ cells. With $A$ anchors on each,
#
# $$N = \left(\frac{S}{s}\right)^2 A$$
#
# **Exercise 1.** Predict shapes before you run code. Write those of objectness, deltas and logits for one image and a
# detector like that of nuclei: 4 numbers a delta, and a background class.


# %% tags=["exercise"]
def stage_shapes(side: int, stride: int, anchors: int, proposals: int, classes: int) -> list[tuple[int, ...]]:
    """The shapes of objectness [B,N], deltas [B,N,4] and class logits [B,P,K+1] for one image, B = 1.

    side: of the input, in pixels. stride: pixels from cell to cell. anchors: A, on each cell. proposals: P. classes: K.
    Example: `stage_shapes(64, 8, 3, 10, 5)` is `[(1, 192), (1, 192, 4), (1, 10, 6)]`.
    """
    raise NotImplementedError("Exercise 1: a list of three tuples")


# %%
check(stage_shapes)

# %% [markdown]
# ## 2. From two answers to one score
#
# The RPN says how likely a region holds any object: its objectness $o$ is a logit, which the sigmoid $\sigma$ makes a
# probability. The head says which class it is: logits $z_0 \dots z_K$, the last one for the background, which the
# softmax makes probabilities. A detection of class $k$ needs both:
#
# $$s_k = \sigma(o)\,\frac{e^{z_k}}{\sum_{j=0}^{K} e^{z_j}}, \qquad k < K$$
#
# **Exercise 2.** Write the scores of all proposals of an image. The background has a probability, but no score.


# %% tags=["exercise"]
def detection_scores(objectness: Tensor, logits: Tensor) -> Tensor:
    """The score of each proposal for each class: objectness [P] and logits [P,K+1] -> scores [P,K] in 0..1.

    Both are logits, before sigmoid and softmax; the last column of `logits` is the background.
    Example: `detection_scores(torch.zeros(1), torch.zeros(1, 2))` is `tensor([[0.25]])`: a half times a half.
    """
    raise NotImplementedError("Exercise 2: probability of an object times probability of each class")


# %%
check(detection_scores)

# %%
print(inspect.getsource(FasterRCNN.scored).split('"""')[2])

# %% [markdown]
# `prediction.scores` is $\sigma(o)$. `FasterRCNN.decode` takes these boxes and scores, and suppresses inside a class.
#
# ## 3. Four losses, one sum
#
# Each answer has its loss: `objectness` (cross entropy over anchors) and `box` (smooth L1 over positive anchors) from
# lesson 4, `classification` (cross entropy over regions) from lesson 5, and `box_regression` (smooth L1 of `refined`)
# where there is one. Training lowers their weighted sum:
#
# $$L = \lambda_{obj} L_{obj} + \lambda_{box} L_{box} + \lambda_{cls} L_{cls} + \lambda_{reg} L_{reg}$$
#
# The cell asks for one batch, of each loss alone: how long is its gradient in each part?

# %%
trainer = Trainer(plan, train_set, test_set, torch.device("cpu"))
network, batch = trainer.state.model, trainer.batch(0)
prediction = network(batch.images, batch)
losses = network.losses(prediction, network.targets(prediction, batch), plan.loss)
print(f"{'loss':15} {'value':>7} {'weight':>7}   length of its gradient in backbone, rpn, head")
for name, loss in losses.items():
    network.zero_grad()
    loss.backward(retain_graph=True)  # type: ignore[no-untyped-call]
    parts = [getattr(network, part).parameters() for part in ("backbone", "rpn", "head")]
    lengths = [math.sqrt(sum(p.grad.square().sum().item() for p in part if p.grad is not None)) for part in parts]
    print(f"{name:15} {loss.item():7.4f} {getattr(plan.loss, name):7g}   {'  '.join(f'{one:6.3f}' for one in lengths)}")
print(f"weighted sum    {total_loss(losses, plan.loss).item():7.4f}")

# %% [markdown]
# Read the zeros. The losses of the RPN do not reach the head, and that of classification does not reach the RPN:
# proposals are cut off from the gradient (`detach` in `src/pocketrcnn/model/rpn.py`). In the backbone all meet, and
# the weights, which the lengths do not contain yet, decide whose features are learned. `box` is the smallest by far,
# because deltas are fractions of an anchor: it gets a large weight.
#
# **Exercise 3.** A tempting rule makes all weighted losses equally large at the beginning. Write these weights.


# %% tags=["exercise"]
def equal_weights(losses: dict[str, float]) -> dict[str, float]:
    """The weight of each loss, by name, with which each weighted loss is as large as that of `classification`.

    losses: each above 0. The weight of `classification` is 1.
    Example: `equal_weights({"box": 0.5, "classification": 2.0})` is `{"box": 4.0, "classification": 1.0}`.
    """
    raise NotImplementedError("Exercise 3: a weight for every loss in the dictionary")


# %%
check(equal_weights)

# %% [markdown]
# The report claims that such weights do not help (A3). With three seeds they beat weights of 1 (`docs/results.md`).
#
# ## 4. Joint and alternating training
#
# **Joint** training lowers the sum in every iteration. The paper trained in four steps (section 3.2), each with a
# part of the network: proposals; a detector on these proposals; again proposals, on the features of that detector;
# again the head. Here that is a setting, `train.phases`. The head learns on proposals there, but in joint training on
# the true boxes, moved a little at random; in use it always gets proposals.
#
# `learn` is the loop of lesson 2, with a look at all 500 test scenes after every tenth iteration; nothing is chosen by
# them. All runs have 40 iterations of 50 scenes, where the full experiment has 500 of 100, at full width. The optimiser
# is Muon: a step changes the filters of a layer by a fixed fraction, however long the gradient is.


# %%
def learn(settings: Config) -> tuple[FasterRCNN, list[dict[str, float]]]:
    """A trained network, and its test metrics after every tenth iteration."""
    trainer, curve = Trainer(settings, train_set, test_set, torch.device("cpu")), []
    for start in range(0, settings.train.iterations, 10):
        trainer.train(range(start, start + 10))
        curve.append(log_entry(trainer)["test"] | {"iteration": start + 10})
    return trainer.state.evaluated.eval(), curve


def draw(curves: dict[str, list[list[dict[str, float]]]], name: str, caption: str) -> None:
    """Two measures over the iterations; the runs of one kind have one colour."""
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 2.7))
    words = {"accuracy": "accuracy of the class", "mean_iou": "mean IoU of proposal and object"}
    for axis, measure in zip(axes, words, strict=True):
        for kind, colour, mark in zip(curves, (BLUE, ORANGE, GREEN), "os^", strict=False):
            for number, curve in enumerate(curves[kind]):
                at, height = [one["iteration"] for one in curve], [one[measure] for one in curve]
                axis.plot(at, height, color=colour, marker=mark, label="" if number else kind)
        axis.set(title=f"{words[measure]}, test scenes", xlabel="iteration", ylim=(0, None))
        axis.grid(axis="y")
    axes[1].legend()
    show(figure, name, caption)


steps = [learn(replace(plan, train__seed=seed, train__phases=ALTERNATING))[1] for seed in (0, 1)]
(detector, first), (_, second) = (learn(replace(plan, train__seed=seed)) for seed in (0, 1))
draw(
    {"joint": [first, second], "alternating": steps},
    "joint_and_alternating",
    "Two seeds each. In alternating training each part learns in half of the iterations only. From iteration 20 on "
    "joint training is ahead; at 10 a seed matters more.",
)

# %%
batch = test_set.batch(torch.arange(5))
with torch.no_grad():
    found = detector.detect(batch.images)
figure, axes = plt.subplots(1, 5, figsize=(7.2, 1.9))
for i, axis in enumerate(axes):
    picture(axis, batch.images[i])
    outline(axis, batch.boxes[i], GROUND_TRUTH)
    outline(axis, found.boxes[i], DETECTION)
    truth, said = (test_set.classes[int(one[i, 0])] for one in (batch.labels, found.labels))
    axis.set(title=f"{truth}\n{said} {found.scores[i, 0]:.2f}", xticks=(), yticks=())
show(figure, "detections", "Green: true box, orange: detection. Above: true class; found, score.")

# %% [markdown]
# ## 5. What one seed can and cannot show
#
# A seed decides first weights, order and scenes; another seed gives another number. One pair of runs shows that
# something can happen; several pairs show how much of it is luck. Take the difference $d_i$ seed by seed, since runs of
# one seed share their luck. With $n$ seeds, the 95 % confidence interval of the mean difference is
#
# $$\bar d \pm t\,\frac{s}{\sqrt n}, \qquad s^2 = \frac{1}{n-1} \sum_i (d_i - \bar d)^2$$
#
# $t$ is Student's, for $n - 1$ degrees of freedom: 12.7 for two seeds, 4.3 for three, 2.8 for five. The cell takes the
# interval (`src/pocketrcnn/course/verdicts.py`) of the full experiment, of three seeds, and of the two seeds above.

# %%
saved = json.loads((LESSONS.parent / "docs" / "results" / "observations-pocket.json").read_text(encoding="utf-8"))
full = next(one for one in saved["observations"] if one["id"] == "A2")
sides = {name: [one["measures"][name] for one in full["arms"].values()] for name in ("accuracy", "mean_iou")}
sides["accuracy, above"] = [[curve[-1]["accuracy"] for curve in kind] for kind in ([first, second], steps)]
for name, (joint, other) in sides.items():
    low, high = interval([b - a for a, b in zip(joint, other, strict=True)])
    print(f"{name:15}", *([round(one, 3) for one in side] for side in (joint, other)), f"{low:.3f} to {high:.3f}")

# %% [markdown]
# The two seeds above look clear, and prove nothing: their interval contains 0. Those of the long runs lie below 0.
#
# **Exercise 4.** Write this interval.


# %% tags=["exercise"]
def paired_interval(first: list[float], second: list[float], t: float) -> tuple[float, float]:
    """Low and high end of the 95 % confidence interval of the mean of `second` minus `first`, seed by seed.

    first, second: a measure of two kinds of runs, for the same two or more seeds. t: Student's, for their number.
    Example: `paired_interval([1.0, 2.0], [2.0, 5.0], 2.0)` is `(0.0, 4.0)`: differences 1 and 3, s / sqrt(2) is 1.
    """
    raise NotImplementedError("Exercise 4: the mean difference, minus and plus t standard errors")


# %%
check(paired_interval)

# %% [markdown]
# ## 6. Wrong weights
#
# Two mistakes on purpose: $\lambda_{box} = 0$, or 100 times the plan. First write down what you expect.

# %%
_, none = learn(replace(plan, loss__box=0.0))
_, flood = learn(replace(plan, loss__box=100 * plan.loss.box))
runs = {f"box weight {plan.loss.box:g}": [first, second], "0": [none], f"{100 * plan.loss.box:g}": [flood]}
for weight, curves in runs.items():
    print(f"{weight:13}", *(f"{one} {curves[0][-1][one]:.3f}" for one in ("box_loss", "objectness_positive_accuracy")))
draw(runs, "wrong_weights", "One seed for each wrong weight: see only what differs by more than the blue lines do.")

# %% [markdown]
# Without the loss the proposals stay near the anchors, and the head gets crops unlike those it learned on. With 100
# times as much the boxes of positive anchors are hardly better, but the objectness of nearly all of them stays below a
# half: the network does not know which box to take.
#
# ## Questions
#
# 1. What would change if the gradient of classification reached the RPN through the corners of the crop?
# 2. All weights times ten: what changes with plain SGD, what with Adam?
# 3. The head learns on other boxes in alternating than in joint training. Is that fair? Which run would you add?
# 4. Somebody says: "with seed 3, dropout gains two points." What do you ask?
# 5. Why may four steps have served in 2015, with a pretrained backbone, and lose here?
#
# ## Further reading
#
# - Ren, He, Girshick, Sun 2015, "Faster R-CNN": section 3.1.2 (loss), section 3.2 (four steps and joint training)
# - Girshick 2015, "Fast R-CNN": section 2.3 (losses of the head), section 5.1 (does training for both help?)
# - Dive into Deep Learning, chapter "Region-based CNNs (R-CNNs)"
# - `docs/results.md` (A2, A3); `src/pocketrcnn/model/faster_rcnn.py`, `src/pocketrcnn/training/phases.py`
