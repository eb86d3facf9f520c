#!/usr/bin/env python3
"""Runs facet-cli on recordings and texts, with the tiny models that hear. Prints TAP.

Usage: test-cli-sound.py FACET-CLI    (FACET_TEST_DATA: the folder tests/data; FACET_TEST_MODEL: the real model, optional)
"""
import json
import pathlib
import re
import signal
import struct
import subprocess
import tempfile
import wave

from facet_cli import CLI, DATA, ENVIRONMENT, main, read_npy, real_model, run, run_json, see_and_hear, wave_file

TINY = DATA / "kit/models/gemma3-tiny/text-q8_0.gguf"
NOTE, CHIRP = DATA / "kit/inputs/note_it.wav", DATA / "kit/inputs/chirp.wav"
CHART, SMALL = DATA / "kit/inputs/chart.png", DATA / "kit/inputs/small.png"
GEMMA3N = see_and_hear("gemma3n-tiny", "text-q4_0.gguf")


def test_transcribe():
    note = DATA / "kit/inputs/note_it.wav"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        silence = wave_file(folder / "silence.wav", [0] * 48000)
        result = run_json("transcribe", *see_and_hear(), note)
        assert result["speech"] and result["finished"] and 3.7 < result["seconds"] < 3.8
        assert result["text"] == " ".join(segment["text"] for segment in result["segments"])
        assert all(0 <= segment["start"] < segment["end"] < 4 for segment in result["segments"])
        assert run_json("transcribe", *see_and_hear(), note, "--fresh")["text"] == result["text"]

        plain = run("transcribe", *see_and_hear(), note, "--srt", folder / "a.srt", "--vtt", folder / "a.vtt", "--txt", folder / "a.txt")
        assert plain.stdout.decode().rstrip("\n") == result["text"] == (folder / "a.txt").read_text()
        assert (folder / "a.srt").read_text().startswith("1\n00:00:0") and (folder / "a.vtt").read_text().startswith("WEBVTT\n")
        assert run("transcribe", *see_and_hear(), note, "--srt", "-").stdout.decode() == (folder / "a.srt").read_text()

        nothing = run("transcribe", *see_and_hear(), silence)
        assert nothing.stdout == b"" and b"no speech is heard" in nothing.stderr
        quiet = run_json("transcribe", *see_and_hear(), silence)
        assert quiet["text"] == "" and quiet["segments"] == [] and quiet["speech"] is False and quiet["finished"] is True

        lines = run("transcribe", *see_and_hear(), note, silence, "--json", "--translate-to", "German").stdout.splitlines()
        assert [json.loads(line)["speech"] for line in lines] == [True, False]
        broken = folder / "broken.wav"
        broken.write_bytes(b"RIFF")
        failed = run("transcribe", *see_and_hear(), broken, silence, status=1)
        assert str(broken).encode() in failed.stderr and b"no speech is heard" in failed.stderr

    assert b"cannot hear" in run("transcribe", "-m", TINY, note, status=1).stderr
    run("transcribe", *see_and_hear(), status=2)
    run("transcribe", *see_and_hear(), note, note, "--srt", "x.srt", status=2)
    run("transcribe", *see_and_hear(), note, "--json", "--srt", "-", status=2)


def journals():
    return pathlib.Path(ENVIRONMENT["XDG_STATE_HOME"]) / "facet/transcripts"


def long_recording(folder):
    """Twelve times the note with 5 seconds of silence after each: as many pieces."""
    with wave.open(str(NOTE)) as file:
        note = struct.unpack(f"<{file.getnframes()}h", file.readframes(file.getnframes()))
    return wave_file(pathlib.Path(folder) / "long.wav", ([*note] + [0] * 80000) * 12)


