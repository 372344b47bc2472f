"""Searching for what an answer has to do with the right one: what is read of a reference, changed, found, and said."""

import ast
import inspect
import random
import re

from vae_helpers.exercises import EXERCISES, check
from vae_helpers.exercises.engine import Exercise, agree, examine, run
from vae_helpers.exercises.engine.changes import changes_of
from vae_helpers.exercises.engine.explain import Search, formula_of
from vae_helpers.exercises.engine.formula import Formula, as_result
from vae_helpers.exercises.engine.pretty import Pretty
from vae_helpers.exercises.engine.verdict import judge
from vae_helpers.losses import alpha_and_sigma, log_snr

import pytest
import torch

WRITTEN_OUT = {name: e for name, e in EXERCISES.items() if e.measure is None and e.findings is None}
SAMPLE = 8  # changes of each exercise


def of_formula(exercise, changes, probes):
    """The results of a changed reference, None where it can't be computed."""
    formula, results = formula_of(exercise.reference), []
    for k, probe in enumerate(probes):
        torch.manual_seed(k)
        try:
            results.append(as_result(formula.values(probe, changes)[formula.root]))
        except Exception:
            return None
    return results


@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_the_steps_of_a_reference_compute_what_it_computes(name):
    exercise = WRITTEN_OUT[name]
    results = of_formula(exercise, {}, exercise.probes())
    for result, right in zip(results, run(exercise, exercise.reference), strict=True):
        assert torch.equal(result, right)


def changed(exercise):
    """A sample of the single changes of a reference that change something, and their results."""
    right = run(exercise, exercise.reference)
    changes = changes_of(formula_of(exercise.reference), dict(exercise.words))
    for change in random.Random(exercise.id).sample(changes, len(changes)):
        results = of_formula(exercise, change.at, exercise.probes())
        if results is None or max(r.numel() for r in results) > 4 * max(r.numel() for r in right) + 4000:
            continue
        if not all(
            a.shape == b.shape and torch.allclose(a, b, 1e-3, 1e-3) for a, b in zip(results, right, strict=True)
        ):
            yield change, results


def fresh_results(exercise, change):
    return lambda: of_formula(exercise, change.at, exercise.probes(1)) or []


@pytest.mark.usefixtures("types_in_one_row_of_eight")
@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_a_change_of_the_reference_is_found(name):
    exercise, said = WRITTEN_OUT[name], []
    for (change, results), _ in zip(changed(exercise), range(SAMPLE), strict=False):
        verdict = judge(exercise, results, 0, fresh_results(exercise, change))
        assert not verdict.passed, change
        if all(r.isfinite().all() for r in results):
            said.append(verdict.status == "mistake")
    assert said and sum(said) >= 0.95 * len(said)


@pytest.mark.usefixtures("types_in_one_row_of_eight")
@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_what_is_found_makes_the_answer_of_the_right_one(name):
    """Found relations, looked up among the changes by name and applied to the reference, give the results again."""
    exercise = WRITTEN_OUT[name]
    changes = changes_of(formula_of(exercise.reference), dict(exercise.words))
    for (change, results), _ in zip(changed(exercise), range(2), strict=False):
        search = Search(exercise.reference, exercise.words, exercise.probes(), results)
        found = search.explanation(exercise.tolerance)
        if found and len(found.relations) == 1 and found.relations[0].place != "result":
            named = [c for c in changes if c.relation == found.relations[0] and c.says == found.sentences[0]]
            again = [of_formula(exercise, c.at, exercise.probes()) for c in named]
            assert any(r is not None and agree(r, results, exercise.tolerance) for r in again), change


def small(mu, logvar, scale):
    squares = (mu - scale).square() / logvar.exp()
    return (0.5 * (squares - logvar - 1)).sum(dim=1)


def small_probes(seed=0):
    g = torch.Generator().manual_seed(20_219 + seed)
    return [(torch.randn(n, 3, generator=g) + 2, torch.randn(n, 3, generator=g), 0.3) for n in (5, 4, 6)]


SMALL = Exercise(
    "small",
    "one value per row",
    small,
    small_probes,
    words={"squares": "the squares"},
)
ANSWERS = {
    "a factor": (lambda m, v, s: 2 * small(m, v, s), "the result is twice what it should be"),
    "any factor": (lambda m, v, s: 1.7 * small(m, v, s), "the result is 1.7 times what it should be"),
    "bits": (lambda m, v, s: small(m, v, s) / torch.tensor(2.0).log(), "in bits, not in nats"),
    "a size": (lambda m, v, s: small(m, v, s) / 3, "divided by 3, a size of the input"),
    "an offset of a size": (lambda m, v, s: small(m, v, s) + 1.5, "½ · 3 too large"),
    "summed": (lambda m, v, s: small(m, v, s).sum(), "the right values are summed once more"),
    "unsummed": (lambda m, v, s: 0.5 * ((m - s) ** 2 / v.exp() - v - 1), "the sum of"),
    "another axis": (lambda m, v, s: (0.5 * ((m - s) ** 2 / v.exp() - v - 1)).sum(0), "is taken over axis 0"),
    "in reverse": (lambda m, v, s: small(m, v, s).flip(0), "it is in reverse order"),
    "another shape": (lambda m, v, s: small(m, v, s)[:, None], r"the numbers are right, the shape is \(5, 1\)"),
    "arguments exchanged": (lambda m, v, s: small(v, m, s), "μ and log σ² are exchanged"),
    "read as log σ": (lambda m, v, s: small(m, 2 * v, s), "log σ² is read as log σ"),
    "a term": (lambda m, v, s: (0.5 * ((m - s) ** 2 / v.exp() - v)).sum(1), "1.5 too large|½ · 3 too large"),
    "a sign": (lambda m, v, s: (0.5 * ((m - s) ** 2 / v.exp() + v - 1)).sum(1), "log σ² has the wrong sign"),
    "not squared": (lambda m, v, s: (0.5 * ((m - s) / v.exp() - v - 1)).sum(1), "μ − scale is not squared"),
    "a bracket": (lambda m, v, s: (0.5 * (m - s) ** 2 / v.exp() - v - 1).sum(1), "reaches the squares only"),
    "an average first": (lambda m, v, s: small(m.mean(0).expand_as(m), v, s), "averaged over its first axis first"),
    "two things": (
        lambda m, v, s: -(0.5 * ((m - s) / v.exp() - v - 1)).sum(1),
        r"two things\. First, μ − scale is not squared\. Second, the result is minus",
    ),
}


