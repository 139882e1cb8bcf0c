"""tidy.py: what the house wants for ever, as rules that a machine can check.

Reads the sources and, where DGRAM_BUILD names a build, the symbols of what was compiled. Each rule is a function from a
house to its complaints; tidy_test.py shows each of them a broken house.
"""
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys

TOP = {"CMakeLists.txt", "README.md", "LICENSE", "lib", "apps", "tests", "docs"}

# Who may include whose headers. An arrow that is not here points up or sideways.
MAY_INCLUDE = {
    "base": {"base"},
    "wire": {"base", "wire"},
    "core": {"base", "wire", "core"},
    "endpoint": {"base", "wire", "core", "endpoint"},
    "net": {"base", "net"},
    "stream": {"base", "net", "stream"},
    "ask": {"base", "net", "ask"},
    "relay": {"base", "relay"},
    "loop": {"base", "net", "wire", "stream", "core", "endpoint", "loop"},
}

# The floor of each public header. (Everybody uses the words of time.h; who calls its functions is seen by `pure`.)
PUBLIC = {
    "export": "base", "error": "base", "addr": "base", "uri": "base", "time": "base", "profile": "base",
    "datagram": "base", "look": "wire", "endpoint": "endpoint", "loop": "loop", "call": "loop",
    "socket": "net", "resolve": "net", "stream": "stream", "frame": "stream", "ask": "ask", "relay": "relay",
}

# Objects that know no system, no clock and no chance; and what they may use that is not their own.
PURE = re.compile(r"^(base/|wire/|core/|endpoint/|relay/|stream/frame|ask/(?!ask\.c))")
FREESTANDING = re.compile(
    r"^(mem(cpy|move|set|cmp|chr)|str(n?len|n?cmp|r?chr|spn|cspn|pbrk|str)"  # bytes
    r"|__stack_chk_fail|__assert_fail|_GLOBAL_OFFSET_TABLE_|__cpu_model|__(asan|ubsan|gcov|sanitizer)_\w+)$")
ALLOCATION = re.compile(r"^(malloc|calloc|free)$")  # in a file that has a _new

FUNCTION_LINES = 70
LONG = re.compile(r"\.md$")  # lines that may be long: paragraphs
COLUMNS = 144  # of an aligned table; what clang-format lays out has 100
BANNED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")
OUTSIDE = re.compile("|".join(f"/{top}/" for top in ("work", "farm", "ro" + "ot")) + r"|/home/\w+/|/Users/\w+/")


@dataclasses.dataclass
class House:
    files: dict  # path: text
    objects: dict = dataclasses.field(default_factory=dict)  # "base/addr.c": (set of defined, set of undefined)
    exported: set = dataclasses.field(default_factory=set)  # by the shared library
    visible: set = dataclasses.field(default_factory=set)  # in the archive

    def sources(self, *suffixes, under=""):
        return [(path, text) for path, text in self.files.items()
                if path.endswith(suffixes) and path.startswith(under)]


def includes(text):
    """Yields (line number, "<" or quote, name)."""
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
        if found:
            yield number, found[1], found[2]


def top_level(house):
    """The top of the repository stays small."""
    for name in sorted({path.split("/")[0] for path in house.files}):
        if name not in TOP and not name.startswith("."):
            yield f"{name}: does not belong at the top level"


def arrows(house):
    """Inside the library, includes point down only."""
    for path, text in house.sources(".c", ".h", under="lib/"):
        public = re.match(r"lib/include/dgram/(\w+)\.h$", path)
        floor = PUBLIC.get(public[1], "umbrella") if public else path.split("/")[1]
        if floor == "umbrella" and public[1] == "dgram":
            continue
        if floor not in MAY_INCLUDE:
            yield f"{path}: is on no floor that tidy.py knows"
            continue
        for line, kind, name in includes(text):
            head, _, tail = name.partition("/")
            if kind == "<" and head == "dgram":
                target = PUBLIC.get(tail.removesuffix(".h"), "umbrella")
            elif kind == '"':
                target = head if tail else floor
            else:
                continue
            if public and kind == '"':
                yield f"{path}:{line}: a public header includes only <...>"
            elif target not in MAY_INCLUDE[floor]:
                yield f"{path}:{line}: {floor} may not include {name}"


def apps_from_outside(house):
    """The command uses the library as anybody else would: by its public headers. Its verbs do not know each other."""
    for path, text in house.sources(".c", ".h", under="apps/"):
        for line, kind, name in includes(text):
            if kind == '"' and not name.startswith("common/") and f"apps/common/{name}" not in house.files:
                yield f"{path}:{line}: apps include <dgram/...> and common/, not {name}"


