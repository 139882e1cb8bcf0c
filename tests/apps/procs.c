#define _GNU_SOURCE
#include "common/procs.h"

#include <dgram/time.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define REPLY_MAX 400000
#define SH(text) ((const char *[]){"sh", "-c", text, NULL})

static struct {
	uint32_t lines;
	char last[PROCESS_LINE_MAX + 1];
} said;

static struct {
	bool small_pipes; /* of one page, as when the user's quota is used up */
	bool no_memfd;    /* as under seccomp */
} kernel;

/* These stand before those of libc. */
int pipe2(int end[2], int flags)
{
	if (syscall(SYS_pipe2, end, flags) != 0)
		return -1;
	return kernel.small_pipes && fcntl(end[1], F_SETPIPE_SZ, 4096) < 0 ? -1 : 0;
}

int memfd_create(const char *name, unsigned flags)
{
	if (!kernel.no_memfd)
		return (int)syscall(SYS_memfd_create, name, flags);
	errno = ENOSYS;
	return -1;
}

static bool has_nameless_files(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd >= 0 && close(fd) == 0;
}

/* One of the four that there are; 0 is the real one. */
static void choose_kernel(size_t i)
{
	kernel.small_pipes = i % 2 == 1;
	kernel.no_memfd = i / 2 == 1 && has_nameless_files();
}

static void note(void *context, uint32_t ticket, const char *line, size_t len)
{
	(void)context;
	(void)ticket;
	said.lines++;
	memcpy(said.last, line, len);
	said.last[len] = '\0';
}

static struct procs_config small(void)
{
	struct procs_config c = {
		.running_max = 2,
		.queue_max = 3,
		.request_max = REPLY_MAX,
		.reply_max = REPLY_MAX,
		.timeout = 20 * DGRAM_S,
		.sink = {.line = note},
	};

	handler_env_init(&c.env);
	return c;
}

static struct procs *open_pool(const struct procs_config *c)
{
	struct procs *p = procs_new(c);

	assert_non_null(p);
	memset(&said, 0, sizeof said);
	return p;
}

/* Waits for something to happen, as a command does. */
static void turn(struct procs *p)
{
	struct pollfd fd = {.fd = procs_fd(p), .events = POLLIN};
	uint64_t due = procs_deadline(p), now = dgram_clock();
	int ms = 10000;

	if (due <= now)
		ms = 0;
	else if (due - now < 10 * DGRAM_S)
		ms = (int)((due - now) / DGRAM_MS) + 1;
	poll(&fd, 1, ms);
	procs_work(p, dgram_clock());
}

static void wait_next(struct procs *p, struct procs_result *r)
{
	while (!procs_next(p, r, dgram_clock()))
		turn(p);
}

static void find(struct handler *h, const char *const *argv)
{
	assert_int_equal(handler_find(h, (char *const *)argv), HANDLER_OK);
}

/* One request to the end. */
static struct procs_result ask(struct procs *p, const struct handler *h, const void *data, size_t len)
{
	struct procs_request request = {.handler = h, .data = data, .len = len, .peer = "127.0.0.1:9"};
	struct procs_result r;

	assert_true(procs_submit(p, &request, dgram_clock()) >= 0);
	wait_next(p, &r);
	return r;
}

