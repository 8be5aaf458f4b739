# %% [markdown]
# # 05 Why deep networks train
#
# For twenty years deep networks were known, wanted, and would not learn. What changed was not one big
# idea but a handful of small ones, each a few lines long. Today you write them all, break what each
# of them holds up, and see what happens.
#
# **You will be able to**
#
# - compute a loss that no logit can break;
# - say what batch, minibatch and stochastic descent have in common, and which to take;
# - write the steps of momentum and Adam, and choose a learning rate by a sweep;
# - give a layer weights that pass a signal on neither louder nor softer;
# - write batch norm and dropout, in training and in inference;
# - measure what dropout and weight decay do for generalisation, and where they do nothing;
# - make more digits out of a few, without making wrong ones;
# - build a network of twelve layers that learns, and the same network so that it does not.
#
# **Time** three and a half to five hours; a good place for a break is after section 4. **Slides** 32, 37
# and 51. **Points** 43. **You need** lesson 04's training loop.

# %% [markdown]
# Batches of images have shape (N, C, H, W), rows of numbers (N, inputs). Weights have torch's
# layout, outputs first: (out, in) for a dense layer, (out, in, h, w) for a convolution.

# %% nbgrader={"grade_id": "setup", "locked": true}
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course import check, data, draw, predict, recall, train

torch.set_num_threads(1)  # steps as small as today's are slower on two

all_images, all_labels = data.digits()
order = np.random.default_rng(5).permutation(5000)
ink = torch.tensor(all_images[order][:, None] / 255, dtype=torch.float32)  # 0 is paper, 1 is ink
digits, truth = (ink - 0.1313) / 0.3086, torch.tensor(all_labels[order])
fit_x, fit_y, val_x, val_y = digits[:4000], truth[:4000], digits[4000:], truth[4000:]

# %% [markdown]
# ## Three minutes of retrieval
#
# ### Exercise `retrieval` (1 point)
#
# Five questions on lessons 04, 03 and 01, from memory. Your name draws the numbers.
#
# - `steps` `n` images in minibatches of `m`, the short one kept: steps per epoch?
# - `pool` Parameters of a 2 x 2 max pool on `c` channels?
# - `dense` `c` maps of s x s are laid flat and joined to `k` neurons, with bias: parameters?
# - `set` On which digits are hyperparameters chosen? `"training"`, `"validation"` or `"test"`
# - `mode` In which mode does a model work for inference? `"training"` or `"evaluation"`

# %% nbgrader={"grade_id": "setup-retrieval", "locked": true}
def questions(name):
    """The numbers of your questions: any name will do, but stay with it."""
    ranges = (501, 899), (16, 64), (4, 32), (3, 8), (10, 99)
    n, m, c, s, k = recall.numbers(name, *ranges)
    return {"n": n + (n % m == 0), "m": m, "c": c, "s": s, "k": k}

# %%
print(questions("ada"))  # put in your own name

