/* The machine by rows (one script each), by its times, and by random runs against a model of the
 * network. */
#include <dgram/ask.h>

#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "test.h"

#define START (7 * DGRAM_S)
#define ADDRS 3

static struct dgram_addr addr(unsigned i)
{
	return (struct dgram_addr){
		.family = DGRAM_IPV4, .port = (uint16_t)(9000 + i), .u.ip4 = {127, 0, 0, 1}};
}

/* ---- one script a row -------------------------------------------------------------------------
 *
 *   s0 the machine sends to address 0, the kernel takes it   w the machine waits, until the end of
 * it l0 ... it is lost (EPERM)                                D the deadline comes k0 ... the
 * kernel refuses        r0 the network refuses  a0 an answer comes from address 0 h0 ...
 * unreachable               n0 unreachable          x0 a datagram from there is no answer z0 ...
 * too large                 m0 too large            B the clock jumps back to 0 p0 ... port 0 .
 * half of the wait passes
 */
struct row {
	const char *name;
	unsigned addrs;
	struct dgram_ask_options opt;
	const char *script;
	int outcome;
};

/* clang-format off */
#define ONE_RETRY .limit_retries = true, .retries = 1
static const struct row rows[] = {
	/* name                                              addrs  options              script                         outcome */
	{"the first try is answered",                          1, {0},                   "s0 a0",                       0},
	{"the second try is answered",                         1, {0},                   "s0 w s0 a0",                  0},
	{"silence until the deadline is a timeout",            1, {0},                   "s0 w s0 w s0 D",              DGRAM_ERR_TIMEOUT},
	{"after the last re-send comes one last wait",         1, {ONE_RETRY},           "s0 w s0 w",                   DGRAM_ERR_TIMEOUT},
	{"no re-send at all still waits once",                 1, {.limit_retries=true}, "s0 w",                        DGRAM_ERR_TIMEOUT},
	{"an answer in the last wait counts",                  1, {ONE_RETRY},           "s0 w s0 . a0",                0},
	{"a refused first try did not run",                    1, {0},                   "s0 r0",                       DGRAM_ERR_REFUSED},
	{"unreachable is told apart",                          1, {0},                   "s0 n0",                       DGRAM_ERR_UNREACHABLE},
	{"refused after a silent try is unknown",              1, {0},                   "s0 w s0 r0",                  DGRAM_ERR_UNKNOWN},
	{"a refusal by the kernel is one",                     1, {0},                   "k0",                          DGRAM_ERR_REFUSED},
	{"the kernel refuses after a silent try",              1, {0},                   "s0 w k0",                     DGRAM_ERR_UNKNOWN},
	{"too large ends before anything left",                1, {0},                   "z0",                          DGRAM_ERR_SIZE},
	{"port 0 ends before anything left",                   1, {0},                   "p0",                          DGRAM_ERR_PORT},
	{"too large for the path is tried again",              1, {0},                   "s0 m0 w s0 a0",               0},
	{"too large for the path every time did not run",      1, {ONE_RETRY},           "s0 m0 w s0 m0 w",             DGRAM_ERR_SIZE},
	{"too large for the path, then too large to send",     1, {0},                   "s0 m0 w z0",                  DGRAM_ERR_SIZE},
	{"a lost send is tried again",                         1, {0},                   "l0 w s0 a0",                  0},
	{"a lost send leaves nothing open",                    1, {0},                   "l0 w s0 r0",                  DGRAM_ERR_REFUSED},
	{"nothing ever left: the reason is told",              1, {0},                   "l0 w l0 w l0 D",              DGRAM_ERR_DENIED},
	{"lost sends use up the retries",                      1, {ONE_RETRY},           "l0 w l0 w",                   DGRAM_ERR_DENIED},
	{"one lost, one silent: nothing is known",             1, {ONE_RETRY},           "l0 w s0 w",                   DGRAM_ERR_TIMEOUT},
	{"a stranger's datagram changes nothing",              1, {0},                   "s0 x1 w s0 x2 a0",            0},
	{"nothing answers before it was asked",                2, {0},                   "s0 x1 w s1 a1",               0},
	{"any source will do in a group",                      1, {.any_source = true},  "s0 a2",                       0},
	{"but not before the question",                        1, {.any_source = true},  "x2 s0 a2",                    0},
	{"silence moves on, and comes round",                  3, {0},                   "s0 w s1 w s2 w s0 w s1 a1",   0},
	{"an answer to an older try counts",                   3, {0},                   "s0 w s1 w s2 a0",             0},
	{"a refusal moves on at once",                         3, {0},                   "s0 r0 s1 r1 s2 a2",           0},
	{"refused everywhere did not run",                     3, {0},                   "s0 r0 s1 r1 s2 r2",           DGRAM_ERR_REFUSED},
	{"unreachable everywhere",                             2, {0},                   "s0 n0 s1 n1",                 DGRAM_ERR_UNREACHABLE},
	{"refused says more than unreachable",                 2, {0},                   "s0 r0 s1 n1",                 DGRAM_ERR_REFUSED},
	{"in either order",                                    2, {0},                   "s0 n0 s1 r1",                 DGRAM_ERR_REFUSED},
	{"unreachable says more than a bad address",           2, {0},                   "p0 h1",                       DGRAM_ERR_UNREACHABLE},
	{"an address that cannot be used is passed over",      3, {0},                   "s0 w h1 s2 w s0 a0",          0},
	{"one that fails later gives its turn to the next",    2, {0},                   "s0 w s1 w s0 w h1 s0 a0",     0},
	{"the kernel's refusals cost no wait",                 3, {0},                   "k0 h1 s2 a2",                 0},
	{"moving on is no re-send",                            2, {.limit_retries=true}, "s0 r0 s1 w",                  DGRAM_ERR_TIMEOUT},
	{"a refused address is out",                           2, {0},                   "s0 r0 s1 w s1 w s1 a1",       0},
	{"and says nothing new: the doubt stays",              2, {0},                   "s0 w s1 w h0 r0 r1",          DGRAM_ERR_UNKNOWN},
	{"its answer counts all the same",                     2, {0},                   "s0 r0 s1 a0",                 0},
	{"a silent address is not hurried by another",         2, {0},                   "s0 w s1 r1 w s0 a0",          0},
	{"a late refusal takes its address out",               2, {0},                   "s0 w s1 r0 w s1 a1",          0},
	{"but brings nobody's turn forward",                   3, {0},                   "s0 w s1 r0 w s2 a2",          0},
	{"a late refusal of first tries: did not run",         2, {0},                   "s0 w s1 r0 r1",               DGRAM_ERR_REFUSED},
	{"one refused, one silent: nothing is known",          2, {0},                   "s0 r0 s1 w s1 D",             DGRAM_ERR_TIMEOUT},
	{"one refused, one refused too late",                  2, {0},                   "s0 r0 s1 w s1 r1",            DGRAM_ERR_UNKNOWN},
	{"a refusal from an address not asked is ignored",     2, {0},                   "s0 r1 w s1 a1",               0},
	{"one refusing address is asked again after the wait", 1, {.retry_refused=true}, "s0 r0 w s0 r0 w s0 a0",       0},
	{"refused every time until the deadline: did not run", 1, {.retry_refused=true}, "s0 r0 w s0 r0 D",             DGRAM_ERR_REFUSED},
	{"one silent try among refused ones is a timeout",     1, {.retry_refused=true}, "s0 r0 w s0 w s0 r0 D",        DGRAM_ERR_TIMEOUT},
	{"asking again, refusals still move on at once",       2, {.retry_refused=true}, "s0 r0 s1 r1 w s0 r0 w s1 a1", 0},
	{"asking again, the kernel may refuse",                2, {.retry_refused=true}, "k0 k1 w k0 w s1 a1",          0},
	{"but port 0 stays port 0",                            1, {.retry_refused=true}, "p0",                          DGRAM_ERR_PORT},
	{"a clock that runs backwards stands still",           1, {0},                   "s0 B w s0 B a0",              0},
};
/* clang-format on */

