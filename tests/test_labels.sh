#!/usr/bin/env bash
# test_labels.sh -- labels of `spn-data pack` by their type: tables with and without headers, arrays of every kind; what may be meant in
# two ways is an error that names the option to say it.
# usage: tests/test_labels.sh; SPNC names the compiler (default build/spnc), beside which spn-data lies.  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 1
cat >labels.py <<'PYTHON'
import os, subprocess, sys
import numpy as np
pack, failed = [sys.argv[1], "pack"], 0
os.makedirs("p/deep"); os.makedirs("other")
for i, name in enumerate(["im%d" % i for i in range(5)] + ["deep/im5", "a, b", "1", "2", "3"]):
    open(f"p/{name}.pgm", "wb").write(b"P5 2 2 255\n" + bytes([i, 1, 2, 3]))
os.symlink("im0.pgm", "p/link.pgm"); os.link("p/im1.pgm", "p/hard.pgm")
open("p/1.png", "wb").write(open("p/1.pgm", "rb").read())
np.save("x.npy", np.arange(5 * 4, dtype="u1").reshape(5, 2, 2))

def fault(what, text):
    global failed
    print("test_labels:", what, "\n   ", text.replace("\n", "\n    "), file=sys.stderr)
    failed = 1

def run(source, labels, options=()):
    for f in os.listdir("o") if os.path.isdir("o") else []: os.remove("o/" + f)
    r = subprocess.run(pack + [source, "--labels", labels, "-o", "o", "--valid", "0", "--test", "0", *options], capture_output=True, text=True)
    return r.returncode, r.stdout + r.stderr

def got():
    names = open("o/label_classes.txt").read().split("\n")[:-1] if os.path.exists("o/label_classes.txt") else None
    order = np.argsort(np.load("o/train_image.npy")[:, 0, 0, 0])     # examples are shuffled; the first pixel counts them
    return np.load("o/train_label.npy")[order], names

def rows(cells, sep=","): return "".join(f"im{i}.pgm{sep}{c}\n" for i, c in enumerate(cells))

def right(what, text, labels, names=None, says="", options=(), dtype="i4"):
    open("t.csv", "wb").write(text.encode())
    code, said = run("p", "t.csv", options)
    if code: return fault(f"{what}: exit code {code}", said)
    y, n = got()
    if y.dtype != np.dtype(dtype) or y.tolist() != labels or n != names or says not in said: fault(f"{what}: {y.dtype} {y.tolist()} {n}", said)

def wrong(what, text, says, options=(), code=1):
    open("t.csv", "wb").write(text if isinstance(text, bytes) else text.encode())
    c, said = run("p", "t.csv", options)
    if c != code or says not in said or os.path.exists("o/train_label.npy"): fault(f"{what}: exit code {c}, expected {code} and '{says}'", said)

