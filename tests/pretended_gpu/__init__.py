"""A pretended GPU: tensors say ``cuda:0`` (or ``mps:0``), are computed on the CPU, and refuse what a GPU refuses.

    with pretended_gpu():
        x = torch.ones(3, device="cuda")
        x + torch.ones(3)  # RuntimeError: Expected all tensors to be on the same device …

Two devices never mix, numpy gets nothing, a generator serves its own device alone, random numbers are other ones, and a
value out of range ends the device, as an assertion within a kernel does. ``gpu.waits`` counts what the host waits for.
In the mood "mps" there is no float64. One GPU, one process, eager mode. What can't be had: speed, memory, races, and
a GPU's rounding.

``entry`` begins it. ``devices`` says which GPU is pretended, ``tensors`` holds its tensors, ``kernels`` computes,
``refusals`` knows what it doesn't take, ``casting`` is its autocast, ``generators`` its chance; ``replacements`` are
what PyTorch's Python side is told meanwhile, ``private`` the names inside of PyTorch that all this leans on.

Nothing is imported here: where a name is missing, ``private.missing`` must still be able to say so.
"""
