# %% [markdown]
# # 11 Detection
#
# Slide 4 names three topics of computer vision, and two of them you have built: a class for an image, and
# a class for each pixel. The third asks what a driver, a doctor or a postman asks: **which objects are
# there, and where?** How many there will be is not known beforehand.
#
# **You will be able to**
#
# - say where an object is, in two formats, and score how well two boxes agree;
# - lay anchors on a grid, and turn boxes into what a network can learn;
# - build a detector of a few convolutions, and a loss of three parts;
# - turn its hundreds of outputs into a short list, by non-maximum suppression;
# - compute average precision by hand, and know what it hides.
#
# **Time** about three and a half hours, of which training takes under a minute. **Slides** 4 and 44.
# **Points** 42. **You need** lesson 04's loop, lesson 05's cross-entropy, lesson 09's IoU.
#
# Images have shape (N, 1, H, W). A box is four numbers, and many boxes are a tensor (n, 4).

# %% nbgrader={"grade_id": "setup", "locked": true}
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course import check, data, draw, predict, recall, scenes

torch.set_num_threads(1)  # steps as small as today's are slower on two

all_images, all_labels = data.digits()
order = np.random.default_rng(11).permutation(5000)  # the last 1,000 are for testing
SIDE, STRIDE, SIZE = 64, 8, (12, 16)  # pixels: a canvas, a cell of the grid, an anchor (w, h)


def make_scenes(n, seed, test=False):
    """n canvases (n, 1, 64, 64), and lists of their boxes (k, 4) and labels (k,), as tensors."""
    rows = order[4000:] if test else order[:4000]
    canvases, boxes, labels = scenes.digit_scenes(all_images[rows], all_labels[rows], n, SIDE, seed)
    return torch.tensor(canvases), list(map(torch.tensor, boxes)), list(map(torch.tensor, labels))


def fit(model, images, targets, loss, epochs):
    """Train `model` on minibatches of 16; the three parts of loss(output, target) by epoch."""
    steps, history = epochs * -(-len(images) // 16), []
    adam = check.optimizer(model, "AdamW", lr=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, total_steps=steps)
    for _ in range(epochs):
        model.train()
        history.append([])
        for rows in torch.randperm(len(images)).split(16):
            adam.zero_grad()
            parts = loss(model(images[rows]), targets[rows])
            parts.sum().backward()
            adam.step()
            schedule.step()
            history[-1].append(parts.detach().numpy())
    return [np.mean(epoch, axis=0) for epoch in history]

# %% [markdown]
# ## Three minutes of retrieval
#
# ### Exercise `retrieval` (1 point)
#
# Five questions on lessons 10, 09, 07 and 03, from memory. Your name draws the numbers.
#
# - `iou` Two masks hold `a` and `b` pixels, `c` of them in both: their IoU, to two decimals?
# - `up` A transposed convolution of `f`, stride `s`, no padding, on `n` numbers: how many come out?
# - `pool` A 3 x 3 max pool of stride 2 on `m` x `m` pixels: how many to a side, by PyTorch's default?
# - `head` Parameters of a 1 x 1 convolution from `k` channels to `g`, with bias?
# - `hook` Which hook sees what a layer returns? `"forward"` or `"backward"`

# %% nbgrader={"grade_id": "setup-retrieval", "locked": true}
def questions(name):
    """The numbers of your questions: any name will do, but stay with it."""
    ranges = (40, 90), (40, 90), (5, 35), (2, 5), (2, 4), (5, 20), (20, 60), (16, 64), (5, 25)
    letters = ("a", "b", "c", "f", "s", "n", "m", "k", "g")
    return dict(zip(letters, recall.numbers(name, *ranges), strict=True))

# %%
print(questions("ada"))  # put in your own name

# %% nbgrader={"grade_id": "retrieval", "solution": true}
def retrieval():
    """The name that drew your numbers, and your replies.

    Returns ("ada", {"iou": ..., "up": ..., "pool": ..., "head": ..., "hook": ...}).
    """
    ### BEGIN SOLUTION
    q = questions("ada")
    return "ada", {
        "iou": round(q["c"] / (q["a"] + q["b"] - q["c"]), 2),
        "up": q["s"] * (q["n"] - 1) + q["f"],
        "pool": (q["m"] - 3) // 2 + 1,
        "head": q["g"] * (q["k"] + 1),
        "hook": "forward",
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-retrieval", "grade": true, "locked": true, "points": 1}
# Each reply counts a fifth.
### BEGIN HIDDEN TESTS
name, replies = retrieval()
q = questions(name)
recall.mark(replies, {
    "iou": (round(q["c"] / (q["a"] + q["b"] - q["c"]), 2), "Shared pixels over those in either mask."),
    "up": (q["s"] * (q["n"] - 1) + q["f"], "The last stamp begins at s (n - 1) and is f wide."),
    "pool": ((q["m"] - 3) // 2 + 1, "Steps of 2 that fit, rounded down, and one more."),
    "head": (q["g"] * (q["k"] + 1), "Each of the g filters has k weights and a bias."),
    "hook": ("forward", "It runs after the layer's forward, with its output."),
})
### END HIDDEN TESTS

# %% [markdown]
# ## 1. Where is it?
#
# Our canvases hold one to five of lesson 04's digits, in several sizes, with a little noise. The digits
# of training canvases never occur on test canvases.
#
# A **bounding box** is the smallest rectangle, with sides along the image's, that holds the object.
# x counts columns from the left, y rows from the **top**, and pixel $j$ covers $j$ to $j + 1$: a box
# around columns 8 to 19 reaches from $x_1 = 8$ to $x_2 = 20$.

# %%
some_x, some_boxes, some_labels = make_scenes(4, seed=0)
draw.boxed(
    {
        f"canvas {k}": (
            some_x[k, 0].numpy(),
            [(box, str(int(c)), 0) for box, c in zip(some_boxes[k], some_labels[k], strict=True)],
        )
        for k in range(4)
    },
    "Four canvases with handwritten digits of several sizes at random places, each in a tight box with "
    "its label above the box.",
)

# %% [markdown]
# Two formats are common. **Corners** $(x_1, y_1, x_2, y_2)$ are handy for overlaps; **centre format**,
# $(c_x, c_y, w, h)$, for moving and scaling. To mix them up raises no error, and ruins everything.

# %%
draw.box_formats((8, 6, 20, 22), (28, 34))

# %% [markdown]
# ### Exercise `formats` (1 + 2 points)
#
# Write both directions. By hand here and in the next two exercises: torchvision's `ops` are the referee.
#
# <details><summary>Hint 1: the last dimension</summary>
#
# `x1, y1, x2, y2 = boxes.unbind(-1)` works for any number of dimensions before it.
#
# </details>
# <details><summary>Hint 2: and back together</summary>
#
# `torch.stack([...], dim=-1)`
#
# </details>
# <details><summary>Hint 3: half</summary>
#
# Where is the left edge of a box of width $w$ around $c_x$? Why is $c_x - w$ too far?
#
# </details>

# %% nbgrader={"grade_id": "formats", "solution": true}
def to_centres(boxes):
    """Boxes (..., 4) from corners (x1, y1, x2, y2) to (cx, cy, w, h), a new tensor."""
    ### BEGIN SOLUTION
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], dim=-1)
    ### END SOLUTION


def to_corners(boxes):
    """Boxes (..., 4) from (cx, cy, w, h) to corners (x1, y1, x2, y2), a new tensor."""
    ### BEGIN SOLUTION
    cx, cy, w, h = boxes.unbind(-1)
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], dim=-1)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-formats", "grade": true, "locked": true, "points": 1}
pair = torch.tensor([[8.0, 6, 20, 22], [0, 0, 4, 10]])
check.close(
    to_centres(pair), [[14, 14, 12, 16], [2, 5, 4, 10]], "to_centres of two boxes",
    "The centre lies halfway between the corners; w is x2 - x1.",
)
check.close(
    to_corners(torch.tensor([[14.0, 14, 12, 16]])), [[8, 6, 20, 22]],
    "to_corners of a box 12 wide and 16 high around (14, 14)", "Half of it lies on either side.",
)

# %% nbgrader={"grade_id": "hidden-formats", "grade": true, "locked": true, "points": 2}
# Also: no boxes, batches of boxes, fractions of pixels, there and back; by hand; the input left alone.
### BEGIN HIDDEN TESTS
from torchvision import ops

numbers = torch.Generator().manual_seed(1101)
for shape in ((1, 4), (7, 4), (3, 5, 4), (2, 1, 3, 4), (4,), (0, 4)):
    centres = 30 * torch.rand(shape, generator=numbers, dtype=torch.float64)
    corners = ops.box_convert(centres, "cxcywh", "xyxy")
    kept = centres.clone(), corners.clone()
    check.close(
        to_corners(centres), corners, f"to_corners of {shape}",
        "The four numbers of a box are in the last dimension.",
    )
    check.close(
        to_centres(corners), centres, f"to_centres of {shape}",
        "The four numbers of a box are in the last dimension.",
    )
    check.close(centres, kept[0], "the boxes afterwards", "Return a new tensor.")
    check.close(corners, kept[1], "the boxes afterwards", "Return a new tensor.")
check.by_hand(to_centres, corners, without="box")
check.by_hand(to_corners, corners, without="box")
### END HIDDEN TESTS

# %% [markdown]
# How large is a typical digit? The answer decides how large our anchors will be. **Predict first:** which
# digit is the narrowest, and do widths or heights differ more?

# %% jupyter={"source_hidden": true}
_, many_boxes, many_labels = make_scenes(200, seed=3)
sizes, kinds = to_centres(torch.cat(many_boxes))[:, 2:], torch.cat(many_labels)
draw.box_sizes({f"digit {c}": sizes[kinds == c].numpy() for c in (0, 1, 7)}, SIZE)
print("the 1 is narrower than half of its height:", bool((sizes[kinds == 1] @ torch.tensor([2.0, -1])).mean() < 0))

# %% [markdown]
# Widths differ more: ones are a few pixels wide, zeros up to 21. The cross is our later anchor, 12 pixels wide and
# 16 high.

# %% [markdown]
# ## 2. How well do two boxes agree?
#
# As for masks in lesson 09: the area that both share, over the area that either covers. For boxes this
# needs no pixels, since the shared part is a box again, from the **larger** of both $x_1$ to the
# **smaller** of both $x_2$, and likewise for y. If its width or height is negative, nothing is shared.
#
# **Predict first:** a square is moved by half of its side. What is its IoU with itself before?

# %%
predict.keep("IoU of a square moved by half of its side", None)

