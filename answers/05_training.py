# %% [markdown]
# Answers to lesson 05, right and wrong: each stands in place of its exercise's solution cell.

# %% right cross_entropy: log of the probabilities, from shifted logits
def cross_entropy(logits, labels):
    top = logits.max(dim=1).values
    total = top + torch.log(torch.exp(logits - top.unsqueeze(1)).sum(dim=1))
    right = logits.gather(1, labels.unsqueeze(1)).squeeze(1)
    return torch.mean(total - right)


# %% right cross_entropy: row by row, with a one-hot mask
def cross_entropy(logits, labels):
    losses = []
    for row, label in zip(logits, labels):
        row = row - max(row.detach())
        mask = torch.zeros_like(row)
        mask[label] = 1
        losses.append(row.exp().sum().log() - (row * mask).sum())
    return sum(losses) / len(losses)


# %% right cross_entropy: logaddexp, class by class
def cross_entropy(logits, labels):
    total = logits[:, 0]
    for k in range(1, logits.shape[1]):
        total = torch.logaddexp(total, logits[:, k])
    return (total - logits[list(range(len(labels))), labels]).sum() / len(labels)


# %% wrong cross_entropy: overflows at 1000 loses=["test-cross_entropy", "hidden-cross_entropy"]
def cross_entropy(logits, labels):
    right = logits[torch.arange(len(logits)), labels]
    return (logits.exp().sum(1).log() - right).mean()


# %% wrong cross_entropy: the logarithm of a softmax that has become 0 loses=["test-cross_entropy", "hidden-cross_entropy"]
def cross_entropy(logits, labels):
    p = logits.softmax(1)
    return -p[torch.arange(len(p)), labels].log().mean()


# %% wrong cross_entropy: a tiny number in the log hides large losses loses=["test-cross_entropy", "hidden-cross_entropy"]
def cross_entropy(logits, labels):
    p = logits.softmax(1)
    return -(p[torch.arange(len(p)), labels] + 1e-12).log().mean()


# %% wrong cross_entropy: sums where it should average loses=["test-cross_entropy", "hidden-cross_entropy"]
def cross_entropy(logits, labels):
    z = logits - logits.amax(1, keepdim=True)
    return (z.exp().sum(1).log() - z[torch.arange(len(z)), labels]).sum()


# %% wrong cross_entropy: subtracts the largest logit of the whole batch loses=["hidden-cross_entropy"]
def cross_entropy(logits, labels):
    z = logits - logits.max()
    return (z.exp().sum(1).log() - z[torch.arange(len(z)), labels]).mean()


# %% wrong cross_entropy: a plain number that torch cannot differentiate loses=["hidden-cross_entropy"]
def cross_entropy(logits, labels):
    z = logits.detach() - logits.detach().amax(1, keepdim=True)
    return (z.exp().sum(1).log() - z[torch.arange(len(z)), labels]).mean()


# %% wrong cross_entropy: the wrong sign loses=["test-cross_entropy", "hidden-cross_entropy"]
def cross_entropy(logits, labels):
    z = logits - logits.amax(1, keepdim=True)
    return (z[torch.arange(len(z)), labels] - z.exp().sum(1).log()).mean()


# %% wrong cross_entropy: shifts the given logits in place loses=["hidden-cross_entropy"]
def cross_entropy(logits, labels):
    with torch.no_grad():
        logits -= logits.amax(1, keepdim=True)
    return (logits.exp().sum(1).log() - logits[torch.arange(len(logits)), labels]).mean()


# %% wrong cross_entropy: torch's own loses=["test-cross_entropy", "hidden-cross_entropy"]
def cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels)


# %% right minibatches: NumPy, a list of arrays
def minibatches(n, size, seed):
    order = np.random.default_rng(seed).permutation(n)
    return np.split(order, range(size, n, size))


# %% right minibatches: torch's split, as tensors
def minibatches(n, size, seed):
    generator = torch.Generator()
    generator.manual_seed(seed)
    return torch.randperm(n, generator=generator).split(size)


# %% right minibatches: draws from a hat
import random


def minibatches(n, size, seed):
    rng, hat, batch = random.Random(seed), list(range(n)), []
    while hat:
        batch.append(hat.pop(rng.randrange(len(hat))))
        if len(batch) == size or not hat:
            yield torch.tensor(batch)
            batch = []


