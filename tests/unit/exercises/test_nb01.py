"""What the exercises of notebook 01 must tell apart: wrong answers, what is said of each, and right ones."""

from vae_helpers.exercises import check
from vae_helpers.models import Autoencoder, mlp

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import MultivariateNormal
from torch.utils.data import DataLoader, TensorDataset

from execute import read
from helpers.cells import tags
from helpers.places import ROOT
from notebooks.test_taught_definitions import definitions, same


def network(**parts):
    """A class as the stub asks for, but for the parts that are given."""

    def init(self, latent_dim, hidden=(512, 256)):
        nn.Module.__init__(self)
        self.latent_dim = latent_dim
        self.encoder = make_encoder(latent_dim, hidden)
        self.decoder = make_decoder(latent_dim, hidden)

    make_encoder = parts.pop("encoder", lambda d, hidden: mlp(784, *hidden, d, activation=nn.SiLU))
    make_decoder = parts.pop("decoder", mirrored)
    methods = {
        "encode": lambda self, x: self.encoder(x.flatten(1)),
        "decode": lambda self, z, y=None: self.decoder(z).unflatten(1, (1, 28, 28)),
        "generate": lambda self, z, y=None: self.decode(z).sigmoid(),
    }
    return type("MyAutoencoder", (nn.Module,), {"__init__": init, **methods, **parts})


def mirrored(latent_dim, hidden):
    return mlp(latent_dim, *reversed(hidden), 784, activation=nn.SiLU)


def no_grad(f):
    def cut(*args):
        with torch.no_grad():
            return f(*args)

    return cut


NETWORKS = [
    (network(decode=lambda self, z, y=None: self.decoder(z).sigmoid().unflatten(1, (1, 28, 28))), "sigmoid in decode"),
    (
        network(
            decode=lambda self, z, y=None: self.decoder(z).sigmoid().unflatten(1, (1, 28, 28)),
            generate=lambda self, z, y=None: self.decode(z),
        ),
        "sigmoid in decode",
    ),
    (network(generate=lambda self, z, y=None: self.decode(z)), "no sigmoid"),
    (network(generate=lambda self, z, y=None: self.decode(z).sigmoid().sigmoid()), "applied twice"),
    (network(generate=lambda self, z, y=None: self.decode(z).tanh()), "tanh"),
    (network(generate=lambda self, z, y=None: self.decode(z).clamp(0, 1)), "cuts off at 0 and 1"),
    (network(encode=lambda self, x: self.encoder(x.flatten(1)).sigmoid()), "code passes a sigmoid"),
    (network(encode=lambda self, x: self.encoder(x.flatten(1)).relu()), "code passes a ReLU"),
    (network(encode=lambda self, x: self.encoder(x)), "shapes"),
    (network(encode=lambda self, x: self.encoder(x.flatten())), "shapes"),
    (network(encode=lambda self, x: self.encoder(x.flatten(1)).detach()), "no gradient reaches the encoder"),
    (network(decode=lambda self, z, y=None: self.decoder(z)), "decode returns shape (5, 784)"),
    (network(decode=lambda self, z, y=None: self.decoder(z).view(-1, 28, 28)), "decode returns shape (5, 28, 28)"),
    (network(decode=lambda self, z, y=None: self.decoder(z).view(-1, 1, 28, 28).mT), "transposed"),
    (network(decoder=lambda d, hidden: mlp(d, *hidden, 784, activation=nn.SiLU)), "3 → 16 → 8 → 784"),
    (network(encoder=lambda d, hidden: mlp(784, *reversed(hidden), d, activation=nn.SiLU)), "784 → 8 → 16 → 3"),
    (network(decoder=lambda d, hidden: mlp(784, *hidden, d)), "784 → 16 → 8 → 3"),
    (network(decoder=lambda d, hidden: mirrored(d, hidden).append(nn.Sigmoid())), "ends in Sigmoid"),
    (network(generate=lambda self, z, y=None: None), "generate returns nothing yet"),
]
NETWORKS_RIGHT = [
    Autoencoder,
    network(),
    network(
        encode=lambda self, x: self.encoder(x.view(len(x), -1)),
        decode=lambda self, z, y=None: torch.stack([row.reshape(1, 28, 28) for row in self.decoder(z)]),
        generate=lambda self, z, y=None: 1 / (1 + torch.exp(-self.decode(z))),
    ),
    network(
        decoder=lambda d, hidden: nn.Sequential(
            nn.Linear(d, hidden[1]), nn.SiLU(), nn.Linear(hidden[1], hidden[0]), nn.SiLU(), nn.Linear(hidden[0], 784)
        ),
        encode=lambda self, x: self.encoder(torch.einsum("nchw->nhw", x).flatten(1)),
        generate=lambda self, z, y=None: torch.sigmoid(self.decode(z, y)),
    ),
]


