// Sixty-four bytes at a time become masks: what continues a name, what cannot start one, quotes, parentheses, and the
// few bytes that mean something. Words and those bytes are then gone through by set bits. The portable version makes the
// same masks byte by byte.
#include "CWords.h"

#include <string.h>

#define BLOCKS (CWORDS_LONGEST / 64)

typedef struct {
    uint64_t name, digits, under, quotes, opens, closes, rare;
} masks;

static inline int is_digit(uint8_t c) { return (uint8_t)(c - '0') < 10; }
static inline int is_space(uint8_t c) { return c == ' ' || (uint8_t)(c - 9) < 5; }
static inline int is_name(uint8_t c) {
    return (uint8_t)((c | 32) - 'a') < 26 || is_digit(c) || c == '_' || c == '$' || c >= 0x80;
}

static inline int is_rare(uint8_t c) {
    switch (c) {
    case '"': case '$': case '&': case '*': case '-': case '/': case ';': case '=': case '@': case '\\': return 1;
    default: return 0;
    }
}

static inline masks masks_portable(const uint8_t *p) {
    masks m = {0, 0, 0, 0, 0, 0, 0};
    for (int i = 0; i < 64; i++) {
        m.name |= (uint64_t)is_name(p[i]) << i;
        m.digits |= (uint64_t)(is_digit(p[i]) || p[i] == '$') << i;
        m.under |= (uint64_t)(p[i] == '_') << i;
        m.quotes |= (uint64_t)(p[i] == '\'') << i;
        m.opens |= (uint64_t)(p[i] == '(') << i;
        m.closes |= (uint64_t)(p[i] == ')') << i;
        m.rare |= (uint64_t)is_rare(p[i]) << i;
    }
    return m;
}

static inline uint64_t prefix_xor(uint64_t x) {
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    x ^= x << 32;
    return x;
}

#define CASE 0x2020202020202020ULL

// Up to eight bytes; those behind `length` of the text are not touched.
static inline uint64_t load(const uint8_t *text, uint32_t at, uint32_t count, uint32_t length) {
    uint64_t word = 0;
    if (at + 8 <= length) {
        memcpy(&word, text + at, 8);
    } else {
        memcpy(&word, text + at, length - at);
    }
    return count >= 8 ? word | CASE : (word | CASE) & ((1ULL << (count * 8)) - 1);
}

void cwords_key(const uint8_t *word, uint32_t length, uint64_t *head, uint64_t *tail) {
    *head = load(word, 0, length, length);
    *tail = length > 8 ? load(word, length - 8, 8, length) : 0;
}

static inline uint64_t hash(uint64_t head, uint64_t tail, uint32_t length) {
    uint64_t mixed = (head ^ (tail * 0x9E3779B97F4A7C15ULL) ^ length) * 0xC2B2AE3D27D4EB4FULL;
    return mixed >> 32;
}

uint64_t cwords_hash(uint64_t head, uint64_t tail, uint32_t length) { return hash(head, tail, length); }

static inline uint32_t start_bit(uint32_t bytes) { return (((bytes & 0xFFFFFF) | 0x202020) * 0x9E3779B1U) >> 16; }

uint32_t cwords_start(uint8_t first, uint8_t second, uint8_t third) {
    return start_bit((uint32_t)first | (uint32_t)second << 8 | (uint32_t)third << 16);
}

typedef struct {
    const uint8_t *text;
    uint32_t length;
    const cwords_table *table;
    cwords_look *look;
    uint32_t blocks;
    uint64_t name[BLOCKS], words[BLOCKS], starts[BLOCKS], under[BLOCKS], quoted[BLOCKS], opens[BLOCKS], closes[BLOCKS],
        rare[BLOCKS];
} state;

static inline int bit(const uint64_t *bits, uint32_t at) { return (int)(bits[at / 64] >> (at % 64) & 1); }

// Parentheses that are open before a place.
static int depth(const state *s, uint32_t end) {
    int depth = 0;
    for (uint32_t block = 0; block * 64 < end; block++) {
        uint64_t upto = end - block * 64 >= 64 ? ~0ULL : (1ULL << (end - block * 64)) - 1;
        depth += __builtin_popcountll(s->opens[block] & upto) - __builtin_popcountll(s->closes[block] & upto);
    }
    return depth;
}