# %% wrong minibatches: drops the short last batch loses=["test-minibatches", "hidden-minibatches"]
def minibatches(n, size, seed):
    order = np.random.default_rng(seed).permutation(n)
    for k in range(n // size):
        yield order[k * size : (k + 1) * size]


# %% wrong minibatches: draws every batch anew, with repetition loses=["test-minibatches", "hidden-minibatches"]
def minibatches(n, size, seed):
    rng = np.random.default_rng(seed)
    for start in range(0, n, size):
        yield rng.integers(0, n, min(size, n - start))


# %% wrong minibatches: never shuffles loses=["hidden-minibatches"]
def minibatches(n, size, seed):
    return torch.arange(n).split(size)


# %% wrong minibatches: shuffles the batches, not what is in them loses=["hidden-minibatches"]
def minibatches(n, size, seed):
    batches = [np.arange(n)[start : start + size] for start in range(0, n, size)]
    last = batches.pop() if n % size else None
    order = np.random.default_rng(seed).permutation(len(batches))
    return [batches[k] for k in order] + ([last] if last is not None else [])


# %% wrong minibatches: forgets the seed loses=["hidden-minibatches"]
def minibatches(n, size, seed):
    return torch.randperm(n).split(size)


# %% wrong minibatches: the same order for every seed loses=["hidden-minibatches"]
def minibatches(n, size, seed):
    return torch.randperm(n, generator=torch.Generator().manual_seed(0)).split(size)


# %% wrong minibatches: seeds the global generator loses=["hidden-minibatches"]
def minibatches(n, size, seed):
    torch.manual_seed(seed)
    return torch.randperm(n).split(size)


# %% wrong minibatches: takes size for the number of batches loses=["test-minibatches", "hidden-minibatches"]
def minibatches(n, size, seed):
    return np.array_split(np.random.default_rng(seed).permutation(n), size)


# %% wrong minibatches: leaves index 0 in front loses=["hidden-minibatches"]
def minibatches(n, size, seed):
    order = np.concatenate([[0], 1 + np.random.default_rng(seed).permutation(n - 1)])
    return np.split(order, range(size, n, size))


# %% right glorot_uniform: fans spelt out, in float64
import math


def glorot_uniform(shape):
    area = 1
    for side in shape[2:]:
        area *= side
    fan_out, fan_in = shape[0] * area, shape[1] * area
    a = math.sqrt(6 / (fan_in + fan_out))
    return torch.empty(*shape, dtype=torch.float64).uniform_(-a, a)


# %% right glorot_uniform: torch's own initialiser
def glorot_uniform(shape):
    return nn.init.xavier_uniform_(torch.empty(shape))


# %% right glorot_uniform: variance first, bound after
def glorot_uniform(shape):
    variance = 2 / (torch.zeros(shape)[0].numel() + torch.zeros(shape)[:, 0].numel())
    return torch.distributions.Uniform(-1.0, 1.0).sample(tuple(shape)) * (3 * variance) ** 0.5


# %% wrong glorot_uniform: forgets the window of a convolution loses=["hidden-glorot_uniform"]
def glorot_uniform(shape):
    bound = (6 / (shape[0] + shape[1])) ** 0.5
    return (2 * torch.rand(shape) - 1) * bound


# %% wrong glorot_uniform: counts the window for the fan-in alone loses=["hidden-glorot_uniform"]
def glorot_uniform(shape):
    bound = (6 / (int(np.prod(shape[1:])) + shape[0])) ** 0.5
    return (2 * torch.rand(shape) - 1) * bound


# %% wrong glorot_uniform: takes the standard deviation for the bound loses=["test-glorot_uniform", "hidden-glorot_uniform"]
def glorot_uniform(shape):
    area = int(np.prod(shape[2:]))
    std = (2 / (area * (shape[0] + shape[1]))) ** 0.5
    return (2 * torch.rand(shape) - 1) * std


# %% wrong glorot_uniform: variance for std loses=["test-glorot_uniform", "hidden-glorot_uniform"]
def glorot_uniform(shape):
    area = int(np.prod(shape[2:]))
    return (2 * torch.rand(shape) - 1) * 6 / (area * (shape[0] + shape[1]))


# %% wrong glorot_uniform: from 0 up, never negative loses=["test-glorot_uniform", "hidden-glorot_uniform"]
def glorot_uniform(shape):
    area = int(np.prod(shape[2:]))
    return torch.rand(shape) * (6 / (area * (shape[0] + shape[1]))) ** 0.5


# %% wrong glorot_uniform: a normal distribution of the right spread loses=["test-glorot_uniform", "hidden-glorot_uniform"]
def glorot_uniform(shape):
    area = int(np.prod(shape[2:]))
    return torch.randn(shape) * (2 / (area * (shape[0] + shape[1]))) ** 0.5


# %% wrong glorot_uniform: fan-in alone loses=["test-glorot_uniform", "hidden-glorot_uniform"]
def glorot_uniform(shape):
    bound = (3 / int(np.prod(shape[1:]))) ** 0.5
    return (2 * torch.rand(shape) - 1) * bound


# %% wrong glorot_uniform: the same weights at every call loses=["hidden-glorot_uniform"]
def glorot_uniform(shape):
    area = int(np.prod(shape[2:]))
    bound = (6 / (area * (shape[0] + shape[1]))) ** 0.5
    generator = torch.Generator().manual_seed(0)
    return (2 * torch.rand(shape, generator=generator) - 1) * bound


# %% wrong glorot_uniform: a generator that torch.manual_seed does not reach loses=["hidden-glorot_uniform"]
def glorot_uniform(shape):
    area = int(np.prod(shape[2:]))
    bound = (6 / (area * (shape[0] + shape[1]))) ** 0.5
    return torch.tensor(np.random.default_rng().uniform(-bound, bound, shape))


# %% right he_normal: normal_ with a standard deviation
def he_normal(shape):
    out, channels, *window = shape
    fan_in = channels
    for side in window:
        fan_in = fan_in * side
    return torch.empty(shape, dtype=torch.float64).normal_(0, np.sqrt(2 / fan_in))


# %% right he_normal: torch's own initialiser
def he_normal(shape):
    return torch.nn.init.kaiming_normal_(torch.zeros(shape), nonlinearity="relu")


# %% wrong he_normal: fan-out for fan-in loses=["test-he_normal", "hidden-he_normal"]
def he_normal(shape):
    fan_out = shape[0] * int(np.prod(shape[2:]))
    return torch.randn(shape) * (2 / fan_out) ** 0.5


# %% wrong he_normal: variance for std loses=["test-he_normal", "hidden-he_normal"]
def he_normal(shape):
    return torch.randn(shape) * 2 / int(np.prod(shape[1:]))


# %% wrong he_normal: forgets the window of a convolution loses=["hidden-he_normal"]
def he_normal(shape):
    return torch.randn(shape) * (2 / shape[1]) ** 0.5


# %% wrong he_normal: without the 2 of the ReLU loses=["test-he_normal", "hidden-he_normal"]
def he_normal(shape):
    return torch.randn(shape) * (1 / int(np.prod(shape[1:]))) ** 0.5


# %% wrong he_normal: Glorot's variance loses=["test-he_normal", "hidden-he_normal"]
def he_normal(shape):
    area = int(np.prod(shape[2:]))
    return torch.randn(shape) * (2 / (area * (shape[0] + shape[1]))) ** 0.5


# %% wrong he_normal: uniform, with the right variance loses=["hidden-he_normal"]
def he_normal(shape):
    bound = (6 / int(np.prod(shape[1:]))) ** 0.5
    return (2 * torch.rand(shape) - 1) * bound


# %% wrong he_normal: the same weights at every call loses=["hidden-he_normal"]
def he_normal(shape):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(shape, generator=generator) * (2 / int(np.prod(shape[1:]))) ** 0.5


# %% right signal_rms: NumPy, columns for rows
def signal_rms(depth, init):
    h = np.random.default_rng().normal(size=(256, 100))
    found = []
    for _ in range(depth):
        h = np.maximum(np.asarray(init((256, 256)), dtype=np.float64) @ h, 0)
        found.append(np.sqrt(np.mean(h**2)))
    return found


# %% right signal_rms: recursion and a norm, in a tensor
def signal_rms(depth, init):
    def onward(h, left):
        if left == 0:
            return []
        h = F.relu(F.linear(h, init((256, 256)).to(torch.float64)))
        return [float(torch.linalg.norm(h)) / h.numel() ** 0.5, *onward(h, left - 1)]

    return onward(torch.randn(100, 256, dtype=torch.double), depth)


# %% wrong signal_rms: no ReLU loses=["test-signal_rms", "hidden-signal_rms"]
def signal_rms(depth, init):
    h, found = torch.randn(100, 256, dtype=torch.float64), []
    for _ in range(depth):
        h = h @ init((256, 256)).double().T
        found.append(h.square().mean().sqrt().item())
    return found


# %% wrong signal_rms: forgets the transpose loses=["hidden-signal_rms"]
def signal_rms(depth, init):
    h, found = torch.randn(100, 256).double(), torch.zeros(depth, dtype=torch.float64)
    for k in range(depth):
        h = torch.clamp(h @ init((256, 256)).double(), min=0)
        found[k] = (h * h).mean() ** 0.5
    return found


# %% wrong signal_rms: measures before the ReLU loses=["test-signal_rms", "hidden-signal_rms"]
def signal_rms(depth, init):
    h, found = torch.randn(100, 256, dtype=torch.float64), []
    for _ in range(depth):
        z = h @ init((256, 256)).double().T
        found.append(z.square().mean().sqrt().item())
        h = z.relu()
    return found


# %% wrong signal_rms: a standard deviation loses=["test-signal_rms", "hidden-signal_rms"]
def signal_rms(depth, init):
    h, found = torch.randn(100, 256, dtype=torch.float64), []
    for _ in range(depth):
        h = (h @ init((256, 256)).double().T).relu()
        found.append(h.std().item())
    return found


# %% wrong signal_rms: the mean square, without its root loses=["test-signal_rms", "hidden-signal_rms"]
def signal_rms(depth, init):
    h, found = torch.randn(100, 256, dtype=torch.float64), []
    for _ in range(depth):
        h = (h @ init((256, 256)).double().T).relu()
        found.append(h.square().mean().item())
    return found


# %% wrong signal_rms: only the last layer loses=["test-signal_rms", "hidden-signal_rms"]
def signal_rms(depth, init):
    h = torch.randn(100, 256, dtype=torch.float64)
    for _ in range(depth):
        h = (h @ init((256, 256)).double().T).relu()
    return [h.square().mean().sqrt().item()]


# %% wrong signal_rms: counts the input as a layer loses=["test-signal_rms", "hidden-signal_rms"]
def signal_rms(depth, init):
    h = torch.randn(100, 256, dtype=torch.float64)
    found = [h.square().mean().sqrt().item()]
    for _ in range(depth):
        h = (h @ init((256, 256)).double().T).relu()
        found.append(h.square().mean().sqrt().item())
    return found


# %% wrong signal_rms: one weight matrix for all layers loses=["hidden-signal_rms"]
def signal_rms(depth, init):
    h, found, w = torch.randn(100, 256, dtype=torch.float64), [], init((256, 256)).double()
    for _ in range(depth):
        h = (h @ w.T).relu()
        found.append(h.square().mean().sqrt().item())
    return found


# %% wrong signal_rms: float32, in which the weakest squares are 0 loses=["hidden-signal_rms"]
def signal_rms(depth, init):
    h, found = torch.randn(100, 256), []
    for _ in range(depth):
        h = (h @ init((256, 256)).float().T).relu()
        found.append(h.square().mean().sqrt().item())
    return found


# %% right batch_norm: a channel at a time
def batch_norm(x, gamma, beta, running, training):
    mean, var = running[0].clone(), running[1].clone()
    y = torch.empty_like(x)
    for c in range(x.shape[1]):
        values = x[:, c]
        if training:
            m, v, n = values.mean(), values.var(correction=0), values.numel()
            mean[c] = 0.9 * mean[c] + 0.1 * m
            var[c] = 0.9 * var[c] + 0.1 * v * n / (n - 1)
        else:
            m, v = mean[c], var[c]
        y[:, c] = gamma[c] * (values - m) / torch.sqrt(v + 1e-5) + beta[c]
    return y, (mean, var)


# %% right batch_norm: channels last, as a table
def batch_norm(x, gamma, beta, running, training):
    n, c, h, w = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(-1, c)
    mean, var = running
    if training:
        mean = rows.mean(0)
        var = ((rows - mean) ** 2).mean(0)
        new_mean = running[0] + 0.1 * (mean - running[0])
        new_var = running[1] + 0.1 * (rows.var(0) - running[1])
    else:
        new_mean, new_var = mean, var
    rows = gamma * (rows - mean) * (var + 1e-5).rsqrt() + beta
    return rows.reshape(n, h, w, c).permute(0, 3, 1, 2), [new_mean, new_var]


# %% wrong batch_norm: statistics over N alone loses=["test-batch_norm", "hidden-batch_norm"]
def batch_norm(x, gamma, beta, running, training):
    mean, var = (r[:, None, None] for r in running)
    if training:
        mean, var = x.mean(0), x.var(0, correction=0)
        running = (
            0.9 * running[0] + 0.1 * mean.mean((1, 2)),
            0.9 * running[1] + 0.1 * x.var(0).mean((1, 2)),
        )
    y = (x - mean) / (var + 1e-5).sqrt()
    return gamma[:, None, None] * y + beta[:, None, None], running


# %% wrong batch_norm: one mean for all channels loses=["test-batch_norm", "hidden-batch_norm"]
def batch_norm(x, gamma, beta, running, training):
    mean, var = (r[:, None, None] for r in running)
    if training:
        mean, var = x.mean(), x.var(correction=0)
        running = (0.9 * running[0] + 0.1 * mean, 0.9 * running[1] + 0.1 * x.var())
    y = (x - mean) / (var + 1e-5).sqrt()
    return gamma[:, None, None] * y + beta[:, None, None], running


# %% wrong batch_norm: each image by itself loses=["test-batch_norm", "hidden-batch_norm"]
def batch_norm(x, gamma, beta, running, training):
    mean, var = (r[:, None, None] for r in running)
    if training:
        mean, var = x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True)
        running = (
            0.9 * running[0] + 0.1 * x.mean((0, 2, 3)),
            0.9 * running[1] + 0.1 * x.var((0, 2, 3)),
        )
    y = (x - mean) / (var + 1e-5).sqrt()
    return gamma[:, None, None] * y + beta[:, None, None], running


