"""Priors: their densities against torch.distributions and quadrature, their samplers against their densities."""

from vae_helpers import data, losses, models, training
from vae_helpers.models import (
    ClassMixture,
    FullGaussian,
    FullMixture,
    Mixture,
    SecondLayer,
    StandardGaussian,
    VampPrior,
)

import pytest
import torch
from sklearn.mixture import GaussianMixture
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal

GRID = torch.linspace(-30, 30, 12001, dtype=torch.float64)
Z = torch.randn(7, 3, generator=torch.Generator().manual_seed(1))


def mixture(k=4, d=3, seed=0):
    """One whose weights, means and variances all differ."""
    torch.manual_seed(seed)
    prior = Mixture(k, d)
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return prior.requires_grad_(False)


def class_mixture(k=4, d=3, n_classes=10):
    torch.manual_seed(0)
    prior = ClassMixture(k, d, n_classes)
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return prior.requires_grad_(False)


def full_mixture(k=4, d=3):
    torch.manual_seed(2)
    factors = torch.randn(k, d, d).tril() + 2 * torch.eye(d)
    return FullMixture(torch.randn(k), 2 * torch.randn(k, d), factors)


def vae(d=3):
    torch.manual_seed(0)
    return models.VAE(d, (8,))


def vamp(d=3, k=5):
    model = vae(d)
    with torch.no_grad():
        model.encoder[-1].weight *= 20
    return VampPrior(model.encode, torch.rand(1, 28, 28), k), model


def oracle(prior):
    """The mixture of diagonal Gaussians, by torch.distributions."""
    each = Independent(Normal(prior.means, (prior.logvars / 2).exp()), 1)
    return MixtureSameFamily(Categorical(logits=prior.logits), each)


def test_the_standard_gaussian_is_torchs():
    assert torch.allclose(StandardGaussian(3).log_prob(Z), Normal(0.0, 1.0).log_prob(Z).sum(1))


def test_a_mixture_is_that_of_torch_distributions():
    prior = mixture()
    assert torch.allclose(prior.log_prob(Z), oracle(prior).log_prob(Z), atol=1e-5)


def test_a_full_mixture_is_that_of_torch_distributions():
    prior = full_mixture()
    covariances = prior.scale_trils @ prior.scale_trils.mT
    each = MultivariateNormal(prior.means, covariance_matrix=covariances)
    expected = MixtureSameFamily(Categorical(logits=prior.logits), each).log_prob(Z)
    assert torch.allclose(prior.log_prob(Z), expected, atol=1e-4)


def test_a_full_gaussian_is_the_formula():
    codes = torch.randn(500, 3) @ torch.randn(3, 3) + 1
    prior = FullGaussian.fitted_to(codes)
    shift, cov = Z - codes.mean(0), torch.cov(codes.T)
    squares = (shift @ torch.linalg.inv(cov) * shift).sum(1)
    expected = -0.5 * (squares + torch.logdet(2 * torch.pi * cov))
    assert torch.allclose(prior.log_prob(Z), expected, atol=1e-4)


def test_a_class_mixture_is_the_mixture_of_its_class():
    prior, y = class_mixture(), torch.tensor([0, 3, 9, 3, 1, 2, 0])
    for code, label, found in zip(Z, y, prior.log_prob(Z, y), strict=True):
        one = Mixture(4, 3)
        one.load_state_dict({name: value[label] for name, value in prior.state_dict().items()})
        assert found.item() == pytest.approx(oracle(one).log_prob(code).item(), abs=1e-4)


def test_a_vamp_prior_is_the_mean_of_its_pseudo_inputs_clouds():
    prior, model = vamp()
    mu, logvar = model.encode(prior.pseudo_inputs())
    each = Independent(Normal(mu, (logvar / 2).exp()), 1)
    expected = MixtureSameFamily(Categorical(torch.ones(5)), each).log_prob(Z)
    assert torch.allclose(prior.log_prob(Z), expected, atol=1e-4)
    assert mu.std(0).min() > 0.1


ON_THE_LINE = {
    "StandardGaussian": lambda: StandardGaussian(1),
    "FullGaussian": lambda: FullGaussian(torch.tensor([1.5]), torch.tensor([[0.7]])),
    "Mixture": lambda: mixture(d=1),
    "FullMixture": lambda: full_mixture(d=1),
    "VampPrior": lambda: vamp(1)[0],
}


