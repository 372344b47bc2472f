"""Grading on a machine with a GPU: answers run in forked processes, where CUDA can't follow."""

import json
import os
import subprocess
import sys

from helpers.handed_in import answer, class_copy, save
from helpers.places import ROOT

ASKS = """def answer(mu, logvar):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    eps = torch.randn(mu.shape, device=device)
    return mu + (logvar / 2).exp() * eps"""
GRADE = """import contextlib, sys
from vae_helpers.exercises.grade.__main__ import main
import torch
from pretended_gpu.entry import pretended_gpu
with contextlib.nullcontext() if torch.cuda.is_available() else pretended_gpu():
    status = main(sys.argv[1:])
    assert torch.cuda.is_available()
sys.exit(status)"""


def test_answers_are_graded_on_the_cpu_where_there_is_a_gpu(tmp_path):
    learner = class_copy("04")
    answer(learner, "reparameterize", ASKS)
    command = [sys.executable, "-c", GRADE, str(save(learner, tmp_path / "learner.ipynb")), "--format", "json"]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["notebooks"][0]["exercises"]
    row = next(row for row in rows if row["exercise"] == "reparameterize")
    assert row["status"] == "passed", row["says"]
