"""Numbers that other code than the program's own gives: both terms of −ELBO, and the symptoms of a run."""

from collections.abc import Iterator

from vae_helpers.exercises.engine import Exercise, Mistake
from vae_helpers.exercises.engine.exercise import Answer
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.exercises.nb09.heard import KLS, NOT_DECODED, RECONSTRUCTIONS, Heard, hear, noise_findings
from vae_helpers.losses import Loss, bernoulli_nll, kl_to_standard_normal

import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence
from torch.nn import functional


def _honest_terms(model: nn.Module, x: Tensor) -> Tensor:
    mu, logvar = model.encode(x)
    q = Normal(mu, torch.exp(0.5 * logvar))
    x_logits = model.decode(q.sample())
    cells = functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    kl = kl_divergence(q, Normal(0.0, 1.0)).sum(dim=1)
    return torch.stack([cells.flatten(1).sum(dim=1), kl], dim=1)


def _of_terms(answer: Answer, seed: int) -> list[Finding]:
    """What is wrong with my_honest_terms(model, x), two columns per image, at a listening model."""
    heard = hear(answer, 5, 3, seed)
    if heard.x_logits is None:
        return [NOT_DECODED]
    found = _of_columns(heard)
    if found and found[0].relation.kind == "shape":
        return found
    return [*(f for f in noise_findings(answer, seed) if f.relation.kind != "no gradient"), *found]


def _of_columns(heard: Heard) -> list[Finding]:
    n = len(heard.x)
    if isinstance(heard.result, Loss):
        says = "a Loss came back, the means over the batch: one row per image is asked for, with two columns"
        return [Finding(Relation("type", "answer"), says)]
    try:
        columns = torch.as_tensor(heard.result).detach().double()
    except (TypeError, ValueError, RuntimeError):
        says = f"a {type(heard.result).__name__} came back. torch.stack([reconstruction, kl], dim=1) makes two columns"
        return [Finding(Relation("shape", "answer"), says)]
    if columns.shape != (n, 2):
        return [_of_shape(tuple(columns.shape), n)]
    rec, kl = RECONSTRUCTIONS["right"][0](heard.x_logits, heard.x), KLS["right"][0](heard.mu, heard.logvar)
    if _near(columns[:, 0], kl) and _near(columns[:, 1], rec):
        says = "the two columns have changed places: the reconstruction stands first, then the KL"
        return [Finding(Relation("exchanged", "columns"), says)]
    return [*_of_column(columns[:, 0], heard, "reconstruction"), *_of_column(columns[:, 1], heard, "KL")]


def _of_shape(shape: tuple[int, ...], n: int) -> Finding:
    hints = {
        (2, n): "stack along dim=1: an image a row, a term a column",
        (2,): "those are means over the images. Keep one row per image, and average when all batches are scored",
        (n,): "one number per image: keep the two terms apart, for which of them disagrees is what tells",
        (): "one number: keep a row per image, and the two terms apart, for which of them disagrees is what tells",
    }
    text = f"the shape is {shape}, and ({n}, 2) is asked for, two terms of {n} images"
    return Finding(
        Relation("shape", "answer", str(shape)), f"{text}: {hints.get(shape, 'sum over pixels, and over d')}"
    )


def _of_column(column: Tensor, heard: Heard, name: str) -> Iterator[Finding]:
    parts, given = (
        (RECONSTRUCTIONS, (heard.x_logits, heard.x)) if name == "reconstruction" else (KLS, (heard.mu, heard.logvar))
    )
    kind = next((kind for kind, (part, _) in parts.items() if _near(column, part(*given))), None)
    if kind == "right":
        return
    right = parts["right"][0](*given)
    says = parts[kind][1] if kind else f"the first image's {name} is {column[0]:.2f} where {right[0]:.2f} is right"
    if kind is None and name == "KL" and column.std() > 0 and (column < 0).any():
        says = "the KL is negative for some images: log q − log p at one draw? Right on average, and noisy: take the " \
            "closed form, or kl_divergence"  # fmt: skip
    yield Finding(Relation(kind or "other", name), says)


def _near(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a.double(), b.detach().double(), rtol=1e-4, atol=1e-4)


HONEST_TERMS = Exercise(
    id="honest-terms",
    expects="two columns, (n, 2), a row per image, in nats: −log p(x∣z) at a drawn z, and the KL from N(0, I)",
    reference=_honest_terms,
    findings=_of_terms,
)


