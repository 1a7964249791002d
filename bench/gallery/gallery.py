#!/usr/bin/env python3
"""The gallery: each model of its table trained on something real and small, its test figure, a picture, in docs/gallery.md.

  bench/gallery/gallery.py                    all models; one that is trained already is only looked at
  bench/gallery/gallery.py unet vae           these
  bench/gallery/gallery.py --docs             no training: writes docs/gallery.md of bench/gallery/results.json

Needs numpy, scikit-learn and pillow, and MNIST in the folder that SPN_MNIST names.  Runs lie in --runs (build/gallery); any moment is a good one
to stop: the next call goes on.  The test split is evaluated once, when a run is over, with the weights of its best validation epoch.
Exit codes: 0 fine; 1 a program failed; 2 usage; 74 no MNIST.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/harness"))
HERE = ROOT / "bench/gallery"

# model: its title, what it teaches, the function of gallery_data that makes its data, the function below that draws its picture (or None)
Page = collections.namedtuple("Page", "title teaches data picture")
PAGES = {
    "resnet20": Page("ResNet-20", "Blocks with parameters, copied by `new: true`; batch norm; a shortcut that `when:` chooses; SGD with Nesterov's momentum, "
                     "a cosine with warm-up, decay of weights alone. Data: digits on photographs, 3 x 32 x 32.", "on_photographs", "examples"),
    "depthwise": Page("Depthwise-separable net", "A convolution with as many groups as channels, then one of a single pixel; AdamW. The same data.", "on_photographs", None),
    "unet": Page("U-Net", "A label for each pixel, `class_weights`, skips by `concat`, `conv_transpose`. Data: digits in clutter, 64 x 64. "
                 "The picture: what it saw, which pixels are the digit's, which it named.", "in_clutter", "masks"),
    "spn_on_map": Page("Spatial transformer on feature maps", "A sampler in the middle of a stack, with a restricted transform (`similarity`), `init: identity`, "
                       "a slower rate for one net. Data: digits turned by up to 90 degrees.", "any_way_round", "examples"),
    "two_heads": Page("Two heads", "One body, a class and an angle, two losses with weights, a formula that makes a vector of length 1. Data: digits turned by up to 60 degrees.", "with_angles", None),
    "lstm_rows": Page("LSTM over rows", "`lstm`, `x[$t]`: a sequence read step by step. Data: the rows of digits.", "in_rows", None),
    "masked": Page("Masked sequences", "A state that stands still where a mask is 0: sequences of different lengths. Data: the rows with ink.", "from_first_to_last_row", None),
    "siamese": Page("Siamese net", "Two inputs through one net, a loss made of formulas (`mean:`), a target read by formulas. Data: pairs of digits.", "pairs", None),
    "vae": Page("Variational auto-encoder", "`random`, formulas, two losses; `eval: draw` for samples. Data: digits. The picture: samples.", "pictures_and_pixels", "samples"),
    "char_rnn": Page("A net that writes", "i32 inputs, `embedding`, a table that is read a second time by `matmul`. Data: the licences in /usr/share/common-licenses. "
                     "Below: what it writes after `This program `, each character drawn by its probability, raised to 1 / 0.7.", "licences", "text"),
    "regression": Page("Regression on a table", "A target of real numbers, `huber`, `patience`. Data: scikit-learn's diabetes table, 442 patients.", "diabetes", None),
}


def say(*words):
    print("gallery:", *words, flush=True)


def run(*command, output=False):
    """Runs a command; its standard output as text if asked for.  Ends this program with 1 if it fails."""
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE if output else None, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(f"gallery: {' '.join(map(str, command))}: exit code {done.returncode}")
    return done.stdout


class Trained:
    """A model, its data, its program and its run, below a folder."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.data, self.program, self.run = folder / "data", folder / "program" / name, folder / "run"

    def make(self, threads):
        import gallery_data
        page = PAGES[self.name]
        if not (self.folder / "data.done").exists():
            say(f"{self.name}: data")
            getattr(gallery_data, page.data)(self.data)
            (self.folder / "data.done").touch()
        run(ROOT / "build/spnc", "build", f"models/{self.name}.yaml", "-o", self.folder / "program", output=True)
        run(self.program, "train", "--data", self.data, "--run", self.run, "--resume", *(["--threads", threads] if threads else []))

    def predictions(self, count, *more):
        """Array by name of the first examples of the test split."""
        import numpy as np
        path = self.folder / "predictions.npz"
        run(self.program, "predict", "--run", self.run, "--data", self.data, "--count", count, "-o", path, *more, output=True)
        return np.load(path)

    def test(self, split):
        return json.loads(run(self.program, "eval", "--run", self.run, "--data", self.data, "--split", split, "--json", output=True))


