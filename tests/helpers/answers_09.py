"""Answers to the exercises of notebook 09 as learners would write them, right and wrong, in several styles."""

from vae_helpers.losses import Loss, bernoulli_nll, kl_to_standard_normal, reparameterize, vae_loss

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Normal, kl_divergence

STANDARD = Normal(0.0, 1.0)


def bce(x_logits, x):
    return F.binary_cross_entropy_with_logits(x_logits, x, reduction="none").flatten(1).sum(1)


def terms(draw=reparameterize, cells=bce, kl=kl_to_standard_normal, stack=lambda r, k: torch.stack([r, k], 1)):
    """An answer to honest-terms in somebody's hand."""

    def answer(model, x):
        mu, logvar = model.encode(x)
        return stack(cells(model.decode(draw(mu, logvar)), x), kl(mu, logvar))

    return answer


def one_draw(model, x):
    mu, logvar = model.encode(x)
    q = Normal(mu, (logvar / 2).exp())
    z = q.sample()
    log_ratio = (q.log_prob(z) - STANDARD.log_prob(z)).sum(1)
    return torch.stack([bce(model.decode(z), x), log_ratio], dim=1)


def in_distributions(model, x):
    with torch.no_grad():
        mu, logvar = model.encode(x)
        q = Normal(mu, logvar.mul(0.5).exp())
        p = Bernoulli(logits=model.decode(q.rsample()), validate_args=False)
        return torch.stack([-p.log_prob(x).sum((1, 2, 3)), kl_divergence(q, STANDARD).sum(-1)]).T


def in_numpy(model, x):
    mu, logvar = (t.detach().numpy().astype(float) for t in model.encode(x))
    z = torch.from_numpy(mu + np.exp(logvar / 2) * np.random.default_rng(torch.seed() % 2**32).normal(size=mu.shape))
    p = 1 / (1 + np.exp(-model.decode(z.float()).detach().numpy()))
    cells = -(x.numpy() * np.log(p) + (1 - x.numpy()) * np.log(1 - p)).reshape(len(mu), -1).sum(1)
    return np.stack([cells, 0.5 * (mu**2 + np.exp(logvar) - logvar - 1).sum(1)], axis=1)


def one_by_one(model, x):
    mu, logvar = model.encode(x)
    x_logits = model.decode(reparameterize(mu, logvar))
    rows = [[bernoulli_nll(o[None], i[None]).item(), 0.0] for o, i in zip(x_logits, x, strict=True)]
    for row, m, v in zip(rows, mu.detach(), logvar.detach(), strict=True):
        row[1] = sum(0.5 * (a**2 + b.exp() - b - 1).item() for a, b in zip(m, v, strict=True))
    return torch.tensor(rows)


HONEST_TERMS = {
    "μ decoded": (terms(draw=lambda m, v: m), "nothing is drawn"),
    "σ² for σ": (terms(draw=lambda m, v: m + v.exp() * torch.randn_like(m)), "is σ²"),
    "uniform": (terms(draw=lambda m, v: m + (v / 2).exp() * torch.rand_like(m)), "rand"),
    "exchanged": (terms(draw=lambda m, v: reparameterize(v, m)), "exchanged"),
    "one ε": (terms(draw=lambda m, v: m + (v / 2).exp() * torch.randn(m.shape[1])), "whole batch"),
    "sigmoid twice": (terms(cells=lambda o, x: bce(o.sigmoid(), x)), "two sigmoids"),
    "mean over pixels": (terms(cells=lambda o, x: bce(o, x) / 784), "mean over the pixels"),
    "squared error": (terms(cells=lambda o, x: ((o.sigmoid() - x) ** 2).flatten(1).sum(1)), "squared error"),
    "sign": (terms(cells=lambda o, x: -bce(o, x)), "sign turned"),
    "KL swapped": (terms(kl=lambda m, v: kl_to_standard_normal(v, m)), "exchanged in the KL"),
    "KL without ½": (terms(kl=lambda m, v: 2 * kl_to_standard_normal(m, v)), "lost its ½"),
    "KL mean": (terms(kl=lambda m, v: kl_to_standard_normal(m, v) / m.shape[1]), "mean over the dimensions"),
    "KL sign": (terms(kl=lambda m, v: -kl_to_standard_normal(m, v)), "pays for it"),
    "one draw": (one_draw, "at one draw"),
    "columns": (terms(stack=lambda r, k: torch.stack([k, r], 1)), "changed places"),
    "means": (terms(stack=lambda r, k: torch.stack([r.mean(), k.mean()])), "one row per image"),
    "dim 0": (terms(stack=lambda r, k: torch.stack([r, k])), "dim=1"),
    "sum": (terms(stack=lambda r, k: r + k), "terms apart"),
    "a Loss": (lambda model, x: vae_loss(model, x), "a Loss came back"),
    "nothing decoded": (lambda model, x: torch.stack(model.encode(x), 1), "nothing is decoded"),
}


