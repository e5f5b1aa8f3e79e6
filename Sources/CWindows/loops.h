// The loops for vectors of WIDTH lanes, MOST windows at a time; included once for each width.

#define LANES NAMED(lanes, SUFFIX)
#define WORDS NAMED(words, SUFFIX)
#define HALVES NAMED(halves, SUFFIX)
#define LOAD NAMED(load, SUFFIX)
#define STORE NAMED(store, SUFFIX)
#define READ NAMED(read, SUFFIX)
#define READ_PART NAMED(read_part, SUFFIX)
#define WRITE NAMED(write, SUFFIX)
#define WRITE_PART NAMED(write_part, SUFFIX)
#define FINISH NAMED(finish, SUFFIX)
#define WIDEN NAMED(widen, SUFFIX)
#define WIDEN_ROW NAMED(widen_row, SUFFIX)
#define ROWS NAMED(rows, SUFFIX)
#define GROUP NAMED(group, SUFFIX)
#define LINE NAMED(line, SUFFIX)
#define TAPS NAMED(taps, SUFFIX)
#define BLOCK_PRODUCTS NAMED(block_products, SUFFIX)
#define ALWAYS static inline __attribute__((always_inline)) TARGET

typedef float LANES __attribute__((ext_vector_type(WIDTH)));
typedef uint32_t WORDS __attribute__((ext_vector_type(WIDTH)));
typedef uint16_t HALVES __attribute__((ext_vector_type(WIDTH)));

// A sum of products is fused in one rounding on every processor that has the instruction.
#define ADD_PRODUCT(sum, a, b) sum = __builtin_elementwise_fma(a, b, sum)

ALWAYS LANES LOAD(const float *source) {
    LANES lanes;
    __builtin_memcpy(&lanes, source, sizeof lanes);
    return lanes;
}

ALWAYS void STORE(LANES lanes, float *target) { __builtin_memcpy(target, &lanes, sizeof lanes); }

// WIDTH elements of storage.
ALWAYS LANES READ(_Bool narrow, const char *source) {
    if (!narrow) return LOAD((const float *)source);
    HALVES halves;
    __builtin_memcpy(&halves, source, sizeof halves);
    const WORDS words = __builtin_convertvector(halves, WORDS) << 16;
    return (LANES)words;
}

// The first `count` of them, the other lanes 0.
static __attribute__((noinline)) TARGET LANES READ_PART(
    _Bool narrow, const char *source, long count) {
    float values[WIDTH] = {0};
    for (long lane = 0; lane < AT_MOST(count, WIDTH); lane++) {
        if (narrow) {
            const uint32_t word = (uint32_t)((const uint16_t *)source)[lane] << 16;
            memcpy(values + lane, &word, sizeof word);
        } else {
            memcpy(values + lane, source + 4 * lane, 4);
        }
    }
    return LOAD(values);
}

// WIDTH lanes to storage; `rounds`: with the processor's instruction, which takes the smallest
// numbers, below 1.2e-38, for 0.
ALWAYS void WRITE(LANES values, _Bool narrow, _Bool rounds, char *target) {
    if (!narrow) {
        STORE(values, (float *)target);
        return;
    }
    HALVES halves;
#if WIDTH == 16
    if (rounds) {
        // As text: the loops are compiled for processors that do not have it.
        __asm__("vcvtneps2bf16 %1, %0" : "=v"(halves) : "v"(values));
    } else
#elif WIDTH == 8
    if (rounds) __asm__("vcvtneps2bf16 %1, %0" : "=x"(halves) : "x"(values));
    else
#else
    (void)rounds;
#endif
    {
        const WORDS words = (WORDS)values;
        halves = __builtin_convertvector((words + 0x7fff + (words >> 16 & 1)) >> 16, HALVES);
    }
    __builtin_memcpy(target, &halves, sizeof halves);
}

// The first `count` lanes.
static __attribute__((noinline)) TARGET void WRITE_PART(
    LANES values, _Bool narrow, char *target, long count) {
    for (long lane = 0; lane < count; lane++) {
        if (narrow) ((uint16_t *)target)[lane] = narrowed(values[lane]);
        else ((float *)target)[lane] = values[lane];
    }
}

