# %% [markdown]
# Answers to lesson 06, right and wrong. A cell replaces its exercise's solution cell.

# %% right retrieval: worked out from the numbers of another name
def retrieval():
    q = questions("grace")
    return "grace", {
        "norm": 2 * q["c"],
        "fan_in": q["f"] ** 2 * q["c"],
        "survivor": 2 * q["v"],
        "pool": (q["n"] - 3) // 2 + 1,
        "dilated": q["d"] * (q["f"] - 1) + 1,
    }


# %% right retrieval: by asking torch for layers
def retrieval():
    q = questions("Noether ")
    norm = sum(p.numel() for p in nn.BatchNorm2d(q["c"]).parameters())
    fan_in = nn.Conv2d(q["c"], q["k"], q["f"]).weight[0].numel()
    pool = F.max_pool2d(torch.zeros(1, 1, q["n"], q["n"]), 3, 2).shape[-1]
    taps = [q["d"] * tap for tap in range(q["f"])]
    return ["noether", {"dilated": len(range(taps[-1] + 1)), "pool": pool, "survivor": q["v"] / 0.5, "fan_in": fan_in, "norm": norm}]


# %% right retrieval: by counting
def retrieval():
    c, k, f, v, n, d = questions("Emmy").values()
    starts = [start for start in range(0, n, 2) if start + 3 <= n]
    return "emmy", {
        "norm": c + c, "fan_in": c * f * f, "survivor": v + v, "pool": len(starts),
        "dilated": f + (f - 1) * (d - 1),
    }


# %% wrong retrieval: counts running statistics loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "norm": 4 * q["c"],
        "fan_in": q["f"] ** 4 * q["c"],
        "survivor": 2 * q["v"],
        "pool": (q["n"] - 3) // 2 + 1,
        "dilated": q["d"] * (q["f"] - 1) + 1,
    }


# %% wrong retrieval: fan-out for fan-in loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "norm": 2 * q["c"],
        "fan_in": q["f"] ** 2 * q["k"],
        "survivor": 2 * q["v"],
        "pool": (q["n"] - 3) // 2 + 1,
        "dilated": q["d"] * (q["f"] - 1) + 1,
    }


# %% wrong retrieval: forgets the window in the fan-in loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "norm": 2 * q["c"],
        "fan_in": q["c"],
        "survivor": 2 * q["v"],
        "pool": (q["n"] - 3) // 2 + 1,
        "dilated": q["d"] * (q["f"] - 1) + 1,
    }


# %% wrong retrieval: dropout without the factor loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "norm": 2 * q["c"],
        "fan_in": q["f"] ** 2 * q["c"],
        "survivor": q["v"],
        "pool": (q["n"] - 3) // 2 + 1,
        "dilated": q["d"] * (q["f"] - 1) + 1,
    }


# %% wrong retrieval: the pool rounds up loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "norm": 2 * q["c"],
        "fan_in": q["f"] ** 2 * q["c"],
        "survivor": 2 * q["v"],
        "pool": -(-(q["n"] - 3) // 2) + 2,
        "dilated": q["d"] * (q["f"] - 1) + 1,
    }


# %% wrong retrieval: dilation stretches the last tap, too loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "norm": 2 * q["c"],
        "fan_in": q["f"] ** 2 * q["c"],
        "survivor": 2 * q["v"],
        "pool": (q["n"] - 3) // 2 + 1,
        "dilated": q["d"] * q["f"],
    }


# %% wrong retrieval: leaves one out loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "norm": 2 * q["c"],
        "fan_in": q["f"] ** 2 * q["c"],
        "pool": (q["n"] - 3) // 2 + 1,
        "dilated": q["d"] * (q["f"] - 1) + 1,
    }


# %% wrong retrieval: the numbers of another name loses=["hidden-retrieval"]
def retrieval():
    q = questions("grace")
    return "ada", {
        "norm": 2 * q["c"],
        "fan_in": q["f"] ** 2 * q["c"],
        "survivor": 2 * q["v"],
        "pool": (q["n"] - 3) // 2 + 1,
        "dilated": q["d"] * (q["f"] - 1) + 1,
    }


# %% wrong retrieval: no name loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return {
        "norm": 2 * q["c"],
        "fan_in": q["f"] ** 2 * q["c"],
        "survivor": 2 * q["v"],
        "pool": (q["n"] - 3) // 2 + 1,
        "dilated": q["d"] * (q["f"] - 1) + 1,
    }


# %% right vgg_block: a module of its own, with a list of convolutions
class Block(nn.Module):
    def __init__(self, c_in, c_out, n):
        super().__init__()
        widths = [c_in] + n * [c_out]
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, kernel_size=(3, 3), padding="same") for a, b in zip(widths, widths[1:])
        )

    def forward(self, x):
        for conv in self.convs:
            x = F.relu(conv(x))
        return F.max_pool2d(x, kernel_size=2, stride=2)


def vgg_block(c_in, c_out, n):
    return Block(c_in, c_out, n)


# %% right vgg_block: the pool before the last ReLU, which commutes with a maximum
def vgg_block(c_in, c_out, n):
    block = nn.Sequential()
    for k in range(n):
        block.add_module(f"conv{k}", nn.Conv2d(c_out if k else c_in, c_out, 3, 1, 1))
        if k == n - 1:
            block.add_module("pool", nn.MaxPool2d((2, 2)))
        block.add_module(f"relu{k}", nn.ReLU(inplace=True))
    return block


# %% right vgg_block: from the last layer to the first
def vgg_block(c_in, c_out, n):
    layers = [nn.MaxPool2d(kernel_size=2)]
    for k in reversed(range(n)):
        first = nn.Conv2d(c_in if k == 0 else c_out, c_out, (3, 3), padding=(1, 1))
        layers = [nn.Sequential(first, nn.ReLU()), *layers]
    return nn.Sequential(*layers)


# %% wrong vgg_block: no ReLU after the last convolution loses=["test-vgg_block", "hidden-vgg_block"]
def vgg_block(c_in, c_out, n):
    layers = [nn.Conv2d(c_in, c_out, 3, padding=1)]
    for _ in range(n - 1):
        layers += [nn.ReLU(), nn.Conv2d(c_out, c_out, 3, padding=1)]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


# %% wrong vgg_block: one ReLU for all convolutions loses=["hidden-vgg_block"]
def vgg_block(c_in, c_out, n):
    layers = [nn.Conv2d(c_out if k else c_in, c_out, 3, padding=1) for k in range(n)]
    return nn.Sequential(*layers, nn.ReLU(), nn.MaxPool2d(2))


