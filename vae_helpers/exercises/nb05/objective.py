"""Exercises of notebook 05 on the objective: the negative ELBO, the loss of a whole model, the β that a loss hides."""

import functools

from vae_helpers.exercises.engine import Answer, Exercise, Mistake, NotAttemptedError, examine
from vae_helpers.exercises.engine.draws import draw_findings
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.losses import Loss, bernoulli_nll, kl_to_standard_normal, reparameterize

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _elbo_probes(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(3 + 1000 * seed)
    randn, rand = (functools.partial(draw, generator=g) for draw in (torch.randn, torch.rand))
    return [(randn(n, 1, 28, 28), rand(n, 1, 28, 28), randn(n, d), randn(n, d) - 0.5) for n, d in ((5, 3), (4, 7))]


def _bce(x_logits: Tensor, x: Tensor) -> Tensor:
    return bernoulli_nll(x_logits, x).mean()


def _kl(mu: Tensor, logvar: Tensor) -> Tensor:
    return kl_to_standard_normal(mu, logvar).mean()


def _negative_elbo(x_logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    p = x_logits.sigmoid()
    nats = -(x * p.log() + (1 - x) * (1 - p).log())
    reconstruction = nats.flatten(1).sum(dim=1)
    kl = (0.5 * (mu.square() + logvar.exp() - logvar - 1)).sum(dim=1)
    return reconstruction.mean() + kl.mean()


NEGATIVE_ELBO = Exercise(
    id="negative-elbo",
    expects="one number, reconstruction + KL: summed over pixels and dimensions, averaged over the batch",
    reference=_negative_elbo,
    words={"p": "p", "nats": "the log-probability", "reconstruction": "the reconstruction", "kl": "the KL"},
    probes=_elbo_probes,
    mistakes=(
        Mistake(
            lambda l, x, m, v: F.binary_cross_entropy_with_logits(l, x) + _kl(m, v),
            "the reconstruction is a mean over pixels, the KL a sum: the KL weighs 784 times too much, "
            "a hidden β of 784. Such a VAE collapses: all its samples are the mean image.",
        ),
        Mistake(
            lambda l, x, m, v: (_bce(l, x) + _kl(m, v)) * len(x),
            "that is the sum over the batch. The optimum is the same, but the number, and plain SGD's step, grow with "
            "the batch size: average over images.",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l, x) * len(x) + _kl(m, v),
            "the reconstruction is summed over the batch, the KL averaged: the KL weighs too little, "
            "by a factor of the batch size, and the codes stray from the prior.",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l, x) - _kl(m, v),
            "the sign of the KL is wrong: this loss is lowest where q(z|x) is as far from the prior as it can get.",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l, x) + _kl(m, v) / m.shape[1],
            "the KL is averaged over the latent dimensions. Sum over them: each one's information has to be paid for.",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l.sigmoid(), x) + _kl(m, v),
            "the sigmoid was applied twice: binary_cross_entropy_with_logits wants x_logits as they are. "
            "Twice, no pixel's probability falls below ½, and the pictures come out blank.",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l, x) + 0.5 * (m**2 + v**2 - (v**2).log() - 1).sum(1).mean(),
            "log σ² was used as σ. The network's output is a logarithm: σ² = exp(logvar).",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l, x) + 0.5 * (m**2 + (2 * v).exp() - 2 * v - 1).sum(1).mean(),
            "exp(logvar) was taken for σ in the KL and squared again. It is σ² already.",
        ),
        Mistake(
            lambda l, x, m, v: F.binary_cross_entropy_with_logits(l, x) + _kl(m, v) / m.shape[1],
            "both parts are means, one over 784 pixels, the other over the latent dimensions: "
            "the KL weighs 784/d times too much, a hidden β. Sum both.",
        ),
        Mistake(
            lambda l, x, m, v: -_bce(l, x) - _kl(m, v),
            "that is the ELBO itself. The loss is its negative: minimising this one makes the model as bad as can be.",
        ),
        Mistake(
            lambda l, x, m, v: bernoulli_nll(l, x) + kl_to_standard_normal(m, v),
            "that is one value per image. Average over the batch: .mean() at the end.",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l, x),
            "the KL is missing: without it this is an autoencoder with noise, and nothing holds codes near the prior.",
        ),
    ),
)


class _Given(nn.Module):
    """A model whose clouds and x_logits are given; it takes down every z that it decodes."""

    def __init__(self, mu: Tensor, logvar: Tensor, x_logits: Tensor | None = None) -> None:
        super().__init__()
        self.latent_dim, self.clouds, self.x_logits, self.decoded = mu.shape[1], (mu, logvar), x_logits, []

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the given clouds, whatever the images."""
        return self.clouds

    def embed(self, x: Tensor) -> Tensor:
        """Return the given μ."""
        return self.clouds[0]

    def decode(self, z: Tensor, y: None = None) -> Tensor:
        """The given x_logits, or the mean of z in every pixel, so that gradients pass."""
        self.decoded.append(z)
        if self.x_logits is not None:
            return self.x_logits + 0 * z.sum()
        return z.mean(dim=1).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)

    def generate(self, z: Tensor, y: None = None) -> Tensor:
        """x̂: the sigmoid of decode."""
        return self.decode(z).sigmoid()


def _vae_loss(model: nn.Module, x: Tensor, y: Tensor | None = None) -> Loss:
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar)
    reconstruction = bernoulli_nll(model.decode(z, y), x)
    kl = kl_to_standard_normal(mu, logvar)
    return Loss(reconstruction.mean(), kl.mean())


def _loss_findings(answer: Answer, seed: int) -> list[Finding]:
    """Its form, its total beside −ELBO's known mistakes, its two parts, and the draw that it decodes."""
    probe = NEGATIVE_ELBO.probes(seed)[0]
    return _of_form(answer, probe) or _of_total(answer, seed) or _of_parts(answer, probe) or _of_draw(answer, seed)


