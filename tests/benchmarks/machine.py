"""What a measurement was made on: the processor in a line, and how fast it multiplies matrices just now."""

import platform
from statistics import median

import fitting
import torch


def in_words(speed: float | None = None) -> str:
    """Threads, float32 operations per second in billions (measured now unless given), GPU, version of PyTorch."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    products = f"{gigaflops() if speed is None else speed:.0f} GFLOP/s in matrix products"
    version = torch.__version__.split("+")[0]
    return f"{platform.machine()}, {torch.get_num_threads()} threads, {products}, {gpu}, torch {version}"


def gigaflops() -> float:
    """Float32 operations per second, in billions, in the matrix products of ``fit``: the median of three epochs."""
    pairs, steps = fitting.products_of_a_step(), 234
    times = [fitting.seconds(lambda: fitting.multiply_for_an_epoch(pairs, steps)) for _ in range(3)]
    return fitting.operations(pairs, steps) / median(times)
