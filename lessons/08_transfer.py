# %% [markdown]
# # 08 Transfer learning
#
# You have nine photographs and a question. A net that learns from nothing wants thousands. But
# somebody has already spent a week of machines on a million photographs, and gave the result away.
# Today you borrow their eyes and teach them your words.
#
# **You will be able to**
#
# - cut training and test pictures so that nothing leaks from one to the other;
# - feed a trained net what it was trained on;
# - use it, frozen, as a maker of features, and prove that it stayed frozen;
# - train a new last layer, and then carefully a little more;
# - measure what all this is worth, with the luck of the draw in sight.
#
# **Time** about two hours. **Slides** 42 and 43. **Points** 29. **You need** lesson 04's training
# loop and lesson 05's batch norm.
#
# Images are (N, 3, S, S), maps (N, C, H, W), features (N, C).

# %% nbgrader={"grade_id": "setup", "locked": true}
import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course import backbone, check, data, draw, pretrained, textures

torch.set_num_threads(1)  # nets as small as today's are slower on two


def accuracy(logits, labels):
    """The fraction of rows of logits (N, classes) whose largest is the label's, a float."""
    return (logits.argmax(1) == labels).float().mean().item()

# %% nbgrader={"grade_id": "setup-toy", "locked": true}
def toy(seed=0):
    """A backbone in miniature, float64, for tests: (N, 3, S, S) to maps (N, 6, S // 2, S // 2)."""
    numbers = torch.Generator().manual_seed(seed)
    trunk = [nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Tanh(), nn.Dropout(0.5)]
    last = [nn.Conv2d(4, 6, 2, stride=2), nn.BatchNorm2d(6), nn.Tanh()]
    made = backbone.Backbone(nn.Sequential(*trunk), nn.Sequential(*last)).double()
    with torch.no_grad():
        for name, value in [*made.named_parameters(), *made.named_buffers()]:
            if value.is_floating_point():
                value.copy_(torch.randn(value.shape, generator=numbers, dtype=torch.float64) / 2)
            if "var" in name:
                value.abs_().add_(0.5)
    return made


def toy_head(n_classes=3):
    """A head for toy(), float64 and always the same: features (N, 6) to logits (N, n_classes)."""
    made = nn.Linear(6, n_classes).double()
    numbers = torch.Generator().manual_seed(n_classes)
    with torch.no_grad():
        for value in made.parameters():
            value.copy_(torch.randn(value.shape, generator=numbers, dtype=torch.float64) / 2)
    return made

# %% [markdown]
# ## 1. Borrowed eyes
#
# Slide 43 takes Inception v3, a net trained to tell 1,000 kinds of things apart, cuts off its last
# layer, puts a new one in its place, and trains **only that** on pictures of carbonate cores. The
# new layer is the **head**, what is left of the old net the **backbone**.
#
# Why should cats and teapots help with rocks? You have seen why in lesson 07: early layers answer
# edges, spots and stripes, later ones textures and parts. All of it is in rocks, too. Only the last
# layer speaks of cats.
#
# Our backbone is **EfficientNet-Lite0** (2019), small enough to come with the course:
# $(N, 3, S, S)$ to 1,280 maps, each $S / 32$ wide. It was trained on ImageNet's
# 1.28 million photographs; slide 42's "millions" is about right.
#
# It comes in two parts: `trunk`, the stem and fifteen blocks, and `last`, the sixteenth block and
# a $1 \times 1$ convolution.
#
# **Predict first:** one crop of 96 pixels goes in. How large are the maps?

# %%
net = backbone.efficientnet_lite0()
with torch.no_grad():
    print("maps:", tuple(net(torch.zeros(1, 3, 96, 96)).shape))
    print("after the trunk:", tuple(net.trunk(torch.zeros(1, 3, 96, 96)).shape))

# %% [markdown]
# **A kind correction.** Slides 39 and 40 say that GoogLeNet and ResNet have no fully connected
# layer. Had they none, slide 43 would have nothing to re-train: the "last layer" it replaces *is*
# one. Here it was $1280 \to 1000$, and its 1,281,000 weights were more than a quarter of the whole
# net's 4,652,008. We have left them behind.
#
# ## 2. Rocks, or nearly
#
# The lecture's cores are not public. Our stand-in: photographs of **brick**, **grass** and
# **gravel**, $512 \times 512$ pixels, one of each. From them we cut crops of 64 pixels, each in
# its own haze: a random, always faint contrast, a random brightness, a random quarter turn. Neither
# brightness nor direction will give a class away; only texture can.
#
# One photograph a class has a trap. Crops that overlap share pixels. If a training crop overlaps a
# test crop, the net is examined on what it learnt by heart: the exam has **leaked**.
#
# So training crops come from the left half of each photograph, columns 0 to 255, and test crops
# from the right half, columns 256 to 511.

# %% [markdown]
# ### Exercise `rectangles` (1 + 2 points)
#
# Return `n` random squares of a photograph: for `"train"` wholly in its left half, for `"test"`
# wholly in its right half. Every place there should be possible.
#
# <details><summary>Hint 1: what to draw</summary>
#
# A square is known by its top left corner. Draw `n` tops and `n` lefts with
# `np.random.default_rng(seed).integers(low, high, n)`; `high` is never drawn.
#
# </details>
# <details><summary>Hint 2: how far right may it start?</summary>
#
# The *right* edge must stay in the half: a square that starts at 255 ends at 319.
#
# </details>
# <details><summary>Hint 3: the two halves</summary>
#
# Draw lefts from `0` to `256 - size`, both included, and add 256 for the test half.
#
# </details>

