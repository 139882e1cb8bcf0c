/* What must hold of each datagram that goes by; and what they say, in words. */
#include "message.h"

#include "base/profile.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <string.h>

/* ---- in words ---------------------------------------------------------------------------------- */

static void print_frame(FILE *to, const struct dg_frame *f)
{
	static const char *const names[] = {
	        "PADDING",  "PING",  "ACK",  "POST",   "SEND",      "REQUEST",  "REPLY",
	        "ACCEPTED", "NO",    "PULL", "CANCEL", "RESET",     "SETTLED",  "CREDIT",
	        "GRANT",    "CLOSE", "ECHO", "ECHOED", "CHALLENGE", "RESPONSE", "NEED"};

	fprintf(to, " %s", names[f->type]);
	if (f->type == DG_PADDING)
		fprintf(to, " %zu", f->len);
	else if (f->type == DG_ACK)
		fprintf(to, " %" PRIu64 "-%" PRIu64 "(+%" PRIu64 ")", f->id - f->first, f->id,
		        f->ranges);
	else if (f->type != DG_PING)
		fprintf(to, " %" PRIu64, f->id);
	if (f->type >= DG_SEND && f->type <= DG_REPLY)
		fprintf(to, "%s [%" PRIu64 "+%zu of %" PRIu64 "]%s",
		        f->flags & DG_PUSHED ? " pushed" : "", f->offset, f->len, f->total,
		        f->flags & DG_ORDERED ? " ordered" : "");
	if (f->type == DG_REQUEST && f->offset == 0)
		fprintf(to, " deadline %" PRIu64 " grant %" PRIu64, f->deadline, f->grant);
	if (f->type == DG_NO || f->type == DG_ACCEPTED || f->type == DG_CLOSE)
		fprintf(to, " code %u%s", f->code, f->flags & DG_PUSHED ? " pushed" : "");
	if (f->type == DG_CREDIT || f->type == DG_GRANT)
		fprintf(to, " bytes %" PRIu64, f->value);
	if (f->type == DG_CANCEL || f->type == DG_RESET || f->type == DG_NEED)
		fprintf(to, " total %" PRIu64, f->total);
	fputc(';', to);
}

static void print_data(FILE *to, const struct dg_parts *parts)
{
	struct dg_data data;
	struct dg_frame frame;

	if (!dg_data_decode(&data, parts)) {
		fprintf(to, " malformed");
		return;
	}
	fprintf(to, " number %" PRIu64 "%s:", data.number,
	        parts->header.flags & DG_FLAG_ASKS ? " asks" : "");
	while (data.frames.left && dg_frame_decode(&frame, &data.frames))
		print_frame(to, &frame);
}

void wire_print(FILE *to, const uint8_t *bytes, size_t len)
{
	static const char *const names[] = {"?",    "INIT",      "ACCEPT", "COOKIE",
	                                    "DATA", "NOSESSION", "BUSY",   "GROUP"};
	static const uint8_t no_cookie[DG_COOKIE_SIZE] = {0};
	struct dg_parts parts;
	struct dg_hello hello;

	if (!dg_parts_decode(&parts, bytes, len)) {
		fprintf(to, "              not of this protocol\n");
		return;
	}
	fprintf(to, "              %s to %016" PRIx64, names[parts.header.type],
	        parts.header.receiver);
	if ((parts.header.type == DG_INIT || parts.header.type == DG_ACCEPT) &&
	    dg_hello_decode(&hello, &parts))
		fprintf(to, " from %016" PRIx64 " boot %08x time %" PRIu64 "%s", hello.session,
		        (unsigned)(hello.boot >> 32), hello.time,
		        memcmp(hello.cookie, no_cookie, sizeof no_cookie) ? " with a cookie" : "");
	if (parts.header.type == DG_DATA)
		print_data(to, &parts);
	fputc('\n', to);
}

/* ---- what is remembered ------------------------------------------------------------------------ */

/* Most differ in what is cheap to compare. */
static bool is_same(const struct dgram_addr *a, const struct dgram_addr *b)
{
	return a->port == b->port && host_of(a) == host_of(b) && dgram_addr_equal(a, b);
}

