#!/usr/bin/env bash
# test_words.sh -- comments name only files and functions that there are; and a wrong name is noticed.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" os)
"$python" "$root/tests/words.py" "$root" >"$work/said" || fault "$(cat "$work/said")"

mkdir -p "$work/tree/runtime" "$work/tree/templates/odd"
cat >"$work/tree/runtime/odd.h" <<'END'
/* odd.h -- see even.c, runtime/odd.h, odd.h and trainer/odd.h; made by NAME.c, after fdlibm's e_log.c; odd() is there.
 * uneven() is not. */
static inline int odd(void) { return "/* prime.c */"[0]; }
END
cat >"$work/tree/templates/odd/odd.c.in" <<'END'
% -- odd: see odd.c.in
% local even = 1      -- half of twice.c.in
END
"$python" "$root/tests/words.py" "$work/tree" >"$work/said" && fault "wrong names are not noticed"
cat >"$work/want" <<'END'
runtime/odd.h:1: there is no file even.c
runtime/odd.h:1: there is no file trainer/odd.h
runtime/odd.h:2: nothing is called uneven
templates/odd/odd.c.in:2: there is no file twice.c.in
END
diff "$work/said" "$work/want" >&2 || fault "other findings than expected"
exit $failed
