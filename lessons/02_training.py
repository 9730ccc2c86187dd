# %% [markdown]
# # Lesson 2: Training a classifier
#
# After this lesson you can
#
# - compute the loss of a classifier, and take a step that lowers it;
# - read the training loop of this project line by line;
# - tell from a learning curve whether the learning rate fits, and whether a network overfits;
# - say what more images and random changes of images do against overfitting.
#
# You need lesson 1, and derivatives from school. Plan 50 minutes.

# %% tags=["imports"]
import dataclasses
import inspect
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from matplotlib import pyplot as plt
from torch import Tensor
from torch.nn import functional as F

from classroom import check, picture, show
from pocketrcnn import FasterRCNN, Run, fit, open_dataset
from pocketrcnn.config import AugmentConfig, Config, DataConfig, replace
from pocketrcnn.course.data.datasets import Images
from pocketrcnn.course.experiments import EXPERIMENTS
from pocketrcnn.data.augment.augment import augment
from pocketrcnn.terminal import silent
from pocketrcnn.training.loop import Trainer

# %% [markdown]
# ## What is trained
#
# The sample of CIFAR-10 has 1,000 images to train on and 500 to test with, which the network never sees in training.
# The network is the ConvNet of lesson 1 (`B1`) with a quarter of its channels, so that it learns within seconds. It
# turns an image into ten numbers, its logits: the larger one is, the more the image looks like that class to it.

# %%
train = open_dataset(DataConfig(source="sample", kind="images"), "train")
test = open_dataset(DataConfig(source="sample", kind="images"), "test")
assert isinstance(train, Images)
config = EXPERIMENTS["B1"].config("course", iterations=200, source="sample", seed=0)  # "course": the report's settings
config = replace(config, model__backbone__width=0.25, train__batch=50, train__evaluations=10)
config = replace(config, train__precision="float32", optim__weight_decay=0.0, optim__bias_decay=0.0)
config = replace(config, augment=AugmentConfig())  # no random changes of images yet
torch.manual_seed(0)
batch = train.batch(torch.arange(50))
logits = FasterRCNN(config.model)(batch.images).logits[:, 0].detach()  # [50,10]; a FasterRCNN without RPN classifies
labels = batch.labels[:, 0]  # [50]: labels are [B,G] for G objects an image, here 1
print("logits of the first image:", [round(value, 2) for value in logits[0].tolist()])
print("its class:", labels[0].item(), train.classes[labels[0]])

# %% [markdown]
# ## A loss says how wrong a prediction is
#
# Softmax turns the logits $z$ of an image into probabilities, above 0 and with the sum 1:
#
# $$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}$$
#
# The cross entropy is the negative logarithm of the probability of the right class $y$, the mean over the images of the
# batch: 0 if all the right classes have probability 1, and large if one of them has a probability near 0.
#
# $$L = -\frac{1}{B} \sum_{b=1}^{B} \log p_{b,\,y_b}$$

# %%
print("probabilities of the first image:", [round(value, 3) for value in logits[0].softmax(-1).tolist()])
print(f"loss of the untrained network {F.cross_entropy(logits, labels):.3f}, log(10) = {math.log(10):.3f}")

# %% [markdown]
# Before training each class has a probability of about 1/10. A loss that begins far above $\log 10$ hints at a fault.
#
# ### Exercise 1: cross entropy
#
# Write both formulas as one function, without `F.cross_entropy`. Logits of 1,000 must not break it: $e^{1000}$ is more
# than a computer can hold. Subtracting $m$, the largest logit of an image, from all of its logits leaves $p$ as it is.
# But $p_y$ may still be rounded to 0: take its logarithm on paper, $-\log p_y = \log \sum_j e^{z_j - m} - (z_y - m)$.


# %% tags=["exercise"]
def cross_entropy(logits: Tensor, labels: Tensor) -> float:
    """The mean cross entropy of a batch, at least 0.

    logits: float [B,K]; labels: int64 [B], 0..K-1. `cross_entropy(torch.zeros(1, 10), torch.tensor([3]))` is 2.3026.
    """
    raise NotImplementedError("Exercise 1: softmax, the probability of the right class, its logarithm, the mean.")


# %%
check(cross_entropy)

# %% [markdown]
# ## A step downhill
#
# The gradient $\partial L / \partial w$ says for each weight how the loss changes with it. Gradient descent changes
# every weight against its gradient; the learning rate $\eta$ says how far:
#
# $$w \leftarrow w - \eta \, \frac{\partial L}{\partial w}$$
#
# The smallest example has one weight and the loss $L = w^2$, whose gradient is $2w$.

