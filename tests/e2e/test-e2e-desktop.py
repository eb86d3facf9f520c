#!/usr/bin/env python3
"""The program as a part of the desktop: started by it, keeping it awake, and operated without eyes or a pointer. Prints TAP.

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
from facet_driver import OPERATED, Foreign, environment_of

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


# ---- without eyes, without a pointer ----

def test_announced(home):
    """The end of an answer is said once, where the focus is; the words that stream in before are not."""
    put_model(home, REAL)
    heard = []

    def changed(event, *_):
        if event.source and event.source.get_state_set().contains(Atspi.StateType.FOCUSED) and event.any_data:
            heard.append(event.any_data)

    listener = Atspi.EventListener.new(changed)
    listener.register("object:property-change:accessible-description")
    try:
        program = start(home)
        program.ask("What is the capital of France?")
        program.wait(lambda: heard, "an announcement", 60)
        program.wait(program.is_idle, "the end of the answer")
        assert heard == ["The answer is complete."], heard
        assert program.find_all("alert", "The answer is complete."), "nothing on the screen says so"
        program.ask(NUMBERS)
        program.wait(lambda: len(program.messages("Answer")) == 2 and len(program.messages("Answer")[1]) > 20, "the first words", 60)
        program.keys("Escape")
        program.wait(lambda: heard[1:], "another announcement", 20)
        assert heard[1:] == ["The answer was stopped."], heard
        program.end()
    finally:
        listener.deregister("object:property-change:accessible-description")


class Named:
    """Looks through windows for what has no name."""

    def __init__(self, program):
        self.program, self.found = program, set()

    def look(self, window, own):
        """@own: whatever else the toolkit puts into its own kind of window is not ours to name."""
        for node, text in self.program.unnamed(window):
            around = [node.get_name(), *(parent.get_name() or "" for parent in self.program.parents(node))]
            if not set(own) & set(around):
                self.found.add(text)

    def visit(self, title, keys=(), own=()):
        before = len(self.program.windows())
        self.program.keys(*keys)
        window = self.program.find("frame", title) if title else self.program.wait(
            lambda: self.program.windows()[before:], f"the window of {keys}")[-1]
        self.look(window, own)
        return window

    def close(self, window):
        """Without a key, which some other window may have the focus for."""
        self.program.act(window, "window.close")
        self.program.wait(lambda: window not in self.program.windows(), "the window to close")
        self.program.focus_newest_window()

    def leave(self, window):
        self.program.focus_newest_window()
        self.program.keys("Escape")
        self.program.wait(lambda: window not in self.program.windows(), "the window to close")
        self.program.focus_newest_window()


def test_names(home):
    """Whatever can be operated has a name of its own, in every window, dialog and popover: what a screen reader says of it."""
    put_model(home, REAL)
    program = start(home, DATA / "images/rgb-8.png", DATA.parent.parent / "data/samples/sample-voice-note.ogg")
    program.find("push button", "Remove “sample-voice-note.ogg”")
    named = Named(program)
    named.look(program.root, ("GtkListView", "AdwToastWidget"))
    for name in ("rgb-8.png", "sample-voice-note.ogg"):
        program.click(f"Remove “{name}”")
    program.ask("What is the capital of France?")
    program.wait(lambda: program.messages("Answer") and program.is_idle(), "the answer", 60)
    named.look(program.root, ("GtkListView", "AdwToastWidget"))
    program.focus_composer()
    for title, key, own, questions in (("Models", "ctrl+m", ("GtkListView",), ("Download", "Move to Trash…")),
                                       ("Preferences", "ctrl+comma", ("GtkListView",), ("Add", "Edit Instructions"))):
        window = named.visit(title, [key], own)
        for button in questions:
            before = len(program.windows())
            program.click(button, within=window)
            question = program.wait(lambda: program.windows()[before:], f"the question of {button}")[-1]
            named.look(question, ())
            named.close(question)
        named.close(window)
    for keys, own in (("ctrl+question", ("GtkShortcutsWindow",)), ("F2", ())):
        named.leave(named.visit(None, [keys], own))
    program.click("Correct Answer")
    program.find("text", "Text of the answer")
    named.look(program.root, ("GtkListView", "AdwToastWidget"))
    program.keys("Escape")
    for button, role in (("Main Menu", "menu item"), ("Chat Menu", "menu item"), ("Chat", "menu item"), ("Thinking and Tools", "check box"),
                         ("Details", "label")):
        program.wait(lambda: not program.find_all("menu item"), "the last menu to close")
        program.act([node for node in program.find_all("push button", button) if node.get_name() == button][-1], "click")
        program.find(role)
        named.look(program.root, ("GtkListView", "AdwToastWidget"))
        program.keys("Escape")
    program.end()
    assert not named.found, "\n".join(sorted(named.found))


def focus(program):
    """The innermost thing that has the focus, as (role, name)."""
    found = program.wait(lambda: [node for node in program.walk() if program.has(node, Atspi.StateType.FOCUSED)
                                  and node.get_role_name() not in ("frame", "application")], "something focused")[-1]
    return found.get_role_name(), found.get_name()


def tab_through(program, wanted):
    """All of @wanted (role, name) are reached by Tab alone. (GTK 4.8 says of nothing whether it is on the screen.)"""
    reached = []
    for _ in range(80):
        program.keys("Tab")
        stop = focus(program)
        if len(reached) > 5 and stop == reached[0]:
            break
        reached.append(stop)
    assert wanted <= set(reached), f"{wanted - set(reached)} are not reached: {reached}"


def buttons(*names):
    return {("push button", name) for name in names}


def test_keyboard(home):
    """From one end of the window to the other by Tab alone: every control that a person can point at is reached, and seen by a screen
    reader as focused."""
    put_model(home, REAL)
    program = start(home, DATA / "images/rgb-8.png")
    program.find("push button", "Remove “rgb-8.png”")
    program.click("Remove “rgb-8.png”")
    program.ask("What is the capital of France?")
    program.wait(lambda: program.messages("Answer") and program.is_idle(), "the answer", 60)
    tab_through(program, {("text", "Message"), ("entry", "Search all chats")} |
                buttons("New Chat", "Main Menu", "Chat Menu", "Copy", "Edit and Ask Again", "Delete", "Correct Answer", "Answer Again",
                        "Continue Answer", "Details", "Attach Files", "Chat", "Thinking and Tools"))
    program.end()


def test_keyboard_windows(home):
    """Windows and dialogs open by keys, are walked through by Tab, close by Escape, and give the focus back."""
    put_model(home, REAL)
    program = start(home)
    program.ask("What is the capital of France?")
    program.wait(lambda: program.messages("Answer") and program.is_idle(), "the answer", 60)
    named = Named(program)
    program.focus_composer()
    for keys, title, wanted in (
            ("ctrl+m", "Models", buttons("Add", "Move to Trash…", "Download") | {("combo box", "I Want To")}),
            ("ctrl+comma", "Preferences", buttons("Add", "Edit Instructions", "Search the preferences") |
             {("combo box", "Language"), ("combo box", "Colours"), ("combo box", "Microphone"), ("combo box", "Loudspeaker")}),
            ("F2", None, {("text", "Title")} | buttons("Cancel", "Rename")),
            ("ctrl+question", None, set())):
        window = named.visit(title, [keys], ())
        tab_through(program, wanted)
        named.leave(window)
        program.wait(lambda: program.has(program.composer, Atspi.StateType.FOCUSED), f"the focus back after {keys}")
    program.keys("F10", "Up", "Return")
    about = program.wait(lambda: program.windows()[1:], "About")[-1]
    named.leave(about)
    program.end()


run([test_activation, test_inhibit, test_announced, test_names, test_keyboard, test_keyboard_windows])
