#include "backend/cpu/kernels-c.h"
#include "backend/cpu/quant-blocks.h"

static const int8_t iq4_values[16] = FACET_IQ4_VALUES;

static void
set_scales (FacetGroup *out, float scale, float min)
{
  out->scale[0] = out->scale[1] = scale;
  out->min[0] = out->min[1] = min;
}

static void
nibbles (const uint8_t *qs, int offset, int8_t *q)
{
  for (int i = 0; i < 16; i++) {
    q[i] = (int8_t) ((qs[i] & 15) - offset);
    q[i + 16] = (int8_t) ((qs[i] >> 4) - offset);
  }
}

static void
add_fifth_bits (const uint8_t qh[4], int8_t *q)
{
  for (int i = 0; i < 32; i++)
    q[i] = (int8_t) (q[i] + ((qh[i / 8] >> i % 8 & 1) << 4));
}

static void
group_q4_0 (const void *row, size_t group, FacetGroup *out)
{
  const FacetBlockQ4_0 *b = (const FacetBlockQ4_0 *) row + group;

  nibbles (b->qs, 8, out->q);
  set_scales (out, facet_f16_to_f32 (b->d), 0);
}

static void
group_q4_1 (const void *row, size_t group, FacetGroup *out)
{
  const FacetBlockQ4_1 *b = (const FacetBlockQ4_1 *) row + group;

  nibbles (b->qs, 0, out->q);
  set_scales (out, facet_f16_to_f32 (b->d), -facet_f16_to_f32 (b->m));
}

static void
group_q5_0 (const void *row, size_t group, FacetGroup *out)
{
  const FacetBlockQ5_0 *b = (const FacetBlockQ5_0 *) row + group;

  nibbles (b->qs, 16, out->q);
  add_fifth_bits (b->qh, out->q);
  set_scales (out, facet_f16_to_f32 (b->d), 0);
}

static void
group_q5_1 (const void *row, size_t group, FacetGroup *out)
{
  const FacetBlockQ5_1 *b = (const FacetBlockQ5_1 *) row + group;

  nibbles (b->qs, 0, out->q);
  add_fifth_bits (b->qh, out->q);
  set_scales (out, facet_f16_to_f32 (b->d), -facet_f16_to_f32 (b->m));
}

static void
group_q8_0 (const void *row, size_t group, FacetGroup *out)
{
  const FacetBlockQ8_0 *b = (const FacetBlockQ8_0 *) row + group;

  memcpy (out->q, b->qs, 32);
  set_scales (out, facet_f16_to_f32 (b->d), 0);
}

static void
group_q2_k (const void *row, size_t group, FacetGroup *out)
{
  const FacetBlockQ2_K *b = (const FacetBlockQ2_K *) row + group / 8;
  unsigned sub = group % 8;
  float d = facet_f16_to_f32 (b->d);
  float dmin = facet_f16_to_f32 (b->dmin);

  for (int i = 0; i < 32; i++)
    out->q[i] = (int8_t) (b->qs[sub / 4 * 32 + i] >> sub % 4 * 2 & 3);
  for (int h = 0; h < 2; h++) {
    out->scale[h] = d * (float) (b->scales[2 * sub + h] & 15);
    out->min[h] = dmin * (float) (b->scales[2 * sub + h] >> 4);
  }
}

static void
group_q3_k (const void *row, size_t group, FacetGroup *out)
{
  const FacetBlockQ3_K *b = (const FacetBlockQ3_K *) row + group / 8;
  unsigned sub = group % 8;
  float d = facet_f16_to_f32 (b->d);

  for (int i = 0; i < 32; i++)
    out->q[i] = (int8_t) ((b->qs[sub / 4 * 32 + i] >> sub % 4 * 2 & 3) - (b->hmask[i] >> sub & 1 ? 0 : 4));
  for (unsigned h = 0; h < 2; h++) {
    unsigned i = 2 * sub + h;
    int low = b->scales[i % 8] >> i / 8 * 4 & 15;
    int high = b->scales[8 + i % 4] >> i / 4 * 2 & 3;

    out->scale[h] = d * (float) ((low | high << 4) - 32);
    out->min[h] = 0;
  }
}

static void
group_q4_k (const void *row, size_t group, FacetGroup *out)
{
  const FacetBlockQ4_K *b = (const FacetBlockQ4_K *) row + group / 8;
  unsigned sub = group % 8;
  uint8_t scale, min;

  for (int i = 0; i < 32; i++)
    out->q[i] = (int8_t) (b->qs[sub / 2 * 32 + i] >> sub % 2 * 4 & 15);
  facet_k4_scale (b->scales, (int) sub, &scale, &min);
  set_scales (out, facet_f16_to_f32 (b->d) * (float) scale, facet_f16_to_f32 (b->dmin) * (float) min);
}

