# %% [markdown]
# Answers to lesson 11, right and wrong: each stands in place of its exercise's solution cell.

# %% right retrieval: worked out from the numbers of another name
def retrieval():
    q = questions("grace")
    return "grace", {
        "iou": round(q["c"] / (q["a"] + q["b"] - q["c"]), 2),
        "up": (q["n"] - 1) * q["s"] + q["f"],
        "pool": (q["m"] - 1) // 2,
        "head": q["k"] * q["g"] + q["g"],
        "hook": "forward",
    }


# %% right retrieval: by asking torch
def retrieval():
    q = questions("noether")
    up = nn.ConvTranspose1d(1, 1, q["f"], stride=q["s"])(torch.zeros(1, 1, q["n"]))
    masks = torch.zeros(2, 200)
    masks[0, : q["a"]] = masks[1, q["a"] - q["c"] : q["a"] - q["c"] + q["b"]] = 1
    return "noether", {
        "iou": round((masks.prod(0).sum() / masks.amax(0).sum()).item(), 2),
        "up": up.shape[2],
        "pool": F.max_pool2d(torch.zeros(1, 1, q["m"], q["m"]), 3, 2).shape[2],
        "head": sum(p.numel() for p in nn.Conv2d(q["k"], q["g"], 1).parameters()),
        "hook": "forward",
    }


# %% right retrieval: a list, in another order
def retrieval():
    a, b, c, f, s, n, m, k, g = questions(" Emmy ").values()
    sizes = len(range(0, m - 2, 2))
    return ["emmy", {"hook": "forward", "head": (k + 1) * g, "pool": sizes, "up": s * n - s + f, "iou": round(c / (a + b - c), 2)}]


# %% wrong retrieval: counts the shared pixels twice loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "iou": round(q["c"] / (q["a"] + q["b"]), 2), "up": q["s"] * (q["n"] - 1) + q["f"],
        "pool": (q["m"] - 3) // 2 + 1, "head": q["g"] * (q["k"] + 1), "hook": "forward",
    }


# %% wrong retrieval: Dice in place of IoU loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "iou": round(2 * q["c"] / (q["a"] + q["b"]), 2), "up": q["s"] * (q["n"] - 1) + q["f"],
        "pool": (q["m"] - 3) // 2 + 1, "head": q["g"] * (q["k"] + 1), "hook": "forward",
    }


# %% wrong retrieval: the way down in place of the way up loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "iou": round(q["c"] / (q["a"] + q["b"] - q["c"]), 2), "up": (q["n"] - q["f"]) // q["s"] + 1,
        "pool": (q["m"] - 3) // 2 + 1, "head": q["g"] * (q["k"] + 1), "hook": "forward",
    }


# %% wrong retrieval: multiplies the size by the stride loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "iou": round(q["c"] / (q["a"] + q["b"] - q["c"]), 2), "up": q["s"] * q["n"] + q["f"],
        "pool": (q["m"] - 3) // 2 + 1, "head": q["g"] * (q["k"] + 1), "hook": "forward",
    }


# %% wrong retrieval: halves the pixels loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "iou": round(q["c"] / (q["a"] + q["b"] - q["c"]), 2), "up": q["s"] * (q["n"] - 1) + q["f"],
        "pool": q["m"] // 2, "head": q["g"] * (q["k"] + 1), "hook": "backward",
    }


# %% wrong retrieval: forgets the bias loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "iou": round(q["c"] / (q["a"] + q["b"] - q["c"]), 2), "up": q["s"] * (q["n"] - 1) + q["f"],
        "pool": (q["m"] - 3) // 2 + 1, "head": q["g"] * q["k"], "hook": "forward",
    }


# %% wrong retrieval: listens on the way back loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "iou": round(q["c"] / (q["a"] + q["b"] - q["c"]), 2), "up": q["s"] * (q["n"] - 1) + q["f"],
        "pool": (q["m"] - 3) // 2 + 1, "head": q["g"] * (q["k"] + 1), "hook": "backward",
    }


# %% wrong retrieval: the numbers of another name loses=["hidden-retrieval"]
def retrieval():
    q = questions("grace")
    return "ada", {
        "iou": round(q["c"] / (q["a"] + q["b"] - q["c"]), 2), "up": q["s"] * (q["n"] - 1) + q["f"],
        "pool": (q["m"] - 3) // 2 + 1, "head": q["g"] * (q["k"] + 1), "hook": "forward",
    }


# %% right formats: as products with two matrices
def to_centres(boxes):
    matrix = torch.tensor([[0.5, 0, -1, 0], [0, 0.5, 0, -1], [0.5, 0, 1, 0], [0, 0.5, 0, 1]], dtype=boxes.dtype)
    return boxes @ matrix


def to_corners(boxes):
    matrix = torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]], dtype=boxes.dtype)
    return boxes @ matrix


# %% right formats: by halves of the last dimension
def to_centres(boxes):
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], -1)


def to_corners(boxes):
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([centre - half, centre + half], -1)


# %% right formats: into a copy, number by number, in NumPy
def to_centres(boxes):
    result = boxes.numpy().copy()
    for k in (0, 1):
        result[..., k] = (boxes[..., k] + boxes[..., k + 2]) / 2
        result[..., k + 2] = boxes[..., k + 2] - boxes[..., k]
    return torch.from_numpy(result)


def to_corners(boxes):
    result = boxes.numpy().copy()
    for k in (0, 1):
        result[..., k] = boxes[..., k] - boxes[..., k + 2] / 2
        result[..., k + 2] = boxes[..., k] + boxes[..., k + 2] / 2
    return torch.from_numpy(result)


# %% wrong formats: whole sides to either side of the centre loses=["test-formats", "hidden-formats"]
def to_centres(boxes):
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], -1)


def to_corners(boxes):
    cx, cy, w, h = boxes.unbind(-1)
    return torch.stack([cx - w, cy - h, cx + w, cy + h], -1)


# %% wrong formats: keeps the upper left corner, as COCO does loses=["test-formats", "hidden-formats"]
def to_centres(boxes):
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack([x1, y1, x2 - x1, y2 - y1], -1)


def to_corners(boxes):
    x, y, w, h = boxes.unbind(-1)
    return torch.stack([x, y, x + w, y + h], -1)


# %% wrong formats: height before width loses=["test-formats", "hidden-formats"]
def to_centres(boxes):
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, y2 - y1, x2 - x1], -1)


def to_corners(boxes):
    cx, cy, h, w = boxes.unbind(-1)
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], -1)


# %% wrong formats: takes boxes for a table of two dimensions loses=["hidden-formats"]
def to_centres(boxes):
    x1, y1, x2, y2 = boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3]
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], 1)


def to_corners(boxes):
    cx, cy, w, h = boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3]
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# %% wrong formats: writes into what comes in loses=["hidden-formats"]
def to_centres(boxes):
    boxes[..., 2:] -= boxes[..., :2]
    boxes[..., :2] += boxes[..., 2:] / 2
    return boxes


def to_corners(boxes):
    boxes[..., :2] -= boxes[..., 2:] / 2
    boxes[..., 2:] += boxes[..., :2]
    return boxes


# %% wrong formats: whole pixels loses=["hidden-formats"]
def to_centres(boxes):
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack([(x1 + x2) // 2, (y1 + y2) // 2, x2 - x1, y2 - y1], -1)


def to_corners(boxes):
    cx, cy, w, h = boxes.unbind(-1)
    return torch.stack([cx - w // 2, cy - h // 2, cx + w // 2, cy + h // 2], -1)


# %% wrong formats: torchvision's own loses=["hidden-formats"]
from torchvision.ops import box_convert


def to_centres(boxes):
    return box_convert(boxes, "xyxy", "cxcywh")


def to_corners(boxes):
    return box_convert(boxes, "cxcywh", "xyxy")


# %% wrong formats: counts the last pixel once more loses=["test-formats", "hidden-formats"]
def to_centres(boxes):
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1 + 1, y2 - y1 + 1], -1)


def to_corners(boxes):
    cx, cy, w, h = boxes.unbind(-1)
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], -1)


# %% wrong formats: the way back forgets the centre loses=["test-formats", "hidden-formats"]
def to_centres(boxes):
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], -1)


def to_corners(boxes):
    cx, cy, w, h = boxes.unbind(-1)
    return torch.stack([cx, cy, cx + w, cy + h], -1)


# %% right box_iou: pair by pair, in Python
def box_iou(a, b):
    table = torch.zeros(len(a), len(b), dtype=a.dtype)
    for i, (x1, y1, x2, y2) in enumerate(a.tolist()):
        for j, (u1, v1, u2, v2) in enumerate(b.tolist()):
            both = max(0, min(x2, u2) - max(x1, u1)) * max(0, min(y2, v2) - max(y1, v1))
            either = (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - both
            table[i, j] = both / either if either > 0 else 0
    return table


# %% right box_iou: one coordinate at a time
def box_iou(a, b):
    def shared(first, last):
        return (torch.minimum(a[:, None, last], b[None, :, last]) - torch.maximum(a[:, None, first], b[None, :, first])).clamp(min=0)

    both = shared(0, 2) * shared(1, 3)
    areas = [(x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1]) for x in (a, b)]
    return torch.nan_to_num(both / (areas[0][:, None] + areas[1][None] - both), nan=0.0)


