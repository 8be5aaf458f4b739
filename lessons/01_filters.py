# %% [markdown]
# # 01 Filters
#
# To a computer, a photograph is a table of numbers. Today you lay nine numbers of your own on such
# a table, slide them along, and see edges light up. At the end you put the nine numbers away and
# let the machine find them: that is all a convolutional network does, many times over.
#
# **You will be able to**
#
# - say what an image is to a computer, and what a dense network does not see in it;
# - work out a filtered image by hand, and write the program that does it;
# - read from a kernel's nine numbers what it responds to;
# - say what happens to a filtered image when the image moves;
# - say what bias and ReLU add, and why a stack of filters needs them;
# - let gradient descent find a filter from examples.
#
# **Time** two to three hours. **Slides** 4 to 15. **Points** 24. Images are grey today, and their
# shapes are (H, W): height, width. Rows are counted downwards from the top, columns from the
# left, both from 0.

# %% nbgrader={"grade_id": "setup", "locked": true}
import numpy as np
import torch
import torch.nn.functional as F

from course import check, data, draw, explore, predict

torch.set_num_threads(1)  # on images as small as ours, several threads wait more than they work

camera = data.photograph("camera")
coins = data.photograph("coins")
brick = data.photograph("brick")
grass = data.photograph("grass")

# Slide 9: a bright half beside a dark one, and a filter for vertical edges
STEP = np.array([[10, 10, 10, 0, 0, 0]] * 6)
VERTICAL = np.array([[1, 0, -1]] * 3)
# A count, and a kernel that looks different from every side
COUNT = np.arange(9).reshape(3, 3)
CORNER = np.array([[1, 2], [0, -1]])

# %% [markdown]
# ## 1. What an image is
#
# Slide 4 lists what computers are asked about images: what is in it (**classification**, lessons
# 04 to 08), where it is (*localisation* of one object, **detection** of several), and what each
# pixel belongs to (**segmentation**, lesson 09). The answer must be made of this: `camera` has shape
# (512, 512), and each of its 262,144 pixels is a whole number from 0, black, to 255, white, in one
# byte (`uint8`).
#
# **Predict first:** the square lies where the photographer's coat meets his collar. What will its
# numbers do?
#
# ("Predict first" means: say what you expect, and only then run the cell. Where its code would
# tell you, it is folded to its first line and three dots. Run it like any other; a click on the dots
# unfolds it when you want to read it. Some predictions are kept: in a cell with `predict.keep`,
# put your guess in place of `None`. They earn no marks, and the end of the lesson lists them.)

# %%
draw.numbers(camera, top=176, left=170)

# %% [markdown]
# On coat and collar neighbours are nearly the same; between them they climb steeply. This is
# *spatial organisation* (slide 6): what a pixel means depends on those **beside** it.
#
# **Predict first:** below, all pixels of the photograph are shuffled. Not a single number is lost.
# What is lost all the same?

# %%
order = np.random.default_rng(9).permutation(camera.size)
shuffled = camera.ravel()[order].reshape(camera.shape)
draw.neighbours({"photograph": camera, "shuffled": shuffled})

# %% [markdown]
# Now give both to a neuron of a dense (feed-forward) network, as slide 6 does with digits. It sees a
# long row of pixels, has one weight for each, and adds up the products. (`ravel` lays the rows one
# after the other, and `@` multiplies pair by pair and adds up.) Shuffle pixels and weights in the
# same way, and it adds the same products in another order:

# %%
weights = np.random.default_rng(6).normal(size=camera.size)
on_photograph = weights @ camera.ravel()
on_shuffled = weights[order] @ shuffled.ravel()
print("the neuron gives the same number for both:", np.isclose(on_photograph, on_shuffled))

# %% [markdown]
# So a dense network could learn from shuffled photographs just as well. It never knew which pixels
# were neighbours: slide 6's "spatial organization is lost". And that one neuron has 262,144
# weights.
#
# A **filter** looks at a small neighbourhood instead, nine pixels, say: that is **locality**. And
# its nine weights serve at every place, since an edge is an edge wherever it lies: that is **weight
# sharing**. All of this course grows from these two.
#
# ## 2. A window that slides
#
# The weights of a filter stand in a small matrix, its **kernel**, (h, w). Lay it on the image,
# multiply each weight with the pixel under it, add up: that is one pixel of the output, the filter's
# **response** at this place. Then move on by one pixel, row after row (slide 14).
#
# **Predict first:** the next cell shows six by six pixels of the collar. Lay slide 9's kernel, three
# rows of 1, 0, -1, on the nine pixels of rows 174 to 176 and columns 169 to 171. Will the sum be
# positive, negative or near 0?

# %%
draw.numbers(camera, top=172, left=168, side=6)
predict.keep("the sum at the collar", None, "positive", "negative", "near 0")

# %% jupyter={"source_hidden": true}
collar = camera[172:178, 168:174]
explore.sliding(collar, VERTICAL, row=2, column=1)
total = (collar[2:5, 1:4].astype(float) * VERTICAL).sum()
size = "near 0" if abs(total) < 50 else "positive" if total > 0 else "negative"
predict.compare("the sum at the collar", size)

# %% [markdown]
# Left column minus right column: the sum says how much brighter the left side is. Here it is the
# darker one, so the sum is negative.
#
# On an $H \times W$ image, an $h \times w$ kernel finds $H - h + 1$ places down and $W - w + 1$
# across; so slide 9's $6 \times 6$ image gives $4 \times 4$ numbers.
#
# **Convolution or not? A correction.** Mathematicians turn the kernel by 180 degrees before
# they slide it, and only then speak of **convolution**. Without the turn it is **cross-correlation**.
# The lecture, PyTorch and nearly everyone in deep learning do not turn, and say "convolution" all
# the same. For kernels that are learnt it makes no difference. For signs it does, as you will see.

# %% [markdown]
# ### Exercise `by_hand` (1 + 2 points)
#
# With pencil and paper: slide 9's image `STEP` under slide 9's kernel; then under the same kernel
# turned by 180 degrees; then the image `COUNT` under `CORNER`, which looks different from every side.
#
#     STEP   10 10 10 0 0 0      kernel   1  0 -1      turned   -1  0  1
#            (six such rows)              1  0 -1               -1  0  1
#                                         1  0 -1               -1  0  1
#
#     COUNT  0 1 2               CORNER   1  2
#            3 4 5                        0 -1
#            6 7 8
#
# Type the three results, row by row, as lists of numbers.
#
# <details><summary>Hint 1: one number</summary>
#
# The output's number in row 0, column 0 comes from rows 0 to 2 and columns 0 to 2 of the image.
#
# </details>
# <details><summary>Hint 2: less work</summary>
#
# All rows of the image are alike. What does that say about the rows of the result?
#
# </details>
# <details><summary>Hint 3: the other two</summary>
#
# Compare each weight of the turned kernel with the one that stood there before. CORNER has two
# rows and two columns: how many places does it find along three pixels? Why does its 2 never meet
# the 0 of the image?
#
# </details>

