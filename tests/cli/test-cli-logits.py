#!/usr/bin/env python3
"""Runs facet-cli logits on the tiny models: with ids, texts and media. Prints TAP.

Usage: test-cli-logits.py FACET-CLI    (FACET_TEST_DATA: the folder tests/data)
"""
import gzip
import math
import pathlib
import tempfile

from facet_cli import KIT, main, read_npy, read_npz, run, run_json

TINY = KIT / "models/gemma3-tiny/text-q8_0.gguf"
# The placeholders of pictures and sounds; media in prompt order, with the rows that they take.
FAMILIES = {
    "gemma3": ((832, None), ("--image", "photo.png", 16), ("--image", "chart.png", 16)),
    "gemma3n": ((353, 361), ("--image", "small.png", 256), ("--audio", "chirp.wav", 32)),
    "gemma4": ((20, 23), ("--image", "chart.png", 56), ("--audio", "chirp.wav", 34)),
}


def test_logits():
    scored = run_json("score", "-m", TINY, "-p", "The cat sat.")
    ids = scored["ids"]
    with tempfile.TemporaryDirectory() as folder:
        out, layers = pathlib.Path(folder) / "out.npy", pathlib.Path(folder) / "layers"
        run("logits", "-m", TINY, "--ids", ",".join(map(str, ids)), "--all", "-o", out, "--dump-layers", layers)
        (rows, vocab), values = read_npy(out)
        assert rows == len(ids)
        for at in range(1, rows):
            row = values[(at - 1) * vocab:at * vocab]
            top = max(row)
            logprob = row[ids[at]] - top - math.log(sum(math.exp(value - top) for value in row))
            assert math.isclose(logprob, scored["logprobs"][at], abs_tol=2e-2), (at, logprob, scored["logprobs"][at])
        names = sorted(path.name for path in layers.iterdir())
        assert "embeddings.npy" in names and "layer-00.npy" in names
        assert read_npy(layers / "layer-00.npy")[0][0] == rows
        run("logits", "-m", TINY, "-p", "The cat sat.", "-o", out)
        last = read_npy(out)
        assert last[0] == (1, vocab)
        assert max(abs(a - b) for a, b in zip(last[1], values[-vocab:])) < 0.05
        run("logits", "-m", TINY, "--ids", "2,999999", "-o", out, status=2)
        run("logits", "-m", TINY, "-p", "x", "-o", pathlib.Path(folder) / "no/such.npy", status=1)


def model(family, folder):
    models = KIT / f"models/{family}-tiny"
    packed = models / "text-f32.gguf.gz"
    text = models / "text-f32.gguf"
    if packed.exists():
        text = pathlib.Path(folder) / "text.gguf"
        text.write_bytes(gzip.decompress(packed.read_bytes()))
    detail = ("--image-detail", 70) if family == "gemma4" else ()
    return "-m", text, "--mmproj", models / "mmproj.gguf", "--exact", *detail


def media(family):
    return [word for option, name, _ in FAMILIES[family][1:] for word in (option, KIT / "inputs" / name)]


def listed(ids):
    return ",".join(map(str, ids))


def shortened(ids, placeholder):
    """Each run of a placeholder as one."""
    return [ids[at] for at in range(len(ids)) if at == 0 or ids[at] != placeholder or ids[at] != ids[at - 1]]


def relative_error(values, expected):
    return max(abs(a - b) for a, b in zip(values, expected)) / math.sqrt(sum(b * b for b in expected) / len(expected))


def test_media_in_ids():
    for family, ((picture, _), *_) in FAMILIES.items():
        (_, pos), (_, ids), ((_, vocab), expected) = read_npz(KIT / f"expected/{family}/interleaved.npz", "pos", "input_ids", "hf_logits")
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "out.npy"
            for given in (ids, shortened(ids, picture)):
                run("logits", *model(family, folder), *media(family), "--ids", listed(given), "--all", "-o", out)
                shape, values = read_npy(out)
                assert shape == (len(ids), vocab), (family, shape)
                picked = [value for at in pos for value in values[at * vocab:(at + 1) * vocab]]
                error = relative_error(picked, expected)
                assert error <= 1e-4, (family, len(given), error)


def test_places():
    """What does not fit the places is said with the numbers that matter."""
    for family, ((picture, sound), *given) in FAMILIES.items():
        with tempfile.TemporaryDirectory() as folder:
            def refused(ids, files):
                done = run("logits", *model(family, folder), *files, "--ids", listed(ids), "-o", pathlib.Path(folder) / "x.npy", status=2)
                return done.stderr.decode()

            rows, first, both = given[0][2], media(family)[:2], media(family)
            assert "pictures in --ids: 0, pictures given: 1" in refused([2, 5], first)
            assert f"token {picture}" in refused([2, 5], first)
            assert "pictures in --ids: 2, pictures given: 1" in refused([2, picture, 5, picture], first)
            short = refused([2, *[picture] * (rows - 1), 5], first)
            assert f"has {rows - 1} rows, the picture takes {rows}" in short, short
            if sound is not None:
                assert "sounds in --ids: 0, sounds given: 1" in refused([2, picture, 5], both)
                long = refused([2, picture, 5, *[sound] * 500], both)
                assert "has 500 rows, the sound takes" in long, long


def test_rows_of_sounds():
    """Gemma 3n gives every sound the same number of rows; a place of so many is filled up as in its own prompts."""
    (_, placeholder), *_ = FAMILIES["gemma3n"]
    sound = ("--audio", KIT / "inputs/chirp.wav")
    with tempfile.TemporaryDirectory() as folder:
        whole, short = pathlib.Path(folder) / "a.npy", pathlib.Path(folder) / "b.npy"
        for path, rows in ((whole, 188), (short, 1)):
            run("logits", *model("gemma3n", folder), *sound, "--ids", listed([2, 9, 273, 16, *[placeholder] * rows, 360]), "--all", "-o", path)
        assert read_npy(whole)[0] == (4 + 188 + 1, 368) and read_npy(whole) == read_npy(short)


main("cli-logits", globals())
