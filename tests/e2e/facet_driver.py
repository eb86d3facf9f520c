"""Starts the window's program and drives it as a person with a keyboard, a pointer and a screen reader would.

What is on the screen is read over AT-SPI; keys and the pointer go through the X server.
"""
import itertools
import os
import pathlib
import re
import select
import signal
import subprocess
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

POLL = 0.05
PATH = "io/github/facet_desktop/Facet"
POINTER_STEP = 40
# Roles of what a person operates, by AT-SPI's names.
OPERATED = {"push button", "toggle button", "check box", "radio button", "entry", "password text", "text", "combo box", "slider",
            "spin button", "switch", "progress bar", "list item", "menu item", "page tab", "level bar"}
# What a screen reader speaks on the way to the focus, where it has a name.
AROUND = {"panel", "menu", "page tab list", "list"}
TYPE = re.compile(r"\b(Gtk|Adw|Facet)[A-Z]\w+")


class Foreign:
    """A process that somebody else started; like a Popen."""

    def __init__(self, pid):
        self.pid, self.returncode = pid, None
        self._handle = os.pidfd_open(pid)

    def poll(self):
        if self.returncode is None and select.select([self._handle], [], [], 0)[0]:
            self.returncode = 0
            os.close(self._handle)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, number)

    def wait(self, seconds):
        if self.poll() is None:
            assert select.select([self._handle], [], [], seconds)[0], f"process {self.pid} goes on"
            self.poll()


def environment_of(home):
    """What the program is started with; its chats and settings live in @home and outlast it."""
    return {"XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config"), "XDG_CACHE_HOME": str(home / "cache"),
            "GSETTINGS_BACKEND": "keyfile", "GTK_A11Y": "atspi", "GSK_RENDERER": "cairo", "GIO_USE_VFS": "local",
            "LC_ALL": "C.UTF-8", "LANGUAGE": ""}


