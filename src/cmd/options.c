#include "cmd/options.h"

#include <string.h>

static const struct option_row *option_named(const struct command *c, bytes name)
{
    for (unsigned i = 0; i < c->option_count; i++)
        if (c->options[i].name && bytes_equal(bytes_text(c->options[i].name), name))
            return &c->options[i];
    return NULL;
}

static const struct option_row *option_lettered(const struct command *c, char letter)
{
    for (unsigned i = 0; i < c->option_count; i++)
        if (c->options[i].letter == letter) return &c->options[i];
    return NULL;
}

// One word of long options; moves *at when the value stands in the next word.
static bool parse_long(const struct command *c, int argc, char **argv, int *at, void *values,
                       struct err *err)
{
    bytes word = bytes_text(argv[*at] + 2);
    size_t equals = bytes_find(word, '=');
    const struct option_row *o = option_named(c, bytes_first(word, equals));
    if (!o)
        return err_set(err, ERR_USAGE, "unknown option %s; see weir %s --help", argv[*at], c->name);
    const char *text = NULL;
    if (equals < word.n) {
        text = (const char *)word.p + equals + 1;
        if (o->type == OPTION_FLAG) return err_set(err, ERR_USAGE, "--%s takes no value", o->name);
    } else if (!option_stands_alone(o, *at + 1 < argc ? argv[*at + 1] : NULL)) {
        if (*at + 1 >= argc)
            return err_set(err, ERR_USAGE, "--%s needs a value: %s", o->name, o->argument);
        text = argv[++*at];
    }
    return option_set(o, text, values, err) || err_in(err, "--%s", o->name);
}

// One word of letters; the first that takes a value takes the rest of the word, or the next word.
static bool parse_letters(const struct command *c, int argc, char **argv, int *at, void *values,
                          struct err *err)
{
    for (const char *letter = argv[*at] + 1; *letter; letter++) {
        const struct option_row *o = option_lettered(c, *letter);
        if (!o)
            return err_set(err, ERR_USAGE, "unknown option -%c; see weir %s --help", *letter,
                           c->name);
        if (o->type == OPTION_FLAG) {
            if (!option_set(o, NULL, values, err)) return false;
            continue;
        }
        const char *text = letter[1] ? letter + 1 : *at + 1 < argc ? argv[++*at] : NULL;
        if (!text) return err_set(err, ERR_USAGE, "-%c needs a value: %s", *letter, o->argument);
        return option_set(o, text, values, err) || err_in(err, "-%c", o->letter);
    }
    return true;
}

int options_parse(const struct command *command, int argc, char **argv, void *values,
                  struct err *err)
{
    int kept = 0;
    bool only_free = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (only_free || word[0] != '-' || !word[1]) {
            argv[kept++] = argv[i];
        } else if (strcmp(word, "--") == 0) {
            only_free = true;
        } else if (word[1] == '-') {
            if (!parse_long(command, argc, argv, &i, values, err)) return -1;
        } else if (!parse_letters(command, argc, argv, &i, values, err)) {
            return -1;
        }
    }
    return kept;
}

void command_usage(const struct command *command, FILE *out)
{
    fprintf(out, "weir %s %s\n\n  %s\n", command->name, command->arguments, command->help);
    if (command->option_count) fputc('\n', out);
    for (unsigned i = 0; i < command->option_count; i++) {
        const struct option_row *o = &command->options[i];
        char left[64];
        int n = o->letter ? snprintf(left, sizeof left, "-%c", o->letter)
                          : snprintf(left, sizeof left, "  ");
        if (o->name)
            n += snprintf(left + n, sizeof left - (size_t)n, "%s--%s", o->letter ? ", " : "  ",
                          o->name);
        if (o->type == OPTION_SPAN)
            snprintf(left + n, sizeof left - (size_t)n, " [%s]", o->argument);
        else if (o->type != OPTION_FLAG)
            snprintf(left + n, sizeof left - (size_t)n, " %s", o->argument);
        fprintf(out, "  %-26s %s\n", left, o->help);
    }
}
