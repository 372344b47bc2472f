"""The U-Net of notebook 11's fold is the one whose pictures stand below it."""

import inspect
import sys

import nbformat
import torch
from PIL import Image

from helpers.places import FIGURES

sys.path.insert(0, str(FIGURES))  # as `python figures/unet.py` has it

import unet

NOTEBOOK = FIGURES.parent / "notebooks" / "11_diffusion.ipynb"


def test_the_picture_was_made_by_the_present_script():
    with Image.open(unet.PICTURE) as picture:
        assert picture.text["Source"] == unet.origin(), "run python figures/unet.py: 25 minutes"
    assert unet.PICTURE.stat().st_size <= 300_000


def test_the_fold_shows_the_network_that_was_trained():
    prose = "".join(cell.source for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "markdown")
    for part in (unet.Block, unet.UNet):
        assert inspect.getsource(part).strip() in prose, part.__name__


def test_it_gives_one_velocity_per_pixel_and_hears_image_time_and_label_once_weights_are_not_zero():
    torch.manual_seed(0)
    net, z, t = unet.UNet(8), torch.randn(3, 784), torch.tensor([0.1, 0.5, 0.9])
    assert torch.allclose(net(z, t), net(torch.zeros_like(z), t))
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    v = net(z, t, torch.tensor([1, 2, 3]))
    assert v.shape == z.shape
    assert not torch.allclose(v, net(-z, t, torch.tensor([1, 2, 3])))
    assert not torch.allclose(v, net(z, t.flip(0), torch.tensor([1, 2, 3])))
    assert not torch.allclose(v, net(z, t))
    assert torch.equal(net(z, t), net(z, t, torch.full((3,), net.n_classes)))


def test_hidden_labels_and_all_weights_are_trained():
    torch.manual_seed(0)
    net = unet.UNet(8)
    torch.nn.init.normal_(net.end.weight, std=0.2)
    for block in (net.high, net.last, *net.low):
        torch.nn.init.normal_(block.convs[1].weight, std=0.2)
    unet.flow_loss(net, torch.rand(64, 1, 28, 28), torch.arange(64) % 10).total.backward()
    assert all(weight.grad.abs().sum() > 0 for weight in net.parameters())