static int is_same(const uint8_t *text, const uint8_t *word, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        uint8_t c = text[i];
        if ((uint8_t)(c - 'A') < 26) c |= 32;
        if (c != word[i]) return 0;
    }
    return 1;
}

// A word that the filter did not turn away; `at` is where the name that it is part of starts.
static void __attribute__((noinline)) take(state *s, uint64_t h, uint64_t head, uint64_t tail, uint32_t from,
                                           uint32_t length, uint32_t at) {
    const cwords_table *table = s->table;
    for (uint32_t slot = (uint32_t)(h >> 13) & table->mask; table->slots[slot].entry; slot = (slot + 1) & table->mask) {
        const cwords_slot *word = &table->slots[slot];
        if (word->head != head || word->tail != tail || word->length != length) continue;
        if (length > 16 && !is_same(s->text + from, word->word, length)) continue;
        const uint64_t *found = table->found + 4 * (word->entry - 1), *unless = table->unless + 4 * (word->entry - 1);
        for (int i = 0; i < 4; i++) s->look->found[i] |= found[i];
        if ((unless[0] | unless[1] | unless[2] | unless[3]) && !bit(s->quoted, at) && depth(s, at) == 0)
            for (int i = 0; i < 4; i++) s->look->ruled_out[i] |= unless[i];
    }
}

static inline void look_up(state *s, uint32_t from, uint32_t length, uint32_t at) {
    uint64_t head = load(s->text, from, length, s->length);
    uint64_t tail = length > 8 ? load(s->text, from + length - 8, 8, s->length) : 0;
    uint64_t h = hash(head, tail, length);
    if (__builtin_expect((int)(s->table->filter[(h & 8191) / 64] >> (h % 64) & 1), 0)) take(s, h, head, tail, from, length, at);
}

// The length of the name that starts there.
static inline uint32_t name_length(const state *s, uint32_t block, uint32_t at) {
    uint64_t rest = ~s->name[block] >> at;
    if (rest) return (uint32_t)__builtin_ctzll(rest);
    uint32_t length = 64 - at;
    while (++block < s->blocks) {
        if (~s->name[block]) return length + (uint32_t)__builtin_ctzll(~s->name[block]);
        length += 64;
    }
    return length;
}

// True when some word may begin there.
static inline int may_begin(const state *s, uint32_t at) {
    uint32_t bytes = 0x202020;
    if (at + 4 <= s->length) {
        memcpy(&bytes, s->text + at, 4);
    } else {
        memcpy(&bytes, s->text + at, s->length - at < 3 ? s->length - at : 3);
    }
    uint32_t bit = start_bit(bytes);
    return (int)(s->table->starts[bit / 64] >> (bit % 64) & 1);
}

// A name, or a part of one behind an underscore, that may begin as some word does.
static void __attribute__((noinline)) take_name(state *s, uint32_t block, uint32_t at, int is_part) {
    uint32_t start = block * 64 + at, length = name_length(s, block, at), part = 0;
    while (part < length && s->text[start + part] != '_') part++;
    if (!is_part) {
        look_up(s, start, length, start);
        if (length == 35 && (s->text[start] | 32) == 'm' && (s->text[start + 1] | 32) == 'd' &&
            s->text[start + 2] == '5')
            s->look->has_verifier = 1;
        if (part == length) return;
    }
    if (part > 0) look_up(s, start, part, start);
}

static inline void take_words(state *s) {
    uint64_t last_under = 0;
    for (uint32_t block = 0; block < s->blocks; block++) {
        uint64_t starts = s->starts[block], parts = (s->under[block] << 1 | last_under) & s->name[block];
        last_under = s->under[block] >> 63;
        for (uint64_t left = starts | parts; left; left &= left - 1) {
            uint32_t at = (uint32_t)__builtin_ctzll(left);
            if (may_begin(s, block * 64 + at)) take_name(s, block, at, (int)(~starts >> at & 1));
        }
    }
}