# %% wrong vgg_block: no padding loses=["test-vgg_block", "hidden-vgg_block"]
def vgg_block(c_in, c_out, n):
    layers = []
    for k in range(n):
        layers += [nn.Conv2d(c_out if k else c_in, c_out, 3), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


# %% wrong vgg_block: an average pool loses=["test-vgg_block", "hidden-vgg_block"]
def vgg_block(c_in, c_out, n):
    layers = []
    for k in range(n):
        layers += [nn.Conv2d(c_out if k else c_in, c_out, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AvgPool2d(2))


# %% wrong vgg_block: the second convolution is used again and again loses=["hidden-vgg_block"]
def vgg_block(c_in, c_out, n):
    layers = [nn.Conv2d(c_in, c_out, 3, padding=1), nn.ReLU()]
    layers += (n - 1) * [nn.Conv2d(c_out, c_out, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


# %% wrong vgg_block: a pool after every convolution loses=["test-vgg_block", "hidden-vgg_block"]
def vgg_block(c_in, c_out, n):
    layers = []
    for k in range(n):
        layers += [nn.Conv2d(c_out if k else c_in, c_out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers)


# %% wrong vgg_block: every convolution reads c_in channels loses=["test-vgg_block", "hidden-vgg_block"]
def vgg_block(c_in, c_out, n):
    layers = []
    for _ in range(n):
        layers += [nn.Conv2d(c_in, c_out, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


# %% wrong vgg_block: no biases loses=["test-vgg_block", "hidden-vgg_block"]
def vgg_block(c_in, c_out, n):
    layers = []
    for k in range(n):
        layers += [nn.Conv2d(c_out if k else c_in, c_out, 3, padding=1, bias=False), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


# %% wrong vgg_block: a pool that rounds up loses=["hidden-vgg_block"]
def vgg_block(c_in, c_out, n):
    layers = []
    for k in range(n):
        layers += [nn.Conv2d(c_out if k else c_in, c_out, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2, ceil_mode=True))


# %% wrong vgg_block: dropout before the pool loses=["hidden-vgg_block"]
def vgg_block(c_in, c_out, n):
    layers = []
    for k in range(n):
        layers += [nn.Conv2d(c_out if k else c_in, c_out, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Dropout(0.2), nn.MaxPool2d(2))


# %% wrong vgg_block: dropout of whole maps at the end loses=["hidden-vgg_block"]
def vgg_block(c_in, c_out, n):
    layers = []
    for k in range(n):
        layers += [nn.Conv2d(c_out if k else c_in, c_out, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2), nn.Dropout2d(0.5))


# %% wrong vgg_block: leaves torch on the way loses=["test-vgg_block"]
class Block(nn.Module):
    def __init__(self, c_in, c_out, n):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(c_out if k else c_in, c_out, 3, padding=1) for k in range(n))

    def forward(self, x):
        for conv in self.convs:
            x = torch.tensor(conv(x).detach().numpy()).relu()
        return F.max_pool2d(x, 2)


def vgg_block(c_in, c_out, n):
    return Block(c_in, c_out, n)


# %% right Inception: one convolution for the three 1 x 1 that read the input, cut up afterwards
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.sizes = [c1, c3[0], c5[0]]
        self.entry = nn.Conv2d(c_in, sum(self.sizes), 1)
        self.three = nn.Conv2d(c3[0], c3[1], 3, padding=1)
        self.five = nn.Conv2d(c5[0], c5[1], 5, padding=2)
        self.after_pool = nn.Conv2d(c_in, c_pool, 1)

    def forward(self, x):
        one, three, five = F.relu(self.entry(x)).split(self.sizes, dim=1)
        pooled = self.after_pool(F.max_pool2d(x, 3, stride=1, padding=1))
        return F.relu(torch.concat((one, self.three(three), self.five(five), pooled), 1))


# %% right Inception: branches in a ModuleList, arguments by name
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        (r3, o3), (r5, o5) = c3, c5
        self.branches = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(c_in, c1, kernel_size=1), nn.ReLU(inplace=True)),
                self.two(c_in, r3, o3, 3),
                self.two(c_in, r5, o5, 5),
                nn.Sequential(
                    nn.MaxPool2d(kernel_size=3, stride=1, padding=1),
                    nn.Conv2d(c_in, c_pool, kernel_size=1),
                    nn.ReLU(inplace=True),
                ),
            ]
        )

    @staticmethod
    def two(c_in, reduce, out, f):
        return nn.Sequential(
            nn.Conv2d(c_in, reduce, kernel_size=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(reduce, out, kernel_size=f, padding="same"),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        maps = None
        for branch in self.branches:
            made = branch(x)
            maps = made if maps is None else torch.cat([maps, made], dim=-3)
        return maps


# %% right Inception: writes each branch into its place of an empty output
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one, self.last = nn.Conv2d(c_in, c1, 1), nn.Conv2d(c_in, c_pool, 1)
        self.small3, self.small5 = nn.Conv2d(c_in, c3[0], 1), nn.Conv2d(c_in, c5[0], 1)
        self.large3, self.large5 = nn.Conv2d(*c3, 3, 1, 1), nn.Conv2d(*c5, 5, 1, 2)
        self.ends = [c1, c1 + c3[1], c1 + c3[1] + c5[1], c1 + c3[1] + c5[1] + c_pool]

    def forward(self, x):
        n, _, height, width = x.shape
        a, b, c, d = self.ends
        y = x.new_zeros(n, d, height, width)
        y[:, :a] = self.one(x)
        y[:, a:b] = self.large3(self.small3(x).clamp(min=0))
        y[:, b:c] = self.large5(self.small5(x).clamp(min=0))
        y[:, c:] = self.last(F.max_pool2d(x, 3, 1, 1))
        return y.clamp(min=0)


# %% wrong Inception: joins on the batch loses=["test-Inception", "hidden-Inception"]
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three = nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.ReLU(), nn.Conv2d(*c3, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(c_in, c5[0], 1), nn.ReLU(), nn.Conv2d(*c5, 5, padding=2))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(c_in, c_pool, 1))

    def forward(self, x):
        return F.relu(torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)]))


# %% wrong Inception: 3 x 3 in the 5 x 5 branch, as torchvision has it loses=["test-Inception", "hidden-Inception"]
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three = nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.ReLU(), nn.Conv2d(*c3, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(c_in, c5[0], 1), nn.ReLU(), nn.Conv2d(*c5, 3, padding=1))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(c_in, c_pool, 1))

    def forward(self, x):
        return F.relu(torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1))


# %% wrong Inception: the pool's branch first loses=["test-Inception", "hidden-Inception"]
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three = nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.ReLU(), nn.Conv2d(*c3, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(c_in, c5[0], 1), nn.ReLU(), nn.Conv2d(*c5, 5, padding=2))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(c_in, c_pool, 1))

    def forward(self, x):
        return F.relu(torch.cat([self.pool(x), self.one(x), self.three(x), self.five(x)], 1))


# %% wrong Inception: the first and the last branch change places loses=["hidden-Inception"]
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three = nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.ReLU(), nn.Conv2d(*c3, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(c_in, c5[0], 1), nn.ReLU(), nn.Conv2d(*c5, 5, padding=2))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(c_in, c_pool, 1))

    def forward(self, x):
        return F.relu(torch.cat([self.pool(x), self.three(x), self.five(x), self.one(x)], 1))


# %% wrong Inception: no ReLU in the bottlenecks loses=["test-Inception", "hidden-Inception"]
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three = nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.Conv2d(*c3, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(c_in, c5[0], 1), nn.Conv2d(*c5, 5, padding=2))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(c_in, c_pool, 1))

    def forward(self, x):
        return F.relu(torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1))


# %% wrong Inception: no ReLU at the end of the branches loses=["test-Inception", "hidden-Inception"]
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three = nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.ReLU(), nn.Conv2d(*c3, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(c_in, c5[0], 1), nn.ReLU(), nn.Conv2d(*c5, 5, padding=2))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(c_in, c_pool, 1))

    def forward(self, x):
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)


# %% wrong Inception: an average pool loses=["hidden-Inception"]
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three = nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.ReLU(), nn.Conv2d(*c3, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(c_in, c5[0], 1), nn.ReLU(), nn.Conv2d(*c5, 5, padding=2))
        self.pool = nn.Sequential(nn.AvgPool2d(3, 1, 1), nn.Conv2d(c_in, c_pool, 1))

    def forward(self, x):
        return F.relu(torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1))


# %% wrong Inception: the pool comes after its convolution loses=["hidden-Inception"]
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three = nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.ReLU(), nn.Conv2d(*c3, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(c_in, c5[0], 1), nn.ReLU(), nn.Conv2d(*c5, 5, padding=2))
        self.pool = nn.Sequential(nn.Conv2d(c_in, c_pool, 1), nn.MaxPool2d(3, 1, 1))

    def forward(self, x):
        return F.relu(torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1))


