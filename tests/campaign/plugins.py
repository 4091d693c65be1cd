"""Hostile methods: one to three behaviours at random moments, evaluated beside a good method.

The good method's record keeps its name, stdout is JSON, stderr has no traceback, the exit status
says whether the hostile one failed, and no process is left.
"""

import json
import random
import textwrap
from pathlib import Path

from tests.campaign.outcomes import (
    CRASH,
    FAILED,
    RIGHT,
    SILENT,
    Table,
    marked_processes,
    records_of,
    wsbench,
)
from tests.support.zoos import write_made_up_zoo

BEHAVIOURS = {
    "segfault": "ctypes.string_at(0)",
    "abort": "os.abort()",
    "exit 0": "os._exit(0)",
    "exit 7": "os._exit(7)",
    "SystemExit": "sys.exit(0)",
    "BaseException": "raise BaseException('base')",
    "GeneratorExit": "raise GeneratorExit",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "error without text": "raise Odd",
    "error of 100 MB": "raise ValueError('x' * 10**8)",
    "error with escapes": r"raise ValueError('\ud800\x1b[2J\0\n\n')",
    "error of ours": "raise wsbench.UnknownIdError('no such zoo')",
    "recursion": "f = lambda: f()\nf()",
    "recursion in C": "x = []\nfor _ in range(10**6): x = [x]\nrepr(x)",
    "memory": "kept = []\nwhile True: kept.append(bytes(10**7) + b'1')",
    "one large array": "np.ones(10**11)",
    "sleep": "time.sleep(1e6)",
    "spin": "while True: pass",
    "sleep with the interpreter": "ctypes.PyDLL(None).sleep(1000000)",
    "stop": "os.kill(os.getpid(), signal.SIGSTOP)",
    "block signals": "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))",
    "thread": "threading.Thread(target=time.sleep, args=(1e6,)).start()",
    "child": "subprocess.Popen(['sleep', '100000'])",
    "child in a session": "subprocess.Popen(['sleep', '100000'], start_new_session=True)",
    "daemon": "subprocess.call('setsid sleep 100000 &', shell=True)",
    "child that holds all files": "subprocess.Popen(['sleep', '100000'], close_fds=False)",
    "fork and go on": "os.fork()",
    "fork sixteen times": "for _ in range(4): os.fork()",
    "fork and stay": "if not os.fork(): time.sleep(1e6)",
    "kill the parent": "os.kill(os.getppid(), 9)",
    "end the parent": "os.kill(os.getppid(), 15)",
    "kill the group": "os.killpg(0, 9)",
    "stop the parent": "os.kill(os.getppid(), signal.SIGSTOP)",
    "change directory": "os.chdir('/')",
    "print": "print('x' * 10**6); os.write(1, b'x'); os.system('echo x')",
    "flood": "for _ in range(1000): os.write(2, b'x' * 10**5)",
    "print escapes": r"print('\x1b[2J\x1b]0;x\x07'); os.write(1, os.urandom(9999))",
    "close files": "os.closerange(0, 256)",
    "no standard files": "sys.stdout = sys.stderr = sys.stdin = None",
    "garbage": "to_all(os.urandom(9999))",
    "large header": "to_all(b'\\x7f' * 8)",
    "short header": "to_all(bytes(7) + b'\\xff{')",
    "empty reply": "to_all(bytes(7) + b'\\x02{}')",
    "forged reply": (
        'text = b\'{"ok": true, "takes": 5, "description": 5, "payload": 5}\'\n'
        "to_all(bytes(7) + bytes([len(text)]) + text)"
    ),
    "shut connection": "[s.shutdown(2) for s in sockets()]",
    "patch numpy": "np.asarray = np.frombuffer = np.ndarray = np.ascontiguousarray = None",
    "patch wsbench": (
        "for name in [n for n in sys.modules if n.startswith('wsbench')]:\n"
        "    vars(sys.modules[name]).clear()"
    ),
    "no modules": "sys.modules.clear()",
    "patch builtins": "import builtins\nbuiltins.len = builtins.isinstance = None",
    "reseed": "import random\nrandom.seed(0); np.random.seed(0)",
    "trace": "sys.settrace(lambda *a: 1 / 0)",
    "at exit": "import atexit\natexit.register(time.sleep, 1e6)",
    "no files allowed": "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))",
    "no environment": "os.environ.clear()",
    "umask": "os.umask(0o777)",
    "write weights": "poke()",
    "None": "return None",
    "NaN": "return np.full((len(checkpoints), 3), np.nan)",
    "objects": "return np.full((len(checkpoints), 3), None)",
    "texts": "return np.full((len(checkpoints), 3), 'x')",
    "masked": "return np.ma.masked_all((len(checkpoints), 3))",
    "empty": "return np.zeros((0, 0))",
    "other number of rows": "return np.zeros((len(checkpoints) + 1, 3))",
    "fifty million numbers": "return np.zeros((len(checkpoints), 50_000_000 // len(checkpoints)))",
    "128 bits": "return np.ones((len(checkpoints), 2), np.longdouble)",
    "10⁹⁹⁹": "return [[10**999, 1]] * len(checkpoints)",
}
_ONLY_IN_ANSWERS = ("return", "poke")
_MOMENTS = ("import", "init", "fit", "transform", "order")
_SOURCE = """
import ctypes, os, signal, socket, subprocess, sys, threading, time
import numpy as np
import wsbench

class Odd(Exception):
    def __str__(self):
        raise self

def sockets():
    for fd in range(3, 64):
        try:
            if os.readlink(f"/proc/self/fd/{{fd}}").startswith("socket:"):
                yield socket.socket(fileno=os.dup(fd))
        except OSError:
            pass

def to_all(data):
    for one in sockets():
        one.sendall(data)

def poke():
    for line in open("/proc/self/maps"):
        place, rights, *_, name = line.split() + [""]
        if "memfd:wsbench" in line:
            start, end = (int(part, 16) for part in place.split("-"))
            ctypes.CDLL(None).mprotect(ctypes.c_void_p(start), end - start, 7)
            ctypes.memset(start, 0, end - start)

{import_}

class Mine:
    info = wsbench.MethodInfo("mine", needs={{"probe_inputs"}})

    def __init__(self):
{init}
        self.made = True

    def fit(self, train, *, rng):
        checkpoints = train
{fit}

    def {answer}(self, checkpoints):
{transform}
        return {returned}

    def order(self, checkpoints):
{order}
        return np.arange(len(checkpoints))
"""