/* What a shell script answers, as a string. */
static const char *answer_of(struct procs *p, const char *script)
{
	static char text[8192];
	struct handler h;
	struct procs_result r;

	find(&h, SH(script));
	r = ask(p, &h, "hello", 5);
	assert_int_equal(r.end.outcome, PROCESS_OK);
	assert_true(r.len < sizeof text);
	memcpy(text, r.data, r.len);
	text[r.len] = '\0';
	return text;
}

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static bool has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void a_request_of_any_size_comes_back_whole(void **state)
{
	static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 65507, 65536, 65537, REPLY_MAX};
	struct procs_config c = small();
	struct procs *p = open_pool(&c);
	const char *cat[] = {"cat", NULL};
	char *data = malloc(REPLY_MAX);
	struct handler h;

	(void)state;
	for (size_t i = 0; i < REPLY_MAX; i++)
		data[i] = (char)(i * 7 + i / 256);
	find(&h, cat);
	for (size_t i = 0; i < 4 * (sizeof sizes / sizeof sizes[0]); i++) {
		size_t len = sizes[i / 4];
		struct procs_result r;

		choose_kernel(i % 4);
		r = ask(p, &h, data, len);
		assert_int_equal(r.end.outcome, PROCESS_OK);
		assert_int_equal(r.len, len);
		assert_memory_equal(r.data, data, len);
	}
	choose_kernel(0);
	free(data);
	procs_free(p);
}

struct meeting { /* two FIFOs, each open for both so that no open waits */
	char dir[32], news[48], go[48];
	int news_fd, go_fd;
};

