/* diag.c -- prints messages with their places: as text (path:line:column, the line, a caret) or as JSON lines.
 *
 * In: a Loc in characters and a message.  Out: text on one FILE, at once.  Text from a file or the
 * command line (path, message, source line) passes through put_text, put_line or json.c, which replace control
 * characters and broken UTF-8, so a hostile model cannot control the terminal.
 * The same message at the same place is printed once; after MAX_PRINTED of a kind the rest is only counted. */
#include "files/text.h"
#include "base/json.h"

#include <string.h>
#include <strings.h>

enum {
    MAX_PRINTED = 100,     /* errors, and as many warnings; a hostile file can cause 100,000 */
    MAX_MESSAGE = 600,     /* bytes; a key of a megabyte is quoted with its middle cut out */
    WINDOW = 100,          /* display columns of a quoted line */
    BEFORE_CARET = 40,     /* of which this many stand before the caret when the line is cut */
    TAB = 4,
    MAX_WORD = 64,         /* words longer than this are never "near" another */
};

typedef enum { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE } Severity;

typedef struct {
    Severity severity;
    Loc at;
    const char *message;
} Seen;

struct Diag {
    Arena *arena;
    FILE *out;
    bool json, colour;
    const Source *source;  /* the file of messages that have none; NULL: not set yet */
    int errors, printed[2];
    List seen;
    bool muted;            /* the last error or warning was not printed, so its notes are not */
    const Source *line_of; /* the last line looked up: its file, number and offset */
    int line;
    size_t line_at;
};

Diag *diag_new(Arena *a, FILE *out, bool json, bool colour)
{
    Diag *d = NEW(a, Diag);
    d->arena = a;
    d->out = out;
    d->json = json;
    d->colour = colour;
    return d;
}

const Source *source_new(Arena *a, const char *path, const char *text, size_t length)
{
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {    /* a byte order mark has no column */
        text += 3;
        length -= 3;
    }
    Source *s = NEW(a, Source);
    *s = (Source){ path, text, length };
    return s;
}

void diag_source(Diag *d, const Source *file)
{
    d->source = file;
}

int diag_errors(const Diag *d)
{
    return d->errors;
}

/* ---- characters ---- */

static int display_width(int32_t c)
{
    if ((c >= 0x300 && c < 0x370) || (c >= 0x200B && c <= 0x200D) || (c >= 0xFE00 && c <= 0xFE0F))
        return 0;
    bool wide = (c >= 0x1100 && c < 0x1160) || (c >= 0x2E80 && c < 0xA4D0) || (c >= 0xAC00 && c < 0xD7A4)
             || (c >= 0xF900 && c < 0xFB00) || (c >= 0xFE30 && c < 0xFE70) || (c >= 0xFF00 && c < 0xFF61)
             || (c >= 0x1F300 && c < 0x1FB00) || (c >= 0x20000 && c < 0x3FFFE);
    return wide ? 2 : 1;
}

/* The character at `text` as it is shown; returns its bytes and sets the width on the screen. */
static size_t cell(char shown[16], int *width, const char *text, size_t n, bool in_line)
{
    int32_t c;
    size_t bytes = text_decode(text, n, &c);
    if (c == '\t' && in_line) {
        *width = snprintf(shown, 16, "%*s", TAB, "");
    } else {
        text_cell(shown, text, n);
        *width = c < 0 || text_unprintable(c) ? (int)strlen(shown) : display_width(c);
    }
    return bytes;
}

static void put_text(FILE *out, const char *text)
{
    size_t n = strlen(text);
    char shown[16];
    int width;
    for (size_t i = 0; i < n;) {
        i += cell(shown, &width, text + i, n - i, false);
        fputs(shown, out);
    }
}

/* ---- the quoted line ---- */

