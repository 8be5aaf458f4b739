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
# - count a deep network by hand or by program, and say which number is which (A);
# - build in PyTorch what a table describes (B);
# - say what one rounding costs (C), and save half of the parameters (D);
# - take numbers out of three famous papers, and check them (E);
# - report all this so that others can follow (F).
#
# **Time** four and a half to five hours, best on two days: A and B about two hours, C and D one,
# E one, F half an hour. **Slides** 48 to 51. **Points** 100: retrieval 1, A 39, B 15, C 10,
# D 10, E 15, F 10. Shapes are (C, H, W): channels, height, width.

# %% [markdown]
# ## How it is marked
#
# - Each part has a cell of tests that you can run, for a few points, and hidden ones for the rest.
#   The first line of a hidden cell says what it looks at.
# - **Partial marks.** In A, B, C, D and E you earn something for each thing that is right. What was
#   not, your feedback names.
# - **A slip costs once.** What follows in your table is judged from *your* number, and so are parts
#   B to E, wherever they use the table: do not fear a slip in Conv2.
# - **A wrong rule costs 4 points, once,** however many cells it spoils; all wrong rules together
#   cost at most half of part A. The feedback names the rule to read again.
# - **Your own table.** It is drawn from your user name. Talk with the others about the method,
#   their numbers will not help you. Work that was done for another name earns nothing in parts A
#   to E, and the feedback says so.
# - Part F is read by a person.
#
# Hints are folded away below each task; opening them costs nothing.

# %% nbgrader={"grade_id": "setup", "locked": true}
import math
import os

import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from course import check, coursework, draw, predict, recall

COLUMNS, ROWS = coursework.COLUMNS, coursework.ROWS
coursework_table = coursework.coursework_table


def account():
    """The account whose work this is, and "" where the notebook cannot know it."""
    graded = os.environ.get("NBGRADER_EXECUTION") == "autograde"
    return os.environ.get("STUDENT") or ("" if graded else os.environ.get("JUPYTERHUB_USER", ""))


def name_fault(name):
    """What is wrong with a name as the owner of this work, in one line; "" where nothing is."""
    if not isinstance(name, str):
        return f"The name should be a text between quotes, it is {name!r}."
    if not name.strip():
        return (
            "The name is empty: this is practice with slide 50's table, and earns nothing when "
            "handed in. Write your user name between the quotes."
        )
    kind = "an e-mail address" if "@" in name else "a full name" if " " in name.strip() else ""
    if account() and account().casefold() != name.strip().casefold():
        looks = f" It looks like {kind}." if kind else ""
        return (
            f"The name is {name!r}, your account is {account()!r}: handed in so, the coursework "
            f"earns nothing.{looks}"
        )
    if kind and not account() and "NBGRADER_EXECUTION" not in os.environ:
        return f"{name!r} looks like {kind}: write your user name, under which your marks are kept."
    return ""


def owner(read):
    """The name that `read` returns; raise AssertionError where there is none, or another's."""
    try:
        name = read()
    except NameError:
        message = "There is no name: the cell `student` stops. Are both quotes around it?"
        raise AssertionError(message) from None
    coursework.belongs(name)
    return name

# %% [markdown]
# ## Your name (1 point)
#
# Write your user name between the quotes, as you log in with it and as your marks are kept under
# it; capitals do not matter. An e-mail address is no user name, nor is your full name. The cell
# below says what the hub calls you. Then delete the line that raises the error.
#
# With the empty name, `""`, you get the lecture's own table, slide 50: good for practice, since
# lesson 03's rules and PyTorch can check it. It belongs to no student, and the test will remind
# you; put in your own name before you hand in.

# %%
print("The hub calls you:", os.environ.get("JUPYTERHUB_USER", "nothing, for this is no hub"))

# %% nbgrader={"grade_id": "student", "solution": true}
student = ""
### BEGIN SOLUTION
student = account() or "ada"
### END SOLUTION

# %% nbgrader={"grade_id": "test-student", "grade": true, "locked": true, "points": 1}
name = owner(lambda: student)
check.that(not name_fault(name), name_fault(name))

# %% [markdown]
# Here is your table: what is there stays, what is empty is for you. **Predict first:** three
# layers of your network have most of its parameters. In which half of the table are they? And in
# which row will a division not come out even?

# %%
draw.printed(coursework_table(student))

# %%
predict.keep("most parameters are in", None, "convolutions", "dense layers")
predict.keep("the row with a remainder", None, "Conv1", "Pool1", "Pool2", "Pool3")

# %% [markdown]
# ## Three minutes of retrieval
#
# ### Exercise `retrieval` (1 point)
#
# Five questions on lessons 06 to 09, from memory. Your name draws the numbers.
#
# - `stamps` Side of a transposed convolution's output: input `n`, filter `f`, stride `s`, no padding?
# - `union` Masks of `a` and of `b` pixels share `c`: how many pixels has their union?
# - `head` A frozen backbone gives 1280 features: parameters of a dense head for `k` classes, with bias?
# - `moving` Do a frozen backbone's batch-norm averages move if it runs in training mode? `"yes"` or
#   `"no"`
# - `pointwise` Weights of `m` filters of 1 x 1 on `a` channels, without bias?

# %% nbgrader={"grade_id": "setup-retrieval", "locked": true}
def questions(name):
    """The numbers of your questions; those of slide 50 for the empty name."""
    ranges = (4, 20), (2, 5), (2, 4), (40, 90), (40, 90), (10, 39), (3, 12), (16, 64)
    letters = ("n", "f", "s", "a", "b", "c", "k", "m")
    return dict(zip(letters, recall.numbers(name.strip() or "slide 50", *ranges), strict=True))

# %%
print(questions(student))

