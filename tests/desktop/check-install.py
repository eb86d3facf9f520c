#!/usr/bin/env python3
"""Installs into a folder of its own and tries what lies there. Prints TAP.

Usage: check-install.py SOURCE BUILD PREFIX
"""
import configparser
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE, BUILD = pathlib.Path(sys.argv[1]), sys.argv[2]
APP = "io.github.facet_desktop.Facet"


def languages():
    lines = (SOURCE / "po/LINGUAS").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def check_files(root, _):
    wanted = [
        "bin/facet", "bin/facet-cli", f"share/applications/{APP}.desktop", f"share/metainfo/{APP}.metainfo.xml",
        f"share/dbus-1/services/{APP}.service", f"share/glib-2.0/schemas/{APP}.gschema.xml",
        f"share/icons/hicolor/scalable/apps/{APP}.svg", f"share/icons/hicolor/symbolic/apps/{APP}-symbolic.svg",
        "share/man/man1/facet.1", "share/man/man1/facet-cli.1",
    ] + [f"share/locale/{language}/LC_MESSAGES/facet.mo" for language in languages()]
    here = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    for name in wanted:
        if name not in here:
            yield f"{name} is not installed"


def check_entry(root, _):
    entry = configparser.ConfigParser(interpolation=None, delimiters="=", comment_prefixes="#")
    entry.optionxform = str
    entry.read(root / f"share/applications/{APP}.desktop", encoding="utf-8")
    fields = entry["Desktop Entry"]
    if shutil.which(fields["Exec"].split()[0], path=str(root / "bin")) is None:
        yield f"Exec: {fields['Exec']} is no installed program"
    if fields["Icon"] != APP:
        yield f"Icon: {fields['Icon']} is no installed icon"
    for kind in ("image/png", "image/jpeg", "audio/x-wav", "audio/flac", "audio/mpeg"):
        if kind not in fields["MimeType"].split(";"):
            yield f"MimeType: {kind} is missing"
    service = (root / f"share/dbus-1/services/{APP}.service").read_text(encoding="utf-8")
    if f"Exec={sys.argv[3]}/bin/facet --gapplication-service" not in service:
        yield f"the D-Bus service starts something else: {service}"


def check_programs(root, environment):
    for program in ("facet", "facet-cli"):
        run = subprocess.run([root / "bin" / program, "--version"], capture_output=True, text=True, env=environment)
        if run.returncode or not run.stdout.startswith(f"{program} 0."):
            yield f"{program} --version: {run.returncode} {run.stdout}{run.stderr}"


def check_languages(root, environment):
    def help_text(language):
        return subprocess.run([root / "bin/facet-cli", "--help"], capture_output=True, text=True, check=True,
                              env={**environment, "LANGUAGE": language}).stdout

    english = help_text("en")
    for language in languages():
        text = help_text(language)
        if text == english or text.count("\n") != english.count("\n"):
            yield f"facet-cli does not speak {language}"


def main():
    with tempfile.TemporaryDirectory(prefix="facet-install-") as folder:
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet"], check=True,
                       env={**os.environ, "DESTDIR": folder}, stdout=subprocess.DEVNULL)
        root = pathlib.Path(folder + sys.argv[3])
        checks = {"files": check_files, "entry": check_entry, "programs": check_programs, "languages": check_languages}
        schemas = root / "share/glib-2.0/schemas"
        # A folder of its own: what is compiled here is not part of the installation.
        shutil.copytree(schemas, folder + "/schemas")
        subprocess.run(["glib-compile-schemas", "--strict", folder + "/schemas"], check=True)
        environment = {**os.environ, "GSETTINGS_SCHEMA_DIR": folder + "/schemas", "GSETTINGS_BACKEND": "memory",
                       "LC_ALL": "C.UTF-8", "LANGUAGE": ""}
        print(f"1..{len(checks)}")
        for number, (name, check) in enumerate(checks.items(), 1):
            complaints = list(check(root, environment))
            print(f"{'not ok' if complaints else 'ok'} {number} /install/{name}")
            for complaint in complaints:
                print(f"# {complaint}")


main()
