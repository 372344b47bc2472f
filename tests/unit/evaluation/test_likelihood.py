"""Importance sampling against models whose log p(x) is exactly known; and the account between p(x|y) and p(x)."""

from math import log

from vae_helpers import evaluation, losses
from vae_helpers.losses import joint_log_prob
from vae_helpers.models import VAE, ClassMixture, ClassPriorVAE, ConditionalVAE, Mixture, SecondLayer

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal, Normal


@pytest.fixture
def linear():
    """Probabilistic PCA of 3 dimensions in 6 pixels, and rows drawn from it."""
    g = torch.Generator().manual_seed(0)
    mixing = torch.randn(6, 6, generator=g, dtype=torch.float64)
    model = losses.ppca(torch.randn(6, generator=g, dtype=torch.float64), mixing @ mixing.T, 3)
    z, noise = (torch.randn(40, k, generator=g, dtype=torch.float64) for k in (3, 6))
    return model, model.mean + z @ model.W.T + model.sigma2**0.5 * noise


def joint_of(model):
    def joint(x, z):
        prior = Normal(0.0, 1.0).log_prob(z).sum(1)
        return prior + Normal(model.mean + z @ model.W.T, model.sigma2**0.5).log_prob(x).sum(1)

    return joint


def encoder_of(model, shift=0.0, widen=1.0):
    """A diagonal q around the exact posterior's mean: moved aside, and wider than its variances."""

    def encode(x):
        exact = losses.posterior(model, x)
        variance = widen * exact.covariance_matrix.diagonal(dim1=-2, dim2=-1)
        return exact.mean + shift, variance.log()

    return encode


def test_with_the_posterior_itself_one_draw_is_exact(linear):
    model, x = linear  # W's columns are orthogonal, so the posterior is diagonal
    once = evaluation.importance_sampled_log_p(encoder_of(model), joint_of(model), x, n_samples=1)
    assert torch.allclose(once, losses.log_evidence(model, x), atol=1e-8)


def test_with_a_q_that_is_not_the_posterior_p_of_x_is_met_within_its_error(linear):
    model, x = linear
    encode, exact = encoder_of(model, shift=0.3, widen=1.5), losses.log_evidence(model, x)
    runs = torch.stack(
        [
            evaluation.importance_sampled_log_p(encode, joint_of(model), x, n_samples=20, seed=s) - exact
            for s in range(200)
        ]
    ).exp()  # each is p̂(x)/p(x), whose mean is 1
    assert runs.std() > 0.05
    error = runs.std(0) / len(runs) ** 0.5
    assert ((runs.mean(0) - 1).abs() < 3.9 * error).all()
    average = runs.mean(1)
    assert abs(average.mean() - 1) < 3 * average.std() / len(runs) ** 0.5


def test_the_logarithm_reads_low_and_less_so_with_more_samples(linear):
    model, x = linear
    encode, exact = encoder_of(model, shift=0.3, widen=1.5), losses.log_evidence(model, x)
    few, many = (
        (evaluation.importance_sampled_log_p(encode, joint_of(model), x, n_samples=k) - exact).mean() for k in (1, 500)
    )
    assert few < many - 0.1 and abs(many) < 0.02


def test_batches_do_not_change_which_rows_are_meant(linear):
    model, x = linear
    encode = encoder_of(model, widen=1.2)
    parts = evaluation.importance_sampled_log_p(encode, joint_of(model), x, n_samples=2000, batch_size=7)
    assert torch.allclose(parts, losses.log_evidence(model, x), atol=0.1)


def test_several_models_at_once_are_rows_and_stay_so_over_batches(linear):
    model, x = linear
    joint = joint_of(model)
    both = lambda x, z: torch.stack([joint(x, z), joint(x, z) - 1])  # noqa: E731
    rows = evaluation.importance_sampled_log_p(encoder_of(model), both, x, n_samples=1, batch_size=7)
    exact = losses.log_evidence(model, x)
    assert torch.allclose(rows, torch.stack([exact, exact - 1]), atol=1e-8)


