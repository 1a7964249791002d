/* main.c -- the command line of a trainer: which commands there are, which options they take, and their help.
 *
 * One table of options, one of commands; parsing (files/arguments.c), help and error messages all come from the two.
 * main() itself only checks the processor and opens what is not open: every file here is compiled for the target, and the error message
 * about a missing instruction must come before the first such instruction. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "files/arguments.h"
#include "files/descriptors.h"
#include "files/version.h"
#include "inspect/inspect.h"
#include "net.h"
#include "ranks.h"
#include "report/report.h"
#include "run/eval.h"
#include "run/message.h"
#include "run/settings.h"
#include "run/threads.h"
#include "trainer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT(field) offsetof(Options, field), 0
static const Option options[] = {
    { "--data", "DIR", TEXT, AT(data), "folder with {train,valid,test}_NAME.npy" },
    { "--run", "DIR", TEXT, AT(run), "folder with the checkpoints and the log of a training run" },
    { "--runs", "DIR", TEXT, AT(runs), "folder for the run folders of a sweep, and its table" },
    { "--weights", "FILE", TEXT, AT(weights), "parameters from a .npz or .safetensors file" },
    { "-o", "FILE", TEXT, AT(out), "file to write" },
    { "--split", "train|valid|test", CHOICE, AT(split), "which examples (default test)" },
    { "--mode", "eval|train", CHOICE, AT(mode), "with dropout, augmentation and the batch's own statistics (train) or without (eval, the default)" },
    { "--first", "I", INT64(0, INT64_MAX), AT(first), "the batch starts at example I (from 0)" },
    { "--count", "N", INT64(1, 1000000000), AT(count), "how many examples (default 10)" },
    { "--index", "I", INT64(0, INT64_MAX), AT(index), "example I alone (from 0)" },
    { "--layer", "NAME", TEXT, AT(layer), "a value of the flow, a layer (front.conv1), or a parameter; without it, a list of them" },
    { "--what", "value|gradient|weights", CHOICE, AT(what), "the layer's result (default), the loss's gradient to it, or its parameters" },
    { "--example", "I", INT64(0, INT64_MAX), AT(example), "example I alone, as a batch of one (from 0)" },
    { "--step", "T", INT64(0, INT64_MAX), AT(step), "step T of a repeat alone (from 0)" },
    { "--epoch", "E", INT64(0, INT64_MAX), AT(epoch), "with --mode train: the examples as augmentation makes them in epoch E (from 0)" },
    { "--epochs", "N", INT(1, 1000000000), AT(epochs), "stop after N epochs (default: the model's)" },
    { "--seed", "N", SEED, offsetof(Options, seed), offsetof(Options, seed_given),
      "start of all random numbers (default: the model's)" },
    { "--threads", "N", INT(1, 1024), AT(threads), "threads (default: the processors that the machine, OMP_NUM_THREADS and quotas leave); the bits do not depend on it" },
    { "--steps", "N", INT(1, 1000000000), AT(steps), "how many steps are measured (default 20)" },
    { "--resume", NULL, FLAG, AT(resume), "go on from the run's last checkpoint, to the same bits" },
    { "--init", "FILE", TEXT, AT(init), "start from the weights of this .npz or .safetensors, as far as names and shapes agree" },
    { "--only", "PREFIX[,...]", TEXT, AT(only), "take only parameters whose names begin so, but all of these: front, classify.conv1" },
    { "--rename", "FILE", TEXT, AT(rename), "names of --init's file for those here: lines of NAME-THERE NAME-HERE, or of prefixes that end in a dot" },
    { "--last", NULL, FLAG, AT(last), "take the newest checkpoint, not the best" },
    { "--average", NULL, FLAG, AT(average), "the average of the weights that the run keeps (train: average), which eval and an .onnx take; else the weights as updates left them" },
    { "--buffers", NULL, FLAG, AT(buffers), "running statistics too: the default" },
    { "--parameters-only", NULL, FLAG, AT(parameters_only), "without the running statistics of batch norms" },
    { "--picture", "FILE.png", TEXT, AT(picture), "draw the examples, what was looked at, and what was read" },
    { "--fit", NULL, FLAG, AT(fit), "scale pictures of other sizes to fit into the input, black around" },
    { "--ground", "G", INT(0, 255), AT(ground), "what lies behind transparent pictures: 0 black to 255 white (default: they are refused)" },
    { "--set", "NAME=VALUE", OWN, AT(training),
      "a setting of this run, which `info` lists: train.rate, .epochs, .patience, .seed, a number of the schedule, a dropout rate; may be given several times" },
    { "--max-time", "DURATION", DURATION, AT(max_time), "stop after a step at 90s, 10m or 2h: save, evaluate, exit 0" },
    { "--save-every", "DURATION", DURATION, AT(save_every), "save within an epoch too (default 5m)" },
    { "--overfit-one-batch", NULL, FLAG, AT(overfit), "train on one batch until its loss is near zero: the first test of a net" },
    { "--lr-find", NULL, FLAG, AT(lr_find), "raise the rate step by step, print what the loss does, and suggest one" },
    { "--wait", NULL, FLAG, AT(wait), "wait for the runs that another process trains, and count them too" },
    { "--quiet", NULL, FLAG, AT(quiet), "print nothing but errors and warnings" },
    { "--json", NULL, FLAG, AT(json), "print JSON: one object, or, while training, one a line" },
};
enum { OPTIONS = sizeof options / sizeof *options };

typedef struct {
    const char *name;
    int (*run)(const Options *);
    const char *operands;                      /* what may stand without an option, or NULL */
    const char *needs, *takes, *does, *more;   /* lists of options, space around each */
} Command;