/* Line `number` of the file without its line end, or NULL.  Remembers the place, as errors come in order. */
static const char *find_line(Diag *d, const Source *s, int number, size_t *length)
{
    if (!s->text || number < 1)
        return NULL;
    if (d->line_of != s || d->line < 1 || d->line > number) {
        d->line_of = s;
        d->line = 1;
        d->line_at = 0;
    }
    size_t at = d->line_at;
    for (;;) {
        size_t end = at;
        while (end < s->length && s->text[end] != '\n' && s->text[end] != '\r')
            end++;
        if (d->line == number) {
            d->line_at = at;
            *length = end - at;
            return s->text + at;
        }
        if (end == s->length) {
            d->line = 0;
            return NULL;
        }
        at = end + (s->text[end] == '\r' && end + 1 < s->length && s->text[end + 1] == '\n' ? 2 : 1);
        d->line++;
    }
}

static void put_line(Diag *d, const char *line, size_t n, Loc at)
{
    char shown[16];
    int width, caret = 0, total = 0, column = 1;
    for (size_t i = 0; i < n; column++) {    /* the column of the caret, and whether the line fits */
        if (column == at.column)
            caret = total;
        if (column > at.column && total > caret + WINDOW)
            break;
        i += cell(shown, &width, line + i, n - i, true);
        total += width;
    }
    if (at.column >= column)
        caret = total;
    int first = total <= WINDOW || caret <= WINDOW - 20 ? 0 : caret - BEFORE_CARET;
    int last = total - first <= WINDOW ? total : first + WINDOW;

    fprintf(d->out, "%5d | %s", at.line, first ? "..." : "");
    int x = 0, from = -1, span = 0;
    column = 1;
    for (size_t i = 0; i < n && x < last; column++) {
        i += cell(shown, &width, line + i, n - i, true);
        if (x >= first && x + width <= last) {
            if (from < 0)
                from = x;
            fputs(shown, d->out);
            if (column >= at.column && column - at.column < at.length)
                span += width;
        }
        x += width;
    }
    fprintf(d->out, "%s\n", last < total ? "..." : "");
    if (at.column < 1)
        return;
    int before = caret - (from < 0 ? 0 : from) + (first ? 3 : 0);
    fprintf(d->out, "      | %*s%s^", before, "", d->colour ? "\033[32m" : "");
    for (int i = 1; i < span; i++)
        putc('~', d->out);
    fprintf(d->out, "%s\n", d->colour ? "\033[0m" : "");
}

/* ---- reports ---- */

/* The path in JSON, also used to find repeated messages. */
static const char *path_of(const Diag *d, Loc at)
{
    const Source *s = at.file ? at.file : d->source;
    return s && s->path ? s->path : "";
}

static void print(Diag *d, Severity severity, Loc at, const char *message)
{
    static const char *const names[] = { "error", "warning", "note" };
    static const char *const colours[] = { "\033[1;31m", "\033[1;35m", "\033[36m" };
    const char *path = at.line > 0 && at.file ? at.file->path : NULL;
    if (d->json) {
        Text text = { .arena = d->arena };
        Json j = { .out = &text, .form = JSON_MESSAGE };
        json_opens(&j, NULL, '{');
        json_text(&j, "severity", names[severity]);
        json_text(&j, "path", path_of(d, at));
        json_int(&j, "line", at.line);
        json_int(&j, "column", at.column);
        json_int(&j, "length", at.length);
        json_text(&j, "message", message);
        json_closes(&j, '}');
        fprintf(d->out, "%s\n", text.text);
        return;
    }
    if (path) {
        put_text(d->out, path);
        fprintf(d->out, ":%d:", at.line);
        if (at.column > 0)
            fprintf(d->out, "%d:", at.column);
        putc(' ', d->out);
    }
    fprintf(d->out, "%s%s:%s ", d->colour ? colours[severity] : "", names[severity], d->colour ? "\033[0m" : "");
    put_text(d->out, message);
    putc('\n', d->out);
    size_t length;
    const char *line = path ? find_line(d, at.file, at.line, &length) : NULL;
    if (line)
        put_line(d, line, length, at);
}

/* Cuts the middle out of a message that quotes something huge, between characters. */
static const char *shorten(Arena *a, const char *message)
{
    size_t n = strlen(message);
    if (n <= MAX_MESSAGE)
        return message;
    size_t head = MAX_MESSAGE * 2 / 3, tail = n - MAX_MESSAGE / 3;
    while (head > 0 && (message[head] & 0xC0) == 0x80)
        head--;
    while (tail < n && (message[tail] & 0xC0) == 0x80)
        tail++;
    return arena_printf(a, "%.*s...%s", (int)head, message, message + tail);
}

