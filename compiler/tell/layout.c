/* layout.c -- places the boxes of the forward pass in rows, so that edges run down and the loops of a repeat are boxes of their own.
 *
 * In: a Deck.  Out: a Layout.  Sections of the forward pass follow one another; within one, a box stands below the boxes that it reads
 * (Sugiyama's layers).  An edge that passes rows gets a bend in each, which takes room as boxes do, so no edge runs through a box. */
#include "tell/layout.h"
#include <stdlib.h>

enum { SWEEPS = 12 };

typedef struct { const Deck *d; Layout *l; int rows, room; } Placing;

static int box_of(const Layout *l, const Card *c)
{
    for (int i = 0; i < l->box_count; i++)
        if (l->boxes[i].card == c)
            return i;
    return -1;
}

static const Card *maker_of(const Deck *d, const Use *u)
{
    const Op *maker = u->tensor->space == RAW ? NULL : u->tensor->op;
    const Card *c = maker ? deck_card(d, maker) : NULL;
    for (const Tensor *t = u->tensor; maker && !c && t->view_of; ) {     /* a reshape is no box */
        t = t->view_of;
        c = t->op ? deck_card(d, t->op) : NULL;
    }
    return c && c->forward ? c : NULL;
}

static void rows(Placing *p)
{
    const Model *m = p->d->m;
    Layout *l = p->l;
    int next = 0;
    for (int i = 0; i < m->forward.count; i++) {
        const Section *s = m->forward.items[i];
        int first = next;
        for (int k = 0; k < s->ops.count; k++) {
            const Card *c = deck_card(p->d, s->ops.items[k]);
            if (!c || !c->forward || box_of(l, c) >= 0)
                continue;
            int row = first;
            for (int r = 0; r < c->op->read_count; r++) {
                const Card *from = c->op->reads[r].shift ? NULL : maker_of(p->d, &c->op->reads[r]);
                int at = from ? box_of(l, from) : -1;
                if (at >= 0 && l->boxes[at].row >= row)
                    row = l->boxes[at].row + 1;
            }
            l->boxes[l->box_count++] = (Box){ .card = c, .section = i, .row = row };
            next = row + 1 > next ? row + 1 : next;
        }
        l->frames[l->frame_count++] = (Frame){ .kind = s->kind, .repeat = s->repeat, .from = s->from, .empty = next == first };
    }
    p->rows = next;
}

static int section_of_row(const Layout *l, int row)
{
    for (int i = 0; i < l->box_count; i++)
        if (l->boxes[i].card && l->boxes[i].row == row)
            return l->boxes[i].section;
    return 0;
}

static void edge(Placing *p, int at, int to, int shift)
{
    Layout *l = p->l;
    Edge *e = &l->edges[l->edge_count++];
    *e = (Edge){ .from = l->boxes[at].card, .to = l->boxes[to].card, .shift = shift, .via = NEW_ARRAY(p->d->m->arena, int, p->rows + 2) };
    e->via[e->count++] = at;
    for (int row = l->boxes[at].row + 1; !shift && row < l->boxes[to].row; row++) {
        l->boxes[l->box_count] = (Box){ .section = section_of_row(l, row), .row = row };
        e->via[e->count++] = l->box_count++;
    }
    e->via[e->count++] = to;
}

static void edges(Placing *p)
{
    Layout *l = p->l;
    Arena *a = p->d->m->arena;
    int boxes = l->box_count, most = 0;
    for (int i = 0; i < boxes; i++)
        most += 2 * l->boxes[i].card->op->read_count;
    l->edges = NEW_ARRAY(a, Edge, most + 1);
    Box *all = NEW_ARRAY(a, Box, boxes + most * (p->rows + 1) + 1);
    for (int i = 0; i < boxes; i++)
        all[i] = l->boxes[i];
    l->boxes = all;
    for (int i = 0; i < boxes; i++) {
        const Card *c = all[i].card;
        for (int r = 0; r < c->op->read_count; r++) {
            const Use *u = &c->op->reads[r];
            const Card *from = maker_of(p->d, u);
            if (from)
                edge(p, box_of(l, from), i, u->shift);
            for (int k = 0; k < boxes && u->shift; k++) {       /* the state before the first step */
                const Use *w = &all[k].card->op->writes[0];
                if (w->tensor == u->tensor && w->shift && all[k].row < all[i].row)
                    edge(p, k, i, 0);
            }
        }
    }
}