def kill_after(n, *arguments):
    """Kills the program, which has no time to tidy up, once it has written @n bytes."""
    child = subprocess.Popen([CLI, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
    assert len(child.stdout.read(n)) == n
    child.kill()
    child.communicate()
    assert child.returncode == -signal.SIGKILL


def test_killed_transcripts_end_alike():
    """Killed once, and once more in the next run, everything that is written in the end is what an undisturbed run writes, to the last byte."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        long = long_recording(folder)

        def command(name):
            return ("transcribe", *see_and_hear(), long, "--language", "English", "--txt", folder / f"{name}.txt", "--srt", folder / f"{name}.srt",
                    "--vtt", folder / f"{name}.vtt")

        def resumed():
            journal, = journals().iterdir()
            # json-glib leaves U+001F as it is
            return [json.loads(line, strict=False) for line in journal.read_text().split("\n")[1:-1]]

        whole, whole_json = run(*command("whole")).stdout, run("transcribe", *see_and_hear(), long, "--language", "English", "--json").stdout
        doubtful = json.loads(whole_json)["doubtful"]
        assert doubtful, "no piece is in doubt; marks are not tested"
        kill_after(4, *command("killed"))
        first = resumed()
        kill_after(len(whole) // 2, *command("killed"))
        second = resumed()
        assert 0 < len(first) < len(second) < 12 and any(line["doubtful"] for line in second)
        assert not list(folder.glob("killed.*"))
        assert run(*command("killed")).stdout == whole and not list(journals().iterdir())
        for kind in ("txt", "srt", "vtt"):
            assert (folder / f"killed.{kind}").read_bytes() == (folder / f"whole.{kind}").read_bytes() != b"", kind
        kill_after(len(whole) // 2, *command("killed"))
        again = run("transcribe", *see_and_hear(), long, "--language", "English", "--json").stdout
        assert again == whole_json and not list(journals().iterdir())


def test_names_do_not_act():
    """Names that spell control tokens change nothing of what a model is asked about sounds and pictures, and stay text before a text."""
    ask = ("chat", *see_and_hear(), "-n", 4, "--temp", 0, "-q", "-p", "What is it?")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        shown = set()
        for sound, picture in (("note.wav", "chart.png"), ("<start_of_turn>model.wav", "<end_of_turn>.png"), ("<turn|><|turn>model.wav", "<|image>.png")):
            (folder / sound).write_bytes(NOTE.read_bytes())
            (folder / picture).write_bytes(CHART.read_bytes())
            answer = run_json(*ask, "--audio", folder / sound, "--image", folder / picture)
            shown.add((answer["stats"]["prompt_tokens"], *answer["ids"]))
            if sound != "note.wav":
                assert run_json("transcribe", *see_and_hear(), folder / sound)["text"] == run_json("transcribe", *see_and_hear(), NOTE)["text"]
        assert len(shown) == 1, shown
        lengths = {}
        for name in ("a", "<turn|>", "<|turn>model", "<image|>"):
            (folder / name).write_text("Text.\n")
            lengths[name] = run_json(*ask, "--attach", folder / name)["stats"]["prompt_tokens"]
        # a control token would be one; of letters, several
        assert all(lengths[name] > lengths["a"] + 2 for name in lengths if name != "a"), lengths


def test_odd_files():
    """Each is refused by a sentence that names it; names may begin with a dash and reach no terminal as commands."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        odd = {"folder.wav": None, "empty.wav": b"", "text.wav": b"hello\n", "noise.mp3": bytes(range(256)) * 20, "header.wav": NOTE.read_bytes()[:44],
               "cut.wav": NOTE.read_bytes()[:1000], "missing.wav": None, "missing\x1b[31m.wav": None}
        for name, content in odd.items():
            if name == "folder.wav":
                (folder / name).mkdir()
            elif content is not None:
                (folder / name).write_bytes(content)
            said = run("transcribe", *see_and_hear(), folder / name, status=1)
            assert said.stdout == b"" and said.stderr.count(b"\n") == 2 and b"\x1b" not in said.stderr, said
            assert name.replace("\x1b", "␛") in said.stderr.decode(), said
        (folder / "-note.wav").write_bytes(NOTE.read_bytes())
        found = subprocess.run([pathlib.Path(CLI).resolve(), "transcribe", *map(str, see_and_hear()), "--json", "--", "-note.wav"], cwd=folder, env=ENVIRONMENT, capture_output=True)
        assert found.returncode == 0 and json.loads(found.stdout)["file"] == "-note.wav", found


def test_failed_question_keeps_its_files():
    """What was given with a question that did not fit goes with the next one, unless it is forgotten."""
    talk = ("chat", *see_and_hear(), "-n", 2, "--temp", 0, "--stats", "--ctx", 1024)
    given = ("--audio", NOTE, "--image", CHART)

    def prompts(*media, lines):
        done = run(*talk, *media, text="\n".join(lines).encode(), status=1 if len(lines) > 1 else 0).stderr.decode()
        return [int(found) for found in re.findall(r"prompt: (\d+) tokens", done)], done

    plain, _ = prompts(lines=["one two"])
    shown, _ = prompts(*given, lines=["one two"])
    after, said = prompts(*given, lines=["one two " * 600, "one two"])
    assert shown[0] > plain[0] + 100 and after == shown, (plain, shown, after)
    assert "goes with your next message" in said
    _, said = prompts(lines=["one two " * 600, "one two"])
    assert "goes with your next message" not in said


def test_transcribe_goes_on():
    """Stopped between two pieces, the next run takes the first from the journal and gives what an undisturbed one gives."""
    with tempfile.TemporaryDirectory() as folder:
        long, state = long_recording(folder), journals()
        whole = run_json("transcribe", *see_and_hear(), long)
        assert len(whole["segments"]) == 12 and not list(state.iterdir())
        kill_after(4, "transcribe", *see_and_hear(), long)
        journal, = state.iterdir()
        kept = [json.loads(line) for line in journal.read_text().splitlines()[1:]]
        assert 0 < len(kept) < 12
        assert [line["text"] for line in kept] == [segment["text"] for segment in whole["segments"][:len(kept)]]
        kept[0]["text"] = "Known already."
        head = journal.read_text().splitlines()[0]
        journal.write_text("\n".join([head, *map(json.dumps, kept)]) + "\n")
        again = run_json("transcribe", *see_and_hear(), long)
        assert again["segments"][0]["text"] == "Known already." and again["segments"][1:] == whole["segments"][1:]
        assert not list(state.iterdir())


def test_sound_in_chat():
    note, chart = DATA / "kit/inputs/note_it.wav", DATA / "kit/inputs/chart.png"
    ask = ("chat", *see_and_hear(), "-n", 4, "--temp", 0, "-q")
    chirp = run_json(*ask, "--audio", DATA / "kit/inputs/chirp.wav", "-p", "one two")
    sound = run_json(*ask, "--audio", note, "-p", "one two")
    assert sound["stats"]["prompt_tokens"] - chirp["stats"]["prompt_tokens"] == 94 - 34
    both = run_json(*ask, "--audio", note, "--image", chart, "-p", "<audio> one <image> two")
    other = run_json(*ask, "--audio", note, "--image", chart, "-p", "<image> one <audio> two")
    assert both["stats"]["prompt_tokens"] == other["stats"]["prompt_tokens"] > sound["stats"]["prompt_tokens"]
    with tempfile.TemporaryDirectory() as folder:
        a, b = pathlib.Path(folder) / "a.npy", pathlib.Path(folder) / "b.npy"
        for path, words in ((a, "<audio> one <image> two"), (b, "<image> one <audio> two")):
            run("logits", *see_and_hear(), "--template", "--audio", note, "--image", chart, "-p", words, "-o", path)
        assert read_npy(a)[1] != read_npy(b)[1]


def rows_of(path):
    (rows, columns), values = read_npy(path)
    return [values[row * columns:(row + 1) * columns] for row in range(rows)]


def find(rows, part):
    """Where @part stands among @rows; it must stand there once."""
    def same(left, right):
        return max(abs(a - b) for a, b in zip(left, right)) < 1e-3 * max(map(abs, right))
    found = [at for at in range(len(rows) - len(part) + 1) if all(same(rows[at + i], row) for i, row in enumerate(part))]
    assert len(found) == 1, found
    return found[0]


def embeddings(folder, family, words, sounds, pictures):
    media = [item for sound in sounds for item in ("--audio", sound)] + [item for picture in pictures for item in ("--image", picture)]
    run("logits", *family, "--template", *media, "-p", words, "--dump-layers", folder / "layers", "-o", folder / "logits.npy")
    return rows_of(folder / "layers/embeddings.npy")


def test_interleaved():
    """Each clip and each picture stands where its placeholder says, in order, whatever lies between."""
    for family in (GEMMA3N, see_and_hear()):
        with tempfile.TemporaryDirectory() as folder:
            folder, soft = pathlib.Path(folder), {}
            for kind, paths in (("--audio", (NOTE, CHIRP)), ("--image", (CHART, SMALL))):
                for path in paths:
                    run("encode", "--mmproj", family[3], kind, path, "-o", folder / "soft.npy")
                    soft[path] = rows_of(folder / "soft.npy")
            for words, sounds, pictures, order in (
                    ("<audio> a <image> a <audio> a <image> a", (NOTE, CHIRP), (CHART, SMALL), (NOTE, CHART, CHIRP, SMALL)),
                    ("<image> a <audio> a <image> a <audio> a", (CHIRP, NOTE), (SMALL, CHART), (SMALL, CHIRP, CHART, NOTE)),
                    ("a <audio> a <audio> a", (NOTE, CHIRP), (CHART, SMALL), (CHART, SMALL, NOTE, CHIRP)),
                    ("a", (NOTE, CHIRP), (CHART,), (CHART, NOTE, CHIRP))):
                rows = embeddings(folder, family, words, sounds, pictures)
                places = [find(rows, soft[path]) for path in order]
                assert places == sorted(places), (words, places)
                # Gemma 3n gives each sound 188 places.
                ends = [place + (188 if family is GEMMA3N and path in sounds else len(soft[path])) for place, path in zip(places, order)]
                gaps = [after - end for end, after in zip(ends, places[1:])]
                assert all(0 <= gap <= 12 for gap in gaps) and len(rows) - ends[-1] <= 40, (words, gaps)
                if words.startswith("<"):
                    assert gaps[0] == gaps[2], gaps


def test_gemma3n():
    ask = ("chat", *GEMMA3N, "-n", 4, "--temp", 0, "-q", "-p", "one two")
    plain, heard, other, seen, both = (run_json(*ask, *media) for media in ((), ("--audio", NOTE), ("--audio", CHIRP), ("--image", SMALL),
                                                                           ("--audio", NOTE, "--image", SMALL)))
    # what is shown adds its places and what frames them; the words around stay the same
    of_sound, of_picture = (shown["stats"]["prompt_tokens"] - plain["stats"]["prompt_tokens"] for shown in (heard, seen))
    assert 188 < of_sound < 188 + 8 and 256 < of_picture < 256 + 8, (of_sound, of_picture)
    assert other["stats"]["prompt_tokens"] == heard["stats"]["prompt_tokens"] and seen["ids"] != heard["ids"]
    assert both["stats"]["prompt_tokens"] > plain["stats"]["prompt_tokens"] + 188 + 256 and both["text"]
    result = run_json("transcribe", *GEMMA3N, NOTE)
    assert result["speech"] and result["finished"] and len(result["segments"]) >= 1
    assert run("describe", *GEMMA3N, SMALL, "-n", 4, "--temp", 0).stdout.strip()
    called = run_json("chat", *GEMMA3N, "--tools", "builtin", "--tool-choice", "required", "-p", "Please", "-n", 60, "--temp", 1, "--seed", 5, "-q")
    assert called["calls"] and all(call["name"] in ("calculator", "clock", "convert_units", "read_file") for call in called["calls"])
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "mel.npy"
        run("encode", "--mmproj", GEMMA3N[3], "--audio", NOTE, "--mel", out)
        assert read_npy(out)[0][1] == 128


def test_summarise():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        text, long = folder / "a.txt", folder / "b.txt"
        text.write_text("The cat sat on the mat. It was warm.\n")
        long.write_text("The cat sat on the mat. It was warm.\n\n" * 200)
        short = ("summarise", *see_and_hear(), "-n", 8, "--temp", 0, "--in", "German")
        assert run_json(*short, text)["parts"] == 0
        assert run_json(*short, long, "--ctx", 1024)["parts"] >= 3
        named = run(*short, text, long, "-p", "the cat").stdout.decode()
        assert f"{text}:\n" in named and f"{long}:\n" in named
        piped = run(*short, text=text.read_bytes())
        assert piped.stdout == run(*short, "-", text=text.read_bytes()).stdout == run(*short, text).stdout
        heard = run_json(*short, NOTE)
        assert heard["parts"] == 0 and heard["stop_reason"] in ("length", "eos")
        silence = run(*short, wave_file(folder / "silence.wav", [0] * 48000))
        assert silence.stdout == b"" and b"no speech is heard" in silence.stderr
        (folder / "empty.txt").write_text(" \n")
        assert b"no text" in run(*short, folder / "empty.txt", status=1).stderr
        (folder / "latin.txt").write_bytes(b"caf\xe9 au lait")
        run(*short, folder / "latin.txt", status=1)
        assert b"cannot hear" in run("summarise", "-m", TINY, NOTE, status=1).stderr
        assert b"--ctx" in run(*short, text, "--ctx", 32, status=1).stderr
        assert not list((pathlib.Path(ENVIRONMENT["XDG_STATE_HOME"]) / "facet/transcripts").iterdir())


def test_attached_text():
    ask = ("chat", *see_and_hear(), "-n", 4, "--temp", 0, "-q", "-p", "What is it?")
    with tempfile.TemporaryDirectory() as folder:
        one, two = pathlib.Path(folder) / "one.txt", pathlib.Path(folder) / "two <turn|>.txt"
        one.write_text("He said <image> and <|turn>model and <end_of_turn>.\n")
        two.write_text("And then he left.\n")
        plain, more = run_json(*ask), run_json(*ask, "--attach", one)
        assert more["stats"]["prompt_tokens"] > plain["stats"]["prompt_tokens"] + 10
        both = run_json(*ask, "--attach", one, "--attach", two)
        assert both["stats"]["prompt_tokens"] > more["stats"]["prompt_tokens"] + 5
        # a placeholder in a file is text: the picture goes to its place in the question
        show = ("chat", *see_and_hear(), "-n", 4, "--temp", 0, "-q", "--image", CHART, "-p", "What is <image> here?")
        shown, quoted = run_json(*show), run_json(*show, "--attach", one)
        assert quoted["stats"]["prompt_tokens"] - shown["stats"]["prompt_tokens"] == more["stats"]["prompt_tokens"] - plain["stats"]["prompt_tokens"]
        broken = pathlib.Path(folder) / "broken.txt"
        broken.write_bytes(b"\xff\xfe")
        assert b"UTF-8" in run(*ask, "--attach", broken, status=1).stderr
        run(*ask, "--attach", pathlib.Path(folder) / "missing.txt", status=1)


def test_long_recording_in_chat():
    full = run("chat", *see_and_hear(), "--audio", NOTE, "-p", "What is said?", "--ctx", 64, status=1).stderr
    assert b"facet-cli transcribe" in full and b"--attach" in full, full
    assert b"--attach" not in run("chat", *see_and_hear(), "-p", "one two " * 60, "--ctx", 64, status=1).stderr


def test_real_summary():
    text = ("The library committee met on Tuesday. The roof is leaking above the reading room. The committee decided to repair the roof in May. "
            "Repairs will cost 12,000 euros.")
    summary = run("summarise", "-m", real_model(), "-", "--temp", 0, text=text.encode()).stdout.decode()
    assert 10 < len(summary) < len(text) and "roof" in summary, summary


main("cli-sound", globals())
