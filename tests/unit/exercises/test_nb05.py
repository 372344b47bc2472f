"""What the exercises of notebook 05 must tell apart: wrong answers, what is said of each, and right ones."""

from contextlib import nullcontext

from vae_helpers import exercises
from vae_helpers.exercises import check
from vae_helpers.losses import Loss, kl_to_standard_normal, reparameterize
from vae_helpers.models import VAE, mlp

import pytest
import torch
import torch.nn.functional as F
from sklearn.mixture import GaussianMixture
from torch import nn
from torch.distributions import Normal

from execute import read
from helpers.answers_05 import RIGHT, drawing, epoch, halves, loss, network, score, two_step
from helpers.cells import tags
from helpers.places import ROOT


def encoding(f):
    return network(encode=lambda self, x: f(self.encoder(x.flatten(1))))


NETWORKS = [
    (encoding(lambda h: halves(h)[::-1]), "changed places"),
    (encoding(lambda h: h.chunk(2, dim=1)), "not clamped"),
    (encoding(lambda h: (h[:, :3], h[:, 3:].clamp(max=20))), "not clamped on both sides"),
    (encoding(lambda h: (halves(h)[0], halves(h)[1].exp())), "σ² is returned"),
    (encoding(lambda h: (halves(h)[0], (halves(h)[1] / 2).exp())), "σ is returned"),
    (encoding(lambda h: (h[:, ::2], h[:, 1::2].clamp(-30, 20))), "every other number"),
    (encoding(lambda h: h.chunk(2)), "shapes (1, 6) and (1, 6)"),
    (encoding(lambda h: h), "two tensors are asked for"),
    (encoding(lambda h: (*halves(h), 0 * halves(h)[0])), "3 things"),
    (encoding(lambda h: (halves(h)[0].relu(), halves(h)[1])), "μ passes a ReLU"),
    (encoding(lambda h: tuple(t.detach() for t in halves(h))), "no gradient reaches the encoder"),
    (network(encode=lambda self, x: halves(self.encoder((1 - x).flatten(1)))), "another input"),
    (network(encode=lambda self, x: halves(self.encoder(x))), "shapes"),
    (network(encoder=lambda d, hidden: mlp(784, *hidden, d)), "it needs two"),
    (network(decoder=lambda d, hidden: mlp(d, *hidden, 784)), "3 → 16 → 8 → 784"),
    (network(decoder=lambda d, hidden: mlp(2 * d, *reversed(hidden), 784)), "6 → 8 → 16 → 784"),
    (network(encoder=lambda d, hidden: mlp(784, *hidden, 2 * d).append(nn.ReLU())), "ends in ReLU"),
    (network(encoder=lambda d, hidden: mlp(784, *hidden, 2 * d, activation=nn.Tanh)), "bends by Tanh"),
    (network(decode=lambda self, z, y=None: self.decoder(z).sigmoid().unflatten(1, (1, 28, 28))), "sigmoid in decode"),
    (network(decode=lambda self, z, y=None: self.decoder(z)), "decode returns shape (2, 784)"),
    (network(decode=lambda self, z, y=None: self.decoder(z).view(-1, 1, 28, 28).mT), "transposed"),
    (network(generate=lambda self, z, y=None: self.decode(z)), "no sigmoid"),
    (network(generate=lambda self, z, y=None: self.decode(z).sigmoid().sigmoid()), "applied twice"),
    (network(generate=lambda self, z, y=None: torch.bernoulli(self.decode(z).sigmoid())), "tosses each pixel"),
    (network(embed=lambda self, x: reparameterize(*self.encode(x))), "embed draws a code"),
    (network(embed=lambda self, x: self.encode(x)), "together"),
    (network(generate=lambda self, z, y=None: None), "generate returns nothing yet"),
]


def by_pixel(x_logits, x):
    return F.binary_cross_entropy_with_logits(x_logits, x, reduction="none")


LOSSES = [
    (loss(draw=lambda m, v: m), "nothing is drawn"),
    (loss(draw=lambda m, v: m + v.exp() * torch.randn_like(m)), "exp(log σ²) is σ²"),
    (loss(draw=lambda m, v: m + torch.exp(v / 2) * torch.rand_like(m)), "rand"),
    (loss(draw=lambda m, v: m + torch.exp(v / 2) * torch.randn(m.shape[1])), "one ε serves the whole batch"),
    (loss(draw=lambda m, v: reparameterize(m, v).detach()), "no gradient arrives"),
    (loss(draw=lambda m, v: Normal(m, torch.exp(v / 2)).sample()), "no gradient arrives"),
    (loss(nll=lambda a, x: by_pixel(a, x).mean((1, 2, 3))), "784"),
    (loss(nll=lambda a, x: by_pixel(a.sigmoid(), x).flatten(1).sum(1)), "sigmoid was applied twice"),
    (loss(end=lambda r, k: Loss(r.mean(), -k.mean())), "sign of the KL"),
    (loss(end=lambda r, k: Loss(r.sum(), k.sum())), "sum over the batch"),
    (loss(end=lambda r, k: Loss(r.sum(), k.mean())), "the KL averaged"),
    (loss(kl=lambda m, v: kl_to_standard_normal(m, v) / m.shape[1]), "averaged over the latent dimensions"),
    (loss(kl=lambda m, v: 2 * kl_to_standard_normal(m, v)), "½"),
    (loss(kl=lambda m, v: kl_to_standard_normal(v, m)), ""),
    (loss(end=lambda r, k: Loss(k.mean(), r.mean())), "changed places"),
    (loss(end=lambda r, k: Loss((r + k).mean(), 0 * k.mean())), "its two parts are not"),
    (loss(end=lambda r, k: (r + k).mean()), "return both parts by name"),
    (loss(end=lambda r, k: Loss(r.mean())), "the KL is missing"),
    (loss(end=lambda r, k: Loss(r, k)), "one value per image"),
    (loss(end=lambda r, k: Loss(r.mean(), k.mean(), 0.5)), "β = 0.5"),
]


