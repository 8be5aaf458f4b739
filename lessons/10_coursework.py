# ---
# jupyter:
#   immediate_feedback: false
# ---

# %% [markdown]
# # 10 Coursework
#
# The lecture ends with homework: an empty table (slide 50), to be back by Monday, nine o'clock.
# Here it is, and it is yours alone: every student's table has other numbers. This is an
# examination, so the explanations are short, and everything you need stands in lessons 01 to 09.
#
# **You show that you can**
#
# - count a deep net by hand or by program, and say which number is which (A);
# - build in PyTorch what a table describes (B);
# - say what one rounding costs (C), and save half of the parameters (D);
# - take numbers out of three famous papers, and check them (E);
# - report all this so that others can follow (F).
#
# **Time** an afternoon, about 3 hours. **Slides** 48 to 51. **Points** 100: A 40, B 15, C 10,
# D 10, E 15, F 10. Shapes are (C, H, W): channels, height, width.

# %% [markdown]
# ## How it is marked
#
# - Each part has a cell of tests that you can run, for a few points, and hidden ones for the rest.
#   The first line of a hidden cell says what it looks at.
# - **Part marks.** In A, B, C, D and E you earn something for each thing that is right. What was
#   not, your feedback names.
# - **A wrong row costs once.** Whatever follows in your table is judged from *your* number: a slip
#   in Conv2 does not sink Conv3, as long as Conv3 is reckoned correctly with it.
# - **Your own table.** It is drawn from your user name. Talk with the others about the method,
#   their numbers will not help you. Work that was made for somebody else's name earns nothing in
#   parts A to E, and the feedback says so.
# - Part F is read by a person.
#
# Hints are folded away below each task; opening them costs nothing.

# %% nbgrader={"grade_id": "setup", "locked": true}
import math
import os

import pandas as pd
import torch
from torch import nn

from course import check, coursework, draw

COLUMNS, ROWS = coursework.COLUMNS, coursework.ROWS
coursework_table = coursework.coursework_table

# %% [markdown]
# ## Your name
#
# Write your user name between the quotes, as you log in with it and as your marks are kept under
# it; capitals do not matter. If you work in the hub, the next cell tells you what it calls you.
# Then delete the line that raises the error.
#
# With the empty name, `""`, you get the lecture's own table, slide 50. It is good for practice:
# but it is nobody's, so hand in your own.

# %%
print("The hub calls you:", os.environ.get("JUPYTERHUB_USER", "nothing, for this is no hub"))

# %% nbgrader={"grade_id": "student", "solution": true}
student = ""
### BEGIN SOLUTION
# The empty name: the lecture's own table.
### END SOLUTION

# %% [markdown]
# Here is your table: what is there is given, what is empty is for you. **Predict first:** three
# layers of your net have most of its parameters. Which? And in which row will a division not come
# out even?

# %%
draw.printed(coursework_table(student))

# %% [markdown]
# ## Part A. The table (40 points)
#
# The columns are those of slide 50, by the names that you know from lesson 03:
#
# | here | on slide 50 |
# |---|---|
# | `n` | size of the input image; of a dense layer, the number of its inputs |
# | `channels_in` | number of input channels |
# | `f`, `p`, `s` | filter, padding, stride (given) |
# | `out` | size of the output image |
# | `channels_out` | number of output channels or filters (given) |
# | `neurons` | number of output neurons (of dense layers given) |
# | `filter_plus_1` | size of filter + 1 |
# | `parameters` | number of parameters |
#
# **A kind correction.** The slide's formula for the output, $(n + 2p - f)/s + 1$, lacks its floor,
# and without it the coursework cannot be solved: in one row the division leaves a
# remainder. Round down, as PyTorch does.
#
# **Another.** The figure on slide 49 shows a 224-pixel image and dense layers of 2,048. It is
# another net: where figure and table differ, the table counts.

# %% [markdown]
# ### Exercise `filled_table` (4 + 36 points)
#
# Return your table with every empty cell filled in, by hand or by program. The dense layers have
# only `n`, `neurons`, `filter_plus_1` and `parameters`; their other cells stay empty, and so
# does a pool's `filter_plus_1`, but its `parameters` are 0. `Total` has two sums, of neurons
# and of parameters. The image is data and no neuron.
#
# Each row is worth 3 points, shared equally among the cells that you fill in.
#
# <details><summary>Hint 1: writing into the table</summary>
#
# `table.loc["Conv1", ["out", "neurons"]] = 10, 1000` fills two cells of a row.
#
# </details>
# <details><summary>Hint 2: from row to row</summary>
#
# `out` goes down into the next `n`, `channels_out` into the next `channels_in`. A dense layer's
# `n` is all that the layer above puts out.
#
# </details>
# <details><summary>Hint 3: checking yourself</summary>
#
# Slide 29's table in lesson 03 is made the same way, and there you know every number. Part B lets
# PyTorch count.
#
# </details>