static void
group_q5_k (const void *row, size_t group, FacetGroup *out)
{
  const FacetBlockQ5_K *b = (const FacetBlockQ5_K *) row + group / 8;
  unsigned sub = group % 8;
  uint8_t scale, min;

  for (int i = 0; i < 32; i++)
    out->q[i] = (int8_t) ((b->qs[sub / 2 * 32 + i] >> sub % 2 * 4 & 15) | (b->qh[i] >> sub & 1) << 4);
  facet_k4_scale (b->scales, (int) sub, &scale, &min);
  set_scales (out, facet_f16_to_f32 (b->d) * (float) scale, facet_f16_to_f32 (b->dmin) * (float) min);
}

static void
group_q6_k (const void *row, size_t group, FacetGroup *out)
{
  const FacetBlockQ6_K *b = (const FacetBlockQ6_K *) row + group / 8;
  unsigned half = group % 8 / 4, sub = group % 4;
  const uint8_t *ql = b->ql + 64 * half + 32 * (sub % 2);
  const uint8_t *qh = b->qh + 32 * half;
  float d = facet_f16_to_f32 (b->d);

  for (int i = 0; i < 32; i++)
    out->q[i] = (int8_t) (((ql[i] >> sub / 2 * 4 & 15) | (qh[i] >> sub * 2 & 3) << 4) - 32);
  for (int h = 0; h < 2; h++) {
    out->scale[h] = d * (float) b->scales[8 * half + 2 * sub + h];
    out->min[h] = 0;
  }
}

static void
iq4 (const uint8_t *qs, int8_t *q)
{
  for (int i = 0; i < 16; i++) {
    q[i] = iq4_values[qs[i] & 15];
    q[i + 16] = iq4_values[qs[i] >> 4];
  }
}

static void
group_iq4_nl (const void *row, size_t group, FacetGroup *out)
{
  const FacetBlockIQ4_NL *b = (const FacetBlockIQ4_NL *) row + group;

  iq4 (b->qs, out->q);
  set_scales (out, facet_f16_to_f32 (b->d), 0);
}

static void
group_iq4_xs (const void *row, size_t group, FacetGroup *out)
{
  const FacetBlockIQ4_XS *b = (const FacetBlockIQ4_XS *) row + group / 8;
  unsigned sub = group % 8;
  int scale = (b->scales_l[sub / 2] >> sub % 2 * 4 & 15) | (b->scales_h >> 2 * sub & 3) << 4;

  iq4 (b->qs + 16 * sub, out->q);
  set_scales (out, facet_f16_to_f32 (b->d) * (float) (scale - 32), 0);
}

FacetGroupFunc
facet_c_group_func (FacetDtype dtype)
{
  switch (dtype) {
  case FACET_Q4_0: return group_q4_0;
  case FACET_Q4_1: return group_q4_1;
  case FACET_Q5_0: return group_q5_0;
  case FACET_Q5_1: return group_q5_1;
  case FACET_Q8_0: return group_q8_0;
  case FACET_Q2_K: return group_q2_k;
  case FACET_Q3_K: return group_q3_k;
  case FACET_Q4_K: return group_q4_k;
  case FACET_Q5_K: return group_q5_k;
  case FACET_Q6_K: return group_q6_k;
  case FACET_IQ4_NL: return group_iq4_nl;
  case FACET_IQ4_XS: return group_iq4_xs;
  default: return NULL;
  }
}

void
facet_c_dequantize (FacetDtype dtype, const void *row, size_t first, size_t n, float *dst)
{
  FacetGroupFunc read = facet_c_group_func (dtype);
  FacetGroup group;
  uint16_t h;

  if (dtype == FACET_F32) {
    memcpy (dst, (const uint8_t *) row + 4 * first, 4 * n);
  } else if (read == NULL) {
    for (size_t i = 0; i < n; i++) {
      memcpy (&h, (const uint8_t *) row + 2 * (first + i), 2);
      dst[i] = dtype == FACET_F16 ? facet_f16_to_f32 (h) : facet_bf16_to_f32 (h);
    }
  } else {
    for (size_t i = 0; i < n; i += 32) {
      read (row, (first + i) / 32, &group);
      for (int j = 0; j < 32; j++)
        dst[i + j] = group.scale[j / 16] * (float) group.q[j] - group.min[j / 16];
    }
  }
}