# %% right box_iou: in NumPy, row by row
def box_iou(a, b):
    first, second = a.numpy().astype(float), b.numpy().astype(float)
    area = np.prod(second[:, 2:] - second[:, :2], axis=1)
    rows = np.zeros((len(first), len(second)))
    for k, box in enumerate(first):
        sides = np.minimum(box[2:], second[:, 2:]) - np.maximum(box[:2], second[:, :2])
        both = np.prod(np.maximum(sides, 0), axis=1)
        either = np.prod(box[2:] - box[:2]) + area - both
        np.divide(both, either, out=rows[k], where=either > 0)
    return torch.tensor(rows, dtype=a.dtype)


# %% wrong box_iou: negative sides are multiplied loses=["test-box_iou", "hidden-box_iou"]
def box_iou(a, b):
    sides = torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])
    both = sides.prod(-1).clamp(min=0)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(-1), (b[:, 2:] - b[:, :2]).prod(-1)
    either = area_a[:, None] + area_b - both
    return torch.where(either > 0, both / either, torch.zeros_like(both))


# %% wrong box_iou: no clamp at all loses=["test-box_iou", "hidden-box_iou"]
def box_iou(a, b):
    both = (torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])).prod(-1)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(-1), (b[:, 2:] - b[:, :2]).prod(-1)
    return both / (area_a[:, None] + area_b - both)


# %% wrong box_iou: the sum of the areas for the union loses=["test-box_iou", "hidden-box_iou"]
def box_iou(a, b):
    both = (torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])).clamp(min=0).prod(-1)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(-1), (b[:, 2:] - b[:, :2]).prod(-1)
    return torch.nan_to_num(both / (area_a[:, None] + area_b), nan=0.0)


# %% wrong box_iou: over the smaller area loses=["test-box_iou", "hidden-box_iou"]
def box_iou(a, b):
    both = (torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])).clamp(min=0).prod(-1)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(-1), (b[:, 2:] - b[:, :2]).prod(-1)
    return torch.nan_to_num(both / torch.minimum(area_a[:, None], area_b), nan=0.0)


# %% wrong box_iou: edges as if they were pixels loses=["test-box_iou", "hidden-box_iou"]
def box_iou(a, b):
    both = (torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2]) + 1).clamp(min=0).prod(-1)
    area_a, area_b = (a[:, 2:] - a[:, :2] + 1).prod(-1), (b[:, 2:] - b[:, :2] + 1).prod(-1)
    return both / (area_a[:, None] + area_b - both)


# %% wrong box_iou: one by one, not all pairs loses=["test-box_iou", "hidden-box_iou"]
def box_iou(a, b):
    both = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(-1)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(-1), (b[:, 2:] - b[:, :2]).prod(-1)
    return both / (area_a + area_b - both)


# %% wrong box_iou: a small number against 0/0 loses=["hidden-box_iou"]
def box_iou(a, b):
    both = (torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])).clamp(min=0).prod(-1)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(-1), (b[:, 2:] - b[:, :2]).prod(-1)
    return both / (area_a[:, None] + area_b - both + 1e-6)


# %% wrong box_iou: 0/0 is left undefined loses=["hidden-box_iou"]
def box_iou(a, b):
    both = (torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])).clamp(min=0).prod(-1)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(-1), (b[:, 2:] - b[:, :2]).prod(-1)
    return both / (area_a[:, None] + area_b - both)


# %% wrong box_iou: a row per box of the second loses=["test-box_iou", "hidden-box_iou"]
def box_iou(a, b):
    both = (torch.minimum(b[:, None, 2:], a[:, 2:]) - torch.maximum(b[:, None, :2], a[:, :2])).clamp(min=0).prod(-1)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(-1), (b[:, 2:] - b[:, :2]).prod(-1)
    return torch.nan_to_num(both / (area_b[:, None] + area_a - both), nan=0.0)


# %% wrong box_iou: torchvision's own loses=["hidden-box_iou"]
def box_iou(a, b):
    import torchvision

    return torchvision.ops.box_iou(a, b).nan_to_num(0.0)


# %% right nms: a flag for each box
def nms(boxes, scores, threshold):
    order = sorted(range(len(boxes)), key=lambda k: -float(scores[k]))
    table = box_iou(boxes, boxes)
    out = [False] * len(boxes)
    stay = []
    for place, k in enumerate(order):
        if not out[k]:
            stay.append(k)
            for other in order[place + 1 :]:
                out[other] |= bool(table[k, other] > threshold)
    return torch.tensor(stay, dtype=torch.int64)


# %% right nms: asks each box whether one that stays overlaps it
def nms(boxes, scores, threshold):
    stay = []
    for k in scores.argsort(descending=True).tolist():
        if not stay or bool((box_iou(boxes[[k]], boxes[stay]) <= threshold).all()):
            stay.append(k)
    return torch.tensor(stay, dtype=torch.int64)


# %% right nms: calls itself with what is left
def nms(boxes, scores, threshold):
    if len(boxes) == 0:
        return torch.zeros(0, dtype=torch.int64)
    best = scores.argmax()
    left = box_iou(boxes[best][None], boxes)[0] <= threshold
    left[best] = False
    (places,) = torch.where(left)
    return torch.cat([best[None], places[nms(boxes[places], scores[places], threshold)]])


# %% wrong nms: takes the boxes as they come loses=["test-nms", "hidden-nms"]
def nms(boxes, scores, threshold):
    stay = []
    for k in range(len(boxes)):
        if not stay or bool((box_iou(boxes[[k]], boxes[stay]) <= threshold).all()):
            stay.append(k)
    return torch.tensor(stay, dtype=torch.int64)


# %% wrong nms: what was discarded discards others loses=["hidden-nms"]
def nms(boxes, scores, threshold):
    order = scores.argsort(descending=True)
    table = box_iou(boxes[order], boxes[order]).triu(1)
    return order[~(table > threshold).any(0)]


# %% wrong nms: discards at the threshold, too loses=["hidden-nms"]
def nms(boxes, scores, threshold):
    left, stay = scores.argsort(descending=True), []
    while len(left):
        stay.append(int(left[0]))
        left = left[1:][box_iou(boxes[left[:1]], boxes[left[1:]])[0] < threshold]
    return torch.tensor(stay, dtype=torch.int64)


# %% wrong nms: places in the sorted order loses=["test-nms", "hidden-nms"]
def nms(boxes, scores, threshold):
    order = scores.argsort(descending=True)
    in_order, stay = boxes[order], []
    for k in range(len(in_order)):
        if not stay or bool((box_iou(in_order[[k]], in_order[stay]) <= threshold).all()):
            stay.append(k)
    return torch.tensor(stay, dtype=torch.int64)


# %% wrong nms: keeps the lowest score loses=["test-nms", "hidden-nms"]
def nms(boxes, scores, threshold):
    stay = []
    for k in scores.argsort().tolist():
        if not stay or bool((box_iou(boxes[[k]], boxes[stay]) <= threshold).all()):
            stay.append(k)
    return torch.tensor(stay, dtype=torch.int64)


# %% wrong nms: a mask of the boxes loses=["test-nms", "hidden-nms"]
def nms(boxes, scores, threshold):
    stay = []
    for k in scores.argsort(descending=True).tolist():
        if not stay or bool((box_iou(boxes[[k]], boxes[stay]) <= threshold).all()):
            stay.append(k)
    mask = torch.zeros(len(boxes), dtype=torch.bool)
    mask[stay] = True
    return mask


# %% wrong nms: in the order of the boxes loses=["test-nms", "hidden-nms"]
def nms(boxes, scores, threshold):
    stay = []
    for k in scores.argsort(descending=True).tolist():
        if not stay or bool((box_iou(boxes[[k]], boxes[stay]) <= threshold).all()):
            stay.append(k)
    return torch.tensor(sorted(stay), dtype=torch.int64)


# %% wrong nms: fails without boxes loses=["hidden-nms"]
def nms(boxes, scores, threshold):
    left, stay = scores.argsort(descending=True), []
    while len(left):
        stay.append(left[0])
        left = left[1:][box_iou(boxes[left[:1]], boxes[left[1:]])[0] <= threshold]
    return torch.stack(stay)


# %% wrong nms: a threshold of its own loses=["test-nms", "hidden-nms"]
def nms(boxes, scores, threshold=0.5):
    stay = []
    for k in scores.argsort(descending=True).tolist():
        if not stay or bool((box_iou(boxes[[k]], boxes[stay]) <= 0.5).all()):
            stay.append(k)
    return torch.tensor(stay, dtype=torch.int64)


# %% wrong nms: torchvision's own loses=["hidden-nms"]
from torchvision import ops


def nms(boxes, scores, threshold):
    return ops.nms(boxes, scores, threshold)


# %% wrong nms: compares neighbours in the list only loses=["test-nms", "hidden-nms"]
def nms(boxes, scores, threshold):
    stay = []
    for k in scores.argsort(descending=True).tolist():
        if not stay or float(box_iou(boxes[[k]], boxes[stay[-1:]])) <= threshold:
            stay.append(k)
    return torch.tensor(stay, dtype=torch.int64)


# %% right anchor_grid: two loops
def anchor_grid(rows, columns, stride, size):
    boxes = []
    for i in range(rows):
        for j in range(columns):
            x, y = stride * j + stride / 2, stride * i + stride / 2
            boxes.append([x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2])
    return torch.tensor(boxes)


