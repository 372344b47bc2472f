"""Training loops are watched on three tiny batches: a right one passes, and each fault is found by its kind."""

import random

from vae_helpers.exercises.engine import Exercise, examine, loops

import numpy as np
import pytest
import torch

LOOP = Exercise("loop", "the pass's mean loss", lambda *_: 0.0, findings=loops.training_pass)
PLANE = Exercise("plane", "the pass's mean loss", lambda *_: 0.0, findings=loops.pass_over_points)


def floats(x):
    return x.float() / 255


def clear_first(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def one_pass(order=torch.randperm, learn=clear_first, prepare=floats, result=None, leave_out=False, end=None):
    """A loop, any of whose parts may be exchanged for another."""

    def answer(model, loss, images, optimizer, batch_size):
        values, sizes = [], []
        for i in order(len(images)).split(batch_size):
            if leave_out and len(i) < batch_size:
                continue
            value = loss(model, prepare(images[i]))
            learn(optimizer, value)
            values.append(value.item())
            sizes.append(len(i))
        if end:
            end(optimizer)
        return result(values, sizes) if result else float(np.average(values, weights=sizes))

    return answer


def clear_last(optimizer, loss):
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()


def by_hand(model, loss, images, optimizer, batch_size):
    numbers, total = list(range(len(images))), 0.0
    random.shuffle(numbers)
    while numbers:
        i, numbers = numbers[:batch_size], numbers[batch_size:]
        for p in model.parameters():
            p.grad = None
        value = loss(model, torch.stack([images[k] for k in i]) / 255)
        value.backward()
        optimizer.step()
        total += value.detach() * len(i)
    return total / len(images)


def with_loader(model, loss, images, optimizer, batch_size):
    seen = []
    for x in torch.utils.data.DataLoader(images, batch_size, shuffle=True):
        value = loss(model, x / 255)
        clear_first(optimizer, value)
        seen += [value.item()] * len(x)
    return sum(seen) / len(seen)


def learn(*calls):
    def of(optimizer, loss):
        for call in calls:
            {"clear": optimizer.zero_grad, "back": loss.backward, "step": optimizer.step}[call]()

    return of


def scaled(factor):
    return lambda optimizer, loss: clear_first(optimizer, loss * factor)


def stored(n):
    return torch.arange(n)


def drawn(n):
    return torch.randint(n, (n,))


def seeded(n):
    return torch.randperm(n, generator=torch.Generator().manual_seed(0))


WRONG = {  # the answer, and its finding: kind, place
    "no zero_grad": (one_pass(learn=learn("back", "step")), ("never called", "zero_grad")),
    "cleared between": (one_pass(learn=learn("back", "clear", "step")), ("order", "zero_grad")),
    "step first": (one_pass(learn=learn("clear", "step", "back")), ("order", "step")),
    "no step": (one_pass(learn=learn("clear", "back")), ("never called", "step")),
    "no backward": (one_pass(learn=learn("clear", "step")), ("never called", "backward")),
    "one step a pass": (one_pass(learn=learn("back"), end=lambda o: o.step()), ("outside the loop", "step")),
    "twice the gradient": (one_pass(learn=scaled(2)), ("factor", "gradient")),
    "mean over pixels": (one_pass(learn=scaled(1 / 784)), ("factor", "gradient")),
    "uphill": (one_pass(learn=scaled(-1)), ("factor", "gradient")),
    "not shuffled": (one_pass(order=stored), ("not shuffled", "images")),
    "a seed inside": (one_pass(order=seeded), ("same draw", "images")),
    "drawn with repetition": (one_pass(order=drawn), ("repeated", "images")),
    "last batch left out": (one_pass(leave_out=True), ("missing", "last batch")),
    "half of them": (one_pass(order=lambda n: torch.randperm(n)[: n // 2]), ("missing", "images")),
    "bytes": (one_pass(prepare=lambda x: x), ("type", "images")),
    "floats up to 255": (one_pass(prepare=torch.Tensor.float), ("factor", "images")),
    "other images": (one_pass(prepare=lambda x: floats(x) - 0.5), ("other", "images")),
    "each batch alike": (one_pass(result=lambda v, n: sum(v) / len(v)), ("other", "result")),
    "the last loss": (one_pass(result=lambda v, n: v[-1]), ("other", "result")),
    "a sum": (one_pass(result=lambda v, n: sum(v)), ("other", "result")),
    "not a number": (one_pass(result=lambda v, n: float("nan")), ("other", "result")),
    "a list": (one_pass(result=lambda v, n: v), ("form", "result")),
    "nothing": (one_pass(result=lambda v, n: ...), ("nothing", "result")),
    "text": (one_pass(result=lambda v, n: "done"), ("type", "result")),
    "with its graph": (
        one_pass(result=lambda v, n: torch.tensor(1.0, requires_grad=True) * sum(v)),
        ("type", "result"),
    ),
}


@pytest.mark.parametrize(
    ("again", "says"),
    [(slice(None), "every image comes 2 times where one"), (slice(1), "some images come 2 times in a pass.")],
)
def test_images_that_come_twice_are_told_apart_from_a_whole_second_pass(again, says):
    verdict = examine(LOOP, one_pass(order=lambda n: torch.cat([order := torch.randperm(n), order[again]])))
    assert says in verdict.message, verdict


@pytest.mark.parametrize("answer", [one_pass(), one_pass(learn=clear_last), by_hand, with_loader])
@pytest.mark.parametrize("seed", range(3))
def test_a_right_loop_passes(answer, seed):
    assert examine(LOOP, answer, seed).passed, examine(LOOP, answer, seed)


@pytest.mark.parametrize(("answer", "wanted"), WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("seed", range(2))
def test_a_fault_is_found_and_nothing_else(answer, wanted, seed):
    verdict = examine(LOOP, answer, seed)
    assert [(r.kind, r.place) for r in verdict.relations] == [wanted], verdict


def test_two_faults_are_two_sentences():
    verdict = examine(LOOP, one_pass(order=stored, learn=learn("back", "step")))
    assert [r.kind for r in verdict.relations] == ["not shuffled", "never called"]
    assert "First," in verdict.message and "Second," in verdict.message


def test_a_model_that_stays_in_evaluation_mode_is_found():
    def answer(model, *rest):
        model.eval()
        return one_pass()(model, *rest)

    assert examine(LOOP, answer).relation.kind == "mode"


def test_points_of_the_plane_are_watched_alike():
    assert examine(PLANE, one_pass(prepare=lambda x: x)).passed
    assert examine(PLANE, one_pass(prepare=lambda x: x, order=stored)).relation.kind == "not shuffled"


def test_a_stub_a_loss_never_called_and_what_autograd_refuses():
    assert examine(LOOP, lambda *_: None).status == "not attempted"
    assert examine(LOOP, lambda *_: 3.0).relation.kind == "never called"
    late = examine(LOOP, one_pass(learn=learn("step", "back")))
    assert late.status == "error" and "the step came too early" in late.message

    def without_gradients(*args):
        with torch.no_grad():
            return one_pass()(*args)

    assert "no gradient can flow" in examine(LOOP, without_gradients).message
