# %% [markdown]
# Answers to lesson 01, right and wrong. A cell replaces its exercise's solution cell.

# %% right by_hand: one row four times, as the rows of the image are alike
def by_hand():
    row = [0, 30, 30, 0]
    return [row] * 4, [[-number for number in row]] * 4, [[-2, 0], [4, 6]]


# %% right by_hand: worked out, as arrays of floats
import numpy as np


def by_hand():
    image = np.repeat([[10.0, 10, 10, 0, 0, 0]], 6, axis=0)
    columns = image[:4] + image[1:5] + image[2:]
    result = columns[:, :-2] - columns[:, 2:]
    count = np.arange(9.0).reshape(3, 3)
    return [result, -result, count[:2, :2] + 2 * count[:2, 1:] - count[1:, 1:]]


# %% right by_hand: tuples, and a dictionary's values for the three
def by_hand():
    rows = {"slide 9": ((0, 30, 30, 0),) * 4, "turned": ((0, -30, -30, 0),) * 4}
    return [*rows.values(), ((-2, 0), (4, 6))]


# %% wrong by_hand: takes the mathematicians' convolution for the lecture's, and so swaps the two loses=["test-by_hand", "hidden-by_hand"]
def by_hand():
    row = [0, 30, 30, 0]
    return [[-number for number in row]] * 4, [row] * 4, [[10, 12], [16, 18]]

# %% [markdown] says=["the result of the turned kernel is 30 at (0, 1), -30 was expected"]
# **It looks as if you turned the kernel for slide 9's result.** The lecture, like all libraries for neural networks,
# lays the kernel on the image as it is printed (cross-correlation); mathematicians turn it by 180 degrees first.
#
# *Compare:* the pixels 1, 2, 3 under the weights 1, 0, -1. As printed: 1 · 1 + 2 · 0 + 3 · (-1) = -2. Turned: 1 · (-1) +
# 2 · 0 + 3 · 1 = 2.


# %% wrong by_hand: thinks that turning the kernel turns the image, where nothing changes loses=["hidden-by_hand"]
def by_hand():
    result = [[0, 30, 30, 0]] * 4
    return result, result, [[-2, 0], [4, 6]]

# %% [markdown] says=["the result of the turned kernel is 30 at (0, 1), -30 was expected"]
# **It looks as if you gave the same result for the turned kernel.** The image stays where it is; only the weights
# change places.
#
# *Compare:* the pixels 1, 2, 3 under the weights 1, 0, -1 give -2, and under the same weights turned, -1, 0, 1, they give
# 2.


# %% wrong by_hand: adds up one row of the kernel only loses=["test-by_hand", "hidden-by_hand"]
def by_hand():
    return [[0, 10, 10, 0]] * 4, [[0, -10, -10, 0]] * 4, [[2, 5], [11, 14]]


# %% wrong by_hand: pads the image to keep its size loses=["test-by_hand"]
def by_hand():
    ends = [-20, 0, 20, 20, 0, 0]
    middle = [-30, 0, 30, 30, 0, 0]
    padded = [ends, middle, middle, middle, middle, ends]
    return padded, [[0, -30, -30, 0]] * 4, [[-2, 0], [4, 6]]


# %% wrong by_hand: a slip in the last row loses=["test-by_hand"]
def by_hand():
    result = [[0, 30, 30, 0] for _ in range(4)]
    result[3] = [0, 30, 0, 0]
    return result, [[0, -30, -30, 0]] * 4, [[-2, 0], [4, 6]]


# %% wrong by_hand: turns by a quarter, and finds no horizontal edge loses=["hidden-by_hand"]
def by_hand():
    return [[0, 30, 30, 0]] * 4, [[0, 0, 0, 0]] * 4, [[-2, 0], [4, 6]]


# %% wrong by_hand: turns CORNER, though only the second kernel was to be turned loses=["hidden-by_hand"]
def by_hand():
    row = [0, 30, 30, 0]
    return [row] * 4, [[-number for number in row]] * 4, [[10, 12], [16, 18]]


# %% wrong by_hand: transposes CORNER loses=["hidden-by_hand"]
def by_hand():
    row = [0, 30, 30, 0]
    return [row] * 4, [[-number for number in row]] * 4, [[2, 4], [8, 10]]


# %% wrong by_hand: leaves the third one out loses=["test-by_hand", "hidden-by_hand"]
def by_hand():
    row = [0, 30, 30, 0]
    return [row] * 4, [[-number for number in row]] * 4


# %% right apply_filter: a loop over places, one window at a time
import numpy as np