# %% nbgrader={"grade_id": "rectangles", "solution": true}
def rectangles(part, n, seed, size=64):
    """n random squares of a photograph of 512 x 512: whole numbers (top, left, bottom, right).

    part  "train": within columns 0 to 255; "test": within columns 256 to 511; rows 0 to 511
    seed  the same seed gives the same squares, another one others
    size  bottom - top and right - left; bottom and right are excluded, as in slices

    An array or list, (n, 4). No train square shares a pixel with a test square, ever.
    """
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    top = rng.integers(0, 512 - size + 1, n)
    left = rng.integers(0, 256 - size + 1, n) + (256 if part == "test" else 0)
    return np.stack([top, left, top + size, left + size], axis=1)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-rectangles", "grade": true, "locked": true, "points": 1}
for part, columns in (("train", (0, 256)), ("test", (256, 512))):
    found = np.asarray(rectangles(part, 50, seed=1))
    check.shape(found, (50, 4), f'rectangles("{part}", 50, seed=1)')
    top, left, bottom, right = found.T
    check.that(
        (bottom - top == 64).all() and (right - left == 64).all(),
        "Not all are squares of 64: is the order (top, left, bottom, right)?",
    )
    check.that(
        top.min() >= 0 and bottom.max() <= 512, "Some squares leave the photograph (rows 0 to 511)."
    )
    check.that(
        left.min() >= columns[0] and right.max() <= columns[1],
        f"Some {part} squares leave columns {columns[0]} to {columns[1] - 1}: they span"
        f" {left.min()} to {right.max() - 1}. A square that starts in the left half may end in the"
        " right one.",
    )

# %% nbgrader={"grade_id": "hidden-rectangles", "grade": true, "locked": true, "points": 2}
# Also: other sizes, no pixel in both parts for any seed, squares everywhere, what the seed does.
### BEGIN HIDDEN TESTS
for size in (64, 32, 200):
    seen = {"train": np.zeros((512, 512), dtype=bool), "test": np.zeros((512, 512), dtype=bool)}
    for part, mask in seen.items():
        for seed in range(12):
            found = np.asarray(rectangles(part, 60, seed=seed, size=size))
            check.shape(found, (60, 4), f"60 rectangles of size {size}")
            check.that(
                ((found[:, 2:] - found[:, :2]) == size).all() and (found >= 0).all()
                and (found <= 512).all(),
                f"With size={size}, not all are squares of {size} within the photograph.",
            )
            for top, left, bottom, right in found:
                mask[top:bottom, left:right] = True
    both = int((seen["train"] & seen["test"]).sum())
    check.equal(both, 0, f"the number of pixels in train and test squares of size {size}")
    check.that(
        not seen["train"][:, 256:].any() and not seen["test"][:, :256].any(),
        "Train squares belong to the left half, test squares to the right one.",
    )
    for part, mask in seen.items():
        half = mask[:, :256] if part == "train" else mask[:, 256:]
        check.that(
            half.mean() > 0.9, f"720 {part} squares of {size} leave much of their half unseen."
        )
first, again, other = (np.asarray(rectangles("train", 9, seed=k)) for k in (5, 5, 6))
check.that((first == again).all(), "The same seed gave two different draws.")
check.that((first != other).any(), "Two seeds gave the same squares: is the seed used?")
check.that(len({tuple(row) for row in first}) == 9, "Nine squares should be nine places.")
check.shape(np.asarray(rectangles("test", 1, seed=7)), (1, 4), "one rectangle")
### END HIDDEN TESTS

# %%
pictures = {name: data.photograph(name) for name in textures.NAMES}
squares = {part: rectangles(part, 6, seed=1) for part in ("train", "test")}
draw.cut_out(pictures, squares)

# %% [markdown]
# Blue is for learning, orange for the exam, and nothing crosses the middle. Squares of one colour
# may overlap: that costs variety, not honesty.
#
# `textures.crops(squares, seed)` cuts each square out of each photograph, in a light and a turn of
# its own: images uint8 $(3n, 64, 64)$, labels $(3n,)$, all bricks first.
#
# **Predict first:** here are ten crops a class. How many would *you* name rightly?

# %%
few, few_labels = textures.crops(rectangles("train", 10, seed=2), seed=2)
draw.samples({name: few[few_labels == k] for k, name in enumerate(textures.NAMES)})

# %% [markdown]
# ## 3. What the net is used to
#
# A trained net expects the pixels it grew up with: their size, their channel order, their scale.
# Feed it anything else and nothing complains; the features are just worse. This net wants
#
# - three channels in the order red, green, blue, **channels first**;
# - each pixel as $(x - 127) / 128$. Many others want ImageNet's mean and spread by channel; *this*
#   one was trained without;
# - objects at about the size of its training pictures (224 pixels). Our crops are small, so we
#   enlarge them to $S = 96$: more pixels cost more time, 96 is a fair price.

# %% [markdown]
# ### Exercise `preprocess` (1 + 3 points)
#
# Make one image ready: grey (H, W) or colour (H, W, 3), uint8, any size. The **whole** image is
# resized, smoothly (bilinear), to `size` x `size`, whatever its shape. A grey image becomes three
# equal channels.
#
# <details><summary>Hint 1: the numbers</summary>
#
# In uint8, $0 - 127$ is 129: make floats first, `torch.tensor(image, dtype=torch.float32)`.
#
# </details>
# <details><summary>Hint 2: the channels</summary>
#
# `x.permute(2, 0, 1)` takes (H, W, 3) to (3, H, W). A grey `x[None].repeat(3, 1, 1)` is (3, H, W).
#
# </details>
# <details><summary>Hint 3: the size</summary>
#
# `F.interpolate(x[None], (size, size), mode="bilinear")[0]` works on a batch, here of one.
#
# </details>

