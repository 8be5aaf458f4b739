# %% [markdown]
# # 06 Architectures and their price
#
# Between 2012 and 2015 the winning error on ImageNet fell from one image in six to one in 28, and
# each famous net brought one idea that fits in ten lines. You will write three of them, present
# every net with its bill, and hold the lecture's slides against it.
#
# **You will be able to**
#
# - build the blocks of VGG, GoogLeNet and ResNet, and prove each right;
# - say what an idea costs, in parameters and in multiplications;
# - count published nets from a description of a few lines;
# - judge a claim by its number;
# - tell which of many nets are worth their price.
#
# **Time** about two and a half hours. **Slides** 33 to 41. **Points** 25. **You need** lesson 03's
# counting and lesson 04's net.
#
# Shapes are (C, H, W), in batches (N, C, H, W). Two prices: **parameters** are what you store,
# **multiplications** (each comes with an addition: "MAC") are what you wait for.

# %% nbgrader={"grade_id": "setup", "locked": true}
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

from course import check, data, draw, trace, train

# %% [markdown]
# ## 1. AlexNet: the same, but large
#
# AlexNet (2012, slide 37) is LeNet with more layers, ReLU, dropout and augmented images. Its home
# is ImageNet's contest: 1,000 classes, 1.2 million colour images. That is a part of ImageNet, which
# has over 15 million images in some 20,000 classes; beside it, slide 34's other data sets are
# small: MNIST's 70,000 grey digits, and the 60,000 colour images of CIFAR-10 and CIFAR-100,
# $32 \times 32$ pixels each.
#
# The course draws a net from the net itself: it runs it once on the `meta` device, which computes
# shapes and no numbers, and notes every step. A box says what happens, which shape leaves it, and
# its parameters; "/4" is stride 4.
#
# **Predict first:** five convolutions, three dense layers. Where are the parameters?

# %%
with torch.device("meta"):
    draw.architecture(models.alexnet(), torch.empty(1, 3, 224, 224), "AlexNet (torchvision)")

# %% [markdown]
# Nearly all of them in the orange boxes, and most of the work in the blue ones: lesson 03's rule.
#
# **A kind correction.** The paper says that its images are $224 \times 224$, yet filters of 11 with
# stride 4 then have $\lfloor 213/4 \rfloor + 1 = 54$ positions, not the paper's 55. It works for
# 227, the coursework's number; torchvision keeps 224 and adds a padding of 2.
#
# ## 2. VGG: small filters, often
#
# VGG (2014, slides 37 and 38) knows one filter size. Its block is $n$ convolutions of
# $3 \times 3$, padding 1, stride 1, **each with its ReLU**, and then one max pool of
# $2 \times 2$, stride 2:
#
# $$(C_{in}, H, W) \to (C_{out}, H, W) \to \dots \to (C_{out}, \lfloor H/2 \rfloor, \lfloor W/2
# \rfloor)$$
#
# Two in a row see $5 \times 5$ pixels, three see $7 \times 7$ (lesson 03). With 64 channels, two
# cost 73,856 parameters and one $5 \times 5$ costs 102,464; and the two bend twice.

# %% [markdown]
# ### Exercise `vgg_block` (1 + 2 points)
#
# Return the block as a module. The first convolution takes `c_in` channels to `c_out`, the others
# keep `c_out`.
#
# **Predict first:** all weights 1, all biases 0, and an image of $-1$ everywhere. What comes out of
# a block with $n = 1$?
#
# <details><summary>Hint 1: collect the layers</summary>
#
# Append to a list in a loop, and return `nn.Sequential(*layers)`.
#
# </details>
# <details><summary>Hint 2: one turn</summary>
#
# `nn.Conv2d(..., 3, padding=1)` and `nn.ReLU()`. A new convolution each time: one that is used
# twice shares its weights with itself.
#
# </details>
# <details><summary>Hint 3: the channels</summary>
#
# Set `c_in = c_out` at the end of each turn. One `nn.MaxPool2d(2)` after the loop.
#
# </details>

# %% nbgrader={"grade_id": "vgg_block", "solution": true}
def vgg_block(c_in, c_out, n):
    """A block of VGG, an nn.Module: (N, c_in, H, W) to (N, c_out, H // 2, W // 2).

    n nn.Conv2d (n >= 1) of 3 x 3, padding 1, stride 1, with biases, each followed by a ReLU;
    then one max pool of 2 x 2, stride 2. Slides 37 and 38.
    """
    ### BEGIN SOLUTION
    layers = []
    for _ in range(n):
        layers += [nn.Conv2d(c_in, c_out, 3, padding=1), nn.ReLU()]
        c_in = c_out
    return nn.Sequential(*layers, nn.MaxPool2d(2))
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-vgg_block", "grade": true, "locked": true, "points": 1}
# All weights 1, all biases 0: a convolution adds up the nine pixels that it sees.
ones = torch.ones(1, 1, 4, 4)
block = check.filled(vgg_block(1, 1, 1), weight=1.0)
check.shape(
    vgg_block(3, 8, 2)(torch.zeros(2, 3, 8, 6)), (2, 8, 4, 3), "vgg_block(3, 8, 2) of (2, 3, 8, 6)",
    "Padding 1 keeps the size, and one pool at the end halves it.",
)
check.close(
    block(-ones), torch.zeros(1, 1, 2, 2), "what a block of weights 1 makes of -1",
    "Below zero: a ReLU is missing after the last convolution.",
)
check.close(
    block(ones), 9 * torch.ones(1, 1, 2, 2), "what a block of weights 1 makes of 1",
    "Each window holds a sum of nine ones: is it a max pool, after a padding of 1?",
)
check.equal(
    sum(count for _, count in check.parameter_counts(vgg_block(3, 8, 2))), 808,
    "the number of parameters of vgg_block(3, 8, 2)",
    "Two convolutions of their own, with biases: 8 x (3 x 9 + 1) + 8 x (8 x 9 + 1).",
)

# %% nbgrader={"grade_id": "hidden-vgg_block", "grade": true, "locked": true, "points": 2}
# Also: n from 1 to 4, odd sizes, a ReLU after every convolution, the parameters of each layer.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(37)
for c_in, c_out, n, size in (
    (1, 1, 1, (6, 6)), (3, 4, 2, (9, 7)), (5, 2, 3, (8, 12)), (2, 2, 4, (11, 8)),
):
    name = f"vgg_block({c_in}, {c_out}, {n})"
    counts = [9 * c_in * c_out + c_out] + (n - 1) * [9 * c_out * c_out + c_out]
    check.equal(
        sorted(count for _, count in check.parameter_counts(vgg_block(c_in, c_out, n))),
        sorted(counts), f"the parameters of the layers of {name}, smallest first",
    )
    x = torch.randn(2, c_in, *size, generator=numbers)
    for weight, bias in ((0.1, -0.2), (-0.1, 0.4), (0.2, 0.1)):
        y, channels = x.double(), c_in
        for _ in range(n):
            kernel = torch.full((c_out, channels, 3, 3), weight, dtype=torch.float64)
            y = F.relu(F.conv2d(y, kernel, padding=1) + bias)
            channels = c_out
        check.close(
            check.filled(vgg_block(c_in, c_out, n), weight, bias)(x), F.max_pool2d(y, 2),
            f"the output of {name}, all weights {weight}, all biases {bias},",
            "Is there a ReLU after each convolution, and one pool after all of them?",
            rtol=1e-3, atol=1e-4,
        )
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** the first two blocks of VGG16 on an image of 224. Which shape leaves each of
# them?

