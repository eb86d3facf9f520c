#!/usr/bin/env python3
"""Measures facet-cli and llama.cpp's mtmd encoding one picture or sound side by side, turn by turn: same projector, same threads.

Prints the least, the median and the greatest milliseconds of each and of their ratio (above 1: Facet is faster). llama.cpp's
time is what llama-mtmd-cli says of the encoder alone, without loading, reading and answering; Facet's includes decoding and the
spectrum of a sound. See README.md beside this file.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facet", default=str(ROOT / "build/facet-cli"))
    parser.add_argument("--llama", required=True, help="llama-mtmd-cli of a build of llama.cpp")
    parser.add_argument("-m", "--model", required=True, help="text model of the projector's width")
    parser.add_argument("--mmproj", required=True, help="projector, e.g. of make-siglip.py or make-conformer.py")
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument("--image", help="picture; a square one, as mtmd pads others with black")
    either.add_argument("--audio", help="sound of up to 30 seconds")
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("-r", "--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def media(arguments):
    return ("--image", arguments.image) if arguments.image else ("--audio", arguments.audio)


def run(command, **keywords):
    """Returns what it wrote and the processor seconds it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", **keywords)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    return done.stdout, done.stderr, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def facet(arguments):
    """Returns the figures of facet-cli bench and the processor seconds of one encoding: it warms up and repeats once."""
    out, _, seconds = run([arguments.facet, "bench", *media(arguments), "--mmproj", arguments.mmproj, "--threads",
                           str(arguments.threads), "--repeat", "1", "--json"])
    return json.loads(out), seconds / 2


def llama(arguments):
    folder = str(pathlib.Path(arguments.llama).resolve().parent)
    environment = {**os.environ, "LD_LIBRARY_PATH": folder}
    out, err, seconds = run([arguments.llama, "-m", arguments.model, "--mmproj", arguments.mmproj, *media(arguments), "-p", "x",
                             "-n", "1", "-t", str(arguments.threads), "--chat-template", "gemma", "--verbosity", "5"],
                            env=environment)
    # The first is the warm-up's where there is one.
    times = re.findall(r"(?:slice encoded|batch encoding done) in (\d+) ms", out + err)
    if not times:
        sys.exit("llama-mtmd-cli did not say how long it encoded:\n" + (out + err)[-2000:])
    return float(times[-1]), seconds


def spread(values):
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def main():
    arguments = parse()
    ours, theirs, ours_cpu, theirs_cpu, shares = [], [], [], [], []
    for turn in range(arguments.rounds):
        figures, seconds = facet(arguments)
        ours.append(figures["encode_ms"]["median"])
        ours_cpu.append(seconds)
        shares.append(figures.get("share_of_peak", 0))
        ms, seconds = llama(arguments)
        theirs.append(ms)
        theirs_cpu.append(seconds)
        print(f"round {turn + 1}: Facet {ours[-1]:.0f} ms, {ours_cpu[-1]:.1f} processor s; "
              f"llama.cpp {theirs[-1]:.0f} ms, {theirs_cpu[-1]:.1f} processor s", file=sys.stderr)
    result = {"facet_ms": spread(ours), "llama_ms": spread(theirs), "ratio": spread([b / a for a, b in zip(ours, theirs)]),
              "facet_cpu_s": spread(ours_cpu), "llama_cpu_s": spread(theirs_cpu),
              "cpu_ratio": spread([b / a for a, b in zip(ours_cpu, theirs_cpu)]), "share_of_peak": spread(shares)}
    if arguments.json:
        print(json.dumps(result))
        return
    for name, unit, digits in (("facet_ms", " ms", 0), ("llama_ms", " ms", 0), ("ratio", "", 2), ("facet_cpu_s", " s", 1),
                               ("llama_cpu_s", " s", 1), ("cpu_ratio", "", 2), ("share_of_peak", "", 2)):
        s = result[name]
        print(f"{name:14} {s['median']:.{digits}f}{unit} ({s['min']:.{digits}f} to {s['max']:.{digits}f})")


main()
