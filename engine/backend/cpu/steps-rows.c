#include "backend/cpu/plan.h"
#include "backend/cpu/conv.h"
#include "backend/cpu/rows-altup.h"
#include "backend/cpu/rows-audio.h"
#include "backend/table-columns.h"

#include <string.h>

static const float *
weight (const FacetCpuRun *run, int node, int w)
{
  const FacetTensor *t = node_at (run, node)->w[w];

  return t != NULL ? t->data : NULL;
}

static void
row_embed (const FacetCpuRun *run, int node, int row)
{
  const FacetKernels *k = run->plan->cpu->kernels;
  const FacetNode *n = node_at (run, node);
  float *y = row_of (run, node, row);
  gint32 id = run->step->ids[row];

  if (id < 0) {
    memcpy (y, run->step->soft + (gsize) (-1 - id) * n->cols, sizeof (float) * n->cols);
  } else {
    gsize stride = facet_dtype_row_bytes (n->w[0]->dtype, n->cols);

    k->dequantize[n->w[0]->dtype] ((const guint8 *) n->w[0]->data + id * stride, y, n->cols);
    k->scale (y, n->f[0], y, n->cols);
  }
}

static void
row_lookup (const FacetCpuRun *run, int node, int row)
{
  const FacetKernels *k = run->plan->cpu->kernels;
  const FacetNode *n = node_at (run, node);
  const FacetTensor *table = n->w[0];
  gint32 id = run->step->ids[n->rows == FACET_ROWS_OUTPUTS ? run->step->outputs[row] : row];
  gsize stride = facet_dtype_row_bytes (table->dtype, (gsize) table->ne[0]);
  float *y = row_of (run, node, row);

  if (id < 0 || id >= table->ne[1])
    id = 0;
  facet_dequantize_columns (k, table->dtype, (const guint8 *) table->data + id * stride, n->i[0], n->cols, y);
  k->scale (y, n->f[0], y, n->cols);
}

static void
row_columns (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);

  memcpy (row_of (run, node, row), source (run, node, 0, row) + n->i[0], sizeof (float) * n->cols);
}

static void
row_input (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);

  memcpy (row_of (run, node, row), run->step->inputs[n->i[0]] + (gsize) row * n->cols, sizeof (float) * n->cols);
}

static void
row_table (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  gsize stride = facet_dtype_row_bytes (n->w[0]->dtype, n->cols);

  run->plan->cpu->kernels->dequantize[n->w[0]->dtype] ((const guint8 *) n->w[0]->data + row * stride,
                                                       row_of (run, node, row), n->cols);
}

/* A row of @table in pieces that the stack holds, added to @y. */
static void
add_table_row (const FacetKernels *k, const FacetTensor *table, int row, float *y)
{
  int cols = (int) table->ne[0];
  const guint8 *from = (const guint8 *) table->data + row * facet_dtype_row_bytes (table->dtype, cols);
  float piece[256];

  for (int c = 0, n; c < cols; c += n) {
    n = MIN (256, cols - c);
    k->dequantize[table->dtype] (from + facet_dtype_row_bytes (table->dtype, c), piece, n);
    k->add (y + c, piece, y + c, n);
  }
}

static void
row_table_2d (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  float *y = row_of (run, node, row);

  memset (y, 0, sizeof (float) * n->cols);
  add_table_row (run->plan->cpu->kernels, n->w[0], row % n->i[0], y);
  add_table_row (run->plan->cpu->kernels, n->w[1], row / n->i[0], y);
}

static void
row_outputs (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);

  memcpy (row_of (run, node, row), source (run, node, 0, run->step->outputs[row]), sizeof (float) * n->cols);
}

static void
row_rms_norm (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  const float *x = source (run, node, 0, row), *gain = weight (run, node, 0);
  float *y = row_of (run, node, row);

  for (int c = 0; c < n->cols; c += n->i[0])
    run->plan->cpu->kernels->rms_norm (x + c, gain, n->f[0], y + c, n->i[0]);
}

static void
row_layer_norm (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);

  run->plan->cpu->kernels->layer_norm (source (run, node, 0, row), weight (run, node, 0), weight (run, node, 1),
                                       n->f[0], row_of (run, node, row), n->cols);
}

