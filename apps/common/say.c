#include "say.h"
#include "escape.h"
#include "exit.h"
#include "json.h"
#include <dgram/time.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SENTENCE_MAX     1024 /* bytes; a longer sentence is cut */
#define LINES_PER_SECOND 10

static struct {
	int verbosity;
	bool json, color;
} state;

/* One kind of lines that a stranger can cause: a flood of one must not hide the other. */
struct kind {
	const char *name;
	uint64_t second; /* when the second began that is being counted */
	unsigned in_second;
	unsigned long long left_out;
};

static struct kind warnings = {.name = "warnings"}, logged = {.name = "lines of handlers"};

void say_setup(int verbosity, bool json, bool color)
{
	state.verbosity = verbosity;
	state.json = json;
	state.color = color;
}

/* One write per line: lines of several processes do not mix. */
static void write_line(bool is_error, const char *sentence)
{
	char line[SENTENCE_MAX * 4 + 64];
	const char *prefix = is_error && state.color ? "\033[1;31mdgram:\033[0m " : "dgram: ";
	size_t n = strlen(prefix);
	memcpy(line, prefix, n);
	escape_line(sentence, strlen(sentence), line + n, sizeof(line) - n - 1);
	n += strlen(line + n);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nowhere left to say so */
}

__attribute__((format(printf, 2, 0))) static void write_format(bool is_error, const char *format,
                                                               va_list args)
{
	char sentence[SENTENCE_MAX];
	vsnprintf(sentence, sizeof(sentence), format, args);
	write_line(is_error, sentence);
}

void say(const char *format, ...)
{
	va_list args;
	if (state.verbosity < 0)
		return;
	va_start(args, format);
	write_format(false, format, args);
	va_end(args);
}

void say_verbose(const char *format, ...)
{
	va_list args;
	if (state.verbosity < 1)
		return;
	va_start(args, format);
	write_format(false, format, args);
	va_end(args);
}

void say_error(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_format(true, format, args);
	va_end(args);
}

const char *plural(unsigned long long number)
{
	return number == 1 ? "" : "s";
}

static void count_left_out(struct kind *k)
{
	if (k->left_out > 0)
		say("%llu more %s were left out", k->left_out, k->name);
	k->left_out = 0;
}

void say_left_out(void)
{
	count_left_out(&warnings);
	count_left_out(&logged);
}

__attribute__((format(printf, 2, 0))) static void write_limited(struct kind *k, const char *format,
                                                                va_list args)
{
	uint64_t now = dgram_clock();
	if (state.verbosity < 0)
		return;
	if (k->second == 0 || now - k->second >= DGRAM_S) {
		count_left_out(k);
		k->second = now;
		k->in_second = 0;
	}
	if (k->in_second >= LINES_PER_SECOND) {
		k->left_out++;
		return;
	}
	k->in_second++;
	write_format(false, format, args);
}

void say_warning(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_limited(&warnings, format, args);
	va_end(args);
}

void say_logged(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_limited(&logged, format, args);
	va_end(args);
}

static int fail_sentence(unsigned long long line, int code, const char *sentence)
{
	char numbered[SENTENCE_MAX + 32];
	snprintf(numbered, sizeof(numbered), "line %llu: %s", line, sentence);
	write_line(true, line > 0 ? numbered : sentence);
	if (state.json)
		json_error_line(code, line, sentence);
	return code;
}

int fail(int code, const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	return fail_sentence(0, code, sentence);
}

int fail_line(unsigned long long line, int code, const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	return fail_sentence(line, code, sentence);
}

int fail_usage(const char *command, const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	fail_sentence(0, CODE_USAGE, sentence);
	say("try: dgram %s -h", command);
	return CODE_USAGE;
}