static void open_meeting(struct meeting *m)
{
	snprintf(m->dir, sizeof m->dir, "/tmp/dgram-test-XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	snprintf(m->news, sizeof m->news, "%s/news", m->dir);
	snprintf(m->go, sizeof m->go, "%s/go", m->dir);
	assert_int_equal(mkfifo(m->news, 0600), 0);
	assert_int_equal(mkfifo(m->go, 0600), 0);
	m->news_fd = open(m->news, O_RDWR | O_CLOEXEC);
	m->go_fd = open(m->go, O_RDWR | O_CLOEXEC);
}

static void close_meeting(struct meeting *m)
{
	close(m->news_fd);
	close(m->go_fd);
	unlink(m->news);
	unlink(m->go);
	rmdir(m->dir);
}

/* The handler's child outlives the responder, for no guard is there and only the handler itself dies with its parent. */
_Noreturn static void respond_until_killed(const struct meeting *m, const uint8_t *request, size_t len)
{
	const char *script = "(echo up >$1; read go <$2; wc -c >$1) | cat";
	const char *argv[] = {"sh", "-c", script, "sh", m->news, m->go, NULL};
	char *env[] = {NULL};
	uint8_t reply[1];
	pid_t group;
	struct process p = {.group = &group, .reply = reply, .request = request, .request_len = len};

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* this test may fail */
	process_start(&p, "/bin/sh", (char *const *)argv, env);
	if (p.state != PROCESS_RUNS && write(m->news_fd, "no start\n", 9) != 9)
		_exit(1);
	for (;;)
		pause();
}

static void a_responder_that_is_killed_leaves_no_part_of_a_request(void **state)
{
	static const size_t sizes[] = {0, 4097, 65536, 65537, 1 << 20};
	uint8_t *request = calloc(1, 1 << 20);
	struct meeting m;

	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	open_meeting(&m);
	for (size_t i = 0; i < 4 * (sizeof sizes / sizeof sizes[0]); i++) {
		size_t len = sizes[i / 4];
		char news[32] = "";
		pid_t responder;

		choose_kernel(i % 4);
		responder = fork();
		if (responder == 0)
			respond_until_killed(&m, request, len);
		assert_int_equal(read(m.news_fd, news, sizeof news), 3);
		kill(responder, SIGKILL);
		assert_int_equal(waitpid(responder, NULL, 0), responder);
		assert_int_equal(write(m.go_fd, "\n", 1), 1);
		assert_true(read(m.news_fd, news, sizeof news - 1) > 0);
		assert_int_equal(strtoul(news, NULL, 10), len);
		while (wait(NULL) > 0)
			;
	}
	choose_kernel(0);
	close_meeting(&m);
	free(request);
}

static const struct misbehaviour {
	const char *script;
	size_t request;
	enum process_outcome outcome;
	int code;
	const char *output;
	bool closed_early;
	uint32_t left_over;
} misbehaving[] = {
	/* clang-format off */
	/* script                                     request  outcome        code   output  closed left */
	{"echo ok",                                         5, PROCESS_OK,      0,       "ok\n", false, 0},
	{"echo ok",                                    300000, PROCESS_OK,      0,       "ok\n", false, 0},
	{"exec 0<&-; echo ok",                         300000, PROCESS_OK,      0,       "ok\n", false, 0},
	{"echo no; exit 3",                                 5, PROCESS_EXIT,    3,       "no\n", false, 0},
	{"exit 255",                                        5, PROCESS_EXIT,    255,     "",     false, 0},
	{"kill -SEGV $$",                                   5, PROCESS_SIGNAL,  SIGSEGV, "",     false, 0},
	{"kill -KILL $$",                                   5, PROCESS_SIGNAL,  SIGKILL, "",     false, 0},
	{"exec 1>&-; exit 0",                               5, PROCESS_OK,      0,       "",     false, 0},
	{"echo hi; exec 1>&-; exec sleep 1000",             5, PROCESS_TIMEOUT, 0,       "hi\n", true,  0},
	{"exec sleep 1000",                                 5, PROCESS_TIMEOUT, 0,       "",     false, 0},
	{"trap '' TERM; while :; do sleep 1000; done",      5, PROCESS_TIMEOUT, 0,       "",     false, 0},
	{"trap 'exit 0' TERM; echo a; sleep 1000",          5, PROCESS_TIMEOUT, 0,       "a\n",  false, 0},
	{"kill -STOP $$",                                   5, PROCESS_TIMEOUT, 0,       "",     false, 0},
	{"exec cat /dev/zero",                              5, PROCESS_FLOOD,   0,       NULL,   false, 0},
	{"trap '' TERM PIPE; cat /dev/zero; sleep 1000",    5, PROCESS_FLOOD,   0,       NULL,   false, 0},
	{"exec cat /dev/zero >&2",                          5, PROCESS_TIMEOUT, 0,       "",     true,  0},
	{"sleep 1000 & echo hi",                            5, PROCESS_OK,      0,       "hi\n", false, 1},
	{"sleep 1000 & sleep 1000 & exit 4",                5, PROCESS_EXIT,    4,       "",     false, 2},
	{"setsid sleep 1000 & sleep 0.05; echo hi",         5, PROCESS_OK,      0,       "hi\n", false, 1},
	{"yes & echo hi",                                   5, PROCESS_OK,      0,       NULL,   false, 1},
	/* clang-format on */
};

static void expect(const struct misbehaviour *m, const struct procs_result *r)
{
	if (m->outcome == PROCESS_OK && r->end.outcome == PROCESS_FLOOD && !m->output)
		return; /* its child may have been quick */
	assert_int_equal(r->end.outcome, m->outcome);
	assert_int_equal(r->end.code, m->code);
	assert_int_equal(r->end.closed_early, m->closed_early);
	if (!m->output)
		return;
	assert_int_equal(r->end.left_over, m->left_over);
	assert_int_equal(r->len, strlen(m->output));
	assert_memory_equal(r->data, m->output, r->len);
}

static void every_way_to_misbehave_ends_and_leaves_nothing(void **state)
{
	struct procs_config c = small();
	char *zeros = calloc(1, 300000);
	struct procs *p;
	int descriptors;

	(void)state;
	for (size_t i = 0; i < sizeof misbehaving / sizeof misbehaving[0]; i++) {
		const struct misbehaviour *m = &misbehaving[i];
		struct procs_result r;
		struct handler h;

		c.timeout = m->outcome == PROCESS_TIMEOUT ? DGRAM_S : 20 * DGRAM_S;
		p = open_pool(&c);
		descriptors = open_descriptors();
		find(&h, SH(m->script));
		r = ask(p, &h, zeros, m->request);
		expect(m, &r);
		assert_int_equal(open_descriptors(), descriptors);
		procs_free(p);
	}
	free(zeros);
	assert_false(has_children());
}

static void a_hung_handler_is_ended_by_its_deadline_and_not_before(void **state)
{
	struct procs_config c = small();
	struct handler polite, stubborn;
	struct procs *p;

	(void)state;
	c.timeout = DGRAM_S; /* by then the shell knows its trap */
	p = open_pool(&c);
	find(&polite, SH("exec sleep 1000"));
	find(&stubborn, SH("trap '' TERM; while :; do sleep 1000; done"));
	assert_true(ask(p, &polite, "", 0).end.elapsed >= DGRAM_S);
	assert_true(ask(p, &stubborn, "", 0).end.elapsed >= 1200 * DGRAM_MS); /* TERM, the grace, KILL */
	procs_free(p);
}

static void a_program_that_cannot_be_started_is_an_outcome(void **state)
{
	struct procs_config c = small();
	struct procs *p = open_pool(&c);
	char name[] = "/tmp/dgram-test-XXXXXX";
	const char *argv[] = {name, NULL};
	int descriptors, fd = mkstemp(name);
	struct procs_result r;
	struct handler h;

	(void)state;
	assert_int_equal(write(fd, "echo hi\n", 8), 8);
	assert_int_equal(fchmod(fd, 0700), 0);
	close(fd);
	descriptors = open_descriptors();
	find(&h, argv);
	r = ask(p, &h, "x", 1);
	assert_int_equal(r.end.outcome, PROCESS_NO_START); /* a script without #! is no program: there is no shell */
	assert_int_equal(r.end.code, ENOEXEC);
	unlink(name);
	r = ask(p, &h, "x", 1);
	assert_int_equal(r.end.outcome, PROCESS_NO_START);
	assert_int_equal(r.end.code, ENOENT);
	assert_int_equal(open_descriptors(), descriptors);
	assert_false(has_children());
	procs_free(p);
}

/* Whichever descriptor is one too many. */
static void without_descriptors_nothing_starts_and_none_is_lost(void **state)
{
	struct procs_config c = small();
	struct procs *p = open_pool(&c);
	char *zeros = calloc(1, REPLY_MAX);
	struct rlimit before, few;
	struct handler h;
	int free_fd = dup(0), descriptors;
	uint32_t started = 0;

	(void)state;
	close(free_fd);
	find(&h, SH("exec wc -c"));
	descriptors = open_descriptors();
	getrlimit(RLIMIT_NOFILE, &before);
	for (rlim_t i = 0; started == 0; i++) {
		struct procs_result r;

		few = (struct rlimit){.rlim_cur = (rlim_t)free_fd + i, .rlim_max = before.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		r = ask(p, &h, zeros, REPLY_MAX);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_int_equal(open_descriptors(), descriptors);
		started += r.end.outcome == PROCESS_OK;
		assert_int_equal(r.end.code, started ? 0 : EMFILE);
		assert_true(i >= 5 || !started); /* a file and two pipes */
	}
	free(zeros);
	procs_free(p);
}

static void a_request_longer_than_a_file_may_be_does_not_start(void **state)
{
	struct procs_config c = small();
	struct procs *p = open_pool(&c);
	char *zeros = calloc(1, REPLY_MAX);
	struct rlimit before, low;
	struct procs_result r;
	struct handler h;
	int descriptors = open_descriptors();

	(void)state;
	find(&h, SH("exec wc -c"));
	getrlimit(RLIMIT_FSIZE, &before);
	low = (struct rlimit){.rlim_cur = 100000, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	r = ask(p, &h, zeros, REPLY_MAX);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r.end.outcome, PROCESS_NO_START);
	assert_int_equal(r.end.code, EFBIG);
	assert_int_equal(open_descriptors(), descriptors);
	free(zeros);
	procs_free(p);
}

static void a_handler_has_three_descriptors(void **state)
{
	struct procs_config c = small();
	int leaked = dup2(2, 57); /* not close-on-exec */
	struct procs *p = open_pool(&c);
	char *zeros = calloc(1, REPLY_MAX);

	(void)state;
	for (size_t len = 5; len <= REPLY_MAX; len += REPLY_MAX - 5) {
		struct procs_result r;
		struct handler h;

		find(&h, SH("i=0; while [ $i -lt 1024 ]; do [ -e /proc/$$/fd/$i ] && echo $i; "
		            "i=$((i+1)); done; exit 0"));
		r = ask(p, &h, zeros, len);
		assert_int_equal(r.len, 6);
		assert_memory_equal(r.data, "0\n1\n2\n", 6);
	}
	free(zeros);
	close(leaked);
	procs_free(p);
}

static void a_handler_has_default_signals_and_a_group_of_its_own(void **state)
{
	struct procs_config c = small();
	sigset_t blocked, before;
	struct procs *p;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* as a careless parent leaves it: children would vanish unseen */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	p = open_pool(&c);
	assert_string_equal(answer_of(p, "exec grep -E 'Sig(Blk|Ign)' /proc/self/status"),
			    "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	assert_string_equal(answer_of(p, "read -r pid name state parent group rest </proc/$$/stat; "
					 "[ $pid = $group ] && echo own"),
			    "own\n");
	procs_free(p);
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGHUP, SIG_DFL);
}

