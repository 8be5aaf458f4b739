# %% [markdown]
# Answers to lesson 02, right and wrong. A cell replaces its exercise's solution cell.

# %% right by_hand: from the corner of each window, the readers turned round from it
def by_hand():
    reads = {}
    for k, corner in enumerate((0, 1, 4, 5)):
        reads[k] = [corner + 4 * i + j for i in range(3) for j in range(3)]
    answers = {f"y{k}": reads[k] for k in (1, 2, 3)}
    for pixel in (3, 4, 5):
        answers[f"x{pixel}"] = [k for k in reads if pixel in reads[k]]
    z = sum(pixel * weight for pixel, weight in zip(reads[0], [1, 0, -1] * 3)) + 4
    return answers | {"z0": z, "y0": max(z, 0)}


# %% right by_hand: arrays, sets of readers and floats
import numpy as np


def by_hand():
    pixels = np.arange(16).reshape(4, 4)
    return {
        "y1": pixels[:3, 1:].ravel(),
        "y2": pixels[1:, :3].ravel(),
        "y3": pixels[1:, 1:].ravel(),
        "x3": {1},
        "x4": {2, 0},
        "x5": {0, 1, 2, 3},
        "z0": -6.0 + 4.0,
        "y0": 0.0,
    }


# %% wrong by_hand: rows and columns swapped, y1 stands below y0 loses=["test-by_hand", "hidden-by_hand"]
def by_hand():
    return {
        "y1": [4, 5, 6, 8, 9, 10, 12, 13, 14],
        "y2": [1, 2, 3, 5, 6, 7, 9, 10, 11],
        "y3": [5, 6, 7, 9, 10, 11, 13, 14, 15],
        "x3": [2],
        "x4": [0, 1],
        "x5": [0, 1, 2, 3],
        "z0": -2,
        "y0": 0,
    }


# %% wrong by_hand: nine neighbours in a line, as if a row had no end loses=["hidden-by_hand"]
def by_hand():
    return {
        "y1": list(range(1, 10)),
        "y2": list(range(4, 13)),
        "y3": list(range(5, 14)),
        "x3": [0, 1],
        "x4": [0, 1, 2],
        "x5": [0, 1, 2, 3],
        "z0": -2,
        "y0": 0,
    }


# %% wrong by_hand: the bias is added once for each weight loses=["test-by_hand", "hidden-by_hand"]
def by_hand():
    return {
        "y1": [1, 2, 3, 5, 6, 7, 9, 10, 11],
        "y2": [4, 5, 6, 8, 9, 10, 12, 13, 14],
        "y3": [5, 6, 7, 9, 10, 11, 13, 14, 15],
        "x3": [1],
        "x4": [0, 2],
        "x5": [0, 1, 2, 3],
        "z0": 30,
        "y0": 30,
    }

# %% [markdown] says=["z0 is 30, -2 was expected"]
# **It looks as if the bias is added once for each weight.** Each output has one bias, however many weights it has
# (slide 19).
#
# *Compare:* the pixels 1, 2 under the weights 1, 1 with a bias of 10 give 1 + 2 + 10 = 13, not (1 + 10) + (2 + 10) = 23.


# %% wrong by_hand: forgets the activation loses=["test-by_hand"]
def by_hand():
    return {
        "y1": [1, 2, 3, 5, 6, 7, 9, 10, 11],
        "y2": [4, 5, 6, 8, 9, 10, 12, 13, 14],
        "y3": [5, 6, 7, 9, 10, 11, 13, 14, 15],
        "x3": [1],
        "x4": [0, 2],
        "x5": [0, 1, 2, 3],
        "z0": -2,
        "y0": -2,
    }

# %% [markdown] says=["y0 is -2, 0 was expected"]
# **It looks as if the activation is missing.** The sum of products and bias is z; the neuron puts out y, which is what
# ReLU makes of z.
#
# *Compare:* z = 3 gives y = 3, and z = -3 gives y = 0.


# %% wrong by_hand: flips the kernel loses=["hidden-by_hand"]
def by_hand():
    return {
        "y1": [1, 2, 3, 5, 6, 7, 9, 10, 11],
        "y2": [4, 5, 6, 8, 9, 10, 12, 13, 14],
        "y3": [5, 6, 7, 9, 10, 11, 13, 14, 15],
        "x3": [1],
        "x4": [0, 2],
        "x5": [0, 1, 2, 3],
        "z0": 10,
        "y0": 10,
    }

# %% [markdown] says=["z0 is 10, -2 was expected"]
# **It looks as if the kernel is turned by 180 degrees.** Weight 0 lies on the first pixel of the window.
#
# *Compare:* the pixels 1, 2, 3 under the weights 1, 0, -1 give 1 - 3 = -2 as printed, and 3 - 1 = 2 turned.


# %% wrong by_hand: each pixel is read by one output, the one it is nearest to loses=["hidden-by_hand"]
def by_hand():
    return {
        "y1": [1, 2, 3, 5, 6, 7, 9, 10, 11],
        "y2": [4, 5, 6, 8, 9, 10, 12, 13, 14],
        "y3": [5, 6, 7, 9, 10, 11, 13, 14, 15],
        "x3": [1],
        "x4": [0],
        "x5": [0],
        "z0": -2,
        "y0": 0,
    }


# %% right by_hand: typed from the picture, as tuples
def by_hand():
    return {
        "y1": (1, 2, 3, 5, 6, 7, 9, 10, 11),
        "y2": (4, 5, 6, 8, 9, 10, 12, 13, 14),
        "y3": (5, 6, 7, 9, 10, 11, 13, 14, 15),
        "x3": (1,),
        "x4": (2, 0),
        "x5": (3, 2, 1, 0),
        "z0": -6 + 4,
        "y0": 0.0,
    }


# %% wrong by_hand: leaves the bias out loses=["hidden-by_hand"]
def by_hand():
    y1, y2, y3 = ([c + 4 * i + j for i in range(3) for j in range(3)] for c in (1, 4, 5))
    return {"y1": y1, "y2": y2, "y3": y3, "x3": [1], "x4": [0, 2], "x5": [0, 1, 2, 3], "z0": -6, "y0": 0}

# %% [markdown] says=["z0 is -6, -2 was expected"]
# **It looks as if the bias is missing.** It is added once, after the products.
#
# *Compare:* the pixels 1, 2 under the weights 1, 1 with a bias of 10 give 13, not 3.


# %% wrong by_hand: y3 one step right of y2, but over the end of the row loses=["test-by_hand", "hidden-by_hand"]
def by_hand():
    y1, y2 = ([c + 4 * i + j for i in range(3) for j in range(3)] for c in (1, 4))
    y3 = [6, 7, 8, 10, 11, 12, 14, 15, 16]
    return {"y1": y1, "y2": y2, "y3": y3, "x3": [1], "x4": [0, 2], "x5": [0, 1, 2, 3], "z0": -2, "y0": 0}


# %% wrong by_hand: each of the middle pixels is read twice, not four times loses=["hidden-by_hand"]
def by_hand():
    y1, y2, y3 = ([c + 4 * i + j for i in range(3) for j in range(3)] for c in (1, 4, 5))
    return {"y1": y1, "y2": y2, "y3": y3, "x3": [1], "x4": [0, 2], "x5": [0, 3], "z0": -2, "y0": 0}


# %% right pad2d: glues zeros to the four sides, one after the other
def pad2d(x, p):
    n, c, height, width = x.shape
    side = torch.zeros(n, c, height, p, dtype=x.dtype)
    x = torch.cat([side, x, side], dim=3)
    lid = torch.zeros(n, c, p, width + 2 * p, dtype=x.dtype)
    return torch.cat([lid, x, lid], dim=2)


# %% right pad2d: through NumPy
def pad2d(x, p):
    import numpy as np

    n, c, height, width = x.shape
    padded = np.zeros((n, c, height + 2 * p, width + 2 * p), dtype=x.numpy().dtype)
    padded[:, :, p : p + height, p : p + width] = x
    return torch.from_numpy(padded)


# %% right pad2d: a matrix that shifts, from the left and from the right
def pad2d(x, p):
    def shift(n):
        return torch.eye(n + 2 * p, dtype=x.dtype)[:, p : p + n]

    return shift(x.shape[2]) @ x @ shift(x.shape[3]).T


# %% wrong pad2d: one-sided, twice as wide at the top and on the left loses=["test-pad2d", "hidden-pad2d"]
def pad2d(x, p):
    n, c, height, width = x.shape
    padded = x.new_zeros(n, c, height + 2 * p, width + 2 * p)
    padded[:, :, 2 * p :, 2 * p :] = x
    return padded


# %% wrong pad2d: p in all, on one side of each axis loses=["test-pad2d", "hidden-pad2d"]
def pad2d(x, p):
    n, c, height, width = x.shape
    padded = x.new_zeros(n, c, height + p, width + p)
    padded[:, :, p:, p:] = x
    return padded

# %% [markdown] says=["has shape (2, 3, 5, 6), (2, 3, 6, 7) was expected"]
# **It looks as if there is padding on one side only.** p is the width of the frame on each side.
#
# *Compare:* the row 5, 6 with p = 1 is 0, 5, 6, 0, four numbers wide; on one side only it would be three.


# %% wrong pad2d: p:-p, which is nothing where p is 0 loses=["hidden-pad2d"]
def pad2d(x, p):
    n, c, height, width = x.shape
    padded = x.new_zeros(n, c, height + 2 * p, width + 2 * p)
    padded[:, :, p:-p, p:-p] = x
    return padded


# %% wrong pad2d: H and W swapped in the size of the result loses=["test-pad2d", "hidden-pad2d"]
def pad2d(x, p):
    n, c, width, height = x.shape
    padded = x.new_zeros(n, c, height + 2 * p, width + 2 * p)
    padded[:, :, p : p + width, p : p + height] = x
    return padded


