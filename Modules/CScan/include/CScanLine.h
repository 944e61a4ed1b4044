// The parts of a pooler's line that are of no fixed length, without a step that depends on their bytes.
#ifndef CSCAN_LINE_H
#define CSCAN_LINE_H
#include <stddef.h>
#include <stdint.h>

/// Bytes that must be readable from `text` on, for both.
#define CSCAN_LINE_REACH 32

/// How many hexadecimal digits `text` starts with, at most 16.
uint32_t cscan_hex(const uint8_t *text);

/// How long the IPv4 address with its port (`192.0.2.7:40138`) is that `text` starts with and behind which a blank
/// stands; 0 when there is none.
uint32_t cscan_address(const uint8_t *text);

/// The same byte by byte, for other processors and for tests.
uint32_t cscan_hex_portable(const uint8_t *text);
uint32_t cscan_address_portable(const uint8_t *text);

#endif
