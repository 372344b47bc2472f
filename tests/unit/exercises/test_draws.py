"""Draws from N(μ, σ²) are measured: right ones pass in any style, what is wrong with others is found."""

from vae_helpers.exercises import check

import numpy as np
import pytest
import torch

RIGHT = {
    "the formula": lambda m, v: m + sigma(v) * torch.randn_like(m),
    "rsample": lambda m, v: torch.distributions.Normal(m, sigma(v)).rsample(),
    "addcmul": lambda m, v: torch.addcmul(m, v.exp().sqrt(), torch.randn(m.shape)),
    "noise turned round": lambda m, v: m - sigma(v) * torch.randn_like(m),
    "doubles": lambda m, v: m.double() + sigma(v.double()) * torch.randn(m.shape, dtype=torch.float64),
    "noise of numpy": lambda m, v: m + sigma(v) * torch.tensor(np.random.default_rng().normal(size=m.shape)),
    "torch.normal for ε": lambda m, v: torch.normal(torch.zeros_like(m), 1.0) * sigma(v) + m,
    "row by row": lambda m, v: torch.stack([a + sigma(b) * torch.randn(len(a)) for a, b in zip(m, v, strict=True)]),
}


def sigma(logvar):
    return torch.exp(0.5 * logvar)


def eps_like(mu):
    return torch.randn(mu.shape)


def fixed(shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


WRONG = {  # the answer, and its findings: kind, place, factor
    "rand": (lambda m, v: m + sigma(v) * torch.rand_like(m), [("shape", "ε", "uniform")]),
    "rand, centred": (lambda m, v: m + sigma(v) * (torch.rand_like(m) - 0.5), [("shape", "ε", "uniform")]),
    "rand, scaled": (lambda m, v: m + sigma(v) * (torch.rand_like(m) - 0.5) * 12**0.5, [("shape", "ε", "uniform")]),
    "a coin": (lambda m, v: m + sigma(v) * torch.randint(0, 2, m.shape), [("shape", "ε", "two values")]),
    "no sign": (lambda m, v: m + sigma(v) * eps_like(m).abs(), [("shape", "ε", "absolute")]),
    "σ²": (lambda m, v: m + v.exp() * eps_like(m), [("power", "σ", "2")]),
    "√σ": (lambda m, v: m + (v / 4).exp() * eps_like(m), [("power", "σ", "0.5")]),
    "1/σ": (lambda m, v: m + sigma(-v) * eps_like(m), [("power", "σ", "-1")]),
    "no σ": (lambda m, v: m + eps_like(m), [("ignored", "σ", "0")]),
    "twice σ": (lambda m, v: m + 2 * sigma(v) * eps_like(m), [("factor", "σ", None)]),
    "log σ²": (lambda m, v: m + v * eps_like(m), [("transformed", "σ", "logvar")]),
    "log σ": (lambda m, v: m + v / 2 * eps_like(m), [("transformed", "σ", "½ logvar")]),
    "softplus": (lambda m, v: m + torch.log1p(v.exp()) * eps_like(m), [("transformed", "σ", "softplus")]),
    "a bracket": (lambda m, v: (m + eps_like(m)) * sigma(v), [("bracket", "μ", "")]),
    "σ added": (lambda m, v: m + sigma(v) + eps_like(m), [("operator", "σ", "+")]),
    "exchanged": (lambda m, v: v + sigma(m) * eps_like(m), [("exchanged", "μ and log σ²", "")]),
    "no μ": (lambda m, v: sigma(v) * eps_like(m), [("ignored", "μ", "")]),
    "twice μ": (lambda m, v: 2 * m + sigma(v) * eps_like(m), [("factor", "μ", None)]),
    "nothing drawn": (lambda m, v: m + 0 * v, [("not drawn", "ε", "")]),
    "σ without ε": (lambda m, v: m + sigma(v), [("not drawn", "ε", ""), ("offset", "ε", "1.00")]),
    "one ε for the batch": (lambda m, v: m + sigma(v) * torch.randn(m.shape[1]), [("shared", "rows", "")]),
    "one ε for an image": (lambda m, v: m + sigma(v) * torch.randn(len(m), 1), [("shared", "dimensions", "")]),
    "one ε for all": (lambda m, v: m + sigma(v) * torch.randn(()), [("shared", "rows and dimensions", "")]),
    "a seed inside": (lambda m, v: m + sigma(v) * fixed(m.shape), [("same draw", "calls", "")]),
    "sample": (lambda m, v: torch.distributions.Normal(m, sigma(v)).sample(), [("no gradient", "μ and log σ²", "")]),
    "torch.normal": (lambda m, v: torch.normal(m, sigma(v)), [("no gradient", "μ and log σ²", "")]),
    "μ detached": (lambda m, v: m.detach() + sigma(v) * eps_like(m), [("no gradient", "μ", "")]),
    "σ detached": (lambda m, v: m + sigma(v).detach() * eps_like(m), [("no gradient", "log σ²", "")]),
    "rand, and σ²": (
        lambda m, v: m + v.exp() * torch.rand_like(m),
        [("shape", "ε", "uniform"), ("power", "σ", "2")],
    ),
    "one ε for all, and σ²": (
        lambda m, v: m + v.exp() * torch.randn(1),
        [("shared", "rows and dimensions", ""), ("power", "σ", "2")],
    ),
    "σ², and detached": (
        lambda m, v: (m + v.exp() * eps_like(m)).detach(),
        [("power", "σ", "2"), ("no gradient", "μ and log σ²", "")],
    ),
    "no σ, and one ε for the batch": (
        lambda m, v: m + torch.randn(m.shape[1]),
        [("shared", "rows", ""), ("ignored", "σ", "0")],
    ),
}
seeds = pytest.mark.parametrize("seed", [0, 1])


@seeds
@pytest.mark.parametrize("answer", RIGHT.values(), ids=RIGHT.keys())
def test_a_right_draw_passes(answer, seed):
    assert check("reparameterize", answer, seed=seed).passed


@seeds
@pytest.mark.parametrize(("answer", "wanted"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_a_draw_is_found(answer, wanted, seed):
    verdict = check("reparameterize", answer, seed=seed)
    found = [(r.kind, r.place, r.factor) for r in verdict.relations]
    assert [(k, p) for k, p, _ in found] == [(k, p) for k, p, _ in wanted], verdict
    assert all(w is None or f == w for (*_, f), (*_, w) in zip(found, wanted, strict=True)), found


def test_a_draw_of_another_shape_or_none_is_no_finding():
    assert check("reparameterize", lambda m, v: None).status == "not attempted"
    assert check("reparameterize", lambda m, v: m.sum(1)).status == "wrong"
    assert check("reparameterize", lambda m, v: m @ v).status == "error"
