/* Two endpoints and the network between them, driven by a script: every byte is something that a
 * program does, or a link, or time, or (rarely) a peer that does not keep to the protocol.
 *
 * What must hold: each message of ours ends once; what was refused was never given to a program,
 * what is no idempotent request was given at most once, and what was answered was given, with the
 * reply that its program made; every datagram has one fate; after transmit has nothing, nothing is
 * due; once all is closed and taken, nothing is kept.
 *
 * A forged datagram is one of a peer with the right ids that says anything. From then on only those
 * of these that do not depend on the peer are checked. */
#include "fuzz.h"

#include "wire/wire.h"

#include <dgram/endpoint.h>

#define OPERATIONS 1500
#define MAILS      400
#define WAY        96 /* datagrams on the way; more are lost */
#define INBOX      64 /* requests that were given and not answered */
#define DATAGRAM   1472
#define LONGEST    9000 /* bytes of a message */
#define PAIRS      16
#define ORDERS     64 /* sessions of which the last ordered message is remembered */

struct mail {
	uint64_t handle, deadline;
	uint32_t len, runs, life; /* life: of the receiver, when it was submitted */
	uint8_t from, kind, outcome;
	bool idempotent, pending, replied, said_no;
};

struct side {
	struct dgram_endpoint *ep;
	struct dgram_addr addr;
	uint64_t given;
	uint32_t life; /* how often it was started */
};

struct request {
	uint64_t handle;
	uint32_t mail;
	uint8_t side;
};

struct flying {
	uint8_t to;
	size_t len;
	uint8_t data[DATAGRAM];
};

static struct world {
	const uint8_t *at;
	size_t left;
	uint64_t now;
	struct side sides[2];
	struct mail mails[MAILS];
	uint32_t mails_count;
	struct request inbox[INBOX];
	uint32_t inbox_count;
	struct flying way[WAY];
	uint32_t way_count;
	uint64_t ids[2][PAIRS]; /* of sessions: what each side calls it */
	uint32_t pairs;
	uint64_t forged_number;
	struct {
		uint64_t session, number;
		uint8_t side;
	} orders[ORDERS];
	uint32_t orders_count;
	uint8_t options;
	bool forged;
} w;

static uint8_t next(void)
{
	if (w.left == 0)
		return 0;
	w.left--;
	return *w.at++;
}

/* ---- bytes that tell whose they are ------------------------------------------------------------ */

static uint8_t byte_of(uint32_t mail, uint32_t at, uint8_t salt)
{
	if (at < 2)
		return (uint8_t)(mail >> 8 * at);
	return (uint8_t)(mail * 31 + at * 7 + (at >> 8) + salt);
}

static void fill(uint8_t *out, uint32_t mail, uint32_t len, uint8_t salt)
{
	for (uint32_t i = 0; i < len; i++)
		out[i] = byte_of(mail, i, salt);
}

static bool is_of(const uint8_t *data, uint32_t mail, uint32_t len, uint8_t salt)
{
	for (uint32_t i = 0; i < len; i++)
		if (data[i] != byte_of(mail, i, salt))
			return false;
	return true;
}

static uint32_t reply_len(uint32_t mail)
{
	return mail % 5 == 0 ? mail * 97 % LONGEST : mail % 60;
}

/* ---- the two sides ----------------------------------------------------------------------------- */

static void start(uint8_t s)
{
	struct dgram_endpoint_config config = {
	        .boot = w.options & 1 ? 0 : 7,
	        .sessions = w.options & 2 ? 2 : 8,
	        .half_open = 4,
	        .messages = w.options & 4 ? 12 : 128,
	        .requests = w.options & 8 ? 2 : 16,
	        .pool = w.options & 16 ? 16 << 10 : 256 << 10,
	        .block = w.options & 32 ? 64 : 512,
	        .window = w.options & 64 ? 8 : 64,
	        .message_max = 8 << 10,
	        .credit = w.options & 128 ? 256 : 4 << 10,
	        .idle_ms = 20000,
	};

	config.busy = config.sessions;
	config.seed[0] = (uint8_t)(s + 1);
	config.seed[1] = (uint8_t)++w.sides[s].life;
	w.sides[s].ep = dgram_endpoint_new(&config, NULL);
	w.sides[s].given = 0;
	FUZZ_CHECK(w.sides[s].ep);
	FUZZ_CHECK(dgram_addr_parse(&w.sides[s].addr, s ? "10.0.0.2:2" : "10.0.0.1:1") == 0);
}

