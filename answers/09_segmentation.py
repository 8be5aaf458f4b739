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


# %% wrong upsample_nearest: leaves it to torch loses=["test-upsample_nearest"]
def upsample_nearest(x, k):
    return F.interpolate(x, scale_factor=k)


# %% wrong upsample_nearest: interpolates bilinearly loses=["test-upsample_nearest", "hidden-upsample_nearest"]
def upsample_nearest(x, k):
    return F.interpolate(x, scale_factor=k, mode="bilinear")


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


# %% wrong transposed_conv: leaves it to torch loses=["test-transposed_conv"]
def transposed_conv(y, kernel, s):
    return F.conv_transpose2d(y[None, None], kernel[None, None], stride=s)[0, 0]


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


# %% wrong pixel_loss: leaves it to torch loses=["test-pixel_loss"]
def pixel_loss(logits, masks):
    return F.binary_cross_entropy_with_logits(logits, masks)


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
