# %% [markdown]
# # 07 Looking inside
#
# A trained net is millions of numbers, and all of them are in front of you: nothing about it is
# secret, it is only hard to read. Today you build four instruments to read it with, try them on a
# net that knows a thousand kinds of things, and ask it to point: *where do you see the cat?*
#
# **You will be able to**
#
# - show a layer's filters as one picture, and say when that stops helping;
# - take the maps out of any layer with a hook, and leave no hook behind;
# - compute which pixels a score hangs on, by one backward pass;
# - build Grad-CAM, which says in which region a net sees a class;
# - test such a picture before you believe it.
#
# **Time** about two hours. **Slides** 15, 28 and 30. **Points** 15. **You need** lesson 04's LeNet
# and, for the gradients, a rough idea of what `backward` does.
#
# Images are batches of **one** today: shape (1, C, H, W).

# %% nbgrader={"grade_id": "setup", "locked": true}
from collections import OrderedDict
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course import check, data, draw, explore, pretrained

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
    """Slide 29's net with random weights, its layers by name: (N, 1, 28, 28) to (N, 10)."""
    convs = [("conv1", nn.Conv2d(1, 10, 5)), ("relu1", nn.ReLU()), ("pool1", nn.MaxPool2d(2))]
    convs += [("conv2", nn.Conv2d(10, 20, 5)), ("relu2", nn.ReLU()), ("pool2", nn.MaxPool2d(2))]
    dense = [("flat", nn.Flatten()), ("fc1", nn.Linear(320, 100)), ("relu3", nn.ReLU())]
    return nn.Sequential(OrderedDict([*convs, *dense, ("fc2", nn.Linear(100, 10))]))

# %% [markdown]
# ## 1. Two nets to look into
#
# The first is an old friend: slide 29's net for digits, 38,390 parameters. A few seconds of
# training are enough. Strong weight decay on the first layer wipes out what its filters do not
# need, which makes them easier to look at. (A kind correction: slide 28 calls it LeNet-5. LeCun's
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
print("reads more than nine of ten unseen digits:", right > 0.9)

# %% [markdown]
# The second is **EfficientNet-Lite0**: 4,652,008 parameters, trained by Google on ImageNet's 1.2
# million photographs. Its stages are `stem`, `block1` to `block16`, `head`, then a pool over the
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
    "A cat's face, a cup of coffee and a rocket on its pad, each with the net's two best guesses. "
    "For the cat the first is Egyptian cat, for the coffee espresso, for the rocket missile.",
)

# %% [markdown]
# It hesitates between kinds of cat, is sure of the espresso, and takes the rocket for a missile:
# ImageNet has no word for a space rocket on its pad, and a net can only say what it has words for.
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
# - a filter with weights $w$ becomes $0.5 + 0.5\, w / \max|w|$, with the maximum over that **whole
#   filter**, all its channels; a filter of zeros becomes 0.5;
# - with **3** channels a tile is in colour, and the picture has shape (H, W, 3);
# - with **1** channel a tile is grey, and the picture has shape (H, W);
# - in both cases `columns` tiles a row, filter after filter, as one reads;
# - with **any other** number of channels, row $k$ holds the slices of filter $k$, one tile a
#   channel, in grey; `columns` plays no part;
# - between tiles a line of one pixel, 1.0, and so are places without a tile. No line around all.
#
# <details><summary>Hint 1: numbers that one may draw</summary>
#
# `w = layer.weight.detach().numpy()`, then `np.abs(w).max((1, 2, 3), keepdims=True)`. Where that
# is 0, put 1.
#
# </details>
# <details><summary>Hint 2: tiles</summary>
#
# A colour tile has its channels last: `w.transpose(0, 2, 3, 1)`. For many channels,
# `w.reshape(-1, h, w_)` lists all slices, and `columns` becomes $C_{in}$.
#
# </details>
# <details><summary>Hint 3: places</summary>
#
# Start from `np.ones((rows * (h + 1) - 1, columns * (w_ + 1) - 1))`. Tile `k` begins at row
# `k // columns * (h + 1)` and column `k % columns * (w_ + 1)`.
#
# </details>

