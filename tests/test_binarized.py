"""The parts of the importance sampler, and the training of the course's best model."""

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from vae_helpers import binarized
from vae_helpers.data import Dataset
from vae_helpers.evaluation import log_mean_exp, log_weight


def test_a_weight_is_the_joint_divided_by_the_density_of_its_draw():
    mu, logvar, eps = torch.randn(3, 5, 4, dtype=torch.float64).unbind()
    seen = []
    weight = log_weight(lambda z: seen.append(z) or z.sum(1), mu, logvar, eps)
    sigma = logvar.exp().sqrt()
    assert torch.allclose(seen[0], mu + sigma * eps)
    assert torch.allclose(weight, seen[0].sum(1) - Normal(mu, sigma).log_prob(seen[0]).sum(1))


def test_the_mean_log_weight_is_the_elbo():
    """With p(x, z) = N(z; 0, I) the ELBO is −KL(q ‖ N(0, I))."""
    mu, logvar = torch.tensor([[0.5, -1.0]]), torch.tensor([[-1.0, 0.3]])
    joint = lambda z: Normal(0.0, 1.0).log_prob(z).sum(1)  # noqa: E731
    torch.manual_seed(0)
    weights = torch.stack([log_weight(joint, mu, logvar, torch.randn(1, 2)) for _ in range(20_000)])
    elbo = -kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum()
    assert abs(weights.mean() - elbo) < 4 * weights.std() / len(weights) ** 0.5


def test_log_mean_exp_is_the_log_of_the_mean_for_each_column():
    log_weights = torch.randn(7, 3, dtype=torch.float64)
    assert torch.allclose(log_mean_exp(log_weights), log_weights.exp().mean(0).log())


def test_log_mean_exp_neither_underflows_nor_overflows():
    for shift in (-2000.0, 2000.0):
        weights = shift + torch.tensor([[0.0], [1.0]])
        expected = shift + torch.tensor((1 + torch.e) / 2).log()
        assert log_mean_exp(weights).item() == pytest.approx(expected.item())


def test_the_loss_sees_coins_tossed_anew_and_never_grey():
    seen, x = [], torch.full((4, 1, 28, 28), 0.3)

    class Spy(binarized.SmoothVAE):
        def encode(self, x):
            seen.append(x)
            return super().encode(x)

    model = Spy(3, (8,))
    for _ in range(2):
        binarized.binarized_loss(model, x)
    assert set(seen[0].unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(*seen)
    assert seen[0].mean().item() == pytest.approx(0.3, abs=0.04)


def test_the_loss_is_the_elbo_of_the_binarized_image():
    model = binarized.SmoothVAE(2, (8,))
    with torch.no_grad():
        model.decoder[-1].weight.zero_()
    x = torch.zeros(4, 1, 28, 28)
    x[:, :, :14] = 1.0  # black and white already: the toss changes nothing
    loss = binarized.binarized_loss(model, x, beta=0.5)
    oracle = -Bernoulli(logits=model.decoder[-1].bias).log_prob(x.flatten(1)).sum(1).mean()
    mu, logvar = model.encode(x)
    kl = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum(1).mean()
    assert torch.allclose(loss.reconstruction, oracle) and torch.allclose(loss.kl, kl) and loss.beta == 0.5


def test_encoder_and_decoder_are_smooth_and_mirror_each_other():
    sizes = [m.weight.shape for m in binarized.SmoothVAE().modules() if isinstance(m, torch.nn.Linear)]
    assert sizes == [(400, 784), (400, 400), (100, 400), (400, 50), (400, 400), (784, 400)]
    kinds = {type(m) for m in binarized.SmoothVAE().modules() if not list(m.children())}
    assert torch.nn.SiLU in kinds and torch.nn.ReLU not in kinds
    with pytest.raises(ValueError, match="latent_dim must be at least 1"):
        binarized.SmoothVAE(0)


def test_the_best_model_leaves_the_held_out_images_out_and_is_found_again(monkeypatch, tmp_path):
    monkeypatch.setenv("VAE_CACHE", str(tmp_path))
    monkeypatch.setattr(binarized, "EPOCHS", 1)
    x = torch.zeros(5300, 1, 28, 28, dtype=torch.uint8)
    x[-5000:] = 255  # were these seen, the ink would show
    dataset = Dataset("glyphs", x, torch.zeros(5300, dtype=torch.int64), x[:5], torch.zeros(5, dtype=torch.int64))
    model, history = binarized.best_vae(dataset)
    assert model.generate(torch.zeros(1, 50)).max() < 0.01
    again, kept = binarized.best_vae(dataset)
    assert torch.equal(again.decoder[-1].bias, model.decoder[-1].bias) and kept.seconds == history.seconds
