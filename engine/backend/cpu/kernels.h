/* kernels.h - the CPU's inner loops, one table per instruction set
 *
 * kernels-c.c is the reference: it fills every entry. Each further file
 * (-avx2, -avxvnni, -avx512, -vnni; -neon, -dotprod) is compiled alone with its own flags and replaces
 * the entries that it does better; facet_kernels_get() applies them in order
 * of what the processor has. FACET_CPU_MASK (hexadecimal, see cpu-flags.h)
 * hides instruction sets for tests.
 *
 * Kernels allocate nothing, return nothing and never fail. Pointers to
 * activations are 64-byte aligned; weights may have any alignment.
 */
#pragma once

#include <stdint.h>
#include <stddef.h>
#include "gguf/dtype.h"

#define FACET_Q8_BLOCK 32
/* A block whose largest magnitude is below this is kept as zeros. */
#define FACET_Q8_TINY 1e-30f

/* Activations rounded to 8 bits in blocks of 32 along a row: x ~ d * q.
 * q is in -127..127, d = max|x| / 127. One row of k elements (a multiple of 32)
 * needs k/32 blocks. Kernels that need unsigned weights add 128 to them and
 * start their sums from -128 * sum(q): these are kept for blocks and halves of
 * blocks. Other offsets and plain sums follow from them by exact shifts. */
typedef struct {
  int8_t  *q;      /* [rows, k] */
  float   *d;      /* [rows, k/32] */
  int32_t *off;    /* [rows, k/32] -128 * sum of q over 32 */
  int32_t *off16;  /* [rows, k/16] -128 * sum of q over 16 */
} FacetQ8;

/* Bytes that @rows rows need, and their places in @buffer (64-byte aligned). */
size_t  facet_q8_bytes (int rows, int k);
FacetQ8 facet_q8_at    (void *buffer, int rows, int k);

/* A product y[r][m] = sum_k x[r][k] * w[m][k] (+ bias[m]). */
typedef struct {
  const void *w;         /* rows as they lie in the file */
  size_t      w_stride;  /* bytes from row to row */
  int         k;
  const float *x;        /* [rows, k]; used by float kernels */
  FacetQ8     xq;        /* used by integer kernels */
  int         rows;
  const float *bias;     /* [m] or NULL */
  float      *y;         /* [rows, y_stride] */
  size_t      y_stride;
} FacetMatmul;

/* Computes columns m0..m1-1 of y for every row. @scratch: facet_matmul_scratch
 * bytes, 64-byte aligned, of this thread. */
typedef void (*FacetMatmulFunc) (const FacetMatmul *a, int m0, int m1, void *scratch);

#define FACET_MATMUL_SCRATCH(k) ((size_t) 64 * (k) + 278528)


/* One tile of attention with a running softmax (FlashAttention, arXiv
 * 2205.14135): `rows` queries against `keys` consecutive keys of one KV head.
 * Query rows may be different heads that share the KV head. There are two
 * kernels. attend() takes 1 .. FACET_ATTEND_FEW rows. attend_many() takes
 * 1 .. FACET_ATTEND_ROWS; element i of row r lies at [i * stride + r] in its q
 * and acc, and it reads and writes rows (also of max and sum) up to a multiple
 * of FACET_ATTEND_ALIGN: those past the last are zeros in q and mean nothing. */
#define FACET_ATTEND_FEW 8
#define FACET_ATTEND_ROWS 64
#define FACET_ATTEND_KEYS 64
#define FACET_ATTEND_ALIGN 16

typedef struct {
  const float *q;         /* [rows, head_k], already scaled */
  size_t       q_stride;  /* in floats, here and below for acc */
  int          rows;
  FacetDtype   kv_type;   /* F16, F32 or Q8_0 */
  const void  *k, *v;     /* key j at k + j * k_stride bytes */
  size_t       k_stride, v_stride;
  int          keys;      /* 1 .. FACET_ATTEND_KEYS */
  int          head_k, head_v;
  const int   *lo, *hi;   /* [rows]: row r sees keys lo[r] <= j < hi[r] of this tile */
  float        softcap;   /* 0: none */
  float       *max;       /* [rows] running maximum, -INFINITY at first */
  float       *sum;       /* [rows] running sum of exp, 0 at first */
  float       *acc;       /* [rows, head_v] running weighted sum, 0 at first */
  size_t       acc_stride;
  void        *scratch;   /* FACET_ATTEND_SCRATCH bytes, 64-byte aligned */
} FacetAttend;

#define FACET_ATTEND_SCRATCH(head_k, head_v) \
  ((size_t) 4 * (FACET_ATTEND_ROWS * FACET_ATTEND_KEYS + FACET_ATTEND_KEYS * ((head_k) + (head_v))) + 4096)

