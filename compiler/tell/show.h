/* show.h -- the whole net for its reader: on a page of text, as JSON, as a graph, as a page for a browser; and one name of it, explained. */
#ifndef SHOW_H
#define SHOW_H

#include "tell/card.h"

void show_text(Text *out, const Deck *d);
/* The keys are in docs/compiler.md. */
void show_json(Text *out, const Deck *d);
/* scaling.c: what more threads would gain, by a model of the phases. */
void scaling_text(Text *out, const Deck *d);
void scaling_json(Text *out, const Deck *d);
/* Graphviz's language: boxes for repeats, dashed lines between operators that share a weight. */
void show_dot(Text *out, const Deck *d);
/* page.c: one self-contained page.  False after a template of the user's has failed. */
bool show_html(Text *out, const Deck *d);
Fact *page_facts(const Deck *d);     /* what its template is told */
/* explain.c: what became of a layer, a value of the flow, or a parameter.  A name that is none of these, or several, is reported; false. */
bool explain(Text *out, const Deck *d, const char *name);

#endif
