"""In the plane: the score from a denoiser's step, and one pass of training, watched batch by batch."""

from vae_helpers.exercises.engine import Answer, Exercise, Mistake
from vae_helpers.exercises.nb02.epoch_findings import epoch_findings

import torch
from jaxtyping import Float
from torch import Tensor, nn

Points = Float[Tensor, " n 2"]


def _to_the_unit_circle(x_noisy: Float[Tensor, " n d"]) -> Float[Tensor, " n d"]:
    return x_noisy / (0.3 + x_noisy.square().sum(1, keepdim=True).sqrt())


def _noisy_points(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(60 + 1000 * seed)
    sizes = ((5, 2, 0.4), (4, 3, 1.7))
    return [(_to_the_unit_circle, 2 * torch.randn(n, d, generator=g), s) for n, d, s in sizes]


def _score(denoise: Answer, x_noisy: Float[Tensor, " n d"], sigma_noise: float) -> Float[Tensor, " n d"]:
    residual = denoise(x_noisy) - x_noisy
    return residual / sigma_noise**2


SCORE_FROM_RESIDUAL = Exercise(
    id="score-from-residual",
    expects="one arrow for each noisy point, in its shape",
    reference=_score,
    probes=_noisy_points,
    words={"residual": "the residual"},
    mistakes=(
        Mistake(
            lambda denoise, x_noisy, s: (denoise(x_noisy) - x_noisy) / s,
            "the residual is divided by σ, the law divides by its square: the directions are right, and all lengths "
            "are wrong by the factor σ.",
        ),
        Mistake(
            lambda denoise, x_noisy, s: (x_noisy - denoise(x_noisy)) / s**2,
            "the arrows point the wrong way, from the data out into the noise. The step goes from x̃ to f(x̃).",
        ),
        Mistake(
            lambda denoise, x_noisy, s: (denoise(x_noisy) - x_noisy) * s**2,
            "the residual is multiplied by σ², where the law divides by it: the less noise, the longer the arrow.",
        ),
        Mistake(
            lambda denoise, x_noisy, s: denoise(x_noisy) / s**2,
            "that is where the step ends, not the step: subtract where it begins, x̃.",
        ),
        Mistake(
            lambda denoise, x_noisy, s: denoise(x_noisy) - x_noisy,
            "that is the bare residual. It shrinks with the noise, the score does not: divide by σ².",
        ),
    ),
)


def _epoch(
    denoise: nn.Module, points: Points, sigma_noise: float, optimizer: torch.optim.Optimizer, batch_size: int
) -> float:
    total = 0.0
    for index in torch.randperm(len(points)).split(batch_size):
        x = points[index]
        x_noisy = x + sigma_noise * torch.randn_like(x)
        loss = (denoise(x_noisy) - x).square().sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    return total / len(points)


DENOISING_EPOCH = Exercise(
    id="denoising-epoch",
    expects="the mean loss per point of the pass, a number",
    reference=_epoch,
    findings=epoch_findings,
)