static int is_between_digits(const state *s, uint32_t sign) {
    uint32_t before = sign, after = sign + 1;
    while (before > 0 && is_space(s->text[before - 1])) before--;
    if (before == 0 || !is_digit(s->text[before - 1])) return 0;
    while (after < s->length && is_space(s->text[after])) after++;
    return after < s->length && is_digit(s->text[after]);
}

// Bytes that mean something alone or together; `is_open` when the last quote does not end.
static inline void take_rare(state *s, int is_open) {
    const uint8_t *t = s->text;
    uint32_t end = s->length;
    int is_plain = 1, has_quoted_end = 0;
    cwords_look *look = s->look;
    for (uint32_t block = 0; block < s->blocks; block++) {
        for (uint64_t left = s->rare[block]; left; left &= left - 1) {
            uint32_t i = block * 64 + (uint32_t)__builtin_ctzll(left);
            int quoted = bit(s->quoted, i);
            switch (t[i]) {
            case ';':
                if (quoted) has_quoted_end = 1;
                else if (end == s->length) end = i;
                break;
            case '"': is_plain &= quoted; break;
            case '\\': is_plain = 0; break;
            case '-':
                if (i > 0 && t[i - 1] == '-') {
                    look->has_dashes = 1;
                    is_plain &= quoted;
                }
                break;
            case '*':
                if (i > 0 && t[i - 1] == '/') is_plain &= quoted;
                break;
            case '=': look->has_tautology |= (uint8_t)is_between_digits(s, i); break;
            case '@': look->has_ats |= (uint8_t)(i > 0 && t[i - 1] == '@'); break;
            case '/': look->has_slashes |= (uint8_t)(i > 1 && t[i - 1] == '/' && t[i - 2] == ':'); break;
            case '$':
                if (!bit(s->words, i) && (i + 1 == s->length || !is_digit(t[i + 1]))) {
                    look->has_quotes = 1;
                    is_plain = 0;
                }
                break;
            case '&': look->is_escaped |= (uint8_t)(i > 0 && (t[i - 1] | 32) == 'u' && bit(s->starts, i - 1)); break;
            default: break;
            }
        }
    }
    for (uint32_t i = end; i < s->length; i++)
        if (t[i] != ';' && !is_space(t[i])) look->is_many = 1;
    if (!is_plain || is_open || look->is_escaped || depth(s, s->length) != 0) {
        memset(look->ruled_out, 0, sizeof look->ruled_out);
        if (has_quoted_end) look->is_many = 1;
    }
}

static inline void find_first(state *s) {
    uint32_t at = 0;
    while (at < s->length && is_space(s->text[at])) at++;
    if (at == s->length || !bit(s->starts, at)) return;
    s->look->first = at;
    s->look->first_length = name_length(s, at / 64, at % 64);
}

// One body for every implementation: the mask maker is inlined into it. Digits and dollar signs before the first letter
// of a name are none of it.
#define LOOK_BODY(MASKS)                                                                                 \
    state s;                                                                                             \
    s.text = text;                                                                                       \
    s.length = length;                                                                                   \
    s.table = table;                                                                                     \
    s.look = look;                                                                                       \
    s.blocks = (length + 63) / 64;                                                                       \
    uint64_t inside = 0, last_name = 0, last_lead = 0, last_word = 0, quotes = 0;                        \
    uint8_t tail[64];                                                                                    \
    for (uint32_t block = 0; block < s.blocks; block++) {                                                \
        const uint8_t *p = text + block * 64;                                                            \
        if (length - block * 64 < 64) {                                                                  \
            memset(tail, ' ', 64);                                                                       \
            memcpy(tail, p, length - block * 64);                                                        \
            p = tail;                                                                                    \
        }                                                                                                \
        masks m = MASKS(p);                                                                              \
        uint64_t begins = m.name & ~(m.name << 1 | last_name);                                           \
        uint64_t lead = m.digits & ~(m.digits + (m.digits & (begins | last_lead)));                      \
        uint64_t words = m.name & ~lead;                                                                 \
        uint64_t quoted = prefix_xor(m.quotes) ^ inside;                                                 \
        s.name[block] = m.name;                                                                          \
        s.words[block] = words;                                                                          \
        s.starts[block] = words & ~(words << 1 | last_word);                                             \
        s.under[block] = m.under;                                                                        \
        s.quoted[block] = quoted;                                                                        \
        s.opens[block] = m.opens & ~quoted;                                                              \
        s.closes[block] = m.closes & ~quoted;                                                            \
        s.rare[block] = m.rare;                                                                          \
        quotes |= m.quotes;                                                                              \
        inside = (uint64_t)((int64_t)quoted >> 63);                                                      \
        last_name = m.name >> 63;                                                                        \
        last_lead = lead >> 63;                                                                          \
        last_word = words >> 63;                                                                         \
    }                                                                                                    \
    memset(look, 0, sizeof *look);                                                                       \
    look->has_quotes = quotes != 0;                                                                      \
    find_first(&s);                                                                                      \
    take_words(&s);                                                                                      \
    take_rare(&s, inside != 0);