# ---- types ------------------------------------------------------------------------------------------------------------------
right("numbers", rows([0, 1, 2, 1, 0]), [0, 1, 2, 1, 0])
right("numeric order", rows([10, 9, 100, 9, 10]), [1, 0, 2, 0, 1], ["9", "10", "100"], "--labels-as indices")
right("from one", rows([1, 2, 1, 2, 1]), [0, 1, 0, 1, 0], ["1", "2"], "from 1 to 2")
right("negative", rows([-1, 0, 1, 1, -1]), [0, 1, 2, 2, 0], ["-1", "0", "1"])
right("signs, zeros, points", rows(["+1", "01", "0", "2.0", "2e0"]), [1, 1, 0, 2, 2])
right("kept as they are", rows([1, 2, 1, 5, 1]), [1, 2, 1, 5, 1], None, "classes: 6", ["--labels-as", "indices"])
right("real", rows(["0.0", "0.25", "0.5", "0.75", "1.0"]), [[0], [0.25], [0.5], [0.75], [1]], None, "real numbers", dtype="f4")
right("real beside whole", rows([1, 2, 3, 4, "-1e-2"]), [[1], [2], [3], [4], [np.float32(-0.01)]], None, "targets: { label: { shape: [1] } }", dtype="f4")
right("asked to be real", rows([1, 2, 3, 4, 5]), [[1], [2], [3], [4], [5]], options=["--labels-as", "reals"], dtype="f4")
right("names", rows(["b", "a10", "a9", "b", "c"]), [2, 1, 0, 2, 3], ["a9", "a10", "b", "c"])
right("numbers as names", rows(["0", "1", "unknown", "10", "2"]), [0, 1, 4, 3, 2], ["0", "1", "2", "10", "unknown"], options=["--labels-as", "classes"])
right("a comma behind every line", rows(["b,", "a,", "b,", "a,", "c,"]), [1, 0, 1, 0, 2], ["a", "b", "c"])
right("cells that are all empty", "file,label\n" + rows([0, 1, 2, 1, 0]) + ",\n,\n", [0, 1, 2, 1, 0])
right("a NO-BREAK SPACE around a cell", rows(["a\u00a0", "\u00a0a", "b", " a \u00a0 ", "b"]), [0, 0, 1, 0, 1], ["a", "b"])
right("a tab before a cell", rows(["\tcat", "cat", "dog", " \t\u00a0dog", "\t\"cat\""]), [0, 0, 1, 1, 0], ["cat", "dog"])
right("a tab between cells", rows(["cat", " cat", "\u00a0dog", "dog ", "cat"], "\t"), [0, 0, 1, 1, 0], ["cat", "dog"])
right("a NO-BREAK SPACE behind a quote", rows(['"a"\u00a0', '"a"', '"b" \t\u00a0 ', "a", "b"]), [0, 0, 1, 0, 1], ["a", "b"])
wrong("a first line of commas", ",,\nim0.pgm,cat\n", "t.csv:2: 2 cells, expected 3 as in line 1")
wrong("files alone", rows(["", "", "", "", ""]), "t.csv:1: no label behind the file")
wrong("UTF-16", rows([0, 1, 2, 1, 0]).encode("utf-16"), "found text in UTF-16, expected UTF-8")
wrong("nothing but commas", ",\n,\n", "every cell in it is empty")
wrong("per cent", rows(["10%", "20%", "10%", "2.5%", "30%"]), "t.csv:1: the label '10%' has a sign of per cent; write numbers with digits and a point alone")
for space in (" ", "\u00a0"):
    wrong("per cent behind a space", rows([f"10{space}%", "20%", "10%", "2.5%", "30%"]), f"t.csv:1: the label '10{space}%' has a sign of per cent")
right("per cent as names", rows(["10%", "2%", "10%", "2%", "2%"]), [1, 0, 1, 0, 0], ["2%", "10%"], options=["--labels-as", "classes"])
wrong("one odd cell", rows(["0", "1", "unknown", "10", "2"]), "t.csv:3: the label 'unknown' is no number, and 4 of all 5 are")
wrong("one number", rows(["a", "b", "c", "7", "a"]), "t.csv:4: the label '7' is a number, and 1 of all 5 are")
wrong("nan", rows(["0.5", "nan", "0.25", "1", "2"]), "'nan' is no number")
for comma in (["0,5", "1,25", "2", "0,5", "3"], ["0,5", "1,25", "2,5", "0,5", "-3,0"]):
    wrong("a comma for a point", "file;label\n" + rows(comma).replace(".pgm,", ".pgm;"), "t.csv:2: the label '0,5' has a comma for a point; write numbers with a point")