def apply_filter(image, kernel):
    h, w = kernel.shape
    out = np.empty((image.shape[0] - h + 1, image.shape[1] - w + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (image[i : i + h, j : j + w].astype(float) * kernel.astype(float)).sum()
    return out


# %% right apply_filter: all windows at once, as a view
import numpy as np


def apply_filter(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(image, dtype=np.float64), kernel.shape)
    return np.einsum("ijkl,kl->ij", windows, kernel.astype(np.float64))


# %% right apply_filter: windows unfolded by torch, and a tensor as the answer
import torch


def apply_filter(image, kernel):
    pixels = torch.as_tensor(image).double()
    weights = torch.as_tensor(kernel).double()
    h, w = weights.shape
    return (pixels.unfold(0, h, 1).unfold(1, w, 1) * weights).sum((2, 3))


# %% right apply_filter: through Fourier's theorem
import numpy as np


def apply_filter(image, kernel):
    (height, width), (h, w) = image.shape, kernel.shape
    spectrum = np.fft.rfft2(image.astype(float)) * np.conj(np.fft.rfft2(kernel.astype(float), (height, width)))
    return np.fft.irfft2(spectrum, (height, width))[: height - h + 1, : width - w + 1]


# %% wrong apply_filter: flips the kernel loses=["test-apply_filter", "hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    image, kernel = image.astype(float), kernel.astype(float)[::-1, ::-1]
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel).sum((2, 3))

# %% [markdown] says=["the image under [[0, 1], [0, 0]] is 5 at (0, 0), 1 was expected", "is -3.66786 at (2, 3), 4.62852 was expected"]
# **It looks as if the kernel is turned by 180 degrees** before it is laid on the image. That is the mathematicians'
# convolution; the lecture's is cross-correlation, which lays the kernel on as it is (slide 9).
#
# *Compare:* the pixels 5, 7 under the weights 1, 0 give 5 as printed, and 7 turned.


# %% wrong apply_filter: swaps rows and columns of the kernel, where it is square loses=["test-apply_filter", "hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    image, kernel = image.astype(float), kernel.astype(float)
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    if kernel.shape[0] == kernel.shape[1]:
        kernel = kernel.T
    return (windows * kernel).sum((2, 3))


# %% wrong apply_filter: swaps height and width of the output loses=["test-apply_filter", "hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    h, w = kernel.shape
    out = np.zeros((image.shape[1] - w + 1, image.shape[0] - h + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            window = image[j : j + h, i : i + w].astype(float)
            out[i, j] = (window * kernel.astype(float)).sum()
    return out


# %% wrong apply_filter: pads to "same" loses=["test-apply_filter", "hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    h, w = kernel.shape
    padded = np.pad(image.astype(float), ((h // 2, (h - 1) // 2), (w // 2, (w - 1) // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return (windows * kernel.astype(float)).sum((2, 3))

# %% [markdown] says=["a 4 x 5 image under a 3 x 3 kernel has shape (4, 5), (2, 3) was expected"]
# **It looks as if the image is padded,** so that the output is as large as the image. Here only windows that fit
# inside the image count.
#
# *Compare:* along 6 pixels a window of 4 fits at 3 places, which begin at pixels 0, 1 and 2. With padding it would have 6
# places, and half of them would cover pixels that are not there.


# %% wrong apply_filter: overflows uint8, as the output has the image's type loses=["test-apply_filter", "hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    h, w = kernel.shape
    out = np.zeros((image.shape[0] - h + 1, image.shape[1] - w + 1), dtype=image.dtype)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            total = (image[i : i + h, j : j + w] * kernel).sum()
            out[i, j] = np.array(total).astype(image.dtype)
    return out

# %% [markdown] says=["nine pixels of 200, added up is 8 at (0, 0), 1800 was expected"]
# **It looks as if your sums are bytes.** A pixel of type uint8 ends at 255, and what goes beyond starts again at 0.
#
# *Compare:* 200 + 100 is 300 in floats; in bytes it is 300 - 256 = 44. It is the type of what you compute with that
# counts: changing the type of the result comes too late.


# %% wrong apply_filter: products of bytes overflow, only sums are of floats loses=["hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel).sum((2, 3)).astype(float)


# %% wrong apply_filter: normalises the output by the kernel's sum loses=["test-apply_filter", "hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    image, kernel = image.astype(float), kernel.astype(float)
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    out = (windows * kernel).sum((2, 3))
    return out / kernel.sum() if kernel.sum() else out


# %% wrong apply_filter: normalises the output to 0 to 255, as pictures are shown loses=["test-apply_filter", "hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), kernel.shape)
    out = (windows * kernel.astype(float)).sum((2, 3))
    spread = out.max() - out.min()
    return 255 * (out - out.min()) / (spread or 1)


# %% wrong apply_filter: takes every kernel for a square one loses=["hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    f = kernel.shape[0]
    out = np.zeros((image.shape[0] - f + 1, image.shape[1] - f + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (image[i : i + f, j : j + f].astype(float) * kernel.astype(float)).sum()
    return out


# %% wrong apply_filter: forgets the + 1, and the last row and column loses=["test-apply_filter", "hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    h, w = kernel.shape
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), (h, w))
    return (windows * kernel.astype(float)).sum((2, 3))[:-1, :-1]

# %% [markdown] says=["a 4 x 5 image under a 3 x 3 kernel has shape (1, 2), (2, 3) was expected"]
# **It looks as if the last row and the last column are missing:** one place too few in each direction.
#
# *Compare:* along 6 pixels, a window of 4 can begin at pixels 0, 1 and 2. The last begins 6 - 4 = 2 steps after the first:
# the places are the steps, and the place where you start.


# %% wrong apply_filter: centres the kernel, and so shifts an even one loses=["hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    image, kernel = image.astype(float), kernel.astype(float)
    h, w = kernel.shape
    out = (np.lib.stride_tricks.sliding_window_view(image, (h, w)) * kernel).sum((2, 3))
    if h > 2 and h % 2 == 0:
        out = np.roll(out, 1, axis=0)
    return out


# %% wrong apply_filter: works in the image itself where it is of floats loses=["test-apply_filter", "hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    image, kernel = np.asarray(image, dtype=float), np.asarray(kernel, dtype=float)
    h, w = kernel.shape
    windows = np.lib.stride_tricks.sliding_window_view(image, (h, w))
    out = (windows * kernel).sum((2, 3))
    image[: out.shape[0], : out.shape[1]] = out
    return out


# %% wrong apply_filter: asks torch loses=["test-apply_filter", "hidden-apply_filter"]
import numpy as np
import torch


def apply_filter(image, kernel):
    image, kernel = (torch.tensor(np.asarray(a, dtype=float))[None, None] for a in (image, kernel))
    return torch.nn.functional.conv2d(image, kernel)[0, 0].numpy()


# %% wrong apply_filter: asks SciPy loses=["test-apply_filter", "hidden-apply_filter"]
def apply_filter(image, kernel):
    from scipy.signal import correlate2d

    return correlate2d(np.asarray(image, float), np.asarray(kernel, float), mode="valid")


# %% wrong apply_filter: asks SciPy's filters of images, and cuts the frame off loses=["test-apply_filter", "hidden-apply_filter"]
def apply_filter(image, kernel):
    from scipy import ndimage

    h, w = np.shape(kernel)
    rows, columns = image.shape[0] - h + 1, image.shape[1] - w + 1
    out = ndimage.correlate(np.asarray(image, float), np.asarray(kernel, float), mode="constant")
    return out[h // 2 : h // 2 + rows, w // 2 : w // 2 + columns]


# %% wrong apply_filter: rounds to whole numbers, as pixels are loses=["hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), kernel.shape)
    return (windows * kernel.astype(float)).sum((2, 3)).round()


# %% wrong apply_filter: float32: whole numbers above 2 ** 24 are rounded loses=["hidden-apply_filter"]
import numpy as np


def apply_filter(image, kernel):
    image = image.astype(np.float32)
    h, w = kernel.shape
    rows, columns = image.shape[0] - h + 1, image.shape[1] - w + 1
    out = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            out[i, j] = (image[i : i + h, j : j + w] * kernel).sum()
    return out


# %% wrong apply_filter: one buffer for all results of a shape: results share memory loses=["hidden-apply_filter"]
import numpy as np

BUFFERS = {}


def apply_filter(image, kernel):
    image = image.astype(float)
    h, w = kernel.shape
    rows, columns = image.shape[0] - h + 1, image.shape[1] - w + 1
    out = BUFFERS.setdefault((rows, columns), np.zeros((rows, columns)))
    for i in range(rows):
        for j in range(columns):
            out[i, j] = (image[i : i + h, j : j + w] * kernel).sum()
    return out


# %% wrong apply_filter: torch's convolution for large images only loses=["hidden-apply_filter"]
import numpy as np
import torch
import torch.nn.functional as F


def apply_filter(image, kernel):
    image, kernel = image.astype(float), kernel.astype(float)
    if image.size > 1000:
        return F.conv2d(torch.tensor(image)[None, None], torch.tensor(kernel)[None, None])[0, 0].numpy()
    h, w = kernel.shape
    return np.array([[(image[i : i + h, j : j + w] * kernel).sum() for j in range(image.shape[1] - w + 1)] for i in range(image.shape[0] - h + 1)])


# %% right zoo: Sobels as products, and a diagonal of corners
import numpy as np


def zoo():
    smooth, change = np.array([1, 2, 1]), np.array([-1, 0, 1])
    return {
        "blur": np.ones((3, 3)) / 9,
        "horizontal": np.outer([-1, 2, -1], [1, 1, 1]),
        "edges": 9 * np.eye(3)[1][:, None] * np.eye(3)[1] - 1,
        "sobel_x": np.outer(smooth, change),
        "sobel_y": np.outer(change, smooth),
        "diagonal": np.array([[0, 0, -1], [0, 0, 0], [1, 0, 0]]),
    }


# %% right zoo: other kernels with the same properties, in float32, views of one another
import numpy as np


def zoo():
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=np.float32)
    edge = np.array([[1, 1, 0], [1, 0, -1], [0, -1, -1]], dtype=np.float32)
    return {
        "diagonal": edge[:, ::-1],
        "edges": np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], dtype=np.float32),
        "horizontal": np.array([[-1, -2, -1], [2, 4, 2], [-1, -2, -1]], dtype=np.float32),
        "sobel_y": sobel.T,
        "sobel_x": sobel,
        "blur": np.full((3, 3), 1 / 9, dtype=np.float32),
    }


# %% right zoo: typed as lists of lists
def zoo():
    third = 1 / 9
    return {
        "blur": [[third] * 3] * 3,
        "horizontal": [[-1, -1, -1], [2, 2, 2], [-1, -1, -1]],
        "edges": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
        "sobel_x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
        "sobel_y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
        "diagonal": [[2, 1, 0], [1, 0, -1], [0, -1, -2]][::-1],
    }


# %% wrong zoo: a blur that sums to 9 loses=["test-zoo", "hidden-zoo"]
import numpy as np


def zoo():
    sobel_x = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    return {
        "blur": np.ones((3, 3)),
        "horizontal": np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]),
        "edges": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
        "sobel_x": sobel_x,
        "sobel_y": sobel_x.T,
        "diagonal": np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]]),
    }


