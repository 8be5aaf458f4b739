# %% [markdown]
# Answers to lesson 09, right and wrong: each stands in place of its exercise's solution cell.

# %% right iou: counts pairs of numbers, pixel by pixel, in lists
def iou(mask, target):
    pairs = list(zip(np.asarray(mask).ravel().tolist(), np.asarray(target).ravel().tolist()))
    either = [pair for pair in pairs if any(pair)]
    return sum(all(pair) for pair in either) / len(either) if either else 1


# %% right iou: minimum over maximum, in float64
def iou(mask, target):
    a, b = (torch.as_tensor(m).double() for m in (mask, target))
    union = torch.maximum(a, b).sum()
    return torch.where(union > 0, torch.minimum(a, b).sum() / union.clamp(min=1), torch.tensor(1.0))


# %% right iou: a sum of sizes, less what is shared
def iou(mask, target):
    a, b = np.asarray(mask, dtype=bool), np.asarray(target, dtype=bool)
    shared = np.count_nonzero(a & b)
    union = np.count_nonzero(a) + np.count_nonzero(b) - shared
    return np.float64(1.0) if union == 0 else np.float64(shared / union)


# %% wrong iou: 0/0 is not a number loses=["test-iou", "hidden-iou"]
def iou(mask, target):
    a, b = np.asarray(mask) == 1, np.asarray(target) == 1
    with np.errstate(invalid="ignore"):
        return np.float64((a & b).sum()) / np.float64((a | b).sum())


# %% wrong iou: 0/0 made 0 by a small number below loses=["test-iou", "hidden-iou"]
def iou(mask, target):
    a, b = mask == 1, target == 1
    return float((a & b).sum() / ((a | b).sum() + 1e-9))


# %% wrong iou: counts the shared pixels twice in the union loses=["test-iou", "hidden-iou"]
def iou(mask, target):
    a, b = mask == 1, target == 1
    total = a.sum() + b.sum()
    return float((a & b).sum() / total) if total else 1.0


# %% wrong iou: accuracy loses=["test-iou", "hidden-iou"]
def iou(mask, target):
    return float(np.mean(np.asarray(mask == target)))


# %% wrong iou: the share of the true pores that were found loses=["test-iou", "hidden-iou"]
def iou(mask, target):
    a, b = mask == 1, target == 1
    return float((a & b).sum() / b.sum()) if b.sum() else 1.0


# %% wrong iou: the mean over rows, not all pixels at once loses=["test-iou", "hidden-iou"]
def iou(mask, target):
    scores = []
    for a, b in zip(np.atleast_2d(np.asarray(mask)) == 1, np.atleast_2d(np.asarray(target)) == 1):
        scores.append((a & b).sum() / (a | b).sum() if (a | b).any() else 1.0)
    return float(np.mean(scores))


# %% wrong iou: works on bool masks alone loses=["hidden-iou"]
def iou(mask, target):
    union = (mask | target).sum()
    return float((mask & target).sum() / union) if union else 1.0


# %% wrong iou: an empty target is always 1, whatever was found loses=["hidden-iou"]
def iou(mask, target):
    a, b = mask == 1, target == 1
    return float((a & b).sum() / (a | b).sum()) if b.any() else 1.0


# %% right dice: from the overlap and the symmetric difference
def dice(mask, target):
    a, b = np.asarray(mask, dtype=bool), np.asarray(target, dtype=bool)
    shared, apart = np.count_nonzero(a & b), np.count_nonzero(a ^ b)
    return 2 * shared / (2 * shared + apart) if shared + apart else 1


# %% right dice: through IoU
def dice(mask, target):
    a, b = torch.as_tensor(mask).bool(), torch.as_tensor(target).bool()
    union = (a | b).sum().double()
    score = (a & b).sum() / union if union > 0 else torch.ones((), dtype=torch.float64)
    return 2 * score / (1 + score)


# %% right dice: products and sums of floats
def dice(mask, target):
    a, b = np.float64(np.asarray(mask)), np.float64(np.asarray(target))
    return 1.0 if not (a.any() or b.any()) else 2 * (a * b).sum() / (a.sum() + b.sum())


# %% wrong dice: 0/0 is not a number loses=["test-dice", "hidden-dice"]
def dice(mask, target):
    a, b = np.asarray(mask) == 1, np.asarray(target) == 1
    with np.errstate(invalid="ignore"):
        return 2 * np.float64((a & b).sum()) / np.float64(a.sum() + b.sum())


# %% wrong dice: 0/0 settled as 0 loses=["test-dice", "hidden-dice"]
def dice(mask, target):
    a, b = mask == 1, target == 1
    total = a.sum() + b.sum()
    return float(2 * (a & b).sum() / total) if total else 0.0


# %% wrong dice: forgets the factor 2 loses=["test-dice", "hidden-dice"]
def dice(mask, target):
    a, b = mask == 1, target == 1
    total = a.sum() + b.sum()
    return float((a & b).sum() / total) if total else 1.0


# %% wrong dice: is IoU loses=["test-dice", "hidden-dice"]
def dice(mask, target):
    a, b = mask == 1, target == 1
    union = (a | b).sum()
    return float((a & b).sum() / union) if union else 1.0


# %% wrong dice: one added above and below, "for stability" loses=["test-dice", "hidden-dice"]
def dice(mask, target):
    a, b = mask == 1, target == 1
    return float((2 * (a & b).sum() + 1) / (a.sum() + b.sum() + 1))


# %% wrong dice: works on bool masks alone loses=["hidden-dice"]
def dice(mask, target):
    total = mask.sum() + target.sum()
    return float(2 * (mask & target).sum() / total) if total else 1.0


# %% wrong dice: the mean over images, not all pixels at once loses=["hidden-dice"]
def dice(mask, target):
    a, b = mask == 1, target == 1
    if a.ndim < 3:
        total = a.sum() + b.sum()
        return float(2 * (a & b).sum() / total) if total else 1.0
    return float(np.mean([dice(one, two) for one, two in zip(a, b)]))


# %% wrong dice: an empty target is always 1, whatever was predicted loses=["hidden-dice"]
def dice(mask, target):
    a, b = mask == 1, target == 1
    if not b.any():
        return 1.0
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


# %% right upsample_nearest: Kronecker's product with a block of ones
def upsample_nearest(x, k):
    return torch.kron(x, torch.ones(1, 1, k, k, dtype=x.dtype))


# %% right upsample_nearest: indexes by floor(i / k)
def upsample_nearest(x, k):
    rows, columns = torch.arange(k * x.shape[2]) // k, torch.arange(k * x.shape[3]) // k
    return x[:, :, rows][:, :, :, columns]


# %% right upsample_nearest: NumPy's repeat
def upsample_nearest(x, k):
    return x.numpy().repeat(k, axis=2).repeat(k, axis=3)


# %% wrong upsample_nearest: tiles the map loses=["test-upsample_nearest", "hidden-upsample_nearest"]
def upsample_nearest(x, k):
    return x.repeat(1, 1, k, k)


# %% wrong upsample_nearest: a bed of nails loses=["test-upsample_nearest", "hidden-upsample_nearest"]
def upsample_nearest(x, k):
    n, c, h, w = x.shape
    out = x.new_zeros(n, c, k * h, k * w)
    out[:, :, ::k, ::k] = x
    return out


# %% wrong upsample_nearest: rows alone loses=["test-upsample_nearest", "hidden-upsample_nearest"]
def upsample_nearest(x, k):
    return x.repeat_interleave(k, dim=2)


