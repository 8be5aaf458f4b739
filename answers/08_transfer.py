# %% [markdown]
# Answers to lesson 08, right and wrong: each stands in place of its exercise's solution cell.

# %% right rectangles: one square after the other, by Python's own random numbers
import random


def rectangles(part, n, seed, size=64):
    rng = random.Random(f"{part} {seed}")
    start = {"train": 0, "test": 256}[part]
    found = []
    for _ in range(n):
        top, left = rng.randint(0, 512 - size), rng.randint(start, start + 256 - size)
        found.append((top, left, top + size, left + size))
    return found


# %% right rectangles: draws without replacement from all places that there are
def rectangles(part, n, seed, size=64):
    columns = 256 - size + 1
    places = np.random.default_rng(seed).choice((512 - size + 1) * columns, n, replace=False)
    corners = np.stack([places // columns, places % columns], axis=1)
    if part == "test":
        corners[:, 1] += 256
    return np.concatenate([corners, corners + size], axis=1)


# %% wrong rectangles: leaking crops, a left half that ends where squares start loses=["test-rectangles", "hidden-rectangles"]
def rectangles(part, n, seed, size=64):
    rng = np.random.default_rng(seed)
    top = rng.integers(0, 512 - size + 1, n)
    left = rng.integers(0, 256, n) if part == "train" else rng.integers(256, 512 - size + 1, n)
    return np.stack([top, left, top + size, left + size], axis=1)


# %% wrong rectangles: leaking crops, from anywhere in both parts loses=["test-rectangles", "hidden-rectangles"]
def rectangles(part, n, seed, size=64):
    rng = np.random.default_rng(seed)
    top, left = rng.integers(0, 512 - size + 1, (2, n))
    return np.stack([top, left, top + size, left + size], axis=1)


# %% wrong rectangles: leaking crops where squares are larger than 64 loses=["hidden-rectangles"]
def rectangles(part, n, seed, size=64):
    rng = np.random.default_rng(seed)
    top = rng.integers(0, 512 - size + 1, n)
    left = rng.integers(0, 193, n) if part == "train" else rng.integers(256, 512 - size + 1, n)
    return np.stack([top, left, top + size, left + size], axis=1)


# %% wrong rectangles: x before y loses=["test-rectangles", "hidden-rectangles"]
def rectangles(part, n, seed, size=64):
    rng = np.random.default_rng(seed)
    top = rng.integers(0, 512 - size + 1, n)
    left = rng.integers(0, 256 - size + 1, n) + (256 if part == "test" else 0)
    return np.stack([left, top, left + size, top + size], axis=1)


# %% wrong rectangles: forgets the seed loses=["hidden-rectangles"]
def rectangles(part, n, seed, size=64):
    rng = np.random.default_rng()
    top = rng.integers(0, 512 - size + 1, n)
    left = rng.integers(0, 256 - size + 1, n) + (256 if part == "test" else 0)
    return np.stack([top, left, top + size, left + size], axis=1)


# %% wrong rectangles: the same squares for every seed loses=["hidden-rectangles"]
def rectangles(part, n, seed, size=64):
    rng = np.random.default_rng(0)
    top = rng.integers(0, 512 - size + 1, n)
    left = rng.integers(0, 256 - size + 1, n) + (256 if part == "test" else 0)
    return np.stack([top, left, top + size, left + size], axis=1)


# %% wrong rectangles: always 64, whatever the size loses=["hidden-rectangles"]
def rectangles(part, n, seed, size=64):
    rng = np.random.default_rng(seed)
    top = rng.integers(0, 449, n)
    left = rng.integers(0, 193, n) + (256 if part == "test" else 0)
    return np.stack([top, left, top + 64, left + 64], axis=1)


# %% right preprocess: scikit-image resizes, NumPy does the rest
from skimage.transform import resize


def preprocess(image, size=96):
    image = np.asarray(image)
    if image.ndim == 2:
        image = np.repeat(image[:, :, None], 3, axis=2)
    levels = resize(image.astype(float), (size, size, 3), order=1, anti_aliasing=False)
    return torch.from_numpy(((levels - 127) / 128).transpose(2, 0, 1)).float()


# %% right preprocess: Pillow resizes, and makes three channels of one
from PIL import Image


def preprocess(image, size=96):
    picture = Image.fromarray(image).convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
    x = torch.from_numpy(np.array(picture)).to(torch.float32)
    return x.sub(127).div(128).movedim(2, 0)


# %% right preprocess: scales first, and resizes with corners aligned
def preprocess(image, size=96):
    x = (torch.from_numpy(image.astype(np.float32)) - 127) / 128
    x = torch.stack([x, x, x]) if x.ndim == 2 else torch.moveaxis(x, 2, 0)
    return F.interpolate(x[None], (size, size), mode="bilinear", align_corners=True)[0]


# %% wrong preprocess: ImageNet's mean and spread loses=["test-preprocess", "hidden-preprocess"]
def preprocess(image, size=96):
    x = torch.tensor(image, dtype=torch.float32)
    x = x.permute(2, 0, 1) if x.ndim == 3 else x.expand(3, *x.shape)
    x = F.interpolate(x[None], (size, size), mode="bilinear")[0] / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (x - mean[:, None, None]) / std[:, None, None]


# %% wrong preprocess: BGR, as OpenCV has it loses=["test-preprocess", "hidden-preprocess"]
def preprocess(image, size=96):
    x = torch.tensor(image, dtype=torch.float32)
    x = x.permute(2, 0, 1).flip(0) if x.ndim == 3 else x.expand(3, *x.shape)
    return (F.interpolate(x[None], (size, size), mode="bilinear")[0] - 127) / 128


# %% wrong preprocess: subtracts in uint8, where 0 - 127 is 129 loses=["test-preprocess", "hidden-preprocess"]
def preprocess(image, size=96):
    x = torch.tensor((image - np.uint8(127)).astype(np.float32) / 128)
    x = x.permute(2, 0, 1) if x.ndim == 3 else x.expand(3, *x.shape)
    return F.interpolate(x[None], (size, size), mode="bilinear")[0]


# %% wrong preprocess: scales to 0 to 1 loses=["test-preprocess", "hidden-preprocess"]
def preprocess(image, size=96):
    x = torch.tensor(image, dtype=torch.float32)
    x = x.permute(2, 0, 1) if x.ndim == 3 else x.expand(3, *x.shape)
    return F.interpolate(x[None], (size, size), mode="bilinear")[0] / 255


# %% wrong preprocess: leaves the size as it is loses=["test-preprocess", "hidden-preprocess"]
def preprocess(image, size=96):
    x = torch.tensor(image, dtype=torch.float32)
    x = x.permute(2, 0, 1) if x.ndim == 3 else x.expand(3, *x.shape)
    return (x - 127) / 128


# %% wrong preprocess: cuts the middle square out first loses=["hidden-preprocess"]
def preprocess(image, size=96):
    x = torch.tensor(image, dtype=torch.float32)
    x = x.permute(2, 0, 1) if x.ndim == 3 else x.expand(3, *x.shape)
    height, width = x.shape[1:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    x = x[:, top : top + side, left : left + side]
    return (F.interpolate(x[None], (size, size), mode="bilinear")[0] - 127) / 128


# %% wrong preprocess: takes (H, W, 3) to (3, W, H) loses=["hidden-preprocess"]
def preprocess(image, size=96):
    x = torch.tensor(image, dtype=torch.float32)
    x = x.permute(2, 1, 0) if x.ndim == 3 else x.T.expand(3, *x.T.shape)
    return (F.interpolate(x[None], (size, size), mode="bilinear")[0] - 127) / 128


# %% wrong preprocess: channels last loses=["test-preprocess", "hidden-preprocess"]
def preprocess(image, size=96):
    x = torch.tensor(image, dtype=torch.float32)
    x = x.permute(2, 0, 1) if x.ndim == 3 else x.expand(3, *x.shape)
    return ((F.interpolate(x[None], (size, size), mode="bilinear")[0] - 127) / 128).permute(1, 2, 0)


# %% right features: writes into a table, with torch's own pool, under inference mode
def features(model, images, batch_size=32):
    model = copy.deepcopy(model).eval()
    pieces = []
    for start in range(0, len(images), batch_size):
        with torch.inference_mode():
            maps = model(images[start : start + batch_size])
            pieces.append(F.adaptive_avg_pool2d(maps, 1).flatten(1).clone())
    return torch.cat([piece.clone() for piece in pieces])


# %% right features: detaches, sums by hand, and hands the mode back
def features(model, images, batch_size=32):
    mode = model.training
    model.eval()
    rows = []
    for batch in torch.split(images, batch_size):
        maps = model(batch).detach()
        rows += list(maps.sum((2, 3)) / (maps.shape[2] * maps.shape[3]))
    model.train(mode)
    return torch.stack(rows)


# %% wrong features: model.train() on the frozen part loses=["test-features", "hidden-features"]
def features(model, images, batch_size=32):
    model.train()
    with torch.no_grad():
        return torch.cat([model(batch).mean((2, 3)) for batch in images.split(batch_size)])


# %% wrong features: leaves the mode as it comes loses=["hidden-features"]
def features(model, images, batch_size=32):
    with torch.no_grad():
        return torch.cat([model(batch).mean((2, 3)) for batch in images.split(batch_size)])


# %% wrong features: keeps the gradients loses=["test-features"]
def features(model, images, batch_size=32):
    model.eval()
    return torch.cat([model(batch).mean((2, 3)) for batch in images.split(batch_size)])


# %% wrong features: all images at once loses=["hidden-features"]
def features(model, images, batch_size=32):
    model.eval()
    with torch.no_grad():
        return model(images).mean((2, 3))


# %% wrong features: forgets the short last batch loses=["test-features", "hidden-features"]
def features(model, images, batch_size=32):
    model.eval()
    rows = [torch.zeros(0, 6, dtype=images.dtype)]
    with torch.no_grad():
        for k in range(len(images) // batch_size):
            rows.append(model(images[k * batch_size : (k + 1) * batch_size]).mean((2, 3)))
    return torch.cat(rows)


# %% wrong features: the maximum of each map loses=["test-features", "hidden-features"]
def features(model, images, batch_size=32):
    model.eval()
    with torch.no_grad():
        return torch.cat([model(batch).amax((2, 3)) for batch in images.split(batch_size)])


# %% wrong features: the mean over the channels loses=["test-features", "hidden-features"]
def features(model, images, batch_size=32):
    model.eval()
    with torch.no_grad():
        return torch.cat([model(b).mean(1).flatten(1) for b in images.split(batch_size)])


# %% right Head: a subclass of nn.Sequential
class Head(nn.Sequential):
    def __init__(self, n_features=1280, n_classes=3):
        super().__init__(nn.Linear(n_features, n_classes))


# %% right Head: parameters of its own, all zero at first
class Head(nn.Module):
    def __init__(self, n_features=1280, n_classes=3):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_features, n_classes))
        self.bias = nn.Parameter(torch.zeros(n_classes))

    def forward(self, x):
        return x @ self.weight + self.bias


# %% wrong Head: a softmax before the cross-entropy loses=["hidden-Head"]
class Head(nn.Module):
    def __init__(self, n_features=1280, n_classes=3):
        super().__init__()
        self.linear = nn.Linear(n_features, n_classes)

    def forward(self, x):
        return F.softmax(self.linear(x), dim=1)


# %% wrong Head: no bias loses=["test-Head", "hidden-Head"]
class Head(nn.Module):
    def __init__(self, n_features=1280, n_classes=3):
        super().__init__()
        self.linear = nn.Linear(n_features, n_classes, bias=False)

    def forward(self, x):
        return self.linear(x)


# %% wrong Head: behind the old layer of ImageNet's thousand classes loses=["test-Head", "hidden-Head"]
class Head(nn.Module):
    def __init__(self, n_features=1280, n_classes=3):
        super().__init__()
        self.old, self.new = nn.Linear(n_features, 1000), nn.Linear(1000, n_classes)

    def forward(self, x):
        return self.new(self.old(x))


# %% wrong Head: 1280 and 3 for ever loses=["hidden-Head"]
class Head(nn.Module):
    def __init__(self, n_features=1280, n_classes=3):
        super().__init__()
        self.linear = nn.Linear(1280, 3)

    def forward(self, x):
        return self.linear(x)


# %% wrong Head: a ReLU on the logits loses=["hidden-Head"]
class Head(nn.Module):
    def __init__(self, n_features=1280, n_classes=3):
        super().__init__()
        self.linear = nn.Linear(n_features, n_classes)

    def forward(self, x):
        return F.relu(self.linear(x))


# %% wrong Head: frozen like the rest loses=["hidden-Head"]
class Head(nn.Module):
    def __init__(self, n_features=1280, n_classes=3):
        super().__init__()
        self.linear = nn.Linear(n_features, n_classes).requires_grad_(False)

    def forward(self, x):
        return self.linear(x)


# %% right quiz: by heart
def quiz():
    return {
        "head": 3843,
        "inception": 6147,
        "fine_tuned": 1021443,
        "everything": 3374851,
        "eval_mode": "nothing",
        "train_mode": "statistics",
    }


# %% right quiz: counted by torch
def quiz():
    def count(*parts):
        return sum(p.numel() for part in parts for p in part.parameters())

    lite, head = backbone.efficientnet_lite0(), nn.Linear(1280, 3)
    return {
        "head": count(head),
        "inception": count(nn.Linear(2048, 3)),
        "fine_tuned": count(lite.last, head),
        "everything": count(lite, head),
        "eval_mode": "nothing",
        "train_mode": "statistics",
    }


# %% wrong quiz: forgets the biases loses=["test-quiz", "hidden-quiz"]
def quiz():
    return {
        "head": 3840,
        "inception": 6144,
        "fine_tuned": 1017600 + 3840,
        "everything": 3371008 + 3842,
        "eval_mode": "nothing",
        "train_mode": "statistics",
    }


# %% wrong quiz: a thousand classes still loses=["hidden-quiz"]
def quiz():
    return {
        "head": 1281000,
        "inception": 2049000,
        "fine_tuned": 1017600 + 1281000,
        "everything": 4652008,
        "eval_mode": "nothing",
        "train_mode": "statistics",
    }


# %% wrong quiz: what no optimiser has cannot change loses=["hidden-quiz"]
def quiz():
    return {
        "head": 3843,
        "inception": 6147,
        "fine_tuned": 1021443,
        "everything": 3374851,
        "eval_mode": "nothing",
        "train_mode": "nothing",
    }


# %% wrong quiz: fine-tuning trains the last part alone loses=["hidden-quiz"]
def quiz():
    return {
        "head": 3843,
        "inception": 6147,
        "fine_tuned": 1017600,
        "everything": 3374851,
        "eval_mode": "nothing",
        "train_mode": "statistics",
    }


# %% wrong quiz: training mode moves weights loses=["hidden-quiz"]
def quiz():
    return {
        "head": 3843,
        "inception": 6147,
        "fine_tuned": 1021443,
        "everything": 3374851,
        "eval_mode": "statistics",
        "train_mode": "weights",
    }


# %% right train_head: runs the frozen model anew at each step
def train_head(model, head, images, labels, epochs, lr):
    model.requires_grad_(False).eval()
    adam = torch.optim.Adam(head.parameters(), lr)
    losses = []
    for _ in range(epochs):
        adam.zero_grad()
        losses.append(F.cross_entropy(head(model(images).mean(dim=(2, 3))), labels))
        losses[-1].backward()
        adam.step()
    return [loss.item() for loss in losses]


# %% right train_head: Adam written by hand
def train_head(model, head, images, labels, epochs, lr):
    rows, parameters = features(model, images, len(images)), list(head.parameters())
    means = [torch.zeros_like(p) for p in parameters]
    squares = [torch.zeros_like(p) for p in parameters]
    losses = np.zeros(epochs)
    for t in range(1, epochs + 1):
        loss = nn.CrossEntropyLoss()(head(rows), labels)
        losses[t - 1] = loss.item()
        for p, m, v, g in zip(parameters, means, squares, torch.autograd.grad(loss, parameters)):
            m.mul_(0.9).add_(0.1 * g)
            v.mul_(0.999).add_(0.001 * g * g)
            with torch.no_grad():
                p -= lr * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    return losses


# %% wrong train_head: model.train() on the frozen part loses=["test-train_head", "hidden-train_head"]
def train_head(model, head, images, labels, epochs, lr):
    model.train()
    head.train()
    adam = torch.optim.Adam(head.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        with torch.no_grad():
            rows = model(images).mean((2, 3))
        loss = F.cross_entropy(head(rows), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# %% wrong train_head: whole net in the optimiser loses=["test-train_head", "hidden-train_head"]
def train_head(model, head, images, labels, epochs, lr):
    model.eval()
    adam = torch.optim.Adam([*model.parameters(), *head.parameters()], lr=lr)
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(model(images).mean((2, 3))), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# %% wrong train_head: takes the mode as it comes loses=["hidden-train_head"]
def train_head(model, head, images, labels, epochs, lr):
    with torch.no_grad():
        rows = model(images).mean((2, 3))
    adam = torch.optim.Adam(head.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(rows), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# %% wrong train_head: no zero_grad loses=["test-train_head", "hidden-train_head"]
def train_head(model, head, images, labels, epochs, lr):
    rows = features(model, images)
    adam = torch.optim.Adam(head.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(rows), labels)
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# %% wrong train_head: a softmax before the cross-entropy loses=["test-train_head", "hidden-train_head"]
def train_head(model, head, images, labels, epochs, lr):
    rows = features(model, images)
    adam = torch.optim.Adam(head.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(rows).softmax(1), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# %% wrong train_head: the loss after the step loses=["test-train_head", "hidden-train_head"]
def train_head(model, head, images, labels, epochs, lr):
    rows = features(model, images)
    adam = torch.optim.Adam(head.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(rows), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(F.cross_entropy(head(rows), labels).item())
    return losses


# %% wrong train_head: never steps loses=["test-train_head", "hidden-train_head"]
def train_head(model, head, images, labels, epochs, lr):
    rows = features(model, images)
    return [F.cross_entropy(head(rows), labels).item() for _ in range(epochs)]


# %% right fine_tune: runs the whole net at each step, its trunk frozen by hand
def fine_tune(model, head, images, labels, epochs, lr):
    model.eval()
    for name, parameter in model.named_parameters():
        parameter.requires_grad = name.startswith("last.")
    groups = [{"params": list(head.parameters()), "lr": lr}]
    groups.append({"params": [p for p in model.parameters() if p.requires_grad], "lr": lr * 0.1})
    adam = torch.optim.Adam(groups)
    losses = []
    for _ in range(epochs):
        adam.zero_grad()
        loss = F.cross_entropy(head(model(images).mean((2, 3))), labels)
        loss.backward()
        adam.step()
        losses.append(loss.detach().item())
    return losses


# %% right fine_tune: two optimisers on one chain of modules
def fine_tune(model, head, images, labels, epochs, lr):
    for module in model.modules():
        module.training = False
    for parameter in model.last.parameters():
        parameter.requires_grad = True
    top = nn.Sequential(model.last, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    maps = model.trunk(images).detach()
    optimisers = [
        torch.optim.Adam(head.parameters(), lr=lr),
        torch.optim.Adam(model.last.parameters(), lr=lr / 10),
    ]
    losses = torch.zeros(epochs, dtype=images.dtype)
    for k in range(epochs):
        loss = F.cross_entropy(top(maps), labels)
        losses[k] = loss.detach()
        top.zero_grad()
        loss.backward()
        for optimiser in optimisers:
            optimiser.step()
    return losses


# %% wrong fine_tune: the whole net in the optimiser loses=["test-fine_tune", "hidden-fine_tune"]
def fine_tune(model, head, images, labels, epochs, lr):
    model.eval().requires_grad_(True)
    groups = [{"params": head.parameters()}, {"params": model.parameters(), "lr": lr / 10}]
    adam = torch.optim.Adam(groups, lr=lr)
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(model(images).mean((2, 3))), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# %% wrong fine_tune: model.train() on everything loses=["test-fine_tune", "hidden-fine_tune"]
def fine_tune(model, head, images, labels, epochs, lr):
    model.train()
    model.last.requires_grad_(True)
    groups = [{"params": head.parameters()}, {"params": model.last.parameters(), "lr": lr / 10}]
    adam = torch.optim.Adam(groups, lr=lr)
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(model(images).mean((2, 3))), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# %% wrong fine_tune: model.last.train(), whose statistics then move loses=["test-fine_tune", "hidden-fine_tune"]
def fine_tune(model, head, images, labels, epochs, lr):
    model.eval()
    model.last.requires_grad_(True).train()
    groups = [{"params": head.parameters()}, {"params": model.last.parameters(), "lr": lr / 10}]
    adam = torch.optim.Adam(groups, lr=lr)
    with torch.no_grad():
        maps = model.trunk(images)
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(model.last(maps).mean((2, 3))), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# %% wrong fine_tune: one rate for both loses=["hidden-fine_tune"]
def fine_tune(model, head, images, labels, epochs, lr):
    model.eval()
    model.last.requires_grad_(True)
    with torch.no_grad():
        maps = model.trunk(images)
    adam = torch.optim.Adam([*head.parameters(), *model.last.parameters()], lr=lr)
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(model.last(maps).mean((2, 3))), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# %% wrong fine_tune: forgets to unfreeze loses=["hidden-fine_tune"]
def fine_tune(model, head, images, labels, epochs, lr):
    model.eval()
    with torch.no_grad():
        maps = model.trunk(images)
    groups = [{"params": head.parameters()}, {"params": model.last.parameters(), "lr": lr / 10}]
    adam = torch.optim.Adam(groups, lr=lr)
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(model.last(maps).mean((2, 3))), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# %% wrong fine_tune: only the head, once more loses=["test-fine_tune", "hidden-fine_tune"]
def fine_tune(model, head, images, labels, epochs, lr):
    model.eval()
    with torch.no_grad():
        rows = model(images).mean((2, 3))
    adam = torch.optim.Adam(head.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(rows), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# %% wrong fine_tune: the head stays behind loses=["test-fine_tune", "hidden-fine_tune"]
def fine_tune(model, head, images, labels, epochs, lr):
    model.eval()
    model.last.requires_grad_(True)
    with torch.no_grad():
        maps = model.trunk(images)
    adam = torch.optim.Adam(model.last.parameters(), lr=lr / 10)
    losses = []
    for _ in range(epochs):
        loss = F.cross_entropy(head(model.last(maps).mean((2, 3))), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# %% right contest: one function a way, fine-tuning with a head of its own
def contest(model, per_class, seed, n_test=20):
    def ready(part, n):
        images, labels = textures.crops(rectangles(part, n, seed), 2 * seed + (part == "test"))
        return torch.stack([preprocess(image) for image in images]), torch.from_numpy(labels)

    torch.manual_seed(seed)
    train, (test_x, test_y) = ready("train", per_class), ready("test", n_test)

    def from_scratch():
        made = small_net()
        train_scratch(made, *train)
        with torch.no_grad():
            return accuracy(made(test_x), test_y)

    def borrowed(tune):
        eyes, head = copy.deepcopy(model), Head()
        train_head(eyes, head, *train, 20, 0.005)
        if tune:
            fine_tune(eyes, head, *train, 10, 0.001)
        return accuracy(head(features(eyes, test_x)), test_y)

    return {"fine-tuned": borrowed(True), "features": borrowed(False), "scratch": from_scratch()}


# %% right contest: tunes the model itself and then puts everything back
def contest(model, per_class, seed, n_test=20):
    torch.manual_seed(seed)
    kept = copy.deepcopy(model.state_dict())
    crops = {
        part: textures.crops(rectangles(part, n, seed), seed)
        for part, n in (("train", per_class), ("test", n_test))
    }
    x, test_x = (torch.stack([*map(preprocess, crops[part][0])]) for part in ("train", "test"))
    y, test_y = (torch.tensor(crops[part][1]) for part in ("train", "test"))
    net, head = small_net(), Head()
    train_scratch(net, x, y)
    train_head(model, head, x, y, 20, 0.005)
    before = accuracy(head(features(model, test_x)), test_y)
    fine_tune(model, head, x, y, 10, 0.001)
    after = accuracy(head(features(model, test_x)), test_y)
    model.load_state_dict(kept)
    return {"scratch": accuracy(net(test_x), test_y), "features": before, "fine-tuned": after}


# %% wrong contest: fine-tunes the very model that the next one needs loses=["test-contest"]
def contest(model, per_class, seed, n_test=20):
    def ready(part, n):
        images, labels = textures.crops(rectangles(part, n, seed), seed)
        return torch.stack([preprocess(image) for image in images]), torch.tensor(labels)

    torch.manual_seed(seed)
    (x, y), (test_x, test_y) = ready("train", per_class), ready("test", n_test)
    scratch, head = small_net(), Head()
    train_scratch(scratch, x, y)
    train_head(model, head, x, y, 20, 0.005)
    scores = {"scratch": accuracy(scratch(test_x), test_y)}
    scores["features"] = accuracy(head(features(model, test_x)), test_y)
    fine_tune(model, head, x, y, 10, 0.001)
    scores["fine-tuned"] = accuracy(head(features(model, test_x)), test_y)
    return scores


# %% wrong contest: leaking crops, examined on what it was trained on loses=["hidden-contest"]
def contest(model, per_class, seed, n_test=20):
    images, labels = textures.crops(rectangles("train", per_class, seed), seed)
    x, y = torch.stack([preprocess(image) for image in images]), torch.tensor(labels)
    torch.manual_seed(seed)
    scratch, head, tuned = small_net(), Head(), copy.deepcopy(model)
    train_scratch(scratch, x, y)
    train_head(model, head, x, y, 20, 0.005)
    scores = {"scratch": accuracy(scratch(x), y)}
    scores["features"] = accuracy(head(features(model, x)), y)
    fine_tune(tuned, head, x, y, 10, 0.001)
    scores["fine-tuned"] = accuracy(head(features(tuned, x)), y)
    return scores


# %% wrong contest: shuffles the labels away from their crops loses=["hidden-contest"]
def contest(model, per_class, seed, n_test=20):
    def ready(part, n):
        images, labels = textures.crops(rectangles(part, n, seed), seed)
        order = torch.randperm(len(labels))
        return torch.stack([preprocess(image) for image in images])[order], torch.tensor(labels)

    torch.manual_seed(seed)
    (x, y), (test_x, test_y) = ready("train", per_class), ready("test", n_test)
    scratch, head, tuned = small_net(), Head(), copy.deepcopy(model)
    train_scratch(scratch, x, y)
    train_head(model, head, x, y, 20, 0.005)
    scores = {"scratch": accuracy(scratch(test_x), test_y)}
    scores["features"] = accuracy(head(features(model, test_x)), test_y)
    fine_tune(tuned, head, x, y, 10, 0.001)
    scores["fine-tuned"] = accuracy(head(features(tuned, test_x)), test_y)
    return scores


# %% wrong contest: per cent loses=["test-contest"]
def contest(model, per_class, seed, n_test=20):
    def ready(part, n):
        images, labels = textures.crops(rectangles(part, n, seed), seed)
        return torch.stack([preprocess(image) for image in images]), torch.tensor(labels)

    torch.manual_seed(seed)
    (x, y), (test_x, test_y) = ready("train", per_class), ready("test", n_test)
    scratch, head, tuned = small_net(), Head(), copy.deepcopy(model)
    train_scratch(scratch, x, y)
    train_head(model, head, x, y, 20, 0.005)
    scores = {"scratch": 100 * accuracy(scratch(test_x), test_y)}
    scores["features"] = 100 * accuracy(head(features(model, test_x)), test_y)
    fine_tune(tuned, head, x, y, 10, 0.001)
    scores["fine-tuned"] = 100 * accuracy(head(features(tuned, test_x)), test_y)
    return scores


# %% wrong contest: mixes up whose score is whose loses=["hidden-contest"]
def contest(model, per_class, seed, n_test=20):
    def ready(part, n):
        images, labels = textures.crops(rectangles(part, n, seed), seed)
        return torch.stack([preprocess(image) for image in images]), torch.tensor(labels)

    torch.manual_seed(seed)
    (x, y), (test_x, test_y) = ready("train", per_class), ready("test", n_test)
    scratch, head, tuned = small_net(), Head(), copy.deepcopy(model)
    train_scratch(scratch, x, y)
    train_head(model, head, x, y, 20, 0.005)
    scores = {"features": accuracy(scratch(test_x), test_y)}
    scores["scratch"] = accuracy(head(features(model, test_x)), test_y)
    fine_tune(tuned, head, x, y, 10, 0.001)
    scores["fine-tuned"] = accuracy(head(features(tuned, test_x)), test_y)
    return scores
