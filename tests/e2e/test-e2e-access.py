#!/usr/bin/env python3
"""The program operated without eyes or a pointer: what a screen reader can say of it, and what keys reach. Prints TAP.

Usage: test-e2e-access.py FACET [TEST…]      (FACET_TEST_DATA, FACET_TEST_MODEL: as for test-e2e.py; FACET_TEST_SCRIPTED: the program
over a script, scripted.c)
"""
import os
import unittest.mock

from e2e_suite import DATA, FACET, NUMBERS, REAL, TINY, Atspi, Program, put_model, run, start

SCRIPTED = os.environ["FACET_TEST_SCRIPTED"]
CHART, NOTE = "rgb-8.png", "sample-voice-note.ogg"
FILES = (DATA / "images" / CHART, DATA.parent.parent / "data/samples" / NOTE)


# ---- announcements ----

class Ear:
    """What is newly described where the focus is, which is spoken at once: (role of that place, sentence), oldest first."""

    def __init__(self):
        self.heard = []
        self._listener = Atspi.EventListener.new(self._changed)

    def _changed(self, event, *_):
        if (event.source and event.source.get_state_set().contains(Atspi.StateType.FOCUSED) and
                event.any_data not in ("", event.source.get_name())):  # a tooltip that says the name again
            self.heard.append((event.source.get_role_name(), event.any_data))

    def __enter__(self):
        self._listener.register("object:property-change:accessible-description")
        return self

    def __exit__(self, *_):
        self._listener.deregister("object:property-change:accessible-description")

    def take(self, program, wanted):
        """Waits for @wanted as the next and only ones."""
        program.wait(lambda: len(self.heard) >= len(wanted), f"{wanted} to be announced", 60)
        heard, self.heard = self.heard, []
        assert heard == wanted, heard


def test_announced(home):
    """The end of an answer is said once, wherever the focus is; the words that stream in before are not. So is what toasts say."""
    put_model(home, REAL)
    with Ear() as ear:
        program = start(home)
        program.ask("What is the capital of France?")
        program.wait(lambda: ear.heard, "an announcement", 60)
        program.wait(program.is_idle, "the end of the answer")
        ear.take(program, [("text", "The answer is complete.")])
        program.ask(NUMBERS)
        program.wait(lambda: len(program.messages("Answer")) == 2 and len(program.messages("Answer")[1]) > 20, "the first words", 60)
        program.keys("Tab")
        attach = program.find("push button", "Attach Files")
        program.wait(lambda: program.has(attach, Atspi.StateType.FOCUSED), "the focus to go on")
        program.keys("Escape")
        ear.take(program, [("push button", "The answer was stopped.")])
        program.keys("shift+Tab")
        program.wait(lambda: attach.get_description() == "Attach Files", "the button's own description")
        for file, told in ((FILES[0], f"{CHART}: 48 × 32"), (home, f"{home.name}: It is a folder")):
            program.open(file)
            program.wait(lambda told=told: any(sentence.startswith(told) for _, sentence in ear.heard), f"“{told}”")
        program.click("Edit and Ask Again")
        program.wait(lambda: ("text", "Editing an earlier message") in ear.heard, "the change of the composer")
        program.focus_composer()
        ear.heard.clear()
        program.click(f"Remove “{CHART}”")
        ear.take(program, [("text", f"“{CHART}” removed")])
        program.end()


def test_stop_key(home):
    """Escape stops at once, though a toast is shown that takes it, too."""
    put_model(home, REAL)
    program = start(home, FILES[0])
    program.find("table cell", CHART)
    program.focus_composer()
    program.click(f"Remove “{CHART}”")
    program.ask(NUMBERS)
    program.wait(lambda: program.messages("Answer") and program.messages("Answer")[0], "the first words", 60)
    program.keys("Escape")
    program.wait(program.is_idle, "the answer to stop", 3)
    program.end()