# %% [markdown]
# ### Exercise `box_iou` (1 + 3 points)
#
# Return the IoU of each box of `a` with each box of `b`, all pairs: (n, 4) and (m, 4) give (n, m).
#
# <details><summary>Hint 1: all pairs</summary>
#
# `a[:, None, :2]` has shape (n, 1, 2), `b[:, :2]` (m, 2): together they broadcast to (n, m, 2).
#
# </details>
# <details><summary>Hint 2: the shared box</summary>
#
# `torch.maximum` of the two upper left corners, `torch.minimum` of the two lower right ones.
#
# </details>
# <details><summary>Hint 3: far apart</summary>
#
# Two boxes apart in x *and* in y have a shared width of, say, -3 and a height of -2. What would their
# product say, and where must you clamp?
#
# </details>

# %% nbgrader={"grade_id": "box_iou", "solution": true}
def box_iou(a, b):
    """IoU of all pairs of boxes: (n, 4) and (m, 4), as corners, give (n, m), from 0 to 1.

    Tensors of one float type, left unchanged; x1 <= x2 and y1 <= y2. Two boxes without any area
    have the IoU 0.
    """
    ### BEGIN SOLUTION
    low = torch.maximum(a[:, None, :2], b[:, :2])
    high = torch.minimum(a[:, None, 2:], b[:, 2:])
    both = (high - low).clamp(min=0).prod(-1)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(-1), (b[:, 2:] - b[:, :2]).prod(-1)
    either = area_a[:, None] + area_b - both
    return torch.where(either > 0, both / either, torch.zeros_like(both))
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-box_iou", "grade": true, "locked": true, "points": 1}
one = torch.tensor([[0.0, 0, 4, 4]])
some = torch.tensor([[0.0, 0, 4, 4], [2, 2, 6, 6], [1, 1, 3, 3], [9, 9, 14, 12]])
check.close(
    box_iou(one, some), [[1, 4 / 28, 4 / 16, 0]], "box_iou of a square with four",
    "The second shares 2 x 2 = 4 pixels of 16 + 16 - 4. Is the shared area subtracted once?",
)
check.shape(
    box_iou(some, one), (4, 1), "box_iou of four boxes with one", "One row per box of the first."
)

# %% nbgrader={"grade_id": "hidden-box_iou", "grade": true, "locked": true, "points": 3}
# Also: boxes that are no squares, touch, or are apart both ways; without area; no boxes; by hand; the input
# left alone.
### BEGIN HIDDEN TESTS
from torchvision import ops

numbers = torch.Generator().manual_seed(1102)
for n, m in ((5, 7), (1, 3), (40, 30), (0, 4), (3, 0)):
    corners = [40 * torch.rand(k, 2, generator=numbers, dtype=torch.float64) for k in (n, m)]
    sides = [1 + 19 * torch.rand(k, 2, generator=numbers, dtype=torch.float64) for k in (n, m)]
    pair = [torch.cat([c, c + s], 1) for c, s in zip(corners, sides, strict=True)]
    kept = [each.clone() for each in pair]
    check.close(
        box_iou(*pair), ops.box_iou(*pair), f"box_iou of {n} boxes with {m}",
        "Are width and height multiplied, and both clamped at 0 before that?",
    )
    for each, before in zip(pair, kept, strict=True):
        check.close(each, before, "the boxes afterwards", "Leave them as they are.")
one = torch.tensor([[2.0, 3, 6, 5]])
odd = torch.tensor([[6.0, 5, 9, 9], [2, 5, 6, 8], [7, 8, 9, 9], [0, 0, 1, 1], [3, 3, 4, 5], [2, 3, 2, 5]])
check.close(
    box_iou(one, odd), [[0, 0, 0, 0, 0.25, 0]],
    "box_iou of boxes that touch, lie apart, contain, or have no area",
    "Pixel coordinates are edges: no + 1. Negative sides share nothing.",
)
flat = torch.tensor([[1.0, 1, 1, 1], [2, 2, 2, 5]])
check.close(box_iou(flat, flat), torch.zeros(2, 2), "box_iou of boxes without area", "0/0 is 0 here.")
check.close(box_iou(one / 100, one / 100), [[1.0]], "the IoU of a tiny box with itself")
check.by_hand(box_iou, *pair, without="box iou")
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true}
square = [0.0, 0, 8, 8]
others = {
    "half a side": [4.0, 0, 12, 8], "both ways": [4.0, 4, 12, 12], "inside": [2.0, 2, 6, 6],
    "a pixel off": [1.0, 1, 9, 9],
}
pairs = {
    name: (square, other, box_iou(torch.tensor([square]), torch.tensor([other])).item())
    for name, other in others.items()
}
draw.box_pairs(pairs)
predict.compare("IoU of a square moved by half of its side", pairs["half a side"][2])

# %% [markdown]
# A third, where many would say a half: what one box loses, the union gains. IoU is a strict judge. The
# usual bar for "right place" is 0.5.
#
# ## 3. One object, many boxes
#
# A detector looks at every place, and an object is seen from several. Its raw output are heaps of boxes
# around each object. **Non-maximum suppression**, NMS, thins them out:
#
# 1. keep the box with the highest score;
# 2. discard all others whose IoU with it is **over** the threshold;
# 3. go on with the boxes that are left.
#
# What was discarded discards nothing. So of a chain of boxes, each overlapping the next, the first and the
# third may stay.

# %% [markdown]
# ### Exercise `nms` (1 + 3 points)
#
# Return the places of the boxes that stay, highest score first. Your `box_iou` helps.
#
# <details><summary>Hint 1: the order</summary>
#
# `scores.argsort(descending=True)` holds the places of all boxes, best first.
#
# </details>
# <details><summary>Hint 2: the loop</summary>
#
# `while len(left):` keep `left[0]`, and let only those go on that overlap it little enough.
#
# </details>
# <details><summary>Hint 3: places</summary>
#
# Which numbers should come out: places in the sorted order, or in the boxes as they came in?
#
# </details>

# %% nbgrader={"grade_id": "nms", "solution": true} needs=["box_iou"]
def nms(boxes, scores, threshold):
    """Non-maximum suppression: the places of the boxes that stay, int64 (k,), by falling score.

    boxes (n, 4) as corners, scores (n,), all different; both left unchanged. A box stays unless its
    IoU with a box that stays, and has a higher score, is over the threshold.
    """
    ### BEGIN SOLUTION
    left, stay = scores.argsort(descending=True), []
    while len(left):
        stay.append(left[0])
        overlap = box_iou(boxes[left[:1]], boxes[left[1:]])[0]
        left = left[1:][overlap <= threshold]
    return torch.stack(stay) if stay else left
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-nms", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
from torchvision import ops


def overlaps(a, b):
    return ops.box_iou(a, b)


references = {"box_iou": overlaps}
### END HIDDEN TESTS
with check.using(**references):
    heap = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]])
    grades = torch.tensor([0.6, 0.9, 0.7])
    check.equal(
        [int(k) for k in nms(heap, grades, 0.5)], [1, 2], "nms of two boxes on one object and one apart",
        "Box 1 has the highest score and discards box 0. Return places, highest score first.",
    )
    check.equal(
        [int(k) for k in nms(heap, grades, 0.9)], [1, 2, 0], "nms of the same with the threshold 0.9",
        "Their IoU is 9/11: not over 0.9.",
    )

# %% nbgrader={"grade_id": "hidden-nms", "grade": true, "locked": true, "points": 3}
# Also: heaps of boxes, chains, an IoU that equals the threshold, one box and none; by hand; the input left
# alone.
### BEGIN HIDDEN TESTS
from torchvision import ops


def overlaps(a, b):
    return ops.box_iou(a, b)


with check.using(box_iou=overlaps):
    numbers = torch.Generator().manual_seed(1103)
    for n, threshold in ((60, 0.3), (60, 0.5), (25, 0.1), (25, 0.0), (40, 0.7), (1, 0.5)):
        corner = 30 * torch.rand(n, 2, generator=numbers, dtype=torch.float64)
        sides = 5 + 15 * torch.rand(n, 2, generator=numbers, dtype=torch.float64)
        heap = torch.cat([corner, corner + sides], 1)
        grades = torch.randperm(n, generator=numbers).double() / n - 0.3
        kept = heap.clone(), grades.clone()
        check.equal(
            [int(k) for k in nms(heap, grades, threshold)], ops.nms(heap, grades, threshold).tolist(),
            f"nms of {n} boxes with the threshold {threshold}",
            "Only boxes that stay discard others. Is the result in order of the scores?",
        )
        check.close(heap, kept[0], "the boxes afterwards", "Leave them as they are.")
        check.close(grades, kept[1], "the scores afterwards", "Leave them as they are.")
    chain = torch.tensor([[0.0, 0, 4, 4], [1, 0, 5, 4], [2, 0, 6, 4]])
    check.equal(
        [int(k) for k in nms(chain, torch.tensor([0.9, 0.8, 0.7]), 0.5)], [0, 2],
        "nms of a chain of three boxes", "The second is discarded: it may not discard the third.",
    )
    halves = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 2]])
    check.equal(
        [int(k) for k in nms(halves, torch.tensor([0.2, 0.4]), 0.5)], [1, 0],
        "nms of two boxes with an IoU of exactly 0.5, threshold 0.5", "Over the threshold, not at it.",
    )
    check.equal(len(nms(heap[:0], grades[:0], 0.5)), 0, "the number of boxes that stay of none")
    check.by_hand(nms, chain, torch.tensor([0.9, 0.8, 0.7]), 0.5, without="nms")
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true}
rng = torch.Generator().manual_seed(7)
shifts = 2.2 * torch.randn(len(some_boxes[1]), 6, 4, generator=rng)
heap = (some_boxes[1][:, None] + shifts).flatten(0, 1)
grades = (1 - shifts.abs().mean(-1).flatten() / 5).clamp(0, 1)
stay = nms(heap, grades, 0.3)
canvas = some_x[1, 0].numpy()
draw.boxed(
    {
        "before": (canvas, [(box, "", 1) for box in heap]),
        "after": (canvas, [(heap[k], f"{grades[k]:.2f}", 2) for k in stay]),
    },
    "A canvas twice. Before: heaps of six shaky boxes around each digit. After non-maximum suppression: "
    "for nearly each digit the one with the highest score, with the score above it.",
)

# %% [markdown]
# The price: two *objects* that overlap a lot are one for NMS. That is why detectors suppress within each
# class only, as yours will.
#
# ## 4. Anchors on a grid
#
# A network has outputs of a fixed number, and images hold any number of objects. The trick of **one-stage
# detectors** (Redmon and others 2016; Liu and others 2016): lay a grid over the image, and let every cell
# answer for what is near it. Each cell has an **anchor**, a box of a fixed size around the cell's centre.
# The network never says "here is a box at (37, 22)". It says "*this* anchor has an object, a bit to the
# left, a bit larger": a small correction, and the same question at every place. A convolution does just
# that.
#
# Our cells are 8 pixels wide, the stride of the network's maps: 8 x 8 cells on a canvas of 64. Cell
# $(i, j)$ has its centre at $x = 8 (j + 0.5)$, $y = 8 (i + 0.5)$.

