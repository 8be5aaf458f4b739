# %% [markdown]
# Answers to lesson 03, right and wrong. A cell replaces its exercise's solution cell.

# %% right output_size: stands the filter at one position after the other and counts
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    if n < 1 or f < 1 or s < 1 or d < 1 or p < 0:
        raise ValueError("a size, stride or dilation below 1, or a negative padding")
    last_tap, end = d * (f - 1), n + 2 * p
    if last_tap >= end:
        raise ValueError("does not fit")
    count, left = 0, 0
    while left + last_tap < end:
        count, left = count + 1, left + s
    hangs_over = left - s + last_tap < end - 1
    if ceil and hangs_over and left < n + p:
        count += 1
    return count


# %% right output_size: exact fractions, and a NumPy integer as the answer
from fractions import Fraction
from math import ceil as up
from math import floor as down

import numpy as np


def output_size(n, f, p=0, s=1, d=1, ceil=False):
    for name, value, least in (("n", n, 1), ("f", f, 1), ("p", p, 0), ("s", s, 1), ("d", d, 1)):
        if value < least:
            raise ValueError(f"{name} is {value}")
    steps = Fraction(int(n + 2 * p - d * (f - 1) - 1), int(s))
    if steps < 0:
        raise ValueError("the filter is too large")
    last = up(steps) if ceil else down(steps)
    while ceil and last * s >= n + p:
        last -= 1
    return np.int64(last + 1)


# %% right output_size: asks torch, and says no before torch would
import torch
from torch.nn import functional


def output_size(n, f, p=0, s=1, d=1, ceil=False):
    reach = d * (f - 1) + 1
    if min(n, f, s, d) <= 0 or p < 0 or reach > n + 2 * p:
        raise ValueError((n, f, p, s, d))
    if ceil:
        x = torch.zeros(1, 1, n)
        return functional.max_pool1d(x, f, s, p, d, ceil_mode=True).shape[-1]
    return functional.conv1d(
        torch.zeros(1, 1, n + 2 * p), torch.zeros(1, 1, f), None, s, 0, d
    ).size(2)


