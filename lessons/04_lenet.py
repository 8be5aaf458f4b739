# %% [markdown]
# # 04 LeNet on MNIST
#
# In the 1990s a small convolutional network read millions of American cheques. Today you build its
# textbook version, from an empty cell to a trained reader of handwriting, and distrust it at every
# step, as one should.
#
# **You will be able to**
#
# - cut sorted data into fair parts: training, validation and test set;
# - write max and average pooling yourself;
# - turn slide 29's table into a PyTorch module, and prove that it is that table;
# - write the training loop and the evaluation, and test both before you trust them;
# - choose hyperparameters without looking at the test digits;
# - show with a control experiment that a CNN uses *where* a pixel is.
#
# **Time** three to four and a half hours, of which training takes seconds; a good place for a break is
# after section 6. **Slides** 5 to 8 and 25 to 32. **Points** 40. **You need** lesson 03's counting.
#
# Batches of images have shape (N, C, H, W): how many, channels, height, width.

# %% nbgrader={"grade_id": "setup", "locked": true}
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course import check, data, draw, predict, recall

torch.set_num_threads(1)  # steps as small as today's are slower on two

all_images, all_labels = data.digits()


def to_tensors(images, labels):
    """Digits ready for a network: float32 (N, 1, 28, 28), mean 0 and standard deviation 1; labels int64 (N,)."""
    ink = torch.tensor(images, dtype=torch.float32)[:, None] / 255
    return (ink - 0.1313) / 0.3086, torch.tensor(labels)