def _loss_of(answer: Answer, x_logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> object:
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        return answer(_Given(mu, logvar, x_logits), x)


def _of_form(answer: Answer, probe: tuple) -> list[Finding]:
    loss = _loss_of(answer, *probe)
    if loss is None or loss is Ellipsis:
        raise NotAttemptedError
    if not isinstance(loss, Loss):
        says = f"it returns {type(loss).__name__}: return both parts by name, Loss(reconstruction, kl)"
        return [Finding(Relation("type", "result"), says)]
    if not isinstance(loss.kl, Tensor):
        says = "the KL is missing: without it this is an autoencoder with noise, and nothing holds codes near the prior"
        return [Finding(Relation("missing", "kl"), says)]
    if loss.kl.ndim or loss.reconstruction.ndim:
        says = "the parts hold one value per image. Average each over the batch: .mean() at the end"
        return [Finding(Relation("not reduced", "parts"), says)]
    if loss.beta != 1:
        return [Finding(Relation("factor", "kl"), f"the KL is weighed by β = {loss.beta:g}: −ELBO has β = 1")]
    return []


def _of_total(answer: Answer, seed: int) -> list[Finding]:
    verdict = examine(NEGATIVE_ELBO, lambda *probe: _loss_of(answer, *probe).total, seed)
    relation = verdict.relation or Relation("other", "total")
    return [] if verdict.passed else [Finding(relation, verdict.message.removeprefix("negative-elbo: "))]


def _of_parts(answer: Answer, probe: tuple) -> list[Finding]:
    loss, kl = _loss_of(answer, *probe), _kl(*probe[2:])
    if torch.allclose(loss.kl.double(), kl.double(), rtol=1e-4):
        return []
    exchanged = torch.allclose(loss.reconstruction.double(), kl.double(), rtol=1e-4)
    says = "the two parts have changed places" if exchanged else "the sum is right, its two parts are not"
    return [Finding(Relation("exchanged" if exchanged else "other", "parts"), f"{says}: Loss(reconstruction, kl)")]


def _of_draw(answer: Answer, seed: int) -> list[Finding]:
    def decoded(mu: Tensor, logvar: Tensor) -> Tensor | None:
        """The z that an answer decodes, of given clouds."""
        model = _Given(mu, logvar)
        answer(model, torch.full((len(mu), 1, 28, 28), 0.5))
        return model.decoded[-1] if model.decoded else mu

    return draw_findings(decoded, seed)


VAE_LOSS = Exercise(
    id="vae-loss",
    expects="Loss(reconstruction, kl), both summed over pixels or dimensions and averaged over the batch",
    reference=_vae_loss,
    findings=_loss_findings,
)


def _four_numbers(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(67 + 1000 * seed)
    probes = []
    for _ in range(3):
        right, scales = 20 + 100 * torch.rand(2, generator=g), 0.01 + 3 * torch.rand(2, generator=g)
        probes.append((*(right * scales), *right))
    return probes


def _hidden_beta(reconstruction: Tensor, kl: Tensor, right_reconstruction: Tensor, right_kl: Tensor) -> Tensor:
    of_reconstruction = reconstruction / right_reconstruction
    of_kl = kl / right_kl
    return of_kl / of_reconstruction


MEASURED_BETA = Exercise(
    id="measured-beta",
    expects="one number: β, the weight of the KL where the reconstruction's is 1",
    reference=_hidden_beta,
    words={"of_reconstruction": "the reconstruction's weight", "of_kl": "the KL's weight"},
    probes=_four_numbers,
    mistakes=(
        Mistake(
            lambda r, k, right_r, right_k: (r / right_r) / (k / right_k),
            "upside down: that is the weight of the reconstruction where the KL's is 1, and a collapsing loss would "
            "seem to have a β near 0.",
        ),
        Mistake(
            lambda r, k, right_r, right_k: k / right_k,
            "the KL's own weight is not yet β: who divides *both* parts by 784 has changed nothing. Divide by the "
            "reconstruction's weight.",
        ),
        Mistake(
            lambda r, k, right_r, right_k: k / r,
            "the program's KL over its reconstruction says how the nats are shared out, not how they are weighed: set "
            "each beside its right value first.",
        ),
        Mistake(
            lambda r, k, right_r, right_k: (k / right_k) * (r / right_r),
            "the two weights are multiplied. β compares them: a loss in which both are halved still has β = 1.",
        ),
    ),
)

EXERCISES = (NEGATIVE_ELBO, VAE_LOSS, MEASURED_BETA)
