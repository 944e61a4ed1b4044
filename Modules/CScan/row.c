// One row of csvlog from where its columns stand. Short columns are copied by overlapping words, looking for quotes on
// the way; the portable version does it byte by byte.
#include "CScan.h"

#include <string.h>

// A column with a quote in it, or with nothing.
static uint8_t *put_quoted(uint8_t *out, const uint8_t *bytes, size_t length) {
    *out++ = '"';
    while (length > 0) {
        const uint8_t *quote = memchr(bytes, '"', length);
        size_t count = quote != NULL ? (size_t)(quote - bytes) + 1 : length;
        memcpy(out, bytes, count);
        out += count;
        if (quote != NULL) *out++ = '"';
        bytes += count;
        length -= count;
    }
    *out++ = '"';
    return out;
}

static uint8_t *put_portable(uint8_t *out, const uint8_t *bytes, size_t length) {
    if (length == 0 || memchr(bytes, '"', length) != NULL) return put_quoted(out, bytes, length);
    memcpy(out, bytes, length);
    return out + length;
}

#if defined(__SSE2__)
#include <immintrin.h>

// Not 0 when one of the bytes is a quote.
static inline uint64_t quotes_in(uint64_t word) {
    const uint64_t ones = 0x0101010101010101ULL;
    uint64_t other = word ^ (ones * '"');
    return (other - ones) & ~other & (ones << 7);
}

static inline int copy_sixteen(uint8_t *out, const uint8_t *bytes) {
    __m128i word = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    _mm_storeu_si128((__m128i *)(void *)out, word);
    return _mm_movemask_epi8(_mm_cmpeq_epi8(word, _mm_set1_epi8('"')));
}

static inline uint8_t *put_best(uint8_t *out, const uint8_t *bytes, size_t length) {
    if (length >= 16) {
        for (size_t at = 0; at + 16 < length; at += 16)
            if (copy_sixteen(out + at, bytes + at) != 0) return put_quoted(out, bytes, length);
        if (copy_sixteen(out + length - 16, bytes + length - 16) != 0) return put_quoted(out, bytes, length);
        return out + length;
    }
    if (length >= 8) {
        uint64_t first, last;
        memcpy(&first, bytes, 8);
        memcpy(&last, bytes + length - 8, 8);
        if ((quotes_in(first) | quotes_in(last)) != 0) return put_quoted(out, bytes, length);
        memcpy(out, &first, 8);
        memcpy(out + length - 8, &last, 8);
        return out + length;
    }
    if (length >= 4) {
        uint32_t first, last;
        memcpy(&first, bytes, 4);
        memcpy(&last, bytes + length - 4, 4);
        if (quotes_in((uint64_t)first << 32 | last) != 0) return put_quoted(out, bytes, length);
        memcpy(out, &first, 4);
        memcpy(out + length - 4, &last, 4);
        return out + length;
    }
    if (length == 0) return put_quoted(out, bytes, length);
    for (size_t at = 0; at < length; at++) {
        if (bytes[at] == '"') return put_quoted(out, bytes, length);
        out[at] = bytes[at];
    }
    return out + length;
}
#else
#define put_best put_portable
#endif

#define ROW_BODY(PUT)                                                                                    \
    uint8_t *next = out;                                                                                 \
    for (uint32_t column = 0; column < count; column++) {                                                \
        if (present >> column & 1) next = PUT(next, columns[column].bytes, columns[column].length);      \
        separators[column] = base + (uint32_t)(next - out);                                              \
        *next++ = ',';                                                                                   \
    }                                                                                                    \
    next[-1] = '\n';                                                                                     \
    return (size_t)(next - out);

size_t cscan_row(const cscan_text *columns, uint32_t present, uint32_t count, uint8_t *out, uint32_t *separators,
                 uint32_t base, cscan_kind kind) {
    if (kind == CSCAN_PORTABLE) {
        ROW_BODY(put_portable)
    }
    ROW_BODY(put_best)
}