wrong("real as index", rows([0, 1, "1.5", 2, 0]), "t.csv:3: label '1.5', expected a whole number", ["--labels-as", "indices"])
wrong("name as real", rows([0, 1, "x", 2, 0]), "t.csv:3: target 'x'", ["--labels-as", "reals"])
wrong("beyond f4", rows([0.5, 1, "1e300", 2, 0]), "'1e300', expected a number that f4 holds")
wrong("an escape", rows(["a", "b\x1b[2J", "c", "d", "e"]), "t.csv:2: a label has a control character")
right("two numbers", rows(["0,3", "1,2", "2,1", "3,0", "0,0"]), [[0, 3], [1, 2], [2, 1], [3, 0], [0, 0]])
right("places", rows(["0.5,3", "1,2", "2,1", "3,0", "0,0"]), [[0.5, 3], [1, 2], [2, 1], [3, 0], [0, 0]], says="shape: [2]", dtype="f4")

# ---- columns ----------------------------------------------------------------------------------------------------------------
cats = ["cat", "dog", "cat", "dog", "cat"]
for head in ("filename,label", "id,label", "image_id,class", "Image,Target", "file,breed", "photo,label", "photo,breed"):
    right(head, head + "\n" + rows(cats), [0, 1, 0, 1, 0], ["cat", "dog"])
right("no ending", "id,label\n2,cat\n3,dog\n", [0, 1], ["cat", "dog"])
wrong("two endings", "id,label\n1,cat\n3,dog\n", "t.csv:2: '1' may be p/1.png or one with another ending")
right("label first", "label,filename\n" + "".join(f"{c},im{i}.pgm\n" for i, c in enumerate(cats)), [0, 1, 0, 1, 0], ["cat", "dog"])
right("sizes", "filename,width,height,class\n" + rows([f"2,2,{c}" for c in cats]), [0, 1, 0, 1, 0], ["cat", "dog"], "left out: width, height")
right("an id beside the file", "id,filename,label\n" + "".join(f"{7 + i},im{i}.pgm,{c}\n" for i, c in enumerate(cats)), [0, 1, 0, 1, 0], ["cat", "dog"], "left out: id")
right("pandas", ",file,label\n" + "".join(f"{i},im{i}.pgm,{c}\n" for i, c in enumerate(cats)), [0, 1, 0, 1, 0], ["cat", "dog"])
right("others", "file,label,author\n" + rows([f"{c},me" for c in cats]), [0, 1, 0, 1, 0], ["cat", "dog"], "left out: author")
right("family", "file,digit1,digit2\n" + rows(["0,3", "1,2", "2,1", "3,0", "0,0"]), [[0, 3], [1, 2], [2, 1], [3, 0], [0, 0]])
wrong("which?", "file,breed,author\n" + rows([f"{c},me" for c in cats]), "more than one column may be the label; the columns are file, breed, author.  --columns FILE,LABEL")
wrong("two labels?", "file,label,class\n" + rows([f"{c},3" for c in cats]), "more than one column may be the label")
wrong("no header, two words", rows([f"{c},train" for c in cats]), "no header that says what they are: im0.pgm, cat, train.  --columns 1,2")
wrong("no label", "file,width\n" + rows([3, 4, 5, 6, 7]), "no column of labels")
wrong("two files", "file,image,label\nim0.pgm,im1.pgm,0\n", "more than one column names files")
right("told by names", "file,breed,author\n" + rows([f"{c},me" for c in cats]), [0, 1, 0, 1, 0], ["cat", "dog"], options=["--columns", "file,BREED"])
right("told by numbers", rows([f"{c},train" for c in cats]), [0, 1, 0, 1, 0], ["cat", "dog"], options=["--columns", "1,2"])
right("two told", "file,a,b\n" + rows(["0,1", "1,0", "1,1", "0,0", "1,0"]), [[0, 1], [1, 0], [1, 1], [0, 0], [1, 0]], options=["--columns", "file,a,b"])
wrong("no such column", "file,label\n" + rows(cats), "no column 'labl' in t.csv; the columns are file, label", ["--columns", "file,labl"], 2)
wrong("one column", "file,label\n" + rows(cats), "expected the column of files and those of labels", ["--columns", "file"], 2)
wrong("twice a column", "file,label\n" + rows(cats), "'1' stands there twice", ["--columns", "file,1"], 2)