static const Command commands[] = {
    { "train", command_train, NULL, " --data ",
      " --run --resume --init --only --rename --epochs --seed --set --threads --max-time --save-every --overfit-one-batch --lr-find --quiet --json ",
      "train the net", "Writes log.jsonl and the checkpoints `last` and `best` to the run folder (needed, but for\n"
      "--overfit-one-batch and --lr-find, which write nothing).  Ctrl-C, SIGTERM and SIGUSR1 finish the step and save." },
    { "sweep", command_sweep, "FILE", " --data --runs ", " --threads --wait ", "a training for every combination of settings, and a table",
      "FILE is YAML as train.rate: [0.001, 0.0005]; any setting of `train --set` will do.  Runs that are finished are\n"
      "skipped, interrupted ones go on.  Seeds are one row: mean, spread, interval; also in sweep.md and sweep.json." },
    { "eval", command_eval, NULL, " --data ", " --run --weights --split --threads --last --json ", "loss and error on a split",
      "Takes the run's best weights (the last if there are none), or those of a file; each example counts once." },
    { "predict", command_predict, "[PICTURE...]", " ",
      " --data --run --weights --split --count --index --threads --last --fit --ground -o --picture --json ",
      "what the net answers to single examples",
      "Prints classes with probabilities, all other values that the loss reads, and transforms; -o keeps all of it in an .npz.\n"
      "Examples are those of --data DIR, or pictures: PNG, JPEG, PBM, PGM, PPM, PAM or .npy files, folders of them, - for standard input,\n"
      "whose pictures are answered as they arrive.  A file may hold several." },
    { "report", command_report, NULL, " --run --data ", " --threads ", "report.html and its pictures, in the run folder",
      "Curves, results, what the net saw and read, its worst mistakes; of the best weights.  Training writes it too." },
    { "compare", command_compare, "RUN RUN...", " --data ", " --split --threads --last --json ", "runs side by side on the same examples",
      "With 95 % intervals (Wilson) and McNemar's test.  A RUN is a run folder of this model, or, for any other model, the\n"
      "file that its `predict --count N -o FILE.npz` wrote for all N examples of the split." },
    { "check", command_check, NULL, " ", " --data --seed --threads --json ", "gradients against central differences",
      "Without --data on made-up examples.  Exit 1 when a gradient is out of bounds; ends within a minute." },
    { "grad", command_grad, NULL, " --weights --data -o ", " --split --first --mode --threads ",
      "loss, values and gradients of one batch", "Writes an .npz with loss, out/NAME and grad/PARAM." },
    { "export", command_export, NULL, " -o ", " --run --seed --last --average --buffers --parameters-only ", "parameters and running statistics to .npz or .safetensors, or the net to .onnx",
      "Of a run's best checkpoint, or, without --run, those that `train --seed N` starts from." },
    { "bench", command_bench, NULL, " ", " --threads --json ", "time of a training step, and the machine's peak", "" },
    { "profile", command_profile, NULL, " ", " --threads --steps --json ", "where the time of a training step goes",
      "Each operator's time, rate, share of the machine's peak and bytes, with its line of the model; and what threads wait." },
    { "replay", command_replay, "nonfinite.npz", " ", " --threads ", "the step in which a number went wrong, once more",
      "Runs the nonfinite.npz that train left in its run folder, and names the operator that made the first NaN or infinity." },
    { "dump", command_dump, NULL, " ",
      " --layer --what --data --split --first --example --step --mode --epoch --run --last --weights --seed --threads -o ",
      "any tensor as numbers and as a picture", "Writes OUT.npy and OUT.png (-o OUT; -o OUT.npy or OUT.png: that one alone).  Values and gradients are those of the batch that\n"
      "starts at example --first, in the shape that `grad` gives; weights come from --run, --weights, or the start of --seed." },
    { "info", command_info, NULL, " ", " --json ", "the model, its parameters, its memory", "" },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* ---- help ------------------------------------------------------------------------------------------------------ */

/* True if the command takes the option, required or not. */
static bool takes(const Command *c, const Option *o) { return option_listed(c->needs, o->name) || option_listed(c->takes, o->name); }

static int help_all(FILE *out)
{
    fprintf(out, "%s: %s\n\nusage: %s COMMAND [options]\n\n", net.name, net.about && *net.about ? net.about : "a trainer", net.name);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].does);
    fprintf(out, "\n%s COMMAND --help shows the options of a command, %s --version the model and the build.\n", net.name, net.name);
    return FINE;
}

