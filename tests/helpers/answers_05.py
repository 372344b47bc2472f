"""Right answers to the exercises of notebook 05, in several styles, and builders of wrong ones."""

from functools import partial

from vae_helpers.data import to_float
from vae_helpers.losses import Loss, bernoulli_nll, kl_to_standard_normal, reparameterize
from vae_helpers.models import VAE, mlp

import numpy as np
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


def per_group(mu, logvar, k, n):
    """A mixture drawn from by hand."""
    codes = (mu + logvar.mul(0.5).exp() * torch.randn(mu.shape)).numpy()
    g = GaussianMixture(n_components=k, n_init=2).fit(codes)
    which = np.random.default_rng().choice(k, n, p=g.weights_)
    roots = np.linalg.cholesky(g.covariances_)[which]
    new = g.means_[which] + np.einsum("nij,nj->ni", roots, np.random.default_rng().standard_normal((n, codes.shape[1])))
    return torch.tensor(new, dtype=torch.float32)


MIXTURES_RIGHT = [
    two_step(),
    two_step(kind=GaussianMixture, draw=lambda m, v: Normal(m, torch.exp(v / 2)).sample()),
    two_step(kind=lambda k: BayesianGaussianMixture(n_components=k, random_state=1)),
    per_group,
]


def by_rows(model, loss, images, batch_size):
    """By a generator, and without a counter."""
    with torch.no_grad():
        parts = [loss(model, to_float(b)) for b in images.split(batch_size)]
    each = torch.cat(
        [torch.tensor(p[:2]).expand(len(b), 2) for p, b in zip(parts, images.split(batch_size), strict=True)]
    )
    return Loss(*each.mean(0).unbind())


RIGHT = {
    "vae": NETWORKS_RIGHT,
    "vae-loss": [loss(), by_distributions, in_doubles, one_by_one],
    "vae-epoch": [epoch(), by_loader, by_while],
    "test-score": [score(), by_lists, by_weights, by_rows],
    "pixel-draws": PIXELS_RIGHT,
    "two-step": MIXTURES_RIGHT,
    "measured-beta": [
        lambda r, k, a, b: k * a / (b * r),
        lambda r, k, a, b: torch.exp(torch.log(torch.tensor([k, a])).sum() - torch.log(torch.tensor([b, r])).sum()),
        lambda r, k, a, b: np.divide(float(k), float(b)) / np.divide(float(r), float(a)),
    ],
}
