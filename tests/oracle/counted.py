"""What a model of the language is made of, as words, and a table of how many of many models have each.

words(document) of a document as draw.py makes it: `conv`, `conv.groups`, `conv.padding=same`, `formula tanh`, `repeat in a repeat`, `init orthogonal`, ...
wanted(spnc) are the words that the compiler's lists and its schema have, and those of CONSTRUCTS; table() names those of them that no model has.
"""
import json
import re
import subprocess

from expression import parse
from language import listed

CELLS = ("gru", "lstm", "rnn")
NOT_INPUTS = ("constant", "parameter", "random")
LEAF = ("number", "param", "name")
OPERATIONS = ("+", "-", "*", "/", "//", "%", "**", "neg", "<", "<=", ">", ">=", "==", "!=")
FUNCTIONS = ("exp", "log", "sqrt", "abs", "sin", "cos", "tanh", "sigmoid", "relu", "softplus", "erf", "min", "max", "sign", "floor", "clip", "where", "leaky_relu", "elu", "selu",
             "gelu", "silu", "hard_sigmoid", "relu6", "square", "negate")
ACTS = ("linear", "relu", "tanh", "sigmoid", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "hard_sigmoid", "relu6", "clip", "square", "abs", "negate")
CONSTRUCTS = (
    "params", "several inputs", "u8 input", "i32 input", "augment", "include", "outputs", "second name", "a number alone", "x[i] of a formula", "x[$t]", "x[a * $t + b]", "$t in a number",
    "step: i", "repeat", "repeat in a repeat", "repeat.reverse", "repeat.name", "repeat.when", "a name in two repeats", "moving slice", "state: zeros", "state: trained", "state: a value",
    "state of rank 0", "state of rank 1", "state of rank 2", "state of rank 3", "several states", "state from an entry of its step", "carried gru", "carried lstm", "carried rnn",
    "free gru", "free lstm", "free rnn", "several nets", "net of layers", "net of layers with params", "net of branches", "net in a net", "repeat in a net", "net in a repeat", "net used twice",
    "several inputs of a net", "several outputs of a net", "params given at a use", "new", "new in a repeat", "when in a net", "when in the flow", "when in layers", "a loop's stack in a loss", "nested call",
    "formula as an operand", "NAME.weight as an operand", "embedding of a parameter", "target read by a value", "several losses", "loss of a formula", "loss.weight", "freeze", "rate_times", "own weight_decay",
    "init of a file", "no_decay bias", "no_decay norms", "no_decay weights", "clip.element", "clip.norm", "clip rule torch", "clip rule lasagne", "weight_decay", "accumulate", "average",
    "1-d conv", "1-d conv_transpose", "1-d maxpool", "1-d avgpool", "1-d upsample", "batch_norm of [n]", "batch_norm of [C,T]", "batch_norm of [C,H,W]", "batch_norm in a repeat", "batch_norm in a net used twice",
    "depthwise conv", "asymmetric padding", "labels", "labels with length", "labels with shape", "shares as target", "bits as labels")


