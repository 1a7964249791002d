/* grid.c -- a small reader of YAML: maps, lists and plain or quoted words, in block and in flow form.
 *
 * The program that trains links no YAML library; a grid needs a small part of the language, and that in any spelling.  A line is read for its
 * indentation and then as tokens; a flow list or map may run over the ends of lines. */
#include "grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 256, DEPTH = 8 };

/* In flow form: [ ] { } , : as themselves; 'w' a word, 'k' a word that a colon follows, '-' a list's dash, 'n' the end of the line, 0 the end. */
typedef struct { char kind; int line, column; char word[WORD]; } Token;

typedef struct {
    const char *at, *end, *line_start;
    int line, flow;                            /* flow: open brackets */
    bool fresh;                                /* nothing but spaces and dashes stood on this line yet */
    Token token;
    void (*take)(void *to, const GridValue *v);
    void *to;
    char *why;
    size_t room;
    bool failed;
} Reader;

static bool wrong(Reader *r, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool wrong(Reader *r, int line, const char *format, ...)
{
    char text[400];
    va_list args;
    if (r->failed)
        return false;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(r->why, r->room, "%d: %s", line, text);
    r->token.kind = 0;
    return !(r->failed = true);
}

/* ---- tokens -------------------------------------------------------------------------------------------------------- */

static char peek(const Reader *r, int ahead) { return r->at + ahead < r->end ? r->at[ahead] : '\0'; }
static bool is_blank(char c) { return c == ' ' || c == '\t'; }
static bool is_end(char c) { return c == '\n' || c == '\r' || c == '\0'; }

static void add(Reader *r, size_t *n, char c)
{
    if (*n + 1 >= WORD)
        wrong(r, r->line, "a word of more than %d bytes", WORD - 1);
    else
        r->token.word[(*n)++] = c;
}

static void quoted_word(Reader *r, char quote)
{
    size_t n = 0;
    r->at++;
    for (;; r->at++) {
        char c = peek(r, 0);
        if (is_end(c)) {
            wrong(r, r->line, "a text that begins with %c ends with %c in the same line", quote, quote);
            return;
        }
        if (c == quote && quote == '\'' && peek(r, 1) == '\'')
            r->at++;
        else if (c == quote)
            break;
        if (c == '\\' && quote == '"') {
            r->at++;
            c = peek(r, 0);
            if (c != '"' && c != '\\' && c != '/') {
                wrong(r, r->line, "the escape \\%c has no meaning in a setting or a number", is_end(c) ? ' ' : c);
                return;
            }
        }
        add(r, &n, c);
    }
    r->at++;
    r->token.word[n] = '\0';
}

/* A plain word ends at ": ", at " #", at the end of the line, and in flow form at one of ,[]{}. */
static void plain_word(Reader *r)
{
    size_t n = 0, last = 0;
    for (; !is_end(peek(r, 0)); r->at++) {
        char c = peek(r, 0), next = peek(r, 1);
        if ((c == ':' && (is_blank(next) || is_end(next) || (r->flow && strchr(",[]{}", next)))) || (c == '#' && n && is_blank(r->at[-1])) ||
            (r->flow && strchr(",[]{}", c)))
            break;
        add(r, &n, c);
        if (!is_blank(c))
            last = n;
    }
    r->token.word[last] = '\0';
}

static void end_line(Reader *r)
{
    if (peek(r, 0) == '\r' && peek(r, 1) == '\n')
        r->at++;
    r->at++;
    r->line++;
    r->line_start = r->at;
    r->fresh = true;
}

/* The next token; blanks, comments and empty lines are passed over, ends of lines too in flow form. */
static void next(Reader *r)
{
    while (!r->failed) {
        while (is_blank(peek(r, 0))) {
            if (peek(r, 0) == '\t' && r->fresh && !r->flow) {
                wrong(r, r->line, "a tab at the beginning of a line; YAML wants spaces there");
                return;
            }
            r->at++;
        }
        if (r->at >= r->end) {
            r->token = (Token){ .line = r->line };
            return;
        }
        if (peek(r, 0) == '#' && (r->at == r->line_start || is_blank(r->at[-1])))
            while (!is_end(peek(r, 0)))
                r->at++;
        if (r->at < r->end && !peek(r, 0)) {
            wrong(r, r->line, "a NUL byte; is this a text?");
            return;
        }
        if (!is_end(peek(r, 0)))
            break;
        if (r->at < r->end)
            end_line(r);
    }
    if (r->failed)
        return;
    char c = peek(r, 0), after = peek(r, 1);
    r->token = (Token){ .kind = c, .line = r->line, .column = (int)(r->at - r->line_start) };
    bool first = r->fresh;
    r->fresh = false;
    if (first && !r->flow && !r->token.column && (!strncmp(r->at, "---", 3) || !strncmp(r->at, "...", 3)) && (is_blank(peek(r, 3)) || is_end(peek(r, 3)))) {
        r->token.kind = c == '-' ? '=' : '.';
        r->at += 3;
    } else if (c == '[' || c == '{') {
        r->flow++, r->at++;
    } else if (c == ']' || c == '}') {
        r->flow -= r->flow > 0, r->at++;
    } else if (c == ',' && r->flow) {
        r->at++;
    } else if (c == '-' && !r->flow && (is_blank(after) || is_end(after))) {
        r->fresh = true;
        r->at++;
    } else if (strchr("&*!|>%@`?", c) && (c != '?' || is_blank(after) || is_end(after))) {
        wrong(r, r->line, "'%c' at the beginning of a word: anchors, tags and texts of several lines have no meaning in a grid", c);
    } else {
        c == '\'' || c == '"' ? quoted_word(r, c) : plain_word(r);
        while (is_blank(peek(r, 0)))
            r->at++;
        r->token.kind = 'w';
        if (peek(r, 0) == ':') {
            r->token.kind = 'k';
            r->at++;
        }
    }
}

/* ---- values ------------------------------------------------------------------------------------------------------------ */

static bool value(Reader *r, const char *name, int column);

static bool give(Reader *r, const char *name, bool first)
{
    r->take(r->to, &(GridValue){ name, r->token.word, r->token.line, first });
    next(r);
    return !r->failed;
}

/* [ a, b, ]; the token is the bracket. */
static bool flow_list(Reader *r, const char *name)
{
    int line = r->token.line;
    bool first = true;
    next(r);
    while (r->token.kind == 'w') {
        if (!give(r, name, first))
            return false;
        first = false;
        if (r->token.kind == ']')
            break;
        if (r->token.kind != ',')
            return r->token.kind && r->token.kind != 'k' ? wrong(r, r->token.line, "%s: expected a comma or ] in the list", name) : wrong(r, line, "%s: a list that begins with [ ends with ]", name);
        next(r);
    }
    if (r->token.kind != ']')
        return r->token.kind ? wrong(r, r->token.line, "%s: expected a number in the list", name) : wrong(r, line, "%s: a list that begins with [ ends with ]", name);
    if (first)
        return wrong(r, line, "%s: an empty list", name);
    next(r);
    return !r->failed;
}

static bool joined(Reader *r, char *name, const char *around)
{
    if (snprintf(name, WORD, "%s%s%s", around, *around ? "." : "", r->token.word) >= WORD)
        return wrong(r, r->token.line, "the name '%s' is too long", r->token.word);
    return true;
}

/* { a: 1, b: [2, 3] } */
static bool flow_map(Reader *r, const char *around, int depth)
{
    char name[WORD];
    int line = r->token.line;
    if (depth > DEPTH)
        return wrong(r, line, "maps in maps, more than %d deep", DEPTH);
    next(r);
    while (r->token.kind == 'k') {
        if (!joined(r, name, around))
            return false;
        next(r);
        if (r->token.kind == '{' ? !flow_map(r, name, depth + 1) : !value(r, name, -1))
            return false;
        if (r->token.kind == ',')
            next(r);
        else if (r->token.kind != '}')
            break;
    }
    if (r->token.kind != '}')
        return r->token.kind ? wrong(r, r->token.line, "expected a line as in train.rate: [0.001, 0.0005]") : wrong(r, line, "a map that begins with { ends with }");
    next(r);
    return !r->failed;
}

/* - a
 * - b; each dash in the column of the first */
static bool block_list(Reader *r, const char *name)
{
    int column = r->token.column;
    bool first = true;
    while (r->token.kind == '-' && r->token.column == column) {
        int line = r->token.line;
        next(r);
        if (r->token.kind != 'w' || r->token.line != line)
            return wrong(r, line, "%s: expected a number behind the dash", name);
        if (!give(r, name, first))
            return false;
        first = false;
    }
    return true;
}

static bool block_map(Reader *r, const char *around, int depth);

/* What stands behind "name:"; `column` is that of the name, -1 in flow form. */
static bool value(Reader *r, const char *name, int column)
{
    if (r->token.kind == '[')
        return flow_list(r, name);
    if (r->token.kind == 'w')
        return give(r, name, true);
    if (r->token.kind == '-' && column >= 0 && r->token.column >= column)
        return block_list(r, name);
    return wrong(r, r->token.line, "%s: expected a number, or a list of numbers as in [0.001, 0.0005]", name);
}

/* Lines "name: value", all in one column. */
static bool block_map(Reader *r, const char *around, int depth)
{
    char name[WORD];
    int column = r->token.column;
    if (depth > DEPTH)
        return wrong(r, r->token.line, "maps in maps, more than %d deep", DEPTH);
    while (r->token.kind == 'k' && r->token.column == column) {
        int line = r->token.line;
        if (!joined(r, name, around))
            return false;
        next(r);
        bool same_line = r->token.line == line, deeper = r->token.column > column;
        if (r->token.kind == 'k' && !same_line && deeper) {
            if (!block_map(r, name, depth + 1))
                return false;
        } else if (r->token.kind == '{') {
            if (!flow_map(r, name, depth + 1))
                return false;
        } else if (!same_line && !deeper && r->token.kind != '-') {
            return wrong(r, line, "%s: expected a number, or a list of numbers as in [0.001, 0.0005]", name);
        } else if (!value(r, name, column)) {
            return false;
        }
        if (r->token.kind && r->token.kind != '.' && r->token.line == line)
            return wrong(r, line, "%s: expected the end of the line", name);
    }
    return !r->failed;
}

bool grid_read(const char *text, size_t size, void (*take)(void *to, const GridValue *v), void *to, char *why, size_t room)
{
    Reader r = { .at = text, .end = text + size, .line_start = text, .line = 1, .fresh = true, .take = take, .to = to, .why = why, .room = room };
    if (size >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3))
        r.at = r.line_start = text + 3;
    while (size && r.at < r.end && *r.at == '%') {       /* %YAML 1.2 */
        while (!is_end(peek(&r, 0)))
            r.at++;
        if (r.at < r.end)
            end_line(&r);
    }
    next(&r);
    if (r.token.kind == '=')
        next(&r);
    if (r.token.kind == '{')
        flow_map(&r, "", 0);
    else if (r.token.kind == 'k')
        block_map(&r, "", 0);
    if (r.token.kind == '.')
        next(&r);
    if (r.token.kind == 'w')
        return wrong(&r, r.token.line, "got '%s', expected a line as in train.rate: [0.001, 0.0005]", r.token.word);
    if (r.token.kind)
        return wrong(&r, r.token.line, "expected a line as in train.rate: [0.001, 0.0005], in the column of the others");
    return !r.failed;
}
