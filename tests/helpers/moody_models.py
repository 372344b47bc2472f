"""Models that give themselves away where they are used in training mode: with dropout, and statistics of a batch."""

import copy

from vae_helpers.models import VAE, Autoencoder, ConditionalVAE

import torch
from torch import nn


def moody(model, seed=0):
    """The model with BatchNorm and dropout in both networks, statistics of its own, and left in training mode."""
    torch.manual_seed(seed)
    for network in (model.encoder, model.decoder):
        width = network[0].out_features
        network.insert(1, nn.BatchNorm1d(width))
        network.insert(2, nn.Dropout(0.5))
        network[1].running_mean.uniform_(-0.5, 0.5)
        network[1].running_var.uniform_(0.5, 2)
    return model.train()


def moody_vae(latent_dim=3, seed=0):
    torch.manual_seed(seed)
    return moody(VAE(latent_dim, hidden=(16,)), seed)


def moody_autoencoder(latent_dim=3, seed=0):
    torch.manual_seed(seed)
    return moody(Autoencoder(latent_dim, hidden=(16,)), seed)


def moody_conditional(latent_dim=3, seed=0):
    torch.manual_seed(seed)
    return moody(ConditionalVAE(latent_dim, hidden=(16,), n_classes=4), seed)


def calm(model):
    """What a widget should use: a copy in evaluation mode."""
    return copy.deepcopy(model).eval().requires_grad_(False)