static void
row_add (const FacetCpuRun *run, int node, int row)
{
  run->plan->cpu->kernels->add (source (run, node, 0, row), source (run, node, 1, row), row_of (run, node, row),
                                node_at (run, node)->cols);
}

static void
row_mul (const FacetCpuRun *run, int node, int row)
{
  run->plan->cpu->kernels->mul (source (run, node, 0, row), source (run, node, 1, row), row_of (run, node, row),
                                node_at (run, node)->cols);
}

static void
row_scale (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);

  run->plan->cpu->kernels->scale (source (run, node, 0, row), n->f[0], row_of (run, node, row), n->cols);
}

static void
row_gelu (const FacetCpuRun *run, int node, int row)
{
  run->plan->cpu->kernels->gelu (source (run, node, 0, row), row_of (run, node, row), node_at (run, node)->cols);
}

static void
row_geglu (const FacetCpuRun *run, int node, int row)
{
  run->plan->cpu->kernels->geglu (source (run, node, 0, row), source (run, node, 1, row),
                                  row_of (run, node, row), node_at (run, node)->cols);
}

static void
row_softcap (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);

  run->plan->cpu->kernels->softcap (source (run, node, 0, row), n->f[0], row_of (run, node, row), n->cols);
}

static void
row_rope (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  int head = n->u.rope.head;
  int token = n->rows == FACET_ROWS_OUTPUTS ? run->step->outputs[row] : row;
  const float *c = run->plan->rope_cs[run->plan->ropes.of_node[node]] + (gsize) token * head;
  const float *x = source (run, node, 0, row);
  float *y = row_of (run, node, row);

  for (int i = 0; i < n->cols; i += head)
    run->plan->cpu->kernels->rope (x + i, c, c + head / 2, y + i, head);
}

static void
row_rotate (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  int group = n->i[0], period = node_at (run, n->src[1])->cols;
  const float *x = source (run, node, 0, row), *angles = source (run, node, 1, row);
  float *y = row_of (run, node, row);

  for (int c = 0; c < n->cols; c += group) {
    const float *a = angles + c % period;

    run->plan->cpu->kernels->rope (x + c, a, a + group / 2, y + c, group);
  }
}

static void
store_row (const FacetKernels *k, FacetKvType type, const float *x, guint8 *dst, int n)
{
  if (type == FACET_KV_F16) {
    k->f32_to_f16 (x, (guint16 *) (gpointer) dst, n);
    return;
  }
  if (type == FACET_KV_F32) {
    memcpy (dst, x, sizeof (float) * n);
    return;
  }
  /* Blocks of a half-precision scale and 32 bytes, as in Q8_0. */
  for (int b = 0; b < n; b += FACET_Q8_BLOCK, dst += sizeof (guint16) + FACET_Q8_BLOCK) {
    float d;
    gint32 off, off16[2];
    guint16 half;
    FacetQ8 block = { (gint8 *) dst + sizeof half, &d, &off, off16 };

    k->quantize_q8 (x + b, &block, 0, FACET_Q8_BLOCK);
    k->f32_to_f16 (&d, &half, 1);
    memcpy (dst, &half, sizeof half);
  }
}

static void
row_kv_store (const FacetCpuRun *run, int node, int row)
{
  const FacetKernels *k = run->plan->cpu->kernels;
  const FacetNode *n = node_at (run, node);
  const FacetKv *kv = run->plan->kv;
  const FacetKvLayer *layer = &kv->layers[n->i[0]];
  int position = run->step->position + row;

  for (int h = 0; h < layer->n_kv; h++) {
    store_row (k, kv->type, source (run, node, 0, row) + h * layer->head_k,
               facet_cpu_kv_k (kv, n->i[0], h, position), layer->head_k);
    store_row (k, kv->type, source (run, node, 1, row) + h * layer->head_v,
               facet_cpu_kv_v (kv, n->i[0], h, position), layer->head_v);
  }
}

static void
row_pool (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = node_at (run, node);
  const FacetKernels *kernels = run->plan->cpu->kernels;
  int k = n->i[2], map_cols = n->i[1], out_cols = map_cols / k;
  int top = row / out_cols * k, left = row % out_cols * k;
  float *y = row_of (run, node, row);

  memset (y, 0, sizeof (float) * n->cols);
  for (int i = 0; i < k; i++)
    for (int j = 0; j < k; j++)
      kernels->add (y, source (run, node, 0, (top + i) * map_cols + left + j), y, n->cols);
  kernels->scale (y, 1.0f / (float) (k * k), y, n->cols);
}

