"""The site's explorers without a kernel: plain JavaScript against Python's numbers, in a real browser, by keyboard."""

import base64
import json
import re
from itertools import pairwise
from math import log

from vae_helpers.losses import elbo_on_grid, kl_on_grid, kl_to_standard_normal, log_evidence_on_grid
from vae_helpers.models import VAE
from vae_helpers.widgets.kl import parts_of_kl

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal, Normal

from helpers.places import FIGURES
from site_builder.live import LIVE

GRID = torch.linspace(-9, 9, 721, dtype=torch.float64)
X_SIDE, X_TOP = torch.tensor([[1.2, -0.6], [0.0, 1.45]], dtype=torch.float64)
SLIDERS = torch.cartesian_prod(
    torch.tensor([-4.2, -1.0, 0.6, 2.5], dtype=torch.float64), torch.tensor([0.05, 0.5, 1.5], dtype=torch.float64)
)


def page_with(site, explorer):
    """The first page on which this explorer stands."""
    mark = f'data-live="{explorer}"'
    return next(path.stem for path in sorted(site.glob("*.html")) if mark in path.read_text("utf-8"))


def computed(page, function, *arguments):
    """What a function of live, given in JavaScript, returns."""
    return torch.tensor(page.evaluate(f"arguments => ({function})(...arguments)", list(arguments)), dtype=torch.float64)


def log_joint(x, z):  # notebook 03
    ring = 1.5 * torch.stack([torch.sin(1.2 * z), -torch.cos(1.2 * z)], dim=-1)
    return Normal(0.0, 1.0).log_prob(z) + Normal(ring, 0.3).log_prob(x).sum(-1)


def log_target(z):  # notebook 03
    humps = Normal(*torch.tensor([[-2.5, 2.0], [0.6, 0.7]], dtype=torch.float64))
    return torch.logaddexp(*(humps.log_prob(z[:, None]) + torch.tensor([log(0.6), log(0.4)], dtype=torch.float64)).T)


def mixture(sigma):  # notebook 02
    weights = torch.tensor([0.4, 0.3, 0.3], dtype=torch.float64)
    centres = torch.tensor([[-1.5, -1.0], [1.5, -1.0], [0.0, 1.5]], dtype=torch.float64)
    shapes = [[[0.25, 0.15], [0.15, 0.16]], [[0.09, 0], [0, 0.36]], [[0.49, -0.1], [-0.1, 0.06]]]
    noisy = torch.tensor(shapes, dtype=torch.float64) + sigma**2 * torch.eye(2, dtype=torch.float64)
    return MixtureSameFamily(Categorical(weights), MultivariateNormal(centres, noisy))


def denoised(points, sigma):
    """x̃ + σ² ∇ log p_σ(x̃), the score by autograd."""
    points = points.clone().requires_grad_()
    score = torch.autograd.grad(mixture(sigma).log_prob(points).sum(), points)[0]
    return (points + sigma**2 * score).detach()


def test_every_explorer_stands_somewhere(site):
    assert all(page_with(site, explorer) for explorer in LIVE)


def test_the_kl_by_hand(site, open_page):
    page = open_page(page_with(site, "kl"))
    mu, logvar = torch.linspace(-3, 3, 13, dtype=torch.float64), torch.linspace(-4, 2, 13, dtype=torch.float64)
    pairs = torch.cartesian_prod(mu, logvar)
    parts = computed(page, "pairs => pairs.map(pair => live.partsOfKl(...pair))", pairs.tolist())
    expected = torch.tensor([parts_of_kl(*pair) for pair in pairs.tolist()], dtype=torch.float64)
    assert (parts - expected).abs().max() <= 1e-12
    assert (parts.sum(1) - kl_to_standard_normal(pairs[:, :1], pairs[:, 1:])).abs().max() <= 1e-12


def test_the_elbo_by_hand(site, open_page):
    page = open_page(page_with(site, "elbo"))
    for x in (X_SIDE, X_TOP):
        here = "(x, all) => all.map(q => live.elbo(live.logJoint(x), ...q))"
        bounds, joint = computed(page, here, x.tolist(), SLIDERS.tolist()), log_joint(x, GRID)
        log_q = Normal(SLIDERS[:, :1], SLIDERS[:, 1:]).log_prob(GRID)
        assert (bounds - elbo_on_grid(log_q, joint, GRID)).abs().max() <= 1e-9
        evidence = computed(page, "x => live.evidence(live.onGrid(live.logJoint(x)))", x.tolist())
        assert (evidence - log_evidence_on_grid(joint, GRID)).abs() <= 1e-12


def test_forward_and_reverse_kl(site, open_page):
    page = open_page(page_with(site, "directions"))
    log_p, log_q = log_target(GRID), Normal(SLIDERS[:, :1], SLIDERS[:, 1:]).log_prob(GRID)
    for name, expected in (("forward", kl_on_grid(log_p, log_q, GRID)), ("reverse", kl_on_grid(log_q, log_p, GRID))):
        shown = computed(page, f"all => all.map(q => live.{name}Kl(live.logTarget, ...q))", SLIDERS.tolist())
        assert (shown / expected - 1).abs().max() <= 1e-9


