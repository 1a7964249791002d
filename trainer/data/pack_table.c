/* pack_table.c -- a table that names pictures and their labels, for `spn-data pack --labels TABLE`.
 *
 * Reads lines of cells, with commas, semicolons or tabs between; a cell may stand in quotes, as spreadsheets write it.  A first line
 * without a file is a header.  What the columns are follows from their names, or is asked for: no column becomes a label by chance.
 *   without a header   the file, then labels
 *   with one           a column of files (file, image, id, ...), one of labels (label, class, ...) or the only one that is left; a
 *                      column `split` decides the split; others are left out, and named
 * --columns FILE,LABEL[,LABEL...] says it by names of the header, or by numbers from 1. */
#define _GNU_SOURCE
#include "data/cell.h"
#include "data/pack.h"
#include "files/decode.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { CELLS_MOST = 256, LABELS_MOST = 64 };

typedef struct {
    const char *path, *folder, *columns;
    char ***rows;                              /* [count][width] */
    int *lines, count, width;
    bool header;                               /* rows[0] is one */
    int file, split;                           /* columns; split -1: none */
    int labels[LABELS_MOST], per;
} Table;

/* ---- cells --------------------------------------------------------------------------------------------------------------- */

static int read_text(char **text, const char *path)
{
    ArrayMap map;
    ArrayError e;
    if (!array_map_open(&map, path, &e))
        return complain_array(&e);
    *text = list_room(map.size + 1);
    memcpy(*text, map.data, map.size);
    (*text)[map.size] = '\0';
    const bool whole = strlen(*text) == map.size;
    const bool wide = map.size > 1 && (!memcmp(map.data, "\xff\xfe", 2) || !memcmp(map.data, "\xfe\xff", 2));
    array_map_close(&map);
    return whole ? FINE
         : complain(WRONG_INPUT, wide ? "%s: found text in UTF-16, expected UTF-8; spreadsheets save it as \"CSV UTF-8\", and iconv -f UTF-16 -t UTF-8 converts it"
                                      : "%s: found a byte 0, expected lines of text: file,label[,label...]", path);
}

/* The cell at *at, which ends before `separator` or at the line's end (*at is then NULL).  out: where its text goes, or NULL; it may be the
 * cell itself.  NULL for quotes that are not closed, or with text behind them. */
static char *take_cell(char **at, char separator, char *out)
{
    char *from = cell_begin(*at, separator), *to = out;
    const bool quoted = *from == '"';
    for (from += quoted; *from && (quoted ? *from != '"' || from[1] == '"' : *from != separator); from++) {
        from += quoted && *from == '"';
        if (out)
            *to++ = *from;
    }
    if (quoted && *from++ != '"')
        return NULL;
    from = quoted ? cell_begin(from, separator) : from;
    if (*from && *from != separator)
        return NULL;
    *at = *from ? from + 1 : NULL;
    if (out)
        *(quoted ? to : cell_end(out, to)) = '\0';
    return out ? out : from;
}

/* How many cells a line has with this separator; -1: quotes are wrong. */
static int count_cells(char *line, char separator)
{
    int n = 0;
    for (char *at = line; at; n++)
        if (!take_cell(&at, separator, NULL))
            return -1;
    return n;
}

/* Is the cell the name of a file, perhaps without its ending?  Its path goes to `path`; more than one ending fits: *twice. */
static bool find_file(char path[PATH_MAX], bool *twice, const char *folder, const char *cell)
{
    const bool absolute = *cell == '/';
    const int n = snprintf(path, PATH_MAX, "%s%s%s", absolute ? "" : folder, absolute ? "" : "/", cell);
    int found = 0;
    char longer[PATH_MAX];
    *twice = false;
    if (!*cell || n >= PATH_MAX - 8)
        return false;
    if (!access(path, R_OK))
        return true;
    for (int i = 0; decode_ending(i) && !decode_is_name(cell); i++) {
        snprintf(longer, sizeof longer, "%.*s%s", n, path, decode_ending(i));
        if (!access(longer, R_OK) && !found++)
            strcpy(path + n, decode_ending(i));
    }
    *twice = found > 1;
    return found;
}

static bool is_file(const Table *t, const char *cell)
{
    char path[PATH_MAX];
    bool twice;
    return find_file(path, &twice, t->folder, cell);
}

/* ---- lines ------------------------------------------------------------------------------------------------------------- */

typedef struct { char *text; int number; } Line;

static int split_lines(Line **lines, char *text)
{
    int count = 0, number = 0;
    *lines = NULL;
    for (char *next = text; next && *next;) {
        char *line = next;
        const size_t length = strcspn(line, "\r\n");
        next = line[length] == '\r' && line[length + 1] == '\n' ? line + length + 2 : line[length] ? line + length + 1 : NULL;
        line[length] = '\0';
        number++;
        if (!line[strspn(line, " \t")])
            continue;
        if (count % 1024 == 0)
            *lines = need(*lines, (size_t)(count + 1024) * sizeof **lines);
        (*lines)[count++] = (Line){ line, number };
    }
    return count;
}

