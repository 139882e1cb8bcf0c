#include "endpoint/endpoint.h"

static struct dg_link *link_of(const struct dg_pool *pool, size_t offset, uint32_t number)
{
	return (void *)((uint8_t *)dg_pool_at(pool, number) + offset);
}

void dg_list_insert(struct dg_list *list, const struct dg_pool *pool, size_t offset,
                    uint32_t number, uint32_t behind)
{
	uint32_t after = behind == DG_NONE ? list->first : link_of(pool, offset, behind)->after;

	*link_of(pool, offset, number) = (struct dg_link){behind, after};
	if (behind == DG_NONE)
		list->first = number;
	else
		link_of(pool, offset, behind)->after = number;
	if (after == DG_NONE)
		list->last = number;
	else
		link_of(pool, offset, after)->before = number;
}

void dg_list_append(struct dg_list *list, const struct dg_pool *pool, size_t offset,
                    uint32_t number)
{
	dg_list_insert(list, pool, offset, number, list->last);
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
