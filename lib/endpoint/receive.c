/* The way in: a datagram is looked at in the order of cost, and nothing changes before its checksum
 * was found to be right. */
#include "endpoint/endpoint.h"

/* ---- DATA ------------------------------------------------------------------------------------- */

/* The first valid DATA from where INIT came: its address is proved. */
static bool confirm(struct dgram_endpoint *ep, struct dg_session *s, uint64_t now)
{
	uint64_t party = dg_place_party(&s->peer, ep->key);
	uint32_t victim;

	if (dg_admission_room(&ep->admission, party, &victim) == DG_ROOM_AFTER)
		dg_session_evict(ep, victim, now);
	if (!dg_admission_enter(&ep->admission, s->slot))
		return false;
	s->state = DG_OPEN;
	s->due = DGRAM_NEVER;
	s->heard_at = now;
	ep->stats.accepted++;
	dg_current_offer(ep, s, now);
	return true;
}

static enum dgram_fate taken_or_not(struct dgram_endpoint *ep, struct dg_session *s,
                                    struct dg_data *data, uint64_t now)
{
	struct dg_active *a;
	enum dgram_fate fate;

	if (s->state == DG_HALF_OPEN && !confirm(ep, s, now))
		return DGRAM_FATE_ROOM;
	if (s->state != DG_OPEN || s->spare) /* who did not hear from us has nothing to say yet */
		return DGRAM_FATE_UNEXPECTED;
	if (!dg_session_wake(ep, s, now))
		return DGRAM_FATE_ROOM;
	dg_session_touch(ep, s);
	a = dg_session_active(ep, s);
	/* An idle session's window is short: it may be known better now that it is awake. */
	if (dg_window_check(&s->window, &a->window, data->number) != DG_WINDOW_NEW)
		return DGRAM_FATE_COPY;
	dg_session_heard(s, now);
	fate = dg_frames_judge(ep, s, data->frames, now);
	if (fate != DGRAM_FATE_TAKEN)
		return fate;
	dg_window_mark(&s->window, &a->window, data->number, data->elicits_ack, now);
	if (dg_frames_apply(ep, s, data->frames, now)) {
		dg_promise_ids(ep, s);
		dg_in_release_skipped(ep, s);
	}
	return DGRAM_FATE_TAKEN;
}

static enum dgram_fate receive_data(struct dgram_endpoint *ep, const struct dg_place *from,
                                    const struct dg_parts *parts, const struct dgram_datagram *in,
                                    uint64_t now)
{
	struct dg_session *s = dg_session_by_id(ep, parts->header.receiver);
	struct dg_reader r = dg_reader(parts->body, parts->body_len);
	uint64_t number = dg_read_u64(&r);
	const struct dg_active *a = s ? dg_session_active(ep, s) : NULL;
	struct dg_data data;

	if (!s || s->state == DG_OPENING || !dg_place_equal(&s->peer, from))
		return dg_hello_stranger(ep, from, parts, in, now);
	switch (dg_window_check(&s->window, a ? &a->window : NULL, number)) {
	case DG_WINDOW_NEW:
		break;
	case DG_WINDOW_SEEN:
	case DG_WINDOW_OLD:
		return DGRAM_FATE_COPY;
	case DG_WINDOW_BEYOND:
		return DGRAM_FATE_MALFORMED;
	}
	if (!dg_crc_check(parts, in->data, s->peer_id))
		return DGRAM_FATE_CHECKSUM;
	if (!dg_data_decode(&data, parts))
		return DGRAM_FATE_MALFORMED;
	return taken_or_not(ep, s, &data, now);
}

/* ---- all types -------------------------------------------------------------------------------- */

static bool is_unicast(const struct dgram_datagram *in)
{
	return !in->group && in->peer.port != 0 && !dgram_addr_is_multicast(&in->peer) &&
	       !dgram_addr_is_broadcast(&in->peer) && !dgram_addr_is_any(&in->peer);
}

static enum dgram_fate receive(struct dgram_endpoint *ep, const struct dgram_datagram *in,
                               uint64_t now)
{
	struct dg_parts parts;
	struct dg_place from;

	if (in->len > ep->config.datagram_max)
		return DGRAM_FATE_MALFORMED; /* our hello said so */
	if (!dg_parts_decode(&parts, in->data, in->len))
		return in->status != 0 || dg_is_ours(in->data, in->len) ? DGRAM_FATE_MALFORMED
		                                                        : DGRAM_FATE_FOREIGN;
	if (parts.header.flags & DG_FLAG_KEYED || !is_unicast(in) ||
	    !dg_place_from(&from, &in->peer))
		return DGRAM_FATE_MODE;
	switch ((enum dg_type)parts.header.type) {
	case DG_INIT:
		return dg_hello_init(ep, &from, &parts, in, now);
	case DG_ACCEPT:
		return dg_hello_accept(ep, &from, &parts, in, now);
	case DG_COOKIE:
		return dg_hello_cookie(ep, &from, &parts, in);
	case DG_DATA:
		return receive_data(ep, &from, &parts, in, now);
	case DG_NOSESSION:
		return dg_hello_nosession(ep, &from, &parts, in, now);
	case DG_BUSY:
		return dg_hello_busy(ep, &from, &parts, in, now);
	case DG_GROUP:
		break;
	}
	return DGRAM_FATE_MODE;
}

enum dgram_fate dgram_endpoint_receive(struct dgram_endpoint *ep, const struct dgram_datagram *in,
                                       uint64_t now)
{
	enum dgram_fate fate;

	dg_event_release(ep);
	fate = ep->dead ? DGRAM_FATE_UNEXPECTED : receive(ep, in, now);
	ep->stats.received[fate]++;
	ep->stats.bytes_received += in->len;
	return fate;
}

/* ---- what the system said --------------------------------------------------------------------- */

void dgram_endpoint_told(struct dgram_endpoint *ep, const struct dgram_addr *to, int error,
                         uint32_t mtu, uint64_t now)
{
	struct dg_session *s;
	struct dg_place place;

	dg_event_release(ep);
	if (ep->dead || !dg_place_from(&place, to))
		return;
	s = dg_current(ep, &place);
	if (!s)
		return;
	if (error == DGRAM_ERR_SIZE)
		dg_path_told(ep, s, mtu, now);
	else if (error != DGRAM_ERR_REFUSED && error != DGRAM_ERR_UNREACHABLE)
		return;
	else if (s->state == DG_OPENING)
		dg_session_fail(ep, s,
		                error == DGRAM_ERR_REFUSED ? DGRAM_REASON_UNHEARD
		                                           : DGRAM_REASON_UNREACHABLE,
		                now);
	else
		dg_doubt(ep, s, now);
}
