"""Mistakes of heads, ranges, batch sizes, labels and training, found by ``diagnose_vae``; and a blind round."""

from vae_helpers.exercises import blind_round, diagnose_vae
from vae_helpers.losses import conditional_vae_loss, vae_loss
from vae_helpers.models import VAE, ConditionalVAE

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.plain_vae import GLYPHS, Net, X, bce, drawn, kl, usual


def kinds(found):
    return [f.kind for f in found.findings]


class Positive(Net):
    def encode(self, x):
        return [F.relu(t) for t in super().encode(x)]


class OnlyWider(Net):
    def encode(self, x):
        mu, logvar = super().encode(x)
        return mu, F.softplus(logvar)


class OneHead(Net):
    def encode(self, x):
        mu, _ = super().encode(x)
        return mu, mu.clone()


HEADS = {
    Positive: ["mu never negative", "logvar never negative"],
    OnlyWider: ["logvar never negative"],
    OneHead: ["same head"],
}


@pytest.mark.parametrize("kind", HEADS)
def test_what_the_heads_can_never_be_is_found(kind):
    assert kinds(diagnose_vae(kind(), usual, X)) == HEADS[kind]


class Ending(Net):
    def __init__(self, end):
        super().__init__()
        self.end = end

    def decode(self, z):
        return self.end(super().decode(z))


def of_squares(model, x):
    mu, logvar = model.encode(x)
    return (model.decode(drawn(mu, logvar)) - x).square().sum() / len(x) + kl(mu, logvar)


@pytest.mark.parametrize(
    ("end", "scale", "found", "asked"),
    [
        (nn.Sigmoid(), (2, -1), ["range"], False),
        (nn.ReLU(), (2, -1), ["range"], False),
        (nn.Tanh(), (2, -1), [], False),
        (nn.Sigmoid(), (1, 0), [], False),
        (nn.Tanh(), (1, 0), [], True),
    ],
)
def test_a_decoder_that_cannot_reach_the_pixels_is_found(end, scale, found, asked):
    report = diagnose_vae(Ending(end), of_squares, scale[0] * X + scale[1])
    assert kinds(report) == found
    assert ("range" in [q.kind for q in report.questions]) == asked


@pytest.mark.parametrize(
    ("reconstruction", "divergence"), [("mean", "sum"), ("sum", "each"), ("each", "sum")], ids=lambda r: r
)
def test_a_weight_that_changes_with_the_batch_is_found_for_squares(reconstruction, divergence):
    def loss(model, x):
        mu, logvar = model.encode(x)
        square, n = (model.decode(drawn(mu, logvar)) - x).square(), len(x)
        scale = {"mean": 1 / (784 * n), "sum": 1, "each": 1 / n}
        return square.sum() * scale[reconstruction] + kl(mu, logvar) * n * scale[divergence]

    assert kinds(diagnose_vae(Net(), loss, X)) == ["batch size"]


def test_a_mistake_that_is_there_in_training_only_is_found():
    def loss(model, x):
        mu, logvar = model.encode(x)
        eps = torch.rand_like(mu) if model.training else torch.randn_like(mu)
        return bce(model.decode(mu + (logvar / 2).exp() * eps), x) + kl(mu, logvar)

    assert kinds(diagnose_vae(Net().eval(), loss, X)) == ["uniform noise"]


class Labelled(Net):
    used = 1.0

    def __init__(self):
        super().__init__()
        self.of_label = nn.Linear(10, 784)

    def decode(self, z, y):
        return super().decode(z) + self.used * self.of_label(F.one_hot(y, 10).to(z)).view(-1, 1, 28, 28)


class Deaf(Labelled):
    used = 0.0


def labelled(model, x, y):
    mu, logvar = model.encode(x)
    return bce(model.decode(drawn(mu, logvar), y), x) + kl(mu, logvar)


def test_labels_that_do_nothing_and_labels_of_other_images_are_asked_about():
    def asked(model, loss, y):
        report = diagnose_vae(model, loss, (X, y))
        assert not report.findings
        return {q.kind for q in report.questions}

    y = GLYPHS.y
    assert not asked(Labelled(), labelled, y) & {"labels", "label ignored", "labels unrelated"}
    assert "label ignored" in asked(Deaf(), labelled, y)
    assert "labels unrelated" in asked(Labelled(), labelled, y[torch.randperm(len(y))])
    assert "labels" in asked(Labelled(), lambda m, x, y: labelled(m, x, torch.randint(0, 10, y.shape)), y)


def test_a_decoder_that_sees_the_image_is_asked_about():
    class Skips(Net):
        def encode(self, x):
            self.kept = x
            return super().encode(x)

        def decode(self, z):
            return super().decode(z) + self.kept

    assert "bypass" in [q.kind for q in diagnose_vae(Skips(), usual, X).questions]
    assert "bypass" not in [q.kind for q in diagnose_vae(Net(), usual, X).questions]


def test_a_blind_round_is_silent_until_it_is_named():
    model = VAE(4, hidden=(32,))
    before = [p.clone() for p in model.parameters()]
    game = blind_round(model, vae_loss, GLYPHS.x, seed=2, steps=5)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    hidden = game._hidden[0]
    other = "target" if hidden != "target" else "no noise"
    said = {"evidence": "the spread of the noise is 0.0", "line": "z = mu"}
    assert game.name(other, **said).startswith("✗") and game.name(hidden, **said).startswith("✓ Right, at try 2")
    assert "z = mu, because: the spread" in game.name(hidden, **said)
    assert hidden in game.give_up() and len(game.losses) == 5
    with pytest.raises(ValueError, match="suspected must be one of"):
        game.name("a typo", **said)
    with pytest.raises(ValueError, match="First the evidence: a sentence with the number"):
        game.name(hidden, evidence="it looks odd", line="z = mu")
    with pytest.raises(ValueError, match="Then the line, as code"):
        game.name(hidden, evidence="spread 0", line="")
    assert game.tries == 3
    assert blind_round(model, vae_loss, GLYPHS.x, seed=2, steps=1)._hidden == game._hidden


def test_two_mistakes_at_the_second_level_and_labels_where_there_are_some():
    rounds = [
        blind_round(ConditionalVAE(3), conditional_vae_loss, (GLYPHS.x, GLYPHS.y), level=2, seed=s, steps=1)._hidden
        for s in range(12)
    ]
    assert all(len(set(hidden)) == 2 for hidden in rounds)
    assert any("labels" in hidden for hidden in rounds)


@pytest.mark.parametrize(
    "hidden", ["no noise", "uniform noise", "σ² used as σ", "KL swapped", "target", "sign of the loss"]
)
def test_what_a_blind_round_hides_diagnose_vae_finds(hidden):
    seed = next(s for s in range(200) if blind_round(Net(), usual, X, seed=s, steps=1)._hidden == (hidden,))
    game = blind_round(Net(), usual, X, seed=seed, steps=3)
    assert kinds(diagnose_vae(game.model, game.loss, X)) == [hidden]
