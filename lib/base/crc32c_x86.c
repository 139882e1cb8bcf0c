/* The CRC32 instruction of SSE4.2 (x86-64 processors since 2008). The compiler may use it in this
 * one function only: everything else runs on older ones too. */
#include "base/crc32c.h"

#include <nmmintrin.h>
#include <string.h>

bool dg_crc32c_has_hardware(void)
{
	return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) uint32_t dg_crc32c_hardware(uint32_t crc, const void *data,
							      size_t len)
{
	const uint8_t *p = data;
	uint64_t eight, wide = ~crc;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&eight, p, 8);
		wide = _mm_crc32_u64(wide, eight);
	}
	crc = (uint32_t)wide;
	for (; len > 0; p++, len--)
		crc = _mm_crc32_u8(crc, *p);
	return ~crc;
}
