"""Starts the window's program and drives it as a person with a keyboard and a screen reader would.

What is on the screen is read over AT-SPI; keys go through the X server.
"""
import os
import pathlib
import signal
import subprocess
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

POLL = 0.05
PATH = "io/github/facet_desktop/Facet"


class Program:
    """One run of the program; its chats and settings live in @home and outlast it."""

    running = []

    def __init__(self, binary, home, *arguments, **settings):
        self.binary, self.home = binary, pathlib.Path(home)
        config = self.home / "config"
        keyfile = config / "glib-2.0/settings/keyfile"
        keyfile.parent.mkdir(parents=True, exist_ok=True)
        if settings:
            lines = [f"[{PATH}]"] + [f"{key.replace('_', '-')}={GLib.Variant.new_string(value).print_(False)}"
                                     for key, value in settings.items()]
            keyfile.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.environment = {**os.environ, "XDG_DATA_HOME": str(self.home / "data"), "XDG_CONFIG_HOME": str(config),
                            "XDG_CACHE_HOME": str(self.home / "cache"), "GSETTINGS_BACKEND": "keyfile", "GTK_A11Y": "atspi",
                            "GSK_RENDERER": "cairo", "GIO_USE_VFS": "local", "LC_ALL": "C.UTF-8", "LANGUAGE": ""}
        self.process = subprocess.Popen([binary, *map(str, arguments)], env=self.environment)
        Program.running.append(self)
        self.root = self.wait(self._application, "the program's window", 30)

    def _application(self):
        desktop = Atspi.get_desktop(0)
        for index in range(desktop.get_child_count()):
            application = desktop.get_child_at_index(index)
            if application and application.get_process_id() == self.process.pid and application.get_child_count() > 0:
                return application
        return None

    def open(self, *arguments):
        """A second start hands its files to the running program and ends."""
        subprocess.run([self.binary, *map(str, arguments)], env=self.environment, timeout=20, check=True)

    def wait(self, condition, what, seconds=10):
        """Returns the first true value of @condition; fails after @seconds."""
        end = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, f"the program ended with {self.process.returncode} while waiting for {what}"
            try:
                value = condition()
            except GLib.Error:
                value = None  # a widget went away under our eyes
            if value:
                return value
            assert time.monotonic() < end, f"waited {seconds} s for {what}; there is:\n{self.describe()}"
            time.sleep(POLL)

    def walk(self, node=None):
        node = node or self.root
        yield node
        for index in range(node.get_child_count()):
            child = node.get_child_at_index(index)
            if child:
                yield from self.walk(child)

    def find_all(self, role, name=None, within=None):
        return [node for node in self.walk(within) if node.get_role_name() == role and (name is None or name in node.get_name())]

    def find(self, role, name=None, within=None, seconds=10):
        return self.wait(lambda: self.find_all(role, name, within), f"the {role} “{name}”", seconds)[0]

    def says(self, text, seconds=10):
        """Waits until some name on the screen holds @text."""
        return self.wait(lambda: any(text in node.get_name() for node in self.walk()), f"“{text}”", seconds)

    def describe(self):
        return "\n".join(f"  {node.get_role_name()} {node.get_name()!r}" for node in self.walk() if node.get_name())

    def act(self, node, action):
        names = [Atspi.Action.get_action_name(node, index) for index in range(Atspi.Action.get_n_actions(node))]
        assert action in names, f"{node.get_name()} has {names}, not {action}"
        Atspi.Action.do_action(node, names.index(action))

    def click(self, name, role="push button", within=None):
        self.act(self.wait(lambda: [button for button in self.find_all(role, name, within) if self.is_enabled(button)],
                           f"the enabled {role} “{name}”")[-1], "click")

    @staticmethod
    def place(node):
        return Atspi.Component.get_extents(node, Atspi.CoordType.WINDOW)

    def point_at(self, node, window="Facet"):
        """Clicks with the pointer on @node of the window called so."""
        box = self.place(node)
        found = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", f"^{window}$"], capture_output=True, text=True, check=True)
        subprocess.run(["xdotool", "mousemove", "--window", found.stdout.split()[-1], str(box.x + box.width // 2),
                        str(box.y + box.height // 2), "click", "1"], check=True)

    @staticmethod
    def is_enabled(node):
        return node.get_state_set().contains(Atspi.StateType.SENSITIVE)

    @staticmethod
    def text_of(node):
        return Atspi.Text.get_text(node, 0, Atspi.Text.get_character_count(node))

    @property
    def composer(self):
        return self.find("text", "Message")

    @staticmethod
    def keys(*keys):
        subprocess.run(["xdotool", "key", "--clearmodifiers", *keys], check=True)

    def focus_composer(self):
        """The window puts the focus there when it opens and after each message; otherwise it is clicked into."""
        if not self.composer.get_state_set().contains(Atspi.StateType.FOCUSED):
            self.point_at(self.composer)
        self.wait(lambda: self.composer.get_state_set().contains(Atspi.StateType.FOCUSED), "the focus in the composer")

    def type(self, text):
        self.focus_composer()
        subprocess.run(["xdotool", "type", "--delay", "2", text], check=True)
        self.wait(lambda: text in self.text_of(self.composer), f"“{text}” in the composer")

    def ask(self, text):
        self.wait(self.is_idle, "the end of the last answer", 60)
        self.type(text)
        self.wait(lambda: self.is_enabled(self.find("push button", "Send")), "Send to be enabled", 60)
        self.keys("Return")

    def messages(self, role):
        """What is written in the messages called @role (“Answer”, “Your message”), oldest first."""
        return ["\n".join(node.get_name() for node in self.walk(item) if node.get_role_name() == "label")
                for item in self.find_all("list item", role, self.find("log"))]

    def is_idle(self):
        return not self.find_all("push button", "Stop") and bool(self.find_all("push button", "Send"))

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(20)
        Program.running.remove(self)

    @classmethod
    def end_all(cls):
        """What a failed test left running."""
        for program in list(cls.running):
            program.end(signal.SIGKILL)