class Words(set):
    def __init__(self, model):
        super().__init__()
        self.model, self.nets = model, model.get("nets") or {}
        self.shapes = {**model.get("shapes", {}), **{name: tuple(given["shape"]) for name, given in (model.get("inputs") or {}).items()}}
        self.steps, self.uses, self.made, self.stacks = ["t"], {}, {}, set()
        self.inputs()
        for net, given in self.nets.items():
            self.net(given)
        self.entries(model["flow"], "the flow")
        self |= {"net used twice" for n in self.uses.values() if n > 1} | {"several nets" for _ in [0] if len(self.nets) > 1}
        self |= {"a name in two repeats" for places in self.made.values() if len(places) > 1}
        self |= {"batch_norm in a net used twice" for net, n in self.uses.items() if n > 1 and "batch_norm" in str(self.nets[net])}
        self.losses()
        self.training(model.get("train") or {})

    def inputs(self):
        self |= {"several inputs" for _ in [0] if len(self.model.get("inputs") or {}) > 1} | {key for key in ("params", "include", "outputs") if self.model.get(key)}
        for given in (self.model.get("inputs") or {}).values():
            self.add(f"{given.get('dtype', 'f32')} input")
            self |= {"augment"} & set(given)
        for given in (self.model.get("targets") or {}).values():
            if "classes" in given:
                self.add("labels with length" if "length" in given else "labels with shape" if "shape" in given else "labels")

    # ---- nets and entries ----

    def net(self, given):
        if isinstance(given, dict) and "do" in given:
            self.add("net of branches")
            self |= {"several inputs of a net" for _ in [0] if len(listed(given["in"])) > 1} | {"several outputs of a net" for _ in [0] if isinstance(given["out"], dict)}
            self.entries(given["do"], "a net")
            for one in given["out"].values() if isinstance(given["out"], dict) else [given["out"]]:
                self.operand(one)
            return
        self.add("net of layers with params" if isinstance(given, dict) else "net of layers")
        for layer in given["layers"] if isinstance(given, dict) else given:
            op, main = (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))
            self.call(op, main if isinstance(main, dict) else {}, "layers")

    def entries(self, entries, where):
        self |= {f"repeat in {where}" for entry in entries if "repeat" in entry and where.startswith("a ")}
        for entry in entries:
            if "repeat" in entry:
                self.repeat(entry)
                continue
            (name, given), = entry.items()
            if isinstance(given, str):
                tree = parse(given)
                self.add("second name" if tree[0] == "name" else "a number alone" if tree[0] == "number" else "formula")
                self.formula(given)
            else:
                self.operand(given, where, True)

    def repeat(self, entry):
        self.add("repeat")
        self |= {f"repeat.{key}" for key in ("reverse", "name", "when") if key in entry} | {"step: i" for _ in [0] if "step" in entry}
        states = entry.get("carry") or {}
        self |= {"several states" for _ in [0] if len(states) > 1}
        for name, given in states.items():
            kind = next(iter(given))
            own = given[kind] if kind in CELLS and isinstance(given[kind], dict) else given
            if kind in CELLS:
                self |= {f"carried {kind}"} | {f"carried {kind}.{key}" for key in own}
            else:
                self.add(f"state of rank {len(own['shape'])}")
            self.init(own.get("weight_init"))
            start = own.get("init", "zeros")
            for one in start.values() if isinstance(start, dict) and set(start) <= {"h", "c"} else [start]:
                self.add(f"state: {one}" if one in ("zeros", "trained") else "state: a value")
        self.steps.append(entry.get("step", "t"))
        self.entries(entry["do"], "a repeat")
        self.steps.pop()
        for one in entry["do"]:
            for name, given in one.items():
                if name in states and any(other in str(given) for before in entry["do"] for other in before if other != name and other not in states):
                    self.add("state from an entry of its step")
        for one in entry["do"]:
            if "repeat" not in one:
                self.made.setdefault(next(iter(one)), set()).add(id(entry))
                self.stacks.add(next(iter(one)))

    # ---- operands ----

    def operand(self, given, where="the flow", whole=False):
        if not isinstance(given, dict):
            self.formula(str(given))
            if re.search(r"[^\w.]", str(given)):
                self.add("formula as an operand")
            return
        op = next(iter(given))
        self |= {"nested call" for _ in [0] if not whole}
        if op == "formula":
            self.add("formula")
            self.formula(given[op])
        elif op not in NOT_INPUTS or op in self.nets:
            for one in listed(given[op]):
                self.operand(one, where)
        self.call(op, given, where)

    def call(self, op, given, where):
        if where.startswith(("a ", "layers")) and op in self.nets:
            self.add("net in a repeat" if where == "a repeat" else "net in a net")
        self |= {f"when in {where}" for _ in [0] if "when" in given}
        attributes = {k: v for k, v in given.items() if k not in (op, "when", "name")}
        if op in self.nets:
            self.uses[op] = self.uses.get(op, 0) + 1
            self |= {"new"} & set(attributes) | {"new in a repeat" for _ in [0] if "new" in attributes and where == "a repeat"} | {"params given at a use" for _ in [0] if set(attributes) - {"new"}}
            return
        self.add(op)
        if op in CELLS:
            self.add(f"free {op}" if "units" in attributes else f"carried {op}")
        if op == "random" or op == "constant" and isinstance(given.get(op), dict):
            self.add(f"random {given[op]}" if op == "random" else "constant range")
        for key, one in attributes.items():
            self.add(f"{op}.{key}")
            if key in ("init", "bias_init", "weight_init"):
                self.init(one)
            elif key == "act":
                self.add(f"act {next(iter(one)) if isinstance(one, dict) else one}")
            elif isinstance(one, (str, bool)) and not re.search(r"[$\d]", str(one)):
                self.add(f"{op}.{key}={str(one).lower()}")
        self.special(op, given)

    def special(self, op, given):
        """Words of single operators."""
        names = re.findall(r"[A-Za-z_]\w*", str(listed(given[op])[0])) if given.get(op) else []       # of a formula's operands the first whose shape is known
        first = next((n for n in names if n in self.shapes), "")
        rank = len(self.shapes.get(first, ()))
        if rank == 2 and op in ("conv", "conv_transpose", "maxpool", "avgpool", "upsample"):
            self.add(f"1-d {op}")
        if op == "batch_norm":
            self |= {f"batch_norm of {(0, '[n]', '[C,T]', '[C,H,W]')[rank]}" for _ in [0] if 1 <= rank <= 3}
            self |= {"batch_norm in a repeat" for _ in [0] if len(self.steps) > 1}
        if op == "conv" and rank and str(given.get("groups", 1)) == str(self.shapes[first][0]) != "1":
            self.add("depthwise conv")
        if op == "conv" and isinstance(given.get("padding"), list) and any(isinstance(p, list) and p[0] != p[1] for p in given["padding"]):
            self.add("asymmetric padding")
        if op == "slice" and any("$" in str(given.get(key, "")) for key in ("from", "to", "index")):
            self.add("moving slice" if "from" in given else "x[a * $t + b]")
        if op == "embedding" and isinstance(given[op], list):
            self.add("embedding of a parameter")

    def init(self, given):
        if given is not None:
            kind, numbers = next(iter(given.items())) if isinstance(given, dict) else (given, None)
            if isinstance(kind, str):
                self |= {f"init {kind}"} | {f"init {kind} with gain" for _ in [0] if isinstance(numbers, dict)} | {f"init {kind} of a pair" for _ in [0] if isinstance(numbers, list)}

    def formula(self, text):
        def walk(tree):
            kind, *parts = tree
            if kind in LEAF:
                if kind == "param" and parts[0] in self.steps:
                    self.add("$t in a number")
                if kind == "name" and parts[0].endswith((".weight", ".bias", ".weight_ih", ".weight_hh")):
                    self.add("NAME.weight as an operand")
                if kind == "name" and parts[0] in (self.model.get("targets") or {}):
                    self.add("target read by a value")
                return
            if kind == "index":
                moving = re.search(r"'param', '(t|i)'", str(parts[1]))
                self.add(("x[$t]" if parts[1][0] == "param" else "x[a * $t + b]") if moving else "x[i] of a formula")
                return
            self.add(f"formula {parts[0] if kind == 'call' else kind}")
            for part in parts[1] if kind == "call" else parts:
                walk(part)
        walk(parse(text))

    # ---- losses and training ----

    def losses(self):
        self |= {"several losses" for _ in [0] if len(listed(self.model["loss"])) > 1}
        targets = self.model.get("targets") or {}
        for entry in listed(self.model["loss"]):
            kind, given = next(iter(entry.items()))
            self.add(kind)
            self |= {f"{kind}.{key}" for key in entry if key not in (kind, "weight")} | {"loss.weight" for _ in [0] if "weight" in entry}
            if kind in ("weight_l1", "weight_l2"):
                continue
            for one in listed(given):
                self.operand(one)
                self |= {"loss of a formula" for _ in [0] if re.search(r"[^\w.]", str(one))} | {"a loop's stack in a loss" for _ in [0] if str(one) in self.stacks}
            target = targets.get(str(listed(given)[-1]))
            if target and kind == "cross_entropy" and "classes" not in target:
                self.add("shares as target")
            if target and kind == "binary_cross_entropy" and "classes" in target:
                self.add("bits as labels")

    def training(self, train):
        optimiser = train.get("optimiser", "rmsprop")
        kind, settings = next(iter(optimiser.items())) if isinstance(optimiser, dict) else (optimiser, {})
        self |= {kind} | {f"{kind}.{key}" + (f"={str(v).lower()}" if isinstance(v, bool) else "") for key, v in settings.items()}
        schedule = train.get("schedule")
        if isinstance(schedule, dict):
            kind = next(iter(schedule))
            settings = schedule[kind] if isinstance(schedule[kind], dict) else schedule
            self |= {"warm_up alone" if set(schedule) == {"warm_up"} else "divide" if "every" in schedule else kind} | {"schedule.warm_up" for _ in [0] if "warm_up" in settings}
        self |= {key for key in ("weight_decay", "accumulate", "average") if key in train} | {f"no_decay {one}" for one in listed(train.get("no_decay") or [])}
        clip = train.get("clip") or {}
        self |= {f"clip.{key}" for key in clip if key != "rule"} | {f"clip rule {clip['rule']}" for _ in [0] if "rule" in clip}
        for own in (train.get("nets") or {}).values():
            self |= {"own weight_decay" if key == "weight_decay" else "init of a file" if key == "init" else key for key in own}