/* Two programs of the same first two lines go on from each other's checkpoints. */
static int version(void)
{
    printf("%s%s%s\nmodel hash %s\n%s, %s form, for %s; made by spnc " SPN_VERSION "\n", net.name, *net.settings ? " " : "", net.settings, net.hash, net.precision,
           net.form, net.target);
    return FINE;
}

static int help_command(const Command *c)
{
    printf("usage: %s %s", net.name, c->name);
    for (int i = 0; i < OPTIONS; i++)
        if (option_listed(c->needs, options[i].name))
            printf(" %s %s", options[i].name, options[i].argument);
    printf("%s%s [options]\n%s%s%s\n\n", c->operands ? " " : "", c->operands ? c->operands : "", c->does, *c->more ? ".  " : "", c->more);
    for (int i = 0; i < OPTIONS; i++)
        if (takes(c, &options[i]))
            option_print(&options[i], 26, option_listed(c->needs, options[i].name) ? " (needed)" : "");
    return FINE;
}

/* ---- parsing --------------------------------------------------------------------------------------------------- */

static _Noreturn void wrong_value(const Option *o, const OptionError *e)
{
    switch (e->fault) {
    case OPTION_TAKES_NONE: fail(WRONG_USAGE, "%s takes no value, got '%s'", o->name, e->value);
    case OPTION_NEEDS_VALUE: fail(WRONG_USAGE, "%s needs a value: %s %s", o->name, o->name, o->argument);
    default: break;
    }
    if (o->kind == OPTION_TEXT)
        fail(WRONG_USAGE, "%s: got an empty text, expected %s", o->name, e->expected);
    fail(WRONG_USAGE, "%s: got '%s', expected %s", o->name, e->value, e->expected);
}

static _Noreturn void unknown(const Command *c, const char *text)
{
    const char *names[OPTIONS + 1];
    int count = 0;
    for (int i = 0; i < OPTIONS; i++)
        if (takes(c, &options[i]))
            names[count++] = options[i].name;
    names[count++] = "--help";
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)option_length(text), text);
    if (*text != '-')
        fail(WRONG_USAGE, "%s: '%s' is not expected here; options begin with --, see %s %s --help", c->name, text, net.name, c->name);
    fail(WRONG_USAGE, "%s: unknown option '%s'%s; see %s %s --help", c->name, word, nearest_text(" (did you mean ", word, names, count, "?)"), net.name, c->name);
}

/* MPI is started first, so that several ranks report what is wrong with the command line once; but not for a sweep, which starts other processes. */
static void open_ranks(const char *command)
{
    static const char *const sizes[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS" };
    const bool sweeps = command && !strcmp(command, "sweep"), several = command && (!strcmp(command, "train") || !strcmp(command, "eval") || !strcmp(command, "bench"));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && sweeps && ranks_can(); i++)
        if (getenv(sizes[i]) && atoi(getenv(sizes[i])) > 1)
            fail(WRONG_USAGE, "sweep is for one process; start it without mpirun, and several of them side by side if there are more machines");
    if (!sweeps && ranks_open())
        fail(ENVIRONMENT, "MPI could not be started for a program with threads");
    if (!several && ranks_count() > 1 && command && *command != '-')
        fail(WRONG_USAGE, "%s is for one process: start it without mpirun", command);
}