@pytest.mark.parametrize("name", ON_THE_LINE)
def test_a_density_integrates_to_one(name):
    prior = ON_THE_LINE[name]().double()
    if name == "VampPrior":
        prior.encode.__self__.double()
    density = prior.log_prob(GRID[:, None]).exp()
    assert torch.trapezoid(density, GRID).item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", ON_THE_LINE)
def test_a_sampler_draws_what_its_density_says(name):
    prior = ON_THE_LINE[name]()
    grid = GRID.float()
    with torch.no_grad():
        cdf = torch.cumulative_trapezoid(prior.log_prob(grid[:, None]).exp().double(), GRID)
    drawn = prior.sample(200_000, torch.Generator().manual_seed(3)).squeeze(1)
    for share in (0.1, 0.35, 0.5, 0.8, 0.95):
        quantile = GRID[1:][torch.searchsorted(cdf, share)]
        assert (drawn < quantile).double().mean().item() == pytest.approx(share, abs=0.006)


def test_draws_of_a_full_gaussian_and_mixture_have_its_covariance():
    prior = full_mixture()
    drawn = prior.sample(200_000, torch.Generator().manual_seed(0))
    weights = prior.logits.softmax(0)
    mean = weights @ prior.means
    apart = prior.means - mean
    expected = torch.einsum("k,kij->ij", weights, prior.scale_trils @ prior.scale_trils.mT)
    expected = expected + torch.einsum("k,ki,kj->ij", weights, apart, apart)
    assert torch.allclose(drawn.mean(0), mean, atol=0.05)
    assert torch.allclose(torch.cov(drawn.T), expected, atol=0.03 * expected.abs().max())
    one = FullGaussian(prior.means[0], prior.scale_trils[0])
    drawn = one.sample(200_000, torch.Generator().manual_seed(0))
    assert torch.allclose(torch.cov(drawn.T), one.scale_tril @ one.scale_tril.T, atol=0.2)


def test_a_class_is_drawn_from_its_own_mixture():
    prior = class_mixture(d=1)
    for label in (0, 4):
        weights, means, logvars = (p[label].squeeze(-1) for p in prior.parameters())
        mean = weights.softmax(0) @ means
        variance = weights.softmax(0) @ (logvars.exp() + means.square()) - mean**2
        drawn = prior.sample(torch.full((100_000,), label), torch.Generator().manual_seed(0))
        assert abs(drawn.mean() - mean) < 4 * (variance / 100_000) ** 0.5
        assert drawn.var().item() == pytest.approx(variance.item(), rel=0.05)