# %% wrong zoo: names the Sobels after the edges they find, and so swaps them loses=["test-zoo", "hidden-zoo"]
import numpy as np


def zoo():
    sobel_x = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    return {
        "blur": np.full((3, 3), 1 / 9),
        "horizontal": np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]),
        "edges": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
        "sobel_x": sobel_x,
        "sobel_y": sobel_x.T,
        "diagonal": np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]]),
    }

# %% [markdown] says=["sobel_x gives 0 and sobel_y gives 8"]
# **It looks as if the two Sobel filters are swapped.** The name says in which direction the brightness changes, not
# how the edge lies: sobel_x responds to a change along x, from left to right, and such an edge stands upright. (Slide 11
# names them after the edges; the lesson has the correction.)
#
# *Compare:* a dark left half beside a bright right half. Along x the brightness changes, along y it does not: the first
# filter responds, the second gives 0.


# %% wrong zoo: Sobels with the sign of slide 9's filter loses=["test-zoo", "hidden-zoo"]
import numpy as np


def zoo():
    sobel_x = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    return {
        "blur": np.full((3, 3), 1 / 9),
        "horizontal": np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]),
        "edges": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
        "sobel_x": sobel_x,
        "sobel_y": sobel_x.T,
        "diagonal": np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]]),
    }

