"""``diagnose_vae`` names the mistakes of notebook 09, is silent where nothing is wrong, and changes nothing."""

import copy

from vae_helpers import data, training
from vae_helpers.exercises import diagnose_vae
from vae_helpers.exercises.diagnosis import share_of_twins
from vae_helpers.losses import (
    Loss,
    class_prior_loss,
    conditional_vae_loss,
    linear_vae_loss,
    linear_vae_loss_exact,
    vae_loss,
)
from vae_helpers.models import VAE, ClassPriorVAE, ConditionalVAE, LinearVAE, start_at_mean

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.utils.data import DataLoader, TensorDataset

GLYPHS = data.load_glyphs(n=1500, n_test=300)
X, Y, X_TEST = GLYPHS.x, GLYPHS.y, GLYPHS.x_test


def gaussian(mu, logvar):
    return mu + torch.exp(logvar / 2) * torch.randn_like(mu)


def bce(x_logits, x, reduction="sum"):
    return F.binary_cross_entropy_with_logits(x_logits, x, reduction=reduction)


def kl_sum(mu, logvar):
    return kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)).sum()


def kl_cells(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - logvar - 1)


def program(draw=gaussian, reconstruct=bce, kl=kl_sum, scale=lambda n: 1 / n, kl_scale=None):
    """A loss in somebody's hand: how z is drawn, the two parts, and what each is divided by."""

    def loss(model, x):
        mu, logvar = model.encode(x)
        reconstruction = reconstruct(model.decode(draw(mu, logvar)), x) * scale(len(x))
        return reconstruction + kl(mu, logvar) * (kl_scale or scale)(len(x))

    return loss


def kinds(diagnosis):
    return [finding.kind for finding in diagnosis.findings]


def questions(diagnosis):
    """The kinds of its questions, but for what every untrained program is asked."""
    return [q.kind for q in diagnosis.questions if q.kind not in ("no better than one picture", "logvar unbounded")]


def diagnosed(loss, model=None, **kwargs):
    torch.manual_seed(0)
    return diagnose_vae(model or VAE(3, hidden=(64,)), loss, X, X_TEST, **kwargs)