# %%
figure, axes = plt.subplots()
for step in (0.02, 0.3, 1.02):
    weight, losses = torch.tensor([1.0], requires_grad=True), []
    optimiser = torch.optim.SGD([weight], lr=step)
    for _ in range(16):
        loss = (weight**2).sum()
        losses.append(loss.item())
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad()  # else the next gradient is added to this one
    axes.plot(losses, marker="o", markersize=3, label=f"learning rate {step}")
axes.set(xlabel="step", ylabel="loss")
axes.legend()
show(figure, "rates_of_a_parabola", "Too small a step hardly moves. Too large a step jumps over the valley and climbs.")

# %% [markdown]
# ### Exercise 2: momentum
#
# Gradients of small batches are noisy. Momentum keeps a memory $v$ of them, which forgets by a factor $\mu$ at each
# step, and follows it in place of the gradient $g$: first $v \leftarrow \mu v + g$, then $w \leftarrow w - \eta v$.
# Return new tensors; the ones that you are given stay as they are.


# %% tags=["exercise"]
def momentum_step(
    weight: Tensor, gradient: Tensor, memory: Tensor, rate: float, momentum: float
) -> tuple[Tensor, Tensor]:
    """The weight and the memory after a step; all tensors have one shape.

    `momentum_step(w, g, m, 0.1, 0.9)` for w, g and m of one value each, 1, 2 and 0, gives 0.8 and 2.
    """
    raise NotImplementedError("Exercise 2: the new memory first, then the step that follows it.")


# %%
check(momentum_step)

# %% [markdown]
# ## The loop
#
# Every network of this project, detectors too, learns by this function. An iteration is one batch of images and one
# step of the weights; an epoch is as many iterations as use every image once. A seed is the number that a sequence of
# random numbers begins with: the same seed gives the same sequence. Read the loop before you go on.

# %%
print(inspect.getsource(Trainer.train))

# %% [markdown]
# | lines | what they do |
# |---|---|
# | `manual_seed` | whatever is random in an iteration follows from its number: a run can be repeated |
# | `phases`, `set_rates` | which parts learn now, and how fast: the rate falls during a run |
# | `self.batch` | images drawn from the training set, and changed at random (below) |
# | `state.model(...)`, `targets`, `losses` | what the network says, what it should say, how far these are apart |
# | `watch.passes` | a batch whose loss is not a finite number is left out |
# | `backward`, `step`, `zero_grad` | all gradients, a step of all weights, and the gradients are forgotten |
# | `means.add` | what the learning curve is made of (`precision`, `frozen` and `average` are not used here) |
#
# `fit` calls it, and evaluates the network on test images now and then. It leaves a folder, the run: weights and a log.


# %%
def learn(config: Config, images: Images) -> tuple[FasterRCNN, list[dict[str, Any]]]:
    """Train; returns the network and the log, with the metrics of training and test images at each evaluation."""
    with TemporaryDirectory() as folder, silent(), Run(Path(folder) / "run", config, torch.device("cpu")) as run:
        fit(images, test, run)
        return run.load_model()[0], run.log_entries()


# %% [markdown]
# ## The learning rate
#
# The optimiser of the report is Adam: the momentum of exercise 2, whose step is divided for each weight by the size of
# its gradients so far. Here are three learning rates, for 40 iterations each. One that is too small hardly moves from
# the dotted line, one that fits falls below it, one that is too large jumps far above it, though it may come back.

# %%
figure, axes = plt.subplots()
for rate in ("0.00001", "0.002", "0.5"):
    short = replace(config, optim__lr=float(rate), optim__final_lr=float(rate))
    log = learn(replace(short, train__iterations=40, train__evaluation_images=50), train)[1]
    axes.plot([e["iteration"] for e in log], [e["train"]["loss_classification"] for e in log], label=rate)
axes.axhline(math.log(10), color="grey", linestyle=":")
axes.set(xlabel="iteration", ylabel="training loss", yscale="log", yticks=(2, 5, 10, 20), yticklabels=(2, 5, 10, 20))
axes.minorticks_off()
axes.legend(title="learning rate")
show(figure, "rates_of_a_network", "Three learning rates. Dotted: the loss when all classes are equally probable.")

# %% [markdown]
# ## Learning and learning by heart
#
# What counts is how the network does on images that it has not seen. Accuracy is the part of images whose largest logit
# is that of the right class. Below, it learns three times: on the first 100 images, on all 1,000, and on all 1,000 with
# augmentation, which changes each image a little at random whenever it is used.

# %%
changes = AugmentConfig(flip="random", shift=4)  # mirrored, and moved by up to 4 pixels
torch.manual_seed(0)
changed = augment(train.batch(torch.full((9,), 1)), changes, epoch=0, seed=0).images
figure, places = plt.subplots(1, 10, figsize=(7.2, 0.9))
for place, image in zip(places, (train.images[1], *changed), strict=True):
    picture(place, image)
    place.set(xticks=[], yticks=[])
