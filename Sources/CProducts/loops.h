// The loops for vectors of WIDTH lanes; HALVES values VALUE make up one ELEMENT. Included once for
// each kind, with the shapes of its blocks.

#define LANES NAMED(lanes, SUFFIX)
#define MULTIPLY NAMED(multiply, SUFFIX)
#define BLOCK NAMED(block, SUFFIX)
#define ALONG NAMED(along, SUFFIX)
#define DOWN NAMED(down, SUFFIX)
#define FINISH NAMED(finish, SUFFIX)
#define WIDENED NAMED(widened, SUFFIX)
#define NARROW NAMED(narrow, SUFFIX)
#define PLACE NAMED(place, SUFFIX)
#define JOIN NAMED(join, SUFFIX)
#define ALWAYS static inline __attribute__((always_inline)) TARGET

typedef float LANES __attribute__((ext_vector_type(WIDTH)));

// `sum + left·right`: in each lane one product in one rounding, or two of bfloat16.
ALWAYS LANES MULTIPLY(LANES sum, const ELEMENT *left, LANES right) {
#if HALVES == 2
    return (LANES)_mm512_dpbf16_ps(
        (__m512)sum, (__m512bh)_mm512_set1_epi32((int)*left), (__m512bh)right);
#else
    return __builtin_elementwise_fma((LANES)*left, right, sum);
#endif
}

// `rows` rows of `vectors` vectors of a result.
ALWAYS void BLOCK(int rows, int vectors, _Bool down, const struct block *block) {
    LANES sum[DOWN_ROWS][ALONG_VECTORS];
    const ELEMENT *left = block->left, *right = block->right;
    const long row_stride = down ? 1 : block->left_stride;
    const long inner_stride = down ? block->left_stride : 1;
    float *result = block->result;
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++, result += block->result_stride) {
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            sum[row][v] = 0;
            if (block->adding) __builtin_memcpy(&sum[row][v], result + WIDTH * v, sizeof(LANES));
            // What will be written is fetched while the products are formed.
            else __builtin_prefetch(result + WIDTH * v, 1, 3);
        }
    }
    for (long n = block->inner; n > 0; n--, left += inner_stride, right += block->right_stride) {
        LANES lanes[ALONG_VECTORS];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            __builtin_memcpy(&lanes[v], right + WIDTH * v, sizeof(LANES));
        }
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++) {
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) {
                sum[row][v] = MULTIPLY(sum[row][v], left + row * row_stride, lanes[v]);
            }
        }
    }
    result = block->result;
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++, result += block->result_stride) {
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            __builtin_memcpy(result + WIDTH * v, &sum[row][v], sizeof(LANES));
        }
    }
}

#define ONE(v, n) case 16 * v + n: BLOCK(n, v, down, block); break;
#define SIX(v) ONE(v, 1) ONE(v, 2) ONE(v, 3) ONE(v, 4) ONE(v, 5) ONE(v, 6)
#define EIGHT_MORE(v) \
    ONE(v, 7) ONE(v, 8) ONE(v, 9) ONE(v, 10) ONE(v, 11) ONE(v, 12) ONE(v, 13) ONE(v, 14)

// Along rows of the left matrix.
static TARGET __attribute__((noinline)) void ALONG(
    long rows, int vectors, const struct block *block) {
    const _Bool down = 0;
    switch (16 * vectors + rows) {
        SIX(1) SIX(2)
#if ALONG_VECTORS == 4
        SIX(3) SIX(4)
#endif
    }
}

// Down columns of the left matrix.
static TARGET __attribute__((noinline)) void DOWN(
    long rows, int vectors, const struct block *block) {
    const _Bool down = 1;
    switch (16 * vectors + rows) {
        SIX(1) SIX(2)
#if DOWN_ROWS == 14
        EIGHT_MORE(1) EIGHT_MORE(2)
#endif
    }
}

// WIDTH values, of bfloat16 widened.
ALWAYS LANES WIDENED(const VALUE *values) {
#if HALVES == 2
    __m256i halves;
    __builtin_memcpy(&halves, values, sizeof halves);
    return (LANES)_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16);
#else
    LANES lanes;
    __builtin_memcpy(&lanes, values, sizeof lanes);
    return lanes;