# %%
with torch.device("meta"):
    blocks = nn.Sequential(vgg_block(3, 64, 2), vgg_block(64, 128, 2))
    draw.architecture(blocks, torch.empty(1, 3, 224, 224), "Two of VGG16's five blocks")

# %% [markdown]
# Four convolutions with a five-hundredth of VGG16's parameters, and nearly a third of its 15.5
# billion multiplications: maps are large here.
#
# ## 3. Inception: several sizes, side by side
#
# Which filter size is right? GoogLeNet (2014, slide 39) doesn't choose. Its **Inception** module
# runs four branches on the same input and stacks their maps as channels:
#
# 1. $1 \times 1$;
# 2. $1 \times 1$, then $3 \times 3$;
# 3. $1 \times 1$, then $5 \times 5$;
# 4. a max pool of $3 \times 3$ with stride 1, then $1 \times 1$.
#
# All keep H and W, so only channels add up. The $1 \times 1$ before a large filter is a
# **bottleneck**: at each pixel it mixes 192 channels into, say, 16, and the large filter reads
# those.
#
# **Predict first:** from (192, 28, 28) to (32, 28, 28) by $5 \times 5$. How much work does a
# bottleneck of 16 channels save: a third, a half, nine tenths?

# %% jupyter={"source_hidden": true}
pixels = 28 * 28
work = {
    "direct": {"5 × 5": pixels * 192 * 32 * 25},
    "bottleneck": {"1 × 1": pixels * 192 * 16, "5 × 5": pixels * 16 * 32 * 25},
}
draw.stacked(work, "Multiplications from (192, 28, 28) to (32, 28, 28)")

# %% [markdown]
# ### Exercise `Inception` (1 + 3 points)
#
# Write the module. After **each** of its six convolutions comes a ReLU; all have biases. The
# output's channels are, in this order, those of branches 1, 2, 3 and 4.
#
# Block 3a of GoogLeNet is `Inception(192, 64, (96, 128), (16, 32), 32)`: (192, H, W) to
# (256, H, W), with 163,696 parameters.
#
# <details><summary>Hint 1: keeping the size</summary>
#
# Padding is 0, 1 and 2 for filters of 1, 3 and 5; the pool needs stride 1 and padding 1.
#
# </details>
# <details><summary>Hint 2: a branch</summary>
#
# `nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.ReLU(), nn.Conv2d(*c3, 3, padding=1), nn.ReLU())`
#
# </details>
# <details><summary>Hint 3: joining</summary>
#
# `torch.cat([...], dim=1)`: dimension 0 counts images, dimension 1 channels.
#
# </details>

# %% nbgrader={"grade_id": "Inception", "solution": true}
class Inception(nn.Module):
    """GoogLeNet's module: (N, c_in, H, W) to (N, c1 + c3[1] + c5[1] + c_pool, H, W). Slide 39.

    c1      channels of branch 1, a 1 x 1 convolution
    c3, c5  pairs (reduce, out) of branches 2 and 3: 1 x 1 to `reduce` channels, then 3 x 3 or a
            true 5 x 5 to `out`
    c_pool  channels of branch 4: a 3 x 3 max pool, stride 1, padding 1, then 1 x 1

    Biases, and a ReLU after every convolution. Channels in the order of the branches.
    """

    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        ### BEGIN SOLUTION
        def conv(before, after, f):
            return [nn.Conv2d(before, after, f, padding=f // 2), nn.ReLU()]

        self.branch1 = nn.Sequential(*conv(c_in, c1, 1))
        self.branch2 = nn.Sequential(*conv(c_in, c3[0], 1), *conv(*c3, 3))
        self.branch3 = nn.Sequential(*conv(c_in, c5[0], 1), *conv(*c5, 5))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), *conv(c_in, c_pool, 1))
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        branches = (self.branch1, self.branch2, self.branch3, self.branch4)
        return torch.cat([branch(x) for branch in branches], dim=1)
        ### END SOLUTION

# %% nbgrader={"grade_id": "test-Inception", "grade": true, "locked": true, "points": 1}
check.shape(
    Inception(5, 2, (3, 4), (2, 6), 1)(torch.zeros(2, 5, 6, 7)), (2, 13, 6, 7),
    "Inception(5, 2, (3, 4), (2, 6), 1) of (2, 5, 6, 7)",
    "2 + 4 + 6 + 1 channels, joined on dimension 1; each branch keeps H and W.",
)
# All weights 1, one channel a branch. At the middle pixel a sum is 1, 9 or 25 times the input.
ones = torch.ones(1, 1, 7, 7)
for bias, value, middle in ((0.0, 1, [1, 9, 25, 1]), (0.0, 3, [3, 27, 75, 3]), (0.0, -1, [0] * 4)):
    module = check.filled(Inception(1, 1, (1, 1), (1, 1), 1), weight=1.0, bias=bias)
    check.close(
        module(value * ones)[0, :, 3, 3], middle, f"the middle pixel, weights 1, of {value}",
        "Expected are branches 1, 2, 3 and 4: a true 5 x 5 in the third? The last ReLUs?",
    )
module = check.filled(Inception(1, 1, (1, 1), (1, 1), 1), weight=1.0, bias=1.0)
check.close(
    module(-3 * ones)[0, :, 3, 3], [0, 1, 1, 0], "the middle pixel, weights and biases 1, of -3",
    "The bottlenecks give -3 + 1 = -2: is there a ReLU after them, before the next convolution?",
)
check.equal(
    sum(c for _, c in check.parameter_counts(Inception(192, 64, (96, 128), (16, 32), 32))), 163_696,
    "the number of parameters of block 3a", "387,296 is what it costs without bottlenecks.",
)

# %% nbgrader={"grade_id": "hidden-Inception", "grade": true, "locked": true, "points": 3}
# Also: each branch by itself, on random images that are not square, also at the border; the ReLUs.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(39)


