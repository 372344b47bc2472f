"""Ways between codes: their ends, their lengths, their angles, and what has no way."""

from vae_helpers.evaluation import spherical, straight

import pytest
import torch

both = pytest.mark.parametrize("way", [straight, spherical])
torch.manual_seed(0)
A, B = torch.randn(2, 5, 3, dtype=torch.float64)


def angle(a, b):
    return torch.arccos(torch.cosine_similarity(a, b, dim=-1))


@both
def test_a_way_begins_at_its_first_code_and_ends_at_its_second(way):
    assert torch.allclose(way(A, B, 0.0), A)
    assert torch.allclose(way(A, B, 1.0), B)


@both
def test_walked_backwards_it_is_the_same_way(way):
    assert torch.allclose(way(A, B, 0.3), way(B, A, 0.7))


@both
def test_one_t_per_row_gives_one_code_per_row(way):
    t = torch.linspace(0, 1, 4, dtype=torch.float64)[:, None]
    steps = way(A[0], B[0], t)
    assert steps.shape == (4, 3)
    assert torch.allclose(steps[1], way(A[0], B[0], 1 / 3))
    assert torch.allclose(way(A[:4], B[:4], t)[2], way(A[2], B[2], 2 / 3))


def test_half_way_in_a_quarter_turn_is_known_by_hand():
    east, north = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    assert torch.allclose(straight(east, north, 0.5), torch.tensor([1.0, 1.0]))
    assert torch.allclose(spherical(east, north, 0.5), torch.tensor([2**0.5, 2**0.5]))
    assert torch.allclose(spherical(east, north, 1 / 3), torch.tensor([3**0.5, 1.0]))


def test_between_codes_of_one_length_the_sphere_is_not_left_and_the_angle_grows_evenly():
    a, b = (4 * z / z.norm(dim=1, keepdim=True) for z in (A, B))
    for t in (0.1, 0.25, 0.8):
        z = spherical(a, b, t)
        assert torch.allclose(z.norm(dim=1), torch.full((5,), 4.0, dtype=torch.float64))
        assert torch.allclose(angle(a, z), t * angle(a, b), atol=1e-6)


def test_the_middle_of_unrelated_gaussian_codes_is_root_two_too_short_only_if_straight():
    a, b = torch.randn(2, 4000, 50)
    usual = a.norm(dim=1).mean().item()
    assert straight(a, b, 0.5).norm(dim=1).mean().item() == pytest.approx(usual / 2**0.5, rel=0.01)
    assert spherical(a, b, 0.5).norm(dim=1).mean().item() == pytest.approx(usual, rel=0.01)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_codes_of_one_direction_are_joined_by_the_straight_way(dtype):
    a = A.to(dtype)
    for b in (a, 1.5 * a, a + 1e-5 * torch.ones(3, dtype=dtype)):
        assert torch.allclose(spherical(a, b, 0.3), straight(a, b, 0.3), rtol=1e-5)
        assert spherical(a, b, 0.3).dtype == dtype


@pytest.mark.parametrize("b", [-A[0], -2 * A[0]])
def test_opposite_codes_have_no_way_along_the_sphere(b):
    with pytest.raises(ValueError, match="Opposite codes have no shortest way"):
        spherical(A[0], b, 0.5)


def test_a_code_without_direction_has_no_way_along_the_sphere():
    with pytest.raises(ValueError, match="A code of length 0 has no direction"):
        spherical(A[0], torch.zeros(3, dtype=torch.float64), 0.5)


@both
@pytest.mark.parametrize(
    ("a", "b", "error", "message"),
    [
        ([1.0, 2.0], A[0], TypeError, "z_a must be a tensor of floats, got list"),
        (A[0], torch.tensor([1, 2, 3]), TypeError, "z_b must be a tensor of floats, got torch.int64"),
        (A[0] * float("nan"), B[0], ValueError, "z_a must be finite"),
        (A[0, 0], B[0, 0], ValueError, r"z_a must have shape \(…, d\), got \(\)"),
        (A, B[:2], ValueError, r"z_b must have shape \(5, 3\), to go with z_a, got \(2, 3\)"),
    ],
)
def test_what_is_no_pair_of_codes_is_refused(way, a, b, error, message):
    with pytest.raises(error, match=message):
        way(a, b, 0.5)