def mlp():
    """A fresh network of one hidden layer, 38,170 parameters: (N, 1, 28, 28) to logits (N, 10)."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 48), nn.ReLU(), nn.Linear(48, 10))

# %% [markdown]
# ## Three minutes of retrieval
#
# ### Exercise `retrieval` (1 point)
#
# Five questions on lessons 01 to 03, from memory. Your name draws the numbers.
#
# - `size` Image of `n` pixels, filter of `f`, padding `p`, stride `s`: how wide is the output?
# - `conv` Parameters of `k` filters of f x f, with bias, on `c` channels?
# - `dense` Parameters of a dense layer from `c` inputs to `k` neurons, with bias?
# - `sees` A convolution of `f` with stride `s`, then one of `g`: how many pixels wide is what one
#   neuron sees?
# - `linear` Two convolutions with nothing between: is there one convolution that does the same? `"yes"`
#   or `"no"`

# %% nbgrader={"grade_id": "setup-retrieval", "locked": true}
def questions(name):
    """The numbers of your questions: any name will do, but stay with it."""
    ranges = (20, 60), (3, 7), (0, 2), (2, 4), (8, 64), (2, 32), (2, 5)
    letters = ("n", "f", "p", "s", "k", "c", "g")
    return dict(zip(letters, recall.numbers(name, *ranges), strict=True))

# %%
print(questions("ada"))  # put in your own name

# %% nbgrader={"grade_id": "retrieval", "solution": true}
def retrieval():
    """The name that drew your numbers, and your replies.

    Returns ("ada", {"size": ..., "conv": ..., "dense": ..., "sees": ..., "linear": ...}): four whole
    numbers and a text.
    """
    ### BEGIN SOLUTION
    q = questions("ada")
    return "ada", {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1,
        "conv": q["k"] * (q["f"] ** 2 * q["c"] + 1),
        "dense": q["k"] * (q["c"] + 1),
        "sees": q["f"] + (q["g"] - 1) * q["s"],
        "linear": "yes",
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-retrieval", "grade": true, "locked": true, "points": 1}
# Each reply counts a fifth.
### BEGIN HIDDEN TESTS
name, replies = retrieval()
q = questions(name)
recall.mark(replies, {
    "size": ((q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1, "Steps that fit, rounded down, and one more."),
    "conv": (q["k"] * (q["f"] ** 2 * q["c"] + 1), "Each filter has f x f x c weights and one bias."),
    "dense": (q["k"] * (q["c"] + 1), "Each neuron has a weight for each input, and one bias."),
    "sees": (q["f"] + (q["g"] - 1) * q["s"], "The size grows by g - 1 jumps of s pixels."),
    "linear": ("yes", "Without a nonlinearity a stack is one filter (lesson 01)."),
})
### END HIDDEN TESTS

# %% [markdown]
# ## 1. Five thousand digits, in suspicious order
#
# MNIST (slide 5) is 70,000 handwritten digits. We use 5,000, 500 per class; they came with the
# course. `all_images` has shape (5000, 28, 28), 0 for paper and 255 for ink; `all_labels` has shape
# (5000,). Here is every 250th. What do you notice about their order?

# %%
draw.digit_grid(
    all_images[::250],
    [f"{label}" for label in all_labels[::250]],
    "every 250th digit, as they come",
    "Twenty handwritten digits in the order of the file: two zeros, two ones, and so on to two "
    "nines. The file is sorted by class.",
)

# %% [markdown]
# They are sorted. **Predict first:** a friend trains on the first 4,000 and tests on the last
# 1,000. What accuracy, in %, will the best network in the world reach?
#
# We need a **training set**, from which a network learns, and a **test set** that stands for all digits
# of the future: how well a network does on data that it has never met is its **generalisation**, and
# that alone is what we want. A fair split is **stratified**: each class sends the same share, drawn at
# random. It is shuffled: no network should meet five hundred zeros in a row. And it takes a seed, so that
# tomorrow's split is today's.
#
# Test digits that you looked at while choosing are test digits no longer. Lock them away: this notebook
# opens them once, in section 12.

# %%
predict.keep("the friend's accuracy in %", None)

# %% [markdown]
# ### Exercise `split` (1 + 3 points)
#
# Return four arrays: training images and labels, then test images and labels. Of each class,
# the share `n_train / len(labels)` goes into training (always a whole number of images), everything else
# into the test part. Both parts come in random order, each image still beside its own label.
#
# <details><summary>Hint 1: one class at a time</summary>
#
# `np.flatnonzero(labels == c)` gives the places of class `c`. How many of them go into training?
# Multiply before you divide: `50 * 58 // 100` is 29, but `int(58 / 100 * 50)` is 28.
#
# </details>
# <details><summary>Hint 2: chance with a seed</summary>
#
# `rng = np.random.default_rng(seed)`, then `rng.permutation(places)`.
#
# </details>
# <details><summary>Hint 3: the last shuffle</summary>
#
# Collect the places of both parts and permute each once more. Why must `images` and `labels` be
# indexed with the same places, and why only at the end?
#
# </details>

# %% nbgrader={"grade_id": "split", "solution": true}
def split(images, labels, n_train, seed):
    """A stratified split: train_images, train_labels, test_images, test_labels.

    images   array (N, ...), labels array (N,): in any order, classes of any size
    n_train  size of the training part; every class sends the share n_train / N of its own
    seed     the same seed gives the same split, a different seed a different one

    No image is in both parts, none is lost, both parts are shuffled. Slide 5.
    """
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    train, test = [], []
    for c in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == c))
        share = round(n_train * len(places) / len(labels))
        train.append(places[:share])
        test.append(places[share:])
    train = rng.permutation(np.concatenate(train))
    test = rng.permutation(np.concatenate(test))
    return images[train], labels[train], images[test], labels[test]
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-split", "grade": true, "locked": true, "points": 1}
# A hundred toy images, ten per class; every pixel of toy image k is k.
toy_labels = np.arange(100) // 10
toy_images = np.arange(100)[:, None, None] * np.ones((1, 2, 2), dtype=int)
parts = split(toy_images, toy_labels, 60, seed=0)
check.equal(len(parts), 4, "the number of arrays that split returns")
for part, expected, name in zip(
    parts, [(60, 2, 2), (60,), (40, 2, 2), (40,)],
    ["train_images", "train_labels", "test_images", "test_labels"], strict=True,
):
    check.shape(part, expected, name, "60 of 100 are for training, each image once. Are the four in order?")
check.equal(
    np.bincount(parts[1], minlength=10).tolist(), [6] * 10,
    "the number of training digits of each class", "Does each class send 60 of 100 of its own?",
)
for name, some_images, some_labels in (("training", *parts[:2]), ("test", *parts[2:])):
    check.that(
        (some_images[:, 0, 0] // 10 == some_labels).all(),
        f"Some {name} images lost their own label: index both with the same places.",
    )
check.equal(
    sorted(np.concatenate([parts[0], parts[2]])[:, 0, 0].tolist()), list(range(100)),
    "the list of all images in both parts", "Is an image in both parts, or in neither?",
)

# %% nbgrader={"grade_id": "hidden-split", "grade": true, "locked": true, "points": 3}
# Also: classes of unequal size and of any number, 29 of 50, unsorted input, order, what the seed does,
# the input left alone.
### BEGIN HIDDEN TESTS
mixed_labels = np.repeat([3, 7, 12], [20, 40, 60])[(np.arange(120) * 7) % 120]
mixed_images = np.arange(120)[:, None] * np.ones((1, 3), dtype=int)
kept = mixed_images.copy(), mixed_labels.copy()
first = split(mixed_images, mixed_labels, 90, seed=1)
check.equal(
    {c: int((first[1] == c).sum()) for c in (3, 7, 12)}, {3: 15, 7: 30, 12: 45},
    "90 training images of classes with 20, 40 and 60, by class",
    "A larger class sends more: the share is the same, not the number. Classes may have any number.",
)
check.equal(len(first[3]), 30, "the number of test labels of 120 with 90 for training")
halves = split(np.arange(100), np.repeat([0, 1], 50), 58, seed=1)[1]
check.equal(
    np.bincount(halves).tolist(), [29, 29], "58 training images of two classes of 50, by class",
    "58 / 100 * 50 is a little less than 29 for a computer: round, or multiply first.",
)
for some_images, some_labels in (first[:2], first[2:]):
    check.that(
        (mixed_labels[some_images[:, 0]] == some_labels).all(), "Images have lost their labels."
    )
everything = np.concatenate([first[0], first[2]])[:, 0]
check.equal(sorted(everything.tolist()), list(range(120)), "all images of both parts")
check.that(
    (kept[0] == mixed_images).all() and (kept[1] == mixed_labels).all(),
    "split changed the arrays that came in: were they shuffled in place?",
)
again, other = split(mixed_images, mixed_labels, 90, seed=1), split(
    mixed_images, mixed_labels, 90, seed=2
)
for one, two in zip(first, again, strict=True):
    check.that((one == two).all(), "The same seed gave two different splits.")
check.that(
    sorted(first[0][:, 0].tolist()) != sorted(other[0][:, 0].tolist()),
    "Two seeds chose the same training images: are the images of a class drawn at random?",
)
# Ten classes in random order change label at 9 of 10 steps, in blocks at 9 steps in all.
in_order = np.repeat(np.arange(10), 50)
_, training, _, test = split(np.arange(500), in_order, 250, seed=3)
for part, name in ((training, "training"), (test, "test")):
    check.that(
        (np.diff(part) != 0).mean() > 0.6, f"The {name} part is still in order: shuffle it as well."
    )
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true}
parts = split(all_images, all_labels, 4000, seed=0)
train_images, train_labels, test_images, test_labels = parts
draw.class_counts(
    {"first 4,000": all_labels[:4000], "your train": train_labels, "your test": test_labels},
    "Digits by class. The first 4,000 of the file hold 500 of each class from 0 to 7 and no 8 and "
    "no 9. Your training part holds 400 of each of the ten classes, your test part 100 of each.",
)
train_x, train_y = to_tensors(train_images, train_labels)
fit_x, fit_y, val_x, val_y = train_x[:3000], train_y[:3000], train_x[3000:], train_y[3000:]
classes_met = set(all_labels[:4000])
could_be_right = np.mean([label in classes_met for label in all_labels[4000:]])
predict.compare("the friend's accuracy in %", round(100 * could_be_right))

# %% [markdown]
# Your friend scores zero: the last 1,000 digits are all 8s and 9s, which that network never saw.
#
# The cell also cut *your* 4,000 training digits in two: 3,000 to fit (`fit_x`, `fit_y`), and 1,000 as a
# **validation set** (`val_x`, `val_y`), on which networks are judged until then. (`to_tensors` moves the
# ink to mean 0 and standard deviation 1, as suits networks.)
#
# ## 2. Pooling
#
# Slide 25 names three kinds of layers: convolution, fully connected, and pooling. A pool lays a
# window of $f \times f$ on a map, keeps one number of it, and moves on by $s$ pixels (slide 26).
# **Max pooling** keeps the largest: *is the feature anywhere here?* Each channel is pooled on its own,
# so (N, C, H, W) becomes (N, C, H', W') with
#
# $$H' = \left\lfloor \frac{H - f}{s} \right\rfloor + 1$$
#
# Rows and columns at the end that don't fill a window are left out.
#
# Slide 26 says that pooling reduces the number of parameters. To be exact, a pool has none; it
# shrinks the fully connected layer *behind* it. Slide 29's network has 38,390 parameters, and would
# have 806,390 without its pools.

# %% [markdown]
# ### Exercise `max_pool` (1 + 2 points)
#
# Return the maximum of each window. Write it by hand: torch's own pooling is the referee. Windows
# may overlap ($s < f$) or leave gaps ($s > f$), images need not be square, and maps may be negative
# everywhere.
#
# <details><summary>Hint 1: what stands where</summary>
#
# Output pixel $(i, j)$ looks at rows $si$ to $si + f - 1$ and columns $sj$ to $sj + f - 1$.
#
# </details>
# <details><summary>Hint 2: all windows at once</summary>
#
# `x.unfold(2, f, s)` cuts dimension 2 into windows of `f`, `s` apart, and puts them into a new last
# dimension. What is still to be cut?
#
# </details>
# <details><summary>Hint 3: then</summary>
#
# The windows have shape (N, C, H', W', f, f). Over which of these dimensions is the maximum taken, and
# why does a start from 0 fail?
#
# </details>

# %% nbgrader={"grade_id": "max_pool", "solution": true}
def max_pool(x, f, s):
    """Maximum of each f x f window, windows s apart: (N, C, H, W) to (N, C, H', W').

    H' = floor((H - f) / s) + 1, and W' likewise. No padding. Slide 26.
    """
    ### BEGIN SOLUTION
    return x.unfold(2, f, s).unfold(3, f, s).amax((4, 5))
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-max_pool", "grade": true, "locked": true, "points": 1}
small_map = torch.tensor([[1.0, 3, 2, 0], [4, 6, 5, 1], [7, 2, 9, 8], [0, 5, 3, 4]])[None, None]
check.close(
    max_pool(small_map, 2, 2), [[[[6, 5], [7, 9]]]], "max_pool(small_map, 2, 2)",
    "Look at the four 2 x 2 corners of small_map.",
)
check.shape(
    max_pool(torch.zeros(5, 3, 8, 12), 2, 2), (5, 3, 4, 6), "the pool of (5, 3, 8, 12)",
    "Each channel of each image is pooled on its own.",
)
check.by_hand(max_pool, small_map, 2, 2, without="pool")

# %% nbgrader={"grade_id": "hidden-max_pool", "grade": true, "locked": true, "points": 2}
# Also: overlap, gaps, a remainder, images that are not square, negative maps; by hand; the input left
# alone.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(4)
for shape, f, s in (
    ((1, 1, 7, 7), 3, 2), ((2, 3, 9, 6), 3, 1), ((3, 2, 8, 11), 2, 3), ((2, 4, 10, 7), 4, 3),
    ((1, 2, 5, 9), 1, 2), ((2, 1, 4, 4), 4, 4), ((4, 5, 9, 13), 2, 2),
):
    maps = torch.randn(shape, generator=numbers, dtype=torch.float64) - 3
    before = maps.clone()
    check.close(
        max_pool(maps, f, s), F.max_pool2d(maps, f, s), f"max_pool of {shape} with f={f}, s={s}",
        "Check overlap, the remainder at the right and at the bottom, and maps below zero.",
    )
    check.close(maps, before, "the input of max_pool afterwards", "Work on a copy.")
check.by_hand(max_pool, maps, f, s, without="pool")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise `avg_pool` (1 + 2 points)
#
# The same windows, but keep their mean: *how much of the feature is here?* LeCun's own network
# summed and scaled its windows; the maximum became the habit later.
#
# <details><summary>Hint 1: the same windows</summary>
#
# What of your `max_pool` stays, and what takes the place of the maximum?
#
# </details>
# <details><summary>Hint 2: the divisor</summary>
#
# A window has $f^2$ pixels, however far apart windows are.
#
# </details>
# <details><summary>Hint 3: by loops</summary>
#
# Or sum `x[:, :, i : i + f, j : j + f]` over its last two dimensions for each window.
#
# </details>
#
# **Predict first:** below, a digit is pooled with $f = s = 2$ and $f = s = 4$. Which pool makes
# strokes fatter, which makes them paler? How large are the four results?

# %% nbgrader={"grade_id": "avg_pool", "solution": true}
def avg_pool(x, f, s):
    """Mean of each f x f window, windows s apart: (N, C, H, W) to (N, C, H', W').

    H' = floor((H - f) / s) + 1, and W' likewise. No padding. Slide 26.
    """
    ### BEGIN SOLUTION
    return x.unfold(2, f, s).unfold(3, f, s).mean((4, 5))
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-avg_pool", "grade": true, "locked": true, "points": 1}
small_map = torch.tensor([[1.0, 3, 2, 0], [4, 6, 5, 1], [7, 2, 9, 8], [0, 5, 3, 4]])[None, None]
check.close(
    avg_pool(small_map, 2, 2), [[[[3.5, 2], [3.5, 6]]]], "avg_pool(small_map, 2, 2)",
    "The first window holds 1, 3, 4 and 6.",
)
check.shape(
    avg_pool(torch.zeros(5, 3, 8, 12), 2, 2), (5, 3, 4, 6), "the pool of (5, 3, 8, 12)",
    "Each channel of each image is pooled on its own.",
)
check.by_hand(avg_pool, small_map, 2, 2, without="pool")

# %% nbgrader={"grade_id": "hidden-avg_pool", "grade": true, "locked": true, "points": 2}
# Also: overlap, gaps, a remainder, images that are not square; by hand; the input left alone.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(5)
for shape, f, s in (
    ((1, 1, 7, 7), 3, 2), ((2, 3, 9, 6), 3, 1), ((3, 2, 8, 11), 2, 3), ((2, 4, 10, 7), 4, 3),
    ((1, 2, 5, 9), 1, 2), ((2, 1, 4, 4), 4, 4), ((4, 5, 9, 13), 2, 2),
):
    maps = torch.randn(shape, generator=numbers, dtype=torch.float64)
    before = maps.clone()
    check.close(
        avg_pool(maps, f, s), F.avg_pool2d(maps, f, s), f"avg_pool of {shape} with f={f}, s={s}",
        "Is each sum divided by f * f? Is a window that is not full left out?",
    )
    check.close(maps, before, "the input of avg_pool afterwards", "Work on a copy.")
check.by_hand(avg_pool, maps, f, s, without="pool")
### END HIDDEN TESTS

# %%
digit = torch.tensor(train_images[:1, None], dtype=torch.float32)
draw.pooled(
    train_images[0],
    {
        f"{name}, f = s = {f}": pool(digit, f, f)[0, 0].numpy()
        for f in (2, 4)
        for name, pool in (("max", max_pool), ("average", avg_pool))
    },
)

# %% [markdown]
# ## 3. The network of slide 29
#
# | layer | in | f, p, s | out | parameters |
# |---|---|---|---|---|
# | conv1 | (1, 28, 28) | 5, 0, 1 | (10, 24, 24) | 260 |
# | max pool | (10, 24, 24) | 2, 0, 2 | (10, 12, 12) | 0 |
# | conv2 | (10, 12, 12) | 5, 0, 1 | (20, 8, 8) | 5,020 |
# | max pool | (20, 8, 8) | 2, 0, 2 | (20, 4, 4) | 0 |
# | fc1 | 320 | | 100 | 32,100 |
# | fc2 | 100 | | 10 | 1,010 |
#
# After each convolution and after fc1 comes a ReLU (slide 15). After fc2 comes **nothing**. The
# slide's last row says softmax, and probabilities are what we mean in the end; but PyTorch's loss,
# `F.cross_entropy`, takes the softmax itself, so the network returns raw scores, the **logits**.
#
# (Slide 28 calls this LeNet-5. LeCun's LeNet-5 of 1998 is a cousin with other channel counts and
# about 60,000 parameters.)

# %% [markdown]
# ### Exercise `LeNet` (1 + 3 points)
#
# Write the module: in `__init__` the four layers that learn, named as in the table; in
# `forward` the way through them. PyTorch's pools are welcome here: a mistake in a pool of yours would cost
# you this exercise, too.
#
# **Predict first:** what share of the 38,390 parameters is fc1's? A third, a half, five sixths?
# (The bars below the tests will say.)
#
# <details><summary>Hint 1: the layers</summary>
#
# `self.conv1 = nn.Conv2d(1, 10, 5)`; a dense layer is an `nn.Linear(inputs, outputs)`.
#
# </details>
# <details><summary>Hint 2: one stage</summary>
#
# `F.max_pool2d(F.relu(...), 2)`: what stands inside at first, what the second time?
#
# </details>
# <details><summary>Hint 3: from maps to a row</summary>
#
# Slide 27's reshape is `x.flatten(1)`: (N, 20, 4, 4) becomes (N, 320), and N stays.
#
# </details>

# %% nbgrader={"grade_id": "LeNet", "solution": true} needs=["max_pool"]
class LeNet(nn.Module):
    """The network of slide 29: digits (N, 1, 28, 28) to logits (N, 10), 38,390 parameters.

    Its layers conv1, conv2, fc1, fc2 are nn.Conv2d and nn.Linear. ReLU after the first three,
    a 2 x 2 max pool after each convolution, nothing after fc2. The same in training and in evaluation
    mode; the digits are left unchanged.
    """

    def __init__(self):
        super().__init__()
        ### BEGIN SOLUTION
        self.conv1 = nn.Conv2d(1, 10, 5)
        self.conv2 = nn.Conv2d(10, 20, 5)
        self.fc1 = nn.Linear(320, 100)
        self.fc2 = nn.Linear(100, 10)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc2(x)
        ### END SOLUTION

# %% nbgrader={"grade_id": "test-LeNet", "grade": true, "locked": true, "points": 1}
check.shape(
    LeNet()(torch.zeros(7, 1, 28, 28)), (7, 10), "LeNet's output for 7 digits",
    "Ten logits per digit. Does flatten keep the first dimension?",
)
check.equal(
    sum(count for _, count in check.parameter_counts(LeNet())), 38390, "LeNet's parameters",
    "Padding, a missing bias or a missing pool would each change this number.",
)
model = LeNet()
F.cross_entropy(model(torch.ones(2, 1, 28, 28)), torch.tensor([0, 1])).backward()
for name, parameter in model.named_parameters():
    check.that(
        parameter.grad is not None,
        f"No gradient reaches {name}: it would never learn. Does forward leave torch on the way, by "
        "NumPy, .data, .detach() or torch.tensor(...)?",
    )

# %% nbgrader={"grade_id": "hidden-LeNet", "grade": true, "locked": true, "points": 3}
# Also: parameters and output size of each layer, one digit alone, and the logits themselves, in both
# modes, computed a second time from your network's own weights; the digits left alone; gradients; and the
# network after three epochs of the grader's training: an accuracy of 93 % on 1,000 other digits, 88 % when
# they move by one pixel.
### BEGIN HIDDEN TESTS
model = LeNet()
some_digits = torch.randn(6, 1, 28, 28, generator=torch.Generator().manual_seed(6))
kept = some_digits.clone()
check.equal(
    sorted(count for _, count in check.parameter_counts(model)), [260, 1010, 5020, 32100],
    "the parameters of the layers, smallest first", "Compare them with slide 29's last column.",
)
sizes = [size for _, size in check.layer_shapes(model, some_digits)]
place = -1
for size in ((6, 10, 24, 24), (6, 20, 8, 8), (6, 100), (6, 10)):
    check.that(
        size in sizes[place + 1 :],
        f"No layer gives {size} where slide 29 does; yours give {sizes}. Is there any padding?",
    )
    place = sizes.index(size, place + 1)
check.shape(model(some_digits[:1]), (1, 10), "LeNet's output for one digit")


def layer(size):
    """Weight and bias of the learner's layer whose weight has this shape, float64."""
    name = next(name for name, value in weights.items() if value.shape == size)
    bias = weights[name.removesuffix("weight") + "bias"]
    return torch.tensor(weights[name]).double(), torch.tensor(bias).double()