def _runs(seed: int = 0) -> list[tuple]:
    """Runs whose loss is off: noise of another width, and a KL that weighs otherwise."""
    g = torch.Generator().manual_seed(91 + 1000 * seed)
    probes = []
    for n, d in ((5, 3), (6, 4)):
        mu, logvar = torch.randn(n, d, generator=g) + 1, torch.randn(n, d, generator=g) - 0.7
        z = mu + (logvar / 2).exp() * (0.4 + 0.8 * torch.randn(n, d, generator=g))
        x, x_logits = torch.rand(n, 1, 28, 28, generator=g), torch.randn(n, 1, 28, 28, generator=g)
        total = bernoulli_nll(x_logits, x).mean() + (1.7 + 0.1 * d) * kl_to_standard_normal(mu, logvar).mean()
        probes.append((total, x, mu, logvar, z, x_logits))
    return probes


def _symptoms(total: Tensor, x: Tensor, mu: Tensor, logvar: Tensor, z: Tensor, x_logits: Tensor) -> Tensor:
    eps = (z - mu) / (0.5 * logvar).exp()
    cells = functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    reconstruction = cells.sum() / len(x)
    kl = (0.5 * (mu.square() + logvar.exp() - logvar - 1)).sum() / len(x)
    charged = total - reconstruction
    return torch.stack([eps.mean(), eps.std(), charged / kl])


def _with_ratio(total: Tensor, x: Tensor, mu: Tensor, logvar: Tensor, z: Tensor, ratio: Tensor) -> Tensor:
    eps = (z - mu) / (logvar / 2).exp()
    return torch.stack([eps.mean(), eps.std(), ratio])


SYMPTOMS = Exercise(
    id="symptoms",
    expects="three numbers, (3,): mean and standard deviation of ε, and the KL that is charged over the right one",
    reference=_symptoms,
    probes=_runs,
    words={"eps": "ε", "reconstruction": "the reconstruction", "kl": "the KL", "charged": "what the loss charges"},
    also=(
        lambda t, x, m, v, z, o: torch.stack(
            [*(e := (z - m) / (v / 2).exp()).mean()[None], e.std(correction=0), _symptoms(t, x, m, v, z, o)[2]]
        ),
    ),
    mistakes=(
        Mistake(
            lambda t, x, m, v, z, o: _symptoms(t, x, m, v, z, o) * torch.tensor([-1.0, 1.0, 1.0]),
            "the sign of ε is turned: z − μ, not μ − z. Uniform noise would show the mean −½.",
        ),
        Mistake(
            lambda t, x, m, v, z, o: _with_ratio(t, x, m, v, z, t / kl_to_standard_normal(m, v).mean()),
            "the whole loss is divided by the KL: subtract your own reconstruction first: the rest was charged.",
        ),
        Mistake(
            lambda t, x, m, v, z, o: _with_ratio(
                t, x, m, v, z, kl_to_standard_normal(m, v).mean() / (t - bernoulli_nll(o, x).mean())
            ),
            "the last number is turned over: what the loss charges goes on top, the right KL below. A β of 2 reads 2.",
        ),
        Mistake(
            lambda t, x, m, v, z, o: _with_ratio(
                t, x, m, v, z, (t - bernoulli_nll(o, x).mean() / 784) / kl_to_standard_normal(m, v).mean()
            ),
            "your reconstruction is a mean over the pixels: the loss is in nats per image, so sum over the 784.",
        ),
        Mistake(
            lambda t, x, m, v, z, o: _with_ratio(t, x, m, v, z, t - bernoulli_nll(o, x).mean()),
            "the last number is what the loss charges: divide it by the right KL, so that 1 means sound.",
        ),
        Mistake(
            lambda t, x, m, v, z, o: _with_ratio(
                t, x, m, v, z, t - bernoulli_nll(o, x).mean() - kl_to_standard_normal(m, v).mean()
            ),
            "the last number is a difference: divide what is charged by the right KL, so that a β of 2 reads 2, "
            "whatever the KL.",
        ),
        Mistake(
            lambda t, x, m, v, z, o: _with_ratio(
                t, x, m, v, z, t / (bernoulli_nll(o, x) + kl_to_standard_normal(m, v)).mean()
            ),
            "the last number is the whole loss over the right one: the reconstruction is in both, and drowns the KL, "
            "so that a β of 2 reads barely more than 1. Subtract it first.",
        ),
        Mistake(
            lambda t, x, m, v, z, o: _with_ratio(
                t, x, m, v, z, ((t - bernoulli_nll(o, x)) / kl_to_standard_normal(m, v)).mean()
            ),
            "the last number is a mean of ratios, image by image. The total is a mean over images, and so is what is "
            "charged: divide one mean by the other.",
        ),
    ),
)

EXERCISES = (HONEST_TERMS, SYMPTOMS)
