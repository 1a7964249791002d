#!/usr/bin/env python3
"""inject.py -- models from a stranger: names, texts, paths and --set values with C, shell, make, Lua, Python and HTML in them.

usage: inject.py [--trials N] [--seed N] [--first I] [--spnc build/spnc]

A trial puts one hostile text into one place of a small model.  Either spnc refuses it (exit code 1 and an error with its place), or what it
writes is what it writes for the harmless twin, which has a plain word there: the C, once comments are gone and strings are one, token for
token; the Makefile; the tree of NAME-gdb.py; the tags of `show --html`; the shape of map.json.  A hostile name that is an identifier may
stand where the twin's stands, as long as the whole change is a renaming and no new name is one that the C or the runtime has already.
Trial I follows from the seed and I alone.  Exit codes: 0 all held, 1 one did not (it is printed, with --first to repeat it).
"""
import argparse, ast, collections, html.parser, json, os, random, re, shutil, subprocess, sys, tempfile

MODEL = """model: {model}
about: {about}
params: {{ {param}: 3, zqword: {word}, zqborder: {border} }}
batch: 4
inputs:
  {input}: {{ shape: [1, 8, 8], dtype: {dtype} }}
targets:
  {target}: {{ length: 2, classes: 3 }}
nets:
  {net}:
    - conv: {{ name: {layer}, filters: 2, kernel: ${param}, act: {act} }}
    - {operator}: 2
flow:
  - {value}: {{ {net}: {input} }}
  - repeat: 2
    carry: {{ {state}: {{ gru: {{ units: 2 }} }} }}
    do:
      - {state}: {{ gru: [{value}, {state}] }}
      - {matrix}: {{ dense: {state}, units: 6, init: {init} }}
      - {crop}: {{ spn: [{input}, {matrix}], downsample: 4, border: $zqborder }}
      - {out}: {{ dense: {crop}, units: 3 }}
loss: {{ cross_entropy: [{out}, {target}] }}
train: {{ optimiser: {{ {optimiser}: {{ rate: {rate} }} }} }}
# {comment}
"""
NAMES = ["model", "param", "input", "target", "net", "layer", "value", "state", "matrix", "crop", "out"]
TEXTS = {"about": "zqabout", "word": "zqtext", "border": "clamp", "dtype": "u8", "act": "relu", "operator": "maxpool", "init": "identity_affine",
         "optimiser": "sgd", "rate": "0.1", "comment": "zqcomment"}
OUTSIDE = ["path", "folder", "set_text", "set_number", "set_key"]
HARMLESS = {**{n: "zq" + n for n in NAMES}, **TEXTS}
PAYLOADS = [
    "*/ system(\"touch pwned\"); /*", "\"; system(\"touch pwned\"); \"", "\\\"; abort(); //", "\\", "\\\\\" x", "??/", "??/\" x; //", "//", "/*", "*/", "/*/", "#include \"/etc/passwd\"",
    "\n#define real int\n", "%:include <x>", "<%", "%>", "'", "\"", "x\\\ny", "_Pragma(\"x\")", "__attribute__((constructor))", "); } int main(void) {", "0x1p3", "1e999", "0", "-1",
    "$(touch pwned)", "`touch pwned`", "; touch pwned;", "| touch pwned", "&& touch pwned", "$(shell touch pwned)", "${shell touch pwned}", "$@", "%.o: ; touch pwned", "-rf", "--force", "~", "../../pwned",
    "/tmp/pwned", "..", "a/../b", "a b", "\t", "\r\n", "\\n", "%s%n%x", "%d", "${os.execute('touch pwned')}", "]] os.exit() --[[", "${error('x')}", "% os.exit()", "{{7*7}}", "${net.name}",
    "''' + __import__('os').system('touch pwned') + '''", "\"\"\"\nimport os\n\"\"\"", "<script>alert(1)</script>", "</script><script>x</script>", "\"><img src=x onerror=alert(1)>", "' onload='x", "<!--", "-->", "&lt;b&gt;",
    "&#60;b", "</pre></body>", "<b>", "]]>", "javascript:x", "\x1b[2J\x1b]0;x\x07", "\x00", "\x7f", "\u202e", "\u2028", "\u0085", "\ufeff", "\ufffe", "é", "ﬁ", "\U0001f600", "\U000e0041", "ｓｙｓｔｅｍ", "!!python/object", "&a", "*a",
    "<<", "? ", "- ", ": ", "{", "}", "[", "]", ",", "|", ">", "@", "$zqparam", "$zqword + 1", "$(1)", "1 / 0", "$t", "$", "null", "~", "yes", "9" * 40, "A" * 300, "a" * 5000]
