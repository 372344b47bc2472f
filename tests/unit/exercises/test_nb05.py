"""What the exercises of notebook 05 must tell apart: wrong answers, what is said of each, and right ones."""

from contextlib import nullcontext
from functools import partial

from vae_helpers.data import to_float
from vae_helpers.exercises import check
from vae_helpers.losses import Loss, bernoulli_nll, kl_to_standard_normal, reparameterize
from vae_helpers.models import VAE, mlp

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence
from torch.utils.data import DataLoader, TensorDataset


def network(**parts):
    """A class as the stub asks for, but for the parts that are given."""

    def init(self, latent_dim, hidden=(400,)):
        nn.Module.__init__(self)
        self.latent_dim = latent_dim
        self.encoder, self.decoder = make_encoder(latent_dim, hidden), make_decoder(latent_dim, hidden)

    make_encoder = parts.pop("encoder", lambda d, hidden: mlp(784, *hidden, 2 * d))
    make_decoder = parts.pop("decoder", lambda d, hidden: mlp(d, *reversed(hidden), 784))
    methods = {
        "encode": lambda self, x: halves(self.encoder(x.flatten(1))),
        "decode": lambda self, z, y=None: self.decoder(z).unflatten(1, (1, 28, 28)),
        "embed": lambda self, x: self.encode(x)[0],
        "generate": lambda self, z, y=None: self.decode(z).sigmoid(),
    }
    return type("MyVAE", (nn.Module,), {"__init__": init, **methods, **parts})


def halves(h):
    mu, logvar = h.chunk(2, dim=1)
    return mu, logvar.clamp(-30, 20)


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
NETWORKS_RIGHT = [
    VAE,
    network(),
    network(
        encode=lambda self, x: (
            self.encoder(x.view(len(x), -1))[:, : self.latent_dim],
            self.encoder(x.reshape(-1, 784))[:, self.latent_dim :].clip(min=-30, max=20),
        ),
        decode=lambda self, z, y=None: torch.stack([row.reshape(1, 28, 28) for row in self.decoder(z)]),
        generate=lambda self, z, y=None: 1 / (1 + torch.exp(-self.decode(z))),
        embed=lambda self, x: self.encoder(x.flatten(1))[:, : self.latent_dim],
    ),
    network(
        encoder=lambda d, hidden: nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, hidden[0]),
            nn.ReLU(),
            nn.Linear(hidden[0], hidden[1]),
            nn.ReLU(),
            nn.Linear(hidden[1], 2 * d),
        ),
        encode=lambda self, x: halves(self.encoder(x)),
    ),
]


def loss(draw=reparameterize, nll=bernoulli_nll, kl=kl_to_standard_normal, end=lambda r, k: Loss(r.mean(), k.mean())):
    """A right loss, but for the parts that are given."""

    def answer(model, x, y=None):
        mu, logvar = model.encode(x)
        return end(nll(model.decode(draw(mu, logvar)), x), kl(mu, logvar))

    return answer


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


def by_distributions(model, x, y=None):
    mu, logvar = model.encode(x)
    q = Independent(Normal(mu, (logvar / 2).exp()), 1)
    p = Independent(Bernoulli(logits=model.decode(q.rsample()), validate_args=False), 3)
    prior = Independent(Normal(0 * mu, 1 + 0 * mu), 1)
    return Loss(reconstruction=-p.log_prob(x).sum() / len(x), kl=kl_divergence(q, prior).mean())


def in_doubles(model, x, y=None):
    mu, logvar = (t.double() for t in model.encode(x))
    z = mu + logvar.exp().sqrt() * torch.randn(mu.shape, dtype=torch.float64)
    p = model.decode(z.float()).double().sigmoid()
    nats = torch.einsum("nchw->", -(x * p.log() + (1 - x) * (1 - p).log()))
    return Loss(nats / len(x), -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum() / len(x))