static void the_environment_is_a_list_and_nothing_else(void **state)
{
	static const char *const names[] = {"PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_TIME", "TZ", "MORE", "OTHER", "DGRAM_PEER"};
	struct procs_config c = small();
	const char *argv[] = {"env", NULL};
	struct procs_request request = {.peer = "127.0.0.1:9", .name = "time", .id = "17", .key_id = "ab"};
	struct procs_result r;
	struct handler h;
	struct procs *p;
	char text[2048];

	(void)state;
	find(&h, argv);
	clearenv();
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		setenv(names[i], names[i], 1);
	setenv("BASH_FUNC_x%%", "() { :; }", 1);
	handler_env_init(&c.env);
	assert_true(handler_env_pass(&c.env, "MORE"));
	assert_true(handler_env_pass(&c.env, "MORE")); /* once is enough */
	assert_true(handler_env_pass(&c.env, "UNSET"));
	assert_false(handler_env_pass(&c.env, "A=B"));
	assert_false(handler_env_pass(&c.env, ""));
	assert_false(handler_env_pass(&c.env, "DGRAM_PEER"));
	c.timeout = 1500 * DGRAM_MS;
	p = open_pool(&c);
	request.handler = &h;
	assert_true(procs_submit(p, &request, dgram_clock()) >= 0);
	wait_next(p, &r);
	memcpy(text, r.data, r.len);
	text[r.len] = '\0';
	assert_string_equal(text, "PATH=PATH\nHOME=HOME\nUSER=USER\nLANG=LANG\nLC_ALL=LC_ALL\nLC_TIME=LC_TIME\n"
				  "TZ=TZ\nMORE=MORE\nDGRAM_PEER=127.0.0.1:9\nDGRAM_NAME=time\nDGRAM_ID=17\n"
				  "DGRAM_KEY_ID=ab\nDGRAM_DEADLINE_MS=1500\n");
	procs_free(p);
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
}

