/* turns.c -- leaves out loops of one turn, so that templates need not ask whether a size or a tile makes one.
 *
 * In: C as the templates laid it out.  Out: the same C, in which `for (int c = 0; c < 1; c++)` is its body with 0 for c.  Next: ones.c.
 * The one convention: a loop's head is a line of its own, and its body what is indented deeper below it.  A loop stays where the text does
 * not show that its variable has one value; a block stays where its names could meet others.  What OpenMP would deal out to one thread, one
 * thread does. */
#include "emit/turns.h"
#include "emit/index.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Places behind each line for what comes to stand there; from a line to the next.  L of the emitted C is LANES in all of its forms. */
enum { SPARE = 2, LINE = SPARE + 1 };

typedef struct {
    Arena *arena;
    const char **line;   /* NULL: nothing stands there */
    const bool *comment; /* it begins inside of one */
    int count;
} Lines;

/* A loop of one turn, by its head. */
typedef struct {
    char variable[32];
    int value;
    const char *more; /* what its step does beside, "" if nothing */
    bool block;       /* its body has braces */
} Turn;

static int indent_of(const char *line) { return (int)strspn(line, " "); }
static bool is_blank(const char *line) { return !line[strspn(line, " ")]; }
static bool ends(const char *line, const char *with)
{
    const size_t n = strlen(line), m = strlen(with);
    return n >= m && !strcmp(line + n - m, with);
}

/* A product of numbers and L at *c, which moves behind it; -1: something else. */
static int constant(const char **c)
{
    int value = 1;
    for (;; *c += 3) {
        if (isdigit((unsigned char)**c))
            value *= (int)strtol(*c, (char **)(uintptr_t)c, 10);
        else if (**c == 'L' && !isalnum((unsigned char)(*c)[1]) && (*c)[1] != '_')
            value *= LANES, ++*c;
        else
            return -1;
        if (strncmp(*c, " * ", 3))
            return value;
    }
}

/* Moves *c behind `text`, if that stands there. */
static bool take(const char **c, const char *text)
{
    const size_t n = strlen(text);
    const bool there = !strncmp(*c, text, n);
    *c += there ? n : 0;
    return there;
}

/* The head of a loop of one turn: `for (int NAME = A; NAME < B; NAME += C, MORE)`, NAME++ for NAME += 1. */
static bool head_of(Arena *a, const char *line, Turn *t)
{
    const char *c = line + indent_of(line);
    if (!take(&c, "for (int "))
        return false;
    const size_t n = strspn(c, "abcdefghijklmnopqrstuvwxyz_0123456789");
    if (!n || n >= sizeof t->variable)
        return false;
    memcpy(t->variable, c, n);
    t->variable[n] = 0;
    c += n;
    if (!take(&c, " = "))
        return false;
    t->value = constant(&c);
    if (t->value < 0 || !take(&c, "; ") || !take(&c, t->variable) || !take(&c, " < "))
        return false;
    const int end = constant(&c);
    if (end < 0 || !take(&c, "; ") || !take(&c, t->variable))
        return false;
    const int step = take(&c, "++") ? 1 : take(&c, " += ") ? constant(&c) : -1;
    if (step < 1 || t->value >= end || t->value + step < end)
        return false;
    t->block = ends(c, ") {");
    const size_t rest = strlen(c) - (t->block ? 3 : 1);
    if ((!t->block && !ends(c, ")")) || memchr(c, ';', rest) || (rest && !take(&c, ", ")))
        return false;
    t->more = rest ? arena_copy(a, c, rest - 2) : "";
    return true;
}

/* The last line of what is indented deeper than line i and follows it. */
static int body_end(const Lines *l, int i)
{
    int end = i;
    for (int k = i + 1; k < l->count; k++) {
        if (!l->line[k] || is_blank(l->line[k]))
            continue;
        if (indent_of(l->line[k]) <= indent_of(l->line[i]))
            break;
        end = k;
    }
    return end;
}

