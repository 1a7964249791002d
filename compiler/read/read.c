/* read.c -- turns libyaml's events into a tree of Yaml nodes, each with its place.
 *
 * In: the text of a model.  Out: scalars, lists and maps with unique scalar keys, or errors.  Next: model.c.
 * libyaml counts lines and columns from 0, a Loc from 1; loc_of is the only place that adds the 1.
 * A model needs little of YAML: anchors, aliases, tags, directives and nested keys are refused, so a small
 * file is always a small tree.  Input that makes libyaml slow is refused before parsing (check_bytes), or at the
 * 64th level of nesting (libyaml reads only a little ahead). */
#define _POSIX_C_SOURCE 200809L
#include "files/text.h"
#include "spnc.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <yaml.h>

enum { MAX_BYTES = 1 << 20, MAX_NESTING = 64 };

/* The keys of all maps so far, hashed by map and text: a map of 100,000 keys takes no quadratic search. */
typedef struct { const Yaml *map, *key; } Slot;

typedef struct {
    Arena *arena;
    Diag *diag;
    const Source *file;
    yaml_parser_t parser;
    Slot *slots;
    size_t slot_count, used;
    int braces;          /* lists in [ ] and maps in { } around what is read */
    const char *seen;    /* the byte of the character `seen_index`, where byte_at() looked last; it looks ever further on */
    size_t seen_index;
    bool prose;          /* what is read is the value of `about`, a text for people, */
    int prose_line;      /* and the line in which the last such value ends */
    int errors;          /* mistakes in the tree; reading goes on after these */
} Reader;

static Loc loc_of(const Reader *r, yaml_mark_t start, yaml_mark_t end)
{
    size_t length = end.index > start.index ? end.index - start.index : 1;
    return (Loc){ (int)start.line + 1, (int)start.column + 1, (int)length, r->file };
}

static Loc point_of(const Reader *r, yaml_mark_t mark)
{
    return loc_of(r, mark, mark);
}

/* ---- syntax errors, in English ---- */

static const struct { const char *context, *problem, *text; } plain_english[] = {
    { "", "mapping values are not allowed in this context",
      "a ':' cannot stand here: the line already has a value, or its indentation is wrong" },
    { "", "could not find expected ':'", "this line has no ':' after its key" },
    { "block mapping", "did not find expected key",
      "this line does not fit the map around it: check its indentation and quotes" },
    { "block collection", "did not find expected '-' indicator",
      "this line does not fit the list around it: items begin with '- ', all at one indentation" },
    { "", "did not find expected ',' or ']'", "the list opened with '[' needs a ',' or a ']' here" },
    { "", "did not find expected ',' or '}'", "the map opened with '{' needs a ',' or a '}' here" },
    { "", "found character that cannot start any token",
      "this character cannot begin a value: put the text in quotes, and indent with spaces, not tabs" },
    { "quoted scalar", "found unexpected end of stream", "the quote opened here is never closed" },
    { "quoted scalar", "found unexpected document indicator", "the quote opened here is never closed" },
    { "", "found unknown escape character", "unknown escape in double quotes; write '\\\\' for a backslash" },
    { "", "did not find expected hexdecimal number", "this escape needs hexadecimal digits" },
    { "", "found invalid Unicode character escape code", "this escape is not a character" },
    { "", "block sequence entries are not allowed in this context",
      "a '- ' item cannot stand here: begin the list on a line of its own" },
    { "", "mapping keys are not allowed in this context", "a key cannot stand here" },
    { "", "did not find expected <document start>", "the document ends above; this does not belong to it" },
    { "", "did not find expected node content", "a value is missing here" },
    { "", "did not find expected comment or line break", "only a comment may follow here" },
    { "", "found a tab character where an indentation space is expected", "indent with spaces, not tabs" },
    { "", "found a tab character that violates indentation", "indent with spaces, not tabs" },
    { "anchor", "did not find expected alphabetic or numeric character", "'&' begins an anchor in YAML: put the text in quotes" },
    { "alias", "did not find expected alphabetic or numeric character", "'*' begins an alias in YAML: put the text in quotes" },
    { "tag", "", "'!' begins a tag in YAML: put the text in quotes" },
};

