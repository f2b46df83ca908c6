"""The package reads no format that can run code, and opens no port but those that the station file names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import linewatch

PACKAGE = Path(linewatch.__file__).parent
RUNS_CODE = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
RUNS_CODE_CALLS = {"eval", "exec", "yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "np.fromfile"}
OPENS_PORTS = {"bind", "bind_to_random_port", "create_server", "TCPServer", "HTTPServer", "start_server"}
MAY_BIND = {
    "line/endpoints.py",  # what the station file names, and nothing else
    "line/publisher.py",  # through endpoints.py
    "line/door.py",  # again, what endpoints.py bound before
    "line/admission.py",  # inproc, where libzmq asks who may connect
    "demo/daemon_status.py",  # a Unix socket, in place of systemd's
    "core/logs.py",  # names a logger
    "faults/station_file.py",  # a free port of loopback, for the line of the suite alone
    "dashboard/address.py",  # what the station file's dashboard section names: loopback, else it says the words
}
MAY_LOAD_YAML = "core/yamltext.py"  # with the safe loader, which the type of its argument demands


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call, by the dotted name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def imports(tree: ast.AST) -> Iterator[str]:
    """Top-level names of every imported module; an exception alone cannot run anything."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and [alias.name for alias in node.names] != ["UnpicklingError"]:
            yield (node.module or "").partition(".")[0]


def is_true(call: ast.Call, keyword: str) -> bool:
    values = [one.value for one in call.keywords if one.arg == keyword]
    return bool(values) and isinstance(values[0], ast.Constant) and values[0].value is True


def unsafe(source: str, where: str = "") -> Iterator[str]:
    """What in `source` could run foreign code, or open a port in a file that may not."""
    tree = ast.parse(source)
    yield from (f"imports {name}" for name in imports(tree) if name in RUNS_CODE)
    for name, call in calls(tree):
        last = name.rpartition(".")[2]
        if name in RUNS_CODE_CALLS or (last == "load" and name.startswith(("torch.", "np.", "numpy.", "yaml."))):
            if name == "torch.load" and is_true(call, "weights_only"):
                continue
            if name in ("np.load", "numpy.load") and not any(one.arg == "allow_pickle" for one in call.keywords):
                continue
            if name == "yaml.load" and where == MAY_LOAD_YAML:
                continue
            yield f"line {call.lineno}: {name}"
        if last in OPENS_PORTS and where not in MAY_BIND:
            yield f"line {call.lineno}: {name} opens a port"


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from pickle import loads", "import joblib.numpy_pickle", "eval(x)", "yaml.load(x, Loader)",
        "torch.load(p)", "torch.load(p, weights_only=False)", "np.load(p, allow_pickle=True)", "yaml.unsafe_load(x)",
        "socket.bind(('', 1))", "socket.create_server(a)",
    ],
)  # fmt: skip
def test_the_search_finds(source: str) -> None:
    assert list(unsafe(source))


def test_the_search_lets_the_safe_forms_be() -> None:
    assert list(unsafe("torch.load(p, weights_only=True); np.load(p); yaml.safe_load(x); json.load(f)")) == []


def test_nothing_in_the_package_is_unsafe() -> None:
    paths = sorted(PACKAGE.rglob("*.py"))
    assert len(paths) > 100
    found = {
        f"{where}: {what}"
        for path in paths
        for where in [path.relative_to(PACKAGE).as_posix()]
        for what in unsafe(path.read_text(encoding="utf-8"), where)
    }
    assert found == set()
