"""Reader of an example in a docstring: what it names that the package does not have.

    Example("bench.compare", names).read(example(docstring))    # ["compare(...): lacks b"]

It goes from line to line with the types of local names, as far as annotations tell them. A local name that
nothing makes is taken for the class of that name: `record` is a `Record`.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
import textwrap

from tests.support.package_names import Callable, Class, PackageNames, Signature

READERS_OWN = {
    "pipe",
    "model",
    "AutoModel",
    "AutoModelForCausalLM",
    "HfApi",
    "click",
    "pandas",
    "pytest",
    "write_pages",
}
"""What an example takes from other libraries or from its reader's program."""
ANYTHING = Signature((), (), frozenset(), any_positional=True, any_keyword=True)
SEQUENCES = {"list", "tuple", "Sequence", "Iterator", "Iterable", "Generator", "set", "frozenset"}
MAPPINGS = {"dict", "Mapping"}


def example(docstring: str) -> ast.Module:
    """The paragraphs that are Python, as one program: they share their local names."""
    whole = ast.Module([], [])
    for text in re.split(r"\n[ \t]*\n", docstring)[1:]:
        try:
            whole.body += ast.parse(textwrap.dedent(text.strip("\n"))).body
        except SyntaxError:  # a sentence, a listing or a command
            continue
    return whole