# %% wrong batch_norm: the biased variance runs along loses=["hidden-batch_norm"]
def batch_norm(x, gamma, beta, running, training):
    mean, var = running
    if training:
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        running = (0.9 * running[0] + 0.1 * mean, 0.9 * running[1] + 0.1 * var)
    y = (x - mean[:, None, None]) / (var + 1e-5).sqrt()[:, None, None]
    return gamma[:, None, None] * y + beta[:, None, None], running


# %% wrong batch_norm: normalises with the unbiased variance loses=["test-batch_norm", "hidden-batch_norm"]
def batch_norm(x, gamma, beta, running, training):
    mean, var = running
    if training:
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3))
        running = (0.9 * running[0] + 0.1 * mean, 0.9 * running[1] + 0.1 * var)
    y = (x - mean[:, None, None]) / (var + 1e-5).sqrt()[:, None, None]
    return gamma[:, None, None] * y + beta[:, None, None], running


# %% wrong batch_norm: the batch's statistics in evaluation, too loses=["test-batch_norm", "hidden-batch_norm"]
def batch_norm(x, gamma, beta, running, training):
    mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
    if training:
        running = (
            0.9 * running[0] + 0.1 * mean,
            0.9 * running[1] + 0.1 * x.var((0, 2, 3)),
        )
    y = (x - mean[:, None, None]) / (var + 1e-5).sqrt()[:, None, None]
    return gamma[:, None, None] * y + beta[:, None, None], running


