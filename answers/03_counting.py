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


# %% wrong output_size: dilation makes the filter f * d wide loses=["test-output_size", "hidden-output_size"]
def output_size(n, f, p=0, s=1, d=1, ceil=False):
    room = n + 2 * p - d * f
    if min(n, f, s, d) < 1 or p < 0 or room < 0:
        raise ValueError("not possible")
    if ceil:
        out = -(-room // s) + 1
        return out - ((out - 1) * s >= n + p)
    return room // s + 1


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


# %% wrong conv_parameters: filters without depth loses=["test-conv_parameters", "hidden-conv_parameters"]
def conv_parameters(c_in, c_out, f, bias=True):
    return c_out * (f * f + bias)


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


# %% wrong dense_parameters: a bias for each input loses=["test-dense_parameters", "hidden-dense_parameters"]
def dense_parameters(n_in, n_out, bias=True):
    return n_in * (n_out + bias)


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