# %% nbgrader={"grade_id": "preprocess", "solution": true}
def preprocess(image, size=96):
    """An image as EfficientNet-Lite0 wants it: float32 tensor (3, size, size), about -1 to 1.

    image  uint8 array (H, W), grey, or (H, W, 3), red, green, blue; left unchanged

    Resized as a whole, and each pixel x becomes (x - 127) / 128.
    """
    ### BEGIN SOLUTION
    x = torch.tensor(np.asarray(image), dtype=torch.float32)
    x = x.permute(2, 0, 1) if x.ndim == 3 else x.expand(3, *x.shape)
    x = F.interpolate(x[None], (size, size), mode="bilinear", antialias=True)[0]
    return (x - 127) / 128
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-preprocess", "grade": true, "locked": true, "points": 1}
orange = np.full((40, 60, 3), (255, 127, 63), dtype=np.uint8)
made = preprocess(orange)
check.shape(made, (3, 96, 96), "preprocess of an orange image of 40 x 60", "Channels first.")
for channel, value, name in zip(made, (1, 0, -0.5), ("red", "green", "blue"), strict=True):
    check.close(
        channel, np.full((96, 96), value), f"the {name} channel of (255, 127, 63)",
        "Is it (x - 127) / 128, in floats, in the order red, green, blue?", atol=0.01,
    )
check.close(
    preprocess(np.zeros((64, 64), dtype=np.uint8)), np.full((3, 96, 96), -127 / 128),
    "preprocess of a black grey image", "Three equal channels. Does 0 - 127 overflow in uint8?",
    atol=0.01,
)

# %% nbgrader={"grade_id": "hidden-preprocess", "grade": true, "locked": true, "points": 3}
# Also: float32; other sizes; nothing moved, turned or cut off; the input left alone.
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(3)
for shape in ((48, 48, 3), (48, 48)):
    image = rng.integers(0, 256, shape).astype(np.uint8)
    kept = image.copy()
    made = preprocess(image, size=48)
    deep = image if image.ndim == 3 else np.stack([image] * 3, axis=2)
    check.close(
        made, (deep.transpose(2, 0, 1).astype(float) - 127) / 128,
        f"preprocess of noise {shape} that has its size already",
        "Where each pixel stands, and in which channel, should not change.", atol=0.01,
    )
    check.equal(str(made.dtype), "torch.float32", "the type of its numbers")
    check.equal(kept.tolist() == image.tolist(), True, "whether the image is as it was")
ramp = np.broadcast_to(np.arange(0, 240, 3, dtype=np.uint8), (50, 80))
for image, place in ((ramp, "left to right"), (ramp.T, "top to bottom")):
    for size in (40, 120):
        made = preprocess(np.ascontiguousarray(image), size=size)
        check.shape(made, (3, size, size), f"preprocess with size={size}")
        steps = ((np.arange(size) + 0.5) * 80 / size - 0.5).clip(0, 79) * 3
        expected = np.broadcast_to((steps - 127) / 128, (3, size, size))
        if image is not ramp:
            expected = expected.transpose(0, 2, 1)
        check.close(
            made, expected, f"an image that gets lighter from {place}, resized to {size}",
            "Is the whole image resized, and neither cropped nor turned?", atol=0.04,
        )
### END HIDDEN TESTS

# %%
cat = (pretrained.photograph("cat")[0] * 128 + 127).byte().permute(1, 2, 0).numpy()
draw.prepared(cat, preprocess(cat).numpy())

# %% [markdown]
# ## 4. Features
#
# The backbone gives 1,280 maps. Slide 39's trick, **global average pooling**, makes one number of
# each map, its mean: *how much of this is in the picture, anywhere?* A crop becomes a row of 1,280
# **features**.
#
# **Frozen** means more than "not in the optimiser". Lesson 05's batch norm keeps running means, and
# *updates them whenever it runs in training mode*, with no optimiser in sight. A net left in
# `train()` by mistake forgets ImageNet's statistics while it looks at your nine crops. Dropout, too,
# makes noise there. So: evaluation mode, and no gradients.

# %% [markdown]
# ### Exercise `features` (1 + 3 points)
#
# Return the mean of each map for each image. Work in batches, so that a thousand images don't need
# a thousand images' worth of maps at once. The model may arrive in training mode.
#
# <details><summary>Hint 1: the mean of a map</summary>
#
# `maps.mean((2, 3))`
#
# </details>
# <details><summary>Hint 2: batches</summary>
#
# `images.split(batch_size)`, then `torch.cat` the pieces.
#
# </details>
# <details><summary>Hint 3: frozen</summary>
#
# `model.eval()` first, then `with torch.no_grad():` around the loop.
#
# </details>

# %% nbgrader={"grade_id": "features", "solution": true}
def features(model, images, batch_size=32):
    """The frozen model's features: the mean of each of its maps, a tensor (N, C), no gradient.

    model   images (n, 3, S, S) to maps (n, C, H, W); works in evaluation mode, whatever its mode
            was, and keeps every parameter and buffer
    images  tensor (N, 3, S, S), at most batch_size of them at a time
    """
    ### BEGIN SOLUTION
    model.eval()
    with torch.no_grad():
        return torch.cat([model(batch).mean((2, 3)) for batch in images.split(batch_size)])
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-features", "grade": true, "locked": true, "points": 1}
five = torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
found = check.on_copies(features, [toy()], five)["returned"]
check.shape(found, (5, 6), "the features of 5 images from 6 maps", "One number a map: its mean.")
check.that(not found.requires_grad, "The features carry gradients: use torch.no_grad().")
check.close(
    found, toy()(five).mean((2, 3)), "the features of a model in evaluation mode",
    "The mean of each map, over its height and width.",
)

# %% nbgrader={"grade_id": "hidden-features", "grade": true, "locked": true, "points": 3}
# Also: a model that comes in training mode, its parameters and statistics afterwards, short last
# batches, one image, images that are not square, and EfficientNet-Lite0 itself.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(2)
for n, height, width, batch_size in ((7, 8, 12, 3), (1, 8, 8, 32), (64, 6, 10, 32), (33, 8, 8, 32)):
    images = torch.randn(n, 3, height, width, generator=numbers, dtype=torch.float64)
    model = toy(seed=n).train()
    run = check.on_copies(features, [model], images, batch_size)
    check.close(
        run["returned"], toy(seed=n)(images).mean((2, 3)),
        f"the features of {n} images in batches of {batch_size}, from a model in training mode",
        "In training mode dropout makes noise, and batch norm takes the batch's statistics.",
    )
    for name, value in check.state(model).items():
        check.close(
            run["states"][0][name], value, f"{name} of the model afterwards",
            "A frozen model keeps its parameters and its running statistics.",
        )
