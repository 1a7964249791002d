/* chart.h -- curves over the epochs, as SVG that takes the page's colours, and as pixels. */
#ifndef SPN_CHART_H
#define SPN_CHART_H

#include "report/html.h"

typedef struct { const char *name; const double *y; } Curve;

/* y may be NaN where nothing is known; a logarithmic chart leaves out what is not positive.  Curve i has the colours of
 * class `ci`; the point `mark` (an index, -1: none) of the last curve is ringed. */
typedef struct {
    const char *title, *unit;                  /* unit: "" or "%" (values are then shares) */
    const double *x;
    int points;
    Curve curves[3];
    int curve_count;
    bool logarithmic, steps;                   /* steps: constant from each point to the next */
    int mark;
} Chart;

/* A figure: title, legend, drawing.  Texts of the chart come from this program, and are not escaped. */
void chart_svg(Html *h, const Chart *c);
/* The same into a box of a picture, dark ink on light. */
void chart_draw(Picture *p, int x, int y, int width, int height, const Chart *c);

#endif
