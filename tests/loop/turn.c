/* The order of a loop's turn, with an endpoint that only notes what it is called for:
 *
 *	r  receive           E  next_event: there is one     T  transmit: here is one
 *	!  told              e  next_event: none             t  transmit: nothing is due
 *
 * Where nothing is said of it, the clock stands still.
 */
#define _GNU_SOURCE
#include "net/net.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

struct dgram_endpoint {
	char log[400];
	size_t logged;
	/* What came. */
	struct {
		size_t len;
		int status;
		uint8_t first;
	} received[100];
	size_t received_count;
	struct dgram_socket_error told[16];
	size_t told_count;
	int abandoned, closed;
	/* What it is to say. */
	int events_each, events;      /* for each datagram, and waiting now */
	struct dgram_addr to, to_odd; /* the even and the odd ones, where they differ */
	uint32_t interface_odd;
	const size_t *lens; /* of what is to be sent */
	size_t lens_count, sent;
	size_t lens_for_received; /* lens_count, once something came */
	uint64_t deadline;
};

static struct dgram_endpoint fake;
static uint64_t clock_reads; /* how often it was read */
static uint64_t clock_now;   /* what it says; 0: the time */
static uint64_t clock_step;  /* ns that each look takes */

uint64_t __wrap_dgram_clock(void);
uint64_t __real_dgram_clock(void);

uint64_t __wrap_dgram_clock(void)
{
	clock_reads++;
	clock_now += clock_step;
	return clock_now > 0 ? clock_now : __real_dgram_clock();
}

static bool errors_come; /* with each send */

/* Entries that were given to the socket. */
static struct {
	size_t len, segment;
} entries[200];
static size_t entry_count;

int __wrap_dgram_socket_send_batch(struct dgram_socket *s, const struct dgram_datagram *v,
                                   size_t n);
int __real_dgram_socket_send_batch(struct dgram_socket *s, const struct dgram_datagram *v,
                                   size_t n);

int __wrap_dgram_socket_send_batch(struct dgram_socket *s, const struct dgram_datagram *v, size_t n)
{
	int sent = __real_dgram_socket_send_batch(s, v, n);

	if (errors_come)
		s->errors[s->errors_count++] = (struct dgram_socket_error){
		        .to = v[0].peer, .error = DGRAM_ERR_UNREACHABLE};
	for (int i = 0; i < sent && entry_count < 200; i++, entry_count++) {
		entries[entry_count].len = v[i].len;
		entries[entry_count].segment = v[i].segment;
	}
	return sent;
}

static int
        nothing_there; /* receives that find nothing, though poll() said so: a damaged datagram */

int __wrap_dgram_socket_recv_batch(struct dgram_socket *s, struct dgram_datagram *v, size_t n);
int __real_dgram_socket_recv_batch(struct dgram_socket *s, struct dgram_datagram *v, size_t n);

int __wrap_dgram_socket_recv_batch(struct dgram_socket *s, struct dgram_datagram *v, size_t n)
{
	return nothing_there-- > 0 ? DGRAM_ERR_AGAIN : __real_dgram_socket_recv_batch(s, v, n);
}

static void note(char what)
{
	if (fake.logged < sizeof fake.log - 1)
		fake.log[fake.logged++] = what;
}

/* ---- the endpoint ----------------------------------------------------------------------------- */

size_t dgram_endpoint_size(const struct dgram_endpoint_config *config)
{
	return config->window == 1 ? 0 : sizeof fake;
}

struct dgram_endpoint *dgram_endpoint_new(const struct dgram_endpoint_config *config, void *memory)
{
	(void)memory;
	fake = (struct dgram_endpoint){.deadline = DGRAM_NEVER};
	return config->window == 2 ? NULL : &fake;
}

void dgram_endpoint_free(struct dgram_endpoint *ep)
{
	(void)ep;
}

enum dgram_fate dgram_endpoint_receive(struct dgram_endpoint *ep, const struct dgram_datagram *in,
                                       uint64_t now)
{
	(void)now;
	note('r');
	assert_true(ep->received_count < sizeof ep->received / sizeof ep->received[0]);
	ep->received[ep->received_count].len = in->len;
	ep->received[ep->received_count].status = in->status;
	ep->received[ep->received_count].first = in->len > 0 ? in->data[0] : 0;
	ep->received_count++;
	ep->events += ep->events_each;
	ep->lens_count += ep->lens_for_received;
	assert_int_equal(in->segment, 0);
	return DGRAM_FATE_TAKEN;
}