def public_headers(house):
    """dgram.h includes every public header, and each has a floor."""
    umbrella = {name for _, _, name in includes(house.files.get("lib/include/dgram/dgram.h", ""))}
    for path, _ in house.sources(".h", under="lib/include/"):
        name = path.removeprefix("lib/include/")
        stem = pathlib.PurePath(path).stem
        if name in ("dgram/dgram.h", "dgram/export.h"):
            continue
        if name not in umbrella:
            yield f"{path}: dgram.h does not include it"
        if stem not in PUBLIC:
            yield f"{path}: tidy.py knows no floor for it"


def pure(house):
    """The floors without a system call are closed: they use each other and a handful of functions on bytes."""
    own = {symbol for path, (defined, _) in house.objects.items() if PURE.match(path) for symbol in defined}
    for path, (defined, undefined) in sorted(house.objects.items()):
        if not PURE.match(path):
            continue
        makes = any(re.search(r"_new$", symbol) for symbol in defined)
        for symbol in sorted(undefined - own):
            if not FREESTANDING.match(symbol) and not (makes and ALLOCATION.match(symbol)):
                yield f"{path}: uses {symbol}: no system call, clock, chance, printing or memory here"


def prefixes(house):
    """Nothing of ours can meet a name of somebody else's."""
    for symbol in sorted(house.exported):
        if not symbol.startswith("dgram_"):
            yield f"libdgram.so exports {symbol}"
    for symbol in sorted(house.visible):
        if not symbol.startswith(("dgram_", "dg_")):
            yield f"libdgram.a has a global {symbol}"


def allocation(house):
    """In the library memory is taken in _new (and, by the floors with system calls, nowhere either)."""
    for path, text in house.sources(".c", under="lib/"):
        for name, first, lines in functions(text):
            if re.search(r"_(new|free)$", name) or not PURE.match(path.removeprefix("lib/")):
                continue
            for offset, line in enumerate(lines):
                if re.search(r"\b(malloc|calloc|realloc|strdup)\s*\(", line):
                    yield f"{path}:{first + offset}: {name} takes memory: only a _new may"


def functions(text):
    """Yields (name, first line number, lines) of each function of a file in our style."""
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if line != "{":
            continue
        first = index - 1
        while first > 0 and re.match(r"[\s]", lines[first]):
            first -= 1
        name = re.search(r"(\w+)\s*\(", " ".join(lines[first:index]))
        end = next((i for i in range(index, len(lines)) if lines[i] == "}"), len(lines) - 1)
        if name:
            yield name[1], first + 1, lines[first:end + 1]


def short_functions(house):
    """A function fits a screen; rows of tables do not count."""
    row = re.compile(r"^\s*(\{.*\},?|cmocka_unit_test.*|case .*:|break;|/\*.*\*/|)$")
    for path, text in house.sources(".c", ".h"):
        for name, first, lines in functions(text):
            length = sum(not row.match(line) for line in lines)
            if length > FUNCTION_LINES:
                yield f"{path}:{first}: {name} has {length} lines (at most {FUNCTION_LINES})"


def layout(house):
    """Lines end with a newline alone, are not too long, and C is indented by tabs, the rest by spaces."""
    for path, text in house.files.items():
        if not path.endswith((".c", ".h", ".py", ".txt", ".sh", ".in", ".md")) and not text.startswith("#!"):
            continue
        suffix = pathlib.PurePath(path).suffix
        if text and not text.endswith("\n") or text.endswith("\n\n"):
            yield f"{path}: ends without a newline, or with several"
        before = ""
        for number, line in enumerate(text.split("\n"), 1):
            where = f"{path}:{number}:"
            goes_on = before != "{" and not before.endswith((";", "}", ") {", "else {", ":"))
            before = line
            if line != line.rstrip():
                yield f"{where} blanks at the end"
            if not LONG.search(path) and line.count("|") < 4 and len(line.expandtabs(8)) > COLUMNS:
                yield f"{where} {len(line.expandtabs(8))} columns (at most {COLUMNS})"
            if suffix in (".c", ".h") and re.match(r"\t* +\t" if goes_on else r" {2,}\S|\t* +\t", line):
                yield f"{where} indented by spaces"
            if suffix in (".py", ".sh", ".in") and "\t" in line:
                yield f"{where} has a tab"