#endif
}

// The same the other way round, rounded to nearest even.
ALWAYS void NARROW(LANES lanes, VALUE *values) {
#if HALVES == 2
    const __m256bh halves = _mm512_cvtneps_pbh((__m512)lanes);
    __builtin_memcpy(values, &halves, sizeof halves);
#else
    __builtin_memcpy(values, &lanes, sizeof lanes);
#endif
}

// Writes a block's rows finished: `width` columns from column `first` of row `row` on.
ALWAYS void FINISH(
    const float *tile, long rows, long row, long first, long width, long columns,
    const saccader_finish *finish, VALUE *result) {
    for (long part = 0; part < width; part += WIDTH) {
        const long count = AT_MOST(WIDTH, width - part), column = first + part;
        LANES bias = 0;
        __builtin_memcpy(&bias, finish->bias + column, count * sizeof(float));
        for (long r = 0; r < rows; r++) {
            VALUE edge[WIDTH] = {0};
            const VALUE *added = (const VALUE *)finish->added + (row + r) * columns + column;
            VALUE *place = result + (row + r) * columns + column;
            LANES sum;
            __builtin_memcpy(&sum, tile + r * PANEL + part, sizeof sum);
            sum += bias;
            if (finish->added) {
                if (count < WIDTH) {
                    __builtin_memcpy(edge, added, count * sizeof(VALUE));
                    added = edge;
                }
                sum += WIDENED(added);
            }
            // A NaN stays one.
            if (finish->rectifies) sum = sum < 0 ? (LANES)0 : sum;
            if (count == WIDTH) {
                NARROW(sum, place);
            } else {
                NARROW(sum, edge);
                __builtin_memcpy(place, edge, count * sizeof(VALUE));
            }
        }
    }
}

// One panel of the result: `rows` rows from `row` on, `width` columns from `first` on, where they
// are written or, if they do not fill vectors or are to be finished, by way of a tile.
ALWAYS void PLACE(
    _Bool down, struct block block, long rows, long row, long first, long width, long columns,
    void *result, const saccader_finish *finish) {
    const ELEMENT *right = block.right;
    const long most = (down ? 2 : ALONG_VECTORS) * WIDTH;
    float tile[DOWN_ROWS * PANEL] __attribute__((aligned(64)));
    for (long r = 0; finish && r < rows; r++) {
        const char *line = (const char *)((VALUE *)result + (row + r) * columns + first);
        for (long byte = 0; byte < width * (long)sizeof(VALUE); byte += 64) {
            __builtin_prefetch(line + byte, 1, 3);
        }
    }
    for (long part = 0; part < width; part += most) {
        const long wanted = AT_MOST(most, width - part);
        const int vectors = (int)((wanted + WIDTH - 1) / WIDTH);
        const _Bool fits = !finish && wanted == vectors * WIDTH;
        float *place = finish ? 0 : (float *)result + row * columns + first + part;
        block.right = right + part;
        block.result = fits ? place : tile + part;
        block.result_stride = fits ? columns : PANEL;
        if (!fits && block.adding) {
            for (long r = 0; r < rows; r++) {
                memcpy(tile + part + r * PANEL, place + r * columns, wanted * sizeof(float));
            }
        }
        if (down) DOWN(rows, vectors, &block);
        else ALONG(rows, vectors, &block);
        if (!fits && !finish) {
            for (long r = 0; r < rows; r++) {
                memcpy(place + r * columns, tile + part + r * PANEL, wanted * sizeof(float));
            }
        }
    }
    if (finish) FINISH(tile, rows, row, first, width, columns, finish, result);
}

