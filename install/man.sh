#!/bin/sh
# man.sh -- a man page of what a program says of itself: its --help, and the --help of each command that is named.
# usage: man.sh PROGRAM NAME.1 "what it does" [COMMAND...]
#
# A line of help that begins with two spaces, and has two more before its explanation, becomes a paragraph with a hanging term;
# lines that begin with "usage:", and those under it that begin with spaces, become the synopsis; "Exit codes:" a section; all other lines
# stay as they are.  The page has the version of `PROGRAM --version`, and no date, so that the same sources give the same bytes.
set -eu
program=$1 out=$2 about=$3
shift 3
trap 'rm -f "$out.new"' EXIT
exec >"$out.new"
name=${program##*/}
page() {        # page SECTION: the help that comes in
    awk -v section="$1" '
        function plain(text) { gsub(/\\/, "\\e", text); gsub(/-/, "\\-", text); sub(/^[.\x27]/, "\\\\\\&&", text); return text }
        function enter(now) { if (state == "text" && now != "text") print ".fi"; if (now == "text" && state != "text") print ".PP\n.nf"; state = now }
        /^usage: / || (/^       [^ ]/ && state == "usage") {
            if (state != "usage") { enter("usage"); if (section == "") print ".SH SYNOPSIS"; else print ".SS SYNOPSIS"; print ".nf" }
            sub(/^usage: |^ */, ""); print plain($0); next }
        state == "usage" { print ".fi"; state = ""; if (section == "") print ".SH DESCRIPTION" }
        /^Exit codes: / {
            enter("codes"); print ".SH EXIT STATUS"; sub(/^Exit codes: /, "")
            n = split($0, code, "; ")
            for (i = 1; i <= n; i++) { at = index(code[i], " "); print ".TP\n.B " substr(code[i], 1, at - 1) "\n" plain(substr(code[i], at + 1)) }
            next }
        match($0, /^  [a-z]+ [a-z]+  [A-Z]/) {      # operands that stand in a column of their own
            whole = substr($0, 1, RLENGTH - 2) substr($0, RLENGTH)
            if (whole ~ /^  .*[^ ]  /) $0 = whole }
        /^  [^ ]/ && match(substr($0, 3), /  +/) {
            enter("term"); left = substr($0, 3, RSTART - 1); right = substr($0, 2 + RSTART + RLENGTH)
            print ".TP\n.B " plain(left) "\n" plain(right); next }
        /^$/ { next }
        NR == 1 && section == "" && / -- / { next }
        { enter("text"); print plain($0) }
        END { enter("") }'
}
version=$("$program" --version)
printf '.\\" Made from the output of %s --help by install/man.sh.\n.TH %s 1 "" "%s" "User Commands"\n.SH NAME\n%s \\- %s\n' \
    "$name" "$(printf %s "$name" | tr 'a-z' 'A-Z')" "$version" "$(printf %s "$name" | sed 's/-/\\-/g')" "$about"
help=$("$program" --help)
case $help in usage:*) ;; *) printf '.SH SYNOPSIS\n.B %s\nCOMMAND [operands] [options]\n.SH DESCRIPTION\n' "$name" ;; esac
printf '%s\n' "$help" | page ""
for command; do
    printf '.SH COMMAND %s\n' "$(printf %s "$command" | tr 'a-z' 'A-Z')"
    help=$("$program" "$command" --help)
    printf '%s\n' "$help" | page "$command"
done
mv "$out.new" "$out"
