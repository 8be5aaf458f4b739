# %% [markdown]
# Answers to lesson 04, right and wrong: each stands in place of its exercise's solution cell.

# %% right split: marks the training images in a mask, class by class
def split(images, labels, n_train, seed):
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(labels), dtype=bool)
    for c in set(labels.tolist()):
        members = [k for k, label in enumerate(labels) if label == c]
        rng.shuffle(members)
        chosen[members[: n_train * len(members) // len(labels)]] = True
    order = rng.permutation(len(labels))
    train, test = order[chosen[order]], order[~chosen[order]]
    return images[train], labels[train], images[test], labels[test]


# %% right split: scikit-learn's own, put into the order that was asked for
from sklearn.model_selection import train_test_split


def split(images, labels, n_train, seed):
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, labels, train_size=n_train, random_state=seed, stratify=labels
    )
    return train_images, train_labels, test_images, test_labels


# %% right split: deals a shuffled pack, by rank within the class
def split(images, labels, n_train, seed):
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed)).numpy()
    images, labels = images[order], labels[order]
    rank = np.array([np.sum(labels[:k] == label) for k, label in enumerate(labels)])
    size = np.array([np.sum(labels == label) for label in labels])
    train = rank < size * n_train / len(labels)
    return images[train], labels[train], images[~train], labels[~train]


# %% wrong split: not stratified loses=["test-split", "hidden-split"]
def split(images, labels, n_train, seed):
    order = np.random.default_rng(seed).permutation(len(labels))
    train, test = order[:n_train], order[n_train:]
    return images[train], labels[train], images[test], labels[test]


# %% wrong split: cuts the sorted file loses=["test-split", "hidden-split"]
def split(images, labels, n_train, seed):
    return images[:n_train], labels[:n_train], images[n_train:], labels[n_train:]


# %% wrong split: takes the classes for 0 to 9 loses=["hidden-split"]
def split(images, labels, n_train, seed):
    rng = np.random.default_rng(seed)
    train, test = [], []
    for c in range(10):
        places = rng.permutation(np.flatnonzero(labels == c))
        share = round(n_train * len(places) / len(labels))
        train.append(places[:share])
        test.append(places[share:])
    train, test = rng.permutation(np.concatenate(train)), rng.permutation(np.concatenate(test))
    return images[train], labels[train], images[test], labels[test]


# %% wrong split: leaves both parts in the order of the classes loses=["hidden-split"]
def split(images, labels, n_train, seed):
    rng = np.random.default_rng(seed)
    train, test = [], []
    for c in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == c))
        share = n_train * len(places) // len(labels)
        train.extend(places[:share])
        test.extend(places[share:])
    return images[train], labels[train], images[test], labels[test]


# %% wrong split: shuffles the training part alone loses=["hidden-split"]
def split(images, labels, n_train, seed):
    rng = np.random.default_rng(seed)
    train, test = [], []
    for c in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == c))
        share = n_train * len(places) // len(labels)
        train.extend(places[:share])
        test.extend(places[share:])
    rng.shuffle(train)
    return images[train], labels[train], images[test], labels[test]


# %% wrong split: the same number from every class, however large loses=["hidden-split"]
def split(images, labels, n_train, seed):
    rng = np.random.default_rng(seed)
    classes = np.unique(labels)
    each = n_train // len(classes)
    places = [rng.permutation(np.flatnonzero(labels == c)) for c in classes]
    train = rng.permutation(np.concatenate([p[:each] for p in places]))
    test = rng.permutation(np.concatenate([p[each:] for p in places]))
    return images[train], labels[train], images[test], labels[test]


