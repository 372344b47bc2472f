"""Loading: where data is looked for, what is checked, and what is said when something is wrong."""

import hashlib
import http.client
import os
import struct
from pathlib import Path

from vae_helpers import data
from vae_helpers.data import CacheError, DamagedFileError, downloads
from vae_helpers.data.files import FILES, DataFile, missing_files

import pytest
import torch
from torchvision import datasets


@pytest.fixture(autouse=True)
def no_real_downloads(monkeypatch):
    """Whatever a test forgets, it must not reach a network."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def write_idx(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = values.shape if values.ndim == 1 else (len(values), 28, 28)
    header = struct.pack(f">HBB{len(sizes)}I", 0, 8, len(sizes), *sizes)
    path.write_bytes(header + values.numpy().tobytes())


@pytest.fixture
def tiny_mnist(tmp_path, monkeypatch):
    """A folder in torchvision's layout with 7 training and 5 test images, published as MNIST for this test."""
    folder = tmp_path / "tiny"
    files = []
    for prefix, n in (("train", 7), ("t10k", 5)):
        g = torch.Generator().manual_seed(n)
        images = torch.randint(0, 256, (n, 1, 28, 28), dtype=torch.uint8, generator=g)
        labels = torch.arange(n, dtype=torch.uint8)
        for kind, values in (("images-idx3", images), ("labels-idx1", labels)):
            path = folder / "MNIST" / "raw" / f"{prefix}-{kind}-ubyte"
            write_idx(path, values)
            content = path.read_bytes()
            md5 = hashlib.md5(content).hexdigest()
            files.append(DataFile(path.relative_to(folder), len(content), md5))
    monkeypatch.setitem(FILES, "mnist", tuple(files))
    return folder


def test_the_files_of_a_folder_are_read_as_torchvision_reads_them(tiny_mnist, cache):
    loaded = data.load("mnist", tiny_mnist, device="cpu")
    for train, x, y in ((True, loaded.x, loaded.y), (False, loaded.x_test, loaded.y_test)):
        theirs = datasets.MNIST(tiny_mnist, train=train)
        assert torch.equal(x[:, 0], theirs.data)
        assert torch.equal(y, theirs.targets)
    assert loaded.name == "mnist"
    assert loaded.x.dtype == torch.uint8 and loaded.y.dtype == torch.int64
    assert loaded.factors is None


def test_vae_data_is_looked_in_before_the_cache(tiny_mnist, cache, monkeypatch):
    monkeypatch.setenv("VAE_DATA", str(tiny_mnist))
    assert data.find("mnist") == tiny_mnist


def test_the_cache_is_looked_in_when_vae_data_lacks_the_set_and_that_is_said(tiny_mnist, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("VAE_CACHE", str(tiny_mnist))
    assert data.find("mnist") == tiny_mnist
    assert "VAE_DATA is set to" in capsys.readouterr().out


def test_a_folder_without_the_data_is_refused(cache, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte is missing.*torchvision's root"):
        data.load("mnist", tmp_path)


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"name must be one of 'mnist', 'fashion', 'glyphs', got 'mnits'"):
        data.load("mnits")


def test_a_truncated_file_is_named_with_its_mend(tiny_mnist):
    victim = tiny_mnist / "MNIST/raw/train-images-idx3-ubyte"
    victim.write_bytes(victim.read_bytes()[:-1])
    with pytest.raises(
        DamagedFileError, match=r"train-images-idx3-ubyte is damaged: it has .* bytes instead of .*Delete"
    ):
        data.load("mnist", tiny_mnist)


def test_an_altered_file_is_named_with_its_mend(tiny_mnist):
    victim = tiny_mnist / "MNIST/raw/t10k-labels-idx1-ubyte"
    content = bytearray(victim.read_bytes())
    content[-1] ^= 1
    victim.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"t10k-labels-idx1-ubyte is damaged: its MD5 differs.*Delete"):
        data.load("mnist", tiny_mnist)