# %% wrong Inception: pads zeros before the maximum, which wins where all is negative loses=["hidden-Inception"]
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three = nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.ReLU(), nn.Conv2d(*c3, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(c_in, c5[0], 1), nn.ReLU(), nn.Conv2d(*c5, 5, padding=2))
        self.pool = nn.Sequential(nn.ZeroPad2d(1), nn.MaxPool2d(3, 1), nn.Conv2d(c_in, c_pool, 1))

    def forward(self, x):
        return F.relu(torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1))


# %% wrong Inception: the naive module, without bottlenecks loses=["test-Inception", "hidden-Inception"]
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three = nn.Conv2d(c_in, c3[1], 3, padding=1)
        self.five = nn.Conv2d(c_in, c5[1], 5, padding=2)
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(c_in, c_pool, 1))

    def forward(self, x):
        return F.relu(torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1))


# %% wrong Inception: a pool of stride 3 loses=["test-Inception", "hidden-Inception"]
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three = nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.ReLU(), nn.Conv2d(*c3, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(c_in, c5[0], 1), nn.ReLU(), nn.Conv2d(*c5, 5, padding=2))
        self.pool = nn.Sequential(nn.MaxPool2d(3, padding=1), nn.Conv2d(c_in, c_pool, 1))

    def forward(self, x):
        return F.relu(torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1))


# %% wrong Inception: dropout in training loses=["hidden-Inception"]
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three = nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.ReLU(), nn.Conv2d(*c3, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(c_in, c5[0], 1), nn.ReLU(), nn.Conv2d(*c5, 5, padding=2))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(c_in, c_pool, 1))

    def forward(self, x):
        return F.dropout(F.relu(torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)), 0.2, self.training)


# %% wrong Inception: a branch leaves torch loses=["test-Inception"]
class Inception(nn.Module):
    def __init__(self, c_in, c1, c3, c5, c_pool):
        super().__init__()
        self.one = nn.Conv2d(c_in, c1, 1)
        self.three = nn.Sequential(nn.Conv2d(c_in, c3[0], 1), nn.ReLU(), nn.Conv2d(*c3, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(c_in, c5[0], 1), nn.ReLU(), nn.Conv2d(*c5, 5, padding=2))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(c_in, c_pool, 1))

    def forward(self, x):
        return F.relu(torch.cat([self.one(x), self.three(x), torch.tensor(self.five(x).detach().numpy()), self.pool(x)], 1))


# %% right Residual: torchvision's block, told when to project
from torchvision.models.resnet import BasicBlock


class Residual(BasicBlock):
    def __init__(self, c_in, c_out, stride=1):
        project = None
        if (c_in, 1) != (c_out, stride):
            project = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride=stride, bias=False), nn.BatchNorm2d(c_out)
            )
        super().__init__(c_in, c_out, stride, downsample=project)


# %% right Residual: layer by layer, with a sum in place and a clamp for a ReLU
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.same = c_in == c_out and stride == 1
        if not self.same:
            self.norm0 = nn.BatchNorm2d(c_out)
            self.conv0 = nn.Conv2d(c_in, c_out, kernel_size=1, stride=stride, bias=False)
        self.conv1 = nn.Conv2d(c_in, c_out, kernel_size=3, stride=stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, kernel_size=3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = self.norm1(self.conv1(x)).clamp(min=0)
        y = self.norm2(self.conv2(y))
        y += x if self.same else self.norm0(self.conv0(x))
        return y.clamp(min=0)


# %% right Residual: a skip that is None where nothing changes
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = None
        if stride != 1 or c_in != c_out:
            self.skip = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + (x if self.skip is None else self.skip(x)))


# %% wrong Residual: the skip starts after the first convolution loses=["test-Residual", "hidden-Residual"]
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.skip = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + y)


# %% wrong Residual: no ReLU after the sum loses=["test-Residual", "hidden-Residual"]
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.skip = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return self.norm2(self.conv2(y)) + self.skip(x)


# %% wrong Residual: no ReLU between the convolutions loses=["test-Residual", "hidden-Residual"]
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.skip = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        y = self.norm1(self.conv1(x))
        return F.relu(self.norm2(self.conv2(y)) + self.skip(x))


# %% wrong Residual: a ReLU on the branch, too, so that it can only add loses=["hidden-Residual"]
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.skip = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(F.relu(self.norm2(self.conv2(y))) + self.skip(x))


# %% wrong Residual: projects always loses=["test-Residual", "hidden-Residual"]
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = nn.Sequential(
            nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
        )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.skip(x))


# %% wrong Residual: biases beside the norms loses=["test-Residual", "hidden-Residual"]
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.skip = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride), nn.BatchNorm2d(c_out))

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.skip(x))


# %% wrong Residual: both convolutions stride loses=["test-Residual", "hidden-Residual"]
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, stride, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.skip = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.skip(x))


# %% wrong Residual: the projection has no norm loses=["hidden-Residual"]
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.skip = nn.Conv2d(c_in, c_out, 1, stride, bias=False)

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.skip(x))


# %% wrong Residual: projects where channels change, and forgets the stride loses=["hidden-Residual"]
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = nn.Identity()
        if c_in != c_out:
            self.skip = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.skip(x))


# %% wrong Residual: the skip is cut off from the gradient loses=["hidden-Residual"]
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.skip = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.skip(x.detach()))


# %% wrong Residual: a ReLU in place on the block's input loses=["hidden-Residual"]
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.skip = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        x = F.relu(x, inplace=True)
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.skip(x))


# %% wrong Residual: the norm comes after the sum loses=["test-Residual", "hidden-Residual"]
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.skip = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y) + self.skip(x)))


# %% wrong Residual: dropout between the convolutions loses=["hidden-Residual"]
class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)
        self.skip = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.skip = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = F.dropout(y, 0.3, self.training)
        return F.relu(self.norm2(self.conv2(y)) + self.skip(x))


# %% right PreActivation: layer by layer, the sum in place on the branch
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        y = self.conv2(F.relu(self.norm2(y)))
        y += x
        return y


# %% right PreActivation: one half, made twice
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first, self.second = self.half(channels), self.half(channels)

    @staticmethod
    def half(c):
        return nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(inplace=True), nn.Conv2d(c, c, 3, 1, "same", bias=False))

    def forward(self, x):
        return torch.add(self.second(self.first(x)), x)


# %% right PreActivation: a ModuleList in a loop, clamp for a ReLU
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(2))
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3, 1, 1, bias=False) for _ in range(2))

    def forward(self, x):
        y = x
        for norm, conv in zip(self.norms, self.convs):
            y = conv(norm(y).clamp(min=0))
        return y + x


# %% wrong PreActivation: a ReLU behind the sum loses=["test-PreActivation", "hidden-PreActivation"]
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        y = self.conv2(F.relu(self.norm2(y)))
        return F.relu(x + y)


# %% wrong PreActivation: the old order loses=["hidden-PreActivation"]
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return x + y


# %% wrong PreActivation: the ReLU before its norm loses=["hidden-PreActivation"]
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.conv1(self.norm1(F.relu(x)))
        y = self.conv2(F.relu(self.norm2(y)))
        return x + y


# %% wrong PreActivation: no ReLU between the convolutions loses=["hidden-PreActivation"]
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        y = self.conv2(self.norm2(y))
        return x + y


# %% wrong PreActivation: adds what the first norm has made loses=["test-PreActivation", "hidden-PreActivation"]
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        x = self.norm1(x)
        y = self.conv1(F.relu(x))
        y = self.conv2(F.relu(self.norm2(y)))
        return x + y


# %% wrong PreActivation: no skip loses=["test-PreActivation", "hidden-PreActivation"]
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        y = self.conv2(F.relu(self.norm2(y)))
        return y