static int error_of(char verb)
{
	switch (verb) {
	case 'k':
	case 'r':
		return DGRAM_ERR_REFUSED;
	case 'h':
	case 'n':
		return DGRAM_ERR_UNREACHABLE;
	case 'z':
	case 'm':
		return DGRAM_ERR_SIZE;
	default:
		return DGRAM_ERR_PORT;
	}
}

/* The machine must want to send there now. */
static void expect_send(struct dgram_asker *a, uint64_t now, const struct dgram_addr *to)
{
	const struct dgram_addr *asked;

	assert_int_equal(dgram_asker_next(a, now, &asked), DGRAM_ASK_SEND);
	assert_true(dgram_addr_equal(asked, to));
	assert_int_equal(dgram_asker_deadline(a), a->now);
}

static void expect_wait(struct dgram_asker *a, uint64_t now)
{
	assert_int_equal(dgram_asker_next(a, now, NULL), DGRAM_ASK_WAIT);
	assert_true(dgram_asker_deadline(a) > now);
}

static void play(struct dgram_asker *a, uint64_t *now, char verb, unsigned index)
{
	struct dgram_addr at = addr(index);

	switch (verb) {
	case 's':
		expect_send(a, *now, &at);
		dgram_asker_sent(a, *now);
		break;
	case 'l':
		expect_send(a, *now, &at);
		dgram_asker_lost(a, DGRAM_ERR_DENIED, *now);
		break;
	case 'k':
	case 'h':
	case 'z':
	case 'p':
		expect_send(a, *now, &at);
		assert_int_equal(dgram_asker_failed(a, &at, error_of(verb), *now), index);
		break;
	case 'r':
	case 'n':
	case 'm':
		dgram_asker_failed(a, &at, error_of(verb), *now);
		break;
	case 'w':
		expect_wait(a, *now);
		*now = dgram_asker_deadline(a);
		break;
	case '.':
		expect_wait(a, *now);
		*now += (dgram_asker_deadline(a) - *now) / 2;
		break;
	case 'D':
		*now = a->opt.deadline;
		break;
	case 'a':
		assert_true(dgram_asker_answered(a, &at, *now));
		break;
	case 'x':
		assert_false(dgram_asker_answered(a, &at, *now));
		break;
	case 'B':
		expect_wait(a, 0);
		assert_int_equal(a->now, *now);
		break;
	default:
		fail_msg("no such verb: %c", verb);
	}
}

