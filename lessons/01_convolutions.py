# %% [markdown]
# # Lesson 1: Convolutions and what they cost
#
# After this lesson you can
#
# - say what a convolution computes, and write one yourself;
# - tell how large the map behind a layer is, and which part of the image one of its values depends on;
# - count the multiplications of a convolution, and find what is wrong with a published table of such counts.
#
# You need Python and numpy, and a little torch. Plan 50 minutes.
#
# A course report of 2017 compares three small networks for CIFAR-10, which this project trains again: a plain one
# (`B1 ConvNet`), a light one (`B2 MobileNet`) and one with shortcuts (`B3 ResNet`).

# %% tags=["imports"]
import timeit

import torch
from matplotlib import pyplot as plt
from torch import Tensor

from classroom import check, picture, show
from pocketrcnn import FasterRCNN, open_dataset  # a FasterRCNN without RPN is a classifier
from pocketrcnn.config import DataConfig
from pocketrcnn.course.experiments import NETWORKS
from pocketrcnn.model import costs
from pocketrcnn.model.backbones import Backbone
from pocketrcnn.model.layers import Conv

# %% [markdown]
# ## An image is an array
#
# CIFAR-10 has images of 32 x 32 pixels with three colours, and ten classes. A sample of them is inside the package.
# A batch of B images is one array `[B,3,32,32]` of whole numbers from 0 to 255: image, channel, row, column.

# %%
dataset = open_dataset(DataConfig(source="sample", kind="images"), "train")
batch = dataset.batch(torch.arange(100))
print(dataset.name, tuple(batch.images.shape), batch.images.dtype)

figure, places = plt.subplots(1, 10, figsize=(7.2, 0.9))
for place, image, label in zip(places, batch.images, batch.labels[:, 0], strict=False):  # [B,1]
    picture(place, image)
    place.set(xticks=[], yticks=[])
    place.set_title(dataset.classes[label], fontsize=7)
show(figure, "classes", "One image of each of the ten classes, 32 x 32 pixels.")

# %% [markdown]
# ## What a convolution computes
#
# A filter (or kernel) is a small array of weights, $K \times K$ for each channel of its input. It is laid over the
# image at every place. There, each weight is multiplied with the pixel below it; the sum of these products is a value,
# or cell, of the output, the feature map. For $M$ input channels $x_m$ and the filter $w_n$ of output channel $n$:
#
# $$y_n[i,j] = \sum_{m=1}^{M} \sum_{u=0}^{K-1} \sum_{v=0}^{K-1} w_n[m,u,v] \; x_m[i+u,\, j+v]$$
#
# In the package that is `Conv` in `src/pocketrcnn/model/layers.py`. In a network, training finds the weights. Here they
# are set by hand: a mean, which blurs, and two differences, which answer to edges.

# %%
mean = torch.full((3, 3), 1 / 9)
across = torch.tensor([[-1.0, 0.0, 1.0]] * 3) / 3  # right of the place minus left of it
down = across.T  # below minus above
layer = Conv(in_channels=1, out_channels=3, kernel=3)
with torch.no_grad():
    layer.weight.copy_(torch.stack((mean, across, down))[:, None])  # [3,1,3,3]: outputs, inputs, rows, columns
grey = batch.images[1:2].float().mean(1, keepdim=True)  # [1,1,32,32]: the automobile, its colours averaged
maps = layer(grey).detach()[0]  # [3,32,32]
figure, places = plt.subplots(1, 4, figsize=(7.2, 2.1))
for place, values in zip(places, (grey[0, 0], maps[0]), strict=False):
    place.imshow(values.numpy(), cmap="gray", vmin=0, vmax=255)
for place, edges in zip(places[2:], maps[1:], strict=True):
    place.imshow(edges.numpy(), cmap="RdBu_r", vmin=-100, vmax=100)
for place, title in zip(places, ("the image", "mean", "right minus left", "below minus above"), strict=True):
    place.set(title=title, xticks=[], yticks=[])
show(figure, "filters", "One image, three filters. Red: the value is above 0, it gets brighter; blue: below 0, darker.")

# %% [markdown]
# ### Exercise 1: a convolution by hand
#
# Write the formula above for one channel, with two loops over the places where the whole filter lies on the image.
# The output is smaller than the image then: count the places in a row. (Mathematicians turn the filter by 180° first.)


# %% tags=["exercise"]
def convolved(image: Tensor, kernel: Tensor) -> Tensor:
    """A filter at all places of an image where it fits whole.

    image: float [H,W]; kernel: float [K,K], K at most H and W. Returns the output with all its rows and columns.
    `convolved(torch.ones(4, 6), torch.ones(3, 3))` is 2 rows of 4 values, each 9.0.
    """
    raise NotImplementedError("Exercise 1: lay the kernel over each place, multiply value by value, add the products.")


# %%
check(convolved)