static double width(const Box *b) { return b->card ? BOX_W : DUMMY_W; }

/* The mean of a box's neighbours above (or below); its own place if it has none. */
static double wish(const Layout *l, int box, bool above)
{
    double sum = 0;
    int n = 0;
    for (int i = 0; i < l->edge_count; i++) {
        const Edge *e = &l->edges[i];
        for (int k = 0; k + 1 < e->count && !e->shift; k++) {
            int a = e->via[k], b = e->via[k + 1];
            if ((above ? b : a) == box) {
                double weight = l->boxes[a].card && l->boxes[b].card ? 3 : 1;      /* short edges straight rather than long ones */
                sum += weight * l->boxes[above ? a : b].x;
                n += (int)weight;
            }
        }
    }
    return n ? sum / n : l->boxes[box].x;
}

typedef struct { int box; double wish; } Place;

static int by_wish(const void *x, const void *y)
{
    const Place *a = x, *b = y;
    return a->wish < b->wish ? -1 : a->wish > b->wish ? 1 : a->box - b->box;
}

static void place_row(Placing *p, int row, bool above, bool reorder)
{
    Layout *l = p->l;
    Place *items = NEW_ARRAY(p->d->m->arena, Place, l->box_count + 1);
    int n = 0;
    for (int i = 0; i < l->box_count; i++)
        if (l->boxes[i].row == row)
            items[n++] = (Place){ i, reorder ? wish(l, i, above) : l->boxes[i].order };
    qsort(items, (size_t)n, sizeof *items, by_wish);
    double shift = 0, *x = NEW_ARRAY(p->d->m->arena, double, n + 1);
    for (int i = 0; i < n; i++) {
        Box *b = &l->boxes[items[i].box];
        double w = wish(l, items[i].box, above);
        x[i] = w;
        if (i) {
            double least = x[i - 1] + (width(&l->boxes[items[i - 1].box]) + width(b)) / 2 + GAP_X;
            x[i] = x[i] < least ? least : x[i];
        }
        b->order = i;
        shift += (x[i] - w) / n;
    }
    for (int i = 0; i < n; i++)
        l->boxes[items[i].box].x = x[i] - shift;
}

static void columns(Placing *p)
{
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int k = 0; k < p->rows; k++)
            place_row(p, sweep % 2 ? p->rows - 1 - k : k, sweep % 2 == 0, sweep < SWEEPS - 2);
}

static void heights(Placing *p)
{
    Layout *l = p->l;
    double y = 12;
    int section = 0;
    for (int row = 0; row < p->rows; row++) {
        int now = section_of_row(l, row);
        if (row && now != section && l->frames[section].kind != ONCE)
            y += REPEAT_PAD;
        if ((!row || now != section) && l->frames[now].kind != ONCE)
            y += REPEAT_HEAD;
        section = now;
        for (int i = 0; i < l->box_count; i++)
            if (l->boxes[i].row == row)
                l->boxes[i].y = y;
        y += BOX_H + GAP_Y;
    }
    l->bottom = y + (p->rows && l->frames[section].kind != ONCE ? REPEAT_PAD : 0);
    l->left = 1e9, l->right = -1e9;
    for (int i = 0; i < l->box_count; i++) {
        const Box *b = &l->boxes[i];
        double left = b->x - width(b) / 2, right = b->x + width(b) / 2;
        Frame *f = &l->frames[b->section];
        if (b->card && f->bottom == 0)
            f->left = left, f->right = right, f->top = b->y;
        if (b->card) {
            f->left = left < f->left ? left : f->left;
            f->right = right > f->right ? right : f->right;
            f->top = b->y < f->top ? b->y : f->top;
            f->bottom = b->y + BOX_H > f->bottom ? b->y + BOX_H : f->bottom;
        }
        l->left = left < l->left ? left : l->left;
        l->right = right > l->right ? right : l->right;
    }
}

Layout *layout_new(const Deck *d)
{
    Layout *l = NEW(d->m->arena, Layout);
    l->boxes = NEW_ARRAY(d->m->arena, Box, d->count + 1);
    l->frames = NEW_ARRAY(d->m->arena, Frame, d->m->forward.count + 1);
    Placing p = { .d = d, .l = l };
    rows(&p);
    edges(&p);
    columns(&p);
    heights(&p);
    return l;
}
