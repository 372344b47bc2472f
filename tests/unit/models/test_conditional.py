"""The two conditional VAEs: which part sees y, what their losses add up to, and which labels they refuse."""

from math import log

from vae_helpers import data, models, training
from vae_helpers.losses import class_prior_loss, conditional_vae_loss, joint_log_prob
from vae_helpers.models import ClassPriorVAE, ConditionalVAE, join_label

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

both = pytest.mark.parametrize("kind", [ConditionalVAE, ClassPriorVAE])
LOSS = {ConditionalVAE: conditional_vae_loss, ClassPriorVAE: class_prior_loss}
Y = torch.tensor([3, 0, 9, 3, 1])


@pytest.fixture
def x():
    return torch.rand(5, 1, 28, 28)


def with_means_apart(model, by=3.0):
    with torch.no_grad():
        model.class_means.mul_(by)
    return model


def test_a_label_is_one_switch_behind_the_row():
    joined = join_label(torch.zeros(5, 3), Y)
    assert joined.shape == (5, 13)
    assert joined.nonzero().tolist() == [[i, 3 + y] for i, y in enumerate(Y.tolist())]


@both
@pytest.mark.parametrize("hidden", [(), (7,), (9, 5)], ids=str)
def test_codes_styles_and_images_have_the_shapes_of_every_model(kind, hidden):
    model = kind(3, hidden)
    z = model.place(torch.randn(5, 3), Y)
    assert z.shape == (5, 3)
    x_hat = model.generate(z, Y)
    assert x_hat.shape == (5, 1, 28, 28) and 0 <= x_hat.min() <= x_hat.max() <= 1


def test_the_label_changes_what_encoder_and_decoder_of_the_concatenation_do(x):
    model, others = ConditionalVAE(3), (Y + 1) % 10
    mu, logvar = model.encode(x, Y)
    assert mu.shape == logvar.shape == (5, 3)
    assert not (model.encode(x, others)[0] == mu).any()
    assert (model.embed(x, Y) == mu).all()
    z = torch.randn(5, 3)
    assert not torch.allclose(model.decode(z, Y), model.decode(z, others))


def test_the_label_changes_only_the_prior_of_the_class_prior_model(x):
    model, z = ClassPriorVAE(3), torch.randn(5, 3)
    assert (model.decode(z, Y) == model.decode(z)).all()
    assert torch.allclose(model.place(z, Y) - z, model.class_means[Y])
    assert models.n_parameters(model) == models.n_parameters(models.VAE(3)) + 10 * 3


def test_log_variances_are_clamped(x):
    model = ConditionalVAE(3)
    with torch.no_grad():
        model.encoder[-1].bias[3:] = torch.tensor([-1e3, 0.0, 1e3])
    _, logvar = model.encode(x, Y)
    assert (logvar[:, 0] == -30).all() and (logvar[:, 2] == 20).all()


@both
def test_the_parts_of_the_loss_are_those_of_torch_distributions(kind, x):
    model = kind(3)
    centre = with_means_apart(model).class_means[Y] if kind is ClassPriorVAE else torch.zeros(5, 3)
    mu, logvar = model.encode(x, Y) if kind is ConditionalVAE else model.encode(x)
    torch.manual_seed(1)
    loss = LOSS[kind](model, x, Y, beta=2.0)
    torch.manual_seed(1)
    z = mu + (logvar / 2).exp() * torch.randn(5, 3)
    nll = -Bernoulli(logits=model.decode(z, Y), validate_args=False).log_prob(x).sum((1, 2, 3))
    kl = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(centre, 1.0)).sum(1)
    assert loss.reconstruction.item() == pytest.approx(nll.mean().item(), rel=1e-5)
    assert loss.kl.item() == pytest.approx(kl.mean().item(), rel=1e-5)
    assert loss.total.item() == pytest.approx((nll.mean() + 2 * kl.mean()).item(), rel=1e-5)


@both
def test_log_joint_is_log_prior_of_the_class_plus_log_likelihood(kind, x):
    model, z = kind(3), torch.randn(5, 3)
    centre = with_means_apart(model).class_means[Y] if kind is ClassPriorVAE else torch.zeros(5, 3)
    oracle = Normal(centre, 1.0).log_prob(z).sum(1)
    oracle = oracle + Bernoulli(logits=model.decode(z, Y), validate_args=False).log_prob(x).sum((1, 2, 3))
    assert torch.allclose(joint_log_prob(model, x, z, Y), oracle, rtol=1e-5)


