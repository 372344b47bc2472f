"""How fast ``fit`` and the sliders are on this machine, beside what matrix products alone would take.

Run on a quiet machine: ``python tests/benchmarks/speed.py``. Prints a Markdown table; asserts nothing.
"""

import time
from collections.abc import Callable
from statistics import median

import torch

from vae_helpers import data
from vae_helpers.losses import vae_loss
from vae_helpers.models import VAE, start_at_mean
from vae_helpers.training import fit, mean_loss
from vae_helpers.widgets import latent_sliders

BATCH, N_IMAGES = 256, 60_000
LAYERS = ((784, 400), (400, 40), (20, 400), (400, 784))


def seconds(action: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def matrix_products_of_a_step() -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The pairs of matrices that one step of 784-400-20 multiplies: forward, weight gradient, input gradient."""
    pairs = []
    for n_in, n_out in LAYERS:
        x, w, g = torch.randn(BATCH, n_in), torch.randn(n_in, n_out), torch.randn(BATCH, n_out)
        pairs += [(x, w), (x.T, g)] + ([(g, w.T)] if n_in != 784 else [])
    return pairs


def matrix_product_seconds(pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> float:
    """Seconds that one epoch's matrix products take, and nothing else."""

    def epoch() -> None:
        for _ in range(N_IMAGES // BATCH):
            for a, b in pairs:
                a @ b

    return seconds(epoch)


def main() -> None:
    """Interleave rounds of matrix products and of ``fit``; then time slider frames."""
    dataset = data.load("mnist", device="cpu")
    images = data.load_glyphs(n=N_IMAGES, n_test=1).x if dataset.name == "glyphs" else dataset.x
    pairs = matrix_products_of_a_step()
    gflop = 2 * sum(a.shape[0] * a.shape[1] * b.shape[1] for a, b in pairs) * (N_IMAGES // BATCH) / 1e9
    products, epochs = [], []
    matrix_product_seconds(pairs)
    for _ in range(5):
        model = VAE(20)
        products.append(matrix_product_seconds(pairs))
        epochs.append(seconds(lambda m=model: fit(m, images, vae_loss, epochs=1, precision="float32", progress=False)))
    ratio = median(e / p for e, p in zip(epochs, products, strict=True))

    model = VAE(20)
    start_at_mean(model, images)
    history = fit(model, images, vae_loss, epochs=8, lr=5e-3, progress=False)
    sliders = latent_sliders(model)
    frames = [seconds(lambda k=k: setattr(sliders.sliders[k % 20], "value", k / 200 - 1)) for k in range(400)]

    print(f"\n| {dataset.name}, {torch.get_num_threads()} threads, batch {BATCH}, float32 | median |\n|---|---|")
    print(f"| matrix products of an epoch of 784-400-20, {gflop:.0f} GFLOP | {median(products):.2f} s |")
    print(f"| their rate | {gflop / median(products):.0f} GFLOP/s |")
    print(f"| an epoch of `fit` | {median(epochs):.2f} s |")
    print(f"| ratio of the two | {ratio:.2f} |")
    print(f"| 8 epochs of `fit`, as in notebook 05, test −ELBO | {history.seconds[-1]:.1f} s, ", end="")
    print(f"{mean_loss(model, dataset.x_test, vae_loss).total:.2f} |")
    print(f"| slider to picture, d = 20 | {1e3 * median(frames):.2f} ms (slowest {1e3 * max(frames):.1f} ms) |")


if __name__ == "__main__":
    main()