def one_by_one(model, x, y=None):
    mu, logvar = model.encode(x)
    logits = model.decode(reparameterize(mu, logvar))
    each = [F.binary_cross_entropy_with_logits(a, b, reduction="sum") for a, b in zip(logits, x, strict=True)]
    return Loss(sum(each) / len(x), kl_to_standard_normal(mu, logvar).sum() / len(x))


def epoch(order=torch.randperm, step=None, account=None, result=None, cast=to_float, total=lambda parts: parts.total):
    """A right epoch, but for the parts that are given."""

    def usual(value, optimizer):
        optimizer.zero_grad()
        value.backward()
        optimizer.step()

    def answer(model, loss, images, optimizer, batch_size):
        sums, batches = torch.zeros(2), order(len(images)).split(batch_size)
        for index in batches:
            parts = loss(model, cast(images[index]))
            (step or usual)(total(parts), optimizer)
            values = torch.stack([parts.reconstruction, parts.kl]).detach()
            sums += values if account else values * len(index)
        return result(sums, len(images)) if result else Loss(*(sums / (account or len(images))).tolist())

    return answer


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


def by_loader(model, loss, images, optimizer, batch_size):
    parts = []
    for (batch,) in DataLoader(TensorDataset(images), batch_size, shuffle=True):
        optimizer.zero_grad(set_to_none=False)
        value = loss(model, batch / 255)
        value.total.backward()
        optimizer.step()
        parts += [(value.reconstruction.item(), value.kl.item())] * len(batch)
    return Loss(*np.mean(parts, axis=0))


def by_while(model, loss, images, optimizer, batch_size):
    floats, done, r, k = images[torch.randperm(len(images))].float().div_(255), 0, 0.0, 0.0
    while done < len(floats):
        batch = floats[done : done + batch_size]
        model.zero_grad()
        value = loss(model, batch)
        (value.reconstruction + value.kl).backward()
        optimizer.step()
        done += len(batch)
        r += float(value.reconstruction.detach()) * len(batch)
        k += float(value.kl.detach()) * len(batch)
    return Loss(torch.tensor(r / done), torch.tensor(k / done))


def score(split=torch.split, cast=to_float, quiet=torch.no_grad, weigh=len, end=lambda r, k, n: Loss(r / n, k / n)):
    """A right score, but for the parts that are given."""

    def answer(model, loss, images, batch_size):
        r, k = 0.0, 0.0
        with quiet():
            for part in split(images, batch_size):
                parts = loss(model, cast(part))
                r, k = r + parts.reconstruction * weigh(part), k + parts.kl * weigh(part)
        return end(float(r), float(k), len(images))

    return answer


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
    (score(end=lambda r, k, n: (r + k) / n), "return both parts"),
    (score(end=lambda r, k, n: Loss(k / n, r / n)), "changed places"),
    (score(end=lambda r, k, n: None), "returns nothing"),
    (switched_off, "switched off"),
    (still_training, "not the same afterwards"),
]


@torch.no_grad()
def by_lists(model, loss, images, batch_size):
    parts = [(len(b), loss(model, b / 255)) for b in images.split(batch_size)]
    return Loss(*(sum(n * p[i] for n, p in parts) / len(images) for i in range(2)))


def by_weights(model, loss, images, batch_size):
    with torch.inference_mode():
        batches = [to_float(images[i : i + batch_size]) for i in range(0, len(images), batch_size)]
        values = torch.tensor([loss(model, b)[:2] for b in batches], dtype=torch.float64)
        shares = torch.tensor([len(b) / len(images) for b in batches], dtype=torch.float64)
    return Loss(*(shares @ values).tolist())