def never_cleared(value, optimizer):
    value.backward()
    optimizer.step()


def step_first(value, optimizer):
    optimizer.step()
    optimizer.zero_grad()
    value.backward()


def cleared_too_late(value, optimizer):
    value.backward()
    optimizer.zero_grad()
    optimizer.step()


EPOCHS = [
    (epoch(step=never_cleared), "never cleared"),
    (epoch(step=step_first), "steps between a loss and its backward"),
    (epoch(step=cleared_too_late), "cleared between backward and step"),
    (epoch(total=lambda parts: parts.reconstruction), "reconstruction alone"),
    (epoch(total=lambda parts: parts.kl), "KL alone"),
    (epoch(total=lambda parts: parts.total / 784), "divided by 784"),
    (epoch(order=torch.arange), "nothing is shuffled"),
    (epoch(order=lambda n: torch.randint(n, (n,))), "an order without repetition"),
    (epoch(cast=lambda x: x.float()), "floats up to 255"),
    (epoch(cast=lambda x: x), "whole numbers up to 255"),
    (epoch(account=3), "each batch weighs the same"),
    (epoch(account=1), "sum over batches"),
    (epoch(result=lambda sums, n: Loss(*sums.tolist())), "sum over images"),
    (epoch(result=lambda sums, n: (sums.sum() / n).item()), "return both parts"),
    (epoch(result=lambda sums, n: tuple((sums / n).tolist())), ""),
    (epoch(result=lambda sums, n: Loss(*(sums / n).flip(0).tolist())), "changed places"),
    (epoch(result=lambda sums, n: None), "returns nothing"),
]


def switched_off(model, *rest):
    torch.set_grad_enabled(False)
    return score(quiet=nullcontext)(model, *rest)


def still_training(model, loss, images, batch_size):
    for weight in model.parameters():
        weight.data -= 0.1
    return score()(model, loss, images, batch_size)


SCORES = [
    (score(weigh=lambda part: 1, end=lambda r, k, n: Loss(r / 3, k / 3)), "each batch weighs the same"),
    (score(split=lambda x, b: x.split(b)[:-1]), "last, smaller batch is left out"),
    (score(split=lambda x, b: [x]), "a large set does not fit"),
    (score(split=lambda x, b: [x[:b]]), "7 of 11 images are never scored"),
    (score(quiet=torch.enable_grad), "a graph is kept"),
    (score(cast=lambda x: x.float()), "floats up to 255"),
    (score(cast=lambda x: x), "whole numbers"),
    (score(end=lambda r, k, n: Loss(r, k)), "sum over images"),
    (score(end=lambda r, k, n: Loss(r / 3, k / 3)), "divide by the images"),
    (score(end=lambda r, k, n: Loss(r / 12, k / 12)), "the last batch holds fewer"),
    (score(end=lambda r, k, n: (r + k) / n), "return both parts"),
    (score(end=lambda r, k, n: Loss(k / n, r / n)), "changed places"),
    (score(end=lambda r, k, n: None), "returns nothing"),
    (switched_off, "switched off"),
    (still_training, "not the same afterwards"),
]


def seeded(model, n, device):
    torch.manual_seed(0)
    return drawing()(model, n, device)


PIXELS = [
    (drawing(toss=lambda p: p), "that is x̂"),
    (drawing(toss=torch.round), "rounded"),
    (drawing(toss=lambda p: (p > 0.5).float()), "rounded"),
    (drawing(codes=torch.rand), "rand is uniform"),
    (drawing(codes=lambda n, d: 2 * torch.randn(n, d)), "spread 2"),
    (drawing(codes=lambda n, d: 3.4 * torch.rand(n, d) - 1.7), "no code lies far out"),
    (drawing(codes=lambda n, d: torch.randn(d).expand(n, d)), "one code serves all images"),
    (drawing(codes=lambda n, d: torch.randn(n, 1).expand(n, d)), "one number serves all dimensions"),
    (drawing(toss=lambda p: (torch.rand_like(p) > p).float()), "exchanged"),
    (drawing(toss=lambda p: (torch.rand(len(p), 1, 1, 1) < p).float()), "all pixels of an image"),
    (drawing(toss=lambda p: (torch.rand(1, 1, 28, 28) < p).float()), "serves all images"),
    (drawing(x_hat=lambda model, z: model.generate(z).sigmoid()), "applied twice"),
    (drawing(toss=lambda p: (torch.randn_like(p) < p).float()), "of the pixels are black"),
    (drawing(toss=lambda p: torch.bernoulli(p).bool()), "bool"),
    (drawing(toss=lambda p: torch.bernoulli(p)[:, 0]), "shape"),
    (lambda model, n, device: torch.bernoulli(torch.rand(n, 1, 28, 28)), "never asked"),
    (seeded, "a seed is set inside"),
]


