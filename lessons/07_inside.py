# %% [markdown]
# # 07 Looking inside
#
# A trained network is millions of numbers, and all of them are in front of you: nothing about it is
# secret, it is only hard to read. Today you build five instruments to read it with, try them on a
# network that knows a thousand kinds of things, and ask it to point: *where do you see the cat?* Then you
# test the instruments.
#
# **You will be able to**
#
# - show a layer's filters as one picture, and say when that stops helping;
# - take the maps out of any layer with a hook, and leave no hook behind;
# - compute which pixels a score depends on, by one backward pass, and by many;
# - build Grad-CAM, which says in which region a network sees a class;
# - say which of these pictures depend on what the network has learnt.
#
# **Time** about three hours. **Slides** 15, 28 and 30. **Points** 24. **You need** lesson 04's LeNet
# and, for the gradients, a rough idea of what `backward` does.
#
# Images are batches of one today: shape (1, C, H, W).

# %% nbgrader={"grade_id": "setup", "locked": true}
import copy
from collections import OrderedDict
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course import check, data, draw, explore, predict, pretrained, recall

torch.set_num_threads(1)  # one image at a time is not worth a second core


@contextmanager
def evaluating(model):
    """Evaluation mode inside `with evaluating(model):`; afterwards each part has its own mode."""
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for part, mode in modes:
            part.training = mode


def digit_net():
    """Slide 29's network with random weights, its layers by name: (N, 1, 28, 28) to (N, 10)."""
    convs = [("conv1", nn.Conv2d(1, 10, 5)), ("relu1", nn.ReLU()), ("pool1", nn.MaxPool2d(2))]
    convs += [("conv2", nn.Conv2d(10, 20, 5)), ("relu2", nn.ReLU()), ("pool2", nn.MaxPool2d(2))]
    dense = [("flat", nn.Flatten()), ("fc1", nn.Linear(320, 100)), ("relu3", nn.ReLU())]
    return nn.Sequential(OrderedDict([*convs, *dense, ("fc2", nn.Linear(100, 10))]))

# %% [markdown]
# ## Three minutes of retrieval
#
# ### Exercise `retrieval` (1 point)
#
# Five questions on lessons 06, 05 and 03, from memory. Your name draws the numbers.
#
# - `depthwise` Weights of a depthwise 3 x 3 convolution on `c` channels, without bias?
# - `pointwise` Weights of the pointwise one behind it, to `k` channels, without bias?
# - `front` One network costs `s` and reads 70 % right, another costs `s` and reads 71 %: which is on the
#   Pareto front? `"first"`, `"second"` or `"both"`
# - `shifts` Augmentation moves an image by up to `p` pixels, both ways: how many different shifts?
# - `memory` Bytes that hold `k` maps of s x s in float32?

# %% nbgrader={"grade_id": "setup-retrieval", "locked": true}
def questions(name):
    """The numbers of your questions: any name will do, but stay with it."""
    ranges = (16, 96), (8, 64), (5, 28), (2, 6)
    return dict(zip(("c", "k", "s", "p"), recall.numbers(name, *ranges), strict=True))

# %%
print(questions("ada"))  # put in your own name