// `n` sums that a result holds from `pixel` on, `count` lanes of each.
ALWAYS void FINISH(
    long n, LANES *sum, const saccader_sums *result, _Bool rounds, long pixel, long step,
    long channels, long channel, long count) {
    const long size = element_bytes(result->narrow);
    char *target = (char *)result->pixels + (pixel * channels + channel) * size;
    const long bytes = step * channels * size;
    if (result->factors) {
        for (long i = 0; i < n; i++) sum[i] *= result->factors[pixel + i * step];
    }
    if (count < WIDTH) {
        for (long i = 0; i < n; i++) WRITE_PART(sum[i], result->narrow, target + i * bytes, count);
    } else if (!result->narrow) {
        for (long i = 0; i < n; i++) WRITE(sum[i], 0, 0, target + i * bytes);
    } else if (rounds) {
        for (long i = 0; i < n; i++) WRITE(sum[i], 1, 1, target + i * bytes);
    } else {
        for (long i = 0; i < n; i++) WRITE(sum[i], 1, 0, target + i * bytes);
    }
}

ALWAYS void WIDEN(
    _Bool narrow, _Bool affine, _Bool rectify, const saccader_pixels *source, const char *pixel,
    const float *factors, long channel, float *target) {
    const long step = source->channels * element_bytes(narrow);
    LANES scale[BLOCK / WIDTH], shift[BLOCK / WIDTH];
    if (affine) {
#pragma clang loop unroll(full)
        for (int part = 0; part < BLOCK / WIDTH; part++) {
            const long left = source->channels - channel - part * WIDTH;
            const char *first = (const char *)(source->scale + channel + part * WIDTH);
            const char *second = (const char *)(source->shift + channel + part * WIDTH);
            scale[part] = left < WIDTH ? READ_PART(0, first, left) : READ(0, first);
            shift[part] = left < WIDTH ? READ_PART(0, second, left) : READ(0, second);
        }
    }
    const _Bool full = source->channels >= BLOCK;
    for (long x = 0; x < source->width; x++, pixel += step, target += BLOCK) {
#pragma clang loop unroll(full)
        for (int part = 0; part < BLOCK / WIDTH; part++) {
            const char *place = pixel + part * WIDTH * element_bytes(narrow);
            LANES values =
                full ? READ(narrow, place)
                     : READ_PART(narrow, place, source->channels - part * WIDTH);
            if (affine) values = __builtin_elementwise_fma(scale[part], values, shift[part]);
            // A NaN stays one, so that it is noticed.
            if (rectify) values = values < 0 ? (LANES)0 : values;
            if (factors) values *= factors[x];
            STORE(values, target + part * WIDTH);
        }
    }
}

// Row `row` of 16 channels from `channel` on, in place of the one `rows` above it.
static TARGET void WIDEN_ROW(
    const saccader_pixels *source, const saccader_tile *tile, long row, long channel) {
    float *target = tile->floats + row % tile->rows * tile->length;
    const long y = tile->first + row;
    if (y < 0 || y >= source->height) {
        memset(target, 0, tile->length * sizeof *target);
        return;
    }
    target += tile->margin * BLOCK;
    const long first = y * source->width;
    const char *pixel = (const char *)source->pixels
        + (first * source->channels + channel) * element_bytes(source->narrow);
    const float *factors = source->factors ? source->factors + first : 0;
#define CASE(halves, affine, relu) \
    if (source->narrow == halves && (source->scale != 0) == affine && source->rectify == relu) \
        WIDEN(halves, affine, relu, source, pixel, factors, channel, target);
    CASE(0, 0, 0) CASE(0, 0, 1) CASE(0, 1, 0) CASE(0, 1, 1)
    CASE(1, 0, 0) CASE(1, 0, 1) CASE(1, 1, 0) CASE(1, 1, 1)
#undef CASE
}

// The rows of a tile up to `end` that are not there yet.
ALWAYS void ROWS(
    const saccader_pixels *source, const saccader_tile *tile, long *ready, long end,
    long channel) {
    for (; *ready < end; (*ready)++) WIDEN_ROW(source, tile, *ready, channel);
}