# %% [markdown]
# A convolution may add a bias, one number for each output channel. Behind it come BatchNorm (each channel scaled to
# mean 0 and spread 1 over the batch; after training, by running averages) and the activation ReLU, $\max(0, x)$.
#
# ## How large the output is
#
# `Conv` gave maps of 32 x 32 from an image of 32 x 32: it lays a frame of $P$ zeros around the image first, its padding
# (hence the edges along the border in the figure). With a stride of $S$ the filter moves $S$ pixels at a time. A side
# of $D$ pixels becomes
#
# $$D' = \left\lfloor \frac{D + 2P - K}{S} \right\rfloor + 1$$
#
# where $\lfloor \cdot \rfloor$ rounds down. "Same" padding, $P = (K-1)/2$ with $S = 1$, keeps the side. Behind each
# convolution our networks take the largest value of every 2 x 2 square (max pooling): $K = 2$, $S = 2$, $P = 0$.

# %%
for kernel, stride, padding in ((5, 1, 0), (5, 1, 2), (2, 2, 0), (3, 2, 1)):
    seen = torch.nn.functional.conv2d(grey, torch.ones(1, 1, kernel, kernel), stride=stride, padding=padding)
    print(f"kernel {kernel}, stride {stride}, padding {padding}: {grey.shape[-1]} becomes {seen.shape[-1]}")

# %% [markdown]
# ### Exercise 2: the side of a map
#
# Write the formula. It decides where a detector can look: 6 x 6 cells for 48 x 48 pixels are one place every 8 pixels.