def run(n: int, rng: random.Random, folder: Path, table: Table) -> None:
    """Evaluate n hostile methods, each beside a good one."""
    zoo = write_made_up_zoo(folder / "made-up")
    arguments = ["--zoo", zoo, "--perturb", "none", "--json", "--threads", 1, "--timeout", 4,
                 "--memory", 2, "--records", folder / "records"]  # fmt: skip
    good = records_of(wsbench("evaluate", "svd", *arguments).stdout)["svd"]
    for number in range(n):
        file = folder / f"hostile_{number}.py"
        source, kind = _method(rng)
        file.write_text(source)
        mark = f"{folder.parent.name}-{number}"
        done = wsbench("evaluate", f"{file}:Mine", "svd", *arguments, CAMPAIGN_MARK=mark)
        faults = [*_faults(done, good)]
        if left := marked_processes(mark):
            faults.append(f"processes are left: {left}")
        is_silent = any("svd" in fault for fault in faults)
        right = FAILED if done.returncode == 1 else RIGHT
        outcome = (SILENT if is_silent else CRASH) if faults else right
        table.add("hostile method", outcome, f"{kind}: {'; '.join(faults)}")


def _method(rng: random.Random) -> tuple[str, str]:
    """Return the source of a hostile method, and what it does when."""
    bodies = dict.fromkeys(_MOMENTS, "pass")
    chosen = {}
    for moment in rng.sample(_MOMENTS, rng.choice((1, 1, 2, 3))):
        names = [
            name
            for name, code in BEHAVIOURS.items()
            if moment in ("fit", "transform", "order") or not code.startswith(_ONLY_IN_ANSWERS)
        ]
        chosen[moment] = rng.choice(names)
        bodies[moment] = BEHAVIOURS[chosen[moment]]
    answer = rng.choice(("transform", "pairwise"))
    returned = (
        "np.array(checkpoints.weights[:, :3])"
        if answer == "transform"
        else "wsbench.pairwise_euclidean(checkpoints.weights)"
    )
    indented = {m: textwrap.indent(body, " " * 8) for m, body in bodies.items() if m != "import"}
    source = _SOURCE.format(import_=bodies["import"], answer=answer, returned=returned, **indented)
    return source, ", ".join(f"{name} in {moment}" for moment, name in chosen.items())


def _faults(done, good):
    """Yield what is wrong with a run beside a good method."""
    if done.returncode not in (0, 1):
        yield f"exit status {done.returncode}: {done.stderr[-500:]}"
        return
    if "Traceback" in done.stderr:
        yield f"traceback: {done.stderr[-500:]}"
    if any(not (c.isprintable() or c == "\n") for c in done.stderr + done.stdout):
        yield "control characters"
    try:
        methods = records_of(done.stdout)
        mine, other = methods["mine"], methods["svd"]
    except (ValueError, KeyError) as error:
        yield f"no JSON of both: {error!r}"
        return
    if (other["record"], other["scores"]) != (good["record"], good["scores"]):
        yield f"svd has another record: {other['record']}, {json.dumps(other['error'])}"
    if bool(mine["error"]) != (done.returncode == 1):
        yield f"exit status {done.returncode}, and error {mine['error']!r:.100}"
    if mine["error"] and mine["scores"]:
        yield "a failed method with scores"
