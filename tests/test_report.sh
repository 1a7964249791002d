#!/usr/bin/env bash
# test_report.sh -- the page that training leaves behind: well-formed, whole, escaped; and an error in it does not end training.
# usage: tests/test_report.sh [CC] [flags for the compiler...]; prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cc=${1:-cc}
shift || true

sed 's|^    \.name = "tiny"|&|; s|about = "[^"]*"|about = "<script>alert(1)</script> \& \\"quotes\\" \\x01\\xff"|' \
    "$root/tests/fixtures/tiny_net.c" >"$work/tiny_net.c"
grep -q 'alert(1)' "$work/tiny_net.c" || fault "the fixture's about text cannot be replaced"
(cd "$work" && for f in $(sources) tiny_net.c; do
    echo "$f"
done | xargs -P 2 -n 4 "$cc" -std=c11 -O1 -ffp-contract=off -fopenmp "$@" $include -c) || { fault "does not compile"; exit 1; }
"$cc" "$@" -fopenmp "$work"/*.o -lz -lpng -ljpeg -lm -o "$work/tiny" || exit 1
tiny=$work/tiny

python3 - "$work/data" <<'END'
import os, random, struct, sys
random.seed(1)
os.makedirs(sys.argv[1])
def npy(path, descr, shape, data):
    head = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, shape)).ljust(117) + "\n"
    open(path, "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)
for split, n in (("train", 60), ("valid", 25), ("test", 33)):
    images = bytes(random.randrange(256) for _ in range(16 * n))
    labels = bytes(2 * (images[16 * i + k] > 127) + (images[16 * i + k + 5] > 127) for i in range(n) for k in range(2))
    npy("%s/%s_image.npy" % (sys.argv[1], split), "|u1", (n, 1, 4, 4), images)
    npy("%s/%s_digits.npy" % (sys.argv[1], split), "|u1", (n, 2), labels)
END

# page FILE PATTERN...: well-formed as XML and as HTML, self-contained, and with each text
page() {
    python3 - "$@" <<'END' || fault "report.html"
import base64, html.parser, re, sys, xml.etree.ElementTree as tree
text = open(sys.argv[1], encoding="utf-8").read()
void = {"meta", "link", "img", "br", "hr", "input"}
class Parser(html.parser.HTMLParser):
    stack, seen = [], []
    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in void: self.stack.append(tag)
    def handle_startendtag(self, tag, attributes): self.seen.append(tag)
    def handle_endtag(self, tag):
        assert self.stack and self.stack.pop() == tag, "unbalanced </%s>" % tag
parser = Parser(convert_charrefs=True)
parser.feed(text)
parser.close()
assert not parser.stack, parser.stack
assert "script" not in parser.seen and "iframe" not in parser.seen, "an element from outside"
root = tree.fromstring(text)
for element in root.iter():
    for name, value in element.attrib.items():
        if name in ("src", "href"):
            assert value.startswith("data:image/png;base64,") or value.startswith("#"), value[:60]
        if value.startswith("data:"):
            assert base64.b64decode(value.split(",", 1)[1], validate=True)[:8] == b"\x89PNG\r\n\x1a\n"
assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org)", text), "something to load"
plain = "".join(root.itertext())
for wanted in sys.argv[2:]:
    assert wanted in plain, "no '%s'" % wanted
END
}

run="$work/a<b> & \"c\" 'd'"
"$tiny" train --data "$work/data" --run "$run" --epochs 5 >"$work/output" 2>&1 || fault "training: $(cat "$work/output")"
page "$run/report.html" 'Curves' 'Results' 'Error by position' 'Where it looked' 'Worst mistakes' 'Confusion' 'How the transforms moved' \
    'How it was made' '<script>alert(1)</script> & "quotes"' "a<b> & \"c\" 'd'" 'epoch 4' 'processor'
for file in curves glimpses mistakes transforms confusion-digits; do
    [ "$(head -c 4 "$run/$file.png" | tail -c 3)" = PNG ] || fault "no $file.png"
done
[ "$(wc -l <"$run/transforms.jsonl")" = 5 ] || fault "five epochs give $(wc -l <"$run/transforms.jsonl") lines of transforms"

# a torn line of an epoch, a line of nonsense and a line with wrong types are passed over; the page is made again by itself
printf '{"epoch": 5, "examples": [{"A"' >>"$run/transforms.jsonl"
"$tiny" train --data "$work/data" --run "$run" --resume --epochs 7 >"$work/output" 2>&1 || fault "resuming: $(cat "$work/output")"
printf 'null\n{"epoch": "x"}\n{"epoch": 9, "examples": [[], 3, {"A": [[1, 2]]}, {"A": 7}]}\n{"epoch": 3' >>"$run/transforms.jsonl"
printf '7\n{"epoch": 9, "train_loss": null}\n{"epo' >>"$run/log.jsonl"
printf '{"train": {"<b>": "<i>", "x": [1]}, "data": 5}' >"$run/run.json"
printf 'garbage' >"$run/machine.json"
rm "$run/report.html" "$run/curves.png"
"$tiny" report --run "$run" --data "$work/data" >"$work/output" 2>&1 || fault "report: $(cat "$work/output")"
grep -q 'warning: .*/machine.json: found no whole JSON (.*); what it says is passed over$' "$work/output" || fault "no warning of machine.json: $(cat "$work/output")"
! grep -q 'run.json: found' "$work/output" || fault "a warning of run.json: $(cat "$work/output")"
page "$run/report.html" 'Curves' 'epoch 6' '<b>' '<i>'
[ -s "$run/curves.png" ] || fault "report makes no curves.png"