# ---- splits -------------------------------------------------------------------------------------------------------------------
open("t.csv", "w").write("filename,label,split\n" + rows(["cat,train", "dog,val", "cat,training", "dog,Test", "cat,train"]))
code, said = run("p", "t.csv", ())
r = subprocess.run(pack + ["p", "--labels", "t.csv", "-o", "o"], capture_output=True, text=True)
y = {s: sorted(np.load(f"o/{s}_label.npy").tolist()) for s in ("train", "valid", "test")} if not r.returncode else r.stderr
if y != {"train": [0, 0, 0], "valid": [1], "test": [1]}: fault("a column of splits", str(y))
if code != 2 or "--valid: the column `split` of t.csv says which are valid; leave the option out" not in said: fault("--valid beside a column of splits", said)
for f in os.listdir("o"): os.remove("o/" + f)
right("all to train on", "filename,label,split\n" + rows([c + ",train" for c in cats]), [0, 1, 0, 1, 0], ["cat", "dog"])
wrong("no split", "filename,label,split\n" + rows([c + ",fold1" for c in cats]), "t.csv:2: split 'fold1', expected train, valid (val, validation) or test")

# ---- cells ---------------------------------------------------------------------------------------------------------------------
right("semicolons", "file;label\n" + "im0.pgm;cat, black\nim1.pgm;dog\nim2.pgm;dog\n", [0, 1, 1], ["cat, black", "dog"])
right("semicolons, a comma in each", "im0.pgm;cat, black\nim1.pgm;dog, white\n", [0, 1], ["cat, black", "dog, white"])
right("commas, a semicolon in each", "im0.pgm,cat; black\nim1.pgm,dog; white\n", [0, 1], ["cat; black", "dog; white"])
right("tabs, both in each", "im0.pgm\tcat; black, big\nim1.pgm\tdog\n", [0, 1], ["cat; black, big", "dog"])
right("quotes", 'file,label\nim0.pgm,"cat, ""black"""\n"a, b.pgm" , "dog"\n', [0, 1], ['cat, "black"', "dog"])
right("mark, returns, space", "\ufefffile,label\r\nim0.pgm , a \r\n\r\nim1.pgm,b\r\n", [0, 1], ["a", "b"])
wrong("a comma too many", "im0.pgm,cat, black\nim1.pgm,dog\n", "t.csv:2: 2 cells, expected 3 as in line 1; a name with a comma or semicolon in it stands in quotes")
wrong("an open quote", 'im0.pgm,"cat\nim1.pgm,dog\n', "t.csv:1: a quote is not closed")
wrong("text behind a quote", 'im0.pgm,cat\nim1.pgm,"dog" x\n', "t.csv:2: a quote is not closed, or has text behind it")
wrong("an empty label", "im0.pgm,0\nim1.pgm,\n", "t.csv:2: label 1 is empty")
wrong("an empty label between tabs", "file\tlabel\twidth\nim0.pgm\tcat\t3\nim1.pgm\t\t4\n", "t.csv:3: label 1 is empty")
wrong("a bare file", "im0.pgm\n", "t.csv:1: 1 cell, expected file,label")
wrong("a header alone", "file,label\n", "no line below its header")
wrong("nothing", "\n \n", "no line in it")
wrong("missing", rows(cats) + "none.pgm,cat\n", "t.csv:6: p/none.pgm: No such file")

# ---- one picture twice --------------------------------------------------------------------------------------------------------
wrong("twice", rows(cats) + "im0.pgm,dog\n", "t.csv:6: p/im0.pgm stands in line 1 already; expected")
for other in ("./im0.pgm", "deep/../im0.pgm", "link.pgm", os.path.abspath("p/im0.pgm")):
    wrong(other, rows(cats) + other + ",dog\n", "stands in line 1 already as p/im0.pgm")
