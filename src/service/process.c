#include "service/process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double cpu_seconds(void)
{
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used) != 0) return 0;
    return seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
}

// All of it, and what of that is in memory.
static void memory_sizes(double *all, double *resident)
{
    unsigned long long pages[2] = {0};
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file || fscanf(file, "%llu %llu", &pages[0], &pages[1]) != 2) pages[0] = pages[1] = 0;
    if (file) fclose(file);
    double page = (double)sysconf(_SC_PAGESIZE);
    *all = (double)pages[0] * page;
    *resident = (double)pages[1] * page;
}

static double open_descriptors(void)
{
    unsigned count = 0;
    DIR *d = opendir("/proc/self/fd");
    for (struct dirent *e; d && (e = readdir(d));) count += e->d_name[0] != '.';
    if (d) closedir(d);
    return count ? count - 1 : 0; // without that of the folder
}

static double most_descriptors(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (double)limit.rlim_cur : 0;
}

void process_metrics(nanos began, struct text *out)
{
    double all, resident;
    memory_sizes(&all, &resident);
    const struct {
        const char *name, *type, *help;
        double value;
    } rows[] = {
        {"cpu_seconds_total", "counter", "Processor time, of user and system", cpu_seconds()},
        {"resident_memory_bytes", "gauge", "Memory that is in use", resident},
        {"virtual_memory_bytes", "gauge", "Address space, of which most is reserved only", all},
        {"open_fds", "gauge", "Open descriptors", open_descriptors()},
        {"max_fds", "gauge", "How many there may be", most_descriptors()},
        {"start_time_seconds", "gauge", "When it began", (double)began / 1e9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        text_format(out, "# HELP process_%s %s.\n# TYPE process_%s %s\nprocess_%s %.15g\n",
                    rows[i].name, rows[i].help, rows[i].name, rows[i].type, rows[i].name,
                    rows[i].value);
}
