#include "kinds.h"

const char *kind_name(unsigned kind)
{
	const char *name = dgram_look_type(kind);

	return name != NULL ? name : "other";
}

static struct kind_counts *counts_of(struct kinds *k, const void *data, size_t len)
{
	struct dgram_look look;

	return &k->of[dgram_look(&look, len > 0 ? data : "", len) == 0 ? look.type : KIND_OTHER];
}

void kinds_came(struct kinds *k, const void *data, size_t len, enum dgram_relay_verdict verdict)
{
	struct kind_counts *c = counts_of(k, data, len);

	c->arrived++;
	c->dropped += verdict != DGRAM_RELAY_TAKEN;
}

void kinds_went(struct kinds *k, const struct dgram_relay_datagram *d)
{
	struct kind_counts *c = counts_of(k, d->data, d->len);

	if (d->copy) {
		c->duplicated++;
		return;
	}
	c->passed++;
	c->reordered += d->reordered;
	c->corrupted += d->corrupted;
}