# %% wrong PreActivation: the skip is cut off from the gradient loses=["hidden-PreActivation"]
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        y = self.conv2(F.relu(self.norm2(y)))
        return x.detach() + y


# %% wrong PreActivation: a ReLU in place on the block's input loses=["test-PreActivation", "hidden-PreActivation"]
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(F.relu_(x))))
        y = self.conv2(F.relu(self.norm2(y)))
        return x + y


# %% wrong PreActivation: the mean of branch and input loses=["test-PreActivation", "hidden-PreActivation"]
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        y = self.conv2(F.relu(self.norm2(y)))
        return (x + y) / 2


# %% wrong PreActivation: dropout before the sum loses=["hidden-PreActivation"]
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        y = self.conv2(F.relu(self.norm2(y)))
        return x + F.dropout(y, 0.3, self.training)


# %% wrong PreActivation: biases loses=["test-PreActivation", "hidden-PreActivation"]
class PreActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=True)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        y = self.conv2(F.relu(self.norm2(y)))
        return x + y


# %% right DepthwiseSeparable: layers of its own, called one after the other
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.around = nn.Conv2d(c_in, c_in, 3, stride, 1, groups=c_in, bias=False)
        self.mix = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = F.relu(self.norm1(self.around(x)))
        return F.relu(self.norm2(self.mix(y)))


# %% right DepthwiseSeparable: the gaps filled, by name and with sides of windows
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        layers = []
        layers.append(nn.Conv2d(c_in, c_in, (3, 3), stride=(stride, stride), padding=(1, 1), groups=c_in, bias=False))
        layers += [nn.BatchNorm2d(c_in), nn.ReLU(inplace=True)]
        layers.append(nn.Conv2d(c_in, c_out, (1, 1), bias=False))
        layers += [nn.BatchNorm2d(c_out), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)


# %% right DepthwiseSeparable: one function for both halves
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()

        def half(before, after, f, **other):
            conv = nn.Conv2d(before, after, f, padding=f // 2, bias=False, **other)
            return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())

        self.layers = nn.Sequential(half(c_in, c_in, 3, stride=stride, groups=c_in), half(c_in, c_out, 1))

    def forward(self, x):
        return self.layers(x)


# %% wrong DepthwiseSeparable: no groups loses=["test-DepthwiseSeparable"]
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.around = nn.Conv2d(c_in, c_in, 3, stride, 1, bias=False)
        self.mix = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = F.relu(self.norm1(self.around(x)))
        return F.relu(self.norm2(self.mix(y)))


# %% wrong DepthwiseSeparable: pointwise first, then depthwise loses=["test-DepthwiseSeparable"]
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.around = nn.Conv2d(c_in, c_in, 3, stride, 1, groups=c_in, bias=False)
        self.mix = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)

    def forward(self, x):
        return F.relu(self.norm2(self.mix(self.around(F.relu(self.norm1(x))))))


# %% wrong DepthwiseSeparable: the stride in the pointwise convolution loses=["test-DepthwiseSeparable"]
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.around = nn.Conv2d(c_in, c_in, 3, 1, 1, groups=c_in, bias=False)
        self.mix = nn.Conv2d(c_in, c_out, 1, stride, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = F.relu(self.norm1(self.around(x)))
        return F.relu(self.norm2(self.mix(y)))


# %% wrong DepthwiseSeparable: no ReLU between loses=["test-DepthwiseSeparable"]
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.around = nn.Conv2d(c_in, c_in, 3, stride, 1, groups=c_in, bias=False)
        self.mix = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = self.norm1(self.around(x))
        return F.relu(self.norm2(self.mix(y)))


# %% wrong DepthwiseSeparable: no ReLU at the end loses=["test-DepthwiseSeparable"]
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.around = nn.Conv2d(c_in, c_in, 3, stride, 1, groups=c_in, bias=False)
        self.mix = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = F.relu(self.norm1(self.around(x)))
        return self.norm2(self.mix(y))


# %% wrong DepthwiseSeparable: no norm between loses=["test-DepthwiseSeparable"]
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.around = nn.Conv2d(c_in, c_in, 3, stride, 1, groups=c_in, bias=False)
        self.mix = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = F.relu(self.around(x))
        return F.relu(self.norm2(self.mix(y)))


# %% wrong DepthwiseSeparable: ReLU6 for ReLU and dropout loses=["test-DepthwiseSeparable"]
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.around = nn.Conv2d(c_in, c_in, 3, stride, 1, groups=c_in, bias=False)
        self.mix = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = F.relu(self.norm1(self.around(x)))
        return F.dropout(F.relu6(self.norm2(self.mix(y))), 0.3, self.training)


# %% wrong DepthwiseSeparable: biases loses=["test-DepthwiseSeparable"]
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.around = nn.Conv2d(c_in, c_in, 3, stride, 1, groups=c_in, bias=True)
        self.mix = nn.Conv2d(c_in, c_out, 1, bias=True)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = F.relu(self.norm1(self.around(x)))
        return F.relu(self.norm2(self.mix(y)))


# %% wrong DepthwiseSeparable: pooled to its size loses=["test-DepthwiseSeparable"]
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.around = nn.Conv2d(c_in, c_in, 3, 1, 1, groups=c_in, bias=False)
        self.mix = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = F.relu(self.norm1(self.around(x)))
        return F.relu(self.norm2(self.mix(y)))


# %% right InvertedResidual: layer by layer, by name
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.norm2(self.filter(y)))
        y = self.norm3(self.project(y))
        return x + y if self.adds else y


# %% right InvertedResidual: torchvision's block
from torchvision.models.mobilenetv2 import InvertedResidual as Block


class InvertedResidual(Block):
    def __init__(self, c_in, c_out, expand, stride=1):
        nn.Module.__init__(self)
        self.use_res_connect = stride == 1 and c_in == c_out
        wide, layers = c_in * expand, []
        if expand > 1:
            layers = [nn.Conv2d(c_in, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(inplace=True)]
        layers += [nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False), nn.BatchNorm2d(wide)]
        layers += [nn.ReLU6(inplace=True), nn.Conv2d(wide, c_out, 1, bias=False), nn.BatchNorm2d(c_out)]
        self.conv = nn.Sequential(*layers)


