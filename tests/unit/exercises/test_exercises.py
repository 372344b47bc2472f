"""Every exercise: an untouched stub, the solution, each known mistake, and answers that break."""

import itertools
import json
import re
import statistics
from math import log

from vae_helpers import evaluation
from vae_helpers.exercises import EXERCISES, check
from vae_helpers.exercises.engine import agree
from vae_helpers.exercises.engine.verdict import results_of
from vae_helpers.losses import gaussian_nll, kl_to_standard_normal

import pytest
import torch

from helpers.answers_02 import RIGHT as RIGHT_IN_02
from helpers.answers_05 import RIGHT as RIGHT_IN_05
from helpers.answers_06 import RIGHT as RIGHT_IN_06
from helpers.answers_08 import RIGHT as RIGHT_IN_08
from helpers.answers_09 import RIGHT as RIGHT_IN_09
from helpers.answers_10 import RIGHT as RIGHT_IN_10
from helpers.answers_11 import RIGHT as RIGHT_IN_11
from helpers.answers_11_flow import RIGHT as RIGHT_IN_11_FLOW
from helpers.places import COURSE

ids = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES.keys())
HEARD_IN_09 = {"honest-terms", "four-mended", "first-not-finite"}  # test_nb09
# loops, classes: seen at work, and not compared with a result
WATCHED = {
    "training-epoch",
    "autoencoder",
    "vae",
    "vae-loss",
    "vae-epoch",
    "test-score",
    "k-draws",
    "refined-q",
    "warm-up",
}
WATCHED |= HEARD_IN_09
VALUES = [e for e in EXERCISES.values() if e.id not in WATCHED]
of_values = pytest.mark.parametrize("exercise", VALUES, ids=[e.id for e in VALUES])
MISTAKES = [(e, i) for e in EXERCISES.values() for i in range(len(e.mistakes))]


@ids
@pytest.mark.parametrize("stub", [lambda *_: None, lambda *_: ...], ids=["pass", "ellipsis"])
def test_an_untouched_stub_is_called_not_attempted(exercise, stub):
    verdict = check(exercise.id, stub)
    assert verdict.status == "not attempted"
    assert "not attempted yet" in repr(verdict)


@ids
def test_the_reference_passes(exercise):
    assert check(exercise.id, exercise.reference).passed


@ids
def test_no_message_is_said_of_two_mistakes(exercise):
    assert len({m.message for m in exercise.mistakes}) == len(exercise.mistakes)


@ids
def test_a_message_says_what_was_done_and_what_follows(exercise):
    for mistake in exercise.mistakes:
        clauses = [c for c in re.split(r"[:.;]\s|, (?:and|so|which|not|but|where)\b", mistake.message) if c.strip()]
        assert len(clauses) >= 2 and len(mistake.message.split()) >= 10, mistake.message


@pytest.mark.parametrize("notebook", COURSE, ids=lambda path: path.stem)
def test_every_notebook_has_at_least_three_exercises(notebook):
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    tags = {tag for cell in cells for tag in cell["metadata"].get("tags", []) if tag.startswith("exercise-")}
    assert len(tags) >= 3


@pytest.mark.parametrize(("exercise", "i"), MISTAKES, ids=[f"{e.id}-{i}" for e, i in MISTAKES])
def test_each_mistake_is_named_by_its_own_message(exercise, i):
    mistake = exercise.mistakes[i]
    for answer in (mistake.answer, *mistake.alike):
        verdict = check(exercise.id, answer)
        assert verdict.status == "mistake"
        assert verdict.message == f"{exercise.id}: {mistake.message}"


@pytest.mark.parametrize(("exercise", "i"), MISTAKES, ids=[f"{e.id}-{i}" for e, i in MISTAKES])
def test_no_two_mistakes_look_alike_to_the_probes(exercise, i):
    results = results_of(exercise, exercise.mistakes[i].answer)
    others = [m for j, m in enumerate(exercise.mistakes) if j != i]
    assert not any(agree(results, results_of(exercise, m.answer), exercise.tolerance) for m in others)