/* Has every line the same number of cells, two or more? */
static bool is_even(const Line *lines, int count, char separator)
{
    const int width = count_cells(lines[0].text, separator);
    for (int i = 1; i < count && width > 1; i++)
        if (count_cells(lines[i].text, separator) != width)
            return false;
    return width > 1;
}

/* The separator by which the lines are even; of two, the one that leaves names of files. */
static char find_separator(const Line *lines, int count, const Table *t)
{
    static const char separators[] = "\t,;";
    char even[4] = "";
    for (int k = 0, n = 0; k < 3; k++)
        if (is_even(lines, count, separators[k]))
            even[n++] = separators[k];
    for (int k = 0; even[0] && even[1] && even[k]; k++) {
        char *text = strdup(lines[count - 1].text), *at = text, *cell = text ? take_cell(&at, even[k], text) : NULL;
        const bool file = cell && is_file(t, cell);
        free(text);
        if (file)
            return even[k];
    }
    if (even[0])
        return even[0];
    for (int k = 0; k < 3; k++)
        if (count_cells(lines[0].text, separators[k]) != 1)
            return separators[k];
    return ',';
}

/* Cells that are all empty, as spreadsheets write them below a table. */
static bool is_empty_row(const Table *t, int row)
{
    for (int k = 0; k < t->width; k++)
        if (*t->rows[row][k])
            return false;
    return true;
}

static int cut_lines(Table *t, const Line *lines, int count, char separator)
{
    t->width = count_cells(lines[0].text, separator);
    t->rows = need(NULL, (size_t)count * sizeof *t->rows);
    t->lines = need(NULL, (size_t)count * sizeof *t->lines);
    for (int i = 0; i < count; i++) {
        const int width = count_cells(lines[i].text, separator), line = t->lines[t->count] = lines[i].number;
        if (width < 0)
            return complain(WRONG_INPUT, "%s:%d: a quote is not closed, or has text behind it; expected \"a name\", quotes in it doubled", t->path, line);
        if (width != t->width)
            return complain(WRONG_INPUT, "%s:%d: %d cell%s, expected %d as in line %d%s", t->path, line, width, width == 1 ? "" : "s", t->width,
                            lines[0].number, separator == '\t' ? "" : "; a name with a comma or semicolon in it stands in quotes");
        if (width < 2 || width > CELLS_MOST)
            return complain(WRONG_INPUT, "%s:%d: %d cell%s, expected file,label[,label...] with commas, semicolons or tabs between", t->path, line, width,
                            width == 1 ? "" : "s");
        t->rows[t->count] = (char **)(void *)list_room((size_t)width * sizeof **t->rows);
        char *at = lines[i].text;
        for (int k = 0; k < width; k++) {
            char *cell = at;
            t->rows[t->count][k] = take_cell(&at, separator, cell);
        }
        t->count += !is_empty_row(t, t->count);
    }
    return FINE;
}

/* ---- columns ------------------------------------------------------------------------------------------------------------- */

static const char *const file_words[] = { "file", "filename", "file_name", "filepath", "file_path", "path", "image", "image_path", "image_file", "img",
                                          "picture", "name", "id", "image_id", "img_id", NULL };
static const char *const label_words[] = { "label", "labels", "class", "classes", "target", "category", "class_name", "classname", "label_name", NULL };
static const char *const other_words[] = { "width", "height", "split", "id", "image_id", "img_id", "index", "", NULL };

static bool is_among(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (!strcasecmp(word, *words))
            return true;
    return false;
}

