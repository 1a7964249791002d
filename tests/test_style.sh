#!/usr/bin/env bash
# test_style.sh -- the emitted C of the models and of the oracle's nets, for every target and plain: what reads like a generator's.
# SPNC: the spnc to test (default build/spnc).
#
# A loop that runs once, `t / 1` and `t * 1`, a second name for the same thing, a line over 120 columns, a loop that is not indented in another,
# a size of "0.00 MiB", an equation printed twice, a local variable or parameter with the name of the struct of tensors, which would hide it from a
# debugger, in the plain form a function whose sizes are numbers, or two enums: none of them.  And the C in README.md is that of models/tiny.yaml.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74

nets() {        # MODEL OPTIONS: nine nets of the paper, tiny, the others, the oracle's
    local d
    for d in 1 2 3 4; do
        echo "$root/models/rnn_spn.yaml --set d=$d --set dropout=0.2"
        echo "$root/models/ffn_spn.yaml --set d=$d"
    done
    for d in conv tiny autoencoder two_glimpse mnist rnn_spn_today; do echo "$root/models/$d.yaml"; done
    for d in options recurrent samplers shared; do echo "$root/tests/oracle/nets/$d.yaml"; done
}
count=0
while read -r model options; do
    for form in "--target avx512" "--target avx2" "--target generic" --plain; do
        # shellcheck disable=SC2086
        "$SPNC" emit "$model" $options $form --tuning none -o "$count" >said 2>&1 || fault "emit $model $options $form: $(head -3 said)"
        count=$((count + 1))
        echo "$(basename "$model" .yaml) $options $form" >"$((count - 1))/what"
    done
done <<<"$(nets)"
python3 - "$count" <<'PYTHON' || failed=1
import pathlib, re, sys
RULES = {
    "a line over 120 columns": lambda line: len(line) > 120 and not re.match(r' *(\.about = |(static )?const char (\*const )?\w+(\[\])? = )?"', line),
    "a division by 1": re.compile(r"(?<![\w.]) [/%] 1(?![\w.])").search,
    "a multiplication by 1": re.compile(r"[\w)\]] \* 1(?![\w.])|(?<![\w.])1 \* [\w(]").search,
    "a second name": re.compile(r"\bconst int \w+ = [a-z]\w*;").search,
    "0.00 MiB": re.compile(r"(?<![\d.])0(\.0+)? [KM]iB").search,
}
def once(line):                 # a loop from a to b by more than b - a
    m = re.search(r"\bfor \(int (\w+) = (\d+); \1 < (\d+); \1(\+\+| \+= (\d+))\)", line)
    return bool(m) and int(m[3]) - int(m[2]) <= int(m[5] or 1)
RULES["a loop that runs once"] = once
found = {}
def report(rule, what, file, number, line):
    found.setdefault(rule, []).append(f"{what}, {file.name}:{number}: {line.strip()[:120]}")
# operators whose loops go to numbers
NUMBERS = set("augment batch_gradient formula global_avgpool global_maxpool group_norm instance_norm layer_norm max mean pad rms_norm slice stack sum sum_slices sum_steps transpose".split())
lines = structs = 0
counted = [0, 0]
for folder in range(int(sys.argv[1])):
    folder = pathlib.Path(str(folder))
    what = (folder / "what").read_text().strip()
    for file in folder.glob("*.c"):
        text = file.read_text().split("\n")
        lines += len(text)
        for number, line in enumerate(text, 1):
            comment = line.lstrip().startswith(("/*", "*"))
            for rule, wrong in RULES.items():
                blocks = rule.startswith(("a loop", "a div", "a mult"))
                if not (comment and (blocks or rule == "a second name")) and wrong(line):
                    report(rule, what, file, number, line)
            before = text[number - 2] if number > 1 else ""
            if re.match(r" *for \(.*\)$", before) and len(line) - len(line.lstrip()) <= len(before) - len(before.lstrip()):
                report("not indented in its loop", what, file, number, line)
        # each use of the struct's name is of a tensor, v.h
        code = re.sub(r'/\*.*?\*/|"(\\.|[^"\\\n])*"', lambda m: re.sub(r"[^\n]", " ", m[0]), file.read_text(), flags=re.S)
        struct = re.search(r"^static struct \{\n((?: .*\n)*)\} (\w+);", code, re.M)
        if struct and re.search(r"\w_(t|slot) \*", struct[1]):
            structs += 1
            tensors, name = set(re.findall(r"(\w+)\)?(?:\[[^\]]*\])*;", struct[1])), struct[2]
            for use in re.finditer(r"(?<![\w.>])%s\b(?:\.(\w+))?" % name, code):
                if use[1] not in tensors and use.end() + 1 != struct.end():
                    number = code.count("\n", 0, use.start())
                    report(f"another {name} beside the struct of tensors", what, file, number + 1, text[number])
        # plain: what the loops of a function go to are the names of one enum, or a single number
        kind = None
        for part in re.finditer(r"^/\* ---- (?:\w+: (\w+) -)?|^static (?:inline )?void (\w+)\([^;{]*\)\n\{\n(.*?)^\}", file.read_text() if "--plain" in what else "", re.S | re.M):
            if not part[2]:
                kind = part[1]
            elif kind:
                numbers, enums = set(re.findall(r"\bfor \([^;]*; \w+ < (\d+);", part[3])), part[3].count("enum {")
                counted[kind in NUMBERS] += bool(numbers or enums)
                if enums > 1 or (kind not in NUMBERS and (len(numbers) > 1 or (numbers and enums))):
                    report("sizes that are numbers, or of two enums", what, file, text.index(part[0].split("\n")[0]) + 1, part[2])
        # between the head of an operator and its first function, no equation stands twice
        for head in re.finditer(r"^/\* ---- (\w+): \w+ .*?\*/(?=\n)", file.read_text(), re.S | re.M):
            rest = file.read_text()[head.end():]
            equation = re.sub(r"\W", "", head[0].split("\n")[-1].split(", then")[0])
            second = re.match(r"\n(/\*.*?\*/)\nstatic", rest, re.S)
            if second and len(equation) > 3 and re.sub(r"\W", "", second[1]).startswith(equation):
                report("an equation twice", what, file, 0, head[1])
print(f"{counted[0]} functions of the plain form have sizes in one enum or a single number, {counted[1]} are of operators whose loops go to numbers")
if counted[0] < 500:
    found["too few functions with sizes"] = [str(counted)]
if structs < int(sys.argv[1]):
    found["too few structs of tensors"] = [str(structs)]
if lines < 100000:
    found["too little C"] = [str(lines)]
for rule, places in sorted(found.items()):
    print(f"test_style: {rule}: {len(places)}, such as {places[0]}", file=sys.stderr)
sys.exit(bool(found))
PYTHON
# README.md shows lines of it, `...` for some that are left out
"$SPNC" emit "$root/models/tiny.yaml" --plain -o readme >said 2>&1 && python3 - "$root/README.md" readme/tiny.c <<'PYTHON' || failed=1
import re, sys
page, c = open(sys.argv[1]).read(), open(sys.argv[2]).read()
blocks = re.findall(r"^```c\n(.*?)^```", page, re.S | re.M)
for block in blocks:
    at = 0
    for part in re.split(r"^ *\.\.\.\n", block, flags=re.M):
        at = c.find(part, at)
        if at < 0:
            sys.exit("test_style: README.md shows what is no more:\n" + part)
sys.exit("test_style: README.md shows no C" if len(blocks) < 2 else 0)
PYTHON
[ $failed = 0 ] && echo "test_style: fine, $count programs"
exit $failed
