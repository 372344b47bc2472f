"""Names inside of PyTorch that the pretended GPU leans on. They may go with any release: then its tests are skipped."""

import importlib.resources
import pkgutil
from pathlib import Path

import torch

NAMES = (
    "torch.utils._python_dispatch.TorchDispatchMode",
    "torch.utils._device._device_constructors",
    "torch.utils.swap_tensors",
    "torch.overrides.TorchFunctionMode",
    "torch.Tensor._make_wrapper_subclass",
    "torch._C._disabled_torch_function_impl",
    "torch._C._nn._parse_to",
    "torch._C._dispatch_has_computed_kernel_for_dispatch_key",
    "torch._C._dispatch_has_kernel_for_dispatch_key",
    "torch._C._ensureCUDADeviceGuardSet",
    "torch._C._only_lift_cpu_tensors",
    "torch._C._set_only_lift_cpu_tensors",
    "torch.cuda._lazy_init",
    "torch.Tag.nondeterministic_seeded",
)


def native_functions() -> Path:
    """PyTorch's list of its own functions, which says of each whether its tensors must share a device."""
    return Path(str(importlib.resources.files("torchgen"))) / "packaged/ATen/native/native_functions.yaml"


def autocast_header() -> Path:
    """What autocast casts, as C++ is told."""
    return Path(torch.__file__).parent / "include/ATen/autocast_mode.h"


def missing() -> list[str]:
    """What this release of PyTorch lacks: names and files."""
    lacking = [name for name in NAMES if not _is_there(name)]
    return lacking + [file.name for file in (native_functions(), autocast_header()) if not file.is_file()]


def _is_there(name: str) -> bool:
    try:
        return pkgutil.resolve_name(name) is not None
    except (AttributeError, ImportError):
        return False