@pytest.fixture(scope="module")
def decoder():
    """The VAE whose decoder is in figures/decoder.js, and the codes there."""
    told = json.loads(re.search(r"live\.decoder\((.*)\);", (FIGURES / "decoder.js").read_text("utf-8"))[1])
    model, packed, at = VAE(told["sizes"][0]).double(), base64.b64decode(told["packed"]), 0
    for layer in (model.decoder[0], model.decoder[2]):
        out, into = layer.weight.shape
        worth, bias = np.frombuffer(packed, "<f4", 2 * out, at).reshape(2, out)
        whole = np.frombuffer(packed, "i1", out * into, at + 8 * out).reshape(out, into)
        at += 8 * out + out * into
        layer.weight.data = torch.from_numpy(whole * worth[:, None].astype("f8"))
        layer.bias.data = torch.from_numpy(bias.astype("f8"))
    assert at == len(packed)
    return model, torch.tensor(told["codes"], dtype=torch.float64)


def test_the_sliders_decode_as_the_model_does(site, open_page, decoder):
    page, (model, codes) = open_page(page_with(site, "sliders")), decoder
    page.wait_for_function("() => live.decode")
    drawn = torch.randn(20, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    z = torch.cat([codes, drawn])
    images = computed(page, "all => all.map(z => [...live.decode(z)])", z.tolist())
    with torch.no_grad():
        assert (images - model.generate(z).flatten(1)).abs().max() <= 1e-12
        shown = page.eval_on_selector("[data-live=sliders] canvas", SHOWN)
        slid = (10 * codes[7:8]).round() / 10  # where the sliders can stand
        assert (torch.tensor(shown) - (255 - 255 * model.generate(slid).flatten())).abs().max() <= 0.51


SHOWN = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 == 0)"


def test_ways_between_two_codes(site, open_page, decoder):
    page, a, b = open_page(page_with(site, "between")), *decoder[1][[7, 3]]
    omega = torch.arccos(a @ b / (a.norm() * b.norm()))
    for t in (0.0, 0.3, 1.0):
        on_sphere = (torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b) / torch.sin(omega)
        for sphere, expected in ((True, on_sphere), (False, (1 - t) * a + t * b)):
            there = computed(page, "live.interpolate", a.tolist(), b.tolist(), t, sphere)
            assert (there - expected).abs().max() <= 1e-12
    same = computed(page, "live.interpolate", a.tolist(), a.tolist(), 0.3, True)
    assert (same - a).abs().max() <= 1e-12


def test_the_denoising_walk(site, open_page):
    page = open_page(page_with(site, "denoising"))
    generator = torch.Generator().manual_seed(0)
    points = 5 * torch.randn(40, 2, dtype=torch.float64, generator=generator)
    for sigma in (0.02, 0.4, 5.0):
        here = computed(page, "(all, sigma) => all.map(x => live.denoise(x, sigma))", points.tolist(), sigma)
        assert (here - denoised(points, sigma)).abs().max() <= 1e-9
    sigmas = computed(page, "live.levels", 16).tolist()
    assert sigmas[0] == pytest.approx(5) and sigmas[-2] == pytest.approx(0.02) and sigmas[-1] == 0
    for fresh in (0.0, 1.0):
        here = there = points
        for now, then in pairwise(sigmas):
            eps = torch.randn(40, 2, dtype=torch.float64, generator=generator)
            step = "(all, eps, ...how) => all.map((x, i) => live.step(x, ...how, eps[i]))"
            here = computed(page, step, here.tolist(), eps.tolist(), now, then, fresh)
            clean, drawn = denoised(there, now), fresh * then * (1 - (then / now) ** 2) ** 0.5
            there = clean + (then**2 - drawn**2) ** 0.5 * (there - clean) / now + drawn * eps
        assert (here - there).abs().max() <= 1e-6
    assert mixture(0.0).log_prob(there).min() > -12  # it ends where data is


@pytest.mark.parametrize("explorer", LIVE)
def test_an_explorer_by_keyboard(site, open_page, explorer):
    page = open_page(page_with(site, explorer))
    root = page.locator(f"[data-live={explorer}]").first
    root.locator("output").wait_for()
    controls, picture = root.locator("input, select"), root.locator("[role=img]")
    for control in controls.all()[:4]:
        before = picture.get_attribute("aria-label")
        control.focus()
        page.keyboard.press(
            "ArrowUp" if control.evaluate("c => c.value === c.max || c.value === 'straight'") else "End"
        )
        assert picture.get_attribute("aria-label") != before
        assert root.locator("output").inner_text() == picture.get_attribute("aria-label")


def test_the_sentences_say_what_python_computes(site, open_page):
    page = open_page(page_with(site, "elbo"))
    joint, q = log_joint(X_SIDE, GRID), Normal(0.6, 0.5)
    bound, top = elbo_on_grid(q.log_prob(GRID), joint, GRID), log_evidence_on_grid(joint, GRID)
    said = page.locator("[data-live=elbo] output").first.inner_text().replace("−", "-")
    assert said == f"log p(x) = {top:.2f} = ELBO {bound:.2f} + KL(q‖p(z|x)) {top - bound:.2f}"
    page = open_page(page_with(site, "kl"))
    said = page.locator("[data-live=kl] output").first.inner_text()
    assert said.endswith(f"= {kl_to_standard_normal(torch.tensor([[1.0]]), torch.tensor([[-2.0]])).item():.2f} nats")
