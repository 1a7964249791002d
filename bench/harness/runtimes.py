"""The sides of inference.py: what computes a net of an ONNX file, or of spnc's library, for one batch of inputs.

A side is a class: `missing()` is what it needs and is not installed ("": nothing); its constructor builds it in the net's folder, or takes what an earlier run built there of the same
net by the same tools; a call computes once and returns the outputs by their names.  A side that is C has in_c() too: a function of C and its argument, for calls.c to time.
`net` has the folder, the inputs and the output names (inference.py).
"""

import ctypes
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np

from machine import machine
from nets import fail


def lacks(*modules):
    return ", ".join(m for m in modules if importlib.util.find_spec(m) is None)


def run(*command, env=None, cwd=None):
    """What the command says if it fails, or ""."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=env, cwd=cwd)
    return "" if done.returncode == 0 else f"{' '.join(map(str, command))}: exit {done.returncode}: {(done.stderr.strip() or done.stdout.strip())[-400:]}"


def pointers(arrays):
    """None: an input that nothing reads."""
    return (ctypes.c_void_p * len(arrays))(*(None if a is None else a.ctypes.data for a in arrays))


class Refused(Exception):
    """The side cannot compute this net."""


@functools.cache
def version(what):
    """Of an installed package, or what a compiler says of itself."""
    try:
        return f"{what} {importlib.metadata.version(what)}"
    except importlib.metadata.PackageNotFoundError:
        return subprocess.run([what, "--version"], capture_output=True, text=True, check=True).stdout


def build(path, of, make):
    """Makes the file or folder `path` by make(), unless an earlier run made it of the same: `of` are texts, and files whose bytes count.  A refusal is kept likewise."""
    total = hashlib.sha256()
    for part in [machine()["cpu"], *of]:
        total.update((part.read_bytes() if isinstance(part, pathlib.Path) else str(part).encode()) + b"\0")
    stamp, found = path.with_name(f"{path.name}.made_of"), total.hexdigest()
    made, _, why = stamp.read_text().partition("\n") if stamp.exists() else ("", "", "")
    if made != found or not (why or path.exists()):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        stamp.unlink(missing_ok=True)
        why = ""
        try:
            make()
        except Refused as e:
            why = str(e)
        stamp.write_text(f"{found}\n{why}")
    if why:
        raise Refused(why)


class Onnxruntime:
    def __init__(self, net, batch, o):
        import onnxruntime as ort
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(str(net.folder / "net.onnx"), options, providers=["CPUExecutionProvider"])
        self.inputs, self.names = net.inputs(batch), net.outputs

    @staticmethod
    def missing():
        return lacks("onnxruntime")

    def __call__(self):
        return dict(zip(self.names, self.session.run(None, self.inputs)))


class Aotinductor:
    """torch.export and AOTInductor for this batch, its weights frozen; called through its own loader."""

    def __init__(self, net, batch, o):
        import torch
        import torch._inductor
        torch.set_num_threads(1)
        self.inputs, self.names = [torch.from_numpy(a) for a in net.inputs(batch).values()], net.outputs
        path = net.folder / f"aotinductor-{batch}.pt2"

        def make():
            try:
                exported = torch.export.export(net.torch(), tuple(self.inputs), strict=False)
                torch._inductor.aoti_compile_and_package(exported, package_path=str(path), inductor_configs={"freezing": True})
            except Exception as e:
                raise Refused(f"{type(e).__name__}: {str(e).splitlines()[0][:200]}") from e

        with torch.no_grad():
            build(path, [net.folder / "net.onnx", *SOURCES, version("torch"), version("g++"), batch], make)
            self.call = torch._inductor.aoti_load_package(str(path))
        self.no_grad = torch.no_grad

    @staticmethod
    def missing():
        return lacks("torch", "onnx") or ("" if shutil.which("g++") else "g++")

    def __call__(self):
        with self.no_grad():
            found = self.call(*self.inputs)
        found = found if isinstance(found, (tuple, list)) else [found]
        return {name: y.numpy() for name, y in zip(self.names, found)}


class Emx:
    """emx-onnx-cgen's C, compiled with -O3 -march=native -ffast-math: plain loops, its own use of memory."""

    def __init__(self, net, batch, o):
        folder = net.folder / f"emx-{batch}"

        count = len(net.inputs(batch)) + len(net.shapes(batch))
        caller = f"void emx({', '.join(['const void *'] * count)});\n\nvoid call(void *const *a)\n{{\n    emx({', '.join(f'a[{i}]' for i in range(count))});\n}}\n"

        def make():
            folder.mkdir(exist_ok=True)
            said = run(sys.executable, "-m", "emx_onnx_cgen", "compile", net.fixed(batch), folder / "emx.c", "--model-name", "emx")
            (folder / "call.c").write_text(caller)
            said = said or run(o.cc, "-O3", "-march=native", "-ffast-math", "-w", "-shared", "-fPIC", folder / "emx.c", folder / "call.c", "-o", folder / "libemx.so", "-lm")
            if said:
                raise Refused(said)

        build(folder, [net.folder / "net.onnx", caller, version("emx_onnx_cgen"), version("onnxruntime"), version(o.cc), batch], make)
        self.lib = ctypes.CDLL(str(folder / "libemx.so"))
        if (folder / "emx.bin").exists():
            self.lib.emx_load.restype = ctypes.c_bool
            if not self.lib.emx_load(str(folder / "emx.bin").encode()):
                raise Refused("its weights do not load")
        self.inputs = list(net.inputs(batch).values())
        self.outputs = {name: np.empty(shape, np.float32) for name, shape in net.shapes(batch).items()}
        self.arguments = pointers([*self.inputs, *self.outputs.values()])

    @staticmethod
    def missing():
        return lacks("emx_onnx_cgen")

    def __call__(self):
        self.lib.call(self.arguments)
        return self.outputs

    def in_c(self, _calls):
        return self.lib.call, self.arguments


