# %% [markdown]
# # 03 Counting
#
# A network can be checked before it exists. With two formulas and a pencil you can tell how large each
# layer's output is, how many numbers training must find, and whether a published table can be
# true. One of the lecture's cannot, and you will catch it.
#
# **You will be able to**
#
# - say how large the output of a convolution or a pool is;
# - count parameters, multiplications and memory, and say where in a network each is spent;
# - fill in the table of slide 29, and correct the one of slide 31;
# - say how much of the image one neuron sees.
#
# **Time** two to three hours. **Slides** 16 to 31. **Points** 42. Nothing is trained today, and
# nothing takes long. Shapes are (C, H, W): channels, height, width.

# %% nbgrader={"grade_id": "setup", "locked": true}
import pandas as pd

from course import check, draw, explore, predict, recall

# VGG16 (slide 37): filters of each 3 x 3 convolution, "M" a pool; (inputs, neurons) of dense layers
VGG16 = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"]
VGG16_DENSE = [(25088, 4096), (4096, 4096), (4096, 1000)]

# %% [markdown]
# ## Three minutes of retrieval
#
# ### Exercise `retrieval` (1 point)
#
# Five questions on lessons 01 and 02, from memory. Your name draws the numbers.
#
# - `channels` A convolution with `k` filters on an image of `c` channels: channels of its output?
# - `start` Stride `s`: in which row of the padded image does the window of output row `i` start?
# - `rows` The matrix of a 3 x 3 kernel on n x n pixels, stride 1, no padding: how many rows has it?
# - `grown` Transposed convolution of an m x m map, kernel of `f`, stride `s`, no padding: how wide is
#   the result?
# - `turned` Is the kernel turned in what PyTorch calls convolution? `"yes"` or `"no"`

# %% nbgrader={"grade_id": "setup-retrieval", "locked": true}
def questions(name):
    """The numbers of your questions: any name will do, but stay with it."""
    ranges = (8, 64), (2, 32), (2, 4), (3, 9), (5, 12), (4, 9), (3, 7)
    letters = ("k", "c", "s", "i", "n", "m", "f")
    return dict(zip(letters, recall.numbers(name, *ranges), strict=True))

# %%
print(questions("ada"))  # put in your own name