static TARGET void NAMED(product, SUFFIX)(
    const VALUE *left, const ELEMENT *packed, void *result, long rows, long columns, long inner,
    _Bool adding, const saccader_finish *finish) {
    enum { MOST = LEFT_INNER / HALVES };
    const long all = (inner + HALVES - 1) / HALVES;
    // Rows that end with half a pair are copied: what lies behind them is not theirs.
    const _Bool copied = inner % HALVES;
    ELEMENT copies[HALVES == 1 ? 1 : ALONG_ROWS * MOST];
    for (long start = 0; start < all; start += MOST, adding = 1) {
        const long count = AT_MOST(MOST, all - start);
        const long values = AT_MOST(count * HALVES, inner - start * HALVES);
        for (long row = 0, some; row < rows; row += some) {
            some = block_rows(rows - row, ALONG_ROWS);
            const VALUE *from = left + row * inner + start * HALVES;
            struct block block = {
                .left = copied ? (const void *)copies : from,
                .left_stride = copied ? count : inner / HALVES, .right_stride = PANEL,
                .inner = count, .adding = adding};
            for (long r = 0; copied && r < some; r++) {
                ELEMENT *copy = copies + r * count;
                copy[count - 1] = 0;
                memcpy(copy, from + r * inner, values * sizeof(VALUE));
            }
            for (long first = 0; first < columns; first += PANEL) {
                block.right = packed + first * all + start * PANEL;
                PLACE(
                    0, block, some, row, first, AT_MOST(PANEL, columns - first), columns, result,
                    finish);
            }
        }
    }
}

// Brings `count` columns of `rows` rows together, rows `stride` elements apart; what is left of
// `padded` columns is 0. Two rows of bfloat16 become one of pairs.
ALWAYS void JOIN(
    const VALUE *source, long columns, long rows, long count, long padded, ELEMENT *target,
    long stride) {
    for (long row = 0; row < rows; row += HALVES, source += HALVES * columns, target += stride) {
#if HALVES == 2
        if (row + 1 < rows) {
            for (long column = 0; column < count; column++) {
                target[column] = source[column] | (uint32_t)source[columns + column] << 16;
            }
        } else {
            for (long column = 0; column < count; column++) target[column] = source[column];
        }
#else
        memcpy(target, source, count * sizeof *target);
#endif
        if (padded > count) memset(target + count, 0, (padded - count) * sizeof *target);
    }
}

static TARGET void NAMED(transposed, SUFFIX)(
    const VALUE *left, const VALUE *right, float *result, long rows, long columns, long inner,
    _Bool adding) {
    enum { GROUP = 16 * DOWN_ROWS, MOST = JOINED_INNER / HALVES };
    ELEMENT left_part[GROUP * MOST], panel[JOINED_PANEL * MOST];
    const _Bool joins_left = HALVES == 2 || rows > FAR;
    const _Bool joins_right = HALVES == 2 || columns > FAR || columns % (2 * WIDTH);
    for (long start = 0; start < inner; start += JOINED_INNER, adding = 1) {
        const long count = AT_MOST(JOINED_INNER, inner - start);
        for (long begin = 0; begin < rows; begin += GROUP) {
            const long end = AT_MOST(rows, begin + GROUP);
            const VALUE *from = left + start * rows + begin;
            struct block block = {
                .left_stride = joins_left ? end - begin : rows,
                .right_stride = joins_right ? JOINED_PANEL : columns,
                .inner = (count + HALVES - 1) / HALVES, .adding = adding};
            if (joins_left) {
                JOIN(from, rows, count, end - begin, end - begin, left_part, end - begin);
            }
            for (long first = 0; first < columns; first += JOINED_PANEL) {
                const long width = AT_MOST(JOINED_PANEL, columns - first);
                const VALUE *source = right + start * columns + first;
                block.right = joins_right ? (const void *)panel : source;
                if (joins_right) {
                    JOIN(source, columns, count, width, JOINED_PANEL, panel, JOINED_PANEL);
                }
                for (long row = begin, some; row < end; row += some) {
                    some = block_rows(end - row, DOWN_ROWS);
                    block.left = joins_left ? (const void *)(left_part + row - begin)
                                            : (const void *)(from + row - begin);
                    PLACE(1, block, some, row, first, width, columns, result, 0);
                }
            }
        }
    }
}

#undef ONE
#undef SIX
#undef EIGHT_MORE
#undef LANES
#undef MULTIPLY
#undef BLOCK
#undef ALONG
#undef DOWN
#undef FINISH
#undef WIDENED
#undef NARROW
#undef PLACE
#undef JOIN
#undef ALWAYS
#undef WIDTH
#undef ALONG_ROWS
#undef ALONG_VECTORS
#undef DOWN_ROWS
#undef SUFFIX
#undef TARGET
