#include "endpoint/endpoint.h"

static struct dg_link *link_of(const struct dg_pool *pool, size_t offset, uint32_t number)
{
	return (void *)((uint8_t *)dg_pool_at(pool, number) + offset);
}

void dg_list_append(struct dg_list *list, const struct dg_pool *pool, size_t offset,
                    uint32_t number)
{
	*link_of(pool, offset, number) = (struct dg_link){list->last, DG_NONE};
	if (list->last == DG_NONE)
		list->first = number;
	else
		link_of(pool, offset, list->last)->after = number;
	list->last = number;
}

void dg_list_remove(struct dg_list *list, const struct dg_pool *pool, size_t offset,
                    uint32_t number)
{
	struct dg_link link = *link_of(pool, offset, number);

	if (link.before == DG_NONE)
		list->first = link.after;
	else
		link_of(pool, offset, link.before)->after = link.after;
	if (link.after == DG_NONE)
		list->last = link.before;
	else
		link_of(pool, offset, link.after)->before = link.before;
}