WORDS = """int main if for real auto _Bool _Atomic inline static exit abort system errno NULL EOF N G L T I E M_PI x y w b i j k n s c t d_x dx _ __ _A __init A1 a__b x_t x_at weights grads
net units train forward backward update loss seed lanes stdin printf exp expf tanh log sin j0 y1 gamma signgam isnan assert bool true complex I asm typeof linux unix SPN_DOUBLE omp_get_thread_num
import None class def lambda self gdb Makefile make all clean con nul os io string math error self new name run init main_t zqmodel zqinput zqnet zqvalue zqvalue_2 d_zqvalue zqstate_from_state""".split()

C_TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<char>\'(?:\\.|[^\'\\\n])*\')|(?P<word>[A-Za-z_][A-Za-z_0-9]*)'
                     r'|(?P<number>\.?[0-9](?:[eEpP][+-]|[A-Za-z_0-9.])*)|(?P<line>\n[ \t]*#)|\s+|(?P<other>.)', re.S)
TRIGRAPHS = {"=": "#", "/": "\\", "'": "^", "(": "[", ")": "]", "!": "|", "<": "{", ">": "}", "-": "~"}


def c_tokens(text):
    """Tokens as a C11 compiler has them: trigraphs, joined lines, no comments; neighbouring strings are one, whatever they say."""
    text = re.sub(r"\?\?([=/'()!<>-])", lambda m: TRIGRAPHS[m[1]], text).replace("\\\n", "")
    tokens = []
    for m in C_TOKEN.finditer(text):
        if m.lastgroup is None:
            continue
        token = '""' if m.lastgroup == "string" else "\n#" if m.lastgroup == "line" else m[0]
        if not (token == '""' and tokens and tokens[-1] == '""'):
            tokens.append(token)
    return tokens


def renaming(tokens, twin, harmless, taken):
    """What is wrong, or None if `tokens` are those of the twin but for names with `harmless` in them; and the new name that is `taken`, the
    text's own already, or that of two things, if one is."""
    if len(tokens) != len(twin):
        return f"{len(tokens)} tokens, the twin has {len(twin)}", None
    names, fixed = {}, set()
    for mine, its in zip(tokens, twin):
        if harmless and harmless in its:
            if names.setdefault(its, mine) != mine or not re.fullmatch(r"[A-Za-z_]\w*", mine):
                return f"'{its}' became '{names[its]}' and '{mine}'", None
        elif mine != its and re.sub(r"_[0-9]+(?=_|$)", "", mine, count=1) == its:     # it made room for the text: "_2" is what is new in it
            if names.setdefault(its, mine) != mine:
                return f"'{its}' became '{names[its]}' and '{mine}'", None
        elif mine != its:
            return f"'{mine}' in the place of '{its}'", None
        else:
            fixed.add(its)
    if len(set(names.values())) != len(names):          # a member of a struct and a function may share a name: the C decides
        return None, next(mine for mine in names.values() if list(names.values()).count(mine) > 1)
    return None, next((mine for its, mine in names.items() if its != mine and (mine in fixed or mine in taken)), None)