def program(
    draw=reparameterize, reconstruct=lambda o, x: bce(o, x).mean(), kl=lambda m, v: kl_to_standard_normal(m, v).mean()
):
    """An answer to four-mended in somebody's hand."""

    def answer(model, x):
        mu, logvar = model.encode(x)
        return Loss(reconstruct(model.decode(draw(mu, logvar)), x), kl(mu, logvar))

    return answer


def kl_cells(m, v):
    return 0.5 * (m**2 + v.exp() - v - 1)


FOUR_MENDED = {
    "as it is": (
        program(
            lambda m, v: Normal(m, v.exp()).sample(),
            lambda o, x: bce(o.sigmoid(), x).mean(),
            lambda m, v: kl_cells(m, v).sum(0).mean(),
        ),
        "is σ²",
    ),
    "still sample": (program(draw=lambda m, v: Normal(m, (v / 2).exp()).sample()), "no gradient arrives"),
    "detached": (program(draw=lambda m, v: reparameterize(m, v).detach()), "no gradient arrives"),
    "μ decoded": (program(draw=lambda m, v: m), "nothing is drawn"),
    "still σ²": (program(draw=lambda m, v: Normal(m, v.exp()).rsample()), "is σ²"),
    "uniform": (program(draw=lambda m, v: m + (v / 2).exp() * torch.rand_like(m)), "rand"),
    "still two sigmoids": (program(reconstruct=lambda o, x: bce(o.sigmoid(), x).mean()), "two sigmoids"),
    "mean over pixels": (program(reconstruct=F.binary_cross_entropy_with_logits), "β of 784"),
    "sum over batch": (program(reconstruct=lambda o, x: bce(o, x).sum()), "depends on the batch"),
    "still the axis": (program(kl=lambda m, v: kl_cells(m, v).sum(0).mean()), "axes are exchanged"),
    "KL mean": (program(kl=lambda m, v: kl_cells(m, v).mean()), "mean over the dimensions"),
    "KL sum": (program(kl=lambda m, v: kl_cells(m, v).sum()), "depends on the batch"),
    "KL swapped": (program(kl=lambda m, v: kl_cells(v, m).sum(1).mean()), "exchanged in the KL"),
    "KL sign": (program(kl=lambda m, v: -kl_cells(m, v).sum(1).mean()), "pays for it"),
    "KL detached": (program(kl=lambda m, v: kl_cells(m, v).sum(1).mean().detach()), "no gradient leaves it"),
    "no KL": (program(kl=lambda m, v: torch.zeros(())), "KL is missing"),
    "a number": (lambda model, x: vae_loss(model, x).total, "return Loss"),
    "per image": (program(kl=lambda m, v: kl_cells(m, v).sum(1)), "no single number"),
    "nothing decoded": (lambda model, x: Loss(model.encode(x)[0].mean(), 0.0), "nothing is decoded"),
}


def parts(grads):
    return torch.cat([g.flatten() for g in grads if g is not None] or [torch.zeros(1)])


def grads(value, parameters):
    return torch.autograd.grad(value, parameters, allow_unused=True)


def backward(value, parameters):
    value.backward()
    return torch.cat([torch.zeros(1), *(p.grad.flatten() for p in parameters if p.grad is not None)]).norm()


def in_a_loop(value, parameters):
    total = 0.0
    for parameter in parameters:
        (gradient,) = torch.autograd.grad(value, parameter, retain_graph=True, allow_unused=True)
        total += 0.0 if gradient is None else float((gradient.double() ** 2).sum())
    return total**0.5


GRADIENT_LENGTH = {
    "sum of lengths": (lambda v, p: sum(g.norm() for g in grads(v, p) if g is not None), "one long vector"),
    "squared": (lambda v, p: parts(grads(v, p)).square().sum(), "squared length"),
    "sum": (lambda v, p: parts(grads(v, p)).sum().abs(), "cancel"),
    "absolute": (lambda v, p: parts(grads(v, p)).abs().sum(), "absolute values"),
    "root mean square": (lambda v, p: parts(grads(v, p)).square().mean().sqrt(), "mean over the entries"),
    "first": (lambda v, p: parts(grads(v, p)[:1]).norm(), "only the first"),
    "longest": (lambda v, p: max(parts([g]).norm() for g in grads(v, p)), "longest"),
    "parameters": (lambda v, p: parts(p).norm(), "parameters themselves"),
    "None forgotten": (lambda v, p: parts(torch.autograd.grad(v, p)).norm(), ""),
    "doubled": (lambda v, p: 2 * parts(grads(v, p)).norm(), ""),
}


def named_by(test, pick=lambda names: names[0] if names else ""):
    return lambda named: pick([name for name, value in named.items() if test(value)])


def bad(value):
    return not value.isfinite().all()


def by_next(named):
    return next((name for name, value in named.items() if not np.isfinite(np.asarray(value)).all()), "")


