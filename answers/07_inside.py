# %% [markdown]
# Answers to lesson 07, right and wrong: each stands in place of its exercise's solution cell.

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


# %% right grad_cam: catches the gradient by a hook on the maps, in a deep copy
import copy


def grad_cam(model, layer, image, label):
    place = [name for name, module in model.named_modules() if module is layer][0]
    twin = copy.deepcopy(model).eval()
    caught = {}

    def keep(module, inputs, output):
        caught["maps"] = output
        output.register_hook(lambda gradient: caught.update(slope=gradient))

    twin.get_submodule(place).register_forward_hook(keep)
    twin(image)[0, label].backward()
    maps, slope = caught["maps"][0].detach(), caught["slope"][0]
    total = sum(slope[k].mean() * maps[k] for k in range(len(maps)))
    return torch.clamp(total, min=0).numpy()


# %% right grad_cam: einsum, and means by the number of places
def grad_cam(model, layer, image, label):
    kept = {}
    hook = layer.register_forward_hook(lambda m, i, o: kept.setdefault("maps", o))
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


# %% wrong grad_cam: softmax before the gradient loses=["test-grad_cam", "hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
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
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
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
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
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
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
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
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
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
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
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
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
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
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
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
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
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
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    try:
        score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu().detach()


# %% wrong grad_cam: the hook is left loses=["test-grad_cam", "hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    with evaluating(model):
        score = model(image)[0, label]
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu().detach()


# %% wrong grad_cam: the hook is left when the model raises an error loses=["hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    with evaluating(model):
        score = model(image)[0, label]
    hook.remove()
    gradient = torch.autograd.grad(score, kept[-1])[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu().detach()


# %% wrong grad_cam: leaves gradients on the model loses=["test-grad_cam", "hidden-grad_cam"]
def grad_cam(model, layer, image, label):
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
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
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    try:
        with evaluating(model):
            score = model(image)[0, label]
    finally:
        hook.remove()
    gradient = torch.autograd.grad(score, kept[-1], retain_graph=True)[0]
    return (gradient.mean((2, 3), keepdim=True) * kept[-1]).sum(1)[0].relu()