# %% wrong batch_norm: the running pair follows nine times too fast loses=["hidden-batch_norm"]
def batch_norm(x, gamma, beta, running, training):
    mean, var = running
    if training:
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        running = (
            0.1 * running[0] + 0.9 * mean,
            0.1 * running[1] + 0.9 * x.var((0, 2, 3)),
        )
    y = (x - mean[:, None, None]) / (var + 1e-5).sqrt()[:, None, None]
    return gamma[:, None, None] * y + beta[:, None, None], running


# %% wrong batch_norm: forgets eps loses=["hidden-batch_norm"]
def batch_norm(x, gamma, beta, running, training):
    mean, var = running
    if training:
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        running = (
            0.9 * running[0] + 0.1 * mean,
            0.9 * running[1] + 0.1 * x.var((0, 2, 3)),
        )
    y = (x - mean[:, None, None]) / var.sqrt()[:, None, None]
    return gamma[:, None, None] * y + beta[:, None, None], running


# %% wrong batch_norm: writes into the running pair that it was given loses=["hidden-batch_norm"]
def batch_norm(x, gamma, beta, running, training):
    mean, var = running
    if training:
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        running[0].mul_(0.9).add_(0.1 * mean)
        running[1].mul_(0.9).add_(0.1 * x.var((0, 2, 3)))
    y = (x - mean[:, None, None]) / (var + 1e-5).sqrt()[:, None, None]
    return gamma[:, None, None] * y + beta[:, None, None], running


# %% wrong batch_norm: torch's own loses=["test-batch_norm", "hidden-batch_norm"]
def batch_norm(x, gamma, beta, running, training):
    mean, var = running[0].clone(), running[1].clone()
    return F.batch_norm(x, mean, var, gamma, beta, training), (mean, var)


# %% right dropout: a mask of Bernoulli throws
def dropout(x, p, training):
    if training and p > 0:
        mask = torch.bernoulli(torch.full(x.shape, 1.0 - p)).to(x.dtype)
        return mask * (x / (1 - p))
    return x.clone()


# %% right dropout: writes zeros where the coin falls
def dropout(x, p, training):
    y = x.clone()
    if training:
        y = y / (1 - p)
        y[torch.rand(x.shape) < p] = 0
    return y


# %% wrong dropout: unscaled loses=["test-dropout", "hidden-dropout"]
def dropout(x, p, training):
    return x * (torch.rand_like(x) >= p) if training else x


# %% wrong dropout: scales in evaluation, as AlexNet did loses=["test-dropout", "hidden-dropout"]
def dropout(x, p, training):
    return x * (torch.rand_like(x) >= p) if training else x * (1 - p)


# %% wrong dropout: takes p for the probability to keep loses=["test-dropout", "hidden-dropout"]
def dropout(x, p, training):
    return x * (torch.rand_like(x) < p) / p if training and p else x


# %% wrong dropout: keeps p but divides by the right number loses=["hidden-dropout"]
def dropout(x, p, training):
    return x * (torch.rand_like(x) < p) / (1 - p) if training else x


# %% wrong dropout: drops in evaluation, too loses=["test-dropout", "hidden-dropout"]
def dropout(x, p, training):
    return x * (torch.rand_like(x) >= p) / (1 - p)


# %% wrong dropout: one throw for a whole neuron, the same in all images loses=["hidden-dropout"]
def dropout(x, p, training):
    return x * (torch.rand(x.shape[1:], dtype=x.dtype) >= p) / (1 - p) if training else x


# %% wrong dropout: one throw for a whole image loses=["hidden-dropout"]
def dropout(x, p, training):
    survives = torch.rand(len(x), *[1] * (x.ndim - 1)) >= p
    return x * survives / (1 - p) if training else x


# %% wrong dropout: the same throws at every call loses=["hidden-dropout"]
def dropout(x, p, training):
    throws = torch.rand(x.shape, generator=torch.Generator().manual_seed(0))
    return x * (throws >= p) / (1 - p) if training else x


# %% wrong dropout: drops an exact share loses=["hidden-dropout"]
def dropout(x, p, training):
    if not training:
        return x
    keep = torch.ones(x.numel())
    keep[torch.randperm(x.numel())[: round(p * x.numel())]] = 0
    return x * keep.reshape(x.shape) / (1 - p)


# %% wrong dropout: works on the input itself loses=["hidden-dropout"]
def dropout(x, p, training):
    return x.mul_(torch.rand_like(x) >= p).div_(1 - p) if training else x


# %% wrong dropout: torch's own loses=["test-dropout", "hidden-dropout"]
def dropout(x, p, training):
    return F.dropout(x, p, training)


# %% right augment: rolls, then wipes what came round
def augment(images):
    out = images.clone()
    h, w = images.shape[-2:]
    for k in range(len(out)):
        dy, dx = (int(torch.randint(-2, 3, ())) for _ in range(2))
        out[k] = torch.roll(images[k], (dy, dx), (1, 2))
        for d, size, axis in ((dy, h, 1), (dx, w, 2)):
            if d:
                lost = slice(0, d) if d > 0 else slice(size + d, size)
                out[k][(slice(None),) * axis + (lost,)] = 0
    return out


# %% right augment: copies the part that stays, shift by shift
def augment(images):
    n, c, h, w = images.shape
    out, choice = torch.zeros_like(images), torch.randint(0, 25, (n,))
    for k, dy, dx in ((5 * (a + 2) + b + 2, a, b) for a in range(-2, 3) for b in range(-2, 3)):
        rows = choice == k
        to_y, to_x = slice(max(dy, 0), h + min(dy, 0)), slice(max(dx, 0), w + min(dx, 0))
        from_y, from_x = slice(max(-dy, 0), h + min(-dy, 0)), slice(max(-dx, 0), w + min(-dx, 0))
        moved = torch.zeros_like(images[rows])
        moved[:, :, to_y, to_x] = images[rows][:, :, from_y, from_x]
        out[rows] = moved
    return out


# %% right augment: torchvision's random crop, image by image
from torchvision.transforms import RandomCrop


def augment(images):
    return torch.stack([RandomCrop(image.shape[1:], padding=2)(image) for image in images])


# %% wrong augment: labels broken by flips loses=["test-augment", "hidden-augment"]
def augment(images):
    flip = torch.rand(len(images)) < 0.5
    out = images.clone()
    out[flip] = images[flip].flip(3)
    return out


# %% wrong augment: shifts and flips loses=["test-augment", "hidden-augment"]
def augment(images):
    h, w = images.shape[2:]
    room = F.pad(images, (2, 2, 2, 2))
    moved = []
    for one in room:
        y, x = torch.randint(0, 5, (2,)).tolist()
        one = one[:, y : y + h, x : x + w]
        moved.append(one.flip(2) if torch.rand(1) < 0.5 else one)
    return torch.stack(moved)


