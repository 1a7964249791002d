#!/usr/bin/env python3
"""Nets of nets/ beside their twins in Keras (keras/): lines of both, and the twins trained.

    keras_twins.py count      a table: lines of NAME.yaml and of keras/NAME.py, without empty ones and those that are comments alone
    keras_twins.py run        trains each twin for an epoch on random data, and compares its number of parameters with spnc's (SPNC, build/spnc)

Both are whole: a twin has its imports and a line for compile and fit, as the model has its inputs, loss and training; reading the data is in neither.
Lines end before column 120.  `count` exits 1 if a model has more than a fifth more lines than its twin.  `run` needs Keras 3 and one of its backends:
pip install keras jax; KERAS_BACKEND=jax.
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TWINS = sorted((HERE / "keras").glob("*.py"))
MOST = 1.2
# Of each net that it is about: what it reads.  A shape; a number: so many classes; both: so many classes at each place.
INPUTS = {"class_weights": {"x": (6,)}, "glimpse": {"image": (8, 7, 1)}, "gru_rows": {"image": (6, 5, 1)}, "huber": {"x": (5,)},
          "masked_gru": {"x": (5, 3), "mask": (5,)}, "multi_label": {"x": (6,)}, "resnet20": {"image": (8, 8, 3)}, "rezero": {"x": (6,)},
          "siamese": {"left": (8, 8, 1), "right": (8, 8, 1)}, "squeeze": {"x": (7, 6, 2)}, "tied": {"x": (7,)},
          "two_heads": {"picture": (6, 5, 2), "facts": (4,)}, "vae": {"x": (1, 6, 6)}}
TARGETS = {"class_weights": {"label": 4, "places": ((3,), 4)}, "glimpse": {"label": 4}, "gru_rows": {"label": 4}, "huber": {"y": (3,)},
           "masked_gru": {"label": 3}, "multi_label": {"y": (5,), "marks": ((5,), 2)}, "resnet20": {"label": 5}, "rezero": {"y": (6,)},
           "siamese": {"same": 2}, "squeeze": {"label": 4}, "tied": {"y": (7,)}, "two_heads": {"kind": 5, "size": (2,)}, "vae": {"pixels": (36,)}}


def lines(path):
    """How many say something; exits if one is too long for a fair count."""
    said = [line for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in said:
        if len(line) > 120:
            sys.exit(f"{path}: a line of {len(line)} columns; 120 are the most")
    return len(said)


def count():
    print("| net | spnc | Keras |\n| --- | --- | --- |")
    over = 0
    for twin in TWINS:
        ours, theirs = lines(HERE / f"nets/{twin.stem}.yaml"), lines(twin)
        over += ours > MOST * theirs
        print(f"| [{twin.stem}](../tests/oracle/nets/{twin.stem}.yaml) | {ours} | [{theirs}](../tests/oracle/keras/{twin.stem}.py) |")
    return 1 if over else 0


def run():
    import keras
    import numpy as np
    random = np.random.default_rng(1)

    def drawn(of):
        if isinstance(of, int):
            return random.integers(0, of, 40)
        return random.random((40,) + of).astype("f4") if isinstance(of[0], int) else random.integers(0, of[1], (40,) + of[0])

    fit, wrong = keras.Model.fit, 0
    keras.Model.fit = lambda self, *words, **more: fit(self, *words, **{**more, "epochs": 1, "verbose": 0})
    for twin in TWINS:
        names = {"inputs": {k: drawn(of) for k, of in INPUTS[twin.stem].items()}, "targets": {k: drawn(of) for k, of in TARGETS[twin.stem].items()}}
        exec(compile(twin.read_text(), twin, "exec"), names)
        spnc = os.environ.get("SPNC", HERE.parent.parent / "build/spnc")
        shown = json.loads(subprocess.run([spnc, "show", HERE / f"nets/{twin.stem}.yaml", "--json"], capture_output=True, check=True).stdout)
        theirs = sum(int(np.prod(w.shape)) for w in names["model"].trainable_weights)
        wrong += theirs != shown["parameters"]
        print(f"{twin.stem}: {shown['parameters']} parameters, in Keras {theirs}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["count"], ["run"]):
        sys.exit(__doc__)
    sys.exit(count() if sys.argv[1] == "count" else run())
