/* Templates: what they write, byte for byte, and what the sandbox refuses.  Each test writes its own template
 * into a temporary folder. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spnc.h"
#include "temporary.h"

static Arena *arena;
static char folder[TEMPORARY_ROOM];
static char said[8192];

static void set_up(void)
{
    arena = arena_new();
    temporary_folder(folder);
}

static const char *path_of(const char *name)
{
    return arena_printf(arena, "%s/%s", folder, name);
}

static void tear_down(void)
{
    unlink(path_of("t.in"));
    unlink(path_of("u.in"));
    rmdir(folder);
    arena_free(arena);
}

TestSuite(template, .init = set_up, .fini = tear_down, .timeout = 600);

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "wb");
    cr_assert(f != NULL);
    fputs(text, f);
    fclose(f);
}

static Fact *some_facts(void)
{
    Fact *facts = fact_table(arena), *op = fact_table(arena), *list = fact_table(arena);
    fact_text(op, "name", "conv1");
    fact_int(op, "M", 20);
    fact_bool(op, "relu", true);
    fact_set(facts, "op", op);
    fact_real(facts, "rate", 0.1);
    fact_real(facts, "whole", 3.0);
    fact_push_int(list, 7);
    fact_push_text(list, "eight");
    fact_set(facts, "list", list);
    fact_set(facts, "again", op);
    return facts;
}

/* The template's output for some_facts, or NULL; its messages are in `said`. */
static const char *expand(const char *text)
{
    char *stream;
    size_t size;
    FILE *f = open_memstream(&stream, &size);
    Text out = { .arena = arena };
    write_file("t.in", text);
    text_add(&out, ">", 1);
    bool ok = template_expand(arena, diag_new(arena, f, false, false), folder, "t.in", "conv1", some_facts(), NULL, &out);
    fclose(f);
    snprintf(said, sizeof said, "%s", stream);
    free(stream);
    cr_assert(ok == (said[0] == '\0'), "%s", said);
    if (!ok)
        cr_assert(out.length == 1, "a failed expansion leaves nothing behind");
    return ok ? out.text + 1 : NULL;
}

#define MAKES(template, c) do { \
        const char *made = expand(template); \
        cr_assert(made != NULL, "%s", said); \
        cr_assert(strcmp(made, c) == 0, "made: %s", made); \
    } while (0)
#define REFUSES(template, line, part) do { \
        cr_assert(expand(template) == NULL, "this should not expand"); \
        cr_assert(strstr(said, arena_printf(arena, "%s/t.in:%d:", folder, line)) == said, "said: %s", said); \
        cr_assert(strstr(said, " error: ") != NULL, "said: %s", said); \
        cr_assert(strstr(said, part) != NULL, "said: %s", said); \
        cr_assert(strstr(said, "while expanding conv1") != NULL, "said: %s", said); \
    } while (0)

Test(template, plain_c_is_copied_byte_for_byte)
{
    MAKES("", "");
    MAKES("a\n\n  b\t%d\r\n$x {} $\nlast", "a\n\n  b\t%d\r\n$x {} $\nlast");
}

Test(template, a_lua_line_leaves_no_line)
{
    MAKES("% for i = 1, 2 do\nx${i};\n% end\ny\n", "x1;\nx2;\ny\n");
    MAKES("% -- only a comment", "");
    MAKES("% if op.relu then\r\nmax\r\n% end\r\n", "max\r\n");
}

Test(template, holes_take_any_expression)
{
    MAKES("${op.name}_${op.M * 2}", "conv1_40");
    MAKES("${({a = {b = 5}}).a.b}${'}'}${\"{\\\"\"}${[[}]]}", "5}{\"}");
    MAKES("${list[1]} ${list[2]} ${#list}", "7 eight 2");
    MAKES("${again == op and 'same' or 'other'}", "same");
}

Test(template, numbers_are_c_literals_that_round_trip)
{
    MAKES("${whole} ${rate} ${1/3} ${2^60} ${1e300} ${-0.0} ${10 // 3} ${7 / 2}",
          "3 0.1 0.3333333333333333 1.152921504606847e+18 1e+300 -0.0 3 3.5");
    MAKES("${tostring(2.0)}${tostring(true)}", "2true");
    REFUSES("${1/0}", 1, "infinity");
    REFUSES("${0/0}", 1, "nan");
}

