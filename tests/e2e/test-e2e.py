#!/usr/bin/env python3
"""The main ways through the whole program: a person's keys and pointer in, what a screen reader sees out. Prints TAP.

Usage: test-e2e.py FACET [TEST…]       (FACET_TEST_DATA: the folder tests/data; FACET_TEST_MODEL: the real model)
Needs an X server, a session bus and AT-SPI.
"""
import os
import pathlib
import re
import signal
import sqlite3
import struct
import subprocess
import unittest.mock
import wave

from gi.repository import Gio

from e2e_suite import DATA, FACET, NUMBERS, REAL, TINY, Atspi, DragSource, Program, put_model, run, start


def test_first_start(home):
    """Without a model the way to one is open; nothing can be sent."""
    program = Program(FACET, home)
    program.says("Answers come from a model on this computer; nothing leaves it.")
    program.type("Hello")
    assert not program.is_enabled(program.find("push button", "Send"))
    program.click("Choose a Model")
    program.find("frame", "Models")
    program.says("Get More Models")
    program.says("Gemma 3 270M")
    program.end()


def test_ask(home):
    put_model(home, REAL)
    program = start(home)
    program.ask("What is the capital of France?")
    program.wait(lambda: "Paris" in "".join(program.messages("Answer")), "Paris", 60)
    program.wait(program.is_idle, "the end of the answer", 60)
    assert program.messages("Your message") == ["What is the capital of France?"]
    assert program.find("label", "What is the capital of France?", program.find("list", "Chats")), "the list has no such chat"
    program.end()


def test_stop(home):
    put_model(home, REAL)
    program = start(home)
    program.ask(NUMBERS)
    program.wait(lambda: len("".join(program.messages("Answer"))) > 20, "the first words", 60)
    program.keys("Escape")
    program.wait(program.is_idle, "the answer to stop", 5)
    program.says("The answer was stopped.")
    kept = program.messages("Answer")
    assert kept[0], kept
    program.end()


def test_edit(home):
    put_model(home, REAL)
    program = start(home)
    program.ask("What is the capital of Italy?")
    program.wait(lambda: program.messages("Answer") and program.is_idle(), "the first answer", 60)
    program.click("Edit and Ask Again")
    program.wait(lambda: program.text_of(program.composer) == "What is the capital of Italy?", "the message in the composer")
    program.focus_composer()
    program.keys("ctrl+a")
    program.ask("What is the capital of Spain?")
    program.wait(lambda: "Madrid" in "".join(program.messages("Answer")), "Madrid", 60)
    program.says("2 of 2")
    program.wait(program.is_idle, "the end of the answer", 60)
    program.click("Previous Version")
    program.wait(lambda: program.messages("Your message")[0].startswith("What is the capital of Italy?"), "the first version")
    program.says("1 of 2")
    program.end()


def test_attach(home):
    """Files of the command line, and those that a second start hands over; a text model cannot see them and says so."""
    put_model(home, REAL)
    program = start(home, DATA / "images/rgb-8.png")
    program.find("push button", "Remove “rgb-8.png”")
    program.open(DATA / "images/rgb.jpg", DATA / "images/cut-header.png")
    program.find("push button", "Remove “rgb.jpg”")
    program.find("push button", "Remove “cut-header.png”")
    program.click("Remove “cut-header.png”")
    program.type("What is this?")
    program.wait(lambda: "cannot see pictures" in program.find("push button", "Send").get_description()
                 or any("cannot see pictures" in node.get_name() for node in program.walk()), "the reason")
    assert not program.is_enabled(program.find("push button", "Send"))
    for name in ("rgb.jpg", "rgb-8.png"):
        program.click(f"Remove “{name}”")
    program.wait(lambda: program.is_enabled(program.find("push button", "Send")), "Send to be enabled")
    program.end()


def test_drop(home):
    """A picture dragged from another program's window and dropped on the words being written, then two files on the conversation."""
    model = put_model(home, TINY)
    put_model(home, TINY.with_name("mmproj.gguf"))
    program = start(home, model=str(model))
    with DragSource(DATA / "images/rgb-8.png") as source:
        program.drag(source, program.composer)
    program.find("push button", "Remove “rgb-8.png”")
    assert program.text_of(program.composer) == "", "the file's name was dropped as text"
    program.ask("What is this?")
    program.wait(lambda: program.messages("Answer"), "the answer", 20)
    program.keys("Escape")
    program.wait(program.is_idle, "the end of the answer")
    assert program.find_all("image", "rgb-8.png", program.find("log")), "the message does not show the picture"
    with DragSource(DATA / "images/rgb.jpg", DATA / "images/cut-header.png") as source:
        program.drag(source, program.find("log"))
    program.find("push button", "Remove “rgb.jpg”")
    program.find("push button", "Remove “cut-header.png”")
    program.end()


