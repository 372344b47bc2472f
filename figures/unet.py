"""Make figures/unet.png, what a small U-Net draws of MNIST and Fashion-MNIST: ``python figures/unet.py``.

Notebook 11 trains a flow on codes; its fold shows this network, which takes longer. Trained here unless this machine
has done so before. Beside its images: real ones, and the best mixture of notebook 11 on codes, 20 Gaussians a class.
No image was chosen. The figures under each page are of 10,000 images, against all test images.
"""

import hashlib
from functools import partial
from pathlib import Path

from vae_helpers import data, evaluation, plotting, training
from vae_helpers.evaluation import SampleScorer, SampleScores
from vae_helpers.losses import Loss, reparameterize, stratified_times, vae_loss
from vae_helpers.models import FullMixture, SmoothVAE, flow_path, start_at_mean
from vae_helpers.training import checkpoint

import torch
from matplotlib.figure import Figure
from PIL import Image, PngImagePlugin
from torch import Tensor, nn
from torch.nn.functional import silu

PICTURE = Path(__file__).with_suffix(".png")
HOW = {"epochs": 8, "batch_size": 128, "lr": 3e-3, "precision": "float32"}
CODES = {"epochs": 8, "lr": 4e-3}
NAMES = {"mnist": "MNIST", "fashion": "Fashion-MNIST"}
PER_CLASS, STEPS, HIDDEN = 6, 10, 0.1  # images shown, Heun's steps, and how often the label is hidden in training


class Block(nn.Module):
    def __init__(self, c, told):
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(8, c) for _ in range(2))
        self.convs = nn.ModuleList(nn.Conv2d(c, c, 3, padding=1) for _ in range(2))
        self.told = nn.Linear(told, c)
        nn.init.zeros_(self.convs[1].weight)

    def forward(self, h, told):
        g = self.convs[0](silu(self.norms[0](h))) + self.told(told)[..., None, None]
        return h + self.convs[1](silu(self.norms[1](g)))


class UNet(nn.Module):  # z (n, 784), t (n,), y (n,) → velocity (n, 784)
    n_classes = 10

    def __init__(self, c=32):
        super().__init__()
        self.of_time, self.of_label = nn.Linear(64, 2 * c), nn.Embedding(11, 2 * c)
        self.start = nn.Conv2d(4, c, 3, padding=1)  # 2 × 2 pixels are 4 channels
        self.high = Block(c, 2 * c)
        self.down = nn.Conv2d(c, 2 * c, 3, stride=2, padding=1)  # 14 × 14 → 7 × 7
        self.low = nn.ModuleList(Block(2 * c, 2 * c) for _ in range(3))
        self.up = nn.ConvTranspose2d(2 * c, c, 2, stride=2)
        self.mix = nn.Conv2d(2 * c, c, 3, padding=1)
        self.last = Block(c, 2 * c)
        self.end = nn.Conv2d(c, 4, 3, padding=1)
        nn.init.zeros_(self.end.weight)

    def forward(self, z, t, y=None):
        y = torch.full_like(t, 10, dtype=torch.int64) if y is None else y
        angles = t[:, None] * torch.logspace(0, 3, 32, device=t.device)
        told = self.of_time(torch.cat([angles.sin(), angles.cos()], 1))
        told = silu(told + self.of_label(y))
        x = nn.functional.pixel_unshuffle(z.unflatten(1, (1, 28, 28)), 2)
        high = self.high(self.start(x.to(memory_format=torch.channels_last)), told)
        low = self.down(high)
        for block in self.low:
            low = block(low, told)
        h = self.last(self.mix(torch.cat([high, self.up(low)], 1)), told)
        return nn.functional.pixel_shuffle(self.end(silu(h)), 2).flatten(1).float()


def flow_loss(net: UNet, x: Tensor, y: Tensor) -> Loss:
    """Flow matching on pixels in [−1, 1], as in notebook 11; some labels are hidden."""
    x = 2 * x.flatten(1) - 1
    t, eps = stratified_times(len(x), x.device), torch.randn_like(x)
    hidden = torch.rand(len(x), device=x.device) < HIDDEN
    v_hat = net((1 - t[:, None]) * x + t[:, None] * eps, t, torch.where(hidden, net.n_classes, y))
    return Loss((eps - x - v_hat).square().sum(1).mean())


def trained_unet(dataset: data.Dataset) -> UNet:
    """The U-Net, trained on a data set now or earlier."""
    torch.manual_seed(0)
    net = UNet().to(dataset.x.device)
    train = partial(training.fit, net, dataset.x, flow_loss, dataset.y, **HOW)
    checkpoint.remembered(net, dataset.name, train, loss="flow_loss", hidden=HIDDEN, **HOW, seed=0)
    return net.eval()


