/* test_commands.c -- the two tables of a trainer's command line agree: a list of options holds no name without a row, no row is without a
 * command, and the help of a command has exactly the rows that it needs and takes. */
#define _GNU_SOURCE
#define main trainer_main
#include "../trainer/main.c"
#undef main
#undef AT                                      /* vec.h has one too */
#include "fixtures/tiny_net.c"

#include <criterion/criterion.h>
#include <criterion/redirect.h>

static bool has_row(const char *name, size_t length)
{
    for (int i = 0; i < OPTIONS; i++)
        if (strlen(options[i].name) == length && !strncmp(options[i].name, name, length))
            return true;
    return false;
}

Test(commands, every_name_in_a_list_is_an_option)
{
    for (int i = 0; i < COMMANDS; i++)
        for (int k = 0; k < 2; k++) {
            const char *list = k ? commands[i].takes : commands[i].needs;
            cr_expect(*list == ' ' && list[strlen(list) - 1] == ' ', "a list of %s does not begin and end with a space", commands[i].name);
            for (const char *p = list + strspn(list, " "); *p; p += strcspn(p, " "), p += strspn(p, " "))
                cr_expect(has_row(p, strcspn(p, " ")), "%s lists %.*s, which is no option", commands[i].name, (int)strcspn(p, " "), p);
        }
}

Test(commands, every_option_is_of_some_command_and_has_a_name_of_its_own)
{
    for (int i = 0; i < OPTIONS; i++) {
        int by = 0, same = 0;
        for (int c = 0; c < COMMANDS; c++)
            by += takes(&commands[c], &options[i]);
        for (int k = 0; k < OPTIONS; k++)
            same += !strcmp(options[i].name, options[k].name);
        cr_expect(by > 0 && same == 1, "%s: of %d commands, %d rows", options[i].name, by, same);
        cr_expect((options[i].kind == OPTION_FLAG) == !options[i].argument, "%s", options[i].name);
    }
}

Test(commands, the_help_of_a_command_has_its_options_and_no_others, .init = cr_redirect_stdout)
{
    for (int c = 0; c < COMMANDS; c++) {
        static char text[1 << 14];
        char *argv[] = { (char *)(uintptr_t)"tiny", (char *)(uintptr_t)commands[c].name, (char *)(uintptr_t)"--help" };
        cr_expect(run(3, argv) == FINE);
        fflush(stdout);
        text[fread(text, 1, sizeof text - 1, cr_get_redirected_stdout())] = 0;
        for (int i = 0; i < OPTIONS; i++) {
            char line[64];
            snprintf(line, sizeof line, "\n  %s ", options[i].name);
            const char *at = strstr(text, line);
            cr_expect((at != NULL) == takes(&commands[c], &options[i]), "%s --help and %s", commands[c].name, options[i].name);
            cr_expect(!at || strstr(at, options[i].help), "%s --help: %s", commands[c].name, options[i].name);
        }
    }
}