# %% wrong pad2d: repeats the border in place of zeros loses=["test-pad2d", "hidden-pad2d"]
def pad2d(x, p):
    rows = torch.arange(-p, x.shape[2] + p).clamp(0, x.shape[2] - 1)
    columns = torch.arange(-p, x.shape[3] + p).clamp(0, x.shape[3] - 1)
    return x[:, :, rows][:, :, :, columns]

# %% [markdown] says=["pad2d of the image 1 2 / 3 4 with p=1 is 4 at (0, 0, 2, 3), 0 was expected"]
# **It looks as if the border is repeated outwards.** Here the frame is of zeros, as in the lecture's pictures.
#
# *Compare:* the row 5, 6 with a frame of 1 is 0, 5, 6, 0; repeated, it would be 5, 5, 6, 6.


# %% wrong pad2d: pads the channels, too loses=["test-pad2d", "hidden-pad2d"]
def pad2d(x, p):
    n, c, height, width = x.shape
    padded = x.new_zeros(n, c + 2 * p, height + 2 * p, width + 2 * p)
    padded[:, p : p + c, p : p + height, p : p + width] = x
    return padded


# %% wrong pad2d: without a frame, hands back the very input loses=["hidden-pad2d"]
def pad2d(x, p):
    if p == 0:
        return x
    n, c, height, width = x.shape
    padded = x.new_zeros(n, c, height + 2 * p, width + 2 * p)
    padded[:, :, p:-p, p:-p] = x
    return padded


# %% wrong pad2d: leaves the work to NumPy loses=["test-pad2d", "hidden-pad2d"]
def pad2d(x, p):
    import numpy as np

    return torch.from_numpy(np.pad(x.numpy(), ((0, 0), (0, 0), (p, p), (p, p))))


# %% wrong pad2d: leaves the work to torch loses=["test-pad2d", "hidden-pad2d"]
def pad2d(x, p):
    return F.pad(x, (p, p, p, p))


# %% wrong pad2d: float32 always loses=["hidden-pad2d"]
import torch


def pad2d(x, p):
    n, c, h, w = x.shape
    out = torch.zeros(n, c, h + 2 * p, w + 2 * p)
    out[:, :, p : p + h, p : p + w] = x
    return out


# %% wrong pad2d: result as an array of NumPy loses=["hidden-pad2d"]
def pad2d(x, p):
    n, c, h, w = x.shape
    out = x.new_zeros(n, c, h + 2 * p, w + 2 * p)
    out[:, :, p : p + h, p : p + w] = x
    return out.numpy()


# %% wrong pad2d: double always loses=["hidden-pad2d"]
def pad2d(x, p):
    n, c, h, w = x.shape
    out = x.new_zeros(n, c, h + 2 * p, w + 2 * p)
    out[:, :, p : p + h, p : p + w] = x
    return out.double()


# %% wrong pad2d: one sheet per shape: results share memory loses=["hidden-pad2d"]
SHEETS = {}


def pad2d(x, p):
    n, c, h, w = x.shape
    key = n, c, h, w, p, x.dtype
    if key not in SHEETS:
        SHEETS[key] = x.new_zeros(n, c, h + 2 * p, w + 2 * p)
    out = SHEETS[key]
    out[:, :, p : p + h, p : p + w] = x
    return out


# %% right conv2d_loops: six loops and a sum, number by number
def conv2d_loops(x, w, b, stride, padding):
    x = pad2d(x, padding)
    images, c_in, height, width = x.shape
    c_out, _, kh, kw = w.shape
    pixels, weights = x.tolist(), w.tolist()
    y = []
    for n in range(images):
        for k in range(c_out):
            for top in range(0, height - kh + 1, stride):
                for left in range(0, width - kw + 1, stride):
                    total = 0.0 if b is None else float(b[k])
                    for c in range(c_in):
                        for u in range(kh):
                            for v in range(kw):
                                total += weights[k][c][u][v] * pixels[n][c][top + u][left + v]
                    y.append(total)
    rows, columns = (height - kh) // stride + 1, (width - kw) // stride + 1
    return torch.tensor(y, dtype=x.dtype).reshape(images, c_out, rows, columns)


# %% right conv2d_loops: all images and filters at once, position by position
def conv2d_loops(x, w, b, stride, padding):
    x = F.pad(x, 4 * (padding,))
    kh, kw = w.shape[2:]
    lines = []
    for i in range(0, x.shape[2] - kh + 1, stride):
        line = []
        for j in range(0, x.shape[3] - kw + 1, stride):
            line.append(torch.einsum("ncuv,kcuv->nk", x[:, :, i : i + kh, j : j + kw], w))
        lines.append(torch.stack(line, dim=2))
    y = torch.stack(lines, dim=2)
    return y if b is None else y + b.reshape(1, -1, 1, 1)


# %% right conv2d_loops: loops over the taps, and every position at once
def conv2d_loops(x, w, b, stride, padding):
    x = pad2d(x, padding)
    _, _, kh, kw = w.shape
    rows = (x.shape[2] - kh) // stride + 1
    columns = (x.shape[3] - kw) // stride + 1
    y = torch.zeros(len(x), len(w), rows, columns, dtype=x.dtype)
    for u in range(kh):
        for v in range(kw):
            part = x[:, :, u::stride, v::stride][:, :, :rows, :columns]
            y += (part[:, None] * w[None, :, :, u, v, None, None]).sum(2)
    if b is not None:
        for k, bias in enumerate(b):
            y[:, k] += bias
    return y


