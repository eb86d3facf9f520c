#!/usr/bin/env python3
"""Measures facet-cli and llama.cpp side by side: same machine, same file, same thread count, turn by turn.

llama.cpp comes from the PyPI package llama-cpp-python, which is built with this machine's instruction set into a
virtual environment of its own (about ten minutes on two cores, the first time). See README.md beside this file.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import venv

PACKAGE = "llama-cpp-python==0.3.36"
FIRST_ID = 1000
ROOT = pathlib.Path(__file__).resolve().parents[2]


# ---- the llama.cpp side, run by the environment's Python ----------------------------------------------------------

class Llama:
    """One context, driven through llama.cpp's own C interface as its llama-bench does."""

    def __init__(self, arguments, context):
        import ctypes
        from llama_cpp import llama_cpp as api

        self.api, self.ctypes = api, ctypes
        quiet = api.llama_log_callback(lambda level, text, data: None)
        self.quiet = quiet
        api.llama_log_set(quiet, None)
        api.llama_backend_init()
        self.model = api.llama_model_load_from_file(arguments.model.encode(), api.llama_model_default_params())
        params = api.llama_context_default_params()
        params.n_ctx = context
        params.n_batch = 2048
        params.n_ubatch = 512
        params.n_threads = params.n_threads_batch = arguments.threads
        self.context = api.llama_init_from_model(self.model, params)

    def clear(self):
        self.api.llama_memory_clear(self.api.llama_get_memory(self.context), True)

    def decode(self, ids):
        for start in range(0, len(ids), 2048):
            chunk = ids[start:start + 2048]
            array = (self.api.llama_token * len(chunk))(*chunk)
            if self.api.llama_decode(self.context, self.api.llama_batch_get_one(array, len(chunk))) != 0:
                sys.exit("llama_decode failed")

    def likeliest(self):
        import numpy

        vocab = self.api.llama_model_get_vocab(self.model)
        logits = self.api.llama_get_logits_ith(self.context, -1)
        return int(numpy.ctypeslib.as_array(logits, (self.api.llama_vocab_n_tokens(vocab),)).argmax())


def some_ids(n):
    return [2] + [FIRST_ID + (i * 7919) % 30000 for i in range(n - 1)]


def resident():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def timed(tokens, function):
    """Tokens a second of the clock, and of processor time of all threads."""
    clock, processor = time.perf_counter(), time.process_time()
    function()
    return tokens / (time.perf_counter() - clock), tokens / (time.process_time() - processor)


def llama_throughput(arguments):
    llama = Llama(arguments, arguments.depth + max(arguments.prefill, arguments.decode, 64) + 8)
    llama.decode(some_ids(32))
    llama.decode(some_ids(1))
    result = {}
    if arguments.prefill:
        llama.clear()
        if arguments.depth:
            llama.decode(some_ids(arguments.depth))
        result["prefill"], result["prefill_processor"] = timed(arguments.prefill, lambda: llama.decode(some_ids(arguments.prefill)))
    if arguments.decode:
        llama.clear()
        llama.decode(some_ids(max(arguments.depth, 1)))
        result["decode"], result["decode_processor"] = timed(
            arguments.decode, lambda: [llama.decode([token]) for token in some_ids(arguments.decode)])
    return result


def llama_start(arguments):
    import numpy  # noqa: F401  Python's own start and imports are not counted
    from llama_cpp import llama_cpp  # noqa: F401

    before, start = resident(), time.perf_counter()
    llama = Llama(arguments, 4096)
    llama.decode([2, 9259])
    llama.likeliest()
    return {"start_ms": (time.perf_counter() - start) * 1000, "peak_mib": (peak() - before) / 2**20}


# ---- driving both ---------------------------------------------------------------------------------------------------

def environment(folder):
    """The Python that has llama-cpp-python; made on the first call."""
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        print(f"Building {PACKAGE} into {folder} …", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-binary", "llama-cpp-python", PACKAGE], check=True,
                       env={**os.environ, "CMAKE_ARGS": "-DGGML_NATIVE=ON -DCMAKE_BUILD_TYPE=Release"})
        (folder / "ready").touch()
    return python