/* The nearest line before or behind i that is there and no comment; -1: none. */
static int next_to(const Lines *l, int i, int way)
{
    for (int k = i + way; k >= 0 && k < l->count; k += way)
        if (l->line[k] && !is_blank(l->line[k]) && !l->comment[k] && (strncmp(l->line[k] + indent_of(l->line[k]), "/*", 2) || !ends(l->line[k], "*/")))
            return k;
    return -1;
}

/* The last character of a line, without the comment that it may end with. */
static char code_end(const char *line)
{
    size_t n = strlen(line);
    for (size_t k = n; ends(line, "*/") && k-- > 0;)
        if (!strncmp(line + k, "/*", 2)) {
            n = k;
            break;
        }
    while (n && line[n - 1] == ' ')
        n--;
    return n ? line[n - 1] : ' ';
}

/* Do the lines have the word? */
static bool names_within(const Lines *l, int from, int to, const char *word)
{
    for (int k = from; k <= to; k++)
        if (l->line[k] && !l->comment[k] && index_names(l->line[k], word))
            return true;
    return false;
}

/* Does a line of the body change the variable, or have another of its name? */
static bool is_changed(const Lines *l, int from, int to, const char *variable)
{
    const char *const after[] = { "++", "--", " = ", " += ", " -= " }, *const before[] = { "++", "--", "&", "int " };
    for (int k = from; k <= to; k++)
        for (const char *c = l->line[k]; c && (c = strstr(c, variable)); c++) {
            const char *behind = c + strlen(variable);
            if (isalnum((unsigned char)*behind) || *behind == '_' || (c > l->line[k] && (isalnum((unsigned char)c[-1]) || c[-1] == '_')))
                continue;
            for (size_t i = 0; i < sizeof after / sizeof *after; i++)
                if (!strncmp(behind, after[i], strlen(after[i])))
                    return true;
            for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
                const size_t n = strlen(before[i]);
                if ((size_t)(c - l->line[k]) >= n && !strncmp(c - n, before[i], n))
                    return true;
            }
        }
    return false;
}

/* A statement that `how`, break or continue, may belong to. */
static bool begins_loop(const char *line, const char *how)
{
    const char *c = line + indent_of(line);
    return take(&c, "for (") || take(&c, "while (") || take(&c, "do ") || (*how == 'b' && take(&c, "switch ("));
}

/* Does the body leave its loop, or go on to its next turn, by a statement that belongs to no loop within it? */
static bool leaves(const Lines *l, int i, int end, const char *how)
{
    for (int k = i + 1; k <= end; k++) {
        if (!l->line[k] || l->comment[k] || !index_names(l->line[k], how))
            continue;
        int within = i; /* the nearest loop around line k */
        for (int up = k - 1, indent = indent_of(l->line[k]); up > i && within == i; up--) {
            if (!l->line[up] || is_blank(l->line[up]) || indent_of(l->line[up]) >= indent)
                continue;
            indent = indent_of(l->line[up]);
            within = begins_loop(l->line[up], how) ? up : i;
        }
        if (within == i)
            return true;
    }
    return false;
}

