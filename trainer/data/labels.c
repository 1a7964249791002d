/* labels.c -- labels by their type: the words of a table, or the numbers of an array, become classes or real numbers.
 *
 *   a table   all whole numbers   classes in numeric order: 0 to K-1 stay what they are, others are numbered and named by the number
 *             real numbers        a target of f4
 *             words               classes in natural order of their names
 *   .npy      whole numbers       the classes' numbers as they stand, whatever type they are stored in
 *             real numbers        a target of f4
 *
 * What may be meant in two ways is an error that names --labels-as; no label becomes another kind without a line that says so. */
#define _GNU_SOURCE
#include "data/cell.h"
#include "data/pack.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASS_MOST = 1000000 };

static void set_shape(List *l, ArrayType type, int per)
{
    l->label_type = type;
    l->label_rank = per > 1 || type == ARRAY_F4;       /* a lone real number is a target of shape [1] */
    l->label_shape[0] = per;
    l->label_bytes = (size_t)per * 4;
}

static int refuse_many(const List *l, const char *path)
{
    return l->class_count <= CLASS_MOST ? FINE
         : complain(WRONG_INPUT, "%s: %d classes are too many; the most is %d%s", path, l->class_count, CLASS_MOST,
                    l->classes ? "" : ".  Are they real numbers?  --labels-as reals");
}

/* ---- a table ------------------------------------------------------------------------------------------------------------ */

/* A number as people write it: sign, digits, a point and an exponent; no nan, inf or hexadecimal. */
static bool read_number(double *v, const char *text)
{
    char *end;
    const size_t n = strspn(text, "+-0123456789.eE");
    *v = n && !text[n] && strcspn(text, "0123456789") < n ? strtod(text, &end) : NAN;
    return isfinite(*v) && !*end;
}

/* A number with a comma where its point belongs, as tables of many countries have it. */
static bool has_decimal_comma(const char *text)
{
    char point[64];
    double v;
    const size_t comma = strcspn(text, ",");
    if (!text[comma] || strlen(text) >= sizeof point)
        return false;
    strcpy(point, text);
    point[comma] = '.';
    return read_number(&v, point);
}

/* A number with a sign of per cent behind it, perhaps after a space. */
static bool has_percent(const char *text)
{
    char number[64];
    double v;
    const size_t n = strlen(text);
    if (n < 2 || text[n - 1] != '%' || n >= sizeof number)
        return false;
    memcpy(number, text, n - 1);
    *cell_end(number, number + n - 1) = '\0';
    return read_number(&v, number);
}

static bool is_whole(double v) { return v == floor(v) && fabs(v) <= 9007199254740992.0; }

static int by_value(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b; }