# %% [markdown]
# ### Exercise `anchor_grid` (1 + 2 points)
#
# Return the anchors of a grid as corners, row by row: anchor number `i * columns + j` is that of cell
# $(i, j)$. Anchors at the border stick out of the image, and may.
#
# <details><summary>Hint 1: centres along one side</summary>
#
# `(torch.arange(columns) + 0.5) * stride`
#
# </details>
# <details><summary>Hint 2: both sides</summary>
#
# `torch.meshgrid(y, x, indexing="ij")` gives two tensors (rows, columns). Or two loops.
#
# </details>
# <details><summary>Hint 3: the order</summary>
#
# Which coordinate changes from anchor 0 to anchor 1? And in which order are x and y in a box, which in the
# shape (rows, columns)?
#
# </details>

# %% nbgrader={"grade_id": "anchor_grid", "solution": true}
def anchor_grid(rows, columns, stride, size):
    """Anchors around the centres of a grid's cells, as corners: float32 (rows * columns, 4).

    stride  the side of a cell in pixels; cell (0, 0) is in the upper left corner of the image
    size    (width, height) of every anchor in pixels
    Row by row: the anchor of cell (i, j) is number i * columns + j.
    """
    ### BEGIN SOLUTION
    y, x = torch.meshgrid(
        (torch.arange(rows) + 0.5) * stride, (torch.arange(columns) + 0.5) * stride, indexing="ij"
    )
    w, h = size
    return torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], dim=-1).reshape(-1, 4)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-anchor_grid", "grade": true, "locked": true, "points": 1}
check.shape(anchor_grid(8, 8, 8, (12, 16)), (64, 4), "the anchors of 8 x 8 cells")
check.close(
    anchor_grid(8, 8, 8, (12, 16))[:2], [[-2, -4, 10, 12], [6, -4, 18, 12]],
    "the first two anchors of 8 x 8 cells of 8 pixels, 12 wide and 16 high",
    "The first is centred on (4, 4), the second on (12, 4): to its right.",
)

# %% nbgrader={"grade_id": "hidden-anchor_grid", "grade": true, "locked": true, "points": 2}
# Also: grids that are not square, other strides and sizes, one cell.
### BEGIN HIDDEN TESTS
for rows, columns, stride, size in (
    (2, 3, 8, (12, 16)), (5, 2, 4, (7, 3)), (1, 1, 16, (32, 8)), (3, 7, 5, (5, 5)), (8, 8, 8, (12, 16)),
):
    expected = [
        [stride * (j + 0.5) - size[0] / 2, stride * (i + 0.5) - size[1] / 2,
         stride * (j + 0.5) + size[0] / 2, stride * (i + 0.5) + size[1] / 2]
        for i in range(rows) for j in range(columns)
    ]
    result = anchor_grid(rows, columns, stride, size)
    check.close(
        result, expected, f"anchor_grid({rows}, {columns}, {stride}, {size})",
        "Row by row; x goes with columns and width, y with rows and height.",
    )
    check.that(
        isinstance(result, torch.Tensor) and result.dtype == torch.float32,
        "anchor_grid should give a float32 tensor.",
    )
### END HIDDEN TESTS

# %%
base = anchor_grid(8, 8, STRIDE, SIZE)
canvas = some_x[2, 0].numpy()
draw.boxed(
    {
        "all 64 anchors": (canvas, [(box, "", 4) for box in base]),
        "those of cells (0, 0), (3, 0), (3, 1)": (
            canvas, [(base[8 * i + j], f"({i}, {j})", 1) for i, j in ((0, 0), (3, 0), (3, 1))]
        ),
    },
    "A canvas twice: under all 64 anchors, which overlap like tiles of a roof, and with three of them: the "
    "one in the upper left corner sticks out, the two others are neighbours.",
)

# %% [markdown]
# ## 5. Boxes as corrections
#
# How does the network say "a bit to the left, a bit larger"? By four **offsets** between an anchor
# $(a_x, a_y, a_w, a_h)$ and a box $(c_x, c_y, w, h)$, both in centre format:
#
# $$\frac{c_x - a_x}{a_w} \qquad \frac{c_y - a_y}{a_h} \qquad \log \frac{w}{a_w} \qquad \log \frac{h}{a_h}$$
#
# Shifts are measured in anchors, not in pixels, so that large and small anchors give numbers of one size.
# Sizes are logarithms: twice and half are equally far from 0, and no output can mean a negative width.
#
# ### Exercise `encode` (1 + 3 points)
#
# Write the offsets, and the way back. Boxes come and go as corners.
#
# **Predict first:** what are the offsets of a box that *is* its anchor?
#
# <details><summary>Hint 1: formats</summary>
#
# Your `to_centres` and `to_corners` do half of the work; or unpack the corners here.
#
# </details>
# <details><summary>Hint 2: backwards</summary>
#
# Solve each of the four formulas for the box. What undoes a logarithm?
#
# </details>
# <details><summary>Hint 3: batches</summary>
#
# `decode` takes offsets (N, n, 4) with anchors (n, 4). Which indexing works for both: `[:, 0]` or `[..., 0]`,
# and why?
#
# </details>

# %% nbgrader={"grade_id": "encode", "solution": true} needs=["formats"]
def encode(boxes, base):
    """Offsets (n, 4) of boxes (n, 4) from the anchors `base` (n, 4), one by one; new tensors.

    boxes, base  as corners, with sides over 0
    Offsets are: shift in x over the anchor's width, shift in y over its height, log of the ratio
    of the widths, log of the ratio of the heights.
    """
    ### BEGIN SOLUTION
    box, anchor = to_centres(boxes), to_centres(base)
    shift = (box[..., :2] - anchor[..., :2]) / anchor[..., 2:]
    return torch.cat([shift, (box[..., 2:] / anchor[..., 2:]).log()], dim=-1)
    ### END SOLUTION


def decode(offsets, base):
    """The boxes, as corners, with these offsets from the anchors `base` (n, 4).

    offsets (n, 4) or (N, n, 4), any numbers; the result has their shape. decode(encode(b, a), a) is b.
    """
    ### BEGIN SOLUTION
    anchor = to_centres(base)
    centre = anchor[..., :2] + offsets[..., :2] * anchor[..., 2:]
    return to_corners(torch.cat([centre, anchor[..., 2:] * offsets[..., 2:].exp()], dim=-1))
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-encode", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
from torchvision import ops


def centred(boxes):
    return ops.box_convert(boxes, "xyxy", "cxcywh")


def cornered(boxes):
    return ops.box_convert(boxes, "cxcywh", "xyxy")


references = {"to_centres": centred, "to_corners": cornered}
### END HIDDEN TESTS
with check.using(**references):
    one = torch.tensor([[0.0, 0, 10, 20]])
    check.close(
        encode(torch.tensor([[5.0, 10, 15, 30]]), one), [[0.5, 0.5, 0, 0]],
        "the offsets of a box of the anchor's size, moved by 5 and 10 pixels",
        "The anchor is 10 wide and 20 high: shifts are fractions of that.",
    )
    check.close(
        encode(torch.tensor([[-5.0, 5, 15, 15]]), one), [[0, 0, np.log(2), -np.log(2)]],
        "the offsets of a box twice as wide and half as high, around the same centre", "Natural logs.",
    )
    check.close(
        decode(torch.tensor([[0.5, 0.5, 0, 0]]), one), [[5, 10, 15, 30]], "decode of 0.5, 0.5, 0, 0",
        "It undoes encode.",
    )

# %% nbgrader={"grade_id": "hidden-encode", "grade": true, "locked": true, "points": 3}
# Also: many boxes, each with an anchor of its own; batches of offsets; there and back; none; the input left
# alone.
### BEGIN HIDDEN TESTS
from torchvision import ops


def centred(boxes):
    return ops.box_convert(boxes, "xyxy", "cxcywh")


def cornered(boxes):
    return ops.box_convert(boxes, "cxcywh", "xyxy")


with check.using(to_centres=centred, to_corners=cornered):
    numbers = torch.Generator().manual_seed(1104)
    for n in (1, 9, 0):
        box, anchor = (
            torch.cat(
                [30 * torch.rand(n, 2, generator=numbers, dtype=torch.float64),
                 2 + 20 * torch.rand(n, 2, generator=numbers, dtype=torch.float64)], 1,
            )
            for _ in range(2)
        )
        expected = torch.stack(
            [(box[:, 0] - anchor[:, 0]) / anchor[:, 2], (box[:, 1] - anchor[:, 1]) / anchor[:, 3],
             torch.log(box[:, 2] / anchor[:, 2]), torch.log(box[:, 3] / anchor[:, 3])], 1,
        )
        corners, base_corners = cornered(box), cornered(anchor)
        kept = corners.clone(), base_corners.clone(), expected.clone()
        check.close(
            encode(corners, base_corners), expected, f"the offsets of {n} boxes",
            "Is each shift divided by its own side of the anchor? Are ratios box over anchor?",
        )
        check.close(
            decode(expected, base_corners), corners, f"decode of the offsets of {n} boxes",
            "Sizes are the anchor's times exp of the offset; centres come first, corners last.",
        )
        batch = torch.stack([expected, expected / 2, -expected])
        check.close(
            decode(batch, base_corners)[0], corners, "the first of a batch of three",
            "Index the last dimension: offsets[..., 0].",
        )
        centres = centred(torch.as_tensor(decode(batch, base_corners)))
        check.close(
            centres[2, :, 2:], anchor[:, 2:] ** 2 / box[:, 2:], "the sides for the opposite offsets",
            "exp(-z) is the inverse ratio.",
        )
        for each, before in zip((corners, base_corners, expected), kept, strict=True):
            check.close(each, before, "an argument afterwards", "Leave it as it is.")
### END HIDDEN TESTS

# %% [markdown]
# ## 6. Who is responsible?
#
# To train, every anchor needs a **target**. An anchor is **responsible** for the object with which its IoU
# is largest, provided that the IoU is at least a threshold, 0.3 today. A narrow 1 may reach that with no
# anchor; so each object also gets its **best** anchor, whatever the IoU. All others are background: of
# them nothing is asked but to say "nothing here".
#
# The target of one anchor is six numbers: 1 if it is responsible, else 0; four offsets; the class. For
# background all six are 0.

# %% [markdown]
# ### Exercise `assign` (1 + 3 points)
#
# Return the targets of all anchors of one canvas: (anchors, 6). You may count on it that no two objects
# have the same best anchor. A best anchor stands for its own object, even if it overlaps another one more.
#
# <details><summary>Hint 1: the table</summary>
#
# `box_iou(base, boxes)` has a row per anchor and a column per object. `.max(1)` gives, for each anchor, the
# largest IoU and whose it is.
#
# </details>
# <details><summary>Hint 2: the best</summary>
#
# `.argmax(0)` of the same table: for each object, the place of its best anchor. Write these places in
# *after* the threshold has spoken.
#
# </details>
# <details><summary>Hint 3: no objects</summary>
#
# What does `max` over an empty dimension do? And what should the targets of an empty canvas be?
#
# </details>