# %% wrong augment: what leaves comes in on the other side loses=["test-augment", "hidden-augment"]
def augment(images):
    ways = torch.randint(-2, 3, (len(images), 2)).tolist()
    return torch.stack([image.roll(way, (1, 2)) for image, way in zip(images, ways)])


# %% wrong augment: the whole batch moves together loses=["hidden-augment"]
def augment(images):
    h, w = images.shape[2:]
    y, x = torch.randint(0, 5, (2,)).tolist()
    y += y == x == 2
    return F.pad(images, (2, 2, 2, 2))[:, :, y : y + h, x : x + w]


# %% wrong augment: along the diagonal only loses=["hidden-augment"]
def augment(images):
    h, w = images.shape[2:]
    room, starts = F.pad(images, (2, 2, 2, 2)), torch.randint(0, 5, (len(images),)).tolist()
    return torch.stack([one[:, k : k + h, k : k + w] for one, k in zip(room, starts)])


# %% wrong augment: never up, never to the left loses=["hidden-augment"]
def augment(images):
    h, w = images.shape[2:]
    room, starts = F.pad(images, (2, 2, 2, 2)), torch.randint(0, 3, (len(images), 2)).tolist()
    return torch.stack([one[:, y : y + h, x : x + w] for one, (y, x) in zip(room, starts)])


# %% wrong augment: too far loses=["test-augment", "hidden-augment"]
def augment(images):
    h, w = images.shape[2:]
    room, starts = F.pad(images, (4, 4, 4, 4)), torch.randint(0, 9, (len(images), 2)).tolist()
    return torch.stack([one[:, y : y + h, x : x + w] for one, (y, x) in zip(room, starts)])


# %% wrong augment: noise on the pixels loses=["test-augment", "hidden-augment"]
def augment(images):
    return (images + 0.1 * torch.randn_like(images)).clamp(0, 1)


# %% wrong augment: nothing at all loses=["test-augment", "hidden-augment"]
def augment(images):
    return images.clone()


# %% wrong augment: overwrites the digits it was given loses=["test-augment", "hidden-augment"]
def augment(images):
    h, w = images.shape[2:]
    room, starts = F.pad(images, (2, 2, 2, 2)), torch.randint(0, 5, (len(images), 2)).tolist()
    for k, (y, x) in enumerate(starts):
        images[k] = room[k, :, y : y + h, x : x + w]
    return images


# %% right plain_net: a module with a list of layers
def plain_net(init):
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            widths = [784] + [64] * 11 + [10]
            self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in zip(widths, widths[1:]))
            for layer in self.layers:
                layer.weight = nn.Parameter(init(tuple(layer.weight.shape)))
                nn.init.zeros_(layer.bias)

        def forward(self, x):
            x = x.reshape(len(x), -1)
            for layer in self.layers[:-1]:
                x = F.relu(layer(x))
            return self.layers[-1](x)

    return Plain()


# %% right plain_net: assigns the data, layer by layer
def plain_net(init):
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU())
    for _ in range(10):
        net.extend([nn.Linear(64, 64), nn.ReLU()])
    net.append(nn.Linear(64, 10))
    for layer in net:
        if isinstance(layer, nn.Linear):
            layer.weight.data = init(layer.weight.shape).float()
            layer.bias.data.fill_(0)
    return net


# %% wrong plain_net: keeps torch's weights loses=["test-plain_net", "hidden-plain_net"]
def plain_net(init):
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layers += [nn.Linear(inputs, out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


# %% wrong plain_net: keeps torch's biases loses=["test-plain_net", "hidden-plain_net"]
def plain_net(init):
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layer = nn.Linear(inputs, out)
        with torch.no_grad():
            layer.weight.copy_(init((out, inputs)))
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


# %% wrong plain_net: a layer too few loses=["test-plain_net", "hidden-plain_net"]
def plain_net(init):
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *9 * [(64, 64)], (64, 10)]:
        layer = nn.Linear(inputs, out)
        with torch.no_grad():
            layer.weight.copy_(init((out, inputs)))
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


# %% wrong plain_net: no ReLU, so all twelve are one loses=["hidden-plain_net"]
def plain_net(init):
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layer = nn.Linear(inputs, out)
        with torch.no_grad():
            layer.weight.copy_(init((out, inputs)))
            layer.bias.zero_()
        layers.append(layer)
    return nn.Sequential(*layers)


# %% wrong plain_net: a ReLU on the logits loses=["hidden-plain_net"]
def plain_net(init):
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layer = nn.Linear(inputs, out)
        with torch.no_grad():
            layer.weight.copy_(init((out, inputs)))
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers)


# %% wrong plain_net: softmax inside loses=["test-plain_net", "hidden-plain_net"]
def plain_net(init):
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layer = nn.Linear(inputs, out)
        with torch.no_grad():
            layer.weight.copy_(init((out, inputs)))
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Softmax(1))


# %% wrong plain_net: one matrix for all ten inner layers loses=["hidden-plain_net"]
def plain_net(init):
    layers, inner = [nn.Flatten()], init((64, 64))
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layer = nn.Linear(inputs, out)
        with torch.no_grad():
            layer.weight.copy_(inner if inputs == out else init((out, inputs)))
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


# %% wrong plain_net: batch norm in a net that should be plain loses=["test-plain_net", "hidden-plain_net"]
def plain_net(init):
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layer = nn.Linear(inputs, out)
        with torch.no_grad():
            layer.weight.copy_(init((out, inputs)))
            layer.bias.zero_()
        layers += [layer, nn.BatchNorm1d(out), nn.ReLU()]
    return nn.Sequential(*layers[:-2])


# %% wrong plain_net: the weights of a layer multiplied by 0.01 after init loses=["test-plain_net", "hidden-plain_net"]
def plain_net(init):
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layer = nn.Linear(inputs, out)
        with torch.no_grad():
            layer.weight.copy_(0.01 * init((out, inputs)))
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


# %% wrong plain_net: the weights cannot be trained loses=["hidden-plain_net"]
def plain_net(init):
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layer = nn.Linear(inputs, out)
        layer.weight = nn.Parameter(init((out, inputs)), requires_grad=False)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


# %% right batch_norm: in NumPy's terms, one channel after the other
def batch_norm(x, gamma, beta, running, training):
    y, means, variances = torch.empty_like(x), running[0].clone(), running[1].clone()
    for c in range(x.shape[1]):
        numbers = x[:, c].flatten()
        mean, var = running[0][c], running[1][c]
        if training:
            mean = numbers.sum() / len(numbers)
            squares = ((numbers - mean) ** 2).sum()
            var = squares / len(numbers)
            means[c] = 0.9 * running[0][c] + 0.1 * mean
            variances[c] = 0.9 * running[1][c] + 0.1 * squares / (len(numbers) - 1)
        y[:, c] = (x[:, c] - mean) / (var + 1e-5) ** 0.5 * gamma[c] + beta[c]
    return y, (means, variances)