# %% right anchor_grid: the first anchor, moved
def anchor_grid(rows, columns, stride, size):
    w, h = size
    first = torch.tensor([stride - w, stride - h, stride + w, stride + h]) / 2
    k = torch.arange(rows * columns)
    shift = stride * torch.stack([k % columns, k // columns], 1)
    return first + shift.repeat(1, 2)


# %% right anchor_grid: all pairs of centres
def anchor_grid(rows, columns, stride, size):
    centres = torch.cartesian_prod(torch.arange(rows) + 0.5, torch.arange(columns) + 0.5).reshape(-1, 2).flip(1) * stride
    half = torch.tensor(size) / 2
    return torch.cat([centres - half, centres + half], 1)


# %% wrong anchor_grid: around the corners of the cells loses=["test-anchor_grid", "hidden-anchor_grid"]
def anchor_grid(rows, columns, stride, size):
    w, h = size
    return torch.tensor(
        [[stride * j - w / 2, stride * i - h / 2, stride * j + w / 2, stride * i + h / 2] for i in range(rows) for j in range(columns)]
    )


# %% wrong anchor_grid: column by column loses=["test-anchor_grid", "hidden-anchor_grid"]
def anchor_grid(rows, columns, stride, size):
    w, h = size
    centres = [((j + 0.5) * stride, (i + 0.5) * stride) for j in range(columns) for i in range(rows)]
    return torch.tensor([[x - w / 2, y - h / 2, x + w / 2, y + h / 2] for x, y in centres])


# %% wrong anchor_grid: height for width loses=["test-anchor_grid", "hidden-anchor_grid"]
def anchor_grid(rows, columns, stride, size):
    h, w = size
    centres = [((j + 0.5) * stride, (i + 0.5) * stride) for i in range(rows) for j in range(columns)]
    return torch.tensor([[x - w / 2, y - h / 2, x + w / 2, y + h / 2] for x, y in centres])


# %% wrong anchor_grid: as many rows as columns were asked for loses=["hidden-anchor_grid"]
def anchor_grid(rows, columns, stride, size):
    w, h = size
    centres = [((j + 0.5) * stride, (i + 0.5) * stride) for i in range(columns) for j in range(rows)]
    return torch.tensor([[x - w / 2, y - h / 2, x + w / 2, y + h / 2] for x, y in centres])


# %% wrong anchor_grid: cut off at the border loses=["test-anchor_grid", "hidden-anchor_grid"]
def anchor_grid(rows, columns, stride, size):
    w, h = size
    centres = [((j + 0.5) * stride, (i + 0.5) * stride) for i in range(rows) for j in range(columns)]
    return torch.tensor([[x - w / 2, y - h / 2, x + w / 2, y + h / 2] for x, y in centres]).clamp(min=0)


# %% wrong anchor_grid: centre format loses=["test-anchor_grid", "hidden-anchor_grid"]
def anchor_grid(rows, columns, stride, size):
    w, h = size
    return torch.tensor([[(j + 0.5) * stride, (i + 0.5) * stride, w, h] for i in range(rows) for j in range(columns)])


# %% wrong anchor_grid: keeps the grid's two dimensions loses=["test-anchor_grid", "hidden-anchor_grid"]
def anchor_grid(rows, columns, stride, size):
    y, x = torch.meshgrid((torch.arange(rows) + 0.5) * stride, (torch.arange(columns) + 0.5) * stride, indexing="ij")
    return torch.stack([x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2], -1)


# %% wrong anchor_grid: float64 loses=["hidden-anchor_grid"]
def anchor_grid(rows, columns, stride, size):
    w, h = size
    centres = [((j + 0.5) * stride, (i + 0.5) * stride) for i in range(rows) for j in range(columns)]
    return torch.tensor([[x - w / 2, y - h / 2, x + w / 2, y + h / 2] for x, y in centres], dtype=torch.float64)


# %% wrong anchor_grid: always a stride of 8 loses=["hidden-anchor_grid"]
def anchor_grid(rows, columns, stride, size):
    w, h = size
    centres = [((j + 0.5) * 8, (i + 0.5) * 8) for i in range(rows) for j in range(columns)]
    return torch.tensor([[x - w / 2, y - h / 2, x + w / 2, y + h / 2] for x, y in centres])


# %% wrong anchor_grid: x and y change places loses=["test-anchor_grid", "hidden-anchor_grid"]
def anchor_grid(rows, columns, stride, size):
    y, x = torch.meshgrid((torch.arange(rows) + 0.5) * stride, (torch.arange(columns) + 0.5) * stride, indexing="xy")
    return torch.stack([x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2], -1).reshape(-1, 4)


# %% right encode: number by number, without help
def encode(boxes, base):
    w, h = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    aw, ah = base[:, 2] - base[:, 0], base[:, 3] - base[:, 1]
    dx = (boxes[:, 0] + boxes[:, 2] - base[:, 0] - base[:, 2]) / (2 * aw)
    dy = (boxes[:, 1] + boxes[:, 3] - base[:, 1] - base[:, 3]) / (2 * ah)
    return torch.stack([dx, dy, w.log() - aw.log(), h.log() - ah.log()], 1)


def decode(offsets, base):
    dx, dy, dw, dh = offsets.unbind(-1)
    aw, ah = base[:, 2] - base[:, 0], base[:, 3] - base[:, 1]
    x, y = base[:, 0] + aw * (0.5 + dx), base[:, 1] + ah * (0.5 + dy)
    w, h = aw * torch.exp(dw), ah * torch.exp(dh)
    return torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], -1)


# %% right encode: in NumPy
def encode(boxes, base):
    box, anchor = to_centres(boxes).numpy(), to_centres(base).numpy()
    return torch.from_numpy(
        np.concatenate([(box[:, :2] - anchor[:, :2]) / anchor[:, 2:], np.log(box[:, 2:] / anchor[:, 2:])], axis=1)
    )


def decode(offsets, base):
    z, anchor = offsets.numpy(), to_centres(base).numpy()
    centre, sides = anchor[:, :2] + z[..., :2] * anchor[:, 2:], anchor[:, 2:] * np.exp(z[..., 2:])
    return to_corners(torch.from_numpy(np.concatenate([centre, sides], axis=-1)))


# %% right encode: with the corners of the anchor as the origin
def encode(boxes, base):
    sides = base[..., 2:] - base[..., :2]
    low, high = (boxes[..., :2] - base[..., :2]) / sides, (boxes[..., 2:] - base[..., :2]) / sides
    return torch.cat([(low + high) / 2 - 0.5, torch.log(high - low)], -1)


def decode(offsets, base):
    sides = base[..., 2:] - base[..., :2]
    middle, half = offsets[..., :2] + 0.5, offsets[..., 2:].exp() / 2
    return torch.cat([base[..., :2] + (middle - half) * sides, base[..., :2] + (middle + half) * sides], -1)


# %% wrong encode: shifts in pixels loses=["test-encode", "hidden-encode"]
def encode(boxes, base):
    box, anchor = to_centres(boxes), to_centres(base)
    return torch.cat([box[..., :2] - anchor[..., :2], (box[..., 2:] / anchor[..., 2:]).log()], -1)


def decode(offsets, base):
    anchor = to_centres(base)
    return to_corners(torch.cat([anchor[..., :2] + offsets[..., :2], anchor[..., 2:] * offsets[..., 2:].exp()], -1))


# %% wrong encode: ratios without the logarithm loses=["test-encode", "hidden-encode"]
def encode(boxes, base):
    box, anchor = to_centres(boxes), to_centres(base)
    return torch.cat([(box[..., :2] - anchor[..., :2]) / anchor[..., 2:], box[..., 2:] / anchor[..., 2:]], -1)


def decode(offsets, base):
    anchor = to_centres(base)
    return to_corners(torch.cat([anchor[..., :2] + offsets[..., :2] * anchor[..., 2:], anchor[..., 2:] * offsets[..., 2:]], -1))


# %% wrong encode: shifts over the box's own sides loses=["hidden-encode"]
def encode(boxes, base):
    box, anchor = to_centres(boxes), to_centres(base)
    return torch.cat([(box[..., :2] - anchor[..., :2]) / box[..., 2:], (box[..., 2:] / anchor[..., 2:]).log()], -1)


def decode(offsets, base):
    anchor = to_centres(base)
    sides = anchor[..., 2:] * offsets[..., 2:].exp()
    return to_corners(torch.cat([anchor[..., :2] + offsets[..., :2] * sides, sides], -1))


# %% wrong encode: the ratio upside down loses=["test-encode", "hidden-encode"]
def encode(boxes, base):
    box, anchor = to_centres(boxes), to_centres(base)
    return torch.cat([(box[..., :2] - anchor[..., :2]) / anchor[..., 2:], (anchor[..., 2:] / box[..., 2:]).log()], -1)


def decode(offsets, base):
    anchor = to_centres(base)
    return to_corners(
        torch.cat([anchor[..., :2] + offsets[..., :2] * anchor[..., 2:], anchor[..., 2:] / offsets[..., 2:].exp()], -1)
    )


# %% wrong encode: both shifts over the width loses=["test-encode", "hidden-encode"]
def encode(boxes, base):
    box, anchor = to_centres(boxes), to_centres(base)
    return torch.cat([(box[..., :2] - anchor[..., :2]) / anchor[..., 2:3], (box[..., 2:] / anchor[..., 2:]).log()], -1)


def decode(offsets, base):
    anchor = to_centres(base)
    return to_corners(
        torch.cat([anchor[..., :2] + offsets[..., :2] * anchor[..., 2:3], anchor[..., 2:] * offsets[..., 2:].exp()], -1)
    )