static void expect_end(struct dgram_asker *a, uint64_t now, int outcome)
{
	struct dgram_addr at = addr(0);

	assert_int_equal(dgram_asker_next(a, now, NULL), DGRAM_ASK_END);
	assert_int_equal(dgram_asker_outcome(a), outcome);
	assert_true(dgram_asker_deadline(a) == DGRAM_NEVER);
	assert_false(dgram_asker_answered(a, &at, now));
	assert_int_equal(dgram_asker_failed(a, &at, DGRAM_ERR_REFUSED, now), DGRAM_ERR_ADDRESS);
	assert_int_equal(dgram_asker_next(a, now + DGRAM_S, NULL), DGRAM_ASK_END);
	assert_int_equal(dgram_asker_outcome(a), outcome);
}

static void run_row(void **state)
{
	const struct row *row = *state;
	struct dgram_addr to[ADDRS] = {addr(0), addr(1), addr(2)};
	struct dgram_asker a;
	uint64_t now = START;

	assert_int_equal(dgram_asker_init(&a, to, row->addrs, &row->opt, now), 0);
	for (const char *p = row->script; *p; p++) {
		char verb = *p;
		if (verb == ' ')
			continue;
		assert_int_equal(dgram_asker_outcome(&a), DGRAM_ERR_AGAIN);
		play(&a, &now, verb, p[1] >= '0' && p[1] <= '9' ? (unsigned)(*++p - '0') : 0);
	}
	expect_end(&a, now, row->outcome);
}