def old_codes(mu, logvar, k, n):
    return reparameterize(mu, logvar)[torch.randint(len(mu), (n,))]


def with_a_seed(*args):
    torch.manual_seed(0)
    return two_step()(*args)


MIXTURES = [
    (two_step(draw=lambda m, v: m), "fitted to the means μ"),
    (two_step(draw=lambda m, v: m + v.exp() * torch.randn_like(m)), "multiplied by σ²"),
    (two_step(draw=lambda m, v: m + torch.randn_like(m)), "how wide each cloud is"),
    (two_step(draw=lambda m, v: m + v * torch.randn_like(m)), "log σ² itself"),
    (two_step(draw=lambda m, v: m + torch.exp(v / 2) * torch.randn(len(m), 1)), "one ε serves all dimensions"),
    (two_step(draw=lambda m, v: m + torch.exp(v / 2) * torch.rand_like(m)), "the new codes' mean"),
    (two_step(kind=lambda k: GaussianMixture(k, covariance_type="diag")), "no covariances"),
    (two_step(kind=lambda k: GaussianMixture(k, covariance_type="tied")), "share one covariance"),
    (two_step(kind=lambda k: GaussianMixture(1)), "that is one Gaussian"),
    (two_step(kind=lambda k: GaussianMixture(2, random_state=0)), "k does not enter"),
    (two_step(order=torch.arange), "group by group"),
    (two_step(end=lambda z: z), "float64"),
    (two_step(end=lambda z: z.float()[:100]), "shape"),
    (lambda m, v, k, n: GaussianMixture(k).fit(m.numpy()).sample(n), "a tuple"),
    (lambda m, v, k, n: GaussianMixture(k).fit(m.numpy()).sample(n)[0], "torch.from_numpy"),
    (lambda m, v, k, n: torch.randn(n, 3), "know nothing of the images"),
    (old_codes, "old codes"),
    (with_a_seed, "a seed is set inside"),
]


BETAS = [
    (lambda r, k, a, b: (r / a) / (k / b), "upside down"),
    (lambda r, k, a, b: k / b, "the KL's own weight"),
    (lambda r, k, a, b: r / a, ""),
    (lambda r, k, a, b: k / r, "shared out"),
    (lambda r, k, a, b: k * r / a / b, "multiplied"),
    (lambda r, k, a, b: (k / a) / (r / b), ""),
    (lambda r, k, a, b: 784 * (k / b) / (r / a), "784"),
    (lambda r, k, a, b: ((k / b) / (r / a)).log(), "logarithm"),
    (lambda r, k, a, b: (k / b) - (r / a), ""),
]


WRONG = {
    "vae": NETWORKS,
    "vae-loss": LOSSES,
    "vae-epoch": EPOCHS,
    "test-score": SCORES,
    "pixel-draws": PIXELS,
    "two-step": MIXTURES,
    "measured-beta": BETAS,
}


@pytest.mark.parametrize(
    ("exercise", "answer", "said"),
    [pytest.param(name, *row, id=f"{name}-{i}") for name, rows in WRONG.items() for i, row in enumerate(rows)],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_wrong_answer_is_told_what_is_wrong_with_it(exercise, answer, said, seed):
    verdict = check(exercise, answer, seed=seed)
    assert not verdict.passed
    assert said in verdict.message


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [pytest.param(name, answer, id=f"{name}-{i}") for name, rows in RIGHT.items() for i, answer in enumerate(rows)],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_right_answer_passes_whatever_its_style(exercise, answer, seed):
    verdict = check(exercise, answer, seed=seed)
    assert verdict.passed, verdict


def test_the_class_of_the_solution_is_the_packages_but_for_its_likelihood():
    """What a learner writes in notebook 05 has the weights that 06 and 07 load, by name."""
    nb = read(ROOT / "notebooks" / "05_vae.ipynb")
    (cell,) = (c for c in nb.cells if {"exercise-vae", "solution"} <= tags(c))
    names = {"nn": nn, "mlp": mlp, "exercises": exercises}
    exec(cell.source, names)
    own, packaged = names["SolutionVAE"](3, (8,)), VAE(3, (8,))
    assert [(n, p.shape) for n, p in own.named_parameters()] == [(n, p.shape) for n, p in packaged.named_parameters()]
    assert str(own.encoder) == str(packaged.encoder)
    assert str(own.decoder) == str(packaged.decoder)
