# %% [markdown]
# Answers to lesson 10, right and wrong. A cell replaces its exercise's solution cell. A hidden test
# that gives part marks is lost where it does not give them all.

# %% right student: capitals and spaces around it do not matter
student = " Ada "


# %% right student: put together
student = "".join(["a", "d", "a"])


# %% right student: another name
first, second = "emmy", "noether"
student = f"{first}.{second}"


# %% wrong student: the empty name, good for practice loses=["test-student"]
student = ""


# %% wrong student: an e-mail address loses=["test-student"]
student = "ada@example.org"


# %% wrong student: a full name loses=["test-student"]
student = "Ada Lovelace"


# %% wrong student: the quotes are missing loses=["test-student"]
student = ada


# %% wrong student: a list loses=["test-student"]
student = ["ada"]


# %% wrong student: a space is no name loses=["test-student"]
student = " "


# %% wrong student: a number loses=["test-student"]
student = 20261129


# %% wrong student: nothing loses=["test-student"]
student = None


# %% wrong student: the name of the variable is another loses=["test-student"]
name_of_student = "ada"


# %% right retrieval: by asking torch for layers, and sets of pixels
def retrieval():
    n, f, s, a, b, c, k, m = questions(student).values()
    grown = nn.ConvTranspose2d(1, 1, f, s)(torch.zeros(1, 1, n, n)).shape[-1]
    head = nn.Linear(1280, k)
    weights = nn.Conv2d(a, m, 1, bias=False).weight
    union = len({*range(a)} | {*range(a - c, a - c + b)})
    count = sum(p.numel() for p in head.parameters())
    return {"stamps": grown, "union": union, "head": count, "moving": "yes", "pointwise": weights.numel()}


# %% right retrieval: by counting stamps one by one
def retrieval():
    q = questions(student)
    covered = {k * q["s"] + tap for k in range(q["n"]) for tap in range(q["f"])}
    return {
        "pointwise": sum(q["a"] for _ in range(q["m"])),
        "moving": "yes",
        "head": q["k"] * 1280 + q["k"],
        "union": (q["a"] - q["c"]) + (q["b"] - q["c"]) + q["c"],
        "stamps": max(covered) + 1,
    }


# %% right retrieval: as NumPy numbers
import numpy as np


def retrieval():
    q = {key: np.int64(value) for key, value in questions(student).items()}
    replies = dict(moving="yes", union=q["a"] + q["b"] - q["c"], head=q["k"] * np.int64(1281))
    return replies | {"stamps": (q["n"] - 1) * q["s"] + q["f"], "pointwise": q["a"] * q["m"]}


# %% wrong retrieval: the size of a convolution, down and not up loses=["hidden-retrieval"]
def retrieval():
    q = questions(student)
    replies = {"stamps": q["s"] * (q["n"] - 1) + q["f"], "union": q["a"] + q["b"] - q["c"]}
    replies |= {"head": 1281 * q["k"], "moving": "yes", "pointwise": q["m"] * q["a"]}
    replies["stamps"] = (q["n"] - q["f"]) // q["s"] + 1
    return replies


# %% wrong retrieval: n stamps, each s wide loses=["hidden-retrieval"]
def retrieval():
    q = questions(student)
    replies = {"stamps": q["s"] * (q["n"] - 1) + q["f"], "union": q["a"] + q["b"] - q["c"]}
    replies |= {"head": 1281 * q["k"], "moving": "yes", "pointwise": q["m"] * q["a"]}
    replies["stamps"] = q["s"] * q["n"]
    return replies


# %% wrong retrieval: what both masks share counts twice loses=["hidden-retrieval"]
def retrieval():
    q = questions(student)
    replies = {"stamps": q["s"] * (q["n"] - 1) + q["f"], "union": q["a"] + q["b"] - q["c"]}
    replies |= {"head": 1281 * q["k"], "moving": "yes", "pointwise": q["m"] * q["a"]}
    replies["union"] = q["a"] + q["b"]
    return replies


# %% wrong retrieval: the intersection for the union loses=["hidden-retrieval"]
def retrieval():
    q = questions(student)
    replies = {"stamps": q["s"] * (q["n"] - 1) + q["f"], "union": q["a"] + q["b"] - q["c"]}
    replies |= {"head": 1281 * q["k"], "moving": "yes", "pointwise": q["m"] * q["a"]}
    replies["union"] = q["c"]
    return replies


# %% wrong retrieval: no biases loses=["hidden-retrieval"]
def retrieval():
    q = questions(student)
    replies = {"stamps": q["s"] * (q["n"] - 1) + q["f"], "union": q["a"] + q["b"] - q["c"]}
    replies |= {"head": 1281 * q["k"], "moving": "yes", "pointwise": q["m"] * q["a"]}
    replies["head"] = 1280 * q["k"]
    return replies


# %% wrong retrieval: thinks that frozen means still loses=["hidden-retrieval"]
def retrieval():
    q = questions(student)
    replies = {"stamps": q["s"] * (q["n"] - 1) + q["f"], "union": q["a"] + q["b"] - q["c"]}
    replies |= {"head": 1281 * q["k"], "moving": "yes", "pointwise": q["m"] * q["a"]}
    replies["moving"] = "no"
    return replies


# %% wrong retrieval: counts a bias for each filter loses=["hidden-retrieval"]
def retrieval():
    q = questions(student)
    replies = {"stamps": q["s"] * (q["n"] - 1) + q["f"], "union": q["a"] + q["b"] - q["c"]}
    replies |= {"head": 1281 * q["k"], "moving": "yes", "pointwise": q["m"] * q["a"]}
    replies["pointwise"] = q["m"] * (q["a"] + 1)
    return replies


# %% wrong retrieval: leaves one out loses=["hidden-retrieval"]
def retrieval():
    q = questions(student)
    replies = {"stamps": q["s"] * (q["n"] - 1) + q["f"], "union": q["a"] + q["b"] - q["c"]}
    replies |= {"head": 1281 * q["k"], "moving": "yes", "pointwise": q["m"] * q["a"]}
    del replies["head"]
    return replies