# %% wrong output_size: forgets the floor loses=["test-output_size", "hidden-output_size"]
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    if min(n, f, s, d) < 1 or p < 0 or d * (f - 1) + 1 > n + 2 * p:
        raise ValueError("not possible")
    steps = (n + 2 * p - d * (f - 1) - 1) / s
    if ceil:
        steps = -(-(n + 2 * p - d * (f - 1) - 1) // s)
        return steps if steps * s >= n + p else steps + 1
    return steps + 1

# %% [markdown] says=["output_size(8, 3, s=2) is 3.5, 3 was expected", "is 17.5, 17 was expected"]
# **It looks as if a step that does not fit any more is counted in part.** There is no half window: the slides' formula
# (17, 18, 23) leaves out that its quotient is rounded down.
#
# *Compare:* along 10 pixels a window of 3 with stride 4 begins at pixel 0 and at pixel 4; the next, at pixel 8, would end
# outside. So the output has 2 numbers, while (10 - 3) / 4 + 1 = 2.75.


# %% wrong output_size: rounds to the nearest, and Python rounds 2.5 to 2 loses=["hidden-output_size"]
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    if min(n, f, s, d) < 1 or p < 0 or d * (f - 1) + 1 > n + 2 * p:
        raise ValueError("not possible")
    room = n + 2 * p - d * (f - 1) - 1
    if ceil:
        out = -(-room // s) + 1
        return out - ((out - 1) * s >= n + p)
    return round(room / s) + 1


# %% wrong output_size: pads on one side only loses=["test-output_size", "hidden-output_size"]
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    room = n + p - d * (f - 1) - 1
    if min(n, f, s, d) < 1 or p < 0 or room < 0:
        raise ValueError("not possible")
    if ceil:
        out = -(-room // s) + 1
        return out - ((out - 1) * s >= n + p)
    return room // s + 1

# %% [markdown] says=["output_size(5, 3, p=1, s=1) is 4, 5 was expected", "is 71, 72 was expected"]
# **It looks as if the padding is counted on one side.** p is its width on each side (slide 18).
#
# *Compare:* 10 pixels with p = 2 are 2 + 10 + 2 = 14 pixels wide, not 12.


# %% wrong output_size: dilation makes the filter f * d wide loses=["test-output_size", "hidden-output_size"]
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    room = n + 2 * p - d * f
    if min(n, f, s, d) < 1 or p < 0 or room < 0:
        raise ValueError("not possible")
    if ceil:
        out = -(-room // s) + 1
        return out - ((out - 1) * s >= n + p)
    return room // s + 1

# %% [markdown] says=["output_size(10, 3, d=3) is 2, 4 was expected", "is 16, 17 was expected"]
# **It looks as if a dilated filter is taken to be f times d wide.** Dilation moves the taps apart; after the last one
# there is no gap.
#
# *Compare:* 2 taps with dilation 5 lie on pixels 0 and 5: they reach over 6 pixels, not 10.


# %% wrong output_size: ceil without the window that starts in the right padding loses=["hidden-output_size"]
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    room = n + 2 * p - d * (f - 1) - 1
    if min(n, f, s, d) < 1 or p < 0 or room < 0:
        raise ValueError("not possible")
    return (-(-room // s) if ceil else room // s) + 1


# %% wrong output_size: ceil leaves out a window that hangs over into padding, not only one that starts there loses=["hidden-output_size"]
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    room = n + 2 * p - d * (f - 1) - 1
    if min(n, f, s, d) < 1 or p < 0 or room < 0:
        raise ValueError("not possible")
    out = (-(-room // s) if ceil else room // s) + 1
    if ceil and p and room % s:
        out -= 1
    return out


# %% wrong output_size: takes the exception of ceil for a rule of floor, too loses=["hidden-output_size"]
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    room = n + 2 * p - d * (f - 1) - 1
    if min(n, f, s, d) < 1 or p < 0 or room < 0:
        raise ValueError("not possible")
    starts = range(0, room + (s if ceil else 1), s)
    return sum(start < n + p for start in starts)


# %% wrong output_size: notices a filter that does not fit, but divides by a stride of 0 loses=["hidden-output_size"]
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    room = n + 2 * p - d * (f - 1) - 1
    if room < 0:
        raise ValueError("the filter does not fit")
    if not ceil:
        return room // s + 1
    out = -(-room // s) + 1
    return out - 1 if (out - 1) * s >= n + p else out


# %% wrong output_size: compares the filter with the image and forgets that padding makes room loses=["hidden-output_size"]
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    if min(n, f, s, d) < 1 or p < 0 or d * (f - 1) + 1 > n:
        raise ValueError("the filter does not fit")
    room = n + 2 * p - d * (f - 1) - 1
    if not ceil:
        return room // s + 1
    out = -(-room // s) + 1
    return out - 1 if (out - 1) * s >= n + p else out


# %% wrong output_size: refuses a stride that leaves a remainder loses=["test-output_size", "hidden-output_size"]
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    if min(n, f, s, d) < 1 or p < 0 or d * (f - 1) + 1 > n + 2 * p:
        raise ValueError("not possible")
    room = n + 2 * p - d * (f - 1) - 1
    if ceil:
        out = -(-room // s) + 1
        return out - 1 if (out - 1) * s >= n + p else out
    if room % s:
        raise ValueError("the stride does not divide")
    return room // s + 1


# %% wrong output_size: the + 1 stands inside the division loses=["test-output_size", "hidden-output_size"]
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    if min(n, f, s, d) < 1 or p < 0 or d * (f - 1) + 1 > n + 2 * p:
        raise ValueError("not possible")
    room = n + 2 * p - d * (f - 1) - 1
    if ceil:
        out = -(-room // s) + 1
        return out - 1 if (out - 1) * s >= n + p else out
    return (room + 1) // s

# %% [markdown] says=["output_size(5, 3, p=1, s=2) is 2, 3 was expected", "output_size(16, 3, p=0, s=4, d=3, ceil=False) is 2, 3 was expected"]
# **It looks as if the 1 is added before the division.** The quotient counts steps; the start is one more place (slide
# 17).
#
# *Compare:* a walk of 10 metres in steps of 5 metres has 2 steps and 3 footprints, not (10 + 1) / 5 = 2.


# %% wrong output_size: n below 1 allowed where padding makes room loses=["hidden-output_size"]
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    reach = d * (f - 1) + 1
    free = n + 2 * p - reach
    if min(f, s, d) < 1 or p < 0 or free < 0:
        raise ValueError("no such setting")
    if not ceil:
        return free // s + 1
    out = -(-free // s) + 1
    if (out - 1) * s >= n + p:
        out -= 1
    return out


# %% right same_padding: tries paddings with output_size until one fits
def same_padding(f):
    for p in range(f):
        if output_size(100, f, p) == 100:
            return p
    raise ValueError(f"no padding keeps the size under a filter of {f}")


# %% right same_padding: quotient and remainder together
def same_padding(f):
    half, odd_one_out = divmod(f - 1, 2)
    if odd_one_out:
        raise ValueError("the two sides would differ")
    return half


# %% wrong same_padding: gives even filters a padding, too loses=["test-same_padding", "hidden-same_padding"]
def same_padding(f):
    return f // 2


# %% wrong same_padding: counts both sides together loses=["test-same_padding", "hidden-same_padding"]
def same_padding(f):
    if f % 2 == 0:
        raise ValueError("even")
    return f - 1

# %% [markdown] says=["same_padding(3) is 2, 1 was expected", "2 * same_padding(3) is 4, 2 was expected"]
# **It looks as if p is the padding of both sides together.** p is the padding on each side (slide 18).
#
# *Compare:* a filter of 7 makes a row 6 pixels shorter: 3 zeros on the left and 3 on the right give them back, so p is 3.


# %% wrong same_padding: always 1, as with the usual 3 x 3 loses=["test-same_padding", "hidden-same_padding"]
def same_padding(f):
    if f % 2 == 0:
        raise ValueError("even")
    return 1


# %% wrong same_padding: rejects a filter of 1, which needs no padding loses=["hidden-same_padding"]
def same_padding(f):
    p = (f - 1) / 2
    if p == 0 or p != int(p):
        raise ValueError("no padding")
    return int(p)


# %% wrong same_padding: a table learnt by heart, the usual filters only loses=["hidden-same_padding"]
def same_padding(f):
    usual = {1: 0, 3: 1, 5: 2, 7: 3}
    if f not in usual:
        raise ValueError("unusual")
    return usual[f]


# %% right conv_parameters: makes one filter and counts it, slice by slice
def conv_parameters(c_in, c_out, f, bias=True):
    one_filter = 0
    for _slice in range(c_in):
        one_filter += f**2
    if bias:
        one_filter += 1
    return one_filter * c_out


# %% right conv_parameters: builds torch's layer on the meta device and asks it
from torch import nn


def conv_parameters(c_in, c_out, f, bias=True):
    layer = nn.Conv2d(c_in, c_out, kernel_size=f, bias=bias, device="meta")
    return sum(p.numel() for p in layer.parameters())


# %% wrong conv_parameters: bias forgotten loses=["test-conv_parameters", "hidden-conv_parameters"]
def conv_parameters(c_in, c_out, f, bias=True):
    return c_out * f * f * c_in

# %% [markdown] says=["conv_parameters(3, 1, 3) is 27, 28 was expected"]
# **It looks as if the biases are missing.** Each filter has one number more than its weights (slide 19: "28 if bias
# term").
#
# *Compare:* 5 filters of 2 x 2 on one channel have 5 x 4 = 20 weights and 5 biases.


# %% wrong conv_parameters: a bias for each weight loses=["test-conv_parameters", "hidden-conv_parameters"]
def conv_parameters(c_in, c_out, f, bias=True):
    weights = c_out * f * f * c_in
    return 2 * weights if bias else weights


# %% wrong conv_parameters: a bias for each slice of a filter loses=["test-conv_parameters", "hidden-conv_parameters"]
def conv_parameters(c_in, c_out, f, bias=True):
    return c_out * c_in * (f * f + bias)


# %% wrong conv_parameters: one bias for the whole layer loses=["test-conv_parameters", "hidden-conv_parameters"]
def conv_parameters(c_in, c_out, f, bias=True):
    return c_out * f * f * c_in + bias

# %% [markdown] says=["conv_parameters(3, 100, 4) is 4801, 4900 was expected"]
# **It looks as if the whole layer has one bias.** Each filter, and so each channel of the output, has its own (slide
# 21).
#
# *Compare:* 5 filters of 2 x 2 on one channel have 20 weights and 5 biases, not 1.


# %% wrong conv_parameters: filters without depth loses=["test-conv_parameters", "hidden-conv_parameters"]
def conv_parameters(c_in, c_out, f, bias=True):
    return c_out * (f * f + bias)

# %% [markdown] says=["conv_parameters(3, 1, 3) is 10, 28 was expected"]
# **It looks as if filters are counted without their depth.** A filter covers all channels of its input, with weights
# of its own for each (slide 19).
#
# *Compare:* on an image of 4 channels, a filter of 2 x 2 is a block of 2 x 2 x 4 = 16 weights, not 4.


# %% wrong conv_parameters: the biases go with the input's channels loses=["test-conv_parameters", "hidden-conv_parameters"]
def conv_parameters(c_in, c_out, f, bias=True):
    return c_out * c_in * f * f + c_in * bias


# %% wrong conv_parameters: adds the bias even when there is none loses=["hidden-conv_parameters"]
def conv_parameters(c_in, c_out, f, bias=True):
    return c_out * (f * f * c_in + 1)


# %% right dense_parameters: a convolution with a filter of 1 x 1
def dense_parameters(n_in, n_out, bias=True):
    return conv_parameters(n_in, n_out, 1, bias)


# %% right dense_parameters: counts the entries of a weight matrix and a bias vector
import numpy as np


def dense_parameters(n_in, n_out, bias=True):
    weights = np.broadcast_to(0.0, (n_out, n_in))
    biases = np.broadcast_to(0.0, (n_out,) if bias else (0,))
    return weights.size + biases.size


# %% wrong dense_parameters: bias forgotten loses=["test-dense_parameters", "hidden-dense_parameters"]
def dense_parameters(n_in, n_out, bias=True):
    return n_in * n_out

# %% [markdown] says=["dense_parameters(3072, 10) is 30720, 30730 was expected"]
# **It looks as if the biases are missing.** Each neuron has a bias beside its weights.
#
# *Compare:* 4 inputs joined to 3 neurons have 12 weights and 3 biases.


# %% wrong dense_parameters: a bias for each input loses=["test-dense_parameters", "hidden-dense_parameters"]
def dense_parameters(n_in, n_out, bias=True):
    return n_in * (n_out + bias)

# %% [markdown] says=["dense_parameters(3072, 10) is 33792, 30730 was expected"]
# **It looks as if each input has a bias.** A bias belongs to a neuron: it is added to the neuron's sum.
#
# *Compare:* 4 inputs joined to 3 neurons have 12 weights and 3 biases, not 4.


# %% wrong dense_parameters: one bias for the whole layer loses=["test-dense_parameters", "hidden-dense_parameters"]
def dense_parameters(n_in, n_out, bias=True):
    return n_in * n_out + int(bias)


# %% wrong dense_parameters: a bias for each weight loses=["test-dense_parameters", "hidden-dense_parameters"]
def dense_parameters(n_in, n_out, bias=True):
    return n_in * n_out * (2 if bias else 1)


# %% wrong dense_parameters: adds the bias even when there is none loses=["hidden-dense_parameters"]
def dense_parameters(n_in, n_out, bias=True):
    return (n_in + 1) * n_out


# %% right mnist_table: typed in from pencil and paper, empty cells as NaN
import numpy as np


def mnist_table():
    e = np.nan
    cells = np.array(
        [
            [28, 1, 5, 0, 1, 24, 10, 5760, 26, 260],
            [24, 10, 2, 0, 2, 12, 10, 1440, e, 0],
            [12, 10, 5, 0, 1, 8, 20, 1280, 251, 5020],
            [8, 20, 2, 0, 2, 4, 20, 320, e, 0],
            [320, e, e, e, e, e, e, 100, 321, 32100],
            [100, e, e, e, e, e, e, 10, 101, 1010],
            [e, e, e, e, e, e, e, 8910, e, 38390],
        ]
    )
    return pd.DataFrame(cells, index=MNIST_ROWS, columns=COLUMNS)


# %% right mnist_table: column by column with pandas, whole numbers that may be missing
def mnist_table():
    t = pd.DataFrame(index=MNIST_ROWS, columns=COLUMNS, dtype="Int64")
    maps = ["Conv1", "Pool1", "Conv2", "Pool2"]
    t.loc[maps, "f"] = [5, 2, 5, 2]
    t.loc[maps, "p"] = 0
    t.loc[maps, "s"] = [1, 2, 1, 2]
    t.loc[maps, "channels_out"] = [10, 10, 20, 20]
    t.loc[maps, "channels_in"] = [1, 10, 10, 20]
    n = 28
    for name in maps:
        t.loc[name, "n"] = n
        n = output_size(n, int(t.loc[name, "f"]), s=int(t.loc[name, "s"]))
        t.loc[name, "out"] = n
    t.loc[maps, "neurons"] = t.loc[maps, "out"] ** 2 * t.loc[maps, "channels_out"]
    t.loc[["FC1", "Softmax"], "n"] = [int(t.loc["Pool2", "neurons"]), 100]
    t.loc[["FC1", "Softmax"], "neurons"] = [100, 10]
    t.loc[["FC1", "Softmax"], "filter_plus_1"] = t.loc[["FC1", "Softmax"], "n"] + 1
    for name in ("Conv1", "Conv2"):
        t.loc[name, "filter_plus_1"] = t.loc[name, "f"] ** 2 * t.loc[name, "channels_in"] + 1
    t["parameters"] = t["filter_plus_1"] * t["channels_out"].fillna(t["neurons"])
    t["parameters"] = t["parameters"].fillna(0)
    t.loc["Total", ["neurons", "parameters"]] = [t["neurons"].sum(), t["parameters"].sum()]
    return t


# %% right mnist_table: a dictionary for each row, empty cells as empty words
def mnist_table():
    def dense(n_in, n_out):
        return {
            "n": n_in,
            "neurons": n_out,
            "filter_plus_1": n_in + 1,
            "parameters": dense_parameters(n_in, n_out),
        }

    def maps(n, c, f, s, filters=None):
        out, after = output_size(n, f, s=s), filters or c
        row = {"n": n, "channels_in": c, "f": f, "p": 0, "s": s, "out": out, "channels_out": after}
        row |= {"neurons": out * out * after, "parameters": 0}
        if filters:
            row |= {"filter_plus_1": f * f * c + 1, "parameters": conv_parameters(c, filters, f)}
        return row

    rows = [maps(28, 1, 5, 1, 10), maps(24, 10, 2, 2), maps(12, 10, 5, 1, 20), maps(8, 20, 2, 2)]
    rows += [dense(320, 100), dense(100, 10)]
    rows.append({key: sum(row[key] for row in rows) for key in ("neurons", "parameters")})
    return pd.DataFrame(
        [[row.get(name, "") for name in COLUMNS] for row in rows], MNIST_ROWS, COLUMNS
    )


# %% wrong mnist_table: bias forgotten loses=["test-mnist_table", "hidden-mnist_table"]
def mnist_table():
    rows = [
        [28, 1, 5, 0, 1, 24, 10, 5760, 25, 250],
        [24, 10, 2, 0, 2, 12, 10, 1440, None, 0],
        [12, 10, 5, 0, 1, 8, 20, 1280, 250, 5000],
        [8, 20, 2, 0, 2, 4, 20, 320, None, 0],
        [320, *6 * [None], 100, 320, 32000],
        [100, *6 * [None], 10, 100, 1000],
        [*7 * [None], 8910, None, 38250],
    ]
    return pd.DataFrame(rows, index=MNIST_ROWS, columns=COLUMNS)


# %% wrong mnist_table: pools counted as if their windows were learnt loses=["test-mnist_table", "hidden-mnist_table"]
def mnist_table():
    rows = [
        [28, 1, 5, 0, 1, 24, 10, 5760, 26, 260],
        [24, 10, 2, 0, 2, 12, 10, 1440, 5, 50],
        [12, 10, 5, 0, 1, 8, 20, 1280, 251, 5020],
        [8, 20, 2, 0, 2, 4, 20, 320, 5, 100],
        [320, *6 * [None], 100, 321, 32100],
        [100, *6 * [None], 10, 101, 1010],
        [*7 * [None], 8910, None, 38540],
    ]
    return pd.DataFrame(rows, index=MNIST_ROWS, columns=COLUMNS)


# %% wrong mnist_table: the image counted among the neurons loses=["test-mnist_table", "hidden-mnist_table"]
def mnist_table():
    rows = [
        [28, 1, 5, 0, 1, 24, 10, 5760, 26, 260],
        [24, 10, 2, 0, 2, 12, 10, 1440, None, 0],
        [12, 10, 5, 0, 1, 8, 20, 1280, 251, 5020],
        [8, 20, 2, 0, 2, 4, 20, 320, None, 0],
        [320, *6 * [None], 100, 321, 32100],
        [100, *6 * [None], 10, 101, 1010],
        [*7 * [None], 28 * 28 + 8910, None, 38390],
    ]
    return pd.DataFrame(rows, index=MNIST_ROWS, columns=COLUMNS)


# %% wrong mnist_table: the second pool halves the channels along with the size loses=["hidden-mnist_table"]
def mnist_table():
    rows = [
        [28, 1, 5, 0, 1, 24, 10, 5760, 26, 260],
        [24, 10, 2, 0, 2, 12, 10, 1440, None, 0],
        [12, 10, 5, 0, 1, 8, 20, 1280, 251, 5020],
        [8, 20, 2, 0, 2, 4, 10, 160, None, 0],
        [160, *6 * [None], 100, 161, 16100],
        [100, *6 * [None], 10, 101, 1010],
        [*7 * [None], 8750, None, 22390],
    ]
    return pd.DataFrame(rows, index=MNIST_ROWS, columns=COLUMNS)


# %% wrong mnist_table: filters without depth, so that Conv2 has 26 numbers each loses=["hidden-mnist_table"]
def mnist_table():
    rows = [
        [28, 1, 5, 0, 1, 24, 10, 5760, 26, 260],
        [24, 10, 2, 0, 2, 12, 10, 1440, None, 0],
        [12, 10, 5, 0, 1, 8, 20, 1280, 26, 520],
        [8, 20, 2, 0, 2, 4, 20, 320, None, 0],
        [320, *6 * [None], 100, 321, 32100],
        [100, *6 * [None], 10, 101, 1010],
        [*7 * [None], 8910, None, 33890],
    ]
    return pd.DataFrame(rows, index=MNIST_ROWS, columns=COLUMNS)


# %% wrong mnist_table: pools have no neurons, because they learn nothing loses=["hidden-mnist_table"]
def mnist_table():
    rows = [
        [28, 1, 5, 0, 1, 24, 10, 5760, 26, 260],
        [24, 10, 2, 0, 2, 12, 10, 0, None, 0],
        [12, 10, 5, 0, 1, 8, 20, 1280, 251, 5020],
        [8, 20, 2, 0, 2, 4, 20, 0, None, 0],
        [320, *6 * [None], 100, 321, 32100],
        [100, *6 * [None], 10, 101, 1010],
        [*7 * [None], 7150, None, 38390],
    ]
    return pd.DataFrame(rows, index=MNIST_ROWS, columns=COLUMNS)


# %% right mistake: follows the damage from row to row with the functions of before
def mistake():
    inputs = output_size(10, 2, s=2) ** 2 * 16
    neurons = 28 * 28 * 6 + 14 * 14 * 6 + 10 * 10 * 16 + inputs + 120 + 100 + 10
    parameters = conv_parameters(1, 6, 5) + conv_parameters(6, 16, 5)
    for n_in, n_out in ((inputs, 120), (120, 100), (100, 10)):
        parameters += dense_parameters(n_in, n_out)
    return {"row": "Pool2", "rule": "D", "neurons": neurons, "parameters": parameters}


# %% right mistake: takes the surplus off the slide's totals, which are floats in its frame
def mistake():
    surplus = SLIDE_31.loc["Pool2", "neurons"] * (1 - 16 / 128)
    total = SLIDE_31.loc["Total"]
    return dict(
        parameters=total["parameters"] - 120 * surplus,
        neurons=total["neurons"] - surplus,
        rule="D",
        row="Pool2",
    )


# %% wrong mistake: blames FC1, where the number looks too large loses=["hidden-mistake"]
def mistake():
    return {"row": "FC1", "rule": "F", "neurons": 8110, "parameters": 63802}


# %% wrong mistake: the right row, but it is said to break the rule of its size loses=["hidden-mistake"]
def mistake():
    return {"row": "Pool2", "rule": "B", "neurons": 8110, "parameters": 63802}


# %% wrong mistake: mends the pool and forgets what FC1 reads from it loses=["test-mistake", "hidden-mistake"]
def mistake():
    return {"row": "Pool2", "rule": "D", "neurons": 8110, "parameters": 399802}


# %% wrong mistake: believes the 128 and blames Conv2 for its 16 filters loses=["test-mistake", "hidden-mistake"]
def mistake():
    neurons = 10910 - 1600 + 10 * 10 * 128
    parameters = 399802 - 2416 + conv_parameters(6, 128, 5)
    return {"row": "Conv2", "rule": "C", "neurons": neurons, "parameters": parameters}


# %% wrong mistake: takes the pool's neurons for inputs that do not count among neurons loses=["test-mistake", "hidden-mistake"]
def mistake():
    return {"row": "Pool2", "rule": "D", "neurons": 8110 - 1176 - 400, "parameters": 63802}


# %% wrong mistake: says that all is well loses=["test-mistake", "hidden-mistake"]
def mistake():
    return {"row": "Total", "rule": "E", "neurons": 10910, "parameters": 399802}


# %% wrong mistake: the pool is said to put out one channel loses=["hidden-mistake"]
def mistake():
    inputs = 5 * 5
    surplus = 3200 - inputs
    return {
        "row": "Pool2",
        "rule": "D",
        "neurons": 10910 - surplus,
        "parameters": 399802 - 120 * surplus,
    }


# %% right harley_table: a copy of the slide's frame, mended where it is wrong
def harley_table():
    table = SLIDE_31.copy()
    table.loc[["Pool1", "Pool2"], "parameters"] = 0
    table.loc["Pool2", ["channels_out", "neurons"]] = [16, 400]
    table.loc["FC1", ["n", "filter_plus_1", "parameters"]] = [400, 401, 120 * 401]
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:-1].sum()
    return table


# %% right harley_table: one generator of rows, empty cells as None
def harley_table():
    def rows():
        n, c = 32, 1
        for f, s, filters in ((5, 1, 6), (2, 2, 0), (5, 1, 16), (2, 2, 0)):
            out, after = output_size(n, f, 0, s), filters if filters else c
            one = f * f * c + 1 if filters else None
            yield n, c, f, 0, s, out, after, out**2 * after, one, filters * (one or 0)
            n, c = out, after
        inputs = n * n * c
        for neurons in (120, 100, 10):
            yield inputs, *6 * (None,), neurons, inputs + 1, neurons * (inputs + 1)
            inputs = neurons

    layers = list(rows())
    neurons, parameters = (sum(column) for column in list(zip(*layers, strict=True))[7::2])
    layers.append((*7 * (None,), neurons, None, parameters))
    return pd.DataFrame(layers, HARLEY_ROWS, COLUMNS)


# %% wrong harley_table: corrects SLIDE_31 itself, without a copy loses=["test-harley_table", "hidden-harley_table"]
def harley_table():
    table = SLIDE_31
    table.loc["Pool2", ["channels_out", "neurons"]] = [16, 400]
    table.loc["FC1", ["n", "filter_plus_1", "parameters"]] = [400, 401, 48120]
    table.loc[["Pool1", "Pool2"], "parameters"] = 0
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].drop("Total").sum()
    return table


# %% wrong harley_table: copies the slide, mistake and all loses=["hidden-harley_table"]
def harley_table():
    table = SLIDE_31.copy()
    table.loc[["Pool1", "Pool2"], "parameters"] = 0
    return table


# %% wrong harley_table: mends the pool and leaves FC1 as it was loses=["test-harley_table", "hidden-harley_table"]
def harley_table():
    table = SLIDE_31.copy()
    table.loc[["Pool1", "Pool2"], "parameters"] = 0
    table.loc["Pool2", ["channels_out", "neurons"]] = [16, 400]
    table.loc["Total", "neurons"] = 8110
    return table


# %% wrong harley_table: mends all rows and leaves the totals loses=["test-harley_table", "hidden-harley_table"]
def harley_table():
    table = SLIDE_31.copy()
    table.loc[["Pool1", "Pool2"], "parameters"] = 0
    table.loc["Pool2", ["channels_out", "neurons"]] = [16, 400]
    table.loc["FC1", ["n", "filter_plus_1", "parameters"]] = [400, 401, 120 * 401]
    return table


# %% wrong harley_table: gives Conv2 128 filters, so that the pool keeps its 128 channels loses=["hidden-harley_table"]
def harley_table():
    table = SLIDE_31.copy()
    table.loc[["Pool1", "Pool2"], "parameters"] = 0
    table.loc["Conv2", ["channels_out", "neurons", "parameters"]] = [128, 12800, 128 * 151]
    table.loc["Pool2", "channels_in"] = 128
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:-1].sum()
    return table


# %% wrong harley_table: forgets the biases of the dense layer it counts anew loses=["hidden-harley_table"]
def harley_table():
    table = SLIDE_31.copy()
    table.loc[["Pool1", "Pool2"], "parameters"] = 0
    table.loc["Pool2", ["channels_out", "neurons"]] = [16, 400]
    table.loc["FC1", ["n", "filter_plus_1", "parameters"]] = [400, 401, 120 * 400]
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:-1].sum()
    return table


# %% right receptive_field: walks back from one neuron, and from its neighbour, to the image
def receptive_field(layers):
    def first_and_last(neuron, below):
        first = last = neuron
        for layer in reversed(below):
            f, s, d = (*layer, 1)[:3]
            first, last = first * s, last * s + d * (f - 1)
        return first, last

    answer = []
    for depth in range(1, len(layers) + 1):
        first, last = first_and_last(0, layers[:depth])
        neighbour, _ = first_and_last(1, layers[:depth])
        answer.append((last - first + 1, neighbour - first))
    return answer


# %% right receptive_field: cumulative sums and products in NumPy, pairs as lists
import numpy as np


def receptive_field(layers):
    if not len(layers):
        return []
    f, s, d = np.array([[*layer, 1][:3] for layer in layers]).T
    jumps = np.cumprod(s)
    before = np.concatenate([[1], jumps[:-1]])
    sizes = 1 + np.cumsum(d * (f - 1) * before)
    return [list(pair) for pair in zip(sizes, jumps)]


# %% wrong receptive_field: the layer's own stride counts already for itself loses=["test-receptive_field", "hidden-receptive_field"]
def receptive_field(layers):
    size, jump, answer = 1, 1, []
    for f, s, *rest in layers:
        jump *= s
        size += (rest[0] if rest else 1) * (f - 1) * jump
        answer.append((size, jump))
    return answer

# %% [markdown] says=["is [(5, 1), (7, 2), (15, 2), (19, 4)], [(5, 1), (6, 2), (14, 2), (16, 4)] was expected"]
# **It looks as if a layer's own stride widens what it sees itself.** The stride sets how far apart its outputs stand:
# that counts from the next layer on.
#
# *Compare:* a single layer with a filter of 4 and stride 3: one output sees 4 pixels, whatever the stride. Two outputs
# side by side see 7.


# %% wrong receptive_field: strides change nothing of what is seen loses=["test-receptive_field", "hidden-receptive_field"]
def receptive_field(layers):
    size, jump, answer = 1, 1, []
    for f, s, *rest in layers:
        size += (rest[0] if rest else 1) * (f - 1)
        jump *= s
        answer.append((size, jump))
    return answer


# %% wrong receptive_field: adds strides where they multiply, and starts from 0 loses=["test-receptive_field", "hidden-receptive_field"]
def receptive_field(layers):
    size, strides, answer = 1, 0, []
    for f, s, *rest in layers:
        size += (rest[0] if rest else 1) * (f - 1) * max(strides, 1)
        strides += s
        answer.append((size, strides))
    return answer


# %% wrong receptive_field: a whole filter is added, not a filter less one loses=["test-receptive_field", "hidden-receptive_field"]
def receptive_field(layers):
    size, jump, answer = 0, 1, []
    for f, s, *rest in layers:
        size += (rest[0] if rest else 1) * f * jump
        jump *= s
        answer.append((size, jump))
    return answer

# %% [markdown] says=["receptive_field([(3, 1), (3, 1)]) is [(3, 1), (6, 1)], [(3, 1), (5, 1)] was expected"]
# **It looks as if each layer adds a whole filter.** Neighbours overlap: the first of them is seen already, and only
# the others add pixels.
#
# *Compare:* two neighbours that see 5 pixels each, one pixel apart, see 6 pixels together, not 7 or 10.


# %% wrong receptive_field: leaves dilation out loses=["test-receptive_field", "hidden-receptive_field"]
def receptive_field(layers):
    size, jump, answer = 1, 1, []
    for f, s, *_ in layers:
        size += (f - 1) * jump
        jump *= s
        answer.append((size, jump))
    return answer


# %% wrong receptive_field: takes all layers to be written as the first one is loses=["hidden-receptive_field"]
def receptive_field(layers):
    size, jump, answer = 1, 1, []
    dilated = len(layers[0]) == 3
    for layer in layers:
        f, s, d = layer if dilated else (*layer, 1)
        size += d * (f - 1) * jump
        jump *= s
        answer.append((size, jump))
    return answer


# %% wrong receptive_field: dilation moves the neighbours apart as a stride would loses=["test-receptive_field", "hidden-receptive_field"]
def receptive_field(layers):
    size, jump, answer = 1, 1, []
    for f, s, *rest in layers:
        d = rest[0] if rest else 1
        size += d * (f - 1) * jump
        jump *= s * d
        answer.append((size, jump))
    return answer


# %% wrong receptive_field: gives the last layer's pair only loses=["test-receptive_field", "hidden-receptive_field"]
def receptive_field(layers):
    size, jump = 1, 1
    for f, s, *rest in layers:
        size += (rest[0] if rest else 1) * (f - 1) * jump
        jump *= s
    return size, jump


# %% right quiz: lets the functions decide about words, too
def quiz():
    def net(n=28, pools=True, filters=10, p=0, s=1):
        counts, neurons = [conv_parameters(1, filters, 5), conv_parameters(filters, 20, 5)], []
        for k, channels in enumerate((filters, 20)):
            n = output_size(n, 5, p=p, s=s) if k == 0 else output_size(n, 5)
            neurons.append(n * n * channels)
            if pools:
                n = output_size(n, 2, s=2)
                neurons.append(n * n * channels)
        counts += [dense_parameters(n * n * 20, 100), dense_parameters(100, 10)]
        return counts, [*neurons, 100, 10]

    def word(new, old):
        return "more" if new > old else "fewer" if new < old else "same"

    (old, old_neurons), (big, _), (flat, flat_neurons) = net(), net(32), net(pools=False)
    (wide, _), (strided, strided_neurons), (padded, _) = net(filters=20), net(s=2), net(p=2)
    return {
        "image_conv": word(sum(big[:2]), sum(old[:2])),
        "image_dense": word(big[2], old[2]),
        "pools_conv": word(sum(flat[:2]), sum(old[:2])),
        "pools_neurons": word(sum(flat_neurons), sum(old_neurons)),
        "average_total": "same",
        "stride_conv": word(strided[0], old[0]),
        "stride_neurons": word(strided_neurons[0], old_neurons[0]),
        "padding_total": word(sum(padded), sum(old)),
        "filters_conv2": word(wide[1], old[1]),
        "filters_dense": word(wide[2], old[2]),
        "image_total": sum(big),
        "pools_total": sum(flat),
    }


# %% right quiz: thought through, and written down the other way round
def quiz():
    same = ["image_conv", "pools_conv", "average_total", "stride_conv", "filters_dense"]
    more = ["image_dense", "pools_neurons", "padding_total", "filters_conv2"]
    answers = dict.fromkeys(same, "same") | dict.fromkeys(more, "more")
    answers["stride_neurons"] = "fewer"
    answers["pools_total"] = 38390 + 100 * 20 * (20 * 20 - 4 * 4)
    answers["image_total"] = 38390 + 100 * 20 * (5 * 5 - 4 * 4)
    return answers


# %% wrong quiz: a larger image needs larger filters loses=["hidden-quiz"]
def quiz():
    return {
        "image_conv": "more",
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


# %% wrong quiz: slide 26 taken at its word, pools have parameters to lose loses=["hidden-quiz"]
def quiz():
    return {
        "image_conv": "same",
        "image_dense": "more",
        "pools_conv": "more",
        "pools_neurons": "fewer",
        "average_total": "same",
        "stride_conv": "same",
        "stride_neurons": "fewer",
        "padding_total": "same",
        "filters_conv2": "more",
        "filters_dense": "same",
        "image_total": 56390,
        "pools_total": 806390,
    }


# %% wrong quiz: more filters in front make FC1 larger, as if nothing stood between loses=["hidden-quiz"]
def quiz():
    return {
        "image_conv": "same",
        "image_dense": "more",
        "pools_conv": "same",
        "pools_neurons": "more",
        "average_total": "same",
        "stride_conv": "same",
        "stride_neurons": "fewer",
        "padding_total": "more",
        "filters_conv2": "same",
        "filters_dense": "more",
        "image_total": 56390,
        "pools_total": 806390,
    }


# %% wrong quiz: slide 21 taken for the whole net, totals do not depend on the image loses=["hidden-quiz"]
def quiz():
    return {
        "image_conv": "same",
        "image_dense": "same",
        "pools_conv": "same",
        "pools_neurons": "more",
        "average_total": "same",
        "stride_conv": "same",
        "stride_neurons": "fewer",
        "padding_total": "same",
        "filters_conv2": "more",
        "filters_dense": "same",
        "image_total": 38390,
        "pools_total": 806390,
    }


# %% wrong quiz: the net on 32 pixels counted without biases loses=["test-quiz", "hidden-quiz"]
def quiz():
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
        "image_total": 250 + 5000 + 50000 + 1000,
        "pools_total": 250 + 5000 + 800000 + 1000,
    }


# %% wrong quiz: leaves out one question loses=["test-quiz", "hidden-quiz"]
def quiz():
    return {
        "image_conv": "same",
        "image_dense": "more",
        "pools_conv": "same",
        "pools_neurons": "more",
        "average_total": "same",
        "stride_conv": "same",
        "stride_neurons": "fewer",
        "filters_conv2": "more",
        "filters_dense": "same",
        "image_total": 56390,
        "pools_total": 806390,
    }


# %% right same_padding: counts what a filter takes away, and halves it
def same_padding(f):
    taken = len(range(100)) - len(range(100 - f + 1))
    if taken % 2:
        raise ValueError(f"{taken} pixels cannot be shared by two sides")
    return taken / 2


# %% wrong same_padding: says None where there is none loses=["test-same_padding", "hidden-same_padding"]
def same_padding(f):
    return None if f % 2 == 0 else (f - 1) // 2


# %% wrong same_padding: half the filter, and for odd ones one too many loses=["test-same_padding", "hidden-same_padding"]
def same_padding(f):
    if f % 2 == 0:
        raise ValueError("even")
    return (f + 1) // 2


# %% wrong same_padding: refuses large filters, too loses=["hidden-same_padding"]
def same_padding(f):
    if f % 2 == 0 or f > 11:
        raise ValueError("not usual")
    return f // 2


# %% wrong same_padding: search on an image of 9: too small for wide filters without padding loses=["hidden-same_padding"]
def same_padding(f):
    for p in range(f):
        if output_size(9, f, p) == 9:
            return p
    raise ValueError(f)


# %% right conv_parameters: from all weights as one product
import math


def conv_parameters(c_in, c_out, f, bias=True):
    return math.prod((c_out, c_in, f, f)) + (c_out if bias else 0)


# %% wrong conv_parameters: swaps the channels of input and output loses=["test-conv_parameters", "hidden-conv_parameters"]
def conv_parameters(c_in, c_out, f, bias=True):
    return c_in * (f * f * c_out + bias)


# %% right dense_parameters: neuron by neuron
def dense_parameters(n_in, n_out, bias=True):
    return sum(n_in + (1 if bias else 0) for _ in range(n_out))


# %% wrong dense_parameters: adds inputs and neurons up loses=["test-dense_parameters", "hidden-dense_parameters"]
def dense_parameters(n_in, n_out, bias=True):
    return n_in + n_out + bias


# %% wrong dense_parameters: one more input and one more neuron loses=["test-dense_parameters", "hidden-dense_parameters"]
def dense_parameters(n_in, n_out, bias=True):
    return (n_in + bias) * (n_out + bias)


# %% wrong dense_parameters: counts one neuron only loses=["test-dense_parameters", "hidden-dense_parameters"]
def dense_parameters(n_in, n_out, bias=True):
    return n_in + bias


# %% wrong mnist_table: the image counted among the neurons loses=["test-mnist_table", "hidden-mnist_table"]
def mnist_table():
    rows = [
        [28, 1, 5, 0, 1, 24, 10, 5760, 26, 260],
        [24, 10, 2, 0, 2, 12, 10, 1440, None, 0],
        [12, 10, 5, 0, 1, 8, 20, 1280, 251, 5020],
        [8, 20, 2, 0, 2, 4, 20, 320, None, 0],
        [320, *6 * [None], 100, 321, 32100],
        [100, *6 * [None], 10, 101, 1010],
        [*7 * [None], 9694, None, 38390],
    ]
    return pd.DataFrame(rows, index=MNIST_ROWS, columns=COLUMNS)


# %% wrong mnist_table: a bias in the filter of a pool, too loses=["hidden-mnist_table"]
def mnist_table():
    rows = [
        [28, 1, 5, 0, 1, 24, 10, 5760, 26, 260],
        [24, 10, 2, 0, 2, 12, 10, 1440, 5, 0],
        [12, 10, 5, 0, 1, 8, 20, 1280, 251, 5020],
        [8, 20, 2, 0, 2, 4, 20, 320, 5, 0],
        [320, *6 * [None], 100, 321, 32100],
        [100, *6 * [None], 10, 101, 1010],
        [*7 * [None], 8910, None, 38390],
    ]
    return pd.DataFrame(rows, index=MNIST_ROWS, columns=COLUMNS)


# %% right mistake: by hand, with numbers as text turned into numbers
def mistake():
    return {"row": "Pool2", "rule": "D", "neurons": int("8110"), "parameters": float("63802")}


# %% wrong mistake: counts the pool as 14 x 14 x 16 loses=["hidden-mistake"]
def mistake():
    surplus = 3200 - 14 * 14 * 16
    return {"row": "Pool2", "rule": "D", "neurons": 10910 - surplus, "parameters": 399802 - 120 * surplus}


# %% right harley_table: typed in, row by row
def harley_table():
    rows = [
        [32, 1, 5, 0, 1, 28, 6, 4704, 26, 156],
        [28, 6, 2, 0, 2, 14, 6, 1176, None, 0],
        [14, 6, 5, 0, 1, 10, 16, 1600, 151, 2416],
        [10, 16, 2, 0, 2, 5, 16, 400, None, 0],
        [400, *6 * [None], 120, 401, 48120],
        [120, *6 * [None], 100, 121, 12100],
        [100, *6 * [None], 10, 101, 1010],
        [*7 * [None], 8110, None, 63802],
    ]
    return pd.DataFrame(rows, index=HARLEY_ROWS, columns=COLUMNS)


# %% wrong harley_table: pools that have no parameters left empty loses=["test-harley_table", "hidden-harley_table"]
def harley_table():
    rows = [
        [32, 1, 5, 0, 1, 28, 6, 4704, 26, 156],
        [28, 6, 2, 0, 2, 14, 6, 1176, None, None],
        [14, 6, 5, 0, 1, 10, 16, 1600, 151, 2416],
        [10, 16, 2, 0, 2, 5, 16, 400, None, None],
        [400, *6 * [None], 120, 401, 48120],
        [120, *6 * [None], 100, 121, 12100],
        [100, *6 * [None], 10, 101, 1010],
        [*7 * [None], 8110, None, 63802],
    ]
    return pd.DataFrame(rows, index=HARLEY_ROWS, columns=COLUMNS)


# %% wrong harley_table: the pool keeps its size, 10 x 10 loses=["hidden-harley_table"]
def harley_table():
    rows = [
        [32, 1, 5, 0, 1, 28, 6, 4704, 26, 156],
        [28, 6, 2, 0, 2, 14, 6, 1176, None, 0],
        [14, 6, 5, 0, 1, 10, 16, 1600, 151, 2416],
        [10, 16, 2, 0, 2, 10, 16, 1600, None, 0],
        [1600, *6 * [None], 120, 1601, 192120],
        [120, *6 * [None], 100, 121, 12100],
        [100, *6 * [None], 10, 101, 1010],
        [*7 * [None], 9310, None, 207802],
    ]
    return pd.DataFrame(rows, index=HARLEY_ROWS, columns=COLUMNS)


# %% wrong harley_table: SLIDE_31 changed in one cell loses=["hidden-harley_table"]
def harley_table():
    SLIDE_31.loc["FC1", "n"] = 400.0
    table = SLIDE_31.copy()
    table.loc["Pool2", ["channels_out", "neurons"]] = [16, 400]
    table.loc["FC1", ["n", "filter_plus_1", "parameters"]] = [400, 401, 48120]
    table.loc[["Pool1", "Pool2"], "parameters"] = 0
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].drop("Total").sum()
    return table


# %% right receptive_field: by recursion from the front
def receptive_field(layers):
    def walk(rest, size, jump):
        if not rest:
            return []
        (f, s, *d), *others = rest
        size = size + (d or [1])[0] * (f - 1) * jump
        return [(size, jump * s), *walk(others, size, jump * s)]

    return walk(list(layers), 1, 1)


# %% right receptive_field: a tuple of pairs
def receptive_field(layers):
    size, jump, fields = 1, 1, []
    for f, s, *rest in layers:
        d = rest[0] if rest else 1
        size += d * (f - 1) * jump
        jump *= s
        fields.append((size, jump))
    return tuple(fields)


# %% wrong receptive_field: layers emptied loses=["hidden-receptive_field"]
def receptive_field(layers):
    size, jump, fields = 1, 1, []
    layers.reverse()
    layers.reverse()
    for f, s, *rest in [layers.pop(0) for _ in range(len(layers))]:
        d = rest[0] if rest else 1
        size += d * (f - 1) * jump
        jump *= s
        fields.append((size, jump))
    return fields


# %% wrong receptive_field: sizes capped at 224 loses=["hidden-receptive_field"]
def receptive_field(layers):
    size, jump, fields = 1, 1, []
    for f, s, *rest in layers:
        d = rest[0] if rest else 1
        size += d * (f - 1) * jump
        jump *= s
        fields.append((min(size, 224), jump))
    return fields


# %% right quiz: sorted by word
def quiz():
    same = ["image_conv", "pools_conv", "average_total", "stride_conv", "filters_dense"]
    more = ["image_dense", "pools_neurons", "padding_total", "filters_conv2"]
    replies = dict.fromkeys(same, "same") | dict.fromkeys(more, "more") | {"stride_neurons": "fewer"}
    return replies | {"image_total": 5.639e4, "pools_total": 806390}


# %% wrong quiz: an average pool learns how to weigh its pixels loses=["hidden-quiz"]
def quiz():
    same = ["image_conv", "pools_conv", "stride_conv", "filters_dense"]
    more = ["average_total", "image_dense", "pools_neurons", "padding_total", "filters_conv2"]
    replies = dict.fromkeys(same, "same") | dict.fromkeys(more, "more") | {"stride_neurons": "fewer"}
    return replies | {"image_total": 56390, "pools_total": 806390}


# %% wrong quiz: a stride saves weights loses=["hidden-quiz"]
def quiz():
    same = ["image_conv", "pools_conv", "average_total", "filters_dense"]
    more = ["image_dense", "pools_neurons", "padding_total", "filters_conv2"]
    replies = dict.fromkeys(same, "same") | dict.fromkeys(more, "more") | {"stride_neurons": "fewer", "stride_conv": "fewer"}
    return replies | {"image_total": 56390, "pools_total": 806390}


# %% right retrieval: worked out from the numbers of another name
def retrieval():
    q = questions("grace")
    return "grace", {
        "channels": q["k"],
        "start": q["s"] * q["i"],
        "rows": (q["n"] - 2) ** 2,
        "grown": q["s"] * (q["m"] - 1) + q["f"],
        "turned": "no",
    }


# %% right retrieval: by counting
def retrieval():
    k, c, s, i, n, m, f = questions("Emmy").values()
    starts = list(range(0, 1000, s))
    stamps = {row * s + tap for row in range(m) for tap in range(f)}
    rows = sum(1 for top in range(n - 2) for left in range(n - 2))
    return ["emmy", {"turned": "no", "channels": k, "start": starts[i], "rows": rows, "grown": max(stamps) + 1}]


# %% right retrieval: by asking torch for shapes
import torch


def retrieval():
    q = questions("noether")
    y = torch.nn.functional.conv_transpose2d(torch.ones(1, 1, q["m"], q["m"]), torch.ones(1, 1, q["f"], q["f"]), stride=q["s"])
    return "noether", {
        "channels": torch.nn.Conv2d(q["c"], q["k"], 1).weight.shape[0], "start": q["i"] * q["s"],
        "rows": (q["n"] - 3 + 1) * (q["n"] - 3 + 1), "grown": y.shape[-1], "turned": "no",
    }


# %% wrong retrieval: channels of input and output multiplied loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "channels": q["k"] * q["c"],
        "start": q["s"] * q["i"],
        "rows": (q["n"] - 2) ** 2,
        "grown": q["s"] * (q["m"] - 1) + q["f"],
        "turned": "no",
    }


# %% wrong retrieval: the first window is number 1 loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "channels": q["k"],
        "start": q["s"] * (q["i"] - 1),
        "rows": (q["n"] - 2) ** 2,
        "grown": q["s"] * (q["m"] - 1) + q["f"],
        "turned": "no",
    }


# %% wrong retrieval: one row per pixel loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "channels": q["k"],
        "start": q["s"] * q["i"],
        "rows": q["n"] ** 2,
        "grown": q["s"] * (q["m"] - 1) + q["f"],
        "turned": "no",
    }


# %% wrong retrieval: forgets that stamps are wider than the stride loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "channels": q["k"],
        "start": q["s"] * q["i"],
        "rows": (q["n"] - 2) ** 2,
        "grown": q["s"] * q["m"],
        "turned": "no",
    }


# %% wrong retrieval: takes the mathematicians' word loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "channels": q["k"],
        "start": q["s"] * q["i"],
        "rows": (q["n"] - 2) ** 2,
        "grown": q["s"] * (q["m"] - 1) + q["f"],
        "turned": "yes",
    }


# %% wrong retrieval: leaves one out loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "channels": q["k"],
        "start": q["s"] * q["i"],
        "grown": q["s"] * (q["m"] - 1) + q["f"],
        "turned": "no",
    }


# %% wrong retrieval: the numbers of another name loses=["hidden-retrieval"]
def retrieval():
    q = questions("grace")
    return "ada", {
        "channels": q["k"],
        "start": q["s"] * q["i"],
        "rows": (q["n"] - 2) ** 2,
        "grown": q["s"] * (q["m"] - 1) + q["f"],
        "turned": "no",
    }


# %% wrong retrieval: no name loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return {
        "channels": q["k"],
        "start": q["s"] * q["i"],
        "rows": (q["n"] - 2) ** 2,
        "grown": q["s"] * (q["m"] - 1) + q["f"],
        "turned": "no",
    }


# %% right macs: by match
def macs(layer):
    match layer:
        case {"kind": "conv", "c_in": c_in, "c_out": c_out, "f": f, "out": out}:
            return (out * out * c_out) * (f * f * c_in)
        case {"kind": "dense", "n_in": n_in, "n_out": n_out}:
            return n_in * n_out
    return 0


# %% right macs: weights times positions, from torch's own weights
from torch import nn


def macs(layer):
    if layer["kind"] == "conv":
        weight = nn.Conv2d(layer["c_in"], layer["c_out"], layer["f"], device="meta").weight
        return layer["out"] * layer["out"] * weight.numel()
    return layer.get("n_in", 0) * layer.get("n_out", 0)


# %% right macs: as exact floats
def macs(layer):
    if layer["kind"] == "pool":
        return 0.0
    if layer["kind"] == "dense":
        return layer["n_in"] * layer["n_out"]
    return float(layer["out"]) ** 2 * layer["c_out"] * layer["f"] ** 2 * layer["c_in"]


# %% wrong macs: counts the bias as a product loses=["test-macs", "hidden-macs"]
def macs(layer):
    if layer["kind"] == "pool":
        return 0
    if layer["kind"] == "dense":
        return layer["n_in"] * layer["n_out"]
    return layer["out"] ** 2 * layer["c_out"] * (layer["f"] ** 2 * layer["c_in"] + 1)

# %% [markdown] says=["macs of slide 20's layer is 5241600, 5184000 was expected"]
# **It looks as if the bias is counted as a product.** It is added to the sum of products, and multiplied by nothing.
#
# *Compare:* an output that reads 4 pixels takes 4 products, with or without a bias.


# %% wrong macs: counts parameters, whatever the size of the output loses=["test-macs", "hidden-macs"]
def macs(layer):
    if layer["kind"] == "pool":
        return 0
    if layer["kind"] == "dense":
        return layer["n_in"] * layer["n_out"]
    return layer["c_out"] * layer["f"] ** 2 * layer["c_in"]


# %% wrong macs: filters without depth loses=["test-macs", "hidden-macs"]
def macs(layer):
    if layer["kind"] == "pool":
        return 0
    if layer["kind"] == "dense":
        return layer["n_in"] * layer["n_out"]
    return layer["out"] ** 2 * layer["c_out"] * layer["f"] ** 2


# %% wrong macs: one row of outputs only loses=["test-macs", "hidden-macs"]
def macs(layer):
    if layer["kind"] == "pool":
        return 0
    if layer["kind"] == "dense":
        return layer["n_in"] * layer["n_out"]
    return layer["out"] * layer["c_out"] * layer["f"] ** 2 * layer["c_in"]


# %% wrong macs: a pool compares, and comparisons are counted loses=["test-macs", "hidden-macs"]
def macs(layer):
    if layer["kind"] == "pool":
        return layer["out"] ** 2 * layer["c_out"] * layer["f"] ** 2
    if layer["kind"] == "dense":
        return layer["n_in"] * layer["n_out"]
    return layer["out"] ** 2 * layer["c_out"] * layer["f"] ** 2 * layer["c_in"]


# %% wrong macs: multiplications and additions both loses=["test-macs", "hidden-macs"]
def macs(layer):
    if layer["kind"] == "pool":
        return 0
    if layer["kind"] == "dense":
        return 2 * layer["n_in"] * layer["n_out"]
    return 2 * layer["out"] ** 2 * layer["c_out"] * layer["f"] ** 2 * layer["c_in"]


# %% wrong macs: a dense layer with its biases loses=["test-macs", "hidden-macs"]
def macs(layer):
    if layer["kind"] == "pool":
        return 0
    if layer["kind"] == "dense":
        return (layer["n_in"] + 1) * layer["n_out"]
    return layer["out"] ** 2 * layer["c_out"] * layer["f"] ** 2 * layer["c_in"]


# %% wrong macs: takes what it needs out of the dictionary loses=["hidden-macs"]
def macs(layer):
    if layer["kind"] == "pool":
        return 0
    if layer["kind"] == "dense":
        return layer["n_in"] * layer["n_out"]
    return layer["out"] ** 2 * layer["c_out"] * layer["f"] ** 2 * layer.pop("c_in")


# %% right macs: parameters without bias, times positions
def macs(layer):
    kind = layer["kind"]
    if kind == "pool":
        return 0
    if kind == "dense":
        return dense_parameters(layer["n_in"], layer["n_out"], bias=False)
    return layer["out"] ** 2 * conv_parameters(layer["c_in"], layer["c_out"], layer["f"], bias=False)


# %% right activation_memory: asks NumPy for the size of a type
import numpy as np


def activation_memory(layers, dtype):
    numbers = sum(layer["n_out"] if "n_out" in layer else layer["c_out"] * layer["out"] ** 2 for layer in layers)
    return numbers * np.dtype(dtype).itemsize


# %% right activation_memory: from the bits in the name
def activation_memory(layers, dtype):
    bits = int("".join(letter for letter in dtype if letter.isdigit()))
    return sum(
        bits * (layer["n_out"] if layer["kind"] == "dense" else layer["out"] * layer["out"] * layer["c_out"]) // 8
        for layer in layers
    )


# %% right activation_memory: empty tensors of torch
import torch


def activation_memory(layers, dtype):
    total = 0
    for layer in layers:
        shape = (layer["n_out"],) if layer["kind"] == "dense" else (layer["c_out"], layer["out"], layer["out"])
        total += torch.empty(shape, dtype=getattr(torch, dtype)).nbytes
    return total


# %% wrong activation_memory: bits for bytes loses=["test-activation_memory", "hidden-activation_memory"]
def activation_memory(layers, dtype):
    size = {"float64": 64, "float32": 32, "float16": 16, "uint8": 8}[dtype]
    outputs = 0
    for layer in layers:
        if layer["kind"] == "dense":
            outputs += layer["n_out"]
        else:
            outputs += layer["out"] ** 2 * layer["c_out"]
    return size * outputs


# %% wrong activation_memory: always four bytes loses=["hidden-activation_memory"]
def activation_memory(layers, dtype):
    outputs = 0
    for layer in layers:
        if layer["kind"] == "dense":
            outputs += layer["n_out"]
        else:
            outputs += layer["out"] ** 2 * layer["c_out"]
    return 4 * outputs


# %% wrong activation_memory: pools keep nothing loses=["test-activation_memory", "hidden-activation_memory"]
def activation_memory(layers, dtype):
    size = {"float64": 8, "float32": 4, "float16": 2, "uint8": 1}[dtype]
    outputs = 0
    for layer in layers:
        if layer["kind"] == "dense":
            outputs += layer["n_out"]
        elif layer["kind"] == "conv":
            outputs += layer["out"] ** 2 * layer["c_out"]
    return size * outputs


# %% wrong activation_memory: inputs of dense layers for their outputs loses=["test-activation_memory", "hidden-activation_memory"]
def activation_memory(layers, dtype):
    size = {"float64": 8, "float32": 4, "float16": 2, "uint8": 1}[dtype]
    outputs = 0
    for layer in layers:
        if layer["kind"] == "dense":
            outputs += layer["n_in"]
        else:
            outputs += layer["out"] ** 2 * layer["c_out"]
    return size * outputs


# %% wrong activation_memory: the largest layer alone loses=["hidden-activation_memory"]
def activation_memory(layers, dtype):
    size = {"float64": 8, "float32": 4, "float16": 2, "uint8": 1}[dtype]
    sizes = [layer.get("n_out") or layer["out"] ** 2 * layer["c_out"] for layer in layers]
    return size * max(sizes, default=0)


# %% wrong activation_memory: weights for outputs loses=["test-activation_memory", "hidden-activation_memory"]
def activation_memory(layers, dtype):
    size = {"float64": 8, "float32": 4, "float16": 2, "uint8": 1}[dtype]
    outputs = 0
    for layer in layers:
        if layer["kind"] == "dense":
            outputs += layer["n_out"]
        else:
            outputs += layer["f"] ** 2 * layer["c_out"]
    return size * outputs


# %% wrong activation_memory: the last layer alone loses=["hidden-activation_memory"]
def activation_memory(layers, dtype):
    size = {"float64": 8, "float32": 4, "float16": 2, "uint8": 1}[dtype]
    outputs = 0
    for layer in layers:
        if layer["kind"] == "dense":
            outputs = layer["n_out"]
        else:
            outputs = layer["out"] ** 2 * layer["c_out"]
    return size * outputs


# %% wrong activation_memory: the numbers, not their bytes loses=["test-activation_memory", "hidden-activation_memory"]
def activation_memory(layers, dtype):
    outputs = 0
    for layer in layers:
        if layer["kind"] == "dense":
            outputs += layer["n_out"]
        else:
            outputs += layer["out"] ** 2 * layer["c_out"]
    return outputs


# %% wrong activation_memory: inputs of the first layer counted, too loses=["hidden-activation_memory"]
def activation_memory(layers, dtype):
    size = {"float64": 8, "float32": 4, "float16": 2, "uint8": 1}[dtype]
    total = layers[0].get("n_in", 0) if len(layers) > 1 else 0
    for layer in layers:
        total += layer["n_out"] if layer["kind"] == "dense" else layer["out"] ** 2 * layer["c_out"]
    return size * total


# %% wrong activation_memory: layers used up by pop loses=["hidden-activation_memory"]
def activation_memory(layers, dtype):
    size = {"float64": 8, "float32": 4, "float16": 2, "uint8": 1}[dtype]
    total = 0
    while layers:
        layer = layers.pop()
        total += layer["n_out"] if layer["kind"] == "dense" else layer["out"] ** 2 * layer["c_out"]
    return size * total


# %% right own_code: calls the functions
def own_code():
    out = output_size(24, 4, 1, 3)
    end = (out - 1) * 3 + 4
    return {"sees": receptive_field([(3, 1), (3, 2)] * 2)[3][0], "out": out, "left_over": 24 + 2 - end}


# %% right own_code: with floats
def own_code():
    out = float(output_size(24, 4, p=1, s=3))
    pairs = receptive_field([(3, 1, 1), (3, 2, 1), (3, 1, 1), (3, 2, 1)])
    return {"out": out, "left_over": 22 - 3 * (out - 1), "sees": float(pairs[-1][0])}


# %% right own_code: the sizes of both, and what is left by counting
def own_code():
    out = output_size(n=24, f=4, p=1, s=3)
    covered = {3 * k + tap for k in range(int(out)) for tap in range(4)}
    return {"out": out, "left_over": 26 - len(covered), "sees": list(receptive_field([(3, 1), (3, 2), (3, 1), (3, 2)]))[-1][0]}


# %% wrong own_code: forgets the padding loses=["hidden-own_code"]
def own_code():
    return {"out": 7, "left_over": 1, "sees": 13}


# %% wrong own_code: rounds up loses=["hidden-own_code"]
def own_code():
    return {"out": 9, "left_over": 0, "sees": 13}


# %% wrong own_code: counts what is left of 24, not of 26 loses=["hidden-own_code"]
def own_code():
    return {"out": 8, "left_over": -1, "sees": 13}


# %% wrong own_code: takes the slides' formula without its floor loses=["hidden-own_code"]
def own_code():
    return {"out": 8.33, "left_over": 0, "sees": 13}


# %% wrong own_code: adds filters up, whatever the strides loses=["hidden-own_code"]
def own_code():
    return {"out": 8, "left_over": 1, "sees": 9}


# %% wrong own_code: its own stride counts already loses=["hidden-own_code"]
def own_code():
    return {"out": 8, "left_over": 1, "sees": 19}


# %% wrong own_code: swaps the two loses=["hidden-own_code"]
def own_code():
    return {"out": 1, "left_over": 8, "sees": 13}


# %% wrong own_code: reads the jump loses=["hidden-own_code"]
def own_code():
    return {"out": 8, "left_over": 1, "sees": 4}
