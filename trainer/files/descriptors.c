/* descriptors.c -- closed descriptors of standard input, output and error, opened on /dev/null. */
#define _POSIX_C_SOURCE 200809L
#include "files/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

void descriptors_open(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}
