"""The figures of lesson 05: gradient descent, weights, signals by layer, learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from course.draw.style import COLOURS, Array, show


def overflow(margins: Sequence[float], losses: Mapping[str, Sequence[float]]) -> None:
    """Loss against the margin of the true class's logit; the first curve thick, gaps marked."""
    figure = Figure(figsize=(7.5, 3))
    ax = figure.subplots()
    for k, (name, values) in enumerate(losses.items()):
        thin, colour = 4 * k, COLOURS[5 - 2 * k]
        ax.plot(margins, values, label=name, lw=6 - thin, alpha=0.35 + 0.65 * k, color=colour)
        gaps = [m for m, value in zip(margins, values, strict=True) if not np.isfinite(value)]
        ax.plot(gaps, [-4] * len(gaps), "|", ms=7, color=COLOURS[3])
        if gaps:
            words = f"{name}: nan or inf"
            ax.text(max(gaps), 5, words, ha="right", color=COLOURS[3], fontsize=10)
    ax.set(xlabel="logit of the true class, the other is 0", ylabel="loss", ylim=(-9, None))
    ax.legend(frameon=False)
    show(
        figure,
        "Cross-entropy against the logit of the true class, with one other class at 0. It falls "
        "along a straight line to 0. Two ways to compute it agree, until the logit is large, up or "
        "down: the plain formula then gives nan or infinity, the stable one goes on.",
    )


def descents(costs: Mapping[str, Sequence[float]], epochs: int) -> None:
    """The cost on all digits after each step, against the number of epochs.

    `costs` maps a name to the costs before the first step and after each step; the steps are
    distributed evenly over the epochs.
    """
    figure = Figure(figsize=(8, 3.6))
    ax = figure.subplots()
    widths = (0.8, 1.6, 2.2)
    for k, (name, values) in enumerate(sorted(costs.items(), key=lambda one: -len(one[1]))):
        steps = len(values) - 1
        x = np.linspace(0, epochs, steps + 1)
        marker = "o" if steps < 30 else ""
        label = f"{name}: {steps:,} steps"
        ax.plot(x, values, marker=marker, lw=widths[k % 3], color=COLOURS[(5, 0, 3)[k % 3]])
        ax.plot([], [], marker=marker, lw=2, color=COLOURS[(5, 0, 3)[k % 3]], label=label)
    top = min(8.0, 1.05 * max(max(values) for values in costs.values()))
    ax.set(xlabel="times that all digits were seen", ylabel="cost J on all digits", ylim=(0, top))
    ax.set_xticks(range(epochs + 1))
    ax.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.47, 1.03), fontsize=10)
    words = "; ".join(f"{name}, {len(values) - 1:,} steps" for name, values in costs.items())
    show(
        figure,
        f"The cost against the epochs, three descents: {words}. With all digits at once a "
        "few smooth steps get little done; minibatches and single digits jump at first, then fall "
        "much further, with a jitter that does not end.",
    )


def weights(samples: Mapping[str, tuple[Array, float]]) -> None:
    """Histograms of weights, one panel each, with the intended standard deviation in the title.

    `samples` maps a name to (weights of any shape, standard deviation).
    """
    figure = Figure(figsize=(9, 2.7))
    high = max(float(np.abs(values).max()) for values, _ in samples.values())
    tick = float(f"{0.8 * high:.1g}")
    panels = figure.subplots(1, len(samples), sharex=True, squeeze=False)[0]
    for ax, (name, (values, std)) in zip(panels, samples.items(), strict=True):
        ax.hist(np.ravel(values), bins=60, range=(-high, high), histtype="stepfilled", alpha=0.7)
        for side in (-std, std):
            ax.axvline(side, color=COLOURS[3], ls="--", lw=1.2)
        ax.set(yticks=[], xticks=(-tick, 0, tick), xlabel="weight")
        ax.set_title(f"{name}\nstd {std:.3g} (dashed)", fontsize=10)
        ax.spines["left"].set_visible(False)
    figure.subplots_adjust(wspace=0.15)
    words = "; ".join(f"{name}, standard deviation {std:.3g}" for name, (_, std) in samples.items())
    show(
        figure,
        f"Histograms of initial weights: {words}. A uniform draw is a block with straight sides, a "
        "normal one a bell; the more inputs a neuron has, the narrower.",
    )