weights = check.state(model)
maps = F.max_pool2d(F.relu(F.conv2d(some_digits.double(), *layer((10, 1, 5, 5)))), 2)
maps = F.max_pool2d(F.relu(F.conv2d(maps, *layer((20, 10, 5, 5)))), 2)
hidden = F.relu(F.linear(maps.flatten(1), *layer((100, 320))))
logits = F.linear(hidden, *layer((10, 100)))
output = model(some_digits)
check.that(
    not torch.allclose(output.sum(1).double(), torch.ones(6).double(), atol=1e-4),
    "Each row sums to 1: these are probabilities. Leave the softmax to F.cross_entropy.",
)
check.close(
    output, logits, "LeNet's logits",
    "Max pools? ReLU after conv1, conv2 and fc1, and nothing after fc2?", rtol=1e-3, atol=1e-4,
)
check.close(some_digits, kept, "the digits afterwards", "Leave them as they are.")
model.eval()
check.close(
    model(some_digits), logits, "LeNet's logits in evaluation mode", "The same as in training.",
    rtol=1e-3, atol=1e-4,
)
model = LeNet()
F.cross_entropy(model(some_digits), torch.arange(6)).backward()
for name, parameter in model.named_parameters():
    check.that(
        parameter.grad is not None and bool((parameter.grad != 0).any()),
        f"No gradient reaches {name}: it would never learn.",
    )

check.seed(6)
model = LeNet()
order = np.random.default_rng(6).permutation(5000)
fit_x, fit_y = to_tensors(all_images[order[:3000]], all_labels[order[:3000]])
other_x, other_y = to_tensors(all_images[order[4000:]], all_labels[order[4000:]])
for lr in (0.005, 0.0033, 0.0017):
    optimizer = check.optimizer(model, "AdamW", lr=lr)
    for rows in torch.randperm(3000).split(50):
        optimizer.zero_grad()
        F.cross_entropy(model(fit_x[rows]), fit_y[rows]).backward()
        optimizer.step()


def accuracy(images):
    with torch.no_grad():
        return (model(images).argmax(1) == other_y).double().mean().item()


check.at_least(accuracy(other_x), 0.93, "your network's accuracy on 1,000 other digits")
steps = [(step, side) for step in (1, -1) for side in (2, 3)]
moved = np.mean([accuracy(torch.roll(other_x, *step)) for step in steps])
check.at_least(moved, 0.88, "its accuracy when they are moved by one pixel")
### END HIDDEN TESTS

# %%
names = ("Conv1", "Conv2", "FC1", "FC2")
counts = [count for _, count in check.parameter_counts(LeNet())]
draw.layer_bars(list(zip(names, counts, strict=True)), "LeNet's parameters")

# %% [markdown]
# ## 4. One epoch of training
#
# Training minimises the mean loss over the training digits (slide 32). The loss of one digit is its
# cross-entropy: minus the log of the probability that the network gives to the true class. We walk down
# in **minibatches**: a few digits, their mean loss, its gradient, one step of the **optimizer**, the
# rule that turns gradients into steps. How far a step goes is set by the learning rate, `lr`. When every
# digit has been used once, an **epoch** is over.
#
# Four habits keep this honest:
#
# 1. the model is put into training mode;
# 2. each epoch goes through the digits in a **new random order**;
# 3. gradients are set to zero before each step, since PyTorch *adds* to them;
# 4. a last batch that is shorter is used too.
#
# These ten lines are copied often and tested seldom. Yours will be tested.
#
# ### A worked example: one line through points
#
# The same three subgoals as in every training loop, on the smallest model there is, without torch's
# optimizer:

# %%
def fit_line(x, y, lr, steps):
    """Slope of the line through the origin that fits y (n,) to x (n,), by gradient descent."""
    slope = torch.zeros((), requires_grad=True)
    for _ in range(steps):
        # Subgoal 1: how wrong is the model?
        loss = ((slope * x - y) ** 2).mean()
        # Subgoal 2: which way does the loss rise?
        slope.grad = None
        loss.backward()
        # Subgoal 3: a step the other way
        with torch.no_grad():
            slope -= lr * slope.grad
    return slope.item()


print(f"{fit_line(torch.tensor([1.0, 2, 3]), torch.tensor([2.0, 4, 6]), 0.05, 50):.3f}")

# %% [markdown]
# ### Exercise `train_step` (1 point)
#
# Now a network and an optimizer of torch, which remembers the parameters; what stands under the
# subgoals is missing. Fill the gaps. `train_epoch` is then this step, for every minibatch.
#
# (The first step of all takes some seconds: torch loads a part of itself.)
#
# <details><summary>Hint: three calls</summary>
#
# `step` and `zero_grad` are methods of the optimizer, `backward` is one of the loss. What does
# `backward` add to, if old gradients are still there?
#
# </details>

# %% nbgrader={"grade_id": "train_step", "solution": true}
def train_step(model, images, labels, optimizer):
    """Take one step of `optimizer` for the mean cross-entropy of a batch; return the loss from before it.

    model      returns logits (n, classes) for images (n, ...); it is put into training mode
    optimizer  any of torch's, over the parameters of `model`

    Old gradients are forgotten first. The loss is a float.
    """
    model.train()
    # Subgoal 1: how wrong is the model? Make `loss`.
    ### BEGIN SOLUTION
    loss = F.cross_entropy(model(images), labels)
    ### END SOLUTION
    # Subgoal 2: which way does the loss rise? Forget the old gradients, compute the new ones.
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    loss.backward()
    ### END SOLUTION
    # Subgoal 3: a step the other way
    ### BEGIN SOLUTION
    optimizer.step()
    ### END SOLUTION
    return loss.item()

# %% nbgrader={"grade_id": "test-train_step", "grade": true, "locked": true, "points": 1}
check.seed(5)
toy_x, toy_y = torch.randn(9, 1, 2, 2), torch.arange(9) % 3
toy_net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
run = check.trained(train_step, toy_net, toy_x, toy_y, None, epochs=3, lr=0.2, momentum=0.9)
weight = toy_net[1].weight.detach().clone().requires_grad_()
bias = toy_net[1].bias.detach().clone().requires_grad_()
speed = [torch.zeros(3, 4), torch.zeros(3)]
for k in range(3):
    loss = F.cross_entropy(toy_x.flatten(1) @ weight.T + bias, toy_y)
    check.close(
        run["returned"][k], loss, f"the loss that step {k + 1} returns",
        "Is it the mean cross-entropy of the logits, before the step? Are old gradients forgotten, also "
        "before the first step? Does the optimizer that came in take the step?",
        rtol=1e-4,
    )
    slopes = torch.autograd.grad(loss, (weight, bias))
    speed = [0.9 * v + slope for v, slope in zip(speed, slopes, strict=True)]  # SGD with momentum
    with torch.no_grad():
        weight -= 0.2 * speed[0]
        bias -= 0.2 * speed[1]
check.close(
    run["state"]["1.weight"], weight, "the weights after three steps",
    "Is there one step for each call, and are old gradients forgotten before each?", rtol=1e-4,
)
norm = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 3)).eval()
run = check.trained(train_step, norm, toy_x, toy_y, None, epochs=1, lr=0.2)
check.that(
    run["training"] and run["state"]["1.num_batches_tracked"] == 1,
    "A model that comes in evaluation mode is put into training mode, with all its layers, and stays in "
    "it: keep the line model.train().",
)