# numbers of a log that nobody can draw, alone and beside good ones: the page and its pictures are made, and whole
cp "$run/log.jsonl" "$work/log"
for value in 0 5e-324 1e-300 1e-30 1e30 1e300 1.7e308 -1 -1e308 null '"x"' 1e-310; do
    for alone in yes no; do
        [ $alone = yes ] && : >"$run/log.jsonl" || cp "$work/log" "$run/log.jsonl"
        for epoch in 7 8 1000000000; do
            printf '{"epoch": %s, "train_loss": %s, "train_error": %s, "valid_loss": %s, "valid_error": %s, "rate": %s, "grad_norm": %s, "grad_norm_max": %s, "seconds": %s, "images_per_second": %s, "updates": 9, "best": true}\n' \
                "$epoch" "${value/#[n\"]*/3}" "$value" "$value" "$value" "$value" "$value" "$value" "$value" "$value" >>"$run/log.jsonl"
        done
        timeout 300 "$tiny" report --run "$run" --data "$work/data" >"$work/output" 2>&1 || fault "a report of numbers as $value (alone: $alone): $(cat "$work/output")"
        page "$run/report.html" 'Curves'
        ! grep -qi '[^a-z]nan[^a-z]\|[^a-z]inf[^a-z]' <(sed -n '/<svg/,/<\/svg>/p' "$run/report.html" | grep -o '"[^"]*"') || fault "numbers as $value in the page's drawings"
    done
done
cp "$work/log" "$run/log.jsonl"

# without a test split the report uses the validation split; without any it states so
mkdir "$work/some" && cp "$work/data"/valid_* "$work/some"
"$tiny" report --run "$run" --data "$work/some" >/dev/null 2>&1 || fault "report without a test split"
"$tiny" report --run "$work/none" --data "$work/data" >"$work/output" 2>&1
[ $? = 1 ] && grep -q 'no checkpoint' "$work/output" || fault "a report of no run"

# a page that cannot be written is a warning; training goes on
mkdir -p "$work/blocked/report.html/in_the_way"
"$tiny" train --data "$work/data" --run "$work/blocked" --epochs 2 >"$work/output" 2>&1 || fault "training fails for want of a report"
grep -q 'warning: .*report.html' "$work/output" || fault "no warning of a report that cannot be written"

[ $failed = 0 ] && echo "test_report: fine"
exit $failed
