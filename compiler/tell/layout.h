/* layout.h -- where the boxes of the forward pass stand on a page. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "tell/card.h"

enum { BOX_W = 236, BOX_H = 58, DUMMY_W = 14, GAP_X = 30, GAP_Y = 34, REPEAT_HEAD = 52, REPEAT_PAD = 24 };

/* A box, or (card NULL) a bend of an edge that passes a row of boxes.  x is its middle, y its top. */
typedef struct { const Card *card; int section, row, order; double x, y; } Box;
/* An edge from box to box through its bends: boxes[via[0]] .. boxes[via[count - 1]]. */
typedef struct { const Card *from, *to; int shift; int *via; int count; } Edge;
typedef struct { SectionKind kind; Repeat *repeat, *from; double left, right, top, bottom; bool empty; } Frame;

typedef struct {
    Box *boxes;
    int box_count;
    Edge *edges;
    int edge_count;
    Frame *frames;          /* one a section of the forward pass */
    int frame_count;
    double left, right, bottom;
} Layout;

/* Rows from top to bottom in the order of execution, section after section; edges only go down but for those from the step before. */
Layout *layout_new(const Deck *d);

#endif