# %% wrong encode: decodes a size as 1 + the offset loses=["hidden-encode"]
def encode(boxes, base):
    box, anchor = to_centres(boxes), to_centres(base)
    return torch.cat([(box[..., :2] - anchor[..., :2]) / anchor[..., 2:], (box[..., 2:] / anchor[..., 2:]).log()], -1)


def decode(offsets, base):
    anchor = to_centres(base)
    return to_corners(
        torch.cat([anchor[..., :2] + offsets[..., :2] * anchor[..., 2:], anchor[..., 2:] * (1 + offsets[..., 2:])], -1)
    )


# %% wrong encode: decodes one image only loses=["hidden-encode"]
def encode(boxes, base):
    box, anchor = to_centres(boxes), to_centres(base)
    return torch.cat([(box[:, :2] - anchor[:, :2]) / anchor[:, 2:], (box[:, 2:] / anchor[:, 2:]).log()], 1)


def decode(offsets, base):
    anchor = to_centres(base)
    return to_corners(torch.cat([anchor[:, :2] + offsets[:, :2] * anchor[:, 2:], anchor[:, 2:] * offsets[:, 2:].exp()], 1))


# %% wrong encode: shifts of corners loses=["test-encode", "hidden-encode"]
def encode(boxes, base):
    sides = base[..., 2:] - base[..., :2]
    return torch.cat([(boxes[..., :2] - base[..., :2]) / sides, ((boxes[..., 2:] - boxes[..., :2]) / sides).log()], -1)


def decode(offsets, base):
    sides = base[..., 2:] - base[..., :2]
    low = base[..., :2] + offsets[..., :2] * sides
    return torch.cat([low, low + sides * offsets[..., 2:].exp()], -1)


# %% wrong encode: logarithms to the base 2 loses=["test-encode", "hidden-encode"]
def encode(boxes, base):
    box, anchor = to_centres(boxes), to_centres(base)
    return torch.cat([(box[..., :2] - anchor[..., :2]) / anchor[..., 2:], (box[..., 2:] / anchor[..., 2:]).log2()], -1)


def decode(offsets, base):
    anchor = to_centres(base)
    return to_corners(
        torch.cat([anchor[..., :2] + offsets[..., :2] * anchor[..., 2:], anchor[..., 2:] * offsets[..., 2:].exp2()], -1)
    )


# %% wrong encode: decodes to centre format loses=["test-encode", "hidden-encode"]
def encode(boxes, base):
    box, anchor = to_centres(boxes), to_centres(base)
    return torch.cat([(box[..., :2] - anchor[..., :2]) / anchor[..., 2:], (box[..., 2:] / anchor[..., 2:]).log()], -1)


def decode(offsets, base):
    anchor = to_centres(base)
    return torch.cat([anchor[..., :2] + offsets[..., :2] * anchor[..., 2:], anchor[..., 2:] * offsets[..., 2:].exp()], -1)


# %% right assign: anchor by anchor
def assign(base, boxes, labels, threshold):
    rows = torch.zeros(len(base), 6)
    if not len(boxes):
        return rows
    table = box_iou(base, boxes)
    owners = {int(table[:, m].argmax()): m for m in range(len(boxes))}
    for k in range(len(base)):
        mine = owners.get(k, int(table[k].argmax()))
        if k in owners or table[k, mine] >= threshold:
            rows[k, 0] = 1
            rows[k, 1:5] = encode(boxes[mine : mine + 1], base[k : k + 1])[0]
            rows[k, 5] = labels[mine]
    return rows


# %% right assign: all rows, then zeros for background
def assign(base, boxes, labels, threshold):
    if boxes.numel() == 0:
        return torch.zeros(base.shape[0], 6)
    table = box_iou(base, boxes).clone()
    table[table.argmax(0), torch.arange(len(boxes))] = 2  # more than any IoU
    overlap, whose = table.max(1)
    rows = torch.cat([torch.ones(len(base), 1), encode(boxes[whose], base).float(), labels[whose, None].float()], 1)
    return torch.where(overlap[:, None] >= threshold, rows, torch.zeros(()))


# %% right assign: object by object, the weaker ones first
def assign(base, boxes, labels, threshold):
    result, reached = torch.zeros(len(base), 6), torch.zeros(len(base))
    for box, label in zip(boxes, labels):
        overlap = box_iou(base, box[None])[:, 0]
        for k in torch.where((overlap >= threshold) & (overlap > reached))[0].tolist():
            reached[k] = overlap[k]
            result[k] = torch.cat([torch.ones(1), encode(box[None], base[k : k + 1])[0].float(), label[None].float()])
    for box, label in zip(boxes, labels):
        k = int(box_iou(base, box[None])[:, 0].argmax())
        result[k] = torch.cat([torch.ones(1), encode(box[None], base[k : k + 1])[0].float(), label[None].float()])
    return result


# %% wrong assign: the threshold alone loses=["test-assign", "hidden-assign"]
def assign(base, boxes, labels, threshold):
    if not len(boxes):
        return torch.zeros(len(base), 6)
    overlap, whose = box_iou(base, boxes).max(1)
    rows = torch.cat([torch.ones(len(base), 1), encode(boxes[whose], base).float(), labels[whose, None].float()], 1)
    return torch.where(overlap[:, None] >= threshold, rows, 0.0)


# %% wrong assign: best anchors alone loses=["hidden-assign"]
def assign(base, boxes, labels, threshold):
    rows = torch.zeros(len(base), 6)
    if len(boxes):
        best = box_iou(base, boxes).argmax(0)
        rows[best, 0] = 1
        rows[best, 1:5] = encode(boxes, base[best]).float()
        rows[best, 5] = labels.float()
    return rows


# %% wrong assign: over the threshold, not at it loses=["hidden-assign"]
def assign(base, boxes, labels, threshold):
    if not len(boxes):
        return torch.zeros(len(base), 6)
    table = box_iou(base, boxes).clone()
    table[table.argmax(0), torch.arange(len(boxes))] = 2
    overlap, whose = table.max(1)
    rows = torch.cat([torch.ones(len(base), 1), encode(boxes[whose], base).float(), labels[whose, None].float()], 1)
    return torch.where(overlap[:, None] > threshold, rows, 0.0)


# %% wrong assign: a best anchor goes to the object that it overlaps most loses=["hidden-assign"]
def assign(base, boxes, labels, threshold):
    if not len(boxes):
        return torch.zeros(len(base), 6)
    table = box_iou(base, boxes)
    overlap, whose = table.max(1)
    responsible = overlap >= threshold
    responsible[table.argmax(0)] = True
    rows = torch.cat([torch.ones(len(base), 1), encode(boxes[whose], base).float(), labels[whose, None].float()], 1)
    return torch.where(responsible[:, None], rows, 0.0)


# %% wrong assign: offsets the wrong way round loses=["test-assign", "hidden-assign"]
def assign(base, boxes, labels, threshold):
    if not len(boxes):
        return torch.zeros(len(base), 6)
    table = box_iou(base, boxes).clone()
    table[table.argmax(0), torch.arange(len(boxes))] = 2
    overlap, whose = table.max(1)
    rows = torch.cat([torch.ones(len(base), 1), encode(base, boxes[whose]).float(), labels[whose, None].float()], 1)
    return torch.where(overlap[:, None] >= threshold, rows, 0.0)


# %% wrong assign: classes from 1 on, 0 for background loses=["test-assign", "hidden-assign"]
def assign(base, boxes, labels, threshold):
    if not len(boxes):
        return torch.zeros(len(base), 6)
    table = box_iou(base, boxes).clone()
    table[table.argmax(0), torch.arange(len(boxes))] = 2
    overlap, whose = table.max(1)
    rows = torch.cat([torch.ones(len(base), 1), encode(boxes[whose], base).float(), labels[whose, None].float() + 1], 1)
    return torch.where(overlap[:, None] >= threshold, rows, 0.0)


# %% wrong assign: fails on an empty canvas loses=["hidden-assign"]
def assign(base, boxes, labels, threshold):
    table = box_iou(base, boxes).clone()
    table[table.argmax(0), torch.arange(len(boxes))] = 2
    overlap, whose = table.max(1)
    rows = torch.cat([torch.ones(len(base), 1), encode(boxes[whose], base).float(), labels[whose, None].float()], 1)
    return torch.where(overlap[:, None] >= threshold, rows, 0.0)


# %% wrong assign: offsets and labels for background, too loses=["hidden-assign"]
def assign(base, boxes, labels, threshold):
    if not len(boxes):
        return torch.zeros(len(base), 6)
    table = box_iou(base, boxes).clone()
    table[table.argmax(0), torch.arange(len(boxes))] = 2
    overlap, whose = table.max(1)
    return torch.cat(
        [(overlap >= threshold).float()[:, None], encode(boxes[whose], base).float(), labels[whose, None].float()], 1
    )


# %% wrong assign: the corners in place of offsets loses=["test-assign", "hidden-assign"]
def assign(base, boxes, labels, threshold):
    if not len(boxes):
        return torch.zeros(len(base), 6)
    table = box_iou(base, boxes).clone()
    table[table.argmax(0), torch.arange(len(boxes))] = 2
    overlap, whose = table.max(1)
    rows = torch.cat([torch.ones(len(base), 1), boxes[whose].float(), labels[whose, None].float()], 1)
    return torch.where(overlap[:, None] >= threshold, rows, 0.0)