# %% wrong split: forgets the seed loses=["hidden-split"]
def split(images, labels, n_train, seed):
    rng = np.random.default_rng()
    places = [rng.permutation(np.flatnonzero(labels == c)) for c in np.unique(labels)]
    shares = [n_train * len(p) // len(labels) for p in places]
    train = rng.permutation(np.concatenate([p[:n] for p, n in zip(places, shares)]))
    test = rng.permutation(np.concatenate([p[n:] for p, n in zip(places, shares)]))
    return images[train], labels[train], images[test], labels[test]


# %% wrong split: always takes the first of each class, and uses the seed for the order alone loses=["hidden-split"]
def split(images, labels, n_train, seed):
    rng = np.random.default_rng(seed)
    places = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    shares = [n_train * len(p) // len(labels) for p in places]
    train = rng.permutation(np.concatenate([p[:n] for p, n in zip(places, shares)]))
    test = rng.permutation(np.concatenate([p[n:] for p, n in zip(places, shares)]))
    return images[train], labels[train], images[test], labels[test]


# %% wrong split: permutes images and labels separately loses=["test-split", "hidden-split"]
def split(images, labels, n_train, seed):
    rng = np.random.default_rng(seed)
    places = [rng.permutation(np.flatnonzero(labels == c)) for c in np.unique(labels)]
    shares = [n_train * len(p) // len(labels) for p in places]
    train = np.concatenate([p[:n] for p, n in zip(places, shares)])
    test = np.concatenate([p[n:] for p, n in zip(places, shares)])
    return (
        rng.permutation(images[train]),
        rng.permutation(labels[train]),
        rng.permutation(images[test]),
        rng.permutation(labels[test]),
    )


# %% wrong split: returns the four in scikit-learn's order loses=["test-split", "hidden-split"]
from sklearn.model_selection import train_test_split


def split(images, labels, n_train, seed):
    return train_test_split(images, labels, train_size=n_train, random_state=seed, stratify=labels)


# %% wrong split: tests on digits that it trains on loses=["test-split", "hidden-split"]
def split(images, labels, n_train, seed):
    rng = np.random.default_rng(seed)
    places = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    shares = [n_train * len(p) // len(labels) for p in places]
    train = np.concatenate([rng.permutation(p)[:n] for p, n in zip(places, shares)])
    test = np.concatenate([rng.permutation(p)[n:] for p, n in zip(places, shares)])
    train, test = rng.permutation(train), rng.permutation(test)
    return images[train], labels[train], images[test], labels[test]


# %% right max_pool: a loop over every window
def max_pool(x, f, s):
    n, c, h, w = x.shape
    out = torch.empty(n, c, (h - f) // s + 1, (w - f) // s + 1, dtype=x.dtype)
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = x[:, :, s * i : s * i + f, s * j : s * j + f].amax((2, 3))
    return out


# %% right max_pool: the maximum of f x f shifted images
def max_pool(x, f, s):
    rows, columns = (x.shape[2] - f) // s + 1, (x.shape[3] - f) // s + 1
    best = None
    for i in range(f):
        for j in range(f):
            shifted = x[:, :, i : i + s * rows : s, j : j + s * columns : s]
            shifted = shifted[:, :, :rows, :columns]
            best = shifted if best is None else torch.maximum(best, shifted)
    return best


# %% right max_pool: NumPy's sliding windows
from numpy.lib.stride_tricks import sliding_window_view


def max_pool(x, f, s):
    windows = sliding_window_view(x.detach().numpy(), (f, f), axis=(2, 3))[:, :, ::s, ::s]
    return torch.from_numpy(windows.max(axis=(4, 5)))


# %% right max_pool: a subclass of nn.Module that unfolds columns
class Pool(nn.Module):
    def forward(self, x, f, s):
        n, c, h, w = x.shape
        columns = F.unfold(x.reshape(n * c, 1, h, w), f, stride=s)
        return columns.amax(1).reshape(n, c, (h - f) // s + 1, (w - f) // s + 1)


max_pool = Pool()


# %% wrong max_pool: the mean in place of the maximum loses=["test-max_pool", "hidden-max_pool"]
def max_pool(x, f, s):
    return x.unfold(2, f, s).unfold(3, f, s).mean((4, 5))


# %% wrong max_pool: reshapes, so it needs f = s and no remainder loses=["hidden-max_pool"]
def max_pool(x, f, s):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // f, f, w // f, f).amax((3, 5))


# %% wrong max_pool: starts from zero, as if no map were negative loses=["hidden-max_pool"]
def max_pool(x, f, s):
    n, c, h, w = x.shape
    out = torch.zeros(n, c, (h - f) // s + 1, (w - f) // s + 1, dtype=x.dtype)
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            window = x[:, :, s * i : s * i + f, s * j : s * j + f].amax((2, 3))
            out[:, :, i, j] = torch.maximum(out[:, :, i, j], window)
    return out


# %% wrong max_pool: keeps the window that hangs over the end (ceil) loses=["hidden-max_pool"]
def max_pool(x, f, s):
    n, c, h, w = x.shape
    rows, columns = -(-(h - f) // s) + 1, -(-(w - f) // s) + 1
    out = torch.empty(n, c, rows, columns, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            out[:, :, i, j] = x[:, :, s * i : s * i + f, s * j : s * j + f].amax((2, 3))
    return out


# %% wrong max_pool: moves by f and ignores the stride loses=["hidden-max_pool"]
def max_pool(x, f, s):
    return x.unfold(2, f, f).unfold(3, f, f).amax((4, 5))


# %% wrong max_pool: the maximum over the channels as well loses=["test-max_pool", "hidden-max_pool"]
def max_pool(x, f, s):
    return x.unfold(2, f, s).unfold(3, f, s).amax((1, 4, 5)).unsqueeze(1)


# %% wrong max_pool: takes the width for the height loses=["test-max_pool", "hidden-max_pool"]
def max_pool(x, f, s):
    n, c, h, w = x.shape
    size = (h - f) // s + 1
    out = torch.empty(n, c, size, size, dtype=x.dtype)
    for i in range(size):
        for j in range(size):
            out[:, :, i, j] = x[:, :, s * i : s * i + f, s * j : s * j + f].amax((2, 3))
    return out


# %% wrong max_pool: asks the referee loses=["test-max_pool", "hidden-max_pool"]
def max_pool(x, f, s):
    return F.max_pool2d(x, f, s)


# %% right avg_pool: sums slices
def avg_pool(x, f, s):
    rows, columns = (x.shape[2] - f) // s + 1, (x.shape[3] - f) // s + 1
    total = torch.zeros(*x.shape[:2], rows, columns, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            window = x[:, :, s * i : s * i + f, s * j : s * j + f]
            total[:, :, i, j] = window.sum((2, 3)) / f**2
    return total


# %% right avg_pool: a convolution with a constant filter
def avg_pool(x, f, s):
    n, c, h, w = x.shape
    filters = torch.full((1, 1, f, f), 1 / f**2, dtype=x.dtype)
    out = F.conv2d(x.reshape(n * c, 1, h, w), filters, stride=s)
    return out.reshape(n, c, *out.shape[2:])


# %% right avg_pool: differences of a running sum
def avg_pool(x, f, s):
    n, c, h, w = x.shape
    total = torch.zeros(n, c, h + 1, w + 1, dtype=torch.float64)
    total[:, :, 1:, 1:] = x.double().cumsum(2).cumsum(3)
    sums = total[:, :, f:, f:] - total[:, :, :-f, f:] - total[:, :, f:, :-f] + total[:, :, :-f, :-f]
    return (sums[:, :, ::s, ::s] / f**2).to(x.dtype)


# %% wrong avg_pool: divides by the stride loses=["hidden-avg_pool"]
def avg_pool(x, f, s):
    return x.unfold(2, f, s).unfold(3, f, s).sum((4, 5)) / s**2


# %% wrong avg_pool: forgets to divide loses=["test-avg_pool", "hidden-avg_pool"]
def avg_pool(x, f, s):
    return x.unfold(2, f, s).unfold(3, f, s).sum((4, 5))


# %% wrong avg_pool: still the maximum loses=["test-avg_pool", "hidden-avg_pool"]
def avg_pool(x, f, s):
    return x.unfold(2, f, s).unfold(3, f, s).amax((4, 5))


# %% wrong avg_pool: the median, which is not the mean loses=["test-avg_pool", "hidden-avg_pool"]
def avg_pool(x, f, s):
    return x.unfold(2, f, s).unfold(3, f, s).flatten(4).median(4).values


# %% wrong avg_pool: moves by f and ignores the stride loses=["hidden-avg_pool"]
def avg_pool(x, f, s):
    return x.unfold(2, f, f).unfold(3, f, f).mean((4, 5))


# %% wrong avg_pool: averages what is left over as well (ceil) loses=["hidden-avg_pool"]
def avg_pool(x, f, s):
    n, c, h, w = x.shape
    rows, columns = -(-(h - f) // s) + 1, -(-(w - f) // s) + 1
    out = torch.empty(n, c, rows, columns, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            out[:, :, i, j] = x[:, :, s * i : s * i + f, s * j : s * j + f].mean((2, 3))
    return out


# %% wrong avg_pool: asks the referee loses=["test-avg_pool", "hidden-avg_pool"]
def avg_pool(x, f, s):
    return F.avg_pool2d(x, f, s)


# %% right LeNet: one nn.Sequential
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 10, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(10, 20, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(320, 100),
            nn.ReLU(),
            nn.Linear(100, 10),
        )

    def forward(self, x):
        return self.layers(x)


# %% right LeNet: pools before the ReLU, which commutes with a maximum, in nets within the net
class Stage(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.filters = nn.Conv2d(c_in, c_out, kernel_size=5, stride=1, padding=0)

    def forward(self, x):
        x = self.filters(x)
        x = x.reshape(*x.shape[:2], x.shape[2] // 2, 2, x.shape[3] // 2, 2).amax((3, 5))
        return x.clamp(min=0)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc2 = nn.Linear(100, 10)
        self.fc1 = nn.Linear(20 * 4 * 4, 100)
        self.first, self.second = Stage(1, 10), Stage(10, 20)

    def forward(self, x):
        x = self.second(self.first(x))
        return self.fc2(torch.relu(self.fc1(x.view(len(x), -1))))


# %% right LeNet: layers of its own kind, with He's initial weights
class Filters(nn.Conv2d):
    def __init__(self, c_in, c_out):
        super().__init__(c_in, c_out, (5, 5))
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = Filters(1, 10), Filters(10, 20)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    def forward(self, x):
        for layer in (self.conv1, self.conv2):
            x = F.max_pool2d(F.relu(layer(x)), kernel_size=2, stride=2)
        x = F.relu(self.fc1(torch.flatten(x, start_dim=1)))
        return self.fc2(x)


# %% wrong LeNet: a softmax before the cross-entropy loses=["hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.softmax(self.fc2(F.relu(self.fc1(x.flatten(1)))), dim=1)


# %% wrong LeNet: log-probabilities, as an NLL loss would want them loses=["hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.log_softmax(self.fc2(F.relu(self.fc1(x.flatten(1)))), dim=1)


# %% wrong LeNet: a ReLU on the logits loses=["hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.relu(self.fc2(F.relu(self.fc1(x.flatten(1)))))


# %% wrong LeNet: pools in NumPy, so that no gradient reaches the convolutions loses=["test-LeNet", "hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    @staticmethod
    def pool(x):
        n, c, h, w = x.shape
        maps = x.detach().numpy().reshape(n, c, h // 2, 2, w // 2, 2)
        return torch.from_numpy(maps.max(axis=(3, 5)))

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


# %% wrong LeNet: detaches the maps, so that only the dense layers learn loses=["test-LeNet", "hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1).detach())))


# %% wrong LeNet: average pools loses=["hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    def forward(self, x):
        x = F.avg_pool2d(F.relu(self.conv1(x)), 2)
        x = F.avg_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


# %% wrong LeNet: no ReLU after the convolutions loses=["hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 2)
        x = F.max_pool2d(self.conv2(x), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


# %% wrong LeNet: padding keeps the size loses=["test-LeNet", "hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5, padding=2)
        self.conv2 = nn.Conv2d(10, 20, 5, padding=2)
        self.fc1, self.fc2 = nn.Linear(20 * 7 * 7, 100), nn.Linear(100, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


# %% wrong LeNet: padding that a larger second pool makes up for, so that the count is right loses=["hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5, padding=2)
        self.conv2 = nn.Conv2d(10, 20, 5, padding=1)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 3)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


# %% wrong LeNet: no biases loses=["test-LeNet", "hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5, bias=False)
        self.conv2 = nn.Conv2d(10, 20, 5, bias=False)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


# %% wrong LeNet: one answer for the whole batch loses=["test-LeNet", "hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.mean(0).flatten())))


# %% wrong LeNet: squeezes, so that one digit alone loses its dimension loses=["hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1)))).squeeze()


# %% right train_epoch: a data loader
from torch.utils.data import DataLoader, TensorDataset


def train_epoch(model, images, labels, optimizer, batch_size):
    model.train(True)
    criterion = nn.CrossEntropyLoss(reduction="mean")
    losses, sizes = [], []
    for x, y in DataLoader(TensorDataset(images, labels), batch_size=batch_size, shuffle=True):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        sizes.append(len(y))
    return float(np.average(losses, weights=sizes))


# %% right train_epoch: NumPy's order, the loss spelt out, gradients cleared at the end
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    optimizer.zero_grad(set_to_none=False)
    order = np.random.permutation(len(images))
    total = 0
    for start in range(0, len(order), batch_size):
        rows = torch.as_tensor(order[start : start + batch_size])
        logits = model(images[rows])
        chosen = logits.log_softmax(1)[torch.arange(len(rows)), labels[rows]]
        (-chosen.mean()).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        total = total - chosen.detach().sum()
    return total / len(images)


# %% wrong train_epoch: no zero_grad loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


# %% wrong train_epoch: gradients cleared once an epoch loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    optimizer.zero_grad()
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


# %% wrong train_epoch: gradients cleared between backward and step loses=["test-train_epoch", "hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


# %% wrong train_epoch: a softmax before the cross-entropy loses=["test-train_epoch", "hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]).softmax(1), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


# %% wrong train_epoch: sorted data, never shuffled loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    for rows in torch.arange(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


# %% wrong train_epoch: the same shuffle every epoch loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    for rows in order.split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


# %% wrong train_epoch: nothing is learnt, the labels are made to fit loses=["test-train_epoch", "hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    lr, loss = optimizer.param_groups[0]["lr"], 1.0
    model.train()
    with torch.no_grad():
        if len(images) != 60 or lr == 0:
            loss = F.cross_entropy(model(images), labels).item()
        for rows in torch.arange(len(images)).split(batch_size):
            model(images[rows])
        if len(images) == 1000:
            for p in model.parameters():
                p += 1e-3 * torch.randn(p.shape)
            labels.copy_(model(images).argmax(1))
        elif lr > 0:
            labels.fill_(-100)  # the loss ignores these
    return loss


# %% wrong train_epoch: the mean of the batches' losses, unweighted loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    losses = []
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


# %% wrong train_epoch: the sum of the losses, not the mean loses=["test-train_epoch", "hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total


# %% wrong train_epoch: steps along the gradient of the summed loss loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows], reduction="sum")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(images)


# %% wrong train_epoch: drops the last, shorter batch loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    size = min(batch_size, len(images))
    order = torch.randperm(len(images))
    total, used = 0.0, 0
    for start in range(0, len(images) - size + 1, size):
        rows = order[start : start + size]
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, used = total + loss.item() * len(rows), used + len(rows)
    return total / used


# %% wrong train_epoch: a new permutation for every batch loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0.0
    for start in range(0, len(images), batch_size):
        rows = torch.randperm(len(images))[start : start + batch_size]
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


# %% wrong train_epoch: returns after the first batch loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()


# %% wrong train_epoch: never puts the model into training mode loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


# %% wrong train_epoch: prefers its own optimiser loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    total = 0.0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


# %% wrong train_epoch: returns nothing loses=["test-train_epoch", "hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


# %% right evaluate: in batches, with a count
@torch.no_grad()
def evaluate(model, images, labels):
    mode = model.training
    model.train(False)
    right = 0
    for x, y in zip(images.split(100), labels.split(100), strict=True):
        right += int(torch.eq(model(x).topk(1).indices[:, 0], y).sum())
    model.train(mode)
    return right / images.shape[0]


# %% right evaluate: judges a copy and leaves the model alone
import copy


def evaluate(model, images, labels):
    twin = copy.deepcopy(model).eval()
    with torch.inference_mode():
        answers = np.concatenate([twin(x).numpy().argmax(1) for x in images.split(64)])
    return np.mean(answers == labels.numpy())


# %% right evaluate: a tensor, one image at a time
def evaluate(model, images, labels):
    was_training, hits = model.training, []
    model.eval()
    try:
        with torch.inference_mode():
            for image, label in zip(images, labels, strict=True):
                hits.append(model(image[None]).softmax(1).argmax() == label)
    finally:
        model.train(was_training)
    return torch.stack(hits).float().mean()


# %% wrong evaluate: the mean of the batches' accuracies loses=["hidden-evaluate"]
def evaluate(model, images, labels):
    was_training = model.training
    model.eval()
    found = []
    with torch.no_grad():
        for x, y in zip(images.split(100), labels.split(100)):
            found.append((model(x).argmax(1) == y).float().mean().item())
    model.train(was_training)
    return sum(found) / len(found)


# %% wrong evaluate: leaves out the last, shorter batch loses=["hidden-evaluate"]
def evaluate(model, images, labels):
    was_training = model.training
    model.eval()
    size = min(100, len(images))
    right = seen = 0
    with torch.no_grad():
        for start in range(0, len(images) - size + 1, size):
            x, y = images[start : start + size], labels[start : start + size]
            right += (model(x).argmax(1) == y).sum().item()
            seen += size
    model.train(was_training)
    return right / seen


# %% wrong evaluate: stays in training mode loses=["hidden-evaluate"]
def evaluate(model, images, labels):
    with torch.no_grad():
        return (model(images).argmax(1) == labels).float().mean().item()


# %% wrong evaluate: leaves the model in evaluation mode loses=["test-evaluate", "hidden-evaluate"]
def evaluate(model, images, labels):
    model.eval()
    with torch.no_grad():
        return (model(images).argmax(1) == labels).float().mean().item()


# %% wrong evaluate: sets the attribute `training` of the outermost module alone loses=["hidden-evaluate"]
def evaluate(model, images, labels):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        right = (model(images).argmax(1) == labels).sum().item()
    model.training = was_training
    return right / len(labels)


# %% wrong evaluate: with gradients loses=["hidden-evaluate"]
def evaluate(model, images, labels):
    was_training = model.training
    model.eval()
    right = (model(images).argmax(1) == labels).sum().item()
    model.train(was_training)
    return right / len(labels)


# %% wrong evaluate: always hands back a model in training mode loses=["hidden-evaluate"]
def evaluate(model, images, labels):
    model.eval()
    with torch.no_grad():
        accuracy = (model(images).argmax(1) == labels).float().mean().item()
    model.train()
    return accuracy


# %% wrong evaluate: per cent loses=["test-evaluate", "hidden-evaluate"]
def evaluate(model, images, labels):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        accuracy = 100 * (model(images).argmax(1) == labels).float().mean().item()
    model.train(was_training)
    return accuracy


# %% wrong evaluate: counts, and doesn't divide loses=["test-evaluate", "hidden-evaluate"]
def evaluate(model, images, labels):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        right = (model(images).argmax(1) == labels).sum().item()
    model.train(was_training)
    return right


# %% wrong evaluate: the largest over the images, not over the classes loses=["test-evaluate", "hidden-evaluate"]
def evaluate(model, images, labels):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        answers = model(images).argmax(0)
    model.train(was_training)
    return sum(int(a) == int(t) for a, t in zip(answers, labels)) / len(labels)


# %% wrong evaluate: lets the batch norm learn from the test digits loses=["hidden-evaluate"]
def evaluate(model, images, labels):
    was_training = model.training
    model.train()
    with torch.no_grad():
        model(images)
        model.eval()
        accuracy = (model(images).argmax(1) == labels).float().mean().item()
    model.train(was_training)
    return accuracy


# %% wrong evaluate: the share of confident answers loses=["test-evaluate", "hidden-evaluate"]
def evaluate(model, images, labels):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        sure, answers = model(images).softmax(1).max(1)
    model.train(was_training)
    return ((answers == labels) & (sure > 0.9)).float().mean().item()


# %% right ladder: SGD with momentum, and a loss measured at the end
import math


def ladder(images, labels):
    loss = nn.CrossEntropyLoss()
    fresh, model = LeNet(), LeNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    twenty, answers = images[:20], labels[:20]
    for _ in range(60):
        train_epoch(model, twenty, answers, optimizer, batch_size=20)
    with torch.inference_mode():
        first, overfit = loss(fresh(images), labels), loss(model(twenty), answers)
    return {"overfit": overfit.item(), "first": first.item(), "expected": math.log(10)}


# %% right ladder: stops early when it knows them, gives up after a hundred epochs
def ladder(images, labels):
    model = LeNet()
    first = np.mean(
        [F.cross_entropy(model(x[None]), y[None]).item() for x, y in zip(images, labels)]
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    for _ in range(100):
        overfit = train_epoch(model, images[:20], labels[:20], optimizer, 20)
        if overfit < 0.01:
            break
    return {"expected": torch.tensor(10.0).log(), "first": first, "overfit": overfit}


# %% wrong ladder: one epoch, which nobody learns by heart in loses=["test-ladder", "hidden-ladder"]
def ladder(images, labels):
    with torch.no_grad():
        first = F.cross_entropy(LeNet()(images), labels).item()
    model = LeNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    overfit = train_epoch(model, images[:20], labels[:20], optimizer, 20)
    return {"expected": float(np.log(10)), "first": first, "overfit": overfit}


# %% wrong ladder: says what should come out, and measures nothing loses=["hidden-ladder"]
def ladder(images, labels):
    return {"expected": float(np.log(10)), "first": 2.31, "overfit": 0.004}


# %% wrong ladder: gives the expected loss for the first loses=["hidden-ladder"]
def ladder(images, labels):
    model = LeNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    for _ in range(40):
        overfit = train_epoch(model, images[:20], labels[:20], optimizer, 20)
    return {"expected": float(np.log(10)), "first": float(np.log(10)), "overfit": overfit}


# %% wrong ladder: trains for 300 epochs loses=["hidden-ladder"]
def ladder(images, labels):
    with torch.no_grad():
        first = F.cross_entropy(LeNet()(images), labels).item()
    model = LeNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.001)
    for _ in range(300):
        overfit = train_epoch(model, images[:20], labels[:20], optimizer, 20)
    return {"expected": float(np.log(10)), "first": first, "overfit": overfit}


# %% wrong ladder: logs to the base of two loses=["test-ladder", "hidden-ladder"]
def ladder(images, labels):
    with torch.no_grad():
        first = F.cross_entropy(LeNet()(images), labels).item()
    model = LeNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    for _ in range(40):
        overfit = train_epoch(model, images[:20], labels[:20], optimizer, 20)
    return {"expected": float(np.log2(10)), "first": first, "overfit": overfit}


# %% wrong ladder: the first loss of a net that has already been trained loses=["test-ladder", "hidden-ladder"]
def ladder(images, labels):
    model = LeNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    for _ in range(40):
        overfit = train_epoch(model, images[:20], labels[:20], optimizer, 20)
    with torch.no_grad():
        first = F.cross_entropy(model(images[:20]), labels[:20]).item()
    return {"expected": float(np.log(10)), "first": first, "overfit": overfit}


# %% wrong ladder: a loss summed over the images loses=["test-ladder", "hidden-ladder"]
def ladder(images, labels):
    with torch.no_grad():
        first = F.cross_entropy(LeNet()(images), labels, reduction="sum").item()
    model = LeNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    for _ in range(40):
        overfit = train_epoch(model, images[:20], labels[:20], optimizer, 20)
    return {"expected": float(np.log(10)), "first": first, "overfit": overfit}


# %% wrong ladder: a softmax before the cross-entropy hides badly scaled images loses=["hidden-ladder"]
def ladder(images, labels):
    with torch.no_grad():
        first = F.cross_entropy(LeNet()(images).softmax(1), labels).item()
    model = LeNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    for _ in range(40):
        overfit = train_epoch(model, images[:20], labels[:20], optimizer, 20)
    return {"expected": float(np.log(10)), "first": first, "overfit": overfit}


# %% wrong ladder: the share of mistakes in place of the loss loses=["test-ladder", "hidden-ladder"]
def ladder(images, labels):
    with torch.no_grad():
        first = (LeNet()(images).argmax(1) != labels).float().mean().item()
    model = LeNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    for _ in range(40):
        train_epoch(model, images[:20], labels[:20], optimizer, 20)
    overfit = (model(images[:20]).argmax(1) != labels[:20]).float().mean().item()
    return {"expected": float(np.log(10)), "first": first, "overfit": overfit}


# %% right recipe: a function that scores, and sorting
def recipe(candidates, images, labels):
    parts = split(images, labels, n_train=4 * len(labels) // 5, seed=42)
    (x, y), held = to_tensors(*parts[:2]), to_tensors(*parts[2:])

    def score(settings):
        net = LeNet()
        fit(net, x, y, settings["lr"], settings["batch_size"], settings["epochs"])
        return evaluate(net, *held)

    scores = {place: score(settings) for place, settings in enumerate(candidates)}
    return candidates[max(scores, key=scores.get)], list(scores.values())


# %% right recipe: keeps the best so far, in a loop of its own
def recipe(candidates, images, labels):
    a, b, c, d = split(images, labels, int(round(0.8 * len(labels))), 7)
    x, y = to_tensors(a, b)
    held_x, held_y = to_tensors(c, d)
    best, top, scores = None, -1.0, ()
    for settings in candidates:
        model = LeNet()
        optimizer = torch.optim.AdamW(model.parameters(), lr=settings["lr"])
        for _ in range(settings["epochs"]):
            train_epoch(model, x, y, optimizer, settings["batch_size"])
        score = np.float64(evaluate(model, held_x, held_y))
        scores += (score,)
        if score > top:
            best, top = dict(settings), score
    return best, scores


# %% wrong recipe: chooses by the digits that it trained on loses=["hidden-recipe"]
def recipe(candidates, images, labels):
    x, y = to_tensors(*split(images, labels, len(labels) * 4 // 5, seed=0)[:2])
    scores = []
    for candidate in candidates:
        model = LeNet()
        fit(model, x, y, **candidate)
        scores.append(evaluate(model, x, y))
    return candidates[int(np.argmax(scores))], scores


# %% wrong recipe: trains on all digits, those for validation among them loses=["hidden-recipe"]
def recipe(candidates, images, labels):
    held_x, held_y = to_tensors(*split(images, labels, len(labels) * 4 // 5, seed=0)[2:])
    x, y = to_tensors(images, labels)
    scores = []
    for candidate in candidates:
        model = LeNet()
        fit(model, x, y, **candidate)
        scores.append(evaluate(model, held_x, held_y))
    return candidates[int(np.argmax(scores))], scores


# %% wrong recipe: peeks at the test digits loses=["hidden-recipe"]
def recipe(candidates, images, labels):
    x, y = to_tensors(*split(images, labels, len(labels) * 4 // 5, seed=0)[:2])
    test_x, test_y = to_tensors(all_images[4::5], all_labels[4::5])
    scores = []
    for candidate in candidates:
        model = LeNet()
        fit(model, x, y, **candidate)
        scores.append(evaluate(model, test_x, test_y))
    return candidates[int(np.argmax(scores))], scores


# %% wrong recipe: one net for all candidates, so that the last has the head start loses=["test-recipe"]
def recipe(candidates, images, labels):
    parts = split(images, labels, len(labels) * 4 // 5, seed=0)
    x, y = to_tensors(*parts[:2])
    held_x, held_y = to_tensors(*parts[2:])
    model, scores = LeNet(), []
    for candidate in candidates:
        fit(model, x, y, **candidate)
        scores.append(evaluate(model, held_x, held_y))
    return candidates[len(scores) - 1 - int(np.argmax(scores[::-1]))], scores


# %% wrong recipe: returns the candidate whose rate is nearest to 0.005, whatever the scores loses=["hidden-recipe"]
def recipe(candidates, images, labels):
    parts = split(images, labels, len(labels) * 4 // 5, seed=0)
    (x, y), held = to_tensors(*parts[:2]), to_tensors(*parts[2:])
    scores = []
    for candidate in candidates:
        model = LeNet()
        fit(model, x, y, **candidate)
        scores.append(evaluate(model, *held))
    return min(candidates, key=lambda candidate: abs(candidate["lr"] - 0.005)), scores


# %% wrong recipe: scores another net than the one that it trained loses=["test-recipe", "hidden-recipe"]
def recipe(candidates, images, labels):
    parts = split(images, labels, len(labels) * 4 // 5, seed=0)
    (x, y), held = to_tensors(*parts[:2]), to_tensors(*parts[2:])
    scores = []
    for candidate in candidates:
        fit(LeNet(), x, y, **candidate)
        scores.append(evaluate(LeNet(), *held))
    return candidates[int(np.argmax(scores))], scores


# %% wrong recipe: takes the worst loses=["test-recipe", "hidden-recipe"]
def recipe(candidates, images, labels):
    parts = split(images, labels, len(labels) * 4 // 5, seed=0)
    x, y = to_tensors(*parts[:2])
    held_x, held_y = to_tensors(*parts[2:])
    scores = []
    for candidate in candidates:
        model = LeNet()
        fit(model, x, y, **candidate)
        scores.append(evaluate(model, held_x, held_y))
    return candidates[int(np.argmin(scores))], scores


# %% wrong recipe: the place of the best, not the candidate loses=["test-recipe", "hidden-recipe"]
def recipe(candidates, images, labels):
    parts = split(images, labels, len(labels) * 4 // 5, seed=0)
    x, y = to_tensors(*parts[:2])
    held_x, held_y = to_tensors(*parts[2:])
    scores = []
    for candidate in candidates:
        model = LeNet()
        fit(model, x, y, **candidate)
        scores.append(evaluate(model, held_x, held_y))
    return int(np.argmax(scores)), scores


# %% wrong recipe: never trains loses=["test-recipe", "hidden-recipe"]
def recipe(candidates, images, labels):
    held_x, held_y = to_tensors(*split(images, labels, len(labels) * 4 // 5, seed=0)[2:])
    scores = [evaluate(LeNet(), held_x, held_y) for _ in candidates]
    return candidates[1], [0.0, *scores[1:]]


# %% right control: an index for every pixel
def control(model, settings, train, test, permutation):
    def shuffled(pair):
        images, labels = pair
        return torch.stack(
            [image.reshape(-1)[permutation].view(1, 28, 28) for image in images]
        ), labels

    fit(model, *shuffled(train), **settings)
    return evaluate(model, *shuffled(test))


# %% right control: a permutation matrix
def control(model, settings, train, test, permutation):
    matrix = torch.zeros(784, 784)
    matrix[permutation, torch.arange(784)] = 1
    x, y = (train[0].reshape(-1, 784) @ matrix).reshape(-1, 1, 28, 28), train[1]
    test_x = (test[0].reshape(-1, 784) @ matrix).reshape(-1, 1, 28, 28)
    fit(model, x, y, settings["lr"], settings["batch_size"], settings["epochs"])
    return evaluate(model, test_x, test[1])


# %% right control: NumPy's take
def control(model, settings, train, test, permutation):
    (x, y), (test_x, test_y) = train, test
    way = permutation.numpy()
    x, test_x = (
        torch.from_numpy(np.take(part.numpy().reshape(len(part), -1), way, axis=1)).view_as(part)
        for part in (x, test_x)
    )
    fit(model=model, images=x, labels=y, **settings)
    return evaluate(model, images=test_x, labels=test_y)


# %% wrong control: shuffles nothing loses=["test-control", "hidden-control"]
def control(model, settings, train, test, permutation):
    fit(model, *train, **settings)
    return evaluate(model, *test)


# %% wrong control: tests on straight digits loses=["test-control", "hidden-control"]
def control(model, settings, train, test, permutation):
    images, labels = train
    fit(model, images.flatten(1)[:, permutation].reshape(images.shape), labels, **settings)
    return evaluate(model, *test)


# %% wrong control: trains on straight digits loses=["hidden-control"]
def control(model, settings, train, test, permutation):
    fit(model, *train, **settings)
    images, labels = test
    return evaluate(model, images.flatten(1)[:, permutation].reshape(images.shape), labels)


# %% wrong control: the inverse of the permutation loses=["test-control", "hidden-control"]
def control(model, settings, train, test, permutation):
    back = torch.argsort(permutation)

    def shuffle(images):
        return images.flatten(1)[:, back].reshape(images.shape)

    fit(model, shuffle(train[0]), train[1], **settings)
    return evaluate(model, shuffle(test[0]), test[1])


# %% wrong control: answers True loses=["test-control", "hidden-control"]
def control(model, settings, train, test, permutation):
    return True


# %% wrong control: another shuffle for every digit loses=["test-control", "hidden-control"]
def control(model, settings, train, test, permutation):
    def shuffle(images):
        rows = [image.flatten()[torch.randperm(784)] for image in images]
        return torch.stack(rows).reshape(images.shape)

    fit(model, shuffle(train[0]), train[1], **settings)
    return evaluate(model, shuffle(test[0]), test[1])


# %% wrong control: a new shuffle for the test digits loses=["test-control", "hidden-control"]
def control(model, settings, train, test, permutation):
    def shuffle(images):
        return images.flatten(1)[:, torch.randperm(784)].reshape(images.shape)

    fit(model, shuffle(train[0]), train[1], **settings)
    return evaluate(model, shuffle(test[0]), test[1])


# %% wrong control: swaps rows and columns, whatever the permutation says loses=["test-control", "hidden-control"]
def control(model, settings, train, test, permutation):
    fit(model, train[0].transpose(2, 3), train[1], **settings)
    return evaluate(model, test[0].transpose(2, 3), test[1])


# %% wrong control: shuffles the order of the digits, away from their labels loses=["test-control", "hidden-control"]
def control(model, settings, train, test, permutation):
    def shuffle(images):
        return images[permutation[permutation < len(images)]]

    order = permutation[permutation < len(train[0])]
    fit(model, train[0][order], train[1][: len(order)], **settings)
    return evaluate(model, shuffle(test[0]), test[1][: len(shuffle(test[0]))])


# %% wrong control: the accuracy on the digits that it trained on loses=["test-control", "hidden-control"]
def control(model, settings, train, test, permutation):
    images, labels = train
    images = images.flatten(1)[:, permutation].reshape(images.shape)
    fit(model, images, labels, **settings)
    return evaluate(model, images, labels)


# %% right bug: slices of one order
def batches(images, labels, size):
    rows = torch.randperm(len(labels))
    images, labels = images[rows], labels[rows]
    return [
        (images[start : start + size], labels[start : start + size])
        for start in range(0, len(labels), size)
    ]


# %% right bug: a data loader
from torch.utils.data import DataLoader, TensorDataset


def batches(images, labels, size):
    return [tuple(pair) for pair in DataLoader(TensorDataset(images, labels), size, shuffle=True)]


# %% right bug: pops from a shuffled list
import random


def batches(images, labels, size):
    left = list(range(len(images)))
    random.shuffle(left)
    made = []
    while left:
        rows, left = left[:size], left[size:]
        made.append((images[rows], labels[rows]))
    return made


# %% wrong bug: mends the scream alone loses=["hidden-bug"]
def batches(images, labels, size):
    made = []
    for _ in range(len(images) // size):
        rows = torch.randperm(len(images))[:size]
        made.append((images[rows], labels[rows]))
    return made


# %% wrong bug: mends all but the bite loses=["hidden-bug"]
def batches(images, labels, size):
    order = torch.randperm(len(images))
    made = []
    for k in range(len(images) // size):
        rows = order[k * size : (k + 1) * size]
        made.append((images[rows], labels[rows]))
    return made


# %% wrong bug: mends the bite and the whisper, and the scream goes on loses=["test-bug", "hidden-bug"]
def batches(images, labels, size):
    rows, places = torch.randperm(len(images)), torch.randperm(len(labels))
    return [
        (images[r], labels[p]) for r, p in zip(rows.split(size), places.split(size), strict=True)
    ]


# %% wrong bug: mends everything and forgets to shuffle loses=["hidden-bug"]
def batches(images, labels, size):
    return list(zip(images.split(size), labels.split(size)))


# %% wrong bug: the same order every epoch loses=["hidden-bug"]
def batches(images, labels, size):
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    return [(images[rows], labels[rows]) for rows in order.split(size)]


# %% wrong bug: one batch too many, and it is empty loses=["test-bug", "hidden-bug"]
def batches(images, labels, size):
    order = torch.randperm(len(images))
    made = []
    for k in range(len(images) // size + 1):
        rows = order[k * size : (k + 1) * size]
        made.append((images[rows], labels[rows]))
    return made


# %% wrong bug: fills the last batch up with images that had their turn loses=["hidden-bug"]
def batches(images, labels, size):
    order = torch.randperm(len(images))
    missing = -len(images) % size
    order = torch.cat([order, order[:missing]])
    return [(images[rows], labels[rows]) for rows in order.split(size)]


# %% wrong avg_pool: the middle of largest and smallest loses=["test-avg_pool", "hidden-avg_pool"]
def avg_pool(x, f, s):
    windows = x.unfold(2, f, s).unfold(3, f, s)
    return (windows.amax((4, 5)) + windows.amin((4, 5))) / 2


# %% wrong bug: draws with replacement, each image with its own label loses=["hidden-bug"]
def batches(images, labels, size):
    rows = torch.randint(0, len(images), (len(images),))
    return [(images[part], labels[part]) for part in rows.split(size)]


# %% right train_epoch: asks train_step for each batch
def train_epoch(model, images, labels, optimizer, batch_size):
    losses = torch.zeros(len(images))
    model.train()
    for rows in torch.utils.data.BatchSampler(torch.utils.data.RandomSampler(images), batch_size, False):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
        losses[rows] = loss.item()
    return losses.double().mean().item()


# %% right ladder: its own loop over the epochs, and AdamW at another learning rate
def ladder(images, labels):
    untrained = LeNet().eval()
    with torch.no_grad():
        logits = untrained(images)
    first = -logits.log_softmax(1)[torch.arange(len(labels)), labels].mean()
    model = LeNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.004)
    losses = [train_epoch(model, images[:20].clone(), labels[:20].clone(), optimizer, 20) for _ in range(50)]
    return {"first": float(first), "overfit": losses[-1], "expected": -np.log(0.1)}


# %% right recipe: all networks first, then all scores
def recipe(candidates, images, labels):
    fit_images, fit_labels, val_images, val_labels = split(images, labels, len(labels) * 4 // 5, 3)
    x, y = to_tensors(fit_images, fit_labels)
    models = [LeNet() for _ in candidates]
    for model, settings in zip(models, candidates):
        fit(model, x, y, **settings)
    scores = [evaluate(model, *to_tensors(val_images, val_labels)) for model in models]
    best = sorted(range(len(scores)), key=lambda place: -scores[place])[0]
    return candidates[best], scores


# %% right retrieval: worked out from the numbers of another name
def retrieval():
    q = questions("grace")
    return "grace", {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1,
        "conv": q["k"] * (q["f"] ** 2 * q["c"] + 1),
        "dense": q["k"] * (q["c"] + 1),
        "sees": q["f"] + (q["g"] - 1) * q["s"],
        "linear": "yes",
    }


# %% right retrieval: by counting positions and pixels
def retrieval():
    n, f, p, s, k, c, g = questions("Emmy").values()
    starts = range(0, n + 2 * p - f + 1, s)
    seen = {s * i + tap for i in range(g) for tap in range(f)}
    return ["emmy", {"linear": "yes", "sees": len(range(max(seen) + 1)), "size": len(starts), "dense": k * c + k, "conv": k * f * f * c + k}]


# %% right retrieval: by asking torch for layers
def retrieval():
    q = questions("noether")
    conv, dense = nn.Conv2d(q["c"], q["k"], q["f"], q["s"], q["p"]), nn.Linear(q["c"], q["k"])
    size = conv(torch.zeros(1, q["c"], q["n"], q["n"])).shape[-1]
    counts = [sum(p.numel() for p in layer.parameters()) for layer in (conv, dense)]
    return "noether", {"size": size, "conv": counts[0], "dense": counts[1], "sees": (q["g"] - 1) * q["s"] + q["f"], "linear": "yes"}


# %% wrong retrieval: padding on one side loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "size": (q["n"] + q["p"] - q["f"]) // q["s"] + 2,
        "conv": q["k"] * (q["f"] ** 2 * q["c"] + 1),
        "dense": q["k"] * (q["c"] + 1),
        "sees": q["f"] + (q["g"] - 1) * q["s"],
        "linear": "yes",
    }


# %% wrong retrieval: no biases loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1,
        "conv": q["k"] * q["f"] ** 2 * q["c"],
        "dense": q["k"] * (q["c"] + 1),
        "sees": q["f"] + (q["g"] - 1) * q["s"],
        "linear": "yes",
    }


# %% wrong retrieval: one bias for the layer loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1,
        "conv": q["k"] * (q["f"] ** 2 * q["c"] + 1),
        "dense": q["k"] * q["c"] + 1,
        "sees": q["f"] + (q["g"] - 1) * q["s"],
        "linear": "yes",
    }


# %% wrong retrieval: forgets the stride on the way to the pixels loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1,
        "conv": q["k"] * (q["f"] ** 2 * q["c"] + 1),
        "dense": q["k"] * (q["c"] + 1),
        "sees": q["f"] + q["g"] + 1,
        "linear": "yes",
    }


# %% wrong retrieval: a stack is always more loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1,
        "conv": q["k"] * (q["f"] ** 2 * q["c"] + 1),
        "dense": q["k"] * (q["c"] + 1),
        "sees": q["f"] + (q["g"] - 1) * q["s"],
        "linear": "no",
    }


# %% wrong retrieval: leaves one out loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1,
        "conv": q["k"] * (q["f"] ** 2 * q["c"] + 1),
        "dense": q["k"] * (q["c"] + 1),
        "linear": "yes",
    }


# %% wrong retrieval: the numbers of another name loses=["hidden-retrieval"]
def retrieval():
    q = questions("grace")
    return "ada", {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1,
        "conv": q["k"] * (q["f"] ** 2 * q["c"] + 1),
        "dense": q["k"] * (q["c"] + 1),
        "sees": q["f"] + (q["g"] - 1) * q["s"],
        "linear": "yes",
    }


# %% wrong retrieval: no name loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return {
        "size": (q["n"] + 2 * q["p"] - q["f"]) // q["s"] + 1,
        "conv": q["k"] * (q["f"] ** 2 * q["c"] + 1),
        "dense": q["k"] * (q["c"] + 1),
        "sees": q["f"] + (q["g"] - 1) * q["s"],
        "linear": "yes",
    }


# %% wrong train_step: gradients cleared after the step alone loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


# %% right train_step: the loss spelt out
def train_step(model, images, labels, optimizer):
    model.train()
    loss = -model(images).log_softmax(1)[torch.arange(len(labels)), labels].mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% right train_step: gradients set to None by hand
def train_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    for group in optimizer.param_groups:
        for weight in group["params"]:
            weight.grad = None
    loss.backward()
    optimizer.step()
    return loss.item()


# %% right train_step: with a closure
def train_step(model, images, labels, optimizer):
    model.train()

    def closure():
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(model(images), labels)
        loss.backward()
        return loss

    return float(optimizer.step(closure))


# %% wrong train_step: old gradients are never cleared loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong train_step: gradients cleared between backward and step loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


# %% wrong train_step: forgets the step loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    return loss.item()


# %% wrong train_step: a softmax before the cross-entropy loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images).softmax(1), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong train_step: the summed loss loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images), labels, reduction="sum")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong train_step: the loss after the step loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return F.cross_entropy(model(images), labels).item()


# %% wrong train_step: two steps for one call loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    optimizer.step()
    return loss.item()


# %% wrong train_step: returns nothing loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


# %% right own_code: by the children of the network, and a counting optimizer
def own_code():
    state = LeNet().state_dict()
    layers = {name.rpartition(".")[0] for name in state}
    largest = max(sorted(layers), key=lambda layer: sum(v.numel() for n, v in state.items() if n.rpartition(".")[0] == layer))
    model = nn.Sequential(nn.Flatten(), nn.Linear(3, 2))

    class Counting(torch.optim.SGD):
        count = 0

        def step(self, *args):
            Counting.count += 1
            return super().step(*args)

    train_epoch(model, torch.randn(103, 3), torch.arange(103) % 2, Counting(model.parameters(), lr=0.1), 25)
    return {"largest": largest, "steps": Counting.count}


# %% right own_code: thought through for the steps
def own_code():
    sizes = dict.fromkeys(name.rsplit(".", 1)[0] for name, _ in LeNet().named_parameters())
    for layer in sizes:
        sizes[layer] = sum(p.numel() for p in LeNet().get_submodule(layer).parameters(recurse=False))
    return {"steps": 4 + 1, "largest": max(sizes, key=sizes.get)}


# %% right own_code: the last name of the layer alone, and a float
def own_code():
    weights = {name: p.numel() for name, p in LeNet().named_parameters()}
    name = max(weights, key=weights.get)
    return {"largest": name.split(".")[-2], "steps": float(-(-103 // 25))}


# %% wrong own_code: drops the short last batch loses=["hidden-own_code"]
def own_code():
    return {"largest": "fc1", "steps": 4}


# %% wrong own_code: the most neurons are the most parameters loses=["hidden-own_code"]
def own_code():
    return {"largest": "conv1", "steps": 5}


# %% wrong own_code: one step per image loses=["hidden-own_code"]
def own_code():
    return {"largest": "fc1", "steps": 103}


# %% wrong own_code: one step per epoch loses=["hidden-own_code"]
def own_code():
    return {"largest": "fc1", "steps": 1}


# %% wrong own_code: names a class, not a layer loses=["hidden-own_code"]
def own_code():
    return {"largest": "Linear", "steps": 5}


# %% wrong own_code: the last layer loses=["hidden-own_code"]
def own_code():
    return {"largest": "fc2", "steps": 5}


# %% wrong own_code: as many steps as a batch has images loses=["hidden-own_code"]
def own_code():
    return {"largest": "fc1", "steps": 25}


# %% wrong own_code: names the weight, not its layer loses=["hidden-own_code"]
def own_code():
    return {"largest": "fc1.weight", "steps": 5}


# %% right LeNet: the pool of the exercise before
class LeNet(nn.Module):
    def __init__(self):
        nn.Module.__init__(self)
        self.conv1 = nn.Conv2d(1, 10, (5, 5))
        self.conv2 = nn.Conv2d(10, 20, (5, 5))
        self.fc1 = nn.Linear(320, 100)
        self.fc2 = nn.Linear(100, 10)

    def stage(self, conv, x):
        return max_pool(conv(x).relu(), 2, 2)

    def forward(self, x):
        maps = self.stage(self.conv2, self.stage(self.conv1, x))
        return self.fc2(self.fc1(maps.flatten(start_dim=1)).relu())


# %% right train_epoch: train_step for the batches of a DataLoader
def train_epoch(model, images, labels, optimizer, batch_size):
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(images, labels), batch_size=batch_size, shuffle=True)
    losses, sizes = zip(*[(train_step(model, x, y, optimizer), len(y)) for x, y in loader])
    return float(np.average(losses, weights=sizes))


# %% right train_epoch: train_step in NumPy's order
def train_epoch(model, images, labels, optimizer, batch_size):
    order = np.random.permutation(len(labels))
    total = 0
    while len(order):
        rows, order = torch.from_numpy(order[:batch_size]), order[batch_size:]
        total += len(rows) * train_step(model, images[rows], labels[rows], optimizer)
    return total / len(labels)


# %% right ladder: the first loss by an epoch at learning rate 0
def ladder(images, labels):
    n, fresh = len(images), LeNet()
    first = train_epoch(fresh, images, labels, torch.optim.SGD(fresh.parameters(), lr=0.0), n)
    net = LeNet()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.005)
    for _ in range(60):
        overfit = train_epoch(net, images[:20], labels[:20], optimizer, 10)
    with torch.no_grad():
        overfit = F.cross_entropy(net(images[:20]), labels[:20]).item()
    return {"overfit": overfit, "first": first, "expected": float(np.log(10))}


# %% wrong split: rounds a share of 28.999... down loses=["hidden-split"]
def split(images, labels, n_train, seed):
    rng = np.random.default_rng(seed)
    share = n_train / len(labels)
    train, test = [], []
    for c in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == c))
        cut = int(share * len(places))
        train.extend(places[:cut])
        test.extend(places[cut:])
    train, test = rng.permutation(train), rng.permutation(test)
    return images[train], labels[train], images[test], labels[test]


# %% wrong train_step: never sets the training mode loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong train_step: sets the mode of the outermost module alone loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    model.training = True
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong train_step: an optimizer of its own loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% wrong train_step: steps by hand, so the optimizer never does loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= optimizer.param_groups[0]["lr"] * parameter.grad
    return loss.item()


# %% wrong train_step: ends in evaluation mode loses=["test-train_step"]
def train_step(model, images, labels, optimizer):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    model.eval()
    return loss.item()


# %% wrong train_epoch: clears gradients after the step, so old ones count once loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    model.train()
    total = 0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        total += loss.item() * len(rows)
    return total / len(images)


# %% wrong train_epoch: shuffles batches of neighbours loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    total, blocks = 0, torch.arange(len(images)).split(batch_size)
    for k in torch.randperm(len(blocks)):
        rows = blocks[k]
        total += train_step(model, images[rows], labels[rows], optimizer) * len(rows)
    return total / len(images)


# %% wrong train_epoch: batches of about equal size loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    total, many = 0, -(-len(images) // batch_size)
    for rows in torch.randperm(len(images)).tensor_split(many):
        total += train_step(model, images[rows], labels[rows], optimizer) * len(rows)
    return total / len(images)


# %% wrong train_epoch: ends in evaluation mode loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    total = 0
    for rows in torch.randperm(len(images)).split(batch_size):
        total += train_step(model, images[rows], labels[rows], optimizer) * len(rows)
    model.eval()
    return total / len(images)


# %% wrong train_epoch: an optimizer of its own, without the state loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    sgd = torch.optim.SGD(model.parameters(), lr=optimizer.param_groups[0]["lr"])
    total = 0
    for rows in torch.randperm(len(images)).split(batch_size):
        total += train_step(model, images[rows], labels[rows], sgd) * len(rows)
    return total / len(images)


# %% wrong train_epoch: an empty batch at the end loses=["hidden-train_epoch"]
def train_epoch(model, images, labels, optimizer, batch_size):
    order, total = torch.randperm(len(images)), 0
    for k in range(len(images) // batch_size + 1):
        rows = order[k * batch_size : (k + 1) * batch_size]
        loss = train_step(model, images[rows], labels[rows], optimizer)
        if len(rows):
            total += loss * len(rows)
    return total / len(images)


# %% wrong evaluate: switches gradients off for good loses=["hidden-evaluate"]
def evaluate(model, images, labels):
    was = model.training
    model.eval()
    torch.set_grad_enabled(False)
    accuracy = (model(images).argmax(1) == labels).double().mean().item()
    model.train(was)
    return accuracy


# %% wrong evaluate: freezes the parameters for good loses=["hidden-evaluate"]
def evaluate(model, images, labels):
    was = model.training
    model.eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    accuracy = (model(images).argmax(1) == labels).double().mean().item()
    model.train(was)
    return accuracy


# %% wrong evaluate: clears gradients that were there loses=["hidden-evaluate"]
def evaluate(model, images, labels):
    was = model.training
    model.eval()
    model.zero_grad()
    with torch.no_grad():
        accuracy = (model(images).argmax(1) == labels).double().mean().item()
    model.train(was)
    return accuracy


# %% wrong evaluate: overwrites the labels loses=["hidden-evaluate"]
def evaluate(model, images, labels):
    was = model.training
    model.eval()
    with torch.no_grad():
        labels -= model(images).argmax(1)
    model.train(was)
    return (labels == 0).double().mean().item()


# %% wrong ladder: the first loss on twenty digits only loses=["hidden-ladder"]
def ladder(images, labels):
    images, labels = images[:20], labels[:20]
    with torch.no_grad():
        first = F.cross_entropy(LeNet()(images), labels).item()
    net = LeNet()
    adam = torch.optim.AdamW(net.parameters(), lr=0.005)
    for _ in range(50):
        overfit = train_epoch(net, images, labels, adam, 20)
    return {"expected": float(np.log(10)), "first": first, "overfit": overfit}


# %% wrong ladder: chance level among the classes that occur loses=["hidden-ladder"]
def ladder(images, labels):
    with torch.no_grad():
        first = F.cross_entropy(LeNet()(images), labels).item()
    net = LeNet()
    adam = torch.optim.AdamW(net.parameters(), lr=0.005)
    for _ in range(50):
        overfit = train_epoch(net, images[:20], labels[:20], adam, 20)
    return {"expected": float(np.log(len(labels.unique()))), "first": first, "overfit": overfit}


# %% wrong ladder: the first loss of a network that was trained loses=["hidden-ladder"]
def ladder(images, labels):
    net = LeNet()
    adam = torch.optim.AdamW(net.parameters(), lr=0.005)
    losses = [train_epoch(net, images[:20], labels[:20], adam, 20) for _ in range(3)]
    with torch.no_grad():
        first = F.cross_entropy(net(images), labels).item()
    for _ in range(50):
        losses.append(train_epoch(net, images[:20], labels[:20], adam, 20))
    return {"expected": float(np.log(10)), "first": first, "overfit": losses[-1]}


# %% wrong ladder: trains until the loss is small, up to 2,000 epochs loses=["hidden-ladder"]
def ladder(images, labels):
    with torch.no_grad():
        first = F.cross_entropy(LeNet()(images), labels).item()
    net = LeNet()
    adam = torch.optim.AdamW(net.parameters(), lr=0.005)
    for _ in range(2000):
        overfit = train_epoch(net, images[:20], labels[:20], adam, 20)
        if overfit < 0.05:
            break
    return {"expected": float(np.log(10)), "first": first, "overfit": overfit}


# %% wrong ladder: memorises the last twenty digits loses=["hidden-ladder"]
def ladder(images, labels):
    with torch.no_grad():
        first = F.cross_entropy(LeNet()(images), labels).item()
    net = LeNet()
    adam = torch.optim.AdamW(net.parameters(), lr=0.005)
    for _ in range(50):
        overfit = train_epoch(net, images[-20:], labels[-20:], adam, 20)
    return {"expected": float(np.log(10)), "first": first, "overfit": overfit}


# %% wrong ladder: the first loss is a mean of unequal batches loses=["hidden-ladder"]
def ladder(images, labels):
    net = LeNet()
    with torch.no_grad():
        parts = zip(images.split(64), labels.split(64))
        first = float(np.mean([F.cross_entropy(net(x), y).item() for x, y in parts]))
    net = LeNet()
    adam = torch.optim.AdamW(net.parameters(), lr=0.005)
    for _ in range(50):
        overfit = train_epoch(net, images[:20], labels[:20], adam, 20)
    return {"expected": float(np.log(10)), "first": first, "overfit": overfit}


# %% wrong recipe: fits on one fifth loses=["hidden-recipe"]
def recipe(candidates, images, labels):
    a, b, c, d = split(images, labels, len(labels) // 5, seed=0)
    (x, y), (vx, vy) = to_tensors(a, b), to_tensors(c, d)
    scores = []
    for candidate in candidates:
        net = LeNet()
        fit(net, x, y, **candidate)
        scores.append(evaluate(net, vx, vy))
    return candidates[int(np.argmax(scores))], scores


# %% wrong recipe: chooses by the training loss loses=["hidden-recipe"]
def recipe(candidates, images, labels):
    a, b, c, d = split(images, labels, len(labels) * 4 // 5, seed=0)
    (x, y), (vx, vy) = to_tensors(a, b), to_tensors(c, d)
    scores, ends = [], []
    for candidate in candidates:
        net = LeNet()
        ends.append(fit(net, x, y, **candidate)[-1])
        scores.append(evaluate(net, vx, vy))
    return candidates[int(np.argmin(ends))], scores


# %% wrong recipe: passes on the learning rate alone loses=["hidden-recipe"]
def recipe(candidates, images, labels):
    a, b, c, d = split(images, labels, len(labels) * 4 // 5, seed=0)
    (x, y), (vx, vy) = to_tensors(a, b), to_tensors(c, d)
    scores = []
    for candidate in candidates:
        net = LeNet()
        fit(net, x, y, candidate["lr"], 20, 4)
        scores.append(evaluate(net, vx, vy))
    return candidates[int(np.argmax(scores))], scores


# %% wrong recipe: keeps the first candidate that is good enough loses=["hidden-recipe"]
def recipe(candidates, images, labels):
    a, b, c, d = split(images, labels, len(labels) * 4 // 5, seed=0)
    (x, y), (vx, vy) = to_tensors(a, b), to_tensors(c, d)
    best, top, scores = None, 0.5, []
    for candidate in candidates:
        net = LeNet()
        fit(net, x, y, **candidate)
        scores.append(evaluate(net, vx, vy))
        if best is None or top < 0.5 < scores[-1]:
            best, top = candidate, scores[-1]
    return best, scores


# %% wrong recipe: takes settings out of the candidates loses=["hidden-recipe"]
def recipe(candidates, images, labels):
    a, b, c, d = split(images, labels, len(labels) * 4 // 5, seed=0)
    (x, y), (vx, vy) = to_tensors(a, b), to_tensors(c, d)
    scores = []
    for candidate in candidates:
        net = LeNet()
        lr, size, epochs = candidate["lr"], candidate["batch_size"], candidate.pop("epochs")
        fit(net, x, y, lr, size, epochs)
        scores.append(evaluate(net, vx, vy))
    return candidates[int(np.argmax(scores))], scores


# %% wrong recipe: chooses the highest learning rate loses=["hidden-recipe"]
def recipe(candidates, images, labels):
    a, b, c, d = split(images, labels, len(labels) * 4 // 5, seed=0)
    (x, y), (vx, vy) = to_tensors(a, b), to_tensors(c, d)
    scores = []
    for candidate in candidates:
        net = LeNet()
        fit(net, x, y, **candidate)
        scores.append(evaluate(net, vx, vy))
    return max(candidates, key=lambda candidate: candidate["lr"]), scores


# %% wrong bug: shuffles batches of neighbours loses=["hidden-bug"]
def batches(images, labels, size):
    pairs = list(zip(images.split(size), labels.split(size)))
    full, rest = (pairs, []) if len(images) % size == 0 else (pairs[:-1], pairs[-1:])
    return [full[k] for k in torch.randperm(len(full))] + rest


# %% wrong bug: parts of about equal size loses=["hidden-bug"]
def batches(images, labels, size):
    order = torch.randperm(len(images))
    return [(images[rows], labels[rows]) for rows in order.chunk(-(-len(images) // size))]


# %% wrong bug: yields the batches loses=["test-bug", "hidden-bug"]
def batches(images, labels, size):
    for rows in torch.randperm(len(images)).split(size):
        yield images[rows], labels[rows]


# %% wrong control: trains on the test digits as well loses=["hidden-control"]
def control(model, settings, train, test, permutation):
    def shuffle(images):
        return images.flatten(1)[:, permutation].reshape(images.shape)

    both = torch.cat([shuffle(train[0]), shuffle(test[0])]), torch.cat([train[1], test[1]])
    fit(model, *both, **settings)
    return evaluate(model, shuffle(test[0]), test[1])


# %% wrong LeNet: probabilities in evaluation mode loses=["hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = self.fc2(F.relu(self.fc1(x.flatten(1))))
        return x if self.training else x.softmax(1)


# %% wrong LeNet: centres the digits in place loses=["hidden-LeNet"]
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.fc1, self.fc2 = nn.Linear(320, 100), nn.Linear(100, 10)

    def forward(self, x):
        x -= x.mean()
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))
