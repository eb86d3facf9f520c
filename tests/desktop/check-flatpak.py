#!/usr/bin/env python3
"""Checks the Flatpak manifest against the build: what it must bring along, and what it may do. Prints TAP.

Usage: check-flatpak.py SOURCE
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(sys.argv[1])
APP = "io.github.facet_desktop.Facet"
# What org.gnome.Platform and its SDK have.
RUNTIME = {"gio-2.0", "gio-unix-2.0", "glib-2.0", "gtk4", "json-glib-1.0", "libadwaita-1", "libsoup-3.0", "m", "sndfile", "sqlite3",
           "dl", "threads", "vulkan", "gdk-pixbuf-2.0"}
# The module that brings a dependency.
MODULES = {"cmark-gfm-extensions": "cmark-gfm", "kissfft-float": "kissfft", "libcmark-gfm": "cmark-gfm", "libedit": "libedit",
           "libportal-gtk4": "libportal",
           "portaudio-2.0": "portaudio", "sentencepiece": "sentencepiece", "soxr": "soxr"}


def check_modules(manifest):
    names = [module["name"] for module in manifest["modules"]]
    wanted = set()
    for path in [SOURCE / "meson.build", *SOURCE.glob("engine/**/meson.build"), *SOURCE.glob("src/**/meson.build")]:
        wanted |= set(re.findall(r"(?:dependency|find_library)\('([^']+)'", path.read_text(encoding="utf-8")))
    for name in sorted(wanted - RUNTIME):
        if MODULES.get(name) not in names:
            yield f"no module brings {name}"
    if names[-1] != "facet":
        yield "Facet itself is not the last module"


def check_sources(manifest):
    for module in manifest["modules"][:-1]:
        for source in module["sources"]:
            if not source["url"].startswith("https://"):
                yield f"{module['name']}: {source['url']} is not secure"
            name, length = ("commit", 40) if source["type"] == "git" else ("sha256", 64)
            if not re.fullmatch(f"[0-9a-f]{{{length}}}", source.get(name, "")):
                yield f"{module['name']}: no {name}, without which what is fetched may change"


def check_sandbox(manifest):
    """Files come through portals; nothing else of the person's is open to the program."""
    if manifest["id"] != APP or manifest["command"] != "facet":
        yield f"{manifest['id']} runs {manifest['command']}"
    allowed = {"--share=ipc", "--share=network", "--socket=wayland", "--socket=fallback-x11", "--socket=pulseaudio", "--device=dri"}
    for permission in manifest["finish-args"]:
        if permission not in allowed:
            yield f"{permission} is more than Facet needs"


def check_builder(manifest):
    """Flatpak's own reading of it, where that is installed, finds every module."""
    builder = shutil.which("flatpak-builder")
    if builder is None:
        return
    run = subprocess.run([builder, "--show-manifest", SOURCE / f"data/{APP}.json"], capture_output=True, text=True)
    if run.returncode:
        yield f"flatpak-builder: {run.stderr.strip()}"
    elif [module["name"] for module in json.loads(run.stdout)["modules"]] != [module["name"] for module in manifest["modules"]]:
        yield "flatpak-builder reads other modules"


def main():
    manifest = json.loads((SOURCE / f"data/{APP}.json").read_text(encoding="utf-8"))
    checks = {"modules": check_modules, "sources": check_sources, "sandbox": check_sandbox, "builder": check_builder}
    print(f"1..{len(checks)}")
    for number, (name, check) in enumerate(checks.items(), 1):
        complaints = list(check(manifest))
        print(f"{'not ok' if complaints else 'ok'} {number} /flatpak/{name}")
        for complaint in complaints:
            print(f"# {complaint}")


main()