def test_the_same_seed_gives_the_same_estimate_and_leaves_the_random_state_alone():
    model, x = VAE(2, hidden=(8,)), torch.rand(5, 1, 28, 28).round()
    before = torch.random.get_rng_state()
    one, again, other = (evaluation.sampled_log_p(model, x, n_samples=3, seed=s) for s in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("kind", [VAE, ConditionalVAE, ClassPriorVAE])
def test_a_decoder_that_ignores_z_has_the_likelihood_of_its_pixels(kind):
    model, x, y = kind(2, hidden=()), torch.rand(6, 1, 28, 28).round(), torch.arange(6)
    with torch.no_grad():
        model.decoder[-1].weight[:, :2] = 0
        model.encoder[-1].weight.zero_()
        if kind is ClassPriorVAE:
            model.class_means.mul_(0.3)
    label = None if kind is VAE else y
    logits = model.decode(torch.zeros(6, 2), y)
    exact = torch.distributions.Bernoulli(logits=logits).log_prob(x).sum((1, 2, 3))
    estimate = evaluation.sampled_log_p(model, x, label, n_samples=2000)
    assert torch.allclose(estimate, exact, atol=0.15)


def test_each_class_has_its_own_column():
    model, x, y = ConditionalVAE(2, hidden=(8,)), torch.rand(5, 1, 28, 28).round(), torch.tensor([7, 0, 3, 3, 9])
    table = evaluation.sampled_log_p_of_each_class(model, x, n_samples=4)
    assert table.shape == (5, 10)
    given = evaluation.sampled_log_p(model, x, y, n_samples=4)
    assert torch.allclose(table.gather(1, y[:, None])[:, 0], given)


def test_the_mixture_of_two_known_gaussians_is_their_average():
    means = torch.tensor([[-1.0, 0.5], [2.0, 0.0]])
    x, y = torch.randn(30, 2), torch.randint(0, 2, (30,))

    def exact(k):
        return MultivariateNormal(means[k], 1.25 * torch.eye(2)).log_prob(x)

    def joint(x, z, y):
        return Normal(means[y], 1.0).log_prob(z).sum(1) + Normal(z, 0.5).log_prob(x).sum(1)

    def encode(x, y):
        return 0.8 * x + 0.1 * means[y] + 0.1, torch.full_like(x, log(0.4))

    sampled = evaluation.importance_sampled_log_p(encode, joint, x, y, n_samples=3000)
    oracle = torch.stack([exact(0), exact(1)], dim=1).gather(1, y[:, None])[:, 0]
    assert torch.allclose(sampled, oracle, atol=0.1)


def test_grey_images_are_refused():
    with pytest.raises(ValueError, match=r"x_bin must hold floats 0 and 1 only.*torch.bernoulli"):
        evaluation.sampled_log_p(VAE(2), torch.rand(3, 1, 28, 28))
    with pytest.raises(TypeError, match=r"floats 0 and 1, got torch.uint8.*torch.bernoulli"):
        evaluation.sampled_log_p(VAE(2), torch.zeros(3, 1, 28, 28, dtype=torch.uint8))
    with pytest.raises(ValueError, match="n_samples must be at least 1"):
        evaluation.sampled_log_p(VAE(2), torch.zeros(3, 1, 28, 28), n_samples=0)


def test_a_conditional_model_asked_without_labels_says_so():
    for kind in (ConditionalVAE, ClassPriorVAE):
        with pytest.raises(TypeError, match="y is missing"):
            evaluation.sampled_log_p(kind(2), torch.zeros(3, 1, 28, 28))


def test_log_joint_is_the_one_that_sampled_log_p_uses():
    model, x, y = ClassPriorVAE(2, hidden=(8,)), torch.rand(4, 1, 28, 28).round(), torch.tensor([1, 2, 3, 4])
    direct = evaluation.importance_sampled_log_p(
        lambda x, y: model.encode(x), lambda x, z, y: joint_log_prob(model, x, z, y), x, y, n_samples=5
    )
    assert torch.equal(direct, evaluation.sampled_log_p(model, x, y, n_samples=5))


def test_one_run_under_ten_priors_gives_what_a_run_per_class_gives():
    torch.manual_seed(0)
    model, x_bin = ClassPriorVAE(3, (16,)), torch.rand(7, 1, 28, 28).round()
    table = evaluation.sampled_log_p_of_each_class(model, x_bin, n_samples=20, seed=3)
    for k in range(10):
        alone = evaluation.sampled_log_p(model, x_bin, torch.full((7,), k), n_samples=20, seed=3)
        assert torch.allclose(table[:, k], alone, atol=1e-4)


def with_a_prior(kind, prior):
    """A model with one latent number, its weights drawn, in float64; and 6 binarized images."""
    torch.manual_seed(0)
    model = kind(1, (8,))
    model.prior = prior
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return model.double().requires_grad_(False), torch.rand(6, 1, 28, 28).round().double()


def on_the_line(model, x, y=None):
    """log p(x) of each image by quadrature, the prior by torch.distributions."""
    grid = torch.linspace(-15, 15, 1501, dtype=torch.float64)
    found = []
    for i, image in enumerate(x):
        logits, means, logvars = (p if y is None else p[y[i]] for p in model.prior.parameters())
        each = Normal(means.squeeze(-1), (logvars.squeeze(-1) / 2).exp())
        prior = MixtureSameFamily(Categorical(logits=logits), each)
        labels = None if y is None else y[i].expand(len(grid))
        log_p = -losses.bernoulli_nll(model.decode(grid[:, None], labels), image.expand(len(grid), -1, -1, -1))
        found.append(losses.log_evidence_on_grid(prior.log_prob(grid) + log_p, grid))
    return torch.stack(found)


def met_on_average(estimates):
    """log p(x) of six images from many estimates of each, whose exponentials are right on average."""
    return losses.log_mean_exp(estimates.view(-1, 6))


def test_a_learned_prior_is_the_one_that_is_sampled_under():
    model, x = with_a_prior(VAE, Mixture(4, 1))
    estimates = evaluation.sampled_log_p(model, x.repeat(500, 1, 1, 1), n_samples=5)
    assert torch.allclose(met_on_average(estimates), on_the_line(model, x), atol=0.1)


def test_so_is_a_prior_of_each_class():
    model, x = with_a_prior(ConditionalVAE, ClassMixture(4, 1, n_classes=10))
    y = torch.arange(6)
    exact = on_the_line(model, x, y)
    estimates = evaluation.sampled_log_p(model, x.repeat(500, 1, 1, 1), y.repeat(500), n_samples=5)
    assert torch.allclose(met_on_average(estimates), exact, atol=0.1)
    of_each = evaluation.sampled_log_p_of_each_class(model, x, n_samples=5)
    alone = [evaluation.sampled_log_p(model, x, torch.full((6,), k), n_samples=5) for k in (0, 7)]
    assert torch.equal(of_each[:, [0, 7]], torch.stack(alone, dim=1))


def test_a_second_layer_has_no_density_to_sample_under():
    model = VAE(3, (8,))
    model.prior = SecondLayer(3, 2, (8,))
    with pytest.raises(TypeError, match=r"model has a prior without log_prob \(SecondLayer\)"):
        evaluation.sampled_log_p(model, torch.zeros(2, 1, 28, 28))
