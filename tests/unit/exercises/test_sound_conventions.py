"""Sound programs in other people's conventions: nothing is found, and what is asked is what may be meant."""

from types import SimpleNamespace

from vae_helpers.exercises import diagnose_vae

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from helpers.plain_vae import X_TEST, D, Net, X, bce, drawn, kl, usual

ALWAYS = {"no better than one picture", "logvar unbounded"}


class LogSigma(Net):
    def forward(self, x):
        mu, s = self.encode(x)
        return bce(self.decode(mu + s.exp() * torch.randn_like(mu)), x) + kl(mu, 2 * s)


class Sigma(Net):
    def encode(self, x):
        mu, s = super().encode(x)
        return mu, F.softplus(s) + 1e-3

    def forward(self, x):
        q = Normal(*self.encode(x))
        return bce(self.decode(q.rsample()), x) + kl_divergence(q, Normal(0.0, 1.0)).sum(1).mean()


class Variance(Sigma):
    def forward(self, x):
        mu, v = self.encode(x)
        return bce(self.decode(mu + v.sqrt() * torch.randn_like(mu)), x) + kl(mu, v.log())


class LogvarFirst(Net):
    def forward(self, x):
        logvar, mu = self.encode(x)
        return bce(self.decode(drawn(mu, logvar)), x) + kl(mu, logvar)


class Triple(Net):
    def encode(self, x):
        mu, logvar = super().encode(x)
        return drawn(mu, logvar), mu, logvar

    def forward(self, x):
        z, mu, logvar = self.encode(x)
        return bce(self.decode(z), x) + kl(mu, logvar)


class OneTensor(Net):
    def encode(self, x):
        return self.inner(x)

    def forward(self, x):
        mu, logvar = self.encode(x).split(D, 1)
        return bce(self.decode(drawn(mu, logvar)), x) + kl(mu, logvar)


class OfDistributions(Net):
    def encode(self, x):
        mu, logvar = super().encode(x)
        return Independent(Normal(mu, (logvar / 2).exp()), 1)

    def decode(self, z):
        return Independent(Bernoulli(logits=super().decode(z)), 3)

    def forward(self, x):
        q = self.encode(x)
        prior = Independent(Normal(torch.zeros(D), torch.ones(D)), 1)
        return (kl_divergence(q, prior) - self.decode(q.rsample()).log_prob(x.round())).mean()


class Posterior:
    """An object with the numbers and the methods."""

    def __init__(self, mean, logvar):
        self.mean, self.logvar, self.std = mean, logvar, (logvar / 2).exp()

    def sample(self):
        return self.mean + self.std * torch.randn_like(self.mean)

    def kl(self):
        return kl(self.mean, self.logvar)


class OfPosteriors(Net):
    def encode(self, x):
        return SimpleNamespace(latent_dist=Posterior(*super().encode(x)))

    def forward(self, x):
        posterior = self.encode(x).latent_dist
        return {"loss": bce(self.decode(posterior.sample()), x) + posterior.kl()}


class OfDicts(Net):
    def encode(self, x):
        mu, logvar = super().encode(x)
        return {"features": x.flatten(1), "mu": mu, "logvar": logvar}

    def decode(self, z):
        return {"logits": super().decode(z)}

    def forward(self, x):
        q = self.encode(x)
        return bce(self.decode(drawn(q["mu"], q["logvar"]))["logits"], x) + kl(q["mu"], q["logvar"])


class InParts(nn.Module):
    """Submodules of other names; noise in training only."""

    def __init__(self):
        super().__init__()
        net = Net()
        self.encoder, self.decoder = net.inner, net.outer

    def forward(self, x):
        mu, logvar = self.encoder(x).chunk(2, 1)
        return bce(self.decoder(drawn(mu, logvar) if self.training else mu), x) + kl(mu, logvar)


class OfFeatures(nn.Module):
    """encode gives features, and two layers make μ and log σ² of them."""

    def __init__(self):
        super().__init__()
        net = Net(width=16)
        self.encode, self.fc_mu, self.fc_var, self.decode = net.inner, nn.Linear(16, D), nn.Linear(16, D), net.outer

    def forward(self, x):
        h = self.encode(x)
        mu, logvar = self.fc_mu(h), self.fc_var(h)
        return bce(self.decode(drawn(mu, logvar)), x) + kl(mu, logvar)