# %% nbgrader={"grade_id": "filled_table", "solution": true} needs=["student"]
def filled_table():
    """The table of `student`, complete: index ROWS, columns COLUMNS, as coursework_table() has it.

    Empty stay: filter_plus_1 of a pool; all of a dense layer but n, neurons, filter_plus_1 and
    parameters; all of Total but the sums of neurons and of parameters.
    """
    table = coursework_table(student)
    ### BEGIN SOLUTION
    n, channels = table.loc["Conv1", ["n", "channels_in"]]
    for row in ROWS[:8]:
        f, p, s, filters = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + 2 * p - f) // s + 1
        table.loc[row, ["n", "channels_in", "out"]] = n, channels, out
        table.loc[row, ["neurons", "parameters"]] = out * out * filters, 0
        if row.startswith("Conv"):
            size = f * f * channels + 1
            table.loc[row, ["filter_plus_1", "parameters"]] = size, filters * size
        n, channels = out, filters
    n = n * n * channels
    for row in ROWS[8:11]:
        neurons = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, neurons * (n + 1)
        n = neurons
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:11].sum()
    return table
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-filled_table", "grade": true, "locked": true, "points": 4}
coursework.belongs(student)
given, mine = coursework_table(student), filled_table()
check.that(isinstance(mine, pd.DataFrame), "filled_table() should return a data frame.")
check.equal(list(mine.index), ROWS, "the index of filled_table()")
check.equal(list(mine.columns), COLUMNS, "the list of columns of filled_table()")
for row in ROWS:
    for column in COLUMNS:
        if pd.notna(given.loc[row, column]):
            what, number = f"{column} of {row}", given.loc[row, column]
            check.equal(mine.loc[row, column], number, what, "It is given, and should stay.")
numbers = mine.apply(pd.to_numeric, errors="coerce")
asked = {row: ["n", "channels_in", "out", "neurons", "parameters"] for row in ROWS[:8]}
asked |= {row: ["n", "filter_plus_1", "parameters"] for row in ROWS[8:11]}
asked["Total"] = ["neurons", "parameters"]
for row, columns in asked.items():
    columns = columns + ["filter_plus_1"] * row.startswith("Conv")
    empty = [column for column in columns if pd.isna(numbers.loc[row, column])]
    check.that(not empty, f"{row} has no number yet in: {', '.join(empty)}.")

# %% nbgrader={"grade_id": "hidden-filled_table", "grade": true, "locked": true, "points": 36}
# Also: each cell, judged from your own numbers before it. A row has 3 points.
### BEGIN HIDDEN TESTS
coursework.belongs(student)
given = coursework_table(student)
own = filled_table().apply(pd.to_numeric, errors="coerce")
score, basis, lost, above = 0, {}, [], None


def maps_row(row, above):
    """What should stand in a row of maps, cell by cell, from the learner's cells before it."""
    f, p, s, filters = given.loc[row, ["f", "p", "s", "channels_out"]]
    if above is not None:
        yield "n", lambda cells: basis[above]["out"]
        yield "channels_in", lambda cells: given.loc[above, "channels_out"]
    yield "out", lambda cells: (cells["n"] + 2 * p - f) // s + 1
    yield "neurons", lambda cells: cells["out"] ** 2 * filters
    if row.startswith("Conv"):
        yield "filter_plus_1", lambda cells: f * f * cells["channels_in"] + 1
        yield "parameters", lambda cells: filters * cells["filter_plus_1"]
    else:
        yield "parameters", lambda cells: 0


def dense_row(row, above):
    """The same of a dense row."""
    yield "n", lambda cells: basis[above]["neurons"]
    yield "filter_plus_1", lambda cells: cells["n"] + 1
    yield "parameters", lambda cells: cells["neurons"] * cells["filter_plus_1"]


def total_row(row, above):
    """The same of the totals."""
    for column in ("neurons", "parameters"):
        yield column, lambda cells, k=column: sum(cells[k] for cells in basis.values())


