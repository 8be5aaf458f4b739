# %% [markdown]
# Answers to lesson 07, right and wrong: each stands in place of its exercise's solution cell.

# %% right retrieval: worked out from the numbers of another name
def retrieval():
    q = questions("grace")
    return "grace", {
        "depthwise": 9 * q["c"],
        "pointwise": q["c"] * q["k"],
        "front": "second",
        "shifts": (2 * q["p"] + 1) ** 2,
        "memory": 4 * q["k"] * q["s"] ** 2,
    }


# %% right retrieval: by asking torch
def retrieval():
    q = questions("Noether ")
    conv = nn.Conv2d(q["c"], q["c"], 3, groups=q["c"], bias=False).weight.numel()
    maps = torch.zeros(q["k"], q["s"], q["s"])
    mixing = nn.Conv2d(q["c"], q["k"], 1, bias=False).weight.numel()
    return ["noether", {"memory": maps.nbytes, "shifts": (q["p"] + 1 + q["p"]) ** 2, "front": "second", "pointwise": mixing, "depthwise": conv}]


# %% right retrieval: by counting
def retrieval():
    c, k, s, p = questions("Emmy").values()
    ways = {(down, across) for down in range(-p, p + 1) for across in range(-p, p + 1)}
    return "emmy", {
        "depthwise": c * 3 * 3, "pointwise": k * c, "front": "second", "shifts": len(ways), "memory": k * s * s * 32 // 8,
    }


# %% wrong retrieval: a depthwise filter reads all channels loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "depthwise": 9 * q["c"] ** 2,
        "pointwise": q["c"] * q["k"],
        "front": "second",
        "shifts": (2 * q["p"] + 1) ** 2,
        "memory": 4 * q["k"] * q["s"] ** 2,
    }


# %% wrong retrieval: one depthwise filter for all channels loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "depthwise": 9,
        "pointwise": q["c"] * q["k"],
        "front": "second",
        "shifts": (2 * q["p"] + 1) ** 2,
        "memory": 4 * q["k"] * q["s"] ** 2,
    }


# %% wrong retrieval: nine taps in the pointwise one loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "depthwise": 9 * q["c"],
        "pointwise": 9 * q["c"] * q["k"],
        "front": "second",
        "shifts": (2 * q["p"] + 1) ** 2,
        "memory": 4 * q["k"] * q["s"] ** 2,
    }


# %% wrong retrieval: equal costs, so both loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "depthwise": 9 * q["c"],
        "pointwise": q["c"] * q["k"],
        "front": "both",
        "shifts": (2 * q["p"] + 1) ** 2,
        "memory": 4 * q["k"] * q["s"] ** 2,
    }


# %% wrong retrieval: forgets the shift by 0 loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "depthwise": 9 * q["c"],
        "pointwise": q["c"] * q["k"],
        "front": "second",
        "shifts": 4 * q["p"] ** 2,
        "memory": 4 * q["k"] * q["s"] ** 2,
    }


# %% wrong retrieval: shifts of one direction loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "depthwise": 9 * q["c"],
        "pointwise": q["c"] * q["k"],
        "front": "second",
        "shifts": 2 * q["p"] + 1,
        "memory": 4 * q["k"] * q["s"] ** 2,
    }


# %% wrong retrieval: numbers for bytes loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "depthwise": 9 * q["c"],
        "pointwise": q["c"] * q["k"],
        "front": "second",
        "shifts": (2 * q["p"] + 1) ** 2,
        "memory": q["k"] * q["s"] ** 2,
    }


# %% wrong retrieval: float64 loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "depthwise": 9 * q["c"],
        "pointwise": q["c"] * q["k"],
        "front": "second",
        "shifts": (2 * q["p"] + 1) ** 2,
        "memory": 8 * q["k"] * q["s"] ** 2,
    }


# %% wrong retrieval: leaves one out loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return "ada", {
        "depthwise": 9 * q["c"],
        "pointwise": q["c"] * q["k"],
        "shifts": (2 * q["p"] + 1) ** 2,
        "memory": 4 * q["k"] * q["s"] ** 2,
    }


# %% wrong retrieval: no name loses=["hidden-retrieval"]
def retrieval():
    q = questions("ada")
    return {
        "depthwise": 9 * q["c"],
        "pointwise": q["c"] * q["k"],
        "front": "second",
        "shifts": (2 * q["p"] + 1) ** 2,
        "memory": 4 * q["k"] * q["s"] ** 2,
    }


# %% right filters_grid: glues tiles and lines, row by row
def filters_grid(layer, columns=8):
    weight = layer.weight.detach()
    tiles = []
    for filter_ in weight:
        most = filter_.abs().max()
        scaled = 0.5 + 0.5 * filter_ / (most if most > 0 else 1)
        if weight.shape[1] == 3:
            tiles.append(scaled.permute(1, 2, 0))
        else:
            tiles.extend(scaled)
    if weight.shape[1] not in (1, 3):
        columns = weight.shape[1]
    while len(tiles) % columns:
        tiles.append(torch.ones_like(tiles[0]))
    upright = torch.ones_like(tiles[0][:, :1])
    bands = []
    for k in range(0, len(tiles), columns):
        row = [piece for tile in tiles[k : k + columns] for piece in (tile, upright)][:-1]
        band = torch.cat(row, 1)
        bands += [band, torch.ones_like(band[:1])]
    return torch.cat(bands[:-1], 0)


