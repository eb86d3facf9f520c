#!/usr/bin/env python3
"""Runs facet-cli at a terminal, and where its output has no place to go. Prints TAP.

Usage: test-cli-terminal.py FACET-CLI    (FACET_TEST_DATA: the folder tests/data)
"""
import fcntl
import os
import pathlib
import pty
import resource
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time

from facet_cli import CLI, ENVIRONMENT, KIT, main, run, run_json, see_and_hear

TINY = KIT / "models/gemma3-tiny/text-q8_0.gguf"
NOTE = KIT / "inputs/note_it.wav"
CTRL_C, CTRL_D, UP = b"\x03", b"\x04", b"\x1b[A"
PROMPT = b"> "


def pasted(text):
    """As terminals send what is pasted, once they are asked to mark it."""
    return b"\x1b[200~" + text + b"\x1b[201~"


class Terminal:
    """facet-cli at a terminal of 80 columns."""

    def __init__(self, *arguments):
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.execve(CLI, [CLI, *map(str, arguments)], {**ENVIRONMENT, "TERM": "xterm", "HOME": "/nonexistent"})
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.seen = b""

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.file)

    def until(self, *wanted):
        """What is written until one of @wanted, and with it."""
        end = time.monotonic() + 30
        while not any(one in self.seen for one in wanted):
            assert select.select([self.file], [], [], max(0, end - time.monotonic()))[0], (wanted, self.seen[-300:])
            self.seen += os.read(self.file, 65536)
        at = min(self.seen.index(one) + len(one) for one in wanted if one in self.seen)
        found, self.seen = self.seen[:at], self.seen[at:]
        return found

    def settle(self):
        """Waits until a line is being edited and the program waits for the next letter."""
        end = time.monotonic() + 30
        while termios.tcgetattr(self.file)[3] & termios.ICANON or pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2][0] != "S":
            assert time.monotonic() < end, self.seen[-300:]
            time.sleep(0.01)

    def type(self, text, wanted=PROMPT):
        self.settle()
        return self.press(text, wanted)

    def press(self, text, *wanted):
        """At once, whatever the program does."""
        os.write(self.file, text)
        return self.until(*wanted)

    def ends(self, text=b""):
        """The exit status, after the rest was read."""
        self.settle()
        os.write(self.file, text)
        try:
            while os.read(self.file, 65536):
                pass
        except OSError:
            pass  # the other end is closed
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.pid = 0
        return status


def talk(*more):
    terminal = Terminal("chat", "-m", TINY, "--temp", 0, "-n", 4, *more)
    terminal.until(PROMPT)
    return terminal


def test_commands():
    with talk() as terminal:
        assert b"[the answer" in terminal.type(b"one two\r")
        assert b"/clear" in terminal.type(b"/help\r", b"goes on in the next one.")
        assert b"There is no command /nonsense." in terminal.type(b"/nonsense\r", b"goes on in the next one.")
        assert b"Figures will be shown." in terminal.type(b"/stats\r", b"shown.")
        assert b"prompt: " in terminal.type(b"one\r", b"tokens/s")
        assert b"starts anew" in terminal.type(b"/clear\r", b"anew.")
        terminal.until(PROMPT)
        assert terminal.ends(b"/quit\r") == 0
    with talk() as terminal:
        assert terminal.ends(CTRL_D) == 0


def test_editing():
    """Letters of any width are taken back whole, lines come back from history, a backslash goes on."""
    with talk("--stats") as terminal:
        plain = terminal.type("Größe\r".encode(), b" tokens (")
        terminal.until(PROMPT)
        terminal.type(b"/clear\r", b"anew.")
        terminal.until(PROMPT)
        edited = terminal.type("Größe日\x7f\r".encode(), b" tokens (")
        assert edited.split()[-2:] == plain.split()[-2:], (edited, plain)
        terminal.until(PROMPT)
        assert "Größe".encode() in terminal.type(UP, "Größe".encode())
        terminal.type(b"\\\r", "… ".encode())
        terminal.type(b"more\r", b" tokens (")
        terminal.until(PROMPT)
        assert terminal.ends(CTRL_D) == 0


def stop_answer(terminal):
    """Stops one, or finds the context full. Some of answers at random end before; then Ctrl-C asks whether to leave."""
    for _ in range(20):
        terminal.until(PROMPT)
        terminal.type(b"one two three\r", b"\n")
        time.sleep(0.1)
        if terminal.press(CTRL_C, b"]", b"leaves.").endswith(b"]"):
            return
    raise AssertionError("every answer ended by itself")


def test_interrupts():
    """Ctrl-C takes back a line, asks before it leaves, stops an answer and loading."""
    with talk() as terminal:
        terminal.type(b"to be taken back", b"back")
        assert b"Ctrl-C once more leaves." in terminal.type(CTRL_C, b"leaves.")
        terminal.until(PROMPT)
        assert b"[the answer" in terminal.type(b"one\r")
        terminal.type(CTRL_C, b"leaves.")
        terminal.until(PROMPT)
        assert terminal.ends(CTRL_C) == 130
    with Terminal("chat", "-m", TINY, "--temp", 1, "--raw", "-n", 0) as terminal:
        for _ in range(2):
            stop_answer(terminal)
        terminal.until(PROMPT)
        assert terminal.ends(CTRL_D) == 0


