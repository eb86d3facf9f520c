#!/usr/bin/env python3
"""Runs facet-cli as a person or a program would, on a tiny model and, where there is one, on the real model. Prints TAP.

Usage: test-cli.py FACET-CLI    (FACET_TEST_DATA: the folder tests/data; FACET_TEST_MODEL: the real model, optional)
"""
import json
import math
import os
import pathlib
import signal
import struct
import subprocess
import tempfile
import time
import wave

from facet_cli import CLI, DATA, ENVIRONMENT, KIT, Skip, main, read_npy, run, run_json

TINY = KIT / "models/gemma3-tiny/text-q8_0.gguf"
REAL = os.environ.get("FACET_TEST_MODEL")


def real_model():
    if not REAL:
        raise Skip("FACET_TEST_MODEL is not set")
    return REAL


def test_usage():
    assert b"chat" in run("--help").stdout
    run(status=2)
    assert b"nonsense" in run("nonsense", status=2).stderr
    for command in ("chat", "transcribe", "translate", "describe", "tokenize", "score", "bench", "inspect", "devices", "logits"):
        text = run(command, "--help").stdout
        assert b"Exit status" in text and command.encode() in text
    for wrong in (["--temp", "-x"], ["--ctx", "-1"], ["--backend", "abacus"], ["--top-p", "2"], ["-n", "-1"], ["stray"], ["--json"],
                  ["-p", "a", "-f", "b"]):
        assert run("chat", "-m", TINY, *wrong, status=2).stderr
    assert b"./run" in run("chat", "-p", "x", status=1).stderr