def test_record(home):
    """From a sound file that stands for the microphone; the recording becomes an attachment, sent to a model that hears."""
    model = put_model(home, DATA / "kit/models/gemma4-tiny/text-q4_0.gguf")
    put_model(home, DATA / "kit/models/gemma4-tiny/mmproj.gguf")
    sound = home / "voice.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<h", (index * 400) % 20000 - 10000) for index in range(5 * 16000)))
    program = start(home, model=str(model), microphone=f"file:{sound}")
    program.click("Record a Voice Note")
    keep = program.find("push button", "Stop and Attach")
    program.wait(lambda: any(node.get_name().startswith("0:01") for node in program.walk()), "a second of sound", 20)
    program.act(keep, "click")
    program.wait(lambda: [node for node in program.find_all("push button", "Remove") if ".wav" in node.get_name()],
                 "the recording among the attachments")
    program.ask("What was said?")
    program.wait(lambda: program.messages("Answer"), "the answer", 20)
    program.keys("Escape")
    program.wait(program.is_idle, "the answer to stop", 5)
    program.end()


def test_switch_model(home):
    put_model(home, REAL)
    put_model(home, TINY)
    program = start(home, model=str(home / "data/facet/models" / pathlib.Path(REAL).name))
    before = program.find("label", "Gemma 3 270m").get_name()
    program.keys("ctrl+m")
    page = program.find("frame", "Models")
    radios = program.wait(lambda: [node for node in program.walk(page) if node.get_role_name() in ("radio button", "check box")
                                   and node.get_name()][1:] and
                          [node for node in program.walk(page) if node.get_role_name() in ("radio button", "check box")],
                          "two models to choose from", 20)
    other = [radio for radio in radios if not radio.get_state_set().contains(Atspi.StateType.CHECKED)]
    program.point_at(other[-1], "Models")
    frame = program.find("frame", "Facet")
    program.wait(lambda: not program.find_all("label", before, frame), "the other model's name in the title", 30)
    program.end()
    keyfile = (home / "config/glib-2.0/settings/keyfile").read_text(encoding="utf-8")
    assert TINY.name in keyfile, keyfile


def test_killed(home):
    """kill -9 while an answer is written: the chat, the question and the answer's beginning are there again."""
    put_model(home, REAL)
    program = start(home)
    program.ask(NUMBERS)
    program.wait(lambda: len("".join(program.messages("Answer"))) > 60, "the first words", 60)

    def saved():
        with sqlite3.connect(f"file:{home / 'data/facet/chats.db'}?mode=ro", uri=True) as store:
            return [row for row in store.execute("SELECT text FROM messages") if row[0] and row[0] != NUMBERS]

    program.wait(saved, "the answer's beginning on disk", 20)
    program.end(signal.SIGKILL)
    program = start(home)
    chat = program.find("label", NUMBERS, program.find("list", "Chats"))
    program.point_at(chat)
    program.wait(lambda: program.messages("Your message") == [NUMBERS], "the question")
    assert len(program.messages("Answer")[0]) > 20, program.messages("Answer")
    program.end()


def test_killed_writing(home):
    """kill -9 while something is written: the draft of a new chat and the rewritten question are there again."""
    def kept(sql, value):
        with sqlite3.connect(f"file:{home / 'data/facet/chats.db'}?mode=ro", uri=True) as store:
            return (value,) in store.execute(sql).fetchall()

    put_model(home, REAL)
    program = start(home)
    program.ask("What is the capital of Italy?")
    program.wait(lambda: program.messages("Answer") and program.is_idle(), "the answer", 60)
    program.click("Edit and Ask Again")
    program.wait(lambda: program.text_of(program.composer) == "What is the capital of Italy?", "the message in the composer")
    program.focus_composer()
    program.keys("ctrl+a")
    program.type("Half a question")
    program.wait(lambda: kept("SELECT revision FROM messages", "Half a question"), "the question on disk", 20)
    program.keys("ctrl+n")
    program.wait(lambda: program.text_of(program.composer) == "", "the new chat")
    program.type("Unsent")
    program.wait(lambda: kept("SELECT value FROM notes WHERE name = 'draft'", "Unsent"), "the draft on disk", 20)
    program.end(signal.SIGKILL)
    program = start(home)
    program.wait(lambda: program.text_of(program.composer) == "Unsent", "the draft")
    program.point_at(program.find("label", "What is the capital of Italy?", program.find("list", "Chats")))
    program.wait(lambda: program.text_of(program.composer) == "Half a question", "the rewritten question")
    program.end()