wrong("a hard link", rows(cats) + "hard.pgm,dog\n", "stands in line 2 already as p/im1.pgm")

# ---- pictures that no line lists ------------------------------------------------------------------------------------------------
def unlisted(what, text, warning, options=()):
    open("t.csv", "w").write(text)
    code, said = run("p", "t.csv", options)
    if code or (warning not in said if warning else "does not list" in said): fault(f"{what}: exit code {code}", said)

every = [f for f in sorted(os.listdir("p")) if f.endswith(("pgm", "png")) and f not in ("link.pgm", "hard.pgm")]     # those two are im0 and im1
unlisted("five of all", rows(cats), f"warning: t.csv does not list {len(every) - 5} pictures that lie beside those it lists: p/1.pgm, ...; they are left out")
unlisted("all but one", "".join(f + ",cat\n" for f in every if f != "im3.pgm").replace("a, b.pgm", '"a, b.pgm"'),
         "does not list 1 picture that lies beside those it lists: p/im3.pgm; it is left out")
unlisted("all, some by other paths", "".join(f"{f},cat\n" for f in every if f not in ("a, b.pgm", "im0.pgm", "im1.pgm")) + '"a, b.pgm",dog\nlink.pgm,dog\ndeep/../hard.pgm,dog\n', None)
os.link("p/deep/im5.pgm", "p/deep/im6.pgm"); open("p/deep/im7.pgm", "wb").write(open("p/im0.pgm", "rb").read()); open("p/deep/.x.pgm", "w").write("")
unlisted("in a folder below", "".join(f'"{f}",cat\n' for f in every + ["deep/im5.pgm"]), "does not list 1 picture that lies beside those it lists: p/deep/im7.pgm; it is left out")
unlisted("a folder of no listed picture", "".join(f'"{f}",cat\n' for f in every), None)
for f in ("im6", "im7", ".x"): os.remove(f"p/deep/{f}.pgm")

# ---- arrays ---------------------------------------------------------------------------------------------------------------------
def array(what, a, labels, says="", options=(), dtype="i4", names=None):
    np.save("y.npy", a)
    code, said = run("x.npy", "y.npy", options)
    if code: return fault(f"{what}: exit code {code}", said)
    y, n = got()
    if y.dtype != np.dtype(dtype) or y.tolist() != labels or n != names or says not in said: fault(f"{what}: {y.dtype} {y.tolist()} {n}", said)

def refused(what, a, says, options=()):
    np.save("y.npy", a)
    code, said = run("x.npy", "y.npy", options)
    if code != 1 or says not in said: fault(f"{what}: exit code {code}, expected '{says}'", said)

