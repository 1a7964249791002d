#!/usr/bin/env bash
# screenshots.sh -- photographs a run's report.html with a headless Chromium: docs/report-*.png, each below 200 KB.
# usage: docs/screenshots.sh RUN_FOLDER [OUT_FOLDER]; CHROMIUM names the browser (default: chromium).
# Exit codes: 0 fine, 1 a picture is too large or missing, 2 wrong usage.
set -u
[ $# -ge 1 ] && [ -f "$1/report.html" ] || { echo "usage: docs/screenshots.sh RUN_FOLDER [OUT_FOLDER]; the run needs a report.html" >&2; exit 2; }
page=$(realpath "$1")/report.html
out=${2:-$(cd "$(dirname "$0")" && pwd)}
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
failed=0

# photograph NAME light|dark WIDTH HEIGHT [SECTION]: of the page, or of one section alone (a browser without a window does
# not scroll, so the others are hidden in a copy)
photograph() {
    local file=$out/report-$1.png scheme=1 shown=$profile/shown.html
    [ "$2" = dark ] && scheme=0
    local hidden=${5:+".tiles,footer,section:not(#$5){display:none} section h2{margin-top:20px}"}
    sed "s|</style>|$hidden</style>|" "$page" >"$shown"
    "${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$profile" \
        --blink-settings=preferredColorScheme=$scheme --window-size="$3,$4" --screenshot="$file" "file://$shown" >/dev/null 2>&1
    local size
    size=$(stat -c %s "$file" 2>/dev/null || echo 0)
    echo "$file: $size bytes"
    [ "$size" -gt 0 ] && [ "$size" -le 200000 ] || { echo "$file: expected 1 to 200000 bytes" >&2; failed=1; }
}

photograph wide light 1160 1000
photograph dark dark 1160 1000 examples
photograph mistakes light 1160 1000 mistakes
photograph narrow dark 500 1100 examples
exit $failed