static bool seen_before(Diag *d, Severity severity, Loc at, const char *message)
{
    for (int i = 0; i < d->seen.count; i++) {
        const Seen *x = d->seen.items[i];
        if (x->severity == severity && x->at.line == at.line && x->at.column == at.column && x->at.length == at.length
            && strcmp(path_of(d, x->at), path_of(d, at)) == 0 && strcmp(x->message, message) == 0)
            return true;
    }
    return false;
}

static void report(Diag *d, Severity severity, Loc at, const char *format, va_list args)
{
    if (severity == SEVERITY_NOTE && d->muted)
        return;
    if (severity != SEVERITY_NOTE && d->printed[severity] > MAX_PRINTED) {
        d->errors += severity == SEVERITY_ERROR;
        d->muted = true;
        return;
    }
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0)
        unreachable("a message that cannot be printed");
    char *whole = arena_alloc(d->arena, (size_t)n + 1);
    vsnprintf(whole, (size_t)n + 1, format, args);
    const char *message = shorten(d->arena, whole);

    if (severity != SEVERITY_NOTE) {
        d->muted = seen_before(d, severity, at, message);
        if (d->muted)
            return;
        Seen *x = NEW(d->arena, Seen);
        *x = (Seen){ severity, at, message };
        list_push(d->arena, &d->seen, x);
        d->errors += severity == SEVERITY_ERROR;
        if (d->printed[severity]++ == MAX_PRINTED) {
            d->muted = true;
            print(d, severity, (Loc){ .file = at.file },
                  severity == SEVERITY_ERROR ? "too many errors; the rest are not shown"
                                             : "too many warnings; the rest are not shown");
            return;
        }
    }
    print(d, severity, at, message);
}

void diag_error(Diag *d, Loc at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(d, SEVERITY_ERROR, at, format, args);
    va_end(args);
}

void diag_warning(Diag *d, Loc at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(d, SEVERITY_WARNING, at, format, args);
    va_end(args);
}

void diag_note(Diag *d, Loc at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(d, SEVERITY_NOTE, at, format, args);
    va_end(args);
}

/* ---- the nearest word ---- */

/* Edits between two words: insert, drop, replace, or swap neighbours, each 1. */
static int edits(const char *a, int n, const char *b, int m)
{
    int rows[3][MAX_WORD + 1];
    int *before = rows[0], *above = rows[1], *row = rows[2];
    for (int j = 0; j <= m; j++)
        above[j] = j;
    for (int i = 1; i <= n; i++) {
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
        int *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[m];
}

/* The word of words[0..count) nearest to `word`, or NULL when none is near. */
static const char *nearest_word(const char *word, const char *const *words, int count)
{
    const char *nearest = NULL;
    size_t n = strlen(word);
    if (n > MAX_WORD)
        return NULL;
    int least = (int)n / 3 + 1;    /* a third of the letters may be wrong, and at least one must be right */
    for (int i = 0; i < count; i++) {
        size_t m = strlen(words[i]);
        if (m > MAX_WORD)
            continue;
        int e = edits(word, (int)n, words[i], (int)m);
        if (e < (int)(n > m ? n : m) && (e < least || (!nearest && e == least))) {
            nearest = words[i];
            least = e;
        }
    }
    return nearest;
}

const char *diag_called_here(Arena *a, const char *word, const Synonym *brought, size_t rows, const char *const *words, int count)
{
    for (size_t i = 0; i < rows; i++)
        for (int k = 0; k < count && !strcasecmp(brought[i].theirs, word); k++)
            if (!strcmp(brought[i].ours, words[k]))
                return arena_printf(a, "; here it is '%s'", words[k]);
    return NULL;
}

const char *diag_suggestion(Arena *a, const char *word, const char *const *words, int count)
{
    const char *near = nearest_word(word, words, count);
    return near ? arena_printf(a, "; did you mean '%s'?", near) : "";
}