# %% [markdown]
# ### Exercise `train_epoch` (1 + 3 points)
#
# Train `model` in place for one epoch. Return the mean loss over all **digits** as a float: each
# batch's loss, as it was before its step, weighted by the batch's size.
#
# <details><summary>Hint 1: batches</summary>
#
# `for rows in torch.randperm(len(images)).split(batch_size):`
#
# </details>
# <details><summary>Hint 2: one step</summary>
#
# You have it: `train_step`, with `images[rows]` and `labels[rows]`.
#
# </details>
# <details><summary>Hint 3: the mean</summary>
#
# Ten images in batches of 4, 4 and 2: why is the mean of the three losses not the mean over the images?
#
# </details>
# <details><summary>A puzzle, if the stub looks too empty</summary>
#
# Put these lines in order. Two of them do harm: which, and why?
#
#     total += loss.item() * len(rows)
#     optimizer.zero_grad()
#     for rows in torch.arange(len(images)).split(batch_size):
#     loss = F.cross_entropy(model(images[rows]), labels[rows])
#     model.train()
#     return total / len(images)
#     for rows in torch.randperm(len(images)).split(batch_size):
#     optimizer.step()
#     loss = F.cross_entropy(model(images[rows]).softmax(1), labels[rows])
#     loss.backward()
#
# </details>

# %% nbgrader={"grade_id": "train_epoch", "solution": true} needs=["train_step"]
def train_epoch(model, images, labels, optimizer, batch_size):
    """Train `model` on each image once, in random minibatches; return the mean loss, a float.

    model      returns logits (n, classes) for images (n, ...); it is put into training mode, and stays
               in it
    images     tensor (N, ...), labels int64 (N,), both left unchanged
    optimizer  any of torch's, over the parameters of `model`

    Cross-entropy, mean over a batch. Each batch has `batch_size` images, the last one what is left.
    Gradients are zeroed before each step. The loss returned is the mean over all N images. Slide 32.
    """
    ### BEGIN SOLUTION
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        total += train_step(model, images[rows], labels[rows], optimizer) * len(rows)
    return total / len(images)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-train_epoch", "grade": true, "locked": true, "points": 1}
# When graded, a function of the grader stands for train_step.
references = {}
### BEGIN HIDDEN TESTS
def one_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


references = {"train_step": one_step}
### END HIDDEN TESTS
with check.using(**references):
    tiny_x = torch.eye(3).repeat(4, 1).reshape(12, 1, 1, 3)
    tiny_y = torch.arange(12) % 3
    tiny_net = nn.Sequential(nn.Flatten(), nn.Linear(3, 3))
    tiny_loss = F.cross_entropy(tiny_net(tiny_x), tiny_y).item()
    run = check.trained(train_epoch, tiny_net, tiny_x, tiny_y, batch_size=12, epochs=5, lr=0.5)
    check.close(
        run["returned"][0], tiny_loss, "the loss that the first epoch returns (one batch of all 12)",
        "It is the mean cross-entropy before the step.", rtol=1e-4,
    )
    check.that(
        run["returned"][4] < run["returned"][0] - 0.1,
        "After five epochs the loss has not fallen. Are backward() and step() called?",
    )

# %% nbgrader={"grade_id": "hidden-train_epoch", "grade": true, "locked": true, "points": 3}
# Also: three steps against a reference in float64, with momentum, too; every image used once; the sizes
# of the batches, and that neighbours are parted; the mean loss of unequal batches; training mode; sorted
# digits.
### BEGIN HIDDEN TESTS
def one_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


check.seed(7)
numbers = torch.Generator().manual_seed(7)
some_x = torch.randn(60, 1, 4, 4, generator=numbers, dtype=torch.float64)
some_y = torch.randint(0, 3, (60,), generator=numbers)
start = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 3)).double()


def by_hand(model, images, labels, steps, lr, momentum=0.0):
    """State of a copy of `model` after gradient descent with momentum on all images at once."""
    twin = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    twin.load_state_dict(model.state_dict())
    speed = [torch.zeros_like(parameter) for parameter in twin.parameters()]
    for _ in range(steps):
        grads = torch.autograd.grad(F.cross_entropy(twin(images), labels), list(twin.parameters()))
        with torch.no_grad():
            for v, parameter, grad in zip(speed, twin.parameters(), grads, strict=True):
                v.mul_(momentum).add_(grad)
                parameter -= lr * v
    return check.state(twin)


with check.using(train_step=one_step):
    kept = some_x.clone()
    for batch_size in (60, 100):
        run = check.trained(train_epoch, start, some_x, some_y, batch_size, epochs=3, lr=0.3)
        check.that(
            any((run["state"][name] != value).any() for name, value in check.state(start).items()),
            f"With 60 images and batch_size={batch_size} nothing was trained: a batch that is not full "
            "is used, too.",
        )
        for name, value in by_hand(start, some_x, some_y, 3, 0.3).items():
            check.close(
                run["state"][name], value, f"{name} after three steps",
                "Are gradients set to zero before each step, also before the first? Is the loss the mean "
                "cross-entropy of the raw logits?",
            )
    run = check.trained(train_epoch, start, some_x, some_y, 60, epochs=3, lr=0.1, momentum=0.9)
    for name, value in by_hand(start, some_x, some_y, 3, 0.1, momentum=0.9).items():
        check.close(
            run["state"][name], value, f"{name} after three steps of an optimizer with momentum",
            "Does the optimizer that came in take the steps, one for each batch?",
        )
    check.equal(run["training"], True, "model.training after an epoch")
    check.close(some_x, kept, "the images after training", "Leave the images as they are.")

    # Steps so small that they add up: three batches of 20, each image once, whatever the order.
    run = check.trained(train_epoch, start, some_x, some_y, batch_size=20, epochs=1, lr=1e-6)
    moved = by_hand(start, some_x, some_y, 1, 3e-6)
    for name, value in check.state(start).items():
        check.close(
            (run["state"][name] - value) / 3e-6, (moved[name] - value) / 3e-6,
            f"how an epoch of three batches moves {name}, divided by the learning rate",
            "Is each image used exactly once, and each batch's gradient forgotten after its step?",
            rtol=1e-3, atol=1e-4,
        )

    # Five times the same image: batches of 2, 2 and 1 are three steps, in any order.
    same_x, same_y = some_x[:1].repeat(5, 1, 1, 1), some_y[:1].repeat(5)
    run = check.trained(train_epoch, start, same_x, same_y, batch_size=2, epochs=1, lr=0.2)
    for name, value in by_hand(start, same_x, same_y, 3, 0.2).items():
        check.close(
            run["state"][name], value, f"{name} after batches of 2, 2 and 1",
            "Is the short last batch used? Is the loss of a batch its mean?",
        )

    # One image of five has a large loss, so a mean over batches is wrong wherever it falls.
    eye = nn.Sequential(nn.Flatten(), nn.Linear(3, 3))
    with torch.no_grad():
        eye[1].weight.copy_(6 * torch.eye(3))
        eye[1].bias.zero_()
    five_x, five_y = torch.eye(3)[[0, 1, 2, 0, 1]].reshape(5, 1, 1, 3), torch.tensor([0, 1, 2, 0, 2])
    run = check.trained(train_epoch, eye, five_x, five_y, batch_size=2, epochs=1, lr=0.0)
    check.close(
        run["returned"][0], F.cross_entropy(eye(five_x), five_y), "the mean loss of batches of 2, 2, 1",
        "Weigh each batch by its size.", rtol=1e-4,
    )

    # Image k alone lights input k: a batch norm's mean over all batches knows the size of the batch it was in.
    ten = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(10, momentum=None), nn.Linear(10, 3))
    ten_x, ten_y = torch.eye(10).reshape(10, 1, 1, 10), torch.arange(10) % 3
    for size, expected in ((5, [5] * 10), (4, [2] * 2 + [4] * 8), (7, [3] * 3 + [7] * 7)):
        run = check.trained(train_epoch, ten, ten_x, ten_y, batch_size=size, epochs=1, lr=0.0)
        many, means = int(run["state"]["1.num_batches_tracked"]), run["state"]["1.running_mean"]
        check.equal(many, -(-10 // size), f"the number of batches of 10 images, batch_size={size}")
        check.equal(
            sorted(round(1 / max(1e-3, many * float(mean))) for mean in means), expected,
            f"the sizes of the batches in which ten images are, batch_size={size}, sorted",
            "Each batch has batch_size images, the last one what is left.",
        )
    # Images 2j and 2j + 1 have 1 and -1 on input j: together in a batch of two, their variance is 2, apart 0.5.
    pairs_x = torch.eye(20).repeat_interleave(2, 0) * torch.tensor([1.0, -1]).repeat(20)[:, None]
    twenty = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(20, momentum=None), nn.Linear(20, 3))
    pairs_x, pairs_y = pairs_x.reshape(40, 1, 1, 20), torch.arange(40) % 3
    run = check.trained(train_epoch, twenty, pairs_x, pairs_y, batch_size=2, epochs=1, lr=0.0)
    check.that(
        (20 * run["state"]["1.running_var"] > 1.5).sum() < 8,
        "Neighbours come in the same batch again and again: shuffle the images, not the batches.",
    )

    norm = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(16), nn.Linear(16, 3)).double().eval()
    run = check.trained(train_epoch, norm, some_x, some_y, batch_size=20, epochs=1, lr=0.1)
    check.equal(
        run["state"]["1.num_batches_tracked"], 3, "the batches that a batch norm saw in training mode",
        "The model came in evaluation mode: train_epoch puts it into training mode.",
    )

    # Sorted digits: a network that meets them in order remembers the nines.
    sorted_x, sorted_y = to_tensors(all_images[::5], all_labels[::5])
    line = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    runs = []
    for number in (71, 72):
        check.seed(number)
        runs.append(check.trained(train_epoch, line, sorted_x, sorted_y, 20, 1, lr=0.05))
    scores = sorted_x.flatten(1).numpy() @ runs[0]["state"]["1.weight"].T + runs[0]["state"]["1.bias"]
    check.that(
        (scores.argmax(1) == sorted_y.numpy()).mean() > 0.7,
        "Trained on digits sorted by class, a linear network forgets the early classes: are they shuffled?",
    )
    check.that(
        not np.allclose(runs[0]["state"]["1.weight"], runs[1]["state"]["1.weight"], atol=1e-6),
        "Two epochs from the same start went through the digits in the same order: draw a new one.",
    )
### END HIDDEN TESTS

# %% [markdown]
# A rival for later, a network without convolution: `mlp()`, the feed-forward network of slide 6, with 48
# hidden neurons. It has $784 \cdot 48 + 48 + 48 \cdot 10 + 10 = 38{,}170$ parameters, LeNet's
# weight class.
#
# Let your `train_epoch` warm up on it. **Predict first:** ten classes and no idea, each with a probability
# of a tenth: what is the loss at this **chance level**?

