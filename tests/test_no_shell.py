"""No code of this project starts a shell, evaluates text, or unpickles: what is read can run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CALLS = frozenset(
    {
        "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "eval", "exec",
        "pickle.load", "pickle.loads", "marshal.loads", "yaml.unsafe_load", "yaml.full_load",
        "create_subprocess_shell", "asyncio.create_subprocess_shell", "shutil.unpack_archive",
    }
)  # fmt: skip
SHELLS = frozenset({"sh", "bash", "/bin/sh", "/bin/bash"})
LOADS_WEIGHTS = frozenset({"from_pretrained", "from_single_file"})
NAMED = ("spec.trust_remote_code", "case.name in remote_code")
"""Of a model that was named with --allow-remote-code."""
LOADERS = ("SafeLoader", "loader")


def _is_of_words(name: str) -> bool:
    """Whether a call loads a configuration or a tokenizer, which have no weights."""
    return any(part in name for part in ("Config", "Tokenizer", "FeatureExtractor"))


def found(source: str) -> Iterator[str]:
    """Calls that run what they are given."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        keywords = {word.arg: ast.unparse(word.value) for word in node.keywords}
        if name in CALLS:
            yield f"{node.lineno}: {name}"
        if keywords.get("shell", "False") != "False":
            yield f"{node.lineno}: {name} with a shell"
        if name == "yaml.load" and not any(each in keywords.get("Loader", "") for each in LOADERS):
            yield f"{node.lineno}: yaml.load with {keywords.get('Loader')}"
        loads = name.rpartition(".")[2] in LOADS_WEIGHTS and not _is_of_words(name)
        if loads and keywords.get("use_safetensors") != "True":
            yield f"{node.lineno}: {name} may load a pickle"
        if keywords.get("trust_remote_code", NAMED[0]) not in NAMED:
            yield f"{node.lineno}: {name} runs a model's code that nobody named"
        if name == "torch.load" and keywords.get("weights_only") != "True":
            yield f"{node.lineno}: torch.load of a pickle"
        program = node.args[0] if node.args else None
        first = program.elts[0] if isinstance(program, ast.List) and program.elts else None
        if isinstance(first, ast.Constant) and first.value in SHELLS:
            yield f"{node.lineno}: a list that begins with {first.value}"


@pytest.mark.parametrize(
    "line",
    [
        "os.system('ls')",
        "subprocess.run('ls', shell=True)",
        "subprocess.run(['bash', '-c', 'ls'])",
        "yaml.load(text, Loader=yaml.Loader)",
        "yaml.load(text)",
        "pickle.loads(content)",
        "torch.load(path)",
        "eval(text)",
        "AutoModel.from_pretrained(name, **found)",
        "AutoModel.from_pretrained(name, use_safetensors=False)",
        "AutoConfig.from_pretrained(name, trust_remote_code=True)",
    ],
)
def test_each_of_them_is_found(line: str) -> None:
    assert len(list(found(line))) == 1


def test_no_module_runs_what_it_reads() -> None:
    files = [*(ROOT / "bench").rglob("*.py"), ROOT / "joulebench_pytest.py"]
    assert len(files) > 300
    calls = {str(file.relative_to(ROOT)): list(found(file.read_text(encoding="utf-8"))) for file in files}
    assert {name: each for name, each in calls.items() if each} == {}
