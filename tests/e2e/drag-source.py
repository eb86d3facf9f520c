#!/usr/bin/env python3
"""A window from which files can be dragged, as from a file manager. Says “ready”, “begin”, “accepted”, “refused” and “end” as it goes.

Usage: drag-source.py FILE…
"""
import sys

import gi

gi.require_version("Gdk", "4.0")
gi.require_version("Gtk", "4.0")
from gi.repository import Gdk, Gio, GLib, GObject, Gtk  # noqa: E402


def say(word):
    print(word, flush=True)


def selected(drag, _):
    say("accepted" if drag.get_selected_action() else "refused")


def begin(_, drag):
    drag.connect("notify::selected-action", selected)
    say("begin")


def main():
    Gtk.init()
    files = Gdk.FileList.new_from_list([Gio.File.new_for_path(path) for path in sys.argv[1:]])
    source = Gtk.DragSource(actions=Gdk.DragAction.COPY, content=Gdk.ContentProvider.new_for_value(GObject.Value(Gdk.FileList, files)))
    source.connect("drag-begin", begin)
    source.connect("drag-end", lambda *_: say("end"))
    label = Gtk.Label(label="Drag me", hexpand=True, vexpand=True)
    label.add_controller(source)
    window = Gtk.Window(title="Drag Source", default_width=160, default_height=80, decorated=False, child=label)
    window.connect("map", lambda _: say("ready"))
    window.present()
    GLib.MainLoop().run()


main()