# %% wrong assign: the IoU in place of the 1 loses=["test-assign", "hidden-assign"]
def assign(base, boxes, labels, threshold):
    if not len(boxes):
        return torch.zeros(len(base), 6)
    table = box_iou(base, boxes)
    overlap, whose = table.max(1)
    responsible = overlap >= threshold
    responsible[table.argmax(0)] = True
    whose[table.argmax(0)] = torch.arange(len(boxes))
    rows = torch.cat([overlap[:, None].float(), encode(boxes[whose], base).float(), labels[whose, None].float()], 1)
    return torch.where(responsible[:, None], rows, 0.0)


# %% right Detector: one attribute after the other, functions in forward
class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 12, 5, 2, 2, bias=False), nn.BatchNorm2d(12))
        self.one, self.two, self.three = block(12, 24), block(24, 48), block(48, 64)
        self.head = nn.Conv2d(64, 15, kernel_size=1)

    def forward(self, x):
        n = len(x)
        x = torch.relu(self.stem(x))
        for part in (self.one, self.two):
            x = F.max_pool2d(part(x), kernel_size=2, stride=2)
        maps = self.head(self.three(x))
        return maps.reshape(n, 15, -1).transpose(1, 2)


# %% right Detector: pools inside of the parts
class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 12, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        self.one = nn.Sequential(block(12, 24), nn.MaxPool2d(2))
        self.two = nn.Sequential(block(24, 48), nn.MaxPool2d(2))
        self.three = block(48, 64)
        self.head = nn.Conv2d(64, 15, 1)

    def forward(self, x):
        return self.head(self.three(self.two(self.one(self.stem(x))))).flatten(2).movedim(1, 2)


# %% right Detector: a list of layers with names
class Detector(nn.Sequential):
    def __init__(self):
        parts = {
            "stem": nn.Sequential(nn.Conv2d(1, 12, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(12), nn.ReLU()),
            "one": block(12, 24), "pool1": nn.MaxPool2d(2), "two": block(24, 48), "pool2": nn.MaxPool2d(2),
            "three": block(48, 64), "head": nn.Conv2d(64, 15, 1),
        }
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x):
        maps = super().forward(x).permute(0, 2, 3, 1)
        return maps.reshape(maps.shape[0], maps.shape[1] * maps.shape[2], 15)


# %% wrong Detector: reshapes without a permute loses=["hidden-Detector"]
class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 12, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        self.one, self.two, self.three = block(12, 24), block(24, 48), block(48, 64)
        self.head = nn.Conv2d(64, 15, 1)

    def forward(self, x):
        x = F.max_pool2d(self.one(self.stem(x)), 2)
        x = F.max_pool2d(self.two(x), 2)
        return self.head(self.three(x)).reshape(len(x), -1, 15)


# %% wrong Detector: column by column loses=["hidden-Detector"]
class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 12, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        self.one, self.two, self.three = block(12, 24), block(24, 48), block(48, 64)
        self.head = nn.Conv2d(64, 15, 1)

    def forward(self, x):
        x = F.max_pool2d(self.one(self.stem(x)), 2)
        x = F.max_pool2d(self.two(x), 2)
        return self.head(self.three(x)).permute(0, 3, 2, 1).flatten(1, 2)


# %% wrong Detector: channels before anchors loses=["test-Detector", "hidden-Detector"]
class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 12, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        self.one, self.two, self.three = block(12, 24), block(24, 48), block(48, 64)
        self.head = nn.Conv2d(64, 15, 1)

    def forward(self, x):
        x = F.max_pool2d(self.one(self.stem(x)), 2)
        x = F.max_pool2d(self.two(x), 2)
        return self.head(self.three(x)).flatten(2)


# %% wrong Detector: no ReLU in the stem loses=["hidden-Detector"]
class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 12, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(12))
        self.one, self.two, self.three = block(12, 24), block(24, 48), block(48, 64)
        self.head = nn.Conv2d(64, 15, 1)

    def forward(self, x):
        x = F.max_pool2d(self.one(self.stem(x)), 2)
        x = F.max_pool2d(self.two(x), 2)
        return self.head(self.three(x)).permute(0, 2, 3, 1).flatten(1, 2)


# %% wrong Detector: a bias in the stem loses=["test-Detector", "hidden-Detector"]
class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 12, 5, stride=2, padding=2), nn.BatchNorm2d(12), nn.ReLU())
        self.one, self.two, self.three = block(12, 24), block(24, 48), block(48, 64)
        self.head = nn.Conv2d(64, 15, 1, bias=False)

    def forward(self, x):
        x = F.max_pool2d(self.one(self.stem(x)), 2)
        x = F.max_pool2d(self.two(x), 2)
        return self.head(self.three(x)).permute(0, 2, 3, 1).flatten(1, 2)


# %% wrong Detector: takes the softmax itself loses=["hidden-Detector"]
class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 12, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        self.one, self.two, self.three = block(12, 24), block(24, 48), block(48, 64)
        self.head = nn.Conv2d(64, 15, 1)

    def forward(self, x):
        x = F.max_pool2d(self.one(self.stem(x)), 2)
        x = F.max_pool2d(self.two(x), 2)
        rows = self.head(self.three(x)).permute(0, 2, 3, 1).flatten(1, 2)
        return torch.cat([rows[..., :1].sigmoid(), rows[..., 1:5], rows[..., 5:].softmax(-1)], -1)


# %% wrong Detector: average pools loses=["hidden-Detector"]
class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 12, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        self.one, self.two, self.three = block(12, 24), block(24, 48), block(48, 64)
        self.head = nn.Conv2d(64, 15, 1)

    def forward(self, x):
        x = F.avg_pool2d(self.one(self.stem(x)), 2)
        x = F.avg_pool2d(self.two(x), 2)
        return self.head(self.three(x)).permute(0, 2, 3, 1).flatten(1, 2)


# %% wrong Detector: one pool is missing loses=["test-Detector", "hidden-Detector"]
class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 12, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        self.one, self.two, self.three = block(12, 24), block(24, 48), block(48, 64)
        self.head = nn.Conv2d(64, 15, 1)

    def forward(self, x):
        x = F.max_pool2d(self.one(self.stem(x)), 2)
        return self.head(self.three(self.two(x))).permute(0, 2, 3, 1).flatten(1, 2)


# %% wrong Detector: no padding in the stem loses=["test-Detector", "hidden-Detector"]
class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 12, 5, stride=2, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        self.one, self.two, self.three = block(12, 24), block(24, 48), block(48, 64)
        self.head = nn.Conv2d(64, 15, 1)

    def forward(self, x):
        x = F.max_pool2d(self.one(self.stem(x)), 2)
        x = F.max_pool2d(self.two(x), 2)
        return self.head(self.three(x)).permute(0, 2, 3, 1).flatten(1, 2)


# %% wrong Detector: no gradient below the head loses=["hidden-Detector"]
class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 12, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        self.one, self.two, self.three = block(12, 24), block(24, 48), block(48, 64)
        self.head = nn.Conv2d(64, 15, 1)

    def forward(self, x):
        x = F.max_pool2d(self.one(self.stem(x)), 2)
        x = F.max_pool2d(self.two(x), 2)
        return self.head(self.three(x).detach()).permute(0, 2, 3, 1).flatten(1, 2)


# %% right detection_loss: by weights for all anchors
def detection_loss(output, target):
    on = target[..., 0]
    box = F.smooth_l1_loss(output[..., 1:5], target[..., 1:5], reduction="none").sum(-1)
    seen = F.binary_cross_entropy_with_logits(output[..., 0], on, reduction="none")
    kind = F.cross_entropy(output[..., 5:].flatten(0, 1), target[..., 5].flatten().long(), reduction="none")
    count = max(on.sum().item(), 1)
    return torch.stack([(box * on).sum(), seen.sum(), (kind.reshape(on.shape) * on).sum()]) / count


# %% right detection_loss: written out
def detection_loss(output, target):
    on = target[:, :, 0] > 0.5
    rows, wanted = output[on], target[on]
    gap = (rows[:, 1:5] - wanted[:, 1:5]).abs()
    box = torch.where(gap < 1, 0.5 * gap * gap, gap - 0.5).sum()
    z = output[:, :, 0]
    seen = (z.clamp(min=0) - z * target[:, :, 0] + torch.log1p(torch.exp(-z.abs()))).sum()
    logs = rows[:, 5:].log_softmax(1)
    kind = -logs[torch.arange(len(logs)), wanted[:, 5].long()].sum()
    return torch.stack((box, seen, kind)) / max(1, int(on.sum()))


# %% right detection_loss: image by image
def detection_loss(output, target):
    total, count = torch.zeros(3, dtype=output.dtype), 0
    for rows, wanted in zip(output, target):
        (k,) = torch.nonzero(wanted[:, 0], as_tuple=True)
        count += len(k)
        box = F.smooth_l1_loss(rows[k, 1:5], wanted[k, 1:5], reduction="sum")
        seen = F.binary_cross_entropy_with_logits(rows[:, 0], wanted[:, 0], reduction="sum")
        kind = F.cross_entropy(rows[k, 5:], wanted[k, 5].long(), reduction="sum")
        total = total + torch.stack([box, seen, kind])
    return total / (count or 1)


# %% wrong detection_loss: means loses=["test-detection_loss", "hidden-detection_loss"]
def detection_loss(output, target):
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.smooth_l1_loss(rows[:, 1:5], wanted[:, 1:5])
    seen = F.binary_cross_entropy_with_logits(output[..., 0], target[..., 0])
    return torch.stack([box, seen, F.cross_entropy(rows[:, 5:], wanted[:, 5].long())])


