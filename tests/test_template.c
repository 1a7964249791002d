/* Templates: what they write, byte for byte, and what the sandbox refuses.  Each test writes its own template
 * into a temporary folder. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
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
    REFUSES("% local function f() return 1 + f() end\n% f()\n", 1, "stack overflow");
}

Test(template, memory_bombs_are_refused)
{
    REFUSES("% local s = 'x'\n% while true do s = s .. s end\n", 2, "256 MiB");
    REFUSES("% local t = {}\n% while true do t[#t + 1] = { 1, 2, 3 } end\n", 2, "256 MiB");
    REFUSES("${string.rep('x', 1 << 40)}", 1, "string.rep would make");
    REFUSES("${('x'):rep(1 << 20, ('y'):rep(1 << 20))}", 1, "string.rep would make");
    REFUSES("% local s = string.rep('x', 1 << 24)\n% while true do local u = s .. 'y' end\n", 2, "too much text");
    REFUSES("% local s = string.rep('x', 1 << 24)\n% while true do\n${s}\n% end\n", 3, "writes more than 256 MiB");
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