# %% right filled_table: row by row into a dictionary, and a frame made of it
def filled_table():
    given = coursework_table(student)
    rows, n, c = {}, given.at["Conv1", "n"], 3
    for name, row in given.iloc[:8].iterrows():
        out = math.floor((n - row.f + 2 * row.p) / row.s) + 1
        conv = "Conv" in name
        size = row.f**2 * c + 1 if conv else None
        filled = [n, c, row.f, row.p, row.s, out, row.channels_out, out**2 * row.channels_out, size]
        rows[name] = [*filled, size * row.channels_out if conv else 0]
        n, c = out, row.channels_out
    n = n * n * c
    for name in ("FC1", "FC2", "Softmax"):
        width = given.at[name, "neurons"]
        rows[name] = [n, *6 * [float("nan")], width, n + 1, width * (n + 1)]
        n = width
    rows["Total"] = [*7 * [""], sum(r[7] for r in rows.values()), "", sum(r[9] for r in rows.values())]
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS)


# %% right filled_table: by hand, for the empty name, slide 50
student = ""


def filled_table():
    table = coursework_table(student)
    by_hand = """
        227 3 55 145200 364 17472 / 55 48 27 34992 - 0 / 27 48 26 86528 1729 221312 /
        26 128 12 18432 - 0 / 12 128 12 27648 3201 614592 / 12 192 11 23232 3073 590016 /
        11 192 11 15488 1729 221312 / 11 128 3 1152 - 0
    """
    columns = ["n", "channels_in", "out", "neurons", "filter_plus_1", "parameters"]
    for row, numbers in zip(ROWS, by_hand.split("/"), strict=False):
        table.loc[row, columns] = [None if k == "-" else int(k) for k in numbers.split()]
    table.loc["FC1", ["n", "filter_plus_1", "parameters"]] = 1152, 1153, 1844800
    table.loc["FC2", ["n", "filter_plus_1", "parameters"]] = 1600, 1601, 2561600
    table.loc["Softmax", ["n", "filter_plus_1", "parameters"]] = 1600, 1601, 1601000
    table.loc["Total", ["neurons", "parameters"]] = 356872, 7672104
    return table


# %% right filled_table: asks torch for sizes and parameters, all as floats
def filled_table():
    table = coursework_table(student).astype(float)
    x, lost = torch.zeros(1, 3, *2 * [int(table.loc["Conv1", "n"])], device="meta"), float("nan")
    for row in ROWS[:8]:
        f, p, s, c = map(int, table.loc[row, ["f", "p", "s", "channels_out"]])
        before = x.shape
        if row[:4] == "Conv":
            layer = nn.Conv2d(before[1], c, f, s, p, device="meta")
        else:
            layer = nn.MaxPool2d(f, s, p)
        x = layer(x)
        count = sum(k.numel() for k in layer.parameters())
        size = layer.weight[0].numel() + 1 if count else lost
        filled = [before[2], before[1], x.shape[2], x.numel(), size, count]
        table.loc[row, [*COLUMNS[:2], "out", *COLUMNS[7:]]] = filled
    width = x.numel()
    for row in ROWS[8:11]:
        table.loc[row, "n"] = width
        table.loc[row, "filter_plus_1"] = width + 1
        width = int(table.loc[row, "neurons"])
        table.loc[row, "parameters"] = width * table.loc[row, "filter_plus_1"]
    sums = table.sum()
    table.loc["Total", ["neurons", "parameters"]] = sums["neurons"], sums["parameters"]
    return table


# %% wrong filled_table: rounds up in the last pool, and all else follows loses=["hidden-filled_table"]
student = ""


def filled_table():
    table = coursework_table(student)
    n, c = 227, 3
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = math.ceil((n + 2 * p - f) / s) + 1
        size = f * f * c + 1
        conv = row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, size * k) if conv else (None, 0)
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * (n + 1)
        n = k
    table.loc["Total", "neurons"] = table["neurons"].sum()
    table.loc["Total", "parameters"] = table["parameters"].sum()
    return table


# %% wrong filled_table: no floor, the last pool has 3.33 pixels loses=["hidden-filled_table"]
student = ""


def filled_table():
    table = coursework_table(student)
    n, c = 227, 3
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + 2 * p - f) / s + 1
        size = f * f * c + 1
        conv = row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, size * k) if conv else (None, 0)
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * (n + 1)
        n = k
    table.loc["Total", "neurons"] = table["neurons"].sum()
    table.loc["Total", "parameters"] = table["parameters"].sum()
    return table


# %% wrong filled_table: forgets every bias loses=["hidden-filled_table"]
student = ""


def filled_table():
    table = coursework_table(student)
    n, c = 227, 3
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + 2 * p - f) // s + 1
        size = f * f * c
        conv = row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, size * k) if conv else (None, 0)
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n, k * n
        n = k
    table.loc["Total", "neurons"] = table["neurons"].sum()
    table.loc["Total", "parameters"] = table["parameters"].sum()
    return table


# %% wrong filled_table: the dense layers of the figure on slide 49, 2,048 wide loses=["test-filled_table", "hidden-filled_table"]
student = ""


def filled_table():
    table = coursework_table(student)
    n, c = 227, 3
    table.loc[["FC1", "FC2"], "neurons"] = 2048
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + 2 * p - f) // s + 1
        size = f * f * c + 1
        conv = row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, size * k) if conv else (None, 0)
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * (n + 1)
        n = k
    table.loc["Total", "neurons"] = table["neurons"].sum()
    table.loc["Total", "parameters"] = table["parameters"].sum()
    return table


# %% wrong filled_table: a pool has parameters, like a convolution loses=["hidden-filled_table"]
student = ""


def filled_table():
    table = coursework_table(student)
    n, c = 227, 3
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + 2 * p - f) // s + 1
        size = f * f * c + 1
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = size, size * k
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * (n + 1)
        n = k
    table.loc["Total", "neurons"] = table["neurons"].sum()
    table.loc["Total", "parameters"] = table["parameters"].sum()
    return table


