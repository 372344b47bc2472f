"""What a verdict says of an answer that is wrong in a way of its own, and that it can't be changed afterwards."""

import dataclasses
import re

from vae_helpers.exercises import EXERCISES, check, mine
from vae_helpers.exercises.engine import Exercise, examine, run

import pytest
import torch

RIGHT = EXERCISES["left-out-by-the-mean"].reference


def off_by(*amounts):
    """The right answer, its first entries off by so much."""

    def answer(logvar):
        shift = torch.zeros(len(logvar))
        shift[: len(amounts)] = torch.tensor(amounts)[: len(logvar)]
        return RIGHT(logvar) + shift

    return answer


def of_first_probe(i):
    (logvar,) = EXERCISES["left-out-by-the-mean"].probes()[0]
    return RIGHT(logvar)[i].item()


@pytest.mark.parametrize(("amounts", "i"), [((0.5, -3.0), 1), ((0.5, 3.0), 1), ((-3.0, 0.5), 0)])
def test_the_entry_that_is_furthest_off_is_shown_whichever_way_it_is_off(amounts, i):
    verdict = check("left-out-by-the-mean", off_by(*amounts))
    right = of_first_probe(i)
    assert verdict.status == "wrong"
    assert f"{right + amounts[i]:.4f} where {right:.4f} is right" in verdict.message
    assert "for others" not in verdict.message


def test_an_answer_that_is_wrong_for_the_second_probe_alone_is_told_so():
    wrong_for_four = lambda logvar: RIGHT(logvar) + (len(logvar) == 4)  # noqa: E731
    verdict = check("left-out-by-the-mean", wrong_for_four)
    assert verdict.status == "wrong" and "right for the first inputs and not for others" in verdict.message


@pytest.mark.parametrize(("scale", "status"), [(1 + 5e-5, "passed"), (1 + 1e-3, "wrong")])
def test_rounding_is_forgiven_and_a_thousandth_is_not(scale, status):
    one = Exercise("one", "one number", lambda x: x, lambda seed=0: [(torch.tensor([1000.0]),)], ())
    assert examine(one, lambda x: x * scale).status == status


@pytest.mark.parametrize(("status", "mark"), [("passed", "✓"), ("not attempted", "○"), ("wrong", "✗")])
def test_a_verdict_shows_its_mark_and_stays_as_it_is(status, mark):
    answer = {"passed": RIGHT, "not attempted": lambda _: None, "wrong": off_by(9.0)}[status]
    verdict = check("left-out-by-the-mean", answer)
    assert verdict.status == status and repr(verdict).startswith(mark + " left-out")
    assert verdict.passed == (status == "passed")
    assert max(len(line) for line in repr(verdict).splitlines()) <= 88
    with pytest.raises(dataclasses.FrozenInstanceError):
        verdict.status = "passed"


def test_an_answer_that_changes_its_input_is_told_so_and_harms_no_later_one():
    def greedy(logvar):
        result = RIGHT(logvar)
        logvar.zero_()
        return result

    verdict = check("left-out-by-the-mean", greedy)
    assert verdict.status == "mistake" and "logvar is changed in place" in verdict.message
    assert verdict.relations[0].kind == "changed in place"
    assert check("left-out-by-the-mean", RIGHT).passed


def test_a_traceback_that_is_known_is_told_with_what_it_means():
    message = check("left-out-by-the-mean", lambda logvar: logvar + torch.zeros(logvar.shape[1] + 1)).message
    assert "raised RuntimeError: The size of tensor a" in message
    assert message.endswith(". That is: two shapes don't go together. Print both: a new axis, a[:, None], may lack.")


def test_an_error_names_the_line_of_the_learner_and_not_a_deeper_one():
    def answer(logvar):
        return torch.linalg.cholesky(logvar)

    verdict = check("left-out-by-the-mean", answer)
    assert verdict.status == "error" and "return torch.linalg.cholesky(logvar)" in verdict.message
    assert len(verdict.message) < 500


def test_a_list_of_answers_is_an_error_with_the_article_that_its_type_takes():
    assert "returns an object" in check("left-out-by-the-mean", lambda _: object()).message
    assert "returns a str" in check("left-out-by-the-mean", lambda _: "text").message
    assert "torch.stack" not in check("left-out-by-the-mean", lambda _: "text").message


