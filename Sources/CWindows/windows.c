#include "windows.h"

#define JOINED(name, suffix) name##suffix
#define NAMED(name, suffix) JOINED(name, suffix)

static const saccader_ahead nothing = {0, 0, 0, 0};

// What is still to be fetched, a little at a time: many lines at once keep others waiting.
struct fetching {
    const char *first, *firstEnd, *second, *secondEnd;
    long firstBytes, secondBytes;
};

static inline struct fetching begin(const saccader_ahead *ahead, long turns) {
    const char *first = ahead->first, *second = ahead->second;
    const long per = turns < 1 ? 1 : turns;
    return (struct fetching){
        first, first + 64 * ahead->firstLines, second, second + 64 * ahead->secondLines,
        (ahead->firstLines + per - 1) / per * 64, (ahead->secondLines + per - 1) / per * 64};
}

static inline void fetch(struct fetching *fetching) {
    // Into the second cache: the tile fills the first.
    for (long byte = 0; byte < fetching->firstBytes && fetching->first < fetching->firstEnd;
         byte += 64, fetching->first += 64) __builtin_prefetch(fetching->first, 0, 2);
    for (long byte = 0; byte < fetching->secondBytes && fetching->second < fetching->secondEnd;
         byte += 64, fetching->second += 64) __builtin_prefetch(fetching->second, 0, 2);
}

// The same sums in the same order for each width of vectors: the bits do not depend on it.
#if defined(__x86_64__)
#define WIDTH 16
#define SUFFIX _512
#define TARGET __attribute__((target("avx512f,fma")))
#include "loops.h"
#define WIDTH 8
#define SUFFIX _256
#define TARGET __attribute__((target("avx2,fma")))
#include "loops.h"
#else
#define WIDTH 4
#define SUFFIX _128
#define TARGET
#include "loops.h"
#endif

void saccader_window_sums(
    const float *tile, const int *sources, const int *first, const int *end, long count,
    long columns, long row, const float *weights, long step, float *output, const int *outputs,
    const saccader_ahead *ahead) {
#if !defined(__x86_64__)
    sums_128(tile, sources, first, end, count, columns, row, weights, step, output, outputs,
            ahead);
#else
    // Without AVX2 no part of the program runs.
    if (__builtin_cpu_supports("avx512f")) {
        sums_512(tile, sources, first, end, count, columns, row, weights, step, output, outputs,
            ahead);
    } else {
        sums_256(tile, sources, first, end, count, columns, row, weights, step, output, outputs,
            ahead);
    }
#endif
}

void saccader_window_products(
    const float *tile, const int *sources, const float *gradient, const int *gradients, long count,
    long kernel, long row, float *sums, const saccader_ahead *ahead) {
#if !defined(__x86_64__)
    products_128(tile, sources, gradient, gradients, count, kernel, row, sums, ahead);
#else
    // Without AVX2 no part of the program runs.
    if (__builtin_cpu_supports("avx512f")) {
        products_512(tile, sources, gradient, gradients, count, kernel, row, sums, ahead);
    } else {
        products_256(tile, sources, gradient, gradients, count, kernel, row, sums, ahead);
    }
#endif
}