kinds = dict.fromkeys(ROWS, maps_row) | dict.fromkeys(ROWS[8:11], dense_row)
for row, judged in (kinds | {"Total": total_row}).items():
    cells, wrong, count = dict(given.loc[row]), [], 0
    for column, rule in judged(row, above):
        expected, found = rule(cells), own.loc[row, column]
        if not abs(found - expected) <= 1e-6 * abs(expected):
            wrong.append(column)
        # What is missing is taken as it should be, so that it costs no more than itself.
        cells[column], count = expected if pd.isna(found) else found, count + 1
    basis[row], above = cells, row
    score += 3 * (count - len(wrong)) / count
    if wrong:
        lost.append(row)
        print(f"{row}: {', '.join(wrong)}.")


def total(ceil=False, bias=1, dense=None):
    """The total of parameters as some would have it."""
    n, channels, count = given.loc["Conv1", "n"], 3, 0
    for row in ROWS[:8]:
        f, p, s, filters = given.loc[row, ["f", "p", "s", "channels_out"]]
        rest = (n + 2 * p - f) % s > 0 and ceil
        n = (n + 2 * p - f) // s + 1 + rest
        count += filters * (f * f * channels + bias) if row.startswith("Conv") else 0
        channels = filters
    n = n * n * channels
    for row in ROWS[8:11]:
        width = given.loc[row, "neurons"] if row == "Softmax" or not dense else dense
        count, n = count + width * (n + bias), width
    return count


for wrong, row, words in (
    (total(ceil=True), "Pool3", "Did you round up in the last pool?"),
    (total(bias=0), "Conv1", "Has each filter, and each neuron, its bias?"),
    (total(dense=2048), "FC1", "Dense layers of 2,048 are those of the figure: the table counts."),
):
    if row in lost and own.loc["Total", "parameters"] == wrong:
        print(f"Your total of parameters is a known one. {words}")
score = round(score, 2)
score
### END HIDDEN TESTS

# %% [markdown]
# Your net, from the image to the last pool. **Predict first:** the maps shrink and the channels
# multiply; does the number of neurons grow or fall on the way?

# %%
draw.funnel(filled_table(), "Your net")
draw.shares(filled_table(), "Your net")

# %% [markdown]
# Neurons in front, parameters behind, as in the small net of slide 29. If your two heaviest layers
# are dense ones, you are in the company of AlexNet and VGG.
#
# ## Part B. The same net in PyTorch (15 points)
#
# Now let the machine count. The net takes images of shape (N, 3, n, n), with the n of *your*
# Conv1, and gives (N, 1000): one number a class.
#
# In your table's order: a convolution for each Conv row, a max pool for each Pool row, then the
# maps laid flat, and three dense layers. "Softmax" is the slide's name for the last of them: as
# in lesson 04, the net gives **logits**, and the loss takes care of the softmax. Put a ReLU behind
# each convolution and each dense layer but the last; it has no parameters.
#
# **Predict first:** will PyTorch's total be the one of your table?

# %% [markdown]
# ### Exercise `coursework_net` (3 + 12 points)
#
# Return a new net of your table, not trained.
#
# <details><summary>Hint 1: a short way</summary>
#
# `nn.Sequential` takes all of it, with `nn.Flatten()` between maps and dense layers.
#
# </details>
# <details><summary>Hint 2: the first dense layer</summary>
#
# `nn.Linear(n, neurons)` wants your FC1's `n`. PyTorch's error message says what it found instead,
# if you are wrong.
#
# </details>
# <details><summary>Hint 3: a loop</summary>
#
# `for row in ROWS[:8]:` and `f, p, s, filters = table.loc[row, ["f", "p", "s", "channels_out"]]`.
#
# </details>

# %% nbgrader={"grade_id": "coursework_net", "solution": true} needs=["student"]
def coursework_net():
    """A new nn.Module of the table of `student`: images (N, 3, n, n) -> logits (N, 1000).

    5 convolutions (nn.Conv2d), 3 max pools, 3 dense layers (nn.Linear), all with bias, made in the
    table's order.
    """
    ### BEGIN SOLUTION
    table = coursework_table(student)
    n, channels = table.loc["Conv1", ["n", "channels_in"]]
    layers = []
    for row in ROWS[:8]:
        f, p, s, filters = table.loc[row, ["f", "p", "s", "channels_out"]]
        if row.startswith("Conv"):
            layers += [nn.Conv2d(channels, filters, f, s, p), nn.ReLU()]
        else:
            layers.append(nn.MaxPool2d(f, s, p))
        n, channels = (n + 2 * p - f) // s + 1, filters
    width = table.loc["FC1", "neurons"]
    layers += [nn.Flatten(), nn.Linear(n * n * channels, width), nn.ReLU()]
    layers += [nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1000)]
    return nn.Sequential(*layers)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-coursework_net", "grade": true, "locked": true, "points": 3}