def epochs_in_other_styles():
    """Two passes over byte images: batch by batch from a shuffled copy, and by PyTorch's own loader."""

    def from_a_copy(model, loss, images, optimizer, batch_size):
        total, shuffled = 0.0, images[torch.randperm(len(images))] / 255
        for k in range(0, len(images), batch_size):
            value = loss(model, shuffled[k : k + batch_size])
            model.zero_grad()
            value.backward()
            optimizer.step()
            total += value.item() * len(shuffled[k : k + batch_size]) / len(images)
        return total

    def by_loader(model, loss, images, optimizer, batch_size):
        values = []
        for batch in torch.utils.data.DataLoader(images.float().div(255), batch_size, shuffle=True):
            optimizer.zero_grad()
            values += [loss(model, batch)] * len(batch)
            values[-1].backward()
            optimizer.step()
        return torch.stack(values).mean().item()

    return [from_a_copy, by_loader]


def autoencoders_in_other_styles():
    """Two classes: of layers written out, and of a loop over widths."""

    class Written(torch.nn.Module):
        def __init__(self, d, hidden=(512, 256)):
            super().__init__()
            (a, b), linear, bend = hidden, torch.nn.Linear, torch.nn.SiLU()
            self.encoder = torch.nn.Sequential(linear(784, a), bend, linear(a, b), bend, linear(b, d))
            self.decoder = torch.nn.Sequential(linear(d, b), bend, linear(b, a), bend, linear(a, 784))

        def encode(self, x):
            return self.encoder(x.reshape(-1, 784))

        def decode(self, z):
            return self.decoder(z).reshape(-1, 1, 28, 28)

        def generate(self, z):
            return torch.sigmoid(self.decode(z))

    class Looped(Written):
        def __init__(self, d, hidden=(512, 256)):
            super().__init__(d, hidden)
            widths = [784, *hidden, d]
            for part, sizes in (("encoder", widths), ("decoder", widths[::-1])):
                layers = [torch.nn.Linear(*pair) for pair in itertools.pairwise(sizes)]
                setattr(self, part, torch.nn.Sequential(*[m for one in layers for m in (one, torch.nn.SiLU())][:-1]))

        def generate(self, z):
            return 1 / (1 + self.decode(z).neg().exp())

    return [Written, Looped]


def own_log_prob(z, mu, logvar):
    return torch.distributions.Normal(mu, (logvar / 2).exp()).log_prob(z).sum(-1)


def halves(mu, logvar):
    return (mu[::2], logvar[::2]), (mu[1::2], logvar[1::2])


def sem(values):
    return statistics.stdev(values) / len(values) ** 0.5


def gaussian_waste(mu, logvar):
    d = mu.shape[1]
    covariance = torch.cov(mu.T, correction=0) + torch.diag(logvar.exp().mean(0))
    fitted = torch.distributions.MultivariateNormal(mu.mean(0), covariance)
    return torch.distributions.kl_divergence(
        fitted, torch.distributions.MultivariateNormal(torch.zeros(d), torch.eye(d))
    )


def cov_of(codes, factors):
    return (codes - codes.mean(0)).T @ (factors - factors.mean(0)) / (len(codes) - 1)


def warmed_in_other_styles():
    """Two losses with a warm-up: a closure over a list, and one that counts down."""

    def closure(loss, steps):
        trained = []

        def warm(model, x, y=None):
            trained.extend([1] * model.training)
            return loss(model, x, y, beta=min(len(trained), steps) / steps)

        return warm

    class CountsDown:
        def __init__(self, loss, steps):
            self.loss, self.steps, self.left = loss, steps, steps

        def __call__(self, model, x, y=None):
            if model.training and self.left > 0:
                self.left -= 1
            return self.loss(model, x, y=y, beta=1 - self.left / self.steps)

    return [closure, CountsDown]


def left_of(x):
    return torch.nn.functional.pad(x, (1, 0))[..., :28]


def column_by_column(tables, n):
    x = torch.zeros(n, 1, 28, 29)  # paper, then 28 columns
    for k in range(28):
        x[..., k + 1] = torch.bernoulli(torch.lerp(*tables[..., k].to(x), x[..., k]))
    return x[..., 1:]


