#include "windows.h"

#include <stdint.h>
#include <string.h>

#define JOINED(name, suffix) name##suffix
#define NAMED(name, suffix) JOINED(name, suffix)
#define AT_MOST(a, b) ((a) < (b) ? (a) : (b))
#define AT_LEAST(a, b) ((a) > (b) ? (a) : (b))

enum { BLOCK = 16 };

// Blocks of channels, and a block's first: the last one begins earlier where it would not be full.
static inline long block_count(long channels) { return (channels + BLOCK - 1) / BLOCK; }

static inline long first_channel(long block, long channels) {
    return AT_LEAST(0, AT_MOST(block * BLOCK, channels - BLOCK));
}

// What is still to be fetched, a little at a time: many lines at once keep others waiting.
struct fetching {
    const char *first, *first_end, *second, *second_end;
    long first_bytes, second_bytes;
};

static inline struct fetching begin(const saccader_ahead *ahead, long turns) {
    const char *first = ahead->first, *second = ahead->second;
    const long per = AT_LEAST(1, turns);
    return (struct fetching){
        first, first + 64 * ahead->first_lines, second, second + 64 * ahead->second_lines,
        (ahead->first_lines + per - 1) / per * 64, (ahead->second_lines + per - 1) / per * 64};
}

static inline void fetch(struct fetching *fetching) {
    // Into the second cache: the tile fills the first.
    for (long byte = 0; byte < fetching->first_bytes && fetching->first < fetching->first_end;
         byte += 64, fetching->first += 64) __builtin_prefetch(fetching->first, 0, 2);
    for (long byte = 0; byte < fetching->second_bytes && fetching->second < fetching->second_end;
         byte += 64, fetching->second += 64) __builtin_prefetch(fetching->second, 0, 2);
}

// Whether there is time to fetch at every row of weights (measured: a third faster where memory
// bounds), and not just at the first.
static inline _Bool fetches_often(const saccader_windows *windows) { return windows->columns >= 7; }

static inline long element_bytes(_Bool narrow) { return narrow ? 2 : 4; }

// The upper half, rounded to nearest even; a NaN stays one.
static inline uint16_t narrowed(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return value == value ? (bits + 0x7fff + (bits >> 16 & 1)) >> 16 : bits >> 16 | 0x40;
}

// The same sums in the same order for each width of vectors: the bits do not depend on it. As many
// windows at once as the registers hold beside a row's weights.
#if defined(__x86_64__)
#define WIDTH 16
#define MOST 14
#define REGISTERS 32
#define SUFFIX _512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,fma")))
#include "loops.h"
#define WIDTH 8
#define MOST 7
#define REGISTERS 16
#define SUFFIX _256
#define TARGET __attribute__((target("avx2,fma")))
#include "loops.h"
#else
#define WIDTH 4
#define MOST 14
#define REGISTERS 32
#define SUFFIX _128
#define TARGET
#include "loops.h"
#endif

int saccader_window_lanes(void) {
#if defined(__x86_64__)
    // Without AVX2 no part of the program runs.
    const _Bool is_wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl");
    return is_wide ? 16 : 8;
#else
    return 4;
#endif
}

void saccader_window_sums(
    const saccader_pixels *source, const saccader_tile *tile, const saccader_windows *windows,
    long count, const saccader_sums *result, const saccader_ahead *ahead, int lanes) {
#if defined(__x86_64__)
    (lanes == 16 ? sums_512 : sums_256)(source, tile, windows, count, result, ahead);
#else
    (void)lanes;
    sums_128(source, tile, windows, count, result, ahead);
#endif
}

void saccader_window_products(
    const saccader_pixels *source, const saccader_tile *tile, const saccader_windows *windows,
    const void *gradient, float *sums, const saccader_ahead *ahead, int lanes) {
#if defined(__x86_64__)
    (lanes == 16 ? products_512 : products_256)(source, tile, windows, gradient, sums, ahead);
#else
    (void)lanes;
    products_128(source, tile, windows, gradient, sums, ahead);
#endif
}