int dgram_endpoint_next_event(struct dgram_endpoint *ep, struct dgram_event *event, uint64_t now)
{
	(void)now;
	note(ep->events > 0 ? 'E' : 'e');
	*event = (struct dgram_event){.type = DGRAM_EVENT_STOP}; /* of no meaning with 0 */
	if (ep->events == 0)
		return 0;
	ep->events--;
	*event = (struct dgram_event){.type = DGRAM_EVENT_MESSAGE, .data = (const uint8_t *)""};
	return 1;
}

int dgram_endpoint_transmit(struct dgram_endpoint *ep, struct dgram_datagram *out, uint64_t now)
{
	(void)now;
	note(ep->sent < ep->lens_count ? 'T' : 't');
	if (ep->deadline <= now)
		ep->deadline = DGRAM_NEVER;
	if (ep->sent == ep->lens_count)
		return 0;
	out->peer = ep->sent % 2 == 1 && ep->to_odd.family != 0 ? ep->to_odd : ep->to;
	out->interface = ep->sent % 2 == 1 ? ep->interface_odd : 0;
	out->len = ep->lens[ep->sent];
	assert_true(out->len <= out->size);
	memset(out->data, (int)ep->sent, out->len);
	ep->sent++;
	return 1;
}

void dgram_endpoint_told(struct dgram_endpoint *ep, const struct dgram_addr *to, int error,
                         uint32_t mtu, uint64_t now)
{
	(void)now;
	note('!');
	if (ep->told_count < sizeof ep->told / sizeof ep->told[0])
		ep->told[ep->told_count++] =
		        (struct dgram_socket_error){.to = *to, .error = error, .mtu = mtu};
}

uint64_t dgram_endpoint_deadline(const struct dgram_endpoint *ep)
{
	return ep->deadline;
}

void dgram_endpoint_close(struct dgram_endpoint *ep, uint64_t session, uint64_t now)
{
	(void)session;
	(void)now;
	ep->closed++;
}

void dgram_endpoint_abandon(struct dgram_endpoint *ep)
{
	ep->abandoned++;
}

/* ---- the loop --------------------------------------------------------------------------------- */

struct stage {
	struct dgram_socket socket, other;
	struct dgram_addr here, there;
	struct dgram_loop *loop;
};

static void set_up(struct stage *s)
{
	clock_now = DGRAM_S;
	clock_step = 0;
	entry_count = 0;
	nothing_there = 0;
	errors_come = false;
	open_bound(&s->socket, "127.0.0.1:0", NULL);
	open_bound(&s->other, "127.0.0.1:0", NULL);
	s->here = name_of(&s->socket);
	s->there = name_of(&s->other);
	s->loop = dgram_loop_new(&s->socket, NULL);
	assert_non_null(s->loop);
	fake.to = s->there;
	clock_reads = 0;
}

static void take_down(struct stage *s)
{
	dgram_loop_free(s->loop);
	dgram_socket_close(&s->socket);
	dgram_socket_close(&s->other);
}

static void expect_wait(struct stage *s, int want, const char *log)
{
	struct dgram_event event;

	memset(fake.log, 0, sizeof fake.log);
	fake.logged = 0;
	assert_int_equal(dgram_loop_wait(s->loop, &event, 0), want);
	assert_int_equal(event.type, want == 1 ? DGRAM_EVENT_MESSAGE : 0);
	assert_string_equal(fake.log, log);
}

static void every_datagram_is_followed_by_its_events(void **state)
{
	static const size_t lens[] = {100};
	struct stage s;

	(void)state;
	set_up(&s);
	expect_wait(&s, 0, "eteete");
	for (int i = 0; i < 3; i++)
		send_text(&s.other, "x", &s.here);
	fake.events_each = 2;
	expect_wait(&s, 1, "eteerE");
	assert_int_equal(dgram_loop_timeout(s.loop), 0);
	expect_wait(&s, 1, "E");
	expect_wait(&s, 1, "erE");
	fake.lens = lens;
	fake.lens_count = 1;
	expect_wait(&s, 1, "E");
	expect_wait(&s, 1, "erE");
	expect_wait(&s, 1, "E");
	expect_wait(&s, 0, "eTteete");
	assert_int_equal(dgram_loop_timeout(s.loop), DGRAM_NEVER);
	assert_int_equal(fake.received_count, 3);
	take_down(&s);
}