# %% nbgrader={"grade_id": "assign", "solution": true} needs=["box_iou", "encode"]
def assign(base, boxes, labels, threshold):
    """The targets of the anchors `base` (n, 4) for one canvas: float32 (n, 6).

    boxes (k, 4), labels int64 (k,)  the objects, corners; k may be 0; left unchanged
    Row: [1, four offsets, label] for an anchor that is responsible, else six zeros. Responsible is
    the best anchor of each object, and an anchor whose largest IoU is at least `threshold`.
    """
    ### BEGIN SOLUTION
    target = torch.zeros(len(base), 6)
    if len(boxes) == 0:
        return target
    table = box_iou(base, boxes)
    overlap, whose = table.max(1)
    responsible = overlap >= threshold
    best = table.argmax(0)
    responsible[best] = True
    whose[best] = torch.arange(len(boxes))
    target[responsible, 0] = 1
    mine = whose[responsible]
    target[responsible, 1:5] = encode(boxes[mine], base[responsible]).float()
    target[responsible, 5] = labels[mine].float()
    return target
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-assign", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
from torchvision import ops


def overlaps(a, b):
    return ops.box_iou(a, b)


def corrections(boxes, base):
    (x, y, w, h), (ax, ay, aw, ah) = (
        ops.box_convert(each, "xyxy", "cxcywh").unbind(-1) for each in (boxes, base)
    )
    return torch.stack([(x - ax) / aw, (y - ay) / ah, (w / aw).log(), (h / ah).log()], -1)


references = {"box_iou": overlaps, "encode": corrections}
### END HIDDEN TESTS
with check.using(**references):
    row = torch.tensor([[0.0, 0, 8, 8], [8, 0, 16, 8], [16, 0, 24, 8], [24, 0, 32, 8]])
    objects = torch.tensor([[1.0, 0, 9, 8], [25, 2, 27, 4]])
    targets = assign(row, objects, torch.tensor([7, 1]), 0.5)
    check.shape(targets, (4, 6), "the targets of four anchors")
    check.close(
        targets[:, 0], [1, 0, 0, 1], "which of four anchors are responsible",
        "The first overlaps object 0 by over a half. The fourth overlaps object 1 by a 16th: that is too "
        "little for the threshold, but it is that object's best anchor.",
    )
    check.close(targets[[0, 3], 5], [7, 1], "their labels", "Each has the label of its own object.")
    check.close(
        targets[0, 1:5], [1 / 8, 0, 0, 0], "the offsets of anchor 0", "encode(object, anchor)."
    )

# %% nbgrader={"grade_id": "hidden-assign", "grade": true, "locked": true, "points": 3}
# Also: real canvases, other thresholds and one that is reached exactly, an anchor between two objects, a
# best anchor that overlaps another object more, an empty canvas; the input left alone.
### BEGIN HIDDEN TESTS
from torchvision import ops


def overlaps(a, b):
    return ops.box_iou(a, b)


def corrections(boxes, base):
    (x, y, w, h), (ax, ay, aw, ah) = (
        ops.box_convert(each, "xyxy", "cxcywh").unbind(-1) for each in (boxes, base)
    )
    return torch.stack([(x - ax) / aw, (y - ay) / ah, (w / aw).log(), (h / ah).log()], -1)


def expected_targets(base, boxes, labels, threshold):
    """The same by loops, in NumPy."""
    table, rows = ops.box_iou(base, boxes).numpy(), np.zeros((len(base), 6))
    for k in range(len(base)):
        owners = [m for m in range(len(boxes)) if table[:, m].argmax() == k]
        mine = owners[0] if owners else int(table[k].argmax())
        if owners or table[k, mine] >= threshold:
            offsets = corrections(boxes[mine : mine + 1], base[k : k + 1])[0].numpy()
            rows[k] = [1, *offsets, int(labels[mine])]
    return rows


with check.using(box_iou=overlaps, encode=corrections):
    lattice = torch.tensor(
        [[8 * j - 2.0, 8 * i - 4, 8 * j + 10, 8 * i + 12] for i in range(8) for j in range(8)]
    )
    _, several, kinds = make_scenes(12, seed=1105)
    for k, threshold in enumerate((0.3, 0.5, 0.2, 0.4, 0.3, 0.7) * 2):
        # Tenths of pixels: no two anchors then have the same IoU with an object.
        box = several[k] + torch.linspace(0.11, 0.83, several[k].numel()).reshape(-1, 4) / 3
        kept = box.clone(), lattice.clone(), kinds[k].clone()
        check.close(
            assign(lattice, box, kinds[k], threshold), expected_targets(lattice, box, kinds[k], threshold),
            f"the targets of a canvas with {len(box)} digits, threshold {threshold}",
            "Column 0 is who is responsible, 1 to 4 offsets, 5 the label: all of one object, and 0 for "
            "background.", rtol=1e-4, atol=1e-5,
        )
        for each, before in zip((box, lattice, kinds[k]), kept, strict=True):
            check.close(each, before, "an argument afterwards", "Leave it as it is.")
    row = torch.tensor([[0.0, 0, 8, 8], [8, 0, 16, 8], [16, 0, 24, 8]])
    exact = assign(row, torch.tensor([[0.0, 0, 12, 8]]), torch.tensor([3]), 1 / 4)
    check.close(
        exact[:, 0], [1, 1, 0], "which anchors are responsible for a box that overlaps them by 2/3 and 1/4",
        "At least the threshold, 1/4 here.",
    )
    # Anchor 1 overlaps the large box more, but is the best that the small one has.
    two = torch.tensor([[0.0, 0, 13, 8], [12, 6, 16, 8]])
    check.close(
        assign(row, two, torch.tensor([4, 9]), 0.3)[:, 5], [4, 9, 0],
        "the labels where the best anchor of one object overlaps another one more",
        "An object's best anchor is its own.",
    )
    empty = assign(row, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), 0.3)
    check.close(empty, torch.zeros(3, 6), "the targets of a canvas without objects", "All zeros.")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** three digits on 64 anchors. Which share of the anchors, in %, is responsible for
# something?

# %%
predict.keep("responsible anchors in %", None)

# %% jupyter={"source_hidden": true}
base = anchor_grid(8, 8, STRIDE, SIZE)
train_x, train_boxes, train_labels = make_scenes(800, seed=1)
targets = torch.stack(
    [assign(base, box, label, 0.3) for box, label in zip(train_boxes, train_labels, strict=True)]
)
panels = {}
for k in (0, 1, 2):
    mine = targets[k, :, 0] == 1
    back = decode(targets[k, mine, 1:5], base[mine])
    marks = [(box, "", 4) for box in base[mine]] + [(box, "", 0) for box in back]
    panels[f"{int(mine.sum())} responsible anchors"] = (train_x[k, 0].numpy(), marks)
draw.boxed(
    panels,
    "Three canvases. Around each digit one or several grey anchors, those that are responsible for it, and "
    "the blue box that their offsets lead to: one and the same for all of them.",
)
predict.compare("responsible anchors in %", round(100 * targets[..., 0].mean().item()))

# %% [markdown]
# (No two of our digits share a best anchor. Where two objects do, one of them is lost to training: crowds are
# hard for this family of detectors.)
#
# Nine of ten anchors are background: keep this class imbalance in mind for the loss.
#
# ## 7. The network
#
# | part | what | out |
# |---|---|---|
# | `stem` | 5 x 5 convolution, stride 2, padding 2; batch norm, ReLU | (12, H/2, W/2) |
# | `one` | `block(12, 24)`, then max pool | (24, H/4, W/4) |
# | `two` | `block(24, 48)`, then max pool | (48, H/8, W/8) |
# | `three` | `block(48, 64)` | (64, H/8, W/8) |
# | `head` | 1 x 1 convolution with bias | (15, H/8, W/8) |
#
# Three halvings: a pixel of the last map is one cell of the grid. Its 15 channels are that anchor's outputs:
# a logit that something is there, the **objectness**; four offsets; ten class logits. There is no fully
# connected layer, and so no fixed size: the detector takes any image whose sides 8 divides.

# %% nbgrader={"grade_id": "setup-block", "locked": true}
def block(c_in, c_out):
    """3 x 3 convolution, batch norm and ReLU: (N, c_in, H, W) to (N, c_out, H, W)."""
    conv = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU())

# %% [markdown]
# ### Exercise `Detector` (1 + 3 points)
#
# Write the module. Its output is not a map but a list, one row per anchor, in the order of `anchor_grid`:
# (N, cells, 15).
#
# **Predict first:** how many pixels does one cell see? (Lesson 03; our largest digits are 21 high.)
#
# <details><summary>Hint 1: the stem</summary>
#
# `nn.Sequential` of `nn.Conv2d(1, 12, 5, stride=2, padding=2, bias=False)` and two more layers.
#
# </details>
# <details><summary>Hint 2: from maps to rows</summary>
#
# (N, 15, rows, columns) must become (N, rows, columns, 15), then (N, rows * columns, 15).
#
# </details>
# <details><summary>Hint 3: why not reshape at once?</summary>
#
# `reshape` keeps the numbers in their order and cuts anew. Which 15 numbers would then stand in the first
# row? What does `permute` do instead?
#
# </details>

# %% nbgrader={"grade_id": "Detector", "solution": true}
class Detector(nn.Module):
    """A one-stage detector: images (N, 1, H, W) to (N, H/8 * W/8, 15), 42,179 parameters.

    8 divides H and W. Row i * columns + j belongs to cell (i, j) of the grid: objectness logit, four
    offsets, ten class logits. Parts stem, one, two, three, head as in the table.
    """

    def __init__(self):
        super().__init__()
        ### BEGIN SOLUTION
        conv = nn.Conv2d(1, 12, 5, stride=2, padding=2, bias=False)
        self.stem = nn.Sequential(conv, nn.BatchNorm2d(12), nn.ReLU())
        self.one, self.two, self.three = block(12, 24), block(24, 48), block(48, 64)
        self.head = nn.Conv2d(64, 15, 1)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x = F.max_pool2d(self.one(self.stem(x)), 2)
        x = F.max_pool2d(self.two(x), 2)
        maps = self.head(self.three(x))
        return maps.permute(0, 2, 3, 1).flatten(1, 2)
        ### END SOLUTION

# %% nbgrader={"grade_id": "test-Detector", "grade": true, "locked": true, "points": 1}
check.shape(
    Detector()(torch.zeros(3, 1, 64, 64)), (3, 64, 15), "Detector's output for three canvases",
    "A row of 15 numbers for each of 8 x 8 anchors.",
)
check.equal(
    sum(count for _, count in check.parameter_counts(Detector())), 42179, "Detector's parameters",
    "Convolutions before a batch norm have no bias, the head has one.",
)

