// Of matmul.comp: tiles of signed bytes, one block of x at a time.
#define DEPTH 32
#define RUNS (DEPTH / WEIGHT_RUN)
// Words of a row or column; one more keeps threads on different banks.
#define WORDS (DEPTH / 4)

shared uint tile_x[TILE_ROWS][WORDS + 1];
shared float tile_d[TILE_ROWS];
shared uint tile_w[TILE_COLS][WORDS + 1];
shared float tile_scale[TILE_COLS][RUNS];
#ifdef WEIGHT_LOW
shared float tile_sum[TILE_ROWS][RUNS];
shared float tile_low[TILE_COLS][RUNS];
#endif
#ifdef GATED
shared uint tile_up[TILE_COLS][WORDS + 1];
shared float tile_up_scale[TILE_COLS][RUNS];
#ifdef WEIGHT_LOW
shared float tile_up_low[TILE_COLS][RUNS];
#endif
#endif

// The halves' sums of a block, added up if a run is the whole block.
void load_x (uint slot, uint half_number, uint k)
{
  Activations a = x_load (x_row (first_row + slot), k + 16 * half_number, p.k, p.x_blocks);

  for (uint i = 0; i < 4; i++)
    tile_x[slot][4 * half_number + i] = a.q[i];
  if (half_number == 0)
    tile_d[slot] = a.d;
#ifdef WEIGHT_LOW
#if WEIGHT_RUN == 16
  tile_sum[slot][half_number] = a.sum;
#else
  if (half_number == 0)
    tile_sum[slot][0] = a.sum + x_load (x_row (first_row + slot), k + 16, p.k, p.x_blocks).sum;
#endif
#endif
}

#define LOAD_WEIGHTS(packed, w_at, words, scales, lows)                \
  {                                                                    \
    Weights w;                                                         \
    WEIGHTS_OF (packed, w, w_at, k + 16 * half_number)                 \
    for (uint i = 0; i < 4; i++)                                       \
      words[slot][4 * half_number + i] = w.q[i];                       \
    if (half_number < RUNS) {                                          \
      scales[slot][half_number] = w.scale;                             \
      KEEP_LOW (lows[slot][half_number] = w.low)                       \
    }                                                                  \
  }
#ifdef WEIGHT_LOW
#define KEEP_LOW(statement) statement;
#else
#define KEEP_LOW(statement)
#endif

void load_tiles (uint k)
{
  for (uint item = thread; item < 2 * (TILE_ROWS + TILE_COLS); item += FACET_MATMUL_THREADS) {
    bool of_x = item < 2 * TILE_ROWS;
    uint place = of_x ? item : item - 2 * TILE_ROWS, slot = place / 2, half_number = place % 2;

    if (of_x) {
      load_x (slot, half_number, k);
    } else {
      LOAD_WEIGHTS (w_packed, w_row (slot), tile_w, tile_scale, tile_low)
#ifdef GATED
      LOAD_WEIGHTS (up_packed, w_row (slot) + p.sorted.up_at, tile_up, tile_up_scale, tile_up_low)
#endif
    }
  }
}

uvec4 x_words (uint slot, uint at)
{
  return uvec4 (tile_x[slot][at], tile_x[slot][at + 1], tile_x[slot][at + 2], tile_x[slot][at + 3]);
}

void add_products ()
{
  [[unroll]] for (uint run = 0; run < RUNS; run++) {
    uint at = run * WEIGHT_RUN / 4;
    uvec4 x[HIGH], x_more[HIGH];
    float d[HIGH];

    [[unroll]] for (uint i = 0; i < HIGH; i++) {
      x[i] = x_words (r + i * DOWN, at);
#if WEIGHT_RUN == 32
      x_more[i] = x_words (r + i * DOWN, 4);
#endif
      d[i] = tile_d[r + i * DOWN];
    }
#define ADD(sums, words, scales, lows)                                                     \
    [[unroll]] for (uint j = 0; j < WIDE; j++) {                                           \
      uint slot = c + j * ACROSS;                                                            \
      float scale = scales[slot][run];                                                     \
      uvec4 w = uvec4 (words[slot][at], words[slot][at + 1], words[slot][at + 2], words[slot][at + 3]); \
      W_MORE (words)                                                                       \
      [[unroll]] for (uint i = 0; i < HIGH; i++)                                           \
        sums[i][j] += d[i] * (scale * float (dot_bytes (w, x[i]) DOT_MORE) LESS_LOW (lows)); \
    }
#if WEIGHT_RUN == 32
#define W_MORE(words) uvec4 w_more = uvec4 (words[slot][4], words[slot][5], words[slot][6], words[slot][7]);
#define DOT_MORE + dot_bytes (w_more, x_more[i])
#else
#define W_MORE(words)
#define DOT_MORE
#endif
#ifdef WEIGHT_LOW
#define LESS_LOW(lows) - lows[slot][run] * tile_sum[r + i * DOWN][run]
#else
#define LESS_LOW(lows)
#endif
    ADD (sum, tile_w, tile_scale, tile_low)
#ifdef GATED
    ADD (up_sum, tile_up, tile_up_scale, tile_up_low)
#endif
  }
}
