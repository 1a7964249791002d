"""plant.py -- a NaN planted in every operator of an emitted net, forward, backward and in the weights' gradient, one at a time.

usage: plant.py write NAME.c       a function around every NAME_forward, _backward and _weights makes the first number of its result
                                   NaN when SPN_PLANT says its name; SPN_PLANT_AT=middle: one in the middle.  Of a function that
                                   several operators share it is that of the first in the pass, known by where its result lies
       plant.py run PROGRAM DATA   trains a step with each plant and asks whom the trainer blames: it must be that operator and pass
A NaN that nobody reads, or that a relu or a maximum swallows, reaches neither the loss nor the gradient; such are counted apart."""
import os, re, shutil, subprocess, sys, tempfile

DEFINITION = re.compile(r"^((?:static )?)void (\w+_(?:forward|backward|weights))\(([^;{]*)\)\n\{\n(.*?)^\}\n", re.M | re.S)
SEEN = re.compile(r'SEE\([^;"]*, "(\w+)", "(forward|backward|weights)", \.yaml_line = -?\d+, \.tensor = "[^"]*", \.written = 1, \.count = (\d+), \.slot ='.replace(" ", r"\s+"))
CALL = re.compile(r'^[ ]*(\w+_(?:forward|backward|weights))\([^;]*; SEE\([^;"]*, "(\w+)", "(forward|backward|weights)", \.yaml_line = -?\d+, \.tensor = "[^"]*", \.written = 1,'.replace("[ ]*", "[\t ]*").replace("; ", r";\s+").replace(", ", r",\s+").replace(" = ", r"\s+=\s+"), re.M)
PLANT = """#include <stdlib.h>
static void plant(const char *name, void *first, int middle, void **shared)
{
    const char *wanted = getenv("SPN_PLANT"), *where = getenv("SPN_PLANT_AT");
    if (shared && !*shared)
        *shared = first;
    if (wanted && !strcmp(wanted, name) && (!shared || *shared == first))
        ((real *)first)[where && *where == 'm' ? middle : 0] = (real)NAN;
}

"""


def write(path):
    text, inspect, names, counts, callers = open(path).read(), open(path[:-2] + "_inspect.c").read(), [], {}, {}
    for op, what, count in SEEN.findall(inspect):
        counts.setdefault(f"{op}_{what}", int(count))
    for function, op, what in CALL.findall(inspect):
        callers.setdefault(function, []).append(f"{op}_{what}")

    def planted(match):                        # the function under another name, and one around it
        linkage, function, arguments, body = match.groups()
        if function not in callers or callers[function][0] not in counts:
            return match.group(0)
        name, shared = callers[function][0], len(callers[function]) > 1
        names.append(name)
        given = [re.search(r"(\w+)(?:\[[^]]*\])*$", a).group(1) for a in re.split(r",\s*", arguments)]
        return (f"static void {function}_itself({arguments})\n{{\n{body}}}\n\n{linkage}void {function}({arguments})\n{{\n"
                f"{'    static void *of;' + chr(10) if shared else ''}    {function}_itself({', '.join(given)});\n"
                f"    plant(\"{name}\", {given[0]}, {counts[name] // 32 * 16}, {'&of' if shared else 'NULL'});\n}}\n")
    text = DEFINITION.sub(planted, text)
    at = text.index("/* ==== 1 ")
    open(path, "w").write(text[:at] + PLANT + text[at:])
    open(path + ".plants", "w").write("\n".join(names))
    missing = sorted(set(counts) - set(names))
    print(f"plant: {len(names)} operators and passes" + (f"; without a function of their own: {', '.join(missing)}" if missing else ""))


def run(program, data):
    named = swallowed = 0
    wrong = []
    for name in open(program + ".c.plants").read().split():
        op, what = name.rsplit("_", 1)
        with tempfile.TemporaryDirectory() as folder:
            command = [program, "train", "--data", data, "--run", folder + "/run", "--epochs", "1", "--threads", "1", "--quiet"]
            for place in "first", "middle":
                environment = dict(os.environ, SPN_PLANT=name, SPN_PLANT_AT=place)
                result = subprocess.run(command, capture_output=True, text=True, env=environment)
                if result.returncode or place == "middle":
                    break
                shutil.rmtree(folder + "/run")
            if result.returncode == 0:
                swallowed += 1
                print(f"plant: {name}: swallowed")
                continue
            blamed = re.search(r": (\w+) \((\w+)[^)]*\) made the first bad number", result.stderr)
            dump = folder + "/run/nonfinite.npz"
            again = subprocess.run([program, "replay", dump], capture_output=True, text=True, env=environment) if os.path.exists(dump) else None
            if not blamed or blamed.groups() != (op, what) or not again or again.returncode != 1 or f"{op} ({what}" not in again.stdout:
                wrong.append(f"{name}: exit code {result.returncode}, {result.stderr[:300]}")
            else:
                named += 1
    print(f"plant: {os.path.basename(program)}: {named} named rightly, {swallowed} swallowed, {len(wrong)} wrong")
    print("\n".join(wrong))
    return bool(wrong) or not named


if sys.argv[1] == "write":
    write(sys.argv[2])
else:
    sys.exit(run(sys.argv[2], sys.argv[3]))
