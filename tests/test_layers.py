"""The layers of the house: imports go down, never sideways or up, and importing a module does nothing."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]

LAYERS = (
    {"__main__"},
    {"serve", "admin", "sandbox"},
    {"bot"},
    {"front", "worker"},
    {"slack", "iletimerkezi", "journal"},
    {"model", "settings", "log", "metrics", "cache", "network"},
)
"""From above to below: a package may import itself and what stands in a lower line, nothing else of the bot."""

LAYER = {package: number for number, packages in enumerate(LAYERS) for package in packages}

IMPORT_ALL = """
import importlib, os, sys, threading
for name in {libraries!r}:
    try:
        importlib.import_module(name)
    except ImportError:
        pass  # a name in a module, or a library that is not installed

class Unread(dict):
    def _read(self, *_):
        raise AssertionError("the environment is read at import")
    __getitem__ = get = __contains__ = __iter__ = items = keys = values = copy = _read

def refuse(event, _):
    if event in ("socket.__new__", "thread", "subprocess.Popen", "os.fork", "sqlite3.connect"):
        raise AssertionError(event + " at import")

os.environ = Unread()
threading.Thread.start = lambda _: refuse("thread", ())
sys.addaudithook(refuse)
for name in {ours!r}:
    importlib.import_module(name)
"""
"""Libraries come first, since what they do when imported is not ours."""


def modules() -> list[str]:
    """Return the dotted names of all modules of the bot."""
    files = sorted((ROOT / "bot").rglob("*.py"))
    return [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]


def source(module: str) -> Path:
    """Return the file of a module."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def imported(file: Path) -> list[str]:
    """Return every name that a file imports, wherever in it: `a.b` for `import a.b` and for `from a import b`."""
    package = file.relative_to(ROOT).parts[:-1]
    found: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            origin = ".".join(part for part in (above, node.module) if part)
            found += (f"{origin}.{alias.name}" for alias in node.names)
    return found


def package_of(name: str) -> str:
    """Return the bot's package or top module to which a dotted name belongs, "" for what stands in `bot` itself."""
    parts = name.split(".")
    if parts[0] != "bot" or len(parts) == 1:
        return ""
    return parts[1] if (ROOT / "bot" / parts[1]).is_dir() or (ROOT / "bot" / f"{parts[1]}.py").exists() else ""


def test_each_package_has_its_layer() -> None:
    """Nothing stands in `bot/` that the layers do not name, and they name nothing that is gone."""
    assert {package_of(module) for module in modules()} - {""} == set(LAYER)


def test_imports_go_down() -> None:
    """A package imports itself and lower layers alone: front and worker do not know each other, the model nobody."""
    wrong = [
        f"{module} imports {name}"
        for module in modules()
        for name in imported(source(module))
        if package_of(module) and package_of(name) and not _may(package_of(module), package_of(name))
    ]
    assert sorted(wrong) == []


def _may(package: str, used: str) -> bool:
    return used == package or LAYER.get(used, -1) > LAYER[package]


def test_the_model_stands_on_nothing() -> None:
    """The model needs Python's own library and no other."""
    used = {
        name.split(".")[0] for module in modules() if package_of(module) == "model" for name in imported(source(module))
    }
    assert used - {"bot"} <= sys.stdlib_module_names


def test_nothing_happens_at_import() -> None:
    """No module reads the environment, opens a socket or a database, or starts a thread or process when imported."""
    foreign = {name for module in modules() for name in imported(source(module)) if not name.startswith("bot")}
    libraries = sorted(foreign | {name.rpartition(".")[0] for name in foreign if "." in name})
    script = IMPORT_ALL.format(libraries=libraries, ours=modules())
    ended = subprocess.run(  # noqa: S603  # our own interpreter and words
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]


def test_no_test_imports_another() -> None:
    """What tests share lies in tests/conftest.py and tests/support/."""
    files = [file for file in (ROOT / "tests").rglob("*.py") if file.name.startswith(("test_", "conftest"))]
    shared = {f"{file.name} imports {name.rpartition('.')[0]}" for file in files for name in imported(file)}
    assert sorted(pair for pair in shared if ".test_" in pair) == []