class Example:
    """The example of one docstring, read line by line with what is known of its local names."""

    def __init__(self, module: str, names: PackageNames) -> None:
        self.module = module
        self.names = names
        self.external = READERS_OWN | {*sys.stdlib_module_names, "Path"} | names.foreign(module)
        self.local: dict[str, ast.expr | None] = {}
        self.faults: list[str] = []

    def read(self, tree: ast.Module) -> list[str]:
        # Names may be used before the line that makes them: an example shows the interesting part first.
        self.stored = {
            n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        self.stored |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
        for node in tree.body:
            self._statement(node)
        return self.faults

    def lacks(self, base: str, name: str) -> bool:
        """Whether `base.name` is of a module or a class that has no such name."""
        self.stored = set()
        return base not in self.external and bool(self._read(f"{base}.{name}"))

    def _read(self, text: str) -> list[str]:
        self._type(ast.parse(text, mode="eval").body)
        return self.faults

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef():
                self.stored.add(node.name)
                for decorator in node.decorator_list:
                    self._type(decorator)
                for inner in node.body:
                    self._statement(inner)
            case ast.Assign():
                given = self._type(node.value)
                for target in node.targets:
                    self._bind(target, given)
            case ast.For():
                self._bind(node.target, _item(self._type(node.iter)))
                for inner in node.body:
                    self._statement(inner)
            case ast.With():
                for item in node.items:
                    entered = self._entered(self._type(item.context_expr))
                    if item.optional_vars:
                        self._bind(item.optional_vars, entered)
                for inner in node.body:
                    self._statement(inner)
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._type(child)
                    elif isinstance(child, ast.stmt):
                        self._statement(child)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self.stored |= {alias.asname or alias.name.split(".")[0]} - {"bench"}
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bench":
                inside = self.names.modules.get(node.module or "")
                if inside is None or not (
                    inside.get(alias.name) or f"{node.module}.{alias.name}" in self.names.modules
                ):
                    self.faults.append(f"{node.module}.{alias.name}")

    def _bind(self, target: ast.expr, given: ast.expr | None) -> None:
        match target:
            case ast.Name(id=name):
                self.local[name] = given
            case ast.Tuple(elts=elements):
                parts = _parts(given) if given is not None and _head(given) == "tuple" else []
                for index, element in enumerate(elements):
                    self._bind(element, parts[index] if len(parts) == len(elements) else None)

    def _type(self, node: ast.expr) -> ast.expr | None:
        """Annotation of an expression, `None` where it is not known; faults on the way are kept."""
        match node:
            case ast.Call():
                return self._call(node)
            case ast.Attribute():
                value = self._attribute(node)
                return value if isinstance(value, ast.expr) else None
            case ast.Subscript():
                self._type(node.slice)
                return _value(self._type(node.value))
            case ast.Name(id=name) if name in self.local:
                return self.local[name]
            case ast.Lambda():
                return None
            case ast.DictComp() | ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                for generator in node.generators:
                    self._bind(generator.target, _item(self._type(generator.iter)))
                for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
                    self._type(part)
                return None
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._type(child)
                return None

    def _call(self, node: ast.Call) -> ast.expr | None:
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            self._type(argument)
        match node.func:
            case ast.Name(id=name):
                if name in self.stored or name in READERS_OWN or hasattr(builtins, name):
                    return None
                found = self._own(name)
                if not found and name not in self.external:
                    self.faults.append(f"{name}(...)")
                return self._fit(node, name, found)
            case ast.Attribute():
                called = self._attribute(node.func)
                if isinstance(called, list):
                    return self._fit(node, ast.unparse(node.func), called)
            case _:
                self._type(node.func)
        return None

    def _own(self, name: str) -> list[Callable | Class | None]:
        """What a bare name means here: of the module itself, else of any that has it."""
        return self.names.of_module(self.module, name) or self.names.defined(name)

    def _fit(self, node: ast.Call, name: str, found: list[Callable | Class | None]) -> ast.expr | None:
        refusals = []
        for one in found:
            signature = (
                one.constructor(self.names) if isinstance(one, Class) else one.signature if one else None
            )
            refusal = signature.refusal(node) if signature else None
            if refusal is None:
                if isinstance(one, Class):
                    return ast.Name(one.name)
                return _parsed(one.returns) if one else None
            refusals.append(refusal)
        if refusals:
            self.faults.append(f"{name}(...): {refusals[0]}")
        return None

    def _attribute(self, node: ast.Attribute) -> ast.expr | list[Callable | Class | None] | None:
        """Annotation of an attribute, or the callables it may be; a fault where nothing has it."""
        path = ast.unparse(node)
        base = node.value
        given: ast.expr | None = None
        if isinstance(base, ast.Name) and not self.local.get(base.id):
            if base.id in self.external and base.id not in self.stored:
                return None
            of_modules = self._of_modules(base.id, node.attr)
            if of_modules is not None:
                return of_modules
            given = ast.Name(base.id if base.id in self.names.classes else _camel(base.id))
            if base.id in self.stored or not self.names.classes.get(ast.unparse(given)):
                if base.id in self.stored or not self._within(base.id):
                    self._of_any(path, node.attr)
                else:
                    self.faults.append(path)
                return None
        else:
            given = self._type(base)
        classes = [one for name in _names(given) for one in self.names.classes.get(name, [])]
        if not classes:
            self._of_any(path, node.attr)
            return None
        for one in (inherited for found in classes for inherited in found.lineage(self.names)):
            if node.attr in one.values:
                return _parsed(one.values[node.attr])
            if node.attr in one.methods:
                method = one.methods[node.attr]
                own = method.returns in {"Self", None}
                return [Callable(method.signature, classes[0].name if own else method.returns)]
        if node.attr.startswith("model_validate"):
            return [Callable(ANYTHING, classes[0].name)]
        if all(found.is_closed(self.names) for found in classes):
            self.faults.append(f"{path}: no {node.attr} of {classes[0].name}")
        return None

    def _of_modules(self, base: str, name: str) -> list[Callable | Class | None] | None:
        """What the modules of this name have; `None` where none has it."""
        modules = [] if base in self.stored else [base] if base == "bench" else self._nearest(base)
        for module in modules:
            found = self.names.of_module(module, name)
            if found or f"{module}.{name}" in self.names.modules:
                return found
        return None

    def _nearest(self, base: str) -> list[str]:
        """Modules of a name: that of the same package, else all of them."""
        return self._within(base) or self.names.named(base)

    def _within(self, base: str) -> list[str]:
        """The module of a name beside or below this one, or a room; elsewhere it may be a local name."""
        around = (self.module, self.module.rpartition(".")[0], "bench")
        return [f"{package}.{base}" for package in around if f"{package}.{base}" in self.names.modules][:1]

    def _of_any(self, path: str, name: str) -> None:
        """Keep a fault where no code of the package knows the attribute."""
        if name not in self.names.attributes and not any(hasattr(t, name) for t in (str, dict, list)):
            self.faults.append(path)

    def _entered(self, given: ast.expr | None) -> ast.expr | None:
        if given is None:
            return None
        if _head(given) in SEQUENCES:
            return _item(given)
        for name in _names(given):
            for one in self.names.classes.get(name, []):
                for inherited in one.lineage(self.names):
                    if "__enter__" in inherited.methods:
                        returns = inherited.methods["__enter__"].returns
                        return given if returns == "Self" else _parsed(returns)
        return None


def _parsed(annotation: str | None) -> ast.expr | None:
    if annotation is None:
        return None
    parsed = ast.parse(annotation.strip("'\""), mode="eval").body
    while isinstance(parsed, ast.BinOp):  # X | None
        parsed = parsed.left if ast.unparse(parsed.right) == "None" else parsed.right
    return parsed


def _head(given: ast.expr) -> str:
    return ast.unparse(given.value if isinstance(given, ast.Subscript) else given).split(".")[-1]


def _parts(given: ast.expr) -> list[ast.expr]:
    inside = given.slice if isinstance(given, ast.Subscript) else None
    parts = inside.elts if isinstance(inside, ast.Tuple) else [inside] if inside else []
    return [part for part in parts if not (isinstance(part, ast.Constant) and part.value is ...)]


def _names(given: ast.expr | None) -> list[str]:
    return [_head(given)] if given is not None and not isinstance(given, ast.Subscript) else []


def _item(given: ast.expr | None) -> ast.expr | None:
    parts = _parts(given) if given is not None and _head(given) in SEQUENCES | MAPPINGS else []
    return parts[0] if parts else None


def _value(given: ast.expr | None) -> ast.expr | None:
    parts = _parts(given) if given is not None and _head(given) in SEQUENCES | MAPPINGS else []
    return parts[-1] if parts else None


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