widest = []


class Wide(nn.Module):
    """Notes the size of each batch."""

    def forward(self, images):
        widest.append(len(images))
        return images


check.close(
    features(Wide(), torch.ones(10, 3, 4, 4), 4), np.ones((10, 3)), "the features of ten images",
)
check.that(max(widest) <= 4, f"batch_size is 4, and {max(widest)} images went in at once.")
lite = backbone.efficientnet_lite0()
images = torch.rand(2, 3, 64, 64, generator=numbers)
before = check.state(lite)
run = check.on_copies(features, [lite], images)
check.shape(run["returned"], (2, 1280), "EfficientNet-Lite0's features of two images")
for name, value in before.items():
    check.close(run["states"][0][name], value, f"EfficientNet-Lite0's {name} afterwards")
### END HIDDEN TESTS

# %% [markdown]
# Do features tell textures apart? A row of 1,280 numbers has no picture, but its two directions of
# largest spread have (principal components, from a singular value decomposition). Beside them, the
# same for the raw pixels of the same ninety crops.
#
# **Predict first:** which of the two clouds will fall into three?

# %% jupyter={"source_hidden": true}
def flat(rows):
    """Rows (N, D) along their two directions of largest spread, (N, 2)."""
    centred = rows - rows.mean(0)
    return (centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:2].T).numpy()


many, many_labels = textures.crops(rectangles("train", 30, seed=3), seed=3)
ready = torch.stack([preprocess(crop) for crop in many])
rows = features(net, ready)
draw.clouds(
    {"9,216 pixels": flat(ready[:, 0].flatten(1)), "1,280 features": flat(rows)},
    many_labels, textures.NAMES,
    "Ninety crops as points. By their pixels the three classes are one mixed band; by their "
    "features brick, grass and gravel gather in regions of their own.",
)

# %% [markdown]
# Nobody has trained anything yet, and still one could nearly draw the borders with a ruler. That is
# all that a head must do.
#
# ## 5. A new head
#
# One fully connected layer: 1,280 features in, a logit a class out.

# %% [markdown]
# ### Exercise `Head` (1 + 2 points)
#
# Write the module. As in lesson 04 it returns logits; the loss takes the softmax.
#
# <details><summary>Hint 1: the layer</summary>
#
# `nn.Linear(n_features, n_classes)`, with its bias.
#
# </details>
# <details><summary>Hint 2: the count</summary>
#
# $1280 \cdot 3 + 3 = 3{,}843$.
#
# </details>
# <details><summary>Hint 3: forward</summary>
#
# Apply the layer, and nothing after it.
#
# </details>

# %% nbgrader={"grade_id": "Head", "solution": true}
class Head(nn.Module):
    """A linear classifier on features: (N, n_features) to logits (N, n_classes). 3,843 parameters.

    All of them are trainable. No softmax, no hidden layer. Slide 43.
    """

    def __init__(self, n_features=1280, n_classes=3):
        super().__init__()
        ### BEGIN SOLUTION
        self.linear = nn.Linear(n_features, n_classes)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.linear(x)
        ### END SOLUTION

# %% nbgrader={"grade_id": "test-Head", "grade": true, "locked": true, "points": 1}
check.shape(Head()(torch.zeros(4, 1280)), (4, 3), "Head's answer to 4 rows of features")
check.equal(
    sum(count for _, count in check.parameter_counts(Head())), 3843, "Head's parameters",
    "Three weights a feature and three biases.",
)

# %% nbgrader={"grade_id": "hidden-Head", "grade": true, "locked": true, "points": 2}
# Also: other numbers of features and classes; all is trainable; the answer is linear: logits.
### BEGIN HIDDEN TESTS
check.shape(Head(2048, 5)(torch.zeros(2, 2048)), (2, 5), "Head(2048, 5)'s answer to 2 rows")
check.equal(
    sum(count for _, count in check.parameter_counts(Head(7, 4))), 32, "Head(7, 4)'s parameters"
)
head = Head(6, 3)
check.that(
    all(p.requires_grad for p in head.parameters()), "Some of the head's parameters are frozen."
)
one, two = torch.randn(2, 9, 6, generator=torch.Generator().manual_seed(4)) * 5
check.close(
    (head(one) + head(two)).detach() / 2, head((one + two) / 2), "the mean of two answers",
    "A linear layer's answer to a mean is the mean of its answers: no softmax, ReLU or dropout.",
    rtol=1e-3, atol=1e-4,
)
check.that(
    not torch.allclose(head(one).sum(1), torch.ones(9), atol=1e-3),
    "Each row sums to 1: these are probabilities. Leave the softmax to F.cross_entropy.",
)
### END HIDDEN TESTS

# %%
def count(part):
    return sum(p.numel() for p in part.parameters())


draw.layer_bars(
    [("trunk", count(net.trunk)), ("last", count(net.last)), ("FC: your Head", count(Head()))],
    "What is borrowed, and what is yours",
)

# %% [markdown]
# ### Exercise `quiz` (1 + 2 points)
#
# Count what is trained, and think about what moves. `net` has 3,371,008 parameters, `net.last`
# has 1,017,600 of them; Inception v3's maps are 2,048.
#
# <details><summary>Hint 1: a dense layer</summary>
#
# `inputs * neurons + neurons`, lesson 03.
#
# </details>
# <details><summary>Hint 2: fine-tuning</summary>
#
# It trains `last` and the head together.
#
# </details>
# <details><summary>Hint 3: what moves without an optimiser</summary>
#
# Read section 4's second paragraph again.
#
# </details>

