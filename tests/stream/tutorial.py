"""docs/tutorial.md: its programs are those of docs/examples, which the tests build and run, and it leaves nothing out."""

import os
import pathlib
import re
import sys

SOURCE = pathlib.Path(os.environ["DGRAM_SOURCE"])
TEXT = (SOURCE / "docs/tutorial.md").read_text(encoding="utf-8")
FUNCTIONS = """socket bind listen accept connect connect_ex send sendall recv sendto recvfrom settimeout getpeername
               getsockname close""".split()
FAMILIES = ["AF_INET", "AF_INET6", "AF_UNIX"]
NO_PART_OF_IT = {"ask.c", "respond.c", "call.c", "loop_poll.c", "loop_libuv.c", "loop_threads.c"}  # of other pages


def blocks(language):
    return re.findall(r"^```%s\n(.*?)^```$" % language, TEXT, re.MULTILINE | re.DOTALL)


def check_quotations():
    quoted = set(blocks("c") + blocks("python"))
    files = {p.name: p.read_text(encoding="utf-8") for p in (SOURCE / "docs/examples").glob("*.*")
             if p.suffix in (".c", ".py") and p.name not in NO_PART_OF_IT}
    for name, text in files.items():
        if text not in quoted:
            yield "docs/examples/%s is not quoted as it is" % name
    for block in quoted - set(files.values()):
        yield "no file in docs/examples has this: %s..." % block[:60]


def check_twins():
    table = [line for line in TEXT.splitlines() if line.startswith("|")]
    for name in FUNCTIONS:
        rows = [r for r in table if re.search(r"`(s|socket)\.%s\(" % name, r.split("|")[1])]
        if not rows or "`dgram_" not in rows[0].split("|")[2]:
            yield "%s has no row with its twin" % name
    for family in FAMILIES:
        if not any("`%s`" % family in r for r in table):
            yield "%s has no row" % family


def check_names():
    headers = "".join(p.read_text() for p in (SOURCE / "lib/include/dgram").glob("*.h"))
    for name in sorted(set(re.findall(r"\b(?:dgram_\w+|DGRAM_\w+)", TEXT))):
        if not re.search(r"\b%s\b" % name, headers) and not re.search(r"\bDGRAM_ERR_%s\b" % name, headers):
            if not (name.startswith("DGRAM_ERR_") and "ROW(%s," % name[10:] in headers):
                yield "%s is in no public header" % name


if __name__ == "__main__":
    complaints = [*check_quotations(), *check_twins(), *check_names()]
    print("\n".join(complaints) or "%d programs, %d functions" % (len(blocks("c") + blocks("python")), len(FUNCTIONS)))
    sys.exit(bool(complaints))