static void the_queue_is_bounded_and_kept_in_order(void **state)
{
	struct procs_config c = small();
	struct procs *p = open_pool(&c);
	const char *argv[] = {"cat", NULL};
	struct handler h;
	struct procs_request request = {.len = 1};
	struct procs_result r;
	bool seen[5] = {false};

	(void)state;
	find(&h, argv);
	request.handler = &h;
	for (int i = 0; i < 5; i++) {
		request.data = &"abcde"[i];
		assert_int_equal(procs_submit(p, &request, dgram_clock()), i);
	}
	assert_int_equal(procs_submit(p, &request, dgram_clock()), -1);
	assert_int_equal(procs_busy(p), 5);
	for (int i = 0; i < 5; i++) {
		wait_next(p, &r);
		assert_int_equal(r.data[0], "abcde"[r.ticket]);
		assert_false(seen[r.ticket]);
		seen[r.ticket] = true;
		if (i == 0)
			assert_false(seen[2] || seen[3] || seen[4]); /* one of the first two */
		assert_int_equal(procs_busy(p), 4 - i);
	}
	assert_false(procs_next(p, &r, dgram_clock()));
	request.len = REPLY_MAX + 1;
	assert_int_equal(procs_submit(p, &request, dgram_clock()), -1);
	procs_free(p);
}