# ---- figures: what the test split gave, as a sentence -----------------------------------------------------------------------

def wrong(found, target, what):
    return f"{100 * found['error'][target]['mean']:.2f} % of {found['examples']} {what} wrong"


def figure(t, found):
    import numpy as np
    name = t.name
    if name in ("resnet20", "depthwise"):
        return wrong(found, "label", "test pictures")
    if name in ("spn_on_map", "lstm_rows", "masked"):
        return wrong(found, "digit", "test digits")
    if name == "two_heads":
        way, turn = t.predictions(found["examples"])["value/way"], np.load(t.data / "test_turn.npy")
        off = np.degrees(np.arccos(np.clip((way * turn).sum(1), -1, 1)))
        return wrong(found, "digit", "test digits") + f"; the angle is off by {off.mean():.1f} degrees in the mean"
    if name == "unet":
        said, mask = t.predictions(found["examples"])["read/mask"].reshape(-1, 64, 64), np.load(t.data / "test_mask.npy")
        both, one = (said & mask).sum(), (said | mask).sum()
        return wrong(found, "mask", "test pictures' pixels").replace(" of ", " of the pixels of ", 1).replace(" test pictures' pixels", " test pictures") + f"; intersection over union of the digits' pixels {both / one:.3f}"
    if name == "siamese":
        d2, same = t.predictions(found["examples"])["value/d2"], np.load(t.data / "test_same.npy")
        return f"{100 * ((d2.ravel() < 0.25) != same).mean():.2f} % of {found['examples']} test pairs wrong, if a distance below half the margin means the same digit"
    if name == "vae":
        return f"loss {found['loss']:.1f} nats a test digit with the noise at 0"
    if name == "char_rnn":
        return f"{found['loss'] / np.log(2):.2f} bits a character of the test parts; {100 * found['error']['next']['mean']:.1f} % of the most likely characters wrong"
    if name == "regression":
        unit = float((t.data / "units.txt").read_text())
        return f"root mean square error {found['root_mean_square']['progress'] * unit:.1f} on {found['examples']} test patients; the mean of all patients gives {unit:.1f}"
    raise AssertionError(name)


# ---- pictures ------------------------------------------------------------------------------------------------------------------

def sheet(rows, path, scale=2):
    """Rows of grey pictures (u1) side by side, one grey pixel between them, as a PNG."""
    import numpy as np
    from PIL import Image
    frame = lambda a: np.pad(a, 1, constant_values=128)
    whole = np.vstack([np.hstack([frame(p) for p in row]) for row in rows])
    Image.fromarray(whole).resize((whole.shape[1] * scale, whole.shape[0] * scale), Image.NEAREST).save(path, optimize=True)


def examples(t, path):
    run(t.program, "predict", "--run", t.run, "--data", t.data, "--count", 8, "--picture", path, output=True)


def masks(t, path):
    import numpy as np
    said = t.predictions(10)["read/mask"].reshape(-1, 64, 64)
    image, mask = np.load(t.data / "test_image.npy")[:10, 0], np.load(t.data / "test_mask.npy")[:10]
    sheet([image, (255 * mask).astype(np.uint8), (255 * said).astype(np.uint8)], path)


def samples(t, path):
    import numpy as np
    made = t.predictions(60)["value/sample"].reshape(-1, 28, 28)
    sheet(np.rint(255 * made).astype(np.uint8).reshape(4, 15, 28, 28), path)


