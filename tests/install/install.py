"""Installs the build to a prefix, moves that elsewhere, and builds and runs a program against it in each way there is:
find_package and pkg-config, shared and static, and with dgram's source inside the program's own.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ["DGRAM_SOURCE"]
BUILD = os.environ["DGRAM_BUILD"]
CC = os.environ["CC"]
CONSUMER = pathlib.Path(SOURCE, "tests/install/consumer")


def run(*command, env=None, fails=False):
    """The output of a command that must end well (or must not)."""
    done = subprocess.run(list(map(str, command)), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "DESTDIR": "", **(env or {})}, check=False)
    if (done.returncode != 0) != fails:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}\nexit {done.returncode}")
    return done.stdout


def check_program(program, shared, library_path=""):
    said = run(program, env={"LD_LIBRARY_PATH": library_path})
    if "refused" not in said:
        sys.exit(f"{program} said: {said}")
    if shutil.which("readelf") and ("libdgram.so" in run("readelf", "-d", program)) != shared:
        sys.exit(f"{program} is linked to the other kind of library")


def with_cmake(where, kind, *options):
    run("cmake", "-S", CONSUMER, "-B", where, f"-DCMAKE_C_COMPILER={CC}", f"-DKIND={kind}", *options)
    run("cmake", "--build", where)
    return where / "consumer"


def with_pkg_config(where, library, *options):
    env = {"PKG_CONFIG_PATH": str(library / "pkgconfig")}
    flags = run("pkg-config", *options, "--cflags", "--libs", "dgram", env=env).split()
    run(CC, *(["-static"] if "--static" in options else []), CONSUMER / "main.c", "-o", where, *flags)
    return where


def check_files(prefix):
    """Every public header, and beside the libraries whatever the command brings when it is built."""
    expected = [f"include/dgram/{header.name}" for header in pathlib.Path(SOURCE, "lib/include/dgram").iterdir()]
    if os.environ.get("DGRAM"):
        expected += ["bin/dgram", "share/man/man1/dgram.1", "share/bash-completion/completions/dgram",
                     "share/zsh/site-functions/_dgram", "share/fish/vendor_completions.d/dgram.fish"]
    missing = [name for name in expected if not (prefix / name).is_file()]
    if missing:
        sys.exit(f"not installed: {', '.join(missing)}")


def main():
    with tempfile.TemporaryDirectory() as top:
        top = pathlib.Path(top)
        run("cmake", "--install", BUILD, "--prefix", top / "first")
        prefix = (top / "first").rename(top / "moved")
        check_files(prefix)
        library = next(prefix.glob("**/libdgram.a")).parent

        for kind in ("static", "shared", "dgram"):
            program = with_cmake(top / kind, kind, f"-Ddgram_ROOT={prefix}", "-DVERSION=0.1")
            check_program(program, shared=kind == "shared")
        run("cmake", "-S", CONSUMER, "-B", top / "newer", f"-Ddgram_ROOT={prefix}", "-DVERSION=0.2", fails=True)

        program = with_cmake(top / "inside", "dgram", f"-DDGRAM_SOURCE={SOURCE}")
        check_program(program, shared=False)
        if (top / "inside/dgram/tests").exists() or (top / "inside/dgram/apps").exists():
            sys.exit("a project that embeds the library gets its tests or its command too")

        if not shutil.which("pkg-config"):
            print("skipped in part: no pkg-config here (find_package and add_subdirectory work)")
            return
        check_program(with_pkg_config(top / "pc", library), shared=True, library_path=str(library))
        check_program(with_pkg_config(top / "pc-static", library, "--static"), shared=False)


if __name__ == "__main__":
    main()