# %% wrong filled_table: neurons of one channel only loses=["hidden-filled_table"]
def filled_table():
    table = coursework_table(student)
    n, c = table.loc["Conv1", ["n", "channels_in"]]
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + 2 * p - f) // s + 1
        size, conv = f * f * c + 1, row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, size * k) if conv else (None, 0)
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * (n + 1)
        n = k
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:11].sum()
    return table


# %% wrong filled_table: a filter is flat, it reaches through one channel loses=["hidden-filled_table"]
def filled_table():
    table = coursework_table(student)
    n, c = table.loc["Conv1", ["n", "channels_in"]]
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + 2 * p - f) // s + 1
        size, conv = f * f + 1, row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, size * k) if conv else (None, 0)
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * (n + 1)
        n = k
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:11].sum()
    return table


# %% wrong filled_table: forgets the padding loses=["hidden-filled_table"]
def filled_table():
    table = coursework_table(student)
    n, c = table.loc["Conv1", ["n", "channels_in"]]
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = max((n - f) // s + 1, 1)
        size, conv = f * f * c + 1, row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, size * k) if conv else (None, 0)
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * (n + 1)
        n = k
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:11].sum()
    return table


# %% wrong filled_table: padding on one side loses=["hidden-filled_table"]
def filled_table():
    table = coursework_table(student)
    n, c = table.loc["Conv1", ["n", "channels_in"]]
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + p - f) // s + 1
        size, conv = f * f * c + 1, row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, size * k) if conv else (None, 0)
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * (n + 1)
        n = k
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:11].sum()
    return table


# %% wrong filled_table: one bias for a whole layer loses=["hidden-filled_table"]
def filled_table():
    table = coursework_table(student)
    n, c = table.loc["Conv1", ["n", "channels_in"]]
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + 2 * p - f) // s + 1
        size, conv = f * f * c + 1, row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, (size - 1) * k + 1) if conv else (None, 0)
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * n + 1
        n = k
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:11].sum()
    return table


# %% wrong filled_table: the one window more is forgotten loses=["hidden-filled_table"]
def filled_table():
    table = coursework_table(student)
    n, c = table.loc["Conv1", ["n", "channels_in"]]
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + 2 * p - f) // s
        size, conv = f * f * c + 1, row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, size * k) if conv else (None, 0)
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * (n + 1)
        n = k
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:11].sum()
    return table


# %% wrong filled_table: the maps are not laid flat before FC1 loses=["hidden-filled_table"]
def filled_table():
    table = coursework_table(student)
    n, c = table.loc["Conv1", ["n", "channels_in"]]
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + 2 * p - f) // s + 1
        size, conv = f * f * c + 1, row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, size * k) if conv else (None, 0)
        n, c = out, k
    n = c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * (n + 1)
        n = k
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:11].sum()
    return table


# %% wrong filled_table: the parameters of one filter, not of all loses=["hidden-filled_table"]
def filled_table():
    table = coursework_table(student)
    n, c = table.loc["Conv1", ["n", "channels_in"]]
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + 2 * p - f) // s + 1
        size, conv = f * f * c + 1, row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, size) if conv else (None, 0)
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * (n + 1)
        n = k
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:11].sum()
    return table


# %% wrong filled_table: counts the image among the neurons loses=["hidden-filled_table"]
def filled_table():
    table = coursework_table(student)
    n, c = table.loc["Conv1", ["n", "channels_in"]]
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + 2 * p - f) // s + 1
        size, conv = f * f * c + 1, row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, size * k) if conv else (None, 0)
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * (n + 1)
        n = k
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:11].sum() + (table.loc["Conv1", "n"] ** 2 * 3 if column == "neurons" else 0)
    return table


# %% wrong filled_table: a slip in Conv2, carried on loses=["hidden-filled_table"]
def filled_table():
    table = coursework_table(student)
    n, c = table.loc["Conv1", ["n", "channels_in"]]
    for row in ROWS[:8]:
        f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
        out = (n + 2 * p - f) // s + 1 + (row == "Conv2")
        size, conv = f * f * c + 1, row.startswith("Conv")
        table.loc[row, ["n", "channels_in", "out", "neurons"]] = n, c, out, out * out * k
        table.loc[row, ["filter_plus_1", "parameters"]] = (size, size * k) if conv else (None, 0)
        n, c = out, k
    n = n * n * c
    for row in ROWS[8:11]:
        k = table.loc[row, "neurons"]
        table.loc[row, ["n", "filter_plus_1", "parameters"]] = n, n + 1, k * (n + 1)
        n = k
    for column in ("neurons", "parameters"):
        table.loc["Total", column] = table[column].iloc[:11].sum()
    return table


# %% wrong filled_table: hands in the table as it was given loses=["test-filled_table", "hidden-filled_table"]
def filled_table():
    return coursework_table(student)


# %% right coursework_net: a class of its own, with functions for what has no parameters
import torch.nn.functional as F


class Coursework(nn.Module):
    def __init__(self, table):
        super().__init__()
        self.rows = [table.loc[row, ["f", "p", "s", "channels_out"]].tolist() for row in ROWS[:8]]
        self.convolutions, c = nn.ModuleList(), 3
        for name, (f, p, s, filters) in zip(ROWS, self.rows, strict=False):
            if name.startswith("Conv"):
                self.convolutions.append(nn.Conv2d(c, filters, f, stride=s, padding=p))
            c = filters
        width = table.loc["FC1", "neurons"]
        size = self.maps(torch.zeros(1, 3, *2 * [table.loc["Conv1", "n"]])).numel()
        self.fc1, self.fc2 = nn.Linear(size, width), nn.Linear(width, width)
        self.out = nn.Linear(width, 1000)

    def maps(self, x):
        layers = iter(self.convolutions)
        for name, (f, p, s, _) in zip(ROWS, self.rows, strict=False):
            x = F.relu(next(layers)(x)) if "Conv" in name else F.max_pool2d(x, f, s, p)
        return x

    def forward(self, x):
        x = self.maps(x).flatten(1)
        return self.out(self.fc2(self.fc1(x).relu()).clamp(min=0))


