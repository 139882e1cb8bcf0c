/* The body of GROUP: one datagram that belongs to no session. */
#include "wire/wire.h"

static bool is_valid(const struct dg_group *g)
{
	if (g->kind < DG_GROUP_POST || g->kind > DG_GROUP_SURVEY_REPLY)
		return false;
	if (g->flags & ~(DG_NAMED | DG_HOPS | DG_TOO_LONG) || (g->flags & DG_HOPS && g->hops == 0))
		return false;
	if (g->flags & DG_TOO_LONG && (g->kind != DG_GROUP_SURVEY_REPLY || g->len > 0))
		return false;
	if (g->kind != DG_GROUP_SURVEY && g->padding > 0)
		return false;
	return !(g->flags & DG_NAMED) || dg_name_is_valid(g->name, g->name_len);
}

/* HELLO and GOODBYE, of which the format says what they hold. */
static bool says_what_it_must(const struct dg_group *g)
{
	struct dg_presence presence;

	if (g->kind == DG_GROUP_HELLO)
		return g->flags & DG_NAMED && dg_presence_decode(&presence, g->data, g->len);
	return g->kind != DG_GROUP_GOODBYE || (!(g->flags & DG_NAMED) && g->len == 0);
}

static bool has_nonce(const struct dg_group *g)
{
	return g->kind == DG_GROUP_SURVEY || g->kind == DG_GROUP_SURVEY_REPLY;
}

/* Behind the data of a survey there is room for the answers that are wanted. */
static bool read_survey(struct dg_group *out, struct dg_reader *r)
{
	uint64_t len = dg_read_varint(r);

	if (r->failed || len > r->left)
		return false;
	out->len = (size_t)len;
	out->data = dg_read_bytes(r, out->len);
	out->padding = r->left;
	for (size_t i = 0; i < r->left; i++)
		if (r->at[i])
			return false;
	return true;
}

bool dg_group_decode(struct dg_group *out, const uint8_t *body, size_t len)
{
	struct dg_reader r = dg_reader(body, len);

	*out = (struct dg_group){.boot = dg_read_u64(&r)};
	out->endpoint = dg_read_u64(&r);
	out->counter = dg_read_u64(&r);
	out->kind = dg_read_u8(&r);
	out->flags = dg_read_u8(&r);
	if (out->flags & DG_NAMED) {
		out->name_len = dg_read_u8(&r);
		out->name = dg_read_bytes(&r, out->name_len);
	}
	if (out->flags & DG_HOPS)
		out->hops = dg_read_u8(&r);
	if (has_nonce(out))
		out->nonce = dg_read_u64(&r);
	if (out->kind == DG_GROUP_SURVEY)
		return read_survey(out, &r) && is_valid(out);
	out->len = r.left;
	out->data = dg_read_bytes(&r, out->len);
	return !r.failed && is_valid(out) && says_what_it_must(out);
}

void dg_group_encode(struct dg_writer *w, const struct dg_group *g)
{
	uint8_t *zeros;

	if (!is_valid(g) || !says_what_it_must(g)) {
		w->failed = true;
		return;
	}
	dg_write_u64(w, g->boot);
	dg_write_u64(w, g->endpoint);
	dg_write_u64(w, g->counter);
	dg_write_u8(w, g->kind);
	dg_write_u8(w, g->flags);
	if (g->flags & DG_NAMED) {
		dg_write_u8(w, g->name_len);
		dg_write_bytes(w, g->name, g->name_len);
	}
	if (g->flags & DG_HOPS)
		dg_write_u8(w, g->hops);
	if (has_nonce(g))
		dg_write_u64(w, g->nonce);
	if (g->kind == DG_GROUP_SURVEY)
		dg_write_varint(w, g->len);
	dg_write_bytes(w, g->data, g->len);
	zeros = dg_write_room(w, g->padding);
	if (zeros && g->padding > 0)
		memset(zeros, 0, g->padding);
}