def test_log_joint_of_a_vae_needs_no_label(x):
    model, z = models.VAE(3), torch.zeros(5, 3)
    nll = -Bernoulli(logits=model.decode(z), validate_args=False).log_prob(x).sum((1, 2, 3))
    assert torch.allclose(joint_log_prob(model, x, z), -1.5 * log(2 * torch.pi) - nll, rtol=1e-5)


@both
def test_every_weight_receives_a_gradient_of_its_loss(kind, x):
    model = kind(3, hidden=(7,), n_classes=10)
    LOSS[kind](model, torch.rand(10, 1, 28, 28), torch.arange(10)).total.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@both
def test_fit_trains_it_on_glyphs(kind):
    dataset = data.load_glyphs(n=500, n_test=100)
    model = kind(2, hidden=(32,))
    models.start_at_mean(model, dataset.x)
    before = training.mean_loss(model, dataset.x, LOSS[kind], dataset.y)
    training.fit(model, dataset.x, LOSS[kind], y=dataset.y, epochs=8, batch_size=25, progress=False)
    assert training.mean_loss(model, dataset.x, LOSS[kind], dataset.y).total < before.total - 10


@both
@pytest.mark.parametrize(
    ("y", "error", "words"),
    [
        (None, TypeError, "y is missing: hand over a tensor of int64 labels"),
        (Y.int(), TypeError, r"int64 labels, got torch.int32.*y.long\(\)"),
        (Y.float(), TypeError, "got torch.float32"),
        (Y.tolist(), TypeError, "got list: torch.as_tensor makes one"),
        (Y[:4], ValueError, r"shape \(5,\), to go with (x|style), got \(4,\)"),
        (Y[:, None], ValueError, r"got \(5, 1\)"),
        (torch.nn.functional.one_hot(Y, 10), ValueError, r"got \(5, 10\)"),
        (Y + 1, ValueError, "labels from 0 to 9, but runs from 1 to 10"),
        (Y - 1, ValueError, "but runs from -1 to 8"),
    ],
    ids=["none", "int32", "float", "list", "too few", "column", "one-hot", "ten", "negative"],
)
def test_labels_that_can_not_be_are_refused(kind, y, error, words, x):
    with pytest.raises(error, match=words):
        kind(3).place(torch.zeros(5, 3), y)
    with pytest.raises(error, match=words):
        LOSS[kind](kind(3), x, y)


def test_labels_beyond_the_models_own_number_of_classes_are_refused(x):
    with pytest.raises(ValueError, match="labels from 0 to 3, but runs from 0 to 9"):
        ConditionalVAE(3, n_classes=4).encode(x, Y)
    with pytest.raises(ValueError, match="labels from 0 to 3"):
        ClassPriorVAE(3, n_classes=4).place(torch.zeros(5, 3), Y)


@both
def test_sizes_that_are_no_positive_whole_numbers_are_refused(kind):
    with pytest.raises(ValueError, match="n_classes must be at least 1, got 0"):
        kind(2, n_classes=0)
    with pytest.raises(TypeError, match=r"n_classes must be a whole number, got 2.5"):
        kind(2, n_classes=2.5)
    with pytest.raises(ValueError, match="latent_dim must be at least 1"):
        kind(0)
    with pytest.raises(TypeError, match="hidden must be of type tuple or list"):
        kind(2, hidden=400)


def test_images_and_codes_are_still_checked_first(x):
    with pytest.raises(ValueError, match=r"x must have shape \(batch, 1, 28, 28\)"):
        ConditionalVAE(2).encode(x.flatten(1), Y)
    with pytest.raises(ValueError, match=r"z must have shape \(batch, 2\)"):
        ConditionalVAE(2).generate(torch.randn(5, 3), Y)


def test_an_empty_batch_of_codes_has_no_wrong_label():
    assert ConditionalVAE(2).place(torch.zeros(0, 2), Y[:0]).shape == (0, 2)