def coursework_net():
    return Coursework(coursework_table(student))


# %% right coursework_net: lazy layers find their own inputs, with dropout as in the paper
def coursework_net():
    table = coursework_table(student)
    layers = []
    for name, row in table.iloc[:8].iterrows():
        if name.startswith("Pool"):
            layers.append(nn.MaxPool2d(row.f, row.s, row.p))
        else:
            layers += [nn.LazyConv2d(row.channels_out, row.f, row.s, row.p), nn.ReLU(inplace=True)]
    layers.append(nn.Flatten())
    for name in ("FC1", "FC2"):
        layers += [nn.Dropout(0.5), nn.LazyLinear(table.loc[name, "neurons"]), nn.ReLU()]
    net = nn.Sequential(*layers, nn.LazyLinear(1000))
    side = table.loc["Conv1", "n"]
    net(torch.zeros(1, 3, side, side))
    return net


# %% right coursework_net: pools before the ReLU, and a list of blocks
class Blocks(nn.Module):
    def __init__(self, table):
        super().__init__()
        self.maps, c = nn.ModuleList(), 3
        for name, row in table.iloc[:8].iterrows():
            if name.startswith("Conv"):
                self.maps.append(nn.Sequential(nn.Conv2d(c, row.channels_out, row.f, row.s, row.p)))
            else:
                self.maps[-1].append(nn.MaxPool2d(row.f, row.s, row.p))
            c = row.channels_out
        side, width = int(table.loc["Conv1", "n"]), table.loc["FC1", "neurons"]
        with torch.no_grad():
            inputs = self.down(torch.zeros(1, 3, side, side)).shape[1]
        self.dense = nn.ModuleList([nn.Linear(inputs, width), nn.Linear(width, width)])
        self.last = nn.Linear(width, 1000)

    def down(self, x):
        for part in self.maps:
            x = torch.relu(part(x))
        return x.flatten(1)

    def forward(self, x):
        x = self.down(x)
        for layer in self.dense:
            x = torch.maximum(layer(x), torch.zeros(()))
        return self.last(x)


def coursework_net():
    return Blocks(coursework_table(student))


# %% wrong coursework_net: the last pool rounds up loses=["hidden-coursework_net"]
student = ""


def coursework_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 1, 2), nn.ReLU(), nn.MaxPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2), nn.ReLU(),
        nn.Conv2d(192, 192, 4, 1, 1), nn.ReLU(),
        nn.Conv2d(192, 128, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(4, 3, ceil_mode=True),
        nn.Flatten(), nn.Linear(2048, 1600), nn.ReLU(), nn.Linear(1600, 1600), nn.ReLU(),
        nn.Linear(1600, 1000),
    )  # fmt: skip


# %% wrong coursework_net: no biases loses=["hidden-coursework_net"]
student = ""


def coursework_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4, bias=False), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 1, 2, bias=False), nn.ReLU(), nn.MaxPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2, bias=False), nn.ReLU(),
        nn.Conv2d(192, 192, 4, 1, 1, bias=False), nn.ReLU(),
        nn.Conv2d(192, 128, 3, 1, 1, bias=False), nn.ReLU(), nn.MaxPool2d(4, 3),
        nn.Flatten(), nn.Linear(1152, 1600, bias=False), nn.ReLU(),
        nn.Linear(1600, 1600, bias=False), nn.ReLU(), nn.Linear(1600, 1000, bias=False),
    )  # fmt: skip


# %% wrong coursework_net: a softmax at the end, as the table's name suggests loses=["hidden-coursework_net"]
student = ""


def coursework_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 1, 2), nn.ReLU(), nn.MaxPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2), nn.ReLU(),
        nn.Conv2d(192, 192, 4, 1, 1), nn.ReLU(),
        nn.Conv2d(192, 128, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(4, 3),
        nn.Flatten(), nn.Linear(1152, 1600), nn.ReLU(), nn.Linear(1600, 1600), nn.ReLU(),
        nn.Linear(1600, 1000), nn.Softmax(dim=1),
    )  # fmt: skip


# %% wrong coursework_net: leaves out one of the convolutions loses=["hidden-coursework_net"]
student = ""


def coursework_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 1, 2), nn.ReLU(), nn.MaxPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2), nn.ReLU(),
        nn.Conv2d(192, 128, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(4, 3),
        nn.Flatten(), nn.Linear(1152, 1600), nn.ReLU(), nn.Linear(1600, 1600), nn.ReLU(),
        nn.Linear(1600, 1000),
    )  # fmt: skip


# %% wrong coursework_net: forgets the padding, and the last pool's input is smaller loses=["hidden-coursework_net"]
student = ""


def coursework_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6), nn.ReLU(), nn.MaxPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2), nn.ReLU(),
        nn.Conv2d(192, 192, 4, 1, 1), nn.ReLU(),
        nn.Conv2d(192, 128, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(4, 3),
        nn.Flatten(), nn.LazyLinear(1600), nn.ReLU(), nn.Linear(1600, 1600), nn.ReLU(),
        nn.Linear(1600, 1000),
    )  # fmt: skip


# %% wrong coursework_net: the image of the figure, 224 pixels, and its own 227 do not fit loses=["test-coursework_net", "hidden-coursework_net"]
student = ""


def coursework_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 1, 2), nn.ReLU(), nn.MaxPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(4, 3),
        nn.Flatten(), nn.Linear(9216, 1600), nn.ReLU(), nn.Linear(1600, 1000),
    )  # fmt: skip


# %% wrong coursework_net: no ReLU at all: a stack that is one linear layer loses=["hidden-coursework_net"]
student = ""


