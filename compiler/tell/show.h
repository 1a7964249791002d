/* show.h -- the whole net as a page of text, as JSON, as a graph, as a page for a browser; and the explanation of one name. */
#ifndef SHOW_H
#define SHOW_H

#include "tell/card.h"

void show_text(Text *out, const Deck *d);
/* The keys are in docs/compiler.md. */
void show_json(Text *out, const Deck *d);
/* scaling.c: the gain from more threads, by a model of the phases. */
void scaling_text(Text *out, const Deck *d);
void scaling_json(Text *out, const Deck *d);
/* Of a step on one thread, in the same model: what groups do, what the ranks of a job divide evenly, and what every one of them does. */
void scaling_seconds(const Deck *d, double *shared, double *dealt, double *repeated);
/* cluster.c: the same on several ranks.  ranks: "1,2,4", at most RANKS_MOST numbers; network: "0.000005,1e9", seconds a message and bytes a second. */
enum { RANKS_MOST = 16 };
void cluster_text(Text *out, const Deck *d, const char *ranks, const char *network);
/* Graphviz's language: boxes for repeats, dashed lines between operators that share a weight. */
void show_dot(Text *out, const Deck *d);
/* page.c: one self-contained page.  False after a template of the user's has failed. */
bool show_html(Text *out, const Deck *d);
Fact *page_facts(const Deck *d);     /* the facts of its template */
/* explain.c: explains a layer, a value of the flow, or a parameter.  False after reporting a name that is none of these, or several. */
bool explain(Text *out, const Deck *d, const char *name);

#endif