# %%
predict.keep("the loss at chance level", None)

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
rival = mlp()
sgd = torch.optim.SGD(rival.parameters(), lr=0.05)
losses = [train_epoch(rival, fit_x, fit_y, sgd, 50) for _ in range(5)]
predict.compare("the loss at chance level", np.log(10))
draw.loss_curve(
    losses,
    "the MLP, trained by your train_epoch",
    "The mean loss of five epochs. It starts far below the dashed line of the chance level, log 10, "
    "since the first epoch already teaches a lot, and falls at each epoch, less each time.",
)

# %% [markdown]
# ## 5. Evaluation
#
# The loss trains a network; **accuracy**, the fraction of digits with the right label, is what we
# report. The **predicted label** is the class with the largest logit, the **true label** comes with the
# data. Using a trained network in this way is called **inference**. A referee changes nothing: no
# parameter, no gradient, no buffer, and the network is handed back in the **mode** (training or
# evaluation) in which it came: `model.training` tells. LeNet works alike in both modes; dropout and batch
# norm, of lesson 05, don't, and batch norm stores running averages, in *buffers*.
#
# ### Exercise `evaluate` (1 + 3 points)
#
# Return the fraction of images labelled right, between 0 and 1, measured in evaluation mode.
#
# <details><summary>Hint 1: the frame</summary>
#
# Note `model.training`, call `model.eval()`, work, and give the mode back. Why not by
# `model.training = ...`?
#
# </details>
# <details><summary>Hint 2: the prediction</summary>
#
# The place of the largest logit in each row: `argmax`, over which dimension? All of it inside
# `with torch.no_grad():`.
#
# </details>
# <details><summary>Hint 3: with batches</summary>
#
# All images at once is fine. With batches, count right predictions and divide once at the end: a mean
# of batch accuracies overrates a short last batch.
#
# </details>
#
# **Predict first:** which accuracy, in %, has the MLP reached on the validation digits?

# %% nbgrader={"grade_id": "evaluate", "solution": true}
def evaluate(model, images, labels):
    """The fraction of `images` that `model` labels right, a number from 0 to 1.

    model   returns logits (n, classes) for images (n, ...)
    images  tensor (N, ...), labels int64 (N,)

    Works in evaluation mode and without gradients. The model keeps its parameters, their gradients
    and its buffers, and is left in the mode in which it came; images and labels are left unchanged.
    """
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    with torch.no_grad():
        right = (model(images).argmax(1) == labels).sum().item()
    model.train(was_training)
    return right / len(labels)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-evaluate", "grade": true, "locked": true, "points": 1}
# A network that predicts the place of the largest of its inputs; three labels of four agree.
placer = nn.Sequential(nn.Flatten(), nn.Identity())
four = torch.eye(3)[[2, 0, 1, 1]].reshape(4, 1, 1, 3)
result = check.evaluated(evaluate, placer, four, torch.tensor([2, 0, 1, 0]))
check.close(
    result["returned"], 0.75, "the accuracy of 3 right predictions of 4", "A fraction, not %."
)
check.equal(
    result["training"], True, "model.training afterwards",
    "The model came in training mode: hand it back as it was.",
)

# %% nbgrader={"grade_id": "hidden-evaluate", "grade": true, "locked": true, "points": 3}
# Also: 1,009 images, which no batch size divides; a network with dropout and batch norm; its state, its
# gradients and the mode of each layer afterwards; images and labels; one image alone; and that torch still
# computes gradients.
### BEGIN HIDDEN TESTS
placer = nn.Sequential(nn.Flatten(), nn.Identity()).eval()
many = torch.eye(10)[torch.arange(1009) % 10].reshape(1009, 1, 1, 10)
for right in (0, 1008):
    off_by_one = (torch.arange(1009) + 1) % 10
    off_by_one[right] = right % 10
    result = check.evaluated(evaluate, placer, many, off_by_one)
    check.close(
        result["returned"], 1 / 1009, "the accuracy of 1 right prediction of 1,009",
        "With batches: add up the right predictions, and divide once.",
    )
check.equal(result["training"], False, "model.training of a network that came in evaluation mode")
check.close(
    check.evaluated(evaluate, placer, many[:1], torch.tensor([0]))["returned"], 1.0,
    "the accuracy on one image, labelled right",
)

numbers = torch.Generator().manual_seed(8)
noisy = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(12), nn.Dropout(0.5), nn.Linear(12, 4))
noisy[1].running_mean += torch.linspace(-2, 2, 12)
some_x = torch.randn(300, 1, 3, 4, generator=numbers)
shift = (some_x.flatten(1) - noisy[1].running_mean) / (1 + noisy[1].eps) ** 0.5
truth = (shift @ noisy[3].weight.T + noisy[3].bias).argmax(1)
result = check.evaluated(evaluate, noisy, some_x, truth)
check.close(
    result["returned"], 1.0, "the accuracy of a network with dropout and batch norm, on its own predictions",
    "In training mode such a network predicts at random: was it in evaluation mode?",
)
check.equal(result["training"], True, "model.training of a network that came in training mode")
check.that(
    all(result["modes"].values()),
    "Layers inside the network stayed in evaluation mode. `model.training = ...` sets the outermost "
    "module alone: model.train(...) reaches all.",
)
check.that(
    not result["graph"],
    "The logits that evaluate computed require gradients: compute them inside torch.no_grad().",
)
for name, value in check.state(noisy).items():
    check.close(result["state"][name], value, f"{name} afterwards", "A referee only looks.")
check.equal(result["gradients"], False, "whether the evaluation changed a gradient")
check.equal(result["inputs"], False, "whether the evaluation changed images or labels")
check.that(
    result["enabled"] and result["trainable"],
    "After the evaluation nothing can be trained any more: gradients were switched off for good. Inside "
    "`with torch.no_grad():` they are off for a while.",
)
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true}
with torch.no_grad():
    predicted = rival(val_x).argmax(1).numpy()
print("validation accuracy of the MLP above 85 %:", evaluate(rival, val_x, val_y) > 0.85)
pairs = zip(predicted[:20], train_labels[3000:3020], strict=True)
draw.digit_grid(
    train_images[3000:3020],
    [f"{p}" if p == t else f"{p}, not {t}" for p, t in pairs],
    "labels that the MLP predicts",
    "Twenty validation digits, each with the MLP's predicted label above it; where that is wrong, the "
    "true label as well. Nearly all are right.",
)

# %% [markdown]
# ## 6. The sanity ladder
#
# Climb before you run. Each rung has saved people weeks of work.
#
# 1. **First loss.** An untrained network should give each class about a tenth: a loss near
#    $\log 10 = 2.303$. Far above: inputs badly scaled. *Below*: the network is not untrained, or the
#    loss is no mean cross-entropy over ten classes.
# 2. **Overfitting** on purpose. A healthy network can **memorise** 20 digits, to a loss under 0.1. If
#    not, there is a bug, and more data will only hide it: with a softmax inside the network the loss cannot fall
#    under $\log(e + 9) - 1 = 1.46$, yet accuracy still looks fine.
# 3. **Only then** the real run.
#
# **Predict first:** what is the overfit loss when all twenty images are blank, but their labels
# differ?

# %% [markdown]
# ### Exercise `ladder` (1 + 2 points)
#
# Climb the first two rungs with fresh `LeNet`s and your `train_epoch`, and report what you find as
# a dictionary. Report what *is*: the tests also pass digits that cannot be learnt, and a loop that runs
# until the loss is small would never end. So `train_epoch` is called at most 100 times.
#
# <details><summary>Hint 1: the first loss</summary>
#
# `F.cross_entropy(LeNet()(images), labels).item()`, without gradients.
#
# </details>
# <details><summary>Hint 2: memorising</summary>
#
# `torch.optim.AdamW(model.parameters(), lr=0.005)` is an optimizer, of which section 7 has more. 40
# epochs on `images[:20]`, as one batch, are plenty. Why must it be a fresh network again?
#
# </details>
# <details><summary>Hint 3: the loss at the end</summary>
#
# It is what the last `train_epoch` returned, or measure once more.
#
# </details>

# %% nbgrader={"grade_id": "ladder", "solution": true} needs=["LeNet", "train_epoch"]
def ladder(images, labels):
    """The first rungs for LeNet, a dict of floats.

    "expected"  the loss at chance level among ten classes, log 10
    "first"     the mean loss of an untrained LeNet on all images
    "overfit"   the mean loss on the first 20 images of a LeNet trained on just these

    images (N, 1, 28, 28) with N >= 20, labels int64 (N,). At most 100 calls of train_epoch. Slide 32.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        first = F.cross_entropy(LeNet()(images), labels).item()
    model = LeNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    for _ in range(40):
        overfit = train_epoch(model, images[:20], labels[:20], optimizer, 20)
    return {"expected": float(np.log(10)), "first": first, "overfit": overfit}
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-ladder", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def one_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


def small_net():
    return nn.Sequential(
        nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10),
    )


references = {"LeNet": small_net, "train_epoch": one_epoch}
### END HIDDEN TESTS
with check.using(**references):
    check.seed(9)
    mixed = np.random.default_rng(9).permutation(5000)[:200]
    losses = ladder(*to_tensors(all_images[mixed], all_labels[mixed]))
    check.equal(sorted(losses), ["expected", "first", "overfit"], "the keys of the dictionary, sorted")
    check.close(losses["expected"], np.log(10), 'ladder(...)["expected"]', "The natural log.", rtol=1e-3)
    check.that(
        abs(losses["first"] - np.log(10)) < 0.8,
        f'The first loss is {losses["first"]:.2f}, about 2.30 was expected: is the network untrained, the '
        "loss a mean, and are the logits raw?",
    )
    check.that(losses["overfit"] >= 0, "The overfit loss is negative: no cross-entropy is.")
    check.at_most(
        losses["overfit"], 0.1, "the overfit loss",
        "A healthy network gets that far: does it train for enough epochs, on these 20 alone, with raw "
        "logits?",
    )

# %% nbgrader={"grade_id": "hidden-ladder", "grade": true, "locked": true, "points": 2}
# Also: at most 100 epochs, nonsense labels, badly scaled images, few classes, and blank images, which no
# network can tell apart.
### BEGIN HIDDEN TESTS
def one_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


def small_net():
    return nn.Sequential(
        nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10),
    )


epochs = []


def counted_epoch(*args, **kwargs):
    epochs.append(1)
    check.that(len(epochs) <= 100, "ladder calls train_epoch more than 100 times: at most 100 were asked for.")
    return one_epoch(*args, **kwargs)


with check.using(LeNet=small_net, train_epoch=counted_epoch):
    check.seed(10)
    mixed = np.random.default_rng(10).permutation(5000)[:300]
    some_x, some_y = to_tensors(all_images[mixed], all_labels[mixed])
    nonsense = torch.arange(300) % 10
    losses = ladder(some_x, nonsense)
    check.close(losses["expected"], np.log(10), "the expected loss", rtol=1e-3)
    check.that(
        abs(losses["first"] - np.log(10)) < 0.8, "The first loss of nonsense labels is near log 10 too."
    )
    check.at_most(
        losses["overfit"], 0.1, "the overfit loss of nonsense labels", "They can be memorised, too."
    )
    # Blank are the first 20 alone, with five labels; the rest could be learnt.
    blank_x, blank_y = some_x.clone(), nonsense % 5
    blank_x[:20] = 0
    epochs.clear()
    losses = ladder(blank_x, blank_y)
    check.close(
        losses["expected"], np.log(10), "the expected loss of digits of which five classes occur",
        "LeNet has ten logits, so chance is a tenth.", rtol=1e-3,
    )
    check.that(
        1.5 < losses["overfit"] < 5,
        "Twenty blank images with five labels cannot be learnt: the overfit loss stays near log 5. "
        f'Yours is {losses["overfit"]:.2f}: is it the mean loss on the first 20, as it was measured?',
    )


def known_net():
    """The same weights at each call, so that the first loss is known."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(17)
        return small_net()


