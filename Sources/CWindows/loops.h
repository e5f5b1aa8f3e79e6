// The loops for vectors of WIDTH lanes; included once for each width.

#define LANES NAMED(lanes, SUFFIX)
#define LOAD NAMED(load, SUFFIX)
#define STORE NAMED(store, SUFFIX)
#define GROUP NAMED(group, SUFFIX)
#define GROUPS NAMED(groups, SUFFIX)
#define TAPS NAMED(taps, SUFFIX)
#define ALWAYS static inline __attribute__((always_inline)) TARGET

typedef float LANES __attribute__((vector_size(4 * WIDTH)));

// A sum of products is fused in one rounding on every processor that has the instruction.
#define ADD_PRODUCT(sum, a, b) sum = __builtin_elementwise_fma(a, b, sum)

ALWAYS LANES LOAD(const float *source) {
    LANES lanes;
    __builtin_memcpy(&lanes, source, sizeof lanes);
    return lanes;
}

ALWAYS void STORE(LANES lanes, float *target) { __builtin_memcpy(target, &lanes, sizeof lanes); }

// `n` windows of rows of `columns` pixels at once, whose sums stay in registers.
ALWAYS void GROUP(
    int n, int columns, const float *tile, const int *sources, long first, long end, long row,
    const float *weights, long step, float *output, const int *outputs) {
    LANES sum[8];
    const float *source[8];
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) {
        sum[i] = (LANES){0};
        source[i] = tile + sources[i] + row * first;
    }
    weights += step * columns * first;
    for (long u = first; u < end; u++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < columns; v++) {
            const LANES weight = LOAD(weights);
            weights += step;
#pragma clang loop unroll(full)
            for (int i = 0; i < n; i++) ADD_PRODUCT(sum[i], weight, LOAD(source[i] + 16 * v));
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < n; i++) source[i] += row;
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) STORE(sum[i], output + outputs[i]);
}

ALWAYS void GROUPS(
    int columns, const float *tile, const int *sources, const int *first, const int *end,
    long count, long row, const float *weights, long step, float *output, const int *outputs,
    const saccader_ahead *ahead) {
    // Groups of like size: a group of one waits for each of its own sums.
    const long groups = (count + 7) / 8;
    struct fetching fetching = begin(ahead, groups);
    long n = 0;
    for (long group = 0; group < groups; group++) {
        fetch(&fetching);
        const long size = (count - n) / (groups - group);
        long from = first[n], to = end[n];
        for (long i = n + 1; i < n + size; i++) {
            from = first[i] < from ? first[i] : from;
            to = end[i] > to ? end[i] : to;
        }
#define CASE(size) \
    case size: \
        GROUP(size, columns, tile, sources + n, from, to, row, weights, step, output, outputs + n); \
        break;
        switch (size) {
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
        }
#undef CASE
        n += size;
    }
}

static TARGET void NAMED(sums, SUFFIX)(
    const float *tile, const int *sources, const int *first, const int *end, long count,
    long columns, long row, const float *weights, long step, float *output, const int *outputs,
    const saccader_ahead *ahead) {
    for (int lane = 0; lane < 16; lane += WIDTH) {
#define CASE(columns) \
    case columns: \
        GROUPS(columns, tile + lane, sources, first, end, count, row, weights + lane, step, \
            output + lane, outputs, lane == 0 ? ahead : &nothing); \
        break;
        switch (columns) { CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(7) }
#undef CASE
    }
}

// The products of `rows` rows of `kernel` taps, whose sums stay in registers.
ALWAYS void TAPS(
    int rows, int kernel, const float *tile, const int *sources, const float *gradient,
    const int *gradients, long count, long row, float *sums, const saccader_ahead *ahead) {
    LANES sum[28];
    struct fetching fetching = begin(ahead, count);
#pragma clang loop unroll(full)
    for (int t = 0; t < rows * kernel; t++) sum[t] = (LANES){0};
    for (long n = 0; n < count; n++) {
        fetch(&fetching);
        const LANES value = LOAD(gradient + gradients[n]);
        const float *source = tile + sources[n];
#pragma clang loop unroll(full)
        for (int u = 0; u < rows; u++) {
#pragma clang loop unroll(full)
            for (int v = 0; v < kernel; v++) {
                ADD_PRODUCT(sum[u * kernel + v], value, LOAD(source + u * row + 16 * v));
            }
        }
    }
#pragma clang loop unroll(full)
    for (int t = 0; t < rows * kernel; t++) STORE(LOAD(sums + 16 * t) + sum[t], sums + 16 * t);
}

static TARGET void NAMED(products, SUFFIX)(
    const float *tile, const int *sources, const float *gradient, const int *gradients, long count,
    long kernel, long row, float *sums, const saccader_ahead *ahead) {
    for (int lane = 0; lane < 16; lane += WIDTH) {
        for (long u = 0; u < kernel;) {
            const long left = kernel - u;
            const float *source = tile + u * row + lane;
            float *target = sums + 16 * u * kernel + lane;
            const float *values = gradient + lane;
#define CASE(rows, width) \
    { \
        TAPS(rows, width, source, sources, values, gradients, count, row, target, \
            u + lane == 0 ? ahead : &nothing); \
        u += rows; \
    }
            // As many sums as the registers hold.
            if (kernel == 3) CASE(3, 3)
            else if (kernel == 5 && WIDTH == 16) CASE(5, 5)
            else if (kernel == 5 && left >= 2) CASE(2, 5)
            else if (kernel == 5) CASE(1, 5)
            else if (kernel == 7 && WIDTH == 16 && left == 7) CASE(4, 7)
            else if (kernel == 7 && left >= 3 && WIDTH == 16) CASE(3, 7)
            else if (kernel == 7 && left >= 2) CASE(2, 7)
            else if (kernel == 7) CASE(1, 7)
            else {
                for (long v = 0; v < kernel; v++)
                    TAPS(1, 1, source + 16 * v, sources, values, gradients, count, row,
                        target + 16 * v, u + v + lane == 0 ? ahead : &nothing);
                u++;
            }
#undef CASE
        }
    }
}

#undef LANES
#undef LOAD
#undef STORE
#undef GROUP
#undef GROUPS
#undef TAPS
#undef ALWAYS
#undef ADD_PRODUCT
#undef WIDTH
#undef SUFFIX
#undef TARGET