def drawing(codes=torch.randn, toss=torch.bernoulli, x_hat=lambda model, z: model.generate(z)):
    """Right draws of pixels, but for the parts that are given."""
    return lambda model, n, device: toss(x_hat(model, codes(n, model.latent_dim)))


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
PIXELS_RIGHT = [
    drawing(),
    drawing(toss=lambda p: (torch.rand_like(p) < p).float()),
    lambda model, n, device: Bernoulli(logits=model.decode(torch.randn(n, 3))).sample(),
    lambda model, n, device: torch.cat([drawing()(model, 1, device) for _ in range(n)]),
    lambda model, n, device: torch.from_numpy(
        np.random.default_rng().binomial(1, model.generate(torch.normal(0, 1, (n, 3)))).astype("float32")
    ),
]


SEEDED = partial(GaussianMixture, random_state=0)


def two_step(draw=reparameterize, kind=SEEDED, order=torch.randperm, end=None):
    """The recipe done right, but for the parts that are given."""

    def answer(mu, logvar, k, n):
        new, _ = kind(k).fit(draw(mu, logvar).double().numpy()).sample(n)
        return (end or (lambda z: z.float()))(torch.from_numpy(new)[order(n)])

    return answer


def old_codes(mu, logvar, k, n):
    return reparameterize(mu, logvar)[torch.randint(len(mu), (n,))]


def with_a_seed(*args):
    torch.manual_seed(0)
    return two_step()(*args)


def per_group(mu, logvar, k, n):
    """A mixture drawn from by hand."""
    codes = (mu + logvar.mul(0.5).exp() * torch.randn(mu.shape)).numpy()
    g = GaussianMixture(n_components=k, n_init=2).fit(codes)
    which = np.random.default_rng().choice(k, n, p=g.weights_)
    roots = np.linalg.cholesky(g.covariances_)[which]
    new = g.means_[which] + np.einsum("nij,nj->ni", roots, np.random.default_rng().standard_normal((n, codes.shape[1])))
    return torch.tensor(new, dtype=torch.float32)


MIXTURES = [
    (two_step(draw=lambda m, v: m), "fitted to the means μ"),
    (two_step(draw=lambda m, v: m + v.exp() * torch.randn_like(m)), "multiplied by σ²"),
    (two_step(draw=lambda m, v: m + torch.randn_like(m)), "how wide each cloud is"),
    (two_step(draw=lambda m, v: m + v * torch.randn_like(m)), "log σ² itself"),
    (two_step(draw=lambda m, v: m + torch.exp(v / 2) * torch.randn(len(m), 1)), "one ε serves all dimensions"),
    (two_step(draw=lambda m, v: m + torch.exp(v / 2) * torch.rand_like(m)), "the new codes' mean"),
    (two_step(kind=lambda k: GaussianMixture(k, covariance_type="diag")), "no covariances"),
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
MIXTURES_RIGHT = [
    two_step(),
    two_step(kind=GaussianMixture, draw=lambda m, v: Normal(m, torch.exp(v / 2)).sample()),
    two_step(kind=lambda k: BayesianGaussianMixture(n_components=k, random_state=1)),
    per_group,
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
RIGHT = {
    "vae": NETWORKS_RIGHT,
    "vae-loss": [loss(), by_distributions, in_doubles, one_by_one],
    "vae-epoch": [epoch(), by_loader, by_while],
    "test-score": [score(), by_lists, by_weights, lambda *given: by_rows(*given)],
    "pixel-draws": PIXELS_RIGHT,
    "two-step": MIXTURES_RIGHT,
    "measured-beta": [
        lambda r, k, a, b: k * a / (b * r),
        lambda r, k, a, b: torch.exp(torch.log(torch.tensor([k, a])).sum() - torch.log(torch.tensor([b, r])).sum()),
        lambda r, k, a, b: np.divide(k, b) / np.divide(r, a),
    ],
}


def by_rows(model, loss, images, batch_size):
    """By a generator, and without a counter."""
    with torch.no_grad():
        parts = [loss(model, to_float(b)) for b in images.split(batch_size)]
    each = torch.cat(
        [torch.tensor(p[:2]).expand(len(b), 2) for p, b in zip(parts, images.split(batch_size), strict=True)]
    )
    return Loss(*each.mean(0).unbind())


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
