#include "backend/cpu/kernels-vnni.h"
#include "backend/cpu/vec-avx512.h"

#define PANEL 32   /* rows of the matrix unpacked together: two vectors of lanes */
#define TOKENS 6   /* 6 x 2 integer and 6 x 2 float sums fill the registers */

/* Scratch: what 32 rows of the matrix become.
 *   q      [k/4][32] x 4 bytes, 128 above the value (types with minima: the
 *          value), so that one vector holds 4 elements of 16 rows
 *   scale  [k/per_scale][32]
 *   min    the same, 1/128 of it as FacetQ8 keeps -128 * sum */
typedef struct {
  uint8_t *q;
  float   *scale;
  float   *min;
} Panel;

static Panel
panel_at (void *scratch, int k)
{
  Panel p;

  p.q = scratch;
  p.scale = (float *) (p.q + PANEL * ((size_t) k + 32));
  p.min = p.scale + PANEL * ((size_t) k / 16);
  return p;
}

typedef __m512i (*ReadFunc) (const void *row, int j);
typedef __m512 (*ScalesFunc) (const void *block);

FACET_INLINE void
store_columns (uint8_t *to, __m512i v[16])
{
  vec_transpose_i32 (v);
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++)
    _mm512_store_si512 (to + i * PANEL * 4, v[i]);
}

FACET_INLINE void
unpack_blocks (const Panel *p, const uint8_t *const row[16], int k, int part, size_t size, int offset, int minima,
               ReadFunc read)
{
  __m512i raise = _mm512_set1_epi8 (minima ? 0 : (char) (128 - offset));
  __m512i v[16];

  for (int j = 0; j < (k + 63) / 64; j++) {
    for (int r = 0; r < 16; r++) {
      uint8_t last[2 * sizeof (FacetBlockQ8_0)] = { 0 };

      if (64 * j + 64 <= k) {
        v[r] = read (row[r], j);
      } else {
        memcpy (last, row[r] + 2 * (size_t) j * size, size);
        v[r] = read (last, 0);
      }
      v[r] = _mm512_add_epi8 (v[r], raise);
    }
    store_columns (p->q + (size_t) j * 64 * PANEL + 64 * part, v);
  }
  for (int b = 0; b < k / 32; b++)
    for (int r = 0; r < 16; r++) {
      const uint8_t *block = row[r] + (size_t) b * size;

      p->scale[b * PANEL + 16 * part + r] = half_at (block);
      if (minima)
        p->min[b * PANEL + 16 * part + r] = half_at (block + 2) * (-1.0f / 128);
    }
}

FACET_INLINE void
unpack_scales (float *to, int n, float factor, const uint8_t *const row[16], size_t at, ScalesFunc scales_of, int first)
{
  __m512i v[16];

  for (int r = 0; r < 16; r++)
    v[r] = _mm512_castps_si512 (_mm512_mul_ps (scales_of (row[r] + at), _mm512_set1_ps (factor)));
  vec_transpose_i32 (v);
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++)
    if (i < n)
      _mm512_store_si512 (to + i * PANEL, v[first + i]);
}

FACET_INLINE void
unpack_k (const Panel *p, const uint8_t *const row[16], int k, int part, size_t size, int offset, int minima,
          int per_scale, ReadFunc read, ScalesFunc scales_of)
{
  __m512i raise = _mm512_set1_epi8 (minima ? 0 : (char) (128 - offset));
  __m512i v[16];
  int n = FACET_QK / per_scale;

  for (int j = 0; j < k / 64; j++) {
    for (int r = 0; r < 16; r++)
      v[r] = _mm512_add_epi8 (read (row[r], j), raise);
    store_columns (p->q + (size_t) j * 64 * PANEL + 64 * part, v);
  }
  for (int b = 0; b < k / FACET_QK; b++) {
    size_t to = (size_t) (b * n * PANEL + 16 * part), at = (size_t) b * size;

    unpack_scales (p->scale + to, n, 1, row, at, scales_of, 0);
    if (minima && per_scale == 16)
      unpack_scales (p->min + to, 16, 1.0f / 128, row, at, k_q2_k_min, 0);
    else if (minima)
      unpack_scales (p->min + to, 8, 1.0f / 128, row, at, scales_of, 8);
  }
}