# %% nbgrader={"grade_id": "hidden-Detector", "grade": true, "locked": true, "points": 3}
# Also: other sizes, output sizes of the layers, the order of the rows, the logits computed a second time from
# your own weights, gradients for all; and trained for four epochs by the grader: the best anchor has class
# and box right for half of the digits of other canvases.
### BEGIN HIDDEN TESTS
from torchvision import ops

numbers = torch.Generator().manual_seed(1106)
for h, w in ((8, 8), (16, 40), (72, 24)):
    check.shape(
        Detector()(torch.zeros(2, 1, h, w)), (2, h * w // 64, 15), f"Detector's output for {h} x {w} pixels",
        "Any sides that 8 divides.",
    )
sizes = [size[1:] for _, size in check.layer_shapes(Detector(), torch.zeros(1, 1, 32, 48))]
for size in ((12, 16, 24), (24, 16, 24), (48, 8, 12), (64, 4, 6), (15, 4, 6)):
    check.that(size in sizes, f"No layer gives {size} for an image (1, 32, 48); yours give {sizes}.")

model = Detector()
weights = {value.shape: torch.tensor(value).double() for value in check.state(model).values()}
x = torch.randn(3, 1, 32, 48, generator=numbers)
maps, scale = x.double(), (1 + 1e-5) ** -0.5  # a batch norm that has seen nothing yet
for shape, stride, pool in (
    ((12, 1, 5, 5), 2, False), ((24, 12, 3, 3), 1, True), ((48, 24, 3, 3), 1, True), ((64, 48, 3, 3), 1, False),
):
    check.that(shape in weights, f"There is no convolution with weights {shape}: compare with the table.")
    maps = F.relu(scale * F.conv2d(maps, weights[shape], stride=stride, padding=shape[3] // 2))
    maps = F.max_pool2d(maps, 2) if pool else maps
maps = F.conv2d(maps, weights[15, 64, 1, 1], weights[15,])
model.eval()
with torch.no_grad():
    output = model(x)
check.close(
    output, maps.movedim(1, 3).flatten(1, 2), "Detector's output in evaluation mode, before any training",
    "ReLU after each batch norm, max pools, nothing behind the head? Is row i * columns + j cell (i, j), "
    "and are its 15 numbers those of one place?", rtol=1e-3, atol=1e-4,
)
model = Detector()
model(x).square().sum().backward()
for name, parameter in model.named_parameters():
    check.that(
        parameter.grad is not None and bool((parameter.grad != 0).any()),
        f"No gradient reaches {name}: it would never learn.",
    )

lattice = torch.tensor(
    [[8 * j - 2.0, 8 * i - 4, 8 * j + 10, 8 * i + 12] for i in range(8) for j in range(8)]
)
centre, side = (lattice[:, :2] + lattice[:, 2:]) / 2, torch.tensor([12.0, 16])


def rows_of(box, label):
    """Targets: [1, offsets, label] for the anchors responsible for an object."""
    table = ops.box_iou(lattice, box)
    best, (overlap, whose) = table.argmax(0), table.max(1)
    whose[best], overlap[best] = torch.arange(len(box)), 1
    theirs = box[whose]
    offsets = [((theirs[:, :2] + theirs[:, 2:]) / 2 - centre) / side, ((theirs[:, 2:] - theirs[:, :2]) / side).log()]
    rows = torch.cat([torch.ones(64, 1), *offsets, label[whose, None].float()], 1)
    return torch.where(overlap[:, None] >= 0.3, rows, 0.0)


def three_parts(output, target):
    on = target[..., 0] == 1
    some, true = output[on], target[on]
    seen = F.binary_cross_entropy_with_logits(output[..., 0], target[..., 0], reduction="sum")
    kind = F.cross_entropy(some[:, 5:], true[:, 5].long(), reduction="sum")
    return torch.stack([F.smooth_l1_loss(some[:, 1:5], true[:, 1:5], reduction="sum"), seen, kind]) / on.sum()


check.seed(1107)
seeds = np.random.default_rng(1107).integers(10**6, size=2)
images, boxes_of, labels_of = make_scenes(400, int(seeds[0]))
goals = torch.stack([rows_of(*pair) for pair in zip(boxes_of, labels_of, strict=True)])
model = Detector()
fit(model, images, goals, three_parts, epochs=4)
model.eval()
images, boxes_of, labels_of = make_scenes(100, int(seeds[1]), test=True)
with torch.no_grad():
    output = model(images)
right, total = 0, 0
for k, (box, label) in enumerate(zip(boxes_of, labels_of, strict=True)):
    best = ops.box_iou(lattice, box).argmax(0)
    row = output[k, best]
    middle, sides = centre[best] + row[:, 1:3] * side, side * row[:, 3:5].exp()
    overlap = ops.box_iou(torch.cat([middle - sides / 2, middle + sides / 2], 1), box).diagonal()
    right += int(((overlap >= 0.5) & (row[:, 5:].argmax(1) == label)).sum())
    total += len(box)
check.at_least(right / total, 0.5, "the share of other digits whose best anchor has class and box right")
### END HIDDEN TESTS

# %%
names = ("stem", "one", "two", "three", "head")
fresh = Detector()
draw.layer_bars(
    [(name, sum(n for _, n in check.parameter_counts(getattr(fresh, name)))) for name in names],
    "Detector's parameters",
)

# %% [markdown]
# A cell sees 39 pixels: 5 through the stem, 9, 11 behind the pool, 19, 23, and 39 at the end. Nearly twice the
# largest digit, so it sees the surroundings as well.
#
# ## 8. A loss of three parts
#
# One network, three questions. Such a **multi-task loss** adds up what each is worth:
#
# - *box*: the **smooth L1 loss** of the offsets, for responsible anchors only. For an error $d$ it is
#   $d^2 / 2$ where $|d| < 1$, and $|d| - 1/2$ beyond: like a square near 0, and calm about outliers;
# - *objectness*: lesson 09's binary cross-entropy, for **all** anchors;
# - *class*: lesson 05's cross-entropy, for responsible anchors only.
#
# Each is a *sum*, over the four offsets too, divided by the number of responsible anchors in the batch. Why not
# the mean over all anchors? Then the many easy "nothing here" would drown the few that matter.

# %% [markdown]
# ### Exercise `detection_loss` (1 + 3 points)
#
# Return the three parts as one tensor (3,), ready for `backward()`. A batch without any object counts as one
# responsible anchor: no division by 0. `F`'s losses are welcome.
#
# <details><summary>Hint 1: a mask</summary>
#
# `on = target[..., 0] == 1` is (N, n); `output[on]` are the rows of responsible anchors, (k, 15).
#
# </details>
# <details><summary>Hint 2: sums</summary>
#
# All of `F`'s losses take `reduction="sum"`.
#
# </details>
# <details><summary>Hint 3: which columns</summary>
#
# The output has 15, the target 6. Which of them belong together, and what type does `F.cross_entropy` want of
# labels? Why may nothing here take a sigmoid or a softmax?
#
# </details>

# %% nbgrader={"grade_id": "detection_loss", "solution": true}
def detection_loss(output, target):
    """The loss of a batch: tensor (3,) of box, objectness and class, that can backward().

    output (N, n, 15)  objectness logit, four offsets, ten class logits of each anchor
    target (N, n, 6)   1 or 0, four offsets, label, as assign gives them; both left unchanged

    Box (smooth L1, over the four offsets) and class (cross-entropy) are summed over responsible anchors,
    objectness (binary cross-entropy) over all; each is divided by the number of responsible anchors
    in the batch, at least 1.
    """
    ### BEGIN SOLUTION
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.smooth_l1_loss(rows[:, 1:5], wanted[:, 1:5], reduction="sum")
    objectness = F.binary_cross_entropy_with_logits(output[..., 0], target[..., 0], reduction="sum")
    kind = F.cross_entropy(rows[:, 5:], wanted[:, 5].long(), reduction="sum")
    return torch.stack([box, objectness, kind]) / on.sum().clamp(min=1)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-detection_loss", "grade": true, "locked": true, "points": 1}
blank_output, one_object = torch.zeros(1, 4, 15), torch.zeros(1, 4, 6)
one_object[0, 2] = torch.tensor([1.0, 0.5, 0, 0, 2.0, 7])
check.close(
    detection_loss(blank_output, one_object), [0.125 + 1.5, 4 * np.log(2), np.log(10)],
    "the parts for an output of zeros and one responsible anchor of four",
    "Box: 0.5 ** 2 / 2 for the first offset, 2 - 1/2 for the last. Objectness: log 2 for each of four anchors, "
    "over one responsible. Class: log 10, the chance level.",
)
tracked = torch.zeros(1, 4, 15, requires_grad=True)
detection_loss(tracked, one_object).sum().backward()
check.that(tracked.grad is not None, "No gradient comes back: does the loss leave torch on the way?")

# %% nbgrader={"grade_id": "hidden-detection_loss", "grade": true, "locked": true, "points": 3}
# Also: batches against a reference in float64, their gradients, logits of 300, canvases without objects; the
# input left alone; and a detector that four epochs with your loss train: half of the digits of other canvases
# right, objectness 0.4 higher where something is.
### BEGIN HIDDEN TESTS
from torchvision import ops


def expected_loss(output, target):
    """The same, written out."""
    on = target[..., 0] == 1
    some, true = output[on], target[on]
    gap = (some[:, 1:5] - true[:, 1:5]).abs()
    box = torch.where(gap < 1, gap**2 / 2, gap - 0.5).sum()
    seen = (F.softplus(output[..., 0]) - output[..., 0] * target[..., 0]).sum()
    kind = (some[:, 5:].logsumexp(1) - some[:, 5:].gather(1, true[:, 5:].long())[:, 0]).sum()
    return torch.stack([box, seen, kind]) / max(int(on.sum()), 1)


numbers = torch.Generator().manual_seed(1108)
for shape, share, scale in (((3, 20), 0.2, 1), ((2, 5), 0.5, 3), ((4, 7), 0.4, 100), ((2, 6), 0.0, 1)):
    output = scale * torch.randn(*shape, 15, generator=numbers, dtype=torch.float64)
    goal = 1.5 * torch.randn(*shape, 6, generator=numbers, dtype=torch.float64)
    goal[..., 0] = (torch.rand(shape, generator=numbers) < share).double()
    goal[..., 5] = torch.randint(0, 10, shape, generator=numbers).double()
    goal *= goal[..., :1]
    if share:
        goal[0, :2, 0] = 1
    kept = output.clone(), goal.clone()
    output.requires_grad_()
    loss = detection_loss(output, goal)
    check.close(
        loss, expected_loss(output, goal), f"the loss of a batch {shape}, {int(goal[..., 0].sum())} responsible",
        "Box, objectness, class, in this order; sums, divided by the responsible anchors of the whole batch.",
    )
    twin = kept[0].clone().requires_grad_()
    factors = torch.tensor([1.0, 2, 3])
    (expected_loss(twin, goal) * factors).sum().backward()
    (loss * factors).sum().backward()
    check.close(output.grad, twin.grad, "the gradient of the loss", "Background has no say in box and class.")
    check.close(output, kept[0], "the output afterwards", "Leave it as it is.")
    check.close(goal, kept[1], "the target afterwards", "Leave it as it is.")

lattice = torch.tensor(
    [[8 * j - 2.0, 8 * i - 4, 8 * j + 10, 8 * i + 12] for i in range(8) for j in range(8)]
)
centre, side = (lattice[:, :2] + lattice[:, 2:]) / 2, torch.tensor([12.0, 16])


def rows_of(box, label):
    """Targets: [1, offsets, label] for the anchors responsible for an object."""
    table = ops.box_iou(lattice, box)
    best, (overlap, whose) = table.argmax(0), table.max(1)
    whose[best], overlap[best] = torch.arange(len(box)), 1
    theirs = box[whose]
    offsets = [((theirs[:, :2] + theirs[:, 2:]) / 2 - centre) / side, ((theirs[:, 2:] - theirs[:, :2]) / side).log()]
    rows = torch.cat([torch.ones(64, 1), *offsets, label[whose, None].float()], 1)
    return torch.where(overlap[:, None] >= 0.3, rows, 0.0)


check.seed(1109)
seeds = np.random.default_rng(1109).integers(10**6, size=2)
images, boxes_of, labels_of = make_scenes(400, int(seeds[0]))
goals = torch.stack([rows_of(*pair) for pair in zip(boxes_of, labels_of, strict=True)])
pool = nn.MaxPool2d(2)
stem = [nn.Conv2d(1, 12, 5, 2, 2, bias=False), nn.BatchNorm2d(12), nn.ReLU()]
model = nn.Sequential(
    *stem, block(12, 24), pool, block(24, 48), pool, block(48, 64), nn.Conv2d(64, 15, 1), nn.Flatten(2)
)


def rows_loss(output, target):
    return detection_loss(output.transpose(1, 2), target)


fit(model, images, goals, rows_loss, epochs=4)
model.eval()
images, boxes_of, labels_of = make_scenes(100, int(seeds[1]), test=True)
goals = torch.stack([rows_of(*pair) for pair in zip(boxes_of, labels_of, strict=True)])
with torch.no_grad():
    output = model(images).transpose(1, 2)
right, total = 0, 0
for k, (box, label) in enumerate(zip(boxes_of, labels_of, strict=True)):
    best = ops.box_iou(lattice, box).argmax(0)
    row = output[k, best]
    middle, sides = centre[best] + row[:, 1:3] * side, side * row[:, 3:5].exp()
    overlap = ops.box_iou(torch.cat([middle - sides / 2, middle + sides / 2], 1), box).diagonal()
    right += int(((overlap >= 0.5) & (row[:, 5:].argmax(1) == label)).sum())
    total += len(box)
check.at_least(right / total, 0.5, "the share of other digits whose best anchor has class and box right")
seen, on = output[..., 0].sigmoid(), goals[..., 0] == 1
check.at_least(
    (seen[on].mean() - seen[~on].mean()).item(), 0.4, "the lead of objectness where an object is"
)
### END HIDDEN TESTS

# %% [markdown]
# The chance level first, as on lesson 04's ladder. **Predict first:** the class part of an untrained detector
# is about $\log 10$. And what is its objectness part, with one responsible anchor in ten?

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
detector = Detector()
with torch.no_grad():
    first = detection_loss(detector(train_x[:64]), targets[:64])
print("class part within 0.5 of log 10:", abs(first[2].item() - np.log(10)) < 0.5)
print("objectness part from 4 to 9:", 4 < first[1].item() < 9)

# %% [markdown]
# Ten anchors for each responsible one, each at $\log 2$: about 7. Healthy. Now the run: 800 canvases, eight epochs.
# **Predict first:** which of the three parts will be the smallest, which will take longest to fall?

# %% jupyter={"source_hidden": true}
history = fit(detector, train_x, targets, detection_loss, epochs=8)
draw.loss_parts(history)
print("each part fell by more than half:", bool((history[-1] < 0.5 * history[0]).all()))

# %% [markdown]
# Boxes cost least from the start, since the anchors are nearly right; *whether* is learnt before *what*.
#
# ## 9. From outputs to a list
#
# For each canvas there are now 64 rows of numbers. The **score** of an anchor is the probability that
# something is there, times that of its most probable class:
#
# $$\sigma(\text{objectness}) \cdot \max_c \; \text{softmax}(\text{class logits})_c$$
#
# Keep anchors whose score is **over** a threshold, decode their boxes, and suppress **within each class**.
#
# ### Exercise `detect` (1 + 3 points)
#
# Return a list with one entry per image: boxes, scores and labels, by falling score. As in lesson 09, the model
# works in evaluation mode, without gradients, and goes back in the mode in which it came.
#
# <details><summary>Hint 1: all at once</summary>
#
# `decode(output[..., 1:5], base)` gives all boxes (N, n, 4); `.softmax(-1).max(-1)` probabilities and labels.
#
# </details>
# <details><summary>Hint 2: class by class</summary>
#
# For each class, run your `nms` on the boxes of that class. It returns places among *those*: how do you come back
# to places among all?
#
# </details>
# <details><summary>Hint 3: or all classes in one go</summary>
#
# Boxes that lie far apart never suppress each other. What could you add to each box, class by class, to make it so,
# for NMS alone?
#
# </details>

# %% nbgrader={"grade_id": "detect", "solution": true} needs=["encode", "nms"]
def detect(model, images, base, threshold, overlap):
    """What `model` detects: for each image (boxes (k, 4), scores (k,), labels int64 (k,)), a list.

    model      outputs (N, n, 15) for images (N, ...), one row per anchor of `base` (n, 4); it works in
               evaluation mode and without gradients, and its mode is restored
    threshold  only anchors with a score over it; score = sigmoid(objectness) * largest softmax
    overlap    threshold of NMS, among detections of the same class

    Boxes are corners. By falling score; k may be 0.
    """
    ### BEGIN SOLUTION
    mode = model.training
    model.eval()
    with torch.no_grad():
        output = model(images)
    model.train(mode)
    all_boxes = decode(output[..., 1:5], base)
    probabilities, kinds = output[..., 5:].softmax(-1).max(-1)
    scores = output[..., 0].sigmoid() * probabilities
    detections = []
    for box, score, kind in zip(all_boxes, scores, kinds, strict=True):
        (places,) = torch.where(score > threshold)
        stay = [
            same[nms(box[same], score[same], overlap)]
            for same in (places[kind[places] == c] for c in kind[places].unique())
        ]
        stay = torch.cat([places[:0], *stay])
        stay = stay[score[stay].argsort(descending=True)]
        detections.append((box[stay], score[stay], kind[stay]))
    return detections
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-detect", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
from torchvision import ops


def boxes_from(offsets, base):
    x, y, w, h = ops.box_convert(base, "xyxy", "cxcywh").unbind(-1)
    x, y = x + offsets[..., 0] * w, y + offsets[..., 1] * h
    w, h = w * offsets[..., 2].exp(), h * offsets[..., 3].exp()
    return ops.box_convert(torch.stack([x, y, w, h], -1), "cxcywh", "xyxy")


def suppressed(boxes, scores, threshold):
    return ops.nms(boxes, scores, threshold)


references = {"decode": boxes_from, "nms": suppressed}
### END HIDDEN TESTS
with check.using(**references):
    # A model that has the same output for every image: three anchors, of which two agree on a 4.
    row = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [30, 30, 40, 40]])
    fixed = nn.Sequential(nn.Flatten(), nn.Linear(1, 45), nn.Unflatten(1, (3, 15)))
    rows = torch.zeros(3, 15)
    rows[:, 0] = torch.tensor([2.0, 4.0, -4.0])
    rows[:, 9] = 20.0
    with torch.no_grad():
        fixed[1].weight.zero_()
        fixed[1].bias.copy_(rows.flatten())
    detections = detect(fixed, torch.zeros(2, 1, 1, 1), row, 0.1, 0.5)
    check.equal(len(detections), 2, "the entries for two images", "One per image.")
    check.equal(len(detections[0]), 3, "the parts of an entry", "Boxes, scores, labels.")
    check.close(
        detections[0][0], [[1, 0, 11, 10]], "the boxes of the first image",
        "The third score is under 0.1; the first box overlaps the second, which has a higher score.",
    )
    check.close(
        detections[0][1], torch.sigmoid(torch.tensor([4.0])), "their scores",
        "sigmoid(objectness) times the probability of the class, here 1.", rtol=1e-4,
    )
    check.equal([int(c) for c in detections[0][2]], [4], "their labels", "Class logits begin in column 5.")

# %% nbgrader={"grade_id": "hidden-detect", "grade": true, "locked": true, "points": 3}
# Also: overlapping boxes of two classes, order, images with nothing, other thresholds and anchors, evaluation
# mode, the mode restored, no gradients, the model left alone.
### BEGIN HIDDEN TESTS
from torchvision import ops


def boxes_from(offsets, base):
    x, y, w, h = ops.box_convert(base, "xyxy", "cxcywh").unbind(-1)
    x, y = x + offsets[..., 0] * w, y + offsets[..., 1] * h
    w, h = w * offsets[..., 2].exp(), h * offsets[..., 3].exp()
    return ops.box_convert(torch.stack([x, y, w, h], -1), "cxcywh", "xyxy")


def suppressed(boxes, scores, threshold):
    return ops.nms(boxes, scores, threshold)


with check.using(decode=boxes_from, nms=suppressed):
    numbers = torch.Generator().manual_seed(1110)
    for n, threshold, overlap in ((30, 0.1, 0.3), (30, 0.3, 0.6), (12, 0.05, 0.1), (20, 0.99, 0.5)):
        corner = 40 * torch.rand(n, 2, generator=numbers)
        row = torch.cat([corner, corner + 8 + 8 * torch.rand(n, 2, generator=numbers)], 1)
        # Dropout, as in training mode, would make other outputs of the same image.
        model = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.5), nn.Linear(6, 15 * n), nn.Unflatten(1, (n, 15))
        )
        with torch.no_grad():
            model[2].weight.copy_(torch.randn(15 * n, 6, generator=numbers) / 2)
            model[2].bias.copy_((torch.randn(n, 15, generator=numbers) * torch.tensor(
                [2.0] + [0.3] * 4 + [3.0, 3.0] + [0.1] * 8
            )).flatten())
        images = torch.randn(3, 1, 2, 3, generator=numbers)
        before = check.state(model)
        model.eval()
        with torch.no_grad():
            output = model(images)
        probability, kind = output[..., 5:].softmax(-1).max(-1)
        grade, place = output[..., 0].sigmoid() * probability, boxes_from(output[..., 1:5], row)
        for mode in (True, False):
            model.train(mode)
            run = check.evaluated(
                lambda m, x, _, r=row, t=threshold, o=overlap: detect(m, x, r, t, o), model, images,
                images,
            )
            check.equal(run["training"], mode, "the model's mode afterwards", "Restore it.")
            check.that(not run["graph"], "The outputs require gradients: use torch.no_grad().")
            check.that(not run["gradients"], "detect leaves gradients in the model.")
            for name, value in before.items():
                check.close(run["state"][name], value, f"{name} afterwards", "Nothing should change.")
            check.equal(len(run["returned"]), 3, "the entries for three images")
            for k, (some_boxes_k, some_scores, some_kinds) in enumerate(run["returned"]):
                over = grade[k] > threshold
                stay = ops.batched_nms(place[k][over], grade[k][over], kind[k][over], overlap)
                what = f"of an image with {len(stay)} detections ({n} anchors, overlap {overlap})"
                check.shape(some_boxes_k, (len(stay), 4), f"the boxes {what}",
                            "Suppress within a class only, after the threshold, in evaluation mode.")
                check.close(
                    some_scores, grade[k][over][stay], f"the scores {what}",
                    "Highest first; sigmoid(objectness) * the largest softmax.", rtol=1e-4,
                )
                check.close(some_boxes_k, place[k][over][stay], f"the boxes {what}", rtol=1e-4, atol=1e-4)
                check.equal(
                    [int(c) for c in some_kinds], kind[k][over][stay].tolist(), f"the labels {what}"
                )