# %% right dropout: a mask from a Bernoulli distribution
def dropout(x, p, training):
    if training:
        keep = torch.bernoulli(torch.full(x.shape, 1.0 - p)).to(x.dtype)
        return x * keep / (1 - p)
    return x.clone()


# %% right he_normal: by the normal distribution of torch, in place
def he_normal(shape):
    fan_in = 1
    for size in list(shape)[1:]:
        fan_in *= size
    return torch.empty(shape).normal_(0, (2 / fan_in) ** 0.5)


# %% wrong he_normal: inputs alone, without the window loses=["hidden-he_normal"]
def he_normal(shape):
    return torch.randn(shape) * (2 / shape[1]) ** 0.5


# %% right plain_net: a module of its own, with a list of layers
def plain_net(init):
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            widths = [784] + [64] * 11 + [10]
            self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
            for layer in self.layers:
                layer.weight.data = init(tuple(layer.weight.shape)).clone()
                nn.init.zeros_(layer.bias)

        def forward(self, x):
            h = x.reshape(len(x), -1)
            for layer in list(self.layers)[:-1]:
                h = torch.relu(layer(h))
            return self.layers[-1](h)

    return Plain()


# %% right signal_rms: columns for rows, and the mean of squares by NumPy
def signal_rms(depth, init):
    h = np.random.default_rng().normal(size=(256, 100))
    strengths = []
    while len(strengths) < depth:
        h = np.maximum(np.asarray(init((256, 256)).double()) @ h, 0)
        strengths.append(np.sqrt(np.mean(h**2)))
    return strengths


# %% right retrieval: worked out from the numbers of another name
def retrieval():
    q = questions("grace")
    return "grace", {
        "steps": -(-q["n"] // q["m"]),
        "pool": 0,
        "dense": q["k"] * (q["c"] * q["s"] ** 2 + 1),
        "set": "validation",
        "mode": "evaluation",
    }


# %% right retrieval: by counting batches and weights
def retrieval():
    n, m, c, s, k = questions("Emmy").values()
    steps = sum(1 for _ in range(0, n, m))
    return ["emmy", {"mode": "evaluation", "set": "validation", "dense": k * c * s * s + k, "pool": 0.0, "steps": steps}]


# %% right retrieval: by asking torch
def retrieval():
    q = questions("noether")
    layer = nn.Linear(q["c"] * q["s"] * q["s"], q["k"])
    return "noether", {
        "steps": len(torch.arange(q["n"]).split(q["m"])), "pool": len(list(nn.MaxPool2d(2).parameters())),
        "dense": sum(p.numel() for p in layer.parameters()), "set": "validation", "mode": "evaluation",
    }


# %% wrong retrieval: drops the short batch loses=["hidden-retrieval"]
def retrieval():
    q = questions("grace")
    return "grace", {
        "steps": q["n"] // q["m"],
        "pool": 0,
        "dense": q["k"] * (q["c"] * q["s"] ** 2 + 1),
        "set": "validation",
        "mode": "evaluation",
    }


# %% wrong retrieval: a pool has weights loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "steps": -(-q["n"] // q["m"]),
        "pool": 4 * q["c"],
        "dense": q["k"] * (q["c"] * q["s"] ** 2 + 1),
        "set": "validation",
        "mode": "evaluation",
    }


# %% wrong retrieval: forgets to lay the maps flat loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "steps": -(-q["n"] // q["m"]),
        "pool": 0,
        "dense": q["k"] * (q["c"] + 1),
        "set": "validation",
        "mode": "evaluation",
    }


# %% wrong retrieval: chooses on the test set loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "steps": -(-q["n"] // q["m"]),
        "pool": 0,
        "dense": q["k"] * (q["c"] * q["s"] ** 2 + 1),
        "set": "test",
        "mode": "evaluation",
    }


# %% wrong retrieval: infers in training mode loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "steps": -(-q["n"] // q["m"]),
        "pool": 0,
        "dense": q["k"] * (q["c"] * q["s"] ** 2 + 1),
        "set": "validation",
        "mode": "training",
    }


# %% wrong retrieval: leaves one out loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "steps": -(-q["n"] // q["m"]),
        "pool": 0,
        "dense": q["k"] * (q["c"] * q["s"] ** 2 + 1),
        "set": "validation",
    }


