"""Seconds to a good VAE: a loop as tutorials write it, the same with images in memory, and ``fit``, side by side."""

import time
from collections.abc import Callable, Iterator
from statistics import median, quantiles

from vae_helpers import data
from vae_helpers.losses import vae_loss
from vae_helpers.models import VAE, start_at_mean
from vae_helpers.training import fit, mean_loss
from vae_helpers.training.precision import processor_has_bf16
from vae_helpers.validation import looks, pixels, tensors

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

TARGET = 105.6  # nats per image: what PyTorch's own example reaches in 10 epochs
LAYERS = ((784, 400), (400, 40), (20, 400), (400, 784))
FIT = {"lr": 5e-3, "progress": False}
LOOKING, PAIRS = (tensors, pixels), 40
FIT_EPOCHS, EPOCHS_ON_GPU, MOST_EPOCHS, ROUNDS_PER_FIT = 5, 8, 25, 4


def seconds(action: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def summed_loss(model: nn.Module, x: Tensor) -> Tensor:
    """The −ELBO of a batch as tutorials write it: summed over all, images included."""
    mu, logvar = model.encode(x)
    z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
    cross_entropy = F.binary_cross_entropy(model.decode(z).sigmoid(), x, reduction="sum")
    return cross_entropy - 0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())


def loop(model: nn.Module, batches: Callable[[], Iterator[Tensor]]) -> Callable[[], None]:
    """A function that trains one epoch with Adam at 1e-3."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def epoch() -> None:
        for x in batches():
            optimizer.zero_grad()
            loss = summed_loss(model, x)
            loss.backward()
            optimizer.step()

    return epoch


def loader_batches(folder: str) -> Callable[[], Iterator[Tensor]]:
    """Batches of 128 as a DataLoader makes them, each image converted by itself."""
    images = datasets.MNIST(folder, train=True, transform=transforms.ToTensor())
    loader = DataLoader(images, batch_size=128, shuffle=True)
    return lambda: (x for x, _ in loader)


def memory_batches(x: Tensor) -> Callable[[], Iterator[Tensor]]:
    """Batches of 128 cut from one float tensor."""
    floats = data.to_float(x)
    return lambda: (floats[index] for index in torch.randperm(len(floats)).split(128))


def products_of_a_step(batch: int = 256) -> list[tuple[Tensor, Tensor]]:
    """The pairs of matrices that one step of 784-400-20 multiplies: forward, weight gradient, input gradient."""
    pairs = []
    for n_in, n_out in LAYERS:
        x, w, g = torch.randn(batch, n_in), torch.randn(n_in, n_out), torch.randn(batch, n_out)
        pairs += [(x, w), (x.T, g)] + ([(g, w.T)] if n_in != 784 else [])
    return pairs


def operations(pairs: list[tuple[Tensor, Tensor]], steps: int) -> float:
    """Billions of operations in the matrix products of an epoch."""
    return 2 * steps * sum(a.shape[0] * a.shape[1] * b.shape[1] for a, b in pairs) / 1e9


def multiply_for_an_epoch(pairs: list[tuple[Tensor, Tensor]], steps: int) -> None:
    """The matrix products of an epoch, and nothing else."""
    for _ in range(steps):
        for a, b in pairs:
            a @ b


class Racer:
    """A loop on its way to the target: seconds of each epoch, and the test −ELBO after the last."""

    def __init__(self, name: str, batches: Callable[[], Iterator[Tensor]]) -> None:
        self.name, self.model = name, VAE(20)
        self.epoch, self.seconds, self.elbo = loop(self.model, batches), [], float("inf")

    def go_on(self, x_test: Tensor) -> None:
        """One epoch, unless the target is reached."""
        if self.elbo > TARGET:
            self.seconds.append(seconds(self.epoch))
            self.elbo = mean_loss(self.model, x_test, vae_loss).total

    def row(self) -> str:
        """Its line of the table."""
        short = "" if self.elbo <= TARGET else "not reached: "
        told = f"{short}{sum(self.seconds):.0f} s, {len(self.seconds)} epochs, {self.elbo:.2f}"
        return f"| {self.name} | {median(self.seconds):.2f} s | {told} |"


def fitted(images: data.Dataset, precision: str, epochs: int) -> tuple[float, float]:
    """Seconds of a whole ``fit``, and the test −ELBO it ends at."""
    torch.manual_seed(0)
    model = VAE(20)
    spent = seconds(lambda: start_at_mean(model, images.x))
    spent += seconds(lambda: fit(model, images.x, vae_loss, epochs=epochs, precision=precision, **FIT))
    return spent, mean_loss(model, images.x_test, vae_loss).total


def rows() -> list[str]:
    """Round by round: bare products, an epoch of ``fit``, an epoch of each loop; now and then a whole ``fit``."""
    images = data.load("mnist", device="cpu")
    if images.name != "mnist":
        return ["Not measured: the loops want MNIST, and it could not be had."]
    pairs, steps = products_of_a_step(), len(images.x) // 256
    loader = Racer("DataLoader, ToTensor for each image, batch 128, Adam 1e-3", loader_batches(str(data.find("mnist"))))
    memory = Racer("the same, images in memory", memory_batches(images.x))
    products, epochs, whole = [], [], []
    while max(loader.elbo, memory.elbo) > TARGET and len(products) < MOST_EPOCHS:
        if len(products) % ROUNDS_PER_FIT == 0:
            whole.append(fitted(images, "float32", FIT_EPOCHS))
        products.append(seconds(lambda: multiply_for_an_epoch(pairs, steps)))
        epochs.append(seconds(lambda: fit(VAE(20), images.x, vae_loss, epochs=1, precision="float32", **FIT)))
        loader.go_on(images.x_test)
        memory.go_on(images.x_test)
    told = [f"| 784-400-20, MNIST | an epoch, median | to test −ELBO {TARGET} |", "|---|---|---|"]
    told += [loader.row(), memory.row()]
    spent, elbo = median(s for s, _ in whole), max(e for _, e in whole)
    told.append(
        f"| `fit`, float32, batch 256 | {median(epochs):.2f} s | {spent:.1f} s, {FIT_EPOCHS} epochs, {elbo:.2f}; "
        f"median of {len(whole)} runs: 1/{sum(loader.seconds) / spent:.1f} of the first line |"
    )
    told += [bf16_row(images), looks_row(images)]
    return told + gpu_rows(images.name) + product_rows(pairs, steps, products, epochs)


def bf16_row(images: data.Dataset) -> str:
    """An epoch of ``fit`` in bf16."""
    imitated = "" if processor_has_bf16() else " (this processor has none and imitates it)"
    return f"| `fit`, bf16{imitated} | {fitted(images, 'bf16', 1)[0]:.2f} s | |"


def looks_row(images: data.Dataset) -> str:
    """What it costs that each step looks at the numbers it is given: short runs with and without, by turns."""
    ratios, look, spent = [], looks.may_look, {}
    for k in range(PAIRS):
        for looking in (k % 2 == 0, k % 2 == 1):
            for module in LOOKING:
                module.may_look = look if looking else lambda device: False
            start = time.process_time()
            fit(VAE(20), images.x[: PAIRS * 256], vae_loss, epochs=1, precision="float32", **FIT)
            spent[looking] = time.process_time() - start
        ratios.append(spent[True] / spent[False])
    for module in LOOKING:
        module.may_look = look
    low, _, high = quantiles(ratios)
    told = f"{median(ratios):.3f} | of processor seconds; the middle half of {PAIRS} pairs: {low:.3f} to {high:.3f}"
    return f"| `fit` that looks at the numbers of each step, beside one that doesn't: ratio | {told} |"


def product_rows(pairs: list, steps: int, products: list[float], epochs: list[float]) -> list[str]:
    """What the matrix products alone take, and how ``fit`` stands beside them, round by round."""
    gflop = operations(pairs, steps)
    product, ratio = median(products), median(f / p for f, p in zip(epochs, products, strict=True))
    return [
        f"| the matrix products of `fit` alone, {gflop:.0f} GFLOP | {product:.2f} s: {gflop / product:.0f} GFLOP/s | |",
        f"| `fit` beside them: ratio, and share of that rate | {ratio:.2f}, {100 / ratio:.0f} % | |",
    ]


def gpu_rows(name: str) -> list[str]:
    """``fit`` on a GPU, if there is one: a first run to warm up, then a timed one."""
    if not torch.cuda.is_available():
        return []
    images = data.load(name, device="cuda")
    told = []
    for precision in ("float32", "bf16"):
        for _ in range(2):
            torch.manual_seed(0)
            model = VAE(20).cuda()
            start_at_mean(model, images.x)
            torch.cuda.synchronize()
            spent = seconds(
                lambda m=model, p=precision: fit(m, images.x, vae_loss, epochs=EPOCHS_ON_GPU, precision=p, **FIT)
            )
        elbo = mean_loss(model, images.x_test, vae_loss).total
        whole = f"{spent:.1f} s, {EPOCHS_ON_GPU} epochs, {elbo:.2f}"
        told.append(f"| `fit` on the GPU, {precision} | {spent / EPOCHS_ON_GPU:.2f} s | {whole} |")
    return told
