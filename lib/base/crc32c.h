/* crc32c.h - CRC32C (Castagnoli), the checksum of RFC 3720, section 12.1: polynomial 0x1EDC6F41,
 * reflected, start and result complemented.
 */
#ifndef DG_BASE_CRC32C_H
#define DG_BASE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* crc: 0, or the result for what came before. By the processor's own instruction where it has
 * one. */
uint32_t dg_crc32c(uint32_t crc, const void *data, size_t len);

/* The two ways that dg_crc32c chooses from, of equal result. The hardware one is only called where
 * it is there. */
uint32_t dg_crc32c_portable(uint32_t crc, const void *data, size_t len);
bool dg_crc32c_has_hardware(void);
uint32_t dg_crc32c_hardware(uint32_t crc, const void *data, size_t len);

#endif