def test_no_place(home):
    """Chats that cannot be opened are told in a window, as a start from the desktop has no terminal; and tried again from there."""
    place = home / "data/facet"
    place.parent.mkdir()
    place.write_text("no folder", encoding="utf-8")
    program = Program(FACET, home)
    program.says("Your Chats Cannot Be Opened")
    program.says(str(place))
    program.click("Try Again")
    program.says("Your Chats Cannot Be Opened")
    place.unlink()
    program.click("Try Again")
    program.says("Answers come from a model on this computer; nothing leaves it.")
    program.wait(lambda: len(program.windows()) == 1, "the first window to go")
    program.end()


def test_second_start(home):
    """Where no common bus brings the first window to the front, a second one says that the chats are in use, and takes over later."""
    session = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    readers, = session.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress", None, None, Gio.DBusCallFlags.NONE, -1, None)
    first = Program(FACET, home)
    first.says("Answers come from a model on this computer; nothing leaves it.")
    bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True)
    try:
        other = {"DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().strip(), "AT_SPI_BUS_ADDRESS": readers}
        with unittest.mock.patch.dict(os.environ, other):
            second = Program(FACET, home)
        second.says("Facet is open already, with your chats.")
        first.says("Answers come from a model on this computer; nothing leaves it.")
        first.end()
        second.click("Try Again")
        second.says("Answers come from a model on this computer; nothing leaves it.")
        second.end()
    finally:
        bus.terminate()
        bus.wait()


def test_damaged_chats(home):
    """A damaged file with chats is kept, and the person is told where."""
    place = home / "data/facet/chats.db"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"no database" * 1000)
    program = Program(FACET, home)
    program.says("The file with your chats was damaged. 0 chats could be saved")
    kept, = (path for path in place.parent.glob("*") if path.is_file() and path.read_bytes()[:11] == b"no database")
    program.says(str(kept))
    program.click("Dismiss")
    program.end()
    program = Program(FACET, home)
    program.says("Answers come from a model on this computer; nothing leaves it.")
    assert not [node for node in program.walk() if "was damaged" in node.get_name() and program.is_shown(node)]
    program.end()


def test_other_version(home):
    """Beside an installed version whose settings lack some of this one's."""
    schema = "io.github.facet_desktop.Facet.gschema.xml"
    words = (DATA.parent.parent / "data" / schema).read_text(encoding="utf-8")
    older = re.sub(r'<key name="precision".*?</key>', "", words, flags=re.DOTALL)
    assert older != words
    folder = home / "schemas"
    folder.mkdir()
    (folder / schema).write_text(older, encoding="utf-8")
    subprocess.run(["glib-compile-schemas", folder], check=True)
    with unittest.mock.patch.dict(os.environ, {"GSETTINGS_SCHEMA_DIR": str(folder)}):
        program = Program(FACET, home)
    program.says("Answers come from a model on this computer; nothing leaves it.")
    program.end()


def test_right_to_left(home):
    """In Arabic by the setting alone: the words, and the list of chats on the right of the conversation."""
    put_model(home, REAL)
    program = Program(FACET, home, language="ar")
    program.says("صغير جدًا", 60)
    chats = program.find("list", "الدردشات")
    message = program.find("text", "الرسالة")
    left = program.place(message)
    right = program.place(chats)
    assert left.width > 100 and right.width > 100, (left.width, right.width)
    assert left.x + left.width <= right.x, (left.x, left.width, right.x)
    send = program.place(program.find("push button", "أرسل"))
    attach = program.place(program.find("push button", "أرفق ملفات"))
    assert send.x < attach.x, (send.x, attach.x)
    program.end()


run([test_first_start, test_ask, test_stop, test_edit, test_attach, test_drop, test_record, test_switch_model, test_killed,
     test_killed_writing, test_no_place, test_second_start, test_damaged_chats, test_other_version,
     test_right_to_left])