def test_the_entry_shown_is_the_one_that_is_off_and_not_the_largest():
    (logvar,) = EXERCISES["left-out-by-the-mean"].probes()[0]
    right = RIGHT(logvar)
    i = int(right.abs().argmin())
    verdict = check("left-out-by-the-mean", off_by(*[0.0] * i, 0.01))
    assert f"{right[i] + 0.01:.4f} where {right[i]:.4f} is right" in verdict.message


def test_an_answer_that_writes_into_its_input_passes_no_check():
    def in_place(x, proportion):
        chosen = torch.rand(x.flatten(1).shape).topk(round(784 * proportion), dim=1).indices
        return x.flatten(1).scatter_(1, chosen, 0.0).view_as(x)

    assert "x is changed in place" in check("masking-noise", in_place).message


@pytest.mark.parametrize("number", [0.0, 1.0, 9.0])
def test_a_number_that_depends_on_nothing_is_called_so_and_recites_no_solution(number):
    verdict = check("left-out-by-the-mean", lambda logvar: torch.full((len(logvar),), number))
    assert verdict.message == f"left-out-by-the-mean: it returns {number:g} whatever it is given."


def test_a_random_answer_is_measured_on_the_same_draws_whatever_was_drawn_before():
    exercise = EXERCISES["independent-pixels"]
    measured = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        measured.append(run(exercise, exercise.reference))
    assert all(torch.equal(a, b) for a, b in zip(*measured, strict=True))


@pytest.mark.parametrize("made", [EXERCISES["denoising-loss"], EXERCISES["denoising-loss"].mistakes[0]])
def test_an_exercise_and_its_mistakes_stay_as_they_are(made):
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.message = "passed"


def test_the_learners_own_function_goes_on_where_it_passed_else_the_courses(capsys):
    def own(z_a, z_b, n):
        return torch.stack([torch.lerp(z_a, z_b, t.item()) for t in torch.linspace(0, 1, n)])

    assert mine("walk", own, torch.lerp) is own
    assert mine("walk", lambda *_: ..., torch.lerp) is torch.lerp
    assert mine("walk", lambda a, b, n: own(b, a, n), torch.lerp) is torch.lerp
    assert mine("walk", lambda *_: ...) is EXERCISES["walk"].reference
    said = capsys.readouterr().out.splitlines()
    assert ["your own" in line for line in said] == [True, False, False, False]


def test_an_answer_that_knows_the_probes_by_heart_fails_on_others():
    exercise = EXERCISES["walk"]
    known = {n: exercise.reference(a, b, n) for a, b, n in exercise.probes()}
    assert check("walk", lambda a, b, n: known[n]).passed
    assert not check("walk", lambda a, b, n: known[n], seed=3).passed


@pytest.mark.parametrize("name", EXERCISES)
def test_probes_follow_their_seed_and_the_reference_passes_for_any(name):
    exercise = EXERCISES[name]
    assert check(name, exercise.reference, seed=5).passed
    if exercise.findings is None:
        shown = [re.sub(r" at 0x\w+", "", repr(exercise.probes(seed))) for seed in (5, 5, 0)]
        assert shown[0] == shown[1] != shown[2]


def strange(m, n, c, k):
    return (k.abs().sqrt() @ c.cos() + m, n.sin() * m.exp())


@pytest.mark.parametrize(
    ("name", "answer"),
    [("best-linear-denoiser", strange), ("autoencoder-loss", lambda model, x: model.encode(x).sin().square().sum())],
)
def test_what_findings_do_not_explain_is_no_mistake_with_a_name(name, answer):
    verdict = check(name, answer)
    assert "no simple change explains it" in verdict.message
    assert verdict.status == "wrong" and verdict.relations == ()


def test_a_stub_is_told_what_to_return():
    verdict = check("left-out-by-the-mean", lambda _: None)
    wanted = EXERCISES["left-out-by-the-mean"].expects
    assert verdict.message == (
        f"left-out-by-the-mean: not attempted yet. It should return {wanted}. "
        "(Did you write it? Then look for a missing return.)"
    )