/* Adds one group of per_scale elements to the sums of all tokens. */
FACET_INLINE void
group_sums (const Panel *p, int g, const int8_t *q, const float *d, const int32_t *off, size_t k, int per_scale,
            int minima, int tokens, __m512 sums[TOKENS][2])
{
  const uint8_t *w = p->q + (size_t) g * (size_t) (PANEL * per_scale);
  __m512i dot[TOKENS][2];

  for (int t = 0; t < tokens; t++)
    dot[t][0] = dot[t][1] =
      minima ? _mm512_setzero_si512 () : _mm512_set1_epi32 (off[(size_t) t * (k / (size_t) per_scale) + (size_t) g]);
#pragma GCC unroll 8
  for (int i = 0; i < per_scale / 4; i++) {
    __m512i w0 = _mm512_load_si512 (w + i * 128), w1 = _mm512_load_si512 (w + i * 128 + 64);

#pragma GCC unroll 6
    for (int t = 0; t < tokens; t++) {
      int32_t four;
      __m512i x;

      memcpy (&four, q + (size_t) t * k + (size_t) (g * per_scale + 4 * i), 4);
      x = _mm512_set1_epi32 (four);
      dot[t][0] = _mm512_dpbusd_epi32 (dot[t][0], w0, x);
      dot[t][1] = _mm512_dpbusd_epi32 (dot[t][1], w1, x);
    }
  }
#pragma GCC unroll 6
  for (int t = 0; t < tokens; t++) {
    __m512 dx = _mm512_set1_ps (d[(size_t) t * (k / 32) + (size_t) (g * per_scale / 32)]);

#pragma GCC unroll 2
    for (int h = 0; h < 2; h++) {
      size_t at = (size_t) (g * PANEL + 16 * h);
      __m512 part = _mm512_mul_ps (_mm512_cvtepi32_ps (dot[t][h]), _mm512_load_ps (p->scale + at));

      if (minima)
        part = _mm512_fmadd_ps (_mm512_cvtepi32_ps (_mm512_set1_epi32 (off[(size_t) t * (k / (size_t) per_scale) + (size_t) g])),
                                _mm512_load_ps (p->min + at), part);
      sums[t][h] = _mm512_fmadd_ps (part, dx, sums[t][h]);
    }
  }
}

FACET_INLINE void
tile (const FacetMatmul *a, const Panel *p, int r, int m, int n, int per_scale, int minima, int tokens)
{
  size_t k = (size_t) a->k;
  const int8_t *q = a->xq.q + (size_t) r * k;
  const float *d = a->xq.d + (size_t) r * (k / 32);
  const int32_t *off = (per_scale == 16 ? a->xq.off16 : a->xq.off) + (size_t) r * (k / (size_t) per_scale);
  __mmask16 mask[2] = { (__mmask16) (n >= 16 ? 0xffff : (1 << n) - 1),
                        (__mmask16) (n >= 32 ? 0xffff : n > 16 ? (1 << (n - 16)) - 1 : 0) };
  __m512 sums[TOKENS][2];

  for (int h = 0; h < 2; h++)
    for (int t = 0; t < tokens; t++)
      sums[t][h] = a->bias != NULL ? _mm512_maskz_loadu_ps (mask[h], a->bias + m + 16 * h) : _mm512_setzero_ps ();
  for (int g = 0; g < a->k / per_scale; g++)
    group_sums (p, g, q, d, off, k, per_scale, minima, tokens, sums);
#pragma GCC unroll 6
  for (int t = 0; t < tokens; t++)
#pragma GCC unroll 2
    for (int h = 0; h < 2; h++)
      _mm512_mask_storeu_ps (a->y + (size_t) (r + t) * a->y_stride + m + 16 * h, mask[h], sums[t][h]);
}