# %% nbgrader={"grade_id": "retrieval", "solution": true}
def retrieval():
    """The name that drew your numbers, and your replies.

    Returns ("ada", {"depthwise": ..., "pointwise": ..., "front": ..., "shifts": ..., "memory": ...}).
    """
    ### BEGIN SOLUTION
    q = questions("ada")
    return "ada", {
        "depthwise": 9 * q["c"],
        "pointwise": q["c"] * q["k"],
        "front": "second",
        "shifts": (2 * q["p"] + 1) ** 2,
        "memory": 4 * q["k"] * q["s"] ** 2,
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-retrieval", "grade": true, "locked": true, "points": 1}
# Each reply counts a fifth.
### BEGIN HIDDEN TESTS
name, replies = retrieval()
q = questions(name)
recall.mark(replies, {
    "depthwise": (9 * q["c"], "One filter of 3 x 3 for each channel, which reads that channel alone."),
    "pointwise": (q["c"] * q["k"], "At each pixel all channels are mixed into each new one."),
    "front": ("second", "At the same cost the more accurate one dominates."),
    "shifts": ((2 * q["p"] + 1) ** 2, "From -p to p are 2p + 1 steps, down and across."),
    "memory": (4 * q["k"] * q["s"] ** 2, "A float32 takes four bytes."),
})
### END HIDDEN TESTS

# %% [markdown]
# ## 1. Two networks to look into
#
# The first is an old friend: slide 29's network for digits, 38,390 parameters. A few seconds of
# training are enough. Strong weight decay on the first layer wipes out what its filters do not
# need, which makes them easier to look at. (A correction: slide 28 calls it LeNet-5. LeCun's
# LeNet-5 has 6 and 16 filters and takes 32 × 32 pixels; the table on slide 29, with 10 and 20
# filters, is a relative.)

# %%
images, labels = map(torch.tensor, data.digits())
order = torch.randperm(5000, generator=torch.Generator().manual_seed(0))
digits, labels = (images[order, None] / 255 - 0.1313) / 0.3086, labels[order]

# %%
torch.manual_seed(0)
newborn, small = digit_net(), digit_net()
small.load_state_dict(newborn.state_dict())  # twins, but only one of them goes to school
first, others = small.conv1.parameters(), small[1:].parameters()
groups = [{"params": first, "weight_decay": 2.0}, {"params": others}]
optimizer = torch.optim.AdamW(groups, lr=0.005)
for rows in torch.arange(4000).repeat(3).split(50):
    loss = F.cross_entropy(small(digits[rows]), labels[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with torch.no_grad():
    right = (small(digits[4000:]).argmax(1) == labels[4000:]).float().mean().item()
print("reads more than nine of ten validation digits:", right > 0.9)

# %% [markdown]
# The second is EfficientNet-Lite0: 4,652,008 parameters, trained by Google on ImageNet's 1.2
# million photographs, and made of lesson 06's inverted residuals. Its
# stages are `stem`, `block1` to `block16`, `head`, then a pool over the
# whole map and one dense layer, `fc`. It takes photographs of shape (1, 3, 224, 224) and returns
# 1,000 scores, one for each class of ImageNet.
#
# **Predict first:** it never saw these three photographs. Which words will it have for them?

# %%
net = pretrained.efficientnet_lite0()
names = pretrained.categories()
photos = {name: pretrained.photograph(name) for name in ("cat", "coffee", "rocket")}

# %% jupyter={"source_hidden": true}
captions = {}
for name, photo in photos.items():
    with torch.no_grad():
        best = net(photo)[0].softmax(0).topk(2)
    for p, k in zip(best.values, best.indices, strict=True):
        name += f"\n{names[k]} {100 * p:.0f} %"
    captions[name] = pretrained.picture(photo)
draw.pictures(
    captions,
    "A cat's face, a cup of coffee and a rocket on its pad, each with the network's two best guesses. "
    "For the cat the first is Egyptian cat, for the coffee espresso, for the rocket missile.",
)

# %% [markdown]
# It hesitates between kinds of cat, is sure of the espresso, and takes the rocket for a missile:
# ImageNet has no word for a space rocket on its pad, and a network can only say what it has words for.
#
# ## 2. Filters are small pictures
#
# A first layer's weights have shape $(C_{out}, C_{in}, h, w)$. Each of the $C_{out}$ filters has as
# many channels as the image, so it *is* a small image, and we may look at it: a filter answers
# most, among patches of one strength, to the one that looks like itself.
#
# Weights have a sign, pictures have not. So we scale **symmetrically**: zero becomes middle grey,
# 0.5, in every filter; what is brighter is positive, what is darker negative. Stretching each
# filter from its minimum to its maximum instead would paint zero in a different grey each time.

# %% [markdown]
# ### Exercise `filters_grid` (1 + 2 points)
#
# Return all filters of a convolution as one picture, tile by tile:
#
# - a filter with weights $w$ becomes $0.5 + 0.5\, w / \max|w|$, with the maximum over that *whole
#   filter*, all its channels; a filter of zeros becomes 0.5;
# - with 3 channels a tile is in colour, and the picture has shape (H, W, 3);
# - with 1 channel a tile is grey, and the picture has shape (H, W);
# - in both cases `columns` tiles per row, filter after filter, as one reads;
# - with *any other* number of channels, row $k$ holds the slices of filter $k$, one tile per
#   channel, in grey; `columns` plays no part;
# - between tiles a line of one pixel, 1.0, and so are places without a tile. No line around all.
#
# <details><summary>Hint 1: numbers that one may draw</summary>
#
# `w = layer.weight.detach().numpy()`, then `np.abs(w).max((1, 2, 3), keepdims=True)`. What if that is 0?
#
# </details>
# <details><summary>Hint 2: tiles</summary>
#
# A colour tile has its channels last: `w.transpose(0, 2, 3, 1)`. For many channels,
# `w.reshape(-1, h, w_)` lists all slices. How many stand in a row then?
#
# </details>
# <details><summary>Hint 3: places</summary>
#
# Start from ones. Where does tile `k` begin, if each takes `h + 1` rows with its line? Why is the picture
# one row smaller than all tiles with their lines?
#
# </details>

# %% nbgrader={"grade_id": "filters_grid", "solution": true}
def filters_grid(layer, columns=8):
    """All filters of a convolution as one picture: (H, W), or (H, W, 3) for 3 channels.

    layer    nn.Conv2d with weights (C_out, C_in, h, w), left unchanged
    columns  tiles per row, for filters of 1 or 3 channels; the last row may be short. With any
             other C_in row k holds the C_in slices of filter k

    Values 0 to 1: 0.5 + 0.5 * w / max|w|, the maximum over all of one filter; zeros become 0.5.
    Lines of one pixel between tiles, and places without a tile, are 1.
    """
    ### BEGIN SOLUTION
    w = layer.weight.detach().double().numpy()
    most = np.abs(w).max((1, 2, 3), keepdims=True)
    grey = 0.5 + 0.5 * w / np.where(most == 0, 1, most)
    _, channels, height, width = w.shape
    if channels == 3:
        tiles = grey.transpose(0, 2, 3, 1)
    else:
        tiles = grey.reshape(-1, height, width)
        columns = columns if channels == 1 else channels
    rows = -(-len(tiles) // columns)
    shape = rows * (height + 1) - 1, columns * (width + 1) - 1
    picture = np.ones((*shape, *tiles.shape[3:]))
    for k, tile in enumerate(tiles):
        top, left = k // columns * (height + 1), k % columns * (width + 1)
        picture[top : top + height, left : left + width] = tile
    return picture
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-filters_grid", "grade": true, "locked": true, "points": 1}
# Three grey filters of 2 x 2, columns=2: the second is the first times ten, the third all zeros.
three = nn.Conv2d(1, 3, 2)
strengths = torch.tensor([1.0, 10, 0]).reshape(3, 1, 1, 1)
three.weight.data = torch.tensor([[2.0, -2], [1, 0]]) * strengths
check.close(
    filters_grid(three, columns=2),
    [
        [1, 0, 1, 1, 0], [0.75, 0.5, 1, 0.75, 0.5], [1, 1, 1, 1, 1],
        [0.5, 0.5, 1, 1, 1], [0.5, 0.5, 1, 1, 1],
    ],
    "the picture of three filters, columns=2",
    "A weight of 0 is 0.5, each filter has its own maximum of |w|, lines and empty places are 1.",
)
check.shape(
    filters_grid(nn.Conv2d(3, 8, 3), 4), (7, 15, 3), "the picture of 8 colour filters, columns=4",
    "Channels come last, and lines stand between tiles only.",
)
check.shape(
    filters_grid(nn.Conv2d(10, 20, 5)), (119, 59), "the picture of 20 filters of 10 channels",
    "Filter k is row k: 20 rows and 10 columns of 5 x 5 tiles, 19 and 9 lines.",
)

# %% nbgrader={"grade_id": "hidden-filters_grid", "grade": true, "locked": true, "points": 2}
# Also: every value, colours, kernels that are not square, a short last row, depthwise layers, many
# channels, filters of very different strength, the layer left alone.
### BEGIN HIDDEN TESTS
def expected_grid(weight, columns):
    count, channels, height, width = weight.shape
    many = channels not in (1, 3)
    columns = channels if many else columns
    places = count if many else -(-count // columns)
    grid = np.ones((places * (height + 1) - 1, columns * (width + 1) - 1, 3))
    for k, c, i, j in np.ndindex(weight.shape):
        row, column = (k, c) if many else divmod(k, columns)
        value = 0.5 + weight[k, c, i, j] / max(np.abs(weight[k]).max(), 1e-30) / 2
        colours = c if channels == 3 else slice(None)
        grid[row * (height + 1) + i, column * (width + 1) + j, colours] = value
    return grid if channels == 3 else grid[..., 0]


numbers = torch.Generator().manual_seed(1)
for shape, groups, columns in (
    ((5, 3, 3, 2), 1, 3), ((7, 1, 2, 4), 1, 4), ((4, 2, 3, 3), 1, 3), ((3, 5, 1, 2), 1, 2),
    ((6, 1, 3, 3), 6, 8), ((4, 3, 2, 2), 1, 2), ((2, 3, 1, 1), 1, 8),
):
    conv = nn.Conv2d(shape[1] * groups, shape[0], shape[2:], groups=groups)
    strengths = 10.0 ** torch.arange(shape[0]).reshape(-1, 1, 1, 1)
    weight = torch.randn(shape, generator=numbers) * strengths
    weight[1] = 0
    conv.weight.data = weight.clone()
    check.close(
        filters_grid(conv, columns), expected_grid(weight.double().numpy(), columns),
        f"the picture of filters {shape}, columns={columns}",
        "Check the order of tiles, the channels, and that each filter has one scale, from all its channels.",
    )
    check.close(conv.weight, weight, "the weights afterwards", "Work on a copy.")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** one of the two pictures below is of ten filters that have learnt to read, the
# other of ten random ones. Which is which?

# %%
predict.keep("the picture of the trained filters", None, "A", "B", "no one can say")

# %% jupyter={"source_hidden": true}
draw.pictures(
    {
        "A, (10, 1, 5, 5)": filters_grid(small.conv1, columns=5),
        "B, (10, 1, 5, 5)": filters_grid(newborn.conv1, columns=5),
    },
    "Two grids of ten filters of 5 by 5 pixels. In A most have a light and a dark side, or a "
    "stripe, with a clear direction; in B light and dark pixels are mixed at random.",
)
predict.compare("the picture of the trained filters", "A")

# %% [markdown]
# A has learnt: its filters have a light side and a dark one, or a stripe, and so a direction. They
# are lesson 01's edge filters, and no one designed them. B is the same ten filters before training.
#
# **Predict first:** the ImageNet network's stem has 32 filters of $3 \times 3$ pixels, and photographs
# have colours. What kinds of filters would *you* put there?

# %% jupyter={"source_hidden": true}
stem = net.stem[0]
draw.pictures(
    {f"stem: {tuple(stem.weight.shape)}": filters_grid(stem)},
    "Thirty-two colour filters of 3 by 3 pixels. Some have a light and a dark side, others are "
    "patches of one colour: green, blue, violet, orange, against grey.",
)

# %% [markdown]
# Two families: *edges*, dark against light, and *colours*, such as orange against what is not
# orange. They turn up in nearly every network that is trained on photographs (Krizhevsky 2012 shows
# the same two).
#
# **Predict first:** one layer further, each of `conv2`'s 20 filters has ten channels. Will you read
# from a row of ten tiles what that filter looks for?

# %% jupyter={"source_hidden": true}
six = filters_grid(small.conv2)[:35]
draw.pictures(
    {f"conv2: {tuple(small.conv2.weight.shape)}, the first 6 of 20 filters, one per row": six},
    "Six rows of ten grey tiles of 5 by 5 pixels, the second layer's filters. No eye can read what "
    "a row responds to.",
)

# %% [markdown]
# The spell is broken. A filter of `conv2` looks at ten *maps*, not at an image, and what those maps
# mean you must know first. Deeper weights are better judged by their *responses*.
#
# ## 3. Maps on the way
#
# Slides 15 and 30 show what leaves a layer. In lesson 04 you took a network apart by hand to get at it.
# For a network of 16 blocks there is a better way: a **forward hook**, a function that torch calls
# each time a layer has run.
#
#     handle = layer.register_forward_hook(function)   # function(layer, inputs, output)
#     ...
#     handle.remove()
#
# A hook that is forgotten stays: it is called in every later run, holds on to memory, and no one
# knows why. So it is removed *whatever happens*, also when the network raises an error halfway. That is
# what `try: ... finally: ...` is for.

# %% [markdown]
# ### Exercise `feature_maps` (1 + 3 points)
#
# Send the image through the model in evaluation mode, and return what leaves `layer`, without the
# batch dimension: $(C', H', W')$. (`with evaluating(model):`, from the first cell, puts every part
# back into its own mode.)
#
# The maps are a *detached copy*. Detached, or each map would keep the whole calculation behind it
# alive. A copy, since some layers work **in place**, to save memory: `nn.ReLU(inplace=True)` overwrites
# the very tensor that the layer before it returned.
#
# <details><summary>Hint 1: a place to put it</summary>
#
# `kept = []`, and a hook `lambda layer, inputs, output: kept.append(...)`. It should return None:
# if a hook returns something, that *replaces* the layer's output.
#
# </details>
# <details><summary>Hint 2: the copy</summary>
#
# `output.detach().clone()`, made inside the hook. Why is afterwards too late?
#
# </details>
# <details><summary>Hint 3: the frame</summary>
#
# Register, `try:` run the model, `finally:` remove. In which two contexts should it run?
#
# </details>

# %% nbgrader={"grade_id": "feature_maps", "solution": true}
def feature_maps(model, layer, image):
    """What leaves `layer` when `model` sees `image`: a detached copy, tensor (C', H', W').

    model  nn.Module, run once, as far as the layer or to its end, in evaluation mode; it
           keeps its parameters and buffers, and each part is left in the mode in which it came
    layer  one of its modules, at any depth, which runs once
    image  tensor (1, C, H, W)

    No hook is left behind, even if the model raises an error, which goes through to the caller;
    hooks of others stay. Slides 15 and 30.
    """
    ### BEGIN SOLUTION
    kept = []
    hook = layer.register_forward_hook(
        lambda module, inputs, output: kept.append(output.detach().clone())
    )
    try:
        with evaluating(model), torch.no_grad():
            model(image)
    finally:
        hook.remove()
    return kept[-1][0]
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-feature_maps", "grade": true, "locked": true, "points": 1}
# A network that doubles the picture's sides, adds 1 to each pixel, and goes on; layer "1" adds.
plus = nn.Conv2d(1, 1, 1)
plus.weight.data[:], plus.bias.data[:] = 1, 1
steps = nn.Sequential(nn.Upsample(scale_factor=2), plus, nn.Flatten(), nn.Dropout(0.5))
one = torch.tensor([[1.0, 2, 3], [4, 5, 6]])[None, None]
result = check.inspected(feature_maps, steps, "1", one)
check.equal(result["raised"], "", "the error that feature_maps raised")
check.close(
    result["returned"], F.interpolate(one, scale_factor=2)[0] + 1, "the maps that leave layer 1",
    "What leaves the layer is wanted, not what enters it or what the model returns.",
)
check.that(
    not getattr(result["returned"], "requires_grad", False),
    "The maps still hang on the calculation behind them: detach them.",
)
check.equal(
    result["hooks"], 0, "the number of hooks afterwards", "Remove your hook, in a `finally:`."
)

# %% nbgrader={"grade_id": "hidden-feature_maps", "grade": true, "locked": true, "points": 3}
# Also: layers in place, layers inside layers, dropout and batch norm, the mode of every part, hooks
# when the model raises an error, hooks of others, the image left alone.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(2)
inner = nn.Sequential(nn.Conv2d(2, 3, (3, 2)), nn.BatchNorm2d(3), nn.ReLU(inplace=True))
deep = nn.Sequential(nn.Dropout(0.5), inner, nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(32, 4))
inner[1].running_mean += torch.tensor([0.5, -1, 2])
deep.double()
picture = torch.randn(1, 2, 8, 7, generator=numbers, dtype=torch.float64)
kept = picture.clone()
conv = F.conv2d(picture, inner[0].weight, inner[0].bias)
mean, spread = inner[1].running_mean, (inner[1].running_var + inner[1].eps) ** 0.5
norm = (conv - mean[:, None, None]) / spread[:, None, None]
last = F.conv2d(norm.relu(), deep[2].weight, deep[2].bias)
for mode in ("training", "evaluation", "mixed"):
    deep.train(mode != "evaluation")
    inner[1].train(mode == "training")
    before = {name: part.training for name, part in deep.named_modules()}
    for name, expected in (("1.0", conv), ("1.1", norm), ("1", norm.relu()), ("2", last)):
        result = check.inspected(feature_maps, deep, name, picture)
        check.equal(result["raised"], "", "the error that feature_maps raised")
        check.close(
            result["returned"], expected[0], f"the maps that leave layer {name}",
            "Is the model in evaluation mode? Does a layer that works in place change your maps?",
        )
        check.equal(
            result["training"], before, f"the mode of each part, for a model in {mode} mode",
            "Every part should be left in the mode in which it came.",
        )
        check.equal(result["hooks"], 0, "the number of hooks afterwards")
        for key, value in check.state(deep).items():
            check.close(result["state"][key], value, f"{key} afterwards", "Looking changes nothing.")
check.close(picture, kept, "the image afterwards", "Leave it as it is.")

for broken, where in ((picture[:, :1], "before"), (picture[..., :6], "behind")):
    result = check.inspected(feature_maps, deep, "1.0", broken)
    if where == "before":  # behind the layer, the run may have been ended on purpose
        check.equal(
            result["raised"], "RuntimeError", "the error that reached the caller where the model raised one",
            "What the model raises should go through feature_maps.",
        )
    check.equal(
        result["hooks"], 0, f"the number of hooks after the model raised an error {where} the layer",
        "Only a `finally:` removes it then.",
    )
    check.equal(
        result["training"], before, f"the mode of each part after an error {where} the layer",
        "Only a `finally:`, or `with evaluating(model):`, puts it back then.",
    )
result = check.inspected(feature_maps, deep, "1.0", picture[..., :6])
check.that(
    result["raised"] != "" or tuple(result["returned"].shape) == (3, 6, 5),
    "Behind the layer the model raised an error: pass it on, or return the maps.",
)
inner[0].register_forward_hook(lambda module, inputs, output: None)
result = check.inspected(feature_maps, deep, "1.0", picture)
check.equal(result["hooks"], 1, "the number of hooks where another one was before", "Leave it there.")
### END HIDDEN TESTS

# %% [markdown]
# Slide 15 shows a map before and after its ReLU. There negative is black and positive is white, so
# that zero is some grey which you must guess; we draw negative blue, zero white, positive red.
#
# **Predict first:** what does the right picture look like, judging by the middle one?

# %% jupyter={"source_hidden": true}
photo = photos["cat"]
signed = feature_maps(net, net.stem[1], photo)[14].numpy()
rectified = feature_maps(net, net.stem[2], photo)[14].numpy()
draw.filtered(
    pretrained.picture(photo).mean(2),
    {"channel 14, before": signed, "channel 14, after ReLU": rectified},
    "The cat in grey; one map of the stem, red in the eyes and on the nose and blue on most of the "
    "fur; and the same map after its ReLU, in which only the red is left.",
)

# %% [markdown]
# Everything blue is gone: where the filter found the opposite of what it looks for, it now says
# nothing. Eyes and nose are left. (This network's ReLUs are lesson 06's ReLU6.)
#
# Now the idea of slide 30: one digit on its way through all stages.
#
# **Predict first:** `fc1` follows 20 maps of $4 \times 4$. Could you read the digit from those?

# %%
digit = digits[4000:4001]
stages = {
    name: feature_maps(small, small.get_submodule(name), digit).numpy()
    for name in ("conv1", "pool1", "conv2", "pool2")
}
draw.feature_maps(digit[0, 0].numpy(), stages)

# %% [markdown]
# You could not, but `fc1` can: those 320 numbers say which strokes are there and roughly where.
#
# Below is the cat on its way through the ImageNet network: one channel of four layers, and a box where
# that channel responds most. The shapes show it: fewer and fewer places, more and more channels.
#
# **Predict first:** which of the four maps could you still recognise as this photograph?

# %%
cat = pretrained.picture(photo)
names_of_stages = ("stem", "block1", "block3", "block5", "block11", "head")
stages = {
    name: feature_maps(net, net.get_submodule(name), photo).numpy() for name in names_of_stages
}
explore.channels(cat, stages, [("stem", 7), ("block3", 8), ("block11", 7), ("head", 4)])

# %%
explore.LayerExplorer(cat, stages, layer="block11", channel=7)

# %% [markdown]
# Where the page is live, choose a layer and drag through its channels. (A block ends without a
# ReLU, so its maps have signs.) Early ones are versions of the photograph. Late ones are answers:
# *is there a …, and in which part?* Many channels of `head` are black, since a cat has no wheels
# and no keyboard.
#
# ## 4. Which pixels matter? Ask the gradient
#
# Maps show what a layer says, not whether the decision *used* it. An **attribution** gives each pixel its
# part in a score. The simplest asks: *if I changed this pixel a little, how much would the cat's score
# change?* That is a derivative, one for each pixel, and a single backward pass has them all: the
# **saliency** map (Simonyan 2014)
#
# $$M_{ij} = \max_c \left| \frac{\partial s_{label}}{\partial x_{c,i,j}} \right|$$
#
# The *absolute value*, since darker may matter as much as brighter; the *maximum over
# channels*, to get one number per pixel. And $s$ is the score *before* the softmax. Afterwards, a
# class's probability also rises when all other scores fall, and for a network that is sure its slope is
# nearly zero: $p(1 - p)$ is 0.0001 at $p = 0.9999$.

# %% [markdown]
# ### Exercise `saliency` (1 + 3 points)
#
# Return $M$, shape (H, W), in evaluation mode. Leave no traces: no gradients on the model's
# parameters, and the image as it came, `requires_grad` and all.
#
# <details><summary>Hint 1: an image with a gradient</summary>
#
# `x = image.detach().clone().requires_grad_()` is your own copy.
#
# </details>
# <details><summary>Hint 2: no traces</summary>
#
# `score.backward()` would fill `.grad` of *every* parameter. `torch.autograd.grad(score, x)`
# returns a tuple with the gradient of `x` alone.
#
# </details>
# <details><summary>Hint 3: to a picture</summary>
#
# The gradient has the image's shape, (1, C, H, W). Why must the absolute value come before the maximum?
#
# </details>

# %% nbgrader={"grade_id": "saliency", "solution": true}
def saliency(model, image, label):
    """How much the score of `label` depends on each pixel: tensor (H, W), at least 0.

    model  nn.Module, (1, C, H, W) to scores (1, classes), which are not softmaxed; used in
           evaluation mode, each part is left in the mode in which it came; no gradients are left
    image  tensor (1, C, H, W), left unchanged
    label  int, the class whose score is asked about: not always the best one

    The largest |d score / d pixel| over the channels. Source: Simonyan et al. 2014.
    """
    ### BEGIN SOLUTION
    x = image.detach().clone().requires_grad_()
    with evaluating(model):
        score = model(x)[0, label]
    (gradient,) = torch.autograd.grad(score, x)
    return gradient[0].abs().amax(0)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-saliency", "grade": true, "locked": true, "points": 1}
# A score that is a sum of weighted pixels: its gradient is the weights themselves.
line = nn.Sequential(nn.Flatten(), nn.Linear(8, 2))
line[1].weight.data = torch.tensor([[1.0, -2, 0, 3, -4, 1, 0, 2], [0, 0, 5, 0, 0, 0, 0, -6]])
for label, expected in ((0, [[4, 2], [0, 3]]), (1, [[0, 0], [5, 6]])):
    result = check.inspected(saliency, line, None, torch.ones(1, 2, 2, 2), label)
    check.equal(result["raised"], "", "the error that saliency raised")
    check.close(
        result["returned"], expected, f"the saliency of a linear model, label {label}",
        "Absolute values, then the maximum over channels; no softmax; the score of that label.",
    )
check.equal(
    result["gradients"], False, "whether gradients were left on the model",
    "torch.autograd.grad(score, x) asks for one gradient alone.",
)

# %% nbgrader={"grade_id": "hidden-saliency", "grade": true, "locked": true, "points": 3}
# Also: three channels, images that are not square, any label, networks that are not linear, dropout and
# batch norm, the model's modes and the image left alone.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(3)
picture = torch.randn(1, 3, 4, 5, generator=numbers, dtype=torch.float64)
kept = picture.clone()
line = nn.Sequential(nn.Flatten(), nn.Linear(60, 4)).double()
curved = nn.Sequential(
    nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4), nn.Tanh(), nn.Dropout(0.5), nn.Flatten(),
    nn.Linear(48, 3),
).double()
curved[1].running_mean += torch.tensor([0.3, -0.2, 0.1, 0.5])
for label in range(4):
    result = check.inspected(saliency, line, None, picture, label)
    check.equal(result["raised"], "", "the error that saliency raised")
    weights = line[1].weight[label].reshape(3, 4, 5)
    check.close(
        result["returned"], weights.abs().amax(0), f"the saliency of a linear model, label {label}",
        "It is max |weight| of that label's score. Softmax? Another label? A sum over channels?",
    )


def slopes(label):
    """max |d score / d pixel| by central differences."""
    calm = check.inspected(lambda m: m.eval() and m, curved, None)["returned"]
    slope = torch.zeros(60, dtype=torch.float64)
    for k in range(60):
        step = torch.zeros(60, dtype=torch.float64)
        step[k] = 1e-5
        step = step.reshape(picture.shape)
        with torch.no_grad():
            slope[k] = (calm(picture + step) - calm(picture - step))[0, label] / 2e-5
    return slope.reshape(3, 4, 5).abs().amax(0)


for mode in ("training", "mixed"):
    curved.train()
    curved[1].train(mode == "training")
    before = {name: part.training for name, part in curved.named_modules()}
    for label in (0, 2):
        result = check.inspected(saliency, curved, None, picture, label)
        check.close(
            result["returned"], slopes(label), f"the saliency of a curved network, label {label}",
            "Was the model in evaluation mode?", rtol=1e-4,
        )
        check.equal(result["training"], before, "the mode of each part afterwards", "As it came.")
        check.equal(result["gradients"], False, "whether gradients were left on the model")
        check.that(
            all(result["trainable"].values()), "Parameters that took gradients no longer do: why?"
        )
        for key, value in check.state(curved).items():
            check.close(result["state"][key], value, f"{key} afterwards", "Looking changes nothing.")
check.close(picture, kept, "the image afterwards", "Work on a copy.")
check.equal(picture.requires_grad, False, "image.requires_grad afterwards", "Work on a copy.")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** for each photograph and its best class, which region will be brightest? And
# will you see a cat, or only dots?

# %% jupyter={"source_hidden": true}
best = {"cat": "Egyptian cat", "coffee": "espresso", "rocket": "missile"}
draw.saliencies(
    {
        f"{name}: {word}": (
            pretrained.picture(photos[name]),
            saliency(net, photos[name], names.index(word)).numpy(),
        )
        for name, word in best.items()
    },
    "Cat, coffee and rocket, and below each a black picture with white dots where the score is "
    "sensitive. Over the cat they lie almost everywhere, a little denser on muzzle and chin. In the "
    "second they are densest inside of the cup and on the saucer beside its handle, in the third on "
    "the tip of the rocket, then on the tops of the masts.",
)

# %% [markdown]
# The espresso depends on the inside of the cup, the missile on the tip of the rocket. But for the cat the
# dots are nearly everywhere: single pixels matter little, and their derivatives jump about. Note what it is
# *not*: a map of how bright or important a thing looks. A pixel may be part of the cat and have a slope of
# zero.
#
# Is the softmax really a matter? Here is a digit of which the small network is very sure.
#
# **Predict first:** by what factor will the map be weaker with the softmax included?

# %%
predict.keep("factor by which the softmax weakens the map", None)

# %% jupyter={"source_hidden": true}
with torch.no_grad():
    certain = small(digits[4000:]).softmax(1).amax(1).argmax()
sure = digits[4000 + certain][None]
answer = int(labels[4000 + certain])
softened = nn.Sequential(small, nn.Softmax(1))
before, after = saliency(small, sure, answer), saliency(softened, sure, answer)
print("with the softmax over a hundred times weaker:", bool(after.max() < before.max() / 100))
predict.compare("factor by which the softmax weakens the map", "over a hundred")

# %% [markdown]
# The surer the network, the less it says about why: with a softmax, you measure its confidence, and not
# its reasons.
#
# ## 5. All the way: integrated gradients
#
# A slope answers for a *small* change only, and where a unit is saturated it is zero, however much that unit
# did. **Integrated gradients** (Sundararajan 2017) walks the whole way, from a **baseline** $b$, an image
# that says nothing, straight to the image $x$, and averages the slopes at $n$ points:
#
# $$a_i = (x_i - b_i)\; \frac1n \sum_{k=0}^{n-1} \frac{\partial s}{\partial x_i}\left(b + \frac{k + 1/2}{n}\,
# (x - b)\right)$$
#
# This keeps a promise that saliency does not make, **completeness**: all attributions together are
# $s(x) - s(b)$, the better the more points. They have a sign: for the class, or against it.
#
# By hand first: $s = 2x_0 - x_1$, $x = (3, 4)$, $b = (0, 0)$. **Predict first:** what are $a_0$ and $a_1$?
#
# <details><summary>The answer</summary>
#
# The slopes are 2 and -1 everywhere: $a = (6, -4)$, together $2 = s(x) - s(b)$.
#
# </details>

# %% [markdown]
# ### Exercise `integrated_gradients` (1 + 3 points)
#
# Return $a$, shape (C, H, W), in evaluation mode. As before: no gradients left, image and baseline as they
# came.
#
# <details><summary>Hint 1: a point on the way</summary>
#
# `baseline + (k + 0.5) / steps * (image - baseline)`, for `k` from 0 to `steps - 1`. All points may go
# through the model as one batch.
#
# </details>
# <details><summary>Hint 2: its slope</summary>
#
# As in `saliency`, but without absolute value and maximum. At what must the gradient be taken, at the point
# or at the image?
#
# </details>
# <details><summary>Hint 3: together</summary>
#
# A *mean* of slopes, times a difference. Why does the sum over all pixels then not depend on `steps`, if the
# score is linear?
#
# </details>

# %% nbgrader={"grade_id": "integrated_gradients", "solution": true}
def integrated_gradients(model, image, label, baseline, steps=32):
    """What each number of the image adds to the score of `label`: tensor (C, H, W), detached.

    model     nn.Module, (N, C, H, W) to scores (N, classes), which are not softmaxed; used in
              evaluation mode, each part is left in the mode in which it came; no gradients are left
    image     tensor (1, C, H, W), left unchanged
    label     int, the class whose score is asked about
    baseline  tensor (1, C, H, W), where the way begins, left unchanged
    steps     how many points of the way are used, in the middle of as many equal parts

    (image - baseline) times the mean of d score / d pixel at these points. Sundararajan et al. 2017.
    """
    ### BEGIN SOLUTION
    places = (torch.arange(steps, dtype=image.dtype) + 0.5) / steps
    points = baseline + places.reshape(-1, 1, 1, 1) * (image - baseline)
    points = points.detach().requires_grad_()
    with evaluating(model):
        scores = model(points)[:, label]
    (slopes,) = torch.autograd.grad(scores.sum(), points)
    return ((image - baseline)[0] * slopes.mean(0)).detach()
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-integrated_gradients", "grade": true, "locked": true, "points": 1}
# A score that is a sum of weighted pixels: an attribution is a weight times a difference.
line = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
line[1].weight.data = torch.tensor([[2.0, -1, 0, 3], [0, 5, -6, 1]])
picture, black = torch.tensor([[[[3.0, 4], [1, 2]]]]), torch.tensor([[[[0.0, 1], [0, 2]]]])
for label, expected in ((0, [[[6, -3], [0, 0]]]), (1, [[[0, 15], [-6, 0]]])):
    for steps in (1, 7):
        result = check.inspected(integrated_gradients, line, None, picture, label, black, steps)
        check.equal(result["raised"], "", "the error that integrated_gradients raised")
        check.close(
            result["returned"], expected,
            f"integrated_gradients of a linear model, label {label}, {steps} steps",
            "Weight times (pixel - baseline), with its sign; the mean of the slopes; no softmax.",
        )
check.equal(result["gradients"], False, "whether gradients were left on the model")

# %% nbgrader={"grade_id": "hidden-integrated_gradients", "grade": true, "locked": true, "points": 3}
# Also: three channels, images that are not square, networks that are not linear and where their slopes are
# taken, completeness, dropout and batch norm, the model's modes, image and baseline left alone.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(5)
curved = nn.Sequential(
    nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4), nn.Tanh(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(48, 3)
).double()
curved[1].running_mean += torch.tensor([0.3, -0.2, 0.1, 0.5])
for parameter in curved.parameters():
    parameter.data = torch.randn(parameter.shape, generator=numbers, dtype=torch.float64) / 2
picture = torch.randn(1, 3, 4, 5, generator=numbers, dtype=torch.float64)
start = torch.randn(1, 3, 4, 5, generator=numbers, dtype=torch.float64)
kept, kept_start = picture.clone(), start.clone()
mean, std = curved[1].running_mean, (curved[1].running_var + curved[1].eps) ** 0.5


def score(x, label):
    """Scores (N,) of images (N, 3, 4, 5), by the parameters of `curved` in evaluation mode."""
    x = F.conv2d(x, curved[0].weight, curved[0].bias) - mean[:, None, None]
    x = x / std[:, None, None] * curved[1].weight[:, None, None] + curved[1].bias[:, None, None]
    return F.linear(x.tanh().flatten(1), curved[5].weight, curved[5].bias)[:, label].detach()


def expected_attributions(label, steps):
    """The difference times mean slopes, by central differences at the midpoints."""
    slopes = torch.zeros(60, dtype=torch.float64)
    for k in range(steps):
        point = start + (k + 0.5) / steps * (picture - start)
        nudges = 1e-5 * torch.eye(60, dtype=torch.float64).reshape(60, 3, 4, 5)
        slopes += (score(point + nudges, label) - score(point - nudges, label)) / 2e-5 / steps
    return (picture - start)[0] * slopes.reshape(3, 4, 5)


for mode in ("training", "mixed"):
    curved.train()
    curved[1].train(mode == "training")
    before = {name: part.training for name, part in curved.named_modules()}
    for label, steps in ((0, 1), (2, 3), (1, 8)):
        result = check.inspected(integrated_gradients, curved, None, picture, label, start, steps)
        check.equal(result["raised"], "", "the error that integrated_gradients raised")
        check.close(
            result["returned"], expected_attributions(label, steps),
            f"integrated_gradients of a curved network, label {label}, {steps} steps",
            "Slopes at the middle of each part of the way? Times image - baseline? Evaluation mode?",
            rtol=1e-4,
        )
        check.equal(result["training"], before, "the mode of each part afterwards", "As it came.")
        check.equal(result["gradients"], False, "whether gradients were left on the model")
        check.that(
            all(result["trainable"].values()), "Parameters that took gradients no longer do: why?"
        )
        for key, value in check.state(curved).items():
            check.close(result["state"][key], value, f"{key} afterwards", "Looking changes nothing.")
result = check.inspected(integrated_gradients, curved, None, picture, 1, start, 200)
check.close(
    torch.as_tensor(result["returned"]).sum(), (score(picture, 1) - score(start, 1))[0],
    "the sum of all attributions with 200 steps", "Completeness: the difference of the scores.", 1e-2, 1e-2,
)
check.that(
    not getattr(result["returned"], "requires_grad", False), "The result is not detached from the model."
)
check.close(picture, kept, "the image afterwards", "Work on a copy.")
check.close(start, kept_start, "the baseline afterwards", "Work on a copy.")
check.equal(picture.requires_grad, False, "image.requires_grad afterwards", "Work on a copy.")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** a digit and its own class, from a baseline of blank paper. Where will attributions
# be zero? Will all of the ink speak *for* the class?

# %% jupyter={"source_hidden": true}
paper = torch.full_like(digit, digits.min().item())
truth = int(labels[4000])
signed = integrated_gradients(small, digit, truth, paper)
draw.filtered(
    digit[0, 0].numpy(),
    {"saliency": saliency(small, digit, truth).numpy(), "integrated gradients": signed[0].numpy()},
    "A seven; its saliency, a red cloud around its strokes and between them; and its integrated "
    "gradients, white beside the strokes and red on nearly all of them, strongest at the left end of "
    "the bar.",
)
with torch.no_grad():
    gained = (small(digit) - small(paper))[0, truth]
print("completeness, within 2 %:", bool((signed.sum() / gained - 1).abs() < 0.02))
print("zero on blank paper:", bool((signed[digit[0] == paper[0]] == 0).all()))

# %% [markdown]
# Where paper is blank, image and baseline are equal, and the attribution is zero by its formula: the digit's
# shape is in the picture *whatever* the network has learnt. Keep that in mind for section 7.
#
# ## 6. In which region? Grad-CAM
#
# Pixels are too small a unit, and a score too far from them. Half-way there is a better place to
# ask: the last maps before the pool, 1,280 of $7 \times 7$. Each says *what* by its channel and
# *where* by its place. **Grad-CAM** (Selvaraju 2017) adds them up, each weighted by how much the
# score wants it. With $A_k$ the maps and $s$ the score,
#
# $$\alpha_k = \frac{1}{H'W'} \sum_{i,j} \frac{\partial s}{\partial A_{k,i,j}}, \qquad
#   L = \mathrm{ReLU}\Big( \sum_k \alpha_k A_k \Big)$$
#
# A weight is the mean gradient over the map. The ReLU comes last, after the sum: regions
# that speak against the class are cut off, so what is left speaks *for* it.
#
# By hand first: two maps of one row, $A_0 = (1, 2)$ and $A_1 = (3, 0)$, and the score
# $s = 2 \cdot \mathrm{mean}(A_0) - \mathrm{mean}(A_1)$. **Predict first:** what is $L$?
#
# <details><summary>The answer</summary>
#
# Gradients are 1 at each place of $A_0$ and $-0.5$ at each of $A_1$. So $\alpha = (1, -0.5)$, the
# sum is $(1 - 1.5,\; 2 - 0) = (-0.5, 2)$, and $L = (0, 2)$.
#
# </details>

# %% [markdown]
# ### Exercise `grad_cam` (1 + 3 points)
#
# Return $L$ at the layer's own size, $(H', W')$, not stretched and not normalised: the figure may do
# that. Evaluation mode, score before the softmax, no gradients and no hooks left. The next layer may work
# in place: $A_k$ is what left *this* layer.
#
# <details><summary>Hint 1: maps that stay part of the calculation</summary>
#
# A forward hook catches the output, but this time *undetached*, and the model runs without `no_grad`. If
# the next layer overwrites that tensor, what is it that you have kept?
#
# </details>
# <details><summary>Hint 2: behind your back</summary>
#
# A hook may return something, and that takes the place of the layer's output. Keep the one, return its
# `clone()`: which of the two do later layers overwrite then?
#
# </details>
# <details><summary>Hint 3: the gradient of the score, at the maps</summary>
#
# `torch.autograd.grad(score, maps)` works for any tensor that the score was computed from. Then the mean
# over which dimensions, the sum over which?
#
# </details>

# %% nbgrader={"grade_id": "grad_cam", "solution": true}
def grad_cam(model, layer, image, label):
    """Where `layer` sees what speaks for `label`: tensor (H', W'), at least 0, detached.

    model  nn.Module, (1, C, H, W) to scores (1, classes), which are not softmaxed; used in
           evaluation mode, each part is left in the mode in which it came; no gradients are left
    layer  one of its modules, whose output is maps (1, C', H', W'); the next one may work in place
    image  tensor (1, C, H, W), left unchanged
    label  int, the class that is asked about

    ReLU of the sum of the maps, each weighted by the mean over it of d score / d map. Not scaled.
    No hook is left behind, even if the model raises an error. Source: Selvaraju et al. 2017.
    """
    ### BEGIN SOLUTION
    kept = []

    def keep(module, inputs, output):
        kept.append(output)
        return output.clone()  # later layers may overwrite this one

    hook = layer.register_forward_hook(keep)
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    (gradient,) = torch.autograd.grad(score, kept[-1])
    weights = gradient.mean((2, 3), keepdim=True)
    return (weights * kept[-1]).sum(1)[0].relu().detach()
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-grad_cam", "grade": true, "locked": true, "points": 1}
# The two maps from above: the layer passes them on, a pool and a dense layer make two scores.
passing = nn.Conv2d(2, 2, 1, bias=False)
passing.weight.data = torch.eye(2)[..., None, None]
pair = nn.Sequential(passing, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2, bias=False))
pair[3].weight.data = torch.tensor([[2.0, -1], [0, 3]])
maps = torch.tensor([[[[1.0, 2]], [[3.0, 0]]]])
for label, expected in ((0, [[0, 2]]), (1, [[4.5, 0]])):
    result = check.inspected(grad_cam, pair, "0", maps, label)
    check.equal(result["raised"], "", "the error that grad_cam raised")
    check.close(
        result["returned"], expected, f"grad_cam for the maps (1, 2) and (3, 0), label {label}",
        "Weights are mean gradients of the score before the softmax; the ReLU comes after the sum.",
    )
check.equal(result["hooks"], 0, "the number of hooks afterwards")
check.equal(result["gradients"], False, "whether gradients were left on the model")

# %% nbgrader={"grade_id": "hidden-grad_cam", "grade": true, "locked": true, "points": 3}
# Also: gradients that differ from place to place, maps of any sign and size, any label, dropout and
# batch norm, modes, hooks when the model raises an error, a class that nothing speaks for, and a layer
# in place behind the maps.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(4)
front = nn.Sequential(nn.Conv2d(2, 4, 2), nn.BatchNorm2d(4))
back = nn.Sequential(nn.Dropout(0.5), nn.Conv2d(4, 3, 2), nn.Tanh(), nn.Flatten(), nn.Linear(18, 3))
whole = nn.Sequential(front, back).double()
front[1].running_mean += torch.tensor([0.5, -0.4, 0.2, -0.1])
for parameter in whole.parameters():
    parameter.data = torch.randn(parameter.shape, generator=numbers, dtype=torch.float64)
picture = torch.randn(1, 2, 5, 4, generator=numbers, dtype=torch.float64)
kept = picture.clone()
mean, spread = front[1].running_mean, (front[1].running_var + front[1].eps) ** 0.5
maps = F.conv2d(picture, front[0].weight, front[0].bias) - mean[:, None, None]
maps = maps / spread[:, None, None] * front[1].weight[:, None, None]
maps = (maps + front[1].bias[:, None, None]).detach()


def score(maps, label):
    x = F.conv2d(maps, back[1].weight, back[1].bias).tanh().flatten(1)
    return (x @ back[4].weight.T + back[4].bias)[0, label].item()


def expected_cam(label):
    """A map moved as a whole moves the score by H' W' times its mean gradient."""
    total = torch.zeros(4, 3, dtype=torch.float64)
    for k in range(4):
        step = torch.zeros(1, 4, 1, 1, dtype=torch.float64)
        step[0, k] = 1e-5
        slope = (score(maps + step, label) - score(maps - step, label)) / 2e-5
        total += slope / 12 * maps[0, k]
    return total.clamp(min=0)


for mode in ("training", "mixed"):
    whole.train()
    front[1].train(mode == "training")
    before = {name: part.training for name, part in whole.named_modules()}
    for label in range(3):
        result = check.inspected(grad_cam, whole, "0", picture, label)
        check.equal(result["raised"], "", "the error that grad_cam raised")
        check.close(
            result["returned"], expected_cam(label), f"grad_cam of a curved network, label {label}",
            "Check the mean over each map, the label, the ReLU at the end, and evaluation mode.",
            rtol=1e-4,
        )
        check.equal(result["training"], before, "the mode of each part afterwards", "As it came.")
        check.equal(result["hooks"], 0, "the number of hooks afterwards")
        check.equal(result["gradients"], False, "whether gradients were left on the model")
        for key, value in check.state(whole).items():
            check.close(result["state"][key], value, f"{key} afterwards", "Looking changes nothing.")
check.that(
    not getattr(result["returned"], "requires_grad", False), "The result is not detached from the model."
)
check.close(picture, kept, "the image afterwards", "Leave it as it is.")

# The same maps, with a ReLU in place behind them. A shift of the maps reaches the score through it.
whole.eval()
overwriting = nn.Sequential(front, nn.ReLU(inplace=True), *back).double()
slopes = torch.zeros(maps.shape, dtype=torch.float64)
for k in np.ndindex(maps.shape):
    step = torch.zeros(maps.shape, dtype=torch.float64)
    step[k] = 1e-6
    slopes[k] = (score((maps + step).relu(), 1) - score((maps - step).relu(), 1)) / 2e-6
cam = (slopes.mean((2, 3), keepdim=True) * maps).sum(1)[0].clamp(min=0)
result = check.inspected(grad_cam, overwriting, "0", picture, 1)
check.equal(result["raised"], "", "the error that grad_cam raised before a layer in place")
check.close(
    result["returned"], cam, "grad_cam of maps that the next layer overwrites",
    "Maps and gradients are those of what left the layer: keep it, and let later layers have a copy.",
    rtol=1e-4,
)

result = check.inspected(grad_cam, whole, "0", picture[..., :3], 0)
check.equal(
    result["raised"], "RuntimeError", "the error that reached the caller where the model raised one",
    "What the model raises should go through grad_cam.",
)
check.equal(result["hooks"], 0, "the number of hooks after the model raised an error")

against = nn.Sequential(
    nn.Conv2d(1, 2, 1, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    nn.Linear(2, 2, bias=False),
)
against[0].weight.data[:], against[3].weight.data[:] = 1, -1
check.close(
    check.inspected(grad_cam, against, "0", torch.ones(1, 1, 2, 3), 1)["returned"],
    np.zeros((2, 3)), "grad_cam for a class that nothing speaks for", "Dark, and not divided by 0.",
)
### END HIDDEN TESTS

# %% [markdown]
# Now the question from the beginning. Half a cat and half a cup, side by side in one picture:
#
# **Predict first:** for each of three classes, where will the network point? (*cup* is a class of its
# own, besides *espresso*.)

# %% jupyter={"source_hidden": true}
both = torch.cat([photos["cat"][..., 80:192], photos["coffee"][..., 40:152]], 3)
heats = {
    word: grad_cam(net, net.head, both, names.index(word))
    for word in ("Egyptian cat", "espresso", "cup")
}
draw.heat(
    pretrained.picture(both),
    {word: heat.numpy() for word, heat in heats.items()},
    "Half a cat's face on the left, half a cup of coffee on the right. For Egyptian cat the heat "
    "lies on the face, for espresso on the upper half of the cup, where the coffee is, for cup on "
    "the same place, weaker, and a little on the cat.",
)
for word, heat in heats.items():
    left, right = heat[:, :3].sum(), heat[:, 4:].sum()
    print(f"{word}: more heat on the {'left' if left > right else 'right'}")

# %% [markdown]
# One picture, one network, and three different answers to *where*. No label ever said where anything
# was: ImageNet's say only *what* is in a picture. Place survives all 16
# blocks because convolution and pooling keep neighbours together, and is lost only in the last pool.
#
# That pool makes for a pretty shortcut. Behind `head` come only a mean and a linear layer, so
# $\partial s / \partial A_k$ is the same at every place: `fc.weight[label, k] / 49`. So Grad-CAM is
# here the older CAM (Zhou 2016), which needs no gradient. Check it with your own functions:

# %%
k = names.index("espresso")
last = feature_maps(net, net.head, both)
with torch.no_grad():
    cam = (net.fc.weight[k][:, None, None] / 49 * last).sum(0).relu()
print("CAM and Grad-CAM agree:", torch.allclose(cam, heats["espresso"], atol=1e-4))

# %% [markdown]
# **Predict first:** the same question, *where is the cat?*, put to earlier layers. Will the heat be
# finer, and will it be better?

# %% jupyter={"source_hidden": true}
draw.heat(
    cat,
    {
        name: grad_cam(net, net.get_submodule(name), photo, names.index("Egyptian cat")).numpy()
        for name in ("block3", "block5", "block11", "head")
    },
    "Grad-CAM of the cat for four layers. At block 3 specks all over, at block 5 larger specks, at "
    "block 11 both eyes and the nose, at the head one broad patch over the whole face.",
)

# %% [markdown]
# Finer, yes. But early maps know edges and colours, not cats, and so the heat falls into specks.
# `block11` finds eyes and nose; `head` knows the class best and the place worst. *What* against
# *where*: a network trades one for the other, and lesson 09 wants both back.
#
# ## 7. Do not believe a picture: test it
#
# A heat map looks convincing even when it is wrong. It is a claim, *the decision depends on this
# region*, and a claim can be tested. First by **occlusion**: cover the region with grey, and look at the
# score.
#
# **Predict first:** the network gives espresso about 10 % in this picture. What happens to it if the
# coldest square is covered, and what if the hottest is?

# %%
choices = "both fall", "cold: rises, hot: falls", "cold: the same, hot: falls"
predict.keep("espresso with the coldest, the hottest square covered", None, *choices)

# %% jupyter={"source_hidden": true}
def cover(batch, heat, place):
    """`batch` with a grey square of 96 x 96 pixels where the heat (7, 7) is most or least."""
    sums = F.avg_pool2d(heat[None], 3, 1)[0]
    row, column = divmod(int(sums.argmax() if place == "most" else sums.argmin()), 5)
    covered = batch.clone()
    covered[..., 32 * row : 32 * row + 96, 32 * column : 32 * column + 96] = 0
    return covered


heat = heats["espresso"]
tries = {"as it is": both} | {f"{p} heat covered": cover(both, heat, p) for p in ("least", "most")}
with torch.no_grad():
    chances = {name: net(batch).softmax(1)[0, k].item() for name, batch in tries.items()}
draw.pictures(
    {f"{name}\nespresso {100 * chances[name]:.0f} %": pretrained.picture(batch)
     for name, batch in tries.items()},
    "Cat and cup three times: as they are, with a grey square on the coldest place, on the cat, "
    "and with one on the hottest, the coffee. The first cover makes espresso likelier, the second "
    "makes it all but impossible.",
)
print("covering the cat helps the espresso:", chances["least heat covered"] > chances["as it is"])
print(
    "covering the coffee leaves under a fifth:",
    chances["most heat covered"] < 0.2 * chances["as it is"],
)
predict.compare("espresso with the coldest, the hottest square covered", choices[1])

# %% [markdown]
# This claim holds. A second test asks the instrument: does its picture depend on what the network has
# learnt at all? Shuffle the weights, so that all knowledge is gone, and draw it again. If the picture stays,
# it cannot have explained a decision. This is the **sanity check** of Adebayo (2018).
#
# ### Exercise `sanity_check` (1 + 2 points)
#
# Return how alike the attributions of a model and of its shuffled copy are: Pearson's correlation of their
# *absolute values*,
#
# $$r = \frac{\sum (u_i - \bar u)(v_i - \bar v)}
# {\sqrt{\sum (u_i - \bar u)^2 \, \sum (v_i - \bar v)^2}}$$
#
# In the copy, the numbers of each parameter (each weight tensor, each bias) stand in a random order. The
# model itself stays as it is.
#
# <details><summary>Hint 1: a copy</summary>
#
# `copy.deepcopy(model)`. Why not change the model, and put it back afterwards?
#
# </details>
# <details><summary>Hint 2: a random order</summary>
#
# `torch.randperm(n, generator=torch.Generator().manual_seed(seed))` orders a *flattened* parameter. Write
# into it under `torch.no_grad()`.
#
# </details>
# <details><summary>Hint 3: nothing to compare</summary>
#
# What is $r$ if one of the two is the same number everywhere, and what should be returned instead?
#
# </details>

# %% nbgrader={"grade_id": "sanity_check", "solution": true}
def sanity_check(attribute, model, image, label, seed):
    """How alike an attribution is with and without what the model has learnt: a float, -1 to 1.

    attribute  a function: attribute(model, image, label) gives a tensor of any shape
    model      nn.Module, left unchanged
    seed       decides the order in which the numbers of each parameter stand in the copy

    Pearson's correlation between the absolute attributions by the model and by a copy of it in
    which the numbers of each parameter are shuffled; 0 if one of them is the same everywhere.
    Source: Adebayo et al. 2018.
    """
    ### BEGIN SOLUTION
    shuffled, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in shuffled.parameters():
            order = torch.randperm(parameter.numel(), generator=generator)
            parameter.copy_(parameter.flatten()[order].reshape(parameter.shape))
    maps = [attribute(m, image, label).abs().double().flatten() for m in (model, shuffled)]
    u, v = (values - values.mean() for values in maps)
    size = (u.square().sum() * v.square().sum()).sqrt()
    return (u @ v / size).item() if size > 0 else 0.0
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-sanity_check", "grade": true, "locked": true, "points": 1}
def image_itself(model, image, label):
    return image[0]


def first_weights(model, image, label):
    return torch.tensor(check.state(model)["1.weight"][label])


check.seed(70)
some = nn.Sequential(nn.Flatten(), nn.Linear(400, 3))
picture = torch.rand(1, 1, 20, 20)
check.close(
    sanity_check(image_itself, some, picture, 0, 1), 1.0,
    "the similarity of an attribution that does not look at the model", "Is it the correlation?",
)
similarity = sanity_check(first_weights, some, picture, 2, 1)
check.that(
    abs(similarity) < 0.3,
    f"The weights themselves have a similarity of {similarity:.2f} before and after, about 0 was expected: "
    "are they shuffled in the copy, and only there?",
)

# %% nbgrader={"grade_id": "hidden-sanity_check", "grade": true, "locked": true, "points": 2}
# Also: the correlation of prepared attributions, the copy's parameters, the seed, the model left alone, an
# attribution that is the same everywhere.
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(71)
some = nn.Sequential(nn.Conv2d(2, 12, 3), nn.BatchNorm2d(12), nn.Flatten(), nn.Linear(108, 9)).eval()
some[1].weight.data, some[1].bias.data = torch.rand(12), torch.rand(12)
picture = torch.rand(1, 2, 5, 5)
before, calls = check.state(some), []


def prepared(*maps):
    """An attribution that returns `maps`, one per call, and records what it was called with."""
    waiting = list(maps)

    def attribute(model, image, label):
        calls.append((check.state(model), image, label))
        return waiting.pop(0)

    return attribute


for shape in ((6, 7), (3, 4, 5), (50,)):
    one, other = rng.normal(size=(2, *shape))
    expected = np.corrcoef(np.abs(one).ravel(), np.abs(other).ravel())[0, 1]
    pair = torch.tensor(one), torch.tensor(other)
    check.close(
        sanity_check(prepared(*pair), some, picture, 3, 5), expected,
        "the similarity of two random attributions", "Pearson's r of absolute values, means subtracted.",
    )
    torch.rand(1)  # moves the global generators on
    check.close(
        sanity_check(prepared(pair[0], -2 * pair[0]), some, picture, 3, 5), 1.0,
        "the similarity of an attribution and -2 times it", "Absolute values: signs do not matter.",
    )
still = torch.full((4, 4), 2.0)
check.close(
    sanity_check(prepared(still, torch.rand(4, 4)), some, picture, 3, 5), 0.0,
    "the similarity where one attribution is the same everywhere", "Not nan: nothing is alike.",
)
check.equal(len(calls), 14, "the calls of attribute in seven sanity checks")
for key, value in check.state(some).items():
    check.close(value, before[key], f"{key} of the model afterwards", "Shuffle a copy.")
states = [state for state, _, _ in calls]
for _, image, label in calls:
    check.close(image, picture, "the image of a call of attribute", "The image that came in.")
    check.equal(label, 3, "the label of a call of attribute")
moved = [state for state in states if any((state[key] != before[key]).any() for key in before)]
check.equal(len(moved), 7, "how many of 14 calls of attribute got changed weights", "Each time one of two.")
for key in before:
    name = "buffer" if "running" in key or "num" in key else "parameter"
    check.close(
        np.sort(moved[0][key], axis=None), np.sort(before[key], axis=None),
        f"the numbers of the {name} {key} of the copy, sorted", "The same numbers in another order.",
    )
    if before[key].size > 5 and name == "parameter":
        check.that(
            (moved[0][key] != before[key]).mean() > 0.5,
            f"{key} of the copy stands in the old order: shuffle every parameter.",
        )
    if before[key].ndim > 1:
        rows = {tuple(np.sort(row, axis=None)) for row in before[key]}
        check.that(
            not any(tuple(np.sort(row, axis=None)) in rows for row in moved[0][key]),
            f"Whole filters of {key} changed places in the copy: shuffle its single numbers.",
        )
check.close(moved[1]["3.weight"], moved[0]["3.weight"], "the copy's weights for the same seed")
sanity_check(prepared(still, still), some, picture, 3, 6)
changed = [state for state, _, _ in calls[14:] if (state["3.weight"] != before["3.weight"]).any()]
check.that(
    changed and (changed[0]["3.weight"] != moved[0]["3.weight"]).any(), "Two seeds gave the same order."
)
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** saliency, integrated gradients, Grad-CAM of `conv2`, on ten digits. Which stays most
# alike when the weights are shuffled?

# %%
methods = {
    "saliency": saliency,
    "integrated gradients": lambda m, x, label: integrated_gradients(m, x, label, paper),
    "Grad-CAM": lambda m, x, label: grad_cam(m, m.conv2, x, label),
}
predict.keep("most alike with shuffled weights", None, *methods)

# %% jupyter={"source_hidden": true}
alike = {}
for name, method in methods.items():
    alike[name] = np.mean([
        sanity_check(method, small, digits[k : k + 1], int(labels[k]), seed)
        for k in range(4000, 4010) for seed in (0, 1)
    ])
shuffled = copy.deepcopy(small)
with torch.no_grad():
    for parameter in shuffled.parameters():
        parameter.copy_(parameter.flatten()[torch.randperm(parameter.numel())].reshape(parameter.shape))
rows = {"the digit": digit[0, 0].numpy()}
for name, method in methods.items():
    for weights, model in (("trained", small), ("shuffled", shuffled)):
        values = method(model, digit, truth).abs().squeeze().numpy()
        rows["\n".join([*name.split(), weights])] = values / max(values.max(), 1e-9)
rows["the digit"] = (rows["the digit"] - rows["the digit"].min()) / np.ptp(rows["the digit"])
draw.pictures(
    rows,
    "A seven, and three attributions of it, each by the trained network and by one with shuffled "
    "weights. Saliency: a cloud along the bar, then dots over the whole middle. Integrated gradients: "
    "a seven both times. Grad-CAM: blocks left of the bar and in a corner, then blocks all over.",
)
print("integrated gradients over 0.45:", alike["integrated gradients"] > 0.45)
print("saliency between 0.15 and 0.45:", 0.15 < alike["saliency"] < 0.45)
print("Grad-CAM within 0.3 of 0:", abs(alike["Grad-CAM"]) < 0.3)
predict.compare("most alike with shuffled weights", max(alike, key=alike.get))

# %% [markdown]
# Integrated gradients keep the digit's outline whatever the weights are, since they are multiplied by the
# image; it is in their *differences* between two networks, and in signs, that they say something. Grad-CAM
# changes altogether. None of this makes one right and another wrong. It says what a picture can be evidence
# for.
#
# ### Exercise `own_code` (1 point)
#
# Two questions about *your* functions. How often does your `integrated_gradients` call the model for
# `steps=20`? And which shape has your `filters_grid(nn.Conv2d(1, 10, (5, 3)), columns=4)`?
#
# <details><summary>Hint: calls</summary>
#
# Once per point, or once for all of them? Why may a batch of points go through together, although the scores
# are added up?
#
# </details>

# %% nbgrader={"grade_id": "own_code", "solution": true} needs=["integrated_gradients", "filters_grid"]
def own_code():
    """Answers about your functions: {"calls": a whole number, "shape": two numbers}."""
    ### BEGIN SOLUTION
    calls, model = [], nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    model.register_forward_hook(lambda *_: calls.append(1))
    integrated_gradients(model, torch.rand(1, 1, 2, 2), 0, torch.zeros(1, 1, 2, 2), 20)
    picture = filters_grid(nn.Conv2d(1, 10, (5, 3)), columns=4)
    return {"calls": len(calls), "shape": tuple(picture.shape)}
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-own_code", "grade": true, "locked": true, "points": 1}
# Compared with your own functions, while they run.
### BEGIN HIDDEN TESTS
replies = own_code()
check.equal(sorted(replies), ["calls", "shape"], "the keys of own_code(), sorted")
model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
picture, black = torch.rand(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
calls = check.operations(integrated_gradients, model, picture, 0, black, 20).count("linear")
check.that(
    replies["calls"] == calls,
    f"Your integrated_gradients does not call the model {replies['calls']} times for 20 steps.",
)
shape = tuple(filters_grid(nn.Conv2d(1, 10, (5, 3)), columns=4).shape)
check.that(
    tuple(replies["shape"]) == shape, f"Your filters_grid does not return a picture of {replies['shape']}."
)
### END HIDDEN TESTS

# %% [markdown]
# ## Remember
#
# > - First-layer filters are pictures: edges and colours. Deeper ones are not; look at their maps.
# > - A hook is removed in a `finally:`. Copy what it catches: layers may work in place.
# > - Saliency: the largest |gradient| over the channels, of the score *before* the softmax.
# > - Integrated gradients: the mean slope on the way from a baseline, times the difference; together they
# >   are the difference of the scores.
# > - Grad-CAM: mean gradients weight the maps, the ReLU comes after the sum.
# > - Evaluation mode, the label that was asked about, and no traces left behind.
# > - Early layers know where, late ones know what.
# > - A heat map is a claim: cover the place, shuffle the weights, and see.
#
# And your predictions, those that you kept:

# %%
predict.table()

# %% [markdown]
# ## Further, without points
#
# - ★ Average the saliency over 20 copies of the cat with a little noise added (SmoothGrad). Does
#   it become a cat?
# - ★ Integrated gradients of the cat from black, white and grey baselines. What changes, and is it complete
#   with 32 steps?
# - ★ Slide a grey square over the whole picture and draw the score at each place. Compare with
#   Grad-CAM, and count the forward passes.
# - ★★ Shuffle the ImageNet network from `fc` downwards, layer by layer. When do your pictures of the cat
#   break down?
# - ★★ Start from noise and *climb* the gradient of one class's score, step by step. What does the
#   network dream of?