def conv(x, c_out, f, weight, bias):
    """Convolution with constant weights, and ReLU, in float64."""
    kernel = torch.full((c_out, x.shape[1], f, f), weight, dtype=torch.float64)
    return F.relu(F.conv2d(x, kernel, padding=f // 2) + bias)


for c_in, c1, c3, c5, c_pool in ((5, 2, (3, 4), (2, 6), 1), (2, 3, (4, 1), (1, 2), 4)):
    name = f"Inception({c_in}, {c1}, {c3}, {c5}, {c_pool})"
    total = c1 * (c_in + 1) + c_pool * (c_in + 1)
    for (reduce, out), f in ((c3, 3), (c5, 5)):
        total += reduce * (c_in + 1) + out * (f * f * reduce + 1)
    module = Inception(c_in, c1, c3, c5, c_pool)
    check.equal(
        sum(count for _, count in check.parameter_counts(module)), total,
        f"the number of parameters of {name}",
    )
    x = torch.randn(3, c_in, 6, 9, generator=numbers)
    for shift, weight, bias in ((0, 0.1, -0.2), (0, -0.1, 0.3), (-3, 0.1, 0.5), (3, 0.05, 0.1)):
        x64 = (x + shift).double()
        branches = [
            conv(x64, c1, 1, weight, bias),
            conv(conv(x64, c3[0], 1, weight, bias), c3[1], 3, weight, bias),
            conv(conv(x64, c5[0], 1, weight, bias), c5[1], 5, weight, bias),
            conv(F.max_pool2d(x64, 3, 1, 1), c_pool, 1, weight, bias),
        ]
        got = check.filled(module, weight, bias)(x + shift)
        check.shape(got, (3, c1 + c3[1] + c5[1] + c_pool, 6, 9), f"{name} of (3, {c_in}, 6, 9)")
        first = 0
        for number, branch in enumerate(branches, start=1):
            last = first + branch.shape[1]
            check.close(
                got[:, first:last], branch,
                f"channels {first} to {last - 1} of {name}, weights {weight}, biases {bias}, which "
                f"belong to branch {number},",
                "Does it read the module's input? In this order, each convolution with its ReLU?",
                rtol=1e-3, atol=1e-4,
            )
            first = last
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** which of the six convolutions of block 3a has most parameters?

# %%
with torch.device("meta"):
    block_3a = Inception(192, 64, (96, 128), (16, 32), 32)
    draw.architecture(block_3a, torch.empty(1, 192, 28, 28), "Inception 3a")

# %% [markdown]
# ## 4. ResNet: add, don't replace
#
# Beyond some twenty layers, plain nets got *worse*, on training data too. ResNet's answer (2015,
# slide 40) is one plus sign: a block computes a **change** $f(x)$ and adds it to what came in.
#
# $$y = \mathrm{ReLU}(f(x) + x), \qquad f = \text{conv, norm, ReLU, conv, norm}$$
#
# Both convolutions are $3 \times 3$ with padding 1 and without bias, since the batch norm behind
# each brings its own (lesson 05). If $f$ is zero, the block passes $x$ on: doing nothing is easy.
#
# Where the block changes the shape, `c_in` to `c_out` channels or a stride (of the *first*
# convolution), $x$ doesn't fit. Then it is **projected**: a $1 \times 1$ convolution with that
# stride, no bias, then a batch norm. Elsewhere the skip costs nothing.

# %% [markdown]
# ### Exercise `Residual` (1 + 3 points)
#
# Write the block: (N, c_in, H, W) to (N, c_out, H', W'), $H' = \lfloor (H-1)/s \rfloor + 1$.
# `Residual(64, 64)` has 73,984 parameters.
#
# **Predict first:** all parameters zero. What does the block answer to an image of $-1$? Of 3?
#
# <details><summary>Hint 1: the branch</summary>
#
# `nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)`, `nn.BatchNorm2d(c_out)`, `nn.ReLU()`,
# then `c_out` to `c_out` with stride 1, and a norm.
#
# </details>
# <details><summary>Hint 2: the skip</summary>
#
# `nn.Identity()` if nothing changes; otherwise
# `nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))`.
#
# </details>
# <details><summary>Hint 3: the end</summary>
#
# `F.relu(self.branch(x) + self.skip(x))`: one ReLU, after the sum. None on the branch before it.
#
# </details>

# %% nbgrader={"grade_id": "Residual", "solution": true}
class Residual(nn.Module):
    """ResNet's basic block: ReLU(f(x) + skip(x)). Slide 40.

    (N, c_in, H, W) to (N, c_out, H', W') with H' = floor((H - 1) / stride) + 1, W' likewise.
    f       conv 3 x 3 (with the stride), norm, ReLU, conv 3 x 3, norm; padding 1, no biases
    skip    x itself where c_in == c_out and stride == 1; else conv 1 x 1 (with the stride, no
            bias), norm
    Convolutions are nn.Conv2d, norms nn.BatchNorm2d.
    """

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        ### BEGIN SOLUTION
        self.branch = nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
            nn.Conv2d(c_out, c_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
        )
        self.skip = nn.Identity()
        if stride != 1 or c_in != c_out:
            projection = nn.Conv2d(c_in, c_out, 1, stride, bias=False)
            self.skip = nn.Sequential(projection, nn.BatchNorm2d(c_out))
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return F.relu(self.branch(x) + self.skip(x))
        ### END SOLUTION

# %% nbgrader={"grade_id": "test-Residual", "grade": true, "locked": true, "points": 1}
check.shape(Residual(2, 2)(torch.zeros(2, 2, 5, 6)), (2, 2, 5, 6), "Residual(2, 2) of (2, 2, 5, 6)")
check.shape(
    Residual(2, 4, stride=2)(torch.zeros(2, 2, 9, 6)), (2, 4, 5, 3),
    "Residual(2, 4, stride=2) of (2, 2, 9, 6)", "Only the first convolution and the skip stride.",
)
ones = torch.ones(1, 2, 3, 3)
for value in (-1.0, 1.0, 3.0):
    check.close(
        check.filled(Residual(2, 2), weight=0.0, scale=0.0)(value * ones), max(value, 0.0) * ones,
        f"what a block whose parameters are all 0 makes of {value:g} everywhere",
        "f(x) is 0, what is left is ReLU(x): is the block's own input added, and then the ReLU?",
    )
# All weights 1: nine times nine pixels at the middle, plus the input.
for weight, value, middle, hint in (
    (1.0, 1.0, 82.0, "81 by the branch, and 1 by the skip."),
    (1.0, 3.0, 246.0, "243 by the branch, and 3 by the skip."),
    (1.0, -1.0, 0.0, "Below zero: the ReLU after the sum is missing."),
    (-1.0, 1.0, 1.0, "82 if the ReLU between the convolutions is missing."),
):
    check.close(
        check.filled(Residual(1, 1), weight)(value * torch.ones(1, 1, 7, 7))[0, 0, 3, 3], middle,
        f"the middle pixel that a block of weights {weight:g} makes of {value:g} everywhere", hint,
        rtol=1e-3,
    )
check.equal(
    sum(count for _, count in check.parameter_counts(Residual(64, 64))), 73_984,
    "the number of parameters of Residual(64, 64)",
    "Two convolutions without biases, two norms, and a skip that has none.",
)

# %% nbgrader={"grade_id": "hidden-Residual", "grade": true, "locked": true, "points": 3}
# Also: random images, odd sizes, projection with and without stride, both modes, the parameters of
# each layer; and that a stack of 40 blocks still sends gradient to its first.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(40)


def conv(x, c_out, f, stride, weight, scale, bias, training):
    """Convolution with constant weights, and batch norm, in float64."""
    kernel = torch.full((c_out, x.shape[1], f, f), weight, dtype=torch.float64)
    x = F.conv2d(x, kernel, stride=stride, padding=f // 2)
    mean, var = (fill((c_out,), dtype=torch.float64) for fill in (torch.zeros, torch.ones))
    gamma, beta = var * scale, var * bias
    return F.batch_norm(x, mean, var, gamma, beta, training=training)


for c_in, c_out, stride in ((3, 3, 1), (2, 5, 1), (4, 4, 2), (3, 6, 2), (2, 3, 3)):
    name = f"Residual({c_in}, {c_out}, stride={stride})"
    projected = stride != 1 or c_in != c_out
    counts = [9 * c_in * c_out, 2 * c_out, 9 * c_out * c_out, 2 * c_out]
    counts += [c_in * c_out, 2 * c_out] if projected else []
    check.equal(
        sorted(count for _, count in check.parameter_counts(Residual(c_in, c_out, stride))),
        sorted(counts),
        f"the parameters of the layers of {name}, smallest first", "Biases? All norms?",
    )
    x = torch.randn(2, c_in, 7, 10, generator=numbers)
    for weight, scale, bias in ((0.1, 1.0, 0.0), (-0.1, 0.7, 0.2), (0.1, -0.8, 0.1)):
        for training in (False, True):
            rest = (weight, scale, bias, training)
            y = F.relu(conv(x.double(), c_out, 3, stride, *rest))
            y = conv(y, c_out, 3, 1, *rest)
            skip = conv(x.double(), c_out, 1, stride, *rest) if projected else x.double()
            block = check.filled(
                Residual(c_in, c_out, stride=stride), weight, bias, scale, training
            )
            given = x.clone()
            check.close(
                block(given), F.relu(y + skip),
                f"the output of {name}, weights {weight}, norms {scale} and {bias}, "
                f"{'training' if training else 'evaluation'} mode,",
                "conv, norm, ReLU, conv, norm; plus the block's own input; then the one ReLU.",
                rtol=2e-3, atol=1e-3,
            )
            check.close(given, x, f"the input of {name} afterwards", "An inplace ReLU changed it.")

sizes = check.stack_gradients(
    Residual, (8, 8), 40, torch.randn(4, 8, 8, 8, generator=numbers), seed=40
)
check.that(
    sizes[0] > 0.2 * sizes[-1],
    "In a stack of 40 blocks hardly any gradient reaches the first: does it pass the skip?",
)
check.that(
    sizes[0] < 2000 * sizes[-1],
    "In a stack of 40 blocks the gradient grows beyond measure on its way to the first.",
)
### END HIDDEN TESTS

# %%
with torch.device("meta"):
    x = torch.empty(1, 64, 28, 28)
    draw.architecture(Residual(64, 64), x, "Residual(64, 64)")
    draw.architecture(Residual(64, 128, stride=2), x, "Residual(64, 128, stride=2)")

# %% [markdown]
# Does one plus sign matter? `Plain` is your branch and a ReLU, **without** the skip. We stack 40
# fresh blocks of each kind and measure the gradient that arrives in every block.
#
# **Predict first:** draw three lines on paper, from block 1 to block 40: residual, plain, and plain
# without norms.

# %%
class Plain(nn.Module):
    """The branch of a residual block and a ReLU, with no way around it."""

    def __init__(self, channels, norm):
        super().__init__()
        layers = []
        for _ in range(2):
            layers += [nn.Conv2d(channels, channels, 3, padding=1, bias=not norm)]
            layers += [nn.BatchNorm2d(channels), nn.ReLU()] if norm else [nn.ReLU()]
        self.branch = nn.Sequential(*layers)

    def forward(self, x):
        return self.branch(x)

# %% jupyter={"source_hidden": true}
kinds = {
    "residual": (Residual, (8, 8)),
    "plain": (Plain, (8, True)),
    "plain, without norms": (Plain, (8, False)),
}
noise = torch.randn(4, 8, 8, 8, generator=torch.Generator().manual_seed(0))
reaching = {name: check.stack_gradients(*kind, 40, noise) for name, kind in kinds.items()}
draw.gradients_by_depth(
    reaching,
    "the gradient on its way back through 40 blocks",
    "Gradient against block, logarithmic. In the residual stack it is about level; in the plain "
    "stack it grows a hundred thousandfold and more on its way to the first block; without norms "
    "it fades by more than thirty powers of ten.",
)

# %% [markdown]
# Through a plus sign a gradient passes unchanged, so each block's weights get theirs, however deep.
# Plain stacks multiply by something at every block: it fades or it swells.

# %% [markdown]
# ## 5. The bill
#
# Slides give totals; you shall check them. So we need a language for nets. A **config** is a list
# of layers, each a tuple that begins with a word:
#
# | layer | is |
# |---|---|
# | `("conv", c_in, c_out, f)` | a convolution $f \times f$ with biases |
# | `("conv", c_in, c_out, f, False)` | one without |
# | `("norm", c)` | a batch norm of $c$ channels: one $\gamma$ and one $\beta$ each |
# | `("dense", n_in, n_out)` | a fully connected layer with biases |
# | `("pool", f, s)` | a pool |
# | `("repeat", times, config)` | these layers `times` times in a row, each with its own weights |
# | `("branches", config, config, ...)` | configs side by side on one input; `[]` is a bare skip |
#
# Two of them hold configs themselves. So GoogLeNet fits in a screen, and ResNet-152 in a few lines:
# read on.

# %% nbgrader={"grade_id": "setup-chains", "locked": true}
def chain(*channels, f=3):
    """Convolutions with biases, one after another: chain(3, 64, 64) is two."""
    return [("conv", a, b, f) for a, b in pairwise(channels)]


def vgg(*blocks):
    """The config of a VGG: the number of convolutions in each of five blocks."""
    config, c_in = [], 3
    for c_out, n in zip((64, 128, 256, 512, 512), blocks, strict=True):
        config += [*chain(c_in, *n * [c_out]), ("pool", 2, 2)]
        c_in = c_out
    return [*config, ("dense", 25088, 4096), ("dense", 4096, 4096), ("dense", 4096, 1000)]

# %% nbgrader={"grade_id": "setup-resnet", "locked": true}
def normed(c_in, c_out, f):
    """A convolution without biases, and its norm."""
    return [("conv", c_in, c_out, f, False), ("norm", c_out)]


def resnet(counts, wide):
    """The config of a ResNet: blocks of two 3 x 3, or (wide=4) of 1 x 1, 3 x 3 and a wide 1 x 1."""
    config, c_in = normed(3, 64, 7), 64
    for c, count in zip((64, 128, 256, 512), counts, strict=True):
        for times, before in ((1, c_in), (count - 1, wide * c)):
            branch = [*normed(before, c, 3), *normed(c, c, 3)]
            if wide > 1:
                branch = [*normed(before, c, 1), *normed(c, c, 3), *normed(c, wide * c, 1)]
            skip = [] if before == wide * c else normed(before, wide * c, 1)
            config.append(("repeat", times, [("branches", branch, skip)]))
        c_in = wide * c
    return [*config, ("dense", c_in, 1000)]

# %% nbgrader={"grade_id": "setup-googlenet", "locked": true}
def googlenet(conv, five):
    """A config of GoogLeNet; conv(c_in, c_out, f) is its convolution, `five` its "5 x 5"."""
    config = [*conv(3, 64, 7), *conv(64, 64, 1), *conv(64, 192, 3)]
    c_in = 192
    for c1, r3, c3, r5, c5, c_pool in (
        (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128), (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128),
    ):
        three, large = conv(c_in, r3, 1) + conv(r3, c3, 3), conv(c_in, r5, 1) + conv(r5, c5, five)
        pooled = [("pool", 3, 1), *conv(c_in, c_pool, 1)]
        config.append(("branches", conv(c_in, c1, 1), three, large, pooled))
        c_in = c1 + c3 + c5 + c_pool
    return [*config, ("dense", c_in, 1000)]

# %% nbgrader={"grade_id": "setup-configs", "locked": true}
# GoogLeNet as its paper has it; torchvision's has norms, and 3 x 3 where the paper has 5 x 5.
PAPER = googlenet(lambda c_in, c_out, f: chain(c_in, c_out, f=f), five=5)
dense = [("dense", 9216, 4096), ("dense", 4096, 4096), ("dense", 4096, 1000)]
CONFIGS = {
    "alexnet": chain(3, 64, f=11) + chain(64, 192, f=5) + chain(192, 384, 256, 256) + dense,
    "vgg16": vgg(2, 2, 3, 3, 3),
    "googlenet": googlenet(normed, five=3),
    "resnet18": resnet((2, 2, 2, 2), wide=1),
    "resnet34": resnet((3, 4, 6, 3), wide=1),
    "resnet50": resnet((3, 4, 6, 3), wide=4),
    "resnet101": resnet((3, 4, 23, 3), wide=4),
    "resnet152": resnet((3, 8, 36, 3), wide=4),
}

# %% [markdown]
# ### Exercise `count_parameters` (1 + 3 points)
#
# Return the number of parameters of a config. Any word that isn't in the table (`("relu",)`, say)
# stands for a layer that learns nothing.
#
# <details><summary>Hint 1: one layer at a time</summary>
#
# `for word, *rest in config:` gives the word and a list of what follows it.
#
# </details>
# <details><summary>Hint 2: the bias</summary>
#
# Four or five entries? `bias = rest[3] if len(rest) > 3 else True`.
#
# </details>
# <details><summary>Hint 3: configs in configs</summary>
#
# Let the function call itself: `times * count_parameters(inner)`, and a sum over all branches.
#
# </details>

# %% nbgrader={"grade_id": "count_parameters", "solution": true}
def count_parameters(config):
    """Number of trainable parameters of a net described by `config`, a list of layers.

    Layers are tuples as in the table above: conv, norm, dense, pool, repeat, branches; other
    words have no parameters. Lesson 03 has the rules; a batch norm's running mean and variance
    are not trained.
    """
    ### BEGIN SOLUTION
    total = 0
    for word, *rest in config:
        if word == "conv":
            c_in, c_out, f, *bias = rest
            total += c_out * (f * f * c_in + all(bias))
        elif word == "norm":
            total += 2 * rest[0]
        elif word == "dense":
            total += rest[1] * (rest[0] + 1)
        elif word == "repeat":
            total += rest[0] * count_parameters(rest[1])
        elif word == "branches":
            total += sum(count_parameters(branch) for branch in rest)
    return total
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-count_parameters", "grade": true, "locked": true, "points": 1}
for config, expected, hint in (
    ([], 0, "No layer, no parameter."),
    ([("conv", 3, 8, 5)], 608, "8 filters of 3 x 5 x 5, each with one bias."),
    ([("conv", 3, 8, 5, False)], 600, "The last entry says: without biases."),
    ([("conv", 3, 8, 5, True), ("pool", 2, 2)], 608, "Biases said aloud, and a free pool."),
    ([("norm", 16)], 32, "One gamma and one beta a channel; running statistics aren't trained."),
    ([("dense", 100, 10)], 1010, "100 weights and a bias, ten times."),
    ([("repeat", 3, [("norm", 4), ("dense", 2, 1)])], 33, "Three times 8 + 3."),
    ([("branches", [("norm", 4)], [], [("norm", 1)])], 10, "All branches count, also the third."),
):
    check.equal(count_parameters(config), expected, f"count_parameters({config})", hint)

# %% nbgrader={"grade_id": "hidden-count_parameters", "grade": true, "locked": true, "points": 3}
# Also: the eight CONFIGS against torchvision's nets, 30 random configs, some four deep, against
# torch, the config left alone, and words that are not in the table.
### BEGIN HIDDEN TESTS
import copy
import random

for name, config in CONFIGS.items():
    other = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    with torch.device("meta"):
        net = getattr(models, name)(**other)
    expected = sum(parameter.numel() for parameter in net.parameters())
    check.equal(count_parameters(config), expected, f"the number of parameters of {name}")

rng = random.Random(3741)


def some(depth):
    """A random config, and its parameters as torch counts them."""
    config, expected = [], 0
    for _ in range(rng.randint(1, 4)):
        a, b, f = rng.randint(1, 30), rng.randint(1, 30), rng.randint(1, 7)
        word = rng.choice(("conv", "norm", "dense", "pool", "relu") + 2 * ("repeat", "branches"))
        if word in ("repeat", "branches") and depth == 0:
            continue
        if word == "repeat":
            inner, inside = some(depth - 1)
            config.append((word, f - 1, inner))
            expected += (f - 1) * inside
        elif word == "branches":
            parts = [some(depth - 1) for _ in range(rng.randint(1, 4))]
            config.append((word, *(part for part, _ in parts)))
            expected += sum(inside for _, inside in parts)
        else:
            bias = rng.choice(((), (True,), (False,)))
            layer, net = {
                "conv": (("conv", a, b, f, *bias), nn.Conv2d(a, b, f, bias=all(bias))),
                "norm": (("norm", a), nn.BatchNorm2d(a)),
                "dense": (("dense", a, b), nn.Linear(a, b)),
                "pool": (("pool", f, b), nn.MaxPool2d(f, b)),
                "relu": (("relu",), nn.ReLU()),
            }[word]
            config.append(layer)
            expected += sum(parameter.numel() for parameter in net.parameters())
    return config, expected


for _ in range(30):
    with torch.device("meta"):
        config, expected = some(4)
    kept = copy.deepcopy(config)
    check.equal(count_parameters(config), expected, f"count_parameters({kept})")
    check.that(config == kept, "count_parameters changed the config that it was given.")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** rank AlexNet, VGG16, GoogLeNet and ResNet-152 by parameters.

# %%
chosen = ("alexnet", "vgg16", "googlenet", "resnet18", "resnet50", "resnet152")
draw.stacked(
    {name: {"parameters": count_parameters(CONFIGS[name])} for name in chosen},
    "Parameters, counted from their configs",
)

# %% [markdown]
# ### Exercise `alexnet_config` (1 + 2 points)
#
# Now write a config yourself: the **original** AlexNet. It ran on two graphics cards of 3 GB, each
# with one half of the filters. In conv2, conv4 and conv5 a half reads only its own card's channels;
# conv1 reads the whole image and conv3 the maps of both cards:
#
# | layer | f | channels read by a filter | filters |
# |---|---|---|---|
# | conv1 | 11 | 3 | 96 |
# | conv2 | 5 | 48 | 2 × 128 |
# | conv3 | 3 | 256 | 384 |
# | conv4 | 3 | 192 | 2 × 192 |
# | conv5 | 3 | 192 | 2 × 128 |
#
# Then three dense layers, from $6 \times 6 \times 256$ inputs to 4,096, 4,096 and 1,000; biases
# everywhere. You may leave out pools.
#
# <details><summary>Hint 1: halves</summary>
#
# Two halves side by side: `("branches", [one], [other])`.
#
# </details>
# <details><summary>Hint 2: conv2</summary>
#
# `("branches", [("conv", 48, 128, 5)], [("conv", 48, 128, 5)])`
#
# </details>
# <details><summary>Hint 3: the first dense layer</summary>
#
# `("dense", 6 * 6 * 256, 4096)`
#
# </details>

# %% nbgrader={"grade_id": "alexnet_config", "solution": true} needs=["count_parameters"]
def alexnet_config():
    """The config of AlexNet as published in 2012, with its two halves. Slide 37.

    Returns a list of layers as count_parameters() reads it.
    """
    ### BEGIN SOLUTION
    def halves(c_in, c_out, f):
        return ("branches", *2 * [[("conv", c_in, c_out, f)]])

    convolutions = [("conv", 3, 96, 11), halves(48, 128, 5), ("conv", 256, 384, 3)]
    convolutions += [halves(192, 192, 3), halves(192, 128, 3)]
    return [*convolutions, ("dense", 9216, 4096), ("dense", 4096, 4096), ("dense", 4096, 1000)]
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-alexnet_config", "grade": true, "locked": true, "points": 1}
total = count_parameters(alexnet_config())
check.that(
    total != 62_378_344, "62,378,344 is one net without halves: conv2's filters read 48 channels."
)
check.that(
    total != count_parameters(CONFIGS["alexnet"]), "This is torchvision's narrower net, of 2014."
)
check.that(
    60_000_000 < total < 62_000_000, f"Slide 37 says about 60 million; your config has {total:,}."
)

# %% nbgrader={"grade_id": "hidden-alexnet_config", "grade": true, "locked": true, "points": 2}
# Also: parameters by filter size and of the dense layers, counted a second way.
### BEGIN HIDDEN TESTS
def layers(config, times=1):
    """Each (kind, parameters) of a config: kind is a filter size or "dense"."""
    for word, *rest in config:
        if word == "conv":
            c_in, c_out, f, *bias = rest
            yield f, times * c_out * (f * f * c_in + int(all(bias)))
        elif word == "dense":
            yield "dense", times * rest[1] * (rest[0] + 1)
        elif word == "repeat":
            convs = [layer for layer in rest[1] if layer[0] == "conv"]
            check.that(
                rest[0] < 2 or not convs or convs[0][1] == convs[-1][2],
                "What is repeated must fit behind itself. Side by side is `branches`.",
            )
            yield from layers(rest[1], times * rest[0])
        elif word == "branches":
            for branch in rest:
                yield from layers(branch, times)


def count(*made):
    return sum(parameter.numel() for net in made for parameter in net.parameters())


with torch.device("meta"):
    expected = {
        11: count(nn.Conv2d(3, 96, 11)),
        5: count(nn.Conv2d(96, 256, 5, groups=2)),
        3: count(
            nn.Conv2d(256, 384, 3),
            nn.Conv2d(384, 384, 3, groups=2),
            nn.Conv2d(384, 256, 3, groups=2),
        ),
        "dense": count(nn.Linear(9216, 4096), nn.Linear(4096, 4096), nn.Linear(4096, 1000)),
    }
got = {}
for kind, parameters in layers(alexnet_config()):
    got[kind] = got.get(kind, 0) + parameters
check.equal(sorted(map(str, got)), sorted(map(str, expected)), "the kinds of layers, sorted")
for kind in expected:
    what = "dense layers" if kind == "dense" else f"{kind} x {kind} filters"
    check.equal(got[kind], expected[kind], f"the number of parameters of your {what}")
### END HIDDEN TESTS

# %%
undivided = chain(3, 96, f=11) + chain(96, 256, f=5) + chain(256, 384, 384, 256) + dense
alexnets = {"two cards": alexnet_config(), "one card": undivided, "torchvision": CONFIGS["alexnet"]}
in_dense = count_parameters(dense)
draw.stacked(
    {
        name: {"convolutions": count_parameters(config) - in_dense, "dense": in_dense}
        for name, config in alexnets.items()
    },
    "Three AlexNets",
)

# %% [markdown]
# ## 6. The lecture's claims
#
# What the contest's reports say, beside what you can count:
#
# - 2014, classification, top-5 error: GoogLeNet 6.7 %, VGG 7.3 %. Localisation: VGG 25.3 %,
#   GoogLeNet 26.4 %.
# - 2015: ResNet's entry 3.57 %, six nets voting; one ResNet-152 alone 4.49 %. One well-trained
#   human, on 1,500 of the images: 5.1 %.
# - A net's "layers" are those with weights (norms aside) on the longest way through it. ResNet-152
#   has blocks of three convolutions, 3 + 8 + 36 + 3 of them, after one first convolution.
# - `PAPER` is GoogLeNet's config as published, without its training-time helpers.
#
# ### Exercise `claims` (1 + 3 points)
#
# Judge each claim by its words, and give the number that settles it: pairs `(True, 151)`.
#
# <details><summary>Hint 1: shares and layers</summary>
#
# `count_parameters([layer for layer in CONFIGS["vgg16"] if layer[0] == "dense"])`
#
# </details>
# <details><summary>Hint 2: the last layer</summary>
#
# `config[-1]` is the last layer; a list of it alone, `config[-1:]`, is a config.
#
# </details>
# <details><summary>Hint 3: GoogLeNet's longest way</summary>
#
# Three convolutions, nine modules, one dense layer. How many convolutions follow each other in a
# module at most?
#
# </details>

# %% nbgrader={"grade_id": "claims", "solution": true} needs=["count_parameters", "alexnet_config"]
def claims():
    """Claims of slides 37, 39 and 40: a dictionary of pairs (verdict True or False, number).

    37 "alexnet_60m"     AlexNet has about 60 million parameters    its parameters, original net
    37 "vgg_won"         VGG won 2014's classification, with others its place in classification
    37 "vgg_dense"       VGG16's are mainly in its dense layers     their share in per cent
    37 "vgg_fewer"       two 3 x 3 (64 channels in and out, biases) how many fewer
                         have fewer parameters than one 5 x 5
    39 "google_5m"       GoogLeNet has only 5 million parameters    its parameters, as published
    39 "google_no_dense" GoogLeNet has no dense layer               parameters of its dense layers
    39 "google_22"       GoogLeNet has 22 layers                    layers on the longest way
    40 "resnet_no_dense" ResNet-152 has no dense layer              parameters of its dense layers
    40 "resnet_152"      ResNet-152 has 152 layers                  convolutions on the longest way
    40 "resnet_human"    a ResNet erred less than that human        points ahead, one net alone
    """
    ### BEGIN SOLUTION
    vgg16 = CONFIGS["vgg16"]
    in_dense = count_parameters([layer for layer in vgg16 if layer[0] == "dense"])
    two, one = count_parameters(chain(64, 64, 64)), count_parameters(chain(64, 64, f=5))
    return {
        "alexnet_60m": (True, count_parameters(alexnet_config())),
        "vgg_won": (False, 2),
        "vgg_dense": (True, 100 * in_dense / count_parameters(vgg16)),
        "vgg_fewer": (True, one - two),
        "google_5m": (False, count_parameters(PAPER)),
        "google_no_dense": (False, count_parameters(PAPER[-1:])),
        "google_22": (True, 3 + 9 * 2 + 1),
        "resnet_no_dense": (False, count_parameters(CONFIGS["resnet152"][-1:])),
        "resnet_152": (True, 1 + 3 * (3 + 8 + 36 + 3)),
        "resnet_human": (True, 5.1 - 4.49),
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-claims", "grade": true, "locked": true, "points": 1}
answers = claims()
check.that(isinstance(answers, dict), "claims() should return a dictionary.")
keys = ["alexnet_60m", "vgg_won", "vgg_dense", "vgg_fewer", "google_5m", "google_no_dense"]
keys += ["google_22", "resnet_no_dense", "resnet_152", "resnet_human"]
for key in keys:
    check.that(key in answers, f"claims() does not answer {key!r}.")
    check.equal(len(answers[key]), 2, f"the length of the answer to {key!r}", "(verdict, number)")
    verdict, number = answers[key]
    check.that(
        verdict in (True, False), f"the verdict on {key!r} is {verdict!r}, not True or False."
    )
    check.that(number >= 0, f"the number for {key!r} is below zero.")
check.that(
    1 < answers["vgg_dense"][1] <= 100, "The share of 'vgg_dense' is in per cent, from 0 to 100."
)
check.that(
    answers["google_no_dense"][1] % 1000 == 0 and answers["resnet_no_dense"][1] % 1000 == 0,
    "Their last layers have 1,000 neurons, each with as many weights, and a bias.",
)

# %% nbgrader={"grade_id": "hidden-claims", "grade": true, "locked": true, "points": 3}
# Also: the ten verdicts and the ten numbers.
### BEGIN HIDDEN TESTS
right = {
    "alexnet_60m": (True, 60_965_224),
    "vgg_won": (False, 2),
    "vgg_dense": (True, 100 * 123_642_856 / 138_357_544),
    "vgg_fewer": (True, 102_464 - 73_856),
    "google_5m": (False, 6_998_552),
    "google_no_dense": (False, 1024 * 1000 + 1000),
    "google_22": (True, 22),
    "resnet_no_dense": (False, 2048 * 1000 + 1000),
    "resnet_152": (True, 151),
    "resnet_human": (True, 0.61),
}
answers = claims()
wrong = [key for key, (verdict, _) in right.items() if bool(answers[key][0]) != verdict]
check.that(not wrong, f"Think again about the verdict on {', '.join(wrong)}.")
close = {"vgg_dense": 0.6, "resnet_human": 0.011}
wrong = [
    key
    for key, (_, number) in right.items()
    if abs(float(answers[key][1]) - number) > close.get(key, 0)
]
check.that(not wrong, f"Count again: the number for {', '.join(wrong)}.")
### END HIDDEN TESTS

# %%
found = claims()
draw.stacked(
    {
        "slide 37, AlexNet": {"said": 60e6},
        "counted, AlexNet": {"counted": found["alexnet_60m"][1]},
        "slide 39, GoogLeNet": {"said": 5e6},
        "counted, GoogLeNet": {"counted": found["google_5m"][1]},
    },
    "Parameters, said and counted",
)

# %% [markdown]
# **Kind corrections.** The slides have the history right, and these details loose:
#
# - Slide 37: VGG won 2014's *localisation* and came second in classification. "60 MM" is sound:
#   60,965,224.
# - Slide 39: 6,998,552, not 5 million (the paper says "12 times fewer" than AlexNet's 60), of which
#   1,025,000 in a dense layer. What GoogLeNet dropped are the *large* ones: it averages each map to
#   one number first.
# - Slide 40: ResNet-152 ends in a dense layer of 2,049,000; without it one counts to 151.
# - "Better than human": 3.57 % is six nets. One alone, 4.49 %, is still 0.61 points ahead of *one*
#   person on 1,500 images with 1,000 labels, a hundred of them breeds of dogs. It is a result about
#   a test, not about seeing.
#
# ## 7. Four small nets, one budget
#
# Enough of other people's nets. With your blocks we build three nets of about 40,000 parameters,
# and take slide 29's as the fourth.

# %%
images, labels = data.digits()
order = torch.randperm(5000, generator=torch.Generator().manual_seed(6))
digits = ((torch.tensor(images, dtype=torch.float32)[:, None] / 255 - 0.1313) / 0.3086)[order]
labels = torch.tensor(labels)[order]


torch.manual_seed(0)
torch.set_num_threads(1)  # nets this small lose more by waiting for a second core than they gain

# %%
lenet = nn.Conv2d(1, 10, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(10, 20, 5), nn.ReLU()
lenet += nn.MaxPool2d(2), nn.Flatten(), nn.Linear(320, 100), nn.ReLU(), nn.Linear(100, 10)
vgg_like = vgg_block(1, 16, 1), vgg_block(16, 28, 2), vgg_block(28, 40, 2)
stem = nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
modules = Inception(16, 12, (12, 20), (6, 8), 8), nn.MaxPool2d(2)
modules += Inception(48, 32, (32, 48), (8, 20), 20), nn.MaxPool2d(2)
halving = nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU()
residual = Residual(16, 16), Residual(16, 32, stride=2), Residual(32, 32)
mean = nn.AdaptiveAvgPool2d(1), nn.Flatten()
small_nets = {
    "LeNet": nn.Sequential(*lenet),
    "VGG": nn.Sequential(*vgg_like, nn.Flatten(), nn.Linear(360, 10)),
    "Inception": nn.Sequential(*stem, *modules, nn.Flatten(), nn.Linear(9 * 120, 10)),
    "residual": nn.Sequential(*halving, *residual, *mean, nn.Linear(32, 10)),
}

# %%
for name, net in small_nets.items():
    draw.architecture(net, digits[:1], name, closed=(Inception, Residual))

# %% [markdown]
# Same storage, and work from half a million to three and a half. 2,000 digits, three epochs, one
# recipe; then 2,000 digits that no net has seen.
#
# **Predict first:** rank the four. And how many points will lie between the best and the worst?

# %%
def one_epoch(net, optimizer, schedule):
    """Train `net` once on the first 2,000 digits, in batches of 64; the mean of their losses."""
    losses = []
    for rows in torch.randperm(2000).split(64):
        loss = F.cross_entropy(net.train()(digits[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)

# %%
def fit(name, net, epochs=3):
    """Accuracy of `net` on the last 2,000 digits, in per cent, after training."""
    optimizer = torch.optim.AdamW(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.008, total_steps=epochs * 32)
    train.run(lambda: one_epoch(net, optimizer, schedule), epochs, title=name)
    with torch.no_grad():
        right = net.eval()(digits[3000:]).argmax(1) == labels[3000:]
    return 100 * right.float().mean().item()

# %% jupyter={"source_hidden": true}
ours = {}


def add(name):
    """Train a net and note its price, in million multiplications, and its accuracy."""
    _, work = trace.price(small_nets[name], digits[:1])
    ours[name] = (work / 1e6, fit(name, small_nets[name]))
    print(f"{name} reads over 85 % of the unseen digits: {ours[name][1] > 85}")


add("LeNet")
add("VGG")

# %%
add("Inception")
add("residual")

# %% [markdown]
# ## 8. What is worth its price?
#
# Slide 41 compares nets by accuracy, speed and memory. Which of them should one even consider? Not
# one that another **beats**: at least as cheap *and* at least as accurate, and really better in one
# of the two. What nobody beats is the **Pareto front**.
#
# ### Exercise `pareto` (1 + 2 points)
#
# Return the names on the front, the cheapest first. Two nets with the same cost *and* accuracy
# don't beat each other: both stay, or both go.
#
# <details><summary>Hint 1: one question</summary>
#
# For each name: is there *any* other that beats it?
#
# </details>
# <details><summary>Hint 2: "beats"</summary>
#
# `c <= cost and a >= accuracy and (c, a) != (cost, accuracy)`
#
# </details>
# <details><summary>Hint 3: order</summary>
#
# `sorted(names, key=lambda name: points[name][0])` keeps the order of names that cost the same.
#
# </details>

# %% nbgrader={"grade_id": "pareto", "solution": true}
def pareto(points):
    """Names of the points that no other beats, as a list, the cheapest first.

    points  a dictionary: name -> (cost, accuracy); little cost is good, much accuracy is good

    A point beats another if it costs no more, is no less accurate, and isn't equal to it in both.
    Equal points stay together, in the order of `points`. Slide 41.
    """
    ### BEGIN SOLUTION
    front = [
        name
        for name, (cost, accuracy) in points.items()
        if not any(
            c <= cost and a >= accuracy and (c, a) != (cost, accuracy) for c, a in points.values()
        )
    ]
    return sorted(front, key=lambda name: points[name][0])
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-pareto", "grade": true, "locked": true, "points": 1}
for points, expected, hint in (
    ({"only": (1, 50)}, ["only"], "Nobody beats a net that is alone."),
    ({"dear": (9, 80), "cheap": (1, 60)}, ["cheap", "dear"], "Both stay; the cheapest first."),
    ({"good": (1, 80), "bad": (2, 70)}, ["good"], "'bad' costs more and knows less."),
    (
        {"b": (4, 75), "a": (1, 60), "c": (3, 70), "d": (3.5, 69)}, ["a", "c", "b"],
        "Only 'd' is beaten, by 'c'.",
    ),
    ({"x": (2, 70), "y": (2, 71)}, ["y"], "At the same cost the more accurate one wins."),
    ({"x": (3, 70), "y": (2, 70)}, ["y"], "At the same accuracy the cheaper one wins."),
):
    check.equal(pareto(points), expected, f"pareto({points})", hint)

# %% nbgrader={"grade_id": "hidden-pareto", "grade": true, "locked": true, "points": 2}
# Also: 100 random sets of points with many ties, equal points, no points, the input left alone.
### BEGIN HIDDEN TESTS
import random

import numpy as np

check.equal(pareto({}), [], "pareto({})", "No net, no front.")
rng = random.Random(41)
for _ in range(100):
    top = rng.choice((3, 8, 1000))
    count = rng.randint(2, 12)
    points = {f"n{k}": (rng.randint(1, top), rng.randint(1, top)) for k in range(count)}
    kept = dict(points)
    values = np.array(list(points.values()), dtype=np.float64) * [1, -1]
    no_worse = (values[:, None] <= values[None]).all(2)
    better = (values[:, None] < values[None]).any(2)
    stays = ~(no_worse & better).any(0)
    places = np.argsort(values[:, 0], kind="stable")
    expected = [list(points)[k] for k in places if stays[k]]
    got = pareto(points)
    check.equal(sorted(got), sorted(expected), f"the names in pareto({points}), sorted")
    check.equal(got, expected, f"pareto({points})", "The cheapest first, equal ones as they came.")
    check.that(points == kept, "pareto changed the points that it was given.")
### END HIDDEN TESTS

# %% [markdown]
# Your four nets, and the published ones with the figures that come with torchvision's weights:
# billions of multiplications an image, and the share of ImageNet's 50,000 validation images whose
# first answer is right ("top-1").
#
# **Predict first:** which famous nets does another one beat?

# %% jupyter={"source_hidden": true}
theirs = {}
for name in [*CONFIGS, "vgg19"]:
    about = models.get_model_weights(name).IMAGENET1K_V1.meta
    theirs[name] = (about["_ops"], about["_metrics"]["ImageNet-1K"]["acc@1"])
panels = {"2,000 digits": ours, "ImageNet": theirs}
draw.accuracy_cost(
    panels,
    {title: pareto(points) for title, points in panels.items()},
    {"2,000 digits": "million multiplications", "ImageNet": "billion multiplications"},
    spread={"2,000 digits": 1.0},
    alt="Accuracy against multiplications. Left, four small nets: LeNet costs least, the others "
    "four to seven times as much. Right, published nets: the front climbs from AlexNet by "
    "GoogLeNet, ResNet-34, 50 and 101 to ResNet-152; VGG16, VGG19 and ResNet-18 are off it.",
)

# %% [markdown]
# On ImageNet both VGGs are beaten by a wide margin, with the dearest bills on the chart; ResNet-18
# by a hair, 0.02 points. GoogLeNet and the deeper ResNets are the front: bottlenecks and plus signs
# paid off.
#
# On digits, be modest. The bars are two standard errors of 2,000 digits at 95 %: about one point.
# Another seed may swap neighbours, and then the "front" is another one. And 28 pixels of ink are no
# test for ideas made for depth.

# %% [markdown]
# ## Remember
#
# > - Two small filters see as much as a large one, cost less, and bend twice.
# > - A $1 \times 1$ convolution mixes channels; before a large filter it saves most of the work.
# > - Concatenate **channels**, dimension 1; every branch keeps H and W.
# > - A residual block adds a change: zero it, and ReLU(x) is left. Gradients pass the plus sign.
# > - Parameters live in dense layers, work in large maps. Ask for both.
# > - A claim needs its number, and a number its footnote.
# > - Compare only what nobody beats, and not closer than the error bars.
#
# ## Further, without points
#
# - ★ How many $3 \times 3$ convolutions would give VGG16 without its dense layers 138 million?
# - ★ Put the first norm and ReLU *before* the convolution ("pre-activation"). What is left of a
#   zeroed block now?
# - ★★ Write ResNet-50's bottleneck block and check it against the config.
# - ★★ Add MobileNetV2 and EfficientNet-B0 to the chart. Who is left on the front?
# - ★★★ Train the four nets on five seeds. Which differences survive?