# %% wrong detection_loss: a softmax before the cross-entropy loses=["hidden-detection_loss"]
def detection_loss(output, target):
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.smooth_l1_loss(rows[:, 1:5], wanted[:, 1:5], reduction="sum")
    seen = F.binary_cross_entropy_with_logits(output[..., 0], target[..., 0], reduction="sum")
    kind = F.cross_entropy(rows[:, 5:].softmax(1), wanted[:, 5].long(), reduction="sum")
    return torch.stack([box, seen, kind]) / on.sum().clamp(min=1)


# %% wrong detection_loss: a sigmoid too many loses=["test-detection_loss", "hidden-detection_loss"]
def detection_loss(output, target):
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.smooth_l1_loss(rows[:, 1:5], wanted[:, 1:5], reduction="sum")
    seen = F.binary_cross_entropy_with_logits(output[..., 0].sigmoid(), target[..., 0], reduction="sum")
    kind = F.cross_entropy(rows[:, 5:], wanted[:, 5].long(), reduction="sum")
    return torch.stack([box, seen, kind]) / on.sum().clamp(min=1)


# %% wrong detection_loss: boxes of background, too loses=["hidden-detection_loss"]
def detection_loss(output, target):
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.smooth_l1_loss(output[..., 1:5], target[..., 1:5], reduction="sum")
    seen = F.binary_cross_entropy_with_logits(output[..., 0], target[..., 0], reduction="sum")
    kind = F.cross_entropy(rows[:, 5:], wanted[:, 5].long(), reduction="sum")
    return torch.stack([box, seen, kind]) / on.sum().clamp(min=1)


# %% wrong detection_loss: background is a class loses=["test-detection_loss", "hidden-detection_loss"]
def detection_loss(output, target):
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.smooth_l1_loss(rows[:, 1:5], wanted[:, 1:5], reduction="sum")
    seen = F.binary_cross_entropy_with_logits(output[..., 0], target[..., 0], reduction="sum")
    kind = F.cross_entropy(output[..., 5:].flatten(0, 1), target[..., 5].flatten().long(), reduction="sum")
    return torch.stack([box, seen, kind]) / on.sum().clamp(min=1)


# %% wrong detection_loss: absolute errors loses=["test-detection_loss", "hidden-detection_loss"]
def detection_loss(output, target):
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.l1_loss(rows[:, 1:5], wanted[:, 1:5], reduction="sum")
    seen = F.binary_cross_entropy_with_logits(output[..., 0], target[..., 0], reduction="sum")
    kind = F.cross_entropy(rows[:, 5:], wanted[:, 5].long(), reduction="sum")
    return torch.stack([box, seen, kind]) / on.sum().clamp(min=1)


# %% wrong detection_loss: squared errors loses=["test-detection_loss", "hidden-detection_loss"]
def detection_loss(output, target):
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.mse_loss(rows[:, 1:5], wanted[:, 1:5], reduction="sum") / 2
    seen = F.binary_cross_entropy_with_logits(output[..., 0], target[..., 0], reduction="sum")
    kind = F.cross_entropy(rows[:, 5:], wanted[:, 5].long(), reduction="sum")
    return torch.stack([box, seen, kind]) / on.sum().clamp(min=1)


# %% wrong detection_loss: 0/0 without objects loses=["hidden-detection_loss"]
def detection_loss(output, target):
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.smooth_l1_loss(rows[:, 1:5], wanted[:, 1:5], reduction="sum")
    seen = F.binary_cross_entropy_with_logits(output[..., 0], target[..., 0], reduction="sum")
    kind = F.cross_entropy(rows[:, 5:], wanted[:, 5].long(), reduction="sum")
    return torch.stack([box, seen, kind]) / on.sum()


# %% wrong detection_loss: objectness of responsible anchors alone loses=["test-detection_loss", "hidden-detection_loss"]
def detection_loss(output, target):
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.smooth_l1_loss(rows[:, 1:5], wanted[:, 1:5], reduction="sum")
    seen = F.binary_cross_entropy_with_logits(rows[:, 0], wanted[:, 0], reduction="sum")
    kind = F.cross_entropy(rows[:, 5:], wanted[:, 5].long(), reduction="sum")
    return torch.stack([box, seen, kind]) / on.sum().clamp(min=1)


# %% wrong detection_loss: per image, not per responsible anchor loses=["hidden-detection_loss"]
def detection_loss(output, target):
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.smooth_l1_loss(rows[:, 1:5], wanted[:, 1:5], reduction="sum")
    seen = F.binary_cross_entropy_with_logits(output[..., 0], target[..., 0], reduction="sum")
    kind = F.cross_entropy(rows[:, 5:], wanted[:, 5].long(), reduction="sum")
    return torch.stack([box, seen, kind]) / len(output)


# %% wrong detection_loss: the parts in another order loses=["test-detection_loss", "hidden-detection_loss"]
def detection_loss(output, target):
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.smooth_l1_loss(rows[:, 1:5], wanted[:, 1:5], reduction="sum")
    seen = F.binary_cross_entropy_with_logits(output[..., 0], target[..., 0], reduction="sum")
    kind = F.cross_entropy(rows[:, 5:], wanted[:, 5].long(), reduction="sum")
    return torch.stack([seen, box, kind]) / on.sum().clamp(min=1)


# %% wrong detection_loss: the sum of the parts loses=["test-detection_loss", "hidden-detection_loss"]
def detection_loss(output, target):
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.smooth_l1_loss(rows[:, 1:5], wanted[:, 1:5], reduction="sum")
    seen = F.binary_cross_entropy_with_logits(output[..., 0], target[..., 0], reduction="sum")
    kind = F.cross_entropy(rows[:, 5:], wanted[:, 5].long(), reduction="sum")
    return (box + seen + kind) / on.sum().clamp(min=1)


# %% wrong detection_loss: leaves torch on the way loses=["test-detection_loss", "hidden-detection_loss"]
def detection_loss(output, target):
    output = output.detach()
    on = target[..., 0] == 1
    rows, wanted = output[on], target[on]
    box = F.smooth_l1_loss(rows[:, 1:5], wanted[:, 1:5], reduction="sum")
    seen = F.binary_cross_entropy_with_logits(output[..., 0], target[..., 0], reduction="sum")
    kind = F.cross_entropy(rows[:, 5:], wanted[:, 5].long(), reduction="sum")
    return torch.stack([box, seen, kind]) / on.sum().clamp(min=1)


# %% right detect: moves the classes apart for NMS
def detect(model, images, base, threshold, overlap):
    before = model.training
    model.eval()
    with torch.no_grad():
        output = model(images)
    model.train(before)
    result = []
    for rows in output:
        best = torch.softmax(rows[:, 5:], 1).max(1)
        score, kind = torch.sigmoid(rows[:, 0]) * best.values, best.indices
        over = score > threshold
        box, score, kind = decode(rows[over, 1:5], base[over]), score[over], kind[over]
        apart = kind[:, None] * (box.abs().max() * 2 + 1 if len(box) else 0.0)
        stay = nms(box + apart, score, overlap)
        result.append((box[stay], score[stay], kind[stay]))
    return result


# %% right detect: every class of ten, then sorted
def detect(model, images, base, threshold, overlap):
    mode = model.training
    with torch.no_grad():
        output = model.eval()(images)
    model.train(mode)
    result = []
    for k in range(len(images)):
        p, kind = output[k, :, 5:].softmax(1).max(1)
        score = p * output[k, :, 0].sigmoid()
        box = decode(output[k, :, 1:5], base)
        chosen = []
        for c in range(10):
            places = [j for j in range(len(base)) if kind[j] == c and score[j] > threshold]
            if places:
                chosen += [places[int(m)] for m in nms(box[places], score[places], overlap)]
        chosen = torch.tensor(sorted(chosen, key=lambda j: -score[j].item()), dtype=torch.int64)
        result.append((box[chosen], score[chosen], kind[chosen]))
    return result


# %% right detect: suppresses first, and applies the threshold afterwards
def detect(model, images, base, threshold, overlap):
    mode = model.training
    model.train(False)
    with torch.inference_mode():
        output = model(images).clone()
    model.train(mode)
    result = []
    for rows in output:
        p, kind = rows[:, 5:].softmax(1).max(1)
        score, box = p * rows[:, 0].sigmoid(), decode(rows[:, 1:5], base)
        stay = []
        for c in set(kind.tolist()):
            (places,) = torch.where(kind == c)
            stay.append(places[nms(box[places], score[places], overlap)])
        stay = torch.cat(stay)
        stay = stay[score[stay] > threshold]
        stay = stay[torch.argsort(-score[stay])]
        result.append((box[stay], score[stay], kind[stay]))
    return result


# %% wrong detect: suppresses across classes loses=["hidden-detect"]
def detect(model, images, base, threshold, overlap):
    mode = model.training
    model.eval()
    with torch.no_grad():
        output = model(images)
    model.train(mode)
    result = []
    for rows in output:
        p, kind = rows[:, 5:].softmax(1).max(1)
        score = p * rows[:, 0].sigmoid()
        over = score > threshold
        box, score, kind = decode(rows[:, 1:5], base)[over], score[over], kind[over]
        stay = nms(box, score, overlap)
        result.append((box[stay], score[stay], kind[stay]))
    return result


