"""report.py NAME=JUNIT-FILE ...: what several runs of ctest came to.

Lists what failed and what was skipped and why, and ends with "N passed, N failed, N skipped" alone on a line. A run
that left no file (it did not build) counts as one failure. Exit 1 if anything failed.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree


def reason(output):
    """A skipped test says why on its output: the line that speaks of it, else its last one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    spoken = [line for line in lines if re.search(r"skip", line, re.IGNORECASE)]
    return (spoken or lines or ["(it does not say why)"])[-1]


def cases(name, path):
    """Yields (test, "passed" | "failed" | "skipped", output)."""
    try:
        suite = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        yield f"{name}: does not build or run", "failed", ""
        return
    for case in suite.iter("testcase"):
        output = case.findtext("system-out") or ""
        if case.find("skipped") is not None:
            result = "skipped"
        else:
            result = "passed" if case.get("status") == "run" else "failed"
        yield f"{name}: {case.get('name')}", result, output


def main(arguments):
    count = {"passed": 0, "failed": 0, "skipped": 0}
    failed, skipped = [], []
    for argument in arguments:
        name, _, path = argument.partition("=")
        for test, result, output in cases(name, path):
            count[result] += 1
            if result == "failed":
                failed.append(test)
            if result == "skipped":
                skipped.append(f"{test}: {reason(output)}")
            # A program goes on when one part of it has to be left out.
            for part in re.findall(r"^(?:\[  SKIPPED \] (?!\d+ test)|skipped in part: )(.*)", output, re.MULTILINE):
                skipped.append(f"{test}: in part: {part}")
    for title, rows in (("Skipped:", skipped), ("Failed:", failed)):
        if rows:
            print(title, *dict.fromkeys(rows), sep="\n    ")
    print(", ".join(f"{number} {result}" for result, number in count.items()))
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