Test(template, the_builtins_are_there)
{
    MAKES("${string.format('%03d|%s', 7, 'a')} ${('ab'):rep(2, '-')} ${string.upper('x')} ${('abc'):sub(2)}",
          "007|a ab-ab X bc");
    MAKES("${math.floor(2.5)} ${math.min(3, 2)} ${math.max(3, 2)} ${type(op)}", "2 2 3 table");
    MAKES("% for i, v in ipairs(list) do\n${i}=${v} \n% end\n", "1=7 \n2=eight \n");
    MAKES("% for k in pairs(op) do\n${k} \n% end\n", "name \nM \nrelu \n");
    MAKES("% for k, v in pairs({ z = 1, a = 2, 5, 6, b = 3 }) do\n${k}${v} \n% end\n", "15 \n26 \na2 \nb3 \nz1 \n");
    MAKES("${has(op, 'M') and 'yes' or 'no'} ${has(op, 'N') and 'yes' or 'no'} ${has({a = 1}, 'a') and 1 or 0}",
          "yes no 1");
}

Test(template, grid_goes_over_rows_and_their_columns_and_plus_takes_so_many_of_a_size)
{
    MAKES("${grid(2, 3, ', ', function(f, q) return f .. '_' .. q end)}", "0_0, 0_1, 0_2, 1_0, 1_1, 1_2");
    MAKES("${grid(0, 3, ', ', function(f, q) return f .. '_' .. q end)}", "");
    REFUSES("${grid(2, 0, ', ', function(f, q) return f end)}", 1, "there are 1 to 65536 columns");
    MAKES("${plus('i', 2, 16)} ${plus('i', 0, 16)} ${plus('i', 2)} ${plus('i', -3)} ${plus('i', -1, 4)}", "i + 32 i i + 2 i - 3 i - 4");
}

Test(template, upto_is_the_end_of_a_step_and_looks_for_the_last_one_only_where_that_is_shorter)
{
    MAKES("${upto('m', 4, 10)}", "m + 4 < 10 ? m + 4 : 10");
    MAKES("${upto('m', 4, 12)}", "m + 4");
    MAKES("${upto('m', 12, 4)}", "m + 12 < 4 ? m + 12 : 4");
    REFUSES("${upto('m', 0, 4)}", 1, "a step is at least 1");
}

Test(template, include_lays_fields_over_the_facts)
{
    write_file("u.in", "[${op.name} ${n}]\n");
    MAKES("a\n% for i = 1, 2 do\n% include('u.in', { n = i })\n% end\nb\n", "a\n[conv1 1]\n[conv1 2]\nb\n");
    MAKES("% local function again(k)\n% include('u.in', { n = k, op = { name = 'mine' } })\n% end\n% again(9)\n",
          "[mine 9]\n");
    write_file("u.in", "${name}:${M}\n");
    MAKES("% include('u.in', op)\n", "conv1:20\n");
}

Test(template, an_error_in_an_included_template_names_both)
{
    write_file("u.in", "fine\n${wrong}\n");
    cr_assert(expand("\n\n% include('u.in')\n") == NULL);
    cr_assert(strstr(said, arena_printf(arena, "%s/u.in:2:3: error: 'wrong' is not set here", folder)) != NULL, "%s", said);
    cr_assert(strstr(said, arena_printf(arena, "%s/t.in:3:3: note: included from here", folder)) != NULL, "%s", said);
    write_file("u.in", "fine\n% ) (\n");
    cr_assert(expand("\n\n% include('u.in')\n") == NULL);
    cr_assert(strstr(said, "u.in:2:3: error: ") != NULL, "%s", said);
    cr_assert(strstr(said, "t.in:3:3: note: included from here") != NULL, "%s", said);
}

Test(template, a_nest_that_is_too_deep_is_an_error_in_its_template)
{
    char nest[3 * 300 + 2] = "${";
    for (int i = 2; i < 302; i++)
        nest[i] = '(', nest[i + 301] = ')';
    nest[302] = '1', nest[603] = '}', nest[604] = '\0';
    write_file("u.in", nest);
    cr_assert(expand("a\n% include('u.in', {})\n") == NULL);
    cr_assert(strstr(said, path_of("u.in:1:")) == said && strstr(said, "C stack overflow") != NULL, "said: %s", said);
}

