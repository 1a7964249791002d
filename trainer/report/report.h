/* report.h -- the report of a run: report.html and the same pictures as PNG, in the run folder. */
#ifndef SPN_REPORT_H
#define SPN_REPORT_H

#include "files/json.h"
#include "report/chart.h"
#include "report/history.h"
#include "report/survey.h"
#include "run/names.h"
#include "run/options.h"

enum { REPORT_SHOWN = 8, REPORT_WORST = 8, REPORT_FRAMES = 6 };

/* Everything that a page shows; what is not known (while training runs) is zero, NULL or empty. */
typedef struct {
    const char *run;
    bool running;                              /* training goes on: the page loads itself again, and has no figures yet */
    View view;
    Names names;                               /* of classes */
    History history;
    Json settings, machine;                    /* run.json, machine.json; root NULL: not there */
    const char *split;                         /* of the survey: "test", or "valid" where there is no test; NULL: no survey */
    Survey survey;
    const char *missing;                       /* why there is no survey, though no training is running; NULL: nothing is wrong */
    int64_t valid_examples, valid_labels;      /* valid_labels: those that count.  0: unknown */
    Shot shown[REPORT_SHOWN], worst[REPORT_WORST], watched[WATCHED];
    int shown_count, worst_count, watched_count;
    Watch watch;
    int frame[REPORT_FRAMES], frame_count;     /* indices into watch: the epochs that are shown */
} Report;

/* After an epoch: keeps where the net looks now, and writes the page with curves and tables.  Trouble with the disk is
 * a warning: training goes on.  valid NULL: there is no validation split. */
void report_epoch(const char *run, Data *valid, int epoch);
/* The whole report, of the best weights, which then are net.weights().  `dir` has the data.  Ends the program if these are not to be used. */
void report_whole(const char *run, const char *dir);
/* The same after training, which has succeeded whatever becomes of its report: if the data of a split are not to be used, that is a warning, and
 * the report is one without results. */
void report_end(const char *run, const char *dir);

/* page.c: the page, well-formed as XML too. */
void page_write(Html *h, const Report *r);
/* The curves that page and picture share; returns how many of charts[4] are filled. */
int page_charts(Chart charts[4], const Report *r);
/* figure.c: glimpses.png, mistakes.png, transforms.png, confusion-TARGET.png, curves.png; warns of what cannot be written. */
void figures_write(const Report *r);

int command_report(const Options *o);
int command_compare(const Options *o);

#endif