/* ---- characters that look like YAML's own ---- */

typedef struct { const char *name, *meant; } LookAlike;

static LookAlike odd_space(int32_t c)
{
    const char *name = c == 0xA0 ? "a NO-BREAK SPACE" : c == 0x202F ? "a NARROW NO-BREAK SPACE" : c == 0x3000 ? "an IDEOGRAPHIC SPACE"
                     : c == 0x200B ? "a ZERO WIDTH SPACE" : (c >= 0x2000 && c <= 0x200A) || c == 0x205F || c == 0x1680 ? "a space of another width" : NULL;
    return (LookAlike){ name, "a space" };
}

/* What word processors and other keyboards write in the place of a mark. */
static LookAlike odd_mark(int32_t c)
{
    return c == 0x201C || c == 0x201D || c == 0x201E || c == 0xAB || c == 0xBB || c == 0x2018 || c == 0x2019 ? (LookAlike){ "a typographic quote", "a quote" }
         : c == 0xFF1A ? (LookAlike){ "a FULLWIDTH COLON", "a colon" }
         : c == 0xFF0C || c == 0x3001 ? (LookAlike){ c == 0xFF0C ? "a FULLWIDTH COMMA" : "an IDEOGRAPHIC COMMA", "a comma" }
         : c == 0x2212 || c == 0x2013 ? (LookAlike){ c == 0x2212 ? "a MINUS SIGN" : "an EN DASH", "a minus" } : (LookAlike){ NULL, NULL };
}

/* Where a line is read: in a quoted text (its quote), in a comment, and whether a quote would open a text here.  before: the last character, 0: a
 * single quote that closed a text, which another one opens again. */
typedef struct { int32_t quote, before; bool comment, opens; } LineState;

static const LineState line_begins = { .before = ' ', .opens = true };

/* Goes on behind the character c. */
static void line_state(LineState *s, int32_t c)
{
    if (s->quote) {
        const bool escaped = s->quote == '"' && s->before == '\\';
        const bool closes = c == s->quote && !escaped;
        s->before = closes && c == '\'' ? 0 : escaped ? ' ' : c;
        s->quote = closes ? 0 : s->quote;
        return;
    }
    s->comment = s->comment || (c == '#' && s->before == ' ');
    s->quote = !s->comment && s->opens && (c == '"' || c == '\'') ? c : c == '\'' && !s->before ? c : 0;
    s->opens = c == ' ' ? s->opens : c < 0x80 && strchr(":,[{-", c);
    s->before = s->quote ? ' ' : c;
}

/* Notes the first of these that may have brought about a syntax error: a space in the lines from `first` to the error's, a mark in the line
 * `marked` (0: in none).  Comments and texts in quotes are passed over, but for a quote that seems to close the text which opens at `open` (no line:
 * there is none). */
static void note_look_alike(Reader *r, int first, int marked, Loc open, int last)
{
    Loc at = { 1, 1, 1, r->file };
    LineState s = line_begins;
    int32_t c;
    for (size_t i = 0, n; i < r->file->length && at.line <= last; i += n) {
        n = text_decode(r->file->text + i, r->file->length - i, &c);
        const LookAlike space = odd_space(c), mark = at.line == marked ? odd_mark(c) : space, is = space.name ? space : mark;
        const bool closes = at.line == open.line && at.column > open.column && is.name && !strcmp(is.meant, "a quote") &&
                            (i + n == r->file->length || strchr(" ,]}\r\n", r->file->text[i + n]));
        if (at.line >= first && is.name && (closes || (!s.quote && !s.comment))) {
            diag_note(r->diag, at, "this is %s (U+%04X), which YAML does not take for %s: write a plain one", is.name, (unsigned)c, is.meant);
            return;
        }
        line_state(&s, c);
        at.column++;
        if (c == '\n')
            at = (Loc){ at.line + 1, 1, 1, r->file }, s = line_begins;
    }
}