# %% right InvertedResidual: clamps, and a sum in place on the branch
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        widths = [c_in, c_in * expand, c_in * expand, c_out]
        shapes = [(1, 1, 1), (3, stride, widths[1]), (1, 1, 1)]
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        rows = [*zip(widths, widths[1:], shapes)]
        for before, after, (f, s, groups) in rows[expand == 1 :]:
            self.convs.append(nn.Conv2d(before, after, f, s, f // 2, groups=groups, bias=False))
            self.norms.append(nn.BatchNorm2d(after))
        self.same = c_in == c_out and stride == 1

    def forward(self, x):
        y = x
        for k, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = norm(conv(y))
            if k < len(self.convs) - 1:
                y = y.clamp(0, 6)
        if self.same:
            y += x
        return y


# %% wrong InvertedResidual: a nonlinearity after the projection loses=["test-InvertedResidual", "hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.norm2(self.filter(y)))
        y = F.relu6(self.norm3(self.project(y)))
        return x + y if self.adds else y


# %% wrong InvertedResidual: ReLU for ReLU6 loses=["test-InvertedResidual", "hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu(self.norm1(self.expand(x)))
        y = F.relu(self.norm2(self.filter(y)))
        y = self.norm3(self.project(y))
        return x + y if self.adds else y


# %% wrong InvertedResidual: no groups loses=["test-InvertedResidual", "hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.norm2(self.filter(y)))
        y = self.norm3(self.project(y))
        return x + y if self.adds else y


# %% wrong InvertedResidual: groups of the narrow end loses=["test-InvertedResidual", "hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=c_in, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.norm2(self.filter(y)))
        y = self.norm3(self.project(y))
        return x + y if self.adds else y


# %% wrong InvertedResidual: a ReLU after the sum loses=["test-InvertedResidual", "hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.norm2(self.filter(y)))
        y = self.norm3(self.project(y))
        return F.relu(x + y if self.adds else y)


# %% wrong InvertedResidual: keeps the first convolution where expand is 1 loses=["test-InvertedResidual", "hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if True:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.norm2(self.filter(y)))
        y = self.norm3(self.project(y))
        return x + y if self.adds else y


# %% wrong InvertedResidual: no skip loses=["test-InvertedResidual", "hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.norm2(self.filter(y)))
        y = self.norm3(self.project(y))
        return y


# %% wrong InvertedResidual: looks at the channels alone and adds what is left of the input loses=["hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.norm2(self.filter(y)))
        y = self.norm3(self.project(y))
        return x[..., : y.shape[2], : y.shape[3]] + y if x.shape[1] == y.shape[1] else y


# %% wrong InvertedResidual: biases loses=["test-InvertedResidual", "hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=True)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=True)
        self.project = nn.Conv2d(wide, c_out, 1, bias=True)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.norm2(self.filter(y)))
        y = self.norm3(self.project(y))
        return x + y if self.adds else y


# %% wrong InvertedResidual: the stride in the first convolution loses=["hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, stride, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, 1, 1, groups=wide, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.norm2(self.filter(y)))
        y = self.norm3(self.project(y))
        return x + y if self.adds else y


# %% wrong InvertedResidual: widens from the outputs' channels loses=["test-InvertedResidual", "hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_out
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.norm2(self.filter(y)))
        y = self.norm3(self.project(y))
        return x + y if self.adds else y


# %% wrong InvertedResidual: no norm after the filter loses=["hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.filter(y))
        y = self.norm3(self.project(y))
        return x + y if self.adds else y


# %% wrong InvertedResidual: drops the branch at random in training loses=["hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.norm2(self.filter(y)))
        y = F.dropout(self.norm3(self.project(y)), 0.2, self.training)
        return x + y if self.adds else y


# %% wrong InvertedResidual: the skip starts after the expansion's norm, cut off loses=["hidden-InvertedResidual"]
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, expand, stride=1):
        super().__init__()
        wide = expand * c_in
        self.expand = None
        if expand != 1:
            self.expand = nn.Conv2d(c_in, wide, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(wide)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.norm2, self.norm3 = nn.BatchNorm2d(wide), nn.BatchNorm2d(c_out)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.norm1(self.expand(x)))
        y = F.relu6(self.norm2(self.filter(y)))
        y = self.norm3(self.project(y))
        return x + y.detach() if self.adds else y


# %% right count_parameters: a stack of what is left to count
def count_parameters(config):
    left, total = [(1, layer) for layer in config], 0
    while left:
        times, (word, *rest) = left.pop()
        if word == "repeat":
            left.extend((times * rest[0], layer) for layer in rest[1])
        elif word == "branches":
            left.extend((times, layer) for branch in rest for layer in branch)
        elif word == "conv":
            c_in, c_out, f = rest[:3]
            bias = rest[3] if len(rest) == 4 else True
            total += times * (c_in * c_out * f**2 + (c_out if bias else 0))
        elif word == "dense":
            total += times * (rest[0] * rest[1] + rest[1])
        elif word == "norm":
            total += times * (rest[0] + rest[0])
    return total


# %% right count_parameters: makes the layers, and lets torch count
def count_parameters(config):
    def made(word, *rest):
        if word == "conv":
            return nn.Conv2d(*rest[:3], bias=rest[3] if rest[3:] else True, device="meta")
        kinds = {"norm": nn.BatchNorm2d, "dense": nn.Linear}
        return kinds[word](*rest, device="meta") if word in kinds else nn.Identity()

    total = 0
    for layer in config:
        match layer:
            case ("repeat", times, inner):
                total += times * count_parameters(inner)
            case ("branches", *branches):
                total += sum(map(count_parameters, branches))
            case _:
                total += sum(p.numel() for p in made(*layer).parameters())
    return torch.as_tensor(total)


# %% right count_parameters: a generator of counts, with a table of rules
def count_parameters(config):
    def counts(layers):
        for layer in layers:
            word = layer[0]
            if word == "conv":
                yield layer[2] * (layer[1] * layer[3] ** 2 + (len(layer) < 5 or bool(layer[4])))
            elif word == "norm":
                yield layer[1] * 2
            elif word == "dense":
                yield (layer[1] + 1) * layer[2]
            elif word == "repeat":
                for _ in range(layer[1]):
                    yield from counts(layer[2])
            elif word == "branches":
                for branch in layer[1:]:
                    yield from counts(branch)

    return int(sum(counts(config)))


# %% wrong count_parameters: a bias even where there is none loses=["test-count_parameters", "hidden-count_parameters"]
def count_parameters(config):
    total = 0
    for word, *rest in config:
        if word == "conv":
            total += rest[1] * (rest[2] ** 2 * rest[0] + 1)
        elif word == "norm":
            total += 2 * rest[0]
        elif word == "dense":
            total += rest[1] * (rest[0] + 1)
        elif word == "repeat":
            total += rest[0] * count_parameters(rest[1])
        elif word == "branches":
            total += sum(map(count_parameters, rest))
    return total


# %% wrong count_parameters: counts running means and variances loses=["test-count_parameters", "hidden-count_parameters"]
def count_parameters(config):
    total = 0
    for word, *rest in config:
        if word == "conv":
            total += rest[1] * (rest[2] ** 2 * rest[0] + all(rest[3:]))
        elif word == "norm":
            total += 4 * rest[0]
        elif word == "dense":
            total += rest[1] * (rest[0] + 1)
        elif word == "repeat":
            total += rest[0] * count_parameters(rest[1])
        elif word == "branches":
            total += sum(map(count_parameters, rest))
    return total


# %% wrong count_parameters: looks one level deep loses=["hidden-count_parameters"]
def count_parameters(config):
    def simple(layers):
        total = 0
        for word, *rest in layers:
            if word == "conv":
                total += rest[1] * (rest[2] ** 2 * rest[0] + all(rest[3:]))
            elif word == "norm":
                total += 2 * rest[0]
            elif word == "dense":
                total += rest[1] * (rest[0] + 1)
        return total

    total = simple(config)
    for word, *rest in config:
        if word == "repeat":
            total += rest[0] * simple(rest[1])
        elif word == "branches":
            total += sum(map(simple, rest))
    return total


# %% wrong count_parameters: what is repeated shares its weights loses=["test-count_parameters", "hidden-count_parameters"]
def count_parameters(config):
    total = 0
    for word, *rest in config:
        if word == "conv":
            total += rest[1] * (rest[2] ** 2 * rest[0] + all(rest[3:]))
        elif word == "norm":
            total += 2 * rest[0]
        elif word == "dense":
            total += rest[1] * (rest[0] + 1)
        elif word == "repeat":
            total += count_parameters(rest[1])
        elif word == "branches":
            total += sum(map(count_parameters, rest))
    return total


# %% wrong count_parameters: two branches, as a residual block has loses=["test-count_parameters", "hidden-count_parameters"]
def count_parameters(config):
    total = 0
    for word, *rest in config:
        if word == "conv":
            total += rest[1] * (rest[2] ** 2 * rest[0] + all(rest[3:]))
        elif word == "norm":
            total += 2 * rest[0]
        elif word == "dense":
            total += rest[1] * (rest[0] + 1)
        elif word == "repeat":
            total += rest[0] * count_parameters(rest[1])
        elif word == "branches":
            total += sum(map(count_parameters, rest[:2]))
    return total


