#!/usr/bin/env python3
"""Checks what every file of the tree should look like. Prints TAP.

Usage: style.py ROOT COMPILER [FLAG...]   (the flags a header of the engine or the program is compiled with)
"""
import os
import platform
import re
import subprocess
import sys
import tempfile

MAX_LINES = 700
MAX_SUBJECT = 72
BINARY = {".png", ".jpg", ".gguf", ".npz", ".npy", ".wav", ".model", ".spv", ".gif", ".bmp", ".tga", ".psd", ".webp",
          ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".caf", ".bin", ".ico", ".gz", ".db", ".xcf", ".raw"}
SOURCES = (".c", ".h", ".cc", ".comp", ".glsl", ".py")
# In the names of headers of another architecture's instructions.
FOREIGN = {"x86_64": re.compile("neon"), "aarch64": re.compile("avx|vnni")}
# Written apart so that this file does not hold what it forbids.
FORBIDDEN = re.compile("|".join([
    r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b",
    r"(?<![\w.}/])/wo" r"rk/",
    r"(?<![\w.}/])/ro" r"ot/",
    r"pypi\." r"org", r"python" r"hosted", r"deb\.debian\." r"org",
    r"not (yet )?implem" r"ented",
]))


def tracked(root):
    """The files git knows, or all of them where the tree is no checkout (a release archive)."""
    listing = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True)
    if listing.returncode == 0:
        names = [os.fsdecode(name) for name in listing.stdout.split(b"\0") if name]
    else:
        names = [os.path.relpath(os.path.join(folder, name), root)
                 for folder, _, files in os.walk(root) for name in files]
    return [name for name in names
            if os.path.isfile(os.path.join(root, name)) and not os.path.islink(os.path.join(root, name))]


def texts(root, names):
    for name in names:
        if os.path.splitext(name)[1].lower() in BINARY or name.startswith("tests/data/"):
            continue
        with open(os.path.join(root, name), "rb") as file:
            data = file.read()
        if b"\0" not in data:
            yield name, data.decode("utf-8", "replace")


def check_blanks(root, names):
    for name, text in texts(root, names):
        if text and not text.endswith("\n"):
            yield f"{name}: no newline at the end"
        if text.endswith("\n\n"):
            yield f"{name}: blank lines at the end"
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip() and not name.endswith(".md"):
                yield f"{name}:{number}: trailing blank"
            if "\t" in line and not name.endswith((".po", ".tsv")):
                yield f"{name}:{number}: tab"


def check_length(root, names):
    for name, text in texts(root, names):
        if name.endswith(SOURCES) and text.count("\n") > MAX_LINES:
            yield f"{name}: {text.count(chr(10))} lines, {MAX_LINES} at most: split it by concern"


def check_braces(root, names):
    """A brace of its own line opens a function, an initialiser or a bare block, never what a condition governs."""
    for name, text in texts(root, names):
        for found in re.finditer(r"^( +)(?:if|for|while|else|do|switch)\b[^\n]*\n(?:\1 {3,}[^\n]*\n){0,4}\1  \{$", text, re.M) if name.endswith((".c", ".h", ".inc")) else ():
            yield f"{name}:{text.count(chr(10), 0, found.end()) + 1}: the brace belongs to the end of the line before"


def check_words(root, names):
    for name, text in texts(root, names):
        for number, line in enumerate(text.split("\n"), 1):
            found = FORBIDDEN.search(line)
            if found:
                yield f"{name}:{number}: “{found.group()}”"


def check_names(root, names):
    for name in names:
        base = os.path.basename(name)
        if name.endswith((".c", ".h", ".cc", ".comp", ".glsl")) and not re.fullmatch(r"[a-z0-9.-]+", base):
            yield f"{name}: source names are lower case with dashes"


def check_potfiles(root, names):
    listing = os.path.join(root, "po/POTFILES.in")
    if not os.path.exists(listing):
        listing = os.path.join(root, "po/POTFILES")
    if not os.path.exists(listing):
        return
    with open(listing, encoding="utf-8") as file:
        listed = {line.strip() for line in file if line.strip() and not line.startswith("#")}
    for name in sorted(listed - set(names)):
        yield f"{os.path.basename(listing)}: {name} does not exist"
    translated = re.compile(r"\b(_|N_|C_|NC_|ngettext)\s*\(|translatable=\"yes\"|<(summary|description)>.*")
    for name, text in texts(root, names):
        speaks = name.endswith((".c", ".ui")) and name.startswith(("src/", "ui/"))
        if speaks and translated.search(text) and name not in listed:
            yield f"{os.path.basename(listing)}: {name} is missing"


def check_headers(root, names, compiler):
    """Each header compiles alone, so none depends on what its users include before it."""
    foreign = FOREIGN.get(platform.machine(), re.compile("neon|avx|vnni"))
    headers = [name for name in names if name.endswith(".h") and name.startswith(("engine/", "src/cli/"))
               and not foreign.search(os.path.basename(name))]
    with tempfile.TemporaryDirectory() as folder:
        for name in headers:
            source = os.path.join(folder, "alone.c")
            with open(source, "w", encoding="utf-8") as file:
                file.write(f'#include "{os.path.join(root, name)}"\n')
            run = subprocess.run([*compiler, "-fsyntax-only", "-Wno-unused-function",
                                  "-I", os.path.join(root, "engine"), "-I", os.path.join(root, "src"),
                                  "-I", os.path.join(root, os.path.dirname(name)), source],
                                 capture_output=True, text=True)
            if run.returncode != 0:
                yield f"{name} does not compile alone: {run.stderr.strip().splitlines()[0]}"


def check_subjects(root):
    log = subprocess.run(["git", "-C", root, "log", "-n", "200", "--no-merges", "--format=%h %s"], capture_output=True, text=True)
    for line in log.stdout.splitlines():
        commit, _, subject = line.partition(" ")
        if len(subject) > MAX_SUBJECT:
            yield f"{commit}: subject of {len(subject)} columns: {subject}"
        if subject.endswith("."):
            yield f"{commit}: subject ends in a full stop: {subject}"


def main(root, *compiler):
    names = tracked(root)
    checks = [
        ("blanks", check_blanks(root, names)),
        ("length", check_length(root, names)),
        ("braces", check_braces(root, names)),
        ("words", check_words(root, names)),
        ("names", check_names(root, names)),
        ("potfiles", check_potfiles(root, names)),
        ("headers", check_headers(root, names, compiler)),
        ("commit-subjects", check_subjects(root)),
    ]
    print(f"1..{len(checks)}")
    for number, (name, complaints) in enumerate(checks, 1):
        complaints = list(complaints)
        print(f"{'not ok' if complaints else 'ok'} {number} /style/{name}")
        for complaint in complaints:
            print(f"# {complaint}")
    return 0


sys.exit(main(*sys.argv[1:]))