### END HIDDEN TESTS

# %% [markdown]
# The test canvases, with digits that no training canvas has shown. A blue box is right, a pink one is not: its
# class is wrong, or its place is.
#
# **Predict first:** what will the detector get wrong more often, places or classes?

# %% jupyter={"source_hidden": true}
test_x, test_boxes, test_labels = make_scenes(150, seed=2, test=True)
detections = detect(detector, test_x, base, 0.3, 0.3)
panels = {}
for k in range(4):
    overlap = box_iou(detections[k][0], test_boxes[k])
    same = detections[k][2][:, None] == test_labels[k]
    right = ((overlap >= 0.5) & same).any(1)
    marks = [
        (box, f"{int(c)}", 0 if good else 3)
        for box, c, good in zip(detections[k][0], detections[k][2], right, strict=True)
    ]
    panels["digits: " + " ".join(str(int(c)) for c in test_labels[k])] = (test_x[k, 0].numpy(), marks)
draw.boxed(
    panels,
    "Four test canvases with the boxes that the detector puts on them, each with its predicted label. The true "
    "digits stand above each canvas. Right boxes are blue, wrong ones pink.",
)

# %% [markdown]
# ## 10. A hit, or not?
#
# How good is a list like that? First each detection of a class is called a **true positive**, a hit, or a **false
# positive**. In order of falling score, a detection takes the object with which its IoU is largest, of those **not
# yet taken**. If that IoU is at least the threshold, it is a hit, and the object is taken. Two boxes on one object
# are therefore one hit and one false positive: duplicates cost.

