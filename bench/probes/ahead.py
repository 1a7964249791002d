#!/usr/bin/env python3
"""ahead.py -- what training from files that are not in memory costs: examples a second, and pages that a step had to wait for.

usage: bench/probes/ahead.py PROGRAM --data DIR [--seconds 15] [--threads N] [--cgroup FOLDER]
PROGRAM is a trainer, DIR its data; the training split should be so large that no epoch ends within the time. Three runs of `train`, each in
a new folder: "in memory" (the files were read before), "cold" (the kernel has forgotten them: posix_fadvise), and "cold, nothing asked for" (the
same with a posix_madvise that does nothing). FOLDER is a memory cgroup whose limit is smaller than the files; the cold runs then take place inside
(needs the right to write its cgroup.procs). A major fault is a page that somebody touched and the disk had to bring.
"""
import argparse
import glob
import os
import re
import resource
import subprocess
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("program")
parser.add_argument("--data", required=True)
parser.add_argument("--seconds", type=float, default=15)
parser.add_argument("--threads", default=str(os.cpu_count()))
parser.add_argument("--cgroup")
args = parser.parse_args()
files = glob.glob(os.path.join(args.data, "train_*.npy"))


def prepare(cold):
    for path in files:
        with open(path, "rb", buffering=0) as f:
            os.fsync(f.fileno())
            if cold:
                os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while not cold and f.read(1 << 22):
                pass


def run(name, folder, cold, shim=None):
    prepare(cold)
    before, env = resource.getrusage(resource.RUSAGE_CHILDREN), dict(os.environ)
    if shim:
        env["LD_PRELOAD"] = shim

    def enter():
        if cold and args.cgroup:
            with open(os.path.join(args.cgroup, "cgroup.procs"), "w", encoding="ascii") as f:
                f.write(str(os.getpid()))

    began = time.time()
    out = subprocess.run([os.path.abspath(args.program), "train", "--data", args.data, "--run", os.path.join(folder, name), "--threads", args.threads,
                          "--max-time", f"{args.seconds:g}s"], env=env, preexec_fn=enter, capture_output=True, text=True)
    done = re.search(r"after ([\d.]+) s .* in epoch 0 after (\d+) of", out.stdout)
    if not done:
        raise SystemExit(f"{name}: training did not stop within its first epoch:\n{out.stdout}{out.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    examples = int(done[2])
    print(f"{name:26} {examples / float(done[1]):8.0f} examples/s  {(after.ru_majflt - before.ru_majflt) / examples:8.3f} major faults an example "
          f"{(after.ru_inblock - before.ru_inblock) * 512 / 1e6 / examples * 1e3:8.1f} kB read an example  "
          f"{(after.ru_utime - before.ru_utime):5.1f} s user {(after.ru_stime - before.ru_stime):5.1f} s system of {time.time() - began:.1f} s", flush=True)


with tempfile.TemporaryDirectory() as work:
    source, shim = os.path.join(work, "shim.c"), os.path.join(work, "shim.so")
    with open(source, "w", encoding="ascii") as f:
        f.write("int posix_madvise(void *a, unsigned long n, int how) { (void)a; (void)n; (void)how; return 0; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source], check=True)
    run("in memory", work, False)
    run("cold", work, True)
    run("cold, nothing asked for", work, True, shim)