# %% nbgrader={"grade_id": "retrieval", "solution": true} needs=["student"]
def retrieval():
    """Your replies to the questions of `student`.

    Returns {"stamps": ..., "union": ..., "head": ..., "moving": ..., "pointwise": ...}.
    """
    ### BEGIN SOLUTION
    q = questions(student)
    return {
        "stamps": q["s"] * (q["n"] - 1) + q["f"],
        "union": q["a"] + q["b"] - q["c"],
        "head": 1281 * q["k"],
        "moving": "yes",
        "pointwise": q["m"] * q["a"],
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-retrieval", "grade": true, "locked": true, "points": 1}
# Each reply counts a fifth.
### BEGIN HIDDEN TESTS
name = owner(lambda: student)
q = questions(name)
score = recall.mark(retrieval(), {
    "stamps": (q["s"] * (q["n"] - 1) + q["f"], "The last stamp begins at s (n - 1) and is f wide."),
    "union": (q["a"] + q["b"] - q["c"], "What both masks share is in the union once."),
    "head": (1281 * q["k"], "Each class has a weight for each feature, and one bias."),
    "moving": ("yes", "Training mode updates the averages, whatever requires gradients."),
    "pointwise": (q["m"] * q["a"], "Each filter has one weight for each channel."),
})
score
### END HIDDEN TESTS

# %% [markdown]
# ## Part A. The table (38 points)
#
# The columns are those of slide 50, by the names that you know from lesson 03:
#
# | here | on slide 50 |
# |---|---|
# | `n` | size of the input image; of a dense layer, the number of its inputs |
# | `channels_in` | number of input channels |
# | `f`, `p`, `s` | filter, padding, stride (already there) |
# | `out` | size of the output image |
# | `channels_out` | number of output channels or filters (already there) |
# | `neurons` | number of output neurons (of dense layers already there) |
# | `filter_plus_1` | size of filter + 1 |
# | `parameters` | number of parameters |
#
# **A correction.** The slide's formula for the output, $(n + 2p - f)/s + 1$, lacks its floor,
# and without it the coursework cannot be solved: in one row the division leaves a
# remainder. Round down, as PyTorch does.
#
# **Another.** The figure on slide 49 shows a 224-pixel image and dense layers of 2,048. It is
# another network: where figure and table differ, the table counts.

# %% [markdown]
# ### Exercise `filled_table` (2 + 36 points)
#
# Return your table with every empty cell filled in, by hand or by program. The dense layers have
# only `n`, `neurons`, `filter_plus_1` and `parameters`; their other cells stay empty, and so
# does a pool's `filter_plus_1`, but its `parameters` are 0. `Total` has two sums, of neurons
# and of parameters. The image is data and no neuron.
#
# Each row is worth 3 points, shared equally among the cells that you fill in. A rule that is wrong
# throughout (a size's formula, its rounding, the biases, ...) costs 4 points instead of all its cells.
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

# %% nbgrader={"grade_id": "test-filled_table", "grade": true, "locked": true, "points": 2}
name = owner(lambda: student)
drawn, mine = coursework_table(name), filled_table()
check.that(isinstance(mine, pd.DataFrame), "filled_table() should return a data frame.")
check.equal(list(mine.index), ROWS, "the index of filled_table()")
check.equal(list(mine.columns), COLUMNS, "the list of columns of filled_table()")
for row in ROWS:
    for column in COLUMNS:
        if pd.notna(drawn.loc[row, column]):
            what, number = f"{column} of {row}", drawn.loc[row, column]
            check.equal(mine.loc[row, column], number, what, "It was there, and should stay.")
numbers = mine.apply(pd.to_numeric, errors="coerce")
asked = {row: ["n", "channels_in", "out", "neurons", "parameters"] for row in ROWS[:8]}
asked |= {row: ["n", "filter_plus_1", "parameters"] for row in ROWS[8:11]}
asked["Total"] = ["neurons", "parameters"]
for row, columns in asked.items():
    columns = columns + ["filter_plus_1"] * row.startswith("Conv")
    empty = [column for column in columns if pd.isna(numbers.loc[row, column])]
    check.that(not empty, f"{row} is not filled in yet: {', '.join(empty)}.")

# %% nbgrader={"grade_id": "hidden-filled_table", "grade": true, "locked": true, "points": 36}
# Also: each cell, judged from your own numbers before it. A row has 3 points; a rule that is wrong
# throughout costs 4, whatever the number of its cells, and all wrong rules together 18 at most.
### BEGIN HIDDEN TESTS
name = owner(lambda: student)
drawn = coursework_table(name)
yours = filled_table().apply(pd.to_numeric, errors="coerce")


def maps_row(row, above):
    """What should stand in a row of maps: (column, rule of the learner's cells before it)."""
    if above is not None:
        yield "n", lambda c: basis[above]["out"]
        yield "channels_in", lambda c: drawn.loc[above, "channels_out"]
    yield "out", lambda c: (c["n"] + 2 * c["p"] - c["f"]) // c["s"] + 1
    yield "neurons", lambda c: c["out"] ** 2 * c["channels_out"]
    if row.startswith("Conv"):
        yield "filter_plus_1", lambda c: c["f"] ** 2 * c["channels_in"] + 1
        yield "parameters", lambda c: c["channels_out"] * c["filter_plus_1"]
    else:
        yield "parameters", lambda c: 0


def dense_row(row, above):
    """The same of a dense row."""
    yield "n", lambda c: basis[above]["neurons"]
    yield "filter_plus_1", lambda c: c["n"] + 1
    yield "parameters", lambda c: c["neurons"] * c["filter_plus_1"]


def total_row(row, above):
    """The same of the totals."""
    for column in ("neurons", "parameters"):
        yield column, lambda c, k=column: sum(cells[k] for cells in basis.values())


def same(one, other):
    return abs(one - other) <= 1e-6 * abs(other)


kinds = dict.fromkeys(ROWS, maps_row) | dict.fromkeys(ROWS[8:11], dense_row)
basis, judged, above = {}, {}, None
for row, rules in (kinds | {"Total": total_row}).items():
    cells = dict(drawn.loc[row])
    columns = list(rules(row, above))
    for column, rule in columns:
        expected, number = rule(cells), yours.loc[row, column]
        judged[row, column] = number, expected, dict(cells), 3 / len(columns)
        # What is missing is taken as it should be, so that it costs no more than itself.
        cells[column] = expected if pd.isna(number) else number
    basis[row], above = cells, row

# Mistakes that go through a whole column: (rule, column, rows, what it makes of a row's cells).
CONVS, POOLS, DENSE = ROWS[0:7:2][:2] + ROWS[4:7], [ROWS[1], ROWS[3], ROWS[7]], ROWS[8:11]
RULES = {
    "rounding": "Rounding: which way does a size go where a division leaves a remainder? Part A's text.",
    "size": "Size of an output: padding at both ends, the stride, the one window more (slides 17, 18).",
    "neurons": "Neurons: every pixel of every output channel is one (slide 20).",
    "filter": "Size of a filter: it has a window in each channel that comes in (slides 19, 20).",
    "bias": "Biases: has each filter, and each neuron, its own? (slide 21)",
    "parameters": "Parameters: how many filters, or neurons, have weights of their own? (slide 21)",
    "pool": "Pools: what is there to learn in a pool? (lesson 04, section 2)",
}
MISTAKES = [
    ("rounding", "out", ROWS[:8], lambda c: -((c["f"] - c["n"] - 2 * c["p"]) // c["s"]) + 1),
    ("rounding", "out", ROWS[:8], lambda c: (c["n"] + 2 * c["p"] - c["f"]) / c["s"] + 1),
    ("size", "out", ROWS[:8], lambda c: (c["n"] + 2 * c["p"] - c["f"]) // c["s"]),
    ("size", "out", ROWS[:8], lambda c: (c["n"] - c["f"]) // c["s"] + 1),
    ("size", "out", ROWS[:8], lambda c: (c["n"] + c["p"] - c["f"]) // c["s"] + 1),
    ("size", "out", ROWS[:8], lambda c: c["n"] + 2 * c["p"] - c["f"] + 1),
    ("neurons", "neurons", ROWS[:8], lambda c: c["out"] ** 2),
    ("neurons", "neurons", ROWS[:8], lambda c: c["out"] * c["channels_out"]),
    ("neurons", "neurons", CONVS, lambda c: c["out"] ** 2 * c["channels_in"]),
    ("neurons", "neurons", ROWS[:8], lambda c: c["n"] ** 2 * c["channels_in"]),
    ("filter", "filter_plus_1", CONVS, lambda c: c["f"] ** 2 + 1),
    ("filter", "filter_plus_1", CONVS, lambda c: c["f"] ** 2 * c["channels_out"] + 1),
    ("filter", "filter_plus_1", CONVS, lambda c: c["f"] * c["channels_in"] + 1),
    ("bias", "filter_plus_1", CONVS, lambda c: c["f"] ** 2 * c["channels_in"]),
    ("bias", "filter_plus_1", DENSE, lambda c: c["n"]),
    ("bias", "parameters", CONVS, lambda c: c["channels_out"] * (c["filter_plus_1"] - 1)),
    ("bias", "parameters", CONVS, lambda c: c["channels_out"] * (c["filter_plus_1"] - 1) + 1),
    ("bias", "parameters", DENSE, lambda c: c["neurons"] * (c["filter_plus_1"] - 1)),
    ("bias", "parameters", DENSE, lambda c: c["neurons"] * (c["filter_plus_1"] - 1) + 1),
    ("parameters", "parameters", CONVS, lambda c: c["filter_plus_1"]),
    ("parameters", "parameters", CONVS, lambda c: c["channels_in"] * c["filter_plus_1"]),
    ("parameters", "parameters", CONVS, lambda c: c["neurons"] * c["filter_plus_1"]),
    ("parameters", "parameters", DENSE, lambda c: c["filter_plus_1"]),
]
wrong = {place for place, (number, right, *_) in judged.items() if not same(number, right)}
broken = {}
for rule, column, rows, formula in MISTAKES:
    values = {(row, column): formula(judged[row, column][2]) for row in rows}
    telling = [place for place, value in values.items() if not same(value, judged[place][1])]
    hits = {place for place in telling if same(judged[place][0], values[place])}
    if hits and len(hits) >= len(telling) - (len(telling) > 3):
        broken.setdefault(rule, set()).update(hits)
with_weights = {(row, "parameters") for row in POOLS} & wrong
if len(with_weights) == len(POOLS):
    broken["pool"] = with_weights
slips = wrong - set().union(*broken.values())
score = 36 - min(18, 4 * len(broken)) - sum(judged[place][3] for place in slips)
for rule in broken:
    print(RULES[rule])
for row in ROWS:
    if columns := [column for one, column in judged if one == row and (one, column) in slips]:
        print(f"{row}: {', '.join(columns)}.")
score = round(max(score, 0), 2)
score
### END HIDDEN TESTS

# %% [markdown]
# Your network, from the image to the last pool. **Predict first:** the maps shrink and the channels
# multiply; does the number of neurons grow or fall on the way?

# %%
draw.funnel(filled_table(), "Your network")
draw.shares(filled_table(), "Your network")

# %% jupyter={"source_hidden": true}
counts = filled_table()["parameters"].astype(float)
where = {"convolutions": counts.iloc[:8].sum(), "dense layers": counts.iloc[8:11].sum()}
predict.compare("most parameters are in", max(where, key=where.get))
windows = filled_table().iloc[:8]
rest = (windows["n"] + 2 * windows["p"] - windows["f"]) % windows["s"]
predict.compare("the row with a remainder", ", ".join(rest[rest > 0].index))

# %% [markdown]
# Neurons in front, parameters behind, as in the small network of slide 29. If your two heaviest
# layers are dense ones, you are in the company of AlexNet and VGG.
#
# ## Part B. The same network in PyTorch (15 points)
#
# Now let the machine count. The network takes images of shape (N, 3, n, n), with the n of *your*
# Conv1, and gives (N, 1000): one number per class.
#
# In your table's order: a convolution for each Conv row, a max pool for each Pool row, then the
# maps laid flat, and three dense layers. "Softmax" is the slide's name for the last of them: as
# in lesson 04, the network gives logits, and the loss takes care of the softmax. Put a ReLU
# behind each convolution and each dense layer but the last; it has no parameters. Padding is zeros.
#
# **Predict first:** will PyTorch's total be the one of your table?

# %%
predict.keep("table and PyTorch have the same total", None, "yes", "no")

# %% [markdown]
# ### Exercise `coursework_net` (3 + 12 points)
#
# Return a new network of your table, not trained.
#
# <details><summary>Hint 1: a short way</summary>
#
# `nn.Sequential` takes all of it, with `nn.Flatten()` between maps and dense layers.
#
# </details>
# <details><summary>Hint 2: the first dense layer</summary>
#
# `nn.Linear(n, neurons)` wants your FC1's `n`. PyTorch's error message says which it met, if you are
# wrong.
#
# </details>
# <details><summary>Hint 3: a loop</summary>
#
# `f, p, s, filters = table.loc[row, ["f", "p", "s", "channels_out"]]` inside a loop over the rows of
# maps. Which number does one row hand on to the next?
#
# </details>

# %% nbgrader={"grade_id": "coursework_net", "solution": true} needs=["student", "filled_table"]
def coursework_net():
    """A new nn.Module of the table of `student`: images (N, 3, n, n) -> logits (N, 1000).

    5 convolutions (nn.Conv2d, padded by zeros), 3 max pools, 3 dense layers (nn.Linear), all with
    bias, made in the table's order; ReLU behind each convolution and behind FC1 and FC2.
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
# When graded, a right table stands for that of part A.
name, references = owner(lambda: student), {}
### BEGIN HIDDEN TESTS
drawn = coursework_table(name)
right_table = drawn.copy()
n, channels = drawn.loc["Conv1", ["n", "channels_in"]]
for row in ROWS[:8]:
    f, p, s, filters = drawn.loc[row, ["f", "p", "s", "channels_out"]]
    conv, out = row.startswith("Conv"), (n + 2 * p - f) // s + 1
    right_table.loc[row, COLUMNS[:6]] = n, channels, f, p, s, out
    size = f * f * channels + 1
    cells = out * out * filters, size if conv else None, conv * filters * size
    right_table.loc[row, COLUMNS[7:]] = cells
    n, channels = out, filters
n = n * n * channels
for row in ROWS[8:11]:
    neurons = drawn.loc[row, "neurons"]
    right_table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, neurons * (n + 1)
    n = neurons
for column in ("neurons", "parameters"):
    right_table.loc["Total", column] = right_table[column].iloc[:11].sum()
references = {"filled_table": right_table.copy}
### END HIDDEN TESTS
n = coursework_table(name).loc["Conv1", "n"]
with check.using(**references):
    net = coursework_net()
    check.that(isinstance(net, nn.Module), "coursework_net() should return a module.")
    with torch.no_grad():
        logits = net.eval()(torch.randn(2, 3, n, n, generator=torch.Generator().manual_seed(50)))
check.shape(logits, (2, 1000), "coursework_net()(images)", "One number per class, for two images.")
check.that(bool(torch.isfinite(logits).all()), "Some of the logits are not finite.")

# %% nbgrader={"grade_id": "hidden-coursework_net", "grade": true, "locked": true, "points": 12}
# Also: output and parameters of each of the eight layers that have any (half a point each), the
# total (2 points), ReLU (2 points), max pools (1 point), zeros as padding (1 point), and that the
# network gives logits (2 points). Where your own table rounds up in Pool3, so may your network.
### BEGIN HIDDEN TESTS
name = owner(lambda: student)
try:  # carried errors: what follows from the learner's own table is right, too
    yours = filled_table().apply(pd.to_numeric, errors="coerce")
    yours = yours.where(yours.notna(), right_table.apply(pd.to_numeric, errors="coerce"))
    yours.loc[ROWS, COLUMNS]
except Exception:  # an answer of any kind, or none
    yours = right_table
n, f, s = right_table.loc["Pool3", ["n", "f", "s"]]
up = -(-(n - f) // s) + 1
rounds_up = yours.loc["Pool3", "out"] == up
channels, side = right_table.loc["Pool3", "channels_out"], right_table.loc["Conv1", "n"]


def layers_of(ceil):
    """Output shape and parameters of the eight layers, Pool3 rounded up where `ceil`."""
    expected = []
    for row in ROWS[:11]:
        cells = right_table.loc[row]
        if row.startswith("Conv"):
            expected.append((row, (cells.channels_out, cells.out, cells.out), cells.parameters))
        elif not row.startswith("Pool"):
            inputs = up**2 * channels if ceil and row == "FC1" else cells.n
            expected.append((row, (cells.neurons,), cells.neurons * (inputs + 1)))
    return expected


def computed(weights, x, relus, pool, padding, ceil):
    """The logits of the learner's weights and biases by the table, with one thing done so or so."""
    layers, relus = iter(weights), iter(relus)
    for row in ROWS[:8]:
        f, p, s = (int(k) for k in right_table.loc[row, ["f", "p", "s"]])
        if row.startswith("Conv"):
            x = F.conv2d(F.pad(x, 4 * [p], mode=padding), *next(layers), stride=s)
            x = x.relu() if next(relus) else x
        else:
            x = pool(x, f, s, p, ceil_mode=bool(ceil) and row == "Pool3")
    x = x.flatten(1)
    for layer in layers:
        x = F.linear(x, *layer)
        x = x.relu() if next(relus, False) else x
    return x


def alike(one, other):
    return torch.allclose(one, other, rtol=1e-3, atol=1e-3 * float(other.abs().max()))


def explained():
    """Which ReLUs, pool and padding give the network's own output from its own weights."""
    weights = {}
    for place, value in net.named_parameters():
        layer, _, kind = place.rpartition(".")
        weights.setdefault(layer, {})[kind] = value.detach()
    weights = [(layer["weight"], layer.get("bias")) for layer in weights.values()]
    all_of, none = 7 * [True], 7 * [False]
    patterns = [all_of, none, 5 * [True] + 2 * [False], 5 * [False] + 2 * [True]]
    patterns += [all_of[:k] + none[:1] + all_of[k + 1 :] for k in range(7)]
    ends = (lambda z: z, torch.relu, lambda z: z.softmax(1), lambda z: z.log_softmax(1), torch.sigmoid)
    ways = [
        (relus, pool, padding)
        for relus in patterns for pool in (F.max_pool2d, F.avg_pool2d)
        for padding in ("constant", "reflect", "replicate", "circular")
    ]
    for relus, pool, padding in sorted(
        ways, key=lambda w: (w[0] != all_of) + (w[1] != F.max_pool2d) + (w[2] != "constant")
    ):
        logits = computed(weights, images, relus, pool, padding, ceil)
        if any(alike(output, end(logits)) for end in ends):
            return all(relus), pool is F.max_pool2d, padding == "constant"
    return False, False, False


score = 0
with check.using(filled_table=right_table.copy):
    net = coursework_net().eval()
    # Far larger than images, so that biases are small beside what comes from them.
    images = 1000 * torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(51))
    with torch.no_grad():
        output = net(images)
    # A lazy layer has its parameters after that.
    ran = check.layer_shapes(net, images)
    shapes = [shape[1:] for name, shape in ran if "Conv" in name or "Linear" in name]
    amounts = [count for _, count in check.parameter_counts(net)]
    ceil = rounds_up and sum(amounts) == sum(count for *_, count in layers_of(True))
    expected = layers_of(ceil)
    try:
        with torch.no_grad():
            relus, pools, padding = explained()
    except (RuntimeError, KeyError, ValueError, StopIteration, TypeError):  # layers of other shapes
        relus = pools = padding = False
if len(shapes) == len(amounts) == len(expected):
    for (row, shape, count), got, number in zip(expected, shapes, amounts, strict=True):
        score += 0.5 * (got == shape and number == count)
        if got != shape or number != count:
            print(f"{row}: its output has shape {got}, and it has {number} parameters.")
else:
    print(f"{len(shapes)} layers with parameters ran, of {len(amounts)}: there are eight rows.")
if sum(amounts) == sum(count for *_, count in expected):
    score += 2
else:
    print(f"{sum(amounts)} parameters in all are not those of the table.")
score += 2 * relus + pools + padding
if not (relus or pools or padding):
    print("From your own weights, by the table, another output follows: ReLU, pools, padding, order?")
elif not relus:
    print("A ReLU is missing behind a convolution, or behind FC1 or FC2.")
elif not pools:
    print("These are not max pools.")
elif not padding:
    print("The images are padded, but not by zeros.")
if output.min() < 0 < output.max():
    score += 2
else:
    print("These are no logits: does a softmax or a ReLU stand behind the last layer?")
score
### END HIDDEN TESTS

# %% [markdown]
# Your table and your network, one beside the other. If they differ, one of the two is wrong; the
# bars help to find the layer. (FC3 is the table's Softmax.)

# %%
table, counts = filled_table(), [count for _, count in check.parameter_counts(coursework_net())]
same_total = table.loc["Total", "parameters"] == sum(counts)
predict.compare("table and PyTorch have the same total", "yes" if same_total else "no")
rows = [row for row in ROWS[:10] if not row.startswith("Pool")] + ["FC3"]
draw.layer_bars(list(zip(rows, counts, strict=False)), "Your network, counted by PyTorch")

# %% [markdown]
# ## Part C. What one rounding costs (10 points)
#
# In your last pool the division leaves a remainder. PyTorch rounds down unless you say
# `ceil_mode=True`; other frameworks have rounded up. The same table, read by two programs, is then
# two different networks, and a **checkpoint**, the file of one's trained weights, does not fit into
# the other.
#
# **Predict first:** one row and one column of pixels more in the smallest maps. By how many % do the
# parameters grow?

# %%
predict.keep("more parameters by rounding up, in %", None)

# %% [markdown]
# ### Exercise `last_pool` (2 + 8 points)
#
# Return four numbers for each way of rounding in Pool3: its `out`, the parameters of FC1, and the
# network's two totals, 1 point each. They are right if they are those of your network, or if they
# follow from your own table.
#
# <details><summary>Hint 1: where the difference begins</summary>
#
# Up to Conv5 both networks are the same. `-(-a // b)` rounds up.
#
# </details>
# <details><summary>Hint 2: and where it ends</summary>
#
# FC2 reads what FC1 puts out, and that is as much as before.
#
# </details>
# <details><summary>Hint 3: neurons</summary>
#
# Which rows' neurons depend on Pool3's size, and which don't?
#
# </details>

# %% nbgrader={"grade_id": "last_pool", "solution": true} needs=["student", "filled_table"]
def last_pool():
    """The network of `student` with Pool3 rounded down and up: {"floor": {...}, "ceil": {...}}.

    Each has "out" (size of Pool3's output), "fc1" (parameters of FC1), "neurons" and "parameters"
    (of the whole network).
    """
    ### BEGIN SOLUTION
    table = filled_table()
    n, f, s, channels = table.loc["Pool3", ["n", "f", "s", "channels_out"]]
    width, both = table.loc["FC1", "neurons"], {}
    for way, out in (("floor", (n - f) // s + 1), ("ceil", -(-(n - f) // s) + 1)):
        pool, fc1 = out * out * channels, width * (out * out * channels + 1)
        neurons = table.loc["Total", "neurons"] - table.loc["Pool3", "neurons"] + pool
        parameters = table.loc["Total", "parameters"] - table.loc["FC1", "parameters"] + fc1
        both[way] = {"out": out, "fc1": fc1, "neurons": neurons, "parameters": parameters}
    return both
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-last_pool", "grade": true, "locked": true, "points": 2}
# When graded, a right table stands for that of part A.
name, references = owner(lambda: student), {}
### BEGIN HIDDEN TESTS
drawn = coursework_table(name)
right_table = drawn.copy()
n, channels = drawn.loc["Conv1", ["n", "channels_in"]]
for row in ROWS[:8]:
    f, p, s, filters = drawn.loc[row, ["f", "p", "s", "channels_out"]]
    conv, out = row.startswith("Conv"), (n + 2 * p - f) // s + 1
    right_table.loc[row, COLUMNS[:6]] = n, channels, f, p, s, out
    size = f * f * channels + 1
    cells = out * out * filters, size if conv else None, conv * filters * size
    right_table.loc[row, COLUMNS[7:]] = cells
    n, channels = out, filters
n = n * n * channels
for row in ROWS[8:11]:
    neurons = drawn.loc[row, "neurons"]
    right_table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, neurons * (n + 1)
    n = neurons
for column in ("neurons", "parameters"):
    right_table.loc["Total", column] = right_table[column].iloc[:11].sum()
references = {"filled_table": right_table.copy}
### END HIDDEN TESTS
with check.using(**references):
    result = last_pool()
check.that(isinstance(result, dict), "last_pool() should return a dictionary.")
for way in ("floor", "ceil"):
    check.that(isinstance(result.get(way), dict), f"last_pool() has no dictionary for {way!r}.")
    for key in ("out", "fc1", "neurons", "parameters"):
        check.that(key in result[way], f"{way!r} does not say {key!r}.")
more = {key: result["ceil"][key] - result["floor"][key] for key in ("out", "fc1", "parameters")}
check.that(more["out"] in (0, 1), "Rounding up adds one window at most, at the right end.")
check.that(more["parameters"] == more["fc1"], "Of all parameters, only those of FC1 are more.")

# %% nbgrader={"grade_id": "hidden-last_pool", "grade": true, "locked": true, "points": 8}
# Also: each of the eight numbers (1 point each): those of your network, or what your table makes them.
### BEGIN HIDDEN TESTS
name = owner(lambda: student)
try:  # carried errors: what follows from the learner's own table is right, too
    yours = filled_table().apply(pd.to_numeric, errors="coerce")
    yours = yours.where(yours.notna(), right_table.apply(pd.to_numeric, errors="coerce"))
    yours.loc[ROWS, COLUMNS]
except Exception:  # an answer of any kind, or none
    yours = right_table
with check.using(filled_table=right_table.copy):
    result = last_pool()


def four_of(table, way, out=None):
    """The four numbers that follow from a table, and from a size of Pool3 where there is one."""
    n, f, p, s, channels = table.loc["Pool3", ["n", "f", "p", "s", "channels_out"]]
    rest, width = n + 2 * p - f, table.loc["FC1", "neurons"]
    out = out or (rest // s if way == "floor" else -(-rest // s)) + 1
    biases = table.loc["FC1", "filter_plus_1"] - table.loc["FC1", "n"]
    pool, fc1 = out * out * channels, width * (out * out * channels + biases)
    neurons = table.loc["Total", "neurons"] - table.loc["Pool3", "neurons"] + pool
    parameters = table.loc["Total", "parameters"] - table.loc["FC1", "parameters"] + fc1
    return {"out": out, "fc1": fc1, "neurons": neurons, "parameters": parameters}


WHAT = {
    "out": "the size after rounding (slide 17 and part A's correction)",
    "fc1": "each of FC1's neurons reads all that Pool3 puts out, and has a bias",
    "neurons": "only those of Pool3 are others",
    "parameters": "only those of FC1 are others",
}
score = 0
for way in ("floor", "ceil"):
    size = result[way]["out"]  # what follows from a wrong size is right
    right = [four_of(right_table, way), four_of(yours, way), four_of(right_table, way, size)]
    for key in WHAT:
        number = float(result[way][key])
        values = [float(four[key]) for four in (right[:2] if key == "out" else right)]
        if key == "parameters":  # and so is what follows from a wrong FC1
            rests = [float(table.loc["Total", key] - table.loc["FC1", key]) for table in (right_table, yours)]
            values += [rest + float(result[way]["fc1"]) for rest in rests]
        if any(abs(number - value) <= 1e-6 * abs(value) for value in values):
            score += 1
        else:
            print(f"{key!r} of {way!r} is wrong: {WHAT[key]}.")
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
growth = last_pool()["ceil"]["parameters"] / last_pool()["floor"]["parameters"] - 1
predict.compare("more parameters by rounding up, in %", round(100 * growth))

# %% [markdown]
# ## Part D. Half the parameters (10 points)
#
# Memory is dear on a phone. Design a network with the same input, (N, 3, n, n) with your n, and the
# same output, 1,000 logits, that has **at most half** of the parameters of your table, but still
# at least five convolutional layers. How you save is up to you: there are many good answers, and
# lesson 06 is full of them.
#
# **Predict first:** which saves more, halving the number of filters in all convolutions, or halving
# the width of FC1 and FC2?

# %%
predict.keep("more is saved by halving", None, "filters", "dense layers")

# %% jupyter={"source_hidden": true}
table = filled_table()
weights = table["parameters"].astype(float)
filters = weights * [0.5 if row in ("Conv1", "FC1") else 0.25 if "Conv" in row else 1 for row in ROWS]
dense = weights * [{"FC1": 0.5, "FC2": 0.25, "Softmax": 0.5}.get(row, 1) for row in ROWS]
ways = {"table": weights, "half filters": filters, "half dense": dense}
sums = {
    way: {"convolutions": round(c.iloc[:8].sum()), "dense layers": round(c.iloc[8:11].sum())}
    for way, c in ways.items()
}
draw.stacked(sums, "Parameters, biases neglected")
saves_more = "filters" if filters.iloc[:11].sum() < dense.iloc[:11].sum() else "dense layers"
predict.compare("more is saved by halving", saves_more)

# %% [markdown]
# A layer between two halved ones keeps a quarter of its weights, one at an end keeps a half.
#
# ### Exercise `small_net` (2 + 8 points)
#
# Return a new network, not trained: five convolutions or more, each with weights of its own (one
# that runs five times is one), and a nonlinearity. Every parameter in it must be of use: if a
# gradient never reaches one, it is not part of the network.
#
# <details><summary>Hint 1: where to look</summary>
#
# Where are most of the parameters? Saving a tenth there beats saving a half elsewhere.
#
# </details>
# <details><summary>Hint 2: three ways</summary>
#
# Narrower dense layers; maps that are smaller, or averaged, before they are laid flat (slide 39);
# two small filters for one large (slide 37). Which of them acts where your parameters are?
#
# </details>
# <details><summary>Hint 3: counting</summary>
#
# `sum(p.numel() for p in net.parameters())`
#
# </details>

# %% nbgrader={"grade_id": "small_net", "solution": true} needs=["student", "filled_table"]
def small_net():
    """A new nn.Module: images (N, 3, n, n), n that of `student` -> logits (N, 1000).

    At most half of the parameters of the student's table; at least 5 convolutions (nn.Conv2d), each
    with its own weights; a nonlinearity between them; a gradient reaches every parameter.
    """
    ### BEGIN SOLUTION
    layers, before = [], 3
    for f, s, filters in ((11, 4, 48), (5, 2, 128), (3, 1, 192), (3, 1, 192), (3, 1, 256)):
        layers += [nn.Conv2d(before, filters, f, s, f // 2), nn.ReLU()]
        before = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 1000))
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-small_net", "grade": true, "locked": true, "points": 2}
# When graded, a right table stands for that of part A.
name, references = owner(lambda: student), {}
### BEGIN HIDDEN TESTS
drawn = coursework_table(name)
right_table = drawn.copy()
n, channels = drawn.loc["Conv1", ["n", "channels_in"]]
for row in ROWS[:8]:
    f, p, s, filters = drawn.loc[row, ["f", "p", "s", "channels_out"]]
    conv, out = row.startswith("Conv"), (n + 2 * p - f) // s + 1
    right_table.loc[row, COLUMNS[:6]] = n, channels, f, p, s, out
    size = f * f * channels + 1
    cells = out * out * filters, size if conv else None, conv * filters * size
    right_table.loc[row, COLUMNS[7:]] = cells
    n, channels = out, filters
n = n * n * channels
for row in ROWS[8:11]:
    neurons = drawn.loc[row, "neurons"]
    right_table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, neurons * (n + 1)
    n = neurons
for column in ("neurons", "parameters"):
    right_table.loc["Total", column] = right_table[column].iloc[:11].sum()
references = {"filled_table": right_table.copy}
### END HIDDEN TESTS
n = coursework_table(name).loc["Conv1", "n"]
with check.using(**references):
    net = small_net()
    check.that(isinstance(net, nn.Module), "small_net() should return a module.")
    with torch.no_grad():
        logits = net.eval()(torch.randn(2, 3, n, n, generator=torch.Generator().manual_seed(52)))
check.shape(logits, (2, 1000), "small_net()(images)", "One number per class, for two images.")

# %% nbgrader={"grade_id": "hidden-small_net", "grade": true, "locked": true, "points": 8}
# Also: at most half of the parameters (3 points), five convolutions with weights of their own (2
# points), a nonlinearity (1 point), and that a gradient reaches every parameter (2 points).
### BEGIN HIDDEN TESTS
name = owner(lambda: student)
try:  # carried errors: what follows from the learner's own table is right, too
    yours = filled_table().apply(pd.to_numeric, errors="coerce")
    yours = yours.where(yours.notna(), right_table.apply(pd.to_numeric, errors="coerce"))
    yours.loc[ROWS, COLUMNS]
except Exception:  # an answer of any kind, or none
    yours = right_table
score, n = 0, int(right_table.loc["Conv1", "n"])
most, carried = right_table.loc["Total", "parameters"], yours.loc["Total", "parameters"]
most = max(most, carried) if carried < 2 * most else most
with check.using(filled_table=right_table.copy):
    net = small_net().eval()
    images = torch.randn(2, 3, n, n, generator=torch.Generator().manual_seed(53))
    output = net(images)  # a lazy layer has its parameters after it
    output.square().sum().backward()
    with torch.no_grad():
        one, other = 100 * images[:1], 100 * images[1:]
        together, neither = net(one + other), net(torch.zeros_like(one))
        apart = net(one) + net(other)
parameters = dict(net.named_parameters())
count = sum(parameter.numel() for parameter in parameters.values())
if 2 * count <= most:
    score += 3
else:
    print(f"{count} parameters are more than half of those of your table.")
windows = {}  # weights with a window, by the module that owns them, also where they are parametrised
for place, value in parameters.items():
    layer, parametrised, _ = place.partition(".parametrizations.")
    layer = layer if parametrised else place.rpartition(".")[0]
    if value.ndim == 4 and layer:
        windows.setdefault(layer, []).append(value.detach().numpy())
distinct = {tuple(value.tobytes() for value in values) for values in windows.values()}
if len(distinct) >= 5:
    score += 2
else:
    print(f"{len(distinct)} convolutions have weights of their own, there should be five.")
if not torch.allclose(apart, together + neither, rtol=1e-3, atol=1e-3 * float(together.abs().max())):
    score += 1
else:
    print("The output is a linear function of the image: without a nonlinearity a stack is one layer.")
idle = [place for place, parameter in parameters.items() if parameter.grad is None]
if not idle:
    score += 2
else:
    print(f"No gradient reaches {', '.join(idle[:3])}.")
score
### END HIDDEN TESTS

# %% [markdown]
# Was your prediction right? The bars show your table's network and the smaller one, convolutions and
# dense layers apart.

# %%
def parts(net):
    """Parameters of the convolutions of a network, and of all else."""
    sizes = [(value.ndim == 4, value.numel()) for value in net.parameters()]
    maps = sum(size for window, size in sizes if window)
    return {"weights of convolutions": maps, "all else": sum(size for _, size in sizes) - maps}


draw.stacked({"table": parts(coursework_net()), "small": parts(small_net())}, "Parameters")

# %% [markdown]
# ## Part E. Three papers (15 points)
#
# Slide 51 gives you something to read. All three are free to read on the web:
#
# - **K**: Krizhevsky, Sutskever and Hinton (2012), *ImageNet Classification with Deep
#   Convolutional Neural Networks*. Your table is a relative of its network.
# - **G**: Glorot and Bengio (2010), *Understanding the difficulty of training deep feedforward
#   neural networks*.
# - **H**: He, Zhang, Ren and Sun (2015), *Delving Deep into Rectifiers*.
#
# Read with a pencil: a paper's numbers can be checked like any others, and some of K's cannot be
# right. **A correction** to K: it says that its images have 224 pixels,
# and that its first layer has 253,440 neurons. Neither fits the layer that it describes: 96
# filters of 11 x 11 with stride 4, no padding, and 55 x 55 outputs.

# %% [markdown]
# ### Exercise `papers` (3 + 12 points)
#
# Answer the twelve questions of the docstring with numbers, best computed in the cell, and with two
# words. One point each. Variances, bounds and fading are accepted within half a percent. "Your" Conv3
# and FC1 are those of your table, right or as you filled it in. All initial weights are drawn with
# mean zero. A **PReLU** is a ReLU whose slope on the left is learnt.
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
# With equal widths Glorot's variance is $1/n$. A ReLU lets half of the mean square pass. Is it the
# mean square that the question asks for?
#
# </details>

# %% nbgrader={"grade_id": "papers", "solution": true} needs=["student", "filled_table"]
def papers():
    """Twelve answers, by key.

    G "glorot_variance"   variance of the initial weights of your FC1
    G "glorot_bound"      and a, if they are uniform from -a to a
    H "he_variance"       variance of the initial weights of your Conv3, followed by a ReLU
    H "prelu_variance"    the same, followed by a PReLU whose slope on the left is 0.25
    H "prelu_parameters"  what PReLUs behind your five convolutions add, one slope per channel
    H "fade"              RMS after 30 ReLU layers of equal width, Glorot's weights, from RMS 1
    H "deep_22"           its 22-layer networks: which converged? "he", "glorot", "both", "neither"
    H "deep_30"           and its 30-layer networks?
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
# When graded, a right table stands for that of part A.
name, references = owner(lambda: student), {}
### BEGIN HIDDEN TESTS
drawn = coursework_table(name)
right_table = drawn.copy()
n, channels = drawn.loc["Conv1", ["n", "channels_in"]]
for row in ROWS[:8]:
    f, p, s, filters = drawn.loc[row, ["f", "p", "s", "channels_out"]]
    conv, out = row.startswith("Conv"), (n + 2 * p - f) // s + 1
    right_table.loc[row, COLUMNS[:6]] = n, channels, f, p, s, out
    size = f * f * channels + 1
    cells = out * out * filters, size if conv else None, conv * filters * size
    right_table.loc[row, COLUMNS[7:]] = cells
    n, channels = out, filters
n = n * n * channels
for row in ROWS[8:11]:
    neurons = drawn.loc[row, "neurons"]
    right_table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, neurons * (n + 1)
    n = neurons
for column in ("neurons", "parameters"):
    right_table.loc["Total", column] = right_table[column].iloc[:11].sum()
references = {"filled_table": right_table.copy}
### END HIDDEN TESTS
with check.using(**references):
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
for key in ("glorot_variance", "he_variance", "prelu_variance"):
    check.that(
        float(answers[key]) < 0.02,
        f"{key} is {answers[key]!r}: too large. Is it a standard deviation, or the fan-in forgotten?",
    )

# %% nbgrader={"grade_id": "hidden-papers", "grade": true, "locked": true, "points": 12}
# Also: each of the twelve answers (1 point each): that of your network, or what your table makes it.
### BEGIN HIDDEN TESTS
name = owner(lambda: student)
try:  # carried errors: what follows from the learner's own table is right, too
    yours = filled_table().apply(pd.to_numeric, errors="coerce")
    yours = yours.where(yours.notna(), right_table.apply(pd.to_numeric, errors="coerce"))
    yours.loc[ROWS, COLUMNS]
except Exception:  # an answer of any kind, or none
    yours = right_table
with check.using(filled_table=right_table.copy):
    answers = papers()
tables = (right_table, yours)
width = float(right_table.loc["FC1", "neurons"])
window, channels = float(right_table.loc["Conv3", "f"]) ** 2, right_table.loc["Conv3", "channels_in"]
ends = [float(k) + width for k in (*(t.loc["FC1", "n"] for t in tables), yours.loc["Pool3", "neurons"])]
fans = [window * float(channels), window * float(yours.loc["Conv3", "channels_in"])]
fans.append(float(yours.loc["Conv3", "filter_plus_1"]) - 1)
variances = [2 / k for k in ends] + [float(answers["glorot_variance"])]  # a mistake costs once
filters = right_table.loc[["Conv1", "Conv2", "Conv3", "Conv4", "Conv5"], "channels_out"].sum()
right = {
    "glorot_variance": [2 / k for k in ends],
    "glorot_bound": [(3 * v) ** 0.5 for v in variances],
    "he_variance": [2 / k for k in fans],
    "prelu_variance": [v / 1.0625 for v in (*(2 / k for k in fans), float(answers["he_variance"]))],
    "prelu_parameters": [filters],
    "fade": [2**-15],
    "gap": [160],
    "raw_224": [54.25],
    "neurons_1": [290_400],
    "patches": [2_178],
}
WHERE = {
    "glorot_variance": "G, equation 12: what is FC1's fan-in, what its fan-out?",
    "glorot_bound": "G, equation 16: the variance of a uniform distribution from -a to a.",
    "he_variance": "H, equation 10: a convolution's fan-in.",
    "prelu_variance": "H, equation 15.",
    "prelu_parameters": "One slope for each channel that a convolution gives.",
    "fade": "Hint 3, and what RMS stands for.",
    "gap": "A difference of two percentages, of 100,000.",
    "raw_224": "Slide 17's formula, as it comes.",
    "neurons_1": "55 x 55 for each of 96 filters.",
    "patches": "How many places has a window of 224 along 256 pixels? And mirrored?",
    "deep_22": "H, figure 2.",
    "deep_30": "H, figure 3.",
}
score, wrong = 0, []
for key, numbers in right.items():
    room = 0.005 if key in ("glorot_bound", "fade") or "variance" in key else 1e-4
    hit = any(abs(float(answers[key]) - k) <= room * k for k in numbers)
    score, wrong = score + hit, wrong + [key] * (not hit)
for key, word in (("deep_22", "both"), ("deep_30", "he")):
    score, wrong = score + (answers[key] == word), wrong + [key] * (answers[key] != word)
for key in wrong:
    print(f"Think again about {key}: {WHERE[key]}")
score
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** after how many layers has Glorot's signal fallen to a hundredth? The picture is
# drawn from your answer.

# %%
predict.keep("layers to a hundredth", None)

# %%
fade = papers()["fade"]
draw.fading(fade)
predict.compare("layers to a hundredth", math.ceil(30 * math.log(0.01) / math.log(fade)))

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
# - what your network looks like, and where its neurons and its parameters are;
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
# - Is your own name in the cell `student`? The next cell says so once more.
# - Run the cells of tests, or Validate. What they say is for you alone.

# %%
print(name_fault(student) or f"This is the work of {student}.")
predict.table()

# %% [markdown]
# ## Remember
#
# > - A network can be checked before it exists: by table, by program, and one against the other.
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
# ★★ **The tower.** K's network ran on two processors, and slide 49 is one half of it. Which layers see
# both halves, and how many parameters does that add? (60,965,224 in all.)
#
# ★★★ **Train it.** Scale your network down to 28 pixels and 10 classes, keep its proportions, and try
# it on lesson 04's digits, beside your small one. Was your report right?