static void check_counts(const struct side *side)
{
	struct dgram_endpoint_stats stats;
	uint64_t sum = 0;

	dgram_endpoint_stats(side->ep, &stats);
	for (int fate = 0; fate < DGRAM_FATE_COUNT; fate++)
		sum += stats.received[fate];
	FUZZ_CHECK(sum == side->given);
	FUZZ_CHECK(stats.pool_used <= stats.pool_size && stats.requests <= 16 &&
	           stats.messages <= 128);
}

/* Its memory is gone: nothing that it waited for will end. */
static void restart(uint8_t s)
{
	check_counts(&w.sides[s]);
	dgram_endpoint_free(w.sides[s].ep);
	for (uint32_t i = 0; i < w.mails_count; i++)
		if (w.mails[i].from == s)
			w.mails[i].pending = false;
	for (uint32_t i = 0; i < w.inbox_count;)
		if (w.inbox[i].side == s)
			w.inbox[i] = w.inbox[--w.inbox_count];
		else
			i++;
	start(s);
}

/* ---- events -------------------------------------------------------------------------------------- */

/* Those of one session are given in the order of their numbers. */
static void check_order(uint8_t s, const struct dgram_event *e)
{
	uint32_t i = 0;

	while (i < w.orders_count && (w.orders[i].session != e->session || w.orders[i].side != s))
		i++;
	if (i == ORDERS)
		return;
	if (i < w.orders_count)
		FUZZ_CHECK(w.orders[i].number < e->number);
	w.orders_count += i == w.orders_count;
	w.orders[i].session = e->session;
	w.orders[i].number = e->number;
	w.orders[i].side = s;
}

static void given(uint8_t s, const struct dgram_event *e)
{
	uint32_t i = e->len >= 2 ? (uint32_t)(e->data[0] | e->data[1] << 8) : MAILS;
	struct mail *m;

	if (w.forged && (i >= w.mails_count || !is_of(e->data, i, (uint32_t)e->len, 0)))
		return;
	FUZZ_CHECK(i < w.mails_count);
	m = &w.mails[i];
	FUZZ_CHECK(w.forged || (e->len == m->len && is_of(e->data, i, m->len, 0)));
	FUZZ_CHECK(w.forged ||
	           (m->from != s && e->kind == m->kind && e->idempotent == m->idempotent));
	if (e->ordered && !w.forged)
		check_order(s, e);
	m->runs++;
	FUZZ_CHECK(w.forged || m->idempotent || (m->runs == 1 && m->outcome != DGRAM_REFUSED));
	if (e->type == DGRAM_EVENT_REQUEST && w.inbox_count < INBOX)
		w.inbox[w.inbox_count++] = (struct request){e->id, i, s};
}

static void done(uint8_t s, const struct dgram_event *e)
{
	struct mail *m = NULL;
	uint32_t i;

	for (i = 0; i < w.mails_count && !m; i++)
		if (w.mails[i].from == s && w.mails[i].pending && w.mails[i].handle == e->id)
			m = &w.mails[i];
	i--;
	FUZZ_CHECK(m && e->kind == m->kind && e->user == i && e->reason < DGRAM_REASON_COUNT);
	FUZZ_CHECK(e->outcome >= DGRAM_ANSWERED && e->outcome <= DGRAM_UNKNOWN);
	m->pending = false;
	m->outcome = e->outcome;
	if (w.forged)
		return;
	if (e->outcome == DGRAM_REFUSED)
		FUZZ_CHECK(m->runs == 0 || m->said_no);
	if (e->outcome == DGRAM_ANSWERED && m->kind == DGRAM_REQUEST)
		FUZZ_CHECK(m->replied && e->len == reply_len(i) && e->status == (uint8_t)i &&
		           is_of(e->data, i, (uint32_t)e->len, 1));
}

static void take_events(uint8_t s, unsigned most)
{
	struct dgram_event e;

	while (most-- > 0 && dgram_endpoint_next_event(w.sides[s].ep, &e, w.now)) {
		FUZZ_CHECK(e.data);
		if (e.type == DGRAM_EVENT_DONE)
			done(s, &e);
		else if (e.type != DGRAM_EVENT_STOP)
			given(s, &e);
	}
}

/* ---- what a program does ------------------------------------------------------------------------- */

static uint64_t deadline(void)
{
	static const uint64_t waits[] = {0, 1, 20, 300, 2000, 9000, 60000};
	uint8_t which = next() % 8;

	return which < 7 ? w.now + waits[which] * DGRAM_MS : DGRAM_NEVER;
}