/* In text without quotes, such a space behind a colon, comma or dash, or at either end, was meant to part two things; such a mark has no meaning
 * anywhere. */
static bool refuse_look_alike(Reader *r, const Yaml *y)
{
    int32_t c, before = 0;
    Loc at = y->loc;
    const size_t length = strlen(y->text);
    for (size_t i = 0, n; i < length; i += n, before = c, at.column++) {
        n = text_decode(y->text + i, length - i, &c);
        const bool parts = !i || !y->text[i + n] || before == ':' || before == ',' || before == '-';
        const LookAlike is = parts && odd_space(c).name ? odd_space(c) : r->prose ? (LookAlike){ NULL, NULL } : odd_mark(c);
        if (!is.name)
            continue;
        at.length = 1;
        r->errors++;
        diag_error(r->diag, at, "there is %s here (U+%04X), which YAML does not take for %s: write a plain one, or put the text in quotes", is.name,
                   (unsigned)c, is.meant);
        return true;
    }
    return false;
}

/* ---- formulas inside of braces, where a comma ends a value and a bracket begins a list ---- */

/* The byte at `mark`; libyaml's own index counts characters. */
static const char *byte_at(Reader *r, yaml_mark_t mark)
{
    const char *end = r->file->text + r->file->length;
    if (!r->seen || mark.index < r->seen_index)
        r->seen = r->file->text, r->seen_index = 0;
    for (; r->seen_index < mark.index && r->seen < end; r->seen_index++)
        do
            r->seen++;
        while (r->seen < end && ((unsigned char)*r->seen & 0xC0) == 0x80);
    return r->seen;
}

/* The value of the open list or map that goes on at `at`: from behind its last comma, colon or bracket. */
static const char *value_begin(const char *open, const char *at)
{
    const char *begin = open;
    int parentheses = 0;
    for (const char *c = open; c < at; c++) {
        parentheses += (*c == '(') - (*c == ')');
        if (*c == '[' || *c == '{' || *c == '\n' || (*c == ',' && parentheses <= 0) || (*c == ':' && c[1] == ' '))
            begin = c + 1, parentheses = 0;
    }
    return begin + strspn(begin, " ");
}

static const char *value_end(const char *begin, const char *end)
{
    const char *c = begin;
    int open = 0;
    for (; c < end && *c != '\n'; c++) {
        open += (*c == '[' || *c == '(' || *c == '{') - (*c == ']' || *c == ')' || *c == '}');
        if (open < 0 || (open == 0 && *c == ','))
            break;
    }
    while (c > begin && c[-1] == ' ')
        c--;
    return c;
}

/* Inside of [ ] and { } the `[` of x[$t] would begin a list: true after saying so. */
static bool refuse_index(Reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "";
    if (!strstr(problem, "did not find expected ',' or '") || p->context_mark.index >= p->problem_mark.index)
        return false;
    const char *open = byte_at(r, p->context_mark), *at = byte_at(r, p->problem_mark), *begin = value_begin(open, at);
    const char *end = value_end(begin, r->file->text + r->file->length);
    const char before = at > begin ? at[-1] : ' ';
    if (*at != '[' || !(isalnum((unsigned char)before) || before == '_') || *begin == '"' || *begin == '\'')
        return false;
    Loc place = point_of(r, p->problem_mark);
    for (const char *c = begin; c < at; c++)
        place.column -= ((unsigned char)*c & 0xC0) != 0x80;
    place.length = 0;
    for (const char *c = begin; c < end; c++)
        place.length += ((unsigned char)*c & 0xC0) != 0x80;
    const char *text = end - begin <= 80 ? arena_copy(r->arena, begin, (size_t)(end - begin)) : "this";
    diag_error(r->diag, place, "put %s in quotes: inside of [ ] and { } a '[' begins a list", text);
    return true;
}