class Tags(html.parser.HTMLParser):
    """The tags of a page with the names of their attributes; of scripts and styles the text too.  Without those of a listing of C, whose lines
    end elsewhere when a name is longer; with any other attribute than theirs they count."""
    LISTING = "em", "i", "span"

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.seen, self.raw = [], False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in self.LISTING or any(name != "class" for name, _ in attrs):
            self.seen.append((tag, tuple(name for name, _ in attrs)))
        self.raw = tag in ("script", "style")

    def handle_endtag(self, tag):
        if tag not in self.LISTING:
            self.seen.append("/" + tag)
        self.raw = False

    def handle_data(self, data):
        if self.raw:
            self.seen.append(re.sub(r'"(?:\\.|[^"\\])*"', '""', data))

    def handle_comment(self, data): self.seen.append("<!-- -->")
    def handle_decl(self, decl): self.seen.append("<!>")
    def unknown_decl(self, data): self.seen.append("<![]>")
    def handle_pi(self, data): self.seen.append("<?>")


def html_shape(text):
    """Tags but for spans, which highlight words of C and YAML and so follow what these say (every span must still be one that highlights), and
    but for the line that gives a value's other name in C."""
    for span in re.findall(r"<span[^>]*>", text):
        if not re.fullmatch(r'<span(?: class="?[a-z -]+"?)?(?: id="?[a-z0-9]+"?)?>', span):
            return [span]
    return [t for t in Tags(text).seen if (t.lstrip("/") if isinstance(t, str) else t[0]) not in ("span", "dt", "dd")]


def json_shape(value):
    """Lists and objects; texts are all alike, and so are keys that are names of the model, and numbers: a comment that goes moves lines."""
    if isinstance(value, dict):
        return [json_shape(v) for v in value.values()]
    if isinstance(value, list):
        return [json_shape(v) for v in value]
    return type(value).__name__


def python_shape(text):
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def hostile(random_, words):
    kind = random_.random()
    if kind < 0.25:
        return random_.choice(words)
    if kind < 0.3:
        return "".join(chr(random_.choice([random_.randrange(1, 128), random_.randrange(0xA0, 0x2FFF)])) for _ in range(random_.randrange(1, 30)))
    parts = [random_.choice(PAYLOADS) for _ in range(random_.choice([1, 1, 2, 3]))]
    if random_.random() < 0.3:
        parts.insert(random_.randrange(len(parts) + 1), random_.choice(words))
    return "".join(parts)


def yaml_text(random_, text, plain_only):
    """A scalar that holds the text: as it is, in single or in double quotes."""
    style = 0 if plain_only else random_.choice([0, 1, 2, 2])
    if style == 0:
        return re.sub(r"[\r\n]", " ", text)               # the twin has as many lines
    if style == 1 and "\n" not in text and "\r" not in text:
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else "\\" + c if c in '"\\' else f"\\U{ord(c):08x}" for c in text) + '"'