/* Of addresses that a forger made up there may be more than places: the oldest ones go. */
static struct account *account_of(struct peer *p, const struct dgram_addr *addr)
{
	uint32_t count = p->account_count < ACCOUNTS_MAX ? p->account_count : ACCOUNTS_MAX;
	struct account *a;

	for (uint32_t i = 0; i < count; i++)
		if (is_same(&p->accounts[i].addr, addr))
			return &p->accounts[i];
	a = &p->accounts[p->account_count++ % ACCOUNTS_MAX];
	*a = (struct account){.addr = *addr};
	return a;
}

static struct flow *flow_of(struct peer *p, uint64_t receiver, const struct dgram_addr *addr)
{
	uint32_t count = p->flow_count < FLOWS_MAX ? p->flow_count : FLOWS_MAX;

	for (uint32_t i = 0; i < count; i++)
		if (p->flows[i].receiver == receiver && is_same(&p->flows[i].addr, addr))
			return &p->flows[i];
	return NULL;
}

static struct flow *flow_new(struct peer *p, uint64_t receiver, const struct dgram_addr *addr)
{
	struct flow *f = &p->flows[p->flow_count++ % FLOWS_MAX];

	*f = (struct flow){.receiver = receiver, .addr = *addr, .next = p->scene->first_number};
	return f;
}

void wire_restart(struct peer *p)
{
	p->account_count = p->flow_count = p->init_count = p->ordered_count = 0;
	p->heard_inits = p->heard_asking = p->said_accept = p->said_nosession = 0;
}

void wire_doubt(struct peer *p, const struct dgram_addr *addr)
{
	account_of(p, addr)->doubted = true;
}

/* ---- what it sends: outside a session ---------------------------------------------------------- */

static uint64_t first_wait(const struct peer *p, bool longest)
{
	static const uint64_t waits[][2] = {
	        {50 * DGRAM_MS, 500 * DGRAM_MS}, {100 * DGRAM_MS, DGRAM_S}, {DGRAM_S, 8 * DGRAM_S}};
	unsigned profile = p->config.profile ? p->config.profile : DGRAM_PROFILE_LAN;

	return waits[profile - DGRAM_PROFILE_LOOPBACK][longest];
}

/* Gaps grow as the profile says, but for the INIT that follows a COOKIE. */
static void check_gap(struct peer *p, struct attempt *a, bool cookie, uint64_t now)
{
	uint64_t gap = now - a->sent_at, longest = first_wait(p, true);
	uint64_t grown = p->config.profile == DGRAM_PROFILE_WAN ? 2 * a->wait : a->wait / 2 * 3;

	if (!a->excused && gap < a->wait - a->wait / 10 - 1000)
		fail(p, "%.3f ms between two INITs, not %.3f", (double)gap / 1e6,
		     (double)a->wait / 1e6);
	/* Once excused, it no longer is known how far it has grown. */
	a->excused |= cookie;
	a->wait = grown < longest ? grown : longest;
	a->sent_at = now;
	a->sends++;
}

static void init_sent(struct peer *p, const struct dg_parts *parts, const struct dgram_addr *to,
                      uint64_t now)
{
	static const uint8_t none[DG_COOKIE_SIZE] = {0};
	uint32_t count = p->init_count < INITS_MAX ? p->init_count : INITS_MAX;
	struct account *a = account_of(p, to);
	struct dg_hello hello;
	bool cookie;

	if (!dg_hello_decode(&hello, parts)) {
		fail(p, "it sends an INIT that is none");
		return;
	}
	cookie = memcmp(hello.cookie, none, sizeof none) != 0;
	p->scene->marks[MARK_COOKIE] += cookie;
	for (uint32_t i = 0; i < count; i++)
		if (p->inits[i].own == hello.session) {
			check_gap(p, &p->inits[i], cookie, now);
			return;
		}
	/* A probe is sent once, and once more when its session is needed. */
	p->inits[p->init_count++ % INITS_MAX] = (struct attempt){.own = hello.session,
	                                                         .sent_at = now,
	                                                         .sends = 1,
	                                                         .wait = first_wait(p, false),
	                                                         .excused = a->doubted};
	p->scene->marks[MARK_PROBE] += a->doubted;
	a->doubted = false;
}