static void syntax_error(Reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *context = p->context ? p->context : "", *problem = p->problem ? p->problem : "unknown";
    if (p->error == YAML_MEMORY_ERROR) {
        diag_error(r->diag, (Loc){ .file = r->file }, "no memory to read the YAML");
        return;
    }
    if (refuse_index(r))
        return;
    const char *text = NULL;
    for (size_t i = 0; i < sizeof plain_english / sizeof *plain_english && !text; i++)
        if (strstr(context, plain_english[i].context) && strstr(problem, plain_english[i].problem))
            text = plain_english[i].text;
    /* an open quote is best shown where it opens, not at the end of the file */
    bool at_opening = strstr(context, "quoted scalar") && strstr(problem, "unexpected");
    Loc at = point_of(r, at_opening ? p->context_mark : p->problem_mark);
    if (text)
        diag_error(r->diag, at, "%s", text);
    else
        diag_error(r->diag, at, "this is not valid YAML: %s", problem);
    if (!at_opening && *context && p->context_mark.index < p->problem_mark.index) {
        const char *what = strstr(context, "flow mapping") ? "the '{' is here" : strstr(context, "flow sequence") ? "the '[' is here"
                         : strstr(context, "block mapping") ? "the map begins here"
                         : strstr(context, "block collection") ? "the list begins here" : NULL;
        if (what)
            diag_note(r->diag, point_of(r, p->context_mark), "%s", what);
    }
    /* a key whose ':' is missing ends in its own line, but the error is found behind it */
    const int marked = strstr(context, "simple key") ? (int)p->context_mark.line + 1 : at.line;
    note_look_alike(r, at.line > 1 ? at.line - 1 : at.line, marked > r->prose_line ? marked : 0, at_opening ? at : (Loc){ 0 }, at.line);
}

/* ---- the tree ---- */

