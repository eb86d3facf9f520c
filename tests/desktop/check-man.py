#!/usr/bin/env python3
"""Checks that the man pages say what the programs' own help says, and that they format without a warning. Prints TAP.

Usage: check-man.py DATA FACET-CLI [FACET]
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

DATA = pathlib.Path(sys.argv[1])
CLI = sys.argv[2]
WINDOW = sys.argv[3] if len(sys.argv) > 3 else None
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
SHARED = ("MODEL OPTIONS", "SAMPLING OPTIONS", "COMMON OPTIONS")
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "", "MANWIDTH": "100"}


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=True).stdout


def declared(text):
    """The options that a help text declares, not those that it mentions."""
    return {name for line in text.splitlines() if re.match(r"  +-", line) for name in OPTION.findall(line.split("  ", 2)[1])}


def sections(page):
    """{heading: options}; both .SH and .SS open a section."""
    found, heading = {}, ""
    tag = False
    for line in page.read_text(encoding="utf-8").splitlines():
        plain = re.sub(r"\\f.", "", line.replace(r"\-", "-")).replace('"', "")
        if line.startswith((".SH", ".SS")):
            heading = plain[4:]
            found[heading] = set()
        elif tag:
            found[heading] |= set(OPTION.findall(plain))
        tag = line.startswith(".TP")
    return found


def check_format():
    man = shutil.which("man")
    if man is None:
        yield "# skip man is not installed"
        return
    for page in sorted(DATA.glob("*.1")):
        run = subprocess.run([man, "--warnings", "-E", "UTF-8", "-Tutf8", "-Z", "-l", page], capture_output=True, text=True,
                             env=ENVIRONMENT)
        if run.returncode or run.stderr.strip():
            yield f"{page.name}: {run.stderr.strip() or run.returncode}"


def check_commands():
    found = sections(DATA / "facet-cli.1")
    shared = set().union(*(found[name] for name in SHARED))
    commands = re.findall(r"^  ([a-z-]+) ", output(CLI, "--help"), re.MULTILINE)
    assert len(commands) >= 10, commands
    for command in commands:
        help_text = declared(output(CLI, command, "--help"))
        assert "--help" in help_text, command
        if command not in found:
            yield f"facet-cli.1: there is no section on “{command}”"
            continue
        for name in sorted(help_text - found[command] - shared):
            yield f"facet-cli.1: {command}: {name} is missing"
        for name in sorted(found[command] - help_text):
            yield f"facet-cli.1: {command}: there is no option {name}"


def check_window():
    if WINDOW is None:
        yield "# skip there is no window in this build"
        return
    options = declared(output(WINDOW, "--help")) | declared(output(WINDOW, "--help-gapplication"))
    documented = set().union(*sections(DATA / "facet.1").values())
    assert "--version" in options, options
    for name in sorted(options - documented - {"--help-gtk"}):
        yield f"facet.1: {name} is missing"
    for name in sorted(documented - options):
        yield f"facet.1: there is no option {name}"


def main():
    checks = {"format": check_format(), "commands": check_commands(), "window": check_window()}
    print(f"1..{len(checks)}")
    for number, (name, complaints) in enumerate(checks.items(), 1):
        complaints = list(complaints)
        skip = complaints[0] if complaints and complaints[0].startswith("# skip") else ""
        print(f"{'not ok' if complaints and not skip else 'ok'} {number} /man/{name} {skip}".rstrip())
        for complaint in complaints:
            if not skip:
                print(f"# {complaint}")


main()