static void accept_sent(struct peer *p, const struct dg_parts *parts, const struct dgram_addr *to)
{
	struct flow *f = flow_of(p, parts->header.receiver, to);
	struct dg_hello hello;

	if (!dg_hello_decode(&hello, parts)) {
		fail(p, "it sends an ACCEPT that is none");
		return;
	}
	if (host_of(to) >= HOST_FORGED)
		return;
	if (!f || f->own != hello.session) {
		/* A new session for an old INIT takes the place of the one before. */
		if (f)
			*f = (struct flow){.receiver = f->receiver,
			                   .addr = f->addr,
			                   .next = p->scene->first_number};
		else
			f = flow_new(p, parts->header.receiver, to);
		f->responder = true;
		f->own = hello.session;
		f->heard =
		        p->flow_count > FLOWS_MAX; /* or else it is one that was forgotten here */
	}
}

static void check_answers(struct peer *p)
{
	if (p->said_accept > p->heard_inits)
		fail(p, "it answered more INITs than it got");
	if (p->said_nosession > p->heard_asking)
		fail(p, "it said NOSESSION more often than it was asked");
}

static void nosession_sent(struct peer *p, struct account *a, uint64_t now)
{
	MARK(p->scene, NOSESSION);
	p->said_nosession++;
	if (a->refused_at && now - a->refused_at < DGRAM_S)
		fail(p, "two NOSESSION to one address in %.3f ms",
		     (double)(now - a->refused_at) / 1e6);
	a->refused_at = now;
}

/* ---- what it sends: in a session ---------------------------------------------------------------- */

static bool is_stopped(const struct flow *f, uint64_t id)
{
	uint32_t count = f->stopped_count < STOPPED_MAX ? f->stopped_count : STOPPED_MAX;

	for (uint32_t i = 0; i < count; i++)
		if (f->stopped[i] == id)
			return true;
	return false;
}

static void stop(struct flow *f, uint64_t id)
{
	if (!is_stopped(f, id))
		f->stopped[f->stopped_count++ % STOPPED_MAX] = id;
}

static void reply_sent(struct peer *p, struct flow *f, const struct dg_frame *frame)
{
	if (frame->flags & DG_PUSHED) {
		MARK(p->scene, PUSHED);
		return;
	}
	p->scene->marks[MARK_REDRAWN] += f->pulled == frame->id + 1;
	f->pulled = frame->id + 1;
}

/* A session is not sent away while a handler runs for it. */
static void check_eviction(const struct peer *p, const struct flow *f)
{
	for (uint32_t i = 0; i < p->open_count; i++) {
		const struct job *j = &p->scene->jobs[p->open[i]];
		if (j->session == f->own && j->state == JOB_RUNNING)
			fail(p, "it evicts a session in which request %u runs", j->record);
	}
}

static void frame_sent(struct peer *p, struct flow *f, const struct dg_frame *frame)
{
	struct scene *s = p->scene;

	switch ((enum dg_frame_type)frame->type) {
	case DG_SEND:
	case DG_REQUEST:
		s->marks[MARK_IDS_END] += frame->id == DG_VARINT_MAX - 2;
		if (is_stopped(f, frame->id))
			fail(p, "bytes of message id %" PRIu64 " after its CANCEL or RESET",
			     frame->id);
		break;
	case DG_CANCEL:
		stop(f, frame->id);
		break;
	case DG_RESET:
		stop(f, frame->id);
		MARK(s, RESET);
		break;
	case DG_REPLY:
		reply_sent(p, f, frame);
		break;
	case DG_ACCEPTED:
		s->marks[frame->code == DG_ACCEPTED_QUEUED ? MARK_QUEUED : MARK_RUNNING]++;
		break;
	case DG_CLOSE:
		f->closed = true;
		s->marks[MARK_IDLE_END] += frame->code == DG_CLOSE_IDLE;
		if (frame->code == DG_CLOSE_EVICTED)
			check_eviction(p, f);
		if (frame->code == DG_CLOSE_RULE && host_of(&f->addr) < s->peer_count)
			fail(p, "it says that peer %u broke a rule", host_of(&f->addr));
		break;
	case DG_PADDING:
		s->marks[MARK_PROBED_SIZE] += frame->len > 100;
		break;
	/* clang-format off */
	case DG_PULL:    MARK(s, PULL); break;
	case DG_SETTLED: MARK(s, SETTLED); break;
	case DG_CREDIT:  MARK(s, CREDIT); break;
	case DG_GRANT:   MARK(s, GRANT); break;
	case DG_NEED:    MARK(s, NEED); break;
	/* clang-format on */
	case DG_PING:
	case DG_ACK:
	case DG_POST:
	case DG_NO:
	case DG_ECHO:
	case DG_ECHOED:
	case DG_CHALLENGE:
	case DG_RESPONSE:
	case DG_FRAME_TYPES:
		break;
	}
}