def coursework_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 1, 2), nn.MaxPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2),
        nn.Conv2d(192, 192, 4, 1, 1),
        nn.Conv2d(192, 128, 3, 1, 1), nn.MaxPool2d(4, 3),
        nn.Flatten(), nn.Linear(1152, 1600), nn.Linear(1600, 1600),
        nn.Linear(1600, 1000),
    )  # fmt: skip



# %% wrong coursework_net: average pools loses=["hidden-coursework_net"]
student = ""


def coursework_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.ReLU(), nn.AvgPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 1, 2), nn.ReLU(), nn.AvgPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2), nn.ReLU(),
        nn.Conv2d(192, 192, 4, 1, 1), nn.ReLU(),
        nn.Conv2d(192, 128, 3, 1, 1), nn.ReLU(), nn.AvgPool2d(4, 3),
        nn.Flatten(), nn.Linear(1152, 1600), nn.ReLU(), nn.Linear(1600, 1600), nn.ReLU(),
        nn.Linear(1600, 1000),
    )  # fmt: skip



# %% wrong coursework_net: pads by copies of the border loses=["hidden-coursework_net"]
student = ""


def coursework_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 1, 2, padding_mode="replicate"), nn.ReLU(), nn.MaxPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2, padding_mode="replicate"), nn.ReLU(),
        nn.Conv2d(192, 192, 4, 1, 1), nn.ReLU(),
        nn.Conv2d(192, 128, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(4, 3),
        nn.Flatten(), nn.Linear(1152, 1600), nn.ReLU(), nn.Linear(1600, 1600), nn.ReLU(),
        nn.Linear(1600, 1000),
    )  # fmt: skip



# %% wrong coursework_net: no ReLU between the dense layers loses=["hidden-coursework_net"]
student = ""


def coursework_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 1, 2), nn.ReLU(), nn.MaxPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2), nn.ReLU(),
        nn.Conv2d(192, 192, 4, 1, 1), nn.ReLU(),
        nn.Conv2d(192, 128, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(4, 3),
        nn.Flatten(), nn.Linear(1152, 1600), nn.Linear(1600, 1600), nn.ReLU(),
        nn.Linear(1600, 1000),
    )  # fmt: skip



# %% wrong coursework_net: a ReLU behind the last layer loses=["hidden-coursework_net"]
student = ""


def coursework_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 1, 2), nn.ReLU(), nn.MaxPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2), nn.ReLU(),
        nn.Conv2d(192, 192, 4, 1, 1), nn.ReLU(),
        nn.Conv2d(192, 128, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(4, 3),
        nn.Flatten(), nn.Linear(1152, 1600), nn.ReLU(), nn.Linear(1600, 1600), nn.ReLU(),
        nn.Linear(1600, 1000), nn.ReLU(),
    )  # fmt: skip



# %% wrong coursework_net: another nonlinearity than the one asked for loses=["hidden-coursework_net"]
student = ""


def coursework_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.Tanh(), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 1, 2), nn.Tanh(), nn.MaxPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2), nn.Tanh(),
        nn.Conv2d(192, 192, 4, 1, 1), nn.Tanh(),
        nn.Conv2d(192, 128, 3, 1, 1), nn.Tanh(), nn.MaxPool2d(4, 3),
        nn.Flatten(), nn.Linear(1152, 1600), nn.Tanh(), nn.Linear(1600, 1600), nn.Tanh(),
        nn.Linear(1600, 1000),
    )  # fmt: skip


# %% right last_pool: the lecture's numbers, by hand
student = ""


def last_pool():
    return {
        "floor": {"out": 3, "fc1": 1_844_800, "neurons": 356_872, "parameters": 7_672_104},
        "ceil": {"out": 4, "fc1": 3_278_400, "neurons": 357_768, "parameters": 9_105_704},
    }


# %% right last_pool: counts two nets, one with ceil_mode
def last_pool():
    table, found = coursework_table(student), {}
    for ceil in (False, True):
        x, c, neurons, total = torch.empty(1, 3, *2 * [table.loc["Conv1", "n"]], device="meta"), 3, 0, 0
        for row in ROWS[:8]:
            f, p, s, k = table.loc[row, ["f", "p", "s", "channels_out"]]
            if row[0] == "C":
                x = nn.Conv2d(c, k, f, s, p, device="meta")(x)
                total += k * (c * f**2 + 1)
            else:
                x = nn.MaxPool2d(f, s, p, ceil_mode=ceil)(x)
            c, neurons = k, neurons + x.numel()
        a, b, classes = table.loc[ROWS[8:11], "neurons"]
        fc1 = torch.tensor(a * (x.numel() + 1))
        total = total + fc1 + b * (a + 1) + classes * (b + 1)
        found["ceil" if ceil else "floor"] = {
            "out": x.shape[2], "fc1": fc1, "neurons": neurons + a + b + classes, "parameters": total
        }  # fmt: skip
    return found


# %% right last_pool: from the table, by shares
def last_pool():
    table = filled_table()
    n, f, s, maps = (int(k) for k in table.loc["Pool3", ["n", "f", "s", "channels_out"]])
    full, rest = divmod(n - f, s)
    ways, fc1 = {}, table.loc["FC1"]
    for way, out in (("ceil", full + 1 + (rest > 0)), ("floor", full + 1)):
        more = maps * out**2 - fc1["n"]
        ways[way] = {
            "out": float(out),
            "fc1": fc1["parameters"] + more * fc1["neurons"],
            "neurons": table.loc["Total", "neurons"] + more,
            "parameters": table.loc["Total", "parameters"] + more * fc1["neurons"],
        }
    return ways


# %% wrong last_pool: the two ways are exchanged loses=["test-last_pool", "hidden-last_pool"]
student = ""


def last_pool():
    return {
        "ceil": {"out": 3, "fc1": 1_844_800, "neurons": 356_872, "parameters": 7_672_104},
        "floor": {"out": 4, "fc1": 3_278_400, "neurons": 357_768, "parameters": 9_105_704},
    }


