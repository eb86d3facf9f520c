#!/usr/bin/env python3
"""facet-cli slice: models cut out of larger ones, as files. Prints TAP.

Usage: test-cli-slice.py FACET-CLI
"""
import os
import pathlib
import signal
import subprocess
import tempfile

import facet_cli
from facet_cli import CLI, ENVIRONMENT, KIT, run, run_json

MODEL = KIT / "models/gemma3n-tiny/text-q4_0.gguf"
PROJECTOR = KIT / "models/gemma3n-tiny/mmproj.gguf"
MIXED = ("--skip-layers", "3,7,12,21", "--feed-forward", "64x2,128x3,96x13")


def test_the_file_is_a_model():
    with tempfile.TemporaryDirectory() as folder:
        cut = pathlib.Path(folder, "cut.gguf")
        said = run("slice", MODEL, "-o", cut, *MIXED).stderr.decode()
        assert "18 layers" in said and str(cut) in said, said
        metadata = run_json("inspect", cut)["metadata"]
        assert metadata["gemma3n.block_count"] == 18, metadata
        assert metadata["general.name"] == "gemma3n-tiny-random (sub-model of 18 layers)", metadata
        answer = run("chat", "-m", cut, "-p", "Hello", "-n", "4", "--temp", "0", "--quiet").stdout
        assert answer != run("chat", "-m", MODEL, "-p", "Hello", "-n", "4", "--temp", "0", "--quiet").stdout
        # The whole model's projector is that of the sub-model.
        run("encode", "-m", cut, "--mmproj", PROJECTOR, "--audio", KIT / "inputs/chirp.wav", "-o", os.devnull)
        assert [file.name for file in pathlib.Path(folder).iterdir()] == ["cut.gguf"]


def test_what_it_says_of_itself():
    with tempfile.TemporaryDirectory() as folder:
        cut = pathlib.Path(folder, "cut.gguf")
        said = run_json("slice", MODEL, "-o", cut, "--feed-forward", 64)
        assert said["layers"] == 22 and said["bytes"] == cut.stat().st_size < MODEL.stat().st_size, said


def test_wrong_usage():
    for arguments, message in [
            ((MODEL, "--e2b"), "-o"), (("-o", "x", "--e2b"), "one model file"), ((MODEL, "-o", "x"), "--e2b, --skip-layers or"),
            ((MODEL, "-o", "x", "--e2b", "--skip-layers", "3"), "--e2b stands for"), ((MODEL, "-o", "x", "--skip-layers", "5-3"), "“5-3”"),
            ((MODEL, "-o", "x", "--skip-layers", "3,,4"), "“3,,4”"), ((MODEL, "-o", "x", "--skip-layers", "-3"), "“-3”"),
            ((MODEL, "-o", "x", "--feed-forward", "0"), "“0”"), ((MODEL, "-o", "x", "--feed-forward", "64x0"), "“64x0”"),
            ((MODEL, "-o", "x", "--feed-forward", "64xx2"), "“64xx2”"), ((MODEL, "-o", "x", "--feed-forward", "99999999999999999999"), "“999")]:
        said = run("slice", *arguments, status=2).stderr.decode()
        assert message in said, (arguments, said)


def test_refused():
    with tempfile.TemporaryDirectory() as folder:
        kept = pathlib.Path(folder, "kept.gguf")
        kept.write_bytes(b"what was there")
        for arguments, message in [(("--e2b",), "layer 22 cannot be left out of 22"), (("--skip-layers", 18), "reads keys and values of layer 18"),
                                   (("--feed-forward", 48), "whole blocks"), (("--feed-forward", "64x3"), "3 feed-forward widths for 22 layers")]:
            said = run("slice", MODEL, "-o", kept, *arguments, status=1).stderr.decode()
            assert message in said, said
        said = run("slice", KIT / "models/gemma3-tiny/text-q4_0.gguf", "-o", kept, "--feed-forward", 64, status=1).stderr.decode()
        assert "only models of gemma3n" in said, said
        assert kept.read_bytes() == b"what was there"
        assert [file.name for file in pathlib.Path(folder).iterdir()] == ["kept.gguf"]


def test_never_the_model_itself():
    with tempfile.TemporaryDirectory() as folder:
        model, link = pathlib.Path(folder, "model.gguf"), pathlib.Path(folder, "link.gguf")
        model.write_bytes(MODEL.read_bytes())
        link.symlink_to(model)
        for output in (model, link):
            said = run("slice", model, "-o", output, "--feed-forward", 64, status=1).stderr.decode()
            assert "the model itself" in said, said
        assert model.read_bytes() == MODEL.read_bytes()


def test_output_that_fails():
    assert "cannot be written" in run("slice", MODEL, "-o", "/dev/full", "--feed-forward", 64, status=1).stderr.decode()
    run("slice", MODEL, "-o", os.devnull, "--feed-forward", 64)
    with tempfile.TemporaryDirectory() as folder:
        # A limit on files is met in the middle.
        done = subprocess.run(["sh", "-c", 'ulimit -f 1000 && exec "$0" "$@"', CLI, "slice", MODEL, "-o", folder + "/cut.gguf", "--feed-forward", "64"],
                              env=ENVIRONMENT, capture_output=True, timeout=60)
        assert done.returncode == 1 and b"cannot be written" in done.stderr, done
        assert not os.listdir(folder)


def test_stopped():
    """Ctrl-C while a pipe takes no more."""
    with tempfile.TemporaryDirectory() as folder:
        pipe = pathlib.Path(folder, "pipe")
        os.mkfifo(pipe)
        program = subprocess.Popen([CLI, "slice", str(MODEL), "-o", str(pipe), "--feed-forward", "64"], env=ENVIRONMENT, stderr=subprocess.PIPE)
        with open(pipe, "rb") as reader:
            reader.read(100)
            program.send_signal(signal.SIGINT)
            while reader.read(1 << 16):
                pass
            _, said = program.communicate(timeout=60)
        assert program.returncode == 130, (program.returncode, said)


facet_cli.main("cli-slice", globals())
