// The structure of a csvlog in one pass: where fields end and where records end; and of a pooler's line
// (CScanLine.h). Where severities of a stderr log end, and rows from where their columns stand.
#ifndef CSCAN_H
#define CSCAN_H
#include <stddef.h>
#include <stdint.h>

#include "CScanLine.h"

/// One record: its first byte, the index of its first separator in the separator list and how many it has, and whether
/// a quote in it is out of place. Column k ends at separators[first + k]; the last separator is the line feed.
typedef struct {
    uint32_t start;
    uint32_t first;
    uint32_t columns;
    uint32_t odd;
} cscan_record;

/// What a scan found. `consumed` is the offset just after the last complete record.
typedef struct {
    uint32_t records;
    uint32_t consumed;
} cscan_result;

/// Which implementation runs: the best that this processor has, or one asked for (for tests).
typedef enum {
    CSCAN_BEST = 0,
    CSCAN_PORTABLE = 1,
    CSCAN_AVX2 = 2,
} cscan_kind;

/// Scans `length` bytes that start at a record's first byte. A separator is a comma or a line feed outside double
/// quotes. `separators` must have room for `length + 64` entries; at most `record_capacity` records are given
/// (the scan then stops there). Reads no byte at or past `bytes + length`.
cscan_result cscan_csv(const uint8_t *bytes, uint32_t length, uint32_t *separators, cscan_record *records,
                       uint32_t record_capacity, cscan_kind kind);

/// The first colon in `from ..< to` that a severity or label may end with: two blanks stand behind it, or before it a
/// blank or a byte that is not ASCII; `to` when there is none. `from` is at least 1, `to` at most `count`; reads no byte
/// at or past `bytes + count`.
size_t cscan_label(const uint8_t *bytes, size_t from, size_t to, size_t count, cscan_kind kind);

/// Where `byte` last stands in `from ..< to`; `to` when it does not.
size_t cscan_last(const uint8_t *bytes, uint8_t byte, size_t from, size_t to);

/// Some bytes of a text that somebody else keeps.
typedef struct {
    const uint8_t *bytes;
    size_t length;
} cscan_text;

/// Writes a row of `count` columns (1 ... 32) as csvlog has it: those whose bit is set in `present`, quoted when empty or
/// with a quote in them, the others NULL. `out` must have room for twice the bytes of all columns and three bytes a
/// column more. Gives the row's length, and in `separators` where each column ends, counted from `base` before `out`.
size_t cscan_row(const cscan_text *columns, uint32_t present, uint32_t count, uint8_t *out, uint32_t *separators,
                 uint32_t base, cscan_kind kind);

/// 1 if this processor can run the AVX2 implementation.
int cscan_has_avx2(void);

#endif