def run_llama(arguments, python, what):
    command = [python, __file__, "--child", what, "-m", arguments.model, "-p", arguments.prefill, "-n", arguments.decode,
               "-d", arguments.depth, "-t", arguments.threads]
    return json.loads(subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE).stdout)


def facet_throughput(arguments):
    command = [arguments.facet, "bench", "-m", arguments.model, "-p", arguments.prefill, "-n", arguments.decode,
               "--depth", arguments.depth, "--threads", arguments.threads, "--repeat", 1, "--json"]
    output = json.loads(subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE).stdout)
    keys = {"prefill": "prefill_tokens_per_s", "prefill_processor": "prefill_tokens_per_processor_s",
            "decode": "decode_tokens_per_s", "decode_processor": "decode_tokens_per_processor_s"}
    return {key: output[name]["median"] for key, name in keys.items() if name in output}


def facet_start(arguments):
    command = [arguments.facet, "chat", "-q", "-m", arguments.model, "--threads", arguments.threads, "--ctx", 4096, "--raw",
               "-p", "Hello", "-n", 1, "--temp", 0, "--json"]
    start = time.perf_counter()
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit("facet-cli failed")
    return {"start_ms": (time.perf_counter() - start) * 1000, "peak_mib": usage.ru_maxrss / 1024}


def spread(values):
    return f"{min(values):9.1f} {statistics.median(values):9.1f} {max(values):9.1f}"


def ratios(key, facet, llama):
    """Above 1: Facet is better."""
    rates = key.startswith(("prefill", "decode"))
    values = [f / l if rates else l / f for f, l in zip(facet, llama)]
    return f"{min(values):7.2f} {statistics.median(values):7.2f} {max(values):7.2f}"


TITLES = {
    "prefill": "prefill, tokens/s",
    "prefill_processor": "prefill, tokens/processor s",
    "decode": "decode, tokens/s",
    "decode_processor": "decode, tokens/processor s",
    "start_ms": "start to first token, ms",
    "peak_mib": "peak memory at a context of 4096, MiB",
}


def compare(arguments, python):
    """All turns with one file; prints least, median and greatest of both and of their ratio in each turn."""
    what, facet_run = ("start", facet_start) if arguments.start else ("throughput", facet_throughput)
    facet, llama = [], []
    for _ in range(arguments.rounds):
        facet.append(facet_run(arguments))
        llama.append(run_llama(arguments, python, what))
    print(f"\n{os.path.basename(arguments.model)}, {arguments.threads} threads, depth {arguments.depth}, {arguments.rounds} turns")
    for key in facet[0]:
        ours, theirs = [turn[key] for turn in facet], [turn[key] for turn in llama]
        print(f"  {TITLES[key]:38}{spread(ours)}  |{spread(theirs)}  |{ratios(key, ours, theirs)}", flush=True)


def parse(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-m", "--model", required=True, nargs="+", help="GGUF files, one after the other")
    parser.add_argument("-p", "--prefill", type=int, default=512, help="tokens read (512)")
    parser.add_argument("-n", "--decode", type=int, default=128, help="tokens written (128)")
    parser.add_argument("-d", "--depth", type=int, default=0, help="tokens in the context before (0)")
    parser.add_argument("-t", "--threads", type=int, default=os.cpu_count(), help="threads of both (all)")
    parser.add_argument("-r", "--rounds", type=int, default=5, help="turns of each (5)")
    parser.add_argument("--facet", default=ROOT / "build" / "facet-cli", help="the facet-cli to measure")
    parser.add_argument("--venv", type=pathlib.Path, default=ROOT / ".venv-llama", help="where llama-cpp-python lives")
    parser.add_argument("--python", help="a Python that has llama_cpp already, instead of --venv")
    parser.add_argument("--start", action="store_true", help="measure the start and the peak memory instead")
    parser.add_argument("--child", choices=["throughput", "start"], help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main():
    arguments = parse()
    models = arguments.model
    if arguments.child:
        arguments.model = models[0]
        run = llama_start if arguments.child == "start" else llama_throughput
        print(json.dumps(run(arguments)))
        return
    python = arguments.python or environment(arguments.venv)
    print(f"{'':40}{'Facet: least, median, greatest':^29}  |{'llama.cpp':^29}  |{'times as good':^23}")
    for arguments.model in models:
        compare(arguments, python)


main()