# %% [markdown]
# ### Exercise `match` (1 + 2 points)
#
# One image, one class. Return for each detection whether it is a hit, in the order in which they came in.
#
# <details><summary>Hint 1: the order</summary>
#
# Visit detections by falling score, but write the result to the place of the detection's own place.
#
# </details>
# <details><summary>Hint 2: taken</summary>
#
# A set of places, or a bool tensor `free`. Which column of the IoU table may a detection still look at?
#
# </details>
# <details><summary>Hint 3: no objects</summary>
#
# An image may hold no object of this class. Is `max` of nothing a number? What are its detections then?
#
# </details>

# %% nbgrader={"grade_id": "match", "solution": true} needs=["box_iou"]
def match(boxes, scores, objects, threshold):
    """Which detections of one class in one image are hits: bool tensor (n,), in their own order.

    boxes (n, 4), scores (n,) all different, in any order; objects (m, 4); corners; n or m may be 0
    By falling score, a detection takes the object of largest IoU that is not yet taken, if that IoU is
    at least `threshold`: then it is a hit.
    """
    ### BEGIN SOLUTION
    hits, free = torch.zeros(len(boxes), dtype=torch.bool), torch.ones(len(objects), dtype=torch.bool)
    table = box_iou(boxes, objects)
    for k in scores.argsort(descending=True).tolist():
        if free.any():
            overlap, place = torch.where(free, table[k], -1.0).max(0)
            if overlap >= threshold:
                hits[k], free[place] = True, False
    return hits
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-match", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
from torchvision import ops


def overlaps(a, b):
    return ops.box_iou(a, b)


references = {"box_iou": overlaps}
### END HIDDEN TESTS
with check.using(**references):
    objects = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10]])
    three = torch.tensor([[1.0, 0, 11, 10], [0, 0, 10, 10], [40, 0, 50, 10]])
    hits = match(three, torch.tensor([0.9, 0.8, 0.7]), objects, 0.5)
    check.equal(
        [bool(hit) for hit in hits], [True, False, False], "match of two boxes on one object, and one beside all",
        "The first takes the object. The second fits better, but its score is lower: a duplicate.",
    )
    hits = match(three, torch.tensor([0.7, 0.8, 0.9]), objects, 0.5)
    check.equal(
        [bool(hit) for hit in hits], [False, True, False], "match of the same boxes with other scores",
        "By falling score; the result is in the order of the boxes.",
    )

# %% nbgrader={"grade_id": "hidden-match", "grade": true, "locked": true, "points": 2}
# Also: crowds, several thresholds and one that is reached exactly, a second choice, no objects, no boxes; the input
# left alone.
### BEGIN HIDDEN TESTS
from torchvision import ops


def overlaps(a, b):
    return ops.box_iou(a, b)


def expected_hits(boxes, scores, objects, threshold):
    """The same by loops."""
    table, hits, taken = ops.box_iou(boxes, objects).tolist(), [False] * len(boxes), set()
    for k in sorted(range(len(boxes)), key=lambda k: -float(scores[k])):
        free = [(table[k][m], m) for m in range(len(objects)) if m not in taken]
        if free and max(free)[0] >= threshold:
            hits[k] = True
            taken.add(max(free)[1])
    return hits


with check.using(box_iou=overlaps):
    numbers = torch.Generator().manual_seed(1111)
    for n, m, threshold in ((20, 6, 0.3), (20, 6, 0.5), (6, 12, 0.2), (9, 1, 0.4), (5, 0, 0.5), (0, 4, 0.5)):
        corner = 25 * torch.rand(n + m, 2, generator=numbers)
        crowd = torch.cat([corner, corner + 8 + 8 * torch.rand(n + m, 2, generator=numbers)], 1)
        detected, objects = crowd[:n], crowd[n:]
        grades = torch.rand(n, generator=numbers)
        kept = detected.clone(), grades.clone(), objects.clone()
        check.equal(
            [bool(hit) for hit in match(detected, grades, objects, threshold)],
            expected_hits(detected, grades, objects, threshold),
            f"match of {n} boxes with {m} objects, threshold {threshold}",
            "By falling score; among the objects not yet taken, the one with the largest IoU.",
        )
        for each, before in zip((detected, grades, objects), kept, strict=True):
            check.close(each, before, "an argument afterwards", "Leave it as it is.")
    # The second detection overlaps the taken object most; the other one will do.
    objects = torch.tensor([[0.0, 0, 10, 10], [4, 0, 14, 10]])
    twice = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10]])
    check.equal(
        [bool(hit) for hit in match(twice, torch.tensor([0.9, 0.8]), objects, 0.5)], [True, True],
        "match where the second box overlaps a taken object by 9/11 and a free one by 7/13",
        "Taken objects are out of the game; look among those that are free.",
    )
    half = torch.tensor([[0.0, 0, 10, 5]])
    check.equal(
        [bool(hit) for hit in match(half, torch.tensor([0.4]), objects[:1], 0.5)], [True],
        "match of a box with an IoU of exactly 0.5", "At least the threshold.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 11. Average precision
#
# Take all detections of a class in all images, by falling score, and go down the list. After each one there are two
# numbers:
#
# - **precision**: the share of hits among the detections so far;
# - **recall**: the share of all objects that are hit so far.
#
# Recall can only grow; precision goes up and down. Together they draw the **precision-recall curve**. Its dents are
# accidents of order, so each precision is replaced by the **largest precision at this recall or a higher one**. The
# area under that staircase is the **average precision**, AP:
#
# $$\text{AP} = \sum_k (r_k - r_{k-1}) \cdot \max_{j \geq k} p_j$$
#
# with $r_0 = 0$. Objects that are never hit leave their part of the area empty.
#
# **Predict first:** two objects; two detections, the better one wrong, the other a hit. What is the AP?

# %%
predict.keep("AP of a miss, then a hit, of two objects", None)

# %% [markdown]
# ### Exercise `average_precision` (1 + 2 points)
#
# Return the AP of one class.
#
# <details><summary>Hint 1: down the list</summary>
#
# Sort `hits` by falling score; `cumsum` counts hits so far. Divide by 1, 2, 3, ... for precision. And by what for
# recall?
#
# </details>
# <details><summary>Hint 2: from the right</summary>
#
# `np.maximum.accumulate` runs from the left. What does `[::-1]`, before and after, do?
#
# </details>
# <details><summary>Hint 3: by hand</summary>
#
# Hits 1, 0, 1 of two objects: precisions 1, 1/2, 2/3, recalls 1/2, 1/2, 1. The area is $1/2 \cdot 1 + 1/2 \cdot
# 2/3$. Which step adds nothing?
#
# </details>

# %% nbgrader={"grade_id": "average_precision", "solution": true}
def average_precision(scores, hits, objects):
    """Average precision of one class, a number from 0 to 1.

    scores, hits  of its detections in all images, in any order: tensors (n,) of different numbers and of
                  bool; n may be 0; left unchanged
    objects       how many objects of the class there are, at least 1
    """
    ### BEGIN SOLUTION
    in_order = hits[scores.argsort(descending=True)].double()
    so_far = in_order.cumsum(0)
    precision = so_far / torch.arange(1, len(hits) + 1)
    best = [precision[k:].max() for k in range(len(hits))]
    # Recall rises by 1 / objects at each hit, and stays elsewhere.
    return float(sum(p * hit for p, hit in zip(best, in_order, strict=True)) / objects)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-average_precision", "grade": true, "locked": true, "points": 1}
three_scores, three_hits = torch.tensor([0.9, 0.8, 0.7]), torch.tensor([True, False, True])
check.close(
    average_precision(three_scores, three_hits, 2), 5 / 6, "the AP of hit, miss, hit, with two objects",
    "Recall steps 1/2 at precision 1, then 1/2 at precision 2/3.",
)
check.close(
    average_precision(three_scores, three_hits, 4), 5 / 12, "the AP of the same with four objects",
    "Two objects were never hit: recall ends at 1/2.",
)
check.close(
    average_precision(three_scores.flip(0), three_hits, 2), 5 / 6, "the AP of the same, scores turned round",
    "The order is that of the scores; here it reads the same from both ends.",
)

# %% nbgrader={"grade_id": "hidden-average_precision", "grade": true, "locked": true, "points": 2}
# Also: long lists in any order, dents in the curve, no hits, no detections, all objects hit; the input left alone.
### BEGIN HIDDEN TESTS
def expected_area(scores, hits, objects):
    """For the first, second, ... object: the best precision of a list that hits as many; 0 if none does."""
    ranked = [bool(hits[k]) for k in np.argsort(-scores.numpy())]
    after = [(sum(ranked[: k + 1]), sum(ranked[: k + 1]) / (k + 1)) for k in range(len(ranked))]
    best = [max((p for count, p in after if count >= k), default=0.0) for k in range(1, objects + 1)]
    return sum(best) / objects


numbers = torch.Generator().manual_seed(1112)
for n, share, objects in ((30, 0.5, 40), (30, 0.2, 10), (100, 0.7, 75), (5, 1.0, 5), (8, 0.0, 3), (1, 1.0, 7)):
    grades = torch.rand(n, generator=numbers, dtype=torch.float64)
    hits = torch.rand(n, generator=numbers) < share
    hits[grades.argsort()[: max(int(hits.sum()) - objects, 0)]] = False
    while int(hits.sum()) > objects:
        hits[int(hits.nonzero()[0])] = False
    kept = grades.clone(), hits.clone()
    check.close(
        average_precision(grades, hits, objects), expected_area(grades, hits, objects),
        f"the AP of {n} detections, {int(hits.sum())} hits, {objects} objects",
        "By falling score; each precision is the largest at this recall or a higher one.",
    )
    check.close(grades, kept[0], "the scores afterwards", "Leave them as they are.")
    check.close(hits, kept[1], "the hits afterwards", "Leave them as they are.")
late = torch.tensor([False, True, True, True])
check.close(
    average_precision(torch.tensor([0.9, 0.8, 0.7, 0.6]), late, 3), 0.75, "the AP of a miss, then three hits",
    "Precision rises to 3/4 at the end, and that holds for all lower recalls.",
)
check.close(
    average_precision(torch.zeros(0), torch.zeros(0, dtype=torch.bool), 4), 0.0, "the AP without detections"
)
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true}
predict.compare(
    "AP of a miss, then a hit, of two objects",
    float(average_precision(torch.tensor([0.9, 0.8]), torch.tensor([False, True]), 2)),
)