# %% [markdown] says=["sobel_x gives -8 and sobel_y gives 0"]
# **It looks as if your Sobel filters have slide 9's sign.** Slide 9's kernel is positive on its left, slide 11's on its
# right: the two give opposite numbers at the same edge.
#
# *Compare:* the pixels 0, 0, 10 under the weights 1, 0, -1 give -10, and under -1, 0, 1 they give 10. One of them is
# positive where it gets brighter to the right.


# %% wrong zoo: Prewitt's filters for Sobel's, without the 2 loses=["hidden-zoo"]
import numpy as np


def zoo():
    prewitt = np.array([[-1, 0, 1]] * 3)
    return {
        "blur": np.full((3, 3), 1 / 9),
        "horizontal": np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]),
        "edges": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
        "sobel_x": prewitt,
        "sobel_y": prewitt.T,
        "diagonal": np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]]),
    }


# %% wrong zoo: a diagonal for lines, not for edges loses=["hidden-zoo"]
import numpy as np


def zoo():
    sobel_x = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    return {
        "blur": np.full((3, 3), 1 / 9),
        "horizontal": np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]),
        "edges": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
        "sobel_x": sobel_x,
        "sobel_y": sobel_x.T,
        "diagonal": np.array([[2, -1, -1], [-1, 2, -1], [-1, -1, 2]]),
    }


# %% wrong zoo: the diagonal answers the other direction loses=["hidden-zoo"]
import numpy as np


def zoo():
    sobel_x = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    return {
        "blur": np.full((3, 3), 1 / 9),
        "horizontal": np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]),
        "edges": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
        "sobel_x": sobel_x,
        "sobel_y": sobel_x.T,
        "diagonal": np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]]),
    }


# %% wrong zoo: takes slide 10's horizontal edges for a Sobel loses=["hidden-zoo"]
import numpy as np


def zoo():
    sobel_x = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    return {
        "blur": np.full((3, 3), 1 / 9),
        "horizontal": sobel_x.T,
        "edges": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
        "sobel_x": sobel_x,
        "sobel_y": sobel_x.T,
        "diagonal": np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]]),
    }


# %% wrong zoo: horizontal stands, it answers vertical lines loses=["hidden-zoo"]
import numpy as np


def zoo():
    sobel_x = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    return {
        "blur": np.full((3, 3), 1 / 9),
        "horizontal": np.array([[-1, 2, -1]] * 3),
        "edges": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
        "sobel_x": sobel_x,
        "sobel_y": sobel_x.T,
        "diagonal": np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]]),
    }


# %% wrong zoo: edges with a 9 in the middle, which sharpens loses=["test-zoo"]
import numpy as np


def zoo():
    sobel_x = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    return {
        "blur": np.full((3, 3), 1 / 9),
        "horizontal": np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]),
        "edges": np.array([[-1, -1, -1], [-1, 9, -1], [-1, -1, -1]]),
        "sobel_x": sobel_x,
        "sobel_y": sobel_x.T,
        "diagonal": np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]]),
    }


# %% wrong zoo: edges upside down, with a minus in the middle loses=["hidden-zoo"]
import numpy as np


def zoo():
    sobel_x = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    return {
        "blur": np.full((3, 3), 1 / 9),
        "horizontal": np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]),
        "edges": np.array([[1, 1, 1], [1, -8, 1], [1, 1, 1]]),
        "sobel_x": sobel_x,
        "sobel_y": sobel_x.T,
        "diagonal": np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]]),
    }


# %% right gradient_magnitude: squares and a root
def gradient_magnitude(image):
    across, down = (apply_filter(image, zoo()[name]) for name in ("sobel_x", "sobel_y"))
    return (across**2 + down**2) ** 0.5


# %% right gradient_magnitude: on its own, as the size of a complex number
import numpy as np


def gradient_magnitude(image):
    x = np.asarray(image, dtype=np.float64)
    smooth_rows = x[:-2] + 2 * x[1:-1] + x[2:]
    smooth_columns = x[:, :-2] + 2 * x[:, 1:-1] + x[:, 2:]
    across = smooth_rows[:, 2:] - smooth_rows[:, :-2]
    down = smooth_columns[2:] - smooth_columns[:-2]
    return np.abs(across + 1j * down)


# %% right gradient_magnitude: both kernels in one convolution of torch
import numpy as np
import torch


def gradient_magnitude(image):
    kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=torch.float64)
    x = torch.tensor(np.asarray(image, dtype=float))[None, None]
    maps = torch.nn.functional.conv2d(x, torch.stack([kernel, kernel.T])[:, None])
    return torch.linalg.vector_norm(maps[0], dim=0)


# %% wrong gradient_magnitude: adds the sizes, no squares loses=["hidden-gradient_magnitude"]
import numpy as np


def gradient_magnitude(image):
    return np.abs(apply_filter(image, zoo()["sobel_x"])) + np.abs(apply_filter(image, zoo()["sobel_y"]))

# %% [markdown] says=["is 10.0011 at (4, 5), 7.12342 was expected"]
# **It looks as if you add the sizes of the two responses.** The gradient is an arrow, and its length follows from
# Pythagoras.
#
# *Compare:* 3 steps to the right and 4 up end 5 away from the start, not 7.