with check.using(LeNet=known_net, train_epoch=one_epoch):
    bright = some_x.clone()
    bright[-5:] *= 100  # these five have most of the loss
    with torch.no_grad():
        first = F.cross_entropy(known_net()(bright), some_y).item()
    check.close(
        ladder(bright, some_y)["first"], first, "the first loss of digits of which five are far too bright",
        "Is it measured before any training, and is it the mean over all images, just as they came?",
        rtol=1e-3,
    )
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
losses = ladder(train_x[:500], train_y[:500])
draw.rungs(losses)
print("first loss within 0.15 of log 10:", abs(losses["first"] - losses["expected"]) < 0.15)
print("20 digits memorised:", losses["overfit"] < 0.1)

# %% [markdown]
# Blank images: the network can only learn how frequent each label is. With two of each class the loss
# stays at $\log 10$, however long you train.
#
# ## 7. Hyperparameters, chosen fairly
#
# How long, with which learning rate, how many at once? What is chosen before training and not learnt by
# it are **hyperparameters**; together they are the training configuration, `recipe` for short. To choose
# them takes trials on digits that the network has not trained on, but *not the test digits*: to pick the
# best of many by its test accuracy is to train on the test set. So `recipe` sets part of the digits that
# it gets aside for validation.
#
# `fit` runs your `train_epoch` with the same optimizer throughout, AdamW (lesson 05 builds its heart),
# and a **scheduler**, which lowers the learning rate from epoch to epoch. After each epoch it calls
# `after_epoch`, if one was passed. The candidates differ in their learning rates.

# %% nbgrader={"grade_id": "setup-fit", "locked": true}
def fit(model, images, labels, lr, batch_size, epochs, after_epoch=None):
    """Train `model` with your train_epoch, at a falling learning rate; the loss of each epoch."""
    optimizer, losses = check.optimizer(model, "AdamW", lr=lr), []
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 - epoch / epochs)
    for _ in range(epochs):
        losses.append(train_epoch(model, images, labels, optimizer, batch_size))
        scheduler.step()
        if after_epoch:
            after_epoch()
    return losses


CANDIDATES = [{"lr": lr, "batch_size": 50, "epochs": 3} for lr in (0.00001, 0.005, 0.5)]

# %% [markdown]
# ### Exercise `recipe` (1 + 3 points)
#
# Split the digits that come in: four fifths to fit, one fifth to validate. Fit a *fresh*
# `LeNet` with each candidate (`fit(model, x, y, **candidate)`), and score it on the validation
# part. Return the best candidate, and the list of all scores, in the candidates' order.
#
# <details><summary>Hint 1: arrays, then tensors</summary>
#
# `split(images, labels, len(labels) * 4 // 5, seed=0)` first, `to_tensors` after.
#
# </details>
# <details><summary>Hint 2: fresh</summary>
#
# `LeNet()` belongs inside the loop: a second-hand network has already learnt something.
#
# </details>
# <details><summary>Hint 3: the best</summary>
#
# `np.argmax` gives a place. Of what?
#
# </details>
#
# **Predict first:** which accuracy, in %, will each of these three learning rates reach? And a network
# that has learnt nothing?

# %% nbgrader={"grade_id":"recipe","solution":true} needs=["split","LeNet","train_epoch","evaluate"]
def recipe(candidates, images, labels):
    """The candidate that does best on a validation part, and the scores of all.

    candidates  list of dicts with the settings of fit: "lr", "batch_size", "epochs"; left unchanged
    images      array (N, 28, 28) of 0 to 255, labels array (N,): as split takes them

    Returns (best, scores): the one of `candidates` with the highest score, and the list of their
    scores in order: accuracies on the validation fifth.
    """
    ### BEGIN SOLUTION
    parts = split(images, labels, len(labels) * 4 // 5, seed=0)
    fit_x, fit_y = to_tensors(*parts[:2])
    validation = to_tensors(*parts[2:])
    scores = []
    for candidate in candidates:
        model = LeNet()
        fit(model, fit_x, fit_y, **candidate)
        scores.append(evaluate(model, *validation))
    return candidates[int(np.argmax(scores))], scores
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-recipe", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def one_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


def share_right(model, images, labels):
    mode = model.training
    model.eval()
    with torch.no_grad():
        predicted = model(images).argmax(1)
    model.train(mode)
    return (predicted == labels).double().mean().item()


def small_net():
    return nn.Sequential(
        nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10),
    )


def stratified(images, labels, n_train, seed):
    rng, order = np.random.default_rng(seed), []
    for c in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == c))
        n = round(n_train * len(rows) / len(labels))
        order.append((rows[:n], rows[n:]))
    train, test = (rng.permutation(np.concatenate(part)) for part in zip(*order, strict=True))
    return images[train], labels[train], images[test], labels[test]


references = {
    "LeNet": small_net, "train_epoch": one_epoch, "evaluate": share_right, "split": stratified,
}
### END HIDDEN TESTS
with check.using(**references):
    check.seed(11)
    few = np.random.default_rng(11).permutation(500)[:20]
    rows = (np.arange(10)[:, None] * 500 + few).ravel()
    lazy, keen = ({"lr": lr, "batch_size": 20, "epochs": 4} for lr in (1e-6, 0.005))
    best, scores = recipe([keen, lazy], all_images[rows], all_labels[rows])
    check.equal(best, keen, "the better of a sound learning rate and one of a millionth")
    check.equal(len(scores), 2, "the number of scores", "One for each candidate, in their order.")
    check.that(
        0 <= scores[1] < scores[0] <= 1,
        f"Scores are accuracies, and the first is higher; yours are {scores}. Is the network fresh for each "
        "candidate?",
    )

# %% nbgrader={"grade_id": "hidden-recipe", "grade": true, "locked": true, "points": 3}
# Also: labels that are noise, labels that mean something else, candidates in another order, candidates
# that differ in more than the learning rate and are left alone, and how many digits are fitted.
### BEGIN HIDDEN TESTS
def one_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


def share_right(model, images, labels):
    mode = model.training
    model.eval()
    with torch.no_grad():
        predicted = model(images).argmax(1)
    model.train(mode)
    return (predicted == labels).double().mean().item()


def small_net():
    return nn.Sequential(
        nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10),
    )


def stratified(images, labels, n_train, seed):
    rng, order = np.random.default_rng(seed), []
    for c in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == c))
        n = round(n_train * len(rows) / len(labels))
        order.append((rows[:n], rows[n:]))
    train, test = (rng.permutation(np.concatenate(part)) for part in zip(*order, strict=True))
    return images[train], labels[train], images[test], labels[test]


with check.using(
    LeNet=small_net, train_epoch=one_epoch, evaluate=share_right, split=stratified
):
    check.seed(12)
    # Fifty digits with labels drawn by lot: only a network that has seen them scores above 60 %.
    rng = np.random.default_rng(12)
    rows = (np.arange(10)[:, None] * 500 + rng.permutation(500)[:5]).ravel()
    learner = {"lr": 0.004, "batch_size": 10, "epochs": 25}
    _, scores = recipe([learner], all_images[rows], rng.permutation(all_labels[rows]))
    check.at_most(
        scores[0], 0.6, "your score with labels that are pure noise",
        "Only digits that were trained on can give more than chance. Are fitting and validation digits "
        "kept apart?",
    )
    # Turned labels: 0 is called 9, 1 is called 8. Scores from other digits than these are worthless.
    rows = (np.arange(10)[:, None] * 500 + rng.permutation(500)[:40]).ravel()
    best, scores = recipe(CANDIDATES[:2], all_images[rows], 9 - all_labels[rows])
    check.equal(
        best, CANDIDATES[1], "the better of CANDIDATES[:2] for digits with other labels",
        "Is each network fresh, and scored on the digits that came in?",
    )
    check.at_least(
        scores[1] - scores[0], 0.15, "the lead of a sound learning rate over a tiny one",
        "Is the network that was trained the one that is scored?",
    )


# Pixel k lights up in a k. This epoch makes a network know as many of the classes as batch_size says, and
# returns a loss that speaks for the worst.
epochs = []


def scripted_epoch(model, images, labels, optimizer, batch_size):
    epochs.append((len(images), batch_size))
    optimizer.step()  # without gradients it changes nothing; a scheduler asks that it was called
    weight = torch.zeros(10, 784)
    weight[:batch_size].fill_diagonal_(1)
    model.load_state_dict({"1.weight": weight, "1.bias": torch.zeros(10)})
    return float(batch_size)


def blank_net():
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    return net.requires_grad_(False) and check.filled(net, 0.0, training=True).requires_grad_()