Test(template, unset_names_are_errors_that_suggest)
{
    REFUSES("a\nb ${oq.name}\n", 2, "'oq' is not set here; did you mean 'op'?");
    REFUSES("${op.nmae}", 1, "no field 'nmae'; did you mean 'name'?");
    REFUSES("${list[3]}", 1, "no item 3, only 1 to 2");
    REFUSES("${({}).x}", 1, "${({}).x} is nil, not text or a number");
    REFUSES("${op}", 1, "a table");
    REFUSES("${op.relu}", 1, "a boolean");
}

Test(template, the_failing_line_is_quoted)
{
    REFUSES("one\ntwo ${op.x} end\n", 2, "    2 | two ${op.x} end\n");
    REFUSES("% error('my own words')\n", 1, "error: my own words\n");
    REFUSES("\n% assert(false, 'never')\n", 2, "error: never\n");
    REFUSES("\n% error({})\n", 2, "error was called with a table");
}

#define UNDERLINES(template, line, carets) REFUSES(template, line, "\n      | " carets "\n")

Test(template, the_culprit_is_underlined)
{
    UNDERLINES("one\ntwo ${op.x} end\n", 2, "         ^");
    UNDERLINES("${op.name} ${nmae} nmae\n", 1, "             ^~~~");
    UNDERLINES("name ${op.name}${op.M} ${op.relu}\n", 1, "                         ^~~~~~~");
    UNDERLINES("\u00e9\u00e9 ${op.nmae}\n", 1, "        ^~~~");
    UNDERLINES("%   local M, K = op.M, op.KH\n", 1, "                          ^~");
    UNDERLINES("% local nmae = op.nmae\n", 1, "                  ^~~~");
    UNDERLINES("%  error('my own words')  \n", 1, "   ^~~~~~~~~~~~~~~~~~~~~");
    UNDERLINES("% for i = 1 do\n% end\n", 1, "            ^~");
    UNDERLINES("a ${op.M} ${op.name\n", 1, "          ^~");
    UNDERLINES("% include('absent.in')\n", 1, "           ^~~~~~~~~");
    UNDERLINES("% for i = 1, 2 do\n${i} ${i > 1 and list[9] or i}\n% end\n", 2, "       ^~~~~~~~~~~~~~~~~~~~~~");
    UNDERLINES("% for i = 1, 2 do\n${i < 2 and 1 or nil} ${i}\n% end\n", 2, "  ^~~~~~~~~~~~~~~~~~");
    expand("${1 + } ${2 * }\n");
    cr_assert(strstr(said, "t.in:1: error: ") != NULL, "two holes, and Lua does not say which: %s", said);
}

Test(template, an_error_names_the_operator_that_was_expanded)
{
    Fact *facts = some_facts(), *op = fact_table(arena);
    fact_text(op, "name", "front_conv1"), fact_text(op, "kind", "conv");
    const char *model = "do:\n  - conv: image\n";
    fact_place(op, (Loc){ 2, 5, 4, source_new(arena, "m.yaml", model, strlen(model)) });
    fact_set(facts, "unit", op);
    write_file("t.in", "% include('u.in', { op = unit })\n");
    write_file("u.in", "${op.C}\n");
    char *stream;
    size_t size;
    FILE *f = open_memstream(&stream, &size);
    Text out = { .arena = arena };
    Diag *diag = diag_new(arena, f, false, false);
    cr_assert(not(template_expand(arena, diag, folder, "t.in", "tiny", facts, NULL, &out)));
    fclose(f);
    cr_assert(strstr(stream, "m.yaml:2:5: note: while expanding front_conv1 (conv) of tiny\n    2 |   - conv: image\n      |     ^~~~\n") != NULL, "%s", stream);
    free(stream);
}