def text(t, path):
    """Writes on after a beginning, a character at a time: the last 64 go in, the answer after the last of them is drawn."""
    import numpy as np
    import gallery_data as data
    random = np.random.default_rng(1)
    written = list(data.classes_of("This program "))
    while len(written) < 400:
        seen = written[-data.LENGTH:]
        window = np.array([seen + [0] * (data.LENGTH - len(seen))], np.int32)
        np.save(t.folder / "window.npy", window)
        run(t.program, "predict", t.folder / "window.npy", "--run", t.run, "-o", t.folder / "next.npz", output=True)
        share = np.load(t.folder / "next.npz")["probability/next"].reshape(data.LENGTH, data.CLASSES)[len(seen) - 1].astype(np.float64) ** (1 / 0.7)
        written.append(int(random.choice(data.CLASSES, p=share / share.sum())))
    path.with_suffix(".txt").write_text(data.text_of(written) + "\n")


# ---- the page ------------------------------------------------------------------------------------------------------------------

def write_page(results):
    out = ["# Gallery", "",
           "Small nets for what people do every day, each trained on something real. Written by `make gallery` from `bench/gallery/results.json`; do not edit.",
           "Data come from MNIST's 60,000 digits (20,000 train), from scikit-learn and from the texts of Debian, by `bench/gallery/gallery_data.py`; the test split was evaluated once, "
           "with the weights of the best validation epoch. Seconds are those of the training by the clock, on a machine with other work to do.", ""]
    for name, page in PAGES.items():
        if name not in results:
            continue
        r = results[name]
        out += [f"## {page.title}", "", f"[models/{name}.yaml](../models/{name}.yaml): {page.teaches}", "",
                f"**{r['figure']}**, after {r['epochs']} epochs in {r['seconds']:.0f} s ({r['machine']['cpu']}, threads: {r['machine']['threads']}); "
                f"{r['parameters']:,} parameters, model hash `{r['hash'][:8]}`, seed {r['seed']}.", ""]
        if page.picture == "text":
            out += ["```", (ROOT / f"docs/gallery/{name}.txt").read_text().rstrip(), "```", ""]
        elif page.picture:
            out += [f"![{page.title}](gallery/{name}.png)", ""]
    (ROOT / "docs/gallery.md").write_text("\n".join(out).rstrip() + "\n")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1], add_help=True)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--runs", type=pathlib.Path, default=ROOT / "build/gallery")
    parser.add_argument("--threads")
    parser.add_argument("--docs", action="store_true")
    o = parser.parse_args()
    unknown = [m for m in o.models if m not in PAGES]
    if unknown:
        parser.error(f"no model '{unknown[0]}' in the gallery; there are {', '.join(PAGES)}")
    kept = HERE / "results.json"
    results = json.loads(kept.read_text()) if kept.exists() else {}
    if not o.docs:
        if "SPN_MNIST" not in os.environ:
            print("gallery: SPN_MNIST names no folder with MNIST's four files", file=sys.stderr)
            sys.exit(74)
        from machine import machine
        (ROOT / "docs/gallery").mkdir(exist_ok=True)
        for name in o.models or PAGES:
            t = Trained(name, o.runs.resolve() / name)
            t.folder.mkdir(parents=True, exist_ok=True)
            t.make(o.threads)
            info, facts = json.loads(run(t.program, "info", "--json", output=True)), json.loads((t.run / "run.json").read_text())
            once = t.folder / f"test-{info['model_hash'][:8]}.json"
            if not once.exists():
                once.write_text(json.dumps(t.test("test")))
            found = json.loads(once.read_text())
            log = [json.loads(line) for line in (t.run / "log.jsonl").read_text().splitlines()]
            results[name] = {"figure": figure(t, found), "test": {**found, "error": {target: e["mean"] for target, e in found["error"].items()}}, "epochs": len(log), "seconds": round(sum(e["seconds"] for e in log), 1),
                             "parameters": info["parameter_count"], "hash": info["model_hash"], "seed": facts["train"]["seed"], "machine": {**machine(), "threads": o.threads or os.cpu_count()}}
            if PAGES[name].picture:
                globals()[PAGES[name].picture](t, ROOT / f"docs/gallery/{name}.png")
            say(f"{name}: {results[name]['figure']}")
            kept.write_text(json.dumps({n: results[n] for n in PAGES if n in results}, indent=1) + "\n")
    write_page(results)


if __name__ == "__main__":
    main()
