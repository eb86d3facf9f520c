#include "backend/cpu/kernels-c.h"

#include <math.h>

static size_t
first_visible (int lo)
{
  return (size_t) (lo > 0 ? lo : 0);
}

static size_t
last_visible (const FacetAttend *a, int r)
{
  return (size_t) (a->hi[r] < a->keys ? (a->hi[r] > 0 ? a->hi[r] : 0) : a->keys);
}

/* Steps between the elements of a row and between rows of q or acc. */
typedef struct {
  size_t element, row;
} Steps;

static float
score (const FacetAttend *a, const float *q, size_t step, const float *k)
{
  double sum = 0;
  float s;

  for (size_t i = 0; i < (size_t) a->head_k; i++)
    sum += (double) q[i * step] * (double) k[i];
  s = (float) sum;
  return a->softcap > 0 ? a->softcap * tanhf (s / a->softcap) : s;
}

static void
add_values (const FacetAttend *a, float *acc, size_t step, const float *weights, size_t lo, size_t hi, const float *v, float keep)
{
  size_t head = (size_t) a->head_v;

  for (size_t i = 0; i < head; i++)
    acc[i * step] *= keep;
  for (size_t j = lo; j < hi; j++)
    for (size_t i = 0; i < head; i++)
      acc[i * step] += weights[j] * v[j * head + i];
}

static void
attend_steps (const FacetAttend *a, Steps q, Steps acc)
{
  float *weights = a->scratch;
  float *k = weights + FACET_ATTEND_ROWS * FACET_ATTEND_KEYS;
  float *v = k + FACET_ATTEND_KEYS * a->head_k;

  for (size_t j = 0; j < (size_t) a->keys; j++) {
    facet_c_dequantize (a->kv_type, (const uint8_t *) a->k + j * a->k_stride, 0, (size_t) a->head_k,
                        k + j * (size_t) a->head_k);
    facet_c_dequantize (a->kv_type, (const uint8_t *) a->v + j * a->v_stride, 0, (size_t) a->head_v,
                        v + j * (size_t) a->head_v);
  }
  for (int r = 0; r < a->rows; r++) {
    size_t lo = first_visible (a->lo[r]), hi = last_visible (a, r);
    float max = a->max[r];
    float keep;

    if (lo >= hi)
      continue;
    for (size_t j = lo; j < hi; j++) {
      weights[j] = score (a, a->q + (size_t) r * q.row, q.element, k + j * (size_t) a->head_k);
      max = fmaxf (max, weights[j]);
    }
    keep = expf (a->max[r] - max);
    a->sum[r] *= keep;
    for (size_t j = lo; j < hi; j++) {
      weights[j] = expf (weights[j] - max);
      a->sum[r] += weights[j];
    }
    add_values (a, a->acc + (size_t) r * acc.row, acc.element, weights, lo, hi, v, keep);
    a->max[r] = max;
  }
}

static void
attend_local (const FacetLocalAttend *a)
{
  double weights[FACET_LOCAL_KEYS], max = -INFINITY, sum = 0;

  for (int j = 0; j < a->keys; j++) {
    const float *k = a->k + (size_t) j * a->stride, *pos = a->pos + (size_t) (a->keys - 1 - j) * a->stride;
    double dot = 0;

    for (size_t i = 0; i < a->head; i++)
      dot += (double) a->q[i] * ((double) k[i] + (double) pos[i]);
    weights[j] = (double) a->cap * tanh (dot / (double) a->cap);
    max = fmax (max, weights[j]);
  }
  for (int j = 0; j < a->keys; j++)
    sum += weights[j] = exp (weights[j] - max);
  for (size_t i = 0; i < a->head; i++) {
    double y = 0;

    for (int j = 0; j < a->keys; j++)
      y += weights[j] * (double) a->v[(size_t) j * a->stride + i];
    a->y[i] = (float) (y / sum);
  }
}

static void
attend (const FacetAttend *a)
{
  attend_steps (a, (Steps) { 1, a->q_stride }, (Steps) { 1, a->acc_stride });
}

static void
attend_many (const FacetAttend *a)
{
  attend_steps (a, (Steps) { a->q_stride, 1 }, (Steps) { a->acc_stride, 1 });
}

static void
transpose (const float *x, size_t x_stride, int rows, int cols, float *y, size_t y_stride)
{
  int end = (rows + FACET_ATTEND_ALIGN - 1) / FACET_ATTEND_ALIGN * FACET_ATTEND_ALIGN;

  for (size_t c = 0; c < (size_t) cols; c++)
    for (int r = 0; r < end; r++)
      y[c * y_stride + (size_t) r] = r < rows ? x[(size_t) r * x_stride + c] : 0;
}

void
facet_kernels_init_c_attend (FacetKernels *k)
{
  k->attend = attend;
  k->attend_many = attend_many;
  k->attend_local = attend_local;
  k->transpose = transpose;
}
