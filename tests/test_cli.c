/* The command line: options, exit codes, what is written where, and what is left when something goes wrong. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <sys/stat.h>
#include <time.h>

#include "spnc_run.h"
#include "temporary.h"

static char folder[TEMPORARY_ROOM];

static const char tiny[] =
    "model: tiny\n"
    "params: { width: 4 }\n"
    "batch: 16\n"
    "inputs: { x: { shape: [5] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - h: { dense: x, units: $width, act: relu }\n"
    "  - v: { dense: h, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n";

static const char *in(const char *name)
{
    static char path[4][512];
    static int next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

static const char *write_file(const char *name, const char *text)
{
    const char *path = in(name);
    FILE *f = fopen(path, "w");
    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
    return path;
}

static bool is_there(const char *name) { return access(in(name), F_OK) == 0; }

static void set_up(void)
{
    temporary_folder(folder);
    write_file("tiny.yaml", tiny);
    setenv("CFLAGS", "-O0", 1);           /* the programs are built to be there, not to be fast */
    char cache[512];
    if (getcwd(cache, sizeof cache - 16))
        setenv("XDG_CACHE_HOME", strcat(cache, "/build/cache"), 0);
}

static void tear_down(void)
{
    run_program((const char *const[]){ "rm", "-rf", folder, NULL }, NULL);
}

TestSuite(cli, .init = set_up, .fini = tear_down, .timeout = 600);

#define SAYS(r, part) cr_expect(strstr((r).err, part) != NULL, "'%s' is not in: %s", part, (r).err)

Test(cli, help_and_version_are_answers)
{
    Run r = SPNC_RUN("--help");
    cr_expect(r.status == 0 && strstr(r.out, "Exit codes") && !*r.err);
    r = SPNC_RUN("build", "--help");
    cr_expect(r.status == 0 && strstr(r.out, "spnc build"));
    r = SPNC_RUN("--version");
    cr_expect(r.status == 0 && strncmp(r.out, "spnc ", 5) == 0);
}

Test(cli, a_small_amount_of_memory_is_said_in_a_small_unit)
{
    Run r = SPNC_RUN("check", in("tiny.yaml"), "--memory", "1K");
    cr_expect(r.status == 1 && strstr(r.err, ", more than the 1.0 KiB allowed"), "status %d, %s", r.status, r.err);
}