/* What leaves at once fits the congestion window: that of the beginning, and as much as was sent before if all of it
 * was acknowledged. */
static void check_congestion(struct peer *p, const struct flow *f)
{
	uint32_t profile = p->config.profile ? p->config.profile : DGRAM_PROFILE_LAN;
	uint64_t most = (dg_profile(profile)->initial_window + 3) * (uint64_t)p->config.datagram_max;

	if (f->asked - f->asked_before > most + f->asked_before && p->flow_count <= FLOWS_MAX)
		fail(p, "%" PRIu64 " bytes at once, and %" PRIu64 " before", f->asked - f->asked_before,
		     f->asked_before);
}

/* At once, and while nothing is heard, no more than the window may leave, and a few probes. */
static void check_window(struct peer *p, struct flow *f, size_t len, uint64_t now)
{
	if (f->burst_at != now)
		f->asked_before = f->asked;
	f->asked += len;
	check_congestion(p, f);
	f->burst = f->burst_at == now ? f->burst + 1 : 1;
	f->burst_at = now;
	f->unheard++;
	if (f->burst > p->config.window + 3)
		fail(p, "%u datagrams at once in one session", f->burst);
	if (f->unheard > 2 * p->config.window + 100 && now - f->last_heard < DGRAM_S)
		fail(p, "%u datagrams in a session in which nothing was heard", f->unheard);
}

static void data_sent(struct peer *p, const struct dg_parts *parts,
                      const struct dgram_datagram *out, uint64_t now)
{
	struct flow *f = flow_of(p, parts->header.receiver, &out->peer);
	struct dg_data data;
	struct dg_frame frame;

	if (!dg_data_decode(&data, parts)) {
		fail(p, "it sends a DATA that is malformed");
		return;
	}
	if (host_of(&out->peer) >= HOST_FORGED)
		fail(p, "it sends a DATA to where nobody is");
	if (!f)
		f = flow_new(p, parts->header.receiver, &out->peer);
	else if (f->closed)
		fail(p, "it sends into a session that it closed");
	if (f->responder && !f->heard)
		fail(p, "it sends into a session that is not confirmed");
	if (data.number != f->next && p->flow_count <= FLOWS_MAX)
		fail(p, "packet %" PRIu64 " follows packet %" PRIu64, data.number, f->next - 1);
	f->next = data.number + 1;
	p->scene->marks[MARK_NUMBERS_END] += data.number == LAST_NUMBERS;
	p->scene->marks[MARK_SHRUNK] += f->large && out->len == 508;
	f->large = out->len > 508;
	if (data.elicits_ack)
		check_window(p, f, out->len, now);
	while (data.frames.left && dg_frame_decode(&frame, &data.frames))
		frame_sent(p, f, &frame);
}

/* Three times the bytes of an address that has not proved itself. What nobody asked for, an INIT, is
 * not an answer. */
static void check_amount(struct peer *p, struct account *a, uint8_t type, size_t len)
{
	if (type == DG_INIT)
		return;
	a->out += len;
	if (!a->proved && a->out > 3 * a->in)
		fail(p, "%" PRIu64 " bytes to host %u, which proved nothing and sent %" PRIu64,
		     a->out, host_of(&a->addr), a->in);
}