def of_squares(model, x):
    mu, logvar = model.encode(x)
    return 0.5 * (model.decode(drawn(mu, logvar)) - x).square().flatten(1).sum(1).mean() + kl(mu, logvar)


def by_draws(model, x):
    mu, logvar = model.encode(x)
    q = Normal(mu, (logvar / 2).exp())
    z = q.rsample((3,))
    ratio = (q.log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(2).mean()
    logits = model.decode(z.flatten(0, 1)).unflatten(0, (3, -1))
    return F.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="sum") / (3 * len(x)) + ratio


def denoising(model, x):
    mu, logvar = model.encode(x + 0.3 * torch.randn_like(x))
    return bce(model.decode(drawn(mu, logvar)), x) + kl(mu, logvar)


SOUND = {
    "log σ": (LogSigma, None),
    "σ": (Sigma, None),
    "σ²": (Variance, None),
    "log σ² first": (LogvarFirst, None),
    "(z, μ, log σ²)": (Triple, None),
    "one tensor (n, 2d)": (OneTensor, None),
    "distributions": (OfDistributions, None),
    "a posterior object": (OfPosteriors, None),
    "dictionaries": (OfDicts, None),
    "parts of other names, no noise in evaluation": (InParts, None),
    "two layers after encode": (OfFeatures, None),
    "squares": (Net, of_squares),
    "draws of the KL": (Net, by_draws),
    "denoising": (Net, denoising),
    "the usual": (Net, usual),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_program_has_no_finding_and_its_weight_is_seen(name):
    kind, loss = SOUND[name]
    found = diagnose_vae(kind(), loss, X, X_TEST)
    assert not found.findings
    assert {q.kind for q in found.questions} <= ALWAYS
    assert "the weight of the KL" in found.looked_at, found.not_seen


def free_bits(model, x):
    mu, logvar = model.encode(x)
    each = 0.5 * (mu**2 + logvar.exp() - logvar - 1)
    return bce(model.decode(drawn(mu, logvar)), x) + each.mean(0).clamp(min=0.2).sum()


def capacity(model, x):
    mu, logvar = model.encode(x)
    return bce(model.decode(drawn(mu, logvar)), x) + 30 * (kl(mu, logvar) - 5).abs()


def several(model, x):
    mu, logvar = model.encode(x)
    q = Normal(mu, (logvar / 2).exp())
    z = q.rsample((5,))
    logits = model.decode(z.flatten(0, 1)).unflatten(0, (5, -1))
    fit = -F.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none").flatten(2).sum(2)
    return -(fit + (Normal(0.0, 1.0).log_prob(z) - q.log_prob(z)).sum(2)).logsumexp(0).mean()


def autoencoder(model, x):
    return (model.decode(model.encode(x)[0]) - x).square().mean()


def noisy_target(model, x):
    x = (x + 0.3 * torch.randn_like(x)).clamp(0, 1)
    return usual(model, x)


ASKED = {
    "free bits": free_bits,
    "capacity": capacity,
    "KL of several draws": several,
    "plain autoencoder": autoencoder,
    "target = input": noisy_target,
}


@pytest.mark.parametrize("kind", ASKED)
def test_what_somebody_may_have_meant_is_a_question(kind):
    found = diagnose_vae(Net(), ASKED[kind], X, X_TEST)
    assert not found.findings
    assert {q.kind for q in found.questions} - ALWAYS == {kind}


def test_names_and_spread_are_taken():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.front, self.back = Net().inner, Net().outer

        def forward(self, x):
            mu, s = self.front(x).chunk(2, 1)
            return bce(self.back(mu + s.exp() * torch.randn_like(mu)), x) + kl(mu, 2 * s)

    unnamed = diagnose_vae(Odd(), None, X)
    assert not unnamed.findings and "Name them" in " ".join(repr(unnamed).split())
    named = diagnose_vae(Odd(), None, X, encode="front", decode="back", spread="log_sigma")
    assert not named.findings and "the weight of the KL" in named.looked_at
    with pytest.raises(ValueError, match="spread must be one of logvar, log_sigma, sigma, variance"):
        diagnose_vae(Odd(), None, X, spread="width")
