/* display.h -- output of a running training: a progress bar on a terminal, lines elsewhere, JSON, or nothing.
 *
 * The bar is on stderr, lines and JSON on stdout.  A closed pipe or a terminal that hangs up ends the output, not the
 * training. */
#ifndef SPN_DISPLAY_H
#define SPN_DISPLAY_H

#include "files/json.h"
#include "run/message.h"
#include "run/run.h"

typedef struct {
    bool quiet, json, terminal;
    bool gone, lost;                           /* stdout is closed at its other end; some of it could not be written */
    double shown, period;                      /* when the running epoch was last shown, and how often it is */
} Display;

/* Signals about output that fails are ignored from here on: it is noticed where it is written. */
void display_open(Display *d, bool quiet, bool json);
/* Clears the bar.  Returns exit code 74 if output was lost (not if the pipe was closed), else 0. */
int display_close(Display *d);

/* The running epoch after a step. */
void display_step(Display *d, const Progress *p, double norm, bool labels, double now);
void display_validating(Display *d, const Progress *p);
/* A line for people, neither with --quiet nor with --json. */
void display_say(Display *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One line of JSON, {"event": "...", ...}: begin, add its fields, end. */
bool display_event(Display *d, JsonWriter *w, const char *event);
void display_event_end(Display *d, JsonWriter *w);
/* A warning for all, on stderr, and an event. */
void display_warn(Display *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void display_clear(Display *d);

#endif
