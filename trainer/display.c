/* display.c -- the bar, the lines and the JSON of a training.
 *
 * The line is as wide as the terminal: the numbers first, the bar in the rest.  Without a rest the numbers are cut at the
 * end, where the least important ones stand. */
#define _DEFAULT_SOURCE
#include "display.h"
#include "files/text.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINE = 320, BAR_LEAST = 8, BAR_MOST = 30 };
static const double TERMINAL_PERIOD = 0.2, LINE_PERIOD = 60, JSON_PERIOD = 1;

void display_open(Display *d, bool quiet, bool json)
{
    *d = (Display){ .quiet = quiet, .json = json, .terminal = !quiet && !json && isatty(STDERR_FILENO), .shown = seconds_now() };
    d->period = d->terminal ? TERMINAL_PERIOD : json ? JSON_PERIOD : LINE_PERIOD;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

void display_clear(Display *d)
{
    if (d->terminal)
        fprintf(stderr, "\r\033[K");
}

int display_close(Display *d)
{
    display_clear(d);
    return d->lost ? ENVIRONMENT : FINE;
}

static void put(Display *d, const char *text)
{
    if (d->gone)
        return;
    fputs(text, stdout);
    if (!fflush(stdout) && !ferror(stdout))
        return;
    int error = errno;
    clearerr(stdout);
    d->gone = error == EPIPE || error == EIO;
    if (d->gone && !freopen("/dev/null", "w", stdout))
        d->lost = true;
    if (!d->gone && !d->lost) {
        d->lost = true;
        warn("standard output could not be written: %s; training goes on", strerror(error));
    }
}

void display_say(Display *d, const char *format, ...)
{
    char text[4096], shown[TEXT_GROWS * sizeof text];
    va_list args;
    if (d->quiet || d->json)
        return;
    display_clear(d);
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put(d, text_shown(shown, sizeof shown, text, "\n"));
}

bool display_event(Display *d, JsonWriter *w, const char *event)
{
    if (!d->json)
        return false;
    json_begin(w, NULL);
    json_object(w, NULL);
    json_string(w, "event", event);
    return true;
}

void display_event_end(Display *d, JsonWriter *w)
{
    json_close(w);
    json_newline(w);
    if (json_end(w))
        put(d, w->text);
    json_free(w);
}

void display_warn(Display *d, const char *format, ...)
{
    char text[1500];
    va_list args;
    JsonWriter w;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    display_clear(d);
    warn("%s", text);
    if (display_event(d, &w, "warning")) {
        json_string(&w, "text", text);
        display_event_end(d, &w);
    }
}

/* ---- the running epoch -------------------------------------------------------------------------------------------- */

static char *time_text(char *text, size_t room, double seconds)
{
    if (seconds < 100)
        snprintf(text, room, "%.0f s", seconds);
    else if (seconds < 6000)
        snprintf(text, room, "%.0f min", seconds / 60);
    else
        snprintf(text, room, "%.1f h", seconds / 3600);
    return text;
}

static int columns(void)
{
    struct winsize size;
    return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
}

static void show_bar(const Progress *p, const char *numbers, int width)
{
    char head[40], bar[BAR_MOST + 1], line[LINE + 80];
    int left = width - 1 - snprintf(head, sizeof head, "%d/%d ", p->epoch, p->training.epochs) - (int)strlen(numbers) - 3;
    int length = left < BAR_LEAST ? BAR_LEAST : left > BAR_MOST ? BAR_MOST : left;
    int full = (int)(length * p->position / p->examples);
    memset(bar, '.', (size_t)length);
    memset(bar, '#', (size_t)full);
    bar[length] = '\0';
    snprintf(line, sizeof line, "%s[%s] %s", head, bar, numbers);
    fprintf(stderr, "\r%.*s\033[K", width - 1, line);
    fflush(stderr);
}

static void step_event(Display *d, const Progress *p, double loss, double error, double norm, double speed, double left)
{
    JsonWriter w;
    if (!display_event(d, &w, "step"))
        return;
    json_integer(&w, "epoch", p->epoch);
    json_integer(&w, "position", p->position);
    json_integer(&w, "examples", p->examples);
    json_integer(&w, "updates", (int64_t)p->updates);
    json_double(&w, "train_loss", loss);
    json_double(&w, "train_error", error);
    json_double(&w, "grad_norm", norm);
    json_double(&w, "rate", p->rate);
    json_double(&w, "images_per_second", speed);
    json_double(&w, "seconds_left", left);
    display_event_end(d, &w);
}

void display_step(Display *d, const Progress *p, double norm, bool labels, double now)
{
    char numbers[LINE], time[32], error[40] = "";
    if (d->quiet || now - d->shown < d->period)
        return;
    d->shown = now;
    double done = p->position ? (double)p->position : 1, share = p->labels > 0 ? p->wrong / p->labels : 0, loss = p->loss_sum / done;
    double speed = p->train_seconds > 0 ? done / p->train_seconds : 0;
    double left = speed > 0 ? (double)(p->examples - p->position) / speed : 0;
    if (labels)
        snprintf(error, sizeof error, "  error %.2f %%", 100 * share);
    snprintf(numbers, sizeof numbers, "%s left  %.0f examples/s  loss %.4f%s  norm %.3g  rate %.3g", time_text(time, sizeof time, left),
             speed, loss, error, norm, p->rate);
    if (d->json)
        step_event(d, p, loss, labels ? share : (double)NAN, norm, speed, left);
    else if (d->terminal)
        show_bar(p, numbers, columns());
    else
        display_say(d, "epoch %d, %.0f %%  %s\n", p->epoch, 100.0 * (double)p->position / (double)p->examples, numbers);
}

void display_validating(Display *d, const Progress *p)
{
    if (d->terminal)
        fprintf(stderr, "\r%d/%d validating\033[K", p->epoch, p->training.epochs), fflush(stderr);
}