coursework.belongs(student)
net = coursework_net()
check.that(isinstance(net, nn.Module), "coursework_net() should return a module.")
n = coursework_table(student).loc["Conv1", "n"]
with torch.no_grad():
    logits = net.eval()(torch.randn(2, 3, n, n, generator=torch.Generator().manual_seed(50)))
check.shape(logits, (2, 1000), "coursework_net()(images)", "One number a class, for two images.")
check.that(bool(torch.isfinite(logits).all()), "Some of the logits are no finite numbers.")

# %% nbgrader={"grade_id": "hidden-coursework_net", "grade": true, "locked": true, "points": 12}
# Also: output and parameters of each of the eight layers that have any (1 point each), the total
# (2 points), and that the net gives logits (2 points).
### BEGIN HIDDEN TESTS
coursework.belongs(student)
given, score = coursework_table(student), 0
n, channels = given.loc["Conv1", ["n", "channels_in"]]
x, expected = torch.empty(1, 3, n, n, device="meta"), []
with torch.device("meta"):
    for row in ROWS[:8]:
        f, p, s, filters = (int(k) for k in given.loc[row, ["f", "p", "s", "channels_out"]])
        conv = row.startswith("Conv")
        layer = nn.Conv2d(channels, filters, f, s, p) if conv else nn.MaxPool2d(f, s, p)
        x, channels = layer(x), filters
        if conv:
            expected.append((row, tuple(x.shape[1:]), sum(k.numel() for k in layer.parameters())))
    width = x[0].numel()
for row in ROWS[8:11]:
    neurons = int(given.loc[row, "neurons"])
    expected.append((row, (neurons,), neurons * (width + 1)))
    width = neurons

net = coursework_net()
logits = net.eval()(torch.randn(1, 3, n, n, generator=torch.Generator().manual_seed(51)))
net.to("meta")
ran = check.layer_shapes(net, torch.empty(1, 3, n, n, device="meta"))
shapes = [shape[1:] for name, shape in ran if "Conv" in name or "Linear" in name]
counts = [count for _, count in check.parameter_counts(net)]
if len(shapes) == len(counts) == len(expected):
    for (row, shape, count), found, number in zip(expected, shapes, counts, strict=True):
        right = found == shape and number == count
        score += right
        if not right:
            print(f"{row}: its output has shape {found}, and it has {number} parameters.")
else:
    print(f"{len(shapes)} layers with parameters ran, of {len(counts)}: there are eight rows.")
if sum(counts) == sum(count for *_, count in expected):
    score += 2
else:
    print(f"{sum(counts)} parameters in all are not those of the table.")
if logits.min() < 0 < logits.max():
    score += 2
else:
    print("These are no logits: does a softmax or a ReLU stand behind the last layer?")
score
### END HIDDEN TESTS

# %% [markdown]
# Your table and your net, one beside the other. If the cell says `False`, one of the two is wrong;
# the bars help to find the layer. (FC3 is the table's Softmax.)

# %%
table, counts = filled_table(), [count for _, count in check.parameter_counts(coursework_net())]
print("table and net have the same total:", table.loc["Total", "parameters"] == sum(counts))
rows = [row for row in ROWS[:10] if not row.startswith("Pool")] + ["FC3"]
draw.layer_bars(list(zip(rows, counts, strict=False)), "Your net, counted by PyTorch")

# %% [markdown]
# ## Part C. What one rounding costs (10 points)
#
# In your last pool the division leaves a remainder. PyTorch rounds down unless you say
# `ceil_mode=True`; other frameworks have rounded up. The same table, read by two programs, is then
# two different nets, and the weights of one do not fit into the other.
#
# **Predict first:** one row and one column of pixels more in the smallest maps of the net. Does
# that change its parameters by a thousandth, by a hundredth, or by more than a tenth?

# %% [markdown]
# ### Exercise `last_pool` (2 + 8 points)
#
# Return four numbers for each way of rounding in Pool3: its `out`, the parameters of FC1, and the
# net's two totals. They are judged as they are, not from your table, 1 point each.
#
# <details><summary>Hint 1: where the difference begins</summary>
#
# Up to Conv5 both nets are the same. `-(-a // b)` rounds up.
#
# </details>
# <details><summary>Hint 2: and where it ends</summary>
#
# FC2 reads what FC1 puts out, and that is as much as before.
#
# </details>
# <details><summary>Hint 3: neurons</summary>
#
# Only those of Pool3 itself change.
#
# </details>