class Arguments(ctypes.Structure):
    """struct run of calls.c."""

    _fields_ = [("run", ctypes.c_void_p), ("net", ctypes.c_void_p), ("inputs", ctypes.c_void_p), ("outputs", ctypes.c_void_p), ("count", ctypes.c_int)]


class Library:
    """spnc's, of one of FORMS."""

    def __init__(self, net, batch, o, form):
        out = net.folder / f"{form}-{batch}"
        command = ["build", net.path, *net.sets, "--for", "inference", "--batch", batch, "--weights", net.folder / "net.npz", "--outputs", ",".join(net.outputs), *FORMS[form], "--force", "-o", out]

        def make():
            said = run(o.spnc, *command, env=os.environ | {"CC": o.cc})
            if said:
                raise Refused(said)

        build(out, [o.spnc, net.hash, net.folder / "net.npz", version(o.cc), *map(str, command)], make)
        self.folder, self.lib = out, ctypes.CDLL(str(out / f"lib{net.model}.so.0"))
        header = (out / f"{net.model}.h").read_text()
        size = int(header.split("_MEMORY ((size_t)")[1].split(")")[0])
        members = re.findall(r"^    (const )?\w+ \*(\w+);", header, re.M)
        outputs = {re.sub(r"\W", "_", name): np.empty(shape, np.float32) for name, shape in net.shapes(batch).items()}
        given = {re.sub(r"\W", "_", name): a for name, a in net.inputs(batch).items()}
        self.y = dict(zip(net.shapes(batch), outputs.values()))
        self.keep = [given, outputs]
        self.memory = np.empty(size + 64, np.uint8)
        at = -self.memory.ctypes.data % 64 + self.memory.ctypes.data
        self.net, self.run, self.count = ctypes.c_void_p(), self.lib[f"{net.model}_run"], batch
        if self.lib[f"{net.model}_open"](ctypes.byref(self.net), ctypes.c_void_p(at), ctypes.c_size_t(size), None, ctypes.c_size_t(0)):
            fail(f"{out}: the library does not open")
        self.given = pointers([given.get(name) for const, name in members if const])
        self.wanted = pointers([outputs.get(name) for const, name in members if not const])

    def __call__(self):
        if self.run(self.net, self.count, self.given, self.wanted):
            fail("a call of the library fails")
        return self.y

    def in_c(self, calls):
        self.arguments = Arguments(ctypes.cast(self.run, ctypes.c_void_p), self.net, ctypes.addressof(self.given), ctypes.addressof(self.wanted), self.count)
        return calls.call_run, ctypes.byref(self.arguments)

    def footprint(self, net, limits):
        """Kilobytes of code, and the megabytes that its example takes for one answer; {} if the example cannot read the inputs."""
        files = []
        for name, a in net.inputs(1).items():
            files.append(self.folder / f"{name}.npy")
            np.save(files[-1], a)
        if run("make", "-s", "-C", self.folder, "example"):
            return {}
        done = subprocess.run([limits, self.folder / "example", *files], capture_output=True, text=True)
        sections = subprocess.run(["size", "-A", self.folder / f"{net.model}.o"], capture_output=True, text=True).stdout.split("\n")
        code = sum(int(words[1]) for words in map(str.split, sections) if words and words[0].startswith(".text"))
        return {} if done.returncode else json.loads(done.stdout) | {"code_kb": code / 1000}


FORMS = {"auto": [], "lanes": ["--form", "lanes"], "latency": ["--form", "latency"], "portable": ["--target", "portable"]}
SOURCES = [pathlib.Path(__file__).with_name(name) for name in ("nets_torch.py", "onnx_torch.py")]           # what makes an ONNX file a net of PyTorch
PEERS = {"onnxruntime": Onnxruntime, "aotinductor": Aotinductor, "emx": Emx}