MEAN_OF_PIXELS = lambda n: 1 / (784 * n)  # noqa: E731
MISTAKES = {
    "uniform noise": program(draw=lambda m, v: m + (v / 2).exp() * torch.rand_like(m)),
    "σ² used as σ": program(draw=lambda m, v: m + v.exp() * torch.randn_like(m)),
    "one noise for all": program(draw=lambda m, v: m + (v / 2).exp() * torch.randn(m.shape[1])),
    "noise of another width": program(draw=lambda m, v: m + v.sigmoid() * torch.randn_like(m)),
    "noise off centre": program(draw=lambda m, v: gaussian(m, v) + 0.5 * (v / 2).exp()),
    "no noise": program(draw=lambda m, v: m),
    "no gradient": program(draw=lambda m, v: Normal(m, (v / 2).exp()).sample()),
    "KL swapped": program(kl=lambda m, v: kl_sum(v, m)),
    "KL squared twice": program(kl=lambda m, v: kl_sum(m, 2 * v)),
    "KL logvar for sigma": program(kl=lambda m, v: 0.5 * (m**2 + v**2 - (v**2).log() - 1).sum()),
    "KL log turned": program(kl=lambda m, v: 0.5 * (m**2 + v.exp() + v - 1).sum()),
    "KL no log": program(kl=lambda m, v: 0.5 * (m**2 + v.exp()).sum()),
    "KL no mu": program(kl=lambda m, v: kl_sum(0 * m, v)),
    "KL mu not squared": program(kl=lambda m, v: kl_sum(0 * m, v) + 0.5 * m.sum()),
    "KL only mu": program(kl=lambda m, v: 0.5 * (m**2).sum()),
    "no KL": program(kl=lambda m, v: torch.zeros(())),
    "KL sign": program(kl=lambda m, v: -kl_sum(m, v)),
    "mean beside sum": program(scale=MEAN_OF_PIXELS, kl_scale=lambda n: 1 / n),
    "batch size": program(scale=lambda n: 1, kl_scale=lambda n: 1 / n),
    "wrong axis": program(kl=lambda m, v: kl_cells(m, v).sum(0).mean(), kl_scale=lambda n: 1),
    "KL reversed": program(kl=lambda m, v: kl_divergence(Normal(0.0, 1.0), Normal(m, (v / 2).exp())).sum()),
    "KL log squared": program(kl=lambda m, v: 0.5 * (m**2 + v.exp() - 1 + (v / 2) ** 2).sum()),
    "KL σ for σ²": program(kl=lambda m, v: 0.5 * (m**2 + (v / 2).exp() - v - 1).sum()),
    "KL no sigma": program(kl=lambda m, v: 0.5 * (m**2 - v).sum()),
    "KL parts": program(kl=lambda m, v: (m**2 + 0.5 * (v.exp() - v - 1)).sum()),
    "KL without gradient": program(kl=lambda m, v: kl_sum(m, v).detach()),
    "sign of the loss": lambda model, x: -program()(model, x),
    "sign of the reconstruction": program(reconstruct=lambda o, x: -bce(o, x)),
    "target": program(reconstruct=lambda o, x: bce(o, x.transpose(2, 3))),
    "sigmoid twice": program(reconstruct=lambda o, x: bce(o.sigmoid(), x)),
}
MEANT = {
    "KL unknown": program(kl=lambda m, v: (m.abs() + v.cos()).sum()),
    "prior elsewhere": program(kl=lambda m, v: kl_sum(m - 2, v)),
    "KL twice": program(kl=lambda m, v: 2 * kl_sum(m, v)),
    "KL half": program(kl=lambda m, v: kl_sum(m, v) / 2),
    "two means": program(scale=MEAN_OF_PIXELS, kl_scale=lambda n: 1 / (3 * n)),
    "mean KL": program(kl_scale=lambda n: 1 / (3 * n)),
    "beta": program(kl=lambda m, v: 7 * kl_sum(m, v)),
    "prior of another width": program(kl=lambda m, v: kl_divergence(Normal(m, (v / 2).exp()), Normal(0.0, 2.0)).sum()),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_each_mistake_is_named_and_no_other(kind):
    found = diagnosed(MISTAKES[kind])
    assert kinds(found) == [kind]
    assert not questions(found)
    assert "correct" not in repr(found).lower() and "✗" in repr(found)


@pytest.mark.parametrize("kind", MEANT)
def test_what_may_be_meant_is_asked(kind):
    found = diagnosed(MEANT[kind])
    assert not found.findings
    assert questions(found) == [kind]
    assert "? Deliberate?" in repr(found)


def test_test_images_from_the_training_set_are_found():
    found = diagnose_vae(VAE(3), vae_loss, X, X[100:200])
    assert kinds(found) == ["test = training"]
    assert "100%" in repr(found)


def test_the_mean_at_evaluation_is_found():
    assert kinds(diagnosed(vae_loss, evaluate=program(draw=lambda m, v: m))) == ["mean at evaluation"]
    assert not kinds(diagnosed(vae_loss, evaluate=lambda model, x: training.mean_loss(model, x, vae_loss)))


def monte_carlo_kl(model, x):
    mu, logvar = model.encode(x)
    z = gaussian(mu, logvar)
    ratio = Normal(mu, (logvar / 2).exp()).log_prob(z) - Normal(0.0, 1.0).log_prob(z)
    return (bce(model.decode(z), x) + ratio.sum()) / len(x)


def squared_error(o, x):
    return (o.sigmoid() - x).square().sum()


RIGHT = {
    "sums over the batch's mean": program(),
    "everything a mean over pixels": program(scale=MEAN_OF_PIXELS),
    "everything a sum over the batch": program(scale=lambda n: 1),
    "a Loss": vae_loss,
    "a tuple with the total in front": lambda model, x: (vae_loss(model, x).total, "and more"),
    "a dict": lambda model, x: {"loss": vae_loss(model, x).total},
    "one value per image": lambda model, x: vae_loss(model, x).total.expand(len(x)),
    "KL by draws": monte_carlo_kl,
    "squared error": program(reconstruct=squared_error),
    "half the squared error": program(reconstruct=lambda o, x: squared_error(o, x) / 2),
    "images binarized at random": lambda model, x: program()(model, torch.bernoulli(x)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_found_where_nothing_is_wrong(name):
    found = diagnosed(RIGHT[name])
    assert not found.findings and not questions(found)
    assert "That is no proof" in repr(found) and "my probe" not in repr(found)


def test_a_squared_error_averaged_over_pixels_beside_a_sum_is_found():
    loss = program(reconstruct=squared_error, scale=MEAN_OF_PIXELS, kl_scale=lambda n: 1 / n)
    assert kinds(diagnosed(loss)) == ["mean beside sum"]


COURSE = {
    "VAE, d = 2": (VAE, 2, vae_loss),
    "VAE, d = 20": (VAE, 20, vae_loss),
    "ConditionalVAE": (ConditionalVAE, 3, conditional_vae_loss),
    "ClassPriorVAE": (ClassPriorVAE, 3, class_prior_loss),
    "LinearVAE": (LinearVAE, 3, linear_vae_loss),
}


@pytest.mark.parametrize("name", COURSE)
def test_nothing_is_found_in_the_models_of_the_course_untrained_started_and_trained(name):
    kind, d, loss = COURSE[name]
    torch.manual_seed(0)
    model = kind(d)
    assert not kinds(diagnose_vae(model, loss, (X, Y), X_TEST))
    if kind is not LinearVAE:
        start_at_mean(model, X)
        assert not kinds(diagnose_vae(model, loss, (X, Y), X_TEST))
    training.fit(model, X, loss, y=Y, epochs=3, lr=2e-3, progress=False)
    assert not kinds(diagnose_vae(model, loss, (X, Y), X_TEST))


def test_a_linear_vae_in_closed_form_is_asked_only_why_nothing_is_drawn():
    found = diagnose_vae(LinearVAE(3), linear_vae_loss_exact, X, X_TEST)
    assert not found.findings and questions(found) == ["no noise"]


def test_missing_half_and_beta_two_are_named_together():
    for loss in (MEANT["KL twice"], lambda model, x: vae_loss(model, x, beta=2.0)):
        (question,) = [q for q in diagnosed(loss).questions if q.kind == "KL twice"]
        assert "½" in str(question) and "β = 2" in str(question)


class OnRows(nn.Module):
    """Another house: images as rows, probabilities out of the decoder, submodules named encode and decode."""

    def __init__(self, width=784):
        super().__init__()
        self.encode, self.decode = Pair(width), nn.Sequential(nn.Linear(4, width), nn.Sigmoid())

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(gaussian(mu, logvar)), mu, logvar


class Pair(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.heads = nn.Linear(width, 8)

    def forward(self, x):
        return self.heads(x).chunk(2, dim=1)


def of_rows(loss_of_probabilities):
    def loss(model, x):
        p, mu, logvar = model(x)
        return (loss_of_probabilities(p, x, reduction="sum") + kl_sum(mu, logvar)) / len(x)

    return loss


def test_a_model_of_rows_with_probabilities_and_a_forward_of_its_own_is_understood():
    rows, others = data.to_float(X).flatten(1), data.to_float(X_TEST).flatten(1)
    assert not kinds(diagnose_vae(OnRows(), of_rows(F.binary_cross_entropy), rows, others))
    assert kinds(diagnose_vae(OnRows(), of_rows(bce_of_logits), rows, others)) == ["sigmoid twice"]


def bce_of_logits(o, x, reduction):
    return F.binary_cross_entropy_with_logits(o, x, reduction=reduction)


def test_a_collapsed_model_is_told_so():
    model = VAE(3)
    nn.init.zeros_(model.encoder[-1].weight)
    nn.init.zeros_(model.encoder[-1].bias)
    assert questions(diagnosed(vae_loss, model)) == ["collapse"]


def test_pixels_beyond_0_and_1_are_found():
    standardised = (data.to_float(X) - 0.13) / 0.31
    assert kinds(diagnose_vae(VAE(3), program(), standardised)) == ["pixels out of range"]


class Unguarded(VAE):
    """As one finds it: no look at what comes in, and log σ² as it is."""

    limits = None

    def encode(self, x):
        mu, logvar = self.encoder(x.flatten(1)).chunk(2, dim=1)
        return mu, logvar.clamp(*self.limits) if self.limits else logvar


def test_bytes_are_found_with_a_clamp_that_makes_every_cloud_a_point_and_without_one():
    torch.manual_seed(0)
    clamped, bare = Unguarded(20, hidden=(64,)), Unguarded(20, hidden=(64,))
    clamped.limits = (-30, -25)
    assert kinds(diagnose_vae(clamped, program(), X.float())) == ["pixels out of range"]
    bare.encoder[-1].weight.data *= 4
    of_cells = program(kl=lambda m, v: kl_cells(m, v).sum())
    assert kinds(diagnose_vae(bare, of_cells, X.float())) == ["broken"]
    assert "logvar unbounded" in [q.kind for q in diagnose_vae(bare, program(), data.to_float(X)).questions]


def test_loaders_of_batches_are_taken():
    loader = DataLoader(TensorDataset(data.to_float(X), Y), batch_size=100)
    other = DataLoader(TensorDataset(data.to_float(X_TEST), GLYPHS.y_test), batch_size=100)
    assert not kinds(diagnose_vae(ConditionalVAE(3), conditional_vae_loss, loader, other))
    assert kinds(diagnose_vae(ConditionalVAE(3), conditional_vae_loss, loader, loader)) == ["test = training"]


# What it must not do


def test_model_mode_gradients_and_random_state_stay_as_they_are():
    model = VAE(3).train()
    vae_loss(model, data.to_float(X[:5])).total.backward()
    before = copy.deepcopy(model.state_dict()), [p.grad.clone() for p in model.parameters()], dict(vars(model))
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    diagnose_vae(model, vae_loss, X, X_TEST, evaluate=vae_loss)
    assert torch.equal(state, torch.random.get_rng_state())
    assert model.training and "encode" not in vars(model) and vars(model).keys() == before[2].keys()
    assert all(torch.equal(a, b) for a, b in zip(before[0].values(), model.state_dict().values(), strict=True))
    assert all(torch.equal(a, p.grad) for a, p in zip(before[1], model.parameters(), strict=True))


# Bad input


def raises(model, x):
    raise RuntimeError("no such thing")


def one_answer(self, x):
    return x.flatten(1)[:, :3]


def unlike(self, x):
    return torch.zeros(len(x), 3), torch.zeros(len(x), 2)


def nan(self, x):
    return torch.full((len(x), 3), torch.nan), torch.zeros(len(x), 3)


@pytest.mark.parametrize(
    ("encode", "told"),
    [(one_answer, "loss raised"), (unlike, "loss raised"), (nan, "encode returned NaN")],
)
def test_what_encode_returns_is_looked_at(encode, told):
    class Odd(VAE):
        pass

    Odd.encode = encode
    found = diagnose_vae(Odd(3), program(), X)
    assert kinds(found) in (["broken"], ["raised"])
    assert told in " ".join(repr(found).split())


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (raises, "loss raised RuntimeError: no such thing"),
        (lambda model, x: "low", "The loss returned a str"),
        (lambda model, x: None, "The loss returned a NoneType"),
        (lambda model, x: vae_loss(model, x).total * torch.nan, "The loss is nan"),
        (conditional_vae_loss, "loss raised"),
    ],
)
def test_a_loss_that_fails_becomes_a_finding(loss, told):
    assert told in " ".join(repr(diagnosed(loss)).split())


def test_a_conditional_model_without_labels_is_told_to_hand_them_over():
    assert "y is missing: hand over" in repr(diagnosed(conditional_vae_loss, ConditionalVAE(3))).replace("\n ", "")


def test_a_model_without_encode_and_no_model_at_all_are_told_what_is_needed():
    assert "without encode and decode" in " ".join(repr(diagnosed(vae_loss, nn.Linear(3, 2))).split())
    assert kinds(diagnose_vae("model", vae_loss, X)) == ["no model"]


def test_a_loss_that_ignores_the_model_it_is_handed_is_not_judged():
    own = VAE(3)
    found = diagnosed(lambda model, x: vae_loss(own, x))
    assert not found.findings
    assert "doesn't call encode and decode" in " ".join(repr(found).split())


def test_images_with_nan_are_found():
    x = data.to_float(X)
    x[3] = torch.nan
    assert "NaN" in repr(diagnose_vae(VAE(3), vae_loss, x))


@pytest.mark.parametrize("images", [None, 3, torch.zeros(0, 1, 28, 28), torch.zeros(5), ["a", "b", "c"]])
def test_what_is_no_images_is_refused(images):
    with pytest.raises(TypeError, match="train_data must be a tensor of images"):
        diagnose_vae(VAE(3), vae_loss, images)


def test_sets_of_unlike_images_are_refused():
    with pytest.raises(ValueError, match="train_data and test_data must hold images of one shape"):
        diagnose_vae(VAE(3), vae_loss, X, X_TEST.flatten(1))


def test_twins_are_counted_whatever_the_order_or_the_type():
    mixed = torch.cat([X[[7, 3]], X_TEST[:6]])
    assert share_of_twins(X, mixed) == pytest.approx(0.25)
    assert share_of_twins(data.to_float(X), mixed) == pytest.approx(0.25)
    assert share_of_twins(X, X_TEST) == 0


def test_a_loss_of_the_course_may_carry_its_beta():
    assert questions(diagnosed(lambda model, x: Loss(*vae_loss(model, x)[:2], 5.0))) == ["beta"]