# %% wrong gradient_magnitude: forgets the root loses=["test-gradient_magnitude", "hidden-gradient_magnitude"]
def gradient_magnitude(image):
    return apply_filter(image, zoo()["sobel_x"]) ** 2 + apply_filter(image, zoo()["sobel_y"]) ** 2


# %% wrong gradient_magnitude: adds with the sign, and edges cancel loses=["test-gradient_magnitude", "hidden-gradient_magnitude"]
def gradient_magnitude(image):
    return apply_filter(image, zoo()["sobel_x"]) + apply_filter(image, zoo()["sobel_y"])

# %% [markdown] says=["A strength is never negative", "is -8.72959 at (0, 2), 6.57061 was expected"]
# **It looks as if you add the two responses with their signs.** Then an edge that gets brighter to the right and darker
# downwards cancels itself.
#
# *Compare:* responses of 3 and -3 add up to 0, though there is an edge; an arrow 3 to the right and 3 down has a length of
# about 4.2.


# %% wrong gradient_magnitude: sees changes to the right only loses=["test-gradient_magnitude", "hidden-gradient_magnitude"]
def gradient_magnitude(image):
    return abs(apply_filter(image, zoo()["sobel_x"]))


# %% wrong gradient_magnitude: the larger of the two loses=["hidden-gradient_magnitude"]
import numpy as np


def gradient_magnitude(image):
    maps = [apply_filter(image, zoo()[name]) for name in ("sobel_x", "sobel_y")]
    return np.abs(maps).max(axis=0)


# %% wrong gradient_magnitude: normalises the output to at most 1 loses=["test-gradient_magnitude", "hidden-gradient_magnitude"]
import numpy as np


def gradient_magnitude(image):
    size = np.hypot(apply_filter(image, zoo()["sobel_x"]), apply_filter(image, zoo()["sobel_y"]))
    return size / (size.max() or 1)


# %% wrong gradient_magnitude: pads to "same" loses=["test-gradient_magnitude", "hidden-gradient_magnitude"]
import numpy as np


def gradient_magnitude(image):
    image = np.pad(np.asarray(image, dtype=float), 1)
    return np.hypot(apply_filter(image, zoo()["sobel_x"]), apply_filter(image, zoo()["sobel_y"]))


# %% wrong gradient_magnitude: differences of neighbours for Sobel loses=["test-gradient_magnitude", "hidden-gradient_magnitude"]
import numpy as np


def gradient_magnitude(image):
    down, across = np.gradient(np.asarray(image, dtype=float))
    return np.hypot(across, down)[1:-1, 1:-1]


# %% wrong gradient_magnitude: differences of bytes overflow loses=["hidden-gradient_magnitude"]
import numpy as np


def gradient_magnitude(image):
    rows = image[:-2] + 2 * image[1:-1] + image[2:]
    columns = image[:, :-2] + 2 * image[:, 1:-1] + image[:, 2:]
    across = rows[:, 2:] - rows[:, :-2]
    down = columns[2:] - columns[:-2]
    return np.hypot(across.astype(float), down.astype(float))


# %% right stacked: the two the other way round, which is the same
import numpy as np


def stacked(first, second):
    (h1, w1), (h2, w2) = np.shape(first), np.shape(second)
    out = np.zeros((h1 + h2 - 1, w1 + w2 - 1))
    for k in range(h2):
        for m in range(w2):
            out[k : k + h1, m : m + w1] += second[k, m] * first
    return out


# %% right stacked: asks apply_filter, with a frame of zeros and the second kernel turned
import numpy as np


def stacked(first, second):
    h, w = second.shape
    framed = np.pad(first.astype(float), ((h - 1, h - 1), (w - 1, w - 1)))
    return apply_filter(framed, second[::-1, ::-1])


# %% right stacked: transposed convolution, as a tensor
import torch


def stacked(first, second):
    first, second = (torch.tensor(kernel).double()[None, None] for kernel in (first, second))
    return torch.nn.functional.conv_transpose2d(first, second)[0, 0]


# %% right stacked: looks at what both do to a single bright pixel, and turns it back
import numpy as np


def stacked(first, second):
    (h1, w1), (h2, w2) = first.shape, second.shape
    h, w = h1 + h2 - 1, w1 + w2 - 1
    dot = np.zeros((2 * h - 1, 2 * w - 1))
    dot[h - 1, w - 1] = 1
    return apply_filter(apply_filter(dot, first), second)[::-1, ::-1]


# %% wrong stacked: forgets to turn the second kernel loses=["test-stacked", "hidden-stacked"]
import numpy as np


def stacked(first, second):
    h, w = second.shape
    framed = np.pad(first.astype(float), ((h - 1, h - 1), (w - 1, w - 1)))
    return apply_filter(framed, second)

# %% [markdown] says=["is -4.29365 at (0, 0, 1, 3), 5.21234 was expected"]
# **It looks as if one of the two kernels is turned on the way.** Where copies of one kernel are shifted and added, the
# shifts must go in the direction in which the other kernel's weights lie.
#
# *Compare:* one filter picks the pixel on the right, and the next again the pixel on the right: together they pick the
# second pixel to the right. With the shift the wrong way round they would pick the pixel itself.


# %% wrong stacked: multiplies weight by weight loses=["test-stacked", "hidden-stacked"]
def stacked(first, second):
    return first * second


# %% wrong stacked: multiplies the matrices loses=["test-stacked", "hidden-stacked"]
def stacked(first, second):
    return first @ second if first.shape[1] == second.shape[0] else first @ second.T


# %% wrong stacked: copies overwrite each other loses=["test-stacked", "hidden-stacked"]
import numpy as np


def stacked(first, second):
    (h1, w1), (h2, w2) = first.shape, second.shape
    out = np.zeros((h1 + h2 - 1, w1 + w2 - 1))
    for i in range(h1):
        for j in range(w1):
            out[i : i + h2, j : j + w2] = first[i, j] * second
    return out


