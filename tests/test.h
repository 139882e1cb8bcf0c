/* test.h - cmocka with what it wants included first. */
#ifndef DGRAM_TEST_H
#define DGRAM_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