def test_trouble_announced(home):
    """A model that cannot be loaded, which nobody sees who does not look."""
    broken = home / "broken.gguf"
    broken.write_bytes(b"GGUF\3" + bytes(3) + bytes(range(100)))
    program = Program(FACET, home, model=str(broken))
    program.says("The model file is damaged")
    # It may have failed before anyone listened: then it is spoken with the place of the focus.
    program.wait(lambda: [place for place in program.find_all("text") if program.has(place, Atspi.StateType.FOCUSED) and
                          "The model file is damaged" in place.get_description()], "the sentence where the focus is")
    program.end()


# ---- names ----

# Pages of the preferences, each with the name of something that is there.
PAGES = {"General": "Writing", "Modes": "Words for Each Mode", "Model": "Computing", "Generation": "Own Values",
         "Privacy": "Network Addresses"}


def turn_to(program, preferences, page):
    """GTK 4.8 says of nothing whether it is on the screen, but gives it no size where it is not."""
    program.act(program.find("page tab", page, preferences), "click")
    mark = program.find("list", PAGES[page], preferences)
    program.wait(lambda: program.place(mark).width > 0, f"the page {page}")


class Rooms:
    """Goes through windows, menus and dialogs, and collects what in them has no name."""

    def __init__(self, program):
        self.program, self.nameless = program, set()

    def look(self, window=None):
        self.nameless.update(*self.program.wait(lambda: [set(self.program.unnamed(window))], "a look at everything"))

    def new_window(self, act, what):
        """The window that @act opens, looked at."""
        before = self.program.windows()
        act()
        window = self.program.wait(lambda: [window for window in self.program.windows() if window not in before], what)[-1]
        self.program.wait(lambda: window.get_child_count() > 0, f"the content of {what}")
        self.look(window)
        return window

    def press(self, button, within=None, role="push button"):
        return self.new_window(lambda: self.program.click(button, role, within), f"the window of {button}")

    def keys(self, *keys):
        return self.new_window(lambda: self.program.keys(*keys), f"the window of {keys}")

    def close(self, window):
        """Without a key, which some other window may have the focus for."""
        self.program.act(window, "window.close")
        self.wait_closed(window)

    def leave(self, window):
        self.program.focus_newest_window()
        self.program.keys("Escape")
        self.wait_closed(window)

    def wait_closed(self, window):
        self.program.wait(lambda: window not in self.program.windows(), "the window to close")
        self.program.focus_newest_window()

    def alike(self, window):
        """Names that more than one button of @window has."""
        names = [node.get_name() for node in self.program.find_all("push button", within=window)
                 if self.program.has(node, Atspi.StateType.FOCUSABLE)]
        return {name for name in names if names.count(name) > 1}

    def menu(self, name, role, wanted=""):
        """Opens and closes what pops up from the button of exactly that @name."""
        self.program.act([node for node in self.program.find_all("push button", name) if node.get_name() == name][-1], "click")
        self.program.find(role, wanted)
        self.look()
        self.program.keys("Escape")
        self.program.wait(lambda: not self.program.find_all(role, wanted), f"the menu of {name} to close")

    def done(self):
        self.program.end()
        assert not self.nameless, "\n".join(sorted(self.nameless))


def scripted(home, *arguments, **settings):
    put_model(home, TINY)
    program = Program(SCRIPTED, home, *arguments, **settings)
    program.says("very small model", 60)
    return program


def answer(program):
    program.wait(lambda: program.messages("Answer") and program.is_idle(), "the answer", 60)


def test_names(home):
    """Whatever has the focus or can be operated has a name of its own: what a screen reader says of it."""
    program = scripted(home, *FILES)
    rooms = Rooms(program)
    for name in (CHART, NOTE):
        program.find("table cell", name)
    rooms.look()
    program.click(f"Remove “{CHART}”")
    program.find("push button", "Dismiss")
    rooms.look()
    rooms.menu("Main Menu", "menu item")
    rooms.menu("Assistant Mode: Chat", "menu item")
    rooms.menu("Thinking and Tools", "check box", "Tools")
    program.ask("How does a lens bend light?")
    answer(program)
    rooms.look()
    rooms.menu("Chat Menu", "menu item")
    rooms.menu("Details", "label", "Backend: ")
    program.click("Correct Answer")
    program.find("text", "Text of the answer")
    rooms.look()
    program.focus_newest_window()
    program.keys("Escape")
    program.wait(lambda: not program.find_all("text", "Text of the answer"), "the editor to close")
    rooms.leave(rooms.keys("F2"))
    program.click("Edit and Ask Again")
    program.says("Editing an earlier message")
    rooms.look()
    rooms.done()