/* ---- times ------------------------------------------------------------------------------------
 */

static struct dgram_addr text_addr(const char *text)
{
	struct dgram_addr a;

	assert_int_equal(dgram_addr_parse(&a, text), 0);
	return a;
}

static void the_profile_is_the_destinations(void **state)
{
	static const struct {
		const char *to;
		enum dgram_profile profile;
	} rows_[] = {
		{"127.0.0.1:9", DGRAM_PROFILE_LOOPBACK}, {"127.8.9.10:9", DGRAM_PROFILE_LOOPBACK},
		{"[::1]:9", DGRAM_PROFILE_LOOPBACK},     {"unix:///tmp/x", DGRAM_PROFILE_LOOPBACK},
		{"10.1.2.3:9", DGRAM_PROFILE_LAN},       {"192.168.1.2:9", DGRAM_PROFILE_LAN},
		{"172.16.0.1:9", DGRAM_PROFILE_LAN},     {"169.254.3.4:9", DGRAM_PROFILE_LAN},
		{"239.255.24.72:9", DGRAM_PROFILE_LAN},  {"255.255.255.255:9", DGRAM_PROFILE_LAN},
		{"[fe80::1%2]:9", DGRAM_PROFILE_LAN},    {"[fd00::1]:9", DGRAM_PROFILE_LAN},
		{"[ff12::2472]:9", DGRAM_PROFILE_LAN},   {"192.0.2.1:9", DGRAM_PROFILE_WAN},
		{"172.32.0.1:9", DGRAM_PROFILE_WAN},     {"[2001:db8::1]:9", DGRAM_PROFILE_WAN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows_ / sizeof rows_[0]; i++) {
		struct dgram_addr to = text_addr(rows_[i].to);
		assert_int_equal(dgram_profile_of(&to), rows_[i].profile);
	}
}

static void of_several_destinations_the_slowest_sets_the_profile(void **state)
{
	struct dgram_addr to[] = {text_addr("10.0.0.1:9"), text_addr("192.0.2.1:9"),
				  text_addr("127.0.0.1:9")};
	struct dgram_asker a;

	(void)state;
	assert_int_equal(dgram_asker_init(&a, to, 3, NULL, 0), 0);
	assert_int_equal(a.opt.profile, DGRAM_PROFILE_WAN);
}

static void the_profile_sets_the_deadline(void **state)
{
	static const struct {
		enum dgram_profile profile;
		uint64_t seconds;
	} deadlines[] = {
		{DGRAM_PROFILE_LOOPBACK, 5}, {DGRAM_PROFILE_LAN, 5}, {DGRAM_PROFILE_WAN, 30}};
	struct dgram_addr to = addr(0);
	struct dgram_asker a;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct dgram_ask_options opt = {.profile = deadlines[i].profile};

		assert_int_equal(dgram_asker_init(&a, &to, 1, &opt, START), 0);
		assert_int_equal(a.opt.deadline - START, deadlines[i].seconds * DGRAM_S);
	}
}

struct timing {
	const char *name;
	struct dgram_ask_options opt;
	uint32_t waits_ms[8]; /* between the sends, without jitter; 0 ends the list */
};