// The sums of `n` windows side by side, in registers as a row's weights are: each pixel is read once
// for all of the windows that it lies in.
ALWAYS void GROUP(
    int n, int width, int stride, const saccader_windows *windows, const saccader_tile *tile,
    const float *pixels, long top, long rows, const float *weights, LANES *result,
    struct fetching *fetching) {
    LANES sum[MOST];
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) sum[i] = (LANES){0};
    const long column = windows->weights_column, next = windows->weights_row;
    const float *source = pixels + top * tile->length;
    for (long u = 0; u < rows; u++, weights += next) {
        if (u == 0 || fetches_often(windows)) fetch(fetching);
        LANES weight[7];
#pragma clang loop unroll(full)
        for (int v = 0; v < width; v++) weight[v] = LOAD(weights + v * column);
#pragma clang loop unroll(full)
        for (int x = 0; x < (n - 1) * stride + width; x++) {
            const LANES value = LOAD(source + BLOCK * x);
#pragma clang loop unroll(full)
            for (int v = x % stride; v < width; v += stride) {
                const int i = (x - v) / stride;
                if (x >= v && i < n) ADD_PRODUCT(sum[i], weight[v], value);
            }
        }
        source += tile->length;
        if (++top == tile->rows) {
            top = 0;
            source = pixels;
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) result[i] = sum[i];
}

// A row of windows in groups of like size: a group of one waits for each of its own sums.
static TARGET void LINE(
    const saccader_windows *windows, const saccader_tile *tile, const float *pixels, long top,
    long rows, const float *weights, const saccader_sums *result, _Bool rounds, long pixel,
    long channels, long channel, long count, struct fetching *fetching) {
    long rest = windows->columns;
    LANES sum[MOST];
    for (long groups = (rest + MOST - 1) / MOST; groups > 0; groups--) {
        const long size = (rest + groups - 1) / groups;
#define CASE(size, columns, step) \
    case size: GROUP(size, columns, step, windows, tile, pixels, top, rows, weights, sum, fetching); \
        break;
#if MOST == 14
#define MORE(...) \
    CASE(8, __VA_ARGS__) CASE(9, __VA_ARGS__) CASE(10, __VA_ARGS__) CASE(11, __VA_ARGS__) \
    CASE(12, __VA_ARGS__) CASE(13, __VA_ARGS__) CASE(14, __VA_ARGS__)
#else
#define MORE(...)
#endif
#define SHAPE(columns, step) \
    if (windows->width == columns && windows->stride == step) { \
        switch (size) { \
            CASE(1, columns, step) CASE(2, columns, step) CASE(3, columns, step) \
            CASE(4, columns, step) CASE(5, columns, step) CASE(6, columns, step) \
            CASE(7, columns, step) MORE(columns, step) \
        } \
    }
        SHAPE(1, 1) SHAPE(2, 1) SHAPE(3, 1) SHAPE(4, 1) SHAPE(5, 1) SHAPE(7, 1)
        SHAPE(1, 2) SHAPE(3, 2) SHAPE(5, 2) SHAPE(7, 2)
#undef CASE
#undef MORE
#undef SHAPE
        FINISH(
            size, sum, result, rounds, pixel, windows->result_column, channels, channel, count);
        rest -= size;
        pixels += size * windows->stride * BLOCK;
        pixel += size * windows->result_column;
    }
}

static TARGET void NAMED(sums, SUFFIX)(
    const saccader_pixels *source, const saccader_tile *tile, const saccader_windows *windows,
    long count, const saccader_sums *result, const saccader_ahead *ahead) {
#if defined(__x86_64__)
    const _Bool rounds =
        __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl");
#else
    const _Bool rounds = 0;
#endif
    const long channels = source->channels, blocks = block_count(channels);
    long rows = 0;
    for (long n = 0; n < count; n++) rows = AT_LEAST(rows, windows[n].rows);
    const long turns = (windows->columns + MOST - 1) / MOST
        * (fetches_often(windows) ? AT_LEAST(1, windows->height - 1) : 1);
    struct fetching fetching = begin(ahead, blocks * rows * turns);
    for (long block = 0; block < blocks; block++) {
        const long channel = first_channel(block, channels);
        const long lanes = AT_MOST(BLOCK, channels - channel);
        long ready = 0;
        for (long i = 0; i < rows; i++) {
            for (const saccader_windows *w = windows; w < windows + count; w++) {
                if (i >= w->rows) continue;
                const long top = w->top + i * w->stride;
                ROWS(source, tile, &ready, top + w->height, channel);
                const long first = AT_LEAST(0, -(tile->first + top));
                const long end = AT_MOST(w->height, source->height - tile->first - top);
                for (int lane = 0; lane < lanes; lane += WIDTH) {
                    LINE(
                        w, tile, tile->floats + w->left * BLOCK + lane,
                        (top + first) % tile->rows, end - first,
                        w->weights + channel + lane + first * w->weights_row, result, rounds,
                        w->result + i * w->result_row, channels, channel + lane, lanes - lane,
                        &fetching);
                }
            }
        }
    }
}