# %% nbgrader={"grade_id": "by_hand", "solution": true}
def by_hand():
    """Slide 9's result, that of the kernel turned by 180 degrees, and that of COUNT under CORNER.

    Returns three results: four lists of four numbers, four lists of four, two lists of two. Row 0
    is the top, column 0 the left.
    """
    ### BEGIN SOLUTION
    slide_9 = [[0, 30, 30, 0], [0, 30, 30, 0], [0, 30, 30, 0], [0, 30, 30, 0]]
    turned = [[0, -30, -30, 0], [0, -30, -30, 0], [0, -30, -30, 0], [0, -30, -30, 0]]
    return slide_9, turned, [[-2, 0], [4, 6]]
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-by_hand", "grade": true, "locked": true, "points": 1}
results = by_hand()
check.that(
    isinstance(results, (tuple, list)), "by_hand() should return its three results, one after the other.",
)
check.equal(
    len(results), 3, "the number of results of by_hand()", "Slide 9's, the turned one, CORNER's.",
)
for result, name, side in zip(
    results, ("slide 9's result", "the turned one", "COUNT under CORNER"), (4, 4, 2), strict=True,
):
    check.that(
        isinstance(result, (tuple, list, np.ndarray))
        and all(isinstance(row, (tuple, list, np.ndarray)) for row in result),
        f"{name} should be a list of rows, and each row a list of numbers.",
    )
    check.equal(
        [len(row) for row in result], [side] * side, f"the list of row lengths of {name}",
        "A kernel of 3 finds 6 - 3 + 1 places along 6 pixels, one of 2 finds 3 - 2 + 1 along 3, and "
        "nothing is added around them.",
    )
pair = [torch.tensor(matrix, dtype=torch.float64)[None, None] for matrix in (STEP, VERTICAL)]
wrong = [
    row for row, right in enumerate(F.conv2d(*pair)[0, 0].tolist())
    if [float(number) for number in results[0][row]] != right
]
check.that(
    not wrong,
    f"slide 9's result is not right in row {wrong[0] if wrong else ''} (counted from 0). Each "
    "number is a sum of nine products: left column of the window minus its right column.",
)

# %% nbgrader={"grade_id": "hidden-by_hand", "grade": true, "locked": true, "points": 2}
# Also: the sixteen numbers of the turned kernel, and the four of COUNT under CORNER.
### BEGIN HIDDEN TESTS
turned = VERTICAL[::-1, ::-1].copy()
pair = [torch.tensor(matrix, dtype=torch.float64)[None, None] for matrix in (STEP, turned)]
check.close(
    [[float(number) for number in row] for row in by_hand()[1]], F.conv2d(*pair)[0, 0],
    "the result of the turned kernel", "Now it is right column minus left column.",
)
pair = [torch.tensor(matrix, dtype=torch.float64)[None, None] for matrix in (COUNT, CORNER)]
check.close(
    [[float(number) for number in row] for row in by_hand()[2]], F.conv2d(*pair)[0, 0],
    "COUNT under CORNER", "Lay CORNER on as it is printed, neither turned nor transposed.",
)
### END HIDDEN TESTS

# %%
slide_9, turned, count_under_corner = by_hand()
draw.matrices(
    {"the image": STEP, "kernel": VERTICAL, "your result": slide_9, "your turned one": turned},
    "Slide 9's image, ten in its left half and zero in its right, its kernel, and the two results "
    "by hand. Both respond in the two middle columns, where the edge is, with opposite signs.",
)

# %% [markdown]
# The edge is found where it is, and twice, since two windows see it. The sign says on which side
# it is bright.
#
# Now slide yourself. Can you find the sum 10? A kernel without any response on this image?
# (Sliders need a running kernel; the figures do not.)

# %%
tap = np.zeros((3, 3))
tap[0, 2] = 1
kernels = {"slide 9": VERTICAL, "turned": -VERTICAL, "lying": VERTICAL.T, "one tap": tap}
explore.SlidingExplorer(STEP, kernels)

# %% [markdown]
# ## 3. The program
#
# ### Exercise `apply_filter` (1 + 3 points)
#
# Write it: an image (H, W), a kernel (h, w), and out comes (H - h + 1, W - w + 1). Output pixel
# $(i, j)$ is the sum of the products of the kernel with the window whose **upper left** corner is
# at $(i, j)$. Write the sums yourself; a library's convolution is only the referee.
#
# Beware of bytes: in `uint8`, 200 + 100 is 44. Photographs are `uint8`, so change the type first.
#
# <details><summary>Hint 1: the plain way</summary>
#
# Two loops over the output's rows and columns. The window of output $(i, j)$ is
# `image[i : i + h, j : j + w]`, as large as the kernel. What becomes of the two?
#
# </details>
# <details><summary>Hint 2: the fast way</summary>
#
# Two loops over the kernel's nine weights instead. Weight $(i, j)$ meets a shifted copy of the image,
# as large as the output: which rows and columns? Add up nine such copies, each times its weight.
#
# </details>
# <details><summary>Hint 3: types</summary>
#
# `image = image.astype(float)` makes a copy of another type; the original stays.
#
# </details>

# %% nbgrader={"grade_id": "apply_filter", "solution": true}
def apply_filter(image, kernel):
    """Cross-correlation of an image (H, W) with a kernel (h, w): array (H - h + 1, W - w + 1).

    Both are arrays of numbers of any type, uint8 as well; the result is a new array, computed in
    float64, without overflow or rounding. No padding, the kernel is not turned, and neither of the
    two is changed. Slides 9 and 14.
    """
    ### BEGIN SOLUTION
    image, kernel = np.asarray(image, dtype=float), np.asarray(kernel, dtype=float)
    h, w = kernel.shape
    rows, columns = image.shape[0] - h + 1, image.shape[1] - w + 1
    out = np.zeros((rows, columns))
    for i in range(h):
        for j in range(w):
            out += kernel[i, j] * image[i : i + rows, j : j + columns]
    return out
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-apply_filter", "grade": true, "locked": true, "points": 1}
small = np.arange(20.0).reshape(4, 5)
check.shape(
    apply_filter(small, np.ones((3, 3))), (2, 3), "a 4 x 5 image under a 3 x 3 kernel",
    "Only places where the kernel fits count: nothing is padded. Are height and width in order?",
)
check.close(
    apply_filter(small, np.array([[0.0, 1], [0, 0]])), small[:-1, 1:],
    "the image under [[0, 1], [0, 0]]",
    "This kernel picks the pixel at the upper right of each window. Was it turned or transposed, or "
    "are the products of a window not added up?",
)
check.close(
    apply_filter(np.full((3, 3), 200, dtype=np.uint8), np.ones((3, 3))), [[1800]],
    "nine pixels of 200, added up",
    "A byte ends at 255: change the type before you multiply. And nothing is divided.",
)
check.by_hand(apply_filter, small, np.ones((2, 2)), without="conv correlate")