Test(cli, wrong_usage_ends_with_2)
{
    const char *model = in("tiny.yaml");
    struct { const char *const argv[6]; const char *says; } cases[] = {
        { { spnc_path(), NULL }, "spnc check" },
        { { spnc_path(), "chekc", model, NULL }, "did you mean 'check'" },
        { { spnc_path(), "check", NULL }, "needs a model" },
        { { spnc_path(), "check", model, model, NULL }, "one model at a time" },
        { { spnc_path(), "check", model, "--bacth", "3", NULL }, "did you mean '--batch'" },
        { { spnc_path(), "check", model, "--batch", NULL }, "needs a value" },
        { { spnc_path(), "check", model, "--batch", "0", NULL }, "1 to 65536" },
        { { spnc_path(), "check", model, "--batch", "99999999999999999999", NULL }, "1 to 65536" },
        { { spnc_path(), "check", model, "--batch", "3x", NULL }, "1 to 65536" },
        { { spnc_path(), "check", model, "--batch", "", NULL }, "1 to 65536" },
        { { spnc_path(), "check", model, "--memory", "-1", NULL }, "512M" },
        { { spnc_path(), "check", model, "--memory", "lots", NULL }, "512M" },
        { { spnc_path(), "check", model, "--target", "avx1024", NULL }, "--target cannot be" },
        { { spnc_path(), "check", model, "--precision", "half", NULL }, "--precision cannot be" },
        { { spnc_path(), "check", model, "--stage", "plam", NULL }, "did you mean 'plan'" },
        { { spnc_path(), "check", model, "--set", "width", NULL }, "KEY=VALUE" },
        { { spnc_path(), "check", model, "--set", "=4", NULL }, "KEY=VALUE" },
        { { spnc_path(), "build", model, "-o", "", NULL }, "-o takes a folder" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Run r = run_program(cases[i].argv, NULL);
        cr_expect(r.status == 2, "case %zu ends with %d: %s", i, r.status, r.err);
        SAYS(r, cases[i].says);
        cr_expect(r.out[0] == '\0', "case %zu writes to the standard output", i);
    }
}

Test(cli, a_wrong_model_ends_with_1_and_writes_nothing)
{
    const char *model = write_file("wrong.yaml", "model: tiny\nflow: nonsense\n");
    Run r = SPNC_RUN("build", model, "-o", in("out"));
    cr_expect(r.status == 1);
    SAYS(r, "wrong.yaml:2:7: error:");
    SAYS(r, "    2 | flow: nonsense\n      |       ^~~~~~~~\n");
    cr_expect(is_there("out") == false);
    r = SPNC_RUN("check", in("nothing.yaml"));
    cr_expect(r.status == 1);
    SAYS(r, "cannot open");
    r = SPNC_RUN("check", folder);
    cr_expect(r.status == 1);
}

Test(cli, errors_as_json_are_one_object_a_line)
{
    const char *model = write_file("wrong.yaml", "model: tiny\nflow: \"non\\\"sense\"\nx: 1\n");
    Run r = SPNC_RUN("check", model, "--json");
    cr_expect(r.status == 1);
    int objects = 0;
    for (char *line = strtok(r.err, "\n"); line; line = strtok(NULL, "\n"), objects++) {
        cr_expect(strncmp(line, "{\"severity\": \"", 14) == 0, "%s", line);
        cr_expect(line[strlen(line) - 1] == '}', "%s", line);
        cr_expect(strstr(line, "\"line\": ") && strstr(line, "\"column\": ") && strstr(line, "\"message\": "), "%s", line);
    }
    cr_expect(objects >= 2);
}

Test(cli, stages_and_show_go_to_the_standard_output)
{
    static const char *const stages[] = { "graph", "steps", "grad", "fuse", "plan" };
    for (int i = 0; i < 5; i++) {
        Run r = SPNC_RUN("check", in("tiny.yaml"), "--stage", stages[i]);
        cr_expect(r.status == 0 && strstr(r.out, "v") && !*r.err, "%s: %s", stages[i], r.err);
    }
    Run r = SPNC_RUN("show", in("tiny.yaml"), "--set", "width=7");
    cr_expect(r.status == 0 && strstr(r.out, "width=7"));
    r = SPNC_RUN("show", in("tiny.yaml"), "--json");
    cr_expect(r.status == 0 && r.out[0] == '{' && strstr(r.out, "\"layers\""));
}

Test(cli, names_of_files_and_settings_do_no_harm)
{
    cr_assert(mkdir(in("a *"), 0777) == 0);
    write_file("a */ \"q\" $(touch x)\n#.yaml", tiny);
    write_file("text.yaml", "model: tiny\nparams: { width: 4, note: none }\nbatch: 16\ninputs: { x: { shape: [5] } }\ntargets: { y: { classes: 3 } }\n"
                            "flow:\n  - v: { dense: x, units: 3 }\nloss: { cross_entropy: [v, y] }\n");
    Run r = SPNC_RUN("build", in("a */ \"q\" $(touch x)\n#.yaml"), "-o", in("out one"));
    cr_expect(r.status == 0, "%s", r.err);
    cr_expect(is_there("out one/tiny"));
    r = SPNC_RUN("build", in("text.yaml"), "--set", "note=*/ \"\\\n?\?/ #include <x>", "-o", in("out two"));
    cr_expect(r.status == 0, "%s", r.err);
    cr_expect(is_there("out two/tiny"));
}

Test(cli, the_folder_builds_again_with_make_alone)
{
    Run r = SPNC_RUN("build", in("tiny.yaml"), "-o", in("out"));
    cr_assert(r.status == 0, "%s", r.err);
    cr_expect(is_there("out/tiny") && is_there("out/tiny.c") && is_there("out/Makefile"));
    const char *away = in("elsewhere");
    cr_assert(rename(in("out"), away) == 0);
    r = run_program((const char *const[]){ "env", "-u", "SPNC", "make", "-s", "-C", away, "clean", NULL }, NULL);
    cr_expect(r.status == 0 && !is_there("elsewhere/tiny"));
    char path[8192];                        /* a spnc that would be found there leaves a mark */
    cr_assert(mkdir(in("bin"), 0777) == 0);
    snprintf(path, sizeof path, "#!/bin/sh\n: >'%s'\n", in("called"));
    cr_assert(chmod(write_file("bin/spnc", path), 0777) == 0);
    snprintf(path, sizeof path, "PATH=%s:%s", in("bin"), getenv("PATH"));
    r = run_program((const char *const[]){ "env", "-u", "SPNC", path, "make", "-s", "-j2", "-C", in("elsewhere"), NULL }, NULL);
    cr_expect(r.status == 0 && !*r.err, "%s", r.err);
    cr_expect(not(is_there("called")), "the folder's Makefile calls spnc");
    r = run_program((const char *const[]){ in("elsewhere/tiny"), "info", NULL }, NULL);
    cr_expect(r.status == 0 && strstr(r.out, "tiny"), "%s", r.err);
}

Test(cli, what_has_not_changed_keeps_its_time)
{
    Run r = SPNC_RUN("emit", in("tiny.yaml"), "-o", in("out"));
    cr_assert(r.status == 0, "%s", r.err);
    struct stat c, makefile, now;
    struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
    utimensat(AT_FDCWD, in("out/tiny.c"), old, 0);
    utimensat(AT_FDCWD, in("out/Makefile"), old, 0);
    stat(in("out/tiny.c"), &c), stat(in("out/Makefile"), &makefile);
    r = SPNC_RUN("emit", in("tiny.yaml"), "-o", in("out"));
    cr_assert(r.status == 0);
    cr_expect(stat(in("out/tiny.c"), &now) == 0 && now.st_mtime == c.st_mtime);
    r = SPNC_RUN("emit", in("tiny.yaml"), "--set", "width=9", "-o", in("out"));
    cr_assert(r.status == 0);
    cr_expect(stat(in("out/tiny.c"), &now) == 0 && now.st_mtime != c.st_mtime);
    cr_expect(stat(in("out/Makefile"), &now) == 0 && now.st_mtime == makefile.st_mtime);
}

static void append(const char *name, const char *text)
{
    FILE *f = fopen(in(name), "a");
    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static bool ends_with(const char *name, const char *text)
{
    static char bytes[1 << 20];
    FILE *f = fopen(in(name), "r");
    size_t n = f ? fread(bytes, 1, sizeof bytes - 1, f) : 0;
    if (f)
        fclose(f);
    bytes[n] = 0;
    return n >= strlen(text) && strcmp(bytes + n - strlen(text), text) == 0;
}

Test(cli, an_edited_file_is_never_overwritten_silently)
{
    const char *model = in("tiny.yaml"), *edit = "/* mine */\n";
    Run r = SPNC_RUN("build", model, "-o", in("out"));
    cr_assert(r.status == 0, "%s", r.err);
    append("out/tiny.c", edit);
    append("out/runtime/loss_of_mine.c", edit);
    r = run_program((const char *const[]){ "make", "-C", in("out"), NULL }, NULL);
    cr_expect(r.status == 0, "an edited folder no longer builds by make: %s", r.err);
    struct stat before, now;
    utimensat(AT_FDCWD, in("out/Makefile"), (struct timespec[]){ { 1000000000, 0 }, { 1000000000, 0 } }, 0);
    stat(in("out/Makefile"), &before);
    r = SPNC_RUN("build", in("tiny.yaml"), "--set", "width=9", "--target", "generic", "-o", in("out"));
    cr_expect(r.status == 1, "%d", r.status);
    SAYS(r, "out/tiny.c:");
    SAYS(r, "error: edited since spnc wrote it");
    SAYS(r, "--force");
    cr_expect(ends_with("out/tiny.c", edit), "the edit is gone");
    cr_expect(stat(in("out/Makefile"), &now) == 0 && now.st_mtime == before.st_mtime && now.st_size == before.st_size, "half of the folder was written");
    r = SPNC_RUN("build", in("tiny.yaml"), "--set", "width=9", "--force", "-o", in("out"));
    cr_expect(r.status == 0, "%s", r.err);
    cr_expect(ends_with("out/tiny.c.edited", edit));
    cr_expect(not(ends_with("out/tiny.c", edit)));
    append("out/tiny.c", "/* again */\n");
    r = SPNC_RUN("emit", in("tiny.yaml"), "--force", "-o", in("out"));
    cr_expect(r.status == 0 && ends_with("out/tiny.c.edited", edit) && ends_with("out/tiny.c.edited2", "/* again */\n"));
    r = SPNC_RUN("emit", in("tiny.yaml"), "-o", in("out"));
    cr_expect(r.status == 0, "an untouched folder was refused: %s", r.err);
}

Test(cli, a_file_that_spnc_did_not_write_is_not_overwritten)
{
    cr_assert(mkdir(in("out"), 0777) == 0);
    write_file("out/Makefile", "all:\n\techo mine\n");
    Run r = SPNC_RUN("emit", in("tiny.yaml"), "-o", in("out"));
    cr_expect(r.status == 1, "%d", r.status);
    SAYS(r, "out/Makefile:1:1: error: this file is there already");
    cr_expect(ends_with("out/Makefile", "echo mine\n"));
    cr_expect(not(is_there("out/tiny.c")));
}

Test(cli, a_run_cut_short_leaves_nothing_that_looks_edited)
{
    Run r = SPNC_RUN("emit", in("tiny.yaml"), "-o", in("out"));
    cr_assert(r.status == 0);
    struct stat old, now;
    stat(in("out/Makefile"), &old);
    char command[2048];                     /* a limit on the size of files ends it between the Makefile and tiny.c */
    snprintf(command, sizeof command, "ulimit -f 40; exec %s emit %s --set width=9 --target generic --precision double -o %s", spnc_path(), in("tiny.yaml"), in("out"));
    r = run_program((const char *const[]){ "sh", "-c", command, NULL }, NULL);
    cr_expect(r.status != 0);
    cr_assert(stat(in("out/Makefile"), &now) == 0 && now.st_size != old.st_size, "it was to be written before");
    r = SPNC_RUN("emit", in("tiny.yaml"), "--set", "width=5", "-o", in("out"));
    cr_expect(r.status == 0, "%s", r.err);
}

Test(cli, a_folder_that_cannot_be_written_ends_with_74)
{
    write_file("file", "");
    Run r = SPNC_RUN("emit", in("tiny.yaml"), "-o", in("file"));
    cr_expect(r.status == 74, "%d", r.status);
    r = SPNC_RUN("emit", in("tiny.yaml"), "-o", in("file/below"));
    cr_expect(r.status == 74);
    SAYS(r, "cannot make the folder");
    cr_assert(mkdir(in("out"), 0777) == 0 && mkdir(in("out/tiny.c"), 0777) == 0);
    r = SPNC_RUN("emit", in("tiny.yaml"), "-o", in("out"));
    cr_expect(r.status == 74);
    SAYS(r, "out/tiny.c: cannot write");
    r = SPNC_RUN("emit", in("tiny.yaml"), "-o", "/proc/nobody/writes/here");
    cr_expect(r.status == 74);
}

/* A pipe where a file is to be written has no writer, and would be read for ever. */
Test(cli, a_pipe_in_place_of_a_file_ends_with_74, .timeout = 300)
{
    static const char *const files[] = { "out/tiny.c", "out/Makefile", "out/.spnc", "out/runtime/net.h" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        cr_expect(SPNC_RUN("emit", in("tiny.yaml"), "-o", in("out")).status == 0);
        cr_assert(remove(in(files[i])) == 0 && mkfifo(in(files[i]), 0600) == 0);
        Run r = SPNC_RUN("emit", in("tiny.yaml"), "-o", in("out"));
        cr_expect(r.status == 74, "%s: %d", files[i], r.status);
        SAYS(r, files[i]);
        SAYS(r, "expected a regular file or none");
        cr_assert(remove(in(files[i])) == 0);
    }
}

Test(cli, a_full_disk_ends_with_74)
{
    if (access("/dev/full", W_OK) != 0)
        cr_skip("no /dev/full");
    Run r = run_program((const char *const[]){ spnc_path(), "show", in("tiny.yaml"), NULL }, "/dev/full");
    cr_expect(r.status == 74, "%d", r.status);
    SAYS(r, "cannot write");
}

Test(cli, no_compiler_ends_with_74)
{
    char cc[512];
    snprintf(cc, sizeof cc, "CC=%s", in("no-compiler"));
    Run r = run_program((const char *const[]){ "env", cc, spnc_path(), "build", in("tiny.yaml"), "-o", in("out"), NULL }, NULL);
    cr_expect(r.status == 74, "%d", r.status);
    SAYS(r, "the C compiler failed");
    r = run_program((const char *const[]){ "env", "PATH=/nonexistent", spnc_path(), "build", in("tiny.yaml"), "-o", in("out"), NULL }, NULL);
    cr_expect(r.status == 74, "%d", r.status);
    SAYS(r, "cannot run make");
}

/* Every source of the folder is whole or absent, and nothing temporary is left. */
static void expect_clean(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        cr_expect(strstr(e->d_name, ".tmp") == NULL, "%s/%s is left", path, e->d_name);
    if (d)
        closedir(d);
}

Test(cli, an_interrupted_build_leaves_nothing_half_written)
{
    static const int delays_ms[] = { 1, 4, 8, 15, 40, 300 };
    for (int i = 0; i < 6; i++) {
        pid_t child = fork();
        if (child == 0) {
            int nowhere = open("/dev/null", O_WRONLY);
            dup2(nowhere, 1), dup2(nowhere, 2);
            execlp(spnc_path(), "spnc", "build", in("tiny.yaml"), "-o", in("out"), (char *)NULL);
            _exit(127);
        }
        nanosleep(&(struct timespec){ 0, delays_ms[i] * 1000000L }, NULL);
        kill(child, SIGINT);
        int status = 0;
        waitpid(child, &status, 0);
        bool ended = WIFSIGNALED(status) ? WTERMSIG(status) == SIGINT : WEXITSTATUS(status) == 128 + SIGINT || WEXITSTATUS(status) == 0;
        cr_expect(ended, "after %d ms: status %x", delays_ms[i], (unsigned)status);
        expect_clean(in("out"));
        expect_clean(in("out/runtime"));
    }
    Run r = SPNC_RUN("build", in("tiny.yaml"), "-o", in("out"));
    cr_expect(r.status == 0, "%s", r.err);
    r = run_program((const char *const[]){ in("out/tiny"), "info", NULL }, NULL);
    cr_expect(r.status == 0);
}