Test(template, broken_lua_is_an_error_at_its_line)
{
    REFUSES("a\n% for i = 1 do\nb\n% end\n", 2, "expected");
    REFUSES("a\nx ${op.name\n}\n", 2, "'${' is not closed on its line");
    REFUSES("${op -- name}\n", 1, "a comment inside");
    REFUSES("% local x =\ntext\n", 2, "unexpected symbol");
    REFUSES("% if true then\ntext\n", 3, "'end' expected");
}

Test(template, facts_are_read_only)
{
    REFUSES("% op.M = 3\n", 1, "read-only");
    REFUSES("% op.new = 3\n", 1, "read-only");
    REFUSES("% list[1] = 3\n", 1, "read-only");
    REFUSES("% M = 3\n", 1, "write 'local M'");
    REFUSES("% string.rep = 3\n", 1, "cannot be changed");
}

Test(template, the_world_outside_is_not_there)
{
    static const char *const names[] = { "io", "os", "load", "loadstring", "dofile", "require", "print", "debug", "package",
        "getmetatable", "setmetatable", "rawget", "rawset", "rawequal", "next", "pcall", "coroutine", "collectgarbage",
        "_G", "utf8", "table" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        REFUSES(arena_printf(arena, "%% local x = %s\n", names[i]), 1, "is not set here");
    REFUSES("${string.dump(ipairs)}", 1, "no 'string.dump'");
    REFUSES("${('x').dump}", 1, "no 'string.dump'");
    REFUSES("${tostring(op)}", 1, "has no text");
    REFUSES("${string.format('%s', op)}", 1, "given a table");
    REFUSES("${string.format('%5p', 'x')}", 1, "would give an address");
}

Test(template, an_endless_loop_ends)
{
    REFUSES("a\n% while true do\n% end\n", 2, "50 million Lua instructions");
    REFUSES("% local function f() return f() end\n% f()\n", 1, "50 million Lua instructions");
    REFUSES("% local function f() return 1 + f() end\n% f()\n", 1, "an endless loop?");
}

Test(template, memory_bombs_are_refused)
{
    REFUSES("% local s = 'x'\n% while true do s = s .. s end\n", 2, "64 MiB");
    REFUSES("% local t = {}\n% while true do t[#t + 1] = { 1, 2, 3 } end\n", 2, "large tables or texts");
    REFUSES("${string.rep('x', 1 << 40)}", 1, "string.rep would make");
    REFUSES("${('x'):rep(1 << 20, ('y'):rep(1 << 20))}", 1, "string.rep would make");
    REFUSES("% local s = string.rep('x', 1 << 23)\n% while true do local u = s .. 'y' end\n", 2, "too much text");
    REFUSES("% local s = string.rep('x', 1 << 24)\n% while true do\n${s}\n% end\n", 3, "writes more than 64 MiB");
}

/* ---- no template can crash or hang spnc ---- */

static const char *const functions[] = { "__text", "__value", "type", "error", "assert", "has", "index", "ipairs", "pairs", "tostring", "include", "candidate", "list", "plus", "upto",
    "math.floor", "math.min", "math.max", "string.format", "string.rep", "string.upper", "string.lower", "string.sub", "pairs({ 1, 2 })", "pairs(op)", "ipairs({ 1 })", "ipairs(list)" };
static const char *const arguments[] = { "nil", "true", "0", "-1", "1", "99999999", "9223372036854775807", "-9223372036854775807 - 1", "1e308", "-1/0", "0/0", "''", "'x'", "'t.in'",
    "'%s'", "'%d%d'", "('x'):rep(1 << 20)", "{}", "{ 1, 'a', {} }", "{ [1 << 62] = 1, a = 2, [0.5] = 3 }", "op", "list", "_ENV", "type", "function(...) return ... end" };
enum { FUNCTIONS = sizeof functions / sizeof *functions, ARGUMENTS = sizeof arguments / sizeof *arguments };

/* Expands the template in memory of its own, and forgets it; true if it was refused. */
static bool refused_alone(const char *text)
{
    Arena *before = arena;
    char *stream;
    size_t size;
    FILE *f = open_memstream(&stream, &size);
    write_file("t.in", text);
    arena = arena_new();
    Text out = { .arena = arena };
    const bool refused = !template_expand(arena, diag_new(arena, f, false, false), folder, "t.in", "conv1", some_facts(), NULL, &out);
    fclose(f);
    free(stream);
    arena_free(arena);
    arena = before;
    return refused;
}

/* Runs `what` with the text in a process that may take 256 MiB more than it has, and a minute of processor time, which only ends a hang. */
static bool limited(bool (*what)(const char *), const char *text)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        long pages = 0;
        FILE *f = fopen("/proc/self/statm", "r");
        if (!f || fscanf(f, "%ld", &pages) != 1)
            _exit(9);
        fclose(f);
#if !defined __SANITIZE_ADDRESS__
        const rlim_t room = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)256 << 20);
        setrlimit(RLIMIT_AS, &(struct rlimit){ room, room });
