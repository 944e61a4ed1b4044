// Sixty-four bytes at a time: three masks (quotes, commas, line feeds), the inside of quotes by prefix-xor, and the
// set bits of what is left written out as positions. The portable version makes the same masks byte by byte.
// For memrchr.
#define _GNU_SOURCE 1
#include "CScan.h"

#include <string.h>

typedef struct {
    uint64_t quotes, commas, feeds, returns;
} masks;

static inline masks masks_portable(const uint8_t *p) {
    masks m = {0, 0, 0, 0};
    for (int i = 0; i < 64; i++) {
        m.quotes |= (uint64_t)(p[i] == '"') << i;
        m.commas |= (uint64_t)(p[i] == ',') << i;
        m.feeds |= (uint64_t)(p[i] == '\n') << i;
        m.returns |= (uint64_t)(p[i] == '\r') << i;
    }
    return m;
}

static inline uint64_t prefix_xor_portable(uint64_t x) {
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    x ^= x << 32;
    return x;
}

// The number of the lowest bit; any number when there is none.
static inline uint32_t lowest_portable(uint64_t x) { return (uint32_t)__builtin_ctzll(x | 1ULL << 63); }

// One body for every implementation: the mask makers are inlined into it.
//
// A quote that opens must stand behind a separator or behind a quote that closes (a doubled one); what stands behind a
// quote that closes must be a separator, a carriage return or a quote. Anything else is out of place, and the record
// it lies in is marked.
// Separators are written out eight at a time, more than there are if need be: a loop that ends with the last one would
// be mispredicted nearly every time.
#define SCAN_BODY(MASKS, PREFIX_XOR, LOWEST)                                                                     \
    uint64_t inside = 0, before_open = 1, after_close = 0;                                               \
    uint32_t found = 0, record_first = 0, start = 0, odd = 0;                                            \
    cscan_result result = {0, 0};                                                                        \
    uint8_t tail[64];                                                                                    \
    for (uint32_t base = 0; base < length; base += 64) {                                                 \
        const uint8_t *p = bytes + base;                                                                 \
        if (length - base < 64) {                                                                        \
            memset(tail, ',', 64);                                                                       \
            memcpy(tail, p, length - base);                                                              \
            p = tail;                                                                                    \
        }                                                                                                \
        masks m = MASKS(p);                                                                              \
        uint64_t quoted = PREFIX_XOR(m.quotes) ^ inside;                                                 \
        inside = (uint64_t)((int64_t)quoted >> 63);                                                      \
        uint64_t feeds = m.feeds & ~quoted;                                                              \
        uint64_t marks = (m.commas & ~quoted) | feeds;                                                   \
        uint64_t opening = m.quotes & quoted, closing = m.quotes & ~quoted;                              \
        uint64_t may_open = (marks | closing), must_end = closing;                                       \
        uint64_t misplaced = (opening & ~((may_open << 1) | before_open)) |                              \
                             (((must_end << 1) | after_close) & ~(marks | opening | m.returns));         \
        before_open = may_open >> 63;                                                                    \
        after_close = must_end >> 63;                                                                    \
        if (length - base < 64) {                                                                        \
            uint64_t real = (1ULL << (length - base)) - 1;                                               \
            marks &= real;                                                                               \
            feeds &= real;                                                                               \
            misplaced &= real;                                                                           \
        }                                                                                                \
        uint32_t before = found;                                                                         \
        found += (uint32_t)__builtin_popcountll(marks);                                                  \
        uint32_t *out = separators + before;                                                             \
        uint64_t left = marks;                                                                           \
        do {                                                                                             \
            for (int i = 0; i < 8; i++, left &= left - 1) *out++ = base + LOWEST(left);                  \
        } while (__builtin_expect(left != 0, 0));                                                        \
        while (__builtin_expect(feeds != 0, 0)) {                                                        \
            uint32_t bit = (uint32_t)__builtin_ctzll(feeds);                                             \
            uint64_t upto = (bit == 63) ? ~0ULL : ((1ULL << (bit + 1)) - 1);                             \
            uint32_t next = before + (uint32_t)__builtin_popcountll(marks & upto);                       \
            odd |= (misplaced & upto) != 0;                                                              \
            records[result.records++] = (cscan_record){start, record_first, next - record_first, odd};   \
            odd = 0;                                                                                     \
            misplaced &= ~upto;                                                                          \
            start = base + bit + 1;                                                                      \
            record_first = next;                                                                         \
            result.consumed = start;                                                                     \
            if (result.records == record_capacity) return result;                                        \
            feeds &= feeds - 1;                                                                          \
        }                                                                                                \
        odd |= misplaced != 0;                                                                           \
    }                                                                                                    \
    return result;

