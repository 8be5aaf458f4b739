# %% [markdown]
# Answers to lesson 06, right and wrong. A cell replaces its exercise's solution cell.

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


# %% right claims: from numbers worked out on paper
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_won": (False, 2),
        "vgg_dense": (True, 89.4),
        "vgg_fewer": (True, 28_608),
        "google_5m": (False, 6_998_552),
        "google_no_dense": (False, 1_025_000),
        "google_22": (True, 22),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_human": (True, 0.61),
    }


# %% right claims: lists, NumPy's truth and numbers, a rounded share
import numpy as np


def claims():
    human, one_net = 5.1, 4.49
    vgg = count_parameters(CONFIGS["vgg16"])
    share = 100 * (1 - np.float32(count_parameters(vgg_convolutions())) / vgg)
    longest = 1 + 3 * np.sum([3, 8, 36, 3])
    return {
        "resnet_human": [np.bool_(one_net < human), round(human - one_net, 2)],
        "resnet_152": [longest + 1 == 152, longest],
        "resnet_no_dense": [not [x for x in CONFIGS["resnet152"] if x[0] == "dense"], 2049000],
        "google_22": [np.True_, np.int64(22)],
        "google_no_dense": [np.False_, count_parameters([("dense", 1024, 1000)])],
        "google_5m": [False, torch.tensor(count_parameters(PAPER))],
        "vgg_fewer": [True, 64 * (64 * 25 + 1) - 2 * 64 * (64 * 9 + 1)],
        "vgg_dense": [share > 50, share.round()],
        "vgg_won": [False, 2.0],
        "alexnet_60m": [True, count_parameters(alexnet_config())],
    }


def vgg_convolutions():
    return [layer for layer in CONFIGS["vgg16"] if layer[0] != "dense"]


# %% wrong claims: believes the slides loses=["hidden-claims"]
def claims():
    numbers = 60_965_224, 2, 89.37, 28_608, 6_998_552, 1_025_000, 22, 2_049_000, 151, 0.61
    keys = ["alexnet_60m", "vgg_won", "vgg_dense", "vgg_fewer", "google_5m", "google_no_dense"]
    keys += ["google_22", "resnet_no_dense", "resnet_152", "resnet_human"]
    return {key: (True, number) for key, number in zip(keys, numbers)}


# %% wrong claims: the share as a fraction loses=["test-claims", "hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_won": (False, 2),
        "vgg_dense": (True, 0.894),
        "vgg_fewer": (True, 28_608),
        "google_5m": (False, 6_998_552),
        "google_no_dense": (False, 1_025_000),
        "google_22": (True, 22),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_human": (True, 0.61),
    }


# %% wrong claims: torchvision's GoogLeNet, whose 5 x 5 is 3 x 3 loses=["hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_won": (False, 2),
        "vgg_dense": (True, 89.4),
        "vgg_fewer": (True, 28_608),
        "google_5m": (False, count_parameters(CONFIGS["googlenet"])),
        "google_no_dense": (False, 1_025_000),
        "google_22": (True, 22),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_human": (True, 0.61),
    }


# %% wrong claims: 152 convolutions, and the dense layer on top loses=["hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_won": (False, 2),
        "vgg_dense": (True, 89.4),
        "vgg_fewer": (True, 28_608),
        "google_5m": (False, 6_998_552),
        "google_no_dense": (False, 1_025_000),
        "google_22": (True, 22),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 152),
        "resnet_human": (True, 0.61),
    }


# %% wrong claims: last layers without biases loses=["hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_won": (False, 2),
        "vgg_dense": (True, 89.4),
        "vgg_fewer": (True, 28_608),
        "google_5m": (False, 6_998_552),
        "google_no_dense": (False, 1_024_000),
        "google_22": (True, 22),
        "resnet_no_dense": (False, 2_048_000),
        "resnet_152": (True, 151),
        "resnet_human": (True, 0.61),
    }


# %% wrong claims: six nets taken for one loses=["hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_won": (False, 2),
        "vgg_dense": (True, 89.4),
        "vgg_fewer": (True, 28_608),
        "google_5m": (False, 6_998_552),
        "google_no_dense": (False, 1_025_000),
        "google_22": (True, 22),
        "resnet_no_dense": (False, 2_049_000),
        "resnet_152": (True, 151),
        "resnet_human": (True, 1.53),
    }


# %% wrong claims: words for verdicts loses=["test-claims", "hidden-claims"]
def claims():
    return {
        "alexnet_60m": ("yes", 60_965_224),
        "vgg_won": ("no", 2),
        "vgg_dense": ("yes", 89.4),
        "vgg_fewer": ("yes", 28_608),
        "google_5m": ("no", 6_998_552),
        "google_no_dense": ("no", 1_025_000),
        "google_22": ("yes", 22),
        "resnet_no_dense": ("no", 2_049_000),
        "resnet_152": ("yes", 151),
        "resnet_human": ("yes", 0.61),
    }


# %% wrong claims: one verdict on both dense layers is left out loses=["test-claims", "hidden-claims"]
def claims():
    return {
        "alexnet_60m": (True, 60_965_224),
        "vgg_won": (False, 2),
        "vgg_dense": (True, 89.4),
        "vgg_fewer": (True, 28_608),
        "google_5m": (False, 6_998_552),
        "google_22": (True, 22),
        "resnet_152": (True, 151),
        "resnet_human": (True, 0.61),
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
