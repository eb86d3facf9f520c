#!/usr/bin/env python3
"""Runs facet-cli on a model that is split over several files, whole and damaged. Prints TAP.

Usage: test-cli-split.py FACET-CLI    (FACET_TEST_DATA: the folder tests/data)
"""
import json
import pathlib
import shutil
import struct
import tempfile

from facet_cli import DATA, KIT, main, read_npy, run

PARTS = sorted((DATA / "split").glob("tiny-*.gguf"))
WHOLE = KIT / "models/gemma3-tiny/text-q4_0.gguf"


def inspect(path, **how):
    return json.loads(run("inspect", path, "--json", **how).stdout)


def test_same_as_whole():
    assert len(PARTS) == 3
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / name for name in ("parts.npy", "whole.npy")]
        for model, path in zip((PARTS[0], WHOLE), paths):
            run("logits", "-m", model, "-p", "The cat sat.", "--all", "-o", path)
        assert read_npy(paths[0]) == read_npy(paths[1])
    split, whole = inspect(PARTS[0]), inspect(WHOLE)
    assert split["bytes"] == sum(path.stat().st_size for path in PARTS)
    assert sorted(tensor["name"] for tensor in split["tensors"]) == sorted(tensor["name"] for tensor in whole["tensors"])
    assert b"in 3 files" in run("inspect", PARTS[0]).stdout


def test_further_part():
    """A further part says which file to open; it may be looked at."""
    failed = run("chat", "-m", PARTS[1], "-p", "x", status=1).stderr.decode()
    assert "part 2 of 3" in failed and str(PARTS[0]) in failed, failed
    assert len(inspect(PARTS[1])["tensors"]) == 50


def broken(change):
    """What is said of the first part after @change has damaged a copy of the files."""
    with tempfile.TemporaryDirectory() as folder:
        copies = [pathlib.Path(shutil.copy(path, folder)) for path in PARTS]
        first = change(copies) or copies[0]
        return run("logits", "-m", first, "-p", "x", "-o", pathlib.Path(folder) / "x.npy", status=1).stderr.decode()


def patch(path, key, value):
    """Writes the little-endian bytes of a number of metadata."""
    data = bytearray(path.read_bytes())
    at = data.index(key) + len(key) + 4
    data[at:at + len(value)] = value
    path.write_bytes(data)


def test_damaged():
    assert "part 2 of 3: " in broken(lambda parts: parts[1].unlink())
    assert "no such file" in broken(lambda parts: parts[2].unlink())
    renamed = broken(lambda parts: parts[0].rename(parts[0].with_name("model.gguf")))
    assert "not named -00001-of-00003.gguf" in renamed, renamed
    swapped = broken(lambda parts: shutil.copy(parts[2], parts[1]) and None)
    assert "part 3 of 3, not 2 of 3" in swapped, swapped
    assert "not 3 of 3" in broken(lambda parts: patch(parts[2], b"split.count", struct.pack("<H", 7)))
    twice = broken(lambda parts: (shutil.copy(parts[1], parts[2]), patch(parts[2], b"split.no", struct.pack("<H", 2))) and None)
    assert "the name is in an earlier part" in twice, twice
    assert "1 tensors, but the parts have 93" in broken(lambda parts: patch(parts[0], b"split.tensors.count", struct.pack("<I", 1)))
    cut = broken(lambda parts: parts[1].write_bytes(PARTS[1].read_bytes()[:-100]) and None)
    assert "part 2 of 3" in cut and "past the end of the file" in cut, cut


main("cli-split", globals())
