"""The judge: trained once, kept, and able to read the built-in digits."""

from vae_helpers import data, evaluation, training
from vae_helpers.training import judge as of_judge

import torch


def test_the_judge_learns_and_is_found_again(cache, monkeypatch, capsys):
    monkeypatch.setattr(of_judge, "LEAST_STEPS", 60)
    dataset = data.load_glyphs(n=2000, n_test=300)
    judge, history = training.trained_judge(dataset)
    assert len(history.train) == 8 and history.seconds[-1] > 0  # 60 steps of 8 an epoch
    assert evaluation.agreement(judge, dataset.x_test, dataset.y_test) > 0.85
    again, kept = training.trained_judge(dataset)
    assert "Weights of an earlier run" in capsys.readouterr().out
    assert kept.seconds == history.seconds and torch.equal(again.head.bias, judge.head.bias)
    assert [path.name.split("-")[0] for path in (cache / "models").iterdir()] == ["glyphs"]


def test_features_are_what_the_scores_are_made_of():
    judge, x = of_judge.Judge(4), torch.rand(5, 1, 28, 28)
    assert judge.features(x).shape == (5, 128) and judge.features(x).min() >= 0
    assert torch.allclose(judge(x), judge.head(judge.features(x))) and judge(x).shape == (5, 4)


def test_its_loss_is_the_cross_entropy():
    judge, x, y = of_judge.Judge(), torch.rand(5, 1, 28, 28), torch.arange(5)
    expected = -judge(x).log_softmax(1)[torch.arange(5), y].mean()
    assert torch.allclose(of_judge.judge_loss(judge, x, y).total, expected)