# %% right filters_grid: pads each tile and folds the array, in float32
def filters_grid(layer, columns=8):
    w = layer.weight.data.numpy()
    n, c, h, v = w.shape
    top = np.abs(w).reshape(n, -1).max(1)[:, None, None, None]
    w = 0.5 + 0.5 * np.divide(w, top, out=np.zeros_like(w), where=top > 0)
    colour = c == 3
    w = w.transpose(0, 2, 3, 1) if colour else w.reshape(n * c, h, v, 1)
    columns = c if c not in (1, 3) else columns
    missing = -len(w) % columns
    w = np.pad(w, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=1)
    w = np.pad(w, ((0, missing), (0, 0), (0, 0), (0, 0)), constant_values=1)
    w = w.reshape(-1, columns, h + 1, v + 1, w.shape[-1]).transpose(0, 2, 1, 3, 4)
    w = w.reshape(-1, columns * (v + 1), w.shape[-1])[:-1, :-1]
    return w if colour else w[..., 0]


# %% right filters_grid: repeats grey three times first, one loop over all weights
def filters_grid(layer, columns=8):
    w = layer.weight.detach().numpy().astype(float)
    n, c, h, v = w.shape
    across = columns if c in (1, 3) else c
    down = int(np.ceil((n if c in (1, 3) else n * c) / across))
    sheet = np.ones((down * (h + 1) - 1, across * (v + 1) - 1, 3))
    for k in range(n):
        most = np.abs(w[k]).max()
        for channel in range(c):
            y, x = divmod(k if c in (1, 3) else k * c + channel, across)
            part = sheet[y * (h + 1) : y * (h + 1) + h, x * (v + 1) : x * (v + 1) + v]
            values = (w[k, channel] / most if most else w[k, channel]) / 2 + 0.5
            if c == 3:
                part[..., channel] = values
            else:
                part[:] = values[..., None]
    return sheet if c == 3 else sheet.mean(2)


# %% wrong filters_grid: from minimum to maximum, so that zero has no grey of its own loses=["test-filters_grid", "hidden-filters_grid"]
def filters_grid(layer, columns=8):
    w = layer.weight.detach().double().numpy()
    low, high = w.min((1, 2, 3), keepdims=True), w.max((1, 2, 3), keepdims=True)
    return tiled((w - low) / np.where(high > low, high - low, 1), columns)