# %% nbgrader={"grade_id": "retrieval", "solution": true}
def retrieval():
    """The name that drew your numbers, and your replies.

    Returns ("ada", {"steps": ..., "pool": ..., "dense": ..., "set": ..., "mode": ...}): three whole
    numbers and two texts.
    """
    ### BEGIN SOLUTION
    q = questions("ada")
    return "ada", {
        "steps": -(-q["n"] // q["m"]),
        "pool": 0,
        "dense": q["k"] * (q["c"] * q["s"] ** 2 + 1),
        "set": "validation",
        "mode": "evaluation",
    }
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-retrieval", "grade": true, "locked": true, "points": 1}
# Each reply counts a fifth.
### BEGIN HIDDEN TESTS
name, replies = retrieval()
q = questions(name)
recall.mark(replies, {
    "steps": (-(-q["n"] // q["m"]), "Full batches, and one more for what is left."),
    "pool": (0, "To take a maximum, nothing need be learnt."),
    "dense": (q["k"] * (q["c"] * q["s"] ** 2 + 1), "Each neuron reads c x s x s numbers, and has a bias."),
    "set": ("validation", "On the training set the memoriser wins; the test set is opened once, at the end."),
    "mode": ("evaluation", "No dropout, and running averages in batch norm."),
})
### END HIDDEN TESTS

# %% [markdown]
# The 5,000 digits of lesson 04 are here again, shuffled: `ink` from 0 (paper) to 1, and `digits`,
# the same with mean 0 and standard deviation 1, both (5000, 1, 28, 28). The last 1,000 are the validation
# set; there is no test set today, since nothing is published.
#
# ## 1. A loss that survives
#
# Slide 32 trains a network by making a cost small, the mean of one loss for each image. For classes
# that loss is the **cross-entropy**: minus the log of the probability that the network gives to the
# true class. From logits $z$ and the true class $y$:
#
# $$L = -\log \frac{e^{z_y}}{\sum_k e^{z_k}} = \log \sum_k e^{z_k} - z_y$$
#
# Taken literally, this breaks: $e^{89}$ is more than a float32 can hold. But adding a constant
# to all logits of an image changes no probability, so subtract the largest: then the largest
# exponent is 0, and nothing can overflow.

# %% [markdown]
# ### Exercise `cross_entropy` (1 + 3 points)
#
# Return the mean loss of a batch: `logits` (N, classes), `labels` (N,). By hand: no ready-made
# cross-entropy, NLL loss, log-softmax or logsumexp (`torch.logaddexp`, of two numbers, is fine). It must
# survive logits of 1,000 and -1,000.
#
# <details><summary>Hint 1: subtract</summary>
#
# `logits - logits.amax(1, keepdim=True)`: each row loses its own largest value.
#
# </details>
# <details><summary>Hint 2: the log of the sum</summary>
#
# After that each sum over `exp` is at least 1, and its log is safe. Over which dimension is the sum?
#
# </details>
# <details><summary>Hint 3: the true class</summary>
#
# `z[rows, columns]`, with two lists of N numbers each, picks one logit of each row. Why must both terms
# use the *shifted* ones?
#
# </details>

# %% nbgrader={"grade_id": "cross_entropy", "solution": true}
def cross_entropy(logits, labels):
    """The mean over a batch of -log(probability of the true class), a tensor of shape ().

    logits  tensor (N, classes), any finite numbers, labels int64 (N,) from 0 to classes - 1

    torch can differentiate it with respect to the logits. Slide 32.
    """
    ### BEGIN SOLUTION
    z = logits - logits.amax(1, keepdim=True)
    right = z[torch.arange(len(z)), labels]
    return (z.exp().sum(1).log() - right).mean()
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-cross_entropy", "grade": true, "locked": true, "points": 1}
even = torch.zeros(4, 10)
check.close(
    cross_entropy(even, torch.arange(4)), np.log(10), "the loss at chance level, four times",
    "log 10 = 2.303. Is it the mean over the images, and the natural log?",
)
for label, loss in ((0, 0), (1, 1000)):
    value = cross_entropy(torch.tensor([[1000.0, 0]]), torch.tensor([label]))
    check.that(
        np.isfinite(float(value)),
        f"The loss of logits 1000 and 0, true class {label}, is {float(value)}: exp overflows where the "
        "largest logit is not subtracted, and the log of a softmax that has become 0 is infinite. Take the "
        "log of the sum, not of the softmax.",
    )
    check.close(
        value, loss, f"the loss of logits 1000 and 0, true class {label}",
        "Do both terms use the shifted logits, and is nothing clamped or added?",
    )
check.by_hand(
    cross_entropy, even, torch.arange(4), without="cross_entropy nll_loss log_softmax logsumexp"
)

# %% nbgrader={"grade_id": "hidden-cross_entropy", "grade": true, "locked": true, "points": 3}
# Also: random logits against a reference, rows of very different size, the gradient, by hand, and the
# input left alone.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(32)
for n, classes, size in ((7, 3, 1), (200, 10, 5), (50, 4, 900), (1, 6, 1)):
    logits = size * torch.randn(n, classes, generator=numbers, dtype=torch.float64)
    right = torch.randint(0, classes, (n,), generator=numbers)
    kept = logits.clone()
    check.close(
        cross_entropy(logits, right), F.cross_entropy(logits, right),
        f"the loss of {n} rows of {classes} logits of size {size}", "A mean over the rows?",
    )
    check.close(logits, kept, "the logits afterwards", "Leave them as they are.")
rows = torch.tensor([[1000.0, 999], [-1000, -999], [0, 1]], dtype=torch.float64)
right = torch.tensor([0, 1, 1])
check.close(
    cross_entropy(rows, right), F.cross_entropy(rows, right),
    "the loss of rows around 1000, -1000 and 0", "Each row needs its own largest logit.",
)
logits = 3 * torch.randn(6, 4, generator=numbers, dtype=torch.float64)
right = torch.tensor([0, 1, 2, 3, 0, 1])
slope = check.gradient(cross_entropy, logits, right)
check.that(slope is not None, "torch cannot differentiate the loss: was the graph cut?")
check.close(
    slope, (logits.softmax(1) - F.one_hot(right, 4)) / 6, "the gradient of the loss",
    "It is (probabilities - one hot) / N.",
)
check.by_hand(cross_entropy, logits, right, without="cross_entropy nll_loss log_softmax logsumexp")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** two classes, the true one's logit going from -120 to 120, the other's 0. What
# does the loss look like far to the left? Where will the literal formula give up?

# %%
margins = torch.arange(-120.0, 121, 2)
pairs = torch.stack([margins, torch.zeros_like(margins)], 1)
literal = -(pairs.exp()[:, 0] / pairs.exp().sum(1)).log()
yours = [cross_entropy(pair[None], torch.tensor([0])).item() for pair in pairs]
draw.overflow(margins.tolist(), {"literal formula": literal.tolist(), "yours": yours})

# %% [markdown]
# On the left a network that is *surely wrong* pays in proportion to its certainty, and its gradient
# never fades: why this loss, and not the share of wrong predictions, trains networks. The plain formula
# fails at both ends: from 89 on it divides infinity by infinity, below -104 it takes the log of 0.
#
# ## 2. How many at a time?
#
# Slide 32's cost is a mean over $m$ examples:
#
# $$J = \frac1m \sum_{i=1}^m L(\hat y_i, y_i)$$
#
# - *Batch* descent: $m$ is everything. One exact step costs a whole pass.
# - **Stochastic gradient descent** (SGD): $m = 1$. Many steps, each on the word of a single digit.
# - *Minibatch* descent: in between, what all use, and mostly called SGD as well.
#
# **A correction.** The slide lets "the value of $m$" define the cost. What we want small is
# always the mean over *all* examples; a small $m$ only *estimates* its gradient. In a random order
# the estimate is right on average, which is why shuffling matters.

# %% [markdown]
# ### Exercise `minibatches` (1 + 3 points)
#
# Return (or yield) the minibatches of one epoch, each an array or tensor `rows` of indices, so that
# `x[rows]` and `y[rows]` are a batch. Each of the `n` indices comes once, in an order that depends on the
# seed; a short last batch is kept.
#
# <details><summary>Hint 1: an order with a seed</summary>
#
# `torch.randperm(n, generator=torch.Generator().manual_seed(seed))`, or NumPy's
# `np.random.default_rng(seed).permutation(n)`.
#
# </details>
# <details><summary>Hint 2: cut it</summary>
#
# Where does each batch start? What does a slice do that runs over the end?
#
# </details>
# <details><summary>Hint 3: yield or return</summary>
#
# Collect the batches in a list and return it. Or `yield` each of them in the loop: then the function is
# a generator, which a `for` loop asks for one batch after the other.
#
# </details>

# %% nbgrader={"grade_id": "minibatches", "solution": true}
def minibatches(n, size, seed):
    """One epoch in minibatches, a list or a generator: arrays or tensors of indices from 0 to n - 1.

    Every index once, in a random order that the seed alone decides (0 is a seed, too): the same seed
    gives the same batches, a different seed others. The global random number generators of torch and
    NumPy are left alone. Each batch has `size` indices, the last one what is left.
    """
    ### BEGIN SOLUTION
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    for start in range(0, n, size):
        yield order[start : start + size]
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-minibatches", "grade": true, "locked": true, "points": 1}
batches = [np.asarray(rows).tolist() for rows in minibatches(10, 4, seed=0)]
check.equal(
    [len(rows) for rows in batches], [4, 4, 2], "the sizes of the batches of 10, size 4",
    "Is the short last one kept?",
)
check.equal(
    sorted(index for rows in batches for index in rows), list(range(10)),
    "all indices of an epoch, sorted",
    "Each comes exactly once: is the order drawn once, then cut?",
)

# %% nbgrader={"grade_id": "hidden-minibatches", "grade": true, "locked": true, "points": 3}
# Also: other sizes, what the seed does, the global generators left alone, between batches, too, and
# whether every index can land in every batch.
### BEGIN HIDDEN TESTS
def epoch_of(n, size, seed):
    return [np.asarray(rows).tolist() for rows in minibatches(n, size, seed)]


def joined(batches):
    return [index for rows in batches for index in rows]


for n, size in ((12, 3), (13, 5), (9, 4), (5, 8), (1, 1), (6, 1), (4, 4)):
    epoch = epoch_of(n, size, 3)
    expected = [size] * (n // size) + ([n % size] if n % size else [])
    check.equal([len(rows) for rows in epoch], expected, f"batch sizes of {n}, size {size}")
    check.equal(sorted(joined(epoch)), list(range(n)), f"the indices of an epoch of {n}, sorted")
first = epoch_of(100, 10, 1)
check.equal(epoch_of(100, 10, 1), first, "a second epoch with the same seed", "Use the seed.")
check.equal(epoch_of(50, 10, 0), epoch_of(50, 10, 0), "a second epoch with seed 0", "0 is a seed, too.")
check.that(epoch_of(100, 10, 2) != first, "Another seed should give another order.")
resets = check.reseeded(minibatches, 10, 4, 1)
check.that(
    not resets,
    f"minibatches seeds the global generator of {', '.join(resets)}, at least until its last batch: all "
    "that draws from it then gets other numbers. Use a generator of its own.",
)
in_line = np.mean(np.abs(np.diff(joined(first))) == 1)
check.that(
    in_line < 0.3, "Neighbours stay neighbours: shuffle the indices, not the batches."
)
# Over 400 seeds, index 0 and index 7 of 8 land in each of four batches about 100 times.
for index in (0, 7):
    places = [
        next(k for k, rows in enumerate(epoch_of(8, 2, seed)) if index in rows)
        for seed in range(400)
    ]
    counts = np.bincount(places, minlength=4)
    check.that(
        np.abs(counts - 100).max() <= 4 * np.sqrt(400 * 0.25 * 0.75),
        f"Index {index} of 8 fell {counts.tolist()} times into the four batches, about 100 times "
        "each was expected: is the whole order random?",
    )
### END HIDDEN TESTS

# %% [markdown]
# Now the three descents, three passes each over the same 500 digits, with the simplest network there
# is: one dense layer. $m$ = 500, 25 and 1 make 3, 60 and 1,500 steps. Each has a learning rate that does
# well for it: 0.1, 0.1 and 0.01.
#
# **Predict first:** which has the highest cost in the end? Which curve is smooth?

# %%
kinds = {"batch": (500, 0.1), "minibatch": (25, 0.1), "stochastic": (1, 0.01)}
predict.keep("the highest cost of the three", None, *kinds)

# %%
def descend(m, rate, epochs=3):
    """The cost on 500 digits before the first step, and after each; for m = 1 after every tenth."""
    x, y = fit_x[:500].flatten(1), fit_y[:500]
    w = torch.zeros(784, 10, requires_grad=True)
    costs = [cross_entropy(x @ w, y).item()]
    for epoch in range(epochs):
        for rows in minibatches(500, m, seed=epoch):
            (slope,) = torch.autograd.grad(cross_entropy(x[rows] @ w, y[rows]), w)
            with torch.no_grad():
                w -= rate * slope
            look = m > 1 or len(costs) % 10 == 0
            costs.append(cross_entropy(x @ w, y).item() if look else costs[-1])
    return costs

# %% jupyter={"source_hidden": true}
costs = {f"{name}, m = {m}": descend(m, rate) for name, (m, rate) in kinds.items()}
ends = [path[-1] for path in costs.values()]
print("batch descent has the highest cost left:", ends[0] == max(ends))
predict.compare("the highest cost of the three", list(kinds)[int(np.argmax(ends))])
draw.descents(costs, epochs=3)

# %% [markdown]
# Same data, same passes: three steps get nowhere near. The other two jump at first. Between 60 and 1,500
# steps little or nothing is gained (0.11 to 0.13 against 0.06 to 0.14, depending on the order): a step that
# follows a single digit must be short. And its 1,500 steps cannot share work, while on any machine 25
# digits at once cost little more than one.

# %% [markdown]
# ### Better steps
#
# Minibatch gradients jitter, and they are large along some weights and small along others. Two ideas
# help. **Momentum** lets steps build up speed where gradients agree, and cancel where they do not ($g$ is
# the gradient, $\eta$ the learning rate, $v$ the velocity):
#
# $$v \leftarrow \mu v + g, \qquad w \leftarrow w - \eta\, v$$
#
# **Adam** (Kingma and Ba, 2015) also divides by the size that the gradient of *this* weight usually has.
# Here $m$ and $v$ are running means of $g$ and $g^2$. They start at 0 and so are too small at first;
# dividing by $1 - \beta^t$ in step number $t$ (from 1) corrects that.
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1) g,\quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2,\quad
# w \leftarrow w - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}$$
#
# ### Exercise `sgd_momentum_step` (1 + 2 points)
#
# Return the weights and the velocity after one step. `torch.optim.SGD` is the referee.
#
# <details><summary>Hint 1: the order</summary>
#
# The velocity first; then the weights take the *new* one. What would change if they took the old one?
#
# </details>
# <details><summary>Hint 2: copies</summary>
#
# `v = momentum * v + grad` makes a new tensor. Why does `v *= momentum` not?
#
# </details>

# %% nbgrader={"grade_id": "sgd_momentum_step", "solution": true}
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    """One step of gradient descent with momentum: the new w and the new velocity.

    w, grad, velocity: tensors of one shape, left unchanged; the first velocity is zeros.
    torch.optim.SGD's convention: velocity = momentum velocity + grad, for momentum 0, too.
    """
    ### BEGIN SOLUTION
    velocity = momentum * velocity + grad
    return w - lr * velocity, velocity
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-sgd_momentum_step", "grade": true, "locked": true, "points": 1}
w, still = torch.tensor([1.0, 2]), torch.zeros(2)
w, speed = sgd_momentum_step(w, torch.tensor([1.0, -1]), still, 0.1, 0.5)
check.close(w, [0.9, 2.1], "w after a first step with lr 0.1", "At first it is plain descent.")
check.close(speed, [1, -1], "the velocity after a first step", "It is the gradient, not lr times it.")
w, speed = sgd_momentum_step(w, torch.tensor([1.0, -1]), speed, 0.1, 0.5)
check.close(speed, [1.5, -1.5], "the velocity after a second step", "Half of the old, and the gradient.")
check.close(w, [0.75, 2.25], "w after a second step", "It takes the new velocity, downhill.")

# %% nbgrader={"grade_id": "hidden-sgd_momentum_step", "grade": true, "locked": true, "points": 2}
# Also: twenty steps against torch.optim.SGD, with several momenta, 0 and the default among them; the
# velocity; inputs left alone.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(66)
for momentum, lr in ((0.9, 0.05), (0.0, 0.3), (0.5, 0.01), (0.99, 0.002)):
    start = torch.randn(3, 4, generator=numbers, dtype=torch.float64)
    theirs = start.clone().requires_grad_()
    sgd = torch.optim.SGD([theirs], lr=lr, momentum=momentum)
    w, velocity = start.clone(), torch.zeros_like(start)
    for step in range(20):
        grad = torch.randn(3, 4, generator=numbers, dtype=torch.float64)
        theirs.grad = grad.clone()
        sgd.step()
        inputs = w.clone(), grad.clone(), velocity.clone()
        new = sgd_momentum_step(w, grad, velocity, lr, momentum)
        for one, before, name in zip((w, grad, velocity), inputs, ("w", "grad", "velocity"), strict=True):
            check.close(one, before, f"{name} afterwards", "Leave it as it is: make new tensors.")
        expected = momentum * velocity + grad
        w, velocity = new
        what = f"after step {step + 1} with momentum {momentum} and lr {lr}"
        check.close(w, theirs, f"w {what}")
        check.close(velocity, expected, f"the velocity {what}", "The old one times momentum, and the gradient.")
one = torch.ones(2, dtype=torch.float64)
check.close(sgd_momentum_step(one, one, one, 0.1)[1], 1.9 * one, "the velocity with the default momentum, 0.9")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise `adam_step` (1 + 2 points)
#
# Return the weights and both running means after step number `t`, which counts from 1.
#
# <details><summary>Hint 1: keep them apart</summary>
#
# Return the running means as they are; the corrected ones live for this step only. Why?
#
# </details>
# <details><summary>Hint 2: epsilon</summary>
#
# It is added to the root, not under it. For which weights does it matter?
#
# </details>

# %% nbgrader={"grade_id": "adam_step", "solution": true}
def adam_step(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """Step number t (from 1) of Adam: the new w, m and v.

    w, grad, m, v: tensors of one shape, left unchanged; m and v start as zeros, and are returned
    uncorrected. Kingma and Ba 2015, torch.optim.Adam's conventions.
    """
    ### BEGIN SOLUTION
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    mean, square = m / (1 - beta1**t), v / (1 - beta2**t)
    return w - lr * mean / (square.sqrt() + eps), m, v
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-adam_step", "grade": true, "locked": true, "points": 1}
w, zero = torch.tensor([1.0, 1, 1]), torch.zeros(3)
first, m, v = adam_step(w, torch.tensor([100.0, -1, 0.01]), zero, zero, 1, lr=0.1)
check.close(
    first, [0.9, 1.1, 0.9], "w after a first step with lr 0.1, gradients 100, -1 and 0.01",
    "Whatever its gradient, each weight moves by lr at first: are both means corrected by "
    "1 - beta ** t? Is the root taken, and nothing else added?", rtol=1e-4,
)
check.close(m, [10, -0.1, 0.001], "m after a first step", "A tenth of the gradient, not corrected.")
check.close(v, [10, 1e-3, 1e-7], "v after a first step", "A thousandth of its square.", atol=1e-9)

# %% nbgrader={"grade_id": "hidden-adam_step", "grade": true, "locked": true, "points": 2}
# Also: twenty steps against torch.optim.Adam, with other betas and eps; inputs left alone.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(67)
for betas, eps, lr in (((0.9, 0.999), 1e-8, 0.01), ((0.5, 0.9), 1e-3, 0.1), ((0.0, 0.99), 0.1, 0.03)):
    start = torch.randn(3, 4, generator=numbers, dtype=torch.float64)
    theirs = start.clone().requires_grad_()
    adam = torch.optim.Adam([theirs], lr=lr, betas=betas, eps=eps)
    state = [start.clone(), torch.zeros_like(start), torch.zeros_like(start)]
    for t in range(1, 21):
        grad = torch.randn(3, 4, generator=numbers, dtype=torch.float64)
        theirs.grad = grad.clone()
        adam.step()
        w, m, v = state
        inputs = [one.clone() for one in (w, grad, m, v)]
        state = list(adam_step(w, grad, m, v, t, lr, *betas, eps))
        for one, before, name in zip((w, grad, m, v), inputs, ("w", "grad", "m", "v"), strict=True):
            check.close(one, before, f"{name} afterwards", "Leave it as it is: make new tensors.")
        check.close(
            state[0], theirs, f"w after step {t} of Adam, betas {betas}, eps {eps}, lr {lr}",
            "Are the means corrected for this step alone? Is eps outside of the root?",
        )
### END HIDDEN TESTS

# %% [markdown]
# How to find a learning rate? By a *sweep*: try several, a factor of three apart, and look at the loss.
# **Predict first:** minibatches of 25, three passes over 500 digits. Which of the three optimizers has the
# largest best learning rate? How far apart are their losses there?

# %%
optimizers = ("plain", "momentum", "Adam")
predict.keep("the largest of three best learning rates", None, *optimizers)

# %% jupyter={"source_hidden": true}
def swept(kind, rate):
    """The cost on 500 digits after three epochs in minibatches of 25."""
    x, y = fit_x[:500].flatten(1), fit_y[:500]
    w, m, v, t = torch.zeros(784, 10), torch.zeros(784, 10), torch.zeros(784, 10), 0
    for epoch in range(3):
        for rows in minibatches(500, 25, seed=epoch):
            t, w = t + 1, w.detach().requires_grad_()
            (grad,) = torch.autograd.grad(cross_entropy(x[rows] @ w, y[rows]), w)
            with torch.no_grad():
                if kind == "Adam":
                    w, m, v = adam_step(w, grad, m, v, t, rate)
                else:
                    w, m = sgd_momentum_step(w, grad, m, rate, 0.9 if kind == "momentum" else 0.0)
    return cross_entropy(x @ w, y).item()


rates = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
losses = {kind: {rate: swept(kind, rate) for rate in rates} for kind in optimizers}
best = {kind: min(by_rate, key=by_rate.get) for kind, by_rate in losses.items()}
print("best learning rates:", best)
predict.compare("the largest of three best learning rates", max(best, key=best.get))
draw.sweep(losses)

# %% [markdown]
# Each has its own valley: a learning rate says nothing without its optimizer. At 0.001 momentum and Adam
# are far ahead of plain steps; at 0.1, which suits plain steps, both are behind. At their best all end
# between 0.06 and 0.13; which is lowest depends on the order of the digits. (AdamW is Adam with a weight
# decay of its own: section 6.)
#
# ## 3. How loud should weights be?
#
# Before the first step there are only random numbers. Glorot and Bengio (2010, slide 51) asked how
# *large* they should be. A neuron adds up $n_{in}$ products; if its inputs have variance 1, its
# output has variance $n_{in}\operatorname{Var}(w)$. On the way back gradients add up over
# $n_{out}$. One variance cannot serve both, so they compromise:
#
# $$\operatorname{Var}(w) = \frac{2}{n_{in} + n_{out}}, \qquad
# w \sim U(-a, a), \quad a = \sqrt{\frac{6}{n_{in} + n_{out}}}$$
#
# (A uniform distribution on $(-a, a)$ has variance $a^2/3$.)
#
# For a convolution, $n_{in}$, the **fan-in**, is what one output pixel adds up: $h \cdot w$ taps in
# each input channel. The **fan-out** likewise has $h \cdot w$ times the output channels.
#
# **Predict first:** 64 filters of $3 \times 5$ on 32 channels. Fan-in? Fan-out?

# %% [markdown]
# ### Exercise `glorot_uniform` (1 + 3 points)
#
# Return weights of `shape`, (out, in) or (out, in, h, w), drawn from Glorot's uniform distribution
# with torch's global generator, so that `torch.manual_seed` makes them repeatable.
#
# <details><summary>Hint 1: one rule for both shapes</summary>
#
# `out, inputs, *window = shape`. For a dense layer `window` is empty, and `math.prod([])` is 1.
#
# </details>
# <details><summary>Hint 2: random numbers from -a to a</summary>
#
# `torch.rand(shape)` goes from 0 to 1: stretch it and shift it. Or `torch.empty(shape).uniform_`.
#
# </details>
# <details><summary>Hint 3: the bound</summary>
#
# `a` is a square root of 6 over a sum: not the variance, and not the standard deviation.
#
# </details>

# %% nbgrader={"grade_id": "glorot_uniform", "solution": true}
def glorot_uniform(shape):
    """Initial weights, uniform from -a to a with a = sqrt(6 / (fan_in + fan_out)).

    shape   (out, in) of a dense layer or (out, in, h, w) of a convolution, torch's layout
    Returns a tensor of this shape, from torch's global generator. Glorot and Bengio 2010.
    """
    ### BEGIN SOLUTION
    out, inputs, *window = shape
    area = int(np.prod(window))
    bound = (6 / (area * inputs + area * out)) ** 0.5
    return (2 * torch.rand(shape) - 1) * bound
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-glorot_uniform", "grade": true, "locked": true, "points": 1}
torch.manual_seed(50)
drawn = glorot_uniform((100, 50))
check.shape(drawn, (100, 50), "glorot_uniform((100, 50))")
check.that(
    0.19 < drawn.abs().max() <= 0.2,
    f"The largest of glorot_uniform((100, 50)) is {drawn.abs().max():.3f}, just under "
    "sqrt(6 / 150) = 0.200 was expected. 0.115: the standard deviation for the bound. 0.100: half the "
    "width. 0.245: fan-in twice. 0.040: no root. Above 0.3: not uniform.",
)
check.that(drawn.min() < -0.19, "The weights should reach from -a to a: is half of them missing?")

# %% nbgrader={"grade_id": "hidden-glorot_uniform", "grade": true, "locked": true, "points": 3}
# Also: mean and standard deviation of dense and conv weights within four standard errors, (64, 32, 3, 5)
# among them, their bounds, that they are uniform, each of its own, new at each call, and repeatable.
### BEGIN HIDDEN TESTS
for shape, fans in (((40, 900), 940), ((64, 32, 3, 5), 480 + 960), ((20, 10, 5, 5), 250 + 500)):
    torch.manual_seed(51)
    drawn, what = glorot_uniform(shape), f"glorot_uniform({shape})"
    bound = (6 / fans) ** 0.5
    check.shape(drawn, shape, what)
    check.spread(
        drawn, bound**2 / 3, what, "Count h * w taps for each channel in both fans.", kurtosis=1.8
    )
    check.that(drawn.abs().max() <= 1.0001 * bound, f"{what} goes beyond sqrt(6 / {fans}).")
    inner = (drawn.abs() < bound / 2).double().mean().item()
    check.that(
        abs(inner - 0.5) <= 4 * 0.5 / drawn.numel() ** 0.5,
        f"{100 * inner:.1f} % of {what} lie in the middle half, 50 % was expected: is it uniform?",
    )
    check.that(
        (drawn[0] != drawn[1]).double().mean() > 0.9, "Two neurons have the same weights: draw each weight."
    )
    again = glorot_uniform(shape)
    check.that((again != drawn).double().mean() > 0.99, "Two calls gave the same weights.")
    torch.manual_seed(51)
    check.close(glorot_uniform(shape), drawn, f"{what} after the same torch.manual_seed")
### END HIDDEN TESTS

# %%
torch.manual_seed(0)
deviations = {(100, 784): (2 / 884) ** 0.5, (64, 32, 3, 5): (2 / 1440) ** 0.5}
draw.weights(
    {f"Glorot {shape}": (glorot_uniform(shape).numpy(), std) for shape, std in deviations.items()}
)

# %% [markdown]
# (Fan-in 480, fan-out 960.) Glorot's sum treats a neuron as linear, as tanh nearly is around 0. A
# ReLU is not: it silences half of its inputs, and the mean square of a signal that passes it is
# **halved**. He and others (2015, slide 51) put that factor back. Looking at the way forward alone, half of
# $n_{in}\operatorname{Var}(w)$ shall be 1:
#
# $$\operatorname{Var}(w) = \frac{2}{n_{in}}, \qquad w \sim N(0, \operatorname{Var}(w))$$
#
# ### Exercise `he_normal` (1 + 2 points)
#
# Return weights of `shape`, normal with mean 0 and this variance. The same shapes, layout and
# generator as before.
#
# **Predict first:** for those 64 filters, whose weights have the larger standard deviation, Glorot's or
# He's? By how much?
#
# <details><summary>Hint 1: the fan</summary>
#
# Everything in `shape` but its first number, multiplied.
#
# </details>
# <details><summary>Hint 2: normal numbers</summary>
#
# `torch.randn(shape)` has standard deviation 1.
#
# </details>
# <details><summary>Hint 3: variance or standard deviation?</summary>
#
# What you multiply by scales the *standard deviation*: the root of the variance.
#
# </details>

# %% nbgrader={"grade_id": "he_normal", "solution": true}
def he_normal(shape):
    """Initial weights, normal with mean 0 and variance 2 / fan_in.

    shape   (out, in) of a dense layer or (out, in, h, w) of a convolution, torch's layout
    Returns a tensor of this shape, from torch's global generator. He and others 2015.
    """
    ### BEGIN SOLUTION
    fan_in = int(np.prod(shape[1:]))
    return torch.randn(shape) * (2 / fan_in) ** 0.5
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-he_normal", "grade": true, "locked": true, "points": 1}
torch.manual_seed(52)
drawn = he_normal((400, 100))
check.shape(drawn, (400, 100), "he_normal((400, 100))")
check.that(
    0.134 < drawn.std() < 0.149,
    f"The standard deviation of he_normal((400, 100)) is {drawn.std():.3f}, sqrt(2 / 100) = 0.141 was "
    "expected. 0.071: fan-out for fan-in. 0.020: variance for standard deviation. 0.100: no 2.",
)

# %% nbgrader={"grade_id": "hidden-he_normal", "grade": true, "locked": true, "points": 2}
# Also: mean and standard deviation of dense and conv weights within four standard errors, (64, 32, 3, 5)
# among them, that they are normal, new at each call, and repeatable.
### BEGIN HIDDEN TESTS
for shape, fan_in in (((40, 900), 900), ((64, 32, 3, 5), 480), ((20, 10, 5, 5), 250)):
    torch.manual_seed(53)
    drawn, what = he_normal(shape), f"he_normal({shape})"
    check.shape(drawn, shape, what)
    check.spread(drawn, 2 / fan_in, what, f"The fan-in is {fan_in}.")
    inner = (drawn.abs() < (2 / fan_in) ** 0.5).double().mean().item()
    check.that(
        abs(inner - 0.6827) <= 4 * 0.4655 / drawn.numel() ** 0.5,
        f"{100 * inner:.1f} % of {what} lie within one standard deviation, 68.3 % was expected: "
        "is it a normal distribution?",
    )
    again = he_normal(shape)
    check.that((again != drawn).double().mean() > 0.99, "Two calls gave the same weights.")
    torch.manual_seed(53)
    check.close(he_normal(shape), drawn, f"{what} after the same torch.manual_seed")
### END HIDDEN TESTS

# %%
torch.manual_seed(0)
shape = (64, 32, 3, 5)
glorot, he = glorot_uniform(shape).numpy(), he_normal(shape).numpy()
draw.weights(
    {f"Glorot {shape}": (glorot, (2 / 1440) ** 0.5), f"He {shape}": (he, (2 / 480) ** 0.5)}
)

# %% [markdown]
# (He's, by $\sqrt 3$: 1,440 over 480.)
#
# And if you choose nothing? PyTorch's default draws from $U(-a, a)$ with $a = 1/\sqrt{n_{in}}$, for dense
# layers and convolutions alike: a variance of $1/(3\,n_{in})$, a sixth of He's. A ReLU layer then
# divides the mean square by six. For LeNet's four layers that does not matter; now for thirty.
#
# ## 4. Thirty layers
#
# A factor that is a little off hardly matters in one layer. In thirty it is taken to the thirtieth
# power. Let us measure: push random numbers through a deep network and note how strong the signal is
# after every ReLU, by its **root mean square** (RMS).
#
# **Predict first:** with Glorot's weights a square layer halves the mean square. What is left of
# the RMS after 30 layers? And with a standard deviation of 0.01 in every layer, as AlexNet was started
# in 2012?

# %% [markdown]
# ### Exercise `signal_rms` (1 + 3 points)
#
# All layers are 256 wide, without biases. Start from 100 rows of 256 standard normal numbers, and
# for each layer draw fresh weights `init((256, 256))`, multiply, apply ReLU, and note the RMS of
# all numbers. Work in float64: float32 cannot hold the squares of the weakest signals.
#
# <details><summary>Hint 1: one layer</summary>
#
# Rows of `h` are inputs, weights have shape (out, in): `(h @ ...).relu()`. What must happen to the weights
# first, and in which type?
#
# </details>
# <details><summary>Hint 2: RMS</summary>
#
# Square, then mean, then root. (A standard deviation would subtract the mean first.)
#
# </details>
# <details><summary>Hint 3: where to note</summary>
#
# After each ReLU, so `depth` numbers. The input is not one of them.
#
# </details>

# %% nbgrader={"grade_id": "signal_rms", "solution": true}
def signal_rms(depth, init):
    """How strong a signal is after each of `depth` dense ReLU layers: a list of RMS values.

    depth  number of layers, 256 neurons each, no biases
    init   gives weights of a shape (out, in): init((256, 256)), any float type; called once per layer

    The input is 100 rows of 256 standard normal numbers. RMS over all numbers of a layer, after its
    ReLU. Computed in float64.
    """
    ### BEGIN SOLUTION
    h = torch.randn(100, 256, dtype=torch.float64)
    strengths = []
    for _ in range(depth):
        h = (h @ init((256, 256)).double().T).relu()
        strengths.append(h.square().mean().sqrt().item())
    return strengths
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-signal_rms", "grade": true, "locked": true, "points": 1}
torch.manual_seed(54)
strengths = signal_rms(3, lambda shape: torch.eye(256))
check.equal(len(strengths), 3, "the number of RMS values of 3 layers")
check.close(
    strengths, [0.5**0.5] * 3, "the RMS with the identity as weights",
    "ReLU keeps half of the mean square of random numbers, and has nothing more to cut later. "
    "1.0: measured before the ReLU? 0.58: a standard deviation?", rtol=0.05,
)

# %% nbgrader={"grade_id": "hidden-signal_rms", "grade": true, "locked": true, "points": 3}
# Also: doubling weights, weights that differ from layer to layer or are not symmetric, the input, and 30
# layers with He, Glorot, PyTorch's default and 0.01, of which the last needs float64.
### BEGIN HIDDEN TESTS
torch.manual_seed(55)
check.close(
    signal_rms(5, lambda shape: 2 * torch.eye(256)), [2**k / 2**0.5 for k in range(1, 6)],
    "the RMS with twice the identity as weights", "Each layer doubles.", rtol=0.05,
)
check.close(signal_rms(2, lambda shape: torch.zeros(shape)), [0, 0], "the RMS of zero weights")
strengths = np.array(signal_rms(12, lambda shape: (0.5 + torch.rand(1)) * torch.eye(256)))
check.that(
    np.std(strengths[1:] / strengths[:-1]) > 0.02,
    "Every layer should draw weights of its own: is init called once for each of them?",
)
# Neuron 0 adds up all, then neuron 1 reads neuron 0 alone: transposed, hardly anything arrives.
weights = torch.zeros(2, 256, 256)
weights[0, 0], weights[1, 1, 0] = 1, 1
in_order = iter(weights)
strengths = signal_rms(2, lambda shape: next(in_order))
check.close(
    strengths[1] / strengths[0], 1, "the second RMS over the first, where neuron 1 reads neuron 0 alone",
    "Weights have shape (out, in): is the transpose forgotten?", rtol=1e-3,
)
# Neuron 0 alone, the sum of all inputs: half of 100 rows are above 0, with a mean square of 256 each.
squares = [signal_rms(1, lambda shape: weights[0])[0] ** 2 for _ in range(10)]
check.that(
    min(squares) > 0.05 and 0.3 < np.mean(squares) < 0.7,
    f"Where neuron 0 adds up all inputs and the others are 0, the mean square is {np.mean(squares):.2f}, 0.50 "
    "was expected. Are there 100 rows of standard normal numbers, and is it the RMS over all numbers at once?",
)
expected = {
    "He": (lambda s: torch.randn(s) * (2 / 256) ** 0.5, 1),
    "Glorot": (lambda s: (2 * torch.rand(s) - 1) * (6 / 512) ** 0.5, 2.0**-15),
    "PyTorch's default": (lambda s: (2 * torch.rand(s) - 1) / 16, 6.0**-15),
    "a standard deviation of 0.01": (lambda s: torch.randn(s) / 100, (256 / 2e4) ** 15),
}
for name, (init, theory) in expected.items():
    strengths = signal_rms(30, init)[-1]
    check.that(
        theory / 10 < strengths < 10 * theory,
        f"After 30 layers with {name} the RMS is {strengths:.0e}, about {theory:.0e} was expected."
        + (" float32 cannot hold it." if strengths == 0 else ""),
    )
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
inits = {
    "He": he_normal,
    "Glorot": glorot_uniform,
    "PyTorch": lambda shape: nn.Linear(*shape[::-1]).weight.detach(),
    "std 0.01": lambda shape: 0.01 * torch.randn(shape),
}
strengths = {name: signal_rms(30, init) for name, init in inits.items()}
print("He keeps the signal within 0.3 and 3:", 0.3 < strengths["He"][-1] < 3)
print("Glorot ends near 2^-15:", abs(np.log2(strengths["Glorot"][-1]) + 15) < 2)
draw.signals(strengths)

# %% [markdown]
# Straight lines on a logarithmic axis: each layer multiplies. Gradients take the same way back: where
# they shrink from layer to layer they are **vanishing gradients**, where they grow **exploding
# gradients**. He's own experiment says the same: 22 layers converged with either start, 30 only
# with his. Section 8 shows both on a network of twelve.

# %% [markdown]
# ## 5. Batch norm: keep it loud anyway
#
# Good weights set the level *once*. **Batch norm** (Ioffe and Szegedy, 2015) sets it at every step:
# each channel of $x$ (N, C, H, W) is brought to mean 0 and variance 1 over the whole batch, N, H
# and W together, then scaled by $\gamma$ and shifted by $\beta$, both (C,) and learnt:
#
# $$y = \gamma\,\frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta, \qquad \epsilon = 10^{-5}$$
#
# In inference there may be one image only, and its logits must not depend on its neighbours. So training
# keeps **running** averages, and evaluation uses them in place of $\mu$ and $\sigma^2$:
#
# $$\text{running} \leftarrow 0.9\,\text{running} + 0.1\,\text{batch}$$
#
# One trap, in torch too: the batch is normalised with the *biased* variance (divided by $n = NHW$),
# while the running one takes the *unbiased* (divided by $n - 1$).
#
# **Predict first:** five numbers per channel. How far are the two variances apart? And with 50,000?

# %% [markdown]
# ### Exercise `batch_norm` (1 + 3 points)
#
# `running` is a pair (mean, variance), each (C,). Return `y` and the new pair; leave the old one as
# it is. By hand: torch's own is the referee.
#
# <details><summary>Hint 1: statistics by channel</summary>
#
# `x.mean((0, 2, 3))` has shape (C,).
#
# </details>
# <details><summary>Hint 2: shapes that fit</summary>
#
# `[:, None, None]` turns (C,) into (C, 1, 1), which goes with (N, C, H, W).
#
# </details>
# <details><summary>Hint 3: two variances</summary>
#
# `x.var((0, 2, 3), correction=0)` and `correction=1`.
#
# </details>

# %% nbgrader={"grade_id": "batch_norm", "solution": true}
def batch_norm(x, gamma, beta, running, training):
    """Batch norm of x (N, C, H, W): y of the same shape, and the running pair afterwards.

    gamma, beta  tensors (C,): scale and shift
    running      pair of tensors (C,): mean and variance; it is left unchanged
    training     True: statistics of this batch over N, H, W; the new pair is 0.9 of the old and 0.1
                 of the batch's mean and *unbiased* variance. False: normalise by `running`, and
                 return it, or a pair of the same values.

    eps = 1e-5 is added to the variance. Ioffe and Szegedy 2015, torch's conventions.
    """
    ### BEGIN SOLUTION
    mean, var = running
    if training:
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        unbiased = x.var((0, 2, 3), correction=1)
        running = (0.9 * running[0] + 0.1 * mean, 0.9 * running[1] + 0.1 * unbiased)
    scale = gamma / (var + 1e-5).sqrt()
    y = (x - mean[:, None, None]) * scale[:, None, None] + beta[:, None, None]
    return y, running
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-batch_norm", "grade": true, "locked": true, "points": 1}
numbers = torch.Generator().manual_seed(56)
maps = 3 + 2 * torch.randn(8, 3, 5, 4, generator=numbers, dtype=torch.float64)
one, zero = torch.ones(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
start = (zero.clone(), one.clone())
out, _ = batch_norm(maps, one, zero, start, training=True)
check.shape(out, (8, 3, 5, 4), "batch_norm of (8, 3, 5, 4)")
check.close(
    out.mean((0, 2, 3)), [0, 0, 0], "the mean of each channel",
    "Is the mean over N, H and W of this batch subtracted?",
)
check.close(
    out, F.batch_norm(maps, None, None, training=True), "batch_norm in training",
    "Statistics over N, H and W together, for each channel alone? The biased variance? An eps of 1e-5, under "
    "the root?",
)
out, _ = batch_norm(maps, one, zero, (3 * one, 4 * one), training=False)
check.close(
    out, (maps - 3) / 2, "batch_norm in evaluation, running mean 3 and variance 4",
    "In evaluation the running pair is used, not the batch.", rtol=1e-3,
)
check.by_hand(
    batch_norm, maps, one, zero, start, True,
    without="batch_norm instance_norm group_norm layer_norm",
)

# %% nbgrader={"grade_id": "hidden-batch_norm", "grade": true, "locked": true, "points": 3}
# Also: against torch in both modes, the running pair after one batch and after several, gamma and
# beta by channel, tiny and constant channels (eps), by hand, and the inputs left alone.
### BEGIN HIDDEN TESTS
numbers = torch.Generator().manual_seed(62)
for n, c, h, w in ((4, 2, 3, 5), (16, 5, 1, 1), (2, 3, 3, 3)):
    gamma, beta, mean = torch.randn(3, c, generator=numbers, dtype=torch.float64)
    var = 0.5 + torch.rand(c, generator=numbers, dtype=torch.float64)
    pair, theirs = (mean, var), (mean.clone(), var.clone())
    for training in (True, True, False):
        scale = torch.logspace(-3, 1, c, dtype=torch.float64)[:, None, None]
        x = 1 + scale * torch.randn(n, c, h, w, generator=numbers, dtype=torch.float64)
        inputs = [x.clone(), gamma.clone(), beta.clone(), *[p.clone() for p in pair]]
        before = pair
        out, pair = batch_norm(x, gamma, beta, pair, training)
        expected = F.batch_norm(x, *theirs, gamma, beta, training, momentum=0.1, eps=1e-5)
        what = f"batch_norm of {(n, c, h, w)}, training={training}"
        check.close(out, expected, what, "Is eps added to the variance, under the root?")
        check.close(pair[0], theirs[0], "the running mean", "0.9 of the old, 0.1 of the batch.")
        check.close(
            pair[1], theirs[1], "the running variance",
            "0.9 of the old, 0.1 of the batch's unbiased variance; unchanged in evaluation.",
        )
        for now, then in zip([x, gamma, beta, *before], inputs, strict=True):
            check.close(now, then, "what went into batch_norm, afterwards", "Leave it unchanged.")
faint, nothing = 1e-3 * torch.randn(4, 2, 3, 3, generator=numbers, dtype=torch.float64), torch.zeros(2).double()
_, pair = batch_norm(faint, nothing + 1, nothing, (nothing, nothing), True)
check.close(
    pair[1], 0.1 * faint.var((0, 2, 3)), "the running variance of faint maps", "eps is no part of it.",
    atol=1e-10,
)
flat = torch.full((4, 3, 2, 2), 7.0, dtype=torch.float64)
ones, zeros = torch.ones(2, 3, dtype=torch.float64), torch.zeros(2, 3, dtype=torch.float64)
out, _ = batch_norm(flat, ones[0], zeros[0], (zeros[1], ones[1]), True)
check.close(out, torch.zeros(4, 3, 2, 2), "batch_norm of constant maps", "Without eps: 0 / 0.")
check.by_hand(
    batch_norm, flat, ones[0], zeros[0], (zeros[1], ones[1]), True,
    without="batch_norm instance_norm group_norm layer_norm",
)
### END HIDDEN TESTS

# %% [markdown]
# (A quarter; and nothing you could see.)
#
# **Predict first:** nine layers of width 256 whose weights have a standard deviation of 0.03, a third of
# He's. What enters the ReLU of layer 9, without batch norm and with it?

# %%
torch.manual_seed(0)
seen = {"plain": [], "batch norm": []}
ones, zeros = torch.ones(256), torch.zeros(256)
for name, taken in seen.items():
    h = torch.randn(500, 256)
    for _ in range(9):
        z = h @ (0.03 * torch.randn(256, 256)).T
        if name == "batch norm":
            z = batch_norm(z[:, :, None, None], ones, zeros, (zeros, ones), True)[0][:, :, 0, 0]
        taken.append(z.numpy())
        h = z.relu()
draw.activations({name: taken[::2] for name, taken in seen.items()}, [1, 3, 5, 7, 9])

# %% [markdown]
# A needle without, a bell with: whatever the weights do to the level, batch norm undoes it.
#
# ## 6. Dropout: rely on no one
#
# A network that knows its training digits too well leans on a few busy neurons. **Dropout** (slide 37:
# AlexNet, $p = 0.5$) sets each number to 0 with probability $p$, by a fresh draw each time. No
# neuron can rely on another.
#
# Fewer numbers make a smaller sum, so the survivors are divided by $1 - p$: the *expected* value
# stays what it was, and evaluation is left to do nothing at all.
#
# **A note.** AlexNet did it the other way round: no scaling in training, and outputs times
# 0.5 in inference. Today's way ("inverted") is the same on average, and inference is left alone.

# %% [markdown]
# ### Exercise `dropout` (1 + 3 points)
#
# Return a tensor of x's shape, any shape, and leave x as it is. In training each number has a draw of
# its own, from torch's global generator. By hand, without torch's dropout.
#
# <details><summary>Hint 1: draw</summary>
#
# `torch.rand_like(x) >= p` is true with probability $1 - p$.
#
# </details>
# <details><summary>Hint 2: scale</summary>
#
# By what are survivors multiplied, so that the mean stays?
#
# </details>
# <details><summary>Hint 3: in evaluation</summary>
#
# Nothing happens: `return x`.
#
# </details>

# %% nbgrader={"grade_id": "dropout", "solution": true}
def dropout(x, p, training):
    """Inverted dropout: each number of x is 0 with probability p, else x / (1 - p).

    x         tensor of any shape, left unchanged
    p         probability to drop, 0 <= p < 1
    training  False: the numbers of x come back as they are

    Draws are independent and new at each call, from torch's global generator. Slide 37.
    """
    ### BEGIN SOLUTION
    if not training:
        return x
    survives = torch.rand_like(x) >= p
    return x * survives / (1 - p)
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-dropout", "grade": true, "locked": true, "points": 1}
torch.manual_seed(57)
fives = torch.full((100, 50), 5.0)
out = dropout(fives, 0.2, training=True)
check.shape(out, (100, 50), "dropout of (100, 50)")
alive = out[out != 0]
check.that(0 < len(alive) < 5000, "With p = 0.2 some of 5,000 numbers die and some survive.")
check.close(
    alive, torch.full(alive.shape, 6.25), "the survivors of fives with p = 0.2",
    "5 / (1 - 0.2) = 6.25: the survivors make up for the dead.",
)
check.close(dropout(fives, 0.2, training=False), fives, "dropout in evaluation", "Nothing at all.")
check.by_hand(dropout, fives, 0.2, True, without="dropout")

# %% nbgrader={"grade_id": "hidden-dropout", "grade": true, "locked": true, "points": 3}
# Also: the share of zeros and the mean within four standard errors, independent draws, new ones at
# each call, repeatable by torch.manual_seed, negative numbers, p = 0, any shape, by hand, and the input left
# alone.
### BEGIN HIDDEN TESTS
torch.manual_seed(58)
dead = (dropout(torch.ones(400, 50, 6, dtype=torch.float64), 0.5, True) == 0).double()
for axes, what in (((1, 2), "image"), ((0, 2), "neuron"), ((0, 1), "place")):
    share = dead.mean(axes)
    check.that(
        (share - 0.5).abs().max() <= 5 * 0.5 / (dead.numel() / len(share)) ** 0.5,
        f"Some {what} is dropped far more often than another: draw for each number alone.",
    )
counts = [int((dropout(torch.ones(100), 0.5, True) == 0).sum()) for _ in range(30)]
check.that(
    len(set(counts)) > 3,
    "Each of 30 calls dropped the same number of 100: draw for each number alone, not a share.",
)
for p, shape in ((0.1, (300, 200)), (0.5, (40, 30, 10, 10)), (0.8, (60_000,))):
    x = 1 + torch.rand(shape, dtype=torch.float64)
    kept = x.clone()
    out = dropout(x, p, True)
    check.close(x, kept, "the input of dropout afterwards", "Work on a copy.")
    n, share = x.numel(), (out == 0).double().mean().item()
    check.that(
        abs(share - p) <= 4 * (p * (1 - p) / n) ** 0.5,
        f"{100 * share:.1f} % were dropped with p = {p}: is p the probability to drop?",
    )
    check.close(out, torch.where(out == 0, 0, x / (1 - p)), f"the survivors with p = {p}")
    error = (x.square().mean().item() * p / (1 - p) / n) ** 0.5
    check.that(
        abs((out - x).mean().item()) <= 4 * error,
        f"The mean moved from {x.mean():.3f} to {out.mean():.3f} with p = {p}: it should be kept.",
    )
    check.that(
        ((dropout(x, p, True) == 0) != (out == 0)).any(), "Two calls dropped the same numbers."
    )
x = torch.randn(50, 20)
once, again = [(torch.manual_seed(69), dropout(x, 0.5, True))[1] for _ in range(2)]
check.close(again, once, "dropout after the same torch.manual_seed", "Draw from torch's global generator.")
share = (once[x < 0] == 0).double().mean().item()
check.that(0.3 < share < 0.7, f"{100 * share:.0f} % of the negative numbers were dropped with p = 0.5.")
check.close(dropout(x, 0.0, True), x, "dropout with p = 0")
check.close(dropout(x, 0.7, False), x, "dropout with p = 0.7 in evaluation")
check.by_hand(dropout, x, 0.7, True, without="dropout")
### END HIDDEN TESTS

# %% [markdown]
# **Predict first:** a digit, eight times through dropout with $p = 0.5$, and the mean of 400 such
# draws. What does the mean look like?

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
digit = ink[truth == 3][0, 0]
eight = [dropout(digit, 0.5, True) for _ in range(8)]
mean = torch.stack([dropout(digit, 0.5, True) for _ in range(400)]).mean(0)
draw.digit_grid(
    torch.stack([digit, *eight, mean]).numpy(),
    ["digit", *["dropped"] * 8, "mean"],
    "what dropout leaves, p = 0.5",
    "A digit; eight copies of it, each with another half of its pixels black and the others twice "
    "as bright; and the mean of 400 copies, which is the digit again.",
)

# %% [markdown]
# ### The generalisation gap
#
# The accuracy on the training set minus that on the validation set is the **generalisation gap**. All
# that is meant to close it is called **regularisation**: dropout, more data (section 7), and **weight
# decay**, which shrinks each weight a little at each step, $w \leftarrow w - \eta\,\lambda\, w$, so
# that only those weights stay large that many digits need.
#
# On 300 clean digits neither changes the validation accuracy of a small network by a point (we measured:
# 84 to 86 % in all cases). So here is a harder case: 1,000 training digits, of which three in ten have
# a *random* label. **Predict first:** what does a network do that can memorise all of them?

# %%
predict.keep("training accuracy in % without regularisation", None)

# %% jupyter={"source_hidden": true}
def regularised(p, decay):
    """Training and validation accuracy after 25 epochs on digits with 30 % random labels."""
    numbers = torch.Generator().manual_seed(9)
    x, y = fit_x[:1000], fit_y[:1000].clone()
    noisy = torch.rand(1000, generator=numbers) < 0.3
    y[noisy] = torch.randint(0, 10, (int(noisy.sum()),), generator=numbers)
    torch.manual_seed(0)
    layers = [nn.Flatten(), nn.Linear(784, 200), nn.ReLU(), nn.Dropout(p), nn.Linear(200, 10)]
    net = nn.Sequential(*layers)
    adam = torch.optim.AdamW(net.parameters(), lr=0.002, weight_decay=decay)
    for epoch in range(25):
        net.train()
        for rows in minibatches(1000, 50, seed=epoch):
            adam.zero_grad()
            cross_entropy(net(x[rows]), y[rows]).backward()
            adam.step()
    net.eval()
    with torch.no_grad():
        return [(net(a).argmax(1) == b).double().mean().item() for a, b in ((x, y), (val_x, val_y))]


cases = {"none": (0.0, 0.0), "dropout 0.8": (0.8, 0.0), "weight decay 3": (0.0, 3.0)}
accuracies = {name: regularised(*settings) for name, settings in cases.items()}
predict.compare("training accuracy in % without regularisation", round(100 * accuracies["none"][0], -1))
gain = accuracies["dropout 0.8"][1] - accuracies["none"][1]
print("dropout gains over 4 points of validation accuracy:", gain > 0.04)
draw.accuracy_bars(
    {
        f"{name}, {part}": pair[k]
        for name, pair in accuracies.items() for k, part in enumerate(("training", "validation"))
    },
    "accuracy with 30 % random labels",
    "Six bars. Without regularisation the training accuracy is nearly 100 % and the validation accuracy the "
    "lowest of three; with dropout and with weight decay the gap is far smaller or gone, and the validation "
    "accuracy higher.",
)

# %% [markdown]
# Without regularisation the random labels are memorised, and paid for. Dropout and weight decay keep the
# network from it: the training accuracy *falls* towards the share of labels that make sense, and the
# validation accuracy rises.
#
# ### Exercise `own_code` (1 point)
#
# Three questions about *your* functions: how many indices has the last batch of your
# `minibatches(103, 25, seed=0)`? What does your `dropout` make of a surviving 3.0 with $p = 0.25$? And
# what is the bound $a$ of your `glorot_uniform((8, 4, 3, 3))`, give or take 0.01?
#
# <details><summary>Hint: the fans</summary>
#
# How many numbers does one output pixel add up, and how many output pixels read one input? Why does the
# window count in both?
#
# </details>

# %% nbgrader={"grade_id": "own_code", "solution": true} needs=["minibatches", "dropout", "glorot_uniform"]
def own_code():
    """Answers about your functions: {"last": ..., "survivor": ..., "bound": ...}, numbers."""
    ### BEGIN SOLUTION
    last = [len(rows) for rows in minibatches(103, 25, seed=0)][-1]
    survivor = dropout(torch.full((1000,), 3.0), 0.25, True).max().item()
    drawn = torch.stack([glorot_uniform((8, 4, 3, 3)).abs().max() for _ in range(50)])
    return {"last": last, "survivor": survivor, "bound": round(drawn.max().item(), 2)}
    ### END SOLUTION

# %% nbgrader={"grade_id": "hidden-own_code", "grade": true, "locked": true, "points": 1}
# Compared with what your own functions return.
### BEGIN HIDDEN TESTS
check.seed(68)
replies = own_code()
check.equal(sorted(replies), ["bound", "last", "survivor"], "the keys of own_code(), sorted")
last = [len(np.asarray(rows)) for rows in minibatches(103, 25, seed=0)][-1]
survivor = float(dropout(torch.full((1000,), 3.0), 0.25, True).max())
bound = max(float(glorot_uniform((8, 4, 3, 3)).abs().max()) for _ in range(50))
for key, value, room in (("last", last, 0), ("survivor", survivor, 1e-4), ("bound", bound, 0.011)):
    check.that(
        abs(float(replies[key]) - value) <= room,
        f"{key} is {replies[key]}: your own function gives something else.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 7. More digits than you have
#
# The third of AlexNet's tricks on slide 37 is **data augmentation**: change an image in a way that
# keeps its label, and you have one more. A photograph of a cat may be mirrored. May a digit?
#
# **Predict first:** which of the ten digits are still themselves in a mirror?

# %% [markdown]
# ### Exercise `augment` (1 + 3 points)
#
# Return a batch in which each image is moved by its own random whole number of pixels, from -2 to 2
# down and from -2 to 2 across, every one of the 25 shifts possible. Paper (0) comes in where the
# image has left; what leaves is gone. No flips, no turns.
#
# <details><summary>Hint 1: room to move</summary>
#
# `F.pad(images, (2, 2, 2, 2))` puts two pixels of paper around each image.
#
# </details>
# <details><summary>Hint 2: a window</summary>
#
# An H x W window of the padded image that starts at (0..4, 0..4) is a shifted image.
#
# </details>
# <details><summary>Hint 3: each its own</summary>
#
# A loop over images is fine, then `torch.stack`. Which numbers can `torch.randint(0, 5, (2,))` draw?
#
# </details>

# %% nbgrader={"grade_id": "augment", "solution": true}
def augment(images):
    """Images (N, C, H, W), each moved by its own random shift of -2 to 2 pixels both ways.

    All channels of an image move together. 0 is paper: it comes in at the edges. Shifts are drawn
    anew at each call, from torch's global generator; `images` is left unchanged.
    """
    ### BEGIN SOLUTION
    h, w = images.shape[2:]
    room = F.pad(images, (2, 2, 2, 2))
    starts = torch.randint(0, 5, (len(images), 2)).tolist()
    moved = [one[:, y : y + h, x : x + w] for one, (y, x) in zip(room, starts, strict=True)]
    return torch.stack(moved)
    ### END SOLUTION

# %% nbgrader={"grade_id": "setup-shifts", "locked": true}
def shifts(before, after):
    """For each image (C, H, W), all shifts (down, across) that make `after` of `before`."""
    h, w = before.shape[2:]
    ways = [(down, across) for down in range(-2, 3) for across in range(-2, 3)]
    room = F.pad(before, (2, 2, 2, 2))
    windows = [room[:, :, 2 - y : 2 - y + h, 2 - x : 2 - x + w] for y, x in ways]
    same = torch.stack([torch.isclose(one, after).all(3).all(2).all(1) for one in windows], 1)
    return [[way for way, fits in zip(ways, row, strict=True) if fits] for row in same.tolist()]

# %% nbgrader={"grade_id": "test-augment", "grade": true, "locked": true, "points": 1}
torch.manual_seed(59)
framed = ink[:200].clone()
framed[:, :, 0] = framed[:, :, :, 0] = 0.5  # a line at the top and at the left: ink that leaves
before = framed.clone()
moved = augment(before)
check.close(before, framed, "the images afterwards", "They were overwritten: work on a copy.")
check.shape(moved, (200, 1, 28, 28), "augment of (200, 1, 28, 28)")
ways_back = shifts(framed, moved)
lost = sum(not ways for ways in ways_back)
check.that(
    lost == 0,
    f"{lost} of 200 digits are not the one that came in, moved by up to 2 pixels. Was one flipped? A "
    "mirrored 2 is no 2, its label would be wrong. Or did ink come back in on the other side, or was the edge "
    "repeated?",
)
check.that(any((0, 0) not in ways for ways in ways_back), "No digit has moved.")

# %% nbgrader={"grade_id": "hidden-augment", "grade": true, "locked": true, "points": 3}
# Also: ink at the edges, images that are not square, several channels, all 25 shifts, each image
# its own, new ones at each call, repeatable by torch.manual_seed, and the input left alone.
### BEGIN HIDDEN TESTS
torch.manual_seed(60)
for shape in ((900, 1, 7, 9), (300, 3, 6, 5), (1, 1, 8, 8)):
    noise = torch.rand(shape) + 0.1
    kept = noise.clone()
    moved = augment(noise)
    check.close(noise, kept, "the images afterwards", "Leave them unchanged.")
    check.shape(moved, shape, f"augment of {shape}")
    ways_back = shifts(noise, moved)
    check.that(
        all(ways_back),
        f"Some images {shape} with ink everywhere are not shifted by up to 2 pixels: does ink that "
        "leaves on one side come in on the other, or is the paper not 0?",
    )
    if len(noise) == 900:
        counts = [sum(way in ways for ways in ways_back) for way in {w for ways in ways_back for w in ways}]
        check.equal(len(counts), 25, "the number of different shifts of 900 images")
        check.that(min(counts) >= 5, "Some shifts are far rarer than others.")
        check.that(
            ways_back != shifts(noise, augment(noise)), "Two calls moved all images in the same way."
        )
        once, again = [(torch.manual_seed(70), augment(noise))[1] for _ in range(2)]
        check.close(
            again, once, "augment after the same torch.manual_seed", "Draw from torch's global generator."
        )
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
ten = torch.stack([ink[truth == k][2] for k in range(10)])
rows = [ten, augment(ten), augment(ten), ten.flip(3)]
captions = [f"{k}" for k in range(10)] * 3 + [f"{k}?" for k in range(10)]
draw.digit_grid(
    torch.cat(rows)[:, 0].numpy(), captions,
    "as they are; moved twice; and in a mirror, where labels break",
    "Four rows of the digits 0 to 9: as they are, moved a little in two rows, and mirrored. In the "
    "mirror 0, 1 and 8 are still themselves; the others are no digits any more.",
)

# %% [markdown]
# Only 0, 1 and 8 survive the mirror: seven labels in ten would be wrong.
#
# Do shifts help? A small network of two dense layers, 500 digits, and a validation that is a little
# unfair: other digits, moved. `epoch` below is slide 32 in a dozen lines, with your `minibatches` and your
# `cross_entropy`; `train.run` calls it 30 times and draws the loss.

# %%
def epoch(model, x, y, rate, seed):
    """One epoch of plain descent in minibatches of 50; the mean loss of the batches."""
    model.train()
    losses, weights = [], list(model.parameters())
    for rows in minibatches(len(x), 50, seed):
        loss = cross_entropy(model(x[rows]), y[rows])
        slopes = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for weight, slope in zip(weights, slopes, strict=True):
                weight -= rate * slope
        losses.append(loss.item())
    return np.mean(losses)  # all batches are of one size here

# %%
def accuracy(model, x, y):
    """The fraction of `x` for which `model` predicts the true label."""
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(1) == y).double().mean().item()

# %% [markdown]
# **Predict first:** trained on 500 digits as they are, and on the same 500 moved anew in each
# epoch: which reads moved digits better? By how many points?

# %%
predict.keep("points of accuracy gained by augmentation", None)

# %%
def learn(change, title):
    """Accuracy on moved digits of a network trained on 500 digits, changed anew in each epoch."""
    torch.manual_seed(1)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
    seeds = iter(range(30))
    train.run(
        lambda: epoch(net, change(ink[:500]), truth[:500], 0.1, next(seeds)), 30, title=title
    )
    return accuracy(net, moved, val_y)

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
moved = augment(ink[4000:])
scores = {"as they are": learn(lambda x: x, "as they are"), "moved anew": learn(augment, "moved")}
gain = scores["moved anew"] - scores["as they are"]
print("gain of more than five points:", gain > 0.05)
predict.compare("points of accuracy gained by augmentation", f"more than {5 * int(20 * gain)}")
draw.accuracy_bars(
    scores, "accuracy on 1,000 moved validation digits",
    "Two bars: the network that was trained on moved digits reads far more moved digits.",
)

# %% [markdown]
# ## 8. Twelve layers, twice
#
# Everything comes together: a **plain** network, dense layers one after the other, no batch norm, no
# shortcuts. Twelve of them, started well or badly.
#
# ### Exercise `plain_net` (1 + 3 points)
#
# Build it: (N, 1, 28, 28) flattened to 784, eleven layers of 64 neurons with ReLU, and a twelfth
# that gives 10 logits. Weights come from `init(shape)`, biases are 0. The hidden tests train it:
# with He's weights it must learn, with a standard deviation of 0.01 it must not.
#
# <details><summary>Hint 1: the widths</summary>
#
# `[(784, 64), *10 * [(64, 64)], (64, 10)]` are the inputs and outputs of all twelve.
#
# </details>
# <details><summary>Hint 2: your own weights</summary>
#
# `layer = nn.Linear(inputs, out)`, then inside `with torch.no_grad():` `layer.weight.copy_(...)` and
# `layer.bias.zero_()`. Which shape does `init` get?
#
# </details>
# <details><summary>Hint 3: the end</summary>
#
# No ReLU after the last layer, and no softmax: logits. `nn.Sequential(*layers)` joins a list.
#
# </details>

# %% nbgrader={"grade_id": "plain_net", "solution": true}
def plain_net(init):
    """A fresh network of twelve dense layers: digits (N, 1, 28, 28) to logits (N, 10).

    init  gives the weights of a shape (out, in), new ones at each call; it is called once for each
          layer, from first to last

    Widths 784, eleven times 64, 10; a ReLU after all layers but the last, and nothing else. Its only
    parameters are the weights, as `init` gave them, and the biases, 0. Returns an nn.Module whose layers
    are nn.Linear. torch computes gradients as before.
    """
    ### BEGIN SOLUTION
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layer = nn.Linear(inputs, out)
        with torch.no_grad():
            layer.weight.copy_(init((out, inputs)))
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
    ### END SOLUTION

# %% nbgrader={"grade_id": "test-plain_net", "grade": true, "locked": true, "points": 1}
sized = plain_net(lambda shape: torch.full(shape, 2 / shape[1]))
check.shape(sized(torch.ones(3, 1, 28, 28)), (3, 10), "plain_net's output for 3 digits")
check.equal(
    sum(count for _, count in check.parameter_counts(sized)),
    784 * 64 + 64 + 10 * (64 * 64 + 64) + 64 * 10 + 10, "plain_net's parameters",
    "Twelve layers with biases: 784 to 64, ten times 64 to 64, 64 to 10.",
)
check.close(
    sized(torch.zeros(1, 1, 28, 28)), torch.zeros(1, 10), "the logits of zeros",
    "Are the biases 0, and is the end without a softmax?",
)
check.close(
    sized(torch.ones(1, 1, 28, 28)), torch.full((1, 10), 2.0**12),
    "the logits of a network in which every layer doubles",
    "Are the weights what init gave, and is nothing but ReLU between the layers?", rtol=1e-3,
)

# %% nbgrader={"grade_id": "hidden-plain_net", "grade": true, "locked": true, "points": 3}
# Also: where the ReLUs are, that each layer's weights are what init gave for it, fresh networks, gradients
# afterwards, and training: with He's weights the loss of 1,500 digits falls under 1 in six epochs, with a
# standard deviation of 0.01 it stays above 2.2.
### BEGIN HIDDEN TESTS
check.seed(61)


def he_weights(shape):
    return torch.randn(shape) * (2 / shape[1]) ** 0.5


drawn = []


def noted(shape):
    drawn.append(he_weights(shape))
    return drawn[-1].clone()


model, some = plain_net(noted), torch.randn(5, 1, 28, 28)
state = check.state(model)
matrices = [torch.tensor(v).double() for v in state.values() if v.ndim == 2]
biases = [v for v in state.values() if v.ndim == 1]
shapes = [(64, 784), *10 * [(64, 64)], (10, 64)]
check.equal([tuple(m.shape) for m in matrices], shapes, "the shapes of the weights in order")
check.equal(
    [tuple(one.shape) for one in drawn], shapes, "the shapes for which init was called, in order",
    "Once for each layer, from first to last.",
)
for number, (matrix, one) in enumerate(zip(matrices, drawn, strict=True), 1):
    check.close(matrix, one, f"the weights of layer {number}", "Are they what init gave for this layer?", 1e-6)
check.that(all((b == 0).all() for b in biases), "The biases should start at 0.")
check.that(
    all((matrices[1] != other).any() for other in matrices[2:-1]),
    "Two layers have the same weights: call init once for each layer.",
)
h = some.double().flatten(1)
for matrix in matrices[:-1]:
    h = (h @ matrix.T).relu()
check.close(
    model(some), h @ matrices[-1].T, "the logits of a random network",
    "A ReLU after each of the first eleven layers, nothing after the twelfth?", 1e-3, 1e-4,
)
fresh = [v for v in check.state(plain_net(he_weights)).values() if v.ndim == 2]
check.that((fresh[0] != matrices[0].numpy()).any(), "Two networks share their weights.")
with torch.enable_grad():
    try:
        reached = check.stack_gradients(plain_net, [he_weights], 1, some)
    except RuntimeError:
        reached = [0.0]
check.that(
    reached[0] > 0,
    "After plain_net torch computes no gradients any more: inside `with torch.no_grad():` they are off for a "
    "while only.",
)


def one_epoch(model, images, labels, optimizer, size):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(images)).split(size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


for name, init in (("he", he_weights), ("small", lambda shape: 0.01 * torch.randn(shape))):
    net = plain_net(init)
    run = check.trained(one_epoch, net, fit_x[:1500], fit_y[:1500], 50, epochs=6, lr=0.05)
    end = run["returned"][-1]
    if name == "he":
        check.at_most(end, 1, "the loss at the end with He's weights")
    else:
        check.at_least(end, 2.2, "the loss at the end with a standard deviation of 0.01", "Other weights?")
### END HIDDEN TESTS

# %% [markdown]
# First the gradients, before any training: by layer, from the last back to the first. **Predict first:**
# with standard deviations of 0.01, He's, and 0.5, where do they vanish, where explode?

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
gradients = {}
for name, init in {**inits, "std 0.5": lambda shape: 0.5 * torch.randn(shape)}.items():
    model = plain_net(init)
    matrices = [p for p in model.parameters() if p.dim() == 2]
    slopes = torch.autograd.grad(cross_entropy(model(fit_x[:500]), fit_y[:500]), matrices)
    gradients[name] = [slope.double().square().mean().sqrt().item() for slope in slopes]
print("He's gradients within 0.003 and 0.3:", 0.003 < min(gradients["He"]) < max(gradients["He"]) < 0.3)
draw.signals(gradients, "gradient")

# %% [markdown]
# A gradient is a product of what came forward to a layer and what came back to it: with 0.01 it has
# vanished in *all* of them, near $10^{-16}$, with 0.5 it has exploded in all, beyond 1,000. No learning
# rate serves both.
#
# **Predict first:** four starts, 2,000 digits, plain descent. He, Glorot, a standard deviation of 0.01,
# and 0.01 with batch norm after each layer but the last. Which will learn, which is first?

# %%
def normed_net(init):
    """`plain_net`'s layers with torch's batch norm before each ReLU."""
    old = [layer for layer in plain_net(init).modules() if isinstance(layer, nn.Linear)]
    new = [nn.Flatten()]
    for layer in old[:-1]:
        new += [layer, nn.BatchNorm1d(64), nn.ReLU()]
    return nn.Sequential(*new, old[-1])


def race(net, title):
    """Losses and validation accuracies of eight epochs on 2,000 digits."""
    x, y, seeds = fit_x[:2000], fit_y[:2000], iter(range(8))
    return train.run(
        lambda: epoch(net, x, y, 0.05, next(seeds)), 8, lambda: accuracy(net, val_x, val_y), title
    )

# %% jupyter={"source_hidden": true}
torch.manual_seed(0)
small = inits["std 0.01"]
nets = {name: plain_net(inits[name]) for name in ("He", "Glorot", "std 0.01")}
nets["std 0.01, batch norm"] = normed_net(small)
results = {name: race(net, name) for name, net in nets.items()}
print("He learns:", results["He"]["held"][-1] > 0.6)
print("0.01 does not:", results["std 0.01"]["held"][-1] < 0.3)
print("0.01 with batch norm does:", results["std 0.01, batch norm"]["held"][-1] > 0.5)
draw.runs(
    results,
    "Loss and validation accuracy of four twelve-layer networks over eight epochs. He's weights and "
    "batch norm learn from the first epoch on, Glorot's later; a standard deviation of 0.01 stays at the "
    "chance level, in loss and accuracy.",
)

# %% [markdown]
# The same twelve layers, digits and steps; only the first numbers differ. With 0.01 no signal
# arrives at the end, so no gradient comes back. Batch norm turns it up again at every layer, and
# the same bad weights learn.
#
# ## Remember
#
# > - Subtract the largest logit before `exp`.
# > - A minibatch estimates the gradient of the whole cost: shuffle, and keep the last one.
# > - Momentum adds steps up, Adam scales them weight by weight; each needs a learning rate of its own.
# > - ReLU networks: variance $2/n_{in}$ (He). Linear or tanh: $2/(n_{in} + n_{out})$ (Glorot). A
# >   factor a little off is taken to the power of the depth.
# > - Batch norm: statistics by channel over N, H, W; the batch's in training, running ones in
# >   inference.
# > - Dropout: divide by $1 - p$ in training, do nothing in inference.
# > - Regularisation helps where there is something not to memorise; measure the gap.
# > - Augment with changes that keep the label, and only those.
#
# And your predictions, those that you kept:

# %%
predict.table()

# %% [markdown]
# ## Further, without points
#
# - ★ Slide 51, Krizhevsky's paper: it says 224 pixels. Which input size makes 55 positions of
#   filters of 11 with stride 4? And how many neurons has the first layer? (The paper says 253,440.)
# - ★ He's title says "surpassing human-level": 4.94 % against 5.1 % top-5. How much of 100,000 test
#   images is that?
# - ★★ Draw the RMS of the gradients of `plain_net` by layer after 1, 10 and 100 steps with He's weights.
# - ★★ `signal_rms` with tanh for ReLU: which start is the right one now?
# - ★★★ Train 30 layers with Glorot's and with He's weights. Can you repeat the paper?