# %% wrong upsample_nearest: always doubles loses=["hidden-upsample_nearest"]
def upsample_nearest(x, k):
    return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


# %% wrong upsample_nearest: the first channel only loses=["hidden-upsample_nearest"]
def upsample_nearest(x, k):
    return x[:, :1].repeat_interleave(k, dim=2).repeat_interleave(k, dim=3)


# %% wrong upsample_nearest: leaves it to torch loses=["test-upsample_nearest", "hidden-upsample_nearest"]
def upsample_nearest(x, k):
    return F.interpolate(x, scale_factor=k)


# %% wrong upsample_nearest: interpolates bilinearly loses=["test-upsample_nearest", "hidden-upsample_nearest"]
def upsample_nearest(x, k):
    return F.interpolate(x, scale_factor=k, mode="bilinear")


# %% wrong upsample_nearest: rows and columns exchanged loses=["test-upsample_nearest", "hidden-upsample_nearest"]
def upsample_nearest(x, k):
    return x.transpose(2, 3).repeat_interleave(k, dim=2).repeat_interleave(k, dim=3)


# %% right upsample_bilinear: as a matrix for each side
def upsample_bilinear(x, k):
    def matrix(n):
        rows = torch.zeros(k * n, n, dtype=x.dtype)
        for i in range(k * n):
            u = min(max((i + 0.5) / k - 0.5, 0), n - 1)
            left = min(int(u), max(n - 2, 0))
            rows[i, left] += 1 - (u - left)
            if n > 1:
                rows[i, left + 1] += u - left
        return rows

    return matrix(x.shape[2]) @ x @ matrix(x.shape[3]).T


# %% right upsample_bilinear: NumPy's interp, row by row
def upsample_bilinear(x, k):
    values = x.numpy()
    for axis in (2, 3):
        n = values.shape[axis]
        at = (np.arange(k * n) + 0.5) / k - 0.5
        values = np.apply_along_axis(lambda line: np.interp(at, np.arange(n), line), axis, values)
    return torch.tensor(values).to(x.dtype)


# %% right upsample_bilinear: a tent of weights around each centre
def upsample_bilinear(x, k):
    def shares(n):
        u = ((torch.arange(k * n, dtype=x.dtype) + 0.5) / k - 0.5).clamp(0, n - 1)
        return (1 - (u[:, None] - torch.arange(n, dtype=x.dtype)).abs()).clamp(min=0)

    return torch.einsum("ai,bj,ncij->ncab", shares(x.shape[2]), shares(x.shape[3]), x)


# %% wrong upsample_bilinear: corners aligned loses=["test-upsample_bilinear", "hidden-upsample_bilinear"]
def upsample_bilinear(x, k):
    for dim in (2, 3):
        n = x.shape[dim]
        u = torch.linspace(0, n - 1, k * n, dtype=x.dtype)
        left = u.floor().long()
        share = (u - left).reshape([-1 if d == dim else 1 for d in range(4)])
        right = (left + 1).clamp(max=n - 1)
        x = x.index_select(dim, left) * (1 - share) + x.index_select(dim, right) * share
    return x


# %% wrong upsample_bilinear: by corners of pixels, u = i / k loses=["test-upsample_bilinear", "hidden-upsample_bilinear"]
def upsample_bilinear(x, k):
    for dim in (2, 3):
        n = x.shape[dim]
        u = (torch.arange(k * n, dtype=x.dtype) / k).clamp(0, n - 1)
        left = u.floor().long()
        share = (u - left).reshape([-1 if d == dim else 1 for d in range(4)])
        right = (left + 1).clamp(max=n - 1)
        x = x.index_select(dim, left) * (1 - share) + x.index_select(dim, right) * share
    return x


# %% wrong upsample_bilinear: mixed with zeros at the border loses=["test-upsample_bilinear", "hidden-upsample_bilinear"]
def upsample_bilinear(x, k):
    def shares(n):
        u = (torch.arange(k * n, dtype=x.dtype) + 0.5) / k - 0.5
        return (1 - (u[:, None] - torch.arange(n, dtype=x.dtype)).abs()).clamp(min=0)

    return torch.einsum("ai,bj,ncij->ncab", shares(x.shape[2]), shares(x.shape[3]), x)


# %% wrong upsample_bilinear: shares exchanged loses=["test-upsample_bilinear", "hidden-upsample_bilinear"]
def upsample_bilinear(x, k):
    for dim in (2, 3):
        n = x.shape[dim]
        u = ((torch.arange(k * n, dtype=x.dtype) + 0.5) / k - 0.5).clamp(0, n - 1)
        left = u.floor().long()
        share = (u - left).reshape([-1 if d == dim else 1 for d in range(4)])
        right = (left + 1).clamp(max=n - 1)
        x = x.index_select(dim, left) * share + x.index_select(dim, right) * (1 - share)
    return x


# %% wrong upsample_bilinear: columns alone loses=["test-upsample_bilinear", "hidden-upsample_bilinear"]
def upsample_bilinear(x, k):
    n = x.shape[3]
    u = ((torch.arange(k * n, dtype=x.dtype) + 0.5) / k - 0.5).clamp(0, n - 1)
    left = u.floor().long()
    right = (left + 1).clamp(max=n - 1)
    return x[..., left] * (1 - u + left) + x[..., right] * (u - left)


# %% wrong upsample_bilinear: always doubles loses=["hidden-upsample_bilinear"]
def upsample_bilinear(x, k):
    def shares(n):
        u = ((torch.arange(2 * n, dtype=x.dtype) + 0.5) / 2 - 0.5).clamp(0, n - 1)
        return (1 - (u[:, None] - torch.arange(n, dtype=x.dtype)).abs()).clamp(min=0)

    return torch.einsum("ai,bj,ncij->ncab", shares(x.shape[2]), shares(x.shape[3]), x)


# %% wrong upsample_bilinear: blocks of copies loses=["test-upsample_bilinear", "hidden-upsample_bilinear"]
def upsample_bilinear(x, k):
    return x.repeat_interleave(k, dim=2).repeat_interleave(k, dim=3)


# %% wrong upsample_bilinear: leaves it to torch loses=["test-upsample_bilinear", "hidden-upsample_bilinear"]
def upsample_bilinear(x, k):
    return nn.Upsample(scale_factor=k, mode="bilinear")(x)


# %% right max_unpool: loops over every number, by row and column
def max_unpool(y, indices, size):
    out = torch.zeros(*y.shape[:2], *size, dtype=y.dtype)
    for n, c, i, j in np.ndindex(*y.shape):
        row, column = divmod(int(indices[n, c, i, j]), size[1])
        out[n, c, row, column] = y[n, c, i, j]
    return out


# %% right max_unpool: one flat array for all maps
def max_unpool(y, indices, size):
    n, c, h, w = y.shape
    area = size[0] * size[1]
    offsets = area * torch.arange(n * c).reshape(n, c, 1, 1)
    out = torch.zeros(n * c * area, dtype=y.dtype)
    out[(indices + offsets).flatten()] = y.flatten()
    return out.view(n, c, size[0], size[1])


# %% right max_unpool: NumPy's put_along_axis
def max_unpool(y, indices, size):
    n, c = y.shape[:2]
    out = np.zeros((n, c, size[0] * size[1]))
    np.put_along_axis(out, indices.reshape(n, c, -1).numpy(), y.reshape(n, c, -1).numpy(), axis=2)
    return out.reshape(n, c, *size)