# %% nbgrader={"grade_id": "last_pool", "solution": true} needs=["student", "filled_table"]
def last_pool():
    """The net of `student` with Pool3 rounded down and up: {"floor": {...}, "ceil": {...}}.

    Each has "out" (size of Pool3's output), "fc1" (parameters of FC1), "neurons" and "parameters"
    (of the whole net).
    """
    ### BEGIN SOLUTION
    table = filled_table()
    n, f, s, channels = table.loc["Pool3", ["n", "f", "s", "channels_out"]]
    width, found = table.loc["FC1", "neurons"], {}
    for way, out in (("floor", (n - f) // s + 1), ("ceil", -(-(n - f) // s) + 1)):
        pool, fc1 = out * out * channels, width * (out * out * channels + 1)
        neurons = table.loc["Total", "neurons"] - table.loc["Pool3", "neurons"] + pool
        parameters = table.loc["Total", "parameters"] - table.loc["FC1", "parameters"] + fc1
        found[way] = {"out": out, "fc1": fc1, "neurons": neurons, "parameters": parameters}
    return found
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-last_pool", "grade": true, "locked": true, "points": 2}
coursework.belongs(student)
found = last_pool()
check.that(isinstance(found, dict), "last_pool() should return a dictionary.")
for way in ("floor", "ceil"):
    check.that(isinstance(found.get(way), dict), f"last_pool() has no dictionary for {way!r}.")
    for key in ("out", "fc1", "neurons", "parameters"):
        check.that(key in found[way], f"{way!r} does not say {key!r}.")
more = {key: found["ceil"][key] - found["floor"][key] for key in ("out", "fc1", "parameters")}
check.equal(more["out"], 1, "what ceil adds to out", "One window more, at the right end.")
check.that(more["parameters"] == more["fc1"], "Of all parameters, only those of FC1 are more.")

# %% nbgrader={"grade_id": "hidden-last_pool", "grade": true, "locked": true, "points": 8}
# Also: each of the eight numbers (1 point each).
### BEGIN HIDDEN TESTS
coursework.belongs(student)
given, found, score = coursework_table(student), last_pool(), 0
for way in ("floor", "ceil"):
    x, channels, counts = torch.empty(1, 3, *2 * [given.loc["Conv1", "n"]], device="meta"), 3, {}
    neurons = 0
    for row in ROWS[:8]:
        f, p, s, filters = (int(k) for k in given.loc[row, ["f", "p", "s", "channels_out"]])
        if row.startswith("Conv"):
            layer = nn.Conv2d(channels, filters, f, s, p, device="meta")
            counts[row] = sum(k.numel() for k in layer.parameters())
        else:
            layer = nn.MaxPool2d(f, s, p, ceil_mode=way == "ceil" and row == "Pool3")
        x, channels = layer(x), filters
        neurons += x.numel()
    width = x.numel()
    for row in ROWS[8:11]:
        outputs = int(given.loc[row, "neurons"])
        counts[row] = outputs * (width + 1)
        width, neurons = outputs, neurons + outputs
    right = {"out": x.shape[-1], "fc1": counts["FC1"], "neurons": neurons}
    right["parameters"] = sum(counts.values())
    for key, number in right.items():
        if found[way][key] == number:
            score += 1
        else:
            print(f"{key!r} of {way!r} is wrong.")
score
### END HIDDEN TESTS

# %% [markdown]
# One side of Conv5's maps, and the windows of Pool3 over it. The last one, orange, hangs over.

# %%
table = filled_table()
draw.last_pool(*table.loc["Pool3", ["n", "f", "s"]])
rest = table.loc["Total", "parameters"] - table.loc["FC1", "parameters"]
both = {way: {"all others": rest, "FC1": last_pool()[way]["fc1"]} for way in ("floor", "ceil")}
draw.stacked(both, "Parameters, with Pool3 rounded down and up")

# %% [markdown]
# ## Part D. Half the parameters (10 points)
#
# Memory is dear on a phone. Design a net with the same input, (N, 3, n, n) with your n, and the
# same output, 1,000 logits, that has **at most half** of the parameters of your table, but still
# at least five convolutional layers. How you save is up to you: there are many good answers, and
# lesson 06 is full of them.
#
# **Predict first:** which saves more, halving all filters or halving the dense layers?

# %% [markdown]
# ### Exercise `small_net` (2 + 8 points)
#
# Return a new net, not trained. Every parameter in it has to be of use: if a gradient never reaches
# one, it is not part of the net.
#
# <details><summary>Hint 1: where to look</summary>
#
# Where are most of the parameters? Saving a tenth there beats saving a half elsewhere.
#
# </details>
# <details><summary>Hint 2: three ways</summary>
#
# Narrower dense layers; maps that are smaller, or averaged, before they are laid flat (slide 39);
# two small filters for one large (slide 37).
#
# </details>
# <details><summary>Hint 3: counting</summary>
#
# `sum(p.numel() for p in net.parameters())`
#
# </details>

# %% nbgrader={"grade_id": "small_net", "solution": true} needs=["student"]
def small_net():
    """A new nn.Module: images (N, 3, n, n), n that of `student` -> logits (N, 1000).

    At most half of the parameters of the student's table, at least 5 convolutions (nn.Conv2d).
    """
    ### BEGIN SOLUTION
    layers, before = [], 3
    for f, s, filters in ((11, 4, 48), (5, 2, 128), (3, 1, 192), (3, 1, 192), (3, 1, 256)):
        layers += [nn.Conv2d(before, filters, f, s, f // 2), nn.ReLU()]
        before = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 1000))
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-small_net", "grade": true, "locked": true, "points": 2}
coursework.belongs(student)
net = small_net()
check.that(isinstance(net, nn.Module), "small_net() should return a module.")
n = coursework_table(student).loc["Conv1", "n"]
with torch.no_grad():
    logits = net.eval()(torch.randn(2, 3, n, n, generator=torch.Generator().manual_seed(52)))
check.shape(logits, (2, 1000), "small_net()(images)", "One number a class, for two images.")

# %% nbgrader={"grade_id": "hidden-small_net", "grade": true, "locked": true, "points": 8}
# Also: at most half of the parameters (4 points), five convolutions that run (2 points), and that
# a gradient reaches every parameter (2 points).
### BEGIN HIDDEN TESTS
coursework.belongs(student)
given, score = coursework_table(student), 0
n, channels, most = int(given.loc["Conv1", "n"]), 3, 0
side = n
for row in ROWS[:8]:
    f, p, s, filters = (int(k) for k in given.loc[row, ["f", "p", "s", "channels_out"]])
    side = (side + 2 * p - f) // s + 1
    most += filters * (f * f * channels + 1) if row.startswith("Conv") else 0
    channels = filters
width = side * side * channels
for row in ROWS[8:11]:
    most += int(given.loc[row, "neurons"]) * (width + 1)
    width = int(given.loc[row, "neurons"])

net = small_net().eval()
images = torch.randn(2, 3, n, n, generator=torch.Generator().manual_seed(53))
net(images)  # a lazy layer has its parameters after it
count = sum(parameter.numel() for parameter in net.parameters())
if 2 * count <= most:
    score += 4
else:
    print(f"{count} parameters are more than half of {most}.")
convolutions = [name for name, _ in check.layer_shapes(net, images) if "Conv" in name]
if len(convolutions) >= 5:
    score += 2
else:
    print(f"{len(convolutions)} convolutions ran, there should be five.")
net(images).square().sum().backward()
idle = [name for name, parameter in net.named_parameters() if parameter.grad is None]
if not idle:
    score += 2
else:
    print(f"No gradient reaches {', '.join(idle[:3])}.")
score
### END HIDDEN TESTS

# %% [markdown]
# Was your prediction right? The bars show your table's net and the smaller one, maps and dense
# layers apart.

# %%
def parts(net):
    """Parameters of the convolutions of a net, and of all else."""
    counts = check.parameter_counts(net)
    maps = sum(count for name, count in counts if "Conv" in name)
    return {"convolutions": maps, "all else": sum(count for _, count in counts) - maps}


draw.stacked({"table": parts(coursework_net()), "small": parts(small_net())}, "Parameters")

# %% [markdown]
# ## Part E. Three papers (15 points)
#
# Slide 51 gives you something to read. All three are free to read on the web:
#
# - **K**: Krizhevsky, Sutskever and Hinton (2012), *ImageNet Classification with Deep
#   Convolutional Neural Networks*. Your table is a relative of its net.
# - **G**: Glorot and Bengio (2010), *Understanding the difficulty of training deep feedforward
#   neural networks*.
# - **H**: He, Zhang, Ren and Sun (2015), *Delving Deep into Rectifiers*.
#
# Read with a pencil: a paper's numbers can be checked like any others, and some of K's cannot be
# right. **A kind correction** to K: it says that its images have 224 pixels,
# and that its first layer has 253,440 neurons. Neither fits the layer that it describes: 96
# filters of 11 x 11 with stride 4, no padding, and 55 x 55 outputs.

# %% [markdown]
# ### Exercise `papers` (3 + 12 points)
#
# Answer the twelve questions of the docstring with numbers, best computed in the cell, and with two
# words. One point each. Numbers are accepted within half a percent. "Your" Conv3 and FC1 are those
# of your table. All initial weights are drawn with mean zero.
#
# <details><summary>Hint 1: fan-in and fan-out</summary>
#
# Lesson 05 has both papers' rules. A convolution's fan-in is $f \cdot f \cdot c_{in}$.
#
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# G: equations 12 and 16. H: equations 10 and 15, figures 2 and 3, and its table of human and
# machine errors. K: sections 3.5 and 4.1.
#
# </details>
# <details><summary>Hint 3: how much fades</summary>
#
# With equal widths Glorot's variance is $1/n$. A ReLU lets half of the mean square pass, so the
# mean square halves with every layer; the root mean square is its root.
#
# </details>

# %% nbgrader={"grade_id": "papers", "solution": true} needs=["student", "filled_table"]
def papers():
    """Twelve answers, by key.

    G "glorot_variance"   variance of the initial weights of your FC1
    G "glorot_bound"      and a, if they are uniform from -a to a
    H "he_variance"       variance of the initial weights of your Conv3, followed by a ReLU
    H "prelu_variance"    the same, followed by a PReLU whose slope on the left is 0.25
    H "prelu_parameters"  what PReLUs behind your five convolutions add, one slope a channel
    H "fade"              RMS after 30 ReLU layers of equal width, Glorot's weights, from RMS 1
    H "deep_22"           of its 22-layer nets, which converged? "he", "glorot", "both", "neither"
    H "deep_30"           and of its 30-layer nets?
    H "gap"               4.94 % is better than a human's 5.1 %: by how many of 100,000 images?
    K "raw_224"           (n + 2p - f)/s + 1 of its first layer for n = 224, as it comes
    K "neurons_1"         neurons of its first layer, 55 x 55 with 96 filters
    K "patches"           places for a 224-pixel patch in a 256-pixel image, mirrored ones too
    """
    ### BEGIN SOLUTION
    table = filled_table()
    n_in, n_out = table.loc["FC1", ["n", "neurons"]]
    fan_in = table.loc["Conv3", "filter_plus_1"] - 1
    convolutions = [row for row in ROWS if row.startswith("Conv")]
    return {
        "glorot_variance": 2 / (n_in + n_out),
        "glorot_bound": math.sqrt(6 / (n_in + n_out)),
        "he_variance": 2 / fan_in,
        "prelu_variance": 2 / ((1 + 0.25**2) * fan_in),
        "prelu_parameters": table.loc[convolutions, "channels_out"].sum(),
        "fade": 0.5 ** (30 / 2),
        "deep_22": "both",
        "deep_30": "he",
        "gap": (5.1 - 4.94) / 100 * 100_000,
        "raw_224": (224 - 11) / 4 + 1,
        "neurons_1": 55 * 55 * 96,
        "patches": (256 - 224 + 1) ** 2 * 2,
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-papers", "grade": true, "locked": true, "points": 3}
coursework.belongs(student)
answers = papers()
check.that(isinstance(answers, dict), "papers() should return a dictionary.")
keys = ["glorot_variance", "glorot_bound", "he_variance", "prelu_variance", "prelu_parameters"]
keys += ["fade", "gap", "raw_224", "neurons_1", "patches"]
for key in [*keys, "deep_22", "deep_30"]:
    check.that(key in answers, f"papers() does not answer {key!r}.")
for key in keys:
    check.that(float(answers[key]) > 0, f"{key} is {answers[key]!r}: it should be above 0.")
for key in ("deep_22", "deep_30"):
    words = "the answers are 'he', 'glorot', 'both' and 'neither'."
    check.that(
        answers[key] in ("he", "glorot", "both", "neither"), f"{key} is {answers[key]!r}: {words}"
    )
bound = f"With {float(answers['glorot_variance']):.3g} as variance: what is the variance of -a to a?"
variance = float(answers["glorot_bound"]) ** 2 / 3
check.that(abs(variance / float(answers["glorot_variance"]) - 1) < 0.02, bound)

# %% nbgrader={"grade_id": "hidden-papers", "grade": true, "locked": true, "points": 12}
# Also: each of the twelve answers (1 point each).
### BEGIN HIDDEN TESTS
coursework.belongs(student)
given, answers, score = coursework_table(student), papers(), 0
x = torch.empty(1, 1, *2 * [given.loc["Conv1", "n"]], device="meta")
for row in ROWS[:8]:
    f, p, s = (int(k) for k in given.loc[row, ["f", "p", "s"]])
    x = torch.nn.functional.conv2d(x, torch.empty(1, 1, f, f, device="meta"), None, s, p)
n_in = x.numel() * given.loc["Pool3", "channels_out"]
both_ends = n_in + given.loc["FC1", "neurons"]
fan_in = given.loc["Conv3", "f"] ** 2 * given.loc["Conv2", "channels_out"]
right = {
    "glorot_variance": 2 / both_ends,
    "glorot_bound": (6 / both_ends) ** 0.5,
    "he_variance": 2 / fan_in,
    "prelu_variance": 2 / (1.0625 * fan_in),
    "prelu_parameters": given.loc[["Pool1", "Pool2", "Conv3", "Conv4", "Conv5"], "channels_out"].sum(),
    "fade": 2**-15,
    "gap": 160,
    "raw_224": 54.25,
    "neurons_1": 290_400,
    "patches": 2_178,
}
for key, number in right.items():
    if abs(float(answers[key]) - number) <= 0.005 * number:
        score += 1
    else:
        print(f"Think again about {key}.")
for key, word in (("deep_22", "both"), ("deep_30", "he")):
    if answers[key] == word:
        score += 1
    else:
        print(f"Think again about {key}.")
score
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** after how many layers has Glorot's signal fallen to a hundredth? The picture is
# drawn from your answer.

# %%
draw.fading(papers()["fade"])

# %% [markdown]
# And K's patches: it says that they make its training set larger by a factor of 2,048. Is that your
# number? If not, think of slide 17's formula, and of what is easily forgotten in it. It happens to
# the best.

# %% [markdown]
# ## Part F. A short report (10 points)
#
# Write 200 to 400 words in the cell below, for a colleague who knows the lecture but not your
# table. Say
#
# - what your net looks like, and where its neurons and its parameters are;
# - what the rounding in the last pool does, and how one could notice in practice;
# - how you saved half of the parameters, and what you expect that to cost;
# - one claim of the three papers that you checked yourself, with the number.
#
# A person reads it. What counts: that it is true and agrees with your own results (4 points), that
# reasons stand beside numbers (3 points), and that it is clear and short (3 points). A number that
# was wrong in part A is not counted again here.

# %% [markdown] nbgrader={"grade_id": "report", "grade": true, "solution": true, "points": 10}
# ### BEGIN SOLUTION
# **Mark scheme.** Look at the table of parts A to E beside it: a carried error is no error here.
#
# True (4): the early layers have most neurons, the dense ones most parameters, with shares or
# numbers (1). Rounding up gives the last pool a row and a column more, so FC1 grows, and weights
# no longer fit: an error on loading, or another total (1). The saving is the one of `small_net`
# (1). A claim of a paper, with its own check (1).
#
# Reasons (3): why parameters gather in FC1 (all maps meet all neurons); why the saving was made
# there; what it may cost (less capacity, or less knowledge of *where*), said as an expectation,
# not as a result, since nothing was trained. One point each.
#
# Clear (3): 3 could be sent to the colleague as it is; 2 needs a question; 1 needs several;
# 0 lists numbers without sentences, or is over 600 words.
# ### END SOLUTION

# %% [markdown]
# ## Before you hand in
#
# - Restart the kernel and run all cells: does everything still work from the top?
# - Is your own name in the cell `student`?
# - Run the cells of tests. What they say is for you, and nobody else has seen it yet.
#
# ## Remember
#
# > - A net can be checked before it exists: by table, by program, and one against the other.
# > - Sizes round down, and a rounding near the dense end is expensive.
# > - Neurons live in front, parameters behind. Save where they live.
# > - Good papers have small mistakes. You now find them.

# %% [markdown]
# ## Further exercises (no points)
#
# ★ **What does it see?** With lesson 03's `receptive_field`, find what one neuron of Conv5 sees
# of your image. On slide 50 it is exactly 227 pixels: coincidence?
#
# ★ **Work.** Count the multiplications of each layer. Which is the busiest, and is it the one with
# most parameters?
#
# ★★ **The tower.** K's net ran on two processors, and slide 49 is one half of it. Which layers see
# both halves, and how many parameters does that add? (60,965,224 in all.)
#
# ★★★ **Train it.** Scale your net down to 28 pixels and 10 classes, keep its proportions, and try
# it on lesson 04's digits, beside your small one. Was your report right?
