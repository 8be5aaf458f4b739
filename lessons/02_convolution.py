# %% [markdown]
# # 02 Convolution, built three times
#
# Once you have written a convolution, you no longer fear one. Today you write it three times: with loops,
# as one product of matrices, and as a single large matrix. The first is slow and clear, the second
# is what fast libraries do, and the third shows what a convolution *is*, and what it becomes when
# you turn it around.
#
# **You will be able to**
#
# - say which pixels an output reads, and which outputs a pixel reaches;
# - write padding, stride, channels and bias, and test them against PyTorch;
# - turn loops into one matrix product, and see what it gains;
# - read sparse connections and shared weights off a matrix, and count what they save;
# - run a convolution backwards, compute its gradients by hand, and dilate a kernel.
#
# **Time** three to five hours; after section 4 is a good place to stop for the day. **Slides** 12 to
# 23. **Points** 34. **You need** lesson 01's filters.
#
# Names are PyTorch's. Images `x` have shape (N, C, H, W): how many, channels, height, width. The
# weights `w` of a layer have shape (C_out, C_in, kH, kW). A lone `kernel` is (kH, kW).

# %% nbgrader={"grade_id": "setup", "locked": true}
import time

import torch
import torch.nn.functional as F

from course import check, data, draw, predict, recall

