"""What the tests of the whole program share: places, first steps, and their running as TAP."""
import os
import pathlib
import shutil
import sys
import tempfile
import traceback

try:
    from facet_driver import Atspi, DragSource, Program  # noqa: F401
except (ImportError, ValueError) as problem:
    print(f"1..0 # SKIP {problem}")
    sys.exit(0)

FACET = sys.argv[1]
DATA = pathlib.Path(os.environ["FACET_TEST_DATA"]).resolve()
REAL = os.environ.get("FACET_TEST_MODEL", "")
NUMBERS = "List all numbers from 1 to 500, separated by commas."  # the small model is busy with these for a while
TINY = DATA / "kit/models/gemma3-tiny/text-q8_0.gguf"


class Skip(Exception):
    pass


def put_model(home, source):
    if not source:
        raise Skip("FACET_TEST_MODEL is not set")
    folder = home / "data/facet/models"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / pathlib.Path(source).name
    target.symlink_to(source)
    return target


def start(home, *arguments, **settings):
    program = Program(FACET, home, *arguments, **settings)
    program.says("very small model", 60)
    return program


def run(tests):
    """Runs those that the command line names, or all."""
    wanted = [word for word in sys.argv[2:] if word.startswith("test_")]
    chosen = [test for test in tests if not wanted or test.__name__ in wanted]
    print(f"1..{len(chosen)}", flush=True)
    for number, test in enumerate(chosen, 1):
        name = "/e2e/" + test.__name__.removeprefix("test_").replace("_", "-")
        home = pathlib.Path(tempfile.mkdtemp(prefix="facet-e2e-"))
        try:
            test(home)
            print(f"ok {number} {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} {name} # SKIP {reason}", flush=True)
        except Exception:
            print(f"not ok {number} {name}\n# " + "\n# ".join(traceback.format_exc().splitlines()), flush=True)
        finally:
            Program.end_all()
            shutil.rmtree(home, ignore_errors=True)
