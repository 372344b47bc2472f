"""Answers to the exercises of Euler's walk and of guidance: right ones, and wrong ones of which most are explained."""

from vae_helpers.exercises import check

import torch

from helpers.answer_tables import each_right_answer, passes, refused_and_explained
from helpers.answers_11_flow import ANOTHER_HAND, RIGHT


def walk(times=lambda n: [1 - k / n for k in range(n)], step=lambda z, v, h, t: z - h * v, end=lambda zs: zs[-1]):
    def answer(velocity, z, n):
        path = [z]
        for t in times(n):
            at_t = torch.full((len(z),), float(t))
            path.append(step(path[-1], velocity(path[-1], at_t), 1 / n, t))
        return end(path)

    return answer


def from_the_noise(velocity, noise, n):
    for k in range(n):
        z = noise - velocity(noise, torch.full((len(noise),), 1 - k / n)) / n
    return z


def plain_time(velocity, z, n):
    for k in range(n):
        z = z - velocity(z, 1 - k / n) / n
    return z


WRONG = {
    "euler-walk": [
        ("uphill", walk(step=lambda z, v, h, t: z + h * v)),
        ("whole velocity", walk(step=lambda z, v, h, t: z - v)),
        ("t for h", walk(step=lambda z, v, h, t: z - t * v)),
        ("half steps", walk(step=lambda z, v, h, t: z - 0.5 * h * v)),
        ("h squared", walk(step=lambda z, v, h, t: z - h * h * v)),
        ("from data", walk(lambda n: [k / n for k in range(n)])),
        ("from data, to the end", walk(lambda n: [(k + 1) / n for k in range(n)])),
        ("one late", walk(lambda n: [1 - (k + 1) / n for k in range(n)])),
        ("both ends", walk(lambda n: torch.linspace(1, 0, n))),
        ("a step too many", walk(lambda n: [1 - k / n for k in range(n + 1)])),
        ("always t = 1", walk(lambda n: [1.0] * n)),
        ("a step too few", walk(lambda n: [1 - k / n for k in range(n - 1)])),
        ("last not taken", walk(end=lambda zs: zs[-2])),
        ("the whole path", walk(end=torch.stack)),
        ("the noise", walk(end=lambda zs: zs[0])),
        ("fresh noise", walk(step=lambda z, v, h, t: z - h * v + h**0.5 * torch.randn_like(z))),
        ("from the noise again", from_the_noise),
        ("own noise", lambda f, z, n: walk()(f, torch.randn_like(z), n)),
        ("time as a number", plain_time),
        ("never asked", lambda f, z, n: z - 1.0),
    ],
    "guided-velocity": [
        ("sum", lambda net, z, t, y, w: net(z, t, y) + w * net(z, t)),
        ("sum of both", lambda net, z, t, y, w: net(z, t, y) + w * (net(z, t, y) + net(z, t))),
        ("difference only", lambda net, z, t, y, w: w * (net(z, t, y) - net(z, t))),
        ("w squared", lambda net, z, t, y, w: net(z, t, y) + w * w * (net(z, t, y) - net(z, t))),
        ("twice", lambda net, z, t, y, w: net(z, t, y) + 2 * w * (net(z, t, y) - net(z, t))),
        ("unlabelled only", lambda net, z, t, y, w: net(z, t)),
        ("no time", lambda net, z, t, y, w: (1 + w) * net(z, 0 * t, y) - w * net(z, 0 * t)),
        ("mean", lambda net, z, t, y, w: ((1 + w) * net(z, t, y) - w * net(z, t)).mean(1)),
    ],
}


def test_no_wrong_answer_passes_and_nine_of_ten_are_explained_or_told_their_shape():
    refused_and_explained(WRONG)


def test_a_walk_from_the_data_and_uphill_is_told_both():
    uphill = walk(lambda n: [k / n for k in range(n)], step=lambda z, v, h, t: z + h * v)
    said = str(check("euler-walk", uphill))
    assert "begins at t = 0" in said and "*with* the velocity" in said


@each_right_answer(RIGHT)
def test_a_right_answer_in_another_style_passes(name, answer, seed):
    passes(name, answer, seed)


def test_every_exercise_has_wrong_and_right_answers():
    assert set(WRONG) == set(RIGHT) == set(ANOTHER_HAND) | {"euler-walk"}