static __attribute__((noinline)) int run(int argc, char **argv)
{
    const char *names[COMMANDS + 2];
    const Command *c = NULL;
    open_ranks(argc > 1 ? argv[1] : NULL);
    if (argc < 2) {
        help_all(stderr);
        return WRONG_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return help_all(stdout);
    if (!strcmp(argv[1], "--version"))
        return version();
    for (int i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].name;
        if (!strcmp(argv[1], names[i]))
            c = &commands[i];
    }
    names[COMMANDS] = "--help", names[COMMANDS + 1] = "--version";
    if (!c)
        fail(WRONG_USAGE, "unknown command '%s'%s; see %s --help", argv[1], nearest_text(" (did you mean ", argv[1], names, COMMANDS + 2, "?)"), net.name);
    Options o = { .threads = threads_default(), .count = 10, .steps = 20, .index = -1, .step = -1, .example = -1, .ground = -1, .what = "value", .split = "test", .mode = "eval",
                  .save_every = 300, .training = *net.training, .program = argv[0] };
    bool given[OPTIONS] = { false };
    for (int i = 2; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return help_command(c);
    o.operands = need_memory((size_t)argc * sizeof *o.operands, "the command line");
    for (int i = 2; i < argc; i++) {
        if (c->operands && (*argv[i] != '-' || !argv[i][1])) {
            o.operands[o.operand_count++] = argv[i];
            continue;
        }
        const Option *option = option_find(options, OPTIONS, argv[i]);
        const char *value;
        OptionError e;
        if (!option || !takes(c, option))
            unknown(c, argv[i]);
        if (!option_read(&o, &value, option, argc, argv, &i, &e))
            wrong_value(option, &e);
        if (option->kind == OPTION_OWN)
            settings_set(&o.training, &o.settings, value);
        given[option - options] = true;
    }
    for (int i = 0; i < OPTIONS; i++)
        if (option_listed(c->needs, options[i].name) && !given[i])
            fail(WRONG_USAGE, "%s needs %s %s: %s", c->name, options[i].name, options[i].argument, options[i].help);
    int code = c->run(&o);
    free(o.operands);
    if (fflush(stdout) || ferror(stdout))
        fail(ENVIRONMENT, "standard output could not be written: %s", strerror(errno));
    return code;
}

static bool processor_fits(void)
{
#if defined SPN_AVX512
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
#elif defined SPN_AVX2
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return true;
#endif
}

/* How long a thread spins at a barrier, unless the user has set it.  libgomp's default, milliseconds, is good while no other program uses the
 * processor.  Beside a busy program the last thread gets no processor, and a step takes many times as long (docs/performance.md).
 *
 * libgomp reads GOMP_SPINCOUNT in its constructor, before main().  Functions of .preinit_array come before any library's constructor, and before
 * libc's, which then takes the environment as the kernel left it: so an entry of that which no library reads is exchanged, and put back by a
 * constructor of the program, which comes after those of the libraries.  Where there is no such entry the default stays. */
static char **exchanged, *kept;

static bool begins(const char *entry, const char *name) { return strncmp(entry, name, strlen(name)) == 0; }

static void wait_briefly(int argc, char **argv, char **env)
{
    static char setting[] = "GOMP_SPINCOUNT=1000";
    static const char *const unread[] = { "_=", "OLDPWD=", "SHLVL=", "PWD=", "TERM=", "LOGNAME=", "USER=", "HOME=" };
    (void)argc, (void)argv;
    for (char **e = env; *e; e++)
        if (begins(*e, "GOMP_SPINCOUNT=") || begins(*e, "OMP_WAIT_POLICY="))
            return;
    if (strcmp(net.form, "plain") == 0)
        return;
    for (size_t i = 0; i < sizeof unread / sizeof *unread && !exchanged; i++)
        for (char **e = env; *e && !exchanged; e++)
            if (begins(*e, unread[i]))
                exchanged = e;
    if (exchanged)
        kept = *exchanged, *exchanged = setting;
}
static void (*wait_first)(int, char **, char **) __attribute__((section(".preinit_array"), used)) = wait_briefly;

__attribute__((constructor)) static void put_back(void)
{
    if (exchanged)
        *exchanged = kept;
}

int main(int argc, char **argv)
{
    descriptors_open();
    if (processor_fits())
        return run(argc, argv);
    fprintf(stderr, "%s: error: this program was built for " SPN_TARGET ", which this processor does not have;"
            " build it again with --target native or --target generic\n", argv[0]);
    return WRONG_INPUT;
}