static void look_portable(const uint8_t *text, uint32_t length, const cwords_table *table, cwords_look *look) {
    LOOK_BODY(masks_portable)
}

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,popcnt,bmi,bmi2")))

AVX2 static inline uint64_t join(__m256i low, __m256i high) {
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

AVX2 static inline __m256i within(__m256i v, char first, char count) {
    __m256i moved = _mm256_sub_epi8(v, _mm256_set1_epi8(first));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(moved, _mm256_set1_epi8((char)(count - 1))), moved);
}

AVX2 static inline __m256i is(__m256i v, char c) { return _mm256_cmpeq_epi8(v, _mm256_set1_epi8(c)); }

// The bytes of `is_rare` by their two halves: one bit for each upper half that there is.
AVX2 static inline __m256i rare(__m256i v) {
    const __m256i lows = _mm256_broadcastsi128_si256(_mm_setr_epi8(4, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 2, 8, 3, 0, 1));
    const __m256i highs = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, 1, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    __m256i low = _mm256_shuffle_epi8(lows, v);
    __m256i high = _mm256_shuffle_epi8(highs, _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15)));
    return _mm256_cmpgt_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256());
}

AVX2 static inline masks masks_avx2(const uint8_t *p) {
    __m256i v[2] = {_mm256_loadu_si256((const __m256i *)(const void *)p),
                    _mm256_loadu_si256((const __m256i *)(const void *)(p + 32))};
    __m256i name[2], digits[2], under[2];
    for (int i = 0; i < 2; i++) {
        under[i] = is(v[i], '_');
        digits[i] = _mm256_or_si256(within(v[i], '0', 10), is(v[i], '$'));
        __m256i letters = within(_mm256_or_si256(v[i], _mm256_set1_epi8(32)), 'a', 26);
        // The mask takes a byte's upper bit, which bytes above 127 have.
        name[i] = _mm256_or_si256(_mm256_or_si256(letters, digits[i]), _mm256_or_si256(under[i], v[i]));
    }
    return (masks){join(name[0], name[1]), join(digits[0], digits[1]), join(under[0], under[1]),
                   join(is(v[0], '\''), is(v[1], '\'')), join(is(v[0], '('), is(v[1], '(')),
                   join(is(v[0], ')'), is(v[1], ')')), join(rare(v[0]), rare(v[1]))};
}

AVX2 static void look_avx2(const uint8_t *text, uint32_t length, const cwords_table *table, cwords_look *look) {
    LOOK_BODY(masks_avx2)
}

static int has_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}
#endif

int cwords_look_at(const uint8_t *text, uint32_t length, const cwords_table *table, cwords_look *look,
                   cwords_kind kind) {
    if (length > CWORDS_LONGEST) return 0;
#if defined(__x86_64__)
    if (kind == CWORDS_AVX2 || (kind == CWORDS_BEST && has_avx2())) {
        look_avx2(text, length, table, look);
        return 1;
    }
#endif
    (void)kind;
    look_portable(text, length, table, look);
    return 1;
}