def test_names_of_answers(home):
    """The same with what a model asks and does: thoughts, a tool, a link, and modes with choices of their own."""
    program = scripted(home)
    rooms = Rooms(program)
    program.click("Thinking and Tools")
    for name in ("Tools", "Think First"):
        choice = program.find("check box", name)
        program.act(choice, "toggle")
        program.wait(lambda: program.has(choice, Atspi.StateType.CHECKED), f"{name} to be on")
    program.keys("Escape")
    question = rooms.new_window(lambda: program.ask("How does a lens bend light?"), "the question about the tool")
    program.act(program.find("push button", "Allow Once", question), "click")
    rooms.wait_closed(question)
    answer(program)
    rooms.look()
    for name in ("Thoughts", "File Reader"):
        program.act(program.find("push button", name), "activate")
    rooms.look()
    reach(program, "label", "the page about lenses")
    rooms.leave(rooms.keys("Tab", "Return"))
    rooms.done()


def test_names_of_windows(home):
    """The same in the windows beside the conversation, and no two buttons of one are called alike."""
    program = scripted(home)
    rooms = Rooms(program)
    program.focus_composer()
    models = rooms.keys("ctrl+m")
    program.find("push button", "Download Gemma 3 27B", models)
    assert not rooms.alike(models), rooms.alike(models)
    for button in ("Download Gemma", "to the Trash"):
        rooms.close(rooms.press(button, models))
    rooms.menu("Add Models", "menu item")
    rooms.close(models)
    preferences = rooms.keys("ctrl+comma")
    assert not rooms.alike(preferences), rooms.alike(preferences)
    for button in ("Add", "Edit “Short answers”"):
        rooms.close(rooms.press(button, preferences))
    for page in PAGES:
        turn_to(program, preferences, page)
        rooms.look(preferences)
    rooms.close(preferences)
    rooms.leave(rooms.keys("ctrl+question"))
    program.keys("F10", "Up")
    rooms.leave(rooms.keys("Return"))
    rooms.done()


def test_names_of_choices(home):
    """The same with what is chosen from: chats that a search finds, languages and styles, the words of a mode."""
    program = scripted(home)
    rooms = Rooms(program)
    program.ask("How does a lens bend light?")
    answer(program)
    program.focus_composer()
    program.keys("ctrl+f")
    program.xdotool("type", "--delay", 5, "convex")
    hit = program.wait(lambda: [row for row in program.find_all("list item", "How does a lens bend light?")
                                if "convex" in row.get_description()], "the chat, described by what was found")
    assert hit
    rooms.look()
    program.keys("Escape")
    for mode, section in (("Translate", "Language of the Answer"), ("Cultural Context", "Style")):
        program.act(program.find_all("push button", "Assistant Mode: ")[-1], "click")
        program.act(program.find("menu item", mode), "click")
        program.find("push button", f"Assistant Mode: {mode}")
        rooms.menu("Language and Style of the Answer: English", "label", section)
    program.focus_composer()
    preferences = rooms.keys("ctrl+comma")
    turn_to(program, preferences, "Modes")
    reach(program, "list item", "Describe Picture")
    words = rooms.keys("Return")
    program.find("text", "Words for this mode", words)
    rooms.leave(words)
    rooms.close(preferences)
    rooms.done()


def test_names_of_policies(home):
    put_model(home, TINY)
    with unittest.mock.patch.dict(os.environ, {"FACET_SCRIPT_JUDGES": "1"}):
        program = Program(SCRIPTED, home)
    rooms = Rooms(program)
    program.find("push button", "Assistant Mode: Check Picture", seconds=60)
    rooms.menu("Policies: 3 policies", "check box", "Violence and gore")
    rooms.done()


def test_names_of_trouble(home):
    (home / "data").mkdir()
    (home / "data/facet").write_text("no folder", encoding="utf-8")
    program = Program(SCRIPTED, home)
    program.says("Your Chats Cannot Be Opened")
    rooms = Rooms(program)
    rooms.look()
    rooms.done()