@pytest.mark.parametrize("name", ON_THE_LINE)
def test_a_generator_repeats_a_draw_and_leaves_the_global_numbers_alone(name):
    prior = ON_THE_LINE[name]()
    before = torch.random.get_rng_state()
    first, again = (prior.sample(9, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, again) and torch.equal(before, torch.random.get_rng_state())
    assert not first.requires_grad and not torch.equal(prior.sample(9), prior.sample(9))


def test_a_new_mixture_is_near_the_standard_gaussian():
    torch.manual_seed(0)
    drawn = Mixture(500, 2).sample(50_000)
    assert torch.allclose(torch.cov(drawn.T), torch.eye(2), atol=0.1)


CLUSTERS = torch.cat([torch.randn(600, 2) * 0.3 + 4, torch.randn(200, 2) - 3])


@pytest.mark.parametrize(("kind", "covariance"), [(Mixture, "diag"), (FullMixture, "full")])
def test_a_mixture_fitted_to_codes_has_scikit_learns_likelihood(kind, covariance):
    prior = kind.fitted_to(CLUSTERS, 2, seed=1)
    expected = GaussianMixture(2, covariance_type=covariance, random_state=1).fit(CLUSTERS.numpy())
    assert prior.log_prob(CLUSTERS).mean().item() == pytest.approx(expected.score(CLUSTERS.numpy()), abs=1e-3)
    assert sorted(prior.logits.softmax(0).tolist()) == pytest.approx([0.25, 0.75], abs=0.01)


def test_a_full_mixture_of_one_is_the_full_gaussian():
    one, gaussian = FullMixture.fitted_to(CLUSTERS, 1), FullGaussian.fitted_to(CLUSTERS)
    assert torch.allclose(one.log_prob(Z[:, :2]), gaussian.log_prob(Z[:, :2]), atol=0.02)


def test_a_class_mixture_fitted_to_codes_knows_its_classes():
    y = torch.cat([torch.zeros(600), torch.ones(200)]).long()
    prior = ClassMixture.fitted_to(CLUSTERS, y, 2, n_classes=2)
    right, wrong = prior.log_prob(CLUSTERS, y), prior.log_prob(CLUSTERS, 1 - y)
    assert (right > wrong).float().mean() > 0.99
    assert torch.allclose(prior.sample(torch.tensor([0] * 2000)).mean(0), torch.tensor([4.0, 4.0]), atol=0.05)
    with pytest.raises(ValueError, match="codes of class 2 must be at least 2, for n_components = 2, got 0"):
        ClassMixture.fitted_to(CLUSTERS, y, 2, n_classes=3)


def test_too_few_codes_are_refused():
    with pytest.raises(ValueError, match="codes must be at least 9, for n_components = 9, got 5"):
        Mixture.fitted_to(CLUSTERS[:5], 9)
    with pytest.raises(ValueError, match="codes must be more than 2, to fit a covariance, got 2"):
        FullGaussian.fitted_to(CLUSTERS[:2])


def test_fit_trains_a_models_prior_and_a_checkpoint_keeps_it(tmp_path):
    x, model = data.load_glyphs(n=64, n_test=1).x, vae()
    model.prior = Mixture(4, 3)
    before = {name: value.clone() for name, value in model.prior.state_dict().items()}
    history = training.fit(model, x, losses.prior_loss, epochs=2, batch_size=16, progress=False)
    assert not any(torch.equal(value, model.prior.state_dict()[name]) for name, value in before.items())
    training.checkpoint.save(tmp_path / "model.pt", model, history)
    other = vae()
    other.prior = Mixture(4, 3)
    training.checkpoint.load(tmp_path / "model.pt", other)
    assert torch.equal(other.prior.log_prob(Z), model.prior.log_prob(Z))


def test_what_is_fitted_stays_as_it_is_in_training():
    x, model = data.load_glyphs(n=32, n_test=1).x, vae()
    model.prior = FullGaussian.fitted_to(torch.randn(50, 3))
    before = model.prior.scale_tril.clone()
    training.fit(model, x, losses.prior_loss, epochs=1, batch_size=16, progress=False)
    assert torch.equal(model.prior.scale_tril, before)


def test_a_vamp_prior_teaches_its_pseudo_inputs_and_the_encoder():
    prior, model = vamp()
    prior.log_prob(Z).sum().backward()
    assert prior.logits.grad.abs().sum() > 0 and model.encoder[0].weight.grad.abs().sum() > 0
    assert not list(prior.children())
    images = prior.pseudo_inputs()
    assert images.min() >= 0 and images.max() <= 1


def test_a_copy_of_a_model_with_a_vamp_prior_asks_its_own_encoder():
    prior, model = vamp()
    model.prior = prior
    copy = models.copy_of(model)
    with torch.no_grad():
        model.encoder[-1].bias += 3
    assert copy.prior.encode.__self__ is copy
    assert not torch.allclose(copy.prior.log_prob(Z), model.prior.log_prob(Z))


def test_a_vamp_prior_needs_an_encoder_without_labels():
    with pytest.raises(TypeError, match="y is missing"):
        VampPrior(models.ConditionalVAE(3, (8,)).encode, torch.rand(1, 28, 28))


def test_a_second_layer_draws_z1_through_z2():
    torch.manual_seed(0)
    second = SecondLayer(1, 1, ())
    with torch.no_grad():
        second.decoder[0].weight.copy_(torch.tensor([[2.0], [0.0]]))
        second.decoder[0].bias.copy_(torch.tensor([1.0, 0.5]))
    drawn = second.sample(100_000, torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(1, abs=0.03)  # z₁ = 1 + 2 z₂ + e^¼ ε
    assert drawn.var().item() == pytest.approx(4 + torch.tensor(0.5).exp().item(), rel=0.02)
    mu, logvar = second.encode(drawn[:5])
    assert mu.shape == logvar.shape == (5, 1) and drawn.requires_grad is False
