"""The servers that the browser tests open: JupyterLab and Voilà, on this machine only, each with a token."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass

SERVER_START = 60  # seconds, at most
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # else cells out of sight are not in the page
}
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever http_proxy says


@dataclass
class Server:
    """A running server."""

    address: str
    token: str

    def open(self, path, token=None):
        """The answer to a request with the server's token, with another, or with none ("")."""
        token = self.token if token is None else token
        headers = {"Authorization": f"token {token}"} if token else {}
        return DIRECTLY.open(urllib.request.Request(f"{self.address}/{path}", headers=headers), timeout=5)

    def get(self, path, token=None):
        """What it answers, read as JSON."""
        with self.open(path, token) as answer:
            return json.load(answer)

    def answers(self, path):
        try:
            return bool(self.open(path).status)
        except OSError:
            return False

    def has_idle_kernel(self, notebook):
        try:
            sessions = self.get("api/sessions")
        except OSError:  # a busy machine answers late: ask again
            return False
        return any(s["path"] == notebook and s["kernel"]["execution_state"] == "idle" for s in sessions)


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.1)


def private_environment(folder):
    """Folders of its own for all that Jupyter and IPython read and write in a user's home."""
    names = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "JUPYTERLAB_SETTINGS_DIR",
        "JUPYTERLAB_WORKSPACES_DIR",
        "IPYTHONDIR",
    )
    folders = {name: folder / name.lower() for name in names}
    for plugin, values in SETTINGS.items():
        file = folders["JUPYTERLAB_SETTINGS_DIR"] / f"@jupyterlab/{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    return os.environ | {name: str(path) for name, path in folders.items()}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_taken(address, port):
    """Whether a server listens there."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((address, port)) == 0


@contextmanager
def serving(name, command, environment, server, log, first_page):
    """A server while it runs."""
    with log.open("w") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: server.answers(first_page) or process.poll() is not None, SERVER_START, f"{name}'s start")
        assert process.poll() is None, f"{name} did not start:\n{log.read_text()}"
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def jupyterlab(root, folder):
    """A JupyterLab server for `root`, on this machine only; `folder` takes its settings and its log."""
    port, token = free_port(), secrets.token_hex(16)
    options = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={root}",
    ]
    command = [sys.executable, "-m", "jupyterlab", *options]
    environment = private_environment(folder) | {"JUPYTER_TOKEN": token}
    lab = Server(f"http://127.0.0.1:{port}", token)
    with serving("JupyterLab", command, environment, lab, folder / "log", "api/status"):
        yield lab


@contextmanager
def voila(notebook, folder):
    """Voilà with one notebook, as TEACHING.md starts it; `folder` takes its settings and its log."""
    port, token = free_port(), secrets.token_hex(16)
    options = ["--no-browser", "--Voila.ip=127.0.0.1", f"--port={port}", "--Voila.port_retries=0"]
    command = [sys.executable, "-m", "voila", str(notebook), *options, "--Voila.auto_token=True"]  # of its environment
    environment = private_environment(folder) | {"JUPYTER_TOKEN": token}
    page = Server(f"http://127.0.0.1:{port}", token)
    with serving("Voilà", command, environment, page, folder / "log", "login"):
        yield page
