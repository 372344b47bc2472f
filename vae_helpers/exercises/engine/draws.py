"""Draws from clouds N(μ, σ²), measured: their quantiles, how they depend on each other, and their gradients."""

from vae_helpers.exercises.engine.exercise import Answer
from vae_helpers.exercises.engine.probes import WrongShapeError, result_of

import torch
from jaxtyping import Float64
from torch import Tensor

QUANTILES = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95], dtype=torch.float64, device="cpu")


def draws_and_gradients(answer: Answer, probe: tuple) -> Float64[Tensor, " numbers"]:
    """Quantiles of the draws, how they depend on each other, and their gradients in μ and log σ²."""
    mu, logvar = (t.clone().requires_grad_() for t in probe)
    z = _graded(answer, mu, logvar)
    if z.shape != mu.shape:
        raise WrongShapeError(tuple(z.shape))
    if not z.requires_grad:
        gradients = torch.full((4,), 9.0, dtype=torch.float64)
    else:
        grads = torch.autograd.grad(z.sum(), (mu, logvar), allow_unused=True)
        gradients = torch.stack([m for g in grads for m in _moments(g)])
        if not gradients.any():  # as torch.normal's: there, and always 0
            gradients = torch.full((4,), 9.0, dtype=torch.float64)
    sigma = (probe[1] / 2).exp().double()
    drawn = z.detach().double()
    eps = (drawn - probe[0]) / sigma
    between_rows, between_columns = (eps[1:] * eps[:-1]).mean(), (eps[:, 1:] * eps[:, :-1]).mean()
    shape = (drawn.quantile(QUANTILES, dim=0) - probe[0][0]) / sigma[0]
    return torch.cat([shape.flatten(), torch.stack([between_rows, between_columns]), gradients])


def _graded(answer: Answer, mu: Tensor, logvar: Tensor) -> Tensor:
    """The answer's draw, its graph kept; ``result_of`` has the say on answers that are no tensors."""
    kept = []

    def _keeping(*args: Tensor) -> object:
        kept.append(answer(mu, logvar))
        return kept[0]

    result_of(_keeping, (mu.detach(), logvar.detach()))
    return torch.as_tensor(kept[0])


def _moments(gradient: Tensor | None) -> tuple[Tensor, Tensor]:
    g = torch.zeros(1) if gradient is None else gradient
    return g.double().mean(), g.double().square().mean().sqrt()


LABELS_OF_DRAWS = (
    *(f"(z − μ)/σ at the quantile {q:g}, in dimension {k}" for q in QUANTILES.tolist() for k in range(3)),
    "the correlation of neighbouring rows",
    "the correlation of neighbouring dimensions",
    "the mean gradient in μ",
    "the gradient in μ, root mean square",
    "the mean gradient in log σ²",
    "the gradient in log σ², root mean square",
)