FACET_INLINE void
panel_rows (const FacetMatmul *a, const Panel *p, int m, int n, int per_scale, int minima)
{
  int r = 0;

  for (; r + TOKENS <= a->rows; r += TOKENS)
    tile (a, p, r, m, n, per_scale, minima, TOKENS);
  switch (a->rows - r) {
  case 5: tile (a, p, r, m, n, per_scale, minima, 5); break;
  case 4: tile (a, p, r, m, n, per_scale, minima, 4); break;
  case 3: tile (a, p, r, m, n, per_scale, minima, 3); break;
  case 2: tile (a, p, r, m, n, per_scale, minima, 2); break;
  case 1: tile (a, p, r, m, n, per_scale, minima, 1); break;
  default: break;
  }
}

static __attribute__ ((noinline)) void
rows_32 (const FacetMatmul *a, const Panel *p, int m, int n)
{
  panel_rows (a, p, m, n, 32, 0);
}

static __attribute__ ((noinline)) void
rows_32_minima (const FacetMatmul *a, const Panel *p, int m, int n)
{
  panel_rows (a, p, m, n, 32, 1);
}

static __attribute__ ((noinline)) void
rows_16 (const FacetMatmul *a, const Panel *p, int m, int n)
{
  panel_rows (a, p, m, n, 16, 0);
}

static __attribute__ ((noinline)) void
rows_16_minima (const FacetMatmul *a, const Panel *p, int m, int n)
{
  panel_rows (a, p, m, n, 16, 1);
}

/* Rows past the end repeat the last one; their sums are not stored. */
FACET_INLINE void
panel_sources (const FacetMatmul *a, int m, int n, int part, const uint8_t *row[16])
{
  for (int r = 0; r < 16; r++) {
    int i = 16 * part + r;

    row[r] = (const uint8_t *) a->w + (size_t) (m + (i < n ? i : n - 1)) * a->w_stride;
  }
}

#define DEFINE_GEMM(TYPE, unpack, rows_func)                                                     \
  void facet_vnni_gemm_##TYPE (const FacetMatmul *a, int m0, int m1, void *scratch)              \
  {                                                                                              \
    Panel p = panel_at (scratch, a->k);                                                          \
                                                                                                 \
    for (int m = m0; m < m1; m += PANEL) {                                                       \
      int n = m1 - m < PANEL ? m1 - m : PANEL;                                                   \
                                                                                                 \
      for (int part = 0; part < 2; part++) {                                                     \
        const uint8_t *row[16];                                                                  \
                                                                                                 \
        panel_sources (a, m, n, part, row);                                                      \
        unpack;                                                                                  \
      }                                                                                          \
      rows_func (a, &p, m, n);                                                                   \
    }                                                                                            \
  }

#define ROWS_FUNC_0(per_scale) rows_##per_scale
#define ROWS_FUNC_1(per_scale) rows_##per_scale##_minima

#define DEFINE_BLOCK_TYPE(TYPE, type, offset, minima)                                            \
  DEFINE_GEMM (TYPE, unpack_blocks (&p, row, a->k, part, sizeof (FacetBlock##TYPE), offset,      \
                                    minima, type##_64), ROWS_FUNC_##minima (32))
#define DEFINE_K_TYPE(TYPE, type, offset, minima, per_scale)                                     \
  DEFINE_GEMM (TYPE, unpack_k (&p, row, a->k, part, sizeof (FacetBlock##TYPE), offset, minima,   \
                               per_scale, type##_64, k_##type), ROWS_FUNC_##minima (per_scale))

FACET_AVX512_BLOCK_TYPES (DEFINE_BLOCK_TYPE)
FACET_AVX512_K_TYPES (DEFINE_K_TYPE)
