#!/usr/bin/env python3
"""Runs facet-cli as a person or a program would, on a tiny model and, where there is one, on the real model. Prints TAP.

Usage: test-cli.py FACET-CLI    (FACET_TEST_DATA: the folder tests/data; FACET_TEST_MODEL: the real model, optional)
"""
import json
import math
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from facet_cli import CLI, DATA, ENVIRONMENT, KIT, main, read_npy, real_model, run, run_json, see_and_hear

TINY = KIT / "models/gemma3-tiny/text-q8_0.gguf"


def test_usage():
    assert b"chat" in run("--help").stdout
    run(status=2)
    assert b"nonsense" in run("nonsense", status=2).stderr
    for command in ("chat", "transcribe", "summarise", "translate", "describe", "tokenize", "score", "bench", "inspect", "slice", "devices", "logits"):
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


def test_json_keys():
    """What other programs read; more keys may be added, none renamed."""
    def check(result, *keys):
        assert set(keys) <= set(result), (sorted(result), keys)

    check(run_json("tokenize", "-m", TINY, "-p", "The cat"), "ids", "pieces")
    check(run_json("score", "-m", TINY, "-p", "The cat"), "ids", "logprobs", "total")
    answer = run_json("chat", "-m", TINY, "-q", "--raw", "-p", "The cat", "-n", 2, "--backend", "cpu")
    check(answer, "text", "ids", "stop_reason", "stats")
    check(answer["stats"], "prompt_tokens", "prefill_tokens_per_s", "generated_tokens", "decode_tokens_per_s", "time_to_first_token_ms",
          "backend")
    result = run_json("bench", "-m", TINY, "-p", 16, "-n", 2, "--repeat", 1)
    check(result, "prefill_tokens_per_s", "decode_tokens_per_s", "load_ms", "peak_rss_bytes")
    for name in ("prefill_tokens_per_s", "decode_tokens_per_s"):
        check(result[name], "min", "median", "max")


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
    run(*ask_tools("builtin", "--tools", "builtin"), status=1)  # each name once


def test_own_tools_are_asked_about():
    with tempfile.TemporaryDirectory() as folder:
        mark, tools = pathlib.Path(folder, "mark"), pathlib.Path(folder, "tools.json")
        tools.write_text(json.dumps({"tools": [{"name": "leave_mark", "description": "Leaves a mark.", "command": ["touch", str(mark)]}]}))
        run(*ask_tools("builtin", "--tools", tools))
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
    limit = run_json("inspect", TINY)["metadata"]["gemma3.context_length"]
    for command in (("chat", "-p", "x"), ("bench",)):
        beyond = run(*command, "-m", TINY, "--ctx", limit + 1, status=1).stderr.decode()
        assert f"at most {limit} tokens" in beyond and f"asks for {limit + 1}" in beyond, beyond
    full = run("chat", "-m", TINY, "--raw", "--ctx", 16, "-p", "one two three four five six seven eight nine ten eleven", status=1)
    assert b"--ctx" in full.stderr and full.stdout == b""


def test_media_refusals():
    sound, picture = DATA / "kit/inputs/note_it.wav", DATA / "kit/inputs/chart.png"
    deaf = run("chat", "-m", TINY, "--audio", sound, "-p", "x", status=1)
    assert b"cannot hear" in deaf.stderr and deaf.stdout == b""
    blind = run("chat", "-m", TINY, "--image", picture, "-p", "x", status=1).stderr.decode()
    assert f"add --mmproj {TINY.parent / 'mmproj.gguf'}" in blind, blind


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
    lines = run("describe", *see_and_hear(), chart, photo, "-n", 4, "--temp", 0, "--json").stdout.splitlines()
    assert [json.loads(line)["file"] for line in lines] == [str(chart), str(photo)]
    named = run("describe", *see_and_hear(), chart, photo, "-n", 4, "--temp", 0, "--chart").stdout.decode()
    assert f"{chart}:\n" in named and f"{photo}:\n" in named
    assert b"--mmproj" in run("describe", "-m", TINY, chart, status=1).stderr
    run("describe", *see_and_hear(), status=2)


def test_real_translation():
    model = real_model()
    assert "wetter" in run_json("translate", "-m", model, "--to", "German", "The weather is nice today.")["text"].lower()
    french = run("translate", "-m", model, "--to", "French", "-f", "-", text=b"Good night.\n\nGood night.\n").stdout.decode()
    assert french.lower().count("bonne nuit") == 2 and "\n\n" in french


def test_chat_piped():
    answer = run("chat", "-m", TINY, "-q", "-n", 4, "--temp", 0, text=b"Hello\n\nAgain\n")
    assert answer.stdout.count(b"\n") >= 2 and answer.stderr == b""