# %% nbgrader={"grade_id": "retrieval", "solution": true}
def retrieval():
    """The name that drew your numbers, and your replies.

    Returns ("ada", {"channels": ..., "start": ..., "rows": ..., "grown": ..., "turned": ...}).
    """
    ### BEGIN SOLUTION
    q = questions("ada")
    return "ada", {
        "channels": q["k"],
        "start": q["s"] * q["i"],
        "rows": (q["n"] - 2) ** 2,
        "grown": q["s"] * (q["m"] - 1) + q["f"],
        "turned": "no",
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-retrieval", "grade": true, "locked": true, "points": 1}
# Each reply counts a fifth.
### BEGIN HIDDEN TESTS
name, replies = retrieval()
q = questions(name)
recall.mark(replies, {
    "channels": (q["k"], "Each filter makes one channel, however many it reads."),
    "start": (q["s"] * q["i"], "Windows stand s pixels apart, and the first is number 0."),
    "rows": ((q["n"] - 2) ** 2, "One row per output: n - 2 places down and as many across."),
    "grown": (q["s"] * (q["m"] - 1) + q["f"], "The last stamp begins at s (m - 1), and is f wide."),
    "turned": ("no", "Mathematicians turn it; in deep learning the same word is used without."),
})
### END HIDDEN TESTS

# %% [markdown]
# ## 1. How large is the output?
#
# A filter covers $f \times f$ pixels of an $n \times n$ image. It starts in the top left corner
# and moves $s$ pixels at a time (the stride); each place where it stands gives one output
# pixel. A frame of $p$ zeros around the image (the padding) gives it more places.
#
# **Predict first:** $n = 5$, $f = 3$, $p = 1$ (slides 17 and 18). How wide is the output with
# stride 1? And with stride 2? Count on paper, then run the cell. Each red dot is the middle of a
# position; the first position is blue.

# %%
predict.keep("output width with stride 2", None)

# %%
explore.positions((5, 3, 1, 1), (5, 3, 1, 2))

# %% [markdown]
# The padded image is $n + 2p$ wide, so the filter's left edge can move $n + 2p - f$ pixels, in
# steps of $s$. The steps, and one more for the start, make slide 17's formula:
#
# $$\frac{n + 2p - f}{s} + 1$$
#
# **A correction.** With $n = 8$, $f = 3$, $p = 0$, $s = 2$ this says 3.5, and no image is
# three and a half pixels wide. The slides (17, 18, 23) leave out a rounding: a step that does not
# fit is not taken. Round **down**, $\lfloor\cdot\rfloor$; what is left over at the right and at
# the bottom is never looked at.
#
# With dilation $d$ a filter's taps stand $d$ pixels apart, and it reaches over $d(f-1)+1$
# pixels (in the lecture always $d = 1$). In full:
#
# $$\left\lfloor\frac{n + 2p - (d(f-1)+1)}{s}\right\rfloor + 1$$
#
# **Predict first:** which pixels of an $8 \times 8$ image does a filter of 3 with stride 2 miss?
# And with stride 1 and dilation 3? They get a cross.

# %%
explore.positions((8, 3, 0, 2), (8, 3, 0, 1, 3))

# %% [markdown]
# Now play: guess, then move a slider. Can you find a filter and a padding that keep every image's
# size? Two sizes with the same output? A setting that skips pixels in the *middle*? One that cannot
# be? (Sliders need a running kernel; the figures above do not.)

# %%
explore.SizeExplorer()

# %% [markdown]
# ### Up instead of down
#
# Layers that **pool** (lesson 04) slide a window as filters do, and frameworks let them round **up**
# (torch: `ceil_mode=True`). The last window then hangs over the right end and works with the pixels it
# has. One exception, so that no window sees padding alone: where rounding up has added a window that
# would start in the right padding, or beyond, it is left out again. Window number $k = 0, 1, \dots$
# starts at $k\,s$ of the padded image, whose right padding begins at $n + p$. (For the same reason a
# pool's padding is at most half of what its window reaches over: frameworks refuse more.)
#
# **Predict first:** 6 pixels, windows of 3, stride 2. How many windows with floor, how many with
# ceil?

# %%
draw.windows()

# %% [markdown]
# ### Exercise `output_size` (1 + 3 points)
#
# Write the formula for one side of the image. It must also say no: a setting that cannot be
# raises `ValueError`.
#
# <details><summary>Hint 1: where to begin</summary>
#
# First how many pixels the filter reaches over, then how far its left edge can move.
#
# </details>
# <details><summary>Hint 2: rounding</summary>
#
# `a // b` rounds down. For rounding up there is `-(-a // b)`, or `math.ceil(a / b)`.
#
# </details>
# <details><summary>Hint 3: saying no, and the exception of ceil</summary>
#
# `if not allowed: raise ValueError("why")`, before you divide. After rounding up, look where the
# last position, number `out - 1`, starts. When does it not count?
#
# </details>

# %% nbgrader={"grade_id": "output_size", "solution": true}
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    """Number of positions along one side: the output's width (slides 17, 18 and 23).

    n image, f filter, p padding on either side, s stride, d dilation: whole numbers. So is what
    it returns.
    ceil: round the division up; a last position that this adds, but that would start in the right
    padding or beyond it, does not count. With ceil, p is at most half of d (f - 1) + 1; callers
    see to that.

    Raises ValueError if n, f, s or d is less than 1, if p is negative, or if the filter, spread
    by its dilation, is larger than the padded image.
    """
    ### BEGIN SOLUTION
    if min(n, f, s, d) < 1 or p < 0:
        raise ValueError("n, f, s and d are at least 1, p is at least 0")
    room = n + 2 * p - (d * (f - 1) + 1)
    if room < 0:
        raise ValueError("the filter is larger than the padded image")
    if not ceil:
        return room // s + 1
    out = -(-room // s) + 1
    return out - 1 if (out - 1) * s >= n + p else out
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-output_size", "grade": true, "locked": true, "points": 1}
check.equal(output_size(5, 3, p=1, s=1), 5, "output_size(5, 3, p=1, s=1)", "Slide 18.")
check.equal(
    output_size(5, 3, p=1, s=2),
    3,
    "output_size(5, 3, p=1, s=2)",
    "Slide 17. Is there padding on both sides? Is the stride in the divisor, the + 1 outside it?",
)
check.equal(
    output_size(8, 3, s=2),
    3,
    "output_size(8, 3, s=2)",
    "The division does not come out even: is it rounded down?",
)
check.equal(
    output_size(10, 3, d=3),
    4,
    "output_size(10, 3, d=3)",
    "Taps 0, 3 and 6: a filter of 3 with dilation 3 reaches over 7 pixels.",
)
check.equal(
    output_size(6, 3, s=2, ceil=True), 3, "output_size(6, 3, s=2, ceil=True)", "Rounded up?"
)
check.raises(ValueError, output_size, 3, 5, hint="The filter is larger than the image.")

# %% nbgrader={"grade_id": "hidden-output_size", "grade": true, "locked": true, "points": 3}
# Also: 200 random stacks of convolutions and pools against torch, ceil with padding, and what
# cannot be (n, f, s, d below 1, p below 0, filters that do not fit; some that just fit).
### BEGIN HIDDEN TESTS
import random

import torch
import torch.nn.functional as F

rng = random.Random(1931)
for _ in range(200):
    x = torch.empty(1, 1, rng.randint(12, 90), device="meta")
    for _ in range(rng.randint(1, 5)):
        n = x.shape[-1]
        f, s, d = rng.randint(1, 6), rng.randint(1, 5), rng.choice((1, 1, 1, 2, 3))
        reach = d * (f - 1) + 1
        if rng.random() < 0.5:  # a convolution
            p, ceil = rng.randint(0, 5), False
        else:  # a pool, whose padding torch limits to half the window
            p, ceil = rng.randint(0, f // 2), rng.random() < 0.7
        if reach > n + 2 * p:
            continue
        if ceil:
            x = F.max_pool1d(x, f, s, p, d, ceil_mode=True)
        else:
            x = F.conv1d(x, torch.empty(1, 1, f, device="meta"), None, s, p, d)
        what = f"output_size({n}, {f}, p={p}, s={s}, d={d}, ceil={ceil})"
        check.equal(output_size(n, f, p=p, s=s, d=d, ceil=ceil), x.shape[-1], what)

for n, f, p, s, expected in ((5, 2, 1, 2, 3), (3, 2, 1, 2, 2), (5, 1, 0, 3, 2), (13, 3, 0, 2, 6)):
    what = f"output_size({n}, {f}, p={p}, s={s}, ceil=True)"
    check.equal(
        output_size(n, f, p=p, s=s, ceil=True), expected, what, "Where does the last one start?"
    )
check.equal(output_size(2, 4, p=1), 1, "output_size(2, 4, p=1)", "It fits: 2 + 1 + 1.")
check.equal(output_size(1, 1, s=4), 1, "output_size(1, 1, s=4)", "One position is enough.")
for setting in ((0, 1), (5, 0), (5, 3, -1), (5, 3, 0, 0), (5, 3, 0, -1), (5, 3, 0, 1, 0), (0, 1, 2), (-1, 2, 3)):
    check.raises(ValueError, output_size, *setting)
for setting in ((2, 5, 1), (4, 3, 0, 1, 2), (1, 3, 0, 2), (6, 3, 1, 4, 4)):
    check.raises(ValueError, output_size, *setting, hint="The filter does not fit.")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** output size against image size, strides 1, 2 and 3. Which are straight lines?
# (Dotted: the slides' formula, no floor.) Below it, the explorer with your function beside it.

# %%
predict.compare("output width with stride 2", output_size(5, 3, p=1, s=2))
draw.staircases({s: {n: output_size(n, 3, s=s) for n in range(3, 16)} for s in (1, 2, 3)}, f=3)
explore.SizeExplorer(yours=output_size)

# %% [markdown]
# ## 2. Padding that keeps the size
#
# On slide 18 the image kept its size, and not by accident of $n = 5$: with stride 1, the right
# padding keeps *every* size: **same padding**. Without it each layer of a deep network nibbles at the
# border until nothing is left.
#
# **Predict first:** which padding does a filter of 5 need? And a filter of 4? (Careful.)
#
# ### Exercise `same_padding` (1 + 2 points)
#
# Return the padding that keeps every size, or raise `ValueError` where none does.
#
# <details><summary>Hint 1: what is asked</summary>
#
# Find $p$ so that $n + 2p - f + 1 = n$.
#
# </details>
# <details><summary>Hint 2: the even ones</summary>
#
# $2p$ is even, whatever $p$ is. What does that say about $f - 1$?
#
# </details>
# <details><summary>Hint 3: another way</summary>
#
# Try $p = 0, 1, 2, \dots$ with `output_size` on one image. Does one fit?
#
# </details>

# %% nbgrader={"grade_id": "same_padding", "solution": true} needs=["output_size"]
def same_padding(f):
    """Padding p, the same on either side, that keeps every image at its size (slide 18).

    f filter, a whole number of at least 1; stride 1, dilation 1.
    Raises ValueError where there is no such p.
    """
    ### BEGIN SOLUTION
    if f % 2 == 0:
        raise ValueError("an even filter has no middle: no padding keeps the size")
    return (f - 1) // 2
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-same_padding", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def positions(n, f, p=0, s=1, d=1, ceil=False):
    steps = n + 2 * p - d * (f - 1) - 1
    if steps < 0:
        raise ValueError("the filter is larger than the padded image")
    return (-(-steps // s) if ceil else steps // s) + 1


references = {"output_size": positions}
### END HIDDEN TESTS
with check.using(**references):
    check.equal(same_padding(3), 1, "same_padding(3)", "Slide 18: one on either side.")
    check.equal(
        same_padding(5), 2, "same_padding(5)", "A filter of 5 loses 4 pixels, and p comes twice."
    )
    check.raises(
        ValueError, same_padding, 4, hint="A filter of 4 loses 3 pixels: can 2p give back 3?"
    )

# %% nbgrader={"grade_id": "hidden-same_padding", "grade": true, "locked": true, "points": 2}
# Also: all filters from 1 to 31.
### BEGIN HIDDEN TESTS
def positions(n, f, p=0, s=1, d=1, ceil=False):
    steps = n + 2 * p - d * (f - 1) - 1
    if steps < 0:
        raise ValueError("the filter is larger than the padded image")
    return (-(-steps // s) if ceil else steps // s) + 1


with check.using(output_size=positions):
    for f in range(1, 32, 2):
        check.equal(2 * same_padding(f), f - 1, f"2 * same_padding({f})", "2p gives back f - 1.")
    for f in range(2, 32, 2):
        check.raises(ValueError, same_padding, f)
### END HIDDEN TESTS

# %%
explore.positions((6, 3, same_padding(3)), (6, 5, same_padding(5)))

# %% [markdown]
# ## 3. Depth: what a filter weighs
#
# A filter reaches through all channels of its input: on a colour image a "$3 \times 3$ filter" is
# a block of $3 \times 3 \times 3$ numbers. It slides in two directions only, adds up everything
# it covers, and so makes one channel. More channels come from more filters (slides 19, 20).
#
# **Predict first:** two such filters. How many channels come out, and how many numbers did the
# filters bring?

# %%
draw.volumes()

# %% [markdown]
# Slide 19's "27 operations (28 if bias term)" are the filter's 27 weights and its one bias, a
# single number added at every position. Weights and biases together are the layer's **parameters**,
# all that training must find. Slide 21 counts a layer:
#
# $$\text{filters} \times (f \cdot f \cdot \text{channels in} + 1)$$
#
# Look at what does *not* stand there: the size of the image.
#
# ### Exercise `conv_parameters` (1 + 3 points)
#
# Return the number of parameters of one convolutional layer.
#
# <details><summary>Hint 1: one filter</summary>
#
# How many slices has it, and how large is each?
#
# </details>
# <details><summary>Hint 2: the bias</summary>
#
# One for a filter. Not one for a weight, not one for a slice, not one for the layer.
#
# </details>
# <details><summary>Hint 3: without bias</summary>
#
# In Python `True` counts as 1 and `False` as 0. Why is that useful here?
#
# </details>

# %% nbgrader={"grade_id": "conv_parameters", "solution": true}
def conv_parameters(c_in, c_out, f, bias=True):
    """Number of trainable parameters of a convolution (slides 21 and 23).

    c_in channels of its input, c_out filters (channels of its output), f x f filter size;
    bias: whether each filter has a bias.
    """
    ### BEGIN SOLUTION
    return c_out * (f * f * c_in + bool(bias))
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-conv_parameters", "grade": true, "locked": true, "points": 1}
check.equal(
    conv_parameters(3, 1, 3),
    28,
    "conv_parameters(3, 1, 3)",
    "Slide 19: one filter of 3 x 3 x 3, and one bias.",
)
check.equal(
    conv_parameters(3, 100, 4),
    4900,
    "conv_parameters(3, 100, 4)",
    "Slide 21: 100 filters of 4 x 4 x 3. Does each have one bias?",
)

# %% nbgrader={"grade_id": "hidden-conv_parameters", "grade": true, "locked": true, "points": 3}
# Also: 40 random layers against torch, some without bias, and the thirteen convolutions of VGG16.
### BEGIN HIDDEN TESTS
import random

from torch import nn

rng = random.Random(2021)
for k in range(40):
    c_in, c_out, f, bias = rng.randint(1, 40), rng.randint(1, 40), rng.randint(1, 9), k % 3 > 0
    layer = nn.Conv2d(c_in, c_out, f, bias=bias, device="meta")
    check.equal(
        conv_parameters(c_in, c_out, f, bias=bias),
        sum(parameter.numel() for parameter in layer.parameters()),
        f"conv_parameters({c_in}, {c_out}, {f}, bias={bias})",
    )
widths = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
convolutions = sum(
    conv_parameters(before, after, 3)
    for before, after in zip([3, *widths[:-1]], widths, strict=True)
)
check.equal(convolutions, 138_357_544 - 123_642_856, "VGG16's convolutions together")
### END HIDDEN TESTS

# %% [markdown]
# Two filters of 3 in turn see as much as one of 5 (section 7 shows why). **Predict first:** with
# 64 channels in and out, which is cheaper? And will you see the biases in the picture?

# %%
def weights_and_biases(f, layers=1):
    """The parameters of some layers with 64 channels in and out, in two parts."""
    weights = conv_parameters(64, 64, f, bias=False)
    both = conv_parameters(64, 64, f)
    return {"weights": layers * weights, "biases": layers * (both - weights)}


filters = {f"{f} x {f}": weights_and_biases(f) for f in (1, 3, 5, 7)}
draw.stacked({**filters, "3 x 3 twice": weights_and_biases(3, layers=2)}, "64 channels in and out")

# %% [markdown]
# ## 4. Fully connected: where the parameters live
#
# A **fully connected** (dense) layer joins every input to every neuron, and each neuron has one bias.
# Slide 27 lays $32 \times 32 \times 3$ pixels flat, 3,072 inputs, and joins them to 10 neurons.
#
# ### Exercise `dense_parameters` (1 + 2 points)
#
# Return the number of parameters of one dense layer.
#
# <details><summary>Hint 1: one neuron</summary>
#
# A neuron has a weight for each input. And?
#
# </details>
# <details><summary>Hint 2: slide 27</summary>
#
# 10 neurons with 3,072 weights each. How many biases are there, and where in the product do they stand?
#
# </details>
# <details><summary>Hint 3: you may have it already</summary>
#
# A vector of $n$ numbers is a $1 \times 1$ image with $n$ channels.
#
# </details>

# %% nbgrader={"grade_id": "dense_parameters", "solution": true} needs=["conv_parameters"]
def dense_parameters(n_in, n_out, bias=True):
    """Number of trainable parameters of a fully connected layer (slides 27 and 29).

    n_in inputs, n_out neurons; bias: whether each neuron has a bias.
    """
    ### BEGIN SOLUTION
    return n_out * (n_in + bool(bias))
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-dense_parameters", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def of_filters(c_in, c_out, f, bias=True):
    return c_out * (f * f * c_in + bool(bias))


references = {"conv_parameters": of_filters}
### END HIDDEN TESTS
with check.using(**references):
    check.equal(
        dense_parameters(3072, 10),
        30730,
        "dense_parameters(3072, 10)",
        "Slide 27: 30,720 weights. How many biases come with 10 neurons?",
    )
    check.equal(dense_parameters(320, 100), 32100, "dense_parameters(320, 100)", "FC1 of slide 29.")

# %% nbgrader={"grade_id": "hidden-dense_parameters", "grade": true, "locked": true, "points": 2}
# Also: 40 random layers against torch, some without bias, and the dense end of VGG16.
### BEGIN HIDDEN TESTS
def of_filters(c_in, c_out, f, bias=True):
    return c_out * (f * f * c_in + bool(bias))


with check.using(conv_parameters=of_filters):
    import random

    from torch import nn

    rng = random.Random(2729)
    for k in range(40):
        n_in, n_out, bias = rng.randint(1, 900), rng.randint(1, 900), k % 3 > 0
        layer = nn.Linear(n_in, n_out, bias=bias, device="meta")
        check.equal(
            dense_parameters(n_in, n_out, bias=bias),
            sum(parameter.numel() for parameter in layer.parameters()),
            f"dense_parameters({n_in}, {n_out}, bias={bias})",
        )
    dense = sum(dense_parameters(a, b) for a, b in ((25088, 4096), (4096, 4096), (4096, 1000)))
    check.equal(14_714_688 + dense, 138_357_544, "VGG16: its convolutions and your dense layers")
### END HIDDEN TESTS

# %% [markdown]
# ### VGG16, by you
#
# Slide 37: VGG16 has 138 million parameters, "mainly due to last Fully-Connected layers". You can
# check that now. Its layers stand in the first code cell; the last pool leaves
# $7 \times 7 \times 512 = 25{,}088$ numbers.
#
# **Predict first:** 13 of the 16 layers are convolutions. What share of the parameters is theirs, in %?

# %%
predict.keep("share of the convolutions in %", None)

# %%
counts, channels = [], 3
for filters in VGG16:
    if filters != "M":
        counts.append((f"conv {len(counts) + 1}", conv_parameters(channels, filters, 3)))
        channels = filters
for k, (n_in, n_out) in enumerate(VGG16_DENSE, start=1):
    counts.append((f"FC{k}", dense_parameters(n_in, n_out)))
print(f"VGG16: {sum(count for _, count in counts):,} parameters")
draw.layer_bars(counts, "VGG16")
of_convolutions = sum(count for name, count in counts if name.startswith("conv"))
share = 100 * of_convolutions / sum(count for _, count in counts)
predict.compare("share of the convolutions in %", round(share))

# %% [markdown]
# 138 million it is; the convolutions' share is 11 %. The first dense layer alone, where the last maps
# are laid flat, holds three quarters.
#
# ### Work and memory
#
# Parameters are only one of three bills. The second is work: a **multiply-accumulate** (MAC) is one
# weight times one number, added to a sum. A layer does as many per image as it has outputs, times the
# weights that each output uses; a bias is added and does not count, and a pool multiplies nothing. The
# third is **activation memory**: in training each layer's output is kept for the way back, and each
# number takes 8, 4, 2 or 1 bytes.
#
# Both read a layer as a dictionary:
#
#     {"kind": "conv", "c_in": 3, "c_out": 64, "f": 3, "out": 224}     out x out pixels come out
#     {"kind": "pool", "c_out": 64, "f": 2, "out": 112}
#     {"kind": "dense", "n_in": 25088, "n_out": 4096}
#
# ### Exercise `macs` (1 + 2 points)
#
# Return the multiply-accumulates of one layer for one image. **Predict first:** which layer of VGG16 has
# most parameters, which does most work, which fills most memory?
#
# <details><summary>Hint 1: one output</summary>
#
# How many products does a single output of a convolution add up? (Slide 19.)
#
# </details>
# <details><summary>Hint 2: all outputs</summary>
#
# How many outputs are there? Why does the size of the image matter here, and not to the parameters?
#
# </details>

# %% nbgrader={"grade_id": "macs", "solution": true} needs=["conv_parameters", "dense_parameters"]
def macs(layer):
    """Multiply-accumulates of a layer for one image: a whole number; 0 for a pool.

    layer: a dictionary with "kind" "conv" (and "c_in", "c_out", "f", "out"), "pool" (and "c_out", "f",
    "out") or "dense" (and "n_in", "n_out"). Biases do not count. The dictionary stays as it is.
    """
    ### BEGIN SOLUTION
    if layer["kind"] == "pool":
        return 0
    if layer["kind"] == "dense":
        return layer["n_in"] * layer["n_out"]
    return layer["out"] ** 2 * layer["c_out"] * layer["f"] ** 2 * layer["c_in"]
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-macs", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def of_filters(c_in, c_out, f, bias=True):
    return c_out * (f * f * c_in + bool(bias))


def of_neurons(n_in, n_out, bias=True):
    return n_out * (n_in + bool(bias))


references = {"conv_parameters": of_filters, "dense_parameters": of_neurons}
### END HIDDEN TESTS
with check.using(**references):
    check.equal(
        macs({"kind": "conv", "c_in": 10, "c_out": 25, "f": 3, "out": 48}), 5_184_000,
        "macs of slide 20's layer", "How many outputs are there, and how many products does each add up?",
    )
    check.equal(
        macs({"kind": "dense", "n_in": 320, "n_out": 100}), 32_000, "macs of FC1 on slide 29",
        "One for each weight; the bias is added, not multiplied.",
    )
    check.equal(macs({"kind": "pool", "c_out": 10, "f": 2, "out": 12}), 0, "macs of a pool",
        "A pool multiplies nothing: 0.",
    )

# %% nbgrader={"grade_id": "hidden-macs", "grade": true, "locked": true, "points": 2}
# Also: 40 random layers, whose outputs torch counts; the layer left alone.
### BEGIN HIDDEN TESTS
def of_filters(c_in, c_out, f, bias=True):
    return c_out * (f * f * c_in + bool(bias))


def of_neurons(n_in, n_out, bias=True):
    return n_out * (n_in + bool(bias))


with check.using(conv_parameters=of_filters, dense_parameters=of_neurons):
    import random

    import torch
    from torch import nn

    rng = random.Random(497)
    for _ in range(40):
        c_in, c_out, f, n = rng.randint(1, 9), rng.randint(1, 9), rng.randint(1, 5), rng.randint(5, 30)
        net = nn.Conv2d(c_in, c_out, f, stride=rng.randint(1, 2), device="meta")
        y = net(torch.empty(1, c_in, n, n, device="meta"))
        layer = {"kind": "conv", "c_in": c_in, "c_out": c_out, "f": f, "out": y.shape[-1]}
        kept = dict(layer)
        check.equal(macs(layer), y.numel() * net.weight[0].numel(), f"macs({kept})")
        check.equal(layer, kept, "the layer afterwards", "Leave it as it is.")
        check.equal(macs({"kind": "pool", "c_out": c_out, "f": f, "out": n}), 0, "macs of a pool")
        n_in, n_out = rng.randint(1, 900), rng.randint(1, 900)
        weights = nn.Linear(n_in, n_out, device="meta").weight
        check.equal(
            macs({"kind": "dense", "n_in": n_in, "n_out": n_out}), weights.numel(),
            f"macs of a dense layer from {n_in} to {n_out}",
        )
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise `activation_memory` (1 + 2 points)
#
# Return the bytes that hold the outputs of **all** layers for one image.
#
# <details><summary>Hint 1: one layer</summary>
#
# A layer of maps puts out height x width x channels numbers. And a dense one?
#
# </details>
# <details><summary>Hint 2: bytes</summary>
#
# The number in `float32` counts bits. How many bits has a byte?
#
# </details>

# %% nbgrader={"grade_id": "activation_memory", "solution": true}
def activation_memory(layers, dtype):
    """Bytes for the outputs of all `layers` on one image: a whole number.

    layers: a list of dictionaries as macs() takes them; dtype: "float64", "float32", "float16" or
    "uint8". The image itself is not counted. Pools have outputs, too; no layers have 0 bytes. The
    list and its dictionaries stay as they are.
    """
    ### BEGIN SOLUTION
    size = {"float64": 8, "float32": 4, "float16": 2, "uint8": 1}[dtype]
    outputs = 0
    for layer in layers:
        if layer["kind"] == "dense":
            outputs += layer["n_out"]
        else:
            outputs += layer["out"] ** 2 * layer["c_out"]
    return size * outputs
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-activation_memory", "grade": true, "locked": true, "points": 1}
conv1 = {"kind": "conv", "c_in": 1, "c_out": 10, "f": 5, "out": 24}
pool1 = {"kind": "pool", "c_out": 10, "f": 2, "out": 12}
fc1 = {"kind": "dense", "n_in": 320, "n_out": 100}
for layers, name, numbers in (
    ([conv1], "Conv1", 5760), ([pool1], "Pool1", 1440), ([fc1], "FC1", 100),
):
    check.equal(
        activation_memory(layers, "float32"), 4 * numbers, f"the bytes of slide 29's {name} in float32",
        f"It puts out {numbers:,} numbers (slide 29), and each takes four bytes.",
    )

# %% nbgrader={"grade_id": "hidden-activation_memory", "grade": true, "locked": true, "points": 2}
# Also: several layers, no layer, the other types, and what torch itself keeps; the list left alone.
### BEGIN HIDDEN TESTS
import random

import torch

rng = random.Random(40)
for dtype in ("float64", "float32", "float16", "uint8"):
    layers, expected = [], 0
    for _ in range(rng.randint(2, 6)):
        c, side, n_out = rng.randint(1, 9), rng.randint(1, 30), rng.randint(1, 900)
        layers.append({"kind": rng.choice(["conv", "pool"]), "c_in": 2, "c_out": c, "f": 3, "out": side})
        layers.append({"kind": "dense", "n_in": 5, "n_out": n_out})
        for shape in ((c, side, side), (n_out,)):
            expected += torch.empty(shape, dtype=getattr(torch, dtype)).nbytes
    if dtype == "float16":
        layers = layers[::-1]  # a dense layer may come first
    kept = [dict(layer) for layer in layers]
    check.equal(
        activation_memory(layers, dtype), expected, f"the bytes of {len(layers)} layers in {dtype}",
        "Is every layer counted, the pools as well, with the bytes of its type?",
    )
    check.that(layers == kept, "activation_memory changed the list of layers, or a layer in it.")
check.equal(activation_memory([], "float32"), 0, "the bytes of no layer at all")
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true}
layers, channels, side = [], 3, 224
for filters in VGG16:
    if filters == "M":
        side //= 2
        layers.append({"kind": "pool", "c_out": channels, "f": 2, "out": side})
    else:
        layers.append({"kind": "conv", "c_in": channels, "c_out": filters, "f": 3, "out": side})
        channels = filters
layers += [{"kind": "dense", "n_in": n_in, "n_out": n_out} for n_in, n_out in VGG16_DENSE]
kinds = [layer["kind"] for layer in layers]
names = [
    f"{'FC' if kind == 'dense' else kind}{' ' * (kind != 'dense')}{kinds[: k + 1].count(kind)}"
    for k, kind in enumerate(kinds)
]
work = [(name, macs(layer)) for name, layer in zip(names, layers, strict=True) if macs(layer)]
memory = [
    (name, activation_memory([layer], "float32")) for name, layer in zip(names, layers, strict=True)
]
print(f"{sum(n for _, n in work):,} multiply-accumulates, {sum(n for _, n in memory):,} bytes")
draw.layer_bars(work, "VGG16, one image", "multiply-accumulates")
draw.layer_bars(memory, "VGG16, one image", "bytes of activations")

# %% [markdown]
# Three bills, three debtors: parameters sit in FC1, work in six convolutions of the same price, memory in
# the first two layers. So the way to a cheaper network depends on what you are short of.
#
# ## 5. A whole network in a table
#
# The lecture's first network (slide 22) separates cats from dogs: convolutions, pools, dense layers at
# the end, one output per class. Slide 29 sums up such a network for handwritten digits with two kinds of
# numbers, easily mixed up:
#
# - **Neurons** are outputs: height x width x channels. Pools have them, too; the image is data
#   and does not count.
# - Parameters are what training finds. A pool has none: to take the largest value, channel by
#   channel, nothing need be learnt.
#
# **A correction.** Slide 26 says that pooling reduces the number of parameters. It has none;
# what it shrinks is the dense layer *behind* it. Section 8 shows by how much.
#
# **Predict first:** which layer of slide 29's network has most neurons? Which has most parameters?

# %% nbgrader={"grade_id": "setup-tables", "locked": true}
COLUMNS = [
    "n",  # size of the input image; of a dense layer: number of inputs
    "channels_in",
    "f",
    "p",
    "s",
    "out",  # size of the output image
    "channels_out",  # or number of filters
    "neurons",
    "filter_plus_1",  # weights of one filter (of a dense layer: of one neuron), and its bias
    "parameters",
]
MNIST_ROWS = ["Conv1", "Pool1", "Conv2", "Pool2", "FC1", "Softmax", "Total"]
HARLEY_ROWS = ["Conv1", "Pool1", "Conv2", "Pool2", "FC1", "FC2", "Softmax", "Total"]

# %% [markdown]
# ### Exercise `mnist_table` (1 + 3 points)
#
# Fill in slide 29, with your functions where they help. The image is $28 \times 28$, one channel;
# "Softmax" is the slide's name for the last dense layer.
#
# | layer | f | p | s | filters or neurons |
# |---|---|---|---|---|
# | Conv1 | 5 | 0 | 1 | 10 |
# | Pool1 | 2 | 0 | 2 | |
# | Conv2 | 5 | 0 | 1 | 20 |
# | Pool2 | 2 | 0 | 2 | |
# | FC1 | | | | 100 |
# | Softmax | | | | 10 |
#
# <details><summary>Hint 1: making the frame</summary>
#
# `pd.DataFrame.from_dict({"Conv1": [28, 1, 5, ...], ...}, orient="index", columns=COLUMNS)`, with
# `None` for an empty cell.
#
# </details>
# <details><summary>Hint 2: from row to row</summary>
#
# What leaves a layer enters the next: `out` becomes `n`, `channels_out` becomes `channels_in`.
#
# </details>
# <details><summary>Hint 3: pools and FC1</summary>
#
# A pool has as many channels after as before. FC1's inputs are all the neurons of Pool2.
#
# </details>

# %% nbgrader={"grade_id": "mnist_table", "solution": true} needs=["output_size", "conv_parameters", "dense_parameters"]
def mnist_table():
    """Slide 29 as a data frame: index MNIST_ROWS, columns COLUMNS.

    Empty cells (None, NaN or ""): `filter_plus_1` of a pool; everything of a dense layer (FC1,
    Softmax) but n, neurons, filter_plus_1 and parameters; everything of Total but the sums of
    neurons and of parameters. The `parameters` of a pool are 0.
    """
    ### BEGIN SOLUTION
    rows, n, c = {}, 28, 1
    for name, f, s, filters in (
        ("Conv1", 5, 1, 10),
        ("Pool1", 2, 2, None),
        ("Conv2", 5, 1, 20),
        ("Pool2", 2, 2, None),
    ):
        out, after = output_size(n, f, s=s), filters or c
        weights = conv_parameters(c, filters, f) if filters else 0
        rows[name] = [n, c, f, 0, s, out, after, out * out * after]
        rows[name] += [f * f * c + 1 if filters else None, weights]
        n, c = out, after
    for name, n_in, n_out in (("FC1", n * n * c, 100), ("Softmax", 100, 10)):
        rows[name] = [n_in, *6 * [None], n_out, n_in + 1, dense_parameters(n_in, n_out)]
    totals = [sum(row[k] for row in rows.values()) for k in (7, 9)]
    rows["Total"] = [*7 * [None], totals[0], None, totals[1]]
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-mnist_table", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def positions(n, f, p=0, s=1, d=1, ceil=False):
    steps = n + 2 * p - d * (f - 1) - 1
    if steps < 0:
        raise ValueError("the filter is larger than the padded image")
    return (-(-steps // s) if ceil else steps // s) + 1


def of_filters(c_in, c_out, f, bias=True):
    return c_out * (f * f * c_in + bool(bias))


def of_neurons(n_in, n_out, bias=True):
    return n_out * (n_in + bool(bias))


references = {
    "output_size": positions, "conv_parameters": of_filters, "dense_parameters": of_neurons,
}
### END HIDDEN TESTS
with check.using(**references):
    got = mnist_table()
    check.that(isinstance(got, pd.DataFrame), "mnist_table() should return a data frame.")
    check.equal(list(got.index), MNIST_ROWS, "the index of mnist_table()")
    check.equal(list(got.columns), COLUMNS, "the list of columns of mnist_table()")
    check.table(
        got.loc[["Conv1"]],
        pd.DataFrame([[28, 1, 5, 0, 1, 24, 10, 5760, 26, 260]], index=["Conv1"], columns=COLUMNS),
        "mnist_table()",
        "Slide 29's first line: 28 -> 24 with 10 filters of 5 x 5 x 1.",
    )
    check.equal(got.loc["Pool1", "parameters"], 0, "parameters of Pool1", "It learns nothing: 0.")
    check.equal(
        got.loc["Conv2", "n"], got.loc["Pool1", "out"], "n of Conv2", "It is the output of Pool1."
    )
    for column in ("neurons", "parameters"):
        above = [cell for cell in got[column].iloc[:-1] if pd.notna(cell) and cell != ""]
        what = f"the total of {column}"
        check.equal(got.loc["Total", column], sum(above), what, "Is it the sum of the rows above?")

# %% nbgrader={"grade_id": "hidden-mnist_table", "grade": true, "locked": true, "points": 3}
# Also: every cell, the empty ones, too.
### BEGIN HIDDEN TESTS
def positions(n, f, p=0, s=1, d=1, ceil=False):
    steps = n + 2 * p - d * (f - 1) - 1
    if steps < 0:
        raise ValueError("the filter is larger than the padded image")
    return (-(-steps // s) if ceil else steps // s) + 1


def of_filters(c_in, c_out, f, bias=True):
    return c_out * (f * f * c_in + bool(bias))


def of_neurons(n_in, n_out, bias=True):
    return n_out * (n_in + bool(bias))


with check.using(output_size=positions, conv_parameters=of_filters, dense_parameters=of_neurons):
    slide_29 = {
        "Conv1": [28, 1, 5, 0, 1, 24, 10, 5760, 26, 260],
        "Pool1": [24, 10, 2, 0, 2, 12, 10, 1440, None, 0],
        "Conv2": [12, 10, 5, 0, 1, 8, 20, 1280, 251, 5020],
        "Pool2": [8, 20, 2, 0, 2, 4, 20, 320, None, 0],
        "FC1": [320, *6 * [None], 100, 321, 32100],
        "Softmax": [100, *6 * [None], 10, 101, 1010],
        "Total": [*7 * [None], 8910, None, 38390],
    }
    expected = pd.DataFrame.from_dict(slide_29, orient="index", columns=COLUMNS)
    check.table(mnist_table(), expected, "mnist_table()")
### END HIDDEN TESTS

# %% [markdown]
# Your table as the slide prints it, and as a picture. The maps shrink while the channels multiply:
# less *where*, more *what*.

# %%
draw.net(mnist_table(), "Slide 29's network")
draw.printed(mnist_table())

# %% [markdown]
# And your prediction? If this surprises you, you are in good company.

# %%
draw.shares(mnist_table(), "Slide 29's network")

# %% [markdown]
# Neurons in front, parameters behind: convolutions are cheap to store and busy to run, dense
# layers the other way round.
#
# ## 6. The table on slide 31
#
# Slide 31 counts another network for digits, Adam Harley's. Here it is as the lecture prints it, with
# our names for columns and rows (the slide calls both pools "MaxPool"). One row breaks a rule, and
# the rows below inherit the damage.
#
# **Predict first:** would adding up the columns find it?

# %% nbgrader={"grade_id": "setup-slide-31", "locked": true}
SLIDE_31 = pd.DataFrame.from_dict(
    {
        "Conv1": [32, 1, 5, 0, 1, 28, 6, 4704, 26, 156],
        "Pool1": [28, 6, 2, 0, 2, 14, 6, 1176, None, None],
        "Conv2": [14, 6, 5, 0, 1, 10, 16, 1600, 151, 2416],
        "Pool2": [10, 16, 2, 0, 2, 5, 128, 3200, None, None],
        "FC1": [3200, *6 * [None], 120, 3201, 384120],
        "FC2": [120, *6 * [None], 100, 121, 12100],
        "Softmax": [100, *6 * [None], 10, 101, 1010],
        "Total": [*7 * [None], 10910, None, 399802],
    },
    orient="index",
    columns=COLUMNS,
)

# %% jupyter={"source_hidden": true}
for column in ("neurons", "parameters"):
    total, rows = SLIDE_31.loc["Total", column], SLIDE_31[column].drop("Total")
    print(f"{column}: the slide's total is the sum of its rows: {rows.sum() == total}")
draw.printed(SLIDE_31)

# %% [markdown]
# The sums are right! Arithmetic cannot find an error made before the arithmetic began. What can is
# an **invariant**: something that must hold whatever the numbers are. Hold each row against these:
#
# - **A** a filter is as deep as its input has channels
# - **B** an output is $\lfloor (n + 2p - f)/s \rfloor + 1$ pixels wide
# - **C** a convolution has one output channel for each filter
# - **D** a pool works on each channel by itself and keeps their number
# - **E** the neurons of a layer of maps are height x width x channels
# - **F** a dense layer has inputs + 1 parameters for each neuron

# %% [markdown]
# ### Exercise `mistake` (1 + 3 points)
#
# Which row breaks a rule though its own inputs are right? Which rule? And what are the two totals
# once everything that follows from it is put right?
#
# <details><summary>Hint 1: how to search</summary>
#
# From the top, ask of each number which rule it comes from. Stop at the first that none gives.
#
# </details>
# <details><summary>Hint 2: an innocent row</summary>
#
# A row that computes correctly from a wrong number above it is not the culprit. Why not?
#
# </details>
# <details><summary>Hint 3: the totals</summary>
#
# Correct the row, then every row that reads from it, and add up anew.
#
# </details>

# %% nbgrader={"grade_id": "mistake", "solution": true} needs=["output_size", "conv_parameters", "dense_parameters"]
def mistake():
    """What is wrong on slide 31, as a dictionary.

    "row": the name of the row in SLIDE_31 where the mistake was made
    "rule": the letter, "A" to "F", of the rule that it breaks
    "neurons", "parameters": the two totals as they should be
    """
    ### BEGIN SOLUTION
    return {"row": "Pool2", "rule": "D", "neurons": 8110, "parameters": 63802}
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-mistake", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def positions(n, f, p=0, s=1, d=1, ceil=False):
    steps = n + 2 * p - d * (f - 1) - 1
    if steps < 0:
        raise ValueError("the filter is larger than the padded image")
    return (-(-steps // s) if ceil else steps // s) + 1


def of_filters(c_in, c_out, f, bias=True):
    return c_out * (f * f * c_in + bool(bias))


def of_neurons(n_in, n_out, bias=True):
    return n_out * (n_in + bool(bias))


references = {
    "output_size": positions, "conv_parameters": of_filters, "dense_parameters": of_neurons,
}
### END HIDDEN TESTS
with check.using(**references):
    reply = mistake()
    check.that(isinstance(reply, dict), "mistake() should return a dictionary.")
    for key in ("row", "rule", "neurons", "parameters"):
        check.that(key in reply, f"mistake() does not answer {key!r}.")
    check.that(reply["row"] in list(SLIDE_31.index), f"SLIDE_31 has no row {reply['row']!r}.")
    check.that(reply["rule"] in list("ABCDEF"), f"There is no rule {reply['rule']!r}, only A to F.")
    fewer = 10910 - reply["neurons"], 399802 - reply["parameters"]
    check.that(any(fewer), "These are the slide's own totals: they contain the mistake.")
    check.that(
        fewer[1] == 120 * fewer[0],
        "Your two totals do not agree: each neuron too many before FC1 brought 120 weights along. Is "
        "one total still the slide's, or a bias missing?",
    )

# %% nbgrader={"grade_id": "hidden-mistake", "grade": true, "locked": true, "points": 3}
# Also: whether it is that row, that rule, and those totals.
### BEGIN HIDDEN TESTS
def positions(n, f, p=0, s=1, d=1, ceil=False):
    steps = n + 2 * p - d * (f - 1) - 1
    if steps < 0:
        raise ValueError("the filter is larger than the padded image")
    return (-(-steps // s) if ceil else steps // s) + 1


def of_filters(c_in, c_out, f, bias=True):
    return c_out * (f * f * c_in + bool(bias))


def of_neurons(n_in, n_out, bias=True):
    return n_out * (n_in + bool(bias))


with check.using(output_size=positions, conv_parameters=of_filters, dense_parameters=of_neurons):
    reply = mistake()
    check.that(reply["row"] == "Pool2", "The row is another one: which is the first to break a rule?")
    check.that(reply["rule"] == "D", "The rule is another one.")
    check.equal(reply["neurons"], 8110, "the total of neurons")
    check.equal(reply["parameters"], 63802, "the total of parameters")
### END HIDDEN TESTS

# %%
reply = mistake()
draw.stacked(
    {"slide 31": {"parameters": 399802}, "by you": {"parameters": reply["parameters"]}},
    "Parameters of Harley's network",
)

# %% [markdown]
# ### Exercise `harley_table` (1 + 3 points)
#
# Now the table as it should have been: slide 31 (rows `HARLEY_ROWS`) without its mistake.
# Conventions as in `mnist_table`: a pool's parameters are 0, not empty.
#
# <details><summary>Hint 1: most of it is there</summary>
#
# Everything above the faulty row can stay.
#
# </details>
# <details><summary>Hint 2: FC1</summary>
#
# Its inputs are the neurons of Pool2: `out * out * channels_out`.
#
# </details>
# <details><summary>Hint 3: check yourself</summary>
#
# Your totals and those of `mistake()` should be the same.
#
# </details>

# %% nbgrader={"grade_id": "harley_table", "solution": true} needs=["output_size", "conv_parameters", "dense_parameters", "mnist_table"]
def harley_table():
    """Slide 31, corrected, as a data frame: index HARLEY_ROWS, columns COLUMNS.

    Empty cells and the 0 parameters of pools as in mnist_table().
    """
    ### BEGIN SOLUTION
    pixels = 5 * 5 * 16
    rows = {
        "Conv1": [32, 1, 5, 0, 1, 28, 6, 28 * 28 * 6, 26, conv_parameters(1, 6, 5)],
        "Pool1": [28, 6, 2, 0, 2, 14, 6, 14 * 14 * 6, None, 0],
        "Conv2": [14, 6, 5, 0, 1, 10, 16, 10 * 10 * 16, 151, conv_parameters(6, 16, 5)],
        "Pool2": [10, 16, 2, 0, 2, 5, 16, pixels, None, 0],
        "FC1": [pixels, *6 * [None], 120, pixels + 1, dense_parameters(pixels, 120)],
        "FC2": [120, *6 * [None], 100, 121, dense_parameters(120, 100)],
        "Softmax": [100, *6 * [None], 10, 101, dense_parameters(100, 10)],
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS)
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].sum()
    return table
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-harley_table", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def positions(n, f, p=0, s=1, d=1, ceil=False):
    steps = n + 2 * p - d * (f - 1) - 1
    if steps < 0:
        raise ValueError("the filter is larger than the padded image")
    return (-(-steps // s) if ceil else steps // s) + 1


def of_filters(c_in, c_out, f, bias=True):
    return c_out * (f * f * c_in + bool(bias))


def of_neurons(n_in, n_out, bias=True):
    return n_out * (n_in + bool(bias))


references = {
    "output_size": positions, "conv_parameters": of_filters, "dense_parameters": of_neurons,
}
### END HIDDEN TESTS
with check.using(**references):
    got = harley_table()
    check.that(isinstance(got, pd.DataFrame), "harley_table() should return a data frame.")
    check.equal(list(got.index), HARLEY_ROWS, "the index of harley_table()")
    check.equal(list(got.columns), COLUMNS, "the list of columns of harley_table()")
    check.table(
        got.loc[["Conv1"]],
        pd.DataFrame([[32, 1, 5, 0, 1, 28, 6, 4704, 26, 156]], index=["Conv1"], columns=COLUMNS),
        "harley_table()",
        "The first line of slide 31 is right.",
    )
    check.equal(got.loc["Pool1", "parameters"], 0, "parameters of Pool1", "It learns nothing: 0.")
    check.equal(
        got.loc["FC1", "n"], got.loc["Pool2", "neurons"], "n of FC1", "It reads all outputs of Pool2."
    )
    for column in ("neurons", "parameters"):
        above = [cell for cell in got[column].iloc[:-1] if pd.notna(cell) and cell != ""]
        what = f"the total of {column}"
        check.equal(got.loc["Total", column], sum(above), what, "Is it the sum of the rows above?")
    slide = check.variable(harley_table, "SLIDE_31")
    check.that(
        slide.loc["Pool2", "channels_out"] == 128 and slide.loc["Total", "parameters"] == 399802,
        "harley_table changed SLIDE_31 itself: work on SLIDE_31.copy().",
    )

# %% nbgrader={"grade_id": "hidden-harley_table", "grade": true, "locked": true, "points": 3}
# Also: every cell, the empty ones, too; SLIDE_31 left alone.
### BEGIN HIDDEN TESTS
def positions(n, f, p=0, s=1, d=1, ceil=False):
    steps = n + 2 * p - d * (f - 1) - 1
    if steps < 0:
        raise ValueError("the filter is larger than the padded image")
    return (-(-steps // s) if ceil else steps // s) + 1


def of_filters(c_in, c_out, f, bias=True):
    return c_out * (f * f * c_in + bool(bias))


def of_neurons(n_in, n_out, bias=True):
    return n_out * (n_in + bool(bias))


with check.using(output_size=positions, conv_parameters=of_filters, dense_parameters=of_neurons):
    slide_31_corrected = {
        "Conv1": [32, 1, 5, 0, 1, 28, 6, 4704, 26, 156],
        "Pool1": [28, 6, 2, 0, 2, 14, 6, 1176, None, 0],
        "Conv2": [14, 6, 5, 0, 1, 10, 16, 1600, 151, 2416],
        "Pool2": [10, 16, 2, 0, 2, 5, 16, 400, None, 0],
        "FC1": [400, *6 * [None], 120, 401, 48120],
        "FC2": [120, *6 * [None], 100, 121, 12100],
        "Softmax": [100, *6 * [None], 10, 101, 1010],
        "Total": [*7 * [None], 8110, None, 63802],
    }
    expected = pd.DataFrame.from_dict(slide_31_corrected, orient="index", columns=COLUMNS)
    check.table(harley_table(), expected, "harley_table()")
    printed = {
        **slide_31_corrected,
        "Pool1": [28, 6, 2, 0, 2, 14, 6, 1176, None, None],
        "Pool2": [10, 16, 2, 0, 2, 5, 128, 3200, None, None],
        "FC1": [3200, *6 * [None], 120, 3201, 384120],
        "Total": [*7 * [None], 10910, None, 399802],
    }
    check.table(
        check.variable(harley_table, "SLIDE_31"),
        pd.DataFrame.from_dict(printed, orient="index", columns=COLUMNS),
        "SLIDE_31 afterwards", "harley_table changed it: work on SLIDE_31.copy().",
    )
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** which layer had the parameters that were never there?

# %%
corrected = harley_table()["parameters"].drop("Total")
slide = SLIDE_31["parameters"].drop("Total").fillna(0)
draw.stacked(
    {"slide 31": slide.to_dict(), "corrected": corrected.to_dict()}, "Parameters of Harley's network"
)

# %% [markdown]
# FC1: five sixths of the slide's total were never there. No shame on the lecture, whose sums were
# done with care. (Harley's own program has $5 \times 5 \times 16$.)
#
# ## 7. What one neuron sees
#
# A neuron of the first layer looks at $f \times f$ pixels. One of the second looks at several of
# those, and through them at more of the image: its **receptive field**. Two numbers describe it
# along one side.
#
# - The **size**: how many pixels a neuron sees, from first to last. (A pixel sees itself: 1.)
# - The **jump**: how many pixels its neighbour's view is shifted. (Pixels: 1.)
#
# A layer with filter $f$ and stride $s$ reads $f$ neighbours. The first of these sees *size* pixels,
# and each of the other $f - 1$ adds one jump:
#
# $$\text{size} \leftarrow \text{size} + (f - 1)\cdot\text{jump}, \qquad \text{then}\quad
# \text{jump} \leftarrow \text{jump}\cdot s$$
#
# With dilation, put $d(f-1)$ for $f-1$. Pools count like any layer; padding plays no part.
#
# **Predict first,** by hand: slide 29's network is (5, 1), (2, 2), (5, 1), (2, 2). Does a neuron of
# Pool2 see the whole image, 28 pixels wide?

# %%
predict.keep("pixels that a neuron of Pool2 sees", None)

# %% [markdown]
# ### Exercise `receptive_field` (1 + 3 points)
#
# Follow size and jump through a stack of layers, and return both after each of them.
#
# <details><summary>Hint 1: the shape of the loop</summary>
#
# Start with `size, jump = 1, 1`; append the pair after each layer.
#
# </details>
# <details><summary>Hint 2: the order</summary>
#
# The size grows by the jump *before* the layer. Its own stride matters only to those behind it.
#
# </details>
# <details><summary>Hint 3: two or three numbers</summary>
#
# `for f, s, *rest in layers:` takes both; `d = rest[0] if rest else 1`.
#
# </details>

# %% nbgrader={"grade_id": "receptive_field", "solution": true}
def receptive_field(layers):
    """Size and jump of the receptive field after each layer, along one side.

    layers: from the image on, a list of (f, s) or (f, s, d): filter, stride, and dilation
    (1 where it is left out); the two forms may be mixed. The list stays as it is.
    Returns a list or tuple of pairs (size, jump), one per layer: [] for no layer.
    """
    ### BEGIN SOLUTION
    size, jump, fields = 1, 1, []
    for f, s, *rest in layers:
        d = rest[0] if rest else 1
        size += d * (f - 1) * jump
        jump *= s
        fields.append((size, jump))
    return fields
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-receptive_field", "grade": true, "locked": true, "points": 1}
check.equal(
    receptive_field([(3, 1), (3, 1)]),
    [(3, 1), (5, 1)],
    "receptive_field([(3, 1), (3, 1)])",
    "Three neighbours, one pixel apart, that see three pixels each: 5 in all.",
)
check.equal(
    receptive_field([(5, 1), (2, 2), (5, 1), (2, 2)]),
    [(5, 1), (6, 2), (14, 2), (16, 4)],
    "receptive_field([(5, 1), (2, 2), (5, 1), (2, 2)])",
    "Slide 29. Does the size grow by the jump before the layer, and is that multiplied by s after?",
)
check.equal(
    receptive_field([(3, 1, 2)]),
    [(5, 1)],
    "receptive_field([(3, 1, 2)])",
    "Taps 0, 2 and 4: spread by 2, a filter of 3 sees over 5 pixels.",
)

# %% nbgrader={"grade_id": "hidden-receptive_field", "grade": true, "locked": true, "points": 3}
# Also: 40 random stacks, some dilated, against what gradients say; AlexNet, VGG16, a network that sees
# more than its image; no layer at all; the list left alone.
### BEGIN HIDDEN TESTS
import random

import torch
import torch.nn.functional as F


def seen(layers):
    """(size, jump) from the pixels that reach two neighbouring outputs of a stack of ones."""
    n = 2
    for f, s, d in reversed(layers):
        n = (n - 1) * s + d * (f - 1) + 1
    x = torch.zeros(1, 1, n, dtype=torch.float64, requires_grad=True)
    y = x
    for f, s, d in layers:
        y = F.conv1d(y, torch.ones(1, 1, f, dtype=torch.float64), stride=s, dilation=d)
    ends = []
    for k in range(2):
        (gradient,) = torch.autograd.grad(y[0, 0, k], x, retain_graph=True)
        pixels = gradient[0, 0].nonzero()
        ends.append((int(pixels.min()), int(pixels.max())))
    return ends[0][1] - ends[0][0] + 1, ends[1][0] - ends[0][0]


rng = random.Random(512)
for k in range(40):
    layers = [
        (rng.randint(1, 5), rng.randint(1, 3), rng.randint(1, 3) if k % 2 else 1)
        for _ in range(rng.randint(1, 4))
    ]
    short = [layer if layer[2] > 1 else layer[:2] for layer in layers]
    expected = [seen(layers[:depth]) for depth in range(1, len(layers) + 1)]
    what, kept = f"receptive_field({short})", [*short]
    check.equal(receptive_field(short), expected, what)
    check.that(short == kept, "receptive_field changed the list of layers.")

pool = (3, 2)
alexnet = receptive_field([(11, 4), pool, (5, 1), pool, (3, 1), (3, 1), (3, 1), pool])
check.equal(alexnet[-1], (195, 32), "the last pair of AlexNet's")
blocks = [count * [(3, 1)] + [(2, 2)] for count in (2, 2, 3, 3, 3)]
vgg16 = receptive_field([layer for block in blocks for layer in block])
check.equal(vgg16[-1], (212, 32), "the last pair of VGG16's")
wide = receptive_field([(7, 4)] * 4)
check.equal(wide[-1], (511, 256), "the last pair of four layers (7, 4)", "No image limits it.")
check.equal(receptive_field([]), [], "receptive_field([])", "No layer, no pair.")
### END HIDDEN TESTS

# %%
fields = receptive_field([(5, 1), (2, 2), (5, 1), (2, 2)])
draw.receptive_fields(["Conv1", "Pool1", "Conv2", "Pool2"], fields, n=28)
predict.compare("pixels that a neuron of Pool2 sees", fields[-1][0])

# %% [markdown]
# Sixteen of 28. No neuron before FC1 has ever seen a whole image; putting the parts together is
# FC1's work. And two filters of 3 in a row see 5 pixels: VGG's trick (slide 37), and the cheaper
# bar of section 3.
#
# ### Exercise `own_code` (1 point)
#
# Three questions about what *your* functions return, with pencil and paper: 24 pixels, a filter of 4,
# padding 1, stride 3. What does your `output_size` return? How many of the 26 padded pixels along one
# side does no position cover? And what is the last size that your `receptive_field` gives for (3, 1), (3, 2), (3, 1), (3, 2)?
#
# <details><summary>Hint: the pixels that are left</summary>
#
# Where does the last position end? Why can what is left over never be as much as a stride?
#
# </details>

# %% nbgrader={"grade_id": "own_code", "solution": true} needs=["output_size", "receptive_field"]
def own_code():
    """Answers about your functions: {"out": ..., "left_over": ..., "sees": ...}, whole numbers."""
    ### BEGIN SOLUTION
    out = output_size(24, 4, p=1, s=3)
    sees = receptive_field([(3, 1), (3, 2), (3, 1), (3, 2)])[-1][0]
    return {"out": out, "left_over": 26 - (3 * (out - 1) + 4), "sees": sees}
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-own_code", "grade": true, "locked": true, "points": 1}
# Compared with what your own functions return.
### BEGIN HIDDEN TESTS
replies, out = own_code(), output_size(24, 4, p=1, s=3)
check.that(isinstance(replies, dict), "own_code() should return a dictionary.")
check.equal(sorted(replies), ["left_over", "out", "sees"], "the keys of own_code(), sorted")
expected = {"out": out, "left_over": 26 - (3 * (out - 1) + 4)}
expected["sees"] = receptive_field([(3, 1), (3, 2), (3, 1), (3, 2)])[-1][0]
wrong = [key for key in expected if replies[key] != expected[key]]
check.that(not wrong, f"Your own functions give another number for {', '.join(wrong)}.")
### END HIDDEN TESTS

# %% [markdown]
# ## 8. What if?
#
# ### Exercise `quiz` (1 + 3 points)
#
# Change **one** thing of slide 29's network at a time; all else stays: filters, strides, FC1's 100
# neurons. What becomes of its numbers? Answer `"more"`, `"fewer"` or `"same"`; the last two answers
# are numbers. **Predict first,** all of them, then check with your functions.
#
# <details><summary>Hint 1: two questions for each</summary>
#
# Does the change touch something in that layer's formula? If not: does it change its *inputs*?
#
# </details>
# <details><summary>Hint 2: which layers notice the image's size?</summary>
#
# A convolution's parameters do not know it. Who does?
#
# </details>
# <details><summary>Hint 3: the two numbers</summary>
#
# Follow `out` from layer to layer, then count FC1 anew. Only FC1 changes.
#
# </details>

# %% nbgrader={"grade_id": "quiz", "solution": true} needs=["output_size", "conv_parameters", "dense_parameters"]
def quiz():
    """Slide 29's network with one thing changed: a dictionary of answers.

    The image grows to 32 x 32.   "image_conv"    parameters of Conv1 and Conv2
                                  "image_dense"   parameters of FC1
    Both pools are left out.      "pools_conv"    parameters of Conv1 and Conv2
                                  "pools_neurons" neurons of all other layers
    Average, not max pools.       "average_total" parameters in all
    Conv1 gets stride 2.          "stride_conv"   parameters of Conv1
                                  "stride_neurons" neurons of Conv1
    Conv1 gets padding 2.         "padding_total" parameters in all
    Conv1 gets 20 filters.        "filters_conv2" parameters of Conv2
                                  "filters_dense" parameters of FC1
    In numbers: parameters in all "image_total"   with an image of 32 x 32
                                  "pools_total"   without the two pools
    """
    ### BEGIN SOLUTION
    return {
        "image_conv": "same",
        "image_dense": "more",
        "pools_conv": "same",
        "pools_neurons": "more",
        "average_total": "same",
        "stride_conv": "same",
        "stride_neurons": "fewer",
        "padding_total": "more",
        "filters_conv2": "more",
        "filters_dense": "same",
        "image_total": 260 + 5020 + dense_parameters(5 * 5 * 20, 100) + 1010,
        "pools_total": 260 + 5020 + dense_parameters(20 * 20 * 20, 100) + 1010,
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-quiz", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def positions(n, f, p=0, s=1, d=1, ceil=False):
    steps = n + 2 * p - d * (f - 1) - 1
    if steps < 0:
        raise ValueError("the filter is larger than the padded image")
    return (-(-steps // s) if ceil else steps // s) + 1


def of_filters(c_in, c_out, f, bias=True):
    return c_out * (f * f * c_in + bool(bias))


def of_neurons(n_in, n_out, bias=True):
    return n_out * (n_in + bool(bias))


references = {
    "output_size": positions, "conv_parameters": of_filters, "dense_parameters": of_neurons,
}
### END HIDDEN TESTS
with check.using(**references):
    answers = quiz()
    check.that(isinstance(answers, dict), "quiz() should return a dictionary.")
    words = ["image_conv", "image_dense", "pools_conv", "pools_neurons", "average_total"]
    words += ["stride_conv", "stride_neurons", "padding_total", "filters_conv2", "filters_dense"]
    totals = ["image_total", "pools_total"]
    for key in words + totals:
        check.that(key in answers, f"quiz() does not answer {key!r}.")
    for key in words:
        check.that(
            answers[key] in ("more", "fewer", "same"),
            f"{key} is {answers[key]!r}: the answers are 'more', 'fewer' and 'same'.",
        )
    for key in totals:
        check.that(
            (answers[key] - 38390) % 100 == 0,
            f"{key} does not differ from slide 29's total by whole hundreds: FC1 has 100 neurons, each "
            "further input brings 100 weights, and nothing else changes.",
        )

# %% nbgrader={"grade_id": "hidden-quiz", "grade": true, "locked": true, "points": 3}
# Also: the ten words and the two numbers.
### BEGIN HIDDEN TESTS
def positions(n, f, p=0, s=1, d=1, ceil=False):
    steps = n + 2 * p - d * (f - 1) - 1
    if steps < 0:
        raise ValueError("the filter is larger than the padded image")
    return (-(-steps // s) if ceil else steps // s) + 1


def of_filters(c_in, c_out, f, bias=True):
    return c_out * (f * f * c_in + bool(bias))


def of_neurons(n_in, n_out, bias=True):
    return n_out * (n_in + bool(bias))


with check.using(output_size=positions, conv_parameters=of_filters, dense_parameters=of_neurons):
    answers = quiz()
    right = {
        "image_conv": "same",
        "image_dense": "more",
        "pools_conv": "same",
        "pools_neurons": "more",
        "average_total": "same",
        "stride_conv": "same",
        "stride_neurons": "fewer",
        "padding_total": "more",
        "filters_conv2": "more",
        "filters_dense": "same",
        "image_total": 56390,
        "pools_total": 806390,
    }
    wrong = [key for key in right if answers.get(key) != right[key]]
    check.that(not wrong, f"Think again about {', '.join(wrong)}.")
### END HIDDEN TESTS

# %% [markdown]
# So what do pools save (slide 26)? Counted with your functions:

# %%
def count(n, pools=True):
    """Parameters by layer of slide 29's network on an image of n x n."""
    counts, channels = {}, 1
    for name, filters in (("Conv1", 10), ("Conv2", 20)):
        counts[name] = conv_parameters(channels, filters, 5)
        n, channels = output_size(n, 5), filters
        n = output_size(n, 2, s=2) if pools else n
    counts["FC1"] = dense_parameters(n * n * channels, 100)
    counts["Softmax"] = dense_parameters(100, 10)
    return counts


variants = {"slide 29": count(28), "image of 32": count(32), "without pools": count(28, pools=False)}
draw.stacked(variants, "Parameters when one thing changes")

# %% [markdown]
# Two pools without a single parameter save 768,000: slide 26 has the right effect and the wrong
# owner. And slide 21's "independent of the size of the input image" is true of a convolution, not
# of a network with a dense end.
#
# ## Remember
#
# > - Output: $\lfloor (n + 2p - f)/s \rfloor + 1$. Down, unless someone says `ceil`.
# > - $p = (f-1)/2$ keeps the size, for odd $f$ only.
# > - A filter is as deep as its input, has **one** bias, and makes **one** channel.
# > - A pool keeps the channels and has no parameters. It saves them in the dense layer behind it.
# > - Neurons live in front, parameters behind.
# > - A total that adds up proves little; an invariant proves more.
# > - Size grows by $(f-1) \cdot$ jump; then the jump is multiplied by the stride.
# > - Parameters, multiply-accumulates and activation memory are three bills, paid by different layers.
#
# And your predictions, those that you kept:

# %%
predict.table()

# %% [markdown]
# ## Further exercises (no points)
#
# ★ **Work, not size.** Show that slide 29's network needs 497,000 multiply-accumulates per image. Which
# layer does most?
#
# ★ **A dense layer in disguise.** FC1 reads $4 \times 4$ maps of 20 channels. Which call of
# `conv_parameters` gives its 32,100? What would such a layer put out on a larger image?
#
# ★★ **VGG19** has a fourth convolution in each of its last three blocks. Count its parameters:
# 143,667,240.
#
# ★★ **Halving.** Show that $f = 3$, $p = 1$, $s = 2$ turns every $n$ into $\lceil n/2 \rceil$.
#
# ★★★ **See everything.** How many $3 \times 3$ convolutions, stride 1, does it take to see 227
# pixels? And how few with dilations 1, 2, 4, 8, ...?
