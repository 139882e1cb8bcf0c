/* completion.c - completions for a shell, made from the tables of commands and options. */
#include "common/options.h"
#include <stdio.h>
#include <string.h>

static const struct argp_child children[] = {OPTIONS_GENERAL, {0}};
static const struct argp argp = {NULL, NULL, NULL, NULL, children, NULL, NULL};

/* The first clause of a text, without what a shell's quotes would trip over. */
static void print_quoted(const char *text)
{
	for (; *text != '\0' && *text != ';'; text++)
		if (strchr("'\"\\`$[]:", *text) == NULL)
			putchar(*text);
}

static void bash_option(const struct argp_option *o, void *arg)
{
	(void)arg;
	if (o->key > ' ' && o->key < 0x7F)
		printf(" -%c", o->key);
	if (o->name != NULL)
		printf(" --%s", o->name);
}

/* Words that are no options, where there is a choice of few. */
static const char *words_of(const struct command *c)
{
	return strcmp(c->name, "completion") == 0 ? " bash zsh fish"
	       : strcmp(c->name, "stream") == 0   ? " listen connect"
	       : strcmp(c->name, "help") == 0     ? " exit-codes endpoints json"
	                                          : "";
}

static void print_commands(void)
{
	for (size_t i = 0; commands[i] != NULL; i++)
		printf("%s%s", i > 0 ? " " : "", commands[i]->name);
}

static void bash(void)
{
	fputs("# bash completion of dgram: dgram completion bash "
	      ">~/.local/share/bash-completion/completions/dgram\n"
	      "_dgram() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words\n"
	      "\tcase $prev in\n"
	      "\t-f|--file|--trace|trace) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n"
	      "\t-i|--iface) mapfile -t COMPREPLY < <(compgen -W \"$(ls /sys/class/net "
	      "2>/dev/null)\" -- \"$cur\"); return ;;\n"
	      "\t-p|--print) mapfile -t COMPREPLY < <(compgen -W 'text hex raw none' -- \"$cur\"); "
	      "return ;;\n"
	      "\tesac\n"
	      "\tcase ${COMP_WORDS[1]} in\n",
	      stdout);
	for (size_t i = 0; commands[i] != NULL; i++) {
		printf("\t%s) words='", commands[i]->name);
		fputs(*words_of(commands[i]) ? words_of(commands[i]) + 1 : "", stdout);
		options_walk(commands[i]->argp, bash_option, NULL);
		fputs("' ;;\n", stdout);
	}
	fputs("\t*) words= ;;\n\tesac\n\tif ((COMP_CWORD == 1)); then words='", stdout);
	print_commands();
	fputs("'; fi\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	      "}\n"
	      "complete -F _dgram dgram\n",
	      stdout);
}

static void zsh_option(const struct argp_option *o, void *arg)
{
	(void)arg;
	if (o->key > ' ' && o->key < 0x7F) {
		printf(" \\\n\t\t\t'-%c[", o->key);
		print_quoted(o->doc);
		printf("]%s%s'", o->arg != NULL ? ":" : "", o->arg != NULL ? "value:_files" : "");
	}
	if (o->name != NULL) {
		printf(" \\\n\t\t\t'--%s[", o->name);
		print_quoted(o->doc);
		printf("]%s%s'", o->arg != NULL ? ":" : "", o->arg != NULL ? "value:_files" : "");
	}
}

static void zsh(void)
{
	fputs("#compdef dgram\n"
	      "# zsh completion of dgram: dgram completion zsh >_dgram in a directory of $fpath\n"
	      "_dgram() {\n"
	      "\tlocal -a verbs\n"
	      "\tverbs=(\n",
	      stdout);
	for (size_t i = 0; commands[i] != NULL; i++) {
		printf("\t\t'%s:", commands[i]->name);
		print_quoted(commands[i]->summary);
		fputs("'\n", stdout);
	}
	fputs("\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe command verbs\n\t\treturn\n\tfi\n"
	      "\tlocal verb=$words[2]\n\tshift words\n\t((CURRENT--))\n\tcase $verb in\n",
	      stdout);
	for (size_t i = 0; commands[i] != NULL; i++) {
		printf("\t\t%s) _arguments", commands[i]->name);
		options_walk(commands[i]->argp, zsh_option, NULL);
		if (*words_of(commands[i]))
			printf(" \\\n\t\t\t'*:word:(%s)'", words_of(commands[i]) + 1);
		fputs(" ;;\n", stdout);
	}
	fputs("\tesac\n}\n"
	      "if [[ $funcstack[1] = _dgram ]]; then _dgram \"$@\"; else compdef _dgram dgram; "
	      "fi\n",
	      stdout);
}

static void fish_option(const struct argp_option *o, void *arg)
{
	const struct command *c = arg;
	printf("complete -c dgram -n '__fish_seen_subcommand_from %s'", c->name);
	if (o->key > ' ' && o->key < 0x7F)
		printf(" -s %c", o->key);
	if (o->name != NULL)
		printf(" -l %s", o->name);
	if (o->arg != NULL)
		fputs(strcmp(o->arg, "FILE") == 0 ? " -r -F" : " -x", stdout);
	fputs(" -d '", stdout);
	print_quoted(o->doc);
	fputs("'\n", stdout);
}

static void fish(void)
{
	fputs("# fish completion of dgram: dgram completion fish "
	      ">~/.config/fish/completions/dgram.fish\n"
	      "complete -c dgram -f\n",
	      stdout);
	for (size_t i = 0; commands[i] != NULL; i++) {
		printf("complete -c dgram -n __fish_use_subcommand -a %s -d '", commands[i]->name);
		print_quoted(commands[i]->summary);
		fputs("'\n", stdout);
		if (*words_of(commands[i]))
			printf("complete -c dgram -n '__fish_seen_subcommand_from %s' -a '%s'\n",
			       commands[i]->name, words_of(commands[i]) + 1);
		options_walk(commands[i]->argp, fish_option, (void *)(size_t)commands[i]);
	}
}

static const struct {
	const char *name;
	void (*print)(void);
} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

static int run(const struct command *self, int argc, char **argv)
{
	struct options o = {0};
	int code = options_parse(self, argc, argv, &o);
	if (code != OPTIONS_GO_ON)
		return code;
	for (size_t i = 0; o.word_count == 1 && i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(shells[i].name, o.words[0]) == 0) {
			shells[i].print();
			return output_stdio();
		}
	return fail_usage(self->name, "which shell? bash, zsh or fish");
}

const struct command completion_command = {
        .name = "completion",
        .group = "set up",
        .synopsis = "bash|zsh|fish",
        .summary = "completions for a shell, on stdout",
        .examples = "  source <(dgram completion bash)\n"
                    "  dgram completion zsh >~/.zfunc/_dgram\n"
                    "  dgram completion fish >~/.config/fish/completions/dgram.fish\n",
        .argp = &argp,
        .run = run,
};