def test_broken_files():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        whole = TINY.read_bytes()
        broken = {
            "empty": b"",
            "page": b"<!DOCTYPE html><html></html>",
            "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "cut-header": whole[:100],
            "cut-data": whole[:len(whole) // 2],
        }
        for name, data in broken.items():
            path = folder / f"{name}.gguf"
            path.write_bytes(data)
            error = run("chat", "-m", path, "-p", "x", status=1).stderr.decode()
            assert str(path) in error and error.startswith("facet-cli chat: "), error
        run("chat", "-m", folder, "-p", "x", status=1)
        projector = DATA / "kit/models/gemma3-tiny/mmproj.gguf"
        assert b"projector" in run("chat", "-m", projector, "-p", "x", status=1).stderr


def test_tokenize():
    rows = json.loads((DATA / "kit/expected/gemma3/tokens.json").read_text())["rows"]
    row = next(row for row in rows if row["text"] == "Hello, world!")
    result = run_json("tokenize", "-m", TINY, "-p", row["text"])
    assert result["ids"] == row["ids_plain"] and len(result["pieces"]) == len(result["ids"])
    control = "a<end_of_turn>"
    special = run_json("tokenize", "-m", TINY, "-p", control, "--parse-special")
    plain = run_json("tokenize", "-m", TINY, "-p", control)
    assert "<end_of_turn>" in special["pieces"] and "<end_of_turn>" not in plain["pieces"]
    piped = json.loads(run("tokenize", "-m", TINY, "-f", "-", "--json", text=row["text"].encode()).stdout)
    assert piped["ids"] == row["ids_plain"]
    assert run_json("tokenize", "-m", TINY, "-p", b"\xff\xfeok".decode("utf-8", "surrogateescape"))["ids"]


def test_score():
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        file.write("The cat sat. Die Katze saß.".encode())
        file.flush()
        result = run_json("score", "-m", TINY, "--file", file.name)
    assert result["ids"][0] == 2 and result["logprobs"][0] is None
    assert len(result["ids"]) == len(result["logprobs"]) > 5
    assert all(value < 0 for value in result["logprobs"][1:])
    assert math.isclose(sum(result["logprobs"][1:]), result["total"], rel_tol=1e-6)
    run("score", "-m", TINY, "-p", "", status=1)


def test_chat_json():
    ask = ("chat", "-m", TINY, "-q", "--raw", "-p", "The cat", "-n", 12, "--temp", 1, "--seed", 7)
    first, second = run_json(*ask), run_json(*ask)
    assert first["text"] == second["text"] and first["ids"] == second["ids"]
    assert first["stop_reason"] in ("length", "eos")
    stats = first["stats"]
    assert stats["prompt_tokens"] >= 3 and stats["generated_tokens"] == len(first["ids"]) and stats["backend"].startswith("cpu")
    assert stats["prefill_tokens_per_s"] > 0 and stats["time_to_first_token_ms"] > 0
    texts = {run_json(*ask[:-1], seed)["text"] for seed in range(1, 5)}
    assert len(texts) > 1


def ask_tools(*more):
    return ("chat", "-m", TINY, "--tools", *more, "-p", "Please", "-n", 60, "--temp", 1, "--seed", 5)


def test_tools():
    for form in ("json", "lines"):
        answer = run_json(*ask_tools("builtin", "--tool-choice", "required", "--call-form", form), "-q")
        assert answer["calls"], answer
        for call in answer["calls"]:
            assert call["name"] in ("calculator", "clock", "convert_units", "read_file") and isinstance(call["arguments"], dict)
            assert isinstance(call["result"], str)
        assert "function_name" not in answer["text"] and "FUNCTION_CALL" not in answer["text"]
    assert run_json(*ask_tools("builtin"), "-q")["thoughts"] == ""
    assert b"--tools" in run("chat", "-m", TINY, "--tool-choice", "required", "-p", "x", status=2).stderr
    assert b"--call-form" in run(*ask_tools("builtin", "--call-form", "verse"), status=2).stderr
    assert b"--raw" in run(*ask_tools("builtin", "--raw"), status=2).stderr
    run(*ask_tools("/nonexistent/tools.json"), status=1)


def test_own_tools_are_asked_about():
    with tempfile.TemporaryDirectory() as folder:
        mark, tools = pathlib.Path(folder, "mark"), pathlib.Path(folder, "tools.json")
        tools.write_text(json.dumps({"tools": [{"name": "leave_mark", "description": "Leaves a mark.", "command": ["touch", str(mark)]}]}))
        arguments = ask_tools(tools, "--tool-choice", "required")
        refused = run(*arguments)
        assert b"touch" in refused.stderr and b"no terminal" in refused.stderr and not mark.exists()
        for typed, wanted in ((b"n\n", False), (b"\n", False), (b"y\n", True)):
            assert at_terminal(arguments, typed).count(b"touch") >= 1
            assert mark.exists() == wanted, typed


def at_terminal(arguments, typed):
    """What facet-cli writes to a terminal where the same is typed at every question."""
    parent, child = os.openpty()
    process = subprocess.Popen([CLI, *map(str, arguments)], stdin=child, stdout=subprocess.DEVNULL, stderr=child, env=ENVIRONMENT)
    os.close(child)
    os.write(parent, typed * 40)
    output = b""
    try:
        while block := os.read(parent, 4096):
            output += block
    except OSError:
        pass
    os.close(parent)
    assert process.wait(timeout=60) == 0
    return output


def test_chat_limits():
    assert run_json("chat", "-m", TINY, "--raw", "-p", "a", "-n", 1, "--temp", 0)["stop_reason"] == "length"
    full = run("chat", "-m", TINY, "--raw", "--ctx", 16, "-p", "one two three four five six seven eight nine ten eleven", status=1)
    assert b"--ctx" in full.stderr and full.stdout == b""


def test_media_refusals():
    sound, picture = DATA / "kit/inputs/note_it.wav", DATA / "kit/inputs/chart.png"
    deaf = run("chat", "-m", TINY, "--audio", sound, "-p", "x", status=1)
    assert b"cannot hear" in deaf.stderr and deaf.stdout == b""
    blind = run("chat", "-m", TINY, "--image", picture, "-p", "x", status=1).stderr.decode()
    assert f"add --mmproj {TINY.parent / 'mmproj.gguf'}" in blind, blind


def wave_file(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return path


def hearing(folder="gemma4-tiny", model="text-q8_0.gguf"):
    return "-m", DATA / "kit/models" / folder / model, "--mmproj", DATA / "kit/models" / folder / "mmproj.gguf"


def test_transcribe():
    note = DATA / "kit/inputs/note_it.wav"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        silence = wave_file(folder / "silence.wav", [0] * 48000)
        result = run_json("transcribe", *hearing(), note)
        assert result["speech"] and result["finished"] and 3.7 < result["seconds"] < 3.8
        assert result["text"] == " ".join(segment["text"] for segment in result["segments"])
        assert all(0 <= segment["start"] < segment["end"] < 4 for segment in result["segments"])
        assert run_json("transcribe", *hearing(), note, "--fresh")["text"] == result["text"]

        plain = run("transcribe", *hearing(), note, "--srt", folder / "a.srt", "--vtt", folder / "a.vtt", "--txt", folder / "a.txt")
        assert plain.stdout.decode().rstrip("\n") == result["text"] == (folder / "a.txt").read_text()
        assert (folder / "a.srt").read_text().startswith("1\n00:00:0") and (folder / "a.vtt").read_text().startswith("WEBVTT\n")
        assert run("transcribe", *hearing(), note, "--srt", "-").stdout.decode() == (folder / "a.srt").read_text()

        nothing = run("transcribe", *hearing(), silence)
        assert nothing.stdout == b"" and b"no speech is heard" in nothing.stderr
        quiet = run_json("transcribe", *hearing(), silence)
        assert quiet["text"] == "" and quiet["segments"] == [] and quiet["speech"] is False and quiet["finished"] is True

        lines = run("transcribe", *hearing(), note, silence, "--json", "--translate-to", "German").stdout.splitlines()
        assert [json.loads(line)["speech"] for line in lines] == [True, False]
        broken = folder / "broken.wav"
        broken.write_bytes(b"RIFF")
        failed = run("transcribe", *hearing(), broken, silence, status=1)
        assert str(broken).encode() in failed.stderr and b"no speech is heard" in failed.stderr

    assert b"cannot hear" in run("transcribe", "-m", TINY, note, status=1).stderr
    run("transcribe", *hearing(), status=2)
    run("transcribe", *hearing(), note, note, "--srt", "x.srt", status=2)
    run("transcribe", *hearing(), note, "--json", "--srt", "-", status=2)


def test_transcribe_goes_on():
    """Stopped between two pieces, the next run takes the first from the journal and gives what an undisturbed one gives."""
    with wave.open(str(DATA / "kit/inputs/note_it.wav")) as file:
        note = struct.unpack(f"<{file.getnframes()}h", file.readframes(file.getnframes()))
    with tempfile.TemporaryDirectory() as folder:
        long = wave_file(pathlib.Path(folder) / "long.wav", ([*note] + [0] * 80000) * 12)
        state = pathlib.Path(ENVIRONMENT["XDG_STATE_HOME"]) / "facet/transcripts"
        whole = run_json("transcribe", *hearing(), long)
        assert len(whole["segments"]) == 12 and not list(state.iterdir())
        child = subprocess.Popen([CLI, "transcribe", *map(str, hearing()), str(long)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=ENVIRONMENT)
        first = child.stdout.read(4)
        child.kill()
        child.communicate()
        assert first
        journal, = state.iterdir()
        kept = [json.loads(line) for line in journal.read_text().splitlines()[1:]]
        assert 0 < len(kept) < 12
        assert [line["text"] for line in kept] == [segment["text"] for segment in whole["segments"][:len(kept)]]
        kept[0]["text"] = "Known already."
        head = journal.read_text().splitlines()[0]
        journal.write_text("\n".join([head, *map(json.dumps, kept)]) + "\n")
        again = run_json("transcribe", *hearing(), long)
        assert again["segments"][0]["text"] == "Known already." and again["segments"][1:] == whole["segments"][1:]
        assert not list(state.iterdir())


def test_sound_in_chat():
    note, chart = DATA / "kit/inputs/note_it.wav", DATA / "kit/inputs/chart.png"
    ask = ("chat", *hearing(), "-n", 4, "--temp", 0, "-q")
    chirp = run_json(*ask, "--audio", DATA / "kit/inputs/chirp.wav", "-p", "one two")
    sound = run_json(*ask, "--audio", note, "-p", "one two")
    assert sound["stats"]["prompt_tokens"] - chirp["stats"]["prompt_tokens"] == 94 - 34
    both = run_json(*ask, "--audio", note, "--image", chart, "-p", "<audio> one <image> two")
    other = run_json(*ask, "--audio", note, "--image", chart, "-p", "<image> one <audio> two")
    assert both["stats"]["prompt_tokens"] == other["stats"]["prompt_tokens"] > sound["stats"]["prompt_tokens"]
    with tempfile.TemporaryDirectory() as folder:
        a, b = pathlib.Path(folder) / "a.npy", pathlib.Path(folder) / "b.npy"
        for path, words in ((a, "<audio> one <image> two"), (b, "<image> one <audio> two")):
            run("logits", *hearing(), "--template", "--audio", note, "--image", chart, "-p", words, "-o", path)
        assert read_npy(a)[1] != read_npy(b)[1]


def test_translate():
    text = "One two.\n\n  Three four.\n \n\nFive.\n"
    result = run("translate", "-m", TINY, "--to", "German", "-n", 3, "--temp", 0, text=text.encode())
    assert result.stdout.decode().count("\n\n") >= 2
    assert run_json("translate", "-m", TINY, "--to", "German", "-n", 3, "--temp", 0, "Hello", "there")["language"] == "German"
    run("translate", "-m", TINY, "Hello", status=2)
    run("translate", "-m", TINY, "--to", "German", "-p", "a", "b", status=2)
    run("translate", "-m", TINY, "--to", "German", "-p", "a", "-f", "b", status=2)


def test_describe():
    chart, photo = DATA / "kit/inputs/chart.png", DATA / "kit/inputs/photo.png"
    lines = run("describe", *hearing(), chart, photo, "-n", 4, "--temp", 0, "--json").stdout.splitlines()
    assert [json.loads(line)["file"] for line in lines] == [str(chart), str(photo)]
    named = run("describe", *hearing(), chart, photo, "-n", 4, "--temp", 0, "--chart").stdout.decode()
    assert f"{chart}:\n" in named and f"{photo}:\n" in named
    assert b"--mmproj" in run("describe", "-m", TINY, chart, status=1).stderr
    run("describe", *hearing(), status=2)


def test_real_translation():
    model = real_model()
    assert "wetter" in run_json("translate", "-m", model, "--to", "German", "The weather is nice today.")["text"].lower()
    french = run("translate", "-m", model, "--to", "French", "-f", "-", text=b"Good night.\n\nGood night.\n").stdout.decode()
    assert french.lower().count("bonne nuit") == 2 and "\n\n" in french


def test_chat_piped():
    answer = run("chat", "-m", TINY, "-q", "-n", 4, "--temp", 0, text=b"Hello\n\nAgain\n")
    assert answer.stdout.count(b"\n") >= 2 and answer.stderr == b""


def test_interrupt():
    child = subprocess.Popen([CLI, "chat", "-m", real_model(), "--raw", "-p", "Once upon a time", "-n", "4000", "--temp", "1", "--seed", "3"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
    assert child.stdout.read(4)
    start = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=10)
    assert child.returncode == 130, child.returncode
    assert time.monotonic() - start < 2
    assert b"stopped" in errors


def test_bench():
    result = run_json("bench", "-m", TINY, "-p", 32, "-n", 8, "--depth", 16, "--threads", 1, "--repeat", 2)
    for name in ("prefill_tokens_per_s", "decode_tokens_per_s"):
        assert 0 < result[name]["min"] <= result[name]["median"] <= result[name]["max"]
    assert result["load_ms"] > 0 and result["peak_rss_bytes"] > 1 << 20


def test_bench_sound():
    projector, note = DATA / "kit/models/gemma4-tiny/mmproj.gguf", DATA / "kit/inputs/note_it.wav"
    measure = ("bench", "--audio", note, "--mmproj", projector, "--threads", 1, "-r", 2)
    result = run_json(*measure)
    times = result["encode_ms"]
    assert 0 < times["min"] <= times["median"] <= times["max"] and result["tokens"] == 94, result
    assert abs(result["seconds"] - 3.74) < 0.01, result
    assert math.isclose(result["times_real_time"], result["seconds"] / times["median"] * 1000, rel_tol=1e-3), result
    assert 0.01 < result["gflop"] < 1 and 0 < result["share_of_peak"] < 2, result
    assert b"times real time" in run(*measure).stdout
    assert b"--mmproj" in run("bench", "--audio", note, status=2).stderr
    assert b"together" in run(*measure, "--image", DATA / "kit/inputs/chart.png", status=2).stderr
    assert b"no sound encoder" in run("bench", "--audio", note, "--mmproj", DATA / "kit/models/gemma3-tiny/mmproj.gguf", status=1).stderr


def test_inspect_and_devices():
    assert b"gemma3" in run("inspect", TINY).stdout
    memory = json.loads(run("inspect", TINY, "--json", "--ctx", "1000").stdout)["memory"]
    assert memory["context"] == 1000 and memory["kv_cache"] > 0
    assert memory["total"] == memory["weights"] + memory["kv_cache"] + memory["compute"]
    assert memory["weights"] == os.path.getsize(TINY)
    larger = json.loads(run("inspect", TINY, "--json", "--ctx", "2000").stdout)["memory"]
    assert larger["kv_cache"] > memory["kv_cache"]
    listed = run("devices").stdout.decode()
    devices = json.loads(run("devices", "--json").stdout)
    assert devices[0]["backend"] == "cpu" and f"cpu 0: {devices[0]['name']}\n" in listed
    german = run("devices", language="de").stdout.decode()
    for device in devices[1:]:
        assert f"vulkan {device['device']}: {device['name']}" in listed and device["driver"] in listed
        assert "verdict: " in listed and "Urteil: " in german, german


def test_real_answers():
    model = real_model()
    for question, wanted in (("What is the capital of Japan?", "tokyo"), ("Translate to Italian: good morning", "buon")):
        answer = run_json("chat", "-m", model, "-q", "-p", question)
        assert wanted in answer["text"].lower() and answer["stop_reason"] == "eos", answer
    plain = run("chat", "-m", model, "-p", "Hello")
    assert plain.stdout.strip() and b"base model" in plain.stderr


def test_real_score():
    expected = json.loads((DATA / "kit/expected/real-gemma3-270m/logits.json").read_text())["text600"]
    reference = expected["dequantised_f32"]
    ours = {}
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        file.write(expected["text"].encode())
        file.flush()
        for mode in ("", "--exact"):
            result = run_json("score", "-m", real_model(), "--file", file.name, *([mode] if mode else []))
            assert result["ids"] == expected["ids"]
            assert math.isclose(result["total"], reference["total_logprob"], rel_tol=1e-3)
            ours[mode] = difference(result["logprobs"][1:], reference["logprob_per_token"])
    theirs = difference(expected["logprob_per_token"], reference["logprob_per_token"])
    print(f"# mean difference: fast {ours['']:.4f}, exact {ours['--exact']:.4f}, llama.cpp {theirs:.4f}")
    assert ours[""] <= theirs and ours["--exact"] <= theirs / 10


def difference(left, right):
    return sum(abs(a - b) for a, b in zip(left, right)) / len(left)


main("cli", globals())
