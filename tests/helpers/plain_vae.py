"""A plain VAE and its loss, as somebody else might write them, for the tests of ``diagnose_vae`` to dress up."""

from vae_helpers import data

import torch
import torch.nn.functional as F
from torch import nn

GLYPHS = data.load_glyphs(n=600, n_test=100)
X, X_TEST = data.to_float(GLYPHS.x), data.to_float(GLYPHS.x_test)
D = 4


class Net(nn.Module):
    """Two halves that the conventions below dress up."""

    def __init__(self, width=2 * D):
        super().__init__()
        torch.manual_seed(0)
        self.inner = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, width))
        self.outer = nn.Sequential(nn.Linear(D, 32), nn.ReLU(), nn.Linear(32, 784), nn.Unflatten(1, (1, 28, 28)))

    def encode(self, x):
        return self.inner(x).chunk(2, 1)

    def decode(self, z):
        return self.outer(z)


def drawn(mu, logvar):
    return mu + (logvar / 2).exp() * torch.randn_like(mu)


def kl(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - logvar - 1).sum(1).mean()


def bce(logits, x):
    return F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)


def usual(model, x):
    mu, logvar = model.encode(x)
    return bce(model.decode(drawn(mu, logvar)), x) + kl(mu, logvar)