# %% tags=["exercise"]
def side_after(side: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """The side of the map behind a layer, in cells. `side_after(32, 5, padding=2)` is 32; `side_after(32, 2, 2)` is 16.

    side: of the map before it; kernel: side of the filter; padding: rows of zeros on each of the two sides.
    """
    raise NotImplementedError("Exercise 2: write the formula for the side of a map; a side is a whole number.")


# %%
check(side_after)

# %% [markdown]
# ## What it costs
#
# Each of the $D \times D$ values of each of the $N$ output channels takes $K \cdot K \cdot M$ multiplications:
#
# $$\text{dense} = K \cdot K \cdot M \cdot N \cdot D \cdot D$$
#
# `pocketrcnn.model.costs` runs a network without values, and notes the shapes of every layer that an image meets. Here
# is the ConvNet, and beside what the package counts, the formula.

# %%
print(f"{'layer':12}{'K':>3}{'M':>5}{'N':>5}{'D':>4}{'counted':>14}{'formula':>14}")
for row in costs.layers(NETWORKS["convnet"]):
    (k, _), (d, _), m, n = row.kernel, row.output, row.in_channels, row.out_channels
    if row.kind == "convolution":
        print(f"{row.name:12}{k:3}{m:5}{n:5}{d:4}{row.multiplications:14,}{k * k * m * n * d * d:14,}")

# %% [markdown]
# From layer to layer the side is halved and the channels are doubled, so that conv2 to conv4 cost the same. The
# MobileNet splits a convolution in two. A depthwise one has one filter for each input channel and mixes none of them:
# output channel $m$ sees input channel $m$ alone. A pointwise one ($K = 1$) mixes the channels at each place.
#
# $$\text{separable} = \underbrace{K \cdot K \cdot M \cdot D \cdot D}_{\text{depthwise}}
# + \underbrace{M \cdot N \cdot D \cdot D}_{\text{pointwise}}$$

# %%
for row in costs.layers(NETWORKS["mobilenet"])[2:4]:
    print(row.name, row.kind, row.kernel, row.in_channels, row.out_channels, row.output, f"{row.multiplications:,}")

# %% [markdown]
# ### Exercise 3: what a separable convolution saves
#
# Write the cost of a separable convolution as a part of the cost of a dense one with the same $K$, $M$, $N$ and $D$.
# Simplify on paper first: two of the four cancel.


# %% tags=["exercise"]
def part_of_dense(kernel: int, outputs: int) -> float:
    """Multiplications of a separable convolution, divided by those of a dense one. `part_of_dense(1, 1)` is 2.0.

    kernel: K, the side of the filter; outputs: N, the number of output channels.
    """
    raise NotImplementedError("Exercise 3: divide the second formula by the first, and cancel what stands in both.")


# %%
check(part_of_dense)

# %% [markdown]
# ## A published table, checked
#
# The report gives the multiplications of all convolutions of its three networks. By its table, the ResNet is cheaper
# than the ConvNet. Does the package count the same?

# %%
REPORT = {"convnet": 46_497_792, "mobilenet": 6_824_960, "resnet": 44_921_856}
for name, published in REPORT.items():
    print(f"{name:10} report {published:12,}   counted {costs.multiplications(costs.layers(NETWORKS[name])):12,}")

# %% [markdown]
# One of them differs. Its blocks have two 3x3 convolutions and a 1x1 shortcut each, and the report gives a number for
# every layer. All agree with the formula, except the first 3x3 convolution of each block:

# %%
FIRST = {"conv1.first.0": 138_240, "conv2.first.0": 368_640, "conv3.first.0": 184_320, "conv4.first.0": 92_160}
for row in costs.layers(NETWORKS["resnet"]):
    if row.name in FIRST:
        shape = f"K {row.kernel[0]}, M {row.in_channels:3}, N {row.out_channels:3}, D {row.output[0]:2}"
        print(f"{row.name}: {shape}   report {FIRST[row.name]:8,}   counted {row.multiplications:10,}")

# %% [markdown]
# ### Exercise 4: find the error
#
# The report used the formula, with another number where $N$ belongs. Write a function that finds this number from
# a published count, and call it for each of the four lines above: what do they have in common?


# %% tags=["exercise"]
def number_for_outputs(published: int, kernel: int, inputs: int, side: int) -> float:
    """What stands in the dense formula in place of N, if it gives `published`.

    `number_for_outputs(2_457_600, kernel=5, inputs=3, side=32)` is 32.0: conv1 of the ConvNet, which is right.
    """
    raise NotImplementedError("Exercise 4: solve the dense formula for N.")


# %%
check(number_for_outputs)

# %% [markdown]
# ## Multiplications are not time (if there is time for it)
#
# A count says how much is computed, not how long it takes. Values must also be fetched from memory, and a depthwise
# convolution does little with each value that it fetches. Compare the last two columns: this is your computer.

# %%
print(f"{'network':10}{'multiplications':>17}{'ms an image':>13}{'G a second':>12}")
for name in REPORT:
    network, count = FasterRCNN(NETWORKS[name]).eval(), costs.multiplications(costs.layers(NETWORKS[name]))
    with torch.no_grad():
        seconds = min(timeit.repeat("network(batch.images)", globals=globals(), number=1, repeat=4)) / len(batch)
    print(f"{name:10}{count:17,}{1000 * seconds:13.3f}{count / seconds / 1e9:12.1f}")

# %% [markdown]
# ## What one value sees
#
# The part of the image that a value depends on is its receptive field. It grows with every layer. Let $r$ be its side,
# and $j$ the stride of the map: the distance of two neighbouring cells, in pixels of the image. Both are 1 at first.
# A layer with kernel $K$ and stride $S$ changes them, first $r$, then $j$:
#
# $$r \leftarrow r + (K - 1) \cdot j, \qquad j \leftarrow j \cdot S$$
#
# The gradient of one value with respect to the image is 0 wherever a pixel has no influence, so that torch can show it.
# The network is that in front of the detectors of lesson 4, their backbone: three 5x5 convolutions, each with a 2x2
# pooling of stride 2 behind it, then a 3x3 convolution.

# %%
torch.manual_seed(0)
images = torch.randn(20, 3, 96, 96, requires_grad=True)
features = Backbone(NETWORKS["base-classifier"].backbone).eval()(images)  # [20,256,12,12]
features[:, :, 6, 6].sum().backward()
assert images.grad is not None
influence = images.grad.abs().sum((0, 1))  # [96,96]
rows = influence.sum(1).nonzero()
print(f"one cell of {tuple(features.shape[-2:])} depends on {int(rows[-1] - rows[0]) + 1} rows of 96")
figure, places = plt.subplots(1, 2, width_ratios=(1, 1.4))
places[0].imshow(influence.numpy(), cmap="viridis")
places[0].set(xlabel="column of the image", ylabel="row of the image")
places[1].plot(influence.sum(1).numpy())
places[1].set(xlabel="row of the image", ylabel="influence", yticks=[])
show(figure, "receptive_field", "How much each pixel of 96 x 96 changes one cell: within a square, most in its middle.")

# %% [markdown]
# ### Exercise 5: the receptive field
#
# Write a function that goes through the layers, and compare it with the number of rows above.


# %% tags=["exercise"]
def receptive_field(layers: list[tuple[int, int]]) -> int:
    """The side of the receptive field behind all layers, in pixels.

    layers: kernel and stride of each, in order. `receptive_field([(3, 1), (3, 1)])` is 5: two 3x3 convolutions.
    """
    raise NotImplementedError("Exercise 5: begin with r = 1 and j = 1, and change both at each layer.")


# %%
check(receptive_field)

# %% [markdown]
# ## Questions
#
# 1. Why is a network of convolutions without anything between them no better than a single convolution?
# 2. What is likely to have happened in exercise 4?
# 3. The MobileNet's last convolution, conv5, is dense. What is its share of the cost? (`pocketrcnn costs mobilenet`)
# 4. Two 3x3 convolutions and one 5x5 convolution see the same. Which costs less, for M = N? What else differs?
# 5. The detectors of lesson 4 see 48 x 48 pixels, less than the receptive field. Is the network larger than needed?
#
# ## Further reading
#
# - Howard et al. 2017, "MobileNets", section 3.1: depthwise separable convolutions and their cost.
# - Luo et al. 2016, "Understanding the effective receptive field", section 2: why the middle counts most.
# - Dive into Deep Learning, chapter "Convolutional Neural Networks", sections "Convolutions for Images" to "Pooling".
# - `src/pocketrcnn/model/costs.py`; `docs/results.md`, section "The report's numbers, and what is wrong with them".
