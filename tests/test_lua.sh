#!/usr/bin/env bash
# test_lua.sh -- templates lay out C and compute nothing: at most 200 of their lines are neither C, comment nor plain control (tests/lua.py says what
# that is); they know no function of formulas by its name; and lines that compute are counted.
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" os)
"$python" "$root/tests/lua.py" "$root/templates" 200 >"$work/said" || fault "templates compute in more than 200 lines; what they need belongs to compiler/schedule/ or to the operator's facts: $(cat "$work/said")"

"$python" "$root/tests/lua.py" --functions "$root/compiler/formula/functions.def" "$root/templates" >"$work/said" ||
    fault "a template knows a function of formulas by its name; what it wants of it is a property, a fact that the compiler decides: $(cat "$work/said")"

mkdir "$work/templates"
cat >"$work/templates/odd.c.in" <<'END'
% -- odd: plain are lines 2 to 12, but line 4, whose C has arithmetic inside
% local n, w = op.name, op.H > 1 and op.W or #op.dims
% local function tile(F, text)
void ${n}_${F * 2}(void) { ${text} }
% end
% for i, r in ipairs(op.rows) do
%   if r.size == 4 then tile(r.size, "return;") elseif r.size then include("even.c.in") else
int a[${r.size - 1}];
%   end
% end
% include("even.c.in", { F = w,
%   x = function(k) return string.format("v_load(p[%d])", k) end })
% local size = op.H * op.W
% local text = n .. "_text"
% local most = math.max(op.H, op.W)
% local sum = 0
% for _, r in ipairs(op.rows) do
%   sum = sum + r.size
% end
% local function half(a)
%   return a // 2
% end
% if op.H + op.W > 4 then
int b;
% end
END
"$python" "$root/tests/lua.py" --lines "$work/templates/odd.c.in" | cut -d: -f2 | tr '\n' ' ' >"$work/said"
[ "$(cat "$work/said")" = "4 13 14 15 17 18 19 20 21 22 23 " ] || fault "other lines compute than expected: $(cat "$work/said")"
"$python" "$root/tests/lua.py" "$work/templates" 11 >"$work/said" || fault "11 lines are more than 11"
"$python" "$root/tests/lua.py" "$work/templates" 10 >"$work/said" && fault "11 lines are not more than 10"

mkdir "$work/named"
cat >"$work/named/odd.c.in" <<'END'
% -- relu is named in lines 3 to 5
% if op.masks then    -- relu
%   if op.relu then
%   elseif d.kind == "tanh" then
int a${op.sigmoid and 1 or 0} = v_relu("exp"), b = ${math.max(1, 2)} + op.relu;
%   end
% end
END
"$python" "$root/tests/lua.py" --functions "$root/compiler/formula/functions.def" "$work/named" | cut -d: -f2 | tr '\n' ' ' >"$work/said"
[ "$(cat "$work/said")" = "3 4 5 " ] || fault "other lines name functions than expected: $(cat "$work/said")"
exit $failed
