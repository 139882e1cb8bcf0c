/* What is said outside a session, or as its last word: encoded at once, and sent with the next
 * transmit. There is room for a few: who floods us loses answers, not we memory. */
#include "endpoint/endpoint.h"

#include <string.h>

static struct dg_note *note_to(struct dgram_endpoint *ep, const struct dg_place *to,
                               const struct dgram_datagram *in)
{
	struct dg_note *note;

	if (ep->notes_count == ep->notes_size) {
		ep->stats.unsaid++;
		return NULL;
	}
	note = &ep->notes[(ep->notes_first + ep->notes_count++) % ep->notes_size];
	memset(note, 0, sizeof *note);
	note->to = *to;
	if (in) {
		dg_place_from(&note->local, &in->local);
		note->interface = in->interface;
	}
	return note;
}

static void finish(struct dg_note *note, struct dg_writer *w, uint64_t sender)
{
	dg_crc_append(w, sender);
	note->len = (uint16_t)w->len;
}

void dg_hello_of(const struct dgram_endpoint *ep, const struct dg_session *s, struct dg_hello *out)
{
	*out = (struct dg_hello){
	        .session = dg_session_id(ep, s),
	        .boot = ep->boot,
	        .endpoint = ep->id,
	        .idle_ms = ep->config.idle_ms,
	        .credit = s->no_credit ? 0 : ep->config.credit,
	        .datagram_max = ep->config.datagram_max,
	        .ack_delay_ms = dg_session_profile(s)->ack_delay_ms,
	        .versions = {DG_VERSION},
	};
}

void dg_note_accept(struct dgram_endpoint *ep, const struct dg_session *s, uint64_t time,
                    const struct dgram_datagram *in)
{
	const struct dg_header header = {
	        .version = DG_VERSION, .type = DG_ACCEPT, .receiver = s->peer_id};
	struct dg_note *note = note_to(ep, &s->peer, in);
	struct dg_hello hello;
	struct dg_writer w;

	if (!note)
		return;
	dg_hello_of(ep, s, &hello);
	hello.time = time;
	w = dg_writer(note->bytes, sizeof note->bytes);
	dg_hello_encode(&w, &header, &hello);
	finish(note, &w, 0);
}

void dg_note_cookie(struct dgram_endpoint *ep, const struct dg_place *to, uint64_t receiver,
                    const struct dgram_datagram *in, uint64_t now)
{
	struct dg_note *note = note_to(ep, to, in);
	uint8_t cookie[DG_COOKIE_SIZE];
	struct dg_writer w;

	if (!note)
		return;
	dg_cookie_make(&ep->cookies, cookie, to, now);
	w = dg_writer(note->bytes, sizeof note->bytes);
	dg_cookie_encode(&w, receiver, cookie);
	finish(note, &w, 0);
}

/* BUSY and NOSESSION: a header and one number. */
static void say_number(struct dgram_endpoint *ep, const struct dg_place *to,
                       const struct dgram_datagram *in, const struct dg_header *header,
                       uint64_t number, size_t size)
{
	struct dg_note *note = note_to(ep, to, in);
	struct dg_writer w;

	if (!note)
		return;
	w = dg_writer(note->bytes, sizeof note->bytes);
	dg_header_encode(&w, header);
	dg_write_number(&w, number, size);
	finish(note, &w, 0);
}

void dg_note_busy(struct dgram_endpoint *ep, const struct dg_place *to, uint64_t receiver,
                  uint32_t retry_ms, const struct dgram_datagram *in)
{
	const struct dg_header header = {
	        .version = DG_VERSION, .type = DG_BUSY, .receiver = receiver};

	say_number(ep, to, in, &header, retry_ms, 4);
}

void dg_note_nosession(struct dgram_endpoint *ep, const struct dg_place *to, uint64_t receiver,
                       uint64_t number, const struct dgram_datagram *in)
{
	const struct dg_header header = {
	        .version = DG_VERSION, .type = DG_NOSESSION, .receiver = receiver};

	say_number(ep, to, in, &header, number, 8);
}

/* The last word of a session, with what was received and not acknowledged yet. */
void dg_note_close(struct dgram_endpoint *ep, struct dg_session *s, uint8_t reason, uint64_t now)
{
	const struct dg_header header = {
	        .version = DG_VERSION, .type = DG_DATA, .receiver = s->peer_id};
	const struct dg_frame frame = {.type = DG_CLOSE, .code = reason, .id = s->begun_below};
	struct dg_active *a = dg_session_active(ep, s);
	struct dg_note *note = note_to(ep, &s->peer, NULL);
	uint8_t data[DG_ACK_BYTES];
	struct dg_writer w, ranges = dg_writer(data, sizeof data);
	struct dg_frame ack;

	if (!note)
		return;
	note->local = s->local;
	note->interface = s->interface;
	w = dg_writer(note->bytes, sizeof note->bytes);
	dg_header_encode(&w, &header);
	dg_write_u64(&w, a ? a->recovery.next++ : s->next_number++);
	if (a && dg_window_has_news(&a->window) &&
	    dg_window_ack(&s->window, &a->window, now, &ack, &ranges))
		dg_frame_encode(&w, &ack);
	dg_frame_encode(&w, &frame);
	finish(note, &w, dg_session_id(ep, s));
}

bool dg_note_take(struct dgram_endpoint *ep, struct dgram_datagram *out)
{
	const struct dg_note *note = &ep->notes[ep->notes_first];

	if (ep->notes_count == 0)
		return false;
	dg_address(out, &note->to, &note->local, note->interface);
	memcpy(out->data, note->bytes, note->len);
	out->len = note->len;
	ep->notes_first = (ep->notes_first + 1) % ep->notes_size;
	ep->notes_count--;
	return true;
}
