"""One name for each type, the field's words for each thing, and a glossary of at most 40 of our own."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path

import pytest

from tests.support.processes import ROOT

MODULES = [*sorted((ROOT / "bench").rglob("*.py")), ROOT / "joulebench_pytest.py"]
TOOLS = sorted((ROOT / "scripts").rglob("*.py"))
PAGES = [
    *(page for page in sorted((ROOT / "docs").glob("*.md")) if page.name != "log.md"),
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
]
"""What readers see; the changelog and the log of trials are history, which is not rewritten."""

PHRASES = (
    r"(?:is|are) no(?= (?!longer\b)[a-z`\"{])",
    r"and none",
    r"[Ww]ho(?:so)?ever",
    r"[Ww]hatever",
    r"so many",
    r"can(?:not)? be told",
    r"told apart",
    r"just now",
    r"reckon(?:s|ed)?",
    r"stands aside",
    r"(?:[Nn]o|[Ss]ome|[Aa]ny)body",
)
THINGS = (r"tells", r"knows", r"says", r"stands", r"lies", r"holds")
"""What only people do: `the field is`, `has`, `means`, `shows` or `lists` in place of it."""
BANNED = re.compile(rf"\b(?:{'|'.join((*PHRASES, *THINGS))})(?!\w)")
QUESTION = re.compile(r"(?:What|Where|How|Which|Whether|When|Why|Who|From|Finding out|Looking)\b")
"""A module begins with a phrase that could be a glossary entry, not with a question about it."""
MOST_ENTRIES = 40
MOST_WORDS = 25


parsed = cache(ast.parse)
read = cache(partial(Path.read_text, encoding="utf-8"))


def phrases(text: str) -> list[str]:
    """Stumbling phrases of a text, line breaks or not, but for names in backticks."""
    return BANNED.findall(re.sub(r"`\w+`", "``", " ".join(text.split())))


def written(node: ast.AST) -> str | None:
    """The text of a string, formatted or not, with `{}` for each value; `None` for anything else."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(written(part) or "{}" for part in parts)
    return None


def spoken(source: str) -> Iterator[tuple[int, str]]:
    """Docstrings, sentences (errors, help, output) and comments of a module, each with its line."""
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.expr) and (text := written(node)):
            yield node.lineno, text
    for token in tokenize.generate_tokens(io.StringIO(source).readline) if "#" in source else ():
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def long_errors(source: str) -> dict[int, str]:
    """Errors of more than `MOST_WORDS` words, fault and remedy, by their line."""
    found = {}
    for node in ast.walk(parsed(source)):
        match node:
            case ast.Raise(exc=ast.Call(args=arguments)):
                text = " ".join(filter(None, map(written, arguments)))
                if len(text.split()) > MOST_WORDS:
                    found[node.lineno] = text
    return found


def public_types(source: str) -> set[str]:
    """Classes and aliases of types that a module defines for others."""
    names = set()
    for node in parsed(source).body:
        match node:
            case ast.ClassDef(name=name):
                names.add(name)
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=value)
            ) if _is_type(value):
                names.add(name)
            case _ if type(node).__name__ == "TypeAlias":  # `type X = ...`, from Python 3.12 on
                names.add(ast.unparse(node).split()[1].split("[")[0])
    return {name for name in names if re.fullmatch(r"[A-Z]\w*[a-z]\w*", name)}


def _is_type(value: ast.expr | None) -> bool:
    match value:
        case ast.Subscript() | ast.BinOp(op=ast.BitOr()) | ast.Name() | ast.Attribute():
            return True
        case ast.Call(func=ast.Name(id="NewType" | "NamedTuple" | "TypedDict" | "namedtuple")):
            return True
    return False


