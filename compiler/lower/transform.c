/* transform.c -- the three transforms of each size of a Winograd tile, and their adjoints.
 *
 * In: outputs of a tile along an axis.  Out: sums in order, as C.  The order of each sum is bit-relevant; it follows from the size alone.
 * A transform is a product of sparse matrices, applied first to last, so that common parts of rows are computed once; its adjoint is their
 * transposes, last to first, at the same cost. */
#include "lower/transform.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
    int rows, columns;
    double at[TRANSFORM_SIDE][TRANSFORM_SIDE];
} Matrix;
typedef struct {
    int count;
    Matrix factor[3];
} Factors;
typedef struct {
    int count;
    double at[TRANSFORM_SIDE];
} Numbers;

/* Points of evaluation beside 0 and infinity.  Pairs share the polynomial of all other points; all rows that vanish at `first` are computed
 * from the input filtered by it.  Error of a 96-channel convolution, normal data, float, relative to the output's RMS (RMS, largest):
 * direct 5e-7, 5e-6; tile of 2: 3e-7, 2e-6; 3: 1.1e-6, 1e-5; 4: 1.3e-6, 1e-5 (with +-1, +-2 instead: 2e-6, 4e-5); 5: 3.1e-6, 4e-5;
 * 6: 4e-6, 5e-5.  A tile of 7 would be at 2e-5, 1e-3. */
typedef struct {
    int pair_count;
    double pairs[3][2];
    Numbers single, first;
} Points;

static const Points points[] = {
    [2] = { 1, { { 1, -1 } }, { 0 }, { 0 } },
    [3] = { 1, { { 1, -1 } }, { 1, { -2 } }, { 1, { -2 } } },
    [4] = { 2, { { 1, -1 }, { 0.5, -2 } }, { 0 }, { 2, { 1, -1 } } },
    [5] = { 2, { { 1, -1 }, { 0.5, -0.5 } }, { 1, { 2 } }, { 1, { 2 } } },
    [6] = { 3, { { 1, -1 }, { 2, -2 }, { 0.5, -0.5 } }, { 0 }, { 0 } },
};

static void add(Numbers *n, double a) { n->at[n->count++] = a; }

/* All finite points, in the order of the positions; infinity follows. */
static Numbers finite_points(int m)
{
    Numbers all = { 1, { 0 } };
    for (int i = 0; i < points[m].pair_count; i++)
        add(&all, points[m].pairs[i][0]), add(&all, points[m].pairs[i][1]);
    for (int i = 0; i < points[m].single.count; i++)
        add(&all, points[m].single.at[i]);
    return all;
}

static Numbers without(Numbers from, const double *dropped, int count)
{
    Numbers rest = { 0 };
    for (int i = 0; i < from.count; i++) {
        bool drop = false;
        for (int k = 0; k < count; k++)
            drop = drop || from.at[i] == dropped[k];
        if (!drop)
            add(&rest, from.at[i]);
    }
    return rest;
}

/* Coefficients of the product of (x - a), the constant first. */
static Numbers polynomial(Numbers roots)
{
    Numbers c = { 1, { 1 } };
    for (int i = 0; i < roots.count; i++) {
        add(&c, 0);
        for (int k = c.count - 1; k >= 0; k--)
            c.at[k] = (k ? c.at[k - 1] : 0) - roots.at[i] * c.at[k];
    }
    return c;
}

/* ---- B' ----------------------------------------------------------------------------------------------------- */

/* A new row: the polynomial of `roots` times x^shift; of the filtered inputs, which come behind the n inputs, if all of `first` are roots. */
static void row_of(Matrix *to, int m, Numbers roots, int shift)
{
    const Numbers *first = &points[m].first;
    Numbers rest = without(roots, first->at, first->count);
    bool filtered = first->count && rest.count + first->count == roots.count;
    Numbers c = polynomial(filtered ? rest : roots);
    for (int i = 0; i < c.count; i++)
        to->at[to->rows][(filtered ? m + 2 : 0) + shift + i] = c.at[i];
    to->rows++;
}

/* The inputs, and the inputs filtered by the polynomial of `first`. */
static Matrix filtered_inputs(int m)
{
    const Numbers *first = &points[m].first;
    int n = m + 2;
    Matrix f = { .rows = n, .columns = n };
    for (int k = 0; k < n; k++)
        f.at[k][k] = 1;
    Numbers c = polynomial(*first);
    for (int k = 0; first->count && k < n - first->count; k++, f.rows++)
        for (int i = 0; i < c.count; i++)
            f.at[f.rows][k + i] = c.at[i];
    return f;
}