void wire_sent(struct peer *p, const struct dgram_datagram *out, uint64_t now)
{
	struct account *a = account_of(p, &out->peer);
	struct dg_parts parts;

	if (p->scene->world->trace)
		wire_print(p->scene->world->trace, out->data, out->len);
	if (!dg_parts_decode(&parts, out->data, out->len) || out->len > p->config.datagram_max) {
		fail(p, "it sends what is no datagram of the protocol");
		return;
	}
	check_amount(p, a, parts.header.type, out->len);
	switch ((enum dg_type)parts.header.type) {
	case DG_INIT:
		init_sent(p, &parts, &out->peer, now);
		break;
	case DG_ACCEPT:
		p->said_accept++;
		accept_sent(p, &parts, &out->peer);
		break;
	case DG_COOKIE:
		p->said_accept++;
		break;
	case DG_BUSY:
		p->said_accept++;
		MARK(p->scene, BUSY_TABLE);
		break;
	case DG_NOSESSION:
		nosession_sent(p, a, now);
		break;
	case DG_DATA:
		data_sent(p, &parts, out, now);
		break;
	case DG_GROUP:
		fail(p, "it sends to a group");
		break;
	}
	check_answers(p);
}

/* ---- what it receives --------------------------------------------------------------------------- */

/* Whether the other side began a session with the same peer too. */
static bool has_other(const struct peer *p, const struct flow *f)
{
	uint32_t count = p->flow_count < FLOWS_MAX ? p->flow_count : FLOWS_MAX;

	for (uint32_t i = 0; i < count; i++) {
		const struct flow *other = &p->flows[i];
		if (other->heard && !other->closed && other->responder != f->responder &&
		    is_same(&other->addr, &f->addr))
			return true;
	}
	return false;
}

static void heard(struct peer *p, const struct dg_parts *parts, const struct dgram_addr *from,
                  uint64_t now)
{
	uint32_t count = p->flow_count < FLOWS_MAX ? p->flow_count : FLOWS_MAX;

	for (uint32_t i = 0; i < count; i++) {
		struct flow *f = &p->flows[i];
		if (!is_same(&f->addr, from))
			continue;
		f->last_heard = now;
		f->unheard = 0;
		if (f->own != parts->header.receiver || f->heard)
			continue;
		f->heard = true;
		p->scene->marks[MARK_BOTH_BEGAN] += has_other(p, f);
	}
}

/* An initiator knows by it where to send. */
static void accept_received(struct peer *p, const struct dg_parts *parts,
                            const struct dgram_addr *from)
{
	struct dg_hello hello;

	if (dg_hello_decode(&hello, parts) && !flow_of(p, hello.session, from))
		flow_new(p, hello.session, from)->own = parts->header.receiver;
}

void wire_received(struct peer *p, const struct sim_datagram *in, const struct dgram_addr *from,
                   enum dgram_fate fate, uint64_t now)
{
	struct account *a = account_of(p, from);
	bool taken = fate == DGRAM_FATE_TAKEN, good;
	struct dg_parts parts;

	a->in += in->len;
	if (!dg_parts_decode(&parts, in->data, in->len))
		return;
	switch ((enum dg_type)parts.header.type) {
	case DG_INIT:
		p->heard_inits++;
		break;
	case DG_DATA:
		p->heard_asking += (parts.header.flags & DG_FLAG_ASKS) != 0;
		/* One that found no room was a good one nevertheless. */
		good = !in->damaged &&
		       (taken || fate == DGRAM_FATE_COPY || fate == DGRAM_FATE_ROOM);
		a->proved |= good;
		if (good)
			heard(p, &parts, from, now);
		break;
	case DG_ACCEPT:
		a->proved |= taken;
		if (taken)
			accept_received(p, &parts, from);
		break;
	case DG_COOKIE:
	case DG_BUSY:
		for (uint32_t i = 0; i < INITS_MAX; i++)
			p->inits[i].excused |= p->inits[i].own == parts.header.receiver;
		break;
	case DG_NOSESSION:
		a->doubted |= taken;
		break;
	case DG_GROUP:
		break;
	}
	if (taken && host_of(from) >= HOST_FORGED &&
	    (parts.header.type == DG_DATA || parts.header.type == DG_ACCEPT))
		fail(p, "it took the word of an address where nobody is");
}