# %% wrong last_pool: forgets the biases of FC1 loses=["hidden-last_pool"]
student = ""


def last_pool():
    return {
        "floor": {"out": 3, "fc1": 1_843_200, "neurons": 356_872, "parameters": 7_670_504},
        "ceil": {"out": 4, "fc1": 3_276_800, "neurons": 357_768, "parameters": 9_104_104},
    }


# %% wrong last_pool: the new neurons are one row and not a column as well loses=["hidden-last_pool"]
student = ""


def last_pool():
    return {
        "floor": {"out": 3, "fc1": 1_844_800, "neurons": 356_872, "parameters": 7_672_104},
        "ceil": {"out": 4, "fc1": 3_278_400, "neurons": 357_256, "parameters": 9_105_704},
    }


# %% wrong last_pool: counts the image among the neurons loses=["hidden-last_pool"]
student = ""


def last_pool():
    return {
        "floor": {"out": 3, "fc1": 1_844_800, "neurons": 511_459, "parameters": 7_672_104},
        "ceil": {"out": 4, "fc1": 3_278_400, "neurons": 512_355, "parameters": 9_105_704},
    }


# %% wrong last_pool: thinks that a pool cannot change parameters loses=["test-last_pool", "hidden-last_pool"]
student = ""


def last_pool():
    return {
        "floor": {"out": 3, "fc1": 1_844_800, "neurons": 356_872, "parameters": 7_672_104},
        "ceil": {"out": 4, "fc1": 3_278_400, "neurons": 357_768, "parameters": 7_672_104},
    }


# %% wrong last_pool: neurons stay as they were loses=["hidden-last_pool"]
student = ""


def last_pool():
    return {
        "floor": {"out": 3, "fc1": 1_844_800, "neurons": 356_872, "parameters": 7_672_104},
        "ceil": {"out": 4, "fc1": 3_278_400, "neurons": 356_872, "parameters": 9_105_704},
    }



# %% wrong last_pool: one bias for all of FC1 loses=["hidden-last_pool"]
student = ""


def last_pool():
    return {
        "floor": {"out": 3, "fc1": 1_843_201, "neurons": 356_872, "parameters": 7_670_505},
        "ceil": {"out": 4, "fc1": 3_276_801, "neurons": 357_768, "parameters": 9_104_105},
    }



# %% wrong last_pool: FC2 and the last layer grow as well loses=["test-last_pool", "hidden-last_pool"]
student = ""


def last_pool():
    return {
        "floor": {"out": 3, "fc1": 1_844_800, "neurons": 356_872, "parameters": 7_672_104},
        "ceil": {"out": 4, "fc1": 3_278_400, "neurons": 357_768, "parameters": 10_539_304},
    }



# %% wrong last_pool: two windows more loses=["test-last_pool", "hidden-last_pool"]
student = ""


def last_pool():
    return {
        "floor": {"out": 3, "fc1": 1_844_800, "neurons": 356_872, "parameters": 7_672_104},
        "ceil": {"out": 5, "fc1": 3_278_400, "neurons": 357_768, "parameters": 9_105_704},
    }


# %% right small_net: the table's net with narrow dense layers
student = ""


def small_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 1, 2), nn.ReLU(), nn.MaxPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2), nn.ReLU(),
        nn.Conv2d(192, 192, 4, 1, 1), nn.ReLU(),
        nn.Conv2d(192, 128, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(4, 3),
        nn.Flatten(), nn.Linear(1152, 600), nn.ReLU(), nn.Linear(600, 600), nn.ReLU(),
        nn.Linear(600, 1000),
    )  # fmt: skip


# %% right small_net: six convolutions in blocks with batch norm, and an average over the maps
class Block(nn.Sequential):
    def __init__(self, before, after):
        super().__init__(
            nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.GELU()
        )


class Light(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [3, 16, 32, 64, 128, 128, 256]
        self.blocks = nn.Sequential(*map(Block, widths, widths[1:]))
        self.head = nn.Linear(256, 1000)

    def forward(self, images):
        return self.head(self.blocks(images).mean(dim=(2, 3)))


def small_net():
    return Light()


# %% right small_net: convolutions with weight norm, parametrised
from torch.nn.utils import parametrizations


def small_net():
    layers, before = [], 3
    for filters in (24, 48, 96, 96, 128):
        conv = nn.Conv2d(before, filters, 3, 2, 1, bias=filters != 96)
        layers += [parametrizations.weight_norm(conv), nn.LeakyReLU()]
        before = filters
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(128, 1000))


# %% right small_net: depthwise separable blocks, and one block that runs twice beside five others
class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 5, 4)
        self.wide = nn.ModuleList(nn.Conv2d(32, 32, 3, padding=1, groups=32) for _ in range(2))
        self.point = nn.ModuleList(nn.Conv2d(32, 32, 1) for _ in range(2))
        self.again = nn.Conv2d(32, 32, 3, 2, 1)
        self.head = nn.Linear(32, 1000)

    def forward(self, images):
        x = self.stem(images).relu()
        for wide, point in zip(self.wide, self.point, strict=True):
            x = x + point(wide(x)).relu()
        x = self.again(self.again(x).relu()).relu()
        return self.head(x.mean((2, 3)))


def small_net():
    return Twice()


# %% wrong small_net: only FC2 is narrower, and that is less than half loses=["hidden-small_net"]
student = ""


def small_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 1, 2), nn.ReLU(), nn.MaxPool2d(4, 2),
        nn.Conv2d(128, 192, 5, 1, 2), nn.ReLU(),
        nn.Conv2d(192, 192, 4, 1, 1), nn.ReLU(),
        nn.Conv2d(192, 128, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(4, 3),
        nn.Flatten(), nn.Linear(1152, 1600), nn.ReLU(), nn.Linear(1600, 800), nn.ReLU(),
        nn.Linear(800, 1000),
    )  # fmt: skip


# %% wrong small_net: two convolutions instead of five loses=["hidden-small_net"]
student = ""