def words(model):
    return set(Words(model))


def wanted(spnc):
    """Words of `spnc ops` and of the schema's attributes, functions, operations, constructs; without what stands for openblas."""
    told = lambda what: subprocess.run([str(spnc), what], capture_output=True, text=True, check=True).stdout
    names = lambda text: {line.split()[0] for line in text.splitlines() if line.startswith("  ")}
    listed_ops, _, rest = told("ops").partition("\ninitialisers\n")
    found = names(listed_ops) | {f"init {name}" for name in names(rest.partition("\n\n")[0])}         # the keys behind them are constructs
    definitions = json.loads(told("schema"))["$defs"]
    for form in definitions["made"]["anyOf"]:
        op, *attributes = form.get("properties", {None: 0})
        for key in attributes:
            if key in ("when", "gemm") or op in CELLS:
                continue
            found.add(f"{op}.{key}")
            if key == "act":
                continue
            for choice in form["properties"][key].get("anyOf", []):
                found |= {f"{op}.{key}={word}" for word in choice.get("enum", []) if word != form["properties"][key].get("default")}
    for kind in CELLS:
        found |= {f"carried {kind}.{key}" for key in definitions[f"{kind}_cell"]["properties"] if key not in ("when", "gemm")}
    for form in definitions["loss"]["anyOf"]:
        kind, *attributes = form["properties"]
        found |= {f"{kind}.{key}" for key in attributes if key not in ("weight", "when")}
    for form in definitions["optimiser"]["anyOf"]:
        for kind, inner in form.get("properties", {}).items():
            found |= {f"{kind}.{key}" + ("=true" if inner["properties"][key].get("default") is False else "=false" if inner["properties"][key].get("default") is True else "")
                      for key in inner["properties"]}
    found -= {"random.eval=draw"}                       # PyTorch cannot draw what a program draws
    return found | {f"act {name}" for name in ACTS} | {f"formula {name}" for name in (*FUNCTIONS, *OPERATIONS)} | set(CONSTRUCTS)


def table(spnc, models):
    """Lines: each word and how many models have it, the rarest first; then what no model has."""
    count, number = {}, 0
    for model in models:
        number += 1
        for word in words(model):
            count[word] = count.get(word, 0) + 1
    lines = [f"{n:6} {word}" for word, n in sorted(count.items(), key=lambda pair: (pair[1], pair[0]))]
    never = sorted(wanted(spnc) - set(count))
    return [*lines, f"{number} models, {len(count)} words; never: {', '.join(never) or 'none'}"]
