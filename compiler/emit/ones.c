/* ones.c -- leaves out factors and divisors of one, which templates write where a size happens to be 1, and an index's term of 0.
 *
 * In: C as the templates laid it out.  Out: `s * 1`, `1 * s` and `t / 1` are s and t, `t % 1` is 0 where it stands alone, `[i + 0]` is `[i]`.  Next: wrap.c.
 * The one convention: only the whole number 1 behind a name, a bracket or a number, an operator with a space on each side between them, or before
 * a name where a product begins; 0 only within brackets, where no real can stand; comments,
 * strings, characters and lines of the preprocessor, with those that they go on in, stay as they are. */
#include "emit/ones.h"
#include <ctype.h>
#include <string.h>

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_' || c == '.'; }

/* Begins " * 1", " / 1" or " % 1" at c, with an operand before it? */
static bool is_one(const char *c, const char *line)
{
    const bool operand = c > line && (in_word(c[-1]) || c[-1] == ')' || c[-1] == ']');
    return operand && c[0] == ' ' && c[1] && strchr("*/%", c[1]) && c[2] == ' ' && c[3] == '1' && !in_word(c[4]);
}

/* Begins "1 * " at c, and a product with it? */
static bool is_first_one(const char *c, const char *line)
{
    const bool begins = c > line && (strchr("([", c[-1]) || (c[-1] == ' ' && c - line > 1 && strchr("+-=,<>", c[-2])));
    return begins && !strncmp(c, "1 * ", 4) && in_word(c[4]);
}

/* Begins " + 0" at c, behind an operand, and ends a sum with it or goes on with the next term? */
static bool is_zero(const char *c, const char *line)
{
    const bool operand = c > line && (in_word(c[-1]) || c[-1] == ')' || c[-1] == ']');
    return operand && !strncmp(c, " + 0", 4) && (strchr("])", c[4]) || !strncmp(c + 4, " + ", 3) || !strncmp(c + 4, " - ", 3));
}

/* The name that ends before `end`, and stands alone: behind "= " or an opening parenthesis; NULL: there is none. */
static const char *name_alone(const char *line, const char *end)
{
    const char *c = end;
    while (c > line && in_word(c[-1]))
        c--;
    return c < end && c - line > 1 && (c[-1] == '(' || (c[-1] == ' ' && c[-2] == '=')) ? c : NULL;
}

/* Copies a line of code; *inside: of a comment that began on an earlier line, or goes on behind this one. */
static void put_line(Text *out, const char *line, const char *end, bool *inside)
{
    char quote = 0;                  /* of the string or character at c */
    int brackets = 0;                /* that are open at c */
    const char *from = line;
    for (const char *c = line; c < end; c++) {
        if (quote || (!*inside && (*c == '"' || *c == '\''))) {
            if (*c == '\\')
                c++;
            else if (!quote || *c == quote)
                quote = quote ? 0 : *c;
        } else if (c[0] == (*inside ? '*' : '/') && c[1] == (*inside ? '/' : '*'))
            *inside = !*inside, c++;
        else if (!*inside && (is_first_one(c, line) || (brackets > 0 && is_zero(c, line)))) {
            text_add(out, from, (size_t)(c - from));
            from = c + 4;
            c += 3;
        } else if (!*inside && strchr("[]", *c))
            brackets += *c == '[' ? 1 : -1;
        else if (!*inside && is_one(c, line)) {
            const char *name = c[1] == '%' && (strchr(",;)", c[4]) || is_one(c + 4, line)) ? name_alone(line, c) : NULL;
            if (c[1] == '%' && !name)
                continue;
            text_add(out, from, (size_t)((name ? name : c) - from));
            if (name)
                text_add(out, "0", 1);
            from = c + 4;
            c += 3;
        }
    }
    text_add(out, from, (size_t)(end - from));
}

void ones_leave_out(Text *c)
{
    Text out = { .arena = c->arena };
    bool inside = false, macro = false;      /* at a line's begin: a comment, a line of the preprocessor goes on */
    for (const char *line = c->text; line && *line;) {
        const char *end = line + strcspn(line, "\n");
        end += *end == '\n';
        if (macro || (*line == '#' && !inside)) {
            text_add(&out, line, (size_t)(end - line));
            macro = end - line > 1 && end[-2] == '\\';
        } else
            put_line(&out, line, end, &inside);
        line = end;
    }
    *c = out;
}