images, labels = data.digits()
digit = torch.tensor(images[1250][None, None] / 255, dtype=torch.float32)  # (1, 1, 28, 28)
FILTERS = torch.tensor(
    [
        [[1, 2, 1], [0, 0, 0], [-1, -2, -1]],
        [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
        [[2, 1, 0], [1, 0, -1], [0, -1, -2]],
        [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    ],
    dtype=torch.float32,
)[:, None]  # (4, 1, 3, 3)

# %% [markdown]
# ## Three minutes of retrieval
#
# ### Exercise `retrieval` (1 point)
#
# What you fetch from memory stays there. So each lesson from now on opens with five questions on
# earlier ones, without looking anything up. Your name draws your numbers; the feedback explains what
# went wrong.
#
# - `size` An image of n x n pixels under a kernel of f x f: how many rows has the response?
# - `flat` A kernel whose weights add up to `total`, on an area that is `grey` throughout: the response?
# - `byte` What is a + b, added in `uint8`?
# - `stack` Two filters in a row, f x f and g x g, without a nonlinearity: how wide is the one kernel
#   that does the same?
# - `sign` The response of `sobel_x` where an image gets brighter to the right: `"positive"`,
#   `"negative"` or `"zero"`?

# %% nbgrader={"grade_id": "setup-retrieval", "locked": true}
def questions(name):
    """The numbers of your questions: any name will do, but stay with it."""
    ranges = (20, 60), (3, 7), (10, 90), (2, 5), (130, 200), (90, 120), (2, 6)
    letters = ("n", "f", "grey", "total", "a", "b", "g")
    return dict(zip(letters, recall.numbers(name, *ranges), strict=True))

# %%
print(questions("ada"))  # put in your own name

# %% nbgrader={"grade_id": "retrieval", "solution": true}
def retrieval():
    """The name that drew your numbers, and your replies.

    Returns ("ada", {"size": ..., "flat": ..., "byte": ..., "stack": ..., "sign": ...}).
    """
    ### BEGIN SOLUTION
    q = questions("ada")
    return "ada", {
        "size": q["n"] - q["f"] + 1,
        "flat": q["total"] * q["grey"],
        "byte": (q["a"] + q["b"]) % 256,
        "stack": q["f"] + q["g"] - 1,
        "sign": "positive",
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-retrieval", "grade": true, "locked": true, "points": 1}
# Each reply counts a fifth.
### BEGIN HIDDEN TESTS
name, replies = retrieval()
q = questions(name)
recall.mark(replies, {
    "size": (q["n"] - q["f"] + 1, "The kernel fits at n - f + 1 places down."),
    "flat": (q["total"] * q["grey"], "Each weight is multiplied by the same grey: their sum counts."),
    "byte": ((q["a"] + q["b"]) % 256, "A byte ends at 255 and begins again at 0."),
    "stack": (q["f"] + q["g"] - 1, "The second filter sees g neighbours of the first, f pixels each."),
    "sign": ("positive", "Its plus is at the right (slide 11); slide 9's filter has the other sign."),
})
### END HIDDEN TESTS

# %% [markdown]
# ## 1. One output, by hand
#
# Slide 12 numbers the pixels of a $4 \times 4$ image row by row, $x_0$ to $x_{15}$, and lays a
# kernel of nine weights on its top left corner:
#
# $$y_0 = w_0x_0 + w_1x_1 + w_2x_2 + w_3x_4 + w_4x_5 + w_5x_6 + w_6x_8 + w_7x_9 + w_8x_{10}$$
#
# Why does $x_3$ not appear, and why does $x_4$ follow $x_2$? In the picture each pixel has the
# colour of the weight that lies on it. Slide 13 adds a bias $b$, **one** number for all
# positions, and lets an activation have the last word: $y_0 = g(\ldots + b)$.

# %%
draw.taps({"y0": [0, 1, 2, 4, 5, 6, 8, 9, 10]})

# %% [markdown]
# There are four places for the kernel: $y_1$ stands right of $y_0$, and $y_2$ below it.
#
# ### Exercise `by_hand` (1 + 2 points)
#
# **Predict first,** and only predict: pencil and paper, no code. Write your answers into the
# dictionary.
#
# <details><summary>Hint 1: one step to the right</summary>
#
# Each weight moves from pixel $x_k$ to its right neighbour. What is that one's number?
#
# </details>
# <details><summary>Hint 2: one step down</summary>
#
# A row has four pixels.
#
# </details>
# <details><summary>Hint 3: the numbers</summary>
#
# Only six of nine weights are not zero: $(x_0 - x_2) + (x_4 - x_6) + (x_8 - x_{10})$. Then $b$,
# once. Then ReLU: negative becomes 0.
#
# </details>

# %% nbgrader={"grade_id": "by_hand", "solution": true}
def by_hand():
    """Slides 12 and 13, by hand: a dictionary of answers.

    "y1", "y2", "y3"   list of the nine pixels that this output reads, the one under w0 first
    "x3", "x4", "x5"   list of the outputs (0 to 3) that read this pixel, in any order
    Let every pixel hold its own number, x_k = k, let each row of the kernel be 1 0 -1
    (slide 9), and b = 4:
    "z0"               y0 with its bias, before g
    "y0"               y0 in the end, g = ReLU
    """
    ### BEGIN SOLUTION
    return {
        "y1": [1, 2, 3, 5, 6, 7, 9, 10, 11],
        "y2": [4, 5, 6, 8, 9, 10, 12, 13, 14],
        "y3": [5, 6, 7, 9, 10, 11, 13, 14, 15],
        "x3": [1],
        "x4": [0, 2],
        "x5": [0, 1, 2, 3],
        "z0": -2,
        "y0": 0,
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-by_hand", "grade": true, "locked": true, "points": 1}
answers = by_hand()
check.that(isinstance(answers, dict), "by_hand() should return a dictionary.")
for key in ("y1", "y2", "y3", "x3", "x4", "x5", "z0", "y0"):
    check.that(key in answers, f"by_hand() does not answer {key!r}.")
for key in ("y1", "y2", "y3"):
    answers[key] = [int(pixel) for pixel in answers[key]]
    check.equal(len(set(answers[key])), 9, f"the number of different pixels that {key} reads")
    check.that(set(answers[key]) <= set(range(16)), f"{key} reads a pixel that is not there.")
check.equal(answers["y1"][0], 1, "the first pixel of y1", "One step right of y0: w0 lies on x1.")
check.that(answers["z0"] != 30, "z0 is 30: b is added once, not once for each weight.")
check.equal(answers["y0"], max(answers["z0"], 0), "y0", "ReLU of z0.")

# %% nbgrader={"grade_id": "hidden-by_hand", "grade": true, "locked": true, "points": 2}
# Also: each pixel of y1, y2 and y3, the outputs of each pixel, and z0.
### BEGIN HIDDEN TESTS
answers = by_hand()
corners = {"y1": 1, "y2": 4, "y3": 5}
wrong = [
    key for key, corner in corners.items()
    if list(answers[key]) != [corner + 4 * i + j for i in range(3) for j in range(3)]
]
readers = {"x3": [1], "x4": [0, 2], "x5": [0, 1, 2, 3]}
wrong += [key for key, outputs in readers.items() if sorted(answers[key]) != outputs]
check.that(not wrong, f"Think again about {', '.join(wrong)}.")
check.equal(answers["z0"], -2, "z0", "Three rows of 0 - 2, 4 - 6, 8 - 10, and b = 4 once.")
### END HIDDEN TESTS

# %%
answers = by_hand()
draw.taps({"y0": [0, 1, 2, 4, 5, 6, 8, 9, 10]} | {key: answers[key] for key in ("y1", "y2", "y3")})

# %% [markdown]
# Pixel $x_3$ is read once, $x_5$ four times. Corners have little say in a convolution, and that is
# one reason for padding.
#
# ## 2. Padding
#
# **Padding** is a frame of $p$ zeros around each channel of each image: (N, C, H, W) becomes
# (N, C, H + 2p, W + 2p). Slides 16 to 18 pad by 1, so that a kernel of 3 keeps the image's size.
#
# ### Exercise `pad2d` (1 + 2 points)
#
# Return a padded copy. Write it by hand: `pad` of torch and NumPy are the referees.
#
# <details><summary>Hint 1: where to begin</summary>
#
# `x.new_zeros(...)` makes zeros of the type of `x`. How large?
#
# </details>
# <details><summary>Hint 2: then</summary>
#
# Copy `x` into the middle. In which row and column does it begin, and where does it end?
#
# </details>
# <details><summary>Hint 3: a trap</summary>
#
# `p:-p` is neat. Why does it fail for `p = 0`, and what says the same safely?
#
# </details>

# %% nbgrader={"grade_id": "pad2d", "solution": true}
def pad2d(x, p):
    """`x` (N, C, H, W) in a frame of p zeros: a new tensor (N, C, H + 2p, W + 2p), of x's type.

    p is a whole number, 0 or more; batch and channels are not padded. Slides 16 to 18.
    """
    ### BEGIN SOLUTION
    n, c, height, width = x.shape
    padded = x.new_zeros(n, c, height + 2 * p, width + 2 * p)
    padded[:, :, p : p + height, p : p + width] = x
    return padded
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-pad2d", "grade": true, "locked": true, "points": 1}
x = torch.ones(2, 3, 4, 5)
check.shape(pad2d(x, 1), (2, 3, 6, 7), "pad2d of (2, 3, 4, 5) with p=1", "The frame has p rows above and p below, p columns at either side.")
check.close(
    pad2d(torch.tensor([[[[1.0, 2], [3, 4]]]]), 1),
    [[[[0, 0, 0, 0], [0, 1, 2, 0], [0, 3, 4, 0], [0, 0, 0, 0]]]],
    "pad2d of the image 1 2 / 3 4 with p=1",
    "Zeros on all four sides, the image in the middle.",
)
check.by_hand(pad2d, x, 1, without="pad")

# %% nbgrader={"grade_id": "hidden-pad2d", "grade": true, "locked": true, "points": 2}
# Also: p = 0, wide frames, images that are not square, the type of the result, the input left alone, a
# new tensor for each call, no `pad` of a library.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(12)
for shape, p in (
    ((1, 1, 3, 3), 0), ((2, 3, 4, 7), 0), ((3, 2, 6, 4), 1), ((2, 4, 1, 5), 2), ((1, 3, 5, 2), 6),
):
    x = torch.randn(shape, generator=numbers, dtype=torch.float64)
    before = x.clone()
    check.close(
        pad2d(x, p), F.pad(x, (p, p, p, p)), f"pad2d of {shape} with p={p}",
        "Check p = 0, and that height and width are not mixed up.",
    )
    check.close(x, before, "the input of pad2d afterwards", "Work on a copy.")
    check.by_hand(pad2d, x, p, without="pad")
    check.that(
        not check.shares_memory(pad2d, x, p),
        f"With p={p} pad2d returns its input, or a view of it: a new tensor was asked for.",
    )
    for dtype in (torch.float64, torch.float32):
        check.dtype(pad2d(x.to(dtype), p), dtype, f"pad2d of an x of {dtype}")
check.that(
    not check.reuses_memory(pad2d, x, 1),
    "A second call of pad2d changes the result of the first: return a new tensor.",
)
### END HIDDEN TESTS

# %%
draw.gallery(
    [{"digit": digit[0, 0].numpy()} | {f"p = {p}": pad2d(digit, p)[0, 0].numpy() for p in (2, 6)}],
    "A digit, and twice the same digit in a growing black frame. Its size stays, the image grows "
    "from 28 by 28 to 32 by 32 and to 40 by 40.",
    inner=(28, 28),
)

# %% [markdown]
# ## 3. The first time: loops
#
# Two things are missing. The **stride** $s$, the step from one position to the next: output $(i, j)$
# looks at rows $s\,i$ to $s\,i + k_H - 1$ of the padded image, and likewise at columns. And depth (slides 19, 20): an image
# has **channels**, such as red, green and blue. A filter reaches through all channels of its input and
# adds up everything it covers, so each filter makes one channel.
#
# **Predict first:** how many channels come out if two filters of shape (3, 3, 3) meet a colour
# image?

# %%
predict.keep("channels of two filters on a colour image", None)

# %%
draw.volumes()

# %% [markdown]
# So the weights of a layer are a block (C_out, C_in, kH, kW), and one number of the output is
#
# $$y_{n,k,i,j} = b_k + \sum_{c}\sum_{u}\sum_{v} w_{k,c,u,v}\; x_{n,\,c,\,s i + u,\,s j + v}$$
#
# with $x$ already padded. The output has $H' = \lfloor (H + 2p - k_H)/s \rfloor + 1$ rows.
#
# **A correction.** Slides 17, 18 and 23 leave out the rounding $\lfloor\cdot\rfloor$: with
# 8 pixels, a kernel of 3 and stride 2 they promise 3.5. A step that does not fit is not taken.
# Lesson 03 has more to say about it.
#
# (As in lesson 01, "convolution" does not turn the kernel.)
#
# ### A worked example: one dimension
#
# The same on a signal, one channel, stride 1. Read it for its three subgoals: they return in all
# convolutions.

# %%
def conv1d(x, w):
    """Cross-correlation of a signal x (n,) with weights w (k,): (n - k + 1,)."""
    # Subgoal 1: how large is the output?
    positions = len(x) - len(w) + 1
    y = x.new_zeros(positions)
    for i in range(positions):
        # Subgoal 2: what does the window of output i cover?
        window = x[i : i + len(w)]
        # Subgoal 3: multiply and add up.
        y[i] = (window * w).sum()
    return y


print(conv1d(torch.tensor([0.0, 0, 1, 1, 1]), torch.tensor([-1.0, 1])))

# %% [markdown]
# ### Exercise `conv1d_strided` (1 point)
#
# The same subgoals, now with a stride and a bias; what stands under each of them is missing. Fill
# the gaps. Then `conv2d_loops` is this, with more letters.
#
# <details><summary>Hint: the remainder</summary>
#
# Five pixels, a window of 2, stride 2: which steps fit, and why is one pixel never looked at?
#
# </details>

# %% nbgrader={"grade_id": "conv1d_strided", "solution": true}
def conv1d_strided(x, w, b, stride):
    """Cross-correlation of x (n,) with w (k,), plus the number b: ((n - k) // stride + 1,).

    x and w are float tensors; the result is a tensor of x's type.
    """
    # Subgoal 1: how large is the output? Make `positions`, and zeros `y` of that length.
    ### BEGIN SOLUTION
    positions = (len(x) - len(w)) // stride + 1
    y = x.new_zeros(positions)
    ### END SOLUTION
    for i in range(positions):
        # Subgoal 2: where does the window of output i start, and what does it cover?
        ### BEGIN SOLUTION
        window = x[i * stride : i * stride + len(w)]
        ### END SOLUTION
        # Subgoal 3: multiply and add up; add the bias, once.
        ### BEGIN SOLUTION
        y[i] = (window * w).sum() + b
        ### END SOLUTION
    return y

# %% nbgrader={"grade_id": "test-conv1d_strided", "grade": true, "locked": true, "points": 1}
numbers = torch.Generator().manual_seed(13)
for n, k, stride in ((5, 2, 2), (5, 2, 1), (9, 3, 2), (7, 7, 3), (10, 1, 4), (11, 3, 5)):
    x, w = (torch.randn(size, generator=numbers, dtype=torch.float64) for size in (n, k))
    check.close(
        conv1d_strided(x, w, 0.5, stride), F.conv1d(x[None, None], w[None, None], stride=stride)[0, 0] + 0.5,
        f"{n} pixels under {k} weights, stride {stride}, bias 0.5",
        "Does output i start at i * stride, is the division rounded down, the bias added once?",
    )
    check.dtype(
        conv1d_strided(x, w, 0.5, stride), torch.float64, "the result for an x of torch.float64",
        "`x.new_zeros(...)` makes zeros of the type of x.",
    )

# %% [markdown]
# ### Exercise `conv2d_loops` (1 + 3 points)
#
# Write the sum as loops. Take it literally; it may be slow. Torch's convolutions and `unfold` are
# the referees, so leave them alone.
#
# <details><summary>Hint 1: which loops</summary>
#
# Pad first. Then loop over the output: image `n`, filter `k`, row `i`, column `j`.
#
# </details>
# <details><summary>Hint 2: the three inner sums</summary>
#
# They need no loops: cut out the window `x[n, :, top : top + kH, left : left + kW]`, which has the
# shape of `w[k]`, multiply the two, and take `.sum()`.
#
# </details>
# <details><summary>Hint 3: what is easily forgotten</summary>
#
# Where does a window start when the stride is 3? How often is the bias added to one output, and
# what if there is none?
#
# </details>
# <details><summary>A puzzle, if the stub looks too empty</summary>
#
# Put these lines in order. Two of them belong to other functions: which, and why?
#
#     y[n, k, i, j] = (x[n, :, top : top + kh, left : left + kw] * w[k]).sum()
#     for i in range(rows):
#     x = pad2d(x, padding)
#     top, left = i + stride, j + stride
#     for n in range(len(x)):
#     rows = (x.shape[2] - kh) // stride + 1
#     for k in range(c_out):
#     y[n, k, i, j] += b[k] * w[k].numel()
#     top, left = i * stride, j * stride
#     for j in range(columns):
#
# </details>

# %% nbgrader={"grade_id": "conv2d_loops", "solution": true} needs=["pad2d"]
def conv2d_loops(x, w, b, stride, padding):
    """Convolution of images `x` with weights `w`, as PyTorch's F.conv2d defines it.

    x (N, C_in, H, W), w (C_out, C_in, kH, kW): float tensors, left unchanged
    b (C_out,), or None for no bias
    stride 1 or more, padding 0 or more: whole numbers, the same along both sides

    Returns a new tensor (N, C_out, H', W') of the type of x, H' = (H + 2 padding - kH) // stride
    + 1, W' likewise. Slides 12 to 20.
    """
    ### BEGIN SOLUTION
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows, columns = ((x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1)
    y = x.new_zeros(len(x), c_out, rows, columns)
    for n in range(len(x)):
        for k in range(c_out):
            for i in range(rows):
                for j in range(columns):
                    top, left = i * stride, j * stride
                    y[n, k, i, j] = (x[n, :, top : top + kh, left : left + kw] * w[k]).sum()
            if b is not None:
                y[n, k] += b[k]
    return y
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-conv2d_loops", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def zeros_around(x, p):
    return F.pad(x, (p, p, p, p))


references = {"pad2d": zeros_around}
### END HIDDEN TESTS
with check.using(**references):
    step = torch.tensor([[10.0, 10, 10, 0, 0, 0]] * 6)[None, None]
    vertical = torch.tensor([[1.0, 0, -1]] * 3)[None, None]
    check.close(
        conv2d_loops(step, vertical, None, 1, 0), [[[[0, 30, 30, 0]] * 4]],
        "slide 9's filtered image", "If it is -30: the kernel is not flipped.",
    )
    middle = torch.zeros(1, 1, 3, 3)
    middle[0, 0, 1, 1] = 1  # a kernel that copies the pixel under its middle
    check.close(
        conv2d_loops(torch.arange(25.0).reshape(1, 1, 5, 5), middle, None, 2, 1),
        [[[[0, 2, 4], [10, 12, 14], [20, 22, 24]]]],
        "every second pixel of 0 to 24 (slide 17: stride 2, padding 1)",
        "Does output (i, j) start at row i * stride, and is there padding on both sides?",
    )
    y = conv2d_loops(torch.ones(1, 3, 6, 6), torch.ones(2, 3, 3, 3), torch.tensor([0.0, 1]), 1, 0)
    check.shape(y, (1, 2, 4, 4), "the output of slide 20's two filters", "One channel per filter.")
    check.close(
        y[0, :, 0, 0], [27, 28], "one number of each output channel (slide 19: 27, with bias 28)",
        "9 means that channels are not added up; over 28, that the bias is added more than once.",
    )
    check.by_hand(conv2d_loops, step, vertical, None, 1, 0, without="conv correlate unfold")

# %% nbgrader={"grade_id": "hidden-conv2d_loops", "grade": true, "locked": true, "points": 3}
# Also: thirty random layers against F.conv2d in float64: batches, images and kernels that are not
# square, strides with a remainder, with and without bias; the type of the result; inputs left alone; a
# new tensor for each call; no torch conv.
### BEGIN HIDDEN TESTS
def zeros_around(x, p):
    return F.pad(x, (p, p, p, p))


with check.using(pad2d=zeros_around):
    import random

    rng, numbers = random.Random(1220), torch.Generator().manual_seed(1220)
    for case in range(30):
        n, c_in, c_out = rng.randint(1, 2), rng.randint(1, 3), rng.randint(1, 3)
        kh, kw, padding = rng.randint(1, 3), rng.randint(1, 4), rng.randint(0, 2)
        height, width, stride = rng.randint(3, 7), rng.randint(4, 8), rng.randint(1, 3)
        if case == 0:  # several images, channels not filters, not square, a remainder of 1 each way
            n, c_in, c_out, kh, kw, padding, height, width, stride = 2, 3, 2, 2, 3, 1, 7, 8, 3
        x = torch.randn(n, c_in, height, width, generator=numbers, dtype=torch.float64)
        w = torch.randn(c_out, c_in, kh, kw, generator=numbers, dtype=torch.float64)
        b = torch.randn(c_out, generator=numbers, dtype=torch.float64) if case % 3 < 2 else None
        kept = x.clone(), w.clone()
        check.close(
            conv2d_loops(x, w, b, stride, padding), F.conv2d(x, w, b, stride, padding),
            f"x {tuple(x.shape)}, w {tuple(w.shape)}, {'no ' * (b is None)}bias, stride {stride}, "
            f"padding {padding}: y",
        )
        check.close(x, kept[0], "x afterwards", "Leave the input as it is.")
        check.close(w, kept[1], "w afterwards", "Leave the weights as they are.")
        if case < 6:
            check.by_hand(conv2d_loops, x, w, b, stride, padding, without="conv correlate unfold")
    for dtype in (torch.float64, torch.float32):
        case = x.to(dtype), w.to(dtype), None, stride, padding
        check.dtype(conv2d_loops(*case), dtype, f"the output for an x of {dtype}")
    check.that(
        not check.reuses_memory(conv2d_loops, x, w, None, stride, padding),
        "A second call of conv2d_loops changes the result of the first: return a new tensor.",
    )
### END HIDDEN TESTS

# %% [markdown]
# Four filters in the manner of lesson 01, on a digit: one layer, (1, 28, 28) to (4, 28, 28), then
# the ReLU of slide 15. **Predict first:** which map responds to horizontal strokes? What does ReLU
# keep of it?

# %% jupyter={"source_hidden": true}
maps = conv2d_loops(digit, FILTERS, None, 1, 1)[0].numpy()
names = ("horizontal", "vertical", "diagonal", "edges")
draw.gallery(
    [
        {"digit": digit[0, 0].numpy()},
        dict(zip(names, maps, strict=True)),
        {f"{name}, ReLU": each.clip(0) for name, each in zip(names, maps, strict=True)},
    ],
    "A digit; below it four maps of edges, red where the response of the filter is positive, "
    "blue where it is negative; below those the same maps after ReLU, where the blue is gone.",
)

# %% [markdown]
# Each edge had a red side and a blue one; ReLU keeps the red.
#
# **Predict first:** what do strides 2 and 4 do to the last map, and how large will it be?

# %% jupyter={"source_hidden": true}
edges = {
    f"stride {s}": conv2d_loops(digit, FILTERS[3:], None, s, 1)[0, 0].numpy() for s in (1, 2, 4)
}
draw.gallery([edges], "A map of edges with strides 1, 2 and 4: 28, 14 and 7 pixels wide.")
two_filters = conv2d_loops(torch.ones(1, 3, 6, 6), torch.ones(2, 3, 3, 3), None, 1, 0)
predict.compare("channels of two filters on a colour image", two_filters.shape[1])

# %% [markdown]
# A stride is not a better look from afar. It computes every second (or fourth) number and never the
# others.
#
# ### Exercise `own_code` (1 point)
#
# Two questions about *your* `conv2d_loops`: `x` is (2, 3, 11, 8), `w` is (4, 3, 3, 2), stride 3,
# padding 1, no bias. Which shape does it return? And how often does its busiest statement run, the
# heads of loops aside? As in lesson 01: over however many lines it is written, and a comprehension does
# not repeat its statement. What runs in `pad2d` does not count.
#
# <details><summary>Hint: one after the other</summary>
#
# First the shape, with both remainders. Then: once for each what does your innermost statement run, and
# why does the number of filters matter to some ways of writing it, and not to others?
#
# </details>

# %% nbgrader={"grade_id": "own_code", "solution": true} needs=["conv2d_loops"]
def own_code():
    """Answers about your conv2d_loops: {"shape": four numbers, "runs": a number}."""
    ### BEGIN SOLUTION
    case = torch.ones(2, 3, 11, 8), torch.ones(4, 3, 3, 2), None, 3, 1
    y = conv2d_loops(*case)
    return {"shape": tuple(y.shape), "runs": check.line_runs(conv2d_loops, *case)}
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-own_code", "grade": true, "locked": true, "points": 1}
# Compared with your own function, while it runs.
### BEGIN HIDDEN TESTS
def zeros_around(x, p):
    return F.pad(x, (p, p, p, p))


with check.using(pad2d=zeros_around):
    replies, case = own_code(), (torch.ones(2, 3, 11, 8), torch.ones(4, 3, 3, 2), None, 3, 1)
    check.that(isinstance(replies, dict), "own_code() should return a dictionary.")
    check.equal(sorted(replies), ["runs", "shape"], "the keys of own_code(), sorted")
    shape = [int(size) for size in conv2d_loops(*case).shape]
    check.that(
        [int(size) for size in replies["shape"]] == shape,
        f"Your conv2d_loops does not return {tuple(replies['shape'])}: with 11 + 2 and 8 + 2 pixels, "
        "which steps of 3 still fit?",
    )
    check.that(
        replies["runs"] == check.line_runs(conv2d_loops, *case),
        f"The busiest statement of your conv2d_loops does not run {replies['runs']} times: follow its loops "
        "once more.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 4. The second time: one product
#
# Loops in Python are slow: a thousand times "fetch, multiply, add", and each time the interpreter in
# between. A processor wants one large product of matrices. So we write every window
# as a **column**; the kernel becomes a **row**; and row times columns is the convolution. The
# trick is called **im2col**, "image to columns".

# %%
draw.im2col()

# %% [markdown]
# With more channels a column holds the window's numbers of *all* channels, C_in · kH · kW of them.
# With more filters the weights have more rows. Columns copy pixels ($x_5$ stands there four
# times): memory is the price.
#
# Look at one **row** of the columns. The first is $x_0, x_1, x_4, x_5$: all that weight $w_0$ ever
# meets, a $2 \times 2$ corner of the image. A row is a *slice*. It belongs to one place $(u, v)$ of the
# kernel, a **tap**, and there are only kH · kW taps per channel, however large the image is.
#
# ### Exercise `conv2d_im2col` (1 + 3 points)
#
# The same contract, without a Python loop over positions: the number of steps of Python must
# not grow with the image. A loop over the kernel's taps is fine. Torch's convolutions and `unfold`
# (which is im2col) stay referees.
#
# <details><summary>Hint 1: the slices</summary>
#
# Tap $(u, v)$ meets `x[:, :, u : u + stride * (H' - 1) + 1 : stride, v : ...]`, (N, C_in, H', W').
#
# </details>
# <details><summary>Hint 2: from slices to columns</summary>
#
# `torch.stack(slices, dim=2)` is (N, C_in, kH·kW, H', W'): channel first, then tap, as in `w`.
# Then `.reshape(N, C_in·kH·kW, H'·W')`.
#
# </details>
# <details><summary>Hint 3: the product</summary>
#
# `w.reshape(C_out, -1) @ columns` is (N, C_out, H'·W'). Along which dimension does the bias go? And
# why may you reshape only at the end?
#
# </details>
# <details><summary>A puzzle, if the stub looks too empty</summary>
#
# Put these lines in order. Two of them spoil it: which, and why?
#
#     y = w.reshape(c_out, -1) @ columns
#     columns = torch.stack(slices, dim=1).reshape(len(x), -1, rows * cols)
#     slices.append(x[:, :, u : u + bottom : stride, v : v + right : stride])
#     x = pad2d(x, padding)
#     slices.append(x[:, :, u : u + rows, v : v + cols])
#     columns = torch.stack(slices, dim=2).reshape(len(x), -1, rows * cols)
#     bottom, right = stride * (rows - 1) + 1, stride * (cols - 1) + 1
#     return y.reshape(len(x), c_out, rows, cols)
#
# </details>

# %% nbgrader={"grade_id": "conv2d_im2col", "solution": true} needs=["pad2d"]
def conv2d_im2col(x, w, b, stride, padding):
    """The same as conv2d_loops, same arguments and result, as a product of weights and columns.

    x (N, C_in, H, W), w (C_out, C_in, kH, kW), b (C_out,) or None, stride, padding; returns
    (N, C_out, H', W'), of the type of x. Columns are (N, C_in * kH * kW, H' * W'). No loop in
    Python depends on H and W.
    """
    ### BEGIN SOLUTION
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows, columns = ((x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1)
    bottom, right = stride * (rows - 1) + 1, stride * (columns - 1) + 1
    slices = [
        x[:, :, u : u + bottom : stride, v : v + right : stride]
        for u in range(kh)
        for v in range(kw)
    ]
    y = w.reshape(c_out, -1) @ torch.stack(slices, dim=2).reshape(len(x), -1, rows * columns)
    if b is not None:
        y = y + b[:, None]
    return y.reshape(len(x), c_out, rows, columns)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-conv2d_im2col", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def zeros_around(x, p):
    return F.pad(x, (p, p, p, p))


references = {"pad2d": zeros_around}
### END HIDDEN TESTS
with check.using(**references):
    step = torch.tensor([[10.0, 10, 10, 0, 0, 0]] * 6)[None, None]
    vertical = torch.tensor([[1.0, 0, -1]] * 3)[None, None]
    check.close(
        conv2d_im2col(step, vertical, None, 1, 0), [[[[0, 30, 30, 0]] * 4]], "slide 9's filtered image",
        "Do columns and weights hold the taps in the same order, row by row?",
    )
    middle = torch.zeros(1, 1, 3, 3)
    middle[0, 0, 1, 1] = 1
    check.close(
        conv2d_im2col(torch.arange(25.0).reshape(1, 1, 5, 5), middle, None, 2, 1),
        [[[[0, 2, 4], [10, 12, 14], [20, 22, 24]]]],
        "every second pixel of 0 to 24 (slide 17: stride 2, padding 1)",
        "Is each slice taken in steps of the stride, and H' of them long?",
    )
    y = conv2d_im2col(torch.ones(1, 3, 6, 6), torch.ones(2, 3, 3, 3), torch.tensor([0.0, 1]), 1, 0)
    check.shape(y, (1, 2, 4, 4), "the output of slide 20's two filters", "Reshape at the end?")
    check.close(
        y[0, :, 0, 0], [27, 28], "one number of each output channel (slide 19: 27, with bias 28)",
        "Is a column C_in * kH * kW numbers long? Does the bias go along the channels?",
    )
    check.by_hand(conv2d_im2col, step, vertical, None, 1, 0, without="conv correlate unfold")
    few, many = (
        check.steps(conv2d_im2col, torch.ones(1, 1, n, n), vertical, None, 1, 0) for n in (5, 15)
    )
    check.that(
        many < few + 50,
        f"An image of 5 x 5 takes {few} steps of Python, one of 15 x 15 takes {many}: is there a "
        "loop over positions?",
    )

# %% nbgrader={"grade_id": "hidden-conv2d_im2col", "grade": true, "locked": true, "points": 3}
# Also: thirty random layers against F.conv2d in float64, as for conv2d_loops; the type of the result;
# inputs left alone; no torch conv, no unfold, no more steps for a larger image.
### BEGIN HIDDEN TESTS
def zeros_around(x, p):
    return F.pad(x, (p, p, p, p))


with check.using(pad2d=zeros_around):
    import random

    rng, numbers = random.Random(2012), torch.Generator().manual_seed(2012)
    for case in range(30):
        n, c_in, c_out = rng.randint(1, 3), rng.randint(1, 4), rng.randint(1, 5)
        kh, kw, padding = rng.randint(1, 4), rng.randint(1, 5), rng.randint(0, 2)
        height, width, stride = rng.randint(4, 9), rng.randint(5, 12), rng.randint(1, 3)
        if case == 0:  # several images, channels not filters, not square, a remainder of 1 each way
            n, c_in, c_out, kh, kw, padding, height, width, stride = 2, 3, 2, 2, 3, 1, 7, 8, 3
        x = torch.randn(n, c_in, height, width, generator=numbers, dtype=torch.float64)
        w = torch.randn(c_out, c_in, kh, kw, generator=numbers, dtype=torch.float64)
        b = torch.randn(c_out, generator=numbers, dtype=torch.float64) if case % 3 < 2 else None
        kept = x.clone(), w.clone()
        check.close(
            conv2d_im2col(x, w, b, stride, padding), F.conv2d(x, w, b, stride, padding),
            f"x {tuple(x.shape)}, w {tuple(w.shape)}, {'no ' * (b is None)}bias, stride {stride}, "
            f"padding {padding}: y",
            "Does a column hold its numbers in the order of w: channel, row, column?",
        )
        check.close(x, kept[0], "x afterwards", "Leave the input as it is.")
        check.close(w, kept[1], "w afterwards", "Leave the weights as they are.")
        if case < 6:
            check.by_hand(conv2d_im2col, x, w, b, stride, padding, without="conv correlate unfold")
    for dtype in (torch.float64, torch.float32):
        case = x.to(dtype), w.to(dtype), None, stride, padding
        check.dtype(conv2d_im2col(*case), dtype, f"the output for an x of {dtype}")
    few, many = (
        check.steps(conv2d_im2col, torch.ones(2, 3, n, n), torch.ones(4, 3, 2, 2), None, 2, 1)
        for n in (7, 21)
    )
    check.that(many < few + 50, "A larger image takes more steps of Python: is there a loop?")
### END HIDDEN TESTS

# %% [markdown]
# One digit, eight filters of $5 \times 5$: 4,608 numbers to compute. **Predict first:** how many
# times as fast is the product? (Nothing is graded here, and your computer's answer is not your
# neighbour's.)

# %%
def seconds(convolve, repeats):
    """Seconds that one call takes, the best of some."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        convolve(digit, eight, None, 1, 0)
        times.append(time.perf_counter() - start)
    return min(times)


eight = torch.ones(8, 1, 5, 5)
times = {"your loops": seconds(conv2d_loops, 1), "your im2col": seconds(conv2d_im2col, 10)}
draw.speed(times | {"F.conv2d": seconds(F.conv2d, 10)})

# %% [markdown]
# The work is the same, to the last multiplication; only its order changed. Thirty times as fast
# would be modest, hundreds are usual. PyTorch's own will usually be ahead of you still: it avoids most
# of the copies.
#
# ## 5. The third time: one matrix
#
# $y = W x$: lay the image flat, row by row, and every output becomes one row of a matrix. Slide 12
# gives the first: weights in columns 0, 1, 2, 4, 5, 6, 8, 9, 10 and zeros elsewhere. (The slide's
# own "$W * x = y$" has a star because its $W$ is still the small kernel.)
#
# ### Exercise `conv_matrix` (1 + 3 points)
#
# Return the matrix of a kernel on an image of H × W pixels: no padding, stride 1, one channel. For
# slide 12 it is (4, 16).
#
# <details><summary>Hint 1: one row</summary>
#
# A row, laid out as an image again, is the kernel at its position and zeros around it.
#
# </details>
# <details><summary>Hint 2: one row in code</summary>
#
# `sheet = kernel.new_zeros(H, W)` has the kernel's type. Which slice of it becomes the kernel? In the
# end, `sheet.flatten()`.
#
# </details>
# <details><summary>Hint 3: all of them</summary>
#
# Positions row by row, H − kH + 1 times W − kW + 1 of them; `torch.stack(rows)`.
#
# </details>

# %% nbgrader={"grade_id": "conv_matrix", "solution": true} needs=["conv2d_im2col"]
def conv_matrix(kernel, size):
    """The matrix W with W @ x.flatten() == y.flatten(), y the convolution of x with `kernel`.

    kernel (kH, kW), a tensor, left unchanged; size = (H, W) of the image x. One channel, no
    padding, stride 1, no bias; pixels and outputs are numbered row by row.
    Returns (H' * W', H * W) of the kernel's type, H' = H - kH + 1, W' = W - kW + 1. Slide 12.
    """
    ### BEGIN SOLUTION
    (height, width), (kh, kw) = size, kernel.shape
    rows = []
    for i in range(height - kh + 1):
        for j in range(width - kw + 1):
            sheet = kernel.new_zeros(height, width)
            sheet[i : i + kh, j : j + kw] = kernel
            rows.append(sheet.flatten())
    return torch.stack(rows)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-conv_matrix", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def convolved(x, w, b, stride, padding):
    return F.conv2d(x, w, b, stride, padding)



references = {"conv2d_im2col": convolved}
### END HIDDEN TESTS
with check.using(**references):
    nine = torch.arange(1.0, 10).reshape(3, 3)
    table = conv_matrix(nine, (4, 4))
    check.shape(table, (4, 16), "slide 12's matrix", "One row per output, one column per pixel.")
    check.equal(
        [j for j in range(16) if table[0, j] != 0], [0, 1, 2, 4, 5, 6, 8, 9, 10],
        "the list of pixels in row 0 (slide 12)", "After three weights of a row comes a gap.",
    )
    check.close(
        [table[0, j] for j in (0, 1, 2, 4, 5, 6, 8, 9, 10)], list(range(1, 10)),
        "the weights in row 0", "Row by row, w0 first: the kernel is neither flipped nor transposed.",
    )
    check.close(
        [table[i, corner] for i, corner in enumerate((0, 1, 4, 5))], [1, 1, 1, 1],
        "w0 in the four rows", "It stands under pixels 0, 1, 4 and 5, as in by_hand.",
    )

# %% nbgrader={"grade_id": "hidden-conv_matrix", "grade": true, "locked": true, "points": 3}
# Also: nine non-zeros per row and nine shared values; images and kernels that are not square against
# F.conv2d in float64, and the transpose against F.conv_transpose2d; the type; the kernel left alone.
### BEGIN HIDDEN TESTS
def convolved(x, w, b, stride, padding):
    return F.conv2d(x, w, b, stride, padding)



with check.using(conv2d_im2col=convolved):
    numbers = torch.Generator().manual_seed(416)
    for (kh, kw), (height, width) in (
        ((3, 3), (4, 4)), ((3, 3), (6, 6)), ((2, 3), (5, 4)), ((3, 1), (3, 6)), ((1, 1), (2, 3)),
        ((4, 2), (4, 7)), ((2, 2), (6, 3)), ((3, 5), (7, 5)),
    ):
        kernel = torch.randn(kh, kw, generator=numbers, dtype=torch.float64)
        x = torch.randn(height, width, generator=numbers, dtype=torch.float64)
        kept, size = kernel.clone(), (height, width)
        what = f"conv_matrix of a kernel {(kh, kw)} on {size}"
        table = conv_matrix(kernel, size)
        check.dtype(table, torch.float64, what, "The matrix has the kernel's type.")
        y = F.conv2d(x[None, None], kernel[None, None])[0, 0]
        check.shape(table, (y.numel(), x.numel()), what, "Are H and W mixed up?")
        check.close(
            table @ x.flatten(), y.flatten(), f"{what}, times an image",
            "Are pixels and outputs numbered row by row?",
        )
        check.that(
            ((table != 0).sum(1) == kh * kw).all(),
            f"{what}: a row has other than {kh * kw} non-zeros, one for each weight.",
        )
        values, uses = table[table != 0].unique(return_counts=True)
        check.equal(len(values), kh * kw, f"{what}: different values", "Weights are shared.")
        check.that((uses == y.numel()).all(), f"{what}: each weight is used once per output.")
        back = F.conv_transpose2d(y[None, None], kernel[None, None])[0, 0]
        check.close(table.T @ y.flatten(), back.flatten(), f"{what}, transposed, times an output")
        check.close(kernel, kept, "the kernel afterwards", "Leave it as it is.")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** how many of the 64 entries are not zero, and where in the picture will equal
# colours stand? (The weights are 1 to 9 here, so that you can tell them apart.)

# %% jupyter={"source_hidden": true}
nine = torch.arange(1.0, 10).reshape(3, 3)
draw.matrix(conv_matrix(nine, (4, 4)).numpy(), "slide 12")
draw.matrix(conv_matrix(nine, (10, 10)).numpy(), "the same kernel on 10 x 10 pixels")

# %% [markdown]
# Diagonals: the kernel moves, the weights stay the same. Three ways, then, and they had better
# agree.

# %%
sobel = FILTERS[1:2]
loops = conv2d_loops(digit, sobel, None, 1, 0)[0, 0]
columns = conv2d_im2col(digit, sobel, None, 1, 0)[0, 0]
product = (conv_matrix(sobel[0, 0], (28, 28)) @ digit.flatten()).reshape(26, 26)
print("loops and columns agree:", torch.allclose(loops, columns, atol=1e-5))
print("columns and matrix agree:", torch.allclose(columns, product, atol=1e-5))
print("and so does PyTorch:", torch.allclose(F.conv2d(digit, sobel)[0, 0], product, atol=1e-5))

# %% [markdown]
# ## 6. What the zeros save
#
# A dense layer is a matrix as well, one without zeros and without repetition. The convolution's
# matrix has two gifts, both known from lesson 01. It is **sparse**, mostly zeros: an output reads only
# its neighbourhood. And its weights are shared: the same nine everywhere. **Predict first:** on slide
# 12, how many connections does the dense layer need, how many the convolution?

# %%
predict.keep("connections of slide 12's convolution", None)

# %%
table = conv_matrix(nine, (4, 4))
draw.connections(table.numpy())
predict.compare("connections of slide 12's convolution", int((table != 0).sum()))

# %% [markdown]
# **A correction.** Slide 19 counts "27 operations (28 if bias term)" for each output. These
# are a filter's 27 weights and its bias. In operations there are 27 multiplications and 27
# additions, the bias's included. And the 4,900 "weights" of slide 21 are 4,800 weights and 100 biases.
#
# ### Exercise `costs` (1 + 2 points)
#
# Count slides 9 and 20. A multiplication is one weight times one number; additions are free today.
#
# <details><summary>Hint 1: connections</summary>
#
# How many outputs are there, and how many pixels does each read?
#
# </details>
# <details><summary>Hint 2: multiplications</summary>
#
# Numbers in the output, H' · W' · C_out, times what each of them costs. A filter is as deep as its
# input.
#
# </details>
# <details><summary>Hint 3: dense</summary>
#
# A dense layer multiplies every input by a weight of its own for every output.
#
# </details>

# %% nbgrader={"grade_id": "costs", "solution": true}
def costs():
    """What convolutions cost and save: a dictionary of whole numbers.

    Slide 9: one channel, 6 x 6 pixels to 4 x 4, one kernel 3 x 3, no bias.
      "dense_weights"    weights of a dense layer from these pixels to these outputs
      "connections"      of the convolution: pairs of a pixel and an output that reads it
      "weights"          different weights on these connections
    Slide 20: 50 x 50 pixels, 10 channels, 25 filters 3 x 3 x 10 with bias, stride 1, no padding.
      "parameters"       weights and biases
      "multiplications"  for one image
      "stride_2"         multiplications for one image, with stride 2
      "dense_multiplications"  of a dense layer with the same inputs and outputs
    """
    ### BEGIN SOLUTION
    return {
        "dense_weights": 36 * 16,
        "connections": 16 * 9,
        "weights": 9,
        "parameters": 25 * (3 * 3 * 10 + 1),
        "multiplications": 48 * 48 * 25 * 90,
        "stride_2": 24 * 24 * 25 * 90,
        "dense_multiplications": (50 * 50 * 10) * (48 * 48 * 25),
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-costs", "grade": true, "locked": true, "points": 1}
answers = costs()
check.that(isinstance(answers, dict), "costs() should return a dictionary.")
counts = ["dense_weights", "connections", "weights", "parameters", "multiplications", "stride_2"]
for key in (*counts, "dense_multiplications"):
    check.that(key in answers, f"costs() does not answer {key!r}.")
check.that(
    answers["connections"] == 16 * answers["weights"],
    "connections and weights do not agree: each weight is used once per output.",
)
check.that(
    answers["connections"] < answers["dense_weights"], "A dense layer has more connections than that."
)
check.that(
    answers["multiplications"] != 48 * 48 * 25 * 91,
    "91 for each output? The bias is added, not multiplied.",
)
check.that(
    answers["multiplications"] > 48 * 48 * 25,
    "There are 57,600 outputs, and each costs many multiplications.",
)

# %% nbgrader={"grade_id": "hidden-costs", "grade": true, "locked": true, "points": 2}
# Also: the seven numbers.
### BEGIN HIDDEN TESTS
answers = costs()
right = {
    "dense_weights": 576,
    "connections": 144,
    "weights": 9,
    "parameters": 2275,
    "multiplications": 5_184_000,
    "stride_2": 1_296_000,
    "dense_multiplications": 1_440_000_000,
}
wrong = [key for key in right if answers[key] != right[key]]
check.that(not wrong, f"Think again about {', '.join(wrong)}.")
### END HIDDEN TESTS

# %% [markdown]
# Slide 20's layer does with five million multiplications and two thousand parameters what would
# cost a dense layer more than a thousand million of each. Sparse connections save the work; shared weights
# save the parameters.
#
# ## 7. Backwards
#
# $W$ takes 16 pixels to 4 outputs. Its transpose $W^T$ takes 4 numbers to 16 pixels: a small map
# grows. That is **transposed convolution**. Lesson 09 draws whole images with it, and it is
# also the way gradients go back through the layer.
#
# Row $k$ of $W$ holds the kernel at position $k$, so $W^T y$ is a sum of stamps: each $y_k$ stamps
# $y_k$ times the kernel at position $k$, and where stamps overlap, they add. A convolution with stride
# $s$ has its positions $s$ pixels apart. So has its transpose: it sets its stamps $s$ pixels
# apart, and the map grows by a factor of $s$.
#
# ### Exercise `conv_transpose2d` (1 + 2 points)
#
# Return the map that the transpose makes of `y`. Torch's own `conv_transpose2d` is the referee.
#
# <details><summary>Hint 1: how large</summary>
#
# The last stamp begins at row $s\,(H' - 1)$. Where does it end?
#
# </details>
# <details><summary>Hint 2: by stamps</summary>
#
# Begin with zeros, and add one stamp for each number of `y`. Why `+=` and not `=`?
#
# </details>
# <details><summary>Hint 3: or by the matrix</summary>
#
# With stride 1 it is `conv_matrix(kernel, (H, W)).T @ y.flatten()`. Which rows of this matrix does
# stride 2 keep?
#
# </details>

# %% nbgrader={"grade_id": "conv_transpose2d", "solution": true} needs=["conv_matrix"]
def conv_transpose2d(y, kernel, stride=1):
    """Transposed convolution of the map `y`: with stride 1, conv_matrix(kernel, (H, W)).T times y.

    y (H', W'), kernel (kH, kW): float tensors, left unchanged; one channel, no padding; stride 1 or
    more. Returns a new tensor (H, W) = (stride (H' - 1) + kH, stride (W' - 1) + kW), of the type
    of y.
    """
    ### BEGIN SOLUTION
    kh, kw = kernel.shape
    x = y.new_zeros(stride * (y.shape[0] - 1) + kh, stride * (y.shape[1] - 1) + kw)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            top, left = i * stride, j * stride
            x[top : top + kh, left : left + kw] += y[i, j] * kernel
    return x
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-conv_transpose2d", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def table_of(kernel, size):
    units = torch.eye(size[0] * size[1], dtype=kernel.dtype).reshape(-1, 1, *size)
    return F.conv2d(units, kernel[None, None]).flatten(1).T


references = {"conv_matrix": table_of}
### END HIDDEN TESTS
with check.using(**references):
    nine = torch.arange(1.0, 10).reshape(3, 3)
    single = torch.tensor([[0.0, 1], [0, 0]])
    check.shape(
        conv_transpose2d(single, nine), (4, 4), "the map made of 2 x 2 numbers by a 3 x 3 kernel",
        "It grows: 2 + 3 - 1.",
    )
    overwritten = [[1, 1, 2, 3], [1, 1, 2, 3], [4, 4, 5, 6], [7, 7, 8, 9]]
    check.that(
        conv_transpose2d(torch.ones(2, 2), nine).tolist() != overwritten,
        "Each stamp covers the one before where they overlap. They should add up: +=, not =.",
    )
    check.close(
        conv_transpose2d(single, nine), [[0, 1, 2, 3], [0, 4, 5, 6], [0, 7, 8, 9], [0, 0, 0, 0]],
        "the map made of a single 1, top right", "It stamps the kernel, neither turned nor transposed, into that corner. And y stays as it is.",
    )
    check.close(
        conv_transpose2d(torch.ones(2, 2), nine).sum(), 4 * 45, "the sum of four stamps of nine",
        "Where stamps overlap, they add up.",
    )
    check.shape(
        conv_transpose2d(single, nine, 2), (5, 5), "the map made with stride 2",
        "The stamps stand 2 pixels apart: 2 (2 - 1) + 3.",
    )
    check.by_hand(conv_transpose2d, single, nine, without="conv_transpose")

# %% nbgrader={"grade_id": "hidden-conv_transpose2d", "grade": true, "locked": true, "points": 2}
# Also: maps and kernels that are not square, strides 1 to 3, against F.conv_transpose2d in float64;
# the type of the result; inputs left alone; a new tensor for each call; no conv_transpose2d of torch.
### BEGIN HIDDEN TESTS
def table_of(kernel, size):
    units = torch.eye(size[0] * size[1], dtype=kernel.dtype).reshape(-1, 1, *size)
    return F.conv2d(units, kernel[None, None]).flatten(1).T


with check.using(conv_matrix=table_of):
    numbers = torch.Generator().manual_seed(164)
    for shape, kernel_shape in (
        ((2, 2), (3, 3)), ((4, 2), (3, 3)), ((3, 5), (2, 4)), ((1, 6), (3, 2)), ((5, 4), (1, 1)),
        ((1, 1), (2, 5)), ((6, 3), (5, 1)),
    ):
        y = torch.randn(shape, generator=numbers, dtype=torch.float64)
        kernel = torch.randn(kernel_shape, generator=numbers, dtype=torch.float64)
        kept = y.clone(), kernel.clone()
        for stride in (1, 2, 3):
            check.close(
                conv_transpose2d(y, kernel, stride),
                F.conv_transpose2d(y[None, None], kernel[None, None], stride=stride)[0, 0],
                f"conv_transpose2d of y {shape} with a kernel {kernel_shape}, stride {stride}",
                "Transposed, not inverted and not flipped; are H and W in order? Do the stamps stand "
                "`stride` pixels apart?",
            )
        check.close(y, kept[0], "y afterwards", "Leave it as it is.")
        check.close(kernel, kept[1], "the kernel afterwards", "Leave it as it is.")
    check.by_hand(conv_transpose2d, y, kernel, without="conv_transpose")
    check.by_hand(conv_transpose2d, y, kernel, 2, without="conv_transpose")
    for dtype in (torch.float64, torch.float32):
        grown = conv_transpose2d(y.to(dtype), kernel.to(dtype), 2)
        check.dtype(grown, dtype, f"the map made of a y of {dtype}")
    check.that(
        not check.reuses_memory(conv_transpose2d, y, kernel),
        "A second call of conv_transpose2d changes the result of the first: return a new tensor.",
    )
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** four numbers, 1, 0, 2 and 3, stamp a small bump. Which of the sixteen sums will
# be the largest?

# %%
bump = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]])
small = torch.tensor([[1.0, 0], [2, 3]])
draw.stamps(small.numpy(), bump.numpy(), conv_transpose2d(small, bump).numpy())

# %% [markdown]
# **Predict first:** a digit, blurred by a $9 \times 9$ mean, shrinks to $20 \times 20$. The
# transpose takes it back to $28 \times 28$. Will the digit be sharp again?

# %%
predict.keep("the digit is sharp again", None, "yes", "no")

# %% jupyter={"source_hidden": true}
blur = torch.full((9, 9), 1 / 81)
blurred = conv2d_im2col(digit, blur[None, None], None, 1, 0)[0, 0]
back = conv_transpose2d(blurred, blur)
draw.gallery(
    [{"digit": digit[0, 0].numpy(), "blurred": blurred.numpy(), "transposed": back.numpy()}],
    "A digit of 28 by 28 pixels, its blurred version of 20 by 20, and what the transpose makes of it, "
    "of 28 by 28 again: still more blurred.",
)
is_sharp = (back / back.max() - digit[0, 0]).abs().mean() < 0.05
predict.compare("the digit is sharp again", "yes" if is_sharp else "no")

# %% [markdown]
# The **shape** comes back, the picture does not: a transpose is not an inverse. (Some papers say
# "deconvolution", which promises too much.)
#
# ### The gradients, by hand
#
# Training needs the gradient of a loss $L$ with respect to all that went in. From
# $g = \partial L/\partial y$, which the layer behind hands back, the convolution computes three, and
# hands that of $x$ on to the layer before it: that is **backpropagation**, the chain rule from layer to
# layer. Go through the sum of section 3, term by term:
#
# - $x$ at some pixel was multiplied by $w_{k,c,u,v}$ for output $(i, j)$, so it gets that weight times
#   $g_{n,k,i,j}$, added up over all filters $k$ and outputs $(i, j)$ of its image $n$: each $g$
#   **stamps** the kernel. This is the transpose again.
# - $w_{k,c,u,v}$ met the slice of tap $(u, v)$: sum over all images and positions of slice times $g$.
# - $b_k$ was added at every position: the sum of $g$ in channel $k$.
#
# ### Exercise `conv2d_backward` (1 + 3 points)
#
# Return the three gradients. By hand: no convolution of torch, and no autograd; both are referees.
#
# <details><summary>Hint 1: the frame</summary>
#
# Pad `x` as on the way forward; collect the gradient of the *padded* image, and cut the frame off at
# the end. Why may what arrives in the frame be dropped?
#
# </details>
# <details><summary>Hint 2: one tap at a time</summary>
#
# Tap $(u, v)$ met the slice `x[:, :, u : u + stride * (H' - 1) + 1 : stride, ...]`, (N, C_in, H', W').
# The same slice of the padded gradient gets something added.
#
# </details>
# <details><summary>Hint 3: sums over the right letters</summary>
#
# `torch.einsum("nkij,ncij->kc", grad, slice)` multiplies the two and adds up over the letters that do not
# stand at the right of the arrow: what the weights of one tap get. Which letters does the gradient of
# `x` keep, and which are summed?
#
# </details>

# %% nbgrader={"grade_id": "conv2d_backward", "solution": true} needs=["pad2d"]
def conv2d_backward(x, w, grad, stride, padding):
    """Gradients of a loss with respect to the x, w and b of conv2d_loops(x, w, b, stride, padding).

    x (N, C_in, H, W), w (C_out, C_in, kH, kW): as they went forward
    grad (N, C_out, H', W'): the gradient with respect to the output; all three left unchanged
    stride 1 or more, padding 0 or more

    Returns three tensors of the type of x: those of x (N, C_in, H, W), of w (C_out, C_in, kH, kW)
    and of b (C_out,). Pixels that no window reached have gradient 0.
    """
    ### BEGIN SOLUTION
    height, width = x.shape[2:]
    x = pad2d(x, padding)
    of_x, of_w = torch.zeros_like(x), torch.zeros_like(w)
    bottom, right = (stride * (size - 1) + 1 for size in grad.shape[2:])
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            rows, columns = slice(u, u + bottom, stride), slice(v, v + right, stride)
            of_w[:, :, u, v] = torch.einsum("nkij,ncij->kc", grad, x[:, :, rows, columns])
            of_x[:, :, rows, columns] += torch.einsum("nkij,kc->ncij", grad, w[:, :, u, v])
    inner = slice(padding, padding + height), slice(padding, padding + width)
    return of_x[:, :, inner[0], inner[1]], of_w, grad.sum((0, 2, 3))
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-conv2d_backward", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def zeros_around(x, p):
    return F.pad(x, (p, p, p, p))


references = {"pad2d": zeros_around}
### END HIDDEN TESTS
with check.using(**references):
    nine = torch.arange(1.0, 10).reshape(1, 1, 3, 3)
    x, one = torch.arange(16.0).reshape(1, 1, 4, 4), torch.zeros(1, 1, 2, 2)
    one[0, 0, 0, 1] = 1  # only output y1 matters to the loss
    of_x, of_w, of_b = conv2d_backward(x, nine, one, 1, 0)
    check.close(
        of_x, [[[[0, 1, 2, 3], [0, 4, 5, 6], [0, 7, 8, 9], [0, 0, 0, 0]]]],
        "the gradient of x, where only y1 matters", "It is the kernel, stamped where y1 looked.",
    )
    check.close(
        of_w, x[:, :, :3, 1:], "the gradient of w, where only y1 matters",
        "It is the window that y1 looked at.",
    )
    check.close(of_b, [1], "the gradient of b, where only y1 matters", "The sum of grad.")
    check.by_hand(
        conv2d_backward, x, nine, one, 1, 0, without="conv unfold requires_grad fold __set__"
    )
    # Two images, two channels, three filters, padding 1 and stride 2, against torch's autograd.
    numbers = torch.Generator().manual_seed(23)
    x, w = (torch.randn(size, generator=numbers) for size in ((2, 2, 5, 6), (3, 2, 3, 3)))
    forward = [tensor.clone().requires_grad_() for tensor in (x, w, torch.zeros(3))]
    y = F.conv2d(*forward, 2, 1)
    grad = torch.randn(y.shape, generator=numbers)
    expected = torch.autograd.grad(y, forward, grad)
    for name, got, right in zip("xwb", conv2d_backward(x, w, grad, 2, 1), expected, strict=True):
        check.shape(got, right.shape, f"the gradient of {name} with padding 1 and stride 2")
        check.close(
            got, right, f"the gradient of {name} for two images, with padding 1 and stride 2",
            "Is the frame cut off, does each tap meet every second pixel, do all images count?",
            atol=1e-4,
        )

# %% nbgrader={"grade_id": "hidden-conv2d_backward", "grade": true, "locked": true, "points": 3}
# Also: batches, channels, images and kernels that are not square, stride 2 and 3 with a remainder, and
# padding, against autograd in float64; the type of the results; inputs left alone; no torch conv and
# no autograd.
### BEGIN HIDDEN TESTS
def zeros_around(x, p):
    return F.pad(x, (p, p, p, p))


with check.using(pad2d=zeros_around):
    numbers = torch.Generator().manual_seed(2311)
    for size, weights, stride, padding in (
        ((1, 1, 5, 5), (1, 1, 3, 3), 1, 0), ((2, 3, 7, 8), (4, 3, 2, 3), 1, 1),
        ((2, 2, 8, 7), (3, 2, 3, 2), 2, 0), ((3, 2, 9, 6), (2, 2, 2, 3), 3, 2),
        ((1, 3, 6, 9), (2, 3, 1, 4), 2, 1),
    ):
        x = torch.randn(size, generator=numbers, dtype=torch.float64, requires_grad=True)
        w = torch.randn(weights, generator=numbers, dtype=torch.float64, requires_grad=True)
        b = torch.zeros(len(w), dtype=torch.float64, requires_grad=True)
        y = F.conv2d(x, w, b, stride, padding)
        grad = torch.randn(y.shape, generator=numbers, dtype=torch.float64)
        expected = torch.autograd.grad(y, (x, w, b), grad)
        inputs = x.detach(), w.detach(), grad
        kept = [tensor.clone() for tensor in inputs]
        results = conv2d_backward(*inputs, stride, padding)
        check.equal(len(results), 3, "the number of gradients", "Those of x, w and b.")
        for name, result, reference in zip("xwb", results, expected, strict=True):
            check.close(
                result, reference,
                f"the gradient of {name} for x {size}, w {weights}, stride {stride}, padding {padding}",
                "Does each tap meet the slice that it met on the way forward? Do stamps add up?",
            )
            check.dtype(result, torch.float64, f"the gradient of {name}", "All have the type of x.")
        check.by_hand(
            conv2d_backward, *inputs, stride, padding, without="conv unfold requires_grad fold __set__"
        )
        for tensor, before in zip(inputs, kept, strict=True):
            check.close(tensor, before, "what came in, afterwards", "Leave it as it is.")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** the loss is the response of one filter at one pixel of a digit's map. Which pixels
# of the digit have a gradient?

# %% jupyter={"source_hidden": true}
only = torch.zeros(1, 1, 26, 26)
only[0, 0, 12, 12] = 1
of_digit, of_filter, _ = conv2d_backward(digit, FILTERS[1:2], only, 1, 0)
print("pixels with a gradient:", int((of_digit != 0).sum()))
draw.gallery(
    [{"digit": digit[0, 0].numpy()}, {"gradient of the digit": of_digit[0, 0].numpy()}],
    "A digit, and the gradient with respect to its pixels: zero everywhere but in a window of three "
    "by three pixels, where the filter stands, red and blue like its weights.",
)

# %% [markdown]
# ## 8. Wider without more weights
#
# **Dilation** widens a kernel: its taps stand $d$ pixels apart, and it sees further at the price
# of nine. The lecture has $d = 1$ throughout. A dilated convolution is an ordinary one with a
# kernel that has $d - 1$ zeros between neighbours.
#
# ### Exercise `dilate` (1 + 2 points)
#
# Return the widened kernel. **Predict first:** how wide is a kernel of 3 with $d = 3$?
#
# <details><summary>Hint 1: the size</summary>
#
# First tap and last tap are $d\,(k - 1)$ pixels apart.
#
# </details>
# <details><summary>Hint 2: the places</summary>
#
# Taps stand in rows and columns $0, d, 2d, \dots$
#
# </details>
# <details><summary>Hint 3: in one line</summary>
#
# A slice has a step. Why does it end at the last tap, and not one gap later?
#
# </details>

# %% nbgrader={"grade_id": "dilate", "solution": true} needs=["conv_transpose2d"]
def dilate(kernel, d):
    """`kernel` (kH, kW) with d - 1 zeros between neighbours: a new tensor.

    d is a whole number, 1 or more; 1 changes nothing.
    Returns (d * (kH - 1) + 1, d * (kW - 1) + 1) of the kernel's type: no zeros outside of the first
    and last taps.
    """
    ### BEGIN SOLUTION
    kh, kw = kernel.shape
    wide = kernel.new_zeros(d * (kh - 1) + 1, d * (kw - 1) + 1)
    wide[::d, ::d] = kernel
    return wide
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-dilate", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def stamped(y, kernel, stride=1):
    return F.conv_transpose2d(y[None, None], kernel[None, None], stride=stride)[0, 0]



references = {"conv_transpose2d": stamped}
### END HIDDEN TESTS
with check.using(**references):
    nine = torch.arange(1.0, 10).reshape(3, 3)
    check.shape(
        dilate(nine, 2), (5, 5), "dilate of a kernel (3, 3) with d=2",
        "d - 1 zeros between neighbours, and none after the last.",
    )
    check.close(
        dilate(nine, 2)[0], [1, 0, 2, 0, 3], "the first row of dilate(nine, 2)", "One zero between."
    )
    check.close(dilate(nine, 1), nine, "dilate(nine, 1)", "d = 1 is the kernel itself.")

# %% nbgrader={"grade_id": "hidden-dilate", "grade": true, "locked": true, "points": 2}
# Also: kernels that are not square, d up to 5, against F.conv2d with dilation; the type; input left
# alone; a new tensor for each call.
### BEGIN HIDDEN TESTS
def stamped(y, kernel, stride=1):
    return F.conv_transpose2d(y[None, None], kernel[None, None], stride=stride)[0, 0]



with check.using(conv_transpose2d=stamped):
    numbers = torch.Generator().manual_seed(35)
    for shape, d in (((3, 3), 2), ((3, 3), 3), ((2, 4), 2), ((4, 1), 3), ((1, 1), 4), ((3, 2), 5)):
        kernel = torch.randn(shape, generator=numbers, dtype=torch.float64)
        x = torch.randn(1, 1, 14, 13, generator=numbers, dtype=torch.float64)
        kept = kernel.clone()
        wide, what = dilate(kernel, d), f"dilate of a kernel {shape} with d={d}"
        check.dtype(wide, torch.float64, what, "It has the kernel's type.")
        size = d * (shape[0] - 1) + 1, d * (shape[1] - 1) + 1
        check.shape(wide, size, what, "Are rows and columns both widened, and not mixed up?")
        check.close(
            F.conv2d(x, wide[None, None]), F.conv2d(x, kernel[None, None], dilation=d),
            f"an image filtered with {what}", "Are there zeros, and only zeros, between the taps?",
        )
        check.close(kernel, kept, "the kernel afterwards", "Work on a copy.")
    check.that(
        not check.shares_memory(dilate, kernel, 1),
        "With d=1 dilate returns its kernel, or a view of it: a new tensor was asked for.",
    )
    check.that(
        not check.reuses_memory(dilate, kernel, 2),
        "A second call of dilate changes the result of the first: return a new tensor.",
    )
### END HIDDEN TESTS

# %%
draw.dilated({d: dilate(nine, d).numpy() for d in (1, 2, 3)})

# %% [markdown]
# And since a dilated kernel is a kernel, all you have built takes it: `conv2d_im2col`,
# `conv_matrix`, `conv_transpose2d`. **Predict first:** how large is the matrix of
# `dilate(nine, 2)` on $8 \times 8$ pixels, and how many non-zeros has a row?

# %% jupyter={"source_hidden": true}
table = conv_matrix(dilate(nine, 2), (8, 8))
print("shape:", tuple(table.shape))
print("non-zeros in each row:", sorted({int(count) for count in (table != 0).sum(1)}))

# %% [markdown]
# ## Remember
#
# > - An output reads its neighbourhood through all channels, adds **one** bias, and then comes $g$.
# > - Output $(i, j)$ starts at row $s\,i$ and column $s\,j$ of the padded image.
# > - im2col: windows as columns, weights as rows, one product. Same work, far less time.
# > - A convolution **is** a matrix: sparse (it saves work) and shared (it saves parameters).
# > - Its transpose stamps kernels. It brings back the shape, not the picture, and it carries the
# >   gradient back.
# > - Dilation puts zeros between the taps: a wider view, the same weights.
# > - Trust comes in steps: by hand, against loops, against a reference.
#
# And your predictions, those that you kept:

# %%
predict.table()

# %% [markdown]
# ## Further exercises (no points)
#
# ★ **By matrix, with stride.** Which rows of `conv_matrix` does stride 2 keep? And which columns
# can you strike out of the matrix of a padded image, since they only ever meet zeros?
#
# ★ **Two layers, one matrix.** Multiply the matrices of two $3 \times 3$ kernels. Which single
# kernel has that matrix, and how large is it?
#
# ★★ **Flipped.** Show that `conv_transpose2d(y, kernel)` is `conv2d_loops` of `y`, padded by 2,
# with a $3 \times 3$ kernel turned by 180 degrees: here is the mathematician's convolution.
#
# ★★★ **A layer of your own.** Wrap `conv2d_im2col` and `conv2d_backward` in a
# `torch.autograd.Function`, and let `torch.autograd.gradcheck` judge it in float64, at stride 2, on an
# image where a remainder is left.