static const struct timing timings[] = {
	{"loopback: 50 ms, x1.5, to 500 ms",
	 {.profile = DGRAM_PROFILE_LOOPBACK},
	 {50, 75, 112, 168, 253, 379, 500, 500}},
	{"LAN: 100 ms, x1.5, to 1 s",
	 {.profile = DGRAM_PROFILE_LAN},
	 {100, 150, 225, 337, 506, 759, 1000}},
	{"WAN: 1 s, x2, to 8 s", {.profile = DGRAM_PROFILE_WAN}, {1000, 2000, 4000, 8000, 8000}},
	{"a first wait of one's own grows by the profile",
	 {.timeout = 200 * DGRAM_MS},
	 {200, 300, 450, 500, 500}},
	{"a first wait over the cap is the cap", {.timeout = 1200 * DGRAM_MS}, {1200, 1200, 1200}},
	{"a backoff of 1 is a fixed wait", {.backoff_milli = 1000}, {50, 50, 50, 50}},
	{"a backoff of 4", {.backoff_milli = 4000}, {50, 200, 500, 500}},
	{"the largest backoff jumps to the cap", {.backoff_milli = UINT32_MAX}, {50, 500, 500}},
	{"a cap of one's own", {.timeout_max = 80 * DGRAM_MS}, {50, 75, 80, 80}},
	{"a cap under the first wait is the first wait", {.timeout_max = 20 * DGRAM_MS}, {20, 20}},
	{"no cap is under 1 ms", {.timeout_max = 1}, {1, 1, 1}},
	{"no wait is under 1 ms", {.timeout = 1, .backoff_milli = 1000}, {1, 1, 1}},
};

static void run_timing(void **state)
{
	const struct timing *t = *state;
	struct dgram_addr to = addr(0);
	struct dgram_asker a;
	uint64_t now = START;

	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct dgram_ask_options opt = t->opt;
		opt.seed = seed;
		assert_int_equal(dgram_asker_init(&a, &to, 1, &opt, now), 0);
		for (size_t i = 0; i < 8 && t->waits_ms[i]; i++) {
			uint64_t low = t->waits_ms[i] * DGRAM_MS * 9 / 10;
			uint64_t high =
				(t->waits_ms[i] + (t->waits_ms[i] > 100)) * DGRAM_MS * 11 / 10;

			play(&a, &now, 's', 0);
			uint64_t wait = dgram_asker_deadline(&a) - now;
			assert_in_range(wait, low, high + DGRAM_MS);
			play(&a, &now, 'w', 0);
		}
	}
}

static void jitter_spreads_the_waits_and_follows_the_seed(void **state)
{
	struct dgram_addr to = addr(0);
	uint64_t low = UINT64_MAX, high = 0, wait[2];

	(void)state;
	for (uint64_t i = 0; i < 400; i++) {
		struct dgram_ask_options opt = {.seed = i / 2, .timeout = 100 * DGRAM_MS};
		struct dgram_asker a;
		uint64_t now = START;

		assert_int_equal(dgram_asker_init(&a, &to, 1, &opt, now), 0);
		play(&a, &now, 's', 0);
		wait[i % 2] = dgram_asker_deadline(&a) - now;
		if (i % 2)
			assert_int_equal(wait[0], wait[1]);
		low = wait[i % 2] < low ? wait[i % 2] : low;
		high = wait[i % 2] > high ? wait[i % 2] : high;
	}
	assert_in_range(low, 90 * DGRAM_MS, 92 * DGRAM_MS);
	assert_in_range(high, 108 * DGRAM_MS, 110 * DGRAM_MS);
}

static void no_resend_leaves_too_little_time_for_its_answer(void **state)
{
	struct dgram_ask_options opt = {.timeout = DGRAM_S, .deadline = DGRAM_S + DGRAM_S / 10};
	struct dgram_addr to = addr(0);
	struct dgram_asker a;

	(void)state;
	for (opt.seed = 1; opt.seed <= 50; opt.seed++) {
		uint64_t now = START;

		assert_int_equal(dgram_asker_init(&a, &to, 1, &opt, now), 0);
		play(&a, &now, 's', 0);
		play(&a, &now, 'w', 0);
		if (now < a.opt.deadline)
			play(&a, &now, 'w', 0);
		assert_int_equal(now, a.opt.deadline);
		expect_end(&a, now, DGRAM_ERR_TIMEOUT);
	}
}