signs = np.zeros((100, 28, 28), dtype=np.uint8)
signs[np.arange(100), 0, np.arange(100) // 10] = 255
with check.using(
    LeNet=blank_net, train_epoch=scripted_epoch, evaluate=share_right, split=stratified
):
    settings = [(0.5, 3, 2), (0.1, 7, 1), (0.2, 8, 3), (0.3, 5, 1)]
    candidates = [dict(zip(("lr", "batch_size", "epochs"), one, strict=True)) for one in settings]
    best, scores = recipe(candidates, signs, np.arange(100) // 10)
    check.close(
        scores, [0.4, 0.8, 0.9, 0.6], "the scores of four networks that know 4, 8, 9 and 6 of ten classes",
        "One for each candidate, in their order, from a fresh network.",
    )
    check.equal(
        best, {"lr": 0.2, "batch_size": 8, "epochs": 3}, "the best of these four",
        "It has the highest score, whatever its settings and its training loss; candidates stay as they are.",
    )
    check.equal(
        [tuple(one.values()) for one in candidates], settings, "the candidates afterwards",
        "Leave them as they are.",
    )
    expected = [(80, size) for _, size, many in settings for _ in range(many)]
    check.equal(
        epochs, expected, "(digits, batch size) of all epochs, for 100 digits",
        "Four fifths are for fitting, with all settings of a candidate.",
    )
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
some_images, some_labels, _, _ = split(train_images, train_labels, 400, seed=1)
best, scores = recipe(CANDIDATES, some_images, some_labels)
print("chosen learning rate:", best["lr"])
rates = [f"lr = {candidate['lr']:.5f}".rstrip("0") for candidate in CANDIDATES]
draw.accuracy_bars(
    dict(zip(rates, scores, strict=True)),
    "validation accuracy by learning rate",
    "Validation accuracy for three learning rates: 0.00001 and 0.5 stay near the chance level, 0.005 "
    "reaches around 80 %.",
)

# %% [markdown]
# ## 8. The real run
#
# 3,000 training digits, the chosen configuration; after each epoch a look at the validation digits. The
# test digits stay locked until all is done.
#
# **Predict first:** will the two curves drift apart? And which validation accuracy, in %, will the network
# reach?

# %%
predict.keep("LeNet's validation accuracy in %", None)

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
net = LeNet()
curve = []


def look():
    curve.append((evaluate(net, fit_x[:500], fit_y[:500]), evaluate(net, val_x, val_y)))


look()
losses = fit(net, fit_x, fit_y, **best, after_epoch=look)
draw.learning_curve(losses, *zip(*curve, strict=True))
predict.compare("LeNet's validation accuracy in %", f"above {90 if curve[-1][1] > 0.9 else 0}")

# %% [markdown]
# What started as noise some seconds ago now reads handwriting.
#
# ### Exercise `own_code` (1 point)
#
# Two questions about *your* code. Which layer of your `LeNet` holds most parameters (its name in the
# module, such as `"conv1"`), and how many steps does your `train_epoch` take for 103 images with
# `batch_size=25`?
#
# <details><summary>Hint: the last ones</summary>
#
# Where do the three images end up that fill no batch? Why would a network that never meets them still
# train?
#
# </details>

# %% nbgrader={"grade_id": "own_code", "solution": true} needs=["LeNet", "train_epoch"]
def own_code():
    """Answers about your code: {"largest": the name of a layer, "steps": a whole number}."""
    ### BEGIN SOLUTION
    sizes = {}
    for name, parameter in LeNet().named_parameters():
        layer = name.rpartition(".")[0]
        sizes[layer] = sizes.get(layer, 0) + parameter.numel()
    steps, model = [], nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    model.register_forward_hook(lambda *_: steps.append(1))
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    train_epoch(model, torch.randn(103, 1, 2, 2), torch.arange(103) % 2, sgd, 25)
    return {"largest": max(sizes, key=sizes.get), "steps": len(steps)}
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-own_code", "grade": true, "locked": true, "points": 1}
# Compared with your own network and with your own loop, while it runs.
### BEGIN HIDDEN TESTS
replies, sizes = own_code(), {}
check.equal(sorted(replies), ["largest", "steps"], "the keys of own_code(), sorted")
for name, value in check.state(LeNet()).items():
    layer = name.rpartition(".")[0]
    sizes[layer] = sizes.get(layer, 0) + value.size
largest = max(sizes, key=sizes.get)
check.that(
    replies["largest"] in (largest, largest.rpartition(".")[2]),
    f"{replies['largest']!r} does not hold most parameters of your LeNet: count layer by layer.",
)
counter = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4, momentum=0.0), nn.Linear(4, 2))
some_x, some_y = torch.randn(103, 1, 2, 2), torch.arange(103) % 2
run = check.trained(train_epoch, counter, some_x, some_y, batch_size=25, epochs=1, lr=0.1)
check.that(
    replies["steps"] == int(run["state"]["1.num_batches_tracked"]),
    f"Your train_epoch does not take {replies['steps']} steps for 103 images, 25 at a time.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 9. What it sees on the way
#
# Slide 30 looks inside a network. So can we: send one digit through, stage by stage, and keep what
# comes out. Your own `max_pool` helps.
#
# **Predict first:** by which stage could you no longer name the digit?

# %%
digit = val_x[:1]
with torch.no_grad():
    one = net.conv1(digit)
    two = max_pool(F.relu(one), 2, 2)
    three = F.relu(net.conv2(two))
    four = max_pool(three, 2, 2)
stages = {"conv1": one, "ReLU, pool": two, "conv2, ReLU": three, "pool": four}
draw.feature_maps(train_images[3000], {name: maps[0].numpy() for name, maps in stages.items()})

# %% [markdown]
# The first filters respond to strokes and edges of one direction each, though no line of the program
# tells them to. Further on, maps say *which part* is present and, coarsely, *where*.
#
# ## 10. The control experiment
#
# Slide 6 claims that a feed-forward network loses the spatial organisation of the image, and that a CNN
# uses it. A claim like that wants a **control experiment**: one in which only the cause is taken away.
#
# Apply one fixed permutation of the 784 pixels to **every** digit. Nothing is lost: undo it, and
# each digit is back. Gone is only who was whose neighbour.

# %%
permutation = np.random.default_rng(0).permutation(784)
ten = train_images[3000:3010]
shuffled = ten.reshape(-1, 784)[:, permutation].reshape(-1, 28, 28)
draw.digit_grid(
    np.concatenate([ten, shuffled]),
    [f"{label}" for label in train_labels[3000:3010]] * 2,
    "the same ten digits, and with their pixels shuffled, always in the same way",
    "Ten validation digits, and below them the same digits with shuffled pixels: specks of noise that no "
    "eye can read.",
)

# %% [markdown]
# ### Exercise `control` (1 + 3 points)
#
# Shuffle train and test images, train the `model` that comes in with `fit`, and return its test accuracy
# on shuffled digits. Pixel $k$ of a shuffled image, counted row by row, is pixel `permutation[k]` of
# the original.
#
# <details><summary>Hint 1: a digit as a row</summary>
#
# `images.flatten(1)` has shape (N, 784). Which index permutes its columns, all rows alike?
#
# </details>
# <details><summary>Hint 2: and back</summary>
#
# Which shape did they have? And why must one shuffle serve training and test?
#
# </details>
# <details><summary>Hint 3: both parts</summary>
#
# A network trained on shuffled digits must be tested on digits shuffled in the same way.
#
# </details>

# %% nbgrader={"grade_id": "control", "solution": true} needs=["LeNet", "train_epoch", "evaluate"]
def control(model, settings, train, test, permutation):
    """Accuracy of `model`, trained and tested on digits with permuted pixels: 0 to 1.

    model        a fresh model of digits (N, 1, 28, 28); it is trained by fit(model, ..., **settings) on
                 the training digits alone
    train, test  pairs (images (N, 1, 28, 28), labels (N,)), left unchanged
    permutation  tensor (784,) of the numbers 0 to 783: pixel k of a shuffled image is pixel
                 permutation[k] of the original, for all images alike. Slide 6.
    """
    ### BEGIN SOLUTION
    def shuffle(images):
        return images.flatten(1)[:, permutation].reshape(images.shape)

    (images, labels), (test_images, test_labels) = train, test
    fit(model, shuffle(images), labels, **settings)
    return evaluate(model, shuffle(test_images), test_labels)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-control", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def one_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


def share_right(model, images, labels):
    mode = model.training
    model.eval()
    with torch.no_grad():
        predicted = model(images).argmax(1)
    model.train(mode)
    return (predicted == labels).double().mean().item()


references = {"train_epoch": one_epoch, "evaluate": share_right}
### END HIDDEN TESTS
with check.using(**references):
    # A network that is not trained (learning rate 0), on noise whose labels are its predictions for the
    # shuffled images, but for ten: if your shuffle is the one that was asked for, 40 of 50 are right.
    still = {"lr": 0.0, "batch_size": 50, "epochs": 1}
    down = torch.arange(784).roll(28)
    noise = torch.randn(50, 1, 28, 28, generator=torch.Generator().manual_seed(13))
    line = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    truth = line(noise.roll(1, 2)).argmax(1)
    most = torch.where(torch.arange(50) < 10, (truth + 1) % 10, truth)
    check.close(
        control(line, still, (noise, (truth + 1) % 10), (noise, most), down), 0.8,
        "the accuracy for a permutation that moves rows down by one, the last to the top",
        "Are the test images shuffled, all as `permutation` says and not the other way round, and is it they "
        "that are scored?",
    )

# %% nbgrader={"grade_id": "hidden-control", "grade": true, "locked": true, "points": 3}
# Also: any permutation, the digits that are trained on, the images left alone, and the experiment itself:
# the shuffle costs a CNN more than 8 points and puts it below the MLP, which moves by less than 2.
### BEGIN HIDDEN TESTS
def one_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


def share_right(model, images, labels):
    mode = model.training
    model.eval()
    with torch.no_grad():
        predicted = model(images).argmax(1)
    model.train(mode)
    return (predicted == labels).double().mean().item()


def small_net():
    return nn.Sequential(
        nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10),
    )


with check.using(train_epoch=one_epoch, evaluate=share_right):
    check.seed(14)
    rng = np.random.default_rng(14)
    mixed_up = rng.permutation(784)  # and not its own inverse
    noise = torch.randn(50, 1, 28, 28, generator=torch.Generator().manual_seed(15))
    kept = noise.clone()
    still = {"lr": 0.0, "batch_size": 50, "epochs": 1}
    line = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    truth = line(noise.flatten(1)[:, mixed_up].reshape(noise.shape)).argmax(1)
    check.close(
        control(line, still, (noise, (truth + 1) % 10), (noise, truth), torch.tensor(mixed_up)), 1.0,
        "the accuracy of an untrained network on its own predictions for shuffled noise",
        "Is every pixel moved as the permutation says, and not the other way round, in all images?",
    )
    check.close(noise, kept, "the images afterwards", "Leave the images as they are.")

    trained_on = []

    def recorded_epoch(model, images, labels, optimizer, batch_size):
        optimizer.step()  # a scheduler asks that it was called
        trained_on.append((images.clone(), labels.clone(), batch_size))
        return 0.0

    with check.using(train_epoch=recorded_epoch):
        settings = {"lr": 0.1, "batch_size": 7, "epochs": 2}
        control(line, settings, (noise[:30], truth[:30]), (noise[30:], truth[30:]), torch.tensor(mixed_up))
    check.equal(
        [(len(x), size) for x, _, size in trained_on], [(30, 7)] * 2,
        "(digits, batch size) of the epochs, for 30 training digits",
        "Only training digits are trained on, with the settings that came in.",
    )
    check.close(
        trained_on[0][0].flatten(1), noise[:30].flatten(1)[:, mixed_up], "the digits that are trained on",
        "Are they shuffled as `permutation` says?",
    )
    check.close(trained_on[0][1], truth[:30], "their labels")

    order = rng.permutation(5000)
    some = to_tensors(all_images[order[:1200]], all_labels[order[:1200]])
    other = to_tensors(all_images[order[2500:]], all_labels[order[2500:]])
    fewer = other[0][:1000], other[1][:1000]
    settings = {"lr": 0.005, "batch_size": 50, "epochs": 3}
    longer, straight = settings | {"epochs": 6}, torch.arange(784)
    shuffles = [torch.tensor(rng.permutation(784)) for _ in range(3)]
    plain = control(small_net(), settings, some, fewer, straight)
    mixed = control(small_net(), settings, some, fewer, shuffles[0])
    mlp_plain = np.mean([control(mlp(), longer, some, other, straight) for _ in shuffles])
    mlp_mixed = np.mean([control(mlp(), longer, some, other, way) for way in shuffles])
    check.at_least(plain - mixed, 0.08, "the accuracy that the shuffle costs a CNN")
    check.at_least(mlp_mixed - mixed, 0, "the MLP's lead over the CNN on shuffled digits")
    check.at_most(
        abs(mlp_plain - mlp_mixed), 0.02, "the accuracy by which the shuffle moves the MLP",
        "Are train and test digits shuffled in the same way?",
    )
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** two networks, LeNet and the MLP; digits straight and shuffled. Rank the four
# accuracies before you run: which is the lowest?

