"""What the tests of the terminal program share: running it, reading what it writes, TAP."""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import wave
import zipfile

CLI = sys.argv[1]
DATA = pathlib.Path(os.environ["FACET_TEST_DATA"])
KIT = DATA / "kit"
STATE = tempfile.TemporaryDirectory()
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("FACET_MODEL", "LANGUAGE", "G_DEBUG")}
ENVIRONMENT.update(LC_ALL="C.UTF-8", XDG_DATA_HOME="/nonexistent", XDG_STATE_HOME=STATE.name, GSETTINGS_BACKEND="memory")

# Seconds: under the sanitizers the first use of a software device compiles and checks kernels for minutes.
HANGS = 600


class Skip(Exception):
    pass


def run(*arguments, status=0, text=b"", language="", variables={}):
    done = subprocess.run([CLI, *map(str, arguments)], capture_output=True, env={**ENVIRONMENT, "LANGUAGE": language, **variables},
                          timeout=HANGS, input=text)
    assert done.returncode == status, (arguments, done.returncode, done.stderr.decode(errors="replace")[-600:])
    return done


def run_json(*arguments, **how):
    return json.loads(run(*arguments, "--json", **how).stdout)


def real_model():
    if not os.environ.get("FACET_TEST_MODEL"):
        raise Skip("FACET_TEST_MODEL is not set")
    return os.environ["FACET_TEST_MODEL"]


def see_and_hear(folder="gemma4-tiny", model="text-q8_0.gguf"):
    """Options that load a tiny model with its projector."""
    return "-m", KIT / "models" / folder / model, "--mmproj", KIT / "models" / folder / "mmproj.gguf"


def wave_file(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return path


def parse_npy(data):
    """The shape and the values, rows after rows."""
    assert data[:8] == b"\x93NUMPY\x01\x00", data[:8]
    start = 10 + struct.unpack("<H", data[8:10])[0]
    header = eval(data[10:start], {"__builtins__": {}})
    letter = {"<f4": "f", "<i4": "i", "<i8": "q"}[header["descr"]]
    values = struct.unpack(f"<{(len(data) - start) // struct.calcsize(letter)}{letter}", data[start:])
    return header["shape"], values


def read_npy(path):
    """A float matrix that facet-cli wrote."""
    data = path.read_bytes()
    assert (10 + struct.unpack("<H", data[8:10])[0]) % 64 == 0
    (rows, columns), values = parse_npy(data)
    assert b"'<f4'" in data[:128] and len(values) == rows * columns
    return (rows, columns), values


def read_npz(path, *names):
    with zipfile.ZipFile(path) as archive:
        return [parse_npy(archive.read(f"{name}.npy")) for name in names]


def main(group, functions):
    """Runs the functions whose names begin with “test_”."""
    tests = [(name, function) for name, function in functions.items() if name.startswith("test_")]
    print(f"1..{len(tests)}")
    for number, (name, function) in enumerate(tests, 1):
        label = f"{number} /{group}/{name[5:].replace('_', '-')}"
        try:
            function()
            print(f"ok {label}", flush=True)
        except Skip as reason:
            print(f"ok {label} # SKIP {reason}", flush=True)
        except Exception as failure:
            print(f"not ok {label}")
            print("# " + repr(failure).replace("\n", " ")[:1500], flush=True)