show(figure, "augmentation", "A training image (left), mirrored and moved; its reflection fills the border.")

# %%
few = {name: getattr(train, name)[:100] for name in ("images", "boxes", "labels")}
logs = {"100 images": learn(config, dataclasses.replace(train, **few))[1], "1,000 images": learn(config, train)[1]}
network, logs["1,000 images, changed"] = learn(replace(config, augment=changes), train)

figure, places = plt.subplots(1, 3, figsize=(7.2, 2.6), sharey=True)
for place, (name, log) in zip(places, logs.items(), strict=True):
    for part, words in (("train", "training images"), ("test", "test images")):
        place.plot([e["iteration"] for e in log], [100 * e[part]["accuracy"] for e in log], label=words)
    place.set(title=name, xlabel="iteration", ylim=(0, 103))
    print(f"{name:22} training {log[-1]['train']['accuracy']:.0%}, test {log[-1]['test']['accuracy']:.0%}")
places[0].set(ylabel="accuracy, %")
places[0].legend(loc="center right")
show(figure, "learning_curves", "The gap between both curves is overfitting. From left to right it becomes smaller.")

# %% [markdown]
# The first two runs end almost without an error on the images that they learned from, and far from that on test images:
# they have learned images by heart: overfitting. More images help, and so does augmentation. (Training accuracy is the
# mean over the iterations since the last evaluation, on images as they were used: changed ones in the third run.)
#
# ### Exercise 3: mirror some images
#
# Mirror the chosen images of a batch, left to right. The report had a fault here: its random flip also swapped rows and
# columns, so that some animals stood on end, in test images, too.


# %% tags=["exercise"]
def mirrored(images: Tensor, chosen: Tensor) -> Tensor:
    """A new batch, in which the chosen images are mirrored left to right, and the others are as they were.

    images: uint8 [B,3,H,W]; chosen: bool [B]. An image row `1 2 3` becomes `3 2 1`.
    """
    raise NotImplementedError("Exercise 3: turn the order of the columns around, for the chosen images alone.")


# %%
check(mirrored)

# %% [markdown]
# ### Exercise 4: stop in time
#
# Look at the curves again: at some point training no longer gains anything. Early stopping ends a run once the last
# `patience` evaluations brought nothing better than before. They use images that are kept for this, no test images.
# (`State.keep_best` in `src/pocketrcnn/training/state.py` does this, but an equal value restarts its count.)


# %% tags=["exercise"]
def evaluations_until_stop(accuracies: list[float], patience: int) -> int:
    """How many evaluations there are until training ends; all of them if it is never stopped.

    accuracies: of one evaluation after the other. `evaluations_until_stop([0.2, 0.4, 0.4, 0.3, 0.9], patience=2)` is 4:
    neither the third nor the fourth is better than the second, and the fifth is never made.
    """
    raise NotImplementedError("Exercise 4: remember the best so far, count the evaluations since; equal is no better.")


# %%
check(evaluations_until_stop)

# %% [markdown]
# ## What it has learned
#
# Ten test images, the answer of the last network, and the probability that it gives this answer:

# %%
shown = test.batch(torch.arange(10))
with torch.no_grad():
    answers = network.eval()(shown.images).logits[:, 0].softmax(-1)  # [10,10]
figure, places = plt.subplots(1, 10, figsize=(7.2, 1.15))
for place, image, label, answer in zip(places, shown.images, shown.labels[:, 0], answers, strict=True):
    picture(place, image)
    place.set(xticks=[], yticks=[])
    place.set_xlabel("right" if answer.argmax() == label else f"is {test.classes[label]}", fontsize=7)
    place.set_title(f"{test.classes[answer.argmax()]}\n{answer.max():.0%}", fontsize=7)
show(figure, "answers", "Above: the network's answer and its probability. Below: right, or the true class.")

# %% [markdown]
# ## Questions
#
# 1. The training accuracy of 1,000 changed images ends below that of 1,000 images as they are. Is that bad?
# 2. You try ten learning rates and keep the one with the highest test accuracy. What is wrong with this number then?
# 3. Would you mirror images of digits? Of nuclei under a microscope? Turn them upside down?
# 4. One run with seed 0 says that a change helps by one point, 5 of our 500 test images. Do you believe it?
#
# ## Further reading
#
# - Dive into Deep Learning, chapters "Linear Neural Networks for Classification" (section "Softmax Regression"),
#   "Optimization Algorithms" ("Momentum", "Adam"), "Linear Neural Networks for Regression" ("Generalization").
# - Kingma and Ba 2015, "Adam: a method for stochastic optimization", section 2.
# - `src/pocketrcnn/training/loop.py` (the loop), `fit.py` and `optim.py` beside it; `docs/log.md`, what helped here.