static void the_rtt_counts_from_the_last_try_at_that_address(void **state)
{
	struct dgram_addr to[] = {addr(0), addr(1)};

	(void)state;
	for (unsigned who = 0; who < 2; who++) {
		struct dgram_asker a;
		uint64_t now = START;

		assert_int_equal(dgram_asker_init(&a, to, 2, NULL, now), 0);
		play(&a, &now, 's', 0);
		play(&a, &now, 'w', 0);
		play(&a, &now, 's', 1);
		now += DGRAM_MS;
		play(&a, &now, 'a', who);
		assert_int_equal(a.rtt, who ? DGRAM_MS : now - START);
	}
}

static void tries_are_what_left_and_refusals_are_counted(void **state)
{
	struct dgram_addr to[] = {addr(0), addr(1), addr(2)};
	struct dgram_asker a;
	uint64_t now = START;

	(void)state;
	assert_int_equal(dgram_asker_init(&a, to, 3, NULL, now), 0);
	play(&a, &now, 'l', 0);
	play(&a, &now, 'w', 0);
	play(&a, &now, 'k', 1);
	play(&a, &now, 's', 2);
	play(&a, &now, 'n', 2);
	assert_int_equal(a.tries, 1);
	assert_int_equal(a.refusals, 2);
	assert_int_equal(a.resends, 1);
}

static void one_that_was_asked_at_no_address_answers_from_loopback(void **state)
{
	struct dgram_addr to = text_addr("0.0.0.0:9"), from = text_addr("127.0.0.1:9");
	struct dgram_addr port = text_addr("127.0.0.1:10"), away = text_addr("192.0.2.1:9");
	struct dgram_asker a;

	(void)state;
	assert_int_equal(dgram_asker_init(&a, &to, 1, NULL, START), 0);
	expect_send(&a, START, &to);
	dgram_asker_sent(&a, START);
	assert_false(dgram_asker_answered(&a, &port, START));
	assert_false(dgram_asker_answered(&a, &away, START));
	assert_true(dgram_asker_answered(&a, &from, START));
}

static void what_cannot_be_asked_is_refused(void **state)
{
	struct dgram_ask_options slow = {.backoff_milli = 999}, never = {.deadline = DGRAM_NEVER};
	struct dgram_ask_options profile = {.profile = DGRAM_PROFILE_WAN + 1};
	struct dgram_addr to[DGRAM_ASK_ADDRS_MAX + 1] = {addr(0)};
	struct dgram_asker a;

	(void)state;
	assert_int_equal(dgram_asker_init(&a, to, 0, NULL, 0), DGRAM_ERR_ARGUMENT);
	assert_int_equal(dgram_asker_init(&a, to, DGRAM_ASK_ADDRS_MAX + 1, NULL, 0),
			 DGRAM_ERR_ARGUMENT);
	assert_int_equal(dgram_asker_init(&a, to, 1, &slow, 0), DGRAM_ERR_ARGUMENT);
	assert_int_equal(dgram_asker_init(&a, to, 1, &never, 0), DGRAM_ERR_ARGUMENT);
	assert_int_equal(dgram_asker_init(&a, to, 1, &profile, 0), DGRAM_ERR_ARGUMENT);
	never.limit_retries = true;
	assert_int_equal(dgram_asker_init(&a, to, 1, &never, 0), 0);
}