plain = [0, 1, 2, 1, 0]
for t in "u1 i1 u2 i2 u4 i4 u8 i8".split(): array(t, np.array(plain, t), plain)
for t in "f2 f4 f8".split(): array(t, np.array(plain, t), plain, "whole numbers stored as " + t + ": taken as the numbers of classes (--labels-as reals")
array("bool", np.array([True, False, False, True, True]), [1, 0, 0, 1, 1], "False and True stored as b1: taken as the numbers of classes")
array("two bools", np.array([[True, True]] * 5), [[1, 1]] * 5)
array("halves", np.array([0.5, 1, 2, 0, 1], "f2"), [[0.5], [1], [2], [0], [1]], "real numbers: a target of f4", dtype="f4")
array("asked for reals", np.array(plain, "i8"), [[float(v)] for v in plain], options=["--labels-as", "reals"], dtype="f4")
array("whole reals asked for", np.array(plain, "f8"), [[float(v)] for v in plain], options=["--labels-as", "reals"], dtype="f4")
array("from one", np.array([1, 2, 3, 2, 1]), [1, 2, 3, 2, 1], "1 of 4 classes has no example to train on: 0")
array("from one, numbered", np.array([1, 2, 3, 2, 1]), [0, 1, 2, 1, 0], "--labels-as indices", ["--labels-as", "classes"], names=["1", "2", "3"])
array("masks", np.eye(5, 4)[:, None] * 1.0, (np.eye(5, 4)[:, None] * 1.0).tolist(), options=["--labels-as", "reals"], dtype="f4")
refused("masks?", np.eye(5, 4)[:, None] * 1.0, "whole numbers, stored as f8: expected to be told what they are")
refused("whole table", np.array([[1.0, 2], [3, 4], [5, 6], [7, 8], [9, 9]]), "--labels-as indices for classes, --labels-as reals")
for t in ("i8", "f4", "?"): refused("one-hot " + t, np.eye(5).astype(t), "one-hot labels?  Give their numbers, labels.argmax(axis=1)")
array("one-hot as a target", np.eye(5), np.eye(5).tolist(), options=["--labels-as", "reals"], dtype="f4")
refused("negative", np.array([0, 1, -1, 0, 1]), "label -1 of example 2, expected a whole number from 0 to 999999.  --labels-as classes")
refused("huge", np.array([0, 1, 2**63, 0, 1], "u8"), "of example 2, expected a whole number")
refused("texts", np.array(list("abcab")), "dtype '<U1', expected numbers; these are texts, which numpy.unique")
refused("nan", np.array([0.5, np.nan, 1, 1, 1]), "target 0 of example 1 is nan")
refused("too few", np.arange(4), "expected labels of 5 examples")
sys.exit(failed)
PYTHON
"$(sh "$root/tests/python.sh" numpy yaml)" labels.py "$(dirname "$SPNC")/spn-data" || failed=1

"$(dirname "$SPNC")/spn-data" pack p --labels-as reals -o o >output 2>&1 && fault "--labels-as without --labels"
grep -q 'labels-as is for --labels' output || fault "$(cat output)"
"$(dirname "$SPNC")/spn-data" pack p --columns 1,2 -o o >output 2>&1 && fault "--columns without a table"

# ---- folders --------------------------------------------------------------------------------------------------------------------
folders() { rm -rf f o; for k in "$@"; do mkdir -p "f/$k"; cp p/im0.pgm "f/$k/x.pgm"; cp p/im1.pgm "f/$k/y.pgm"; done; "$(dirname "$SPNC")/spn-data" pack f -o o >output 2>&1; }
for names in "train val testing" "training validation test" "Train Valid TEST"; do
    # shellcheck disable=SC2086
    set -- $names
    folders "$1/a" "$1/b" "$2/a" "$3/b" || fault "$names: $(cat output)"
    grep -q '^valid  *2 ' output && grep -q '^test  *2 ' output && grep -q 'classes: 2' output || fault "$names are not splits: $(cat output)"
done
folders train/a val/a valid/a test/a && fault "val beside valid"
grep -q 'f: val and valid are folders for one split, valid' output || fault "val beside valid: $(cat output)"
folders a $'b\nc' && fault "a line break in a folder's name"
grep -qF 'f/b\nc: the name of this folder has a control character in it (byte 0x0a); rename it' output || fault "a line break: $(cat output)"
folders $'a\x1b[31m' && fault "an escape in a folder's name"
[ "$(tr -d '\n' <output | LC_ALL=C tr -d ' -~' | wc -c)" = 0 ] || fault "an escape reaches the terminal"
folders a b || fault "$(cat output)"
ln -s ../a/x.pgm f/b/z.pgm
"$(dirname "$SPNC")/spn-data" pack f -o o >output 2>&1 && fault "one picture in two classes"
grep -q 'are one file, by a link' output || fault "one picture in two classes: $(cat output)"
folders one || fault "one class: $(cat output)"
grep -q 'classes: 1' output || fault "one class: $(cat output)"
[ $failed = 0 ] && echo "test_labels: fine"
exit $failed