def defined_twice(sources: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Type names that several modules define, with these modules."""
    places = defaultdict(list)
    for place, source in sources:
        for name in public_types(source):
            places[name].append(place)
    return {name: found for name, found in places.items() if len(found) > 1}


def entries(page: str) -> list[tuple[str, str]]:
    """Words and meanings of a glossary's table."""
    rows = [line.split("|") for line in page.splitlines() if line.startswith("|")][2:]
    return [(cells[1].strip(), "|".join(cells[2:-1]).strip()) for cells in rows]


def faults(page: str, texts: str) -> list[str]:
    """What is wrong with a glossary, whose words should be those of `texts`."""
    table = entries(page)
    words = [word for word, _ in table]
    wrong = [] if len(table) <= MOST_ENTRIES else [f"{len(table)} entries"]
    wrong += [] if words == sorted(set(words), key=str.casefold) else ["not in the order of the alphabet"]
    wrong += [f"{word}: no meaning of one line" for word, meaning in table if not meaning]
    return wrong + [f"{word}: not used" for word in words if not re.search(rf"\b{word}s?\b", texts, re.I)]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_code_speaks_plainly() -> None:
    texts = {
        f"{_name(path)}:{line}": text for path in [*MODULES, *TOOLS] for line, text in spoken(read(path))
    }
    assert not {place: (bad, text) for place, text in texts.items() if (bad := phrases(text))}


def test_pages_speak_plainly() -> None:
    texts = [(_name(path), text) for path in PAGES for text in re.split(r"\n\s*\n|\n(?=[|-])", read(path))]
    assert not [(place, bad, text) for place, text in texts if (bad := phrases(text))]


def test_errors_are_short() -> None:
    assert not {_name(path): found for path in MODULES if (found := long_errors(read(path)))}


def test_a_long_error_is_found() -> None:
    short = f'raise Wrong(f"{{name}} {"is " * 21}wrong.", "Name another.")'
    assert not long_errors(short)
    assert long_errors(short.replace("another", "another one")) == {
        1: f"{{}} {'is ' * 21}wrong. Name another one."
    }


def test_a_module_begins_with_what_it_is() -> None:
    lessons = {_name(path): ast.get_docstring(parsed(read(path))) or "What?" for path in MODULES}
    assert not {place: lesson for place, lesson in lessons.items() if QUESTION.match(lesson)}


def test_a_type_has_one_name_and_a_name_one_type() -> None:
    assert not defined_twice((_name(path), read(path)) for path in MODULES)


def test_the_glossary_is_short_ordered_and_of_words_in_use() -> None:
    glossary = ROOT / "docs" / "glossary.md"
    texts = [read(page) for page in PAGES if page != glossary]
    texts += [
        text for path in sorted((ROOT / "bench" / "cli").rglob("*.py")) for _, text in spoken(read(path))
    ]
    assert entries(read(glossary))
    assert not faults(read(glossary), "\n".join(texts))


@pytest.mark.parametrize(
    "planted",
    [
        '"""A file that is\nno record."""',
        "x = 1  # whoever asks, nobody knows\n",
        'raise Wrong(f"{name} is no {kind} model.")',
        'raise Wrong("what " f"is no {kind}")',
        'click.option("--n", help="Run it so many times.")',
        'LIMIT = 3\n"""A sensor tells how far it lies."""',
        'def f():\n    """Whatever stands there."""',
        'text = "The record holds joules."',
    ],
)
def test_a_stumbling_phrase_is_found_wherever_it_is(planted: str) -> None:
    assert any(phrases(text) for _, text in spoken(planted))


@pytest.mark.parametrize(
    "plain",
    [
        "The file is not a record.",
        "One with `holds` counts on.",
        "It is no longer read.",
        "That is known.",
    ],
)
def test_plain_sentences_pass(plain: str) -> None:
    assert not phrases(plain)


@pytest.mark.parametrize(
    "again",
    [
        "class Kept: ...",
        'Kept = Literal["a"]',
        "Kept = Annotated[int, Field(ge=0)]",
        "Kept = Callable[[int], None]",
        "Kept = int | None",
        "Kept: TypeAlias = dict[str, int]",
        'Kept = NewType("Kept", int)',
        "Kept = other.Kept",
    ],
)
def test_a_second_type_of_one_name_is_found(again: str) -> None:
    first = ("a.py", "class Kept: ...\nclass _Own: ...\nLIMIT = 3\nkept = dict[str, int]\nALL = Kept | _Own")
    assert defined_twice([first, ("b.py", again + "\nclass _Own: ...")]) == {"Kept": ["a.py", "b.py"]}


GOOD = "| word | meaning |\n|---|---|\n| block | one window |\n| Case | one model |\n"


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        (GOOD + "| batch | items |\n", "not in the order of the alphabet"),
        (GOOD + "| case | twice |\n| Case | twice |\n", "not in the order of the alphabet"),
        (GOOD + "| zebra | an animal |\n", "zebra: not used"),
        (GOOD + "| weight | |\n", "weight: no meaning of one line"),
        (GOOD + "".join(f"| weight {i:03} | one |\n" for i in range(39)), "41 entries"),
    ],
)
def test_a_glossary_that_strays_is_found(page: str, fault: str) -> None:
    texts = "Blocks of a case, and weight in batches of a Case."
    assert not faults(GOOD, texts)
    assert fault in faults(page, texts)