/* Whole numbers: those that are 0 to K-1 as they stand, others by their place among all that there are. */
static int number_classes(List *l, const double *values, int64_t n, const char *table)
{
    double *sorted = need(NULL, (size_t)n * sizeof *sorted);
    int32_t *labels = l->labels = need(NULL, (size_t)n * sizeof *labels);
    int64_t count = 0;
    memcpy(sorted, values, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    for (int64_t i = 0; i < n; i++)
        if (!count || sorted[count - 1] != sorted[i])
            sorted[count++] = sorted[i];
    l->class_count = count < INT_MAX ? (int)count : INT_MAX;
    const int code = refuse_many(l, table);
    const bool as_they_stand = sorted[0] == 0 && sorted[count - 1] == (double)(count - 1);
    for (int64_t i = 0; code == FINE && i < n; i++)
        labels[i] = (int32_t)((double *)bsearch(&values[i], sorted, (size_t)count, sizeof *sorted, by_value) - sorted);
    if (code == FINE && !as_they_stand) {
        l->classes = need(NULL, (size_t)count * sizeof *l->classes);
        for (int64_t i = 0; i < count; i++)
            sprintf(l->classes[i] = list_room(32), "%.0f", sorted[i]);
        tell("%s: the labels are whole numbers from %.0f to %.0f; in numeric order they are the classes 0 to %" PRId64 " (--labels-as indices keeps numbers"
               " as they are)\n", table, sorted[0], sorted[count - 1], count - 1);
    }
    free(sorted);
    return code;
}

static int name_classes(List *l, char **words, const int *lines, int64_t n, int per, const char *table)
{
    int32_t *labels = l->labels = need(NULL, (size_t)n * sizeof *labels);
    for (int64_t i = 0; i < n; i++)
        for (const char *c = words[i]; *c; c++)
            if ((unsigned char)*c < 32 || *c == 127)
                return complain(WRONG_INPUT, "%s:%d: a label has a control character in it (byte 0x%02x); expected a name", table, lines[i / per], (unsigned)*c);
    l->classes = need(NULL, (size_t)n * sizeof *l->classes);
    memcpy(l->classes, words, (size_t)n * sizeof *words);
    l->class_count = n <= INT_MAX ? names_sort(l->classes, (int)n) : INT_MAX;
    const int code = refuse_many(l, table);
    for (int64_t i = 0; code == FINE && i < n; i++)
        labels[i] = names_find(l->classes, l->class_count, words[i]);
    return code;
}

static int take_indices(List *l, const double *values, char **words, const int *lines, int64_t n, int per, const char *table)
{
    int32_t *labels = l->labels = need(NULL, (size_t)n * sizeof *labels);
    for (int64_t i = 0; i < n; i++) {
        if (!is_whole(values[i]) || values[i] < 0 || values[i] >= CLASS_MOST)
            return complain(WRONG_INPUT, "%s:%d: label '%s', expected a whole number from 0 to %d, as --labels-as indices says", table, lines[i / per], words[i],
                            CLASS_MOST - 1);
        labels[i] = (int32_t)values[i];
        if (labels[i] >= l->class_count)
            l->class_count = labels[i] + 1;
    }
    return FINE;
}

static int take_reals(List *l, const double *values, char **words, const int *lines, int64_t n, int per, const char *table)
{
    float *labels = l->labels = need(NULL, (size_t)n * sizeof *labels);
    for (int64_t i = 0; i < n; i++) {
        labels[i] = (float)values[i];
        if (!isfinite(labels[i]))
            return complain(WRONG_INPUT, "%s:%d: target '%s', expected a number that f4 holds", table, lines[i / per], words[i]);
    }
    tell("%s: the labels are real numbers: a target of f4\n", table);
    return FINE;
}

int labels_from_words(List *l, char **words, const int *lines, int per, LabelsAs as, const char *table)
{
    const int64_t n = l->count * per;
    int64_t numbers = 0, wholes = 0, first[2] = { -1, -1 };
    double *values = need(NULL, (size_t)n * sizeof *values);
    int code;
    for (int64_t i = 0; i < n; i++) {
        const bool number = read_number(&values[i], words[i]);
        numbers += number;
        wholes += number && is_whole(values[i]);
        if (first[number] < 0)
            first[number] = i;
    }
    const char *word = as != AS_CLASSES && first[0] >= 0 ? words[first[0]] : "";
    if (has_decimal_comma(word) || has_percent(word)) {
        free(values);
        return complain(WRONG_INPUT, "%s:%d: the label '%s' has a %s; write numbers with %s.  --labels-as classes makes a name of it", table, lines[first[0] / per], word,
                        has_percent(word) ? "sign of per cent" : "comma for a point", has_percent(word) ? "digits and a point alone" : "a point");
    }
    set_shape(l, as == AS_REALS || (as == BY_TYPE && numbers == n && wholes < n) ? ARRAY_F4 : ARRAY_I4, per);
    if (as == BY_TYPE && numbers && numbers < n) {
        const int64_t odd = first[2 * numbers < n];
        code = complain(WRONG_INPUT, "%s:%d: the label '%s' is %s number, and %" PRId64 " of all %" PRId64 " are; expected numbers or names.  --labels-as classes makes"
                        " names of all", table, lines[odd / per], words[odd], 2 * numbers < n ? "a" : "no", numbers, n);
    } else if (as == AS_INDICES) {
        code = take_indices(l, values, words, lines, n, per, table);
    } else if (l->label_type == ARRAY_F4) {
        code = take_reals(l, values, words, lines, n, per, table);
    } else {
        code = wholes == n ? number_classes(l, values, n, table) : name_classes(l, words, lines, n, per, table);
    }
    free(values);
    return code;
}

/* ---- an array ----------------------------------------------------------------------------------------------------------- */

static bool is_real(const Array *a) { return a->type == ARRAY_F4 || a->type == ARRAY_F8 || a->type == ARRAY_F2; }

/* Does every row have a single 1, and zeros? */
static bool is_one_hot(const Array *a)
{
    const int64_t per = a->rank == 2 ? a->shape[1] : 0;
    for (int64_t i = 0, ones = 0; per > 1 && i < array_count(a); i++) {
        const double v = array_number(a, i);
        ones += v == 1;
        if ((v != 0 && v != 1) || (i % per == per - 1 && ones != i / per + 1))
            return false;
    }
    return per > 1;
}

static bool all_whole(const Array *a)
{
    for (int64_t i = 0; i < array_count(a); i++)
        if (!is_whole(array_number(a, i)))
            return false;
    return true;
}

/* What may be meant in two ways is asked for. */
static int decide(LabelsAs *as, const Array *a, const char *path)
{
    const bool whole = !is_real(a) || all_whole(a);
    if (*as != BY_TYPE)
        return FINE;
    *as = whole ? AS_INDICES : AS_REALS;
    if (is_one_hot(a))
        return complain(WRONG_INPUT, "%s: every row has a single 1 among zeros: one-hot labels?  Give their numbers, labels.argmax(axis=1), or --labels-as reals for"
                        " a target of 0 and 1", path);
    if (is_real(a) && whole && (a->rank > 2 || (a->rank == 2 && a->shape[1] > 1)))
        return complain(WRONG_INPUT, "%s: whole numbers, stored as %s: expected to be told what they are: --labels-as indices for classes, --labels-as reals for a"
                        " target", path, array_type_name(a->type));
    if (whole && (is_real(a) || a->type == ARRAY_B1))
        tell("%s: %s stored as %s: taken as the numbers of classes%s\n", path, is_real(a) ? "whole numbers" : "False and True", array_type_name(a->type),
               is_real(a) ? " (--labels-as reals makes a target of them)" : ", 0 and 1");
    if (!whole)
        tell("%s: real numbers: a target of f4\n", path);
    return FINE;
}

static int take_array(List *l, const Array *a, LabelsAs as, const char *path)
{
    const int64_t n = array_count(a), per = n / l->count;
    l->labels = need(NULL, (size_t)n * 4);
    for (int64_t i = 0; i < n; i++) {
        const double v = array_number(a, i);
        if (as == AS_REALS) {
            if (!isfinite((float)v))
                return complain(WRONG_INPUT, "%s: target %" PRId64 " of example %" PRId64 " is %g, expected a finite number", path, i % per, i / per, v);
            ((float *)l->labels)[i] = (float)v;
            continue;
        }
        if (!is_whole(v) || v < 0 || v >= CLASS_MOST)
            return complain(WRONG_INPUT, "%s: label %.17g of example %" PRId64 ", expected a whole number from 0 to %d.  --labels-as classes numbers all that there are,"
                            " --labels-as reals makes a target of them", path, v, i / per, CLASS_MOST - 1);
        ((int32_t *)l->labels)[i] = (int32_t)v;
        if (v >= l->class_count)
            l->class_count = (int)v + 1;
    }
    return FINE;
}

static int class_array(List *l, const Array *a, const char *path)
{
    const int64_t n = array_count(a);
    double *values = need(NULL, (size_t)n * sizeof *values);
    int code = FINE;
    for (int64_t i = 0; code == FINE && i < n; i++) {
        values[i] = array_number(a, i);
        if (!is_whole(values[i]))
            code = complain(WRONG_INPUT, "%s: %g of example %" PRId64 ", expected whole numbers for --labels-as classes", path, values[i], i / (n / l->count));
    }
    if (code == FINE)
        code = number_classes(l, values, n, path);
    free(values);
    return code;
}

int labels_from_array(List *l, const char *path, LabelsAs as)
{
    Array a;
    ArrayError e;
    char found[160];
    if (!array_map_npy(&a, path, &e))
        return complain_array(&e);
    int code = FINE;
    if (a.rank < 1 || a.rank > 5 || a.shape[0] != l->count || !array_count(&a))
        code = complain(WRONG_INPUT, "%s: found %s %s, expected labels of %" PRId64 " examples, [N] or [N][K]", path, array_type_name(a.type),
                        array_shape_text(found, sizeof found, &a), l->count);
    if (code == FINE)
        code = decide(&as, &a, path);
    if (code == FINE && as != AS_REALS && a.rank > 2)
        code = complain(WRONG_INPUT, "%s: found %s %s, expected labels [N] or [N][K]; --labels-as reals makes a target of this shape", path, array_type_name(a.type),
                        array_shape_text(found, sizeof found, &a));
    if (code == FINE) {
        const bool real = as == AS_REALS;
        set_shape(l, real ? ARRAY_F4 : ARRAY_I4, (int)(array_count(&a) / l->count));
        l->label_rank = real && a.rank == 1 ? 1 : a.rank - 1;
        l->label_shape[0] = 1;
        memcpy(l->label_shape, a.shape + 1, sizeof *a.shape * (size_t)(a.rank - 1));
        code = as == AS_CLASSES ? class_array(l, &a, path) : take_array(l, &a, as, path);
    }
    array_free(&a);
    return code;
}