#endif
        setrlimit(RLIMIT_CPU, &(struct rlimit){ 60, 60 });
        _exit(what(text) ? 0 : 1);
    }
    int status = 1;
    cr_assert(child > 0 && waitpid(child, &status, 0) == child);
    return status == 0;
}

/* f with each argument alone, and with each before an ordinary one, a huge one, and a long text. */
static bool every_argument(const char *f)
{
    static const char *const second[] = { "", ", 1", ", 9223372036854775807", ", ('y'):rep(1 << 16)", ", 'a', { 1 }" };
    for (int a = 0; a < ARGUMENTS; a++)
        for (int b = 0; b < 5; b++)
            refused_alone(arena_printf(arena, "%% local f = %s\n%% f(%s%s)\n${1}", f, arguments[a], second[b]));
    return true;
}

Test(template, no_function_crashes_or_hangs_whatever_it_is_given)
{
    for (int f = 0; f < FUNCTIONS; f++)
        cr_assert(limited(every_argument, functions[f]), "%s", functions[f]);
}

/* One call in C, or a loop of a few instructions, that would run for hours. */
Test(template, what_would_run_for_hours_is_stopped)
{
    static const char *const texts[] = {
        "% list(9223372036854775807, '', type)\n",
        "% list(9223372036854775807, '', tostring)\n",
        "% local a, b = ('x'):rep(1 << 23) .. 'a', ('x'):rep(1 << 23) .. 'b'\n% while a ~= b do end\n",
        "% local a, b = ('x'):rep(1 << 16) .. 'a', ('x'):rep(1 << 16) .. 'b'\n% while a < b do end\n",
        "% local s = (' '):rep(1 << 23) .. '1'\n% while s + 0 == 1 do end\n",
        "% local t = {}\n% for i = 1, 1 << 17 do t[i] = i end\n% for i = 1, 1 << 17 do t[i] = nil end\n% while true do for k in pairs(t) do end end\n",
        "% local t, m = {}, (1 << 16) - 1\n% for i = 1, 1 << 15 do t[i * m] = i end\n% while true do local x = t[m] end\n",
        "% local s = ('x'):rep(1 << 20)\n% while true do local u = s:upper() end\n",
        "% local f = pairs({ 1, 2 })\n% while true do f({}) end\n",
        "% while true do pairs(op) end\n",
        "% local s = ('x'):rep(1 << 20)\n% error(s)\n",
        "${_ENV[('x'):rep(1 << 23)]}",
        "${op[('x'):rep(1 << 23)]}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_assert(limited(refused_alone, texts[i]), "%s", texts[i]);
    Text chain = { .arena = arena };
    text_printf(&chain, "%% local a\n%% a = a");
    for (int i = 0; i < 40000; i++)
        text_printf(&chain, " and a");
    cr_assert(limited(refused_alone, chain.text), "Lua takes the square of its length");
}

/* Each loop takes a second of processor time and more on a machine of 2024, so the work that is counted ends it before its last turn: the test counts
 * turns, not seconds. */
Test(template, what_calls_do_is_counted)
{
    static const struct { const char *call; int turns; } all[] = {
        { "string.format('%99.99f', 1e308)", 130000 },
        { "string.format('%99.99f%99.99f%99.99f', 1e308, 1e308, 1e308)", 48000 },
        { "string.format('%.99g', 1e-308)", 800000 },
        { "string.format('%a', 1.1)", 2000000 },
        { "string.format('%s', 1.1)", 2000000 },
        { "('%d'):format(1)", 2000000 },
        { "tostring(1 / 3)", 200000 },
        { "type(1, 2, 3, 4, 5, 6, 7, 8, 9)", 2000000 },
        { "assert(1, 2, 3, 4, 5, 6, 7, 8, 9)", 2000000 },
        { "math.max(1, 2, 3, 4, 5, 6, 7, 8, 9)", 2000000 },
        { "math.min(1, 2, 3, 4, 5, 6, 7, 8, 9)", 2000000 },
        { "math.floor(1.5)", 3000000 },
        { "math.floor(s)", 40000 },
        { "s:sub(2)", 40000 },
        { "s:upper()", 40000 },
        { "s:lower()", 40000 },
        { "s:rep(2)", 40000 },
        { "has(op, 'name')", 3000000 },
        { "has(op, s)", 40000 },
        { "index('k', { 1, 2, 3 })", 2000000 },
        { "ipairs(list)", 3000000 },
        { "pairs(list)", 2000000 },
        { "plus(1, 2)", 3000000 },
        { "own(1, 2, 3, 4, 5, 6, 7, 8, 9)", 3000000 },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char *text = arena_printf(arena, "%% local s = ('1'):rep(16000)\n%% local function own(...) end\n%% for i = 1, %d do local x = %s end\n", all[i].turns, all[i].call);
        cr_assert(limited(refused_alone, text), "%s", all[i].call);
        text = arena_printf(arena, "%% local s = ('1'):rep(16000)\n%% local function own(...) end\n%% for i = 1, %d do local x = %s end\nok", all[i].turns / 1000, all[i].call);
        cr_assert(not(limited(refused_alone, text)), "%s is a right call", all[i].call);
    }
}

Test(template, steps_of_loops_and_pieces_are_checked)
{
    REFUSES("a\n% __text(99999999)\n", 2, "no such piece");
    REFUSES("a\n% __text(-1)\n", 2, "no such piece");
    REFUSES("a\n% __value('x', 99999999)\n", 2, "no such piece");
    REFUSES("% local f = pairs({ 1, 2 })\n% f(3)\n", 2, "table expected, got number");
    REFUSES("% local f = ipairs({ 1 })\n% f(1, 1)\n", 2, "table expected, got number");
    MAKES("% local f = ipairs({ 1 })\n${f({}, 9223372036854775807) == nil and 'end' or 'on'}", "end");
    REFUSES("${string.format('\\0%p', 'x')}", 1, "would give an address");
    MAKES("% for k, v in pairs({ ['a\\0b'] = 1, ['a\\0c'] = 2, [1 << 62] = 3, [(1 << 62) + 1] = 4, [0.5] = 5 }) do\n${v}\n% end\n", "5\n3\n4\n1\n2\n");
    MAKES("${('ab'):rep(0, 'x')}${('ab'):rep(-1)}${(''):rep(9223372036854775807)}|", "|");
    expand("% error(('x'):rep(1 << 20))\n");
    cr_assert(strlen(said) < 2000 && strstr(said, "xxx ...") != NULL, "a long message is cut");
}

Test(template, garbage_is_not_counted)
{
    MAKES("% for i = 1, 300000 do local t = { i, i, i, i, i, i, i, i } end\nok", "ok");
}

Test(template, a_template_that_includes_itself_ends)
{
    REFUSES("% include('t.in')\n", 1, "more than 32 deep");
}

Test(template, names_are_plain_file_names)
{
    REFUSES("% include('../t.in')\n", 1, "plain file names only");
    REFUSES("% include('/etc/passwd')\n", 1, "plain file names only");
    REFUSES("% include('absent.in')\n", 1, "there is no template 'absent.in'");
    REFUSES("% include(3)\n", 1, "include wants a name");
}

Test(template, an_absent_template_is_an_error)
{
    char *stream;
    size_t size;
    FILE *f = open_memstream(&stream, &size);
    Text out = { .arena = arena };
    bool ok = template_expand(arena, diag_new(arena, f, false, false), NULL, "absent.in", "x", some_facts(), NULL, &out);
    fclose(f);
    cr_assert(not(ok));
    cr_assert(strstr(stream, "there is no template 'absent.in'") != NULL, "%s", stream);
    free(stream);
}