# %% wrong detect: objectness alone is the score loses=["hidden-detect"]
def detect(model, images, base, threshold, overlap):
    mode = model.training
    model.eval()
    with torch.no_grad():
        output = model(images)
    model.train(mode)
    result = []
    for rows in output:
        kind = rows[:, 5:].argmax(1)
        score = rows[:, 0].sigmoid()
        over = score > threshold
        box, score, kind = decode(rows[:, 1:5], base)[over], score[over], kind[over]
        stay = nms(box + 1000 * kind[:, None], score, overlap)
        result.append((box[stay], score[stay], kind[stay]))
    return result


# %% wrong detect: logits for probabilities loses=["test-detect", "hidden-detect"]
def detect(model, images, base, threshold, overlap):
    mode = model.training
    model.eval()
    with torch.no_grad():
        output = model(images)
    model.train(mode)
    result = []
    for rows in output:
        p, kind = rows[:, 5:].softmax(1).max(1)
        score = p * rows[:, 0]
        over = score > threshold
        box, score, kind = decode(rows[:, 1:5], base)[over], score[over], kind[over]
        stay = nms(box + 1000 * kind[:, None], score, overlap)
        result.append((box[stay], score[stay], kind[stay]))
    return result


# %% wrong detect: in training mode loses=["hidden-detect"]
def detect(model, images, base, threshold, overlap):
    with torch.no_grad():
        output = model(images)
    result = []
    for rows in output:
        p, kind = rows[:, 5:].softmax(1).max(1)
        score = p * rows[:, 0].sigmoid()
        over = score > threshold
        box, score, kind = decode(rows[:, 1:5], base)[over], score[over], kind[over]
        stay = nms(box + 1000 * kind[:, None], score, overlap)
        result.append((box[stay], score[stay], kind[stay]))
    return result


# %% wrong detect: leaves the model in evaluation mode loses=["hidden-detect"]
def detect(model, images, base, threshold, overlap):
    model.eval()
    with torch.no_grad():
        output = model(images)
    result = []
    for rows in output:
        p, kind = rows[:, 5:].softmax(1).max(1)
        score = p * rows[:, 0].sigmoid()
        over = score > threshold
        box, score, kind = decode(rows[:, 1:5], base)[over], score[over], kind[over]
        stay = nms(box + 1000 * kind[:, None], score, overlap)
        result.append((box[stay], score[stay], kind[stay]))
    return result


# %% wrong detect: with gradients loses=["hidden-detect"]
def detect(model, images, base, threshold, overlap):
    mode = model.training
    output = model.eval()(images)
    model.train(mode)
    result = []
    for rows in output.detach():
        p, kind = rows[:, 5:].softmax(1).max(1)
        score = p * rows[:, 0].sigmoid()
        over = score > threshold
        box, score, kind = decode(rows[:, 1:5], base)[over], score[over], kind[over]
        stay = nms(box + 1000 * kind[:, None], score, overlap)
        result.append((box[stay], score[stay], kind[stay]))
    return result


# %% wrong detect: class logits from column 6 on loses=["test-detect", "hidden-detect"]
def detect(model, images, base, threshold, overlap):
    mode = model.training
    model.eval()
    with torch.no_grad():
        output = model(images)
    model.train(mode)
    result = []
    for rows in output:
        p, kind = rows[:, 6:].softmax(1).max(1)
        score = p * rows[:, 0].sigmoid()
        over = score > threshold
        box, score, kind = decode(rows[:, 1:5], base)[over], score[over], kind[over]
        stay = nms(box + 1000 * kind[:, None], score, overlap)
        result.append((box[stay], score[stay], kind[stay]))
    return result


# %% wrong detect: a sigmoid for the classes loses=["hidden-detect"]
def detect(model, images, base, threshold, overlap):
    mode = model.training
    model.eval()
    with torch.no_grad():
        output = model(images)
    model.train(mode)
    result = []
    for rows in output:
        p, kind = rows[:, 5:].sigmoid().max(1)
        score = p * rows[:, 0].sigmoid()
        over = score > threshold
        box, score, kind = decode(rows[:, 1:5], base)[over], score[over], kind[over]
        stay = nms(box + 1000 * kind[:, None], score, overlap)
        result.append((box[stay], score[stay], kind[stay]))
    return result


# %% wrong detect: in the order of the classes loses=["hidden-detect"]
def detect(model, images, base, threshold, overlap):
    mode = model.training
    model.eval()
    with torch.no_grad():
        output = model(images)
    model.train(mode)
    result = []
    for rows in output:
        p, kind = rows[:, 5:].softmax(1).max(1)
        score = p * rows[:, 0].sigmoid()
        box, stay = decode(rows[:, 1:5], base), [torch.zeros(0, dtype=torch.int64)]
        for c in range(10):
            (places,) = torch.where((kind == c) & (score > threshold))
            stay.append(places[nms(box[places], score[places], overlap)])
        stay = torch.cat(stay)
        result.append((box[stay], score[stay], kind[stay]))
    return result


# %% wrong detect: offsets for boxes loses=["test-detect", "hidden-detect"]
def detect(model, images, base, threshold, overlap):
    mode = model.training
    model.eval()
    with torch.no_grad():
        output = model(images)
    model.train(mode)
    result = []
    for rows in output:
        p, kind = rows[:, 5:].softmax(1).max(1)
        score = p * rows[:, 0].sigmoid()
        over = score > threshold
        box, score, kind = (base + rows[:, 1:5])[over], score[over], kind[over]
        stay = nms(rows[over, 1:5], score, overlap)
        result.append((box[stay], score[stay], kind[stay]))
    return result


# %% wrong detect: the first image alone loses=["test-detect", "hidden-detect"]
def detect(model, images, base, threshold, overlap):
    mode = model.training
    model.eval()
    with torch.no_grad():
        rows = model(images)[0]
    model.train(mode)
    p, kind = rows[:, 5:].softmax(1).max(1)
    score = p * rows[:, 0].sigmoid()
    over = score > threshold
    box, score, kind = decode(rows[:, 1:5], base)[over], score[over], kind[over]
    stay = nms(box + 1000 * kind[:, None], score, overlap)
    return [(box[stay], score[stay], kind[stay])]


# %% right match: with a set of what is taken
def match(boxes, scores, objects, threshold):
    table, taken = box_iou(boxes, objects), set()
    hits = [False] * len(boxes)
    for k in sorted(range(len(boxes)), key=lambda k: float(scores[k]), reverse=True):
        best, place = 0, None
        for m in range(len(objects)):
            if m not in taken and table[k, m] > best:
                best, place = float(table[k, m]), m
        if place is not None and best >= threshold:
            hits[k] = True
            taken.add(place)
    return torch.tensor(hits, dtype=torch.bool)


# %% right match: strikes columns out of the table
def match(boxes, scores, objects, threshold):
    table = box_iou(boxes, objects).clone()
    hits = torch.zeros(len(boxes), dtype=torch.bool)
    if len(objects) == 0:
        return hits
    for k in torch.argsort(scores, descending=True):
        best = table[k].argmax()
        if table[k, best] >= threshold:
            hits[k] = True
            table[:, best] = -1
    return hits


# %% right match: in NumPy, a list that shrinks
def match(boxes, scores, objects, threshold):
    table = box_iou(boxes, objects).numpy()
    free, hits = list(range(len(objects))), np.zeros(len(boxes), dtype=bool)
    for k in np.argsort(-scores.numpy()):
        if free:
            m = max(free, key=lambda m: table[k, m])
            if table[k, m] >= threshold:
                hits[k] = True
                free.remove(m)
    return torch.from_numpy(hits)


# %% wrong match: an object may be hit twice loses=["test-match", "hidden-match"]
def match(boxes, scores, objects, threshold):
    if len(objects) == 0:
        return torch.zeros(len(boxes), dtype=torch.bool)
    return box_iou(boxes, objects).amax(1) >= threshold


# %% wrong match: in the order of the boxes loses=["test-match", "hidden-match"]
def match(boxes, scores, objects, threshold):
    table = box_iou(boxes, objects).clone()
    hits = torch.zeros(len(boxes), dtype=torch.bool)
    for k in range(len(boxes) if len(objects) else 0):
        best = table[k].argmax()
        if table[k, best] >= threshold:
            hits[k] = True
            table[:, best] = -1
    return hits


# %% wrong match: a box whose best object is taken gets no second choice loses=["hidden-match"]
def match(boxes, scores, objects, threshold):
    table, taken = box_iou(boxes, objects), set()
    hits = torch.zeros(len(boxes), dtype=torch.bool)
    for k in scores.argsort(descending=True).tolist() if len(objects) else ():
        best = int(table[k].argmax())
        if table[k, best] >= threshold and best not in taken:
            hits[k] = True
            taken.add(best)
    return hits


# %% wrong match: over the threshold, not at it loses=["hidden-match"]
def match(boxes, scores, objects, threshold):
    table = box_iou(boxes, objects).clone()
    hits = torch.zeros(len(boxes), dtype=torch.bool)
    for k in scores.argsort(descending=True) if len(objects) else ():
        best = table[k].argmax()
        if table[k, best] > threshold:
            hits[k] = True
            table[:, best] = -1
    return hits


# %% wrong match: the result is in the order of the scores loses=["hidden-match"]
def match(boxes, scores, objects, threshold):
    table = box_iou(boxes, objects).clone()
    hits = []
    for k in scores.argsort(descending=True):
        hit = len(objects) > 0 and bool(table[k].max() >= threshold)
        if hit:
            table[:, table[k].argmax()] = -1
        hits.append(hit)
    return torch.tensor(hits, dtype=torch.bool)