/* The header's names, for a message. */
static const char *names_of(const Table *t)
{
    static char text[512];
    size_t used = 0;
    text[0] = '\0';
    for (int k = 0; k < t->width && used < sizeof text - 1; k++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", k ? ", " : "", t->rows[0][k]);
    return text;
}

static int ask(const Table *t, const char *what)
{
    return complain(WRONG_INPUT, "%s:%d: %s; the columns are %s.  --columns FILE,LABEL[,LABEL...] says which, by %s", t->path, t->lines[0], what, names_of(t),
                    t->header ? "their names" : "numbers from 1");
}

static bool has_file(const Table *t, int row)
{
    for (int k = 0; row < t->count && k < t->width; k++)
        if (is_file(t, t->rows[row][k]))
            return true;
    return false;
}

/* The first line is a header if no file is named in it, but known words are, or a file in the next line. */
static void find_header(Table *t)
{
    bool words = false;
    for (int k = 0; k < t->width; k++)
        words |= is_among(t->rows[0][k], file_words) || is_among(t->rows[0][k], label_words);
    t->header = !has_file(t, 0) && (words || has_file(t, 1));
}

/* The only column, of those where `from` is true, whose cell in the first row of data is a file; -1 none, -2 several. */
static int file_among(const Table *t, const bool *from)
{
    int found = -1;
    for (int k = 0; k < t->width; k++)
        if (from[k] && is_file(t, t->rows[t->header && t->count > 1][k]))
            found = found == -1 ? k : -2;
    return found;
}

static int find_file_column(Table *t)
{
    bool known[CELLS_MOST], all[CELLS_MOST];
    int count = 0, last = 0;
    for (int k = 0; k < t->width; k++) {
        all[k] = true;
        if ((known[k] = t->header && is_among(t->rows[0][k], file_words)))
            count++, last = k;
    }
    if (!t->header && is_file(t, t->rows[0][0]))
        t->file = 0;                           /* a number behind it may be the name of a file too */
    else
        t->file = count == 1 ? last : file_among(t, count ? known : all);
    if (t->file == -1 && !t->header)
        t->file = 0;                           /* its first file is not there: that is said when it is looked for */
    return t->file >= 0 ? FINE : ask(t, t->file == -1 ? "no column that is known to name files" : "more than one column names files");
}

/* Names that differ in a number at their end, as digit1, digit2: several labels of an example. */
static bool is_family(const Table *t, const int *columns, int count)
{
    size_t stem = 0;
    for (int i = 0; i < count; i++) {
        const char *name = t->rows[0][columns[i]];
        size_t n = strlen(name);
        while (n && isdigit((unsigned char)name[n - 1]))
            n--;
        if (!n || !name[n] || (i && (n != stem || strncasecmp(name, t->rows[0][columns[0]], n))))
            return false;
        stem = n;
    }
    return count > 1;
}

static int take_labels(Table *t, const int *columns, int count)
{
    if (count > LABELS_MOST)
        return complain(WRONG_INPUT, "%s:%d: %d columns of labels; the most is %d", t->path, t->lines[0], count, LABELS_MOST);
    memcpy(t->labels, columns, (size_t)count * sizeof *columns);
    t->per = count;
    return FINE;
}

/* A comma at the end of every line makes one. */
static bool is_empty_column(const Table *t, int column)
{
    for (int i = 0; i < t->count; i++)
        if (*t->rows[i][column])
            return false;
    return true;
}

/* Without a header: all that stands behind the file, if each column has numbers alone, or is the only one. */
static int find_bare_labels(Table *t)
{
    int columns[CELLS_MOST], count = 0;
    bool numbers = true;
    for (int k = 0; k < t->width; k++)
        if (k != t->file && !is_empty_column(t, k))
            columns[count++] = k;
    if (!count)
        return complain(WRONG_INPUT, "%s:%d: no label behind the file, expected file,label[,label...]", t->path, t->lines[0]);
    for (int i = 0; numbers && i < t->count; i++)
        for (int k = 0; k < count; k++)
            numbers = numbers && t->rows[i][columns[k]][strspn(t->rows[i][columns[k]], "+-0123456789.eE")] == '\0';
    return count == 1 || numbers ? take_labels(t, columns, count)
         : complain(WRONG_INPUT, "%s:%d: more than one cell behind the file, and no header that says what they are: %s.  --columns 1,2 takes the second as the label,"
                    " --columns 1,2,3 two labels", t->path, t->lines[0], names_of(t));
}

static int find_labels(Table *t)
{
    int named[CELLS_MOST] = { 0 }, rest[CELLS_MOST] = { 0 }, name_count = 0, rest_count = 0;
    for (int k = 0; k < t->width; k++) {
        if (k == t->file)
            continue;
        if (is_among(t->rows[0][k], label_words))
            named[name_count++] = k;
        else if (!is_among(t->rows[0][k], other_words))
            rest[rest_count++] = k;
    }
    if (name_count == 1 || is_family(t, named, name_count))
        return take_labels(t, named, name_count);
    if (!name_count && (rest_count == 1 || is_family(t, rest, rest_count)))
        return take_labels(t, rest, rest_count);
    return ask(t, name_count || rest_count ? "more than one column may be the label" : "no column of labels");
}

/* The column that a word of --columns names, or -1. */
static int column_of(const Table *t, const char *word)
{
    const bool number = *word && !word[strspn(word, "0123456789")] && strlen(word) < 6;
    for (int k = 0; t->header && k < t->width; k++)
        if (!strcasecmp(t->rows[0][k], word))
            return k;
    return number && atoi(word) >= 1 && atoi(word) <= t->width ? atoi(word) - 1 : -1;
}

static int read_columns(Table *t)
{
    int columns[CELLS_MOST], count = 0;
    for (const char *p = t->columns; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        char word[128];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(p, ","), p);
        if (count == CELLS_MOST || (columns[count++] = column_of(t, word)) < 0)
            return complain(WRONG_USAGE, "--columns: there is no column '%s' in %s; the columns are %s", word, t->path, names_of(t));
        for (int i = 0; i + 1 < count; i++)
            if (columns[i] == columns[count - 1])
                return complain(WRONG_USAGE, "--columns: the column '%s' stands there twice", word);
    }
    if (count < 2)
        return complain(WRONG_USAGE, "--columns: got \"%s\", expected the column of files and those of labels, with commas between", t->columns);
    t->file = columns[0];
    return take_labels(t, columns + 1, count - 1);
}

