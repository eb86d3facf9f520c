#!/usr/bin/env python3
"""Runs facet-cli on pictures, with the tiny models and their projectors. Prints TAP.

Usage: test-cli-pictures.py FACET-CLI    (FACET_TEST_DATA: the folder tests/data)
"""
import math
import pathlib
import signal
import struct
import subprocess
import tempfile
import time

from facet_cli import CLI, DATA, ENVIRONMENT, KIT, main, read_npy, read_npz, run, run_json

TEXT = KIT / "models/gemma3-tiny/text-q8_0.gguf"
GEMMA3 = KIT / "models/gemma3-tiny/mmproj.gguf"
GEMMA4 = KIT / "models/gemma4-tiny/mmproj.gguf"
PHOTO, CHART = KIT / "inputs/photo.png", KIT / "inputs/chart.png"


def tall_picture(folder):
    """300 x 1000 pixels, which Gemma 3 is shown in three parts, too."""
    path = pathlib.Path(folder) / "tall.ppm"
    path.write_bytes(b"P6\n300 1000\n255\n" + bytes(x * y % 251 for y in range(1000) for x in range(900)))
    return path


def test_encode():
    with tempfile.TemporaryDirectory() as folder:
        out, pixels = pathlib.Path(folder) / "soft.npy", pathlib.Path(folder) / "pixels.npy"
        result = run_json("encode", "--mmproj", GEMMA4, "--image", PHOTO, "-o", out, "--pixels", pixels, "--image-detail", 70)
        assert (result["tokens"], result["width"]) == (63, 256), result
        data = out.read_bytes()
        length = struct.unpack("<H", data[8:10])[0]
        assert b"(63, 256)" in data[:10 + length] and len(data) == 10 + length + 4 * 63 * 256
        assert b"(3, 336, 432)" in pixels.read_bytes()[:128]