def test_pasting():
    """What is pasted is one message with all its lines, whatever it holds; commands of the terminal in it are not obeyed."""
    with talk("--stats", "--ctx", 4096) as terminal:
        terminal.type(pasted("one\rtwo\nthree é日".encode()), "é日".encode())
        first = terminal.type(b" four\r", b" tokens (")
        terminal.until(PROMPT)
        terminal.type(b"/clear\r", b"anew.")
        terminal.until(PROMPT)
        terminal.type(b"one\\\r", "… ".encode())
        terminal.type(b"two\\\r", "… ".encode())
        second = terminal.type("three é日 four\r".encode(), b" tokens (")
        assert first.split()[-2:] == second.split()[-2:], (first, second)
        terminal.until(PROMPT)
        refused = terminal.type(pasted(b"/x\x1b[31mred") + b"\r", b"goes on in the next one.")
        assert b"\x1b[31m" not in refused and "/x␛[31mred".encode() in refused
        terminal.until(PROMPT)
        terminal.type(pasted(b"word " * 4000), b"word word")
        assert b"does not fit" in terminal.type(b"\r", b"anew.\r\n")
        terminal.until(PROMPT)
        terminal.settle()
        os.write(terminal.file, b"\x1b[200~never ended")
        time.sleep(0.2)
        terminal.type(CTRL_C, b"leaves.")
        terminal.until(PROMPT)
        assert b"[the answer" in terminal.type(b"one\r")
        assert terminal.ends(CTRL_D) == 0


# ---- output that is lost ----

def run_into(stdout, *arguments, **more):
    return subprocess.run([CLI, *map(str, arguments)], stdout=stdout, stderr=subprocess.PIPE, env=ENVIRONMENT, timeout=120, **more)


COMMANDS = (("chat", "-m", TINY, "-p", "one", "-n", 4), ("chat", "-m", TINY, "-p", "one", "-n", 4, "--json"), ("inspect", TINY), ("devices",),
            ("tokenize", "-m", TINY, "-p", "one"), ("translate", "-m", TINY, "--to", "German", "-p", "one", "-n", 4), ("--version",))


def test_full_disk():
    with open("/dev/full", "wb") as full:
        for command in COMMANDS:
            done = run_into(full, *command)
            assert done.returncode == 1 and b"standard output cannot be written: No space left" in done.stderr, (command, done)
        assert run_into(full, "chat", "--help").returncode == 1


def test_closed_output():
    for command in COMMANDS[:3]:
        done = run_into(None, *command, preexec_fn=lambda: os.close(1))
        assert done.returncode == 1 and b"standard output cannot be written" in done.stderr, (command, done)
    for command in (COMMANDS[0], ("transcribe", *see_and_hear(), NOTE)):
        reading, writing = os.pipe()
        os.close(reading)
        assert run_into(writing, *command).returncode == -signal.SIGPIPE
        os.close(writing)
    for journal in journals():
        journal.unlink()


def journals():
    return list((pathlib.Path(ENVIRONMENT["XDG_STATE_HOME"]) / "facet/transcripts").glob("*"))


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))


def test_transcript_is_not_lost():
    """What could not be written is written by the next run, which does not listen again; files that were there stay whole."""
    command = ("transcribe", *see_and_hear(), NOTE, "--language", "Italian")
    whole = run_json(*command)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        there, link = folder / "there.srt", folder / "link.srt"
        there.write_text("before")
        link.symlink_to("/dev/full")
        with open("/dev/full", "wb") as full:
            attempts = [lambda: run_into(full, *command), lambda: run_into(full, *command, "--json"), lambda: run_into(full, *command, "--vtt", "-"),
                        lambda: run_into(subprocess.DEVNULL, *command, "--srt", link),
                        lambda: run_into(subprocess.DEVNULL, *command, "--txt", folder / "missing/a.txt")]
            for attempt in attempts:
                done = attempt()
                assert done.returncode == 1 and b"cannot be written" in done.stderr and b"is kept" in done.stderr, done
                assert len(journals()) == 1, journals()
        limited = run_into(subprocess.DEVNULL, *command, "--srt", there, preexec_fn=limit_files)
        assert limited.returncode == 1 and b"too large" in limited.stderr, limited
        assert there.read_text() == "before" and sorted(path.name for path in folder.iterdir()) == ["link.srt", "there.srt"]
        assert link.is_symlink() and pathlib.Path("/dev/full").is_char_device()
        assert run_json(*command) == whole
        assert run(*command, "--srt", there).returncode == 0 and there.read_text().startswith("1\n")
    for journal in journals():
        journal.unlink()


main("cli-terminal", globals())