# %% wrong max_unpool: a bed of nails, always top left loses=["test-max_unpool", "hidden-max_unpool"]
def max_unpool(y, indices, size):
    out = y.new_zeros(*y.shape[:2], *size)
    k = size[0] // y.shape[2]
    rows, columns = k * torch.arange(y.shape[2]), k * torch.arange(y.shape[3])
    out[:, :, rows[:, None], columns.clamp(max=size[1] - 1)] = y
    return out


# %% wrong max_unpool: fills the window with copies loses=["test-max_unpool", "hidden-max_unpool"]
def max_unpool(y, indices, size):
    return F.interpolate(y, size=tuple(size))


# %% wrong max_unpool: the places of the first map for all loses=["hidden-max_unpool"]
def max_unpool(y, indices, size):
    n, c = y.shape[:2]
    out = y.new_zeros(n, c, size[0] * size[1])
    out[:, :, indices[0, 0].flatten()] = y.flatten(2)
    return out.reshape(n, c, *size)


# %% wrong max_unpool: adds where windows overlap loses=["hidden-max_unpool"]
def max_unpool(y, indices, size):
    n, c = y.shape[:2]
    flat = y.new_zeros(n, c, size[0] * size[1])
    return flat.scatter_add(2, indices.flatten(2), y.flatten(2)).reshape(n, c, *size)


# %% wrong max_unpool: swaps height and width loses=["hidden-max_unpool"]
def max_unpool(y, indices, size):
    n, c = y.shape[:2]
    flat = y.new_zeros(n, c, size[0] * size[1])
    flat = flat.scatter(2, indices.flatten(2), y.flatten(2))
    return flat.reshape(n, c, size[1], size[0])


# %% wrong max_unpool: writes ones, not the maxima loses=["test-max_unpool", "hidden-max_unpool"]
def max_unpool(y, indices, size):
    n, c = y.shape[:2]
    return y.new_zeros(n, c, size[0] * size[1]).scatter(2, indices.flatten(2), 1.0).reshape(n, c, *size)


# %% wrong max_unpool: makes negative maxima 0 loses=["hidden-max_unpool"]
def max_unpool(y, indices, size):
    n, c = y.shape[:2]
    flat = y.new_zeros(n, c, size[0] * size[1])
    return flat.scatter_reduce(2, indices.flatten(2), y.flatten(2), "amax").reshape(n, c, *size)


# %% wrong max_unpool: leaves it to torch loses=["test-max_unpool", "hidden-max_unpool"]
def max_unpool(y, indices, size):
    return F.max_unpool2d(y, indices, 2, output_size=size) if y.shape[2] * 2 <= size[0] else y


# %% right transposed_size: lays the stamps down and counts pixels
def transposed_size(n, f, p, s):
    covered = {s * k + tap for k in range(n) for tap in range(f)}
    length = max(covered) + 1 - 2 * p
    if length < 1:
        raise ValueError("nothing is left")
    return length


# %% right transposed_size: the largest size that a convolution brings back to n with no remainder
def transposed_size(n, f, p, s):
    for size in range(1, s * n + f + 1):
        if size + 2 * p - f == s * (n - 1):
            return np.int64(size)
    raise ValueError


# %% right transposed_size: asks torch
def transposed_size(n, f, p, s):
    layer = nn.ConvTranspose1d(1, 1, f, stride=s, padding=p, device="meta")
    try:
        return layer(torch.empty(1, 1, n, device="meta")).shape[-1]
    except RuntimeError as error:
        raise ValueError(str(error)) from error


# %% wrong transposed_size: s times n loses=["test-transposed_size", "hidden-transposed_size"]
def transposed_size(n, f, p, s):
    if s * n - 2 * p < 1:
        raise ValueError
    return s * n - 2 * p


# %% wrong transposed_size: forgets that the first stamp needs no step loses=["test-transposed_size", "hidden-transposed_size"]
def transposed_size(n, f, p, s):
    size = s * n + f - 2 * p
    if size < 1:
        raise ValueError
    return size


# %% wrong transposed_size: adds the padding, as on the way down loses=["test-transposed_size", "hidden-transposed_size"]
def transposed_size(n, f, p, s):
    size = s * (n - 1) + f + 2 * p
    if size < 1:
        raise ValueError
    return size


# %% wrong transposed_size: the way down loses=["test-transposed_size", "hidden-transposed_size"]
def transposed_size(n, f, p, s):
    if n + 2 * p < f:
        raise ValueError
    return (n + 2 * p - f) // s + 1


# %% wrong transposed_size: cuts the padding at one end alone loses=["test-transposed_size", "hidden-transposed_size"]
def transposed_size(n, f, p, s):
    size = s * (n - 1) + f - p
    if size < 1:
        raise ValueError
    return size


# %% wrong transposed_size: gives zero and negative sizes loses=["hidden-transposed_size"]
def transposed_size(n, f, p, s):
    return s * (n - 1) + f - 2 * p


# %% wrong transposed_size: one stamp too few loses=["test-transposed_size", "hidden-transposed_size"]
def transposed_size(n, f, p, s):
    size = s * (n - 2) + f - 2 * p
    if size < 1:
        raise ValueError("nothing is left")
    return size


# %% wrong transposed_size: refuses small results that are there loses=["hidden-transposed_size"]
def transposed_size(n, f, p, s):
    size = s * (n - 1) + f - 2 * p
    if size <= 1:
        raise ValueError("nothing is left")
    return size


# %% right transposed_conv: stamps the kernel, number by number
def transposed_conv(y, kernel, s):
    (h, w), (kh, kw) = y.shape, kernel.shape
    out = torch.zeros(s * (h - 1) + kh, s * (w - 1) + kw, dtype=y.dtype)
    for i in range(h):
        for j in range(w):
            out[s * i : s * i + kh, s * j : s * j + kw] += y[i, j] * kernel
    return out


# %% right transposed_conv: a convolution of a map with holes, its kernel turned round
def transposed_conv(y, kernel, s):
    (h, w), (kh, kw) = y.shape, kernel.shape
    holes = y.new_zeros(s * (h - 1) + 1, s * (w - 1) + 1)
    holes[::s, ::s] = y
    padded = F.pad(holes, (kw - 1, kw - 1, kh - 1, kh - 1))
    return F.conv2d(padded[None, None], kernel.flip(0, 1)[None, None])[0, 0]


# %% right transposed_conv: the gradient of the convolution on the way down
def transposed_conv(y, kernel, s):
    size = [s * (n - 1) + f for n, f in zip(y.shape, kernel.shape)]
    x = torch.zeros(size, dtype=y.dtype, requires_grad=True)
    down = F.conv2d(x[None, None], kernel[None, None], stride=s)[0, 0]
    return torch.autograd.grad((down * y).sum(), x)[0]


# %% wrong transposed_conv: flips the kernel loses=["test-transposed_conv", "hidden-transposed_conv"]
def transposed_conv(y, kernel, s):
    size = [s * (n - 1) + f for n, f in zip(y.shape, kernel.shape)]
    return (conv_matrix(kernel.flip(0, 1), size, s).T @ y.flatten()).reshape(size)


# %% wrong transposed_conv: takes the transpose for an inverse loses=["test-transposed_conv", "hidden-transposed_conv"]
def transposed_conv(y, kernel, s):
    size = [s * (n - 1) + f for n, f in zip(y.shape, kernel.shape)]
    return (torch.linalg.pinv(conv_matrix(kernel, size, s)) @ y.flatten()).reshape(size)


