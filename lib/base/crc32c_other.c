/* Processors without an instruction that we know. */
#include "base/crc32c.h"

bool dg_crc32c_has_hardware(void)
{
	return false;
}

uint32_t dg_crc32c_hardware(uint32_t crc, const void *data, size_t len)
{
	return dg_crc32c_portable(crc, data, len);
}