/* Otherwise one that needs a second for each event would answer the first after all of them. */
static void a_slow_program_holds_nothing_back(void **state)
{
	struct stage s;

	(void)state;
	set_up(&s);
	for (int i = 0; i < 2; i++)
		send_text(&s.other, "x", &s.here);
	fake.events_each = 2;
	expect_wait(&s, 1, "eteerE");
	clock_now += 2 * DGRAM_MS;
	expect_wait(&s, 1, "tE");
	expect_wait(&s, 1, "erE");
	clock_now += 2 * DGRAM_MS;
	expect_wait(&s, 1, "tE");
	expect_wait(&s, 0, "eteete");
	clock_step = 2 * DGRAM_MS; /* a sleep is no time that anything waited */
	expect_wait(&s, 0, "teteete");
	take_down(&s);
}

static void the_clock_is_read_once_a_call_and_once_a_sleep(void **state)
{
	struct stage s;

	(void)state;
	set_up(&s);
	for (int i = 0; i < 4; i++)
		send_text(&s.other, "x", &s.here);
	expect_wait(&s, 0, "eteererererete");
	assert_int_equal(clock_reads, 2);
	fake.events_each = 1;
	send_text(&s.other, "x", &s.here);
	expect_wait(&s, 1, "eteerE");
	assert_int_equal(clock_reads, 4);
	expect_wait(&s, 0, "eteete");
	assert_int_equal(clock_reads, 6);
	take_down(&s);
}

static void bundles_leave_and_come_as_datagrams(void **state)
{
	static const size_t lens[] = {100, 100, 100, 60, 60, 1472, 1472, 1472, 28, 100};
	static const size_t count = sizeof lens / sizeof lens[0];
	struct stage s, t;
	char buf[2000];

	(void)state;
	set_up(&s);
	fake.lens = lens;
	fake.lens_count = count;
	expect_wait(&s, 0, "eTTTTTTTTTTteete");
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(dgram_socket_recvfrom(&s.other, buf, sizeof buf, NULL), lens[i]);
		assert_int_equal(buf[0], i);
		assert_int_equal(buf[lens[i] - 1], i);
	}
	assert_int_equal(s.socket.stats.sent, count);

	/* And to another loop, so that bundles come in. */
	set_up(&t);
	fake.to = t.here;
	fake.lens = lens;
	fake.lens_count = count;
	expect_wait(&s, 0, "eTTTTTTTTTTteete");
	expect_wait(&t, 0, "eteererererererererererete");
	assert_int_equal(fake.received_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(fake.received[i].len, lens[i]);
		assert_int_equal(fake.received[i].first, i);
	}
	take_down(&t);
	take_down(&s);
}