static size_t slot_of(const Reader *r, const Yaml *map, const char *key)
{
    uint64_t h = 14695981039346656037u ^ (uint64_t)(uintptr_t)map;
    for (const char *s = key; *s; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    size_t i = (size_t)(h ^ h >> 29) & (r->slot_count - 1);
    while (r->slots[i].key && !(r->slots[i].map == map && strcmp(r->slots[i].key->text, key) == 0))
        i = (i + 1) & (r->slot_count - 1);
    return i;
}

/* The key of the same name that the map has already, or NULL after taking this one in. */
static const Yaml *same_key(Reader *r, const Yaml *map, const Yaml *key)
{
    if (2 * (r->used + 1) > r->slot_count) {
        Slot *old = r->slots;
        size_t n = r->slot_count;
        r->slot_count = n ? 2 * n : 64;
        r->slots = NEW_ARRAY(r->arena, Slot, r->slot_count);
        for (size_t i = 0; i < n; i++)
            if (old[i].key)
                r->slots[slot_of(r, old[i].map, old[i].key->text)] = old[i];
    }
    Slot *s = &r->slots[slot_of(r, map, key->text)];
    if (s->key)
        return s->key;
    *s = (Slot){ map, key };
    r->used++;
    return NULL;
}

static bool next_event(Reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    syntax_error(r);
    return false;
}

static void refuse(Reader *r, Loc at, const char *text)
{
    r->errors++;
    diag_error(r->diag, at, "%s", text);
}

/* Text without quotes inside of braces, with a '(' open, was cut at the comma behind it. */
static void refuse_cut(Reader *r, const char *text, yaml_mark_t end)
{
    int open = 0;
    for (const char *c = text; *c; c++)
        open += (*c == '(') - (*c == ')');
    if (open <= 0)
        return;
    const char *from = byte_at(r, end), *comma = from + strspn(from, " ");
    Loc at = point_of(r, end);
    at.column += (int)(comma - from);
    if (*comma == ',')
        refuse(r, at, "a comma ends a value inside { }: put the formula in quotes");
}

static Yaml *scalar_of(Reader *r, const yaml_event_t *event)
{
    Yaml *y = NEW(r->arena, Yaml);
    y->kind = YAML_SCALAR;
    y->loc = loc_of(r, event->start_mark, event->end_mark);
    y->text = "";
    if (event->type == YAML_ALIAS_EVENT) {
        refuse(r, y->loc, "aliases ('*name') are not used here: write the value again, or make it a parameter");
        return y;
    }
    const unsigned char *s = event->data.scalar.value;
    size_t n = event->data.scalar.length;
    y->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    y->folded = event->end_mark.line > event->start_mark.line;
    if (r->prose)
        r->prose_line = (int)event->end_mark.line + 1;
    for (size_t i = 0; i < n; i++)
        if (s[i] < 0x20 || s[i] == 0x7F || (s[i] == 0xC2 && i + 1 < n && s[i + 1] < 0xA0)) {
            refuse(r, y->loc, s[i] == '\n' ? "this text has a line break in it; write it on one line"
                            : s[i] == '\t' ? "this text has a tab in it; use spaces"
                                           : "this text has a control character in it");
            return y;
        }
    y->text = arena_copy(r->arena, (const char *)s, n);
    if (!y->quoted && !refuse_look_alike(r, y) && r->braces)
        refuse_cut(r, y->text, event->end_mark);
    return y;
}

static Yaml *node(Reader *r, const yaml_event_t *event, int depth);

/* The items of a list or the pairs of a map, up to its end. */
static bool fill(Reader *r, Yaml *y, int depth)
{
    List keys = { 0 }, items = { 0 };
    bool map = y->kind == YAML_MAP;
    for (;;) {
        yaml_event_t event;
        if (!next_event(r, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            break;
        }
        const Yaml *key = map && keys.count > items.count ? keys.items[keys.count - 1] : NULL;
        r->prose = key && key->kind == YAML_SCALAR && !strcmp(key->text, "about");
        Yaml *item = node(r, &event, depth);
        yaml_event_delete(&event);
        if (!item)
            return false;
        if (!map || keys.count > items.count) {
            list_push(r->arena, &items, item);
            continue;
        }
        list_push(r->arena, &keys, item);
        if (item->kind != YAML_SCALAR) {
            refuse(r, item->loc, "a key is one word, not a list or a map");
        } else if (*item->text == '\0') {
            refuse(r, item->loc, "a key is missing before the ':'");
        } else {
            const Yaml *first = same_key(r, y, item);
            if (first) {
                r->errors++;
                diag_error(r->diag, item->loc, "the key '%s' is given twice", item->text);
                diag_note(r->diag, first->loc, "'%s' is first given here", item->text);
            }
        }
    }
    y->count = items.count;
    y->keys = (Yaml **)keys.items;
    y->items = (Yaml **)items.items;
    return true;
}

/* The node that begins with `event`; NULL when reading cannot go on. */
static Yaml *node(Reader *r, const yaml_event_t *event, int depth)
{
    Loc at = point_of(r, event->start_mark);
    const unsigned char *anchor = NULL, *tag = NULL;
    bool list = event->type == YAML_SEQUENCE_START_EVENT, map = event->type == YAML_MAPPING_START_EVENT;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (list) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (map) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor)
        refuse(r, at, "anchors ('&name') are not used here: write the value again, or make it a parameter");
    if (tag)
        refuse(r, at, "tags ('!name') are not used here");
    if (!list && !map)
        return scalar_of(r, event);
    if (depth >= MAX_NESTING) {
        diag_error(r->diag, at, "lists and maps are nested more than %d deep", MAX_NESTING);
        return NULL;
    }
    Yaml *y = NEW(r->arena, Yaml);
    y->kind = list ? YAML_LIST : YAML_MAP;
    y->loc = at;
    const bool braces = list ? event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE : event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    r->braces += braces;
    const bool whole = fill(r, y, depth + 1);
    r->braces -= braces;
    return whole ? y : NULL;
}

/* ---- before libyaml ---- */

/* Refuses input that no model needs and that libyaml handles badly: too long, wrong bytes, and directives (libyaml
 * searches their list for each one).  Unicode line breaks are refused too, since no editor counts them as lines. */
static bool check_bytes(Diag *d, const Source *file)
{
    size_t length = file->length;
    if (length > MAX_BYTES) {
        diag_error(d, (Loc){ .file = file }, "the file is larger than 1 MiB, which no model is");
        return false;
    }
    Loc at = { 1, 1, 1, file };
    for (size_t i = 0, n; i < length; i += n) {
        int32_t c;
        n = text_decode(file->text + i, length - i, &c);
        if (c < 0) {
            diag_error(d, at, "the byte 0x%02x is not UTF-8", (unsigned char)file->text[i]);
            return false;
        }
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029
            || c == 0xFEFF || c == 0xFFFE || c == 0xFFFF) {
            diag_error(d, at, c == 0 ? "there is a NUL byte here: is this a text file?"
                                     : "there is a control character here (U+%04X)", (unsigned)c);
            return false;
        }
        if (c == '%' && at.column == 1) {
            diag_error(d, at, "YAML directives ('%%...') are not used here");
            return false;
        }
        at.column++;
        if (c == '\n' || (c == '\r' && !(i + 1 < length && file->text[i + 1] == '\n')))
            at = (Loc){ at.line + 1, 1, 1, file };
    }
    return true;
}

