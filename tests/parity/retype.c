#include "retype.h"

#include <math.h>
#include <string.h>
#include "backend/cpu/kernels.h"

static guint16
half_of (float x)
{
  guint16 half;

  facet_kernels_c ()->f32_to_f16 (&x, &half, 1);
  return half;
}

static float
of_half (guint16 half)
{
  float x;

  facet_kernels_c ()->f16_to_f32 (&half, &x, 1);
  return x;
}

static void
to_f16 (const float *x, guint8 *out)
{
  guint16 half = half_of (*x);

  memcpy (out, &half, 2);
}

static void
to_bf16 (const float *x, guint8 *out)
{
  guint32 bits;
  guint16 top;

  memcpy (&bits, x, 4);
  top = (guint16) ((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  memcpy (out, &top, 2);
}

static void
to_q8_0 (const float *x, guint8 *out)
{
  float most = 0, d;
  guint16 half;

  for (int i = 0; i < 32; i++)
    most = fmaxf (most, fabsf (x[i]));
  half = half_of (most / 127);
  d = of_half (half);
  memcpy (out, &half, 2);
  for (int i = 0; i < 32; i++)
    out[2 + i] = (guint8) (gint8) (d > 0 ? CLAMP (rintf (x[i] / d), -127, 127) : 0);
}

static void
to_q4_0 (const float *x, guint8 *out)
{
  float most = 0, d;
  guint16 half;

  for (int i = 0; i < 32; i++)
    if (fabsf (x[i]) > fabsf (most))
      most = x[i];
  half = half_of (most / -8);
  d = of_half (half);
  memcpy (out, &half, 2);
  for (int i = 0; i < 16; i++) {
    int low = d != 0 ? (int) CLAMP (rintf (x[i] / d) + 8, 0, 15) : 8, high = d != 0 ? (int) CLAMP (rintf (x[i + 16] / d) + 8, 0, 15) : 8;

    out[2 + i] = (guint8) (low | high << 4);
  }
}

/* 8 blocks of 32 with 6-bit scales and minima: d * scale * q - dmin * m. */
static void
to_q4_k (const float *x, guint8 *out)
{
  float scale[8], low[8], d = 0, dmin = 0;
  int s[8], m[8];
  guint16 halves[2];

  for (int b = 0; b < 8; b++) {
    float least = 0, most = 0;

    for (int i = 0; i < 32; i++) {
      least = fminf (least, x[32 * b + i]);
      most = fmaxf (most, x[32 * b + i]);
    }
    scale[b] = (most - least) / 15;
    low[b] = -least;
    d = fmaxf (d, scale[b] / 63);
    dmin = fmaxf (dmin, low[b] / 63);
  }
  halves[0] = half_of (d);
  halves[1] = half_of (dmin);
  d = of_half (halves[0]);
  dmin = of_half (halves[1]);
  memset (out, 0, 144);
  memcpy (out, halves, 4);
  for (int b = 0; b < 8; b++) {
    s[b] = (int) CLAMP (rintf (scale[b] / d), 0, 63);
    m[b] = (int) CLAMP (rintf (low[b] / dmin), 0, 63);
    for (int i = 0; i < 32; i++) {
      float step = d * (float) s[b];
      int q = step > 0 ? (int) CLAMP (rintf ((x[32 * b + i] + dmin * (float) m[b]) / step), 0, 15) : 0;

      out[16 + b / 2 * 32 + i] |= (guint8) (b % 2 ? q << 4 : q);
    }
  }
  for (int b = 0; b < 4; b++) {
    out[4 + b] = (guint8) (s[b] | s[b + 4] >> 4 << 6);
    out[8 + b] = (guint8) (m[b] | m[b + 4] >> 4 << 6);
    out[12 + b] = (guint8) ((s[b + 4] & 15) | (m[b + 4] & 15) << 4);
  }
}

static const struct {
  FacetDtype  dtype;
  void      (*pack) (const float *x, guint8 *out); /* one block */
} packers[] = {
  { FACET_F16, to_f16 }, { FACET_BF16, to_bf16 }, { FACET_Q8_0, to_q8_0 }, { FACET_Q4_0, to_q4_0 }, { FACET_Q4_K, to_q4_k },
};

static gsize
count (const FacetTensor *t)
{
  return (gsize) (t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3]);
}

/* Returns: (transfer full): the numbers of @t, quantised. */
static guint8 *
pack (const FacetTensor *t, FacetDtype dtype)
{
  const FacetDtypeInfo *info = facet_dtype_info (dtype);
  gsize n_blocks = count (t) / info->block;
  guint8 *packed = g_malloc (n_blocks * info->bytes);

  for (gsize i = 0; i < G_N_ELEMENTS (packers); i++)
    if (packers[i].dtype == dtype)
      for (gsize b = 0; b < n_blocks; b++)
        packers[i].pack ((const float *) t->data + b * info->block, packed + b * info->bytes);
  return packed;
}

/* @as_floats: what the numbers are in that type, as floats. */
static void
change (FacetTensor *t, FacetDtype dtype, gboolean as_floats, GPtrArray *owned)
{
  const FacetDtypeInfo *info = facet_dtype_info (dtype);
  gsize n = count (t);
  guint8 *packed = pack (t, dtype);
  float *plain;

  g_ptr_array_add (owned, packed);
  t->data = packed;
  t->dtype = dtype;
  t->bytes = n / info->block * info->bytes;
  if (!as_floats)
    return;
  plain = g_new (float, n);
  g_ptr_array_add (owned, plain);
  /* Rows are whole blocks, so that they are one after the other. */
  facet_kernels_c ()->dequantize[dtype] (packed, plain, n);
  t->data = plain;
  t->dtype = FACET_F32;
  t->bytes = n * sizeof (float);
}

static gboolean
is_kernel (const FacetTensor *t)
{
  return t->ne[3] > 1;
}

static gboolean
is_matrix (const FacetTensor *t)
{
  return t->ne[1] > 1 && t->ne[2] * t->ne[3] == 1;
}

static int
change_all (FacetGguf *gguf, const char *prefix, gboolean (*which) (const FacetTensor *), FacetDtype dtype, gboolean as_floats, GPtrArray *owned)
{
  int changed = 0;

  for (gsize i = 0; i < facet_gguf_n_tensors (gguf); i++) {
    FacetTensor *t = (FacetTensor *) facet_gguf_tensor_at (gguf, i);

    if (!g_str_has_prefix (t->name, prefix) || t->dtype != FACET_F32 || !which (t) || t->ne[0] % facet_dtype_info (dtype)->block != 0)
      continue;
    change (t, dtype, as_floats, owned);
    changed++;
  }
  return changed;
}

int
retype (FacetGguf *gguf, const char *prefix, FacetDtype dtype, gboolean as_floats, GPtrArray *owned)
{
  return change_all (gguf, prefix, is_matrix, dtype, as_floats, owned);
}

int
retype_kernels (FacetGguf *gguf, const char *prefix, FacetDtype dtype, gboolean as_floats, GPtrArray *owned)
{
  return change_all (gguf, prefix, is_kernel, dtype, as_floats, owned);
}