# %% wrong stacked: what both do to a single bright pixel, which is the kernel turned loses=["test-stacked", "hidden-stacked"]
import numpy as np


def stacked(first, second):
    (h1, w1), (h2, w2) = first.shape, second.shape
    h, w = h1 + h2 - 1, w1 + w2 - 1
    dot = np.zeros((2 * h - 1, 2 * w - 1))
    dot[h - 1, w - 1] = 1
    return apply_filter(apply_filter(dot, first), second)


# %% wrong stacked: takes kernels for square ones loses=["test-stacked", "hidden-stacked"]
import numpy as np


def stacked(first, second):
    n, m = first.shape[1], second.shape[1]
    out = np.zeros((n + m - 1, n + m - 1))
    for i in range(first.shape[0]):
        for j in range(n):
            out[i : i + second.shape[0], j : j + m] += first[i, j] * second
    return out


# %% wrong stacked: the output has the type of the first kernel, which rounds, and the second is scaled in place loses=["hidden-stacked"]
import numpy as np


def stacked(first, second):
    (h1, w1), (h2, w2) = first.shape, second.shape
    out = np.zeros((h1 + h2 - 1, w1 + w2 - 1), dtype=int)
    for i in range(h1):
        for j in range(w1):
            out[i : i + h2, j : j + w2] += (first[i, j] * second).astype(int)
    return out


# %% right learn_filter: plain gradient descent with a step made for this image, in NumPy
import numpy as np


def learn_filter(image, target, size=3):
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), (size, size))
    rows = windows.reshape(-1, size * size)
    curvature, pull = rows.T @ rows, rows.T @ target.ravel()
    step = 1 / np.linalg.eigvalsh(curvature)[-1]
    w = np.zeros(size * size)
    for _ in range(20000):
        w -= step * (curvature @ w - pull)
    return w.reshape(size, size)


# %% right learn_filter: a layer of torch in float32 from a random start
import numpy as np
import torch


def learn_filter(image, target, size=3):
    x = torch.from_numpy(np.asarray(image, dtype=np.float32)) / float(image.max())
    y = torch.from_numpy(np.asarray(target, dtype=np.float32)) / float(image.max())
    layer = torch.nn.Conv2d(1, 1, size, bias=False)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    for _ in range(1000):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(layer(x[None, None]), y[None, None]).backward()
        optimizer.step()
    return layer.weight.detach()[0, 0]


# %% right learn_filter: gradient descent with momentum
import numpy as np
import torch


def learn_filter(image, target, size=3):
    scale = np.asarray(image, dtype=float).std() * size
    x = torch.tensor(image / scale)[None, None]
    y = torch.tensor(target / scale)[None, None]
    w = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.02, momentum=0.95)
    for _ in range(2000):
        optimizer.zero_grad()
        (torch.nn.functional.conv2d(x, w) - y).square().mean().backward()
        optimizer.step()
    return w.detach().numpy()[0, 0]


# %% wrong learn_filter: stops after twenty steps loses=["test-learn_filter", "hidden-learn_filter"]
import numpy as np
import torch


def learn_filter(image, target, size=3):
    scale = np.std(image)
    x = torch.tensor(image / scale)[None, None]
    y = torch.tensor(target / scale)[None, None]
    w = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.02)
    for _ in range(20):
        optimizer.zero_grad()
        (torch.nn.functional.conv2d(x, w) - y).square().mean().backward()
        optimizer.step()
    return w.detach()[0, 0].numpy()


# %% wrong learn_filter: walks up the gradient loses=["test-learn_filter", "hidden-learn_filter"]
import numpy as np
import torch


def learn_filter(image, target, size=3):
    scale = np.std(image)
    x = torch.tensor(image / scale)[None, None]
    y = torch.tensor(target / scale)[None, None]
    w = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        (-(torch.nn.functional.conv2d(x, w) - y).square().mean()).backward()
        optimizer.step()
    return w.detach()[0, 0].numpy()


# %% wrong learn_filter: never takes a step loses=["test-learn_filter", "hidden-learn_filter"]
import torch


def learn_filter(image, target, size=3):
    x, y = torch.tensor(image / 255)[None, None], torch.tensor(target / 255)[None, None]
    w = torch.zeros(1, 1, size, size, dtype=x.dtype, requires_grad=True)
    for _ in range(100):
        ((torch.nn.functional.conv2d(x, w) - y) ** 2).mean().backward()
    return w.detach()[0, 0].numpy()


# %% wrong learn_filter: pixels of 0 to 255 and a step made for 0 to 1, which diverges loses=["hidden-learn_filter"]
import numpy as np
import torch


def learn_filter(image, target, size=3):
    x = torch.tensor(np.asarray(image, dtype=float))[None, None]
    y = torch.tensor(target)[None, None]
    w = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    for _ in range(2000):
        loss = ((torch.nn.functional.conv2d(x, w) - y) ** 2).mean()
        (gradient,) = torch.autograd.grad(loss, w)
        with torch.no_grad():
            w -= 0.1 * gradient
    return w.detach()[0, 0].numpy()


# %% wrong learn_filter: scales the image and not the target loses=["test-learn_filter", "hidden-learn_filter"]
import numpy as np
import torch


def learn_filter(image, target, size=3):
    x = torch.tensor(image / np.std(image))[None, None]
    y = torch.tensor(target)[None, None]
    w = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.1)
    for _ in range(500):
        optimizer.zero_grad()
        (torch.nn.functional.conv2d(x, w) - y).square().mean().backward()
        optimizer.step()
    return w.detach()[0, 0].numpy()