# %% wrong count_parameters: a pool has f x f weights loses=["test-count_parameters", "hidden-count_parameters"]
def count_parameters(config):
    total = 0
    for word, *rest in config:
        if word == "conv":
            total += rest[1] * (rest[2] ** 2 * rest[0] + all(rest[3:]))
        elif word == "norm":
            total += 2 * rest[0]
        elif word == "dense":
            total += rest[1] * (rest[0] + 1)
        elif word == "pool":
            total += rest[0] ** 2
        elif word == "repeat":
            total += rest[0] * count_parameters(rest[1])
        elif word == "branches":
            total += sum(map(count_parameters, rest))
    return total


# %% wrong count_parameters: takes the config apart loses=["hidden-count_parameters"]
def count_parameters(config):
    total = 0
    while config:
        word, *rest = config.pop()
        if word == "conv":
            total += rest[1] * (rest[2] ** 2 * rest[0] + all(rest[3:]))
        elif word == "norm":
            total += 2 * rest[0]
        elif word == "dense":
            total += rest[1] * (rest[0] + 1)
        elif word == "repeat":
            total += rest[0] * count_parameters(rest[1])
        elif word == "branches":
            total += sum(map(count_parameters, rest))
    return total


# %% wrong count_parameters: knows no other words than the table's loses=["hidden-count_parameters"]
def count_parameters(config):
    rules = {
        "conv": lambda c_in, c_out, f, bias=True: c_out * (f * f * c_in + bias),
        "norm": lambda c: 2 * c,
        "dense": lambda n_in, n_out: n_out * (n_in + 1),
        "pool": lambda f, s: 0,
        "repeat": lambda times, inner: times * count_parameters(inner),
        "branches": lambda *branches: sum(map(count_parameters, branches)),
    }
    return sum(rules[word](*rest) for word, *rest in config)


# %% right own_code: with pencil and paper
def own_code():
    return {"widest": 192, "larger": 16256, "shape": (16, 5, 5)}


# %% right own_code: a list, and counts by hooks
def own_code():
    out = []
    block = InvertedResidual(32, 48, 6).eval()
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda m, i, o: out.append(o.shape[1]))
    block(torch.zeros(1, 32, 4, 4))
    maps = Residual(8, 16, stride=2)(vgg_block(3, 8, 2)(torch.zeros(2, 3, 19, 21)))[0]
    counts = [sum(p.numel() for p in Residual(c, 64).parameters()) for c in (64, 32)]
    return {"shape": list(maps.shape), "larger": counts[0] - counts[1], "widest": max(out)}