/* Moves *c to the next name that a declaration declares, at first from its begin, and returns its length; 0: none is left. */
static size_t declared(const char **c, bool first)
{
    if (first) {
        *c += indent_of(*c);
        while (take(c, "const ") || take(c, "static ") || take(c, "_Alignas(64) "))
            ;
        const size_t type = strspn(*c, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        if (!type || (*c)[type] != ' ' || !strncmp(*c, "return ", 7) || !strncmp(*c, "else ", 5) || !strncmp(*c, "goto ", 5))
            return 0;
        *c += type + 1;
    } else {
        int depth = 0;
        for (; **c && (depth || strncmp(*c, ", ", 2)); ++*c)
            depth += (strchr("([{", **c) != NULL) - (strchr(")]}", **c) != NULL);
        if (!**c)
            return 0;
        *c += 2;
    }
    *c += strspn(*c, "(*");
    const size_t n = strspn(*c, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return n && ((*c)[n] && (strchr("[,;)", (*c)[n]) || !strncmp(*c + n, " = ", 3))) ? n : 0;
}

/* The lines around line i, from the end of the function before to that of its own. */
static void function_of(const Lines *l, int i, int *from, int *to)
{
    for (*from = i; *from > 0 && !(l->line[*from - 1] && *l->line[*from - 1] == '}');)
        --*from;
    for (*to = i; *to + 1 < l->count && !(l->line[*to] && *l->line[*to] == '}');)
        ++*to;
}

/* Is what the step of the loop up to line `end` does beside read by nothing any more? */
static bool is_last(const Lines *l, int i, int end, const char *more)
{
    int from, to;
    function_of(l, i, &from, &to);
    for (const char *c = more; indent_of(l->line[i]) == 4 && *c;) {
        const size_t n = strspn(c, "abcdefghijklmnopqrstuvwxyz_0123456789");
        if (!n || (strncmp(c + n, "++", 2) && strncmp(c + n, " += ", 4)) || names_within(l, end + 1, to, arena_copy(l->arena, c, n)))
            return false;
        c += strcspn(c, ",");
        c += strspn(c, ", ");
    }
    return indent_of(l->line[i]) == 4;
}

/* Are the lines one simple statement, which needs no block? */
static bool is_statement(const Lines *l, int from, int to)
{
    const char *c = NULL;
    for (int k = from; k <= to; k++)
        if (l->line[k] && !c)
            c = l->line[k];
        else if (l->line[k])
            return false;
    const char *end = c ? strchr(c, ';') : NULL;
    return end && !end[1] && !begins_loop(c, "break") && strncmp(c + indent_of(c), "if ", 3);
}

/* Could a name that the block of line i declares meet another of the function? */
static bool meets_others(const Lines *l, int i, int end)
{
    int from, to;
    function_of(l, i, &from, &to);
    for (int k = i + 1; k <= end; k++) {
        const char *c = l->line[k];
        if (!c || l->comment[k] || indent_of(c) != indent_of(l->line[i]) + 4)
            continue;
        for (size_t n = declared(&c, true); n; n = declared(&c, false)) {
            const char *name = arena_copy(l->arena, c, n);
            if (names_within(l, from, i, name) || names_within(l, end + 1, to, name))
                return true;
        }
    }
    return false;
}

/* The lines of the body with the number in place of the variable, `less` columns to the left. */
static void put_body(Lines *l, int i, int end, const Turn *t, int less)
{
    for (int k = i + 1; k <= end; k++) {
        if (!l->line[k])
            continue;
        const char *c = l->comment[k] ? l->line[k] : index_put(l->arena, l->line[k], t->variable, t->value);
        const int indent = indent_of(c);
        l->line[k] = c + (indent < less ? indent : less);
    }
}

/* A line in the place of a free one; its text is indented by `indent`. */
static void put_line(Lines *l, int at, int indent, const char *text, const char *behind)
{
    l->line[at] = arena_printf(l->arena, "%*s%s%s", indent, "", text, behind);
}

/* The loop under a pragma that deals its turns out: one thread runs the body, the first where that is who had its turn.  False: another pragma. */
static bool run_by_one(Lines *l, int i, int last, int pragma, const Turn *t)
{
    const int indent = indent_of(l->line[i]);
    const char *how = l->line[pragma] + indent_of(l->line[pragma]);
    const bool any = !strcmp(how, "#pragma omp for schedule(dynamic, 1) nowait");
    if (*t->more || (!any && strcmp(how, "#pragma omp for schedule(static) nowait")))
        return false;
    put_line(l, pragma, indent_of(l->line[pragma]), "#pragma omp ", any ? "single nowait" : "master");
    put_body(l, i, last, t, t->block ? 0 : 4);
    l->line[i] = NULL;
    if (t->block)
        put_line(l, i, indent, "{", "");
    return true;
}

/* Can the loop from line i to line `close`, whose body ends at `last`, be told from its text, and not be left in the midst? */
static bool is_plain(const Lines *l, int i, int last, int close, const Turn *t)
{
    if (last == i || close < 0 || is_changed(l, i + 1, last, t->variable) || leaves(l, i, last, "break"))
        return false;
    if (t->block && (indent_of(l->line[close]) != indent_of(l->line[i]) || strcmp(l->line[close] + indent_of(l->line[close]), "}")))
        return false;
    for (int k = i; k <= close; k++)
        if (l->line[k] && (l->line[k][indent_of(l->line[k])] == '#' || ends(l->line[k], "\\")))
            return false;
    return true;
}

/* Can a line be put at this place, which may be that of the loop's last line? */
static bool is_free(const Lines *l, int at, int close) { return at < l->count && (at == close || !l->line[at]); }

/* Puts the body in the place of the loop whose head is line i; false: it stays. */
static bool leave_out(Lines *l, int i, Turn *t)
{
    const int last = body_end(l, i), close = t->block ? next_to(l, last, 1) : last, above = next_to(l, i, -1), below = next_to(l, close, 1);
    if (above < 0 || !is_plain(l, i, last, close, t))
        return false;
    const int indent = indent_of(l->line[i]), outer = indent_of(l->line[above]);
    if (l->line[above][outer] == '#')
        return !leaves(l, i, last, "continue") && run_by_one(l, i, last, above, t);
    /* the one statement of the line above, `for (...)`, say; and the only one in the loop above */
    const bool under = outer < indent && !strchr("{};:", code_end(l->line[above]));
    const bool ends_block = below >= 0 && indent_of(l->line[below]) < indent && l->line[below][indent_of(l->line[below])] == '}';
    const bool alone = outer < indent && begins_loop(l->line[above], "continue") && (under || ends_block);
    if (leaves(l, i, last, "continue") && (!alone || *t->more))
        return false;
    const char *more = is_last(l, i, close, t->more) ? "" : t->more;
    const bool lends = under && ((t->block && !is_statement(l, i + 1, last)) || *more); /* its block becomes that of the line above */
    const bool keeps = !lends && t->block && meets_others(l, i, last);
    const int rest = keeps ? close + 1 : t->block && !lends ? close : last + 1, end = t->block ? close : last + 2;
    if ((*more && !is_free(l, rest, close)) || (lends && !is_free(l, end, close)) || (*more && lends && rest == end))
        return false;
    put_body(l, i, last, t, keeps ? 0 : 4);
    l->line[i] = NULL;
    if (keeps)
        put_line(l, i, indent, "{", "");
    else if (t->block)
        l->line[close] = NULL;
    if (*more)
        put_line(l, rest, indent, more, ";");
    if (lends) {
        put_line(l, above, 0, l->line[above], " {");
        put_line(l, end, outer, "}", "");
    }
    return true;
}

/* True if a comment is open behind the line; `inside`: one is before it. */
static bool opens_comment(const char *line, bool inside)
{
    char quote = 0;
    for (const char *c = line; *c; c++) {
        if (quote || (!inside && (*c == '"' || *c == '\''))) {
            if (*c == '\\' && c[1])
                c++;
            else
                quote = !quote ? *c : *c == quote ? 0 : quote;
        } else if (c[0] == (inside ? '*' : '/') && c[1] == (inside ? '/' : '*')) {
            inside = !inside;
            c++;
        }
    }
    return inside;
}

/* The lines of the text, and which of them begin within a comment. */
static Lines lines_of(const Text *c)
{
    int count = 0;
    for (const char *x = c->text; x && *x; x++)
        count += *x == '\n';
    const char **lines = NEW_ARRAY(c->arena, const char *, LINE *(count + 1));
    bool *comment = NEW_ARRAY(c->arena, bool, LINE *(count + 1)), inside = false;
    int at = 0;
    for (const char *x = c->text; x && *x; at += LINE) {
        const size_t n = strcspn(x, "\n");
        lines[at] = arena_copy(c->arena, x, n);
        comment[at] = inside;
        inside = opens_comment(lines[at], inside);
        x += n + (x[n] != 0);
    }
    return (Lines){ c->arena, lines, comment, at };
}

void turns_leave_out(Text *c)
{
    Lines l = lines_of(c);
    for (int i = l.count - 1; i >= 0; i--) {
        Turn t;
        if (l.line[i] && !l.comment[i] && head_of(c->arena, l.line[i], &t))
            leave_out(&l, i, &t);
    }
    Text out = { .arena = c->arena };
    for (int i = 0; i < l.count; i++)
        if (l.line[i])
            text_printf(&out, "%s\n", l.line[i]);
    *c = out;
}