/* One query of one head over the few keys before it and its own, with a term
 * for each distance: softmax over j of cap tanh (q.(k_j + pos_(keys - 1 - j)) /
 * cap), times v_j. */
#define FACET_LOCAL_KEYS 64

typedef struct {
  const float *q;          /* [head] */
  const float *k, *v;      /* [keys], oldest first */
  const float *pos;        /* [keys] by distance, the query's own first */
  size_t       stride;     /* floats from row to row of k, v and pos */
  int          keys;       /* 1 .. FACET_LOCAL_KEYS */
  size_t       head;
  float        cap;
  float       *y;          /* [head] */
} FacetLocalAttend;

typedef struct {
  const char *name;       /* e.g. "avx512-vnni" */

  /* By dtype of w: integer activations (NULL where the type has no integer
   * kernel: F32, F16, BF16) and float activations (never NULL). */
  FacetMatmulFunc matmul_q8[FACET_DTYPE_COUNT];
  FacetMatmulFunc matmul_f32[FACET_DTYPE_COUNT];

  /* A row of n elements of any dtype to float. */
  void (*dequantize[FACET_DTYPE_COUNT]) (const void *src, float *dst, size_t n);
  /* A row of k floats into row @row of @xq. */
  void (*quantize_q8) (const float *x, const FacetQ8 *xq, int row, int k);

  void (*f32_to_f16) (const float *x, uint16_t *y, size_t n);
  void (*f16_to_f32) (const uint16_t *x, float *y, size_t n);

  /* y = x / sqrt(mean(x^2) + eps) * gain; gain NULL: 1. x may be y. */
  void (*rms_norm)   (const float *x, const float *gain, float eps, float *y, size_t n);
  /* y = (x - mean) / sqrt(var + eps) * gain + bias; gain, bias may be NULL. */
  void (*layer_norm) (const float *x, const float *gain, const float *bias, float eps, float *y, size_t n);
  void (*add)        (const float *a, const float *b, float *y, size_t n);
  void (*mul)        (const float *a, const float *b, float *y, size_t n);
  /* y += a * b */
  void (*mul_add)    (const float *a, const float *b, float *y, size_t n);
  void (*scale)      (const float *x, float s, float *y, size_t n);
  void (*gelu)       (const float *x, float *y, size_t n);
  void (*geglu)      (const float *gate, const float *up, float *y, size_t n);
  void (*softcap)    (const float *x, float cap, float *y, size_t n);
  /* x / (1 + exp (-x)) */
  void (*silu)       (const float *x, float *y, size_t n);
  /* x / (1 + exp (-gate)) */
  void (*glu)        (const float *x, const float *gate, float *y, size_t n);
  /* min (max (x, low), high); a NaN stays one. */
  void (*clamp)      (const float *x, float low, float high, float *y, size_t n);
  /* Rotates pairs (i, i + n/2) of one head by the angles with cosines c and
   * sines s, [n/2] each. */
  void (*rope)       (const float *x, const float *c, const float *s, float *y, size_t n);

  void (*attend)       (const FacetAttend *a);
  void (*attend_many)  (const FacetAttend *a);
  void (*attend_local) (const FacetLocalAttend *a);
  /* y[c][r] = x[r][c]; y is written up to a multiple of FACET_ATTEND_ALIGN in
   * r, with zeros. */
  void (*transpose)    (const float *x, size_t x_stride, int rows, int cols, float *y, size_t y_stride);

  /* Multiplies and adds within registers, the most that is possible: @rounds
   * of spin_operations each. For measuring; what it returns means nothing. */
  float (*spin)      (size_t rounds);
  int    spin_operations;
} FacetKernels;

/* The best table for this processor; the same pointer for the whole run. */
const FacetKernels *facet_kernels_get (void);
/* The reference table. */
const FacetKernels *facet_kernels_c (void);
/* Fills in the table for a processor that has just @flags (cpu-flags.h); they
 * must be among those of this processor. */
void facet_kernels_init (FacetKernels *k, unsigned flags);

/* What each instruction set adds. Defined only on their architecture. */
void facet_kernels_init_c       (FacetKernels *k);
void facet_kernels_init_avx2    (FacetKernels *k);
void facet_kernels_init_avx2_int (FacetKernels *k); /* called by the former */
void facet_kernels_init_avxvnni (FacetKernels *k);
void facet_kernels_init_avx512  (FacetKernels *k);
void facet_kernels_init_vnni    (FacetKernels *k);
void facet_kernels_init_neon    (FacetKernels *k);
void facet_kernels_init_dotprod (FacetKernels *k);
