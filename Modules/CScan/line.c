// Sixteen bytes at a time: lengths of numbers differ from line to line, so that a loop that ends with one would be
// mispredicted nearly every time.
#include "CScanLine.h"

static int is_digit(uint8_t c) { return (uint8_t)(c - '0') < 10; }

uint32_t cscan_hex_portable(const uint8_t *text) {
    uint32_t n = 0;
    while (n < 16 && (is_digit(text[n]) || (uint8_t)((text[n] | 32) - 'a') < 6)) n++;
    return n;
}

uint32_t cscan_address_portable(const uint8_t *text) {
    uint32_t at = 0;
    for (int part = 0; part < 4; part++) {
        uint32_t start = at, value = 0;
        while (at - start < 3 && is_digit(text[at])) value = value * 10 + (text[at++] - '0');
        if (at == start || value > 255 || text[at++] != (part < 3 ? '.' : ':')) return 0;
    }
    uint32_t port = at;
    while (at - port < 6 && is_digit(text[at])) at++;
    return at > port && at - port <= 5 && text[at] == ' ' ? at : 0;
}

#if defined(__SSE2__)
#include <emmintrin.h>

static inline uint32_t equal(__m128i bytes, char c) {
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
}

// One bit for each byte that is `first` or one of the next `count - 1`.
static inline uint32_t within(__m128i bytes, char first, char count) {
    __m128i from = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8((char)(count - 1))), from));
}

uint32_t cscan_hex(const uint8_t *text) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    uint32_t hex = within(bytes, '0', 10) | within(_mm_or_si128(bytes, _mm_set1_epi8(32)), 'a', 6);
    return (uint32_t)__builtin_ctz(~hex);
}

uint32_t cscan_address(const uint8_t *text) {
    // The longest address has fifteen bytes, its colon is the sixteenth.
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    uint32_t digits = within(bytes, '0', 10), dots = equal(bytes, '.');
    uint32_t colon = (uint32_t)__builtin_ctz(~(digits | dots) | 1u << 16);
    uint32_t host = (1u << colon) - 1;
    digits &= host;
    dots &= host;
    uint32_t starts = digits & ~(digits << 1);
    uint32_t long_ones = digits & digits >> 1 & digits >> 2;
    // Of three digits the first is 0 or 1, or else 2 before at most 55.
    uint32_t small = within(bytes, '0', 2), two = equal(bytes, '2'), up_to_four = within(bytes, '0', 5);
    uint32_t five = equal(bytes, '5'), up_to_five = within(bytes, '0', 6);
    uint32_t fits = small | (two & (up_to_four >> 1 | (five >> 1 & up_to_five >> 2)));
    uint32_t wrong = (long_ones & long_ones >> 1)            // four digits
                     | (long_ones & ~fits)                   // more than 255
                     | (dots & ~(digits << 1))               // a dot without a digit before it
                     | (dots & ~(digits >> 1));              // or behind it
    // Four numbers, each of which begins behind a dot or at the start.
    if (colon > 15 || text[colon] != ':' || wrong || __builtin_popcount(dots) != 3 || __builtin_popcount(starts) != 4)
        return 0;
    const uint8_t *port = text + colon + 1;
    uint32_t length = 0;
    __m128i tail = _mm_loadl_epi64((const __m128i *)(const void *)port);
    length = (uint32_t)__builtin_ctz(~within(tail, '0', 10));
    return length >= 1 && length <= 5 && port[length] == ' ' ? colon + 1 + length : 0;
}
#else
uint32_t cscan_hex(const uint8_t *text) { return cscan_hex_portable(text); }
uint32_t cscan_address(const uint8_t *text) { return cscan_address_portable(text); }
#endif