FIRST_NOT_FINITE = {
    "last": (named_by(bad, lambda names: names[-1] if names else ""), "The last one"),
    "NaN only": (named_by(lambda v: v.isnan().any()), "one infinity"),
    "inf only": (named_by(lambda v: v.isinf().any()), "one NaN"),
    "+inf only": (named_by(lambda v: v.isnan().any() or (v == torch.inf).any()), "−inf"),
    "every entry": (named_by(lambda v: not v.isfinite().any()), "not all"),
    "large": (named_by(lambda v: not (v.abs() < 1e30).all()), "large is not infinite"),
    "turned": (named_by(lambda v: v.isfinite().all()), "where all values are finite"),
    "a list": (named_by(bad, lambda names: names), "and you said"),
    "a bool": (lambda named: any(map(bad, named.values())), "and you said"),
    "a number": (lambda named: next((k for k, v in enumerate(named.values()) if bad(v)), ""), "and you said"),
    "None": (named_by(bad, lambda names: names[0] if names else None), "empty string"),
}


def panel(
    eps=lambda z, m, v: (z - m) / (v / 2).exp(),
    rec=bernoulli_nll,
    kl=kl_to_standard_normal,
    ratio=lambda t, r, k: (t - r) / k,
):
    """An answer to symptoms in somebody's hand."""

    def answer(total, x, mu, logvar, z, x_logits):
        noise = eps(z, mu, logvar)
        last = ratio(total, rec(x_logits, x).mean(), kl(mu, logvar).mean())
        return torch.stack([noise.mean(), noise.std(), last])

    return answer


def in_doubles(total, x, mu, logvar, z, x_logits):
    noise = ((z - mu) / (logvar / 2).exp()).double()
    q = Normal(mu, (logvar / 2).exp())
    log_p = -Bernoulli(logits=x_logits, validate_args=False).log_prob(x).flatten(1).sum(1)
    return [noise.mean(), noise.std(), (total - log_p.mean()) / kl_divergence(q, STANDARD).sum(1).mean()]


def panel_in_numpy(*tensors):
    total, x, mu, logvar, z, o = (t.numpy().astype(float) for t in tensors)
    noise = (z - mu) / np.exp(logvar / 2)
    rec = (np.logaddexp(0, o) - x * o).sum() / len(x)
    kl = 0.5 * (mu**2 + np.exp(logvar) - logvar - 1).sum() / len(x)
    return np.array([noise.mean(), noise.std(ddof=1), (total - rec) / kl])


SYMPTOMS = {
    "whole loss": (panel(ratio=lambda t, r, k: t / k), "subtract your own reconstruction"),
    "turned over": (panel(ratio=lambda t, r, k: k / (t - r)), "turned over"),
    "a difference": (panel(ratio=lambda t, r, k: t - r), "divide it"),
    "mean over pixels": (panel(rec=lambda o, x: bernoulli_nll(o, x) / 784), "mean over the pixels"),
    "σ² in ε": (panel(eps=lambda z, m, v: (z - m) / v.exp()), ""),
    "no σ": (panel(eps=lambda z, m, v: z - m), ""),
    "z itself": (panel(eps=lambda z, m, v: z / (v / 2).exp()), ""),
    "sign of ε": (panel(eps=lambda z, m, v: (m - z) / (v / 2).exp()), "sign"),
    "KL without ½": (panel(kl=lambda m, v: 2 * kl_to_standard_normal(m, v)), ""),
    "KL mean": (panel(kl=lambda m, v: kl_to_standard_normal(m, v) / m.shape[1]), ""),
    "two sigmoids": (panel(rec=lambda o, x: bernoulli_nll(o.sigmoid(), x)), ""),
}
WRONG = {
    "honest-terms": HONEST_TERMS,
    "four-mended": FOUR_MENDED,
    "gradient-length": GRADIENT_LENGTH,
    "first-not-finite": FIRST_NOT_FINITE,
    "symptoms": SYMPTOMS,
}
RIGHT = {
    "honest-terms": [terms(), in_distributions, in_numpy, one_by_one],
    "four-mended": [
        program(),
        vae_loss,
        program(draw=lambda m, v: Normal(m, (v / 2).exp()).rsample()),
        program(reconstruct=lambda o, x: F.binary_cross_entropy_with_logits(o, x, reduction="sum") / len(x)),
        program(reconstruct=lambda o, x: F.binary_cross_entropy(o.sigmoid(), x, reduction="sum") / len(x)),
        program(kl=lambda m, v: kl_divergence(Normal(m, (v / 2).exp()), STANDARD).sum() / len(m)),
    ],
    "gradient-length": [lambda v, p: parts(grads(v, p)).norm(), backward, in_a_loop],
    "first-not-finite": [named_by(bad), by_next, named_by(lambda v: not v.abs().max() < torch.inf)],
    "symptoms": [panel(), in_doubles, panel_in_numpy],
}
