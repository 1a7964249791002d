/* wrap.c -- breaks long lines of the emitted C, so that templates need not count columns.
 *
 * In: C as the templates laid it out, names of any length in it.  Out: the same tokens, on lines of at most WRAP_WIDTH columns.
 * Code is broken behind a comma or a semicolon or before an operator, as far out of parentheses as possible; what comes next is indented by
 * four more, behind a semicolon outside of all parentheses by no more.  A comment beside such code goes above it; a comment that is too long
 * goes on with " * ", and its own next line behind that.  Strings stay whole. */
#include "emit/wrap.h"
#include <string.h>

/* The comment that ends the line, or its end. */
static const char *comment_beside(const char *line, const char *end)
{
    bool quoted = false;
    for (const char *c = line; c < end; c++) {
        quoted = quoted != (*c == '"' && (c == line || c[-1] != '\\'));
        if (!quoted && c[0] == '/' && c + 1 < end && c[1] == '*')
            return end - c > 3 && end[-2] == '*' && end[-1] == '/' ? c : end;
    }
    return end;
}

/* True if an operator, which may begin a line, stands at c between two spaces. */
static bool operator_at(const char *c, const char *end)
{
    static const char *const operators[] = { "&& ", "|| ", "? ", ": ", "+ ", "- ", "* ", "/ " };
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if ((size_t)(end - c) > strlen(operators[i]) && !strncmp(c, operators[i], strlen(operators[i])))
            return true;
    return false;
}

/* Where the first line of the code from `line` to `end` ends, before a space: the place with the fewest open parentheses, of these the last.
 * NULL: nowhere. */
static const char *code_break(const char *line, const char *end, int room, bool *statement)
{
    const char *best = NULL;
    int depth = 0, least = 0;
    bool quoted = false;
    for (const char *c = line; c < end && c - line <= room; c++) {
        quoted = quoted != (*c == '"' && (c == line || c[-1] != '\\'));
        if (quoted)
            continue;
        depth += strchr("([{", *c) ? 1 : strchr(")]}", *c) ? -1 : 0;
        if (*c != ' ' || c == line || c + 1 >= end)
            continue;
        bool stop = c[-1] == ';', breaks = stop || c[-1] == ',' || operator_at(c + 1, end);
        int weight = 2 * depth + !(stop || c[-1] == ',');
        if (breaks && c - line > 8 && (!best || weight <= least || c - best > room / 2))
            best = c, least = weight, *statement = stop && depth == 0;
    }
    return best;
}

static void put(Text *out, int indent, const char *prefix, const char *from, const char *to)
{
    text_printf(out, "%*s%s", indent, "", prefix);
    text_add(out, from, (size_t)(to - from));
    text_add(out, "\n", 1);
}

static void wrap_code(Text *out, int indent, const char *from, const char *end)
{
    int more = 0;
    bool statement = false;
    while (indent + more + (end - from) > WRAP_WIDTH) {
        const char *at = code_break(from, end, WRAP_WIDTH - indent - more, &statement);
        if (!at)
            break;
        put(out, indent + more, "", from, at);
        from = at + 1;
        more = statement ? 0 : 4;
    }
    put(out, indent + more, "", from, end);
}

/* A comment from `from` to `end`, of which more lines may follow: then *rest is what did not find room, for the next line to begin with. */
static void wrap_comment(Text *out, int indent, const char *from, const char *end, const char **rest)
{
    const char *prefix = "";
    while (indent + (int)strlen(prefix) + (end - from) > WRAP_WIDTH) {
        const char *at = from + WRAP_WIDTH - indent - strlen(prefix);
        while (at > from && (*at != ' ' || !strncmp(at + 1, "*/", 2)))
            at--;
        while (at > from && at[-1] == ' ')
            at--;
        if (at - from < 4)
            break;
        put(out, indent, prefix, from, at);
        prefix = " * ";
        for (from = at; *from == ' ';)
            from++;
    }
    if (*prefix && rest)
        *rest = arena_copy(out->arena, from, (size_t)(end - from));
    else
        put(out, indent, prefix, from, end);
}

/* `inside`: of a comment that began on an earlier line; rest: NULL if the comment ends with this line. */
static void wrap_line(Text *out, const char *line, const char *end, bool inside, const char **rest)
{
    int indent = 0;
    while (line + indent < end && line[indent] == ' ')
        indent++;
    const char *first = line + indent, *beside = comment_beside(first, end);
    if (inside && indent && *first == '*') {        /* a line of a longer comment: " * text" */
        wrap_comment(out, indent - 1, first - 1, end, rest);
    } else if (inside || !strncmp(first, "/*", 2)) {
        wrap_comment(out, indent, first, end, rest);
    } else if (*first == '#') {
        put(out, 0, "", line, end);
    } else {
        const char *code = beside;
        while (code > first && code[-1] == ' ')
            code--;
        if (beside < end)
            wrap_comment(out, indent, beside, end, NULL);
        wrap_code(out, indent, first, code);
    }
}

/* True if a comment is open behind the line. */
static bool opens_comment(const char *line, const char *end, bool inside)
{
    bool quoted = false;
    for (const char *c = line; c + 1 < end; c++) {
        if (!inside)
            quoted = quoted != (*c == '"' && (c == line || c[-1] != '\\'));
        if (!quoted && !inside && c[0] == '/' && c[1] == '*')
            inside = true, c++;
        else if (inside && c[0] == '*' && c[1] == '/')
            inside = false, c++;
    }
    return inside;
}

/* The line of a comment with the rest of the line before it in front; NULL if it cannot go on with that: it is indented or empty. */
static const char *joined(Arena *a, const char *line, const char *end, const char *rest)
{
    const char *text = line;
    while (*text == ' ')
        text++;
    if (end - text < 3 || text == line || text[0] != '*' || text[1] != ' ' || text[2] == ' ' || text[2] == '*')
        return NULL;
    return arena_printf(a, "%.*s* %s%s%.*s", (int)(text - line), line, rest, rest[strlen(rest) - 1] == '.' ? "  " : " ", (int)(end - text - 2), text + 2);
}

void wrap(Text *c)
{
    Text out = { .arena = c->arena };
    bool inside = false;
    const char *rest = NULL;
    for (const char *line = c->text; line && *line;) {
        const char *end = strchr(line, '\n');
        end = end ? end : line + strlen(line);
        const char *next = *end ? end + 1 : end, *with = rest ? joined(c->arena, line, end, rest) : NULL;
        if (rest && !with)
            text_printf(&out, " * %s\n", rest);
        if (with)
            line = with, end = with + strlen(with);
        rest = NULL;
        bool open = opens_comment(line, end, inside);
        if (end - line > WRAP_WIDTH)
            wrap_line(&out, line, end, inside, open ? &rest : NULL);
        else
            put(&out, 0, "", line, end);
        inside = open;
        line = next;
    }
    *c = out;
}
