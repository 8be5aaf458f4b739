# %% [markdown]
# # 06 Architectures and their price
#
# Between 2012 and 2015 the winning error on ImageNet fell from one image in six to one in 28, and
# each famous network brought one idea that fits in ten lines. You will write them, present every
# network with its bill, and hold the lecture's slides against it.
#
# **You will be able to**
#
# - build the blocks of VGG, GoogLeNet, ResNet and MobileNet, and prove each right;
# - say what goes wrong in deep plain networks, and what a plus sign does about it;
# - say what an idea costs, in parameters and in multiplications;
# - count published networks from a description of a few lines;
# - judge a claim by its number;
# - say which of many networks are worth their price.
#
# **Time** about three and a half hours. **Slides** 33 to 41. **Points** 35. **You need** lesson 03's
# counting, lesson 04's training loop, and lesson 05's batch norm.
#
# Shapes are (C, H, W), in batches (N, C, H, W). Two prices: *parameters* are what you store,
# *multiplications* (each comes with an addition: "MAC") are what you wait for.

# %% nbgrader={"grade_id": "setup", "locked": true}
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

from course import check, data, draw, predict, recall, trace, train

# %% [markdown]
# ## Three minutes of retrieval
#
# ### Exercise `retrieval` (1 point)
#
# Five questions on lessons 05, 04 and 02, from memory. Your name draws the numbers.
#
# - `norm` How many numbers does a batch norm of `c` channels learn?
# - `fan_in` What is the fan-in of `k` filters of f x f on `c` channels?
# - `survivor` Dropout with p = 0.5, in training: what becomes of a `v` that survives?
# - `pool` `n` pixels, a max pool of 3 with stride 2: how many are left?
# - `dilated` How many pixels does a kernel of `f` taps span with dilation `d`?

# %% nbgrader={"grade_id": "setup-retrieval", "locked": true}
def questions(name):
    """The numbers of your questions: any name will do, but stay with it."""
    ranges = (16, 96), (8, 64), (3, 7), (2, 19), (20, 60), (2, 4)
    return dict(zip(("c", "k", "f", "v", "n", "d"), recall.numbers(name, *ranges), strict=True))

# %%
print(questions("ada"))  # put in your own name