# %%
ways_to_train = ("LeNet, straight", "LeNet, shuffled", "MLP, straight", "MLP, shuffled")
predict.keep("the lowest of four accuracies", None, *ways_to_train)

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
few, validation = (fit_x[:1000], fit_y[:1000]), (val_x, val_y)
ways = {"straight": torch.arange(784), "shuffled": torch.tensor(permutation)}
scores = {
    f"{name}, {way}": control(make(), best, few, validation, ways[way])
    for name, make in (("LeNet", LeNet), ("MLP", mlp)) for way in ways
}
draw.accuracy_bars(
    scores, "validation accuracy after 1,000 training digits",
    "LeNet's bar for straight digits is the longest, its bar for shuffled digits the shortest; the "
    "MLP's two bars are about equally long.",
)
print("LeNet loses over 15 points:", scores["LeNet, straight"] - scores["LeNet, shuffled"] > 0.15)
predict.compare("the lowest of four accuracies", min(scores, key=scores.get))

# %% [markdown]
# The MLP never knew which pixels are neighbours, so it misses nothing. LeNet looks for patterns of
# $5 \times 5$ *neighbouring* pixels, anywhere: on pictures a gift, without neighbours a handicap.
# That is what slide 6 means.
#
# ## 11. Find the bugs
#
# A colleague in a hurry wrote this batch maker. It runs, and its batches have the right shapes.
# **Predict first:** an MLP is trained on them. Where will its loss end?

# %% nbgrader={"grade_id": "setup-hasty", "locked": true}
def hasty_batches(images, labels, size):
    """One epoch in random batches (images, labels), as a list."""
    batches = []
    for _ in range(len(images) // size):
        rows = torch.randperm(len(images))[:size]
        places = torch.randperm(len(labels))[:size]
        batches.append((images[rows], labels[places]))
    return batches

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
hasty_mlp = mlp()
sgd = torch.optim.SGD(hasty_mlp.parameters(), lr=0.02)
losses = []
for _ in range(3):
    for x, y in hasty_batches(fit_x, fit_y, 50):
        loss = F.cross_entropy(hasty_mlp(x), y)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(loss.item())
print("mean loss within 0.1 of log 10:", abs(np.mean(losses) - np.log(10)) < 0.1)
print("accuracy under 25 %:", evaluate(hasty_mlp, val_x, val_y) < 0.25)

# %% [markdown]
# The loss sits at $\log 10$. You know that number: the network learns nothing.
#
# ### Exercise `bug` (1 + 3 points)
#
# There are **three** bugs. One screams: it is the reason for $\log 10$. One whispers: with it a network
# would train, only worse. One bites only when `size` doesn't divide the number of images. Write
# `batches`, corrected.
#
# <details><summary>Hint 1: the scream</summary>
#
# Which label stands beside which image?
#
# </details>
# <details><summary>Hint 2: the whisper</summary>
#
# How often is each image drawn in one epoch? Count it for four images and `size=1`.
#
# </details>
# <details><summary>Hint 3: the bite</summary>
#
# Ten images, `size=4`: how many batches are there, and how many should there be?
#
# </details>
#
# **Predict first:** with the whisper, each of 80 batches is a fresh draw of 50 digits from 4,000.
# What share is never drawn in an epoch?

# %% nbgrader={"grade_id": "bug", "solution": true}
def batches(images, labels, size):
    """One epoch in random batches: a list of pairs (images, labels).

    images (N, ...), labels (N,): tensors, left unchanged. Each image is in exactly one batch, with
    its own label, in a new random order at each call. All batches have `size` images but the
    last, which has what is left.
    """
    ### BEGIN SOLUTION
    order = torch.randperm(len(images))
    return [(images[rows], labels[rows]) for rows in order.split(size)]
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-bug", "grade": true, "locked": true, "points": 1}
# Image k holds the number k, and so does its label.
tags = torch.arange(12)
epoch = batches(tags.reshape(12, 1, 1, 1), tags, 4)
check.that(isinstance(epoch, (list, tuple)), "The batches should be a list: return them all at once.")
check.equal([len(y) for _, y in epoch], [4, 4, 4], "the sizes of the batches of 12 images, size 4")
for x, y in epoch:
    check.shape(x, (4, 1, 1, 1), "the images of a batch")
    check.that(
        (x.flatten() == y).all(),
        "Images and labels of a batch don't belong together: this is the bug that screams.",
    )

# %% nbgrader={"grade_id": "hidden-bug", "grade": true, "locked": true, "points": 3}
# Also: each image exactly once, a short last batch, neighbours that are parted, a new order at each call,
# the input left alone.
### BEGIN HIDDEN TESTS
for n, size in ((60, 5), (10, 4), (9, 4), (7, 100), (9, 1)):
    tags = torch.arange(n)
    pixels = tags[:, None, None, None] * torch.ones(1, 2, 3, 3)
    epoch = batches(pixels, tags, size)
    sizes = [len(y) for _, y in epoch]
    expected = [size] * (n // size) + ([n % size] if n % size else [])
    check.equal(sizes, expected, f"the sizes of the batches of {n} images, size {size}")
    seen = torch.cat([y for _, y in epoch])
    check.equal(
        sorted(seen.tolist()), list(range(n)), f"the images of an epoch of {n}, sorted",
        "Is the order drawn once per epoch, and each image used exactly once?",
    )
    for x, y in epoch:
        check.close(
            x, y[:, None, None, None] * torch.ones(1, 2, 3, 3), "the images of a batch",
            "Do they stand beside their own labels?",
        )
    check.close(tags, torch.arange(n), "the labels afterwards", "Leave them as they are.")
tags = torch.arange(60)
orders = [torch.cat([y for _, y in batches(tags, tags, 5)]).tolist() for _ in range(3)]
check.that(orders[0] != list(range(60)), "The images of an epoch come in the order of the data.")
check.that(orders[0] != orders[1] or orders[1] != orders[2], "Each epoch needs a new random order.")
check.that(
    np.mean([np.abs(np.diff(order)) == 1 for order in orders]) < 0.3,
    "Neighbours stay neighbours: shuffle the images, not the batches.",
)
### END HIDDEN TESTS

# %%
def times_seen(make):
    drawn = torch.cat([x for x, _ in make(torch.arange(4000), train_y, 50)])
    return np.bincount(drawn, minlength=4000)


torch.manual_seed(0)
corrected = times_seen(batches)
draw.times_seen({"hasty_batches": times_seen(hasty_batches), "your batches": corrected})

# %% [markdown]
# Of `hasty_batches`, $(1 - 1/80)^{80} \approx 1/e$ are never drawn: a good third.
#
# You have written by hand what torch has ready. A **Dataset** knows how many examples there are, and hands
# out number $k$ with its label; a **DataLoader** makes shuffled minibatches of it, in several processes if
# you like. **Predict first:** how many digits does its last batch have?

# %%
from torch.utils.data import DataLoader, TensorDataset

loader = DataLoader(TensorDataset(fit_x, fit_y), batch_size=64, shuffle=True)
sizes = [len(y) for _, y in loader]
print("same sizes:", sizes == [len(y) for _, y in batches(fit_x, fit_y, 64)])
print("the last batch:", sizes[-1])

# %% [markdown]
# ## 12. The test digits, once
#
# All choices are made; nothing will be changed after this. Now, and only now, the test set is opened.
#
# In the **confusion matrix** a row is the true label and a column the predicted one. **Predict first:**
# name two pairs of digits that the network will mix up.

# %% jupyter={"source_hidden": true}
test_x, test_y = to_tensors(test_images, test_labels)
print("test accuracy above 93 %:", evaluate(net, test_x, test_y) > 0.93)
with torch.no_grad():
    predicted = net(test_x).argmax(1).numpy()
table = np.zeros((10, 10), dtype=int)
np.add.at(table, (test_labels, predicted), 1)
draw.confusion(table)

# %% jupyter={"source_hidden": true}
wrong = np.flatnonzero(predicted != test_labels)[:20]
draw.digit_grid(
    test_images[wrong],
    [f"{predicted[k]}, not {test_labels[k]}" for k in wrong],
    "misread by LeNet",
    "Test digits that the network misreads, each with its predicted label and the true one. Many are "
    "sloppily written, with open loops, missing strokes or odd slants.",
)

# %% [markdown]
# Be fair: which of these would *you* have read?
#
# ## Remember
#
# > - Split stratified, shuffled, seeded; choose hyperparameters on the validation set; open the test set
# >   once, at the end.
# > - Pooling has no parameters and keeps the channels.
# > - A network returns logits; the loss takes the softmax.
# > - Zero the gradients, shuffle every epoch, weigh batches by size, restore the mode.
# > - First loss near $\log 10$, twenty digits memorised, and only then the real run. Good accuracy
# >   does not prove good code.
# > - A CNN wins because neighbouring pixels belong together: shuffle them, and it loses.
#
# And your predictions, those that you kept:

# %%
predict.table()

# %% [markdown]
# ## Further, without points
#
# - ★ Put your `avg_pool` in place of the max pools. Does accuracy notice? Does the ladder?
# - ★ Shift test digits by 1, 2, 3, 4 pixels and draw accuracy against the shift, for both networks.
# - ★★ Permute only blocks of $7 \times 7$ pixels and leave each block whole. What does LeNet lose
#   now?
# - ★★ Train on 100, 300, 1,000 and 3,000 digits. How much more data does the MLP need?