def test_encode_values():
    """What the original computes of the same picture, from its file on."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "soft.npy"
        run("encode", "--mmproj", GEMMA3, "--image", PHOTO, "-o", out, "--exact")
        shape, soft = read_npy(out)
        ((expected_shape, expected),) = read_npz(KIT / "expected/gemma3/vision_photo.npz", "soft_tokens")
        off = math.dist(soft, expected) / math.hypot(*expected)
        assert shape == expected_shape == (16, 256) and off < 1e-5, (shape, off)


def catches_interrupts(child):
    caught = [line for line in pathlib.Path(f"/proc/{child.pid}/status").read_text().splitlines() if line.startswith("SigCgt:")]
    return int(caught[0].split()[1], 16) >> (signal.SIGINT - 1) & 1


def test_encode_interrupted():
    with tempfile.TemporaryDirectory() as folder:
        out, pixels = pathlib.Path(folder) / "soft.npy", pathlib.Path(folder) / "pixels.npy"
        out.write_bytes(b"before")
        child = subprocess.Popen([CLI, "encode", "--mmproj", GEMMA3, "--image", PHOTO, "-o", out, "--pixels", pixels, "-r", "1000000000"],
                                 stderr=subprocess.PIPE, env=ENVIRONMENT)
        try:
            while child.poll() is None and not catches_interrupts(child):
                time.sleep(0.01)
            child.send_signal(signal.SIGINT)
            _, errors = child.communicate(timeout=60)
        finally:
            child.kill()
        assert child.returncode == 130 and b"Stopped" in errors, (child.returncode, errors)
        assert [path.name for path in pathlib.Path(folder).iterdir()] == ["soft.npy"] and out.read_bytes() == b"before"


def test_encode_writes_whole_files():
    with tempfile.TemporaryDirectory() as folder:
        out, link = pathlib.Path(folder) / "soft.npy", pathlib.Path(folder) / "link.npy"
        out.write_bytes(b"longer than it will be " * 1000000)
        link.symlink_to(out)
        encode = ("encode", "--mmproj", GEMMA3, "--image", PHOTO, "-o")
        run(*encode, out)
        whole = out.read_bytes()
        assert len(whole) == 128 + 4 * 16 * 256, len(whole)
        out.write_bytes(b"x")
        run(*encode, link)
        assert link.is_symlink() and out.read_bytes() == whole
        # No room: nothing stays behind, and the file that was there does.
        limited = subprocess.run(["sh", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "sh", CLI, *map(str, encode), out],
                                 capture_output=True, env=ENVIRONMENT, timeout=120)
        assert limited.returncode == 1 and b"cannot be written" in limited.stderr, limited
        assert out.read_bytes() == whole and sorted(path.name for path in pathlib.Path(folder).iterdir()) == ["link.npy", "soft.npy"]


def test_projector_that_fits():
    with tempfile.TemporaryDirectory() as folder:
        alone = pathlib.Path(folder) / "text.gguf"
        alone.symlink_to(TEXT)
        blind = run("chat", "-m", alone, "--image", PHOTO, "-p", "x", status=1).stderr
        assert b"made for gemma3 models of width 256; there is none beside it" in blind, blind
        # Of another family, though of the same width.
        for name, projector in (("a.gguf", GEMMA4), ("b.gguf", GEMMA3)):
            (pathlib.Path(folder) / name).symlink_to(projector)
        text = run("chat", "-m", alone, "--mmproj", GEMMA4, "--raw", "-p", "x", "-n", 2)
        assert b"gemma4v" in text.stderr and text.stdout != b"", text
        unfit = run("chat", "-m", alone, "--mmproj", GEMMA4, "--image", PHOTO, "-p", "x", status=1)
        assert f"add --mmproj {folder}/b.gguf".encode() in unfit.stderr and unfit.stdout == b"", unfit
    refused = run("encode", "-m", TEXT, "--mmproj", GEMMA4, "--image", PHOTO, status=1).stderr
    assert b"does not fit" in refused and b"of width 256" in refused, refused
    run("encode", "-m", TEXT, "--mmproj", GEMMA3, "--image", PHOTO)


def test_places():
    """<image> says where a picture stands; those without a place come first."""
    with tempfile.TemporaryDirectory() as folder:
        logits = {}
        for words in ("one <image> two <image>", "<image><image>one  two ", "one  two ", "one <image> two "):
            out = pathlib.Path(folder) / "out.npy"
            run("logits", "-m", TEXT, "--mmproj", GEMMA3, "--template", "--image", PHOTO, "--image", CHART, "-p", words, "-o", out)
            logits[words] = out.read_bytes()
        assert len(set(logits.values())) == 3 and logits["<image><image>one  two "] == logits["one  two "], [len(v) for v in logits.values()]
        tokens = [run_json("chat", "-m", TEXT, "--mmproj", GEMMA3, "--image", PHOTO, "--image", CHART, "-p", words, "-n", 1,
                           "--pan-and-scan", "off")["stats"]["prompt_tokens"] for words in ("<image> one <image> two", "one two")]
        plain = run_json("chat", "-m", TEXT, "-p", "one two", "-n", 1)["stats"]["prompt_tokens"]
        assert min(tokens) >= plain + 32, (tokens, plain)


def test_detail():
    counts = [run_json("encode", "--mmproj", GEMMA4, "--image", PHOTO, "--image-detail", n)["tokens"] for n in (70, 140, 280)]
    assert counts == sorted(set(counts)), counts
    wrong = run("encode", "--mmproj", GEMMA4, "--image", PHOTO, "--image-detail", 100, status=1).stderr
    assert b"70, 140, 280, 560, 1120" in wrong, wrong
    fixed = run("encode", "--mmproj", GEMMA3, "--image", PHOTO, "--image-detail", 280, status=1).stderr
    assert b"only 16" in fixed, fixed


def test_parts():
    with tempfile.TemporaryDirectory() as folder:
        tall = tall_picture(folder)
        costs = {}
        for when in ("auto", "on", "off"):
            stats = run_json("chat", "-m", TEXT, "--mmproj", GEMMA3, "--image", tall, "-p", "What is it?", "-n", 2, "-c", 1024,
                             "--pan-and-scan", when)["stats"]
            costs[when] = (stats["crops"], stats["crop_tokens"], stats["prompt_tokens"])
        assert costs["auto"][:2] == costs["on"][:2] == (3, 48) and costs["off"][:2] == (0, 0), costs
        assert costs["auto"][2] > costs["off"][2] + 48
        shown = run("chat", "-m", TEXT, "--mmproj", GEMMA3, "--image", tall, "-p", "What?", "-n", 2, "-c", 1024, "--stats").stderr
        assert b"3 parts, 48 tokens" in shown, shown
        assert b"auto, on and off" in run("chat", "--pan-and-scan", "maybe", status=2).stderr


def test_score_image():
    for policy in ("violence", "No cats: the picture shall not show any."):
        result = run_json("score-image", "-m", TEXT, "--mmproj", GEMMA3, "--image", PHOTO, "--policy", policy, "-c", 512)
        assert 0 < result["probability"] < 1, result
    run("score-image", "-m", TEXT, "--mmproj", GEMMA3, "--image", PHOTO, status=2)


def test_safety_model():
    """It is told by its name, and each command says when it is not made for the other's work."""
    with tempfile.TemporaryDirectory() as folder:
        safety = pathlib.Path(folder) / "model.gguf"
        safety.write_bytes(pathlib.Path(TEXT).read_bytes().replace(b"gemma3-tiny-random", b"shieldgemma-2-tiny", 1))
        judge = ("--mmproj", GEMMA3, "--image", PHOTO, "--policy", "sexual", "-c", 512)
        asked = run("score-image", "-m", safety, *judge)
        other = run("score-image", "-m", TEXT, *judge)
        assert asked.stdout == other.stdout and asked.stderr == b"" and b"no safety model" in other.stderr, (asked, other)
        chat = ("-p", "Hello", "-n", 1, "-c", 512)
        assert b"this is a safety model" in run("chat", "-m", safety, *chat).stderr
        assert b"safety model" not in run("chat", "-m", TEXT, *chat).stderr


def test_bench():
    result = run_json("bench", "--image", PHOTO, "--mmproj", GEMMA3, "--threads", 1, "-r", 2)
    times = result["encode_ms"]
    assert 0 < times["min"] <= times["median"] <= times["max"] and result["tokens"] == 16, result
    assert result["gflop"] > 0.01 and 0 < result["share_of_peak"] < 2, result
    assert b"--mmproj" in run("bench", "--image", PHOTO, status=2).stderr


def test_cut_picture():
    failed = run("encode", "--mmproj", GEMMA3, "--image", DATA / "images/cut-closed.jpg", status=1).stderr
    assert b"data end before the picture does" in failed, failed


main("cli-pictures", globals())