def x_hat(model, x):
    return model.generate(model.encode(x))


LOSSES = [
    (lambda model, x: F.mse_loss(x_hat(model, x), x), "mean over the pixels as well"),
    (lambda model, x: F.mse_loss(x_hat(model, x), x, reduction="sum"), "sum over the batch"),
    (lambda model, x: (x_hat(model, x) - x).pow(2).flatten(1).sum(1), "not taken"),
    (lambda model, x: (x_hat(model, x) - x).abs().flatten(1).sum(1).mean(), "absolute value"),
    (lambda model, x: (x_hat(model, x) - x).flatten(1).sum(1).mean(), "not squared"),
    (lambda model, x: 0.5 * (x_hat(model, x) - x).square().flatten(1).sum(1).mean(), "half of what"),
    (lambda model, x: -(x_hat(model, x) - x).square().flatten(1).sum(1).mean(), "the sign is turned"),
    (lambda model, x: (x_hat(model, x) - x).flatten(1).norm(dim=1).mean(), "root"),
    (lambda model, x: (x_hat(model, x) - x).square().flatten(1).sum(1).mean().sqrt(), "root"),
    (lambda model, x: (x_hat(model, x) - x).square().flatten(1).sum(1).mean().item(), "cut off from the weights"),
    (no_grad(lambda model, x: (x_hat(model, x) - x).square().sum() / len(x)), "cut off from the weights"),
    (lambda model, x: (x_hat(model, x) - x).square().sum((1, 2)).mean(), "28"),
]
LOSSES_RIGHT = [
    lambda model, x: ((x - x_hat(model, x)) ** 2).sum() / len(x),
    lambda model, x: torch.einsum("nchw,nchw->", *[x_hat(model, x) - x] * 2) / x.shape[0],
    lambda model, x: torch.stack([(x_hat(model, x[i : i + 1]) - x[i]).pow(2).sum() for i in range(len(x))]).mean(),
    lambda model, x: 784 * F.mse_loss(x_hat(model, x).double(), x.double()),
]


def epoch(order=None, to_float=None, account=None, result=None, step=None, deal=None):
    """A right epoch, but for the parts that are given."""
    order = order or torch.randperm
    to_float = to_float or (lambda batch: batch.float() / 255)
    account = account or (lambda value, batch: value.item() * len(batch))
    result = result or (lambda total, n, batches: total / n)

    def usual_step(value, optimizer):
        optimizer.zero_grad()
        value.backward()
        optimizer.step()

    def answer(model, loss, images, optimizer, batch_size):
        total, dealt = 0.0, (deal or torch.split)(order(len(images)), batch_size)
        for index in dealt:
            batch = to_float(images[index])
            value = loss(model, batch)
            (step or usual_step)(value, optimizer)
            total = total + account(value, batch)
        return result(total, len(images), len(dealt))

    return answer


def never_cleared(value, optimizer):
    value.backward()
    optimizer.step()


def cleared_too_late(value, optimizer):
    value.backward()
    optimizer.zero_grad()
    optimizer.step()


def step_first(value, optimizer):
    optimizer.step()
    optimizer.zero_grad()
    value.backward()


def mean_over_pixels(value, optimizer):
    optimizer.zero_grad()
    (value / 784).backward()
    optimizer.step()


def no_step(value, optimizer):
    optimizer.zero_grad()
    value.backward()


def one_step_for_all(model, loss, images, optimizer, batch_size):
    optimizer.zero_grad()
    total = 0.0
    for index in torch.randperm(len(images)).split(batch_size):
        value = loss(model, images[index] / 255)
        value.backward()
        total += value.item() * len(index)
    optimizer.step()
    return total / len(images)


def evaluation_mode(model, *rest):
    model.eval()
    return epoch()(model, *rest)


def seeded(*args):
    torch.manual_seed(0)
    return epoch()(*args)