# %% nbgrader={"grade_id": "filters_grid", "solution": true}
def filters_grid(layer, columns=8):
    """All filters of a convolution as one picture: (H, W), or (H, W, 3) for 3 channels.

    layer    nn.Conv2d with weights (C_out, C_in, h, w), left unchanged
    columns  tiles a row, for filters of 1 or 3 channels; the last row may be short. With any
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
# Three grey filters of 2 x 2, two a row: the second is the first times ten, the third all zeros.
three = nn.Conv2d(1, 3, 2)
strengths = torch.tensor([1.0, 10, 0]).reshape(3, 1, 1, 1)
three.weight.data = torch.tensor([[2.0, -2], [1, 0]]) * strengths
check.close(
    filters_grid(three, columns=2),
    [
        [1, 0, 1, 1, 0], [0.75, 0.5, 1, 0.75, 0.5], [1, 1, 1, 1, 1],
        [0.5, 0.5, 1, 1, 1], [0.5, 0.5, 1, 1, 1],
    ],
    "the picture of three filters, two a row",
    "A weight of 0 is 0.5, each filter has its own maximum of |w|, lines and empty places are 1.",
)
check.shape(
    filters_grid(nn.Conv2d(3, 8, 3), 4), (7, 15, 3), "the picture of 8 colour filters, 4 a row",
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
        "Check the order of tiles, the channels, and that each filter has one scale of its own.",
    )
    check.close(conv.weight, weight, "the weights afterwards", "Work on a copy.")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** one of the two pictures below is of ten filters that have learnt to read, the
# other of ten random ones. Will you be able to tell which?

# %% jupyter={"source_hidden": true}
draw.pictures(
    {
        "A, (10, 1, 5, 5)": filters_grid(small.conv1, columns=5),
        "B, (10, 1, 5, 5)": filters_grid(newborn.conv1, columns=5),
    },
    "Two grids of ten filters of 5 by 5 pixels. In A most have a light and a dark side, or a "
    "stripe, with a clear direction; in B light and dark pixels are mixed at random.",
)

# %% [markdown]
# A has learnt: its filters have a light side and a dark one, or a stripe, and so a direction. They
# are lesson 01's edge filters, and nobody designed them. B is the same ten filters before training.
#
# **Predict first:** the ImageNet net's stem has 32 filters of $3 \times 3$ pixels, and photographs
# have colours. What kinds of filters would *you* put there?

# %% jupyter={"source_hidden": true}
draw.pictures(
    {f"stem: {tuple(net.stem[0].weight.shape)}": filters_grid(net.stem[0])},
    "Thirty-two colour filters of 3 by 3 pixels. Some have a light and a dark side, others are "
    "patches of one colour: green, blue, violet, orange, against grey.",
)

# %% [markdown]
# Two families: **edges**, dark against light, and **colours**, such as orange against what is not
# orange. They turn up in nearly every net that is trained on photographs (Krizhevsky 2012 shows
# the same two).
#
# **Predict first:** one layer further, each of `conv2`'s 20 filters has ten channels. Will you read
# from a row of ten tiles what that filter looks for?

# %% jupyter={"source_hidden": true}
six = filters_grid(small.conv2)[:35]
draw.pictures(
    {f"conv2: {tuple(small.conv2.weight.shape)}, the first 6 of 20 filters, a row each": six},
    "Six rows of ten grey tiles of 5 by 5 pixels, the second layer's filters. No eye can read what "
    "a row responds to.",
)

# %% [markdown]
# The spell is broken. A filter of `conv2` looks at ten *maps*, not at an image, and what those maps
# mean you would have to know first. Deeper weights are better judged by what they **answer**.
#
# ## 3. Maps on the way
#
# Slides 15 and 30 show what leaves a layer. In lesson 04 you took a net apart by hand to get at it.
# For a net of 16 blocks there is a better way: a **forward hook**, a function that torch calls
# each time a layer has run.
#
#     handle = layer.register_forward_hook(function)   # function(layer, inputs, output)
#     ...
#     handle.remove()
#
# A hook that is forgotten stays: it is called in every later run, holds on to memory, and nobody
# knows why. So it is removed *whatever happens*, also when the net raises an error halfway. That is
# what `try: ... finally: ...` is for.

# %% [markdown]
# ### Exercise `feature_maps` (1 + 3 points)
#
# Send the image through the model in evaluation mode, and return what leaves `layer`, without the
# batch dimension: $(C', H', W')$. (`with evaluating(model):`, from the first cell, puts every part
# back into its own mode.)
#
# The maps are a **detached copy**. Detached, or each map would keep the whole calculation behind it
# alive. A copy, since some layers work *in place*: `nn.ReLU(inplace=True)` overwrites the very
# tensor that the layer before it returned.
#
# <details><summary>Hint 1: a place to put it</summary>
#
# `kept = []`, and a hook `lambda layer, inputs, output: kept.append(...)`. It should return None:
# if a hook returns something, that *replaces* the layer's output.
#
# </details>
# <details><summary>Hint 2: the copy</summary>
#
# `output.detach().clone()`, made inside the hook: afterwards is too late.
#
# </details>
# <details><summary>Hint 3: the frame</summary>
#
# Register, `try:` run the model (inside `evaluating` and `torch.no_grad()`), `finally:` remove.
# Then `kept[-1][0]`.
#
# </details>

# %% nbgrader={"grade_id": "feature_maps", "solution": true}
def feature_maps(model, layer, image):
    """What leaves `layer` when `model` sees `image`: a detached copy, tensor (C', H', W').

    model  nn.Module, run once, in evaluation mode; it keeps its parameters and buffers, and each
           part is left in the mode in which it came
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
# A net that doubles the picture's sides, adds 1 to each pixel, and goes on; layer "1" adds.
plus = nn.Conv2d(1, 1, 1)
plus.weight.data[:], plus.bias.data[:] = 1, 1
steps = nn.Sequential(nn.Upsample(scale_factor=2), plus, nn.Flatten(), nn.Dropout(0.5))
one = torch.tensor([[1.0, 2, 3], [4, 5, 6]])[None, None]
found = check.inspected(feature_maps, steps, "1", one)
check.equal(found["raised"], "", "the error that feature_maps raised")
check.close(
    found["returned"], F.interpolate(one, scale_factor=2)[0] + 1, "the maps that leave layer 1",
    "What leaves the layer is wanted, not what enters it or what the model returns.",
)
check.that(
    not getattr(found["returned"], "requires_grad", False),
    "The maps still hang on the calculation behind them: detach them.",
)
check.equal(
    found["hooks"], 0, "the number of hooks afterwards", "Remove your hook, in a `finally:`."
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
        found = check.inspected(feature_maps, deep, name, picture)
        check.equal(found["raised"], "", "the error that feature_maps raised")
        check.close(
            found["returned"], expected[0], f"the maps that leave layer {name}",
            "Is the model in evaluation mode? Does a layer that works in place change your maps?",
        )
        check.equal(
            found["training"], before, f"the mode of each part, for a model in {mode} mode",
            "Every part should be left in the mode in which it came.",
        )
        check.equal(found["hooks"], 0, "the number of hooks afterwards")
        for key, value in check.state(deep).items():
            check.close(found["state"][key], value, f"{key} afterwards", "Looking changes nothing.")
check.close(picture, kept, "the image afterwards", "Leave it as it is.")

found = check.inspected(feature_maps, deep, "1.0", picture[..., :6])
check.that(found["raised"] != "", "The model raised an error, and feature_maps kept it to itself.")
check.equal(
    found["hooks"], 0, "the number of hooks after the model raised an error",
    "Only a `finally:` removes it then.",
)
check.equal(
    found["training"], before, "the mode of each part after the model raised an error",
    "Only a `finally:`, or `with evaluating(model):`, puts it back then.",
)
inner[0].register_forward_hook(lambda module, inputs, output: None)
found = check.inspected(feature_maps, deep, "1.0", picture)
check.equal(found["hooks"], 1, "the number of hooks where somebody else had one", "Leave it there.")
### END HIDDEN TESTS

# %% [markdown]
# Slide 15 shows a map before and after its ReLU. There negative is black and positive is white, so
# that zero is some grey which you must guess; we draw negative blue, zero white, positive red.
#
# **Predict first:** what does the right picture look like, given the middle one?

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
# nothing. Eyes and nose are left. (This net's ReLU also cuts at 6, which suits small telephones.)
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
# Below is the cat on its way through the ImageNet net: one channel of four layers, and a box where
# that channel answers most. The shapes tell the story: fewer and fewer places, more and more
# channels.
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
# Maps show what a layer says, not whether the decision **used** it. For that, ask: *if I changed
# this pixel a little, how much would the cat's score change?* That is a derivative, one for each
# pixel, and a single backward pass has them all (Simonyan 2014):
#
# $$M_{ij} = \max_c \left| \frac{\partial s_{label}}{\partial x_{c,i,j}} \right|$$
#
# The **absolute value**, since darker may matter as much as brighter; the **maximum over
# channels**, to get one number a pixel. And $s$ is the score **before** the softmax. Afterwards, a
# class's probability also rises when all other scores fall, and for a net that is sure its slope is
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
# The gradient has the image's shape, (1, C, H, W): `gradient[0].abs().amax(0)`.
#
# </details>

# %% nbgrader={"grade_id": "saliency", "solution": true}
def saliency(model, image, label):
    """How much the score of `label` hangs on each pixel: tensor (H, W), at least 0.

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
    found = check.inspected(saliency, line, None, torch.ones(1, 2, 2, 2), label)
    check.equal(found["raised"], "", "the error that saliency raised")
    check.close(
        found["returned"], expected, f"the saliency of a linear model, label {label}",
        "Absolute values, then the maximum over channels; no softmax; the score of that label.",
    )
check.equal(
    found["gradients"], False, "whether gradients were left on the model",
    "torch.autograd.grad(score, x) asks for one gradient alone.",
)

# %% nbgrader={"grade_id": "hidden-saliency", "grade": true, "locked": true, "points": 3}
# Also: three channels, images that are not square, any label, nets that are not linear, dropout and
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
    found = check.inspected(saliency, line, None, picture, label)
    check.equal(found["raised"], "", "the error that saliency raised")
    weights = line[1].weight[label].reshape(3, 4, 5)
    check.close(
        found["returned"], weights.abs().amax(0), f"the saliency of a linear model, label {label}",
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
        found = check.inspected(saliency, curved, None, picture, label)
        check.close(
            found["returned"], slopes(label), f"the saliency of a curved net, label {label}",
            "Was the model in evaluation mode?", rtol=1e-4,
        )
        check.equal(found["training"], before, "the mode of each part afterwards", "As it came.")
        check.equal(found["gradients"], False, "whether gradients were left on the model")
        check.that(
            all(found["trainable"].values()), "Parameters that took gradients no longer do: why?"
        )
        for key, value in check.state(curved).items():
            check.close(found["state"][key], value, f"{key} afterwards", "Looking changes nothing.")
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
    "sensitive. Dots gather on eye and fur, on the coffee in its cup and the saucer's front, and "
    "on the tips of the rocket and its masts; but they are scattered and noisy.",
)

# %% [markdown]
# The espresso hangs on the coffee's surface, the missile on the tip of the rocket. But it is noisy:
# single pixels matter little, and their derivatives jump about. Note what it is *not*: a map of how
# bright or important a thing looks. A pixel may be part of the cat and have a slope of zero.
#
# Is the softmax really a matter? Here is a digit of which the small net is very sure.
#
# **Predict first:** by what factor will the picture be weaker with the softmax included?

# %% jupyter={"source_hidden": true}
with torch.no_grad():
    certain = small(digits[4000:]).softmax(1).amax(1).argmax()
sure = digits[4000 + certain][None]
answer = int(labels[4000 + certain])
softened = nn.Sequential(small, nn.Softmax(1))
before, after = saliency(small, sure, answer), saliency(softened, sure, answer)
print("with the softmax over a hundred times weaker:", bool(after.max() < before.max() / 100))

# %% [markdown]
# The surer the net, the less it says about why: with a softmax, you measure its confidence, and not
# its reasons.
#
# ## 5. In which region? Grad-CAM
#
# Pixels are too small a unit, and a score too far from them. Half-way there is a better place to
# ask: the last maps before the pool, 1,280 of $7 \times 7$. Each says *what* by its channel and
# *where* by its place. **Grad-CAM** (Selvaraju 2017) adds them up, each weighted by how much the
# score wants it. With $A_k$ the maps and $s$ the score,
#
# $$\alpha_k = \frac{1}{H'W'} \sum_{i,j} \frac{\partial s}{\partial A_{k,i,j}}, \qquad
#   L = \mathrm{ReLU}\Big( \sum_k \alpha_k A_k \Big)$$
#
# A weight is the **mean gradient over the map**. The **ReLU** comes last, after the sum: regions
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
# Return $L$ at the layer's own size, $(H', W')$, not stretched and not normalised: who draws it may
# do that. Evaluation mode, score before the softmax, no gradients and no hooks left.
#
# <details><summary>Hint 1: maps that still hang on the calculation</summary>
#
# As in `feature_maps`, a forward hook catches the output. But this time keep it **undetached**, and
# run the model **without** `no_grad`.
#
# </details>
# <details><summary>Hint 2: the gradient of the score, at the maps</summary>
#
# `torch.autograd.grad(score, maps)` works for any tensor that the score was computed from.
#
# </details>
# <details><summary>Hint 3: the formula</summary>
#
# With maps and gradient of shape (1, C', H', W'): `alpha = gradient.mean((2, 3), keepdim=True)`,
# then `(alpha * maps).sum(1)[0].relu().detach()`.
#
# </details>

# %% nbgrader={"grade_id": "grad_cam", "solution": true}
def grad_cam(model, layer, image, label):
    """Where `layer` sees what speaks for `label`: tensor (H', W'), at least 0, detached.

    model  nn.Module, (1, C, H, W) to scores (1, classes), which are not softmaxed; used in
           evaluation mode, each part is left in the mode in which it came; no gradients are left
    layer  one of its modules, whose output is maps (1, C', H', W')
    image  tensor (1, C, H, W), left unchanged
    label  int, the class that is asked about

    ReLU of the sum of the maps, each weighted by the mean over it of d score / d map. Not scaled.
    No hook is left behind, even if the model raises an error. Source: Selvaraju et al. 2017.
    """
    ### BEGIN SOLUTION
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
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
    found = check.inspected(grad_cam, pair, "0", maps, label)
    check.equal(found["raised"], "", "the error that grad_cam raised")
    check.close(
        found["returned"], expected, f"grad_cam for the maps (1, 2) and (3, 0), label {label}",
        "Weights are mean gradients of the score before the softmax; the ReLU comes after the sum.",
    )
check.equal(found["hooks"], 0, "the number of hooks afterwards")
check.equal(found["gradients"], False, "whether gradients were left on the model")

# %% nbgrader={"grade_id": "hidden-grad_cam", "grade": true, "locked": true, "points": 3}
# Also: gradients that differ from place to place, maps of any sign and size, any label, dropout and
# batch norm, modes, hooks when the model raises an error, a class that nothing speaks for.
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
        found = check.inspected(grad_cam, whole, "0", picture, label)
        check.equal(found["raised"], "", "the error that grad_cam raised")
        check.close(
            found["returned"], expected_cam(label), f"grad_cam of a curved net, label {label}",
            "Check the mean over each map, the label, the ReLU at the end, and evaluation mode.",
            rtol=1e-4,
        )
        check.equal(found["training"], before, "the mode of each part afterwards", "As it came.")
        check.equal(found["hooks"], 0, "the number of hooks afterwards")
        check.equal(found["gradients"], False, "whether gradients were left on the model")
        for key, value in check.state(whole).items():
            check.close(found["state"][key], value, f"{key} afterwards", "Looking changes nothing.")
check.that(
    not getattr(found["returned"], "requires_grad", False), "The result still hangs on the net."
)
check.close(picture, kept, "the image afterwards", "Leave it as it is.")

found = check.inspected(grad_cam, whole, "0", picture[..., :3], 0)
check.that(found["raised"] != "", "The model raised an error, and grad_cam kept it to itself.")
check.equal(found["hooks"], 0, "the number of hooks after the model raised an error")

nobody = nn.Sequential(
    nn.Conv2d(1, 2, 1, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    nn.Linear(2, 2, bias=False),
)
nobody[0].weight.data[:], nobody[3].weight.data[:] = 1, -1
check.close(
    check.inspected(grad_cam, nobody, "0", torch.ones(1, 1, 2, 3), 1)["returned"],
    np.zeros((2, 3)), "grad_cam for a class that nothing speaks for", "Dark, and not divided by 0.",
)
### END HIDDEN TESTS

# %% [markdown]
# Now the question from the beginning. Half a cat and half a cup, side by side in one picture:
#
# **Predict first:** for each of three classes, where will the net point? (*cup* is a class of its
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
    "lies on the face, for espresso on the coffee and the cup's rim, for cup on the cup, weaker.",
)
for word, heat in heats.items():
    left, right = heat[:, :3].sum(), heat[:, 4:].sum()
    print(f"{word}: more heat on the {'left' if left > right else 'right'}")

# %% [markdown]
# One picture, one net, and three different answers to *where*. Nobody ever told it where anything
# was: ImageNet's labels say only **what** is in a picture. Place survives all 16
# blocks because convolution and pooling keep neighbours together, and dies only in the last pool.
#
# That pool makes for a pretty shortcut. Behind `head` come only a mean and a linear layer, so
# $\partial s / \partial A_k$ is the same at every place: `fc.weight[label, k] / 49`. So Grad-CAM is
# here the older **CAM** (Zhou 2016), which needs no gradient. Check it with your own functions:

# %%
k = names.index("espresso")
maps = feature_maps(net, net.head, both)
with torch.no_grad():
    cam = (net.fc.weight[k][:, None, None] / 49 * maps).sum(0).relu()
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
# *where*: a net trades one for the other, and lesson 09 wants both back.
#
# ## 6. Do not believe a picture: test it
#
# A heat map looks convincing even when it is wrong. It is a claim, *the decision hangs on this
# region*, and a claim can be tested: cover the region with grey, and look at the score.

# %%
def cover(batch, heat, place):
    """`batch` with a grey square of 96 x 96 pixels where the heat (7, 7) is most or least."""
    sums = F.avg_pool2d(heat[None], 3, 1)[0]
    row, column = divmod(int(sums.argmax() if place == "most" else sums.argmin()), 5)
    covered = batch.clone()
    covered[..., 32 * row : 32 * row + 96, 32 * column : 32 * column + 96] = 0
    return covered

# %% [markdown]
# **Predict first:** the net gives espresso about 10 % in this picture. What becomes of it if the
# coldest square is covered, and what if the hottest is?

# %% jupyter={"source_hidden": true}
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
print("covering the coffee kills it:", chances["most heat covered"] < 0.2 * chances["as it is"])

# %% [markdown]
# The claim holds. Had the score not moved, the picture would have been decoration.
#
# ## Remember
#
# > - First-layer filters are pictures: edges and colours. Deeper ones are not; look at their maps.
# > - A hook is removed in a `finally:`. Copy what it catches: layers may work in place.
# > - Saliency: the largest |gradient| over the channels, of the score **before** the softmax.
# > - Grad-CAM: mean gradients weight the maps, the ReLU comes after the sum.
# > - Evaluation mode, the label that was asked about, and no traces left behind.
# > - Early layers know where, late ones know what.
# > - A heat map is a claim: cover the place, and see.

# %% [markdown]
# ## Further, without points
#
# - ★ Average the saliency over 20 copies of the cat with a little noise added (SmoothGrad). Does
#   it become a cat?
# - ★ Slide a grey square over the whole picture and draw the score at each place. Compare with
#   Grad-CAM, and count the forward passes.
# - ★★ Give `fc` random weights. Which of your four pictures change? One that does not cannot have
#   explained the decision (Adebayo 2018).
# - ★★ Start from noise and *climb* the gradient of one class's score, step by step. What does the
#   net dream of?
