#!/usr/bin/env python3
"""The program as a part of the desktop: started by it, keeping it awake. Prints TAP.

Usage: test-e2e-desktop.py FACET [TEST…]      (FACET_TEST_DATA, FACET_TEST_MODEL: as for test-e2e.py; FACET_TEST_BUILD: the build folder;
FACET_TEST_PREFIX: where it is meant to be installed; FACET_TEST_SHARE: an empty folder, which the session bus and the tests have
among XDG_DATA_DIRS)
"""
import os
import pathlib
import shutil
import subprocess
import time

from gi.repository import Gio, GLib

from e2e_suite import DATA, FACET, NUMBERS, REAL, Atspi, Program, put_model, run, start
from facet_driver import Foreign, environment_of

APP = "io.github.facet_desktop.Facet"
SHARE = pathlib.Path(os.environ["FACET_TEST_SHARE"])
SUSPEND = 4  # GTK_APPLICATION_INHIBIT_SUSPEND, which is the session manager's number, too


def ask_bus(bus, method, argument):
    return bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method, argument, None, 0, -1, None).unpack()


# ---- started by the desktop ----

def install(home):
    """Installs below @home; what the desktop looks at goes to SHARE, pointing there. Returns the installed program."""
    prefix = os.environ["FACET_TEST_PREFIX"]
    subprocess.run(["meson", "install", "-C", os.environ["FACET_TEST_BUILD"], "--no-rebuild", "--quiet"], check=True,
                   env={**os.environ, "DESTDIR": str(home / "root")}, stdout=subprocess.DEVNULL)
    installed = home / "root" / prefix.lstrip("/")
    for folder in ("applications", "dbus-1/services", "glib-2.0/schemas"):
        shutil.copytree(installed / "share" / folder, SHARE / folder, dirs_exist_ok=True)
    service = SHARE / f"dbus-1/services/{APP}.service"
    text = service.read_text(encoding="utf-8")
    assert f"Exec={prefix}/bin/facet " in text, text
    service.write_text(text.replace(prefix, str(installed)), encoding="utf-8")
    subprocess.run(["glib-compile-schemas", SHARE / "glib-2.0/schemas"], check=True)
    subprocess.run(["update-desktop-database", SHARE / "applications"], check=True)
    return installed / "bin/facet"


def gio(home, binary, *arguments):
    """An entry counts only if its program is found."""
    environment = {**os.environ, **environment_of(home), "PATH": f"{binary.parent}:{os.environ['PATH']}"}
    return subprocess.run(["gio", *map(str, arguments)], env=environment, check=True, timeout=30, stdout=subprocess.PIPE, text=True).stdout


def test_activation(home):
    """A picture, then a sound file, opened as a file manager does: by its kind, the desktop entry and the bus, which starts the program."""
    put_model(home, REAL)
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    binary = install(home)
    environment = {**environment_of(home), "XDG_DATA_DIRS": os.environ["XDG_DATA_DIRS"], "DISPLAY": os.environ["DISPLAY"]}
    assert Atspi.get_desktop(0) is not None  # that bus is started now, not with the program's environment
    ask_bus(bus, "UpdateActivationEnvironment", GLib.Variant("(a{ss})", (environment,)))
    assert not ask_bus(bus, "NameHasOwner", GLib.Variant("(s)", (APP,)))[0]
    for kind in ("image/png", "audio/x-vorbis+ogg"):
        listed = gio(home, binary, "mime", kind, f"{APP}.desktop")
        assert APP in listed, listed
    gio(home, binary, "open", DATA / "images/rgb-8.png")
    end = time.monotonic() + 30
    while not ask_bus(bus, "NameHasOwner", GLib.Variant("(s)", (APP,)))[0]:
        assert time.monotonic() < end, "the bus did not start the program"
        time.sleep(0.05)
    process = Foreign(ask_bus(bus, "GetConnectionUnixProcessID", GLib.Variant("(s)", (APP,)))[0])
    assert pathlib.Path(f"/proc/{process.pid}/exe").resolve() == binary.resolve()
    program = Program(binary, home, process=process)
    program.find("push button", "Remove “rgb-8.png”")
    gio(home, binary, "open", DATA.parent.parent / "data/samples/sample-voice-note.ogg")
    program.find("push button", "Remove “sample-voice-note.ogg”")
    assert len(program.windows()) == 1, "the second file opened another window"
    program.end()


# ---- the session ----

class SessionManager:
    """Stands for the desktop's; remembers what keeps the machine awake."""

    XML = """<node><interface name='org.gnome.SessionManager'>
      <method name='RegisterClient'><arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='o' direction='out'/></method>
      <method name='Inhibit'><arg type='s' direction='in'/><arg type='u' direction='in'/><arg type='s' direction='in'/>
        <arg type='u' direction='in'/><arg type='u' direction='out'/></method>
      <method name='Uninhibit'><arg type='u' direction='in'/></method>
      <property name='SessionIsActive' type='b' access='read'/></interface></node>"""

    def __init__(self, bus):
        self.held, self.count = {}, 0
        self._bus = bus
        interface = Gio.DBusNodeInfo.new_for_xml(self.XML).interfaces[0]
        self._object = bus.register_object("/org/gnome/SessionManager", interface, self._call, lambda *_: GLib.Variant("b", True), None)
        ask_bus(bus, "RequestName", GLib.Variant("(su)", ("org.gnome.SessionManager", 4)))

    def _call(self, _bus, _sender, _path, _interface, method, parameters, invocation):
        values = parameters.unpack()
        if method == "RegisterClient":
            invocation.return_value(GLib.Variant("(o)", ("/org/gnome/SessionManager/Client1",)))
        elif method == "Inhibit":
            self.count += 1
            self.held[self.count] = values
            invocation.return_value(GLib.Variant("(u)", (self.count,)))
        else:
            self.held.pop(*values)
            invocation.return_value(None)

    def end(self):
        ask_bus(self._bus, "ReleaseName", GLib.Variant("(s)", ("org.gnome.SessionManager",)))
        self._bus.unregister_object(self._object)


def test_inhibit(home):
    """The machine stays awake while an answer is written, and no longer."""
    put_model(home, REAL)
    manager = SessionManager(Gio.bus_get_sync(Gio.BusType.SESSION))
    try:
        program = start(home)
        assert not manager.held, manager.held
        program.ask(NUMBERS)
        program.wait(lambda: manager.held, "the machine to be kept awake")
        (_, _, reason, flags), = manager.held.values()
        assert flags == SUSPEND and reason == "An answer is being written", (flags, reason)
        program.wait(lambda: len("".join(program.messages("Answer"))) > 20, "the first words", 60)
        program.keys("Escape")
        program.wait(lambda: not manager.held, "the machine to be let sleep", 20)
        assert manager.count == 1, manager.count
        program.end()
    finally:
        manager.end()


run([test_activation, test_inhibit])