EPOCHS = [
    (epoch(step=never_cleared), "never cleared"),
    (epoch(step=cleared_too_late), "cleared between backward and step"),
    (epoch(step=step_first), "steps between a loss and its backward"),
    (epoch(step=no_step), "the optimizer never steps"),
    (epoch(step=mean_over_pixels), "divided by 784"),
    (one_step_for_all, "1 step in a pass of 3 batches"),
    (epoch(order=torch.arange), "nothing is shuffled"),
    (epoch(order=lambda n: torch.randint(n, (n,))), "an order without repetition"),
    (epoch(deal=lambda order, size: torch.split(order, size)[:-1]), "last batch is left out"),
    (epoch(to_float=lambda batch: batch.float()), "floats up to 255"),
    (epoch(to_float=lambda batch: batch), "whole numbers up to 255"),
    (epoch(account=lambda value, batch: value.item()), "where the mean loss per image is"),
    (epoch(account=lambda value, batch: value.item(), result=lambda t, n, k: t / k), "each batch weighs the same"),
    (epoch(result=lambda total, n, k: total), "sum over images"),
    (epoch(account=lambda value, batch: value * len(batch)), "holds the graph"),
    (epoch(result=lambda total, n, k: None), "returns nothing"),
    (evaluation_mode, "evaluation mode"),
    (seeded, "a seed is set inside"),
]


def by_loader(model, loss, images, optimizer, batch_size):
    values = []
    for (batch,) in DataLoader(TensorDataset(images), batch_size, shuffle=True):
        optimizer.zero_grad(set_to_none=False)
        value = loss(model, batch.double().div(255).float())
        value.backward()
        optimizer.step()
        values += [value.item()] * len(batch)
    return sum(values) / len(values)


def by_numpy(model, loss, images, optimizer, batch_size):
    total, order = 0.0, torch.from_numpy(np.random.default_rng().permutation(len(images)))
    for k in range(0, len(images), batch_size):
        x = images[order[k : k + batch_size]] / 255
        value = loss(model, x)
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
        total += float(value.detach()) * x.shape[0]
    return np.float32(total / len(images))


def by_while(model, loss, images, optimizer, batch_size):
    floats = images[torch.randperm(len(images))].float().div_(255)
    done, total = 0, torch.zeros(())
    while done < len(floats):
        batch = floats[done : done + batch_size]
        model.zero_grad()
        (value := loss(model, batch)).backward()
        optimizer.step()
        done, total = done + len(batch), total + value.detach() * len(batch) / len(floats)
    return total


def root(z):
    return torch.linalg.cholesky(torch.cov(z.T))


