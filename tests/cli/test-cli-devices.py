#!/usr/bin/env python3
"""Runs facet-cli where there is no graphics device: built without Vulkan, without a loader, without a driver. Prints TAP.

Usage: test-cli-devices.py FACET-CLI with|without    (FACET_TEST_DATA: the folder tests/data; whether Vulkan was built in)
"""
import os
import pathlib
import pty
import subprocess
import sys
import tempfile

from facet_cli import CLI, ENVIRONMENT, KIT, Skip, main, run, run_json

TINY = KIT / "models/gemma3-tiny/text-q8_0.gguf"
ASK = ("chat", "-m", TINY, "--raw", "-p", "The cat", "-n", 3)
BUILT_IN = sys.argv[2] == "with"
NO_DRIVER = {"VK_ICD_FILENAMES": "/nonexistent.json", "VK_DRIVER_FILES": "/nonexistent.json"}


def check_without(variables, reason, german):
    """Nothing but the processor: said where devices are listed, no error unless one is asked for."""
    processor, none = run_json("devices", variables=variables)
    assert processor["backend"] == "cpu" and none == {"backend": "vulkan", "device": 0, "unfit": reason}, none
    assert run("devices", variables=variables).stdout.decode() == f"cpu 0: {processor['name']}\nno graphics device: {reason}\n"
    assert f"kein Grafikgerät: {german}\n" in run("devices", variables=variables, language="de").stdout.decode()
    wanted = run(*ASK, "--backend", "cpu")
    usual = run(*ASK, variables=variables)
    assert usual.stdout == wanted.stdout and usual.stderr == wanted.stderr, usual.stderr
    assert run_json(*ASK, variables=variables)["stats"]["backend"].startswith("cpu")
    for option, missing in (("--backend=vulkan",), "graphics device works here"), (("--backend=vulkan", "--device=1"), reason):
        failed = run(*ASK, *option, status=1, variables=variables)
        assert failed.stdout == b"" and missing in failed.stderr.decode() and "--backend cpu" in failed.stderr.decode(), failed.stderr
    assert "device" not in run_json("inspect", TINY, variables=variables)["placement"]
    check_numbers(variables, reason)


def check_numbers(variables, reason):
    """A device's number says which backend; 0 is the processor, as "devices" has it."""
    assert run_json(*ASK, "--device", 0, variables=variables)["stats"]["backend"].startswith("cpu")
    assert reason in run(*ASK, "--device", 1, status=1, variables=variables).stderr.decode()
    for backend, device, complaint in ("vulkan", 0, "--device 0 is the processor"), ("cpu", 1, "--backend cpu has no device but 0"):
        failed = run(*ASK, "--backend", backend, "--device", device, status=2, variables=variables)
        assert failed.stdout == b"" and complaint in failed.stderr.decode(), failed.stderr


def test_built_without():
    if BUILT_IN:
        raise Skip("Vulkan is built in")
    check_without({}, "this program was built without Vulkan", "dieses Programm wurde ohne Vulkan gebaut")


def test_no_driver():
    if not BUILT_IN:
        raise Skip("built without Vulkan")
    if "loader" in run_json("devices")[-1].get("unfit", ""):
        raise Skip("there is no loader")
    check_without(NO_DRIVER, "there is no Vulkan driver", "es gibt keinen Vulkan-Treiber")


def test_no_loader():
    """A library of the loader's name that is none, found before the real one."""
    if not BUILT_IN:
        raise Skip("built without Vulkan")
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "libvulkan.so.1").write_bytes(b"")
        paths = [folder, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
        check_without({"LD_LIBRARY_PATH": ":".join(paths)}, "there is no Vulkan loader", "der Vulkan-Lader fehlt")


def test_host_work():
    """What a token costs outside the driver is measured where there is one."""
    alone = run_json("bench", "-m", TINY, "-p", 0, "-n", 8, "--backend", "cpu")
    assert "host_us_per_token" not in alone
    devices = [device for device in run_json("devices")[1:] if not device["unfit"]]
    if not devices:
        raise Skip("there is no graphics device")
    measure = ("bench", "-m", TINY, "-p", 0, "-n", 8, "-r", 2, "--backend", "vulkan", "--device", devices[0]["device"])
    result = run_json(*measure)
    host = result["host_us_per_token"]
    assert 0 < host["min"] <= host["median"] <= host["max"] < 1e6 / result["decode_tokens_per_s"]["min"], result
    assert "µs a token outside the graphics driver (" in run(*measure).stdout.decode()


def test_verdict():
    """What the self-test found is named where devices are listed."""
    devices = [device for device in run_json("devices")[1:] if not device["unfit"]]
    if not devices:
        raise Skip("there is no graphics device")
    where = ("--backend", "vulkan", "--device", devices[0]["device"])
    with tempfile.TemporaryDirectory() as folder:
        variables = {"XDG_CACHE_HOME": folder}
        assert "verdict: its self-test runs with the first model\n" in run("devices", variables=variables).stdout.decode()
        run(*ASK, *where, variables=variables)
        assert "verdict: it works\n" in run("devices", variables=variables).stdout.decode()
        [path] = pathlib.Path(folder, "facet/vulkan").glob("*.verdict")
        found = path.read_text()
        assert "[scalar]" in found and "Q8_0=works" in found and "Q6_K" not in found, found
        path.write_text(found + "\n[dot]\nQ4_0=disagrees\nexperts of Q6_K=disagrees\n")
        listed = run("devices", variables=variables).stdout.decode()
        assert "verdict: it works, but without these programs: dot of Q4_0, dot of experts of Q6_K\n" in listed, listed
        assert "aber ohne diese Programme: dot of Q4_0, " in run("devices", variables=variables, language="de").stdout.decode()
        run(*ASK, *where, variables=variables)
        path.write_text(found.replace("rest=works", "rest=attention disagrees with the reference"))
        listed = run("devices", variables=variables).stdout.decode()
        assert "verdict: its self-test failed: attention disagrees with the reference\n" in listed, listed
        assert "attention disagrees" in run(*ASK, *where, variables=variables, status=1).stderr.decode()


def test_said_at_the_terminal():
    """Whoever talks to it reads once what it runs on."""
    master, slave = pty.openpty()
    with subprocess.Popen([CLI, "chat", "-m", TINY], stdin=slave, stdout=slave, stderr=subprocess.PIPE,
                          env={**ENVIRONMENT, **NO_DRIVER, "TERM": "xterm"}) as process:
        os.write(master, b"/quit\n\x04")
        said = process.stderr.read().decode()
    os.close(slave)
    os.close(master)
    assert process.returncode == 0 and said.count(", on cpu (") == 1, (process.returncode, said)


main("cli-devices", globals())