def ranked(detections, c, threshold):
    """Scores and hits of class c in all test canvases, and how many objects of it there are."""
    scores, hits, objects = [torch.zeros(0)], [torch.zeros(0, dtype=torch.bool)], 0
    for (box, score, kind), true_boxes, true_kinds in zip(detections, test_boxes, test_labels, strict=False):
        of_class, true = kind == c, true_boxes[true_kinds == c]
        objects += len(true)
        if of_class.any():
            scores.append(score[of_class])
            hits.append(torch.as_tensor(match(box[of_class], score[of_class], true, threshold)))
    return torch.cat(scores), torch.cat(hits), objects


everything = detect(detector, test_x, base, 0.02, 0.3)
curves = {}
for c in (0, 8):
    scores, hits, objects = ranked(everything, c, 0.5)
    in_order = hits[scores.argsort(descending=True)].double().cumsum(0).numpy()
    rows = in_order / objects, in_order / np.arange(1, len(in_order) + 1)
    curves[f"digit {c}"] = (*rows, average_precision(scores, hits, objects))
draw.precision_recall(
    curves,
    "Precision against recall for two digits on the test canvases. Precision is 1 at first and falls as recall "
    "grows; a thin jagged line is the raw curve, the thick staircase above it has no dents.",
)

# %% [markdown]
# A quarter: recall rises by a half, at precision a half.
#
# ## 12. One number for a detector
#
# The mean of the AP of all classes is the **mean average precision**, mAP, the number in every paper on detection. Its
# threshold belongs to it: mAP at IoU 0.5 (Everingham and others 2010), or the mean over thresholds from 0.5 to 0.95
# (Lin and others 2014).
#
# **Predict first:** our detector's mAP at 0.5? What happens to it without NMS? And at 0.75, where boxes must fit more
# tightly: does it lose less or more than half?

# %%
predict.keep("mAP at IoU 0.5", None)
predict.keep("without NMS, mAP", None, "rises", "stays", "falls")
predict.keep("at IoU 0.75, mAP loses", None, "less than half", "more than half")

# %% jupyter={"source_hidden": true}
aps = {f"{c}": float(average_precision(*ranked(everything, c, 0.5))) for c in range(10)}
draw.class_aps(aps)
at_half = np.mean(list(aps.values()))
predict.compare("mAP at IoU 0.5", f"above {0.6 if at_half > 0.6 else 0}")

# %% jupyter={"source_hidden": true}
thresholds = (0.5, 0.6, 0.75, 0.9)
ways = {"with NMS": everything, "without NMS": detect(detector, test_x, base, 0.02, 1.0)}
curves = {
    name: [
        np.mean([average_precision(*ranked(listed, c, bar)) for c in range(10)]) for bar in thresholds
    ]
    for name, listed in ways.items()
}
draw.map_curve(
    thresholds, curves,
    "mAP against the IoU that a hit needs, from 0.5 to 0.9, with non-maximum suppression and without. Both fall steeply "
    "to nearly 0; without suppression mAP is lower at 0.5.",
)
loss_of_nms = curves["with NMS"][0] - curves["without NMS"][0]
predict.compare("without NMS, mAP", "falls" if loss_of_nms > 0.03 else "stays")
lost = 1 - curves["with NMS"][2] / curves["with NMS"][0]
predict.compare("at IoU 0.75, mAP loses", "more than half" if lost > 0.5 else "less than half")

# %% [markdown]
# In our runs the 1 is the hardest digit: two pixels beside the place are half of its width, and cost it the hit.
# Duplicates are false positives, so NMS earns its place. And our boxes are roughly right, but seldom tight: for a box of
# 12 x 16, three pixels beside the place are already an IoU of 0.6. A paper that reports mAP without its threshold reports nothing.
#
# ### Exercise `own_code` (1 point)
#
# Three questions about *your* code. How many boxes does your `nms` keep of three squares with side 4, at x = 0, 1 and 2,
# with scores 0.9, 0.8 and 0.7, threshold 0.5? How many rows has your `Detector`'s output for one image of 96 x 160? And
# what does your `average_precision` give for hit, hit, miss, of four objects?
#
# <details><summary>Hint: the chain</summary>
#
# The IoU of neighbours is 12/20, of the outer two 8/24. Who discards whom, and why is the third not discarded by the
# second?
#
# </details>

# %% nbgrader={"grade_id": "own_code", "solution": true} needs=["nms", "Detector", "average_precision"]
def own_code():
    """Answers about your code: {"kept": ..., "rows": ..., "area": ...}, numbers."""
    ### BEGIN SOLUTION
    chain = torch.tensor([[0.0, 0, 4, 4], [1, 0, 5, 4], [2, 0, 6, 4]])
    scores = torch.tensor([0.9, 0.8, 0.7])
    return {
        "kept": len(nms(chain, scores, 0.5)),
        "rows": Detector()(torch.zeros(1, 1, 96, 160)).shape[1],
        "area": float(average_precision(scores, torch.tensor([True, True, False]), 4)),
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-own_code", "grade": true, "locked": true, "points": 1}
# Compared with what your own functions give.
### BEGIN HIDDEN TESTS
replies = own_code()
check.equal(sorted(replies), ["area", "kept", "rows"], "the keys of own_code(), sorted")
chain = torch.tensor([[0.0, 0, 4, 4], [1, 0, 5, 4], [2, 0, 6, 4]])
grades = torch.tensor([0.9, 0.8, 0.7])
for key, value in (
    ("kept", len(nms(chain, grades, 0.5))),
    ("rows", Detector()(torch.zeros(1, 1, 96, 160)).shape[1]),
    ("area", float(average_precision(grades, torch.tensor([True, True, False]), 4))),
):
    check.that(
        abs(float(replies[key]) - value) <= 1e-3,
        f"{key} is {replies[key]}: your own code gives something else.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 13. Larger images, for free
#
# The detector has no fully connected layer. A canvas of 96 x 128 pixels is four times what it was trained on, and needs
# other anchors, but no other weights. **Predict first:** will it work?

# %% jupyter={"source_hidden": true}
rows = order[4000:]
wide = torch.cat(
    [torch.cat([test_x[k], test_x[k + 1]], 2) for k in (10, 12)], 1
)[None, :, :96]
larger = detect(detector, wide, anchor_grid(12, 16, STRIDE, SIZE), 0.3, 0.3)[0]
draw.boxed(
    {"96 x 128 pixels": (
        wide[0, 0].numpy(),
        [(box, f"{int(c)}", 0) for box, c in zip(larger[0], larger[2], strict=True)],
    )},
    "A canvas of 96 by 128 pixels with many digits, some of them cut off at the edge, and the detector's boxes: nearly "
    "every whole digit has one.",
)

# %% [markdown]
# Where a digit has two labels, two classes compete for it: NMS within a class lets both stay.
#
# Weight sharing again (lesson 01): what was learnt at one place holds at all places, also at those that did not exist in
# training.
#
# ## Remember
#
# > - A box is four numbers in a format: know which. IoU compares two; moved by half a side, it is 1/3.
# > - One-stage: each anchor says whether it has an object, which, and how far off it is. Offsets are measured in anchors.
# > - The loss has three parts. Only responsible anchors learn boxes and classes; divide by *their* number.
# > - NMS keeps the best of each heap, within a class; what was discarded discards nothing.
# > - mAP counts duplicates and misses, and means nothing without its IoU threshold.
#
# And your predictions, those that you kept:

# %%
predict.table()

# %% [markdown]
# ## Further, without points
#
# - ★ Start the head's objectness bias at -2 (the log of one to seven). How does the first epoch change?
# - ★ Vary the threshold of NMS from 0 to 1 and draw mAP. Where is it best, and why is it flat there?
# - ★ Which mistakes are left? Sort false positives into wrong class, wrong place, duplicate, nothing there.
# - ★★ Give each cell two anchors, 6 x 16 for ones and 14 x 16 for the others. What becomes of the 1's AP?
# - ★★ Weigh easy background down: the focal loss (Lin and others 2017) multiplies each objectness loss by
#   $(1 - p)^2$, with $p$ the probability of what is true.
# - ★★★ Add a second grid with stride 4 for small digits: a feature pyramid.