def signals(strengths: Mapping[str, Sequence[float]], what: str = "signal") -> None:
    """Root mean square of `what` in each layer, on a logarithmic axis; `name: [rms, ...]`.

    Values of 0 are not drawn.
    """
    figure = Figure(figsize=(8.4, 3.8))
    ax = figure.subplots()
    summaries = []
    for colour, (name, values) in zip(COLOURS, strengths.items(), strict=False):
        rms = np.array([value if value > 0 else np.nan for value in values])
        layers = np.arange(1, len(rms) + 1)
        ax.plot(layers, rms, "o-", ms=3, color=colour)
        end = np.flatnonzero(np.isfinite(rms))[-1]
        exponent = round(float(np.log10(rms[end])))
        words = f"{name}: about 1" if exponent == 0 else f"{name}: $10^{{{exponent}}}$"
        summaries.append(f"{name} ends near {f'10 to the power {exponent}' if exponent else 1}")
        ax.text(layers[end] + 0.5, rms[end], words, va="center", color=colour, fontsize=10)
    ax.set(yscale="log", xlabel="layer", ylabel=f"strength of the {what} (RMS)")
    ax.set_xlim(0, 1.32 * max(map(len, strengths.values())))
    ax.set_xticks(range(0, max(map(len, strengths.values())) + 1, 5))
    show(
        figure,
        f"The strength of the {what} from layer to layer, on a logarithmic scale: "
        f"{'; '.join(summaries)}.",
    )


def sweep(losses: Mapping[str, Mapping[float, float]]) -> None:
    """The final loss against the learning rate, both logarithmic; `losses[optimizer][rate]`."""
    figure = Figure(figsize=(8, 3.4))
    ax = figure.subplots()
    best = {}
    for k, (name, by_rate) in enumerate(losses.items()):
        rates, values = np.array(list(by_rate)), np.array(list(by_rate.values()))
        best[name] = rates[int(values.argmin())]
        ax.plot(rates, values, marker="os^D"[k % 4], color=COLOURS[(5, 0, 3, 2)[k % 4]], label=name)
    ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="loss at the end")
    ax.legend(frameon=False)
    words = "; ".join(f"{name}: lowest at {rate:g}" for name, rate in best.items())
    show(
        figure,
        "The loss at the end against the learning rate, one valley per optimizer: too small a rate "
        f"gets nowhere, too large a one overshoots. {words}.",
    )


def activations(networks: Mapping[str, Sequence[Array]], layers: Sequence[int]) -> None:
    """Histograms of the inputs of the ReLU, one row per network, one column for each of `layers`.

    `networks` maps a name to one array per layer; all panels share the axis from -3 to 3.
    """
    figure = Figure(figsize=(9, 1.7 * len(networks)))
    panels = figure.subplots(len(networks), len(layers), sharex=True, squeeze=False)
    for row, (colour, (name, values)) in enumerate(zip(COLOURS, networks.items(), strict=False)):
        for ax, layer, one in zip(panels[row], layers, values, strict=True):
            ax.hist(np.ravel(one), bins=61, range=(-3, 3), color=colour)
            ax.set(yticks=[], xticks=(-2, 0, 2))
            ax.set_title(f"layer {layer}: std {np.std(one):.1g}", fontsize=9)
        panels[row][0].set_ylabel(name, fontsize=10)
    for ax in panels[-1]:
        ax.set_xlabel("before ReLU", fontsize=10)
    figure.subplots_adjust(wspace=0.12, hspace=0.3)
    last = "; ".join(f"{name}: {np.std(values[-1]):.0e}" for name, values in networks.items())
    show(
        figure,
        f"Histograms of activations in layers {', '.join(map(str, layers))}, one row per network. "
        f"Standard deviation in the last of them: {last}. Where it shrinks, the bell becomes a "
        "needle at 0.",
    )


def runs(results: Mapping[str, Mapping[str, Sequence[float]]], alt: str) -> None:
    """Loss and validation accuracy over the epochs, one curve per named result of train.run."""
    figure = Figure(figsize=(9, 3.2))
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(wspace=0.25)
    left.axhline(np.log(10), color="0.45", ls="--", lw=1)
    right.axhline(10, color="0.45", ls="--", lw=1)
    for k, (name, run) in enumerate(results.items()):
        style = {"marker": "os^Dv"[k % 5], "ms": 4, "color": COLOURS[(0, 1, 3, 2, 4)[k % 5]]}
        left.plot(range(1, len(run["loss"]) + 1), run["loss"], label=name, **style)
        right.plot(range(len(run["held"])), [100 * share for share in run["held"]], **style)
    epochs = range(max(len(run["held"]) for run in results.values()))
    left.set(
        xlabel="epoch", ylabel="mean loss (dashed: chance level)", ylim=(0, 2.7), xticks=epochs[1:]
    )
    right.set(xlabel="epoch", ylabel="validation accuracy (%)", ylim=(0, 103), xticks=epochs)
    right.set_yticks(range(0, 101, 20))  # a tick outside the axes, at 120, would count as a label
    figure.legend(frameon=False, ncols=len(results), loc="lower center", bbox_to_anchor=(0.5, 0.9))
    show(figure, alt)
