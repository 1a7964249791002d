/* code.c -- C as a list of tokens, whose brackets know each other, and where its statements end.
 *
 * In: any C.  Out: tokens that can be taken out, put in and written again; what is left alone is written as it was.  Used by turns.c, index.c and declared.c.
 * The one convention: what stands between two tokens, white space and comments, belongs to the second of them.  Where a statement cannot be told
 * without the preprocessor, it is not told. */
#include "emit/code.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool begins_word(char c) { return isalpha((unsigned char)c) || c == '_'; }
static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

bool code_is(const Token *t, const char *text) { return !strcmp(t->text, text); }

bool code_is_any(const Token *t, const char *list)
{
    const size_t length = strlen(t->text);
    for (const char *c = list; *c; c += strspn(c, " ")) {
        const size_t n = strcspn(c, " ");
        if (n == length && !strncmp(c, t->text, n))
            return true;
        c += n;
    }
    return false;
}

bool code_names(const Token *t, const char *word) { return t->kind == CODE_NAME && code_is(t, word) && !code_is_any(t->prev, ". ->"); }

bool code_names_within(const Token *from, const Token *to, const char *word)
{
    for (const Token *t = from;; t = t->next) {
        if (code_names(t, word))
            return true;
        if (t == to || t->kind == CODE_END)
            return false;
    }
}

bool code_ends_operand(const Token *t) { return t->kind == CODE_NAME || t->kind == CODE_NUMBER || code_is_any(t, ") ]"); }

/* ---- reading and writing ---------------------------------------------------------------------------------- */

/* How long the white space and the comments at c are. */
static size_t gap_length(const char *c)
{
    size_t n = 0;
    for (;;) {
        n += strspn(c + n, " \t\r\n\f\v");
        if (!strncmp(c + n, "/*", 2)) {
            const char *end = strstr(c + n + 2, "*/");
            n = end ? (size_t)(end + 2 - c) : strlen(c);
        } else if (!strncmp(c + n, "//", 2))
            n += strcspn(c + n, "\n");
        else
            return n;
    }
}

static size_t quoted_length(const char *c)
{
    const char *end = c + 1;
    while (*end && *end != *c)
        end += *end == '\\' && end[1] ? 2 : 1;
    return (size_t)(end - c) + (*end != 0);
}

/* How long the token at c is; sets its kind.  `first`: it is the first of its line. */
static size_t token_length(const char *c, bool first, TokenKind *kind)
{
    static const char *const signs[] = { "...", "<<=", ">>=", "->", "++", "--", "<<", ">>", "&&", "||", "##", "==", "!=", "<=", ">=",
                                         "+=",  "-=",  "*=",  "/=", "%=", "&=", "|=", "^=" };
    size_t n = 0;
    if (first && *c == '#') {
        *kind = CODE_LINE;
        for (n = strcspn(c, "\n"); c[n] && c[n - 1] == '\\';)
            n += 1 + strcspn(c + n + 1, "\n");
        return n;
    }
    if (*c == '"' || *c == '\'') {
        *kind = CODE_TEXT;
        return quoted_length(c);
    }
    if (isdigit((unsigned char)*c) || (*c == '.' && isdigit((unsigned char)c[1]))) {
        *kind = CODE_NUMBER;
        for (n = 1; in_word(c[n]) || c[n] == '.' || ((c[n] == '-' || c[n] == '+') && strchr("eEpP", c[n - 1]) && (c[1] != 'x' || c[n - 1] != 'e'));)
            n++;
        return n;
    }
    *kind = begins_word(*c) ? CODE_NAME : CODE_SIGN;
    for (n = 1; *kind == CODE_NAME && in_word(c[n]);)
        n++;
    for (size_t i = 0; *kind == CODE_SIGN && i < sizeof signs / sizeof *signs; i++)
        if (!strncmp(c, signs[i], strlen(signs[i])))
            return strlen(signs[i]);
    return n;
}

static void link_behind(Token *after, Token *t)
{
    t->prev = after, t->next = after->next;
    after->next->prev = t, after->next = t;
}

static Token *token_of(Arena *a, const char *gap, const char *text, TokenKind kind)
{
    Token *t = NEW(a, Token);
    *t = (Token){ .kind = kind, .text = text, .gap = gap };
    t->number = kind == CODE_NUMBER && strspn(text, "0123456789") == strlen(text) && strlen(text) < 9 && (*text != '0' || !text[1]);
    t->value = t->number ? atoi(text) : 0;
    return t;
}

/* Makes brackets know each other; false if they do not match. */
static bool match(Code *c)
{
    Token *open = NULL; /* the innermost, whose partner is the one around it until its own is found */
    for (Token *t = c->ends.next; t != &c->ends; t = t->next) {
        if (code_is_any(t, "( [ {")) {
            t->partner = open;
            open = t;
        } else if (code_is_any(t, ") ] }")) {
            if (!open || strchr("()[]{}", *open->text)[1] != *t->text)
                return false;
            Token *outer = open->partner;
            open->partner = t, t->partner = open;
            open = outer;
        }
    }
    return !open;
}