static bool is_taken(const Table *t, int column)
{
    for (int i = 0; i < t->per; i++)
        if (t->labels[i] == column)
            return true;
    return column == t->file;
}

/* The roles of all columns; those that have none are named. */
static int find_columns(Table *t)
{
    char left[512] = "";
    find_header(t);
    int code = t->columns ? read_columns(t) : find_file_column(t);
    if (code == FINE && !t->columns)
        code = t->header ? find_labels(t) : find_bare_labels(t);
    if (code != FINE)
        return code;
    t->split = -1;
    for (int k = 0; t->header && k < t->width; k++) {
        const size_t used = strlen(left);
        if (is_taken(t, k))
            continue;
        if (!strcasecmp(t->rows[0][k], "split"))
            t->split = k;
        else if (*t->rows[0][k])
            snprintf(left + used, sizeof left - used, "%s%s", used ? ", " : "", t->rows[0][k]);
    }
    if (*left)
        tell("%s: left out: %s\n", t->path, left);
    return FINE;
}

/* ---- items ---------------------------------------------------------------------------------------------------------------- */

static int add_row(List *l, const Table *t, int row)
{
    char path[PATH_MAX];
    bool twice;
    const char *file = t->rows[row][t->file];
    if (!*file)
        return complain(WRONG_INPUT, "%s:%d: found no name of a file, expected file,label[,label...]", t->path, t->lines[row]);
    if (!find_file(path, &twice, t->folder, file))
        return complain(WRONG_INPUT, "%s:%d: %s/%s: No such file that can be read; files are looked for in %s", t->path, t->lines[row], *file == '/' ? "" : t->folder, file,
                        t->folder);
    if (twice)
        return complain(WRONG_INPUT, "%s:%d: '%s' may be %s or one with another ending; expected names with theirs", t->path, t->lines[row], file, path);
    Item *item = list_add(l);
    item->path = list_text(path);
    if (t->split < 0)
        return FINE;
    item->split = split_of(t->rows[row][t->split]);
    return item->split >= 0 ? FINE
         : complain(WRONG_INPUT, "%s:%d: split '%s', expected train, valid (val, validation) or test in the column %s", t->path, t->lines[row],
                    t->rows[row][t->split], t->rows[0][t->split]);
}

static int add_rows(List *l, const Table *t, LabelsAs as)
{
    const int first = t->header, n = t->count - first;
    char **words = need(NULL, (size_t)n * (size_t)t->per * sizeof *words);
    int code = n ? FINE : complain(WRONG_INPUT, "%s: no line below its header, expected file,label[,label...]", t->path);
    for (int i = 0; code == FINE && i < n; i++) {
        code = add_row(l, t, first + i);
        for (int k = 0; code == FINE && k < t->per; k++)
            if (!*(words[i * t->per + k] = t->rows[first + i][t->labels[k]]))
                code = complain(WRONG_INPUT, "%s:%d: label %d is empty", t->path, t->lines[first + i], k + 1);
    }
    if (code == FINE)
        code = list_refuse_twice(l, t->lines + first, t->path);
    if (code == FINE)
        code = labels_from_words(l, words, t->lines + first, t->per, as, t->path);
    free(words);
    return code;
}

int list_table(List *l, const char *folder, const char *table, const char *columns, LabelsAs as)
{
    char *text = NULL;
    Line *lines;
    Table t = { .path = table, .folder = folder, .columns = columns };
    int code = read_text(&text, table);
    if (code != FINE)
        return code;
    const int count = split_lines(&lines, strncmp(text, "\xef\xbb\xbf", 3) ? text : text + 3);     /* some editors begin with this mark */
    if (!count)
        return complain(WRONG_INPUT, "%s: no line in it, expected file,label[,label...]", table);
    code = cut_lines(&t, lines, count, find_separator(lines, count, &t));
    if (code == FINE && !t.count)
        code = complain(WRONG_INPUT, "%s: every cell in it is empty, expected file,label[,label...]", table);
    if (code == FINE)
        code = find_columns(&t);
    if (code == FINE)
        code = add_rows(l, &t, as);
    if (code == FINE)
        list_say_unlisted(l, folder, table);
    free(lines);
    free(t.rows);
    free(t.lines);
    return code;
}
