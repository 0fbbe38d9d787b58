"""Names of the package as its source has them: modules, their members, classes and their fields, callables.

    names = PackageNames.read({dotted(path, ROOT): ast.parse(path.read_text()) for path in paths})
    names.modules["bench.stats.ratio"]["ratio"]         # [Callable]: its parameters, and what it returns
    names.classes["Record"][0].values["figures"]        # "Figures"

Nothing is imported, so no torch and no GPU is needed.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Signature:
    """Parameters of a function, a method without its `self`, or a class with fields."""

    positional: tuple[str, ...]
    keywords: tuple[str, ...]
    required: frozenset[str]
    any_positional: bool = False
    any_keyword: bool = False

    def refusal(self, call: ast.Call) -> str | None:
        """Reason why a call does not fit; `...` among its arguments stands for any others."""
        given = [keyword.arg for keyword in call.keywords if keyword.arg]
        unknown = set(given) - {*self.positional, *self.keywords}
        if unknown and not self.any_keyword:
            return f"no parameter {', '.join(sorted(unknown))}"
        if any(
            isinstance(a, ast.Starred) or (isinstance(a, ast.Constant) and a.value is ...) for a in call.args
        ):
            return None
        if len(call.args) > len(self.positional) and not self.any_positional:
            return f"{len(call.args)} positional arguments, not {len(self.positional)}"
        twice = set(self.positional[: len(call.args)]) & set(given)
        if twice:
            return f"{', '.join(sorted(twice))} given twice"
        lacking = self.required - {*self.positional[: len(call.args)], *given}
        if lacking and all(keyword.arg for keyword in call.keywords):
            return f"lacks {', '.join(sorted(lacking))}"
        return None


@dataclass(frozen=True)
class Callable:
    signature: Signature
    returns: str | None


@dataclass
class Class:
    """A class: annotations of its fields and properties by name, and its methods."""

    name: str
    node: ast.ClassDef
    values: dict[str, str | None] = field(default_factory=dict)
    methods: dict[str, Callable] = field(default_factory=dict)

    def lineage(self, names: PackageNames) -> Iterator[Class]:
        yield self
        for base in self._bases():
            for found in names.classes.get(base, [])[:1]:
                yield from found.lineage(names)

    def is_closed(self, names: PackageNames) -> bool:
        """Whether all members are known: no base is of another package, but for those without fields."""
        known = {"Protocol", "Generic", "ABC", "NamedTuple", "BaseModel", *names.classes}
        return all(base in known for one in self.lineage(names) for base in one._bases())

    def constructor(self, names: PackageNames) -> Signature | None:
        """Its `__init__` or its fields; `None` where another package decides, more where a decorator adds."""
        for one in self.lineage(names):
            if "__init__" in one.methods:
                return one.methods["__init__"].signature
        positional: dict[str, bool] = {}
        keywords: dict[str, bool] = {}
        for one in reversed(list(self.lineage(names))):
            by_keyword = any("kw_only=True" in ast.unparse(made) for made in one.node.decorator_list)
            for node in one.node.body:
                if isinstance(node, ast.AnnAssign) and "ClassVar" not in ast.unparse(node.annotation):
                    (keywords if by_keyword else positional)[ast.unparse(node.target)] = node.value is None
        if not positional and not keywords:
            return None
        required = frozenset(name for name, must in (positional | keywords).items() if must)
        adds = any(
            ast.unparse(made).startswith("_")
            for one in self.lineage(names)
            for made in one.node.decorator_list
        )
        return Signature(tuple(positional), tuple(keywords), required, any_keyword=adds)

    def _bases(self) -> list[str]:
        bases = [base.value if isinstance(base, ast.Subscript) else base for base in self.node.bases]
        return [ast.unparse(base).split(".")[-1] for base in bases]


@dataclass
class PackageNames:
    modules: dict[str, dict[str, list[Callable | Class | None]]] = field(default_factory=dict)
    """Members of each module by name; `None` is a value."""
    imported: dict[str, dict[str, str]] = field(default_factory=dict)
    """What each module has from elsewhere: its name there, and the module that it is from."""
    classes: dict[str, list[Class]] = field(default_factory=lambda: defaultdict(list))
    attributes: set[str] = field(default_factory=set)
    """Every attribute that the package's code reads or sets, also of other libraries' objects."""

    @classmethod
    def read(cls, trees: Mapping[str, ast.Module]) -> PackageNames:
        names = cls()
        for module, tree in trees.items():
            names.modules[module] = defaultdict(list)
            for node in _flat(tree.body):
                names._add(module, node)
            names.imported[module] = dict(_imports(tree))
            names.attributes |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            names.attributes |= {
                node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg
            }
        for found in (one for same in names.classes.values() for one in same):
            names.attributes |= {*found.values, *found.methods}
        return names

    def named(self, short: str) -> list[str]:
        """Modules of this last name."""
        return [module for module in self.modules if module.rsplit(".", 1)[-1] == short]

    def of_module(self, module: str, name: str) -> list[Callable | Class | None]:
        """What a module defines by this name; a package also what it passes on."""
        passed_on = name in self.imported[module] and any(m.startswith(f"{module}.") for m in self.modules)
        return self.modules[module].get(name) or (self.defined(name) if passed_on else [])

    def foreign(self, module: str) -> set[str]:
        """Names that a module has from outside the package."""
        own = self.modules.keys()
        return {name for name, source in self.imported[module].items() if source not in own}

    def defined(self, name: str) -> list[Callable | Class | None]:
        return [one for members in self.modules.values() for one in members.get(name, [])]

    def _add(self, module: str, node: ast.stmt) -> None:
        members = self.modules[module]
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                members[node.name].append(_callable(node, bound=False))
            case ast.ClassDef():
                found = _class(node)
                members[node.name].append(found)
                self.classes[node.name].append(found)
            case ast.Assign() | ast.AnnAssign():
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                        members[inner.id].append(None)


def dotted(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _callable(node: Function, bound: bool) -> Callable:
    a = node.args
    static = any(ast.unparse(one) == "staticmethod" for one in node.decorator_list)
    positional = [one.arg for one in (*a.posonlyargs, *a.args)][1 if bound and not static else 0 :]
    optional = positional[len(positional) - len(a.defaults) :] if a.defaults else []
    must = {one.arg for one, default in zip(a.kwonlyargs, a.kw_defaults, strict=True) if default is None}
    signature = Signature(
        tuple(positional),
        tuple(one.arg for one in a.kwonlyargs),
        frozenset({*positional} - {*optional} | must),
        any_positional=a.vararg is not None,
        any_keyword=a.kwarg is not None,
    )
    return Callable(signature, ast.unparse(node.returns) if node.returns else None)


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                source = (node.module if isinstance(node, ast.ImportFrom) else None) or alias.name
                yield alias.asname or alias.name.split(".")[0], source


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements, those below an `if TYPE_CHECKING` among them."""
    for node in body:
        yield from _flat(node.body) if isinstance(node, ast.If) else [node]


def _class(node: ast.ClassDef) -> Class:
    found = Class(node.name, node)
    for inner in _flat(node.body):
        match inner:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if any("property" in ast.unparse(one) for one in inner.decorator_list):
                    found.values[inner.name] = ast.unparse(inner.returns) if inner.returns else None
                else:
                    found.methods[inner.name] = _callable(inner, bound=True)
                for deeper in ast.walk(inner):
                    match deeper:
                        case ast.Attribute(value=ast.Name(id="self"), attr=attr, ctx=ast.Store()):
                            found.values.setdefault(attr, None)
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.values[name] = ast.unparse(inner.annotation)
            case ast.Assign():
                for target in inner.targets:
                    if isinstance(target, ast.Name):
                        found.values[target.id] = None
    return found