@pytest.mark.parametrize(("answer", "words"), ANSWERS.values(), ids=ANSWERS.keys())
def test_what_an_answer_has_to_do_with_the_right_one_is_said(answer, words):
    verdict = examine(SMALL, answer)
    assert verdict.status == "mistake" and re.search(words, verdict.message), verdict
    assert verdict.relations and "exp(" not in verdict.message.replace("exp(−", "")


def of_log_weight(f, m, v, e):
    z = m + (0.5 * v).exp() * e
    return f(z) - torch.distributions.Normal(m, v.exp()).log_prob(z).sum(1)


def weighted(denoise, x, t, e):
    alpha, sigma = alpha_and_sigma(t[:, None])
    z = alpha * x + sigma * e
    return 8 * log_snr(t).exp() * (z - denoise(z, t)).square().sum(1)


def noised(x, t, e):
    alpha = alpha_and_sigma(t[:, None])[0]
    return alpha * x + (1 - alpha) * e


def mean_of_numbers(mu, y, k):
    return torch.stack([mu[y == c].mean() if (y == c).any() else mu.new_zeros(()) for c in range(k)])[:, None].expand(
        -1, mu.shape[1]
    )


def farthest_image(mu, logvar, means):
    return (torch.cdist(mu, means).square() + (logvar.exp() - logvar).sum(1, keepdim=True)).argmax(0)


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("log-weight", of_log_weight, "log σ² is read as log σ, .*, in log q"),
        ("weighted-denoising", weighted, "it takes z_t for x, in x − x̂"),
        ("noising", noised, "it takes 1 − α for σ"),
        ("class-means", mean_of_numbers, "μ is averaged over its last axis too"),
        ("nearest-prior", farthest_image, "two things.*argmax stands for argmin"),
        ("one-pixel-denoiser", lambda x, n, s: x.var() / (x.var() + s**2) * (n + x.mean()), "it takes a for 1 − a"),
    ],
)
def test_what_a_reader_of_an_exercise_is_told(name, answer, words):
    verdict = check(name, answer)
    assert verdict.status == "mistake" and re.search(words, verdict.message), verdict


def test_a_constant_that_is_missing_is_told_with_its_place():
    exercise = EXERCISES["two-layer-kl"]
    says = [c.says for c in changes_of(formula_of(exercise.reference), dict(exercise.words))]
    assert {f"the factor ½ is missing, in {place}" for place in ("½ · log σ₂²", "the KL of z₂")} <= set(says)


def test_a_constant_of_the_wrong_sign_turns_its_product():
    says = [c.says for c in changes_of(formula_of(small), {"squares": "the squares"}) if c.relation.factor == "-0.5"]
    assert says == ["the sign of ½ · (the squares − log σ² − 1) is turned"]


def test_a_value_that_one_statement_uses_twice_is_changed_there_at_once():
    def twice(a, b):
        c = a + 1
        d = (a * b).sum() - a.sum()
        return c.sum() * d

    formula = Formula(twice)
    a, b = torch.tensor([1.0, 3.0]), torch.tensor([5.0, -2.0])
    (there,) = [c for c in changes_of(formula, {"d": "d"}) if c.says == "a is doubled, in d"]
    assert formula.values((a, b), there.at)[formula.root] == twice(a, b) * 2
    assert not [c for c in changes_of(formula, {"d": "d"}) if c.says == "b is doubled, in d"]


def test_what_nothing_explains_shows_inputs_and_both_values():
    verdict = examine(SMALL, lambda m, v, s: (m * 1.234).sin().sum(1) + v.cos().prod(1))
    assert verdict.status == "wrong" and verdict.relations == ()
    assert "where" in verdict.message and "is right" in verdict.message
    assert "mu = (5, 3) [" in verdict.message and "scale = 0.3" in verdict.message


def test_a_step_is_named_in_the_symbols_of_the_course():
    formula = Formula(small)
    pretty = Pretty(formula, {"squares": "the squares"})
    named = {pretty.of(i) for i in range(len(formula.steps))}
    assert {"μ", "log σ²", "μ − scale", "(μ − scale)²", "σ²", "the squares", "½"} <= named


def test_an_exercise_whose_reference_is_no_written_out_function_is_judged_without_a_search():
    plain = Exercise("plain", "a number", lambda x: 2 * x, lambda seed=0: [(torch.tensor([1.0, 2.0]),)], ())
    assert examine(plain, lambda x: x).status == "wrong"


@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_a_reference_is_a_plain_function(name):
    source = inspect.getsource(WRITTEN_OUT[name].reference)
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef) and len(function.body) <= 11  # as long as what the learner writes


def test_a_verdict_of_a_check_holds_its_relation_as_data():
    right = EXERCISES["kl-diagonal"].reference
    relation = check("kl-diagonal", lambda m, v, mp, vp: right(m, v, mp, vp) / 4).relation
    assert (relation.kind, relation.place, relation.factor) == ("factor", "result", "0.25")
    assert check("kl-diagonal", right).relation is None