# %% wrong match: fails without objects loses=["hidden-match"]
def match(boxes, scores, objects, threshold):
    table = box_iou(boxes, objects).clone()
    hits = torch.zeros(len(boxes), dtype=torch.bool)
    for k in scores.argsort(descending=True):
        overlap, best = table[k].max(0)
        if overlap >= threshold:
            hits[k] = True
            table[:, best] = -1
    return hits


# %% wrong match: always a threshold of 0.5 loses=["hidden-match"]
def match(boxes, scores, objects, threshold):
    table = box_iou(boxes, objects).clone()
    hits = torch.zeros(len(boxes), dtype=torch.bool)
    for k in scores.argsort(descending=True) if len(objects) else ():
        best = table[k].argmax()
        if table[k, best] >= 0.5:
            hits[k] = True
            table[:, best] = -1
    return hits


# %% wrong match: each object chooses its best box loses=["test-match", "hidden-match"]
def match(boxes, scores, objects, threshold):
    hits = torch.zeros(len(boxes), dtype=torch.bool)
    if len(boxes) and len(objects):
        overlap, best = box_iou(boxes, objects).max(0)
        hits[best[overlap >= threshold]] = True
    return hits


# %% wrong match: the lowest score first loses=["test-match", "hidden-match"]
def match(boxes, scores, objects, threshold):
    table = box_iou(boxes, objects).clone()
    hits = torch.zeros(len(boxes), dtype=torch.bool)
    for k in scores.argsort() if len(objects) else ():
        best = table[k].argmax()
        if table[k, best] >= threshold:
            hits[k] = True
            table[:, best] = -1
    return hits


# %% wrong match: a miss takes its object, too loses=["test-match", "hidden-match"]
def match(boxes, scores, objects, threshold):
    table = box_iou(boxes, objects).clone()
    hits = torch.zeros(len(boxes), dtype=torch.bool)
    for k in scores.argsort(descending=True) if len(objects) else ():
        best = table[k].argmax()
        hits[k] = table[k, best] >= threshold
        table[:, best] = -1
    return hits


# %% right average_precision: in NumPy, from the right
def average_precision(scores, hits, objects):
    if len(hits) == 0:
        return 0.0
    ordered = hits.numpy()[np.argsort(-scores.numpy())]
    so_far = np.cumsum(ordered)
    precision = np.maximum.accumulate((so_far / np.arange(1, len(ordered) + 1))[::-1])[::-1]
    recall = np.concatenate([[0], so_far / objects])
    return float(np.sum(np.diff(recall) * precision))


# %% right average_precision: for each object that is hit
def average_precision(scores, hits, objects):
    pairs = sorted(zip(scores.tolist(), hits.tolist()), reverse=True)
    curve, so_far = [], 0
    for k, (_, hit) in enumerate(pairs):
        so_far += hit
        curve.append((so_far, so_far / (k + 1)))
    return sum(max(p for n, p in curve if n >= m) for m in range(1, so_far + 1)) / objects


# %% right average_precision: backwards down the list
def average_precision(scores, hits, objects):
    ordered = hits[torch.argsort(scores, descending=True)].tolist()
    left, best, area = sum(ordered), 0.0, 0.0
    for k in range(len(ordered), 0, -1):
        best = max(best, left / k)
        if ordered[k - 1]:
            area, left = area + best, left - 1
    return area / objects


# %% wrong average_precision: over the hits, not over the objects loses=["test-average_precision", "hidden-average_precision"]
def average_precision(scores, hits, objects):
    ordered = hits[scores.argsort(descending=True)].double()
    if ordered.sum() == 0:
        return 0.0
    precision = ordered.cumsum(0) / torch.arange(1, len(hits) + 1)
    best = precision.flip(0).cummax(0).values.flip(0)
    return float((best * ordered).sum() / ordered.sum())


# %% wrong average_precision: leaves the dents in loses=["hidden-average_precision"]
def average_precision(scores, hits, objects):
    ordered = hits[scores.argsort(descending=True)].double()
    precision = ordered.cumsum(0) / torch.arange(1, len(hits) + 1)
    return float((precision * ordered).sum() / objects)


# %% wrong average_precision: in the order in which they come loses=["hidden-average_precision"]
def average_precision(scores, hits, objects):
    if len(hits) == 0:
        return 0.0
    ordered = hits.double()
    precision = ordered.cumsum(0) / torch.arange(1, len(hits) + 1)
    best = precision.flip(0).cummax(0).values.flip(0)
    return float((best * ordered).sum() / objects)


# %% wrong average_precision: the lowest score first loses=["hidden-average_precision"]
def average_precision(scores, hits, objects):
    if len(hits) == 0:
        return 0.0
    ordered = hits[scores.argsort()].double()
    precision = ordered.cumsum(0) / torch.arange(1, len(hits) + 1)
    best = precision.flip(0).cummax(0).values.flip(0)
    return float((best * ordered).sum() / objects)


# %% wrong average_precision: the mean of all precisions loses=["test-average_precision", "hidden-average_precision"]
def average_precision(scores, hits, objects):
    if len(hits) == 0:
        return 0.0
    ordered = hits[scores.argsort(descending=True)].double()
    return float((ordered.cumsum(0) / torch.arange(1, len(hits) + 1)).mean())


# %% wrong average_precision: the precision of the whole list loses=["test-average_precision", "hidden-average_precision"]
def average_precision(scores, hits, objects):
    return float(hits.double().mean()) if len(hits) else 0.0


# %% wrong average_precision: trapezoids under the raw curve loses=["test-average_precision", "hidden-average_precision"]
def average_precision(scores, hits, objects):
    if len(hits) == 0:
        return 0.0
    ordered = hits[scores.argsort(descending=True)].double()
    precision = ordered.cumsum(0) / torch.arange(1, len(hits) + 1)
    recall = ordered.cumsum(0) / objects
    return float(torch.trapezoid(torch.cat([precision[:1], precision]), torch.cat([torch.zeros(1), recall])))


# %% wrong average_precision: eleven levels of recall loses=["test-average_precision", "hidden-average_precision"]
def average_precision(scores, hits, objects):
    if len(hits) == 0:
        return 0.0
    ordered = hits[scores.argsort(descending=True)].double()
    precision = (ordered.cumsum(0) / torch.arange(1, len(hits) + 1)).numpy()
    recall = (ordered.cumsum(0) / objects).numpy()
    return float(np.mean([max(precision[recall >= level], default=0.0) for level in np.arange(11) / 10]))


# %% wrong average_precision: the best precision of a lower recall loses=["test-average_precision", "hidden-average_precision"]
def average_precision(scores, hits, objects):
    if len(hits) == 0:
        return 0.0
    ordered = hits[scores.argsort(descending=True)].double()
    precision = (ordered.cumsum(0) / torch.arange(1, len(hits) + 1)).cummax(0).values
    return float((precision * ordered).sum() / objects)


# %% wrong average_precision: fails without detections loses=["hidden-average_precision"]
def average_precision(scores, hits, objects):
    ordered = hits[scores.argsort(descending=True)].double()
    precision = ordered.cumsum(0) / torch.arange(1, len(hits) + 1)
    best = [float(precision[-1])]
    for p in precision.flip(0)[1:]:
        best.insert(0, max(best[0], float(p)))
    return float((torch.tensor(best) * ordered).sum() / objects)


# %% right own_code: with a chain of its own
def own_code():
    squares = torch.tensor([[x, 0.0, x + 4.0, 4.0] for x in range(3)])
    grades = torch.tensor([0.9, 0.8, 0.7])
    return {
        "rows": len(Detector()(torch.zeros(1, 1, 96, 160))[0]),
        "kept": sum(1 for _ in nms(squares, grades, 0.5)),
        "area": average_precision(grades, torch.tensor([True, True, False]), 4),
    }


# %% right own_code: thought through
def own_code():
    return {"kept": 2, "rows": 96 // 8 * 160 // 8, "area": 2 / 4}


# %% right own_code: the rows by the stride, floats
def own_code():
    return {"area": 0.5, "rows": 12.0 * 20.0, "kept": 2.0}


# %% wrong own_code: the second discards the third loses=["hidden-own_code"]
def own_code():
    return {"kept": 1, "rows": 240, "area": 0.5}


# %% wrong own_code: nothing is discarded loses=["hidden-own_code"]
def own_code():
    return {"kept": 3, "rows": 240, "area": 0.5}


# %% wrong own_code: the grid of 64 pixels loses=["hidden-own_code"]
def own_code():
    return {"kept": 2, "rows": 64, "area": 0.5}


# %% wrong own_code: a row per pixel loses=["hidden-own_code"]
def own_code():
    return {"kept": 2, "rows": 96 * 160, "area": 0.5}


# %% wrong own_code: rows times columns of a stride of 16 loses=["hidden-own_code"]
def own_code():
    return {"kept": 2, "rows": 60, "area": 0.5}


# %% wrong own_code: the precision of the list loses=["hidden-own_code"]
def own_code():
    return {"kept": 2, "rows": 240, "area": 0.67}


# %% wrong own_code: all hits come first, so the area is 1 loses=["hidden-own_code"]
def own_code():
    return {"kept": 2, "rows": 240, "area": 1.0}


# %% wrong own_code: the rows of the grid loses=["hidden-own_code"]
def own_code():
    return {"kept": 2, "rows": 12, "area": 0.5}