def test_model_changed():
    """A model file that is cut while it is used ends the program with a sentence, not by a signal."""
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model.gguf"
        shutil.copy(TINY, model)
        child = subprocess.Popen([CLI, "chat", "-m", model, "-q", "-n", "2", "--temp", "0"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
        child.stdin.write(b"One\n")
        child.stdin.flush()
        assert child.stdout.readline()
        os.truncate(model, 4096)
        output, errors = child.communicate(b"Two\nThree\n", timeout=30)
        assert child.returncode == 1 and output == b"", (child.returncode, output, errors)
        assert errors.decode().count("changed while it was in use") == 1 and str(model) in errors.decode(), errors


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
    for name in (phase + unit for phase in ("prefill", "decode") for unit in ("_tokens_per_s", "_tokens_per_processor_s")):
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
    alone = json.loads(run("inspect", TINY, "--json", "--ctx", "1000", "--backend", "cpu").stdout)["placement"]
    assert "device" not in alone and alone["processor"]["layers"] == alone["layers"] > 2
    assert alone["processor"]["kv_cache"] == memory["kv_cache"] and alone["processor"]["weights"] == memory["weights"]
    assert f"layers 1 to {alone['layers']} of {alone['layers']}; ".encode() in run("inspect", TINY, "--backend", "cpu").stdout
    listed = run("devices").stdout.decode()
    devices = json.loads(run("devices", "--json").stdout)
    assert devices[0]["backend"] == "cpu" and f"cpu 0: {devices[0]['name']}\n" in listed
    german = run("devices", language="de").stdout.decode()
    for device in (device for device in devices[1:] if device["device"] > 0):
        assert f"vulkan {device['device']}: {device['name']}" in listed and device["driver"] in listed
        assert device["memory"] == sum(heap["bytes"] for heap in device["heaps"] if heap["own"]) > 0, device
        assert all(heap["budget"] is None or 0 < heap["budget"] <= heap["bytes"] for heap in device["heaps"]), device
        assert listed.count("  memory") >= len(device["heaps"])
        assert "verdict: " in listed and "Urteil: " in german, german


def test_placement():
    """How a model is divided follows the memory that may be used, and is what a session then does."""
    devices = [device for device in run_json("devices")[1:] if not device["unfit"]]
    if not devices:
        raise Skip("there is no graphics device")
    where = ("--backend", "vulkan", "--device", devices[0]["device"], "--ctx", 1000)
    total = run_json("inspect", TINY, "--backend", "cpu", "--ctx", 1000)["placement"]["processor"]
    shares = []
    for size in ("1k", "33792K", "34M", "34816K", "36M", "1G"):
        placement = run_json("inspect", TINY, *where, "--device-memory", size)["placement"]
        device, processor = placement["device"], placement["processor"]
        assert device["layers"] + processor["layers"] == placement["layers"], placement
        for key in ("weights", "kv_cache"):
            assert device[key] + processor[key] == total[key], placement
        assert device["weights"] + device["kv_cache"] + device["compute"] <= placement["room"]
        shares.append(device["layers"])
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == placement["layers"], shares
    assert b"no layer fits" in run("inspect", TINY, *where, "--device-memory", 1).stdout
    ask = ("chat", "-m", TINY, "--raw", "-p", "The cat", "-n", 2, *where)
    assert b"cannot run" in run(*ask, "--device-memory", "1k").stderr
    assert b"graphics device" not in run(*ask, "--device-memory", "1G").stderr
    for wrong in ("0", "-1", "1.5G", "4X", "4GG", "G", "99999999999G", ""):
        assert b"amount of memory" in run(*ask, "--device-memory", wrong, status=2).stderr, wrong


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


def test_names_reach_no_terminal():
    """Names of files, whatever they hold, stand in one line, and nothing in them acts on a terminal."""
    bad = "\x1b[31mred\x07\nfacet-cli: all is well\u202egnp\x9b31m"
    shown = "␛[31mred␇␊facet-cli: all is well\ufffdgnp\ufffd31m"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / bad).write_bytes(b"\xff\xfe\x00")
        model = folder / (bad + ".gguf")
        model.write_bytes(TINY.read_bytes())
        missing, file = folder / (bad + "-missing"), folder / bad
        refused = [("chat", "-m", missing, "-p", "a"), ("chat", "-m", file, "-p", "a"), ("chat", "-m", TINY, "-f", missing), ("inspect", missing),
                   ("chat", "-m", TINY, "-p", "a", "--attach", missing), ("chat", "-m", TINY, "-p", "a", "--attach", file),
                   ("chat", "-m", TINY, "-p", "a", "--tools", missing), ("chat", *see_and_hear(), "-p", "a", "--image", missing),
                   ("transcribe", *see_and_hear(), file), ("summarise", *see_and_hear(), file), ("describe", *see_and_hear(), missing),
                   ("encode", "--mmproj", missing, "--image", missing), ("slice", missing, "-o", "x", "--e2b"),
                   ("slice", KIT / "models/gemma3n-tiny/text-q4_0.gguf", "-o", missing / "x", "--feed-forward", 64),
                   ("logits", "-m", TINY, "-p", "a", "-o", "x", "--dump-layers", file)]
        for arguments in refused:
            said = run(*arguments, status=1)
            assert said.stdout == b"" and shown in said.stderr.decode(), (arguments[0], said)
            assert not set("\x1b\x07\x9b\u202e") & set(said.stderr.decode()) and b"\nfacet-cli: all" not in said.stderr, said
        for arguments in (("tokenize", "-m", TINY, "-p", "a", bad), (bad,), ("logits", "-m", TINY, "-o", "x", "--ids", bad)):
            said = run(*arguments, status=2)
            assert b"\x1b" not in said.stderr and shown in said.stderr.decode(), said
        said = run("inspect", model).stdout.decode()
        assert said.count("all is well") == 1 and "\x1b" not in said and "\u202e" not in said and not said.split("all is well")[0].count("\n"), said[:300]


def test_isolates():
    """Sentences from right to left keep names apart with these; only where they are closed, so that none reaches beyond its name."""
    for name, shown in (("\u2068a\u2069", "\u2068a\u2069"), ("a\u2069b", "a\ufffdb"), ("\u2067a", "\ufffda"), ("\u2069a\u2068", "\ufffda\ufffd")):
        said = run("chat", "-m", f"/nonexistent/{name}", "-p", "a", status=1).stderr.decode()
        assert f"/nonexistent/{shown}\n" in said, (name, said)


def difference(left, right):
    return sum(abs(a - b) for a, b in zip(left, right)) / len(left)


main("cli", globals())
