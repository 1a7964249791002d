#!/usr/bin/env bash
# screenshots.sh -- photographs pages with a headless Chromium, each picture below 200 KB.
# usage: docs/screenshots.sh RUN_FOLDER [OUT_FOLDER]     a run's report.html: report-*.png
#        docs/screenshots.sh --compiler [OUT_FOLDER]     the page of `spnc show --html`: show-*.png; a terminal with errors: error.png
# CHROMIUM names the browser (default: chromium), SPNC the compiler (default: build/spnc).
# Exit codes: 0 fine, 1 a picture is too large or missing, 2 wrong usage.
set -u
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] && { [ "$1" = --compiler ] || [ -f "$1/report.html" ]; } ||
    { echo "usage: docs/screenshots.sh RUN_FOLDER|--compiler [OUT_FOLDER]; a run needs a report.html" >&2; exit 2; }
out=${2:-$here}
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
failed=0

# photograph NAME light|dark WIDTH HEIGHT [SECTION]: of the page, or of one section alone (a browser without a window does
# not scroll, so the others are hidden in a copy)
photograph() {
    local shown=$profile/shown.html
    local hidden=${5:+".tiles,footer,section:not(#$5){display:none} section h2{margin-top:20px}"}
    sed "s|</style>|$hidden</style>|" "$page" >"$shown"
    shoot "report-$1" "$2" "$3" "$4" "file://$shown"
}

shoot() {                       # shoot NAME light|dark WIDTH HEIGHT ADDRESS
    local file=$out/$1.png scheme=1
    [ "$2" = dark ] && scheme=0
    "${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$profile" \
        --blink-settings=preferredColorScheme=$scheme --window-size="$3,$4" --screenshot="$file" "$5" >/dev/null 2>&1
    local size
    size=$(stat -c %s "$file" 2>/dev/null || echo 0)
    echo "$file: $size bytes"
    [ "$size" -gt 0 ] && [ "$size" -le 200000 ] || { echo "$file: expected 1 to 200000 bytes" >&2; failed=1; }
}

# A terminal of its own for the command, so that it writes in colour; then the colours as HTML.
terminal() {                    # terminal TITLE COMMAND...
    python3 - "$@" <<'PYTHON'
import html, os, pty, re, subprocess, sys
master, slave = pty.openpty()
child = subprocess.Popen(sys.argv[2:], stdout=slave, stderr=slave, stdin=subprocess.DEVNULL)
os.close(slave)
said = []
while True:
    try:
        data = os.read(master, 4096)
    except OSError:             # Linux's word for the end of a terminal
        break
    if not data:
        break
    said.append(data)
child.wait()
text = b"".join(said).decode().replace("\r\n", "\n")
colours = {"1": "font-weight:700", "31": "color:#ff7a72", "32": "color:#7ee2a8", "33": "color:#ffc36b", "34": "color:#7fb4ff", "35": "color:#d3a6ff", "36": "color:#6fdcec", "2": "opacity:.7",
           "90": "color:#9ba0a8"}
out = ""
for part in re.split(r"(\x1b\[[0-9;]*[mK])", text):
    code = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
    if code:
        style = ";".join(colours.get(str(int(c)), "") for c in code[1].split(";") if c)
        out += "</span><span style='%s'>" % style
    elif not part.startswith("\x1b"):
        out += html.escape(part)
print("<!DOCTYPE html><meta charset=utf-8><style>body{margin:0;background:#e9e9e4;padding:26px}"
      "div{background:#16181d;border-radius:12px;box-shadow:0 10px 30px #0005;overflow:hidden}"
      "header{background:#2a2d34;color:#b9bec7;font:13px system-ui,sans-serif;padding:9px 16px;text-align:center}"
      "pre{margin:0;padding:16px 20px 20px;color:#e6e6e2;font:14px/1.5 'DejaVu Sans Mono',monospace;white-space:pre-wrap}</style>"
      "<div><header>%s</header><pre><span style='color:#9ba0a8'>$ %s</span>\n<span>%s</span></pre></div>" % (html.escape(sys.argv[1]), html.escape(sys.argv[1]), out))
PYTHON
}

if [ "$1" = --compiler ]; then
    spnc=$(realpath "${SPNC:-$here/../build/spnc}")
    (cd "$here/.." && "$spnc" show models/rnn_spn.yaml --target avx2 --html -o "$profile/show.html") || exit 1
    opened() {                  # opened NAME: with a box open; a browser without a window shows nothing that it has scrolled to
        sed -e "s|</style>|#op-$1{display:block!important}.start{display:none}</style>|" -e "s|id=\"box-$1\"|& aria-current=\"true\"|" "$profile/show.html" >"$profile/$1.html"
        echo "file://$profile/$1.html"
    }
    shoot show-light light 1280 900 "$(opened crop)"
    shoot show-dark dark 1280 900 "$(opened h)"
    sed -e 's/maxpool: 3 /maxpol: 3 /' -e 's/downsample: \$d/downsample: $dd/' -e 's/gru: \[c, h\]/gru: [c, hh]/' "$here/../models/tiny.yaml" >"$profile/tiny.yaml"
    (cd "$profile" && PATH=$(dirname "$spnc"):$PATH && unset NO_COLOR && export TERM=xterm-256color && terminal "spnc check tiny.yaml" spnc check tiny.yaml >error.html)
    shoot error light 900 352 "file://$profile/error.html"
    exit $failed
fi
page=$(realpath "$1")/report.html
photograph wide light 1160 1000
photograph dark dark 1160 1000 examples
photograph mistakes light 1160 1000 mistakes
photograph narrow dark 500 1100 examples

exit $failed