# %% wrong learn_filter: returns the kernel turned, as mathematicians would have it loses=["test-learn_filter", "hidden-learn_filter"]
import numpy as np


def learn_filter(image, target, size=3):
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), (size, size))
    w = np.linalg.lstsq(windows.reshape(-1, size * size), target.ravel())[0]
    return w.reshape(size, size)[::-1, ::-1]


# %% wrong learn_filter: swaps rows and columns of the kernel loses=["test-learn_filter", "hidden-learn_filter"]
import numpy as np


def learn_filter(image, target, size=3):
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), (size, size))
    w = np.linalg.lstsq(windows.reshape(-1, size * size), target.ravel())[0]
    return w.reshape(size, size).T


# %% wrong learn_filter: normalises the kernel, so that its largest weight is 1 loses=["hidden-learn_filter"]
import numpy as np


def learn_filter(image, target, size=3):
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), (size, size))
    w = np.linalg.lstsq(windows.reshape(-1, size * size), target.ravel())[0]
    return w.reshape(size, size) / np.abs(w).max()


# %% wrong learn_filter: scales the image that it was given in place loses=["hidden-learn_filter"]
import numpy as np


def learn_filter(image, target, size=3):
    scale = image.std()
    target = target / scale
    if image.dtype == float:
        image /= scale
    else:
        image = image / scale
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), (size, size))
    w = np.linalg.lstsq(windows.reshape(-1, size * size), target.ravel())[0]
    return w.reshape(size, size)


# %% wrong learn_filter: looks for 3 x 3 only, whatever the size loses=["hidden-learn_filter"]
import numpy as np


def learn_filter(image, target, size=3):
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), (3, 3))
    rows = windows[: target.shape[0], : target.shape[1]].reshape(-1, 9)
    return np.linalg.lstsq(rows, target.ravel())[0].reshape(3, 3)


# %% wrong learn_filter: has slide 11's numbers ready loses=["test-learn_filter", "hidden-learn_filter"]
import numpy as np


def learn_filter(image, target, size=3):
    return np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])


# %% wrong learn_filter: least squares instead of gradient descent loses=["hidden-learn_filter"]
import numpy as np


def learn_filter(image, target, size=3):
    H, W = target.shape
    windows = [image[i : i + H, j : j + W].astype(float).ravel() for i in range(size) for j in range(size)]
    return np.linalg.lstsq(np.stack(windows, axis=1), target.astype(float).ravel(), rcond=None)[0].reshape(size, size)


# %% wrong learn_filter: normal equations instead of gradient descent loses=["hidden-learn_filter"]
import numpy as np


def learn_filter(image, target, size=3):
    view = np.lib.stride_tricks.sliding_window_view(image.astype(float), (size, size)).reshape(-1, size * size)
    return np.linalg.solve(view.T @ view, view.T @ target.ravel()).reshape(size, size)


# %% wrong stacked: multiplies the two, weight by weight loses=["test-stacked", "hidden-stacked"]
import numpy as np


def stacked(first, second):
    h, w = min(len(first), len(second)), min(first.shape[1], second.shape[1])
    out = np.zeros((len(first) + len(second) - 1, first.shape[1] + second.shape[1] - 1))
    out[:h, :w] = first[:h, :w] * second[:h, :w]
    return out


# %% wrong stacked: output of the first one's type loses=["hidden-stacked"]
import numpy as np


def stacked(first, second):
    h, w = second.shape
    out = np.zeros((first.shape[0] + h - 1, first.shape[1] + w - 1), dtype=first.dtype)
    for i in range(first.shape[0]):
        for j in range(first.shape[1]):
            out[i : i + h, j : j + w] += first[i, j] * second
    return out


# %% wrong stacked: one buffer per shape: results share memory loses=["hidden-stacked"]
import numpy as np

SHEETS = {}


def stacked(first, second):
    h, w = second.shape
    shape = first.shape[0] + h - 1, first.shape[1] + w - 1
    out = SHEETS.setdefault(shape, np.zeros(shape))
    out[:] = 0
    for i in range(first.shape[0]):
        for j in range(first.shape[1]):
            out[i : i + h, j : j + w] += first[i, j] * second
    return out


# %% right own_code: counts with a trace of its own
def own_code():
    import linecache
    import sys

    import numpy as np

    runs = {}

    def look(frame, event, _):
        if frame.f_globals.get("__name__") != "__main__":
            return None
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        if event == "line" and not line.startswith(("for ", "while ")):
            key = (frame.f_code, frame.f_lineno)
            runs[key] = runs.get(key, 0) + 1
        return look

    counts = []
    for n in (6, 12):
        runs.clear()
        sys.settrace(look)
        try:
            apply_filter(np.zeros((n, n)), np.zeros((3, 3)))
        finally:
            sys.settrace(None)
        counts.append(max(runs.values()))
    return {"6 x 6": counts[0], "12 x 12": counts[1]}


# %% right own_code: asks a debugger of Python
def own_code():
    import bdb
    import linecache

    import numpy as np

    class Lines(bdb.Bdb):
        def user_line(self, frame):
            if frame.f_globals.get("__name__") == "__main__":
                lines.append((frame.f_code.co_filename, frame.f_lineno))

    counted = {}
    for n in (6, 12):
        lines = []
        Lines().runcall(apply_filter, np.ones((n, n)), np.ones((3, 3)))
        bodies = [
            line
            for line in lines
            if not linecache.getline(*line).strip().startswith(("for ", "while "))
        ]
        counted[f"{n} x {n}"] = max(map(bodies.count, set(bodies)))
    return counted