static void submit(uint8_t s)
{
	static uint8_t data[LONGEST];
	uint8_t how = next(), size = next();
	struct mail *m = &w.mails[w.mails_count];
	struct dgram_message message = {
	        .to = w.sides[!s].addr, .data = data, .user = w.mails_count};
	int rc;

	if (w.mails_count == MAILS)
		return;
	message.kind = (uint8_t)(how % 4 + DGRAM_POST);
	message.len = message.kind == DGRAM_ECHO
	                      ? 0
	                      : 2 + (size_t)(size < 192 ? size : (size - 191) * 130);
	message.len = message.kind == DGRAM_POST && message.len > 1000 ? 1000 : message.len;
	message.ordered = how & 4;
	message.idempotent = (how & 8) && message.kind == DGRAM_REQUEST;
	message.hops = how >> 6;
	message.name = how & 16 ? "a.b" : NULL;
	message.name_len = how & 16 ? 3 : 0;
	message.deadline = deadline();
	fill(data, w.mails_count, (uint32_t)message.len, 0);
	*m = (struct mail){.len = (uint32_t)message.len,
	                   .from = s,
	                   .kind = message.kind,
	                   .idempotent = message.idempotent,
	                   .life = w.sides[!s].life,
	                   .deadline = message.deadline};
	rc = dgram_endpoint_submit(w.sides[s].ep, &message, w.now, &m->handle);
	FUZZ_CHECK(rc == 0 || rc == DGRAM_ERR_FULL || rc == DGRAM_ERR_SIZE ||
	           rc == DGRAM_ERR_CLOSED);
	m->pending = rc == 0 && m->kind != DGRAM_POST;
	w.mails_count += rc == 0;
}

static void answer(uint8_t how)
{
	static uint8_t data[LONGEST];
	struct request *r = &w.inbox[w.inbox_count ? how % w.inbox_count : 0];
	struct mail *m = &w.mails[r->mail];
	int rc;

	if (w.inbox_count == 0)
		return;
	if (how & 64) {
		rc = dgram_endpoint_refuse(w.sides[r->side].ep, r->handle,
		                           (enum dgram_refusal)(how % 3 + DGRAM_BUSY), DGRAM_MS,
		                           w.now);
		m->said_no |= rc == 0;
	} else {
		fill(data, r->mail, reply_len(r->mail), 1);
		rc = dgram_endpoint_reply(w.sides[r->side].ep, r->handle, (uint8_t)r->mail, data,
		                          reply_len(r->mail), w.now);
		m->replied |= rc == 0;
	}
	FUZZ_CHECK(rc == 0 || rc == DGRAM_ERR_CLOSED || rc == DGRAM_ERR_FULL ||
	           rc == DGRAM_ERR_SIZE);
	if (rc != DGRAM_ERR_FULL)
		*r = w.inbox[--w.inbox_count];
}

static void cancel(uint8_t which)
{
	struct mail *m = &w.mails[w.mails_count ? which % w.mails_count : 0];

	if (w.mails_count > 0 && m->pending)
		dgram_endpoint_cancel(w.sides[m->from].ep, m->handle, w.now);
}

/* ---- what a network does ------------------------------------------------------------------------- */

static uint64_t number_at(const uint8_t *data)
{
	struct dg_reader r = dg_reader(data, 8);

	return dg_read_u64(&r);
}

/* An ACCEPT tells what both sides call a session. */
static void learn(uint8_t from, const struct flying *f)
{
	uint32_t place = w.pairs % PAIRS;

	if (f->data[5] != DG_ACCEPT || f->len < DG_HELLO_SIZE)
		return;
	w.ids[!from][place] = number_at(f->data + 8);
	w.ids[from][place] = number_at(f->data + DG_HEADER_SIZE);
	w.pairs++;
}

static void transmit(uint8_t s, unsigned most)
{
	static struct flying lost;

	while (most-- > 0) {
		struct flying *f = w.way_count < WAY ? &w.way[w.way_count] : &lost;
		struct dgram_datagram out = {.data = f->data, .size = DATAGRAM};

		if (!dgram_endpoint_transmit(w.sides[s].ep, &out, w.now)) {
			FUZZ_CHECK(dgram_endpoint_deadline(w.sides[s].ep) > w.now);
			return;
		}
		FUZZ_CHECK(out.len > 0 && out.len <= DATAGRAM);
		FUZZ_CHECK(memcmp(out.peer.u.ip4, w.sides[!s].addr.u.ip4, 4) == 0);
		f->to = !s;
		f->len = out.len;
		learn(s, f);
		w.way_count += f != &lost && out.peer.port == w.sides[!s].addr.port;
	}
}