static void the_longest_times_do_not_wrap(void **state)
{
	struct dgram_ask_options opt = {.timeout = DGRAM_NEVER,
					.timeout_max = DGRAM_NEVER,
					.backoff_milli = UINT32_MAX,
					.limit_retries = true,
					.retries = 3,
					.deadline = DGRAM_NEVER};
	struct dgram_addr to = addr(0);
	struct dgram_asker a;
	uint64_t now = START;

	(void)state;
	assert_int_equal(dgram_asker_init(&a, &to, 1, &opt, now), 0);
	for (int i = 0; i < 3; i++) {
		play(&a, &now, 's', 0);
		play(&a, &now, 'w', 0);
	}
	now = START;
	opt.deadline = DGRAM_NEVER - 1;
	assert_int_equal(dgram_asker_init(&a, &to, 1, &opt, now), 0);
	play(&a, &now, 's', 0);
	expect_wait(&a, now);
}

/* ---- random runs ------------------------------------------------------------------------------
 */

/* What the network knows and the machine may only guess: which try was refused. */
struct world {
	struct dgram_asker a;
	struct dg_random random;
	struct dgram_addr to[ADDRS];
	unsigned addrs;
	uint64_t now, last_sent;
	uint32_t left[ADDRS], refused[ADDRS]; /* tries that left; refusals of different ones */
	bool out[ADDRS], any, excused;        /* excused: a refusal came since the last send */
	uint32_t sends;
};

static unsigned pick(struct world *w, unsigned n)
{
	return (unsigned)dg_random_below(&w->random, n);
}

static void world_init(struct world *w, uint64_t seed)
{
	*w = (struct world){.now = START};
	dg_random_init(&w->random, seed);
	w->addrs = 1 + pick(w, ADDRS);
	for (unsigned i = 0; i < w->addrs; i++)
		w->to[i] = addr(i);

	struct dgram_ask_options opt = {
		.profile = (enum dgram_profile)pick(w, 4),
		.timeout = pick(w, 2) * (DGRAM_MS + pick(w, 1000) * DGRAM_MS),
		.backoff_milli = pick(w, 2) * (1000 + pick(w, 2000)),
		.timeout_max = pick(w, 2) * (DGRAM_MS + pick(w, 2000) * DGRAM_MS),
		.retries = pick(w, 5),
		.limit_retries = pick(w, 2),
		.retry_refused = pick(w, 3) == 0,
		.deadline = pick(w, 2) * (1 + pick(w, 3000) * DGRAM_MS),
		.seed = seed,
	};
	assert_int_equal(dgram_asker_init(&w->a, w->to, w->addrs, &opt, w->now), 0);
}

/* By the kernel if unsent, else by the network: some try that left. */
static void refuse(struct world *w, unsigned i, bool unsent)
{
	static const int errors[] = {DGRAM_ERR_REFUSED, DGRAM_ERR_UNREACHABLE, DGRAM_ERR_SYSTEM};
	int error = errors[pick(w, 3)];
	int rc = dgram_asker_failed(&w->a, &w->to[i], error, w->now);

	assert_int_equal(rc, i);
	if (!unsent)
		w->refused[i]++;
	if (!w->a.opt.retry_refused || error == DGRAM_ERR_SYSTEM)
		w->out[i] = true;
	w->excused = true;
}

/* The nearer the end, the sooner a refusing address is asked again: the half of what was left, and a quarter of the first
 * wait still is. */
static uint64_t shortest_wait(const struct world *w)
{
	uint64_t first = w->a.opt.timeout * 9 / 10;
	uint64_t half = (w->a.opt.deadline - w->last_sent) / 2 * 9 / 10;

	return w->a.opt.retry_refused && half < first ? half : first;
}

static void send_one(struct world *w, const struct dgram_addr *to)
{
	unsigned i = to->port - 9000u;

	assert_false(w->out[i]);
	if (w->any && !w->excused)
		assert_true(w->now - w->last_sent >= shortest_wait(w));
	w->any = true;
	w->excused = false;
	w->last_sent = w->now;
	w->sends++;
	switch (pick(w, 6)) {
	case 0:
		dgram_asker_lost(&w->a, DGRAM_ERR_NOBUFS, w->now);
		break;
	case 1:
		refuse(w, i, true);
		break;
	default:
		dgram_asker_sent(&w->a, w->now);
		w->left[i]++;
	}
}