static void the_socket_gives_single_datagrams_again_without_the_loop(void **state)
{
	static uint8_t data[300];
	struct dgram_datagram three = {.data = data, .len = sizeof data, .segment = 100};
	struct stage s;

	(void)state;
	set_up(&s);
	dgram_loop_free(s.loop);
	s.loop = NULL;
	three.peer = s.here;
	assert_int_equal(dgram_socket_send_batch(&s.other, &three, 1), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(dgram_socket_recvfrom(&s.socket, data, sizeof data, NULL), 100);
	take_down(&s);
}

static void a_bundle_is_for_one_peer_and_no_longer_than_a_datagram(void **state)
{
	static const size_t lens[] = {100, 100, 100, 60, 60};
	static size_t many[64];
	struct dgram_socket third;
	struct stage s;

	(void)state;
	set_up(&s);
	fake.lens = lens;
	fake.lens_count = 5;
	expect_wait(&s, 0, "eTTTTTteete");
	assert_int_equal(entry_count, 2);
	assert_int_equal(entries[0].len, 360);
	assert_int_equal(entries[0].segment, 100);
	assert_int_equal(entries[1].len, 60);
	assert_int_equal(entries[1].segment, 0);

	entry_count = fake.sent = 0;
	open_bound(&third, "127.0.0.1:0", NULL);
	fake.to_odd = name_of(&third);
	expect_wait(&s, 0, "eTTTTTteete");
	assert_int_equal(entry_count, 5);

	entry_count = fake.sent = 0;
	fake.to_odd = fake.to;
	fake.interface_odd = 1;
	expect_wait(&s, 0, "eTTTTTteete");
	assert_int_equal(entry_count, 5);

	for (size_t i = 0; i < 64; i++)
		many[i] = 1472;
	entry_count = fake.sent = 0;
	fake.interface_odd = 0;
	fake.lens = many;
	fake.lens_count = 64;
	assert_int_equal(dgram_loop_wait(s.loop, &(struct dgram_event){.type = 0}, 0), 0);
	assert_int_equal(entry_count, 2);
	assert_int_equal(entries[0].len, DGRAM_DATAGRAM_MAX / 1472 * 1472);
	dgram_socket_close(&third);
	take_down(&s);
}

static void all_that_is_due_is_sent(void **state)
{
	static size_t lens[150];
	struct stage s;
	char buf[2000];

	(void)state;
	for (size_t i = 0; i < 150; i++)
		lens[i] = 400;
	set_up(&s);
	fake.lens = lens;
	fake.lens_count = 150;
	assert_int_equal(dgram_loop_wait(s.loop, &(struct dgram_event){.type = 0}, 0), 0);
	assert_int_equal(fake.sent, 150);
	for (size_t i = 0; i < 150; i++)
		assert_int_equal(dgram_socket_recvfrom(&s.other, buf, sizeof buf, NULL), 400);
	take_down(&s);
}

static void a_datagram_that_is_too_long_is_an_empty_one(void **state)
{
	static const uint8_t data[4000];
	struct stage s;

	(void)state;
	set_up(&s);
	assert_int_equal(dgram_socket_sendto(&s.other, data, 1472, &s.here), 0);
	assert_int_equal(dgram_socket_sendto(&s.other, data, 1473, &s.here), 0);
	assert_int_equal(dgram_socket_sendto(&s.other, data, 0, &s.here), 0);
	expect_wait(&s, 0, "eteerererete");
	assert_int_equal(fake.received[0].len, 1472);
	assert_int_equal(fake.received[1].len, 0);
	assert_int_equal(fake.received[1].status, DGRAM_ERR_TRUNCATED);
	assert_int_equal(fake.received[2].len, 0);
	assert_int_equal(fake.received[2].status, 0);
	take_down(&s);
}

static void a_datagram_that_was_not_there_after_all_is_no_error(void **state)
{
	struct stage s;

	(void)state;
	set_up(&s);
	send_text(&s.other, "x", &s.here);
	nothing_there = 1;
	expect_wait(&s, 0, "eteete");
	expect_wait(&s, 0, "eteerete");
	take_down(&s);
}

static void push_error(struct stage *s, const char *to, int error, int errno_value, uint32_t mtu)
{
	s->socket.errors[s->socket.errors_count++] = (struct dgram_socket_error){
	        .to = address(to), .error = error, .errno_value = errno_value, .mtu = mtu};
}

static void errors_are_told_after_the_datagrams_and_in_bytes_of_payload(void **state)
{
	static const struct {
		const char *to;
		int error, errno_value;
		uint32_t mtu;
		int told;
		uint32_t payload;
	} row[] = {
	        {"192.0.2.1:9", DGRAM_ERR_SIZE, EMSGSIZE, 1500, DGRAM_ERR_SIZE, 1472},
	        {"[2001:db8::1]:9", DGRAM_ERR_SIZE, EMSGSIZE, 1500, DGRAM_ERR_SIZE, 1452},
	        {"192.0.2.1:9", DGRAM_ERR_SIZE, EMSGSIZE, 20, DGRAM_ERR_SIZE, 0},
	        {"192.0.2.1:9", DGRAM_ERR_REFUSED, ECONNREFUSED, 0, DGRAM_ERR_REFUSED, 0},
	        {"192.0.2.1:9", DGRAM_ERR_UNREACHABLE, EHOSTUNREACH, 0, DGRAM_ERR_UNREACHABLE, 0},
	        {"192.0.2.1:9", DGRAM_ERR_DENIED, EACCES, 0, DGRAM_ERR_UNREACHABLE, 0},
	        {"192.0.2.1:9", DGRAM_ERR_DENIED, EPERM, 0, 0, 0},
	        {"192.0.2.1:9", DGRAM_ERR_SYSTEM, EPROTO, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct dgram_addr to = address(row[i].to);
		struct stage s;

		print_message("%s, %s\n", strerror(row[i].errno_value), row[i].to);
		set_up(&s);
		send_text(&s.other, "x", &s.here);
		push_error(&s, row[i].to, row[i].error, row[i].errno_value, row[i].mtu);
		expect_wait(&s, 0, row[i].told < 0 ? "e!teerete" : "eteerete");
		assert_int_equal(fake.told_count, row[i].told < 0);
		if (row[i].told < 0) {
			assert_int_equal(fake.told[0].error, row[i].told);
			assert_int_equal(fake.told[0].mtu, row[i].payload);
			assert_true(dgram_addr_equal(&fake.told[0].to, &to));
		}
		take_down(&s);
	}
}

/* A loop of the program's own would sleep on what is in the socket and not in the kernel. */
static void errors_that_a_send_met_are_told_before_the_sleep(void **state)
{
	static const size_t lens[] = {100};
	struct stage s;

	(void)state;
	set_up(&s);
	send_text(&s.other, "x", &s.here);
	fake.lens = lens;
	fake.lens_for_received = 1;
	errors_come = true;
	expect_wait(&s, 0, "eteereTt!e");
	assert_int_equal(s.socket.errors_count, 0);
	take_down(&s);
}

static void a_refusal_comes_after_what_came_before_it(void **state)
{
	static const size_t lens[] = {100};
	struct stage s;

	(void)state;
	NEED_ERRORS();
	set_up(&s);
	clock_now = 0; /* really */
	fake.to = address(DEAD4);
	fake.lens = lens;
	fake.lens_count = 1;
	memset(fake.log, 0, sizeof fake.log);
	send_text(&s.other, "x", &s.here);
	for (uint64_t end = dgram_clock() + PATIENCE; fake.told_count == 0;) {
		assert_true(dgram_clock() < end);
		dgram_loop_wait(s.loop, &(struct dgram_event){.type = 0}, 10 * DGRAM_MS);
	}
	assert_true(strchr(fake.log, 'r') != NULL && strchr(fake.log, 'r') < strchr(fake.log, '!'));
	assert_int_equal(fake.told[0].error, DGRAM_ERR_REFUSED);
	assert_true(dgram_addr_equal(&fake.told[0].to, &fake.to));
	take_down(&s);
}

static void it_wakes_for_the_endpoints_deadline(void **state)
{
	struct dgram_event event;
	struct stage s;
	uint64_t start;

	(void)state;
	set_up(&s);
	clock_now = 0;
	start = dgram_clock();
	fake.deadline = start + 10 * DGRAM_MS;
	assert_true(dgram_loop_timeout(s.loop) <= 10 * DGRAM_MS);
	assert_int_equal(dgram_loop_wait(s.loop, &event, 30 * DGRAM_MS), 0);
	assert_true(dgram_clock() - start >= 30 * DGRAM_MS);
	assert_int_equal(fake.deadline, DGRAM_NEVER); /* it was called when it said */
	fake.deadline = 0;
	assert_int_equal(dgram_loop_timeout(s.loop), 0);
	take_down(&s);
}

static void a_child_abandons_once(void **state)
{
	struct dgram_event event;
	struct stage s;
	int status;
	pid_t child;

	(void)state;
	set_up(&s);
	child = fork();
	if (child == 0) {
		event.type = DGRAM_EVENT_DONE;
		bool well = dgram_loop_wait(s.loop, &event, 0) == DGRAM_ERR_CLOSED &&
		            event.type == 0 &&
		            dgram_loop_wait(s.loop, &event, 0) == DGRAM_ERR_CLOSED;

		dgram_loop_close(s.loop);
		_exit(!well || fake.abandoned != 1 || fake.closed != 0 || fake.logged != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	expect_wait(&s, 0, "eteete");
	assert_int_equal(fake.abandoned, 0);
	dgram_loop_close(s.loop);
	assert_int_equal(fake.closed, 1);
	take_down(&s);
}

static void what_cannot_be_made_is_said(void **state)
{
	const struct dgram_endpoint_config bad = {.window = 1}, no_memory = {.window = 2};
	struct stage s;

	(void)state;
	set_up(&s);
	errno = 0;
	assert_null(dgram_loop_new(&s.other, &bad));
	assert_int_equal(errno, EINVAL);
	assert_null(dgram_loop_new(&s.other, &no_memory));
	assert_int_equal(s.other.timeout, PATIENCE);
	take_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_datagram_is_followed_by_its_events),
	        cmocka_unit_test(a_slow_program_holds_nothing_back),
	        cmocka_unit_test(the_clock_is_read_once_a_call_and_once_a_sleep),
	        cmocka_unit_test(bundles_leave_and_come_as_datagrams),
	        cmocka_unit_test(the_socket_gives_single_datagrams_again_without_the_loop),
	        cmocka_unit_test(a_bundle_is_for_one_peer_and_no_longer_than_a_datagram),
	        cmocka_unit_test(all_that_is_due_is_sent),
	        cmocka_unit_test(a_datagram_that_is_too_long_is_an_empty_one),
	        cmocka_unit_test(errors_are_told_after_the_datagrams_and_in_bytes_of_payload),
	        cmocka_unit_test(a_datagram_that_was_not_there_after_all_is_no_error),
	        cmocka_unit_test(errors_that_a_send_met_are_told_before_the_sleep),
	        cmocka_unit_test(a_refusal_comes_after_what_came_before_it),
	        cmocka_unit_test(it_wakes_for_the_endpoints_deadline),
	        cmocka_unit_test(a_child_abandons_once),
	        cmocka_unit_test(what_cannot_be_made_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