class Trials:
    def __init__(self, spnc, work, seed):
        self.spnc, self.work, self.seed = spnc, work, seed
        self.runtime = set()
        self.twins = {}
        self.counts = collections.Counter()
        self.before = self.outside()
        header = self.outputs(self.run(HARMLESS))[0]
        for name in os.listdir(os.path.join(work, "out", "runtime")):
            if name.endswith(".h"):
                with open(os.path.join(work, "out", "runtime", name), encoding="utf-8") as f:
                    self.runtime |= {t for t in c_tokens(f.read()) if re.fullmatch(r"[A-Za-z_]\w*", t)}
        # names local to the runtime's functions do not matter; macros and functions do: those are long or capitals
        self.words = sorted(set(WORDS) | self.runtime | {t for t in header if re.fullmatch(r"[A-Za-z_]\w*", t)})
        self.globals = {t for t in self.runtime if t.isupper() or len(t) > 6} | set(header)

    @staticmethod
    def outside():
        """State of the path outside of the work folder that payloads name: it may exist already, but must not change."""
        try:
            return os.lstat("/tmp/pwned")[:10]
        except FileNotFoundError:
            return None

    def run(self, slots, options=(), path="model.yaml", folder="out"):
        os.makedirs(os.path.join(self.work, os.path.dirname(path)) if os.path.dirname(path) else self.work, exist_ok=True)
        with open(os.path.join(os.fsencode(self.work), os.fsencode(path)), "wb") as f:
            f.write(MODEL.format(**slots).encode("utf-8", "surrogateescape"))
        said = []
        for command in (["emit", path, "--force", "-o", folder], ["show", path, "--html", "-o", "page.html"]):
            said.append(subprocess.run([self.spnc, command[0], command[1], *command[2:], *options], cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True, timeout=300))
        return said, path, folder, slots

    def outputs(self, ran):
        """What a run wrote, brought into the form that is compared; raises ValueError when it cannot be read."""
        (emitted, shown), path, folder, slots = ran
        if emitted.returncode or shown.returncode:
            raise ValueError(f"exit codes {emitted.returncode}, {shown.returncode}: {emitted.stderr[:300]}")
        texts = {}
        directory = os.path.join(os.fsencode(self.work), os.fsencode(folder))
        model = next((f[:-2] for f in os.listdir(directory) if f.endswith(b".c")), b"?").decode()
        for key, name in (("c", model + ".c"), ("map", model + ".map.json"), ("gdb", model + "-gdb.py"), ("make", "Makefile")):
            with open(os.path.join(directory, os.fsencode(name)), encoding="utf-8") as f:
                texts[key] = f.read()
            os.remove(os.path.join(directory, os.fsencode(name)))
        with open(os.path.join(self.work, "page.html"), encoding="utf-8") as f:
            texts["page"] = f.read()
        os.remove(os.path.join(self.work, "page.html"))
        if "<" in texts["map"]:
            raise ValueError("an unescaped < in map.json")
        with open(os.path.join(self.work, "last.c"), "w", encoding="utf-8") as f:
            f.write(texts["c"])
        return (c_tokens(texts["c"]), re.findall(r"\w+|\W", texts["make"]), json_shape(json.loads(texts["map"])), python_shape(texts["gdb"]), html_shape(texts["page"]))

    def compiles(self, folder, options):
        flags = "-std=c11 -D_GNU_SOURCE -fopenmp -fsyntax-only -w -Wshadow -Werror".split() + ["-march=native" if "avx2" in options else "-DSPN_GENERIC"]
        flags += ["-DSPN_DOUBLE"] * ("double" in options)
        return subprocess.run([os.environ.get("CC", "cc"), *flags, "-I", os.path.join(folder, "runtime"), "-I", folder, "last.c"], cwd=self.work, capture_output=True).returncode == 0

    def twin(self, options):
        if options not in self.twins:
            self.twins[options] = self.outputs(self.run(HARMLESS, options))
        return self.twins[options]

    def trial(self, index):
        """None, or what went wrong."""
        r = random.Random(self.seed * 1000003 + index)
        slot = r.choice(NAMES * 2 + list(TEXTS) + ["about", "word", "comment"] + OUTSIDE * 2)
        text = hostile(r, self.words)
        options = r.choice([("--target", "avx2"), ("--plain",), ("--target", "generic", "--precision", "double")])
        slots, path, folder, more = dict(HARMLESS), "model.yaml", "out", ()
        argument = text.replace("\0", "").encode()[:200].decode("utf-8", "ignore")
        if slot in HARMLESS:
            slots[slot] = yaml_text(r, text, slot in ("comment", "param"))
        elif slot == "path":
            path = argument.lstrip("-/").replace("..", "") + ".yaml"
        elif slot == "folder":
            folder = "out/" + argument.replace("..", "").strip("/")
        else:
            more = ("--set", {"set_text": "zqword=" + argument, "set_number": "zqparam=" + argument, "set_key": argument + "=3"}[slot])
        what = f"trial {index}: {slot} = {text!r}, options {options + more}"
        twin = self.twin(options)
        shutil.rmtree(os.path.join(self.work, "out"), ignore_errors=True)
        try:
            ran = self.run(slots, options + more, path, folder)
        except OSError:                                     # no file can have that name
            self.counts["no such path"] += 1
            return None
        except subprocess.TimeoutExpired:
            return what + ": takes more than five minutes"
        for said in ran[0]:
            if re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", said.stderr):
                return f"{what}: control characters on the terminal: {said.stderr[:300]}"
        codes = [said.returncode for said in ran[0]]
        if os.path.exists(os.path.join(self.work, "pwned")) or self.outside() != self.before:
            return what + ": a file 'pwned'"
        if codes[0] == 2 and slot in ("set_key", "set_text", "set_number", "path", "folder"):
            self.counts["wrong usage"] += 1
            return None
        if codes[0] == 74 and slot == "folder":
            self.counts["no such path"] += 1
            return None
        if codes[0] == 1 and codes[1] == 1:
            error = ran[0][0].stderr.decode("utf-8", "replace")
            if not re.search(r"(:\d+:\d+: |--set |^spnc: |\.yaml: |out)[^\n]*error: |error: --set ", error) and "error: " not in error:
                return f"{what}: refused without an error: {error[:300]}"
            located = re.search(r":\d+:\d+: error: ", error) or "--set" in error or slot in ("path", "folder") or re.search(r": error: (the file|cannot)", error)
            self.counts["refused"] += 1
            return None if located else f"{what}: refused without a place: {error[:300]}"
        if codes[0] == 1 and slot == "folder":              # refused to write there
            self.counts["refused"] += 1
            return None
        if codes != [0, 0]:
            return f"{what}: exit codes {codes}: {ran[0][0].stderr[:300]}"
        try:
            mine = self.outputs(ran)
        except (ValueError, SyntaxError, OSError, UnicodeError) as e:
            return f"{what}: {e}"
        name = "zq" if slot in NAMES else None
        wrong = None
        if slot == "set_number":                            # another size: as many tokens, other numbers
            wrong = None if len(mine[0]) == len(twin[0]) or re.fullmatch(r"\s*[-+.0-9eE]+\s*", argument) else "a number that is none"
        elif slot == "rate" and re.fullmatch(r"\s*[.0-9][-+.0-9eE]*\s*", text):        # a rate: that number alone is another
            other = [(a, b) for a, b in zip(mine[0], twin[0]) if a != b and not (b == TEXTS["rate"] and re.fullmatch(r"[.0-9][-+.0-9eE]*", a))]
            wrong = f"{len(mine[0])} tokens, the twin has {len(twin[0])}" if len(mine[0]) != len(twin[0]) else other and f"'{other[0][0]}' in the place of '{other[0][1]}'"
        elif (slot in TEXTS and slot not in ("about", "word", "comment")) and text.strip("'\" ") in self.words + PAYLOADS and mine[0] != twin[0]:
            wrong = None if re.fullmatch(r"\$?[\w.+-]+( \+ 1)?", text) else "another net from a text that is no word of the language"
        else:
            wrong, clash = renaming(mine[0], twin[0], name, self.globals)
            if clash and not wrong and not self.compiles(folder, options):
                wrong = f"the name '{clash}' has a meaning already, and the C does not compile"
            if not wrong:
                wrong, clash = renaming(mine[1], twin[1], name, ())
                wrong = wrong and "the Makefile: " + wrong
            for part, a, b in zip(("map.json", "gdb.py", "page"), mine[2:], twin[2:]):
                if not wrong and a != b:
                    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                    wrong = f"the {part} differs: {a[at:at + 3]} for {b[at:at + 3]}"
        self.counts["accepted: a name" if name else "accepted"] += 1
        return f"{what}: {wrong}" if wrong else None


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--trials", type=int, default=200)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--spnc", default=os.environ.get("SPNC", "build/spnc"))
    p.add_argument("--keep-going", action="store_true", help="print every failure, not the first alone")
    a = p.parse_args()
    work = tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)         # spnc syncs what it writes: ten times faster in memory
    failures = 0
    try:
        trials = Trials(os.path.abspath(a.spnc), work, a.seed)
        for i in range(a.first, a.first + a.trials):
            wrong = trials.trial(i)
            if wrong:
                failures += 1
                print("inject:", wrong, flush=True)
                if not a.keep_going:
                    break
            if (i + 1) % 1000 == 0:
                print(f"inject: {i + 1} trials, seed {a.seed}: {dict(trials.counts)}", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"inject: {sum(trials.counts.values())} trials, seed {a.seed}: {dict(trials.counts)}; {failures} failed")
    return 1 if failures else 0


sys.exit(main())