/* The wait passes, or something comes before its end. */
static void wait_some(struct world *w)
{
	uint64_t until = dgram_asker_deadline(&w->a);
	unsigned i = pick(w, w->addrs);

	assert_true(until > w->now);
	assert_int_equal(dgram_asker_next(&w->a, w->now / 2, NULL), DGRAM_ASK_WAIT);
	assert_int_equal(dgram_asker_next(&w->a, until - 1, NULL), DGRAM_ASK_WAIT);
	if (pick(w, 3)) {
		w->now = until;
		return;
	}
	w->now = until - 1;
	if (w->left[i] > w->refused[i] && !w->out[i])
		refuse(w, i, false);
}

static void check_outcome(const struct world *w)
{
	int outcome = dgram_asker_outcome(&w->a);
	bool open = false, all_out = true;

	for (unsigned i = 0; i < w->addrs; i++) {
		open |= w->left[i] > w->refused[i];
		all_out &= w->out[i];
	}
	if (outcome != DGRAM_ERR_TIMEOUT && outcome != DGRAM_ERR_UNKNOWN)
		assert_false(open);
	if (outcome == DGRAM_ERR_UNKNOWN)
		assert_true(all_out && w->a.tries);
	if (w->a.opt.limit_retries)
		assert_true(w->sends <= w->a.opt.retries + 2 * w->addrs);
	assert_true(w->now <= w->a.opt.deadline);
	assert_int_equal(w->a.tries, w->left[0] + w->left[1] + w->left[2]);
}

static void any_run_keeps_the_promises(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20000; seed++) {
		const struct dgram_addr *to;
		enum dgram_ask_step step;
		struct world w;

		world_init(&w, seed);
		while ((step = dgram_asker_next(&w.a, w.now, &to)) != DGRAM_ASK_END) {
			if (step == DGRAM_ASK_SEND)
				send_one(&w, to);
			else
				wait_some(&w);
		}
		check_outcome(&w);
		expect_end(&w.a, w.now, dgram_asker_outcome(&w.a));
	}
}

/* ---- */

#define COUNT(table) (sizeof table / sizeof table[0])

int main(void)
{
	static const struct CMUnitTest fixed[] = {
		cmocka_unit_test(the_profile_is_the_destinations),
		cmocka_unit_test(of_several_destinations_the_slowest_sets_the_profile),
		cmocka_unit_test(the_profile_sets_the_deadline),
		cmocka_unit_test(jitter_spreads_the_waits_and_follows_the_seed),
		cmocka_unit_test(no_resend_leaves_too_little_time_for_its_answer),
		cmocka_unit_test(the_rtt_counts_from_the_last_try_at_that_address),
		cmocka_unit_test(tries_are_what_left_and_refusals_are_counted),
		cmocka_unit_test(one_that_was_asked_at_no_address_answers_from_loopback),
		cmocka_unit_test(what_cannot_be_asked_is_refused),
		cmocka_unit_test(the_longest_times_do_not_wrap),
		cmocka_unit_test(any_run_keeps_the_promises),
	};
	struct CMUnitTest tests[COUNT(rows) + COUNT(timings) + COUNT(fixed)];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(rows); i++)
		tests[n++] = (struct CMUnitTest){.name = rows[i].name,
						 .test_func = run_row,
						 .initial_state = (void *)(uintptr_t)&rows[i]};
	for (size_t i = 0; i < COUNT(timings); i++)
		tests[n++] = (struct CMUnitTest){.name = timings[i].name,
						 .test_func = run_timing,
						 .initial_state = (void *)(uintptr_t)&timings[i]};
	memcpy(&tests[n], fixed, sizeof fixed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