# %% wrong retrieval: the numbers of another name loses=["hidden-retrieval"]
def retrieval():
    q = questions("grace")
    return "ada", {
        "steps": -(-q["n"] // q["m"]),
        "pool": 0,
        "dense": q["k"] * (q["c"] * q["s"] ** 2 + 1),
        "set": "validation",
        "mode": "evaluation",
    }


# %% wrong retrieval: no name loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return {
        "steps": -(-q["n"] // q["m"]),
        "pool": 0,
        "dense": q["k"] * (q["c"] * q["s"] ** 2 + 1),
        "set": "validation",
        "mode": "evaluation",
    }


# %% right sgd_momentum_step: one line, as a list
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    return [w - lr * momentum * velocity - lr * grad, velocity * momentum + grad]


# %% right sgd_momentum_step: on copies, in place
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    w, velocity = w.clone(), velocity.clone()
    velocity.mul_(momentum).add_(grad)
    w.sub_(velocity, alpha=lr)
    return w, velocity


# %% right sgd_momentum_step: by torch.add and torch.lerp's kin
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    new = torch.add(grad, velocity, alpha=momentum)
    return torch.add(w, new, alpha=-lr), new


# %% wrong sgd_momentum_step: the weights take the old velocity loses=["test-sgd_momentum_step", "hidden-sgd_momentum_step"]
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    return w - lr * velocity, momentum * velocity + grad


# %% wrong sgd_momentum_step: uphill loses=["test-sgd_momentum_step", "hidden-sgd_momentum_step"]
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + grad
    return w + lr * velocity, velocity


# %% wrong sgd_momentum_step: forgets momentum loses=["test-sgd_momentum_step", "hidden-sgd_momentum_step"]
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = grad
    return w - lr * velocity, velocity


# %% wrong sgd_momentum_step: a running mean, which damps the gradient loses=["test-sgd_momentum_step", "hidden-sgd_momentum_step"]
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + (1 - momentum) * grad
    return w - lr * velocity, velocity


# %% wrong sgd_momentum_step: the learning rate inside of the velocity loses=["test-sgd_momentum_step", "hidden-sgd_momentum_step"]
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + lr * grad
    return w - velocity, velocity


# %% wrong sgd_momentum_step: always 0.9 loses=["test-sgd_momentum_step", "hidden-sgd_momentum_step"]
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = 0.9 * velocity + grad
    return w - lr * velocity, velocity


# %% wrong sgd_momentum_step: changes the velocity that came in loses=["hidden-sgd_momentum_step"]
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity.mul_(momentum).add_(grad)
    return w - lr * velocity, velocity


# %% wrong sgd_momentum_step: changes the weights that came in loses=["hidden-sgd_momentum_step"]
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + grad
    w -= lr * velocity
    return w, velocity


# %% wrong sgd_momentum_step: Nesterov's step loses=["test-sgd_momentum_step", "hidden-sgd_momentum_step"]
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + grad
    return w - lr * (grad + momentum * velocity), velocity


# %% right adam_step: by lerp
def adam_step(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v = torch.lerp(m, grad, 1 - beta1), torch.lerp(v, grad * grad, 1 - beta2)
    scale = (v / (1 - beta2**t)) ** 0.5 + eps
    return w - (lr / (1 - beta1**t)) * (m / scale), m, v


# %% right adam_step: on copies, in place
def adam_step(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    w, m, v = w.clone(), m.clone(), v.clone()
    m.mul_(beta1).add_(grad, alpha=1 - beta1)
    v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
    w.addcdiv_(m, (v / (1 - beta2**t)).sqrt_().add_(eps), value=-lr / (1 - beta1**t))
    return [w, m, v]


# %% right adam_step: in NumPy, and back
def adam_step(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    w, grad, m, v = (tensor.detach().numpy().astype(float) for tensor in (w, grad, m, v))
    m = m + (1 - beta1) * (grad - m)
    v = v + (1 - beta2) * (grad**2 - v)
    step = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return torch.tensor(w - lr * step), torch.tensor(m), torch.tensor(v)


# %% wrong adam_step: does not correct the means loses=["test-adam_step", "hidden-adam_step"]
def adam_step(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    mean, square = m, v
    return w - lr * mean / (square.sqrt() + eps), m, v


# %% wrong adam_step: returns the corrected means loses=["test-adam_step", "hidden-adam_step"]
def adam_step(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    mean, square = m / (1 - beta1**t), v / (1 - beta2**t)
    return w - lr * mean / (square.sqrt() + eps), mean, square


# %% wrong adam_step: forgets the root loses=["test-adam_step", "hidden-adam_step"]
def adam_step(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    mean, square = m / (1 - beta1**t), v / (1 - beta2**t)
    return w - lr * mean / (square + eps), m, v


# %% wrong adam_step: eps under the root loses=["hidden-adam_step"]
def adam_step(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    mean, square = m / (1 - beta1**t), v / (1 - beta2**t)
    return w - lr * mean / (square + eps).sqrt(), m, v


# %% wrong adam_step: the betas swapped loses=["test-adam_step", "hidden-adam_step"]
def adam_step(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta2 * m + (1 - beta2) * grad
    v = beta1 * v + (1 - beta1) * grad**2
    mean, square = m / (1 - beta1**t), v / (1 - beta2**t)
    return w - lr * mean / (square.sqrt() + eps), m, v


# %% wrong adam_step: the gradient without its square loses=["test-adam_step", "hidden-adam_step"]
def adam_step(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad.abs()
    mean, square = m / (1 - beta1**t), v / (1 - beta2**t)
    return w - lr * mean / (square.sqrt() + eps), m, v


# %% wrong adam_step: uphill loses=["test-adam_step", "hidden-adam_step"]
def adam_step(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    mean, square = m / (1 - beta1**t), v / (1 - beta2**t)
    return w + lr * mean / (square.sqrt() + eps), m, v


# %% wrong adam_step: counts steps from 0 loses=["test-adam_step", "hidden-adam_step"]
def adam_step(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    mean, square = m / (1 - beta1**(t + 1)), v / (1 - beta2**(t + 1))
    return w - lr * mean / (square.sqrt() + eps), m, v


# %% wrong adam_step: changes the mean that came in loses=["hidden-adam_step"]
def adam_step(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    m.mul_(beta1).add_((1 - beta1) * grad)
    v = beta2 * v + (1 - beta2) * grad**2
    mean, square = m / (1 - beta1**t), v / (1 - beta2**t)
    return w - lr * mean / (square.sqrt() + eps), m, v


# %% right own_code: calls the functions
def own_code():
    batches = list(minibatches(103, 25, 0))
    out = dropout(3 * torch.ones(50, 50), 0.25, True)
    weights = [glorot_uniform((8, 4, 3, 3)) for _ in range(100)]
    return {"bound": max(w.max().item() for w in weights), "survivor": out[out != 0][0], "last": len(batches[-1])}


# %% right own_code: with the bound from a formula of the largest of many
def own_code():
    *_, last = minibatches(103, 25, seed=0)
    survivors = {round(float(value), 4) for value in dropout(torch.full((400,), 3.0), 0.25, True)} - {0.0}
    drawn = torch.cat([glorot_uniform((8, 4, 3, 3)).flatten() for _ in range(60)])
    return {"last": len(last), "survivor": survivors.pop(), "bound": float(drawn.abs().max())}


# %% right own_code: rounded, and as text turned into numbers
def own_code():
    sizes = [len(rows) for rows in minibatches(103, 25, 0)]
    top = max(float(glorot_uniform((8, 4, 3, 3)).abs().max()) for _ in range(80))
    survivor = dropout(torch.full((99,), 3.0), 0.25, True).max()
    return {"last": int(f"{sizes[-1]}"), "survivor": float(survivor), "bound": float(f"{top:.2f}")}


# %% wrong own_code: drops the short batch loses=["hidden-own_code"]
def own_code():
    return {"last": 25, "survivor": 4.0, "bound": 0.24}


# %% wrong own_code: does not scale the survivors loses=["hidden-own_code"]
def own_code():
    return {"last": 3, "survivor": 3.0, "bound": 0.24}


# %% wrong own_code: multiplies by p loses=["hidden-own_code"]
def own_code():
    return {"last": 3, "survivor": 0.75, "bound": 0.24}


# %% wrong own_code: the variance for the bound loses=["hidden-own_code"]
def own_code():
    return {"last": 3, "survivor": 4.0, "bound": 0.019}


# %% wrong own_code: divides by p loses=["hidden-own_code"]
def own_code():
    return {"last": 3, "survivor": 12.0, "bound": 0.24}


# %% wrong own_code: the standard deviation for the bound loses=["hidden-own_code"]
def own_code():
    return {"last": 3, "survivor": 4.0, "bound": 0.14}


# %% wrong own_code: the fans without the window loses=["hidden-own_code"]
def own_code():
    return {"last": 3, "survivor": 4.0, "bound": 0.71}


# %% wrong own_code: the last batch of 100 loses=["hidden-own_code"]
def own_code():
    return {"last": 0, "survivor": 4.0, "bound": 0.24}


# %% right plain_net: parameters made of what init returned
def plain_net(init):
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layer = nn.Linear(inputs, out)
        layer.weight = nn.Parameter(init((out, inputs)))
        layer.bias = nn.Parameter(torch.zeros(out))
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


# %% right cross_entropy: logaddexp over the classes
def cross_entropy(logits, labels):
    total = logits[:, 0]
    for k in range(1, logits.shape[1]):
        total = torch.logaddexp(total, logits[:, k])
    return (total - logits[torch.arange(len(labels)), labels]).mean()


# %% wrong minibatches: takes seed 0 for no seed loses=["hidden-minibatches"]
def minibatches(n, size, seed=None):
    rng = np.random.default_rng(seed if seed else None)
    order = rng.permutation(n)
    for start in range(0, n, size):
        yield order[start : start + size]


# %% wrong minibatches: parts of about equal size loses=["hidden-minibatches"]
def minibatches(n, size, seed):
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    yield from order.chunk(-(-n // size))


# %% wrong minibatches: leaves torch with a random seed loses=["hidden-minibatches"]
def minibatches(n, size, seed):
    torch.manual_seed(seed)
    order = torch.randperm(n)
    torch.seed()
    return list(order.split(size))


# %% wrong minibatches: puts torch's state back after the last batch only loses=["hidden-minibatches"]
def minibatches(n, size, seed):
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    yield from torch.randperm(n).split(size)
    torch.set_rng_state(state)


# %% wrong sgd_momentum_step: keeps the velocity where momentum is 0 loses=["hidden-sgd_momentum_step"]
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.9):
    if not momentum:
        return w - lr * grad, velocity
    v = momentum * velocity + grad
    return w - lr * v, v


# %% wrong sgd_momentum_step: a half for the default momentum loses=["hidden-sgd_momentum_step"]
def sgd_momentum_step(w, grad, velocity, lr, momentum=0.5):
    v = momentum * velocity + grad
    return w - lr * v, v


# %% wrong glorot_uniform: one row of weights for all neurons loses=["test-glorot_uniform", "hidden-glorot_uniform"]
def glorot_uniform(shape):
    taps = int(np.prod(shape[2:]))
    a = (6 / (taps * (shape[0] + shape[1]))) ** 0.5
    return ((2 * torch.rand(shape[1:]) - 1) * a).expand(shape).clone()


# %% wrong signal_rms: the mean of the RMS of each row loses=["hidden-signal_rms"]
def signal_rms(depth, init):
    h, strengths = torch.randn(100, 256, dtype=torch.float64), []
    for _ in range(depth):
        h = (h @ init((256, 256)).double().T).relu()
        strengths.append(h.square().mean(1).sqrt().mean().item())
    return strengths


# %% wrong signal_rms: one row for a hundred loses=["test-signal_rms", "hidden-signal_rms"]
def signal_rms(depth, init):
    h, strengths = torch.randn(1, 256, dtype=torch.float64), []
    for _ in range(depth):
        h = (h @ init((256, 256)).double().T).relu()
        strengths.append(h.square().mean().sqrt().item())
    return strengths


# %% wrong signal_rms: starts from rows of one sign each loses=["hidden-signal_rms"]
def signal_rms(depth, init):
    h, strengths = (torch.rand(100, 256, dtype=torch.float64) * 2 - 1) * 1.7320508, []
    h = h.abs() * torch.where(torch.rand(100, 1) < 0.5, -1, 1)
    for _ in range(depth):
        h = (h @ init((256, 256)).double().T).relu()
        strengths.append(h.square().mean().sqrt().item())
    return strengths


# %% wrong batch_norm: adds eps to the running variance loses=["hidden-batch_norm"]
def batch_norm(x, gamma, beta, running, training):
    if training:
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0) + 1e-5
        running = 0.9 * running[0] + 0.1 * mean, 0.9 * running[1] + 0.1 * (x.var((0, 2, 3)) + 1e-5)
        scale = var.sqrt()
    else:
        mean, scale = running[0], (running[1] + 1e-5).sqrt()
    y = (x - mean[:, None, None]) / scale[:, None, None]
    return gamma[:, None, None] * y + beta[:, None, None], running


# %% wrong dropout: draws from NumPy's generator loses=["hidden-dropout"]
def dropout(x, p, training):
    if not training:
        return x
    keep = torch.from_numpy(np.random.default_rng().random(tuple(x.shape)) >= p)
    return x * keep / (1 - p)


# %% wrong dropout: drops numbers above 0 only loses=["hidden-dropout"]
def dropout(x, p, training):
    if not training:
        return x
    alive = (torch.rand_like(x) >= p) | (x < 0)
    return torch.where(alive, x / (1 - p), torch.zeros_like(x))


# %% wrong augment: draws from NumPy's generator loses=["hidden-augment"]
def augment(images):
    h, w = images.shape[2:]
    rng, out = np.random.default_rng(), []
    for image in F.pad(images, (2, 2, 2, 2)):
        y, x = rng.integers(0, 5, 2)
        out.append(image[:, y : y + h, x : x + w])
    return torch.stack(out)


# %% wrong augment: draws from Python's generator loses=["hidden-augment"]
def augment(images):
    import random

    h, w = images.shape[2:]
    out = []
    for image in F.pad(images, (2, 2, 2, 2)):
        y, x = random.randrange(5), random.randrange(5)
        out.append(image[:, y : y + h, x : x + w])
    return torch.stack(out)


# %% wrong plain_net: transposes square weights loses=["hidden-plain_net"]
def plain_net(init):
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layer, weights = nn.Linear(inputs, out), init((out, inputs))
        with torch.no_grad():
            layer.weight.copy_(weights.T if inputs == out else weights)
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


# %% wrong plain_net: made from last to first loses=["hidden-plain_net"]
def plain_net(init):
    layers = []
    for inputs, out in [(64, 10), *10 * [(64, 64)], (784, 64)]:
        layer = nn.Linear(inputs, out)
        with torch.no_grad():
            layer.weight.copy_(init((out, inputs)))
            layer.bias.zero_()
        layers = [nn.ReLU(), layer] + layers
    return nn.Sequential(nn.Flatten(), *layers[1:])


# %% wrong plain_net: calls init once more loses=["hidden-plain_net"]
def plain_net(init):
    kind = init((64, 64)).dtype
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layer = nn.Linear(inputs, out, dtype=kind)
        with torch.no_grad():
            layer.weight.copy_(init((out, inputs)))
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


# %% wrong plain_net: switches gradients off for good loses=["hidden-plain_net"]
def plain_net(init):
    torch.set_grad_enabled(False)
    layers = [nn.Flatten()]
    for inputs, out in [(784, 64), *10 * [(64, 64)], (64, 10)]:
        layer = nn.Linear(inputs, out)
        layer.weight.copy_(init((out, inputs)))
        layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