def test_names_of_recording(home):
    program = scripted(home, microphone=f"file:{FILES[1]}")
    rooms = Rooms(program)
    program.click("Record a Voice Note")
    program.find("push button", "Stop and Attach")
    rooms.look()
    program.click("Pause")
    rooms.look()
    rooms.done()


# ---- keys ----

def focus(program):
    """The innermost thing that has the focus, as (role, name)."""
    found = program.wait(lambda: [node for node in program.walk() if program.has(node, Atspi.StateType.FOCUSED)
                                  and node.get_role_name() not in ("frame", "application")], "something focused")[-1]
    return found.get_role_name(), found.get_name()


def reach(program, role, name):
    """Goes on with Tab until that has the focus."""
    for _ in range(80):
        at = focus(program)
        if at[0] == role and name in at[1]:
            return
        program.keys("Tab")
    raise AssertionError(f"the {role} “{name}” is not reached")


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
    program = start(home, FILES[0])
    program.find("table cell", CHART)
    program.click(f"Remove “{CHART}”")
    program.ask("What is the capital of France?")
    answer(program)
    tab_through(program, {("text", "Message"), ("entry", "Search all chats")} |
                buttons("New Chat", "Main Menu", "Chat Menu", "Copy", "Edit and Ask Again", "Delete", "Correct Answer", "Answer Again",
                        "Continue Answer", "Details", "Attach Files", "Assistant Mode: Chat", "Thinking and Tools"))
    program.end()


def test_keyboard_windows(home):
    """Windows and dialogs open by keys, are walked through by Tab, close by Escape, and give the focus back."""
    program = scripted(home)
    program.ask("How does a lens bend light?")
    answer(program)
    rooms = Rooms(program)
    program.focus_composer()
    for keys, wanted in (
            ("ctrl+m", buttons("Add Models", "Move gemma3-tiny-random to the Trash…", "Download Gemma 3 1B") | {("combo box", "I Want To")}),
            ("F2", {("text", "Title")} | buttons("Cancel", "Rename")),
            ("ctrl+question", buttons("Search the shortcuts"))):
        window = rooms.keys(keys)
        tab_through(program, wanted)
        rooms.leave(window)
        program.wait(lambda: program.has(program.composer, Atspi.StateType.FOCUSED), f"the focus back after {keys}")
    program.keys("F10", "Up")
    rooms.leave(rooms.keys("Return"))
    program.end()


def test_keyboard_preferences(home):
    """Each page of the preferences by keys alone."""
    program = scripted(home)
    rooms = Rooms(program)
    program.focus_composer()
    window = rooms.keys("ctrl+comma")
    for page, wanted in (
            ("General", buttons("Add", "Edit “Short answers”", "Search the preferences") | {("check box", "Send with Enter")} |
             {("combo box", name) for name in ("Language", "Colours", "Microphone", "Loudspeaker")}),
            ("Modes", buttons("Choose the File with Your Tools") | {("list item", "Describe Picture"), ("list item", "Cultural Context")}),
            ("Model", {("list item", "Model"), ("combo box", "Precision"), ("combo box", "Compute On"),
                       ("combo box", "Graphics Device"), ("spin button", "Context Length")}),
            ("Generation", {("check box", "Use the Makers’ Recommendation")}),
            ("Privacy", {("list item", "None")})):
        turn_to(program, window, page)
        tab_through(program, wanted | {("page tab", page)})
        if page == "Model":
            reach(program, "list item", "Model")
            models = rooms.keys("Return")
            program.find("push button", "Download Gemma 3 1B", models)
            rooms.leave(models)
    rooms.leave(window)
    program.wait(lambda: program.has(program.composer, Atspi.StateType.FOCUSED), "the focus back")
    program.end()


run([test_announced, test_stop_key, test_trouble_announced, test_names, test_names_of_answers, test_names_of_windows,
     test_names_of_choices, test_names_of_policies, test_names_of_trouble, test_names_of_recording, test_keyboard, test_keyboard_windows, test_keyboard_preferences])