def words(house):
    """Nothing is left for later in the code, and nothing speaks of the machine it was made on."""
    for path, text in house.files.items():
        for number, line in enumerate(text.splitlines(), 1):
            if BANNED.search(line):
                yield f"{path}:{number}: {BANNED.search(line)[0]}: do it, or write an issue"
            if OUTSIDE.search(line):
                yield f"{path}:{number}: names {OUTSIDE.search(line)[0]}, a place on somebody's machine"


def builds(text, stem):
    """Does this CMakeLists.txt name stem.c, be it as stem alone or with a variable in it, as in batch_${system}.c?"""
    for word in re.findall(r"[\w/.${}-]+", text):
        pattern = re.sub(r"\\\$\\{\w+\\}", r"\\w+", re.escape(word.removesuffix(".c").split("/")[-1]))
        if re.fullmatch(pattern, stem) and pattern != r"\w+":
            return True
    return False


def no_orphans(house):
    """Every file is built, run, read or linked to from another one."""
    named_by_place = re.compile(r"(^|/)(CMakeLists\.txt|README\.md|LICENSE)$|(^|/)\.|/corpus/|^docs/decisions/")
    for path in house.files:
        if named_by_place.search(path):
            continue
        pure_path = pathlib.PurePath(path)
        if path.endswith(".c"):  # dgram_test(error) is error.c
            builders = [f"{parent}/CMakeLists.txt" for parent in map(str, pure_path.parents)]
            if path.startswith("docs/"):  # some examples are built by the tests beside them
                builders += [name for name in house.files if re.match(r"tests/.*CMakeLists", name)]
            used = any(builds(house.files.get(name.removeprefix("./"), ""), pure_path.stem) for name in builders)
        else:
            name = re.escape(pure_path.stem if path.endswith((".py", ".in")) else pure_path.name)
            pattern = re.compile(rf'#\s*include\s*[<"]([\w./]*/)?{name}[>"]' if path.endswith(".h") else
                                 rf"(?<![\w.]){name}\b")
            used = any(pattern.search(text) for other, text in house.files.items() if other != path)
        if not used:
            yield f"{path}: nothing builds, runs, includes or links to it"


RULES = (top_level, arrows, apps_from_outside, public_headers, pure, prefixes, allocation, short_functions, layout,
         words, no_orphans)


def read_files(top):
    """Every text file of the tree, as git sees it where there is a git."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=top, text=True,
                            capture_output=True, check=False) if shutil.which("git") else None
    if listed and listed.returncode == 0 and listed.stdout:
        names = listed.stdout.split("\n")
    else:
        skip = re.compile(r"^(build|build-[^/]*|\.git)/|__pycache__")
        names = [str(path.relative_to(top)) for path in top.rglob("*")]
        names = [name for name in names if not skip.search(name)]
    files = {}
    for name in sorted(filter(None, names)):
        try:
            files[name] = (top / name).read_bytes().decode()
        except (UnicodeDecodeError, IsADirectoryError, FileNotFoundError):
            continue  # a picture, a corpus file, or one just removed
    return files


def symbols(path, *options):
    """(defined, undefined) global symbols of an object or library."""
    lines = subprocess.run(["nm", "-g", *options, path], text=True, capture_output=True, check=True).stdout.splitlines()
    found = [line.split() for line in lines]
    defined = {row[2] for row in found if len(row) == 3}
    undefined = {row[1] for row in found if len(row) == 2 and row[0] in "Uw"}
    return defined, undefined


def read_house(top, build):
    house = House(read_files(top))
    if build:
        objects = build / "lib/CMakeFiles/dgram_objects.dir"
        for path in objects.rglob("*.o"):
            house.objects[str(path.relative_to(objects)).removesuffix(".o")] = symbols(path)
        house.visible = symbols(build / "lib/libdgram.a")[0]
        house.exported = symbols(build / "lib/libdgram.so", "-D")[0]
    return house


def main():
    top = pathlib.Path(os.environ.get("DGRAM_SOURCE", pathlib.Path(__file__).parents[2]))
    build = os.environ.get("DGRAM_BUILD")
    house = read_house(top, pathlib.Path(build) if build else None)
    complaints = [f"{rule.__name__}: {complaint}" for rule in RULES for complaint in rule(house)]
    print(*complaints, sep="\n" if complaints else "")
    print(f"{len(house.files)} files and {len(house.objects)} objects, {len(complaints)} complaints")
    if build and not house.objects:
        print("no objects were found in the build")
        return 1
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