def tiled(grey, columns):
    _, channels, height, width = grey.shape
    if channels == 3:
        tiles = grey.transpose(0, 2, 3, 1)
    else:
        tiles = grey.reshape(-1, height, width)
        columns = columns if channels == 1 else channels
    rows = -(-len(tiles) // columns)
    picture = np.ones((rows * (height + 1) - 1, columns * (width + 1) - 1, *tiles.shape[3:]))
    for k, tile in enumerate(tiles):
        top, left = k // columns * (height + 1), k % columns * (width + 1)
        picture[top : top + height, left : left + width] = tile
    return picture


# %% wrong filters_grid: one scale for the whole layer loses=["test-filters_grid", "hidden-filters_grid"]
def filters_grid(layer, columns=8):
    w = layer.weight.detach().double().numpy()
    return tiled(0.5 + 0.5 * w / np.abs(w).max(), columns)


def tiled(grey, columns):
    _, channels, height, width = grey.shape
    if channels == 3:
        tiles = grey.transpose(0, 2, 3, 1)
    else:
        tiles = grey.reshape(-1, height, width)
        columns = columns if channels == 1 else channels
    rows = -(-len(tiles) // columns)
    picture = np.ones((rows * (height + 1) - 1, columns * (width + 1) - 1, *tiles.shape[3:]))
    for k, tile in enumerate(tiles):
        top, left = k // columns * (height + 1), k % columns * (width + 1)
        picture[top : top + height, left : left + width] = tile
    return picture


# %% wrong filters_grid: a scale for each channel instead of each filter loses=["hidden-filters_grid"]
def filters_grid(layer, columns=8):
    w = layer.weight.detach().double().numpy()
    most = np.abs(w).max((2, 3), keepdims=True)
    grey = 0.5 + 0.5 * w / np.where(most == 0, 1, most)
    _, channels, height, width = grey.shape
    if channels == 3:
        tiles = grey.transpose(0, 2, 3, 1)
    else:
        tiles = grey.reshape(-1, height, width)
        columns = columns if channels == 1 else channels
    rows = -(-len(tiles) // columns)
    picture = np.ones((rows * (height + 1) - 1, columns * (width + 1) - 1, *tiles.shape[3:]))
    for k, tile in enumerate(tiles):
        top, left = k // columns * (height + 1), k % columns * (width + 1)
        picture[top : top + height, left : left + width] = tile
    return picture


# %% wrong filters_grid: divides by the zero of an empty filter loses=["test-filters_grid", "hidden-filters_grid"]
def filters_grid(layer, columns=8):
    w = layer.weight.detach().double()
    grey = (0.5 + 0.5 * w / w.abs().amax((1, 2, 3), keepdim=True)).numpy()
    _, channels, height, width = grey.shape
    if channels == 3:
        tiles = grey.transpose(0, 2, 3, 1)
    else:
        tiles = grey.reshape(-1, height, width)
        columns = columns if channels == 1 else channels
    rows = -(-len(tiles) // columns)
    picture = np.ones((rows * (height + 1) - 1, columns * (width + 1) - 1, *tiles.shape[3:]))
    for k, tile in enumerate(tiles):
        top, left = k // columns * (height + 1), k % columns * (width + 1)
        picture[top : top + height, left : left + width] = tile
    return picture


# %% wrong filters_grid: reshapes colours instead of moving their axis loses=["hidden-filters_grid"]
def filters_grid(layer, columns=8):
    w = layer.weight.detach().double().numpy()
    most = np.abs(w).max((1, 2, 3), keepdims=True)
    grey = 0.5 + 0.5 * w / np.where(most == 0, 1, most)
    count, channels, height, width = grey.shape
    if channels == 3:
        tiles = grey.reshape(count, height, width, 3)
    else:
        tiles = grey.reshape(-1, height, width)
        columns = columns if channels == 1 else channels
    rows = -(-len(tiles) // columns)
    picture = np.ones((rows * (height + 1) - 1, columns * (width + 1) - 1, *tiles.shape[3:]))
    for k, tile in enumerate(tiles):
        top, left = k // columns * (height + 1), k % columns * (width + 1)
        picture[top : top + height, left : left + width] = tile
    return picture


# %% wrong filters_grid: fills columns first loses=["test-filters_grid", "hidden-filters_grid"]
def filters_grid(layer, columns=8):
    w = layer.weight.detach().double().numpy()
    most = np.abs(w).max((1, 2, 3), keepdims=True)
    grey = 0.5 + 0.5 * w / np.where(most == 0, 1, most)
    _, channels, height, width = grey.shape
    if channels == 3:
        tiles = grey.transpose(0, 2, 3, 1)
    else:
        tiles = grey.reshape(-1, height, width)
        columns = columns if channels == 1 else channels
    rows = -(-len(tiles) // columns)
    picture = np.ones((rows * (height + 1) - 1, columns * (width + 1) - 1, *tiles.shape[3:]))
    for k, tile in enumerate(tiles):
        top, left = k % rows * (height + 1), k // rows * (width + 1)
        picture[top : top + height, left : left + width] = tile
    return picture


# %% wrong filters_grid: no lines between the tiles loses=["test-filters_grid", "hidden-filters_grid"]
def filters_grid(layer, columns=8):
    w = layer.weight.detach().double().numpy()
    most = np.abs(w).max((1, 2, 3), keepdims=True)
    grey = 0.5 + 0.5 * w / np.where(most == 0, 1, most)
    _, channels, height, width = grey.shape
    if channels == 3:
        tiles = grey.transpose(0, 2, 3, 1)
    else:
        tiles = grey.reshape(-1, height, width)
        columns = columns if channels == 1 else channels
    rows = -(-len(tiles) // columns)
    picture = np.ones((rows * height, columns * width, *tiles.shape[3:]))
    for k, tile in enumerate(tiles):
        top, left = k // columns * height, k % columns * width
        picture[top : top + height, left : left + width] = tile
    return picture


# %% wrong filters_grid: scales the layer's own weights loses=["hidden-filters_grid"]
def filters_grid(layer, columns=8):
    w = layer.weight.detach().numpy()
    most = np.abs(w).max((1, 2, 3), keepdims=True)
    w /= np.where(most == 0, 1, most)
    w *= 0.5
    w += 0.5
    _, channels, height, width = w.shape
    if channels == 3:
        tiles = w.transpose(0, 2, 3, 1)
    else:
        tiles = w.reshape(-1, height, width)
        columns = columns if channels == 1 else channels
    rows = -(-len(tiles) // columns)
    picture = np.ones((rows * (height + 1) - 1, columns * (width + 1) - 1, *tiles.shape[3:]))
    for k, tile in enumerate(tiles):
        top, left = k // columns * (height + 1), k % columns * (width + 1)
        picture[top : top + height, left : left + width] = tile
    return picture


# %% right feature_maps: modes by hand, a named hook, no with
def feature_maps(model, layer, image):
    found = {}

    def keep(module, inputs, output):
        found["maps"] = output.data.clone()

    modes = {part: part.training for part in model.modules()}
    handle = layer.register_forward_hook(keep)
    try:
        model.eval()
        model(image)
    finally:
        handle.remove()
        for part, mode in modes.items():
            part.training = mode
    return found["maps"][0]


# %% right feature_maps: as a NumPy array, the hook in a context of its own
from contextlib import ExitStack


def feature_maps(model, layer, image):
    caught = []
    with ExitStack() as stack:
        stack.enter_context(evaluating(model))
        stack.enter_context(torch.inference_mode())
        stack.callback(
            layer.register_forward_hook(lambda m, i, o: caught.append(o[0].numpy().copy())).remove
        )
        model(image)
    return caught[0]


# %% right feature_maps: wraps the layer's forward for a while, no hook at all
def feature_maps(model, layer, image):
    caught, original = [], layer.forward

    def forward(*inputs):
        output = original(*inputs)
        caught.append(output.clone())
        return output

    layer.forward = forward
    try:
        with evaluating(model), torch.no_grad():
            model(image)
    finally:
        del layer.forward
    return caught[0].squeeze(0)


# %% right feature_maps: ends the run by an exception of its own
class Enough(Exception):
    pass


def feature_maps(model, layer, image):
    def stop(module, inputs, output):
        stop.maps = output[0].clone()
        raise Enough

    hook = layer.register_forward_hook(stop)
    try:
        with evaluating(model), torch.no_grad():
            model(image)
    except Enough:
        return stop.maps
    finally:
        hook.remove()


# %% wrong feature_maps: the hook is left loses=["test-feature_maps", "hidden-feature_maps"]
def feature_maps(model, layer, image):
    kept = []
    layer.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    with evaluating(model), torch.no_grad():
        model(image)
    return kept[-1][0]


# %% wrong feature_maps: the hook is left when the model raises an error loses=["hidden-feature_maps"]
def feature_maps(model, layer, image):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    with evaluating(model), torch.no_grad():
        model(image)
    hook.remove()
    return kept[-1][0]


# %% wrong feature_maps: removes the hooks of others, too loses=["hidden-feature_maps"]
def feature_maps(model, layer, image):
    kept = []
    layer.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    try:
        with evaluating(model), torch.no_grad():
            model(image)
    finally:
        layer._forward_hooks.clear()
    return kept[-1][0]


# %% wrong feature_maps: keeps the tensor that a layer in place overwrites loses=["hidden-feature_maps"]
def feature_maps(model, layer, image):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output.detach()))
    try:
        with evaluating(model), torch.no_grad():
            model(image)
    finally:
        hook.remove()
    return kept[-1][0].clone()


# %% wrong feature_maps: not detached loses=["test-feature_maps"]
def feature_maps(model, layer, image):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    try:
        with evaluating(model):
            model(image)
    finally:
        hook.remove()
    return kept[-1][0]


# %% wrong feature_maps: in the mode in which the model came loses=["hidden-feature_maps"]
def feature_maps(model, layer, image):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    try:
        with torch.no_grad():
            model(image)
    finally:
        hook.remove()
    return kept[-1][0]


# %% wrong feature_maps: leaves the model in evaluation mode loses=["hidden-feature_maps"]
def feature_maps(model, layer, image):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    try:
        with torch.no_grad():
            model.eval()(image)
    finally:
        hook.remove()
    return kept[-1][0]


# %% wrong feature_maps: puts frozen parts into training mode loses=["hidden-feature_maps"]
def feature_maps(model, layer, image):
    kept = []
    mode = model.training
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    try:
        with torch.no_grad():
            model.eval()(image)
    finally:
        hook.remove()
        model.train(mode)
    return kept[-1][0]


# %% wrong feature_maps: what enters the layer loses=["test-feature_maps", "hidden-feature_maps"]
def feature_maps(model, layer, image):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, _: kept.append(inputs[0].clone()))
    try:
        with evaluating(model), torch.no_grad():
            model(image)
    finally:
        hook.remove()
    return kept[-1][0]


# %% wrong feature_maps: keeps the batch dimension loses=["test-feature_maps", "hidden-feature_maps"]
def feature_maps(model, layer, image):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    try:
        with evaluating(model), torch.no_grad():
            model(image)
    finally:
        hook.remove()
    return kept[-1]


# %% wrong feature_maps: swallows the model's error loses=["hidden-feature_maps"]
def feature_maps(model, layer, image):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    try:
        with evaluating(model), torch.no_grad():
            model(image)
    except RuntimeError:
        pass
    finally:
        hook.remove()
    return kept[-1][0]


# %% right saliency: backward on a deep copy, then throws the copy away
import copy


def saliency(model, image, label):
    twin = copy.deepcopy(model).eval()
    x = image.clone().detach()
    x.requires_grad = True
    twin(x)[0, label].backward()
    return torch.max(torch.abs(x.grad[0]), dim=0).values


# %% right saliency: the jacobian of the score, as a NumPy array
def saliency(model, image, label):
    with evaluating(model):
        slope = torch.autograd.functional.jacobian(lambda x: model(x)[0, label], image)
    return np.abs(slope.squeeze(0).numpy()).max(axis=0)


# %% right saliency: forward with a vector that picks the label, larger of plus and minus
def saliency(model, image, label):
    x = image.detach().clone().requires_grad_(True)
    with evaluating(model), torch.enable_grad():
        scores = model(x)
        pick = torch.zeros_like(scores)
        pick[0, label] = 1
        gradient = torch.autograd.grad(scores, x, grad_outputs=pick)[0]
    return torch.maximum(gradient.amax(1), (-gradient).amax(1))[0]


# %% wrong saliency: softmax before the gradient loses=["test-saliency", "hidden-saliency"]
def saliency(model, image, label):
    x = image.detach().clone().requires_grad_()
    with evaluating(model):
        score = model(x).softmax(1)[0, label]
    return torch.autograd.grad(score, x)[0][0].abs().amax(0)


# %% wrong saliency: log-softmax before the gradient loses=["test-saliency", "hidden-saliency"]
def saliency(model, image, label):
    x = image.detach().clone().requires_grad_()
    with evaluating(model):
        score = F.log_softmax(model(x), 1)[0, label]
    return torch.autograd.grad(score, x)[0][0].abs().amax(0)


# %% wrong saliency: the sum over channels loses=["test-saliency", "hidden-saliency"]
def saliency(model, image, label):
    x = image.detach().clone().requires_grad_()
    with evaluating(model):
        score = model(x)[0, label]
    return torch.autograd.grad(score, x)[0][0].abs().sum(0)


# %% wrong saliency: the sign is kept loses=["test-saliency", "hidden-saliency"]
def saliency(model, image, label):
    x = image.detach().clone().requires_grad_()
    with evaluating(model):
        score = model(x)[0, label]
    return torch.autograd.grad(score, x)[0][0].amax(0)


# %% wrong saliency: the absolute value after the maximum loses=["test-saliency", "hidden-saliency"]
def saliency(model, image, label):
    x = image.detach().clone().requires_grad_()
    with evaluating(model):
        score = model(x)[0, label]
    return torch.autograd.grad(score, x)[0][0].amax(0).abs()


# %% wrong saliency: asks about the best class, whatever the label loses=["test-saliency", "hidden-saliency"]
def saliency(model, image, label):
    x = image.detach().clone().requires_grad_()
    with evaluating(model):
        score = model(x)[0].max()
    return torch.autograd.grad(score, x)[0][0].abs().amax(0)


# %% wrong saliency: the sum of all scores loses=["test-saliency", "hidden-saliency"]
def saliency(model, image, label):
    x = image.detach().clone().requires_grad_()
    with evaluating(model):
        score = model(x).sum()
    return torch.autograd.grad(score, x)[0][0].abs().amax(0)


# %% wrong saliency: in the mode in which the model came loses=["hidden-saliency"]
def saliency(model, image, label):
    x = image.detach().clone().requires_grad_()
    return torch.autograd.grad(model(x)[0, label], x)[0][0].abs().amax(0)


# %% wrong saliency: leaves gradients on the model loses=["test-saliency", "hidden-saliency"]
def saliency(model, image, label):
    x = image.detach().clone().requires_grad_()
    with evaluating(model):
        model(x)[0, label].backward()
    return x.grad[0].abs().amax(0)


# %% wrong saliency: freezes the model and leaves it so loses=["hidden-saliency"]
def saliency(model, image, label):
    x = image.detach().clone().requires_grad_()
    with evaluating(model.requires_grad_(False)):
        model(x)[0, label].backward()
    return x.grad[0].abs().amax(0)


# %% wrong saliency: turns the caller's image into one that takes gradients loses=["hidden-saliency"]
def saliency(model, image, label):
    image.requires_grad_()
    with evaluating(model):
        score = model(image)[0, label]
    return torch.autograd.grad(score, image)[0][0].abs().amax(0)


# %% wrong saliency: multiplied by the image loses=["hidden-saliency"]
def saliency(model, image, label):
    x = image.detach().clone().requires_grad_()
    with evaluating(model):
        score = model(x)[0, label]
    return (torch.autograd.grad(score, x)[0] * x).detach()[0].abs().amax(0)


# %% right integrated_gradients: one point after the other
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return ((image - baseline) * total / steps)[0]


# %% right integrated_gradients: on a deep copy, backwards, with linspace
def integrated_gradients(model, image, label, baseline, steps=32):
    twin = copy.deepcopy(model).eval()
    ends = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    slopes = []
    for middle in ((ends[1:] + ends[:-1]) / 2).tolist():
        x = torch.lerp(baseline, image, middle).clone()
        x.requires_grad = True
        twin(x)[0][label].backward()
        slopes.append(x.grad[0])
    return torch.stack(slopes).mean(0) * (image[0] - baseline[0])


# %% right integrated_gradients: one batch, gradients as a NumPy array
def integrated_gradients(model, image, label, baseline, steps=32):
    way = (2 * torch.arange(steps) + 1) / (2 * steps)
    x = torch.stack([(1 - a) * baseline[0] + a * image[0] for a in way.to(image.dtype)]).detach().requires_grad_()
    modes = {part: part.training for part in model.modules()}
    model.eval()
    scores = model(x)
    for part, mode in modes.items():
        part.training = mode
    pick = torch.zeros_like(scores)
    pick[:, label] = 1
    slopes = torch.autograd.grad(scores, x, pick)[0].numpy()
    return (image - baseline)[0].numpy() * slopes.mean(axis=0)


# %% wrong integrated_gradients: the slope at the image alone loses=["hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = image.clone().detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return ((image - baseline) * total / steps)[0]


# %% wrong integrated_gradients: points at the beginning of each part loses=["hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + k / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return ((image - baseline) * total / steps)[0]


# %% wrong integrated_gradients: points at the end of each part loses=["hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + (k + 1) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return ((image - baseline) * total / steps)[0]


# %% wrong integrated_gradients: no difference loses=["test-integrated_gradients", "hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return (total / steps)[0]


# %% wrong integrated_gradients: times the image, not the difference loses=["test-integrated_gradients", "hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return (image * total / steps)[0]


# %% wrong integrated_gradients: a baseline of zeros, whatever is asked for loses=["test-integrated_gradients", "hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    baseline = torch.zeros_like(image)
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return ((image - baseline) * total / steps)[0]


# %% wrong integrated_gradients: the sum of the slopes loses=["test-integrated_gradients", "hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return ((image - baseline) * total)[0]


# %% wrong integrated_gradients: absolute values loses=["test-integrated_gradients", "hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return ((image - baseline) * total / steps)[0].abs()


# %% wrong integrated_gradients: softmax before the gradient loses=["test-integrated_gradients", "hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x).softmax(1)[0, label], x)[0]
    return ((image - baseline) * total / steps)[0]


# %% wrong integrated_gradients: the best class, whatever the label loses=["test-integrated_gradients", "hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0].max(), x)[0]
    return ((image - baseline) * total / steps)[0]


# %% wrong integrated_gradients: one number per pixel loses=["test-integrated_gradients", "hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return ((image - baseline) * total / steps)[0].sum(0)


# %% wrong integrated_gradients: keeps the batch dimension loses=["test-integrated_gradients", "hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return ((image - baseline) * total / steps)


# %% wrong integrated_gradients: in the mode in which the model came loses=["hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    if True:
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return ((image - baseline) * total / steps)[0]


# %% wrong integrated_gradients: leaves the model in evaluation mode loses=["hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    if model.eval():
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return ((image - baseline) * total / steps)[0]


# %% wrong integrated_gradients: leaves gradients on the model loses=["test-integrated_gradients", "hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            model(x)[0, label].backward()
            total += x.grad
    return ((image - baseline) * total / steps)[0]


# %% wrong integrated_gradients: 32 points, whatever steps says loses=["test-integrated_gradients", "hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(32):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return ((image - baseline) * total / steps)[0]


# %% wrong integrated_gradients: walks inside of the image that came in loses=["test-integrated_gradients", "hidden-integrated_gradients"]
def integrated_gradients(model, image, label, baseline, steps=32):
    image -= baseline
    image += baseline + 1e-3
    total = torch.zeros_like(image)
    with evaluating(model):
        for k in range(steps):
            x = (baseline + (k + 0.5) / steps * (image - baseline)).detach().requires_grad_()
            total += torch.autograd.grad(model(x)[0, label], x)[0]
    return ((image - baseline) * total / steps)[0]


# %% right grad_cam: catches the gradient by a hook on the maps, in a deep copy
import copy


def grad_cam(model, layer, image, label):
    place = [name for name, module in model.named_modules() if module is layer][0]
    twin = copy.deepcopy(model).eval()
    caught = {}

    def keep(module, inputs, output):
        caught["maps"] = output.detach().clone()
        output.register_hook(lambda gradient: caught.update(slope=gradient))

    twin.get_submodule(place).register_forward_hook(keep)
    twin(image)[0, label].backward()
    maps, slope = caught["maps"][0], caught["slope"][0]
    total = sum(slope[k].mean() * maps[k] for k in range(len(maps)))
    return torch.clamp(total, min=0).numpy()


# %% right grad_cam: einsum, and means by the number of places
def grad_cam(model, layer, image, label):
    kept = {}
    hook = layer.register_forward_hook(lambda m, i, o: kept.setdefault("maps", o).clone())
    modes = [(part, part.training) for part in model.modules()]
    try:
        model.eval()
        scores = model(image)
    finally:
        hook.remove()
        for part, mode in modes:
            part.training = mode
    maps = kept["maps"]
    slope = torch.autograd.grad(scores[:, label].sum(), [maps])[0]
    alpha = slope.flatten(2).sum(2) / maps[0, 0].numel()
    return F.relu(torch.einsum("nk,nkij->ij", alpha, maps)).detach()


# %% right grad_cam: the maps as a leaf, of which later layers have a copy
def grad_cam(model, layer, image, label):
    leaves = []

    def cut(module, inputs, output):
        leaves.append(output.detach().clone().requires_grad_())
        return 1 * leaves[0]

    hook = layer.register_forward_hook(cut)
    try:
        with evaluating(model):
            score = model(image)[0, label]
        (slope,) = torch.autograd.grad(score, leaves[0])
    finally:
        hook.remove()
    alpha = slope[0].mean((1, 2))
    return torch.tensordot(alpha, leaves[0][0], 1).clamp(min=0).detach()


# %% wrong grad_cam: softmax before the gradient loses=["test-grad_cam", "hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    try:
        with evaluating(model):
            score = model(image).softmax(1)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu().detach()


# %% wrong grad_cam: no ReLU loses=["test-grad_cam", "hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].detach()


# %% wrong grad_cam: the absolute value in place of the ReLU loses=["test-grad_cam", "hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].abs().detach()


# %% wrong grad_cam: the ReLU before the sum loses=["test-grad_cam", "hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).relu().sum(1)[0].detach()


# %% wrong grad_cam: sums the gradient over the map loses=["test-grad_cam", "hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.sum((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu().detach()


# %% wrong grad_cam: multiplies place by place, without a mean loses=["hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient * kept[-1]).sum(1)[0].relu().detach()


# %% wrong grad_cam: gradients of the best class, whatever the label loses=["test-grad_cam", "hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    try:
        with evaluating(model):
            score = model(image)[0].max()
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu().detach()


# %% wrong grad_cam: normalised to its own maximum loses=["test-grad_cam", "hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    cam = (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu().detach()
    return cam / cam.max()


# %% wrong grad_cam: stretched to the image's size loses=["hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    cam = (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1, keepdim=True).relu().detach()
    return F.interpolate(cam, image.shape[2:], mode="bilinear")[0, 0]


# %% wrong grad_cam: in training mode loses=["hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    try:
        score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu().detach()


# %% wrong grad_cam: the hook is left loses=["test-grad_cam", "hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    with evaluating(model):
        score = model(image)[0, label]
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu().detach()


# %% wrong grad_cam: the hook is left when the model raises an error loses=["hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    with evaluating(model):
        score = model(image)[0, label]
    hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu().detach()


# %% wrong grad_cam: leaves gradients on the model loses=["test-grad_cam", "hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    kept[-1].retain_grad()
    score.backward()
    weights = kept[-1].grad.mean((2, 3), keepdim=True)
    return (weights * kept[-1]).sum(1)[0].relu().detach()


# %% wrong grad_cam: still hangs on the calculation loses=["hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.clone())
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1], retain_graph=True)[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu()


# %% wrong grad_cam: keeps the tensor that a layer in place overwrites loses=["hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu().detach()


# %% wrong grad_cam: keeps a copy that is off the way to the score loses=["test-grad_cam", "hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu().detach()


# %% wrong grad_cam: values copied in time, gradients behind the layer in place loses=["hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.extend([output, output.detach().clone()]))
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[0])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu().detach()


# %% right sanity_check: the copy first, by matrix products
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for parameter in twin.parameters():
        order = torch.randperm(parameter.numel(), generator=generator)
        parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
    other = attribute(twin, image, label).abs().flatten().double()
    one = attribute(model, image, label).abs().flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item() if size > 0 else 0.0


# %% right sanity_check: NumPy's permutation and corrcoef
def sanity_check(attribute, model, image, label, seed):
    rng, twin = np.random.default_rng(seed), copy.deepcopy(model)
    state = twin.state_dict()
    for name, value in twin.named_parameters():
        state[name] = torch.tensor(rng.permutation(value.detach().numpy().ravel()).reshape(value.shape))
    twin.load_state_dict(state)
    maps = [np.abs(np.asarray(attribute(m, image, label))).ravel() for m in (model, twin)]
    if min(values.std() for values in maps) == 0:
        return 0.0
    return float(np.corrcoef(*maps)[0, 1])


# %% right sanity_check: torch's corrcoef, and nan turned into 0
def sanity_check(attribute, model, image, label, seed):
    generator = torch.Generator()
    generator.manual_seed(seed)
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.view(-1).copy_(parameter.view(-1)[torch.rand(parameter.numel(), generator=generator).argsort()])
    u, v = attribute(model, image, label), attribute(twin, image, label)
    r = torch.corrcoef(torch.stack([u.abs().reshape(-1), v.abs().reshape(-1)]).double())[0, 1]
    return torch.nan_to_num(r)


# %% wrong sanity_check: shuffles the model itself loses=["test-sanity_check", "hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = model, torch.Generator().manual_seed(seed)
    for parameter in twin.parameters():
        order = torch.randperm(parameter.numel(), generator=generator)
        parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
    one = attribute(model, image, label).abs().flatten().double()
    other = attribute(twin, image, label).abs().flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item() if size > 0 else 0.0


# %% wrong sanity_check: does not shuffle loses=["test-sanity_check", "hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for parameter in twin.parameters():
        order = torch.randperm(parameter.numel(), generator=generator).sort()[0]
        parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
    one = attribute(model, image, label).abs().flatten().double()
    other = attribute(twin, image, label).abs().flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item() if size > 0 else 0.0


# %% wrong sanity_check: new random weights loses=["hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for parameter in twin.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    one = attribute(model, image, label).abs().flatten().double()
    other = attribute(twin, image, label).abs().flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item() if size > 0 else 0.0


# %% wrong sanity_check: shuffles the last layer alone loses=["hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for parameter in list(twin.parameters())[-2:]:
        order = torch.randperm(parameter.numel(), generator=generator)
        parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
    one = attribute(model, image, label).abs().flatten().double()
    other = attribute(twin, image, label).abs().flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item() if size > 0 else 0.0


# %% wrong sanity_check: leaves biases and norms in order loses=["hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for parameter in twin.parameters():
        if parameter.dim() < 2:
            continue
        order = torch.randperm(parameter.numel(), generator=generator)
        parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
    one = attribute(model, image, label).abs().flatten().double()
    other = attribute(twin, image, label).abs().flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item() if size > 0 else 0.0


# %% wrong sanity_check: shuffles along the first dimension alone loses=["hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for parameter in twin.parameters():
        order = torch.randperm(len(parameter), generator=generator)
        parameter.data = parameter.data[order]
    one = attribute(model, image, label).abs().flatten().double()
    other = attribute(twin, image, label).abs().flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item() if size > 0 else 0.0


# %% wrong sanity_check: keeps the sign loses=["hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for parameter in twin.parameters():
        order = torch.randperm(parameter.numel(), generator=generator)
        parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
    one = attribute(model, image, label).flatten().double()
    other = attribute(twin, image, label).flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item() if size > 0 else 0.0


# %% wrong sanity_check: without subtracting the means loses=["test-sanity_check", "hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for parameter in twin.parameters():
        order = torch.randperm(parameter.numel(), generator=generator)
        parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
    one = attribute(model, image, label).abs().flatten().double()
    other = attribute(twin, image, label).abs().flatten().double()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item() if size > 0 else 0.0


# %% wrong sanity_check: nan where nothing varies loses=["hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for parameter in twin.parameters():
        order = torch.randperm(parameter.numel(), generator=generator)
        parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
    one = attribute(model, image, label).abs().flatten().double()
    other = attribute(twin, image, label).abs().flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item()


# %% wrong sanity_check: a seed of its own loses=["hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), torch.Generator().manual_seed(0)
    for parameter in twin.parameters():
        order = torch.randperm(parameter.numel(), generator=generator)
        parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
    one = attribute(model, image, label).abs().flatten().double()
    other = attribute(twin, image, label).abs().flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item() if size > 0 else 0.0


# %% wrong sanity_check: a new order at each call loses=["hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), None
    for parameter in twin.parameters():
        order = torch.randperm(parameter.numel(), generator=generator)
        parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
    one = attribute(model, image, label).abs().flatten().double()
    other = attribute(twin, image, label).abs().flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item() if size > 0 else 0.0


# %% wrong sanity_check: always asks about class 0 loses=["hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for parameter in twin.parameters():
        order = torch.randperm(parameter.numel(), generator=generator)
        parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
    one = attribute(model, image, label).abs().flatten().double()
    other = attribute(twin, image, 0).abs().flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item() if size > 0 else 0.0


# %% wrong sanity_check: turns round what is alike loses=["test-sanity_check", "hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for parameter in twin.parameters():
        order = torch.randperm(parameter.numel(), generator=generator)
        parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
    one = attribute(model, image, label).abs().flatten().double()
    other = attribute(twin, image, label).abs().flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return 1 - (one @ other / size).item() if size > 0 else 0.0


# %% wrong sanity_check: the same attribution twice loses=["test-sanity_check", "hidden-sanity_check"]
def sanity_check(attribute, model, image, label, seed):
    twin, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for parameter in twin.parameters():
        order = torch.randperm(parameter.numel(), generator=generator)
        parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
    one = attribute(model, image, label).abs().flatten().double()
    other = attribute(model, image, label).abs().flatten().double()
    one, other = one - one.mean(), other - other.mean()
    size = (one @ one * (other @ other)) ** 0.5
    return (one @ other / size).item() if size > 0 else 0.0


# %% right own_code: calls counted, the shape with pencil and paper
def own_code():
    calls, model = [], nn.Sequential(nn.Flatten(), nn.Linear(9, 3))
    model[1].register_forward_hook(lambda *_: calls.append(0))
    integrated_gradients(model, torch.rand(1, 1, 3, 3), 2, torch.rand(1, 1, 3, 3), steps=20)
    return {"shape": [3 * (5 + 1) - 1, 4 * (3 + 1) - 1], "calls": float(len(calls))}


# %% right own_code: a model that counts, and the picture itself
def own_code():
    class Counting(nn.Linear):
        count = 0

        def forward(self, x):
            Counting.count += 1
            return super().forward(x.flatten(1))

    integrated_gradients(Counting(4, 2), torch.ones(1, 1, 2, 2), 1, torch.zeros(1, 1, 2, 2), 20)
    return {"calls": Counting.count, "shape": filters_grid(nn.Conv2d(1, 10, (5, 3)), 4).shape}


# %% right own_code: with pencil and paper, for a batch of all points
def own_code():
    return {"calls": 1, "shape": (17, 15)}


# %% wrong own_code: one call more than there are loses=["hidden-own_code"]
def own_code():
    return {"calls": 2, "shape": (17, 15)}


# %% wrong own_code: a call per point, where they go as one batch loses=["hidden-own_code"]
def own_code():
    return {"calls": 20, "shape": (17, 15)}


# %% wrong own_code: calls at both ends of the way, too loses=["hidden-own_code"]
def own_code():
    return {"calls": 21, "shape": (17, 15)}


# %% wrong own_code: width before height loses=["hidden-own_code"]
def own_code():
    return {"calls": 1, "shape": (15, 17)}


# %% wrong own_code: a line around all loses=["hidden-own_code"]
def own_code():
    return {"calls": 1, "shape": (19, 17)}


# %% wrong own_code: no lines loses=["hidden-own_code"]
def own_code():
    return {"calls": 1, "shape": (15, 12)}


# %% wrong own_code: columns and rows change places loses=["hidden-own_code"]
def own_code():
    return {"calls": 1, "shape": (23, 11)}


# %% wrong own_code: a short last row is left out loses=["hidden-own_code"]
def own_code():
    return {"calls": 1, "shape": (11, 15)}


# %% wrong own_code: a line after each tile loses=["hidden-own_code"]
def own_code():
    return {"calls": 1, "shape": (18, 16)}