static void without_a_queue_a_full_pool_refuses(void **state)
{
	struct procs_config c = small();
	struct handler h;
	struct procs_request request = {0};
	struct procs_result r;
	struct procs *p;

	(void)state;
	c.running_max = 1;
	c.queue_max = 0;
	p = open_pool(&c);
	find(&h, SH("exit 0"));
	request.handler = &h;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(procs_submit(p, &request, dgram_clock()), 0);
		assert_int_equal(procs_submit(p, &request, dgram_clock()), -1);
		wait_next(p, &r);
		assert_int_equal(procs_submit(p, &request, dgram_clock()), -1); /* its result is still being looked at */
		assert_false(procs_next(p, &r, dgram_clock()));
	}
	procs_free(p);
}

static void stop_ends_what_runs_and_forgets_what_waits(void **state)
{
	struct procs_config c = small();
	struct procs *p = open_pool(&c);
	struct handler h;
	struct procs_request request = {0};
	struct procs_result r;

	(void)state;
	find(&h, SH("exec sleep 1000"));
	request.handler = &h;
	for (int i = 0; i < 5; i++)
		procs_submit(p, &request, dgram_clock());
	assert_int_equal(procs_stop(p, dgram_clock()), 3);
	assert_int_equal(procs_submit(p, &request, dgram_clock()), -1);
	for (int i = 0; i < 2; i++) {
		wait_next(p, &r);
		assert_int_equal(r.end.outcome, PROCESS_STOPPED);
	}
	assert_int_equal(procs_busy(p), 0);
	procs_free(p);
	assert_false(has_children());
}

/* Tickets 0 and 1 run, 2, 3 and 4 wait. */
static void what_nobody_wants_any_more_is_ended_or_never_begun(void **state)
{
	struct procs_config c = small();
	struct procs *p = open_pool(&c);
	struct handler hangs, ends;
	struct procs_request request = {0};
	struct procs_result r;

	(void)state;
	find(&hangs, SH("exec sleep 1000"));
	find(&ends, SH("exec cat"));
	for (int i = 0; i < 5; i++) {
		request.handler = i < 2 ? &hangs : &ends;
		request.data = &"abcde"[i];
		request.len = 1;
		procs_submit(p, &request, dgram_clock());
	}
	assert_true(procs_cancel(p, 3, dgram_clock()));
	assert_false(procs_cancel(p, 3, dgram_clock()));
	assert_int_equal(procs_busy(p), 4);
	assert_int_equal(procs_submit(p, &request, dgram_clock()), 3); /* the ticket is free; it stands behind 4 now */
	assert_false(procs_cancel(p, 0, dgram_clock()));
	wait_next(p, &r);
	assert_int_equal(r.ticket, 0);
	assert_int_equal(r.end.outcome, PROCESS_STOPPED);
	for (const char *expected = "cee"; *expected; expected++) {
		wait_next(p, &r);
		assert_int_equal(r.end.outcome, PROCESS_OK);
		assert_int_equal(r.data[0], *expected);
	}
	procs_free(p);
}