STYLES = {
    "die-and-class-mean": [
        lambda m, n: torch.bernoulli(m[torch.randint(len(m), (n,))]),
        lambda m, n: torch.distributions.Bernoulli(m[torch.multinomial(torch.ones(len(m)), n, True)]).sample(),
    ],
    "chain-tables": [
        lambda x: torch.stack([((w * x).sum(0) + 1) / (w.sum(0) + 2) for w in (1 - left_of(x), left_of(x))]),
        lambda x: torch.stack(
            [
                ((x - left_of(x) * x).double().sum(0) + 1) / ((1 - left_of(x)).sum(0) + 2),
                (torch.einsum("nchw,nchw->chw", left_of(x), x) + 1) / (left_of(x).sum(0) + 2),
            ]
        ),
    ],
    "chain-nats": [
        lambda t, x: torch.lerp(*(-(x * p.log() + (1 - x) * torch.log1p(-p)) for p in t), left_of(x)).sum() / len(x),
        lambda t, x: sum(
            torch.nn.functional.binary_cross_entropy(p.expand_as(x), x, weight=w, reduction="sum")
            for p, w in zip(t, (1 - left_of(x), left_of(x)), strict=True)
        )
        / len(x),
    ],
    "chain-draw": [
        column_by_column,
        lambda t, n: column_by_column(t.double(), n).double(),
    ],
    "mean-image": [lambda x: x.double().mean(0) / 255, lambda x: x.float().div_(255).mean(dim=0)],
    "independent-pixels": [
        lambda p, n: torch.bernoulli(p.expand(n, *p.shape)),
        lambda p, n: torch.distributions.Bernoulli(p).sample((n,)),
        lambda p, n: torch.rand(n, 1, 28, 28).lt(p).double(),
    ],
    "nats-per-image": [
        lambda p, x: torch.nn.functional.binary_cross_entropy(p.expand_as(x), x, reduction="sum") / len(x),
        lambda p, x: -torch.einsum("nchw->n", x * p.log() + (1 - x) * torch.log1p(-p)).mean(),
        lambda p, x: -(x * p.log() + (1 - x) * (1 - p).log()).mean(0).sum(),
    ],
    "autoencoder-loss": [
        lambda model, x: ((model.generate(model.encode(x)) - x) ** 2).sum() / len(x),
        lambda model, x: 784 * torch.nn.functional.mse_loss(model.generate(model.encode(x)), x),
    ],
    "training-epoch": epochs_in_other_styles(),
    "autoencoder": autoencoders_in_other_styles(),
    "copier": [
        lambda f, noisy, x: torch.stack([
            torch.nn.functional.mse_loss(a, b)
            for y in [f(noisy).clip(0, 1)] for a, b in ((noisy, x), (y, noisy), (y, x))
        ]),
        lambda f, noisy, x: torch.einsum(
            "knchw->k",
            (torch.stack([noisy, *2 * [f(noisy).clip(0, 1)]]) - torch.stack([x, noisy, x])) ** 2 / x.numel(),
        ),
    ],
    "gaussian-nll": [
        lambda a, b, s: -torch.distributions.Normal(a, s).log_prob(b).sum(dim=(1, 2, 3)),
        lambda a, b, s: (b.sub(a).square_() / (2 * s**2)).sum((3, 2, 1))
        + 392 * torch.log(torch.tensor(2 * torch.pi * s**2)),
    ],
    "walk": [
        lambda a, b, n: torch.stack([torch.lerp(a, b, t.item()) for t in torch.linspace(0, 1, n)]),
        lambda a, b, n: a + torch.arange(n)[:, None] / (n - 1) * (b - a),
    ],
    "gaussian-codes": [
        lambda z, n: torch.distributions.MultivariateNormal(z.mean(0), torch.cov(z.T)).sample((n,)),
        lambda z, n: z.mean(0) + (torch.randn(n, len(z)) @ (z - z.mean(0))) / len(z) ** 0.5,
    ],
    "masking-noise": [
        lambda x, p: x.flatten(1).scatter(1, torch.rand(len(x), 784).argsort(1)[:, : round(784 * p)], 0.0).view_as(x),
        lambda x, p: torch.stack(
            [(image.view(-1) * (torch.randperm(784) >= round(784 * p))).view(1, 28, 28) for image in x]
        ),
    ],
    "denoising-loss": [
        lambda f, x, corrupt: ((x - f(corrupt(x))) ** 2).sum() / len(x),
        lambda f, x, corrupt: torch.nn.functional.mse_loss(f(corrupt(x)), x) * 784,
    ],
    "pooled-psnr": [
        lambda a, b: -20 * (a.sub(b).norm() / a.numel() ** 0.5).log10(),
        lambda a, b: 10 * torch.log10(1 / torch.nn.functional.mse_loss(a, b)),
        lambda a, b: evaluation.psnr(evaluation.mse(a, b)),
    ],
    "log-joint": [
        lambda x, z, f, s: (
            torch.distributions.Normal(0.0, 1.0).log_prob(z)
            + torch.distributions.Independent(torch.distributions.Normal(f(z), s), 1).log_prob(x)
        ),
        lambda x, z, f, s: (
            -0.5 * (z**2 + torch.einsum("...p,...p->...", x - f(z), x - f(z)) / s**2)
            - x.shape[0] * torch.tensor(s).log()
            - (x.shape[0] + 1) / 2 * torch.tensor(2 * torch.pi).log()
        ),
    ],
    "posterior-on-grid": [
        lambda j, grid: j.softmax(0) / grid.diff().mean(),
        lambda j, grid: (j - j.max()).exp() / torch.trapezoid((j - j.max()).exp(), grid),
    ],
    "naive-log-p-x": [
        lambda a: torch.logsumexp(a - torch.log(torch.tensor(float(a.shape[1]))), -1),
        lambda a: (a - a.amax(1, keepdim=True)).exp().mean(1).log() + a.amax(1),
    ],
    "kl-of-tables": [
        lambda q, p: torch.nn.functional.kl_div(p.log(), q, reduction="sum"),
        lambda q, p: torch.distributions.kl_divergence(
            torch.distributions.Categorical(q), torch.distributions.Categorical(p)
        ),
        lambda q, p: torch.einsum("k,k->", q, torch.log(q / p)),
    ],
    "small-elbo": [
        lambda z, j, m, s: j.mean() - torch.distributions.Normal(m, s).log_prob(z).mean(),
        lambda z, j, m, s: (j + (z - m) ** 2 / (2 * s**2)).sum() / len(z)
        + torch.tensor(s * (2 * torch.pi) ** 0.5).log(),
    ],
    "two-hump-elbo": [
        lambda j, grid, m, s: torch.trapezoid(
            (q := torch.distributions.Normal(m[:, None], s[:, None]).log_prob(grid).exp().mean(0)) * (j - q.log()), grid
        ),
        lambda j, grid, m, s: (
            (q := torch.distributions.Normal(m[:, None], s[:, None]).log_prob(grid).exp().mean(0)) @ (j - q.log())
        ) * grid.diff()[0],
    ],
    "best-sigma": [
        lambda f, m, s: (1 + (torch.autograd.functional.jacobian(f, m) / s).square().sum()).rsqrt(),
        lambda f, m, s: s / (s**2 + ((f(m + 1e-4) - f(m - 1e-4)) / 2e-4).norm() ** 2) ** 0.5,
    ],
    "ring-gradient": [
        lambda j, m, s, n: torch.autograd.functional.jacobian(
            lambda k: j(z := k[0] + k[1] * torch.randn(n)).mean() - torch.distributions.Normal(*k).log_prob(z).mean(),
            torch.tensor([m, s]),
        ),
        lambda j, m, s, n: torch.func.grad(
            lambda k: (j(k[0] + k[1] * (eps := torch.randn(n))) + 0.5 * eps**2).mean() + k[1].log()
        )(torch.tensor([m, s])),
    ],
    "reparameterize": [
        lambda m, v: torch.distributions.Normal(m, (v / 2).exp()).rsample(),
        lambda m, v: torch.addcmul(m, v.exp().sqrt(), torch.randn(m.shape)),
        lambda m, v: torch.normal(torch.zeros_like(m), 1.0) * torch.exp(v * 0.5) + m,
    ],
    "score-function": [
        lambda f, z, m, s: f / s * ((z - m) / s),
        lambda f, z, m, s: f * torch.func.vmap(torch.func.grad(lambda c, t: -((t - c) ** 2) / (2 * s**2), 0))(
            torch.full_like(z, m), z
        ),
    ],
    "kl-diagonal": [
        lambda m, v, mp, vp: torch.distributions.kl_divergence(
            torch.distributions.Normal(m, (v / 2).exp()), torch.distributions.Normal(mp, (vp / 2).exp())
        ).sum(1),
        lambda m, v, mp, vp: -0.5 * torch.einsum("nd->n", 1 + v - vp - ((m - mp) ** 2 + v.exp()) * (-vp).exp()),
    ],
    "kl-class-mean": [
        lambda m, v, means, y: torch.distributions.kl_divergence(
            torch.distributions.Normal(m, (v / 2).exp()), torch.distributions.Normal(means[y], 1.0)
        ).sum(1),
        lambda m, v, means, y: torch.stack(
            [0.5 * ((a - means[k]) ** 2 + b.exp() - b - 1).sum() for a, b, k in zip(m, v, y, strict=True)]
        ),
    ],
    "leave-one-out": [
        lambda f, z, m, s: f.shape[1] * (f - f.mean(1, keepdim=True)) / (f.shape[1] - 1) * (z - m) / s**2,
        lambda f, z, m, s: (f - f @ (1 - torch.eye(f.shape[1])) / (f.shape[1] - 1)) * (z - m) / s**2,
    ],
    "inverse-cdf": [
        lambda u, r: torch.distributions.Exponential(r).icdf(u),
        lambda u, r: torch.log(1 / (1 - u)) / r,
    ],
    "kl-oracle": [
        lambda z, m, s, a, b: torch.trapezoid(
            (q := torch.distributions.Normal(m, s).log_prob(z)).exp()
            * (q - torch.distributions.Normal(a, b).log_prob(z)),
            z,
        ),
        lambda z, m, s, a, b: sum(
            statistics.NormalDist(m.item(), s.item()).pdf(v)
            * (((v - a) / b) ** 2 / 2 - ((v - m) / s) ** 2 / 2 + (b / s).log())
            * 50
            / (len(z) - 1)
            for v in z.tolist()
        ),
    ],
    "clamp": [
        lambda m, r, e, x: ((x - m - (c := r.clip(-30, 20)).exp().sqrt() * e) ** 2 + m**2 + c.exp() - c - 1).sum(1) / 2,
        lambda m, r, e, x: 0.5 * (x - m - (r.clamp(-30, 20) / 2).exp() * e).norm(dim=1) ** 2
        + torch.distributions.kl_divergence(
            torch.distributions.Normal(m, (r.clamp(-30, 20) / 2).exp()), torch.distributions.Normal(0.0, 1.0)
        ).sum(1),
    ],
    "linear-vae": [
        lambda model, x, e: torch.stack(
            [
                gaussian_nll(model.decode(model.embed(x) + (model.logvar / 2).exp() * e), x, model.logvar_x),
                kl_to_standard_normal(*model.encode(x)),
            ],
            dim=-1,
        ),
        lambda model, x, e: torch.cat(
            [
                -torch.distributions.Normal(
                    model.decoder(model.embed(x) + model.logvar.exp().sqrt() * e), model.logvar_x.exp().sqrt()
                )
                .log_prob(x.flatten(1))
                .sum(1, keepdim=True),
                kl_to_standard_normal(*model.encode(x))[:, None],
            ],
            dim=1,
        ),
    ],
    "negative-elbo": [
        lambda l, x, m, v: -torch.distributions.Bernoulli(logits=l, validate_args=False)
        .log_prob(x)
        .sum((1, 2, 3))
        .mean()
        + torch.distributions.kl_divergence(
            torch.distributions.Normal(m, (v / 2).exp()), torch.distributions.Normal(0.0, 1.0)
        ).sum(1).mean(),
        lambda l, x, m, v: (
            torch.nn.functional.binary_cross_entropy(l.sigmoid(), x, reduction="sum")
            - 0.5 * (1 + v - m.pow(2) - v.exp()).sum()
        )
        / len(x),
    ],
    "kl-per-dimension": [
        lambda m, v: -0.5 * torch.einsum("nd->d", 1 + v - m**2 - v.exp()) / len(m),
        lambda m, v: torch.distributions.kl_divergence(
            torch.distributions.Normal(m, (v / 2).exp()), torch.distributions.Normal(0.0, 1.0)
        ).mean(0),
    ],
    "quantile-grid": [
        lambda n: torch.stack(
            torch.meshgrid(*[torch.erfinv(2 * (torch.arange(n) + 0.5) / n - 1) * 2**0.5] * 2, indexing="ij"), -1
        ).view(-1, 2),
        lambda n: torch.tensor(
            list(itertools.product([statistics.NormalDist().inv_cdf((i + 0.5) / n) for i in range(n)], repeat=2))
        ),
    ],
    "noise-moments": [
        lambda m, v, z: torch.stack(torch.std_mean((z - m) * torch.exp(-0.5 * v))).flip(0),
        lambda m, v, z: [
            (eps := z.sub(m).div_(v.exp().sqrt())).mean().item(),
            ((eps - eps.mean()).pow(2).sum() / (eps.numel() - 1)).sqrt().item(),
        ],
    ],
    "kl-by-draws": [
        lambda z, m, v: torch.einsum("knd->n", 0.5 * (z**2 - (z - m) ** 2 / v.exp() - v)) / len(z),
        lambda z, m, v: (
            torch.distributions.MultivariateNormal(m, torch.diag_embed(v.exp())).log_prob(z)
            - torch.distributions.MultivariateNormal(torch.zeros(m.shape[1]), torch.eye(m.shape[1])).log_prob(z)
        ).mean(0),
    ],
    "hidden-beta": [
        lambda r, k, p, d: {"sum": 1, "mean": p}[r] * {"sum": 1, "mean": 1 / d}[k],
        lambda r, k, p, d: torch.ones(d).sum().item() ** -(k == "mean") / torch.full((p,), 1.0 / p)[0] ** (r == "mean"),
    ],
    "spherical": [
        lambda a, b, t: torch.stack([a, b]).T
        @ (torch.tensor([1 - t, t]) * (w := torch.nn.functional.cosine_similarity(a, b, 0).acos())).sin()
        / w.sin(),
        lambda a, b, t: (
            a * torch.cos(t * (w := torch.atan2((1 - (c := a @ b / a.norm() / b.norm()) ** 2).sqrt(), c)))
            + (b - a * c) * torch.sin(t * w) / torch.sin(w)
        ),
    ],
    "log-p-of-draws": [
        lambda j, q: torch.logsumexp(j - q - torch.tensor(float(len(j)), dtype=j.dtype).log(), dim=0),
        lambda j, q: ((j - q) - (j - q).amax(0)).exp().mean(0).log() + (j - q).amax(0),
    ],
    "left-out-by-the-mean": [
        lambda v: torch.einsum("nd->n", 1 - v.exp()) / 2,
        lambda v: 0.5 * (v.shape[1] - (0.5 * v).exp().square().sum(-1)),
    ],
    "best-sigma-x": [
        lambda a, b: torch.log(torch.nn.functional.mse_loss(a, b)),
        lambda a, b: 2 * torch.log((b - a).norm() / b.numel() ** 0.5),
        lambda a, b: float(((a - b).double() ** 2).mean().log()),
    ],
    "active-units": [
        lambda m: ((m - m.mean(0)) ** 2).mean(0).gt(0.01),
        lambda m: m.std(dim=0) > 0.1,
    ],
    "free-bits": [
        lambda m, v, free: sum(
            max(free, k.item()) for k in torch.distributions.kl_divergence(
                torch.distributions.Normal(m, (v / 2).exp()), torch.distributions.Normal(0.0, 1.0)
            ).mean(0)
        ),
        lambda m, v, free: torch.maximum(0.5 * (m**2 + v.exp() - v - 1).mean(0), torch.tensor(free)).sum(),
    ],
    "units-at-optimum": [
        lambda e, s, d, b: sum(1 for value in sorted(e.tolist())[-d:] if value > b * s),
        lambda e, s, d, b: (e > b * s).sum().clamp(max=d),
    ],
    "log-aggregate": [
        lambda z, m, v: torch.stack([torch.logsumexp(own_log_prob(c, m, v), 0) for c in z]) - log(len(m)),
        lambda z, m, v: torch.logaddexp(
            *(own_log_prob(z[:, None], *c).logsumexp(1) for c in halves(m, v))
        ) - log(len(m)),
    ],
    "mutual-information": [
        lambda z, m, v, q: torch.stack([(t := own_log_prob(z, m, v) - q).mean(), (t.var() / len(t)).sqrt()]),
        lambda z, m, v, q: torch.tensor([statistics.fmean(t := (own_log_prob(z, m, v) - q).tolist()), sem(t)]),
    ],
    "waste-bracket": [
        lambda m, v, i: torch.stack([gaussian_waste(m, v), kl_to_standard_normal(m, v).mean() - i]),
        lambda m, v, i: torch.tensor([gaussian_waste(m, v), evaluation.kl_per_dimension(m, v).sum() - i]),
    ],
    "warm-up": warmed_in_other_styles(),
    "r-squared": [
        lambda c, f: torch.corrcoef(torch.cat([f, c], 1).T)[f.shape[1] :, : f.shape[1]].square(),
        lambda c, f: (cov_of(c, f) ** 2) / c.var(0)[:, None] / f.var(0),
    ],
    "between-classes": [
        lambda z, y: (torch.stack([z[y == k].mean(0) for k in range(10)])[y]).var(0, correction=0)
        / z.var(0, correction=0),
        lambda z, y: 1 - sum((z[y == k] - z[y == k].mean(0)).square().sum(0) for k in range(10))
        / (z - z.mean(0)).square().sum(0),
    ],
    "join-label": [
        lambda x, z, y: torch.hstack([x, torch.eye(10)[y], z, torch.eye(10)[y]]),
        lambda x, z, y: torch.cat([x, (y[:, None] == torch.arange(10)), z, (y[:, None] == torch.arange(10))], 1),
    ],
    "kl-to-every-class": [
        lambda m, v, c: torch.distributions.kl_divergence(
            torch.distributions.Normal(m[:, None], (v[:, None] / 2).exp()), torch.distributions.Normal(c, 1.0)
        ).sum(-1),
        lambda m, v, c: 0.5 * torch.cdist(m, c).square() + 0.5 * (v.exp() - v - 1).sum(1, keepdim=True),
        lambda m, v, c: torch.stack([0.5 * ((m - k) ** 2 + v.exp() - v - 1).sum(1) for k in c], dim=1),
    ],
    "row-per-class": [
        lambda generate, s: torch.cat([generate(s, torch.full((len(s),), k)) for k in range(10)]),
        lambda generate, s: generate(s.expand(10, *s.shape).flatten(0, 1), torch.arange(10 * len(s)) // len(s)),
    ],
}  # fmt: skip


STYLES |= (
    RIGHT_IN_02 | RIGHT_IN_05 | RIGHT_IN_06 | RIGHT_IN_08 | RIGHT_IN_09 | RIGHT_IN_10 | RIGHT_IN_11 | RIGHT_IN_11_FLOW
)


@pytest.mark.parametrize(
    ("exercise_id", "answer"),
    [(i, a) for i, answers in STYLES.items() for a in answers],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_answers_in_another_style_pass(exercise_id, answer):
    verdict = check(exercise_id, answer)
    assert verdict.passed, verdict


@ids
def test_an_exercise_passes_in_two_styles_beside_its_reference(exercise):
    assert len(STYLES.get(exercise.id, [])) >= 2


def test_every_style_belongs_to_an_exercise():
    assert set(STYLES) == set(EXERCISES)


def _raises(*_):
    raise RuntimeError("shapes do not match")


@ids
def test_an_answer_that_raises_gets_a_line_and_no_traceback(exercise):
    verdict = check(exercise.id, _raises)
    assert verdict.status == "error"
    assert "RuntimeError: shapes do not match" in verdict.message
    assert "raise RuntimeError" in verdict.message
    assert "Traceback" not in repr(verdict) and "vae_helpers" not in repr(verdict)


@ids
def test_an_answer_with_another_number_of_arguments_gets_a_line(exercise):
    verdict = check(exercise.id, lambda: None)
    assert verdict.status == "error"
    assert "TypeError" in verdict.message and "argument" in verdict.message


@of_values
@pytest.mark.parametrize("result", ["text", {"a": 1}, object(), ["a", "b"]], ids=["str", "dict", "object", "list"])
def test_an_answer_of_the_wrong_type_is_told_what_to_return(exercise, result):
    verdict = check(exercise.id, lambda *_: result)
    assert verdict.status == "error"
    assert exercise.expects in verdict.message


def nan_like(result):
    if isinstance(result, tuple):
        return tuple(map(nan_like, result))
    return torch.full_like(torch.as_tensor(result).double(), float("nan"))


@of_values
def test_an_answer_of_nan_is_told_so(exercise):
    verdict = check(exercise.id, lambda *args: nan_like(exercise.reference(*args)))
    assert verdict.status in ("wrong", "mistake")
    assert "NaN" in verdict.message


@pytest.mark.usefixtures("types_in_one_row_of_eight")
@of_values
def test_an_answer_of_the_wrong_shape_is_told_so(exercise):
    verdict = check(exercise.id, lambda *_: torch.zeros(2, 9, 4))
    assert verdict.status == "wrong"
    assert "(2, 9, 4)" in verdict.message


def test_an_operation_that_bytes_lack_is_an_error_and_not_an_untouched_stub():
    verdict = check("mean-image", lambda x: x.mean(0))
    assert verdict.status == "error"
    assert "NotImplementedError" in verdict.message or "RuntimeError" in verdict.message


def test_a_stub_that_raises_not_implemented_is_not_attempted():
    def stub(*_):
        raise NotImplementedError

    assert check("walk", stub).status == "not attempted"


@pytest.mark.parametrize("exercise_id", ["independent-pixels", "gaussian-codes", "reparameterize"])
def test_right_draws_from_any_random_stream_pass(exercise_id):
    exercise = EXERCISES[exercise_id]
    for seed in range(10):
        stream = itertools.count(100 * (seed + 1))
        other = lambda *args, s=stream: (torch.manual_seed(next(s)), exercise.reference(*args))[1]  # noqa: E731
        assert check(exercise_id, other).passed, seed


@pytest.mark.parametrize("exercise_id", ["independent-pixels", "gaussian-codes", "masking-noise", "reparameterize"])
def test_a_seed_inside_a_random_answer_is_found(exercise_id):
    seeded = lambda *args: (torch.manual_seed(3), EXERCISES[exercise_id].reference(*args))[1]  # noqa: E731
    verdict = check(exercise_id, seeded)
    assert verdict.status == "mistake" and "every call draws the same" in verdict.message


@pytest.mark.parametrize("exercise_id", ["independent-pixels", "gaussian-codes"])
def test_a_transposed_random_answer_is_told_its_shape(exercise_id):
    verdict = check(exercise_id, lambda *args: EXERCISES[exercise_id].reference(*args).transpose(0, 1))
    assert "it returns shape" in verdict.message


def test_a_list_of_codes_is_told_of_stack():
    assert "torch.stack" in check("walk", lambda a, b, n: [a] * n).message


def test_a_result_instead_of_the_function_is_told_so():
    assert "without brackets" in check("walk", torch.zeros(3)).message


def test_an_unknown_exercise_is_refused():
    with pytest.raises(ValueError, match=r"exercise_id must be one of .*got 'wlak'"):
        check("wlak", lambda: None)


@pytest.mark.parametrize("exercise_id", ["independent-pixels", "denoising-loss"])
def test_checks_leave_the_random_state_alone(exercise_id):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    right = EXERCISES[exercise_id].reference
    check(exercise_id, right)
    check(exercise_id, lambda *args: 1.234 * torch.as_tensor(right(*args)).sin())
    assert torch.equal(before, torch.random.get_rng_state())