def small_net():
    return nn.Sequential(
        nn.Conv2d(3, 48, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 128, 6, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Flatten(),
        nn.LazyLinear(200), nn.ReLU(), nn.Linear(200, 1000),
    )  # fmt: skip


# %% wrong small_net: half of the classes loses=["test-small_net"]
def small_net():
    layers, before = [], 3
    for filters in (32, 64, 128, 128, 256):
        layers += [nn.Conv2d(before, filters, 3, 2, 1), nn.ReLU()]
        before = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 500))


# %% wrong small_net: convolutions that are made, and never used loses=["hidden-small_net"]
class Idle(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 32, 7, 4)
        self.more = nn.ModuleList(nn.Conv2d(32, 32, 3) for _ in range(4))
        self.head = nn.Linear(32, 1000)

    def forward(self, images):
        return self.head(self.first(images).relu().amax(dim=(2, 3)))


def small_net():
    return Idle()


# %% wrong small_net: a batch that is laid flat with its images loses=["test-small_net", "hidden-small_net"]
class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [3, 16, 32, 64, 64, 64]
        pairs = zip(widths, widths[1:], strict=False)
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, 2) for a, b in pairs)
        self.head = nn.Linear(64 * 6 * 6, 1000)

    def forward(self, images):
        for convolution in self.convolutions:
            images = convolution(images).relu()
        return self.head(images.flatten())


def small_net():
    return Flat()


# %% wrong small_net: one convolution that runs five times loses=["hidden-small_net"]
class Again(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.again = nn.Conv2d(3, 32, 7, 4), nn.Conv2d(32, 32, 3)
        self.head = nn.Linear(32, 1000)

    def forward(self, images):
        x = self.first(images).relu()
        for _ in range(5):
            x = self.again(x).relu()
        return self.head(x.mean((2, 3)))


def small_net():
    return Again()


# %% wrong small_net: a list of five that is one convolution loses=["hidden-small_net"]
def small_net():
    same = nn.Conv2d(16, 16, 3, 2, 1)
    layers = [nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU()]
    for _ in range(5):
        layers += [same, nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 1000))


# %% wrong small_net: no nonlinearity between its layers loses=["hidden-small_net"]
def small_net():
    layers, before = [], 3
    for filters in (32, 64, 128, 128, 256):
        layers.append(nn.Conv2d(before, filters, 3, 2, 1))
        before = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 1000))


# %% wrong small_net: the first layers are frozen loses=["hidden-small_net"]
def small_net():
    layers, before = [], 3
    for filters in (32, 64, 128, 128, 256):
        layers += [nn.Conv2d(before, filters, 3, 2, 1), nn.ReLU()]
        before = filters
    layers[0].requires_grad_(False)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 1000))


# %% wrong small_net: the class in place of a network loses=["test-small_net", "hidden-small_net"]
def small_net():
    return nn.Sequential


# %% right papers: the lecture's table, by hand
student = ""


def papers():
    return {
        "glorot_variance": 0.000727,
        "glorot_bound": 0.0467,
        "he_variance": 1 / 1600,
        "prelu_variance": 0.000588,
        "prelu_parameters": 688,
        "fade": 3.05e-5,
        "deep_22": "both",
        "deep_30": "he",
        "gap": 160,
        "raw_224": 54.25,
        "neurons_1": 290400,
        "patches": 2178,
    }


# %% right papers: computed from the table as it is given, as tensors and NumPy numbers
import numpy as np


def papers():
    given = coursework_table(student)
    side = given.loc["Conv1", "n"]
    for row in ROWS[:8]:
        f, p, s = given.loc[row, ["f", "p", "s"]]
        side = (side + 2 * p - f) // s + 1
    ends = side**2 * given.loc["Conv5", "channels_out"] + given.loc["FC1", "neurons"]
    fan_in = given.loc["Conv2", "channels_out"] * given.loc["Conv3", "f"] ** 2
    signal = torch.ones((), dtype=torch.float64)
    for _ in range(30):
        signal = signal / 2**0.5
    return dict(
        glorot_variance=np.float64(2 / ends),
        glorot_bound=np.sqrt(6 / ends),
        he_variance=2 / fan_in,
        prelu_variance=torch.tensor(2 / (fan_in * 17 / 16)),
        prelu_parameters=sum(given.loc[[f"Conv{k}" for k in range(1, 6)], "channels_out"]),
        fade=signal,
        deep_22="both",
        deep_30="he",
        gap=5_100 - 4_940,
        raw_224=213 / 4 + 1,
        neurons_1=torch.empty(96, 55, 55).numel(),
        patches=2 * len(range(0, 256 - 224 + 1)) ** 2,
    )


# %% right papers: from the table as it was filled in
def papers():
    table = filled_table()
    variance = 2 / (table.loc["FC1", "n"] + table.loc["FC1", "neurons"])
    he = 2 / (table.loc["Conv3", "filter_plus_1"] - 1)
    replies = {"glorot_variance": variance, "glorot_bound": (3 * variance) ** 0.5, "he_variance": he}
    replies |= {"prelu_variance": he * 16 / 17, "fade": 2 ** (-30 / 2), "deep_30": "he", "deep_22": "both"}
    slopes = table.loc[table.index.str.startswith("Conv"), "channels_out"].astype(int).sum()
    replies |= {"prelu_parameters": slopes, "gap": 160.0, "raw_224": (224 - 11) / 4 + 1}
    return replies | {"neurons_1": 96 * 55**2, "patches": 2 * 33 * 33}


# %% wrong papers: fan-in alone for Glorot, and its bound to match loses=["hidden-papers"]
student = ""


def papers():
    right = {"he_variance": 1 / 1600, "prelu_variance": 0.000588, "prelu_parameters": 688}
    right |= {"fade": 2**-15, "deep_22": "both", "deep_30": "he", "gap": 160, "raw_224": 54.25}
    right |= {"neurons_1": 290400, "patches": 2178}
    return right | {"glorot_variance": 1 / 1152, "glorot_bound": (3 / 1152) ** 0.5}