static Yaml *document(Reader *r)
{
    yaml_event_t event;
    Yaml *root = NULL;
    for (bool going = true; going;) {
        if (!next_event(r, &event))
            return NULL;
        Loc at = point_of(r, event.start_mark);
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (root) {
                diag_error(r->diag, at, "a second document begins here; a model is one");
                going = false;
                r->errors++;
            }
            break;
        case YAML_STREAM_END_EVENT:
            going = false;
            break;
        default:
            root = node(r, &event, 0);
            going = root != NULL;
            r->errors += !root;
            break;
        }
        yaml_event_delete(&event);
    }
    if (r->errors)
        return NULL;
    if (!root || (root->kind == YAML_SCALAR && *root->text == '\0')) {
        diag_error(r->diag, (Loc){ 1, 1, 1, r->file }, "there is nothing in this file");
        return NULL;
    }
    return root;
}

Yaml *read_yaml(Arena *a, Diag *d, const Source *file)
{
    if (!check_bytes(d, file))
        return NULL;
    Reader r = { .arena = a, .diag = d, .file = file };
    if (!yaml_parser_initialize(&r.parser)) {
        diag_error(d, (Loc){ .file = file }, "no memory to read the YAML");
        return NULL;
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)file->text, file->length);
    Yaml *root = document(&r);
    yaml_parser_delete(&r.parser);
    return root;
}

Yaml *read_file(Arena *a, Diag *d, const char *path)
{
    Loc nowhere = { .file = source_new(a, path, NULL, 0) };
    FILE *f = fopen(path, "rb");
    if (!f) {
        diag_error(d, nowhere, "cannot open '%s': %s", path, strerror(errno));
        return NULL;
    }
    Text text = { .arena = a };
    char bytes[16384];
    size_t n;
    while (text.length <= MAX_BYTES && (n = fread(bytes, 1, sizeof bytes, f)) > 0)
        text_add(&text, bytes, n);
    bool failed = ferror(f);
    int why = errno;
    fclose(f);
    if (failed) {
        diag_error(d, nowhere, "cannot read '%s': %s", path, strerror(why));
        return NULL;
    }
    return read_yaml(a, d, source_new(a, path, text.text ? text.text : "", text.length));
}

Yaml *yaml_get(const Yaml *map, const char *key)
{
    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (int i = 0; i < map->count; i++)
        if (strcmp(map->keys[i]->text, key) == 0)
            return map->items[i];
    return NULL;
}
