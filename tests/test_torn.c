/* test_torn.c -- a mapped file that is cut short while it is read: said and ended with 74, or gone on with zeros where that was wished. */
#define _DEFAULT_SOURCE
#include "fixtures/tiny_net.c"
#include "folder.h"
#include "run/message.h"
#include "run/torn.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>
#include <sys/wait.h>

enum { PAGES = 4 };
static ArrayMap map;
static size_t page;

static void begin(void)
{
    ArrayError e;
    page = (size_t)sysconf(_SC_PAGESIZE);
    folder_make();
    char *bytes = malloc(PAGES * page);
    memset(bytes, 7, PAGES * page);
    file_put("data", bytes, PAGES * page);
    free(bytes);
    cr_assert(array_map_open(&map, "data", &e));
    torn_watch(map.data, map.size, "data");
}

static void end(void)
{
    torn_forget(map.data);
    array_map_close(&map);
    folder_remove();
}

TestSuite(torn, .init = begin, .fini = end);

static int read_at(size_t i) { return ((const volatile unsigned char *)map.data)[i]; }

Test(torn, a_whole_file_is_read)
{
    cr_assert(not(torn_look()));
    cr_assert(eq(int, read_at(PAGES * page - 1), 7));
    file_put("other", "x", 1);
    cr_assert(rename("other", "data") == 0);
    cr_assert(not(torn_look()), "another file has its name; this one is whole");
}

Test(torn, a_read_behind_the_end_gives_zeros_if_it_may)
{
    torn_go_on();
    cr_assert(truncate("data", (off_t)page) == 0);
    cr_assert(eq(int, read_at(page - 1), 7));
    cr_assert(eq(int, torn, 0));
    cr_assert(eq(int, read_at(2 * page), 0));
    cr_assert(torn != 0);
    cr_assert(eq(int, read_at(PAGES * page - 1), 0));
    cr_assert(eq(int, read_at(page - 1), 7), "what is there is still read");
}

Test(torn, a_shorter_file_is_noticed_where_its_last_page_hides_it)
{
    torn_go_on();
    cr_assert(truncate("data", (off_t)(PAGES * page - 1)) == 0);
    cr_assert(eq(int, read_at(PAGES * page - 1), 0));
    cr_assert(eq(int, torn, 0));
    cr_assert(torn_look());
    cr_assert(torn != 0);
}

Test(torn, ends_with_74_and_the_name, .exit_code = ENVIRONMENT)
{
    cr_redirect_stderr();
    if (truncate("data", 0))
        abort();
    read_at(0);
}

Test(torn, says_which_file_it_was)
{
    int ends[2], status;
    char said[500];
    cr_assert(pipe(ends) == 0 && truncate("data", 0) == 0);
    pid_t child = fork();
    if (!child) {
        dup2(ends[1], STDERR_FILENO);
        read_at(page + 5);
        _exit(0);
    }
    close(ends[1]);
    ssize_t n = read(ends[0], said, sizeof said - 1), more;
    while (n > 0 && (more = read(ends[0], said + n, sizeof said - 1 - (size_t)n)) > 0)
        n += more;
    said[n > 0 ? n : 0] = '\0';
    cr_assert(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == ENVIRONMENT, "%d", status);
    cr_assert(strstr(said, "tiny: error: data: another program cut this file short") != NULL, "%s", said);
}

Test(torn, a_signal_that_is_of_no_file_keeps_its_meaning, .signal = SIGBUS)
{
    torn_go_on();
    raise(SIGBUS);
}

Test(torn, a_file_that_is_not_watched_any_more_keeps_its_signal, .signal = SIGBUS)
{
    torn_forget(map.data);
    if (truncate("data", 0))
        abort();
    read_at(0);
}