# %% right own_code: floats, and torch's own size
def own_code():
    size = torch.zeros(16, (19 // 2 - 1) // 2 + 1, (21 // 2 - 1) // 2 + 1).shape
    return {"widest": 6.0 * 32, "larger": 9 * 32 * 64 - 32 * 64 - 2 * 64.0, "shape": size}


# %% wrong own_code: the outputs are the widest loses=["hidden-own_code"]
def own_code():
    return {"widest": 48, "larger": 16256, "shape": (16, 5, 5)}


# %% wrong own_code: widens from the outputs loses=["hidden-own_code"]
def own_code():
    return {"widest": 288, "larger": 16256, "shape": (16, 5, 5)}


# %% wrong own_code: forgets the projection loses=["hidden-own_code"]
def own_code():
    return {"widest": 192, "larger": 18432, "shape": (16, 5, 5)}


# %% wrong own_code: forgets the projection's norm loses=["hidden-own_code"]
def own_code():
    return {"widest": 192, "larger": 16384, "shape": (16, 5, 5)}


# %% wrong own_code: counts from the smaller one loses=["hidden-own_code"]
def own_code():
    return {"widest": 192, "larger": -16256, "shape": (16, 5, 5)}


# %% wrong own_code: two pools loses=["hidden-own_code"]
def own_code():
    return {"widest": 192, "larger": 16256, "shape": (16, 4, 5)}


# %% wrong own_code: the stride is forgotten loses=["hidden-own_code"]
def own_code():
    return {"widest": 192, "larger": 16256, "shape": (16, 9, 10)}


# %% wrong own_code: the image's channels loses=["hidden-own_code"]
def own_code():
    return {"widest": 192, "larger": 16256, "shape": (8, 5, 5)}


# %% wrong own_code: both convolutions stride loses=["hidden-own_code"]
def own_code():
    return {"widest": 192, "larger": 16256, "shape": (16, 3, 3)}


# %% wrong own_code: the batch counts, too loses=["hidden-own_code"]
def own_code():
    return {"widest": 192, "larger": 16256, "shape": (1, 16, 5, 5)}


# %% right alexnet_config: the two cards from conv4 on as two branches of two layers
def alexnet_config():
    card = [("conv", 192, 192, 3, True), ("conv", 192, 128, 3, True)]
    return [
        ("branches", [("conv", 3, 48, 11)], [("conv", 3, 48, 11)]),
        ("pool", 3, 2),
        ("branches", [("conv", 48, 128, 5)], [("conv", 48, 128, 5)]),
        ("pool", 3, 2),
        ("conv", 256, 384, 3),
        ("branches", card, card),
        ("pool", 3, 2),
        ("dense", 9216, 4096),
        ("dense", 4096, 4096),
        ("dense", 4096, 1000),
    ]


# %% right alexnet_config: layers appended one by one, with words that weigh nothing
def alexnet_config():
    config = []
    for cards, c_in, c_out, f in (
        (1, 3, 96, 11), (2, 48, 128, 5), (1, 256, 384, 3), (2, 192, 192, 3), (2, 192, 128, 3),
    ):
        config.append(("branches", *([("conv", c_in, c_out, f), ("relu",)] for _ in range(cards))))
    widths = [6 * 6 * 256, 4096, 4096, 1000]
    for n_in, n_out in zip(widths, widths[1:]):
        config += [("dropout", 0.5), ("dense", n_in, n_out)]
    return config


# %% right alexnet_config: with biases, pools and ReLUs said aloud
def alexnet_config():
    config = []
    for cards, c_in, c_out, f, pooled in (
        (1, 3, 96, 11, 1), (2, 48, 128, 5, 1), (1, 256, 384, 3, 0), (2, 192, 192, 3, 0), (2, 192, 128, 3, 1),
    ):
        layer = ("conv", c_in, c_out, f, True)
        config.append(layer if cards == 1 else ("branches", [layer], [layer]))
        config += [("relu",)] + pooled * [("pool", 3, 2)]
    return config + [("dense", 9216, 4096), ("relu",), ("repeat", 1, [("dense", 4096, 4096)]), ("dense", 4096, 1000)]


# %% wrong alexnet_config: one net, without halves loses=["test-alexnet_config", "hidden-alexnet_config"]
def alexnet_config():
    convolutions = chain(3, 96, f=11) + chain(96, 256, f=5) + chain(256, 384, 384, 256)
    return [*convolutions, ("dense", 9216, 4096), ("dense", 4096, 4096), ("dense", 4096, 1000)]


# %% wrong alexnet_config: torchvision's, which is narrower loses=["test-alexnet_config", "hidden-alexnet_config"]
def alexnet_config():
    return CONFIGS["alexnet"]


# %% wrong alexnet_config: one of the two halves loses=["hidden-alexnet_config"]
def alexnet_config():
    convolutions = [("conv", 3, 96, 11), ("conv", 48, 128, 5), ("conv", 256, 384, 3)]
    convolutions += [("conv", 192, 192, 3), ("conv", 192, 128, 3)]
    return [*convolutions, ("dense", 9216, 4096), ("dense", 4096, 4096), ("dense", 4096, 1000)]


# %% wrong alexnet_config: conv3 reads one card alone loses=["hidden-alexnet_config"]
def alexnet_config():
    def halves(*layer):
        return ("branches", [("conv", *layer)], [("conv", *layer)])

    convolutions = [("conv", 3, 96, 11), halves(48, 128, 5), halves(128, 192, 3)]
    convolutions += [halves(192, 192, 3), halves(192, 128, 3)]
    return [*convolutions, ("dense", 9216, 4096), ("dense", 4096, 4096), ("dense", 4096, 1000)]


# %% wrong alexnet_config: the dense end reads one card alone loses=["test-alexnet_config", "hidden-alexnet_config"]
def alexnet_config():
    def halves(*layer):
        return ("branches", [("conv", *layer)], [("conv", *layer)])

    convolutions = [("conv", 3, 96, 11), halves(48, 128, 5), ("conv", 256, 384, 3)]
    convolutions += [halves(192, 192, 3), halves(192, 128, 3)]
    dense = [("dense", 6 * 6 * 128, 4096), ("dense", 4096, 4096), ("dense", 4096, 1000)]
    return convolutions + dense


# %% wrong alexnet_config: grey images loses=["hidden-alexnet_config"]
def alexnet_config():
    def halves(*layer):
        return ("branches", [("conv", *layer)], [("conv", *layer)])

    convolutions = [("conv", 1, 96, 11), halves(48, 128, 5), ("conv", 256, 384, 3)]
    convolutions += [halves(192, 192, 3), halves(192, 128, 3)]
    return [*convolutions, ("dense", 9216, 4096), ("dense", 4096, 4096), ("dense", 4096, 1000)]


# %% wrong alexnet_config: the second half behind the first, which doesn't fit loses=["hidden-alexnet_config"]
def alexnet_config():
    def halves(*layer):
        return ("repeat", 2, [("conv", *layer)])

    convolutions = [("conv", 3, 96, 11), halves(48, 128, 5), ("conv", 256, 384, 3)]
    convolutions += [halves(192, 192, 3), halves(192, 128, 3)]
    return [*convolutions, ("dense", 9216, 4096), ("dense", 4096, 4096), ("dense", 4096, 1000)]


# %% wrong alexnet_config: conv4 and conv5 before conv3, which does not fit loses=["hidden-alexnet_config"]
def alexnet_config():
    def halves(*layer):
        return ("branches", [("conv", *layer)], [("conv", *layer)])

    convolutions = [("conv", 3, 96, 11), halves(48, 128, 5)]
    convolutions += [halves(192, 192, 3), halves(192, 128, 3), ("conv", 256, 384, 3)]
    return [*convolutions, ("dense", 9216, 4096), ("dense", 4096, 4096), ("dense", 4096, 1000)]


# %% wrong alexnet_config: the last dense layer in the middle loses=["hidden-alexnet_config"]
def alexnet_config():
    def halves(*layer):
        return ("branches", [("conv", *layer)], [("conv", *layer)])

    convolutions = [("conv", 3, 96, 11), halves(48, 128, 5), ("conv", 256, 384, 3)]
    convolutions += [halves(192, 192, 3), halves(192, 128, 3)]
    return [*convolutions, ("dense", 9216, 4096), ("dense", 4096, 1000), ("dense", 4096, 4096)]


# %% wrong alexnet_config: all layers side by side loses=["hidden-alexnet_config"]
def alexnet_config():
    def halves(*layer):
        return ("branches", [("conv", *layer)], [("conv", *layer)])

    convolutions = [("conv", 3, 96, 11), halves(48, 128, 5), ("conv", 256, 384, 3)]
    convolutions += [halves(192, 192, 3), halves(192, 128, 3)]
    return [("branches", *[[layer] for layer in convolutions]), ("dense", 9216, 4096), ("dense", 4096, 4096), ("dense", 4096, 1000)]


# %% right claims: from numbers worked out on paper
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_dense": (True, 89.4),
        "vgg_work": (False, 0.8),
        "vgg_fewer": (True, 5_766_144),
        "google_5m": (False, 6_998_552),
        "google_12": (False, 8.7),
        "google_no_dense": (False, 1_025_000),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_heavy": (False, 74.4),
    }


# %% right claims: lists, NumPy's booleans and numbers, a rounded share
import numpy as np


def claims():
    vgg = count_parameters(CONFIGS["vgg16"])
    convolutions = [layer for layer in CONFIGS["vgg16"] if layer[0] != "dense"]
    share = 100 * (1 - np.float32(count_parameters(convolutions)) / vgg)
    longest = 1 + 3 * np.sum([3, 8, 36, 3])
    return {
        "resnet_heavy": [np.bool_(False), round(100 * work_of("resnet152") / work_of("vgg16"))],
        "resnet_152": [longest + 1 == 152, longest],
        "resnet_no_dense": [not [x for x in CONFIGS["resnet152"] if x[0] == "dense"], 2049000],
        "google_no_dense": [np.False_, count_parameters([("dense", 1024, 1000)])],
        "google_12": (False, round(count_parameters(alexnet_config()) / count_parameters(PAPER), 1)),
        "google_5m": [False, torch.tensor(count_parameters(PAPER))],
        "vgg_fewer": [True, 512 * (512 * 49 + 1) - 3 * 512 * (512 * 9 + 1)],
        "vgg_work": [False, 100 * (25088 * 4096 + 4096**2 + 4096 * 1000) / 15.47e9],
        "vgg_dense": [share > 50, share.round()],
        "alexnet_60m": [True, count_parameters(alexnet_config())],
    }


# %% right claims: asks torch for what can be built
def claims():
    def size(network):
        return sum(p.numel() for p in network.parameters())

    with torch.device("meta"):
        vgg, last = models.vgg16(), models.resnet152().fc
        three, one = 3 * size(nn.Conv2d(512, 512, 3)), size(nn.Conv2d(512, 512, 7))
        google_end = size(nn.Linear(1024, 1000))
    dense_weights = sum(p.numel() for p in vgg.classifier.parameters() if p.dim() == 2)
    work, alexnet = work_of("vgg16"), count_parameters(alexnet_config())
    paper = count_parameters(PAPER)
    return {
        "alexnet_60m": (round(alexnet, -7) == 60e6, alexnet),
        "vgg_dense": (True, 100 * size(vgg.classifier) / size(vgg)),
        "vgg_work": (False, 100 * dense_weights / work),
        "vgg_fewer": (three < one, one - three),
        "google_5m": (round(paper, -6) == 5e6, paper),
        "google_12": (round(alexnet / paper) == 12, alexnet / paper),
        "google_no_dense": (False, google_end),
        "resnet_no_dense": (False, size(last)),
        "resnet_152": (True, 151),
        "resnet_heavy": (work_of("resnet152") > work, 100 * work_of("resnet152") / work),
    }


# %% wrong claims: believes the slides loses=["hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_dense": (True, 89.4),
        "vgg_work": (True, 0.8),
        "vgg_fewer": (True, 5_766_144),
        "google_5m": (True, 6_998_552),
        "google_12": (True, 8.7),
        "google_no_dense": (True, 1_025_000),
        "resnet_no_dense": (True, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_heavy": (True, 74.4),
    }


# %% wrong claims: the share as a fraction loses=["test-claims", "hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_dense": (True, 0.894),
        "vgg_work": (False, 0.8),
        "vgg_fewer": (True, 5_766_144),
        "google_5m": (False, 6_998_552),
        "google_12": (False, 8.7),
        "google_no_dense": (False, 1_025_000),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_heavy": (False, 74.4),
    }


# %% wrong claims: torchvision's GoogLeNet, whose 5 x 5 is 3 x 3 loses=["hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_dense": (True, 89.4),
        "vgg_work": (False, 0.8),
        "vgg_fewer": (True, 5_766_144),
        "google_5m": (False, count_parameters(CONFIGS["googlenet"])),
        "google_12": (False, 8.7),
        "google_no_dense": (False, 1_025_000),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_heavy": (False, 74.4),
    }