/* Row a holds the polynomial of all finite points but a; infinity's, that of all. */
static Factors input(int m)
{
    const Points *p = &points[m];
    Numbers all = finite_points(m);
    Matrix filter = filtered_inputs(m), shared = { .columns = filter.rows }, out = { .rows = 1 };
    const double zero = 0;
    row_of(&shared, m, without(all, &zero, 1), 0);
    out.at[0][0] = 1;
    for (int i = 0; i < p->pair_count; i++) {
        Numbers rest = without(all, p->pairs[i], 2);
        row_of(&shared, m, rest, 0);
        row_of(&shared, m, rest, 1);
        for (int k = 0; k < 2; k++, out.rows++)
            out.at[out.rows][shared.rows - 2] = -p->pairs[i][1 - k], out.at[out.rows][shared.rows - 1] = 1;
    }
    for (int i = 0; i < p->single.count; i++) {
        row_of(&shared, m, without(all, &p->single.at[i], 1), 0);
        out.at[out.rows++][shared.rows - 1] = 1;
    }
    row_of(&shared, m, all, 0);
    out.at[out.rows++][shared.rows - 1] = 1;
    out.columns = shared.rows;
    return p->first.count ? (Factors){ 3, { filter, shared, out } } : (Factors){ 2, { shared, out } };
}

/* ---- A' and G ------------------------------------------------------------------------------------------------ */

static double power(double a, int j)
{
    double p = 1;
    for (; j > 0; j--)
        p *= a;
    return p;
}

/* Row j holds the points' powers a^j; infinity joins the last.  Points a and -a meet as sum and difference. */
static Factors output(int m)
{
    Numbers all = finite_points(m);
    int n = m + 2;
    Matrix meet = { .rows = n, .columns = n }, out = { .rows = m, .columns = n };
    meet.at[0][0] = meet.at[n - 1][n - 1] = out.at[0][0] = out.at[m - 1][n - 1] = 1;
    for (int k = 1; k <= m; k++) {
        bool sum = k < m && all.at[k] == -all.at[k + 1], difference = all.at[k] == -all.at[k - 1];
        meet.at[k][k] = difference && !sum ? -1 : 1;
        if (sum)
            meet.at[k][k + 1] = 1;
        else if (difference)
            meet.at[k][k - 1] = 1;
        for (int j = 0; j < m; j++)
            if (sum ? j % 2 == 0 : !difference)
                out.at[j][k] = power(all.at[k], j);
            else if (difference && j % 2)
                out.at[j][k] = power(all.at[k - 1], j);
    }
    return (Factors){ 2, { meet, out } };
}

/* Row a holds (1, a, a^2) over the product of a's distances from the other finite points; infinity's is (0, 0, 1). */
static Factors filter(int m)
{
    Numbers all = finite_points(m);
    Matrix g = { .rows = all.count + 1, .columns = 3 };
    for (int i = 0; i < all.count; i++) {
        double a = all.at[i], distance = 1;
        Numbers rest = without(all, &a, 1);
        for (int k = 0; k < rest.count; k++)
            distance *= a - rest.at[k];
        g.at[i][0] = 1 / distance, g.at[i][1] = a / distance, g.at[i][2] = a * a / distance;
    }
    g.at[all.count][2] = 1;
    return (Factors){ 1, { g } };
}

static Factors adjoint_of(Factors f)
{
    Factors t = { .count = f.count };
    for (int i = 0; i < f.count; i++) {
        const Matrix *from = &f.factor[f.count - 1 - i];
        Matrix *to = &t.factor[i];
        to->rows = from->columns, to->columns = from->rows;
        for (int r = 0; r < to->rows; r++)
            for (int c = 0; c < to->columns; c++)
                to->at[r][c] = from->at[c][r];
    }
    return t;
}

/* ---- C ------------------------------------------------------------------------------------------------------- */