# %% nbgrader={"grade_id": "hidden-apply_filter", "grade": true, "locked": true, "points": 3}
# Also: random images and kernels, not square, even, as large as the image or one pixel small;
# bytes and whole numbers, large ones too; written by hand; whether image and kernel stay as they
# are, and each result keeps its numbers after the next call.
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(15)


def referee(image, kernel):
    pair = [torch.tensor(np.array(a, dtype=float))[None, None] for a in (image, kernel)]
    return F.conv2d(*pair)[0, 0]


for size, window in (
    ((6, 6), (3, 3)), ((9, 5), (3, 3)), ((5, 8), (2, 4)), ((7, 7), (4, 4)), ((8, 6), (1, 5)),
    ((6, 9), (5, 1)), ((4, 3), (4, 3)), ((3, 7), (1, 1)),
):
    image, kernel = rng.normal(size=size), rng.normal(size=window)
    kept = image.copy(), kernel.copy()
    check.close(
        apply_filter(image, kernel), referee(image, kernel),
        f"an image {size} under a kernel {window}",
        "Is the kernel laid on as it is? Do rows go with rows? Is every place there?",
    )
    check.that(
        np.array_equal(image, kept[0]) and np.array_equal(kernel, kept[1]),
        "apply_filter changed the image or the kernel that came in.",
    )
image = rng.integers(0, 256, (9, 12), dtype=np.uint8)
for kernel in (
    np.full((3, 3), 1 / 9), np.array([[-1, 0, 1]] * 3), np.array([[9, 8], [7, 6]], dtype=np.uint8),
    np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], dtype=np.int8),
):
    check.close(
        apply_filter(image, kernel), referee(image, kernel),
        f"an image of bytes under a kernel of {kernel.dtype}",
        "Do sums overflow, or lose their sign or their fraction? Compute in floats.",
    )
whole = rng.integers(-50, 50, (6, 7))
check.close(
    apply_filter(whole, np.full((2, 2), 0.3)), referee(whole, np.full((2, 2), 0.3)),
    "an image of whole numbers under weights of 0.3", "The result is of floats.",
)
large = 2**25 + rng.integers(0, 50, (5, 6))
check.close(
    apply_filter(large, np.array([[-1, 1]])), referee(large, np.array([[-1, 1]])),
    "the difference of neighbours in an image of numbers near 2**25",
    "float32 has seven digits: compute in float64.",
)
check.that(
    not check.reuses_memory(apply_filter, image, np.ones((3, 3))),
    "A second call of apply_filter changes the result of the first: return a new array.",
)
check.by_hand(apply_filter, image, kernel, without="conv correlate")
check.by_hand(apply_filter, rng.normal(size=(40, 50)), kernel, without="conv correlate")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** slide 9's kernel on a wall, and its transpose. Which joints will each see?
# Joints are bright: which side of a vertical one will be red (positive), which blue? (White is 0.)

# %% jupyter={"source_hidden": true}
wall = brick[:256, :256]
draw.filtered(
    wall,
    {"slide 9": apply_filter(wall, VERTICAL), "transposed": apply_filter(wall, VERTICAL.T)},
    "A brick wall and two maps. Under slide 9's kernel each vertical joint is a blue line with a "
    "red one at its right, and horizontal joints are all but gone. Under the transposed kernel "
    "only horizontal joints are left, blue above and red below.",
)
explore.SlidingExplorer(STEP, kernels, yours=apply_filter)

# %% [markdown]
# ### Exercise `own_code` (1 point)
#
# A question about *your* `apply_filter`. Follow it with a pencil: of all its statements (the heads of
# loops aside, `for ...:` and `while ...:`), which runs most often, and how often? Answer for an image
# of 6 x 6 and one of 12 x 12, both under a kernel of 3 x 3.
#
# A statement runs once each time that it begins, over however many lines you wrote it. A comprehension
# is part of its statement and does not repeat it; functions of yours that are called count, too. (A
# cell of your own with a counter is a fair way to check. The test counts in your function while it
# runs.)
#
# <details><summary>Hint: what repeats</summary>
#
# A loop over places repeats what is in it once for each output pixel, a loop over weights once for
# each weight. Which of your two numbers grows with the image? Why?
#
# </details>

