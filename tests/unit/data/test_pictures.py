"""Pictures of one's own: what becomes of a file, which classes there are, what is said of one that can't be read."""

import re

from vae_helpers import data

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def album(tmp_path):
    """Thirty pictures, dark left and bright right, wider than high; the k-th has the grey level k to the right."""
    for k in range(30):
        pixels = np.zeros((40, 80), dtype=np.uint8)
        pixels[:, 40:] = 8 * k
        Image.fromarray(pixels).save(tmp_path / f"{k:02d}.png")
    return tmp_path


def test_every_picture_arrives_once_as_28_by_28_bytes(album):
    dataset = data.from_folder(album, device="cpu")
    assert (len(dataset.x), len(dataset.x_test)) == (27, 3)
    levels = [int(x[0, :, -1].float().mean()) for part in (dataset.x, dataset.x_test) for x in part]
    assert sorted(levels) == [8 * k for k in range(30)]
    assert not dataset.y.any() and not dataset.y_test.any()


def test_the_middle_square_is_kept_the_right_way_round(album):
    x = data.from_folder(album, device="cpu").x.float()
    assert x[..., :10].max() == 0 and (x[..., 18:].amax((1, 2, 3)) == x[..., 18:].amin((1, 2, 3))).all()


def test_inverted_paper_is_black(album):
    plain, inverted = (data.from_folder(album, invert=invert, device="cpu").x for invert in (False, True))
    assert (plain.int() + inverted.int() == 255).all()


def test_sub_folders_are_the_classes(album):
    for k, path in enumerate(sorted(album.glob("*.png"))):
        folder = album / ("cats", "dogs")[k % 2]
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
    dataset = data.from_folder(album, device="cpu")
    levels = dataset.x[:, 0, 0, -1].int() // 8
    assert (levels % 2 == dataset.y).all()


def test_the_seed_draws_the_test_pictures_and_the_name_is_the_pictures(album):
    first, again, other = (data.from_folder(album, seed=seed, device="cpu") for seed in (0, 0, 1))
    assert (first.x_test == again.x_test).all() and not (first.x_test == other.x_test).all()
    assert first.name == other.name != data.from_folder(album, invert=True, device="cpu").name


def test_what_is_transparent_is_paper(album):
    Image.new("RGBA", (30, 30), (0, 0, 0, 0)).save(album / "empty.png")
    dataset = data.from_folder(album, device="cpu")
    assert max(x.min() for part in (dataset.x, dataset.x_test) for x in part) == 255


@pytest.mark.parametrize("content", [b"no picture", b"\x89PNG\r\n\x1a\n half of one"])
def test_a_damaged_picture_is_named(album, content):
    (album / "broken.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.png can't be read as a picture .* take it away"):
        data.from_folder(album)


def test_no_folder_a_file_and_too_few_pictures_are_said(album, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        data.from_folder(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError, match="which is a file"):
        data.from_folder(album / "00.png")
    for path in sorted(album.glob("*.png"))[5:]:
        path.unlink()
    with pytest.raises(ValueError, match=re.escape("holds 5 pictures: at least 20")):
        data.from_folder(album)


def test_more_classes_than_the_models_know_are_refused(album):
    for k, path in enumerate(sorted(album.glob("*.png"))):
        folder = album / f"class {k % 11}"
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
    with pytest.raises(ValueError, match="11 classes; the course's models know 10"):
        data.from_folder(album)
