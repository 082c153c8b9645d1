// The program: one command a file, and what they share on the terminal.
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/nearest.h"
#include "cmd/cmd.h"
#include "engine/version.h"

#define ENTRY(name) &name##_command,
static const struct command *const commands[] = {COMMAND_LIST(ENTRY)};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

int command_fail(const struct err *err)
{
    fprintf(stderr, "weir: %s\n", err->text);
    return err->code ? (int)err->code : ERR_MACHINE;
}

void command_left_out(uint64_t captures)
{
    fprintf(stderr,
            "weir: packets in %llu capture%s are left out: they went by age or size, or are being "
            "recorded and come with the next part\n",
            (unsigned long long)captures, captures == 1 ? "" : "s");
}

static nanos clock_now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (nanos)t.tv_sec * NANOS_PER_SECOND + t.tv_nsec;
}

void command_say(void *context, const char *sentence)
{
    (void)context;
    fprintf(stderr, "weir: %s\n", sentence);
}

nanos command_now(void)
{
    return clock_now(CLOCK_REALTIME);
}

void command_pace(nanos began, uint64_t sent, uint64_t rate)
{
    nanos due = began + (nanos)((double)sent * (double)NANOS_PER_SECOND / (double)rate);
    nanos wait = due - command_now();
    if (wait <= 0) return;
    struct timespec t = {wait / NANOS_PER_SECOND, wait % NANOS_PER_SECOND};
    nanosleep(&t, NULL);
}

nanos command_monotonic(void)
{
    return clock_now(CLOCK_MONOTONIC);
}

unsigned screen_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) return size.ws_col;
    const char *columns = getenv("COLUMNS");
    int n = columns ? atoi(columns) : 0;
    return n >= 40 && n <= 500 ? (unsigned)n : 80;
}

unsigned table_width(void)
{
    return isatty(STDOUT_FILENO) ? screen_width() : 0;
}

bool screen_colour(FILE *out)
{
    const char *term = getenv("TERM");
    return isatty(fileno(out)) && !getenv("NO_COLOR") && term && strcmp(term, "dumb") != 0;
}

static int usage(FILE *out)
{
    fputs("weir: what happened in this traffic?\n\n", out);
    for (unsigned i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  weir %-8s %-38s %s\n", commands[i]->name, commands[i]->arguments,
                commands[i]->help);
    fputs("\nBegin with: weir read FILE.pcap. Options of a command: weir COMMAND --help.\n"
          "Exit status: 0 done, 1 nothing found or a difference, 2 wrong usage, 3 bad or "
          "incomplete input,\n"
          "4 the machine failed.\n",
          out);
    return out == stderr ? ERR_USAGE : 0;
}

static int version(void)
{
    printf("weir " WEIR_VERSION " (%s, %s)\n", __VERSION__,
           sizeof(void *) == 8 ? "64 bit" : "32 bit");
    return 0;
}

static unsigned unlike(const char *word, const struct command *command)
{
    return word_distance(bytes_text(word), bytes_text(command->name));
}

static int unknown(const char *word)
{
    const struct command *best = commands[0];
    for (unsigned i = 1; i < COMMAND_COUNT; i++)
        if (unlike(word, commands[i]) < unlike(word, best)) best = commands[i];
    if (access(word, F_OK) == 0)
        fprintf(stderr, "weir: \"%s\" is a file, not a command; did you mean: weir read %s\n", word,
                word);
    else
        fprintf(stderr,
                "weir: there is no command \"%s\"; did you mean \"%s\"? weir --help lists all\n",
                word, best->name);
    return ERR_USAGE;
}

// Results that could not be written are no results, whatever the command says.
static int run_one(const struct command *command, int argc, char **argv)
{
    int status = command->run(argc, argv);
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    struct err err = {0};
    if (!lost || status == ERR_MACHINE) return status;
    err_system(&err, errno, "cannot write the results to standard output");
    return command_fail(&err);
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    if (argc < 2) return usage(stderr);
    const char *word = argv[1];
    if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0 || strcmp(word, "version") == 0)
        return version();
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) return usage(stdout);
    if (strcmp(word, "help") == 0 && argc == 2) return usage(stdout);
    bool help = strcmp(word, "help") == 0;
    if (help) word = argv[2];
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, word) != 0) continue;
        for (int k = 2; k < argc && !help; k++) {
            if (strcmp(argv[k], "--") == 0) break;
            if (strcmp(argv[k], "--help") == 0 || strcmp(argv[k], "-h") == 0) help = true;
        }
        if (!help) return run_one(commands[i], argc - 2, argv + 2);
        command_usage(commands[i], stdout);
        return 0;
    }
    return unknown(word);
}