# %% wrong conv2d_loops: the stride is not multiplied, windows stand one pixel apart loses=["test-conv2d_loops", "hidden-conv2d_loops"]
def conv2d_loops(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    y = x.new_zeros(len(x), c_out, rows, columns)
    for i in range(rows):
        for j in range(columns):
            y[:, :, i, j] = torch.einsum("ncuv,kcuv->nk", x[:, :, i : i + kh, j : j + kw], w)
    return y if b is None else y + b[:, None, None]

# %% [markdown] says=["is 12 at (0, 0, 2, 2), 24 was expected", "y is 8.05694 at (1, 1, 2, 2), -0.560884 was expected"]
# **It looks as if the windows stand one pixel apart,** though the output has the size that belongs to the stride.
#
# *Compare:* with stride 3 along a row, output 0 reads from pixel 0 on, output 1 from pixel 3, output 2 from pixel 6 - not
# from pixels 0, 1 and 2.


# %% wrong conv2d_loops: one-sided padding, at the top and on the left loses=["test-conv2d_loops", "hidden-conv2d_loops"]
def conv2d_loops(x, w, b, stride, padding):
    n, c, height, width = x.shape
    padded = x.new_zeros(n, c, height + 2 * padding, width + 2 * padding)
    padded[:, :, 2 * padding :, 2 * padding :] = x
    c_out, _, kh, kw = w.shape
    rows = (padded.shape[2] - kh) // stride + 1
    columns = (padded.shape[3] - kw) // stride + 1
    y = x.new_zeros(n, c_out, rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = padded[:, :, top : top + kh, left : left + kw]
            y[:, :, i, j] = torch.einsum("ncuv,kcuv->nk", window, w)
    return y if b is None else y + b[:, None, None]


# %% wrong conv2d_loops: the bias is added for each tap loses=["test-conv2d_loops", "hidden-conv2d_loops"]
def conv2d_loops(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    y = x.new_zeros(len(x), c_out, rows, columns)
    for u in range(kh):
        for v in range(kw):
            part = x[:, :, u::stride, v::stride][:, :, :rows, :columns]
            y += torch.einsum("ncij,kc->nkij", part, w[:, :, u, v])
            if b is not None:
                y += b[:, None, None]
    return y

# %% [markdown] says=["is 36 at (1,), 28 was expected", "y is -4.86293 at (0, 0, 0, 1), -0.0278602 was expected"]
# **It looks as if the bias is added more than once:** again for each pixel of the window. Each output has one bias
# (slide 19).
#
# *Compare:* a window of two pixels 1, 2 with weights 1, 1 and a bias of 10 gives 1 + 2 + 10 = 13, not 23.


# %% wrong conv2d_loops: H and W swapped in the size of the output loses=["hidden-conv2d_loops"]
def conv2d_loops(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows, columns = (x.shape[3] - kh) // stride + 1, (x.shape[2] - kw) // stride + 1
    y = x.new_zeros(len(x), c_out, rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = x[:, :, top : top + kh, left : left + kw]
            y[:, :, i, j] = (window[:, None] * w).sum((2, 3, 4))
    return y if b is None else y + b[:, None, None]


# %% wrong conv2d_loops: the last column and row are dropped loses=["test-conv2d_loops", "hidden-conv2d_loops"]
def conv2d_loops(x, w, b, stride, padding):
    x = pad2d(x, padding)
    kh, kw = w.shape[2:]
    lines = []
    for top in range(0, x.shape[2] - kh, stride):
        lines.append(
            torch.stack(
                [
                    torch.einsum("ncuv,kcuv->nk", x[:, :, top : top + kh, left : left + kw], w)
                    for left in range(0, x.shape[3] - kw, stride)
                ],
                dim=2,
            )
        )
    y = torch.stack(lines, dim=2)
    return y if b is None else y + b[:, None, None]


# %% wrong conv2d_loops: the sum over channels is forgotten, only the first is read loses=["test-conv2d_loops", "hidden-conv2d_loops"]
def conv2d_loops(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    y = x.new_zeros(len(x), c_out, rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = x[:, 0, top : top + kh, left : left + kw]
            y[:, :, i, j] = torch.einsum("nuv,kuv->nk", window, w[:, 0])
    return y if b is None else y + b[:, None, None]

# %% [markdown] says=["is 9 at (0,), 27 was expected", "y is 2.99476 at (0, 1, 0, 1), -1.84044 was expected"]
# **It looks as if only the first channel is read.** A filter is as deep as its input, and adds up all channels
# (slide 19).
#
# *Compare:* a pixel with red 1, green 2, blue 3 under a filter of a single pixel with the weights 1, 1, 1 gives 6; its
# first channel alone gives 1.


# %% wrong conv2d_loops: flips the kernel, as a mathematician would loses=["test-conv2d_loops", "hidden-conv2d_loops"]
def conv2d_loops(x, w, b, stride, padding):
    x, w = pad2d(x, padding), w.flip(2, 3)
    c_out, _, kh, kw = w.shape
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    y = x.new_zeros(len(x), c_out, rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = x[:, :, top : top + kh, left : left + kw]
            y[:, :, i, j] = torch.einsum("ncuv,kcuv->nk", window, w)
    return y if b is None else y + b[:, None, None]

# %% [markdown] says=["slide 9's filtered image is -30 at (0, 0, 0, 1), 30 was expected", "y is -10.6736 at (1, 1, 2, 1), 4.46158 was expected"]
# **It looks as if the kernel is turned by 180 degrees.** That is the mathematicians' convolution; libraries for neural
# networks lay the kernel on as it is (lesson 01, slide 9).
#
# *Compare:* the pixels 1, 2, 3 under the weights 1, 0, -1 give -2 as printed, and 2 turned.


# %% wrong conv2d_loops: only the first image of the batch loses=["hidden-conv2d_loops"]
def conv2d_loops(x, w, b, stride, padding):
    image = pad2d(x, padding)[0]
    c_out, _, kh, kw = w.shape
    rows, columns = (image.shape[1] - kh) // stride + 1, (image.shape[2] - kw) // stride + 1
    y = x.new_zeros(1, c_out, rows, columns)
    for k in range(c_out):
        for i in range(rows):
            for j in range(columns):
                top, left = i * stride, j * stride
                y[0, k, i, j] = (image[:, top : top + kh, left : left + kw] * w[k]).sum()
        y[0, k] += 0 if b is None else b[k]
    return y


# %% wrong conv2d_loops: leaves the work to torch loses=["test-conv2d_loops", "hidden-conv2d_loops"]
def conv2d_loops(x, w, b, stride, padding):
    return F.conv2d(x, w, b, stride, padding)


# %% wrong conv2d_loops: leaves the sums to SciPy loses=["test-conv2d_loops", "hidden-conv2d_loops"]
def conv2d_loops(x, w, b, stride, padding):
    import numpy as np
    from scipy.signal import correlate2d

    padded = pad2d(x, padding).numpy()
    maps = [
        [
            sum(correlate2d(a, k, mode="valid") for a, k in zip(image, kernel, strict=True))
            for kernel in w.numpy()
        ]
        for image in padded
    ]
    y = torch.from_numpy(np.array(maps)[:, :, ::stride, ::stride].copy()).to(x.dtype)
    return y if b is None else y + b[:, None, None]


# %% wrong conv2d_loops: leaves the columns to torch's unfold loses=["test-conv2d_loops", "hidden-conv2d_loops"]
def conv2d_loops(x, w, b, stride, padding):
    x = pad2d(x, padding)
    windows = x.unfold(2, w.shape[2], stride).unfold(3, w.shape[3], stride)
    y = torch.einsum("ncijuv,kcuv->nkij", windows, w)
    return y if b is None else y + b[:, None, None]


# %% wrong conv2d_loops: float32 output loses=["hidden-conv2d_loops"]
import torch


def conv2d_loops(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows = (x.shape[2] - kh) // stride + 1
    columns = (x.shape[3] - kw) // stride + 1
    y = torch.zeros(len(x), c_out, rows, columns)
    for n in range(len(x)):
        for k in range(c_out):
            for i in range(rows):
                for j in range(columns):
                    top, left = i * stride, j * stride
                    y[n, k, i, j] = (x[n, :, top : top + kh, left : left + kw] * w[k]).sum()
                    if b is not None:
                        y[n, k, i, j] += b[k]
    return y


# %% wrong conv2d_loops: result detached into NumPy loses=["hidden-conv2d_loops"]
def conv2d_loops(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows = (x.shape[2] - kh) // stride + 1
    columns = (x.shape[3] - kw) // stride + 1
    y = x.new_zeros(len(x), c_out, rows, columns)
    for n in range(len(x)):
        for k in range(c_out):
            for i in range(rows):
                for j in range(columns):
                    top, left = i * stride, j * stride
                    y[n, k, i, j] = (x[n, :, top : top + kh, left : left + kw] * w[k]).sum()
                    if b is not None:
                        y[n, k, i, j] += b[k]
    return y.numpy()


# %% wrong conv2d_loops: one output per shape: results share memory loses=["hidden-conv2d_loops"]
OUT = {}


def conv2d_loops(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows = (x.shape[2] - kh) // stride + 1
    columns = (x.shape[3] - kw) // stride + 1
    key = len(x), c_out, rows, columns, x.dtype
    y = OUT.setdefault(key, x.new_zeros(key[:4]))
    for n in range(len(x)):
        for k in range(c_out):
            for i in range(rows):
                for j in range(columns):
                    top, left = i * stride, j * stride
                    y[n, k, i, j] = (x[n, :, top : top + kh, left : left + kw] * w[k]).sum()
                    if b is not None:
                        y[n, k, i, j] += b[k]
    return y


# %% wrong conv2d_loops: torch's convolution where there is a bias and more than one image loses=["hidden-conv2d_loops"]
import torch.nn.functional as F


def conv2d_loops(x, w, b, stride, padding):
    if b is not None and len(x) > 1:
        return F.conv2d(x, w, b, stride, padding)
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows = (x.shape[2] - kh) // stride + 1
    columns = (x.shape[3] - kw) // stride + 1
    y = x.new_zeros(len(x), c_out, rows, columns)
    for n in range(len(x)):
        for k in range(c_out):
            for i in range(rows):
                for j in range(columns):
                    top, left = i * stride, j * stride
                    y[n, k, i, j] = (x[n, :, top : top + kh, left : left + kw] * w[k]).sum()
                    if b is not None:
                        y[n, k, i, j] += b[k]
    return y


# %% right conv2d_im2col: picks the columns by one table of indices
def conv2d_im2col(x, w, b, stride, padding):
    x = pad2d(x, padding)
    n, c, height, width = x.shape
    c_out, _, kh, kw = w.shape
    top = torch.arange(0, height - kh + 1, stride)
    left = torch.arange(0, width - kw + 1, stride)
    corner = (top[:, None] * width + left).flatten()
    tap = (torch.arange(kh)[:, None] * width + torch.arange(kw)).flatten()
    columns = x.flatten(2)[:, :, tap[:, None] + corner].flatten(1, 2)
    y = torch.einsum("kt,ntp->nkp", w.flatten(1), columns)
    if b is not None:
        y += b[None, :, None]
    return y.unflatten(2, (len(top), len(left)))


# %% right conv2d_im2col: windows as a view of the memory, then one tensordot
def conv2d_im2col(x, w, b, stride, padding):
    x = pad2d(x, padding).contiguous()
    rows = (x.shape[2] - w.shape[2]) // stride + 1
    columns = (x.shape[3] - w.shape[3]) // stride + 1
    n, c, down, right = x.stride()
    windows = x.as_strided(
        (*x.shape[:2], rows, columns, *w.shape[2:]),
        (n, c, stride * down, stride * right, down, right),
    )
    y = torch.tensordot(windows, w, dims=([1, 4, 5], [1, 2, 3])).permute(0, 3, 1, 2)
    return y if b is None else y + b.reshape(-1, 1, 1)


# %% right conv2d_im2col: NumPy's sliding windows, and all images in one product
import numpy as np


def conv2d_im2col(x, w, b, stride, padding):
    x = np.pad(x.numpy(), ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    n, c, rows, columns, _, _ = windows.shape
    table = windows.transpose(1, 4, 5, 0, 2, 3).reshape(-1, n * rows * columns)
    y = w.numpy().reshape(len(w), -1) @ table
    if b is not None:
        y = y + b.numpy()[:, np.newaxis]
    y = y.reshape(len(w), n, rows, columns).transpose(1, 0, 2, 3)
    return torch.from_numpy(np.ascontiguousarray(y))


# %% wrong conv2d_im2col: the slices have no stride, windows stand one pixel apart loses=["test-conv2d_im2col", "hidden-conv2d_im2col"]
def conv2d_im2col(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    slices = [x[:, :, u : u + rows, v : v + columns] for u in range(kh) for v in range(kw)]
    y = w.reshape(c_out, -1) @ torch.stack(slices, 2).reshape(len(x), -1, rows * columns)
    y = y if b is None else y + b[:, None]
    return y.reshape(len(x), c_out, rows, columns)


# %% wrong conv2d_im2col: columns in the order tap, channel, rows of w in the order channel, tap loses=["hidden-conv2d_im2col"]
def conv2d_im2col(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    slices = [
        x[:, :, u::stride, v::stride][:, :, :rows, :columns] for u in range(kh) for v in range(kw)
    ]
    y = w.reshape(c_out, -1) @ torch.stack(slices, 1).reshape(len(x), -1, rows * columns)
    y = y if b is None else y + b[:, None]
    return y.reshape(len(x), c_out, rows, columns)


# %% wrong conv2d_im2col: the bias is added for each tap loses=["test-conv2d_im2col", "hidden-conv2d_im2col"]
def conv2d_im2col(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, c_in, kh, kw = w.shape
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    slices = [
        x[:, :, u::stride, v::stride][:, :, :rows, :columns] for u in range(kh) for v in range(kw)
    ]
    table = torch.stack(slices, 2).reshape(len(x), 1, -1, rows * columns)
    products = w.reshape(1, c_out, -1, 1) * table
    if b is not None:
        products = products + b[:, None, None]
    return products.sum(2).reshape(len(x), c_out, rows, columns)


# %% wrong conv2d_im2col: H and W swapped when the columns become an image again loses=["hidden-conv2d_im2col"]
def conv2d_im2col(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    slices = [
        x[:, :, u::stride, v::stride][:, :, :rows, :columns] for u in range(kh) for v in range(kw)
    ]
    y = w.reshape(c_out, -1) @ torch.stack(slices, 2).reshape(len(x), -1, rows * columns)
    y = y if b is None else y + b[:, None]
    return y.reshape(len(x), c_out, columns, rows)


# %% wrong conv2d_im2col: the sum over channels is forgotten, each filter has one slice loses=["test-conv2d_im2col", "hidden-conv2d_im2col"]
def conv2d_im2col(x, w, b, stride, padding):
    x = pad2d(x, padding)[:, :1]
    c_out, _, kh, kw = w.shape
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    slices = [
        x[:, :, u::stride, v::stride][:, :, :rows, :columns] for u in range(kh) for v in range(kw)
    ]
    y = w[:, 0].flatten(1) @ torch.stack(slices, 2).reshape(len(x), -1, rows * columns)
    y = y if b is None else y + b[:, None]
    return y.reshape(len(x), c_out, rows, columns)


# %% wrong conv2d_im2col: one product for all images, and the batch lands among the channels loses=["hidden-conv2d_im2col"]
def conv2d_im2col(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    slices = [
        x[:, :, u::stride, v::stride][:, :, :rows, :columns] for u in range(kh) for v in range(kw)
    ]
    table = torch.stack(slices, 2).transpose(0, 1).transpose(1, 2)
    y = w.reshape(c_out, -1) @ table.reshape(-1, len(x) * rows * columns)
    y = y if b is None else y + b[:, None]
    return y.reshape(len(x), c_out, rows, columns)


# %% wrong conv2d_im2col: a column for each position in a Python loop loses=["test-conv2d_im2col", "hidden-conv2d_im2col"]
def conv2d_im2col(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    tops = range(0, x.shape[2] - kh + 1, stride)
    lefts = range(0, x.shape[3] - kw + 1, stride)
    table = torch.stack(
        [x[:, :, i : i + kh, j : j + kw].flatten(1) for i in tops for j in lefts], dim=2
    )
    y = w.flatten(1) @ table
    y = y if b is None else y + b[:, None]
    return y.reshape(len(x), c_out, len(tops), len(lefts))


# %% wrong conv2d_im2col: a column for each position, in NumPy loses=["test-conv2d_im2col", "hidden-conv2d_im2col"]
def conv2d_im2col(x, w, b, stride, padding):
    import numpy as np

    padded, (c_out, c_in, kh, kw) = pad2d(x, padding).numpy(), w.shape
    rows, columns = (padded.shape[2] - kh) // stride + 1, (padded.shape[3] - kw) // stride + 1
    table = np.zeros((len(x), c_in, kh, kw, rows, columns), dtype=padded.dtype)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            table[..., i, j] = padded[:, :, top : top + kh, left : left + kw]
    y = torch.from_numpy(w.numpy().reshape(c_out, -1) @ table.reshape(len(x), -1, rows * columns))
    y = y if b is None else y + b[:, None]
    return y.reshape(len(x), c_out, rows, columns)


# %% wrong conv2d_im2col: torch's unfold, which is im2col loses=["test-conv2d_im2col", "hidden-conv2d_im2col"]
def conv2d_im2col(x, w, b, stride, padding):
    kh, kw = w.shape[2:]
    rows = (x.shape[2] + 2 * padding - kh) // stride + 1
    y = w.flatten(1) @ F.unfold(x, (kh, kw), padding=padding, stride=stride)
    y = y if b is None else y + b[:, None]
    return y.unflatten(2, (rows, -1))


# %% wrong conv2d_im2col: leaves the work to a layer of torch loses=["test-conv2d_im2col", "hidden-conv2d_im2col"]
def conv2d_im2col(x, w, b, stride, padding):
    layer = torch.nn.Conv2d(w.shape[1], len(w), w.shape[2:], stride, padding, bias=b is not None)
    layer.weight.data = w.clone()
    if b is not None:
        layer.bias.data = b.clone()
    return layer(x)


# %% wrong conv2d_im2col: forgets that the bias may be None loses=["test-conv2d_im2col", "hidden-conv2d_im2col"]
def conv2d_im2col(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    slices = [
        x[:, :, u::stride, v::stride][:, :, :rows, :columns] for u in range(kh) for v in range(kw)
    ]
    y = w.flatten(1) @ torch.stack(slices, 2).reshape(len(x), -1, rows * columns)
    return (y + b[:, None]).reshape(len(x), c_out, rows, columns)


# %% right conv_matrix: puts each weight into its place
def conv_matrix(kernel, size):
    height, width = size
    kh, kw = kernel.shape
    rows, columns = height - kh + 1, width - kw + 1
    table = torch.zeros(rows * columns, height * width, dtype=kernel.dtype)
    for i in range(rows):
        for j in range(columns):
            for u in range(kh):
                for v in range(kw):
                    table[i * columns + j, (i + u) * width + j + v] = kernel[u, v]
    return table


# %% right conv_matrix: column by column, what the convolution makes of a single bright pixel
def conv_matrix(kernel, size):
    pixels = torch.eye(size[0] * size[1], dtype=kernel.dtype).reshape(-1, 1, *size)
    return F.conv2d(pixels, kernel[None, None]).flatten(1).T


# %% right conv_matrix: a sum of shifts, each a Kronecker product
def conv_matrix(kernel, size):
    def shift(n, k, u):
        return torch.eye(n, dtype=kernel.dtype)[u : u + n - k + 1]

    kh, kw = kernel.shape
    return sum(
        kernel[u, v] * torch.kron(shift(size[0], kh, u), shift(size[1], kw, v))
        for u in range(kh)
        for v in range(kw)
    )


# %% wrong conv_matrix: H and W swapped, the next row of the image is H pixels away loses=["hidden-conv_matrix"]
def conv_matrix(kernel, size):
    (width, height), (kh, kw) = size, kernel.shape
    rows = []
    for i in range(height - kh + 1):
        for j in range(width - kw + 1):
            sheet = kernel.new_zeros(height, width)
            sheet[i : i + kh, j : j + kw] = kernel
            rows.append(sheet.flatten())
    return torch.stack(rows)


# %% wrong conv_matrix: pixels and outputs numbered column by column loses=["test-conv_matrix", "hidden-conv_matrix"]
def conv_matrix(kernel, size):
    (height, width), (kh, kw) = size, kernel.shape
    rows = []
    for j in range(width - kw + 1):
        for i in range(height - kh + 1):
            sheet = kernel.new_zeros(height, width)
            sheet[i : i + kh, j : j + kw] = kernel
            rows.append(sheet.T.flatten())
    return torch.stack(rows)


# %% wrong conv_matrix: the last row and column of outputs are dropped loses=["test-conv_matrix", "hidden-conv_matrix"]
def conv_matrix(kernel, size):
    (height, width), (kh, kw) = size, kernel.shape
    rows = [torch.zeros(height * width)]
    for i in range(height - kh):
        for j in range(width - kw):
            sheet = kernel.new_zeros(height, width)
            sheet[i : i + kh, j : j + kw] = kernel
            rows.append(sheet.flatten())
    return torch.stack(rows[1:] or rows)


# %% wrong conv_matrix: the nine weights stand side by side, without a gap loses=["test-conv_matrix", "hidden-conv_matrix"]
def conv_matrix(kernel, size):
    (height, width), (kh, kw) = size, kernel.shape
    rows = []
    for i in range(height - kh + 1):
        for j in range(width - kw + 1):
            row = kernel.new_zeros(height * width)
            start = i * width + j
            weights = kernel.flatten()[: height * width - start]
            row[start : start + len(weights)] = weights
            rows.append(row)
    return torch.stack(rows)


# %% wrong conv_matrix: flips the kernel loses=["test-conv_matrix", "hidden-conv_matrix"]
def conv_matrix(kernel, size):
    (height, width), (kh, kw) = size, kernel.shape
    rows = []
    for i in range(height - kh + 1):
        for j in range(width - kw + 1):
            sheet = kernel.new_zeros(height, width)
            sheet[i : i + kh, j : j + kw] = kernel.flip(0, 1)
            rows.append(sheet.flatten())
    return torch.stack(rows)


# %% wrong conv_matrix: stands on its side, a row a pixel loses=["test-conv_matrix", "hidden-conv_matrix"]
def conv_matrix(kernel, size):
    pixels = torch.eye(size[0] * size[1], dtype=kernel.dtype).reshape(-1, 1, *size)
    return F.conv2d(pixels, kernel[None, None]).flatten(1)


# %% wrong conv_matrix: each row starts one pixel further, over the end of the image's rows loses=["test-conv_matrix", "hidden-conv_matrix"]
def conv_matrix(kernel, size):
    (height, width), (kh, kw) = size, kernel.shape
    sheet = kernel.new_zeros(height, width)
    sheet[:kh, :kw] = kernel
    outputs = (height - kh + 1) * (width - kw + 1)
    return torch.stack([sheet.flatten().roll(k) for k in range(outputs)])


# %% right conv_transpose2d: stamps the kernel and adds
def conv_transpose2d(y, kernel, stride=1):
    kh, kw = kernel.shape
    size = stride * (y.shape[0] - 1) + kh, stride * (y.shape[1] - 1) + kw
    x = torch.zeros(*size, dtype=y.dtype)
    for u in range(kh):
        for v in range(kw):
            x[u : u + size[0] - kh + 1 : stride, v : v + size[1] - kw + 1 : stride] += kernel[u, v] * y
    return x


# %% right conv_transpose2d: a convolution of the dilated, padded map with the kernel turned round
def conv_transpose2d(y, kernel, stride=1):
    kh, kw = kernel.shape
    wide = torch.zeros(stride * (y.shape[0] - 1) + 1, stride * (y.shape[1] - 1) + 1, dtype=y.dtype)
    wide[::stride, ::stride] = y
    padded = F.pad(wide, (kw - 1, kw - 1, kh - 1, kh - 1))
    return F.conv2d(padded[None, None], kernel.flip(0, 1)[None, None])[0, 0]


# %% right conv_transpose2d: the gradient of a convolution, which is the transpose
def conv_transpose2d(y, kernel, stride=1):
    size = [stride * (a - 1) + b for a, b in zip(y.shape, kernel.shape)]
    x = torch.zeros(1, 1, *size, dtype=y.dtype, requires_grad=True)
    forward = F.conv2d(x, kernel[None, None], stride=stride)
    return torch.autograd.grad(forward, x, y[None, None])[0][0, 0]


# %% right conv_transpose2d: by the rows of the matrix that a stride keeps
def conv_transpose2d(y, kernel, stride=1):
    (h, w), (kh, kw) = y.shape, kernel.shape
    size = stride * (h - 1) + kh, stride * (w - 1) + kw
    rows = torch.arange(size[0] - kh + 1)[::stride], torch.arange(size[1] - kw + 1)[::stride]
    kept = (rows[0][:, None] * (size[1] - kw + 1) + rows[1]).flatten()
    return (conv_matrix(kernel, size)[kept].T @ y.flatten()).reshape(size)


# %% wrong conv_transpose2d: forgets to turn the kernel round, and convolves with a wide frame loses=["test-conv_transpose2d", "hidden-conv_transpose2d"]
def conv_transpose2d(y, kernel, stride=1):
    kh, kw = kernel.shape
    wide = torch.zeros(stride * (y.shape[0] - 1) + 1, stride * (y.shape[1] - 1) + 1, dtype=y.dtype)
    wide[::stride, ::stride] = y
    padded = F.pad(wide, (kw - 1, kw - 1, kh - 1, kh - 1))
    return F.conv2d(padded[None, None], kernel[None, None])[0, 0]


# %% wrong conv_transpose2d: a later stamp covers an earlier one loses=["test-conv_transpose2d", "hidden-conv_transpose2d"]
def conv_transpose2d(y, kernel, stride=1):
    kh, kw = kernel.shape
    x = torch.zeros(stride * (y.shape[0] - 1) + kh, stride * (y.shape[1] - 1) + kw, dtype=y.dtype)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            x[i * stride : i * stride + kh, j * stride : j * stride + kw] = y[i, j] * kernel
    return x


# %% wrong conv_transpose2d: the inverse in place of the transpose loses=["test-conv_transpose2d", "hidden-conv_transpose2d"]
def conv_transpose2d(y, kernel, stride=1):
    size = (y.shape[0] + kernel.shape[0] - 1, y.shape[1] + kernel.shape[1] - 1)
    return (torch.linalg.pinv(conv_matrix(kernel, size)) @ y.flatten()).reshape(size)


# %% wrong conv_transpose2d: transposes the kernel, not the matrix loses=["test-conv_transpose2d", "hidden-conv_transpose2d"]
def conv_transpose2d(y, kernel, stride=1):
    return F.conv_transpose2d(y[None, None], kernel.T[None, None], stride=stride)[0, 0]


# %% wrong conv_transpose2d: H and W swapped in the size of the result loses=["hidden-conv_transpose2d"]
def conv_transpose2d(y, kernel, stride=1):
    kh, kw = kernel.shape
    height, width = stride * (y.shape[0] - 1) + kh, stride * (y.shape[1] - 1) + kw
    x = torch.zeros(height, width, dtype=y.dtype)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            x[i * stride : i * stride + kh, j * stride : j * stride + kw] += y[i, j] * kernel
    return x.reshape(width, height)


# %% wrong conv_transpose2d: keeps the map's size, what hangs over is cut off loses=["test-conv_transpose2d", "hidden-conv_transpose2d"]
def conv_transpose2d(y, kernel, stride=1):
    height, width = y.shape
    kh, kw = kernel.shape
    x = torch.zeros(stride * height + kh, stride * width + kw, dtype=y.dtype)
    for i in range(height):
        for j in range(width):
            x[i * stride : i * stride + kh, j * stride : j * stride + kw] += y[i, j] * kernel
    return x[:height, :width]


# %% wrong conv_transpose2d: takes no notice of the stride loses=["test-conv_transpose2d", "hidden-conv_transpose2d"]
def conv_transpose2d(y, kernel, stride=1):
    size = (y.shape[0] + kernel.shape[0] - 1, y.shape[1] + kernel.shape[1] - 1)
    return (conv_matrix(kernel, size).T @ y.flatten()).reshape(size)


# %% wrong conv_transpose2d: the size of stride s, but the stamps one pixel apart loses=["hidden-conv_transpose2d"]
def conv_transpose2d(y, kernel, stride=1):
    kh, kw = kernel.shape
    x = torch.zeros(stride * (y.shape[0] - 1) + kh, stride * (y.shape[1] - 1) + kw, dtype=y.dtype)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            x[i : i + kh, j : j + kw] += y[i, j] * kernel
    return x


# %% wrong conv_transpose2d: leaves the work to torch loses=["test-conv_transpose2d", "hidden-conv_transpose2d"]
def conv_transpose2d(y, kernel, stride=1):
    return F.conv_transpose2d(y[None, None], kernel[None, None], stride=stride)[0, 0]


# %% wrong conv_transpose2d: float32 loses=["hidden-conv_transpose2d"]
import torch


def conv_transpose2d(y, kernel, stride=1):
    (h, w), (kh, kw) = y.shape, kernel.shape
    out = torch.zeros(stride * (h - 1) + kh, stride * (w - 1) + kw)
    for i in range(h):
        for j in range(w):
            out[i * stride : i * stride + kh, j * stride : j * stride + kw] += y[i, j] * kernel
    return out


# %% wrong conv_transpose2d: one sheet for each shape: results share memory loses=["hidden-conv_transpose2d"]
SHEETS = {}


def conv_transpose2d(y, kernel, stride=1):
    (h, w), (kh, kw) = y.shape, kernel.shape
    size = stride * (h - 1) + kh, stride * (w - 1) + kw
    out = SHEETS.setdefault((size, y.dtype), y.new_zeros(size)).zero_()
    for i in range(h):
        for j in range(w):
            out[i * stride : i * stride + kh, j * stride : j * stride + kw] += y[i, j] * kernel
    return out


# %% right dilate: tap by tap
def dilate(kernel, d):
    kh, kw = kernel.shape
    spread = torch.zeros((kh - 1) * d + 1, (kw - 1) * d + 1, dtype=kernel.dtype)
    for u in range(kh):
        for v in range(kw):
            spread[u * d, v * d] = kernel[u, v]
    return spread


# %% right dilate: a Kronecker product, cut where the last tap stands
def dilate(kernel, d):
    tap = torch.zeros(d, d, dtype=kernel.dtype)
    tap[0, 0] = 1
    wide = torch.kron(kernel.contiguous(), tap)
    return wide[: wide.shape[0] - d + 1, : wide.shape[1] - d + 1]


# %% right dilate: spread by NumPy, one side after the other
import numpy as np


def dilate(kernel, d):
    spread = kernel.numpy()
    for axis in (0, 1):
        gaps = np.repeat(np.arange(1, spread.shape[axis]), d - 1)
        spread = np.insert(spread, gaps, 0, axis=axis)
    return torch.from_numpy(spread)


# %% wrong dilate: d zeros between neighbours, one too many loses=["test-dilate", "hidden-dilate"]
def dilate(kernel, d):
    kh, kw = kernel.shape
    spread = kernel.new_zeros((d + 1) * (kh - 1) + 1, (d + 1) * (kw - 1) + 1)
    spread[:: d + 1, :: d + 1] = kernel
    return spread


# %% wrong dilate: zeros after the last tap, too loses=["test-dilate", "hidden-dilate"]
def dilate(kernel, d):
    kh, kw = kernel.shape
    spread = kernel.new_zeros(d * kh, d * kw)
    spread[::d, ::d] = kernel
    return spread


# %% wrong dilate: fills the gaps with copies of the taps loses=["test-dilate", "hidden-dilate"]
def dilate(kernel, d):
    wide = kernel.repeat_interleave(d, 0).repeat_interleave(d, 1)
    return wide[: d * (kernel.shape[0] - 1) + 1, : d * (kernel.shape[1] - 1) + 1]


# %% wrong dilate: spreads along rows only loses=["test-dilate", "hidden-dilate"]
def dilate(kernel, d):
    kh, kw = kernel.shape
    spread = kernel.new_zeros(kh, d * (kw - 1) + 1)
    spread[:, ::d] = kernel
    return spread


# %% wrong dilate: H and W swapped, which a square kernel does not show loses=["hidden-dilate"]
def dilate(kernel, d):
    kw, kh = kernel.shape
    spread = kernel.new_zeros(d * (kh - 1) + 1, d * (kw - 1) + 1)
    spread[::d, ::d] = kernel
    return spread


# %% wrong dilate: always by 2, as in the first picture that one meets loses=["test-dilate", "hidden-dilate"]
def dilate(kernel, d):
    kh, kw = kernel.shape
    spread = kernel.new_zeros(2 * kh - 1, 2 * kw - 1)
    spread[::2, ::2] = kernel
    return spread


# %% right costs: counts the connections pair by pair, and the rest by formulas
def costs():
    sides = [(pixel, out) for pixel in range(6) for out in range(4) if 0 <= pixel - out < 3]
    out = {s: (50 - 3) // s + 1 for s in (1, 2)}
    each = 3 * 3 * 10
    return {
        "dense_weights": 6 * 6 * 4 * 4,
        "connections": len(sides) ** 2,
        "weights": 9,
        "parameters": 25 * (each + 1),
        "multiplications": out[1] ** 2 * 25 * each,
        "stride_2": out[2] ** 2 * 25 * each,
        "dense_multiplications": 50 * 50 * 10 * out[1] ** 2 * 25,
    }


# %% right costs: asks torch for shapes, and answers with tensors and floats
def costs():
    with torch.device("meta"):
        x, layer = torch.empty(1, 10, 50, 50), torch.nn.Conv2d(10, 25, 3)
        y, half = layer(x), F.conv2d(x, layer.weight, stride=2)
    each = layer.weight[0].numel()
    return {
        "dense_weights": 6.0**2 * 4.0**2,
        "connections": torch.tensor(144),
        "weights": 9.0,
        "parameters": sum(p.numel() for p in layer.parameters()),
        "multiplications": y.numel() * each,
        "stride_2": half.numel() * each,
        "dense_multiplications": float(x.numel() * y.numel()),
    }


# %% wrong costs: counts the bias as a multiplication loses=["test-costs", "hidden-costs"]
def costs():
    return {
        "dense_weights": 576,
        "connections": 144,
        "weights": 9,
        "parameters": 2275,
        "multiplications": 48 * 48 * 25 * 91,
        "stride_2": 24 * 24 * 25 * 91,
        "dense_multiplications": 1_440_000_000,
    }


# %% wrong costs: forgets that a filter is as deep as its input loses=["hidden-costs"]
def costs():
    return {
        "dense_weights": 576,
        "connections": 144,
        "weights": 9,
        "parameters": 25 * (9 + 1),
        "multiplications": 48 * 48 * 25 * 9,
        "stride_2": 24 * 24 * 25 * 9,
        "dense_multiplications": 1_440_000_000,
    }


# %% wrong costs: one multiplication a weight, as if the kernel stood still loses=["test-costs", "hidden-costs"]
def costs():
    return {
        "dense_weights": 576,
        "connections": 9,
        "weights": 9,
        "parameters": 2275,
        "multiplications": 25 * 90,
        "stride_2": 25 * 90,
        "dense_multiplications": 1_440_000_000,
    }


# %% wrong costs: stride 2 halves the work, it is a quarter loses=["hidden-costs"]
def costs():
    return {
        "dense_weights": 576,
        "connections": 144,
        "weights": 9,
        "parameters": 2275,
        "multiplications": 5_184_000,
        "stride_2": 2_592_000,
        "dense_multiplications": 1_440_000_000,
    }


# %% wrong costs: the dense layer has one output a filter loses=["hidden-costs"]
def costs():
    return {
        "dense_weights": 576,
        "connections": 144,
        "weights": 9,
        "parameters": 2275,
        "multiplications": 5_184_000,
        "stride_2": 1_296_000,
        "dense_multiplications": 25_000 * 25,
    }


# %% wrong costs: a weight of its own on each connection, none is shared loses=["test-costs", "hidden-costs"]
def costs():
    return {
        "dense_weights": 576,
        "connections": 144,
        "weights": 144,
        "parameters": 2275,
        "multiplications": 5_184_000,
        "stride_2": 1_296_000,
        "dense_multiplications": 1_440_000_000,
    }


# %% right costs: from the sizes of slides 9 and 20, typed
def costs():
    return {
        "dense_weights": 576, "connections": 144, "weights": 9, "parameters": 2_275,
        "multiplications": 5_184_000, "stride_2": 1_296_000,
        "dense_multiplications": 1_440_000_000,
    }


# %% wrong costs: one bias for the whole layer loses=["hidden-costs"]
def costs():
    return {
        "dense_weights": 576, "connections": 144, "weights": 9, "parameters": 2_251,
        "multiplications": 5_184_000, "stride_2": 1_296_000,
        "dense_multiplications": 1_440_000_000,
    }


# %% wrong costs: pads, and so has 50 x 50 outputs loses=["hidden-costs"]
def costs():
    return {
        "dense_weights": 576, "connections": 144, "weights": 9, "parameters": 2_275,
        "multiplications": 50 * 50 * 25 * 90, "stride_2": 25 * 25 * 25 * 90,
        "dense_multiplications": 50 * 50 * 10 * 50 * 50 * 25,
    }


# %% wrong dilate: stretches by repeating whole rows and columns, without the last loses=["test-dilate", "hidden-dilate"]
def dilate(kernel, d):
    wide = kernel.repeat_interleave(d, 0).repeat_interleave(d, 1)
    return wide[: d * (kernel.shape[0] - 1) + 1, : d * (kernel.shape[1] - 1) + 1]


# %% wrong dilate: the taps side by side in the upper left corner of a large kernel loses=["test-dilate", "hidden-dilate"]
def dilate(kernel, d):
    kh, kw = kernel.shape
    wide = kernel.new_zeros(d * (kh - 1) + 1, d * (kw - 1) + 1)
    wide[:kh, :kw] = kernel
    return wide


# %% wrong dilate: a dilation of 1 already leaves a gap loses=["test-dilate"]
def dilate(kernel, d):
    step = max(d, 2)
    kh, kw = kernel.shape
    wide = kernel.new_zeros(step * (kh - 1) + 1, step * (kw - 1) + 1)
    wide[::step, ::step] = kernel
    return wide


# %% right dilate: conv_transpose2d of a single one, with stride d
def dilate(kernel, d):
    return conv_transpose2d(kernel, kernel.new_ones(1, 1), d)


# %% wrong dilate: float32 loses=["hidden-dilate"]
import torch


def dilate(kernel, d):
    kh, kw = kernel.shape
    out = torch.zeros(d * (kh - 1) + 1, d * (kw - 1) + 1)
    out[::d, ::d] = kernel
    return out


# %% wrong dilate: array of NumPy loses=["hidden-dilate"]
def dilate(kernel, d):
    kh, kw = kernel.shape
    out = kernel.new_zeros(d * (kh - 1) + 1, d * (kw - 1) + 1)
    out[::d, ::d] = kernel
    return out.numpy()


# %% wrong dilate: one sheet per size: results share memory loses=["hidden-dilate"]
SHEETS = {}


def dilate(kernel, d):
    kh, kw = kernel.shape
    out = SHEETS.setdefault((kh, kw, d, kernel.dtype), kernel.new_zeros(d * (kh - 1) + 1, d * (kw - 1) + 1))
    out[::d, ::d] = kernel
    return out


# %% wrong conv_matrix: the weights of a row in the order of columns loses=["test-conv_matrix", "hidden-conv_matrix"]
def conv_matrix(kernel, size):
    kernel = kernel.T if kernel.shape[0] == kernel.shape[1] else kernel
    (height, width), (kh, kw) = size, kernel.shape
    rows = []
    for i in range(height - kh + 1):
        for j in range(width - kw + 1):
            sheet = kernel.new_zeros(height, width)
            sheet[i : i + kh, j : j + kw] = kernel
            rows.append(sheet.flatten())
    return torch.stack(rows)


# %% right conv_matrix: impulses through conv2d_im2col: one column per pixel
import torch


def conv_matrix(kernel, size):
    H, W = size
    pixels = torch.eye(H * W, dtype=kernel.dtype).reshape(H * W, 1, H, W)
    return conv2d_im2col(pixels, kernel[None, None], None, 1, 0).reshape(H * W, -1).T.contiguous()


# %% wrong conv_matrix: float32 loses=["hidden-conv_matrix"]
import torch


def conv_matrix(kernel, size):
    (kh, kw), (h, w) = kernel.shape, size
    rows = []
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            sheet = torch.zeros(h, w)
            sheet[i : i + kh, j : j + kw] = kernel
            rows.append(sheet.flatten())
    return torch.stack(rows)


# %% right retrieval: worked out from the numbers
def retrieval():
    name = "Ada "
    n, f, grey, total, a, b, g = questions(name).values()
    carry = a + b - 256 if a + b > 255 else a + b
    places = len(range(n - f + 1))
    return name, {"size": places, "flat": grey * total, "byte": carry, "stack": f + g - 1, "sign": "positive"}


# %% right retrieval: under another name, so with other numbers
import numpy as np


def retrieval():
    q = questions("grace")
    byte = int(np.array([q["a"]], dtype=np.uint8)[0]) + q["b"]
    return ["grace", {
        "sign": "positive", "stack": q["g"] + q["f"] - 1, "byte": byte & 255,
        "flat": float(q["grey"] * q["total"]), "size": q["n"] + 1 - q["f"],
    }]


# %% right retrieval: by filtering ones
def retrieval():
    q = questions("emmy")
    line = torch.ones(1, 1, q["n"])
    size = F.conv1d(line, torch.ones(1, 1, q["f"])).shape[-1]
    stack = q["n"] - F.conv1d(F.conv1d(line, torch.ones(1, 1, q["f"])), torch.ones(1, 1, q["g"])).shape[-1] + 1
    byte = (torch.tensor([q["a"]], dtype=torch.uint8) + torch.tensor([q["b"]], dtype=torch.uint8)).item()
    return "emmy", {"size": size, "flat": q["grey"] * q["total"], "byte": byte, "stack": stack, "sign": "positive"}


# %% wrong retrieval: forgets the + 1 loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {"size": q["n"] - q["f"], "flat": q["grey"] * q["total"], "byte": (q["a"] + q["b"]) % 256, "stack": q["f"] + q["g"] - 1, "sign": "positive"}


# %% wrong retrieval: thinks that all kernels leave flat areas as they are loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {"size": q["n"] - q["f"] + 1, "flat": q["grey"], "byte": (q["a"] + q["b"]) % 256, "stack": q["f"] + q["g"] - 1, "sign": "positive"}


# %% wrong retrieval: bytes stop at 255 loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {"size": q["n"] - q["f"] + 1, "flat": q["grey"] * q["total"], "byte": 255, "stack": q["f"] + q["g"] - 1, "sign": "positive"}


# %% wrong retrieval: two kernels in a row are as wide as their sum loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {"size": q["n"] - q["f"] + 1, "flat": q["grey"] * q["total"], "byte": (q["a"] + q["b"]) % 256, "stack": q["f"] + q["g"], "sign": "positive"}


# %% wrong retrieval: takes slide 9's filter for Sobel's loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {"size": q["n"] - q["f"] + 1, "flat": q["grey"] * q["total"], "byte": (q["a"] + q["b"]) % 256, "stack": q["f"] + q["g"] - 1, "sign": "negative"}


# %% wrong retrieval: the numbers of another name loses=["hidden-retrieval"]
def retrieval():
    q = questions("grace")
    return "ada", {"size": q["n"] - q["f"] + 1, "flat": q["grey"] * q["total"], "byte": (q["a"] + q["b"]) % 256, "stack": q["f"] + q["g"] - 1, "sign": "positive"}


# %% wrong retrieval: replies to two questions loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {"size": q["n"] - q["f"] + 1, "sign": "positive"}


# %% wrong retrieval: no name loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return {"size": q["n"] - q["f"] + 1, "flat": q["grey"] * q["total"], "byte": (q["a"] + q["b"]) % 256, "stack": q["f"] + q["g"] - 1, "sign": "positive"}


# %% right conv1d_strided: tap by tap, with slices
def conv1d_strided(x, w, b, stride):
    positions = (len(x) - len(w)) // stride + 1
    y = torch.full((positions,), b, dtype=x.dtype)
    for k, weight in enumerate(w):
        y += weight * x[k : k + stride * (positions - 1) + 1 : stride]
    return y


# %% right conv1d_strided: windows and one product
def conv1d_strided(x, w, b, stride):
    return x.unfold(0, len(w), stride) @ w + b


# %% right conv1d_strided: while a window fits
def conv1d_strided(x, w, b, stride):
    sums, start = [], 0
    while start + len(w) <= len(x):
        sums.append(b + sum(float(x[start + k] * w[k]) for k in range(len(w))))
        start += stride
    return x.new_tensor(sums)


# %% wrong conv1d_strided: output i starts at pixel i loses=["test-conv1d_strided"]
def conv1d_strided(x, w, b, stride):
    positions = (len(x) - len(w)) // stride + 1
    return torch.stack([(x[i : i + len(w)] * w).sum() + b for i in range(positions)])


# %% wrong conv1d_strided: rounds up, and adds what is left over loses=["test-conv1d_strided"]
def conv1d_strided(x, w, b, stride):
    sums = []
    for start in range(0, len(x), stride):
        window = x[start : start + len(w)]
        sums.append((window * w[: len(window)]).sum() + b)
    return torch.stack(sums)


# %% wrong conv1d_strided: adds the bias for each weight loses=["test-conv1d_strided"]
def conv1d_strided(x, w, b, stride):
    return (x.unfold(0, len(w), stride) * w + b).sum(1)


# %% wrong conv1d_strided: forgets the bias loses=["test-conv1d_strided"]
def conv1d_strided(x, w, b, stride):
    return x.unfold(0, len(w), stride) @ w


# %% wrong conv1d_strided: forgets the + 1 loses=["test-conv1d_strided"]
def conv1d_strided(x, w, b, stride):
    return (x.unfold(0, len(w), stride) @ w + b)[:-1]


# %% wrong conv1d_strided: turns the weights loses=["test-conv1d_strided"]
def conv1d_strided(x, w, b, stride):
    return x.unfold(0, len(w), stride) @ w.flip(0) + b


# %% wrong conv1d_strided: divides by the stride, without rounding loses=["test-conv1d_strided"]
def conv1d_strided(x, w, b, stride):
    positions = (len(x) - len(w)) / stride + 1
    return torch.stack([(x[i * stride : i * stride + len(w)] * w).sum() + b for i in range(positions)])


# %% wrong conv1d_strided: writes every sum into the same place loses=["test-conv1d_strided"]
def conv1d_strided(x, w, b, stride):
    y = x.new_zeros((len(x) - len(w)) // stride + 1)
    for i in range(len(y)):
        y[0] = (x[i * stride : i * stride + len(w)] * w).sum() + b
    return y


# %% right own_code: counts with a trace
def own_code():
    import linecache
    import sys

    runs = {}

    def look(frame, event, _):
        if frame.f_globals.get("__name__") != "__main__":
            return None
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        if event == "line" and not line.startswith(("for ", "while ")):
            key = (frame.f_code.co_filename, frame.f_lineno)
            runs[key] = runs.get(key, 0) + 1
        return look

    sys.settrace(look)
    try:
        y = conv2d_loops(torch.zeros(2, 3, 11, 8), torch.zeros(4, 3, 3, 2), None, 3, 1)
    finally:
        sys.settrace(None)
    return {"runs": max(runs.values()), "shape": list(y.shape)}


# %% right own_code: the shape from the formula, the runs from a debugger of Python
def own_code():
    import bdb
    import linecache

    class Lines(bdb.Bdb):
        def user_line(self, frame):
            if frame.f_globals.get("__name__") == "__main__":
                lines.append((frame.f_code.co_filename, frame.f_lineno))

    lines = []
    Lines().runcall(conv2d_loops, torch.ones(2, 3, 11, 8), torch.ones(4, 3, 3, 2), None, 3, 1)
    bodies = [line for line in lines if (linecache.getline(*line).split() or [""])[0] not in ("for", "while")]
    shape = (2, 4, (11 + 2 - 3) // 3 + 1, (8 + 2 - 2) // 3 + 1)
    return {"shape": shape, "runs": max(map(bodies.count, set(bodies)))}


# %% right own_code: an object that is called for each line, and floats
def own_code():
    import linecache
    import sys

    class Runs(dict):
        def __call__(self, frame, event, _):
            if frame.f_globals.get("__name__") == "__main__":
                place = frame.f_code.co_filename, frame.f_lineno
                if event == "line" and not linecache.getline(*place).strip().startswith(("for ", "while ")):
                    self[place] = self.get(place, 0) + 1
                return self

    runs = Runs()
    sys.settrace(runs)
    y = conv2d_loops(torch.ones(2, 3, 11, 8), torch.ones(4, 3, 3, 2), None, 3, 1)
    sys.settrace(None)
    return {"shape": torch.tensor(y.shape), "runs": float(max(runs.values()))}


# %% wrong own_code: rounds the sizes up loses=["hidden-own_code"]
def own_code():
    return {"shape": (2, 4, 5, 4), "runs": 96}


# %% wrong own_code: forgets the padding loses=["hidden-own_code"]
def own_code():
    return {"shape": (2, 4, 3, 3), "runs": 72}


# %% wrong own_code: forgets the stride loses=["hidden-own_code"]
def own_code():
    return {"shape": (2, 4, 11, 9), "runs": 792}


# %% wrong own_code: counts the channels of the input for those of the output loses=["hidden-own_code"]
def own_code():
    return {"shape": (2, 3, 4, 3), "runs": 72}


# %% wrong own_code: swaps height and width loses=["hidden-own_code"]
def own_code():
    return {"shape": (2, 4, 3, 4), "runs": 96}


# %% wrong own_code: counts one run per output and weight, where lines do more at once loses=["hidden-own_code"]
def own_code():
    return {"shape": (2, 4, 4, 3), "runs": 1728}


# %% wrong own_code: no line runs at all loses=["hidden-own_code"]
def own_code():
    return {"shape": (2, 4, 4, 3), "runs": 0}


# %% wrong own_code: leaves the batch out loses=["hidden-own_code"]
def own_code():
    return {"shape": (4, 4, 3), "runs": 48}


# %% right own_code: the sum broken over lines, one statement
def conv2d_loops(x, w, b, stride, padding):
    x = pad2d(x, padding)
    c_out, _, kh, kw = w.shape
    rows = (x.shape[2] - kh) // stride + 1
    columns = (x.shape[3] - kw) // stride + 1
    y = x.new_zeros(len(x), c_out, rows, columns)
    for n in range(len(x)):
        for k in range(c_out):
            for i in range(rows):
                for j in range(columns):
                    top, left = i * stride, j * stride
                    y[n, k, i, j] = (
                        x[n, :, top : top + kh, left : left + kw]
                        * w[k]
                    ).sum()
                    if b is not None:
                        y[n, k, i, j] += b[k]
    return y


def own_code():
    return {"shape": (2, 4, 4, 3), "runs": 96}


# %% right conv2d_backward: output by output
def conv2d_backward(x, w, grad, stride, padding):
    padded = pad2d(x, padding)
    of_x, of_w, of_b = torch.zeros_like(padded), torch.zeros_like(w), w.new_zeros(len(w))
    kh, kw = w.shape[2:]
    for i in range(grad.shape[2]):
        for j in range(grad.shape[3]):
            window = slice(i * stride, i * stride + kh), slice(j * stride, j * stride + kw)
            for n in range(len(x)):
                for k in range(len(w)):
                    g = grad[n, k, i, j]
                    of_x[n, :, window[0], window[1]] += g * w[k]
                    of_w[k] += g * padded[n, :, window[0], window[1]]
                    of_b[k] += g
    return of_x[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]], of_w, of_b


# %% right conv2d_backward: columns, products, and the columns put back
def conv2d_backward(x, w, grad, stride, padding):
    n, c, height, width = x.shape
    k, _, kh, kw = w.shape
    padded = torch.zeros(n, c, height + 2 * padding, width + 2 * padding, dtype=x.dtype)
    padded[:, :, padding : padding + height, padding : padding + width] = x
    rows, cols = grad.shape[2:]
    i = (torch.arange(kh)[:, None, None, None] + stride * torch.arange(rows)[:, None]).expand(kh, kw, rows, cols)
    j = (torch.arange(kw)[:, None, None] + stride * torch.arange(cols)).expand(kh, kw, rows, cols)
    columns = padded[:, :, i, j].reshape(n, c * kh * kw, rows * cols)
    g = grad.reshape(n, k, rows * cols)
    of_w = (g @ columns.transpose(1, 2)).sum(0).reshape(w.shape)
    back = (w.reshape(k, -1).T @ g).reshape(n, c, kh, kw, rows, cols)
    of_x = torch.zeros_like(padded)
    for row, column in torch.cartesian_prod(torch.arange(rows), torch.arange(cols)).tolist():
        top, left = row * stride, column * stride
        of_x[:, :, top : top + kh, left : left + kw] += back[..., row, column]
    return of_x[:, :, padding : padding + height, padding : padding + width], of_w, g.sum((0, 2))


# %% right conv2d_backward: in NumPy, tap by tap
import numpy as np


def conv2d_backward(x, w, grad, stride, padding):
    frame = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    image, weights, g = np.pad(x.numpy(), frame), w.numpy(), grad.numpy()
    of_x, of_w = np.zeros_like(image), np.zeros_like(weights)
    rows, cols = g.shape[2:]
    for u, v in np.ndindex(*weights.shape[2:]):
        place = np.s_[:, :, u : u + stride * rows : stride, v : v + stride * cols : stride]
        place = place[:2] + (np.arange(u, u + stride * rows, stride)[:, None], np.arange(v, v + stride * cols, stride))
        of_w[:, :, u, v] = np.tensordot(g, image[place], ((0, 2, 3), (0, 2, 3)))
        of_x[place] += np.einsum("nkij,kc->ncij", g, weights[:, :, u, v])
    h, w_ = x.shape[2:]
    return (
        torch.tensor(of_x[:, :, padding : padding + h, padding : padding + w_]), torch.tensor(of_w),
        torch.tensor(g.sum((0, 2, 3))),
    )


# %% wrong conv2d_backward: stamps cover each other loses=["test-conv2d_backward", "hidden-conv2d_backward"]
def conv2d_backward(x, w, grad, stride, padding):
    height, width = x.shape[2:]
    x = pad2d(x, padding)
    of_x, of_w = torch.zeros_like(x), torch.zeros_like(w)
    bottom, right = (stride * (size - 1) + 1 for size in grad.shape[2:])
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            rows, columns = slice(u, u + bottom, stride), slice(v, v + right, stride)
            of_w[:, :, u, v] = torch.einsum("nkij,ncij->kc", grad, x[:, :, rows, columns])
            of_x[:, :, rows, columns] = torch.einsum("nkij,kc->ncij", grad, w[:, :, u, v])
    of_x = of_x[:, :, padding : padding + height, padding : padding + width]
    return of_x, of_w, grad.sum((0, 2, 3))


# %% wrong conv2d_backward: flips the kernel loses=["test-conv2d_backward", "hidden-conv2d_backward"]
def conv2d_backward(x, w, grad, stride, padding):
    height, width = x.shape[2:]
    x = pad2d(x, padding)
    of_x, of_w = torch.zeros_like(x), torch.zeros_like(w)
    bottom, right = (stride * (size - 1) + 1 for size in grad.shape[2:])
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            rows, columns = slice(u, u + bottom, stride), slice(v, v + right, stride)
            of_w[:, :, u, v] = torch.einsum("nkij,ncij->kc", grad, x[:, :, rows, columns])
            of_x[:, :, rows, columns] += torch.einsum("nkij,kc->ncij", grad, w[:, :, -1 - u, -1 - v])
    of_x = of_x[:, :, padding : padding + height, padding : padding + width]
    return of_x, of_w, grad.sum((0, 2, 3))


# %% wrong conv2d_backward: windows one pixel apart, whatever the stride loses=["test-conv2d_backward", "hidden-conv2d_backward"]
def conv2d_backward(x, w, grad, stride, padding):
    height, width = x.shape[2:]
    x = pad2d(x, padding)
    of_x, of_w = torch.zeros_like(x), torch.zeros_like(w)
    bottom, right = grad.shape[2:]
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            rows, columns = slice(u, u + bottom), slice(v, v + right)
            of_w[:, :, u, v] = torch.einsum("nkij,ncij->kc", grad, x[:, :, rows, columns])
            of_x[:, :, rows, columns] += torch.einsum("nkij,kc->ncij", grad, w[:, :, u, v])
    of_x = of_x[:, :, padding : padding + height, padding : padding + width]
    return of_x, of_w, grad.sum((0, 2, 3))


# %% wrong conv2d_backward: hands the frame on loses=["test-conv2d_backward", "hidden-conv2d_backward"]
def conv2d_backward(x, w, grad, stride, padding):
    height, width = x.shape[2:]
    x = pad2d(x, padding)
    of_x, of_w = torch.zeros_like(x), torch.zeros_like(w)
    bottom, right = (stride * (size - 1) + 1 for size in grad.shape[2:])
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            rows, columns = slice(u, u + bottom, stride), slice(v, v + right, stride)
            of_w[:, :, u, v] = torch.einsum("nkij,ncij->kc", grad, x[:, :, rows, columns])
            of_x[:, :, rows, columns] += torch.einsum("nkij,kc->ncij", grad, w[:, :, u, v])
    return of_x, of_w, grad.sum((0, 2, 3))


# %% wrong conv2d_backward: one gradient for all biases loses=["test-conv2d_backward", "hidden-conv2d_backward"]
def conv2d_backward(x, w, grad, stride, padding):
    height, width = x.shape[2:]
    x = pad2d(x, padding)
    of_x, of_w = torch.zeros_like(x), torch.zeros_like(w)
    bottom, right = (stride * (size - 1) + 1 for size in grad.shape[2:])
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            rows, columns = slice(u, u + bottom, stride), slice(v, v + right, stride)
            of_w[:, :, u, v] = torch.einsum("nkij,ncij->kc", grad, x[:, :, rows, columns])
            of_x[:, :, rows, columns] += torch.einsum("nkij,kc->ncij", grad, w[:, :, u, v])
    of_x = of_x[:, :, padding : padding + height, padding : padding + width]
    return of_x, of_w, grad.sum()


# %% wrong conv2d_backward: the mean over the batch in place of sums loses=["test-conv2d_backward", "hidden-conv2d_backward"]
def conv2d_backward(x, w, grad, stride, padding):
    height, width = x.shape[2:]
    x = pad2d(x, padding)
    of_x, of_w = torch.zeros_like(x), torch.zeros_like(w)
    bottom, right = (stride * (size - 1) + 1 for size in grad.shape[2:])
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            rows, columns = slice(u, u + bottom, stride), slice(v, v + right, stride)
            of_w[:, :, u, v] = 1 / len(x) * torch.einsum("nkij,ncij->kc", grad, x[:, :, rows, columns])
            of_x[:, :, rows, columns] += torch.einsum("nkij,kc->ncij", grad, w[:, :, u, v])
    of_x = of_x[:, :, padding : padding + height, padding : padding + width]
    return of_x, of_w, grad.mean((0, 2, 3))


# %% wrong conv2d_backward: the gradients in another order loses=["test-conv2d_backward", "hidden-conv2d_backward"]
def conv2d_backward(x, w, grad, stride, padding):
    height, width = x.shape[2:]
    x = pad2d(x, padding)
    of_x, of_w = torch.zeros_like(x), torch.zeros_like(w)
    bottom, right = (stride * (size - 1) + 1 for size in grad.shape[2:])
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            rows, columns = slice(u, u + bottom, stride), slice(v, v + right, stride)
            of_w[:, :, u, v] = torch.einsum("nkij,ncij->kc", grad, x[:, :, rows, columns])
            of_x[:, :, rows, columns] += torch.einsum("nkij,kc->ncij", grad, w[:, :, u, v])
    of_x = of_x[:, :, padding : padding + height, padding : padding + width]
    return of_w, of_x, grad.sum((0, 2, 3))


# %% wrong conv2d_backward: a bias has no gradient loses=["test-conv2d_backward", "hidden-conv2d_backward"]
def conv2d_backward(x, w, grad, stride, padding):
    height, width = x.shape[2:]
    x = pad2d(x, padding)
    of_x, of_w = torch.zeros_like(x), torch.zeros_like(w)
    bottom, right = (stride * (size - 1) + 1 for size in grad.shape[2:])
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            rows, columns = slice(u, u + bottom, stride), slice(v, v + right, stride)
            of_w[:, :, u, v] = torch.einsum("nkij,ncij->kc", grad, x[:, :, rows, columns])
            of_x[:, :, rows, columns] += torch.einsum("nkij,kc->ncij", grad, w[:, :, u, v])
    of_x = of_x[:, :, padding : padding + height, padding : padding + width]
    return of_x, of_w, torch.zeros(len(w), dtype=w.dtype)


# %% wrong conv2d_backward: asks autograd loses=["test-conv2d_backward", "hidden-conv2d_backward"]
def conv2d_backward(x, w, grad, stride, padding):
    x, w = x.clone().requires_grad_(), w.clone().requires_grad_()
    b = torch.zeros(len(w), dtype=w.dtype).requires_grad_()
    slices = pad2d(x, padding).unfold(2, w.shape[2], stride).unfold(3, w.shape[3], stride)
    y = torch.einsum("ncijuv,kcuv->nkij", slices, w) + b[:, None, None]
    return torch.autograd.grad(y, (x, w, b), grad)


# %% wrong conv2d_backward: asks torch's own convolution backwards loses=["test-conv2d_backward", "hidden-conv2d_backward"]
def conv2d_backward(x, w, grad, stride, padding):
    return (
        torch.nn.grad.conv2d_input(x.shape, w, grad, stride, padding),
        torch.nn.grad.conv2d_weight(x, w.shape, grad, stride, padding),
        grad.sum((0, 2, 3)),
    )


# %% wrong conv2d_backward: weights of float32 loses=["hidden-conv2d_backward"]
import torch


def conv2d_backward(x, w, grad, stride, padding):
    padded = pad2d(x, padding)
    of_padded, of_w = torch.zeros_like(padded), torch.zeros(w.shape)
    rows, cols = grad.shape[2:]
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            i = slice(u, u + stride * (rows - 1) + 1, stride)
            j = slice(v, v + stride * (cols - 1) + 1, stride)
            of_w[:, :, u, v] = torch.einsum("nkij,ncij->kc", grad, padded[:, :, i, j])
            of_padded[:, :, i, j] += torch.einsum("nkij,kc->ncij", grad, w[:, :, u, v])
    of_x = of_padded[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]
    return of_x, of_w, grad.sum(dim=(0, 2, 3))