Code *code_read(Arena *a, const char *text)
{
    Code *c = NEW(a, Code);
    *c = (Code){ .arena = a };
    c->ends = (Token){ .prev = &c->ends, .next = &c->ends, .kind = CODE_END, .text = "" };
    for (;;) {
        const size_t n = gap_length(text);
        const char *gap = arena_copy(a, text, n);
        const bool first = text[n] == '#' && (c->ends.next == &c->ends || strchr(gap, '\n'));
        text += n;
        if (!*text) {
            c->ends.gap = gap;
            return match(c) ? c : NULL;
        }
        TokenKind kind;
        const size_t length = token_length(text, first, &kind);
        link_behind(c->ends.prev, token_of(a, gap, arena_copy(a, text, length), kind));
        text += length;
    }
}

void code_write(const Code *c, Text *out)
{
    for (const Token *t = c->ends.next; t != &c->ends; t = t->next) {
        text_add(out, t->gap, strlen(t->gap));
        text_add(out, t->text, strlen(t->text));
    }
    text_add(out, c->ends.gap, strlen(c->ends.gap));
}

/* ---- statements ------------------------------------------------------------------------------------------- */

/* The semicolon that ends the simple statement at t. */
static Token *semicolon(Token *t)
{
    if (t->kind == CODE_NAME && (code_is(t->next, ":") || (code_is(t->next, "(") && code_is(t->next->partner->next, "{"))))
        return NULL;
    for (; t->kind != CODE_END && t->kind != CODE_LINE && !code_is_any(t, ") ] } else case default"); t = t->next) {
        if (code_is(t, ";"))
            return t;
        t = t->partner ? t->partner : t;
    }
    return NULL;
}

Token *code_statement(Token *t)
{
    if (code_is(t, "{"))
        return t->partner;
    if (code_is(t, "do")) {
        Token *body = code_statement(t->next);
        return body && code_is(body->next, "while") ? semicolon(body->next->next) : NULL;
    }
    if (!code_is_any(t, "for while switch if"))
        return semicolon(t);
    Token *end = code_is(t->next, "(") ? code_statement(t->next->partner->next) : NULL;
    return end && code_is(t, "if") && code_is(end->next, "else") ? code_statement(end->next->next) : end;
}

Token *code_around(Token *t)
{
    for (t = t->prev; t->kind != CODE_END && !code_is_any(t, "( [ {"); t = t->prev)
        t = t->partner ? t->partner : t;
    return t;
}

/* ---- changes ---------------------------------------------------------------------------------------------- */

bool code_has_comment(const Token *t) { return strchr(t->gap, '/') != NULL; }

Token *code_insert(Code *c, Token *after, const char *gap, const char *text)
{
    TokenKind kind;
    token_length(text, false, &kind);
    Token *t = token_of(c->arena, gap, text, kind);
    link_behind(after, t);
    return t;
}

void code_delete(Code *c, Token *t)
{
    if (code_has_comment(t)) {
        size_t n = strlen(t->gap);
        while (n && strchr(" \n", t->gap[n - 1]) && !strstr(t->gap, "//"))
            n--;
        t->next->gap = arena_printf(c->arena, "%.*s%s", (int)n, t->gap, t->next->gap);
    }
    t->prev->next = t->next, t->next->prev = t->prev;
}

bool code_stays(const Token *t) { return t->next->prev == t; }

void code_delete_all(Code *c, Token *from, Token *to)
{
    for (Token *t = from, *next;; t = next) {
        next = t->next;
        code_delete(c, t);
        if (t == to)
            return;
    }
}

void code_outdent(Code *c, Token *from, Token *to, int less)
{
    for (Token *t = from;; t = t->next) {
        Text gap = { .arena = c->arena };
        for (const char *x = t->gap; strchr(t->gap, '\n') && *x;) {
            const size_t n = strcspn(x, "\n") + 1;
            const bool more = strlen(x) >= n;
            text_add(&gap, x, more ? n : n - 1);
            x += more ? n : n - 1;
            const size_t indent = strspn(x, " ");
            x += more ? indent < (size_t)less ? indent : (size_t)less : 0;
        }
        t->gap = gap.length ? gap.text : t->gap;
        if (t == to)
            return;
    }
}

bool code_begins_line(const Token *t) { return t->prev->kind == CODE_END || strchr(t->gap, '\n') != NULL; }

int code_indent(const Token *t)
{
    while (!code_begins_line(t))
        t = t->prev;
    const char *line = strrchr(t->gap, '\n');
    return (int)strspn(line ? line + 1 : t->gap, " ");
}