# %% nbgrader={"grade_id": "retrieval", "solution": true}
def retrieval():
    """The name that drew your numbers, and your replies.

    Returns ("ada", {"norm": ..., "fan_in": ..., "survivor": ..., "pool": ..., "dilated": ...}).
    """
    ### BEGIN SOLUTION
    q = questions("ada")
    return "ada", {
        "norm": 2 * q["c"],
        "fan_in": q["f"] ** 2 * q["c"],
        "survivor": 2 * q["v"],
        "pool": (q["n"] - 3) // 2 + 1,
        "dilated": q["d"] * (q["f"] - 1) + 1,
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-retrieval", "grade": true, "locked": true, "points": 1}
# Each reply counts a fifth.
### BEGIN HIDDEN TESTS
name, replies = retrieval()
q = questions(name)
recall.mark(replies, {
    "norm": (2 * q["c"], "One gamma and one beta per channel; running statistics are not learnt."),
    "fan_in": (q["f"] ** 2 * q["c"], "What one output adds up: f x f taps on each input channel."),
    "survivor": (2 * q["v"], "It is divided by 1 - p, so that the mean stays."),
    "pool": ((q["n"] - 3) // 2 + 1, "Steps that fit, rounded down, and one more."),
    "dilated": (q["d"] * (q["f"] - 1) + 1, "f - 1 steps of d pixels, and the first one."),
})
### END HIDDEN TESTS

# %% [markdown]
# ## 1. AlexNet: the same, but large
#
# AlexNet (2012, slide 37) is LeNet with more layers, ReLU, dropout and augmented images. It won
# ImageNet's contest, **ILSVRC**: 1,000 classes, 1.2 million colour images, scored by the **top-5
# error**, the share of images whose true label is not among a network's five best guesses. That is a
# part of ImageNet, which has over 15 million images in some 20,000 classes; beside it, slide 34's
# other data sets are small: MNIST's 70,000 grey digits, and the 60,000 colour images of CIFAR-10 and
# CIFAR-100, $32 \times 32$ pixels each.
#
# The course draws a network from the network itself: it runs it once on the `meta` device, which
# computes shapes and no numbers, and notes every step. A box says what happens, which shape leaves
# it, and its parameters; "/4" is stride 4.
#
# **Predict first:** five convolutions, three dense layers. Where are the parameters?

# %%
with torch.device("meta"):
    draw.architecture(models.alexnet(), torch.empty(1, 3, 224, 224), "AlexNet (torchvision)")

# %% [markdown]
# Nearly all of them in the orange boxes, and most of the work in the blue ones: lesson 03's rule.
#
# **A correction.** The paper says that its images are $224 \times 224$, yet filters of 11 with
# stride 4 then have $\lfloor 213/4 \rfloor + 1 = 54$ positions, not the paper's 55. It works for
# 227, the coursework's number; torchvision keeps 224 and adds a padding of 2.
#
# ## 2. VGG: small filters, often
#
# VGG (2014, slides 37 and 38) knows one filter size. Its block is $n$ convolutions of
# $3 \times 3$, padding 1, stride 1, each with its ReLU, and then one max pool of
# $2 \times 2$, stride 2:
#
# $$(C_{in}, H, W) \to (C_{out}, H, W) \to \dots \to (C_{out}, \lfloor H/2 \rfloor, \lfloor W/2
# \rfloor)$$
#
# Two in a row see $5 \times 5$ pixels, three see $7 \times 7$ (lesson 03). With 64 channels, two
# cost 73,856 parameters and one $5 \times 5$ costs 102,464; and the two have two nonlinearities.

# %% [markdown]
# ### Exercise `vgg_block` (1 + 2 points)
#
# Return the block as a module. The first convolution takes `c_in` channels to `c_out`, the others
# keep `c_out`. Nothing else is in it: no norm, no dropout.
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
# `nn.Conv2d(..., 3, padding=1)` and `nn.ReLU()`. Why must each turn make a *new* convolution?
#
# </details>
# <details><summary>Hint 3: the channels</summary>
#
# How many does the second convolution read? And does the pool belong into the loop?
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
block = vgg_block(3, 8, 2)
block(torch.ones(1, 3, 4, 4)).sum().backward()
check.that(
    all(parameter.grad is not None for parameter in block.parameters()),
    "No gradient reaches some layers: they would never learn. Does the block leave torch on the way?",
)
check.equal(
    sum(count for _, count in check.parameter_counts(block)), 808,
    "the number of parameters of vgg_block(3, 8, 2)",
    "Two convolutions of their own, with biases: 8 x (3 x 9 + 1) + 8 x (8 x 9 + 1).",
)

# %% nbgrader={"grade_id": "hidden-vgg_block", "grade": true, "locked": true, "points": 2}
# Also: n from 1 to 4, odd sizes, a ReLU after every convolution, the parameters of each layer; in
# training mode, too.
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
        for training in (False, True):
            block = check.filled(vgg_block(c_in, c_out, n), weight, bias, training=training)
            check.close(
                block(x), F.max_pool2d(y, 2),
                f"the output of {name}, all weights {weight}, all biases {bias}, in "
                f"{'training' if training else 'evaluation'} mode,",
                "Is there a ReLU after each convolution, one pool after all of them, and nothing more?",
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
# In training, GoogLeNet had two **auxiliary classifiers** as well: small dense ends half-way, whose
# losses fed the early layers. Afterwards they were removed.
#
# **Predict first:** from (192, 28, 28) to (32, 28, 28) by $5 \times 5$. How many times the work does
# it take without a bottleneck of 16 channels?

# %%
predict.keep("times the work without a bottleneck", None)

# %% jupyter={"source_hidden": true}
pixels = 28 * 28
work = {
    "direct": {"5 × 5": pixels * 192 * 32 * 25},
    "bottleneck": {"1 × 1": pixels * 192 * 16, "5 × 5": pixels * 16 * 32 * 25},
}
draw.stacked(work, "Multiplications from (192, 28, 28) to (32, 28, 28)")
totals = {name: sum(parts.values()) for name, parts in work.items()}
predict.compare("times the work without a bottleneck", totals["direct"] / totals["bottleneck"])

# %% [markdown]
# ### Exercise `Inception` (1 + 3 points)
#
# Write the module. After each of its six convolutions comes a ReLU; all have biases; nothing else
# is in it. The output's channels are, in this order, those of branches 1, 2, 3 and 4.
#
# Block 3a of GoogLeNet is `Inception(192, 64, (96, 128), (16, 32), 32)`: (192, H, W) to
# (256, H, W), with 163,696 parameters.
#
# <details><summary>Hint 1: keeping the size</summary>
#
# Which padding does a filter of 1, of 3, of 5 need? And the pool, with stride 1?
#
# </details>
# <details><summary>Hint 2: a branch</summary>
#
# `nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.ReLU(), ...)`: a list of layers per branch.
#
# </details>
# <details><summary>Hint 3: joining</summary>
#
# `torch.cat([...], dim=...)`. What would dimension 0 count, and why does it even run?
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
module = Inception(2, 1, (2, 1), (2, 1), 1)
module(torch.ones(2, 2, 5, 5)).sum().backward()
check.that(
    all(parameter.grad is not None for parameter in module.parameters()),
    "No gradient reaches some layers: they would never learn. Does forward leave torch on the way?",
)
check.equal(
    sum(c for _, c in check.parameter_counts(Inception(192, 64, (96, 128), (16, 32), 32))), 163_696,
    "the number of parameters of block 3a", "387,296 is what it costs without bottlenecks.",
)

# %% nbgrader={"grade_id": "hidden-Inception", "grade": true, "locked": true, "points": 3}
# Also: each branch by itself, on random images that are not square, also at the border;
# the ReLUs; in training mode, too.
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
        got = check.filled(module, weight, bias, training=shift == 0)(x + shift)
        check.shape(got, (3, c1 + c3[1] + c5[1] + c_pool, 6, 9), f"{name} of (3, {c_in}, 6, 9)")
        first = 0
        for number, branch in enumerate(branches, start=1):
            last = first + branch.shape[1]
            check.close(
                got[:, first:last], branch,
                f"channels {first} to {last - 1} of {name}, weights {weight}, biases {bias}, which "
                f"belong to branch {number},",
                "Does it read the module's input? In this order, each convolution with its ReLU, no dropout?",
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
# Beyond some twenty layers, plain networks got *worse*, and on *training* data, too: not
# overfitting, then, but **degradation**. It is a riddle. A deeper network could copy a shallow one and
# let its other layers pass on what they get; training just does not find that.
#
# ResNet's answer (2015, slide 40) is one plus sign. Say the best map from a block's input to its
# output is $h(x)$. The block learns the difference alone, the **residual mapping** $f(x) = h(x) - x$,
# and a **skip connection** adds $x$:
#
# $$y = \mathrm{ReLU}(f(x) + x), \qquad f = \text{conv, norm, ReLU, conv, norm}$$
#
# Both convolutions are $3 \times 3$ with padding 1 and without bias, since the batch norm behind
# each brings its own (lesson 05). If $f$ is zero, $x$ is passed on: doing nothing has become easy.
#
# Where the block changes the shape, `c_in` to `c_out` channels or a stride (of the *first*
# convolution), $x$ doesn't fit. Then it is *projected*: a $1 \times 1$ convolution with that
# stride, no bias, then a batch norm. Elsewhere the skip costs nothing.

# %% [markdown]
# ### Exercise `Residual` (1 + 3 points)
#
# Write the block: (N, c_in, H, W) to (N, c_out, H', W'), $H' = \lfloor (H-1)/s \rfloor + 1$.
# `Residual(64, 64)` has 73,984 parameters.
#
# **Predict first:** all parameters zero. What does the block make of an image of $-1$? Of 3?
#
# <details><summary>Hint 1: the branch</summary>
#
# `nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)`, `nn.BatchNorm2d(c_out)`, `nn.ReLU()`,
# and then? Which stride has the second convolution?
#
# </details>
# <details><summary>Hint 2: the skip</summary>
#
# `nn.Identity()` if nothing changes; otherwise the projection and its norm, in a `nn.Sequential`.
# *Two* things can change.
#
# </details>
# <details><summary>Hint 3: the end</summary>
#
# One ReLU, after the sum. Why none on the branch before it: what could $f$ then no longer do?
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
            kept = x.clone()
            check.close(
                block(kept), F.relu(y + skip),
                f"the output of {name}, weights {weight}, norms {scale} and {bias}, "
                f"{'training' if training else 'evaluation'} mode,",
                "conv, norm, ReLU, conv, norm; plus the block's own input; then the one ReLU.",
                rtol=2e-3, atol=1e-3,
            )
            check.close(kept, x, f"the input of {name} afterwards", "An inplace ReLU changed it.")

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
# Now the riddle. `Plain` is your branch and a ReLU, *without* the skip. To take one part away and leave
# all else as it is, is called an **ablation**; it shows what that part was for. We train 2 plain blocks, 10
# plain blocks and 10 residual ones on 1,000 digits.
#
# **Predict first:** eight more plain blocks: will the loss on the *training* digits be lower or higher?

# %%
predict.keep("training loss with eight more plain blocks", None, "lower", "higher")


class Plain(nn.Module):
    """The branch of a residual block and a ReLU, with no way around it."""

    def __init__(self, channels, norm=True):
        super().__init__()
        layers = []
        for _ in range(2):
            layers += [nn.Conv2d(channels, channels, 3, padding=1, bias=not norm)]
            layers += [nn.BatchNorm2d(channels), nn.ReLU()] if norm else [nn.ReLU()]
        self.branch = nn.Sequential(*layers)

    def forward(self, x):
        return self.branch(x)

# %%
images, labels = data.digits()
order = torch.randperm(5000, generator=torch.Generator().manual_seed(6))
digits = ((torch.tensor(images, dtype=torch.float32)[:, None] / 255 - 0.1313) / 0.3086)[order]
labels = torch.tensor(labels)[order]
torch.set_num_threads(1)  # networks this small lose more by waiting for a second core than they gain


def one_epoch(network, optimizer, schedule, n=2000, batch_size=64):
    """Train `network` once on the first n digits; the mean of the batches' losses."""
    losses = []
    for rows in torch.randperm(n).split(batch_size):
        loss = F.cross_entropy(network.train()(digits[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)

# %% jupyter={"source_hidden": true}
def accuracy(network, first=3000):
    """The accuracy of `network` on the digits from number `first` on."""
    with torch.no_grad():
        return (network.eval()(digits[first:]).argmax(1) == labels[first:]).float().mean().item()


def stack(blocks):
    """Digits to (8, 7, 7), then the blocks, then logits."""
    stem = nn.Conv2d(1, 8, 5, stride=4, padding=2), nn.ReLU()
    return nn.Sequential(*stem, *blocks, nn.Flatten(), nn.Linear(8 * 49, 10))


def race(name, network):
    """Losses and validation accuracies of four epochs on 1,000 digits."""
    adam = torch.optim.AdamW(network.parameters(), lr=0.003)
    still = torch.optim.lr_scheduler.ConstantLR(adam, 1)
    return train.run(
        lambda: one_epoch(network, adam, still, 1000, 50), 4, lambda: accuracy(network, 4000), name
    )


torch.manual_seed(0)
stacks = {
    "2 plain blocks": [Plain(8) for _ in range(2)],
    "10 plain blocks": [Plain(8) for _ in range(10)],
    "10 residual blocks": [Residual(8, 8) for _ in range(10)],
}
results = {name: race(name, stack(blocks)) for name, blocks in stacks.items()}
end = {name: result["loss"][-1] for name, result in results.items()}
draw.runs(
    results,
    "Training loss and validation accuracy over four epochs of three stacks of blocks. The loss of "
    "2 plain blocks and that of 10 residual blocks fall steeply; 10 plain blocks lag far behind, in "
    "loss and in accuracy.",
)
half = 2 * end["10 residual blocks"] < end["10 plain blocks"]
print("10 residual blocks, loss under half of 10 plain ones:", half)
longer = "higher" if end["10 plain blocks"] > end["2 plain blocks"] else "lower"
predict.compare("training loss with eight more plain blocks", longer)

# %% [markdown]
# That is degradation, in small. Where does it come from? We stack 40 fresh blocks of each kind and measure
# the gradient that arrives in every block.
#
# **Predict first:** draw three lines on paper, from block 1 to block 40: residual, plain, and plain
# without norms.

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
    "Gradient against block, logarithmic. In the residual stack it grows less than a hundredfold from "
    "the last block to the first; in the plain stack it grows a hundred thousandfold and more; "
    "without norms it fades by more than thirty powers of ten.",
)

# %% [markdown]
# Plain stacks multiply by something at every block: the gradient vanishes or it explodes. Through a
# plus sign it has a second way, on which it is multiplied by 1.
#
# ## 5. Nothing in the way
#
# By 1? Look again: behind the sum stands a ReLU, and where the sum is negative it lets nothing back,
# from the branch or from the skip. A year later the same authors moved norm and ReLU to the *front* of
# each convolution, **pre-activation**, and left nothing behind the sum:
#
# $$y = f(x) + x, \qquad f = \text{norm, ReLU, conv, norm, ReLU, conv}$$

# %% [markdown]
# ### Exercise `PreActivation` (1 + 2 points)
#
# Write this block for equal shapes: (N, C, H, W) to the same, $3 \times 3$ convolutions with padding 1,
# no biases.
#
# <details><summary>Hint 1: the order</summary>
#
# The same six layers as in the branch of `Residual`. Which of the norms now reads the block's input?
#
# </details>
# <details><summary>Hint 2: the input</summary>
#
# What is added is $x$ as it came in. Why would a ReLU in place at the front be safe behind a norm, and
# not before it?
#
# </details>

# %% nbgrader={"grade_id": "PreActivation", "solution": true}
class PreActivation(nn.Module):
    """A residual block with pre-activation: x + f(x), and nothing after the sum.

    (N, channels, H, W) to the same shape. He and others 2016.
    f       norm, ReLU, conv 3 x 3, norm, ReLU, conv 3 x 3; padding 1, no biases
    Convolutions are nn.Conv2d, norms nn.BatchNorm2d. The input is left unchanged.
    """

    def __init__(self, channels):
        super().__init__()
        ### BEGIN SOLUTION
        layers = []
        for _ in range(2):
            layers += [nn.BatchNorm2d(channels), nn.ReLU()]
            layers += [nn.Conv2d(channels, channels, 3, padding=1, bias=False)]
        self.branch = nn.Sequential(*layers)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return x + self.branch(x)
        ### END SOLUTION

# %% nbgrader={"grade_id": "test-PreActivation", "grade": true, "locked": true, "points": 1}
ones = torch.ones(1, 2, 3, 3)
for value in (-1.0, 3.0):
    check.close(
        check.filled(PreActivation(2), weight=0.0, scale=0.0)(value * ones), value * ones,
        f"what a block whose parameters are all 0 makes of {value:g} everywhere",
        "f(x) is 0, what is left is x itself, also below zero: nothing stands behind the sum.",
    )
# All weights 1, one channel: nine times nine pixels at the middle, plus the input.
for value, middle, hint in (
    (1.0, 82.0, "81 by the branch, and 1 by the skip."),
    (-1.0, -1.0, "The first ReLU silences the branch, and the skip remains."),
):
    check.close(
        check.filled(PreActivation(1), weight=1.0)(value * torch.ones(1, 1, 7, 7))[0, 0, 3, 3],
        middle, f"the middle pixel that a block of weights 1 makes of {value:g} everywhere", hint,
        rtol=1e-3,
    )
check.equal(
    sum(count for _, count in check.parameter_counts(PreActivation(64))), 73_984,
    "the number of parameters of PreActivation(64)", "As many as Residual(64, 64) has: no biases.",
)

# %% nbgrader={"grade_id": "hidden-PreActivation", "grade": true, "locked": true, "points": 2}
# Also: random images that are not square, both modes, the parameters of each layer, the input left alone; and
# that the gradient passes a stack of 20 zeroed blocks as it is.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(16)


def normed_conv(x, channels, weight, scale, bias, training):
    """Batch norm, ReLU and a convolution with constant weights, in float64."""
    mean, var = (fill((channels,), dtype=torch.float64) for fill in (torch.zeros, torch.ones))
    x = F.relu(F.batch_norm(x, mean, var, var * scale, var * bias, training=training))
    kernel = torch.full((channels, channels, 3, 3), weight, dtype=torch.float64)
    return F.conv2d(x, kernel, padding=1)


for channels in (1, 3, 5):
    name = f"PreActivation({channels})"
    check.equal(
        sorted(count for _, count in check.parameter_counts(PreActivation(channels))),
        sorted(2 * [2 * channels, 9 * channels**2]),
        f"the parameters of the layers of {name}, smallest first", "Biases? Both norms?",
    )
    x = 2 * torch.randn(2, channels, 6, 9, generator=numbers) + 0.5
    for weight, scale, bias in ((0.1, 1.0, 0.0), (-0.1, 0.7, 0.2), (0.1, -0.8, 0.1)):
        for training in (False, True):
            rest = (channels, weight, scale, bias, training)
            y = normed_conv(normed_conv(x.double(), *rest), *rest)
            block = check.filled(PreActivation(channels), weight, bias, scale, training)
            kept = x.clone()
            check.close(
                block(kept), x + y,
                f"the output of {name}, weights {weight}, norms {scale} and {bias}, "
                f"{'training' if training else 'evaluation'} mode,",
                "norm, ReLU, conv, norm, ReLU, conv; plus the block's own input; nothing behind it.",
                rtol=2e-3, atol=1e-3,
            )
            check.close(kept, x, f"the input of {name} afterwards", "Leave it as it is.")
start = torch.randn(1, 4, 5, 5, generator=numbers, requires_grad=True)
y = start
for _ in range(20):
    y = check.filled(PreActivation(4), weight=0.0, scale=0.0)(y)
y.sum().backward()
check.close(
    start.grad, torch.ones(1, 4, 5, 5), "the gradient behind 20 blocks whose parameters are all 0",
    "Is the block's own input added, and is nothing done to the sum?",
)
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** a block whose parameters are all zero, and noise as its input. Through a residual block,
# which share of the gradient comes back, in %?

# %%
predict.keep("% of the gradient that passes a zeroed Residual", None)

# %% jupyter={"source_hidden": true}
noise = torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(1))
arrives = {}
for name, block in (("Residual", Residual(1, 1)), ("PreActivation", PreActivation(1))):
    start = noise.clone().requires_grad_()
    check.filled(block, weight=0.0, scale=0.0)(start).sum().backward()
    arrives[name] = start.grad[0, 0]
draw.pictures(
    {f"{name}, (16, 16)": 0.1 + 0.7 * gradient.numpy() for name, gradient in arrives.items()},
    "Two maps of 16 by 16 pixels, light where the gradient comes back. Behind the residual block "
    "about half of the pixels are dark, in no order; behind the block with pre-activation all are light.",
)
print("all of it passes PreActivation:", bool((arrives["PreActivation"] == 1).all()))
share = 10 * round(10 * arrives["Residual"].mean().item())
predict.compare("% of the gradient that passes a zeroed Residual", share)

# %% [markdown]
# Light is what comes back. In a trained residual network most sums are positive, so less is lost; but only
# pre-activation keeps the way free from the last block to the first, and trained 1,001 layers.
#
# ## 6. A convolution taken apart
#
# A convolution does two things at once: it looks around each pixel, and it mixes channels. A **depthwise
# separable convolution** does one after the other. *Depthwise*: each channel has one $3 \times 3$ filter
# of its own. *Pointwise*: a $1 \times 1$ convolution mixes the channels. From 64 to 128 channels,
# $64 \cdot 9 + 64 \cdot 128 = 8{,}768$ weights do the work of $64 \cdot 9 \cdot 128 = 73{,}728$.
#
# Three blocks of this kind: the first is solved, the second has gaps, the third is yours.
#
# ### A worked example: ResNet-50's bottleneck
#
# With 256 channels, `Residual(256, 256)` costs 1,180,672 parameters. Deep ResNets look around where there
# are few channels:

# %%
class Bottleneck(nn.Module):
    """ResNet-50's block, wide, narrow, wide: (N, wide, H, W) to the same shape."""

    def __init__(self, wide, narrow):
        super().__init__()
        # Subgoal 1: reduce the channels
        layers = [nn.Conv2d(wide, narrow, 1, bias=False), nn.BatchNorm2d(narrow), nn.ReLU()]
        # Subgoal 2: look around each pixel
        layers += [nn.Conv2d(narrow, narrow, 3, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(narrow), nn.ReLU()]
        # Subgoal 3: restore the channels, so that the sum fits; its ReLU comes after the sum
        layers += [nn.Conv2d(narrow, wide, 1, bias=False), nn.BatchNorm2d(wide)]
        self.branch = nn.Sequential(*layers)

    def forward(self, x):
        # Subgoal 4: add what came in
        return F.relu(self.branch(x) + x)


print(f"{sum(p.numel() for p in Bottleneck(256, 64).parameters()):,} parameters")

# %% [markdown]
# ### Exercise `DepthwiseSeparable` (1 point)
#
# The block of the first MobileNet, with gaps under its subgoals.
#
# <details><summary>Hint: each channel by itself</summary>
#
# `groups=` of `nn.Conv2d` cuts the channels into that many groups, each with its own filters. How many
# groups leave one channel in each, and how many channels come out then?
#
# </details>

# %% nbgrader={"grade_id": "DepthwiseSeparable", "solution": true}
class DepthwiseSeparable(nn.Module):
    """A depthwise separable convolution: (N, c_in, H, W) to (N, c_out, H', W').

    H' = floor((H - 1) / stride) + 1, W' likewise. Each of the two convolutions has no bias, and is
    followed by a norm and a ReLU. Convolutions are nn.Conv2d, norms nn.BatchNorm2d. Howard and others 2017.
    """

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        layers = []
        # Subgoal 1: look around each pixel, in each channel by itself: 3 x 3, padding 1, the stride
        ### BEGIN SOLUTION
        layers += [nn.Conv2d(c_in, c_in, 3, stride, padding=1, groups=c_in, bias=False)]
        layers += [nn.BatchNorm2d(c_in), nn.ReLU()]
        ### END SOLUTION
        # Subgoal 2: mix the channels at each pixel
        ### BEGIN SOLUTION
        layers += [nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU()]
        ### END SOLUTION
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)

# %% nbgrader={"grade_id": "test-DepthwiseSeparable", "grade": true, "locked": true, "points": 1}
numbers = torch.Generator().manual_seed(17)
check.equal(
    sorted(count for _, count in check.parameter_counts(DepthwiseSeparable(64, 128))),
    [128, 256, 576, 8192], "the parameters of the layers of DepthwiseSeparable(64, 128), smallest first",
    "64 filters of 3 x 3 x 1, 128 of 1 x 1 x 64, and a norm after each: is `groups` set?",
)
for c_in, c_out, stride in ((3, 5, 1), (4, 2, 2), (2, 6, 3)):
    x = torch.randn(2, c_in, 7, 10, generator=numbers)
    for weight, training in ((0.2, False), (-0.1, False), (0.2, True)):
        taps = torch.full((c_in, 1, 3, 3), weight)
        mixing = torch.full((c_out, c_in, 1, 1), weight)
        y = F.conv2d(x, taps, stride=stride, padding=1, groups=c_in)
        y = F.relu(F.batch_norm(y, torch.zeros(c_in), torch.ones(c_in), training=training))
        y = F.conv2d(y, mixing)
        y = F.relu(F.batch_norm(y, torch.zeros(c_out), torch.ones(c_out), training=training))
        block = check.filled(DepthwiseSeparable(c_in, c_out, stride), weight, training=training)
        check.close(
            block(x), y, f"the output of DepthwiseSeparable({c_in}, {c_out}, {stride}), weights {weight},",
            "Depthwise with the stride, norm, ReLU; pointwise, norm, ReLU; nothing more.", 1e-3, 1e-3,
        )

# %% [markdown]
# ### Exercise `InvertedResidual` (1 + 3 points)
#
# A depthwise filter is so cheap that one can afford it where channels are *many*. MobileNetV2 turns the
# bottleneck inside out: narrow, wide, narrow, with the skip between the narrow ends. EfficientNet, which you
# meet in lessons 07 and 08, is made of such **inverted residuals**. In each:
#
# 1. *expand*: $1 \times 1$ to `expand` times as many channels, norm, ReLU6; left out where `expand` is 1;
# 2. *filter*: depthwise $3 \times 3$ with the stride, norm, ReLU6;
# 3. *project*: $1 \times 1$ to `c_out` channels, norm, and *no* nonlinearity: few channels have
#    nothing to spare.
#
# The input is added where the shape is kept; elsewhere there is no skip at all. (ReLU6 is a ReLU that also
# cuts at 6: small telephones compute with few digits.)
#
# **Predict first:** all weights 1, one channel, `expand=2`, an image of 1. What is the middle pixel?
#
# <details><summary>Hint 1: the wide part</summary>
#
# `hidden = expand * c_in` channels: which two of the three convolutions read them? And `groups`?
#
# </details>
# <details><summary>Hint 2: when to add</summary>
#
# Two conditions. What would a projection, as in `Residual`, cost where they fail?
#
# </details>

# %% nbgrader={"grade_id": "InvertedResidual", "solution": true}
class InvertedResidual(nn.Module):
    """MobileNetV2's block: (N, c_in, H, W) to (N, c_out, H', W').

    H' = floor((H - 1) / stride) + 1, W' likewise. Sandler and others 2018.
    expand    conv 1 x 1 to expand * c_in channels, norm, ReLU6; none of them where expand == 1
    filter    depthwise conv 3 x 3 with the stride, padding 1, norm, ReLU6
    project   conv 1 x 1 to c_out channels, norm
    The input is added where c_in == c_out and stride == 1, else nothing is; nothing after the sum.
    Convolutions are nn.Conv2d without biases, norms nn.BatchNorm2d. The input is left unchanged.
    """

    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        ### BEGIN SOLUTION
        hidden, layers = expand * c_in, []
        if expand != 1:
            layers = [nn.Conv2d(c_in, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6()]
        layers += [nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False)]
        layers += [nn.BatchNorm2d(hidden), nn.ReLU6()]
        layers += [nn.Conv2d(hidden, c_out, 1, bias=False), nn.BatchNorm2d(c_out)]
        self.branch = nn.Sequential(*layers)
        self.adds = c_in == c_out and stride == 1
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return x + self.branch(x) if self.adds else self.branch(x)
        ### END SOLUTION

# %% nbgrader={"grade_id": "test-InvertedResidual", "grade": true, "locked": true, "points": 1}
check.shape(
    InvertedResidual(2, 5, 3, stride=2)(torch.zeros(2, 2, 9, 6)), (2, 5, 5, 3),
    "InvertedResidual(2, 5, 3, stride=2) of (2, 2, 9, 6)", "Which of the convolutions has the stride?",
)
ones = torch.ones(1, 2, 3, 3)
for c_out, expected, hint in (
    (2, -ones, "The branch is 0, what is left is x itself, also below zero."),
    (3, torch.zeros(1, 3, 3, 3), "The shape changes: no skip, not even a projected one."),
):
    check.close(
        check.filled(InvertedResidual(2, c_out, 4), weight=0.0, scale=0.0)(-ones), expected,
        f"what InvertedResidual(2, {c_out}, 4) with all parameters 0 makes of -1 everywhere", hint,
    )
# All weights 1, one channel, twice as many inside: at the middle 1, then 9 cut to 6, then 6 + 6.
for value, middle, hint in (
    (1.0, 13.0, "19 if the ReLUs do not cut at 6; 12 if the input is not added."),
    (-1.0, -1.0, "0 if a ReLU stands behind the projection or behind the sum."),
):
    block = check.filled(InvertedResidual(1, 1, 2), weight=1.0)
    check.close(
        block(value * torch.ones(1, 1, 7, 7))[0, 0, 3, 3], middle,
        f"the middle pixel that InvertedResidual(1, 1, 2), weights 1, makes of {value:g}", hint,
        rtol=1e-3,
    )
for arguments, total in (((24, 24, 6), 8832), ((32, 16, 1), 896)):
    check.equal(
        sum(count for _, count in check.parameter_counts(InvertedResidual(*arguments))), total,
        f"the number of parameters of InvertedResidual{arguments}",
        "No biases, one 3 x 3 filter per channel, and with expand = 1 no first convolution.",
    )

# %% nbgrader={"grade_id": "hidden-InvertedResidual", "grade": true, "locked": true, "points": 3}
# Also: random images, odd sizes, strides, both modes, the parameters of each layer, expand = 1, the input
# left alone, and gradients that reach each parameter.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(18)


def conv(x, c_out, f, stride, groups, weight, scale, bias, training):
    """Convolution with constant weights, and batch norm, in float64."""
    kernel = torch.full((c_out, x.shape[1] // groups, f, f), weight, dtype=torch.float64)
    x = F.conv2d(x, kernel, stride=stride, padding=f // 2, groups=groups)
    mean, var = (fill((c_out,), dtype=torch.float64) for fill in (torch.zeros, torch.ones))
    return F.batch_norm(x, mean, var, var * scale, var * bias, training=training)


for c_in, c_out, expand, stride in (
    (3, 3, 2, 1), (2, 5, 3, 1), (4, 4, 2, 2), (3, 2, 6, 3), (4, 4, 1, 1), (3, 6, 1, 2),
):
    name, hidden = f"InvertedResidual({c_in}, {c_out}, {expand}, {stride})", expand * c_in
    counts = [9 * hidden, 2 * hidden, hidden * c_out, 2 * c_out]
    counts += [c_in * hidden, 2 * hidden] if expand > 1 else []
    module = InvertedResidual(c_in, c_out, expand, stride=stride)
    check.equal(
        sorted(count for _, count in check.parameter_counts(module)), sorted(counts),
        f"the parameters of the layers of {name}, smallest first", "Biases? All norms? Groups?",
    )
    x = 2 * torch.randn(2, c_in, 7, 10, generator=numbers)
    for weight, scale, bias in ((-0.2, 0.7, 0.2), (0.3, -0.8, 0.1), (0.5, 4.0, 1.0)):
        for training in (False, True):
            rest = (weight, scale, bias, training)
            y = x.double()
            if expand > 1:
                y = conv(y, hidden, 1, 1, 1, *rest).clamp(0, 6)
            y = conv(y, hidden, 3, stride, hidden, *rest).clamp(0, 6)
            y = conv(y, c_out, 1, 1, 1, *rest)
            y = y + x if c_in == c_out and stride == 1 else y
            block = check.filled(
                InvertedResidual(c_in, c_out, expand, stride=stride), weight, bias, scale, training
            )
            kept = x.clone()
            check.close(
                block(kept), y,
                f"the output of {name}, weights {weight}, norms {scale} and {bias}, "
                f"{'training' if training else 'evaluation'} mode,",
                "expand, filter, project, each with its norm; ReLU6 after the first two alone; the input "
                "added where the shape is kept.",
                rtol=2e-3, atol=2e-3,
            )
            check.close(kept, x, f"the input of {name} afterwards", "Leave it as it is.")
    module(x).square().sum().backward()
    for parameter_name, parameter in module.named_parameters():
        check.that(
            parameter.grad is not None,
            f"No gradient reaches {parameter_name} of {name}: it would never learn.",
        )
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** from 64 to 64 channels, which of your blocks does most work, and which least?

# %% jupyter={"source_hidden": true}
kinds = {
    "Residual(64, 64)": Residual(64, 64),
    "Bottleneck(64, 16)": Bottleneck(64, 16),
    "DepthwiseSeparable(64, 64)": DepthwiseSeparable(64, 64),
    "InvertedResidual(64, 64, 6)": InvertedResidual(64, 64, 6),
}
maps = torch.zeros(1, 64, 28, 28)
draw.stacked(
    {name: {"multiplications": trace.price(block, maps)[1]} for name, block in kinds.items()},
    "Multiplications from (64, 28, 28) to (64, 28, 28)",
)

# %% [markdown]
# Six times as wide inside, and still cheaper than two ordinary convolutions. The price was paid before: in
# mixing, no longer in looking around.
#
# ## 7. The bill
#
# Slides give totals; you shall check them. So we need a language for networks. A *config* is a list
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
# Two of them hold configs themselves. So GoogLeNet fits in a screen, and ResNet-152 in a few lines.

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
DENSE = [("dense", 9216, 4096), ("dense", 4096, 4096), ("dense", 4096, 1000)]
CONFIGS = {
    "alexnet": chain(3, 64, f=11) + chain(64, 192, f=5) + chain(192, 384, 256, 256) + DENSE,
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
# Four or five entries? What does `rest[3:]` hold in either case?
#
# </details>
# <details><summary>Hint 3: configs in configs</summary>
#
# Which function do you already have that counts a config? Why does it end?
#
# </details>

# %% nbgrader={"grade_id": "count_parameters", "solution": true}
def count_parameters(config):
    """Number of trainable parameters of a network described by `config`, a list of layers.

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
    ([("norm", 16)], 32, "One gamma and one beta per channel; running statistics aren't trained."),
    ([("dense", 100, 10)], 1010, "100 weights and a bias, ten times."),
    ([("repeat", 3, [("norm", 4), ("dense", 2, 1)])], 33, "Three times 8 + 3."),
    ([("branches", [("norm", 4)], [], [("norm", 1)])], 10, "All branches count, also the third."),
):
    check.equal(count_parameters(config), expected, f"count_parameters({config})", hint)

# %% nbgrader={"grade_id": "hidden-count_parameters", "grade": true, "locked": true, "points": 3}
# Also: the eight CONFIGS against torchvision's networks, 30 random configs, some four deep, against
# torch, the config left alone, and words that are not in the table.
### BEGIN HIDDEN TESTS
import copy
import random

for name, config in CONFIGS.items():
    other = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    with torch.device("meta"):
        network = getattr(models, name)(**other)
    expected = sum(parameter.numel() for parameter in network.parameters())
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
            layer, module = {
                "conv": (("conv", a, b, f, *bias), nn.Conv2d(a, b, f, bias=all(bias))),
                "norm": (("norm", a), nn.BatchNorm2d(a)),
                "dense": (("dense", a, b), nn.Linear(a, b)),
                "pool": (("pool", f, b), nn.MaxPool2d(f, b)),
                "relu": (("relu",), nn.ReLU()),
            }[word]
            config.append(layer)
            expected += sum(parameter.numel() for parameter in module.parameters())
    return config, expected


for _ in range(30):
    with torch.device("meta"):
        config, expected = some(4)
    kept = copy.deepcopy(config)
    check.equal(count_parameters(config), expected, f"count_parameters({kept})")
    check.that(config == kept, "count_parameters changed the config that came in.")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** of AlexNet, VGG16, GoogLeNet and ResNet-152, which has most parameters?

# %%
chosen = ("alexnet", "vgg16", "googlenet", "resnet18", "resnet50", "resnet152")
predict.keep("most parameters", None, *chosen)

# %%
totals = {name: count_parameters(CONFIGS[name]) for name in chosen}
draw.stacked(
    {name: {"parameters": total} for name, total in totals.items()},
    "Parameters, counted from their configs",
)
predict.compare("most parameters", max(totals, key=totals.get))

# %% [markdown]
# ### Exercise `own_code` (1 point)
#
# Three questions about *your* code, with pencil and paper. How many channels, at most, does a layer of your
# `InvertedResidual(32, 48, 6)` put out? By how many parameters is your `Residual(64, 64)` larger than
# your `Residual(32, 64)`? And an image of (3, 19, 21) goes through your `vgg_block(3, 8, 2)`, then through
# your `Residual(8, 16, stride=2)`: which shape (C, H, W) comes out?
#
# <details><summary>Hint: what differs</summary>
#
# Which of the layers of the two residual blocks read the 32 channels? And which layer has only one of them?
#
# </details>

# %% nbgrader={"grade_id": "own_code", "solution": true} needs=["vgg_block", "Residual", "InvertedResidual"]
def own_code():
    """Answers about your code: {"widest": a number, "larger": a number, "shape": three numbers}."""
    ### BEGIN SOLUTION
    weights = InvertedResidual(32, 48, 6).parameters()
    sizes = [sum(p.numel() for p in Residual(c, 64).parameters()) for c in (64, 32)]
    maps = vgg_block(3, 8, 2)(torch.zeros(1, 3, 19, 21))
    return {
        "widest": max(len(weight) for weight in weights),
        "larger": sizes[0] - sizes[1],
        "shape": tuple(Residual(8, 16, stride=2)(maps).shape[1:]),
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-own_code", "grade": true, "locked": true, "points": 1}
# Compared with what your own blocks do.
### BEGIN HIDDEN TESTS
replies = own_code()
check.equal(sorted(replies), ["larger", "shape", "widest"], "the keys of own_code(), sorted")
widest = max(len(value) for value in check.state(InvertedResidual(32, 48, 6)).values() if value.ndim)
larger, smaller = (
    sum(count for _, count in check.parameter_counts(Residual(c, 64))) for c in (64, 32)
)
maps = Residual(8, 16, stride=2)(vgg_block(3, 8, 2)(torch.zeros(1, 3, 19, 21)))
expected = {"widest": widest, "larger": larger - smaller, "shape": tuple(maps.shape[1:])}
wrong = [
    key for key, value in expected.items()
    if (tuple(replies[key]) if key == "shape" else replies[key]) != value
]
check.that(not wrong, f"Your own code gives something else for {', '.join(wrong)}.")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise `alexnet_config` (1 + 2 points)
#
# Now write a config yourself: the *original* AlexNet. It ran on two graphics cards of 3 GB, each
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
# everywhere. Layers stand in order, and each fits behind the one before. You may leave out pools.
#
# <details><summary>Hint 1: halves</summary>
#
# Two halves side by side: `("branches", [one], [other])`. Why not `repeat`?
#
# </details>
# <details><summary>Hint 2: which layers</summary>
#
# Where the product in the table's last column says 2 ×, a filter reads half of what is there.
#
# </details>

# %% nbgrader={"grade_id": "alexnet_config", "solution": true}
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
# When graded, a function of the grader stands for your count_parameters.
references = {}
### BEGIN HIDDEN TESTS
def bill(config):
    total = 0
    for word, *rest in config:
        if word == "conv":
            total += rest[1] * (rest[2] ** 2 * rest[0] + all(rest[3:]))
        elif word == "dense":
            total += rest[1] * (rest[0] + 1)
        elif word in ("repeat", "branches"):
            times, inner = (rest[0], rest[1:]) if word == "repeat" else (1, rest)
            total += times * sum(bill(part) for part in inner)
    return total


references = {"count_parameters": bill}
### END HIDDEN TESTS
count = references.get("count_parameters") or count_parameters
with check.using(**references):
    total = count(alexnet_config())
check.that(
    total != 62_378_344, "62,378,344 is one network without halves: conv2's filters read 48 channels."
)
check.that(
    total != count(CONFIGS["alexnet"]), "This is torchvision's narrower network, of 2014."
)
check.that(
    60_000_000 < total < 62_000_000, f"Slide 37 says about 60 million; your config has {total:,}."
)

# %% nbgrader={"grade_id": "hidden-alexnet_config", "grade": true, "locked": true, "points": 2}
# Also: that each layer fits behind the one before; parameters by filter size and of the dense layers, counted
# a second way.
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
            yield from layers(rest[1], times * rest[0])
        elif word == "branches":
            for branch in rest:
                yield from layers(branch, times)


def width(config, *channels):
    """The channels that leave a config which one of `channels` enters; an assertion if none fits."""
    for word, *rest in config:
        if word == "conv" or word == "dense":
            check.that(
                rest[0] in channels,
                f"{(word, *rest)} reads {rest[0]}, but what comes before it puts out {channels[0]}: is "
                "what stands side by side in `branches`, and all else in order?",
            )
            channels = (rest[1],)
        elif word == "repeat":
            for _ in range(rest[0]):
                channels = (width(rest[1], *channels),)
        elif word == "branches":
            parts = [width(branch, *channels, channels[0] // len(rest)) for branch in rest]
            channels = (sum(parts), 36 * sum(parts))
        if word == "conv":
            channels = (channels[0], 36 * channels[0])
    return channels[0]


def count(*modules):
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


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
config, got = alexnet_config(), {}
for kind, parameters in layers(config):
    got[kind] = got.get(kind, 0) + parameters
check.equal(sorted(map(str, got)), sorted(map(str, expected)), "the kinds of layers, sorted")
for kind in expected:
    what = "dense layers" if kind == "dense" else f"{kind} x {kind} filters"
    check.equal(got[kind], expected[kind], f"the number of parameters of your {what}")
check.equal(width(config, 3), 1000, "the outputs of your last layer")
### END HIDDEN TESTS

# %%
undivided = chain(3, 96, f=11) + chain(96, 256, f=5) + chain(256, 384, 384, 256) + DENSE
alexnets = {"two cards": alexnet_config(), "one card": undivided, "torchvision": CONFIGS["alexnet"]}
in_dense = count_parameters(DENSE)
draw.stacked(
    {
        name: {"convolutions": count_parameters(config) - in_dense, "dense": in_dense}
        for name, config in alexnets.items()
    },
    "Three AlexNets",
)

# %% [markdown]
# ## 8. The lecture's claims
#
# What can be counted need not be believed. "Heard" are claims from the corridor, no slide's.
#
# - A network's "layers" are those with weights (norms aside) on the longest way through it. ResNet-152
#   has blocks of three convolutions, 3 + 8 + 36 + 3 of them, after one first convolution.
# - `PAPER` is GoogLeNet's config as published, without its auxiliary classifiers.
# - `work_of("vgg16")` gives the multiplications for one image of $224 \times 224$.

# %% nbgrader={"grade_id": "setup-work", "locked": true}
def work_of(name):
    """Multiplications of torchvision's network `name`, such as "vgg16", for one image of 224 x 224."""
    with torch.device("meta"):
        return trace.price(getattr(models, name)(), torch.empty(1, 3, 224, 224))[1]

# %% [markdown]
# ### Exercise `claims` (1 + 3 points)
#
# Judge each claim by its words, and give the number that settles it: pairs `(True, 151)`. None of the
# numbers stands on this page.
#
# <details><summary>Hint 1: shares</summary>
#
# `[layer for layer in CONFIGS["vgg16"] if layer[0] == "dense"]` is a config, too. A dense layer multiplies
# once per weight.
#
# </details>
# <details><summary>Hint 2: the last layer</summary>
#
# `config[-1]` is a layer, `config[-1:]` a config of it alone. Which of the two can be counted?
#
# </details>
# <details><summary>Hint 3: true or false?</summary>
#
# A number that rounds to the claim settles it. Would you round 7 million to 5?
#
# </details>

# %% nbgrader={"grade_id": "claims", "solution": true} needs=["count_parameters", "alexnet_config"]
def claims():
    """Claims about famous networks: a dictionary of pairs (verdict True or False, number).

    37 "alexnet_60m"     AlexNet has about 60 million parameters    its parameters, original network
    37 "vgg_dense"       VGG16's are mainly in its dense layers     their share in %
    heard "vgg_work"     so is VGG16's work (multiplications)       the dense layers' share in %
    37 "vgg_fewer"       three 3 x 3 (512 channels in and out,      how many fewer
                         biases) have fewer parameters than one 7 x 7
    39 "google_5m"       GoogLeNet has only 5 million parameters    its parameters, as published
    paper "google_12"    that is 12 times fewer than AlexNet's      AlexNet's over its own
    39 "google_no_dense" GoogLeNet has no dense layer               parameters of its dense layers
    40 "resnet_no_dense" ResNet-152 has no dense layer              parameters of its dense layers
    40 "resnet_152"      ResNet-152 has 152 layers                  convolutions on the longest way
    heard "resnet_heavy" ResNet-152 does more work than VGG16       its work in % of VGG16's
    """
    ### BEGIN SOLUTION
    vgg16 = CONFIGS["vgg16"]
    dense = [layer for layer in vgg16 if layer[0] == "dense"]
    products = sum(n_in * n_out for _, n_in, n_out in dense)
    three, one = count_parameters(3 * chain(512, 512)), count_parameters(chain(512, 512, f=7))
    alexnet, google = count_parameters(alexnet_config()), count_parameters(PAPER)
    return {
        "alexnet_60m": (True, alexnet),
        "vgg_dense": (True, 100 * count_parameters(dense) / count_parameters(vgg16)),
        "vgg_work": (False, 100 * products / work_of("vgg16")),
        "vgg_fewer": (True, one - three),
        "google_5m": (False, google),
        "google_12": (False, alexnet / google),
        "google_no_dense": (False, count_parameters(PAPER[-1:])),
        "resnet_no_dense": (False, count_parameters(CONFIGS["resnet152"][-1:])),
        "resnet_152": (True, 1 + 3 * (3 + 8 + 36 + 3)),
        "resnet_heavy": (False, 100 * work_of("resnet152") / work_of("vgg16")),
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-claims", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def bill(config):
    total = 0
    for word, *rest in config:
        if word == "conv":
            total += rest[1] * (rest[2] ** 2 * rest[0] + all(rest[3:]))
        elif word == "norm":
            total += 2 * rest[0]
        elif word == "dense":
            total += rest[1] * (rest[0] + 1)
        elif word in ("repeat", "branches"):
            times, inner = (rest[0], rest[1:]) if word == "repeat" else (1, rest)
            total += times * sum(bill(part) for part in inner)
    return total


def two_cards():
    pairs = ((48, 128, 5), (192, 192, 3), (192, 128, 3))
    halves = [("branches", *2 * [chain(a, b, f=f)]) for a, b, f in pairs]
    return [*chain(3, 96, f=11), halves[0], *chain(256, 384), *halves[1:], *DENSE]


references = {"count_parameters": bill, "alexnet_config": two_cards}
### END HIDDEN TESTS
with check.using(**references):
    answers = claims()
check.that(isinstance(answers, dict), "claims() should return a dictionary.")
keys = ["alexnet_60m", "vgg_dense", "vgg_work", "vgg_fewer", "google_5m", "google_12"]
keys += ["google_no_dense", "resnet_no_dense", "resnet_152", "resnet_heavy"]
for key in keys:
    check.that(key in answers, f"claims() does not answer {key!r}.")
    check.equal(len(answers[key]), 2, f"the length of the answer to {key!r}", "(verdict, number)")
    verdict, number = answers[key]
    check.that(
        verdict in (True, False), f"the verdict on {key!r} is {verdict!r}, not True or False."
    )
    check.that(number >= 0, f"the number for {key!r} is below zero.")
check.that(1 < answers["vgg_dense"][1] <= 100, "The share of 'vgg_dense' is in %, from 0 to 100.")
check.that(answers["resnet_heavy"][1] > 5, "The work of 'resnet_heavy' is in % of VGG16's.")
check.that(
    answers["google_no_dense"][1] % 1000 == 0 and answers["resnet_no_dense"][1] % 1000 == 0,
    "Their last layers have 1,000 neurons, each with as many weights, and a bias.",
)

# %% nbgrader={"grade_id": "hidden-claims", "grade": true, "locked": true, "points": 3}
# Also: the ten verdicts and the ten numbers.
### BEGIN HIDDEN TESTS
def bill(config):
    total = 0
    for word, *rest in config:
        if word == "conv":
            total += rest[1] * (rest[2] ** 2 * rest[0] + all(rest[3:]))
        elif word == "norm":
            total += 2 * rest[0]
        elif word == "dense":
            total += rest[1] * (rest[0] + 1)
        elif word in ("repeat", "branches"):
            times, inner = (rest[0], rest[1:]) if word == "repeat" else (1, rest)
            total += times * sum(bill(part) for part in inner)
    return total


def two_cards():
    pairs = ((48, 128, 5), (192, 192, 3), (192, 128, 3))
    halves = [("branches", *2 * [chain(a, b, f=f)]) for a, b, f in pairs]
    return [*chain(3, 96, f=11), halves[0], *chain(256, 384), *halves[1:], *DENSE]


right = {
    "alexnet_60m": (True, 60_965_224),
    "vgg_dense": (True, 100 * 123_642_856 / 138_357_544),
    "vgg_work": (False, 100 * 123_633_664 / 15_470_264_320),
    "vgg_fewer": (True, 512 * (49 * 512 + 1) - 3 * 512 * (9 * 512 + 1)),
    "google_5m": (False, 6_998_552),
    "google_12": (False, 60_965_224 / 6_998_552),
    "google_no_dense": (False, 1024 * 1000 + 1000),
    "resnet_no_dense": (False, 2048 * 1000 + 1000),
    "resnet_152": (True, 151),
    "resnet_heavy": (False, 100 * 11_513_626_624 / 15_470_264_320),
}
with check.using(count_parameters=bill, alexnet_config=two_cards):
    answers = claims()
wrong = [key for key, (verdict, _) in right.items() if bool(answers[key][0]) != verdict]
check.that(not wrong, f"Think again about the verdict on {', '.join(wrong)}.")
close = {"vgg_dense": 0.6, "vgg_work": 0.06, "google_12": 0.3, "resnet_heavy": 0.6}
wrong = [
    key
    for key, (_, number) in right.items()
    if abs(float(answers[key][1]) - number) > close.get(key, 0)
]
check.that(not wrong, f"Count again: the number for {', '.join(wrong)}.")
### END HIDDEN TESTS

# %%
counted = claims()
draw.stacked(
    {
        "slide 37, AlexNet": {"claimed": 60e6},
        "counted, AlexNet": {"counted": counted["alexnet_60m"][1]},
        "slide 39, GoogLeNet": {"claimed": 5e6},
        "counted, GoogLeNet": {"counted": counted["google_5m"][1]},
    },
    "Parameters, claimed and counted",
)

# %% [markdown]
# **Corrections.** The slides have the history right, and these details loose:
#
# - Slide 37: VGG won 2014's *localisation* (top-5 error 25.3 %, GoogLeNet 26.4 %) and came second in
#   classification (7.3 %, GoogLeNet 6.7 %).
# - Slide 39: what GoogLeNet dropped are the *large* dense layers, since it averages each map to one number
#   first. One is left.
# - Slide 40: "152" counts that last layer, too.
# - "Better than human": 3.57 % is six networks voting. One alone, 4.49 %, is still ahead of *one* person
#   on 1,500 images with 1,000 labels (5.1 %), a hundred of them breeds of dogs. It is a result about
#   a test, not about seeing.
#
# ## 9. Five small networks, one budget
#
# Enough of other people's. With your blocks we build four networks of about 40,000 parameters, and take
# slide 29's as the fifth.

# %%
torch.manual_seed(0)
lenet = nn.Conv2d(1, 10, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(10, 20, 5), nn.ReLU()
lenet += nn.MaxPool2d(2), nn.Flatten(), nn.Linear(320, 100), nn.ReLU(), nn.Linear(100, 10)
vgg_like = vgg_block(1, 16, 1), vgg_block(16, 28, 2), vgg_block(28, 40, 2)
stem = nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
modules = Inception(16, 12, (12, 20), (6, 8), 8), nn.MaxPool2d(2)
modules += Inception(48, 32, (32, 48), (8, 20), 20), nn.MaxPool2d(2)
halving = nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU()
residual = Residual(16, 16), Residual(16, 32, stride=2), Residual(32, 32)
inverted = InvertedResidual(16, 24, 4, stride=2), InvertedResidual(24, 32, 6)
inverted += InvertedResidual(32, 32, 6), InvertedResidual(32, 32, 4)

# %%
def pooled(*layers):
    """The layers between a first convolution that halves the sides, and a mean over each map."""
    mean = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)
    return nn.Sequential(nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU(), *layers, *mean)


small_networks = {
    "LeNet": nn.Sequential(*lenet),
    "VGG": nn.Sequential(*vgg_like, nn.Flatten(), nn.Linear(360, 10)),
    "Inception": nn.Sequential(*stem, *modules, nn.Flatten(), nn.Linear(9 * 120, 10)),
    "residual": pooled(*residual),
    "inverted": pooled(*inverted),
}
for name, network in small_networks.items():
    draw.architecture(network, digits[:1], name, closed=(Inception, Residual, InvertedResidual))

# %% [markdown]
# Same storage, and work from half a million to three and a half. 2,000 digits, three epochs, one training
# configuration; then 2,000 digits for validation.
#
# **Predict first:** rank the five. And how many points will lie between the best and the worst?

# %% jupyter={"source_hidden": true}
def fit(name, network, epochs=3):
    """Validation accuracy of `network` on the last 2,000 digits, in %, after training."""
    optimizer = torch.optim.AdamW(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.008, total_steps=epochs * 32)
    train.run(lambda: one_epoch(network, optimizer, schedule), epochs, title=name)
    return 100 * accuracy(network)


ours = {}
for name in ("LeNet", "VGG", "Inception"):
    network = small_networks[name]
    ours[name] = (trace.price(network, digits[:1])[1] / 1e6, fit(name, network))

# %% jupyter={"source_hidden": true}
for name in ("residual", "inverted"):
    network = small_networks[name]
    ours[name] = (trace.price(network, digits[:1])[1] / 1e6, fit(name, network))
for name, (_, percent) in ours.items():
    print(f"{name} reads over 85 % of the validation digits: {percent > 85}")

# %% [markdown]
# ## 10. What is worth its price?
#
# Slide 41 compares networks by accuracy, speed and memory. Which of them should one even consider? Not
# one that another *beats*: at least as cheap *and* at least as accurate, and really better in one
# of the two. This is **Pareto dominance**; what no other dominates is the **Pareto front**.
#
# ### Exercise `pareto` (1 + 2 points)
#
# Return the names on the front, the cheapest first. Two networks with the same cost *and* accuracy
# don't beat each other: both stay, or both go.
#
# <details><summary>Hint 1: one question</summary>
#
# For each name: is there *any* other that beats it?
#
# </details>
# <details><summary>Hint 2: "beats"</summary>
#
# Two comparisons with `<=` and `>=`, and one more thing. What would a point do to itself without it?
#
# </details>
# <details><summary>Hint 3: order</summary>
#
# `sorted(names, key=...)` keeps the order of names whose keys are equal. Which key is it?
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
    ({"only": (1, 50)}, ["only"], "Nothing beats a network that is alone."),
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

check.equal(pareto({}), [], "pareto({})", "No network, no front.")
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
    check.that(points == kept, "pareto changed the points that came in.")
### END HIDDEN TESTS

# %% [markdown]
# Your five networks, and the published ones with the figures that come with torchvision's weights:
# billions of multiplications per image, and the share of ImageNet's 50,000 validation images whose
# first answer is right ("top-1").
#
# **Predict first:** how many of the nine famous ones does another one beat?

# %%
predict.keep("famous networks that another one beats", None)

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
    alt="Accuracy against multiplications. Left, five small networks: LeNet costs least, the others "
    "three and a half to seven times as much. Right, published networks: the front climbs from AlexNet by "
    "GoogLeNet, ResNet-34, 50 and 101 to ResNet-152; VGG16, VGG19 and ResNet-18 are off it.",
)
beaten = len(theirs) - len(pareto(theirs))
predict.compare("famous networks that another one beats", beaten)

# %% [markdown]
# On ImageNet both VGGs are beaten by a wide margin, with the dearest bills on the chart; ResNet-18
# by a hair, 0.02 points. GoogLeNet and the deeper ResNets are the front: bottlenecks and plus signs
# paid off.
#
# On digits, be modest. The bars are two standard errors of 2,000 digits at 95 %: about one point.
# Another seed may swap neighbours, and then the "front" is another one. And 28 pixels of ink are no
# test for ideas made for depth, or for telephones.

# %% [markdown]
# ## Remember
#
# > - Two small filters see as much as a large one, cost less, and have two nonlinearities.
# > - A $1 \times 1$ convolution mixes channels; before a large filter it saves most of the work.
# > - Concatenate *channels*, dimension 1; every branch keeps H and W.
# > - Deep plain networks degrade, on training data too; a skip connection lets a block learn a residual.
# > - A ReLU after the sum still blocks gradients; pre-activation leaves the way free.
# > - Depthwise, then pointwise: look around and mix one after the other.
# > - Parameters live in dense layers, work in large maps. Ask for both.
# > - A claim needs its number, and a number its footnote.
# > - Compare only what nothing beats, and not closer than the error bars.
#
# And your predictions, those that you kept:

# %%
predict.table()

# %% [markdown]
# ## Further, without points
#
# - ★ How many $3 \times 3$ convolutions would give VGG16 without its dense layers 138 million?
# - ★ An ablation: train the 10 residual blocks with every second skip removed. Does it degrade?
# - ★★ Let `PreActivation` change its shape. Where does the projection read: before the norm, or behind it?
# - ★★ Add MobileNetV2 and EfficientNet-B0 to the chart. Which are left on the front?
# - ★★★ Train the five networks on five seeds. Which differences survive?