@torch.no_grad()
def drawn(net: UNet, y: Tensor) -> Tensor:
    """An image (n, 1, 28, 28) of each class asked for, by Heun's steps from noise."""
    torch.manual_seed(0)
    paths = []
    for labels in y.split(500):
        noise = torch.randn(len(labels), 784, device=y.device)
        paths.append(flow_path(partial(net, y=labels), noise, STEPS, "heun")[-1])
    return (0.5 * torch.cat(paths) + 0.5).clamp(0, 1).unflatten(1, (1, 28, 28))


def fine_loss(model: SmoothVAE, x: Tensor, y: Tensor | None = None) -> Loss:
    """The loss of notebook 11's codes for samples."""
    return vae_loss(model, x, y, beta=0.1)


@torch.no_grad()
def drawn_by_mixtures(dataset: data.Dataset, y: Tensor) -> Tensor:
    """An image of each class asked for: a code of 20 Gaussians fitted to its class, decoded, as in notebook 11."""
    torch.manual_seed(0)
    model = SmoothVAE(32, (512, 256)).to(dataset.x.device)
    start_at_mean(model, dataset.x)
    with torch.enable_grad():
        train = partial(training.fit, model, dataset.x, fine_loss, **CODES)
        checkpoint.remembered(model, dataset.name, train, loss="fine_loss", beta=0.1, **CODES, seed=0)
    clouds = (model.encode(data.to_float(part)) for part in dataset.x.split(5000))
    codes = torch.cat([reparameterize(mu.float(), logvar.float()) for mu, logvar in clouds])
    z = codes.new_empty(len(y), 32)
    for k in range(10):
        z[y == k] = FullMixture.fitted_to(codes[dataset.y == k], 20).sample(int((y == k).sum()))
    return torch.cat([model.generate(part) for part in z.split(5000)])


def pages_of(dataset: data.Dataset) -> dict[str, tuple[Tensor, SampleScores, float]]:
    """Images shown, scores and agreement of each sampler, by its name."""
    judge, _ = training.trained_judge(dataset)
    scorer, n = SampleScorer(judge, dataset), len(dataset.x_test)
    asked = torch.arange(10, device=dataset.x.device).repeat_interleave(n // 10)
    order = torch.randperm(len(dataset.x), generator=torch.Generator().manual_seed(0)).to(dataset.x.device)[:n]
    made = {
        "real": (dataset.x[order], dataset.y[order]),
        "20 Gaussians a class": (drawn_by_mixtures(dataset, asked), asked),
        "U-Net on pixels": (drawn(trained_unet(dataset), asked), asked),
    }
    pages = {}
    for name, (images, y) in made.items():
        shown = torch.cat([data.to_float(images[y == k][:PER_CLASS]) for k in range(10)])
        pages[name] = shown, scorer.score(images), evaluation.agreement(judge, images, y)
        print(f"{dataset.name:8} {name:32} {pages[name][1]}   got {pages[name][2]:.1%}", flush=True)
    return pages


def picture(pages: dict[str, dict[str, tuple[Tensor, SampleScores, float]]]) -> Figure:
    """A row for each data set, a page of PER_CLASS rows and a column for each class of each sampler."""
    figure = Figure(figsize=(12, 5.9), facecolor="white", layout="constrained")
    for axes, (dataset, row) in zip(figure.subplots(len(pages), 3), pages.items(), strict=True):
        for axis, (name, (images, scores, right)) in zip(axes, row.items(), strict=True):
            by_row = images.view(10, PER_CLASS, 1, 28, 28).transpose(0, 1).flatten(0, 1)
            plotting.draw_images(axis, by_row, columns=10)
            distances = f"FD50 {scores.fd50:.2f}, judge-FD {scores.judge_fd:.1f}"
            shares = f"recall {scores.recall:.2f}, got {right:.1%}"
            axis.set_title(f"{dataset}: {name}\n{distances}, {shares}", fontsize=11)
    return figure


def origin() -> str:
    """The fingerprint of this script: what the picture was made by."""
    return f"figures/unet.py, sha256 {hashlib.sha256(Path(__file__).read_text('utf-8').encode()).hexdigest()}"


def save(figure: Figure) -> None:
    """The figure as a small PNG that says what it was made by."""
    PICTURE.write_bytes(plotting.compact_png(figure))
    told = PngImagePlugin.PngInfo()
    told.add_text("Source", origin())
    with Image.open(PICTURE) as image:
        image.load()
        image.save(PICTURE, "PNG", optimize=True, pnginfo=told)


if __name__ == "__main__":
    datasets = [data.load(name) for name in NAMES]
    if [dataset.name for dataset in datasets] != list(NAMES):
        raise SystemExit(
            "unet.png is made from MNIST and Fashion-MNIST, which are not at hand; the file stays as it was."
        )
    save(picture({NAMES[dataset.name]: pages_of(dataset) for dataset in datasets}))