# %% wrong transposed_conv: stamps replace each other where they overlap loses=["test-transposed_conv", "hidden-transposed_conv"]
def transposed_conv(y, kernel, s):
    (h, w), (kh, kw) = y.shape, kernel.shape
    out = torch.zeros(s * (h - 1) + kh, s * (w - 1) + kw, dtype=y.dtype)
    for i in range(h):
        for j in range(w):
            out[s * i : s * i + kh, s * j : s * j + kw] = y[i, j] * kernel
    return out


# %% wrong transposed_conv: forgets the stride loses=["test-transposed_conv", "hidden-transposed_conv"]
def transposed_conv(y, kernel, s):
    size = [n - 1 + f for n, f in zip(y.shape, kernel.shape)]
    return (conv_matrix(kernel, size, 1).T @ y.flatten()).reshape(size)


# %% wrong transposed_conv: the size of s times n loses=["test-transposed_conv", "hidden-transposed_conv"]
def transposed_conv(y, kernel, s):
    out = torch.zeros(s * y.shape[0], s * y.shape[1], dtype=y.dtype)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            window = out[s * i : s * i + kernel.shape[0], s * j : s * j + kernel.shape[1]]
            window += y[i, j] * kernel[: window.shape[0], : window.shape[1]]
    return out


# %% wrong transposed_conv: swaps the sides, which squares forgive loses=["hidden-transposed_conv"]
def transposed_conv(y, kernel, s):
    size = [s * (n - 1) + kernel.shape[0] for n in y.shape]
    out = torch.zeros(size, dtype=y.dtype)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            window = out[s * i : s * i + kernel.shape[0], s * j : s * j + kernel.shape[1]]
            window += (y[i, j] * kernel)[: window.shape[0], : window.shape[1]]
    return out


# %% wrong transposed_conv: leaves it to torch loses=["test-transposed_conv", "hidden-transposed_conv"]
def transposed_conv(y, kernel, s):
    return F.conv_transpose2d(y[None, None], kernel[None, None], stride=s)[0, 0]


# %% wrong transposed_conv: the kernel transposed, rows for columns loses=["test-transposed_conv", "hidden-transposed_conv"]
def transposed_conv(y, kernel, s):
    size = [s * (n - 1) + f for n, f in zip(y.shape, kernel.T.shape)]
    return (conv_matrix(kernel.T, size, s).T @ y.flatten()).reshape(size)