class Program:
    """One run of the program, started here, or found running as @process."""

    running = []

    def __init__(self, binary, home, *arguments, process=None, **settings):
        self.binary, self.home = binary, pathlib.Path(home)
        keyfile = self.home / "config/glib-2.0/settings/keyfile"
        keyfile.parent.mkdir(parents=True, exist_ok=True)
        if settings:
            lines = [f"[{PATH}]"] + [f"{key.replace('_', '-')}={GLib.Variant.new_string(value).print_(False)}"
                                     for key, value in settings.items()]
            keyfile.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.environment = {**os.environ, **environment_of(self.home)}
        self.process = process or subprocess.Popen([binary, *map(str, arguments)], env=self.environment)
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
            while GLib.MainContext.default().iteration(False):
                pass
            try:
                value = condition()
            except GLib.Error:
                value = None  # a widget went away under our eyes
            if value:
                return value
            assert time.monotonic() < end, f"waited {seconds} s for {what}; there is:\n{self.describe()}"
            time.sleep(POLL)

    # What is on the screen.

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
        try:
            return "\n".join(f"  {node.get_role_name()} {node.get_name()!r}" for node in self.walk() if node.get_name())
        except GLib.Error as problem:
            return f"  {problem.message}"

    @staticmethod
    def has(node, state):
        return node.get_state_set().contains(state)

    def is_enabled(self, node):
        return self.has(node, Atspi.StateType.SENSITIVE)

    def is_shown(self, node):
        return self.has(node, Atspi.StateType.SHOWING) and self.has(node, Atspi.StateType.VISIBLE)

    @staticmethod
    def parents(node):
        while node := node.get_parent():
            yield node

    def windows(self):
        return [node for node in (self.root.get_child_at_index(index) for index in range(self.root.get_child_count())) if node]

    @staticmethod
    def text_of(node):
        return Atspi.Text.get_text(node, 0, Atspi.Text.get_character_count(node))

    @property
    def composer(self):
        return self.find("text", "Message")

    def messages(self, role):
        """What is written in the messages called @role (“Answer”, “Your message”), oldest first."""
        return ["\n".join(node.get_name() for node in self.walk(item) if node.get_role_name() == "label")
                for item in self.find_all("list item", role, self.find("log"))]

    def is_idle(self):
        return not self.find_all("push button", "Stop") and bool(self.find_all("push button", "Send"))

    @staticmethod
    def is_name(text):
        """What a person would call something: no type of the toolkit, no mark of a mnemonic, nothing said twice."""
        half = len(text) // 2
        return bool(text) and not TYPE.search(text) and not re.search(r"(^|\s)_\w", text) and text[:half] != text[half + 1:]

    def is_exempt(self, node):
        """A scrolled pane takes the focus only where nothing in it can, for the arrow keys: its role is all there is to say. Items
        of lists that are not shown get their names with their content. The menu of GtkShortcutsWindow chooses among sections, and is
        hidden where there is one."""
        if node.get_role_name() in ("scroll pane", "list item") and not node.get_name():
            return node.get_role_name() == "scroll pane" or self.place(node).width == 0
        return any(parent.get_role_name() == "frame" and node.get_name() == "GtkMenuButton" and
                                                            self.find_all("entry", "Search the shortcuts", parent)
                                                            for parent in self.parents(node))

    def unnamed(self, within=None):
        """What can be operated or have the focus but has no name of its own, which is all that a screen reader would say of it; and
        what is called by its type around it."""
        for node in self.walk(within):
            kind, name = node.get_role_name(), node.get_name()
            if kind in AROUND and TYPE.search(name):
                yield f"{kind} {name!r}"
            if not (kind in OPERATED or self.has(node, Atspi.StateType.FOCUSABLE)) or self.is_name(name) or self.is_exempt(node):
                continue
            around = list(filter(None, (parent.get_name() for parent in self.parents(node))))
            yield f"{kind} {name!r} in {' < '.join(around)[:200]}"

    # What a person does.

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

    @staticmethod
    def xdotool(*arguments):
        return subprocess.run(["xdotool", *map(str, arguments)], capture_output=True, text=True, check=True).stdout.split()

    def x_window(self, title):
        def found():
            run = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", f"^{title}$"], capture_output=True, text=True)
            return run.stdout.split()

        return self.wait(found, f"the window “{title}”")[-1]

    def focus_newest_window(self):
        """As a window manager does after a window has come or gone. Numbers of windows grow."""
        windows = self.wait(lambda: subprocess.run(["xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid)],
                                                   capture_output=True, text=True).stdout.split(), "a window")
        self.xdotool("windowfocus", "--sync", max(windows, key=int))

    def point_at(self, node, window="Facet"):
        """Clicks with the pointer on @node of the window called so, which takes the focus, as a window manager would give it."""
        box, target = self.place(node), self.x_window(window)
        self.xdotool("windowfocus", target, "mousemove", "--window", target, box.x + box.width // 2, box.y + box.height // 2, "click", 1)

    def keys(self, *keys):
        self.xdotool("key", "--clearmodifiers", *keys)

    def focus_composer(self):
        """The window puts the focus there when it opens and after each message; otherwise it is clicked into."""
        if not self.has(self.composer, Atspi.StateType.FOCUSED):
            self.point_at(self.composer)
        self.wait(lambda: self.has(self.composer, Atspi.StateType.FOCUSED), "the focus in the composer")

    def type(self, text):
        self.focus_composer()
        self.xdotool("type", "--delay", 2, text)
        self.wait(lambda: text in self.text_of(self.composer), f"“{text}” in the composer")

    def ask(self, text):
        self.wait(self.is_idle, "the end of the last answer", 60)
        self.type(text)
        self.wait(lambda: self.is_enabled(self.find("push button", "Send")), "Send to be enabled", 60)
        self.keys("Return")

    def drag(self, source, node, window="Facet"):
        """Drags from the window of a DragSource and drops on @node."""
        start = self.x_window("Drag Source")
        self.xdotool("windowmove", "--sync", start, 1100, 900, "mousemove", "--window", start, 30, 30, "mousedown", 1)
        for step in range(1, 6):
            self.xdotool("mousemove", "--window", start, 30 + 10 * step, 30)
        self.wait(lambda: "begin" in source.said, "the drag to begin")
        target = self.x_window(window)
        near = itertools.cycle(range(POINTER_STEP, -1, -POINTER_STEP // 4))

        def moved_over():
            """As a person would: goes on moving towards @node, wherever the layout has put it by now, until it takes the drop."""
            box = self.place(node)
            self.xdotool("mousemove", "--window", target, box.x + box.width // 2 + next(near), box.y + box.height // 2)
            return source.said[-1:] == ["accepted"]

        self.wait(moved_over, "the drop to be accepted")
        self.xdotool("mouseup", 1)
        self.wait(lambda: "end" in source.said, "the drop to end")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(20)
        Program.running.remove(self)

    @classmethod
    def end_all(cls):
        """What a failed test left running."""
        for program in list(cls.running):
            program.end(signal.SIGKILL)


class DragSource:
    """A window of its own, from which @files are dragged."""

    def __init__(self, *files):
        script = pathlib.Path(__file__).with_name("drag-source.py")
        self.process = subprocess.Popen(["/usr/bin/python3", "-W", "ignore", script, *files], stdout=subprocess.PIPE,
                                        env={**os.environ, "GTK_A11Y": "none", "GSK_RENDERER": "cairo"})
        os.set_blocking(self.process.stdout.fileno(), False)
        self._text = b""

    @property
    def said(self):
        """The words that it has said since it began."""
        self._text += self.process.stdout.read() or b""
        return self._text.decode().split()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
