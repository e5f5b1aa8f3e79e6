#pragma once

/// Two stretches of memory, in lines of 64 bytes, that are fetched meanwhile.
typedef struct {
    const void *first;
    long firstLines;
    const void *second;
    long secondLines;
} saccader_ahead;

/// Sums over windows of a tile of pixels, each of 16 channels for itself: of rows u from `first[n]`
/// to `end[n]`, of 1 to 5 or 7 columns v, in this order,
///
///     output[outputs[n] + c] = Σ of weights[step·(u·columns + v) + c] · tile[sources[n] + u·row + 16·v + c]
///
/// Windows are taken a few at a time; such a group goes from its least `first` to its greatest
/// `end`, where the tile must hold zeros.
void saccader_window_sums(
    const float *tile, const int *sources, const int *first, const int *end, long count,
    long columns, long row, const float *weights, long step, float *output, const int *outputs,
    const saccader_ahead *ahead);

/// Sums of products of the pixels of windows with one gradient each, of 16 channels for itself:
///
///     sums[16·(u·kernel + v) + c] += Σ of gradient[gradients[n] + c] · tile[sources[n] + u·row + 16·v + c]
///
/// over n in order, beginning with 0.
void saccader_window_products(
    const float *tile, const int *sources, const float *gradient, const int *gradients, long count,
    long kernel, long row, float *sums, const saccader_ahead *ahead);