def test_an_unwritable_cache_is_an_error_that_names_the_mend(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.delenv("VAE_DATA", raising=False)
    monkeypatch.setenv("VAE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(CacheError, match=r"can't be written to.*set VAE_CACHE.*or set VAE_DATA"):
        data.load("mnist")


def test_without_a_network_the_glyphs_take_its_place_loudly(cache, monkeypatch, capsys):
    loaded = data.load("fashion", device="cpu")
    said = capsys.readouterr().out
    assert loaded.name == "glyphs"
    assert "NO NETWORK: fashion could not be downloaded" in said and "GLYPHS" in said and "VAE_DATA" in said
    assert not list(cache.iterdir()), "nothing half-made is left in the cache"


def fake_download(source, fail=False):
    def fetch(root, download):
        raw = os.path.join(root, "MNIST", "raw")
        os.makedirs(raw)
        for path in (source / "MNIST/raw").iterdir():
            content = path.read_bytes()
            with open(os.path.join(raw, path.name), "wb") as file:
                file.write(content[:-3] if fail else content)

    return fetch


def test_a_download_lands_in_the_cache(tiny_mnist, cache, monkeypatch):
    monkeypatch.setattr(datasets, "MNIST", fake_download(tiny_mnist))
    assert len(data.load("mnist", device="cpu").x) == 7
    assert not missing_files("mnist", cache)
    assert data.find("mnist") == cache


def test_a_damaged_download_does_not_land_in_the_cache(tiny_mnist, cache, monkeypatch):
    monkeypatch.setattr(datasets, "MNIST", fake_download(tiny_mnist, fail=True))
    with pytest.raises(DamagedFileError, match=r"mnist arrived damaged.*Load it again.*set VAE_DATA"):
        data.load("mnist", device="cpu")
    assert not list(cache.iterdir())


def test_an_interrupted_download_leaves_nothing_in_the_cache(cache, monkeypatch):
    def fetch(root, download):
        os.makedirs(os.path.join(root, "MNIST", "raw"))
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets, "MNIST", fetch)
    with pytest.raises(KeyboardInterrupt):
        data.load("mnist", device="cpu")
    assert not list(cache.iterdir())


def test_of_two_downloads_at_once_both_find_the_whole_data(tiny_mnist, cache, monkeypatch):
    def second_arrives_meanwhile(root, download):
        fake_download(tiny_mnist)(root, download)
        monkeypatch.setattr(datasets, "MNIST", fake_download(tiny_mnist))
        downloads.download("mnist", cache)

    monkeypatch.setattr(datasets, "MNIST", second_arrives_meanwhile)
    assert len(data.load("mnist", device="cpu").x) == 7
    assert [p.name for p in cache.iterdir()] == ["MNIST"]


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(104, "Connection reset by peer"),
        TimeoutError("timed out"),
        http.client.IncompleteRead(b""),
        RuntimeError("Error downloading train-images-idx3-ubyte.gz"),
        EOFError("Compressed file ended before the end-of-stream marker"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_whatever_breaks_on_the_way_is_said_and_the_glyphs_take_its_place(error, cache, monkeypatch, capsys):
    def fetch(root, download):
        raise error

    monkeypatch.setattr(datasets, "MNIST", fetch)
    assert data.load("mnist", device="cpu").name == "glyphs"
    assert f"What went wrong: {str(error)[:20]}" in capsys.readouterr().out


def test_a_tilde_in_a_path_is_the_home_folder(tiny_mnist, monkeypatch):
    monkeypatch.setenv("HOME", str(tiny_mnist.parent))
    monkeypatch.setenv("USERPROFILE", str(tiny_mnist.parent))
    monkeypatch.setenv("VAE_DATA", "~/tiny")
    assert data.find("mnist") == tiny_mnist
    assert data.find("mnist", "~/tiny") == tiny_mnist


def test_a_full_disk_is_not_taken_for_a_missing_network(cache, monkeypatch):
    def fetch(root, download):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(datasets, "MNIST", fetch)
    with pytest.raises(CacheError, match=r"No space left on device.*Make room"):
        data.load("mnist")


def test_the_glyphs_have_true_factors_and_other_images_to_test_on():
    loaded = data.load_glyphs(n=300, n_test=100)
    assert loaded.x.shape == (300, 1, 28, 28) and loaded.x_test.shape == (100, 1, 28, 28)
    assert {len(v) for v in loaded.factors["train"].values()} == {300}
    assert {len(v) for v in loaded.factors["test"].values()} == {100}
    assert not torch.equal(loaded.x[:100], loaded.x_test)


def test_to_float_divides_bytes_by_255_and_leaves_floats_alone():
    images = torch.tensor([[[[0, 51, 255]]]], dtype=torch.uint8)
    assert data.to_float(images).flatten().tolist() == pytest.approx([0, 0.2, 1])
    floats = torch.rand(2, 1, 28, 28)
    assert torch.equal(data.to_float(floats), floats)
    assert data.to_float(floats.double()).dtype == torch.float32


def test_the_mean_image_is_the_mean_whatever_the_number_of_images():
    images = torch.randint(0, 256, (4500, 1, 28, 28), dtype=torch.uint8)
    assert torch.allclose(data.mean_image(images), (images.double() / 255).mean(0).float(), atol=1e-6)


@pytest.mark.parametrize("name", ["mnist", "fashion"])
def test_the_real_files_pass_their_check(name):
    if missing_files(name, Path(os.environ.get("VAE_DATA", ""))):
        pytest.skip(f"the real {name} is not at hand: VAE_DATA does not hold it")
    loaded = data.load(name, os.environ["VAE_DATA"], device="cpu")
    assert loaded.x.shape == (60_000, 1, 28, 28) and loaded.x_test.shape == (10_000, 1, 28, 28)
    assert loaded.y.bincount().numel() == 10