/* A number as C: in few digits, or as the quotient that it is, 32 / 45.0, to the bit. */
static const char *number_text(Arena *a, double c)
{
    enum { MOST = 10000 };
    const char *text = arena_printf(a, "%.6g", c);
    if (strtod(text, NULL) == c)
        return text;
    for (int below = 2; below < MOST; below++) {
        const double above = round(c * below);
        if (above / below == c)
            return arena_printf(a, "%.0f / %d.0", above, below);
    }
    return arena_printf(a, "%.17g", c);
}

/* The sum of a row, in order, but a summand with the coefficient 1 first; NULL: it is zero.  names: of the columns, NULL: zero. */
static const char *sum_text(Arena *a, const double *row, const char *const *names, int columns)
{
    const char *text = NULL;
    int first = -1;
    for (int k = 0; k < columns && !text; k++)
        if (row[k] == 1 && names[k])
            text = names[k], first = k;
    for (int k = 0; k < columns; k++) {
        double c = row[k];
        const char *x = names[k];
        if (c == 0 || !x || k == first)
            continue;
        text = !text     ? arena_printf(a, "v_mul(v_set1(%s), %s)", number_text(a, c), x)
               : c == 1  ? arena_printf(a, "v_add(%s, %s)", text, x)
               : c == -1 ? arena_printf(a, "v_sub(%s, %s)", text, x)
               : c > 0   ? arena_printf(a, "v_fma(v_set1(%s), %s, %s)", number_text(a, c), x, text)
                         : arena_printf(a, "v_fnma(v_set1(%s), %s, %s)", number_text(a, -c), x, text);
    }
    return text;
}

/* The number that sum_text's C computes, in float or double. */
static double sum_value(bool is_double, const double *row, const double *x, int columns)
{
    int first = -1;
    bool any = false;
    double sum = 0;
    for (int k = 0; k < columns && !any; k++)
        if (row[k] == 1)
            sum = x[k], first = k, any = true;
    for (int k = 0; k < columns; k++) {
        double c = is_double ? row[k] : (double)(float)row[k];
        if (row[k] == 0 || k == first)
            continue;
        if (is_double)
            sum = any ? fma(c, x[k], sum) : c * x[k];
        else
            sum = any ? (double)fmaf((float)c, (float)x[k], (float)sum) : (double)((float)c * (float)x[k]);
        any = true;
    }
    return sum;
}

void transform_filter(int m, bool is_double, const double weights[3], double results[TRANSFORM_SIDE])
{
    const Factors g = filter(m);
    for (int r = 0; r < g.factor[0].rows; r++)
        results[r] = sum_value(is_double, g.factor[0].at[r], weights, 3);
}

Transform *transform_of(Arena *a, TransformKind kind, bool adjoint, int m)
{
    enum { SHORT = 2 }; /* a text of so few letters is a name, and needs no other */
    Factors f = kind == INPUT_TRANSFORM ? input(m) : kind == OUTPUT_TRANSFORM ? output(m) : filter(m);
    f = adjoint ? adjoint_of(f) : f;
    Transform *t = NEW(a, Transform);
    t->inputs = f.factor[0].columns;
    const char *names[TRANSFORM_SIDE];
    for (int k = 0; k < t->inputs; k++)
        names[k] = arena_printf(a, "d%d", k);
    for (int i = 0; i < f.count; i++) {
        const Matrix *factor = &f.factor[i];
        const char *made[TRANSFORM_SIDE] = { 0 };
        for (int r = 0; r < factor->rows; r++) {
            const char *text = sum_text(a, factor->at[r], names, factor->columns);
            if (i == f.count - 1) {
                t->results[t->result_count++] = text;
            } else if (text && text[0] && text[1] && text[SHORT]) {
                made[r] = arena_printf(a, "%c%d", "efg"[i], r);
                t->sums[t->sum_count].name = made[r];
                t->sums[t->sum_count++].value = text;
            } else {
                made[r] = text;
            }
        }
        for (int r = 0; r < TRANSFORM_SIDE; r++)
            names[r] = made[r];
    }
    return t;
}

const char *transform_points(Arena *a, int m)
{
    Numbers all = finite_points(m);
    Text t = { .arena = a };
    for (int i = 0; i < all.count; i++)
        if (all.at[i] == 0.5 || all.at[i] == -0.5)
            text_printf(&t, "%s1/2, ", all.at[i] < 0 ? "-" : "");
        else
            text_printf(&t, "%g, ", all.at[i]);
    text_printf(&t, "infinity");
    return t.text;
}