static void give(uint8_t to, const uint8_t *data, size_t len, bool elsewhere)
{
	struct dgram_datagram in = {.peer = w.sides[!to].addr, .len = len, .size = len};

	in.data = malloc(len + (len == 0));
	FUZZ_CHECK(in.data);
	memcpy(in.data, data, len);
	in.peer.port = (uint16_t)(in.peer.port + elsewhere);
	w.sides[to].given++;
	FUZZ_CHECK(dgram_endpoint_receive(w.sides[to].ep, &in, w.now) < DGRAM_FATE_COUNT);
	free(in.data);
}

/* With a right sum, whatever was done to it: a peer that says anything. */
static void seal(struct flying *f)
{
	struct dg_writer out = dg_writer(f->data, DATAGRAM);
	uint64_t sender = 0;

	if (f->len < DG_HEADER_SIZE + DG_CRC_SIZE)
		return;
	for (uint32_t i = 0; f->data[5] == DG_DATA && i < w.pairs && i < PAIRS; i++)
		if (w.ids[f->to][i] == number_at(f->data + 8))
			sender = w.ids[!f->to][i];
	w.forged = true;
	out.len = f->len - DG_CRC_SIZE;
	dg_crc_append(&out, sender);
}

static void deliver(uint8_t which, uint8_t how)
{
	struct flying f;
	uint32_t place;

	if (w.way_count == 0)
		return;
	place = which % w.way_count;
	f = w.way[place];
	if (!(how & 1)) {
		memmove(&w.way[place], &w.way[place + 1], (w.way_count - place - 1) * sizeof f);
		w.way_count--;
	}
	if (how & 2)
		return; /* lost */
	if (how & 4) {
		size_t at = next() * f.len / 256;

		f.data[at] ^= (uint8_t)(1 << next() % 8);
	}
	if (how & 8)
		f.len = f.len * next() / 256;
	if (how & 32)
		seal(&f);
	give(f.to, f.data, f.len, how & 16);
}

/* A peer that says anything: frames from the script, with the right ids. */
static void forge(uint8_t to)
{
	static const uint64_t numbers[] = {0,    1,    2,    63,      64,           65,
	                                   1200, 8192, 8193, 1 << 20, DG_VARINT_MAX};
	uint8_t data[DATAGRAM], payload[256];
	struct dg_header header = {.version = DG_VERSION, .type = DG_DATA};
	struct dg_writer out = dg_writer(data, sizeof data - DG_CRC_SIZE), frames = out;
	uint32_t pair = w.pairs ? next() % (w.pairs < PAIRS ? w.pairs : PAIRS) : 0;
	uint32_t count = next() % 4 + 1u;
	bool asks = false;
	uint64_t high;

	if (w.pairs == 0)
		return;
	w.forged = true;
	header.receiver = w.ids[to][pair];
	dg_header_encode(&out, &header);
	high = next() & 1;
	dg_write_u64(&out, w.forged_number++ * high + next() % 200u);
	memset(payload, 'x', sizeof payload);
	while (count-- > 0) {
		struct dg_frame f = {.type = next() % DG_FRAME_TYPES};

		f.flags = next();
		f.code = next() % 8;
		f.id = numbers[next() % 11];
		f.id += next() % 4;
		f.value = f.grant = numbers[next() % 11];
		f.total = numbers[next() % 11];
		f.offset = (uint64_t)next() * DG_CELL;
		f.len = f.flags & DG_WHOLE || f.type == DG_POST
		                ? next()
		                : (size_t)(next() % 4 + 1) * DG_CELL;
		f.len = f.type == DG_ACK ? 0 : f.len;
		f.total = f.flags & DG_WHOLE || f.type == DG_POST ? f.len : f.total;
		f.offset = f.flags & DG_WHOLE ? 0 : f.offset;
		f.first = f.type == DG_ACK ? next() : 0;
		f.hops = f.flags & DG_HOPS ? 1 : 0;
		f.name_len = f.flags & DG_NAMED ? 1 : 0;
		f.order = f.flags & DG_ORDERED ? next() : 0;
		f.deadline = f.type == DG_REQUEST ? numbers[next() % 11] : 0;
		f.name = f.data = payload;
		frames = out;
		dg_frame_encode(&frames, &f);
		if (frames.failed)
			continue;
		out = frames;
		asks |= dg_frame_asks(&f);
	}
	data[6] = asks ? DG_FLAG_ASKS >> 8 : 0;
	out.cap = sizeof data;
	dg_crc_append(&out, w.ids[!to][pair]);
	give(to, data, out.len, false);
}

