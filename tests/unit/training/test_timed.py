"""Training for so many seconds: schedules by the share of the time, whatever the machine's speed."""

from vae_helpers.losses import binarized_loss
from vae_helpers.models import VAE, MixtureVAE
from vae_helpers.training import NotFiniteError, Plan, fit_for, mean_loss, timed

import pytest
import torch

X = (255 * torch.rand(60, 1, 28, 28, generator=torch.Generator().manual_seed(0)) ** 4).byte()


def ticking(per_call=1.0):
    """A clock that goes on by as much at each look."""
    told = [0.0]

    def clock():
        told[0] += per_call
        return told[0]

    return clock


def model_of(kind=VAE, **more):
    torch.manual_seed(0)
    return kind(4, (8,), **more)


def test_a_plan_says_what_it_is_unless_asked_otherwise():
    assert repr(Plan()) == "Plan(lr=0.005, batch_size=256, rise=0.1, warm_up=0.2, draws=1, draws_from=0.6)"


def test_schedules_run_from_start_to_end_on_any_machine(monkeypatch):
    seen = {}
    loss_at = timed.bound_at
    for per_step in (1.0, 5.0):
        shares = []
        monkeypatch.setattr(
            timed, "bound_at", lambda m, x, plan, share, s=shares: s.append(share) or loss_at(m, x, plan, share)
        )
        fit_for(model_of(), X, 40.0, Plan(batch_size=20), clock=ticking(per_step), progress=False)
        seen[per_step] = shares
    assert [len(shares) for shares in seen.values()] == [40, 8]
    for shares in seen.values():
        assert shares[0] == 0 and shares == sorted(shares) and max(shares) < 1


def test_the_learning_rate_rises_and_falls_and_the_kl_warms_up():
    plan = Plan(lr=0.01, rise=0.1, warm_up=0.2, draws=5, draws_from=0.6)
    rates = [plan.lr_at(share / 100) for share in range(101)]
    assert rates.index(max(rates)) == 10 and max(rates) == pytest.approx(0.01)
    assert 0 < rates[0] < 0.001 and rates[100] == pytest.approx(0)
    assert [plan.beta_at(share) for share in (0.0, 0.1, 0.2, 1.0)] == [0, 0.5, 1, 1]
    assert Plan(warm_up=0.0).beta_at(0.0) == 1
    assert [plan.draws_at(share) for share in (0.0, 0.59, 0.6, 1.0)] == [1, 1, 5, 5]


@pytest.mark.parametrize("kind", [VAE, MixtureVAE])
def test_it_learns_with_one_draw_and_with_several(kind):
    torch.manual_seed(0)
    model = model_of(kind)
    fit_for(model, X, 100.0, Plan(batch_size=20, draws=3), clock=ticking(), progress=False)
    coins = X.gt(99).float()
    before, after = (timed.bound_at(m, coins, Plan(), 1.0).total.item() for m in (model_of(kind), model))
    assert after < before - 50


def test_the_same_seed_trains_the_same_model_and_leaves_random_numbers_alone():
    one, other = model_of(), model_of()
    state = torch.get_rng_state()
    history = fit_for(one, X, 10.0, Plan(batch_size=20), seed=3, clock=ticking(), progress=False)
    assert torch.equal(state, torch.get_rng_state())
    torch.rand(5)
    fit_for(other, X, 10.0, Plan(batch_size=20), seed=3, clock=ticking(), progress=False)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert len(history.train) == len(history.seconds) == 4 and one.training


def test_a_model_may_bring_its_own_log_weights():
    class Own(VAE):
        def log_weights(self, x_bin, k):
            return -torch.stack([(self.decode(self.encode(x_bin)[0]) - x_bin).square().sum((1, 2, 3))] * k)

    model = model_of(Own)
    loss = timed.bound_at(model, X.float().gt(99).float(), Plan(), 1.0)
    assert loss.total > 0
    fit_for(model, X, 20.0, Plan(batch_size=20), clock=ticking(), progress=False)
    assert timed.bound_at(model, X.float().gt(99).float(), Plan(), 1.0).total < loss.total


def test_weights_that_leave_the_numbers_are_put_back():
    model = model_of()
    with pytest.raises(NotFiniteError, match="epoch 1"):
        fit_for(model, X, 20.0, Plan(lr=1e20, batch_size=20, rise=0.01), clock=ticking(), progress=False)
    assert mean_loss(model, X, binarized_loss).total < 1000
    with pytest.raises(ValueError, match="model has no weight to train"):
        fit_for(model_of().requires_grad_(False), X, 1.0)
