/* halves.c -- divides a long NAME.c between two processors.
 *
 * In: the text of NAME.c.  Out: the same text, in which `#if HALF` excludes the other half; without HALF it is whole.
 * The second half is a run of operators, chosen so that both halves compile in about the same time; the first half is all else.  A function
 * of the second half that the passes call is not static, and is declared for the first.  This file reads only what net.c.in writes at the
 * beginning of a line: the head of a part ("==== 3"), of an operator ("---- name:"), of a function ("static"). */
#include "emit/halves.h"
#include <ctype.h>
#include <string.h>

enum {
    SHORT = 4000,                   /* lines of operators: fewer are compiled in two or three seconds */
    DENSE = 2,                      /* a line around the operators, a call for each of them, takes as long as so many of theirs */
};

typedef struct { const char *at; int lines; } Unit;

/* The line after the one that begins at `line`. */
static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

static bool starts(const char *line, const char *with) { return strncmp(line, with, strlen(with)) == 0; }

/* The first line from `from` on that starts so; NULL: none. */
static const char *find_line(const char *from, const char *with)
{
    while (*from && !starts(from, with))
        from = next_line(from);
    return *from ? from : NULL;
}

static int count_lines(const char *from, const char *to)
{
    int n = 0;
    for (; from < to; from = next_line(from))
        n++;
    return n;
}

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* Does the name stand in the text, as a whole word? */
static bool mentioned(const char *text, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = strstr(text, name); at; at = strstr(at + 1, name))
        if (!in_word(at[-1]) && !in_word(at[n]))
            return true;
    return false;
}

/* The head of an operator: a comment that begins with its name and a colon. */
static bool is_unit(const char *line)
{
    static const char head[] = "/* ---- ";
    const char *name = line + sizeof head - 1, *end = name;
    if (!starts(line, head))
        return false;
    while (in_word(*end))
        end++;
    return end > name && *end == ':';
}

/* The operators' heads from `from` to `to`; *rest: where the last one ends. */
static int find_units(Arena *a, const char *from, const char *to, Unit **units, const char **rest)
{
    int n = 0;
    for (const char *line = from; line < to; line = next_line(line))
        n += is_unit(line);
    *units = NEW_ARRAY(a, Unit, n + 1);
    *rest = to;
    n = 0;
    for (const char *line = from; line < to; line = next_line(line)) {
        if (is_unit(line))
            (*units)[n++].at = line;
        else if (n && starts(line, "/* ---- ")) {
            *rest = line;
            break;
        }
    }
    (*units)[n].at = *rest;
    for (int i = 0; i < n; i++)
        (*units)[i].lines = count_lines((*units)[i].at, (*units)[i + 1].at);
    return n;
}

/* The operators units[*from] to units[*to - 1] become the second half: the longer half is then the shortest.  `others`: lines around the operators. */
static void divide(const Unit *units, int count, int others, int *from, int *to)
{
    int all = DENSE * others, least;
    for (int i = 0; i < count; i++)
        all += units[i].lines;
    least = all + 1;
    for (int i = 0; i < count; i++)
        for (int k = i, second = 0; k < count; k++) {
            second += units[k].lines;
            int longer = second > all - second ? second : all - second;
            if (longer < least)
                least = longer, *from = i, *to = k + 1;
        }
}

/* Copies the operators from `from` to `to`; a function that `passes` mention loses its `static`, and its head goes to `heads`. */
static void put_second(Text *out, Text *heads, const char *from, const char *to, const char *passes)
{
    static const char word[] = "static ";
    for (const char *line = from; line < to;) {
        const char *next = next_line(line), *open = memchr(line, '(', (size_t)(next - line)), *body = NULL;
        if (starts(line, word) && open)                                 /* the head may go on over lines; a body stands in column 1 */
            for (body = next; body < to && !starts(body, "{") && (body[-2] == ',' || body[-2] == '('); body = next_line(body))
                continue;
        if (body && starts(body, "{")) {
            const char *name = open, *type = line + sizeof word - 1;
            while (in_word(name[-1]))
                name--;
            if (mentioned(passes, arena_copy(out->arena, name, (size_t)(open - name)))) {
                text_add(heads, type, (size_t)(body - 1 - type));
                text_printf(heads, ";\n");
                line = type;
            }
            next = body;
        }
        text_add(out, line, (size_t)(next - line));
        line = next;
    }
}

bool halves_make(Text *c)
{
    if (!c->length)
        return false;
    const char *state = find_line(c->text, "static Weights *weights"), *operators = state ? find_line(state, "/* ==== 3 ") : NULL;
    const char *passes = operators ? find_line(operators, "/* ==== 4 ") : NULL, *rest;
    Unit *units;
    if (!passes)
        return false;
    int count = find_units(c->arena, operators, passes, &units, &rest), from = 0, to = 0;
    if (!count || count_lines(units[0].at, rest) < SHORT)
        return false;
    divide(units, count, count_lines(rest, c->text + c->length), &from, &to);
    const char *begin = units[from].at, *end = units[to].at;
    Text out = { .arena = c->arena }, second = { .arena = c->arena }, heads = { .arena = c->arena };
    put_second(&second, &heads, begin, end, rest);
    text_add(&out, c->text, (size_t)(state - c->text));
    const char *last = units[to - 1].at;
    text_printf(&out, "\n/* Two processors compile this file in two objects at once, which takes half the time: with -DHALF=2 the operators\n"
                      " * from %.*s to %.*s, with -DHALF=1 all else; without HALF it is whole. */\n"
                      "#if HALF != 2\n", (int)strcspn(begin + 8, ":"), begin + 8, (int)strcspn(last + 8, ":"), last + 8);
    text_add(&out, state, (size_t)(begin - state));
    text_printf(&out, "#endif\n#if HALF != 1\n");
    text_add(&out, second.text, second.length);
    text_printf(&out, "#endif\n#if HALF != 2\n/* ---- the functions between #if HALF != 1 and here that are called below ---- */\n");
    if (heads.length)
        text_add(&out, heads.text, heads.length);
    text_printf(&out, "\n");
    text_add(&out, end, (size_t)(c->text + c->length - end));
    text_printf(&out, "#endif\n");
    *c = out;
    return true;
}