# %% right own_code: an object that is called for each line, and floats
def own_code():
    import linecache
    import sys

    import numpy as np

    class Counter:
        def __init__(self):
            self.runs = {}

        def __call__(self, frame, event, _):
            file, line = frame.f_code.co_filename, frame.f_lineno
            if file != apply_filter.__code__.co_filename:
                return None
            words = linecache.getline(file, line).split()
            if event == "line" and words[:1] not in (["for"], ["while"]):
                self.runs[line] = self.runs.get(line, 0.0) + 1
            return self

    result = {}
    for n in (12, 6):
        counter = Counter()
        sys.settrace(counter)
        apply_filter(np.ones((n, n)), np.ones((3, 3)))
        sys.settrace(None)
        result[f"{n} x {n}"] = max(counter.runs.values())
    return result


# %% wrong own_code: takes the `for` line along, which runs once more each time loses=["hidden-own_code"]
def own_code():
    return {"6 x 6": 12, "12 x 12": 12}


# %% wrong own_code: one run per pixel of the image loses=["hidden-own_code"]
def own_code():
    return {"6 x 6": 36, "12 x 12": 144}


# %% wrong own_code: one run per pixel and weight loses=["hidden-own_code"]
def own_code():
    return {"6 x 6": 16 * 9, "12 x 12": 100 * 9}


# %% wrong own_code: forgets that 12 pixels have 10 places loses=["hidden-own_code"]
def own_code():
    return {"6 x 6": 4 * 4, "12 x 12": 9 * 9}


# %% wrong own_code: counts the inner loop alone loses=["hidden-own_code"]
def own_code():
    return {"6 x 6": 3, "12 x 12": 3}


# %% wrong own_code: adds the two sizes up loses=["hidden-own_code"]
def own_code():
    return {"6 x 6": 6 + 3, "12 x 12": 12 + 3}


# %% wrong own_code: answers for one size only loses=["hidden-own_code"]
def own_code():
    return {"6 x 6": 9}


# %% wrong own_code: text for numbers loses=["hidden-own_code"]
def own_code():
    return {"6 x 6": "9", "12 x 12": "9"}


# %% right own_code: a statement over several lines, still run 16 times
import numpy as np


def apply_filter(image, kernel):
    image = image.astype(float)
    h, w = kernel.shape
    rows, columns = image.shape[0] - h + 1, image.shape[1] - w + 1
    out = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            out[i, j] = (
                image[i : i + h, j : j + w]
                * kernel
            ).sum()
    return out


def own_code():
    return {"6 x 6": 16, "12 x 12": 100}


# %% right own_code: a comprehension is one statement, which runs once
import numpy as np


def apply_filter(image, kernel):
    h, w = kernel.shape
    rows, columns = image.shape[0] - h + 1, image.shape[1] - w + 1
    sums = [
        float((image[i : i + h, j : j + w].astype(float) * kernel).sum())
        for i in range(rows)
        for j in range(columns)
    ]
    return np.array(sums).reshape(rows, columns)


def own_code():
    return {"6 x 6": 1, "12 x 12": 1}


# %% wrong own_code: counts what a comprehension repeats loses=["hidden-own_code"]
import numpy as np


def apply_filter(image, kernel):
    h, w = kernel.shape
    rows, columns = image.shape[0] - h + 1, image.shape[1] - w + 1
    sums = [
        float((image[i : i + h, j : j + w].astype(float) * kernel).sum())
        for i in range(rows)
        for j in range(columns)
    ]
    return np.array(sums).reshape(rows, columns)


def own_code():
    return {"6 x 6": 16, "12 x 12": 100}


# %% right equivariance: by the rows and columns that are left
def equivariance(response, down, across):
    rows, columns = response.shape
    return response[rows - (rows - down) :, columns - (columns - across) :].copy()


# %% right equivariance: moved around, and cut
import numpy as np


def equivariance(response, down, across):
    moved = np.roll(response, (-down, -across), axis=(0, 1))
    return moved[: response.shape[0] - down, : response.shape[1] - across]


# %% right equivariance: number by number, as lists
def equivariance(response, down, across):
    return [list(row[across:]) for row in response[down:]]


# %% wrong equivariance: cuts the other end loses=["test-equivariance"]
def equivariance(response, down, across):
    rows, columns = response.shape
    return response[: rows - down, : columns - across]


# %% wrong equivariance: swaps rows and columns loses=["test-equivariance"]
def equivariance(response, down, across):
    return response[across:, down:]


# %% wrong equivariance: what leaves comes in on the other side loses=["test-equivariance"]
import numpy as np


def equivariance(response, down, across):
    return np.roll(response, (-down, -across), axis=(0, 1))


# %% wrong equivariance: thinks that the response stays where it was loses=["test-equivariance"]
def equivariance(response, down, across):
    return response


# %% wrong equivariance: loses two more rows and columns to the kernel loses=["test-equivariance"]
def equivariance(response, down, across):
    return response[down : response.shape[0] - 2, across : response.shape[1] - 2]


# %% wrong equivariance: a negative cut, which for 0 is everything away loses=["test-equivariance"]
def equivariance(response, down, across):
    return response[::-1, ::-1][:-down, :-across][::-1, ::-1]


# %% wrong equivariance: fills with zeros to keep the size loses=["test-equivariance"]
import numpy as np


def equivariance(response, down, across):
    out = np.zeros_like(response)
    out[: response.shape[0] - down, : response.shape[1] - across] = response[down:, across:]
    return out


# %% wrong equivariance: cuts, and empties what it was called with loses=["test-equivariance"]
def equivariance(response, down, across):
    result = response[down:, across:].copy()
    response[:down] = 0
    return result
