"""Recall, certainty and the rows of figures: counted by hand, and against the lines that they are read beside."""

from vae_helpers import data, evaluation, losses, models
from vae_helpers.evaluation import (
    SampleScorer,
    SampleScores,
    decoded_codes,
    pixel_gaussian,
    recall,
    sample_scores,
    sure,
    training_images,
)

import pytest
import torch
from torch import nn

GLYPHS = data.load_glyphs(n=600, n_test=300)


class Still(nn.Module):
    """A judge whose features are 3 pixels, and who scores two classes by one of them."""

    def features(self, x):
        return x.flatten(1)[:, 400:403]

    def head(self, features):
        ink = features[:, 0]
        return torch.stack([ink, -ink], dim=1)

    def forward(self, x):
        return self.head(self.features(x))


def test_recall_counts_what_lies_within_reach_of_a_sample():
    samples = torch.tensor([[0.0], [1.0], [3.0], [10.0]])  # nearest other: 1, 1, 2, 7
    reference = torch.tensor([[-0.9], [-1.1], [2.0], [4.9], [5.1], [3.05], [16.9], [17.1]])
    within = [True, False, True, True, True, True, True, False]
    assert recall(samples, reference, nearest=1) == sum(within) / 8
    assert recall(samples, reference[[0, 1]], nearest=2) == 1.0  # to the second: 3 from 0


def test_recall_of_the_same_set_is_all_and_of_one_far_away_none():
    a = torch.randn(2500, 3)
    assert recall(a, a) == 1 and recall(a, a + 100) == 0
    with pytest.raises(ValueError, match="nearest must be below 5, the number of samples, got 5"):
        recall(a[:5], a)


def test_a_sampler_that_never_draws_a_kind_misses_it():
    two = torch.cat([torch.randn(500, 2), torch.randn(500, 2) + 50])
    assert recall(torch.randn(1000, 2), two) == pytest.approx(0.5, abs=0.03)


def test_sure_is_the_share_with_one_large_probability():
    images = torch.zeros(4, 1, 28, 28)
    images.flatten(1)[:, 400] = torch.tensor([0.0, 0.5, 1.09, 1.11])  # p = sigmoid(2 ink): 0.9 at 1.0986
    assert sure(Still(), images) == 0.25
    assert sure(Still(), images, least=0.5) == 1


def test_training_images_are_drawn_at_random_each_once():
    few, again, others = (training_images(GLYPHS, 50, seed) for seed in (0, 0, 1))
    assert torch.equal(few, again) and not torch.equal(few, others)
    numbers = [(GLYPHS.x == image).flatten(1).all(1).nonzero()[0].item() for image in few]
    assert len(set(numbers)) == 50 and max(numbers) > 400 and numbers != sorted(numbers)
    assert len(training_images(GLYPHS, 10_000)) == 600


def test_decoded_codes_are_draws_from_the_clouds_of_training_images():
    torch.manual_seed(0)
    model = models.VAE(3, (8,))
    before = torch.random.get_rng_state()
    images = decoded_codes(model, GLYPHS, 40, seed=3)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(3)
    z = losses.reparameterize(*model.encode(data.to_float(training_images(GLYPHS, 40, seed=3))))
    assert torch.allclose(images, model.generate(z)) and not images.requires_grad


def test_a_conditional_model_is_shown_the_labels_of_its_images():
    torch.manual_seed(0)
    model, seen = models.ConditionalVAE(3, (8,)), []
    generate = model.generate
    model.generate = lambda z, y: seen.append(y) or generate(z, y)
    decoded_codes(model, GLYPHS, 40)
    x = training_images(GLYPHS, 40)
    labels = [GLYPHS.y[(GLYPHS.x == image).flatten(1).all(1).nonzero()[0].item()].item() for image in x]
    assert seen[0].tolist() == labels


def test_the_pixel_gaussian_has_the_images_moments():
    mean, covariance = losses.mean_and_covariance(GLYPHS.x)
    drawn = pixel_gaussian(GLYPHS, 20_000).flatten(1).double()
    assert torch.allclose(drawn.mean(0), mean, atol=0.02)
    found = torch.cov(drawn.T)
    assert found.trace().item() == pytest.approx(covariance.trace().item(), rel=0.02)
    assert (found - covariance).norm() < 0.1 * covariance.norm()
    assert drawn.min() < 0 and drawn.dtype == torch.float64


def test_a_row_holds_all_four_figures():
    scorer, images = SampleScorer(Still(), GLYPHS), data.to_float(training_images(GLYPHS, 200))
    row = scorer.score(images)
    assert row.sure == sure(Still(), images)
    features = Still().features(images), Still().features(data.to_float(GLYPHS.x_test))
    assert row.judge_fd == pytest.approx(evaluation.frechet_distance(*features), rel=1e-4)
    pca = scorer.pca(images), scorer.pca(data.to_float(GLYPHS.x_test))
    assert row.fd50 == pytest.approx(evaluation.frechet_distance(*pca), rel=1e-4)
    assert row.recall == pytest.approx(recall(*pca))
    assert str(row).startswith(f"FD50 {row.fd50:6.2f}   judge-FD")


def test_pca_is_scikit_learns():
    from sklearn.decomposition import PCA

    flat = data.to_float(GLYPHS.x).flatten(1)
    oracle = PCA(50, svd_solver="full").fit(flat.numpy())
    expected = torch.from_numpy(oracle.explained_variance_).float()
    coordinates = SampleScorer(Still(), GLYPHS).pca(GLYPHS.x)
    assert torch.allclose(coordinates.mean(0), torch.zeros(50), atol=1e-3)
    assert torch.allclose(coordinates.var(0).sort(descending=True).values, expected, rtol=1e-3)


def test_recall_sees_random_test_images_and_not_the_first(monkeypatch):
    monkeypatch.setattr(sample_scores, "FOR_RECALL", 100)
    seen = []
    monkeypatch.setattr(sample_scores, "recall", lambda samples, reference: seen.append((samples, reference)) or 1.0)
    scorer = SampleScorer(Still(), GLYPHS)
    scorer.score(training_images(GLYPHS, 200))
    samples, reference = seen[0]
    assert len(samples) == len(reference) == 100
    everything = scorer.of_test["pca"]
    numbers = [(everything == row).all(1).nonzero()[0].item() for row in reference]
    assert max(numbers) > 150 and len(set(numbers)) == 100


def test_the_lines_of_comparison_are_in_their_order():
    """A Gaussian fitted to the pixels is near in PCA and far in the features of a judge that looks at strokes."""
    torch.manual_seed(0)
    scorer = SampleScorer(models.Judge(), GLYPHS)
    real, gaussian = scorer.score(training_images(GLYPHS, 300)), scorer.score(pixel_gaussian(GLYPHS, 300))
    noise = scorer.score(torch.rand(300, 1, 28, 28))
    assert real.fd50 < 2 * gaussian.fd50 < noise.fd50
    assert real.judge_fd < gaussian.judge_fd < noise.judge_fd and noise.recall == 0


def test_mean_and_spread_over_draws():
    mean, spread = evaluation.mean_and_spread([SampleScores(1.0, 2.0, 0.5, 0.1), SampleScores(3.0, 2.0, 0.7, 0.3)])
    assert mean == pytest.approx((2.0, 2.0, 0.6, 0.2))
    assert spread == pytest.approx((2**0.5, 0.0, 0.02**0.5, 0.02**0.5))