static void nothing_starts_after_its_deadline_or_runs_past_it(void **state)
{
	struct procs_config c = small();
	struct procs *p;
	struct handler hangs;
	struct procs_request request = {.handler = &hangs};
	struct procs_result r;
	uint64_t now;

	(void)state;
	c.running_max = 1;
	p = open_pool(&c);
	find(&hangs, SH("echo started >&2; exec sleep 1000"));
	now = dgram_clock();
	request.deadline = now + DGRAM_S;
	for (int i = 0; i < 2; i++)
		assert_int_equal(procs_submit(p, &request, now), i);
	wait_next(p, &r);
	assert_int_equal(r.end.outcome, PROCESS_LATE);
	assert_true(dgram_clock() >= request.deadline);
	wait_next(p, &r);
	assert_int_equal(r.ticket, 1);
	assert_int_equal(r.end.outcome, PROCESS_STOPPED);
	assert_int_equal(said.lines, 1); /* the second one said nothing, for it never was */
	assert_int_equal(procs_busy(p), 0);
	procs_free(p);
}

static void free_takes_running_handlers_with_it(void **state)
{
	struct procs_config c = small();
	struct procs *p = open_pool(&c);
	struct handler h;
	struct procs_request request = {0};
	int descriptors = open_descriptors();

	(void)state;
	find(&h, SH("trap '' TERM; setsid sleep 1000 & sleep 1000 & echo up; while :; do sleep 1000; done"));
	request.handler = &h;
	for (int i = 0; i < 5; i++)
		procs_submit(p, &request, dgram_clock());
	turn(p);
	procs_free(p);
	assert_false(has_children());
	assert_int_equal(open_descriptors(), descriptors - 4 /* epoll, signalfd, two pipes of the guard */);
}

static void stderr_becomes_lines_of_bounded_length(void **state)
{
	struct procs_config c = small();
	struct procs *p = open_pool(&c);

	(void)state;
	answer_of(p, "echo one >&2; printf 'two\\nthree' >&2");
	assert_int_equal(said.lines, 3);
	assert_string_equal(said.last, "three");
	answer_of(p, "head -c 100000 /dev/zero | tr '\\0' x >&2");
	assert_int_equal(said.lines, 4);
	assert_int_equal(strlen(said.last), PROCESS_LINE_MAX);
	assert_string_equal(said.last + PROCESS_LINE_MAX - 4, "x...");
	answer_of(p, "echo >&2");
	assert_int_equal(said.lines, 5);
	assert_string_equal(said.last, "");
	procs_free(p);
}

static bool is_alive(pid_t pid)
{
	char path[64], stat[256] = "";
	int fd;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, stat, sizeof stat - 1) : 0;
	close(fd);
	return n > 0 && !strstr(stat, ") Z ") && !strstr(stat, ") X ");
}

/* `something & exec dgram respond`: that child was there before and is not a handler's. */
static void children_that_were_there_before_are_left_alone(void **state)
{
	struct procs_config c = small();
	pid_t older = fork(), left;
	struct procs *p;

	(void)state;
	if (older == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* this test may fail */
		pause();
		_exit(0);
	}
	p = open_pool(&c);
	left = (pid_t)strtol(answer_of(p, "sleep 1000 >/dev/null & echo $!"), NULL, 10);
	assert_true(left > 0);
	while (is_alive(left)) /* what is in the handler's group is never anybody else's */
		poll(NULL, 0, 1);
	procs_free(p);
	assert_int_equal(waitpid(older, NULL, WNOHANG), 0);
	kill(older, SIGKILL);
	assert_int_equal(waitpid(older, NULL, 0), older);
}