# %% wrong papers: the standard deviation for the variance loses=["test-papers", "hidden-papers"]
def papers():
    right = {"fade": 2**-15, "deep_22": "both", "deep_30": "he", "gap": 160, "raw_224": 54.25}
    right |= {"neurons_1": 290400, "patches": 2178, "prelu_parameters": 688}
    right |= {"he_variance": 0.025, "prelu_variance": 0.02425}
    return right | {"glorot_variance": 0.02696, "glorot_bound": 0.0467}


# %% wrong papers: believes the paper's own numbers loses=["hidden-papers"]
student = ""


def papers():
    right = {"he_variance": 1 / 1600, "prelu_variance": 0.000588, "prelu_parameters": 688}
    right |= {"fade": 2**-15, "deep_22": "both", "deep_30": "he", "gap": 160}
    right |= {"glorot_variance": 2 / 2752, "glorot_bound": (6 / 2752) ** 0.5}
    return right | {"raw_224": 55, "neurons_1": 253_440, "patches": 2048}


# %% wrong papers: the mean square for its root, and Glorot fails already at 22 layers loses=["hidden-papers"]
student = ""


def papers():
    right = {"he_variance": 1 / 1600, "prelu_variance": 0.000588, "prelu_parameters": 688}
    right |= {"gap": 160, "raw_224": 54.25, "neurons_1": 290400, "patches": 2178}
    right |= {"glorot_variance": 2 / 2752, "glorot_bound": (6 / 2752) ** 0.5}
    return right | {"fade": 2**-30, "deep_22": "he", "deep_30": "neither"}


# %% wrong papers: answers in a list, without keys loses=["test-papers", "hidden-papers"]
student = ""


def papers():
    return [2 / 2752, (6 / 2752) ** 0.5, 1 / 1600, 0.000588, 688, 2**-15, "both", "he", 160]


# %% wrong papers: fan-out in place of fan-in loses=["hidden-papers"]
student = ""


def papers():
    right = {"he_variance": 1 / 1600, "prelu_variance": 0.000588, "prelu_parameters": 688}
    right |= {"fade": 2**-15, "deep_22": "both", "deep_30": "he", "gap": 160, "raw_224": 54.25}
    right |= {"glorot_variance": 2 / 2752, "glorot_bound": (6 / 2752) ** 0.5}
    right |= {"neurons_1": 290400, "patches": 2178}
    return right | {"he_variance": 2 / (25 * 192), "prelu_variance": 2 / (1.0625 * 25 * 192)}


# %% wrong papers: a convolution's fan-in without its window loses=["hidden-papers"]
student = ""


def papers():
    right = {"he_variance": 1 / 1600, "prelu_variance": 0.000588, "prelu_parameters": 688}
    right |= {"fade": 2**-15, "deep_22": "both", "deep_30": "he", "gap": 160, "raw_224": 54.25}
    right |= {"glorot_variance": 2 / 2752, "glorot_bound": (6 / 2752) ** 0.5}
    right |= {"neurons_1": 290400, "patches": 2178}
    return right | {"he_variance": 2 / 128, "prelu_variance": 2 / (1.0625 * 128)}


# %% wrong papers: one slope for each layer loses=["hidden-papers"]
student = ""


def papers():
    right = {"he_variance": 1 / 1600, "prelu_variance": 0.000588, "prelu_parameters": 688}
    right |= {"fade": 2**-15, "deep_22": "both", "deep_30": "he", "gap": 160, "raw_224": 54.25}
    right |= {"glorot_variance": 2 / 2752, "glorot_bound": (6 / 2752) ** 0.5}
    right |= {"neurons_1": 290400, "patches": 2178}
    return right | {"prelu_parameters": 5}


# %% wrong papers: the gap in percent loses=["hidden-papers"]
student = ""


def papers():
    right = {"he_variance": 1 / 1600, "prelu_variance": 0.000588, "prelu_parameters": 688}
    right |= {"fade": 2**-15, "deep_22": "both", "deep_30": "he", "gap": 160, "raw_224": 54.25}
    right |= {"glorot_variance": 2 / 2752, "glorot_bound": (6 / 2752) ** 0.5}
    right |= {"neurons_1": 290400, "patches": 2178}
    return right | {"gap": 0.16}


# %% wrong papers: rounds the size that does not fit loses=["hidden-papers"]
student = ""


def papers():
    right = {"he_variance": 1 / 1600, "prelu_variance": 0.000588, "prelu_parameters": 688}
    right |= {"fade": 2**-15, "deep_22": "both", "deep_30": "he", "gap": 160, "raw_224": 54.25}
    right |= {"glorot_variance": 2 / 2752, "glorot_bound": (6 / 2752) ** 0.5}
    right |= {"neurons_1": 290400, "patches": 2178}
    return right | {"raw_224": 54}


# %% wrong papers: forgets the mirror loses=["hidden-papers"]
student = ""


def papers():
    right = {"he_variance": 1 / 1600, "prelu_variance": 0.000588, "prelu_parameters": 688}
    right |= {"fade": 2**-15, "deep_22": "both", "deep_30": "he", "gap": 160, "raw_224": 54.25}
    right |= {"glorot_variance": 2 / 2752, "glorot_bound": (6 / 2752) ** 0.5}
    right |= {"neurons_1": 290400, "patches": 2178}
    return right | {"patches": 33 * 33}


# %% wrong papers: the slope itself for its square loses=["hidden-papers"]
student = ""


def papers():
    right = {"he_variance": 1 / 1600, "prelu_variance": 0.000588, "prelu_parameters": 688}
    right |= {"fade": 2**-15, "deep_22": "both", "deep_30": "he", "gap": 160, "raw_224": 54.25}
    right |= {"glorot_variance": 2 / 2752, "glorot_bound": (6 / 2752) ** 0.5}
    right |= {"neurons_1": 290400, "patches": 2178}
    return right | {"prelu_variance": 2 / (1.25 * 3200)}