# %% wrong claims: torchvision's AlexNet loses=["hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, count_parameters(CONFIGS["alexnet"])),
        "vgg_dense": (True, 89.4),
        "vgg_work": (False, 0.8),
        "vgg_fewer": (True, 5_766_144),
        "google_5m": (False, 6_998_552),
        "google_12": (False, 8.7),
        "google_no_dense": (False, 1_025_000),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_heavy": (False, 74.4),
    }


# %% wrong claims: 152 convolutions, and the dense layer on top loses=["hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_dense": (True, 89.4),
        "vgg_work": (False, 0.8),
        "vgg_fewer": (True, 5_766_144),
        "google_5m": (False, 6_998_552),
        "google_12": (False, 8.7),
        "google_no_dense": (False, 1_025_000),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 152),
        "resnet_heavy": (False, 74.4),
    }


# %% wrong claims: last layers without biases loses=["hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_dense": (True, 89.4),
        "vgg_work": (False, 0.8),
        "vgg_fewer": (True, 5_766_144),
        "google_5m": (False, 6_998_552),
        "google_12": (False, 8.7),
        "google_no_dense": (False, 1_024_000),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_heavy": (False, 74.4),
    }


# %% wrong claims: work where parameters are loses=["hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_dense": (True, 89.4),
        "vgg_work": (True, 89.4),
        "vgg_fewer": (True, 5_766_144),
        "google_5m": (False, 6_998_552),
        "google_12": (False, 8.7),
        "google_no_dense": (False, 1_025_000),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_heavy": (False, 74.4),
    }


# %% wrong claims: biases forgotten in the stack of three loses=["hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_dense": (True, 89.4),
        "vgg_work": (False, 0.8),
        "vgg_fewer": (True, 3 * 512 + 5_765_632),
        "google_5m": (False, 6_998_552),
        "google_12": (False, 8.7),
        "google_no_dense": (False, 1_025_000),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_heavy": (False, 74.4),
    }


# %% wrong claims: believes the paper's twelve loses=["hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_dense": (True, 89.4),
        "vgg_work": (False, 0.8),
        "vgg_fewer": (True, 5_766_144),
        "google_5m": (False, 6_998_552),
        "google_12": (True, 12),
        "google_no_dense": (False, 1_025_000),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_heavy": (False, 74.4),
    }


# %% wrong claims: more layers, so more work loses=["hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_dense": (True, 89.4),
        "vgg_work": (False, 0.8),
        "vgg_fewer": (True, 5_766_144),
        "google_5m": (False, 6_998_552),
        "google_12": (False, 8.7),
        "google_no_dense": (False, 1_025_000),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_heavy": (True, 134.4),
    }


# %% wrong claims: the work as a fraction loses=["test-claims", "hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_dense": (True, 89.4),
        "vgg_work": (False, 0.8),
        "vgg_fewer": (True, 5_766_144),
        "google_5m": (False, 6_998_552),
        "google_12": (False, 8.7),
        "google_no_dense": (False, 1_025_000),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_heavy": (False, 0.744),
    }


# %% wrong claims: one verdict on dense layers is left out loses=["test-claims", "hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_dense": (True, 89.4),
        "vgg_work": (False, 0.8),
        "vgg_fewer": (True, 5_766_144),
        "google_5m": (False, 6_998_552),
        "google_12": (False, 8.7),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_heavy": (False, 74.4),
    }


# %% wrong claims: words for verdicts loses=["test-claims", "hidden-claims"]
def claims():
    return {
        "alexnet_60m": ("yes", 60_965_224),
        "vgg_dense": ("yes", 89.4),
        "vgg_work": ("no", 0.8),
        "vgg_fewer": ("yes", 5_766_144),
        "google_5m": ("no", 6_998_552),
        "google_12": ("no", 8.7),
        "google_no_dense": ("no", 1_025_000),
        "resnet_no_dense": ("no", 2_049_000),
        "resnet_152": ("yes", 151),
        "resnet_heavy": ("no", 74.4),
    }


# %% right pareto: from the cheapest on, with the best accuracy so far
def pareto(points):
    names = sorted(points, key=lambda name: (points[name][0], -points[name][1]))
    front, best, last = [], float("-inf"), None
    for name in names:
        cost, accuracy = points[name]
        if accuracy > best or (cost, accuracy) == last:
            front.append(name)
            best, last = accuracy, (cost, accuracy)
    return front


# %% right pareto: one NumPy table of who beats whom, a tuple as the answer
import numpy as np


def pareto(points):
    if not points:
        return ()
    names = np.array(list(points))
    cost, accuracy = np.array(list(points.values()), dtype=float).T
    no_worse = (cost[:, None] <= cost) & (accuracy[:, None] >= accuracy)
    beats = no_worse & ~no_worse.T
    order = np.argsort(cost, kind="stable")
    return tuple(str(names[k]) for k in order if not beats[:, k].any())


# %% right pareto: takes out what is dominated, one pair after the other
def pareto(points):
    left = dict(points)
    for name, (cost, accuracy) in points.items():
        for other, (c, a) in points.items():
            if cost <= c and accuracy >= a and (cost < c or accuracy > a):
                left.pop(other, None)
    return [name for _, name in sorted(((left[name][0], k), name) for k, name in enumerate(left))]


# %% wrong pareto: only what is worse in both is beaten loses=["test-pareto", "hidden-pareto"]
def pareto(points):
    front = [
        n for n, (cost, acc) in points.items() if not any(c < cost and a > acc for c, a in points.values())
    ]
    return sorted(front, key=lambda n: points[n][0])


# %% wrong pareto: equal points beat each other loses=["hidden-pareto"]
def pareto(points):
    front = [
        n
        for n, (cost, acc) in points.items()
        if not any(c <= cost and a >= acc for m, (c, a) in points.items() if m != n)
    ]
    return sorted(front, key=lambda n: points[n][0])


# %% wrong pareto: one of several equal points stays loses=["hidden-pareto"]
def pareto(points):
    front, best = [], float("-inf")
    for n in sorted(points, key=lambda n: (points[n][0], -points[n][1])):
        if points[n][1] > best:
            front.append(n)
            best = points[n][1]
    return front


# %% wrong pareto: takes accuracy for an error loses=["test-pareto", "hidden-pareto"]
def pareto(points):
    front = [
        n
        for n, (cost, acc) in points.items()
        if not any(c <= cost and a <= acc and (c, a) != (cost, acc) for c, a in points.values())
    ]
    return sorted(front, key=lambda n: points[n][0])


# %% wrong pareto: in the order in which they came loses=["test-pareto", "hidden-pareto"]
def pareto(points):
    return [
        n
        for n, (cost, acc) in points.items()
        if not any(c <= cost and a >= acc and (c, a) != (cost, acc) for c, a in points.values())
    ]


# %% wrong pareto: compares with the next cheaper one alone loses=["hidden-pareto"]
def pareto(points):
    names = sorted(points, key=lambda n: (points[n][0], -points[n][1]))
    front = names[:1]
    for before, n in zip(names, names[1:]):
        if points[n][1] > points[before][1] or points[n] == points[before]:
            front.append(n)
    return front


# %% wrong pareto: the best accuracy for its cost loses=["test-pareto", "hidden-pareto"]
def pareto(points):
    return sorted(points, key=lambda n: points[n][1] / points[n][0])[-1:]


# %% wrong pareto: takes what is beaten out of the points loses=["hidden-pareto"]
def pareto(points):
    values = list(points.values())
    for n, (cost, acc) in list(points.items()):
        if any(c <= cost and a >= acc and (c, a) != (cost, acc) for c, a in values):
            del points[n]
    return sorted(points, key=lambda n: points[n][0])
