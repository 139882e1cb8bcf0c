/* export.h - which symbols leave the library. */
#ifndef DGRAM_EXPORT_H
#define DGRAM_EXPORT_H

#ifdef DGRAM_BUILDING
#define DGRAM_API __attribute__((visibility("default")))
#else
#define DGRAM_API
#endif

#endif