/* A good network and attentive programs, for so many steps. */
static void run_well(unsigned steps)
{
	while (steps-- > 0) {
		uint64_t due = DGRAM_NEVER;

		for (uint8_t s = 0; s < 2; s++) {
			transmit(s, 64);
			while (w.way_count > 0)
				deliver(0, 0);
			take_events(s, 1000);
			take_events(!s, 1000);
			for (uint32_t n = steps % 8 ? w.inbox_count : 0; n > 0; n--)
				answer((uint8_t)(63 - n % 3)); /* there may be no room for some */
		}
		for (uint8_t s = 0; s < 2; s++) {
			uint64_t mine = dgram_endpoint_deadline(w.sides[s].ep);

			due = mine < due ? mine : due;
		}
		if (due == DGRAM_NEVER)
			return;
		w.now = due > w.now ? due : w.now;
	}
}

static void tick(uint8_t how)
{
	static const uint64_t steps[] = {1,          1000,       100000,      1000000,
	                                 6000000,    30000000,   100000000,   700000000,
	                                 2000000000, 6000000000, 21000000000, 300000000000};
	uint64_t due = dgram_endpoint_deadline(w.sides[how & 1].ep);

	if (how >= 24)
		w.now = due != DGRAM_NEVER && due > w.now ? due : w.now;
	else
		w.now += steps[how / 2];
}

/* ---- the script ---------------------------------------------------------------------------------- */

static void told(uint8_t s, uint8_t how)
{
	static const int errors[] = {DGRAM_ERR_SIZE, DGRAM_ERR_REFUSED, DGRAM_ERR_UNREACHABLE, 0};

	dgram_endpoint_told(w.sides[s].ep, &w.sides[!s].addr, errors[how % 4], how * 7u, w.now);
}

static void operation(void)
{
	uint8_t what = next(), s = what & 1, arg;

	switch (what >> 1 & 15) {
	case 0:
	case 1:
		submit(s);
		break;
	case 2:
		answer(next());
		break;
	case 3:
		cancel(next());
		break;
	case 4:
	case 5:
	case 6:
		transmit(s, next() % 32 + 1u);
		break;
	case 7:
	case 8:
		deliver(next(), 0);
		break;
	case 9:
		arg = next();
		deliver(arg, next());
		break;
	case 10:
		take_events(s, next() % 8 + 1u);
		break;
	case 11:
		tick(next() % 32);
		break;
	case 12:
		run_well(next() % 32);
		break;
	case 13:
		told(s, next());
		break;
	case 14:
		if (what & 32)
			forge(s);
		else
			dgram_endpoint_close(w.sides[s].ep, 0, w.now);
		break;
	default:
		if ((what & 0xe0) == 0xe0)
			restart(s);
		else
			run_well(2);
		break;
	}
}

/* Everything is closed and taken: nothing is left, and every message has ended. */
static void finish(void)
{
	struct dgram_endpoint_stats stats;

	run_well(400);
	for (uint32_t i = 0; i < w.mails_count; i++)
		FUZZ_CHECK(!w.mails[i].pending || w.mails[i].deadline > w.now);
	for (uint8_t s = 0; s < 2; s++) {
		dgram_endpoint_close(w.sides[s].ep, 0, w.now);
		take_events(s, 10000);
		transmit(s, 100);
		take_events(s, 10000);
		check_counts(&w.sides[s]);
		dgram_endpoint_stats(w.sides[s].ep, &stats);
		FUZZ_CHECK(stats.messages == 0 && stats.requests == 0 && stats.pool_used == 0);
		FUZZ_CHECK(stats.sessions == 0 && stats.half_open == 0 && stats.busy == 0);
		FUZZ_CHECK(dgram_endpoint_deadline(w.sides[s].ep) == DGRAM_NEVER);
	}
	for (uint32_t i = 0; i < w.mails_count; i++) {
		const struct mail *m = &w.mails[i];

		FUZZ_CHECK(!m->pending);
		if (!w.forged && m->kind == DGRAM_SEND && m->outcome == DGRAM_ANSWERED &&
		    m->life == w.sides[!m->from].life)
			FUZZ_CHECK(m->runs == 1);
	}
	for (uint8_t s = 0; s < 2; s++)
		dgram_endpoint_free(w.sides[s].ep);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&w, 0, offsetof(struct world, way));
	w.at = data;
	w.left = size;
	w.way_count = w.pairs = w.orders_count = 0;
	w.forged = false;
	w.forged_number = 1000;
	w.now = 1000 * DGRAM_S;
	w.options = next();
	start(0);
	start(1);
	for (int n = 0; w.left > 0 && n < OPERATIONS; n++)
		operation();
	finish();
	return 0;
}