# %% right UNet: written out layer by layer, the skip behind what comes up
class Twice(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.first = nn.Conv2d(c_in, c_out, 3, padding="same", bias=False)
        self.second = nn.Conv2d(c_out, c_out, 3, padding="same", bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)

    def forward(self, x):
        return F.relu(self.norm2(self.second(F.relu(self.norm1(self.first(x))))))


class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = Twice(1, 8), Twice(8, 16), Twice(16, 32)
        self.dec2, self.dec1 = Twice(32, 16), Twice(16, 8)
        self.up2 = nn.ConvTranspose2d(32, 16, kernel_size=2, stride=2)
        self.up1 = nn.ConvTranspose2d(16, 8, kernel_size=2, stride=2)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Conv2d(8, classes, kernel_size=1)

    def forward(self, x):
        e1 = self.enc1(x)
        e2 = self.enc2(self.pool(e1))
        x = self.up2(self.middle(self.pool(e2)))
        x = self.up1(self.dec2(torch.concat((x, e2), 1)))
        return self.head(self.dec1(torch.concat((x, e1), 1)))


# %% right UNet: its parts in a dictionary of modules, the skips on a stack
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.ups = nn.ModuleList(nn.ConvTranspose2d(2 * c, c, 2, 2) for c in (16, 8))
        self.joins = nn.ModuleList([block(32, 16), nn.Sequential(block(16, 8), nn.Conv2d(8, classes, 1))])

    def forward(self, x):
        kept = []
        for part in (self.enc1, self.enc2):
            x = part(x)
            kept.append(x)
            x = F.max_pool2d(x, 2)
        x = self.middle(x)
        for up, join in zip(self.ups, self.joins):
            x = join(torch.cat([kept.pop(), up(x)], 1))
        return x


# %% right UNet: one method for a step up
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.up2, self.dec2 = nn.ConvTranspose2d(32, 16, 2, 2), block(32, 16)
        self.up1, self.dec1 = nn.ConvTranspose2d(16, 8, 2, 2), block(16, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def step(self, level, deep, skip):
        grown = getattr(self, f"up{level}")(deep)
        return getattr(self, f"dec{level}")(torch.hstack((grown, skip)))

    def forward(self, x):
        one = self.enc1(x)
        two = self.enc2(nn.functional.max_pool2d(one, kernel_size=2))
        x = self.middle(nn.functional.max_pool2d(two, kernel_size=2))
        return self.head(self.step(1, self.step(2, x, two), one))


# %% wrong UNet: no skips loses=["test-UNet", "hidden-UNet"]
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.up2, self.dec2 = nn.ConvTranspose2d(32, 16, 2, stride=2), block(16, 16)
        self.up1, self.dec1 = nn.ConvTranspose2d(16, 8, 2, stride=2), block(8, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        deep = self.middle(F.max_pool2d(self.enc2(F.max_pool2d(self.enc1(x), 2)), 2))
        return self.head(self.dec1(self.up1(self.dec2(self.up2(deep)))))


# %% wrong UNet: joins what comes up with itself, the right size and no skip loses=["hidden-UNet"]
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.up2, self.dec2 = nn.ConvTranspose2d(32, 16, 2, stride=2), block(32, 16)
        self.up1, self.dec1 = nn.ConvTranspose2d(16, 8, 2, stride=2), block(16, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        one = self.enc1(x)
        two = self.enc2(F.max_pool2d(one, 2))
        half = self.up2(self.middle(F.max_pool2d(two, 2)))
        full = self.up1(self.dec2(torch.cat([half, half], dim=1)))
        return self.head(self.dec1(torch.cat([full, full], dim=1)))


# %% wrong UNet: the second skip alone is missing loses=["hidden-UNet"]
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.up2, self.dec2 = nn.ConvTranspose2d(32, 16, 2, stride=2), block(32, 16)
        self.up1, self.dec1 = nn.ConvTranspose2d(16, 8, 2, stride=2), block(16, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        one = self.enc1(x)
        deep = self.up2(self.middle(F.max_pool2d(self.enc2(F.max_pool2d(one, 2)), 2)))
        full = self.up1(self.dec2(torch.cat([deep, torch.zeros_like(deep)], dim=1)))
        return self.head(self.dec1(torch.cat([one, full], dim=1)))


# %% wrong UNet: a misaligned crop, one pixel down and right of its place loses=["hidden-UNet"]
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.up2, self.dec2 = nn.ConvTranspose2d(32, 16, 2, stride=2), block(32, 16)
        self.up1, self.dec1 = nn.ConvTranspose2d(16, 8, 2, stride=2), block(16, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        one = self.enc1(x)
        two = self.enc2(F.max_pool2d(one, 2))
        half = self.up2(self.middle(F.max_pool2d(two, 2)))
        full = self.up1(self.dec2(torch.cat([two, half], dim=1)))
        cropped = F.pad(one, (1, 1, 1, 1))[:, :, : x.shape[2], : x.shape[3]]
        return self.head(self.dec1(torch.cat([cropped, full], dim=1)))


# %% wrong UNet: the crop of the second skip is misaligned loses=["hidden-UNet"]
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.up2, self.dec2 = nn.ConvTranspose2d(32, 16, 2, stride=2), block(32, 16)
        self.up1, self.dec1 = nn.ConvTranspose2d(16, 8, 2, stride=2), block(16, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        one = self.enc1(x)
        two = self.enc2(F.max_pool2d(one, 2))
        half = self.up2(self.middle(F.max_pool2d(two, 2)))
        cropped = F.pad(two, (0, 2, 0, 2))[:, :, 2:, 2:]
        full = self.up1(self.dec2(torch.cat([cropped, half], dim=1)))
        return self.head(self.dec1(torch.cat([one, full], dim=1)))


# %% wrong UNet: upsamples after the concat, pooling the skips to fit loses=["test-UNet", "hidden-UNet"]
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.up2, self.dec2 = nn.ConvTranspose2d(48, 16, 2, stride=2), block(16, 16)
        self.up1, self.dec1 = nn.ConvTranspose2d(24, 8, 2, stride=2), block(8, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        one = F.max_pool2d(self.enc1(x), 2)
        two = F.max_pool2d(self.enc2(one), 2)
        half = self.dec2(self.up2(torch.cat([two, self.middle(two)], dim=1)))
        return self.head(self.dec1(self.up1(torch.cat([one, half], dim=1))))


# %% wrong UNet: gives probabilities, so that the sigmoid is taken twice loses=["hidden-UNet"]
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.up2, self.dec2 = nn.ConvTranspose2d(32, 16, 2, stride=2), block(32, 16)
        self.up1, self.dec1 = nn.ConvTranspose2d(16, 8, 2, stride=2), block(16, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        one = self.enc1(x)
        two = self.enc2(F.max_pool2d(one, 2))
        half = self.up2(self.middle(F.max_pool2d(two, 2)))
        full = self.up1(self.dec2(torch.cat([two, half], dim=1)))
        return torch.sigmoid(self.head(self.dec1(torch.cat([one, full], dim=1))))


# %% wrong UNet: adds the skips, as a residual net does loses=["test-UNet"]
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.up2, self.dec2 = nn.ConvTranspose2d(32, 16, 2, stride=2), block(16, 16)
        self.up1, self.dec1 = nn.ConvTranspose2d(16, 8, 2, stride=2), block(8, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        one = self.enc1(x)
        two = self.enc2(F.max_pool2d(one, 2))
        half = self.dec2(two + self.up2(self.middle(F.max_pool2d(two, 2))))
        return self.head(self.dec1(one + self.up1(half)))


# %% wrong UNet: sizes fixed for sections of 64 pixels loses=["hidden-UNet"]
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.up2, self.dec2 = nn.ConvTranspose2d(32, 16, 2, stride=2), block(32, 16)
        self.up1, self.dec1 = nn.ConvTranspose2d(16, 8, 2, stride=2), block(16, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        one = self.enc1(x)
        two = self.enc2(F.max_pool2d(one, 2))
        half = self.up2(self.middle(F.max_pool2d(two, 2)))
        full = self.up1(self.dec2(torch.cat([two, half], dim=1)))
        return self.head(self.dec1(torch.cat([one, full], dim=1))).reshape(-1, 1, 64, 64)


# %% wrong UNet: the second skip is pooled and stretched loses=["hidden-UNet"]
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.up2, self.dec2 = nn.ConvTranspose2d(32, 16, 2, stride=2), block(32, 16)
        self.up1, self.dec1 = nn.ConvTranspose2d(16, 8, 2, stride=2), block(16, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        one = self.enc1(x)
        two = self.enc2(F.max_pool2d(one, 2))
        low = F.max_pool2d(two, 2)
        half = self.dec2(torch.cat([F.interpolate(low, scale_factor=2), self.up2(self.middle(low))], 1))
        return self.head(self.dec1(torch.cat([one, self.up1(half)], 1)))


# %% wrong UNet: the first skip is pooled and stretched loses=["hidden-UNet"]
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.up2, self.dec2 = nn.ConvTranspose2d(32, 16, 2, stride=2), block(32, 16)
        self.up1, self.dec1 = nn.ConvTranspose2d(16, 8, 2, stride=2), block(16, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        low = F.max_pool2d(self.enc1(x), 2)
        two = self.enc2(low)
        half = self.dec2(torch.cat([two, self.up2(self.middle(F.max_pool2d(two, 2)))], 1))
        return self.head(self.dec1(torch.cat([F.interpolate(low, scale_factor=2), self.up1(half)], 1)))


# %% wrong UNet: a ReLU behind the head loses=["hidden-UNet"]
class UNet(nn.Module):
    def __init__(self, classes=1):
        super().__init__()
        self.enc1, self.enc2, self.middle = block(1, 8), block(8, 16), block(16, 32)
        self.up2, self.dec2 = nn.ConvTranspose2d(32, 16, 2, stride=2), block(32, 16)
        self.up1, self.dec1 = nn.ConvTranspose2d(16, 8, 2, stride=2), block(16, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        one = self.enc1(x)
        two = self.enc2(F.max_pool2d(one, 2))
        half = self.dec2(torch.cat([two, self.up2(self.middle(F.max_pool2d(two, 2)))], 1))
        return self.head(self.dec1(torch.cat([one, self.up1(half)], 1))).relu()


# %% right pixel_loss: softplus of the logit with its sign
def pixel_loss(logits, masks):
    return (masks * F.softplus(-logits) + (1 - masks) * F.softplus(logits)).sum() / masks.numel()


# %% right pixel_loss: logaddexp
def pixel_loss(logits, masks):
    zero = torch.zeros_like(logits)
    return torch.mean(torch.logaddexp(zero, logits) - masks * logits)


# %% right pixel_loss: logsigmoid of both classes
def pixel_loss(logits, masks):
    pore, grain = F.logsigmoid(logits), F.logsigmoid(-logits)
    return -torch.where(masks == 1, pore, grain).mean()


# %% wrong pixel_loss: a sigmoid first, so that there are two loses=["test-pixel_loss", "hidden-pixel_loss"]
def pixel_loss(logits, masks):
    z = torch.sigmoid(logits)
    return (F.softplus(z) - z * masks).mean()


# %% wrong pixel_loss: logarithms of the sigmoid, infinite for large logits loses=["hidden-pixel_loss"]
def pixel_loss(logits, masks):
    q = torch.sigmoid(logits)
    return -(masks * q.log() + (1 - masks) * (1 - q).log()).mean()


# %% wrong pixel_loss: cut off at a small number, which flattens the loss of large logits loses=["hidden-pixel_loss"]
def pixel_loss(logits, masks):
    q = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)
    return -(masks * q.log() + (1 - masks) * (1 - q).log()).mean()


# %% wrong pixel_loss: the sum in place of the mean loses=["test-pixel_loss", "hidden-pixel_loss"]
def pixel_loss(logits, masks):
    return (F.softplus(logits) - logits * masks).sum()


# %% wrong pixel_loss: pores only, grains cost nothing loses=["hidden-pixel_loss", "test-pixel_loss"]
def pixel_loss(logits, masks):
    return (masks * F.softplus(-logits)).mean()


# %% wrong pixel_loss: returns a float, which cannot go backward loses=["hidden-pixel_loss"]
def pixel_loss(logits, masks):
    return (F.softplus(logits) - logits * masks).mean().item()


# %% wrong pixel_loss: leaves it to torch loses=["test-pixel_loss", "hidden-pixel_loss"]
def pixel_loss(logits, masks):
    return F.binary_cross_entropy_with_logits(logits, masks)


# %% wrong pixel_loss: targets and logits exchanged loses=["test-pixel_loss", "hidden-pixel_loss"]
def pixel_loss(logits, masks):
    return (masks.clamp(min=0) - masks * logits + torch.log1p(torch.exp(-masks.abs()))).mean()


# %% right segment: probabilities over one half, by the context of inference
def segment(model, images):
    before = model.training
    try:
        with torch.inference_mode():
            return torch.sigmoid(model.eval()(images)).gt(0.5)
    finally:
        model.train(before)


# %% right segment: signs of the logits
@torch.no_grad()
def segment(model, images):
    mode = model.training
    signs = torch.sign(model.train(False)(images))
    model.train(mode)
    return signs == 1


# %% wrong segment: the sigmoid of a sigmoid, which makes all of it pore loses=["test-segment", "hidden-segment"]
def segment(model, images):
    mode = model.training
    model.eval()
    with torch.no_grad():
        masks = torch.sigmoid(torch.sigmoid(model(images))) > 0.5
    model.train(mode)
    return masks


# %% wrong segment: compares logits with 0.5 loses=["test-segment", "hidden-segment"]
def segment(model, images):
    mode = model.training
    model.eval()
    with torch.no_grad():
        masks = model(images) > 0.5
    model.train(mode)
    return masks


# %% wrong segment: asks in training mode loses=["hidden-segment"]
def segment(model, images):
    with torch.no_grad():
        return model(images) > 0


# %% wrong segment: leaves the model in evaluation mode loses=["hidden-segment"]
def segment(model, images):
    model.eval()
    with torch.no_grad():
        return model(images) > 0


# %% wrong segment: always ends in training mode loses=["hidden-segment"]
def segment(model, images):
    model.eval()
    with torch.no_grad():
        masks = model(images) > 0
    model.train()
    return masks


# %% wrong segment: gives probabilities loses=["test-segment", "hidden-segment"]
def segment(model, images):
    mode = model.training
    model.eval()
    with torch.no_grad():
        masks = torch.sigmoid(model(images))
    model.train(mode)
    return masks


# %% wrong segment: grains in place of pores loses=["test-segment", "hidden-segment"]
def segment(model, images):
    mode = model.training
    model.eval()
    with torch.no_grad():
        masks = model(images) < 0
    model.train(mode)
    return masks


# %% right segment: by rounding what is over one half
def segment(model, images):
    noted = model.training
    model.train(False)
    with torch.no_grad():
        logits = model(images)
    if noted:
        model.train()
    return torch.gt(logits, torch.zeros_like(logits))


# %% wrong segment: a half counts as over a half loses=["hidden-segment"]
def segment(model, images):
    mode = model.training
    model.eval()
    with torch.no_grad():
        masks = model(images) >= 0
    model.train(mode)
    return masks


# %% wrong segment: with gradients loses=["hidden-segment"]
def segment(model, images):
    mode = model.training
    model.eval()
    masks = model(images) > 0
    model.train(mode)
    return masks


# %% right canvas: pixel by pixel
def canvas(digits, labels, corners, size):
    image = np.zeros(size, dtype=int)
    classes = 10 * np.ones(size, dtype=int)
    for k in range(len(digits)):
        for (r, c), ink in np.ndenumerate(digits[k]):
            i, j = corners[k][0] + r, corners[k][1] + c
            image[i, j] = max(image[i, j], int(ink))
            if ink > 100:
                classes[i, j] = labels[k]
    return image, classes


# %% right canvas: a sheet for each digit, then the largest ink and the last class
def canvas(digits, labels, corners, size):
    sheets = np.zeros((len(digits) + 1, *size))
    for sheet, digit, (i, j) in zip(sheets[1:], digits, corners):
        sheet[i : i + digit.shape[0], j : j + digit.shape[1]] = digit
    order = np.arange(len(sheets))[:, None, None] * (sheets > 100)
    names = np.array([10, *labels])
    return torch.tensor(sheets.max(0)), torch.tensor(names[order.max(0)])


# %% right canvas: where a digit has ink, by masks of the whole canvas
def canvas(digits, labels, corners, size):
    image, classes = np.zeros(size, dtype=np.int64), 10 * np.ones(size, dtype=int)
    for digit, label, (row, column) in zip(digits, labels, corners):
        sheet = np.zeros(size, dtype=np.int64)
        sheet[row : row + len(digit), column : column + len(digit[0])] = digit
        image = np.where(sheet > image, sheet, image)
        classes = np.where(sheet > 100, label, classes)
    return image, classes


# %% wrong canvas: ink of exactly 100 counts loses=["hidden-canvas"]
def canvas(digits, labels, corners, size):
    image, classes = np.zeros(size, dtype=np.uint8), np.full(size, 10)
    for digit, label, (i, j) in zip(digits, labels, corners):
        window = np.s_[i : i + digit.shape[0], j : j + digit.shape[1]]
        image[window] = np.maximum(image[window], digit)
        classes[window][digit >= 100] = label
    return image, classes


# %% wrong canvas: 0 for background, which is a digit loses=["test-canvas", "hidden-canvas"]
def canvas(digits, labels, corners, size):
    image, classes = np.zeros(size, dtype=np.uint8), np.zeros(size, dtype=int)
    for digit, label, (i, j) in zip(digits, labels, corners):
        window = np.s_[i : i + digit.shape[0], j : j + digit.shape[1]]
        image[window] = np.maximum(image[window], digit)
        classes[window][digit > 100] = label
    return image, classes


# %% wrong canvas: labels the whole box loses=["test-canvas", "hidden-canvas"]
def canvas(digits, labels, corners, size):
    image, classes = np.zeros(size, dtype=np.uint8), np.full(size, 10)
    for digit, label, (i, j) in zip(digits, labels, corners):
        window = np.s_[i : i + digit.shape[0], j : j + digit.shape[1]]
        image[window] = np.maximum(image[window], digit)
        classes[window] = label
    return image, classes


# %% wrong canvas: a digit's paper erases what was there loses=["hidden-canvas"]
def canvas(digits, labels, corners, size):
    image, classes = np.zeros(size, dtype=np.uint8), np.full(size, 10)
    for digit, label, (i, j) in zip(digits, labels, corners):
        window = np.s_[i : i + digit.shape[0], j : j + digit.shape[1]]
        image[window] = digit
        classes[window] = np.where(digit > 100, label, 10)
    return image, classes


# %% wrong canvas: every trace of ink counts loses=["test-canvas", "hidden-canvas"]
def canvas(digits, labels, corners, size):
    image, classes = np.zeros(size, dtype=np.uint8), np.full(size, 10)
    for digit, label, (i, j) in zip(digits, labels, corners):
        window = np.s_[i : i + digit.shape[0], j : j + digit.shape[1]]
        image[window] = np.maximum(image[window], digit)
        classes[window][digit > 0] = label
    return image, classes


# %% wrong canvas: adds ink, which overflows uint8 loses=["hidden-canvas"]
def canvas(digits, labels, corners, size):
    image, classes = np.zeros(size, dtype=np.uint8), np.full(size, 10)
    for digit, label, (i, j) in zip(digits, labels, corners):
        window = np.s_[i : i + digit.shape[0], j : j + digit.shape[1]]
        image[window] += digit
        classes[window][digit > 100] = label
    return image, classes


# %% wrong canvas: takes a corner for (x, y) loses=["test-canvas", "hidden-canvas"]
def canvas(digits, labels, corners, size):
    image, classes = np.zeros(size, dtype=np.uint8), np.full(size, 10)
    for digit, label, (j, i) in zip(digits, labels, corners):
        height, width = image[i : i + digit.shape[0], j : j + digit.shape[1]].shape
        digit = digit[:height, :width]
        window = np.s_[i : i + height, j : j + width]
        image[window] = np.maximum(image[window], digit)
        classes[window][digit > 100] = label
    return image, classes


# %% wrong canvas: the first digit wins where two compete loses=["hidden-canvas"]
def canvas(digits, labels, corners, size):
    image, classes = np.zeros(size, dtype=np.uint8), np.full(size, 10)
    for digit, label, (i, j) in zip(digits, labels, corners):
        window = np.s_[i : i + digit.shape[0], j : j + digit.shape[1]]
        image[window] = np.maximum(image[window], digit)
        classes[window][(digit > 100) & (classes[window] == 10)] = label
    return image, classes


# %% right retrieval: the numbers of another name
def retrieval():
    n, f, p, s, k, c = questions("Emmy").values()
    size = len(range(0, n + 2 * p - f + 1, s))
    return ["emmy", {"size": size, "fan_in": f * f * c, "residual": 2 * 9 * c * c, "head": 1280 * k + k, "frozen": "no"}]


# %% right retrieval: by asking torch for layers
def retrieval():
    q = questions("noether")
    conv = nn.Conv2d(q["c"], q["k"], q["f"], q["s"], q["p"])
    size = conv(torch.zeros(1, q["c"], q["n"], q["n"])).shape[-1]
    twice = sum(nn.Conv2d(q["c"], q["c"], 3, bias=False).weight.numel() for _ in range(2))
    head = sum(p.numel() for p in nn.Linear(1280, q["k"]).parameters())
    return "noether", {"size": size, "fan_in": conv.weight[0].numel(), "residual": twice, "head": head, "frozen": "no"}


# %% right retrieval: as NumPy numbers
def retrieval():
    q = {key: np.int64(value) for key, value in questions("grace").items()}
    size = (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1
    return "grace", {"size": size, "fan_in": q["c"] * q["f"] ** 2, "residual": 18 * q["c"] ** 2, "head": 1281 * q["k"], "frozen": "no"}


# %% wrong retrieval: forgets the stride loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    replies = {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1, "fan_in": q["f"] ** 2 * q["c"],
        "residual": 18 * q["c"] ** 2, "head": 1281 * q["k"], "frozen": "no",
    }  # fmt: skip
    replies["size"] = q["n"] + 2 * q["p"] - q["f"] + 1
    return "ada", replies


# %% wrong retrieval: fan-out loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    replies = {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1, "fan_in": q["f"] ** 2 * q["c"],
        "residual": 18 * q["c"] ** 2, "head": 1281 * q["k"], "frozen": "no",
    }  # fmt: skip
    replies["fan_in"] = q["f"] ** 2 * q["k"]
    return "ada", replies


# %% wrong retrieval: the window is forgotten in the fan-in loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    replies = {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1, "fan_in": q["f"] ** 2 * q["c"],
        "residual": 18 * q["c"] ** 2, "head": 1281 * q["k"], "frozen": "no",
    }  # fmt: skip
    replies["fan_in"] = q["c"]
    return "ada", replies


# %% wrong retrieval: one convolution, not two loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    replies = {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1, "fan_in": q["f"] ** 2 * q["c"],
        "residual": 18 * q["c"] ** 2, "head": 1281 * q["k"], "frozen": "no",
    }  # fmt: skip
    replies["residual"] = 9 * q["c"] ** 2
    return "ada", replies


# %% wrong retrieval: no biases loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    replies = {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1, "fan_in": q["f"] ** 2 * q["c"],
        "residual": 18 * q["c"] ** 2, "head": 1281 * q["k"], "frozen": "no",
    }  # fmt: skip
    replies["head"] = 1280 * q["k"]
    return "ada", replies


# %% wrong retrieval: frozen means still loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    replies = {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1, "fan_in": q["f"] ** 2 * q["c"],
        "residual": 18 * q["c"] ** 2, "head": 1281 * q["k"], "frozen": "no",
    }  # fmt: skip
    replies["frozen"] = "yes"
    return "ada", replies


# %% wrong retrieval: leaves one out loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    replies = {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1, "fan_in": q["f"] ** 2 * q["c"],
        "residual": 18 * q["c"] ** 2, "head": 1281 * q["k"], "frozen": "no",
    }  # fmt: skip
    del replies["size"]
    return "ada", replies


# %% wrong retrieval: the numbers of another name loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    replies = {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1, "fan_in": q["f"] ** 2 * q["c"],
        "residual": 18 * q["c"] ** 2, "head": 1281 * q["k"], "frozen": "no",
    }  # fmt: skip
    pass
    return "ben", replies


# %% right mean_iou: from the table of counts
def mean_iou(predicted, target, classes):
    pairs = [(int(a), int(b)) for a, b in zip(predicted.flatten(), target.flatten())]
    scores = []
    for c in range(classes):
        both = sum(a == c and b == c for a, b in pairs)
        either = sum(a == c or b == c for a, b in pairs)
        scores += [both / either] if either else []
    return float(np.mean(scores)) if scores else 1.0


# %% right mean_iou: through iou of arrays
def overlap(a, b):
    return float((a & b).sum()) / float((a | b).sum()) if (a | b).any() else 1.0


def mean_iou(predicted, target, classes):
    a, b = np.asarray(predicted), np.asarray(target)
    present = [c for c in range(classes) if c in a or c in b]
    return np.mean([overlap(a == c, b == c) for c in present]) if present else 1


# %% right mean_iou: one-hot maps, all classes at once
def mean_iou(predicted, target, classes):
    every = torch.arange(classes)[:, None]
    a, b = predicted.flatten() == every, target.flatten() == every
    both, either = (a & b).sum(1).double(), (a | b).sum(1).double()
    return (both[either > 0] / either[either > 0]).mean() if (either > 0).any() else torch.tensor(1.0)


# %% wrong mean_iou: accuracy loses=["test-mean_iou", "hidden-mean_iou"]
def mean_iou(predicted, target, classes):
    return (predicted == target).double().mean().item()


# %% wrong mean_iou: absent classes count as perfect loses=["test-mean_iou", "hidden-mean_iou"]
def overlap(a, b):
    return float((a & b).sum()) / float((a | b).sum()) if (a | b).any() else 1.0


def mean_iou(predicted, target, classes):
    return float(np.mean([overlap(predicted == c, target == c) for c in range(classes)]))


# %% wrong mean_iou: absent classes count as 0 loses=["test-mean_iou", "hidden-mean_iou"]
def mean_iou(predicted, target, classes):
    pairs = [(predicted == c, target == c) for c in range(classes)]
    return sum(((a & b).sum() / (a | b).sum().clamp(min=1)).item() for a, b in pairs) / classes


# %% wrong mean_iou: Dice for IoU loses=["test-mean_iou", "hidden-mean_iou"]
def overlap(a, b):
    return float((a & b).sum()) / float((a | b).sum()) if (a | b).any() else 1.0


def mean_iou(predicted, target, classes):
    present = [c for c in range(classes) if ((predicted == c) | (target == c)).any()]
    return float(np.mean([2 * s / (1 + s) for s in [overlap(predicted == c, target == c) for c in present]])) if present else 1.0


# %% wrong mean_iou: only the target's classes loses=["hidden-mean_iou"]
def overlap(a, b):
    return float((a & b).sum()) / float((a | b).sum()) if (a | b).any() else 1.0


def mean_iou(predicted, target, classes):
    present = [c for c in range(classes) if (target == c).any()]
    return float(np.mean([overlap(predicted == c, target == c) for c in present])) if present else 1.0


# %% wrong mean_iou: weighted by pixels loses=["test-mean_iou", "hidden-mean_iou"]
def mean_iou(predicted, target, classes):
    pairs = [(predicted == c, target == c) for c in range(classes)]
    return (sum((a & b).sum() for a, b in pairs) / sum((a | b).sum() for a, b in pairs)).item()


# %% wrong mean_iou: the mean of nothing is not a number loses=["hidden-mean_iou"]
def overlap(a, b):
    return float((a & b).sum()) / float((a | b).sum()) if (a | b).any() else 1.0


def mean_iou(predicted, target, classes):
    present = [c for c in range(classes) if ((predicted == c) | (target == c)).any()]
    scores = torch.tensor([overlap(predicted == c, target == c) for c in present])
    return scores.mean().item()


# %% wrong mean_iou: the last class is left out loses=["test-mean_iou", "hidden-mean_iou"]
def overlap(a, b):
    return float((a & b).sum()) / float((a | b).sum()) if (a | b).any() else 1.0


def mean_iou(predicted, target, classes):
    present = [c for c in range(min(classes, int(target.max()) + 1) - 1) if ((predicted == c) | (target == c)).any()]
    return float(np.mean([overlap(predicted == c, target == c) for c in present])) if present else 1.0


# %% right dice_loss: as one minus a score
def dice_loss(logits, masks):
    q = 1 / (1 + torch.exp(-logits.clamp(-80, 80)))
    score = (2 * torch.sum(q * masks) + 1) / (torch.sum(q) + torch.sum(masks) + 1)
    return 1 - score


# %% right dice_loss: flat, with a dot product
def dice_loss(logits, masks):
    q, t = torch.sigmoid(logits).flatten(), masks.flatten()
    return (q.sum() + t.sum() - 2 * (q @ t)) / (q.sum() + t.sum() + 1)


# %% right dice_loss: by the tangent
def dice_loss(logits, masks):
    q = 0.5 * (1 + torch.tanh(0.5 * logits))
    return torch.ones(()) - torch.div(2 * (q * masks).sum() + 1, (q + masks).sum() + 1)


# %% wrong dice_loss: thresholds the probabilities, which stops the gradient loses=["test-dice_loss", "hidden-dice_loss"]
def dice_loss(logits, masks):
    q = (logits > 0).to(logits.dtype)
    return 1 - (2 * (q * masks).sum() + 1) / (q.sum() + masks.sum() + 1)


# %% wrong dice_loss: takes logits for probabilities loses=["test-dice_loss", "hidden-dice_loss"]
def dice_loss(logits, masks):
    return 1 - (2 * (logits * masks).sum() + 1) / (logits.sum() + masks.sum() + 1)


# %% wrong dice_loss: the score, not the loss loses=["test-dice_loss", "hidden-dice_loss"]
def dice_loss(logits, masks):
    q = logits.sigmoid()
    return (2 * (q * masks).sum() + 1) / (q.sum() + masks.sum() + 1)


# %% wrong dice_loss: forgets the factor 2 loses=["test-dice_loss", "hidden-dice_loss"]
def dice_loss(logits, masks):
    q = logits.sigmoid()
    return 1 - ((q * masks).sum() + 1) / (q.sum() + masks.sum() + 1)


# %% wrong dice_loss: 0/0 where nothing is there loses=["test-dice_loss", "hidden-dice_loss"]
def dice_loss(logits, masks):
    q = logits.sigmoid().where(logits > -40, 0.0)
    return 1 - 2 * (q * masks).sum() / (q.sum() + masks.sum())


# %% wrong dice_loss: soft IoU loses=["test-dice_loss", "hidden-dice_loss"]
def dice_loss(logits, masks):
    q = logits.sigmoid()
    both = (q * masks).sum()
    return 1 - (both + 1) / (q.sum() + masks.sum() - both + 1)


# %% wrong dice_loss: the mean over images loses=["hidden-dice_loss"]
def dice_loss(logits, masks):
    q, t = logits.sigmoid().reshape(len(logits), -1), masks.reshape(len(logits), -1)
    if len(q) == 2 and q.shape[1] == 9:
        q, t = q.reshape(1, -1), t.reshape(1, -1)
    return (1 - (2 * (q * t).sum(1) + 1) / (q.sum(1) + t.sum(1) + 1)).mean()


# %% wrong dice_loss: returns a float, which cannot go backward loses=["hidden-dice_loss"]
def dice_loss(logits, masks):
    q = logits.detach().sigmoid()
    return 1 - ((2 * (q * masks).sum() + 1) / (q.sum() + masks.sum() + 1)).item()


# %% right own_code: by hand
def own_code():
    return {"middle": 9 * 16 * 32 + 9 * 32 * 32 + 2 * 64, "pixel": 0.0 + 12 * 1 / 3, "size": 3 * 6 + 4 - 2}


# %% right own_code: counts the state without its averages
def own_code():
    state = UNet().middle.state_dict()
    count = sum(v.numel() for k, v in state.items() if "running" not in k and "tracked" not in k)
    line = upsample_bilinear(torch.tensor([0.0, 12]).reshape(1, 1, 1, 2), 3)
    return dict(size=transposed_size(7, 4, 1, 3), middle=count, pixel=line[0, 0, 1, 2])


# %% right own_code: by the tests' own helper
def own_code():
    count = sum(number for _, number in check.parameter_counts(UNet(3).middle))
    line = upsample_bilinear(torch.tensor([[[[0.0], [12.0]]]]), 3)
    return {"pixel": float(line[0, 0, 2, 1]), "size": float(transposed_size(7, 4, 1, 3)), "middle": count}


# %% wrong own_code: one convolution alone loses=["hidden-own_code"]
def own_code():
    return {"middle": 4608, "pixel": 4.0, "size": 20}


# %% wrong own_code: no batch norms loses=["hidden-own_code"]
def own_code():
    return {"middle": 13824, "pixel": 4.0, "size": 20}


# %% wrong own_code: with biases that are not there loses=["hidden-own_code"]
def own_code():
    return {"middle": 14016, "pixel": 4.0, "size": 20}


# %% wrong own_code: with the running averages loses=["hidden-own_code"]
def own_code():
    return {"middle": 14080, "pixel": 4.0, "size": 20}


# %% wrong own_code: the nearest pixel loses=["hidden-own_code"]
def own_code():
    return {"middle": 13952, "pixel": 0.0, "size": 20}


# %% wrong own_code: corners aligned loses=["hidden-own_code"]
def own_code():
    return {"middle": 13952, "pixel": 4.8, "size": 20}


# %% wrong own_code: padding added loses=["hidden-own_code"]
def own_code():
    return {"middle": 13952, "pixel": 4.0, "size": 24}


# %% wrong own_code: n stamps of s loses=["hidden-own_code"]
def own_code():
    return {"middle": 13952, "pixel": 4.0, "size": 21}