static const FacetCpuRowFunc row_funcs[FACET_OP_COUNT] = {
  [FACET_OP_EMBED] = row_embed,
  [FACET_OP_LOOKUP] = row_lookup,
  [FACET_OP_INPUT] = row_input,
  [FACET_OP_TABLE] = row_table,
  [FACET_OP_TABLE_2D] = row_table_2d,
  [FACET_OP_OUTPUTS] = row_outputs,
  [FACET_OP_COLUMNS] = row_columns,
  [FACET_OP_ROUTE] = facet_cpu_row_route,
  [FACET_OP_RMS_NORM] = row_rms_norm,
  [FACET_OP_LAYER_NORM] = row_layer_norm,
  [FACET_OP_ADD] = row_add,
  [FACET_OP_MUL] = row_mul,
  [FACET_OP_SCALE] = row_scale,
  [FACET_OP_GELU] = row_gelu,
  [FACET_OP_GEGLU] = row_geglu,
  [FACET_OP_ROPE] = row_rope,
  [FACET_OP_ROTATE] = row_rotate,
  [FACET_OP_KV_STORE] = row_kv_store,
  [FACET_OP_SOFTCAP] = row_softcap,
  [FACET_OP_POOL] = row_pool,
  [FACET_OP_PATCHES] = facet_cpu_row_patches,
  [FACET_OP_RESHAPE] = facet_cpu_row_reshape,
  [FACET_OP_RELU] = facet_cpu_row_relu,
  [FACET_OP_SILU] = facet_cpu_row_silu,
  [FACET_OP_CLAMP] = facet_cpu_row_clamp,
  [FACET_OP_GLU] = facet_cpu_row_glu,
  [FACET_OP_CAUSAL_CONV] = facet_cpu_row_causal_conv,
  [FACET_OP_LOCAL_ATTENTION] = facet_cpu_row_local_attention,
  [FACET_OP_EVERY] = facet_cpu_row_every,
  [FACET_OP_CUM_STATS] = facet_cpu_row_cum_stats,
  [FACET_OP_CUM_NORM] = facet_cpu_row_cum_norm,
  [FACET_OP_DEPTHWISE] = facet_cpu_row_depthwise,
  [FACET_OP_UPSAMPLE] = facet_cpu_row_upsample,
  [FACET_OP_CONCAT] = facet_cpu_row_concat,
  [FACET_OP_MATCH_RMS] = facet_cpu_row_match_rms,
  [FACET_OP_GAUSSIAN_TOPK] = facet_cpu_row_gaussian_topk,
  [FACET_OP_ALTUP_PREDICT] = facet_cpu_row_altup_predict,
  [FACET_OP_ALTUP_CORRECT] = facet_cpu_row_altup_correct,
  [FACET_OP_ALTUP_INJECT] = facet_cpu_row_altup_inject,
};

void
facet_cpu_step_emit (FacetCpuRun *run, const FacetCpuStep *step, int member)
{
  int rows = facet_cpu_rows (run, step->rows);

  for (int row; (row = facet_cpu_next_chunk (run, step, rows)) >= 0;)
    facet_cpu_emit (run->plan, step->first, row, 0, node_at (run, step->first)->cols);
}

void
facet_cpu_step_rows (FacetCpuRun *run, const FacetCpuStep *step, int member)
{
  int rows = facet_cpu_rows (run, step->rows);
  int rows_a_chunk = CLAMP (rows / (8 * facet_pool_members (run->plan->cpu->pool)), 1, 16);
  int n_chunks = (rows + rows_a_chunk - 1) / rows_a_chunk;

  for (int chunk; (chunk = facet_cpu_next_chunk (run, step, n_chunks)) >= 0;) {
    int end = MIN (rows, (chunk + 1) * rows_a_chunk);

    for (int row = chunk * rows_a_chunk; row < end; row++)
      for (int i = step->first; i < step->first + step->n; i++) {
        row_funcs[node_at (run, i)->op] (run, i, row);
        if (run->plan->values[i].q8.q != NULL)
          facet_cpu_emit (run->plan, i, row, 0, node_at (run, i)->cols);
      }
  }
}