static cscan_result scan_portable(const uint8_t *bytes, uint32_t length, uint32_t *separators,
                                  cscan_record *records, uint32_t record_capacity) {
    SCAN_BODY(masks_portable, prefix_xor_portable, lowest_portable)
}

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,pclmul,popcnt,bmi,bmi2")))

AVX2 static inline uint64_t equal_avx2(__m256i low, __m256i high, char c) {
    __m256i wanted = _mm256_set1_epi8(c);
    uint32_t l = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted));
    uint32_t h = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted));
    return (uint64_t)l | ((uint64_t)h << 32);
}

AVX2 static inline masks masks_avx2(const uint8_t *p) {
    __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
    return (masks){equal_avx2(low, high, '"'), equal_avx2(low, high, ','), equal_avx2(low, high, '\n'),
                   equal_avx2(low, high, '\r')};
}

// A carry-less product with all ones is the running xor of all lower bits.
AVX2 static inline uint64_t prefix_xor_avx2(uint64_t x) {
    __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)x), _mm_set1_epi8((char)0xFF), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

AVX2 static inline uint32_t lowest_avx2(uint64_t x) { return (uint32_t)_tzcnt_u64(x); }

AVX2 static cscan_result scan_avx2(const uint8_t *bytes, uint32_t length, uint32_t *separators,
                                   cscan_record *records, uint32_t record_capacity) {
    SCAN_BODY(masks_avx2, prefix_xor_avx2, lowest_avx2)
}

int cscan_has_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("bmi2");
}
#else
int cscan_has_avx2(void) { return 0; }
#endif

cscan_result cscan_csv(const uint8_t *bytes, uint32_t length, uint32_t *separators, cscan_record *records,
                       uint32_t record_capacity, cscan_kind kind) {
#if defined(__x86_64__)
    if (kind == CSCAN_AVX2 || (kind == CSCAN_BEST && cscan_has_avx2()))
        return scan_avx2(bytes, length, separators, records, record_capacity);
#endif
    (void)kind;
    return scan_portable(bytes, length, separators, records, record_capacity);
}

static inline int ends_label(const uint8_t *bytes, size_t colon, size_t count) {
    if (bytes[colon] != ':') return 0;
    if (bytes[colon - 1] >= 0x80 || bytes[colon - 1] == ' ') return 1;
    return colon + 2 < count && bytes[colon + 1] == ' ' && bytes[colon + 2] == ' ';
}

size_t cscan_label(const uint8_t *bytes, size_t from, size_t to, size_t count, cscan_kind kind) {
    size_t at = from;
#if defined(__SSE2__)
    // Sixteen places at a time, with the byte before and the two behind each. Every x86-64 processor can.
    for (const __m128i colon = _mm_set1_epi8(':'), blank = _mm_set1_epi8(' ');
         kind != CSCAN_PORTABLE && at < to && at + 18 <= count; at += 16) {
        const uint8_t *p = bytes + at;
        __m128i here = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i before = _mm_loadu_si128((const __m128i *)(const void *)(p - 1));
        __m128i next = _mm_loadu_si128((const __m128i *)(const void *)(p + 1));
        __m128i second = _mm_loadu_si128((const __m128i *)(const void *)(p + 2));
        __m128i behind = _mm_and_si128(_mm_cmpeq_epi8(next, blank), _mm_cmpeq_epi8(second, blank));
        // The highest bit of a byte that is not ASCII is what `movemask` takes.
        __m128i fits = _mm_or_si128(behind, _mm_or_si128(_mm_cmpeq_epi8(before, blank), before));
        int found = _mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(here, colon), fits));
        if (found != 0) {
            at += (size_t)__builtin_ctz((unsigned)found);
            return at < to ? at : to;
        }
    }
#endif
    (void)kind;
    while (at < to && !ends_label(bytes, at, count)) at++;
    return at < to ? at : to;
}

size_t cscan_last(const uint8_t *bytes, uint8_t byte, size_t from, size_t to) {
    const uint8_t *found = memrchr(bytes + from, byte, to - from);
    return found != NULL ? (size_t)(found - bytes) : to;
}
