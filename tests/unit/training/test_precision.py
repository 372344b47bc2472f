"""In which precision a training computes: what is asked for, and what is taken where nothing is."""

from vae_helpers.training import precision

import pytest
import torch


@pytest.mark.parametrize("has_bf16", [True, False])
def test_a_processor_computes_in_bf16_where_it_has_it_or_is_asked_to(has_bf16, monkeypatch):
    monkeypatch.setattr(precision, "processor_has_bf16", lambda: has_bf16)
    taken = {}
    for name in ("float32", "bf16", "auto"):
        with precision.autocast(torch.device("cpu"), name):
            taken[name] = torch.is_autocast_enabled("cpu")
    assert taken == {"float32": False, "bf16": True, "auto": has_bf16}


@pytest.mark.parametrize("has", [("_is_avx512_bf16_supported",), ("_is_amx_tile_supported",), ()])
def test_a_processor_is_asked_for_each_kind_of_bf16(has, monkeypatch):
    for probe in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, probe, lambda probe=probe: probe in has, raising=False)
    assert precision.processor_has_bf16() is bool(has)