static void programs_are_looked_up_once_and_refused_with_a_reason(void **state)
{
	static const struct {
		const char *name;
		enum handler_error error;
	} row[] = {
		{"sh", HANDLER_OK},          {"/bin/sh", HANDLER_OK},         {"no-such-program-here", HANDLER_MISSING},
		{"/", HANDLER_FORBIDDEN},    {"/etc/passwd", HANDLER_FORBIDDEN}, {"./no/such", HANDLER_MISSING},
		{"", HANDLER_MISSING},
	};
	struct handler h;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		const char *argv[] = {row[i].name, NULL};

		assert_int_equal(handler_find(&h, (char *const *)argv), row[i].error);
	}
	find(&h, SH("exit"));
	assert_int_equal(h.path[0], '/');
}

static void the_words_for_a_shell_are_its_script_and_parameters(void **state)
{
	struct procs_config c = small();
	struct procs *p = open_pool(&c);
	const char *words[] = {"echo \"$0 $1 $2\" | tr a b", "a a", ";a", NULL};
	char **argv = handler_shell((char *const *)words);
	struct procs_result r;
	struct handler h;

	(void)state;
	find(&h, (const char *const *)argv);
	r = ask(p, &h, "", 0);
	assert_int_equal(r.len, 10);
	assert_memory_equal(r.data, "sh b b ;b\n", 10);
	procs_free(p);
	free(argv);
}

/* One wait tells of several descriptors: the exit of another process may come first and have this one reaped. */
static void old_news_of_a_flood_changes_nothing(void **state)
{
	uint8_t reply[5];
	pid_t group;
	struct process p = {.group = &group, .reply = reply, .reply_max = 4};
	struct process_sink sink = {.line = note};
	char *env[] = {NULL};
	siginfo_t info;
	int status;

	(void)state;
	process_start(&p, "/bin/sh", (char *const *)SH("echo too much"), env);
	assert_int_equal(group, p.pid);
	assert_int_equal(waitid(P_PID, (id_t)p.pid, &info, WEXITED | WNOWAIT), 0);
	process_exited(&p, &sink);
	assert_int_equal(waitpid(p.pid, &status, 0), p.pid);
	process_reaped(&p, status, dgram_clock());
	assert_int_equal(group, 0);
	process_read(&p);
	assert_int_equal(p.end.outcome, PROCESS_FLOOD);
	assert_int_equal(p.state, PROCESS_ENDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_of_any_size_comes_back_whole),
		cmocka_unit_test(a_responder_that_is_killed_leaves_no_part_of_a_request),
		cmocka_unit_test(every_way_to_misbehave_ends_and_leaves_nothing),
		cmocka_unit_test(a_hung_handler_is_ended_by_its_deadline_and_not_before),
		cmocka_unit_test(old_news_of_a_flood_changes_nothing),
		cmocka_unit_test(a_program_that_cannot_be_started_is_an_outcome),
		cmocka_unit_test(without_descriptors_nothing_starts_and_none_is_lost),
		cmocka_unit_test(a_request_longer_than_a_file_may_be_does_not_start),
		cmocka_unit_test(a_handler_has_three_descriptors),
		cmocka_unit_test(a_handler_has_default_signals_and_a_group_of_its_own),
		cmocka_unit_test(the_queue_is_bounded_and_kept_in_order),
		cmocka_unit_test(without_a_queue_a_full_pool_refuses),
		cmocka_unit_test(stop_ends_what_runs_and_forgets_what_waits),
		cmocka_unit_test(what_nobody_wants_any_more_is_ended_or_never_begun),
		cmocka_unit_test(nothing_starts_after_its_deadline_or_runs_past_it),
		cmocka_unit_test(free_takes_running_handlers_with_it),
		cmocka_unit_test(stderr_becomes_lines_of_bounded_length),
		cmocka_unit_test(children_that_were_there_before_are_left_alone),
		cmocka_unit_test(programs_are_looked_up_once_and_refused_with_a_reason),
		cmocka_unit_test(the_words_for_a_shell_are_its_script_and_parameters),
		cmocka_unit_test(the_environment_is_a_list_and_nothing_else),
	};

	alarm(50); /* a pool that hangs is a failed test */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