// The products of `rows` rows of `width` taps from row `u` on, whose sums stay in registers.
ALWAYS void TAPS(
    _Bool narrow, int rows, int width, long u, const saccader_pixels *source,
    const saccader_tile *tile, long *ready, const saccader_windows *windows, const void *gradient,
    long channel, int lane, float *sums, struct fetching *fetching) {
    LANES sum[28];
#pragma clang loop unroll(full)
    for (int t = 0; t < rows * width; t++) sum[t] = (LANES){0};
    const long channels = source->channels, size = element_bytes(narrow);
    const long count = channels - channel - lane, row = tile->length;
    for (long i = 0; i < windows->rows; i++) {
        fetch(fetching);
        const long top = windows->top + i * windows->stride;
        ROWS(source, tile, ready, top + windows->height, channel);
        const float *pixels = tile->floats + (top + u) * row + windows->left * BLOCK + lane;
        const char *values = (const char *)gradient
            + ((windows->result + i * windows->result_row) * channels + channel + lane) * size;
        for (long j = 0; j < windows->columns; j++) {
            const LANES value =
                count < WIDTH ? READ_PART(narrow, values, count) : READ(narrow, values);
#pragma clang loop unroll(full)
            for (int down = 0; down < rows; down++) {
#pragma clang loop unroll(full)
                for (int v = 0; v < width; v++) {
                    ADD_PRODUCT(
                        sum[down * width + v], value, LOAD(pixels + down * row + BLOCK * v));
                }
            }
            pixels += windows->stride * BLOCK;
            values += windows->result_column * channels * size;
        }
    }
    sums += BLOCK * u * width + lane;
#pragma clang loop unroll(full)
    for (int t = 0; t < rows * width; t++) {
        STORE(LOAD(sums + BLOCK * t) + sum[t], sums + BLOCK * t);
    }
}

ALWAYS void BLOCK_PRODUCTS(
    _Bool narrow, const saccader_pixels *source, const saccader_tile *tile, long *ready,
    const saccader_windows *windows, const void *gradient, long channel, int lane, float *sums,
    struct fetching *fetching) {
    for (long u = 0; u < windows->height;) {
        const long left = windows->height - u;
#define CASE(rows, width) \
    { \
        TAPS(narrow, rows, width, u, source, tile, ready, windows, gradient, channel, lane, sums, \
            fetching); \
        u += rows; \
    }
        // As many sums as the registers hold.
        if (windows->width == 1) CASE(1, 1)
        else if (windows->width == 3) CASE(3, 3)
        else if (windows->width == 5 && REGISTERS == 32) CASE(5, 5)
        else if (windows->width == 5 && left >= 2) CASE(2, 5)
        else if (windows->width == 5) CASE(1, 5)
        else if (REGISTERS == 32 && left == 7) CASE(4, 7)
        else if (REGISTERS == 32 && left == 3) CASE(3, 7)
        else if (left >= 2) CASE(2, 7)
        else CASE(1, 7)
#undef CASE
    }
}

static TARGET void NAMED(products, SUFFIX)(
    const saccader_pixels *source, const saccader_tile *tile, const saccader_windows *windows,
    const void *gradient, float *sums, const saccader_ahead *ahead) {
    const long blocks = block_count(source->channels);
    struct fetching fetching = begin(ahead, blocks * windows->rows);
    for (long block = 0; block < blocks; block++) {
        const long channel = first_channel(block, source->channels);
        long ready = 0;
        for (int lane = 0; lane < BLOCK && lane < source->channels; lane += WIDTH) {
            if (source->narrow) {
                BLOCK_PRODUCTS(
                    1, source, tile, &ready, windows, gradient, channel, lane, sums, &fetching);
            } else {
                BLOCK_PRODUCTS(
                    0, source, tile, &ready, windows, gradient, channel, lane, sums, &fetching);
            }
        }
        sums += windows->height * windows->width * BLOCK;
    }
}

#undef LANES
#undef WORDS
#undef HALVES
#undef LOAD
#undef STORE
#undef READ
#undef READ_PART
#undef WRITE
#undef WRITE_PART
#undef FINISH
#undef WIDEN
#undef WIDEN_ROW
#undef ROWS
#undef GROUP
#undef LINE
#undef TAPS
#undef BLOCK_PRODUCTS
#undef ALWAYS
#undef ADD_PRODUCT
#undef WIDTH
#undef MOST
#undef REGISTERS
#undef SUFFIX
#undef TARGET
