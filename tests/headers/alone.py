"""alone.py c|c++: each public header compiles by itself, without a warning, as C11 or as C++17.

A header that leans on what was included before it breaks somebody's program on the day they sort their includes.
"""
import os
import pathlib
import shutil
import subprocess
import sys

FLAGS = "-Werror -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wundef -fsyntax-only".split()
LANGUAGES = {
    "c": ([os.environ.get("CC", "cc")], ["-x", "c", "-std=c11", "-Wshadow"]),
    "c++": (["c++", "g++", "clang++"], ["-x", "c++", "-std=c++17", "-Wold-style-cast"]),
}


def complaint(compiler, flags, include, name):
    """What the compiler says of a file that holds nothing but this header, twice; None if nothing."""
    text = f"#include <{name}>\n#include <{name}>\nint main(void) {{ return 0; }}\n"
    run = subprocess.run([compiler, *flags, *FLAGS, "-I", include, "-"], input=text, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return f"{name}:\n{run.stdout}" if run.returncode or run.stdout else None


def main(language):
    compilers, flags = LANGUAGES[language]
    compiler = next((name for name in compilers if shutil.which(name)), None)
    if not compiler:
        print("skipped: no C++ compiler here")
        return 77
    include = pathlib.Path(os.environ["DGRAM_SOURCE"], "lib/include")
    names = sorted(str(path.relative_to(include)) for path in include.glob("dgram/*.h"))
    bad = [text for text in (complaint(compiler, flags, include, name) for name in names) if text]
    print(*bad, f"{len(names)} headers, {len(bad)} bad ({compiler})", sep="\n")
    return 1 if bad or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