# %% nbgrader={"grade_id": "quiz", "solution": true}
def quiz():
    """Three classes, a borrowed net, a new head: a dictionary of answers.

    In numbers:  "head"        parameters that are trained when only the head is
                 "inception"   the same, for a head on Inception v3
                 "fine_tuned"  parameters that are trained when `last` and the head are
                 "everything"  parameters that are trained when nothing is frozen
    In a word, "nothing", "weights" or "statistics": what changes in the backbone when
                 "eval_mode"   it runs in evaluation mode, in nobody's optimiser
                 "train_mode"  it runs in training mode, in nobody's optimiser
    """
    ### BEGIN SOLUTION
    head = 1280 * 3 + 3
    return {
        "head": head,
        "inception": 2048 * 3 + 3,
        "fine_tuned": 1017600 + head,
        "everything": 3371008 + head,
        "eval_mode": "nothing",
        "train_mode": "statistics",
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-quiz", "grade": true, "locked": true, "points": 1}
answers = quiz()
check.that(isinstance(answers, dict), "quiz() should return a dictionary.")
for key in ("head", "inception", "fine_tuned", "everything"):
    check.that(key in answers, f"quiz() does not answer {key!r}.")
    check.equal(
        answers[key] % 3, {"head": 0, "inception": 0, "fine_tuned": 0, "everything": 1}[key],
        f"{key} % 3", "Three neurons, each with its weights and a bias. Added to what?",
    )
for key in ("eval_mode", "train_mode"):
    check.that(
        answers.get(key) in ("nothing", "weights", "statistics"),
        f"{key} is {answers.get(key)!r}: the answers are 'nothing', 'weights' and 'statistics'.",
    )

# %% nbgrader={"grade_id": "hidden-quiz", "grade": true, "locked": true, "points": 2}
# Also: the four numbers and the two words.
### BEGIN HIDDEN TESTS
answers = quiz()
right = {
    "head": 3843, "inception": 6147, "fine_tuned": 1021443, "everything": 3374851,
    "eval_mode": "nothing", "train_mode": "statistics",
}
wrong = [key for key in right if answers.get(key) != right[key]]
check.that(not wrong, f"Think again about {', '.join(wrong)}.")
### END HIDDEN TESTS

# %% [markdown]
# ## 6. Train the head, and nothing else
#
# The backbone says the same about a crop today and tomorrow: its features are computed **once**.
# What is left to train is lesson 04's loop on a small table. It is so small that all rows fit into
# one step, and Adam (slide 32's descent with a step size for each weight) needs no tuning.

# %% [markdown]
# ### Exercise `train_head` (1 + 3 points)
#
# Compute the features, then take `epochs` steps of `torch.optim.Adam` on the head, each on **all**
# images, with the mean cross-entropy. Return the loss before each step. The model must come out as
# it went in: parameters *and* batch-norm statistics.
#
# <details><summary>Hint 1: once</summary>
#
# `rows = features(model, images)`, before the loop.
#
# </details>
# <details><summary>Hint 2: whose parameters?</summary>
#
# `torch.optim.Adam(head.parameters(), lr=lr)`: the head's, and no others.
#
# </details>
# <details><summary>Hint 3: a step</summary>
#
# `loss = F.cross_entropy(head(rows), labels)`, `zero_grad`, `backward`, `step`.
#
# </details>

# %% nbgrader={"grade_id": "train_head", "solution": true} needs=["features"]
def train_head(model, head, images, labels, epochs, lr):
    """Train `head` on the frozen model's features, in place: the loss before each step, floats.

    model   a backbone, images (N, 3, S, S) to maps (N, C, H, W); in any mode; keeps every
            parameter and buffer, and works in evaluation mode
    head    features (N, C) to logits (N, classes)
    labels  int64 (N,)

    `epochs` steps of torch.optim.Adam at rate lr, all else as torch sets it, each on all N images
    at once. Slide 43.
    """
    ### BEGIN SOLUTION
    rows = features(model, images)
    adam = torch.optim.Adam(head.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(rows), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-train_head", "grade": true, "locked": true, "points": 1}
numbers = torch.Generator().manual_seed(5)
nine = torch.randn(9, 3, 8, 8, generator=numbers, dtype=torch.float64)
thirds = torch.arange(9) % 3
model, head = toy(), toy_head()
run = check.on_copies(train_head, [model, head], nine, thirds, 20, 0.1)
check.equal(len(run["returned"]), 20, "the number of losses of 20 epochs")
check.close(
    run["returned"][0], F.cross_entropy(head(model(nine).mean((2, 3))), thirds),
    "the first loss", "It is the mean cross-entropy before the first step.", rtol=1e-4,
)
check.that(run["returned"][-1] < run["returned"][0] - 0.05, "The loss does not fall.")
for name, value in check.state(model).items():
    check.close(
        run["states"][0][name], value, f"the backbone's {name} after the head's training",
        "It is frozen: whose parameters does the optimiser have, and in which mode is the model?",
    )

# %% nbgrader={"grade_id": "hidden-train_head", "grade": true, "locked": true, "points": 3}
# Also: a backbone in training mode; the head after each number of steps against a reference in
# float64; on EfficientNet-Lite0 itself no more than 3,843 numbers move.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(6)
for n, epochs, lr in ((9, 1, 0.1), (40, 6, 0.02)):
    images = torch.randn(n, 3, 6, 8, generator=numbers, dtype=torch.float64)
    labels = torch.randint(0, 4, (n,), generator=numbers)
    model, head = toy(seed=n).train(), toy_head(4)
    twin = copy.deepcopy(head)
    adam = torch.optim.Adam(twin.parameters(), lr=lr)
    rows = toy(seed=n)(images).mean((2, 3)).detach()
    expected = []
    for _ in range(epochs):
        loss = F.cross_entropy(twin(rows), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        expected.append(loss.item())
    run = check.on_copies(train_head, [model, head], images, labels, epochs, lr)
    check.close(
        run["returned"], expected, f"the losses of {epochs} epochs on {n} images",
        "All images in each step, gradients set to zero, the loss before the step, features made in"
        " evaluation mode?", rtol=1e-4,
    )
    for name, value in check.state(twin).items():
        check.close(run["states"][1][name], value, f"the head's {name} after training", rtol=1e-3)
    for name, value in check.state(model).items():
        check.close(
            run["states"][0][name], value, f"the backbone's {name} afterwards",
            "In training mode batch norm updates its statistics, with no optimiser in sight.",
        )
lite, head = backbone.efficientnet_lite0(), nn.Linear(1280, 3)
images = torch.rand(6, 3, 64, 64, generator=numbers)
before = check.state(lite), check.state(head)
run = check.on_copies(train_head, [lite, head], images, torch.arange(6) % 3, 3, 0.01)
moved = [
    sum(int((after[name] != value).sum()) for name, value in states.items())
    for states, after in zip(before, run["states"], strict=True)
]
check.equal(moved[0], 0, "how many of EfficientNet-Lite0's parameters and statistics moved")
check.that(0 < moved[1] <= 3843, f"{moved[1]} of the head's 3,843 numbers moved: is it trained?")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** thirty crops, ten a class. Where does the loss start, and how soon does it get
# near zero?

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
few_x = torch.stack([preprocess(crop) for crop in few])
few_y = torch.tensor(few_labels)
head = Head()
head_losses = train_head(net, head, few_x, few_y, epochs=20, lr=0.005)
draw.losses(
    {"your head": head_losses}, "thirty crops, 3,843 weights",
    "The loss starts near log 3, the loss of a blind guess among three, and falls within a few "
    "steps to almost nothing.",
)
test, test_labels = textures.crops(rectangles("test", 30, seed=4), seed=4)
test_x, test_y = torch.stack([preprocess(crop) for crop in test]), torch.tensor(test_labels)
score = accuracy(head(features(net, test_x)), test_y)
print("more than 85 % of 90 unseen crops right:", score > 0.85)

# %% [markdown]
# ## 7. Fine-tuning
#
# The features were made for ImageNet. Perhaps they can become better for rocks: let the last part
# of the backbone move too, **after** the head has been trained. (With a random head, the first
# gradients would be nonsense, and would spoil what was borrowed.)
#
# Three precautions:
#
# 1. only `model.last` and the head move; the trunk stays frozen;
# 2. `model.last` moves at a **tenth** of the head's rate: it is good already;
# 3. the whole net stays in evaluation mode, so that no running statistic moves, not even in `last`.
#    Nine crops are no substitute for ImageNet's million.

# %% [markdown]
# ### Exercise `fine_tune` (1 + 3 points)
#
# Take `epochs` steps with a single Adam, each on all images: `head` at rate `lr`, `model.last`
# at `lr / 10`. Return the loss before each step. Parts may come with `requires_grad` off, as frozen
# nets do.
#
# <details><summary>Hint 1: two rates</summary>
#
# `torch.optim.Adam([{"params": a, "lr": 0.1}, {"params": b, "lr": 0.01}])`
#
# </details>
# <details><summary>Hint 2: the trunk, once</summary>
#
# The trunk always says the same. Run it once, `with torch.no_grad(): maps = model.trunk(images)`;
# in the loop only `model.last(maps).mean((2, 3))` and the head.
#
# </details>
# <details><summary>Hint 3: modes and gradients</summary>
#
# `model.eval()` first. Then `model.last.requires_grad_(True)`, in case it was frozen.
#
# </details>

# %% nbgrader={"grade_id": "fine_tune", "solution": true}
def fine_tune(model, head, images, labels, epochs, lr):
    """Train `head` and `model.last` together, in place: the loss before each step, floats.

    model   a backbone: model(images) is model.last(model.trunk(images)), maps (N, C, H, W); in any
            mode, perhaps with requires_grad off. It works in evaluation mode: all running
            statistics keep their values, and so do the trunk's parameters.
    head    features (N, C), the means of the maps, to logits (N, classes)
    labels  int64 (N,)

    `epochs` steps of torch.optim.Adam on all N images at once: rate lr for the head, lr / 10 for
    model.last.
    """
    ### BEGIN SOLUTION
    model.eval()
    model.last.requires_grad_(True)
    with torch.no_grad():
        maps = model.trunk(images)
    adam = torch.optim.Adam(
        [{"params": head.parameters()}, {"params": model.last.parameters(), "lr": lr / 10}], lr=lr
    )
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(model.last(maps).mean((2, 3))), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-fine_tune", "grade": true, "locked": true, "points": 1}
numbers = torch.Generator().manual_seed(7)
nine = torch.randn(9, 3, 8, 8, generator=numbers, dtype=torch.float64)
thirds = torch.arange(9) % 3
model, head = toy(), toy_head()
run = check.on_copies(fine_tune, [model, head], nine, thirds, 20, 0.1)
check.equal(len(run["returned"]), 20, "the number of losses of 20 epochs")
check.that(run["returned"][-1] < run["returned"][0] - 0.1, "The loss does not fall.")
for name, value in check.state(model).items():
    if name.startswith("trunk") or "running" in name:
        check.close(
            run["states"][0][name], value, f"the backbone's {name} after fine-tuning",
            "The trunk is frozen, and every running statistic keeps its value.",
        )
check.that(
    not np.allclose(run["states"][0]["last.0.weight"], check.state(model)["last.0.weight"]),
    "model.last has not moved: does the optimiser have it?",
)
check.that(
    not np.allclose(run["states"][1]["weight"], check.state(head)["weight"]),
    "The head has not moved: does the optimiser have it?",
)

# %% nbgrader={"grade_id": "hidden-fine_tune", "grade": true, "locked": true, "points": 3}
# Also: both rates, against a reference in float64; a model that comes in training mode or frozen;
# all statistics, and EfficientNet-Lite0 itself.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(8)
for n, epochs, lr, frozen in ((9, 1, 0.1, False), (9, 5, 0.05, True), (40, 4, 0.02, False)):
    images = torch.randn(n, 3, 6, 8, generator=numbers, dtype=torch.float64)
    labels = torch.randint(0, 4, (n,), generator=numbers)
    model, head = toy(seed=n).train(), toy_head(4)
    model.requires_grad_(not frozen)
    twin, twin_head = toy(seed=n), copy.deepcopy(head)
    fast = torch.optim.Adam(twin_head.parameters(), lr=lr)
    slow = torch.optim.Adam(twin.last.parameters(), lr=lr / 10)
    expected = []
    for _ in range(epochs):
        twin.zero_grad()
        twin_head.zero_grad()
        loss = F.cross_entropy(twin_head(twin(images).mean((2, 3))), labels)
        loss.backward()
        fast.step()
        slow.step()
        expected.append(loss.item())
    run = check.on_copies(fine_tune, [model, head], images, labels, epochs, lr)
    check.close(
        run["returned"], expected, f"the losses of {epochs} epochs on {n} images",
        "One step on all images an epoch, in evaluation mode, with the loss before the step?",
        rtol=1e-4,
    )
    for name, value in check.state(twin_head).items():
        check.close(
            run["states"][1][name], value, f"the head's {name} after {epochs} steps",
            "Adam, at rate lr?", rtol=1e-3, atol=1e-5,
        )
    for name, value in check.state(twin).items():
        check.close(
            run["states"][0][name], value, f"the model's {name} after {epochs} steps",
            "The trunk and all statistics as they were, model.last at rate lr / 10?",
            rtol=1e-3, atol=1e-5,
        )
lite, head = backbone.efficientnet_lite0(), nn.Linear(1280, 3)
images = torch.rand(6, 3, 64, 64, generator=numbers)
run = check.on_copies(fine_tune, [lite, head], images, torch.arange(6) % 3, 2, 0.001)
parts = {"trunk": 0, "last": 0, "statistics": 0}
for name, value in check.state(lite).items():
    part = "statistics" if "running" in name or "tracked" in name else name.split(".")[0]
    parts[part] += int((run["states"][0][name] != value).sum())
check.equal(parts["trunk"], 0, "how many parameters of EfficientNet-Lite0's trunk moved")
check.equal(parts["statistics"], 0, "how many of its running statistics moved")
check.that(parts["last"] > 0, "Nothing moved in EfficientNet-Lite0's last part.")
### END HIDDEN TESTS

# %% [markdown]
# Fine-tune a **copy**: `net` is still needed as it was. **Predict first:** the head's rate is ten
# times as large. Will it also move further, measured by its own size?

# %%
tuned, tuned_head = copy.deepcopy(net), copy.deepcopy(head)
fine_tune(tuned, tuned_head, few_x, few_y, epochs=10, lr=0.001)


def change(before, after):
    """How far all weights together were moved, as a share of their size."""
    old, new = (torch.cat([p.flatten() for p in m.parameters()]).detach() for m in (before, after))
    return ((new - old).norm() / old.norm()).item()


parts = {"stem": (net.trunk[0], tuned.trunk[0]), "block 15": (net.trunk[15], tuned.trunk[15])}
parts |= {"last: block 16": (net.last[0], tuned.last[0])}
parts |= {"last: 1 x 1": (net.last[1], tuned.last[1]), "head": (head, tuned_head)}
draw.moved({name: change(*pair) for name, pair in parts.items()})

# %% [markdown]
# ## 8. Three ways, and the luck of the draw
#
# Now the question that slide 42 leaves open: *how much* does borrowing help, and when? Three ways
# to learn the same crops:
#
# - **scratch**: a small net of 6,571 random parameters, trained on the crops alone;
# - **features**: the frozen backbone and your head;
# - **fine-tuned**: then the last part, too.
#
# With nine crops, much depends on *which* nine. One run proves little: we repeat it with other
# seeds and show every run as a dot.

# %% nbgrader={"grade_id": "setup-scratch", "locked": true}
def small_net():
    """A fresh convolutional net of 6,571 parameters: (N, 3, 96, 96) to logits (N, 3)."""
    stages = [nn.Conv2d(3, 8, 5, stride=3, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
    stages += [nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    stages += [nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, bias=False), nn.BatchNorm2d(32), nn.ReLU()]
    return nn.Sequential(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 3))


def train_scratch(model, images, labels):
    """Train all of `model` in place, 150 steps on up to 16 images; leaves it in evaluation mode."""
    model.train()
    adam = torch.optim.Adam(model.parameters(), lr=0.003)
    for _ in range(150):
        rows = torch.randperm(len(images))[:16]
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        adam.zero_grad()
        loss.backward()
        adam.step()
    model.eval()

# %% [markdown]
# ### Exercise `contest` (1 + 3 points)
#
# Put all the pieces together: crops by your `rectangles`, made ready by your `preprocess`; then the
# three ways, each trained on the **same** training crops and scored by `accuracy` on the **same**
# test crops. The model that you were given must come out unchanged.
#
# Recipes: `train_scratch(small_net(), ...)`; the head with 20 epochs at rate 0.005; fine-tuning
# after it, with 10 epochs at rate 0.001.
#
# <details><summary>Hint 1: a batch of crops</summary>
#
# `images, labels = textures.crops(rectangles(part, n, seed), seed)`, then `torch.stack` what
# `preprocess` makes of each, and `torch.tensor(labels)`.
#
# </details>
# <details><summary>Hint 2: unchanged</summary>
#
# `fine_tune` works in place: give it `copy.deepcopy(model)`.
#
# </details>
# <details><summary>Hint 3: three scores</summary>
#
# `accuracy(head(features(model, test_x)), test_y)` before fine-tuning, and again with the copy
# after it; `accuracy(scratch(test_x), test_y)` for the third.
#
# </details>

# %% nbgrader={"grade_id": "contest", "solution": true} needs=["rectangles", "preprocess", "features", "Head", "train_head", "fine_tune"]
def contest(model, per_class, seed, n_test=20):
    """Accuracies, 0 to 1, on unseen crops: {"scratch": ..., "features": ..., "fine-tuned": ...}.

    model      a backbone, images (N, 3, 96, 96) to 1280 maps; comes out unchanged
    per_class  training crops a class, from the left half; n_test test crops a class, from the right
    seed       of the squares, of the light, and of torch

    The three are trained on the same crops and scored on the same others.
    """
    ### BEGIN SOLUTION
    def ready(part, n, light):
        images, labels = textures.crops(rectangles(part, n, seed), light)
        return torch.stack([preprocess(image) for image in images]), torch.tensor(labels)

    torch.manual_seed(seed)
    (x, y), (test_x, test_y) = ready("train", per_class, seed), ready("test", n_test, seed + 1000)
    scratch, head, tuned = small_net(), Head(), copy.deepcopy(model)
    train_scratch(scratch, x, y)
    train_head(model, head, x, y, epochs=20, lr=0.005)
    scores = {"scratch": accuracy(scratch(test_x), test_y)}
    scores["features"] = accuracy(head(features(model, test_x)), test_y)
    fine_tune(tuned, head, x, y, epochs=10, lr=0.001)
    scores["fine-tuned"] = accuracy(head(features(tuned, test_x)), test_y)
    return scores
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-contest", "grade": true, "locked": true, "points": 1}
lite = backbone.efficientnet_lite0()
run = check.on_copies(contest, [lite], 2, 0, 4)
check.that(
    isinstance(run["returned"], dict)
    and sorted(run["returned"]) == ["features", "fine-tuned", "scratch"],
    'contest returns {"scratch": ..., "features": ..., "fine-tuned": ...}.',
)
for way, score in run["returned"].items():
    check.that(0 <= score <= 1, f"{way} scores {score}: accuracies are between 0 and 1.")
    check.that(
        abs(12 * score - round(12 * float(score))) < 1e-3,
        f"{way} scores {score:.4g}, which is no number of right answers of 12 crops, 4 a class.",
    )
for name, value in check.state(lite).items():
    check.close(
        run["states"][0][name], value, f"the model's {name} afterwards",
        "Whoever runs the contest next needs the model as it was: fine-tune a copy.",
    )

# %% nbgrader={"grade_id": "hidden-contest", "grade": true, "locked": true, "points": 3}
# Also: at 3 crops a class, in the mean of two seeds, features beat scratch by 15 points and more
# and, fine-tuned or not, name most crops rightly.
### BEGIN HIDDEN TESTS
check.seed(12)
lite = backbone.efficientnet_lite0()
seeds = np.random.default_rng(12).integers(1, 10**6, 2)
found = [check.on_copies(contest, [lite], 3, int(seed), 10)["returned"] for seed in seeds]
means = {way: np.mean([scores[way] for scores in found]) for way in found[0]}
check.at_least(
    means["features"] - means["scratch"], 0.15, "how far features are before scratch at 3 crops",
    "Are train and test crops from different halves? Which scores are whose?",
)
check.at_least(means["features"], 0.7, "the accuracy of features at 3 crops")
check.at_least(means["fine-tuned"], 0.6, "the accuracy of the fine-tuned net at 3 crops")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** sketch three curves for 3, 10 and 30 crops a class. Which one scatters most
# from seed to seed? Does fine-tuning pay, and where?

# %% jupyter={"source_hidden": true}
scores = {n: [contest(net, n, seed, 12) for seed in range(3)] for n in (3, 10)}
gap = np.mean([run["features"] - run["scratch"] for run in scores[3]])
print("at 3 crops a class, features lead by more than 15 points:", gap > 0.15)

# %%
scores[30] = [contest(net, 30, seed, 12) for seed in range(3)]
draw.contest(scores)

# %% [markdown]
# Three lessons in one figure:
#
# - **Borrowed eyes beat new ones.** 3,843 numbers learn from nine crops what 6,571 do not learn
#   from ninety (in 150 steps), because what a texture is was known before.
# - **The scatter belongs to the result.** From scratch, the draw of the crops matters as much as
#   anything you could tune. Report it.
# - **Fine-tuning does not pay here.** Little was left to gain, and a million weights can overfit a
#   few crops. It pays with more pictures, or with pictures further from ImageNet's: seismic
#   sections, say, or X-rays.
#
# ## 9. The slide's own net
#
# Slide 43 uses Inception v3. It is too large for the course to carry. Where torchvision has its
# weights on your disk, the cell below uses them with *your* functions; where not, it says how to
# get them. (Its pixels are wanted as $(x - 127.5)/127.5$: near enough to yours.)

# %% tags=["nbval-ignore-output"] reason="says whether this machine has Inception's weights"
try:
    inception = backbone.inception_v3()
except FileNotFoundError as error:
    print(error)
else:
    torch.manual_seed(0)
    slide_head = Head(2048, 3)
    train_head(inception, slide_head, few_x, few_y, epochs=20, lr=0.005)
    score = accuracy(slide_head(features(inception, test_x)), test_y)
    print(f"Inception v3 names {100 * score:.0f} % of the unseen crops rightly.")

# %% [markdown]
# ## Remember
#
# > - A trained net is two things: eyes that many tasks share, and a last layer for one.
# > - Feed it what it grew up with: size, channel order, scale. Nothing will complain if you don't.
# > - Frozen: not in the optimiser, **and** in evaluation mode, **and** proved by comparing.
# > - First the head, then carefully the last part, at a smaller rate.
# > - Train and test pictures share no pixel. Not by luck: by construction.
# > - With few pictures, show every seed.
#
# ## Further, without points
#
# - ★ Feed the net ImageNet's mean and spread, or blue before red. How many points does it cost? And
#   on a colour photograph?
# - ★ One crop a class. How far do features fall, how far do they scatter?
# - ★★ Leak on purpose: let test squares overlap training squares, and compare *scratch* with its
#   honest self. How many points is a leak worth?
# - ★★ Use the features of the trunk alone, or of block 8. At which depth do textures live?