# %% nbgrader={"grade_id": "own_code", "solution": true} needs=["apply_filter"]
def own_code():
    """How often the busiest statement of your apply_filter runs: {"6 x 6": ..., "12 x 12": ...}.

    For images of this size and a 3 x 3 kernel. The heads of `for` and `while` loops do not count.
    """
    ### BEGIN SOLUTION
    kernel = np.ones((3, 3))
    return {
        f"{n} x {n}": check.line_runs(apply_filter, np.ones((n, n)), kernel) for n in (6, 12)
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-own_code", "grade": true, "locked": true, "points": 1}
# Compared with a count in your own function, while it runs.
### BEGIN HIDDEN TESTS
runs = own_code()
check.that(isinstance(runs, dict), "own_code() should return a dictionary.")
check.equal(sorted(runs), ["12 x 12", "6 x 6"], "the keys of own_code(), sorted")
for n in (6, 12):
    counted = check.line_runs(apply_filter, np.ones((n, n)), np.ones((3, 3)))
    check.that(
        runs[f"{n} x {n}"] == counted,
        f"For {n} x {n} pixels the busiest statement of your apply_filter does not run "
        f"{runs[f'{n} x {n}']} times: follow its loops once more.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ### When the image moves
#
# Let the camera pan, down and to the right: in the picture, the photographer moves two pixels up and
# three to the left.
# **Predict first:** what becomes of his filtered image? Must it be computed anew?
#
# Since the same weights serve everywhere, the response moves along, and nothing else happens. That is
# **translation equivariance**: filter and shift, in either order, give the same. (A dense network
# has no such property: to it, a moved digit is a new digit.)
#
# ### Exercise `equivariance` (2 points)
#
# You have the response of a whole image. The camera pans: the new image is `image[down:, across:]`.
# Return **its** response, without any filtering.
#
# <details><summary>Hint 1: a picture</summary>
#
# Which pixel of the old image is at the new one's row 0, column 0? Which response belonged to it?
#
# </details>
# <details><summary>Hint 2: which end</summary>
#
# Rows are lost at the top of the image. Why are just as many lost of the response, and at which end?
#
# </details>

# %% nbgrader={"grade_id": "equivariance", "solution": true}
def equivariance(response, down, across):
    """The response to image[down:, across:], from the `response` (H', W') to the whole image.

    down, across: whole numbers, 0 or more, less than H' and W'. Returns an array (H' - down,
    W' - across); `response` stays as it is.
    """
    ### BEGIN SOLUTION
    return response[down:, across:]
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-equivariance", "grade": true, "locked": true, "points": 2}
rng = np.random.default_rng(8)
for down, across in ((2, 3), (0, 4), (5, 0), (0, 0), (1, 6)):
    image, kernel = rng.normal(size=(12, 15)), rng.normal(size=(3, 4))
    pair = [torch.tensor(matrix)[None, None] for matrix in (image, kernel)]
    panned = [torch.tensor(matrix)[None, None] for matrix in (image[down:, across:], kernel)]
    response = F.conv2d(*pair)[0, 0].numpy()
    before = response.copy()
    check.close(
        equivariance(response, down, across), F.conv2d(*panned)[0, 0],
        f"the response after a pan by {down} down and {across} across",
        "It moves as the image does: are rows and columns lost at the right end, and no more of "
        "them? Nothing comes in on the other side.",
    )
    check.close(response, before, "the response afterwards", "Leave it as it is.")

# %% jupyter={"source_hidden": true}
man = camera[40:180, 100:290]
whole = apply_filter(man, VERTICAL)
panned = apply_filter(man[20:, 30:], VERTICAL)
print("filter, then pan = pan, then filter:", np.allclose(equivariance(whole, 20, 30), panned))
draw.filtered(
    man,
    {"response": whole, "of the panned image": panned, "panned response": equivariance(whole, 20, 30)},
    "The photographer, his response under slide 9's kernel, the response of the panned image, and "
    "the panned response: the last two are the same picture.",
)

# %% [markdown]
# ## 4. A zoo of kernels
#
# What a filter responds to is in its numbers (slides 10 and 11):
#
# - **Sum 1:** flat areas keep their grey level; the kernel smooths. **Sum 0:** flat areas give 0;
#   the kernel responds to *changes* only.
# - **Plus on one side, minus on the other:** an edge, and the sign says which side is bright.
# - **Plus in the middle, minus around:** a line or a dot.
#
# Sobel's filters weigh the middle row or column twice. The slide calls them "horizontal" and
# "vertical" after the edges they find; programs name them after the direction in which they look
# for a change, `sobel_y` and `sobel_x`. So `sobel_x` finds *vertical* edges.
#
# **Two corrections.** Slide 11's vertical Sobel has the opposite sign of slide 9's filter: on
# slide 9's image it says -40 where the other says 30. And slide 10's "Horizontal Edges" has its
# plus in the middle: it responds best to thin bright *lines*. To a single edge, such as slide 9's
# turned by a quarter, it responds twice, 30 and -30.

# %% [markdown]
# ### Exercise `zoo` (1 + 3 points)
#
# Return the six kernels, each $3 \times 3$, by name. Five are on slides 10 and 11. `diagonal` is
# yours to invent: it responds to the edge between a bright and a dark half, more than three times as
# strongly to an edge like `\`, from top left to bottom right, as to one like `/`. Either sign will do.
#
# <details><summary>Hint 1: blur</summary>
#
# Nine times the same number, and they sum to 1. `np.full((3, 3), number)` makes such an array.
#
# </details>
# <details><summary>Hint 2: the two Sobels</summary>
#
# One is the other's transpose. Which of them is positive where an image gets brighter to the right?
#
# </details>
# <details><summary>Hint 3: the diagonal</summary>
#
# Zeros along the edge that you look for, plus on one side, minus on the other. Why does a line
# detector, with its plus *on* the diagonal, not pass?
#
# </details>

# %% nbgrader={"grade_id": "zoo", "solution": true}
def zoo():
    """Six kernels of slides 10 and 11, a dictionary of arrays (3, 3).

    "blur"        the mean of the nine pixels; sums to 1, all others to 0
    "horizontal"  positive on a bright horizontal line, 0 on a vertical one (slide 10)
    "edges"       positive on a bright dot, the same after a quarter turn and in a mirror (slide 11)
    "sobel_x"     slide 11's "vertical": positive where it gets brighter to the right
    "sobel_y"     slide 11's "horizontal": positive where it gets brighter downwards
    "diagonal"    its largest response, whatever the sign, to an edge from top left to bottom right
                  is more than three times that to an edge from top right to bottom left, whichever
                  half the pixels on the edge itself belong to

    The Sobels have the very numbers of slide 11, not rescaled; horizontal and edges may have any
    scale.
    """
    ### BEGIN SOLUTION
    sobel_x = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    return {
        "blur": np.full((3, 3), 1 / 9),
        "horizontal": np.array([[-1.0, -1, -1], [2, 2, 2], [-1, -1, -1]]),
        "edges": np.array([[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
        "sobel_x": sobel_x,
        "sobel_y": sobel_x.T,
        "diagonal": np.array([[0.0, 1, 2], [-1, 0, 1], [-2, -1, 0]]),
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-zoo", "grade": true, "locked": true, "points": 1}
animals = zoo()
check.that(isinstance(animals, dict), "zoo() should return a dictionary, the kernels by name.")
names = ["blur", "diagonal", "edges", "horizontal", "sobel_x", "sobel_y"]
check.equal(sorted(animals), names, "the names in zoo(), sorted")
for name in names:
    check.equal(np.shape(animals[name]), (3, 3), f"the shape of {name}")
    check.close(
        np.sum(np.asarray(animals[name], dtype=float)), float(name == "blur"), f"the sum of {name}",
        "The blur keeps a flat area as it is: 1. The others give 0 there.",
    )
ramp = np.array([[0, 1, 2]] * 3)
for name, other, where, image in (
    ("sobel_x", "sobel_y", "to the right", ramp), ("sobel_y", "sobel_x", "downwards", ramp.T),
):
    sums = [(np.asarray(animals[key], dtype=float) * image).sum() for key in (name, other)]
    check.that(
        sums[0] > 0 and abs(sums[1]) < 1e-9,
        f"Where an image gets brighter {where}, {name} gives {sums[0]:g} and {other} gives "
        f"{sums[1]:g}: the first should be positive, the second 0. Are they swapped, or is it "
        "the sign?",
    )

# %% nbgrader={"grade_id": "hidden-zoo", "grade": true, "locked": true, "points": 3}
# Also: the numbers of blur and the Sobels; the responses of horizontal, edges and diagonal to lines,
# dots and edges of both diagonal directions.
### BEGIN HIDDEN TESTS
animals = {name: np.ascontiguousarray(kernel, dtype=float) for name, kernel in zoo().items()}


def response(name, image):
    pair = [torch.tensor(np.array(a, dtype=float))[None, None] for a in (image, animals[name])]
    return F.conv2d(*pair)[0, 0].numpy()


slide_11 = np.outer([1, 2, 1], [-1, 0, 1])
check.close(animals["blur"], np.full((3, 3), 1 / 9), "blur", "Slide 10: nine times a ninth.")
check.close(animals["sobel_x"], slide_11, "sobel_x", "Slide 11, the right one.")
check.close(animals["sobel_y"], slide_11.T, "sobel_y", "Slide 11, the left one.")

line = np.zeros((7, 9))
line[3] = 1
lying, standing = response("horizontal", line), response("horizontal", line.T)
check.that(
    lying[2].min() > 0 and lying[2].min() > lying[[1, 3]].max(),
    "the response of horizontal to a bright horizontal line is not positive, on the line most of all.",
)
check.that(
    abs(standing).max() < lying[2].min() / 3, "horizontal responds to vertical lines, too.",
)
dot = np.zeros((5, 5))
dot[2, 2] = 1
spot = response("edges", dot)
check.that(spot[1, 1] > 0 and spot.argmax() == 4, "the response of edges to a bright dot should be positive.")
check.close(spot, np.rot90(spot), "edges after a quarter turn", "All directions are alike.")
check.close(spot, spot[:, ::-1], "edges in a mirror", "All directions are alike.")

falling = np.tri(11)  # bright below \
for half in (falling, 1 - falling, np.tri(11, k=2)):
    along, across = (abs(response("diagonal", edge)).max() for edge in (half, half[:, ::-1]))
    check.that(
        along > 3 * across,
        f"diagonal gives at most {along:g} on an edge like \\ and {across:g} on one like /: more than "
        "three times as much is required. A plus on the diagonal makes a line detector.",
    )
### END HIDDEN TESTS

# %%
draw.matrices(
    zoo(),
    "The six kernels with their numbers, red for positive, blue for negative. All but the blur "
    "have both colours, and they balance.",
)

# %% [markdown]
# **Predict first:** your zoo looks at coins. Which filters see a coin's left and right rim, which
# its top and bottom? What is left of the coins' faces in `blur`?

# %% jupyter={"source_hidden": true}
some_coins = coins[10:150, 195:375]
draw.filtered(
    some_coins,
    {name: apply_filter(some_coins, kernel) for name, kernel in zoo().items()},
    "Coins and what six filters make of them. The blur softens them. Under sobel_x the rims are "
    "red at the left and blue at the right, under sobel_y red at the top and blue at the bottom; "
    "under diagonal at two opposite corners. Edges draws every fine detail.",
    grey=["blur"],
)

# %% [markdown]
# ## 5. Edges of all directions
#
# A coin's rim runs in every direction, and each Sobel sees its own share. Together they hold it
# all: how fast the grey level changes to the right, $g_x$, and downwards, $g_y$. They are the two
# sides of a right triangle, and its long side
#
# $$\sqrt{g_x^2 + g_y^2}$$
#
# is the **gradient magnitude**: how strong an edge is, whatever its direction and its sign.
#
# **Predict first:** on slide 9's image, where $g_x$ is -40 and $g_y$ is 0, what is it? And
# on slide 9's image turned by a quarter?
#
# ### Exercise `gradient_magnitude` (1 + 2 points)
#
# Return it for every place where a $3 \times 3$ window fits.
#
# <details><summary>Hint 1: what you have</summary>
#
# `apply_filter` and two animals of your zoo.
#
# </details>
# <details><summary>Hint 2: square roots</summary>
#
# `np.hypot(a, b)` is the long side, pixel by pixel. `np.sqrt(a**2 + b**2)` is the same.
#
# </details>
# <details><summary>Hint 3: the scale</summary>
#
# Leave it as it is: no division by 8, by 255, or by the maximum.
#
# </details>

# %% nbgrader={"grade_id": "gradient_magnitude", "solution": true} needs=["apply_filter", "zoo"]
def gradient_magnitude(image):
    """Strength of the edges of an image (H, W), uint8 as well: array (H - 2, W - 2), none negative.

    The root of the sum of the squares of slide 11's two Sobel filters, not rescaled.
    """
    ### BEGIN SOLUTION
    kernels = zoo()
    across = apply_filter(image, kernels["sobel_x"])
    down = apply_filter(image, kernels["sobel_y"])
    return np.hypot(across, down)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-gradient_magnitude", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def laid_on(image, kernel):
    pair = [torch.tensor(np.array(a, dtype=float))[None, None] for a in (image, kernel)]
    return F.conv2d(*pair)[0, 0].numpy()


def animals_of_slide_11():
    sobel = np.outer([1.0, 2, 1], [-1, 0, 1])
    return {
        "blur": np.full((3, 3), 1 / 9), "horizontal": np.outer([-1.0, 2, -1], [1, 1, 1]),
        "edges": 9.0 * (np.arange(9).reshape(3, 3) == 4) - 1, "sobel_x": sobel, "sobel_y": sobel.T,
        "diagonal": np.array([[0.0, 1, 2], [-1, 0, 1], [-2, -1, 0]]),
    }


references = {"apply_filter": laid_on, "zoo": animals_of_slide_11}
### END HIDDEN TESTS
with check.using(**references):
    for image, name in ((STEP, "slide 9's image"), (STEP.T, "slide 9's image, turned by a quarter")):
        got = gradient_magnitude(image)
        check.shape(got, (4, 4), f"the gradient magnitude of {name}", "Nothing is padded.")
        check.that(
            np.isfinite(np.asarray(got)).all(),
            "A strength is not a number (NaN): the root of something negative? A square is `a**2`.",
        )
        check.that(np.min(np.asarray(got)) >= 0, "A strength is never negative: is a root missing?")
        check.close(
            np.asarray(got).max(), 40, f"the largest gradient magnitude of {name}",
            "One Sobel gives 40 or -40 at this edge and the other 0. Are both used, and not rescaled?",
        )

# %% nbgrader={"grade_id": "hidden-gradient_magnitude", "grade": true, "locked": true, "points": 2}
# Also: random images that are not square, of floats and of bytes; an edge of 45 degrees; the
# image left alone.
### BEGIN HIDDEN TESTS
def laid_on(image, kernel):
    pair = [torch.tensor(np.array(a, dtype=float))[None, None] for a in (image, kernel)]
    return F.conv2d(*pair)[0, 0].numpy()


def animals_of_slide_11():
    sobel = np.outer([1.0, 2, 1], [-1, 0, 1])
    return {
        "blur": np.full((3, 3), 1 / 9), "horizontal": np.outer([-1.0, 2, -1], [1, 1, 1]),
        "edges": 9.0 * (np.arange(9).reshape(3, 3) == 4) - 1, "sobel_x": sobel, "sobel_y": sobel.T,
        "diagonal": np.array([[0.0, 1, 2], [-1, 0, 1], [-2, -1, 0]]),
    }


with check.using(apply_filter=laid_on, zoo=animals_of_slide_11):
    rng = np.random.default_rng(11)
    slide_11 = np.outer([1.0, 2, 1], [-1, 0, 1])
    both = torch.tensor(np.stack([slide_11, slide_11.T]))[:, None]
    for image, name in (
        (rng.normal(size=(7, 10)), "floats"), (rng.integers(0, 256, (9, 6), dtype=np.uint8), "bytes"),
        (np.full((4, 5), 7.0), "one grey level"), (np.tri(8) * 100, "an edge of 45 degrees"),
    ):
        kept = image.copy()
        maps = F.conv2d(torch.tensor(image.astype(float))[None, None], both)[0]
        check.close(
            gradient_magnitude(image), maps.square().sum(0).sqrt(),
            f"the gradient magnitude of an image of {name}", "Square, add, take the root.",
        )
        check.that(np.array_equal(image, kept), "gradient_magnitude changed its image.")
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true}
draw.filtered(
    some_coins,
    {
        "sobel_x": apply_filter(some_coins, zoo()["sobel_x"]),
        "sobel_y": apply_filter(some_coins, zoo()["sobel_y"]),
        "gradient magnitude": gradient_magnitude(some_coins),
    },
    "Coins, their two Sobel maps in red and blue, and the gradient magnitude, where each rim is a "
    "closed bright ring on black.",
    grey=["gradient magnitude"],
)

# %% [markdown]
# ## 6. A bias, and a nonlinearity
#
# A neuron is not done with its sum. Slide 13 adds a **bias** $b$ and applies an **activation
# function** $g$:
#
# $$y = g(w_0 x_0 + w_1 x_1 + \dots + w_8 x_8 + b)$$
#
# with $x_0$ to $x_8$ the nine pixels under the kernel.
#
# A $g$ that is no straight line, such as slide 15's **ReLU**, $g(z) = \max(z, 0)$, is a
# **nonlinearity**. ReLU makes 0 of all that is negative. The result is a **feature map**: large where
# the feature is, 0 where it is not.
#
# **Predict first:** a bias of -150 is added to `sobel_x` of the photographer. What becomes of the
# sky, what of his outline? And which edges survive the ReLU?

# %% jupyter={"source_hidden": true}
photographer = camera[40:260, 90:350]
response = apply_filter(photographer, zoo()["sobel_x"])
draw.filtered(
    photographer,
    {
        "sobel_x": response,
        "and bias -150": response - 150,
        "and ReLU": np.maximum(response - 150, 0),
    },
    "The photographer, his map under sobel_x, the same with a bias of -150, which turns everything "
    "weak blue, and after ReLU, where only strong edges that are bright at their right remain.",
)

# %% [markdown]
# The bias is a threshold: weak responses drop below 0. ReLU then forgets them, and edges of the other
# direction with them. "Bright at the right, and clearly so": that is a *feature*. To see the
# other edges, a network needs another filter.
#
# ## 7. Two filters in a row
#
# Deep networks stack filters. Is a stack worth more than one filter? Work through a window: a
# $3 \times 3$ of $3 \times 3$ sees $5 \times 5$ pixels, and each of these is multiplied by some
# number and added. So **two linear filters are one larger filter**. Weight $(i, j)$ of the first
# and $(k, l)$ of the second meet at pixel $(i + k, j + l)$.
#
# **Predict first:** a column of 1, 2, 1, shape (3, 1), and then a row of -1, 0, 1, shape (1, 3).
# Which old friend are they together?
#
# ### Exercise `stacked` (1 + 2 points)
#
# Return the one kernel that does what `first` and then `second` do.
#
# <details><summary>Hint 1: its size</summary>
#
# $(h_1, w_1)$ and $(h_2, w_2)$ together reach over $(h_1 + h_2 - 1, w_1 + w_2 - 1)$.
#
# </details>
# <details><summary>Hint 2: copies</summary>
#
# Each weight of the first lays down a whole copy of the second, times that weight.
#
# </details>
# <details><summary>Hint 3: where</summary>
#
# The copy of weight $(i, j)$ has its upper left corner at $(i, j)$ and the size of the second. Which
# slice of `out` is that, and what happens where copies overlap?
#
# </details>

# %% nbgrader={"grade_id": "stacked", "solution": true} needs=["apply_filter"]
def stacked(first, second):
    """The kernel (h1 + h2 - 1, w1 + w2 - 1) that filters as `first` and then `second` do.

    first (h1, w1), second (h2, w2): arrays of floats or whole numbers (int64), which stay as they
    are. Returns a new array of floats. For every image, apply_filter(image, stacked(first, second))
    is apply_filter(apply_filter(image, first), second).
    """
    ### BEGIN SOLUTION
    (h1, w1), (h2, w2) = first.shape, second.shape
    out = np.zeros((h1 + h2 - 1, w1 + w2 - 1))
    for i in range(h1):
        for j in range(w1):
            out[i : i + h2, j : j + w2] += first[i, j] * second
    return out
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-stacked", "grade": true, "locked": true, "points": 1}
# When graded, functions of the grader stand for those of other exercises.
references = {}
### BEGIN HIDDEN TESTS
def laid_on(image, kernel):
    pair = [torch.tensor(np.array(a, dtype=float))[None, None] for a in (image, kernel)]
    return F.conv2d(*pair)[0, 0].numpy()


references = {"apply_filter": laid_on}
### END HIDDEN TESTS
with check.using(**references):
    check.shape(stacked(np.ones((3, 3)), np.ones((3, 3))), (5, 5), "two 3 x 3 kernels in one")
    check.close(
        stacked(np.array([[0.0, 1]]), np.array([[0.0], [1]])), [[0, 0], [0, 1]],
        "[[0, 1]] and then [[0], [1]]",
        "One picks the pixel at the right, the other the one below: together the lower right one.",
    )
    check.close(
        stacked(np.ones((1, 3)), np.ones((1, 3))), [[1, 2, 3, 2, 1]], "two rows of three ones",
        "The middle pixel is used by all three: copies overlap, and are added.",
    )

# %% nbgrader={"grade_id": "hidden-stacked", "grade": true, "locked": true, "points": 2}
# Also: random kernels, not square and not symmetric, against filtering twice; one of whole numbers;
# both left alone, and each result keeps its numbers after the next call.
### BEGIN HIDDEN TESTS
def laid_on(image, kernel):
    pair = [torch.tensor(np.array(a, dtype=float))[None, None] for a in (image, kernel)]
    return F.conv2d(*pair)[0, 0].numpy()


with check.using(apply_filter=laid_on):
    rng = np.random.default_rng(7)
    for one, two in (((3, 3), (3, 3)), ((2, 3), (3, 1)), ((1, 4), (3, 2)), ((5, 2), (1, 1))):
        first, second = rng.normal(size=one), rng.normal(size=two)
        kept = first.copy(), second.copy()
        x = torch.tensor(rng.normal(size=(1, 1, 10, 9)))
        twice = F.conv2d(F.conv2d(x, torch.tensor(first)[None, None]), torch.tensor(second)[None, None])
        got = np.ascontiguousarray(stacked(first, second), dtype=float)
        check.shape(got, (one[0] + two[0] - 1, one[1] + two[1] - 1), f"kernels {one} and {two} in one")
        check.close(
            F.conv2d(x, torch.tensor(got)[None, None]), twice,
            f"an image under kernels {one} and {two}",
            "One filter should do what the two do. Is a kernel turned or transposed?",
        )
        check.that(
            np.array_equal(first, kept[0]) and np.array_equal(second, kept[1]),
            "stacked changed a kernel that came in.",
        )
    column, row = np.array([[1], [2], [1]]), np.array([[-1, 0, 1]])
    for pair in ((column, rng.normal(size=(2, 3))), (rng.normal(size=(2, 3)), row)):
        x = torch.tensor(rng.normal(size=(1, 1, 10, 9)))
        one, two = (torch.tensor(kernel.astype(float))[None, None] for kernel in pair)
        got = np.ascontiguousarray(stacked(*pair), dtype=float)
        check.close(
            F.conv2d(x, torch.tensor(got)[None, None]), F.conv2d(F.conv2d(x, one), two),
            "an image under a kernel of whole numbers and one of floats",
            "The result is of floats, whatever the two kernels are.",
        )
    check.that(
        not check.reuses_memory(stacked, np.ones((2, 2)), np.ones((2, 3))),
        "A second call of stacked changes the result of the first: return a new array.",
    )
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true}
column, row = np.array([[1], [2], [1]]), np.array([[-1, 0, 1]])
blur, edges = zoo()["blur"], zoo()["edges"]
one, other = stacked(column, row), stacked(blur, edges)
draw.matrices(
    {"column": column, "then row": row, "in one": one, "blur, then edges": other},
    "A column of 1, 2, 1 and a row of -1, 0, 1, which together make the Sobel filter; beside it "
    "blur and edges in one kernel of 5 by 5.",
)

# %% [markdown]
# Sobel smooths along the edge and takes the difference across it. (Not every kernel comes apart
# so: `edges` does not.)
#
# Stacking linear filters brings nothing new, then, however deep. Here is what ReLU is for.
# **Predict first:** a linear filter gives the opposite for the opposite image: $f(-x) = -f(x)$. Is
# that so for two filters in a row? And with a ReLU between them?

# %%
predict.keep("two in a row give the opposite", None, "yes", "no")
predict.keep("and with a ReLU between them", None, "yes", "no")

# %% jupyter={"source_hidden": true}
def linear_stack(image):
    return apply_filter(apply_filter(image, zoo()["sobel_x"]), zoo()["sobel_y"])


def relu_stack(image):
    return apply_filter(np.maximum(apply_filter(image, zoo()["sobel_x"]), 0), zoo()["sobel_y"])


x = photographer.astype(float)
one = apply_filter(x, stacked(zoo()["sobel_x"], zoo()["sobel_y"]))
print("two filters are one 5 x 5: ", np.allclose(linear_stack(x), one))
opposite = {
    "two in a row give the opposite": np.allclose(linear_stack(-x), -linear_stack(x)),
    "and with a ReLU between them": np.allclose(relu_stack(-x), -relu_stack(x)),
}
for question, holds in opposite.items():
    predict.compare(question, "yes" if holds else "no")

# %% [markdown]
# No single kernel, of any size, can do what the second stack does. That is why slide 13's $g$
# stands after *every* filter.
#
# ## 8. Let the machine find the filter
#
# Slides 9 to 11 took their numbers from people with experience. Slide 12's idea made the field:
# **the weights are parameters; find them by optimisation.** Show examples of what should come
# out, measure how far off you are by a **loss**,
#
# $$L(w) = \text{mean of } (w * x - y)^2,$$
#
# where $w * x$ is image $x$ under kernel $w$, and $y$ what should come out. The gradient of $L$ says
# for each of the nine weights how fast the loss grows with it. Walk against it, and you do
# **gradient descent**: each step is minus the gradient times a small number of our choice, the
# **learning rate**.
#
# **Predict first:** the machine gets a photograph of grass and its Sobel map, and no word
# about edges. Starting from zeros, will it find slide 11's numbers, or some others that do as
# well?

# %% [markdown]
# ### Exercise `learn_filter` (1 + 3 points)
#
# From an image and a filtered version of it, find the kernel by gradient descent: by steps along the
# gradient (any optimiser, any number of steps), not by solving equations.
#
# <details><summary>Hint 1: tensors</summary>
#
# Torch may convolve now, since it knows the gradient: `F.conv2d(x, w)` with `x` of shape
# (1, 1, H, W) and `w` of shape (1, 1, size, size). `torch.tensor(image / 255)[None, None]` is
# such an `x`; `torch.zeros(1, 1, size, size, dtype=x.dtype, requires_grad=True)` such a `w`.
#
# </details>
# <details><summary>Hint 2: the scale</summary>
#
# With pixels up to 255, plain gradient descent takes steps that are far too long; `torch.optim.Adam`
# (an optimiser, lesson 05) divides each step by the size of the gradient and does not mind. To be
# safe, divide image **and** target by 255, or by `image.std()`: the same kernel still leads from one
# to the other.
#
# </details>
# <details><summary>Hint 3: the walk</summary>
#
# `optimizer = torch.optim.Adam([w], lr=0.1)`; then some hundred times the loss, and the three calls
# that turn it into a step: `optimizer.zero_grad()`, `loss.backward()`, `optimizer.step()`. Which of
# them forgets the last gradient, and why must one? In the end, `.detach()` takes `w` off torch's
# records.
#
# </details>

# %% nbgrader={"grade_id": "learn_filter", "solution": true}
def learn_filter(image, target, size=3):
    """The kernel (size, size) that leads from image to target, found by gradient descent.

    image   (H, W), with details in all directions: grass or noise; uint8 or floats
    target  (H - size + 1, W - size + 1), the cross-correlation of the image with some kernel

    Each weight is found to within 0.05, by steps along the gradient: no solver of equations, such as
    np.linalg.lstsq. Both arrays stay as they are. Slide 12.
    """
    ### BEGIN SOLUTION
    scale = np.std(image)
    x = torch.tensor(image / scale)[None, None]
    y = torch.tensor(target / scale)[None, None]
    w = torch.zeros(1, 1, size, size, dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.1)
    for _ in range(500):
        loss = ((F.conv2d(x, w) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return w.detach()[0, 0].numpy()
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-learn_filter", "grade": true, "locked": true, "points": 1}
noise = np.random.default_rng(12).random((24, 30))
difference = np.array([[0.0, 0, 0], [-1, 0, 1], [0, 0, 0]])
learnt = learn_filter(noise, noise[1:-1, 2:] - noise[1:-1, :-2])
check.shape(learnt, (3, 3), "the learnt kernel")
check.close(
    learnt, difference, "the kernel learnt from right minus left neighbour",
    "Does the loss fall? Print it every 50 steps: too few steps, or a gradient never used? If it falls "
    "to nearly 0, is the kernel turned or transposed at the end?",
    rtol=0, atol=0.05,
)

# %% nbgrader={"grade_id": "hidden-learn_filter", "grade": true, "locked": true, "points": 3}
# Also: Sobel from a photograph of bytes, a blur, a kernel of 5 x 5, one without symmetry; both
# arrays left alone; no solver of equations.
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(5)
lawn, speckle = grass[100:164, 200:280], rng.random((26, 32))
sobel = np.outer([1.0, 2, 1], [-1, 0, 1])
for image, kernel, what in (
    (lawn, sobel, "Sobel, learnt from grass"),
    (lawn, np.full((3, 3), 1 / 9), "the blur, learnt from grass"),
    (speckle, rng.uniform(-2, 2, (3, 3)), "a kernel without symmetry, learnt from noise"),
    (speckle, rng.uniform(-1, 1, (5, 5)), "a kernel of 5 x 5, learnt from noise"),
):
    pair = [torch.tensor(np.array(a, dtype=float))[None, None] for a in (image, kernel)]
    target = F.conv2d(*pair)[0, 0].numpy()
    kept = image.copy(), target.copy()
    learnt = learn_filter(image, target, size=len(kernel))
    check.close(
        learnt, kernel, what, "Are image and target on one scale, and are there steps enough?",
        rtol=0, atol=0.05,
    )
    check.that(
        np.array_equal(image, kept[0]) and np.array_equal(target, kept[1]),
        "learn_filter changed the image or the target that came in.",
    )
solvers = [
    name for name in check.operations(learn_filter, speckle[:9, :9], speckle[1:8, 2:9])
    if any(part in name for part in ("lstsq", "solve", "inv"))
]
check.that(
    not solvers,
    f"learn_filter calls {solvers[:1]}, which solves equations: walk down the gradient instead.",
)
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** the same lesson, taught by two photographs: grass, and a brick wall, which is
# smooth. How many of these two pupils will find Sobel?

# %%
predict.keep("pupils that find Sobel", None)

# %% jupyter={"source_hidden": true}
sobel_x = zoo()["sobel_x"]
pupils = {
    name: learn_filter(image, apply_filter(image, sobel_x))
    for name, image in (("from grass", grass[:96, :96]), ("from bricks", brick[:96, :96]))
}
close = {name: np.abs(kernel - sobel_x).max() < 0.05 for name, kernel in pupils.items()}
print("within 0.05 of Sobel:", *(name for name, is_close in close.items() if is_close))
predict.compare("pupils that find Sobel", sum(close.values()))
draw.matrices(
    {"Sobel": sobel_x, **pupils},
    "The Sobel kernel, the one learnt from grass, and the one learnt from bricks. With 500 steps of "
    "Adam grass gives Sobel's numbers, bricks three rows that are nearly alike.",
    together=True,
)

# %% [markdown]
# Grass finds the very numbers of slide 11. After some hundred steps of Adam, bricks get the columns
# right (their sums are about -4, 0 and 4), but not yet the rows: along a straight joint all three
# rows of a window are alike, so it hardly matters which of them carries the weight. The loss is a
# long flat valley: the problem is **ill-conditioned** (the condition number of the loss's second
# derivatives is 100,000 here, 850 with grass), and plain steps crawl. The numbers *are* in the data:
# 20,000 steps find them, and so does least squares, at once (the last starred exercise). Did both
# of your pupils find Sobel? Then your walk was longer, or your optimiser better: momentum remembers
# its direction, LBFGS measures the valley. **Data decide what is easy to learn.**
#
# One last run joins the threads: one linear filter of $5 \times 5$ is trained to imitate both
# stacks of section 7. **Predict first:** which of them can it?

# %% jupyter={"source_hidden": true}
lawn = grass[:96, :96]
targets = {"linear stack": linear_stack(lawn), "with ReLU": relu_stack(lawn)}
for name, target in targets.items():
    best = apply_filter(lawn, learn_filter(lawn, target, size=5))
    missed = (target - best).std() / target.std()
    print(f"{name}: the filter misses more than a quarter: {missed > 0.25}")
draw.filtered(
    lawn,
    {"stack with ReLU": target, "best 5 x 5": best, "what it misses": target - best},
    "Grass under the stack with a ReLU, the best imitation by one kernel of 5 by 5, and their "
    "difference, which is far from empty.",
)

# %% [markdown]
# ## Remember
#
# > - An image is a table of numbers; what they mean depends on their neighbours.
# > - A filter is a few weights that serve at every place: multiply, add, move on. So its response
# >   moves as the image moves.
# > - "Convolution" in deep learning does not turn the kernel.
# > - Sum 1 smooths, sum 0 finds changes, the sign tells the direction.
# > - Bytes overflow: compute in floats.
# > - A bias is a threshold, ReLU keeps what passed it. Without a nonlinearity, a stack is one filter.
# > - Weights need not be invented. They can be learnt, if the data show what matters.
#
# And your predictions, those that you kept:

# %%
predict.table()

# %% [markdown]
# ## Further exercises (no points)
#
# ★ **Sharpen.** Which $3 \times 3$ kernel, with sum 1, makes a photograph crisper? Begin with
# `edges`.
#
# ★ **Two for one.** How many multiplications a pixel does a $9 \times 9$ blur take, and how many as
# a column and then a row?
#
# ★★ **Which way?** `np.arctan2` of the two Sobel maps gives each edge's direction. Draw it where
# the magnitude is large.
#
# ★★ **Comes apart?** A kernel is a column times a row if its rank is 1. Ask
# `np.linalg.matrix_rank` about your zoo.
#
# ★★★ **Without a walk.** $L(w)$ is quadratic. Write the windows as rows of a matrix and find $w$
# by `np.linalg.lstsq`. It manages the bricks. Why does the condition number not stop it?