CODES = [
    (lambda z, n: torch.randn(n, z.shape[1]), "around 0"),
    (lambda z, n: z.mean(0) + torch.randn(n, z.shape[1]), "know nothing of the codes"),
    (lambda z, n: torch.normal(z.mean(0).expand(n, -1), z.std(0).expand(n, -1)), "drawn apart"),
    (lambda z, n: z.mean(0) + torch.randn(n, 3) * z.var(0), "variances stand where spreads"),
    (lambda z, n: z.mean(0) + torch.randn(n, 3) @ torch.cov(z.T), "its own root"),
    (lambda z, n: z.mean(0) + torch.randn(n, 3) @ root(z), "wrong way round"),
    (lambda z, n: torch.randn(n, 3) @ root(z).T, "around 0"),
    (lambda z, n: z.mean() + torch.randn(n, 3) @ root(z).T, "one mean of all numbers"),
    (lambda z, n: z.mean(0) + torch.rand(n, 3) @ root(z).T, "rand"),
    (lambda z, n: z.mean(0) + 12**0.5 * (torch.rand(n, 3) - 0.5) @ root(z).T, "no code lies far out"),
    (lambda z, n: z.mean(0) + (torch.randn(3) @ root(z).T).expand(n, -1), "only 1 of 20,000 draws differ"),
    (lambda z, n: z.mean(0) + (torch.randn(n // 2, 3) @ root(z).T).repeat(2, 1), "only 10,000 of 20,000"),
    (lambda z, n: z.mean(0) + torch.randn(n, 1) * z.std(0), "one ε serves all dimensions"),
    (lambda z, n: z.mean(0) + torch.randn(n, 1).expand(-1, 3) @ root(z).T, "one ε serves all dimensions"),
    (lambda z, n: z.mean(0) + torch.randn(n, 3) @ torch.linalg.cholesky(z.T @ z / len(z)).T, "subtract the mean"),
    (lambda z, n: z.mean(0) + torch.randn(n, 3) @ torch.linalg.cholesky(torch.corrcoef(z.T)).T, "correlation"),
    (lambda z, n: z.mean(0) + 2 * torch.randn(n, 3) @ root(z).T, "4 times what it should be"),
    (lambda z, n: z[torch.randint(len(z), (n,))], "old codes"),
    (lambda z, n: (torch.manual_seed(0), z.mean(0) + torch.randn(n, 3) @ root(z).T)[1], "a seed is set inside"),
    (lambda z, n: z.mean(0) + torch.randn(n, 3) @ torch.linalg.cholesky(torch.cov(z)).T, "no covariance"),
]
CODES_RIGHT = [
    lambda z, n: MultivariateNormal(z.mean(0), torch.cov(z.T)).sample((n,)),
    lambda z, n: z.mean(0) + torch.randn(n, len(z)) @ (z - z.mean(0)) / len(z) ** 0.5,
    lambda z, n: torch.from_numpy(np.random.default_rng().multivariate_normal(z.mean(0), np.cov(z.T.numpy()), n)),
    lambda z, n: z.double().mean(0) + (root(z.double()) @ torch.randn(3, n, dtype=torch.float64)).T,
]


def squares(*pairs):
    return torch.stack([(a - b).square().mean() for a, b in pairs])


def clipped(f, x):
    return f(x).clip(0, 1)


COPIERS = [
    (lambda f, noisy, x: squares((noisy, x), (clipped(f, x), noisy), (clipped(f, x), x)), "the network sees no noise"),
    (lambda f, noisy, x: squares((noisy, x), (f(noisy), noisy), (f(noisy), x)), "not cut off at 0 and 1"),
    (lambda f, noisy, x: squares((noisy, x), (clipped(f, noisy), noisy), (clipped(f, x), x)), "an output of its own"),
    (lambda f, noisy, x: squares((noisy, x), (clipped(f, noisy), x), (clipped(f, noisy), noisy)), "changed places"),
    (lambda f, noisy, x: squares((clipped(f, noisy), noisy), (clipped(f, noisy), x), (noisy, x)), "shifted by one"),
    (lambda f, noisy, x: 784 * squares((noisy, x), (clipped(f, noisy), noisy), (clipped(f, noisy), x)), "784 times"),
    (lambda f, noisy, x: squares((noisy, x), (clipped(f, noisy), noisy), (clipped(f, noisy), x)).sqrt(), "root"),
    (lambda f, noisy, x: squares((clipped(f, noisy), noisy), (clipped(f, noisy), x)), "missing"),
    (lambda f, noisy, x: squares((noisy, x), (clipped(f, noisy), noisy), (noisy, x)), "the noise once more"),
    (lambda f, noisy, x: squares((noisy, x), (clipped(f, noisy), noisy), (clipped(f, noisy), x)).mean(), "average"),
]
COPIERS_RIGHT = [
    lambda f, noisy, x: torch.stack(
        [F.mse_loss(a, b) for a, b in ((x, noisy), (noisy, clipped(f, noisy)), (clipped(f, noisy), x))]
    ),
    lambda f, noisy, x: np.array(
        [
            np.mean((a.numpy() - b.numpy()) ** 2, dtype=np.float64)
            for a, b in ((x, noisy), (noisy, clipped(f, noisy)), (clipped(f, noisy), x))
        ]
    ),
    lambda f, noisy, x: torch.einsum(
        "knchw->k", (torch.stack([noisy, *[clipped(f, noisy)] * 2]) - torch.stack([x, noisy, x])).square() / x.numel()
    ),
]
WRONG = {
    "training-epoch": EPOCHS,
    "autoencoder": NETWORKS,
    "autoencoder-loss": LOSSES,
    "gaussian-codes": CODES,
    "copier": COPIERS,
}
RIGHT = {
    "training-epoch": [epoch(), by_loader, by_numpy, by_while],
    "autoencoder": NETWORKS_RIGHT,
    "autoencoder-loss": LOSSES_RIGHT,
    "gaussian-codes": CODES_RIGHT,
    "copier": COPIERS_RIGHT,
}


@pytest.mark.parametrize(
    ("exercise", "answer", "said"),
    [pytest.param(name, *row, id=f"{name}-{i}") for name, rows in WRONG.items() for i, row in enumerate(rows)],
)
def test_a_wrong_answer_is_told_what_is_wrong_with_it(exercise, answer, said):
    verdict = check(exercise, answer)
    assert not verdict.passed
    assert said in verdict.message


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [pytest.param(name, answer, id=f"{name}-{i}") for name, rows in RIGHT.items() for i, answer in enumerate(rows)],
)
def test_a_right_answer_passes_whatever_its_style(exercise, answer):
    verdict = check(exercise, answer)
    assert verdict.passed, verdict


def test_the_class_of_the_solution_is_the_packages():
    """What a learner writes in notebook 01 is what the other notebooks import, docstrings and annotations aside."""
    nb = read(ROOT / "notebooks" / "01_autoencoder.ipynb")
    (cell,) = (c for c in nb.cells if {"exercise-autoencoder", "solution"} <= tags(c))
    taught = dict(definitions(cell.source))["SolutionAutoencoder"]
    taught.name = "Autoencoder"
    module = (ROOT / "vae_helpers/models/autoencoders.py").read_text("utf-8")
    assert same(taught, dict(definitions(module))["Autoencoder"])
